"""Wiring: against loops written from the definitions, statsmodels' Logit, planted effects, and the shipped tables."""

import itertools
import re
import runpy
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import ROOT
from scipy import optimize, stats
from scipy.spatial.distance import cdist
from statsmodels.api import Logit

from biornn_lite import synthetic, wiring
from biornn_lite.communicability import empirical_communicability
from biornn_lite.datasets import load_field
from biornn_lite.errors import InputError
from biornn_lite.figures.wiring import connections, forest, shared_connections
from biornn_lite.synthetic import ColumnRecipe, overlapping_parts, synthetic_field
from biornn_lite.wiring import (
    MEASURES,
    agreement,
    by_distance,
    describe_wiring,
    known_agreements,
    known_by_distance,
    known_wiring,
    pool_effects,
    unevenness,
    wiring_rule,
    within_neurons,
)


@pytest.fixture(scope="module")
def dense(column):
    """The embedded field with more connections than it has."""
    return replace(column, connectome=drawn(column, 0), released_rows=None)


def drawn(field, seed, **recipe):
    recipe = ColumnRecipe(**({"density": 0.02} | recipe))
    distance = cdist(field.positions, field.positions)
    return synthetic._synapses(distance, field.correlation, recipe, np.random.default_rng(seed))


# One field


def design(field):
    off = ~np.eye(field.neurons, dtype=bool)
    correlation = field.correlation[off]
    columns = [cdist(field.positions, field.positions)[off] / 100, stats.zscore(correlation)]
    return np.column_stack([np.ones(off.sum()), *columns]), field.connectome[off] > 0, np.argwhere(off)


def test_the_rule_is_a_logistic_regression(dense):
    regressors, connected, _ = design(dense)
    model = Logit(connected.astype(float), regressors).fit(disp=False)
    rule = wiring_rule(dense)
    np.testing.assert_allclose([rule.fall, rule.like_to_like], model.params[1:], rtol=1e-6)
    assert rule.fall_error >= model.bse[1] * (1 - 1e-6) and rule.like_to_like_error >= model.bse[2] * (1 - 1e-6)
    np.testing.assert_allclose(rule.chance[~np.eye(96, dtype=bool)], model.predict(), atol=1e-9)
    assert not np.diag(rule.chance).any() and rule.chance.sum() == pytest.approx(connected.sum())


def test_errors_add_up_all_pairs_that_share_a_neuron(column):
    """The sandwich written out: two ordered pairs vary together if they have a neuron in common."""
    part = replace(column.select(range(14)), correlation=column.correlation[:14, :14])
    part = replace(part, connectome=drawn(part, 3, density=0.25, out_spread=2.5))
    regressors, connected, ends = design(part)
    model = Logit(connected.astype(float), regressors).fit(disp=False)
    scores = (connected - model.predict())[:, None] * regressors
    meat = np.zeros((3, 3))
    for a, b in itertools.product(range(len(ends)), repeat=2):
        if set(ends[a]) & set(ends[b]):
            meat += np.outer(scores[a], scores[b])
    chance = model.predict()
    bread = np.linalg.inv((regressors * (chance * (1 - chance))[:, None]).T @ regressors)
    robust = np.sqrt(np.maximum(np.diag(bread @ meat @ bread), 0))
    rule = wiring_rule(part)
    np.testing.assert_allclose(rule.fall_error, max(robust[1], model.bse[1]), rtol=1e-5)
    np.testing.assert_allclose(rule.like_to_like_error, max(robust[2], model.bse[2]), rtol=1e-5)
    assert (robust[1:] > model.bse[1:]).any(), "a case in which they matter"


@pytest.mark.slow
def test_planted_rules_are_found_within_their_errors(column):
    planted = {"fall": 1.2, "like_to_like": 0.3, "out_spread": 0.9}
    rules = [wiring_rule(replace(column, connectome=drawn(column, seed, **planted))) for seed in range(40)]
    for key, true in (("fall", -1.2), ("like_to_like", 0.3)):
        found = np.array([getattr(rule, key) for rule in rules])
        errors = np.array([getattr(rule, f"{key}_error") for rule in rules])
        # What a sender adds to its log odds draws the rare-event slope a little towards 0.
        assert abs(found.mean() - true) < 0.15 * abs(true) + 2 * found.std() / np.sqrt(40)
        assert 0.75 < np.sqrt((errors**2).mean()) / found.std() < 1.4
        assert (np.abs(found - found.mean()) < 1.96 * errors).mean() > 0.85


