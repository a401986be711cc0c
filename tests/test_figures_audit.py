"""Figures and panels of the audit: they draw what their rows say, here made-up rows of the audit's own studies."""

import asyncio
from dataclasses import asdict
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from test_figures_panels import check_that_every_control_redraws, parts_of

from biornn_lite import verdict
from biornn_lite.audit import HARDER_STARTS, SWEPT, SWEPT_STARTS, TURNED, parts, reached, with_names
from biornn_lite.contrasts import variance_explained
from biornn_lite.errors import InputError
from biornn_lite.figures import audit as figures
from biornn_lite.figures.study import TOLD_APART
from biornn_lite.replication import load_replication
from biornn_lite.results import ceilings
from biornn_lite.seeds import generator, run_seed
from biornn_lite.statistics import share_interval
from biornn_lite.tasks import TASKS, get_task, title_of
from biornn_lite.training import Settings
from biornn_lite.variants import get_variant
from biornn_lite.wiring import pool_effects

TITLES = [title_of(task) for task in TASKS]
CHOSEN = dict(zip(SWEPT_STARTS, (0.3, 0.3, 0.03, 0.3, 0.003, 0.0, 1.0, 0.0003, 0.3, 0.1), strict=True))
GAINS = {"functional": 0.95, "same spectrum": 0.35, "orthogonal": 0.1, "orthogonal at 0.95": 0.15}
QUICK = Settings(epochs=3, batches=2, batch_size=16, test_trials=40)


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


@pytest.fixture(scope="module")
def networks():
    """Rows of the curve."""
    return made_up("curve", count=60)


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
    assert told(figure.legends[0]) == [*figures.SAYS, figures.BAND_LABEL]
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


# The specification curve


def dots(ax):
    """Lines of markers without a line between them."""
    return [line for line in ax.lines if line.get_marker() in ("o", "s", "^")]


def test_the_curve_shows_every_combination_in_order(networks):
    table, fixed = verdict.curve(networks), verdict.cursors(networks)
    figure = figures.curve_figure(table, fixed)
    top, strip, *columns = figure.axes
    drawn = np.concatenate([np.column_stack(line.get_data()) for line in dots(top)])
    np.testing.assert_allclose(drawn[drawn[:, 0].argsort(), 1], np.sort(table["difference"]))
    counts = table["self_connections"].value_counts()
    by_label = {line.get_label(): len(line.get_xdata()) for line in dots(top)}
    for kind in figures.KINDS:
        assert by_label[f"self-connections {kind}"] == counts[kind]
    assert len({line.get_marker() for line in dots(top) if len(line.get_xdata())}) == 3
    assert labels_of(strip) == list(figures.KINDS)
    assert sum(len(line.get_xdata()) for line in strip.lines) == len(table)
    heights = {text.get_text(): text.xy[1] for text in top.texts}
    assert heights == pytest.approx(fixed.mean().to_dict())
    above = (table["difference"] > 0).mean()
    assert top.get_title(loc="right").startswith(f"60 combinations: {100 * above:.0f} % above 0, median ")
    assert figures.BAND_LABEL in told(top.get_legend()) and not figure.legends
    labels = [label for ax in columns for label in labels_of(ax)]
    assert "self-connections:  kept" in labels and "λ:  0" in labels and "coordinates:  reshaped" in labels
    means = {
        label: x for ax in columns for label, (x, _) in zip(labels_of(ax), marks(ax), strict=True)
    }  # fmt: skip
    assert means["self-connections:  kept"] == pytest.approx(
        table.loc[table["self_connections"] == "kept", "difference"].mean()
    )
    assert means["λ:  0"] == pytest.approx(table.loc[table["penalty_weight"] == 0, "difference"].mean())


def test_a_highlight_greys_out_the_others(networks):
    table = verdict.curve(networks)
    figure = figures.curve_figure(table, None, {"space": "D*", "penalty_weight": (0.01, 0.3)})
    which = (table["space"] == "D*") & table["penalty_weight"].between(0.01, 0.3)
    lines = {line.get_label(): len(line.get_xdata()) for line in dots(figure.axes[0])}
    assert 0 < which.sum() < len(table)
    assert sum(n for label, n in lines.items() if label.startswith("self-")) == which.sum()
    grey = [line for line in dots(figure.axes[0]) if line.get_color() == "0.82"]
    assert len(grey[0].get_xdata()) == len(table) - which.sum()
    median = f"{table.loc[which, 'difference'].median():+.2f}".replace("-", "−")
    assert figure.axes[0].get_title(loc="right").startswith(f"{which.sum()} of 60 combinations: ")
    assert figure.axes[0].get_title(loc="right").endswith(f"median {median}")
    assert told(figure.legends[0]) == ["these combinations", "all"]
    none = figures.curve_figure(table, None, {"penalty_weight": (90, 99)})
    assert none.axes[0].get_title(loc="right") == "0 of 60 combinations"
    with pytest.raises(InputError, match="no choice 'colour'"):
        figures.curve_figure(table, None, {"colour": "red"})


