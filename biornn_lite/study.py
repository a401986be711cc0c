"""A grid of variants × tasks × runs, trained into one tidy table that is saved continuously and can be resumed."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Container, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import torch
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from . import __version__, topology
from .datasets import fetch_field
from .errors import InputError
from .field import MATRICES, CorticalField
from .network import Networks, RecurrentNetworks, networks_of
from .penalty import OwnPenalty
from .plumbing.arrays import first_line
from .plumbing.objects import digest_of, name_of
from .plumbing.threads import threads
from .plumbing.workers import (
    Progress,
    jobs_at_once,
    note_epoch,
    processes_that_fit,
    safe_folder,
    start_worker,
    uses_processes,
)
from .priors import Priors
from .results import (
    COLUMNS,
    CURVE_COLUMNS,
    KEY,
    NETWORKS_FILE,
    RECORDED,
    Results,
    append_results,
    as_results,
    joined,
    no_results,
    write_results,
)
from .seeds import run_seed
from .study_folder import (
    check_configuration,
    locked,
    network_file,
    origin_of,
    rows_done,
    say,
    write_network,
)
from .tasks import TASKS, Task, draw_trials, get_task
from .training import Settings, Trained, check_device, train
from .variants import CHOICES, PUBLISHED_VARIANTS, VARIANTS, Protocol, Variant, check_sign, get_protocol, get_variant


@dataclass(frozen=True)
class Study:
    """Description of a study: which networks to train, and how.

    Attributes
    ----------
    field : CorticalField or str
        :func:`biornn_lite.datasets.fetch_field` looks up a name or path.
    variants : sequence of str or Variant
    tasks : sequence of str or Task
        Names or your own objects, in the order of the table. A single value is also accepted. In the finished
        study, both are tuples of objects.
    runs : int
        Number of networks per variant and task.
    seed : int
        Seed of the study. Run k has seed ``run_seed(seed, k)`` in all variants and tasks, so runs are paired.
    protocol : Protocol or str
        Names are the keys of :data:`biornn_lite.variants.PROTOCOLS`.
    sign : {"free", "positive"}
        Whether recurrent weights may be negative.
    settings : Settings
    penalty : callable, optional
        Your own penalty, which replaces the published ones; see :data:`biornn_lite.penalty.OwnPenalty`.
    architecture : callable
        Makes the networks: :class:`biornn_lite.network.RecurrentNetworks` or your own class that inherits from
        :class:`biornn_lite.network.Networks`.

    Raises
    ------
    InputError
        If a name is unknown, a value has the wrong type, or the field lacks data that a choice needs. The message
        has one line.
    """

    field: CorticalField
    variants: tuple[Variant, ...] = PUBLISHED_VARIANTS
    tasks: tuple[Task, ...] = tuple(TASKS)
    runs: int = 20
    seed: int = 0
    protocol: Protocol = dataclass_field(default_factory=Protocol)
    sign: str = "free"
    settings: Settings = dataclass_field(default_factory=Settings)
    penalty: OwnPenalty | None = None
    architecture: Callable[..., Networks] = RecurrentNetworks
    _described: Mapping[str, Any] = dataclass_field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.field, (str, Path)):
            object.__setattr__(self, "field", fetch_field(str(self.field)))
        if isinstance(self.protocol, str):
            object.__setattr__(self, "protocol", get_protocol(self.protocol))
        for what, kind, known in (("variants", Variant, get_variant), ("tasks", Task, get_task)):
            given = getattr(self, what)
            given = (given,) if isinstance(given, (str, kind)) else tuple(given)
            object.__setattr__(self, what, tuple(map(known, given)))
        for what, kind in (("field", CorticalField), ("protocol", Protocol), ("settings", Settings)):
            if not isinstance(getattr(self, what), kind):
                raise InputError(f"{what} is a {type(getattr(self, what)).__name__}; a {kind.__name__} is needed")
        for what in ("penalty", "architecture"):
            if not callable(getattr(self, what)) and (what, getattr(self, what)) != ("penalty", None):
                raise InputError(f"{what} is {first_line(getattr(self, what))}; a function or class is needed")
        for what, things in (("variant", self.variants), ("task", self.tasks)):
            names = [thing.name for thing in things]
            if not names or len(set(names)) < len(names):
                raise InputError(
                    f"each {what} is to be named once, and at least one: got {', '.join(names) or 'none'}"
                )
        check_sign(self.sign)
        for what, value, least in (
            ("runs", self.runs, 1), ("seed", self.seed, 0), ("epochs", self.settings.epochs, 1),
        ):  # fmt: skip
            if value < least:
                raise InputError(f"{what} is {value}; it must be at least {least}")
        priors = Priors(self.field, self.protocol, self.sign)
        for variant in self.variants:
            priors.check(variant)
            if variant.own or self.protocol.penalty_start == "matched":
                priors.start(variant, run_seed(self.seed, 0))
        for task in self.tasks:
            if task != TASKS.get(task.name):
                check_task(task)
            if task.name in TASKS and task_digest(task) != task_digest(TASKS[task.name]):
                raise InputError(f"{task.name} is the name of a published task with other trials; take another name")
        # Told here and now: another process may have no source of them.
        own = {"penalty": self.penalty, "architecture": self.architecture}
        told = {
            "variants": {v.name: {what: described(thing) for what, thing in v.own.items()} for v in self.variants},
            "tasks": {task.name: described(task) for task in self.tasks if task != TASKS.get(task.name)},
            "study": {k: described(v) for k, v in own.items() if v is not None and v is not RecurrentNetworks},
        }
        object.__setattr__(self, "_described", told)

    def variant(self, name: str) -> Variant:
        """Look up a variant by name, in this study first and then among the published ones."""
        return {variant.name: variant for variant in self.variants}.get(name) or get_variant(name)

    def task(self, name: str) -> Task:
        """Look up a task by name, in this study first and then among the published ones."""
        return {task.name: task for task in self.tasks}.get(name) or get_task(name)

    @property
    def networks(self) -> list[tuple[str, str, int]]:
        """All networks as (variant, task, run), in the order of the table."""
        return [(v.name, t.name, run) for t in self.tasks for v in self.variants for run in range(self.runs)]

    def network(self, variant: str, task: str, run: int) -> Networks:
        """Train one network of this study again, alone. On the same machine, the result is identical to the last bit.

        Returns
        -------
        Networks
            Networks with one run; :meth:`biornn_lite.network.Networks.single` gives it the usual order of axes.
        """
        (trained,) = train_networks(self, [(variant, task, run)])
        return networks_of([trained.state], self.architecture, self.sign)

    def own_objects(self, variant: str, task: str) -> str:
        """Name the user's own objects in the training of one network, with digests, or return ``none``."""
        of_variant = self._described["variants"].get(variant, {})
        of_task = {"task": told} if (told := self._described["tasks"].get(task)) else {}
        objects = of_variant | of_task | self._described["study"]
        return "; ".join(f"{what} {told}" for what, told in objects.items()) or "none"

    @property
    def configuration(self) -> dict:
        """Values that all results in one table must share; variants, tasks and runs may be added."""
        digest = hashlib.sha256()
        for key in ("positions", *MATRICES, "lattice", "voxel_size"):
            value = getattr(self.field, key)
            digest.update(b"-" if value is None else np.ascontiguousarray(value).tobytes())
        for times in self.field.spike_times or ():
            digest.update(f"{len(times)} ".encode() + times.tobytes())
        digest.update(self.field.connectome_order.encode())
        return {
            "biornn_lite": __version__,
            "field": self.field.name,
            "field_digest": digest.hexdigest()[:16],
            "seed": self.seed,
            "sign": self.sign,
            **asdict(self.protocol),
            **asdict(self.settings),
            **self._described["study"],
            "tasks": {task.name: task_digest(task) for task in self.tasks},
            "variants": {v.name: variant_digest(v) for v in self.variants if v != VARIANTS.get(v.name)},
        }


