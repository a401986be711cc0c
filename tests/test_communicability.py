"""Communicability and its gradient against independent libraries."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import wasserstein_distance

from biornn_lite.communicability import communicability, distribution_distance, empirical_communicability
from biornn_lite.datasets import read_released


def reference_communicability(w):
    a = np.abs(w)
    s = 1 / np.sqrt(a.sum(1))
    c = expm(s[:, None] * a * s[None, :])
    np.fill_diagonal(c, 0)
    return c


@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.floats(-3, 3))
@settings(max_examples=40, deadline=None)
def test_communicability_is_the_matrix_exponential(n, seed, log_spread):
    w = np.random.default_rng(seed).normal(size=(n, n)) * np.exp(log_spread)
    ours = communicability(torch.tensor(w)).numpy()
    np.testing.assert_allclose(ours, reference_communicability(w), rtol=1e-6, atol=1e-8)


def test_communicability_in_float32_and_its_gradient():
    w = torch.tensor(np.random.default_rng(0).normal(size=(3, 60, 60)), dtype=torch.float32)
    pull = torch.tensor(np.random.default_rng(1).normal(size=(3, 60, 60)), dtype=torch.float32)

    def exponential(w):
        s = w.abs().sum(-1).rsqrt()
        return torch.matrix_exp(s[..., :, None] * w.abs() * s[..., None, :]) * (1 - torch.eye(w.shape[-1]))

    gradients = []
    for f in (communicability, exponential):
        x = w.clone().requires_grad_()
        (f(x) * pull).sum().backward()
        gradients.append(x.grad)
    assert (gradients[0] - gradients[1]).abs().max() < 3e-6 * gradients[1].abs().max() * 10
    np.testing.assert_allclose(communicability(w)[1], reference_communicability(w[1].double().numpy()), rtol=1e-5)


def test_communicability_gradient_is_right_to_second_digits():
    w = torch.tensor(np.random.default_rng(0).normal(size=(5, 5)), requires_grad=True)
    assert torch.autograd.gradcheck(communicability, (w,))


def test_a_neuron_that_reaches_nobody_has_none_and_gives_no_nan():
    w = torch.tensor(np.random.default_rng(0).normal(size=(6, 6)))
    w[2] = 0
    w.requires_grad_()
    c = communicability(w)
    c.sum().backward()
    assert torch.isfinite(w.grad).all()
    assert not c[2].any() and not c[:, 2].any()


def test_isolated_neurons_on_real_data(microns):
    connectome = read_released(microns / "6_6_2").connectome
    out = np.where(connectome.sum(1) == 0, 1e-10, connectome.sum(1))
    walks = np.sqrt(out)[:, None] * expm(connectome / out[:, None]) / np.sqrt(out)
    direct = expm(connectome / np.sqrt(out)[:, None] / np.sqrt(out))
    ours = empirical_communicability(connectome, "epsilon")
    for exponential in (walks, direct):
        np.fill_diagonal(exponential, 0)
    np.testing.assert_allclose(ours, walks, rtol=1e-11, atol=1e-11)
    # With entries of 1e5 the exponential of the scaled matrix is exact to some 1e-12 of them, not each by itself.
    assert np.abs(ours - direct).max() < 1e-10 * direct.max()
    published = empirical_communicability(connectome, "epsilon")
    sound = empirical_communicability(connectome, "zero")
    assert published.max() == pytest.approx(1.4e5, rel=0.02) and published.mean() == pytest.approx(129, rel=0.01)
    silent = connectome.sum(1) == 0
    assert not sound[silent].any() and not sound[:, silent].any() and sound.max() < np.e
    with pytest.raises(ValueError, match="isolated"):
        empirical_communicability(connectome, "other")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_distribution_distance_is_the_earth_movers(seed):
    r = np.random.default_rng(seed)
    a, b = r.normal(size=(7, 7)), r.normal(size=49)
    ours = distribution_distance(torch.tensor(a), torch.tensor(np.sort(b)))
    assert float(ours) == pytest.approx(wasserstein_distance(a.ravel(), b))
