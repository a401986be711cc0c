"""Checks of the exercises in notebook 05."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy.linalg import expm

from .saying import array_from, graded, graded_array, say


def check_two_neurons(answer: float | None) -> bool:
    """Check the communicability of two neurons that connect to one another with weight 1."""
    right = math.sinh(1)
    told = f"sinh(1) = {right:.4f}: walks of 1, 3, 5 … steps, each over its factorial."
    mistakes = {
        math.cosh(1): "That is the diagonal: walks of 0, 2, 4 … steps lead back to where they began.",
        math.e: "That sums walks of all lengths; every second one ends at the *other* neuron.",
        math.e - 1: "That leaves out the walk of no steps, but walks of 2, 4 … steps lead back as well.",
        1.0: "That is the direct connection; walks of 3, 5 … steps get there too.",
        7 / 6: "Nearly: that is 1 + 1/3!. The sum goes on.",
        1.2: "Give three digits: the first terms of the sum already round to 1.2.",
    }
    hint = "{value:g} is not it: which lengths of walk end at the other neuron? Sum 1/k! over those."
    return graded(answer, right, told, mistakes, hint, tolerance=5e-3, mistaken=2e-3)


def _sum_of_walks(p: np.ndarray, lengths: Iterable[int], factorials: bool = True) -> np.ndarray:
    """Sum P^k / k! over some lengths k of walks; without `factorials`, P^k."""
    return sum(np.linalg.matrix_power(p, k) / (math.factorial(k) if factorials else 1) for k in lengths)


def _communicability(weights: np.ndarray, degree: int, axis: int = 1) -> np.ndarray:
    """Communicability from walks of at most so many steps, as powers of S^-½ A S^-½."""
    strengths = np.abs(weights)
    sums = strengths.sum(axis=axis)
    inverse = np.divide(1, np.sqrt(sums), out=np.zeros_like(sums), where=sums > 0)
    return _without_diagonal(_sum_of_walks(strengths * np.outer(inverse, inverse), range(degree + 1)))


def _without_diagonal(matrix: np.ndarray) -> np.ndarray:
    return matrix - np.diag(np.diag(matrix))


def _mistaken(weights: np.ndarray, degree: int) -> list[tuple[np.ndarray, str]]:
    """Return what each known mistake gives, and what to say of it."""
    a, all_lengths = np.abs(weights), range(degree + 1)
    sends = a.sum(axis=1) > 0
    sums = np.where(sends, a.sum(axis=1), 1)[:, None]
    ratio = np.sqrt(sums / sums.T)  # √(s_i / s_j)
    p, right = a / sums, _communicability(weights, degree)
    walks = _sum_of_walks(p, all_lengths)
    mistakes = [
        (right.T, "It is transposed: rows send."),
        (_sum_of_walks(p, all_lengths, factorials=False) * ratio, "Walks of k steps count 1/k!, not all alike."),
        (_sum_of_walks(p, [degree]) * ratio, "Those are the longest walks alone; add up all lengths."),
        (_communicability(weights, degree - 1), f"It stops at {degree - 1} steps; the longest walk has {degree}."),
        (_communicability(weights, degree + 1), f"It goes on to {degree + 1} steps; the longest walk has {degree}."),
        (walks, "The walks are right; where is the factor √(s_i / s_j)?"),
        (walks / ratio, "The factor is upside down: √(s_i / s_j), where i is the row."),
        (walks * ratio**2, "The factor √(s_i / s_j) is a root."),
        (_sum_of_walks(a, all_lengths), "The rows were not divided by their sums."),
        (_communicability(weights, degree, axis=0), "s holds *row* sums, what each neuron sends: axis=1."),
        (_sum_of_walks(weights / sums, all_lengths) * ratio, "A is |W|: take absolute values first."),
        (walks * ratio, "A neuron without outgoing weights has communicability 0 with all others: its column, too."),
    ]
    mistakes += [(_without_diagonal(wrong), why) for wrong, why in mistakes]
    return [(walks * ratio * sends, "Set its diagonal to 0."), *mistakes]


def check_communicability(function: object) -> bool:
    """Check a function of weights (N, N) and of the longest walk that returns communicability.

    It is tried on weights of both signs, with long walks against the matrix exponential, and with a silent neuron.
    """
    rng = np.random.default_rng(0)
    weights, silent = rng.normal(size=(6, 6)), rng.normal(size=(5, 5))
    silent[2] = 0
    root = np.sqrt(np.abs(weights).sum(axis=1))
    exact = _without_diagonal(expm(np.abs(weights) / np.outer(root, root)))
    tried = [
        (weights, 3, _communicability(weights, 3)),
        (weights, 1, _communicability(weights, 1)),
        (weights, 20, exact),
        (silent, 4, _communicability(silent, 4)),
    ]
    for tested, degree, right in tried:
        given = array_from(function, "weights and the longest walk", tested, degree)
        if given is None:
            return False
        where = f"with walks of up to {degree}" + (", where one neuron sends nothing" if tested is silent else "")
        if given.shape != tested.shape:
            return say(False, f"For weights of shape {tested.shape} it returns shape {given.shape}.")
        if not np.isfinite(given).all():
            positive = array_from(function, "weights and the longest walk", np.abs(tested), degree)
            if positive is not None and np.isfinite(positive).all():
                return say(False, f"It holds nan or inf {where}, where weights have both signs: A is |W|.")
            return say(False, f"It holds nan or inf {where}. Never divide by a sum of 0.")
        if not np.allclose(given, right):
            hint = f"Its largest entry is {given.max():.3f} {where}, expected {right.max():.3f}."
            return graded_array(given, right, "", _mistaken(tested, degree), hint)
    told = "As SciPy's exponential, and a silent neuron does no harm. For three digits in every entry"
    return say(True, f"{told} with the weights of section 2, walks of 7 steps are enough.")


def check_sorted_distance(answer: float | None, first: list[float], second: list[float]) -> bool:
    """Check the mean absolute difference of two sorted sets of values."""
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    gaps = np.abs(np.sort(a) - np.sort(b))
    told = f"{gaps.mean():.3f}: sorted, the gaps are {', '.join(f'{g:g}' for g in gaps)}."
    mistakes = {
        float(np.abs(a - b).mean()): "You compared them as they stand; sort both first.",
        float(gaps.sum()): "That is the sum; the distance is the mean.",
        float((gaps**2).mean()): "You squared the gaps.",
        float(np.sqrt((gaps**2).mean())): "That is the root mean square; take absolute values.",
        float(abs(a.mean() - b.mean())): "That is the difference of the means; each value counts by itself.",
    }
    hint = "{value:g} is not it: sort both, take the gaps, and average their absolute values."
    return graded(answer, gaps.mean(), told, mistakes, hint, tolerance=0.03, mistaken=5e-3)  # two digits will do


def check_silent_neuron(answer: float | None, first: float, second: float, epsilon: float) -> bool:
    """Check the published communicability along a chain of two connections, from its first neuron to its silent end.

    Parameters
    ----------
    answer : float or None
    first, second : float
        Synapses of the first and of the second connection.
    epsilon : float
        What the published code takes for the row sum of a silent neuron.
    """
    right = math.sqrt(first / epsilon) / 2
    told = f"½ √({first:g} / {epsilon:g}) = {right:,.0f}: one walk of two steps, to a silent neuron."
    mistakes = {
        2 * right: "Walks of two steps have the weight 1/2!.",
        first / epsilon / 2: "The ratio of the sums stands under a root.",
        first / epsilon: "The ratio of the sums stands under a root, and walks of two steps have the weight 1/2!.",
        math.sqrt(epsilon / first) / 2: "Upside down: s_k, of the receiver, is below.",
        0.5: "That is the walk alone; what is √(s_i / s_k)?",
        math.sqrt(second / epsilon) / 2: "s_i is what the *first* neuron sends.",
        math.sqrt(second / epsilon): "That is C[j, k], from the neuron in the middle.",
        math.sqrt(first / second): "That is C[i, j], to the neuron in the middle.",
        second * right: "P holds shares of a row, not synapses: j sends all that it sends to k.",
        math.sqrt(1 / epsilon) / 2: "s_i is the number of synapses that i sends, not 1.",
    }
    hint = "{value:g} is not it. Which walks lead from i to k, what do they count, and what is √(s_i / s_k)?"
    return graded(answer, right, told, mistakes, hint, tolerance=5e-3, mistaken=5e-3)
