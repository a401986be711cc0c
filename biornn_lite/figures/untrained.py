"""Figures and panel of growing activity in untrained networks, for notebook 10."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..tasks import get_task
from ..untrained import LARGEST, LARGEST_GRADIENT, activity_by_step, first_step, positive_weights
from ..weights import spectral_radius
from .panels import TASK_OPTIONS, dropdown, figure_panel, slider
from .style import LINES, LONGEST_TITLE, as_text


def growth(activities: Mapping[str, np.ndarray], ax: Axes) -> Axes:
    """Draw mean activities over steps on a logarithmic axis, with the numerical limits of the computer.

    Parameters
    ----------
    activities : mapping of str to ndarray, shape (steps,)
        Results of :func:`biornn_lite.untrained.activity_by_step`; the keys are names for the legend.
    ax : Axes
    """
    for (label, activity), line in zip(activities.items(), LINES, strict=False):
        steps = np.arange(1, len(activity) + 1)
        kept = np.isfinite(activity) & (activity > 0)
        lost = np.flatnonzero(~np.isfinite(activity))
        note = f", not finite from step {steps[lost[0]]}" if len(lost) else ""
        ax.plot(steps[kept], activity[kept], markersize=4, label=as_text(label, LONGEST_TITLE) + note, **line)
        if len(lost):
            ax.plot(steps[lost[0]], LARGEST, "X", color=line["color"], markersize=11, clip_on=False)
    ax.axhline(LARGEST, color="0.35", linestyle="--", linewidth=1.2)
    ax.axhline(LARGEST_GRADIENT, color="0.35", linestyle=":", linewidth=1.2)
    for height, text in ((LARGEST, "largest number"), (LARGEST_GRADIENT, "largest gradient that Adam can keep")):
        ax.text(1, height, f" {text}, {height:.1e}", va="bottom", fontsize=8)
    ax.set_yscale("log")
    ax.set_ylim(1e-4, 1e42)
    ax.set_xlabel("step")
    ax.set_ylabel("mean activity")
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.86), fontsize=8, framealpha=0.9)
    sns.despine(ax=ax)
    return ax


def growth_figure(neurons: int, task: str, radius: float | None = None, seed: int = 0) -> Figure:
    """Draw activity with an orthogonal matrix clipped at 0, unscaled and scaled to a spectral radius.

    Parameters
    ----------
    neurons : int
    task : str
    radius : float, optional
        Spectral radius of the second matrix. Default: no second matrix.
    seed : int
    """
    clipped = positive_weights(neurons, seed)
    matrices = {f"clipped, spectral radius {spectral_radius(clipped):.2f}": clipped}
    if radius is not None:
        matrices[f"scaled to {radius:.2f}"] = positive_weights(neurons, seed, radius)
    fates = [first_step(weights, get_task(task), seed).fate for weights in matrices.values()]
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    activities = [activity_by_step(weights, get_task(task), seed) for weights in matrices.values()]
    labels = [f"{label}: {fate}" for label, fate in zip(matrices, fates, strict=True)]
    growth(dict(zip(labels, activities, strict=True)), ax)
    task = get_task(task)
    ax.set_title(f"{task.title}, {task.steps} steps, {neurons} neurons, before training", fontsize=11)
    return figure


def growth_panel() -> ipw.Widget:
    """Return a panel to change size, task and spectral radius; see :func:`growth_figure`."""
    controls = {
        "neurons": ipw.IntSlider(
            96, min=20, max=320, step=4, description="neurons", continuous_update=False, layout={"width": "26em"}
        ),
        "radius": slider("scaled to radius", 0.95, 0.5, 3.0, 0.05),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
    }
    return figure_panel(growth_figure, controls)
