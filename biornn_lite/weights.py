"""Initial recurrent weights: orthogonal, functional, relabelled, and starts that serve as controls.

All matrices are ``W[i, j]``, from neuron i to neuron j. Notebook 03 works through this module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.linalg import ArpackError, eigs

from .errors import InputError

if TYPE_CHECKING:
    from .field import CorticalField

MEAN = 0.1
"""Functional weights are first scaled to this mean."""

LEAST = 0.01
"""Positive functional weights below this value are raised to it; zeros stay zero."""

SPECTRAL_RADIUS = 0.95
"""Spectral radius of the finished functional weights."""


def spectral_radius(weights: np.ndarray) -> float:
    """Largest absolute eigenvalue of a matrix of shape (N, N).

    For 500 neurons or more, finding all eigenvalues takes seconds to hours. If such a matrix is non-negative, a
    faster search for the largest eigenvalue alone is tried first.
    """
    if len(weights) >= 500 and weights.min() >= 0:
        root = _perron_root(weights)
        if root is not None:
            return root
    return float(np.abs(np.linalg.eigvals(weights)).max())


def _perron_root(weights: np.ndarray) -> float | None:
    """Spectral radius of a non-negative matrix by the Arnoldi iteration, or None if there is no proof of the value.

    For any positive vector x, the radius lies between the smallest and the largest of (W x)_i / x_i (Collatz &
    Wielandt). If these ratios are all equal for the vector found, they prove the radius.
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
        If all eigenvalues are zero; no factor can change a spectral radius of 0.
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
    return q * np.sign(np.diag(r))  # with the signs of R fixed, the factorisation and therefore Q are unique


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

    There are four steps. Each similarity is scaled to the range from 0 to 1. The lognormal draws are multiplied
    by all similarities and scaled to mean 0.1. Non-zero entries below 0.01 are raised to 0.01. The result is scaled
    to spectral radius 0.95.

    Parameters
    ----------
    lognormal : ndarray, shape (N, N)
        Positive draws, see :func:`lognormal_draws`.
    *similarities : ndarray, shape (N, N)
        The published ones are correlation and spike time tiling coefficient. Both have diagonal 1. For this
        reason, self-connections become about 200 times larger than the other weights.
    self_connections : {"kept", "removed", "only"}
        How the diagonal is treated before the product is scaled: ``removed`` sets it to 0. ``only`` sets all
        other entries to 0, which gives a control without information about the brain.

    Returns
    -------
    ndarray, shape (N, N)
        Non-negative.
    """
    weights = lognormal.copy()
    if self_connections == "only":
        # Every similarity is 1 on the diagonal, so only the lognormal draws remain.
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
    """Make ``W!`` from ``W*``: the same values at other positions.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    rng : numpy.random.Generator
    how : {"permuted", "shuffled", "shuffled_off_diagonal"}
        ``permuted`` gives the neurons new labels: rows and columns change together, and the graph, the diagonal
        values and the spectrum stay the same. ``shuffled`` mixes all entries. ``shuffled_off_diagonal`` mixes all
        entries off the diagonal. After both shuffles, the weights are scaled to spectral radius 0.95 again.

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


def positive(weights: np.ndarray, rescale: bool) -> np.ndarray:
    """Clip weights at 0 for networks without inhibition.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    rescale : bool
        Scale the result to spectral radius 0.95. The published code does not: the spectral radius of an
        orthogonal matrix clipped at 0 grows like √N / √(2π) and is about 7 for 312 neurons.
    """
    clipped = np.maximum(weights, 0.0)
    return with_spectral_radius(clipped) if rescale else clipped


# Starts that the paper does not have. A variant takes one as its `weights` and calls it with a field and a random
# stream. Examples: Variant("I", Identity()), Variant("0.9 I", Identity(0.9)).


@dataclass(frozen=True)
class Gaussian:
    """Independent normal weights, scaled to a spectral radius."""

    radius: float = SPECTRAL_RADIUS

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        return with_spectral_radius(rng.normal(size=(field.neurons,) * 2), self.radius)


@dataclass(frozen=True)
class Orthogonal:
    """A random orthogonal matrix times a factor, which becomes its spectral radius; ``W`` has factor 1."""

    radius: float = 1.0

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        return self.radius * orthogonal(field.neurons, rng)


@dataclass(frozen=True)
class Identity:
    """Equal self-connections and no other weights: αI (Le, Jaitly & Hinton 2015)."""

    alpha: float = 1.0

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        return self.alpha * np.eye(field.neurons)


@dataclass(frozen=True)
class IdentityPlusOrthogonal:
    """αI plus a random orthogonal matrix times β."""

    alpha: float = 0.95
    beta: float = 0.1

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        return self.alpha * np.eye(field.neurons) + self.beta * orthogonal(field.neurons, rng)


@dataclass(frozen=True)
class Functional:
    """Functional weights with these choices; by default ``W*`` of the published protocol, from the same stream.

    Choices of a study's protocol do not reach it. Under ``Protocol(self_connections="removed")``, for example,
    ``Functional(self_connections="removed")`` equals ``W*``. The same holds for starts that are made of this one.

    Attributes
    ----------
    measures : tuple of str
        Parts of the field that are multiplied, such as ``("correlation", "sttc")``.
    self_connections : {"kept", "removed", "only"}
        As in :func:`functional`.
    """

    measures: tuple[str, ...] = ("correlation", "sttc")
    self_connections: str = "kept"

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        similarities = [field.part(measure, "this start") for measure in self.measures]
        draws = lognormal_draws(field.neurons, rng)
        return functional(draws, *similarities, self_connections=self.self_connections)


@dataclass(frozen=True)
class SameSpectrum:
    """``Q W Qᵀ`` of another start W with a random orthogonal Q. It keeps only the eigenvalues of W."""

    start: Callable = Functional()

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        matrix = self.start(field, rng)
        q = orthogonal(field.neurons, rng)
        return q @ matrix @ q.T


@dataclass(frozen=True)
class SameStrengths:
    """Another start with shuffled off-diagonal entries; each neuron's strengths in and out are then restored.

    The diagonal stays. Rows and columns are scaled in turn until all sums equal those of the start (Sinkhorn 1967).
    """

    start: Callable = Functional()

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N).

        Raises
        ------
        InputError
            If the start has negative entries or the sums cannot be restored.
        """
        matrix = self.start(field, rng)
        if matrix.min() < 0:
            raise InputError("SameStrengths needs a start without negative weights")
        off = ~np.eye(len(matrix), dtype=bool)
        wanted = np.where(off, matrix, 0.0)
        mixed = np.zeros_like(matrix)
        mixed[off] = rng.permutation(matrix[off])
        for _ in range(1000):
            mixed *= _ratio(wanted.sum(axis=1), mixed.sum(axis=1))[:, None]
            mixed *= _ratio(wanted.sum(axis=0), mixed.sum(axis=0))
            if np.allclose(mixed.sum(axis=1), wanted.sum(axis=1), rtol=1e-9, atol=0):
                return mixed + np.diag(np.diag(matrix))
        raise InputError("SameStrengths cannot restore the sums of these weights; too many of them are 0")


def _ratio(wanted: np.ndarray, sums: np.ndarray) -> np.ndarray:
    return np.divide(wanted, sums, out=np.zeros_like(wanted), where=sums > 0)
