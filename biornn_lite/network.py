"""The recurrent network, many at once.

``h[t] = relu(x[t] W_in + h[t-1] W + b)`` with ``h[0] = 0`` before the first step, and a linear readout of the last
state. A leading axis ``runs`` holds independent networks. Notebook 07 works through this module.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.autograd.function import once_differentiable

from .products import add_product, product, rectified_product

_STEPS_AT_ONCE = 4  # of which the backward pass sums the gradient by one product


def _stacked(w_in: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """All that acts on a neuron, one below the other: (runs, N + inputs + 1, N).

    Beside ``[h[t-1], x[t], 1]``, the recurrence is one product: ``h[t] = relu([h[t-1], x[t], 1] [W; W_in; b])``.
    """
    return torch.cat([w, w_in, b], 1)


class _LastState(torch.autograd.Function):
    """Last state of the recurrence, with the gradient of backpropagation through time written out.

    Write V = [W; W_in; b] and s[t] = [h[t-1], x[t], 1], so that h[t] = relu(s[t] V). With δ[t] = ∂loss/∂(s[t] V):
    δ[T] = ∂loss/∂h[T] where h[T] > 0, else 0, and δ[t] = δ[t+1] Wᵀ where h[t] > 0, else 0. Then
    ∂V = Σ s[t]ᵀ δ[t] holds the gradients of all three. The sum is taken over a few steps by one product, while
    their s and δ are still in the cache.
    """

    @staticmethod
    def forward(ctx, x, w_in, w, b):
        # x (steps, runs, batch, inputs), w_in (runs, inputs, N), w (runs, N, N), b (runs, 1, N)
        steps, runs, batch, _ = x.shape
        neurons = w.shape[-1]
        stacked = _stacked(w_in, w, b)
        # s[:, t] is [h after t steps, input of the next, 1]
        s = w.new_empty(runs, steps + 1, batch, stacked.shape[1])
        s[:, 0, :, :neurons] = 0
        s[:, :steps, :, neurons:-1] = x.transpose(0, 1)
        s[..., -1] = 1
        h = s[..., :neurons].unbind(1)  # steps + 1 times (runs, batch, N)
        for s_t, h_next in zip(s.unbind(1), h[1:], strict=False):
            rectified_product(s_t, stacked, out=h_next)
        ctx.save_for_backward(s, w)
        return h[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        s, w = ctx.saved_tensors
        runs, steps, batch, width = s.shape[0], s.shape[1] - 1, *s.shape[2:]
        neurons = w.shape[-1]
        h, back = s[..., :neurons].unbind(1), w.mT
        total = w.new_zeros(runs, width, neurons)
        delta = w.new_empty(runs, _STEPS_AT_ONCE, batch, neurons)
        for end in range(steps, 0, -_STEPS_AT_ONCE):
            first = max(0, end - _STEPS_AT_ONCE)
            for t in range(end - 1, first - 1, -1):
                delta_t = delta[:, t - first]
                torch.ops.aten.threshold_backward.grad_input(gradient, h[t + 1], 0, grad_input=delta_t)
                gradient = product(delta_t, back) if t > 0 else None
            add_product(total, s[:, first:end].flatten(1, 2).mT, delta[:, : end - first].flatten(1, 2))
        return None, total[:, neurons:-1], total[:, :neurons], total[:, -1:]


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
        stacked = _stacked(self.w_in, self.w, self.b)
        neurons = self.w.shape[-1]
        s, after = (x.new_zeros(*x.shape[1:3], stacked.shape[1]) for _ in range(2))  # (runs, batch, N + inputs + 1)
        s[..., -1] = after[..., -1] = 1
        for x_t in x:
            s[..., neurons:-1] = x_t
            rectified_product(s, stacked, out=after[..., :neurons])
            s, after = after, s
        return torch.baddbmm(self.b_out, s[..., :neurons], self.w_out)

    @torch.no_grad()
    def activity(self, x: torch.Tensor) -> torch.Tensor:
        """Return the state after every step.

        Parameters
        ----------
        x : Tensor, shape (steps, runs, batch, inputs)

        Returns
        -------
        Tensor, shape (steps, runs, batch, N)
        """
        h = x.new_zeros(*x.shape[1:3], self.w.shape[-1])  # (runs, batch, N)
        states = []
        for x_t in x:
            h = torch.relu(x_t @ self.w_in + h @ self.w + self.b)
            states.append(h)
        return torch.stack(states)

    @torch.no_grad()
    def constrain(self) -> None:
        """Clip the recurrent weights at 0, if these networks are non-negative."""
        if self.non_negative:
            self.w.clamp_(min=0)
