"""Independent random streams from one seed."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """Return the random stream of `seed` for one purpose.

    Streams of different purposes are independent, so what one part draws never shifts another:
    a run has the same trials whatever its initial weights, and alone or among others.

    Parameters
    ----------
    seed : int
        The run's seed, not negative.
    *purpose : str
        What the stream is for, such as ``"trials", "go_nogo"``.
    """
    words = [zlib.crc32(word.encode()) for word in purpose]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))


def run_seed(study_seed: int, run: int) -> int:
    """Derive the seed of one run of a study.

    ``study_seed + run`` would let the studies of seeds 0 and 1 share all runs but one, and count them twice where
    their results are joined; derived seeds make studies of different seeds independent.

    Parameters
    ----------
    study_seed : int
        Not negative.
    run : int
        Counted from 0.

    Returns
    -------
    int
        Below 2³².
    """
    return int(np.random.SeedSequence(study_seed, spawn_key=(run,)).generate_state(1)[0])