def test_every_control_of_the_panel_of_the_curve_redraws_it(networks):
    panel = figures.curve_panel(networks)
    assert parts_of(panel)["task"].options[0] == ("any", "any")
    check_that_every_control_redraws(panel, {"λ": (0.0, 0.3), "self-connections": "removed", "space": "D*"})
    check_that_every_control_redraws(panel, {"self-connections": "any", "sign": "free", "task": "go_nogo"})
    check_that_every_control_redraws(panel, {"sign": "any", "communicability": "C*"})
    assert not plt.get_fignums()


def test_what_explains_is_sorted(networks):
    table = variance_explained(
        verdict.curve_factors(verdict.curve(networks)), "difference", ["self_connections", "task", "log_weight"], 20
    )
    ax = figures.explained_figure(table).axes[0]
    ordered = table.sort_values("share", ascending=False)
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], ordered["share"])
    ends = np.array([segment[:, 0] for segment in ax.collections[0].get_segments()])
    np.testing.assert_allclose(ends, ordered[["low", "high"]])
    assert set(labels_of(ax)) == {"self-connections", "task", "λ, its size"}
    assert f"all factors together: {100 * table.attrs['r2']:.0f} %" in ax.get_xlabel()


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


# One choice at a time


@pytest.mark.parametrize("setting", TURNED)
def test_a_turned_choice_stands_beside_the_published_one(turned, setting):
    figure = figures.choice_figure(setting, "go_nogo", turned)
    left, right = figure.axes
    assert [text.get_text() for text in left.get_xticklabels()] == list(reached(setting))
    mine = turned[(turned["part"] == setting) & (turned["task"] == "go_nogo")]
    published = verdict.with_gain(load_replication("5_3_4").networks).query("task == 'go_nogo'")
    published = published[published["seed"].isin(mine["seed"])]
    assert len(published) == 4 * 11
    for side, filled in ((published, False), (mine, True)):
        share = side.groupby("variant")["learns"].mean().reindex(reached(setting))
        drawn = [
            line.get_ydata()[0]
            for line in left.lines
            if len(line.get_xdata()) == 1 and (line.get_markerfacecolor() != "white") == filled
        ]
        np.testing.assert_allclose(drawn, share)
    value = setting.split("=")[1]
    told_of = told(figure.legends[0])
    assert told_of[0].startswith("published: ") and told_of[1] == f"turned: {figures._words(value)}"
    assert figures.live_variant(setting) in right.get_title() and "4 runs of each" in left.get_title()
    assert [text.get_text() for text in right.texts] == ["not run yet"]


def test_a_live_run_is_drawn_as_far_as_it_is(turned):
    live = {"published": [0.6, 0.9], "turned": [0.5, np.nan]}
    right = figures.choice_figure(TURNED[0], "go_nogo", turned, live).axes[1]
    np.testing.assert_array_equal(right.lines[0].get_data(), [[1, 2], [0.6, 0.9]])
    assert told(right.get_legend())[:2] == ["published", "turned (diverged)"] and not right.texts
    assert "without memory, 0.500" in told(right.get_legend())


def test_a_live_run_trains_both_sides():
    found = list(figures.live_run("self_connections=removed", "go_nogo", 1, QUICK))
    assert [[len(side) for side in epoch.values()] for epoch in found] == [[1, 1], [2, 2], [3, 3]]
    assert list(found[-1]) == ["published", "turned"]
    assert all(0 <= value <= 1 for side in found[-1].values() for value in side)
    variants = [figures.live_variant(setting) for setting in ("units=micrometres", "lambda_in_w=applied")]
    assert variants == ["W*D*C*", "W"]


def test_every_control_of_the_panel_of_choices_redraws_it(turned):
    panel = figures.choice_panel(turned, QUICK)
    labels = dict(parts_of(panel)["choice"].options)
    assert list(labels.values()) == list(TURNED)
    assert "coordinates: published reshaped → sound transposed" in labels
    assert "self-connections: published kept → only" in labels
    assert "transposed keeps them" in parts_of(panel)["Label"].value
    check_that_every_control_redraws(panel, {"choice": "lattice_scale=matched", "task": "one_choice_inference"})
    assert "gives D the mean distance" in parts_of(panel)["Label"].value


def said_by(panel):
    return [child.value for child in panel.children if hasattr(child, "value")]


def test_the_live_run_redraws_after_every_epoch_and_says_how_it_went(turned):
    panel = figures.choice_panel(turned, QUICK)
    parts = parts_of(panel)
    images = [bytes(parts["Image"].value)]
    parts["Image"].observe(lambda change: images.append(bytes(change["new"])), "value")
    parts["Train both"].click()
    assert parts["epochs"].value == 3 and len(images) == len(set(images)) == 4
    assert any(str(text).startswith("After 3 epochs: published 0.") for text in said_by(panel))
    assert parts["Stop"].disabled and not parts["Train both"].disabled


