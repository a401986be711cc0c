"""Networks watched while they learn: the same training, what pulls at them, and panels that can be stopped."""

import asyncio
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from test_figures_panels import check_said, check_takes_numbers, check_that_every_control_redraws, parts_of

from biornn_lite import exercises
from biornn_lite.figures import training as training_figures
from biornn_lite.figures.training import (
    DRAWN,
    network_figure,
    network_panel,
    two_variants_panel,
    watch_panel,
    watched_figure,
)
from biornn_lite.snapshots import histories, watch
from biornn_lite.training import Settings
from biornn_lite.variants import Protocol

QUICK = Settings(epochs=3, batches=2, batch_size=16, test_trials=40)


@pytest.fixture(scope="module")
def watched(small):
    return list(watch(small, ("W*D*C", "WD*C*"), "go_nogo", 4, settings=QUICK))


# Panels


def test_the_panel_trains_to_the_end_and_says_so(small):
    parts = parts_of(watch_panel(small, QUICK))
    parts["task"].value = "one_choice_inference"
    parts["Train and watch"].click()
    assert parts["epochs"].value == 3 and parts["Picture"].value.startswith('<img alt="Panel: ')
    assert "epoch 3: <b>W*D*C*</b>" in parts["HTML"].value and "on the diagonal" in parts["HTML"].value
    assert parts["Stop"].disabled and not parts["Train and watch"].disabled


@pytest.mark.parametrize(
    ("panel", "button"),
    [(watch_panel, "Train and watch"), (two_variants_panel, "Train both")],
)
def test_a_panel_stops_when_it_is_told_to(small, panel, button):
    """As in a kernel: the click comes in between two epochs."""
    parts = parts_of(panel(small, Settings(epochs=50, batches=1, batch_size=8, test_trials=8)))

    async def person():
        parts[button].click()
        while parts["epochs"].value < 2:
            await asyncio.sleep(0.01)
        assert parts[button].disabled and not parts["Stop"].disabled
        parts["Stop"].click()
        while parts[button].disabled:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(person(), 60))
    assert 2 <= parts["epochs"].value < 50 and parts["HTML"].value.endswith("(stopped)")
    assert not plt.get_fignums()


def test_the_panel_of_two_variants_moves_and_stops_within_an_epoch(small):
    """On a busy machine an epoch takes long."""
    parts = parts_of(two_variants_panel(small, Settings(epochs=2, batches=4000, batch_size=8, test_trials=8)))

    async def person():
        parts["Train both"].click()
        await asyncio.sleep(0)
        assert parts["HTML"].value == "Training W*D*C* and WD*C* …"
        while not parts["epochs"].value:
            await asyncio.sleep(0.01)
        parts["Stop"].click()
        while parts["Train both"].disabled:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(person(), 60))
    assert 0 < parts["epochs"].value < 1 and parts["HTML"].value.endswith("(stopped)")


def test_an_old_figure_is_said_to_be_old_and_a_stop_before_the_start_is_heeded(small):
    parts = parts_of(two_variants_panel(small, Settings(epochs=1, batches=2, batch_size=8, test_trials=8)))
    status, old = parts["HTML"], "(The figure below is still that of the run before.)"

    async def person():
        said = []
        status.observe(lambda change: said.append(change["new"]), "value")
        for _ in range(2):
            parts["Train both"].click()
            while parts["Train both"].disabled:
                await asyncio.sleep(0.01)
        first, second = [k for k, text in enumerate(said) if "test accuracy" in text]
        assert not any(old in text for text in said[: first + 1]) and old not in said[second]
        assert any(text.endswith(old) for text in said[first:second])
        parts["Train both"].click()
        parts["Stop"].click()
        while parts["Train both"].disabled:
            await asyncio.sleep(0.01)
        assert status.value == "Stopped before it began."

    asyncio.run(asyncio.wait_for(person(), 60))


def test_every_control_of_the_panel_of_epochs_redraws_it(small, watched):
    by_variant = histories(watched)
    check_that_every_control_redraws(network_panel(by_variant, small), {"epoch": 2, "network": "WD*C*"})


