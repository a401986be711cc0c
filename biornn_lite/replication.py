"""The full study that comes with the project, and the paper's tables for comparison.

Notebook 09 uses the study, notebook 10 its positive-only part. ``docs/replication.md`` is made from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from .errors import InputError
from .field import CorticalField
from .plumbing.files import data_folder
from .results import MEASURES, TEXT_COLUMNS, Results, as_results, ceilings
from .statistics import estimates, holm, welch
from .study import Study
from .tasks import TASKS, get_task
from .training import Settings, training_trials
from .variants import PROTOCOLS, PUBLISHED_VARIANTS, Protocol, check_sign, get_variant

FUNCTIONAL_VARIANTS = tuple(v for v in PUBLISHED_VARIANTS if get_variant(v).weights != "orthogonal")
"""Variants that start from function. The other variants do not depend on the measure of function."""

ORTHOGONAL_VARIANTS = tuple(v for v in PUBLISHED_VARIANTS if v not in FUNCTIONAL_VARIANTS)
"""Variants that start from an orthogonal matrix."""

PUBLISHED_FIELD = "6_6_2"
"""The field of the paper's tables."""

PUBLISHED_RUNS = 20
"""Runs per variant and task in the paper."""

HALF_DIGIT = 0.0005
"""Half a unit of the last digit printed in the paper's tables."""

EQUIVALENCE_BOUND = 0.02
"""Two mean accuracies count as equivalent if tests show a smaller difference than this."""


@dataclass(frozen=True)
class ShippedStudy:
    """A study of 20 runs per variant and task whose rows come with the project.

    Attributes
    ----------
    name : str
    field : str
        Name of a released field.
    sign : {"free", "positive"}
    protocol : Protocol
    variants : tuple of str
    """

    name: str
    field: str
    sign: str = "free"
    protocol: Protocol = PROTOCOLS["published"]
    variants: tuple[str, ...] = PUBLISHED_VARIANTS

    @property
    def changes(self) -> str:
        """Differences from the published protocol, such as ``function=sttc``; empty if there are none."""
        return self.protocol.name.removeprefix("published").removeprefix("+").replace("+", ", ")

    def on(self, field: CorticalField) -> Study:
        """Return the study as a :class:`biornn_lite.study.Study` on this field."""
        return Study(field, self.variants, runs=20, protocol=self.protocol, sign=self.sign)


SHIPPED = {
    study.name: study
    for study in (
        ShippedStudy("6_6_2", "6_6_2"),
        ShippedStudy("6_6_2 positive", "6_6_2", sign="positive"),
        ShippedStudy("6_6_2 sttc", "6_6_2", protocol=Protocol(function="sttc"), variants=FUNCTIONAL_VARIANTS),
        ShippedStudy(
            "6_6_2 precision", "6_6_2", protocol=Protocol(function="precision"), variants=FUNCTIONAL_VARIANTS
        ),
        ShippedStudy(
            "6_6_2 small penalty",
            "6_6_2",
            protocol=Protocol(penalty_weight=0.0003, emd_weight=0.0001),
            variants=ORTHOGONAL_VARIANTS,
        ),
        ShippedStudy("5_3_4", "5_3_4"),
        ShippedStudy("5_6_8", "5_6_8"),
    )
}
"""The shipped studies by name: the paper's two tables, other measures, a penalty 1000 times smaller, other fields."""


def read_shipped(path: str | Path) -> pd.DataFrame:
    """Read a shipped table; names are always read as text."""
    return pd.read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, str), low_memory=False)


@cache
def _shipped_tables() -> Results:
    folder = data_folder() / "replication"
    try:
        return Results(*(read_shipped(folder / f"{name}.csv.gz") for name in ("networks", "curves")))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file; in a clone, data/make_replication.py makes it") from None


def load_replication(name: str = "6_6_2") -> Results:
    """Load a shipped study.

    Parameters
    ----------
    name : str
        A key of :data:`SHIPPED`.

    Returns
    -------
    Results
        As from ``run_study``, rounded to six digits. Studies with other measures of function contain only the
        variants that start from function; the other networks are the same as in ``6_6_2``. The study with the small
        penalty contains only the variants that start from an orthogonal matrix.

    Raises
    ------
    InputError
        If the study does not exist, or its rows are not installed.
    """
    if name not in SHIPPED:
        raise InputError(f"no study {name!r}; there are {', '.join(SHIPPED)}")
    mine = [table[table["study"] == name].drop(columns="study") for table in _shipped_tables()]
    if mine[0].empty:
        raise InputError(f"the rows of {name!r} are not here; in a clone, data/make_replication.py makes them")
    return as_results(*(table.reset_index(drop=True) for table in mine))


