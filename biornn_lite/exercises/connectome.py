"""Checks of the exercises in notebook 01."""

from __future__ import annotations

import numpy as np

from ..field import MICRONS_VOXEL_UM, CorticalField
from .saying import array, graded, graded_array, say


def check_density(answer: float | None, field: CorticalField) -> bool:
    """Check the share of ordered pairs of different neurons that are connected."""
    n, connected, synapses = field.neurons, (field.connectome > 0).sum(), field.connectome.sum()
    right = connected / (n * (n - 1))
    told = f"{right:.4f}: about one ordered pair in {1 / right:.0f}."
    mistakes = {
        connected / n**2: "You divided by N²: a neuron and itself are no pair of different neurons.",
        2 * right: "You divided by N (N − 1) / 2: from i to j and from j to i are two ordered pairs.",
        synapses / (n * (n - 1)): "You added synapses: a pair with three synapses is still one connected pair.",
        100 * right: "That is in per cent; give a share between 0 and 1.",
        1 / right: "That is one pair in so many; give the share itself.",
        float(connected): "That is how many pairs are connected; what share of all ordered pairs is it?",
    }
    hint = "{value:g} is too {way}: count entries above 0, then pairs."
    return graded(answer, right, told, mistakes, hint, tolerance=0.01)


def check_distance(answer: float | None, one: np.ndarray, other: np.ndarray) -> bool:
    """Check the distance in µm between two somata whose positions count voxels of 4 × 4 × 40 nm."""
    voxels = np.asarray(one) - np.asarray(other)
    gap = voxels * MICRONS_VOXEL_UM
    right = float(np.linalg.norm(gap))
    told = f"{right:.1f} µm."
    mistakes = {
        float(np.linalg.norm(gap[:2])): "You left out z; neurons differ along all three axes.",
        float(np.linalg.norm(voxels)): "That is in voxels, which are ten times longer along z than along x.",
        float(np.linalg.norm(voxels)) * 0.004: "You took all three edges of a voxel as 4 nm; along z it is 40 nm.",
        1000 * right: "That is in nanometres; 1 µm is 1,000 nm.",
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
