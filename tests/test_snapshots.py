"""Networks watched while they learn."""

import numpy as np
import pytest
import torch

from biornn_lite import topology
from biornn_lite.communicability import communicability
from biornn_lite.figures.topology import (
    epochs_figure,
)
from biornn_lite.priors import Priors
from biornn_lite.snapshots import histories, measured, watch
from biornn_lite.tasks import get_task
from biornn_lite.training import Settings, initial_networks, train, trained_by, training, training_trials
from biornn_lite.variants import Protocol, get_variant

QUICK = Settings(epochs=3, batches=2, batch_size=16, test_trials=40)


@pytest.fixture(scope="module")
def watched(small):
    return list(watch(small, ("W*D*C", "WD*C*"), "go_nogo", 4, settings=QUICK))


def test_watching_changes_nothing(small, watched):
    priors = Priors(small, Protocol())
    starts = [priors.start(get_variant(v), 4) for v in ("W*D*C", "WD*C*")]
    trained = train(starts, get_task("go_nogo"), [4, 4], QUICK)
    assert len(watched) == 4 and list(watched[0]) == ["W*D*C", "WD*C*"]
    for (name, history), network, start in zip(histories(watched).items(), trained, starts, strict=True):
        np.testing.assert_array_equal(history[-1].weights, network.weights)
        np.testing.assert_array_equal([s.test_accuracy for s in history[1:]], network.test_accuracy)
        assert np.isnan(history[0].test_accuracy) and [s.epoch for s in history] == [0, 1, 2, 3]
        assert {s.variant for s in history} == {name}
        np.testing.assert_array_equal(history[0].weights, start.weights.astype("float32"))


def test_losses_and_pulls_are_those_of_the_formulas(small, watched):
    """The first network at the start: cross-entropy and λ Σ|W|⊙D⊙C, each with its gradient, written out."""
    start = Priors(small, Protocol()).start(get_variant("W*D*C"), 4)
    networks = initial_networks([start], get_task("go_nogo"), [4])
    x, labels = training_trials(get_task("go_nogo"), [4], QUICK)
    h = torch.zeros(16, small.neurons)
    for x_t in x[:, 0, :16]:
        h = torch.relu(x_t @ networks.w_in[0] + h @ networks.w[0] + networks.b[0])
    loss = torch.nn.functional.cross_entropy(h @ networks.w_out[0] + networks.b_out[0], labels[0, :16])
    w = networks.w[0]
    penalty = (w.abs() * torch.tensor(start.cost, dtype=torch.float32) * communicability(w)).sum()
    seen = watched[0]["W*D*C"]
    assert seen.loss == pytest.approx(float(loss.detach()), rel=1e-5)
    assert seen.penalty == pytest.approx(float(penalty.detach()), rel=1e-5)
    for value, norm in ((loss, seen.loss_gradient), (penalty, seen.penalty_gradient)):
        (gradient,) = torch.autograd.grad(value, networks.w, retain_graph=True)
        assert norm == pytest.approx(float(gradient.norm()), rel=1e-4)
    strengths = np.abs(seen.weights)
    assert seen.on_the_diagonal == pytest.approx(np.diag(strengths).sum() / strengths.sum())


def test_a_training_that_is_left_off_has_done_no_more(small):
    start = Priors(small, Protocol()).start(get_variant("WD"), 0)
    epochs = training([start], get_task("go_nogo"), [0], QUICK)
    first = next(epochs)
    (one,) = trained_by(first)
    epochs.close()
    whole = train([start], get_task("go_nogo"), [0], QUICK)[0]
    assert first.number == 1 and one.test_accuracy[0] == whole.test_accuracy[0] and np.isnan(one.test_accuracy[1])
    assert not np.array_equal(one.weights, whole.weights)


def test_watching_counts_epochs_on_demand(small, capsys):
    list(watch(small, ["WD*C"], "go_nogo", 4, settings=QUICK, progress=True))
    said = capsys.readouterr()
    assert "training: 100%" in said.out and "3/3" in said.out and not said.err
    list(watch(small, ["WD*C"], "go_nogo", 4, settings=QUICK))
    said = capsys.readouterr()
    assert not said.out and not said.err


@pytest.fixture(scope="module")
def history(small):
    return histories(watch(small, ["WD*C"], "go_nogo", 4, settings=QUICK))["WD*C"]


def test_measures_by_epoch_are_those_of_the_snapshots(history):
    table = measured(history)
    assert list(table.index) == [0, 1, 2, 3]
    for snapshot in history:
        row, own = table.loc[snapshot.epoch], topology.measure(snapshot.weights)
        for name in ("entropy", "modularity", "small_worldness", "assortativity"):
            assert row[name] == pytest.approx(getattr(own, name))
        matched = topology.measure(snapshot.weights, "matched").small_worldness
        assert row["small_worldness_matched"] == pytest.approx(matched)
    figure = epochs_figure({"WD*C": table}, neurons=24, random=3)
    for ax, name in zip(figure.axes[:5], [*topology.SCORES, "entropy"], strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), table[name])
