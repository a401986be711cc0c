"""Contrasts of runs against SciPy, statsmodels, brute force and numbers worked out by hand."""

from itertools import product
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.formula.api import ols
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from biornn_lite.contrasts import (
    LEARNS_ABOVE,
    SMALLEST_THAT_MATTERS,
    _p_equivalence,
    compare,
    corrected,
    differences,
    gain,
    leave_one_group_out,
    p_rare,
    paired_difference,
    power,
    power_of_equivalence,
    probability_of_improvement,
    variance_explained,
)
from biornn_lite.errors import InputError
from biornn_lite.statistics import bootstrap_interval
from biornn_lite.tasks import PERCEPTUAL, TASKS, GoNoGo, PerceptualDecision, Task
from biornn_lite.wiring import pool_effects


def networks(task: str, accuracies, status: str = "ok") -> pd.DataFrame:
    return pd.DataFrame({"task": task, "status": status, "test_accuracy": accuracies})


def runs(gains: dict[str, list[float]], first_seed: int = 0) -> pd.DataFrame:
    """Rows of networks with the gains of each task's runs."""
    rows = [(seed, task, value) for task, values in gains.items() for seed, value in enumerate(values, first_seed)]
    return pd.DataFrame(rows, columns=["seed", "task", "gain"])


# Gain


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_the_gain_is_0_at_the_ceiling_without_memory_and_1_at_the_best(task):
    low, best = task.memoryless_ceiling(), task.best_ceiling()
    found = gain(networks(task.name, [low, best, (low + best) / 2]))
    assert list(found) == pytest.approx([0, 1, 0.5]) and found.dtype == float


def test_each_network_has_the_ceilings_of_its_own_task():
    rows = pd.concat([networks("one_choice_inference", [5 / 8]), networks("go_nogo", [0.75])]).set_axis([7, 3])
    found = gain(rows)
    assert list(found.index) == [7, 3] and list(found) == pytest.approx([0, 0.5])


def test_a_diverged_network_has_the_gain_of_guessing():
    rows = pd.concat([networks(task, [np.nan], "diverged") for task in TASKS])
    assert list(gain(rows)) == pytest.approx([(1 / 4 - 5 / 8) / (3 / 8), 0, 0])
    assert list(gain(networks("go_nogo", [0.9], "diverged"))) == [0], "whatever was recorded before"
    assert not (gain(rows) > LEARNS_ABOVE).any()


def test_a_task_without_two_ceilings_has_no_gain():
    with pytest.raises(InputError, match="no task 'maze' here"):
        gain(networks("maze", [0.5]))
    bare = Task("maze", "Maze", inputs=2, steps=3, classes=2)
    with pytest.raises(InputError, match="ceilings of task maze are nan and nan"):
        gain(networks("maze", [0.5]), {"maze": bare})


def test_a_task_of_ones_own_has_a_gain_and_one_tested_as_another_has_the_others():
    own = PerceptualDecision(name="hard", coherences=(6.4,))
    assert gain(networks("hard", [own.best_ceiling()]), {"hard": own}).item() == pytest.approx(1)
    as_other = PerceptualDecision(name="easy to hard", coherences=(51.2,), tested_as=own)
    found = gain(networks("easy to hard", [0.5, own.best_ceiling()]), {"easy to hard": as_other})
    assert list(found) == pytest.approx([0, 1])
    both = pd.concat([networks("hard", [0.5]), networks(PERCEPTUAL, [0.5])])
    assert list(gain(both, {"hard": own})) == [0, 0], "published tasks stay known"


# Paired differences


def all_signs(apart) -> float:
    """Two-sided p of the mean over all sign flips: twice the smaller tail, as SciPy defines it."""
    means = (np.array(list(product((1, -1), repeat=len(apart)))) * apart).mean(axis=1)
    observed = np.mean(apart)
    return min(1.0, 2 * min((means >= observed - 1e-12).mean(), (means <= observed + 1e-12).mean()))


