"""Figures and panel of communicability as a random walk, for notebook 05."""

from __future__ import annotations

import math
from collections.abc import Mapping

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.linalg import expm

from ..communicability import NETWORKS, strengths_of, transitions
from ..field import CorticalField
from .panels import dropdown, figure_panel, slider
from .style import BLUE, LONGEST_TITLE, ORANGE, SMOOTH_LINES, as_text

LONGEST = 8
"""Maximum number of steps of a walk in the figure; a fraction of 1 in 900,000 walks is longer."""


def walker(field: CorticalField, steps: np.ndarray, start: int, ax: Axes, title: str) -> Axes:
    """Draw the probability that a walker is at each neuron, as colours of the somata seen face-on.

    Parameters
    ----------
    field : CorticalField
    steps : ndarray, shape (N,)
        Probability at each neuron.
    start : int
        Neuron at which the walk starts.
    ax : Axes
    title : str
    """
    x, z = field.positions[:, 0], field.positions[:, 2]
    order = np.argsort(steps)
    dots = ax.scatter(
        x[order],
        z[order],
        c=steps[order],
        vmin=0,
        vmax=steps.max() or 1,  # the walk may have ended
        cmap="Blues",
        s=34,
        edgecolors="0.6",
        linewidths=0.4,
    )
    ax.plot(x[start], z[start], "o", markersize=13, markerfacecolor="none", color=ORANGE, markeredgewidth=2)
    ax.figure.colorbar(dots, ax=ax, label="probability", shrink=0.8)
    ax.set(xlabel="x (µm)", ylabel="z (µm)", aspect="equal")
    ax.set_title(as_text(title, LONGEST_TITLE), fontsize=10)
    sns.despine(ax=ax)
    return ax


def where(steps: np.ndarray) -> str:
    """Say where a walker most likely is, given its probability at each neuron, shape (N,)."""
    if not steps.any():
        return "the walk has ended: no synapse onto another"
    return f"most likely at neuron {steps.argmax()}, p = {steps.max():.2g}"


def walk_figure(field: CorticalField, network: str = "nearby", start: int = 0, steps: int = 2) -> Figure:
    """Draw a random walk after some steps, the weight of walks of each length, and the resulting part of expm(P).

    Parameters
    ----------
    field : CorticalField
    network : str
        A key of :data:`biornn_lite.communicability.NETWORKS`.
    start : int
        Neuron at which the walk starts.
    steps : int
        From 0 to :data:`LONGEST`.
    """
    walk = transitions(strengths_of(field, network))  # (N, N)
    place = np.zeros(field.neurons)
    place[start] = 1.0
    summed = place.copy()
    for k in range(1, steps + 1):
        place = place @ walk
        summed = summed + place / math.factorial(k)
    whole = expm(walk)[start]
    figure, axes = plt.subplots(
        1, 3, figsize=(13, 3.9), layout="constrained", gridspec_kw={"width_ratios": [1.8, 1, 1]}
    )
    title = f"{where(place)}\nafter {steps} step{'s' * (steps != 1)} from neuron {start}"
    walker(field, place, start, axes[0], title)
    share = np.array([1 / math.factorial(k) for k in range(LONGEST + 1)]) / math.e
    colours = [BLUE if k <= steps else "0.8" for k in range(LONGEST + 1)]
    axes[1].bar(range(LONGEST + 1), share, color=colours)
    axes[1].set(xlabel="length of the walk k", ylabel="share, 1 / (e k!)")
    axes[1].set_title(f"walks of up to {steps}: {share[: steps + 1].sum():.3%}", fontsize=10)
    others = np.arange(field.neurons) != start
    axes[2].plot(whole[others], summed[others], "o", color=BLUE, markersize=4)
    top = whole[others].max() * 1.05
    if not top:
        top = 1.0
        axes[2].text(0.5, 0.5, "no walk reaches another neuron", ha="center", va="center", fontsize=9)
    axes[2].plot([0, top], [0, top], color="0.5", linewidth=1)
    axes[2].set(xlabel="expm(P), all walks", ylabel=f"walks of up to {steps}", xlim=(0, top), ylim=(-0.02 * top, top))
    axes[2].set_title(f"from neuron {start} to each other", fontsize=10)
    for ax in axes[1:]:
        sns.despine(ax=ax)
    figure.suptitle(f"{as_text(field.label)}: {NETWORKS[network]}", fontsize=11)
    return figure


def walk_panel(field: CorticalField) -> ipw.Widget:
    """Return a panel that shows a random walk step by step; see :func:`walk_figure`."""
    controls = {
        "network": dropdown("network", [(label, key) for key, label in NETWORKS.items()], "nearby"),
        "start": ipw.BoundedIntText(
            40 % field.neurons, min=0, max=field.neurons - 1, description="start", layout={"width": "11em"}
        ),
        "steps": slider("steps", 2, 0, LONGEST, 1),
    }
    return figure_panel(lambda **values: walk_figure(field, **values), controls)


def sorted_values(matrices: Mapping[str, np.ndarray], ax: Axes) -> Axes:
    """Draw the entries of matrices in decreasing order, on logarithmic axes.

    Parameters
    ----------
    matrices : mapping of str to ndarray, shape (N, N)
        The keys are names for the legend, which also gives the number of zeros. Zeros cannot be drawn on the axis.
    ax : Axes
    """
    for (label, values), line in zip(matrices.items(), SMOOTH_LINES, strict=False):
        entries = -np.sort(-values.ravel())
        above = entries[entries > 0]
        text = f"{as_text(label)} ({1 - len(above) / len(entries):.1%} are 0)"
        ax.plot(np.arange(1, len(above) + 1), above, linewidth=2, label=text, **line)
    ax.set(xscale="log", yscale="log", xlabel="rank among all pairs, from the largest", ylabel="communicability")
    ax.legend(fontsize=8, loc="upper right")
    sns.despine(ax=ax)
    return ax
