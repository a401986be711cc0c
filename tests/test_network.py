"""Networks and their gradients against a loop written from the definition."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from biornn_lite import training as training_module
from biornn_lite.network import RecurrentNetworks, glorot_uniform
from biornn_lite.priors import Start
from biornn_lite.tasks import get_task
from biornn_lite.training import Settings, train

QUICK = Settings(epochs=2, batches=3, batch_size=32, test_trials=100)


def loop(x, w_in, w, b, w_out, b_out):
    """The recurrence of one network as its definition says it."""
    h = torch.zeros(x.shape[1], len(w), dtype=x.dtype)
    for x_t in x:
        h = torch.relu(x_t @ w_in + h @ w + b)
    return h @ w_out + b_out


def test_gradients_by_hand_are_those_of_the_loop():
    r = np.random.default_rng(0)
    networks = RecurrentNetworks(
        r.normal(0, 0.3, (3, 7, 7)), r.normal(size=(3, 4, 7)), r.normal(size=(3, 7, 2))
    ).double()
    with torch.no_grad():
        networks.b += torch.tensor(r.normal(size=(3, 1, 7)))
    x = torch.tensor(r.normal(size=(9, 3, 5, 4)))
    logits = networks(x)
    pull = torch.tensor(r.normal(size=(3, 5, 2)))
    (logits * pull).sum().backward()
    for k in range(3):
        trained = (networks.w_in, networks.w, networks.b, networks.w_out)
        own = [p[k].detach().clone().requires_grad_() for p in trained]
        plain = loop(x[:, k], *own, networks.b_out[k].detach())
        torch.testing.assert_close(logits[k], plain)
        (plain * pull[k]).sum().backward()
        for mine, theirs in zip(trained, own, strict=True):
            torch.testing.assert_close(mine.grad[k], theirs.grad)
    torch.testing.assert_close(networks.evaluate(x), logits.detach())


def test_glorot_limits():
    w = glorot_uniform(8, 312, np.random.default_rng(0))
    assert np.abs(w).max() < np.sqrt(6 / 320) and w.std() == pytest.approx(np.sqrt(2 / 320), rel=0.05)


def test_tiny_numbers_make_no_difference_to_a_network(small, monkeypatch):
    """A network that forgets at once: without the setting, what flows back through 40 steps is that small."""
    start = Start(np.diag(np.geomspace(1e-4, 0.5, 24)), np.full((24, 24), 1e-3))
    task = get_task("go_nogo")
    with_zeros = train([start], task, [0], QUICK)[0]
    monkeypatch.setattr(training_module, "small_numbers_as_zero", nullcontext)
    plain = train([start], task, [0], QUICK)[0]
    np.testing.assert_array_equal(with_zeros.weights, plain.weights)
    np.testing.assert_array_equal(with_zeros.test_loss, plain.test_loss)
