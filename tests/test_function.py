"""Precision, chance levels and fields made from events: against definitions, optimality and real data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from biornn_lite import activity
from biornn_lite.datasets import read_released
from biornn_lite.errors import FieldError, InputError


@pytest.mark.slow
@pytest.mark.parametrize("name", ["5_3_8", "5_3_4", "5_6_8"])
def test_the_released_precision_follows_from_released_events(microns, name):
    field = read_released(microns / name)
    ours = activity.precision(activity.event_counts(field.spike_times))
    np.testing.assert_array_equal(ours == 0, field.precision == 0)
    np.testing.assert_allclose(ours, field.precision, atol=1e-4)
    # What is left is how far the released one is from the optimum, where the inverse's diagonal is the variance.
    variances = activity.event_counts(field.spike_times).var(axis=1)
    mine, theirs = (np.abs(np.diag(np.linalg.inv(p)) - variances).max() for p in (ours, field.precision))
    assert mine < theirs


def test_a_precision_is_the_graphical_lasso_s_optimum():
    """At the optimum, covariance and inverse differ by α where an entry lives, and by less where it is 0."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(2.0, 1.0, (1, 3000)) * rng.uniform(0.2, 1, (12, 1)))
    alpha = 0.05
    found = activity.precision(counts, alpha)
    gap = np.cov(counts, ddof=0) - np.linalg.inv(found)
    off, alive = ~np.eye(12, dtype=bool), found != 0
    assert (alive & off).any() and (~alive).any()
    np.testing.assert_allclose(np.abs(gap[alive & off]), alpha, atol=1e-4)
    assert (np.abs(gap[~alive]) <= alpha + 1e-4).all()
    np.testing.assert_allclose(np.diag(gap), 0, atol=1e-4)
    plain = np.linalg.inv(np.cov(counts, ddof=0))
    np.testing.assert_allclose(activity.precision(counts, 1e-6), plain, rtol=0.01, atol=0.01)


def test_a_neuron_that_never_changes_is_named():
    counts = np.random.default_rng(0).poisson(1.0, (5, 100))
    counts[3] = 2
    with pytest.raises(InputError, match="neuron 3 has the same count in every bin"):
        activity.precision(counts, 0.1)


def test_correlation_is_scipy_s(column):
    counts = activity.event_counts(column.spike_times[:8])
    ours = activity.correlation(counts)
    for i in range(8):
        for j in range(8):
            assert ours[i, j] == pytest.approx(stats.pearsonr(counts[i], counts[j]).statistic)


# Chance


trains = st.lists(st.lists(st.integers(0, 400), max_size=30, unique=True), min_size=2, max_size=6)