def described(thing: object) -> str:
    """Name a user's object with a digest of its source and values."""
    return f"{name_of(thing)} {digest_of(thing)}"


def variant_digest(variant: Variant) -> str:
    """Return a digest of the choices of a user's variant."""
    return digest_of([getattr(variant, choice) for choice in CHOICES])


def task_digest(task: Task) -> str:
    """Return a digest of a task as a network sees it: its sizes, and trials of a fixed seed to four decimals."""
    inputs, labels = task.trials(64, np.random.default_rng(0))
    digest = hashlib.sha256(f"{task.name} {task.inputs} {task.steps} {task.classes} {np.shape(inputs)}".encode())
    # Adding 0 turns -0 into 0.
    digest.update((np.round(np.asarray(inputs, dtype="<f8"), 4) + 0.0).tobytes())
    digest.update(np.asarray(labels, dtype="<i8").tobytes())
    if task.tested_as is not None:
        digest.update(task_digest(task.tested_as).encode())
    return digest.hexdigest()[:16]


def check_task(task: Task) -> None:
    """Raise an error if a user's trials disagree with their task or depend on more than the random stream."""
    (inputs, labels), (again, same) = (draw_trials(task, 8, np.random.default_rng(0)) for _ in range(2))
    if not (np.array_equal(inputs, again) and np.array_equal(labels, same)):
        raise InputError(
            f"task {task.name}: the same random stream gives other trials each time; draw all numbers from `rng`"
        )
    if (other := task.tested_as) is not None:
        if not isinstance(other, Task) or (other.inputs, other.classes) != (task.inputs, task.classes):
            raise InputError(
                f"task {task.name} is tested as {other!r:.80}; a task with its inputs and answers is needed"
            )
        check_task(other)


