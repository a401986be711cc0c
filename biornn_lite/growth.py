"""How activity grows from step to step under one matrix of weights, and where a computer's numbers end.

Notebook 10 works through this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from .errors import InputError
from .priors import Start
from .seeds import generator
from .tasks import Task
from .training import Settings, initial_networks, training_trials
from .weights import non_negative, orthogonal, with_spectral_radius

LARGEST = float(torch.finfo(torch.float32).max)
"""The largest number that a network's activity can hold, about 3.4 · 10³⁸; beyond it is infinity."""

LARGEST_GRADIENT = (LARGEST / (1 - 0.999)) ** 0.5
"""The largest gradient that Adam can keep, about 5.8 · 10²⁰: it averages squares, each times 1 − β₂ = 0.001."""


def positive_weights(neurons: int, seed: int, radius: float | None = None) -> np.ndarray:
    """Draw an orthogonal matrix and clip it at 0, the published start of positive-only networks.

    Its spectral radius is about ``√(N / 2π)``: each row holds N / 2 entries of mean ``√(2 / πN)``.

    Parameters
    ----------
    neurons : int
    seed : int
    radius : float, optional
        Spectral radius to scale the result to; left as it is when left out.

    Returns
    -------
    ndarray, shape (N, N)
    """
    clipped = non_negative(orthogonal(neurons, generator(seed, "orthogonal")), rescale=False)
    return clipped if radius is None else with_spectral_radius(clipped, radius)


def activity_by_step(weights: np.ndarray, task: Task, seed: int, trials: int = 32) -> np.ndarray:
    """Follow the activity of an untrained network through the first trials of its task.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
        Recurrent weights; input weights are those that the run of this seed starts from.
    task : Task
    seed : int
    trials : int

    Returns
    -------
    ndarray, shape (steps,)
        Mean over trials and neurons after each step; infinite from the step in which an activity overflows.
    """
    if trials < 1:
        raise InputError(f"trials is {trials}; it must be at least 1")
    networks = initial_networks([Start(weights, np.zeros_like(weights))], task, [seed])
    x, _ = training_trials(task, [seed], Settings(batches=1, batch_size=trials))
    states = networks.activity(x)[:, 0].double()  # (steps, trials, N)
    return states.mean((1, 2)).nan_to_num(nan=np.inf, posinf=np.inf).numpy()


@dataclass(frozen=True)
class FirstStep:
    """What the first batch of training gives.

    Attributes
    ----------
    loss : float
        Cross-entropy (nats); not finite where activity overflowed.
    gradient : float
        The largest absolute entry of the loss's gradient with respect to the recurrent weights.
    """

    loss: float
    gradient: float

    @property
    def fate(self) -> str:
        """What Adam makes of it: ``moves``, ``NaN``, or ``stands still``, as weights of too large a gradient do."""
        if not np.isfinite([self.loss, self.gradient]).all():
            return "NaN"
        return "moves" if self.gradient < LARGEST_GRADIENT else "stands still"


def first_step(weights: np.ndarray, task: Task, seed: int) -> FirstStep:
    """Compute loss and gradient of the first training batch, without the noise of training.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
        Recurrent weights; input and readout weights are those that the run of this seed starts from.
    task : Task
    seed : int
    """
    networks = initial_networks([Start(weights, np.zeros_like(weights))], task, [seed])
    x, labels = training_trials(task, [seed], Settings(batches=1))
    loss = functional.cross_entropy(networks(x)[0], labels[0])
    loss.backward()
    return FirstStep(float(loss.detach()), float(networks.w.grad.abs().max()))
