"""Functional measures: from their definitions, and as released."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn_lite import activity
from biornn_lite.datasets import read_released


def plain_sttc(a, b, tile, start, stop):
    """The coefficient of two neurons, word by word from its definition."""

    def tiled(train):
        total, reached = 0.0, start
        for t in train:
            low, high = max(t - tile, start, reached), min(t + tile, stop)
            if high > low:
                total += high - low
                reached = high
        return total / (stop - start)

    def near(one, other):
        return np.mean([any(abs(s - t) <= tile for t in other) for s in one])

    p_a, p_b, t_a, t_b = near(a, b), near(b, a), tiled(a), tiled(b)
    halves = [(p - t) / (1 - p * t) if p * t < 1 else 1.0 for p, t in ((p_a, t_b), (p_b, t_a))]
    return sum(halves) / 2


@given(st.lists(st.lists(st.floats(0, 20), min_size=1, max_size=12), min_size=2, max_size=4), st.floats(0.01, 3))
@settings(max_examples=80, deadline=None)
def test_sttc_is_its_definition(trains, tile):
    trains = [np.sort(np.round(train, 3)) for train in trains]
    stop = max(train[-1] for train in trains) + 0.1
    ours = activity.spike_time_tiling_coefficient(trains, tile)
    # A distance that equals the tile may fall on either side of it by rounding.
    gaps = np.abs(np.subtract.outer(np.concatenate(trains), np.concatenate(trains)))
    if (np.abs(gaps - tile) < 1e-9).any():
        return
    for i, a in enumerate(trains):
        for j, b in enumerate(trains):
            wanted = 1.0 if i == j else plain_sttc(a, b, tile, 0.0, stop)
            assert ours[i, j] == pytest.approx(wanted, abs=1e-9)


one_train = st.lists(st.floats(0, 20), max_size=40).map(lambda times: np.sort(np.round(times, 2)))


@given(one_train, one_train)
@settings(deadline=None)
def test_the_curve_over_tiles_is_the_coefficient_at_each(first, second):
    tiles = np.array([0.02, 0.25, 1.0, 40.0])
    both = [first, second]
    stop = activity.recording_end(both)
    at_each = [activity.spike_time_tiling_coefficient(both, tile, stop)[0, 1] for tile in tiles]
    np.testing.assert_allclose(activity.spike_time_tiling_curve(*both, tiles, stop), at_each, atol=1e-12)


def test_released_matrices_follow_from_released_events(microns):
    for name in ("5_3_4", "5_6_8", "5_3_8"):
        field = read_released(microns / name)
        ours = activity.correlation(activity.event_counts(field.spike_times))
        np.testing.assert_allclose(ours, field.correlation, atol=1e-12)
        np.testing.assert_allclose(activity.spike_time_tiling_coefficient(field.spike_times), field.sttc, atol=1e-12)


def test_silent_neurons_have_no_correlation_and_give_no_nan():
    trains = [np.array([0.1, 0.5]), np.array([]), np.array([0.1, 0.9])]
    for matrix in (
        activity.correlation(activity.event_counts(trains)),
        activity.spike_time_tiling_coefficient(trains),
    ):
        assert np.isfinite(matrix).all() and not matrix[1, [0, 2]].any() and matrix[1, 1] == 1


def test_an_event_exactly_one_tile_away_is_near():
    """The definition says within ±Δt; 0.5 s is a number that a float holds exactly."""
    ours = activity.spike_time_tiling_coefficient([np.array([2.0]), np.array([2.5])], 0.5, stop=10.0)[0, 1]
    assert ours == pytest.approx((1 - 0.1) / (1 - 0.1))
    apart = activity.spike_time_tiling_coefficient([np.array([2.0]), np.array([2.5625])], 0.5, stop=10.0)[0, 1]
    assert apart == pytest.approx(-0.1)
