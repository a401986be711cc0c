"""Exercises of notebook 10: where three numbers come from, and growth by taking steps."""

import numpy as np
import pytest

from biornn_lite.exercises import check_growth, check_origins

RIGHT = {"A": "always the most frequent answer", "B": "guesses", "C": "diverged"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (RIGHT, "✓"),
        (RIGHT | {"A": "diverged", "C": RIGHT["A"]}, "✗ A: a network of NaN gives"),
        (RIGHT | {"B": "diverged", "C": "guesses"}, "✗ B: a network of NaN gives"),
        (RIGHT | {"A": "guesses", "B": RIGHT["A"]}, "✗ A: a guess is right in one of four"),
        (RIGHT | {"C": RIGHT["A"]}, "✗ C: that network is right as often"),
        (RIGHT | {"C": "lost"}, "'lost' is none of the three"),
        ({"A": "diverged"}, "an origin for each of A, B, C"),
        ("C", "Expected a dictionary"),
    ],
)
def test_the_check_of_origins(capsys, answer, told):
    assert check_origins(answer, {"A": 0.4, "B": 0.25, "C": 0.2}, [0.2, 0.4, 0.3, 0.1]) == (told == "✓")
    assert told in capsys.readouterr().out


def growth(w, steps=300, divide=True, last=True):
    h, grown = np.ones(len(w)), 0.0
    for _ in range(steps):
        after = np.maximum(h @ w, 0)
        if after.sum() == 0:
            return 0.0
        grown = after.sum() / h.sum()
        h = after / after.sum() if divide else after
    return grown if last else h.sum()


def unguarded(w):
    h = np.ones(len(w))
    for _ in range(300):
        after = h @ w
        grown, h = after.sum() / h.sum(), after / after.sum()
    return grown


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (growth, "✓"),
        (lambda w: np.abs(np.linalg.eigvals(w)).max(), "✓"),
        (lambda w: growth(w, divide=False), "Divide the state by its size"),
        (unguarded, "0 / 0 is no number"),
        (lambda w: growth(w, last=False), "before it is divided"),
        (lambda w: growth(w, steps=1), "in the first step alone"),
        (lambda w: growth(w, steps=20), "near it. Take more steps"),
        (lambda w: np.log(growth(w)), "the logarithm"),
        (lambda w: np.linalg.norm(w, 2), "largest singular value"),
        (lambda w: np.linalg.norm(w), "the size of the matrix"),
        (lambda w: np.trace(w), "the sum of the diagonal"),
        (lambda w: 3.0, "By what factor"),
        (lambda w: w[0], "expected one number"),
        (lambda: 1, "raises TypeError"),
        (7, "expected a function"),
    ],
)
def test_the_check_of_growth(capsys, answer, told):
    assert check_growth(answer) == (told == "✓")
    assert told in capsys.readouterr().out
