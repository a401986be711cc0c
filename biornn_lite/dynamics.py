"""What a network remembers while a trial runs: the phases of its memory, its states there, and what becomes of them.

``docs/dynamics_plan.md`` defines every measure. The *cue* is what must be remembered: the goal, the stimulus, or the
stronger channel. The *memory input* is the constant input after the cue. Steps are counted from 0.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA

from .errors import InputError
from .fixed_points import jacobian
from .network import Networks, SingleNetwork
from .plumbing.threads import small_numbers_as_zero
from .robustness import noisy_inputs
from .seeds import generator
from .slow_points import constant_input, one_run, states_of
from .tasks import GoNoGo, OneChoiceInference, PerceptualDecision, Task, get_task
from .training import Settings, held_out_trials

TIMES = ("cue end", "middle", "memory end", "last step")
"""Names of the four times of a trial."""

COHERENCE = 51.2
"""Coherence of the perceptual decision's trials, in per cent."""

LENGTHS = (1, 10, 100)
"""Numbers of memory lengths after which the difference between cues is compared with the one at the cue end."""

FATES = ("attractors", "decay", "slow or moving", "unbounded")
"""What may become of the mean states of cues; see :func:`fate`."""

_CUE_PHASES = {OneChoiceInference: "goal", GoNoGo: "stimulus", PerceptualDecision: "evidence"}


class MemoryPhases(NamedTuple):
    """Steps of a trial at which its memory is looked at, counted from 0.

    Attributes
    ----------
    cue_end : int
        Last step of the cue.
    middle : int
        Half-way between the cue end and the memory end, rounded down.
    memory_end : int
        Last step of the memory input.
    last : int
        Last step of the trial.
    x : ndarray, shape (inputs,)
        The memory input.
    steps : int
        Number of steps of the memory input, the length of the memory.
    """

    cue_end: int
    middle: int
    memory_end: int
    last: int
    x: np.ndarray
    steps: int

    @property
    def times(self) -> tuple[int, int, int, int]:
        """The four steps in the order of :data:`TIMES`."""
        return self.cue_end, self.middle, self.memory_end, self.last


def memory_phases(task: Task | str) -> MemoryPhases:
    """Find the phases of memory in the test trials of a task.

    Parameters
    ----------
    task : Task or str
        One of the three tasks, or a task of their classes with another delay.

    Raises
    ------
    InputError
        If the cue of such a task is not known, or no constant input follows it.
    """
    task = _tested(task)
    names, lengths = [name for name, _ in task.phases], [steps for _, steps in task.phases]
    cue = names.index(next(name for kind, name in _CUE_PHASES.items() if isinstance(task, kind)))
    steps = lengths[cue + 1] if cue + 1 < len(lengths) else 0
    if steps < 1:
        raise InputError(f"task {task.name} has no steps between the cue and the answer; memory needs at least one")
    cue_end = sum(lengths[: cue + 1]) - 1
    memory_end = cue_end + steps
    inputs, _ = task.trials(16, generator(0, "dynamics", "memory input"))
    during = inputs[:, cue_end + 1 : memory_end + 1]  # (16, steps, inputs)
    if (during != during[0, 0]).any():
        raise InputError(f"task {task.name} has no constant input after the cue; the phases of its memory need one")
    middle = (cue_end + memory_end) // 2
    return MemoryPhases(cue_end, middle, memory_end, task.steps - 1, during[0, 0].copy(), steps)


def _tested(task: Task | str) -> Task:
    """Return the task whose trials are the test trials, after a check that its cue is known."""
    task = get_task(task)
    task = task.tested_as or task
    if not isinstance(task, tuple(_CUE_PHASES)):
        known = ", ".join(kind.__name__ for kind in _CUE_PHASES)
        raise InputError(f"the cue of task {task.name} is not known; a task of the classes {known} is needed")
    return task


class CuedTrials(NamedTuple):
    """Noisy test trials and what must be remembered in each.

    Attributes
    ----------
    x : Tensor, shape (steps, runs, trials, inputs)
    labels : Tensor of int, shape (runs, trials)
    cues : Tensor of int, shape (runs, trials)
        The goal (0 to 3), the stimulus (0 or 1) or the stronger channel (0 or 1).
    """

    x: torch.Tensor
    labels: torch.Tensor
    cues: torch.Tensor


