"""Statistics of a table of runs: intervals, tests, effect sizes, and how soon networks learn.

SciPy and statsmodels provide the tests and intervals. This module chooses them and handles diverged runs, missing
cells and equal values. Notebook 09 uses it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.formula.api as formula
from scipy import optimize, stats
from statsmodels.stats.anova import anova_lm

from .errors import InputError
from .results import KEY, SHAPE, ceilings, input_noise_of
from .seeds import generator
from .training import Settings
from .variants import CHOICES, get_variant


class Interval(NamedTuple):
    """The two ends of a confidence interval."""

    low: float
    high: float


def _numbers(values: Sequence[float], least: int) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise InputError("some values are no finite numbers; leave out the runs that diverged, and say how many")
    if len(values) < least:
        raise InputError(f"{len(values)} values are too few: at least {least} are needed")
    return values


# Intervals


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return Student's t interval of a mean, as in the paper.

    It assumes that the mean is normally distributed. This is wrong if a few runs fail and the others succeed; the
    interval may then include impossible accuracies.

    Parameters
    ----------
    values : sequence of float
        At least two. If all are equal, both ends have this value.
    confidence : float
    """
    values = _numbers(values, 2)
    error = stats.sem(values)
    if np.ptp(values) == 0:
        return Interval(float(values[0]), float(values[0]))
    return Interval(*map(float, stats.t.interval(confidence, len(values) - 1, values.mean(), error)))


