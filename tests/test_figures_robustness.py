"""Figures of robustness: they draw what their tables say, each start beside its controls."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from test_figures_audit import intervals, labels_of, marks, told
from test_figures_panels import check_that_every_control_redraws
from test_robustness_verdict import rows, start_of, with_curves

from biornn_lite import robustness_verdict as verdict
from biornn_lite.errors import InputError
from biornn_lite.figures import pareto
from biornn_lite.figures import robustness as figures
from biornn_lite.figures.reading import read_charts
from biornn_lite.figures.robustness_parts import log_places
from biornn_lite.figures.style import COLOURS, MARKERS, START_LINES
from biornn_lite.figures.tables import numbers
from biornn_lite.psychometric import COHERENCES, curve, fit, ideal_by_coherence, ideal_threshold
from biornn_lite.results import ceilings
from biornn_lite.robustness import KEPT
from biornn_lite.robustness_studies import SIZES, TRIALS_PER_COHERENCE
from biornn_lite.robustness_verdict import AFTER, MAIN, SEVERITIES, SHOWN
from biornn_lite.tasks import PERCEPTUAL, TASKS, title_of

RUNS = 4
PENALTY, NONE = "published penalty", "no penalty"
CHOSEN = ["units silenced, at random", "units silenced, strongest first", *AFTER]
LEFT = {"functional": 0.6, "0.95 I": 0.9}


def more(networks: pd.DataFrame) -> pd.DataFrame:
    """Made-up measures of cost, states and psychometric curves."""
    found = []
    for row in networks[networks["part"] == MAIN].itertuples():
        key = {"study": row.study, "part": MAIN, "variant": row.variant, "task": row.task, "run": row.run}
        rng = np.random.default_rng([row.run, len(row.variant)])
        for share in (1.0, *KEPT):
            for what in ("pruned", "pruned and retrained"):
                synapses = max(0, round(4900 * share) - 70) * (1 + 0.1 * ("I" in row.variant))
                found.append(key | {"measure": f"{what}: synapses", "severity": share, "value": synapses})
                found.append(key | {"measure": f"{what}: wiring", "severity": share, "value": 150 * synapses})
        for measure in (*figures.BOUNDED, *figures.STATE_MEASURES):
            found.append(key | {"measure": measure, "severity": 0.0, "value": rng.uniform(0.5, 1)})
        if row.task == PERCEPTUAL:
            lost = start_of(row.variant) == "orthogonal"
            right = rng.binomial(TRIALS_PER_COHERENCE, curve(COHERENCES, 1e6 if lost else 4.0, 0.02))
            for coherence, number in zip(COHERENCES, right, strict=True):
                value = number / TRIALS_PER_COHERENCE
                found.append(key | {"measure": "psychometric", "severity": coherence, "value": value})
            threshold = np.inf if lost else fit(COHERENCES, right, TRIALS_PER_COHERENCE).threshold
            found.append(key | {"measure": "threshold", "severity": 0.0, "value": threshold})
    return pd.DataFrame(found)


@pytest.fixture(scope="module")
def made():
    """Rows of all starts in both studies; orthogonal starts do not learn at the published penalty."""

    def clean(study, name, size):
        if study == PENALTY and start_of(name) == "orthogonal":
            return 0.1
        return 0.3 + 0.65 * (size >= 640)

    def left(name, measure, severity):
        return 1.0 if measure == "undisturbed" else LEFT.get(start_of(name), 0.75)

    parts = []
    for study, variants in SHOWN.items():
        some = rows(clean, left, list(variants.values()), RUNS)
        parts.append([table[table["study"] == study] for table in (some.networks, some.measures)])
    networks, measures = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    return verdict.Rows(networks, pd.DataFrame(), pd.concat([measures, more(networks)], ignore_index=True))


@pytest.fixture(scope="module")
def curves(made):
    return verdict.curve_table(made, CHOSEN)


@pytest.fixture(scope="module")
def answers(made):
    return verdict.answers(made)


def of(table, **values):
    """Rows with these values, in the order of what they are drawn against."""
    for name, value in values.items():
        table = table[table[name] == value]
    return table.sort_values([name for name in ("trials", "severity", "coherence") if name in table], kind="stable")


def axes():
    return plt.figure().add_subplot()


def line_of(ax, start):
    (line,) = (line for line in ax.lines if line.get_label() == start)
    return line


def band_of(ax, start):
    """Ends of the band in a start's colour, by x."""
    colour = to_rgba(START_LINES[start]["color"])[:3]
    (band,) = (
        each
        for each in ax.collections
        if isinstance(each, PolyCollection) and tuple(each.get_facecolor()[0][:3]) == colour
    )
    points = pd.DataFrame(band.get_paths()[0].vertices, columns=["x", "y"])
    return points.groupby("x")["y"].agg(["min", "max"])


