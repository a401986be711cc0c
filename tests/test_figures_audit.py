"""Figures of the audit: they draw what their rows say, here made-up rows of the audit's own studies."""

from dataclasses import asdict
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from biornn_lite import verdict
from biornn_lite.audit import HARDER_STARTS, SWEPT, SWEPT_STARTS, parts, with_names
from biornn_lite.errors import InputError
from biornn_lite.figures import audit as figures
from biornn_lite.figures.audit_parts import BAND_LABEL
from biornn_lite.figures.study import TOLD_APART
from biornn_lite.results import ceilings
from biornn_lite.seeds import generator, run_seed
from biornn_lite.statistics import share_interval
from biornn_lite.tasks import TASKS, get_task, title_of
from biornn_lite.variants import get_variant
from biornn_lite.wiring import pool_effects

TITLES = [title_of(task) for task in TASKS]
CHOSEN = dict(zip(SWEPT_STARTS, (0.3, 0.3, 0.03, 0.3, 0.003, 0.0, 1.0, 0.0003, 0.3, 0.1), strict=True))
GAINS = {"functional": 0.95, "same spectrum": 0.35, "orthogonal": 0.1, "orthogonal at 0.95": 0.15}


def made_up(study, runs=None, these=slice(None), count=40):
    """Rows of the audit with the variants, tasks, seeds and choices of a study, and made-up accuracies."""
    rows = []
    for part in parts(study, CHOSEN, count)[these]:
        rng = generator(0, study, part.name)
        for variant in map(get_variant, part.variants):
            for task in map(get_task, part.tasks):
                low, best = ceilings(task, "test")
                if not low < best:
                    continue
                mean = GAINS.get(variant.name.split(" | ")[0], 0.8)
                if part.protocol.self_connections == "removed":
                    mean = 0.1
                for run in range(runs or part.runs):
                    gain = min(rng.normal(mean, 0.1), 1)
                    row = {"study": study, "part": part.name, "field": part.field, "variant": variant.name}
                    row |= {"task": task.name, "run": run, "seed": run_seed(part.seed, run), "status": "ok"}
                    rows.append(row | {"test_accuracy": low + gain * (best - low)} | asdict(part.protocol))
    return verdict.with_gain(with_names(pd.DataFrame(rows)))


@pytest.fixture(scope="module")
def starts():
    return made_up("starts", 4)


@pytest.fixture(scope="module")
def turned():
    return made_up("choices", 4)


def axes():
    return plt.figure().add_subplot()


def marks(ax, marker=None):
    """Positions of all single markers, or of those of one kind, in the order of drawing."""
    lines = [line for line in ax.lines if len(line.get_xdata()) == 1 and line.get_marker() not in ("", "None")]
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in lines
        if marker in (None, line.get_marker())
    ]  # fmt: skip


def intervals(ax):
    return [tuple(line.get_xdata()) for line in ax.lines if line.get_label() == "_interval"]


def labels_of(ax, **more):
    return [label.get_text() for label in ax.get_yticklabels(**more)]


def told(legend):
    return [text.get_text() for text in legend.get_texts()]


# Shares


def test_shares_are_those_of_the_rows_for_each_task(starts):
    figure = figures.shares_figure(starts)
    (ax,) = figure.axes
    names = list(dict.fromkeys(starts["start"]))
    assert labels_of(ax) == names and told(figure.legends[0]) == TITLES
    share = starts.groupby(["task", "start"])["learns"].mean()
    for task, marker in zip(TASKS, "os^", strict=True):
        x, y = zip(*marks(ax, marker), strict=True)
        np.testing.assert_allclose(x, share[task].reindex(names))
        np.testing.assert_array_equal(np.round(y), range(len(names)))
    first = starts[(starts["start"] == names[0]) & (starts["task"] == next(iter(TASKS)))]["learns"]
    assert intervals(ax)[0] == share_interval(first.sum(), len(first))
    assert [text.get_text() for text in ax.texts] == ["4"] * len(names) + ["runs"]


def test_shares_count_networks_where_a_value_has_several_per_run():
    rows = made_up("targets", 2)
    ax = figures.shares(rows, "target", axes())
    assert [text.get_text() for text in ax.texts] == ["4"] * 4 + ["networks"]
    assert "share of networks" in ax.get_xlabel()


# Differences


def answers(**columns):
    """Four answers, one of each kind."""
    table = pd.DataFrame(
        {
            "question": 5, "claim": "c", "first": ["a", "b", "a − b, here", "_x"],
            "second": ["b", "c", "there", "$y$"], "context": ["one", "two", "three", "four"],
            "difference": [0.5, -0.4, 0.02, 0.05],
            "low": [0.4, -0.5, -0.02, -0.2], "high": [0.6, -0.3, 0.06, 0.3],
            "says": ["first", "second", "equivalent", "not told apart"],
        }
    )  # fmt: skip
    return table.assign(**columns)


