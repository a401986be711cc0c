"""Checks of the exercises in notebook 13."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..activity import BIN_SECONDS, correlation, event_counts, recording_end
from ..errors import InputError
from ..field import MICRONS_VOXEL_UM, CorticalField
from ..seeds import generator
from ..weights import relabelled
from .design import Design, ceilings_of
from .design_faults import choices_that_differ, what_is_missing
from .saying import array, graded_array, number, number_from, say, unanswered


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
    if value.is_integer() and 0.95 * right <= value < right - 1e-6:
        pairs = share * value * (value - 1)
        return say(
            False, f"{value:g} neurons have {pairs:.1f} connected pairs, and {synapses:.0f} are needed: round up."
        )
    if abs(value - right) <= 0.05 * right:
        return say(True, f"{right:.1f}, so {np.ceil(right):.0f} neurons, which have {synapses:.0f} connected pairs.")
    if abs(value - synapses) <= 0.05 * synapses:
        return say(False, f"{value:g} is how many connected pairs it takes. How many neurons have that many?")
    if abs(value - np.sqrt(2 * synapses / share)) <= 0.05 * right:
        return say(False, "You counted unordered pairs; from i to j and from j to i can each be connected.")
    way = "many" if value > right else "few"
    return say(False, f"{value:g} is too {way}. Find the pairs from {effect:g} = {sigmas:g} / √(pairs) first.")


DRAWS = 999
"""Number of times that labels are dealt out."""

SINGLE_SYNAPSES = "Single synapses were dealt out. Deal out labels: rows and columns in one new order."

Dealt = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _shuffled(connectome: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    off = ~np.eye(len(connectome), dtype=bool)
    mixed = connectome.copy()
    mixed[off] = rng.permutation(connectome[off])
    return mixed


def _anywhere(connectome: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(connectome.ravel()).reshape(connectome.shape)


def _as_near(
    distances: np.ndarray, connectome: np.ndarray, deal: Dealt, weighted: bool = False
) -> tuple[float, float]:
    """Return the shares of dealt connectomes whose connected pairs are as near as they are, or as far.

    Parameters
    ----------
    distances, connectome : ndarray, shape (N, N)
    deal : callable
        Takes the connectome and a random stream.
    weighted : bool
        Whether a pair counts as often as it has synapses.
    """
    rng = generator(13, "labels dealt out")

    def mean(graph: np.ndarray) -> float:
        return float(np.average(distances, weights=graph if weighted else graph > 0))

    here = mean(connectome)
    there = np.array([mean(deal(connectome, rng)) for _ in range(4 * DRAWS)])
    slack = 1e-9 * here
    return float((there <= here + slack).mean()), float((there >= here - slack).mean())


def _arrangements() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return distances and connectomes that tell right from nearly right: a hub, a cortex, mutual pairs, ties."""
    rng = generator(13, "exercise", "labels")
    made = []
    for kind, n in (("a hub", 30), ("a cortex", 30), ("mutual pairs", 12)):
        places = rng.random((n, 3)) * (400, 400, 100)
        distances = np.linalg.norm(places[:, None] - places, axis=2)
        connectome = np.zeros((n, n), dtype=int)
        if kind == "a hub":  # the neuron that is the fifth nearest to all others, and sends to all
            connectome[np.argsort(distances.mean(axis=1))[4]] = 1
        elif kind == "a cortex":
            connectome = (rng.random((n, n)) < 0.5 * np.exp(-distances / 60)).astype(int)
        else:  # with so few neurons, dealing out rows alone makes many self-connections, at distance 0
            connectome = (rng.random((n, n)) < 0.15).astype(int)
            connectome |= connectome.T
            far = np.argsort(np.where(connectome, distances, 0), axis=None)[-6:]
            connectome.flat[far] = 5  # synapses of each of the three pairs that are farthest apart, both ways
        np.fill_diagonal(connectome, 0)
        made.append((distances, connectome))
    alike = np.ones((12, 12)) - np.eye(12)  # every draw is as near
    return [*made, (alike, made[-1][1])]