@given(trains, st.floats(0.05, 2), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_a_shift_keeps_each_neuron_s_events_and_gaps(places, frame, seed):
    spike_times = [np.sort(np.array(place, dtype=float)) * frame for place in places]
    moved = activity.shifted(spike_times, np.random.default_rng(seed), frame)
    frames = 1 + max((max(place) for place in places if place), default=0)
    for before, after in zip(spike_times, moved, strict=True):
        assert len(before) == len(after) and (np.diff(after) > 0).all()
        there = np.round(after / frame).astype(int)
        np.testing.assert_allclose(after, there * frame)
        # Around the circle, the gaps are the same ones, perhaps begun elsewhere.
        gaps = [np.diff(np.append(p, p[0] + frames)) for p in (np.sort(np.round(before / frame)), there) if len(p)]
        if gaps:
            assert sorted(gaps[0]) == sorted(gaps[1])


def test_a_shift_without_frames(column):
    rng = np.random.default_rng(1)
    spike_times = [np.sort(rng.random(200) * 50) for _ in range(20)]
    assert activity.frame_length(spike_times) is None
    moved = activity.shifted(spike_times, rng)
    assert all(len(a) == len(b) and (np.diff(b) >= 0).all() for a, b in zip(spike_times, moved, strict=True))
    assert activity.frame_length([np.array([]), np.array([])]) is None


def test_frames_are_found(microns, column):
    assert activity.frame_length(column.spike_times) == pytest.approx(0.1587)
    for name in ("5_3_4", "5_6_8", "5_3_8"):
        assert activity.frame_length(read_released(microns / name).spike_times) == pytest.approx(0.158707, abs=1e-6)


def test_what_strangers_get_is_what_the_ruler_says():
    """Independent events on frames: STTC and correlation as computed by hand from tile, bin and rate."""
    rng, frame, rate, frames = np.random.default_rng(0), 0.1587, 0.08, 40_000  # events per frame
    spike_times = [(1 + np.flatnonzero(rng.random(frames) < rate)) * frame for _ in range(40)]
    upper = np.triu_indices(40, 1)
    sttc = activity.spike_time_tiling_coefficient(spike_times)[upper]
    covered = 0.2 * rate / frame  # tiles of ±0.1 s overlap for no two frames but neighbours
    overlap = (0.2 - frame) * rate**2 / frame
    tiled = covered - overlap
    assert sttc.mean() == pytest.approx((rate - tiled) / (1 - rate * tiled), abs=0.001)
    found = activity.correlation(activity.event_counts(spike_times))[upper]
    more = 0.2 / frame - 1  # share of bins that hold two frames
    between, within = rate**2 * more * (1 - more), (1 + more) * rate * (1 - rate)
    assert found.mean() == pytest.approx(between / (between + within), abs=0.001)
    midway = [train - frame / 2 for train in spike_times]  # not on the edges of bins, where rounding decides
    whole = activity.correlation(activity.event_counts(midway, 10 * frame))[upper]
    assert abs(whole.mean()) < 0.001


# Fields from events


def test_a_field_from_events_is_the_released_one(microns):
    field = read_released(microns / "5_3_8")
    made = activity.field_from_events("5_3_8", field.positions, field.connectome, field.spike_times, True)
    np.testing.assert_allclose(made.correlation, field.correlation, atol=1e-12)
    np.testing.assert_allclose(made.sttc, field.sttc, atol=1e-12)
    np.testing.assert_allclose(made.precision, field.precision, atol=1e-4)


def test_events_that_are_wrong_are_said_to_be(column):
    parts = column.positions, column.connectome
    with pytest.raises(FieldError, match="mine: spike times of neuron 2 are not in increasing order"):
        activity.field_from_events("mine", *parts, [*column.spike_times[:2], [2.0, 1.0], *column.spike_times[3:]])
    with pytest.raises(FieldError, match="mine: spike times of 50 neurons, positions of 96"):
        activity.field_from_events("mine", *parts, column.spike_times[:50])
    with pytest.raises(FieldError, match="mine: spike times are 3"):
        activity.field_from_events("mine", *parts, 3)


def test_hostile_parts_get_one_line():
    flat, none = np.zeros((3, 3)), np.zeros((3, 3))
    trains = [np.array([0.5, 1.0])] * 3
    for positions, spike_times, says in [
        ([[1, 2, 3], [1, 2]], trains, "positions does not hold numbers"),
        (7, trains, "positions have shape"),
        (flat, None, "spike_times is None"),
        (flat, [np.array([1.7e9])] * 3, "times are seconds from the start of the recording"),
        (flat, [np.array([1e300])] * 3, "times are seconds from the start of the recording"),
    ]:
        with pytest.raises(InputError, match=says) as told:
            activity.field_from_events("mine", positions, none, spike_times)
        assert "\n" not in str(told.value)


def test_a_precision_that_cannot_be_is_refused():
    counts = np.random.default_rng(0).poisson(1.0, (4, 200))
    with pytest.raises(InputError, match="neuron 3 has the counts of another"):
        activity.precision(np.vstack([counts[:3], counts[1]]))
    with pytest.raises(InputError, match="5 bins are too few"):
        activity.precision(counts[:, :5])


def test_a_precision_short_of_the_optimum_is_refused(monkeypatch):
    counts = np.random.default_rng(0).poisson(1.0, (4, 200))
    monkeypatch.setattr(activity, "graphical_lasso", lambda *_, **__: (None, 2 * np.eye(4)))
    with pytest.raises(InputError, match=r"did not converge .* raise the penalty"):
        activity.precision(counts, 0.1)


def test_fields_without_events_or_neurons_to_spare_are_described():
    quiet = activity.field_from_events("quiet", np.eye(3), np.zeros((3, 3)), [np.array([])] * 3)
    assert not quiet.correlation[0, 1] and quiet.spike_times[0].size == 0
    short = activity.field_from_events("short", np.eye(3), np.zeros((3, 3)), [np.array([0.01])] * 3)
    assert np.isfinite(short.correlation).all() and np.isfinite(short.sttc).all()
