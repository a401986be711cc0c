"""Panels, figures and exercises about fields: panels as their code allows, answers right and wrong."""

import re
import warnings
from dataclasses import replace

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import spearmanr
from test_figures_panels import check_said, check_that_every_control_redraws, parts_of

from biornn_lite import activity, exercises
from biornn_lite.errors import InputError
from biornn_lite.field_statistics import pairs
from biornn_lite.figures.field import (
    SHIFTS,
    by_distance,
    degrees,
    field_figure,
    field_map,
    field_panel,
    inference_figure,
    inference_panel,
    pair_panel,
    sttc_by_tile,
    tiles,
    window_of_both,
)
from biornn_lite.figures.panels import OLD_FIGURE, figure_panel
from biornn_lite.figures.tiles import EVENTS, SECONDS, frames_in_reach, tile_counts
from biornn_lite.seeds import generator
from biornn_lite.synthetic import synthetic_field


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    plt.close("all")
    yield
    assert not plt.get_fignums(), "a panel that leaves figures open fills the memory"
    plt.close("all")


@pytest.mark.parametrize(
    ("panel", "changes"),
    [
        (field_panel, {"colour": "rate", "turn (degrees)": 30, "tilt (degrees)": 60}),
        (pair_panel, {"neuron": 5, "and": 7, "Δt (s)": 0.3, "from (s)": 400}),
        (inference_panel, {"noise (SD; an event adds 1)": 0.4, "threshold (SD of the noise)": 3.0}),
    ],
)
def test_every_control_of_a_panel_redraws_it(column, panel, changes):
    check_that_every_control_redraws(panel(column), changes)


def test_a_panel_shows_an_error_and_goes_on():
    def draw(size):
        if size > 3:
            raise InputError("too large")
        return plt.figure(figsize=(size, size))

    slider = ipw.IntSlider(2, 1, 5)
    parts = parts_of(figure_panel(draw, {"size": slider}))
    before = parts["Picture"].value
    slider.value = 5
    assert parts["HTML"].value == f"⚠ too large {OLD_FIGURE}" and parts["Picture"].value == before
    slider.value = 3
    assert parts["HTML"].value == "" and parts["Picture"].value != before


def test_a_field_without_events_has_no_rates_to_colour_by(column):
    silent = replace(column, spike_times=None)
    assert "rate" not in parts_of(field_panel(silent))["colour"].options
    with pytest.raises(InputError, match="comes without event times"):
        field_figure(silent, "rate")
    plt.close("all")


def test_a_field_without_its_wiring_shows_nothing_of_it(column):
    parts = parts_of(field_panel(column, wiring=False))
    assert list(parts["colour"].options) == ["depth", "rate"]
    drawn = [
        field_figure(column, wiring=False),
        field_map(column, plt.figure().add_subplot(), wiring=False).figure,
    ]
    for figure, colours in zip(drawn, (1, 0), strict=True):
        ax = figure.axes[0]
        assert not ax.lines and len(ax.collections) == 1 and "connected" not in ax.get_title()
        assert len(figure.axes) == 1 + colours
    assert "39 connected pairs" in field_map(column, plt.figure().add_subplot()).get_title()
    assert len(field_figure(column).axes[0].lines) == 39
    plt.close("all")


@pytest.mark.parametrize(("turn", "tilt", "hidden"), [(0, 20, "x"), (90, 20, "y"), (-60, 20, ""), (-60, 85, "z")])
def test_an_axis_seen_end_on_has_no_numbers(column, turn, tilt, hidden):
    ax = field_figure(column, azimuth=turn, elevation=tilt, wiring=False).axes[0]
    shown = {name: getattr(ax, f"{name}axis").label.get_visible() for name in "xyz"}
    assert [name for name, is_shown in shown.items() if not is_shown] == list(hidden)
    plt.close("all")