@pytest.mark.parametrize("by", ["button", "choice"])
def test_the_live_run_stops_when_it_is_told_to(turned, by):
    """As in a kernel: the click, or another choice, comes in between two epochs."""
    panel = figures.choice_panel(turned, Settings(epochs=50, batches=1, batch_size=8, test_trials=8))
    parts = parts_of(panel)

    async def person():
        parts["Train both"].click()
        while parts["epochs"].value < 2:
            await asyncio.sleep(0.01)
        assert parts["Train both"].disabled and not parts["Stop"].disabled
        if by == "button":
            parts["Stop"].click()
        else:
            parts["choice"].value = "isolated_neurons=zero"
        while parts["Train both"].disabled:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(person(), 60))
    assert 2 <= parts["epochs"].value < 50 and parts["Stop"].disabled
    assert any(str(text).endswith("(stopped)") for text in said_by(panel))
    assert not plt.get_fignums()


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
        lambda rows: figures.curve_figure(pd.DataFrame(columns=["difference", "self_connections", "penalty_weight"])),
        lambda rows: figures.explained_figure(pd.DataFrame({"share": [np.nan]})),
        lambda rows: figures.before_figure(pd.DataFrame(columns=["start", *figures.BEFORE, "learns"])),
        lambda rows: figures.choice_figure(TURNED[0], "go_nogo", empty(rows)),
    ],
)  # fmt: skip
def test_no_rows_are_an_error_that_says_so(starts, draw):
    with pytest.raises(InputError, match="no rows"):
        draw(starts)


def test_a_wrong_name_is_an_error_that_says_what_there_is(starts):
    for draw, said in (
        (lambda: figures.shares_figure(starts, "colour"), "takes a column 'colour'; there is study, part"),
        (lambda: figures.harder(starts, axes(), "loss"), "measure is 'loss'; it allows gain, learns"),
        (lambda: figures.choice_figure("x=y", "go_nogo", starts), "no turned choice 'x=y'; there are coordinates"),
        (
            lambda: figures.shares(starts.assign(task=starts["start"]), "part", axes()),
            "shares of 22 tasks; at most 5",
        ),
        (lambda: figures.harder(starts.assign(condition="x"), axes()), "22 starts; at most 5"),
    ):
        with pytest.raises(InputError, match=said):
            draw()


def test_one_run_and_missing_values_are_drawn_as_far_as_they_go(starts, networks):
    one = starts[starts["run"] == 0]
    few = one[one["start"] == "functional"]
    table = verdict.curve(networks)
    lost = table.assign(difference=table["difference"].where(np.arange(60) % 2 == 0))
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
        figures.curve_figure(lost),
        figures.curve_figure(table.iloc[:1], pd.DataFrame()),
        figures.curve_figure(table, pd.DataFrame({"published": [0.2], "sound": [0.2]})),
        figures.explained_figure(pd.DataFrame({"share": [0.1], "low": [np.nan], "high": [np.nan]}, index=["task"])),
        figures.before_figure(described(starts).iloc[:1]),
        figures.before_figure(described(starts).assign(scale=np.inf)),
    ):
        figure.draw_without_rendering()
        plt.close(figure)
    assert figures.curve_figure(lost).axes[0].get_title(loc="right").startswith("30 combinations")
    diverged = verdict.with_gain(few.assign(status="diverged", test_accuracy=np.nan))
    assert {x for x, _ in marks(figures.shares(diverged, "start", axes()))} == {0.0}


def test_panels_load_the_shipped_rows_when_they_draw_and_say_if_they_are_not_there(monkeypatch, turned):
    def absent(study=None):
        raise InputError("networks.csv.gz: no such file")

    monkeypatch.setattr(figures, "load_audit", absent)
    for panel in (figures.curve_panel(), figures.choice_panel()):
        assert "⚠ networks.csv.gz: no such file" in said_by(panel)
    asked = []

    def there(study=None):
        asked.append(study)
        return verdict.Results(turned, pd.DataFrame())

    monkeypatch.setattr(figures, "load_audit", there)
    parts = parts_of(figures.choice_panel())
    parts["task"].value = "one_choice_inference"
    assert asked == ["choices"], "once"
    assert not plt.get_fignums()


def test_colours_differ_in_more_than_hue():
    for styles in (figures.SAYS, figures.KINDS):
        looks = [(style["marker"], style.get("markerfacecolor", "")) for style in styles.values()]
        assert len(set(looks)) == len(styles)
    shades = [int(to_hex(style["color"])[1:3], 16) for style in figures.KINDS.values()]
    assert len(set(shades)) == 3
