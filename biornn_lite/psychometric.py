"""The psychometric curve of the perceptual decision: accuracy by coherence, and its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from scipy import optimize, special, stats

from .errors import InputError
from .network import Networks
from .robustness import accuracies
from .seeds import generator
from .tasks import PerceptualDecision, draw_trials

COHERENCES = (0.0, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 100.0)
"""Coherences in per cent: those of the task, and others below, between and above."""

_PER_SCALE = float(stats.norm.ppf(0.75))  # the threshold, in units of the scale


def accuracy_by_coherence(
    networks: Networks,
    seeds: Sequence[int],
    coherences: Sequence[float] = COHERENCES,
    trials: int = 512,
    task: PerceptualDecision | None = None,
) -> np.ndarray:
    """Test networks at each coherence.

    Parameters
    ----------
    networks : Networks
        Trained on the perceptual decision.
    seeds : sequence of int
        One per run, of its trials.
    coherences : sequence of float
        In per cent.
    trials : int
        Number of trials at each coherence.
    task : PerceptualDecision, optional
        Default: the published task.

    Returns
    -------
    ndarray, shape (coherences, runs)
    """
    task = task or PerceptualDecision()
    found = []
    for coherence in coherences:
        at = replace(task, coherences=(coherence,))
        drawn = [draw_trials(at, trials, generator(seed, "psychometric", f"{coherence:g}")) for seed in seeds]
        x = torch.from_numpy(np.stack([inputs for inputs, _ in drawn])).permute(2, 0, 1, 3)  # (steps, runs, ...)
        labels = torch.from_numpy(np.stack([labels for _, labels in drawn]))
        found.append(accuracies(networks, x.contiguous(), labels))
    return np.array(found)


def ideal_by_coherence(
    coherences: Sequence[float] = COHERENCES, task: PerceptualDecision | None = None
) -> np.ndarray:
    """Expected accuracy of an observer that sums all evidence, at each coherence."""
    task = task or PerceptualDecision()
    return np.array([replace(task, coherences=(coherence,)).best_ceiling() for coherence in coherences])


def curve(coherences: Sequence[float], scale: float, lapses: float = 0.0) -> np.ndarray:
    """Return ``lapses / 2 + (1 − lapses) Φ(coherence / scale)``: one half at coherence 0."""
    return lapses / 2 + (1 - lapses) * special.ndtr(np.asarray(coherences, dtype=float) / scale)


class Fit(NamedTuple):
    """A fitted psychometric curve.

    Attributes
    ----------
    threshold : float
        Coherence in per cent with 75 % right answers but for lapses: 0.674 times the scale. Infinite above 100 %, and
        where the fit is no better than guessing (likelihood ratio test, 5 %).
    scale, lapses : float
        Parameters of :func:`curve`.
    """

    threshold: float
    scale: float
    lapses: float


def ideal_threshold(task: PerceptualDecision | None = None) -> float:
    """Threshold of the ideal observer in per cent."""
    task = task or PerceptualDecision()
    return _PER_SCALE * 100 * task.noise * float(np.sqrt(2 / task.evidence_steps))


def fit(coherences: Sequence[float], right: Sequence[int], trials: Sequence[int] | int) -> Fit:
    """Fit a psychometric curve by maximum binomial likelihood.

    Parameters
    ----------
    coherences : sequence of float
        In per cent, at least three different ones.
    right : sequence of int
        Right answers at each.
    trials : sequence of int, or int
        Trials at each, or the same at all.
    """
    coherences, right = np.asarray(coherences, dtype=float), np.asarray(right, dtype=float)
    trials = np.broadcast_to(np.asarray(trials, dtype=float), right.shape)
    if len(np.unique(coherences)) < 3 or coherences.shape != right.shape or coherences.ndim != 1:
        raise InputError(f"{right.size} counts at coherences of shape {coherences.shape}; one at each of 3 is needed")
    if not ((right >= 0) & (right <= trials) & (trials >= 1)).all() or not (coherences >= 0).all():
        raise InputError("right answers must be from 0 to the number of trials, and coherences at least 0")

    def loss(parameters: np.ndarray) -> float:
        chance = np.clip(curve(coherences, np.exp(parameters[0]), parameters[1]), 1e-9, 1 - 1e-9)
        return float(-(special.xlogy(right, chance) + special.xlogy(trials - right, 1 - chance)).sum())

    starts = [(np.log(scale), lapses) for scale in (1.0, 5.0, 25.0, 125.0) for lapses in (0.01, 0.2, 0.9)]
    bounds = ((np.log(0.01), np.log(1e4)), (0.0, 1.0))
    best = min((optimize.minimize(loss, start, bounds=bounds) for start in starts), key=lambda found: found.fun)
    scale, lapses = float(np.exp(best.x[0])), float(best.x[1])
    guessing = trials.sum() * np.log(2)
    better = stats.chi2.sf(2 * (guessing - best.fun), 2) < 0.05
    threshold = _PER_SCALE * scale
    return Fit(threshold if better and threshold <= 100 else float("inf"), scale, lapses)
