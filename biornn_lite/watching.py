"""Networks watched while they learn: their weights, and what pulls at them. Notebooks 07 and 08 use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from .field import CorticalField
from .priors import Priors
from .tasks import get_task
from .training import Penalty, Settings, initial_networks, training, training_trials
from .variants import Protocol, get_variant


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One network after an epoch, or before the first (epoch 0).

    Attributes
    ----------
    variant, task : str
    epoch : int
    weights : ndarray, shape (N, N)
        Recurrent weights, from row to column.
    test_accuracy : float
        NaN before the first epoch, and where the network has diverged.
    loss, penalty : float
        Cross-entropy (nats) of the first training batch without noise, and the penalty: what training lowers is
        their sum.
    loss_gradient, penalty_gradient : float
        Euclidean norms of the gradients of the two with respect to the recurrent weights.
    """

    variant: str
    task: str
    epoch: int
    weights: np.ndarray
    test_accuracy: float
    loss: float
    penalty: float
    loss_gradient: float
    penalty_gradient: float

    @property
    def on_the_diagonal(self) -> float:
        """Share of Σ|W| that lies on the diagonal."""
        strengths = np.abs(self.weights)
        return float(np.trace(strengths) / strengths.sum())


def watch(
    field: CorticalField,
    variants: Sequence[str],
    task: str,
    seed: int = 0,
    protocol: Protocol | None = None,
    settings: Settings | None = None,
) -> Iterator[list[Snapshot]]:
    """Train variants side by side on the same trials, and show them before training and after each epoch.

    Parameters
    ----------
    field : CorticalField
    variants : sequence of str
    task : str
    seed : int
        Of trials, noise and all weights.
    protocol : Protocol, optional
        The published one when left out.
    settings : Settings, optional

    Yields
    ------
    list of Snapshot
        One per variant. Whoever stops asking stops the training.
    """
    settings, what = settings or Settings(), get_task(task)
    priors = Priors(field, protocol or Protocol())
    starts = [priors.start(get_variant(variant), seed) for variant in variants]
    seeds = [seed] * len(starts)
    penalty = Penalty(starts)
    x, labels = training_trials(what, seeds, settings)  # (steps, runs, trials, inputs), (runs, trials)
    batch = x[:, :, : settings.batch_size], labels[:, : settings.batch_size]
    networks = initial_networks(starts, what, seeds)
    yield _looked_at(networks, penalty, *batch, variants, task, 0, np.full(len(starts), np.nan))
    for epoch in training(starts, what, seeds, settings):
        accuracy = epoch.history[2, :, epoch.number - 1]
        yield _looked_at(epoch.networks, penalty, *batch, variants, task, epoch.number, accuracy)


def _looked_at(networks, penalty, x, labels, variants, task, epoch, accuracy) -> list[Snapshot]:
    w = networks.w
    losses = functional.cross_entropy(networks(x).flatten(0, 1), labels.flatten(), reduction="none")
    losses = losses.view(len(variants), -1).mean(1)  # (runs,)
    costs = penalty(w)  # (runs,)
    gradients = [torch.autograd.grad(value.sum(), w)[0].flatten(1).norm(dim=1) for value in (losses, costs)]
    numbers = [value.detach().double().numpy() for value in (losses, costs, *gradients)]
    weights = w.detach().numpy().copy()
    return [
        Snapshot(variant, task, epoch, weights[r], float(accuracy[r]), *(float(column[r]) for column in numbers))
        for r, variant in enumerate(variants)
    ]
