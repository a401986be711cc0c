"""Exercises of notebook 11."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biornn_lite.exercises import (
    check_equivalence,
    check_isolating_contrast,
    check_row_shuffle,
    check_share_within,
)
from biornn_lite.weights import Functional

APART = [0.02, -0.05, 0.1, 0.0, -0.02, 0.04, 0.01, -0.03]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (stats.ttest_1samp(APART, 0.1, alternative="less").pvalue, "✓"),
        (stats.ttest_1samp(APART, -0.1, alternative="greater").pvalue, "the larger one counts"),
        (stats.ttest_1samp(APART, 0).pvalue, "whether the difference is 0"),
        (2 * stats.ttest_1samp(APART, 0.1, alternative="less").pvalue, "nothing is doubled"),
        (0.9, "too high"),
        ("p", "not a number"),
    ],
)
def test_the_check_of_equivalence(capsys, answer, told):
    assert check_equivalence(answer, APART) == (told == "✓")
    assert told in capsys.readouterr().out


def test_the_check_of_equivalence_takes_differences_that_are_all_alike(capsys):
    assert check_equivalence(0.0, [0.0] * 5)


def off_diagonal_rows(field, rng, mix):
    matrix = Functional()(field, rng)
    off = ~np.eye(len(matrix), dtype=bool)
    matrix[off] = mix(matrix[off].reshape(len(matrix), -1), rng).ravel()
    return matrix


def within_rows(field, rng):
    return off_diagonal_rows(field, rng, lambda rows, rng: rng.permuted(rows, axis=1))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (7, "a function of a field"),
        (within_rows, "✓"),
        (lambda field, rng: Functional()(field, rng), "Nothing was shuffled"),
        (
            lambda field, rng: off_diagonal_rows(field, rng, lambda r, g: g.permutation(r.ravel())),
            "shuffle within each row",
        ),
        (lambda field, rng: off_diagonal_rows(field, rng, lambda r, g: 2 * r), "not the entries"),
        (lambda field, rng: rng.permuted(Functional()(field, rng), axis=1), "diagonal is not"),
        (lambda field, rng: within_rows(field, np.random.default_rng(0)), "diagonal is not"),
        (
            lambda field, rng: off_diagonal_rows(
                field, rng, lambda r, g: np.random.default_rng().permuted(r, axis=1)
            ),
            "two different starts",
        ),
        (lambda field, rng: np.ones(3), "has shape (3,)"),
        (lambda field, rng: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_the_check_of_a_control(column, capsys, answer, told):
    assert check_row_shuffle(answer, column.select(range(12))) == (told == "✓")
    assert told in capsys.readouterr().out


NETWORKS = pd.DataFrame(
    [(f"{start} | {space} | C*", start, space, "C*", seed) for start in "ab" for space in "xy" for seed in range(3)],
    columns=["variant", "start", "space", "target", "seed"],
)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (("a | x | C*", "a | y | C*"), "✓"),
        (("a | x | C*", "b | x | C*"), "differ in start;"),
        (("a | x | C*", "b | y | C*"), "differ in start and space"),
        (("a | x | C*", "a | x | C*"), "differ in nothing"),
        (("a | x | C*", "c"), "no variant c"),
        (3, "a pair of names"),
    ],
)
def test_the_check_of_a_contrast(capsys, answer, told):
    assert check_isolating_contrast(answer, NETWORKS, "space") == (told == "✓")
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (0.5, "✓"),
        (0.75, "large negative"),
        (2, "divide by all"),
        (0.9, "too high"),
    ],
)
def test_the_check_of_a_share(capsys, answer, told):
    assert check_share_within(answer, [0.05, -0.1, 0.7, -0.4]) == (told == "✓")
    assert told in capsys.readouterr().out
