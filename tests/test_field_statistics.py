"""Descriptions of fields: against loops written from their definitions, planted effects, and the measured fields."""

import runpy
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from scipy.spatial.distance import cdist

from biornn_lite import field_statistics
from biornn_lite.datasets import EMBEDDED, load_field, read_released
from biornn_lite.errors import InputError
from biornn_lite.field_statistics import (
    STATISTICS,
    compare,
    describe,
    excess_correlation,
    known_statistics,
    over_connections,
    pairs,
    pool,
)
from biornn_lite.figures.field import by_distance, whole_data_set
from biornn_lite.synthetic import ColumnRecipe, synthetic_field
from biornn_lite.wiring import known_wiring, wiring_rule

MEASURED = ("6_6_2", "5_6_8", "5_3_4", "5_3_8")
# What a test of bounds can say something about: not the sizes, nor what rests on a couple of dozen synapses.
FEW = {"neurons", "connected", "density", "wiring_distance", "like_to_like"}
FEW |= {"wiring_distance_error", "like_to_like_error"}


@pytest.fixture(scope="module")
def measured(microns):
    return [read_released(microns / name) for name in MEASURED]


def test_pairs_are_all_ordered_pairs(small):
    table = pairs(small)
    assert len(table) == 24 * 23 and set(table.columns) == {"field", "distance", "correlation", "sttc", "synapses"}
    rows = iter(table.itertuples())
    for i in range(24):
        for j in range(24):
            if i != j:
                row = next(rows)
                assert row.synapses == small.connectome[i, j] and row.correlation == small.correlation[i, j]
                assert row.distance == pytest.approx(np.linalg.norm(small.positions[i] - small.positions[j]))
    assert len(pool([small, small])) == 2 * len(table)


def test_a_description_is_what_a_loop_gives(column):
    told = describe(column)
    n, distance = 96, cdist(column.positions, column.positions)
    near = [column.sttc[i, j] for i in range(n) for j in range(n) if i != j and distance[i, j] < 100]
    assert told["sttc_near"] == pytest.approx(np.mean(near))
    connected = [(i, j) for i in range(n) for j in range(n) if column.connectome[i, j]]
    assert told["connected"] == len(connected)
    assert told["density"] == pytest.approx(100 * len(connected) / (n * (n - 1)))
    everyone = [distance[i, j] for i in range(n) for j in range(n) if i != j]
    assert told["wiring_distance"] == pytest.approx(np.mean([distance[p] for p in connected]) / np.mean(everyone))
    assert list(told.index) == [statistic.key for statistic in STATISTICS] and told.name == column.label


def like_to_like(field):
    return over_connections(field, excess_correlation(field))


def test_planted_like_to_like_wiring_is_found_and_none_is_not():
    found = like_to_like(synthetic_field(200, 5, recipe=ColumnRecipe(like_to_like=1.0, density=0.02)))
    flat = ColumnRecipe(like_to_like=0.0, density=0.02)
    none = [like_to_like(synthetic_field(96, seed, recipe=flat)) for seed in range(4)]
    assert found[0] > 8 * found[1]
    assert all(abs(mean) < 3.5 * error for mean, error in none)


def test_an_excess_is_against_pairs_as_far_apart(column):
    excess = excess_correlation(column)
    off = ~np.eye(96, dtype=bool)
    assert abs(excess[off].mean()) < 1e-9 and excess[off].std() == pytest.approx(1) and not np.diag(excess).any()
    np.testing.assert_allclose(excess, excess.T)
    distance = cdist(column.positions, column.positions)
    assert (
        abs(np.corrcoef(excess[off], distance[off])[0, 1])
        < 0.05
        < abs(np.corrcoef(column.correlation[off], distance[off])[0, 1])
    )


def test_the_error_over_connections_is_that_of_relabelled_ones(column):
    """Where each pair has a value of its own, it is 1/√n; where a neuron's pairs share one, it is larger."""
    rng = np.random.default_rng(0)
    own, shared = rng.normal(size=(96, 96)), np.repeat(rng.normal(size=(96, 1)), 96, axis=1)
    connectome = np.zeros((96, 96))
    connectome[0, 1:31] = 1  # one neuron sends them all
    star = replace(column, connectome=connectome)
    mean, error = over_connections(star, own)
    assert mean == pytest.approx(own[0, 1:31].mean()) and error == pytest.approx(1 / np.sqrt(30), rel=0.15)
    assert over_connections(star, shared)[1] == pytest.approx(shared[:, 0].std(), rel=0.15)


