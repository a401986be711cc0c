"""Checks of the exercises in notebook 04."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from scipy.spatial.distance import cdist, pdist

from ..field import CorticalField
from ..space import coordinates, distances, wiring_cost
from .saying import array, array_from, graded, graded_array, number, number_from, say


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

    For a few neurons all orders can be tried, so the right share is known exactly. On some of the weights, entries
    that move without their neurons give another share.
    """
    draws = 1000
    alike = number_from(function, GIVEN, np.ones((6, 6)), np.ones((6, 6)), draws)  # whole numbers: no rounding
    if alike is None:
        return False
    if np.isclose(alike, 1 / (draws + 1)):
        told = f"Where all orders cost the same it gives {alike:.3f}; expected 1."
        return say(False, f"{told} Orders that cost as much count too: take <=.")
    tried = _weights_to_try()
    values = []
    for _, weights, lengths in tried:
        value = number_from(function, GIVEN, weights, lengths, draws)
        if value is None:
            return False
        if value > 2:
            return say(False, f"It gives {value:g}, a count; divide it by the number of draws.")
        values.append(value)
    shares = [_shares_of_mistakes(weights, lengths) for _, weights, lengths in tried]
    for (what, *_), value, share in zip(tried, values, shares, strict=True):
        if not _is_share(value, share[RIGHT], draws):
            told = f"For weights that are {what} it gives {value:.3f}; all 120 orders give {share[RIGHT]:.3f}."
            return say(False, f"{told} {_why(values, shares, draws)}".strip())
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


def _weights_to_try() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Weights and lengths of five neurons, and what these weights are."""
    rng = np.random.default_rng(3)
    places = rng.random((5, 2)) * 100
    lengths = np.linalg.norm(places[:, None] - places, axis=2)
    row = np.abs(np.arange(5.0)[:, None] - np.arange(5))  # whole numbers: no rounding
    hub = np.zeros((5, 5))
    hub[0, 1:] = 1
    return [
        ("uneven", rng.random((5, 5)) * (1, 3, 1, 0.2, 1), lengths),
        ("partly negative", rng.random((5, 5)) * (1, -3, 1, -0.2, -1), lengths),
        ("strong where wires are short", np.exp(-lengths / 20) + 0.02 * rng.random((5, 5)), lengths),
        ("all on the diagonal", np.diag([1.0, 2, 3, 4, 5]), row),
        ("all from the neuron at the end of a row", hub, row),
    ]


RIGHT = ""
"""What there is to say of the right share, among those of mistakes."""


def _shares_of_mistakes(weights: np.ndarray, lengths: np.ndarray) -> dict[str, float]:
    """Return the share of relabellings that cost as little, by what there is to say of the way to find it."""
    n = len(weights)
    orders = np.array(list(permutations(range(n))))  # (orders, N)
    size, off, rng = np.abs(weights), ~np.eye(n, dtype=bool), np.random.default_rng(0)
    entries, others = np.tile(size.ravel(), (4000, 1)), np.tile(size, (4000, 1, 1))
    others[:, off] = rng.permuted(others[:, off], axis=1)

    def share(relabelled: np.ndarray, given: np.ndarray = size) -> float:
        """``relabelled`` has shape (…, N, N)."""
        costs = (relabelled * lengths).sum(axis=(-2, -1))
        return float((costs <= (given * lengths).sum() + 1e-9).mean())

    together = orders[:, :, None], orders[:, None, :]
    apart = orders[:, None, :, None], orders[None, :, None, :]
    right = share(size[together])
    return {
        RIGHT: right,
        "A negative weight needs wire too: take |W|.": share(weights[together], weights),
        "You counted the orders that cost more; count those that cost as little.": 1 - right,
        "You counted the orders that cost as much or more; take <=.": float(
            ((size[together] * lengths).sum(axis=(-2, -1)) >= (size * lengths).sum() - 1e-9).mean()
        ),
        "You gave new labels to rows alone; the columns are the same neurons.": share(size[orders]),
        "You gave new labels to columns alone; the rows are the same neurons.": share(size[:, orders].swapaxes(0, 1)),
        f"You gave new labels to rows and columns apart. {TOGETHER}": share(size[apart]),
        f"You shuffled all entries, those of the diagonal too. {TOGETHER}": share(
            rng.permuted(entries, axis=1).reshape(-1, n, n)
        ),
        f"You shuffled the entries off the diagonal apart from their neurons. {TOGETHER}": share(others),
        "`weights[p, p]` takes single entries; use `weights[p][:, p]` or `weights[np.ix_(p, p)]`.": share(
            size[orders, orders][:, None]
        ),
        "Compare each relabelling with the weights *as they came*, not with itself. (And `lengths[p, p]` takes "
        "the diagonal, which is 0.)": 1.0,
    }


TOGETHER = "Give new names to the neurons: the *same* order for rows and columns (`weights[p][:, p]`)."


def _why(values: list[float], shares: list[dict[str, float]], draws: int) -> str:
    """Return what there is to say of the mistake that gives all these values, or an empty text."""
    for why in shares[0]:
        if all(_is_share(value, share[why], draws) for value, share in zip(values, shares, strict=True)):
            return why
    if all(min(abs(value - end) for end in (0, 1)) <= 1.5 / draws for value in values):
        return "Is it the same order at every draw? Make the random generator once, before the loop."
    return ""


def _is_share(value: float, share: float, draws: int) -> bool:
    """Say whether a share from random draws is as expected, up to four standard errors and the count of one order."""
    return abs(value - share) < 4 * (max(share * (1 - share), 1 / draws) / draws) ** 0.5 + 1 / draws


def check_depth_share(answer: float | None, field: CorticalField) -> bool:
    """Check the share of depth in the mean squared distance when each axis is divided by its standard deviation."""
    value = number(answer)
    if value is None:
        return False
    if value > 1.001:
        return say(False, f"{value:g}. A share is between 0 and 1; is that in per cent?")
    variance = {units: coordinates(field, "transposed", units).var(axis=0) for units in ("micrometres", "min_max")}
    share = {units: float(v[1] / v.sum()) for units, v in variance.items()}
    deviation = np.sqrt(variance["micrometres"])
    told = "A third, in any field: each axis then has variance 1, whatever it was before."
    mistakes = {
        share["micrometres"]: "That is its share in µm.",
        share["min_max"]: "That is its share with min_max, which makes *ranges* alike, not standard deviations.",
        float(deviation[1] / deviation.sum()): "That is its share of the standard deviations in µm.",
        1.0: "That is its variance; what share is it of the sum over the three axes?",
    }
    hint = "{value:g} is not it: what is the variance of an axis divided by its standard deviation?"
    return graded(value, 1 / 3, told, mistakes, hint, tolerance=0.02)