def train_networks(
    study: Study,
    networks: Sequence[tuple[str, str, int]],
    device: str = "cpu",
    on_epoch: Callable[[int], None] | None = None,
) -> list[Trained]:
    """Train some networks of a study side by side, with the same parameters as :func:`run_networks`."""
    (task_name,) = {task for _, task, _ in networks}
    seeds = [run_seed(study.seed, run) for _, _, run in networks]
    trial_seeds = [run_seed(study.seed, 0)] * len(seeds) if study.protocol.trials == "shared" else seeds
    variants = [study.variant(variant) for variant, _, _ in networks]
    return train(
        Priors(study.field, study.protocol, study.sign).starts(variants, seeds),
        study.task(task_name),
        seeds,
        study.settings,
        study.sign,
        device,
        on_epoch,
        trial_seeds,
        study.penalty,
        study.architecture,
    )


def run_networks(
    study: Study,
    networks: Sequence[tuple[str, str, int]],
    device: str = "cpu",
    on_epoch: Callable[[int], None] | None = None,
    on_trained: Callable[[tuple[str, str, int], Trained], None] | None = None,
) -> Results:
    """Train and measure some networks of a study side by side.

    Parameters
    ----------
    study : Study
    networks : sequence of (variant, task, run)
        All of the same task.
    device : str
    on_epoch : callable, optional
        Called after each epoch with the number of finished epochs.
    on_trained : callable, optional
        Called for each network with its (variant, task, run) and the trained network.

    Returns
    -------
    Results
        Results of these networks. ``seconds`` is the total time divided by the number of networks.
    """
    began = time.perf_counter()
    trained = train_networks(study, networks, device, on_epoch)
    shapes = [None if t.diverged else topology.measure(t.weights, study.protocol.small_world_null) for t in trained]
    seconds = (time.perf_counter() - began) / len(networks)
    rows, curves = [], []
    for (variant, task, run), result, shape in zip(networks, trained, shapes, strict=True):
        if on_trained is not None:
            on_trained((variant, task, run), result)
        key = {"variant": variant, "task": task, "run": run}
        row = {
            "field": study.field.name, "protocol": study.protocol.name, "sign": study.sign, **key,
            "seed": run_seed(study.seed, run),
            "status": "diverged" if result.diverged else "ok", "diverged_step": result.diverged_step,
            "seconds": round(seconds, 3), **asdict(study.protocol), **asdict(study.settings),
            "own_objects": study.own_objects(variant, task),
        }  # fmt: skip
        recorded = [
            key | {"epoch": epoch + 1} | {what: getattr(result, what)[epoch] for what in RECORDED}
            for epoch in range(study.settings.epochs)
            if np.isfinite(result.train_loss[epoch])
        ]
        curves += recorded
        if shape is not None:
            row |= asdict(shape) | {what: recorded[-1][what] for what in RECORDED}
        rows.append(row)
    return as_results(pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(curves, columns=CURVE_COLUMNS))


