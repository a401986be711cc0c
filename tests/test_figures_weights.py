"""Notebook 03: figures of initial weights, what untrained networks remember, and the checks of its exercises."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_figures_panels import check_said, check_takes_numbers, check_that_every_control_redraws, parts_of

from biornn_lite import exercises
from biornn_lite.datasets import read_released
from biornn_lite.figures.weights import SIZES, stages, weights_figure, weights_panel
from biornn_lite.priors import Priors
from biornn_lite.seeds import generator
from biornn_lite.untrained import fading
from biornn_lite.variants import Protocol
from biornn_lite.weights import functional, lognormal_draws, min_max, spectral_radius, with_spectral_radius


def test_the_diagonal_holds_the_memory_of_the_measured_field(microns):
    """What the notebook says of 6_6_2: means over 40 draws, angles over 8."""
    field = read_released(microns / "6_6_2")
    found = {}
    for kept in ("kept", "removed", "only"):
        priors = Priors(field, Protocol(self_connections=kept))
        matrices = [priors.functional_weights(seed) for seed in range(8)]
        off = ~np.eye(field.neurons, dtype=bool)
        found[kept] = (
            np.mean([np.diag(m).mean() for m in matrices]),
            np.mean([m[off].mean() for m in matrices]),
            np.mean([fading(m, 15).angle[[0, 5]] for m in matrices], axis=0),
        )
    assert found["kept"][0] == pytest.approx(0.24, abs=0.005) and found["kept"][1] == pytest.approx(0.0012, abs=5e-5)
    assert found["removed"][2][1] < 0.1 < 15 < found["kept"][2][1] < 60 < found["only"][2][1]


def test_what_the_notebook_says_of_angles_and_eigenvalues(column):
    """Notebook 03: as many large eigenvalues, other angles; over seeds of input weights and of lognormal draws."""

    def weights(kept, seed=0):
        return Priors(column, Protocol(self_connections=kept)).functional_weights(seed)

    found = {}
    for kept in ("kept", "removed", "only"):
        matrix = weights(kept)
        angles = [fading(matrix, 20, seed=seed).angle[[5, 20]] for seed in range(20)]
        large = (np.abs(np.linalg.eigvals(matrix)) > 0.5).sum()
        found[kept] = (large, *np.mean(angles, axis=0), *np.std(angles, axis=0, ddof=1))
    assert found["kept"] == pytest.approx((15, 49.3, 2.3, 6.3, 0.6), abs=0.05)
    assert found["removed"] == pytest.approx((1, 0.07, 0, 0.02, 0), abs=0.005)
    assert found["only"] == pytest.approx((15, 63.9, 57.3, 8.2, 15.1), abs=0.05)
    late = [fading(weights("kept", seed), 20).angle[20] for seed in range(20)]
    assert np.mean(late) == pytest.approx(17, abs=0.5) and min(late) < 0.5 and max(late) == pytest.approx(48, abs=0.5)
    alone = np.concatenate([fading(weights("only"), 500, draws=1, seed=seed).angle[[500]] for seed in range(20)])
    assert ((alone < 0.1) | (alone > 89.9)).all() and 0 < (alone > 45).mean() < 1


def test_one_measure_of_function_leaves_the_diagonal_small_and_a_product_does_not(microns):
    """What notebook 09 and the replication's page say of other functions: means over 40 draws, angles over 8."""
    field = read_released(microns / "6_6_2")
    found = {}
    for function in ("correlation", "precision", "sttc"):
        matrices = [Priors(field, Protocol(function=function)).functional_weights(seed) for seed in range(40)]
        found[function] = (
            np.mean([np.diag(m).mean() for m in matrices]),
            np.mean([np.trace(m) / m.sum() for m in matrices]),
            np.mean([fading(m, 5).angle[5] for m in matrices[:8]]),
        )
    assert found["correlation"] == pytest.approx((0.257, 0.405, 22), rel=0.02)
    pairs = np.triu_indices(field.neurons, 1)
    assert (field.precision[pairs] == 0).mean() == pytest.approx(0.55, abs=0.005)
    assert found["precision"] == pytest.approx((0.231, 0.296, 12), rel=0.02)
    assert found["sttc"] == pytest.approx((0.046, 0.049, 0.004), rel=0.1)


