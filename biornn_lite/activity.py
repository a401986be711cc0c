"""Function from event times: counts in bins, Pearson correlation, spike time tiling coefficient, precision.

Notebook 02 works through this module.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.covariance import GraphicalLassoCV, empirical_covariance, graphical_lasso
from sklearn.exceptions import ConvergenceWarning

from .errors import FieldError, InputError
from .field import CorticalField
from .plumbing.arrays import first_line

BIN_SECONDS = 0.2
"""Bin width of the released correlations."""

SAME_MOMENT = 1e-6
"""Times that differ by fewer seconds than this are equal, so rounding does not change the bin of a frame."""

MOST_COUNTS = 2e9
"""Maximum number of counts in memory (16 GB)."""

TILE_SECONDS = 0.1
"""Half-width Δt of a tile in the released spike time tiling coefficients."""


def trains_of(field: CorticalField) -> Sequence[np.ndarray]:
    """Return the event times of a field, or raise an error if it has none.

    Raises
    ------
    InputError
        If the field has no event times.
    """
    if field.spike_times is None:
        raise InputError(f"{field.name} comes without event times; 5_6_8, 5_3_4 and 5_3_8 have them, among others")
    return field.spike_times


def recording_end(spike_times: Sequence[np.ndarray]) -> float:
    """Return the assumed end of the recording in seconds: one Δt (0.1 s) after the last event of any neuron.

    The released files do not give the end. With this value, both released matrices are reproduced up to rounding
    error.
    """
    return max((train[-1] for train in spike_times if len(train)), default=0.0) + TILE_SECONDS


def from_start(spike_times: Sequence[np.ndarray], start: float | None = None) -> list[np.ndarray]:
    """Check event times and make them relative to the start of the recording.

    Parameters
    ----------
    spike_times : sequence of N ndarrays
        Event times of each neuron in seconds, in increasing order.
    start : float, optional
        Start of the recording, on the same clock. Default: 0. Without `start`, event times that contradict a start
        at 0 raise an error, because a long common silence looks like correlated activity.

    Returns
    -------
    list of N ndarrays
        Event times minus `start`.

    Raises
    ------
    InputError
        If the times of a neuron are not in increasing order, if events lie before `start`, or if no start is given
        and the first of many events comes after 10 s and after ten times the longest pause between later events.
    """
    for neuron, train in enumerate(spike_times):
        if (np.diff(train) < 0).any():
            raise InputError(f"event times of neuron {neuron} are not in increasing order; sort them first")
    begin = 0.0 if start is None else start
    first = min((train[0] for train in spike_times if len(train)), default=begin)
    if first < begin:
        raise InputError(f"an event comes at {first:g} s, before the recording starts at {begin:g} s")
    if start is None and first > 10:
        pauses = np.diff(np.unique(np.concatenate(spike_times)))
        if len(pauses) >= 20 and first > 10 * pauses.max():  # fewer pauses are not enough evidence
            raise InputError(
                f"the first event comes at {first:g} s, and then never more than {pauses.max():.3g} s pass without "
                f"one: say when the recording began, as in start={first:.0f} (or start=0 if all were silent)"
            )
    return [np.asarray(train) - begin if begin else train for train in spike_times]


def event_counts(
    spike_times: Sequence[np.ndarray],
    bin_width: float = BIN_SECONDS,
    stop: float | None = None,
    start: float | None = None,
) -> np.ndarray:
    """Count events in bins from the start of the recording.

    A bin includes its left edge and excludes its right edge, both with a tolerance of :data:`SAME_MOMENT`. An
    incomplete last bin is left out.

    Parameters
    ----------
    spike_times : sequence of N ndarrays
        Event times of each neuron in seconds, in increasing order.
    bin_width : float
        Seconds.
    stop : float, optional
        End of the recording in seconds, on the clock of the events. Default: :func:`recording_end`.
    start : float, optional
        Start of the recording; see :func:`from_start`.

    Returns
    -------
    ndarray, shape (N, bins)
    """
    stop = (recording_end(spike_times) if stop is None else stop) - (start or 0.0)
    spike_times = from_start(spike_times, start)
    if not (bin_width > 0 and len(spike_times) * stop / bin_width < MOST_COUNTS):
        raise InputError(
            f"{len(spike_times)} neurons over {stop:g} s in bins of {bin_width:g} s are too many counts; "
            "times are seconds from the start of the recording"
        )
    bins = max(int((stop + SAME_MOMENT) / bin_width), 0)
    times = np.concatenate(spike_times)
    owner = np.repeat(np.arange(len(spike_times)), [len(train) for train in spike_times])
    place = np.floor((times + SAME_MOMENT) / bin_width).astype(int)  # (events,)
    inside = (place >= 0) & (place < bins)
    flat = np.bincount(owner[inside] * bins + place[inside], minlength=len(spike_times) * bins)
    return flat.reshape(len(spike_times), bins)


def correlation(counts: np.ndarray) -> np.ndarray:
    """Pearson correlation of event counts between all pairs of neurons.

    The correlation of a neuron with constant counts is undefined. Here it is 0 with all other neurons and, as for
    every neuron, 1 with itself.

    Parameters
    ----------
    counts : ndarray, shape (N, bins)

    Returns
    -------
    ndarray, shape (N, N)
    """
    centred = counts - counts.sum(axis=1, keepdims=True) / max(counts.shape[1], 1)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, norm, out=np.zeros(centred.shape), where=norm > 0)
    matrix = np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def precision(counts: np.ndarray, penalty: float | None = None) -> np.ndarray:
    """Sparse inverse covariance of event counts, by the graphical lasso (Friedman, Hastie & Tibshirani 2008).

    An entry of 0 means: under the penalised model, the two neurons' counts are conditionally independent given all
    others.

    Parameters
    ----------
    counts : ndarray, shape (N, bins)
        Not standardised: the released matrices use unscaled counts in 0.2 s bins.
    penalty : float, optional
        Weight α of the sum of absolute off-diagonal entries, in units of the covariance. Default: five-fold
        cross-validation over the bins, as in the released matrices.

    Returns
    -------
    ndarray, shape (N, N)
        Symmetric.

    Raises
    ------
    InputError
        If there are fewer than 10 bins, a neuron has constant counts, two neurons have equal counts, or the
        optimisation does not converge.

    Notes
    -----
    The tolerances are tighter than scikit-learn's defaults; with the defaults, the choice of α depends on the
    version. The remaining difference from the released matrices, up to 4e-5, is the convergence error of the
    released matrices.
    """
    if counts.shape[1] < 10:
        raise InputError(f"{counts.shape[1]} bins are too few for a precision; 10 are the least, thousands are usual")
    still = np.flatnonzero(np.ptp(counts, axis=1) == 0)
    if len(still):
        raise InputError(f"neuron {still[0]} has the same count in every bin; a precision needs counts that vary")
    different, first = np.unique(counts, axis=0, return_index=True)
    if len(different) < len(counts):
        twin = np.setdiff1d(np.arange(len(counts)), first)[0]
        raise InputError(f"neuron {twin} has the counts of another; the precision of twins is infinite")
    covariance = empirical_covariance(counts.T)
    with warnings.catch_warnings():
        # Intermediate fits may stop early; the check below tests whether the final fit is at the optimum.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if penalty is None:
            found = GraphicalLassoCV(tol=1e-8, enet_tol=1e-8).fit(counts.T).precision_
        else:
            found = graphical_lasso(covariance, penalty, tol=1e-8, enet_tol=1e-8)[1]
    off = np.abs(np.diag(np.linalg.inv(found)) / np.diag(covariance) - 1).max()  # 0 at the optimum
    if not off < 1e-3:
        raise InputError(f"the graphical lasso did not converge (variances are off by {off:.0%}); raise the penalty")
    return found


def spike_time_tiling_coefficient(
    spike_times: Sequence[np.ndarray],
    tile: float = TILE_SECONDS,
    stop: float | None = None,
    start: float | None = None,
) -> np.ndarray:
    """Spike time tiling coefficient of all pairs of neurons (Cutts & Eglen 2014, equation 1).

    ``STTC = ½ [(P_A − T_B) / (1 − P_A T_B) + (P_B − T_A) / (1 − P_B T_A)]``, where T_A is the share of the
    recording within ±Δt of an event of A, and P_A the share of A's events within ±Δt of an event of B.

    Parameters
    ----------
    spike_times : sequence of N ndarrays
        Sorted event times of each neuron, in seconds.
    tile : float
        Δt, in seconds.
    stop : float, optional
        End of the recording in seconds, not before the last event. Default: :func:`recording_end`.
    start : float, optional
        Start of the recording; see :func:`from_start`.

    Returns
    -------
    ndarray, shape (N, N)
        Symmetric, diagonal 1; 0 for a neuron without events.
    """
    n = len(spike_times)
    stop = (recording_end(spike_times) if stop is None else stop) - (start or 0.0)
    spike_times = from_start(spike_times, start)
    times, places = np.unique(np.concatenate(spike_times), return_inverse=True)  # (moments,), (events,)
    sizes = np.array([len(train) for train in spike_times])
    owner = np.repeat(np.arange(n), sizes)
    events = sparse.csr_matrix((np.ones(len(places), np.float32), (owner, places)), shape=(n, len(times)))

    # The block size keeps the dense arrays below near 256 MB.
    width = max(1, min(64, 2**26 // max(len(times), 1)))
    tiled = np.zeros(n)  # T: share of the recording that each neuron's tiles cover
    near = np.zeros((n, n))  # near[a, b]: how many events of a lie within ±Δt of an event of b
    for first in range(0, n, width):
        block = range(first, min(first + width, n))
        covered = np.zeros((len(times), len(block)), dtype=np.float32)  # moments that the tiles of each neuron cover
        for column, b in enumerate(block):
            train = spike_times[b]
            if not len(train):
                continue
            low, high = np.maximum(train - tile, 0.0), np.minimum(train + tile, stop)
            tiled[b] = (high - np.maximum(low, np.concatenate([[0.0], high[:-1]]))).sum() / stop
            # A tile opens at its first moment and closes after its last. The running sum of openings minus
            # closings is positive where at least one tile covers the moment.
            opens, closes = train - tile - SAME_MOMENT, train + tile + SAME_MOMENT
            change = np.bincount(np.searchsorted(times, opens, "left"), minlength=len(times) + 1)
            change = change - np.bincount(np.searchsorted(times, closes, "right"), minlength=len(times) + 1)
            covered[:, column] = np.cumsum(change[:-1]) > 0
        near[:, block] = events @ covered

    share = np.divide(near, sizes[:, None], out=np.zeros((n, n)), where=sizes[:, None] > 0)  # P_A, [a, b]
    one_way = _beyond_chance(share, tiled[None, :])
    matrix = 0.5 * (one_way + one_way.T)
    silent = sizes == 0
    matrix[silent] = matrix[:, silent] = 0.0
    np.fill_diagonal(matrix, 1.0)
    return matrix


def spike_time_tiling_curve(first: np.ndarray, second: np.ndarray, tiles: np.ndarray, stop: float) -> np.ndarray:
    """Spike time tiling coefficient of two neurons at many Δt, which shows how precise their common timing is.

    Parameters
    ----------
    first, second : ndarray
        Sorted event times, in seconds.
    tiles : ndarray, shape (D,)
        Values of Δt, in seconds.
    stop : float
        End of the recording, as in :func:`spike_time_tiling_coefficient`.

    Returns
    -------
    ndarray, shape (D,)
        0 if one of the neurons has no events.
    """
    if not (len(first) and len(second)):
        return np.zeros(len(tiles))
    tile = np.asarray(tiles)[:, None]  # (D, 1)

    def tiled(train: np.ndarray) -> np.ndarray:  # (D,)
        low, high = np.maximum(train - tile, 0.0), np.minimum(train + tile, stop)  # (D, events)
        low[:, 1:] = np.maximum(low[:, 1:], high[:, :-1])
        return (high - low).sum(axis=1) / stop

    def near(train: np.ndarray, other: np.ndarray) -> np.ndarray:  # (D,)
        place = np.searchsorted(other, train)
        before, after = np.append(-np.inf, other)[place], np.append(other, np.inf)[place]  # (events,)
        reach = tile + SAME_MOMENT
        return ((train <= before + reach) | (train >= after - reach)).mean(axis=1)

    one_way = _beyond_chance(near(first, second), tiled(second))
    return 0.5 * (one_way + _beyond_chance(near(second, first), tiled(first)))


def _beyond_chance(share: np.ndarray, tiled: np.ndarray) -> np.ndarray:
    """Return (P − T) / (1 − P T), and 1 where both are 1."""
    scale = 1 - share * tiled
    return np.divide(share - tiled, scale, out=np.ones(scale.shape), where=scale > 1e-12)


def frame_length(spike_times: Sequence[np.ndarray]) -> float | None:
    """Estimate the imaging frame length from the events, in seconds; None if events do not lie on frames.

    Parameters
    ----------
    spike_times : sequence of N ndarrays
        Event times of a whole field, because a few neurons may have no events on neighbouring frames.
    """
    gaps = np.diff(np.unique(np.concatenate(spike_times)))
    gaps = gaps[gaps > 1e-6]
    if len(gaps) < 100:  # too few to distinguish regular frames from chance
        return None
    frame = float(gaps.min())
    near = gaps[gaps < 50 * frame] / frame
    return frame if np.mean(np.abs(near - np.round(near)) < 0.01) > 0.95 else None


def shifted(
    spike_times: Sequence[np.ndarray], rng: np.random.Generator, frame: float | None = None
) -> list[np.ndarray]:
    """Shift each neuron's events in time by its own random amount; times beyond the end continue at the start.

    The shifted neurons are independent, so any remaining correlation is chance. Each keeps its rate and its rhythm.

    Parameters
    ----------
    spike_times : sequence of N ndarrays
        Event times in seconds.
    rng : numpy.random.Generator
        Draws the shifts.
    frame : float, optional
        Frame length in seconds. Shifts are whole frames, so events stay on frames; see :func:`frame_length`.

    Returns
    -------
    list of N ndarrays
    """
    if frame is None:
        end = recording_end(spike_times)
        return [np.sort((train + rng.random() * end) % end) for train in spike_times]
    places = [np.round(train / frame).astype(int) for train in spike_times]
    frames = 1 + max((place[-1] for place in places if len(place)), default=0)
    return [np.sort((place + rng.integers(frames)) % frames) * frame for place in places]


def field_from_events(
    name: str,
    positions: np.ndarray,
    connectome: np.ndarray | None,
    spike_times: Sequence[np.ndarray],
    with_precision: bool = False,
    start: float | None = None,
    **more,
) -> CorticalField:
    """Make a field from measurements. Its function is computed from the events, as for the released fields.

    Parameters
    ----------
    name : str
    positions : ndarray, shape (N, 3)
        Somata, in µm.
    connectome : ndarray, shape (N, N), or None
        Synapse counts, from row to column; None if the wiring is unknown.
    spike_times : sequence of N ndarrays
        Sorted event times of each neuron, in seconds.
    with_precision : bool
        Also compute the precision matrix, which takes minutes for several hundred neurons.
    start : float, optional
        Start of the recording, on the clock of the events. Event times become relative to it; see
        :func:`from_start`.
    **more
        Other attributes of :class:`biornn_lite.field.CorticalField`, such as ``nucleus_ids``.

    Raises
    ------
    FieldError
        If the parts do not fit together.
    """
    if spike_times is None:
        raise FieldError(f"{first_line(name)}: spike_times is None; one list of event times per neuron is needed")
    # The check without function comes first, so that errors in the events get their own message.
    field = CorticalField(name, positions, connectome, spike_times=spike_times, **more)
    trains_of(field)
    try:
        spike_times = from_start(field.spike_times, start)
    except InputError as error:
        raise FieldError(f"{field.name}: {error}") from None
    counts = event_counts(spike_times, start=0.0)
    return replace(
        field,
        spike_times=spike_times,
        correlation=correlation(counts),
        sttc=spike_time_tiling_coefficient(spike_times, start=0.0),
        precision=precision(counts) if with_precision else None,
    )