def bootstrap_interval(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 9999, seed: int = 0
) -> Interval:
    """Return the bias-corrected and accelerated (BCa) bootstrap interval of a mean.

    It stays within the observed range, so it never exceeds an accuracy of 1. With few runs it is too narrow.

    Parameters
    ----------
    values : sequence of float
        At least two. If all are equal, both ends have this value, because resampling cannot add spread.
    confidence : float
    resamples : int
    seed : int
    """
    values = _numbers(values, 2)
    if np.ptp(values) == 0:
        return Interval(float(values[0]), float(values[0]))
    found = stats.bootstrap(
        (values,), np.mean, n_resamples=resamples, confidence_level=confidence, method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return Interval(float(found.low), float(found.high))


def bootstrap_intervals(
    values: np.ndarray, confidence: float = 0.95, resamples: int = 9999, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the BCa bootstrap interval of the mean of each column, as :func:`bootstrap_interval` does of one.

    Parameters
    ----------
    values : ndarray, shape (runs, columns)
        At least two runs.
    confidence, resamples, seed
        As there.

    Returns
    -------
    low, high : ndarray, shape (columns,)
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) < 2 or not np.isfinite(values).all():
        raise InputError(f"values of shape {values.shape}; two axes, two runs and finite numbers are needed")
    low, high = values.min(axis=0), values.max(axis=0)
    spread = high - low > 1e-9  # the others are alike but for rounding
    if spread.any():
        found = stats.bootstrap(
            (values[:, spread],), np.mean, axis=0, vectorized=True, n_resamples=resamples,
            confidence_level=confidence, method="BCa", rng=np.random.default_rng(seed),
        ).confidence_interval  # fmt: skip
        low[spread], high[spread] = found.low, found.high
    return low, high


def finite_mean(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of the finite values and its BCa interval; NaN where there are too few."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) and np.ptp(values) < 1e-9:  # alike but for rounding
        values = np.full(len(values), values.mean())
    low, high = bootstrap_interval(values) if len(values) > 1 else (np.nan, np.nan)
    return float(values.mean()) if len(values) else np.nan, low, high


RESAMPLES = 1999
"""Resamples of the bootstrap intervals of :func:`finite_means`, of which there are thousands."""


def finite_means(values: np.ndarray) -> np.ndarray:
    """Return mean and BCa interval of the finite values of each row, as :func:`finite_mean` does of one.

    Parameters
    ----------
    values : ndarray, shape (rows, runs)

    Returns
    -------
    ndarray, shape (rows, 3)
    """
    finite = np.isfinite(values)
    if len(values) and (finite == finite[0]).all() and finite[0].sum() > 1:
        values = values[:, finite[0]]
        return np.column_stack([values.mean(1), *bootstrap_intervals(values.T, resamples=RESAMPLES)])
    return np.array([finite_mean(each) for each in values]).reshape(-1, 3)


def share_interval(successes: int, runs: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a share, for example of the runs that learn.

    Unlike Student's interval, it stays between 0 and 1 and has a positive width if all runs succeed or all fail.

    Parameters
    ----------
    successes, runs : int
    confidence : float
    """
    if not 0 <= successes <= runs or runs < 1:
        raise InputError(f"{successes} of {runs} is no share")
    found = stats.binomtest(int(successes), int(runs)).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def estimates(table: pd.DataFrame, measure: str, by: Sequence[str] = ("task", "variant")) -> pd.DataFrame:
    """Estimate the mean of a measure in each group of runs.

    Parameters
    ----------
    table : DataFrame
        A row per network. Missing values, such as those of diverged runs, are left out.
    measure : str
        Name of a column.
    by : sequence of str
        Columns that define the groups.

    Returns
    -------
    DataFrame
        A row per group, in order of appearance: ``runs``, ``counted`` (runs with a value), ``mean``, ``median``,
        ``low`` and ``high`` (t interval), ``bootstrap_low`` and ``bootstrap_high`` (BCa). Mean and median are NaN
        without a value. Intervals are NaN with fewer than two values.
    """
    rows = {}
    for key, group in table.groupby(list(by), sort=False):
        values = group[measure].dropna().to_numpy(dtype=float)
        enough = len(values) > 1
        student, boot = (f(values) if enough else (np.nan, np.nan) for f in (mean_interval, bootstrap_interval))
        rows[key] = {
            "runs": len(group), "counted": len(values),
            "mean": values.mean() if len(values) else np.nan, "median": np.median(values) if len(values) else np.nan,
            "low": student[0], "high": student[1], "bootstrap_low": boot[0], "bootstrap_high": boot[1],
        }  # fmt: skip
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(rows, names=list(by))
    return found


# Tests


def with_choices(table: pd.DataFrame) -> pd.DataFrame:
    """Add the three choices behind each row's variant as columns ``weights``, ``space`` and ``communicability``."""
    return table.assign(**{c: [getattr(get_variant(v), c) for v in table["variant"]] for c in CHOICES})


def _comparable(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Leave out missing values, add the choices, and check that each choice still has two values."""
    table = with_choices(table.dropna(subset=[measure]))
    if table.empty:
        raise InputError(f"no run here has a value of {measure}; did all diverge?")
    for choice in CHOICES:
        if table[choice].nunique() < 2:
            raise InputError(f"all rows have the same {choice}; a comparison needs two")
    return table


def kruskal_wallis(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Test for each choice whether a measure has the same distribution for all its values.

    The eleven variants are not a full factorial design. Runs that differ in one choice also differ in the other
    choices. A small p therefore shows that *something* differs, not that this choice causes the difference.

    Parameters
    ----------
    table : DataFrame
        Rows of one task; missing values are left out.
    measure : str

    Returns
    -------
    DataFrame
        Index: the choices. Columns ``H``, ``df`` and ``p``. If all values are equal, H is 0 and p is 1.
    """
    table = _comparable(table, measure)
    rows = {}
    for choice in CHOICES:
        groups = [group[measure].to_numpy() for _, group in table.groupby(choice)]
        alike = np.ptp(table[measure]) == 0
        statistic, p = (0.0, 1.0) if alike else stats.kruskal(*groups)
        rows[choice] = {"H": statistic, "df": len(groups) - 1, "p": p}
    return pd.DataFrame.from_dict(rows, orient="index")


def rank_anova(table: pd.DataFrame, measure: str, interactions: bool = False) -> pd.DataFrame:
    """Type II analysis of variance of the ranks of a measure, by weights, space and communicability.

    The eleven published variants fill 11 of the 27 cells. Only main effects can be estimated from them (7
    parameters). Each is adjusted for the others and assumes that effects are additive. The row ``interactions``
    tests this assumption with the remaining 4 degrees of freedom between variants. The error term is the spread of
    runs within variants.

    With `interactions`, the model is the published one with 27 parameters, of which the data determine 11. Its main
    effects do not describe the data: with sum coding their F is 0 up to rounding, so p is always 1.

    Parameters
    ----------
    table : DataFrame
        Rows of one task; missing values are left out.
    measure : str
    interactions : bool
        Whether to fit the published model instead of the additive model.

    Returns
    -------
    DataFrame
        Columns ``sum_sq``, ``df``, ``F`` and ``p``.
    """
    table = _comparable(table, measure)
    if table.groupby("variant")[measure].nunique().max() < 2:
        raise InputError(
            f"every variant has one value of {measure} in all its runs: there is no spread to hold it against"
        )
    table = table.assign(rank=stats.rankdata(table[measure]))
    factors = [f"C({choice}, Sum)" for choice in CHOICES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # for a rank-deficient design, which is handled below
        model = formula.ols(f"rank ~ {(' * ' if interactions else ' + ').join(factors)}", table).fit()
        if not interactions and np.linalg.matrix_rank(model.model.exog) < model.model.exog.shape[1]:
            raise InputError("these variants do not tell the main effects of the three choices apart")
        found = anova_lm(model, typ=2)
    found = found.rename(columns={"PR(>F)": "p"})[["sum_sq", "df", "F", "p"]]
    found.index = [name.replace("C(", "").replace(", Sum)", "") for name in found.index]
    if not interactions:
        cells = formula.ols("rank ~ C(variant)", table).fit()
        extra = {"sum_sq": model.ssr - cells.ssr, "df": model.df_resid - cells.df_resid}
        within = {"sum_sq": cells.ssr, "df": cells.df_resid}
        found = pd.concat([found.iloc[:-1], pd.DataFrame([extra, within], ["interactions", "Residual"])])
        tested = found.index[:-1]
        with np.errstate(divide="ignore", invalid="ignore"):  # if all runs of each variant are equal
            found.loc[tested, "F"] = found.loc[tested, "sum_sq"] / found.loc[tested, "df"] / cells.mse_resid
        found.loc[tested, "p"] = stats.f.sf(found.loc[tested, "F"], found.loc[tested, "df"], cells.df_resid)
    return found


class Difference(NamedTuple):
    """The difference of two means, the ends of its interval, and the p value of Welch's test that it is 0."""

    difference: float
    low: float
    high: float
    p: float


def welch(first: tuple[float, float, int], second: tuple[float, float, int], confidence: float = 0.95) -> Difference:
    """Compare two means by Welch's t test, which does not assume equal variances or equal group sizes.

    Parameters
    ----------
    first, second : tuple of mean, standard deviation (of the sample, n − 1) and number of runs
        Summary values as printed in tables. The difference is the first minus the second.
    confidence : float

    Returns
    -------
    Difference
        If neither group has spread, p is 1 for equal means and 0 for different means, and the interval has width 0.
    """
    difference = first[0] - second[0]
    parts = np.array([sd**2 / n for _, sd, n in (first, second)])
    if (error := np.sqrt(parts.sum())) == 0:
        return Difference(difference, difference, difference, float(difference == 0))
    freedom = parts.sum() ** 2 / sum(part**2 / (n - 1) for part, (*_, n) in zip(parts, (first, second), strict=True))
    half = stats.t.ppf((1 + confidence) / 2, freedom) * error
    p = 2 * stats.t.sf(abs(difference) / error, freedom)
    return Difference(difference, difference - half, difference + half, float(p))


# Effect sizes


class Effect(NamedTuple):
    """Cliff's delta with its interval."""

    delta: float
    low: float
    high: float


def cliffs_delta(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Effect:
    """Return Cliff's delta: how much more often a run of the first group exceeds one of the second than vice versa.

    ``delta = P(a > b) − P(a < b)``, from −1 to 1; it is 0 if neither group tends to be larger. The interval is
    Newcombe's (2006, Statistics in Medicine 25:559, method 5). Its ends solve ``|θ − θ̂| = z √V(θ)`` for
    θ = (delta + 1) / 2. Unlike the usual interval, it has a positive width if the groups do not overlap (delta ±1).

    Parameters
    ----------
    first, second : sequence of float
    confidence : float
    """
    first, second = _numbers(first, 1), _numbers(second, 1)
    n, m = len(first), len(second)
    observed = stats.mannwhitneyu(first, second).statistic / (n * m)
    z = stats.norm.ppf((1 + confidence) / 2)

    def variance(theta: float) -> float:
        pairs = (n + m) / 2 - 1
        return theta * (1 - theta) * (1 + pairs * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (n * m)

    def end(towards: float) -> float:
        def beyond(theta: float) -> float:
            return abs(theta - observed) - z * np.sqrt(variance(theta))

        # At exactly 0 and 1, V is 0, and θ̂ would count as its own end.
        return (
            towards if observed == towards else optimize.brentq(beyond, np.clip(observed, 1e-12, 1 - 1e-12), towards)
        )

    return Effect(*(2 * theta - 1 for theta in (float(observed), end(0.0), end(1.0))))


def holm(p: Sequence[float]) -> np.ndarray:
    """Correct p-values for multiple tests (Holm 1979, Scandinavian Journal of Statistics 6:65).

    The smallest of m values is multiplied by m, the next by m − 1, and so on. A corrected value is never smaller
    than the one before it.

    Parameters
    ----------
    p : sequence of float

    Returns
    -------
    ndarray
        In the order of `p`.
    """
    # The version in statsmodels runs the garbage collector at each call, which takes longer than the figure itself.
    p = np.asarray(p, dtype=float)
    order = p.argsort()
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected


def pairwise(
    table: pd.DataFrame, measure: str, pairs: Sequence[tuple[str, str]] | None = None, by: str = "variant"
) -> pd.DataFrame:
    """Compare pairs of groups of runs: Mann–Whitney tests, Holm's correction, Cliff's delta.

    Parameters
    ----------
    table : DataFrame
        Rows of one task; missing values are left out.
    measure : str
    pairs : sequence of (str, str), optional
        Pairs of groups. Default: all pairs. Holm's correction uses the number of pairs.
    by : str
        Column that names the groups.

    Returns
    -------
    DataFrame
        Columns ``first``, ``second``, their ``n_…`` (runs with a value) and ``median_…``, ``delta`` with ``low``
        and ``high`` (positive where the first is larger), ``p`` and ``p_holm``.
    """
    tasks = table["task"].unique() if "task" in table and by != "task" else []
    if len(tasks) > 1:
        raise InputError(f"the table has rows of {', '.join(tasks)}; choose those of one task")
    groups = {name: group[measure].dropna().to_numpy() for name, group in table.groupby(by, sort=False)}
    groups = {name: values for name, values in groups.items() if len(values)}
    pairs = list(combinations(groups, 2)) if pairs is None else list(pairs)
    if missing := {name for pair in pairs for name in pair} - set(groups):
        raise InputError(f"no {measure} of {', '.join(sorted(missing))} here; did all its runs diverge?")
    rows = []
    for a, b in pairs:
        alike = len({*groups[a], *groups[b]}) == 1
        rows.append(
            {"first": a, "second": b, "n_first": len(groups[a]), "n_second": len(groups[b])}
            | {"median_first": np.median(groups[a]), "median_second": np.median(groups[b])}
            | cliffs_delta(groups[a], groups[b])._asdict()
            | {"p": 1.0 if alike else stats.mannwhitneyu(groups[a], groups[b]).pvalue}
        )
    found = pd.DataFrame(rows)
    if rows:
        found["p_holm"] = holm(found["p"])
    return found


def paired(
    table: pd.DataFrame,
    measure: str,
    pairs: Sequence[tuple[str, str]],
    by: str = "variant",
    on: Sequence[str] = ("task", "seed"),
) -> pd.DataFrame:
    """Compare pairs of groups, run by run. Runs with the same seed share trials, noise, input and readout weights.

    Effects of these shared parts on both runs cancel in the difference. Conclusions may therefore differ from those
    of :func:`pairwise`.

    Parameters
    ----------
    table : DataFrame
        A pair of runs is left out if a value is missing.
    measure : str
    pairs : sequence of (str, str)
        Holm's correction uses the number of pairs.
    by : str
        Column that names the groups.
    on : sequence of str
        Columns with equal values in both runs of a pair.

    Returns
    -------
    DataFrame
        Columns ``first``, ``second``, ``n`` (pairs of runs), ``difference`` (mean of first minus second) with ``low``
        and ``high`` (t interval), ``median`` of the differences, ``p`` (Wilcoxon signed-rank test; 1 if no pair
        differs) and ``p_holm``.
    """
    values = table.dropna(subset=[measure])
    if values.duplicated([by, *on]).any():
        raise InputError(f"several rows have one {by}, {' and '.join(on)}; choose rows of one study")
    wide = values.pivot_table(measure, index=list(on), columns=by)
    rows = []
    for a, b in pairs:
        if missing := [name for name in (a, b) if name not in wide]:
            raise InputError(f"no {measure} of {', '.join(missing)} here; did all its runs diverge?")
        apart = (wide[a] - wide[b]).dropna().to_numpy()
        if len(apart) < 2:
            raise InputError(f"{a} and {b} share {len(apart)} runs; at least 2 are needed")
        low, high = mean_interval(apart)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the warning concerns ties and zeros, where SciPy approximates
            p = stats.wilcoxon(apart).pvalue if apart.any() else 1.0
        row = {"first": a, "second": b, "n": len(apart), "difference": apart.mean(), "low": low, "high": high}
        rows.append(row | {"median": np.median(apart), "p": p})
    found = pd.DataFrame(rows)
    if rows:
        found["p_holm"] = holm(found["p"])
    return found


# How soon networks learn


def epochs_to_learn(
    networks: pd.DataFrame,
    curves: pd.DataFrame,
    share: float = 0.9,
    accuracy: str = "test_accuracy",
    epochs: int | None = None,
) -> pd.DataFrame:
    """Find the first epoch in which each network reaches a share of its task's ceiling.

    Parameters
    ----------
    networks, curves : DataFrame
        The tables of :class:`biornn_lite.results.Results`.
    share : float
        Share of the best possible accuracy.
    accuracy : {"test_accuracy", "train_accuracy"}
    epochs : int, optional
        Number of epochs of the study. Default: the number in the table, otherwise the last epoch of any curve.

    Returns
    -------
    DataFrame
        Columns ``variant, task, run, epochs, learned``: a row per network. A network that did not reach the share
        is censored: it has all of the study's epochs and ``learned`` is False. A slow network might have reached the
        share later. A diverged network never would.
    """
    if accuracy not in ("test_accuracy", "train_accuracy"):
        raise InputError(f"no accuracy {accuracy!r}; there are test_accuracy, train_accuracy")
    key, reported = KEY, accuracy.removesuffix("_accuracy")
    best = {task: ceilings(task, reported, input_noise_of(networks))[1] for task in networks["task"].unique()}
    there = curves[curves[accuracy] >= share * curves["task"].map(best)]
    first = there.groupby(key, sort=False)["epoch"].min().rename("epochs").reset_index()
    found = networks[key].merge(first, how="left", on=key)
    found["learned"] = found["epochs"].notna()
    if epochs is None:
        told = networks["epochs"] if "epochs" in networks else curves["epoch"]
        epochs = int(told.max()) if len(told) else Settings.epochs
    found["epochs"] = found["epochs"].astype(float).fillna(epochs).astype(int)
    return found


def _survival(found: pd.DataFrame) -> stats.CensoredData:
    if found.empty:
        raise InputError("no network is here whose learning could be followed")
    return stats.CensoredData.right_censored(found["epochs"].to_numpy(float), ~found["learned"].to_numpy(bool))


def not_yet_learned(found: pd.DataFrame) -> pd.Series:
    """Kaplan–Meier estimate of the share of networks that have not learned by each epoch.

    Parameters
    ----------
    found : DataFrame
        Rows of :func:`epochs_to_learn`, such as those of one variant on one task.

    Returns
    -------
    Series
        Index: epochs, from 0 to the last.
    """
    survival = stats.ecdf(_survival(found)).sf
    epochs = np.arange(found["epochs"].max() + 1)
    return pd.Series(survival.evaluate(epochs), index=pd.Index(epochs, name="epoch"))


def log_rank(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Return the p value of the log-rank test that two groups of networks learn at the same pace.

    Parameters
    ----------
    first, second : DataFrame
        Rows of :func:`epochs_to_learn`. The p value is 1 if no network has learned or if all have learned in the
        same epoch, because the groups cannot differ then.
    """
    survivals = _survival(first), _survival(second)
    together = pd.concat([first, second])
    if not together["learned"].any() or (together["learned"].all() and np.ptp(together["epochs"]) == 0):
        return 1.0
    return float(stats.logrank(*survivals).pvalue)


class Relation(NamedTuple):
    """Correlation of a measure with accuracy.

    Attributes
    ----------
    overall : float
        Correlation over all networks.
    within : float
        Correlation of deviations from the mean of each variant.
    p : float
        Probability of a correlation within variants at least as far from 0 if accuracies are permuted within each
        variant (permutation test).
    """

    overall: float
    within: float
    p: float


def relation(
    networks: pd.DataFrame, measure: str, accuracy: str = "test_accuracy", deals: int = 4999, seed: int = 0
) -> Relation:
    """Correlate a measure with accuracy, over all networks of a task and within variants.

    Parameters
    ----------
    networks : DataFrame
        Rows of one task. Rows with a missing value are left out.
    measure, accuracy : str
        Names of columns.
    deals : int
        Number of permutations.
    seed : int
    """
    table = networks.dropna(subset=[measure, accuracy]).reset_index(drop=True)
    deviation = beyond_variants(table, [measure, accuracy]).to_numpy()
    overall, within = (float(np.corrcoef(values.T)[0, 1]) for values in (table[[measure, accuracy]], deviation))
    rng = generator(seed, "dealing")
    dealt = np.empty((deals, len(table)))
    for rows in table.groupby("variant").indices.values():
        dealt[:, rows] = rng.permuted(np.tile(deviation[rows, 1], (deals, 1)), axis=1)
    by_luck = dealt @ deviation[:, 0] / np.prod(np.linalg.norm(deviation, axis=0))
    far = (np.abs(by_luck) >= abs(within) - 1e-12).sum()
    return Relation(overall, within, (far + 1) / (deals + 1))


def beyond_variants(networks: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the deviation of each network from the mean of its task and variant."""
    return networks[columns] - networks.groupby(["task", "variant"], sort=False)[columns].transform("mean")


def relations(networks: pd.DataFrame, accuracy: str = "test_accuracy") -> pd.DataFrame:
    """Correlate all four measures with accuracy in each task.

    Returns
    -------
    DataFrame
        Index ``task, measure``; columns as the attributes of :class:`Relation`.
    """
    rows = {
        (task, measure): relation(table, measure, accuracy)._asdict()
        for task, table in networks.groupby("task", sort=False)
        for measure in SHAPE
    }
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(rows, names=["task", "measure"])
    return found


def far_off(networks: pd.DataFrame, accuracy: str = "test_accuracy", by: float = 0.1) -> pd.Series:
    """Say for each network whether its accuracy differs by more than `by` from the mean of its task and variant."""
    return beyond_variants(networks, [accuracy])[accuracy].abs() > by


def spread_of_runs(networks: pd.DataFrame, accuracy: str = "test_accuracy") -> pd.DataFrame:
    """Summarise for each task how much the runs of a variant differ.

    Returns
    -------
    DataFrame
        Index ``task``. Columns: the number of variants with similar runs (standard deviation below 0.02), and the
        number of networks more than 0.1 away from their variant's mean.
    """
    groups = networks.groupby(["task", "variant"], sort=False)[accuracy]
    off = far_off(networks, accuracy)
    return pd.DataFrame(
        {
            "variants that end alike": (groups.std() < 0.02).groupby("task", sort=False).sum(),
            "networks more than 0.1 off": off.groupby(networks["task"], sort=False).sum(),
        }
    )
