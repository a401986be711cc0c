"""What trained networks lose when they are disturbed: noise, damage, coarse weights and pruning.

``docs/robustness_plan.md`` says which severities are measured. Each function takes networks with a leading axis
``runs`` and returns changed copies. Random functions take one :class:`numpy.random.Generator` per run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral

import numpy as np
import torch

from .errors import InputError
from .network import Networks
from .seeds import generator

RECURRENT, ALL = ("w",), ("w", "w_in", "w_out")
"""The matrices that may be quantised: recurrent weights, or input and readout weights too."""


# Accuracy


def accuracies(networks, x: torch.Tensor, labels: torch.Tensor, chunk: int = 640) -> np.ndarray:
    """Share of right answers of each network.

    Parameters
    ----------
    networks : Networks, or an object with their method ``evaluate``
    x : Tensor, shape (steps, runs, trials, inputs)
    labels : Tensor of int, shape (runs, trials)
    chunk : int
        Trials evaluated at once.

    Returns
    -------
    ndarray, shape (runs,)
        A trial in which the activity overflows counts as guessed: ``1 / classes``.
    """
    if x.ndim != 4 or tuple(x.shape[1:3]) != tuple(labels.shape) or not labels.numel():
        raise InputError(
            f"trials have inputs of shape {tuple(x.shape)} and labels of shape {tuple(labels.shape)}; expected "
            "(steps, runs, trials, inputs) and (runs, trials)"
        )
    right: torch.Tensor | float = 0.0
    for first in range(0, labels.shape[1], chunk):
        logits = networks.evaluate(x[:, :, first : first + chunk])  # (runs, chunk, classes)
        answered = (logits.argmax(-1) == labels[:, first : first + chunk]).double()
        right = right + answered.where(logits.isfinite().all(-1), 1 / logits.shape[-1]).sum(1)
    return (right / labels.shape[1]).cpu().numpy()


def _changed(networks: Networks, **weights: torch.Tensor) -> Networks:
    """Copy networks and replace some of their weights."""
    networks = copy.deepcopy(networks).requires_grad_(False)
    for name, values in weights.items():
        getattr(networks, name).copy_(values)
    return networks


def _checked(level: float, what: str, most: float = np.inf) -> float:
    if not 0 <= level <= most:
        up_to = "" if np.isinf(most) else f" and at most {most:g}"
        raise InputError(f"{what} is {level!r}; it must be at least 0{up_to}")
    return float(level)


def _normal(shape: Sequence[int], rngs: Sequence[np.random.Generator], runs: int) -> torch.Tensor:
    """Draw standard normal numbers of shape (runs, *shape), each run's from its own generator."""
    if len(rngs) != runs:
        raise InputError(f"{len(rngs)} generators of random numbers for {runs} networks; one for each is needed")
    return torch.from_numpy(np.stack([rng.standard_normal(shape, dtype=np.float32) for rng in rngs]))


# Noise


def noisy_inputs(x: torch.Tensor, sd: float, rngs: Sequence[np.random.Generator]) -> torch.Tensor:
    """Add Gaussian noise to every input at every step; x has shape (steps, runs, trials, inputs)."""
    steps, runs, *rest = x.shape
    noise = _normal((steps, *rest), rngs, runs).transpose(0, 1)
    return x + _checked(sd, "the SD of input noise") * noise.to(x.device)


def noisy_weights(
    networks: Networks, level: float, rngs: Sequence[np.random.Generator], proportional: bool = False
) -> Networks:
    """Add Gaussian noise to the recurrent weights that are not 0.

    Parameters
    ----------
    networks : Networks
    level : float
        SD of the noise, relative to the SD of the network's recurrent weights that are not 0; with `proportional`,
        relative to each weight.
    rngs : sequence of Generator
    proportional : bool
    """
    w = networks.w.detach()  # (runs, N, N)
    noise = _normal(w.shape[1:], rngs, len(w)).to(w.device) * _checked(level, "the level of weight noise")
    if not proportional:
        noise = noise * torch.stack([_sd_of_nonzero(each) for each in w])[:, None, None]
        return _changed(networks, w=torch.where(w != 0, w + noise, w))
    return _changed(networks, w=w + noise * w)


def _sd_of_nonzero(w: torch.Tensor) -> torch.Tensor:
    present = w[w != 0]
    return present.std(correction=0) if len(present) else w.new_zeros(())


