"""The recurrent network; many networks are computed at once.

``h[t] = relu(x[t] W_in + h[t-1] W + b)`` with ``h[0] = 0`` before the first step, and a linear readout of the last
state. A leading axis ``runs`` holds independent networks. Notebook 07 works through this module.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.autograd.function import once_differentiable

from .errors import InputError
from .plumbing.matmul import add_product, product, rectified_product
from .plumbing.objects import name_of
from .variants import check_sign

_STEPS_AT_ONCE = 4  # the backward pass sums the gradient over this many steps in one product


def _stacked(w_in: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Stack all weights that act on a neuron, shape (runs, N + inputs + 1, N).

    With rows ``[h[t-1], x[t], 1]``, the recurrence is one product: ``h[t] = relu([h[t-1], x[t], 1] [W; W_in; b])``.
    """
    return torch.cat([w, w_in, b], 1)


class _LastState(torch.autograd.Function):
    """Last state of the recurrence, with an explicit gradient by backpropagation through time.

    Write V = [W; W_in; b] and s[t] = [h[t-1], x[t], 1], so that h[t] = relu(s[t] V). With δ[t] = ∂loss/∂(s[t] V):
    δ[T] = ∂loss/∂h[T] where h[T] > 0, and δ[t] = δ[t+1] Wᵀ where h[t] > 0; other entries are 0. Then
    ∂V = Σ s[t]ᵀ δ[t] holds the gradients of W, W_in and b. One product sums over a few steps, while their s and δ
    are still in the cache.
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


class Networks(nn.Module):
    """Independent recurrent networks of the same size, computed side by side in plain PyTorch, step by step.

    Your own networks inherit from this class and override :meth:`step`. Additional weights are parameters with a
    leading axis ``runs``. PyTorch's autograd computes the gradient through all steps.

    Parameters
    ----------
    recurrent : array, shape (runs, N, N)
        Initial recurrent weights, ``[r, i, j]`` from neuron i to neuron j of network r.
    w_in : array, shape (runs, inputs, N)
    w_out : array, shape (runs, N, classes)
    sign : {"free", "positive"}
        Whether recurrent weights may be negative. With ``positive``, :meth:`constrain` clips them at 0.

    Attributes
    ----------
    w, w_in, b, w_out, b_out : Parameter
        Recurrent, input and readout weights; biases (runs, 1, N) and (runs, 1, classes) start at 0.
    """

    def __init__(self, recurrent, w_in, w_out, sign: str = "free") -> None:
        super().__init__()

        def parameter(value) -> nn.Parameter:
            return nn.Parameter(torch.as_tensor(np.asarray(value), dtype=torch.float32).clone())

        self.w, self.w_in, self.w_out = parameter(recurrent), parameter(w_in), parameter(w_out)
        runs, neurons, _ = self.w.shape
        self.b = nn.Parameter(torch.zeros(runs, 1, neurons))
        self.b_out = nn.Parameter(torch.zeros(runs, 1, self.w_out.shape[-1]))
        check_sign(sign)
        self.sign = sign

    def step(self, h: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return the next state (runs, batch, N) from the previous state and the inputs (runs, batch, inputs)."""
        return torch.relu(x @ self.w_in + h @ self.w + self.b)

    def _states(self, x: torch.Tensor) -> Iterator[torch.Tensor]:
        h = x.new_zeros(*x.shape[1:3], self.w.shape[-1])  # (runs, batch, N)
        for x_t in x:
            h = self.step(h, x_t)
            yield h

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
        *_, last = self._states(x)  # (runs, batch, N)
        return torch.baddbmm(self.b_out, last, self.w_out)

    @torch.no_grad()
    def evaluate(self, x: torch.Tensor) -> torch.Tensor:
        """Return the same as :meth:`forward`, without storing data for a gradient."""
        return self(x)

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
        return torch.stack(list(self._states(x)))

    @torch.no_grad()
    def constrain(self) -> None:
        """Clip the recurrent weights at 0 if negative weights are not allowed."""
        if self.sign == "positive":
            self.w.clamp_(min=0)

    def state_of_run(self, run: int) -> dict[str, np.ndarray]:
        """Return copies of all weights and biases of one run, by name and without the axis ``runs``."""
        return {name: values.detach().cpu().numpy()[run].copy() for name, values in self.named_parameters()}

    def single(self, run: int = 0) -> SingleNetwork:
        """Return one run as a separate network with copies of its weights, for your own code."""
        return SingleNetwork(self, run)


