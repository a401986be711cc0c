"""The network of two units in notebook 00b: its figures beside a loop by hand, and its exercises."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_figures_panels import check_said, check_takes_numbers, check_that_every_control_redraws

from biornn_lite import exercises
from biornn_lite.figures import primer

HAND = [[0.5, 0.5], [-1.0, 0.5]]
"""The network of the notebook; its states were worked out on paper."""


def test_states_are_those_worked_out_on_paper():
    after_a = [[0, 0], [1, 0], [0.5, 0.5], [0, 0.5], [0, 0.25], [0, 0.125]]
    np.testing.assert_allclose(primer.states_after_flash(HAND, 0, 5), after_a)
    np.testing.assert_allclose(primer.states_after_flash(HAND, 1, 3), [[0, 0], [0, 1], [0, 0.5], [0, 0.25]])


number = st.floats(-1.5, 1.5, width=16)


@given(st.lists(number, min_size=4, max_size=4), st.integers(0, 1), number)
def test_states_follow_the_formula_unit_by_unit(weights, channel, bias):
    w, states = np.reshape(weights, (2, 2)), primer.states_after_flash(np.reshape(weights, (2, 2)), channel, 6, bias)
    for t in range(1, 7):
        for j in range(2):
            total = bias + (t == 1 and channel == j)
            for i in range(2):
                total += states[t - 1, i] * w[i, j]
            assert states[t, j] == pytest.approx(max(total, 0.0), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_the_arithmetic_adds_up_to_the_states(step):
    states = primer.states_after_flash(HAND, 0, 5, 0.1)
    told = primer.arithmetic(np.array(HAND), states, step, 0, 0.1).replace("−", "-")
    ends = [float(line.split()[-1]) for line in told.splitlines() if line.strip() and "in step" not in line]
    for unit, (shown, from_0, from_1, bias, total, state) in enumerate(np.reshape(ends, (2, 6))):
        assert shown + from_0 + from_1 + bias == pytest.approx(total, abs=0.011)
        assert state == pytest.approx(max(total, 0)) == pytest.approx(states[step, unit], abs=0.006)
    assert "-0.00" not in told


def test_the_figure_shows_the_step_and_the_weights():
    figure = primer.two_units_figure(HAND, channel=0, step=3)
    units, curves, words = figure.axes
    shown = [text.get_text() for text in units.texts]
    assert {"unit 0\n0.00", "unit 1\n0.50"} < set(shown) and sorted(shown)[:4] == ["-1", "0.5", "0.5", "0.5"]
    dashed = [patch for patch in units.patches if patch.get_linestyle() == "--"]
    assert len(dashed) == 1, "the one negative weight"
    past = [line.get_ydata() for line in curves.lines if line.get_label().startswith("unit")]
    np.testing.assert_allclose(past, [[0, 1, 0.5, 0], [0, 0, 0.5, 0.5]])
    assert "unit 0 in step 3" in words.texts[0].get_text()


def test_every_control_of_the_panel_redraws_it():
    changes = {"step": 4, "flash": 1, "bias": 0.2, "from 0 to 0": 1.0, "from 0 to 1": -0.3, "from 1 to 0": 0.4}
    check_that_every_control_redraws(primer.two_units_panel(HAND), changes | {"from 1 to 1": 0.9})


def test_a_network_that_swaps_remembers_and_one_that_shares_does_not():
    """What section 2 of the notebook shows, as numbers."""
    shared, swapped = np.full((2, 2), 0.45), np.array([[0, 0.9], [0.9, 0]])
    a, b = (primer.states_after_flash(shared, channel, 10)[-1] for channel in (0, 1))
    np.testing.assert_allclose(a, b)
    a, b = (primer.states_after_flash(swapped, channel, 10)[-1] for channel in (0, 1))
    assert a @ b == 0 and a.max() == b.max() == pytest.approx(0.9**9)
    figure = primer.two_flashes_figure({"share": shared, "swap": swapped})
    assert len(figure.axes) == 4 and figure.axes[3].get_title() == "swap: flash on B"


def test_the_figure_of_a_training_has_a_line_for_each_weight():
    path = np.arange(12.0).reshape(3, 2, 2)
    (ax,) = primer.descent_figure({"no penalty": path}).axes
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_array_equal(lines["from 0 to 1"], [1, 5, 9])
    np.testing.assert_array_equal(lines["from 1 to 0"], [2, 6, 10])
    plt.close("all")


# Exercises


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([1.2, 0], "✓"),
        (None, "not answered yet"),
        ("x", "not a list of two numbers"),
        (3, "expected two numbers"),
        ([1.2, -0.25], "relu comes last"),
        ([1.0, 0], "input of this step"),
        ([1.1, 0], "the bias"),
        ([0.3, 0], "the last state"),
        ([0.6, 0.95], "rows for columns"),
        ([0, 1.2], "in the other order"),
        ([7, 7], "Each unit"),
    ],
)
def test_the_check_of_a_step_by_hand(capsys, answer, told):
    network = {"state": [1, 0.5], "inputs": [0.2, 0.1], "weights": [[0.5, -0.4], [0.8, 0.5]], "bias": [0.1, -0.2]}
    check_said(capsys, exercises.check_next_state(answer, **network), told)


def trial(x, w_in, w, b, relu=lambda h: np.maximum(h, 0), first=0.0):
    h, states = np.full(len(w), first), []
    for x_t in x:
        h = relu(x_t @ w_in + h @ w + b)
        states.append(h)
    return np.array(states)


def reused(x, w_in, w, b):
    h, states = np.zeros(len(w)), []
    for x_t in x:
        h[:] = np.maximum(x_t @ w_in + h @ w + b, 0)
        states.append(h)
    return states


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (trial, "✓"),
        (lambda *all_of_it: trial(*all_of_it).tolist(), "✓"),
        (None, "not answered yet"),
        (3, "expected a function"),
        (lambda x, w_in, w, b: None, "Is there a return?"),
        (lambda x, w_in, w, b: x.nothing, "raises AttributeError"),
        (lambda x, w_in, w, b: "states", "array of numbers"),
        (lambda x, w_in, w, b: x[0] @ w_in + 0 @ w, "Start from one zero per unit"),
        (lambda x, w_in, w, b: x[0] @ w_in + np.zeros(2) @ w, "Start from one zero per unit"),
        (lambda x, w_in, w, b: np.dot(np.zeros(2), w), "Start from one zero per unit"),
        (lambda x, w_in, w, b: float("two"), "raises ValueError: could not convert"),
        (lambda *all_of_it: trial(*all_of_it)[-1], "returns the last state"),
        (lambda *all_of_it: trial(*all_of_it)[0], "returns one state"),
        (lambda *all_of_it: np.vstack([np.zeros(4), trial(*all_of_it)]), "7 states for 6 steps"),
        (lambda *all_of_it: trial(*all_of_it).T, "shape (4, 6)"),
        (lambda x, w_in, w, b: trial(x, w_in, w.T, b), "wrong way round"),
        (lambda x, w_in, w, b: trial(x, w_in, w, 0 * b), "bias"),
        (lambda *all_of_it: trial(*all_of_it, relu=lambda h: h), "Where is relu"),
        (lambda x, w_in, w, b: trial(x, w_in, 0 * w, b), "does not enter the next one"),
        (lambda x, w_in, w, b: trial(x, 0 * w_in, w, b), "input does not enter"),
        (lambda *all_of_it: trial(*all_of_it, first=1.0), "state of ones"),
        (reused, "All its rows are the last state"),
        (lambda *all_of_it: trial(*all_of_it) * (len(all_of_it[0]) > 1), "but not for 1, 2 and 3"),
        (lambda *all_of_it: trial(*all_of_it) * (len(all_of_it[2]) > 1), "but not for 9, 5 and 1"),
        (lambda *all_of_it: trial(*all_of_it) + 1, "Its first state"),
    ],
)
def test_the_check_of_a_trial(capsys, answer, told):
    check_said(capsys, exercises.check_trial(answer), told)


def test_the_checks_of_numbers(capsys):
    check_takes_numbers(
        capsys,
        lambda a: exercises.check_updates(a, 5120, 128, 10),
        {
            400: "✓", 40: "in one epoch", 10: "after every batch", 51200: "not for every trial",
            5120: "counts trials", 1280: "trials in a batch", 399: "too low", 2000: "too high",
        },
    )  # fmt: skip
    check_takes_numbers(
        capsys,
        exercises.check_slope,
        {18: "✓", 27: "the loss itself", -18: "sign", 6: "factor 3", 9: "the square", 17: "too low", 30: "too high"},
    )


MATRICES = {
    "turn": [[0.8, 0.6], [-0.6, 0.8]], "swap": [[0, 1], [1, 0]], "share": [[0.5, 0.5], [0.5, 0.5]],
    "stretch": [[2, 0], [0, 0.5]], "flip": [[-1, 0], [0, 1]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (["flip", "turn", "swap"], "✓"),
        ({"flip", "turn", "swap"}, "✓"),
        (None, "not answered yet"),
        (3, "no list of names"),
        ("turn", "2 are missing"),
        (["twist"], "no 'twist' among turn, swap"),
        (["turn", "swap", "flip", "stretch"], "stretch is not: it makes the lengths 2.00, 0.50"),
        (["share"], "share is not: it makes the lengths 0.71, 0.71"),
        (["turn", "swap"], "One is missing"),
        ([], "3 are missing"),
    ],
)
def test_the_check_of_orthogonal_matrices(capsys, answer, told):
    check_said(capsys, exercises.check_orthogonal(answer, MATRICES), told)


def test_what_the_check_takes_for_orthogonal_keeps_lengths():
    """By the definition, on random states."""
    states = np.random.default_rng(0).normal(size=(50, 2))
    after = {name: np.linalg.norm(states @ w, axis=1) for name, w in MATRICES.items()}
    kept = [name for name, lengths in after.items() if np.allclose(lengths, np.linalg.norm(states, axis=1))]
    assert exercises.check_orthogonal(kept, MATRICES)
