"""Panels and figures of whole studies: worked as their code allows, and held to the rows behind them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_figures_panels import check_that_every_control_redraws, parts_of

from biornn_lite.errors import InputError
from biornn_lite.figures import study as study_figures
from biornn_lite.figures.panels import OLD_FIGURE
from biornn_lite.figures.study import (
    PUBLISHED_STYLE,
    STUDY_OPTIONS,
    curves,
    effects,
    effects_panel,
    forest,
    forest_figure,
    forest_panel,
    learning_figure,
    learning_panel,
    waiting,
)
from biornn_lite.replication import SHIPPED, compare_with_published, load_replication
from biornn_lite.results import Results
from biornn_lite.statistics import epochs_to_learn, pairwise
from biornn_lite.variants import PUBLISHED_VARIANTS, isolating_pairs


@pytest.mark.parametrize(
    ("panel", "changes"),
    [
        (
            forest_panel,
            {"study": "6_6_2 positive", "task": "one_choice_inference", "measure": "modularity"},
        ),
        (
            effects_panel,
            {"choice": "space", "study": "5_3_4", "task": "perceptual_decision_making", "measure": "entropy"},
        ),
        (
            learning_panel,
            {"variant": "W!D*C", "and": "WDC", "task": "one_choice_inference", "study": "6_6_2 positive"},
        ),
    ],
)
def test_every_control_of_a_panel_redraws_it(panel, changes):
    check_that_every_control_redraws(panel(), changes)
    assert len(plt.get_fignums()) == 0


def test_the_panels_offer_every_shipped_study():
    offered = [name for _, name in STUDY_OPTIONS]
    assert offered == list(SHIPPED)
    for name in offered:
        forest_figure(name, "go_nogo", "accuracy")


@pytest.mark.parametrize("panel", [forest_panel, effects_panel, learning_panel])
def test_a_panel_offers_the_studies_that_are_named(panel):
    parts = parts_of(panel(("5_3_4", "6_6_2")))
    assert [name for _, name in parts["study"].options] == ["5_3_4", "6_6_2"] and parts["study"].value == "5_3_4"
    with pytest.raises(InputError, match=r"no shipped study '6_6_3'; there are 6_6_2, "):
        panel(("6_6_2", "6_6_3"))


def test_means_and_single_runs_have_names_of_their_own():
    ax = curves(load_replication("6_6_2"), "go_nogo", ["W*D*C*", "WD*C"], plt.figure().add_subplot())
    labels = [line.get_label() for line in ax.lines]
    for variant in ("W*D*C*", "WD*C"):
        assert labels.count(f"{variant}, mean of 20 runs") == 1 and labels.count(f"{variant}, single runs") == 20


def test_a_comparison_that_a_study_does_not_hold_is_said_and_the_figure_stays(monkeypatch):
    def absent(name):
        raise InputError("the rows are not here")

    parts = parts_of(forest_panel())
    before = parts["Picture"].value
    monkeypatch.setattr(study_figures, "load_replication", absent)
    parts["task"].value = "one_choice_inference"
    assert parts["HTML"].value == f"⚠ the rows are not here {OLD_FIGURE}" and parts["Picture"].value == before
    functional = load_replication("6_6_2").networks.query("variant != 'W'")
    with pytest.raises(InputError, match=r"this study has no W; it has W\*D\*C"):
        learning_figure(Results(functional, load_replication("6_6_2").curves), "go_nogo", ["W"], "")
    with pytest.raises(InputError, match="differ in space alone"):
        table = load_replication("6_6_2").networks.query("task == 'go_nogo' and variant in ['W*D*C', 'W!D*C']")
        effects(table, "train_accuracy", "space", plt.figure().add_subplot())


def test_the_forest_shows_ours_beside_the_published():
    networks = load_replication("6_6_2").networks
    ax = forest(networks, "go_nogo", plt.figure().add_subplot())
    cells = compare_with_published(networks).loc["go_nogo"]
    points = {round(float(line.get_xdata()[0]), 9) for line in ax.lines if len(line.get_xdata()) == 1}
    assert {round(mean, 9) for mean in cells["mean"]} <= points
    assert {round(mean, 9) for mean in cells["published_mean"]} <= points
    assert [label.get_text() for label in ax.get_yticklabels()] == list(PUBLISHED_VARIANTS)
    assert "(mean, 95 % interval)" in ax.get_xlabel()
    alone = forest(networks, "go_nogo", plt.figure().add_subplot(), published=False)
    assert len(alone.lines) < len(ax.lines)


def test_tasks_side_by_side_have_one_scale():
    figure = forest_figure(load_replication("6_6_2").networks, title="a study")
    ends = {ax.get_xlim() for ax in figure.axes}
    assert len(figure.axes) == 3 and len(ends) == 1
    (low, high) = ends.pop()
    assert all(low <= x <= high for ax in figure.axes for line in ax.lines for x in line.get_xdata())


def test_published_numbers_stand_beside_the_rows_of_their_own_study_alone():
    def handles(table):
        figure = forest_figure(table, "go_nogo", title="a study")
        drawn = [line for line in figure.axes[0].lines if line.get_marker() == PUBLISHED_STYLE["marker"]]
        told = [text.get_text() for text in figure.legends[0].get_texts()]
        assert ("published" in told) == bool(drawn)
        return len(drawn)

    same = load_replication("6_6_2").networks
    assert handles(same) == 11
    assert handles(load_replication("5_3_4").networks) == 0
    for column, other in (("field", "6_6_2[96]"), ("protocol", "published+function=sttc")):
        assert handles(same.assign(**{column: other})) == 0
    part = same.index % 2 == 0
    assert handles(same.assign(field=same["field"].where(part, "4_7_2"))) == 0


def test_diverged_runs_are_counted_where_they_are_drawn():
    networks = load_replication("6_6_2 positive").networks
    ax = forest(networks, "one_choice_inference", plt.figure().add_subplot())
    assert "WD (20 diverged)" in [label.get_text() for label in ax.get_yticklabels()]
    ax = curves(load_replication("6_6_2 positive"), "go_nogo", ["WD", "W*D*C*"], plt.figure().add_subplot())
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    assert told[:2] == ["WD, mean of 0 runs, 20 diverged", "W*D*C*, mean of 20 runs"]
    assert len(told) == 4  # with the ceilings, and without single runs


def test_effects_are_those_of_the_pairs_that_isolate_the_choice():
    table = load_replication("6_6_2").networks.query("task == 'one_choice_inference'")
    ax = effects(table, "train_accuracy", "weights", plt.figure().add_subplot())
    pairs = [
        ("W*D*C", "W!D*C"), ("W*D*C*", "W!D*C*"), ("W*D*C", "WD*C"), ("W*D*C*", "WD*C*"), ("W!D*C", "WD*C"),
        ("W!D*C*", "WD*C*"),
    ]  # fmt: skip
    assert {frozenset(pair) for pair in pairs} == {frozenset(pair) for pair in isolating_pairs("weights")}
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"{a} over {b}" for a, b in pairs]
    drawn = [float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(drawn, pairwise(table, "train_accuracy", pairs)["delta"])


def test_waiting_falls_to_the_share_that_never_learned():
    results = load_replication("6_6_2")
    found = epochs_to_learn(*results).query("task == 'one_choice_inference'")
    ax = waiting(found, ["WD*"], plt.figure().add_subplot())
    (line,) = ax.lines
    never = 1 - found.query("variant == 'WD*'")["learned"].mean()
    assert line.get_ydata()[0] == 1 and line.get_ydata()[-1] == pytest.approx(never)