def networks_of(
    states: Sequence[Mapping[str, np.ndarray]],
    architecture: Callable[..., Networks] | None = None,
    sign: str = "free",
) -> Networks:
    """Make networks from the weights and biases of runs, as returned by :meth:`Networks.state_of_run`.

    Parameters
    ----------
    states : sequence of mapping of str to ndarray
        One per run.
    architecture : callable, optional
        Makes the networks. Default: :class:`RecurrentNetworks`.
    sign : {"free", "positive"}
    """
    architecture = architecture or RecurrentNetworks
    ends = ("w", "w_in", "w_out")
    if any(end not in state for state in states for end in ends):
        raise InputError(f"the weights of a network have {', '.join(ends)} among them; some of these do not")
    networks = architecture(*([state[end] for state in states] for end in ends), sign)
    named = dict(networks.named_parameters())
    if differ := sorted(set().union(*(named.keys() ^ state.keys() for state in states))):
        raise InputError(f"these weights are not those of {name_of(architecture)}: {', '.join(differ)} differs")
    with torch.no_grad():
        for name, values in named.items():
            try:
                values.copy_(torch.as_tensor(np.stack([state[name] for state in states])))
            except (KeyError, ValueError, RuntimeError):
                raise InputError(f"these weights are not those of {name_of(architecture)}: {name} differs") from None
    return networks


class SingleNetwork(nn.Module):
    """One network with the usual order of axes in PyTorch: ``network(x)`` with x (batch, steps, inputs).

    Parameters
    ----------
    networks : Networks
    run : int
        Index of the network. Its weights are copied.

    Attributes
    ----------
    networks : Networks
        The network, with an axis ``runs`` of length 1.
    """

    def __init__(self, networks: Networks, run: int) -> None:
        super().__init__()
        runs = networks.w.shape[0]
        if not 0 <= run < runs:
            raise InputError(f"run is {run}; there are {runs}, counted from 0")
        self.networks = copy.deepcopy(networks)
        for module in self.networks.modules():
            for name, values in module.named_parameters(recurse=False):
                setattr(module, name, nn.Parameter(values.detach()[run : run + 1].clone()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (batch, classes) for inputs of shape (batch, steps, inputs).

        The published networks are computed step by step, which gives gradients with respect to the inputs too.
        """
        networks, x = self.networks, x.transpose(0, 1).unsqueeze(1)  # (steps, 1, batch, inputs)
        fast = type(networks).forward is RecurrentNetworks.forward
        return (Networks.forward(networks, x) if fast else networks(x)).squeeze(0)

    def activity(self, x: torch.Tensor) -> torch.Tensor:
        """Return the states, shape (batch, steps, N), for inputs of shape (batch, steps, inputs)."""
        return self.networks.activity(x.transpose(0, 1).unsqueeze(1)).squeeze(1).transpose(0, 1)


class RecurrentNetworks(Networks):
    """The published networks, with fast versions of the recurrence and its gradient.

    Parameters and attributes are those of :class:`Networks`. The fast versions know only the published step, so
    networks with another step inherit from :class:`Networks`.
    """

    def __init_subclass__(cls, **more) -> None:
        if "step" in vars(cls):
            raise InputError(
                f"{cls.__name__} has its own step, which RecurrentNetworks does not call; inherit from Networks"
            )
        super().__init_subclass__(**more)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See :meth:`Networks.forward`."""
        last = _LastState.apply(x, self.w_in, self.w, self.b)  # (runs, batch, N)
        return torch.baddbmm(self.b_out, last, self.w_out)

    @torch.no_grad()
    def evaluate(self, x: torch.Tensor) -> torch.Tensor:
        """See :meth:`Networks.evaluate`."""
        stacked = _stacked(self.w_in, self.w, self.b)
        neurons = self.w.shape[-1]
        s, after = (x.new_zeros(*x.shape[1:3], stacked.shape[1]) for _ in range(2))  # (runs, batch, N + inputs + 1)
        s[..., -1] = after[..., -1] = 1
        for x_t in x:
            s[..., neurons:-1] = x_t
            rectified_product(s, stacked, out=after[..., :neurons])
            s, after = after, s
        return torch.baddbmm(self.b_out, s[..., :neurons], self.w_out)
