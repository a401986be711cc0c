"""Snapshots of networks during training: weights and gradients. Notebooks 07, 08 and 08b use this module."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from tqdm import tqdm

from . import topology
from .field import CorticalField
from .penalty import Penalty
from .priors import Priors
from .tasks import Task, get_task
from .topology import scores_of
from .training import Settings, initial_networks, training, training_trials
from .variants import Protocol, Variant, get_variant


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One network after an epoch, or before training (epoch 0).

    Attributes
    ----------
    variant : str
    task : Task
    epoch : int
    weights : ndarray, shape (N, N)
        Recurrent weights, from row to column.
    test_accuracy : float
        NaN before the first epoch and after the network has diverged.
    loss, penalty, pull : float
        Cross-entropy (nats) on the first training batch without noise, the penalty, and the part of the penalty that
        pulls towards an empirical communicability. Training reduces the sum of loss and penalty.
    loss_gradient, penalty_gradient : float
        Euclidean norms of their gradients with respect to the recurrent weights.
    """

    variant: str
    task: Task
    epoch: int
    weights: np.ndarray
    test_accuracy: float
    loss: float
    penalty: float
    pull: float
    loss_gradient: float
    penalty_gradient: float

    @property
    def on_the_diagonal(self) -> float:
        """Share of Σ|W| that lies on the diagonal."""
        strengths = np.abs(self.weights)
        return float(np.trace(strengths) / strengths.sum())


def watch(
    field: CorticalField,
    variants: Sequence[str | Variant],
    task: Task | str,
    seed: int = 0,
    protocol: Protocol | str = "published",
    settings: Settings | None = None,
    progress: bool = False,
) -> Iterator[dict[str, Snapshot]]:
    """Train variants side by side on the same trials and yield snapshots before training and after each epoch.

    Parameters
    ----------
    field : CorticalField
    variants : sequence of str or Variant
    task : Task or str
    seed : int
        Seed of trials, noise and all weights.
    protocol : Protocol or str
    settings : Settings, optional
    progress : bool
        Whether to print a bar that counts epochs.

    Yields
    ------
    dict of str to Snapshot
        Snapshots by name of the variant. Training stops when the iterator is no longer used.
    """
    settings, task = settings or Settings(), get_task(task)
    variants = list({variant.name: variant for variant in map(get_variant, variants)}.values())
    starts = Priors(field, protocol).starts(variants, seed)
    seeds = [seed] * len(starts)
    penalty = Penalty(starts)
    x, labels = training_trials(task, seeds, settings)  # (steps, runs, trials, inputs), (runs, trials)
    batch = x[:, :, : settings.batch_size], labels[:, : settings.batch_size]
    names = [variant.name for variant in variants]
    networks = initial_networks(starts, task, seeds)
    yield _looked_at(networks, penalty, *batch, names, task, 0, np.full(len(starts), np.nan))
    epochs = training(starts, task, seeds, settings)
    bar = {"desc": "training", "unit": "epoch", "file": sys.stdout, "disable": not progress}
    for epoch in tqdm(epochs, total=settings.epochs, **bar):
        accuracy = epoch.history.test_accuracy[:, epoch.number - 1]
        yield _looked_at(epoch.networks, penalty, *batch, names, task, epoch.number, accuracy)


def histories(watched: Iterable[Mapping[str, Snapshot]]) -> dict[str, list[Snapshot]]:
    """Collect the snapshots from :func:`watch` for each variant, from before training to the end."""
    found: dict[str, list[Snapshot]] = {}
    for snapshots in watched:
        for name, snapshot in snapshots.items():
            found.setdefault(name, []).append(snapshot)
    return found


def _looked_at(networks, penalty, x, labels, variants, task, epoch, accuracy) -> dict[str, Snapshot]:
    w = networks.w
    losses = functional.cross_entropy(networks(x).flatten(0, 1), labels.flatten(), reduction="none")
    losses = losses.view(len(variants), -1).mean(1)  # (runs,)
    costs = penalty(w)  # (runs,)
    gradients = [torch.autograd.grad(value.sum(), w)[0].flatten(1).norm(dim=1) for value in (losses, costs)]
    numbers = [value.detach().double().numpy() for value in (losses, costs, penalty.pull(w.detach()), *gradients)]
    weights = w.detach().numpy().copy()
    return {
        variant: Snapshot(variant, task, epoch, weights[r], float(accuracy[r]), *(float(c[r]) for c in numbers))
        for r, variant in enumerate(variants)
    }


def measured(history: Sequence[Snapshot]) -> pd.DataFrame:
    """Measure one network after every epoch.

    Parameters
    ----------
    history : sequence of Snapshot

    Returns
    -------
    DataFrame
        Index ``epoch``. Columns ``test_accuracy``, ``density`` (of the graph of the strongest connections), the
        measures of :class:`biornn_lite.topology.Topology`, and ``small_worldness_matched``.
    """
    rows = {}
    for snapshot in history:
        graph = topology.strongest_graph(snapshot.weights)
        row = {"test_accuracy": snapshot.test_accuracy, "density": topology.density(graph)}
        row["entropy"] = topology.entropy(snapshot.weights)
        rows[snapshot.epoch] = row | scores_of(graph)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("epoch")