def test_figures_show_the_network_of_the_epoch(small, watched):
    history = histories(watched)["W*D*C"]
    figure = network_figure(history, 2, small)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), history[2].weights)
    lines = figure.axes[1].collections[0]
    strengths = np.abs(history[2].weights)
    of_pairs = sorted(max(strengths[i, j], strengths[j, i]) for i in range(24) for j in range(i))
    np.testing.assert_allclose(lines.get_array(), of_pairs[-DRAWN:])
    strongest = np.unravel_index(np.where(np.eye(24), 0, strengths).argmax(), strengths.shape)
    ends = {tuple(end) for end in small.positions[list(strongest)][:, [0, 2]]}
    assert {tuple(end) for end in lines.get_segments()[-1]} == ends, "on top, between its neurons"
    heights = sum(bar.get_height() for bar in figure.axes[2].patches if hasattr(bar, "get_height"))
    assert heights == small.neurons * (small.neurons - 1), "each connection off the diagonal in one bin"
    assert f"epoch 2, test accuracy {history[2].test_accuracy:.3f}" in figure.get_suptitle()
    ratio = watched_figure({"W*D*C": history}).axes[3].lines[0].get_ydata()
    np.testing.assert_allclose(ratio, [s.penalty_gradient / s.loss_gradient for s in history])


def test_the_pull_is_taken_off_the_penalty_and_the_title_says_so(watched):
    by_variant = histories(watched)
    figure = watched_figure(by_variant)
    for history, line in zip(by_variant.values(), figure.axes[2].lines, strict=True):
        np.testing.assert_allclose(line.get_ydata(), [s.penalty - s.pull for s in history])
    plain, pulled = by_variant.values()
    assert all(s.pull == 0 for s in plain) and all(0 < s.pull < s.penalty for s in pulled)
    assert f"without the pull of C* (its value is {pulled[0].pull:.3g}" in figure.axes[2].get_title()
    assert "pull" not in watched_figure({"W*D*C": plain}).axes[2].get_title()


def test_every_line_has_its_name_and_the_epochs_can_end_later(watched):
    by_variant = histories(watched[:1])
    for ax in watched_figure(by_variant, epochs=10).axes:
        named = [line.get_label() for line in ax.lines]
        assert {"W*D*C", "WD*C*"} <= set(named) and ax.get_xlim() == (-0.5, 10.5)
    assert watched_figure(histories(watched)).axes[3].get_xlim() == (-0.5, 3.5)


# Exercises of notebook 07


def last_state(x, w_in, w, b):
    h = torch.zeros(*x.shape[1:3], w.shape[-1])
    for x_t in x:
        h = torch.relu(x_t @ w_in + h @ w + b)
    return h


def all_states(x, w_in, w, b):
    return torch.stack([last_state(x[: t + 1], w_in, w, b) for t in range(len(x))])


def by_tanh(x, w_in, w, b):
    h = torch.zeros(*x.shape[1:3], w.shape[-1])
    for x_t in x:
        h = torch.tanh(x_t @ w_in + h @ w + b)
    return h


def linear(x, w_in, w, b):
    h = torch.zeros(*x.shape[1:3], w.shape[-1])
    for x_t in x:
        h = x_t @ w_in + h @ w + b
    return h


