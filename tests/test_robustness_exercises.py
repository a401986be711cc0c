"""Exercises of notebook 12."""

import numpy as np
import pytest

from biornn_lite.exercises import check_front, check_median_trials, check_rounding, check_sparse_share


def with_delta(delta):
    return lambda w, bits: np.round(w / delta(w, bits)) * delta(w, bits)


right_delta = lambda w, bits: np.abs(w).max() / (2 ** (bits - 1) - 1)  # noqa: E731


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (with_delta(right_delta), "✓"),
        (lambda w, bits: np.round(w / right_delta(w, bits)), "multiply them by Δ again"),
        (lambda w, bits: np.trunc(w / right_delta(w, bits)) * right_delta(w, bits), "cut off towards 0"),
        (lambda w, bits: np.floor(w / right_delta(w, bits)) * right_delta(w, bits), "rounded down"),
        (with_delta(lambda w, bits: np.abs(w).max() / (2**bits - 1)), "one bit more"),
        (with_delta(lambda w, bits: np.abs(w).max() / 2 ** (bits - 1)), "steps on each side of 0"),
        (with_delta(lambda w, bits: w.max() / (2 ** (bits - 1) - 1)), "largest *size*"),
        (with_delta(lambda w, bits: np.abs(w).max(1, keepdims=True) / (2 ** (bits - 1) - 1)), "one Δ for each row"),
        (lambda w, bits: w, "its nearest multiple of Δ"),
        (lambda w, bits: w[0], "shape (5,)"),
        (lambda w: w, "raises TypeError"),
        (3, "expected a function"),
    ],
)
def test_the_check_of_rounding(capsys, answer, told):
    assert check_rounding(answer) == (told == "✓")
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        ((4 * 96**2 - 2 * 97) / 6 / 96**2, "✓"),
        (0.663, "✓"),
        (2 / 3, "leaves out the row pointers"),
        (0.66, "too low"),
        (0.5, "2 are enough"),
        (66.3, "in per cent"),
        (65.6, "too high: between 0 and 1"),
        (1, "its column is stored"),
        (0.1, "too low"),
    ],
)
def test_the_check_of_sparse_storage(capsys, answer, told):
    assert check_sparse_share(answer, 96) == (told == "✓")
    assert told in capsys.readouterr().out


def beaten(cost, value, cheaper, better, differ=lambda c, v: (c != 0) | (v != 0)):
    """Mark what no point beats, by what cheaper and better mean."""
    c, v = np.subtract.outer(cost, cost), np.subtract.outer(value, value)
    return ~(cheaper(c) & better(v) & differ(c, v)).any(axis=0)


def no_more(x):
    return x <= 0


def no_less(x):
    return x >= 0


def better_than_all_before(costs, values):
    kept = np.zeros(len(costs), dtype=bool)
    best = -np.inf
    for i in sorted(range(len(costs)), key=lambda i: costs[i]):
        if values[i] > best:
            kept[i], best = True, values[i]
    return kept


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (lambda c, v: beaten(c, v, no_more, no_less), "✓"),
        (better_than_all_before, "Of points of one cost you take the first"),
        (lambda c, v: ~beaten(c, v, no_more, no_less), "turn it round"),
        (lambda c, v: beaten(c, v, lambda x: x < 0, lambda x: x > 0), "if one of the"),
        (lambda c, v: beaten(c, v, no_more, no_more), "a high value is good"),
        (lambda c, v: beaten(c, v, no_less, no_less), "a low cost is good"),
        (
            lambda c, v: beaten(c, v, no_more, no_less, lambda c, v: ~np.eye(len(c), dtype=bool)),
            "Equal points do not beat",
        ),
        (lambda c, v: np.ones(len(c), bool), "front that are missing: 0. Points that are marked"),
        (lambda c, v: c, "returns numbers"),
        (lambda c, v: np.array([True]), "shape (1,)"),
    ],
)
def test_the_check_of_a_front(capsys, answer, told):
    assert check_front(answer) == (told == "✓")
    assert told in capsys.readouterr().out


NEEDED = [640.0, 1280.0, 1280.0, 2560.0, np.inf, 5120.0, np.inf, np.inf, 2560.0, 5120.0]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (2560, "✓"),
        (np.mean([x for x in NEEDED if np.isfinite(x)]), "the mean"),
        (640, "too low"),
        (2000, "too low"),
        (float("inf"), "too high"),
    ],
)
def test_the_check_of_a_median_of_trials(capsys, answer, told):
    assert check_median_trials(answer, NEEDED) == (told == "✓")
    assert told in capsys.readouterr().out


def test_leaving_out_those_that_never_get_there_is_noticed(capsys):
    assert not check_median_trials(640, [128.0, 640.0, 1280.0, 2560.0, np.inf, np.inf, np.inf, 640.0])
    assert "flatters" in capsys.readouterr().out


def test_a_median_between_two_sizes_is_noticed(capsys):
    needed = [128.0, 640.0, 1280.0, 2560.0, np.inf, np.inf]
    assert not check_median_trials(np.median(needed), needed) and "between two" in capsys.readouterr().out
    assert check_median_trials(1280, needed)
