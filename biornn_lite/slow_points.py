"""States at which any network rests or moves slowly under a constant input, its derivative there, and time constants.

A network of one's own may have any step that PyTorch can differentiate. The speed ``q = ½ |step(h) − h|²`` is 0 at a
fixed point and has a local minimum at other slow points (Sussillo & Barak, Neural Computation 2013; Golub & Sussillo,
Journal of Open Source Software 2018). For the published networks, :mod:`biornn_lite.fixed_points` is faster and
exact. All is computed in float64.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from .errors import InputError
from .network import Networks, SingleNetwork
from .plumbing.arrays import as_numbers, first_line
from .plumbing.objects import name_of

_AT_ONCE = 128  # Jacobians taken at once
_RESTS = 1e-9  # a step changes a fixed point by less, relative to the states
_APART = 1e-6  # points that are nearer than this, relative to their size, are one
_FLAT = 1e-7  # cosine between the change by a step and its derivatives at a minimum of the speed
_STUCK = 1e12  # damping at which no step lowers the speed any more


class SlowPoints(NamedTuple):
    """States at which the speed has a local minimum, the slowest first.

    Attributes
    ----------
    points : ndarray, shape (points, N)
    speeds : ndarray, shape (points,)
        ``q = ½ |step(h) − h|²``.
    eigenvalues : ndarray of complex, shape (points, N)
        Of :func:`jacobian`, by falling magnitude.
    fixed : ndarray of bool, shape (points,)
        Whether it is a fixed point: a step changes no unit by more than 1e-9 of the largest state.
    origin : ndarray of int, shape (starts,)
        Index of the point to which each start led; -1 if the search did not end.
    """

    points: np.ndarray
    speeds: np.ndarray
    eigenvalues: np.ndarray
    fixed: np.ndarray
    origin: np.ndarray


def one_run(network: Networks | SingleNetwork) -> Networks:
    """Check that there is one network, with finite weights."""
    networks = network.networks if isinstance(network, SingleNetwork) else network
    if not isinstance(networks, Networks):
        raise InputError(f"a network must be Networks or a SingleNetwork; this is a {name_of(type(network))}")
    if len(networks.w) != 1:
        raise InputError(f"{len(networks.w)} networks; take one of them, such as networks.single(0)")
    if not all(values.isfinite().all() for values in networks.parameters()):
        raise InputError("the network has weights that are infinite or NaN, such as after training that diverged")
    return networks


def numbers(values: object, what: str) -> np.ndarray:
    """Convert numbers of an array, a list or a tensor into a float64 array; `what` names them in an error."""
    try:
        return as_numbers(values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{what} must be real numbers; these are a {type(values).__name__}") from None


def constant_input(networks: Networks, x: object) -> np.ndarray:
    """Check a constant input, shape (inputs,)."""
    x, inputs = numbers(x, "a constant input"), networks.w_in.shape[1]
    if x.shape != (inputs,) or not np.isfinite(x).all():
        raise InputError(f"a constant input of shape {x.shape}; {inputs} finite numbers are needed")
    return x


def states_of(networks: Networks, h: object, what: str = "starts") -> np.ndarray:
    """Check states, shape (..., N)."""
    h, neurons = numbers(h, what), networks.w.shape[-1]
    if h.ndim == 0 or h.shape[-1] != neurons:
        raise InputError(f"{what} of shape {h.shape}; the last axis must have the {neurons} neurons")
    if what == "starts" and (h.ndim != 2 or not len(h)):
        raise InputError(f"starts of shape {h.shape}; (starts, {neurons}) with at least one start is needed")
    return h


# The derivative


def _step_of_one(networks: Networks, x: np.ndarray) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the step as a function of states (states, N) in float64, under a constant input."""
    networks = copy.deepcopy(networks).double().requires_grad_(False)
    constant = torch.from_numpy(x).to(networks.w.device)

    def step(h: torch.Tensor) -> torch.Tensor:
        return networks.step(h[None], constant.expand(1, len(h), -1))[0]

    return step