def test_small_short_and_flat_fields_are_drawn():
    field = synthetic_field(5, 0)
    trains = [train[train < 15] for train in field.spike_times]
    flat = replace(field, spike_times=trains, positions=field.positions * (1, 0, 1))
    for panel in (field_panel, pair_panel, inference_panel):
        parts = parts_of(panel(flat))
        assert parts["Picture"].value.startswith('<img alt="Panel: ') and not parts["HTML"].value
    with pytest.raises(InputError, match="2 fields to draw; expected one to five, each with a name of its own"):
        by_distance([flat, flat], plt.figure().add_subplot())
    plt.close("all")


def test_events_between_frames_are_found_on_the_frame_that_shows_them():
    rng = np.random.default_rng(0)
    trains = [np.sort(rng.random(300) * 1200) for _ in range(12)]
    field = replace(synthetic_field(12, 0), spike_times=trains)
    figure = inference_figure(field, noise=0.05)
    found = int(re.search(r"(\d+)% of the events found", figure.axes[0].get_title())[1])
    assert found > 85  # some share a frame with another
    plt.close("all")


def test_tiles_tell_which_events_are_near():
    field = synthetic_field(4, 0)
    trains = [np.array([1.0, 5.0, 9.0]), np.array([1.05, 6.0]), np.array([2.0]), np.array([3.0])]
    ax = tiles(replace(field, spike_times=trains), (0, 1), 0.1, plt.figure().add_subplot())
    thick = [lines for lines in ax.collections if getattr(lines, "get_linewidth", lambda: [0])()[0] == 2.4]
    assert [len(lines.get_segments()) for lines in thick] == [1, 1]
    value = activity.spike_time_tiling_coefficient(trains, 0.1)[0, 1]
    assert f"STTC {value:.3f}" in ax.get_title()
    plt.close("all")


def test_the_panel_of_a_pair_opens_where_both_have_events():
    trains = [np.array([1.0, 2, 3, 47, 90]), np.array([45.0, 70]), np.array([9.0]), np.array([100.0])]
    field = replace(synthetic_field(4, 0), spike_times=trains)
    assert window_of_both(field, 0, 1) == 40 and window_of_both(field, 1, 2) == 0, "the latter never meet"
    assert parts_of(pair_panel(field, 0, 1))["from (s)"].value == 40


def test_the_drawing_of_tiles_counts_as_the_coefficient_does():
    """Its title tells the same shares as a fine grid of times."""
    title = tile_counts(plt.figure().add_subplot()).get_title()
    inside, events, covered, length = map(float, re.findall(r"\d+(?:\.\d+)?", title))
    a, b = (np.array(EVENTS[name]) for name in "AB")
    near = np.abs(a[:, None] - b) <= 0.1
    assert (inside, events, length) == (near.any(axis=1).sum(), len(a), SECONDS)
    grid = np.linspace(0, SECONDS, 30_001)
    assert covered == pytest.approx(SECONDS * (np.abs(grid[:, None] - b) <= 0.1).any(axis=1).mean(), abs=0.05)
    wide = tile_counts(plt.figure().add_subplot(), 0.2).get_title()  # two tiles overlap
    assert f"cover {SECONDS * (np.abs(grid[:, None] - b) <= 0.2).any(axis=1).mean():.1f} of" in wide
    plt.close("all")


def test_a_tile_reaches_the_frames_whose_middle_it_covers():
    ax = frames_in_reach(plt.figure().add_subplot(), 0.1587, (0.1, 0.16, 0.32))
    told = [text.get_text() for text in ax.texts]
    assert [re.search(r"reaches (\d+) frame", text)[1] for text in told] == ["1", "3", "5"]
    assert "tile of 0.20 s" in told[0] and told[0].endswith("0.16 s") and told[1].endswith("0.48 s")
    plt.close("all")


def test_degrees_count_partners(small):
    ax = degrees(small, plt.figure().add_subplot())
    heights = [bar.get_height() for bars in ax.containers for bar in bars]
    connected = small.connectome > 0
    assert heights[0] == (connected.sum(axis=1) == 0).sum() and sum(heights) == 2 * 24
    plt.close("all")


