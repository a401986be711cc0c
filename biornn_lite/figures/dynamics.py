"""Figures of the look inside trained networks, drawn from tables of :mod:`biornn_lite.dynamics_verdict`.

Each figure has a column of Axes for each task and shows one study. Numbers are of networks that learned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ..dynamics import FATES, TIMES
from ..dynamics_studies import COMPARED_STARTS, WHEN
from ..dynamics_verdict import COMPARED, FUNCTIONAL, LOSSES, WHERE
from ..errors import InputError
from ..results import in_order
from .audit_parts import draw_interval, drawable, handle, label_rows
from .parts import entitle, interval_handle, legend, mean_line, outer_labels, rows_of, task_axes
from .style import LINES, START_LINES, as_text


def _starts_of(table: pd.DataFrame, column: str = "start") -> list[str]:
    """Return the compared starts that have rows."""
    there = [start for start in COMPARED_STARTS if start in set(table[column])]
    if not there:
        raise InputError(f"no rows of {', '.join(COMPARED_STARTS)}")
    return there


def _label_starts(ax: Axes, starts: Sequence[str], table: pd.DataFrame) -> None:
    """Label the rows of starts, and say of which one no network of the table learned."""
    label_rows(ax, starts)
    for place, start in enumerate(starts):
        if start not in set(table["start"]):
            ax.text(
                0.5, place, "none learned", transform=ax.get_yaxis_transform(), ha="center", va="center", fontsize=9,
                color="0.35", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip


def _first_column_labels(axes: Sequence[Axes]) -> None:
    """Keep the labels of rows of the first Axes only."""
    for ax in axes[1:]:
        ax.tick_params(axis="y", which="both", labelleft=False)


# Cuts

CUT_MARKERS = dict(zip(LOSSES, "os^D", strict=True))
"""Marker of each cut."""

_CUT_LABELS = {
    "diagonal": "without self-connections",
    "others": "without all others",
    "within communities": "without those within communities",
    "between communities": "without those between communities",
}


def losses(table: pd.DataFrame, study: str, task: str, ax: Axes) -> Axes:
    """Draw the mean loss of gain by what is cut, with its 95 % interval, for each start.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.dynamics_verdict.losses_table`.
    study, task : str
    ax : Axes
        Cuts differ in their markers, starts in their colours.
    """
    table = rows_of(table, "losses", study, "start", "task", "cut", "mean")
    starts = _starts_of(table)
    table = drawable(table[table["task"] == task], f"losses of the task {task}")
    for place, start in enumerate(starts):
        for offset, (cut, marker) in zip((-0.27, -0.09, 0.09, 0.27), CUT_MARKERS.items(), strict=True):
            for row in table[(table["start"] == start) & (table["cut"] == cut)].itertuples():
                look = {"color": START_LINES[start]["color"], "marker": marker, "markersize": 5}
                draw_interval(ax, row.low, row.mean, row.high, place + offset, **look)
    _label_starts(ax, starts, table)
    for loss in (0, 1):
        ax.axvline(loss, color="0.75", linewidth=1, zorder=0)
    ax.set_xlabel("loss of gain")
    return ax


def losses_figure(table: pd.DataFrame, study: str) -> Figure:
    """Draw :func:`losses` for each task."""
    table = rows_of(table, "losses", study, "start", "task", "cut", "mean", "networks")
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, height=4.8, sharex=True)
    for task, ax in zip(tasks, axes[0], strict=True):
        losses(table, study, task, ax)
    _first_column_labels(axes[0])
    handles = [handle(_CUT_LABELS[cut], color="0.35", marker=m, markersize=5) for cut, m in CUT_MARKERS.items()]
    legend(figure, handles, 2)
    entitle(figure, "Gain lost by cutting connections, means with 95 % intervals", study, table)
    return figure


# Decoding

GROUP_LINES = dict(
    zip(("all", "largest self-connections", "smallest self-connections", "at random"), LINES, strict=False)
)
"""Style of each group of units."""

CUES = {"one_choice_inference": 4, "go_nogo": 2, "perceptual_decision_making": 2}
"""Number of cues of each task."""


def decoding(table: pd.DataFrame, study: str, task: str, start: str, ax: Axes) -> Axes:
    """Draw how well groups of units tell the cue at the four times of a trial.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.dynamics_verdict.decoding_table`.
    study, task, start : str
    ax : Axes
        A dotted line is at the accuracy of guessing.
    """
    table = rows_of(table, "decoding", study, "start", "task", "group", "time", "mean")
    mine = drawable(
        table[(table["task"] == task) & (table["start"] == start)], f"decoding of {start}, task {task}"
    ).set_index(["group", "time"])
    for group, style in GROUP_LINES.items():
        times = [time for time in TIMES if (group, time) in mine.index]
        rows = mine.loc[[(group, time) for time in times]]
        mean_line(ax, group, [TIMES.index(t) for t in times], rows["low"], rows["mean"], rows["high"], style)
    if task in CUES:
        ax.axhline(1 / CUES[task], color="0.35", linestyle=":", linewidth=1.2, zorder=1)
    ax.set_xticks(range(len(TIMES)), [time.replace(" ", "\n") for time in TIMES], fontsize=8)
    ax.set_xlim(-0.25, len(TIMES) - 0.75)
    ax.set_ylim(0.15, 1.05)
    ax.set_ylabel(f"{start}\naccuracy", fontsize=9)
    sns.despine(ax=ax)
    return ax


def decoding_figure(table: pd.DataFrame, study: str, starts: Sequence[str] = (FUNCTIONAL, *COMPARED)) -> Figure:
    """Draw :func:`decoding` for each task and start, a row of Axes for each start that has rows."""
    table = rows_of(table, "decoding", study, "start", "task", "group", "time", "mean", "networks")
    tasks, shown = in_order(table["task"]), [start for start in starts if start in set(table["start"])]
    if not shown:
        raise InputError(f"no rows of {', '.join(starts)}")
    figure, axes = task_axes(tasks, len(shown), 1.4 + 1.9 * len(shown), sharex=True, sharey=True)
    for start, row in zip(shown, axes, strict=True):
        for task, ax in zip(tasks, row, strict=True):
            if ((table["start"] == start) & (table["task"] == task)).any():
                decoding(table, study, task, start, ax)
            else:
                ax.text(0.5, 0.5, "none learned", transform=ax.transAxes, ha="center", fontsize=9, color="0.4")
    for start, ax in zip(shown, axes[:, 0], strict=True):
        ax.set_ylabel(f"{as_text(start)}\naccuracy", fontsize=9)
    outer_labels(axes)
    handles = [handle(group, markersize=5, linewidth=1.8, **style) for group, style in GROUP_LINES.items()]
    chance = handle("guessing", color="0.35", linestyle=":", linewidth=1.2)
    legend(figure, [*handles, interval_handle(), chance], 3)
    entitle(figure, "Decoding of the cue", study, table)
    return figure


# Before and after training

_WHEN_LOOK = dict(zip(WHEN, ({"markerfacecolor": "white"}, {}), strict=True))


def before_and_after(table: pd.DataFrame, study: str, task: str, ax: Axes, line: float, label: str) -> Axes:
    """Draw the mean of a measure with the first weights (white) and after training, for each start.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.dynamics_verdict.before_and_after`.
    study, task : str
    ax : Axes
    line : float
        Value to compare with, a vertical line.
    label : str
        Of the x axis.
    """
    table = rows_of(table, label, study, "start", "task", "when", "mean")
    starts = _starts_of(table)
    table = drawable(table[table["task"] == task], f"{label} of the task {task}")
    for place, start in enumerate(starts):
        for offset, (when, look) in zip((-0.14, 0.14), _WHEN_LOOK.items(), strict=True):
            for row in table[(table["start"] == start) & (table["when"] == when)].itertuples():
                style = {name: START_LINES[start][name] for name in ("color", "marker")} | {"markersize": 6} | look
                draw_interval(ax, row.low, row.mean, row.high, place + offset, **style)
    _label_starts(ax, starts, table)
    ax.axvline(line, color="0.35", linewidth=1, linestyle="--", zorder=0)
    ax.set_xlabel(label)
    return ax


def _before_and_after_figure(
    table: pd.DataFrame, study: str, line: float, label: str, told: str, what: str
) -> Figure:
    table = rows_of(table, label, study, "start", "task", "when", "mean", "networks")
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, height=4.2, sharex=True)
    for task, ax in zip(tasks, axes[0], strict=True):
        before_and_after(table, study, task, ax, line, label)
    _first_column_labels(axes[0])
    handles = [handle(when, color="0.35", marker="o", markersize=6, **look) for when, look in _WHEN_LOOK.items()]
    legend(figure, [*handles, handle(told, color="0.35", linewidth=1, linestyle="--")], 3)
    entitle(figure, f"{what}, means with 95 % intervals", study, table)
    return figure


def eigenvalue_figure(table: pd.DataFrame, study: str) -> Figure:
    """Draw the memory eigenvalue before and after training; at 1 a deviation neither shrinks nor grows."""
    told = "1: neither shrinks nor grows"
    return _before_and_after_figure(table, study, 1.0, "memory eigenvalue", told, "Memory eigenvalue")


def mantel_figure(table: pd.DataFrame, study: str) -> Figure:
    """Draw Mantel's correlation of likeness of tuning and closeness, before and after training."""
    told = "0: units of like tuning are no closer than others"
    return _before_and_after_figure(table, study, 0.0, "Mantel's correlation", told, "Selectivity in space")


# Classes

KIND_COLOURS = {
    "where": dict(zip(WHERE, ("#fdbe85", "#e6550d", "#7f2704", "0.85"), strict=True)),
    "how": dict(zip(FATES, ("#f7b6d2", "#c994c7", "#e0e0f0", "#54278f"), strict=True)),
}
"""Colour of each class; none of them is the colour of a start."""

KIND_HATCHES = {
    "where": dict(zip(WHERE, ("////", "...", "", "xxx"), strict=True)),
    "how": dict(zip(FATES, ("////", "...", "xxx", ""), strict=True)),
}
"""Hatching of each class, so that colour alone does not tell it."""


def _look_of(what: str, kind: str) -> dict[str, object]:
    """Return the colours and the hatching of a class."""
    return {
        "facecolor": KIND_COLOURS[what][kind], "edgecolor": "0.3", "linewidth": 0.6, "hatch": KIND_HATCHES[what][kind]
    }  # fmt: skip


def class_bars(table: pd.DataFrame, study: str, task: str, what: str, ax: Axes) -> Axes:
    """Draw how many of each start's networks that learned have each class.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.dynamics_verdict.class_counts`.
    study, task : str
    what : {"where", "how"}
    ax : Axes
    """
    if what not in KIND_COLOURS:
        raise InputError(f"no classes {what!r}; there are {', '.join(KIND_COLOURS)}")
    table = rows_of(table, "classes", study, "start", "task", "what", "kind", "networks")
    mine = drawable(table[(table["task"] == task) & (table["what"] == what)], f"classes of the task {task}")
    mine = mine.set_index(["start", "kind"])["networks"]
    starts = _starts_of(table)
    for place, start in enumerate(starts):
        left = 0
        for kind in KIND_COLOURS[what]:
            many = int(mine.get((start, kind), 0))
            if many:
                ax.barh(place, many, left=left, height=0.7, label=f"_{kind}", **_look_of(what, kind))
                paper = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
                inside = {"ha": "center", "va": "center", "fontsize": 8, "bbox": paper}
                ax.text(left + many / 2, place, f"{many}", **inside)
            left += many
    _label_starts(ax, starts, table[table["task"] == task])
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_xlabel("networks that learned")
    return ax


def classes_figure(table: pd.DataFrame, study: str) -> Figure:
    """Draw :func:`class_bars` for each task, *where* above and *how* below."""
    table = rows_of(table, "classes", study, "start", "task", "what", "kind", "networks")
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, 2, 6.8, sharex=True)
    for what, row in zip(KIND_COLOURS, axes, strict=True):
        for task, ax in zip(tasks, row, strict=True):
            class_bars(table, study, task, what, ax)
        _first_column_labels(row)
        row[0].set_ylabel(what, fontsize=10)
    for ax in axes[0]:
        ax.set_xlabel("")
    pairs = zip(*KIND_COLOURS.values(), strict=True)
    handles = [
        Patch(label=f"{what}: {kind}", **_look_of(what, kind))
        for pair in pairs
        for what, kind in zip(KIND_COLOURS, pair, strict=True)
    ]
    title = f"What networks need (where), and their fate (how); {as_text(study)}"
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.92))  # above it are the title and the legend
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.965)}
    figure.legend(handles=handles, ncols=len(WHERE), frameon=False, fontsize=9, **place)
    figure.suptitle(title, fontsize=11)
    return figure


# Representations

CEILING = {"color": "0.85", "linewidth": 0}


def similarities(table: pd.DataFrame, study: str, task: str, ax: Axes, first: str = FUNCTIONAL) -> Axes:
    """Draw how similar the representations of one start and of others are, beside the noise ceiling of the first.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.dynamics_verdict.mechanisms`.
    study, task : str
    ax : Axes
        At the right is the word for the mechanisms. A pair without a similarity has no marker.
    first : str
    """
    table = rows_of(table, "similarities", study, "task", "first", "second", "says")
    mine = drawable(
        table[(table["task"] == task) & (table["first"] == first)], f"similarities with {first}, task {task}"
    )
    starts = _starts_of(mine, "second")
    mine = mine.set_index("second")
    lower, upper, within = (float(mine[name].iloc[0]) for name in ("lower", "upper", "within"))
    if np.isfinite([lower, upper]).all():
        ax.axvspan(lower, upper, zorder=0, label="_ceiling", **CEILING)
    if np.isfinite(within):
        ax.axvline(within, color="0.35", linewidth=1, linestyle=":", zorder=1, label="_within")
    for place, second in enumerate(starts):
        row, style = mine.loc[second], START_LINES[second]
        if np.isfinite(row["similarity"]):
            look = {"color": style["color"], "marker": style["marker"], "markersize": 6}
            draw_interval(ax, row["low"], row["similarity"], row["high"], place, **look)
        ax.text(
            1.02, place, as_text(row["says"]), transform=ax.get_yaxis_transform(), va="center", fontsize=8.5
        )  # fmt: skip
    label_rows(ax, starts)
    ax.set_xlabel(f"similarity with {as_text(first)} (Spearman)")
    return ax


def similarity_figure(table: pd.DataFrame, study: str, first: str = FUNCTIONAL) -> Figure:
    """Draw :func:`similarities` for each task."""
    table = rows_of(table, "similarities", study, "task", "first", "second", "says", "runs")
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, height=3.8, sharex=True)
    for task, ax in zip(tasks, axes[0], strict=True):
        similarities(table, study, task, ax, first)
    _first_column_labels(axes[0])
    handles = [
        handle("mean and 95 % interval", color="0.35", marker="o", markersize=6, linestyle="-", linewidth=1.8),
        Patch(label=f"noise ceiling of {as_text(first)}", **CEILING),
        handle(f"two runs of {as_text(first)}", color="0.35", linewidth=1, linestyle=":"),
    ]
    legend(figure, handles, 3)
    mine = table[table["first"] == first]
    entitle(
        figure,
        "Similarity of representations, and same or different mechanisms",
        study,
        mine.assign(networks=mine["runs"]),
    )
    return figure