def run_study(
    study: Study,
    out: str | Path | None = None,
    jobs: int | None = None,
    device: str = "cpu",
    progress: bool = True,
    keep_networks: bool = False,
) -> Results:
    """Train every network of a study that `out` does not yet contain.

    The networks are split into independent pieces, which joblib computes. By default it uses processes with one
    thread each. ``joblib.parallel_config`` selects another backend, for example a cluster with ``"dask"``. Only this
    process writes, one row per network.

    Parameters
    ----------
    study : Study
    out : path, optional
        Folder for ``results.csv``, ``curves.csv`` and ``study.json``. Existing results are kept and not computed
        again.
    jobs : int, optional
        Number of pieces computed at once. Default: the value configured with joblib, otherwise the number of
        processors. With 1, this process computes, and large networks use all of PyTorch's threads. A Dask cluster
        uses all of its threads. The number of processes never exceeds the number of pieces or the available memory.
    device : str
        ``cpu`` or ``cuda``. On ``cuda``, this process trains as many networks side by side as fit in memory.
    progress : bool
        Show a progress bar.
    keep_networks : bool
        Save all weights and biases of every network in the folder ``networks`` in `out`.
        :func:`biornn_lite.study_folder.read_network` reads them. A network with a row and without saved weights is
        trained again; its row stays.

    Returns
    -------
    Results
        In the order of ``study.networks``, followed by any other networks that `out` contains.

    Raises
    ------
    InputError
        If `out` holds results of another configuration, is in use, or cannot be read or written; if `jobs` is
        below 1; if the joblib backend cannot return results one by one (multiprocessing); or if a process is killed.
        Finished networks are kept.
    """
    check_device(device)
    if out is None:
        if keep_networks:
            raise InputError("keep_networks needs a folder to keep them in; name it as out")
        return _run(study, no_results(), lambda piece: None, jobs, device, progress)
    out = Path(out)

    def keep(piece: _Piece) -> None:
        for network, state in piece.states.items():
            write_network(out, network, state)
        append_results(piece.results, out, origin)

    def lacks_weights(network: tuple[str, str, int]) -> bool:
        return keep_networks and not network_file(out, *network).exists()

    with locked(out):
        origin = origin_of(study, *check_configuration(study, out, device))
        done, mend = rows_done(out, origin)
        done = _in_order(done, study)
        missing = _missing(study, done)
        again = [network for network in study.networks if network not in set(missing) and lacks_weights(network)]
        if mend or (missing and (out / NETWORKS_FILE).exists()):  # new rows must follow complete rows
            write_results(done, out, origin)
        results = _run(study, done, keep, jobs, device, progress, keep_networks, again)
        if missing:
            write_results(results, out, origin)
        return results


class _Piece(NamedTuple):
    """Result of one piece of a study: rows, and the weights of each network if they are to be saved."""

    results: Results
    states: dict[tuple[str, str, int], Mapping[str, np.ndarray]]


def _without(results: Results, networks: Container[tuple[str, str, int]]) -> Results:
    """Leave out the rows of some networks."""

    def others(table: pd.DataFrame) -> pd.DataFrame:
        keys = zip(*(table[key] for key in KEY), strict=True)
        return table[np.array([key not in networks for key in keys], dtype=bool)].reset_index(drop=True)

    return Results(*map(others, results))


def _missing(study: Study, done: Results) -> list[tuple[str, str, int]]:
    have = set(zip(*(done.networks[key] for key in KEY), strict=True))
    return [network for network in study.networks if network not in have]


def _run(study, done, keep, jobs, device, progress, keep_networks=False, again=()) -> Results:
    """Compute the networks that `done` lacks, and those of `again`, whose rows stay. Pass each piece to `keep`."""
    missing = [*_missing(study, done), *again]
    if not missing:
        return _in_order(done, study)
    pieces, at_once, way = _plan(missing, study, jobs, device)
    epochs, total = study.settings.epochs, len(study.networks)
    finished = total - len(missing)
    bar = tqdm(
        total=total * epochs, initial=finished * epochs, disable=not progress, unit="epoch",
        desc=f"{finished}/{total} networks", mininterval=0.5,
        # A notebook shows stderr like an error.
        file=sys.stdout if type(sys.stdout).__module__.startswith("ipykernel") else sys.stderr,
    )  # fmt: skip
    parts = [done] if len(done.networks) else []
    with bar, Progress([len(piece) for piece in pieces], epochs, bar) as followed:
        calls = [(study, piece, device, followed.note(k), keep_networks) for k, piece in enumerate(pieces)]
        try:
            # Closing stops the remaining processes after an error.
            with closing(way(calls, at_once)) as found:
                for piece in found:
                    trained = len(piece.results.networks)
                    piece = piece._replace(results=_without(piece.results, set(again)))
                    keep(piece)
                    parts.append(piece.results)
                    finished += trained
                    followed.ended(epochs * trained)
                    bar.set_description(f"{finished}/{total} networks", refresh=False)
        except TerminatedWorkerError:
            raise InputError(
                f"a process of this study was killed, perhaps for lack of memory, after {finished} of {total} "
                "networks; run the same again, with fewer jobs if it happens again"
            ) from None
    return _in_order(joined(parts), study)


