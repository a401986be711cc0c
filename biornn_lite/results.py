"""Results of a study as two tidy tables: a row per network, and a row per network and epoch.

Both are text files; complete rows are added at their end. Each network's row in ``results.csv`` ends with digests of
its study, of the row and of its learning curve. They reveal rows that were changed, mixed up or cut off.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .errors import InputError
from .plumbing.arrays import first_line
from .plumbing.files import read_text, written_atomically
from .seeds import run_seed
from .tasks import TASKS, Task, get_task, title_of
from .training import Settings
from .variants import PUBLISHED_VARIANTS, VARIANTS, Protocol

NETWORKS_FILE, CURVES_FILE = "results.csv", "curves.csv"

KEY = ["variant", "task", "run"]

RECORDED = ["train_accuracy", "train_loss", "test_accuracy", "test_loss", "penalty"]
"""Values recorded after each epoch; a network's row holds those of the last epoch."""

SHAPE = ["entropy", "modularity", "small_worldness", "assortativity"]
"""Measures of the trained weights; undefined values are empty."""

COLUMNS = [
    "field", "protocol", "sign", "variant", "task", "run", "seed", "status", "diverged_step",
    *RECORDED, *SHAPE, "seconds", *asdict(Protocol()), *asdict(Settings()), "own_objects",
]  # fmt: skip
"""Columns of a table of networks. ``own_objects`` names the user's own objects with their digests, or
is ``none``."""

CURVE_COLUMNS = [*KEY, "epoch", *RECORDED]
"""Columns of a table of learning curves."""

CHECK = "check"
"""An additional column of ``results.csv``: digests of the study, the row and the curve, joined by ``-``."""

_CHOSEN = asdict(Protocol()) | asdict(Settings())
_WHOLE = {"run", "seed", "diverged_step", "epoch"} | {k for k, v in _CHOSEN.items() if isinstance(v, int)}
_NUMBERS = {*RECORDED, *SHAPE, "seconds"} | {k for k, v in _CHOSEN.items() if isinstance(v, float)}

TEXT_COLUMNS = ["study", "part", "plan", *(c for c in [*COLUMNS, *CURVE_COLUMNS] if c not in _WHOLE | _NUMBERS)]
"""Columns that are always read as text. A shipped table also has ``study``."""


class Results(NamedTuple):
    """Results of a study.

    Attributes
    ----------
    networks : DataFrame
        Columns :data:`COLUMNS`, a row per network. If ``status`` is ``diverged``, every measurement is empty.
        Otherwise ``diverged_step`` is empty.
    curves : DataFrame
        Columns :data:`CURVE_COLUMNS`, a row per network and epoch, from 1. The curve of a diverged network ends
        before the epoch in which it diverged.
    """

    networks: pd.DataFrame
    curves: pd.DataFrame


@dataclass(frozen=True)
class Origin:
    """The study that rows must belong to.

    Attributes
    ----------
    same : mapping of str to str or float
        Columns with the same value in all rows: field, protocol, sign, choices and settings.
    seed, epochs : int
    tasks : mapping of str to str
        A digest of the study's configuration for each allowed task.
    variants : mapping of str to str
        A digest of each allowed variant of the user's own.
    """

    same: Mapping[str, str | float]
    seed: int
    epochs: int
    tasks: Mapping[str, str]
    variants: Mapping[str, str]


class Found(NamedTuple):
    """Contents of two files of results.

    Attributes
    ----------
    results : Results
        Networks with complete and valid rows.
    rows : int
        Total number of network rows.
    faults : list of (str, str)
        For each invalid network, the file and the fault.
    cut : bool
        Whether the last network row was cut off, for example by a crash. This is not counted as a fault.
    more : list of str
        Names of additional columns; they are ignored.
    """

    results: Results
    rows: int
    faults: list[tuple[str, str]]
    cut: bool
    more: list[str]