# Figures


def test_every_control_of_the_panel_redraws_it(column):
    changes = {"function": "sttc", "self_connections": "removed", "spectral radius": 1.2, "seed": 3}
    check_that_every_control_redraws(weights_panel(column), changes)


def test_a_field_without_precision_does_not_offer_it(column):
    from dataclasses import replace

    parts = parts_of(weights_panel(replace(column, precision=None)))
    assert [value for _, value in parts["function"].options] == ["correlation", "sttc"]


def test_the_figure_says_what_the_matrix_is(column):
    figure = weights_figure(column, self_connections="removed", radius=0.8, seed=2)
    weights = Priors(column, Protocol(self_connections="removed")).functional_weights(2)
    weights = with_spectral_radius(weights, 0.8)
    axes = [ax for part in figure.subfigs for ax in part.axes]
    (drawn,) = (ax.images[0].get_array() for ax in axes if ax.images and ax.get_xlabel() == "to neuron")
    np.testing.assert_allclose(drawn, weights)
    beyond = (np.abs(np.linalg.eigvals(weights)) > 0.5).sum()
    assert any(f"eigenvalues, {beyond} beyond 0.5" in ax.get_title() for ax in axes)
    (angle,) = (ax.lines[0].get_ydata() for ax in axes if "angle" in ax.get_ylabel())
    np.testing.assert_allclose(angle, fading(weights).angle)


def test_sizes_are_drawn_on_one_scale_unless_a_curve_leaves_it(column):
    def scale(**choices):
        figure = weights_figure(column, **choices)
        (ax,) = (ax for part in figure.subfigs for ax in part.axes if "size of the state" in ax.get_ylabel())
        size = ax.lines[0].get_ydata()
        assert ax.get_ylim()[0] <= size.min() and size.max() <= ax.get_ylim()[1]
        return ax.get_ylim()

    assert scale() == scale(self_connections="removed") == scale(self_connections="only") == SIZES
    assert scale(radius=0.5)[0] < SIZES[0] and scale(radius=1.3)[1] > SIZES[1]


def test_stages_show_the_means_that_the_notebook_compares():
    matrices = {"a": np.array([[1.0, 0, 3], [4, 5, 6], [7, 8, 30]])}
    ax = stages(matrices, plt.figure().add_subplot())
    dots = sorted(float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1)
    assert dots == pytest.approx([28 / 6, 12]) and "dot: mean" in ax.get_xlabel()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a"]


# Exercises


def scaled(weights, radius):
    return weights * radius / np.abs(np.linalg.eigvals(weights)).max()


def in_place(weights, radius):
    weights *= radius / np.abs(np.linalg.eigvals(weights)).max()
    return weights


def raising(weights, radius):
    return weights.nothing


def by_a_complex_number(weights, radius):
    weights *= radius / np.linalg.eigvals(weights).max()
    return weights


def by_eigenvalue(choose):
    """Return a scaling that divides by what is chosen of the eigenvalues."""
    return lambda weights, radius: weights * (radius / choose(np.linalg.eigvals(weights)))


