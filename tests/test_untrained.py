"""Growing activity against the definition, and what is said of a first step against what training does."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_figures_panels import check_takes_numbers

from biornn_lite import exercises
from biornn_lite.errors import InputError
from biornn_lite.figures.matrices import spectrum
from biornn_lite.figures.untrained import growth_figure, growth_panel
from biornn_lite.network import RecurrentNetworks, glorot_uniform
from biornn_lite.priors import Start
from biornn_lite.seeds import generator
from biornn_lite.tasks import TASKS, GoNoGo, get_task
from biornn_lite.training import Settings, initial_networks, train, training_trials
from biornn_lite.untrained import (
    LARGEST,
    activity_by_step,
    before_training,
    effective_rank,
    fading,
    first_step,
    positive_weights,
)
from biornn_lite.weights import orthogonal, spectral_radius


def test_activity_is_the_recurrence(small):
    task = get_task("one_choice_inference")
    w = positive_weights(12, 0, 0.9)
    networks = initial_networks([Start(w, np.zeros_like(w))], task, [3])
    x, _ = training_trials(task, [3], Settings(batches=1, batch_size=32))
    h, means = torch.zeros(32, 12), []
    for x_t in x[:, 0]:
        h = torch.relu(x_t @ networks.w_in[0] + h @ networks.w[0] + networks.b[0])
        means.append(float(h.detach().mean()))
    np.testing.assert_allclose(activity_by_step(w, task, 3), means, rtol=1e-5)
    logits = networks.activity(x)[-1] @ networks.w_out + networks.b_out
    torch.testing.assert_close(logits, networks.evaluate(x))


@pytest.mark.parametrize("neurons", [40, 96, 312])
def test_the_spectral_radius_of_a_clipped_orthogonal_matrix_follows_its_size(neurons):
    found = np.mean([spectral_radius(positive_weights(neurons, seed)) for seed in range(5)])
    assert found == pytest.approx(np.sqrt(neurons / (2 * np.pi)), rel=0.03)
    assert spectral_radius(positive_weights(neurons, 0, 0.7)) == pytest.approx(0.7)


def test_activity_that_overflows_is_infinite_from_then_on():
    activity = activity_by_step(positive_weights(312, 0), get_task("one_choice_inference"), 0)
    lost = np.flatnonzero(np.isinf(activity))
    assert 40 < lost[0] < 50 and np.isinf(activity[lost[0] :]).all() and activity[lost[0] - 1] < LARGEST
    ratio = activity[10] / activity[9]
    assert ratio == pytest.approx(spectral_radius(positive_weights(312, 0)), rel=0.02)


@pytest.mark.parametrize(
    ("neurons", "radius", "fates"),
    [
        (312, None, ["NaN", "stands still", "stands still"]),
        (96, None, ["stands still"] * 3),
        (42, None, ["moves"] * 3),
        (96, 0.95, ["moves"] * 3),
    ],
)
def test_the_first_step_tells_which_networks_diverge(neurons, radius, fates):
    weights = positive_weights(neurons, 0, radius)
    settings = Settings(epochs=1, batches=2, test_trials=32)
    for task, fate in zip(TASKS.values(), fates, strict=True):
        assert first_step(weights, task, 0).fate == fate
        (trained,) = train([Start(weights, np.zeros_like(weights))], task, [0], settings, sign="positive")
        assert trained.diverged_step == (None if fate == "moves" else 1)
        if fate == "stands still":  # but for weights into and from silent neurons
            assert (trained.weights == weights.astype("float32")).mean() > 0.98


def test_figures_say_what_was_lost_and_when():
    figure = growth_figure(312, "one_choice_inference", 0.95)
    (ax,) = figure.axes
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "NaN, not finite from step" in told[0] and told[1] == "scaled to 0.95: moves"
    ax = spectrum(positive_weights(60, 0), plt.figure().add_subplot(), "clipped")
    assert float(ax.texts[0].get_text()) == pytest.approx(np.sqrt(60 / (2 * np.pi)), rel=0.1)


def test_the_panel_draws_again_when_a_slider_moves():
    panel = growth_panel()
    row, status, image = panel.children
    before = image.value
    row.children[1].value = 1.5
    assert image.value != before and status.value == ""


# Exercises


def test_the_checks_of_numbers(capsys):
    """The numbers of notebook 10."""
    activity = 0.05 * 4.89 ** np.arange(70.0)  # of step 1, 2 ...
    passed = int(np.argmax(activity > LARGEST)) + 1
    assert passed == 59
    for check, answers in (
        (
            lambda a: exercises.check_lost_step(a, 4.89, 0.05, LARGEST),
            {
                passed: "✓ Step 59", 58: "Step 1 is 0.05 itself", 57.8: "is a whole number",
                57.78: "is a whole number", 58.8: "is a whole number", 60: "already larger in step 59",
                39.8: "powers of ten", 91.7: "ln(largest", 50: "too early", 65: "too late",
            },
        ),
        (
            lambda a: exercises.check_largest_network(a, 50, 0.05, LARGEST),
            {
                265.3: "✓ About 265", 265: "✓", 266: "✓", 270: "✓", 260: "✓", 264: "✓",  # two or three digits
                246: "multiplied 50 times", 246.4: "multiplied 50 times", 288: "too many", 280: "too many",
                250: "too few", 6.5: "radius that just fits", 42.2: "You took", 40.8: "square it",
            },
        ),
    ):  # fmt: skip
        check_takes_numbers(capsys, check, answers)


# What is remembered


def test_states_fade_as_those_of_the_network_do():
    """Without input and bias, the network's own step is relu(h W)."""
    weights = orthogonal(20, generator(0, "orthogonal"))
    angle, size = fading(weights, steps=3, draws=1)
    w_in = glorot_uniform(2, 20, generator(0, "two stimuli"))
    stimuli = torch.zeros(4, 1, 2, 2)  # (steps, runs, trials, inputs): trial k shows channel k in the first step
    stimuli[0, 0] = torch.eye(2)
    states = RecurrentNetworks([weights], [w_in], [np.zeros((20, 2))]).activity(stimuli)[:, 0].double().numpy()
    lengths = np.linalg.norm(states, axis=-1)  # (steps, trials)
    cosine = (states[:, 0] * states[:, 1]).sum(-1) / lengths.prod(-1)
    np.testing.assert_allclose(angle, np.degrees(np.arccos(cosine)), rtol=1e-4)
    np.testing.assert_allclose(size, lengths[:, 0] / lengths[0, 0], rtol=1e-5)


