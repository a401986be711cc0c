"""Checks of the exercises: each prints what is right or wrong and where to look, and returns whether all is right."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
import pandas as pd

from .activity import correlation, event_counts, frame_length, shifted, spike_time_tiling_coefficient
from .field import MICRONS_VOXEL_UM, CorticalField
from .seeds import generator
from .tasks import get_task
from .variants import CHOICES, PUBLISHED_VARIANTS, VARIANTS, isolating_pairs


def _say(right: bool, message: str) -> bool:
    print(("✓ " if right else "✗ ") + message)
    return right


def _unanswered() -> bool:
    print("… not answered yet: replace None above and run the cell again. You can also go on without.")
    return False


def check_memoryless_ceiling(answer: float | None, task: str) -> bool:
    """Check the highest accuracy that a task allows without memory."""
    if answer is None:
        return _unanswered()
    task = get_task(task)
    right = task.memoryless_ceiling()
    try:
        answer = float(answer)
    except (TypeError, ValueError):
        return _say(False, f"{answer!r} is not a number; expected a share between 0 and 1.")
    if abs(answer - right) < 1e-3:
        return _say(
            True,
            f"{right:.3f}. A network that scores this on {task.title} may have learned no memory at all.",
        )
    if not 0 <= answer <= 1:
        return _say(False, f"{answer:g} is not a share between 0 and 1.")
    if abs(answer - 1 / task.classes) < 1e-3:
        return _say(
            False,
            f"{answer:.3f} is blind guessing among {task.classes} answers; what does the last phase show?",
        )
    if abs(answer - task.best_ceiling()) < 1e-3:
        return _say(False, f"{answer:.3f} is what perfect use of the whole trial allows; here the past is gone.")
    return _say(
        False,
        f"{answer:g} is too {'high' if answer > right else 'low'}: "
        "count, type by type, how often the best guess is right.",
    )


def _number(answer: object) -> float | None:
    """Turn an answer into a number, or say what it lacks to be one."""
    if answer is None:
        _unanswered()
        return None
    try:
        return float(answer)
    except (TypeError, ValueError):
        _say(False, f"{answer!r} is not a number.")
        return None


def _known_mistake(value: float, mistakes: dict[float, str], tolerance: float = 0.01) -> bool:
    """Say which mistake gives this value, if one does."""
    why = next((why for wrong, why in mistakes.items() if _near(value, wrong, tolerance)), None)
    return why is not None and not _say(False, f"{value:g}. {why}")


def _near(value: float, right: float, tolerance: float = 1e-3) -> bool:
    return abs(value - right) <= tolerance * max(abs(right), 1e-12)


# Notebook 01


def check_density(answer: float | None, field: CorticalField) -> bool:
    """Check the share of ordered pairs of different neurons that are connected."""
    value = _number(answer)
    if value is None:
        return False
    n, connected, synapses = field.neurons, (field.connectome > 0).sum(), field.connectome.sum()
    right = connected / (n * (n - 1))
    if _near(value, right):
        return _say(True, f"{right:.4f}: about one ordered pair in {round(1 / right)}.")
    mistakes = {
        connected / n**2: "You divided by N²: a neuron and itself are no pair of different neurons.",
        2 * right: "You divided by N (N − 1) / 2: from i to j and from j to i are two ordered pairs.",
        synapses / (n * (n - 1)): "You added synapses: a pair with three synapses is still one connected pair.",
        100 * right: "That is in per cent; give a share between 0 and 1.",
        1 / right: "That is one pair in so many; give the share itself.",
        float(connected): "That is how many pairs are connected; what share of all ordered pairs is it?",
    }
    if _known_mistake(value, mistakes):
        return False
    return _say(False, f"{value:g} is too {'high' if value > right else 'low'}: count entries above 0, then pairs.")


def check_distance(answer: float | None, field: CorticalField, first: int, second: int) -> bool:
    """Check the distance between two somata in µm, computed from positions in voxels."""
    value = _number(answer)
    if value is None:
        return False
    gap = field.positions[first] - field.positions[second]  # µm
    right = float(np.linalg.norm(gap))
    if abs(value - right) < 0.5:
        return _say(True, f"{right:.1f} µm.")
    voxels = gap / np.array(field.voxel_size)
    mistakes = {
        float(np.linalg.norm(voxels)): "That is in voxels, which are ten times longer along z than along x.",
        float(np.linalg.norm(voxels)) * 0.004: "You took all three edges of a voxel as 4 nm; along z it is 40 nm.",
        1000 * right: "That is in nanometres; 1 µm is 1,000 nm.",
        float(np.abs(gap).sum()): "You added the three differences; the straight line is shorter.",
        right**2: "That is the squared distance.",
    }
    if _known_mistake(value, mistakes):
        return False
    return _say(False, f"{value:g} is not it: scale each axis to µm, subtract, and take the length.")


def check_in_degree(answer: object, field: CorticalField) -> bool:
    """Check how many neurons synapse onto each neuron, shape (N,)."""
    if answer is None:
        return _unanswered()
    try:
        value = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return _say(False, "That is not an array of numbers.")
    connected = field.connectome > 0
    if value.shape != (field.neurons,):
        return _say(False, f"Its shape is {value.shape}; expected one number per neuron, ({field.neurons},).")
    if np.array_equal(value, connected.sum(axis=0)):
        return _say(True, "Column j of the connectome holds what arrives at neuron j.")
    if np.array_equal(value, connected.sum(axis=1)):
        return _say(
            False, "Those are the partners *out*: row i holds what neuron i sends. Which axis is left to sum?"
        )
    if np.array_equal(value, field.connectome.sum(axis=0)):
        return _say(False, "Those are synapses; a partner with three synapses is one partner.")
    return _say(False, "Right shape, wrong numbers: count, for each column, the entries above 0.")


# Notebook 02


def check_correlation(function: object, field: CorticalField) -> bool:
    """Check a function of two arrays of counts that returns their Pearson correlation."""
    if function is None:
        return _unanswered()
    one, other = event_counts(field.spike_times[:2], bin_width=5.0).astype(float)  # so wide that counts differ
    right = float(np.corrcoef(one, other)[0, 1])
    try:
        value = function(one.copy(), other.copy())
    except Exception as error:
        return _say(False, f"It raises {type(error).__name__}: {error}")
    if not isinstance(value, Real):
        return _say(False, f"It gives {type(value).__name__}; expected one number. Is there a return?")
    if abs(value - right) < 1e-9:
        moved = float(function(3 * one + 5, other.copy()))
        return _say(abs(moved - right) < 1e-9, f"{right:.4f}; and 3 x + 5 in place of x gives {moved:.4f}.")
    covariance = float(np.mean((one - one.mean()) * (other - other.mean())))
    mistakes = {
        covariance: "That is the covariance; divide by both standard deviations.",
        covariance / (one.var() * other.var()): "You divided by the variances, not by the standard deviations.",
        float(np.mean(one * other)): "Subtract each mean first.",
        float(one @ other / np.sqrt((one @ one) * (other @ other))): "That is the cosine: subtract each mean first.",
        -right: "The sign is wrong.",
    }
    for wrong, why in mistakes.items():
        if abs(value - wrong) < 1e-9:
            return _say(False, why)
    if abs(value / right - 1) < 0.01:
        return _say(False, "Almost: divide by T, or by T − 1, the same above and below the line.")
    return _say(False, f"It gives {value:.6f} for neurons 0 and 1 in bins of 5 s; expected {right:.6f}.")


def check_sttc(answer: float | None, p_a: float, p_b: float, t_a: float, t_b: float) -> bool:
    """Check a spike time tiling coefficient worked out from its four ingredients."""
    value = _number(answer)
    if value is None:
        return False

    def formula(p_a: float, p_b: float, t_a: float, t_b: float) -> float:
        return 0.5 * ((p_a - t_b) / (1 - p_a * t_b) + (p_b - t_a) / (1 - p_b * t_a))

    right, own_tiles = formula(p_a, p_b, t_a, t_b), formula(p_a, p_b, t_b, t_a)
    if abs(value - right) < 4e-3:
        return _say(True, f"{right:.4f}.")
    mistakes = {
        100 * right: "That is in per cent; the coefficient lies between −1 and 1.",
        own_tiles: "You took A's own tiles: P_A is compared with T_B, the tiles of the *other* neuron.",
        2 * right: "You forgot the ½.",
        0.5 * ((p_a - t_b) + (p_b - t_a)): "You forgot the denominators 1 − P T.",
        -right: "The sign is wrong: coincidences above chance count positively.",
    }
    if _known_mistake(value, mistakes, 0.02):
        return False
    way = "high" if value > right else "low"
    return _say(False, f"{value:g} is too {way}; put the numbers into the formula above.")


def check_chance_free_tile(answer: float | None, field: CorticalField) -> bool:
    """Check a Δt at which the mean STTC of trains that do not know of each other is near 0."""
    tile = _number(answer)
    if tile is None:
        return False
    if not 0 < tile <= 1:
        return _say(False, f"Δt = {tile:g} s; choose one above 0 and up to 1 s.")
    trains = shifted(field.spike_times, generator(0, "shifts"), frame_length(field.spike_times))
    values = spike_time_tiling_coefficient(trains, tile)[np.triu_indices(len(trains), 1)]
    mean = values.mean()
    told = f"At Δt = {tile:g} s, {len(trains)} shifted trains have a mean STTC of {mean:+.4f}."
    if abs(mean) < 0.006:
        return _say(True, f"{told} Tiles of 2 Δt then cover as much time as the frames that they reach.")
    return _say(False, f"{told} Compare the share of time that a tile covers with the frames that lie within it.")


# Notebook 13


def check_positions(answer: object, voxels: np.ndarray) -> bool:
    """Check positions in µm made from positions in voxels of 8 × 8 × 30 nm, shape (N, 3)."""
    if answer is None:
        return _unanswered()
    try:
        value = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return _say(False, "That is not an array of numbers.")
    right = np.asarray(voxels) * (0.008, 0.008, 0.030)
    if value.shape != right.shape:
        hint = " Rows are neurons, columns x, y, z." if value.shape == right.shape[::-1] else ""
        return _say(False, f"Its shape is {value.shape}; expected {right.shape}.{hint}")
    if np.allclose(value, right):
        return _say(True, "Positions in µm.")
    if np.allclose(value, right * 1000):
        return _say(False, "Those are nanometres; 1 µm is 1,000 nm.")
    if np.allclose(value, np.asarray(voxels) * MICRONS_VOXEL_UM):
        return _say(False, "Those are the edges of a MICrONS voxel; these ones are 8 × 8 × 30 nm.")
    return _say(False, "Right shape, wrong scale: multiply each column by its own edge length in µm.")


def check_own_field(answer: object) -> bool:
    """Check that an answer is a field made by the learner, with events and at least 10 neurons."""
    if answer is None:
        return _unanswered()
    if not isinstance(answer, CorticalField):
        return _say(False, f"That is a {type(answer).__name__}; field_from_events returns a CorticalField.")
    if answer.neurons < 10:
        return _say(False, f"It has {answer.neurons} neurons; make at least 10.")
    if answer.spike_times is None or not sum(map(len, answer.spike_times)):
        return _say(False, "It has no events, so its correlations mean nothing.")
    if answer.synthetic:
        return _say(False, "That one was made by the library; make one from your own positions, synapses and events.")
    if np.abs(answer.correlation - correlation(event_counts(answer.spike_times))).max() > 1e-6:
        return _say(False, "Its correlations are not those of its events; let field_from_events compute them.")
    wired = "" if answer.connectome.any() else " It has no connection, so C* cannot pull towards any."
    return _say(True, f"{answer.name}: {answer.neurons} neurons, ready for every other notebook.{wired}")


def check_neurons_needed(answer: float | None, share: float, effect: float, sigmas: float = 4.0) -> bool:
    """Check how many neurons it takes until an excess of `effect` SD stands `sigmas` standard errors above 0."""
    value = _number(answer)
    if value is None:
        return False
    synapses = (sigmas / effect) ** 2
    right = (1 + np.sqrt(1 + 4 * synapses / share)) / 2
    if abs(value - right) <= 0.05 * right:
        return _say(True, f"{right:.1f}, so {np.ceil(right):.0f} neurons, which have {synapses:.0f} connected pairs.")
    if abs(value - synapses) <= 0.05 * synapses:
        return _say(False, f"{value:g} is how many connected pairs it takes. How many neurons have that many?")
    if abs(value - np.sqrt(2 * synapses / share)) <= 0.05 * right:
        return _say(False, "You counted unordered pairs; from i to j and from j to i can each be connected.")
    way = "many" if value > right else "few"
    return _say(False, f"{value:g} is too {way}. Find the pairs from {effect:g} = {sigmas:g} / √(pairs) first.")


# Notebook 09


def check_twelfth_variant(answer: str | None) -> bool:
    """Check which unpublished variant adds the most pairs that differ in one choice and in nothing else."""
    if answer is None:
        return _unanswered()

    def pairs(variants: Sequence[str]) -> int:
        return sum(len(isolating_pairs(choice, variants)) for choice in CHOICES)

    if answer in PUBLISHED_VARIANTS:
        return _say(False, f"{answer} is among the eleven already.")
    others = [v for v in VARIANTS if v not in PUBLISHED_VARIANTS]
    if answer not in others:
        return _say(False, f"{answer!r} is no variant; expected one name, such as 'WC'.")
    added = {v: pairs((*PUBLISHED_VARIANTS, v)) - pairs(PUBLISHED_VARIANTS) for v in others}
    if added[answer] < max(added.values()):
        return _say(False, f"{answer} adds {added[answer]}; another adds more. Count over all three choices.")
    return _say(True, f"{answer} adds {added[answer]} pairs to the {pairs(PUBLISHED_VARIANTS)} among the eleven.")


def check_cliffs_delta(answer: float | None, first: np.ndarray, second: np.ndarray) -> bool:
    """Check Cliff's delta of two small groups, worked out by hand."""
    value = _number(answer)
    if value is None:
        return False
    a, b = np.asarray(first)[:, None], np.asarray(second)
    above, below, pairs = (a > b).mean(), (a < b).mean(), a.size * b.size
    if abs(value - (above - below)) < 5e-3:
        told = f"the first is larger in {above:.0%} of the pairs and smaller in {below:.0%}."
        return _say(True, f"{above - below:+.3f}: {told}")
    if not -1 <= value <= 1:
        return _say(False, f"{value:g} lies outside −1 … 1.")
    mistakes = {
        below - above: "The sign is wrong: delta is positive where the *first* group is larger.",
        above: "That is the share of pairs in which the first is larger; take off those in which it is smaller.",
        above + (1 - above - below) / 2: "That is P(a > b) with ties halved, from 0 to 1; delta runs from −1 to 1.",
        float(a.mean() - b.mean()): "That is the difference of the means; delta counts pairs.",
    }
    if _known_mistake(value, mistakes):
        return False
    return _say(False, f"{value:g} is not it: of {pairs} pairs, count the larger less the smaller, over {pairs}.")