def check_line(ax, start, table, x, low, mean, high):
    """See that a start's line and band are those of a table."""
    np.testing.assert_allclose(line_of(ax, start).get_xdata(), x)
    np.testing.assert_allclose(line_of(ax, start).get_ydata(), table[mean])
    band = band_of(ax, start)
    np.testing.assert_allclose(band["min"], table[low])
    np.testing.assert_allclose(band["max"], table[high])


def ceilings_of(ax):
    return {
        line.get_ydata()[0] for line in ax.lines if len(set(line.get_ydata())) == 1 and line.get_linewidth() == 1.2
    }


# Starts


def test_a_start_looks_the_same_in_all_figures():
    for kind in ("functional", "relabelled", "orthogonal"):
        assert (START_LINES[kind]["color"], START_LINES[kind]["marker"]) == (COLOURS[kind], MARKERS[kind])
    assert list(START_LINES) == list(SHOWN[NONE]) == list(SHOWN[PENALTY])
    for part in ("color", "marker"):
        assert len({line[part] for line in START_LINES.values()}) == len(START_LINES)


def test_no_variant_is_shown_without_the_controls():
    chosen = verdict.shown(PENALTY, ["W*D*C", "WD"])
    assert (chosen["functional"], chosen["orthogonal"], chosen["relabelled"]) == ("W*D*C", "WD", "W!D*C*")
    assert {"diagonal alone", "0.95 I", "functional without diagonal"} < set(chosen)
    for study, variants, said in (
        ("x", (), "no study 'x'; there are published penalty, no penalty"),
        (NONE, ["WD"], "the study no penalty has no variant 'WD'; it has functional"),
        (PENALTY, ["WD", "WD*"], "2 variants of 1 starts"),
    ):
        with pytest.raises(InputError, match=said):
            verdict.shown(study, variants)


def test_another_variant_can_stand_for_its_start(made):
    table = verdict.data_table(made)
    other = table[table["variant"] == "W*D*C*"].assign(variant="W*D*C", gain=0.5)
    figure = figures.less_data_figure(pd.concat([table, other]), PENALTY, ["W*D*C"])
    np.testing.assert_allclose(line_of(figure.axes[0], "functional").get_ydata(), 0.5)
    assert "functional, W*D*C" in told(figure.legends[0]) and "0.95 I" in told(figure.legends[0])


# Less data


def test_gains_and_shares_by_trials_are_those_of_the_table(made):
    table = verdict.data_table(made)
    figure = figures.less_data_figure(table, PENALTY)
    above, below = figure.axes[:3], figure.axes[3:]
    assert [ax.get_title() for ax in above] == [title_of(task) for task in TASKS]
    assert "published penalty, 4 runs of each" in figure.get_suptitle()
    sizes = sorted(SIZES)
    for task, gain, learns in zip(TASKS, above, below, strict=True):
        for start, variant in SHOWN[PENALTY].items():
            mine = of(table, study=PENALTY, task=task, variant=variant)
            check_line(gain, start, mine, sizes, "low", "gain", "high")
            check_line(learns, start, mine, sizes, "learns_low", "learns", "learns_high")
        assert {0.0, 1.0} <= ceilings_of(gain)
    assert [text.get_text() for text in below[0].get_xticklabels()] == [f"{size:,}" for size in sizes]
    names = told(figure.legends[0])
    assert names[:4] == ["functional, W*D*C*", "relabelled, W!D*C*", "orthogonal, WD*C*", "diagonal alone"]
    assert names[-3:] == ["95 % interval over runs", "without memory", "best possible"]


