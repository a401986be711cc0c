"""Pruned networks: trained further with few weights, and what the weights that are left cost.

:func:`biornn_lite.robustness.pruned` prunes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from .errors import InputError
from .network import Networks, RecurrentNetworks, networks_of
from .plumbing.objects import name_of
from .priors import Start
from .tasks import Task
from .training import Settings, train

KEPT_RETRAINED = (0.2, 0.1, 0.05, 0.02)
"""Shares of recurrent weights that are kept and retrained."""

RETRAINING = Settings(epochs=1, test_trials=1)
"""40 more batches after pruning."""


class SparseNetworks(RecurrentNetworks):
    """The published networks, in which recurrent weights that are 0 at the start of training stay 0."""

    def __init__(self, recurrent, w_in, w_out, sign: str = "free") -> None:
        super().__init__(recurrent, w_in, w_out, sign)
        self.register_buffer("absent", self.w.detach() == 0)

    @torch.no_grad()
    def constrain(self) -> None:
        """See :meth:`biornn_lite.network.Networks.constrain`; also set absent weights back to 0."""
        super().constrain()
        self.w.masked_fill_(self.absent, 0)


def retrained(
    networks: Networks,
    starts: Sequence[Start],
    task: Task | str,
    seeds: Sequence[int],
    settings: Settings = RETRAINING,
) -> Networks:
    """Train pruned networks further, with all their weights and biases; absent recurrent weights stay 0.

    Parameters
    ----------
    networks : Networks
        Of the published kind, such as those of :func:`biornn_lite.robustness.pruned`.
    starts : sequence of Start
        One per run; they hold the penalty of the training. Their weights are not used.
    task : Task or str
    seeds : sequence of int
        One per run. The trials are those of a training with these seeds and settings.
    settings : Settings
    """
    if type(networks).step is not Networks.step:
        raise InputError(
            f"{name_of(type(networks))} has its own step; only networks of the published kind are retrained"
        )
    states = [networks.state_of_run(run) for run in range(len(networks.w))]
    starts = [replace(start, weights=state["w"]) for start, state in zip(starts, states, strict=True)]
    trained = train(
        starts, task, seeds, settings, networks.sign,
        architecture=lambda recurrent, w_in, w_out, sign: networks_of(states, SparseNetworks, sign),
    )  # fmt: skip
    return networks_of([each.state for each in trained], sign=networks.sign)


def present(networks: Networks) -> np.ndarray:
    """Mark the recurrent weights that are not 0, shape (runs, N, N)."""
    return (networks.w != 0).cpu().numpy()


def synapses(networks: Networks) -> np.ndarray:
    """Count the recurrent weights that are not 0, without self-connections, shape (runs,)."""
    return (present(networks) & ~np.eye(networks.w.shape[-1], dtype=bool)).sum((1, 2))


def wiring_length(networks: Networks, distances: np.ndarray) -> np.ndarray:
    """Add up the distances (N, N) over recurrent weights that are not 0, shape (runs,), in their unit."""
    return (present(networks) * distances).sum((1, 2))


def recurrent_bytes(networks: Networks, bits: int = 32, scales: str = "matrix") -> tuple[np.ndarray, np.ndarray]:
    """Count the bytes that recurrent weights take, stored dense and sparse.

    Parameters
    ----------
    networks : Networks
    bits : int
        Of each weight. With fewer than 32, there are scales of 4 bytes besides.
    scales : {"matrix", "row"}
        One scale for the matrix, or one for each row.

    Returns
    -------
    dense, sparse : ndarray of int, shape (runs,)
        Sparse are CSR: for each weight that is not 0 its value and its column, and ``N + 1`` row pointers; columns
        and pointers take 2 bytes, or 4 where 2 cannot hold the largest one. Weights are packed without gaps.
    """
    if not 1 <= bits <= 32:
        raise InputError(f"bits is {bits!r}; it must be from 1 to 32")
    if scales not in ("matrix", "row"):
        raise InputError(f"no scales {scales!r}; there are matrix, row")
    neurons = networks.w.shape[-1]
    there = present(networks).sum((1, 2))
    more = 0 if bits == 32 else 4 if scales == "matrix" else 4 * neurons
    dense = np.full(len(there), -(-(neurons**2 * bits) // 8) + more)
    largest = np.iinfo(np.int16).max
    columns = 2 if neurons - 1 <= largest else 4
    pointers = np.where(there <= largest, 2, 4) * (neurons + 1)
    return dense, -(-(there * bits) // 8) + columns * there + pointers + more


def front(costs: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """Find the points that no other point beats (Pareto front).

    A point beats another if its cost is no higher and its value no lower, and one of the two differs.

    Parameters
    ----------
    costs, values : sequence of float
        Finite, of one length.

    Returns
    -------
    ndarray of bool, shape (points,)
    """
    costs, values = (np.asarray(each, dtype=float) for each in (costs, values))
    if costs.ndim != 1 or costs.shape != values.shape or not np.isfinite([costs, values]).all():
        raise InputError(f"costs and values have shapes {costs.shape} and {values.shape}; finite pairs are needed")
    cheaper, better = np.subtract.outer(costs, costs), -np.subtract.outer(values, values)  # [i, j]: i against j
    beats = (cheaper <= 0) & (better <= 0) & ((cheaper < 0) | (better < 0))
    return ~beats.any(axis=0)