def test_a_curve_leaves_nothing_for_likeness_to_stand_in_for(column):
    """Connections that know of distance alone, but not along a line: likeness picks up what a line misses."""
    rng = np.random.default_rng(0)
    distance = cdist(column.positions, column.positions)
    near = np.where(distance < 120, 0.25, 0.01)
    stepped = replace(column, connectome=(rng.random((96, 96)) < near) & ~np.eye(96, dtype=bool))
    line, curve = wiring_rule(stepped), wiring_rule(stepped, curved=True)
    assert abs(curve.like_to_like) < 2.5 * curve.like_to_like_error
    assert curve.like_to_like < line.like_to_like


def test_within_neurons_is_a_poisson_regression_with_a_factor_for_each(dense):
    """Against statsmodels with a dummy variable per sender and receiver, on a dense and small part."""
    part = dense.select(range(0, 96, 3))
    part = replace(part, connectome=drawn(part, 1, density=0.25))
    connected = part.connectome > 0
    sends, receives = np.flatnonzero(connected.any(1)), np.flatnonzero(connected.any(0))
    distance = cdist(part.positions, part.positions) / 100
    off = ~np.eye(part.neurons, dtype=bool)
    likeness = (part.correlation - part.correlation[off].mean()) / part.correlation[off].std()
    ends = [(i, j) for i in sends for j in receives if i != j]
    sender, receiver = np.array(ends).T
    apart = distance[sender, receiver]
    columns = [likeness[sender, receiver], apart, apart**2, np.exp(-apart)]
    columns += [sender == i for i in sends] + [receiver == j for j in receives[1:]]
    model = sm.GLM(connected[sender, receiver] * 1.0, np.column_stack(columns) * 1.0, family=sm.families.Poisson())
    fitted = model.fit(maxiter=200, tol=1e-12)
    value, error = within_neurons(part)
    assert value == pytest.approx(fitted.params[0], abs=1e-4)
    assert error >= fitted.bse[0] * 0.999
    few = replace(part, connectome=np.eye(32, k=1) * (np.arange(32) < 5))
    assert np.isnan(within_neurons(few)).all()


@pytest.mark.slow
def test_within_neurons_finds_what_was_planted_and_nothing_else(column):
    off = ~np.eye(96, dtype=bool)
    distance = cdist(column.positions, column.positions) / 100
    likeness = (column.correlation - column.correlation[off].mean()) / column.correlation[off].std()
    for planted in (0.0, 0.3):
        draws = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            chance = off * np.exp(planted * likeness - 0.7 * distance + rng.normal(0, 0.7, (96, 1)))
            chance *= 0.02 / chance[off].mean()  # of the logarithm of the chance, so without the bend of a logit
            draws.append(within_neurons(replace(column, connectome=(rng.random((96, 96)) < chance) * 1)))
        found, errors = np.array(draws).T
        assert abs(found.mean() - planted) < 0.1 * planted + 2.5 * found.std() / np.sqrt(40)
        assert 0.7 < np.sqrt((errors**2).mean()) / found.std() < 1.4


def test_without_what_it_takes_there_is_no_rule(column):
    for connectome in (np.zeros((96, 96)), 1 - np.eye(96)):
        rule = wiring_rule(replace(column, connectome=connectome))
        assert np.isnan([rule.fall, rule.fall_error, rule.like_to_like, rule.like_to_like_error]).all()
        assert np.isnan(rule.chance).all()
    told = describe_wiring(replace(column, connectome=np.zeros((96, 96)), released_rows=None))
    assert told[["fall", "wiring_distance", "reciprocal_expected", "fall_released"]].isna().all()
    assert told["connected"] == told["reciprocal"] == 0 and told["silent"] == 100
    unlike = wiring_rule(replace(column, correlation=np.eye(96)))
    assert np.isnan(unlike.like_to_like) and unlike.fall < 0
    assert np.isnan(wiring_rule(replace(column, correlation=np.eye(96)), curved=True).like_to_like)