def test_gains_by_epoch_are_those_of_the_table(made):
    table = verdict.epochs_table(with_curves(made))
    figure = figures.fewer_epochs_figure(table, NONE)
    assert [ax.get_title() for ax in figure.axes] == [title_of(task) for task in TASKS]
    for task, ax in zip(TASKS, figure.axes, strict=True):
        for start, variant in SHOWN[NONE].items():
            mine = of(table, study=NONE, task=task, variant=variant)
            check_line(ax, start, mine, list(verdict.EPOCHS), "low", "gain", "high")


# Trials needed


def test_shares_that_need_more_and_their_medians_are_drawn(made):
    needed = verdict.trials_needed(made)
    table = verdict.needed_table(needed)
    figure = figures.trials_needed_figure(table, PENALTY)
    sizes = sorted(SIZES)
    task = "go_nogo"
    number = list(TASKS).index(task)
    steps, medians = figure.axes[number], figure.axes[3 + number]
    for start, variant in SHOWN[PENALTY].items():
        trials = of(needed, study=PENALTY, task=task, variant=variant)["trials"]
        line = line_of(steps, start)
        assert (line.get_drawstyle(), list(line.get_xdata()[1:])) == ("steps-post", sizes)
        np.testing.assert_allclose(line.get_ydata()[1:], verdict.share_that_needs_more(trials))
    (censored,) = (bars for bars in steps.collections if bars.get_label() == "_left out")
    assert to_rgba(START_LINES["orthogonal"]["color"]) == tuple(censored.get_color()[0])
    assert {x for ends in censored.get_segments() for x, _ in ends} == {5120}
    beyond = figures.ABOVE * 5120
    assert [x for x, _ in marks(medians)] == [640, 640, beyond, 640, 640, 640]
    assert intervals(medians)[2] == (beyond, beyond)
    assert labels_of(figure.axes[3]) == list(SHOWN[PENALTY])
    assert [text.get_text() for text in medians.get_xticklabels()][-2:] == ["5,120", "> 5,120"]
    assert max(medians.get_xlim()) > beyond
    table = numbers(figure)
    for start, variant in SHOWN[PENALTY].items():
        trials = of(needed, study=PENALTY, task=task, variant=variant)["trials"]
        written = of(table, chart=number + 1, series=start)["y"].tolist()
        np.testing.assert_allclose(written[1:], 100 * verdict.share_that_needs_more(trials))
    assert set(of(table, chart=number + 4, y="orthogonal")["x"]) == {"> 5,120"}
    assert [chart.title for chart in read_charts(figure)] == [title_of(task) for task in TASKS] * 2


# Degradation


def test_a_degradation_curve_is_that_of_its_table_in_equal_steps(curves):
    measure = CHOSEN[1]
    for retained, names in ((False, ("low", "all", "high")), (True, ("retained_low", "retained", "retained_high"))):
        figure = figures.degradation_figure(curves, PENALTY, measure, retained=retained)
        for task, ax in zip(TASKS, figure.axes, strict=True):
            for start, variant in SHOWN[PENALTY].items():
                mine = of(curves, study=PENALTY, task=task, variant=variant, measure=measure)
                if retained and start == "orthogonal":
                    assert start not in [line.get_label() for line in ax.lines]
                else:
                    check_line(ax, start, mine, range(8), *names)
            assert {0.0, 1.0} <= ceilings_of(ax)
        written = [text.get_text() for text in figure.axes[0].get_xticklabels()]
        assert written == ["0", "1", "5", "10", "20", "30", "40", "50"]
        assert ("orthogonal, WD*C*: too few learned" in told(figure.legends[0])) == retained
        assert told(figure.legends[0])[-1] == ("unharmed" if retained else "best possible")
    assert figure.axes[0].get_ylabel() == "gain retained" and not figure.axes[1].get_ylabel()


