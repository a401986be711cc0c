"""Whether the states of trained networks stay bounded, keep their answer, and are alike from trial to trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from .errors import InputError
from .network import Networks
from .robustness import noisy_inputs

LENGTHS = (1, 2, 5, 10)
"""Trial lengths after the trial at which the readout is taken."""

GROWTH = 1.05
"""A state that is larger in the last tenth than this times its largest before is growing."""


class AfterTrial(NamedTuple):
    """What becomes of the states when a trial is over.

    Attributes
    ----------
    bounded : ndarray, shape (runs,)
        Share of trials whose largest state in the last tenth is finite and at most :data:`GROWTH` times its largest
        before that, the trial included.
    accuracies : ndarray, shape (lengths, runs)
        Share of right answers, read after each number of trial lengths. Overflow counts as guessed.
    """

    bounded: np.ndarray
    accuracies: np.ndarray


def _right(networks: Networks, h: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Share of right answers from states h (runs, trials, N), shape (runs,)."""
    logits = torch.baddbmm(networks.b_out, h, networks.w_out)
    right = (logits.argmax(-1) == labels).double()
    return right.where(logits.isfinite().all(-1), 1 / logits.shape[-1]).mean(1)


def _seeded(rngs: Sequence[np.random.Generator] | None, runs: int, noise: float) -> Sequence[np.random.Generator]:
    if not 0 <= noise < np.inf:
        raise InputError(f"input noise is {noise!r}; it must be an SD of at least 0")
    if noise > 0 and (rngs is None or len(rngs) != runs):
        raise InputError(f"noise for {runs} networks needs one generator of random numbers for each")
    return rngs or []


@torch.no_grad()
def after_trial(
    networks: Networks,
    x: torch.Tensor,
    labels: torch.Tensor,
    lengths: Sequence[int] = LENGTHS,
    input_noise: float = 0.0,
    rngs: Sequence[np.random.Generator] | None = None,
) -> AfterTrial:
    """Let networks run on after their trials, with inputs of 0 or noise.

    Parameters
    ----------
    networks : Networks
    x : Tensor, shape (steps, runs, trials, inputs)
        Inputs of the trials, which stay without noise.
    labels : Tensor of int, shape (runs, trials)
    lengths : sequence of int
        Rising numbers of trial lengths; the last one ends the computation.
    input_noise : float
        SD of the noise on every input at every step after the trial.
    rngs : sequence of Generator, optional
        One per run; needed with noise.
    """
    if not lengths or list(lengths) != sorted(set(lengths)) or lengths[0] < 1:
        raise InputError(f"lengths are {tuple(lengths)}; rising numbers from 1 on are needed")
    rngs, steps = _seeded(rngs, x.shape[1], input_noise), len(x)
    h = x.new_zeros(*x.shape[1:3], networks.w.shape[-1])  # (runs, trials, N)
    before = last = x.new_zeros(x.shape[1:3])  # largest states, (runs, trials)
    for x_t in x:
        h = networks.step(h, x_t)
        before = torch.maximum(before, h.abs().amax(-1))
    accuracies, total = [], lengths[-1] * steps
    quiet = torch.zeros_like(x[:1])
    for t in range(1, total + 1):
        x_t = noisy_inputs(quiet, input_noise, rngs)[0] if input_noise else quiet[0]
        h = networks.step(h, x_t)
        largest = h.abs().amax(-1)
        if t <= total - total // 10:
            before = torch.maximum(before, largest)
        else:
            last = torch.maximum(last, largest)
        if t in [length * steps for length in lengths]:
            accuracies.append(_right(networks, h, labels))
    bounded = last.isfinite() & (last <= GROWTH * before) & before.isfinite()
    return AfterTrial(bounded.double().mean(1).cpu().numpy(), torch.stack(accuracies).cpu().numpy())


class Repeated(NamedTuple):
    """How alike answers and states are when trials are shown again with other noise, each of shape (runs,).

    Attributes
    ----------
    consistency : ndarray
        Chance that two showings of a trial get the same answer, mean over trials. Guessing the same answer always
        is consistent too, so read it beside `accuracy`.
    noise_share : ndarray
        Variance of the last state within trials over its whole variance, summed over neurons. 0 without any
        variance; NaN where states overflow.
    accuracy : ndarray
        Share of right answers over all showings.
    """

    consistency: np.ndarray
    noise_share: np.ndarray
    accuracy: np.ndarray


@torch.no_grad()
def last_states(networks: Networks, x: torch.Tensor) -> torch.Tensor:
    """Return the states at the end of trials, shape (runs, trials, N), for inputs (steps, runs, trials, inputs)."""
    h = x.new_zeros(*x.shape[1:3], networks.w.shape[-1])
    for x_t in x:
        h = networks.step(h, x_t)
    return h


def repeated_trials(
    networks: Networks,
    x: torch.Tensor,
    labels: torch.Tensor,
    rngs: Sequence[np.random.Generator],
    input_noise: float = 0.05,
    times: int = 8,
) -> Repeated:
    """Show trials several times, each time with new noise on the inputs.

    Parameters
    ----------
    networks : Networks
    x, labels : Tensor
        As in :func:`after_trial`.
    rngs : sequence of Generator
        One per run.
    input_noise : float
        SD.
    times : int
        At least 2.
    """
    if times < 2:
        raise InputError(f"trials shown {times} times; at least 2 are needed to compare them")
    rngs = _seeded(rngs, x.shape[1], input_noise)
    counts: torch.Tensor | int = 0
    total: torch.Tensor | int = 0  # of the states, (runs, trials, N)
    squares: torch.Tensor | int = 0
    with torch.no_grad():
        for _ in range(times):
            h = last_states(networks, noisy_inputs(x, input_noise, rngs) if input_noise else x)
            logits = torch.baddbmm(networks.b_out, h, networks.w_out)
            counts = counts + torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1])
            h = h.double()
            total, squares = total + h, squares + h.square()
        same = (counts * (counts - 1)).sum(-1) / (times * (times - 1))  # (runs, trials)
        right = counts.gather(-1, labels[..., None])[..., 0] / times
        means = total / times
        within = (squares / times - means.square()).clamp(min=0).mean(1).sum(-1)  # (runs,)
        between = means.var(1, correction=0).sum(-1)
        share = torch.where(within + between == 0, 0.0, within / (within + between))
    return Repeated(*(each.cpu().numpy() for each in (same.double().mean(1), share, right.double().mean(1))))


def dimension_entropy(states: np.ndarray) -> float:
    """Entropy in bits of the shares of variance of the principal components of states, shape (trials, N).

    Two to the power of it is a number of dimensions: 0 bits where states vary along one line, log2 N where they vary
    equally in all directions. NaN without any variance or with values that are not finite.
    """
    states = np.asarray(states, dtype=float)
    if not np.isfinite(states).all():
        return float("nan")
    variances = np.linalg.svd(states - states.mean(0), compute_uv=False) ** 2
    if variances.sum() == 0:
        return float("nan")
    shares = variances / variances.sum()
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