def test_why_distance_explains_a_fifth_of_the_correlations(column):
    """What notebook 02 says below its figure."""
    table = pairs(column)
    distance, correlation = table["distance"], table["correlation"]
    assert (distance < 100).mean() == pytest.approx(0.07, abs=0.005)
    assert (distance > 500).mean() == pytest.approx(0.19, abs=0.005)
    slope, _ = np.polyfit(distance, correlation, 1)
    told = distance.std(), -slope * distance.std(), correlation.std()
    assert told == pytest.approx((184, 0.011, 0.024), rel=0.02)
    assert (told[1] / told[2]) ** 2 == pytest.approx(0.21, abs=0.005)


# Exercises: (check, right answers, [(wrong answer, what is said of it)])


def correlate(x, y):
    return np.corrcoef(x, y)[0, 1]


def lagged(x, y, lag):
    return correlate(x[: len(x) - lag], y[lag:])


def cosine(a, b):
    return (a @ b) / np.sqrt((a @ a) * (b @ b))


def control(field, trains=None):
    """A field whose neurons know nothing of each other, or one with the trains given."""
    trains = activity.shifted(field.spike_times, np.random.default_rng(2)) if trains is None else trains
    return activity.field_from_events("mine", field.positions, field.connectome, trains)


@pytest.fixture(scope="module")
def field():
    """One that has a pair with more than one synapse, so that synapses and partners differ."""
    made = synthetic_field(24, 3)
    connectome = np.zeros((24, 24))
    connectome[[0, 0, 5, 7, 20], [1, 2, 1, 3, 22]] = [2, 1, 1, 1, 1]
    return replace(made, connectome=connectome)


