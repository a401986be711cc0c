"""Exercises of notebook 15."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import linalg
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.neighbors import NearestCentroid

from biornn_lite.exercises import check_decoder, check_fixed_point, check_needed, check_time_constant, inside
from biornn_lite.memory import CUTS


def solved(w, drive, active, sign=-1, mode="mT", check=True):
    """Solve in a pattern with SciPy, and check it by a step of the network."""
    part = w[np.ix_(active, active)]
    part = part.T if mode == "mT" else part
    point = np.zeros(len(drive))
    point[active] = linalg.solve(np.eye(active.sum()) + sign * part, drive[active])
    summed = point @ w + drive
    contradicts = (point[active] < 0).any() or (summed[~active] > 0).any()
    return np.full(len(drive), np.nan) if check and contradicts else point


def only_active_are_checked(w, drive, active):
    point = solved(w, drive, active, check=False)
    return point if (point >= 0).all() else point * np.nan


def with_the_other_sign(w, drive, active):
    point = -solved(w, drive, active, check=False)
    return point * np.nan if (point < 0).any() else point


def one_nan(w, drive, active):
    point = solved(w, drive, active)
    return np.nan if np.isnan(point).any() else point


def only_others_are_checked(w, drive, active):
    point = solved(w, drive, active, check=False)
    return point * np.nan if (point @ w + drive)[~active].max() > 0 else point


def simulated(w, drive, active):
    """Where steps from 0 end; NaN if they end in another pattern."""
    h = np.zeros(len(drive))
    for _ in range(500):
        h = np.maximum(h @ w + drive, 0)
    return h if np.array_equal(h > 0, active) else h * np.nan


def simulated_from_above(w, drive, active):
    """From larger numbers the steps of the unstable pattern grow without end."""
    h = np.full(len(drive), 9.0)
    for _ in range(5000):
        h = np.maximum(h @ w + drive, 0)
    return h if np.array_equal(h > 0, active) else h * np.nan


def spread(active, values):
    point = np.zeros(len(active))
    point[active] = values
    return point


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (solved, "✓"),
        (lambda w, d, a: torch.from_numpy(solved(w, d, a)), "✓"),
        (lambda w, d, a: solved(w, d, a, mode="plain", check=False), "wrong way round"),
        (lambda w, d, a: solved(w, d, a, mode="plain"), "the right way round, h @ w?"),
        (lambda w, d, a: solved(w, d, a, sign=1, check=False), "Watch the sign"),
        (lambda w, d, a: spread(a, linalg.solve(w[np.ix_(a, a)].T, d[a])), "Where is the identity?"),
        (lambda w, d, a: linalg.solve(np.eye(len(w)) - w.T, d), "solves with all units"),
        (lambda w, d, a: solved(w, d, a, check=False) + ~a * d, "Inactive units are 0"),
        (lambda w, d, a: np.maximum(d, 0), "after one step"),
        (lambda w, d, a: solved(w, d, a, check=False)[a], "Give the units that are not active their 0"),
        (lambda w, d, a: solved(w, d, a, check=False), "contradicts itself"),
        (only_active_are_checked, "should be inactive gets more than 0"),
        (only_others_are_checked, "comes out below 0"),
        (simulated, "Solve for it, do not simulate"),
        (simulated_from_above, "Solve for it, do not simulate"),
        (lambda w, d, a: d * np.nan, "for a pattern that is right"),
        (with_the_other_sign, "Is the sign right, I − Wᵀ"),
        (one_nan, "It returns one NaN; 4 of them are needed"),
        (
            lambda w, d, a: solved(w, d, a)[:, None] if np.isnan(solved(w, d, a)).any() else solved(w, d, a),
            "shape (4, 1)",
        ),
        (lambda w, d, a: d * 0 + 1, "A step changes this point by"),
        (lambda w, d, a: np.ones((4, 4)), "shape (4, 4)"),
        (lambda w, d, a: w.fill(0), "It changes what it was given"),
        (lambda w, d, a: None, "It returns None"),
        (lambda w, d, a: "point", "not return an array"),
        (lambda w, d: d, "raises TypeError"),
        (3, "expected a function"),
    ],
)
def test_the_check_of_a_fixed_point(capsys, answer, told):
    assert check_fixed_point(answer) == (told == "✓")
    assert told in capsys.readouterr().out


def test_the_patterns_of_the_exercise_are_what_they_are_called():
    """By running the network from the point on: at the right one it stays."""
    point = solved(inside._W, inside._DRIVE, inside._RIGHT)
    np.testing.assert_allclose(np.maximum(point @ inside._W + inside._DRIVE, 0), point)
    for why, active in inside._WRONG.items():
        point = solved(inside._W, inside._DRIVE, active, check=False)
        summed = point @ inside._W + inside._DRIVE
        assert ((point[active] < 0).any(), (summed[~active] > 0).any()) == ("below" in why, "below" not in why)


def test_steps_lead_away_from_the_unstable_point():
    w, drive, active = inside._UNSTABLE
    point = solved(w, drive, active)
    np.testing.assert_allclose(np.maximum(point @ w + drive, 0), point)
    assert np.abs(linalg.eigvals(w[np.ix_(active, active)])).max() > 1


EIGENVALUE = 0.56 + 0.31j
SIZE = np.hypot(0.56, 0.31)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (-1 / np.log(SIZE), "✓"),
        (np.array(-1 / np.log(SIZE)), "✓"),
        (2.24, "✓"),
        (1 / np.log(SIZE), "put a minus before it"),
        (SIZE, "the size of the eigenvalue"),
        (-1 / np.log10(SIZE), "natural one"),
        (-np.log(2) / np.log(SIZE), "a half is left"),
        (1 / (1 - SIZE), "nearly right for sizes near 1"),
        (1 / SIZE, "not 1 / |λ|"),
        (-np.log(SIZE), "That is the rate"),
        (2 * np.pi / np.angle(EIGENVALUE), "That is a full turn"),
        (-1 / np.log(0.56), "takes the real part"),
        (-1 / np.log(0.31), "takes the imaginary part"),
        (-1 / np.log(EIGENVALUE), "That is complex"),
        (10, "too high"),
        (0.1, "too low"),
        ("two", "not a number"),
        (float("inf"), "too high"),
    ],
)
def test_the_check_of_a_time_constant(capsys, answer, told):
    assert check_time_constant(answer, EIGENVALUE) == (told == "✓")
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("eigenvalue", [0.9, -0.9, 0.99j, -0.3 + 0.6j])
def test_eigenvalues_of_any_angle_are_taken(capsys, eigenvalue):
    """A deviation along the eigenvector has shrunk to 1/e after the time constant, by its definition."""
    steps = -1 / np.log(abs(eigenvalue))
    assert abs(abs(complex(eigenvalue)) ** steps - np.exp(-1)) < 1e-12
    assert check_time_constant(steps, eigenvalue) and not check_time_constant(1.5 * steps, eigenvalue)


def nearest(states, cues, folds, train=lambda folds, fold: folds != fold, test=lambda folds, fold: folds == fold):
    right = []
    for fold in np.unique(folds):
        decoder = NearestCentroid().fit(states[train(folds, fold)], cues[train(folds, fold)])
        right.append(decoder.score(states[test(folds, fold)], cues[test(folds, fold)]))
    return np.mean(right)


def everything(folds, fold):
    return folds >= 0


def decided(states, cues, folds, decide, every=np.unique):
    """Decode each fold; `decide` takes the states of a fold, the means, and the kinds of cues."""
    right, kinds = [], np.unique(cues)
    for fold in every(folds):
        test = folds == fold
        means = np.stack([states[~test & (cues == kind)].mean(0) for kind in kinds])
        right.append((decide(states[test], means, kinds) == cues[test]).mean())
    return np.mean(right)


def apart(states, means):
    return np.linalg.norm(states[:, None] - means, axis=2)


def the_nearest(states, means, kinds):
    return kinds[apart(states, means).argmin(1)]


def cues_from_zero(states, cues, folds):
    """Take 0, 1 and 2 for the cues, whatever they are."""
    right = []
    for fold in np.unique(folds):
        test = folds == fold
        means = np.stack([states[~test & (cues == kind)].mean(0) for kind in range(3)])
        right.append((apart(states[test], means).argmin(1) == cues[test]).mean())
    return np.mean(right)


def test_the_decoder_is_that_of_scikit_learn(capsys):
    def scored(states, cues, folds):
        return cross_val_score(NearestCentroid(), states, cues, groups=folds, cv=LeaveOneGroupOut()).mean()

    assert check_decoder(scored)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (nearest, "✓"),
        (lambda s, c, f: nearest(s, c, f, train=everything, test=everything), "come from all trials"),
        (lambda s, c, f: nearest(s, c, f, train=everything), "come from all trials"),
        (lambda s, c, f: nearest(s, c, f, test=lambda f, k: f != k), "from which the means come"),
        (lambda s, c, f: nearest(s, c, f, lambda f, k: f == k, lambda f, k: f != k), "turn it round"),
        (lambda s, c, f: 1 - nearest(s, c, f), "wrong answers"),
        (lambda s, c, f: 100 * nearest(s, c, f), "not in per cent"),
        (lambda s, c, f: 60 * nearest(s, c, f), "divide by the number of trials"),
        (lambda s, c, f: 1 / 3, "That is chance"),
        (lambda s, c, f: decided(s, c, f, the_nearest), "✓"),
        (lambda s, c, f: decided(s, c, f, lambda s, m, k: apart(s, m).argmin(1)), "the cue that it belongs to"),
        (lambda s, c, f: decided(s, c, f, lambda s, m, k: k[(s @ m.T).argmax(1)]), "the *distance* decides"),
        (lambda s, c, f: decided(s, c, f, the_nearest, every=lambda f: range(5)), "np.unique(folds)"),
        (cues_from_zero, "np.unique(cues)"),
        (lambda s, c, f: 0.99, "too high"),
        (lambda s, c, f: c, "one number is needed"),
        (lambda s, c, f: np.nan, "It returns NaN"),
        (lambda s, c, f: "most", "expected one number"),
        (lambda s, c, f: None, "It returns None"),
        (lambda s, c, f: s.sort(), "It changes what it was given"),
        (lambda s, c: 1, "raises TypeError"),
        ("decoder", "expected a function"),
    ],
)
def test_the_check_of_a_decoder(capsys, answer, told):
    assert check_decoder(answer) == (told == "✓")
    assert told in capsys.readouterr().out


TABLE = pd.DataFrame(
    [[1.0, 0.5, 0.5, 0.5, 1.0], [1.0, 1.0, 0.5, 0.5, 0.5], [0.9, 0.4, 0.8, 0.9, 0.9], [1.0, 0.9, 0.8, 1.0, 1.0]],
    index=["functional", "orthogonal", "diagonal alone", "spread out"],
    columns=[*CUTS],
)
RIGHT = dict(zip(TABLE.index, ("both", "others", "self-connections", "neither"), strict=True))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "…"),
        (RIGHT, "✓"),
        (RIGHT | {"own": "both"}, "✓"),
        (RIGHT | {"functional": None}, "no answer yet for functional"),
        ({}, "no answer yet for functional"),
        (RIGHT | {"functional": "self-connections"}, "without the others it fails, too"),
        (RIGHT | {"functional": "others"}, "without the self-connections it fails, too"),
        (RIGHT | {"functional": "neither"}, "each of the two cuts"),
        (RIGHT | {"orthogonal": "self-connections"}, "the other way round"),
        (RIGHT | {"orthogonal": "both"}, "without the self-connections it keeps"),
        (RIGHT | {"orthogonal": "neither"}, "without the others it loses"),
        (RIGHT | {"diagonal alone": "others"}, "the other way round"),
        (RIGHT | {"diagonal alone": "both"}, "without the others it keeps"),
        (RIGHT | {"spread out": "both"}, "without the others as well"),
        (RIGHT | {"spread out": "others"}, "without the others as well"),
        (RIGHT | {"functional": "the diagonal"}, "is not one of"),
        (RIGHT | {"functional": ["both"]}, "is not one of"),
        ("both", "expected a dict"),
        (["both", "others"], "expected a dict"),
    ],
)
def test_the_check_of_what_is_needed(capsys, answer, told):
    assert check_needed(answer, TABLE, "go_nogo") == (told == "✓")
    assert told in capsys.readouterr().out


def test_what_is_needed_is_counted_from_the_ceiling_without_memory(capsys):
    """An accuracy of 0.7 in one-choice inference is a fifth of the gain; from 0 on it would be most of it."""
    table = pd.DataFrame([[1.0, 0.7, 1.0, 1.0, 1.0]], index=["one"], columns=[*CUTS])
    assert check_needed({"one": "self-connections"}, table, "one_choice_inference")
    assert not check_needed({"one": "neither"}, table, "one_choice_inference")
