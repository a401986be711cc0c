"""Initial recurrent weights: orthogonal, functional, relabelled, and controls.

All matrices are ``W[i, j]``, from neuron i to neuron j. Notebook 03 works through this module.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import ArpackError, eigs

from .errors import InputError

MEAN = 0.1
"""Mean that functional weights are scaled to."""

LEAST = 0.01
"""Functional weights between 0 and this are raised to it; zeros stay."""

SPECTRAL_RADIUS = 0.95
"""Spectral radius of functional weights in the end."""


def spectral_radius(weights: np.ndarray) -> float:
    """Largest absolute eigenvalue of a matrix of shape (N, N).

    From 500 neurons on, where finding all eigenvalues takes seconds to hours, that of a non-negative matrix is
    first sought alone.
    """
    if len(weights) >= 500 and weights.min() >= 0:
        root = _perron_root(weights)
        if root is not None:
            return root
    return float(np.abs(np.linalg.eigvals(weights)).max())


def _perron_root(weights: np.ndarray) -> float | None:
    """Spectral radius of a non-negative matrix by the Arnoldi iteration, or None if it is not proven to be that.

    For any positive vector x, the radius lies between the smallest and the largest of (W x)_i / x_i (Collatz &
    Wielandt), so the vector that the iteration finds proves its own value.
    """
    try:
        _, vectors = eigs(weights, k=1, which="LR", v0=np.ones(len(weights)))
    except ArpackError:
        return None
    x = np.abs(vectors[:, 0])
    if not x.all():
        return None
    ratios = weights @ x / x
    return float(ratios.mean()) if np.ptp(ratios) <= 1e-9 * ratios.mean() else None


def with_spectral_radius(weights: np.ndarray, radius: float = SPECTRAL_RADIUS) -> np.ndarray:
    """Scale a matrix of shape (N, N) to a spectral radius.

    Raises
    ------
    InputError
        If all eigenvalues are zero, so that no factor can do it.
    """
    current = spectral_radius(weights)
    if current < 1e-12:
        raise InputError(
            "these weights have spectral radius 0, as those without a closed loop do, and cannot be scaled to another"
        )
    return weights * (radius / current)


def orthogonal(neurons: int, rng: np.random.Generator) -> np.ndarray:
    """Draw an orthogonal matrix uniformly (Haar measure), shape (N, N): initial weights ``W``."""
    q, r = np.linalg.qr(rng.normal(size=(neurons, neurons)))
    return q * np.sign(np.diag(r))  # fixing the signs of R makes the factorisation, and so Q, unique


def min_max(matrix: np.ndarray) -> np.ndarray:
    """Shift and scale a matrix so that its smallest entry is 0 and its largest 1.

    Raises
    ------
    InputError
        If all entries are equal.
    """
    low, high = matrix.min(), matrix.max()
    if low == high:
        raise InputError(f"all entries are {low}; nothing to scale between 0 and 1")
    return (matrix - low) / (high - low)


def functional(lognormal: np.ndarray, *similarities: np.ndarray, self_connections: str = "kept") -> np.ndarray:
    """Build functional weights ``W*`` from measured similarities of activity.

    The product of the lognormal draws and each similarity, scaled from 0 to 1, is scaled to mean 0.1; its
    non-zero entries are raised to at least 0.01; the result is scaled to spectral radius 0.95.

    Parameters
    ----------
    lognormal : ndarray, shape (N, N)
        Positive draws, see :func:`lognormal_draws`.
    *similarities : ndarray, shape (N, N)
        As published, correlation and spike time tiling coefficient. Both have diagonal 1, which is why
        the weights of neurons onto themselves come out some 200 times larger than the others.
    self_connections : {"kept", "removed", "only"}
        What becomes of the diagonal, before any scaling: ``removed`` sets it to 0, ``only`` sets all else
        to 0 (a control that holds nothing of the brain).

    Returns
    -------
    ndarray, shape (N, N)
        Non-negative.
    """
    weights = lognormal.copy()
    if self_connections == "only":
        # Where every similarity is 1, so that only the lognormal draws remain.
        weights = np.diag(np.diag(weights))
    else:
        for similarity in similarities:
            weights *= min_max(similarity)
        if self_connections == "removed":
            np.fill_diagonal(weights, 0.0)
        elif self_connections != "kept":
            raise InputError(f"self_connections is {self_connections!r}; it allows kept, removed, only")
    weights *= MEAN / weights.mean()
    weights = np.where(weights > 0, np.maximum(weights, LEAST), 0.0)
    return with_spectral_radius(weights)


def lognormal_draws(neurons: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the lognormal factors of functional weights (μ −0.5, σ 0.5), shape (N, N)."""
    return rng.lognormal(-0.5, 0.5, (neurons, neurons))


def relabelled(weights: np.ndarray, rng: np.random.Generator, how: str = "permuted") -> np.ndarray:
    """Make ``W!`` from ``W*``: the same values in other places.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    rng : numpy.random.Generator
    how : {"permuted", "shuffled", "shuffled_off_diagonal"}
        ``permuted`` gives the neurons new labels, rows and columns together: the same graph, diagonal and
        spectrum. ``shuffled`` mixes all entries. ``shuffled_off_diagonal`` mixes all but the diagonal.
        The shuffles end with spectral radius 0.95 again.

    Returns
    -------
    ndarray, shape (N, N)
    """
    n = len(weights)
    if how == "permuted":
        order = rng.permutation(n)
        return weights[np.ix_(order, order)]
    if how == "shuffled":
        mixed = rng.permutation(weights.ravel()).reshape(n, n)
    elif how == "shuffled_off_diagonal":
        mixed, off = weights.copy(), ~np.eye(n, dtype=bool)
        mixed[off] = rng.permutation(weights[off])
    else:
        raise InputError(f"relabelling is {how!r}; it allows permuted, shuffled, shuffled_off_diagonal")
    return with_spectral_radius(mixed)


def non_negative(weights: np.ndarray, rescale: bool) -> np.ndarray:
    """Clip weights at 0 for networks without inhibition.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    rescale : bool
        Scale the result to spectral radius 0.95. As published it is not: an orthogonal matrix clipped at
        0 has a spectral radius that grows like √N / √(2π), about 7 for 312 neurons.
    """
    clipped = np.maximum(weights, 0.0)
    return with_spectral_radius(clipped) if rescale else clipped
