"""Contrasts between networks that differ in one thing, run by run, and what explains them.

The outcome is the gain of a network. ``docs/audit_plan.md`` says why these measures and bounds. Notebook 11 works
through this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .errors import InputError
from .results import ceilings
from .statistics import bootstrap_interval, cliffs_delta, holm
from .tasks import TASKS, Task

SMALLEST_THAT_MATTERS = 0.10
"""Differences of gain within ± this bound do not matter: one run in ten that learns."""

MOST_APART = 3
"""Networks of one run, such as its three tasks, that are taken to fail one by one and not together."""

LEARNS_ABOVE = 0.5
"""A network with a higher gain has learned its task."""


def gain(rows: pd.DataFrame, tasks: Mapping[str, Task] | None = None) -> pd.Series:
    """Return the gain of each network: 0 at the ceiling without memory, 1 at the best one, on test trials.

    A diverged network has the gain of guessing.

    Parameters
    ----------
    rows : DataFrame
        A row per network, with columns ``task``, ``status`` and ``test_accuracy``.
    tasks : mapping of str to Task, optional
        Tasks of your own by name, besides the published ones.

    Raises
    ------
    InputError
        If a task or its ceilings are not known.
    """
    known = TASKS | dict(tasks or {})
    of = {}
    for name in rows["task"].unique():
        if name not in known:
            raise InputError(f"no task {name!r} here; the gain needs the ceilings of each task")
        low, best = ceilings(known[name], "test")
        if not low < best:
            raise InputError(f"the ceilings of task {name} are {low:g} and {best:g}; the gain needs two that differ")
        of[name] = low, best, 1 / known[name].classes
    low, best, guessing = (rows["task"].map({name: values[k] for name, values in of.items()}) for k in range(3))
    accuracy = rows["test_accuracy"].where(rows["status"] == "ok", guessing)
    return ((accuracy - low) / (best - low)).astype(float)


@dataclass(frozen=True)
class Comparison:
    """Difference in gain between two kinds of networks with the same seeds.

    Attributes
    ----------
    runs : int
        Pairs of runs. Each is the mean over its tasks.
    difference : float
        Mean of first minus second.
    low, high : float
        BCa bootstrap interval, 95 %, of `difference`. With fewer than three runs both are NaN.
    p : float
        Permutation test with random signs, two-sided.
    p_equivalence : float
        Two one-sided t tests at ± the smallest difference that matters, and exact tests that large differences are
        rare in each direction; the largest p.
    improvement : float
        Probability that a random run of the first has a higher gain than one of the second, mean over tasks; ties
        count half.
    """

    runs: int
    difference: float
    low: float
    high: float
    p: float
    p_equivalence: float
    improvement: float = np.nan

    @property
    def says(self) -> str:
        """``first``, ``second``, ``equivalent`` or ``not told apart``, at the 5 % level without correction.

        A difference that is both significant and within the bounds is ``equivalent``: it exists and does not matter.
        """
        return _says(self.p, self.p_equivalence, self.difference)


def _says(p: float, p_equivalence: float, difference: float) -> str:
    if p_equivalence < 0.05:
        return "equivalent"
    if p < 0.05:
        return "first" if difference > 0 else "second"
    return "not told apart"


def paired_difference(
    apart: Sequence[float], networks: int = 1, bound: float = SMALLEST_THAT_MATTERS, seed: int = 0
) -> Comparison:
    """Describe differences of pairs of runs; the attribute ``improvement`` stays NaN.

    Parameters
    ----------
    apart : sequence of float
        First minus second, at least two.
    networks : int
        Networks of each run that were averaged.
    bound : float
        Smallest difference that matters.
    seed : int
        Of bootstrap and permutations.
    """
    apart = np.asarray(apart, dtype=float)
    if apart.ndim != 1 or len(apart) < 2 or not np.isfinite(apart).all():
        raise InputError(f"differences of {apart.size} pairs of runs; at least 2 finite ones are needed")
    if np.ptp(apart) < 1e-9:  # alike but for rounding
        apart = np.full(len(apart), apart.mean())
    low, high = bootstrap_interval(apart, seed=seed) if len(apart) > 2 else (np.nan, np.nan)
    p = 1.0
    if apart.any():
        rng = np.random.default_rng(seed)
        # With one sample, SciPy changes the signs.
        p = stats.permutation_test(
            (apart,), np.mean, permutation_type="samples", n_resamples=9999, vectorized=True, rng=rng
        ).pvalue
    return Comparison(len(apart), float(apart.mean()), low, high, float(p), _p_equivalence(apart, networks, bound))


def _p_equivalence(apart: np.ndarray, networks: int, bound: float) -> float:
    """Return the largest p of two one-sided t tests and, for each direction, of :func:`p_rare`.

    Most pairs agree and a few differ by much, so the spread of a few runs may miss the latter, and the t tests alone
    would call too much equivalent.
    """
    if np.ptp(apart) == 0:
        tests = float(abs(apart[0]) >= bound)
    else:
        above = stats.ttest_1samp(apart, -bound, alternative="greater").pvalue
        tests = max(above, stats.ttest_1samp(apart, bound, alternative="less").pvalue)
    return float(max(tests, p_rare(apart, networks, bound), p_rare(-apart, networks, bound)))


def p_rare(apart: np.ndarray, networks: int, bound: float = SMALLEST_THAT_MATTERS) -> float:
    """Test that differences above the bound are too rare to move the mean by it (exact binomial test).

    If one of the run's networks learns on one side only, the run's mean moves by about 1 / networks. Networks of one
    run tend to fail together, so no step smaller than 1 / :data:`MOST_APART` is assumed.

    Parameters
    ----------
    apart : ndarray, shape (runs,)
        Paired differences; with their signs changed for the other direction.
    networks : int
        Networks of each run that were averaged.
    bound : float
    """
    large = apart[apart > bound]
    size = max(1 / min(networks, MOST_APART), large.mean() if len(large) else 0.0)
    return float(stats.binom.cdf(len(large), len(apart), min(1.0, bound / size)))


def differences(first: pd.DataFrame, second: pd.DataFrame, on: Sequence[str] = ("task",)) -> pd.Series:
    """Subtract the gains of paired networks and average them within each run.

    Parameters
    ----------
    first, second : DataFrame
        Rows of networks with columns ``seed``, ``gain`` and those of `on`. Rows with the same values of `seed` and
        `on` are a pair.
    on : sequence of str
        What a run has several networks for, such as tasks.

    Returns
    -------
    Series
        Mean of first minus second, index ``seed``. A run that lacks a network of either side is left out.
        ``attrs["networks"]`` is the number of networks per run on each side.
    """
    keys = ["seed", *on]
    for rows in (first, second):
        if rows.duplicated(keys).any():
            raise InputError(f"several rows have one {', '.join(keys)}; choose rows of one kind of network")
    pairs = first[[*keys, "gain"]].merge(second[[*keys, "gain"]], on=keys, suffixes=("_first", "_second"))
    apart = (pairs["gain_first"] - pairs["gain_second"]).groupby(pairs["seed"])
    networks = len(pairs[list(on)].drop_duplicates())
    found = apart.mean()[apart.size() == networks].rename("difference")
    found.attrs["networks"] = networks
    return found


def compare(first: pd.DataFrame, second: pd.DataFrame, on: Sequence[str] = ("task",), seed: int = 0) -> Comparison:
    """Compare two kinds of networks by the runs they share; parameters as of :func:`differences`.

    Parameters
    ----------
    first, second : DataFrame
    on : sequence of str
    seed : int
        Of bootstrap and permutations.
    """
    apart = differences(first, second, on)
    found = paired_difference(apart, apart.attrs["networks"], seed=seed)
    return replace(found, improvement=probability_of_improvement(first, second, on))


def compare_scores(
    first: pd.Series,
    second: pd.Series,
    fewest: int,
    bound: float = SMALLEST_THAT_MATTERS,
    seed: int = 0,
) -> dict[str, object]:
    """Compare a score of paired networks, run by run; a run counts with the tasks in which both have a score.

    Parameters
    ----------
    first, second : Series
        Scores with index ``seed, task``, at most one of each. NaN is no score.
    fewest : int
        Runs of which a comparison needs at least this many.
    bound : float
        Smallest difference that matters.
    seed : int
        Of bootstrap and permutations.

    Returns
    -------
    dict
        As :class:`Comparison`, and ``pairs`` (of networks). With too few runs, only ``runs`` and ``pairs``.
    """
    if first.index.has_duplicates or second.index.has_duplicates:
        raise InputError("several networks have one seed and task; choose networks of one kind")
    pairs = (first - second).dropna()
    by_run = pairs.groupby("seed").mean()
    found: dict[str, object] = {"pairs": len(pairs)}
    if len(by_run) < fewest:
        return found | {"runs": len(by_run)}
    tasks = int(pairs.groupby("seed").size().median())
    return found | asdict(paired_difference(by_run.to_numpy(), tasks, bound, seed))


def probability_of_improvement(first: pd.DataFrame, second: pd.DataFrame, on: Sequence[str] = ("task",)) -> float:
    """Return the chance that a random run of `first` has a higher gain than one of `second`.

    It is the mean over the groups of `on`; ties count half (Agarwal et al. 2021, NeurIPS).
    """
    others = dict(list(second.groupby(list(on))["gain"]))
    chances = [
        (cliffs_delta(gains, others[key]).delta + 1) / 2
        for key, gains in first.groupby(list(on))["gain"]
        if key in others
    ]
    return float(np.mean(chances))


def corrected(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``p_holm``, over all rows of a table of comparisons, and ``says`` by the corrected p."""
    p = holm(table["p"])
    says = map(_says, p, table["p_equivalence"], table["difference"])
    return table.assign(p_holm=p, says=list(says))