def bias_outside(x, w_in, w, b):
    h = torch.zeros(*x.shape[1:3], w.shape[-1])
    for x_t in x:
        h = torch.relu(x_t @ w_in + h @ w) + b
    return h


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (last_state, "✓"),
        (None, "not answered yet"),
        (1, "expected a function"),
        (lambda x, w_in, w, b: x.nothing, "raises AttributeError"),
        (lambda x, w_in, w, b: None, "Is there a return?"),
        (all_states, "states of all steps"),
        (lambda x, w_in, w, b: list(last_state(x, w_in, w, b)), "✓"),
        (lambda x, w_in, w, b: (last_state(x, w_in, w, b), b), "a tuple that is not one array"),
        (lambda x, w_in, w, b: {"h": last_state(x, w_in, w, b)}, "a dict that is not one array"),
        (lambda x, w_in, w, b: last_state(x, w_in, w.detach().requires_grad_(), b), "✓"),
        (lambda x, w_in, w, b: last_state(x, w_in, w, b)[0], "states of one network"),
        (lambda x, w_in, w, b: last_state(x, w_in, w, b)[0, 0], "returns shape (6,)"),
        (lambda x, w_in, w, b: last_state(x, w_in, w, b).double().numpy(), "✓"),
        (lambda x, w_in, w, b: last_state(x, w_in, w.mT, b), "wrong way round"),
        (lambda x, w_in, w, b: last_state(x, w_in, w, 0 * b), "bias"),
        (lambda x, w_in, w, b: last_state(x[:-1], w_in, w, b), "a step too early"),
        (linear, "Where is relu"),
        (bias_outside, "inside relu"),
        (lambda x, w_in, w, b: np.zeros((2, 4, 6)) @ w, "x, w_in, w and b are torch tensors"),
        (by_tanh, "tanh"),
        (lambda x, w_in, w, b: last_state(x, w_in, 0 * w, b), "does not enter the next"),
        (lambda x, w_in, w, b: last_state(x.flip(0), w_in, w, b), "backwards"),
        (lambda x, w_in, w, b: last_state(x, w_in, w, b) + 1, "expected"),
    ],
)
def test_the_check_of_a_forward_pass(capsys, answer, told):
    check_said(capsys, exercises.check_last_state(answer), told)


def test_the_checks_of_numbers(capsys):
    for check, answers in (
        (
            lambda a: exercises.check_chance_loss(a, 2),
            {
                0.693: "✓", -0.693: "sign is wrong", 1: "in bits", 0.301: "base 10", 0.5: "the probability",
                0: "sure", 4: "has probability 1/2",
            },
        ),
    ):  # fmt: skip
        check_takes_numbers(capsys, check, answers)


def adam(w, gradient, steps, m_keeps=0.9, v_keeps=0.999, correct_m=1, correct_v=1, from_t=1, rate=0.001, power=0.5):
    """As a learner might write it; each argument after the third can make a mistake."""
    m = v = 0 * w
    for t in range(from_t, from_t + steps):
        g = gradient(w)
        m, v = m_keeps * m + (1 - m_keeps) * g, v_keeps * v + (1 - v_keeps) * g * g
        w = w - rate * m / (1 - correct_m * m_keeps**t) / ((v / (1 - correct_v * v_keeps**t)) ** power + 1e-7)
    return w


def without_square(w, gradient, steps):
    m = v = 0 * w
    for t in range(1, steps + 1):
        g = gradient(w)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g
        w = w - 0.001 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
    return w


def stale_adam(w, gradient, steps):
    g = gradient(w)
    return adam(w, lambda w: g, steps)


def descent(w, gradient, steps):
    for _ in range(steps):
        w = w - 0.001 * gradient(w)
    return w


def in_place(w, gradient, steps):
    w -= 0.001 * gradient(w)
    return w


def with_shares(m_keeps, v_keeps):
    """Adam whose means keep other shares than those by which they are divided."""

    def answer(w, gradient, steps):
        m = v = 0 * w
        for t in range(1, steps + 1):
            g = gradient(w)
            m, v = m_keeps * m + (1 - m_keeps) * g, v_keeps * v + (1 - v_keeps) * g * g
            w = w - 0.001 * m / (1 - 0.9**t) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-7)
        return w

    return answer


def last_weight_too_large(w, gradient, steps):
    return adam(w, gradient, steps) + (2e-5 * (np.arange(w.size) == 2) if w.ndim == 1 else 0)


def added_before_the_root(w, gradient, steps):
    m = v = 0 * w
    for t in range(1, steps + 1):
        g = gradient(w)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.001 * m / (1 - 0.9**t) / (v / (1 - 0.999**t) + 1e-7) ** 0.5
    return w


