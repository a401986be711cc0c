"""Graphs to hold a trained network's against: at random, built, or dealt anew; their communities and scores.

Notebook 08 uses them.
"""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd

from . import topology
from .seeds import generator
from .watching import Snapshot

MODELS = {
    "ring": "a ring: each with its nearest",
    "communities": "four communities of equal size",
    "unequal": "two groups, one with 4/5 of the edges",
}
"""Graphs that can be built; all of them are random when fully shuffled."""


SCORES = {
    "modularity": "modularity Q",
    "assortativity": "assortativity",
    "small_worldness": "small-worldness,\npublished null",
    "small_worldness_matched": "small-worldness,\nown density",
}
"""What is measured on a graph, and what an axis calls it."""


def random_graphs(neurons: int, density: float, graphs: int, seed: int = 0) -> np.ndarray:
    """Draw graphs without any structure: each pair is an edge with the same chance.

    Parameters
    ----------
    neurons : int
    density : float
        That chance.
    graphs : int
    seed : int

    Returns
    -------
    ndarray of bool, shape (graphs, N, N)
        Symmetric, diagonal False.
    """
    return _drawn(np.full((neurons, neurons), density), graphs, generator(seed, "random graphs"))


def _drawn(chances: np.ndarray, graphs: int, rng: np.random.Generator) -> np.ndarray:
    upper = np.triu(rng.random((graphs, *chances.shape)) < chances, 1)
    return upper | upper.swapaxes(-1, -2)


def model_graph(model: str, neurons: int, density: float, shuffled: float, seed: int = 0) -> np.ndarray:
    """Draw a graph of one of :data:`MODELS`.

    Parameters
    ----------
    model : str
    neurons : int
    density : float
        Share of pairs that are edges, on average; a ring takes the nearest even number of neighbours. At most
        0.24, which four communities of 24 just hold.
    shuffled : float
        From 0 to 1: share of edges that may go anywhere.
    seed : int

    Returns
    -------
    ndarray of bool, shape (N, N)
        Symmetric, diagonal False.
    """
    if model == "ring":
        neighbours = max(2, 2 * round(density * (neurons - 1) / 2))
        return nx.to_numpy_array(nx.watts_strogatz_graph(neurons, neighbours, shuffled, seed=seed)).astype(bool)
    place = np.arange(neurons)
    groups, shares = (4, np.full(4, 1 / 4)) if model == "communities" else (2, np.array([4 / 5, 1 / 5]))
    group = place * groups // neurons
    sizes = np.bincount(group)
    inside = density * shares * neurons * (neurons - 1) / (sizes * (sizes - 1))  # chance of an edge in each group
    planted = np.where(group[:, None] == group, inside[group], 0)
    return _drawn((1 - shuffled) * planted + shuffled * density, 1, generator(seed, model))[0]


def dealt_anew(adjacency: np.ndarray, groups: Sequence[np.ndarray], graphs: int, seed: int = 0) -> np.ndarray:
    """Draw graphs that have as many edges as one has within and between its groups, on average, and else are random.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
    groups : sequence of ndarray of int
        The neurons of each; together all neurons.
    graphs : int
    seed : int

    Returns
    -------
    ndarray of bool, shape (graphs, N, N)
    """
    chances = np.zeros(adjacency.shape)
    for first in groups:
        for second in groups:
            pairs = len(first) * (len(second) - (first is second))
            chances[np.ix_(first, second)] = adjacency[np.ix_(first, second)].sum() / max(pairs, 1)
    return _drawn(chances, graphs, generator(seed, "dealt anew"))


def communities(adjacency: np.ndarray) -> list[np.ndarray]:
    """Return the communities that :func:`biornn_lite.topology.modularity` finds, the largest first.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)

    Returns
    -------
    list of ndarray of int
        The neurons of each.
    """
    found = nx.community.greedy_modularity_communities(nx.from_numpy_array(adjacency))
    return [np.array(sorted(community)) for community in found]


def scores_of(adjacency: np.ndarray, graphs: int = topology.NULL_GRAPHS) -> dict[str, float]:
    """Measure a graph in all ways of :data:`SCORES`.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
        With at least one edge.
    graphs : int
        How many random graphs make a null.
    """
    return {
        "modularity": topology.modularity(adjacency),
        "assortativity": topology.assortativity(adjacency),
        "small_worldness": topology.small_worldness(adjacency, topology.null(len(adjacency), graphs=graphs)),
        "small_worldness_matched": topology.small_worldness(
            adjacency, topology.null_of_own_density(adjacency, graphs)
        ),
    }


def measured(history: Sequence[Snapshot]) -> pd.DataFrame:
    """Measure one network after every epoch.

    Parameters
    ----------
    history : sequence of Snapshot

    Returns
    -------
    DataFrame
        Index ``epoch``; columns ``test_accuracy``, ``density`` (of the graph of the strongest connections), those of
        :class:`biornn_lite.topology.Topology`, and ``small_worldness_matched``.
    """
    rows = {}
    for snapshot in history:
        graph = topology.strongest_graph(snapshot.weights)
        n = len(graph)
        row = {"test_accuracy": snapshot.test_accuracy, "density": graph.sum() / (n * (n - 1))}
        row["entropy"] = topology.entropy(snapshot.weights)
        rows[snapshot.epoch] = row | scores_of(graph)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("epoch")