@pytest.mark.parametrize("seed", range(4))
def test_with_eight_runs_p_is_that_of_all_sign_flips(seed):
    apart = np.random.default_rng(seed).normal(0.05 * seed, 0.1, 8)
    assert paired_difference(apart).p == pytest.approx(all_signs(apart))
    tied = np.round(apart, 1)
    assert paired_difference(tied).p == pytest.approx(all_signs(tied)), "with ties and zeros"


def test_with_many_runs_random_flips_come_near_all_of_them():
    apart = np.random.default_rng(5).normal(0.05, 0.1, 16)
    found = paired_difference(apart)
    assert found.p == pytest.approx(all_signs(apart), abs=0.01)
    assert paired_difference(apart) == found and paired_difference(apart, seed=1).p != found.p


def test_a_paired_difference_is_scipys():
    apart = np.random.default_rng(1).normal(0.08, 0.12, 20)
    found = paired_difference(apart)
    theirs = stats.permutation_test(
        (apart,), np.mean, permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(0)
    )
    assert found.runs == 20 and found.difference == pytest.approx(apart.mean())
    assert found.p == pytest.approx(theirs.pvalue, abs=0.01)
    assert found.p == pytest.approx(stats.ttest_1samp(apart, 0).pvalue, abs=0.01)
    assert (found.low, found.high) == bootstrap_interval(apart) and found.low < found.difference < found.high
    assert np.isnan(found.improvement)


def rare_by_scipy(apart, networks: int, bound: float) -> float:
    """p of SciPy's exact tests that large differences are rare in each direction, the larger one."""
    found = []
    for sign in (1, -1):
        large = [sign * value for value in apart if sign * value > bound]
        least = 1 / min(networks, 3)  # networks of one run fail together
        moves_by = max([least, np.mean(large)] if large else [least])
        share = min(1, bound / moves_by)
        found.append(stats.binomtest(len(large), len(apart), share, alternative="less").pvalue)
    return max(found)


@pytest.mark.parametrize("shift", [0.0, 0.06, -0.2])
@pytest.mark.parametrize("bound", [SMALLEST_THAT_MATTERS, 0.3])
@pytest.mark.parametrize("networks", [1, 3, 12])
def test_equivalence_needs_the_two_one_sided_tests_of_statsmodels_and_rare_large_differences(shift, bound, networks):
    r = np.random.default_rng(2)
    first, second = r.normal(0.5 + shift, 0.1, 20), r.normal(0.5, 0.1, 20)
    theirs, *_ = ttost_paired(first, second, -bound, bound)
    found = paired_difference(first - second, networks, bound).p_equivalence
    assert found >= theirs - 1e-12
    assert found == pytest.approx(max(theirs, rare_by_scipy(first - second, networks, bound)))


def flips(count: int, runs: int, networks: int = 3) -> np.ndarray:
    """Runs that agree, but for one network each in some of them."""
    return np.repeat([1 / networks, 0.0], [count, runs - count])


@pytest.mark.parametrize("networks", [1, 2, 3, 6, 12])
@pytest.mark.parametrize("seed", range(3))
def test_rare_differences_are_the_exact_test_of_scipy(networks, seed):
    apart = np.random.default_rng(seed).choice([0, 0.05, 0.1, 0.12, 1 / 3, 2 / 3, -1 / 3, -1], 20)
    found = max(p_rare(apart, networks, 0.1), p_rare(-apart, networks, 0.1))
    assert found == pytest.approx(rare_by_scipy(apart, networks, 0.1), abs=1e-15)


@pytest.mark.parametrize(
    ("runs", "count", "rare"),
    [
        (20, 0, True), (20, 1, True), (20, 2, True), (20, 3, False), (10, 0, True), (10, 1, False), (9, 0, True),
        (8, 0, False), (5, 0, False),
    ],
)  # fmt: skip
def test_how_many_runs_of_three_networks_may_differ(runs, count, rare):
    """Worked by hand: with a share of 0.3, as few as `count` have a chance of Σ (n over k) 0.3ᵏ 0.7ⁿ⁻ᵏ."""
    apart = flips(count, runs)
    chance = sum(comb(runs, k) * 0.3**k * 0.7 ** (runs - k) for k in range(count + 1))
    assert p_rare(apart, 3, 0.1) == pytest.approx(chance) and (chance < 0.05) == rare
    for one in (apart, -apart):
        found = paired_difference(one, networks=3)
        assert found.p_equivalence >= chance - 1e-12 and (found.says == "equivalent") == rare, "in either direction"


