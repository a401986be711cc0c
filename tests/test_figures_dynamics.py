"""Figures of the look inside: they draw what their tables say, each start beside the others."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from test_dynamics_verdict import FIRST, FREE, GROUP_VALUES, PENALTY, TRAINED, USUAL, rows, two_mechanisms
from test_figures_audit import intervals, labels_of, marks, told

from biornn_lite import dynamics_verdict as verdict
from biornn_lite.dynamics import FATES, TIMES
from biornn_lite.dynamics_studies import COMPARED_STARTS
from biornn_lite.dynamics_verdict import LOSSES, WHERE
from biornn_lite.errors import InputError
from biornn_lite.figures import dynamics as figures
from biornn_lite.figures.style import START_LINES
from biornn_lite.tasks import TASKS, title_of

RUNS = 6
TITLES = [title_of(task) for task in TASKS]


def varied(study, start, task, run):
    one = USUAL | two_mechanisms(study, start, task, run)
    rng = np.random.default_rng([run, sum(map(ord, start)), len(task)])
    shift = 0.05 * rng.normal()
    groups = {group: value + shift for group, value in GROUP_VALUES.items()}
    kinds = ("decay", "unbounded", "attractors")
    return one | {
        "left": {cut: share + 0.02 * rng.normal() for cut, share in one["left"].items()},
        "decoding": {FIRST: groups, TRAINED: groups},
        "eigenvalue": {FIRST: 0.9 + shift, TRAINED: 0.98 + shift},
        "fate": {FIRST: "decay", TRAINED: kinds[run] if run < 3 else "slow or moving"},
    }


@pytest.fixture(scope="module")
def made():
    return rows(varied, runs=RUNS)


@pytest.fixture(scope="module")
def tables(made):
    return {
        "losses": verdict.losses_table(made),
        "decoding": verdict.decoding_table(made),
        "eigenvalue": verdict.before_and_after(made, "memory eigenvalue"),
        "mantel": verdict.before_and_after(made, "mantel r", "memory end"),
        "classes": verdict.class_counts(made),
        "mechanisms": verdict.mechanisms(made),
    }


def of(table, **values):
    """Rows with these values."""
    for name, value in values.items():
        table = table[table[name] == value]
    return table


def axes():
    return plt.figure().add_subplot()


def test_losses_are_those_of_the_table_by_start_and_cut(tables):
    figure = figures.losses_figure(tables["losses"], FREE)
    assert [ax.get_title() for ax in figure.axes] == TITLES
    for task, ax in zip(TASKS, figure.axes, strict=True):
        mine = of(tables["losses"], study=FREE, task=task).set_index(["start", "cut"])
        wanted = [mine.loc[(start, cut)] for start in COMPARED_STARTS for cut in LOSSES]
        np.testing.assert_allclose([x for x, _ in marks(ax)], [each["mean"] for each in wanted])
        np.testing.assert_allclose(intervals(ax), [(each["low"], each["high"]) for each in wanted])
        assert [round(y) for _, y in marks(ax)] == list(np.repeat(range(6), 4))
        colours = [line.get_color() for line in ax.lines if line.get_marker() not in ("", "None")]
        assert colours == [START_LINES[start]["color"] for start in COMPARED_STARTS for _ in LOSSES]
        np.testing.assert_allclose([x for x, _ in marks(ax, "s")], [each["mean"] for each in wanted[1::4]])
    assert labels_of(figure.axes[0]) == list(COMPARED_STARTS)
    assert told(figure.legends[0])[0] == "without self-connections" and "6 runs of each" in figure.get_suptitle()


def test_starts_that_did_not_learn_have_no_row(tables):
    figure = figures.losses_figure(tables["losses"], PENALTY)
    learned = [s for s in COMPARED_STARTS if s not in ("orthogonal", "functional without diagonal")]
    assert labels_of(figure.axes[0]) == learned
    some = tables["losses"][(tables["losses"]["task"] != "go_nogo") | (tables["losses"]["start"] != "functional")]
    grid = figures.losses_figure(some, FREE).axes
    assert labels_of(grid[0]) == list(COMPARED_STARTS)
    assert list(grid[1].get_yticks()) == list(grid[0].get_yticks())
    assert [[text.get_text() for text in ax.texts] for ax in grid] == [[], ["none learned"], []]
    figure = figures.decoding_figure(tables["decoding"], PENALTY)
    assert [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()] == [
        f"{start}\naccuracy" for start in ("functional", "diagonal alone", "0.95 I")
    ]


def test_decoding_has_a_line_for_each_group_and_the_accuracy_of_guessing(tables):
    figure = figures.decoding_figure(tables["decoding"], FREE)
    starts = ("functional", "orthogonal", "diagonal alone", "0.95 I")
    grid = np.reshape(figure.axes, (4, 3))
    assert [ax.get_title() for ax in grid[0]] == TITLES
    for start, row in zip(starts, grid, strict=True):
        for task, ax, guess in zip(TASKS, row, (0.25, 0.5, 0.5), strict=True):
            mine = of(tables["decoding"], study=FREE, task=task, start=start).set_index(["group", "time"])["mean"]
            for group in figures.GROUP_LINES:
                (line,) = (each for each in ax.lines if each.get_label() == group)
                np.testing.assert_allclose(line.get_ydata(), [mine[group, time] for time in TIMES])
            dotted = {line.get_ydata()[0] for line in ax.lines if line.get_linewidth() == 1.2}
            assert dotted == {guess}
    assert [t.get_text().replace("\n", " ") for t in grid[-1, 0].get_xticklabels()] == list(TIMES)
    assert told(figure.legends[0]) == [*figures.GROUP_LINES, "95 % interval over runs", "guessing"]


@pytest.mark.parametrize(
    ("name", "draw", "line"),
    [("eigenvalue", figures.eigenvalue_figure, 1.0), ("mantel", figures.mantel_figure, 0.0)],
)
def test_first_weights_are_white_and_trained_ones_are_filled(tables, name, draw, line):
    figure = draw(tables[name], FREE)
    for task, ax in zip(TASKS, figure.axes, strict=True):
        mine = of(tables[name], study=FREE, task=task).set_index(["start", "when"])
        wanted = [mine.loc[(start, when)] for start in COMPARED_STARTS for when in (FIRST, TRAINED)]
        np.testing.assert_allclose([x for x, _ in marks(ax)], [each["mean"] for each in wanted])
        np.testing.assert_allclose(intervals(ax), [(each["low"], each["high"]) for each in wanted])
        points = [each for each in ax.lines if each.get_marker() not in ("", "None")]
        assert [point.get_markerfacecolor() == "white" for point in points] == [True, False] * 6
        assert line in [each.get_xdata()[0] for each in ax.lines if each.get_linestyle() == "--"]
    assert told(figure.legends[0])[:2] == [FIRST, TRAINED]


def test_classes_are_counted_in_bars(tables):
    figure = figures.classes_figure(tables["classes"], FREE)
    grid = np.reshape(figure.axes, (2, 3))
    for what, kinds, row in zip(("where", "how"), (WHERE, FATES), grid, strict=True):
        for task, ax in zip(TASKS, row, strict=True):
            mine = of(tables["classes"], study=FREE, task=task, what=what).set_index(["start", "kind"])["networks"]
            for kind in kinds:
                bars = [bar for each in ax.containers if each.get_label() == f"_{kind}" for bar in each]
                found = {COMPARED_STARTS[round(bar.get_y() + 0.35)]: bar.get_width() for bar in bars}
                assert found == {s: mine[s, kind] for s in COMPARED_STARTS if mine[s, kind]}
                assert {to_hex(bar.get_facecolor()) for bar in bars} <= {to_hex(figures.KIND_COLOURS[what][kind])}
            ends = {round(bar.get_y() + 0.35): bar.get_x() + bar.get_width() for bar in ax.patches}
            assert set(ends.values()) == {RUNS}
        assert len({to_hex(colour) for colour in figures.KIND_COLOURS[what].values()}) == 4
    assert len(told(figure.legends[0])) == 8 and grid[0, 0].get_ylabel() == "where"


def test_similarities_stand_beside_the_noise_ceiling_with_their_word(tables):
    figure = figures.similarity_figure(tables["mechanisms"], FREE)
    for task, ax in zip(TASKS, figure.axes, strict=True):
        mine = of(tables["mechanisms"], study=FREE, task=task, first="functional").set_index("second")
        assert [text.get_text() for text in ax.texts] == list(mine["says"])
        np.testing.assert_allclose([x for x, _ in marks(ax)], mine["similarity"])
        (ceiling,) = (patch for patch in ax.patches if patch.get_label() == "_ceiling")
        ends = ceiling.get_x(), ceiling.get_x() + ceiling.get_width()
        assert ends == pytest.approx(tuple(mine.iloc[0][["lower", "upper"]]))
        (within,) = (line for line in ax.lines if line.get_label() == "_within")
        assert within.get_xdata()[0] == pytest.approx(mine["within"].iloc[0])
    figure = figures.similarity_figure(tables["mechanisms"], PENALTY)
    assert len(marks(figure.axes[0])) == 3, "nobody else learned"
    other = figures.similarity_figure(tables["mechanisms"], FREE, "diagonal alone")
    assert labels_of(other.axes[0]) == list(COMPARED_STARTS[3:])


def drawn(tables):
    """All figures."""
    for study in (FREE, PENALTY):
        yield figures.losses_figure(tables["losses"], study)
        yield figures.decoding_figure(tables["decoding"], study)
        yield figures.eigenvalue_figure(tables["eigenvalue"], study)
        yield figures.mantel_figure(tables["mantel"], study)
        yield figures.classes_figure(tables["classes"], study)
        yield figures.similarity_figure(tables["mechanisms"], study)


def test_nothing_is_cut_off_and_no_legend_covers_data(tables):
    for figure in drawn(tables):
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        box = figure.get_tightbbox(renderer)
        width, height = figure.get_size_inches()
        assert width <= 11 and box.x0 > -0.02 and box.y0 > -0.02, figure.get_suptitle()
        assert box.x1 < width + 0.02 and box.y1 < height + 0.02, figure.get_suptitle()
        for legend in figure.legends:
            assert not any(ax.get_window_extent().overlaps(legend.get_window_extent()) for ax in figure.axes)
        for ax in figure.axes:
            words = [text.get_window_extent() for text in ax.texts]
            others = [other.get_window_extent() for other in figure.axes if other is not ax]
            assert not any(word.overlaps(other) for word in words for other in others)
        plt.close(figure)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda t: figures.losses_figure(pd.DataFrame(), FREE), "takes a column 'study'"),
        (lambda t: figures.losses_figure(t["losses"], "x"), "no rows of a study 'x'; there are no penalty"),
        (lambda t: figures.losses(t["losses"], FREE, "x", axes()), "no rows to draw losses of the task x"),
        (lambda t: figures.losses_figure(t["losses"].assign(start="x"), FREE), "no rows of functional, orthogonal"),
        (lambda t: figures.decoding_figure(t["decoding"], FREE, ["x"]), "no rows of x"),
        (lambda t: figures.decoding(t["decoding"], FREE, "go_nogo", "x", axes()), "decoding of x, task go_nogo"),
        (lambda t: figures.class_bars(t["classes"], FREE, "go_nogo", "x", axes()), "no classes 'x'; there are where"),
        (lambda t: figures.similarity_figure(t["mechanisms"], FREE, "x"), "similarities with x, task one_choice"),
        (lambda t: figures.eigenvalue_figure(t["eigenvalue"].iloc[:0], FREE), "no rows to draw memory eigenvalue of"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(tables, draw, said):
    with pytest.raises(InputError, match=said) as caught:
        draw(tables)
    assert "\n" not in str(caught.value)
