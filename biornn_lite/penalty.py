"""The penalties that shape a network's wiring while it learns. Notebook 07 works through this module."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from .communicability import communicability, distribution_distance
from .errors import InputError
from .priors import Start

OwnPenalty = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A penalty of your own: takes weights and costs, both (runs, N, N), and returns the penalty of each run, (runs,).

The cost is λ times the distance, as in :attr:`biornn_lite.priors.Start.cost`. Runs are to be independent of one
another, and PyTorch's autograd takes the gradient. ``lambda w, cost: (cost * w**2).sum((1, 2))`` is an example.
"""


class Penalty:
    """The penalties of many networks at once.

    With D the distances and λ in ``Start.cost``: ``Σ λ|W|⊙D``; with communicability ``C`` of the weights,
    ``Σ λ|W|⊙D⊙C``; with an empirical one, ``Σ λ|W|⊙D + λ_EMD · mean |sort(C(W)) − sort(C_emp)|``.
    Self-connections count wherever D has no zeros on its diagonal; C is 0 there.

    Parameters
    ----------
    starts : sequence of Start
        One per run.
    device : torch.device or str
    dtype : torch.dtype
        That of the weights to come.
    own : OwnPenalty, optional
        Taken in place of all of these.
    """

    def __init__(
        self,
        starts: Sequence[Start],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        own: OwnPenalty | None = None,
    ) -> None:
        def tensor(arrays) -> torch.Tensor:
            return torch.as_tensor(np.array(arrays), dtype=dtype, device=device)

        def runs_with(kind: str) -> list[int]:
            return [r for r, start in enumerate(starts) if start.communicability == kind]

        self.own = own
        self.cost = tensor([start.cost for start in starts])  # (runs, N, N)
        pulled = runs_with("empirical")
        self.factor = torch.tensor(runs_with("weights"), dtype=torch.int64, device=device)
        self.pulled = torch.tensor(pulled, dtype=torch.int64, device=device)
        if pulled:
            self.targets = tensor([starts[r].sorted_target for r in pulled])  # (pulled, N * N)
            self.emd_weights = tensor([starts[r].emd_weight for r in pulled])  # (pulled,)

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return the penalty of each network, shape (runs,), for weights of shape (runs, N, N)."""
        if self.own is not None:
            total = self.own(w, self.cost)
            if not isinstance(total, torch.Tensor) or total.shape != w.shape[:1]:
                shape = tuple(getattr(total, "shape", ()))
                raise InputError(
                    f"the penalty of your own has shape {shape}; one number per run is needed, {tuple(w.shape[:1])}"
                )
            return total
        costs = w.abs() * self.cost  # (runs, N, N)
        total = costs.sum((1, 2))  # (runs,)
        if len(self.factor):
            reached = costs[self.factor] * communicability(w[self.factor])  # (factor, N, N)
            total = total.index_copy(0, self.factor, reached.sum((1, 2)))
        if len(self.pulled):
            distance = distribution_distance(communicability(w[self.pulled]), self.targets)  # (pulled,)
            total = total.index_add(0, self.pulled, self.emd_weights * distance)
        return total
