"""Fixed points of a relu network under a constant input: states that a step does not change, and their stability.

As long as the same units are active, the network is linear. In such a pattern A of active units the fixed point
solves ``h_A = h_A W_AA + drive_A`` with ``drive = x W_in + b``; the other units are 0. It is a fixed point of the
network if, there, the active units are above their threshold and the others are not. Newton's method goes from
pattern to pattern. Networks with another step have :func:`biornn_lite.slow_points.slow_points`. All is computed in
float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from .errors import InputError
from .network import Networks, SingleNetwork
from .plumbing.objects import name_of
from .slow_points import SlowPoints as SlowPoints  # one door for both kinds of search
from .slow_points import constant_input, eigenvalues_of, in_order, merged, numbers, one_run, states_of
from .slow_points import jacobian as jacobian
from .slow_points import slow_points as slow_points
from .slow_points import time_constant as time_constant

TOLERANCE = 1e-12
"""A step may change a fixed point by this much, relative to what is added up in it."""

MARGIN = 1e-9
"""An eigenvalue counts as below 1 if it is by this much, so that 1 does not, however it is rounded."""

_SINGULAR = 1e-13  # ratio of the smallest to the largest pivot
_AT_ONCE = 256  # patterns solved at once
# What a search does in turn, and for how many steps at most; each phase goes on with the states that still move.
_PHASES = (
    ("newton", 1), ("newton", 30), ("damped", 30), ("network", 100), ("newton", 1), ("newton", 20),
    ("network", 400), ("newton", 20), ("damped", 60),
)  # fmt: skip


class FixedPoints(NamedTuple):
    """Fixed points, the stable ones first, then by the size of the state.

    Attributes
    ----------
    points : ndarray, shape (points, N)
    eigenvalues : ndarray of complex, shape (points, N)
        Of the Jacobian ``[i, j] = ∂h'[j] / ∂h[i]``, which is W[i, j] where unit j is active and 0 elsewhere; by
        falling magnitude.
    stable : ndarray of bool, shape (points,)
        Whether all eigenvalues have a size below 1, so that small deviations shrink in the end. False at exactly 1.
    origin : ndarray of int, shape (starts,)
        Index of the point to which each start led; -1 if the search did not end.
    at_threshold : ndarray of bool, shape (points,)
        Whether a unit is exactly at its threshold, where the network has no derivative; such as all units at 0
        without input and biases. There, such units count as active in the eigenvalues, and `stable` says whether
        many small deviations all shrink.
    """

    points: np.ndarray
    eigenvalues: np.ndarray
    stable: np.ndarray
    origin: np.ndarray
    at_threshold: np.ndarray


# One pattern of active units


def _in_patterns(w: np.ndarray, drive: np.ndarray, active: np.ndarray) -> np.ndarray:
    """Solve in patterns (patterns, N) of active units, shape (patterns, N); rows of NaN where it is singular."""
    w, drive, active = (torch.from_numpy(np.ascontiguousarray(each, dtype=float)) for each in (w, drive, active))
    # h = (h W + drive) D with D the diagonal of active units, so (I - D Wᵀ) h = D drive.
    matrices = torch.eye(len(w), dtype=w.dtype) - active[:, :, None] * w.T  # (patterns, N, N)
    factors, pivots, _ = torch.linalg.lu_factor_ex(matrices)
    sizes = factors.diagonal(dim1=1, dim2=2).abs()  # (patterns, N)
    points = torch.linalg.lu_solve(factors, pivots, (active * drive)[..., None])[..., 0]
    singular = ~(sizes.amin(1) > _SINGULAR * sizes.amax(1))
    return torch.where(active > 0, points, 0.0).masked_fill(singular[:, None], torch.nan).numpy()


def _checked_pattern(w: object, drive: object, active: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    w, drive, active = numbers(w, "weights"), numbers(drive, "a drive"), np.asarray(active)
    if w.ndim != 2 or w.shape != 2 * drive.shape or not len(w):
        raise InputError(f"weights of shape {w.shape} and a drive of shape {drive.shape}; (N, N) and (N,) are needed")
    if active.shape != drive.shape or active.dtype != bool:
        raise InputError(f"active units are {active.dtype} of shape {active.shape}; {len(w)} times True or False")
    if not (np.isfinite(w).all() and np.isfinite(drive).all()):
        raise InputError(
            "weights or a drive are infinite or NaN; a pattern of active units has no solution with these"
        )
    return w, drive, active


def solve_in_pattern(w: np.ndarray, drive: np.ndarray, active: np.ndarray) -> np.ndarray | None:
    """Return the state that a step would not change if exactly these units were active.

    Parameters
    ----------
    w : ndarray, shape (N, N)
        ``[i, j]`` from neuron i to neuron j.
    drive : ndarray, shape (N,)
        What a neuron gets besides: ``x @ w_in + b``.
    active : ndarray of bool, shape (N,)

    Returns
    -------
    ndarray, shape (N,), or None
        Solution of ``h_A = h_A W_AA + drive_A``, and 0 in the other units; None if there is not exactly one. It is a
        fixed point of the network only if it is :func:`consistent`.
    """
    w, drive, active = _checked_pattern(w, drive, active)
    point = _in_patterns(w, drive, active[None])[0]
    return None if np.isnan(point).any() else point


def consistent(w: np.ndarray, drive: np.ndarray, point: np.ndarray, active: np.ndarray) -> bool:
    """Check that a point is a fixed point with this pattern of active units, up to rounding.

    Parameters
    ----------
    w, drive, active : ndarray
        As in :func:`solve_in_pattern`.
    point : ndarray, shape (N,)

    Returns
    -------
    bool
        Whether a step keeps the point, and the summed input ``point @ w + drive`` is at least 0 in active units and
        at most 0 in the others.
    """
    w, drive, active = _checked_pattern(w, drive, active)
    point = numbers(point, "a point")
    if point.shape != drive.shape:
        raise InputError(f"a point of shape {point.shape}; one state of {len(w)} units is needed")
    summed, rounding = point @ w + drive, _rounding(w, drive, point[None])[0]
    right = np.where(active, summed >= -rounding, summed <= rounding).all()
    return bool(right and np.abs(np.maximum(summed, 0) - point).max() <= rounding)


def _rounding(w: np.ndarray, drive: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the change by a step that still counts as none at states (states, N), shape (states,)."""
    most = 1 + np.abs(w).sum(0).max()
    return TOLERANCE * (most * np.abs(h).max(1, initial=0) + np.abs(drive).max())


