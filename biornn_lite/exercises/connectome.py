"""Checks of the exercises in notebook 01."""

from __future__ import annotations

import numpy as np

from ..field import MICRONS_VOXEL_UM, CorticalField
from ..seeds import generator
from .saying import array, array_from, graded, graded_array, say


def check_density(answer: float | None, field: CorticalField, first: int) -> bool:
    """Check the share of connected pairs among the first neurons of a field: ordered pairs of different neurons."""
    n, connectome = first, field.connectome[:first, :first]
    connected, synapses = (connectome > 0).sum(), connectome.sum()
    right = connected / (n * (n - 1))
    told = f"{right:.4f}: about one ordered pair in {1 / right:.0f}."
    mistakes = {
        connected / n**2: "You divided by N²: a neuron and itself are no pair of different neurons.",
        2 * right: "You divided by N (N − 1) / 2: from i to j and from j to i are two ordered pairs.",
        synapses / (n * (n - 1)): "You added synapses: a pair with three synapses is still one connected pair.",
        100 * right: "That is in per cent; give a share between 0 and 1.",
        1 / right: "That is one pair in so many; give the share itself.",
        float(connected): "That is how many pairs are connected; what share of all ordered pairs is it?",
        (field.connectome > 0).sum() / (field.neurons * (field.neurons - 1)): (
            "That is the share of the whole field; take its first half, `field.connectome[:half, :half]`."
        ),
    }
    hint = "{value:g} is too {way}: count entries above 0, then pairs."
    return graded(answer, right, told, mistakes, hint, tolerance=0.01)


def check_distance(answer: float | None, one: np.ndarray, other: np.ndarray) -> bool:
    """Check the distance in µm between two somata whose positions count voxels of 4 × 4 × 40 nm."""
    voxels = np.asarray(one) - np.asarray(other)
    gap = voxels * MICRONS_VOXEL_UM
    right = float(np.linalg.norm(gap))
    told = f"{right:.1f} µm."
    if np.array(answer, dtype=object).shape == (3,):
        return say(
            False, "Those are three numbers, one per axis; the distance is one number, the length of the line."
        )
    mistakes = {
        float(np.linalg.norm(gap[:2])): "You left out z; neurons differ along all three axes.",
        float(np.linalg.norm(voxels)): "That is in voxels, which are ten times longer along z than along x.",
        float(np.linalg.norm(voxels)) * 0.004: "You took all three edges of a voxel as 4 nm; along z it is 40 nm.",
        1000 * right: "That is in nanometres; 1 µm is 1,000 nm.",
        right / 1000: "That is in millimetres; 1 mm is 1,000 µm.",
        float(np.abs(gap).sum()): "You added the three differences; the straight line is shorter.",
        right**2: "That is the squared distance.",
    }
    hint = "{value:g} is not it: scale each axis to µm, subtract, and take the length."
    return graded(answer, right, told, mistakes, hint, tolerance=0, absolute=0.5)


def check_in_degree(answer: object, field: CorticalField) -> bool:
    """Check how many neurons synapse onto each neuron, shape (N,)."""
    value = array(answer)
    if value is None:
        return False
    connected = field.connectome > 0
    if value.shape != (field.neurons,):
        return say(False, f"Its shape is {value.shape}; expected one number per neuron, ({field.neurons},).")
    into, out = connected.sum(axis=0), connected.sum(axis=1)
    told = "Column j of the connectome holds what arrives at neuron j."
    mistakes = [
        (out, "Those are the partners *out*: row i holds what neuron i sends. Which axis is left to sum?"),
        (field.connectome.sum(axis=0), "Those are synapses; a partner with three synapses is one partner."),
    ]
    if field.released_rows is not None:
        why = "Those are numbers of the connectome as released, so of other neurons; take `field`."
        mistakes.append(((field.as_released().connectome > 0).sum(axis=0), why))
    hint = "Right shape, wrong numbers: count, for each column, the entries above 0."
    return graded_array(value, into, told, mistakes, hint, np.array_equal)


def check_restored(answer: object, scrambled: np.ndarray, rows: np.ndarray) -> bool:
    """Check a connectome put in the neurons' order, whose row and column r belonged to neuron ``rows[r]``."""
    value = array(answer)
    if value is None:
        return False
    scrambled, rows = np.asarray(scrambled), np.asarray(rows)
    if value.shape != scrambled.shape:
        return say(False, f"Its shape is {value.shape}; expected {scrambled.shape}.")
    right, half, other = (np.empty_like(scrambled) for _ in range(3))
    right[np.ix_(rows, rows)] = scrambled
    half[rows] = scrambled
    other[:, rows] = scrambled
    told = "Row i now holds what neuron i sends, and column j what neuron j receives."
    mistakes = [
        (scrambled, "That is the connectome as it was."),
        (scrambled[np.ix_(rows, rows)], "That goes the other way: row r *goes to* row rows[r]."),
        (half, "Rows are in order, columns are not: who receives has to move too."),
        (other, "Columns are in order, rows are not: who sends has to move too."),
        (scrambled[rows], "Rows went the wrong way, and columns did not move."),
        (right.T, "That is right but for its orientation: rows send, columns receive."),
    ]
    hint = "Right shape, wrong places: entry [r, s] belongs at [rows[r], rows[s]]."
    if not value.any():
        hint = "All zeros: an assignment to a[rows][:, rows] fills a copy. np.ix_(rows, rows) names both."
    return graded_array(value, right, told, mistakes, hint, np.array_equal)


