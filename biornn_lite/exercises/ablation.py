"""Checks of the exercises in notebook 09."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ..seeds import generator
from ..variants import CHOICES, PUBLISHED_VARIANTS, VARIANTS, isolating_pairs
from .saying import array_from, known_mistake, number, result_of, say, unanswered


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


GROUPS = (
    ([3, 4, 2], [True, True, True]),
    ([6, 10, 2, 10, 3], [True, False, True, False, True]),
    ([4, 2, 10, 2, 7, 10], [True, True, False, True, True, False]),
    ([2, 10, 4, 10], [True, False, True, False]),
    ([10, 3, 10, 10, 10], [False, True, False, False, False]),
)
"""Epochs of a few runs each, and which of them learned."""


def check_median_epochs(function: object, found: pd.DataFrame) -> bool:
    """Check a function of ``epochs, learned`` that returns the epoch by which half of all runs have learned.

    Parameters
    ----------
    function : callable or None
        What it returns is infinite where fewer than half of the runs ever learn.
    found : DataFrame
        Rows of :func:`biornn_lite.statistics.epochs_to_learn`, tested in addition to
        :data:`biornn_lite.exercises.ablation.GROUPS`.
    """
    groups = [*GROUPS, (found["epochs"].to_list(), found["learned"].to_list())]
    for epochs, learned in groups:
        epochs, learned = np.array(epochs, dtype=float), np.array(learned)
        value = _epoch_from(function, epochs, learned)
        if value is None or not _right_epoch(value, epochs, learned):
            return False
    told = f"{learned.sum()} of the {len(learned)} runs in your table learn"
    right = _by_then(epochs, learned)
    return say(True, f"{told}, half of all " + (f"by epoch {right:g}." if right < np.inf else "in no epoch."))


def _by_then(epochs: np.ndarray, learned: np.ndarray) -> float:
    """The epoch by which half of all runs have learned."""
    return float(np.sort(np.where(learned, epochs, np.inf))[(len(epochs) - 1) // 2])


def _epoch_from(function: object, epochs: np.ndarray, learned: np.ndarray) -> float | None:
    """What a learner's function returns; NaN stands for None where no epoch has half of the runs."""
    returned = result_of(
        (lambda *arrays: _or_nan(function(*arrays), learned)) if callable(function) else function,
        "epochs and learned", epochs, learned,
    )  # fmt: skip
    if returned is None:
        return None
    try:
        return float(returned)
    except (TypeError, ValueError):
        say(False, f"It returns a {type(returned).__name__}, not one number.")
        return None


def _or_nan(returned: object, learned: np.ndarray) -> object:
    return float("nan") if returned is None and learned.mean() < 0.5 else returned


def _right_epoch(value: float, epochs: np.ndarray, learned: np.ndarray) -> bool:
    """Whether this is the epoch by which half of the runs have learned; if not, say why."""
    right = _by_then(epochs, learned)
    if value == right:
        return True
    case = (
        f"Of {len(learned)} runs, {learned.sum()} learned, in epochs {', '.join(f'{e:g}' for e in epochs[learned])}"
    )
    if right == np.inf and not value <= epochs.max():
        return say(False, f"{case}. No epoch has half of them; say so by a number later than all: float('inf').")
    if np.isnan(value):
        return say(False, f"{case}: you return NaN, which is not a number.")
    in_order, half = np.sort(np.where(learned, epochs, np.inf)), len(learned) / 2
    those = epochs[learned] if learned.any() else epochs
    others, at_the_end = "the others count too", "as if runs that never learned had done so in the last epoch"
    for wrong, why in (
        (_by_then(those, np.ones_like(those, dtype=bool)), f"that is half of those that learned; {others}."),
        (float(np.median(those)), f"that is the median of those that learned; {others}."),
        (
            float(np.mean(epochs)),
            "that is a mean, and of a run that never learned it knows only that it took longer.",
        ),
        (float(np.median(np.where(learned, epochs, np.inf))), "by the end of an earlier epoch, half have learned."),
        (_by_then(epochs, np.ones_like(learned)), f"that is {at_the_end}."),
        (float(np.median(epochs)), f"that is {at_the_end}."),
        (
            in_order[int(half) - 1],
            f"by its end, less than half have. Half of {len(learned)} is {half:g}, so round up.",
        ),
    ):
        if value == wrong:
            return say(False, f"{case}: you return {value:g}; {why}")
    way = "late" if value > right else "early"
    return say(False, f"{case}: {value:g} is too {way}. Sort the epochs, with those that never learned at the end.")