def check_relabelling_test(answer: object) -> bool:
    """Check a function of (distances, connectome, rng) that returns the p of a permutation test.

    It deals the neurons' labels out 999 times. p is the share in which connected pairs are as near to each other as
    they are, with the connectome itself among those counted.
    """
    for distances, connectome in _arrangements():
        takes, rng = "distances, a connectome and a random stream", generator(13, "a test of your own")
        value = number_from(answer, takes, distances, connectome, rng=rng, nan=False)
        if value is None:
            return False
        near, far = _as_near(distances, connectome, relabelled)
        if _close(value, (1 + DRAWS * near) / (1 + DRAWS)) and value > 0:
            continue
        entries, _ = _as_near(distances, connectome, _shuffled)
        anywhere, _ = _as_near(distances, connectome, _anywhere)
        weighted, _ = _as_near(distances, connectome, relabelled, weighted=True)
        rows, _ = _as_near(distances, connectome, lambda graph, rng: rng.permutation(graph))
        if near == 1 and value < 0.5:
            why = "Draws in which they are as near count, too: where all distances are equal, p is 1. Take <=."
        elif value <= 0:
            why = (
                "A permutation test never gives 0: the labels as they are count as one of the draws, (1 + k) / 1,000."
            )
        elif value > 1:
            why = "A p is at most 1: divide by the number of draws."
        elif _close(value, far):
            why = "That counts draws in which connected pairs are as *far* apart; count those as near."
        elif _close(value, entries):
            why = SINGLE_SYNAPSES
        elif _close(value, weighted):
            why = "A pair counts once here, however many synapses it has: compare connectome > 0."
        elif _close(value, rows):
            why = "Rows were dealt out and columns not: a neuron has one label, for what it sends and what it gets."
        elif _close(value, anywhere):
            why = SINGLE_SYNAPSES
        elif _close(value, 2 * min(near, far)):
            why = "That asks whether they are nearer *or* farther; count one side only."
        else:
            why = f"p is {value:.3g}, and about {near:.2g} for these 30 neurons: 999 draws, connected pairs as near."
        return say(False, why)
    return say(
        True, "A hub counts as one neuron, however many synapses it has: so labels are dealt out, not synapses."
    )


def _close(value: float, share: float) -> bool:
    """Say whether p can be that of 999 draws with this share, up to four standard errors."""
    return abs(value - share) <= 4.5 * np.sqrt(share * (1 - share) * 1.25 / DRAWS) + 2 / DRAWS


def check_design(answer: object) -> bool:
    """Check whether a design of an experiment has what it needs before it is carried out."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, Design):
        return say(False, f"{type(answer).__name__!r} was given; a Design is needed.")
    try:
        missing = what_is_missing(answer)
    except (InputError, AttributeError, TypeError) as error:
        return say(False, f"It cannot be carried out: {error}.")
    for fault in missing:
        say(False, fault)
    if missing:
        return False
    networks = answer.runs * len(answer.study.variants)
    low, high = ceilings_of(answer)
    told = [
        f"{networks} networks, with controls, ceilings, pairs of runs and a rule. What comes out is open.",
        f"One network that learns by luck moves a mean of {answer.runs} runs by up to "
        f"{(high - low) / answer.runs:.3f}: a difference of means that is not larger may be luck.",
    ]
    if unlike := [
        control.name for control in answer.study.variants[1:] if len(choices_that_differ(answer, control)) > 1
    ]:
        told.append(
            f"More than one thing tells {' and '.join(unlike)} from the start: what differs has several causes."
        )
    if len(answer.controls) == 1:
        told.append("There is one control: if nobody learns, does it show that the task can be learned?")
    if networks > 100:
        told.append("So many take minutes or hours: begin with fewer runs.")
    return say(True, " ".join(told))
