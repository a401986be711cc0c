"""Figures and panels of graphs, for notebooks 08 and 08b."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import ipywidgets as ipw
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from .. import topology
from ..results import in_order, learned
from ..snapshots import Snapshot
from ..statistics import beyond_variants, relation
from ..tasks import title_of
from ..topology import MODELS, SCORES, communities, model_graph, random_graphs, scores_of
from .drawn import rounded, say
from .panels import dropdown, figure_panel, slider
from .style import (
    BLUE,
    COLOURS,
    LONGEST_TITLE,
    MARKERS,
    MEASURE_LABELS,
    ORANGE,
    SMOOTH_LINES,
    WEIGHT_LABELS,
    as_text,
    kind_of,
)

GROUP_COLOURS = (BLUE, "#ece133", "#000000", "#d55e00")
"""Colours of groups of neurons; they also differ in lightness."""


def _before(title: str) -> str:
    """Return a title and a comma, to be followed by a measure."""
    return f"{as_text(title, LONGEST_TITLE)}, " if title else ""


def as_built(adjacency: np.ndarray, ax: Axes) -> Axes:
    """Draw a graph as a matrix, with its edges, density and degrees.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
    ax : Axes
    """
    degree = adjacency.sum(axis=0)
    ax.imshow(adjacency, cmap="Greys", interpolation="nearest", vmin=0, vmax=1)
    ax.set(xlabel="neuron, as built", ylabel="neuron, as built")
    edges = degree.sum() // 2
    ax.set_title(
        f"{edges} edges, density {topology.density(adjacency):.3f}, degrees {degree.min()} to {degree.max()}",
        fontsize=10,
    )
    return ax


def reordered(
    adjacency: np.ndarray, ax: Axes, title: str = "", groups: np.ndarray | None = None, group_label: str = "group"
) -> Axes:
    """Draw a graph as a matrix, with neurons ordered by community and a frame around each community.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
        With at least one edge.
    ax : Axes
    title : str
        Text before Q.
    groups : ndarray of int, shape (N,), optional
        Group of each neuron, from 0 to 3, drawn as a colour on the left. Neurons within a community are sorted by
        group.
    group_label : str
        Name of the groups in the legend.
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
    """Draw the group of each row as a coloured strip on the left of a matrix, with a legend below."""
    n, width = len(groups), 0.06 * len(groups)
    colours = np.array([to_rgb(colour) for colour in GROUP_COLOURS])
    ends = (-0.5 - width, -0.5, n - 0.5, -0.5)
    ax.imshow(colours[groups][:, None], extent=ends, interpolation="nearest", aspect="equal")
    ax.set(xlim=(ends[0], n - 0.5), ylim=(n - 0.5, -0.5))
    ax.set_ylabel(f"strip: {label}; neuron, by community")
    handles = [Patch(color=GROUP_COLOURS[k], label=f"{label} {k}") for k in np.unique(groups)]
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=len(handles), frameon=False)


def degrees_at_ends(adjacency: np.ndarray, ax: Axes, title: str = "") -> Axes:
    """Draw the number of edges for each pair of degrees at their ends, in both directions, with a fitted line.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
        With at least one edge.
    ax : Axes
    title : str
        Text before the assortativity.
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
        Values that are not all equal.
    ax : Axes
    title : str
        Text before the entropy.
    points : int
    """
    values = np.ravel(weights).astype(np.float64)
    grid, share = topology.density_estimate(values, points)
    ax.bar(grid, share, width=grid[1] - grid[0], color=BLUE)
    ax.set(xlabel=f"weight, at {points} points", ylabel="share of the distribution", ylim=(0, None))
    said = f"{topology.entropy(values, points):.2f} bits"
    ax.set_title(f"{_before(title)}entropy {said}", fontsize=10)
    sns.despine(ax=ax)
    return ax


