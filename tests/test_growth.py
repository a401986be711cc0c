"""Growing activity against the definition, and what is said of a first step against what training does."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from test_widgets import check_takes_numbers

from biornn_lite import exercises
from biornn_lite.figures.matrices import spectrum
from biornn_lite.figures.untrained import growth_figure, growth_panel
from biornn_lite.priors import Start
from biornn_lite.tasks import TASKS, get_task
from biornn_lite.training import Settings, initial_networks, train, training_trials
from biornn_lite.untrained import LARGEST, activity_by_step, first_step, positive_weights
from biornn_lite.weights import spectral_radius


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
        (trained,) = train([Start(weights, np.zeros_like(weights))], task, [0], settings, positive=True)
        assert trained.diverged_step == (None if fate == "moves" else 1)
        if fate == "stands still":  # but for weights into and from silent neurons
            assert (trained.weights == weights.astype("float32")).mean() > 0.98


def test_figures_say_what_was_lost_and_when():
    figure = growth_figure(312, "one_choice_inference", 0.95)
    (ax,) = figure.axes
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "NaN, no number from step" in told[0] and told[1] == "scaled to 0.95: moves"
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
