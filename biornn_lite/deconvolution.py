"""Events from calcium fluorescence, for recordings that consist of traces, unlike the released fields.

The deconvolution and the threshold behind the released events are not published. This module uses the simplest sound
methods. Their events differ from the released ones; see :func:`events_from_fluorescence`.

Notebook 13 works through this module.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import lfilter
from tqdm.auto import tqdm

from .errors import InputError


def fluorescence_from_events(
    spike_times: Sequence[np.ndarray],
    times: np.ndarray,
    decay: float = 1.0,
    noise: float = 0.2,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Simulate fluorescence from events: each event adds 1, which decays exponentially; white noise is added.

    Parameters
    ----------
    spike_times : sequence of N ndarrays
        Event times in seconds.
    times : ndarray, shape (T,)
        Equally spaced frame times in seconds.
    decay : float
        Time in seconds until a response falls to 1/e.
    noise : float
        Standard deviation of the noise in each frame.
    rng : numpy.random.Generator, optional
        Draws the noise. Default: a generator with seed 0.

    Returns
    -------
    ndarray, shape (N, T)
        Around a baseline of 1.
    """
    rng = rng or np.random.default_rng(0)
    keep = np.exp(-np.diff(times).mean() / decay)
    traces = np.zeros((len(spike_times), len(times)))
    for trace, train in zip(traces, spike_times, strict=True):
        frames = frames_of(train, times)
        np.add.at(trace, frames[frames < len(times)], 1.0)
    traces = lfilter([1.0], [1.0, -keep], traces, axis=1)
    return 1.0 + traces + noise * rng.normal(size=traces.shape)


def frames_of(train: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the frame index of each event: the first frame at or after the event."""
    return np.searchsorted(times, train - 1e-6)


def deconvolve(trace: np.ndarray, keep: float) -> np.ndarray:
    """Find the non-negative input whose exponentially decaying sum is the least-squares fit to a trace.

    Pooling of adjacent frames gives the exact minimum of Σ (trace − c)² subject to s[t] = c[t] − keep · c[t−1] ≥ 0
    and c ≥ 0 (Friedrich, Zhou & Paninski 2017, without sparsity penalty).

    Parameters
    ----------
    trace : ndarray, shape (T,)
        Fluorescence above its baseline.
    keep : float
        Share of a response that remains one frame later, between 0 and 1.

    Returns
    -------
    ndarray, shape (T,)
        The input s. The first value is the fluorescence at the start of the recording.
    """
    values, masses, lengths = [], [], []  # for each pool: c in its first frame, weight, number of frames
    for value in trace.tolist():
        mass, length = 1.0, 1
        while values and value < values[-1] * keep ** lengths[-1]:
            # The later pool would need a negative input, so both pools merge and decay without input.
            fade = keep ** lengths[-1]
            total = masses[-1] + fade * fade * mass
            value = (masses.pop() * values.pop() + fade * mass * value) / total
            mass, length = total, length + lengths.pop()
        values.append(value)
        masses.append(mass)
        lengths.append(length)
    level = np.maximum(values, 0.0)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    inputs = np.zeros(len(trace))
    inputs[starts] = level
    inputs[starts[1:]] -= level[:-1] * keep ** np.array(lengths[:-1])
    return np.maximum(inputs, 0.0)


def events_from_fluorescence(
    traces: np.ndarray,
    times: np.ndarray,
    decay: float = 1.0,
    threshold: float = 2.0,
    progress: bool = True,
) -> list[np.ndarray]:
    """Infer event times from fluorescence.

    First, the slow baseline of each trace (the 20th percentile in windows of 60 s) is subtracted. Then the trace is
    deconvolved (see :func:`deconvolve`). An event is a local peak of the inferred input of at least `threshold`
    standard deviations of the trace's noise.

    These events differ from the released ones. An event has no size: a burst within one frame counts once. A higher
    threshold gives more missed and fewer false events, so rates cannot be compared between methods. Noise and
    baseline that two neurons share also affect their correlation.

    Parameters
    ----------
    traces : ndarray, shape (N, T)
        Fluorescence in any unit.
    times : ndarray, shape (T,)
        Frame times in seconds, equally spaced to within a tenth.
    decay : float
        Time in seconds until a response falls to 1/e, a property of the indicator. It is not estimated from the
        traces, because slow rate changes also lengthen their autocovariance.
    threshold : float
        In standard deviations of the noise, which is estimated from differences between neighbouring frames. In a
        trace without noise, every rise is an event.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of N ndarrays
        Event times in seconds. Each is a frame time, and two successive frames never both have an event.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, times are not equally spaced, or a trace is constant.
    """
    traces, times = np.asarray(traces, dtype=np.float64), np.asarray(times, dtype=np.float64)
    if traces.ndim != 2 or times.shape != traces.shape[1:] or len(times) < 3:
        raise InputError(f"traces have shape {traces.shape} and times {times.shape}; expected (N, T) and (T,)")
    steps = np.diff(times)
    frame = float(np.median(steps))
    if not frame > 0 or np.abs(steps - frame).max() > 0.1 * frame:
        raise InputError("the frames are not equally spaced in time; interpolate the traces first")
    if not (decay > 0 and threshold > 0):
        raise InputError(f"decay is {decay:g} and threshold {threshold:g}; both must be above 0")
    if not np.isfinite(traces).all():
        raise InputError(f"trace {np.argwhere(~np.isfinite(traces))[0][0]} holds a value that is not finite")
    events = []
    for number, trace in enumerate(tqdm(traces, desc="events", unit="neuron", disable=not progress)):
        if np.ptp(trace) == 0:
            raise InputError(f"trace {number} is constant; leave this neuron out")
        above = _above_baseline(trace, max(1, round(60 / frame)))
        # White noise has an SD of √2 times its own in each difference; the few responses do not change the median.
        noise = np.median(np.abs(np.diff(above))) / 0.6745 / np.sqrt(2)
        inputs = deconvolve(above, np.exp(-frame / decay))
        inputs[0] = 0.0  # activity before the recording is not an event
        before, after = np.append(0.0, inputs[:-1]), np.append(inputs[1:], 0.0)
        peak = (inputs >= threshold * noise) & (inputs > before) & (inputs >= after)
        events.append(times[peak])
    return events


def _above_baseline(trace: np.ndarray, window: int) -> np.ndarray:
    """Subtract the 20th percentile of each window of frames, interpolated between windows."""
    blocks = np.array_split(np.arange(len(trace)), max(1, len(trace) // window))
    centres = [block.mean() for block in blocks]
    baseline = np.interp(np.arange(len(trace)), centres, [np.percentile(trace[block], 20) for block in blocks])
    return trace - baseline
