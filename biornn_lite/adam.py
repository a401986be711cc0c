"""The optimiser of the published code, Keras's Adam. Notebook 07 uses it."""

from __future__ import annotations

import torch


class Adam(torch.optim.Adam):
    """Adam with Keras's ε, on all networks at once.

    Keras adds ε to √v, PyTorch to √(v / (1−β₂ᵗ)): the two agree if PyTorch's ε is divided by √(1−β₂ᵗ). At the
    first steps that makes ε thirty times larger, which is felt where gradients are near 1e-6.

    The fused kernels are not used: they round differently at the end of an array, and a network would come out
    differently among others than alone.
    """

    def __init__(self, parameters, learning_rate: float, epsilon: float) -> None:
        super().__init__(parameters, lr=learning_rate, foreach=True)
        self._epsilon, self._steps = epsilon, 0

    def step(self) -> None:
        """Take one step along the gradients."""
        self._steps += 1
        for group in self.param_groups:
            group["eps"] = self._epsilon / (1 - group["betas"][1] ** self._steps) ** 0.5
        super().step()

    def overflowed(self) -> torch.Tensor:
        """Say for each network, shape (runs,), whether some v, the mean of squared gradients, is no finite number.

        Such a network is lost. Here v stays infinite and the weight stands still; Keras updates v by
        ``v += (1−β₂)(g² − v)``, in which ∞ − ∞ makes the weight NaN in the next step, and then the network.
        """
        moments = [self.state[p]["exp_avg_sq"] for group in self.param_groups for p in group["params"]]
        return torch.stack([~v.flatten(1).amax(1).isfinite() for v in moments]).any(0)
