"""Connectivity: effects of distance and similarity, and reciprocity, in one field and pooled over many fields.

Notebooks 01 and 14 work through this module.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist
from statsmodels.stats.meta_analysis import combine_effects

from . import space
from .communicability import empirical_communicability
from .errors import InputError
from .field import CorticalField
from .plumbing.files import data_folder
from .statistics import Interval

EDGES_UM = (0, 50, 100, 150, 200, 300, 400, 500, 700, 1000)
"""Edges of the distance bins in the shipped table, in µm."""


@dataclass(frozen=True)
class WiringRule:
    """A logistic regression of *is there a connection from i to j?* on distance and correlation.

    Attributes
    ----------
    fall, fall_error : float
        Change of the log odds of a connection per 100 µm of distance at equal correlation, and its standard error.
    like_to_like, like_to_like_error : float
        Change of the log odds per standard deviation of the field's correlations at equal distance, and its
        standard error.
    chance : ndarray, shape (N, N)
        Fitted probability of a connection from i to j; diagonal 0.

    Notes
    -----
    Pairs that share a neuron are not independent: one axon that was traced far adds a whole row of connections. The
    standard errors are dyadic-robust: they allow dependence between any two pairs with a common neuron (Aronow,
    Samii & Assenova 2015, *Political Analysis* 23, 564–577). With few connections such errors can be too small.
    Therefore the larger of this error and the error for independent pairs is used.
    """

    fall: float
    fall_error: float
    like_to_like: float
    like_to_like_error: float
    chance: np.ndarray


def wiring_rule(field: CorticalField, curved: bool = False) -> WiringRule:
    """Fit how connection probability depends on distance and on correlation.

    Parameters
    ----------
    field : CorticalField
    curved : bool
        Model the log odds with a curve instead of a straight line, by adding the squared distance and an exponential
        that falls to 1/e in 100 µm. Deviations from a line then cannot appear as an effect of similarity. The value
        of `fall` is not meaningful in this case.

    Returns
    -------
    WiringRule
        NaN without connections; `like_to_like` is NaN if all pairs have the same correlation.
    """
    n = field.neurons
    off = ~np.eye(n, dtype=bool)
    connected = (field.part("connectome", "this analysis of wiring")[off] > 0).astype(float)  # (N (N - 1),)
    distance, correlation = (
        cdist(field.positions, field.positions)[off] / 100,
        field.part("correlation", "this analysis of wiring")[off],
    )
    spread = correlation.std()
    columns = [np.ones_like(distance), distance]
    if spread > 0:
        columns.append((correlation - correlation.mean()) / spread)
    if not 0 < connected.sum() < len(connected):
        return WiringRule(*[float("nan")] * 4, chance=np.full((n, n), np.nan))
    if curved:
        columns += [distance**2, np.exp(-distance)]
    design = np.column_stack(columns)  # (N (N - 1), 2 to 5)
    model = sm.GLM(connected, design, family=sm.families.Binomial()).fit()
    chance = np.zeros((n, n))
    chance[off] = model.fittedvalues
    scores = np.zeros((n, n, design.shape[1]))  # residual times regressors of each pair
    scores[off] = (connected - model.fittedvalues)[:, None] * design
    bread = model.normalized_cov_params  # inverse of the information
    robust = np.sqrt(np.maximum(np.diag(bread @ _dyadic_covariance(scores) @ bread), 0))
    told = [(value, max(error)) for value, *error in zip(model.params, robust, model.bse, strict=True)]
    told = told[:3] if spread > 0 else [*told[:2], (float("nan"), float("nan"))]
    return WiringRule(*map(float, (*told[1], *told[2])), chance=chance)


def _dyadic_covariance(scores: np.ndarray) -> np.ndarray:
    """Sum the products of scores, shape (N, N, K), over all two pairs that share a neuron: shape (K, K)."""
    pair = scores + scores.transpose(1, 0, 2)  # i to j and j to i together
    neuron = pair.sum(axis=1)  # all pairs of a neuron: (N, K)
    upper = pair[np.triu_indices(len(pair), 1)]
    # A pair shares two neurons with itself and is counted for both, which is once too often.
    return neuron.T @ neuron - upper.T @ upper


def within_neurons(field: CorticalField) -> tuple[float, float]:
    """Fit like-to-like wiring with a factor for each sender and each receiver, and a curve for distance.

    The factors remove differences between neurons in numbers of partners, for example by axons that were traced far.
    Each neuron is compared only with itself: to which of its neighbours does it connect?

    Parameters
    ----------
    field : CorticalField

    Returns
    -------
    (float, float)
        Change of the log probability of a connection per standard deviation of correlation, and its standard error,
        computed as in :class:`WiringRule`. NaN if there are too few connections to fit all factors.

    Notes
    -----
    This is a Poisson regression with two fixed effects. Unlike in a logistic regression, the number of fixed effects
    causes no bias (Fernández-Val & Weidner 2016, *Journal of Econometrics* 192, 291–312). Each round first scales the
    expected numbers of partners to the observed ones. It then removes the sender and receiver effects from each
    regressor, and makes one step of Newton's method with the residuals.
    """
    n = field.neurons
    connected = field.part("connectome", "this analysis of wiring") > 0
    sends, receives = np.flatnonzero(connected.any(axis=1)), np.flatnonzero(connected.any(axis=0))
    pairs = np.ix_(sends, receives)
    apart = cdist(field.positions, field.positions)[pairs] / 100
    correlation, off = field.part("correlation", "this analysis of wiring"), ~np.eye(n, dtype=bool)
    spread = correlation[off].std()
    if len(sends) < 10 or len(receives) < 10 or spread == 0:
        return float("nan"), float("nan")
    likeness = (correlation[pairs] - correlation[off].mean()) / spread
    regressors = np.stack([likeness, apart, apart**2, np.exp(-apart)])  # (4, senders, receivers)
    there = (sends[:, None] != receives).astype(float)  # a neuron is not paired with itself
    observed = connected[pairs] * there

    def expectation(slopes: np.ndarray) -> np.ndarray:
        return _with_totals(there * np.exp(np.tensordot(slopes, regressors, 1)), observed.sum(1), observed.sum(0))

    def likelihood(expected: np.ndarray) -> float:
        return float(np.log(expected[observed > 0]).sum())  # the sum of expected numbers is the same in all fits

    slopes, step = np.array([0.0, -1.5, 0.0, 0.0]), np.full(4, np.inf)
    expected = expectation(slopes)
    for _ in range(50):
        rest = _without_rows_and_columns(regressors, expected)
        information = np.einsum("kij,ij,lij->kl", rest, expected, rest, optimize=True)
        step = np.linalg.solve(information, np.einsum("kij,ij->k", rest, observed - expected))
        if np.abs(step).max() < 1e-5:
            break
        # Halve the step until it is no longer worse than the current point.
        for shorter in 0.5 ** np.arange(20):
            tried = expectation(slopes + shorter * step)
            if likelihood(tried) > likelihood(expected):
                slopes, expected = slopes + shorter * step, tried
                break
        else:
            break
    if np.abs(step).max() > 1e-3:
        return float("nan"), float("nan")
    scores = np.zeros((n, n, len(slopes)))
    scores[pairs] = ((observed - expected) * rest).transpose(1, 2, 0)
    bread = np.linalg.inv(information)
    robust = (bread @ _dyadic_covariance(scores) @ bread)[0, 0]
    return float(slopes[0]), float(np.sqrt(max(robust, bread[0, 0])))


def _with_totals(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray, rounds: int = 200) -> np.ndarray:
    """Scale rows and columns of a matrix to these totals (iterative proportional fitting)."""
    a, b = np.ones(len(rows)), np.ones(len(columns))
    for _ in range(rounds):
        a = rows / (matrix @ b)
        b = columns / (a @ matrix)
    return a[:, None] * matrix * b


def _without_rows_and_columns(regressors: np.ndarray, weights: np.ndarray, rounds: int = 100) -> np.ndarray:
    """Remove from regressors, shape (K, rows, columns), the part explained by a constant per row and column."""
    rest = regressors.copy()
    rows, columns = weights.sum(axis=1), weights.sum(axis=0)
    for _ in range(rounds):
        rest -= (np.einsum("kij,ij->ki", rest, weights) / rows)[:, :, None]
        rest -= (np.einsum("kij,ij->kj", rest, weights) / columns)[:, None, :]
    return rest


def unevenness(degrees: np.ndarray, expected: np.ndarray) -> float:
    """Spread of neurons' tendencies to have partners, beyond chance variation around the expected numbers.

    Parameters
    ----------
    degrees, expected : ndarray, shape (N,)
        Number of partners of each neuron, and the number expected from the wiring rule.

    Returns
    -------
    float
        Standard deviation of the logarithm of a lognormal factor per neuron, by the method of moments; 0 if the
        numbers vary no more than Poisson numbers.
    """
    excess = ((degrees - expected) ** 2 - degrees).sum() / (expected**2).sum()
    return float(np.sqrt(np.log1p(max(excess, 0.0))))


@dataclass(frozen=True)
class Measure:
    """One column of the table of wiring.

    Attributes
    ----------
    key : str
    meaning : str
        Meaning, with unit.
    """

    key: str
    meaning: str


MEASURES = tuple(
    Measure(*row)
    for row in (
        ("neurons", "neurons"),
        ("pairs", "ordered pairs of neurons"),
        ("connected", "connected pairs"),
        ("density", "share of ordered pairs that are connected (%)"),
        ("depth", "mean position along y (µm)"),
        ("fall", "log odds of a connection per 100 µm of distance"),
        ("fall_error", "its standard error"),
        ("like_to_like", "log odds of a connection per SD of correlation, at equal distance"),
        ("like_to_like_error", "its standard error"),
        ("like_to_like_curved", "like-to-like where the fall with distance is a curve"),
        ("like_to_like_curved_error", "its standard error"),
        ("like_to_like_within", "log chance per SD of correlation, within sender and receiver, along a curve"),
        ("like_to_like_within_error", "its standard error"),
        ("wiring_distance", "mean distance of connected pairs, over that of all pairs"),
        ("reciprocal", "pairs connected both ways"),
        ("reciprocal_by_rule", "as expected from distance and likeness"),
        ("reciprocal_expected", "as expected from distance, likeness and each neuron's numbers of partners"),
        ("out_spread", "SD of the logarithm of the tendency to send"),
        ("in_spread", "SD of the logarithm of the tendency to receive"),
        ("correlation_fall", "correlation of the pairs' correlation with their distance"),
        ("silent", "share of neurons that send to no other (%)"),
        ("reached", "share of ordered pairs joined by a path of connections (%)"),
        ("lattice_price", "mean distance of the lattice control, over that of D*, both as published"),
        ("fall_released", "fall with distance, connectome in the order as released"),
        ("fall_released_error", "its standard error"),
        ("like_to_like_released", "like-to-like, connectome in the order as released"),
        ("like_to_like_released_error", "its standard error"),
        ("wiring_distance_released", "relative distance of connected pairs, connectome in the order as released"),
    )
)
"""Measures computed by :func:`describe_wiring`, in the order of its table."""


def describe_wiring(field: CorticalField) -> pd.Series:
    """Describe the wiring of a field in numbers.

    Returns
    -------
    Series
        Named after the field, with one entry for each of :data:`MEASURES`. An entry is NaN if the field lacks the
        necessary data, for example a different released order of its connectome.
    """
    n, off = field.neurons, ~np.eye(field.neurons, dtype=bool)
    connected = (field.part("connectome", "this analysis of wiring") > 0) & off
    out, into = connected.sum(axis=1), connected.sum(axis=0)
    rule = wiring_rule(field)
    curved, within = wiring_rule(field, curved=True), within_neurons(field)
    distance = cdist(field.positions, field.positions)
    values = {
        "neurons": n,
        "pairs": n * (n - 1),
        "connected": int(connected.sum()),
        "density": 100 * connected.sum() / (n * (n - 1)),
        "depth": field.positions[:, 1].mean(),
        **_regression(rule, ""),
        "like_to_like_curved": curved.like_to_like,
        "like_to_like_curved_error": curved.like_to_like_error,
        "like_to_like_within": within[0],
        "like_to_like_within_error": within[1],
        "wiring_distance": _relative_distance(connected, distance),
        "reciprocal": int((connected & connected.T).sum() // 2),
        "reciprocal_by_rule": float((rule.chance * rule.chance.T).sum() / 2),
        "reciprocal_expected": _expected_reciprocal(rule.chance, out, into),
        "out_spread": unevenness(out, rule.chance.sum(axis=1)),
        "in_spread": unevenness(into, rule.chance.sum(axis=0)),
        "correlation_fall": np.corrcoef(distance[off], field.part("correlation", "this analysis of wiring")[off])[
            0, 1
        ],
        "silent": 100 * (out == 0).mean(),
        "reached": 100 * np.isfinite(shortest_path(connected, unweighted=True))[off].mean(),
    }
    if field.lattice is not None:
        published = space.distances(space.coordinates(field, "reshaped", "min_max"))
        lattice = space.distances(space.lattice(field.lattice))
        values["lattice_price"] = space.mean_distance(lattice) / space.mean_distance(published)
    if field.released_rows is not None:
        released = field.as_released()
        values |= _regression(wiring_rule(released), "_released")
        values["wiring_distance_released"] = _relative_distance(
            (released.part("connectome", "this analysis of wiring") > 0) & off, distance
        )
    return pd.Series({measure.key: values.get(measure.key, np.nan) for measure in MEASURES}, name=field.label)


def _regression(rule: WiringRule, ending: str) -> dict[str, float]:
    keys = ("fall", "like_to_like")
    return {f"{key}{ending}{what}": getattr(rule, key + what) for key in keys for what in ("", "_error")}


def _relative_distance(connected: np.ndarray, distance: np.ndarray) -> float:
    n = len(distance)
    return distance[connected].mean() / (distance.sum() / (n * (n - 1))) if connected.any() else float("nan")


def _expected_reciprocal(chance: np.ndarray, out: np.ndarray, into: np.ndarray, rounds: int = 300) -> float:
    """Expected number of pairs connected both ways if the two directions were independent.

    The odds of the wiring rule are first multiplied by a factor per sender and a factor per receiver. The factors
    make each neuron's expected numbers of partners, out and in, equal to the observed numbers.
    """
    if np.isnan(chance).any():
        return float("nan")
    odds = chance / (1 - chance)  # (N, N), diagonal 0
    a, b = (out > 0).astype(float), (into > 0).astype(float)
    for _ in range(rounds):
        a = out / np.maximum((odds * b / (1 + odds * a[:, None] * b)).sum(axis=1), 1e-300)
        b = into / np.maximum((odds * a[:, None] / (1 + odds * a[:, None] * b)).sum(axis=0), 1e-300)
    scaled = odds * a[:, None] * b
    scaled /= 1 + scaled
    return float((scaled * scaled.T).sum() / 2)


def by_distance(field: CorticalField, edges: Sequence[float] = EDGES_UM) -> pd.DataFrame:
    """Sort the ordered pairs of a field into bins of distance.

    Parameters
    ----------
    field : CorticalField
    edges : sequence of float
        Bin edges in µm.

    Returns
    -------
    DataFrame
        A row per bin with pairs. Columns ``field, low, high`` (µm), ``pairs``, ``connected``, and the means of
        ``correlation``, ``sttc`` and ``communicability`` of the connectome. Communicability is 0 for neurons without
        outgoing connections (``isolated_neurons=zero``).
    """
    off = ~np.eye(field.neurons, dtype=bool)
    pairs = pd.DataFrame(
        {
            "bin": pd.cut(cdist(field.positions, field.positions)[off], edges, labels=False, include_lowest=True),
            "connected": field.part("connectome", "this analysis of wiring")[off] > 0,
            "correlation": field.part("correlation", "this analysis of wiring")[off],
            "sttc": field.part("sttc", "this analysis of wiring")[off],
            "communicability": empirical_communicability(field.part("connectome", "this analysis of wiring"), "zero")[
                off
            ],
        }
    ).dropna()
    grouped = pairs.groupby("bin")
    table = grouped[["correlation", "sttc", "communicability"]].mean()
    bins = table.index.astype(int)
    named = {"field": field.label, "low": np.take(edges, bins), "high": np.take(edges, bins + 1)}
    counted = {"pairs": grouped.size(), "connected": grouped["connected"].sum()}
    return table.assign(**named, **counted)[[*named, *counted, *table.columns]].reset_index(drop=True)


# Two fields that share neurons


@dataclass(frozen=True)
class Agreement:
    """Comparison of two fields' connections among their shared neurons.

    Attributes
    ----------
    nuclei : int
        Number of neurons in both fields, identified by nucleus ids.
    pairs : int
        Ordered pairs of shared neurons.
    both, one : int
        Pairs connected in both fields, and in only one field.
    expected : float
        Expected number of pairs connected in both fields if the two fields were independent.
    farthest : float
        Largest distance between the two positions of a shared neuron, in µm.
    """

    nuclei: int
    pairs: int
    both: int
    one: int
    expected: float
    farthest: float


def agreement(first: CorticalField, second: CorticalField) -> Agreement:
    """Compare the connections of two fields among shared neurons. A real synapse must be present in both fields.

    Parameters
    ----------
    first, second : CorticalField
        Fields with ``nucleus_ids``.

    Raises
    ------
    InputError
        If a field has no nucleus ids.
    """
    for field in (first, second):
        if field.nucleus_ids is None:
            raise InputError(f"{field.name} has no nucleus_ids, so its neurons cannot be found in another field")
    _, here, there = np.intersect1d(first.nucleus_ids, second.nucleus_ids, return_indices=True)
    off = ~np.eye(len(here), dtype=bool)
    one, other = (
        first.part("connectome", "this analysis of wiring")[np.ix_(here, here)][off] > 0,
        second.part("connectome", "this analysis of wiring")[np.ix_(there, there)][off] > 0,
    )
    moved = np.linalg.norm(first.positions[here] - second.positions[there], axis=1)
    return Agreement(
        nuclei=len(here),
        pairs=len(one),
        both=int((one & other).sum()),
        one=int((one != other).sum()),
        expected=float(one.sum() * other.sum() / len(one)) if len(one) else 0.0,
        farthest=float(moved.max(initial=0.0)),
    )


def reordered(field: CorticalField, neuron_of_row: np.ndarray) -> CorticalField:
    """Return the field with its connectome reordered, given an assumed neuron for each row.

    Parameters
    ----------
    field : CorticalField
    neuron_of_row : ndarray of int, shape (N,)
        The assumed neuron of row and column r, for each r.
    """
    row_of = np.argsort(neuron_of_row)  # row of each neuron
    return replace(
        field,
        connectome=field.part("connectome", "this analysis of wiring")[np.ix_(row_of, row_of)],
        released_rows=None,
    )


def agreements(fields: Sequence[CorticalField]) -> pd.DataFrame:
    """Compare all pairs of fields that share a neuron, also with connectomes in released order.

    Parameters
    ----------
    fields : sequence of CorticalField
        Released fields with reordered connectomes.

    Returns
    -------
    DataFrame
        A row per pair of fields. Columns ``first, second``, the attributes of :class:`Agreement`, and
        ``both_released``, ``one_released`` and ``expected_released``.
    """
    released = [field.as_released() for field in fields]
    rows = []
    for a, b in combinations(range(len(fields)), 2):
        told = agreement(fields[a], fields[b])
        if told.nuclei:
            before = agreement(released[a], released[b])
            row = {"first": fields[a].name, "second": fields[b].name, **vars(told)}
            rows.append(row | {f"{key}_released": getattr(before, key) for key in ("both", "one", "expected")})
    columns = ["first", "second", *Agreement.__annotations__, "both_released", "one_released", "expected_released"]
    return pd.DataFrame(rows, columns=columns)


# Many fields


@dataclass(frozen=True)
class Pooled:
    """Estimate of a random-effects model: the mean of an effect that differs between fields.

    Attributes
    ----------
    fields : int
    mean, error : float
        Mean over fields and its standard error (Hartung, Knapp, Sidik and Jonkman).
    interval : Interval
        95 % confidence interval of the mean.
    tau : float
        Standard deviation of the true effect between fields (Paule and Mandel).
    i_squared : float
        Share of the variation between estimates that chance does not explain.
    prediction : Interval
        95 % prediction interval for the effect in one additional field.
    """

    fields: int
    mean: float
    error: float
    interval: Interval
    tau: float
    i_squared: float
    prediction: Interval

    def __str__(self) -> str:
        return (
            f"{self.mean:+.3f} [{self.interval.low:+.3f}, {self.interval.high:+.3f}] in {self.fields} fields, "
            f"τ {self.tau:.3f}, I² {100 * self.i_squared:.0f} %, "
            f"one more field: [{self.prediction.low:+.2f}, {self.prediction.high:+.2f}]"
        )


def pool_effects(effects: Sequence[float], errors: Sequence[float]) -> Pooled:
    """Pool one effect per field with a random-effects model.

    Parameters
    ----------
    effects, errors : sequence of float
        Estimates and their standard errors. Fields without an estimate (NaN) are left out.

    Raises
    ------
    InputError
        If fewer than three fields remain.
    """
    effects, errors = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    there = np.isfinite(effects) & np.isfinite(errors)
    k = int(there.sum())
    if k < 3:
        raise InputError(f"{k} fields have an estimate; a random-effects model needs at least 3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels warns about unused intervals of single fields
        found = combine_effects(effects[there], errors[there] ** 2, method_re="iterated", use_t=True)
        low, high = found.conf_int()[3]
    reach = stats.t.ppf(0.975, k - 2) * np.sqrt(found.tau2 + found.sd_eff_w_re_hksj**2)
    mean = float(found.mean_effect_re)
    return Pooled(
        fields=k,
        mean=mean,
        error=float(found.sd_eff_w_re_hksj),
        interval=Interval(float(low), float(high)),
        tau=float(np.sqrt(max(found.tau2, 0.0))),
        i_squared=float(max(found.i2, 0.0)),
        prediction=Interval(float(mean - reach), float(mean + reach)),
    )


@cache
def _shipped(name: str) -> pd.DataFrame:
    return pd.read_csv(data_folder() / f"{name}.csv")


def known_wiring() -> pd.DataFrame:
    """Return the stored wiring of all available released fields: index ``field``, columns :data:`MEASURES`.

    It is part of the library. ``data/make_wiring.py`` recomputes it.
    """
    return _shipped("wiring").set_index("field")


def known_by_distance() -> pd.DataFrame:
    """Return the stored results of :func:`by_distance` for the fields of :func:`known_wiring`."""
    return _shipped("wiring_by_distance").copy()


def known_agreements() -> pd.DataFrame:
    """Return the stored results of :func:`agreements` for the fields of :func:`known_wiring`."""
    return _shipped("shared_nuclei").copy()
