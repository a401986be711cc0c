"""Notebook 04: figures of where neurons sit and are believed to sit, what the notebook says, and its checks."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import Collection
from scipy.spatial.distance import cdist, pdist, squareform
from test_figures_panels import check_said, check_takes_numbers, check_that_every_control_redraws, parts_of

from biornn_lite import exercises, space
from biornn_lite.datasets import read_released
from biornn_lite.figures.space import (
    CORNERS,
    FOLLOWED,
    LARGEST,
    lattice_figure,
    sheet_colours,
    space_figure,
    space_panel,
)
from biornn_lite.priors import Priors
from biornn_lite.space import PLACES, believed_places, relabelled_costs
from biornn_lite.synthetic import synthetic_field
from biornn_lite.variants import Protocol


def test_colours_are_like_where_neurons_are_near(column):
    colours = sheet_colours(column.positions)
    assert colours.shape == (96, 3) and colours.min() >= 0 and colours.max() <= 1
    in_plane = pdist(column.positions[:, [0, 2]])
    assert pdist(colours)[in_plane < 30].max() < 0.2
    corners = sheet_colours(np.array([[0, 5, 0], [0, 5, 9], [7, 5, 0], [7, 5, 9.0]]))
    expected = [plt.matplotlib.colors.to_rgb(c) for pair in CORNERS.values() for c in pair]
    np.testing.assert_allclose(corners, expected)
    assert np.isfinite(sheet_colours(np.zeros((3, 3)))).all()


def test_no_colour_of_the_sheet_is_grey():
    x, z = map(np.ravel, np.meshgrid(np.linspace(0, 2, 21), np.linspace(0, 1, 11)))
    colours = sheet_colours(np.column_stack([x, 0 * x, z]))
    assert np.ptp(colours, axis=1).min() > 0.15
    lightness = (colours @ (0.2126, 0.7152, 0.0722)).reshape(11, 21)
    assert (np.diff(lightness, axis=0) > 0).all(), "what hue alone would tell, some readers do not see"


# Figures


@pytest.mark.parametrize(
    "changes",
    [
        {"units": "micrometres", "turn (degrees)": 30, "places": "reshaped"},
        {"places": "lattice", "lattice_scale": "matched"},
        {"places": "scrambled", "seed (scrambled)": 3},
    ],
)
def test_every_control_of_the_panel_redraws_it(column, changes):
    check_that_every_control_redraws(space_panel(column), changes)


def test_controls_that_change_nothing_are_disabled(column):
    parts = parts_of(space_panel(column))

    def off(**chosen):
        for name, value in chosen.items():
            parts[name].value = value
        return {name for name in ("units", "lattice_scale", "seed (scrambled)") if parts[name].disabled}

    assert off() == off(places="reshaped") == {"lattice_scale", "seed (scrambled)"}
    assert off(places="scrambled") == {"lattice_scale"}
    assert off(places="lattice") == {"units", "seed (scrambled)"}
    assert off(lattice_scale="matched") == {"seed (scrambled)"}


def test_the_figure_shows_places_and_distances(column):
    figure = space_figure(column, "reshaped")
    voxels = column.positions / np.array(column.voxel_size)
    rows = voxels.reshape(3, 96)
    points = ((rows - rows.min(axis=1, keepdims=True)) / np.ptp(rows, axis=1, keepdims=True)).T
    flat, solid, scatter, histogram = (ax for part in figure.subfigs for ax in part.axes)
    np.testing.assert_allclose(np.array(solid.collections[0]._offsets3d).T, points)
    np.testing.assert_allclose(flat.collections[0].get_offsets(), column.positions[:, [0, 2]])
    colours = [Collection.get_facecolor(ax.collections[0]) for ax in (flat, solid)]  # in the order of the neurons
    np.testing.assert_allclose(*colours)
    np.testing.assert_allclose(colours[0][:, :3], sheet_colours(column.positions))
    (dots,) = scatter.lines
    np.testing.assert_allclose(np.sort(dots.get_xdata()), np.sort(pdist(column.positions)))
    np.testing.assert_allclose(np.sort(dots.get_ydata()), np.sort(pdist(points)))
    correlation = np.corrcoef(pdist(column.positions), pdist(points))[0, 1]
    assert scatter.get_title() == f"correlation {correlation:.3f}" == "correlation -0.069"
    assert histogram.get_title() == f"mean {pdist(points).mean():.2f}"
    assert sum(bar.get_width() for bar in histogram.patches) == 96 * 95 / 2
    assert "reshaped" in figure.get_suptitle() and "synthetic" in figure.get_suptitle()


def test_distances_in_a_penalty_are_drawn_on_one_scale_but_for_the_raw_lattice(column):
    def end(*choices):
        *_, histogram = (ax for part in space_figure(column, *choices).subfigs for ax in part.axes)
        plt.close("all")
        return histogram.get_ylim()[1]

    assert end("transposed") == end("transposed", "micrometres") == end("reshaped") == LARGEST
    assert end("lattice", "min_max", "matched") == LARGEST and end("lattice") > LARGEST


@pytest.mark.parametrize("units", ["min_max", "micrometres"])
def test_the_figure_says_to_which_mean_the_lattice_is_matched(column, units):
    figure = space_figure(column, "lattice", units, "matched")
    *_, histogram = (ax for part in figure.subfigs for ax in part.axes)
    cortical = Priors(column, Protocol(coordinates="transposed", units=units)).cortical_distances
    assert histogram.get_title() == f"mean {space.mean_distance(cortical):.2f}"
    assert figure.get_suptitle().endswith(f"lattice_scale matched (to the mean of transposed, {units})")
    plt.close("all")


def test_the_lattice_has_the_colours_of_the_sheet(column):
    flat, solid = (ax for part in lattice_figure(column).subfigs for ax in part.axes)
    points = space.lattice(column.lattice)
    np.testing.assert_allclose(np.array(solid.collections[0]._offsets3d).T, points)
    np.testing.assert_allclose(np.array(solid.lines[0].get_data_3d()).T, points[:FOLLOWED])
    colours = [Collection.get_facecolor(ax.collections[0]) for ax in (flat, solid)]
    np.testing.assert_allclose(*colours)
    assert " × ".join(map(str, column.lattice)) in solid.get_title()
    plt.close("all")


def test_a_flat_field_of_few_neurons_is_drawn():
    from dataclasses import replace

    field = synthetic_field(5, 0)
    flat = replace(field, positions=field.positions * (1, 0, 1), lattice=None)
    for places in PLACES:
        assert space_figure(flat, places).subfigs
        plt.close("all")


# What the notebook says


def published(field):
    return Priors(field, Protocol())


def correlation(field, matrix):
    return np.corrcoef(pdist(field.positions), squareform(matrix, checks=False))[0, 1]


@pytest.fixture(scope="module")
def field(microns):
    return read_released(microns / "6_6_2")


def test_published_distances_of_measured_fields_are_not_theirs(microns, field):
    assert np.ptp(field.positions, axis=0) == pytest.approx([998, 134, 500], abs=0.5)
    assert correlation(field, published(field).cortical_distances) == pytest.approx(-0.003, abs=5e-4)
    on_lattice = [correlation(field, published(field).lattice_distances)]
    assert on_lattice[0] == pytest.approx(0.40, abs=0.005)
    for name in ("5_3_4", "5_3_8", "5_6_8"):
        other = read_released(microns / name)
        assert abs(correlation(other, published(other).cortical_distances)) < 0.013
        on_lattice.append(correlation(other, published(other).lattice_distances))
        true = space.distances(other.positions)
        assert np.diag(true, 1).mean() < 0.5 * space.mean_distance(true)
    assert min(on_lattice) == pytest.approx(0.05, abs=0.005) and max(on_lattice) == on_lattice[0]


def test_every_third_neuron_is_made_a_neighbour(field):
    matrix = published(field).cortical_distances
    i, j = np.triu_indices(field.neurons, 1)
    third = (i - j) % 3 == 0
    assert matrix[i, j][third].mean() == pytest.approx(0.10, abs=0.005)
    assert matrix[i, j][~third].mean() == pytest.approx(0.78, abs=0.005)


def test_units_change_the_share_of_depth(field):
    shares = {}
    for units in ("micrometres", "min_max"):
        points = space.coordinates(field, "transposed", units)
        squares = ((points[:, None] - points) ** 2).sum(axis=(0, 1))
        shares[units] = squares[1] / squares.sum()
        np.testing.assert_allclose(squares / squares.sum(), points.var(axis=0) / points.var(axis=0).sum())
    assert shares["micrometres"] == pytest.approx(0.009, abs=5e-4)
    assert shares["min_max"] == pytest.approx(0.23, abs=0.005)
    min_max = space.distances(space.coordinates(field, "transposed", "min_max"))
    assert correlation(field, min_max) == pytest.approx(0.92, abs=0.005)


def test_the_lattice_of_the_measured_field_follows_its_list(field):
    priors = published(field)
    means = space.mean_distance(priors.lattice_distances), space.mean_distance(priors.cortical_distances)
    assert means == pytest.approx((6.57, 0.55), abs=0.006) and round(means[0] / means[1]) == 12
    true = space.distances(field.positions)
    assert np.diag(true, 1).mean() == pytest.approx(114, abs=0.5)
    assert space.mean_distance(true) == pytest.approx(319, abs=0.5)


def test_what_functional_weights_cost_in_the_measured_field(field):
    priors = published(field)
    weights = priors.functional_weights(0)
    found = {}
    for name, matrix in (
        ("true", space.distances(field.positions)),
        ("published", priors.cortical_distances),
        ("lattice", priors.lattice_distances),
    ):
        own, others = space.wiring_cost(weights, matrix), relabelled_costs(weights, matrix)
        found[name] = own / others.mean() - 1, (own - others.mean()) / others.std(), (others < own).sum()
    assert found["true"][0] == pytest.approx(-0.18, abs=0.005) and found["true"][2] == 0
    assert found["published"][0] == pytest.approx(-0.002, abs=5e-4) and abs(found["published"][1]) < 1
    assert found["lattice"][0] == pytest.approx(-0.06, abs=0.005) and found["lattice"][2] == 0
    shares = [np.trace(w) / w.sum() for w in map(priors.functional_weights, range(8))]
    assert np.mean(shares) == pytest.approx(0.40, abs=0.01)


def test_what_the_summary_says_of_the_synthetic_field(column):
    priors = published(column)
    assert correlation(column, priors.cortical_distances) == pytest.approx(-0.07, abs=0.005)
    ratio = space.mean_distance(priors.lattice_distances) / space.mean_distance(priors.cortical_distances)
    assert ratio == pytest.approx(6, abs=0.1)
    sound = Priors(column, Protocol(coordinates="transposed", units="micrometres")).cortical_distances
    assert space.mean_distance(sound) / space.mean_distance(priors.cortical_distances) == pytest.approx(
        2 / 3, abs=0.02
    )
    weights = priors.functional_weights(0)
    own, others = space.wiring_cost(weights, sound), relabelled_costs(weights, sound)
    assert own / others.mean() - 1 == pytest.approx(-0.16, abs=0.006) and own < others.min()
    own = space.wiring_cost(weights, priors.cortical_distances)
    others = relabelled_costs(weights, priors.cortical_distances)
    assert abs(own - others.mean()) < others.std()
    scrambled = [
        correlation(column, space.distances(believed_places(column, "scrambled", seed=seed))) for seed in range(200)
    ]
    assert np.std(scrambled) == pytest.approx(0.03, abs=0.005) and abs(np.mean(scrambled)) < 0.01


# Exercises


def right_distances(points):
    return np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))


def in_place(points):
    points -= points.mean(axis=0)
    return right_distances(points)


def one_on_the_diagonal(points):
    return right_distances(points) + np.eye(len(points))


DISTANCES = [
    (right_distances, "✓ For 7 points"),
    (None, "not answered yet"),
    (3, "expected a function"),
    (in_place, "changes what it was given"),
    (lambda p: p.nothing, "raises AttributeError"),
    (lambda p: None, "Is there a return?"),
    (lambda p: "far", "array of numbers"),
    (lambda p: p[:, None] - p, "differences along each axis"),
    (lambda p: cdist(p.T, p.T), "compares columns"),
    (pdist, "each pair once; the penalty needs"),
    (lambda p: np.linalg.norm(p, axis=1), "one number per neuron"),
    (lambda p: right_distances(p)[:2], "expected (7, 7)"),
    (lambda p: right_distances(p) ** 2, "squared"),
    (lambda p: np.abs(p[:, None] - p).sum(axis=2), "a straight line is shorter"),
    (lambda p: np.abs(p[:, None] - p).max(axis=2), "largest difference"),
    (lambda p: np.sqrt(((p[:, None] - p) ** 2).mean(axis=2)), "averaged over the axes"),
    (lambda p: right_distances(p) / right_distances(p).max(), "divided by the largest"),
    (lambda p: np.triu(right_distances(p)), "D[j, i] is missing"),
    (lambda p: np.tril(right_distances(p)), "D[i, j] for i < j"),
    (lambda p: right_distances(p[:, [0, 2]]), "Depth"),
    (lambda p: right_distances(p[:, :2]), "z, column 2"),
    (lambda p: np.abs(np.linalg.norm(p, axis=1)[:, None] - np.linalg.norm(p, axis=1)), "subtracted lengths"),
    (lambda p: right_distances(p.reshape(3, -1).T), "transpose them"),
    (one_on_the_diagonal, "distance 0 from itself"),
    (lambda p: right_distances(p) + 5, "From neuron 0 to 1 it gives"),
]


@pytest.mark.parametrize(("answer", "told"), DISTANCES)
def test_the_check_of_a_distance_matrix(capsys, answer, told):
    check_said(capsys, exercises.check_distance_matrix(answer), told)


def permuted(weights, lengths, draws, *, axes=2, size=np.abs, extra=1, seed=0, counts=np.less_equal):
    """A permutation test of the wiring cost, and what it becomes by mistakes."""
    rng = np.random.default_rng(seed)
    as_cheap = 0
    for _ in range(draws):
        order = rng.permutation(len(weights))
        other = weights[np.ix_(order, order)] if axes == 2 else weights[order]
        as_cheap += counts((size(other) * lengths).sum(), (size(weights) * lengths).sum())
    return (as_cheap + extra) / (draws + extra)


def relabelling_by(relabel, seed=0):
    """Return a permutation test with its own way to relabel weights, or lengths, at random."""

    def made(weights, lengths, draws):
        rng = np.random.default_rng(seed)
        own = (np.abs(weights) * lengths).sum()
        others = (relabel(weights, lengths, rng) for _ in range(draws))
        return (sum((np.abs(w) * d).sum() <= own for w, d in others) + 1) / (draws + 1)

    return made


def in_order(weights, lengths, rng):
    p = rng.permutation(len(weights))
    return weights[p][:, p], lengths


def lengths_in_order(weights, lengths, rng):
    p = rng.permutation(len(weights))
    return weights, lengths[np.ix_(p, p)]


def by_matrices(weights, lengths, rng):
    p = np.eye(len(weights))[rng.permutation(len(weights))]
    return p @ weights @ p.T, lengths


def apart(weights, lengths, rng):
    n = len(weights)
    return weights[rng.permutation(n)][:, rng.permutation(n)], lengths


def all_entries(weights, lengths, rng):
    return rng.permutation(weights.ravel()).reshape(weights.shape), lengths


def off_diagonal(weights, lengths, rng):
    mixed, off = weights.copy(), ~np.eye(len(weights), dtype=bool)
    mixed[off] = rng.permutation(weights[off])
    return mixed, lengths


def single_entries(weights, lengths, rng):
    p = rng.permutation(len(weights))
    return weights[p, p], lengths


def single_lengths(weights, lengths, rng):
    p = rng.permutation(len(weights))
    return weights, lengths[p, p]


def columns(weights, lengths, rng):
    return weights[:, rng.permutation(len(weights))], lengths


def once(weights, lengths, rng):
    p = np.random.default_rng(0).permutation(len(weights))
    return weights[p][:, p], lengths


def looped(weights, lengths, draws):
    rng, n = np.random.default_rng(5), len(weights)

    def cost(p):
        return sum(abs(weights[p[i], p[j]]) * lengths[i, j] for i in range(n) for j in range(n))

    return (sum(cost(rng.permutation(n)) <= cost(range(n)) for _ in range(draws)) + 1) / (draws + 1)


PERMUTATION_TESTS = [
    (permuted, "✓ "),
    (lambda w, d, n: permuted(w, d, n, seed=1), "✓ "),
    (looped, "✓ "),
    *((relabelling_by(way, seed), "✓ ") for way in (in_order, lengths_in_order, by_matrices) for seed in range(4)),
    *((relabelling_by(apart, seed), "the *same* order for rows and columns") for seed in range(4)),
    *((relabelling_by(all_entries, seed), "all entries, those of the diagonal too") for seed in range(4)),
    *((relabelling_by(off_diagonal, seed), "off the diagonal apart from their neurons") for seed in range(4)),
    *((relabelling_by(single_entries, seed), "`weights[p, p]` takes single entries") for seed in range(4)),
    (relabelling_by(columns), "columns alone"),
    (relabelling_by(single_lengths), "`lengths[p, p]`"),
    (relabelling_by(lambda w, d, rng: (w, d)), "the weights *as they came*"),
    (relabelling_by(once), "the same order at every draw"),
    (None, "not answered yet"),
    (lambda w, d, n: np.ones(n), "expected one number"),
    (lambda w, d, n: 1 - permuted(w, d, n), "counted the orders that cost more"),
    (lambda w, d, n: permuted(w, d, n, counts=np.greater_equal), "as much or more; take <="),
    (lambda w, d, n: permuted(w, d, n, axes=1), "rows alone"),
    (lambda w, d, n: permuted(w, d, n, size=np.asarray), "take |W|"),
    (lambda w, d, n: n * permuted(w, d, n), "divide it by"),
    (lambda w, d, n: permuted(w, d, n, extra=0), "Count the first labels too"),
    (lambda w, d, n: permuted(w, d, n, extra=0) + 1 / n, "expected 1 / (99 + 1)"),
    (lambda w, d, n: 0.5, "all 120 orders give"),
    *((partial(permuted, counts=np.less, seed=seed), "take <=") for seed in range(5)),
    (lambda w, d, n: 0.7 if (w == 1).all() else permuted(w, d, n), "cost the same it gives 0.700; expected 1"),
]


@pytest.mark.parametrize(("answer", "told"), PERMUTATION_TESTS)
def test_the_check_of_a_permutation_test(capsys, answer, told):
    check_said(capsys, exercises.check_permutation_test(answer), told)


def test_the_check_of_reshaped_numbers(capsys):
    positions = 10 * np.arange(5)[:, None] + np.arange(3)
    for answer, told in [
        (None, "not answered yet"),
        ([10, 22, 41], "✓ 10, 22, 41: x of neuron 1, z of neuron 2, y of neuron 4."),
        ("abc", "not three numbers"),
        ([10, 22], "shape is (2,)"),
        ([30, 31, 32], "its own"),
        ([2, 21, 40], "column 2"),
        ([41, 2, 12], "row by row"),
        ([10, 11, 12], "a point is a *column*"),
        ([41, 22, 10], "another order"),
        ([10, 22, 40], "2 of 3 are right"),
    ]:
        check_said(capsys, exercises.check_reshaped(answer, positions, 3), told)


def test_the_checks_of_numbers(capsys, column):
    weights = [[0.9, -0.2, 0], [0.1, 0.5, 0.3], [0, 0.4, 0]]
    # Worked out by hand: 0.2·30 + 0.1·30 + 0.3·40 + 0.4·40.
    for check, answers in (
        (
            lambda a: exercises.check_wiring_cost(a, weights, [0, 30, 70]),
            {
                37: "✓ 37", 25: "take |W|", 18: "from the upper", 19: "from the lower", 18.5: "halved",
                11.1: "λ times", 2.4: "not their lengths", 1390: "squared", 37 / 9: "the mean", 50: "is not it",
            },
        ),
        (
            lambda a: exercises.check_depth_share(a, column),
            {
                1 / 3: "✓ A third", 0.33: "✓", 0.00813: "in µm", 0.2453: "with min_max", 33.333: "per cent",
                33: "per cent", 24.5: "per cent",
                1.0: "its variance", 0.0636: "standard deviations in µm", 0.6: "what is the variance",
            },
        ),
    ):  # fmt: skip
        check_takes_numbers(capsys, check, answers)