def test_a_description_is_what_loops_give(dense):
    told = describe_wiring(dense)
    n, connected = 96, dense.connectome > 0
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    distance = cdist(dense.positions, dense.positions)
    assert told["connected"] == sum(connected[p] for p in pairs)
    assert told["reciprocal"] == sum(connected[i, j] and connected[j, i] for i, j in pairs if i < j)
    apart = [distance[p] for p in pairs if connected[p]]
    assert told["wiring_distance"] == pytest.approx(np.mean(apart) / np.mean([distance[p] for p in pairs]))
    assert told["silent"] == pytest.approx(100 * np.mean([not connected[i].any() for i in range(n)]))
    chance = wiring_rule(dense).chance
    assert told["reciprocal_by_rule"] == pytest.approx(sum(chance[i, j] * chance[j, i] for i, j in pairs if i < j))
    assert list(told.index) == [measure.key for measure in MEASURES] and told.name == dense.label


def test_reached_pairs_are_those_joined_by_a_path(column):
    """Also to a neuron that sends to no other, and over many steps."""
    chain = np.diag(np.ones(11), 1)
    part = replace(column.select(range(12)), connectome=chain)
    assert describe_wiring(part)["reached"] == pytest.approx(100 * 66 / 132)


def test_expected_reciprocal_pairs_know_how_many_partners_neurons_have():
    rng = np.random.default_rng(1)
    out, into = rng.integers(0, 6, 30), rng.integers(1, 4, 30)
    while out.sum() != into.sum():
        (out if out.sum() < into.sum() else into)[rng.integers(30)] += 1
    chance = rng.uniform(0.02, 0.3, (30, 30))
    np.fill_diagonal(chance, 0)
    expected = wiring._expected_reciprocal(chance, out, into)
    # The same by a general solver: a constant per sender and one per receiver, added to the log odds.
    off, senders = ~np.eye(30, dtype=bool), out > 0

    def fitted(constants):
        with np.errstate(divide="ignore"):
            log_odds = np.log(chance / (1 - chance)) + constants[:30, None] + constants[30:]
        return np.where(off & senders[:, None], 1 / (1 + np.exp(-log_odds)), 0)

    def missing(constants):
        rows = np.where(senders, fitted(constants).sum(1) - out, constants[:30])
        return np.append(rows, fitted(constants).sum(0) - into)

    solved = fitted(optimize.least_squares(missing, np.zeros(60)).x)
    np.testing.assert_allclose([solved.sum(1), solved.sum(0)], [out, into], atol=1e-4)
    assert expected == pytest.approx((solved * solved.T)[np.triu_indices(30, 1)].sum(), rel=1e-4)


def test_unevenness_is_the_spread_that_was_planted():
    rng = np.random.default_rng(0)
    expected = np.full(4000, 3.0)
    assert unevenness(rng.poisson(expected), expected) < 0.2
    uneven = rng.poisson(expected * rng.lognormal(-0.5 * 0.9**2, 0.9, 4000))
    assert unevenness(uneven, expected) == pytest.approx(0.9, abs=0.1)


def test_bins_of_distance_hold_their_pairs(column):
    table = by_distance(column, edges=(0, 100, 250, 2000))
    distance = cdist(column.positions, column.positions)
    reach = empirical_communicability(column.connectome, "zero")
    for row in table.itertuples():
        inside = (distance > row.low) & (distance <= row.high)
        assert row.pairs == inside.sum() and row.connected == (column.connectome[inside] > 0).sum()
        assert row.correlation == pytest.approx(column.correlation[inside].mean())
        assert row.sttc == pytest.approx(column.sttc[inside].mean())
        assert row.communicability == pytest.approx(reach[inside].mean())
    assert table["pairs"].sum() == 96 * 95 and (table["field"] == column.label).all()
    assert by_distance(column, edges=(5000, 6000)).empty


