"""The fast path against the method as one would first write it (``benchmarks/plain.py``)."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
import plain

from biornn_lite.communicability import communicability, distribution_distance
from biornn_lite.network import RecurrentNetworks
from biornn_lite.penalty import Penalty
from biornn_lite.plumbing import matmul
from biornn_lite.priors import Priors
from biornn_lite.synthetic import synthetic_field
from biornn_lite.tasks import get_task
from biornn_lite.training import Settings, train
from biornn_lite.variants import PUBLISHED_VARIANTS, Protocol, get_variant

TOLERANCES = {torch.float32: (1e-5, 1e-4), torch.float64: (1e-9, 1e-9)}


def relative(ours, theirs) -> float:
    """Largest difference as a share of the largest entry."""
    with torch.no_grad():
        return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.fixture(scope="module", params=[24, 130], ids=["24 neurons", "130 neurons"])
def starts(request):
    """A start of each variant: of few neurons, and of so many that oneDNN multiplies where it is the quicker."""
    priors = Priors(synthetic_field(request.param), Protocol())
    return [priors.start(get_variant(variant), 0) for variant in PUBLISHED_VARIANTS]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_losses_and_gradients_are_those_of_the_plain_version(starts, dtype):
    """Cross-entropy and penalty of all variants side by side, with the gradients of all five kinds of weights."""
    rng = np.random.default_rng(1)
    runs, neurons = len(starts), len(starts[0].weights)
    w_in, w_out = rng.normal(0, 0.3, (runs, 3, neurons)), rng.normal(0, 0.3, (runs, neurons, 2))
    networks = RecurrentNetworks([s.weights for s in starts], w_in, w_out).to(dtype)
    x = torch.tensor(rng.normal(size=(17, runs, 32, 3)), dtype=dtype)
    labels = torch.tensor(rng.integers(2, size=(runs, 32)))
    logits = networks(x)
    penalties = Penalty(starts, dtype=dtype)(networks.w)
    entropy = (
        functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(runs, 32).mean(1)
    )
    (entropy + penalties).sum().backward()
    value, gradient = TOLERANCES[dtype]
    torch.testing.assert_close(networks.evaluate(x), logits.detach(), rtol=value, atol=value)

    for r, start in enumerate(starts):
        one = plain.Network(networks.w[r].detach(), networks.w_in[r].detach(), networks.w_out[r].detach()).to(dtype)
        with torch.no_grad():  # as float32 the weights were rounded once
            for theirs, ours in (
                (one.rnn.weight_hh_l0, networks.w), (one.rnn.weight_ih_l0, networks.w_in),
                (one.readout.weight, networks.w_out),
            ):  # fmt: skip
                theirs.copy_(ours[r].T)
        theirs = one(x[:, r].transpose(0, 1))
        their_penalty = plain.penalty(one.w, start)
        name = PUBLISHED_VARIANTS[r]
        assert relative(logits[r], theirs) < value, name
        assert relative(penalties[r], their_penalty) < value, name
        (functional.cross_entropy(theirs, labels[r]) + their_penalty).backward()
        for ours, weights in (
            (networks.w, one.rnn.weight_hh_l0), (networks.w_in, one.rnn.weight_ih_l0),
            (networks.w_out, one.readout.weight),
        ):  # fmt: skip
            assert relative(ours.grad[r], weights.grad.T) < gradient, name
        assert relative(networks.b.grad[r, 0], one.rnn.bias_ih_l0.grad) < gradient, name
        assert relative(networks.b_out.grad[r, 0], one.readout.bias.grad) < gradient, name


@pytest.mark.parametrize("variant", ["W*D*C", "WD*C*"])
def test_a_training_ends_where_the_plain_one_does(small, variant):
    """Same trials, noise and first weights: the same accuracies, and weights that differ by rounding."""
    start, task = Priors(small, Protocol()).start(get_variant(variant), 3), get_task("go_nogo")
    settings = Settings(epochs=2, batches=20, batch_size=64, test_trials=500)
    (ours,) = train([start], task, [3], settings)
    theirs = plain.train(start, task, 3, settings)
    assert ours.train_accuracy[-1] == pytest.approx(theirs.train_accuracy, abs=2e-3)
    assert ours.test_accuracy[-1] == pytest.approx(theirs.test_accuracy, abs=4e-3)
    np.testing.assert_allclose(ours.weights, theirs.weights, atol=2e-4)


@pytest.mark.parametrize("n", [3, 60, 150])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_communicability_is_the_exponential_and_so_is_its_gradient(n, dtype):
    rng = np.random.default_rng(n)
    heavy = np.exp(2 * rng.normal(size=(n, n)))  # a few connections hold most of the weight
    for w in (rng.normal(size=(n, n)), heavy, np.eye(n) + 0.01 * rng.random((n, n))):
        ours, theirs = (torch.tensor(w, dtype=dtype, requires_grad=True) for _ in range(2))
        pull = torch.tensor(rng.normal(size=(n, n)), dtype=dtype)
        c, reference = communicability(ours[None])[0], plain.communicability(theirs)
        value, gradient = TOLERANCES[dtype]
        torch.testing.assert_close(c, reference, rtol=value, atol=value * float(reference.detach().max()))
        (c * pull).sum().backward()
        (reference * pull).sum().backward()
        assert relative(ours.grad, theirs.grad) < gradient


def test_the_distance_of_distributions_has_the_gradient_of_sorting():
    rng = np.random.default_rng(0)
    values = [torch.tensor(rng.normal(size=(3, 20, 20)), requires_grad=True) for _ in range(2)]
    values[1].data.copy_(values[0].data)
    target = torch.tensor(np.sort(rng.normal(size=(3, 400))))
    weights = torch.tensor([1.0, -2.0, 0.5])
    (weights * distribution_distance(values[0], target)).sum().backward()
    plainly = (values[1].flatten(1).sort(-1).values - target).abs().mean(-1)
    (weights * plainly).sum().backward()
    torch.testing.assert_close(values[0].grad, values[1].grad)


@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("onednn", [True, False])
def test_products_by_either_library(monkeypatch, runs, onednn):
    if onednn and not matmul._has_onednn():
        pytest.xfail("this processor or PyTorch has no AVX-512 or no oneDNN: products are those of the BLAS")
    monkeypatch.setattr(matmul, "_has_onednn", lambda: onednn)
    rng = torch.Generator().manual_seed(0)
    left = torch.randn(runs, 128, 105, generator=rng)
    right = torch.randn(runs, 105, 110, generator=rng)
    wanted = (left.double() @ right.double()).float()
    assert matmul.uses_onednn(left, right) == onednn
    torch.testing.assert_close(matmul.product(left, right), wanted, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(
        matmul.product(left.mT.contiguous().mT, right.mT.contiguous().mT), wanted, rtol=1e-5, atol=1e-4
    )
    out = torch.full((runs, 128, 120), 7.0)
    matmul.rectified_product(left, right, out[..., :110])
    torch.testing.assert_close(out[..., :110], wanted.relu(), rtol=1e-5, atol=1e-4)
    assert (out[..., 110:] == 7).all()
    spoilt = left.clone()
    spoilt[0, 3, 5] = float("nan")  # a network that diverges is to be seen to
    matmul.rectified_product(spoilt, right, out[..., :110])
    assert out[0, 3, :110].isnan().all() and not out[..., :110].isnan().flatten()[: 3 * 110].any()
    total = torch.ones(runs, 128, 110)
    matmul.add_product(total, left, right)
    torch.testing.assert_close(total, wanted + 1, rtol=1e-5, atol=1e-4)


def test_small_double_and_other_products_are_left_to_the_blas(monkeypatch):
    monkeypatch.setattr(matmul, "_has_onednn", lambda: True)
    large = torch.zeros(1, 128, 128)
    assert matmul.uses_onednn(large, large)
    assert not matmul.uses_onednn(large.double(), large.double())
    assert not matmul.uses_onednn(large[:, :, :40], large[:, :40, :40])
    assert not matmul.uses_onednn(large.to("meta"), large.to("meta"))
