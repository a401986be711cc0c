"""Figures. Each function takes the Axes to draw on and returns them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .statistics import ceilings, reported_accuracy
from .tasks import TASKS
from .training import Trained
from .variants import PUBLISHED_VARIANTS, get_variant

COLOURS = dict(
    zip(("orthogonal", "functional", "relabelled"), np.array(sns.color_palette("colorblind"))[[7, 0, 1]], strict=True)
)
"""One colour per kind of initial weights, distinguishable without colour vision by lightness too."""

WEIGHT_LABELS = {"orthogonal": "W, orthogonal", "functional": "W*, functional", "relabelled": "W!, relabelled"}


def _draw_ceilings(ax: Axes, task: str, reported: str) -> None:
    memoryless, best = ceilings(task, reported)
    ax.axhline(memoryless, color="0.35", linestyle=":", linewidth=1.2, label=f"without memory, {memoryless:.3f}")
    ax.axhline(best, color="0.35", linestyle="--", linewidth=1.2, label=f"best possible, {best:.3f}")


def accuracy(results: pd.DataFrame, task: str, ax: Axes) -> Axes:
    """Draw the accuracy of every run of one task by variant, with the task's ceilings and each median.

    Parameters
    ----------
    results : DataFrame
        A results table; runs that diverged are named below, not drawn.
    task : str
    ax : Axes
    """
    rows = results[results["task"] == task].assign(accuracy=reported_accuracy(results))
    present = set(rows["variant"])
    variants = [v for v in PUBLISHED_VARIANTS if v in present] + sorted(present - set(PUBLISHED_VARIANTS))
    reported = rows["reported_accuracy"].iloc[0]
    for place, variant in enumerate(variants):
        ok = rows[(rows["variant"] == variant) & (rows["status"] == "ok")]["accuracy"].to_numpy()
        colour = COLOURS[get_variant(variant).weights]
        spread = np.linspace(-0.22, 0.22, len(ok)) if len(ok) > 1 else np.zeros(len(ok))
        ax.plot(place + spread, ok, "o", color=colour, markersize=4.5, alpha=0.8)
        if len(ok):
            ax.plot([place - 0.35, place + 0.35], [np.median(ok)] * 2, color=colour, linewidth=2.5)
        diverged = int(((rows["variant"] == variant) & (rows["status"] == "diverged")).sum())
        if diverged:
            ax.text(place, 0.02, f"{diverged} diverged", rotation=90, ha="center", va="bottom", fontsize=8)
    _draw_ceilings(ax, task, reported)
    ax.set_xticks(range(len(variants)), variants, rotation=60, ha="right")
    ax.set_ylim(0, 1.04)
    ax.set_ylabel(("training" if reported == "train" else "test") + " accuracy")
    ax.set_title(TASKS[task].title)
    sns.despine(ax=ax)
    return ax


def accuracy_figure(results: pd.DataFrame, field: str) -> Figure:
    """Draw :func:`accuracy` for each task of a results table side by side; `field` is its label for the title."""
    tasks = [task for task in TASKS if task in set(results["task"])]
    figure, axes = plt.subplots(1, len(tasks), figsize=(1.5 + 4.2 * len(tasks), 4.6), squeeze=False, layout="constrained")
    for ax, task in zip(axes[0], tasks, strict=True):
        accuracy(results, task, ax)
        ax.legend(loc="lower right", fontsize=8, framealpha=0.9)
    kinds = dict.fromkeys(get_variant(v).weights for v in results["variant"])
    handles = [plt.Line2D([], [], marker="o", color=COLOURS[k], label=WEIGHT_LABELS[k]) for k in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    runs = results.groupby(["task", "variant"]).size().max()
    figure.suptitle(f"{field}, protocol {results['protocol'].iloc[0]}: {runs} runs each, bars are medians", fontsize=11)
    return figure


def learning(trained: Sequence[Trained], labels: Sequence[str], task: str, ax: Axes) -> Axes:
    """Draw the test accuracy of some networks over epochs, with the task's ceilings.

    Parameters
    ----------
    trained : sequence of Trained
    labels : sequence of str
    task : str
    ax : Axes
    """
    styles = zip(("o-", "s--", "^:", "D-."), sns.color_palette("colorblind"), strict=False)
    for network, label, (style, colour) in zip(trained, labels, styles, strict=False):
        epochs = np.arange(1, len(network.test_accuracy) + 1)
        note = " (diverged)" if network.diverged else ""
        ax.plot(epochs, network.test_accuracy, style, color=colour, label=label + note, markersize=5)
    _draw_ceilings(ax, task, "test")
    ax.set_xlabel("epoch (40 batches of 128 trials)")
    ax.set_ylabel("test accuracy")
    ax.set_ylim(0, 1.04)
    ax.set_title(TASKS[task].title)
    ax.legend(loc="lower right", fontsize=8)
    sns.despine(ax=ax)
    return ax