@given(st.floats(0.1, 3), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_scaling_changes_the_size_and_not_the_angle(factor, seed):
    weights = np.abs(np.random.default_rng(seed).normal(size=(12, 12))) / 8
    before, after = fading(weights, 6), fading(weights * factor, 6)
    np.testing.assert_allclose(after.angle, before.angle, atol=1e-5)
    np.testing.assert_allclose(after.size, before.size * factor ** np.arange(7), rtol=1e-9)


def test_what_is_remembered_in_cases_that_can_be_worked_out():
    same = fading(0.9 * np.eye(10), 5)
    np.testing.assert_allclose(same.angle, same.angle[0])
    np.testing.assert_allclose(same.size, 0.9 ** np.arange(6))
    one_direction = fading(np.full((10, 10), 0.1), 2)  # after a step all neurons are alike
    assert one_direction.angle[0] > 40 and one_direction.angle[1] == pytest.approx(0, abs=1e-5)
    silent = fading(np.full((10, 10), -1.0), 2)
    assert (silent.angle[1:] == 0).all() and (silent.size[1:] == 0).all()
    with pytest.raises(InputError, match="-1 steps"):
        fading(np.eye(3), -1)


# Before training


def test_the_effective_rank_of_matrices_that_can_be_worked_out():
    assert effective_rank(np.eye(7)) == pytest.approx(7)
    assert effective_rank(orthogonal(20, generator(0, "orthogonal"))) == pytest.approx(20)
    assert effective_rank(np.outer([1.0, 2, 3], [4.0, -5, 6])) == pytest.approx(1)
    assert effective_rank(np.diag([1.0, 1, 1, 0, 0])) == pytest.approx(3)
    halves = np.array([0.5, 0.25, 0.25])
    assert effective_rank(np.diag([2.0, 1, 1])) == pytest.approx(np.prod(halves**-halves)) == pytest.approx(2**1.5)


@given(st.floats(1e-3, 1e3), st.integers(0, 20), st.integers(2, 8))
@settings(max_examples=30, deadline=None)
def test_the_effective_rank_knows_neither_scale_nor_basis(factor, seed, neurons):
    r = np.random.default_rng(seed)
    matrix, q = r.normal(size=(neurons, neurons)), orthogonal(neurons, r)
    rank = effective_rank(matrix)
    assert 1 <= rank <= neurons
    for other in (factor * matrix, -matrix, matrix.T, q @ matrix, matrix @ q):
        assert effective_rank(other) == pytest.approx(rank)


def test_three_numbers_tell_starts_apart_before_training():
    task = get_task("go_nogo")
    turned = before_training(orthogonal(30, generator(0, "orthogonal")), task, 2)
    assert turned.effective_rank == pytest.approx(1)
    half = before_training(0.5 * np.eye(30), task, 2)
    stimuli = fading(np.eye(30), 0, seed=2).angle.item()
    assert half.effective_rank == pytest.approx(1) and stimuli > 40
    assert half.memory == pytest.approx(stimuli), "a multiple keeps directions"
    assert before_training(0.9 * np.eye(30), task, 2).memory == pytest.approx(stimuli)
    alike = before_training(np.full((30, 30), 0.9 / 30), task, 2)
    assert alike.memory == pytest.approx(0, abs=1e-5) and alike.effective_rank == pytest.approx(1 / 30)
    assert turned.memory < 0.8 * stimuli


def test_the_scale_is_that_of_the_last_step_by_the_most_active():
    """Half of the identity halves activity in each of the five silent steps of Go/NoGo."""
    task, weights = get_task("go_nogo"), 0.5 * np.eye(30)
    activity = activity_by_step(weights, task, 2)
    found = before_training(weights, task, 2)
    assert (
        found.scale == pytest.approx(np.log10(activity[34] / 2**5 / activity.max()), abs=1e-5) and found.scale < -1.4
    )
    assert before_training(0.9 * np.eye(30), task, 2).scale > found.scale
    longer = GoNoGo(name="longer", delay=60)
    growing = before_training(1.1 * np.eye(30), longer, 2)
    assert growing.scale == pytest.approx(0), "the last step is the most active"


def test_a_start_whose_activity_overflows_has_an_infinite_scale():
    found = before_training(10 * np.eye(30), get_task("one_choice_inference"), 0)
    assert found.scale == np.inf and found.effective_rank == pytest.approx(1) and 0 < found.memory < 90
    assert np.isinf(activity_by_step(10 * np.eye(30), get_task("one_choice_inference"), 0)).any()


def test_a_start_without_activity_has_a_finite_scale_and_remembers_nothing():
    found = before_training(np.zeros((30, 30)), get_task("go_nogo"), 0)
    assert found.memory == 0 and -31 < found.scale < -28