def check_paired_bootstrap(function: Callable | None, first: pd.Series, second: pd.Series) -> bool:
    """Check a function of ``first, second, rng`` that returns a bootstrap interval of the mean paired difference.

    Parameters
    ----------
    function : callable or None
    first, second : Series
        A value per run, of two variants; for what is said of the right answer.
    """
    rng = generator(0, "pairs of runs")
    shared, small = rng.normal(0.7, 0.1, size=24), rng.exponential(size=9)
    cases = (
        (shared + 0.03 + rng.normal(0, 0.02, size=24), shared),  # pairs have much in common
        (small**2, np.zeros(9)),  # few and skewed
        (first.to_numpy(float), second.to_numpy(float)),
    )
    for a, b in cases:
        given = array_from(function, "first, second and rng", a, b, rng=generator(0, "bootstrap"))
        if given is None:
            return False
        if given.shape != (2,):
            return say(False, f"It returns something of shape {given.shape}; expected two numbers, the two ends.")
        again = array_from(function, "first, second and rng", a, b, rng=generator(1, "bootstrap"))
        if again is None or not _right_interval(given, a, b, drawn=not np.array_equal(given, again)):
            return False
    low, high = given
    zero = "it holds 0" if low <= 0 <= high else "it does not hold 0"
    return say(True, f"{first.name} minus {second.name}: {low:+.3f} to {high:+.3f}; {zero}.")


def _resampled(statistic: Callable, *groups: np.ndarray, paired: bool = False, level: float = 0.95) -> np.ndarray:
    """The two ends of SciPy's percentile bootstrap."""
    return np.array(
        stats.bootstrap(
            groups, statistic, paired=paired, vectorized=True, n_resamples=9999, confidence_level=level,
            method="percentile", rng=np.random.default_rng(0),
        ).confidence_interval
    )  # fmt: skip


SINGLE = "That is the spread of single differences: take the *mean* of as many runs as there are, 2,000 times."


def _right_interval(given: np.ndarray, a: np.ndarray, b: np.ndarray, drawn: bool) -> bool:
    """Whether these are the ends of the bootstrap interval, up to the luck of 2,000 draws; if not, say why.

    ``drawn`` says whether another random stream gives other ends.
    """

    def difference(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        return x.mean(axis=axis) - y.mean(axis=axis)

    apart = a - b
    right = _resampled(difference, a, b, paired=True)
    off = 0.05 * (right[1] - right[0])
    if (np.abs(given - right) < off).all():
        return True
    error = stats.sem(apart)
    for wrong, why in (
        (-right[::-1], "The sign is wrong: first minus second."),
        (right[::-1], "The ends are the wrong way round: the lower one comes first."),
        (
            np.full(2, apart.mean()),
            "All your draws have one mean: draw with replacement, so that some runs come twice.",
        ),
        *(
            (np.quantile(apart, [0.025, 0.975], method=method), SINGLE)
            for method in ("linear", "inverted_cdf")  # of the differences themselves, or of single ones drawn
        ),
        (_resampled(difference, a, b), "You drew the two groups apart: draw pairs, so that partners stay together."),
        (
            2 * apart.mean() - right[::-1],
            "You turned the quantiles round at the mean (a basic bootstrap); take them as they are.",
        ),
        (_resampled(np.median, apart), "Those are medians of the draws; the mean was asked for."),
        (_resampled(np.mean, apart, level=0.9), "That is a 90 % interval: leave out 2.5 % at each end."),
        (apart.mean() + error * np.array([-1, 1]), "That is the mean and one standard error either way."),
        (
            np.array(stats.t.interval(0.95, len(a) - 1, apart.mean(), error)),
            "That is Student's interval: nothing was drawn.",
        ),
    ):
        if (np.abs(given - wrong) < max(0.05 * np.ptp(wrong), 1e-9)).all():
            return say(False, why)
    if not drawn:
        told = "Your ends do not depend on `rng`, as those of a formula"
        return say(
            False, f"{told}. Draw runs with it, 2,000 times, and take the quantiles of their mean differences."
        )
    if (np.abs(given - right) < 5 * off).all():
        return say(False, "Near it: either there are fewer than 2,000 draws, or the two ends leave out other shares.")
    low, high = given
    return say(False, f"{low:.3f} to {high:.3f} for a group of {len(a)} pairs; expected about {right.round(3)}.")
