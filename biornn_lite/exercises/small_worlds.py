"""Checks of the exercises in notebook 08b."""

from __future__ import annotations

import networkx as nx
import numpy as np

from ..seeds import generator
from ..topology import assortativity, clustering, model_graph
from .saying import array, array_from, graded, one_number, result_of, say, unanswered


def _example() -> np.ndarray:
    """Return a graph with an isolated neuron, one of one neighbour, and different shares at the others."""
    graph = nx.Graph([(0, 1), (0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (4, 5), (1, 4), (5, 6), (4, 7)])
    graph.add_node(8)
    return nx.to_numpy_array(graph, nodelist=range(9)).astype(bool)


def check_clustering(function: object) -> bool:
    """Check a function of an adjacency, ndarray of bool of shape (N, N), that returns its mean clustering."""
    graph = _example()
    if any(function is own for own in (clustering, nx.average_clustering)):
        return say(False, "That is the library's; write your own.")
    given = result_of(function, "adjacency", graph)
    if given is None:
        return False
    if np.shape(given) == (len(graph),):
        return say(False, "It returns a value for each neuron; take their mean.")
    value = one_number(given)
    if value is None:
        return False
    if np.isnan(value):
        return say(False, "It returns NaN: a neuron with fewer than two neighbours counts 0, not 0/0.")
    a = graph.astype(int)
    degree = a.sum(axis=1)
    links = ((a @ a) * a).sum(axis=1)  # ordered pairs of neighbours that are linked
    pairs = degree * (degree - 1)
    enough = pairs > 0
    share = np.divide(links, pairs, out=np.zeros(len(a)), where=enough)
    right = share.mean()
    told = f"{right:.4f} for the tested graph, as the library and NetworkX have it."
    boolean = ((graph @ graph) & graph).sum(axis=1), np.diag(graph @ graph @ graph)
    whether = "The product of boolean matrices only says *whether* there is a path; turn them into numbers first."
    mistakes = {
        share[enough].mean(): "Neurons with fewer than two neighbours count 0; you left them out of the mean.",
        links.sum() / pairs.sum(): "That is one share for the whole graph; take each neuron's share, then the mean.",
        right / 2: "Half of it: links and pairs must be counted alike, both ordered or both unordered.",
        2 * right: "Twice it: links and pairs must be counted alike, both ordered or both unordered.",
        a.sum() / (len(a) * (len(a) - 1)): "That is the density of the graph.",
        np.divide(links, degree**2, out=np.zeros(len(a)), where=enough).mean(): "k neighbours make k (k − 1) ordered "
        "pairs, not k².",
        **{np.divide(each, pairs, out=np.zeros(len(a)), where=enough).mean(): whether for each in boolean},
        links.mean(): "Divide by the number of pairs of neighbours.",
    }
    hint = f"It gives {value:.4f}, expected {right:.4f} for the tested graph of nine neurons."
    return graded(value, right, told, mistakes, hint, tolerance=1e-6, mistaken=1e-6)


SOURCES = {
    "a": ("null", "random graphs of 48 neurons score 0.67 by that null, whose diagonal counts (section 2)"),
    "b": ("variant", "within variants the correlation is 0.04 (08, section 6)"),
    "c": ("variant", "in one-choice inference none of its 20 runs learns, and they are as modular (08, section 6)"),
    "d": ("null", "random graphs of 312 neurons have 0.087 as well (section 2)"),
    "e": ("learning", "all 20 are of one variant, and those six are the ones that learn (section 6)"),
}
"""Of each finding of the last exercise, where it comes from, and what shows it."""


def check_sources(answer: object) -> bool:
    """Check, for each of five findings, whether it comes from the null, the variant or learning."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, dict) or set(answer) != set(SOURCES):
        return say(False, f"Give a dictionary with the keys {', '.join(SOURCES)}.")
    choices = ("null", "variant", "learning")
    if strange := [str(value) for value in answer.values() if value not in choices]:
        return say(False, f"{strange[0]!r} is none of {', '.join(choices)}.")
    wrong = [key for key, (source, _) in SOURCES.items() if answer[key] != source]
    if wrong:
        hint = SOURCES[wrong[0]][1]
        return say(
            False, f"{len(SOURCES) - len(wrong)} of {len(SOURCES)} are right. Think of {wrong[0]} again: {hint}."
        )
    return say(True, f"{'; '.join(f'{key}: {why}' for key, (_, why) in SOURCES.items())}.")


def check_graph_of_unlike(answer: object, neurons: int, least_degree: int, below: float) -> bool:
    """Check an adjacency of shape (N, N) in which unlike degrees meet and everyone has enough neighbours."""
    graph = array(answer)
    if graph is None:
        return False
    if graph.shape != (neurons, neurons):
        return say(False, f"Its shape is {graph.shape}; expected ({neurons}, {neurons}).")
    if not np.isin(graph, (0, 1)).all():
        return say(False, "An adjacency holds 0 and 1 only.")
    if np.diag(graph).any():
        return say(False, "It has self-connections; the diagonal must be 0.")
    if not np.array_equal(graph, graph.T):
        return say(False, "It is not symmetric: an edge stands in both triangles, graph | graph.T.")
    degree = graph.sum(axis=0)
    if degree.min() < least_degree:
        least = int(degree.min())
        others = "neighbour" if least == 1 else "neighbours"
        return say(False, f"Neuron {int(degree.argmin())} has {least} {others}; each needs {least_degree}.")
    value = assortativity(graph.astype(bool))
    if np.isnan(value):
        return say(False, "All degrees are equal, so that assortativity is not defined.")
    if value < below:
        return say(True, f"Assortativity {value:.3f}: the few with many neighbours meet those with few.")
    if value > 0:
        return say(False, f"Assortativity {value:+.3f}: like meets like. Who should meet whom?")
    hint = "those with many neighbours must not be linked among themselves, nor those with few."
    return say(False, f"Assortativity {value:+.3f} is not yet below {below:g}: {hint}")


SWAPS_PER_EDGE = 15
"""Swaps that are tried for each edge, so that hardly any of the old order is left."""

PAIRINGS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
"""The three ways in which four neurons can be joined by two edges without a neuron in common."""

DRAWS = 8
"""Graphs that are drawn, each by a seed of its own."""


def _before_rewiring() -> list[np.ndarray]:
    """Return graphs of unequal degrees, one in two groups, and one with a hub on a ring."""
    ring = model_graph("ring", 30, 0.2, 0.0)
    ring[0, 8:22] = ring[8:22, 0] = True
    return [model_graph("unequal", 30, 0.2, 0.1), ring]


def _wrong_in(graph: np.ndarray, was: np.ndarray) -> str:
    """Say what keeps a graph from being another one with the same degrees; an empty text if nothing does."""
    if graph.shape != was.shape:
        return f"It returns shape {graph.shape}; expected {was.shape}."
    if not np.isin(graph, (0, 1)).all():
        return "An adjacency holds 0 and 1 only."
    if not np.array_equal(graph, graph.T):
        return "It is not symmetric: write and remove each edge at both places, (i, j) and (j, i)."
    if np.diag(graph).any():
        return "It has self-connections: leave out a swap that would join a neuron to itself."
    if np.array_equal(graph, was):
        return "It is the graph that was given; nothing was swapped."
    lost = int(was.sum() - graph.sum()) // 2
    if lost > 0:
        return f"{lost} edges are lost: leave out a swap that would make an edge which is there already."
    if lost < 0:
        return f"It has {-lost} edges too many: remove a–b and c–d, and draw from the edges that are there by then."
    degree, before = graph.sum(axis=0), was.sum(axis=0)
    if not np.array_equal(degree, before):
        if np.array_equal(np.sort(degree), np.sort(before)):
            return "The degrees went to other neurons: is it the same graph under other names?"
        k = int(np.argmax(degree != before))
        return f"Neuron {k} had {before[k]:g} neighbours and has {degree[k]:g}: a–b and c–d become a–d and c–b."
    return ""


def check_rewired(function: object) -> bool:
    """Check a function of an adjacency (N, N), a number of swaps and a seed that returns a graph of equal degrees."""
    for was in _before_rewiring():
        swaps = SWAPS_PER_EDGE * int(was.sum()) // 2
        drawn = []
        for seed in range(DRAWS):
            graph = array_from(function, "adjacency, swaps and seed", was, swaps, seed)
            if graph is None:
                return False
            if wrong := _wrong_in(graph, was):
                return say(False, wrong)
            drawn.append(graph.astype(bool))
        again = array_from(function, "adjacency, swaps and seed", was, swaps, 0)
        if again is None:
            return False
        if not np.array_equal(again, drawn[0]):
            return say(
                False,
                "Called twice with one seed, it returns two graphs: draw from np.random.default_rng(seed) alone.",
            )
        if all(np.array_equal(drawn[0], other) for other in drawn[1:]):
            return say(False, "Each seed gives the same graph: draw from np.random.default_rng(seed).")
        kept = float(np.mean([(graph & was).sum() / was.sum() for graph in drawn]))
        theirs = [_by_networkx(was, swaps, seed) for seed in range(DRAWS)]
        by_luck = float(np.mean([(graph & was).sum() / was.sum() for graph in theirs]))
        if kept > by_luck + 0.12:
            return say(False, f"{kept:.0%} of the edges are still there, expected {by_luck:.0%}: too few swaps.")
        mine, other = (np.mean([clustering(graph) for graph in graphs]) for graphs in (drawn, theirs))
        if abs(mine - other) > 0.05:
            hint = "an edge must be read either way, a–b or b–a, at random; else some swaps are never tried."
            return say(False, f"Its clustering is {mine:.2f}, expected {other:.2f}: {hint}")
    if not _reaches_every_pairing(function):
        return False
    told = f"Every degree is kept; the ring's clustering falls from {clustering(was):.2f} to {mine:.2f}."
    return say(True, f"{told} (Count tries, not successes: in a complete graph no swap is possible.)")


TWO_EDGES = tuple(nx.to_numpy_array(nx.Graph(edges), nodelist=range(4)).astype(bool) for edges in PAIRINGS)
"""The three graphs in which each of four neurons has one neighbour."""


def _reaches_every_pairing(function: object) -> bool:
    """Tell whether each pairing of four neurons comes out of 0–2, 1–3, and say which does not.

    Without reading an edge the other way, 0–1, 2–3 is out of reach. With it, 40 draws all miss a pairing by chance
    in fewer than one in a million tries.
    """
    drawn = []
    for seed in range(40):
        graph = array_from(function, "adjacency, swaps and seed", TWO_EDGES[1], 20, seed)
        if graph is None:
            return False
        drawn.append(graph)
    for pairing, edges in zip(TWO_EDGES, PAIRINGS, strict=True):
        if not any(np.array_equal(graph, pairing) for graph in drawn):
            never = ", ".join(f"{a}–{b}" for a, b in edges)
            told = f"From the two edges 0–2, 1–3, the edges {never} never come out"
            return say(False, f"{told}: an edge may be read either way, a–b or b–a.")
    return True


def _by_networkx(was: np.ndarray, swaps: int, seed: int) -> np.ndarray:
    graph = nx.from_numpy_array(was)
    nx.double_edge_swap(graph, swaps // 2, max_tries=100 * swaps, seed=int(generator(seed, "swaps").integers(2**31)))
    return nx.to_numpy_array(graph).astype(bool)