def root_mean_square(networks: Networks, x: torch.Tensor) -> torch.Tensor:
    """Return the root mean square of the states over steps, trials and neurons, shape (runs,)."""
    with torch.no_grad():
        means = torch.stack([h.square().mean((1, 2)) for h in networks._states(x)])  # (steps, runs)
    return means.mean(0).sqrt()


class NoisyStates:
    """Networks whose states get Gaussian noise after every step, the last one included.

    Parameters
    ----------
    networks : Networks
    sd : Tensor, shape (runs,)
    rngs : sequence of Generator
    """

    def __init__(self, networks: Networks, sd: torch.Tensor, rngs: Sequence[np.random.Generator]) -> None:
        self.networks, self.sd, self.rngs = networks, sd, rngs

    @torch.no_grad()
    def evaluate(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (runs, trials, classes) for inputs (steps, runs, trials, inputs)."""
        networks = self.networks
        h = x.new_zeros(*x.shape[1:3], networks.w.shape[-1])  # (runs, trials, N)
        for x_t in x:
            noise = _normal(h.shape[1:], self.rngs, len(h)).to(h.device)
            h = networks.step(h, x_t) + self.sd[:, None, None] * noise
        return torch.baddbmm(networks.b_out, h, networks.w_out)


def noisy_states(
    networks: Networks, x: torch.Tensor, level: float, rngs: Sequence[np.random.Generator]
) -> NoisyStates:
    """Disturb the states by noise with an SD relative to the root mean square of the undisturbed states."""
    sd = _checked(level, "the level of state noise") * root_mean_square(networks, x)
    return NoisyStates(networks, sd, rngs)


# Damage


def silenced(networks: Networks, units: np.ndarray) -> Networks:
    """Set all weights from and to some units, and their biases, to 0, as if the units were deleted.

    Parameters
    ----------
    networks : Networks
    units : ndarray of bool, shape (runs, N)
        The units to silence.
    """
    stay = _mask(~_as_bool(units, networks.w.shape[:2], "units"), networks)[:, :, None]  # (runs, N, 1)
    w, w_in, b, w_out = (getattr(networks, name).detach() for name in ("w", "w_in", "b", "w_out"))
    return _changed(networks, w=w * stay * stay.mT, w_in=w_in * stay.mT, b=b * stay.mT, w_out=w_out * stay)


def cut(networks: Networks, synapses: np.ndarray) -> Networks:
    """Set some recurrent weights to 0; `synapses` is a bool array of shape (runs, N, N)."""
    gone = _as_bool(synapses, networks.w.shape, "synapses")
    return _changed(networks, w=networks.w.detach() * _mask(~gone, networks))


def self_connections_cut(networks: Networks) -> Networks:
    """Set all self-connections to 0."""
    return cut(networks, _diagonal(networks))


def others_cut(networks: Networks) -> Networks:
    """Set all recurrent weights but self-connections to 0."""
    return cut(networks, ~_diagonal(networks))


def _diagonal(networks: Networks) -> np.ndarray:
    runs, neurons, _ = networks.w.shape
    return np.broadcast_to(np.eye(neurons, dtype=bool), (runs, neurons, neurons))


def _as_bool(values: np.ndarray, shape: Sequence[int], what: str) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype != bool or values.shape != tuple(shape):
        raise InputError(f"{what} are {values.dtype} of shape {values.shape}; bool of shape {tuple(shape)} is needed")
    return values


def _mask(values: np.ndarray, networks: Networks) -> torch.Tensor:
    return torch.as_tensor(values, dtype=networks.w.dtype, device=networks.w.device)


def chosen_units(networks: Networks, share: float, rngs: Sequence[np.random.Generator] | None = None) -> np.ndarray:
    """Choose a share of the units, at least one unless the share is 0.

    Parameters
    ----------
    networks : Networks
    share : float
        From 0 to 1; the number of units is rounded.
    rngs : sequence of Generator, optional
        Choose at random; equal generators choose a larger part of one order. Default: strongest first, by the sum
        of ``|W|`` from and to a unit, in which its self-connection counts once.

    Returns
    -------
    ndarray of bool, shape (runs, N)
    """
    w = np.abs(_weights(networks))  # (runs, N, N)
    runs, neurons, _ = w.shape
    strength = w.sum(1) + w.sum(2) - np.diagonal(w, axis1=1, axis2=2)  # (runs, N)
    count = max(int(share > 0), round(_checked(share, "the share of units", 1.0) * neurons))
    return _first(-strength if rngs is None else _uniform(rngs, runs, neurons), np.full(runs, count))


def chosen_synapses(
    networks: Networks, share: float, rngs: Sequence[np.random.Generator] | None = None
) -> np.ndarray:
    """Choose a share of the recurrent weights that are not 0, self-connections among them.

    Parameters
    ----------
    networks : Networks
    share : float
        From 0 to 1; the number is rounded.
    rngs : sequence of Generator, optional
        Choose at random. Default: strongest first, by ``|W|``.

    Returns
    -------
    ndarray of bool, shape (runs, N, N)
    """
    w = np.abs(_weights(networks))
    flat = w.reshape(len(w), -1)  # (runs, N²)
    scores = -flat if rngs is None else np.where(flat > 0, _uniform(rngs, *flat.shape), np.inf)
    counts = np.rint(_checked(share, "the share of synapses", 1.0) * (flat > 0).sum(1))
    return _first(scores, counts).reshape(w.shape)


def _weights(networks: Networks) -> np.ndarray:
    return networks.w.detach().cpu().numpy()


def _uniform(rngs: Sequence[np.random.Generator], runs: int, items: int) -> np.ndarray:
    if len(rngs) != runs:
        raise InputError(f"{len(rngs)} generators of random numbers for {runs} networks; one for each is needed")
    return np.stack([rng.random(items) for rng in rngs])


def _first(scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark the `counts` items of each run with the lowest scores, shape (runs, items); ties by their place."""
    ranks = scores.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return ranks < counts[:, None]


# Precision


def quantise(weights: torch.Tensor, bits: int, per_row: bool = False) -> torch.Tensor:
    """Round weights to few values.

    Parameters
    ----------
    weights : Tensor, shape (runs, rows, columns)
    bits : int
        From 2 on: the nearest multiple of ``Δ = max|w| / (2^(bits − 1) − 1)``, halves to the even one. 1: ``+α`` for
        w ≥ 0 and ``−α`` otherwise, with ``α = mean|w|``.
    per_row : bool
        Give every row (the outgoing weights of a unit or input) its own Δ or α. Default: one for the matrix.
    """
    if isinstance(bits, bool) or not isinstance(bits, Integral) or not 1 <= bits <= 16:
        raise InputError(f"bits is {bits!r}; it must be a whole number from 1 to 16")
    axes = (-1,) if per_row else (-2, -1)
    if bits == 1:
        return torch.where(weights >= 0, 1.0, -1.0) * weights.abs().mean(axes, keepdim=True)
    delta = weights.abs().amax(axes, keepdim=True) / (2 ** (bits - 1) - 1)
    return torch.where(delta > 0, (weights / delta).round() * delta, weights)


def quantised(networks: Networks, bits: int, per_row: bool = False, matrices: Sequence[str] = RECURRENT) -> Networks:
    """Round weights of networks, see :func:`quantise`; biases stay as they are."""
    return _changed(
        networks, **{name: quantise(getattr(networks, name).detach(), bits, per_row) for name in matrices}
    )


# Pruning


def pruned(networks: Networks, share: float) -> Networks:
    """Keep the largest share of the N² recurrent weights by ``|W|``; set the others to 0."""
    w = np.abs(_weights(networks))
    flat = w.reshape(len(w), -1)
    count = round(_checked(share, "the share of weights to keep", 1.0) * flat.shape[1])
    kept = _first(-flat, np.full(len(w), count)).reshape(w.shape)
    return cut(networks, ~kept)


# Degradation


@dataclass(frozen=True)
class Disturbance:
    """A way to disturb networks, with its severities.

    Attributes
    ----------
    name : str
    severities : tuple of float
        In the order of their harm, without the undisturbed case.
    disturb : callable
        Takes networks, inputs (steps, runs, trials, inputs), a severity and one generator per run; returns networks
        and inputs.
    draws : int
        Number of random draws over which the accuracy is averaged.
    """

    name: str
    severities: tuple[float, ...]
    disturb: Callable[[Networks, torch.Tensor, float, Sequence[np.random.Generator]], tuple]
    draws: int = 1


def degradation(
    networks: Networks, x: torch.Tensor, labels: torch.Tensor, disturbance: Disturbance, seeds: Sequence[int]
) -> np.ndarray:
    """Measure the accuracy at every severity of a disturbance.

    Each draw uses the same random numbers for all severities, and for all networks with the same seed.

    Parameters
    ----------
    networks : Networks
    x, labels : Tensor
        As in :func:`accuracies`.
    disturbance : Disturbance
    seeds : sequence of int
        One per run.

    Returns
    -------
    ndarray, shape (severities, runs)
    """
    curve = np.zeros((len(disturbance.severities), len(networks.w)))
    for draw in range(disturbance.draws):
        for k, severity in enumerate(disturbance.severities):
            rngs = [generator(seed, "disturbance", disturbance.name, str(draw)) for seed in seeds]
            changed, inputs = disturbance.disturb(networks, x, severity, rngs)
            curve[k] += accuracies(changed, inputs, labels) / disturbance.draws
    return curve


def area(curves: np.ndarray) -> np.ndarray:
    """Mean of curves over severities in equal steps (trapezoid rule); the first axis is the severity, from 0 on."""
    curves = np.asarray(curves, dtype=float)
    if len(curves) < 2:
        raise InputError(f"a curve of {len(curves)} severities has no area; at least 2 are needed, 0 among them")
    return ((curves[:-1] + curves[1:]) / 2).mean(axis=0)


def retained(gains: np.ndarray, learns_above: float = 0.5) -> np.ndarray:
    """Divide gains by the undisturbed gain, the first along the first axis; at least 0, and NaN without learning."""
    gains = np.asarray(gains, dtype=float)
    clean = np.where(gains[0] > learns_above, gains[0], np.nan)
    return np.maximum(gains / clean, 0)


def _on_weights(change: Callable) -> Callable:
    return lambda networks, x, severity, rngs: (change(networks, severity, rngs), x)


def _at_random(silence: Callable, choose: Callable) -> Callable:
    return _on_weights(lambda networks, share, rngs: silence(networks, choose(networks, share, rngs)))


def _strongest(silence: Callable, choose: Callable) -> Callable:
    return _on_weights(lambda networks, share, _: silence(networks, choose(networks, share)))


def _rounded(per_row: bool, matrices: Sequence[str]) -> Callable:
    return _on_weights(lambda networks, bits, _: quantised(networks, int(bits), per_row, matrices))


_SHARES, _LEVELS, _BITS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5), (0.01, 0.03, 0.1, 0.3, 1.0), (8, 6, 5, 4, 3, 2, 1)