# Newton's method from pattern to pattern


class _Search:
    """Newton's method on ``relu(h W + drive) - h`` from many states at once; solved patterns are kept."""

    def __init__(self, w: np.ndarray, drive: np.ndarray) -> None:
        self.w, self.drive = w, drive
        self.solved: dict[bytes, np.ndarray] = {}

    def step(self, h: np.ndarray) -> np.ndarray:
        """Return the next states of the network."""
        return np.maximum(h @ self.w + self.drive, 0)

    def rests(self, h: np.ndarray) -> np.ndarray:
        """Mark states that are fixed points, shape (states,)."""
        return np.abs(self.step(h) - h).max(1, initial=0) <= _rounding(self.w, self.drive, h)

    def target(self, h: np.ndarray) -> np.ndarray:
        """Return where a Newton step leads from each state: the solution in the pattern of its active units.

        A singular pattern has no solution, or many. There, the shortest step is taken that comes nearest to one.
        """
        active = h @ self.w + self.drive > 0  # (states, N)
        keys = [row.tobytes() for row in np.packbits(active, axis=1)]
        new = [*{key: k for k, key in enumerate(keys) if key not in self.solved}.values()]
        for first in range(0, len(new), _AT_ONCE):
            some = new[first : first + _AT_ONCE]
            self.solved |= zip([keys[k] for k in some], _in_patterns(self.w, self.drive, active[some]), strict=True)
        found = np.stack([self.solved[key] for key in keys])
        for k in np.flatnonzero(np.isnan(found).any(1)):
            matrix = np.eye(len(self.w)) - active[k][:, None] * self.w.T
            found[k] = h[k] + np.linalg.lstsq(matrix, self.step(h[k]) - h[k], rcond=1e-12)[0]
        return found

    def damped(self, h: np.ndarray) -> np.ndarray:
        """Go that part of a Newton step after which the network moves least; if none is better, a network step."""
        target, best = self.target(h), self.step(h)
        least = np.linalg.norm(best - h, axis=1)
        for part in 0.5 ** np.arange(8):
            tried = h + part * (target - h)
            moves = np.linalg.norm(self.step(tried) - tried, axis=1)
            better = moves < least
            best[better], least[better] = tried[better], moves[better]
        return best

    def run(self, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Search from states (states, N); return where it ended, and whether that is a fixed point."""
        h, which = h.copy(), np.arange(len(h))
        moves = {"newton": self.target, "damped": self.damped, "network": self.step}
        for kind, steps in _PHASES:
            h, same = np.unique(h, axis=0, return_inverse=True)  # a Newton step unites all states of a pattern
            which = same.reshape(-1)[which]
            for _ in range(steps):
                still = np.flatnonzero(~self.rests(h) & (np.abs(h).max(1, initial=0) < 1e100))
                if not len(still):
                    break
                h[still] = moves[kind](h[still])
        found = self.rests(h)
        if found.any():  # the solution in the pattern is more exact
            exact = self.target(h[found])
            h[found] = np.where(self.rests(exact)[:, None], exact, h[found])
        return h[which], found[which]


def find_fixed_points(network: Networks | SingleNetwork, x: object, starts: object) -> FixedPoints:
    """Find fixed points of a relu network under a constant input.

    Parameters
    ----------
    network : Networks of one run, or SingleNetwork
        With the published step.
    x : array, shape (inputs,)
        The input.
    starts : array, shape (starts, N)
        States from which the search starts. A point is found from states with its pattern of active units, and
        usually from many more. There is no guarantee that all points are found.

    Returns
    -------
    FixedPoints
        All are checked with a step of the network. Of a continuous set, such as a line, the points that were reached.
        A network may have none; starts that are not finite lead nowhere.
    """
    networks = one_run(network)
    if type(networks).step is not Networks.step:
        raise InputError(
            f"{name_of(type(networks))} has its own step; slow_points finds the fixed points of any step"
        )
    x, starts = constant_input(networks, x), states_of(networks, starts)
    w, w_in, b = (getattr(networks, name).detach().cpu().double().numpy()[0] for name in ("w", "w_in", "b"))
    drive = x @ w_in + b[0]  # (N,)
    origin, finite = np.full(len(starts), -1), np.flatnonzero(np.isfinite(starts).all(1))
    with np.errstate(all="ignore"):
        h, found = _Search(w, drive).run(starts[finite])
    first, origin[finite[found]] = merged(h[found], 1e-9 * np.abs(drive).max())
    points = h[found][first]
    eigenvalues, stable, at_threshold = _stability(w, drive, points)
    sizes = np.linalg.norm(points, axis=1).round(12)
    order, origin = in_order(~stable, sizes, *points.T.round(9), origin=origin)
    return FixedPoints(points[order], eigenvalues[order], stable[order], origin, at_threshold[order])


# Stability


def _stability(w: np.ndarray, drive: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return eigenvalues, whether points (points, N) are stable, and whether a unit is at its threshold."""
    summed = points @ w + drive  # (points, N)
    level = np.abs(summed) <= _rounding(w, drive, points)[:, None]
    patterns, which = np.unique((summed > 0) | level, axis=0, return_inverse=True)
    eigenvalues = np.zeros((len(patterns), len(w)), dtype=complex)
    for k, pattern in enumerate(patterns):
        eigenvalues[k] = eigenvalues_of(w * pattern)
    eigenvalues = eigenvalues[which.reshape(-1)]
    stable, at_threshold = np.abs(eigenvalues).max(1, initial=0) < 1 - MARGIN, level.any(1)
    for k in np.flatnonzero(at_threshold):
        stable[k] = _shrink(w, (summed[k] > 0) & ~level[k], level[k])
    return eigenvalues, stable, at_threshold


def _shrink(w: np.ndarray, active: np.ndarray, level: np.ndarray, steps: int = 1000) -> bool:
    """Follow small deviations from a point at which the units `level` are at a threshold: whether they all shrink.

    Next to the point, the network is ``v → v W``, of which inactive units take nothing, and those at their threshold
    only what is positive. This is the same at every scale, so deviations are scaled back after each step.
    """
    rng = np.random.default_rng(0)  # 32 directions, and every unit alone
    v = np.vstack([rng.normal(size=(32, len(w))), np.eye(len(w))])
    growth = np.zeros(len(v))
    for k in range(steps):
        v = np.where(level, np.maximum(v @ w, 0), active * (v @ w))
        sizes = np.linalg.norm(v, axis=1)
        v, growth, sizes = (each[sizes > 1e-200] for each in (v, growth, sizes))  # the others are gone
        v /= sizes[:, None]
        growth += np.log(sizes) if k >= steps // 2 else 0
    return bool((growth < -MARGIN * (steps - steps // 2)).all())
