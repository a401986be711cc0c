"""Checks of the exercises in notebook 15."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..fixed_points import solve_in_pattern, time_constant
from ..memory import CUTS
from ..seeds import generator
from ..tasks import Task, get_task
from .saying import array_from, graded, one_number, result_of, say, unanswered

# A fixed point by hand


_W = np.array([[0.2, -0.9, 0.0, 0.9], [-0.8, 0.3, -0.3, 0.8], [-0.2, -0.3, 0.9, 0.7], [-0.2, -1.0, -0.8, 0.2]])
_DRIVE = np.array([0.7, -1.2, 1.5, 0.8])
"""A small network, in which these patterns of active units are right or contradict themselves."""

_RIGHT = np.array([True, False, True, True])
_WRONG = {
    "unit that should be inactive gets more than 0, so it would be active": np.array([True, False, False, True]),
    "unit that should be active comes out below 0, which no state is": np.array([True, True, True, False]),
}
_UNSTABLE = 1.5 * np.eye(4), np.full(4, -0.5), np.array([True, True, False, False])
"""Weights, drive and active units of a point that steps lead away from: the active units are 1."""


def check_fixed_point(answer: object) -> bool:
    """Check a function of (w, drive, active) that returns the fixed point of a pattern, NaN if there is none."""
    w, drive, active = _W, _DRIVE, _RIGHT
    found = array_from(answer, "w, drive and active", w, drive, active)
    if found is None:
        return False
    if found.shape != drive.shape:
        rest = " Give the units that are not active their 0." if found.shape == (active.sum(),) else ""
        return say(False, f"It returns shape {found.shape}; a state of all {len(drive)} units is needed.{rest}")
    right = solve_in_pattern(w, drive, active)
    if not np.allclose(found, right):
        return say(False, _of_point(found, w, drive, active))
    for why, active in _WRONG.items():
        found = array_from(answer, "w, drive and active", w, drive, active)
        if found is None:
            return False
        if found.shape != drive.shape:
            n = len(drive)
            if found.size == 1 and np.isnan(found).all():
                return say(False, f"It returns one NaN; {n} of them are needed, np.full({n}, np.nan) for {n} units.")
            return say(False, f"For a pattern that contradicts itself it returns shape {found.shape}, not {(n,)}.")
        if not np.isnan(found).all():
            listed = np.flatnonzero(active).tolist()
            return say(False, f"With units {listed} active, a {why}: the pattern contradicts itself. Return NaN.")
    found = array_from(answer, "w, drive and active", *_UNSTABLE)
    if found is None:
        return False
    if found.shape != drive.shape or not np.allclose(found, solve_in_pattern(*_UNSTABLE)):
        what = "NaN" if np.isnan(found).all() else "another state"
        return say(False, f"For an unstable point it returns {what}. Steps lead away from such a point, but a step "
                          "from the point itself does not change it. Solve for it, do not simulate.")  # fmt: skip
    count = f"{len(drive)} units have 2^{len(drive)} = {2 ** len(drive)} patterns"
    return say(True, f"{count}. Newton's method goes from one to another until one is right.")


def _of_point(found: np.ndarray, w: np.ndarray, drive: np.ndarray, active: np.ndarray) -> str:
    """Say what may be wrong with a point, in a pattern that is right."""
    if np.isnan(found).any():
        return (
            "It returns NaN for a pattern that is right: a step keeps its point, active units are above 0, and the "
            "others get less than 0. Is the sign right, I − Wᵀ and not Wᵀ − I? And do the weights act the right way "
            "round, h @ w?"
        )
    here = np.ix_(active, active)
    eye = np.eye(active.sum())

    def spread(values: np.ndarray) -> np.ndarray:
        point = np.zeros(len(drive))
        point[active] = values
        return point

    mistakes = [
        (spread(np.linalg.solve(eye - w[here], drive[active])), "The weights act the wrong way round: h = h W + "
         "drive, so solve with the transposed matrix, (I − Wᵀ) h = drive."),
        (spread(np.linalg.solve(eye + w[here].T, drive[active])), "Watch the sign: h − h W = drive."),
        (spread(np.linalg.solve(w[here].T, drive[active])), "Where is the identity? h = h W + drive."),
        (np.linalg.solve(np.eye(len(w)) - w.T, drive), "That solves with all units. Inactive ones are 0; leave their "
         "rows and columns out."),
        (spread(np.linalg.solve(eye - w[here].T, drive[active])) + ~active * drive, "Inactive units are 0."),
        (np.maximum(drive, 0), "That is the state after one step from 0; the fixed point has W in it as well."),
    ]  # fmt: skip
    for wrong, why in mistakes:
        if np.allclose(found, wrong):
            return why
    moved = np.abs(np.maximum(found @ w + drive, 0) - found).max()
    return f"A step changes this point by {moved:.3g}. Of the active units alone, solve h = h W + drive."


# A time constant


def check_time_constant(answer: object, eigenvalue: complex) -> bool:
    """Check the time constant in steps of an eigenvalue, complex and smaller than 1."""
    value, size = complex(eigenvalue), abs(eigenvalue)
    right = float(time_constant(value))
    mistakes = {
        -right: "The logarithm of a number below 1 is negative; put a minus before it.",
        size: "That is the size of the eigenvalue: what is left after one step. In how many steps is 1/e left?",
        -1 / np.log10(size): "That is with the logarithm to base 10; take the natural one.",
        -np.log(2) / np.log(size): "After so many steps a half is left. The time constant is when 1/e is left.",
        1 / (1 - size): "That is nearly right for sizes near 1. Exactly: −1 / ln |λ|.",
        1 / size: "Take −1 / ln |λ|, not 1 / |λ|.",
        -np.log(size): "That is the rate; the time constant is 1 divided by it.",
    }
    if angle := abs(np.angle(value)):
        mistakes[2 * np.pi / angle] = "That is a full turn, 2π / angle. How fast it shrinks is in the size |λ|."
    if 0 < abs(value.real) < 1:
        mistakes[-1 / np.log(abs(value.real))] = (
            "That takes the real part. How fast it shrinks is in the size |λ|; how fast it turns is in the angle."
        )
    if abs(value.imag) > 0:
        mistakes[-1 / np.log(abs(value.imag))] = "That takes the imaginary part. The size is √(real² + imaginary²)."
    told = f"{right:.2f} steps. After so many steps 1/e = 37 % is left, after twice as many 14 %."
    if isinstance(answer, complex | np.complexfloating):
        return say(False, "That is complex; take the size of the eigenvalue first, np.abs(…).")
    hint = "{value:g} is too {way}: |λ|^steps = 1/e, so steps = −1 / ln |λ|."
    return graded(answer, right, told, mistakes, hint, tolerance=0.005, mistaken=0.005)


# A decoder


def _noisy_cues() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw states (60, 6), cues and folds, with little to tell the three cues apart.

    Neither cues nor folds are 0, 1, 2 and so on, so a cue is not its position among the cues.
    """
    rng = generator(15, "exercise", "a decoder")
    positions = np.repeat(np.arange(3), 20)
    cues, folds = np.array([2, 5, 7])[positions], np.tile([1, 3, 4, 6, 8], 12)
    return rng.normal(size=(60, 6)) + 0.7 * np.eye(3, 6)[positions], cues, folds


