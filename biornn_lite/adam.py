"""The optimiser of the published code, Keras's Adam. Notebook 07 uses it."""

from __future__ import annotations

import torch


class Adam(torch.optim.Adam):
    """Adam with Keras's ε, on all networks at once.

    Keras adds ε to √v; PyTorch adds ε to √(v / (1−β₂ᵗ)). The two agree if PyTorch's ε is divided by √(1−β₂ᵗ). In the
    first steps this makes ε about thirty times larger, which matters for gradients near 1e-6.

    The fused kernels are not used, because they round differently at the end of an array. With them, a network
    trained together with others would differ from the same network trained alone.
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
        """Say for each network, shape (runs,), whether a running mean v of squared gradients is infinite or NaN.

        Such a network has diverged. Here an infinite v stays infinite and the weight no longer changes. Keras updates
        v by ``v += (1−β₂)(g² − v)``: ∞ − ∞ makes the weight NaN in the next step, and then the whole network.
        """
        moments = [self.state[p]["exp_avg_sq"] for group in self.param_groups for p in group["params"]]
        return torch.stack([~v.flatten(1).amax(1).isfinite() for v in moments]).any(0)
