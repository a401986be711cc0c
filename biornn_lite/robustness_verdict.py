"""From the rows of robustness to curves with intervals, trials needed, fronts, and one word for each claim.

``docs/robustness_plan.md`` defines all of it; the rows come from ``data/make_robustness.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from .audit import with_names
from .contrasts import LEARNS_ABOVE, SMALLEST_THAT_MATTERS, compare_scores, gain
from .errors import InputError
from .plumbing.files import data_folder
from .pruning import KEPT_RETRAINED, front
from .psychometric import fit
from .replication import read_shipped
from .results import KEY, ceilings
from .robustness import DISTURBANCES, KEPT, area, retained
from .robustness_studies import CONTROLS, SIZES, TRIALS_PER_COHERENCE, WITHOUT_PENALTY, name_of, variants_of
from .stability import LENGTHS
from .statistics import finite_mean, finite_means, holm, share_interval
from .variants import get_variant

MAIN = name_of(max(SIZES))
"""The part whose networks are disturbed."""

TABLES = ("networks.csv.gz", "curves.csv.gz", "measures.csv.xz")
"""Files of the shipped tables, in the order of :class:`Rows`."""

NETWORK = ["study", *KEY]
"""What names a network of one part."""


class Rows(NamedTuple):
    """The shipped tables.

    Attributes
    ----------
    networks : DataFrame
        A row per network, with ``study``, ``part``, ``plan``, ``start``, ``gain`` and ``learns`` besides the usual.
    curves : DataFrame
        Learning curves of the networks with the most training trials.
    measures : DataFrame
        ``study``, ``part``, ``variant``, ``task``, ``run``, ``measure``, ``severity``, ``value``.
    """

    networks: pd.DataFrame
    curves: pd.DataFrame
    measures: pd.DataFrame


def as_rows(networks: pd.DataFrame, curves: pd.DataFrame, measures: pd.DataFrame) -> Rows:
    """Join each network's accuracy on all test trials, and add ``start``, ``gain`` and ``learns``."""
    if lacks := {"study", "part", *KEY, "measure", "severity", "value"} - set(measures):
        raise InputError(f"the table of measures lacks {', '.join(sorted(lacks))}")
    ends = measures.loc[measures["measure"] == "accuracy", ["study", "part", *KEY, "value"]]
    networks = networks.drop(columns="test_accuracy").merge(
        ends.rename(columns={"value": "test_accuracy"}), how="left", on=["study", "part", *KEY], validate="1:1"
    )
    gains = gain(networks)
    networks = with_names(networks).assign(gain=gains, learns=gains > LEARNS_ABOVE)
    return Rows(networks, curves, measures)


@cache
def _shipped() -> Rows:
    folder = data_folder() / "robustness"
    try:
        return as_rows(*(read_shipped(folder / name) for name in TABLES))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file; in a clone, data/make_robustness.py makes it") from None


def load_robustness() -> Rows:
    """Load the shipped rows."""
    return Rows(*(table.copy() for table in _shipped()))


# Variants beside each other

SHOWN: dict[str, dict[str, str]] = {
    "published penalty": dict(
        zip(
            WITHOUT_PENALTY,
            ("W*D*C*", "W!D*C*", "WD*C*", *(f"{control} | D* | C*" for control in CONTROLS)),
            strict=True,
        )
    ),
    "no penalty": {start: f"{start} | D* | no C" for start in WITHOUT_PENALTY},
}
"""One variant of each start in each study, by start: published starts, and the controls."""


def shown(study: str, variants: Sequence[str] = ()) -> dict[str, str]:
    """Choose one variant of each start, so that no variant is shown without the controls.

    Parameters
    ----------
    study : str
    variants : sequence of str
        Variants to show in place of those of :data:`SHOWN` with the same start.

    Returns
    -------
    dict of str to str
        Variants by start.
    """
    if study not in SHOWN:
        raise InputError(f"no study {study!r}; there are {', '.join(SHOWN)}")
    there = [get_variant(each).name for each in variants_of(study)]
    if unknown := [name for name in variants if name not in there]:
        raise InputError(f"the study {study} has no variant {unknown[0]!r}; it has {', '.join(there)}")
    starts = with_names(pd.DataFrame({"variant": list(variants)}))["start"] if len(variants) else []
    chosen = dict(zip(starts, variants, strict=True))
    if len(chosen) < len(variants):
        raise InputError(f"{len(variants)} variants of {len(chosen)} starts; choose one of each start")
    return SHOWN[study] | chosen


