"""Checks of the exercises in notebook 02."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Real

import numpy as np

from ..activity import event_counts, frame_length, shifted, spike_time_tiling_coefficient
from ..field import CorticalField
from ..seeds import generator
from .saying import graded, known_mistake, number, result_of, say


def check_lagged_correlation(function: object, field: CorticalField) -> bool:
    """Check a function of two arrays of counts and a lag, which correlates x[t] with y[t + lag]."""
    x, y = event_counts(field.spike_times[:2], bin_width=5.0).astype(float)  # so wide that counts differ
    rng = generator(0, "a trend")
    y = y + 0.02 * np.arange(len(y)) + rng.random(len(y))  # so that every mistake gives another number

    def over(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.corrcoef(one, other)[0, 1])

    lag, whole = 3, len(x)
    value = _number_from(function, x, y, lag)
    if value is None:
        return False
    right = over(x[:-lag], y[lag:])
    if not np.isclose(value, right, rtol=1e-9):
        a, b = (x - x.mean())[:-lag], (y - y.mean())[lag:]
        mistakes = {
            over(x[lag:], y[:-lag]): "There x is the later one: pair x[t] with y[t + lag].",
            over(x, y): "That is the correlation without a lag.",
            over(x, np.roll(y, -lag)): "np.roll brings the beginning of y to its end; leave out what has no partner.",
            over(x, np.roll(y, lag)): "np.roll brings the end of y to its beginning, and goes the other way round.",
            (a @ b) / np.sqrt((a @ a) * (b @ b)): "Subtract the means of what you paired, not of the whole arrays.",
            float(np.cov(x[:-lag], y[lag:])[0, 1]): "That is the covariance; divide by both standard deviations.",
            float(np.mean(x[:-lag] * y[lag:])): "Subtract each mean, and divide by both standard deviations.",
            -right: "The sign is wrong.",
        }
        told = f"With a lag of {lag} it gives {value:.6f}; expected {right:.6f}."
        return False if known_mistake(value, mistakes, 1e-6) else say(False, told)
    if not _works_at_once(function, x, y):
        return say(False, "Right with a lag of 3, but with 0 it fails: x[:-0] is empty, so say where x ends.")
    for lag in (0, whole // 2):
        value, right = _number_from(function, x, y, lag), over(x[: whole - lag], y[lag:])
        if value is None:
            return False
        if not np.isclose(value, right, rtol=1e-9):
            why = " x[:-0] is empty." if lag == 0 else ""
            return say(
                False, f"Right with a lag of 3, but with {lag} it gives {value:.6f}; expected {right:.6f}.{why}"
            )
    return say(True, f"{over(x, y):.4f} at once, {over(x[:-3], y[3:]):.4f} three bins later.")


def _works_at_once(function: Callable, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a learner's function returns anything with a lag of 0."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            function(x.copy(), y.copy(), 0)
    except Exception:  # whatever a learner's code may raise
        return False
    return True


def _number_from(function: object, x: np.ndarray, y: np.ndarray, lag: int) -> float | None:
    """One number from a learner's function, or None when it said what it gives instead."""
    value = result_of(function, "x, y and lag", x, y, lag)
    if value is None:
        return None
    if not isinstance(value, Real):
        say(False, f"It gives {type(value).__name__}; expected one number.")
        return None
    return float(value)


def check_sttc(answer: float | None, p_a: float, p_b: float, t_a: float, t_b: float) -> bool:
    """Check a spike time tiling coefficient worked out from its four ingredients."""

    def formula(p_a: float, p_b: float, t_a: float, t_b: float) -> float:
        return 0.5 * ((p_a - t_b) / (1 - p_a * t_b) + (p_b - t_a) / (1 - p_b * t_a))

    right, own_tiles = formula(p_a, p_b, t_a, t_b), formula(p_a, p_b, t_b, t_a)
    told = f"{right:.4f}."
    mistakes = {
        100 * right: "That is in per cent; the coefficient lies between −1 and 1.",
        own_tiles: "You took A's own tiles: P_A is compared with T_B, the tiles of the *other* neuron.",
        2 * right: "You forgot the ½.",
        0.5 * ((p_a - t_b) + (p_b - t_a)): "You forgot the denominators 1 − P T.",
        -right: "The sign is wrong: coincidences above chance count positively.",
    }
    hint = "{value:g} is too {way}; put the numbers into the formula above."
    return graded(answer, right, told, mistakes, hint, absolute=4e-3, mistaken=0.02)


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
