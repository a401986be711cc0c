"""Where neurons sit: coordinates, the lattice control, distances and the cost of wiring.

Notebook 04 works through this module.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from .field import CorticalField


def coordinates(field: CorticalField, arrangement: str, units: str) -> np.ndarray:
    """Coordinates of a field's neurons as the distance penalty sees them.

    Parameters
    ----------
    field : CorticalField
    arrangement : {"reshaped", "transposed"}
        ``reshaped`` is the published code: the (N, 3) array read as (3, N) without moving its numbers, so
        that most "neurons" get coordinates that belong to others. ``transposed`` keeps each neuron's own.
    units : {"min_max", "micrometres"}
        ``min_max`` scales each axis, counted in voxels, to 0…1 by itself. ``micrometres`` scales all
        axes by the one that is longest in µm, which keeps the shape of the tissue.

    Returns
    -------
    ndarray, shape (N, 3)
        Between 0 and 1, without unit.
    """
    values = field.positions / np.array(field.voxel_size) if units == "min_max" else field.positions
    if arrangement == "reshaped":
        values = values.reshape(3, -1).T
    elif arrangement != "transposed":
        raise ValueError(f"coordinates {arrangement!r}; expected reshaped or transposed")
    extent = np.ptp(values, axis=0)
    if units == "micrometres":
        extent = np.full(3, extent.max())
    elif units != "min_max":
        raise ValueError(f"units {units!r}; expected min_max or micrometres")
    return (values - values.min(axis=0)) / np.where(extent > 0, extent, 1.0)


def lattice_shape(neurons: int) -> tuple[int, int, int]:
    """Sides of the most compact box-shaped lattice of N points, longest first: 96 gives (6, 4, 4)."""
    boxes = (
        (neurons // (b * c), b, c)
        for c in range(1, round(neurons ** (1 / 3)) + 1)
        if neurons % c == 0
        for b in range(c, int((neurons // c) ** 0.5) + 1)
        if neurons // c % b == 0
    )
    return min(boxes, key=sum)


def lattice(shape: tuple[int, int, int]) -> np.ndarray:
    """Points of a lattice with unit spacing, in the order of ``numpy.meshgrid(x, y, z)`` raveled.

    Returns
    -------
    ndarray, shape (N, 3)
    """
    axes = np.meshgrid(*(np.arange(side, dtype=np.float64) for side in shape))
    return np.stack([axis.ravel() for axis in axes], axis=1)


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distances between points of shape (N, 3): symmetric, shape (N, N), diagonal 0."""
    return cdist(points, points)


def mean_distance(matrix: np.ndarray) -> float:
    """Mean of a distance matrix of shape (N, N) over pairs of different neurons."""
    n = len(matrix)
    return float(matrix.sum() / (n * (n - 1)))


def wiring_cost(weights: np.ndarray, matrix: np.ndarray) -> float:
    """Sum of connection strength times length, ``Σ |W| ⊙ D``, both of shape (N, N)."""
    return float((np.abs(weights) * matrix).sum())
