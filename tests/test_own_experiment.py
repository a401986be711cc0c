"""Exercises about objects of one's own, in notebooks 07 and 16."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import permutation_test, wilcoxon

from biornn_lite import exercises
from biornn_lite.exercises import check_leaky, check_own_penalty, check_own_start
from biornn_lite.network import Networks
from biornn_lite.tasks import GoNoGo, Task
from biornn_lite.weights import with_spectral_radius


def normal(field, rng):
    return rng.normal(size=(field.neurons,) * 2)


def without_diagonal(field, rng):
    weights = normal(field, rng)
    np.fill_diagonal(weights, 0)
    return weights


def of_twelve(field, rng):
    weights = rng.normal(size=(12, 12))
    np.fill_diagonal(weights, 0)
    return with_spectral_radius(weights, 0.9)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (7, "a function of a field and a random stream"),
        (lambda field, rng: with_spectral_radius(without_diagonal(field, rng), 0.9), "✓"),
        (normal, "connect to themselves"),
        (without_diagonal, "not 0.9: scale it last"),
        (lambda field, rng: without_diagonal(field, np.random.default_rng(0)), "Another stream gave the same"),
        (lambda field, rng: without_diagonal(field, np.random.default_rng()), "two different starts"),
        (lambda field, rng: np.ones(3), "has shape (3,)"),
        (of_twelve, "shape (12, 12) for a field of 8 neurons: take field.neurons"),
        (lambda field, rng: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_the_check_of_a_start(column, capsys, answer, told):
    assert check_own_start(answer, column.select(range(12))) == (told == "✓")
    assert told in capsys.readouterr().out


@dataclass(frozen=True)
class Match(Task):
    name: str = "match"
    title: str = "Match"
    inputs: int = 2
    steps: int = 20
    classes: int = 2

    def cues(self, count, rng):
        return rng.integers(2, size=(2, count))

    def shown(self, count, first, second):
        inputs = np.zeros((count, self.steps, self.inputs))
        for begin, channel in ((0, first), (12, second)):
            inputs[np.arange(count)[:, None], np.arange(begin, begin + 4), channel[:, None]] = 1
        return inputs

    def answer(self, first, second):
        return (first == second).astype(int)

    def trials(self, count, rng):
        first, second = self.cues(count, rng)
        return self.shown(count, first, second), self.answer(first, second)


def match(**parts):
    """A match task in which some methods differ."""
    return type("Other", (Match,), parts)()


def late(task, count, first, second):
    return np.roll(Match().shown(count, first, second), 1, axis=1)


def long(task, count, first, second):
    inputs = Match().shown(count, first, second)
    inputs[:, 4] = inputs[:, 3]
    return inputs


def both(task, count, first, second):
    return np.maximum(Match().shown(count, first, second), Match().shown(count, 1 - first, second))


def turning(task, count, first, second):
    inputs = Match().shown(count, first, second)
    inputs[:, 3] = inputs[:, 3, ::-1]
    return inputs


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (3, "That is a int"),
        (Match, "That is a class; my_task is one object"),
        (Match(), "✓"),
        (GoNoGo(), "Its name is 'go_nogo'"),
        (Match(steps=24), "Its steps is 24, not 20"),
        (Match(inputs=3), "Its inputs is 3, not 2"),
        (match(answer=lambda task, a, b: (a != b).astype(int)), "turned round"),
        (match(answer=lambda task, a, b: a), "channel of the first cue"),
        (match(answer=lambda task, a, b: b), "without any memory"),
        (match(answer=lambda task, a, b: np.ones_like(a)), "does not fit the cues"),
        (match(answer=lambda task, a, b: a == b), "as .astype(int) makes them"),
        (
            match(cues=lambda task, n, rng: np.random.default_rng().integers(2, size=(2, n))),
            "draw everything from rng",
        ),
        (match(cues=lambda task, n, rng: np.random.default_rng(0).integers(2, size=(2, n))), "Another stream gave"),
        (match(cues=lambda task, n, rng: [rng.integers(2, size=n)] * 2), "follows from the first"),
        (match(cues=lambda task, n, rng: (rng.random((2, n)) < [[0.5], [0.9]]).astype(int)), "equal odds"),
        (match(cues=lambda task, n, rng: (rng.integers(2, size=n), np.zeros(n, int))), "equal odds"),
        (match(shown=late), "In steps 0 to 3, the first cue"),
        (match(shown=long), "in step 4 they are not"),
        (match(shown=turning), "changes its channel"),
        (match(shown=both), "both channels are on"),
        (match(shown=lambda task, n, a, b: 2 * Match().shown(n, a, b)), "one channel has to be 1"),
        (match(shown=lambda task, n, a, b: np.zeros((1, 2))), "inputs of shape"),
        (match(trials=lambda task, n, rng: 1 / 0), "ZeroDivisionError"),
        (match(trials=Task.trials), "NotImplementedError"),
    ],
)
def test_the_check_of_a_task(capsys, answer, told):
    assert exercises.check_match_task(answer) == (told == "✓")
    assert told in capsys.readouterr().out


def diagonal(values):
    return torch.diagonal(values, dim1=1, dim2=2)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (lambda w, cost: diagonal(w.abs() * cost).sum(1), "✓"),
        (lambda w, cost: (w.abs() * cost).sum((1, 2)), "all connections"),
        (lambda w, cost: (w.abs() * cost).sum((1, 2)) - diagonal(w.abs() * cost).sum(1), "*other*"),
        (lambda w, cost: diagonal(w * cost).sum(1), "take |weight|"),
        (lambda w, cost: diagonal(w.abs()).sum(1), "cost is missing"),
        (lambda w, cost: (w.abs() * cost).sum(), "one number each"),
        (lambda w, cost: w[:, 0, 0], "other numbers"),
        (lambda w, cost: diagonal(w.abs() * cost).sum(1).detach(), "autograd cannot follow"),
        (lambda w, cost: torch.tensor([each.trace().item() for each in w.abs() * cost]), "autograd cannot follow"),
        (lambda w, cost: np.trace((w.abs() * cost).numpy(), axis1=1, axis2=2), "autograd cannot follow"),
        (lambda w, cost: [each.trace() for each in w.abs() * cost], "one tensor of numbers"),
        (lambda w, cost: torch.stack([each.trace() for each in w.abs() * cost]), "✓"),
    ],
)
def test_the_check_of_a_penalty(capsys, answer, told):
    assert check_own_penalty(answer) == (told == "✓")
    assert told in capsys.readouterr().out


def flipped(apart, far=lambda means, found: abs(means) >= abs(found)):
    """The share of all choices of signs that count, one by one."""
    means = np.array([np.mean(np.array(signs) * apart) for signs in product((1, -1), repeat=len(apart))])
    return far(means, apart.mean()).mean()


def by_scipy(apart):
    return permutation_test((apart,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (flipped, "✓"),
        (by_scipy, "✓"),
        (lambda d: flipped(d, lambda means, found: means >= found), "one side only"),
        (lambda d: flipped(d, lambda means, found: abs(means) >= found), "may be below 0"),
        (lambda d: flipped(d, lambda means, found: abs(means) > abs(found)), "at least"),
        (lambda d: 2 ** len(d) * flipped(d), "divide by the number"),
        (lambda d: 1 - flipped(d), "nearer to 0"),
        (lambda d: abs(d.mean()), "how many choices"),
        (lambda d: wilcoxon(d).pvalue, "choices of signs are as far"),
        (lambda d: d, "expected one number"),
        (lambda d: np.nan, "not a number"),
        (lambda d: None, "It returns None"),
        (lambda d: d.fill(0), "It changes what it was given"),
        (0.03, "expected a function"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_the_check_of_flipped_signs(capsys, answer, told):
    assert exercises.check_sign_flips(answer) == (told == "✓")
    assert told in capsys.readouterr().out


def leaky(keeps, new):
    class Leaky(Networks):
        def step(self, h, x):
            return keeps * h + new * super().step(h, x)

    return Leaky


def test_the_check_of_a_leaky_network(capsys):
    kept = 0.5**0.5
    for answer, told in (
        (None, "…"), (3, "inherits"), (leaky(kept, 1 - kept), "✓"), (leaky(0.7071, 0.2929), "✓"),
        (leaky(0, 1), "plain step"), (leaky(1, 0), "nothing new"), (leaky(1, 1), "it grows"),
        (leaky(kept, 1), "the two shares add up to 1"), (leaky(0.5, 0.5), "after *one* step"),
        (leaky(0.25, 0.75), "A quarter is left"), (leaky(1 - kept, kept), "swapped"),
        (leaky(np.exp(-0.5), 1 - np.exp(-0.5)), "1/e is left"), (leaky(0.75, 0.25), "A quarter is lost"),
        (leaky(0.9, 0.1), "Which share"),
    ):  # fmt: skip
        assert check_leaky(answer) == (told == "✓")
        assert told in capsys.readouterr().out
