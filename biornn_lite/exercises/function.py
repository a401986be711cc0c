"""Checks of the exercises in notebook 02."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from ..activity import event_counts, frame_length, shifted, spike_time_tiling_coefficient
from ..field import CorticalField
from ..seeds import generator
from .saying import known_mistake, number, number_from, say


def check_lagged_correlation(function: object, field: CorticalField) -> bool:
    """Check a function of two arrays of counts and a lag, which correlates x[t] with y[t + lag]."""
    x, y = event_counts(field.spike_times[:2], bin_width=5.0).astype(float)  # so wide that counts differ
    rng = generator(0, "a trend")
    y = y + 0.02 * np.arange(len(y)) + rng.random(len(y))  # so that every mistake gives another number

    def over(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.corrcoef(one, other)[0, 1])

    lag, whole = 3, len(x)
    value = number_from(function, "x, y and lag", x, y, lag)
    if value is None:
        return False
    right = over(x[:-lag], y[lag:])
    if not np.isclose(value, right, rtol=1e-9):
        a, b = (x - x.mean())[:-lag], (y - y.mean())[lag:]
        spreads = x.std() * y.std()
        of_pairs = "Take means and standard deviations of what you paired, not of the whole arrays."
        mistakes = {
            over(x[lag:], y[:-lag]): "There x is the later one: pair x[t] with y[t + lag].",
            over(x, y): "That is the correlation without a lag.",
            over(x, np.roll(y, -lag)): "np.roll brings the beginning of y to its end; leave out what has no partner.",
            over(x, np.roll(y, lag)): "np.roll brings the end of y to its beginning, and goes the other way round.",
            (a @ b) / np.sqrt((a @ a) * (b @ b)): "Subtract the means of what you paired, not of the whole arrays.",
            float(np.mean(a * b) / spreads): of_pairs,
            float((a @ b) / (len(x) * spreads)): of_pairs,
            float(np.cov(x[:-lag], y[lag:])[0, 1]): "That is the covariance; divide by both standard deviations.",
            float(np.mean(x[:-lag] * y[lag:])): "Subtract each mean, and divide by both standard deviations.",
            -right: "The sign is wrong.",
        }
        told = f"With a lag of {lag} it gives {value:.6f}; expected {right:.6f}."
        return False if known_mistake(value, mistakes, 1e-6) else say(False, told)
    if not _works_at_once(function, x, y):
        return say(False, "Right with a lag of 3, but with 0 it fails: x[:-0] is empty, so say where x ends.")
    for lag in (0, whole // 2):
        value, right = number_from(function, "x, y and lag", x, y, lag), over(x[: whole - lag], y[lag:])
        if value is None:
            return False
        if not np.isclose(value, right, rtol=1e-9):
            why = " x[:-0] is empty." if lag == 0 else ""
            return say(
                False, f"Right with a lag of 3, but with {lag} it gives {value:.6f}; expected {right:.6f}.{why}"
            )
    told = f"it gives {over(x, y):.4f} at once and {over(x[:-3], y[3:]):.4f} three bins later."
    return say(True, f"For counts in bins of 5 s, the second with a trend added, {told}")


def _works_at_once(function: Callable, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a learner's function returns anything with a lag of 0."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            function(x.copy(), y.copy(), 0)
    except Exception:  # whatever a learner's code may raise
        return False
    return True


NEAR_ENOUGH = 2e-3
"""How far a learner's STTC may be off: tiles may be added up on a fine grid of times."""


def check_sttc(function: object) -> bool:
    """Check a function of two arrays of event times, Δt and the end of the recording (all s), which gives the STTC.

    It is tried on three pairs of made-up neurons. In the first, no tiles overlap, and all lie inside the recording;
    in the second, tiles overlap; in the third, some begin before 0 or end after the recording.
    """
    apart = np.array([1.0, 4.05, 8.0]), np.array([1.05, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0])
    bursts = np.array([2.0, 2.1, 2.25, 5.0, 7.7]), np.array([2.05, 2.2, 5.6])
    edges = np.array([0.05, 3.0, 9.9]), np.array([0.1, 3.05, 6.0, 9.85])
    for (a, b), tile, stop, where, mistaken in (
        (apart, 0.2, 12.0, "events lie far apart", _mistaken_formulas),
        (bursts, 0.2, 10.0, "tiles overlap", _mistaken_tiles),
        (edges, 0.2, 10.0, "events lie near the ends of the recording", _mistaken_ends),
    ):
        value = number_from(function, "a, b, tile and stop", a, b, tile, stop)
        if value is None:
            return False
        right = _sttc_of_shares(*_shares(a, b, tile, stop))
        if abs(value - right) > NEAR_ENOUGH:
            told = f"Where {where}, it gives {value:.4f}; expected {right:.4f}."
            why = next((w for wrong, w in mistaken(a, b, tile, stop) if abs(value - wrong) < NEAR_ENOUGH), "")
            return say(False, f"{told} {why}".strip())
    return say(True, f"Also where tiles overlap, and at the ends of the recording (there it is {value:.4f}).")


