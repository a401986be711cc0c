"""Checks of the exercises in notebook 02."""

from __future__ import annotations

from numbers import Real

import numpy as np

from ..activity import event_counts, frame_length, shifted, spike_time_tiling_coefficient
from ..field import CorticalField
from ..seeds import generator
from .saying import known_mistake, number, say, unanswered


def check_correlation(function: object, field: CorticalField) -> bool:
    """Check a function of two arrays of counts that returns their Pearson correlation."""
    if function is None:
        return unanswered()
    one, other = event_counts(field.spike_times[:2], bin_width=5.0).astype(float)  # so wide that counts differ
    right = float(np.corrcoef(one, other)[0, 1])
    try:
        value = function(one.copy(), other.copy())
    except Exception as error:
        return say(False, f"It raises {type(error).__name__}: {error}")
    if not isinstance(value, Real):
        return say(False, f"It gives {type(value).__name__}; expected one number. Is there a return?")
    if abs(value - right) < 1e-9:
        moved = float(function(3 * one + 5, other.copy()))
        return say(abs(moved - right) < 1e-9, f"{right:.4f}; and 3 x + 5 in place of x gives {moved:.4f}.")
    covariance = float(np.mean((one - one.mean()) * (other - other.mean())))
    mistakes = {
        covariance: "That is the covariance; divide by both standard deviations.",
        covariance / (one.var() * other.var()): "You divided by the variances, not by the standard deviations.",
        float(np.mean(one * other)): "Subtract each mean first.",
        right * len(one): "That is T times too large: mean above, or sum below the line as well.",
        float(one @ other / np.sqrt((one @ one) * (other @ other))): "That is the cosine: subtract each mean first.",
        -right: "The sign is wrong.",
    }
    for wrong, why in mistakes.items():
        if abs(value - wrong) < 1e-9:
            return say(False, why)
    if abs(value / right - 1) < 0.01:
        return say(False, "Almost: divide by T, or by T − 1, the same above and below the line.")
    return say(False, f"It gives {value:.6f} for neurons 0 and 1 in bins of 5 s; expected {right:.6f}.")


def check_sttc(answer: float | None, p_a: float, p_b: float, t_a: float, t_b: float) -> bool:
    """Check a spike time tiling coefficient worked out from its four ingredients."""
    value = number(answer)
    if value is None:
        return False

    def formula(p_a: float, p_b: float, t_a: float, t_b: float) -> float:
        return 0.5 * ((p_a - t_b) / (1 - p_a * t_b) + (p_b - t_a) / (1 - p_b * t_a))

    right, own_tiles = formula(p_a, p_b, t_a, t_b), formula(p_a, p_b, t_b, t_a)
    if abs(value - right) < 4e-3:
        return say(True, f"{right:.4f}.")
    mistakes = {
        100 * right: "That is in per cent; the coefficient lies between −1 and 1.",
        own_tiles: "You took A's own tiles: P_A is compared with T_B, the tiles of the *other* neuron.",
        2 * right: "You forgot the ½.",
        0.5 * ((p_a - t_b) + (p_b - t_a)): "You forgot the denominators 1 − P T.",
        -right: "The sign is wrong: coincidences above chance count positively.",
    }
    if known_mistake(value, mistakes, 0.02):
        return False
    way = "high" if value > right else "low"
    return say(False, f"{value:g} is too {way}; put the numbers into the formula above.")


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
    if abs(mean) < 0.006:
        return say(True, f"{told} Tiles of 2 Δt then cover as much time as the frames that they reach.")
    return say(False, f"{told} Compare the share of time that a tile covers with the frames that lie within it.")
