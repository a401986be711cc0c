"""Figures of a whole study: beside the published one, by what single choices do, and how its networks learned.

Each function takes the Axes to draw on and returns them. Notebooks 09 and 10 use them.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .errors import InputError
from .plots import (
    COLOURS,
    LONGEST_TITLE,
    MARKERS,
    MEASURE_LABELS,
    as_text,
    by_variant,
    draw_ceilings,
    weights_handles,
)
from .replication import compare_with_published
from .results import Results
from .statistics import epochs_to_learn, estimates, not_yet_learned, pairwise
from .summary import reported_accuracy
from .tasks import TASKS
from .variants import get_variant, isolating_pairs

PUBLISHED_FIELD = "6_6_2"
"""The field of the paper's tables."""

PUBLISHED_STYLE = {"color": "0.55", "marker": "D", "markerfacecolor": "white", "markersize": 5, "linewidth": 1.2}
CHOICE_LABELS = {
    "weights": "weights (W, W*, W!)",
    "space": "space (none, D, D*)",
    "communicability": "communicability (none, C, C*)",
}


def _interval(ax: Axes, low: float, mean: float, high: float, height: float, **style) -> None:
    """Draw a mean as a point and its interval as a line through it."""
    line = {key: style[key] for key in ("color", "linewidth") if key in style}
    ax.plot([low, high], [height, height], zorder=2, solid_capstyle="butt", **line)
    ax.plot([mean], [height], linestyle="none", zorder=3, **style)


def _as_published(networks: pd.DataFrame) -> bool:
    """Whether all rows are of the field, and of the protocol, of the paper's tables."""
    return bool((networks["field"] == PUBLISHED_FIELD).all() and (networks["protocol"] == "published").all())


def forest(networks: pd.DataFrame, task: str, ax: Axes, measure: str = "accuracy", published: bool = True) -> Axes:
    """Draw the mean of each variant with its 95 % t interval, beside the published one where there is one.

    Parameters
    ----------
    networks : DataFrame
        A table of networks of one study.
    task : str
    ax : Axes
    measure : str
        A key of :data:`biornn_lite.plots.MEASURE_LABELS`. Accuracy is that of the last training epoch, as
        published; with it come the task's ceilings.
    published : bool
        Draw the published numbers, if the rows are of field 6_6_2 and its published protocol; no other rows have
        any. Diverged runs are then drawn with the accuracy that the published code gives them; else they are left
        out. How many there were is written at the variant.
    """
    rows = networks[networks["task"] == task]
    published = published and _as_published(rows)
    if published:
        cells = compare_with_published(rows, measure).loc[task]
    else:
        column = "train_accuracy" if measure == "accuracy" else measure
        cells = estimates(rows, column).loc[task]
    diverged = (rows["status"] == "diverged").groupby(rows["variant"]).sum()
    for place, (variant, cell) in enumerate(cells.iterrows()):
        kind = get_variant(variant).weights
        if published and np.isfinite(cell["published_mean"]):
            ends = cell["published_low"], cell["published_mean"], cell["published_high"]
            _interval(ax, *ends, place + 0.17, **PUBLISHED_STYLE)
        ours = {"color": COLOURS[kind], "marker": MARKERS[kind], "markersize": 6, "linewidth": 2.2}
        if np.isfinite(cell["mean"]):
            low, high = (cell[end] if np.isfinite(cell[end]) else cell["mean"] for end in ("low", "high"))
            _interval(ax, low, cell["mean"], high, place - 0.17, **ours)
    names = [f"{v} ({diverged[v]} diverged)" if diverged[v] else v for v in cells.index]
    ax.set_yticks(range(len(cells)), names)
    ax.set_ylim(len(cells) - 0.5, -0.5)
    ax.grid(axis="y", color="0.93")
    ax.set_axisbelow(True)
    label = MEASURE_LABELS[measure]
    if measure == "accuracy":
        draw_ceilings(ax, task, "train", upright=True)
        label = "training accuracy, last epoch"
    ax.set_xlabel(f"{label} (mean, 95 % interval)", fontsize=9)
    ax.set_title(TASKS[task].title)
    sns.despine(ax=ax, left=True)
    return ax


def forest_figure(
    networks: pd.DataFrame, title: str, measure: str = "accuracy", published: bool = True, tasks: Sequence[str] = ()
) -> Figure:
    """Draw :func:`forest` for several tasks side by side; all of the study's where none is named."""
    tasks = list(tasks) or [task for task in TASKS if task in set(networks["task"])]
    size = (max(9, 2.4 + 4.3 * len(tasks)), 4.9)
    figure, axes = plt.subplots(1, len(tasks), figsize=size, squeeze=False, layout="constrained")
    for ax, task in zip(axes[0], tasks, strict=True):
        forest(networks, task, ax, measure, published)
        if measure == "accuracy":
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize=8, frameon=False)
    handles = weights_handles(networks)
    if published and _as_published(networks):
        handles.append(plt.Line2D([], [], label="published", **PUBLISHED_STYLE))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


TOLD_APART = {"color": "black", "marker": "D"}
NOT_TOLD_APART = {"color": "0.6", "marker": "D", "markerfacecolor": "white"}
"""Differences, in none of the colours that stand for weights."""