def test_a_difference_of_two_runs_has_a_mark_of_its_own_and_no_interval():
    some = answers(low=[0.4, np.nan, -0.02, -0.2], high=[0.6, np.nan, 0.06, 0.3])
    figure = figures.differences_forest_figure(some)
    (ax,) = figure.axes
    assert marks(ax, "x") == [(-0.4, 1)] and "too few runs for an interval" in told(figure.legends[0])
    whole = figures.differences_forest_figure(answers())
    assert not marks(whole.axes[0], "x") and len(told(whole.legends[0])) == 4


def test_what_both_sides_add_to_moves_to_the_context():
    sides = ["0.5 I + connectome", "0.5 I + connectome", "0.5 I + x", "a"], ["0.5 I + x, kept", "0.5 I", "x", "a + b"]
    (ax,) = figures.differences_forest_figure(answers(first=sides[0], second=sides[1])).axes
    labels = ["connectome − x, kept", "0.5 I + connectome − 0.5 I", "0.5 I + x − x", "a − a + b"]
    assert labels_of(ax) == labels
    assert labels_of(ax, minor=True) == ["one, added to 0.5 I", "two", "three", "four"]


def test_a_forest_shows_each_contrast_and_what_its_tests_say():
    figure = figures.differences_forest_figure(answers())
    (ax,) = figure.axes
    assert marks(ax) == [(0.5, 0), (-0.4, 1), (0.02, 2), (0.05, 3)]
    assert intervals(ax) == [(0.4, 0.6), (-0.5, -0.3), (-0.02, 0.06), (-0.2, 0.3)]
    assert [len(marks(ax, marker)) for marker in "Ds"] == [3, 1]
    filled = {line.get_ydata()[0]: line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "D"}
    assert filled[0] == filled[1] == TOLD_APART["color"] and filled[3] == "white"
    assert labels_of(ax) == ["a − b", "b − c", "(a − b, here) − there", r" _x − \$y\$"]
    assert labels_of(ax, minor=True) == ["one", "two", "three", "four"]
    assert told(figure.legends[0]) == [*figures.SAYS, BAND_LABEL]
    (band,) = ax.patches
    assert (band.get_x(), band.get_width()) == (-0.1, 0.2)
    low, high = ax.get_xlim()
    assert low < -0.5 and high > 0.6


def test_choices_are_those_of_question_5():
    table = answers(
        first=["coordinates=transposed", "self_connections=only", "all sound", "x"], question=[5, 5, 5, 1]
    )  # fmt: skip
    ax = figures.choices_figure(table).axes[0]
    assert labels_of(ax) == ["coordinates: reshaped → transposed", "self-connections: kept → only", "all sound"]
    assert [x for x, _ in marks(ax)] == [0.5, -0.4, 0.02]
    assert "turned − published" in ax.get_xlabel()


def test_real_answers_can_be_drawn(turned):
    table = verdict.answers(turned)
    ax = figures.choices_figure(table).axes[0]
    np.testing.assert_allclose([x for x, _ in marks(ax)], table["difference"])
    assert labels_of(ax)[2] == "coordinates: reshaped → transposed"


# The sweep


def test_the_sweep_has_one_axes_per_start():
    rows = made_up("sweep", 2)
    figure = figures.sweep_figure(rows, CHOSEN)
    assert [ax.get_title() for ax in figure.axes] == list(SWEPT_STARTS)
    assert told(figure.legends[0]) == [*TITLES, "mean", "chosen λ", "published λ"]
    means = rows.groupby(["start", "penalty_weight"])["gain"].mean()
    last = figure.axes[-1]  # the axes above have the same ticks, without labels
    ticks = dict(zip((text.get_text() for text in last.get_xticklabels()), last.get_xticks(), strict=True))
    assert list(ticks) == [f"{weight:g}" for weight in SWEPT] and min(ticks.values()) == ticks["0"]
    for start, ax in zip(SWEPT_STARTS, figure.axes, strict=True):
        (mean,) = (line for line in ax.lines if line.get_linewidth() == 2.4)
        np.testing.assert_allclose(mean.get_ydata(), means[start])
        ((x, _),) = marks(ax, "v")
        assert x == ticks[f"{CHOSEN[start]:g}"]
        assert ticks["0.3"] in [line.get_xdata()[0] for line in ax.lines if line.get_color() == "0.5"]
    bare = figures.sweep_figure(rows)
    assert not any(marks(ax, "v") for ax in bare.axes) and "chosen λ" not in told(bare.legends[0])


