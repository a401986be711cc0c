"""What an untrained network still knows of its input some steps later. Notebook 03 uses it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .errors import InputError
from .network import glorot_uniform
from .seeds import generator


class Fading(NamedTuple):
    """How the states that two stimuli left behind develop once the input has ended.

    Attributes
    ----------
    angle : ndarray, shape (steps + 1,)
        Between the two states, in degrees; 0 where they differ in size alone or one of them has died out.
    size : ndarray, shape (steps + 1,)
        Euclidean length of the first state, as a share of what it was right after the stimulus.
    """

    angle: np.ndarray
    size: np.ndarray


def fading(weights: np.ndarray, steps: int = 20, draws: int = 8, seed: int = 0) -> Fading:
    """Show a network two stimuli, each for one step, and follow the two states without any input.

    Both start from ``h[0] = relu(W_in)``, a row of input weights per stimulus; then ``h[t] = relu(h[t-1] W)``.
    What a readout can tell apart is the angle: where it is 0, the states are multiples of one another. Scaling W
    by a positive number changes the size and leaves the angle as it is.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
        From neuron i to neuron j.
    steps : int
        After the stimulus.
    draws : int
        Of input weights, over which angle and size are averaged.
    seed : int
        Of these draws.
    """
    if steps < 0 or draws < 1:
        raise InputError(f"{steps} steps and {draws} draws; there must be at least 0 and 1")
    rng = generator(seed, "two stimuli")
    h = np.maximum([glorot_uniform(2, len(weights), rng) for _ in range(draws)], 0)  # (draws, 2, N)
    first = np.linalg.norm(h[:, 0], axis=-1)
    angles, sizes = [], []
    for _ in range(steps + 1):
        lengths = np.linalg.norm(h, axis=-1)  # (draws, 2)
        alive = lengths.min(axis=1) > 0
        # Of unit vectors u and v, 2 atan2(|u - v|, |u + v|) is the angle, and exact for small ones too.
        u, v = np.moveaxis(h / np.where(lengths > 0, lengths, 1)[..., None], 1, 0)
        between = 2 * np.arctan2(np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1))
        angles.append(np.degrees(np.where(alive, between, 0)).mean())
        sizes.append((lengths[:, 0] / first).mean())
        h = np.maximum(h @ weights, 0)
    return Fading(np.array(angles), np.array(sizes))