@pytest.mark.parametrize(
    ("measure", "label", "first", "last"),
    [
        ("input noise", "SD of the noise", "0", "0.8"),
        ("state noise", "SD of the noise / RMS of the states", "0", "1"),
        ("weight noise, proportional", "SD of the noise / the weight", "0", "1"),
        ("synapses cut, at random", "recurrent weights cut (%)", "0", "50"),
        ("bits, all, per row", "bits per weight", "32", "1"),
        ("pruned", "recurrent weights kept (%)", "all", "1"),
        ("pruned and retrained", "recurrent weights kept (%)", "all", "2"),
        ("self-connections cut", "", "none", "self-connections"),
        ("after the trial, noise", "trial lengths after the trial", "0", "10"),
    ],
)
def test_severities_are_labelled_with_their_units(curves, measure, label, first, last):
    some = curves[curves["measure"] == CHOSEN[1]]
    points = dict(zip(sorted(set(some["severity"])), (0.0, *SEVERITIES[measure]), strict=False))
    some = some.assign(measure=measure, severity=some["severity"].map(points)).dropna(subset="severity")
    ax = figures.degradation(some, NONE, "go_nogo", measure, axes())
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert (ax.get_xlabel(), ticks[0], ticks[-1], len(ticks)) == (label, first, last, len(SEVERITIES[measure]) + 1)


def test_severities_stand_in_the_order_of_their_harm(curves):
    some = curves[curves["measure"] == CHOSEN[1]]
    bits = (0.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0)
    table = pd.concat(
        [some[some["severity"] == 0.0].assign(measure="bits, all, per row", severity=b, all=b) for b in bits]
    )
    ax = figures.degradation(table, NONE, "go_nogo", "bits, all, per row", axes())
    assert list(line_of(ax, "0.95 I").get_ydata()) == list(bits)


def test_the_sheet_has_a_row_per_family(made):
    networks, measures = (of(table, study=PENALTY, task="go_nogo") for table in (made.networks, made.measures))
    names = [name for row in figures.SHEET.values() for name in row]
    table = verdict.curve_table(made._replace(networks=networks, measures=measures), names)
    figure = figures.degradation_sheet(table, PENALTY, "go_nogo")
    titles = [" ".join(ax.get_title().split()) for ax in figure.axes]
    assert titles == names
    rows_named = [chart.y.label.split()[0] for chart in read_charts(figure)]
    assert rows_named == [family for family, row in figures.SHEET.items() for _ in row]
    assert set(titles) == set(SEVERITIES) - set(AFTER), "nothing that was measured is left out"
    assert [ax.get_ylabel() for ax in figure.axes[::4]] == [f"{family}\nmean gain" for family in figures.SHEET]
    np.testing.assert_allclose(
        line_of(figure.axes[0], "0.95 I").get_ydata(),
        of(table, measure="input noise", variant="0.95 I | D* | C*")["all"],
    )


# Fronts


def test_zero_has_a_place_of_its_own_left_of_the_logarithms():
    assert log_places([100, 10, 1]) == {1.0: 0.0, 10.0: 1.0, 100.0: 2.0}
    places = log_places([100, 0, 10])
    assert list(places) == [0.0, 10.0, 100.0] and places[0.0] < 0.9 and (places[10.0], places[100.0]) == (1, 2)
    assert log_places([0]) == {0.0: 0.0}
    for wrong in ([-1, 1], [np.inf, 1]):
        with pytest.raises(InputError, match="must be finite and at least 0"):
            log_places(wrong)


