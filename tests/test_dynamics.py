"""Phases as the trials show them, and the fate of networks of which it is known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn_lite.dynamics import (
    FATES,
    TIMES,
    cue_means,
    cued_trials,
    fate,
    memory_eigenvalue,
    memory_phases,
    memory_states,
    principal_axes,
)
from biornn_lite.errors import InputError
from biornn_lite.network import Networks, RecurrentNetworks
from biornn_lite.tasks import TASKS, GoNoGo, OneChoiceInference, PerceptualDecision, Task
from biornn_lite.training import held_out_trials

GO, ONE = TASKS["go_nogo"], TASKS["one_choice_inference"]


# Phases


def shown(task):
    """Read cue end, memory end and last step off the inputs, channel by channel."""
    inputs, _ = task.trials(300, np.random.default_rng(5))

    def steps(channels):
        return np.flatnonzero(inputs[:, :, channels].any(axis=(0, 2)))

    if isinstance(task, OneChoiceInference):
        return steps([0, 1, 2, 3])[-1], steps([4, 5, 6, 7])[0] - 1, task.steps - 1
    return steps([1, 2])[-1], steps([0])[-1], task.steps - 1


@pytest.mark.parametrize(
    ("task", "expected", "x"),
    [
        (ONE, (19, 24, 29, 49), [0] * 8),
        (GO, (24, 29, 34, 39), [1, 0, 0]),
        (TASKS["perceptual_decision_making"], (30, 35, 40, 40), [1, 0, 0]),
    ],
)
def test_phases_of_the_three_tasks(task, expected, x):
    phases = memory_phases(task)
    assert phases.times == expected and phases.steps == 10 and phases.x.tolist() == x
    assert memory_phases(task.name).times == expected and len(TIMES) == 4


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.sampled_from([OneChoiceInference, GoNoGo, PerceptualDecision]))
def test_phases_are_where_the_inputs_have_them(delay, kind):
    task = kind(evidence_steps=30, steps=31 + delay) if kind is PerceptualDecision else kind(delay=delay)
    phases = memory_phases(task)
    assert (phases.cue_end, phases.memory_end, phases.last) == shown(task)
    assert phases.steps == delay == phases.memory_end - phases.cue_end
    assert 0 <= (phases.memory_end - phases.middle) - (phases.middle - phases.cue_end) <= 1
    inputs, _ = task.trials(50, np.random.default_rng(0))
    assert (inputs[:, phases.cue_end + 1 : phases.memory_end + 1] == phases.x).all()


def test_the_trials_that_are_tested_count():
    assert memory_phases(replace(GO, tested_as=GoNoGo(delay=30))).memory_end == 54
    assert cued_trials(replace(GO, tested_as=GoNoGo(delay=30)), [1], 5).x.shape == (60, 1, 5, 3)


@dataclass(frozen=True)
class Flicker(GoNoGo):
    def trials(self, count, rng):
        inputs, labels = super().trials(count, rng)
        inputs[:, 27, 0] = 0
        return inputs, labels


def test_tasks_without_a_known_memory_are_refused():
    for task in (GoNoGo(delay=0), OneChoiceInference(delay=0), PerceptualDecision(evidence_steps=40)):
        with pytest.raises(InputError, match="no steps between the cue and the answer"):
            memory_phases(task)
    for find in (memory_phases, lambda task: cued_trials(task, [1])):
        with pytest.raises(InputError, match="the cue of task mine is not known"):
            find(Task("mine", "Mine", 3, 40, 2))
    with pytest.raises(InputError, match="no constant input"):
        memory_phases(Flicker())
    with pytest.raises(InputError, match="at least one"):
        cued_trials(GO, [1], 0)


# Trials


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_trials_are_the_first_test_trials_with_noise(task):
    clean = replace(task, coherences=(51.2,)) if isinstance(task, PerceptualDecision) else task
    x, labels = held_out_trials(clean, [3, 8])
    found = cued_trials(task, [3, 8])
    assert found.x.shape == (task.steps, 2, 256, task.inputs)
    assert torch.equal(found.labels, labels[:, :256])
    assert torch.equal(cued_trials(task, [3, 8], 40, noise=0).x, x[:, :, :40])
    noise = found.x - x[:, :, :256]
    assert noise.std().item() == pytest.approx(0.05, rel=0.02) and abs(noise.mean().item()) < 0.001
    assert noise.abs().amin() > 0 or (noise == 0).double().mean() < 1e-3, "all inputs are noisy"
    alone = cued_trials(task, [8])
    assert torch.equal(alone.x[:, 0], found.x[:, 1]) and torch.equal(alone.cues[0], found.cues[1])


def test_cues_are_what_the_clean_inputs_show():
    for task, channels in ((ONE, [0, 1, 2, 3]), (GO, [1, 2]), (TASKS["perceptual_decision_making"], [1, 2])):
        found = cued_trials(task, [4], noise=0)
        sums = found.x[..., channels].sum(0)  # (runs, trials, channels)
        assert torch.equal(sums.argmax(-1), found.cues) and len(found.cues.unique()) == len(channels)
    difference = (found.x[1:31, 0, :, 1] - found.x[1:31, 0, :, 2]).mean(0)  # of the last task
    assert difference.abs().mean().item() == pytest.approx(0.512, abs=0.005)
    assert not torch.equal(cued_trials(ONE, [4]).cues, cued_trials(ONE, [4]).labels)


# States


def drawn(neurons=6, runs=2, seed=0):
    rng = np.random.default_rng(seed)
    shapes = ((runs, neurons, neurons), (runs, 3, neurons), (runs, neurons, 2))
    return RecurrentNetworks(*(rng.normal(0, 0.4, shape) for shape in shapes))


def test_states_are_those_of_the_activity():
    networks, phases = drawn(), memory_phases(GO)
    x = cued_trials(GO, [1, 2], 30).x
    whole = networks.activity(x)
    found = memory_states(networks, x, phases)
    np.testing.assert_array_equal(found.states, whole[[24, 29, 34, 39]].numpy())
    np.testing.assert_array_equal(found.largest, whole.amax((0, 2, 3)).numpy())
    perceptual = TASKS["perceptual_decision_making"]
    last = memory_states(networks, cued_trials(perceptual, [1, 2], 9).x, memory_phases(perceptual)).states
    np.testing.assert_array_equal(last[2], last[3])
    with pytest.raises(InputError, match="trials of 40 steps"):
        memory_states(networks, x, memory_phases(ONE))


def test_means_of_cues_are_means():
    rng = np.random.default_rng(0)
    states, cues = rng.normal(size=(4, 50, 7)).astype(np.float32), rng.choice([0, 2, 3], 50)
    found = cue_means(states, cues)
    for k, cue in enumerate((0, 2, 3)):
        rows = [t for t in range(50) if cues[t] == cue]
        np.testing.assert_allclose(found[:, k], sum(states[:, t].astype(float) for t in rows) / len(rows))
    for bad in (cues[:-1], cues[None]):
        with pytest.raises(InputError, match="each trial needs one cue"):
            cue_means(states, bad)


def test_principal_axes_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(5, 40, 6)) @ np.diag([5, 1, 3, 0.1, 0.2, 0.3]) + 7
    found, flat = principal_axes(states), states.reshape(-1, 6)
    values, vectors = np.linalg.eigh(np.cov(flat.T))
    np.testing.assert_allclose(found.shares, values[::-1][:3] / values.sum())
    np.testing.assert_allclose(np.abs(found.axes @ vectors[:, ::-1][:, :3]), np.eye(3), atol=1e-8)
    assert [axis[np.abs(axis).argmax()] > 0 for axis in found.axes] == [True] * 3
    flipped = principal_axes(-states)
    np.testing.assert_allclose(flipped.axes, found.axes, atol=1e-12)
    projected = found.project(states)
    assert projected.shape == (5, 40, 3)
    np.testing.assert_allclose(projected[2, 3], [(states[2, 3] - flat.mean(0)) @ axis for axis in found.axes])
    assert principal_axes(np.ones((9, 6)), 2).shares.tolist() == [0, 0]
    for bad, count in ((flat, 7), (flat[:2], 3), (flat, 0)):
        with pytest.raises(InputError, match="are possible"):
            principal_axes(bad, count)
    with pytest.raises(InputError, match="infinite or NaN"):
        principal_axes(np.full((5, 5), np.nan))


# Fate


class Linear(Networks):
    def step(self, h, x):
        return x @ self.w_in + h @ self.w + self.b


def network(w, kind=RecurrentNetworks, bias=0.0, w_in=0.0):
    w = np.asarray(w, dtype=float)
    made = kind(w[None], np.full((1, 1, len(w)), w_in), np.zeros((1, len(w), 2))).double()
    with torch.no_grad():
        made.w.copy_(torch.from_numpy(w))  # not rounded to single precision
        made.b += bias
    return made


def fate_of(w, h=((1.0, 0.5), (0.25, 1.0)), kind=RecurrentNetworks, largest=1.0, memory_steps=10, **more):
    return fate(network(w, kind, **more), np.array(h), np.zeros(1), largest, memory_steps)


WINNER = np.array([[0.0, -2.0], [-2.0, 0.0]])  # with bias 1: rests at (1, 0) and at (0, 1)


def test_two_attractors():
    found = fate_of(WINNER, [[0.9, 0.1], [0.2, 0.8]], bias=1.0)
    assert found.kind == "attractors" and found.kind in FATES
    np.testing.assert_allclose(found.ends, [[1, 0], [0, 1]])
    np.testing.assert_allclose(found.left, np.sqrt(2) / np.hypot(0.7, 0.7))
    same = fate_of(WINNER, [[0.9, 0.1], [0.8, 0.2]], bias=1.0)
    assert same.kind == "decay" and (same.left == 0).all(), "both rest at one of the two"
    three = fate_of(WINNER, [[0.9, 0.1], [0.8, 0.2], [0.2, 0.8]], bias=1.0)
    assert three.kind == "attractors"


def test_the_memory_input_drives_the_fate():
    """A bias through the input weights."""
    by_input = network(WINNER, w_in=0.5)
    h = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fate(by_input, h, np.array([2.0]), 1.0, 10).kind == "attractors"
    assert fate(by_input, h, np.array([0.0]), 1.0, 10).kind == "decay"


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.9, 0.98, 0.99])
def test_decay_to_zero(factor):
    found = fate_of(factor * np.eye(2))
    assert found.kind == "decay"
    np.testing.assert_allclose(found.left, [factor**10, factor**100, factor**1000], atol=1e-300)


def test_decay_to_a_point():
    found = fate_of(0.5 * np.eye(2), bias=2.0)
    assert found.kind == "decay"
    np.testing.assert_allclose(found.ends, 4)


@pytest.mark.parametrize("factor", [0.999, 0.9999, 1.0001, 1.001, 1.003])
def test_slow(factor):
    """0.999 keeps 0.999²⁰⁰⁰ = 0.135 of the states after 2,000 steps and still loses a thousandth with each."""
    found = fate_of(factor * np.eye(2))
    assert found.kind == "slow or moving"
    np.testing.assert_allclose(found.left, [factor**10, factor**100, factor**1000])
    np.testing.assert_allclose(found.ends[0], np.array([1, 0.5]) * factor**2000)


def test_growth():
    found = fate_of(1.5 * np.eye(2))
    assert found.kind == "unbounded" and found.left[0] == pytest.approx(1.5**10)
    assert fate_of(3 * np.eye(2)).kind == "unbounded", "numbers overflow"
    just = 1000 ** (1 / 2000)
    assert fate_of((just - 1e-6) * np.eye(2)).kind == "slow or moving"
    assert fate_of((just + 1e-6) * np.eye(2)).kind == "unbounded"
    assert fate_of((just + 1e-6) * np.eye(2), largest=2.0).kind == "slow or moving"


def test_a_state_that_was_large_on_the_way_is_unbounded():
    """It grows to 2,048 times the largest for some steps and then dies out, along a chain of units."""
    chain = np.diag([2.0] * 11, 1)
    start = np.eye(12)[[0, 5]]
    assert fate_of(chain, start).kind == "unbounded"
    assert fate_of(chain, start, largest=2.1).kind == "decay"


def test_rotation_moves():
    turn = [[np.cos(1), np.sin(1)], [-np.sin(1), np.cos(1)]]
    found = fate_of(turn, kind=Linear)
    assert found.kind == "slow or moving"
    np.testing.assert_allclose(found.left, 1)
    flip = [[0.0, 1.0], [1.0, 0.0]]
    assert fate_of(flip).kind == "slow or moving", "back and forth"
    assert fate_of(0.9 * np.array(turn), kind=Linear).kind == "decay"


@pytest.mark.parametrize(("apart", "kind"), [(1.01005, "decay"), (1.0102, "attractors")])
def test_one_per_cent_tells_points_apart(apart, kind):
    """Every state of the identity rests."""
    assert fate_of(np.eye(2), [[3.0, 4.0], [3 * apart, 4 * apart]]).kind == kind


@pytest.mark.parametrize(("change", "kind"), [(0.9e-6, "attractors"), (1.1e-6, "slow or moving")])
def test_a_change_below_a_millionth_is_rest(change, kind):
    assert fate_of((1 - change) * np.eye(2), np.eye(2)).kind == kind
    assert fate_of((1 - change) * np.eye(2), 1e6 * np.eye(2), largest=1e6).kind == kind, "whatever the size"


@pytest.mark.parametrize(("change", "kind"), [(0.9e-9, "decay"), (1.1e-9, "slow or moving")])
def test_a_change_below_a_billionth_is_rest_at_zero(change, kind):
    """Small states that a bias moves on by more than a millionth of their size."""
    loose = network(np.eye(2))
    with torch.no_grad():
        loose.b[..., 0] = change
    found = fate(loose, np.array([[0.0, 0.0], [0.0, 1e-5]]), np.zeros(1), 1.0, 10)
    assert found.kind == kind
    np.testing.assert_allclose(found.ends, [[2000 * change, 0], [2000 * change, 1e-5]])


def test_one_that_moves_is_enough():
    w = np.diag([0.5, 1.0, 0.999])
    assert fate_of(w, [[1.0, 0, 0], [0, 1.0, 0]]).kind == "attractors"
    assert fate_of(w, [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]).kind == "slow or moving"


def test_without_a_difference_none_is_left():
    found = fate_of(0.5 * np.eye(2), [[1.0, 1.0], [1.0, 1.0]])
    assert found.kind == "decay" and np.isnan(found.left).all()
    assert np.isnan(fate_of(0.5 * np.eye(2), [[1.0, 1.0]]).left).all()


def test_the_difference_is_the_mean_over_pairs():
    h = np.array([[1.0, 0, 0], [0, 2.0, 0], [0, 0, 3.0]])
    factors = np.array([0.9, 0.99, 0.999])
    found = fate_of(np.diag(factors), h, memory_steps=7)

    def mean(states):
        return np.mean([np.linalg.norm(states[i] - states[j]) for i, j in ((0, 1), (0, 2), (1, 2))])

    np.testing.assert_allclose(found.left, [mean(h * factors**t) / mean(h) for t in (7, 70, 700)])
    assert fate_of(0.999 * np.eye(2), memory_steps=50).left[2] == pytest.approx(0.999**5000)


def test_what_overflowed_is_unbounded():
    assert fate_of(0.5 * np.eye(2), [[np.inf, 1.0], [1.0, 1.0]]).kind == "unbounded"
    assert fate_of(0.5 * np.eye(2), largest=np.nan).kind == "unbounded"


def test_the_network_and_its_precision_stay():
    made = drawn(runs=1)
    before = made.w.detach().clone()
    fate(made, np.ones((2, 6)), np.zeros(3), 1.0, 10)
    assert made.w.dtype == torch.float32 and torch.equal(made.w, before)
    single = drawn(runs=2).single(1)
    assert fate(single, np.ones((2, 6)), np.zeros(3), 1.0, 10).kind in FATES


def test_fates_of_what_cannot_be_are_refused():
    made, h, x = drawn(runs=1), np.ones((2, 6)), np.zeros(3)
    for call in (
        lambda: fate(drawn(runs=2), h, x, 1.0, 10),
        lambda: fate(made, h[0], x, 1.0, 10),
        lambda: fate(made, h[:0], x, 1.0, 10),
        lambda: fate(made, h[:, :5], x, 1.0, 10),
        lambda: fate(made, h, np.zeros(2), 1.0, 10),
        lambda: fate(made, h, x, 1.0, 0),
        lambda: fate(made, h, x, 1.0, 10, steps=0),
    ):
        with pytest.raises(InputError):
            call()


# Eigenvalue


def test_the_memory_eigenvalue_is_that_of_the_active_units():
    w = np.diag([0.9, 0.7, 0.3])
    h = np.eye(3)[[0, 1]]  # each cue keeps one unit active
    assert memory_eigenvalue(network(w), np.zeros(1), h) == pytest.approx((0.9 + 0.7) / 2)
    assert memory_eigenvalue(network(w, bias=1.0), np.zeros(1), h) == pytest.approx(0.9), "the bias wakes all units"
    assert memory_eigenvalue(network(w, w_in=1.0), np.ones(1), h) == pytest.approx(0.9), "so does the input"
    rng = np.random.default_rng(0)
    w, h = rng.normal(size=(8, 8)), rng.random((4, 8))
    expected = np.mean([np.abs(np.linalg.eigvals(w * (s @ w > 0))).max() for s in h])
    assert memory_eigenvalue(network(w), np.zeros(1), h) == pytest.approx(expected)
    assert np.isnan(memory_eigenvalue(network(w), np.zeros(1), np.full((2, 8), np.nan)))