def as_results(networks: pd.DataFrame, curves: pd.DataFrame) -> Results:
    """Combine two tables into results. Every column gets its type, even if it has no values."""
    kinds = dict.fromkeys([*RECORDED, *SHAPE, "seconds"], "float64") | {"run": "int64", "diverged_step": "Int64"}
    whole = {"run": "int64", "epoch": "int64"} | dict.fromkeys(RECORDED, "float64")
    kinds |= {name: "str" for name in TEXT_COLUMNS if name in networks}
    whole |= {name: "str" for name in TEXT_COLUMNS if name in curves}
    return Results(networks.astype(kinds), curves.astype(whole))


def no_results() -> Results:
    """Return the two tables without rows."""
    return as_results(pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=CURVE_COLUMNS))


def joined(parts: Sequence[Results]) -> Results:
    """Concatenate the rows of several results."""
    tables = ([table for table in kind if not table.empty] or kind[:1] for kind in zip(*parts, strict=True))
    return Results(*(pd.concat(kind, ignore_index=True) for kind in tables))


# Writing


def write_results(results: Results, folder: str | Path, origin: Origin) -> None:
    """Rewrite both tables. Each file is replaced completely or left unchanged.

    A network counts as done when it has a row, so curves are written first.
    """
    for name, table in _checked(results, origin):
        with written_atomically(Path(folder) / name) as temporary:
            temporary.write_bytes(_text(table, header=True))


def append_results(results: Results, folder: str | Path, origin: Origin) -> None:
    """Append rows to both tables, the curves first.

    Raises
    ------
    InputError
        If writing fails, for example on a full disk.
    """
    for name, table in _checked(results, origin):
        path = Path(folder) / name
        try:
            with path.open("ab") as file:
                file.write(_text(table, header=file.tell() == 0))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"{first_line(path)}: cannot be written to ({first_line(error.strerror)})") from None


def _checked(results: Results, origin: Origin) -> list[tuple[str, pd.DataFrame]]:
    checks = [
        "-".join([origin.tasks[task], *digests])
        for task, digests in zip(results.networks["task"], _digests(results), strict=True)
    ]
    return [(CURVES_FILE, results.curves), (NETWORKS_FILE, results.networks.assign(**{CHECK: checks}))]


def _text(table: pd.DataFrame, header: bool) -> bytes:
    return table.to_csv(index=False, header=header, lineterminator="\n").encode()


def _digests(results: Results) -> list[tuple[str, str]]:
    """Return two digests for each network, in the order of the table: of its row and of its curve."""
    curves: dict[tuple, list] = {}
    for row in _canonical(results.curves, CURVE_COLUMNS):
        curves.setdefault(row[: len(KEY)], []).append(row)
    own = _canonical(results.networks, COLUMNS)
    keys = _canonical(results.networks, KEY)
    return [(_digest([row]), _digest(curves.get(key, []))) for row, key in zip(own, keys, strict=True)]


