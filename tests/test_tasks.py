"""Trials and ceilings of the three tasks."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from biornn_lite.errors import InputError
from biornn_lite.priors import Start
from biornn_lite.results import ceilings
from biornn_lite.seeds import generator
from biornn_lite.study import Study, check_task, task_digest
from biornn_lite.tasks import (
    PERCEPTUAL,
    TASKS,
    GoNoGo,
    OneChoiceInference,
    PerceptualDecision,
    accuracy_of_best_guess,
    get_task,
    ideal_answers,
    one_trial,
)
from biornn_lite.training import Settings, train


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


# Delays, and tasks that are tested as another


def test_published_tasks_are_what_they_were():
    assert {name: task_digest(task) for name, task in TASKS.items()} == {
        "one_choice_inference": "cf1847dfb10c5f2d",
        "go_nogo": "1fed974476f3f69a",
        "perceptual_decision_making": "8c23f623a524bf8b",
    }


@pytest.mark.parametrize("delay", [0, 20, 41])
@pytest.mark.parametrize(("kind", "before", "after"), [(OneChoiceInference, 20, 20), (GoNoGo, 25, 5)])
def test_a_delay_adds_steps_in_one_phase_and_keeps_the_stimuli(kind, before, after, delay):
    task, published = kind(name="own", delay=delay), kind()
    assert task.steps == published.steps + delay - 10 == sum(steps for _, steps in task.phases)
    longer = 2 if kind is GoNoGo else 1
    assert [phase for k, phase in enumerate(task.phases) if k != longer] == [
        phase for k, phase in enumerate(published.phases) if k != longer
    ]
    assert task.phases[longer] == (published.phases[longer][0], delay) and published.phases[longer][1] == 10
    (x, y), (known, labels) = (each.trials(200, generator(0, "test")) for each in (task, published))
    assert x.shape == (200, task.steps, task.inputs) and np.array_equal(y, labels)
    np.testing.assert_array_equal(x[:, :before], known[:, :before])
    np.testing.assert_array_equal(x[:, -after:], known[:, -after:])
    fixation = np.eye(task.inputs)[0] * (kind is GoNoGo)
    assert (x[:, before:-after] == fixation).all() and (known[:, before:-after] == fixation).all()
    assert (task.memoryless_ceiling(), task.best_ceiling()) == (published.memoryless_ceiling(), 1)
    assert replace(task, delay=10, name=published.name) == published and task_digest(task) != task_digest(published)


@pytest.mark.parametrize("kind", [OneChoiceInference, GoNoGo])
@pytest.mark.parametrize("delay", [-1, 2.5, 10.0, True, "10", None])
def test_a_delay_that_is_no_number_of_steps_is_refused(kind, delay):
    with pytest.raises(InputError, match="must be a whole number of steps"):
        kind(delay=delay)


def test_trial_types_of_ones_own_are_drawn_alone():
    task = OneChoiceInference(name="two", types=((0, (0, 2), 0), (3, (3, 1), 3)))
    x, y = task.trials(100, generator(0, "test"))
    assert set(y) == {0, 3}
    for label, goal, choices in ((0, 0, [4, 6]), (3, 3, [5, 7])):
        assert (x[y == label][:, :20, goal] == 1).all() and (x[y == label][:, -20:][..., choices] == 1).all()
    assert (x.sum((1, 2)) == 20 + 40).all() and (task.memoryless_ceiling(), task.best_ceiling()) == (1, 1)


@dataclass(frozen=True)
class Flipped(GoNoGo):
    """Go/NoGo with wrong labels."""

    def trials(self, count, rng):
        inputs, labels = super().trials(count, rng)
        return inputs, 1 - labels


def test_a_task_tested_as_another_is_trained_on_its_own_trials_and_tested_on_the_others():
    plain, flipped = GoNoGo(name="own"), Flipped(name="own")
    quick = Settings(epochs=2, batches=4, batch_size=32, test_trials=100)
    w = np.random.default_rng(0).normal(size=(12, 12)) / 4
    tasks = (plain, replace(plain, tested_as=flipped), flipped, replace(flipped, tested_as=plain))
    one, turned, other, back = (train([Start(w, np.zeros_like(w))], task, [3], quick)[0] for task in tasks)
    for trained, as_other in ((one, turned), (other, back)):
        assert np.array_equal(trained.weights, as_other.weights)
        assert np.array_equal(trained.train_accuracy, as_other.train_accuracy)
        np.testing.assert_allclose(as_other.test_accuracy, 1 - trained.test_accuracy)
        assert (trained.test_accuracy != 0.5).any()
    assert not np.array_equal(one.weights, other.weights)


def test_a_task_may_be_tested_as_a_longer_one():
    task = GoNoGo(name="own", tested_as=GoNoGo(delay=30))
    quick = Settings(epochs=1, batches=1, batch_size=8, test_trials=16)
    (trained,) = train([Start(np.eye(6), np.zeros((6, 6)))], task, [0], quick)
    (alike,) = train([Start(np.eye(6), np.zeros((6, 6)))], replace(task, tested_as=None), [0], quick)
    assert np.array_equal(trained.weights, alike.weights) and trained.test_loss != alike.test_loss


def test_the_ceilings_of_the_test_are_those_of_the_task_that_is_tested():
    hard = PerceptualDecision(coherences=(6.4,))
    task = PerceptualDecision(name="own", coherences=(51.2,), tested_as=hard)
    assert ceilings(task, "test") == (0.5, hard.best_ceiling())
    assert ceilings(task, "train", 0.2) == (0.5, task.best_ceiling(0.2))
    own = OneChoiceInference(name="own", tested_as=OneChoiceInference(types=((0, (0, 2), 0), (3, (3, 1), 3))))
    assert ceilings(own, "test") == (1, 1) and ceilings(own, "train") == (5 / 8, 1)


def test_a_task_cannot_be_tested_as_one_with_other_inputs_or_answers(small):
    good = GoNoGo(name="own", tested_as=GoNoGo(delay=20))
    check_task(good)
    assert task_digest(good) != task_digest(GoNoGo(name="own"))
    assert task_digest(good) != task_digest(replace(good, tested_as=GoNoGo(delay=30)))
    assert task_digest(good) != task_digest(replace(good, tested_as=Flipped(delay=20)))
    for other in (OneChoiceInference(), "go_nogo", replace(GoNoGo(), classes=3)):
        bad = replace(good, tested_as=other)
        with pytest.raises(InputError, match="a task with its inputs and answers is needed"):
            check_task(bad)
        with pytest.raises(InputError, match="task own is tested as"):
            Study(small, "W", bad, 1)
    with pytest.raises(InputError, match="labels are int64 from 1 to 2"):
        check_task(replace(good, tested_as=Shifted()))


@dataclass(frozen=True)
class Shifted(GoNoGo):
    """Go/NoGo whose labels are counted from 1."""

    def trials(self, count, rng):
        inputs, labels = super().trials(count, rng)
        return inputs, labels + 1


def test_steps_follow_from_the_delay_and_no_trial_types_are_refused():
    assert GoNoGo(delay=14).steps == 44 and GoNoGo(steps=44).steps == 40
    with pytest.raises(InputError, match="has no trial types"):
        OneChoiceInference(types=())