def _share_right(
    states: np.ndarray, cues: np.ndarray, train: np.ndarray, test: np.ndarray, *, by: str = "distance"
) -> float:
    """Decode trials `test` by the cues' mean states in trials `train`; return the share that is right.

    By "distance" the nearest mean decides, by "product" the one with the largest product. By "position" the
    position of the nearest mean is taken for the cue.
    """
    kinds = np.unique(cues)
    means = np.stack([states[train & (cues == cue)].mean(0) for cue in kinds])
    far = -states[test] @ means.T if by == "product" else np.linalg.norm(states[test][:, None] - means, axis=-1)
    chosen = far.argmin(1)
    return float(((chosen if by == "position" else kinds[chosen]) == cues[test]).mean())


def check_decoder(answer: object) -> bool:
    """Check a function of (states, cues, folds): how many cues a nearest-mean decoder tells, cross-validated."""
    states, cues, folds = _noisy_cues()
    returned = result_of(answer, "states, cues and folds", states, cues, folds)
    if returned is None:
        return False
    if np.ndim(returned):
        shape = np.shape(returned)
        return say(False, f"It returns shape {shape}; one number is needed, the share of all trials that are right.")
    value = one_number(returned)
    if value is None:
        return False
    if np.isnan(value):
        return say(False, "It returns NaN, which is the mean of nothing. The folds here are 1, 3, 4, 6 and 8, and "
                          "the cues 2, 5 and 7: take np.unique(folds) and np.unique(cues).")  # fmt: skip
    every = np.ones(len(cues), dtype=bool)

    def over_folds(share) -> float:
        return float(np.mean([share(folds == fold) for fold in np.unique(folds)]))

    right = over_folds(lambda test: _share_right(states, cues, ~test, test))
    mistakes = {
        _share_right(states, cues, every, every): "The means come from all trials, those of the test among them. A "
        "decoder has seen these; leave the fold that is tested out of the means.",
        over_folds(lambda test: _share_right(states, cues, ~test, ~test)): "That tests on the trials of the other "
        "folds, from which the means come.",
        over_folds(lambda test: _share_right(states, cues, test, ~test)): "Learned from one fold and tested on four; "
        "turn it round.",
        over_folds(lambda test: _share_right(states, cues, ~test, test, by="position")): "That is the position of "
        "the nearest mean; give the trial the cue that it belongs to.",
        over_folds(lambda test: _share_right(states, cues, ~test, test, by="product")): "That takes the largest "
        "product; the *distance* decides.",
        0: "The cues here are 2, 5 and 7, not 0, 1 and 2: take np.unique(cues).",
        1 - right: "That is the share of wrong answers.",
        100 * right: "As a share of 1, not in per cent.",
        60 * right: "That is how many are right; divide by the number of trials.",
        1 / 3: "That is chance, with three cues.",
    }  # fmt: skip
    mistakes.pop(right, None)
    told = f"{right:.3f} on made-up trials, where chance is 0.333. Tested on what it has seen, it would look better."
    hint = "{value:g} is too {way}: for each fold, means of each cue in the others, and the nearest mean decides."
    return graded(value, right, told, mistakes, hint, tolerance=1e-6, mistaken=1e-6)


