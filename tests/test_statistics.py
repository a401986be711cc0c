"""Statistics against SciPy, statsmodels and definitions, on hard samples: constant, tied, separated, missing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.nonparametric import rank_compare_2indep
from statsmodels.stats.proportion import proportion_confint

from biornn_lite import statistics
from biornn_lite.errors import InputError
from biornn_lite.replication import published_runs, published_table
from biornn_lite.results import CURVE_COLUMNS
from biornn_lite.statistics import (
    bootstrap_interval,
    cliffs_delta,
    epochs_to_learn,
    estimates,
    holm,
    kruskal_wallis,
    log_rank,
    mean_interval,
    not_yet_learned,
    paired,
    pairwise,
    rank_anova,
    share_interval,
    welch,
)
from biornn_lite.variants import PUBLISHED_VARIANTS, VARIANTS, get_variant, isolating_pairs

numbers = st.lists(st.floats(0, 1).map(lambda x: round(x, 2)), min_size=2, max_size=25)


def made(effect, runs: int = 20, variants=PUBLISHED_VARIANTS, seed: int = 0) -> pd.DataFrame:
    """A table of made-up accuracies: `effect` of a variant, plus noise."""
    r = np.random.default_rng(seed)
    rows = [(v, k, effect(get_variant(v)) + r.normal(0, 0.05)) for v in variants for k in range(runs)]
    return pd.DataFrame(rows, columns=["variant", "run", "accuracy"]).assign(task="go_nogo")


# Intervals


def test_published_intervals_follow_from_the_published_runs():
    """To the printed digits: so the paper's intervals are Student's, over 20 runs."""
    printed = published_table("positive").loc["small_worldness", "one_choice_inference"]
    runs = published_runs()
    assert runs.shape == (20, 11) and printed["mean"].notna().sum() == 5
    for variant in printed.index[printed["mean"].notna()]:
        assert round(runs[variant].mean(), 3) == printed.loc[variant, "mean"]
        assert tuple(round(end, 3) for end in mean_interval(runs[variant])) == tuple(
            printed.loc[variant, ["low", "high"]]
        )
        # The bootstrap's is of like width, and tells the same story.
        low, high = bootstrap_interval(runs[variant])
        assert low < runs[variant].mean() < high
        assert high - low == pytest.approx(np.ptp(printed.loc[variant, ["low", "high"]]), rel=0.35)
    assert runs.drop(columns=printed.index[printed["mean"].notna()]).isna().all(axis=None)


def test_intervals_hold_the_mean_as_often_as_they_say():
    r = np.random.default_rng(0)
    held = {mean_interval: 0, bootstrap_interval: 0}
    for _ in range(400):
        sample = r.exponential(1.0, 20)
        for interval, extra in ((mean_interval, {}), (bootstrap_interval, {"resamples": 499})):
            low, high = interval(sample, **extra)
            held[interval] += low <= 1.0 <= high
    assert all(0.88 < count / 400 < 0.98 for count in held.values()), held


@pytest.mark.parametrize("interval", [mean_interval, bootstrap_interval])
def test_intervals_of_awkward_samples(interval):
    assert interval([0.5] * 20) == (0.5, 0.5) and interval([0.238] * 20) == (0.238, 0.238)
    low, high = interval([1.0] * 19 + [0.5])
    assert low < 0.975 < high and (interval is mean_interval or high <= 1)
    with pytest.raises(InputError, match="diverged"):
        interval([0.5, np.nan, 1.0])
    with pytest.raises(InputError, match="too few"):
        interval([0.5])


def test_estimates_count_what_they_leave_out():
    table = made(lambda v: 0.7, 5)
    table.loc[(table["variant"] == "W") & (table["run"] < 2), "accuracy"] = np.nan
    table.loc[(table["variant"] == "WD"), "accuracy"] = np.nan
    table.loc[(table["variant"] == "WDC") & (table["run"] > 0), "accuracy"] = np.nan
    found = estimates(table, "accuracy").loc["go_nogo"]
    assert list(found.loc[["W", "WD", "WDC", "WD*"], "counted"]) == [3, 0, 1, 5] and (found["runs"] == 5).all()
    w = table.loc[(table["variant"] == "W"), "accuracy"].dropna()
    assert found.loc["W", "mean"] == pytest.approx(w.mean())
    assert tuple(found.loc["W", ["low", "high"]]) == pytest.approx(mean_interval(w))
    assert found.loc["WD", ["mean", "low", "bootstrap_low"]].isna().all()
    assert np.isfinite(found.loc["WDC", "mean"]) and np.isnan(found.loc["WDC", "low"])


# Tests


def test_kruskal_wallis_is_scipys_and_knows_a_table_without_differences():
    table = made(lambda v: 0.2 * (v.weights == "orthogonal"))
    found = kruskal_wallis(table, "accuracy")
    groups = [
        table.loc[[get_variant(v).weights == kind for v in table["variant"]], "accuracy"]
        for kind in ("functional", "orthogonal", "relabelled")
    ]
    assert (
        found.loc["weights", "p"] == pytest.approx(stats.kruskal(*groups).pvalue) and found.loc["weights", "p"] < 1e-6
    )
    alike = kruskal_wallis(table.assign(accuracy=0.5), "accuracy")
    assert (alike["p"] == 1).all() and (alike["H"] == 0).all()


@pytest.mark.parametrize("test", [kruskal_wallis, rank_anova])
def test_a_choice_without_two_values_or_a_table_without_any_is_said(test):
    with pytest.raises(InputError, match="all rows have the same weights"):
        test(made(lambda v: 0, variants=("W", "WD")), "accuracy")
    for nothing in (made(lambda v: 0).assign(accuracy=np.nan), made(lambda v: 0).head(0)):
        with pytest.raises(InputError, match="no run here has a value of accuracy"):
            test(nothing, "accuracy")


def test_the_additive_rank_anova_finds_the_choice_that_matters():
    found = rank_anova(made(lambda v: 0.2 * (v.weights == "orthogonal")), "accuracy")
    assert list(found.index) == ["weights", "space", "communicability", "interactions", "Residual"]
    assert list(found["df"]) == [2, 2, 2, 4, 209]
    assert (
        found.loc["weights", "p"] < 1e-10
        and (found.loc[["space", "communicability", "interactions"], "p"] > 0.01).all()
    )
    joint = rank_anova(made(lambda v: 0.2 * (v.name == "WD*C")), "accuracy")
    assert joint.loc["interactions", "p"] < 1e-6, "what one combination alone does is no main effect"


def test_the_additive_rank_anova_of_a_full_factorial_is_the_textbooks():
    """With all cells and equal numbers, each sum of squares is that of the group means."""
    table = made(lambda v: 0.1 * (v.space == "none"), 4, tuple(VARIANTS))
    found = rank_anova(table, "accuracy")
    ranks = stats.rankdata(table["accuracy"])
    for choice in ("weights", "space", "communicability"):
        values = np.array([getattr(get_variant(v), choice) for v in table["variant"]])
        between = sum((values == x).sum() * (ranks[values == x].mean() - ranks.mean()) ** 2 for x in set(values))
        assert found.loc[choice, "sum_sq"] == pytest.approx(between)


@pytest.mark.parametrize("matters", ["weights", "space", "communicability", "nothing"])
def test_the_published_rank_anova_says_the_same_whatever_happened(matters):
    """A rank-deficient design: main effects have F near 0 and p near 1 even where one choice decides all."""
    effects = {"weights": "orthogonal", "space": "cortical", "communicability": "weights"}
    table = made(lambda v: 0.3 * (matters != "nothing" and getattr(v, matters) == effects.get(matters)))
    found = rank_anova(table, "accuracy", interactions=True)
    assert (found.loc[["weights", "space", "communicability"], "F"].abs() < 1e-6).all()
    assert (found.loc[["weights", "space", "communicability"], "p"] > 0.99).all()


@pytest.mark.parametrize("interactions", [True, False])
def test_an_anova_without_spread_within_variants_is_refused(interactions):
    """Rounding errors over a residual of 0 would come out as overwhelming significance."""
    for accuracy in (0.5, made(lambda v: 0)["variant"].map(PUBLISHED_VARIANTS.index)):
        with pytest.raises(InputError, match="no spread"):
            rank_anova(made(lambda v: 0).assign(accuracy=accuracy), "accuracy", interactions)
    with pytest.raises(InputError, match="no spread"):
        rank_anova(made(lambda v: 0, runs=1), "accuracy", interactions)


def test_an_anova_of_variants_that_cannot_tell_is_refused():
    with pytest.raises(InputError, match="apart"):
        rank_anova(made(lambda v: 0, variants=("W", "W*D*", "W!D*C")), "accuracy")


# Effect sizes


@given(numbers, numbers)
@settings(max_examples=80, deadline=None)
def test_cliffs_delta_is_its_definition_and_lies_in_its_interval(first, second):
    a, b = np.array(first), np.array(second)
    by_pairs = np.sign(a[:, None] - b[None, :]).mean()
    found = cliffs_delta(a, b)
    assert found.delta == pytest.approx(by_pairs)
    assert -1 <= found.low <= found.delta + 1e-12 and found.delta - 1e-12 <= found.high <= 1
    assert found.high - found.low > 0.01
    back = cliffs_delta(b, a)
    assert (back.delta, back.low, back.high) == pytest.approx((-found.delta, -found.high, -found.low), abs=1e-9)


def test_the_interval_of_delta_agrees_with_statsmodels_where_groups_overlap():
    r = np.random.default_rng(1)
    for shift in (0.0, 0.5, 1.0):
        a, b = r.normal(shift, 1, 40), r.normal(0, 1, 30)
        theirs = 2 * np.array(rank_compare_2indep(a, b).conf_int()) - 1
        found = cliffs_delta(a, b)
        np.testing.assert_allclose([found.low, found.high], theirs, atol=0.08)


def test_the_interval_of_delta_holds_the_truth_as_often_as_it_says():
    r = np.random.default_rng(2)
    for shift in (0.0, 1.0, 2.5):
        truth = 2 * stats.norm.cdf(shift / np.sqrt(2)) - 1
        found = [cliffs_delta(r.normal(shift, 1, 20), r.normal(0, 1, 20)) for _ in range(400)]
        assert 0.92 < np.mean([f.low <= truth <= f.high for f in found]) < 0.995


def test_groups_that_do_not_overlap_keep_an_interval():
    found = cliffs_delta([1.0] * 20, [0.5] * 20)
    assert found.delta == found.high == 1 and 0.6 < found.low < 0.95
    assert cliffs_delta([0.5] * 20, [1.0] * 20).low == -1
    assert cliffs_delta([0.5] * 20, [0.5] * 20).delta == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=15, deadline=None)  # statsmodels collects all garbage each time
def test_holm_is_that_of_statsmodels(p):
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_pairs_are_corrected_by_holm():
    table = made(lambda v: 0.1 * (v.weights == "orthogonal"), 8)
    found = pairwise(table, "accuracy")
    assert len(found) == 55
    np.testing.assert_allclose(found["p_holm"], multipletests(found["p"], method="holm")[1])
    few = pairwise(table, "accuracy", [("W*D*C", "WD*C")])
    table.loc[(table["variant"] == "W") & (table["run"] > 4), "accuracy"] = np.nan
    assert pairwise(table, "accuracy", [("W", "WD")])[["n_first", "n_second"]].to_numpy().tolist() == [[5, 8]]
    assert few["p_holm"][0] == few["p"][0] and few["delta"][0] < 0
    with pytest.raises(InputError, match="no accuracy of WX"):
        pairwise(table, "accuracy", [("W", "WX")])
    assert pairwise(table.assign(accuracy=0.5), "accuracy", [("W", "WD")])["p"][0] == 1


def test_isolating_pairs_differ_in_one_choice():
    assert isolating_pairs("weights") == [
        ("W*D*C", "WD*C"), ("W*D*C", "W!D*C"), ("WD*C", "W!D*C"),
        ("W*D*C*", "WD*C*"), ("W*D*C*", "W!D*C*"), ("WD*C*", "W!D*C*"),
    ]  # fmt: skip
    assert ("WD*", "WD") in isolating_pairs("space") and len(isolating_pairs("communicability", ("W", "WD"))) == 0
    with pytest.raises(InputError, match="no choice 'size'"):
        isolating_pairs("size")


# How soon networks learn


def curves_of(**accuracies) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Networks of the variants W…, one per run, with these test accuracies by epoch; an empty list has diverged."""
    networks, rows = [], []
    for variant, runs in accuracies.items():
        for run, values in enumerate(runs):
            networks.append((variant, "go_nogo", run))
            for epoch, value in enumerate(values, 1):
                rows.append((variant, "go_nogo", run, epoch, 0.5, 1.0, value, 1.0, 0.0))
    return pd.DataFrame(networks, columns=["variant", "task", "run"]), pd.DataFrame(rows, columns=CURVE_COLUMNS)


