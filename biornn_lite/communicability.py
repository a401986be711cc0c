"""How well any two neurons reach each other along all paths. Notebook 05 works through this module.

The communicability of ``A = |W|``, with S the diagonal matrix of its row sums, is
``C = expm(S^-½ A S^-½)`` with the diagonal set to 0 (Estrada & Hatano 2008; Crofts & Higham 2009).

``S^-½ A S^-½ = S^½ P S^-½`` where ``P = S^-1 A`` holds the probabilities of a random walk along the
connections. Therefore ``C[i, j] = √(s_i / s_j) · expm(P)[i, j]`` with ``expm(P) = Σ P^k / k!``. This is e times
the probability that a random walk from i ends at j if its number of steps follows a Poisson(1) distribution.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from .errors import InputError
from .field import CorticalField
from .plumbing.matmul import add_product, product
from .seeds import generator
from .space import distances
from .weights import functional, lognormal_draws

_BLOCKS = {torch.float32: 3, torch.float64: 4}
"""Number q of blocks of the series for each precision; q blocks sum the series to degree q²."""


def _exponential(walk: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Sum Σ P^k / k! to degree q² in 2q - 2 products (Paterson & Stockmeyer 1973).

    The blocks are B_i = Σ P^k / (iq + k)! over k = 0 … q-1; the last block includes k = q. The sum is
    B_0 + (B_1 + (B_2 + …) P^q) P^q. Entries of P are non-negative and its rows sum to at most 1. Each row of the
    omitted remainder therefore sums to less than e / (q² + 1)!: 8e-7 for float32, 8e-15 for float64.

    Parameters
    ----------
    walk : Tensor, shape (runs, N, N)
        P.

    Returns
    -------
    powers : list of Tensor
        P, P², … P^q.
    sums : list of Tensor
        The brackets from the innermost to the outermost; the last one is the whole sum.
    """
    q = _BLOCKS[walk.dtype]
    powers = [walk]
    for _ in range(q - 1):
        powers.append(product(powers[-1], walk))
    sums: list[torch.Tensor] = []
    for block in range(q - 1, -1, -1):
        total = product(sums[-1], powers[-1]) if sums else powers[-1] / math.factorial(q * q)
        for k in range(1, q):
            total.add_(powers[k - 1], alpha=1 / math.factorial(block * q + k))
        total.diagonal(dim1=-2, dim2=-1).add_(1 / math.factorial(block * q))
        sums.append(total)
    return powers, sums


def _exponential_gradient(gradient, powers: list[torch.Tensor], sums: list[torch.Tensor]) -> torch.Tensor:
    """Turn the gradient with respect to the sum of :func:`_exponential` into the gradient with respect to P.

    For a product X Y with gradient G, the gradient is G Yᵀ with respect to X and Xᵀ G with respect to Y.
    """
    q = len(powers)
    by_power = [torch.zeros_like(gradient) for _ in powers]  # ∂/∂P^k, k = 1 … q
    for block in range(q):
        for k in range(1, q):
            by_power[k - 1].add_(gradient, alpha=1 / math.factorial(block * q + k))
        if block < q - 1:
            add_product(by_power[-1], sums[q - 2 - block].mT, gradient)
            gradient = product(gradient, powers[-1].mT)
    by_power[-1].add_(gradient, alpha=1 / math.factorial(q * q))
    for k in range(q - 1, 0, -1):  # P^(k+1) = P^k P
        add_product(by_power[0], powers[k - 1].mT, by_power[k])
        add_product(by_power[k - 1], by_power[k], powers[0].mT)
    return by_power[0]


class _Communicability(torch.autograd.Function):
    """Communicability with an explicit gradient.

    Off the diagonal, C[i, j] = √(s_i / s_j) E[i, j] with E = expm(P), P = A / s and s the row sums of A. Let G be
    ∂loss/∂C with the diagonal ignored. Then ∂E = G √(s_i / s_j), and :func:`_exponential_gradient` turns ∂E into ∂P.
    ∂s_i = (½ Σ_j (G⊙C)[i, j] − ½ Σ_k (G⊙C)[k, i] − Σ_j (∂P⊙P)[i, j]) / s_i, and ∂A[i, j] = ∂P[i, j] / s_i + ∂s_i.
    """

    @staticmethod
    def forward(ctx, weights):
        strengths = weights.abs()  # (runs, N, N)
        out = strengths.sum(-1, keepdim=True)  # (runs, N, 1)
        connected = out > 0
        out = torch.where(connected, out, 1.0)
        scale = torch.where(connected, out.sqrt(), 0.0) * torch.where(connected, out.rsqrt(), 0.0).mT
        scale.diagonal(dim1=-2, dim2=-1).zero_()  # √(s_i / s_j), (runs, N, N)
        powers, sums = _exponential(strengths / out)
        matrix = sums[-1] * scale
        ctx.save_for_backward(weights, out, scale, matrix, *powers, *sums[:-1])
        return matrix

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        weights, out, scale, matrix, *rest = ctx.saved_tensors
        q = _BLOCKS[weights.dtype]
        powers, sums = rest[:q], rest[q:]
        of_walk = _exponential_gradient(gradient * scale, powers, sums)
        pull = gradient * matrix
        of_out = (pull.sum(-1, keepdim=True) - pull.sum(-2, keepdim=True).mT) / 2
        of_out -= (of_walk * powers[0]).sum(-1, keepdim=True)
        return (of_walk + of_out) / out * weights.sign()