@pytest.mark.parametrize("cost", ["wiring", "synapses"])
def test_a_front_has_all_points_of_its_table(made, cost):
    table = verdict.fronts(made, cost)
    ax = pareto.pareto(table, NONE, "go_nogo", axes(), cost)
    mine = of(table, study="no penalty", task="go_nogo")
    places = log_places(mine["cost"])
    assert 0.0 in places, "so few weights that only self-connections are left"
    for (variant, again), points in mine.groupby(["variant", "retrained"]):
        marker = pareto.RETRAINED[again]
        (line,) = (each for each in ax.lines if each.get_label() == variant and each.get_marker() == marker)
        wanted = {(places[point.cost], point.accuracy) for point in points.itertuples()}
        assert set(zip(*line.get_data(), strict=True)) == wanted
        assert line.get_color() == START_LINES[start_of(variant)]["color"]
    best = mine[mine["front"]]
    rings = np.concatenate(
        [np.column_stack(line.get_data()) for line in ax.lines if line.get_label() == "_on the front"]
    )
    assert set(map(tuple, rings)) == {(places[point.cost], point.accuracy) for point in best.itertuples()}
    (front,) = (line for line in ax.lines if line.get_label() == "_front")
    assert (np.diff(front.get_xdata()) > 0).all() and (np.diff(front.get_ydata()) > 0).all()
    assert set(ceilings("go_nogo", "test")) <= ceilings_of(ax)
    assert ax.get_xticklabels()[0].get_text() == "0" and ax.get_xticks()[0] == places[0.0]
    assert ("µm" in ax.get_xlabel()) == (cost == "wiring")


def test_the_cursor_marks_one_point_and_returns_it(made):
    table = verdict.fronts(made)
    ax = pareto.pareto(table, NONE, "go_nogo", axes())
    before = len(ax.lines)
    name = SHOWN[NONE]["functional"]
    for kept, again in ((0.5, False), (0.05, True)):
        point = pareto.front_cursor(table, NONE, "go_nogo", ax, name, kept, again)
        assert (point["kept"], point["retrained"], point["variant"]) == (kept, again, name)
        cursor = [line for line in ax.lines if line.get_gid() == "cursor"]
        assert len(ax.lines) == before + len(cursor) == before + 3, "the earlier one is gone"
        assert cursor[-1].get_ydata()[0] == point["accuracy"]
    with pytest.raises(InputError, match=r"has no point with 50 % kept; there are 2 %, 5 %, 10 %, 20 %"):
        pareto.front_cursor(table, NONE, "go_nogo", ax, name, 0.5, True)
    figure = pareto.front_figure(table, NONE, "go_nogo", at=(name, 0.05, True))
    assert f"accuracy {point['accuracy']:.3f}, {point['cost']:,.0f} µm" in figure.axes[0].get_title()
    assert len(pareto.front_figure(table, NONE).axes) == 3


def test_the_panel_of_the_front_follows_its_controls(made):
    panel = pareto.front_panel(made)
    changes = {"kept": 0.02, "retrained": True, "start": "0.95 I", "study": NONE, "cost": "synapses"}
    check_that_every_control_redraws(panel, changes)


# Psychometric curves


def test_psychometric_curves_show_means_fits_and_the_ideal_observer(made):
    table, thresholds = verdict.psychometric_table(made), verdict.threshold_table(made)
    figure = figures.psychometric_figure(table, thresholds, NONE)
    left, right = figure.axes
    places = log_places(COHERENCES)
    for start, variant in SHOWN[NONE].items():
        mine = of(table, study="no penalty", variant=variant)
        points = line_of(left, f"_{start}")
        np.testing.assert_allclose(points.get_xdata(), list(places.values()))
        np.testing.assert_allclose(points.get_ydata(), mine["accuracy"])
        np.testing.assert_allclose(band_of(left, start)["max"], mine["high"][1:])
        fitted = of(thresholds, study="no penalty", variant=variant).iloc[0]
        x, y = line_of(left, start).get_data()
        np.testing.assert_allclose(y, curve(10**x, fitted["scale"], fitted["lapses"]))
    x, y = line_of(left, "_ideal").get_data()
    np.testing.assert_allclose(y, ideal_by_coherence(10**x))
    written = dict(zip((text.get_text() for text in left.get_xticklabels()), left.get_xticks(), strict=True))
    assert list(written) == [f"{each:g}" for each in COHERENCES] and written["0"] == places[0.0]
    medians = thresholds[thresholds["study"] == NONE].set_index("variant")["median"]
    wanted = [np.log10(m) if np.isfinite(m) else figures._BEYOND for m in (medians[v] for v in SHOWN[NONE].values())]
    np.testing.assert_allclose([x for x, _ in marks(right)], wanted)
    assert labels_of(right) == list(SHOWN[NONE])
    assert labels_of(right, minor=True)[2] == "4 of 4 censored"
    assert right.get_xlim() == left.get_xlim(), "both have one axis"
    assert set(of(numbers(figure), chart=2, series="orthogonal")["x"]) == {"none"}
    assert np.log10(ideal_threshold()) in [
        line.get_xdata()[0] for line in right.lines if line.get_linestyle() == "--"
    ]


