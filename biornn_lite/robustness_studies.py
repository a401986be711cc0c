"""The studies of robustness and cost as ``docs/robustness_plan.md`` lists them, and what is measured in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch

from .audit import TRUE_POSITIONS, Part, variant
from .errors import InputError
from .network import Networks
from .plumbing.threads import small_numbers_as_zero, threads, threads_for
from .priors import Start
from .pruning import KEPT_RETRAINED, RETRAINING, retrained, synapses, wiring_length
from .psychometric import COHERENCES, accuracy_by_coherence, fit
from .robustness import DISTURBANCES, KEPT, accuracies, degradation, pruned
from .seeds import generator
from .stability import LENGTHS, after_trial, dimension_entropy, last_states, repeated_trials
from .tasks import PERCEPTUAL, TASKS, Task
from .topology import entropy
from .training import Settings, held_out_trials
from .variants import PUBLISHED_VARIANTS, Variant
from .weights import spectral_radius

SEED = 23
"""Seed of the studies."""

FIELD = "5_3_4"

BATCHES = (40, 20, 10, 5, 2, 1)
"""Batches per epoch of the six numbers of training trials, the published one first; each has 400 batches in all."""

SIZES = tuple(128 * batches for batches in BATCHES)
"""Numbers of training trials."""

STUDIES = ("no penalty", "published penalty")

CONTROLS = ("diagonal alone", "0.95 I", "functional without diagonal")

WITHOUT_PENALTY = ("functional", "relabelled", "orthogonal", *CONTROLS)
"""Starts of the study ``no penalty``."""

ALL_TRIALS, SOME_TRIALS, FEW_TRIALS, TRIALS_PER_COHERENCE = 2560, 640, 256, 512
"""Test trials of the accuracy, of a disturbance, of stability, and of a coherence; the first ones of each run."""

TIMES, NOISE = 8, 0.05
"""How often trials are repeated, and the SD of the input noise with which they are."""


def variants_of(study: str) -> tuple[Variant | str, ...]:
    """List the variants of a study."""
    if study == "no penalty":
        return tuple(variant(start, "D*", "no C") for start in WITHOUT_PENALTY)
    if study == "published penalty":
        return (*PUBLISHED_VARIANTS, *(variant(start, "D*", "C*") for start in CONTROLS))
    raise InputError(f"no study {study!r}; there are {', '.join(STUDIES)}")


def settings_of(size: int) -> Settings:
    """Return the settings with one of :data:`SIZES` training trials and the published number of batches in all."""
    if size not in SIZES:
        raise InputError(f"{size} training trials; there are {', '.join(map(str, SIZES))}")
    if size == max(SIZES):
        return Settings()
    batches = size // 128
    return Settings(epochs=400 // batches, batches=batches, test_trials=128)


def name_of(size: int) -> str:
    """Name the part with this number of training trials."""
    return f"{size} trials"


def parts(study: str, sizes: Sequence[int] = SIZES) -> list[Part]:
    """List the parts of a study, one per number of training trials."""
    protocol = TRUE_POSITIONS
    if study == "no penalty":
        protocol = protocol.choose(["penalty_weight=0"])
    return [
        Part(study, name_of(size), FIELD, variants_of(study), runs=20, seed=SEED, protocol=protocol,
             settings=settings_of(size))
        for size in sizes
    ]  # fmt: skip


Row = tuple[str, float, Sequence[float] | np.ndarray]
"""A measure, a severity, and the value of each network."""


def accuracy_at_the_end(networks: Networks, task: Task, seeds: Sequence[int]) -> Iterator[Row]:
    """Yield the accuracy on all test trials."""
    yield "accuracy", 0.0, accuracies(networks, *held_out_trials(task, seeds, ALL_TRIALS))


def disturbed(networks: Networks, x: torch.Tensor, labels: torch.Tensor, seeds: Sequence[int]) -> Iterator[Row]:
    """Yield the accuracies undisturbed and under each of :data:`biornn_lite.robustness.DISTURBANCES`."""
    yield "undisturbed", 0.0, accuracies(networks, x, labels)
    for name, disturbance in DISTURBANCES.items():
        curve = degradation(networks, x, labels, disturbance, seeds)
        yield from ((name, *point) for point in zip(disturbance.severities, curve, strict=True))


def cost_of_pruned(
    networks: Networks,
    starts: Sequence[Start],
    task: Task,
    seeds: Sequence[int],
    x: torch.Tensor,
    labels: torch.Tensor,
    distances: np.ndarray,
    retraining: Settings = RETRAINING,
) -> Iterator[Row]:
    """Yield what pruned networks cost, and their accuracy after retraining; the accuracy before is in `disturbed`."""
    for share in (1.0, *KEPT):
        few = pruned(networks, share)
        yield "pruned: synapses", share, synapses(few)
        yield "pruned: wiring", share, wiring_length(few, distances)
    for share in KEPT_RETRAINED:
        few = retrained(pruned(networks, share), starts, task, seeds, retraining)
        yield "pruned and retrained", share, accuracies(few, x, labels)
        yield "pruned and retrained: synapses", share, synapses(few)
        yield "pruned and retrained: wiring", share, wiring_length(few, distances)


def stability_of(networks: Networks, x: torch.Tensor, labels: torch.Tensor, seeds: Sequence[int]) -> Iterator[Row]:
    """Yield the measures of stability."""

    def rngs(purpose: str) -> list[np.random.Generator]:
        return [generator(seed, "stability", purpose) for seed in seeds]

    for name, noise in (("silence", 0.0), ("noise", NOISE)):
        later = after_trial(networks, x, labels, LENGTHS, noise, rngs("after the trial"))
        yield f"bounded, {name}", 0.0, later.bounded
        yield from ((f"after the trial, {name}", *point) for point in zip(LENGTHS, later.accuracies, strict=True))
    again = repeated_trials(networks, x, labels, rngs("repeated"), NOISE, TIMES)
    yield "consistency", 0.0, again.consistency
    yield "noise share", 0.0, again.noise_share
    yield "accuracy, repeated", 0.0, again.accuracy
    states = last_states(networks, x).cpu().numpy()  # (runs, trials, N)
    finite = [bool(np.isfinite(each).all()) for each in states]
    yield "dimension entropy", 0.0, [dimension_entropy(each) for each in states]
    yield "state entropy", 0.0, [entropy(e) if ok else np.nan for e, ok in zip(states, finite, strict=True)]
    yield "spectral radius", 0.0, [spectral_radius(w) for w in networks.w.detach().cpu().numpy()]


def psychometric_of(networks: Networks, seeds: Sequence[int]) -> Iterator[Row]:
    """Yield the psychometric curve of the perceptual decision, and its fit."""
    curve = accuracy_by_coherence(networks, seeds, COHERENCES, TRIALS_PER_COHERENCE)
    yield from (("psychometric", *point) for point in zip(COHERENCES, curve, strict=True))
    fits = [fit(COHERENCES, np.rint(each * TRIALS_PER_COHERENCE), TRIALS_PER_COHERENCE) for each in curve.T]
    yield "threshold", 0.0, [each.threshold for each in fits]
    yield "lapses", 0.0, [each.lapses for each in fits]


def measured(
    networks: Networks,
    starts: Sequence[Start],
    task: Task | str,
    seeds: Sequence[int],
    distances: np.ndarray,
    whole: bool = True,
    retraining: Settings = RETRAINING,
) -> pd.DataFrame:
    """Measure trained networks of one task as the plan says.

    Parameters
    ----------
    networks : Networks
    starts : sequence of Start
        What they were trained from, one per run.
    task : Task or str
    seeds : sequence of int
        One per run.
    distances : ndarray, shape (N, N)
        Between neurons, in µm.
    whole : bool
        Take all measures. Otherwise only the accuracy on all test trials.
    retraining : Settings
        Of pruned networks.

    Returns
    -------
    DataFrame
        Columns ``network`` (its place along the axis ``runs``), ``measure``, ``severity`` and ``value``.
    """
    task = TASKS[task] if isinstance(task, str) else task
    runs, neurons, _ = networks.w.shape
    if len(seeds) != runs or len(starts) != runs:
        raise InputError(f"{runs} networks, {len(seeds)} seeds and {len(starts)} starts; one of each is needed")
    with small_numbers_as_zero(), threads(threads_for(neurons)):
        rows = [*accuracy_at_the_end(networks, task, seeds)]
        if whole:
            x, labels = held_out_trials(task, seeds, ALL_TRIALS)
            some, few = ((x[:, :, :count].contiguous(), labels[:, :count]) for count in (SOME_TRIALS, FEW_TRIALS))
            rows += disturbed(networks, *some, seeds)
            rows += cost_of_pruned(networks, starts, task, seeds, *some, distances, retraining)
            rows += stability_of(networks, *few, seeds)
            if task.name == PERCEPTUAL:
                rows += psychometric_of(networks, seeds)
    table = {
        "network": np.tile(np.arange(runs), len(rows)),
        "measure": np.repeat([name for name, _, _ in rows], runs),
        "severity": np.repeat([float(severity) for _, severity, _ in rows], runs),
        "value": np.concatenate([np.asarray(values, dtype=float) for _, _, values in rows]),
    }
    return pd.DataFrame(table)
