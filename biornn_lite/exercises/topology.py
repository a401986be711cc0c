"""Checks of the exercises in notebook 08."""

from __future__ import annotations

import networkx as nx
import numpy as np

from ..topology import assortativity, clustering
from .saying import array, array_from, graded, say, unanswered


def check_edges(answer: float | None, neurons: int, share: float) -> bool:
    """Check the edges of the graph of the strongest `share` of weights, where all self-connections are among them.

    No pair is strong in both directions.
    """
    entries, pairs = share * neurons**2, neurons * (neurons - 1)
    right = entries - neurons
    told = f"{right:.0f}: of {entries:.0f} strong entries, {neurons} stand on the diagonal."
    mistakes = {
        entries: "Those are all strong entries; the self-connections among them become no edges.",
        right / 2: "Halved too much: no pair is strong in both directions, so each entry is an edge of its own.",
        entries / 2: "Each strong entry off the diagonal is an edge of its own; and what of the diagonal?",
        2 * right: "An edge is one, whichever way it is read.",
        share * pairs: "The threshold is taken over all N² entries; self-connections are dropped afterwards.",
        share * pairs / 2: "The threshold is taken over all N² directed entries, self-connections included.",
        (1 - (1 - share) ** 2) * pairs / 2: "So many there are if entries are strong independently of each other.",
        neurons: "Those are the self-connections, which are dropped.",
    }
    hint = "{value:g} is too {way}: how many entries are strong, and how many of them become edges?"
    return graded(answer, right, told, mistakes, hint, mistaken=1e-3, ways=("few", "many"))


def check_two_triangles(answer: float | None) -> bool:
    """Check Q of two triangles that one edge joins, each triangle a community."""
    right = 5 / 14
    told = "2 · (3/7 − (7/14)²) = 5/14 = 0.357."
    mistakes = {
        6 / 7: "That is the share of edges within communities; take off what chance would give.",
        5 / 28: "That is one triangle's part; there are two.",
        0.5: "That is what chance would give, or Q without the edge between; the edge counts in m and in degrees.",
        6 / 7 - 2 * (6 / 14) ** 2: "The joining edge's ends have degree 3: the degrees of a triangle add up to 7.",
        0.36: "Close: give three digits, or a fraction.",
        12 / 7 - 0.5: "You counted each edge within twice: L counts it once, as m does.",
        -1 / 7: "(d / 2m) is squared for each community.",
        -1 / 14: "L counts each edge once, and is divided by m, not by 2m.",
        6 / 7 - 2: "d is divided by 2m: each edge has two ends.",
        -34 / 196: "So much if each neuron is a community of its own; here each triangle is one.",
        0.0: "So much if all are one community; here each triangle is one.",
    }
    hint = "{value:g} is not it: m = 7; for each triangle, count the edges in it and add its degrees."
    return graded(answer, right, told, mistakes, hint, tolerance=3e-3, mistaken=5e-3)


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
    given = array_from(function, "adjacency", graph, otherwise="It returns a {type}; expected a number.")
    if given is None:
        return False
    if given.shape == (len(graph),):
        return say(False, "It returns a value for each neuron; take their mean.")
    if given.size != 1:
        return say(False, f"It returns shape {given.shape}; expected one number.")
    value = float(given.reshape(()))
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
    "a": ("null", "random graphs of 48 neurons score 0.67 by that null, whose diagonal counts (section 4)"),
    "b": ("variant", "within variants the correlation is 0.04 (section 8)"),
    "c": ("variant", "in one-choice inference none of its 20 runs learns, and they are as modular (section 8)"),
    "d": ("null", "random graphs of 312 neurons have 0.087 as well (section 4)"),
    "e": ("learning", "those six runs are the ones that learn (section 8)"),
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