@pytest.mark.slow
@pytest.mark.parametrize("name", ["5_6_8", "7_4_8", "6_6_2"])
def test_errors_are_what_random_labels_of_neurons_give(microns, name):
    """A second route: a connectome that knows nothing of places, but has as uneven degrees as the measured one."""
    field = load_field(microns / "all" / f"{name}.npz")
    rng, rules = np.random.default_rng(0), []
    for _ in range(40):
        order = rng.permutation(field.neurons)
        rules.append(
            wiring_rule(replace(field, connectome=field.connectome[np.ix_(order, order)], released_rows=None))
        )
    for key in ("fall", "like_to_like"):
        found, errors = (np.array([getattr(rule, key + what) for rule in rules]) for what in ("", "_error"))
        assert abs(found.mean()) < 3 * found.std() / np.sqrt(40)
        assert 0.7 < found.std() / np.sqrt((errors**2).mean()) < 1.35


# Two fields


def test_two_parts_of_a_field_agree_on_what_they_share(column):
    left, right = column.select(range(60)), column.select(range(95, 30, -1))
    told = agreement(left, right)
    assert told.nuclei == 29 and told.pairs == 29 * 28 and told.one == 0 and told.farthest == 0
    assert told.both == (column.connectome[31:60, 31:60] > 0).sum()
    moved = replace(right, positions=right.positions + np.array([3, 0, 4]))
    assert agreement(left, moved).farthest == pytest.approx(5)
    assert agreement(left, column.select(range(70, 96))).pairs == 0
    with pytest.raises(InputError, match="has no nucleus_ids"):
        agreement(left, replace(right, nucleus_ids=None))


def test_parts_that_overlap_have_orders_of_their_own(column):
    left, right = overlapping_parts(column, 0.7)
    assert left.neurons == right.neurons == 67 and left.positions[:, 0].max() > right.positions[:, 0].min()
    told = agreement(left, right)
    assert told.nuclei == 38 and told.both > 0 == told.one
    scrambled = agreement(left.as_released(), right.as_released())
    assert scrambled.both < told.both and scrambled.one > 0
    np.testing.assert_array_equal(
        wiring.reordered(left.as_released(), left.released_rows).connectome, left.connectome
    )
    with pytest.raises(InputError, match="has no root_ids"):
        overlapping_parts(replace(column, root_ids=None))
    with pytest.raises(InputError, match=r"share is 0\.5"):
        overlapping_parts(column, 0.5)


# Many fields


def test_a_random_effects_mean_solves_its_equations():
    """Paule and Mandel: τ² makes the weighted squares add up to k - 1; the error is Hartung and Knapp's."""
    rng = np.random.default_rng(2)
    errors = rng.uniform(0.05, 0.4, 12)
    effects = rng.normal(-1, 0.3, 12) + errors * rng.normal(size=12)
    pooled = pool_effects(effects, errors)
    weights = 1 / (errors**2 + pooled.tau**2)
    mean = np.average(effects, weights=weights)
    assert pooled.tau > 0 and (weights * (effects - mean) ** 2).sum() == pytest.approx(11, rel=1e-3)
    assert pooled.mean == pytest.approx(mean)
    error = np.sqrt((weights * (effects - mean) ** 2).sum() / 11 / weights.sum())
    assert pooled.error == pytest.approx(error, rel=1e-3)
    np.testing.assert_allclose(pooled.interval, mean + np.array([-1, 1]) * stats.t.ppf(0.975, 11) * error, rtol=1e-3)
    reach = stats.t.ppf(0.975, 10) * np.sqrt(pooled.tau**2 + error**2)
    np.testing.assert_allclose(pooled.prediction, [mean - reach, mean + reach], rtol=1e-3)
    fixed = np.average(effects, weights=errors**-2)
    q = ((effects - fixed) ** 2 / errors**2).sum()
    assert pooled.i_squared == pytest.approx((q - 11) / q, abs=0.02)


