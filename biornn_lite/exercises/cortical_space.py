"""Checks of the exercises in notebook 04."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist, pdist

from ..field import CorticalField
from ..space import coordinates, distances, lattice, mean_distance, wiring_cost
from .saying import array, array_from, graded, graded_array, say


def check_wiring_cost(answer: float | None, weights: object, places: object) -> bool:
    """Check the wiring cost of a few neurons along a line.

    Parameters
    ----------
    answer : float or None
    weights : array-like, shape (N, N)
    places : array-like, shape (N,)
        In µm.
    """
    weights, places = np.asarray(weights, dtype=float), np.asarray(places, dtype=float)
    lengths = np.abs(places[:, None] - places)
    right = wiring_cost(weights, lengths)
    told = f"{right:g}: the sign of a weight and its self-connections do not matter."
    costs = np.abs(weights) * lengths
    mistakes = {
        float((weights * lengths).sum()): "A negative weight needs wire too: take |W|.",
        float(np.triu(costs).sum()): "You took each pair once, from the upper neuron; wires go both ways.",
        float(np.tril(costs).sum()): "You took each pair once, from the lower neuron; wires go both ways.",
        right / 2: "You halved it; i to j and j to i are two wires.",
        0.3 * right: "That is λ times the cost, the penalty.",
        float(np.abs(weights).sum()): "You added the weights, but not their lengths.",
        float((np.abs(weights) * lengths**2).sum()): "You squared the lengths.",
        right / weights.size: "That is the mean; the cost is a sum.",
    }
    hint = "{value:g} is not it: write down the distances, then add |weight| · distance over all wires."
    return graded(answer, right, told, mistakes, hint)


def check_reshaped(answer: object, positions: np.ndarray, neuron: int) -> bool:
    """Check which three numbers a neuron gets when positions, shape (N, 3), are reshaped to (3, N)."""
    given = array(answer, "Those are not three numbers.")
    if given is None:
        return False
    if given.shape != (3,):
        return say(False, f"Its shape is {given.shape}; expected three numbers, one from each row.")
    rows = positions.reshape(3, -1)
    right = rows[:, neuron]
    places = [divmod(axis * len(positions) + neuron, 3) for axis in range(3)]
    whose = ", ".join(f"{'xyz'[axis]} of neuron {k}" for k, axis in places)
    told = f"{', '.join(f'{value:g}' for value in right)}: {whose}."
    mistakes = [
        (positions[neuron], "Those are its own, which transposing would give. Reshaping reads on and cuts."),
        (rows[:, neuron - 1], f"Neurons and columns count from 0: you took column {neuron - 1}."),
        (positions.reshape(3, -1, order="F")[:, neuron], "You read down the columns; numpy reads row by row."),
        (rows.ravel()[neuron : neuron + 3], "You read on along a row; a point is a *column* of the new array."),
    ]
    hits = int((given == right).sum())
    hint = f"{hits} of 3 are right. Write all numbers in one line, cut it in three, take column {neuron}."
    if np.array_equal(np.sort(given), np.sort(right)):
        hint = "The right numbers in another order: first row, second row, third row."
    return graded_array(given, right, told, mistakes, hint, np.array_equal)


def check_distance_matrix(function: object) -> bool:
    """Check a function of points, shape (N, 3), that returns their distances, shape (N, N)."""
    points = np.random.default_rng(0).normal(size=(7, 3)) * (300, 20, 150)
    given = array_from(function, "points", points)
    if given is None:
        return False
    n, right = len(points), distances(points)
    shapes = {
        (n, n, 3): "those are differences along each axis; square, add over the last axis, take the root.",
        (3, 3): "it compares columns; rows are neurons.",
        (n * (n - 1) // 2,): "it holds each pair once; the penalty needs D[i, j] for both orders and the diagonal.",
        (n,): "it holds one number per neuron; distances belong to pairs.",
    }
    if given.shape != right.shape:
        why = shapes.get(given.shape, f"expected {right.shape}.")
        return say(False, f"For points of shape {points.shape} it returns shape {given.shape}: {why}")
    told = f"For 7 points, distances from {pdist(points).min():.0f} to {right.max():.0f}, diagonal 0."
    flat, lengths = points * (1, 0, 1), np.linalg.norm(points, axis=1)
    mistakes = [
        (right**2, "Those are squared distances; take the root."),
        (cdist(points, points, "cityblock"), "You added the differences along the axes; a straight line is shorter."),
        (cdist(points, points, "chebyshev"), "You took the largest difference along an axis."),
        (right / np.sqrt(3), "You averaged over the axes; add."),
        (right / right.max(), "You divided by the largest; keep the unit of the points."),
        (np.triu(right), "Each pair once: D[j, i] is missing."),
        (np.tril(right), "Each pair once: D[i, j] for i < j is missing."),
        (cdist(flat, flat), "Depth, column 1, is missing."),
        (cdist(points[:, :2], points[:, :2]), "z, column 2, is missing."),
        (
            np.abs(lengths[:, None] - lengths),
            "You subtracted lengths; subtract positions first, then take the length.",
        ),
        (distances(points.reshape(3, -1).T), "You reshaped the points; transpose them."),
    ]
    hint = f"From neuron 0 to 1 it gives {given[0, 1]:.1f}, expected {right[0, 1]:.1f}."
    off = ~np.eye(n, dtype=bool)
    if np.allclose(given[off], right[off]):
        hint = "Right between different neurons; but a neuron has distance 0 from itself."
    return graded_array(given, right, told, mistakes, hint)


def check_lattice_factor(answer: float | None, shape: tuple[int, int, int], mean: float) -> bool:
    """Check the factor that gives a lattice of this shape a certain mean distance between different neurons."""
    matrix = distances(lattice(shape))
    own = mean_distance(matrix)
    right = mean / own
    told = f"{right:.3g}: a mean distance of {own:.3f} becomes {mean:g}."
    mistakes = {
        own / mean: "Upside down: the factor multiplies the lattice's distances.",
        mean / float(matrix.mean()): "You averaged over the diagonal too; take pairs of *different* neurons.",
        own: "That is the lattice's mean distance; by what must it be multiplied?",
        mean / float(matrix.max()): "You matched the largest distance; the mean is asked for.",
        mean: "That would be right if neighbours were the only pairs.",
    }
    hint = "{value:g} is not it: average the distances of all pairs of the lattice first."
    return graded(answer, right, told, mistakes, hint, tolerance=5e-3, mistaken=5e-3)


def check_depth_share(answer: float | None, field: CorticalField) -> bool:
    """Check the share of depth in the mean squared distance when each axis is divided by its standard deviation."""
    variance = {units: coordinates(field, "transposed", units).var(axis=0) for units in ("micrometres", "min_max")}
    share = {units: float(v[1] / v.sum()) for units, v in variance.items()}
    deviation = np.sqrt(variance["micrometres"])
    told = "A third, in any field: each axis then has variance 1, whatever it was before."
    mistakes = {
        share["micrometres"]: "That is its share in µm.",
        share["min_max"]: "That is its share with min_max, which makes *ranges* alike, not standard deviations.",
        float(deviation[1] / deviation.sum()): "That is its share of the standard deviations in µm.",
        100 / 3: "That is in per cent; give a share between 0 and 1.",
        1.0: "That is its variance; what share is it of the sum over the three axes?",
    }
    hint = "{value:g} is not it: what is the variance of an axis divided by its standard deviation?"
    return graded(answer, 1 / 3, told, mistakes, hint, tolerance=0.02)