# The factorial


def test_the_factorial_shows_shares_and_main_effects():
    rows = made_up("factorial", 3)
    effects, shares = verdict.factorial_effects(rows, 20), verdict.factorial_shares(rows)
    left, right = figures.factorial_figure(effects, shares).axes
    largest = shares.sort_values(ascending=False)
    np.testing.assert_allclose([bar.get_width() for bar in left.patches], largest)
    assert labels_of(left)[0] == "start" and "start × communicability" in labels_of(left)
    assert left.texts[0].get_text() == f"{100 * largest.iloc[0]:.1f} %"
    main = effects[~effects["factors"].str.contains("×")]
    np.testing.assert_allclose([x for x, _ in marks(right)], main["effect"])
    bold = [text.get_text() for text in right.get_yticklabels() if text.get_fontweight() == "bold"]
    assert bold == ["start", "space", "communicability", "task"]
    named = dict(zip(right.get_yticks(), labels_of(right), strict=True))
    assert [named[y] for _, y in marks(right)] == [title_of(level) for level in main["level"]]


# Harder tasks


@pytest.mark.parametrize("measure", ["gain", "learns"])
def test_harder_conditions_show_each_start(measure):
    rows = verdict.harder_rows(made_up("harder", 2))
    figure = figures.harder_figure(rows, measure)
    (ax,) = figure.axes
    assert sorted(told(figure.legends[0])) == sorted(HARDER_STARTS) and told(figure.legends[0])[0] == "functional"
    conditions = list(dict.fromkeys(rows["condition"]))
    assert labels_of(ax) == conditions
    means = rows[rows["start"] == "functional"].groupby("condition")[measure].mean()
    np.testing.assert_allclose([x for x, _ in marks(ax, "o")], means.reindex(conditions))
    assert ("0 without memory, 1 best possible" in ax.get_xlabel()) == (measure == "gain")


# Fields


def test_fields_are_sorted_by_size_with_what_they_give_together():
    numbers = {"difference": [0.1, 0.2, 0.3, 0.0], "standard_error": 0.05, "runs": 5}
    table = pd.DataFrame(numbers, index=["6_6_2", "5_3_4", "mine", "5_3_8"])
    pooled = pool_effects(table["difference"], table["standard_error"])
    ax = figures.fields_forest(table, pooled, axes())
    assert labels_of(ax) == [
        "5_3_8 (42 neurons)", "5_3_4 (70 neurons)", "6_6_2 (312 neurons)", "mine", "4 fields together",
    ]  # fmt: skip
    assert marks(ax, "o") == [(0.0, 0), (0.2, 1), (0.1, 2), (0.3, 3)] and marks(ax, "D") == [(pooled.mean, 4)]
    np.testing.assert_allclose(intervals(ax)[0], (-0.098, 0.098))
    assert intervals(ax)[-1] == tuple(pooled.prediction)
    assert any(tuple(line.get_xdata()) == tuple(pooled.interval) for line in ax.lines)


def test_the_contrasts_of_fields_stand_side_by_side():
    rows = made_up("fields", 3, slice(4))
    figure = figures.fields_figure(rows)
    assert [ax.get_title() for ax in figure.axes] == list(verdict.FIELD_CONTRASTS)
    for name, ax in zip(verdict.FIELD_CONTRASTS, figure.axes, strict=True):
        table = verdict.field_differences(rows, name)
        assert sorted(x for x, _ in marks(ax, "o")) == sorted(table["difference"])
        assert marks(ax, "D")[0][0] == verdict.pooled_fields(rows, name).mean
    two = figures.fields_figure(made_up("fields", 3, slice(2)), "cortical − permuted")
    assert len(two.axes) == 1 and not marks(two.axes[0], "D"), "two fields are not pooled"
    with pytest.raises(InputError, match="no contrast 'x'; there are functional"):
        figures.fields_figure(rows, "x")


# Before training


def described(starts):
    """Made-up numbers of the real starts, many of them at the same places."""
    names = list(dict.fromkeys(starts["start"]))
    rng = np.random.default_rng(1)
    numbers = {column: rng.integers(4, size=len(names)) / 4 for column in figures.BEFORE}
    return pd.DataFrame({"start": names, **numbers, "learns": rng.integers(2, size=len(names))})