def _digest(rows: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256("\n".join(map("\t".join, rows)).encode(errors="replace")).hexdigest()[:8]


def _canonical(table: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the rows as texts that do not change if another program saves the file."""
    return list(zip(*(canonical(name, table[name].tolist()) for name in columns), strict=True))


def canonical(column: str, values: Iterable) -> list[str]:
    """Write values in a form for comparison; numbers have the 15 digits that spreadsheets and R keep."""
    if column in _WHOLE:
        return ["" if value is pd.NA else str(int(value)) for value in values]
    if column in _NUMBERS:
        return ["" if value != value else f"{value + 0.0:.15g}" for value in values]
    return [str(value) for value in values]


# Reading


def read_results(folder: str | Path) -> Results:
    """Read the results of a study from its folder.

    A last row that was cut off is ignored.

    Raises
    ------
    InputError
        If there are no results, a file is not such a table, or a row is not as a study wrote it.
    """
    folder = Path(folder)
    if not (folder / NETWORKS_FILE).exists():
        raise InputError(f"{first_line(folder / NETWORKS_FILE)}: no such file; name the folder of a study")
    found = find_results(folder)
    if found.faults:
        name, why = found.faults[0]
        raise InputError(
            f"{first_line(folder / name)}: not what a study wrote ({why}); run the study again to mend it"
        )
    return found.results


def find_results(folder: str | Path, origin: Origin | None = None) -> Found:
    """Read the valid networks from two files of results, and report the others.

    Other programs may have saved the files with semicolons or tabs, decimal commas, reordered columns or additional
    columns. A row is valid if its values are in range and agree with `origin` and with its check, and if its
    learning curve ends with the same values. Files of earlier versions have no checks.

    Parameters
    ----------
    folder : path
    origin : Origin, optional
        The study that the rows must belong to. Default: any study.

    Raises
    ------
    InputError
        If a file cannot be read, for example because it belongs to another user.
    """
    folder = Path(folder)
    try:
        networks = _Table(folder / NETWORKS_FILE, COLUMNS, (CHECK,), _settings_of(folder))
    except _NoTable as error:
        return Found(no_results(), 0, [(NETWORKS_FILE, str(error))], False, [])
    try:
        curves = _Table(folder / CURVES_FILE, CURVE_COLUMNS)
    except _NoTable as error:
        faults = [(CURVES_FILE, str(error))] * max(1, len(networks.rows))
        return Found(no_results(), len(networks.rows), faults, False, networks.more)

    _check_networks(networks, origin)
    _check_curve_rows(curves)
    curve_of: dict[tuple, list[int]] = {}
    for row, key in enumerate(zip(*(curves.rows[k] for k in KEY), strict=True)):
        curve_of.setdefault(key, []).append(row)
    faults, whole, whole_curves, done = [], [], [], set()
    checks = networks.texts.get(CHECK)
    cut = False
    for row, key in enumerate(zip(*(networks.rows[k] for k in KEY), strict=True)):
        name, why = NETWORKS_FILE, networks.fault(row)
        steps = curve_of.get(key, [])
        if not why:
            name, why = CURVES_FILE, _fault_of_curve(networks, row, curves, steps, origin)
        if not why and checks is not None:
            name, why = _fault_of_check(networks, row, curves, steps, checks[row], origin)
        if not why and key in done:
            name, why = NETWORKS_FILE, f"line {networks.lines[row]} repeats a network"
        if not why:
            done.add(key)
            whole.append(row)
            whole_curves += steps
        elif row == len(networks.rows) - 1 and networks.open_end and name == NETWORKS_FILE:
            cut = True
        else:
            faults.append((name, why))
    results = as_results(
        networks.rows.iloc[whole].reset_index(drop=True), curves.rows.iloc[whole_curves].reset_index(drop=True)
    )
    return Found(results, len(networks.rows), faults, cut, networks.more + curves.more)


def _settings_of(folder: Path) -> dict[str, str]:
    """Return what ``study.json`` says of columns that versions before 0.3.0 did not write, as texts."""
    try:
        noted = json.loads(read_text(folder / "study.json"))
    except (OSError, ValueError, RecursionError):
        noted = {}
    known = asdict(Settings())
    values = {name: noted.get(name, value) if isinstance(noted, dict) else value for name, value in known.items()}
    return {name: str(value) for name, value in values.items()} | {"own_objects": "none"}


class _NoTable(Exception):
    """Raised if no row of a file can be read; the message gives the reason."""


class _Table:
    """A text file read as a table, line by line, so that a damaged line does not affect other lines.

    Attributes
    ----------
    rows : DataFrame
        Typed values by column. A text that cannot be read gives NaN, -1 or "".
    texts : dict of str to list of str
        The original texts of the file.
    lines : list of int
        Line of each row in the file, from 1.
    more : list of str
        Names of additional columns.
    open_end : bool
        Whether the file ends without a newline.
    """

    def __init__(
        self, path: Path, columns: list[str], optional: Sequence[str] = (), elsewhere: Mapping[str, str] | None = None
    ) -> None:
        elsewhere = elsewhere or {}  # texts of columns that the file may lack
        try:
            text = read_text(path, "utf-8-sig", "replace")
        except FileNotFoundError:
            raise _NoTable("no such file") from None
        except OSError as error:
            raise InputError(
                f"{first_line(path)}: cannot be read ({first_line(error.strerror)}); make it readable or choose "
                "another --out"
            ) from None
        head, *lines = text.split("\n")
        self.open_end = not text.endswith("\n")
        delimiter = max(",;\t", key=lambda mark: len(set(columns) & set(_split(head, mark))))
        names = _split(head, delimiter)
        if not set(columns) <= {*names, *elsewhere} or len(set(names) - {""}) < len([name for name in names if name]):
            raise _NoTable("not a table that this version writes: its columns differ")
        self.more = [first_line(name) for name in names if name and name not in (*columns, *optional)]
        self.lines, found = [], []
        for number, line in enumerate(lines, 2):
            if line:
                self.lines.append(number)
                found.append(_split(line, delimiter))
        self._faults = [
            "" if len(cells) == len(names) else f"line {number} has {len(cells)} values, not {len(names)}"
            for number, cells in zip(self.lines, found, strict=True)
        ]
        found = [
            [""] * len(names) if fault else cells for cells, fault in zip(found, self._faults, strict=True)
        ]  # fmt: skip
        by_name = dict(zip(names, zip(*found, strict=True) if found else [()] * len(names), strict=True))
        self.texts = {name: list(by_name[name]) for name in (*columns, *optional) if name in by_name}
        self.texts |= {name: [text] * len(found) for name, text in elsewhere.items() if name not in by_name}
        self.rows = pd.DataFrame({name: self._values(name, delimiter) for name in columns}, columns=columns)
        self._lists: dict[str, list] = {}
        self._canonical: list[tuple[str, ...]] | None = None

    def _values(self, name: str, delimiter: str) -> Sequence:
        if name not in _WHOLE | _NUMBERS:
            return pd.Series(self.texts[name], dtype=object)
        values = []
        for row, text in enumerate(self.texts[name]):
            value = _number(text if delimiter == "," else text.replace(",", "."), name in _WHOLE)
            if value is None:
                self.mark(row, name, "is not a number" if name not in _WHOLE else "is not a whole number")
                value = np.nan
            values.append(value)
        if name == "diverged_step":
            return pd.array([pd.NA if value != value else value for value in values], dtype="Int64")
        if name in _WHOLE:
            for row, value in enumerate(values):
                if value != value:
                    self.mark(row, name, "is missing")
            return np.array([-1 if value != value else value for value in values], dtype="int64")
        return np.array(values, dtype="float64")

    def column(self, name: str) -> list:
        """Return a column as a list. It is made once, because single look-ups in a DataFrame are slow."""
        if name not in self._lists:
            self._lists[name] = self.rows[name].tolist()
        return self._lists[name]

    def canonical(self, columns: list[str]) -> list[tuple[str, ...]]:
        """Return all rows in the form for comparison; they are made once."""
        if self._canonical is None:
            self._canonical = _canonical(self.rows, columns)
        return self._canonical

    def mark(self, row: int, name: str, why: str) -> None:
        """Record a fault of a row, unless the row already has one."""
        if not self._faults[row]:
            shown = first_line(self.texts[name][row])[:40] if self.texts[name][row] else "empty"
            what = why if why == "is missing" else f"is {shown}" if not why else f"{why}: {shown}"
            self._faults[row] = f"line {self.lines[row]}: {first_line(name)} {what}"

    def mark_all(self, wrong: Sequence[bool] | pd.Series, name: str, why: str = "") -> None:
        """Record the same fault for all rows where `wrong` is true."""
        for row in np.flatnonzero(np.asarray(wrong, dtype=bool)):
            self.mark(int(row), name, why)

    def fault(self, row: int) -> str:
        """Return the fault of a row, or an empty text."""
        return self._faults[row]


def _split(line: str, delimiter: str) -> list[str]:
    """Split one line at its delimiters, if it can be a line of such a table."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _number(text: str, whole: bool) -> float | int | None:
    """Read a number. An empty cell gives NaN, and any other text that is not a number gives None."""
    if text in ("", "NA", "NaN", "nan"):  # other programs write these for an empty cell
        return np.nan
    try:
        if "_" in text or not text.isascii():
            return None
        if whole and text.isdecimal() and len(text) < 16:
            return int(text)
        value = float(text)
    except ValueError:
        return None
    if not whole:
        return value
    return int(value) if value.is_integer() and abs(value) < 2**53 else None


def _out_of_range(values: pd.Series, name: str) -> pd.Series:
    """Say which numbers are impossible for a column; NaN is always possible."""
    if name.endswith("accuracy"):
        return (values < 0) | (values > 1)
    if name in ("entropy", "seconds"):
        return (values < 0) | np.isinf(values)
    if name in ("modularity", "assortativity"):
        return values.abs() > 1 + 1e-9
    return np.isinf(values)


def _check_networks(table: _Table, origin: Origin | None) -> None:
    """Mark network rows that are impossible or do not belong to `origin`."""
    rows = table.rows
    for name in ("field", "protocol", "sign", "task"):
        table.mark_all(rows[name] == "", name)
    table.mark_all(rows["variant"] == "", "variant")
    table.mark_all((rows["run"] < 0) | (rows["run"] >= 2**31), "run")
    table.mark_all(rows["seed"] < 0, "seed")
    table.mark_all(~rows["status"].isin(["ok", "diverged"]), "status")
    lost = rows["status"] == "diverged"
    table.mark_all(rows["diverged_step"].isna().to_numpy() == lost.to_numpy(), "diverged_step")
    table.mark_all(rows["diverged_step"].fillna(1) < 1, "diverged_step")
    for name in [*RECORDED, *SHAPE, "seconds"]:
        table.mark_all(_out_of_range(rows[name], name), name)
    for name in RECORDED:
        table.mark_all(rows[name].isna() != lost, name)
    for name in SHAPE:
        table.mark_all(rows[name].notna() & lost, name)
    table.mark_all(rows["seconds"].isna(), "seconds")
    if origin is None:
        return
    for name, value in origin.same.items():
        table.mark_all(np.array(canonical(name, rows[name])) != canonical(name, [value])[0], name)
    table.mark_all(~rows["task"].isin(list(origin.tasks)), "task")
    table.mark_all(~rows["variant"].isin([*VARIANTS, *origin.variants]), "variant")
    seeds = {run: run_seed(origin.seed, run) for run in set(rows["run"]) if 0 <= run < 2**31}
    table.mark_all([seeds.get(run) != seed for run, seed in zip(rows["run"], rows["seed"], strict=True)], "seed")


def _check_curve_rows(table: _Table) -> None:
    """Mark curve rows with missing values or values out of range."""
    table.mark_all(table.rows["epoch"] < 1, "epoch")
    for name in RECORDED:
        table.mark_all(table.rows[name].isna(), name)
        table.mark_all(_out_of_range(table.rows[name], name), name)


def _fault_of_curve(networks: _Table, row: int, curves: _Table, steps: list[int], origin: Origin | None) -> str:
    """Return the fault of a network's curve, or an empty text. `steps` are the curve's rows; they are sorted here."""
    faults = [fault for step in steps if (fault := curves.fault(step))]
    if faults:
        return faults[0]
    steps.sort(key=curves.column("epoch").__getitem__)
    epochs = [curves.column("epoch")[step] for step in steps]
    ok = networks.column("status")[row] == "ok"
    wanted = origin.epochs if origin is not None and ok else len(steps)
    if epochs != list(range(1, wanted + 1)) or (ok and not steps):
        return f"the epochs of the network in line {networks.lines[row]} of {NETWORKS_FILE} are not complete"
    if origin is not None and not ok and len(steps) >= origin.epochs:
        return f"the network in line {networks.lines[row]} of {NETWORKS_FILE} diverged, and has all epochs"
    # Another program that saved the file may have dropped a last digit.
    ends = ok and all(
        abs(curves.column(name)[steps[-1]] - (value := networks.column(name)[row])) <= 1e-9 * abs(value)
        for name in RECORDED
    )
    if ok and not ends:
        return f"the network in line {networks.lines[row]} of {NETWORKS_FILE} ends otherwise"
    return ""


def _fault_of_check(
    networks: _Table, row: int, curves: _Table, steps: list[int], check: str, origin: Origin | None
) -> tuple[str, str]:
    """Return the file that disagrees with the check of a network, and the reason; or empty texts."""
    study, own, curve = check.split("-") if re.fullmatch(r"\w{8}-\w{8}-\w{8}", check) else ("", "", "")

    def digest(table: _Table, columns: list[str], numbers: list[int]) -> str:
        rows = table.canonical(columns)
        return _digest([rows[number] for number in numbers])

    where = f"line {networks.lines[row]}"
    if own != digest(networks, COLUMNS, [row]):
        return NETWORKS_FILE, f"{where} was changed"
    if curve != digest(curves, CURVE_COLUMNS, steps):
        return CURVES_FILE, f"the curve of the network in {where} of {NETWORKS_FILE} was changed"
    if origin is not None and study != origin.tasks[networks.column("task")[row]]:
        return NETWORKS_FILE, f"{where} is of another study"
    return "", ""


MEASURES = ("accuracy", *SHAPE)


def in_order(names: Iterable[str]) -> list[str]:
    """Return each name of a task or variant once: the published ones in the order of the paper, then the others."""
    there = dict.fromkeys(names)
    published = [name for name in (*TASKS, *PUBLISHED_VARIANTS) if name in there]
    return published + [name for name in there if name not in published]


def reported_accuracy(results: pd.DataFrame) -> pd.Series:
    """Accuracy of each network as its protocol reports it: in the last training epoch or on test trials."""
    return results["train_accuracy"].where(results["reported_accuracy"] == "train", results["test_accuracy"])


def ceilings(task: str | Task, reported: str, input_noise: float = Settings.input_noise) -> tuple[float, float]:
    """Return the accuracy without memory and with perfect use of the input, for the reported kind of trials.

    Parameters
    ----------
    task : str or Task
        For an unknown name, for example in a table of a user's tasks, both are NaN.
    reported : {"train", "test"}
        Training trials have input noise; test trials do not, and may be those of another task.
    input_noise : float
        SD of this noise, as in the study's :class:`biornn_lite.training.Settings`.
    """
    noise = input_noise if reported == "train" else 0.0
    if isinstance(task, str) and task not in TASKS:
        return math.nan, math.nan
    task = get_task(task)
    if reported == "test":
        task = task.tested_as or task
    return task.memoryless_ceiling(), task.best_ceiling(noise)


def input_noise_of(results: pd.DataFrame) -> float:
    """Return the SD of the input noise in training, as recorded in a table."""
    known = "input_noise" in results and len(results)
    return float(results["input_noise"].iloc[0]) if known else Settings.input_noise


def learned(results: pd.DataFrame) -> pd.Series:
    """Say for each network whether its last training accuracy is above the midpoint of its task's two ceilings.

    If the ceilings of a task are unknown, no network of this task counts as having learned.
    """
    input_noise = input_noise_of(results)
    tasks = results["task"].unique()
    middle = results["task"].map({task: sum(ceilings(task, "train", input_noise)) / 2 for task in tasks})
    return results["train_accuracy"] > middle


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Summarise a results table by task and variant, over the runs that did not diverge.

    Parameters
    ----------
    results : DataFrame
        Columns :data:`biornn_lite.results.COLUMNS`, of one field, protocol and sign.

    Raises
    ------
    InputError
        If the rows come from several fields, protocols or signs.

    Returns
    -------
    DataFrame
        Index ``task, variant``. Columns ``runs``, ``diverged``, ``accuracy_min``, ``accuracy_max``, and the median
        of each measure over the runs in which it is defined. Columns ``defined_…`` count these runs. The median is
        NaN if there are none.
    """
    for what in ("field", "protocol", "sign"):
        several = results[what].unique() if what in results else []
        if len(several) > 1:
            raise InputError(f"the table has rows of several {what}s, {', '.join(several)}; choose those of one")
    table = results.assign(accuracy=reported_accuracy(results))
    rows = {}
    for (task, variant), group in table.groupby(["task", "variant"], sort=False):
        ok = group[group["status"] == "ok"]
        row = {"runs": len(group), "diverged": len(group) - len(ok)}
        for measure in MEASURES:
            values = ok[measure].dropna()
            row[measure], row[f"defined_{measure}"] = values.median(), len(values)
        row["accuracy_min"], row["accuracy_max"] = ok["accuracy"].min(), ok["accuracy"].max()
        rows[task, variant] = row
    tasks, variants = (in_order(list(names)) for names in zip(*rows, strict=True))
    order = [(task, variant) for task in tasks for variant in variants if (task, variant) in rows]
    summary = pd.DataFrame.from_dict({key: rows[key] for key in order}, orient="index")
    summary.index = pd.MultiIndex.from_tuples(order, names=["task", "variant"])
    return summary


def format_table(results: pd.DataFrame, field: str) -> str:
    """Write the summary as text: one block per task, with its ceilings above the variants; `field` is a label."""
    summary = summarise(results)
    width = max(9, 1 + max(map(len, summary.index.unique("variant"))))
    reported = results["reported_accuracy"].iloc[0]
    first = results.iloc[0]
    lines = [
        f"Field {field}, protocol {first['protocol']}, signs {first['sign']}. "
        f"Medians over the runs that did not diverge; accuracy of "
        + ("the last training epoch." if reported == "train" else "held-out test trials.")
    ]
    for task, block in summary.groupby(level="task", sort=False):
        memoryless, best = ceilings(task, reported, input_noise_of(results))
        allowed = f": without memory {memoryless:.3f}, best possible {best:.3f}" if memoryless == memoryless else ""
        lines += [
            "",
            f"{title_of(task)}{allowed}",
            f"{'variant':<{width}}{'runs':>6}{'diverged':>10}{'accuracy':>10}{'min':>8}{'max':>8}"
            f"{'entropy':>10}{'modularity':>12}{'small-world':>13}{'assortativity':>15}",
        ]
        for (_, variant), row in block.iterrows():
            cells = {measure: _cell(row, measure) for measure in MEASURES}
            lines.append(
                f"{variant:<{width}}{row['runs']:>6.0f}{row['diverged']:>10.0f}{cells['accuracy']:>10}"
                f"{_shown(row['accuracy_min']):>8}{_shown(row['accuracy_max']):>8}{cells['entropy']:>10}"
                f"{cells['modularity']:>12}{cells['small_worldness']:>13}{cells['assortativity']:>15}"
            )
    return "\n".join(lines)


def _shown(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"


def _cell(row: pd.Series, measure: str) -> str:
    """Show a median. If a measure is undefined in some runs, also show the number of runs in which it is defined."""
    ok, defined = row["runs"] - row["diverged"], row[f"defined_{measure}"]
    return _shown(row[measure]) + (f" ({defined:.0f})" if 0 < defined < ok else "")