def test_what_a_large_difference_is_and_how_many_are_too_many():
    assert p_rare(flips(1, 20), 3, 0.1) > p_rare(-flips(1, 20), 3, 0.1) == pytest.approx(0.7**20), "each direction"
    assert p_rare(np.array([0.1] * 5 + [0.0] * 15), 3, 0.1) == pytest.approx(0.7**20), "0.10 is not above 0.10"
    two = np.array([0.5, 0.7] + [0.0] * 18)  # 0.6 on average: more than 1/3, so fewer of them matter
    assert p_rare(two, 3, 0.1) == pytest.approx(stats.binom.cdf(2, 20, 1 / 6))
    assert p_rare(np.zeros(20), 12, 0.1) == pytest.approx(0.7**20), "networks of one run fail together"
    assert p_rare(flips(20, 20), 3, 0.1) == 1


@pytest.mark.parametrize(("runs", "too_often"), [(20, 0.09), (10, 0.12), (5, 0.14)])
def test_a_true_difference_by_flips_of_one_task_is_seldom_called_equivalent(runs, too_often):
    """Three runs in ten differ by one of three networks: 0.10 on average. The t tests alone miss that too often."""
    r = np.random.default_rng(0)
    studies = (r.random((2000, runs)) < 0.3) / 3 + r.normal(0, 0.01, (2000, runs))
    assert studies.mean() == pytest.approx(0.1, abs=0.005)
    said = np.mean([_p_equivalence(apart, 3, 0.1) < 0.05 for apart in studies])
    sides = ((-0.1, "greater"), (0.1, "less"))
    t_tests = [stats.ttest_1samp(studies, bound, axis=1, alternative=side).pvalue for bound, side in sides]
    assert said <= 0.07 < too_often < (np.max(t_tests, axis=0) < 0.05).mean()


def test_nor_is_one_whose_networks_flip_independently():
    """Each of three networks differs in one run of ten, so some runs have two that do."""
    studies = (np.random.default_rng(1).random((2000, 20, 3)) < 0.1).mean(axis=2)
    kinds, counts = np.unique(np.sort(studies, axis=1), axis=0, return_counts=True)
    said = [_p_equivalence(apart, 3, 0.1) < 0.05 for apart in kinds]
    assert counts @ said / 2000 <= 0.07


def test_equal_runs_are_called_equivalent():
    """With no true difference and a flip in one run of forty in each direction, most studies of 20 runs say so."""
    flipped = np.random.default_rng(2).choice([-1 / 3, 0, 1 / 3], (2000, 20), p=(0.025, 0.95, 0.025))
    kinds, counts = np.unique(np.sort(flipped, axis=1), axis=0, return_counts=True)
    assert counts @ [_p_equivalence(apart, 3, 0.1) < 0.05 for apart in kinds] / 2000 > 0.9


def test_what_a_comparison_says():
    wobble = np.linspace(-0.01, 0.01, 9)
    assert paired_difference(0.3 + wobble).says == "first" and paired_difference(wobble - 0.3).says == "second"
    tiny = paired_difference(0.02 + wobble, networks=3)
    assert tiny.p < 0.05 and tiny.says == "equivalent", "there, and too small to matter"
    assert paired_difference(0.02 + wobble).says == "first", "nine networks do not exclude that one in ten differs"
    assert paired_difference(0.02 + wobble[:8], networks=3).says == "first", "nor do eight runs of three"
    assert paired_difference(50 * wobble).says == "not told apart"