# What a cut supports


NEEDS = ("self-connections", "others", "both", "neither")
"""What a network may need."""


def check_needed(answer: object, table: pd.DataFrame, task: Task | str) -> bool:
    """Check what networks need, by the rule that they lose more than half of their gain without it.

    Parameters
    ----------
    answer : dict
        One of :data:`biornn_lite.exercises.inside.NEEDS` by name of the network.
    table : DataFrame
        Accuracies, index the names of the networks, columns :data:`biornn_lite.memory.CUTS`.
    task : Task or str
    """
    if answer is None:
        return unanswered()
    if not isinstance(answer, Mapping):
        return say(False, f"A {type(answer).__name__} was given; expected a dict of names and answers.")
    if lacks := [name for name in table.index if answer.get(name) is None]:
        print(f"… no answer yet for {', '.join(map(str, lacks))}.")
        return False
    floor = get_task(task).memoryless_ceiling()
    above = (table[list(CUTS[:3])] - floor).clip(lower=0)  # what is above no memory, as trained and after two cuts
    for name, (whole, without_own, without_others) in above.iterrows():
        said = answer[name]
        if said not in NEEDS:
            return say(False, f"{name}: {said!r} is not one of {', '.join(NEEDS)}.")
        needs_own, needs_others = without_own < whole / 2, without_others < whole / 2
        right = {(True, False): NEEDS[0], (False, True): NEEDS[1], (True, True): NEEDS[2]}.get(
            (needs_own, needs_others), NEEDS[3]
        )
        if said != right:
            return say(False, f"{name}: {_why_not(said, right)}")
    return say(
        True, "A cut shows what is needed. It does not show where a memory is stored: what is cut may only feed it."
    )


def _why_not(said: str, right: str) -> str:
    """Say what speaks against an answer."""
    own, others, both, neither = NEEDS
    if {said, right} == {own, others}:
        return "it is the other way round. A network needs what it fails without."
    if right == neither:
        return f"without the {own} it keeps more than half of its gain, and without the {others} as well."
    if right == both and said == neither:
        return "each of the two cuts takes more than half of its gain."
    if right == both:
        return f"look at the other cut as well: without the {others if said == own else own} it fails, too."
    if said == both:
        return f"without the {others if right == own else own} it keeps more than half of its gain."
    return f"without the {right} it loses more than half of its gain."