def check_median_epochs(answer: float | None, found: pd.DataFrame) -> bool:
    """Check by which epoch half of all runs have learned, those that never do included.

    Parameters
    ----------
    answer : float or None
        ``inf`` where half of them never do.
    found : DataFrame
        Rows of :func:`biornn_lite.statistics.epochs_to_learn`.
    """
    value = _number(answer)
    if value is None:
        return False
    epochs = np.sort(found["epochs"].astype(float).where(found["learned"], np.inf).to_numpy())
    right = float(epochs[(len(epochs) - 1) // 2])
    learned = found.loc[found["learned"], "epochs"]
    if value == right and np.isfinite(right):
        return _say(True, f"By epoch {right:g}, half of the {len(epochs)} runs are there.")
    if value == right:
        return _say(True, f"Only {len(learned)} of {len(epochs)} runs learn: no epoch of the study has half of them.")
    if len(learned) and value in (learned.median(), np.floor(learned.median())):
        return _say(False, f"That is the median of the {len(learned)} runs that learned; the others count too.")
    if value == found["epochs"].median():
        return _say(False, "You took runs that never learned as if they had in the last epoch.")
    if value == found["epochs"].mean():
        return _say(False, "That is a mean, and of runs that never learned it knows only that it took longer.")
    way = "late" if value > right else "early"
    return _say(False, f"{value:g} is too {way}: sort the epochs, with those that never learned at the end.")


# Notebook 10


def check_lost_step(answer: float | None, radius: float, first: float, largest: float) -> bool:
    """Check in which step an activity that starts at `first` and grows `radius`-fold exceeds `largest`."""
    value = _number(answer)
    if value is None:
        return False
    growths = np.log(largest / first) / np.log(radius)
    right = int(np.floor(growths)) + 2  # step 1 is `first` itself
    if growths - 0.1 <= value <= right + 1:
        return _say(True, f"Step {right}: {growths:.1f} times {radius:g}-fold from {first:g} makes {largest:.1e}.")
    mistakes = {
        np.log10(largest / first): "That is the number of powers of ten; how many does one step add?",
        largest / (first * radius): "Activity is multiplied at each step, not added to.",
        np.log(largest / first): "That is ln(largest / first); divide by ln(radius).",
    }
    if _known_mistake(value, mistakes, 0.03):
        return False
    way = "late" if value > right else "early"
    return _say(False, f"{value:g} is too {way}: solve first · radiusⁿ = largest for n.")


def check_nan_accuracy(answer: float | None, shares: Sequence[float]) -> bool:
    """Check the accuracy that is written down for a network whose answers are all NaN.

    Parameters
    ----------
    answer : float or None
    shares : sequence of float
        Of trials in which each answer is the right one.
    """
    value = _number(answer)
    if value is None:
        return False
    right = shares[0]
    if _near(value, right):
        return _say(True, f"{right:g}: the share of trials whose answer is the first, and nothing of it was learned.")
    mistakes = {
        0.0: "The computer does give an answer: the first of several that are all NaN counts as the largest.",
        1 / len(shares): "So much a network gets that guesses blindly; this one always answers the same.",
        float(np.square(shares).sum()): "That guesses each answer as often as it occurs; this one never varies.",
        shares[-1]: "That is the last answer's; among equals the computer names the first.",
        1.0: "It is right only where the first answer happens to be the right one.",
    }
    if _known_mistake(value, mistakes):
        return False
    return _say(False, f"{value:g}: the network always gives one and the same answer. How often is that one right?")


def check_largest_network(answer: float | None, steps: int, first: float, largest: float) -> bool:
    """Check how many neurons a clipped orthogonal network may have so that `steps` steps stay below `largest`."""
    value = _number(answer)
    if value is None:
        return False
    radius = (largest / first) ** (1 / (steps - 1))
    right = 2 * np.pi * radius**2
    if abs(value - right) <= 0.08 * right:
        return _say(True, f"About {right:.0f}: their spectral radius is {radius:.2f}, and {steps} steps just fit.")
    mistakes = {
        radius: "That is the spectral radius that just fits; how many neurons have it, with ρ = √(N / 2π)?",
        radius**2: "You took ρ = √N; it is √(N / 2π).",
        2 * np.pi * radius: "ρ grows with the *root* of N: square it.",
    }
    if _known_mistake(value, mistakes, 0.05):
        return False
    way = "many" if value > right else "few"
    return _say(False, f"{value:g} is too {way}. First find ρ from first · ρ^{steps - 1} = largest, then N from ρ.")