def _jacobians(step: Callable[[torch.Tensor], torch.Tensor], h: torch.Tensor) -> torch.Tensor:
    """Return ∂h'[j] / ∂h[i] at each of the states (states, N), shape (states, N, N)."""

    def of_one(state: torch.Tensor) -> torch.Tensor:
        return step(state[None])[0]

    return torch.func.vmap(torch.func.jacrev(of_one), chunk_size=_AT_ONCE)(h).mT


def _told(networks: Networks, error: Exception) -> InputError:
    return InputError(
        f"the step of {name_of(type(networks))} cannot be computed in float64 and differentiated; its tensors must "
        f"be parameters or buffers, and nothing in it random ({first_line(error)})"
    )


def jacobian(network: Networks | SingleNetwork, x: object, h: object) -> np.ndarray:
    """Differentiate a step exactly.

    Parameters
    ----------
    network : Networks of one run, or SingleNetwork
        With any step.
    x : array, shape (inputs,)
        The input.
    h : array, shape (..., N)
        States. At a threshold of a relu, PyTorch takes the derivative from below, 0.

    Returns
    -------
    ndarray, shape (..., N, N)
        ``[..., i, j] = ∂h'[j] / ∂h[i]``: from neuron i to neuron j, like the weights.
    """
    networks = one_run(network)
    x, h = constant_input(networks, x), states_of(networks, h, "states")
    if not h.size:
        return np.zeros((*h.shape, h.shape[-1]))
    try:
        flat = torch.from_numpy(h.reshape(-1, h.shape[-1])).to(networks.w.device)
        found = _jacobians(_step_of_one(networks, x), flat)
    except (RuntimeError, TypeError) as error:
        raise _told(networks, error) from None
    return found.detach().cpu().numpy().reshape(*h.shape, h.shape[-1])