def test_differences_that_are_all_zero_or_all_equal():
    none = paired_difference([0.0] * 20, networks=3)
    assert (none.difference, none.low, none.high, none.p) == (0, 0, 0, 1)
    assert none.p_equivalence == pytest.approx(0.7**20) and none.says == "equivalent"
    assert paired_difference([0.0] * 8, networks=3).says == "not told apart"
    alike = paired_difference([0.25] * 8)
    assert (alike.difference, alike.low, alike.high) == (0.25, 0.25, 0.25)
    assert alike.p == pytest.approx(2 / 2**8) and alike.p_equivalence == 1 and alike.says == "first"
    assert paired_difference([0.0625] * 9, networks=3).says == "equivalent"
    assert paired_difference([-0.5] * 8).says == "second"


def test_two_runs_have_a_difference_and_no_interval():
    found = paired_difference([0.2, 0.3])
    assert found.difference == pytest.approx(0.25) and np.isnan([found.low, found.high]).all()
    assert found.p == pytest.approx(2 / 4) and found.says == "not told apart"
    assert np.isfinite([paired_difference([0.2, 0.3, 0.4]).low, paired_difference([0.2, 0.3, 0.4]).high]).all()


@pytest.mark.parametrize("apart", [[0.1], [], [0.1, np.nan, 0.2], [0.1, np.inf], [[0.1, 0.2], [0.3, 0.4]]])
def test_what_is_no_list_of_two_finite_differences_is_refused(apart):
    with pytest.raises(InputError, match="at least 2 finite ones are needed"):
        paired_difference(apart)


# Runs that are paired by seed


def test_runs_are_paired_by_seed_and_averaged_over_tasks_in_any_order_of_rows():
    first = runs({"a": [0.9, 0.8, 0.7, 0.6], "b": [0.5, 0.5, 0.5, 0.5]})
    second = runs({"a": [0.1, 0.2, 0.3, 0.4], "b": [0.5, 0.4, 0.3, 0.2]})
    found = differences(first, second)
    assert found.index.name == "seed" and list(found.index) == [0, 1, 2, 3]
    assert list(found) == pytest.approx([0.4, 0.35, 0.3, 0.25])
    mixed = differences(first.sample(frac=1, random_state=0), second.sample(frac=1, random_state=1))
    pd.testing.assert_series_equal(mixed, found)
    own = [rows.rename(columns={"task": "condition"}) for rows in (first, second)]
    assert list(differences(*own, on=("condition",))) == list(found)
    assert compare(first, second).difference == pytest.approx(0.325) and compare(first, second).runs == 4


def test_a_comparison_counts_the_networks_of_a_run():
    gains = np.random.default_rng(0).random(20).tolist()
    for tasks, share in (("a", 0.1), ("abc", 0.3), ("abcdef", 0.3)):
        rows = runs(dict.fromkeys(tasks, gains))
        assert compare(rows, rows).p_equivalence == pytest.approx((1 - share) ** 20), tasks
    kinds = pd.concat([runs(dict.fromkeys("abc", gains)).assign(variant=name) for name in ("W*D*C", "W*DC")])
    found = compare(kinds, kinds, on=("variant", "task"))
    assert found.p_equivalence == pytest.approx(0.7**20) and found.says == "equivalent"
    one = runs({"a": gains})
    assert compare(one, one).says == "not told apart", "twenty networks do not exclude that one in ten differs"


def test_runs_that_lack_a_network_or_a_partner_are_left_out():
    first, second = runs({"a": [0.9, 0.8, 0.7], "b": [0.5, 0.5, 0.5]}), runs({"a": [0.1] * 4, "b": [0.1] * 4}, 1)
    assert list(differences(first, second).index) == [1, 2], "0 is only in first, 3 and 4 only in second"
    lacks = first.drop(first[(first["seed"] == 2) & (first["task"] == "b")].index)
    for sides in ((lacks, second), (second, lacks)):
        assert list(differences(*sides).index) == [1]
    with pytest.raises(InputError, match="differences of 1 pairs"):
        compare(lacks, second)
    with pytest.raises(InputError, match="differences of 0 pairs"):
        compare(first, second[second["seed"] > 2])