# Gains

FAMILIES: dict[str, tuple[str, ...]] = {
    "noise": ("input noise", "state noise", "weight noise", "weight noise, proportional"),
    "damage": (
        "units silenced, at random", "units silenced, strongest first", "synapses cut, at random",
        "synapses cut, strongest first",
    ),
    "precision": ("bits, recurrent, per matrix", "bits, recurrent, per row"),
    "pruning": ("pruned",),
}  # fmt: skip
"""The disturbances in each family of the claim *robust*."""

EDGE = (
    *(("bits, all, per row", bits) for bits in (6.0, 5.0, 4.0)),
    *(("pruned and retrained", share) for share in KEPT_RETRAINED),
)  # fmt: skip
"""Measures and severities of the claim *edge*."""


def shown_rows(rows: Rows) -> Rows:
    """Return the rows of the variants in :data:`SHOWN`, which the figures draw."""
    there = pd.MultiIndex.from_tuples([(study, name) for study, names in SHOWN.items() for name in names.values()])
    return Rows(*(table[pd.MultiIndex.from_frame(table[["study", "variant"]]).isin(there)] for table in rows))


AFTER = ("after the trial, silence", "after the trial, noise")
"""Gains of the readout some trial lengths after the trial."""

SEVERITIES: dict[str, tuple[float, ...]] = {
    **{name: disturbance.severities for name, disturbance in DISTURBANCES.items()},
    "pruned and retrained": KEPT_RETRAINED,
    **{name: tuple(map(float, LENGTHS)) for name in AFTER},
}
"""The severities at which a network's gain is measured, without the undisturbed case."""

POINTS = (("undisturbed", 0.0), *((name, float(each)) for name, those in SEVERITIES.items() for each in those))
"""Measures and severities whose value is an accuracy."""

CLAIMS = ("less data", "robust", "stable", "edge")
"""The four claims of the text."""


def gains_of(rows: Rows) -> pd.DataFrame:
    """Return the gain of every disturbed network with the most training trials.

    Returns
    -------
    DataFrame
        Index ``study, variant, task, run``; columns (measure, severity), the undisturbed one is
        ``("undisturbed", 0)``. A diverged network has the gain of guessing throughout; what is not measured is NaN.
    """
    columns = pd.MultiIndex.from_tuples(POINTS, names=["measure", "severity"])
    accuracies = columns.unique("measure")
    mine = rows.measures[(rows.measures["part"] == MAIN) & rows.measures["measure"].isin(accuracies)]
    gains = gain(mine.assign(status="ok", test_accuracy=mine["value"]))
    mine = mine.assign(gain=gains, severity=mine["severity"].round(6))  # pandas may read the last digit otherwise
    networks = rows.networks[rows.networks["part"] == MAIN].set_index(NETWORK)
    table = mine.pivot_table("gain", NETWORK, ["measure", "severity"])
    table = table.reindex(index=networks.index, columns=columns)
    diverged = networks["status"] == "diverged"
    guessing = networks.loc[diverged, "gain"].to_numpy()[:, None]
    table.loc[diverged] = np.repeat(guessing, table.shape[1], axis=1)
    return table


def curve_of(gains: pd.DataFrame, measure: str) -> np.ndarray:
    """Return the gains of one disturbance, shape (severities + 1, networks), the undisturbed ones first."""
    if measure not in SEVERITIES:
        raise InputError(f"no disturbance {measure!r}; there are {', '.join(SEVERITIES)}")
    return gains[[("undisturbed", 0.0), *((measure, severity) for severity in SEVERITIES[measure])]].to_numpy().T


