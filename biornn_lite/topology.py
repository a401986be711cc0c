"""The shape of trained networks: entropy, modularity, assortativity, small-worldness, and graphs for comparison.

The entropy is that of all weights. The other measures use the undirected graph of the strongest 10 % of ``|W|``.
Notebooks 08 and 08b work through this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import networkx as nx
import numpy as np
import torch
from scipy.stats import gaussian_kde

from .errors import InputError
from .plumbing.matmul import product
from .seeds import generator

STRONGEST = 0.1
"""Share of the entries of ``|W|`` that become edges."""

PUBLISHED_NULL_DENSITY = 0.18
"""Density of the published null graphs: the probability that the mean of two uniform numbers exceeds 0.7."""

NULL_GRAPHS = 1000


@dataclass(frozen=True)
class Topology:
    """The four measures of one network. An undefined measure is NaN.

    Attributes
    ----------
    entropy : float
        Entropy of the distribution of weights, in bits.
    modularity, small_worldness, assortativity : float
        Measures of the graph of the strongest connections.
    """

    entropy: float
    modularity: float
    small_worldness: float
    assortativity: float


@dataclass(frozen=True)
class Null:
    """Mean clustering and mean efficiency of random graphs of one size and density."""

    clustering: float
    efficiency: float


def strongest_graph(weights: np.ndarray, share: float = STRONGEST) -> np.ndarray:
    """Adjacency of the undirected graph of the strongest connections.

    The threshold is the ``1 - share`` quantile of all ``|W|``, including self-connections. Self-connections are
    removed afterwards, so strong self-connections reduce the number of edges.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    share : float

    Returns
    -------
    ndarray of bool, shape (N, N)
        Symmetric, diagonal False. An edge stands for a strong weight in either direction.
    """
    strengths = np.abs(weights)
    strong = strengths > np.quantile(strengths, 1 - share)
    np.fill_diagonal(strong, False)
    return strong | strong.T


def _walks(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Count walks of one step along `first` and one along `then`, all (..., N, N): the matrix product."""
    stacks = (torch.from_numpy(a).reshape(-1, *a.shape[-2:]) for a in (first, then))
    return product(*stacks).numpy().reshape(first.shape)


def clustering(adjacency: np.ndarray) -> float:
    """Clustering coefficient: mean share of pairs of a neuron's neighbours that are linked (0 for fewer than two).

    A self-connection makes a neuron its own neighbour and counts as a link. For this reason, the clustering of
    the published nulls exceeds their density. Graphs from :func:`strongest_graph` have no self-connections.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (..., N, N)

    Returns
    -------
    ndarray, shape (...)
    """
    a = adjacency.astype(np.float32)  # counts stay below 2^24, where float32 is exact
    degree = a.sum(-1)
    links = (_walks(a, a) * a).sum(-1)  # ordered pairs of neighbours that are linked, (..., N)
    pairs = degree * (degree - 1)
    return np.divide(links, pairs, out=np.zeros(links.shape), where=pairs > 0).mean(-1)


def efficiency(adjacency: np.ndarray) -> float:
    """Global efficiency: mean inverse path length over pairs of different neurons; a pair without a path counts 0.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (..., N, N)

    Returns
    -------
    ndarray, shape (...)
    """
    n = adjacency.shape[-1]
    a = adjacency.astype(np.float32)
    reached = np.eye(n, dtype=bool) | adjacency
    total = (reached.sum((-1, -2)) - n).astype(np.float64)
    frontier, length = a, 1
    while True:
        length += 1
        new = (_walks(frontier, a) > 0) & ~reached
        if not new.any():
            return total / (n * (n - 1))
        total += new.sum((-1, -2)) / length
        reached |= new
        frontier = new.astype(np.float32)