def test_several_rows_of_one_network_are_refused():
    rows = runs({"a": [0.9, 0.8], "b": [0.5, 0.5]})
    for sides in ((pd.concat([rows, rows]), rows), (rows, pd.concat([rows, rows]))):
        with pytest.raises(InputError, match="several rows have one seed, task"):
            differences(*sides)


gains = st.lists(st.tuples(*[st.integers(-10, 20)] * 4), min_size=3, max_size=9)


@given(gains, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_swapping_the_sides_flips_the_sign_and_leaves_both_p(values, order):
    a, b, c, d = np.array(values).T / 20
    first, second = runs({"one": a, "two": b}), runs({"one": c, "two": d})
    rows = list(range(len(first)))
    order.shuffle(rows)
    there, back = compare(first, second.iloc[rows]), compare(second, first.iloc[rows])
    assert there.difference == pytest.approx(((a + b) - (c + d)).mean() / 2, abs=1e-12)
    assert back.difference == pytest.approx(-there.difference, abs=1e-12)
    assert back.p == pytest.approx(there.p)
    assert back.p_equivalence == pytest.approx(there.p_equivalence, abs=1e-12)
    assert back.improvement == pytest.approx(1 - there.improvement)


def test_the_probability_of_improvement_is_counted_over_all_pairs():
    first = runs({"a": [0.1, 0.5, 0.5, 0.9], "b": [0.3, 0.3]})
    second = runs({"a": [0.5, 0.5, 0.2], "b": [0.3, 0.1, 0.9], "c": [0.0]})
    by_task = []
    for task in ("a", "b"):
        pairs = list(product(*(rows.loc[rows["task"] == task, "gain"] for rows in (first, second))))
        by_task.append(np.mean([(x > y) + 0.5 * (x == y) for x, y in pairs]))
    assert by_task == pytest.approx([(0 + 2 * (0.5 + 0.5 + 1) + 3) / 12, 3 / 6])
    assert probability_of_improvement(first, second) == pytest.approx(np.mean(by_task))
    assert probability_of_improvement(first, first) == 0.5
    assert compare(runs({"a": [0.9, 0.8]}), runs({"a": [0.1, 0.2]})).improvement == 1


def test_a_table_is_corrected_over_all_of_its_rows():
    table = pd.DataFrame({"p": [0.001, 0.03, 0.04, 0.9], "difference": [0.2, 0.2, -0.2, 0.0]})
    found = corrected(table.assign(p_equivalence=[0.9, 0.9, 0.9, 0.01]))
    np.testing.assert_allclose(found["p_holm"], multipletests(table["p"], method="holm")[1])
    assert list(found["says"]) == ["first", "not told apart", "not told apart", "equivalent"]
    alone = corrected(table.assign(p_equivalence=0.9).iloc[[2]])
    assert list(alone["says"]) == ["second"] and alone["p_holm"].item() == 0.04


# Power


@pytest.mark.parametrize("sd", [0.1, 0.2])
@pytest.mark.parametrize("count", [5, 20])
@pytest.mark.parametrize("difference", [0.0, 0.1, -0.25])
def test_power_is_that_of_statsmodels(sd, count, difference):
    for level in (0.05, 0.004):
        theirs = TTestPower().power(difference / sd, count, level, alternative="two-sided")
        assert power(sd, count, difference, level) == pytest.approx(theirs, abs=1e-6)
    assert power(sd, count, difference) == power(sd, count, difference, 0.05)


@pytest.mark.parametrize(
    ("sd", "count", "difference", "equivalence"),
    [(0.14, 20, 0.09, 0.84), (0.2, 20, 0.13, 0.37), (0.14, 10, 0.14, 0.36)],
)
def test_the_power_that_the_plan_states(sd, count, difference, equivalence):
    assert power(sd, count, difference) == pytest.approx(0.8, abs=0.04)
    reach = SMALLEST_THAT_MATTERS / sd * np.sqrt(count) - stats.t.ppf(0.95, count - 1)
    assert 2 * stats.t.cdf(reach, count - 1) - 1 == pytest.approx(equivalence, abs=0.05), "of its t tests alone"


@pytest.mark.parametrize(("share", "count"), [(0.18, 20), (0.05, 20), (0.1, 10), (0.4, 40)])
def test_the_power_of_equivalence_is_the_share_of_simulated_studies(share, count):
    rng = np.random.default_rng(0)
    studies = rng.choice([1 / 3, -1 / 3, 0], size=(400, count), p=[share / 2, share / 2, 1 - share])
    shown = [_p_equivalence(apart, 3, SMALLEST_THAT_MATTERS) < 0.05 for apart in studies]
    assert power_of_equivalence(np.sqrt(share) / 3, count) == pytest.approx(np.mean(shown), abs=0.06)


def test_the_power_of_equivalence_grows_with_runs_and_falls_with_spread():
    assert power_of_equivalence(0.0, 20) == 1 and power_of_equivalence(0.0, 8) == 0, "three tasks take nine runs"
    powers = [power_of_equivalence(0.14, count) for count in (5, 10, 20, 40)]
    assert powers == sorted(powers) and powers[0] == 0 and powers[-1] > 0.8
    assert power_of_equivalence(0.05, 20) > power_of_equivalence(0.2, 20)
    with pytest.raises(InputError, match=r"sd is 0\.5; where runs differ by one of 3 networks it is 0 to 0\.33"):
        power_of_equivalence(0.5, 20)


# Before training


def table_of(memory, learns, groups: int = 6) -> pd.DataFrame:
    other = np.random.default_rng(9).normal(size=len(memory))
    return pd.DataFrame(
        {"memory": memory, "other": other, "learns": learns, "start": np.arange(len(memory)) % groups}
    ).sample(frac=1, random_state=0)


def test_who_learns_is_predicted_in_groups_that_the_model_has_not_seen():
    memory = np.random.default_rng(0).normal(size=120)
    area, low, high = leave_one_group_out(table_of(memory, memory > 0.2), ["memory", "other"], "learns", "start", 100)
    assert area > 0.99 and 0.98 < low <= high <= 1


def test_noise_predicts_nothing():
    r = np.random.default_rng(1)
    table = table_of(r.normal(size=300), r.random(300) < 0.5)
    area, low, high = leave_one_group_out(table, ["memory", "other"], "learns", "start", 200)
    assert 0.38 < area < 0.6 and low <= area <= high and high - low > 0.02


def test_what_holds_within_known_groups_alone_does_not_count():
    """Each group has a column of its own: it says all of known groups, and nothing of new ones."""
    group = np.random.default_rng(2).permutation(np.repeat(np.arange(12), 10))
    columns = {f"is {k}": (group == k) * 1.0 for k in range(12)}
    table = pd.DataFrame({**columns, "learns": group % 2 == 0, "start": group})
    area, *_ = leave_one_group_out(table, list(columns), "learns", "start", 50)
    assert area < 0.6


# Several fields, for which question 8 pools its contrasts


def between_fields(effects, errors) -> float:
    """Paule and Mandel's variance: that with which the weighted squares add up to their degrees of freedom."""

    def beyond(variance: float) -> float:
        w = 1 / (errors**2 + variance)
        return (w * (effects - w @ effects / w.sum()) ** 2).sum() - (len(effects) - 1)

    return optimize.brentq(beyond, 0, 10) if beyond(0) > 0 else 0.0


@pytest.mark.filterwarnings("ignore:`use_t=True` requires")
def test_pooling_is_that_of_statsmodels_and_its_prediction_interval_is_worked_by_hand():
    r = np.random.default_rng(0)
    errors = r.uniform(0.02, 0.08, 12)
    effects = 0.1 + r.normal(0, 0.15, 12) + r.normal(0, errors)
    found = pool_effects(effects, errors)
    theirs = combine_effects(effects, errors**2, method_re="iterated", use_t=True)
    row = theirs.summary_frame().loc["random effect wls"]
    assert (found.mean, *found.interval) == pytest.approx(tuple(row[["eff", "ci_low", "ci_upp"]]), rel=1e-4)
    q = (((effects - (effects / errors**2).sum() / (1 / errors**2).sum()) / errors) ** 2).sum()
    assert found.i_squared == pytest.approx(1 - 11 / q) and 0.5 < found.i_squared < 1
    variance = between_fields(effects, errors)
    w = 1 / (errors**2 + variance)
    mean = w @ effects / w.sum()
    error = np.sqrt(w @ (effects - mean) ** 2 / 11 / w.sum())
    assert found.fields == 12 and found.tau == pytest.approx(np.sqrt(variance), rel=1e-3) and found.tau > 0.05
    assert (found.mean, found.error) == pytest.approx((mean, error), rel=1e-3)
    reach = stats.t.ppf(0.975, 10) * np.sqrt(variance + error**2)
    assert tuple(found.prediction) == pytest.approx((mean - reach, mean + reach), rel=1e-3)


def test_fields_that_differ_no_more_than_by_chance_have_no_variance_of_their_own():
    effects, errors = np.array([0.10, 0.12, 0.09, 0.11]), np.array([0.05, 0.1, 0.05, 0.1])
    found = pool_effects(effects, errors)
    w = 1 / errors**2
    mean = w @ effects / w.sum()
    assert found.i_squared == found.tau == 0 and found.mean == pytest.approx(mean)
    error = np.sqrt(w @ (effects - mean) ** 2 / 3 / w.sum())
    assert found.interval.high - mean == pytest.approx(stats.t.ppf(0.975, 3) * error)
    assert found.prediction.high - mean == pytest.approx(stats.t.ppf(0.975, 2) * error)


# Shares of variance


def made_up(rows: int = 200) -> pd.DataFrame:
    r = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "colour": r.choice(["red", "green", "blue"], rows),
            "sign": r.choice(["free", "positive"], rows),
            "log_weight": r.uniform(-3.5, 0.5, rows),
            "rate": r.choice([0.0003, 0.001, 0.003], rows),
        }
    )


