"""Checks of the exercises in notebook 04."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from scipy.spatial.distance import cdist, pdist

from ..field import CorticalField
from ..space import coordinates, distances, wiring_cost
from .saying import array, array_from, graded, graded_array, number_from, say


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


GIVEN = "weights, lengths and draws"


def check_permutation_test(function: object) -> bool:
    """Check a permutation test: a function of weights, lengths and draws that gives the share which costs as little.

    For a few neurons all orders can be tried, so the right share is known exactly.
    """
    rng = np.random.default_rng(3)
    places = rng.random((5, 2)) * 100
    lengths = np.linalg.norm(places[:, None] - places, axis=2)
    middling = rng.random((5, 5)) * (1, 3, 1, 0.2, 1)
    signed = rng.random((5, 5)) * (1, -3, 1, -0.2, -1)
    short = np.exp(-lengths / 20) + 0.02 * rng.random((5, 5))
    draws = 1000
    alike = number_from(function, GIVEN, np.ones((6, 6)), np.ones((6, 6)), draws)  # whole numbers: no rounding
    if alike is None:
        return False
    if np.isclose(alike, 1 / (draws + 1)):
        told = f"Where all orders cost the same it gives {alike:.3f}; expected 1."
        return say(False, f"{told} Orders that cost as much count too: take <=.")
    for weights, what in ((middling, "uneven"), (signed, "partly negative"), (short, "strong where wires are short")):
        value = number_from(function, GIVEN, weights, lengths, draws)
        if value is None:
            return False
        if value > 1:
            return say(False, f"It gives {value:g}, a count; divide it by the number of draws.")
        right = _share_as_cheap(weights, lengths, draws)
        if not abs(value - right) < _luck(right, draws):
            told = f"For weights that are {what} it gives {value:.3f}; all 120 orders give {right:.3f}."
            for wrong, why in _mistaken_tests(weights, lengths, draws):
                if abs(value - wrong) < _luck(wrong, draws):
                    return say(False, f"{told} {why}")
            return say(False, told)
    orders = 99  # of twelve neurons, so that no new order is as cheap
    places = np.arange(12.0)[:, None]
    lengths = np.abs(places - places.T)
    value = number_from(function, GIVEN, np.exp(-lengths) * (1 + places / 10), lengths, orders)
    if value is None:
        return False
    if value == 0:
        return say(
            False, f"It gives 0 where none of {orders} is as cheap. Count the first labels too: (k + 1) / (n + 1)."
        )
    if not np.isclose(value, 1 / (orders + 1)):
        return say(False, f"Where none of {orders} is as cheap it gives {value:.4f}; expected 1 / ({orders} + 1).")
    if not np.isclose(alike, 1):
        return say(False, f"Where all orders cost the same it gives {alike:.3f}; expected 1.")
    return say(True, "Weights whose strong wires are short are among the cheapest, and no share is exactly 0.")


def _luck(share: float, draws: int) -> float:
    """How far a share from random draws may be off: four standard errors, and the count of the real order."""
    return 4 * (max(share * (1 - share), 1 / draws) / draws) ** 0.5 + 1 / draws


def _all_orders(neurons: int) -> list[list[int]]:
    return [list(order) for order in permutations(range(neurons))]


def _share_as_cheap(weights: np.ndarray, lengths: np.ndarray, draws: int) -> float:
    """Return (k + 1) / (n + 1), with the share of all orders that cost as little in place of k / n."""
    costs = [wiring_cost(weights[np.ix_(order, order)], lengths) for order in _all_orders(len(weights))]
    as_cheap = np.mean(np.array(costs) <= wiring_cost(weights, lengths) * (1 + 1e-12))
    return float((as_cheap * draws + 1) / (draws + 1))


def _mistaken_tests(weights: np.ndarray, lengths: np.ndarray, draws: int) -> list[tuple[float, str]]:
    orders, own = _all_orders(len(weights)), wiring_cost(weights, lengths)
    rows = np.mean([wiring_cost(weights[order], lengths) <= own for order in orders])
    with_signs = [(weights[np.ix_(order, order)] * lengths).sum() for order in orders]
    right = _share_as_cheap(weights, lengths, draws)
    signed = float(np.mean(np.array(with_signs) <= (weights * lengths).sum() + 1e-12))
    return [
        (signed, "A negative weight needs wire too: take |W|."),
        (1 - right, "You counted the orders that cost more; count those that cost as little."),
        (float(rows), "You gave new labels to rows alone; the columns are the same neurons."),
        (1.0, "Compare each relabelling with the weights *as they came*, not with itself."),
    ]


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
