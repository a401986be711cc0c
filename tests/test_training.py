"""What training records, and what it keeps apart."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from test_network import loop
from torch.nn import functional

from biornn_lite import training as training_module
from biornn_lite.adam import Adam
from biornn_lite.errors import InputError, Stopped
from biornn_lite.penalty import Penalty
from biornn_lite.plumbing.threads import ALL_THREADS_FROM, small_numbers_as_zero, threads
from biornn_lite.priors import Priors, Start
from biornn_lite.study import Study, run_networks
from biornn_lite.synthetic import synthetic_field
from biornn_lite.tasks import TASKS, GoNoGo, get_task
from biornn_lite.training import Settings, _trials, initial_networks, train, training
from biornn_lite.variants import PUBLISHED_VARIANTS, Protocol, get_variant

QUICK = Settings(epochs=2, batches=3, batch_size=32, test_trials=100)


def tiny_is_zero() -> bool:
    return float(torch.full((), 1e-38) * 0.1) == 0


@dataclass(frozen=True)
class Odd(GoNoGo):
    """Go/NoGo with a fault."""

    fault: str = "none"

    def trials(self, count, rng):
        inputs, labels = super().trials(count, rng)
        return {
            "labels from 1": (inputs, labels + 1),
            "labels below 0": (inputs, labels - 1),
            "halves": (inputs, labels / 2),
            "too few": (inputs[1:], labels[1:]),
            "another length": (inputs[:, 1:], labels),
            "lists": (inputs.tolist(), labels.tolist()),
        }[self.fault]


def test_a_training_step_stays_on_its_device(small):
    """On PyTorch's device without data, which like a GPU refuses to be mixed with the processor."""
    starts = [Priors(small, Protocol()).start(get_variant(v), 0) for v in PUBLISHED_VARIANTS]
    networks = initial_networks(starts, get_task("go_nogo"), [0] * 11, sign="positive").to("meta")
    penalty, optimiser = Penalty(starts, "meta"), Adam(networks.parameters(), 1e-3, 1e-7)
    for _ in range(2):
        logits = networks(torch.zeros(40, 11, 16, 3, device="meta"))
        optimiser.zero_grad()
        (logits.sum() + penalty(networks.w).sum()).backward()
        optimiser.step()
        networks.constrain()
    assert networks.w.grad.device.type == networks.evaluate(torch.zeros(40, 11, 16, 3, device="meta")).device.type
    assert networks.w.grad.device.type == "meta"


@pytest.mark.slow
@pytest.mark.parametrize("source", ["small", "130 neurons", "5_3_8", "5_3_4"])
@pytest.mark.parametrize("task", list(TASKS))
def test_a_run_is_the_same_alone_and_among_others(request, source, task):
    """Bit for bit, at the thread count of this process, in every column but the time it took."""
    if source == "small":
        field = request.getfixturevalue("small")
    elif source == "130 neurons":  # which oneDNN multiplies where it is the quicker
        field = synthetic_field(130)
    else:
        from biornn_lite.datasets import read_released

        field = read_released(request.getfixturevalue("microns") / source)
    study = Study(field, runs=2, settings=Settings(epochs=2, batches=3, batch_size=128, test_trials=600))
    networks = [network for network in study.networks if network[1] == task]
    together = run_networks(study, networks)
    for place in (0, 5, 13, 21):
        alone = run_networks(study, [networks[place]])
        row, curve = together.networks.iloc[[place]], together.curves.iloc[2 * place : 2 * place + 2]
        pd.testing.assert_frame_equal(
            alone.networks.drop(columns="seconds"),
            row.reset_index(drop=True).drop(columns="seconds"),
            check_exact=True,
        )
        pd.testing.assert_frame_equal(alone.curves, curve.reset_index(drop=True), check_exact=True)


def test_seeds_make_runs(small):
    starts = [Priors(small, Protocol()).start(get_variant("W*D*"), seed) for seed in (3, 3, 4)]
    same, again, other = train(starts, get_task("go_nogo"), [3, 3, 4], QUICK)
    assert np.array_equal(same.weights, again.weights) and same.train_loss[0] == again.train_loss[0]
    assert not np.array_equal(same.weights, other.weights)


def test_shared_trials_are_those_of_the_first_run_and_all_else_stays_its_own(small):
    def labels_and_rows(trials):
        study = Study(small, ("W*D*",), ("go_nogo",), 2, protocol=Protocol(trials=trials), settings=QUICK)
        return run_networks(study, study.networks).networks

    own, shared = labels_and_rows("own"), labels_and_rows("shared")
    assert own.loc[0, "train_loss"] == shared.loc[0, "train_loss"]
    assert own.loc[1, "train_loss"] != shared.loc[1, "train_loss"]
    start = Priors(small, Protocol()).start(get_variant("W*D*"), 5)
    as_two, alone = (
        train([start], get_task("go_nogo"), [5], QUICK, trial_seeds=[6]),
        train([start], get_task("go_nogo"), [6], QUICK),
    )
    assert as_two[0].train_loss[0] != alone[0].train_loss[0], "noise and input weights are the run's own"