def cued_trials(task: Task | str, seeds: Sequence[int], count: int = 256, noise: float = 0.05) -> CuedTrials:
    """Draw the first test trials of runs, and add the input noise of training.

    The trials of the perceptual decision have coherence :data:`COHERENCE`.

    Parameters
    ----------
    task : Task or str
        As in :func:`memory_phases`.
    seeds : sequence of int
        One per run.
    count : int
        Number of trials.
    noise : float
        SD of the noise on every input at every step.
    """
    task = _tested(task)
    if isinstance(task, PerceptualDecision):
        task = replace(task, coherences=(COHERENCE,))
    if count < 1:
        raise InputError(f"{count} trials; at least one is needed")
    x, labels = held_out_trials(task, seeds, max(count, Settings.test_trials))
    x, labels = x[:, :, :count].contiguous(), labels[:, :count].contiguous()
    cues = x[0, :, :, :4].argmax(-1) if isinstance(task, OneChoiceInference) else labels
    return CuedTrials(noisy_inputs(x, noise, [generator(seed, "dynamics", "noise") for seed in seeds]), labels, cues)


class MemoryStates(NamedTuple):
    """States of networks at the four times of their trials.

    Attributes
    ----------
    states : ndarray, shape (4, runs, trials, N)
        In the order of :data:`TIMES`.
    largest : ndarray, shape (runs,)
        Largest value of any unit at any step of any trial; NaN or infinite where the states overflow.
    """

    states: np.ndarray
    largest: np.ndarray


@torch.no_grad()
def memory_states(networks: Networks, x: torch.Tensor, phases: MemoryPhases) -> MemoryStates:
    """Run networks through trials and keep the states at the four times.

    Parameters
    ----------
    networks : Networks
    x : Tensor, shape (steps, runs, trials, inputs)
        As from :func:`cued_trials`.
    phases : MemoryPhases
        Of the same task.
    """
    if len(x) != phases.last + 1:
        raise InputError(f"trials of {len(x)} steps; the phases are those of trials of {phases.last + 1} steps")
    h = x.new_zeros(*x.shape[1:3], networks.w.shape[-1])  # (runs, trials, N)
    largest, kept = x.new_zeros(x.shape[1]), {}
    for step, x_t in enumerate(x):
        h = networks.step(h, x_t)
        largest = torch.maximum(largest, h.abs().amax((1, 2)))
        if step in phases.times:
            kept[step] = h.cpu().numpy()
    return MemoryStates(np.stack([kept[step] for step in phases.times]), largest.cpu().numpy())


def cue_means(states: np.ndarray, cues: np.ndarray) -> np.ndarray:
    """Average states over the trials of each cue.

    Parameters
    ----------
    states : ndarray, shape (..., trials, N)
    cues : ndarray of int, shape (trials,)

    Returns
    -------
    ndarray of float64, shape (..., cues, N)
        In the order of the cues that occur.
    """
    states, cues = np.asarray(states, dtype=float), np.asarray(cues)
    if states.ndim < 2 or cues.shape != states.shape[-2:-1] or not len(cues):
        raise InputError(f"states of shape {states.shape} and cues of shape {cues.shape}; each trial needs one cue")
    return np.stack([states[..., cues == cue, :].mean(-2) for cue in np.unique(cues)], axis=-2)


class PrincipalAxes(NamedTuple):
    """The directions in which states vary most.

    Attributes
    ----------
    mean : ndarray, shape (N,)
    axes : ndarray, shape (k, N)
        Orthonormal, by falling variance. The largest entry of each by size is positive.
    shares : ndarray, shape (k,)
        Share of the variance along each.
    """

    mean: np.ndarray
    axes: np.ndarray
    shares: np.ndarray

    def project(self, states: np.ndarray) -> np.ndarray:
        """Return the coordinates (..., k) of states (..., N) along the axes."""
        return (np.asarray(states, dtype=float) - self.mean) @ self.axes.T


def principal_axes(states: np.ndarray, count: int = 3) -> PrincipalAxes:
    """Find the principal axes of states.

    Parameters
    ----------
    states : ndarray, shape (..., N)
    count : int
        Number of axes.
    """
    states = np.asarray(states, dtype=float)
    states = states.reshape(-1, states.shape[-1])  # (samples, N)
    if not np.isfinite(states).all():
        raise InputError("some states are infinite or NaN; principal axes need finite ones")
    if not 1 <= count <= min(states.shape):
        raise InputError(f"{count} principal axes of {len(states)} states of {states.shape[1]} units; 1 to "
                         f"{min(states.shape)} are possible")  # fmt: skip
    with np.errstate(invalid="ignore"):
        found = PCA(count, svd_solver="full").fit(states)
    axes = found.components_  # (k, N)
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], axis=1)
    return PrincipalAxes(found.mean_, axes * np.sign(largest), np.nan_to_num(found.explained_variance_ratio_))


