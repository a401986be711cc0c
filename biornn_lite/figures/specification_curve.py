"""Figures and panel of the audit's specification curve, for notebook 11.

The panel loads the shipped rows if it gets none, when it first draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..audit import CURVE_CHOICES
from ..errors import InputError
from ..verdict import cursors, curve
from .audit_parts import draw_band, draw_interval, drawable, handle, in_words, label_rows, percent, rows_of_study
from .panels import dropdown, figure_panel
from .style import BLUE, DARK, ORANGE, SHADES, as_text

KINDS = {
    "kept": {"color": BLUE, "marker": "o"},
    "only": {"color": DARK, "marker": "s"},
    "removed": {"color": ORANGE, "marker": "^"},
}
"""Style of a combination, by what it does with self-connections."""

_STEPS = (0.0, 0.003, 0.03, 0.3)
"""Bounds between the groups of λ in the dashboard."""


def _chosen(table: pd.DataFrame, highlight: Mapping[str, object] | None) -> np.ndarray:
    """Say which combinations have all these values; two numbers are the ends of a range."""
    chosen = np.ones(len(table), dtype=bool)
    for choice, value in (highlight or {}).items():
        if choice not in table:
            raise InputError(f"no choice {choice!r}; there are {', '.join(map(str, table.columns))}")
        if isinstance(value, (tuple, list)):
            numbers = table[choice].astype(float)
            chosen &= ((numbers >= value[0]) & (numbers <= value[1])).to_numpy()
        else:
            chosen &= (table[choice] == value).to_numpy()
    return chosen


def _told(differences: pd.Series, of: int) -> str:
    """Say how many combinations there are, and what they give."""
    count = f"{len(differences):,}" if len(differences) == of else f"{len(differences):,} of {of:,}"
    if differences.empty:
        return f"{count} combinations"
    above = percent((differences > 0).mean())
    return f"{count} combinations: {above} above 0, median {differences.median():+.2f}".replace("-", "−")


def sorted_differences(
    table: pd.DataFrame, ax: Axes, strip: Axes, cursors: pd.DataFrame | None = None, chosen: np.ndarray | None = None
) -> Axes:
    """Draw the differences of all combinations from the smallest to the largest.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.verdict.curve`.
    ax : Axes
    strip : Axes
        One row per treatment of self-connections, with a mark where each of its combinations lies.
    cursors : DataFrame, optional
        From :func:`biornn_lite.verdict.cursors`; a line at the mean of each column, with its number of runs.
    chosen : ndarray of bool, shape (combinations,), optional
        The others are grey. Default: all.
    """
    chosen = np.ones(len(table), dtype=bool) if chosen is None else chosen
    order = np.argsort(table["difference"].to_numpy(), kind="stable")
    y, chosen, kinds = (
        np.asarray(values)[order] for values in (table["difference"], chosen, table["self_connections"])
    )
    rank = np.arange(1, len(y) + 1)
    draw_band(ax, upright=True)
    ax.plot(rank[~chosen], y[~chosen], "o", color="0.82", markersize=3, zorder=2)
    for row, (kind, style) in enumerate(KINDS.items()):
        mine = kinds == kind
        ax.plot(
            rank[mine & chosen], y[mine & chosen], linestyle="none", markersize=4, zorder=3, alpha=0.8,
            markeredgewidth=0, label=f"self-connections {kind}", **style,
        )  # fmt: skip
        for here, colour in ((mine & ~chosen, "0.85"), (mine & chosen, style["color"])):
            strip.plot(rank[here], np.full(here.sum(), row), "|", color=colour, markersize=7, markeredgewidth=0.7)
    means = {} if cursors is None else cursors.mean().dropna().sort_values().to_dict()
    for place, (name, mean) in enumerate(means.items()):
        ax.axhline(mean, color="black", linestyle=("--", "-.")[place % 2], linewidth=1.2, zorder=1)
        below = place % 2 == 0
        ax.annotate(
            f"{as_text(name)}\n{cursors[name].count()} runs", (1, mean), (4, -1 if below else 1),
            xycoords=ax.get_yaxis_transform(), textcoords="offset points",
            va="top" if below and len(means) > 1 else "bottom", fontsize=8, annotation_clip=False,
        )  # fmt: skip
    ax.set_xlim(0, len(y) + 1)
    ax.tick_params(axis="x", labelbottom=False, length=0)
    ax.set_ylabel("difference in gain\n(W* − W)")
    ax.legend(loc="lower right", fontsize=8, framealpha=0.9, edgecolor="none", markerscale=1.3, handletextpad=0.2)
    sns.despine(ax=ax, bottom=True)
    strip.set_xlim(0, len(y) + 1)
    strip.set_ylim(len(KINDS) - 0.4, -0.6)
    strip.set_yticks(range(len(KINDS)), list(KINDS), fontsize=8)
    strip.tick_params(axis="y", length=0)
    strip.tick_params(axis="x", labelsize=8, pad=2)
    strip.set_xlabel("combinations, from the smallest difference to the largest", fontsize=9, labelpad=2)
    sns.despine(ax=strip, left=True)
    return ax


def _groups(table: pd.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Group the combinations by each value of each choice: masks by label of the value, by choice."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for choice, values in CURVE_CHOICES.items():
        if choice in table:
            masks = {in_words(value): (table[choice] == value).to_numpy() for value in values}
            found[choice] = {label: mask for label, mask in masks.items() if mask.any()}
    weight = table["penalty_weight"].to_numpy(dtype=float)
    ends = (*_STEPS, np.inf)
    labels = (
        f"below {_STEPS[1]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(_STEPS[1:])),
        f"above {_STEPS[-1]:g}",
    )  # fmt: skip
    bins = {"0": weight == 0} | {
        label: (weight > low) & (weight <= high) for label, low, high in zip(labels, ends[:-1], ends[1:], strict=True)
    }
    return found | {"penalty_weight": {label: mask for label, mask in bins.items() if mask.any()}}


def _in_columns(groups: Mapping[str, Mapping], number: int) -> list[list[str]]:
    """Spread groups over columns of similar heights, in their order."""
    heights = {name: len(values) + 0.6 for name, values in groups.items()}
    columns: list[list[str]] = [[] for _ in range(number)]
    above = 0.0
    for name, height in heights.items():
        middle = (above + height / 2) / sum(heights.values())
        columns[min(int(middle * number), number - 1)].append(name)
        above += height
    return columns


def _mean_of(values: np.ndarray) -> tuple[float, float, float]:
    """Lower end, mean and upper end, by the standard error."""
    reach = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return values.mean() - reach, values.mean(), values.mean() + reach


def dashboard(table: pd.DataFrame, axes: Sequence[Axes], chosen: np.ndarray | None = None) -> None:
    """Draw the mean difference of the combinations with each value of each choice, ±1.96 standard errors.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.verdict.curve`.
    axes : sequence of Axes
        The choices are spread over them.
    chosen : ndarray of bool, shape (combinations,), optional
        Means of these are black; those of all combinations are drawn in grey behind them. Default: all.
    """
    y, groups = table["difference"].to_numpy(dtype=float), _groups(table)
    some = chosen is not None and not chosen.all()
    ends = [0.0]
    for ax, names in zip(axes, _in_columns(groups, len(axes)), strict=True):
        labels, places, height = [], [], 0.0
        for name in names:
            for number, (label, mask) in enumerate(groups[name].items()):
                sides = ((mask, {"color": "0.7", "markerfacecolor": "white"} if some else {"color": "black"}),)
                if some:
                    sides += ((mask & chosen, {"color": "black"}),)
                for which, style in sides:
                    if which.any():
                        found = _mean_of(y[which])
                        ends += found if len(y[which]) > 4 else found[1:2]
                        draw_interval(ax, *found, height, marker="o", markersize=4, linewidth=1.4, **style)
                labels.append(label if number else f"{in_words(name)}:  {label}")
                places.append(height)
                height += 1
            height += 0.6
        draw_band(ax)
        ax.set_yticks(places, labels, fontsize=8)
        ax.tick_params(axis="both", labelsize=8)
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(max(height - 0.6, 1) - 0.4, -0.6)
        ax.set_xlabel("mean difference in gain", fontsize=9)
        sns.despine(ax=ax, left=True)
    low, high = min(ends), max(ends)
    pad = 0.06 * max(high - low, 0.1)
    for ax in axes:
        ax.set_xlim(low - pad, high + pad)


def curve_figure(
    table: pd.DataFrame, cursors: pd.DataFrame | None = None, highlight: Mapping[str, object] | None = None
) -> Figure:
    """Draw the specification curve: all differences in order, and what each choice does on average.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.verdict.curve`. Combinations that lack one of their two networks are left out.
    cursors : DataFrame, optional
        From :func:`biornn_lite.verdict.cursors`.
    highlight : mapping of str to object, optional
        Values of some choices, such as ``{"space": "D*", "penalty_weight": (0.0, 0.3)}``. Other combinations are
        grey. A pair of numbers is a range with both ends.
    """
    table = drawable(table, "a curve", "difference", "self_connections", "penalty_weight")
    chosen = _chosen(table, highlight)
    figure = plt.figure(figsize=(10.6, 7))  # fixed positions are faster than an automatic layout
    top, strip = figure.add_axes((0.085, 0.62, 0.84, 0.345)), figure.add_axes((0.085, 0.545, 0.84, 0.065))
    sorted_differences(table, top, strip, cursors, chosen)
    top.set_title(_told(table.loc[chosen, "difference"], len(table)), fontsize=10, loc="right", pad=3)
    columns = [figure.add_axes((left, 0.065, 0.155, 0.4)) for left in (0.185, 0.5, 0.835)]
    dashboard(table, columns, chosen)
    if not chosen.all():
        handles = [
            handle("these combinations", color="black", marker="o", markersize=4),
            handle("all", color="0.7", marker="o", markersize=4, markerfacecolor="white"),
        ]
        place = {"loc": "upper right", "bbox_to_anchor": (0.99, 0.512), "borderaxespad": 0}
        figure.legend(handles=handles, ncols=2, frameon=False, fontsize=8, handletextpad=0.2, **place)
    return figure


_ANY = "any"
_WEIGHTS = (0.0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.2)
"""Ends of the range of λ that the panel offers; the drawn values lie between the first and the last."""


def curve_panel(networks: pd.DataFrame | None = None) -> ipw.Widget:
    """Return a panel to pick combinations of the specification curve; see :func:`curve_figure`.

    Parameters
    ----------
    networks : DataFrame, optional
        Rows of the audit. Default: the shipped ones.
    """

    @cache
    def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
        rows = rows_of_study(networks, "curve")
        return curve(drawable(rows, "a curve")), cursors(rows)

    def draw(weights: tuple[float, float], **choices: object) -> Figure:
        table, fixed = tables()
        highlight = {choice: value for choice, value in choices.items() if value != _ANY}
        if weights != (_WEIGHTS[0], _WEIGHTS[-1]):
            highlight["penalty_weight"] = weights
        return curve_figure(table, fixed, highlight)

    controls: dict[str, ipw.ValueWidget] = {
        name: dropdown(
            in_words(name), [(_ANY, _ANY), *((in_words(value), value) for value in CURVE_CHOICES[name])], _ANY
        )
        for name in ("self_connections", "space", "target", "sign", "task")
    }  # fmt: skip
    controls["weights"] = ipw.SelectionRangeSlider(
        options=[(f"{weight:g}", weight) for weight in _WEIGHTS], index=(0, len(_WEIGHTS) - 1), description="λ",
        continuous_update=False, layout={"width": "24em"}, style={"description_width": "initial"},
    )  # fmt: skip
    return figure_panel(draw, controls)


def explained(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw how much of an outcome each factor explains, the most first.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.contrasts.variance_explained`.
    ax : Axes
    """
    table = drawable(table, "shares of variance", "share").sort_values("share", ascending=False, kind="stable")
    places = np.arange(len(table))
    ax.barh(places, table["share"], height=0.65, color=SHADES[0], zorder=1)
    ax.hlines(places, table["low"], table["high"], color="black", linewidth=1.6, zorder=2)
    ax.axvline(0, color="0.35", linewidth=1, zorder=1)
    label_rows(ax, [in_words(name) for name in table.index])
    ax.xaxis.set_major_formatter(lambda share, _: percent(share))
    whole = f"; all factors together: {percent(table.attrs['r2'])}" if "r2" in table.attrs else ""
    ax.set_xlabel(f"drop in R² without this factor, 95 % interval{whole}")
    return ax


def explained_figure(table: pd.DataFrame) -> Figure:
    """Draw :func:`explained`."""
    figure, ax = plt.subplots(figsize=(8, 1.1 + 0.29 * len(table)), layout="constrained")
    explained(table, ax)
    return figure
