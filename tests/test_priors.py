"""Weights, distances and communicability against independent libraries."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.spatial.distance import pdist, squareform
from scipy.stats import wasserstein_distance

from biornn_lite import space, weights
from biornn_lite.communicability import communicability, distribution_distance, empirical_communicability
from biornn_lite.datasets import read_released
from biornn_lite.errors import InputError
from biornn_lite.priors import Priors
from biornn_lite.variants import PROTOCOLS, PUBLISHED_VARIANTS, VARIANTS, Protocol, describe_choices, get_variant

# Weights


def test_functional_weights_have_the_stated_scale(column):
    w = Priors(column, Protocol()).functional_weights(3)
    assert np.abs(np.linalg.eigvals(w)).max() == pytest.approx(0.95)
    assert (w >= 0).all()
    off = ~np.eye(len(w), dtype=bool)
    assert np.diag(w).mean() > 100 * w[off].mean(), "the diagonal of 1 in both similarities dominates"


def test_self_connections_removed_and_only(column):
    removed = Priors(column, Protocol(self_connections="removed")).functional_weights(0)
    only = Priors(column, Protocol(self_connections="only")).functional_weights(0)
    assert not np.diag(removed).any() and removed.any()
    assert np.array_equal(only, np.diag(np.diag(only))) and (np.diag(only) > 0).all()
    for w in (removed, only):
        assert weights.spectral_radius(w) == pytest.approx(0.95)


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_orthogonal_weights_are_orthogonal(n, seed):
    w = weights.orthogonal(n, np.random.default_rng(seed))
    np.testing.assert_allclose(w @ w.T, np.eye(n), atol=1e-12)


def test_orthogonal_weights_do_not_favour_a_sign():
    # Without the sign correction of QR, the traces of LAPACK's factor are biased.
    traces = [np.trace(weights.orthogonal(8, np.random.default_rng(k))) for k in range(4000)]
    assert abs(np.mean(traces)) < 5 / np.sqrt(4000)  # a Haar matrix has trace of mean 0 and variance 1


def test_relabelled_weights_are_the_same_graph(column):
    w = Priors(column, Protocol()).functional_weights(0)
    permuted = weights.relabelled(w, np.random.default_rng(1))
    assert not np.array_equal(permuted, w)
    np.testing.assert_allclose(np.sort(np.diag(permuted)), np.sort(np.diag(w)))
    np.testing.assert_allclose(
        np.sort(np.abs(np.linalg.eigvals(permuted))), np.sort(np.abs(np.linalg.eigvals(w))), atol=1e-10
    )


def test_shuffled_weights_keep_what_they_say(column):
    w = Priors(column, Protocol()).functional_weights(0)
    off = ~np.eye(len(w), dtype=bool)
    kept = weights.relabelled(w, np.random.default_rng(1), "shuffled_off_diagonal")
    ratio = kept[0, 0] / w[0, 0]  # all entries are scaled alike, back to spectral radius 0.95
    np.testing.assert_allclose(np.diag(kept), ratio * np.diag(w))
    np.testing.assert_allclose(np.sort(kept[off]), np.sort(ratio * w[off]))
    mixed = weights.relabelled(w, np.random.default_rng(1), "shuffled")
    assert np.diag(mixed).mean() < 0.1 * np.diag(w).mean() * mixed.max() / w.max() * 5
    with pytest.raises(ValueError, match="relabelling"):
        weights.relabelled(w, np.random.default_rng(1), "other")


def test_clipped_orthogonal_weights_have_the_radius_that_overflows():
    w = weights.orthogonal(312, np.random.default_rng(0))
    assert 6.5 < weights.spectral_radius(weights.non_negative(w, rescale=False)) < 7.5
    assert weights.spectral_radius(weights.non_negative(w, rescale=True)) == pytest.approx(0.95)


def test_what_cannot_be_scaled_says_so():
    with pytest.raises(InputError, match="spectral radius 0"):
        weights.with_spectral_radius(np.triu(np.ones((4, 4)), 1))
    with pytest.raises(InputError, match="all entries"):
        weights.min_max(np.ones((3, 3)))


# Space


def test_the_published_reshape_mixes_axes_and_neurons(microns):
    field = read_released(microns / "6_6_2")
    true = pdist(field.positions)
    published = squareform(Priors(field, PROTOCOLS["published"]).cortical_distances, checks=False)
    sound = squareform(Priors(field, PROTOCOLS["sound"]).cortical_distances, checks=False)
    assert abs(np.corrcoef(true, published)[0, 1]) < 0.01
    assert np.corrcoef(true, sound)[0, 1] == pytest.approx(1)
    assert published.mean() == pytest.approx(0.55, abs=0.01)


def test_lattice_scale(microns):
    field = read_released(microns / "6_6_2")
    assert field.lattice == (12, 13, 2)
    raw = Priors(field, PROTOCOLS["published"]).lattice_distances
    assert raw.mean() == pytest.approx(6.55, abs=0.01)
    sound = Priors(field, PROTOCOLS["sound"])
    assert space.mean_distance(sound.lattice_distances) == pytest.approx(
        space.mean_distance(sound.cortical_distances)
    )


@given(st.integers(1, 2000))
@settings(deadline=None)
def test_lattice_shape_holds_the_neurons_and_is_the_most_compact(n):
    shape = space.lattice_shape(n)
    assert np.prod(shape) == n and shape[0] >= shape[1] >= shape[2]
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    best = min(a + b + n // (a * b) for a in divisors for b in divisors if n % (a * b) == 0)
    assert sum(shape) == best


def test_unknown_arrangements_are_refused(column):
    with pytest.raises(ValueError, match="coordinates"):
        space.coordinates(column, "sideways", "min_max")
    with pytest.raises(ValueError, match="units"):
        space.coordinates(column, "transposed", "parsecs")


@pytest.mark.parametrize("kind", ["functional", "half normal", "no cycle", "diagonal", "one cycle", "zero"])
def test_the_spectral_radius_of_many_neurons_is_proven_or_found_among_all(kind):
    """Above 500 neurons it is sought alone, which goes wrong, unnoticed if not checked, for some matrices."""
    n, r = 520, np.random.default_rng(0)
    matrix = {
        "functional": r.lognormal(-0.5, 0.5, (n, n)) * (0.01 + np.eye(n)),
        "half normal": np.maximum(r.normal(size=(n, n)), 0),
        "no cycle": np.triu(r.random((n, n)), 1),
        "diagonal": np.diag(r.random(n)),
        "one cycle": np.roll(np.eye(n), 1, 0),
        "zero": np.zeros((n, n)),
    }[kind]
    every = np.abs(np.linalg.eigvals(matrix)).max()
    assert weights.spectral_radius(matrix) == pytest.approx(every, rel=1e-9, abs=1e-12)


# Communicability


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


# Variants and choices


def test_names_say_what_variants_are():
    assert len(PUBLISHED_VARIANTS) == 11 and len(VARIANTS) == 27
    v = get_variant("W!DC*")
    assert (v.weights, v.space, v.communicability) == ("relabelled", "lattice", "empirical")
    v = get_variant("W")
    assert (v.weights, v.space, v.communicability) == ("orthogonal", "none", "none")
    with pytest.raises(InputError, match="no variant 'DW'"):
        get_variant("DW")


def test_ready_protocols_differ_in_every_quirk_of_the_published_code():
    choices = {c["choice"]: c for c in describe_choices()}
    same = {name for name, c in choices.items() if c["published"] == c["sound"]}
    assert same == {"function", "trials", "penalty_weight", "emd_weight"}
    assert PROTOCOLS["published"] == Protocol() and PROTOCOLS["published"].name == "published"
    assert PROTOCOLS["sound"].name == "sound"


def test_single_choices():
    protocol = Protocol().choose(["units=micrometres", "penalty_weight=0.1"])
    assert (protocol.units, protocol.penalty_weight) == ("micrometres", 0.1)
    assert protocol.name == "published+units=micrometres+penalty_weight=0.1"
    for bad, message in [
        ("units", "form choice=value"),
        ("unit=micrometres", "no choice 'unit'"),
        ("units=inches", "it allows min_max, micrometres"),
        ("penalty_weight=-1", "a number"),
        ("penalty_weight=nan", "a number"),
        ("penalty_weight=much", "a number"),
    ]:
        with pytest.raises(InputError, match=message):
            Protocol().choose([bad])


def test_the_plain_penalty_ignores_lambda_as_published(column):
    published, sound = Priors(column, Protocol()), Priors(column, Protocol(lambda_in_w="applied"))
    assert (published.start(get_variant("W"), 0).cost == 1.0).all()
    assert (sound.start(get_variant("W"), 0).cost == 0.3).all()
    d = published.start(get_variant("WD"), 0).cost
    np.testing.assert_allclose(d, 0.3 * published.lattice_distances)


def test_matched_penalties_start_at_one_value(column):
    from biornn_lite.penalty import Penalty

    priors = Priors(column, Protocol(penalty_start="matched", emd_weight=0))
    starts = [priors.start(get_variant(v), 0) for v in PUBLISHED_VARIANTS]
    values = Penalty(starts)(torch.tensor(np.array([s.weights for s in starts]), dtype=torch.float32))
    published = Priors(column, Protocol()).start(get_variant("W*D*"), 0)
    np.testing.assert_allclose(values, (published.weights * published.cost).sum(), rtol=1e-5)


def test_function_choices_and_their_absence(column, microns):
    real = read_released(microns / "5_3_4")
    ours = {f: Priors(real, Protocol(function=f)).functional_weights(0) for f in ("correlation", "sttc", "precision")}
    assert len({w.tobytes() for w in ours.values()}) == 3
    with pytest.raises(InputError, match="no precision matrix"):
        Priors(replace(column, precision=None), Protocol(function="precision"))
