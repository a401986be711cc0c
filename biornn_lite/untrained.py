"""Effects of weights before training: activity that grows or fades, and numerical overflow.

Notebook 03 uses the second part, notebook 10 the first part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from .errors import InputError
from .network import glorot_uniform
from .priors import Start
from .seeds import generator
from .tasks import Task
from .training import Settings, initial_networks, training_trials
from .weights import orthogonal, positive, with_spectral_radius

LARGEST = float(torch.finfo(torch.float32).max)
"""The largest value of a network's activity, about 3.4 · 10³⁸; larger values become infinite."""

LARGEST_GRADIENT = (LARGEST / (1 - 0.999)) ** 0.5
"""The largest gradient that Adam can process, about 5.8 · 10²⁰: it averages squares times 1 − β₂ = 0.001."""


def positive_weights(neurons: int, seed: int, radius: float | None = None) -> np.ndarray:
    """Draw an orthogonal matrix and clip it at 0, the published start of positive-only networks.

    Its spectral radius is about ``√(N / 2π)``: each row has about N / 2 positive entries with mean ``√(2 / πN)``.

    Parameters
    ----------
    neurons : int
    seed : int
    radius : float, optional
        Spectral radius to scale the result to. Default: no scaling.

    Returns
    -------
    ndarray, shape (N, N)
    """
    clipped = positive(orthogonal(neurons, generator(seed, "orthogonal")), rescale=False)
    return clipped if radius is None else with_spectral_radius(clipped, radius)


def activity_by_step(weights: np.ndarray, task: Task, seed: int, trials: int = 32) -> np.ndarray:
    """Follow the activity of an untrained network through the first trials of its task.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
        Recurrent weights. The input weights are the initial ones of the run with this seed.
    task : Task
    seed : int
    trials : int

    Returns
    -------
    ndarray, shape (steps,)
        Mean over trials and neurons after each step. It is infinite from the step in which an activity overflows.
    """
    if trials < 1:
        raise InputError(f"trials is {trials}; it must be at least 1")
    networks = initial_networks([Start(weights, np.zeros_like(weights))], task, [seed])
    x, _ = training_trials(task, [seed], Settings(batches=1, batch_size=trials))
    states = networks.activity(x)[:, 0].double()  # (steps, trials, N)
    return states.mean((1, 2)).nan_to_num(nan=np.inf, posinf=np.inf).numpy()


@dataclass(frozen=True)
class FirstStep:
    """Loss and gradient of the first training batch.

    Attributes
    ----------
    loss : float
        Cross-entropy (nats); infinite or NaN if the activity overflowed.
    gradient : float
        The largest absolute entry of the loss's gradient with respect to the recurrent weights.
    """

    loss: float
    gradient: float

    @property
    def fate(self) -> str:
        """Effect of Adam on the weights: ``moves``, ``NaN``, or ``stands still`` if the gradient is too large."""
        if not np.isfinite([self.loss, self.gradient]).all():
            return "NaN"
        return "moves" if self.gradient < LARGEST_GRADIENT else "stands still"


def first_step(weights: np.ndarray, task: Task, seed: int) -> FirstStep:
    """Compute loss and gradient of the first training batch, without the noise of training.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
        Recurrent weights. Input and readout weights are the initial ones of the run with this seed.
    task : Task
    seed : int
    """
    networks = initial_networks([Start(weights, np.zeros_like(weights))], task, [seed])
    x, labels = training_trials(task, [seed], Settings(batches=1))
    loss = functional.cross_entropy(networks(x)[0], labels[0])
    loss.backward()
    return FirstStep(float(loss.detach()), float(networks.w.grad.abs().max()))


class Fading(NamedTuple):
    """Development of the states after two stimuli, without further input.

    Attributes
    ----------
    angle : ndarray, shape (steps + 1,)
        Angle between the two states, in degrees. It is 0 if they differ only in size or if one of them is zero.
    size : ndarray, shape (steps + 1,)
        Euclidean length of the first state, relative to its length directly after the stimulus.
    """

    angle: np.ndarray
    size: np.ndarray


def fading(weights: np.ndarray, steps: int = 20, draws: int = 8, seed: int = 0) -> Fading:
    """Show a network two stimuli, each for one step, and follow the two states without further input.

    Both start from ``h[0] = relu(W_in)``, with one row of input weights per stimulus. Then ``h[t] = relu(h[t-1] W)``.
    The angle shows how well a readout can distinguish the stimuli: at angle 0, the states are multiples of each
    other. Scaling W by a positive number changes the size, not the angle.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
        From neuron i to neuron j.
    steps : int
        Number of steps after the stimulus.
    draws : int
        Number of draws of input weights. Angle and size are averaged over them.
    seed : int
        Seed of these draws.
    """
    if steps < 0 or draws < 1:
        raise InputError(f"{steps} steps and {draws} draws; there must be at least 0 and 1")
    rng = generator(seed, "two stimuli")
    h = np.maximum([glorot_uniform(2, len(weights), rng) for _ in range(draws)], 0)  # (draws, 2, N)
    first = np.linalg.norm(h[:, 0], axis=-1)
    angles, sizes = [], []
    for _ in range(steps + 1):
        lengths = np.linalg.norm(h, axis=-1)  # (draws, 2)
        alive = lengths.min(axis=1) > 0
        # 2 atan2(|u - v|, |u + v|) is the angle between unit vectors u and v, also exact for small angles.
        u, v = np.moveaxis(h / np.where(lengths > 0, lengths, 1)[..., None], 1, 0)
        between = 2 * np.arctan2(np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1))
        angles.append(np.degrees(np.where(alive, between, 0)).mean())
        sizes.append((lengths[:, 0] / first).mean())
        h = np.maximum(h @ weights, 0)
    return Fading(np.array(angles), np.array(sizes))


def effective_rank(weights: np.ndarray) -> float:
    """Return the exponential of the entropy of the normalised singular values (Roy & Vetterli 2007).

    It is N for an orthogonal matrix of shape (N, N) and 1 for a matrix of rank 1.
    """
    values = np.linalg.svd(weights, compute_uv=False)
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


class BeforeTraining(NamedTuple):
    """Three numbers of a start.

    Attributes
    ----------
    scale : float
        Decimal logarithm of the mean activity at the last step of a trial over that at its most active step. It is
        infinite if an activity overflows.
    effective_rank : float
        As in :func:`effective_rank`, divided by the number of neurons.
    memory : float
        Angle in degrees between the states of two stimuli after 20 steps without input, see :func:`fading`.
    """

    scale: float
    effective_rank: float
    memory: float


def before_training(weights: np.ndarray, task: Task, seed: int) -> BeforeTraining:
    """Describe a start for one run of a task.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    task : Task
    seed : int
    """
    activity = activity_by_step(weights, task, seed)
    scale = np.log10(max(activity[-1], 1e-30) / activity.max()) if np.isfinite(activity).all() else np.inf
    angle = fading(weights, seed=seed).angle[-1]
    return BeforeTraining(float(scale), effective_rank(weights) / len(weights), float(angle))