def test_epochs_to_learn_and_censoring():
    found = epochs_to_learn(
        *curves_of(W=[[0.5, 0.95, 0.6], [0.5, 0.6, 0.9], [0.5] * 3, []], WD=[[1.0] * 3]), epochs=3
    )
    assert list(found["epochs"]) == [2, 3, 3, 3, 1] and list(found["learned"]) == [True, True, False, False, True]
    share = not_yet_learned(found[found["variant"] == "W"])
    assert list(share.index) == [0, 1, 2, 3] and list(share) == pytest.approx([1, 1, 0.75, 0.5])
    assert list(epochs_to_learn(*curves_of(W=[[0.5, 0.95]]), share=0.99)["learned"]) == [False]
    assert list(epochs_to_learn(*curves_of(W=[[], []]))["epochs"]) == [10, 10], "all diverged"
    with pytest.raises(InputError, match="no accuracy"):
        epochs_to_learn(*curves_of(W=[[0.5]]), accuracy="accuracy")


def test_the_ceiling_of_a_task_sets_what_counts_as_learned():
    networks, curves = curves_of(W=[[0.8, 0.82]])
    tables = [t.assign(task="perceptual_decision_making") for t in (networks, curves)]
    assert list(epochs_to_learn(*tables)["epochs"]) == [2], "0.9 of about 0.90 is 0.81"