def test_what_a_factor_explains_is_the_drop_in_r2_of_statsmodels():
    table = made_up()
    effect = {"red": 0.0, "green": 0.3, "blue": 0.1}
    noise = np.random.default_rng(4).normal(0, 0.2, len(table))
    table["y"] = table["colour"].map(effect) + 0.1 * table["log_weight"] ** 2 + 90 * table["rate"] + noise
    terms = {
        "colour": "C(colour)", "sign": "C(sign)", "log_weight": "log_weight + I(log_weight**2)", "rate": "C(rate)",
    }  # fmt: skip
    found = variance_explained(table, "y", list(terms), resamples=100)
    whole = ols("y ~ " + " + ".join(terms.values()), table).fit().rsquared
    assert found.attrs["r2"] == pytest.approx(whole) and list(found.index) == list(terms)
    for factor in terms:
        without = ols("y ~ " + " + ".join(term for name, term in terms.items() if name != factor), table).fit()
        assert found.loc[factor, "share"] == pytest.approx(whole - without.rsquared), factor
    assert (found["low"] <= found["high"]).all() and (found.loc["log_weight", ["low", "high"]] > 0).all()
    assert found.loc["sign", "share"] < 0.02
    pd.testing.assert_frame_equal(found, variance_explained(table, "y", list(terms), resamples=100))


def test_a_factor_that_explains_everything_gets_it_all():
    table = made_up().assign(y=lambda t: (t["colour"] == "red") * 1.0)
    found = variance_explained(table, "y", ["colour", "sign", "log_weight"], resamples=50)
    assert found.attrs["r2"] == pytest.approx(1)
    assert found.loc["colour", "share"] > 0.95 and 0.85 < found.loc["colour", "low"] < found.loc["colour", "high"] < 1
    assert (found.loc[["sign", "log_weight"], ["share", "high"]].abs() < 1e-9).all(axis=None)
    flat = variance_explained(table.assign(y=0.5), "y", ["colour", "sign"], resamples=5)
    assert flat.attrs["r2"] == 0 and (flat["share"] == 0).all()


def test_delays_do_not_change_what_a_gain_of_1_is():
    slow = GoNoGo(name="slow", delay=40)
    assert list(gain(networks("slow", [0.5, 1.0]), {"slow": slow})) == [0, 1]
