"""Figures of what happens inside a trained network, for notebook 15.

They draw what :mod:`biornn_lite.figures.inside_parts` measures, and results of :mod:`biornn_lite.fixed_points`,
:mod:`biornn_lite.memory` and :mod:`biornn_lite.representations`. Axes count steps from 1; arrays count them from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.distance import pdist, squareform

from ..dynamics import TIMES
from ..errors import InputError
from ..fixed_points import time_constant
from ..memory import CUTS
from ..network import Networks
from ..tasks import Task, get_task, title_of
from .dynamics import GROUP_LINES
from .inside_parts import Inside
from .matrices import spectrum
from .study import draw_ceilings
from .style import BLUE, DARK, GREEN, LINES, ORANGE, PURPLE, START_LINES, as_text
from .tasks import shade_phases

CUE_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
"""Colours of up to four cues."""

CUE_LINES = ("-", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
"""Line styles of up to four cues; dashed lines are of networks before a change."""

CUE_MARKERS = ("o", "^", "D", "v")
"""Markers of up to four cues."""


# A trial on the principal axes

_POINTS = {True: "stable fixed point", False: "unstable"}


def trajectories(inside: Inside, ax: Axes, step: int | None = None) -> Axes:
    """Draw the mean states of each cue along the two principal axes, and the fixed points of the memory input.

    Where one cue has several right answers, there is a line for each.

    Parameters
    ----------
    inside : Inside
    ax : Axes
    step : int, optional
        Draw the path up to this step, counted from 1, and the states of all trials there. Default: the last one.
    """
    step = len(inside.states) if step is None else step
    project, phases = inside.axes.project, inside.phases
    for cue, label in np.unique([inside.cues, inside.trials.labels[0].numpy()], axis=1).T:
        mine = (inside.cues == cue) & (inside.trials.labels[0].numpy() == label)
        colour, path = CUE_COLOURS[cue], project(inside.states[:, mine].mean(1))  # (steps, 2)
        line = {"color": colour, "linestyle": CUE_LINES[cue]}
        ax.plot(*path.T, linewidth=0.8, alpha=0.6, **line)
        ax.plot(*path[:step].T, linewidth=2.2, label=inside.cue_names[cue], **line)
        ax.plot(*project(inside.states[step - 1, mine]).T, ".", color=colour, markersize=4, alpha=0.5)
        for at, marker in ((phases.cue_end, "^"), (phases.memory_end, "s")):
            ax.plot(*path[at], marker, color=colour, markersize=8, markeredgecolor="white", zorder=5)
    everything = project(inside.states).reshape(-1, 2)
    low, high = everything.min(0), everything.max(0)
    room = 0.15 * (high - low).max() + 1e-9
    points, stable = project(inside.fixed_points.points), inside.fixed_points.stable
    seen = ((points > low - 4 * room) & (points < high + 4 * room)).all(1)
    for point, is_stable in zip(points[seen], stable[seen], strict=True):
        # A stable point on an unstable one is seen as a black dot in a white one.
        face, size, order = ("black", 7, 7) if is_stable else ("white", 11, 6)
        look = {"markerfacecolor": face, "markeredgecolor": "black", "markeredgewidth": 1.6, "zorder": order}
        ax.plot(*point, "o", markersize=size, label=_POINTS[bool(is_stable)], **look)
    away = f", {(~seen).sum()} of them outside" if not seen.all() else ""
    ax.set_title(f"{as_text(inside.name)}: {stable.sum()} stable, {(~stable).sum()} unstable{away}", fontsize=10)
    ax.set(
        xlabel=f"principal axis 1 ({100 * inside.axes.shares[0]:.0f} % of the variance)",
        ylabel=f"principal axis 2 ({100 * inside.axes.shares[1]:.0f} %)",
    )
    sns.despine(ax=ax)
    return ax


def readout(inside: Inside, ax: Axes, networks: Networks | None = None, step: int | None = None) -> Axes:
    """Draw the logit of the right answer minus the largest other one over a trial, mean and 10 to 90 % of trials.

    Parameters
    ----------
    inside : Inside
    ax : Axes
        Dashed lines are of the network as trained, if a changed copy is given.
    networks : Networks, optional
        A changed copy. Default: the network.
    step : int, optional
        Mark this step, counted from 1.
    """
    steps = np.arange(1, len(inside.states) + 1)
    shade_phases(inside.task, ax)
    margins, before = inside.margins(networks), inside.margins()
    for cue, (name, colour) in enumerate(zip(inside.cue_names, CUE_COLOURS, strict=False)):
        mine = margins[:, inside.cues == cue]
        ax.fill_between(steps, *np.quantile(mine, (0.1, 0.9), axis=1), color=colour, alpha=0.25, linewidth=0)
        ax.plot(steps, mine.mean(1), color=colour, linestyle=CUE_LINES[cue], linewidth=2, label=name)
        if networks is not None:
            ax.plot(steps, before[:, inside.cues == cue].mean(1), "--", color=colour, linewidth=1)
    ax.axhline(0, color="0.35", linewidth=1)
    if step is not None:
        ax.axvline(step, color="black", linewidth=1.5)
    ax.set(xlim=(0.5, len(steps) + 0.5), xlabel="step", ylabel="right − other (readout)")
    sns.despine(ax=ax)
    return ax


def trial_figure(left: Inside, right: Inside, step: int | None = None) -> Figure:
    """Draw two networks of one task side by side at one step of their trials: states above, readout below.

    Parameters
    ----------
    left, right : Inside
    step : int, optional
        Counted from 1. Default: the last one.
    """
    if left.task != right.task:
        raise InputError(
            f"{left.name} learned {left.task.title} and {right.name} {right.task.title}; one task, please"
        )
    figure, axes = plt.subplots(2, 2, figsize=(10.4, 5.2), height_ratios=[1.9, 1], layout="constrained")
    for inside, (above, below) in zip((left, right), axes.T, strict=True):
        trajectories(inside, above, step)
        readout(inside, below, step=step or inside.task.steps)
        below.set_title(f"{as_text(inside.name)}: readout", fontsize=10, pad=16)
    axes[1, 1].set_ylabel("")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    lines = {label: line for line, label in zip(handles, labels, strict=True) if label in left.cue_names}
    look = {"linestyle": "none", "markeredgecolor": "black", "markersize": 8}
    marks = {
        "end of the cue": {"marker": "^", "markerfacecolor": "0.6"} | look | {"markeredgecolor": "white"},
        "end of the memory": {"marker": "s", "markerfacecolor": "0.6"} | look | {"markeredgecolor": "white"},
        _POINTS[True]: {"marker": "o", "markerfacecolor": "black"} | look,
        _POINTS[False]: {"marker": "o", "markerfacecolor": "white"} | look,
    }
    lines |= {name: plt.Line2D([], [], **mark) for name, mark in marks.items()}
    figure.legend([*lines.values()], [*lines], loc="outside lower center", ncols=8, frameon=False, fontsize=9)
    return figure


# Cuts

_CUT_TICKS = {
    "diagonal": "self-\nconnections", "within communities": "within", "between communities": "between"
}  # fmt: skip


def cuts_figure(table: pd.DataFrame) -> Figure:
    """Draw the accuracies of cut networks by task, beside the ceilings; a mark per network.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.figures.inside_parts.cut_table`.
    """
    tasks = [*dict.fromkeys(table.index.get_level_values("task"))]
    figure, axes = plt.subplots(
        1, len(tasks), figsize=(1.6 + 3.1 * len(tasks), 4.3), sharey=True, squeeze=False, layout="constrained"
    )
    starts = [*dict.fromkeys(table.index.get_level_values("start"))]
    for task, ax in zip(tasks, axes[0], strict=True):
        draw_ceilings(ax, task, "test")
        for place, start in enumerate(starts):
            rows = table.xs(task, level="task").query("start == @start")[[*CUTS]].to_numpy()
            across = np.arange(len(CUTS)) + 0.16 * (place - (len(starts) - 1) / 2)
            look = START_LINES.get(start) or LINES[place % len(LINES)]
            look = look | {"linestyle": "none", "markersize": 7, "alpha": 0.9}
            for row in rows:
                ax.plot(across, row, **look, label=as_text(start))
        ax.set_xticks(range(len(CUTS)), ["nothing", *(_CUT_TICKS.get(cut, cut) for cut in CUTS[1:])], fontsize=9)
        ax.set_xlabel("connections that are cut")
        ax.set_title(title_of(task), fontsize=10)
        sns.despine(ax=ax)
    axes[0, 0].set(ylabel="accuracy", ylim=(-0.02, 1.04))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    known = {label.split(",")[0]: handle for handle, label in zip(handles, labels, strict=True)}
    figure.legend([*known.values()], [*known], loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    return figure


# Fixed points and time constants


def spectra_figure(matrices: Mapping[str, np.ndarray], steps: int) -> Figure:
    """Draw the eigenvalues of Jacobians beside the unit circle, and the time constants of the largest ones.

    Parameters
    ----------
    matrices : mapping of str to ndarray of shape (N, N)
        Jacobians by name.
    steps : int
        Length of the memory, drawn beside the time constants.
    """
    count = len(matrices)
    figure, axes = plt.subplots(1, count + 1, figsize=(3.0 * (count + 1), 3.9), layout="constrained")
    for (name, values), ax in zip(matrices.items(), axes, strict=False):
        sizes = np.abs(np.linalg.eigvals(values))
        spectrum(values, ax, f"all |λ| ≤ {sizes.max():.2f}:\n{name}")
        labels = f"eigenvalues, {(sizes > 1).sum()} outside the circle", "the largest"
        for line, label in zip(ax.lines[1:], labels, strict=False):
            line.set_label(label)
        ax.set_box_aspect(1)
    for ax in axes[1:count]:
        ax.set_ylabel("")
    time_constants(
        {name: float(np.abs(np.linalg.eigvals(values)).max()) for name, values in matrices.items()}, steps, axes[-1]
    )
    return figure


def time_constants(largest: Mapping[str, float], steps: int, ax: Axes) -> Axes:
    """Draw the time constant against the size of an eigenvalue, and mark some eigenvalues.

    Parameters
    ----------
    largest : mapping of str to float
        Sizes of eigenvalues by name. From 1 on there is no time constant; these are marked at the upper edge.
    steps : int
        Length of the memory.
    ax : Axes
    """
    top = 200.0
    sizes = np.linspace(0.3, np.exp(-1 / top), 400)
    ax.plot(sizes, time_constant(sizes), color="0.3", linewidth=1.6)
    ax.axhline(steps, color="0.35", linestyle="--", linewidth=1)
    ax.annotate(f"the memory: {steps} steps", (0.31, steps), (0, 3), textcoords="offset points", fontsize=8)
    ax.axvspan(1, 1.35, color="0.9", linewidth=0)
    ax.annotate("grows", (1.175, 0.5), xycoords=ax.get_xaxis_transform(), ha="center", rotation=90, fontsize=9)
    for (name, size), look in zip(largest.items(), LINES, strict=False):
        at = min(float(time_constant(size)), top)
        ax.plot(
            min(size, 1.33), at, look["marker"], color=look["color"], markersize=9, label=as_text(name), clip_on=False
        )
    ax.set_yscale("log")
    ax.set(xlim=(0.3, 1.35), ylim=(0.8, top), xlabel="|eigenvalue|", ylabel="time constant (steps)")
    ax.set_box_aspect(1)
    ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.22), frameon=False)
    sns.despine(ax=ax)
    return ax


def delays(table: pd.DataFrame, trained: int, ax: Axes) -> Axes:
    """Draw the accuracy of networks against the length of the delay, and mark the one of their training.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.figures.inside_parts.delay_table`.
    trained : int
        Delay of the training, in steps.
    ax : Axes
    """
    for place, (name, accuracy) in enumerate(table.items()):
        look = START_LINES.get(name) or LINES[place % len(LINES)]
        wide = 1.5 + 1.8 * (len(table.columns) - 1 - place)  # so that curves on top of each other are all seen
        ax.plot(table.index, accuracy, **look | {"marker": "", "linestyle": "-"}, linewidth=wide, label=as_text(name))
    ax.axvline(trained, color="0.35", linewidth=1)
    ax.annotate(f"trained: {trained}", (trained, 1.14), (4, 0), textcoords="offset points", fontsize=9, va="center")
    ax.set(xlabel="delay (steps)", ylabel="accuracy", ylim=(-0.06, 1.2))
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.legend(fontsize=8, ncols=len(table.columns), loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False)
    sns.despine(ax=ax)
    return ax


# Decoding


def decoding_figure(tables: Mapping[str, pd.DataFrame], task: Task | str, cues: int) -> Figure:
    """Draw how well the cue is decoded over a trial, with one Axes per table.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        From :func:`biornn_lite.figures.inside_parts.decoding_table`, by name.
    task : Task or str
    cues : int
        Number of cues; the line of chance is at 1 / cues.
    """
    columns = min(2, len(tables))
    rows = -(-len(tables) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(5.2 * columns, 0.7 + 2.5 * rows), sharey=True, squeeze=False, layout="constrained"
    )
    for (name, table), ax in zip(tables.items(), axes.flat, strict=False):
        shade_phases(get_task(task), ax)
        ax.axhline(1 / cues, color="0.35", linestyle=":", linewidth=1.2, label=f"chance, {1 / cues:g}")
        for group, look in GROUP_LINES.items():
            # The widest line is that of all units: the others often lie on it.
            wide = {"markersize": 8, "linewidth": 5, "alpha": 0.5} if group == "all" else {"markersize": 4.5}
            ax.plot(table.index, table[group], label=group, **{"linewidth": 1.6} | wide | look)
        ax.set_title(as_text(name), fontsize=10, pad=16)
        ax.set(xlim=(0.5, get_task(task).steps + 0.5), ylim=(0, 1.04))
        sns.despine(ax=ax)
    for ax in axes.flat[len(tables) :]:
        ax.axis("off")
    for ax in axes[:, 0]:
        ax.set_ylabel("cue decoded (share)")
    for ax in axes[-1]:
        ax.set_xlabel("step")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure


# Tuning and space


def space_figure(
    positions: np.ndarray, tunings: np.ndarray, index: np.ndarray, cues: Sequence[str], title: str
) -> Figure:
    """Draw where units sit and what they prefer, and how unlike pairs are tuned by their distance.

    Parameters
    ----------
    positions : ndarray, shape (N, 3)
        µm.
    tunings : ndarray, shape (units, cues)
    index : ndarray of int, shape (units,)
        Both as from :func:`biornn_lite.memory.tuning`.
    cues : sequence of str
    title : str
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    mine, silent = positions[index], np.delete(positions, index, axis=0)
    left.plot(silent[:, 0], silent[:, 1], "x", color="0.6", markersize=5, label="silent")
    best = tunings.argmax(1)
    strength = np.sort(tunings, axis=1)
    strength = strength[:, -1] - strength[:, -2]
    for cue, (name, colour) in enumerate(zip(cues, CUE_COLOURS, strict=False)):
        size = 12 + 100 * (strength / max(strength.max(), 1e-12))[best == cue]
        look = {"color": colour, "marker": CUE_MARKERS[cue], "alpha": 0.75, "linewidth": 0}
        left.scatter(*mine[best == cue][:, :2].T, s=size, label=name, **look)
    left.invert_yaxis()
    left.set(xlabel="x (µm)", ylabel="depth, y (µm)")
    left.set_title("preferred cue; area: how much it is preferred", fontsize=10)
    left.legend(fontsize=8, loc="best", framealpha=0.9)
    far, unlike = pdist(mine), pdist(tunings)
    right.plot(far, unlike, ".", color=BLUE, markersize=2, alpha=0.25)
    edges = np.quantile(far, np.linspace(0, 1, 9))
    bins = np.clip(np.digitize(far, edges) - 1, 0, 7)
    middle, mean = ([values[bins == k].mean() for k in range(8)] for values in (far, unlike))
    right.plot(middle, mean, "o-", color=DARK, linewidth=2, label="mean of an eighth of the pairs")
    right.set(xlabel="distance of two units (µm)", ylabel="distance of their tunings (SD)", ylim=(0, None))
    right.set_title(as_text(title), fontsize=10)
    right.legend(fontsize=8, framealpha=0.9)
    sns.despine(figure)
    return figure


