"""Exercises of notebook 11."""

from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biornn_lite.exercises import (
    check_isolating_contrast,
    check_row_shuffle,
    check_share_within,
    check_word,
)
from biornn_lite.verdict import load_audit
from biornn_lite.weights import Functional


def p_of(apart, **how):
    return stats.ttest_1samp(apart, **{"popmean": 0, **how}).pvalue


def word(apart, *, bounds=max, size=abs, told_apart=True, smallest=0.10, equal=None, level=0.05, two=0.05):
    """The right answer; its arguments change one thing each."""
    above, below = p_of(apart, popmean=-0.1, alternative="greater"), p_of(apart, popmean=0.1, alternative="less")
    differs = p_of(apart) < two
    if bounds(above, below) < level if equal is None else equal(apart, differs):
        return "equivalent"
    return "matters" if (differs or not told_apart) and size(np.mean(apart)) >= smallest else "open"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (word, "✓"),
        (partial(word, equal=lambda apart, differs: not differs), "has not shown that there is none"),
        (partial(word, equal=lambda apart, differs: abs(np.mean(apart)) < 0.1), "has not shown that there is none"),
        (partial(word, bounds=min), "the larger p counts"),
        (partial(word, bounds=lambda above, below: below), "the larger p counts"),
        (partial(word, bounds=lambda above, below: above), "the larger p counts"),
        (partial(word, size=lambda mean: mean), "take the mean in size"),
        (partial(word, smallest=0, equal=lambda *_: False), "both bounds are excluded"),
        (partial(word, told_apart=False), "not told apart from 0"),
        (partial(word, smallest=0), "0.09 is told apart from 0, and below 0.10"),
        (partial(word, level=0.025), "one-sided test at 5 %"),
        (partial(word, two=0.025), "two-sided p between 0.025 and 0.05"),
        (partial(word, two=0.1), "a one-sided test is not enough"),
        (lambda apart: "same", "expected one of matters"),
        (lambda apart: np.mean(apart), "expected one of matters"),
        (lambda apart: None, "Is there a return"),
        ("equivalent", "expected a function"),
    ],
)
def test_the_check_of_a_word(capsys, answer, told):
    assert check_word(answer, np.array([0.2, 0.21, 0.19])) == (told == "✓")
    out = capsys.readouterr().out
    assert told in out and (told != "✓" or "'matters'" in out)


def off_diagonal_rows(field, rng, mix):
    matrix = Functional()(field, rng)
    off = ~np.eye(len(matrix), dtype=bool)
    matrix[off] = mix(matrix[off].reshape(len(matrix), -1), rng).ravel()
    return matrix


def within_rows(field, rng):
    return off_diagonal_rows(field, rng, lambda rows, rng: rng.permuted(rows, axis=1))


def diagonal_of(matrix):
    return np.diag(np.diag(matrix))


def put_back(field, rng, first=np.zeros_like):
    """Shuffle whole rows, with the diagonal or with zeros in its place, and put the diagonal back."""
    matrix = Functional()(field, rng)
    mixed = rng.permuted(matrix - first(matrix), axis=1)
    np.fill_diagonal(mixed, np.diag(matrix))
    return mixed


def add_again(field, rng):
    matrix = Functional()(field, rng)
    return diagonal_of(matrix) + rng.permuted(matrix - diagonal_of(matrix), axis=1)


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
        (lambda field, rng: rng.permuted(Functional()(field, rng), axis=1), "diagonal took part"),
        (put_back, "diagonal took part"),
        (partial(put_back, first=diagonal_of), "diagonal took part"),
        (add_again, "diagonal took part"),
        (lambda field, rng: within_rows(field, rng) - diagonal_of(Functional()(field, rng)), "diagonal is not"),
        (lambda field, rng: within_rows(field, np.random.default_rng(0)), "diagonal is not"),
        (
            lambda field, rng: off_diagonal_rows(
                field, rng, lambda r, g: np.random.default_rng().permuted(r, axis=1)
            ),
            "two different starts",
        ),
        (
            lambda field, rng: off_diagonal_rows(field, rng, lambda r, g: g.permutation(r, axis=1)),
            "All rows were shuffled in one order",
        ),
        (
            lambda field, rng: off_diagonal_rows(
                field, rng, lambda r, g: np.random.default_rng(0).permuted(r, axis=1)
            ),
            "Another stream gave the same order",
        ),
        (
            lambda field, rng: off_diagonal_rows(
                field, rng, lambda r, g: np.array([g.permutation(row) for row in r])
            ),
            "✓",
        ),
        (lambda field, rng: np.ones(3), "has shape (3,)"),
        (lambda field, rng: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_the_check_of_a_control(column, capsys, answer, told):
    assert check_row_shuffle(answer, column.select(range(24))) == (told == "✓")
    assert told in capsys.readouterr().out


NETWORKS = pd.DataFrame(
    [
        (f"{start} | {space} | no C", start, space, "no C", seed)
        for start in ("functional", "relabelled", "orthogonal")
        for space in ("cortical", "permuted", "lattice", "equal", "reshaped", "cortical, self priced")
        for seed in range(3)
    ],
    columns=["variant", "start", "space", "target", "seed"],
)


def named(*pair):
    return tuple(" | ".join([*name.split(), "no C"]) for name in pair)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (named("functional cortical", "functional permuted"), "✓"),
        (named("functional permuted", "functional cortical"), "✓"),
        (named("functional cortical", "relabelled cortical"), "differ in start;"),
        (named("functional cortical", "relabelled permuted"), "differ in start and space"),
        (named("functional cortical", "functional cortical"), "differ in nothing"),
        (named("functional cortical", "functional lattice"), "a lattice changes the spread of distances"),
        (named("functional equal", "functional cortical"), "where all distances are equal"),
        (named("functional cortical", "functional reshaped"), "reshaped positions are other points"),
        (
            ("functional | cortical | no C", "functional | cortical, self priced | no C"),
            "a price on self-connections",
        ),
        (named("functional permuted", "functional lattice"), "neither has the true positions"),
        (named("relabelled cortical", "relabelled permuted"), "correlations of other neurons"),
        (named("orthogonal cortical", "orthogonal permuted"), "An orthogonal start has no correlations"),
        (named("orthogonal cortical", "orthogonal lattice"), "Take the true positions dealt out (permuted)"),
        (("cortical", "permuted"), "no variant cortical, permuted here; copy two whole lines"),
        (3, "a pair of names"),
    ],
)
def test_the_check_of_a_contrast(capsys, answer, told):
    assert check_isolating_contrast(answer, NETWORKS) == (told == "✓")
    assert told in capsys.readouterr().out


def test_the_check_of_a_contrast_knows_all_starts_and_spaces_of_the_study(capsys):
    networks = load_audit("positions").networks
    there = networks.drop_duplicates("variant")[["variant", "start", "space"]]
    right = [
        (first.variant, second.variant)
        for first, second in permutations(there.itertuples(), 2)
        if check_isolating_contrast((first.variant, second.variant), networks)
    ]
    pair = named("functional cortical", "functional permuted")
    assert right == [pair, pair[::-1]]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (0.5, "✓"),
        (0.75, "large negative"),
        (2, "divide by all"),
        (50, "That is per cent"),
        (0.9, "too high"),
    ],
)
def test_the_check_of_a_share(capsys, answer, told):
    assert check_share_within(answer, [0.05, -0.1, 0.7, -0.4]) == (told == "✓")
    assert told in capsys.readouterr().out