def load_modules() -> pd.DataFrame:
    """Load the communities of networks trained with reshaped and with correctly transposed coordinates.

    Returns
    -------
    DataFrame
        A row per network of 6_6_2, for variants with ``C`` and 20 runs: ``coordinates`` (``reshaped``, as published,
        or ``transposed``, with the same mean cost of a connection), ``variant``, ``task``, ``run``, accuracies,
        ``modularity``, ``communities``, ``largest`` (sizes), ``with_edges`` (number of neurons with edges), and
        ``mutual_information`` (adjusted) between the communities of these neurons and their index modulo 3. See
        ``data/modules/README.md``.
    """
    return pd.read_csv(data_folder() / "modules" / "networks.csv.gz")


@cache
def _published() -> dict:
    return json.loads((data_folder() / "published.json").read_text(encoding="utf-8"))


def published_table(sign: str = "free") -> pd.DataFrame:
    """Return the paper's tables for field 6_6_2, 20 runs per variant and task.

    Parameters
    ----------
    sign : {"free", "positive"}
        ``free`` is Table 2 and ``positive`` is Table 3.

    Returns
    -------
    DataFrame
        Index ``measure, task, variant``. Columns ``mean``, ``low`` and ``high`` (t interval), with the three printed
        digits. If no interval was printed, all runs were equal and both ends are the mean. If no mean was printed,
        all three are NaN.
    """
    check_sign(sign)
    rows = {
        (measure, task, variant): (cell["mean"], *(cell["ci95"] or (cell["mean"],) * 2))
        for measure, tasks in _published()["free_sign" if sign == "free" else "positive_only"].items()
        for task, variants in tasks.items()
        for variant, cell in variants.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high"]).astype(float)
    table.index = pd.MultiIndex.from_tuples(rows, names=["measure", "task", "variant"])
    return table.sort_index()


def published_medians() -> pd.Series:
    """Return the paper's median accuracies, signs free; index ``task, variant``."""
    rows = {
        (task, variant): cell["median"]
        for task, variants in _published()["accuracy_medians_free_sign"].items()
        for variant, cell in variants.items()
    }
    return pd.Series(rows).rename_axis(["task", "variant"]).sort_index()


def published_runs() -> pd.DataFrame:
    """Return the only published table of single runs: small-worldness, positive only, first task.

    Returns
    -------
    DataFrame, shape (20, 11)
        A row per run, a column per variant; NaN if the run diverged.
    """
    return pd.DataFrame(_published()["raw_small_worldness_positive_only_task1"]).astype(float)


def published_pooled() -> pd.DataFrame:
    """Return the pooled values printed by the statistics notebooks of the paper's code, signs free.

    Returns
    -------
    DataFrame
        Index ``study`` (a name of :data:`SHIPPED`), ``weights`` (start of the pooled variants: ``functional``,
        ``relabelled``, or ``any`` for all eleven), ``task``, ``measure``. Columns ``mean`` and ``median``, with the
        three printed digits.
    """
    table = pd.read_csv(data_folder() / "published_pooled.csv")
    return table.set_index(["study", "weights", "task", "measure"])


def compare_pooled() -> pd.DataFrame:
    """Compare the shipped studies with the published pooled means.

    Returns
    -------
    DataFrame
        Index as in :func:`published_pooled`. Columns ``published`` (its mean), our ``mean``, and ``z``: their
        difference divided by its standard error. No spread was published, so our spread of runs within variants is
        used for both.
    """
    rows = {}
    for (study, weights, task, measure), published in published_pooled()["mean"].items():
        networks = load_replication(study).networks
        of = [v for v in PUBLISHED_VARIANTS if weights in ("any", get_variant(v).weights)]
        mine = networks[(networks["task"] == task) & networks["variant"].isin(of)]
        runs = mine.groupby("variant")[measure].agg(["mean", "var", "count"])
        error = np.sqrt(2 * (runs["var"] / runs["count"]).sum()) / len(runs)
        mean = runs["mean"].mean()
        rows[study, weights, task, measure] = {"published": published, "mean": mean, "z": (mean - published) / error}
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(rows, names=["study", "weights", "task", "measure"])
    return found


def published_failures(sign: str = "free") -> pd.DataFrame:
    """Estimate from means and intervals how many of the paper's runs that start from function did not learn.

    The estimate assumes that k of 20 runs stay at chance and the others all reach the same accuracy. For each k, the
    printed mean gives this accuracy, and k and this accuracy give the width of the interval. The k whose width is
    closest to the printed width is chosen. Chance is the published mean of ``W``, signs free.

    Parameters
    ----------
    sign : {"free", "positive"}

    Returns
    -------
    DataFrame
        Index ``task, variant``. Columns ``failed`` (k), ``level`` (accuracy of the others), ``apart`` (difference
        between the estimated and the printed half-width), and ``least`` and ``most``: the smallest and largest k
        whose half-width differs by at most 0.01.
    """
    table, rows = published_table(sign).loc["accuracy"], {}
    for task in TASKS:
        chance = published_table().loc[("accuracy", task, "W"), "mean"]
        best = ceilings(task, "train")[1]
        for variant in FUNCTIONAL_VARIANTS:
            mean, low, high = table.loc[(task, variant)]
            share = np.arange(PUBLISHED_RUNS) / PUBLISHED_RUNS
            level = (mean - share * chance) / (1 - share)
            spread = (level - chance) * np.sqrt(share * (1 - share) / (PUBLISHED_RUNS - 1))
            apart = abs(stats.t.ppf(0.975, PUBLISHED_RUNS - 1) * spread - (high - low) / 2)
            apart[(level <= chance) | (level > best + 0.006)] = np.inf  # some draws are slightly easy
            failed = int(apart.argmin())
            near = np.flatnonzero(apart <= max(0.01, apart.min()))
            rows[task, variant] = {
                "failed": failed, "level": level[failed], "apart": apart[failed], "least": near[0], "most": near[-1],
            }  # fmt: skip
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(rows, names=["task", "variant"])
    return found.astype({"failed": int, "least": int, "most": int})


def with_diverged_as_published(networks: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """Give diverged networks the training accuracy that the published code records for them.

    If all outputs are NaN, the published code chooses the first answer. A diverged network is therefore counted as
    right in every trial whose label is the first answer. Its "accuracy" is the share of such trials, which does not
    depend on training. Here the share comes from the run's own training trials.

    Parameters
    ----------
    networks : DataFrame
        A table of networks; a copy is returned.
    settings : Settings, optional
        Those of the study.
    """
    table = networks.copy()
    lost = networks["status"] == "diverged"
    if lost.any():
        table.loc[lost, "train_accuracy"] = _shares_of_labels(networks[lost], settings)[:, 0]
    return table


def compare_with_published(networks: pd.DataFrame, measure: str = "accuracy") -> pd.DataFrame:
    """Compare a study of field 6_6_2 with the paper's table, cell by cell.

    Parameters
    ----------
    networks : DataFrame
        Networks of one sign. Accuracy is that of the last training epoch; diverged runs have the value of the
        published code (:func:`with_diverged_as_published`). Other measures use only the runs that have a value.
    measure : str
        ``accuracy``, ``entropy``, ``modularity``, ``small_worldness`` or ``assortativity``.

    Returns
    -------
    DataFrame
        Index ``task, variant``; ``runs``, ``counted``, ``diverged``, ``mean``, ``low``, ``high``,
        ``published_mean``, ``published_low``, ``published_high``;

        - ``within`` (the published mean is in our interval) and ``agree`` (it is, or the two intervals overlap), with
          tolerance :data:`HALF_DIGIT`. Overlap is a weak criterion: if two means truly differ by two standard
          errors, their intervals overlap in 81 % of cases;
        - ``difference`` (ours minus published) with ``difference_low``, ``difference_high`` and ``p`` from Welch's
          test, where the printed interval gives the published spread, and ``p_holm``, corrected for all cells;
        - ``equivalent``: whether two one-sided tests at 5 % show a difference below :data:`EQUIVALENCE_BOUND`. Only
          for accuracy, NA otherwise.
    """
    if measure not in MEASURES:
        raise InputError(f"no measure {measure!r}; there are {', '.join(MEASURES)}")
    signs = networks["sign"].unique()
    if len(signs) != 1:
        raise InputError(
            f"rows of one sign are needed; these are of {', '.join(signs) or 'none: the table is empty'}"
        )
    if len(fields := networks["field"].unique()) > 1 or fields[0] != PUBLISHED_FIELD:
        raise InputError(f"the paper's tables are of {PUBLISHED_FIELD}; these rows are of {', '.join(fields)}")
    table, column = (
        (with_diverged_as_published(networks), "train_accuracy") if measure == "accuracy" else (networks, measure)
    )
    ours = estimates(table, column)[["runs", "counted", "mean", "low", "high"]]
    ours["diverged"] = (
        networks.assign(diverged=networks["status"] == "diverged").groupby(["task", "variant"])["diverged"].sum()
    )
    theirs = published_table(signs[0]).loc[measure].add_prefix("published_")
    both = ours.join(theirs)
    low, high = both["low"] - HALF_DIGIT, both["high"] + HALF_DIGIT
    both["within"] = both["published_mean"].between(low, high)
    overlap = (low <= both["published_high"]) & (both["published_low"] <= high)
    both["agree"] = both["within"] | overlap
    counted = {cell: rows[column].dropna().to_numpy(float) for cell, rows in table.groupby(["task", "variant"])}
    tests = {
        cell: _against_published(counted[cell], row, 0.95) + (_against_published(counted[cell], row, 0.90)[1:3])
        for cell, row in both[both["published_mean"].notna()].iterrows()
        if len(counted[cell]) > 1
    }
    names = ["difference", "difference_low", "difference_high", "p", "tost_low", "tost_high"]
    found = pd.DataFrame.from_dict(tests, orient="index", columns=names).reindex(both.index)
    inside = (found["tost_low"] > -EQUIVALENCE_BOUND) & (found["tost_high"] < EQUIVALENCE_BOUND)
    found["equivalent"] = inside if measure == "accuracy" else pd.NA
    found["p_holm"] = pd.Series(holm(found["p"].dropna()), found["p"].dropna().index)
    return both.join(found.drop(columns=["tost_low", "tost_high"]))


def _against_published(ours: np.ndarray, row: pd.Series, confidence: float) -> tuple[float, ...]:
    """Compare runs with a published mean; its printed t interval of 20 runs gives the published spread."""
    half = (row["published_high"] - row["published_low"]) / 2
    spread = half / stats.t.ppf(0.975, PUBLISHED_RUNS - 1) * np.sqrt(PUBLISHED_RUNS)
    if ours.std() == spread == 0 and abs(ours.mean() - row["published_mean"]) <= HALF_DIGIT:
        return 0.0, 0.0, 0.0, 1.0
    return tuple(
        welch((ours.mean(), ours.std(ddof=1), len(ours)), (row["published_mean"], spread, PUBLISHED_RUNS), confidence)
    )


def label_shares(networks: pd.DataFrame, settings: Settings | None = None) -> np.ndarray:
    """Return the share of the most frequent label in each network's training trials.

    This is the best accuracy of a network that always gives the same answer. Because trials are drawn at random, it
    is slightly above 1 / (number of answers).

    Parameters
    ----------
    networks : DataFrame
        A table of networks.
    settings : Settings, optional
        Those of the study.

    Returns
    -------
    ndarray, shape (networks,)
    """
    return np.nanmax(_shares_of_labels(networks, settings), axis=1)


def _shares_of_labels(networks: pd.DataFrame, settings: Settings | None) -> np.ndarray:
    """Return the share of each label in each network's training trials, (networks, 4); NaN for unused labels."""
    if (networks["trials"] != "own").any():
        raise InputError("shared trials cannot be told from the rows; choose a study with trials=own")
    shares = {}
    for task, seed in dict.fromkeys(zip(networks["task"], networks["seed"], strict=True)):
        _, labels = training_trials(task, [seed], settings or Settings())
        counts = labels.flatten().bincount(minlength=get_task(task).classes).numpy()
        shares[task, seed] = np.pad(counts / labels.numel(), (0, 4 - len(counts)), constant_values=np.nan)
    return np.array([shares[key] for key in zip(networks["task"], networks["seed"], strict=True)])
