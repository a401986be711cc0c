"""The penalties that shape a network's wiring during training. Notebook 07 works through this module."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from .communicability import communicability, distribution_distance
from .errors import InputError
from .priors import Start

OwnPenalty = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A user-defined penalty: takes weights and costs, both (runs, N, N), and returns the penalty of each run, (runs,).

The cost is λ times the distance, as in ``Start.cost``. The penalty of a run must not depend on
other runs. PyTorch's autograd computes the gradient. An example is ``lambda w, cost: (cost * w**2).sum((1, 2))``.
"""


class Penalty:
    """The penalties of many networks at once.

    ``Start.cost`` holds λ times the distances D. Without communicability, the penalty is ``Σ λ|W|⊙D``. With the
    communicability ``C`` of the weights, it is ``Σ λ|W|⊙D⊙C``. With an empirical target, it is
    ``Σ λ|W|⊙D + λ_EMD · mean |sort(C(W)) − sort(C_emp)|``. Self-connections have a cost only where the diagonal of
    D is not 0. The diagonal of C is always 0.

    Parameters
    ----------
    starts : sequence of Start
        One per run.
    device : torch.device or str
    dtype : torch.dtype
        Data type of the weights.
    own : OwnPenalty, optional
        Replaces the published penalties.
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
        return total + self.pull(w) if len(self.pulled) else total

    def pull(self, w: torch.Tensor) -> torch.Tensor:
        """Return the part of each penalty that pulls towards an empirical target, shape (runs,); 0 without one."""
        pull = w.new_zeros(len(w))
        if self.own is not None or not len(self.pulled):
            return pull
        distance = distribution_distance(communicability(w[self.pulled]), self.targets)  # (pulled,)
        return pull.index_add(0, self.pulled, self.emd_weights * distance)