def _plan(missing, study: Study, jobs: int | None, device: str) -> tuple[list[list], int, Callable]:
    """Return the pieces of networks trained side by side, the number of pieces at once, and the function to use.

    The number of processes never exceeds the number of pieces or the available memory. If only one remains, this
    process computes with one thread, like a separate process.
    """
    if device != "cpu" or jobs == 1:
        return _pieces(missing, study, device, 1), 1, _here
    wanted = jobs_at_once(jobs)
    if not uses_processes() or wanted == 1:
        return _pieces(missing, study, device, wanted), wanted, _in_parallel
    each = max(
        _side_by_side(study.field.neurons, task, study.settings, device)
        * memory_per_network(study.field.neurons, task, study.settings)
        for task in map(study.task, {task for _, task, _ in missing})
    )
    fits = processes_that_fit(each)
    at_once = wanted if fits is None else min(wanted, fits)
    pieces = _pieces(missing, study, device, at_once)
    if jobs is not None and at_once < min(wanted, len(missing)):
        say(f"jobs is {jobs}; {at_once} at once, for the memory that is left holds no more")
    at_once = min(at_once, len(pieces))
    return pieces, at_once, _here_with_one_thread if at_once == 1 else _in_parallel


def _here(calls: list[tuple], at_once: int) -> Generator[_Piece]:
    """Call :func:`_run_piece` in this process."""
    yield from (_run_piece(*call) for call in calls)


def _here_with_one_thread(calls: list[tuple], at_once: int) -> Generator[_Piece]:
    """Call :func:`_run_piece` in this process with one thread, like a separate process."""
    for call in calls:
        with threads(1):
            piece = _run_piece(*call)
        yield piece


def _in_parallel(calls: list[tuple], at_once: int) -> Generator[_Piece]:
    """Call :func:`_run_piece` through joblib. Each call is a separate task, so no result waits for another."""
    parallel = joblib.Parallel(
        n_jobs=at_once,
        batch_size=1,
        return_as="generator_unordered",
        initializer=start_worker,
        initargs=(os.getpid(),),
        **safe_folder(),
    )
    return parallel(joblib.delayed(_run_piece)(*call) for call in calls)


def _run_piece(
    study: Study, networks: Sequence[tuple[str, str, int]], device: str, note: Path, keep_networks: bool
) -> _Piece:
    """Call :func:`run_networks` in the process or machine that joblib has chosen."""
    states: dict[tuple[str, str, int], Mapping[str, np.ndarray]] = {}
    more = {"on_trained": lambda name, trained: states.update({name: trained.state})} if keep_networks else {}
    return _Piece(run_networks(study, networks, device, on_epoch=lambda _: note_epoch(note), **more), states)


def _in_order(results: Results, study: Study) -> Results:
    """Sort rows as in ``study.networks``, then other networks by key, and the epochs of each network."""
    place = {network: k for k, network in enumerate(study.networks)}

    def rank(row: tuple) -> tuple:
        variant, task, run, *epoch = row
        return place.get((variant, task, run), len(place)), task, variant, run, *epoch

    def ordered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        ranks = [rank(row) for row in zip(*(table[key] for key in keys), strict=True)]
        return table.iloc[sorted(range(len(ranks)), key=ranks.__getitem__)].reset_index(drop=True)

    return Results(ordered(results.networks, KEY), ordered(results.curves, [*KEY, "epoch"]))


def _pieces(networks: Iterable[tuple[str, str, int]], study: Study, device: str, at_once: int) -> list[list]:
    """Split networks into pieces of one task each, so that all processors have work."""
    by_task: dict[str, list] = {}
    for network in networks:
        by_task.setdefault(network[1], []).append(network)
    pieces = []
    for task, same in by_task.items():
        most = _side_by_side(study.field.neurons, study.task(task), study.settings, device)
        size = min(most, -(-len(same) // at_once))
        pieces += [same[k : k + size] for k in range(0, len(same), size)]
    return pieces


def _side_by_side(neurons: int, task: Task, settings: Settings, device: str) -> int:
    """Return how many networks to train at once on one device. Small networks share the cost of each call.

    On a CPU, one matrix product for 200 neurons is already efficient, and small pieces lose less work when
    stopped. On a GPU, larger pieces are better, up to half of the free memory.
    """
    if device == "cpu":
        return max(1, min(12, 40_000 // neurons**2))
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, free // 2 // memory_per_network(neurons, task, settings))


def memory_per_network(neurons: int, task: Task, settings: Settings) -> int:
    """Estimate the memory in bytes that a training needs per network, for its trials, states and matrices."""
    trials = settings.batches * settings.batch_size + settings.test_trials
    inputs = task.steps * task.inputs * (trials + 2 * settings.batch_size)
    states = (task.steps + 1) * settings.batch_size * (neurons + task.inputs + 1)
    matrices = 40 * neurons**2  # weights, gradients, moments, communicability
    return 4 * (inputs + states + matrices)