def test_training_trials_come_in_one_order_and_test_trials_are_others():
    task = get_task("perceptual_decision_making")
    x, y = _trials(task, 64, [5, 6], "training trials", "cpu")
    again, _ = _trials(task, 64, [5], "training trials", "cpu")
    other, _ = _trials(task, 64, [5], "test trials", "cpu")
    assert x.shape == (task.steps, 2, 64, 3) and y.shape == (2, 64)
    assert torch.equal(x[:, :1], again) and not torch.equal(again, other)


def test_a_learnable_task_is_learned_and_recorded(small):
    """A diagonal near 1 and no penalty: the network remembers, and the record shows it."""
    start = Start(0.95 * np.eye(24), np.zeros((24, 24)))
    epochs = []
    settings = Settings(epochs=4, batches=20)
    (trained,) = train([start], get_task("go_nogo"), [0], settings, on_epoch=epochs.append)
    assert epochs == [1, 2, 3, 4]
    assert trained.test_accuracy[-1] > 0.95 and trained.test_loss[-1] < trained.test_loss[0]
    assert (trained.penalty == 0).all() and not trained.diverged


def test_recorded_test_accuracy_is_that_of_the_returned_weights(small):
    task = get_task("go_nogo")
    start = Priors(small, Protocol()).start(get_variant("W*D*"), 0)
    (trained,) = train([start], task, [0], Settings(epochs=1, batches=1, test_trials=700, learning_rate=0.0))
    networks = initial_networks([start], task, [0])
    x, y = _trials(task, 700, [0], "test trials", "cpu")
    logits = torch.stack([loop(x[:, 0], *(p[0] for p in (networks.w_in, networks.w, networks.b, networks.w_out)), 0)])
    assert trained.test_accuracy[0] == pytest.approx(float((logits.argmax(-1) == y).float().mean()))
    assert trained.test_loss[0] == pytest.approx(float(functional.cross_entropy(logits[0], y[0]).detach()), rel=1e-5)


def test_positive_networks_stay_positive(small):
    priors = Priors(small, Protocol(), sign="positive")
    starts = [priors.start(get_variant(v), 0) for v in PUBLISHED_VARIANTS]
    for trained in train(starts, get_task("go_nogo"), [0] * 11, QUICK, sign="positive"):
        assert trained.diverged or (trained.weights >= 0).all()


def test_a_diverged_run_is_said_to_be_one_and_leaves_its_neighbours_alone(small):
    fine = Priors(small, Protocol()).start(get_variant("W*D*"), 0)
    wild = Start(np.full((24, 24), 40.0), np.zeros((24, 24)))
    task = get_task("go_nogo")
    beside, diverged = train([fine, wild], task, [0, 0], QUICK)
    (alone,) = train([fine], task, [0], QUICK)
    assert diverged.diverged and np.isnan(diverged.train_accuracy).all() and np.isnan(diverged.test_loss).all()
    assert not beside.diverged and np.array_equal(beside.weights, alone.weights)
    assert diverged.diverged_step == 1 and beside.diverged_step is None


def test_a_penalty_that_is_no_number_is_a_divergence(small):
    """Strong inhibition keeps loss and gradients small; its cost alone is beyond all numbers."""
    start = Start(np.full((24, 24), -1e17), np.full((24, 24), 1e20))
    (trained,) = train([start], get_task("go_nogo"), [0], QUICK)
    assert np.isfinite(trained.weights).all()
    assert trained.diverged and np.isnan(trained.penalty).all()


def test_training_ends_with_the_last_network_that_can_learn(small):
    """Activity of 24 neurons at 10²⁷ overflows nothing, but the square of its gradient does: nothing moves again."""
    wild = Start(np.full((24, 24), 0.2), np.zeros((24, 24)))  # a spectral radius of 4.8
    epochs = []
    task = get_task("go_nogo")
    still, calm = train([wild, Start(0.9 * np.eye(24), wild.cost)], task, [0, 0], QUICK)
    assert still.diverged_step == 1 and np.array_equal(still.weights, wild.weights.astype("float32"))
    assert not calm.diverged
    train([wild, wild], task, [0, 1], QUICK, on_epoch=epochs.append)
    assert epochs == [1]


def test_the_step_of_divergence_is_that_in_which_a_number_was_lost(small):
    """Weights that a large learning rate throws far off: the step is the first whose loss is no finite number."""
    task, start = get_task("go_nogo"), Start(0.9 * np.eye(24), np.zeros((24, 24)))
    settings = Settings(epochs=3, batches=5, batch_size=16, test_trials=20, learning_rate=0.5)
    (trained,) = train([start], task, [0], settings)
    assert 1 < trained.diverged_step <= 15
    kept = np.isfinite(trained.train_loss).sum()
    assert kept == (trained.diverged_step - 1) // 5
    calm = Settings(epochs=1, batches=trained.diverged_step - 1, batch_size=16, test_trials=20, learning_rate=0.5)
    before = train([start], task, [0], calm)[0]
    assert not before.diverged


