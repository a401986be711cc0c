"""Figures of graphs, of what is measured on them, and of how that goes with accuracy, for notebook 08."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from scipy.stats import gaussian_kde

from . import topology
from .graphs import SCORES, communities, model_graph, random_graphs, scores_of
from .plots import COLOURS, LONGEST_TITLE, MARKERS, MEASURE_LABELS, WEIGHT_LABELS, as_text
from .relations import beyond_variants, relation
from .tasks import TASKS
from .training_widgets import STYLES
from .variants import get_variant

BLUE, ORANGE = "#0173b2", "#de8f05"
GROUP_COLOURS = ("#0173b2", "#ece133", "#000000", "#d55e00")
"""Of groups of neurons; they differ in lightness too."""


def _before(title: str) -> str:
    """Return a title and a comma, to stand before what is measured."""
    return f"{as_text(title, LONGEST_TITLE)}, " if title else ""


def as_built(adjacency: np.ndarray, ax: Axes) -> Axes:
    """Draw a graph as a matrix, with its edges, density and degrees.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
    ax : Axes
    """
    n, degree = len(adjacency), adjacency.sum(axis=0)
    ax.imshow(adjacency, cmap="Greys", interpolation="nearest", vmin=0, vmax=1)
    ax.set(xlabel="neuron, as built", ylabel="neuron, as built")
    edges = degree.sum() // 2
    density = degree.sum() / (n * (n - 1))
    ax.set_title(f"{edges} edges, density {density:.3f}, degrees {degree.min()} to {degree.max()}", fontsize=10)
    return ax


def reordered(
    adjacency: np.ndarray, ax: Axes, title: str = "", groups: np.ndarray | None = None, group_label: str = "group"
) -> Axes:
    """Draw a graph as a matrix, its neurons ordered by community and each community framed.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
        With at least one edge.
    ax : Axes
    title : str
        Goes before Q.
    groups : ndarray of int, shape (N,), optional
        A number of each neuron, from 0 to 3; drawn as a colour on the left, within each community in its order.
    group_label : str
        What a legend calls it.
    """
    found = communities(adjacency)
    if groups is not None:
        found = [members[np.argsort(groups[members], kind="stable")] for members in found]
    order = np.concatenate(found)
    ax.imshow(adjacency[np.ix_(order, order)], cmap="Greys", interpolation="nearest", vmin=0, vmax=1)
    first = 0
    for community in found:
        if len(community) > 1:
            square = (first - 0.5, first - 0.5), len(community), len(community)
            ax.add_patch(Rectangle(*square, fill=False, edgecolor=ORANGE, linewidth=2))
        first += len(community)
    ax.set(xlabel="neuron, by community", ylabel="neuron, by community")
    if groups is not None:
        _strip(groups[order], ax, group_label)
    q = nx.community.modularity(nx.from_numpy_array(adjacency), [set(map(int, c)) for c in found])
    large = sum(len(community) > 1 for community in found)
    alone = f", {len(found) - large} alone" if large < len(found) else ""
    ax.set_title(f"{_before(title)}Q = {q:.3f}, {large} communities{alone}", fontsize=10)
    return ax


def _strip(groups: np.ndarray, ax: Axes, label: str) -> None:
    """Draw the group of each row as a strip of colours on the left of a matrix, with a legend below."""
    n, width = len(groups), 0.06 * len(groups)
    colours = np.array([to_rgb(colour) for colour in GROUP_COLOURS])
    ends = (-0.5 - width, -0.5, n - 0.5, -0.5)
    ax.imshow(colours[groups][:, None], extent=ends, interpolation="nearest", aspect="equal")
    ax.set(xlim=(ends[0], n - 0.5), ylim=(n - 0.5, -0.5))
    handles = [Patch(color=GROUP_COLOURS[k], label=f"{label} {k}") for k in np.unique(groups)]
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=len(handles), frameon=False)


def degrees_at_ends(adjacency: np.ndarray, ax: Axes, title: str = "") -> Axes:
    """Draw how many edges have which degrees at their ends, each once in either direction, and the line through them.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
        With at least one edge.
    ax : Axes
    title : str
        Goes before the assortativity.
    """
    degree = adjacency.sum(axis=0)
    pairs = degree[np.argwhere(adjacency)]  # (2 * edges, 2)
    low, high = pairs.min() - 1, pairs.max() + 1
    counts = np.zeros((high - low + 1, high - low + 1), dtype=int)
    np.add.at(counts, tuple(pairs.T - low), 1)
    sides = low - 0.5, high + 0.5
    image = ax.imshow(counts, cmap="Blues", origin="lower", extent=(*sides, *sides), interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label="edges, either way", shrink=0.8)
    r = topology.assortativity(adjacency)
    if np.isfinite(r):
        mean, ends = pairs.mean(), np.array(sides)
        ax.plot(ends, mean + r * (ends - mean), color=ORANGE, linewidth=2)
    ax.set(xlim=sides, ylim=sides, xlabel="degree at one end", ylabel="degree at the other")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    said = f"{r:+.3f}" if np.isfinite(r) else "not defined"
    ax.set_title(f"{_before(title)}assortativity {said}", fontsize=10)
    sns.despine(ax=ax)
    return ax


def weights_on_the_grid(weights: np.ndarray, ax: Axes, title: str = "", points: int = 100) -> Axes:
    """Draw the kernel density estimate of weights at equidistant points between the extremes, and its entropy.

    Parameters
    ----------
    weights : ndarray
        Not all equal.
    ax : Axes
    title : str
        Goes before the entropy.
    points : int
    """
    values = np.ravel(weights).astype(np.float64)
    grid = np.linspace(values.min(), values.max(), points)
    share = gaussian_kde(values)(grid)
    ax.bar(grid, share / share.sum(), width=grid[1] - grid[0], color=BLUE)
    ax.set(xlabel=f"weight, at {points} points", ylabel="share of the density", ylim=(0, None))
    said = f"{topology.entropy(values, points):.2f} bits"
    ax.set_title(f"{_before(title)}entropy {said}", fontsize=10)
    sns.despine(ax=ax)
    return ax


def rewiring_figure(neurons: int = 96, density: float = 0.18, draws: int = 3) -> Figure:
    """Draw what shuffling a ring does to clustering and efficiency, and to small-worldness by either null.

    Parameters
    ----------
    neurons : int
    density : float
    draws : int
        Graphs to average at each step.
    """
    shuffled = np.concatenate([[0.001], np.geomspace(0.003, 1, 14)])
    rows = []
    for p in shuffled:
        graphs = [model_graph("ring", neurons, density, p, seed) for seed in range(draws)]
        parts = [(topology.clustering(g), topology.efficiency(g)) for g in graphs]
        null = topology.null(neurons)
        ratios = [
            (topology.small_worldness(g, null), topology.small_worldness(g, topology.null_of_own_density(g)))
            for g in graphs
        ]
        rows.append(np.mean(np.hstack([parts, ratios]), axis=0))
    clustering, efficiency, published, matched = np.transpose(rows)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    axes[0].plot(shuffled, clustering, "-", color=BLUE, linewidth=2, label="clustering")
    axes[0].plot(shuffled, efficiency, "--", color=ORANGE, linewidth=2, label="efficiency")
    axes[0].set(ylabel="clustering, efficiency", ylim=(0, 0.8), title="a ring with shortcuts")
    axes[1].plot(shuffled, matched, "-", color=BLUE, linewidth=2, label="null of its own density")
    axes[1].plot(shuffled, published, "--", color=ORANGE, linewidth=2, label="published null")
    axes[1].axhline(1, color="0.35", linewidth=1)
    axes[1].set(ylabel="small-worldness", ylim=(0, None), title="measured by either null")
    for ax in axes:
        ax.set(xscale="log", xlabel="share of edges shuffled")
        ax.set_title(ax.get_title(), fontsize=10)
        ax.legend(fontsize=8, loc="lower left")
        sns.despine(ax=ax)
    figure.suptitle(f"{neurons} neurons, density {density:.2f}, means of {draws} draws", fontsize=11)
    return figure


def epochs_figure(tables: Mapping[str, pd.DataFrame], title: str = "", neurons: int = 96, random: int = 20) -> Figure:
    """Draw all measures of networks through the epochs, with the range of random graphs behind them.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        What :func:`biornn_lite.graphs.measured` returns, by what the legend calls the networks.
    title : str
    neurons : int
        Of each network.
    random : int
        How many random graphs, of density 0.19; grey from the lowest to the highest.
    """
    names = (*SCORES, "entropy")
    figure, axes = plt.subplots(1, len(names), figsize=(13.5, 2.9), layout="constrained")
    plain = pd.DataFrame([scores_of(graph) for graph in random_graphs(neurons, 0.19, random)])
    for ax, name in zip(axes, names, strict=True):
        if name in plain:
            ax.axhspan(
                plain[name].min(),
                plain[name].max(),
                color="0.85",
                label=f"{random} random graphs,\ndensity 0.19: range",
            )
        for (label, table), (style, colour) in zip(tables.items(), STYLES, strict=False):
            ax.plot(table.index, table[name], style[1:], color=colour, linewidth=2, label=as_text(label))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel="epoch", ylabel=SCORES.get(name, "entropy (bits)"))
        sns.despine(ax=ax)
    for ax in axes[2:4]:
        ax.axhline(1, color="0.35", linewidth=1)
        ax.set_ylim(0, None)
    axes[4].set_ylim(0, np.log2(100))
    axes[0].legend(fontsize=8)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


def relation_figure(networks: pd.DataFrame, task: str, measure: str, accuracy: str = "test_accuracy") -> Figure:
    """Draw a measure and accuracy, of all networks of a task and as deviations from their variants' means.

    Parameters
    ----------
    networks : DataFrame
        A table of networks of one study.
    task, measure, accuracy : str
    """
    table = networks[networks["task"] == task].dropna(subset=[measure, accuracy])
    found = relation(table, measure, accuracy)
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
    kinds = np.array([get_variant(variant).weights for variant in table["variant"]])
    parts = table[[measure, accuracy]], beyond_variants(table, [measure, accuracy])
    for ax, values in zip(axes, parts, strict=True):
        for kind in dict.fromkeys(kinds):
            style = {
                "color": COLOURS[kind],
                "markerfacecolor": "none",
                "markersize": 5,
                "alpha": 0.6,
                "label": WEIGHT_LABELS[kind],
            }
            ax.plot(*values[kinds == kind].to_numpy().T, MARKERS[kind], linestyle="none", **style)
        sns.despine(ax=ax)
    label = accuracy.replace("train_", "training ").replace("_", " ")
    axes[0].set(xlabel=MEASURE_LABELS[measure], ylabel=label)
    axes[0].set_title(f"all {len(table)} networks: correlation {found.overall:+.2f}", fontsize=10)
    axes[0].legend(fontsize=8)
    axes[1].set(xlabel=f"{MEASURE_LABELS[measure]}, minus the variant's mean", ylabel=f"{label}, minus the mean")
    axes[1].set_title(f"within variants: {found.within:+.2f} (p = {found.p:.2g})", fontsize=10)
    figure.suptitle(f"field {as_text(table['field'].iloc[0])}, {TASKS[task].title}", fontsize=11)
    return figure
