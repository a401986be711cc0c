"""Alternative texts and tables of figures: they say what is drawn, change with it, and stay short and harmless."""

import base64
import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

from biornn_lite.figures.alternative_text import LONGEST, alternative_text
from biornn_lite.figures.audit_parts import label_rows
from biornn_lite.figures.drawn import number_in, rounded, say
from biornn_lite.figures.field import by_distance, degrees, field_3d, field_figure, raster
from biornn_lite.figures.matrices import matrix
from biornn_lite.figures.panels import Picture, figure_panel
from biornn_lite.figures.showing import figure_html, show_alternative_texts
from biornn_lite.figures.study import accuracy_figure
from biornn_lite.figures.style import as_text
from biornn_lite.figures.tables import FEW_ROWS, MOST_ROWS, numbers, numbers_html
from biornn_lite.figures.topology import communities_figure, graph_figure
from biornn_lite.figures.wiring import forest, relative_distances
from biornn_lite.replication import load_replication
from biornn_lite.wiring import known_wiring, pool_effects

SCRIPT = "\"><script>alert('x')</script>"


def axes(**labels):
    ax = plt.figure().add_subplot()
    ax.set(**{"xlabel": "epoch", "ylabel": "test accuracy"} | labels)
    return ax


class Tags(HTMLParser):
    """All tags of some HTML, with their attributes, and its texts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


# What a text says


def test_a_line_chart_says_its_axes_and_how_its_lines_go():
    ax = axes(title="Go/NoGo", ylim=(0.4, 1))
    ax.plot(range(1, 11), np.linspace(0.5, 0.99, 10), label="functional")
    ax.plot(range(1, 11), np.linspace(0.9, 0.6, 10), label="relabelled")
    ax.plot(range(1, 11), [0.5] * 10, label="orthogonal")
    ax.plot(range(1, 11), [0.5] * 4 + [0.9] + [0.5] * 5, label="peaked")
    ax.axhline(0.625, label="without memory, 0.625")
    assert alternative_text(ax.figure) == (
        "Line chart: Go/NoGo. x: epoch, 1 to 10. y: test accuracy, 0.4 to 1. functional: rises from 0.5 to 0.99. "
        "relabelled: falls from 0.9 to 0.6. orthogonal: stays near 0.5. peaked: from 0.5 up to 0.9 at x = 5, ends at "
        "0.5. Across: without memory, 0.625."
    )


def test_a_line_that_marks_a_number_is_said_also_where_it_is_shorter_than_the_chart():
    figure, both = plt.subplots(1, 2)
    for ax, cost in zip(both, (-16.5, 0.961), strict=True):
        ax.hist(np.linspace(-2, 2, 50), 10, label="W!, 100 relabellings of a long name")
        ax.axvline(cost, ymax=0.7, color="C1", label=f"W*, {cost:+.1f} %")
        ax.axvline(0, ymax=0.2, label="a mark")
        ax.set(xlabel="wiring cost, % above the mean of all relabellings", ylabel="relabellings", title="true " * 20)
    text = alternative_text(figure)
    assert "Across: W*, -16.5 %." in text and "Across: W*, +1.0 % at x = 0.961." in text and "mark" not in text


def test_lines_that_are_not_described_are_named_with_their_last_values():
    figure, both = plt.subplots(1, 2)
    for ax in both:
        ax.set(xlabel="steps after the stimulus", ylabel="angle between two stimuli (degrees)")
        for name, end in {"diagonal kept": 5, "diagonal removed": 0.1, "diagonal only": 65, "orthogonal": 47}.items():
            ax.plot([0, 1, 2], [70, (70 + end) / 2, end], label=f"W*, {name}")
    text = alternative_text(figure)
    assert text.count("kept: falls from 70 to 5; W*, diagonal removed: falls from 70 to 0.1; W*, diagonal only") == 2
    assert text.endswith("W*, diagonal only ends at 65; W*, orthogonal 47.")
    for line in (line for ax in both for line in ax.lines):
        line.set_label(f"functional weights whose diagonal is {line.get_label()}")
    text = alternative_text(figure)  # what all names have in common is left out
    assert len(text) <= LONGEST and text.count("… diagonal kept: falls from 70 to 5; … diagonal removed") == 2
    for line in (line for ax in both for line in ax.lines):
        line.set_label(line.get_label().replace(" ", "_") * 3)
    text = alternative_text(figure)
    assert len(text) <= LONGEST and "ends at" not in text and text.count("more series, y ") == 2


def test_bars_say_which_is_highest():
    ax = axes(xlabel="", ylabel="neurons")
    ax.bar(["WD", "W*", "C"], [3, 9, 1])
    text = alternative_text(ax.figure)
    assert text.startswith("Bar chart. x: WD, W*, C. y: neurons, 0 to 9.") and "WD: 3; W*: 9; C: 1" in text
    ax = axes(xlabel="neurons", ylabel="")
    ax.barh(list("abcdefgh"), [3, 9, 1, 2, 2, 2, 2, 2])
    assert "8 bars; highest 9 (b); lowest 1 (c)." in alternative_text(ax.figure)


@pytest.mark.parametrize("how", ["bar", "step"])
def test_histograms_count_what_is_in_them(how):
    values = np.concatenate([np.full(30, 0.55), np.linspace(0, 1, 20)])
    ax = axes()
    ax.hist(values, bins=np.linspace(0, 1, 11), histtype=how, label="weights")
    counts, _ = np.histogram(values, np.linspace(0, 1, 11))
    assert f"weights: 50 in 10 bins, most ({counts.max()}) at 0.55" in alternative_text(ax.figure)


def test_points_say_how_they_hang_together():
    x = np.random.default_rng(0).normal(size=200)
    ax = axes()
    ax.scatter(x, -x)
    assert "200 points, y" in alternative_text(ax.figure) and "correlation −1" in alternative_text(ax.figure)
    assert alternative_text(ax.figure).startswith("Scatter plot.")


def test_an_image_says_its_values_and_its_colour_bar(column):
    values = np.full((20, 20), 0.01)
    values[np.diag_indices(20)] = 0.5
    text = alternative_text(matrix(values, axes(), "weights", "weight", limit=0.2).figure)
    assert text == (
        "Heat map: weights. x: to neuron, 0 to 19. y: from neuron, 0 to 19. Colour: weight, −0.2 to 0.2. "
        "20 × 20 cells, 0.01 to 0.5, strongest on the diagonal, mean 0.5 on it, 0.01 off it."
    )
    graph = np.zeros((10, 10), bool)
    graph[0, :5] = True
    ax = axes()
    ax.imshow(graph)
    assert "10 × 10 cells, 5 % filled" in alternative_text(ax.figure)


def test_errorbars_a_logarithm_and_a_name_from_the_legend():
    ax = axes(yscale="log")
    ax.errorbar([1, 2, 3], [1, 10, 100], yerr=0.1, label="mean of five")
    ax.plot([1, 2, 3], [5, 5, 5], color="C3", label="_hidden")
    ax.legend(handles=[plt.Line2D([], [], color="C3", label="level")])
    text = alternative_text(ax.figure)
    for part in ("log scale", "mean of five: rises from 1 to 100", "level: stays near 5", "3 intervals"):
        assert part in text


def test_intervals_and_levels_are_told_apart():
    """Also where an interval has no length, as that of a share of 1."""
    ax = axes(xlabel="share", ylabel="")
    for place, (low, value, high) in enumerate([(0.2, 0.4, 0.6), (1, 1, 1), (0, 0.1, 0.2)]):
        ax.plot([low, high], [place, place])
        ax.plot([value], [place], "o", color="C0", label="own")
    ax.set_yticks(range(3), ["W", "WD", "WDC"])
    text = alternative_text(ax.figure)
    assert text.startswith("Dot plot.") and "W: 0.4; WD: 1; WDC: 0.1" in text and "3 intervals" in text
    ax = axes(xlabel="", ylabel="share")
    for place, median in enumerate([0.5, 0.7]):
        ax.plot(place + np.linspace(-0.2, 0.2, 9), median + np.linspace(-0.1, 0.3, 9), "o")
        ax.plot([place - 0.3, place + 0.3], [median, median])
    ax.set_xticks(range(2), ["W", "WD"])
    assert "W: 0.5; WD: 0.7" in alternative_text(ax.figure)


def test_each_line_with_a_place_of_its_own_counts_from_there():
    ax = axes(xlabel="step", ylabel="input")
    for values in ([1, 1, 1], [-1.5, -0.5, -1.5]):
        ax.plot([1, 2, 3], values)
    ax.set_yticks([0, -1.5], ["fixation", "Go"])
    assert "fixation: stays near 1. Go: from 0 up to 1 at x = 2, ends at 0." in alternative_text(ax.figure)
    assert numbers(ax.figure)["y"].tolist() == [1, 1, 1, 0, 1, 0]


def test_lines_of_one_name_are_described_together():
    ax = axes()
    for run in range(20):
        ax.plot([0, 5, 10], [0.5, 0.7, 0.8 + run / 100], label="W, 20 runs")
    assert "W, 20 runs: 20 lines, from 0.5 at the left, to 0.8 to 0.99 at the right." in alternative_text(ax.figure)


def test_ticks_that_say_other_numbers_than_their_places_are_believed():
    ax = axes()
    ax.plot([0, 1, 2], [1, 2, 9], label="a")
    ax.set_xticks([0, 1, 2], ["1", "10", "100"])
    assert "x: epoch, 1 to 100." in alternative_text(ax.figure)
    assert numbers(ax.figure)["x"].tolist() == [1, 10, 100]


def test_many_charts_share_what_they_share():
    figure, all_axes = plt.subplots(1, 3)
    for number, ax in enumerate(all_axes):
        ax.plot([0, 10], [0, 1 + number], label="a")
        ax.set(xlabel="epoch", ylabel="loss (nats)", title=f"task {number}")
    figure.suptitle("field 6_6_2")
    assert alternative_text(figure) == (
        "3 line charts. field 6_6_2. Each x: epoch, 0 to 10. Each y: loss (nats), 0 to 3. "
        "1: task 0; a: rises from 0 to 1. 2: task 1; a: rises from 0 to 2. 3: task 2; a: rises from 0 to 3."
    )
    figure, all_axes = plt.subplots(3, 4)
    for number, ax in enumerate(all_axes.flat):
        for end in range(9):
            ax.plot([0, 1], [0, number + end], label=f"line {end}")
        ax.set_title(f"chart {number}")
    text = alternative_text(figure)
    assert len(text) <= LONGEST and "12 line charts" in text and "12: chart 11, 0 to 19" in text


def test_figures_of_the_course_say_what_they_show(column):
    assert "events in 96 rows" in alternative_text(raster(column, axes()).figure)
    assert "partners out, mean" in alternative_text(degrees(column, axes()).figure)
    ax = field_3d(column, plt.figure().add_subplot(projection="3d"))
    text = alternative_text(ax.figure)
    assert "96 points, 39 lines, median length 1" in text and "z: z (µm)" in text and "Colour: depth y (µm)" in text
    ax = field_3d(column, plt.figure().add_subplot(projection="3d"), wiring=False)
    assert alternative_text(ax.figure).endswith("96 points.")
    networks = load_replication("6_6_2").networks
    text = alternative_text(accuracy_figure(networks, "6_6_2"))
    assert text.startswith("3 dot plots. 6_6_2, protocol published") and "11 values; highest 1 (W" in text


def test_a_picture_in_space_says_its_numbers_and_from_where_it_is_seen(column):
    figure = field_figure(column, "synapses out", elevation=-65)
    assert "seen from 65° below" in alternative_text(figure)
    table = numbers(figure)
    np.testing.assert_allclose(table[["x", "y", "z"]].astype(float), column.positions)
    np.testing.assert_array_equal(table["colour"], (column.connectome > 0).sum(axis=1))
    found = Tags(numbers_html(figure))
    assert found.texts.count("no value") == 0 and "colour: neurons it synapses onto" in found.texts


def test_names_of_fields_are_names_not_numbers():
    assert number_in("6_7_2") is None
    text = alternative_text(forest(known_wiring(), "fall", axes(), line=500).figure)
    for part in ("46 fields by depth", "From 6_7_2 −1.93 [−2.38, −1.48] to 5_3_8", "Mean −1.51 [−1.60, −1.42]"):
        assert part in text
    assert "depth below 500: 14 fields −2.20 to −1.24; others: 32 fields −1.98 to −0.94" in text
    assert "One more field: −2.05 to −0.97" in text


def test_a_forest_has_a_row_with_an_interval_for_every_field_and_for_what_they_tell_together():
    known = known_wiring().sort_values("depth")
    figure = forest(known, "fall", axes()).figure
    table = numbers(figure)
    assert table["y"].tolist() == [*known.index, "mean", "one more field"]
    fields = table.iloc[:46]
    np.testing.assert_allclose(fields["from"], known["fall"] - 1.96 * known["fall_error"])
    np.testing.assert_allclose(fields["to"], known["fall"] + 1.96 * known["fall_error"])
    pooled = pool_effects(known["fall"], known["fall_error"])
    assert table[["from", "to"]].iloc[46:].to_numpy().tolist() == [[*pooled.interval], [*pooled.prediction]]
    assert "left out" not in numbers_html(figure)


def test_names_of_all_places_are_known_where_only_some_have_a_tick():
    ax = axes()
    ax.bar([f"field {k}" for k in range(9)], [5, 4, 3, 2, 1, 6, 7, 8, 9])
    ax.set_xticks([0, 4, 8], ["field 0", "field 4", "field 8"])
    assert "9 bars; highest 9 (field 8); lowest 1 (field 4)" in alternative_text(ax.figure)
    assert numbers(ax.figure)["x"].tolist() == [f"field {k}" for k in range(9)]


def test_intervals_belong_to_their_series():
    """Also bands, and also where those of two series overlap."""
    x = np.array([1.0, 2, 3])
    ax = axes()
    for y, reach, colour in ((x, 0.5, "C0"), (x + 0.2, 0.9, "C1")):
        ax.plot(x, y, color=colour, label=colour)
        ax.fill_between(x, y - reach, y + reach, color=colour, alpha=0.2, linewidth=0)
    ax.errorbar(x, x + 5, yerr=0.25, color="C2", label="C2")
    ax.plot(x, x + 7, color="C3", label="C3")
    ax.vlines(x, x + 6, x + 9, color="C3")
    table = numbers(ax.figure).set_index("series")
    for name, low, high in (("C0", 0.5, 0.5), ("C1", 0.9, 0.9), ("C2", 0.25, 0.25), ("C3", 1, 2)):
        mine = table.loc[name].astype(float)
        np.testing.assert_allclose(mine["from"], mine["y"] - low)
        np.testing.assert_allclose(mine["to"], mine["y"] + high)
    assert "interval from" in Tags(numbers_html(ax.figure)).texts


def test_a_shaded_range_is_said_and_stands_in_the_table():
    ax = axes(ylim=(0, 1))
    ax.plot([0, 10], [0.16, 0.44], label="W")
    ax.axhspan(0.15, 0.18, color="0.8", label="random graphs")
    ax.axhspan(0.5, 0.6, color="0.9")
    assert "W: rises from 0.16 to 0.44. Band: random graphs, y 0.15 to 0.18." in alternative_text(ax.figure)
    assert numbers(ax.figure)[["series", "x", "from", "to"]].to_numpy().tolist()[-1] == [
        "random graphs", "all", 0.15, 0.18,
    ]  # fmt: skip
    ax = axes()
    ax.fill_between([0, 1], [1, 2], [3, 4], label="chance")
    assert "chance: band, 1 to 3 at the left, 2 to 4 at the right" in alternative_text(ax.figure)


def test_what_a_chart_or_a_figure_says_itself_takes_the_place_of_what_is_read():
    figure, both = plt.subplots(1, 2)
    both[0].plot([0, 1], [0, 1])
    say(both[1], "two circles")
    text = alternative_text(figure)
    assert text == "2 charts. 1: Line chart; x: 0 to 1; y: 0 to 1; rises from 0 to 1. 2: two circles."
    say(figure, "word " * 200)
    assert len(alternative_text(figure)) <= LONGEST and alternative_text(figure).startswith("word word")


def test_points_side_by_side_along_an_axis_without_ticks_say_their_numbers():
    figure = communities_figure()
    assert re.search(r"at random: 5 points, 0\.1\d+ to 0\.1\d+; this graph: 0\.379", alternative_text(figure))
    table = numbers_html(figure).split("Chart 3")[1]
    assert "<td>this graph</td><td>0.379</td></tr>" in table and "y</th>" not in table  # y means nothing
    text = alternative_text(graph_figure())
    for part in ("modularity Q 0.379 (at random 0.1", "small-worldness, own density 2.57 (at random 1.0"):
        assert part in text


def test_charts_with_two_series_describe_both(column):
    figure, both = plt.subplots(1, 2, layout="constrained")
    orders = ("as released", "in the neurons' order")
    fields = [replace(column, name=f"synthetic_column, {order}") for order in orders]
    by_distance(fields, both[0], "synapses")
    relative_distances(known_wiring(), both[1])
    text = alternative_text(figure)
    assert "… as released" in text and "… in the neurons'" in text and text.count("46 in 25 bins, most (2") == 2
    table = numbers(figure)
    places = [rows["x"].tolist() for _, rows in table[table["chart"] == 1].groupby("series")]
    assert places[0] == places[1] == [*range(50, 800, 100)]  # not as drawn, one beside the other


def test_a_text_changes_with_the_data():
    def drawn(top):
        ax = axes(ylim=(0, 10))
        ax.plot([0, 1, 2], [0, 1, top])
        return alternative_text(ax.figure)

    assert len({drawn(top) for top in (2, 3, 9)}) == 3


# Hostile figures


def test_an_empty_figure_and_empty_axes_have_a_text():
    assert alternative_text(plt.figure()) == "An empty figure."
    assert alternative_text(axes().figure) == "Empty chart."
    assert numbers(plt.figure()).empty and numbers_html(plt.figure()) == ""


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_none_are_left_out(value):
    ax = axes()
    ax.plot([0, 1, 2], [value] * 3, label="gone")
    ax.plot([0, 1, 2], [1, value, 3], label="half")
    ax.scatter([value, 1], [1, 1])
    text = alternative_text(ax.figure)
    assert "half: rises from 1 to 3" in text and "gone" not in text and "nan" not in text.lower()
    ax = axes()
    ax.imshow(np.full((3, 3), np.nan))
    assert "3 × 3 cells without values" in alternative_text(ax.figure)


def test_long_names_are_shortened():
    ax = axes(xlabel="x" * 5000, title="word " * 2000)
    for name in "abcdefgh":
        ax.plot([0, 1], [0, 1], label=name * 900)
    figure = ax.figure
    figure.suptitle("t" * 9000)
    assert len(alternative_text(figure)) <= LONGEST and "…" in alternative_text(figure)
    assert len(numbers_html(figure)) < 100_000


def test_html_in_a_name_is_text():
    ax = axes(title=SCRIPT, xlabel=SCRIPT)
    ax.plot([0, 1], [0, 1], label=SCRIPT)
    found = Tags(figure_html(ax.figure))
    assert {tag for tag, _ in found.tags} <= {*"div img details summary table caption tr th td p".split()}
    (image,) = [attributes for tag, attributes in found.tags if tag == "img"]
    assert set(image) == {"alt", "src"} and SCRIPT in image["alt"] and SCRIPT in found.texts


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.text(max_size=50), st.lists(st.floats(width=32), max_size=5)), max_size=5),
    st.sampled_from(["plot", "bar", "scatter", "step", "barh"]),
    st.text(st.characters(exclude_characters="$\\"), max_size=200),
)
def test_any_chart_has_a_text_of_the_right_length(series, how, title):
    ax = plt.figure().add_subplot()
    for name, values in series:
        values = [min(max(value, -1e30), 1e30) for value in values]
        getattr(ax, how)(range(len(values)), values, label=name)
    ax.set_title(title)
    text = alternative_text(ax.figure)
    assert 0 < len(text) <= LONGEST and "\n" not in text
    assert numbers_html(ax.figure).count("<tr>") <= 2 * MOST_ROWS
    plt.close("all")


@settings(deadline=None)
@given(st.floats(-1e300, 1e300))
def test_numbers_are_read_as_they_are_written(value):
    written = rounded(value)
    assert number_in(written) == pytest.approx(value, rel=0.006)
    assert "-" not in written


# Tables


def test_the_table_holds_the_numbers():
    ax = axes()
    ax.plot([1, 2, 3], [0.5, 0.75, 1], label="a")
    ax.bar(["p", "q"], [7, 8], label="b")
    table = numbers(ax.figure)
    assert table.loc[table["series"] == "a", "y"].tolist() == [0.5, 0.75, 1]
    assert table.loc[table["series"] == "b", ["x", "y"]].to_numpy().tolist() == [["p", 7], ["q", 8]]
    found = Tags(numbers_html(ax.figure))
    assert found.tags[:2] == [("details", {}), ("summary", {})] and found.texts[0] == "Numbers"
    assert [a for tag, a in found.tags if tag == "th"] == [{"scope": "col"}] * 3
    assert "x: epoch" in found.texts and "0.75" in found.texts


def test_a_long_table_is_thinned_and_says_so():
    ax = axes()
    ax.plot(range(1000), range(1000), label="long")
    ax.plot([0, 1], [5, 6], label="short")
    text = numbers_html(ax.figure)
    assert text.count("<tr>") == FEW_ROWS + 1 and "962 of 1,002 numbers are left out" in text
    assert "<td>short</td><td>0</td><td>5</td>" in text and "<td>long</td><td>999</td><td>999</td>" in text


def test_bins_with_something_in_them_are_never_left_out():
    ax = axes()
    ax.plot(range(1000), range(1000), label="long")
    ax.hist([0.5, 3.5, 3.5, 77.5], np.arange(101), label="bins")
    text = numbers_html(ax.figure)
    for row in ("0.5</td><td>1", "3.5</td><td>2", "77.5</td><td>1"):
        assert f"<td>bins</td><td>{row}</td>" in text
    assert text.count("<td>bins</td>") == 3 and text.count("<td>long</td>") == FEW_ROWS


def test_small_images_are_whole_in_the_table_and_large_ones_tell_their_diagonal():
    ax = axes()
    ax.imshow([[1.0, 2.0], [3.0, 4.0]])
    ax.set_xticks([0, 1], ["W", "WD"])
    assert numbers(ax.figure)[["x", "y", "colour"]].to_numpy().tolist() == [
        ["W", 0, 1], ["WD", 0, 2], ["W", 1, 3], ["WD", 1, 4],
    ]  # fmt: skip
    values = np.eye(30) + 0.25
    ax = axes()
    ax.imshow(values)
    table = numbers(ax.figure).set_index("x")["y"]
    assert table["mean on the diagonal"] == 1.25 and table["mean off it"] == 0.25


def test_of_many_series_each_keeps_its_ends():
    figure, both = plt.subplots(2, 4, sharey=True)
    for ax in both.flat:
        for run in range(7):
            ax.plot(range(9), np.arange(9) + run, label=f"run {run}")
    for row, name in zip(both, ("noise", "damage"), strict=True):
        row[0].set_ylabel(name)
    text = numbers_html(figure)
    for run in range(7):
        assert text.count(f"<td>run {run}</td><td>8</td><td>{8 + run}</td>") == 8
    assert text.count("y: noise") == text.count("y: damage") == 4 and text.count("<tr><td>") <= MOST_ROWS


def test_the_second_line_of_a_label_belongs_to_the_name():
    ax = axes()
    ax.plot([3, 5], [0, 1], "o")
    label_rows(ax, ["W* − I", "W* − I"], ["λ = 0", "λ = 1"])
    assert numbers(ax.figure)["y"].tolist() == ["W* − I, λ = 0", "W* − I, λ = 1"]


# Showing


def test_a_panel_has_its_text_and_a_new_one_when_it_redraws():
    def draw(number):
        ax = axes()
        ax.plot([0, 1], [0, number], label=f"<{number}>")
        return ax.figure

    number = ipw.IntSlider(1)
    (picture,) = [part for part in figure_panel(draw, {"number": number}).children if isinstance(part, Picture)]

    def attributes():
        ((tag, found),) = Tags(picture.value).tags
        assert tag == "img" and base64.b64decode(found["src"].partition("base64,")[2]).startswith(b"\x89PNG")
        return found

    assert attributes()["alt"].startswith("Panel: Line chart.") and "<1>: rises from 0 to 1" in attributes()["alt"]
    number.value = 2
    assert "<2>: rises from 0 to 2" in attributes()["alt"] and int(attributes()["width"]) > 100


def test_without_a_kernel_nothing_is_shown_otherwise():
    assert not show_alternative_texts()


def test_a_kernel_shows_a_figure_as_html(monkeypatch):
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    shown = []
    monkeypatch.setattr("biornn_lite.figures.showing.display", lambda data, raw: shown.append((data, raw)))
    assert show_alternative_texts()
    ax = axes()
    ax.plot([0, 1], [0, 1])
    assert shell.display_formatter.format(ax.figure) == ({}, {})  # nothing beside what was shown
    ((data, raw),) = shown
    alt = html.unescape(re.search(r'alt="([^"]*)"', data["text/html"])[1])
    assert raw and alt == data["text/plain"] == alternative_text(ax.figure)
    assert "<details>" in data["text/html"]
    assert shell.display_formatter.format(plt.figure())[0]["text/plain"].startswith("<Figure size")


def test_symbols_are_read_without_marks():
    figure, ax = plt.subplots()
    ax.plot([0, 1], [0, 2], label="$P_A$")
    ax.set(xlabel="step t", ylabel="state $h_t$", title=as_text("cost in $ and $"))
    ax.legend()
    text = alternative_text(figure)
    assert "y: state h t, 0 to 2" in text and "cost in $ and $" in text and "_" not in text
    plt.close(figure)
