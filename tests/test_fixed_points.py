"""Fixed points that are known by construction are found, none is invented, and other ways of computing them agree."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import root

from biornn_lite.errors import InputError
from biornn_lite.fixed_points import (
    MARGIN,
    consistent,
    find_fixed_points,
    jacobian,
    slow_points,
    solve_in_pattern,
    time_constant,
)
from biornn_lite.network import Networks, RecurrentNetworks
from biornn_lite.trained_networks import load_trained_networks


def network_of(w, drive=0.0, kind=RecurrentNetworks):
    """A network in float64 whose biases are the drive; its only input adds itself to the first unit."""
    w = np.asarray(w, dtype=float)
    w_in = np.zeros((1, 1, len(w)))
    w_in[0, 0, 0] = 1
    network = kind(w[None], w_in, np.zeros((1, len(w), 2))).double()
    with torch.no_grad():
        network.w.copy_(torch.from_numpy(w[None]))
        network.b.copy_(torch.from_numpy(np.broadcast_to(np.asarray(drive, dtype=float), (1, 1, len(w))).copy()))
    return network


def blocks(*parts):
    """One network of several that are not connected: weights and drive."""
    sizes = [len(drive) for _, drive in parts]
    w, ends = np.zeros((sum(sizes),) * 2), np.cumsum([0, *sizes])
    for (part, _), first, last in zip(parts, ends[:-1], ends[1:], strict=True):
        w[first:last, first:last] = part
    return w, np.concatenate([drive for _, drive in parts])


def starts_of(neurons, count=200, most=3.0, seed=0):
    return np.random.default_rng(seed).uniform(0, most, (count, neurons))


def step(w, drive, h):
    return np.maximum(h @ w + drive, 0)


def enumerated(w, drive):
    """All fixed points, by trying every pattern, and the smallest distance of a unit to its threshold.

    None if a pattern is nearly singular, so that there may be a continuous set.
    """
    points, margin = [], np.inf
    for pattern in itertools.product([False, True], repeat=len(w)):
        on = np.flatnonzero(pattern)
        matrix = (np.eye(len(w)) - w)[np.ix_(on, on)]
        if len(on) and np.linalg.cond(matrix) > 1e6:
            return None, 0.0
        h = np.zeros(len(w))
        h[on] = np.linalg.solve(matrix.T, drive[on])
        summed = h @ w + drive
        margin = min(margin, np.abs(summed).min())
        if (summed[on] > 0).all() and (np.delete(summed, on) <= 0).all():
            points.append(h)
    return np.array(points).reshape(-1, len(w)), margin


def assert_same_set(found, expected, atol=1e-8):
    assert found.shape == expected.shape
    for point in expected:
        assert (np.abs(found - point).max(1) < atol).sum() == 1, point


def assert_rests(network, points, x=0.0):
    w, b = network.w.detach().double().numpy()[0], network.b.detach().double().numpy()[0, 0].copy()
    b[0] += x
    moved = np.abs(step(w, b, points) - points)
    assert (moved <= 1e-12 * (1 + np.abs(points)) * (1 + np.abs(w).sum(0).max())).all()


# Known by construction


def test_without_weights_the_drive_is_the_fixed_point():
    found = find_fixed_points(network_of(np.zeros((3, 3)), [1.0, -2.0, 0.5]), [1.0], starts_of(3))
    np.testing.assert_allclose(found.points, [[2.0, 0.0, 0.5]])
    assert found.stable.all() and not found.eigenvalues.any() and not found.at_threshold.any()
    assert (found.origin == 0).all()


@pytest.mark.parametrize("a", [-1.5, -0.5, 0.5, 0.999])
def test_self_connections_have_a_known_point_and_eigenvalue(a):
    drive = np.array([1.0, 0.25, -1.0])
    found = find_fixed_points(network_of(a * np.eye(3), drive), [0.0], starts_of(3))
    np.testing.assert_allclose(found.points, [np.maximum(drive, 0) / (1 - a)])
    np.testing.assert_allclose(found.eigenvalues, [[a, a, 0]])
    assert found.stable.tolist() == [abs(a) < 1]


def test_mutual_inhibition_has_two_attractors_and_a_saddle():
    found = find_fixed_points(network_of([[0, -2], [-2, 0]], 1.0), [0.0], starts_of(2))
    assert_same_set(found.points, np.array([[1, 0], [0, 1], [1 / 3, 1 / 3]]))
    assert found.stable.tolist() == [True, True, False]
    np.testing.assert_allclose(found.eigenvalues, [[0, 0], [0, 0], [2, -2]])
    assert set(found.origin) == {0, 1, 2}
    np.testing.assert_array_equal(found.points[:2], [[0, 1], [1, 0]])  # in an order that rounding does not change


@pytest.mark.parametrize("units", [1, 2, 3])
def test_self_exciting_units_double_the_points(units):
    """Each unit rests at 0 or, unstably, at 1: 2, 4, 8 points, one of them stable."""
    w, drive = blocks(*[([[2.0]], [-1.0])] * units)
    found = find_fixed_points(network_of(w, drive), [0.0], starts_of(units, most=1.0))
    assert_same_set(found.points, np.array([*itertools.product([0.0, 1.0], repeat=units)]))
    np.testing.assert_array_equal(found.stable, ~found.points.any(1))
    assert (found.origin >= 0).all() and found.stable[0]
    assert (np.diff(np.linalg.norm(found.points, axis=1)) >= 0).all()


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_pairs_with_two_attractors_triple_the_points(pairs):
    w, drive = blocks(*[([[0.25, -1.5], [-1.5, 0.25]], [1.0, 1.0])] * pairs)
    found = find_fixed_points(network_of(w, drive), [0.0], starts_of(2 * pairs, 400, 2.0))
    one = np.array([[4 / 3, 0], [0, 4 / 3], [1 / 2.25, 1 / 2.25]])
    assert_same_set(found.points, np.array([np.concatenate(p) for p in itertools.product(one, repeat=pairs)]))
    assert found.stable.sum() == 2**pairs
    np.testing.assert_array_equal(found.stable, ((found.points > 0).sum(1) == pairs))


def test_all_eight_are_found_among_seventy_units():
    """The other 64 units are driven by weak random weights and follow."""
    rng = np.random.default_rng(1)
    pairs, drive = blocks(*[([[0.25, -1.5], [-1.5, 0.25]], [1.0, 1.0])] * 3)
    w = rng.normal(0, 0.3 / 8, (70, 70))
    w[:, :6] = 0
    w[:6, :6] = pairs
    drive = np.concatenate([drive, rng.normal(0, 1, 64)])
    found = find_fixed_points(network_of(w, drive), [0.0], starts_of(70, 1100, 2.0))
    assert_rests(network_of(w, drive), found.points)
    assert found.stable.sum() == 8 and len(found.points) == 27 and (found.origin >= 0).all()
    assert len(np.unique(found.points[found.stable, :6].round(6), axis=0)) == 8


def test_a_rotation_has_complex_eigenvalues():
    angle, size = 0.7, 0.9
    w = size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    drive = np.array([1.0, 1.0]) @ (np.eye(2) - w)
    found = find_fixed_points(network_of(w, drive), [0.0], starts_of(2))
    np.testing.assert_allclose(found.points, [[1, 1]])
    np.testing.assert_allclose(found.eigenvalues[0], size * np.exp([1j * angle, -1j * angle]))
    assert found.stable.all()


# Continuous sets, thresholds, and networks without any


def test_on_a_line_attractor_the_points_that_were_reached_are_given():
    v, u = np.array([0.25, 0.25, 0.25]), np.array([1.0, 2.0, 1.0])
    network = network_of(np.outer(v, u))
    found = find_fixed_points(network, [0.0], starts_of(3, 50))
    assert (found.origin >= 0).all() and len(found.points) > 40
    np.testing.assert_allclose(found.points, found.points[:, :1] * u, atol=1e-12)
    assert not found.stable.any() and np.allclose(found.eigenvalues[:, 0], 1)
    assert_rests(network, found.points)


def test_each_state_is_a_fixed_point_of_the_identity():
    starts = starts_of(4, 20)
    found = find_fixed_points(network_of(np.eye(4)), [0.0], starts)
    assert len(found.points) == 20 and not found.stable.any()
    np.testing.assert_array_equal(found.points[found.origin], starts)
    assert np.isinf(time_constant(found.eigenvalues)).all()


@pytest.mark.parametrize(
    ("w", "drive"),
    [
        ([[2.0]], 1.0),
        (np.eye(3), 0.5),
        ([[0.0, 1.5], [1.5, 0.0]], 1.0),
        # rotating away, with one pattern after another
        ([[1.2, 1.2], [-1.2, 1.2]], [1.0, 0.5]),
    ],
)
def test_a_network_that_grows_without_bound_has_none(w, drive):
    expected, _ = enumerated(np.asarray(w), np.broadcast_to(drive, len(w)))
    assert expected is None or not len(expected)
    found = find_fixed_points(network_of(w, drive), [0.0], starts_of(len(w), 30, 10))
    assert not len(found.points) and (found.origin == -1).all() and found.eigenvalues.shape == (0, len(w))
    assert found.points.shape == (0, len(w)) and found.stable.shape == found.at_threshold.shape == (0,)


@pytest.mark.parametrize(
    ("w", "stable", "largest"),
    [
        (0.95 * np.eye(2), True, 0.95),
        (2 * np.eye(2), False, 2),
        (np.eye(2) - 2 * np.eye(2), True, 1),  # -I: a step clips to 0 what is above, and nothing is below
        ([[0.0, 1.0], [-1.0, 0.0]], True, 1),  # an orthogonal matrix: relu takes what it would only turn
        ([[1.2, 1.0], [-3.0, 0.0]], True, np.sqrt(3)),  # inhibition that ends what the first unit begins
        ([[1.2, 0.1], [-0.1, 0.5]], False, None),
    ],
)
def test_at_a_threshold_stability_is_that_of_small_deviations(w, stable, largest):
    w = np.asarray(w, dtype=float)
    found = find_fixed_points(network_of(w), [0.0], starts_of(2, 10))
    np.testing.assert_array_equal(found.points, [[0, 0]])
    assert found.at_threshold.all() and found.stable.tolist() == [stable]
    if largest is not None:
        assert abs(found.eigenvalues[0, 0]) == pytest.approx(largest)
    h = 1e-6 * np.random.default_rng(0).uniform(0, 1, (200, 2))
    for _ in range(400):
        h = np.minimum(step(w, 0, h), 1.0)
    assert (np.abs(h).max() < 1e-12) == stable


def test_starts_that_are_not_finite_lead_nowhere():
    starts = np.array([[0.1, 0.2], [np.nan, 1], [np.inf, 0], [3, 0.1]])
    for find in (find_fixed_points, slow_points):
        found = find(network_of(0.5 * np.eye(2), 1.0), [0.0], starts)
        np.testing.assert_array_equal(found.origin, [0, -1, -1, 0])
        np.testing.assert_allclose(found.points, [[2, 2]])
        nothing = find(network_of(0.5 * np.eye(2), 1.0), [0.0], starts[1:3])
        assert nothing.points.shape == (0, 2) and (nothing.origin == -1).all()


# Every pattern tried


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 8), st.sampled_from([0.5, 1.0, 1.5, 3.0]))
def test_the_points_are_among_those_of_all_patterns(seed, neurons, gain):
    rng = np.random.default_rng(seed)
    w, drive = rng.normal(0, gain / np.sqrt(neurons), (neurons, neurons)), rng.normal(0, 1, neurons)
    expected, margin = enumerated(w, drive)
    assume(expected is not None and margin > 1e-5)
    network = network_of(w, drive)
    near = expected + rng.uniform(-1e-7, 1e-7, expected.shape)
    found = find_fixed_points(network, [0.0], np.vstack([near, starts_of(neurons, 20, seed=seed)]))
    assert_same_set(found.points, expected)
    np.testing.assert_allclose(found.points[found.origin[: len(near)]].reshape(near.shape), expected, atol=1e-8)
    assert_rests(network, found.points)
    for point, eigenvalues, stable in zip(found.points, found.eigenvalues, found.stable, strict=True):
        on = np.flatnonzero(point)
        magnitudes = np.sort(np.abs(np.linalg.eigvals(w[np.ix_(on, on)])))[::-1] if len(on) else np.zeros(0)
        np.testing.assert_allclose(np.abs(eigenvalues)[: len(on)], magnitudes, atol=1e-6)
        assert stable == (magnitudes.max(initial=0) < 1 - MARGIN)
        np.testing.assert_allclose(jacobian(network, [0.0], point), w * (point > 0))
        assert consistent(w, drive, point, point > 0)
        np.testing.assert_allclose(solve_in_pattern(w, drive, point > 0), point, atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_random_starts_find_most_of_what_there_is(seed):
    rng = np.random.default_rng(seed)
    w, drive = rng.normal(0, 0.6, (7, 7)) - 0.2, rng.uniform(0, 1, 7)
    expected, _ = enumerated(w, drive)
    found = find_fixed_points(network_of(w, drive), [0.0], starts_of(7, 500, 2.0))
    assert len(expected) and len(found.points) == len(expected)


@pytest.mark.parametrize(
    ("w", "drive"),
    [
        ([[0.5, -1.25, -0.5], [2.25, 1.5, 0.5], [0.75, -1.25, -0.75]], [-0.5, -0.75, -0.5]),
        ([[1.25, -1.0, 1.5], [0.75, 0.75, -1.0], [-1.5, 1.0, 0.25]], [1.0, 1.75, 0.75]),
        ([[0.75, -0.75, -0.5], [-1.25, -1.5, -1.75], [0.5, 1.25, 0.5]], [0.25, 0.25, -0.25]),
        ([[1.5, 0.5, -1.5], [-0.25, -0.5, -0.25], [0.75, -1.5, 1.25]], [-1.25, -0.25, 1.0]),
    ],
)
def test_a_search_that_runs_in_circles_ends_too(w, drive):
    """Newton's method alone goes round among patterns; damped steps or steps of the network end that."""
    w, drive = np.array(w), np.array(drive)
    found = find_fixed_points(network_of(w, drive), [0.0], starts_of(3, 20))
    assert (found.origin >= 0).all()
    assert_same_set(found.points, enumerated(w, drive)[0])


