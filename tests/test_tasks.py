"""Trials and ceilings of the three tasks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from biornn_lite.errors import InputError
from biornn_lite.seeds import generator
from biornn_lite.tasks import (
    PERCEPTUAL,
    TASKS,
    PerceptualDecision,
    accuracy_of_best_guess,
    get_task,
    ideal_answers,
    one_trial,
)


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_trials_have_the_stated_form(task):
    x, y = task.trials(4000, generator(0, "test"))
    assert x.shape == (4000, task.steps, task.inputs) and x.dtype == np.float32
    assert y.dtype == np.int64 and set(y) == set(range(task.classes))
    again, _ = task.trials(4000, generator(0, "test"))
    assert np.array_equal(x, again)


def test_one_choice_inference():
    x, y = get_task("one_choice_inference").trials(500, generator(0, "test"))
    assert (x[:, :20, :4].sum(-1) == 1).all() and not x[:, :20, 4:].any()
    assert not x[:, 20:30].any()
    assert (x[:, 30:, 4:].sum(-1) == 2).all() and not x[:, 30:, :4].any()
    assert (x[np.arange(500), 40, 4 + y] == 1).all(), "the answer is one of the two choices"


def test_go_nogo():
    x, y = get_task("go_nogo").trials(100, generator(0, "test"))
    assert (x[:, :5, 0] == 1).all() and (x[:, 25:35, 0] == 1).all() and not x[:, 5:25, 0].any()
    assert (x[y == 0, 5:25, 1] == 1).all() and (x[y == 1, 5:25, 2] == 1).all()
    assert x.sum() == 100 * (5 + 20 + 10) and not x[:, 35:].any()


def test_perceptual_decision():
    x, y = get_task("perceptual_decision_making").trials(20_000, generator(0, "test"))
    assert (x[:, :, 0] == 1).all() and not x[:, 0, 1:].any() and not x[:, 31:, 1:].any()
    evidence = x[:, 1:31, 1:]
    assert evidence.mean() == pytest.approx(0.5, abs=1e-3)
    towards = np.where(y == 0, 1, -1) * (evidence[..., 0] - evidence[..., 1]).mean(1)
    assert towards.mean() == pytest.approx(np.mean([0, 6.4, 12.8, 25.6, 51.2]) / 100, abs=0.005)
    within = evidence - evidence.mean(1, keepdims=True)
    assert within.std() * np.sqrt(30 / 29) == pytest.approx(0.1, rel=0.01)


def test_ceilings_are_the_stated_ones():
    found = {name: (task.memoryless_ceiling(), task.best_ceiling()) for name, task in TASKS.items()}
    assert found["one_choice_inference"] == (5 / 8, 1)
    assert found["go_nogo"] == (1 / 2, 1)
    assert found["perceptual_decision_making"] == (1 / 2, pytest.approx(0.90, abs=0.005))


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_best_ceiling_is_what_an_ideal_observer_reaches(noise):
    task = get_task("perceptual_decision_making")
    x, y = task.trials(100_000, generator(1, "test"))
    x = x + np.random.default_rng(0).normal(0, noise, x.shape)
    answers = x[:, 1:31, 2].sum(1) > x[:, 1:31, 1].sum(1)
    assert (answers == y).mean() == pytest.approx(task.best_ceiling(noise), abs=0.004)


def test_the_memoryless_ceiling_is_what_the_last_inputs_allow():
    task = get_task("one_choice_inference")
    x, y = task.trials(40_000, generator(1, "test"))
    last = [tuple(row) for row in x[:, -1]]
    assert accuracy_of_best_guess(zip(last, y, strict=True)) == pytest.approx(task.memoryless_ceiling(), abs=0.01)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_seeing_more_never_lowers_the_best_guess(types):
    blind = accuracy_of_best_guess((0, label) for _, label in types)
    seeing = accuracy_of_best_guess(types)
    assert blind <= seeing <= 1


def test_an_unknown_task_is_refused():
    with pytest.raises(InputError, match="no task 'maze'; there are one_choice_inference"):
        get_task("maze")


tasks = pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))


# Trials


@tasks
def test_phases_end_where_the_inputs_change(task):
    x, _ = task.trials(3000, generator(0, "test"))
    changes = np.flatnonzero(np.abs(np.diff(x.mean(axis=0), axis=0)).max(axis=1) > 0.1) + 1  # of the mean trial
    lengths = [length for _, length in task.phases]
    assert changes.tolist() == np.cumsum(lengths)[:-1].tolist() and sum(lengths) == task.steps


@tasks
def test_channels_and_answers_are_called_what_they_are(task):
    channels, answers = task.channels, task.answers
    assert len(channels) == task.inputs and len(answers) == task.classes
    x, y = task.trials(400, generator(0, "test"))
    named = x[np.arange(400), :, [channels.index(answers[label]) for label in y]].sum(axis=1)
    if task.name == "go_nogo":
        assert (named == 20).all() and (x[:, :, channels.index("fixation")].sum(axis=1) == 15).all()
    elif task.name == PERCEPTUAL:
        assert named.mean() > 15 + 30 * 0.192 / 2 - 0.6 and (x[:, :, channels.index("fixation")] == 1).all()
    else:
        assert (named == 20).all()


def test_a_perceptual_decision_of_other_numbers():
    assert PerceptualDecision().best_ceiling(0.05) == get_task(PERCEPTUAL).best_ceiling(0.05)
    task = PerceptualDecision(coherences=(100,), noise=0.3, evidence_steps=12)
    x, y = task.trials(4000, generator(0, "test"))
    evidence = x[:, 1:13, 1:]
    assert x.shape == (4000, 41, 3) and not x[:, 13:, 1:].any() and task.name == PERCEPTUAL
    difference = np.where(y == 0, 1, -1)[:, None] * (evidence[..., 0] - evidence[..., 1])
    assert difference.mean() == pytest.approx(1, abs=0.01)
    assert difference.std() == pytest.approx(0.3 * 2**0.5, rel=0.02)
    assert PerceptualDecision.noise == 0.1 and PerceptualDecision.evidence_steps == 30, "the library's own stays"
    for wrong in (
        {"coherences": []},
        {"coherences": [101]},
        {"noise": 0},
        {"evidence_steps": 41},
        {"evidence_steps": 0},
    ):
        with pytest.raises(InputError, match="expected"):
            PerceptualDecision(**wrong)


@pytest.mark.parametrize(("noise", "best"), [(0.0, 0.8987), (0.5, 0.7990)])
def test_the_observer_reaches_the_ceiling_with_noise_too(noise, best):
    """Independently of the library's formula, by integrating the normal density over positive evidence."""
    sd = np.sqrt(60 * (0.01 + noise**2))
    area = [
        quad(lambda e, m=30 * c / 100: np.exp(-((e - m) ** 2) / 2 / sd**2) / sd / np.sqrt(2 * np.pi), 0, 60)[0]
        for c in (0, 6.4, 12.8, 25.6, 51.2)
    ]
    assert np.mean(area) == pytest.approx(best, abs=1e-4)
    assert PerceptualDecision().best_ceiling(noise) == pytest.approx(best, abs=1e-4)
    x, y = get_task(PERCEPTUAL).trials(40_000, generator(2, "test"))
    x = x + np.random.default_rng(0).normal(0, noise, x.shape)
    assert (ideal_answers(x) == y).mean() == pytest.approx(best, abs=0.007)


def test_one_trial_keeps_its_draws_when_the_noise_grows():
    task = get_task(PERCEPTUAL)
    quiet, label = one_trial(task, 5, 25.6, noise=0.1)
    loud, same = one_trial(task, 5, 25.6, noise=0.4)
    mean = np.zeros((41, 3))
    mean[:, 0], mean[1:31, 1 + label], mean[1:31, 2 - label] = 1, 0.5 + 0.128, 0.5 - 0.128
    assert label == same
    np.testing.assert_allclose(loud - mean, 4 * (quiet - mean), atol=1e-6)
    plain, _ = one_trial(get_task("go_nogo"), 5)
    noisy, _ = one_trial(get_task("go_nogo"), 5, input_noise=0.2)
    assert (noisy - plain).std() == pytest.approx(0.2, rel=0.2) and (noisy != plain).all()