def test_log_rank_tells_fast_from_slow_and_knows_when_none_has_learned():
    fast, slow = [[0.5, 1.0, 1.0, 1.0]] * 8, [[0.5, 0.5, 0.5, 1.0]] * 8
    found = epochs_to_learn(*curves_of(W=fast, WD=slow, WDC=[[0.5] * 4] * 8), epochs=4)
    groups = {v: found[found["variant"] == v] for v in ("W", "WD", "WDC")}
    assert log_rank(groups["W"], groups["WD"]) < 1e-3 and log_rank(groups["W"], groups["W"]) > 0.99
    assert log_rank(groups["WDC"], groups["WDC"]) == 1.0
    assert log_rank(groups["W"], groups["WDC"]) < 1e-3
    for waits in (not_yet_learned, lambda found: log_rank(groups["W"], found)):
        with pytest.raises(InputError, match="no network is here"):
            waits(found.head(0))


def test_log_rank_worked_by_hand():
    """Two and two networks, which learn in epochs 1 and 3, and in 2 and never.

    Expected of the first pair: 2/4 in epoch 1, 1/3 in 2, 1/2 in 3, together 4/3; it has 2. The variances,
    p (1 − p) of one event each, are 1/4 + 2/9 + 1/4 = 13/18.
    """
    found = epochs_to_learn(*curves_of(W=[[1.0, 1, 1], [0.5, 0.5, 1]], WD=[[0.5, 1, 1], [0.5] * 3]), epochs=3)
    p = log_rank(found[found["variant"] == "W"], found[found["variant"] == "WD"])
    assert p == pytest.approx(stats.chi2.sf((2 - 4 / 3) ** 2 / (13 / 18), 1))


