"""Checks of the exercises in notebook 08."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd

from ..seeds import generator
from ..statistics import beyond_variants
from ..topology import model_graph, modularity, random_graphs
from .saying import graded, near, number_from, one_number, result_of, say


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


def _shares(adjacency: np.ndarray, community: np.ndarray) -> list[tuple[float, float]]:
    """Return of each community the share of edges within, and the share of ends that are its own."""
    a, ends = adjacency.astype(int), adjacency.sum()
    members = [community == label for label in np.unique(community)]
    return [(a[np.ix_(mine, mine)].sum() / ends, a[mine].sum() / ends) for mine in members]


def _cases_of_modularity() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return graphs with a community of each neuron; labels are not 0, 1, 2, 3, and a neuron may be alone.

    A loop over 0, 1, 2 finds the same labels as one over 0, 1, 2, 3, but not the first label alone.
    """
    rng = generator(0, "cases of modularity")
    graphs = [model_graph("unequal", 24, 0.2, 0.3), *random_graphs(17, 0.3, 2)]
    return [(graph, rng.permutation(np.resize([1, 2, 2, 7, 7, 7, 11], len(graph)))) for graph in graphs]


TWICE = "Each edge stands twice in the matrix: is your m, the number of edges, twice too large?"


def check_modularity(function: object) -> bool:
    """Check a function of an adjacency (N, N) and each neuron's community (N,) that returns the modularity Q."""
    for graph, community in _cases_of_modularity():
        value = number_from(function, "adjacency and community", graph, community)
        if value is None:
            return False
        parts = _shares(graph, community)
        within, ends = np.transpose(parts)
        right = nx.community.modularity(
            nx.from_numpy_array(graph), [set(np.flatnonzero(community == c)) for c in np.unique(community)]
        )
        numbered = sum(
            graph[np.ix_(mine, mine)].sum() / graph.sum() - (graph[mine].sum() / graph.sum()) ** 2
            for mine in (community == label for label in range(len(parts)))
        )
        mistakes = {
            modularity(graph): "That is Q of the partition that the library finds; take the one that is given.",
            within.sum(): "That is the share of edges within communities; take off what chance would give.",
            2 * within.sum() - (ends**2).sum(): "You counted each edge within twice, as (i, j) and as (j, i).",
            within.sum() / 2 - (ends**2).sum(): "L is divided by m, the number of edges, not by 2m.",
            within.sum() - 1: "(d / 2m) is squared for each community, before you sum.",
            within.sum() / 2 - (ends**2).sum() / 4: TWICE,
            within.sum() - (ends**2).sum() / 4: TWICE,
            within.sum() - (within**2).sum(): "d adds up the degrees: neighbours in other communities count, too.",
            within.sum() - 4 * (ends**2).sum(): "d is divided by 2m: each edge has two ends.",
            within[-1] - ends[-1] ** 2: "That is the part of the last community; sum over all of them.",
            within[0] - ends[0] ** 2: "That is the part of the first community; sum over all of them.",
            float(numbered): "Labels need not be 0, 1, 2 …; np.unique(community) has those that occur.",
        }
        told = f"{right:.4f} for the last of three tested graphs, as NetworkX has it."
        hint = f"It gives {{value:.4f}}, expected {right:.4f} for a graph of {len(graph)} neurons."
        if np.isnan(value):
            return say(False, "It returns NaN. Is something divided by the size of an empty community?")
        if not near(value, right, 1e-6):
            return graded(value, right, told, mistakes, hint, tolerance=1e-6, mistaken=1e-6)
    return say(True, told)


def _cases_of_within() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return measures, accuracies and variants of runs whose order is mixed; variants have different sizes."""
    cases = []
    for case, slope in enumerate((-0.5, 0.8)):
        rng = generator(case, "cases of within")
        place = rng.permutation(np.repeat([0, 1, 2], [5, 9, 14]))
        measure = place + rng.normal(0, 0.3 + 0.2 * place)
        accuracy = 0.4 + 0.2 * place + slope * (measure - place) + rng.normal(0, 0.1, len(place))
        cases.append((measure, accuracy, np.array(["W", "WD", "W*D*C"])[place]))
    return cases


def check_within(function: object) -> bool:
    """Check a function of measure, accuracy and variant, all (runs,), that returns the correlation within."""
    for measure, accuracy, variant in _cases_of_within():
        given = result_of(function, "measure, accuracy and variant", measure, accuracy, variant)
        if given is None:
            return False
        if np.shape(given) == (2, 2):
            return say(False, "np.corrcoef returns a matrix; the correlation is at [0, 1].")
        value = one_number(given)
        if value is None:
            return False
        if np.isnan(value):
            return say(False, "It returns NaN. Is every run in one variant, and none in two?")
        table = pd.DataFrame({"measure": measure, "test_accuracy": accuracy, "variant": variant, "task": ""})
        apart = beyond_variants(table, ["measure", "test_accuracy"])
        right = correlation(apart["measure"], apart["test_accuracy"])
        spread = table.groupby("variant")[["measure", "test_accuracy"]].transform("std")
        each = [correlation(rows["measure"], rows["test_accuracy"]) for _, rows in table.groupby("variant")]
        of_means = table.groupby("variant")[["measure", "test_accuracy"]].mean()
        mistakes = {
            correlation(measure, accuracy): "That is the correlation over all runs; subtract each variant's mean.",
            float(np.mean(each)): "That is the mean of the variants' correlations; correlate all deviations at once.",
            correlation(*of_means.to_numpy().T): "That is the correlation of the variants' means; subtract them.",
            correlation(apart["measure"], accuracy): "Subtract the variant's mean from the accuracies, too.",
            correlation(measure, apart["test_accuracy"]): "Subtract the variant's mean from the measure, too.",
            correlation(
                apart["measure"] / spread["measure"], apart["test_accuracy"] / spread["test_accuracy"]
            ): "You divided by each variant's SD; subtract the means and no more.",
            **dict.fromkeys(each, "That is the correlation of one variant; take all runs."),
        }
        hint = f"It gives {{value:.4f}}, expected {right:.4f} for {len(table)} runs of three variants."
        if not near(value, right, 1e-6):
            return graded(value, right, "", mistakes, hint, tolerance=1e-6, mistaken=1e-6)
    return say(True, f"{right:.3f} within variants, {correlation(measure, accuracy):.3f} over all, in the last test.")


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Pearson's correlation of two series."""
    return float(np.corrcoef(first, second)[0, 1])