def check_shared(function: object) -> bool:
    """Check a function of the nucleus ids and connectomes of two fields, which counts pairs of shared neurons.

    It returns two numbers: pairs that are connected in both fields, and in one field only.
    """
    for neurons, shared in ((10, 6), (9, 5), (5, 0), (12, 12)):
        given = _two_fields(neurons, shared)
        found = array_from(function, "ids, connectome, other_ids and other_connectome", *given)
        if found is None:
            return False
        if found.shape != (2,):
            given = "one number" if found.ndim == 0 else f"an array of shape {found.shape}"
            return say(False, f"It returns {given}; expected two numbers.")
        both, in_one = right = _compared(*_among_shared(*given))
        if not np.array_equal(found, right):
            hint = (
                f"For {neurons} neurons in each field, {shared} of them shared, it returns {found[0]:g} and "
                f"{found[1]:g}; expected {both} and {in_one}."
            )
            return graded_array(found, np.array(right), "", _mistakes_of_shared(*given), hint, np.array_equal)
    return say(True, "So two witnesses are compared; `agreement` in the library counts in the same way.")


def _mistakes_of_shared(ids, connectome, other_ids, other) -> list[tuple[tuple[int, int], str]]:
    """Return the two numbers that each known mistake gives, and what to say of it."""
    one, two = _among_shared(ids, connectome, other_ids, other)
    both, in_one = _compared(one, two)
    places, other_places = _places(ids, other_ids)
    synapses = "Compare connections: three synapses here and one there are one pair that is connected in both."
    themselves = "A neuron and itself are no pair of different neurons: leave them out."
    elsewhere = "One connectome is read at the other field's places; find each neuron's own place there by its id."
    in_own_order = "Shared neurons stand in another order in each field: match them by their ids."
    own_orders = np.ix_(*[sorted(places)] * 2), np.ix_(*[sorted(other_places)] * 2)
    misread = [
        (one, other[np.ix_(places, places)], elsewhere),
        (connectome[np.ix_(other_places, other_places)], two, elsewhere),
        (connectome[own_orders[0]], other[own_orders[1]], in_own_order),
    ]
    once = "You took each two neurons once; pairs are ordered: from a to b, and from b to a."
    by_place, by_other_place = np.argsort(places), np.argsort(other_places)
    in_each_order = [(one, two), *((one[np.ix_(p, p)], two[np.ix_(p, p)]) for p in (by_place, by_other_place))]
    everywhere = _connected(connectome).sum() + _connected(other).sum()
    with_itself = _counted(one, two)
    one, two = (np.where(np.eye(len(c), dtype=bool), 0, c) for c in (one, two))
    unlike = (one != two).sum()
    alike = one.size - unlike - len(one)  # of different neurons
    return [
        ((in_one, both), "Right, but the other way round: first *both*, then *one only*."),
        (with_itself, themselves),
        (_compared(connectome, other), "You compared place by place; the ids say which neurons are the same."),
        *((count(a, b), why) for a, b, why in misread for count in (_compared, _counted)),
        (_compared(one, two.T), "You turned one of the connectomes round: rows send in both."),
        *((_compared(np.triu(a), np.triu(b)), once) for a, b in in_each_order),
        ((both, everywhere - 2 * both), "Only pairs of which *both* neurons are shared can be compared."),
        ((both, (one > 0).sum() - both), "In one only: of either field, not of the first alone."),
        ((both, (two > 0).sum() - both), "In one only: of either field, not of the second alone."),
        ((both, both + in_one), "A pair that is in both is not in *one only*."),
        ((np.minimum(one, two).sum(), abs(one - two).sum()), synapses),
        ((both, abs(one - two).sum()), synapses),
        (((one * two).sum(), unlike), synapses),
        *(((first, unlike), synapses) for first in (both, alike, one[two > 0].sum(), two[one > 0].sum())),
    ]


def _two_fields(neurons: int, shared: int) -> list[np.ndarray]:
    """Make the ids (N,) and connectome (N, N) of a field, and those of another one that shares some neurons.

    Some neurons synapse onto themselves, as some do in cortex.
    """
    rng, made = generator(neurons, "two fields that share neurons"), []
    for own in (100, 200):
        ids = np.concatenate([np.arange(shared), own + np.arange(neurons - shared)])
        made += [rng.permutation(ids), rng.poisson(0.7, (neurons, neurons))]
    return made


def _places(ids, other_ids) -> list[list[int]]:
    """Return the places of shared neurons in each of two fields, in the same order."""
    both = sorted({*ids} & {*other_ids})
    return [[list(those).index(neuron) for neuron in both] for those in (ids, other_ids)]


def _among_shared(ids, connectome, other_ids, other) -> tuple[np.ndarray, np.ndarray]:
    """Return both connectomes of the neurons that two fields share, in the same order."""
    here, there = _places(ids, other_ids)
    return connectome[np.ix_(here, here)], other[np.ix_(there, there)]


def _connected(connectome: np.ndarray) -> np.ndarray:
    """Say which ordered pairs of different neurons are connected, shape (N, N)."""
    return (connectome > 0) & ~np.eye(len(connectome), dtype=bool)


def _compared(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Count the ordered pairs of different neurons connected in both of two connectomes, and in one only."""
    return _counted(_connected(one), _connected(other))


def _counted(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Count the entries that are above 0 in both of two matrices, and in one only."""
    here, there = one > 0, other > 0
    return int((here & there).sum()), int((here != there).sum())
