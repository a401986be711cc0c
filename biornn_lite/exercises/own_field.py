"""Checks of the exercises in notebook 13."""

from __future__ import annotations

import numpy as np

from ..activity import correlation, event_counts
from ..field import MICRONS_VOXEL_UM, CorticalField
from .saying import number, say, unanswered


def check_positions(answer: object, voxels: np.ndarray) -> bool:
    """Check positions in µm made from positions in voxels of 8 × 8 × 30 nm, shape (N, 3)."""
    if answer is None:
        return unanswered()
    try:
        value = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return say(False, "That is not an array of numbers.")
    right = np.asarray(voxels) * (0.008, 0.008, 0.030)
    if value.shape != right.shape:
        hint = " Rows are neurons, columns x, y, z." if value.shape == right.shape[::-1] else ""
        return say(False, f"Its shape is {value.shape}; expected {right.shape}.{hint}")
    if np.allclose(value, right):
        return say(True, "Positions in µm.")
    if np.allclose(value, right * 1000):
        return say(False, "Those are nanometres; 1 µm is 1,000 nm.")
    if np.allclose(value, np.asarray(voxels) * MICRONS_VOXEL_UM):
        return say(False, "Those are the edges of a MICrONS voxel; these ones are 8 × 8 × 30 nm.")
    return say(False, "Right shape, wrong scale: multiply each column by its own edge length in µm.")


def check_own_field(answer: object) -> bool:
    """Check that an answer is a field made by the learner, with events and at least 10 neurons."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, CorticalField):
        return say(False, f"{type(answer).__name__!r} was given; field_from_events returns a CorticalField.")
    if answer.neurons < 10:
        return say(False, f"It has {answer.neurons} neurons; make at least 10.")
    if answer.spike_times is None or not sum(map(len, answer.spike_times)):
        return say(False, "It has no events, so its correlations mean nothing.")
    if answer.synthetic:
        return say(False, "That one was made by the library; make one from your own positions, synapses and events.")
    if np.abs(answer.correlation - correlation(event_counts(answer.spike_times))).max() > 1e-6:
        return say(False, "Its correlations are not those of its events; let field_from_events compute them.")
    wired = "" if answer.connectome.any() else " It has no connection, so C* cannot pull towards any."
    return say(True, f"{answer.name}: {answer.neurons} neurons, ready to be trained on.{wired}")


def check_neurons_needed(answer: float | None, share: float, effect: float, sigmas: float = 4.0) -> bool:
    """Check how many neurons it takes until an excess of `effect` SD stands `sigmas` standard errors above 0."""
    value = number(answer)
    if value is None:
        return False
    synapses = (sigmas / effect) ** 2
    right = (1 + np.sqrt(1 + 4 * synapses / share)) / 2
    if abs(value - right) <= 0.05 * right:
        return say(True, f"{right:.1f}, so {np.ceil(right):.0f} neurons, which have {synapses:.0f} connected pairs.")
    if abs(value - synapses) <= 0.05 * synapses:
        return say(False, f"{value:g} is how many connected pairs it takes. How many neurons have that many?")
    if abs(value - np.sqrt(2 * synapses / share)) <= 0.05 * right:
        return say(False, "You counted unordered pairs; from i to j and from j to i can each be connected.")
    way = "many" if value > right else "few"
    return say(False, f"{value:g} is too {way}. Find the pairs from {effect:g} = {sigmas:g} / √(pairs) first.")
