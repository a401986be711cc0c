"""Deconvolution: against an exact solution found another way, and events that are known because we put them there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.linalg import toeplitz
from scipy.optimize import isotonic_regression

from biornn_lite.deconvolution import deconvolve, events_from_fluorescence, fluorescence_from_events
from biornn_lite.errors import InputError

FRAME = 0.1587
TIMES = np.arange(0, 1500, FRAME)

traces_of = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-5, 5, width=32))
keeps = st.floats(0.3, 1.0)


@pytest.fixture(scope="module")
def longer(column):
    """Events of eight neurons, some after the last frame."""
    return column.spike_times[::12]


@pytest.fixture(scope="module")
def trains(longer):
    return [train[train < TIMES[-1]] for train in longer]


@pytest.fixture(scope="module")
def traces(longer):
    return fluorescence_from_events(longer, TIMES, noise=0.2)


def frames(train):
    return np.rint(train / FRAME).astype(int)


def found(wanted, given):
    """Share of the events in `wanted` that have one in `given` at most one frame away."""
    return np.mean([np.abs(frames(given) - frame).min() <= 1 for frame in frames(wanted)])


# Exactness


@given(traces_of, keeps)
@settings(max_examples=200, deadline=None)
def test_deconvolution_is_weighted_isotonic_regression(trace, keep):
    # With c[t] = keep**t x[t], s >= 0 says that x never falls: a problem that SciPy solves.
    fade = keep ** np.arange(len(trace))
    level = fade * np.maximum(isotonic_regression(trace / fade, weights=fade**2).x, 0)
    wanted = level - keep * np.append(0, level[:-1])
    np.testing.assert_allclose(deconvolve(trace, keep), wanted, atol=1e-9)


@given(traces_of, keeps)
@settings(max_examples=200, deadline=None)
def test_deconvolution_is_optimal(trace, keep):
    # Karush, Kuhn and Tucker: no input is negative, none should grow, and those in use should not shrink either.
    inputs = deconvolve(trace, keep)
    response = np.tril(toeplitz(keep ** np.arange(len(trace))))
    slope = response.T @ (response @ inputs - trace)
    assert (inputs >= 0).all() and (slope >= -1e-9).all() and np.abs(inputs * slope).max() < 1e-9


@given(hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 3)), st.floats(0.5, 3))
@settings(max_examples=100, deadline=None)
def test_without_noise_the_input_comes_back(counts, decay):
    times = np.arange(len(counts) + 1) * 0.1  # a second frame at least, for their distance
    counts = np.append(counts, 0)
    made = fluorescence_from_events([np.repeat(times, counts)], times, decay, noise=0)[0]
    late = times[:, None] - times
    np.testing.assert_allclose(made, 1 + np.where(late >= 0, np.exp(-late / decay), 0) @ counts, atol=1e-9)
    np.testing.assert_allclose(deconvolve(made - 1, np.exp(-0.1 / decay)), counts, atol=1e-9)


# Events


# Measured: of each neuron's events at least 96 % are found, and at least 98 % of what is found is true; where
# responses are shorter, 98 % and 89 %.
@pytest.mark.parametrize(("choices", "recall", "precision"), [({}, 0.94, 0.96), ({"decay": 0.5}, 0.96, 0.86)])
def test_known_events_are_found(longer, trains, choices, recall, precision):
    traces = fluorescence_from_events(longer, TIMES, noise=0.2, **choices)
    for true, ours in zip(trains, events_from_fluorescence(traces, TIMES, progress=False, **choices), strict=True):
        assert found(true, ours) > recall and found(ours, true) > precision


def test_a_higher_threshold_trades_false_events_for_missed_ones(trains, traces):
    scores = []
    for threshold in (1, 2, 4):
        events = events_from_fluorescence(traces, TIMES, threshold=threshold, progress=False)
        pairs = list(zip(trains, events, strict=True))
        scores.append([np.mean([found(a, b) for a, b in pairs]), np.mean([found(b, a) for a, b in pairs])])
    recall, precision = np.transpose(scores)
    assert (np.diff(recall) < 0).all() and (np.diff(precision) > 0).all()


def test_a_drifting_baseline_does_not_matter(trains, traces):
    drift = 0.5 * np.sin(2 * np.pi * TIMES / 600)
    for true, ours in zip(trains, events_from_fluorescence(traces + drift, TIMES, progress=False), strict=True):
        assert found(true, ours) > 0.94 and found(ours, true) > 0.96


def test_units_and_the_clock_do_not_matter(traces):
    plain = events_from_fluorescence(traces, TIMES, progress=False)
    for ours, same in zip(events_from_fluorescence(traces * 1000, TIMES, progress=False), plain, strict=True):
        np.testing.assert_array_equal(ours, same)
    late = np.random.default_rng(0).uniform(-0.04, 0.04, len(TIMES)) * FRAME + 100 + TIMES
    for ours, same in zip(events_from_fluorescence(traces, late, progress=False), plain, strict=True):
        np.testing.assert_array_equal(ours, late[np.searchsorted(TIMES, same)])


@given(hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(3, 60)), elements=st.floats(-9, 9, width=16)))
@settings(max_examples=150, deadline=None)
def test_events_are_frames_and_never_two_in_a_row(traces):
    if (np.ptp(traces, axis=1) == 0).any():
        return
    times = np.arange(traces.shape[1]) * 0.2
    for train in events_from_fluorescence(traces, times, threshold=0.1, progress=False):
        places = np.searchsorted(times, train)
        np.testing.assert_array_equal(times[places], train)
        assert (np.diff(places) > 1).all() and 0 not in places


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"traces": np.zeros(9)}, r"traces have shape \(9,\) and times \(9,\); expected \(N, T\) and \(T,\)"),
        ({"traces": np.zeros((2, 8))}, r"traces have shape \(2, 8\) and times \(9,\)"),
        ({"traces": np.zeros((2, 2)), "times": np.arange(2.0)}, r"traces have shape \(2, 2\) and times \(2,\)"),
        ({"times": np.delete(np.arange(10.0), 5)}, "not equally spaced in time; interpolate the traces first"),
        ({"times": np.arange(9.0)[::-1]}, "not equally spaced"),
        ({"times": np.zeros(9)}, "not equally spaced"),
        ({"times": np.full(9, np.nan)}, "not equally spaced"),
        ({"decay": 0}, "decay is 0 and threshold 2; both must be above 0"),
        ({"threshold": -1}, "decay is 1 and threshold -1; both must be above 0"),
        ({"decay": np.nan}, "both must be above 0"),
        ({"traces": [[0, 1, 2] * 3, [0, np.inf, 2] * 3]}, "trace 1 holds a value that is not finite"),
        ({"traces": [[0, 1, 2] * 3, [7] * 9]}, "trace 1 is constant; leave this neuron out"),
    ],
)
def test_what_cannot_be_used_is_said(changes, message):
    good = {"traces": [[0, 1, 2] * 3] * 2, "times": np.arange(9.0), "progress": False}
    events_from_fluorescence(**good)
    with pytest.raises(InputError, match=message) as told:
        events_from_fluorescence(**good | changes)
    assert "\n" not in str(told.value)
