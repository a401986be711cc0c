"""Checks of the exercises in notebook 16."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..field import CorticalField
from ..seeds import generator
from ..tasks import Task, draw_trials
from ..weights import spectral_radius
from .saying import array_from, number_from, say, unanswered


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
    fewer = field.select(range(n - n // 3))
    again = array_from(lambda: answer(fewer, generator(0, "a start of your own")), "nothing")
    if again is None:
        return False
    if again.shape != (fewer.neurons,) * 2:
        return say(False, f"It gives shape {again.shape} for a field of {fewer.neurons} neurons: take field.neurons.")
    return say(True, f"Random, without self-connections, spectral radius {found:.2f}: Variant('mine', my_start).")


MATCH_TIMES = (slice(0, 4), slice(12, 16))
"""The steps of the two cues of the task that :func:`check_match_task` wants."""


def check_match_task(answer: Task | None) -> bool:
    """Check a task *match*: two cues, each on one of two channels, and the answer 1 if both are on the same one."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, Task):
        return say(False, f"That is a {_kind(answer)}; my_task is one object of your class, with its parentheses.")
    wanted = {"name": "match", "inputs": 2, "steps": 20, "classes": 2}
    for what, value in wanted.items():
        if getattr(answer, what) != value:
            return say(False, f"Its {what} is {getattr(answer, what)!r}, not {value!r}.")
    drawn = []
    for seed in (0, 0, 1):
        try:
            drawn.append(draw_trials(answer, 400, generator(seed, "a task of your own")))
        except Exception as error:  # whatever a learner's code may raise
            return say(False, f"{type(error).__name__}: {error}".splitlines()[0])
    (inputs, labels), (again, _), (other, _) = drawn
    if not np.array_equal(inputs, again):
        return say(False, "The same stream gave two different sets of trials: draw everything from rng.")
    if np.array_equal(inputs, other):
        return say(False, "Another stream gave the same trials: draw the channels from rng.")
    if why := _wrong_cues(inputs):
        return say(False, why)
    first, second = (inputs[:, times.start].argmax(1) for times in MATCH_TIMES)
    if why := _wrong_draws(first, second):
        return say(False, why)
    for wrong, why in (
        (first != second, "The answer is turned round: 1 where both cues are on the *same* channel."),
        (first, "The answer is the channel of the first cue. It has to depend on both."),
        (second, "The answer is the channel of the second cue. A network could give it without any memory."),
    ):
        if np.array_equal(labels, wrong):
            return say(False, why)
    if not np.array_equal(labels, first == second):
        return say(False, f"In {(labels != (first == second)).sum()} of 400 trials the answer does not fit the cues.")
    return say(True, "The second cue alone tells nothing, so the first must be remembered: Study(…, my_task).")


def _kind(answer: object) -> str:
    return "class" if isinstance(answer, type) else type(answer).__name__


def _wrong_cues(inputs: np.ndarray) -> str | None:
    """Say what is wrong with the steps at which the channels of (trials, steps, 2) are on, if anything is."""
    silent = np.ones(inputs.shape[1], dtype=bool)
    for which, times in zip(("first", "second"), MATCH_TIMES, strict=True):
        silent[times] = False
        cue = inputs[:, times]  # (trials, 4, 2)
        if (cue > 0).all(2).any():
            return f"In some trials both channels are on during the {which} cue; one of the two is needed."
        if not ((cue.sum(2) == 1) & (cue.max(2) == 1)).all():
            return (
                f"In steps {times.start} to {times.stop - 1}, the {which} cue, one channel has to be 1 in each trial."
            )
        if not (cue == cue[:, :1]).all():
            return f"The {which} cue changes its channel within a trial."
    if (on := np.flatnonzero(inputs.any((0, 2)) & silent)).size:
        return f"Both channels have to be 0 but for the cues; in step {on[0]} they are not."
    return None