CASES = {
    "density": (
        lambda answer, field: exercises.check_density(answer, field, 12),
        [4 / (12 * 11)],
        [
            (4 / 12**2, "divided by N²"),
            (8 / (12 * 11), "two ordered pairs"),
            (5 / (12 * 11), "added synapses"),
            (400 / (12 * 11), "in per cent"),
            (33, "one pair in so many"),
            (4, "how many pairs are connected"),
            (5 / (24 * 23), "share of the whole field"),
            (0.5, "too high"),
            (0.0001, "too low"),
            ("few", "not a number"),
        ],
    ),
    "lagged": (
        exercises.check_lagged_correlation,
        [lagged, lambda x, y, lag: correlate(*(each[np.isfinite(each)] for each in (x[: len(x) - lag], y[lag:])))],
        [
            (lambda x, y, lag: lagged(y, x, lag), "There x is the later one"),
            (lambda x, y, lag: correlate(x, y), "without a lag"),
            (lambda x, y, lag: correlate(x, np.roll(y, -lag)), "leave out what has no partner"),
            (lambda x, y, lag: correlate(x, np.roll(y, lag)), "goes the other way round"),
            (lambda x, y, lag: cosine((x - x.mean())[:-lag], (y - y.mean())[lag:]), "not of the whole arrays"),
            (
                lambda x, y, lag: np.mean((x - x.mean())[:-lag] * (y - y.mean())[lag:]) / (x.std() * y.std()),
                "not of the whole arrays",
            ),
            (
                lambda x, y, lag: (x - x.mean())[:-lag] @ (y - y.mean())[lag:] / (len(x) * x.std() * y.std()),
                "not of the whole arrays",
            ),
            (lambda x, y, lag: np.cov(x[:-lag], y[lag:])[0, 1], "the covariance"),
            (lambda x, y, lag: (x[:-lag] * y[lag:]).mean(), "Subtract each mean"),
            (lambda x, y, lag: -lagged(x, y, lag), "sign is wrong"),
            (lambda x, y, lag: correlate(x[:-lag], y[lag:]) if lag else np.nan, "x[:-0] is empty"),
            (lambda x, y, lag: correlate(x[:-lag], y[lag:]), "but with 0 it fails: x[:-0] is empty"),
            (lambda x, y, lag: correlate(x[:-lag], y[lag:] if lag else y[:0]), "gives nan; expected"),  # warns
            (lambda x, y, lag: lagged(x, y, min(lag, 3)), "Right with a lag of 3, but with"),
            (lambda x, y, lag: spearmanr(x[:-lag], y[lag:]).statistic, "expected"),
            (lambda x, y, lag: 0.7, "gives 0.700000"),
            (lambda x, y, lag: None, "Is there a return?"),
            (lambda x, y, lag: np.corrcoef(x, y), "expected one number"),
            (lambda x, y: 0.7, "raises TypeError"),
            (3, "expected a function of x, y and lag"),
        ],
    ),
    "in_degree": (
        exercises.check_in_degree,
        [[0, 2, 1, 1] + [0] * 18 + [1, 0]],
        [
            ([2, 0, 0, 0, 0, 1, 0, 1] + [0] * 12 + [1, 0, 0, 0], "partners *out*"),
            ([0, 3, 1, 1] + [0] * 18 + [1, 0], "Those are synapses"),
            ([1, 2], r"shape is (2,)"),
            ([9] * 24, "wrong numbers"),
            ("abc", "not an array"),
        ],
    ),
    "positions": (
        lambda answer, _: exercises.check_positions(answer, np.arange(12).reshape(4, 3)),
        [np.arange(12).reshape(4, 3) * (0.008, 0.008, 0.03)],
        [
            (np.arange(12).reshape(4, 3) * (8, 8, 30), "nanometres"),
            (np.arange(12).reshape(4, 3) * (0.004, 0.004, 0.04), "MICrONS voxel"),
            (np.arange(12).reshape(4, 3) * (0.03, 0.008, 0.008), "that of z"),
            (np.arange(12).reshape(4, 3) * 0.008, "no cube"),
            (np.zeros((3, 4)), "Rows are neurons"),
            (np.zeros((4, 3)), "wrong scale"),
            (object(), "not an array"),
        ],
    ),
    "neurons": (
        lambda answer, _: exercises.check_neurons_needed(answer, 0.003, 0.25, 4.0),
        [293, 292.6],
        [
            (256, "how many connected pairs"),
            (413, "unordered"),
            (280, "round up"),
            (292, "292 neurons have 254.9 connected pairs, and 256 are needed: round up"),
            (50, "too few"),
            (5000, "too many"),
            ({}, "not a number"),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_check_says_what_is_right_and_what_is_wrong(name, field, capsys):
    check, right, wrong = CASES[name]
    assert check(None, field) is False and "not answered yet" in capsys.readouterr().out
    for answer in right:
        assert check(answer, field) is True, capsys.readouterr().out
        assert capsys.readouterr().out.startswith("✓ ")
    for answer, says in wrong:
        assert check(answer, field) is False
        out = capsys.readouterr().out
        assert out.startswith("✗ ") and says in out, (answer, out)


def test_the_check_of_a_lag_says_what_fails_itself(field, capsys):
    """NumPy warns of empty arrays, and its words say nothing of a lag."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not exercises.check_lagged_correlation(lambda x, y, lag: np.corrcoef(x[:-lag], y[lag:])[0, 1], field)
        assert not exercises.check_lagged_correlation(
            lambda x, y, lag: ((x[:-lag] - x[:-lag].mean()) * (y[lag:][: len(x[:-lag])])).mean(), field
        )
    said = capsys.readouterr()
    assert said.out.count("\n") == 2 and said.err == ""


def test_the_check_of_a_distance(capsys):
    voxels = np.array([5000, -2500, -1400])
    gap = voxels * (0.004, 0.004, 0.04)
    assert exercises.check_distance(np.linalg.norm(gap), voxels, np.zeros(3))
    for answer, says in [
        (np.linalg.norm(voxels), "in voxels"),
        (np.linalg.norm(voxels) * 0.004, "40 nm"),
        (np.linalg.norm(gap[:2]), "left out z"),
        (np.linalg.norm(gap) * 1000, "nanometres"),
        (np.linalg.norm(gap) / 1000, "millimetres"),
        (gap, "three numbers, one per axis"),
        ([20, -10, -56], "three numbers, one per axis"),
        (np.abs(gap).sum(), "straight line"),
        ((gap**2).sum(), "squared"),
        (1.0, "is not it"),
        ("far", "not a number"),
    ]:
        capsys.readouterr()
        assert not exercises.check_distance(answer, voxels, np.zeros(3))
        assert says in capsys.readouterr().out


def test_the_check_of_a_tile_without_chance(column, capsys):
    assert exercises.check_chance_free_tile(0.1587 / 2, column) and exercises.check_chance_free_tile(0.238, column)
    assert not exercises.check_chance_free_tile(0.085, column), "near is not at"
    assert not exercises.check_chance_free_tile(0.1, column) and "mean STTC of -0.0" in capsys.readouterr().out
    assert not exercises.check_chance_free_tile(-1, column) and "above 0" in capsys.readouterr().out
    assert not exercises.check_chance_free_tile("x", column)


def sttc_by_hand(a, b, tile, stop, *, twice=False, pairs=False, cut=True, halves=(0.5, 0.5), own=False, reach=2):
    """The STTC on a fine grid of times, and what it becomes by mistakes."""
    times = np.arange(0 if cut else -1, stop if cut else stop + 1, 0.001)

    def tiled(train):
        near = np.abs(times[:, None] - train) <= tile * reach / 2
        return (near.sum() if twice else near.any(axis=1).sum()) * 0.001 / stop

    def share(train, other):
        near = np.abs(train[:, None] - other) <= tile
        return (near.sum() if pairs else near.any(axis=1).sum()) / len(train)

    t_a, t_b = tiled(a), tiled(b)
    if own:
        t_a, t_b = t_b, t_a
    p_a, p_b = share(a, b), share(b, a)
    return halves[0] * (p_a - t_b) / (1 - p_a * t_b) + halves[1] * (p_b - t_a) / (1 - p_b * t_a)


STTC = [
    (
        lambda a, b, tile, stop: activity.spike_time_tiling_coefficient([a, b], tile, stop)[0, 1],
        "✓ Also where tiles overlap",
    ),
    (sttc_by_hand, "✓ Also where tiles overlap"),
    (None, "not answered yet"),
    (0.18, "expected a function of a, b, tile and stop"),
    (
        lambda a, b, tile, stop: activity.spike_time_tiling_coefficient([a, b], tile, stop),
        "expected one number",
    ),
    (lambda a, b, tile, stop: 0.99, "far apart, it gives 0.9900"),
    (lambda *given: sttc_by_hand(*given, own=True), "A's own tiles"),
    (lambda *given: sttc_by_hand(*given, halves=(1, 1)), "forgot the ½"),
    (lambda *given: sttc_by_hand(*given, halves=(-0.5, -0.5)), "sign is wrong"),
    (lambda *given: sttc_by_hand(*given, halves=(1, 0)), "with P_A alone"),
    (lambda *given: sttc_by_hand(*given, halves=(0, 1)), "with P_B alone"),
    (lambda *given: sttc_by_hand(*given, reach=1), "to *both* sides"),
    (lambda *given: sttc_by_hand(*given, twice=True), "Where tiles overlap, the time counts once."),
    (lambda *given: sttc_by_hand(*given, pairs=True), "An event near two of the other's counts once."),
    (lambda *given: sttc_by_hand(*given, twice=True, pairs=True), "once. An event near two"),
    (lambda *given: sttc_by_hand(*given, cut=False), "begin before 0 or end after"),
]


@pytest.mark.parametrize(("answer", "told"), STTC)
def test_the_check_of_an_sttc(capsys, answer, told):
    check_said(capsys, exercises.check_sttc(answer), told)


def test_the_check_of_a_control(column, capsys):
    right, trains = control(column), column.spike_times
    assert not exercises.check_control_field(None, column) and "not answered yet" in capsys.readouterr().out
    assert exercises.check_control_field(right, column) and "✓ The mean correlation is 0.0" in capsys.readouterr().out
    for answer, says in [
        (3, "'int' was given; field_from_events"),
        (synthetic_field(12, 0), "It has 12 neurons"),
        (replace(right, positions=column.positions + 1), "Other positions"),
        (replace(right, connectome=column.connectome.T), "Other connectome"),
        (replace(right, spike_times=None), "no events"),
        (control(column, [train[:-1] for train in trains]), "each neuron keeps its number"),
        (control(column, trains[::-1]), "went to another neuron"),
        (replace(right, correlation=column.correlation), "not those of its events"),
        (control(column, trains), "They still know of each other"),
    ]:
        assert not exercises.check_control_field(answer, column)
        assert says in capsys.readouterr().out


def around(trains, amounts, end):
    return [np.sort((train + amount) % end) for train, amount in zip(trains, amounts, strict=True)]


def test_the_check_of_a_control_wants_each_train_moved_by_an_amount_of_its_own(capsys):
    small, rng = synthetic_field(32, 1), np.random.default_rng(4)
    trains = small.spike_times
    count, end = len(trains), activity.recording_end(trains)
    amounts = rng.uniform(0, end, count)
    frame = activity.frame_length(trains)
    for right in (
        around(trains, amounts, end),
        around(trains, [0.0, *amounts[1:]], end),  # one may stay
        around(trains, -amounts, end + 3),
        around(trains, np.arange(count) * end / count, end),
        activity.shifted(trains, rng, frame),
        activity.shifted(trains, rng, 0.15),  # not the frames on which the events lie
    ):
        assert exercises.check_control_field(control(small, right), small)
        assert "✓ The mean correlation is" in capsys.readouterr().out
    stays = np.where(np.arange(count) % 8 == 0, 0, amounts)
    for wrong, says in (
        (around(trains, [10.0] * count, end), "All trains moved by the same amount"),
        (around(trains, [1000.03] * count, end), "All trains moved by the same amount"),
        (around(trains, rng.uniform(0, 2, count), end), "nearly the same amount"),
        (around(trains, amounts[:2].repeat(count // 2), end), "nearly the same amount"),
        (around(trains, amounts * (np.arange(count) % 2), end), f"{count // 2} of {count} trains have not moved"),
        (around(trains, stays, end), f"{count // 8} of {count} trains have not moved"),
        ([train + amount for train, amount in zip(trains, [0.0, *amounts[1:]], strict=True)], "around to its start"),
        ([np.abs(train + rng.uniform(-0.1, 0.1, len(train))) for train in trains], "have not moved"),
        ([np.abs(train + rng.uniform(-0.5, 0.5, len(train))) for train in trains], "not its train moved in time"),
        ([rng.uniform(0, end, len(train)) for train in trains], "not its train moved in time"),
        ([end - train for train in trains], "not its train moved in time"),
    ):
        given = control(small, [np.sort(train) for train in wrong])
        assert not exercises.check_control_field(given, small)
        assert says in capsys.readouterr().out, says


def test_the_check_of_a_control_knows_the_train_of_another_neuron(capsys):
    """Where all neurons have as many events as each other, the numbers do not tell."""
    rng, made = np.random.default_rng(0), synthetic_field(24, 3)
    trains = [np.sort(rng.uniform(0, 600, 80)) for _ in range(24)]
    field = control(made, trains)
    for order in (trains[1:] + trains[:1], around(trains[::-1], rng.uniform(0, 600, 24), 600)):
        assert not exercises.check_control_field(control(made, order), field)
        assert "went to another neuron" in capsys.readouterr().out
    for few in ([np.array([]), *trains[1:]], [trains[0][:1], *trains[1:]], [trains[0][:2], *trains[1:]]):
        right = around(few, rng.uniform(0, 600, 24), 600)
        assert exercises.check_control_field(control(made, right), control(made, few)), capsys.readouterr().out


def test_the_curve_of_chance_is_the_mean_over_shifts(column):
    figure, ax = plt.subplots()
    sttc_by_tile(column, (3, 8), ax)
    recorded, chance = ax.lines[:2]
    trains = [column.spike_times[3], column.spike_times[8]]
    stop, rng = activity.recording_end(column.spike_times), generator(0, "shifts")
    frame = activity.frame_length(column.spike_times)
    shifts = [activity.shifted(trains, rng, frame) for _ in range(SHIFTS)]
    for k in (4, 30):
        tile = recorded.get_xdata()[k]
        of = [activity.spike_time_tiling_coefficient(pair, tile, stop)[0, 1] for pair in (trains, *shifts)]
        assert recorded.get_ydata()[k] == of[0] and chance.get_ydata()[k] == pytest.approx(np.mean(of[1:]))
    plt.close(figure)