def power(sd: float, runs: int, difference: float, level: float = 0.05) -> float:
    """Return the chance to find a mean paired difference with a two-sided t test.

    Parameters
    ----------
    sd : float
        Standard deviation of the paired differences.
    runs : int
    difference : float
    level : float
        p below which a difference is found.
    """
    critical, shift = stats.t.ppf(1 - level / 2, runs - 1), difference / sd * np.sqrt(runs)
    found = stats.nct.sf(critical, runs - 1, shift) + stats.nct.cdf(-critical, runs - 1, shift)
    return float(found)


def power_of_equivalence(
    sd: float, runs: int, networks: int = MOST_APART, bound: float = SMALLEST_THAT_MATTERS
) -> float:
    """Return the chance that :func:`paired_difference` shows equivalence if the true difference is 0.

    Runs are taken to agree or to differ by one of their networks, which learns on one side only; each side has the
    same chance, and gain is 0 or 1.

    Parameters
    ----------
    sd : float
        Standard deviation of the paired differences, at most 1 / `networks`.
    runs : int
    networks : int
        Networks of each run that are averaged.
    bound : float
        Smallest difference that matters.
    """
    step = 1 / networks
    if not 0 <= sd <= step:
        raise InputError(f"sd is {sd:g}; where runs differ by one of {networks} networks it is 0 to {step:.2f}")
    differ = (sd / step) ** 2
    chances = stats.multinomial(runs, [differ / 2, differ / 2, 1 - differ])
    power = 0.0
    for first, second in product(range(runs + 1), repeat=2):
        chance = 0.0 if first + second > runs else chances.pmf([first, second, runs - first - second])
        if chance > 1e-6:
            apart = np.repeat([step, -step, 0.0], [first, second, runs - first - second])
            power += chance * (_p_equivalence(apart, networks, bound) < 0.05)
    return float(power)