def communicability(weights: torch.Tensor) -> torch.Tensor:
    """Communicability of many networks. It can be differentiated once.

    Parameters
    ----------
    weights : Tensor of float32 or float64, shape (..., N, N)

    Returns
    -------
    Tensor, shape (..., N, N)
        Diagonal 0. A neuron without outgoing weights has communicability 0 with all others.
    """
    if weights.dtype not in _BLOCKS:
        raise InputError(f"weights are {weights.dtype}; expected float32 or float64")
    return _Communicability.apply(weights.reshape(-1, *weights.shape[-2:])).view_as(weights)


def empirical_communicability(connectome: np.ndarray, isolated: str) -> np.ndarray:
    """Communicability of a measured connectome: the target of the penalties named ``C*``.

    Parameters
    ----------
    connectome : ndarray, shape (N, N)
        Synapse counts, from row to column.
    isolated : {"epsilon", "zero"}
        How neurons without outgoing synapses are treated. ``epsilon`` is the published code: it replaces a row
        sum of 0 by 1e-10. Division by the root of 1e-10 gives such neurons entries up to 1e5. ``zero`` sets their
        communicability with all other neurons to 0, in both directions.

    Returns
    -------
    ndarray, shape (N, N)
        Diagonal 0.
    """
    if isolated not in ("epsilon", "zero"):
        raise InputError(f"isolated is {isolated!r}; it allows epsilon, zero")
    strengths = np.abs(np.asarray(connectome, dtype=np.float64))
    out = strengths.sum(axis=1)
    filled = np.where(out == 0, 1e-10, out)
    walk = torch.from_numpy(strengths / filled[:, None])
    matrix = _exponential(walk.unsqueeze(0))[1][-1].squeeze(0).numpy()
    inverse_root = np.where((out == 0) & (isolated == "zero"), 0.0, 1 / np.sqrt(filled))
    matrix *= np.sqrt(filled)[:, None]
    matrix *= inverse_root
    np.fill_diagonal(matrix, 0.0)
    return matrix


class _DistributionDistance(torch.autograd.Function):
    """Mean absolute difference of the sorted values; its gradient is the sign of each difference.

    Value and gradient share one sort. On a CPU, NumPy sorts several times faster than PyTorch.
    """

    @staticmethod
    def forward(ctx, values, sorted_target):
        if values.device.type == "cpu":
            order = torch.from_numpy(np.argsort(values.numpy(), axis=-1))  # (runs, N * N)
        else:
            order = values.argsort(-1)
        difference = values.gather(-1, order).sub_(sorted_target)
        ctx.save_for_backward(order, difference)
        return difference.abs().mean(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        order, difference = ctx.saved_tensors
        share = difference.sign() * (gradient / difference.shape[-1]).unsqueeze(-1)
        return torch.empty_like(difference).scatter_(-1, order, share), None


def distribution_distance(matrix: torch.Tensor, sorted_target: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference between two sorted sets of communicabilities; differentiable in the first set.

    For sets of the same size this is the earth mover's (first Wasserstein) distance between their
    distributions. It compares how common each value is and ignores which pair of neurons has the value.

    Parameters
    ----------
    matrix : Tensor, shape (..., N, N)
    sorted_target : Tensor, shape (..., N * N)
        In increasing order.

    Returns
    -------
    Tensor, shape (...)
    """
    return _DistributionDistance.apply(matrix.flatten(-2), sorted_target)


NETWORKS = {
    "nearby": "the nearer the stronger, exp(−distance / 50 µm)",
    "functional": "functional weights, diagonal removed",
    "connectome": "synapses of the connectome",
}
"""The possible sources of connection strengths."""


def strengths_of(field: CorticalField, network: str) -> np.ndarray:
    """Return the connection strengths A of one of :data:`NETWORKS`, shape (N, N), from row to column."""
    if network == "connectome":
        return field.part("connectome", "this network").astype(float)
    if network == "functional":
        draws = lognormal_draws(field.neurons, generator(0, "lognormal"))
        similarities = (field.part(name, "this network") for name in ("correlation", "sttc"))
        return functional(draws, *similarities, self_connections="removed")
    strengths = np.exp(-distances(field.positions) / 50)
    np.fill_diagonal(strengths, 0)
    return strengths


def transitions(strengths: np.ndarray) -> np.ndarray:
    """Return the probabilities P of one step of a random walk, shape (N, N).

    Each row is divided by its sum; a row of zeros stays.
    """
    out = strengths.sum(axis=1, keepdims=True)
    return np.divide(strengths, out, out=np.zeros_like(strengths), where=out > 0)