def test_published_positive_baselines_diverge_on_the_real_field(microns):
    """An orthogonal matrix of 312 neurons clipped at 0 overflows; rescaled to 0.95 it does not."""
    from biornn_lite.datasets import read_released

    field = read_released(microns / "6_6_2")
    brief = Settings(epochs=1, batches=2, test_trials=64)
    status = {}
    for how in ("clipped", "rescaled"):
        study = Study(
            field, ("WD",), ("one_choice_inference",), 1, 0, Protocol(positive_start=how), "positive", brief
        )
        (status[how],) = run_networks(study, study.networks).networks["status"]
    assert status == {"clipped": "diverged", "rescaled": "ok"}


def test_tiny_numbers_are_zero_while_a_network_trains_and_only_then(small):
    assert not tiny_is_zero()
    with small_numbers_as_zero():
        with small_numbers_as_zero():
            assert tiny_is_zero()
        assert tiny_is_zero(), "as it was before, which was so"
    assert not tiny_is_zero()
    start = Priors(small, Protocol()).start(get_variant("W*D*"), 0)
    for _ in training([start], get_task("go_nogo"), [0], QUICK):
        assert not tiny_is_zero(), "what is done between two epochs is the caller's"
    with pytest.raises(ZeroDivisionError), small_numbers_as_zero():
        1 / 0  # noqa: B018
    assert not tiny_is_zero()


def test_starts_of_several_sizes_are_refused():
    starts = [Start(np.eye(n), np.zeros((n, n))) for n in (5, 4)]
    with pytest.raises(InputError, match=r"starts have \[4, 5\] neurons"):
        train(starts, get_task("go_nogo"), [0, 1], QUICK)
    with pytest.raises(InputError, match="starts have no neurons"):
        train([], get_task("go_nogo"), [], QUICK)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("labels from 1", "labels are int64 from 1 to 2; expected whole numbers from 0 to 1"),
        ("labels below 0", "from -1 to 0; expected"),
        ("halves", "labels are float64"),
        ("too few", r"inputs of shape \(95, 40, 3\) and labels of shape \(95,\); expected \(96, 40, 3\)"),
        ("another length", r"inputs of shape \(96, 39, 3\)"),
    ],
)
def test_trials_that_are_not_what_their_task_says_are_refused(fault, message):
    start = Start(np.eye(5), np.zeros((5, 5)))
    with pytest.raises(InputError, match=f"task go_nogo: .*{message}"):
        train([start], Odd(fault=fault), [0], QUICK)


def test_trials_may_be_lists():
    start = Start(np.eye(5), np.zeros((5, 5)))
    as_lists, plain = (train([start], task, [0], QUICK)[0] for task in (Odd(fault="lists"), get_task("go_nogo")))
    np.testing.assert_array_equal(as_lists.weights, plain.weights)


@pytest.mark.parametrize(("neurons", "expected"), [(24, 1), (ALL_THREADS_FROM, 2)])
def test_small_networks_are_trained_by_one_thread(monkeypatch, neurons, expected):
    """Two of them hinder each other where others compute too."""
    used = []
    evaluate = training_module._evaluate

    def noted(*arguments):
        used.append(torch.get_num_threads())
        return evaluate(*arguments)

    monkeypatch.setattr(training_module, "_evaluate", noted)
    start = Start(np.eye(neurons), np.zeros((neurons, neurons)))
    with threads(2):
        for _ in training([start], get_task("go_nogo"), [0], Settings(epochs=2, batches=1, test_trials=1)):
            assert torch.get_num_threads() == 2, "threads are not given back between epochs"
    assert used == [expected] * 2


def test_a_training_that_shows_its_progress_is_stopped_with_one_line(small, capsys):
    """As by the interrupt of a kernel: the old number of threads is back, and the next training is as ever."""
    starts, settings = [Priors(small).start("W*D*", 0)], Settings(epochs=3, batches=2, batch_size=8, test_trials=8)
    (whole,) = train(starts, "go_nogo", 0, settings, progress=True)
    assert "training: 100%" in (shown := capsys.readouterr()).out and "6/6" in shown.out and not shown.err

    def interrupt(epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:
        train(starts, "go_nogo", 0, settings, on_epoch=interrupt, progress=True)
    assert "4/6" in capsys.readouterr().out
    (told,) = stopped.value._render_traceback_()  # what a notebook shows
    assert told.startswith("Stopped after 2 of 3 epochs.") and "\n" not in told and stopped.value.__cause__ is None
    with pytest.raises(KeyboardInterrupt) as plain:
        train(starts, "go_nogo", 0, settings, on_epoch=interrupt)
    assert plain.type is KeyboardInterrupt and capsys.readouterr().out == ""
    (again,) = train(starts, "go_nogo", 0, settings)
    assert np.array_equal(again.weights, whole.weights)