# Before training


def leave_one_group_out(
    table: pd.DataFrame, predictors: Sequence[str], outcome: str, group: str, resamples: int = 500, seed: int = 0
) -> tuple[float, float, float]:
    """Say how well some numbers predict who learns in groups that the model has not seen.

    A logistic regression is fitted to all groups but one and predicts that one, for each group in turn.

    Parameters
    ----------
    table : DataFrame
        A row per network.
    predictors : sequence of str
        Numeric columns.
    outcome, group : str
        A column of truth values, and the column that names the groups.
    resamples : int
        Bootstrap samples of groups for the interval.
    seed : int

    Returns
    -------
    area, low, high : float
        Area under the ROC curve over all left-out groups, with its 95 % interval.
    """
    x, y = table[list(predictors)].to_numpy(dtype=float), table[outcome].to_numpy(dtype=bool)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    chances = cross_val_predict(model, x, y, groups=table[group], cv=LeaveOneGroupOut(), method="predict_proba")[:, 1]
    rows_of = list(table.reset_index(drop=True).groupby(group, sort=False).indices.values())
    rng, areas = np.random.default_rng(seed), []
    for _ in range(resamples):
        rows = np.concatenate([rows_of[k] for k in rng.integers(len(rows_of), size=len(rows_of))])
        if np.ptp(y[rows].astype(int)):
            areas.append(roc_auc_score(y[rows], chances[rows]))
    return float(roc_auc_score(y, chances)), *map(float, np.percentile(areas, (2.5, 97.5)))


# Shares of variance


def variance_explained(
    table: pd.DataFrame, outcome: str, factors: Sequence[str], resamples: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Say how much of an outcome each factor explains: the drop in R² when a linear model leaves it out.

    Parameters
    ----------
    table : DataFrame
        A row per observation.
    outcome : str
        A numeric column.
    factors : sequence of str
        Columns. A numeric one enters with its value and its square, another one with a column for each of its values.
    resamples : int
        Bootstrap samples of rows for the interval.
    seed : int

    Returns
    -------
    DataFrame
        Index `factors`; columns ``share``, ``low`` and ``high`` (percentiles, 95 %). The attribute ``attrs["r2"]``
        holds R² of the whole model.
    """
    blocks = {name: _design(table[name]) for name in factors}
    y = table[outcome].to_numpy(dtype=float)

    def shares(rows: np.ndarray) -> tuple[float, np.ndarray]:
        whole = _r_squared([blocks[name][rows] for name in factors], y[rows])
        without = [_r_squared([blocks[name][rows] for name in factors if name != left], y[rows]) for left in factors]
        return whole, whole - np.array(without)

    r2, share = shares(np.arange(len(y)))
    rng = np.random.default_rng(seed)
    drawn = np.array([shares(rng.integers(len(y), size=len(y)))[1] for _ in range(resamples)])
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    found = pd.DataFrame({"share": share, "low": low, "high": high}, index=pd.Index(factors, name="factor"))
    found.attrs["r2"] = r2
    return found


def _design(values: pd.Series) -> np.ndarray:
    """Columns of a linear model for one factor, shape (rows, columns)."""
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > 3:
        centred = (values - values.mean()) / values.std()
        return np.stack([centred, centred**2], axis=1)
    return pd.get_dummies(values.astype(str), drop_first=True, dtype=float).to_numpy()


def _r_squared(blocks: Sequence[np.ndarray], y: np.ndarray) -> float:
    design = np.column_stack([np.ones(len(y)), *blocks])
    fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    total = ((y - y.mean()) ** 2).sum()
    return float(1 - ((y - fitted) ** 2).sum() / total) if total > 0 else 0.0
