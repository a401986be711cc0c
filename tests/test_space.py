"""Coordinates, lattices and distances."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist, squareform

from biornn_lite import space
from biornn_lite.datasets import read_released
from biornn_lite.errors import InputError
from biornn_lite.figures.space import cost_histogram
from biornn_lite.priors import Priors
from biornn_lite.space import believed_places, relabelled_costs
from biornn_lite.variants import PROTOCOLS, Protocol


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


# Where the penalty believes the neurons to be


@pytest.mark.parametrize("units", ["min_max", "micrometres"])
def test_believed_places_have_the_distances_that_a_study_uses(column, units):
    for places in ("reshaped", "transposed"):
        points = believed_places(column, places, units)
        used = Priors(column, Protocol(coordinates=places, units=units)).cortical_distances
        np.testing.assert_allclose(cdist(points, points), used)
    for scale in ("raw", "matched"):
        points = believed_places(column, "lattice", units, scale)
        used = Priors(column, Protocol(coordinates="transposed", units=units, lattice_scale=scale)).lattice_distances
        np.testing.assert_allclose(cdist(points, points), used, atol=1e-12)


def test_scrambled_places_are_the_true_ones_in_another_order(column):
    own = believed_places(column, "transposed")
    moved = believed_places(column, "scrambled", seed=4)
    assert sorted(map(tuple, own)) == sorted(map(tuple, moved)) and (own != moved).any(axis=1).sum() > 80
    with pytest.raises(InputError, match="no places 'moon'"):
        believed_places(column, "moon")


def test_the_costs_of_relabellings_are_those_of_other_places():
    rng = np.random.default_rng(0)
    weights, points = rng.normal(size=(6, 6)), rng.normal(size=(6, 3))
    costs = relabelled_costs(weights, cdist(points, points), 3)
    assert costs.shape == (3,) and len(set(costs)) == 3
    # Moving labels is moving neurons: whatever the places, their mean distance and Σ|W| off the diagonal remain.
    np.testing.assert_allclose(relabelled_costs(weights, 1 - np.eye(6), 2), np.abs(weights).sum()
                               - np.abs(np.diag(weights)).sum())  # fmt: skip
    ax = cost_histogram(costs.mean() * 0.9, costs, plt.figure().add_subplot(), "title", "m")
    assert ax.get_legend().get_texts()[1].get_text() == "W*, -10.0 %"
    assert sum(bar.get_height() for bar in ax.patches) == 3 and ax.get_title().endswith(f"{costs.mean():,.4g} m")
    assert ax.lines[0].get_xdata()[0] == pytest.approx(-10), "as its axis says, in per cent"
    same = cost_histogram(costs.mean() * 900, 1000 * costs, plt.figure().add_subplot(), "title", "mm")
    assert [bar.get_x() for bar in same.patches] == pytest.approx([bar.get_x() for bar in ax.patches])