KEPT = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
"""Shares of recurrent weights that pruning keeps."""

DISTURBANCES: dict[str, Disturbance] = {
    each.name: each
    for each in (
        Disturbance(
            "input noise", (0.05, 0.1, 0.2, 0.4, 0.8),
            lambda networks, x, sd, rngs: (networks, noisy_inputs(x, sd, rngs)),
        ),
        Disturbance(
            "state noise", (0.05, 0.1, 0.2, 0.5, 1.0),
            lambda networks, x, level, rngs: (noisy_states(networks, x, level, rngs), x),
        ),
        Disturbance("weight noise", _LEVELS, _on_weights(noisy_weights), 2),
        Disturbance(
            "weight noise, proportional", _LEVELS, _on_weights(partial(noisy_weights, proportional=True)), 2
        ),
        Disturbance("units silenced, at random", _SHARES, _at_random(silenced, chosen_units), 4),
        Disturbance("units silenced, strongest first", _SHARES, _strongest(silenced, chosen_units)),
        Disturbance("synapses cut, at random", _SHARES, _at_random(cut, chosen_synapses), 4),
        Disturbance("synapses cut, strongest first", _SHARES, _strongest(cut, chosen_synapses)),
        Disturbance("self-connections cut", (1.0,), _on_weights(lambda networks, *_: self_connections_cut(networks))),
        Disturbance("others cut", (1.0,), _on_weights(lambda networks, *_: others_cut(networks))),
        Disturbance("bits, recurrent, per matrix", _BITS, _rounded(False, RECURRENT)),
        Disturbance("bits, recurrent, per row", _BITS, _rounded(True, RECURRENT)),
        Disturbance("bits, all, per matrix", _BITS, _rounded(False, ALL)),
        Disturbance("bits, all, per row", _BITS, _rounded(True, ALL)),
        Disturbance("pruned", KEPT, _on_weights(lambda networks, share, _: pruned(networks, share))),
    )
}  # fmt: skip
"""The disturbances of the plan by name."""