def _wrong_draws(first: np.ndarray, second: np.ndarray) -> str | None:
    """Say what is wrong with how often the channels of (trials,) are drawn, if anything is."""
    if (first == second).all() or (first != second).all():
        return "The second cue follows from the first; draw it on its own."
    shares = first.mean(), second.mean(), (first == second).mean()
    if max(abs(share - 0.5) for share in shares) > 0.15:  # six standard errors, of 400 trials
        return (
            f"Channel 1 has {shares[0]:.0%} of first and {shares[1]:.0%} of second cues; draw each with equal odds."
        )
    return None


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
    if not _has_gradient(answer, weights, cost):
        return say(False, "The numbers are right, but autograd cannot follow them: they would change nothing in "
                          "training. Return one tensor of numbers; float, .item(), .detach(), .data and NumPy "
                          "cut it off.")  # fmt: skip
    told = 'A price on self-connections alone: Study(…, penalty=my_penalty), with variants of space="none".'
    return say(True, f"{told} With a distance it is always 0.")


def _has_gradient(penalty: Callable, weights: torch.Tensor, cost: torch.Tensor) -> bool:
    """Say whether a penalty is a tensor that autograd can follow back to the weights."""
    try:
        found = penalty(weights.clone().requires_grad_(), cost.clone())
    except Exception:  # such as PyTorch's of numpy() where a gradient is needed
        return False
    return isinstance(found, torch.Tensor) and found.requires_grad


_DIFFERENCES = tuple(
    np.array(values) / 8
    for values in ((1, 2, 3, 4, 5, 6), (4, -2, 8, 1, -1), (-5, -7, -2, 1), (3, 0, -3, 3, 6, 9, 1))
)
"""Differences of pairs whose sums are exact, so that equal means are equal numbers."""


def check_sign_flips(answer: Callable | None) -> bool:
    """Check a function of differences: the share of all choices of signs whose mean is as far from 0."""
    shares = []
    for apart in _DIFFERENCES:
        value = number_from(answer, "the differences", apart, nan=False)
        if value is None:
            return False
        shares.append(value)

    def judged(counts: Callable[[np.ndarray, float], np.ndarray]) -> np.ndarray:
        return np.array([counts(_flipped_sums(apart), apart.sum()).mean() for apart in _DIFFERENCES])

    right = judged(lambda sums, found: np.abs(sums) >= abs(found))
    count = np.array([2 ** len(apart) for apart in _DIFFERENCES])
    for wrong, why in (
        (judged(lambda sums, found: sums >= found), "That counts one side only: as far from 0, above or below."),
        (judged(lambda sums, found: np.abs(sums) >= found), "The mean that was found may be below 0; take its size."),
        (judged(lambda sums, found: np.abs(sums) > abs(found)),
         "The signs as they were found are one of the choices; "
         "count what is *at least* as far, ≥."),
        (right * count, "That is how many; divide by the number of choices."),
        (1 - right, "That is the share of those that are nearer to 0."),
        ([abs(apart.mean()) for apart in _DIFFERENCES],
         "That is the mean difference; how many choices give as much?"),
    ):  # fmt: skip
        if np.allclose(shares, wrong) and not np.allclose(shares, right):
            return say(False, why)
    for apart, share, exact in zip(_DIFFERENCES, shares, right, strict=True):
        if abs(share - exact) > 1e-9:
            return say(False, f"For {apart.tolist()} it gives {share:.4g}; {exact * 2 ** len(apart):.0f} of "
                              f"{2 ** len(apart)} choices of signs are as far from 0.")  # fmt: skip
    return say(True, "A permutation test of pairs. With six pairs it cannot give less than 2 of 64, p = 0.031.")


def _flipped_sums(apart: np.ndarray) -> np.ndarray:
    """Return the sum of differences (n,) under each of the 2**n choices of signs."""
    sums = np.zeros(1)
    for one in apart:
        sums = np.concatenate([sums + one, sums - one])
    return sums
