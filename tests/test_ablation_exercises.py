"""Exercises of notebook 09 in which the learner writes a function."""

import numpy as np
import pandas as pd
import pytest

from biornn_lite.exercises import check_median_epochs, check_paired_bootstrap
from biornn_lite.statistics import mean_interval


def half_by(epochs, learned):
    """Count the runs that are there, epoch by epoch."""
    for epoch in range(1, int(epochs.max()) + 1):
        if 2 * (learned & (epochs <= epoch)).sum() >= len(epochs):
            return epoch
    return float("inf")


def or_none(epochs, learned):
    found = half_by(epochs, learned)
    return found if np.isfinite(found) else None


def spoiled(epochs, learned):
    right = half_by(epochs, learned)
    epochs[:] = 0
    return right


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (half_by, "✓ 2 of the 6 runs in your table learn, half of all in no epoch"),
        (lambda e, got: sorted(e[got])[(got.sum() - 1) // 2], "that is half of those that learned"),
        (lambda e, got: np.median(e[got]), "of those that learned; the others count too"),
        (lambda e, got: sorted(np.where(got, e, np.inf))[max(len(e) // 2 - 1, 0)], "Half of 3 is 1.5, so round up"),
        (lambda e, got: sorted(e)[(len(e) - 1) // 2], "as if runs that never learned"),
        (lambda e, got: e.mean(), "that is a mean"),
        (lambda e, got: np.median(np.where(got, e, np.inf)), "by the end of an earlier epoch"),
        (or_none, "say so by a number later than all"),
        (lambda e, got: float("nan"), "not a number"),
        (lambda e, got: half_by(e, got) + 1, "is too late"),
        (lambda e, got: 1, "is too early"),
        (lambda e, got: "6 epochs", "not one number"),
        (lambda e: 6, "raises TypeError"),
        (spoiled, "changes what it was given"),
        (6, "expected a function"),
    ],
)
def test_the_check_of_censored_runs(capsys, answer, told):
    found = pd.DataFrame({"epochs": [10, 4, 10, 9, 10, 10], "learned": [False, True, False, True, False, False]})
    assert check_median_epochs(answer, found) == told.startswith("✓")
    assert told in capsys.readouterr().out


def test_the_table_is_tested_too(capsys):
    """An answer that is right for all groups but the learner's own; and one with runs that all learn."""
    found = pd.DataFrame({"epochs": [7, 8, 9, 10, 10, 10, 10, 10, 10], "learned": [True] * 9})
    assert check_median_epochs(half_by, found)
    assert "9 of the 9 runs in your table learn, half of all by epoch 10" in capsys.readouterr().out
    assert not check_median_epochs(lambda e, got: half_by(e, got) if len(e) < 9 else 7, found)


def drawn(a, b, rng, times=2000, level=0.95, mean=np.mean, replace=True):
    """Draw in a loop."""
    means = []
    for _ in range(times):
        runs = rng.choice(len(a), size=len(a), replace=replace)
        means.append(mean(a[runs] - b[runs]))
    return np.quantile(means, [(1 - level) / 2, (1 + level) / 2])


def one_at_a_time(a, b, rng):
    return np.quantile([(a - b)[rng.integers(len(a))] for _ in range(2000)], [0.025, 0.975])


def standard_error(values):
    return values.std(ddof=1) / len(values) ** 0.5


def apart(a, b, rng):
    means = [rng.choice(a, len(a)).mean() - rng.choice(b, len(b)).mean() for _ in range(2000)]
    return np.quantile(means, [0.025, 0.975])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (drawn, "✓ first minus second: "),
        (lambda a, b, rng: drawn(a, b, rng, times=9999).tolist(), "it holds 0"),
        (lambda a, b, rng: drawn(b, a, rng), "The sign is wrong"),
        (lambda a, b, rng: drawn(a, b, rng)[::-1], "wrong way round"),
        (lambda a, b, rng: drawn(a, b, rng, replace=False), "draw with replacement"),
        (lambda a, b, rng: np.quantile(a - b, [0.025, 0.975]), "take the *mean* of as many"),
        (one_at_a_time, "the spread of single differences"),
        (lambda a, b, rng: drawn(a, b, rng) + 0.1 * np.ptp(drawn(a, b, rng)), "Near it: either there are fewer"),
        (apart, "so that partners stay together"),
        (lambda a, b, rng: drawn(a, b, rng, mean=np.median), "medians of the draws"),
        (lambda a, b, rng: drawn(a, b, rng, level=0.9), "90 % interval"),
        (lambda a, b, rng: 2 * (a - b).mean() - drawn(a, b, rng)[::-1], "a basic bootstrap"),
        (
            lambda a, b, rng: (a - b).mean() + standard_error(a - b) * np.array([-1, 1]),
            "one standard error",
        ),
        (lambda a, b, rng: mean_interval(a - b), "Student's interval"),
        (lambda a, b, rng: (a - b).mean() + 1.96 * standard_error(a - b) * np.array([-1, 1]), "not depend on `rng`"),
        (lambda a, b, rng: [0, 1], "not depend on `rng`"),
        (lambda a, b, rng: drawn(a, b, rng) + 1, "expected about"),
        (lambda a, b, rng: (a - b).mean(), "expected two numbers"),
        (lambda a, b: [0, 1], "raises TypeError"),
        (3, "expected a function"),
    ],
)
def test_the_check_of_the_paired_bootstrap(capsys, answer, told):
    rng = np.random.default_rng(3)
    first, second = (pd.Series(rng.normal(0.8, 0.1, 20), name=name) for name in ("first", "second"))
    right = check_paired_bootstrap(answer, first, second)
    said = capsys.readouterr().out
    assert told in said
    assert right == said.startswith("✓")


@pytest.mark.parametrize("seed", range(10))
def test_the_luck_of_2000_draws_fails_nobody(seed):
    first, second = (pd.Series(np.random.default_rng(k).normal(size=20), name="x") for k in (1, 2))
    assert check_paired_bootstrap(lambda a, b, rng: drawn(a, b, np.random.default_rng(seed)), first, second)