def test_fields_that_do_not_differ_have_no_spread():
    pooled = pool_effects([0.1, 0.1, 0.1, 0.1, np.nan], [0.1, 0.2, 0.1, 0.3, np.nan])
    assert pooled.fields == 4 and pooled.tau == pooled.i_squared == 0 and pooled.mean == pytest.approx(0.1)
    assert "in 4 fields" in str(pooled)
    with pytest.raises(InputError, match="2 fields have an estimate"):
        pool_effects([1, 2, np.nan], [1, 1, 1])


@pytest.mark.slow
def test_the_shipped_tables_are_what_the_script_makes(microns):
    fields = [load_field(path) for path in sorted((microns / "all").glob("*.npz"))]
    script = runpy.run_path(str(ROOT / "data" / "make_wiring.py"))
    made = script["tables"](fields)
    here = {field.name for field in fields}
    for name, known in (
        ("wiring", known_wiring().reset_index()),
        ("wiring_by_distance", known_by_distance()),
        ("shared_nuclei", known_agreements()),
    ):
        table = script["completed"](name, made[name], here).reset_index(drop=True)
        pd.testing.assert_frame_equal(table, known, rtol=2e-4, atol=1e-8, check_dtype=False)


def test_fields_that_are_not_at_hand_keep_their_rows(microns):
    script = runpy.run_path(str(ROOT / "data" / "make_wiring.py"))
    few = [load_field(microns / "all" / f"{name}.npz") for name in ("5_3_8", "5_3_4")]
    for name, table in script["tables"](few).items():
        whole = script["completed"](name, table, {field.name for field in few}).reset_index(drop=True)
        known = pd.read_csv(ROOT / "data" / f"{name}.csv")
        pd.testing.assert_frame_equal(whole, known, rtol=2e-4, atol=1e-8, check_dtype=False)


def test_all_fields_fall_and_none_does_as_released():
    """A known answer: connections fall with distance in every part of cortex that was looked at."""
    table = known_wiring()
    assert len(table) == 46 and (table["fall"] < 0).all()
    assert pool_effects(table["fall"], table["fall_error"]).prediction.high < -0.5
    released = pool_effects(table["fall_released"], table["fall_released_error"])
    assert released.interval.low < 0 < released.interval.high and abs(released.mean) < 0.02
    like = pool_effects(table["like_to_like"], table["like_to_like_error"])
    assert like.interval.low > 0 > like.prediction.low


@pytest.mark.slow
def test_synthetic_fields_are_wired_as_measured_ones_are():
    """On average over draws of the size of 6_6_2, by the recipe's defaults."""
    table, told = known_wiring(), []
    for seed in range(3):
        told.append(describe_wiring(synthetic_field(312, seed)))
    mean = pd.DataFrame(told).mean()
    for key in ("fall", "like_to_like"):
        pooled = pool_effects(table[key], table[f"{key}_error"])
        assert pooled.prediction.low < mean[key] < pooled.prediction.high, key
    for key in ("density", "out_spread", "wiring_distance", "silent", "correlation_fall"):
        assert table[key].min() < mean[key] < table[key].max(), key


def test_the_embedded_field_is_wired_within_its_errors(column):
    rule = wiring_rule(column)
    assert abs(rule.fall + 1.51) < 2 * rule.fall_error and rule.fall < -3 * rule.fall_error
    assert abs(rule.like_to_like - 0.105) < 2 * rule.like_to_like_error
    connected = (column.connectome > 0).sum()
    assert abs(connected - 0.0041 * 96 * 95) < 2 * np.sqrt(0.0041 * 96 * 95)


# Figures and texts


def test_a_forest_draws_every_field_and_their_mean():
    table = known_wiring()
    ax = forest(table, "like_to_like", plt.figure().add_subplot())
    dots = ax.collections[1].get_offsets()
    order = table.sort_values("depth")
    np.testing.assert_allclose(dots[:, 0], order["like_to_like"])
    assert [label.get_text() for label in ax.get_yticklabels()] == [*order.index, "mean", "one more field"]
    assert "+0.10" in ax.get_title() or "+0.11" in ax.get_title()


