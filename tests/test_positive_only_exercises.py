"""Exercises of notebook 10: where three numbers come from, and growth by taking steps."""

import numpy as np
import pytest

from biornn_lite.exercises import check_growth, check_origins

RIGHT = {"A": "always the most frequent answer", "B": "guesses", "C": "diverged"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (RIGHT, "✓ C is the share of the first answer, A that of the most frequent one"),
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
    assert check_origins(answer, {"A": 0.4, "B": 0.25, "C": 0.2}, [0.2, 0.4, 0.3, 0.1]) == told.startswith("✓")
    assert told in capsys.readouterr().out


def growths_of(w, steps=300, divide=True, order=1):
    """Of each step, by sums or by another norm."""
    h, growths = np.ones(len(w)), []
    for _ in range(steps):
        after = np.maximum(h @ w, 0)
        growths.append(np.linalg.norm(after, order) / np.linalg.norm(h, order) if after.any() else 0.0)
        h = after / after.sum() if divide and after.any() else after
    return np.array(growths), h


def growth(w, first=100, **how):
    growths, _ = growths_of(w, **how)
    return np.exp(np.log(growths[first:]).mean()) if growths.all() else 0.0


def last(w, **how):
    return growths_of(w, **how)[0][-1]


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
        (lambda w: growth(w, order=2), "✓"),
        (lambda w: np.abs(np.linalg.eigvals(w)).max(), "It computes eigenvalues (numpy.linalg.eigvals)"),
        (lambda w: np.abs(np.linalg.eig(w)[0]).max(), "It computes eigenvalues (numpy.linalg.eig)"),
        (last, "alternates between 2.5 and 1.6. Average its logarithm"),
        (lambda w: last(w, steps=301), "alternates between 2.5 and 1.6"),
        (lambda w: last(w, order=2), "alternates between 2.92 and 1.37"),
        (lambda w: last(w, order=np.inf), "alternates between 4 and 1"),
        (lambda w: growths_of(w)[0][100:].mean(), "Growths multiply"),
        (
            lambda w: growth(w, first=0, steps=30),
            "Take more steps, an even number of them, and leave the first",
        ),
        (lambda w: growth(w, divide=False), "Divide the state by its size"),
        (unguarded, "0 / 0 is no number"),
        (lambda w: growths_of(w)[1].sum(), "before it is divided"),
        (lambda w: last(w, steps=1), "in the first step alone"),
        (lambda w: last(w, steps=20), "near it. Take more steps"),
        (lambda w: np.log(growth(w)), "the logarithm"),
        (lambda w: np.linalg.norm(w, 2), "largest singular value"),
        (lambda w: np.linalg.norm(w), "the size of the matrix"),
        (lambda w: np.trace(w), "the sum of the diagonal"),
        (lambda w: 3.0, "By what factor does the state grow"),
        (lambda w: w[0], "expected one number"),
        (lambda: 1, "raises TypeError"),
        (7, "expected a function"),
    ],
)
def test_the_check_of_growth(capsys, answer, told):
    eigenvalues = np.linalg.eig, np.linalg.eigvals
    assert check_growth(answer) == (told == "✓")
    assert told in capsys.readouterr().out
    assert eigenvalues == (np.linalg.eig, np.linalg.eigvals)  # as before