def effects(table: pd.DataFrame, measure: str, choice: str, ax: Axes) -> Axes:
    """Draw Cliff's delta for every pair of variants that differ in one choice and in nothing else.

    Parameters
    ----------
    table : DataFrame
        Rows of one task.
    measure : str
        A column of it.
    choice : {"weights", "space", "communicability"}
    ax : Axes
    """
    there = [v for v, group in table.groupby("variant", sort=False) if group[measure].notna().any()]
    pairs = isolating_pairs(choice, there)
    if not pairs:
        raise InputError(f"no two variants here differ in {choice} alone and have a value of {measure}")
    found = pairwise(table, measure, pairs)
    for place, row in found.iterrows():
        style = TOLD_APART if row["p_holm"] < 0.05 else NOT_TOLD_APART
        _interval(ax, row["low"], row["delta"], row["high"], place, linewidth=2.2, markersize=6, **style)
    ax.axvline(0, color="0.35", linewidth=1)
    ax.set_yticks(range(len(found)), [f"{a} over {b}" for a, b in pairs])
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.set_xlim(-1.08, 1.08)
    ax.set_xlabel("Cliff's delta and 95 % interval")
    ax.set_title(CHOICE_LABELS[choice], fontsize=10)
    sns.despine(ax=ax, left=True)
    return ax


def effects_figure(networks: pd.DataFrame, task: str, measure: str, choice: str, title: str) -> Figure:
    """Draw :func:`effects` of one choice and, beside it, the runs behind it.

    Parameters
    ----------
    networks : DataFrame
        A table of networks of one study; accuracy is what its protocol reports.
    task, measure, choice, title : str
    """
    table = networks[networks["task"] == task].assign(accuracy=reported_accuracy)
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.4), layout="constrained", gridspec_kw={"width_ratios": [1, 1.4]})
    effects(table, measure, choice, axes[0])
    by_variant(table, task, axes[1], measure)
    handles = [
        plt.Line2D([], [], label=label, **style)
        for style, label in (
            (TOLD_APART, "told apart: p < 0.05 after Holm's correction over these pairs"),
            (NOT_TOLD_APART, "not told apart"),
        )
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


STYLES = ("-", "--", "-.", ":")


def curves(results: Results, task: str, variants: Sequence[str], ax: Axes, accuracy: str = "test_accuracy") -> Axes:
    """Draw the accuracy of every run over the epochs, thin, and the mean of each variant, thick.

    Parameters
    ----------
    results : Results
        Of one study. Runs that diverged have no curve; the legend counts them.
    task : str
    variants : sequence of str
        At most four, which differ in line style too.
    ax : Axes
    accuracy : {"test_accuracy", "train_accuracy"}
    """
    rows = results.curves[results.curves["task"] == task]
    networks = results.networks[results.networks["task"] == task]
    palette = sns.color_palette("colorblind")
    for variant, style, colour in zip(variants, STYLES, palette, strict=False):
        mine = rows[rows["variant"] == variant].pivot_table(accuracy, "epoch", "run")
        status = networks.loc[networks["variant"] == variant, "status"]
        lost = (status == "diverged").sum()
        label = f"{as_text(variant)}, {len(status)} runs" + (f", {lost} diverged" if lost else "")
        ax.plot(mine.index, mine, style, color=colour, linewidth=0.7, alpha=0.35)
        ax.plot(mine.index, mine.mean(axis=1), style, color=colour, linewidth=2.6, label=label)
    draw_ceilings(ax, task, accuracy.removesuffix("_accuracy"))
    ax.set_xlabel("epoch (40 batches of 128 trials)")
    ax.set_ylabel(accuracy.replace("train_", "training ").replace("_", " "))
    ax.set_ylim(0, 1.04)
    ax.set_title(TASKS[task].title)
    ax.legend(loc="lower right", fontsize=8)
    sns.despine(ax=ax)
    return ax


def waiting(found: pd.DataFrame, variants: Sequence[str], ax: Axes) -> Axes:
    """Draw the share of networks that have not learned yet, epoch by epoch (Kaplan–Meier).

    Parameters
    ----------
    found : DataFrame
        Rows of :func:`biornn_lite.statistics.epochs_to_learn`, all of one task.
    variants : sequence of str
        At most four.
    ax : Axes
    """
    palette = sns.color_palette("colorblind")
    for variant, style, colour in zip(variants, STYLES, palette, strict=False):
        mine = found[found["variant"] == variant]
        share = not_yet_learned(mine)
        ax.step(
            share.index, share, style, where="post", color=colour, linewidth=2.2,
            label=f"{as_text(variant)}: {mine['learned'].sum()} of {len(mine)} learned",
        )  # fmt: skip
    ax.set_xlabel("epoch")
    ax.set_ylabel("share of runs below 90 % of the ceiling")
    ax.set_ylim(-0.03, 1.03)
    ax.legend(loc="lower left", fontsize=8)
    sns.despine(ax=ax)
    return ax


def learning_figure(results: Results, task: str, variants: Sequence[str], title: str) -> Figure:
    """Draw the curves of some variants and, beside them, how long their runs took to learn."""
    there = results.networks["variant"].unique()
    if missing := set(variants) - set(there):
        raise InputError(f"this study has no {', '.join(sorted(missing))}; it has {', '.join(there)}")
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.2), layout="constrained")
    curves(results, task, variants, axes[0])
    waiting(epochs_to_learn(*results).query("task == @task"), variants, axes[1])
    axes[1].set_title("reaching 90 % of the best possible test accuracy", fontsize=10)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure
