"""From the rows of the look inside to classes of starts, same and different mechanisms, and twelve contrasts.

``docs/dynamics_plan.md`` defines all of it; the rows come from ``data/make_dynamics.py``. Before training and after
it, numbers are of the networks that learned.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from .audit import with_names
from .contrasts import LEARNS_ABOVE, SMALLEST_THAT_MATTERS, compare_scores, corrected, gain
from .dynamics import FATES, TIMES
from .dynamics_studies import COMPARED_STARTS, STUDIES, WHEN
from .errors import InputError
from .memory import CUTS, GROUPS
from .plumbing.files import data_folder
from .replication import read_shipped
from .representations import noise_ceiling, similarity
from .results import KEY, in_order
from .statistics import finite_mean, finite_means

TABLES = ("networks.csv.gz", "measures.csv.xz", "distances.csv.xz")
"""Files of the shipped tables, in the order of :class:`Rows`."""

NETWORK = ["study", "start", "task", "run"]
"""What names a network."""

TRAINED = WHEN[1]

TESTED = STUDIES[:2]
"""The studies whose starts are compared; the other one is shown."""


class Rows(NamedTuple):
    """The shipped tables.

    Attributes
    ----------
    networks : DataFrame
        A row per network, with ``study``, ``part``, ``plan``, ``start``, ``gain`` and ``learns`` besides the usual.
    measures : DataFrame
        :data:`NETWORK`, ``when`` (one of :data:`biornn_lite.dynamics_studies.WHEN`), ``measure``, ``at``, ``value``.
    distances : DataFrame
        :data:`NETWORK`, ``when``, ``pair`` (of conditions), ``value``.
    """

    networks: pd.DataFrame
    measures: pd.DataFrame
    distances: pd.DataFrame


_OF_NETWORKS = ["study", "part", *KEY, "seed", "status", "test_accuracy", "plan"]
_OF_MEASURES = ["study", *KEY, "when", "measure", "at", "value"]
_OF_DISTANCES = ["study", *KEY, "when", "pair", "value"]


def as_rows(networks: pd.DataFrame, measures: pd.DataFrame, distances: pd.DataFrame) -> Rows:
    """Add ``start`` to all tables, and ``gain`` and ``learns`` to that of the networks.

    Raises
    ------
    InputError
        If a table lacks a column, has a row twice, or two fates of one network.
    """
    distances = distances.rename(columns={"distance": "value"})
    found = []
    for name, table, columns in (
        ("networks", networks, _OF_NETWORKS), ("measures", measures, _OF_MEASURES),
        ("distances", distances, _OF_DISTANCES),
    ):  # fmt: skip
        if lacks := set(columns) - set(table):
            raise InputError(f"the table of {name} lacks {', '.join(sorted(lacks))}")
        table = with_names(table.drop(columns=["start", "space", "target"], errors="ignore"))
        key = [c for c in (*NETWORK, "when", "measure", "at", "pair") if c in table]
        if (twice := table.duplicated(key)).any():
            first = table.loc[twice, key].iloc[0]
            raise InputError(f"the table of {name} has {', '.join(map(str, first))} twice")
        found.append(table)
    networks, measures, distances = found
    measures = measures.assign(at=measures["at"].fillna("").astype(str))
    fates = measures[(measures["measure"] == "fate") & (measures["value"] > 0)]
    if fates.duplicated([*NETWORK, "when"]).any() or not set(fates["at"]) <= set(FATES):
        raise InputError(f"the fate of a network is one of {', '.join(FATES)}; the table of measures has others")
    gains = gain(networks)
    return Rows(networks.assign(gain=gains, learns=gains > LEARNS_ABOVE), measures, distances)


@cache
def _shipped() -> Rows:
    folder = data_folder() / "dynamics"
    try:
        return as_rows(*(read_shipped(folder / name) for name in TABLES))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file; in a clone, data/make_dynamics.py makes it") from None


def load_dynamics() -> Rows:
    """Load the shipped rows."""
    return Rows(*(table.copy() for table in _shipped()))


# Numbers of networks


def values_of(rows: Rows, measure: str, at: str = "", when: str = TRAINED) -> pd.Series:
    """Return a measure of all networks, index :data:`NETWORK`; NaN where it was not taken."""
    names = pd.MultiIndex.from_frame(rows.networks[NETWORK])
    mine = rows.measures[["measure", "at", "when"]].eq([measure, at, when]).all(axis=1)
    return rows.measures[mine].set_index(NETWORK)["value"].astype(float).reindex(names)


def of_learners(rows: Rows, values: pd.Series) -> pd.Series:
    """Keep the values of networks that learned."""
    return values[rows.networks.set_index(NETWORK)["learns"].reindex(values.index).to_numpy()]


def fates(rows: Rows, when: str = TRAINED) -> pd.Series:
    """Return the fate of all networks, index :data:`NETWORK`; None where it was not measured."""
    mine = rows.measures
    mine = mine[(mine["measure"] == "fate") & (mine["value"] > 0) & (mine["when"] == when)]
    found = mine.set_index(NETWORK)["at"].reindex(pd.MultiIndex.from_frame(rows.networks[NETWORK]))
    return found.astype(object).where(found.notna(), None)


WHERE = ("self-connections", "others", "both", "neither")
"""Where a network keeps its memory."""

LOSSES = {
    "diagonal": "loss without the diagonal",
    "others": "loss without the others",
    "within communities": "loss without those within communities",
    "between communities": "loss without those between communities",
}
"""Names of the losses, by what is cut."""

ADVANTAGE, EIGENVALUE = "advantage", "memory eigenvalue"


def where_of(whole: pd.Series, without_diagonal: pd.Series, without_others: pd.Series) -> pd.Series:
    """Say where networks keep their memory.

    Parameters
    ----------
    whole : Series
        Gains as trained.
    without_diagonal, without_others : Series
        Losses of gain.

    Returns
    -------
    Series
        One of :data:`WHERE`; None where a number is missing.
    """
    half = whole / 2
    words = np.select(
        [
            (without_diagonal > half) & (without_others < half),
            (without_others > half) & (without_diagonal < half),
            (without_diagonal > half) & (without_others > half),
        ],
        WHERE[:3],
        WHERE[3],
    )
    known = np.isfinite(whole) & np.isfinite(without_diagonal) & np.isfinite(without_others)
    return pd.Series(words, whole.index, dtype=object).where(known, None)


def decoded(rows: Rows, group: str, time: str, when: str = TRAINED) -> pd.Series:
    """Return how well a group of units tells the cue at one of the four times, index :data:`NETWORK`."""
    return values_of(rows, "decoding", f"{group}, {time}", when)


def scores(rows: Rows) -> pd.DataFrame:
    """Compute the numbers and classes of each network.

    Returns
    -------
    DataFrame
        Index :data:`NETWORK`; columns ``seed``, ``gain``, ``learns``, ``whole`` (gain as trained, on the trials of
        the cuts), those of :data:`LOSSES`, ``advantage``, ``memory eigenvalue``, ``where`` and ``how``. What was not
        measured is NaN or None.
    """
    table = rows.networks.set_index(NETWORK)[["seed", "gain", "learns"]].copy()
    gains = {}
    for what in CUTS:
        accuracy = values_of(rows, "accuracy", what)
        of = pd.DataFrame({"task": accuracy.index.get_level_values("task"), "test_accuracy": accuracy.to_numpy()})
        gains[what] = gain(of.assign(status="ok")).to_numpy()
    table["whole"] = gains[CUTS[0]]
    for what, name in LOSSES.items():
        table[name] = table["whole"] - gains[what]
    groups = (decoded(rows, group, "memory end") for group in ("largest self-connections", "at random"))
    table[ADVANTAGE] = next(groups) - next(groups)
    table[EIGENVALUE] = values_of(rows, EIGENVALUE)
    table["where"] = where_of(table["whole"], table[LOSSES["diagonal"]], table[LOSSES["others"]])
    table["how"] = fates(rows)
    return table


# Classes of starts

MIXED, TOO_FEW, PENDING = "mixed", "too few", "pending"

FEWEST_THAT_LEARN, SHARED = 5, 0.75
"""Networks that must have learned for a start to have a class in a task, and the share of them that it takes."""


def class_of(kinds: pd.Series) -> tuple[str, int]:
    """Return the class of a start from those of its networks that learned, and how many have the most frequent one.

    A network whose class is not known counts as one that does not share it.
    """
    counts = kinds.value_counts()
    most = int(counts.iloc[0]) if len(counts) else 0
    if len(kinds) < FEWEST_THAT_LEARN:
        return TOO_FEW, most
    return (str(counts.index[0]) if most >= SHARED * len(kinds) else MIXED), most


def classes(rows: Rows) -> pd.DataFrame:
    """Give each start its class in each task.

    Returns
    -------
    DataFrame
        Index ``study, start, task``; columns ``networks``, ``learned`` (numbers), ``where``, ``how`` (a class,
        ``mixed`` or ``too few``), ``where_share`` and ``how_share`` (networks with the most frequent class).
    """
    found = {}
    for key, group in scores(rows).groupby(level=NETWORK[:3], sort=False):
        learned = group[group["learns"]]
        row: dict[str, object] = {"networks": len(group), "learned": len(learned)}
        for what in ("where", "how"):
            row[what], row[f"{what}_share"] = class_of(learned[what])
        found[key] = row
    columns = ["networks", "learned", "where", "where_share", "how", "how_share"]
    index = pd.MultiIndex.from_tuples(found, names=NETWORK[:3])
    return pd.DataFrame(list(found.values()), index, columns)


def class_counts(rows: Rows) -> pd.DataFrame:
    """Count the networks that learned by class.

    Returns
    -------
    DataFrame
        Columns ``study, start, task, what`` (``where`` or ``how``), ``kind`` and ``networks``. Every kind has a row.
    """
    table, found = scores(rows), []
    for key, group in table[table["learns"]].groupby(level=NETWORK[:3], sort=False):
        names = dict(zip(NETWORK, key, strict=False))
        for what, kinds in (("where", WHERE), ("how", FATES)):
            counts = group[what].value_counts()
            found += [names | {"what": what, "kind": k, "networks": int(counts.get(k, 0))} for k in kinds]
    return pd.DataFrame(found, columns=[*NETWORK[:3], "what", "kind", "networks"])


# Mechanisms of two starts

SAME, DIFFERENT, OPEN = "same", "different", "open"


def mechanism(first: pd.Series, second: pd.Series, alike: float, lower: float) -> tuple[str, str]:
    """Say whether two starts have the same mechanism in a task, and why it is open.

    Parameters
    ----------
    first, second : Series
        Rows of :func:`classes`.
    alike : float
        Mean similarity of their representations.
    lower : float
        Lower noise ceiling of the first.

    Returns
    -------
    word, why : str
        ``same``, ``different`` or ``open``; and ``too few``, ``mixed``, ``unlike`` or nothing.
    """
    words = [row[what] for row in (first, second) for what in ("where", "how")]
    for lacks in (TOO_FEW, MIXED):
        if lacks in words:
            return OPEN, lacks
    if (first[["where", "how"]] != second[["where", "how"]]).any():
        return DIFFERENT, ""
    return (SAME, "") if alike >= lower else (OPEN, "unlike")


def patterns(rows: Rows, study: str, start: str, task: str, when: str = TRAINED) -> pd.DataFrame:
    """Return the distances of representations of the networks that learned, index ``run``, a column per pair."""
    one = {"study": study, "start": start, "task": task}
    mine = rows.distances[rows.distances[[*one, "when"]].eq([*one.values(), when]).all(axis=1)]
    table = mine.pivot_table("value", "run", "pair", dropna=False)
    of = rows.networks[rows.networks[list(one)].eq(list(one.values())).all(axis=1)]
    return table[table.index.isin(of.loc[of["learns"], "run"])]


def mechanisms(rows: Rows, studies: tuple[str, ...] = TESTED) -> pd.DataFrame:
    """Compare the mechanisms of all pairs of starts, task by task.

    Returns
    -------
    DataFrame
        Columns ``study, task, first, second``, ``runs`` (pairs with a similarity), ``similarity, low, high`` (mean,
        with its BCa interval), ``lower`` and ``upper`` (noise ceiling of the first), ``across`` (mean similarity of
        a run of the first and *another* run of the second), ``within`` (of two runs of the first), ``says`` and
        ``why`` of :func:`mechanism`. The plan does not name ``across`` and ``within``. ``pending`` stands where a
        start has no rows.

    Notes
    -----
    Networks of one run share input and readout weights, trials and noise. The noise ceiling is of different runs,
    so ``similarity`` may lie above it; ``across`` and ``within`` compare like with like.
    """
    found, given = [], classes(rows)
    for study in studies:
        for task in in_order(rows.networks["task"]):
            table = {start: patterns(rows, study, start, task) for start in COMPARED_STARTS}
            ceilings = {start: noise_ceiling(table[start].to_numpy(dtype=float)) for start in COMPARED_STARTS}
            within = {start: across_runs(table[start], table[start]) for start in COMPARED_STARTS}
            for first, second in combinations(COMPARED_STARTS, 2):
                runs = table[first].index.intersection(table[second].index)
                pairs = zip(table[first].loc[runs].to_numpy(), table[second].loc[runs].to_numpy(), strict=True)
                alike = np.array([similarity(*pair) for pair in pairs], dtype=float)
                mean, low, high = finite_mean(alike)
                row = {"study": study, "task": task, "first": first, "second": second}
                row |= {"runs": int(np.isfinite(alike).sum()), "similarity": mean, "low": low, "high": high}
                row |= dict(zip(("lower", "upper"), ceilings[first], strict=True))
                row |= {"across": across_runs(table[first], table[second]), "within": within[first]}
                keys = [(study, start, task) for start in (first, second)]
                if all(key in given.index for key in keys):
                    said = mechanism(*(given.loc[key] for key in keys), mean, ceilings[first][0])
                else:
                    said = PENDING, PENDING
                found.append(row | dict(zip(("says", "why"), said, strict=True)))
    names = ["study", "task", "first", "second", "runs", "similarity", "low", "high", "lower", "upper"]
    return pd.DataFrame(found, columns=[*names, "across", "within", "says", "why"])


def across_runs(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Mean similarity of a run of one start and another run of another start, or of the same.

    Parameters
    ----------
    first, second : DataFrame
        As from :func:`patterns`.
    """
    if not len(first) or not len(second):
        return float("nan")
    one, other = (table.to_numpy(dtype=float) for table in (first, second))  # (runs, pairs)
    differ = first.index.to_numpy()[:, None] != second.index.to_numpy()  # (runs, runs)
    if np.isfinite(one).all() and np.isfinite(other).all():
        ranks = [rankdata(each, axis=1) - (each.shape[1] + 1) / 2 for each in (one, other)]
        with np.errstate(invalid="ignore"):
            units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in ranks]
        alike = (units[0] @ units[1].T)[differ]  # Spearman's correlations
    else:
        alike = np.array([similarity(one[k], other[m]) for k, m in np.argwhere(differ)])
    alike = alike[np.isfinite(alike)]
    return float(alike.mean()) if len(alike) else float("nan")


# Contrasts

CONTEXT, FUNCTIONAL = "no penalty", "functional"
"""The study of the contrasts, and the start that is compared."""

COMPARED = ("orthogonal", "diagonal alone", "0.95 I")
"""What functional starts are compared with."""

BOUNDS = {
    LOSSES["diagonal"]: SMALLEST_THAT_MATTERS,
    LOSSES["others"]: SMALLEST_THAT_MATTERS,
    ADVANTAGE: SMALLEST_THAT_MATTERS,
    EIGENVALUE: 0.05,
}
"""The four numbers of the contrasts, and the smallest difference that matters in each."""

FEWEST = 8
"""Runs of which a contrast needs at least this many."""


def of_start(table: pd.DataFrame, start: str, number: str) -> pd.Series:
    """Return a number of one start's networks that learned, in the study of the contrasts, index ``seed, task``."""
    levels = table.index
    mine = table[
        (levels.get_level_values("study") == CONTEXT)
        & (levels.get_level_values("start") == start)
        & table["learns"].to_numpy()
    ]
    values = mine[number].where(np.isfinite(mine[number]))
    return values.set_axis(pd.MultiIndex.from_arrays([mine["seed"], mine.index.get_level_values("task")]))


def answers(rows: Rows, seed: int = 0) -> pd.DataFrame:
    """Compute the twelve contrasts.

    Returns
    -------
    DataFrame
        A row per number and contrast: ``number``, ``against``, ``bound``, what
        :func:`biornn_lite.contrasts.compare_scores` finds, ``p_holm`` over all that could be tested, and ``says``:
        ``first``, ``second``, ``equivalent``, ``not told apart``, ``too few``, or ``pending`` without any rows.
    """
    table, found = scores(rows), []
    there = set(rows.networks.loc[rows.networks["study"] == CONTEXT, "start"])
    for number, bound in BOUNDS.items():
        for against in COMPARED:
            sides = (of_start(table, start, number) for start in (FUNCTIONAL, against))
            row = {"number": number, "against": against, "bound": bound}
            row["says"] = TOO_FEW if {FUNCTIONAL, against} <= there else PENDING
            found.append(row | compare_scores(*sides, FEWEST, bound, seed))
    numbers = ("runs", "pairs", "difference", "low", "high", "p", "p_equivalence", "p_holm")
    made = pd.DataFrame(found).reindex(columns=["number", "against", "bound", *numbers, "says"])
    tested = made["p"].notna()
    if tested.any():
        those = corrected(made[tested])
        made.loc[tested, ["p_holm", "says"]] = those[["p_holm", "says"]]
    return made


# Tables for figures


def described(values: pd.DataFrame, name: str) -> pd.DataFrame:
    """Describe columns of numbers of networks by their means over runs, with BCa intervals.

    Parameters
    ----------
    values : DataFrame
        Index :data:`NETWORK`.
    name : str
        What the columns are.

    Returns
    -------
    DataFrame
        Columns ``study, start, task``, `name`, ``networks`` (with a finite value), ``mean, low, high``.
    """
    found = []
    for key, group in values.groupby(level=NETWORK[:3], sort=False):
        numbers = group.to_numpy(dtype=float).T
        table = pd.DataFrame(dict(zip(NETWORK, key, strict=False)) | {name: list(values)})
        table["networks"] = np.isfinite(numbers).sum(1)
        table[["mean", "low", "high"]] = finite_means(numbers)
        found.append(table)
    empty = pd.DataFrame(columns=[*NETWORK[:3], name, "networks", "mean", "low", "high"])
    return pd.concat(found, ignore_index=True) if found else empty


def losses_table(rows: Rows) -> pd.DataFrame:
    """Mean losses of the networks that learned, by ``cut``; see :func:`described`."""
    table = scores(rows)
    names = {name: what for what, name in LOSSES.items()}
    return described(table.loc[table["learns"], list(names)].rename(columns=names), "cut")


def decoding_table(rows: Rows, when: str = TRAINED) -> pd.DataFrame:
    """Mean decoding of the cue from groups of units at the four times, of the networks that learned.

    Returns
    -------
    DataFrame
        As of :func:`described`, with ``group`` and ``time``.
    """
    found = []
    for group in (*GROUPS[:-1], "communities (mean)", "communities (best)"):
        columns = {time: of_learners(rows, decoded(rows, group, time, when)) for time in TIMES}
        found.append(described(pd.DataFrame(columns), "time").assign(group=group))
    return pd.concat(found, ignore_index=True)


def before_and_after(rows: Rows, measure: str, at: str = "") -> pd.DataFrame:
    """Mean of a measure with the first weights and after training, of the networks that learned, by ``when``."""
    columns = {when: of_learners(rows, values_of(rows, measure, at, when)) for when in WHEN}
    return described(pd.DataFrame(columns), "when")
