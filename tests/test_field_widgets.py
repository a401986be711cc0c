"""Panels, figures and exercises about fields: panels as their code allows, answers right and wrong."""

import re
from dataclasses import replace

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import spearmanr
from test_widgets import check_that_every_control_redraws, parts_of

from biornn_lite import activity, exercises, field_plots, field_widgets
from biornn_lite.errors import InputError
from biornn_lite.synthetic import synthetic_field
from biornn_lite.widgets import figure_panel


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    plt.close("all")
    yield
    assert not plt.get_fignums(), "a panel that leaves figures open fills the memory"
    plt.close("all")


@pytest.mark.parametrize(
    ("panel", "changes"),
    [
        (field_widgets.field_panel, {"colour": "rate", "turn (degrees)": 30, "tilt (degrees)": 60}),
        (field_widgets.pair_panel, {"neuron": 5, "and": 7, "Δt (s)": 0.3, "from (s)": 400}),
        (field_widgets.inference_panel, {"noise (SD; an event adds 1)": 0.4, "threshold (SD of the noise)": 3.0}),
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
    before = bytes(parts["Image"].value)
    slider.value = 5
    assert parts["HTML"].value == "⚠ too large" and bytes(parts["Image"].value) == before
    slider.value = 3
    assert parts["HTML"].value == "" and bytes(parts["Image"].value) != before


def test_a_field_without_events_has_no_rates_to_colour_by(column):
    silent = replace(column, spike_times=None)
    assert "rate" not in parts_of(field_widgets.field_panel(silent))["colour"].options
    with pytest.raises(InputError, match="comes without event times"):
        field_widgets.field_figure(silent, "rate")
    plt.close("all")


def test_small_short_and_flat_fields_are_drawn():
    field = synthetic_field(5, 0)
    trains = [train[train < 15] for train in field.spike_times]
    flat = replace(field, spike_times=trains, positions=field.positions * (1, 0, 1))
    for panel in (field_widgets.field_panel, field_widgets.pair_panel, field_widgets.inference_panel):
        parts = parts_of(panel(flat))
        assert bytes(parts["Image"].value).startswith(b"\x89PNG") and not parts["HTML"].value
    with pytest.raises(InputError, match="2 fields to draw; expected one to five, each with a name of its own"):
        field_plots.by_distance([flat, flat], plt.figure().add_subplot())
    plt.close("all")


def test_events_between_frames_are_found_on_the_frame_that_shows_them():
    rng = np.random.default_rng(0)
    trains = [np.sort(rng.random(300) * 1200) for _ in range(12)]
    field = replace(synthetic_field(12, 0), spike_times=trains)
    figure = field_widgets.inference_figure(field, noise=0.05)
    found = int(re.search(r"(\d+)% of the events found", figure.axes[0].get_title())[1])
    assert found > 85  # some share a frame with another
    plt.close("all")


def test_tiles_tell_which_events_are_near():
    field = synthetic_field(4, 0)
    trains = [np.array([1.0, 5.0, 9.0]), np.array([1.05, 6.0]), np.array([2.0]), np.array([3.0])]
    ax = field_plots.tiles(replace(field, spike_times=trains), (0, 1), 0.1, plt.figure().add_subplot())
    thick = [lines for lines in ax.collections if getattr(lines, "get_linewidth", lambda: [0])()[0] == 2.4]
    assert [len(lines.get_segments()) for lines in thick] == [1, 1]
    value = activity.spike_time_tiling_coefficient(trains, 0.1)[0, 1]
    assert f"STTC {value:.3f}" in ax.get_title()
    plt.close("all")


def test_degrees_count_partners(small):
    ax = field_plots.degrees(small, plt.figure().add_subplot())
    heights = [bar.get_height() for bars in ax.containers for bar in bars]
    connected = small.connectome > 0
    assert heights[0] == (connected.sum(axis=1) == 0).sum() and sum(heights) == 2 * 24
    plt.close("all")


# Exercises: (check, right answers, [(wrong answer, what is said of it)])


def correlate(x, y):
    return np.corrcoef(x, y)[0, 1]


@pytest.fixture(scope="module")
def field():
    """One that has a pair with more than one synapse, so that synapses and partners differ."""
    made = synthetic_field(24, 3)
    connectome = np.zeros((24, 24))
    connectome[[0, 0, 5, 7], [1, 2, 1, 3]] = [2, 1, 1, 1]
    return replace(made, connectome=connectome)


CASES = {
    "density": (
        lambda answer, field: exercises.check_density(answer, field),
        [4 / (24 * 23)],
        [
            (4 / 24**2, "divided by N²"),
            (8 / (24 * 23), "two ordered pairs"),
            (5 / (24 * 23), "added synapses"),
            (400 / (24 * 23), "in per cent"),
            (138, "one pair in so many"),
            (4, "how many pairs are connected"),
            (0.5, "too high"),
            (0.0001, "too low"),
            ("few", "not a number"),
        ],
    ),
    "correlation": (
        exercises.check_correlation,
        [correlate],
        [
            (lambda x, y: np.cov(x, y, ddof=0)[0, 1], "the covariance"),
            (lambda x, y: np.cov(x, y, ddof=0)[0, 1] / x.var() / y.var(), "divided by the variances"),
            (lambda x, y: (x * y).mean(), "Subtract each mean"),
            (lambda x, y: x @ y / np.sqrt((x @ x) * (y @ y)), "the cosine"),
            (lambda x, y: -correlate(x, y), "sign is wrong"),
            (lambda x, y: np.cov(x, y, ddof=0)[0, 1] / x.std(ddof=1) / y.std(ddof=1), "divide by T, or by T − 1"),
            (lambda x, y: None, "Is there a return?"),
            (lambda x, y: spearmanr(x, y).statistic, "expected"),
            (lambda x, y: 0.7, "gives 0.700000"),
            (lambda x, y: x.nothing, "raises AttributeError"),
            (3, "raises TypeError"),
        ],
    ),
    "in_degree": (
        exercises.check_in_degree,
        [[0, 2, 1, 1] + [0] * 20],
        [
            ([2, 0, 0, 0, 0, 1, 0, 1] + [0] * 16, "partners *out*"),
            ([0, 3, 1, 1] + [0] * 20, "Those are synapses"),
            ([1, 2], r"shape is (2,)"),
            ([9] * 24, "wrong numbers"),
            ("abc", "not an array"),
        ],
    ),
    "sttc": (
        lambda answer, _: exercises.check_sttc(answer, 0.6, 0.2, 0.1, 0.4),
        [0.5 * (0.2 / 0.76 + 0.1 / 0.98)],
        [
            (0.5 * (0.5 / 0.94 - 0.2 / 0.92), "A's own tiles"),
            (0.2 / 0.76 + 0.1 / 0.98, "forgot the ½"),
            (0.15, "forgot the denominators"),
            (-0.1826, "sign is wrong"),
            (0.9, "too high"),
            (18.26, "in per cent"),
            ([], "not a number"),
        ],
    ),
    "positions": (
        lambda answer, _: exercises.check_positions(answer, np.arange(12).reshape(4, 3)),
        [np.arange(12).reshape(4, 3) * (0.008, 0.008, 0.03)],
        [
            (np.arange(12).reshape(4, 3) * (8, 8, 30), "nanometres"),
            (np.arange(12).reshape(4, 3) * (0.004, 0.004, 0.04), "MICrONS voxel"),
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
            (50, "too few"),
            (5000, "too many"),
            ({}, "not a number"),
        ],
    ),
    "own": (
        lambda answer, _: exercises.check_own_field(answer),
        [replace(synthetic_field(12, 0), synthetic=False)],
        [
            (synthetic_field(12, 0), "made by the library"),
            (3, "'int' was given; field_from_events"),
            (synthetic_field(4, 0), "make at least 10"),
            (replace(synthetic_field(12, 0), spike_times=None), "no events"),
            (replace(synthetic_field(12, 0), correlation=np.eye(12), synthetic=False), "not those of its events"),
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


def test_the_check_of_a_distance(column, capsys):
    gap = column.positions[0] - column.positions[1]
    voxels = gap / (0.004, 0.004, 0.04)
    assert exercises.check_distance(np.linalg.norm(gap), column, 0, 1)
    for answer, says in [
        (np.linalg.norm(voxels), "in voxels"),
        (np.linalg.norm(voxels) * 0.004, "40 nm"),
        (np.linalg.norm(gap) * 1000, "nanometres"),
        (np.abs(gap).sum(), "straight line"),
        ((gap**2).sum(), "squared"),
        (1.0, "is not it"),
        ("far", "not a number"),
    ]:
        capsys.readouterr()
        assert not exercises.check_distance(answer, column, 0, 1)
        assert says in capsys.readouterr().out


def test_the_check_of_a_tile_without_chance(column, capsys):
    assert exercises.check_chance_free_tile(0.1587 / 2, column) and exercises.check_chance_free_tile(0.24, column)
    assert not exercises.check_chance_free_tile(0.1, column) and "mean STTC of -0.0" in capsys.readouterr().out
    assert not exercises.check_chance_free_tile(-1, column) and "above 0" in capsys.readouterr().out
    assert not exercises.check_chance_free_tile("x", column)