class Fate(NamedTuple):
    """What becomes of the mean states of cues under the memory input.

    Attributes
    ----------
    kind : str
        One of :data:`FATES`.
    left : ndarray, shape (3,)
        Mean distance between cues after 1, 10 and 100 memory lengths, divided by the one at the cue end. NaN if
        there is none at the cue end, or if states overflow.
    ends : ndarray, shape (cues, N)
        The last states.
    """

    kind: str
    left: np.ndarray
    ends: np.ndarray


@torch.no_grad()
def fate(
    network: Networks | SingleNetwork,
    h: np.ndarray,
    x: np.ndarray,
    largest: float,
    memory_steps: int,
    steps: int = 2000,
) -> Fate:
    """Let a network run on from the mean state of each cue, with the memory input and without noise.

    Parameters
    ----------
    network : Networks of one run, or SingleNetwork
        It is computed in double precision.
    h : ndarray, shape (cues, N)
        Mean state of each cue at the cue end.
    x : ndarray, shape (inputs,)
        The memory input.
    largest : float
        Largest value of any unit in the trials.
    memory_steps : int
        The length of the memory.
    steps : int
        Number of further steps, and at least 100 memory lengths.

    Notes
    -----
    *Unbounded*: the value of a unit exceeds 1,000 times `largest`, or is not finite. *Attractors*: all states come to
    rest, and at least two of them rest apart, by more than 1 % of the larger of the two. *Decay*: all come to rest
    at one point. *Slow or moving*: anything else.

    A state is at rest if the last step changes it by less than a millionth of its size, or by less than 10⁻⁹. The
    second is for states that decay to zero, which never come to rest relative to their size. For this reason, a
    state for which only the second holds counts as zero.
    """
    network = one_run(network)
    x, h = constant_input(network, x), states_of(network, h, "mean states")
    if h.ndim != 2 or not len(h):
        raise InputError(f"mean states of shape {h.shape}; (cues, {network.w.shape[-1]}) is needed")
    if memory_steps < 1 or steps < 1:
        raise InputError(f"a memory of {memory_steps} steps and {steps} further steps; both must be at least 1")
    network = copy.deepcopy(network).double()
    h = torch.from_numpy(h)[None].to(network.w.device)  # (1, cues, N)
    x = torch.from_numpy(x).to(h.device).expand(*h.shape[:2], -1)  # (1, cues, inputs)
    marks = [memory_steps * length for length in LENGTHS]
    total = max(steps, marks[-1])
    trace = np.empty((total + 1, *h.shape[1:]))  # (steps + 1, cues, N)
    trace[0] = h[0].cpu()
    with small_numbers_as_zero():
        for t in range(1, total + 1):
            after = network.step(h, x)
            trace[t] = after[0].cpu()
            if torch.equal(after, h):
                trace[t:] = trace[t]
                break
            h = after
    with np.errstate(all="ignore"):
        apart = [pdist(trace[t]).mean() if h.shape[1] > 1 else 0.0 for t in (0, *marks)]
        left = np.divide(apart[1:], apart[0], out=np.full(3, np.nan), where=apart[0] > 0)
    return Fate(_kind(trace, largest), left, trace[-1])


def _kind(trace: np.ndarray, largest: float) -> str:
    """Name the fate of states (steps, cues, N)."""
    if not (np.isfinite(trace).all() and np.isfinite(largest)) or (np.abs(trace) > 1000 * largest).any():
        return "unbounded"
    before, ends = trace[-2:]  # (cues, N)
    sizes = np.linalg.norm(ends, axis=1)
    changes = np.linalg.norm(ends - before, axis=1)
    settled = changes < 1e-6 * sizes
    if not (settled | (changes < 1e-9)).all():
        return "slow or moving"
    rests = np.where(settled[:, None], ends, 0.0)
    sizes = np.linalg.norm(rests, axis=1)
    apart = squareform(pdist(rests)) > 0.01 * np.maximum(sizes, sizes[:, None])
    return "attractors" if apart.any() else "decay"


def memory_eigenvalue(network: Networks | SingleNetwork, x: np.ndarray, h: np.ndarray) -> float:
    """Mean over cues of the largest absolute eigenvalue of the Jacobian at the mean state of each cue.

    Parameters
    ----------
    network : Networks of one run, or SingleNetwork
    x : ndarray, shape (inputs,)
        The memory input.
    h : ndarray, shape (cues, N)
        Mean state of each cue at the memory end.

    Returns
    -------
    float
        NaN if the states are not finite.
    """
    if not np.isfinite(h).all():
        return float("nan")
    return float(np.abs(np.linalg.eigvals(jacobian(network, x, h))).max(-1).mean())
