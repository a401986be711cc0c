"""Checks of the exercises in notebook 05."""

from __future__ import annotations

import math

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


def _communicability(weights: np.ndarray) -> np.ndarray:
    strengths = np.abs(weights)
    root = np.sqrt(strengths.sum(axis=1))
    matrix = expm(strengths / np.outer(root, root))
    np.fill_diagonal(matrix, 0)
    return matrix


def check_communicability(function: object) -> bool:
    """Check a function that returns the communicability of a weight matrix, shape (N, N)."""
    weights = np.random.default_rng(0).normal(size=(6, 6))
    given = array_from(function, "weights", weights)
    if given is None:
        return False
    if given.shape != weights.shape:
        return say(False, f"For weights of shape {weights.shape} it returns shape {given.shape}.")
    if not np.isfinite(given).all():
        return say(False, "It holds nan or inf: A is |W|, so no sum is negative; and divide by the roots of *sums*.")
    right = _communicability(weights)
    a = np.abs(weights)
    out, into = a.sum(axis=1), a.sum(axis=0)
    normal = a / np.sqrt(np.outer(out, out))
    with np.errstate(invalid="ignore"):
        signed = weights / np.sqrt(np.outer(out, out))
    told = "That is the library's communicability, for weights of both signs."
    mistakes = [
        (right.T, "It is transposed: rows send."),
        (expm(normal), "Set its diagonal to 0."),
        (expm(a), "The weights were not divided by the roots of their row sums."),
        (expm(a / out[:, None]), "That is expm(P), of A over its row sums; divide by √s of *both* ends."),
        (expm(a / np.sqrt(np.outer(into, into))), "s holds *row* sums, what each neuron sends: axis=1."),
        (expm(a / np.outer(out, out)), "Divide by the roots √s_i √s_j, not by s_i s_j."),
        (np.exp(normal), "np.exp acts on each entry alone; the matrix exponential is scipy.linalg.expm."),
        (expm(signed), "A is |W|: take absolute values before the exponential."),
    ]
    mistakes += [(wrong - np.diag(np.diag(wrong)), why) for wrong, why in mistakes]
    hint = f"Its largest entry is {given.max():.3f}, expected {right.max():.3f} for the tested weights."
    return graded_array(given, right, told, mistakes, hint)


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


def check_silent_neuron(answer: float | None, out: float, epsilon: float) -> bool:
    """Check the published communicability from a neuron to its only partner, which itself sends nothing."""
    right = math.sqrt(out / epsilon)
    told = f"√({out:g} / {epsilon:g}) = {right:,.0f}, for one traced connection to a silent neuron."
    mistakes = {
        out / epsilon: "The ratio of the sums stands under a root.",
        math.sqrt(epsilon / out): "Upside down: s_j, of the receiver, is below.",
        1.0: "That is expm(P) alone; it is multiplied by √(s_i / s_j).",
        math.sqrt(1 / epsilon): f"s_i is {out:g}, not 1.",
    }
    hint = "{value:g} is not it: expm(P)[i, j] is 1 here; what is √(s_i / s_j)?"
    return graded(answer, right, told, mistakes, hint, tolerance=5e-3, mistaken=5e-3)