def rewiring_figure(neurons: int = 96, density: float = 0.18, draws: int = 3) -> Figure:
    """Draw how shuffling a ring changes clustering, efficiency, and small-worldness with both nulls.

    Parameters
    ----------
    neurons : int
    density : float
        The ring has the nearest even number of neighbours; the title gives the density that comes out.
    draws : int
        Number of graphs to average at each step.
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
    edges, dense = graphs[0].sum() // 2, topology.density(graphs[0])  # shuffling keeps both
    figure.suptitle(f"{neurons} neurons, {edges} edges (density {dense:.2f}), means of {draws} draws", fontsize=11)
    return figure


def epochs_figure(tables: Mapping[str, pd.DataFrame], title: str = "", neurons: int = 96, random: int = 20) -> Figure:
    """Draw all measures of networks over epochs, with the range for random graphs in the background, and a legend.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Results of :func:`biornn_lite.snapshots.measured`; the keys are names for the legend.
    title : str
    neurons : int
        Number of neurons in each network.
    random : int
        Number of random graphs of density 0.19; a grey band shows their range.
    """
    names = (*SCORES, "entropy")
    figure, axes = plt.subplots(2, 3, figsize=(12, 5.6), layout="constrained")
    *axes, for_legend = axes.flat
    plain = pd.DataFrame([scores_of(graph) for graph in random_graphs(neurons, 0.19, random)])
    for ax, name in zip(axes, names, strict=True):
        if name in plain:
            ax.axhspan(
                plain[name].min(),
                plain[name].max(),
                color="0.85",
                label=f"{random} random graphs,\ndensity 0.19: range",
            )
        for (label, table), line in zip(tables.items(), SMOOTH_LINES, strict=False):
            ax.plot(table.index, table[name], linewidth=2, label=as_text(label), **line)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel="epoch")
        ax.set_title(SCORES.get(name, "entropy").replace("\n", " "), fontsize=10)  # alternative texts keep it
        sns.despine(ax=ax)
    for ax in axes[2:4]:
        ax.axhline(1, color="0.35", linewidth=1)
        ax.set_ylim(0, None)
    axes[4].set(ylim=(0, np.log2(100)), ylabel="bits")
    say(figure, _of_epochs(tables, plain))
    for_legend.set_axis_off()
    for_legend.legend(*axes[0].get_legend_handles_labels(), loc="center", fontsize=10, frameon=False)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


def _of_epochs(tables: Mapping[str, pd.DataFrame], plain: pd.DataFrame) -> str:
    """Say where each line of :func:`epochs_figure` begins and ends, and the range for random graphs."""

    def ends(values: Sequence[float]) -> str:
        return " to ".join(
            f"{round(value, 2 if abs(value) < 1 else 1) + 0.0:g}".replace("-", "−") for value in values
        )

    last = max(table.index.max() for table in tables.values())
    parts = [f"Epochs 0 to {last}: {', '.join(map(as_text, tables))}; range of random graphs"]
    for name in (*SCORES, "entropy"):
        told = [ends(table[name].iloc[[0, -1]]) for table in tables.values()]
        told = [", ".join(told), *([ends((plain[name].min(), plain[name].max()))] if name in plain else [])]
        label = SCORES.get(name, name).replace("\n", " ").replace("small-worldness, own", "own")
        parts.append(f"{label}: {'; '.join(told)}")
    return ". ".join(parts) + "."


def relation_figure(
    networks: pd.DataFrame,
    task: str,
    measure: str,
    accuracy: str = "test_accuracy",
    at_random: float | None = None,
) -> Figure:
    """Draw how a measure goes with accuracy: in each variant's runs, and as deviations from their variants' means.

    On the left is a marker per run, filled if it learned. On the right are the numbers of runs for each pair of
    deviations, with a fitted line.

    Parameters
    ----------
    networks : DataFrame
        A table of networks of one study.
    task, measure, accuracy : str
    at_random : float, optional
        The measure of random graphs, drawn as a dashed line.
    """
    table = networks[networks["task"] == task].dropna(subset=[measure, accuracy])
    found = relation(table, measure, accuracy)
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained", width_ratios=[1.15, 1])
    _runs_of_variants(table, measure, axes[0], at_random)
    axes[0].set_title(f"all: correlation {found.overall:+.2f}", fontsize=10)  # short, for alternative texts
    apart = beyond_variants(table, [measure, accuracy])
    counts, *edges = np.histogram2d(*apart.to_numpy().T, bins=(41, 31))
    drawn = axes[1].pcolormesh(*edges, np.where(counts > 0, counts, np.nan).T, cmap=COUNTS, norm=LogNorm(vmin=1))
    figure.colorbar(drawn, ax=axes[1], label="networks, log scale", shrink=0.8, format="{x:g}")
    ends = np.array([apart[measure].min(), apart[measure].max()])
    slope = found.within * apart[accuracy].std() / apart[measure].std()
    axes[1].plot(ends, slope * ends, color=ORANGE, linewidth=2)
    label = accuracy.replace("train_", "training ").replace("_", " ")
    axes[1].set(xlabel=f"{MEASURE_LABELS[measure]}, minus the variant's mean", ylabel=f"{label}, minus the mean")
    axes[1].set_title(f"within: {found.within:+.2f}, p = {found.p:.2g}", fontsize=10)
    sns.despine(ax=axes[1])
    figure.suptitle(
        f"field {as_text(table['field'].iloc[0])}, {title_of(task)}: over all {len(table)} networks, "
        "and within variants",
        fontsize=11,
    )
    return figure


COUNTS = ListedColormap(plt.get_cmap("Blues")(np.linspace(0.3, 1, 256)))
"""Light to dark; a single network is still seen on white."""


def _runs_of_variants(table: pd.DataFrame, measure: str, ax: Axes, at_random: float | None) -> None:
    """Draw a measure of all runs, one row for each variant; markers of runs that learned are filled."""
    variants = in_order(table["variant"])
    for place, variant in enumerate(variants):
        rows = table[table["variant"] == variant]
        kind = kind_of(variant)
        heights = place + np.linspace(-0.3, 0.3, len(rows))
        for filled in (False, True):
            mine = (learned(rows) == filled).to_numpy()
            face = {} if filled else {"markerfacecolor": "white"}
            style = {"color": COLOURS[kind], "markersize": 5, "linestyle": "none", **face}
            ax.plot(rows.loc[mine, measure], heights[mine], MARKERS[kind], **style)
    ax.set_yticks(range(len(variants)), [as_text(variant) for variant in variants])
    ax.set(ylim=(len(variants) - 0.5, -0.5), xlabel=MEASURE_LABELS[measure])
    ax.grid(axis="y", color="0.93")
    ax.set_axisbelow(True)
    kinds = dict.fromkeys(map(kind_of, variants))
    handles = [plt.Line2D([], [], color=COLOURS[k], marker=MARKERS[k], linestyle="none") for k in kinds]
    open_one = plt.Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none")
    handles, names = [*handles, open_one], [*(WEIGHT_LABELS[k] for k in kinds), "open: did not learn"]
    if at_random is not None:
        handles.append(ax.axvline(at_random, color="0.35", linewidth=1, linestyle="--"))
        names.append("random graphs")
    ax.legend(handles, names, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4)
    sns.despine(ax=ax, left=True)


RANDOM_BESIDE = 5
"""Random graphs whose modularity is drawn beside that of a graph."""


@lru_cache(maxsize=64)
def _modularity_at_random(neurons: int, density: float) -> list[float]:
    return [topology.modularity(graph) for graph in random_graphs(neurons, density, RANDOM_BESIDE)]


def communities_figure(
    model: str = "ring", density: float = 0.18, shuffled: float = 0.1, neurons: int = 96, seed: int = 0
) -> Figure:
    """Draw a model graph, its communities, and its modularity next to that of five random graphs of its density.

    Parameters
    ----------
    model : str
        A key of :data:`biornn_lite.topology.MODELS`.
    density, shuffled, neurons, seed
        As in :func:`biornn_lite.topology.model_graph`.
    """
    graph = model_graph(model, neurons, density, shuffled, seed)
    q = topology.modularity(graph)
    figure = plt.figure(figsize=(12.5, 3.6))  # fixed positions are faster than an automatic layout
    as_built(graph, figure.add_axes((0.04, 0.13, 0.27, 0.73)))
    reordered(graph, figure.add_axes((0.36, 0.13, 0.27, 0.73)))
    ax = figure.add_axes((0.7, 0.36, 0.28, 0.3))
    plain = _modularity_at_random(neurons, density)
    heights = np.linspace(-0.4, 0.4, len(plain))  # so that none covers another
    ax.plot(plain, heights, "D", color="0.45", markerfacecolor="white", markersize=8, label="at random")
    ax.plot(q, 0, "o", color=BLUE, markersize=9, label="this graph")
    ax.text(q, 0.62, f"{q:.2f}", ha="center", fontsize=9)
    ax.set(xlim=(0, 1), ylim=(-0.6, 0.9), yticks=[], xlabel="modularity Q")
    ax.set_title(f"filled: this graph; open: {len(plain)} random ones, about as dense", fontsize=10)
    sns.despine(ax=ax, left=True)
    figure.suptitle(f"{neurons} neurons, {MODELS[model]}, {shuffled:.0%} of the edges shuffled", fontsize=11)
    return figure


def communities_panel() -> ipw.Widget:
    """Return a panel to build a graph and see its communities; see :func:`communities_figure`."""
    return figure_panel(communities_figure, _controls_of_models())


def _controls_of_models() -> dict[str, ipw.Widget]:
    controls = {
        "model": dropdown("graph", [(label, key) for key, label in MODELS.items()], "ring"),
        "density": slider("density", 0.18, 0.06, 0.24, 0.03, "about"),
        "shuffled": slider("shuffled", 0.1, 0, 1, 0.05, "share of edges"),
    }
    for control in (controls["density"], controls["shuffled"]):
        control.continuous_update = False
    return controls


NULLS_OF_PANEL = 100
RANDOM_OF_PANEL = 3


@lru_cache(maxsize=64)
def _random_scores(neurons: int, density: float) -> dict[str, float]:
    graphs = random_graphs(neurons, density, RANDOM_OF_PANEL)
    scores = [scores_of(graph, NULLS_OF_PANEL) for graph in graphs]
    return {name: float(np.mean([each[name] for each in scores])) for name in SCORES}


WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
"""Behind a number, so that no line strikes it through."""


def _scores(own: Mapping[str, float], plain: Mapping[str, float], names: Sequence[str], ax: Axes) -> None:
    told = [f"{SCORES[name]} {rounded(own[name])} (at random {rounded(plain[name])})" for name in names]
    say(ax, "; ".join(told).replace("\n", " "))
    for height, name in enumerate(names):
        ax.plot(plain[name], height, "D", color="0.45", markerfacecolor="white", markersize=8, label="at random")
        if np.isfinite(own[name]):
            ax.plot(own[name], height, "o", color=BLUE, markersize=9, label="this graph")
        said = f"{own[name]:.2f}" if np.isfinite(own[name]) else "not defined"
        ax.text(
            own[name] if np.isfinite(own[name]) else plain[name],
            height - 0.22,
            said,
            ha="center",
            fontsize=9,
            bbox=WHITE,
        )
    ax.set(yticks=range(len(names)), yticklabels=[SCORES[name] for name in names], ylim=(len(names) - 0.5, -0.6))
    ax.grid(axis="y", color="0.93")
    ax.set_axisbelow(True)
    sns.despine(ax=ax, left=True)


def graph_figure(
    model: str = "ring", density: float = 0.18, shuffled: float = 0.1, neurons: int = 96, seed: int = 0
) -> Figure:
    """Draw a model graph, its communities, and its scores next to those of random graphs that are about as dense.

    Parameters
    ----------
    model : str
        A key of :data:`biornn_lite.topology.MODELS`.
    density, shuffled, neurons, seed
        As in :func:`biornn_lite.topology.model_graph`. Each null uses 100 graphs. The random graphs' scores are
        means over three graphs.
    """
    graph = model_graph(model, neurons, density, shuffled, seed)
    own = scores_of(graph, NULLS_OF_PANEL)
    plain = _random_scores(neurons, density)
    figure = plt.figure(figsize=(12.5, 3.6))  # fixed positions are faster than an automatic layout
    as_built(graph, figure.add_axes((0.04, 0.14, 0.27, 0.66)))
    matrix = reordered(graph, figure.add_axes((0.36, 0.14, 0.27, 0.66)))
    _say_parts(graph, matrix)
    above, below = (figure.add_axes((0.75, bottom, 0.24, 0.29)) for bottom in (0.57, 0.1))
    _scores(own, plain, ("modularity", "assortativity"), above)
    above.set(xlim=(-1, 1), xticks=(-1, -0.5, 0, 0.5, 1))
    above.set_title("modularity, assortativity; open: at random", fontsize=10)
    names = ("small_worldness", "small_worldness_matched")
    _scores(own, plain, names, below)
    below.set_title("small-worldness; open: at random", fontsize=10)
    below.axvline(1, color="0.35", linewidth=1)
    below.set_xlim(0, max(4, 1.1 * max(own[name] for name in names)))
    figure.suptitle(f"{neurons} neurons, {MODELS[model]}, {shuffled:.0%} of the edges shuffled", fontsize=11)
    return figure


def graph_panel() -> ipw.Widget:
    """Return a panel to build a graph and see all its measures; see :func:`graph_figure`."""
    for density in np.arange(0.06, 0.25, 0.03).round(2):
        _random_scores(96, float(density))  # computed in advance, so that the slider reacts fast
    return figure_panel(graph_figure, _controls_of_models())


def _say_parts(graph: np.ndarray, matrix: Axes) -> None:
    """Put the two parts of small-worldness above the matrix of a graph."""
    parts = f"clustering {topology.clustering(graph):.2f}, efficiency {topology.efficiency(graph):.2f}"
    matrix.set_title(f"{parts},\n{matrix.get_title()}", fontsize=10)


def trained_figure(snapshot: Snapshot) -> Figure:
    """Draw a network's communities, the degrees at the ends of its edges, and the density estimate of its weights.

    Parameters
    ----------
    snapshot : Snapshot
    """
    graph = topology.strongest_graph(snapshot.weights)
    threshold = np.quantile(np.abs(snapshot.weights), 1 - topology.STRONGEST)
    figure = plt.figure(figsize=(12, 3.6))  # fixed positions are faster than an automatic layout
    matrix, degrees, weights = (
        figure.add_axes((left, 0.14, width, 0.66)) for left, width in ((0.04, 0.26), (0.36, 0.3), (0.74, 0.25))
    )
    reordered(graph, matrix)
    _say_parts(graph, matrix)
    degrees_at_ends(graph, degrees)
    weights_on_the_grid(snapshot.weights, weights)
    figure.suptitle(
        f"{snapshot.variant} on {snapshot.task.title}, epoch {snapshot.epoch}: "
        f"an edge is a |weight| above {threshold:.2g}",
        fontsize=11,
    )
    return figure


def trained_panel(histories: Mapping[str, Sequence[Snapshot]]) -> ipw.Widget:
    """Return a panel that shows the epochs of trained networks; see :func:`trained_figure`.

    Parameters
    ----------
    histories : mapping of str to sequences of Snapshot
        The keys are names for the list of networks. All have the same number of epochs.
    """
    last = min(map(len, histories.values())) - 1
    controls = {
        "network": dropdown("network", list(histories), next(iter(histories))),
        "epoch": ipw.IntSlider(
            last, min=0, max=last, description="epoch", continuous_update=False, layout={"width": "26em"}
        ),
    }
    return figure_panel(lambda network, epoch: trained_figure(histories[network][epoch]), controls)