def with_mistake(**mistake):
    return lambda w, gradient, steps: adam(w, gradient, steps, **mistake)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (adam, "✓ As PyTorch's"),
        (None, "not answered yet"),
        (3, "expected a function"),
        (lambda w: w, "raises TypeError"),
        (lambda w, gradient, steps: None, "Is there a return?"),
        (lambda w, gradient, steps: adam(w, gradient, steps)[0], "returns shape (2,)"),
        (in_place, "changes what it was given"),
        (with_shares(0.1, 0.999), "m moves a *tenth*"),
        (with_shares(0.9, 0.001), "v moves a *thousandth*"),
        (with_shares(0.1, 0.001), "m and v move"),
        (with_mistake(from_t=0), "count the steps from 1"),
        (without_square, "a mean of g², never negative"),
        (lambda w, gradient, steps: w, "did not move"),
        (with_mistake(correct_m=0, correct_v=0), "Divide m by 1 − 0.9ᵗ and v"),
        (with_mistake(correct_v=0), "Only m is divided"),
        (with_mistake(correct_m=0), "Only v is divided"),
        (with_mistake(power=1), "Divide by √v"),
        (with_mistake(m_keeps=0), "not the last gradient"),
        (with_mistake(m_keeps=0.999, v_keeps=0.9), "swapped"),
        (stale_adam, "ask for it at each step"),
        (lambda w, gradient, steps: adam(w, gradient, steps - 1), "one step too few"),
        (lambda w, gradient, steps: adam(w, gradient, steps + 1), "one step too many"),
        (with_mistake(rate=-0.001), "move against it"),
        (lambda w, gradient, steps: adam(w, lambda w: -gradient(w), steps), "move against it"),
        (descent, "plain gradient descent"),
        (added_before_the_root, "added after the root"),
        (with_mistake(rate=0.01), "After 60 steps w["),
        (last_weight_too_large, "After 25 steps w[2] is"),
    ],
)
def test_the_check_of_adam(capsys, answer, told):
    check_said(capsys, exercises.check_adam(answer), told)


def test_the_watch_panel_says_that_it_prepares_before_it_does(small, monkeypatch):
    status = []

    def watch_at_last(*given, **more):
        status.append(parts["HTML"].value)
        yield next(watch(*given, **more))

    monkeypatch.setattr(training_figures, "watch", watch_at_last)
    parts = parts_of(watch_panel(small, QUICK))
    parts["Train and watch"].click()
    assert status == ["Preparing two networks …"]
    assert parts["HTML"].value.startswith("epoch 0: <b>W*D*C*</b> no accuracy, ")


@pytest.mark.slow
def test_the_published_penalty_is_what_keeps_an_orthogonal_start_from_learning(column, capsys):
    """What notebook 07 lets its reader find: the same start and trials, λ as published and a thousandth of it."""

    def watched(protocol):
        return histories(watch(column, ["WD*C*"], "go_nogo", 0, protocol))["WD*C*"]

    mild, published = watched(Protocol(penalty_weight=0.0003, emd_weight=0.0001)), watched(Protocol())
    assert published[-1].test_accuracy < 0.55 < 0.95 < mild[-1].test_accuracy
    for answer, told in ((mild, "✓"), (tuple(mild), "the size of the penalties is"), (published, "as published")):
        assert exercises.check_small_penalty(answer, column) is (answer is not published)
        assert told in capsys.readouterr().out


SMALL = {"penalty_weight": 0.0003, "emd_weight": 0.0001}


def test_the_check_of_a_small_penalty_takes_no_numbers_and_names_what_is_wrong(column, capsys):
    def begun(variant="WD*C*", task="go_nogo", seed=0, **changed):
        (first,) = next(iter(watch(column, [variant], task, seed, Protocol(**changed)))).values()
        return [replace(first, epoch=epoch, test_accuracy=0.5) for epoch in range(11)]

    small = begun(**SMALL)
    for answer, told in (
        (small, "the size of the penalties is not all"), (None, "… not answered yet"), (1, "Expected the snapshots"),
        ([], "Expected the snapshots"), (small[0], "epochs 0 to 10"), (small[:5], "epochs 0 to 10"),
        ({"WD*C*": small}, "a dictionary with ['WD*C*']"), (begun(), "Both penalties are as published"),
        (begun("W*D*C*", **SMALL), "snapshots of W*D*C*"), (begun(task="one_choice_inference"), "One-choice"),
        (begun(seed=1, **SMALL), "Seed 0, and a thousandth"), (begun(penalty_weight=0.0003), "the pull is as"),
        (begun(emd_weight=0.0001), "the cost of wiring is as"),
    ):  # fmt: skip
        assert exercises.check_small_penalty(answer, column) is (answer is small)
        assert told in capsys.readouterr().out