def _covered(train: np.ndarray, tile: float, stop: float) -> float:
    """Share of a recording within ±Δt of an event; overlapping tiles count once."""
    low, high = np.maximum(train - tile, 0.0), np.minimum(train + tile, stop)
    low[1:] = np.maximum(low[1:], high[:-1])
    return float((high - low).sum() / stop)


def _shares(a: np.ndarray, b: np.ndarray, tile: float, stop: float) -> tuple[float, float, float, float]:
    """Return P_A, P_B, T_A and T_B as the definition says."""
    near = np.abs(a[:, None] - b) <= tile  # (events of a, events of b)
    share = float(near.any(axis=1).mean()), float(near.any(axis=0).mean())
    return *share, _covered(a, tile, stop), _covered(b, tile, stop)


def _sttc_of_shares(p_a: float, p_b: float, t_a: float, t_b: float) -> float:
    return 0.5 * ((p_a - t_b) / (1 - p_a * t_b) + (p_b - t_a) / (1 - p_b * t_a))


def _mistaken_formulas(a: np.ndarray, b: np.ndarray, tile: float, stop: float) -> list[tuple[float, str]]:
    p_a, p_b, t_a, t_b = _shares(a, b, tile, stop)
    right = _sttc_of_shares(p_a, p_b, t_a, t_b)
    return [
        (_sttc_of_shares(p_a, p_b, t_b, t_a), "You took A's own tiles: P_A is compared with T_B, the *other*'s."),
        (2 * right, "You forgot the ½."),
        (0.5 * (p_a - t_b + p_b - t_a), "You forgot the denominators 1 − P T."),
        (-right, "The sign is wrong: coincidences above chance count positively."),
        ((p_a - t_b) / (1 - p_a * t_b), "That is the half with P_A alone."),
        ((p_b - t_a) / (1 - p_b * t_a), "That is the half with P_B alone."),
        (_sttc_of_shares(p_a, p_b, t_a / 2, t_b / 2), "A tile reaches Δt to *both* sides: it is 2 Δt long."),
        (_sttc_of_shares(p_a, p_b, t_a * stop, t_b * stop), "T is a share: divide the covered time by `stop`."),
    ]  # fmt: skip


def _mistaken_tiles(a: np.ndarray, b: np.ndarray, tile: float, stop: float) -> list[tuple[float, str]]:
    p_a, p_b, t_a, t_b = _shares(a, b, tile, stop)
    near, twice = np.abs(a[:, None] - b) <= tile, (2 * tile * len(a) / stop, 2 * tile * len(b) / stop)
    pairs = near.sum() / len(a), near.sum() / len(b)
    tiles, events = "Where tiles overlap, the time counts once.", "An event near two of the other's counts once."
    return [
        (_sttc_of_shares(p_a, p_b, *twice), tiles),
        (_sttc_of_shares(*pairs, t_a, t_b), events),
        (_sttc_of_shares(*pairs, *twice), f"{tiles} {events}"),
    ]


def _mistaken_ends(a: np.ndarray, b: np.ndarray, tile: float, stop: float) -> list[tuple[float, str]]:
    p_a, p_b, *_ = _shares(a, b, tile, stop)
    outside = (_covered(train + tile, tile, stop + 2 * tile) * (stop + 2 * tile) / stop for train in (a, b))
    return [(_sttc_of_shares(p_a, p_b, *outside), "Cut the tiles where they begin before 0 or end after `stop`.")]


def check_chance_free_tile(answer: float | None, field: CorticalField) -> bool:
    """Check a Δt at which the mean STTC of trains that do not know of each other is near 0."""
    tile = number(answer)
    if tile is None:
        return False
    if not 0 < tile <= 1:
        return say(False, f"Δt = {tile:g} s; choose one above 0 and up to 1 s.")
    trains = shifted(field.spike_times, generator(0, "shifts"), frame_length(field.spike_times))
    values = spike_time_tiling_coefficient(trains, tile)[np.triu_indices(len(trains), 1)]
    mean = values.mean()
    told = f"At Δt = {tile:g} s, {len(trains)} shifted trains have a mean STTC of {mean:+.4f}."
    if abs(mean) < 0.001:
        return say(True, f"{told} Tiles of 2 Δt then cover as much time as the frames that they reach.")
    return say(False, f"{told} Compare the share of time that a tile covers with the frames that lie within it.")