def eigenvalues_of(jacobians: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of matrices (..., N, N) by falling magnitude, shape (..., N), complex."""
    found = np.linalg.eigvals(jacobians).astype(complex)
    order = np.lexsort((-found.imag, -found.real, -np.abs(found).round(12)))
    return np.take_along_axis(found, order, axis=-1)


def time_constant(eigenvalue: complex | np.ndarray) -> float | np.ndarray:
    """Return the steps in which a deviation shrinks to 1/e, ``−1 / ln |eigenvalue|``.

    0 for an eigenvalue of 0; infinite from 1 on, where nothing shrinks. Arrays give an array.
    """
    size = np.abs(np.asarray(eigenvalue, dtype=complex))
    with np.errstate(divide="ignore"):
        steps = np.where(size >= 1, np.inf, -1 / np.log(np.where(size >= 1, 0.5, size)))
    return float(steps) if steps.ndim == 0 else steps


# The search


def merged(h: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Merge states (states, N) that are nearer than 1e-6 of the larger of the two, or than `least`, in each unit.

    Returns
    -------
    first : ndarray of int, shape (points,)
        Index of the first state of each point.
    origin : ndarray of int, shape (states,)
        Point of each state.
    """
    sizes, origin, first = np.abs(h).max(1, initial=0), np.full(len(h), -1), []
    for k in range(len(h)):
        if origin[k] < 0:
            near = np.abs(h - h[k]).max(1, initial=0) <= np.maximum(_APART * np.maximum(sizes, sizes[k]), least)
            origin[near & (origin < 0)] = len(first)
            first.append(k)
    return np.array(first, dtype=int), origin


def in_order(*keys: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort points by keys, the first one first; return their order, and `origin` with the new indices."""
    order = np.lexsort(keys[::-1])
    place = np.append(np.argsort(order), -1)  # the last one is for origins of -1
    return order, place[origin]


def _minimised(
    step: Callable[[torch.Tensor], torch.Tensor], h: torch.Tensor, scale: float, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lower the speed from all states (states, N) at once, by Levenberg and Marquardt's method.

    Returns states, and whether the search ended at each.
    """
    h, eye = h.clone(), torch.eye(h.shape[-1], dtype=h.dtype, device=h.device)
    damping, ended = h.new_full((len(h),), 1e-3), torch.zeros(len(h), dtype=torch.bool, device=h.device)
    for _ in range(steps):
        open_ = (~ended).nonzero()[:, 0]
        if not len(open_):
            break
        now, mu = h[open_], damping[open_]
        change = step(now) - now  # (open, N)
        slope = _jacobians(step, now) - eye  # ∂change[j] / ∂h[i], (open, N, N)
        gradient = (slope @ change[..., None])[..., 0]  # of q, (open, N)
        size = change.norm(dim=1)
        flat = gradient.norm(dim=1) <= _FLAT * slope.flatten(1).norm(dim=1) * size
        squares = slope @ slope.mT
        weight = mu * squares.diagonal(dim1=1, dim2=2).amax(1).clamp(min=1e-30)
        moved = torch.linalg.solve_ex(squares + weight[:, None, None] * eye, -gradient[..., None])[0][..., 0]
        tried = now + moved
        after = (step(tried) - tried).norm(dim=1)
        better = after < size
        h[open_] = torch.where(better[:, None], tried, now)
        damping[open_] = torch.where(better, (mu / 10).clamp(min=1e-15), mu * 10)
        rests = torch.where(better, after, size) <= _RESTS * 1e-3 * scale
        ended[open_] = rests | (flat & ~better) | (mu > _STUCK) | ~size.isfinite()
    return h, ended


def slow_points(network: Networks | SingleNetwork, x: object, starts: object, steps: int = 300) -> SlowPoints:
    """Find fixed points and other slow points of a network with any step, under a constant input.

    Parameters
    ----------
    network : Networks of one run, or SingleNetwork
    x : array, shape (inputs,)
        The input.
    starts : array, shape (starts, N)
        States from which the search starts.
    steps : int
        Of the search, at most.

    Returns
    -------
    SlowPoints
        Local minima of the speed. Those that are not `fixed` are only slow, some not even that: look at `speeds`.
        Starts that are not finite, or from which the search did not end, lead nowhere.
    """
    networks = one_run(network)
    x, starts = constant_input(networks, x), states_of(networks, starts)
    finite = np.flatnonzero(np.isfinite(starts).all(1))
    h = torch.from_numpy(starts[finite]).to(networks.w.device)
    try:
        step = _step_of_one(networks, x)
        scale = max(float(each.abs().max()) for each in (h, step(h))) if len(h) else 0.0
        h, ended = _minimised(step, h, scale, steps) if len(h) else (h, h.new_zeros(0, dtype=torch.bool))
        change = step(h) - h if len(h) else h
        ended &= h.isfinite().all(1) & change.isfinite().all(1)
        h, change, ended = h[ended].cpu().numpy(), change[ended].cpu().numpy(), ended.cpu().numpy()
    except (RuntimeError, TypeError) as error:
        raise _told(networks, error) from None
    speeds = (change**2).sum(1) / 2
    slowest = np.argsort(speeds, kind="stable")  # the slowest of those that are one stands for them
    first, which = merged(h[slowest], 1e-7 * scale)
    points, speeds, change = (each[slowest][first] for each in (h, speeds, change))
    origin = np.full(len(starts), -1)
    origin[finite[ended][slowest]] = which
    fixed = np.abs(change).max(1, initial=0) <= _RESTS * np.maximum(np.abs(points).max(1, initial=0), 1e-3 * scale)
    order, origin = in_order(~fixed, np.where(fixed, 0, speeds), np.linalg.norm(points, axis=1), origin=origin)
    points = points[order]
    return SlowPoints(points, speeds[order], eigenvalues_of(jacobian(networks, x, points)), fixed[order], origin)
