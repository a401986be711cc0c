"""The recurrent network, many at once.

``h[t] = relu(x[t] W_in + h[t-1] W + b)`` with ``h[0] = 0`` before the first step, and a linear readout of the last
state. A leading axis ``runs`` holds independent networks. Notebook 07 works through this module.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class _LastState(torch.autograd.Function):
    """Last state of the recurrence, with the gradient of backpropagation through time written out.

    With δ[t] = ∂loss/∂(input of the relu at step t): δ[T] = ∂loss/∂h[T] where h[T] > 0, else 0, and
    δ[t] = δ[t+1] Wᵀ where h[t] > 0, else 0. Then ∂W = Σ h[t-1]ᵀ δ[t], ∂W_in = Σ x[t]ᵀ δ[t], ∂b = Σ δ[t].
    Adding to the sums step by step, while h and δ are still in the cache, is as fast as one product over
    all steps and needs no copy of δ.
    """

    @staticmethod
    def forward(ctx, x, w_in, w, b):
        # x (steps, runs, batch, inputs), w_in (runs, inputs, N), w (runs, N, N), b (runs, 1, N)
        h = torch.matmul(x, w_in).add_(b)  # the input of all steps at once: (steps, runs, batch, N)
        h[0].relu_()
        for t in range(1, len(h)):
            h[t].baddbmm_(h[t - 1], w).relu_()
        ctx.save_for_backward(x, w, h)
        return h[-1].clone()

    @staticmethod
    def backward(ctx, gradient):
        x, w, h = ctx.saved_tensors
        delta = gradient * (h[-1] > 0)  # (runs, batch, N)
        d_w = torch.zeros_like(w)
        # Kept transposed: with 3 rows, some BLAS kernels round differently from one memory address to another,
        # and a network would come out differently among others than alone.
        d_w_in = w.new_zeros(w.shape[0], w.shape[-1], x.shape[-1])  # (runs, N, inputs)
        d_b = w.new_zeros(w.shape[0], 1, w.shape[-1])
        for t in range(len(h) - 1, -1, -1):
            d_w_in.baddbmm_(delta.mT, x[t])
            d_b += delta.sum(1, keepdim=True)
            if t > 0:
                d_w.baddbmm_(h[t - 1].mT, delta)
                delta = torch.bmm(delta, w.mT).mul_(h[t - 1] > 0)
        return None, d_w_in.mT, d_w, d_b


def glorot_uniform(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Draw weights uniformly within ±√(6 / (rows + columns)), shape (rows, columns)."""
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


class RecurrentNetworks(nn.Module):
    """Independent recurrent networks of one size, side by side.

    Parameters
    ----------
    recurrent : array, shape (runs, N, N)
        Initial recurrent weights, ``[r, i, j]`` from neuron i to neuron j of network r.
    w_in : array, shape (runs, inputs, N)
    w_out : array, shape (runs, N, classes)
    non_negative : bool
        Whether :meth:`constrain` keeps the recurrent weights at 0 or above.

    Attributes
    ----------
    w, w_in, b, w_out, b_out : Parameter
        Recurrent, input and readout weights; biases (runs, 1, N) and (runs, 1, classes) start at 0.
    """

    def __init__(self, recurrent, w_in, w_out, non_negative: bool = False) -> None:
        super().__init__()

        def parameter(value) -> nn.Parameter:
            return nn.Parameter(torch.as_tensor(np.asarray(value), dtype=torch.float32).clone())

        self.w, self.w_in, self.w_out = parameter(recurrent), parameter(w_in), parameter(w_out)
        runs, neurons, _ = self.w.shape
        self.b = nn.Parameter(torch.zeros(runs, 1, neurons))
        self.b_out = nn.Parameter(torch.zeros(runs, 1, self.w_out.shape[-1]))
        self.non_negative = non_negative

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the readout of the last state.

        Parameters
        ----------
        x : Tensor, shape (steps, runs, batch, inputs)

        Returns
        -------
        Tensor, shape (runs, batch, classes)
            Logits.
        """
        last = _LastState.apply(x, self.w_in, self.w, self.b)  # (runs, batch, N)
        return torch.baddbmm(self.b_out, last, self.w_out)

    @torch.no_grad()
    def evaluate(self, x: torch.Tensor) -> torch.Tensor:
        """Return the same as :meth:`forward`, without keeping what a gradient would need."""
        h = torch.bmm(x[0], self.w_in).add_(self.b).relu_()  # (runs, batch, N)
        for x_t in x[1:]:
            h = torch.baddbmm(torch.bmm(x_t, self.w_in).add_(self.b), h, self.w).relu_()
        return torch.baddbmm(self.b_out, h, self.w_out)

    @torch.no_grad()
    def constrain(self) -> None:
        """Clip the recurrent weights at 0, if these networks are non-negative."""
        if self.non_negative:
            self.w.clamp_(min=0)
