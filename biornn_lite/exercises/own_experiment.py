"""Checks of the exercises in notebook 16."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from ..errors import InputError
from ..field import CorticalField
from ..seeds import generator
from ..tasks import Task, draw_trials
from ..weights import spectral_radius
from .saying import array_from, graded, say, unanswered


def check_own_start(answer: Callable | None, field: CorticalField, radius: float = 0.9) -> bool:
    """Check a start without self-connections, of a given spectral radius, that draws from its stream alone."""
    if answer is None:
        return unanswered()
    if not callable(answer):
        return say(False, f"That is a {type(answer).__name__}; a function of a field and a random stream is needed.")
    draws = []
    for seed in (0, 0, 1):
        drawn = array_from(lambda seed=seed: answer(field, generator(seed, "a start of your own")), "nothing")
        if drawn is None:
            return False
        draws.append(drawn)
    first, again, other = draws
    n = field.neurons
    if first.shape != (n, n):
        return say(False, f"Your start has shape {first.shape}; weights of {n} neurons have {(n, n)}.")
    if not np.isfinite(first).all():
        return say(False, "Your start has entries that are not finite.")
    if not np.array_equal(first, again):
        return say(False, "The same stream gave two different starts: draw all numbers from rng.")
    if np.array_equal(first, other):
        return say(False, "Another stream gave the same start: draw the weights from rng.")
    if np.diag(first).any():
        return say(False, "Some neurons connect to themselves: set the diagonal to 0.")
    found = spectral_radius(first)
    if abs(found - radius) > 1e-6:
        return say(False, f"Its spectral radius is {found:.3f}, not {radius}: scale it last, without the diagonal.")
    return say(True, f"Random, without self-connections, spectral radius {found:.2f}: Variant('mine', my_start).")


def check_own_task(answer: Task | None, name: str, steps: int, on: int) -> bool:
    """Check a delayed copy of another name, length and cue."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, Task):
        return say(False, f"That is a {type(answer).__name__}; make a task with replace(DelayedCopy(), …).")
    if answer.name != name:
        return say(False, f"Its name is {answer.name!r}, not {name!r}; rows of two tasks under one name would mix.")
    if answer.steps != steps:
        return say(False, f"Its trials have {answer.steps} steps, not {steps}.")
    try:
        inputs, labels = draw_trials(answer, 50, generator(0, "a task of your own"))
    except InputError as error:
        return say(False, f"{error}.")
    if not (inputs[np.arange(50), :on, labels] == 1).all() or inputs[:, on:].any():
        lengths = (inputs.sum(axis=2) > 0).sum(axis=1)
        return say(False, f"Its cue lasts {lengths.min()} to {lengths.max()} steps, not the first {on}.")
    return say(True, f"{steps - on} steps to wait: Study(field, variants, my_task).")


def check_own_penalty(answer: Callable | None) -> bool:
    """Check a penalty of ``|weight|`` times cost on self-connections alone, on random weights of three runs."""
    if answer is None:
        return unanswered()
    rng = generator(0, "a penalty of your own")
    weights, cost = (torch.from_numpy(rng.normal(size=(3, 5, 5))) for _ in range(2))
    cost = cost.abs()
    value = array_from(answer, "weights and costs, both of shape (runs, N, N)", weights, cost)
    if value is None:
        return False
    if value.shape != (3,):
        return say(False, f"Your penalty has shape {value.shape}; three runs need one number each, (3,).")
    paid = (weights.abs() * cost).numpy()
    right = np.trace(paid, axis1=1, axis2=2)
    for wrong, why in (
        (paid.sum((1, 2)), "That is the price of all connections; self-connections are the diagonal."),
        (paid.sum((1, 2)) - right, "That is the price of all *other* connections."),
        (np.trace((weights * cost).numpy(), axis1=1, axis2=2), "Weights below 0 would earn: take |weight|."),
        (np.trace(weights.abs().numpy(), axis1=1, axis2=2), "The cost is missing."),
    ):
        if np.allclose(value, wrong):
            return say(False, why)
    if not np.allclose(value, right):
        return say(False, "These are other numbers than Σ |w[i, i]| · cost[i, i] of each run.")
    return say(True, "A price on self-connections alone: Study(…, penalty=my_penalty).")


def check_paired_difference(answer: float | None, first: pd.Series, second: pd.Series) -> bool:
    """Check the mean difference of two columns, run by run."""
    right = float((first - second).mean())
    return graded(
        answer,
        right,
        f"{right:+.3f} over {len(first)} pairs of runs.",
        {-right: f"The sign is wrong: {first.name} minus {second.name}."},
        "{value:g} is too {way}: take the difference in each run, and then its mean.",
        absolute=5e-4,
    )
