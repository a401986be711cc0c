"""Figures. Each function takes the Axes to draw on and returns them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from .field import CorticalField
from .summary import ceilings, reported_accuracy
from .tasks import TASKS
from .training import Trained
from .variants import PUBLISHED_VARIANTS, get_variant

COLOURS = {"orthogonal": "#444444", "functional": "#0173b2", "relabelled": "#de8f05"}
"""One colour per kind of initial weights, which differ in lightness too."""

MARKERS = {"orthogonal": "s", "functional": "o", "relabelled": "^"}
"""And one marker."""

WEIGHT_LABELS = {
    "orthogonal": "W, orthogonal",
    "functional": "W*, functional",
    "relabelled": "W!, relabelled",
}


LONGEST_NAME, LONGEST_TITLE = 80, 160
"""Letters of a name and of a title that a figure shows."""


def as_text(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text of others for a figure, which shows it as it is: not as a formula, and not too long.

    Matplotlib takes what stands between two dollar signs for a formula, and hides labels that begin with ``_``.

    Parameters
    ----------
    text : str
        Such as the name of a field.
    longest : int
        Letters that are shown; of a longer text, the middle is left out.
    """
    if len(text) > longest:
        text = f"{text[: longest - longest // 2 - 2]} … {text[1 - longest // 2 :]}"
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def draw_ceilings(ax: Axes, task: str, reported: str, upright: bool = False) -> None:
    """Draw what a task allows without memory and at best as lines, along y or `upright` along x."""
    line = ax.axvline if upright else ax.axhline
    for ceiling, style, label in zip(
        ceilings(task, reported), (":", "--"), ("without memory", "best possible"), strict=True
    ):
        line(ceiling, color="0.35", linestyle=style, linewidth=1.2, label=f"{label}, {ceiling:.3f}")


MEASURE_LABELS = {
    "accuracy": "accuracy",
    "entropy": "entropy of the weights (bits)",
    "modularity": "modularity Q",
    "small_worldness": "small-worldness (ratio to null)",
    "assortativity": "degree assortativity (correlation)",
}
"""What the axis of each measure says."""


def by_variant(results: pd.DataFrame, task: str, ax: Axes, measure: str = "accuracy") -> Axes:
    """Draw one measure of every run of one task by variant: a point per run, a bar at the median.

    Parameters
    ----------
    results : DataFrame
        A results table; runs that diverged are named below, not drawn.
    task : str
    ax : Axes
    measure : str
        A key of :data:`MEASURE_LABELS`. With ``accuracy`` come the task's ceilings.
    """
    rows = results[results["task"] == task].assign(accuracy=reported_accuracy(results))
    present = set(rows["variant"])
    variants = [v for v in PUBLISHED_VARIANTS if v in present] + sorted(present - set(PUBLISHED_VARIANTS))
    for place, variant in enumerate(variants):
        mine = rows[rows["variant"] == variant]
        values = mine.loc[mine["status"] == "ok", measure].dropna().to_numpy()
        kind = get_variant(variant).weights
        spread = np.linspace(-0.22, 0.22, len(values)) if len(values) > 1 else np.zeros(len(values))
        ax.plot(place + spread, values, MARKERS[kind], color=COLOURS[kind], markersize=5, alpha=0.8)
        if len(values):
            ax.plot([place - 0.35, place + 0.35], [np.median(values)] * 2, color=COLOURS[kind], linewidth=2.5)
        diverged = (mine["status"] == "diverged").sum()
        if diverged:
            ax.text(
                place, 0.03, f"{diverged} diverged", rotation=90, ha="center", va="bottom", fontsize=8,
                transform=ax.get_xaxis_transform(),
            )  # fmt: skip
    label = MEASURE_LABELS[measure]
    if measure == "accuracy":
        reported = rows["reported_accuracy"].iloc[0]
        draw_ceilings(ax, task, reported)
        ax.set_ylim(0, 1.04)
        label = ("training" if reported == "train" else "test") + " accuracy"
    ax.set_xticks(range(len(variants)), variants, rotation=60, ha="right")
    ax.set_xlim(-0.6, len(variants) - 0.4)
    ax.set_ylabel(label)
    ax.set_title(TASKS[task].title)
    sns.despine(ax=ax)
    return ax


def weights_handles(results: pd.DataFrame) -> list[plt.Line2D]:
    """Return legend entries for the kinds of initial weights that a results table holds."""
    kinds = dict.fromkeys(get_variant(v).weights for v in results["variant"])
    return [plt.Line2D([], [], marker=MARKERS[k], color=COLOURS[k], label=WEIGHT_LABELS[k]) for k in kinds]