@lru_cache(maxsize=256)
def null(
    neurons: int,
    density: float = PUBLISHED_NULL_DENSITY,
    self_connections: bool = True,
    graphs: int = NULL_GRAPHS,
) -> Null:
    """Average the measures of random graphs ``(U + Uᵀ)/2 > threshold``, computed once per size and density.

    Parameters
    ----------
    neurons : int
    density : float
        Probability of an edge between two different neurons, at most 0.5.
    self_connections : bool
        The published nulls also threshold the diagonal of U. Neurons then connect to themselves (with probability
        0.3 at density 0.18) and :func:`clustering` counts these connections. False removes them.
    graphs : int

    Returns
    -------
    Null
    """
    if not 0 < density <= 0.5:
        raise InputError(f"density is {density}; it must be above 0 and at most 0.5")
    threshold = 1 - np.sqrt(density / 2)
    rng = generator(0, "null graphs")
    clusterings, efficiencies = [], []
    at_once = max(1, 2**20 // neurons**2)
    for first in range(0, graphs, at_once):
        u = rng.random((min(at_once, graphs - first), neurons, neurons), dtype=np.float32)
        adjacency = (u + u.swapaxes(-1, -2)) / 2 > threshold
        if not self_connections:
            adjacency &= ~np.eye(neurons, dtype=bool)
        clusterings.append(clustering(adjacency))
        efficiencies.append(efficiency(adjacency))
    return Null(float(np.concatenate(clusterings).mean()), float(np.concatenate(efficiencies).mean()))


def null_of_own_density(adjacency: np.ndarray, graphs: int = NULL_GRAPHS) -> Null:
    """Return the null for the density of a graph, without self-connections.

    It is interpolated between the nulls of the two nearest whole per cents, which are each drawn only once.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
        With at least one edge and at most half of all possible edges.
    """
    n = len(adjacency)
    per_cent = float(np.clip(100 * adjacency.sum() / (n * (n - 1)), 1, 49.999))
    low = int(per_cent)
    below, above = (null(n, p / 100, False, graphs) for p in (low, low + 1))
    part = per_cent - low
    return Null(
        below.clustering + part * (above.clustering - below.clustering),
        below.efficiency + part * (above.efficiency - below.efficiency),
    )


def small_worldness(adjacency: np.ndarray, reference: Null) -> float:
    """Ratio of clustering to null clustering, times the ratio of efficiency to null efficiency."""
    ratio = clustering(adjacency) / reference.clustering
    return float(ratio * efficiency(adjacency) / reference.efficiency)


def modularity(adjacency: np.ndarray) -> float:
    """Modularity of the partition found by greedy merging (Clauset, Newman & Moore 2004); NaN without edges."""
    if not adjacency.any():
        return float("nan")
    graph = nx.from_numpy_array(adjacency)
    return nx.community.modularity(graph, nx.community.greedy_modularity_communities(graph))


def assortativity(adjacency: np.ndarray) -> float:
    """Correlation of the degrees at both ends of an edge; NaN without edges or where all degrees are equal."""
    degree = adjacency.sum(0)
    ends = degree[np.argwhere(adjacency)]  # both directions of each edge, (2 * edges, 2)
    if len(ends) == 0 or np.ptp(ends) == 0:
        return float("nan")
    return float(np.corrcoef(ends.T)[0, 1])


def density(adjacency: np.ndarray) -> float:
    """Share of the pairs of different nodes that are edges."""
    n = len(adjacency)
    return float(adjacency.sum() / (n * (n - 1)))


def density_estimate(values: np.ndarray, points: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian kernel density estimate of values that are not all equal.

    Returns
    -------
    grid, share : ndarray, shape (points,)
        Equidistant points between the extremes, and the density there as shares that sum to 1.
    """
    grid = np.linspace(values.min(), values.max(), points)
    estimate = gaussian_kde(values)(grid)
    return grid, estimate / estimate.sum()


def entropy(values: np.ndarray, points: int = 100) -> float:
    """Entropy in bits of a Gaussian kernel density estimate at equidistant points between the extremes.

    Returns
    -------
    float
        NaN where all values are equal.
    """
    values = np.ravel(values).astype(np.float64)
    if np.ptp(values) == 0:
        return float("nan")
    _, share = density_estimate(values, points)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def measure(weights: np.ndarray, small_world_null: str = "fixed") -> Topology:
    """Measure one trained network.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
        Finite.
    small_world_null : {"fixed", "matched"}
        ``fixed`` is published: density 0.18 with self-connections. ``matched`` uses the graph's own density, without
        self-connections.
    """
    graph = strongest_graph(weights)
    if not graph.any():
        small = float("nan")
    elif small_world_null == "matched":
        small = small_worldness(graph, null_of_own_density(graph))
    else:
        small = small_worldness(graph, null(len(graph)))
    return Topology(entropy(weights), modularity(graph), small, assortativity(graph))


MODELS = {
    "ring": "a ring: each with its nearest",
    "communities": "four communities of equal size",
    "unequal": "two groups, one with 4/5 of the edges",
}
"""Graph models. Fully shuffled, they are random graphs; a ring's edges keep one end, so its degrees differ less."""


SCORES = {
    "modularity": "modularity Q",
    "assortativity": "assortativity",
    "small_worldness": "small-worldness,\npublished null",
    "small_worldness_matched": "small-worldness,\nown density",
}
"""Measures of a graph, with their axis labels."""


def random_graphs(neurons: int, density: float, graphs: int, seed: int = 0) -> np.ndarray:
    """Draw graphs without structure: each pair is an edge with the same probability.

    Parameters
    ----------
    neurons : int
    density : float
        This probability.
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
        Average share of pairs that are edges, at most 0.24: four communities of 24 neurons cannot hold more. A
        ring uses the nearest even number of neighbours.
    shuffled : float
        Share of edges that are placed at random, from 0 to 1.
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
    inside = density * shares * neurons * (neurons - 1) / (sizes * (sizes - 1))  # edge probability in each group
    planted = np.where(group[:, None] == group, inside[group], 0)
    return _drawn((1 - shuffled) * planted + shuffled * density, 1, generator(seed, model))[0]


def dealt_anew(adjacency: np.ndarray, groups: Sequence[np.ndarray], graphs: int, seed: int = 0) -> np.ndarray:
    """Draw random graphs that keep, on average, the number of edges within and between the groups of a graph.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
    groups : sequence of ndarray of int
        Neurons of each group; together, the groups hold every neuron.
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
    """Return the communities found by :func:`biornn_lite.topology.modularity`, largest first.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)

    Returns
    -------
    list of ndarray of int
        Neurons of each community.
    """
    found = nx.community.greedy_modularity_communities(nx.from_numpy_array(adjacency))
    return [np.array(sorted(community)) for community in found]


def scores_of(adjacency: np.ndarray, graphs: int = NULL_GRAPHS) -> dict[str, float]:
    """Compute all measures in :data:`SCORES` for a graph.

    Parameters
    ----------
    adjacency : ndarray of bool, shape (N, N)
        With at least one edge.
    graphs : int
        Number of random graphs for a null.
    """
    return {
        "modularity": modularity(adjacency),
        "assortativity": assortativity(adjacency),
        "small_worldness": small_worldness(adjacency, null(len(adjacency), graphs=graphs)),
        "small_worldness_matched": small_worldness(adjacency, null_of_own_density(adjacency, graphs)),
    }