def test_starts_before_training_are_one_point_each(starts):
    table = described(starts)
    twice = pd.concat([table.assign(learns=0), table.assign(learns=1)])
    for rows, share in ((table, table["learns"]), (twice, 0.5)):
        figure = figures.before_figure(rows)
        for ax, column in zip(figure.axes, figures.BEFORE, strict=True):
            drawn = np.concatenate([np.column_stack(line.get_data()) for line in ax.lines])
            wanted = table[[column]].assign(learns=share)
            np.testing.assert_allclose(sorted(map(tuple, drawn)), sorted(wanted.itertuples(index=False, name=None)))


def test_labels_of_starts_do_not_overlap(starts):
    figure = figures.before_figure(described(starts))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for ax in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in ax.texts]
        assert len(boxes) > 3 and {text.get_text() for text in ax.texts} <= set(figures.NAMED)
        # The extents of an annotation include its line.
        boxes = [plt.Text.get_window_extent(text, renderer) for text in ax.texts]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
        assert all(ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 + 2 for box in boxes)


def test_activity_that_overflows_is_drawn_at_the_right_end(starts):
    table = described(starts)
    table.loc[3, "scale"] = np.inf
    ax = figures.before_figure(table).axes[0]
    (lost,) = (line for line in ax.lines if line.get_marker() == ">" and len(line.get_xdata()))
    assert table["scale"][np.isfinite(table["scale"])].max() < lost.get_xdata()[0] < ax.get_xlim()[1]


# Rows of all kinds


def empty(rows):
    return rows.iloc[:0]


@pytest.mark.parametrize(
    "draw",
    [
        lambda rows: figures.shares_figure(empty(rows)),
        lambda rows: figures.shares_figure(rows.assign(start=np.nan)),
        lambda rows: figures.differences_forest_figure(empty(answers())),
        lambda rows: figures.choices_figure(answers(question=1)),
        lambda rows: figures.sweep_figure(empty(rows)),
        lambda rows: figures.main_effects(pd.DataFrame(columns=["factors", "effect"]), axes()),
        lambda rows: figures.factorial_figure(pd.DataFrame(), pd.Series(dtype=float)),
        lambda rows: figures.harder_figure(empty(rows.assign(condition="x"))),
        lambda rows: figures.fields_figure(empty(rows)),
        lambda rows: figures.fields_forest(pd.DataFrame({"difference": [np.nan]}), None, axes()),
        lambda rows: figures.before_figure(pd.DataFrame(columns=["start", *figures.BEFORE, "learns"])),
    ],
)  # fmt: skip
def test_no_rows_are_an_error_that_says_so(starts, draw):
    with pytest.raises(InputError, match="no rows"):
        draw(starts)


def test_a_wrong_name_is_an_error_that_says_what_there_is(starts):
    for draw, said in (
        (lambda: figures.shares_figure(starts, "colour"), "takes a column 'colour'; there is study, part"),
        (lambda: figures.harder(starts, axes(), "loss"), "measure is 'loss'; it allows gain, learns"),
        (
            lambda: figures.shares(starts.assign(task=starts["start"]), "part", axes()),
            "shares of 22 tasks; at most 5",
        ),
        (lambda: figures.harder(starts.assign(condition="x"), axes()), "22 starts; at most 5"),
    ):
        with pytest.raises(InputError, match=said):
            draw()


def test_one_run_and_missing_values_are_drawn_as_far_as_they_go(starts):
    one = starts[starts["run"] == 0]
    few = one[one["start"] == "functional"]
    no_interval = answers(low=np.nan, high=np.nan)
    field = pd.DataFrame({"difference": [0.1, np.nan], "standard_error": [0.1, np.nan]}, index=["5_3_4", "5_3_8"])
    for figure in (
        figures.shares_figure(few),
        figures.differences_forest_figure(no_interval),
        figures.differences_forest_figure(answers().iloc[:1]),
        figures.sweep_figure(few),
        figures.sweep_figure(few.assign(penalty_weight=0.0), {"functional": 0.3}),
        figures.harder_figure(few.assign(condition="Go/NoGo, $x$")),
        figures.fields_forest(field, None, axes()).figure,
        figures.before_figure(described(starts).iloc[:1]),
        figures.before_figure(described(starts).assign(scale=np.inf)),
    ):
        figure.draw_without_rendering()
        plt.close(figure)
    diverged = verdict.with_gain(few.assign(status="diverged", test_accuracy=np.nan))
    assert {x for x, _ in marks(figures.shares(diverged, "start", axes()))} == {0.0}


def test_what_tests_say_differs_in_more_than_colour():
    looks = [(style["marker"], style.get("markerfacecolor", "")) for style in figures.SAYS.values()]
    assert len(set(looks)) == len(figures.SAYS)
