"""Exercises about objects of one's own, in notebooks 07 and 16."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from biornn_lite.exercises import (
    check_leaky,
    check_own_penalty,
    check_own_start,
    check_own_task,
    check_paired_difference,
)
from biornn_lite.network import Networks
from biornn_lite.tasks import GoNoGo
from biornn_lite.weights import with_spectral_radius


def normal(field, rng):
    return rng.normal(size=(field.neurons,) * 2)


def without_diagonal(field, rng):
    weights = normal(field, rng)
    np.fill_diagonal(weights, 0)
    return weights


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
        (lambda field, rng: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_the_check_of_a_start(column, capsys, answer, told):
    assert check_own_start(answer, column.select(range(12))) == (told == "✓")
    assert told in capsys.readouterr().out


class Copy(GoNoGo):
    cue = 2

    def trials(self, count, rng):
        labels = rng.integers(2, size=count)
        inputs = np.zeros((count, self.steps, 3))
        inputs[np.arange(count), : self.cue, labels] = 1
        return inputs, labels


def test_the_check_of_a_task(capsys):
    class Long(Copy):
        cue = 5

    class Broken(Copy):
        def trials(self, count, rng):
            return np.zeros((1, 2)), np.zeros(1)

    for answer, told in (
        (None, "…"), (3, "a int"), (Copy(), "Its name is 'go_nogo'"), (Copy(name="longer"), "✓"),
        (Copy(name="longer", delay=0), "30 steps, not 40"), (Long(name="longer"), "lasts 5 to 5 steps"),
        (Broken(name="longer"), "inputs of shape"), (replace(Copy(), name="longer"), "✓"),
    ):  # fmt: skip
        assert check_own_task(answer, "longer", 40, 2) == (told == "✓")
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
    ],
)
def test_the_check_of_a_penalty(capsys, answer, told):
    assert check_own_penalty(answer) == (told == "✓")
    assert told in capsys.readouterr().out


def test_the_check_of_pairs(capsys):
    first, second = pd.Series([1.0, 0.9, 0.8], name="a"), pd.Series([0.5, 0.5, 0.9], name="b")
    for answer, told in ((None, "…"), (0.8 / 3, "✓"), (-0.8 / 3, "a minus b"), (0.4, "too high"), (0.0, "too low")):
        assert check_paired_difference(answer, first, second) == (told == "✓")
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
