"""Independent random streams from one seed."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """Return the random stream of `seed` for one purpose.

    Streams of different purposes are independent, so draws for one purpose never change another stream. For example,
    a run has the same trials with any initial weights, alone or together with other runs.

    Parameters
    ----------
    seed : int
        Seed of the run, not negative.
    *purpose : str
        Purpose of the stream, such as ``"trials", "go_nogo"``.
    """
    words = [zlib.crc32(word.encode()) for word in purpose]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))


def run_seed(study_seed: int, run: int) -> int:
    """Derive the seed of one run of a study.

    With ``study_seed + run``, studies with seeds 0 and 1 would share all runs except one. Joined results would then
    count these runs twice. Derived seeds make studies with different seeds independent.

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