SCALINGS = [
    (by_eigenvalue(lambda values: np.abs(values).max()), "✓ From"),
    (by_eigenvalue(lambda values: np.sqrt((values * values.conj()).max())), "✓ From"),  # complex, but for nothing
    (by_eigenvalue(lambda values: np.abs(values.real).max()), "not of its real part"),
    (by_eigenvalue(lambda values: (-values.real).max()), "the most negative eigenvalue"),
    (by_eigenvalue(lambda values: np.abs(values.imag).max()), "not of its imaginary part"),
    (by_eigenvalue(lambda values: np.maximum(np.abs(values.real), np.abs(values.imag)).max()), "a complex pair"),
    (by_eigenvalue(lambda values: np.abs(values[0])), "the first eigenvalue"),
    (by_eigenvalue(lambda values: np.abs(values[-1])), "the last eigenvalue"),
    (by_eigenvalue(lambda values: np.abs(values).min()), "the smallest"),
    (by_eigenvalue(lambda values: np.abs(values).mean()), "the mean"),
    (by_eigenvalue(lambda values: values[np.abs(values).argmax()]), "a negative eigenvalue, which turns all signs"),
    (by_eigenvalue(lambda values: -values[np.abs(values).argmax()]), "complex numbers"),
    (by_eigenvalue(lambda values: values.max()), "of larger absolute value"),
    (by_eigenvalue(lambda values: np.abs(values.max())), "of larger absolute value"),
    (lambda w, r: w * r / np.abs(np.linalg.eigvalsh(w)).max(), "eigvalsh"),
    (lambda w, r: scaled(w, 0.9), "whatever radius was asked for"),
    (by_a_complex_number, "(Eigenvalues may be complex: take np.abs first.)"),
    (scaled, "✓ From"),
    (None, "not answered yet"),
    (3, "expected a function"),
    (in_place, "changes what it was given"),
    (raising, "raises AttributeError"),
    (lambda w, r: None, "Is there a return?"),
    (lambda w, r: w[:2], "returns shape (2, 7)"),
    (lambda w, r: w * np.nan, "not finite"),
    (lambda w, r: {"w": w}, "does not return an array"),
    (lambda w, r: w * r / np.abs(w).max(), "the largest entry"),
    (lambda w, r: w * r / np.linalg.norm(w, 2), "singular value"),
    (lambda w, r: w * r / np.linalg.norm(w), "Frobenius"),
    (lambda w, r: w * r / np.linalg.eigvals(w).real.max(), "of larger absolute value"),
    (lambda w, r: w * np.abs(np.linalg.eigvals(w)).max() / r, "upside down"),
    (lambda w, r: w.copy(), "as it was"),
    (lambda w, r: scaled(w, 1.0), "scales to 1"),
    (lambda w, r: scaled(w, r).T, "transposed"),
    (lambda w, r: w + 1, "expected 0.90"),
]


@pytest.mark.parametrize(("answer", "told"), SCALINGS)
def test_the_check_of_a_scaling(capsys, answer, told):
    check_said(capsys, exercises.check_scaling(answer), told)


def test_the_check_of_weights_without_diagonal(capsys):
    weights = with_spectral_radius(np.random.default_rng(0).random((6, 6)) + 3 * np.eye(6), 0.95)
    off = weights - np.diag(np.diag(weights))
    right = with_spectral_radius(off, 0.95)
    for answer, told in [
        (None, "not answered yet"),
        (right, "✓ Without its diagonal"),
        ("x", "not an array"),
        (right[:3], "shape is (3, 6)"),
        (weights, "diagonal is not 0"),
        (right.T, "transposed"),
        (off, "so is the scale"),
        (with_spectral_radius((off > 0).astype(float), 0.95), "not those of W*"),
        (off * 2, "expected 0.95; scale *after*"),
        (off * 0.95 / np.linalg.norm(off, 2), "the largest singular value"),
        (off * np.nan, "diagonal is not 0"),
    ]:
        assert exercises.check_without_diagonal(answer, weights) is told.startswith("✓")
        assert told in capsys.readouterr().out, told
    assert spectral_radius(right) == pytest.approx(0.95)


