"""A made-up cortical field of any size, shaped like the measured ones and labelled synthetic wherever it is shown."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import ndtri

from . import activity
from .field import MICRONS_VOXEL_UM, CorticalField
from .seeds import generator
from .space import lattice_shape

SLAB_UM = (1000.0, 130.0, 500.0)
FRAME_SECONDS = 0.1587
RECORDING_SECONDS = 6347.0


def synthetic_field(neurons: int = 96, seed: int = 0, name: str = "synthetic_column") -> CorticalField:
    """Make a field: somata in a slab, nearby and alike neurons active and wired together.

    Events lie on imaging frames. A neuron has one in a frame when a Gaussian variable exceeds its threshold, and
    those variables are correlated: a little among all neurons, more among near ones, more among neurons of like
    tuning. Synapses are drawn one by one, likelier between near and like neurons. Correlation and spike time
    tiling coefficient are then computed from the events by the code that serves measured ones.

    Parameters
    ----------
    neurons : int
    seed : int
    name : str

    Returns
    -------
    CorticalField
        With ``synthetic=True``.
    """
    rng = generator(seed, "synthetic field")
    voxel = np.array(MICRONS_VOXEL_UM)
    positions = np.round(rng.random((neurons, 3)) * SLAB_UM / voxel) * voxel  # µm, on whole voxels
    distance = cdist(positions, positions)  # µm
    nearness = np.exp(-distance / 250.0)
    tuning = rng.normal(size=(neurons, 6))
    tuning /= np.linalg.norm(tuning, axis=1, keepdims=True)
    likeness = tuning @ tuning.T

    # A sum of positive semi-definite parts whose diagonals add to 1: a correlation matrix.
    latent = 0.01 + 0.20 * nearness + 0.10 * likeness + 0.69 * np.eye(neurons)
    root = np.linalg.cholesky(latent)
    frames = int(RECORDING_SECONDS / FRAME_SECONDS)
    rate = 1500 / RECORDING_SECONDS * rng.lognormal(0.0, 0.3, neurons)  # events per second
    threshold = -ndtri(rate * FRAME_SECONDS)
    active = [[] for _ in range(neurons)]  # frames with an event, part by part
    for first in range(0, frames, 4096):
        part = min(4096, frames - first)
        for i, row in enumerate(root @ rng.normal(size=(neurons, part)) > threshold[:, None]):
            active[i].append(first + np.flatnonzero(row))
    spike_times = [(np.concatenate(parts) + 1) * FRAME_SECONDS for parts in active]

    chance = np.exp(-distance / 600.0) * (1 + likeness)
    np.fill_diagonal(chance, 0.0)
    chance *= 0.003 * neurons * (neurons - 1) / chance.sum()
    connected = rng.random((neurons, neurons)) < chance
    connectome = connected * rng.choice([1, 2, 3], (neurons, neurons), p=[0.9, 0.08, 0.02])

    return CorticalField(
        name=name,
        positions=positions,
        connectome=connectome,
        correlation=activity.correlation(activity.event_counts(spike_times)),
        sttc=activity.spike_time_tiling_coefficient(spike_times),
        spike_times=spike_times,
        lattice=lattice_shape(neurons),
        synthetic=True,
    )