def _after(gains: pd.DataFrame, points: Sequence[tuple[str, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean gain over points, as it is and retained."""
    values = gains[[("undisturbed", 0.0), *points]].to_numpy().T
    return values[1:].mean(0), retained(values)[1:].mean(0)


def scores(rows: Rows) -> pd.DataFrame:
    """Compute the number that tests each claim, for each network with the most training trials.

    Returns
    -------
    DataFrame
        Columns ``study, variant, task, run, seed, learns``; each of :data:`CLAIMS` and of the families, which is
        retained (NaN without learning) but for *less data*; and the same with `` (all)`` behind, as plain gain of
        all networks. A network without measures has NaN.
    """
    gains = gains_of(rows)
    table = rows.networks[rows.networks["part"] == MAIN].set_index(NETWORK)[["seed", "learns"]].copy()
    for family, measures in FAMILIES.items():
        curves = [curve_of(gains, measure) for measure in measures]
        table[family] = np.mean([area(retained(curve)) for curve in curves], axis=0)
        table[f"{family} (all)"] = np.mean([area(curve) for curve in curves], axis=0)
    for suffix in ("", " (all)"):
        table[f"robust{suffix}"] = table[[family + suffix for family in FAMILIES]].mean(axis=1, skipna=False)
    later = [("after the trial, noise", float(length)) for length in LENGTHS]
    table["stable (all)"], table["stable"] = _after(gains, later)
    table["edge (all)"], table["edge"] = _after(gains, EDGE)
    by_size = rows.networks.pivot_table("gain", NETWORK, "part")
    by_size = by_size.reindex(columns=[name_of(size) for size in sorted(SIZES)], index=table.index)
    table["less data"] = table["less data (all)"] = area(by_size.to_numpy().T)
    return table.reset_index()


# Contrasts and words

SIDES: dict[str, tuple[str, ...]] = {
    "published penalty": ("W*D*C*", "WD*C*", "diagonal alone | D* | C*", "0.95 I | D* | C*"),
    "no penalty": tuple(f"{start} | D* | no C" for start in ("functional", "orthogonal", "diagonal alone", "0.95 I")),
}
"""The variants of the contrasts in each context: functional, and what it is compared with."""

COMPARED = ("orthogonal", "diagonal alone", "0.95 I")
"""What functional starts are compared with."""

FEWEST = 10
"""Runs of which a contrast needs at least this many."""


def contrast(table: pd.DataFrame, first: str, second: str, score: str, seed: int = 0) -> dict[str, object]:
    """Compare a score of two variants, run by run.

    Parameters
    ----------
    table : DataFrame
        Rows of :func:`scores` of one study.
    first, second, score : str
    seed : int
        Of bootstrap and permutations.

    Returns
    -------
    dict
        As :class:`biornn_lite.contrasts.Comparison`, and ``pairs`` (of networks). With too few runs, only ``runs``
        and ``pairs`` are numbers.
    """
    sides = (table[table["variant"] == name].set_index(["seed", "task"])[score] for name in (first, second))
    return compare_scores(*sides, FEWEST, seed=seed)


def answers(rows: Rows) -> pd.DataFrame:
    """Compute the contrasts of the plan.

    Returns
    -------
    DataFrame
        A row per claim or family, context and contrast: ``score``, ``claim`` (of which it is the test, or none),
        ``context``, ``against``, the entries of :func:`contrast`, ``p_holm`` over the six contrasts of the score,
        and ``says``: ``better``, ``no better`` or ``unclear``. A context is left out while one of its starts has no
        network in which the score is measured.
    """
    table = scores(rows)
    found = [pd.DataFrame(columns=["score", "claim", "context", "against", "runs", "pairs", "says"])]
    for score in (*CLAIMS, *FAMILIES, *(f"{claim} (all)" for claim in CLAIMS[1:])):
        of_score = []
        measured = table[table[f"{score.removesuffix(' (all)')} (all)"].notna()]
        for context, (functional, *others) in SIDES.items():
            mine = measured[measured["study"] == context]
            if not set(SIDES[context]) <= set(mine["variant"]):
                continue
            of_score += [
                {"score": score, "claim": score if score in CLAIMS else "", "context": context, "against": against}
                | contrast(mine, functional, other, score)
                for against, other in zip(COMPARED, others, strict=True)
            ]
        if of_score:
            found.append(with_words(pd.DataFrame(of_score)))
    return pd.concat(found[1:] or found, ignore_index=True)


def with_words(contrasts: pd.DataFrame) -> pd.DataFrame:
    """Add ``p_holm`` and ``says`` to the contrasts of one score; those with too few runs are ``unclear``."""
    columns = ("difference", "low", "high", "p", "p_equivalence")
    table = contrasts.reindex(columns=[*contrasts.columns, *(c for c in columns if c not in contrasts)])
    tested = table["p"].notna().to_numpy()
    p = np.full(len(table), np.nan)
    if tested.any():
        p[tested] = holm(table.loc[tested, "p"].astype(float))
    better = (p < 0.05) & (table["difference"] >= SMALLEST_THAT_MATTERS)
    no_better = tested & ((table["p_equivalence"] < 0.05) | ((p < 0.05) & (table["difference"] < 0)))
    return table.assign(p_holm=p, says=np.select([better, no_better], ["better", "no better"], "unclear"))


def word(says: dict[str, str]) -> str:
    """Give a claim its word in one context.

    Parameters
    ----------
    says : dict of str to str
        ``better``, ``no better`` or ``unclear`` against each of :data:`COMPARED`.
    """
    orthogonal, *identity_like = (says[against] for against in COMPARED)
    if orthogonal == "better" and all(each == "better" for each in identity_like):
        return "holds"
    if orthogonal == "better" and all(each == "no better" for each in identity_like):
        return "holds for any identity-like start"
    return "not supported" if orthogonal == "no better" else "open"


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Give each claim its word from a table of :func:`answers`.

    Returns
    -------
    DataFrame
        Index ``claim``; a column per context, and ``word``: what both say, otherwise ``open``. ``pending`` stands
        where a context has no rows.
    """
    found = {}
    for claim in CLAIMS:
        mine = table[table["claim"] == claim]
        words = {
            context: word(dict(zip(group["against"], group["says"], strict=True)))
            for context in SIDES
            if len(group := mine[mine["context"] == context])
        }
        whole = [words.get(context, "pending") for context in SIDES]
        shared = "pending" if "pending" in whole else whole[0] if len(set(whole)) == 1 else "open"
        found[claim] = dict(zip(SIDES, whole, strict=True)) | {"word": shared}
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("claim")


# Tables for the page


def curve_table(rows: Rows, measures: Sequence[str] = tuple(DISTURBANCES)) -> pd.DataFrame:
    """Mean gain by severity, over all networks and over those that learned, with BCa intervals over runs.

    Parameters
    ----------
    rows : Rows
    measures : sequence of str
        Some of :data:`SEVERITIES`.

    Returns
    -------
    DataFrame
        Columns ``study, variant, task, measure, severity, networks, all, low, high, learned`` (number),
        ``retained``, ``retained_low`` and ``retained_high``. Severity 0 is the undisturbed case. ``networks`` counts
        those with a gain, diverged ones among them.
    """
    gains, found = gains_of(rows).dropna(how="all"), []
    for measure in measures:
        if np.isnan(curve_of(gains, measure)[1:]).all():
            raise InputError(f"no network here has the measure {measure!r}")
    for (study, variant, task), group in gains.groupby(level=NETWORK[:3], sort=False):
        for measure in measures:
            curve = curve_of(group, measure)
            kept = retained(curve)
            severities = (0.0, *SEVERITIES[measure])
            names = {"study": study, "variant": variant, "task": task, "measure": measure}
            table = pd.DataFrame({**names, "severity": severities, "networks": np.isfinite(curve).sum(1)})
            table[["all", "low", "high"]] = finite_means(curve)
            table["learned"] = np.isfinite(kept).sum(1)
            table[["retained", "retained_low", "retained_high"]] = finite_means(kept)
            found.append(table)
    return pd.concat(found, ignore_index=True)


def _mean(values: np.ndarray, *names: str) -> dict[str, float]:
    """Mean and interval of finite values, by these names."""
    return dict(zip(names, finite_mean(values), strict=True))


def measure_table(rows: Rows, measures: Sequence[str]) -> pd.DataFrame:
    """Mean of other measures of the networks with the most training trials, with BCa intervals over runs.

    Parameters
    ----------
    rows : Rows
    measures : sequence of str
        Such as ``bounded, noise`` or ``consistency``.

    Returns
    -------
    DataFrame
        Columns ``study, variant, task, measure, networks, mean, low, high``. Networks that diverged, and values that
        are not finite, are left out; ``networks`` counts the others.
    """
    if missing := [name for name in measures if name not in set(rows.measures["measure"])]:
        raise InputError(f"no network here has the measure {missing[0]!r}")
    mine = rows.measures[(rows.measures["part"] == MAIN) & rows.measures["measure"].isin(measures)]
    found = []
    for key, values in mine.groupby([*NETWORK[:3], "measure"], sort=False)["value"]:
        row = dict(zip([*NETWORK[:3], "measure"], key, strict=True))
        number = int(np.isfinite(values).sum())
        found.append(row | {"networks": number} | _mean(values.to_numpy(), "mean", "low", "high"))
    return pd.DataFrame(found)


def of_all_sizes(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the networks whose run was trained with all numbers of training trials that are in their study."""
    own = networks.groupby(NETWORK)["part"].transform("nunique")
    return networks[own == networks.groupby("study")["part"].transform("nunique")]


def data_table(rows: Rows) -> pd.DataFrame:
    """Mean gain, and share of networks that learn, by number of training trials.

    Returns
    -------
    DataFrame
        Columns ``study, variant, task, trials, networks, gain, low, high`` (mean, with its BCa interval over runs),
        ``median``, ``learned`` (number), ``learns`` (share), ``learns_low`` and ``learns_high`` (Wilson's interval).
        Only runs with all numbers of trials that are there count, so that all means are of the same runs. Networks
        without a measured accuracy are left out; a diverged one has the gain of guessing.
    """
    networks = of_all_sizes(rows.networks.dropna(subset="gain"))
    networks = networks.assign(trials=_trials(networks)).sort_values("trials", kind="stable")
    found = []
    for key, group in networks.groupby([*NETWORK[:3], "trials"], sort=False):
        learns = group["learns"].astype(bool)
        found.append(
            dict(zip([*NETWORK[:3], "trials"], key, strict=True))
            | {"networks": len(group)}
            | _mean(group["gain"].to_numpy(), "gain", "low", "high")
            | {"median": group["gain"].median(), "learned": int(learns.sum()), "learns": learns.mean()}
            | dict(zip(("learns_low", "learns_high"), share_interval(learns.sum(), len(learns)), strict=True))
        )
    if not found:
        raise InputError("no network here has a measured accuracy")
    return pd.DataFrame(found)


EPOCHS = tuple(range(1, 11))
"""Epochs after which the networks with the most training trials are tested."""


def gains_by_epoch(rows: Rows) -> pd.DataFrame:
    """Return the gain of each network with the most training trials after each epoch; one that diverged guesses.

    Returns
    -------
    DataFrame
        Index ``study, variant, task, run``, columns :data:`EPOCHS`. Empty without learning curves.
    """
    if rows.curves.empty:
        return pd.DataFrame(columns=EPOCHS)
    curves = rows.curves[(rows.curves["part"] == MAIN) & rows.curves["epoch"].isin(EPOCHS)]
    networks = rows.networks[rows.networks["part"] == MAIN].set_index(NETWORK)
    curves = curves.assign(gain=gain(curves.assign(status="ok")))
    gains = curves.pivot_table("gain", NETWORK, "epoch").reindex(index=networks.index, columns=EPOCHS)
    diverged = networks["status"] == "diverged"
    gains[diverged] = gains[diverged].apply(lambda column: column.fillna(networks["gain"]))
    return gains


def epochs_table(rows: Rows) -> pd.DataFrame:
    """Mean gain after each epoch of the networks with the most training trials.

    Returns
    -------
    DataFrame
        Columns ``study, variant, task, epoch, networks, gain, low, high`` (BCa interval over runs).
    """
    gains, found = gains_by_epoch(rows), []
    if gains.empty:
        raise InputError("no network here has a learning curve")
    for key, group in gains.groupby(level=NETWORK[:3], sort=False):
        table = pd.DataFrame(dict(zip(NETWORK[:3], key, strict=True)) | {"epoch": EPOCHS, "networks": len(group)})
        table[["gain", "low", "high"]] = finite_means(group.to_numpy().T)
        found.append(table)
    return pd.concat(found, ignore_index=True)


def _trials(networks: pd.DataFrame) -> pd.Series:
    """Return the number of training trials of each network, from the name of its part."""
    return networks["part"].str.split().str[0].astype(int)


def trials_needed(rows: Rows, share: float = 0.9) -> pd.DataFrame:
    """Find the smallest number of training trials with which each network reaches a share of the best accuracy.

    Returns
    -------
    DataFrame
        Columns ``study, variant, task, run, trials``; infinite for a network that never does (censored). Networks
        that were not trained with all of :data:`biornn_lite.robustness_studies.SIZES` are left out.
    """
    best = {task: ceilings(task, "test")[1] for task in rows.networks["task"].unique()}
    networks = rows.networks.assign(size=_trials(rows.networks))
    networks = networks[networks.groupby(NETWORK)["size"].transform("nunique") == len(SIZES)]
    reached = networks["test_accuracy"] >= share * networks["task"].map(best)
    sizes = networks["size"].astype(float).where(reached & (networks["status"] == "ok"), np.inf)
    return sizes.groupby([networks[name] for name in NETWORK], sort=False).min().rename("trials").reset_index()


def share_that_needs_more(trials: Sequence[float], sizes: Sequence[int] = tuple(sorted(SIZES))) -> pd.Series:
    """Kaplan–Meier share of networks that need more than each number of trials; all are censored after the last."""
    trials = np.asarray(trials, dtype=float)
    if not len(trials):
        raise InputError("no network is here whose trials could be counted")
    return pd.Series([(trials > size).mean() for size in sizes], index=pd.Index(sizes, name="trials"))


def median_needed(trials: Sequence[float], resamples: int = 2000, seed: int = 0) -> tuple[float, float, float]:
    """Median number of trials needed, with a percentile bootstrap interval over runs (95 %).

    The median is the smallest number with which at least half of the networks get there, and infinite where fewer
    than half do with any.
    """
    trials = np.sort(np.asarray(trials, dtype=float))
    if not len(trials):
        raise InputError("no network is here whose trials could be counted")
    drawn = np.sort(np.random.default_rng(seed).choice(trials, (resamples, len(trials))), axis=1)
    half = (len(trials) - 1) // 2  # the smallest value that half of them do not exceed
    ends = np.quantile(drawn[:, half], (0.025, 0.975), method="inverted_cdf")
    return float(trials[half]), *map(float, ends)


def needed_table(needed: pd.DataFrame) -> pd.DataFrame:
    """Describe how many training trials networks need.

    Parameters
    ----------
    needed : DataFrame
        From :func:`trials_needed`.

    Returns
    -------
    DataFrame
        Columns ``study, variant, task, networks, censored`` (number), ``median, low, high`` from
        :func:`median_needed`, and a column for each number of trials: the share that needs more.
    """
    found = []
    for key, trials in needed.groupby(NETWORK[:3], sort=False)["trials"]:
        row = dict(zip(NETWORK[:3], key, strict=True))
        row |= {"networks": len(trials), "censored": int(np.isinf(trials).sum())}
        row |= dict(zip(("median", "low", "high"), median_needed(trials), strict=True))
        found.append(row | share_that_needs_more(trials).to_dict())
    return pd.DataFrame(found)


def psychometric_table(rows: Rows) -> pd.DataFrame:
    """Mean accuracy of the perceptual decision by coherence, with BCa intervals over runs.

    Returns
    -------
    DataFrame
        Columns ``study, variant, coherence`` (%), ``networks, accuracy, low, high``.
    """
    mine = rows.measures[(rows.measures["part"] == MAIN) & (rows.measures["measure"] == "psychometric")]
    by = ["study", "variant", "severity"]
    found = [
        dict(zip(("study", "variant", "coherence"), key, strict=True))
        | {"networks": len(values)}
        | _mean(values.to_numpy(), "accuracy", "low", "high")
        for key, values in mine.groupby(by, sort=False)["value"]
    ]
    if not found:
        raise InputError("no network here has a psychometric curve")
    return pd.DataFrame(found)


def threshold_table(rows: Rows) -> pd.DataFrame:
    """Thresholds of the perceptual decision, and the curve fitted to all answers of a variant's networks.

    Returns
    -------
    DataFrame
        Columns ``study, variant, networks, censored`` (number), ``median, low, high`` of the networks' thresholds
        in % (as :func:`median_needed`; infinite where censored), and ``scale, lapses`` of the curve.
    """
    curves, found = psychometric_table(rows), []
    mine = rows.measures[(rows.measures["part"] == MAIN) & (rows.measures["measure"] == "threshold")]
    for (study, variant), thresholds in mine.groupby(["study", "variant"], sort=False)["value"]:
        curve = curves[(curves["study"] == study) & (curves["variant"] == variant)]
        trials = curve["networks"].to_numpy() * TRIALS_PER_COHERENCE
        fitted = fit(curve["coherence"], np.rint(curve["accuracy"] * trials), trials)
        found.append(
            {"study": study, "variant": variant, "networks": len(thresholds)}
            | {"censored": int(np.isinf(thresholds).sum())}
            | dict(zip(("median", "low", "high"), median_needed(thresholds), strict=True))
            | {"scale": fitted.scale, "lapses": fitted.lapses}
        )
    return pd.DataFrame(found)


def fronts(rows: Rows, cost: str = "wiring") -> pd.DataFrame:
    """Mean accuracy of pruned networks beside what is left of them, and whether no other point beats it.

    Parameters
    ----------
    rows : Rows
    cost : {"wiring", "synapses"}
        Remaining wiring in µm, or the number of remaining synapses.

    Returns
    -------
    DataFrame
        Columns ``study, task, variant, retrained, kept`` (share), ``cost``, ``accuracy`` and ``front`` (of the
        study and task, over all variants and shares, with and without retraining).
    """
    if cost not in ("wiring", "synapses"):
        raise InputError(f"no cost {cost!r}; there are wiring, synapses")
    measures = rows.measures.assign(severity=rows.measures["severity"].round(6))
    means = measures[measures["part"] == MAIN].pivot_table(
        "value", ["study", "task", "variant"], ["measure", "severity"], sort=False
    )
    points = [("undisturbed", 0.0, "pruned", 1.0, False)]
    points += [("pruned", share, "pruned", share, False) for share in KEPT]
    points += [("pruned and retrained", share, "pruned and retrained", share, True) for share in KEPT_RETRAINED]
    columns = [pair for what, level, name, kept, _ in points for pair in ((what, level), (f"{name}: {cost}", kept))]
    means = means.reindex(columns=pd.MultiIndex.from_tuples(columns))
    tables = [
        pd.DataFrame(
            {"retrained": again, "kept": kept, "cost": means[f"{name}: {cost}", kept], "accuracy": means[what, level]}
        )
        for what, level, name, kept, again in points
    ]
    table = pd.concat(tables).dropna().reset_index()
    table["front"] = False
    for places in table.groupby(["study", "task"]).indices.values():
        table.loc[places, "front"] = front(table.loc[places, "cost"], table.loc[places, "accuracy"])
    return table
