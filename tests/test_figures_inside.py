"""Figures and panels of notebook 15, on the networks that come with the library and on ones made by hand."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import squareform
from test_figures_panels import check_that_every_control_redraws, parts_of

from biornn_lite.dynamics import cue_means, cued_trials
from biornn_lite.errors import InputError
from biornn_lite.figures import inside as figures
from biornn_lite.figures import inside_panels as panels
from biornn_lite.figures.inside_parts import (
    cut_table,
    decoding_table,
    delay_table,
    jacobians_at,
    look_inside,
)
from biornn_lite.memory import CUTS, decoding, likeness, tuning, unit_groups
from biornn_lite.network import networks_of
from biornn_lite.robustness import accuracies, others_cut, self_connections_cut, silenced
from biornn_lite.tasks import get_task
from biornn_lite.trained_networks import load_trained_networks
from biornn_lite.training import held_out_trials


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def shipped():
    return {(each.start, each.task, each.run): each for each in load_trained_networks()}


@pytest.fixture(scope="module")
def insides(shipped):
    starts, tasks = ("functional", "orthogonal"), ("go_nogo", "one_choice_inference")
    return [
        look_inside(start, shipped[start, task, 0].networks, task, shipped[start, task, 0].seed, trials=40)
        for task in tasks
        for start in starts
    ]


@pytest.fixture(scope="module")
def mine(insides):
    return insides[0]


@pytest.fixture(scope="module")
def integrator():
    """Two units that keep each its own input for ever: no input but the cue, W = I."""
    task = get_task("go_nogo")
    w_in = np.array([[0, 0], [1, 0], [0, 1.0]])
    state = {"w": np.eye(2), "w_in": w_in, "b": np.zeros((1, 2)), "w_out": np.eye(2), "b_out": np.zeros((1, 2))}
    return look_inside("by hand", networks_of([state]), task, 0, trials=40)


# What is looked at


def test_states_are_those_of_the_step_written_out(mine, shipped):
    state, x = shipped["functional", "go_nogo", 0].state, cued_trials("go_nogo", [mine.seed], 40).x[:, 0].numpy()
    h = np.zeros((40, 96))
    for step, x_t in enumerate(x):
        h = np.maximum(x_t @ state["w_in"] + h @ state["w"] + state["b"], 0)
        np.testing.assert_allclose(mine.states[step], h, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(mine.at_times[2], mine.states[34])  # fixation is there to step 35
    np.testing.assert_allclose(mine.means[2, 1], mine.states[34, mine.cues == 1].mean(0), rtol=1e-5)
    assert mine.cue_names == ("NoGo", "Go")


def test_margins_are_logits_of_the_right_answer_minus_the_next(mine, insides):
    for inside in (mine, insides[2]):
        labels = inside.trials.labels[0].numpy()
        logits = inside.networks(inside.trials.x)[0].detach().numpy()
        for trial in (0, 17, 39):
            others = np.delete(logits[trial], labels[trial])
            found = inside.margins()[-1, trial]
            assert found == pytest.approx(logits[trial, labels[trial]] - others.max(), rel=1e-3, abs=1e-3)
    assert (mine.margins()[-1] > 0).all()
    off = mine.margins(silenced(mine.networks, np.ones((1, 96), dtype=bool)))
    assert np.allclose(np.abs(off), abs(np.subtract(*mine.networks.b_out[0, 0].tolist())))


def test_an_integrator_keeps_its_cue_and_has_no_stable_point(integrator):
    found, cues = integrator.states[-1], integrator.cues
    np.testing.assert_array_equal(found.argmax(1), cues)
    assert found.max(1) == pytest.approx(20, abs=1.5)
    points = integrator.fixed_points
    assert not points.stable.any() and np.allclose(np.abs(points.eigenvalues), 1)
    margins = integrator.margins()
    assert (np.abs(margins[:5]) < 1).all() and (margins[24:] > 15).all()


def test_fixed_points_are_kept_by_a_step(mine):
    points = torch.tensor(mine.fixed_points.points, dtype=torch.float32)[None]
    x = torch.tensor(mine.phases.x)[None, None].expand(1, points.shape[1], -1)
    np.testing.assert_allclose(mine.networks.step(points, x).detach(), points, atol=1e-4)
    assert mine.fixed_points.stable.tolist() == [True, False]


def test_what_cannot_be_looked_at_is_said_in_one_line(shipped, mine, insides):
    one = shipped["functional", "go_nogo", 0]
    with pytest.raises(InputError, match="one at a time"):
        look_inside("two", networks_of([one.state, one.state]), "go_nogo", 0)
    lost = one.state | {"w": np.full_like(one.state["w"], np.inf)}
    with pytest.raises(InputError, match=r"mine has infinite weights.*diverged"):
        look_inside("mine", networks_of([lost]), "go_nogo", 0)
    with pytest.raises(InputError, match="3 inputs and 2 answers; One-choice inference has 8 and 4"):
        look_inside("mine", one.networks, "one_choice_inference", 0)
    with pytest.raises(InputError, match="one task, please"):
        figures.trial_figure(insides[0], insides[2])
    perceptual = shipped["functional", "perceptual_decision_making", 0]
    other = look_inside("other", perceptual.networks, perceptual.task, 0, 16)
    with pytest.raises(InputError, match="no delay"):
        delay_table([other], [3])
    with pytest.raises(InputError, match="two networks of Go/NoGo are called functional"):
        panels.trial_panel([mine, mine], "functional", "functional")
    with pytest.raises(InputError, match="same networks of every task"):
        panels.trial_panel(insides[:3], "functional", "functional")
    with pytest.raises(InputError, match="no order 'by name'"):
        panels.switched(mine, "diagonal", "by name", 3)
    for count in (-1, 97):
        with pytest.raises(InputError, match=f"{count} units of 96"):
            panels.switched(mine, "diagonal", panels.ORDERS[0], count)
    with pytest.raises(InputError, match="no cut 'brain'"):
        panels.switched(mine, "brain", panels.ORDERS[0], 3)


# Tables


def test_the_table_of_cuts_has_accuracies_of_cut_networks(insides):
    table = cut_table(insides[:2], trials=100)
    assert list(table) == list(CUTS) and table.index.names == ["start", "task", "seed"]
    for inside in insides[:2]:
        x, labels = held_out_trials("go_nogo", [inside.seed], 100)
        row = table.loc[inside.name, "go_nogo", inside.seed]
        for cut, change in (("diagonal", self_connections_cut), ("others", others_cut)):
            assert row[cut] == accuracies(change(inside.networks), x, labels)[0]
    assert (table["as trained"] == 1).all()
    assert table.xs("orthogonal")["diagonal"].item() == 1 and table.xs("functional")["diagonal"].item() < 0.6


def test_the_table_of_delays_is_of_trials_with_these_delays(insides, integrator):
    table = delay_table(insides[:2], [10, 16, 20], trials=60)
    assert table.index.tolist() == [10, 16, 20] and table.loc[10].eq(1).all()
    for delay, right in table["orthogonal"].items():
        trials = held_out_trials(replace(get_task("go_nogo"), delay=delay), [insides[1].seed], 60)
        assert right == accuracies(insides[1].networks, *trials)[0]
    assert 0 < table.loc[16, "orthogonal"] < 1 and table.loc[20, "orthogonal"] == 0
    assert delay_table([integrator], [0, 1, 300], trials=60)["by hand"].eq(1).all()


def test_the_table_of_decoding_is_that_of_each_group(mine):
    table = decoding_table(mine, [3, 30])
    groups = unit_groups(mine.weights, mine.seed)
    assert table.index.tolist() == [3, 30] and list(table) == [name for name in groups if name != "communities"]
    for step in (3, 30):
        at = mine.states[step - 1]
        assert table.loc[step, "all"] == pytest.approx(decoding(at, mine.cues))
        random = [decoding(at, mine.cues, units) for units in groups["at random"]]
        assert table.loc[step, "at random"] == pytest.approx(np.mean(random))
    assert table.loc[30, "all"] == 1 > table.loc[3, "all"]


def test_jacobians_are_at_fixed_points_or_where_the_cues_are(mine, insides):
    found = jacobians_at(mine)
    assert list(found) == ["functional, stable point", "functional, unstable point"]
    for matrix, point, values in zip(found.values(), *mine.fixed_points[:2], strict=True):
        np.testing.assert_allclose(matrix, mine.weights * (point > 0), atol=1e-6)
        assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(np.abs(values[0]))
    one_choice = insides[2]
    assert not len(one_choice.fixed_points.points)
    assert list(jacobians_at(one_choice)) == [f"functional, goal {k}" for k in range(4)]


# Figures


def test_a_trial_is_drawn_along_its_principal_axes(mine):
    ax = figures.trajectories(mine, plt.figure().add_subplot(), step=30)
    lines = [line for line in ax.lines if line.get_label() in mine.cue_names]
    assert [len(line.get_xdata()) for line in lines] == [30, 30]
    states = mine.states.reshape(-1, 96).astype(float)
    states = states - states.mean(0)
    shares = np.linalg.svd(states, compute_uv=False) ** 2
    assert f"({100 * shares[0] / shares.sum():.0f} % of the variance)" in ax.get_xlabel()
    path = cue_means(mine.states, mine.cues)[:30, 0] - mine.states.reshape(-1, 96).mean(0)
    _, _, axes = np.linalg.svd(states, full_matrices=False)
    np.testing.assert_allclose(np.abs(lines[0].get_xdata()), np.abs(path @ axes[0]), atol=1e-2)
    assert ax.get_title() == "functional: 1 stable, 1 unstable"
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces == ["black", "white"]


def test_a_stable_point_is_seen_on_an_unstable_one(shipped):
    """The perceptual decision has two points that lie close together."""
    one = shipped["functional", "perceptual_decision_making", 0]
    ax = figures.trajectories(
        look_inside("functional", one.networks, one.task, one.seed, trials=16), plt.figure().add_subplot()
    )
    dots = {line.get_markerfacecolor(): line for line in ax.lines if line.get_marker() == "o"}
    assert dots["black"].get_zorder() > dots["white"].get_zorder()
    assert dots["black"].get_markersize() < dots["white"].get_markersize()


def test_points_far_away_are_counted_and_not_drawn(mine):
    far = mine.fixed_points._replace(points=mine.fixed_points.points * np.array([[1.0], [1e4]]))
    away = replace(mine)
    away.__dict__["fixed_points"] = far
    ax = figures.trajectories(away, plt.figure().add_subplot())
    assert ax.get_title().endswith("1 of them outside") and max(ax.get_xlim()) < 1000
    assert len([line for line in ax.lines if line.get_marker() == "o"]) == 1


def test_each_answer_of_a_goal_has_its_path(insides):
    ax = figures.trajectories(insides[2], plt.figure().add_subplot())
    labelled = [line.get_label() for line in ax.lines if line.get_label().startswith("goal")]
    assert sorted(labelled) == sorted([f"goal {k}" for k in range(4)] * 2)
    figure = figures.trial_figure(insides[2], insides[3], 25)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:4] == [f"goal {k}" for k in range(4)]


def test_the_readout_is_drawn_beside_the_one_as_trained(mine):
    changed = self_connections_cut(mine.networks)
    ax = figures.readout(mine, plt.figure().add_subplot(), changed, step=12)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    solid = [line for line in ax.lines if line.get_label() in mine.cue_names]
    for cue in (0, 1):
        for lines, networks in ((dashed, mine.networks), (solid, changed)):
            expected = mine.margins(networks)[:, mine.cues == cue].mean(1)
            np.testing.assert_allclose(lines[cue].get_ydata(), expected, rtol=1e-5)
    assert [12, 12] in [list(line.get_xdata()) for line in ax.lines]


def test_cuts_are_drawn_with_a_mark_for_each_network(insides):
    table = cut_table(insides, trials=60)
    figure = figures.cuts_figure(table)
    assert [ax.get_title() for ax in figure.axes] == ["Go/NoGo", "One-choice inference"]
    for ax, task in zip(figure.axes, ("go_nogo", "one_choice_inference"), strict=True):
        marks = {line.get_label(): line.get_ydata() for line in ax.lines if line.get_marker() in ("o", "s")}
        for start in ("functional", "orthogonal"):
            np.testing.assert_array_equal(marks[start], table.xs((start, task), level=("start", "task")).iloc[0])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "without memory", "best possible", "functional", "orthogonal"
    ]  # fmt: skip


def test_spectra_and_time_constants_are_drawn(mine):
    figure = figures.spectra_figure(jacobians_at(mine), 10)
    *spectra, times = figure.axes
    for ax, matrix in zip(spectra, jacobians_at(mine).values(), strict=True):
        drawn = next(line for line in ax.lines if line.get_marker() == ".")
        np.testing.assert_allclose(np.sort(drawn.get_xdata()), np.sort(np.linalg.eigvals(matrix).real), atol=1e-9)
    ax = figures.time_constants({"half": 0.5, "held": 1.0, "large": 3.0}, 10, plt.figure().add_subplot())
    marks = {line.get_label(): line.get_xydata()[0] for line in ax.lines if line.get_label()[0] != "_"}
    assert marks["half"] == pytest.approx([0.5, 1 / np.log(2)])
    assert marks["held"][1] == marks["large"][1] == ax.get_ylim()[1] and marks["large"][0] < ax.get_xlim()[1]
    assert len(times.get_legend().get_texts()) == 2


def test_delays_and_decoding_are_drawn_as_in_their_tables():
    table = pd.DataFrame({"functional": [1, 1.0], "orthogonal": [1, 0.0]}, index=pd.Index([10, 20], name="delay"))
    ax = figures.delays(table, 10, plt.figure().add_subplot())
    for line, column in zip(ax.lines, table.to_numpy().T, strict=False):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([[10, 20], column]))
    groups = [*figures.GROUP_LINES]
    table = pd.DataFrame(np.linspace(0.4, 1, 8).reshape(2, 4), index=[5, 30], columns=groups)
    figure = figures.decoding_figure({"one": table, "two": table, "three": 1 - table}, "go_nogo", 2)
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[2].lines}
    for group in groups:
        np.testing.assert_allclose(lines[group], 1 - table[group])
    assert list(lines["chance, 0.5"]) == [0.5, 0.5] and not figure.axes[3].axison


def test_space_shows_units_by_what_they_prefer(mine):
    tunings, index = tuning(mine.at_times[2], mine.cues)
    positions = np.random.default_rng(0).uniform(0, 300, (96, 3))
    figure = figures.space_figure(positions, tunings, index, mine.cue_names, "title")
    left, right = figure.axes
    counts = {cloud.get_label(): len(cloud.get_offsets()) for cloud in left.collections}
    assert counts == {name: (tunings.argmax(1) == k).sum() for k, name in enumerate(mine.cue_names)}
    assert left.yaxis_inverted(), "depth grows downwards"
    pairs, means = right.lines
    assert len(pairs.get_xdata()) == len(index) * (len(index) - 1) / 2
    assert means.get_ydata().mean() == pytest.approx(-likeness(tunings).mean(), rel=0.05)


def test_distances_of_conditions_are_drawn_as_matrices():
    pairs = np.random.default_rng(0).uniform(0, 2, 28)
    figure = figures.dissimilarities_figure({"one": pairs, "other": 2 - pairs}, ("NoGo", "Go"))
    one, other = figure.axes[:2]
    np.testing.assert_allclose(one.images[0].get_array(), squareform(pairs))
    np.testing.assert_allclose(other.images[0].get_array(), squareform(2 - pairs))
    assert [label.get_text() for label in one.get_yticklabels()][3:5] == ["NoGo, last step", "Go, cue end"]
    table = pd.DataFrame([[1, -0.25], [-0.25, 1]], index=["a", "b"], columns=["a", "b"])
    ax = figures.similarities(table, plt.figure().add_subplot())
    assert [text.get_text() for text in ax.texts] == ["1.00", "-0.25", "-0.25", "1.00"]


# Panels


@pytest.mark.parametrize("order", panels.ORDERS)
def test_more_units_off_take_all_that_fewer_take(mine, order):
    before: set = set()
    for count in (0, 3, 20, 96):
        networks, off = panels.switched(mine, "as trained", order, count)
        assert len(set(off)) == count and before <= set(off)
        assert not networks.w[0, off].any() and not networks.w[0, :, off].any() and not networks.w_out[0, off].any()
        rest = np.setdiff1d(np.arange(96), off)
        assert torch.equal(networks.w[0][np.ix_(rest, rest)], mine.networks.w[0][np.ix_(rest, rest)])
        before = set(off)
    own = np.diag(mine.weights)
    off = panels.switched(mine, "as trained", order, 10)[1]
    if order != "at random":
        extreme = np.sort(own)[-10:] if order.startswith("largest") else np.sort(own)[:10]
        np.testing.assert_array_equal(np.sort(own[off]), extreme)


def test_a_cut_and_units_off_add_up(mine):
    networks, off = panels.switched(mine, "diagonal", panels.ORDERS[0], 2)
    expected = silenced(self_connections_cut(mine.networks), np.isin(np.arange(96), off)[None])
    assert torch.equal(networks.w, expected.w) and torch.equal(networks.w_out, expected.w_out)


def test_the_figure_of_units_off_shows_accuracy_and_what_is_gone(mine):
    curve = panels.switch_curve(mine, "as trained", panels.ORDERS[0])
    assert {0, 1, 2, 4, 96} < set(curve) and curve[0] == 1 and curve[1] < 0.6
    figure = panels.switch_figure(mine, "as trained", panels.ORDERS[0], 3, curve)
    left, middle, right = figure.axes
    gone = [bar for bar in left.patches if np.allclose(bar.get_edgecolor()[:3], (222 / 255, 143 / 255, 5 / 255))]
    assert {tuple(bar.get_facecolor()) for bar in gone} == {(1, 1, 1, 1)}
    assert len(gone) == 3 and gone[0].get_height() == np.diag(mine.weights).max()
    now = panels.accuracy_of(mine, panels.switched(mine, "as trained", panels.ORDERS[0], 3)[0])
    assert middle.get_title() == f"accuracy {now:.3f}, 3 units off"
    assert [3, now] in [list(np.ravel(line.get_data())) for line in middle.lines]
    seen = next(line for line in middle.lines if len(line.get_xdata()) > 2)
    assert list(seen.get_xdata()) == [0, 1, 2, 3] and list(seen.get_ydata()) == [curve[0], curve[1], curve[2], now]
    assert right.get_title() == "functional, cut: nothing"


def test_panels_redraw(insides):
    panel = panels.trial_panel(insides, "functional", "orthogonal", "go_nogo")
    parts = parts_of(panel)
    assert parts["step"].max == 40
    changes = {"step": 12, "right": "functional", "left": "orthogonal", "task": "one_choice_inference"}
    check_that_every_control_redraws(panel, changes)
    assert parts["step"].max == 50
    parts["step"].value = 50
    parts["task"].value = "go_nogo"
    assert parts["step"].value == 40
    parts["task"].value = "one_choice_inference"
    assert parts["step"].value == 50, "from one end to the other"
    parts["task"].value = "go_nogo"
    assert parts["step"].value == 40 and parts["HTML"].value == ""
    check_that_every_control_redraws(
        panels.switch_panel(insides, "functional"),
        {"units off": 3, "order": panels.ORDERS[2], "cut": "others", "network": "orthogonal",
         "task": "one_choice_inference"},
    )  # fmt: skip
