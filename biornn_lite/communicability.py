"""How well any two neurons reach one another along all paths. Notebook 05 works through this module.

The communicability of ``A = |W|``, with S the diagonal matrix of its row sums, is
``C = expm(S^-½ A S^-½)`` with the diagonal set to 0 (Estrada & Hatano 2008; Crofts & Higham 2009).

``S^-½ A S^-½ = S^½ P S^-½`` where ``P = S^-1 A`` holds the probabilities of a random walk along the
connections. So ``C[i, j] = √(s_i / s_j) · expm(P)[i, j]``, and ``expm(P) = Σ P^k / k!``: e times the chance
of getting from i to j in a random walk of Poisson(1) many steps.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.linalg import expm

_COEFFICIENTS = [1 / math.factorial(k) for k in range(12)]


def communicability(weights: torch.Tensor) -> torch.Tensor:
    """Communicability of many networks, differentiable.

    The series is summed to degree 11. Rows of P sum to 1, so every term is non-negative and what is left out
    is below e/12! = 6e-9 in ∞-norm: float32 accuracy.

    Parameters
    ----------
    weights : Tensor, shape (..., N, N)

    Returns
    -------
    Tensor, shape (..., N, N)
        Diagonal 0. A neuron without outgoing weights has communicability 0 with all others.
    """
    strengths = weights.abs()  # (..., N, N)
    out = strengths.sum(-1)  # (..., N)
    connected = out > 0
    safe = torch.where(connected, out, 1.0)
    walk = strengths / safe.unsqueeze(-1)  # P, (..., N, N)
    walk2 = walk @ walk
    walk3 = walk2 @ walk
    eye = torch.eye(weights.shape[-1], dtype=weights.dtype, device=weights.device)
    # Paterson & Stockmeyer: Σ P^k / k! = B₀ + (B₁ + (B₂ + B₃ P³) P³) P³ where
    # B_q = I/(3q)! + P/(3q+1)! + P²/(3q+2)!: five products in all.
    blocks = [
        _COEFFICIENTS[k] * eye + _COEFFICIENTS[k + 1] * walk + _COEFFICIENTS[k + 2] * walk2 for k in (0, 3, 6, 9)
    ]
    total = blocks[3]
    for block in blocks[2::-1]:
        total = block + total @ walk3  # (..., N, N)
    root = torch.where(connected, safe.sqrt(), 0.0)
    inverse_root = torch.where(connected, safe.rsqrt(), 0.0)
    matrix = root.unsqueeze(-1) * total * inverse_root.unsqueeze(-2)
    return matrix * (1 - eye)


def empirical_communicability(connectome: np.ndarray, isolated: str) -> np.ndarray:
    """Communicability of a measured connectome: the target of the penalties written ``C*``.

    Parameters
    ----------
    connectome : ndarray, shape (N, N)
        Synapse counts.
    isolated : {"epsilon", "zero"}
        What a neuron without outgoing synapses gets. ``epsilon`` is the published code, which puts 1e-10 in
        place of a zero row sum: dividing by its root gives such neurons entries up to 1e5. ``zero`` says that
        they reach nobody and are reached by nobody.

    Returns
    -------
    ndarray, shape (N, N)
        Diagonal 0.
    """
    strengths = np.abs(np.asarray(connectome, dtype=np.float64))
    out = strengths.sum(axis=1)
    if isolated == "epsilon":
        inverse_root = 1 / np.sqrt(np.where(out == 0, 1e-10, out))
    elif isolated == "zero":
        inverse_root = np.divide(1.0, np.sqrt(out), out=np.zeros(len(out)), where=out > 0)
    else:
        raise ValueError(f"isolated {isolated!r}; expected epsilon or zero")
    matrix = expm(inverse_root[:, None] * strengths * inverse_root[None, :])
    np.fill_diagonal(matrix, 0.0)
    return matrix


def distribution_distance(matrix: torch.Tensor, sorted_target: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference between two sorted sets of communicabilities, differentiable in the first.

    For sets of the same size this is the earth mover's (first Wasserstein) distance between their
    distributions: it compares how common each value is and ignores who has it.

    Parameters
    ----------
    matrix : Tensor, shape (..., N, N)
    sorted_target : Tensor, shape (..., N * N)
        In increasing order.

    Returns
    -------
    Tensor, shape (...)
    """
    return (matrix.flatten(-2).sort(-1).values - sorted_target).abs().mean(-1)
