"""Checks of the exercises in notebook 13."""

from __future__ import annotations

import numpy as np

from ..activity import BIN_SECONDS, correlation, event_counts, recording_end
from ..field import MICRONS_VOXEL_UM, CorticalField
from .saying import array, graded_array, number, say, unanswered


def check_positions(answer: object, voxels: np.ndarray) -> bool:
    """Check positions in µm made from positions in voxels of 8 × 8 × 30 nm, shape (N, 3)."""
    value = array(answer)
    if value is None:
        return False
    voxels = np.asarray(voxels)
    right = voxels * (0.008, 0.008, 0.030)
    if value.shape != right.shape:
        why = " Rows are neurons, columns x, y, z." if value.shape == right.shape[::-1] else ""
        return say(False, f"Its shape is {value.shape}; expected {right.shape}.{why}")
    mistakes = [
        (right * 1000, "Those are nanometres; 1 µm is 1,000 nm."),
        (voxels * MICRONS_VOXEL_UM, "Those are the edges of a MICrONS voxel; these ones are 8 × 8 × 30 nm."),
        (voxels * (0.030, 0.008, 0.008), "The long edge, 30 nm, is that of z, the last column."),
        (voxels * 0.008, "A voxel is no cube: its edge along z is 30 nm."),
    ]
    hint = "Right shape, wrong scale: multiply each column by its own edge length in µm."
    return graded_array(value, right, "Positions in µm.", mistakes, hint)


def _shift(train: np.ndarray, other: np.ndarray) -> float | None:
    """Find by how much a train was moved in time, past the end around to the start; None if it was not moved so.

    All its events must have moved by the same amount up to a bin, since an answer may have rounded them to frames.

    Parameters
    ----------
    train, other : ndarray, shape (events,)
        Before and after, seconds, in increasing order.
    """
    events, few = len(train), min(len(train) - 1, 8)
    if events < 1:
        return 0.0

    def alike(before: np.ndarray, after: np.ndarray) -> np.ndarray | bool:
        return np.ptp(after - before, axis=-1) <= BIN_SECONDS

    starts = np.arange(events)  # of ``train``: the event that comes first in ``other``
    whole = starts[: events - few]
    near = alike(train[whole[:, None] + np.arange(few + 1)], other[: few + 1])
    for k in (*whole[near], *starts[events - few :]):
        head, tail = other[: events - k], other[events - k :]  # the head may have gone around
        if alike(train[k:], head) and (k == 0 or alike(train[:k], tail)):
            return float(np.mean(tail - train[:k]) if k else np.mean(head - train))
    return None


def _moved_by_its_own(before: list[np.ndarray], after: list[np.ndarray], end: float) -> str | None:
    """Say what keeps trains from being moved by an amount of each one's own in a recording that lasts ``end``."""
    if recording_end(after) > 1.05 * end:
        return (
            f"Its recording lasts {recording_end(after):,.0f} s, the field's {end:,.0f}: carry what moves past the "
            "end around to its start, by % end."
        )
    shifts = [_shift(*trains) for trains in zip(before, after, strict=True)]
    if None in shifts:
        i = shifts.index(None)
        same = (len(train) == len(after[i]) and _shift(train, after[i]) is not None for train in before)
        if any(same):
            return "A train went to another neuron: who shares with whom is new, what is shared is not."
        return f"What neuron {i} has is not its train moved in time: the gaps between its events are others."
    still = sum(abs(shift) < BIN_SECONDS / 10 for shift in shifts)
    if max(1, 0.02 * len(shifts)) < still < len(shifts):  # one may stay, or come back by chance
        return f"{still} of {len(shifts)} trains have not moved; move each by an amount of its own."
    i, j = np.triu_indices(len(shifts), 1)
    apart = np.subtract(*np.array(shifts)[[i, j]]) % end
    apart = np.minimum(apart, end - apart)  # (pairs,)
    told = "They still know of each other: move each neuron's events by an amount of its own."
    if still == len(shifts):
        return f"Its trains have not moved. {told}"
    if apart.max(initial=0) < BIN_SECONDS:
        return f"All trains moved by the same amount. {told}"
    if (apart < 1).mean() > 0.05 + 4 / end:  # by chance it is 2 / end
        return f"Many pairs of trains moved by nearly the same amount. {told}"
    return None


def check_control_field(answer: object, field: CorticalField) -> bool:
    """Check a field like `field` in all but one thing: its neurons know nothing of each other."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, CorticalField):
        return say(False, f"{type(answer).__name__!r} was given; field_from_events returns a CorticalField.")
    if answer.neurons != field.neurons:
        return say(False, f"It has {answer.neurons} neurons; a control has as many as the field, {field.neurons}.")
    for key in ("positions", "connectome"):
        if not np.array_equal(getattr(answer, key), getattr(field, key)):
            return say(False, f"Other {key} than the field's: a control differs in one thing only.")
    if answer.spike_times is None or not sum(map(len, answer.spike_times)):
        return say(False, "It has no events, so its correlations mean nothing.")
    events, wanted = ([len(train) for train in each.spike_times] for each in (answer, field))
    if events != wanted:
        if sorted(events) == sorted(wanted):
            return say(
                False, "Each train went to another neuron: who shares with whom is new, what is shared is not."
            )
        return say(False, f"It has {sum(events):,} events, the field {sum(wanted):,}; each neuron keeps its number.")
    if np.abs(answer.correlation - correlation(event_counts(answer.spike_times))).max() > 1e-6:
        return say(False, "Its correlations are not those of its events; let field_from_events compute them.")
    fault = _moved_by_its_own(field.spike_times, answer.spike_times, recording_end(field.spike_times))
    if fault is not None:
        return say(False, fault)
    pairs = np.triu_indices(field.neurons, 1)
    mean, before = answer.correlation[pairs].mean(), field.correlation[pairs].mean()
    told = f"The mean correlation is {mean:.4f}, and {before:.4f} in {field.label}."
    return say(True, f"{told} Weights made from it have a diagonal, and no function.")


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
