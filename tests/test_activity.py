"""Functional measures: from their definitions, and as released."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn_lite import activity
from biornn_lite.datasets import read_released
from biornn_lite.errors import FieldError, InputError


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
    ours = activity.spike_time_tiling_coefficient(trains, tile, start=0.0)
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
    at_each = [activity.spike_time_tiling_coefficient(both, tile, stop, start=0.0)[0, 1] for tile in tiles]
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


# Clocks


@pytest.mark.parametrize("rate", [5, 10, 15, 30])
def test_frames_on_the_edges_of_bins_are_not_sorted_by_rounding(rate):
    """A clock of so many frames a second: as with whole numbers of frames, where nothing is rounded."""
    frames = np.arange(rate * 3600)
    counts = activity.event_counts([frames / rate])[0]
    in_bin = rate / 5
    wanted = np.bincount((frames // in_bin).astype(int))
    np.testing.assert_array_equal(counts[: len(wanted) - 1], wanted[:-1])
    rng = np.random.default_rng(0)
    trains = [np.flatnonzero(rng.random(rate * 6000) < 0.3 / rate) for _ in range(40)]
    pairs = np.triu_indices(40, 1)
    counted = np.array([np.bincount((train // in_bin).astype(int), minlength=30_000) for train in trains])
    ours = activity.event_counts([train / rate for train in trains], stop=6000.0)
    np.testing.assert_array_equal(ours, counted)
    assert abs(activity.correlation(ours)[pairs].mean()) < 0.001


def test_events_one_tile_apart_are_near_whatever_their_times_round_to():
    """At 10 frames a second, Δt is one frame: both neighbours are near, and three frames in all."""
    first = np.arange(5, 36_000, 90)
    for step in (-1, 0, 1):
        second = first + step
        both = [first / 10, second / 10]
        stop = activity.recording_end(both)
        ours = activity.spike_time_tiling_coefficient(both)[0, 1]
        assert ours == pytest.approx(1.0, abs=0.03)
        assert activity.spike_time_tiling_curve(*both, np.array([0.1]), stop)[0] == pytest.approx(ours)
    assert activity.spike_time_tiling_coefficient([first / 10, (first + 2) / 10])[0, 1] < 0


@pytest.mark.parametrize("offset", [600.0, 3600.0, 86400.0])
def test_a_late_beginning_makes_no_function(offset):
    rng = np.random.default_rng(0)
    trains = [offset + np.sort(rng.random(300)) * 1000 for _ in range(20)]
    for measure in (activity.event_counts, activity.spike_time_tiling_coefficient):
        with pytest.raises(InputError, match=rf"the first event comes at {offset:.5g}.*start={offset:.0f}"):
            measure(trains)
    counts = activity.event_counts(trains, start=offset)
    np.testing.assert_array_equal(counts, activity.event_counts([train - offset for train in trains]))
    pairs = np.triu_indices(20, 1)
    assert abs(activity.correlation(counts)[pairs].mean()) < 0.005
    shifted = activity.spike_time_tiling_coefficient([train - offset for train in trains])
    np.testing.assert_allclose(activity.spike_time_tiling_coefficient(trains, start=offset), shifted, atol=1e-6)
    with pytest.raises(InputError, match="before the recording starts"):
        activity.event_counts(trains, start=offset + 500)
    positions, nothing = rng.random((20, 3)), np.zeros((20, 20))
    with pytest.raises(FieldError, match="mine: the first event comes at"):
        activity.field_from_events("mine", positions, nothing, trains)
    field = activity.field_from_events("mine", positions, nothing, trains, start=offset)
    assert max(train[-1] for train in field.spike_times) < 1001
    np.testing.assert_allclose(field.correlation, activity.correlation(counts))


def test_a_part_of_a_measured_recording_says_when_it_began(microns):
    field = read_released(microns / "5_3_4")
    part = [train[(train > 3000) & (train < 3600)] for train in field.spike_times]
    with pytest.raises(InputError, match="say when the recording began"):
        activity.event_counts(part)
    pairs = np.triu_indices(70, 1)
    assert activity.correlation(activity.event_counts(part, start=3000))[pairs].mean() < 0.03


def test_silence_that_was_recorded_is_taken_at_its_word():
    trains = [np.arange(50.0, 75.0), np.array([52.0])]
    with pytest.raises(InputError, match="or start=0 if all were silent"):
        activity.event_counts(trains)
    assert activity.event_counts(trains, start=0).shape[1] == 370


@pytest.mark.parametrize("measure", [activity.event_counts, activity.spike_time_tiling_coefficient])
def test_events_out_of_order_are_refused(measure):
    with pytest.raises(InputError, match="event times of neuron 1 are not in increasing order"):
        measure([np.array([1.0, 2.0]), np.array([3.0, 1.0])])


def test_a_faster_clock_and_higher_rates_could_explain_the_sttc_of_session_9(shared):
    """What notebook 02 says of 46 fields, and of strangers on two clocks and at three rates."""
    means = {}
    for path in sorted((shared / "microns" / "all").glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            sttc = arrays["sttc"]
        lower = sttc[np.tril_indices(len(sttc), -1)]
        means[path.stem] = lower.mean()
    ninth = [mean for name, mean in means.items() if name.startswith("9_")]
    others = [mean for name, mean in means.items() if not name.startswith("9_")]
    assert (len(ninth), len(others)) == (6, 40)
    told = (min(others), max(others), min(ninth), max(ninth))
    assert [round(float(mean), 3) for mean in told] == [-0.023, 0.009, -0.077, -0.051]
    rng = np.random.default_rng(0)
    for frame, rate, expected in ((0.1587, 0.5, -0.02), (0.11, 0.5, -0.04), (0.11, 0.7, -0.06), (0.11, 1.0, -0.08)):
        trains = [np.flatnonzero(rng.random(int(3000 / frame)) < rate * frame) * frame for _ in range(40)]
        found = activity.spike_time_tiling_coefficient(trains)[np.triu_indices(40, 1)].mean()
        assert found == pytest.approx(expected, abs=0.005)


def test_a_field_without_events_is_said():
    with pytest.raises(FieldError, match="made: spike_times is None; one list of event times per neuron is needed"):
        activity.field_from_events("made", np.zeros((3, 3)), np.zeros((3, 3)), None)