def test_shared_connections_are_drawn_on_each_other(column):
    left, right = column.select(range(60)), column.select(range(30, 96))
    ax = shared_connections(left, right, plt.figure().add_subplot())
    circles, crosses = (set(map(tuple, c.get_offsets().tolist())) for c in ax.collections)
    assert circles == crosses and len(circles) == (column.connectome[30:60, 30:60] > 0).sum()
    with pytest.raises(InputError, match="without nucleus_ids"):
        shared_connections(left, replace(right, nucleus_ids=None), ax)


def test_a_connectome_is_drawn_from_row_to_column(column):
    ax = connections(column, plt.figure().add_subplot())
    drawn_at = {(int(y), int(x)) for x, y in ax.collections[0].get_offsets()}
    assert drawn_at == set(map(tuple, np.argwhere(column.connectome).tolist()))


def test_the_page_of_the_released_order_states_what_the_tables_hold():
    page = (ROOT / "docs" / "released_order.md").read_text(encoding="utf-8").replace("−", "-")
    wired, shared = known_wiring(), known_agreements().sum(numeric_only=True)
    rows = {
        "connected in both fields": (f"{shared['both_released']:.0f}", f"{shared['both']:.0f}"),
        "connected in one field only": (f"{shared['one_released']:,.0f}", f"{shared['one']:.0f}"),
        "had nothing to do": (f"{shared['expected_released']:.1f}", f"{shared['expected']:.1f}"),
        "per 100 µm": [str(effect(wired, f"fall{end}")) for end in ("_released", "")],
        "per standard deviation": [str(effect(wired, f"like_to_like{end}")) for end in ("_released", "")],
        "in which it is negative": [f"{(wired[f'fall{end}'] < 0).sum()} of 46" for end in ("_released", "")],
        "in 6_6_2": [f"{wired.loc['6_6_2', f'wiring_distance{end}']:.2f}" for end in ("_released", "")],
    }
    for what, numbers in rows.items():
        (line,) = [line for line in page.splitlines() if line.startswith("|") and what in line]
        assert [cell.strip() for cell in line.split("|")[2:4]] == list(numbers), what
    assert f"Over the {len(known_agreements())} pairs of fields" in page
    assert f"{shared['pairs']:,.0f} ordered pairs" in page and f"all {shared['nuclei']:,.0f} cases" in page


def test_the_readme_opens_with_what_the_tables_hold():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("−", "-")
    wired, shared = known_wiring(), known_agreements().sum(numeric_only=True)
    fall, like = (pool_effects(wired[key], wired[f"{key}_error"]) for key in ("fall", "like_to_like"))
    one = wired.loc["6_6_2"]
    for told in (
        f"they agree on {shared['both_released']:.0f} connected pairs and contradict each other on "
        f"{shared['one_released']:,.0f}",
        f"put in order, they agree on {shared['both']:.0f} and contradict each other on {shared['one']:.0f}",
        f"In {(wired['fall'] < 0).sum()} of {len(wired)} fields connections become rarer",
        f"{fall.mean:.2f} per 100 µm, 95 % interval {fall.interval.low:.2f} to {fall.interval.high:.2f}",
        f"{like.mean:+.3f} per standard deviation of correlation, "
        f"{like.interval.low:+.3f} to {like.interval.high:+.3f}",
        f"{one['like_to_like']:.2f} ± {one['like_to_like_error']:.2f}",
    ):
        assert told in readme, told
    findings = readme[readme.index("What it found so far") :]
    assert findings.index("not in the order of the neurons") < 200, "the first thing to know of the data"


def effect(table, key):
    pooled = pool_effects(table[key], table[f"{key}_error"])
    return f"{pooled.mean:+.3f} [{pooled.interval.low:+.3f}, {pooled.interval.high:+.3f}]"


def test_the_rule_of_the_page_is_the_library_s(microns):
    """The page's own code, run on a released folder."""
    page = (ROOT / "docs" / "released_order.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    folder = microns / "6_6_2"
    connectome = pd.read_csv(folder / "connectome_6_6_2.csv", index_col=0).to_numpy()
    names = {"np": np, "connectome": connectome}
    exec(code.replace("root_ids_6_6_2.npy", str(folder / "root_ids_6_6_2.npy")), names)
    np.testing.assert_array_equal(names["ordered"], load_field(folder).connectome)
