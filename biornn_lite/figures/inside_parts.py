"""A trained network taken apart: its states in trials, what cuts leave of it, and what can be decoded from it.

The figures of :mod:`biornn_lite.figures.inside` show it, for notebook 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ..dynamics import (
    CuedTrials,
    MemoryPhases,
    PrincipalAxes,
    cue_means,
    cued_trials,
    memory_phases,
    principal_axes,
)
from ..errors import InputError
from ..fixed_points import FixedPoints, find_fixed_points, jacobian
from ..memory import CUTS, GROUPS, cut_networks, decoding, unit_groups
from ..network import Networks
from ..plumbing.threads import small_numbers_as_zero, threads, threads_for
from ..robustness import accuracies
from ..seeds import generator
from ..tasks import OneChoiceInference, Task, get_task
from ..training import held_out_trials

# One network


@dataclass(frozen=True, eq=False)
class Inside:
    """A network of one task with its states in noisy test trials.

    Attributes
    ----------
    name : str
    task : Task
    seed : int
    networks : Networks
        With an axis ``runs`` of length 1.
    phases : MemoryPhases
    trials : CuedTrials
    """

    name: str
    task: Task
    seed: int
    networks: Networks
    phases: MemoryPhases
    trials: CuedTrials

    @property
    def cues(self) -> np.ndarray:
        """What must be remembered in each trial, shape (trials,)."""
        return self.trials.cues[0].numpy()

    @property
    def cue_names(self) -> tuple[str, ...]:
        """The names of the cues."""
        names = self.task.channels[:4] if isinstance(self.task, OneChoiceInference) else self.task.answers
        return tuple(names)

    @property
    def weights(self) -> np.ndarray:
        """The recurrent weights, shape (N, N)."""
        return self.networks.w[0].detach().numpy().astype(float)

    @cached_property
    def states(self) -> np.ndarray:
        """The states after every step, shape (steps, trials, N)."""
        return self.states_of(self.networks)

    def states_of(self, networks: Networks) -> np.ndarray:
        """Return the states of a changed copy of the network in the same trials."""
        with small_numbers_as_zero(), threads(threads_for(networks.w.shape[-1])):
            return networks.activity(self.trials.x)[:, 0].numpy()

    @cached_property
    def at_times(self) -> np.ndarray:
        """The states at the four times of :data:`biornn_lite.dynamics.TIMES`, shape (4, trials, N)."""
        return self.states[list(self.phases.times)]

    @cached_property
    def means(self) -> np.ndarray:
        """The mean state of each cue at the four times, shape (4, cues, N)."""
        return cue_means(self.at_times, self.cues)

    @cached_property
    def axes(self) -> PrincipalAxes:
        """The two directions in which the states of all steps vary most."""
        return principal_axes(self.states, 2)

    @cached_property
    def fixed_points(self) -> FixedPoints:
        """The fixed points under the memory input, searched from states of 32 trials and from 64 random ones."""
        rng = generator(self.seed, "inside", "starts")
        seen = self.at_times[:, :32].reshape(-1, self.states.shape[-1])
        random = rng.uniform(0, self.states.max(), (64, self.states.shape[-1]))
        return find_fixed_points(self.networks, self.phases.x, np.vstack([seen, random]))

    def margins(self, networks: Networks | None = None) -> np.ndarray:
        """Logit of the right answer minus the largest other one, as if read at every step, shape (steps, trials)."""
        states = self.states if networks is None else self.states_of(networks)
        networks = self.networks if networks is None else networks
        w_out, b_out = networks.w_out[0].detach().numpy(), networks.b_out[0].detach().numpy()
        logits = states @ w_out + b_out  # (steps, trials, classes)
        right = np.eye(logits.shape[-1], dtype=bool)[self.trials.labels[0].numpy()]  # (trials, classes)
        return logits[:, right] - np.where(right, -np.inf, logits).max(-1)


def look_inside(name: str, networks: Networks, task: Task | str, seed: int, trials: int = 128) -> Inside:
    """Put a network beside noisy test trials of its seed.

    Parameters
    ----------
    name : str
        What to call it, such as its start.
    networks : Networks
        With an axis ``runs`` of length 1, such as ``trained.networks`` of
        :class:`biornn_lite.trained_networks.TrainedNetwork`.
    task : Task or str
    seed : int
        With which it was trained.
    trials : int
        Number of trials.
    """
    task = get_task(task)
    if len(networks.w) != 1:
        raise InputError(f"{len(networks.w)} networks side by side; look inside one at a time")
    if not all(values.isfinite().all() for values in networks.parameters()):
        raise InputError(f"{name} has infinite weights or NaN: it diverged, and there is nothing to look at")
    if networks.w_in.shape[1] != task.inputs or networks.w_out.shape[-1] != task.classes:
        raise InputError(
            f"{name} has {networks.w_in.shape[1]} inputs and {networks.w_out.shape[-1]} answers; {task.title} has "
            f"{task.inputs} and {task.classes}"
        )
    return Inside(str(name), task, seed, networks, memory_phases(task), cued_trials(task, [seed], trials))


# What is measured in it


def cut_table(insides: Sequence[Inside], trials: int = 640) -> pd.DataFrame:
    """Measure accuracies of cut networks on their first test trials, without noise.

    Parameters
    ----------
    insides : sequence of Inside
    trials : int

    Returns
    -------
    DataFrame
        A row per network and a column per cut. Index ``start``, ``task``, ``seed``, which is
        the network's name; columns :data:`biornn_lite.memory.CUTS`.
    """
    rows = {}
    for inside in insides:
        x, labels = held_out_trials(inside.task, [inside.seed], trials)
        with small_numbers_as_zero(), threads(threads_for(inside.networks.w.shape[-1])):
            rows[inside.name, inside.task.name, inside.seed] = [
                float(accuracies(cut_networks(inside.networks, cut), x, labels)[0]) for cut in CUTS
            ]
    index = pd.MultiIndex.from_tuples(rows, names=["start", "task", "seed"])
    return pd.DataFrame([*rows.values()], index=index, columns=[*CUTS])


def delay_table(insides: Sequence[Inside], delays: Sequence[int], trials: int = 100) -> pd.DataFrame:
    """Measure accuracies of networks in trials with other delays than the one of their training, without noise.

    Parameters
    ----------
    insides : sequence of Inside
        Of tasks with a ``delay``.
    delays : sequence of int
        In steps.
    trials : int

    Returns
    -------
    DataFrame
        Index ``delay``, a column per network.
    """
    found = {}
    for inside in insides:
        if not hasattr(inside.task, "delay"):
            raise InputError(f"{inside.task.title} has no delay that could be another one")
        tasks = [replace(inside.task, delay=int(delay)) for delay in delays]
        with small_numbers_as_zero(), threads(threads_for(inside.networks.w.shape[-1])):
            found[inside.name] = [
                float(accuracies(inside.networks, *held_out_trials(task, [inside.seed], trials))[0]) for task in tasks
            ]
    return pd.DataFrame(found, index=pd.Index(delays, name="delay"))


def jacobians_at(inside: Inside) -> dict[str, np.ndarray]:
    """Take the Jacobian at each fixed point; if there is none, at the mean state of each cue at the memory end."""
    found = inside.fixed_points
    if len(found.points):
        names = [f"{inside.name}, {'stable' if stable else 'unstable'} point" for stable in found.stable]
        states = found.points
    else:
        names, states = [f"{inside.name}, {cue}" for cue in inside.cue_names], inside.means[2]
    numbered = [name if names.count(name) == 1 else f"{name} {k + 1}" for k, name in enumerate(names)]
    return dict(zip(numbered, jacobian(inside.networks, inside.phases.x, states), strict=True))


def decoding_table(inside: Inside, steps: Sequence[int]) -> pd.DataFrame:
    """Decode the cue after some steps, counted from 1, from all groups of units but communities; index ``step``."""
    groups = unit_groups(inside.weights, inside.seed)
    means = [
        {
            name: np.mean([decoding(inside.states[step - 1], inside.cues, units) for units in groups[name]])
            for name in GROUPS[:-1]
        }
        for step in steps
    ]
    return pd.DataFrame(means, index=pd.Index(steps, name="step"))
