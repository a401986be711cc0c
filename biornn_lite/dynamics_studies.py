"""The studies of the look inside trained networks as ``docs/dynamics_plan.md`` lists them, and what is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from .audit import PLANNED_STARTS, TRUE_POSITIONS, Part, variant
from .dynamics import (
    LENGTHS,
    TIMES,
    MemoryPhases,
    cue_means,
    cued_trials,
    fate,
    memory_eigenvalue,
    memory_phases,
    memory_states,
)
from .errors import InputError
from .fixed_points import find_fixed_points, time_constant
from .memory import (
    CUTS,
    communities_of,
    cut_networks,
    decoding_of_groups,
    kept_tuning,
    likeness,
    mantel,
    tuning,
    unit_groups,
)
from .network import Networks
from .plumbing.threads import small_numbers_as_zero, threads, threads_for
from .representations import dissimilarity, representation
from .robustness import accuracies
from .seeds import generator
from .tasks import Task, get_task
from .training import held_out_trials
from .variants import Variant

SEED = 24
"""Seed of the studies."""

FIELD = "5_3_4"

STUDIES = ("no penalty", "published penalty", "other starts")

COMPARED_STARTS = (
    "functional", "orthogonal", "diagonal alone", "0.95 I", "relabelled", "functional without diagonal",
)  # fmt: skip
"""Starts of the first two studies."""

OTHER_STARTS = tuple(name for name in PLANNED_STARTS if name not in COMPARED_STARTS)
"""Starts of the study ``other starts``, which are shown and not tested."""

RUNS = {"no penalty": 12, "published penalty": 12, "other starts": 4}

PART = "published"
"""Name of the only part of a study, with the published settings."""

ACCURACY_TRIALS, CUED_TRIALS, NOISE, RANDOM_STATES = 640, 256, 0.05, 64
"""Test trials of an accuracy and of all other measures, the SD of the input noise in the latter, and the number of
random states from which fixed points are searched."""

WHEN = ("first weights", "trained")
"""When a network is measured."""


def part_of(study: str) -> Part:
    """Return the only part of a study."""
    if study not in STUDIES:
        raise InputError(f"no study {study!r}; there are {', '.join(STUDIES)}")
    starts = OTHER_STARTS if study == "other starts" else COMPARED_STARTS
    priced = study == "published penalty"
    protocol = TRUE_POSITIONS if priced else TRUE_POSITIONS.choose(["penalty_weight=0"])
    variants: tuple[Variant, ...] = tuple(variant(start, "D*", "C*" if priced else "no C") for start in starts)
    return Part(study, PART, FIELD, variants, runs=RUNS[study], seed=SEED, protocol=protocol)


class Measured(NamedTuple):
    """What was measured in some networks.

    Attributes
    ----------
    measures : DataFrame
        Columns ``network`` (its place along the axis ``runs``), ``when`` (one of :data:`WHEN`), ``measure``, ``at``
        (such as what is cut, or the time of a trial) and ``value``.
    distances : DataFrame
        Columns ``network``, ``when``, ``pair`` (its place in SciPy's condensed order of the rows of
        :func:`biornn_lite.representations.representation`) and ``distance``.
    """

    measures: pd.DataFrame
    distances: pd.DataFrame


Row = tuple[str, str, float]
"""A measure, where or when it was taken, and its value."""


class OneNetwork(NamedTuple):
    """A network with its states at the four times of cued trials.

    Attributes
    ----------
    network : Networks
        Of one run.
    states : ndarray, shape (4, trials, N)
    cues : ndarray of int, shape (trials,)
    largest : float
        Largest value of any unit in the trials.
    phases : MemoryPhases
    seed : int
    """

    network: Networks
    states: np.ndarray
    cues: np.ndarray
    largest: float
    phases: MemoryPhases
    seed: int

    @property
    def distinct(self) -> list[int]:
        """The four times without a repetition: one task ends with its memory."""
        return [k for k, step in enumerate(self.phases.times) if step not in self.phases.times[:k]]


def decoded(one: OneNetwork, groups: dict[str, list[np.ndarray]]) -> Iterator[Row]:
    """Yield how well groups of units tell the cue at each time; of communities, the mean and the best."""
    steps = one.phases.times
    found = {steps[k]: decoding_of_groups(one.states[k], one.cues, groups, seed=one.seed) for k in one.distinct}
    for time, step in zip(TIMES, steps, strict=True):
        for name, scores in found[step].items():
            if name == "communities":
                yield "decoding", f"communities (mean), {time}", float(np.mean(scores))
                yield "decoding", f"communities (best), {time}", float(np.max(scores))
            else:
                yield "decoding", f"{name}, {time}", float(np.mean(scores))


def in_space(one: OneNetwork, positions: np.ndarray) -> Iterator[Row]:
    """Yield whether units of like tuning are close at the memory end."""
    tunings, index = tuning(one.states[TIMES.index("memory end")], one.cues)
    rng = generator(one.seed, "dynamics", "permutations")
    r, p = mantel(likeness(tunings), positions[index], rng)
    yield "mantel r", "memory end", r
    yield "mantel p", "memory end", p


def fixed_points_of(one: OneNetwork) -> Iterator[Row]:
    """Yield the fixed points under the memory input, and how fast the network forgets at the memory end."""
    rng = generator(one.seed, "dynamics", "random states")
    neurons = one.states.shape[-1]
    random = rng.uniform(0, one.largest, (RANDOM_STATES, neurons))
    starts = np.concatenate([one.states[one.distinct].reshape(-1, neurons), random])
    found = find_fixed_points(one.network, one.phases.x, starts)
    yield "fixed points", "found", len(found.points)
    yield "fixed points", "stable", found.stable.sum()
    yield "fixed points", "share of starts that ended", (found.origin >= 0).mean()
    means = cue_means(one.states[TIMES.index("memory end")], one.cues)
    eigenvalue = memory_eigenvalue(one.network, one.phases.x, means)
    yield "memory eigenvalue", "", eigenvalue
    yield "time constant", "", float(time_constant(eigenvalue))


def fate_of(one: OneNetwork) -> Iterator[Row]:
    """Yield what becomes of the mean states of the cues, and the share of their difference that is left."""
    means = cue_means(one.states[TIMES.index("cue end")], one.cues)
    found = fate(one.network, means, one.phases.x, one.largest, one.phases.steps)
    yield "fate", found.kind, 1.0
    yield from (("difference left", str(length), left) for length, left in zip(LENGTHS, found.left, strict=True))


def measured(
    trained: Networks, first: Networks, task: Task | str, seeds: Sequence[int], positions: np.ndarray
) -> Measured:
    """Measure networks of one task with their first weights and after training, as the plan says.

    Parameters
    ----------
    trained, first : Networks
        The same networks after and before training.
    task : Task or str
    seeds : sequence of int
        One per run.
    positions : ndarray, shape (N, 3)
        Of the neurons, in µm.

    Returns
    -------
    Measured
        A network whose states overflow in the trials has accuracies, communities and the fate ``unbounded`` only.
    """
    task, shape = get_task(task), tuple(trained.w.shape)
    runs, neurons, _ = shape
    if len(seeds) != runs or tuple(first.w.shape) != shape:
        raise InputError(
            f"{runs} trained networks, {len(first.w)} first ones and {len(seeds)} seeds; one of each is needed"
        )
    if np.shape(positions) != (neurons, 3):
        raise InputError(f"positions have shape {np.shape(positions)}; {(neurons, 3)} is needed, one of each neuron")
    rows, far, tunings = [], [], {}
    with small_numbers_as_zero(), threads(threads_for(neurons)):
        x, labels = held_out_trials(task, seeds)
        test = x[:, :, :ACCURACY_TRIALS].contiguous(), labels[:, :ACCURACY_TRIALS]
        trials, phases = cued_trials(task, seeds, CUED_TRIALS, NOISE), memory_phases(task)
        for when, networks in zip(WHEN, (first, trained), strict=True):
            weights = networks.w.detach().cpu().numpy()  # (runs, N, N)
            communities = np.stack([communities_of(w) for w in weights])  # (runs, N)
            rows += [(k, when, *row) for k, row in _when_cut(networks, *test, communities)]
            states, largest = memory_states(networks, trials.x, phases)
            for k, seed in enumerate(seeds):
                cues = trials.cues[k].cpu().numpy()
                network = networks.single(k).networks
                one = OneNetwork(network, states[:, k], cues, float(largest[k]), phases, seed)
                if not np.isfinite(one.states).all() or not np.isfinite(one.largest):
                    rows.append((k, when, "fate", "unbounded", 1.0))
                    continue
                groups = unit_groups(weights[k], seed, communities[k])
                of_one = (*decoded(one, groups), *in_space(one, positions), *fixed_points_of(one), *fate_of(one))
                rows += [(k, when, *row) for row in of_one]
                far += [(k, when, *pair) for pair in enumerate(dissimilarity(representation(one.states, cues)))]
                tunings[when, k] = tuning(one.states[TIMES.index("memory end")], cues)
        both = [k for k in range(runs) if all((when, k) in tunings for when in WHEN)]
        rows += [
            (k, WHEN[1], "kept tuning", "memory end", kept_tuning(*(tunings[when, k] for when in WHEN))) for k in both
        ]
    return Measured(
        pd.DataFrame(rows, columns=["network", "when", "measure", "at", "value"]).astype({"value": float}),
        pd.DataFrame(far, columns=["network", "when", "pair", "distance"]),
    )


def _when_cut(
    networks: Networks, x: torch.Tensor, labels: torch.Tensor, communities: np.ndarray
) -> Iterator[tuple[int, Row]]:
    """Yield each network's accuracy when some weights are cut, and its number of communities."""
    for what in CUTS:
        values = accuracies(cut_networks(networks, what, communities), x, labels)
        yield from ((k, ("accuracy", what, value)) for k, value in enumerate(values))
    yield from ((k, ("communities", "", len(np.unique(each)))) for k, each in enumerate(communities))
