"""From calcium fluorescence to events: for recordings that, unlike the released fields, come as traces.

The released events come from a deconvolution and a threshold that are not published with them. Those here are the
simplest sound ones, and their events differ: see :func:`events_from_fluorescence`.

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
    """Make the fluorescence that events would cause: each adds 1, which decays exponentially, plus white noise.

    Parameters
    ----------
    spike_times : sequence of N ndarrays
        Seconds.
    times : ndarray, shape (T,)
        Equally spaced frame times in seconds.
    decay : float
        Seconds to fall to 1/e.
    noise : float
        Standard deviation of the noise in each frame.
    rng : numpy.random.Generator, optional
        Draws the noise; from seed 0 when left out.

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
    """Return the index of the frame that shows each event: the first at or after it."""
    return np.searchsorted(times, train - 1e-6)


def deconvolve(trace: np.ndarray, keep: float) -> np.ndarray:
    """Find the non-negative input of which a trace is the exponentially decaying sum, in the least-squares sense.

    Minimises Σ (trace − c)² subject to s[t] = c[t] − keep · c[t−1] ≥ 0 and c ≥ 0, exactly, by pooling adjacent
    frames (Friedrich, Zhou & Paninski 2017, without sparsity penalty).

    Parameters
    ----------
    trace : ndarray, shape (T,)
        Fluorescence above its baseline.
    keep : float
        Share of a response that is left one frame later, between 0 and 1.

    Returns
    -------
    ndarray, shape (T,)
        The input s; the first frame's is what the recording begins with.
    """
    values, masses, lengths = [], [], []  # of each pool: c in its first frame, its weight, its frames
    for value in trace.tolist():
        mass, length = 1.0, 1
        while values and value < values[-1] * keep ** lengths[-1]:
            # The later pool would need a negative input: both become one that decays without input.
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

    From each trace its slow baseline (the 20th percentile in windows of 60 s) is subtracted; it is deconvolved (see
    :func:`deconvolve`), and an event is placed where the inferred input is a local peak of at least `threshold`
    standard deviations of the trace's noise.

    These events are not the released ones. An event has no size here: a burst within one frame counts once. The
    threshold is a choice that trades missed events for false ones, so rates cannot be compared across methods; and
    correlations inherit what both neurons' noise and baseline share.

    Parameters
    ----------
    traces : ndarray, shape (N, T)
        Fluorescence in any unit.
    times : ndarray, shape (T,)
        Frame times in seconds, equally spaced to within a tenth.
    decay : float
        Seconds in which a response falls to 1/e, a property of the indicator. It is not estimated from the traces:
        slow changes of a neuron's rate lengthen their autocovariance too.
    threshold : float
        In standard deviations of the noise, which is estimated from the differences between neighbouring frames: of a
        trace without noise, every rise is an event.
    progress : bool
        Show a bar.

    Returns
    -------
    list of N ndarrays
        Event times in seconds, each that of a frame, never two frames in a row.

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
        # White noise adds √2 of its SD to each difference, and a median is not moved by the few responses.
        noise = np.median(np.abs(np.diff(above))) / 0.6745 / np.sqrt(2)
        inputs = deconvolve(above, np.exp(-frame / decay))
        inputs[0] = 0.0  # what came before the recording is no event in it
        before, after = np.append(0.0, inputs[:-1]), np.append(inputs[1:], 0.0)
        peak = (inputs >= threshold * noise) & (inputs > before) & (inputs >= after)
        events.append(times[peak])
    return events


def _above_baseline(trace: np.ndarray, window: int) -> np.ndarray:
    """Subtract the 20th percentile of each window of frames, interpolated in between."""
    blocks = np.array_split(np.arange(len(trace)), max(1, len(trace) // window))
    centres = [block.mean() for block in blocks]
    baseline = np.interp(np.arange(len(trace)), centres, [np.percentile(trace[block], 20) for block in blocks])
    return trace - baseline