def test_the_check_of_a_bad_pair(column, capsys):
    draws = lognormal_draws(column.neurons, np.random.default_rng(0))
    own = np.eye(column.neurons, dtype=bool)
    bad, worse = column.correlation.copy(), column.sttc.copy()
    bad[0, 1] = bad[1, 0] = worse[0, 1] = worse[1, 0] = -1

    def ratio(matrix):
        return matrix[own].mean() / matrix[~own].mean()

    made = functional(draws, bad, column.sttc)
    right = ratio(made)
    check_takes_numbers(
        capsys,
        lambda a: exercises.check_bad_pair(a, column, draws),
        {
            right: "✓ ",
            ratio(functional(draws, column.correlation, column.sttc)): "without the bad pair",
            1 / right: "Upside down",
            ratio(functional(draws, bad, worse)): "STTC too",
            ratio(functional(draws, column.correlation, worse)): "changed the STTC; the correlation",
            ratio(bad): "the ratio of the correlations",
            ratio((bad + 1) / 2): "m(Corr) alone",
            made[own].mean() / made.mean(): "the mean of all weights",
            np.median(made[own]) / np.median(made[~own]): "a ratio of medians",
            10: "too low",
            1000: "too high",
        },
    )


def test_what_the_check_of_a_bad_pair_says_of_the_measures(column, capsys):
    draws = lognormal_draws(column.neurons, generator(0, "lognormal"))
    bad, off = column.correlation.copy(), ~np.eye(column.neurons, dtype=bool)
    bad[0, 1] = bad[1, 0] = -1
    made = functional(draws, bad, column.sttc)
    assert exercises.check_bad_pair(made[~off].mean() / made[off].mean(), column, draws)
    told = capsys.readouterr().out
    assert "40 in place of 316" in told and "above 0.51 in m(Corr)" in told and made[0, 1] == made[1, 0] == 0
    spreads = [x[off].std() / x[off].mean() for x in map(min_max, (column.correlation, bad, column.sttc))]
    assert spreads == pytest.approx([0.45, 0.03, 0.38], abs=0.005)  # the correlation hardly differs any more


def angle_by_hand(first, second, weights, steps, turned=lambda cosine: np.degrees(np.arccos(np.clip(cosine, -1, 1)))):
    for _ in range(steps):
        first, second = np.maximum(first @ weights, 0), np.maximum(second @ weights, 0)
    return turned(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def without_relu(first, second, weights, steps):
    power = np.linalg.matrix_power(weights, steps)
    return angle_by_hand(first @ power, second @ power, weights, 0)


def relu_at_the_end(first, second, weights, steps):
    return angle_by_hand(first, second, np.linalg.matrix_power(weights, steps), 1)


ANGLES = [
    (angle_by_hand, "✓ "),
    (None, "not answered yet"),
    (lambda a, b, w, n: np.array([1.0, 2.0]), "expected one number"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, n, np.arccos), "in radians"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, n, float), "the cosine"),
    (lambda a, b, w, n: angle_by_hand(a, b, w.T, n), "rows send"),
    (without_relu, "relu is missing"),
    (relu_at_the_end, "relu acts at every step"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, n + 1), "one step too many"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, max(n - 1, 0)), "one step too few"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, min(n, 1)), "after one step"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, 0), "before any step"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, max(n, 1)), "After 0 steps it gives"),
    (lambda a, b, w, n: angle_by_hand(a, b, w, n) if n != 2 else np.nan, "np.clip keeps it at 1"),
    (lambda a, b, w, n: 12.0, "After 4 steps it gives 12.000"),
]


@pytest.mark.parametrize(("answer", "told"), ANGLES)
def test_the_check_of_an_angle(capsys, answer, told):
    check_said(capsys, exercises.check_angle(answer), told)


def test_the_checks_of_numbers(capsys):
    for check, answers in (
        (
            lambda a: exercises.check_steps_kept(a, 0.9, 0.1),
            {
                22: "✓", 21.854: "Steps are whole", 21.85: "Steps are whole", 21.9: "Steps are whole",
                23: "too many", 9: "multiplied at each step", 2.3026: "divide by −ln(weight)",
                1: "divide by −log10", 21: "not yet below", 40: "too many", 5: "too few",
            },
        ),
    ):  # fmt: skip
        check_takes_numbers(capsys, check, answers)
