"""Positions of neurons: coordinates, the lattice control, distances and the cost of wiring.

Notebook 04 works through this module.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist, squareform

from .errors import InputError
from .field import CorticalField
from .seeds import generator
from .weights import relabelled


def coordinates(field: CorticalField, arrangement: str, units: str) -> np.ndarray:
    """Coordinates of a field's neurons as the distance penalty uses them.

    Parameters
    ----------
    field : CorticalField
    arrangement : {"reshaped", "transposed"}
        ``reshaped`` is the published code: it reads the (N, 3) array as (3, N) without moving its numbers.
        Most neurons then get coordinates of other neurons. ``transposed`` keeps each neuron's own coordinates.
    units : {"min_max", "micrometres"}
        ``min_max`` counts in voxels and scales each axis by itself to 0…1. ``micrometres`` divides all axes by
        the length of the longest axis in µm, which keeps the shape of the tissue.

    Returns
    -------
    ndarray, shape (N, 3)
        Between 0 and 1, without a unit.
    """
    values = field.positions / np.array(field.voxel_size) if units == "min_max" else field.positions
    if arrangement == "reshaped":
        values = values.reshape(3, -1).T
    elif arrangement != "transposed":
        raise InputError(f"coordinates is {arrangement!r}; it allows reshaped, transposed")
    extent = np.ptp(values, axis=0)
    if units == "micrometres":
        extent = np.full(3, extent.max())
    elif units != "min_max":
        raise InputError(f"units is {units!r}; it allows min_max, micrometres")
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
    """Points of a lattice with unit spacing, in the order of the flattened ``numpy.meshgrid(x, y, z)``.

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


PLACES = {
    "transposed": "cortical, each neuron at its own place (transposed)",
    "reshaped": "cortical, as published (reshaped)",
    "lattice": "lattice",
    "scrambled": "cortical, neurons scrambled",
}
"""The label of each arrangement in the panel."""


def believed_places(
    field: CorticalField,
    places: str = "transposed",
    units: str = "min_max",
    lattice_scale: str = "raw",
    seed: int = 0,
) -> np.ndarray:
    """Return the positions of neurons from which the penalty computes distances.

    Parameters
    ----------
    field : CorticalField
    places : {"transposed", "reshaped", "lattice", "scrambled"}
        The first two are values of ``coordinates`` in ``Protocol``. ``lattice`` is the lattice behind ``D``. Unless
        `lattice_scale` is ``raw``, it is scaled to the mean distance of ``transposed``. ``scrambled`` assigns the
        true places to the neurons in random order.
    units, lattice_scale : str
        As in :class:`biornn_lite.variants.Protocol`.
    seed : int
        Used by ``scrambled`` only.

    Returns
    -------
    ndarray, shape (N, 3)
        Without a unit.
    """
    if places not in PLACES:
        raise InputError(f"no places {places!r}; there are {', '.join(PLACES)}")
    if places == "lattice":
        points = lattice(field.lattice or lattice_shape(field.neurons))
        if lattice_scale == "raw":
            return points
        cortical = distances(coordinates(field, "transposed", units))
        return points * (mean_distance(cortical) / mean_distance(distances(points)))
    points = coordinates(field, "reshaped" if places == "reshaped" else "transposed", units)
    if places == "scrambled":
        points = points[generator(seed, "scrambled places").permutation(field.neurons)]
    return points


def of_pairs(matrix: np.ndarray) -> np.ndarray:
    """Return each pair of different neurons once from a symmetric (N, N) matrix, shape (N (N − 1) / 2,)."""
    return squareform(matrix, checks=False)


def correlation_with_true(field: CorticalField, matrix: np.ndarray) -> float:
    """Pearson correlation, over pairs of neurons, of a distance matrix (N, N) with the field's distances in µm."""
    return float(np.corrcoef(of_pairs(distances(field.positions)), of_pairs(matrix))[0, 1])


def relabelled_costs(weights: np.ndarray, matrix: np.ndarray, draws: int = 100) -> np.ndarray:
    """Compute the wiring costs of the same weights under random new labels, ``W!``.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    matrix : ndarray, shape (N, N)
        Distances. The costs have the same unit.
    draws : int
        Number of relabellings; their seeds are 0, 1, …

    Returns
    -------
    ndarray, shape (draws,)
    """
    return np.array([wiring_cost(relabelled(weights, generator(k, "relabelling")), matrix) for k in range(draws)])
