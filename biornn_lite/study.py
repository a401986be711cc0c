"""A grid of variants × tasks × runs turned into one tidy table, written as it grows and resumed where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from itertools import starmap
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from filelock import FileLock, Timeout
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from . import __version__, topology
from .errors import InputError
from .field import CorticalField
from .files import written_atomically
from .priors import Priors
from .results import (
    COLUMNS,
    CURVE_COLUMNS,
    CURVES_FILE,
    KEY,
    NETWORKS_FILE,
    RECORDED,
    Results,
    as_results,
    joined,
    no_results,
    read_results,
    write_results,
)
from .seeds import run_seed
from .tasks import TASKS, Task, get_task
from .training import Settings, memory_per_network, train
from .variants import PUBLISHED_VARIANTS, Protocol, get_variant
from .workers import Progress, jobs_at_once, note_epoch, start_worker


@dataclass(frozen=True)
class Study:
    """What to train.

    Attributes
    ----------
    field : CorticalField
    variants, tasks : tuple of str
        Names, in the order of the table.
    runs : int
        Networks per variant and task.
    seed : int
        Of the study. Run k has the seed ``run_seed(seed, k)`` in all variants and tasks, so that runs are paired.
    protocol : Protocol
    sign : {"free", "positive"}
        Whether recurrent weights may be negative.
    settings : Settings
    """

    field: CorticalField
    variants: tuple[str, ...] = PUBLISHED_VARIANTS
    tasks: tuple[str, ...] = tuple(TASKS)
    runs: int = 20
    seed: int = 0
    protocol: Protocol = dataclass_field(default_factory=Protocol)
    sign: str = "free"
    settings: Settings = dataclass_field(default_factory=Settings)

    def __post_init__(self) -> None:
        for variant in self.variants:
            get_variant(variant)
        for task in self.tasks:
            get_task(task)
        Priors(self.field, self.protocol)  # refuses a protocol that this field cannot serve
        for what, names in (("variant", self.variants), ("task", self.tasks)):
            if not names or len(set(names)) < len(names):
                raise InputError(
                    f"each {what} is to be named once, and at least one: got {', '.join(names) or 'none'}"
                )
        if self.sign not in ("free", "positive"):
            raise InputError(f"sign is {self.sign!r}; it allows free, positive")
        for what, value, least in (
            ("runs", self.runs, 1), ("seed", self.seed, 0), ("epochs", self.settings.epochs, 1),
        ):  # fmt: skip
            if value < least:
                raise InputError(f"{what} is {value}; it must be at least {least}")

    @property
    def networks(self) -> list[tuple[str, str, int]]:
        """All networks as (variant, task, run), in the order of the table."""
        return [(v, t, run) for t in self.tasks for v in self.variants for run in range(self.runs)]

    @property
    def configuration(self) -> dict:
        """What must be the same for two results to stand in one table; variants, tasks and runs may grow."""
        digest = hashlib.sha256()
        # In the order as released, in which earlier versions read it: no penalty looks at the order of a connectome,
        # and so what they began can be gone on with.
        field = self.field if self.field.released_rows is None else self.field.as_released()
        for key in ("positions", "connectome", "correlation", "sttc", "precision", "lattice"):
            value = getattr(field, key)
            digest.update(b"" if value is None else np.ascontiguousarray(value).tobytes())
        return {
            "biornn_lite": __version__,
            "field": self.field.name,
            "field_digest": digest.hexdigest()[:16],
            "seed": self.seed,
            "sign": self.sign,
            **asdict(self.protocol),
            **asdict(self.settings),
        }


def run_networks(
    study: Study,
    networks: Sequence[tuple[str, str, int]],
    device: str = "cpu",
    on_epoch: Callable[[int], None] | None = None,
) -> Results:
    """Train and measure some networks of a study side by side.

    Parameters
    ----------
    study : Study
    networks : sequence of (variant, task, run)
        All of one task.
    device : str
    on_epoch : callable, optional
        Called with the number of finished epochs after each.

    Returns
    -------
    Results
        Of these networks; ``seconds`` is each one's equal share of the time.
    """
    began = time.perf_counter()
    (task_name,) = {task for _, task, _ in networks}
    positive = study.sign == "positive"
    priors = Priors(study.field, study.protocol, positive)
    seeds = [run_seed(study.seed, run) for _, _, run in networks]
    starts = [priors.start(get_variant(variant), seed) for (variant, _, _), seed in zip(networks, seeds, strict=True)]
    trial_seeds = [run_seed(study.seed, 0)] * len(seeds) if study.protocol.trials == "shared" else seeds
    trained = train(starts, get_task(task_name), seeds, study.settings, positive, device, on_epoch, trial_seeds)
    shapes = [None if t.diverged else topology.measure(t.weights, study.protocol.small_world_null) for t in trained]
    seconds = (time.perf_counter() - began) / len(networks)
    rows, curves = [], []
    for (variant, task, run), seed, result, shape in zip(networks, seeds, trained, shapes, strict=True):
        key = {"variant": variant, "task": task, "run": run}
        row = {
            "field": study.field.name, "protocol": study.protocol.name, "sign": study.sign, **key, "seed": seed,
            "status": "diverged" if result.diverged else "ok", "diverged_step": result.diverged_step,
            "seconds": round(seconds, 3), **asdict(study.protocol),
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
) -> Results:
    """Train every network of a study that `out` does not hold yet.

    The networks are split into independent pieces, which joblib computes: in processes of one thread each, or
    wherever its user says, such as on a cluster within ``joblib.parallel_config("dask")``. This process alone
    writes, a row for each network once.

    Parameters
    ----------
    study : Study
    out : path, optional
        Folder for ``results.csv``, ``curves.csv`` and ``study.json``. Results already there are kept and not
        computed again.
    jobs : int, optional
        Pieces at once; when left out, as configured with joblib, else the number of processors. With 1, this
        process computes, with all of PyTorch's threads. A Dask cluster takes as many as it has threads.
    device : str
        ``cpu`` or ``cuda``; on the latter this process trains as many networks side by side as fit.
    progress : bool
        Show a bar.

    Returns
    -------
    Results
        In the order of ``study.networks``; networks that `out` held beyond those of the study stand after them.

    Raises
    ------
    InputError
        If `out` holds results of another configuration or is in use, `jobs` is below 1, joblib is set to a backend
        that gives no results as they come (multiprocessing), or a process is killed; what is finished is kept.
    """
    if out is None:
        return _run(study, no_results(), lambda results: None, jobs, device, progress)
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{out}: another study is writing here; wait for it or choose another folder") from None
    except OSError as error:
        raise InputError(f"{out}: cannot be written to ({error.strerror})") from None
    with lock:
        _check_configuration(study, out)
        try:
            done = read_results(out) if (out / NETWORKS_FILE).exists() else no_results()
        except InputError as error:
            aside = [_set_aside(path).name for name in (NETWORKS_FILE, CURVES_FILE) if (path := out / name).exists()]
            print(f"{error}; set aside as {' and '.join(aside)}, starting again", file=sys.stderr)
            done = no_results()

        return _run(study, done, lambda results: write_results(results, out), jobs, device, progress)


def _check_configuration(study: Study, out: Path) -> None:
    """Compare the study with the one that `out` holds, and note it there if there is none."""
    path = out / "study.json"
    mine = study.configuration
    if path.exists():
        try:
            theirs = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            theirs = None
        if not isinstance(theirs, dict):
            raise InputError(f"{path}: unreadable, so its results cannot be told from these; choose another --out")
        for key in mine | theirs:
            if theirs.get(key) != mine.get(key):
                raise InputError(
                    f"{out}: holds results of another configuration: {key} is {theirs.get(key)} there "
                    f"and {mine.get(key)} here; choose another --out"
                )
    elif (out / NETWORKS_FILE).exists():
        raise InputError(f"{out}: holds {NETWORKS_FILE} without study.json; choose another --out")
    else:
        with written_atomically(path) as temporary:
            temporary.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    return path.rename(aside)


def _run(study, done, write, jobs, device, progress) -> Results:
    """Compute what `done` lacks, giving the growing results to `write` after each piece."""
    results = done
    have = set(zip(*(done.networks[key] for key in KEY), strict=True))
    missing = [network for network in study.networks if network not in have]
    if not missing:
        return _in_order(results, study)
    here = device != "cpu" or jobs == 1
    at_once = 1 if here else jobs_at_once(jobs)
    pieces = _pieces(missing, study, device, at_once)
    epochs, total = study.settings.epochs, len(study.networks)
    finished = total - len(missing)
    bar = tqdm(
        total=total * epochs, initial=finished * epochs, disable=not progress, unit="epoch",
        desc=f"{finished}/{total} networks", mininterval=0.5,
        # A notebook shows stderr as if it were an error.
        file=sys.stdout if type(sys.stdout).__module__.startswith("ipykernel") else sys.stderr,
    )  # fmt: skip
    with bar, Progress([len(piece) for piece in pieces], epochs, bar) as followed:
        calls = [(study, piece, device, followed.note(number)) for number, piece in enumerate(pieces)]
        try:
            for piece in starmap(_run_piece, calls) if here else _in_parallel(calls, at_once):
                results = _in_order(joined(results, piece), study)
                write(results)
                finished += len(piece.networks)
                followed.ended(epochs * len(piece.networks))
                bar.set_description(f"{finished}/{total} networks", refresh=False)
        except TerminatedWorkerError:
            raise InputError(
                f"a process of this study was killed, perhaps for lack of memory, after {finished} of {total} "
                "networks; run the same again, with fewer jobs if it happens again"
            ) from None
    return results


def _in_parallel(calls: list[tuple], at_once: int) -> Iterable[Results]:
    """Have joblib call :func:`_run_piece`, each call a task of its own so that no result waits for another."""
    parallel = joblib.Parallel(
        n_jobs=at_once,
        batch_size=1,
        return_as="generator_unordered",
        initializer=start_worker,
        initargs=(os.getpid(),),
    )
    return parallel(joblib.delayed(_run_piece)(*call) for call in calls)


def _run_piece(study: Study, networks: Sequence[tuple[str, str, int]], device: str, note: Path) -> Results:
    """Call :func:`run_networks` wherever joblib has put this."""
    return run_networks(study, networks, device, on_epoch=lambda _: note_epoch(note))


def _in_order(results: Results, study: Study) -> Results:
    """Sort rows as ``study.networks``, others after them by their keys, and the epochs of each network."""
    place = {network: k for k, network in enumerate(study.networks)}

    def rank(row: tuple) -> tuple:
        variant, task, run, *epoch = row
        return place.get((variant, task, run), len(place)), task, variant, run, *epoch

    def ordered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
        ranks = [rank(row) for row in zip(*(table[key] for key in keys), strict=True)]
        return table.iloc[sorted(range(len(ranks)), key=ranks.__getitem__)].reset_index(drop=True)

    return Results(ordered(results.networks, KEY), ordered(results.curves, [*KEY, "epoch"]))


def _pieces(networks: Iterable[tuple[str, str, int]], study: Study, device: str, at_once: int) -> list[list]:
    """Split networks into pieces of one task that are trained side by side, with work for all processors."""
    by_task: dict[str, list] = {}
    for network in networks:
        by_task.setdefault(network[1], []).append(network)
    pieces = []
    for task, same in by_task.items():
        most = _side_by_side(study.field.neurons, get_task(task), study.settings, device)
        size = min(most, -(-len(same) // at_once))
        pieces += [same[k : k + size] for k in range(0, len(same), size)]
    return pieces


def _side_by_side(neurons: int, task: Task, settings: Settings, device: str) -> int:
    """Say how many networks to train at once on one device: many small ones, which share the cost of each call.

    On a processor a product of 200 neurons' matrices is work enough by itself, and small pieces lose less when
    stopped. On a GPU more is better, up to half of the memory that is free.
    """
    if device == "cpu":
        return max(1, min(12, 40_000 // neurons**2))
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, free // 2 // memory_per_network(neurons, task, settings))