# Representations


def dissimilarities_figure(distances: Mapping[str, np.ndarray], cues: Sequence[str]) -> Figure:
    """Draw the distances between all conditions of networks side by side.

    Parameters
    ----------
    distances : mapping of str to ndarray of shape (pairs,)
        From :func:`biornn_lite.representations.dissimilarity`, by name of the network.
    cues : sequence of str
        A condition is a cue at one of the four times.
    """
    figure, axes = plt.subplots(
        1, len(distances), figsize=(1.6 + 2.4 * len(distances), 3.0), squeeze=False, layout="constrained"
    )
    labels = [f"{cue}, {time}" for cue in cues for time in TIMES]
    for place, ((name, pairs), ax) in enumerate(zip(distances.items(), axes[0], strict=True)):
        image = ax.imshow(squareform(pairs), cmap="viridis", vmin=0, vmax=2, interpolation="nearest")
        ax.set_title(as_text(name), fontsize=10)
        for edge in np.arange(len(TIMES), len(labels), len(TIMES)) - 0.5:
            ax.axhline(edge, color="white", linewidth=1.2)
            ax.axvline(edge, color="white", linewidth=1.2)
        ax.set_xticks([])
        ax.set_xlabel("the same order", fontsize=8)
        ax.set_yticks(range(len(labels)), labels if place == 0 else [], fontsize=7)
        ax.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="1 − correlation", shrink=0.8, ticks=(0, 1, 2))
    return figure


def similarities(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw the similarities of representations of all pairs of networks, a square table, with their numbers."""
    sns.heatmap(
        table, vmin=-1, vmax=1, cmap="PuOr", annot=True, fmt=".2f", annot_kws={"fontsize": 8}, square=True, ax=ax,
        cbar_kws={"label": "similarity (Spearman's correlation)", "ticks": (-1, 0, 1), "shrink": 0.8},
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, labelsize=8)
    ax.set_xticklabels(ax.get_xticklabels(), rotation=40, ha="right")
    return ax
