"""Panels about graphs, for notebook 08. Behind each stands a plain function that draws the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import topology
from .graphs import MODELS, SCORES, model_graph, random_graphs, scores_of
from .tasks import TASKS
from .topology_plots import BLUE, as_built, degrees_at_ends, reordered, weights_on_the_grid
from .watching import Snapshot
from .widgets import dropdown, figure_panel, slider

NULLS_OF_PANEL = 100
RANDOM_OF_PANEL = 3


@lru_cache(maxsize=64)
def _random_scores(neurons: int, density: float) -> dict[str, float]:
    graphs = random_graphs(neurons, density, RANDOM_OF_PANEL)
    scores = [scores_of(graph, NULLS_OF_PANEL) for graph in graphs]
    return {name: float(np.mean([each[name] for each in scores])) for name in SCORES}


def _scores(own: Mapping[str, float], plain: Mapping[str, float], names: Sequence[str], ax: Axes) -> None:
    for height, name in enumerate(names):
        ax.plot(plain[name], height, "D", color="0.45", markerfacecolor="white", markersize=8)
        if np.isfinite(own[name]):
            ax.plot(own[name], height, "o", color=BLUE, markersize=9)
        said = f"{own[name]:.2f}" if np.isfinite(own[name]) else "not defined"
        ax.text(own[name] if np.isfinite(own[name]) else plain[name], height - 0.22, said, ha="center", fontsize=9)
    ax.set(yticks=range(len(names)), yticklabels=[SCORES[name] for name in names], ylim=(len(names) - 0.5, -0.6))
    ax.grid(axis="y", color="0.93")
    ax.set_axisbelow(True)
    sns.despine(ax=ax, left=True)


def graph_figure(
    model: str = "ring", density: float = 0.18, shuffled: float = 0.1, neurons: int = 96, seed: int = 0
) -> Figure:
    """Draw a graph of one's own choice, its communities, and how it scores beside random graphs as dense.

    Parameters
    ----------
    model : str
        A key of :data:`biornn_lite.graphs.MODELS`.
    density, shuffled, neurons, seed
        As in :func:`biornn_lite.graphs.model_graph`. Nulls are made of 100 graphs each, the random graphs' scores
        are means over three.
    """
    graph = model_graph(model, neurons, density, shuffled, seed)
    own = scores_of(graph, NULLS_OF_PANEL)
    plain = _random_scores(neurons, density)
    figure = plt.figure(figsize=(12.5, 3.6))  # placed by hand, which is faster than a layout that is worked out
    as_built(graph, figure.add_axes((0.04, 0.13, 0.27, 0.73)))
    reordered(graph, figure.add_axes((0.36, 0.13, 0.27, 0.73)))
    above, below = (figure.add_axes((0.75, bottom, 0.24, 0.31)) for bottom in (0.55, 0.1))
    _scores(own, plain, ("modularity", "assortativity"), above)
    above.set(xlim=(-1, 1), xticks=(-1, -0.5, 0, 0.5, 1))
    above.set_title("filled: this graph; open: at random", fontsize=10)
    names = ("small_worldness", "small_worldness_matched")
    _scores(own, plain, names, below)
    below.axvline(1, color="0.35", linewidth=1)
    below.set_xlim(0, max(4, 1.1 * max(own[name] for name in names)))
    figure.suptitle(f"{neurons} neurons, {MODELS[model]}, {shuffled:.0%} of the edges shuffled", fontsize=11)
    return figure


def graph_panel() -> ipw.Widget:
    """Return a panel in which to build a graph and watch its measures; see :func:`graph_figure`."""
    for density in np.arange(0.06, 0.25, 0.03).round(2):
        _random_scores(96, float(density))  # now, for a slider that answers at once
    controls = {
        "model": dropdown("graph", [(label, key) for key, label in MODELS.items()], "ring"),
        "density": slider("density", 0.18, 0.06, 0.24, 0.03),
        "shuffled": slider("shuffled", 0.1, 0, 1, 0.05, "share of edges"),
    }
    for control in (controls["density"], controls["shuffled"]):
        control.continuous_update = False
    return figure_panel(graph_figure, controls)


def trained_figure(snapshot: Snapshot) -> Figure:
    """Draw a network's communities, the degrees at the ends of its edges, and its weights on the grid.

    Parameters
    ----------
    snapshot : Snapshot
    """
    graph = topology.strongest_graph(snapshot.weights)
    threshold = np.quantile(np.abs(snapshot.weights), 1 - topology.STRONGEST)
    figure = plt.figure(figsize=(12, 3.6))  # placed by hand, which is faster than a layout that is worked out
    matrix, degrees, weights = (
        figure.add_axes((left, 0.14, width, 0.71)) for left, width in ((0.04, 0.26), (0.36, 0.3), (0.74, 0.25))
    )
    reordered(graph, matrix)
    degrees_at_ends(graph, degrees)
    weights_on_the_grid(snapshot.weights, weights)
    figure.suptitle(
        f"{snapshot.variant} on {TASKS[snapshot.task].title}, epoch {snapshot.epoch}: "
        f"an edge is a |weight| above {threshold:.2g}",
        fontsize=11,
    )
    return figure


def trained_panel(histories: Mapping[str, Sequence[Snapshot]]) -> ipw.Widget:
    """Return a panel in which to go through the epochs of trained networks; see :func:`trained_figure`.

    Parameters
    ----------
    histories : mapping of str to sequences of Snapshot
        By what the list of networks calls them; all of as many epochs.
    """
    last = min(map(len, histories.values())) - 1
    controls = {
        "network": dropdown("network", list(histories), next(iter(histories))),
        "epoch": ipw.IntSlider(
            last, min=0, max=last, description="epoch", continuous_update=False, layout={"width": "26em"}
        ),
    }
    return figure_panel(lambda network, epoch: trained_figure(histories[network][epoch]), controls)