def accuracy_figure(results: pd.DataFrame, field: str) -> Figure:
    """Draw the accuracy by variant for each task side by side; `field` is the field's label for the title."""
    tasks = [task for task in TASKS if task in set(results["task"])]
    size = (1.5 + 4.2 * len(tasks), 4.6)
    figure, axes = plt.subplots(1, len(tasks), figsize=size, squeeze=False, layout="constrained")
    for ax, task in zip(axes[0], tasks, strict=True):
        by_variant(results, task, ax)
        ax.legend(loc="lower right", fontsize=8, framealpha=0.9)
    figure.legend(handles=weights_handles(results), frameon=False, loc="outside lower center", ncols=3)
    runs = results.groupby(["task", "variant"]).size().max()
    figure.suptitle(
        f"{as_text(field)}, protocol {as_text(results['protocol'].iloc[0])}: {runs} runs each, bars are medians",
        fontsize=11,
    )
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
        ax.plot(epochs, network.test_accuracy, style, color=colour, label=as_text(label) + note, markersize=5)
    draw_ceilings(ax, task, "test")
    ax.set_xlabel("epoch (40 batches of 128 trials)")
    ax.set_ylabel("test accuracy")
    ax.set_ylim(0, 1.04)
    ax.set_title(TASKS[task].title)
    ax.legend(loc="lower right", fontsize=8)
    sns.despine(ax=ax)
    return ax


def field_map(field: CorticalField, ax: Axes) -> Axes:
    """Draw the somata of a field face-on, as the microscope sees its plane, joined by their synapses.

    Parameters
    ----------
    field : CorticalField
    ax : Axes
    """
    x, z = field.positions[:, 0], field.positions[:, 2]
    ends = np.argwhere(field.connectome)  # (pairs, 2), from and to
    lines = np.stack([field.positions[ends[:, side]][:, [0, 2]] for side in (0, 1)], axis=1)
    ax.add_collection(LineCollection(lines, colors="0.6", linewidths=0.8, zorder=1))
    ax.scatter(x, z, s=22, color=COLOURS["functional"], zorder=2)
    ax.set_xlabel("x (µm)")
    ax.set_ylabel("z (µm)")
    ax.set_aspect("equal")
    ax.set_title(f"{as_text(field.label)}: {field.neurons} neurons, {len(ends)} connected pairs", fontsize=10)
    sns.despine(ax=ax)
    return ax


def matrix(
    values: np.ndarray, ax: Axes, title: str, label: str, limit: float | None = None, directed: bool = True
) -> Axes:
    """Draw a matrix over pairs of neurons.

    Parameters
    ----------
    values : ndarray, shape (N, N)
    ax : Axes
    title, label : str
        Of the Axes, and of the colour bar.
    limit : float, optional
        Where the colours end, the same on both sides of 0; the largest absolute value when left out.
    directed : bool
        Whether entry [i, j] goes from neuron i to neuron j, as weights do, or belongs to both alike.
    """
    limit = np.abs(values).max() if limit is None else limit
    image = ax.imshow(values, cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.8, extend="max" if values.max() > limit else "neither")
    ax.set_xlabel("to neuron" if directed else "neuron")
    ax.set_ylabel("from neuron" if directed else "neuron")
    ax.set_title(as_text(title, LONGEST_TITLE), fontsize=10)
    return ax


def spectrum(weights: np.ndarray, ax: Axes, title: str) -> Axes:
    """Draw the eigenvalues of a matrix in the complex plane, with the unit circle.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    ax : Axes
    title : str
    """
    values = np.linalg.eigvals(weights)
    largest = values[np.abs(values).argmax()]
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(angle), np.sin(angle), color="0.5", linewidth=1)
    ax.plot(values.real, values.imag, ".", color="#0173b2", markersize=4)
    if (np.abs(values) > 0.999 * np.abs(largest)).sum() <= 2:  # one, or a pair, and not a whole circle
        place = (largest.real, largest.imag)
        ax.plot(*place, "o", markersize=9, markerfacecolor="none", color="#de8f05")
        ax.annotate(f"{np.abs(largest):.2f}", place, textcoords="offset points", xytext=(0, 9), ha="center")
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("real part")
    ax.set_ylabel("imaginary part")
    ax.set_title(as_text(title, LONGEST_TITLE), fontsize=10)
    sns.despine(ax=ax)
    return ax
