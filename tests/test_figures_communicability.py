"""Notebook 05: the random walk as it is drawn, what the notebook says of the measured field, and its checks."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy.linalg import expm
from test_figures_panels import check_said, check_takes_numbers, check_that_every_control_redraws

from biornn_lite import exercises
from biornn_lite.communicability import (
    NETWORKS,
    communicability,
    distribution_distance,
    empirical_communicability,
    strengths_of,
    transitions,
)
from biornn_lite.datasets import read_released
from biornn_lite.figures.communicability import sorted_values, walk_figure, walk_panel
from biornn_lite.priors import Priors
from biornn_lite.space import distances
from biornn_lite.variants import Protocol, get_variant


def test_every_control_of_the_panel_redraws_it(column):
    check_that_every_control_redraws(walk_panel(column), {"steps": 5, "start": 7, "network": "connectome"})


@pytest.mark.parametrize("network", NETWORKS)
def test_a_walk_goes_where_its_matrix_allows(column, network):
    strengths = strengths_of(column, network)
    walk = transitions(strengths)
    sums = walk.sum(axis=1)
    assert np.allclose(sums[strengths.sum(1) > 0], 1) and (sums[strengths.sum(1) == 0] == 0).all()
    assert not np.diag(strengths).any() or network == "connectome"
    figure = walk_figure(column, network, start=3, steps=4)
    drawn = np.sort(figure.axes[0].collections[0].get_array())
    np.testing.assert_allclose(drawn, np.sort(np.linalg.matrix_power(walk, 4)[3]), atol=1e-12)
    others = np.arange(column.neurons) != 3
    whole, summed = figure.axes[2].lines[0].get_data()
    np.testing.assert_allclose(whole, expm(walk)[3][others], atol=1e-12)
    terms = [np.linalg.matrix_power(walk, k)[3] / math.factorial(k) for k in range(5)]
    np.testing.assert_allclose(summed, np.sum(terms, axis=0)[others], atol=1e-12)
    assert "99.634%" in figure.axes[1].get_title(), "of 1/e Σ 1/k! up to 4"


def test_a_walk_that_has_ended_says_so_and_has_a_scale(column):
    strengths = strengths_of(column, "connectome")
    silent = int(np.flatnonzero(strengths.sum(axis=1) == 0)[0])
    ended, begun = (walk_figure(column, "connectome", silent, steps).axes[0] for steps in (1, 0))
    assert "no walk reaches another neuron" in [text.get_text() for text in ended.figure.axes[2].texts]
    assert "the walk has ended" in ended.get_title() and ended.collections[0].get_clim() == (0, 1)
    assert f"at neuron {silent}, p = 1" in begun.get_title() and begun.collections[0].get_clim() == (0, 1)
    assert "the walk has ended" not in walk_figure(column, "connectome", 41, 1).axes[0].get_title()
    spread = walk_figure(column, "nearby", 3, 2).axes[0]
    place = np.linalg.matrix_power(transitions(strengths_of(column, "nearby")), 2)[3]
    assert f"at neuron {place.argmax()}, p = {place.max():.2g}" in spread.get_title()


def test_walks_of_seven_steps_are_enough_for_three_digits(column):
    weights = Priors(column, Protocol()).functional_weights(0)
    off = ~np.eye(column.neurons, dtype=bool)
    whole = communicability(torch.tensor(weights)).numpy()[off]
    errors = [np.abs(by_walks(weights, longest)[off] / whole - 1).max() for longest in (6, 7)]
    assert errors[1] < 5e-4 < errors[0]


def test_sorted_values_are_sorted_and_zeros_counted(column):
    target = empirical_communicability(column.connectome, "zero")
    ax = sorted_values({"zero": target}, plt.figure().add_subplot())
    values = ax.lines[0].get_ydata()
    assert (np.diff(values) <= 0).all() and len(values) == (target > 0).sum()
    assert f"{(target == 0).mean():.1%} are 0" in ax.get_legend().get_texts()[0].get_text()


def pulls(field, isolated: str) -> tuple[float, float]:
    """Norms of the gradients of λ_EMD times the distance and of λ Σ|W|⊙D at the start of W*D*C*, seed 0."""
    start = Priors(field, Protocol(isolated_neurons=isolated)).start(get_variant("W*D*C*"), 0)
    w = torch.tensor(start.weights, requires_grad=True)
    gap = distribution_distance(communicability(w), torch.tensor(start.sorted_target))
    (pull,) = torch.autograd.grad(start.emd_weight * gap, w)
    (cost,) = torch.autograd.grad((w.abs() * torch.tensor(start.cost)).sum(), w)
    return float(pull.norm()), float(cost.norm())


def test_what_the_notebook_says_of_the_measured_field(microns):
    field = read_released(microns / "6_6_2")
    silent = (field.connectome.sum(axis=1) == 0).sum()
    published = empirical_communicability(field.connectome, "epsilon")
    sound = empirical_communicability(field.connectome, "zero")
    assert (silent, field.neurons) == (166, 312)
    assert 1.4e5 < published.max() < 1.42e5 and published.mean() == pytest.approx(129, abs=0.5)
    assert sound.max() == pytest.approx(1.53, abs=0.005) and sound.mean() == pytest.approx(0.0011, abs=5e-5)
    pull, cost = pulls(field, "epsilon")
    assert pull == pytest.approx(0.0005, rel=0.05) and cost == pytest.approx(64, abs=0.6)


def test_what_the_notebook_says_of_functional_weights(column):
    """Row by row, communicability is a straight line in the weights that does not start at 0: detours add to all."""
    weights = strengths_of(column, "functional")
    whole, sums = communicability(torch.tensor(weights)).numpy(), weights.sum(axis=1)
    detours = whole - weights / np.sqrt(np.outer(sums, sums))
    starts, shares, fits = [], [], []
    for i, others in enumerate(~np.eye(column.neurons, dtype=bool)):
        w, c = weights[i, others], whole[i, others]
        starts.append(np.polyfit(w, c, 1)[1] / c.mean())
        shares.append(np.polyfit(w, detours[i, others], 1)[1] / c.mean())
        fits.append(np.corrcoef(w, c)[0, 1] ** 2)
    assert np.median(starts) == pytest.approx(0.38, abs=0.005) and min(fits) > 0.97
    assert np.median(shares) == pytest.approx(np.median(starts), abs=0.02)


def test_what_the_notebook_says_of_one_step_and_of_all_walks(column):
    """A step reaches far with functional weights only; the sum of all walks is a line in it that starts above 0."""
    others, away, far = ~np.eye(column.neurons, dtype=bool), distances(column.positions), {}
    for network in ("nearby", "functional"):
        step = transitions(strengths_of(column, network))
        far[network] = np.median([p[d > np.median(d[o])].sum() for p, d, o in zip(step, away, others, strict=True)])
    assert far == {"nearby": pytest.approx(0.007, abs=5e-4), "functional": pytest.approx(0.36, abs=0.005)}
    rows = [(p[o], c[o]) for p, c, o in zip(step, expm(step), others, strict=True)]
    starts = [np.polyfit(p, c, 1)[1] / c.mean() for p, c in rows]
    assert np.median(starts) == pytest.approx(0.37, abs=0.005) and min(np.corrcoef(*row)[0, 1] for row in rows) > 0.98


# Exercises


def by_walks(weights, degree, diagonal=0, first=0, roots=0.5, absolute=True, axis=1, silent=0):
    """As a learner might write it; each argument after the second can make a mistake."""
    strengths = np.abs(weights) if absolute else weights
    out = np.abs(weights).sum(axis=axis)
    safe = np.where(out > 0, out, 1)
    walk = strengths / safe[:, None] if axis == 1 else strengths / safe
    term, total = np.eye(len(walk)), np.eye(len(walk)) * (first == 0)
    for k in range(1, degree + 1):
        term = term @ walk / k
        total = total + term * (k >= first)
    total = total * (safe[:, None] / safe) ** (roots if axis == 1 else -roots)
    total[:, out == 0] *= silent
    if diagonal == 0:
        np.fill_diagonal(total, 0)
    return total


def changing(weights, degree):
    np.fill_diagonal(weights, 0)
    return by_walks(weights, degree)


def careless(weights, degree):
    with np.errstate(all="raise"):
        return by_walks(weights, degree) / np.sign(np.abs(weights).sum(axis=1))


def without_factorials(weights, degree):
    walk = np.abs(weights) / np.abs(weights).sum(axis=1)[:, None]
    root = np.sqrt(np.abs(weights).sum(axis=1))
    matrix = sum(np.linalg.matrix_power(walk, k) for k in range(degree + 1)) * root[:, None] / root
    np.fill_diagonal(matrix, 0)
    return matrix


def test_the_check_agrees_with_the_library():
    weights = np.random.default_rng(5).normal(size=(9, 9))
    weights[4] = 0
    np.testing.assert_allclose(by_walks(weights, 20), communicability(torch.tensor(weights)).numpy(), atol=1e-12)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (by_walks, "✓"),
        (None, "not answered yet"),
        (3.0, "expected a function"),
        (changing, "changes what it was given"),
        (lambda w, degree: w.nothing, "raises AttributeError"),
        (lambda w: w, "raises TypeError"),
        (lambda w, degree: None, "Is there a return?"),
        (lambda w, degree: w[0], "shape (6,)"),
        (lambda w, degree: by_walks(w, degree).T, "transposed"),
        (lambda w, degree: by_walks(w, degree, diagonal=1), "diagonal to 0"),
        (without_factorials, "count 1/k!"),
        (lambda w, degree: by_walks(w, degree, first=degree), "the longest walks alone"),
        (lambda w, degree: by_walks(w, degree - 1), "stops at 2 steps"),
        (lambda w, degree: by_walks(w, degree + 1), "goes on to 4 steps"),
        (lambda w, degree: by_walks(w, degree, roots=0), "where is the factor"),
        (lambda w, degree: by_walks(w, degree, roots=-0.5), "upside down"),
        (lambda w, degree: by_walks(w, degree, roots=1), "is a root"),
        (lambda w, degree: by_walks(w, degree, axis=0), "axis=1"),
        (lambda w, degree: by_walks(w, degree, absolute=False), "A is |W|"),
        (lambda w, degree: by_walks(w, 6), "expected"),
        (lambda w, degree: by_walks(w, 6, diagonal=1), "expected"),
        (lambda w, degree: by_walks(w, degree, silent=1), "its column, too"),
        (careless, "raises FloatingPointError"),
        (
            lambda w, degree: by_walks(w, degree) / np.sign(np.abs(w).sum(axis=1)),
            "with walks of up to 4, where one neuron sends nothing. Never divide by a sum of 0",
        ),
        (lambda w, degree: by_walks(np.sqrt(w), degree), "both signs: A is |W|"),
        (lambda w, degree: w, "expected"),
    ],
)
def test_the_check_of_a_communicability(capsys, answer, told):
    check_said(capsys, exercises.check_communicability(answer), told)


def test_the_checks_of_numbers(capsys):
    for check, answers in (
        (
            exercises.check_two_neurons,
            {
                1.1752: "✓", 1.18: "✓", 1.2: "Give three digits", 1.5431: "the diagonal", 2.718: "every second one",
                1.718: "lead back as well", 1: "the direct connection", 1.1667: "The sum goes on", 9: "which lengths",
            },
        ),
        (
            lambda a: exercises.check_sorted_distance(a, [5, 0, 1], [0, 2, 2]),
            {
                1.3333: "✓ 1.333: sorted, the gaps are 0, 1, 3", 1.33: "✓", 1.3: "✓", 1.4: "sort both, take",
                2.6667: "sort both first", 4: "the sum", 3.3333: "squared",
                1.8257: "root mean square", 0.6667: "of the means", 50: "sort both, take",
            },
        ),
        (
            lambda a: exercises.check_silent_neuron(a, 9.0, 5.0, 1e-10),
            {
                1.5e5: "✓", 150_200: "✓", 3e5: "weight 1/2!", 4.5e10: "under a root", 9e10: "under a root, and",
                1.6667e-6: "Upside down", 0.5: "the walk alone", 111_803: "the *first* neuron",
                223_607: "from the neuron in the middle", 1.3416: "to the neuron in the middle",
                7.5e5: "shares of a row", 5e4: "not 1",
                7: "Which walks lead",
            },
        ),
    ):  # fmt: skip
        check_takes_numbers(capsys, check, answers)
