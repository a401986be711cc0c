"""Checks of the exercises in notebook 09."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..variants import CHOICES, PUBLISHED_VARIANTS, VARIANTS, isolating_pairs
from .saying import known_mistake, number, say, unanswered


def check_twelfth_variant(answer: str | None) -> bool:
    """Check which unpublished variant adds the most pairs that differ in one choice and in nothing else."""
    if answer is None:
        return unanswered()

    def pairs(variants: Sequence[str]) -> int:
        return sum(len(isolating_pairs(choice, variants)) for choice in CHOICES)

    if answer in PUBLISHED_VARIANTS:
        return say(False, f"{answer} is among the eleven already.")
    others = [v for v in VARIANTS if v not in PUBLISHED_VARIANTS]
    if answer not in others:
        return say(False, f"{answer!r} is no variant; expected one name, such as 'WC'.")
    added = {v: pairs((*PUBLISHED_VARIANTS, v)) - pairs(PUBLISHED_VARIANTS) for v in others}
    if added[answer] < max(added.values()):
        return say(False, f"{answer} adds {added[answer]}; another adds more. Count over all three choices.")
    return say(True, f"{answer} adds {added[answer]} pairs to the {pairs(PUBLISHED_VARIANTS)} among the eleven.")


def check_cliffs_delta(answer: float | None, first: np.ndarray, second: np.ndarray) -> bool:
    """Check Cliff's delta of two small groups, worked out by hand."""
    value = number(answer)
    if value is None:
        return False
    a, b = np.asarray(first)[:, None], np.asarray(second)
    above, below, pairs = (a > b).mean(), (a < b).mean(), a.size * b.size
    if abs(value - (above - below)) < 5e-3:
        told = f"the first is larger in {above:.0%} of the pairs and smaller in {below:.0%}."
        return say(True, f"{above - below:+.3f}: {told}")
    if not -1 <= value <= 1:
        return say(False, f"{value:g} lies outside −1 … 1.")
    mistakes = {
        below - above: "The sign is wrong: delta is positive where the *first* group is larger.",
        above: "That is the share of pairs in which the first is larger; take off those in which it is smaller.",
        above + (1 - above - below) / 2: "That is P(a > b) with ties halved, from 0 to 1; delta runs from −1 to 1.",
        float(a.mean() - b.mean()): "That is the difference of the means; delta counts pairs.",
    }
    if known_mistake(value, mistakes):
        return False
    return say(False, f"{value:g} is not it: of {pairs} pairs, count the larger less the smaller, over {pairs}.")


def check_median_epochs(answer: float | None, found: pd.DataFrame) -> bool:
    """Check by which epoch half of all runs have learned, those that never do included.

    Parameters
    ----------
    answer : float or None
        ``inf`` where half of them never do.
    found : DataFrame
        Rows of :func:`biornn_lite.statistics.epochs_to_learn`.
    """
    value = number(answer)
    if value is None:
        return False
    epochs = np.sort(found["epochs"].astype(float).where(found["learned"], np.inf).to_numpy())
    right = float(epochs[(len(epochs) - 1) // 2])
    learned = found.loc[found["learned"], "epochs"]
    if value == right and np.isfinite(right):
        return say(True, f"By epoch {right:g}, half of the {len(epochs)} runs are there.")
    if value == right:
        return say(True, f"Only {len(learned)} of {len(epochs)} runs learn: no epoch of the study has half of them.")
    if len(learned) and value in (learned.median(), np.floor(learned.median())):
        return say(False, f"That is the median of the {len(learned)} runs that learned; the others count too.")
    if value == found["epochs"].median():
        return say(False, "You took runs that never learned as if they had in the last epoch.")
    if value == found["epochs"].mean():
        return say(False, "That is a mean, and of runs that never learned it knows only that it took longer.")
    way = "late" if value > right else "early"
    return say(False, f"{value:g} is too {way}: sort the epochs, with those that never learned at the end.")