# Patterns by hand


def test_a_pattern_is_solved_and_checked_by_hand():
    w, drive = np.array([[0.0, -2.0], [-2.0, 0.0]]), np.ones(2)
    one, both, none = (np.array(p) for p in ([True, False], [True, True], [False, False]))
    np.testing.assert_allclose(solve_in_pattern(w, drive, one), [1, 0])
    np.testing.assert_allclose(solve_in_pattern(w, drive, both), [1 / 3, 1 / 3])
    assert consistent(w, drive, np.array([1.0, 0.0]), one) and consistent(w, drive, np.array([1, 1]) / 3, both)
    np.testing.assert_array_equal(solve_in_pattern(w, drive, none), [0, 0])
    assert not consistent(w, drive, np.zeros(2), none), "both would fire"
    assert not consistent(w, drive, np.array([1.0, 0.0]), both) and not consistent(w, drive, np.array([1.1, 0]), one)
    assert not consistent(2 * np.eye(2), drive, solve_in_pattern(2 * np.eye(2), drive, both), both), "negative states"
    assert solve_in_pattern(np.eye(2), drive, one) is None
    assert not consistent(w, drive, np.array([np.nan, 0]), one)


# The derivative and time constants


class Tanh(Networks):
    def step(self, h, x):
        return torch.tanh(x @ self.w_in + h @ self.w + self.b)


class Leaky(Networks):
    def step(self, h, x):
        return 0.75 * h + 0.25 * super().step(h, x)


@pytest.mark.parametrize("kind", [RecurrentNetworks, Tanh, Leaky])
def test_the_jacobian_is_that_of_differences_and_of_autograd(kind):
    rng = np.random.default_rng(0)
    network = network_of(rng.normal(0, 0.5, (5, 5)), rng.normal(0, 0.5, 5), kind)
    h, x = rng.uniform(0, 1, (2, 3, 5)), np.array([0.3])
    found = jacobian(network.single(), x, h)
    assert found.shape == (2, 3, 5, 5)

    def stepped(state):
        with torch.no_grad():
            return network.step(torch.from_numpy(state)[None, None], torch.from_numpy(x)[None, None])[0, 0].numpy()

    for index in np.ndindex(2, 3):
        for i in range(5):
            up, down = (stepped(h[index] + sign * 1e-6 * np.eye(5)[i]) for sign in (1, -1))
            np.testing.assert_allclose(found[index][i], (up - down) / 2e-6, atol=1e-8)
        by_torch = torch.autograd.functional.jacobian(
            lambda s: network.step(s[None, None], torch.from_numpy(x)[None, None])[0, 0], torch.from_numpy(h[index])
        )
        np.testing.assert_allclose(found[index], by_torch.mT.detach(), atol=1e-14)
    assert jacobian(network, x, np.zeros((0, 5))).shape == (0, 5, 5)


def test_time_constants_are_those_of_decay():
    assert time_constant(np.exp(-1 / 20)) == pytest.approx(20) and time_constant(-np.exp(-1 / 3)) == pytest.approx(3)
    assert time_constant(0) == 0 and time_constant(1) == time_constant(-1.5) == time_constant(1j) == np.inf
    assert np.isnan(time_constant(np.nan)) and isinstance(time_constant(0.5), float)
    np.testing.assert_allclose(time_constant([[0.5, 0.5j], [2, 0]]), [[1 / np.log(2)] * 2, [np.inf, 0]])
    rng = np.random.default_rng(3)
    w = rng.uniform(0, 0.33, (5, 5))
    drive = np.full(5, 0.5)
    (point,), ((largest, *_),), *_ = find_fixed_points(network_of(w, drive), [0.0], starts_of(5))
    h, sizes = point + 1e-3 * rng.normal(size=5), []
    for _ in range(60):
        sizes.append(np.linalg.norm(h - point))
        h = step(w, drive, h)
    slope = np.polyfit(np.arange(20, 60), np.log(sizes[20:]), 1)[0]
    assert -1 / slope == pytest.approx(time_constant(largest), rel=1e-5)


# Any step


@pytest.mark.parametrize("seed", range(4))
def test_both_searches_agree_on_relu_networks(seed):
    rng = np.random.default_rng(seed)
    w, drive = rng.normal(0, 0.35, (6, 6)), rng.normal(0.5, 0.5, 6)
    network, starts = network_of(w, drive), starts_of(6, 100)
    found, slow = find_fixed_points(network, [0.0], starts), slow_points(network, [0.0], starts)
    assert len(found.points) and slow.fixed.any()
    assert_same_set(slow.points[slow.fixed], found.points, 1e-7)
    place = np.abs(slow.points[slow.fixed][:, None] - found.points).max(-1).argmin(1)
    np.testing.assert_allclose(slow.eigenvalues[slow.fixed], found.eigenvalues[place], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_slow_points_of_tanh_networks_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    w, drive = rng.normal(0, 1.1, (4, 4)) + np.eye(4), rng.normal(0, 0.2, 4)
    starts = rng.uniform(-1, 1, (150, 4))
    slow = slow_points(network_of(w, drive, Tanh), [0.0], starts)
    solutions = [root(lambda h: np.tanh(h @ w + drive) - h, start, tol=1e-12) for start in starts]
    solutions = [each.x for each in solutions if each.success and np.abs(each.fun).max() < 1e-10]
    points = slow.points[slow.fixed]
    assert len(points) >= 3
    for solution in solutions:
        assert np.abs(points - solution).max(1).min() < 1e-7
    for point in points:
        assert min(np.abs(point - solution).max() for solution in solutions) < 1e-7
    assert len(np.unique(points.round(6), axis=0)) == len(points)
    led = slow.origin >= 0
    assert led.any() and set(slow.origin[led]) == set(range(len(slow.points)))
    moved = np.tanh(slow.points @ w + drive) - slow.points
    np.testing.assert_allclose(slow.speeds, (moved**2).sum(1) / 2, atol=1e-20)
    assert (slow.fixed == (np.abs(moved).max(1) < 1e-8)).all() and (np.diff(slow.speeds[~slow.fixed]) >= 0).all()


class Ghost(Networks):
    """The fixed points at ±√-b have met and gone: what is left at 0 is slow."""

    def step(self, h, x):
        return h + h**2 + self.b


def test_a_slow_point_need_not_be_fixed():
    slow = slow_points(network_of([[0.0]], 0.01, Ghost), [0.0], np.linspace(-0.4, 0.4, 21)[:, None])
    assert len(slow.points) == 1 and not slow.fixed.any() and (slow.origin == 0).all()
    assert slow.points[0, 0] == pytest.approx(0, abs=1e-4) and slow.speeds[0] == pytest.approx(0.01**2 / 2)
    assert slow.eigenvalues[0, 0] == pytest.approx(1, abs=1e-3)
    both = slow_points(network_of([[0.0]], -0.01, Ghost), [0.0], np.linspace(-0.4, 0.4, 21)[:, None])
    np.testing.assert_allclose(np.sort(both.points[both.fixed][:, 0]), [-0.1, 0.1])


def test_a_tanh_network_rests_at_0_without_biases():
    slow = slow_points(network_of(0.5 * np.eye(3), 0.0, Tanh), [0.0], starts_of(3, 30, 1.0))
    np.testing.assert_allclose(slow.points, np.zeros((1, 3)), atol=1e-9)
    assert slow.fixed.all() and np.allclose(slow.eigenvalues, 0.5) and (slow.origin == 0).all()


# Networks that were trained


def test_points_of_shipped_networks_are_fixed():
    for trained in load_trained_networks()[:6]:
        network = trained.networks
        x = np.zeros(network.w_in.shape[1])
        found = find_fixed_points(network, x, starts_of(network.w.shape[-1], 100, 5.0))
        assert_rests(network, found.points)
        w = network.w.detach().numpy()[0].astype(float)
        for point, eigenvalues in zip(found.points, found.eigenvalues, strict=True):
            largest = np.abs(np.linalg.eigvals(jacobian(network, x, point))).max()
            assert largest == pytest.approx(np.abs(eigenvalues[0])) and eigenvalues.shape == (len(w),)


# Wrong inputs


def broken():
    network = network_of(np.eye(2))
    with torch.no_grad():
        network.w[0, 0, 0] = torch.nan
    return network


class Noisy(Networks):
    def step(self, h, x):
        return super().step(h, x) + torch.randn_like(h)


class Stray(Networks):
    def step(self, h, x):
        return torch.relu(h @ torch.eye(2))


TWO, START = network_of(np.eye(2)), [[0.0, 0.0]]
HOSTILE = {
    "infinite or NaN, such as after": lambda: find_fixed_points(broken(), [0.0], START),
    "infinite or NaN, such": lambda: jacobian(broken(), [0.0], [0.0, 0.0]),
    "2 networks; take one": lambda: slow_points(RecurrentNetworks(*[np.zeros((2, 2, 2))] * 3), [0.0, 0.0], START),
    "this is a builtins.int": lambda: find_fixed_points(3, [0.0], START),
    "constant input of shape (2,); 1 finite": lambda: find_fixed_points(TWO, [0.0, 1.0], START),
    "constant input of shape (1,); 1 finite": lambda: find_fixed_points(TWO, [np.nan], START),
    "a constant input must be real numbers": lambda: slow_points(TWO, ["a"], START),
    "starts of shape (1, 3); the last axis must have the 2": lambda: find_fixed_points(TWO, [0.0], [[1, 2, 3]]),
    "starts of shape (2,); (starts, 2) with": lambda: find_fixed_points(TWO, [0.0], [1, 2]),
    "starts of shape (0, 2); (starts, 2) with": lambda: slow_points(TWO, [0.0], np.zeros((0, 2))),
    "states of shape (3,)": lambda: jacobian(TWO, [0.0], [1, 2, 3]),
    "states must be real numbers": lambda: jacobian(TWO, [0.0], [1j, 2]),
    "has its own step; slow_points": lambda: find_fixed_points(network_of(np.eye(2), 0, Tanh), [0.0], START),
    "nothing in it random": lambda: jacobian(network_of(np.eye(2), 0, Noisy), [0.0], START),
    "nothing in it random (": lambda: slow_points(network_of(np.eye(2), 0, Noisy), [0.0], START),
    "must be parameters or buffers": lambda: slow_points(network_of(np.eye(2), 0, Stray), [0.0], START),
    "weights of shape (2, 2) and a drive of shape (3,)": lambda: solve_in_pattern(np.eye(2), np.ones(3), [True] * 3),
    "active units are int64": lambda: solve_in_pattern(np.eye(2), np.ones(2), np.ones(2, dtype=np.int64)),
    "weights or a drive are infinite": lambda: solve_in_pattern(np.eye(2) * np.nan, np.ones(2), [True, True]),
    "a point of shape (3,)": lambda: consistent(np.eye(2), np.ones(2), np.ones(3), [True, True]),
}  # fmt: skip


@pytest.mark.parametrize("message", HOSTILE)
def test_wrong_inputs_are_said_in_one_line(message):
    with pytest.raises(InputError, match=re.escape(message)) as error:
        HOSTILE[message]()
    assert "\n" not in str(error.value)


def test_nothing_that_is_given_is_changed():
    network, starts = network_of(0.5 * np.eye(2), 1.0).float(), starts_of(2, 5)
    before, weights = starts.copy(), network.state_of_run(0)
    find_fixed_points(network, torch.zeros(1), torch.from_numpy(starts))
    slow_points(network, [0.0], starts)
    np.testing.assert_array_equal(starts, before)
    assert network.w.dtype == torch.float32 and network.w.requires_grad
    assert all((network.state_of_run(0)[name] == values).all() for name, values in weights.items())