# Stability


def test_what_is_left_after_the_trial_stands_beside_boundedness(made, curves):
    bounded = verdict.measure_table(made, figures.BOUNDED)
    figure = figures.stability_figure(curves, bounded, PENALTY)
    grid = np.reshape(figure.axes, (2, 4))
    for row, measure, beside in zip(grid, AFTER, figures.BOUNDED, strict=True):
        for ax, task in zip(row, TASKS, strict=False):
            mine = of(curves, study=PENALTY, task=task, variant="W*D*C*", measure=measure)
            check_line(ax, "functional", mine, range(5), "low", "all", "high")
        means = of(bounded, study=PENALTY, measure=beside).set_index(["variant", "task"])
        wanted = [means.loc[(variant, task)] for variant in SHOWN[PENALTY].values() for task in TASKS]
        np.testing.assert_allclose([x for x, _ in marks(row[-1])], [each["mean"] for each in wanted])
        np.testing.assert_allclose(intervals(row[-1]), [(each["low"], each["high"]) for each in wanted])
        assert labels_of(row[-1]) == list(SHOWN[PENALTY])
    assert [ax.get_title() for ax in grid[0]] == [*(title_of(task) for task in TASKS), "bounded trials"]


def test_states_have_axes_for_each_measure(made):
    table = verdict.measure_table(made, list(figures.STATE_MEASURES))
    figure = figures.states_figure(table, NONE)
    assert [ax.get_xlabel() for ax in figure.axes] == list(figures.STATE_MEASURES.values())
    means = of(table, study="no penalty").groupby("measure")["mean"].apply(set)
    for measure, ax in zip(figures.STATE_MEASURES, figure.axes, strict=True):
        np.testing.assert_allclose(sorted({x for x, _ in marks(ax)}), sorted(means[measure]), atol=1e-9)
    assert set(numbers(figure)["series"]) == {title_of(task) for task in TASKS}
    tiny = table.assign(**dict.fromkeys(("mean", "low", "high"), 3.4e-29))
    assert set(numbers(figures.states_figure(tiny, NONE))["x"]) == {0.0}


# Claims


def test_claims_have_their_contrasts_and_their_words(answers):
    table = answers.copy()
    first = table["claim"] == "less data"
    table.loc[first, ["difference", "low", "high", "runs"]] = [0.3, 0.2, 0.4, 20]
    table.loc[first, "says"] = ["better", "no better", "unclear"] * 2
    figure = figures.claims_figure(table)
    assert [ax.get_title() for ax in figure.axes] == list(SHOWN)
    labels = labels_of(figure.axes[0])
    assert labels[:4] == ["less data", "− orthogonal", "− diagonal alone", "− 0.95 I"] and len(labels) == 16
    assert labels[12] == "small devices" and len({ax.get_xlim() for ax in figure.axes}) == 1
    for ax in figure.axes:
        assert marks(ax) == [(0.3, 1), (0.3, 2), (0.3, 3)] and intervals(ax) == [(0.2, 0.4)] * 3
        assert [line.get_marker() for line in ax.lines if line.get_marker() not in ("", "None")] == ["D", "s", "D"]
        texts = [text.get_text() for text in ax.texts]
        assert texts.count("open") == 4 and [text for text in texts if "too few" in text]
        assert (ax.patches[0].get_x(), ax.patches[0].get_width()) == (-0.1, 0.2)
    told = [each for each in numbers(figure)["series"] if not each.startswith("differences that do not matter")]
    assert told == [f"less data: {word}" for word in ("better", "no better", "unclear")] * 2
    one = figures.claims_figure(table[table["context"] == NONE])
    assert len(one.axes) == 1
    table.loc[first, "says"] = ["better", "no better", "no better"] * 2
    ax = figures.claims(table, NONE, axes())
    assert "holds for any identity-like start" in [text.get_text().replace("\n", " ") for text in ax.texts]