def test_a_planted_fall_of_connections_is_found():
    steep = describe(synthetic_field(200, 5, recipe=ColumnRecipe(fall=1.0, density=0.02)))
    flat = describe(synthetic_field(200, 5, recipe=ColumnRecipe(fall=0.0, density=0.02)))
    assert steep["wiring_distance"] < 0.7 and flat["wiring_distance"] == pytest.approx(1, abs=0.08)


def test_without_synapses_or_events_what_they_tell_is_missing_not_zero(column):
    bare = describe(replace(column, connectome=np.zeros((96, 96)), spike_times=None))
    assert bare[["rate", "sttc_chance", "like_to_like", "wiring_distance"]].isna().all() and bare["connected"] == 0


def test_a_rate_too_low_for_events_gives_none_and_shares_above_one_are_refused():
    silent = synthetic_field(4, 0, recipe=ColumnRecipe(seconds=3.0, rate=0.01))
    assert not any(map(len, silent.spike_times))
    with pytest.raises(InputError, match="they are shares of 1"):
        synthetic_field(4, 0, recipe=ColumnRecipe(nearby=0.9))


# The embedded field beside measured ones


def within(told: pd.Series, table: pd.DataFrame, slack: float) -> pd.Series:
    low, high = table.min(), table.max()
    return (told >= low - slack * (high - low)) & (told <= high + slack * (high - low))


def test_the_embedded_field_lies_among_the_measured_ones(column):
    table = known_statistics()
    inside = within(describe(column), table.loc[list(MEASURED)], slack=0.5).drop(FEW)
    assert inside.all(), inside[~inside]
    # A bound that anything satisfies would hold nothing: a field of other statistics fails it.
    other = describe(synthetic_field(96, 0, recipe=ColumnRecipe(nearby=0.1, alike=0.3, rate=1.0)))
    assert not within(other, table.loc[list(MEASURED)], slack=0.5).drop(FEW).all()


@pytest.mark.parametrize("neurons", [42, 312])
def test_other_sizes_have_the_same_statistics(neurons):
    told = describe(synthetic_field(neurons, 1))
    table = known_statistics().loc[list(MEASURED)]
    free = FEW | {"extent_x", "extent_y", "extent_z", "rate_spread"}  # of a small sample, free to vary
    inside = within(told, table, slack=1.0).drop(free)
    assert inside.all(), inside[~inside]


def test_the_data_card_is_what_the_code_gives(measured, column):
    table = compare([column, *measured])
    pd.testing.assert_frame_equal(table, known_statistics(), check_names=False, rtol=1e-4, check_dtype=False)
    markdown = runpy.run_path(str(ROOT / "data" / "make_data_card.py"))["markdown"]
    assert markdown(table) in (ROOT / "data" / "README.md").read_text()


def test_the_card_states_the_wiring_of_many_fields():
    script = runpy.run_path(str(ROOT / "data" / "make_data_card.py"))
    card = (ROOT / "data" / "README.md").read_text()
    assert script["wiring"](known_wiring()) in card
    price = known_wiring()["lattice_price"]
    assert f"{price.min():.0f} to {price.max():.0f} times as large, {price.median():.0f} times in the median" in card
    alone = wiring_rule(load_field(EMBEDDED))
    for value, error in ((alone.fall, alone.fall_error), (alone.like_to_like, alone.like_to_like_error)):
        assert f"{value:+.2f} ± {error:.2f}" in card.replace("−", "-")


# Figures


def test_fields_at_hand_and_the_figure_of_all(microns, monkeypatch):
    monkeypatch.setenv("BIORNN_DATA", str(microns))
    fields = field_statistics.fields_at_hand()
    assert {field.name for field in fields} == {EMBEDDED, *MEASURED}
    figure = whole_data_set(fields)
    texts = [ax.get_title() for sub in figure.subfigs for ax in sub.axes]
    assert "19,178 neurons" in texts[0] and "on this machine (4)" in texts[0]
    monkeypatch.setenv("BIORNN_DATA", str(microns / "nowhere"))
    assert [field.name for field in field_statistics.fields_at_hand()] == [EMBEDDED]


def test_by_distance_draws_the_means_of_bins(column):
    ax = by_distance([column], plt.figure().add_subplot(), "correlation", edges=[0, 200, 2000])
    x, y = ax.lines[0].get_data()
    table = pairs(column)
    wanted = [table.loc[table["distance"] <= 200, "correlation"].mean()]
    wanted.append(table.loc[table["distance"] > 200, "correlation"].mean())
    np.testing.assert_allclose(x.astype(float), [100, 1100])
    np.testing.assert_allclose(y.astype(float), wanted)
    plt.close("all")
