"""Whether the parts of a field belong together: aligned, scrambled and random ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from biornn_lite.alignment import check_alignment
from biornn_lite.datasets import read_released


@pytest.mark.parametrize("name", ["6_6_2", "5_6_8", "5_3_4", "5_3_8"])
def test_it_would_have_caught_the_released_order(microns, name):
    field = read_released(microns / name)
    told, released = check_alignment(field), check_alignment(field.as_released())
    assert told.positions_activity.told_apart and told.positions_wiring.told_apart and not told.doubtful
    assert not released.positions_wiring.told_apart and not released.activity_wiring.told_apart and released.doubtful
    assert released.positions_activity == told.positions_activity
    assert "do positions and\nconnectome list the neurons in the same order?" in str(released)
    assert len(str(told).splitlines()) == 3


def test_the_numbers_are_what_they_say(column):
    told = check_alignment(column)
    off = ~np.eye(96, dtype=bool)
    distance, connected = cdist(column.positions, column.positions), column.connectome > 0
    assert told.positions_activity.value == pytest.approx(np.corrcoef(distance[off], column.correlation[off])[0, 1])
    assert told.positions_wiring.value == pytest.approx(distance[connected].mean() / distance[off].mean())
    above = (column.correlation[connected].mean() - column.correlation[off].mean()) / column.correlation[off].std()
    assert told.activity_wiring.value == pytest.approx(above)
    assert told == check_alignment(column), "by a seed"


def test_activity_in_another_order_is_noticed_too(column):
    order = np.random.default_rng(0).permutation(96)
    moved = replace(column, correlation=column.correlation[np.ix_(order, order)], released_rows=None)
    told = check_alignment(moved)
    assert not told.positions_activity.told_apart and told.positions_wiring.told_apart
    assert not told.activity_wiring.told_apart


def test_random_fields_are_seldom_taken_for_aligned(column):
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        senders = rng.lognormal(0, 1, (40, 1))  # a few send most
        connectome = rng.random((40, 40)) < 0.02 * senders
        np.fill_diagonal(connectome, False)
        part = replace(column.select(rng.permutation(96)[:40]), connectome=connectome)
        told = check_alignment(part, relabellings=199)
        found += [told.positions_wiring.told_apart, told.activity_wiring.told_apart]
    assert np.mean(found) < 0.05


def test_what_is_missing_is_said(column):
    told = check_alignment(replace(column, connectome=np.zeros((96, 96))))
    assert not told.doubtful and str(told).count("nothing to compare") == 2
    told = check_alignment(replace(column, correlation=np.eye(96)))
    assert str(told).count("nothing to compare") == 2 and told.positions_wiring.told_apart
    told = check_alignment(replace(column, positions=np.zeros((96, 3))))
    assert not told.positions_activity.told_apart