# All of them


def drawn(made, curves, answers):
    """All figures, by name."""
    thresholds = verdict.threshold_table(made)
    bounded = verdict.measure_table(made, [*figures.BOUNDED, *figures.STATE_MEASURES])
    front = verdict.fronts(made)
    for study in SHOWN:
        yield figures.less_data_figure(verdict.data_table(made), study)
        yield figures.trials_needed_figure(verdict.needed_table(verdict.trials_needed(made)), study)
        yield figures.degradation_figure(curves, study, CHOSEN[0])
        yield figures.psychometric_figure(verdict.psychometric_table(made), thresholds, study)
        yield figures.stability_figure(curves, bounded, study)
        yield figures.states_figure(bounded, study)
        yield pareto.front_figure(front, study)
        yield pareto.front_figure(front, study, "go_nogo", at=(SHOWN[study]["relabelled"], 0.05, True))
    yield figures.claims_figure(answers)


def test_nothing_is_cut_off_and_no_legend_covers_data(made, curves, answers):
    for figure in drawn(made, curves, answers):
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        box = figure.get_tightbbox(renderer)
        width, height = figure.get_size_inches()
        assert width <= 11 and box.x0 > -0.02 and box.y0 > -0.02, figure.get_suptitle()
        assert box.x1 < width + 0.02 and box.y1 < height + 0.02, figure.get_suptitle()
        for legend in figure.legends:
            assert not any(ax.get_window_extent().overlaps(legend.get_window_extent()) for ax in figure.axes)
        plt.close(figure)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda made, curves: figures.less_data_figure(pd.DataFrame(), NONE), "takes a column 'study'"),
        (lambda made, curves: figures.degradation_figure(curves, "x", CHOSEN[0]), "no rows of a study 'x'; there"),
        (lambda made, curves: figures.degradation_figure(curves, NONE, "x"), "no disturbance 'x'; there are input"),
        (lambda made, curves: figures.degradation_figure(curves, NONE, "pruned"), "no rows to draw pruned of"),
        (lambda made, curves: figures.degradation(curves, NONE, "x", CHOSEN[0], axes()), "and task x of"),
        (lambda made, curves: figures.degradation_figure(curves.iloc[:0], NONE, CHOSEN[0]), "no rows to draw"),
        (
            lambda made, curves: figures.degradation_figure(curves.assign(variant="W*D*C"), PENALTY, CHOSEN[0]),
            r"no rows of W\*D\*C\*, W!D",
        ),
        (lambda made, curves: pareto.pareto(verdict.fronts(made), NONE, "x", axes(), "money"), "no cost 'money'"),
        (lambda made, curves: figures.claims_figure(pd.DataFrame({"claim": []})), "takes a column 'context'"),
        (lambda made, curves: verdict.curve_table(made, ["x"]), "no disturbance 'x'; there are input noise"),
        (lambda made, curves: verdict.measure_table(made, ["x"]), "no network here has the measure 'x'"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said_in_one_line(made, curves, draw, said):
    with pytest.raises(InputError, match=said) as caught:
        draw(made, curves)
    assert "\n" not in str(caught.value)
