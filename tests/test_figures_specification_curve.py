"""Figures and panel of the specification curve, of made-up rows of the curve."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from test_figures_audit import labels_of, made_up, marks, told
from test_figures_panels import check_that_every_control_redraws, parts_of

from biornn_lite import verdict
from biornn_lite.contrasts import variance_explained
from biornn_lite.errors import InputError
from biornn_lite.figures import audit_parts
from biornn_lite.figures import specification_curve as figures


@pytest.fixture(scope="module")
def networks():
    return made_up("curve", count=60)


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
    assert heights == pytest.approx({f"{name}\n{len(runs)} runs": runs.mean() for name, runs in fixed.items()})
    above = (table["difference"] > 0).mean()
    assert top.get_title(loc="right").startswith(f"60 combinations: {100 * above:.0f} % above 0, median ")
    assert audit_parts.BAND_LABEL in told(top.get_legend()) and not figure.legends
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


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.curve_figure(pd.DataFrame(columns=["difference", "self_connections", "penalty_weight"])),
        lambda: figures.explained_figure(pd.DataFrame({"share": [np.nan]})),
    ],
)
def test_no_rows_are_an_error_that_says_so(draw):
    with pytest.raises(InputError, match="no rows"):
        draw()


def test_one_combination_and_missing_values_are_drawn_as_far_as_they_go(networks):
    table = verdict.curve(networks)
    lost = table.assign(difference=table["difference"].where(np.arange(60) % 2 == 0))
    for figure in (
        figures.curve_figure(lost),
        figures.curve_figure(table.iloc[:1], pd.DataFrame()),
        figures.curve_figure(table, pd.DataFrame({"published": [0.2], "sound": [0.2]})),
        figures.explained_figure(pd.DataFrame({"share": [0.1], "low": [np.nan], "high": [np.nan]}, index=["task"])),
    ):
        figure.draw_without_rendering()
        plt.close(figure)
    assert figures.curve_figure(lost).axes[0].get_title(loc="right").startswith("30 combinations")


def test_the_panel_loads_the_shipped_rows_when_it_draws_and_says_if_they_are_not_there(monkeypatch):
    def absent(study=None):
        raise InputError("networks.csv.gz: no such file")

    monkeypatch.setattr(audit_parts, "load_audit", absent)
    assert parts_of(figures.curve_panel())["HTML"].value == "⚠ networks.csv.gz: no such file"
    assert not plt.get_fignums()


def test_kinds_differ_in_more_than_hue():
    assert len({style["marker"] for style in figures.KINDS.values()}) == len(figures.KINDS)
    shades = [int(to_hex(style["color"])[1:3], 16) for style in figures.KINDS.values()]
    assert len(set(shades)) == 3
