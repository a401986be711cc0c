"""Checks of the exercises in notebook 12."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..pruning import front
from ..robustness import quantise
from ..seeds import generator
from .saying import array_from, graded, say


def check_rounding(answer: object) -> bool:
    """Check a function of (weights, bits) that rounds a matrix to whole multiples of one Δ."""
    weights = generator(12, "exercise", "rounding").normal(size=(6, 5))
    weights[0, 0] = -np.abs(weights).max() * 1.5  # the largest size belongs to a negative weight
    for bits in (3, 8):
        found = array_from(answer, "weights and bits", weights, bits)
        if found is None:
            return False
        if found.shape != weights.shape:
            return say(False, f"It returns shape {found.shape}; the weights have {weights.shape}.")
        steps = 2 ** (bits - 1) - 1
        delta = np.abs(weights).max() / steps
        if np.allclose(found, quantise(torch.as_tensor(weights)[None], bits)[0].numpy()):
            continue
        mistakes = [
            (np.round(weights / delta), "These are whole numbers; multiply them by Δ again."),
            (np.trunc(weights / delta) * delta, "Weights are cut off towards 0; round to the nearest."),
            (np.floor(weights / delta) * delta, "Weights are rounded down; round to the nearest."),
            (_rounded(weights, np.abs(weights).max() / (2**bits - 1)), f"That is one bit more: {bits} bits have "
             f"{steps} steps on each side of 0, since one bit is the sign."),
            (_rounded(weights, np.abs(weights).max() / 2 ** (bits - 1)), "With the sign and 0, there are "
             f"2^(bits − 1) − 1 = {steps} steps on each side of 0."),
            (_rounded(weights, weights.max() / steps), "Take the largest *size*; here a negative weight has it."),
            (_rounded(weights, np.abs(weights).max(1, keepdims=True) / steps), "That is one Δ for each row; here, "
             "one for the matrix."),
        ]  # fmt: skip
        why = next((why for wrong, why in mistakes if np.allclose(found, wrong)), None)
        hint = f"With {bits} bits, Δ = max|w| / {steps}, and each weight becomes its nearest multiple of Δ."
        return say(False, why or hint)
    return say(True, "3 bits leave seven values, 8 bits 255; the library's quantise gives the same.")


def _rounded(weights: np.ndarray, delta: np.ndarray | float) -> np.ndarray:
    return np.round(weights / delta) * delta


def check_sparse_share(answer: object, neurons: int) -> bool:
    """Check below which share of kept weights a sparse matrix takes less room than a dense one.

    A dense weight takes 4 bytes. A sparse one takes 4 bytes and 2 for its column; and there are N + 1 pointers of
    2 bytes.
    """
    right = (4 * neurons**2 - 2 * (neurons + 1)) / 6 / neurons**2
    return graded(
        answer,
        right,
        f"{100 * right:.1f} %: only below it does pruning save room, and well below it saves much.",
        {
            4 / 6: "That leaves out the row pointers: solve share · 6 N² + 2 (N + 1) = 4 N².",
            1.0: "A sparse weight is larger than a dense one: its column is stored, too.",
            0.5: "That counts 4 bytes for each column; 2 are enough for so few neurons.",
            0.75: "6 bytes against 4, not 8 against 6: solve share · N² · 6 + pointers = N² · 4.",
            2.0: "Above 1, everything would have to be kept twice; divide the other way.",
            100 * right: "That is in per cent; give a share between 0 and 1.",
        },
        "{value:g} is too {way}: between 0 and 1, solve share · N² · (4 + 2) + 2 (N + 1) = 4 N².",
        tolerance=0,
        absolute=5e-4,
        mistaken=0.001,
    )


def check_front(answer: object) -> bool:
    """Check a function of (costs, values) that marks the points which no other point beats."""
    rng = generator(12, "exercise", "front")
    costs = rng.integers(1, 20, 24).astype(float)
    values = np.round(costs + rng.normal(0, 3, 24))
    best = values.argmax()
    costs, values = np.append(costs, costs[best]), np.append(values, values[best])  # two equal points of the front
    found = array_from(answer, "costs and values", costs, values)
    if found is None:
        return False
    if found.shape != costs.shape:
        return say(
            False, f"It returns shape {found.shape}; one truth value for each of {len(costs)} points is needed."
        )
    if not np.isin(found, (0, 1)).all():
        return say(False, "It returns numbers; one truth value for each point is needed.")
    found, right = found.astype(bool), front(costs, values)
    if np.array_equal(found, right):
        return say(True, f"{right.sum()} of {len(costs)} points; equal points do not beat each other.")
    # Whether some point is cheaper and better, in both at once.
    cheaper, better = np.less.outer(costs, costs), np.greater.outer(values, values)
    mistakes = {
        "That is what other points beat; turn it round.": ~right,
        "Here a point must be cheaper *and* better to beat another. No dearer and no worse is enough, if one of the "
        "two differs.": ~(cheaper & better).any(axis=0),
        "Of points of one cost you take the first that comes; the one of the highest value beats it.": _sorted_front(
            costs, values
        ),
        "That minimises both; a high value is good.": front(costs, -values),
        "That maximises both; a low cost is good.": front(-costs, values),
        "Equal points do not beat each other: one of cost and value must differ.": ~(
            (np.less_equal.outer(costs, costs) & np.greater_equal.outer(values, values)).sum(axis=0) > 1
        ),
    }
    why = next((why for why, wrong in mistakes.items() if np.array_equal(found, wrong)), None)
    missed, extra = (right & ~found).sum(), (found & ~right).sum()
    hint = f"Points of the front that are missing: {missed}. Points that are marked and that another beats: {extra}."
    return say(False, why or hint)


def _sorted_front(costs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mark, from the lowest cost on, each point that is worth more than all before it.

    Points of one cost stay in the order in which they are given.
    """
    on_it, highest = np.zeros(len(costs), dtype=bool), -np.inf
    for i in np.argsort(costs, kind="stable"):
        on_it[i], highest = values[i] > highest, max(highest, values[i])
    return on_it


def check_median_trials(answer: object, trials: Sequence[float]) -> bool:
    """Check the median number of trials needed, of networks some of which never get there (infinite)."""
    trials = np.asarray(trials, dtype=float)
    reached = np.isfinite(trials)
    right = float(np.sort(trials)[(len(trials) - 1) // 2])
    if not np.isfinite(right):
        raise ValueError("fewer than half get there, so there is no finite median")
    alone = trials[reached]
    leaves_out = "That leaves out the networks that never get there, and flatters the start: the median is of all."
    mistakes = {float(np.median(alone)): leaves_out, float(np.sort(alone)[(len(alone) - 1) // 2]): leaves_out}
    mistakes |= {
        float(np.mean(alone)): "That is the mean of those that get there. The others have no number, but a place: "
        "behind all of these.",
        float(np.median(trials)): "That lies between two numbers of trials; take the one with which half get there.",
    }
    mistakes.pop(right, None)
    return graded(
        answer,
        right,
        f"{right:g}: half of all {len(trials)} networks get there with so many trials, or fewer. (The largest number "
        "in place of inf would give the same median here, but a wrong mean; and where most never get there, a wrong "
        "median.)",
        mistakes,
        "{value:g} is too {way}: sort all networks by the trials that they need, those that never get there last. "
        "With how many has half of them got there?",
        mistaken=0.001,
    )