# Shares, differences of means, pairs


@given(st.integers(1, 40).flatmap(lambda runs: st.tuples(st.integers(0, runs), st.just(runs))))
def test_the_interval_of_a_share_is_wilsons(of):
    low, high = share_interval(*of)
    assert (low, high) == pytest.approx(proportion_confint(*of, method="wilson"), abs=1e-12)
    assert 0 <= low <= of[0] / of[1] <= high <= 1 and low < high


def test_shares_worked_by_hand_and_none():
    assert [round(end, 2) for end in share_interval(19, 20)] == [0.76, 0.99]
    for of in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(InputError, match="is no share"):
            share_interval(*of)


@given(numbers, numbers)
def test_welch_from_means_and_spreads_is_scipys_from_runs(first, second):
    both = [(np.mean(values), np.std(values, ddof=1), len(values)) for values in (first, second)]
    found = welch(*both)
    assert found.difference == pytest.approx(np.mean(first) - np.mean(second))
    if len(set(first)) == len(set(second)) == 1:
        # NumPy's SD of equal numbers may be 1e-17 in place of 0.
        assert (found.low, found.high) == pytest.approx((found.difference, found.difference), abs=1e-9)
        assert min(found.p, 1 - found.p) < 1e-9
        return
    theirs = stats.ttest_ind(first, second, equal_var=False)
    assert found.p == pytest.approx(theirs.pvalue, abs=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-9)


def runs_of(values: dict[str, list[float]]) -> pd.DataFrame:
    rows = [(v, seed, x) for v, column in values.items() for seed, x in enumerate(column)]
    return pd.DataFrame(rows, columns=["variant", "seed", "accuracy"]).assign(task="go_nogo")


def test_pairs_of_runs_are_compared_seed_by_seed():
    """What both runs of a seed share is large here, and drops out: only the paired test tells the two apart."""
    r = np.random.default_rng(0)
    shared = r.normal(0, 1, 20)
    table = runs_of({"first": shared + 0.1 + r.normal(0, 0.05, 20), "second": shared, "third": shared})
    table = table.sample(frac=1, random_state=0)
    found = paired(table, "accuracy", [("first", "second"), ("second", "third")])
    wide = table.pivot_table("accuracy", "seed", "variant")
    apart = wide["first"] - wide["second"]
    row = found.loc[0]
    assert row["n"] == 20 and row["difference"] == pytest.approx(apart.mean())
    assert (row["low"], row["high"]) == pytest.approx(mean_interval(apart))
    assert row["median"] == pytest.approx(apart.median())
    assert row["p"] == pytest.approx(stats.wilcoxon(wide["first"], wide["second"]).pvalue)
    assert row["p_holm"] == pytest.approx(2 * row["p"]) and row["p_holm"] < 0.001
    assert found.loc[1, "p"] == found.loc[1, "p_holm"] == 1
    assert pairwise(table, "accuracy", [("first", "second")])["p"].item() > 0.3


def test_pairs_without_a_partner_are_left_out_and_ambiguous_ones_refused():
    table = runs_of({"first": [0.5, np.nan, 0.7, 0.9], "second": [0.4, 0.6, 0.6]})
    assert paired(table, "accuracy", [("first", "second")])["n"].item() == 2
    with pytest.raises(InputError, match="no accuracy of third here"):
        paired(table, "accuracy", [("first", "third")])
    with pytest.raises(InputError, match="several rows have one variant, task and seed"):
        paired(pd.concat([table, table]), "accuracy", [("first", "second")])
    with pytest.raises(InputError, match="share 1 runs; at least 2"):
        paired(table[table["seed"] > 0], "accuracy", [("first", "second")])


# Topology and accuracy


def test_a_relation_that_variants_make_is_gone_within_them():
    rng = np.random.default_rng(0)
    level = np.repeat([0.0, 1.0, 2.0], 30)
    variant, modularity = np.repeat(["W", "WD", "WDC"], 30), level + rng.normal(0, 0.1, 90)
    table = pd.DataFrame({"task": "go_nogo", "variant": variant, "modularity": modularity})
    table["test_accuracy"] = level + rng.normal(0, 0.1, 90)
    found = statistics.relation(table, "modularity", deals=499)
    assert found.overall > 0.9 and abs(found.within) < 0.25 and found.p > 0.02
    table["test_accuracy"] = -table["modularity"] + 2 * level  # within variants the other way round
    turned = statistics.relation(table, "modularity", deals=499)
    assert turned.overall > 0.9 and turned.within == pytest.approx(-1) and turned.p == 1 / 500


def test_the_spread_of_runs_is_counted_by_hand():
    table = pd.DataFrame({"task": "go_nogo", "variant": ["W"] * 4 + ["WD"] * 4})
    table["test_accuracy"] = [0.5, 0.51, 0.5, 0.49, 1.0, 1.0, 1.0, 0.5]  # the mean of WD is 0.875
    found = statistics.spread_of_runs(table).loc["go_nogo"]
    assert found.to_list() == [1, 4]
    assert statistics.far_off(table).to_list() == [False] * 4 + [True] * 4


def test_intervals_of_columns_are_those_of_each_column():
    """Each column has resamples of its own, so the ends agree but for chance."""
    values = np.random.default_rng(3).normal(size=(12, 4))
    values[:, 2] = 0.5
    low, high = statistics.bootstrap_intervals(values)
    for column in range(4):
        alone = statistics.bootstrap_interval(values[:, column])
        np.testing.assert_allclose((low[column], high[column]), alone, atol=0.02)
    for wrong in (values[:1], values[0], np.full((3, 2), np.nan)):
        with pytest.raises(InputError, match="two axes"):
            statistics.bootstrap_intervals(wrong)
