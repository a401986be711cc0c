"""Topology against NetworkX and the Brain Connectivity Toolbox."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn_lite import topology


def test_a_null_is_drawn_once_per_size_and_density():
    assert topology.null(20) is topology.null(20)
    assert topology.null(20) is not topology.null(20, 0.2)


def test_nulls_without_self_connections_cluster_as_densely_as_they_connect():
    null = topology.null(100, 0.1, False, 200)
    assert null.clustering == pytest.approx(0.1, rel=0.02)


def test_the_null_of_own_density_lies_between_its_neighbours():
    w = np.random.default_rng(0).normal(size=(60, 60))
    graph = topology.strongest_graph(w)
    per_cent = int(100 * graph.sum() / (60 * 59))
    low, high = (topology.null(60, p / 100, False, 50) for p in (per_cent, per_cent + 1))
    own = topology.null_of_own_density(graph, 50)
    assert min(low.clustering, high.clustering) <= own.clustering <= max(low.clustering, high.clustering)
    assert topology.measure(w, "matched").small_worldness != topology.measure(w, "fixed").small_worldness


@given(st.integers(3, 25), st.floats(0, 0.6), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_measures_are_networkx_ones(n, density, seed):
    upper = np.triu(np.random.default_rng(seed).random((n, n)) < density, 1)
    graph = upper | upper.T
    theirs = nx.from_numpy_array(graph)
    assert topology.clustering(graph) == pytest.approx(nx.average_clustering(theirs), abs=1e-6)
    assert topology.efficiency(graph) == pytest.approx(nx.global_efficiency(theirs), abs=1e-9)
    ours = topology.assortativity(graph)
    degrees = {d for node, d in theirs.degree if d}
    if len(degrees) > 1:
        assert ours == pytest.approx(nx.degree_assortativity_coefficient(theirs), abs=1e-6)
    else:
        assert np.isnan(ours)


@pytest.mark.parametrize(("n", "density"), [(20, 0.1), (96, 0.19), (150, 0.05)])
def test_measures_are_those_of_the_brain_connectivity_toolbox(n, density):
    bct = pytest.importorskip("bct", reason="needs bctpy")
    upper = np.triu(np.random.default_rng(n).random((n, n)) < density, 1)
    graph = upper | upper.T
    theirs = graph.astype(float)
    assert topology.clustering(graph) == pytest.approx(bct.clustering_coef_bu(theirs).mean(), abs=1e-6)
    assert topology.efficiency(graph) == pytest.approx(bct.efficiency_bin(theirs), abs=1e-9)
    assert topology.assortativity(graph) == pytest.approx(bct.assortativity_bin(theirs), abs=1e-6)


def test_stacks_of_graphs_are_measured_one_by_one():
    u = np.random.default_rng(0).random((5, 12, 12)) > 0.8
    graphs = u | u.swapaxes(-1, -2)
    for f in (topology.clustering, topology.efficiency):
        np.testing.assert_allclose(f(graphs), [f(g) for g in graphs])


def test_degenerate_weights_have_no_topology_and_raise_nothing():
    zero = topology.measure(np.zeros((10, 10)))
    assert all(np.isnan(v) for v in (zero.entropy, zero.modularity, zero.small_worldness, zero.assortativity))
    one = np.zeros((10, 10))
    one[0, 1] = 1.0
    assert topology.strongest_graph(one).sum() == 2
    assert np.isfinite(topology.measure(one).entropy)


def test_strong_self_connections_take_the_places_of_others():
    w = np.random.default_rng(0).normal(size=(50, 50))
    plain = topology.strongest_graph(w).sum()
    assert topology.strongest_graph(w + 100 * np.eye(50)).sum() < plain


def test_a_bad_density_is_refused():
    with pytest.raises(ValueError, match="density"):
        topology.null(20, 0.9)


def density(graph):
    return graph.sum() / (len(graph) * (len(graph) - 1))


# Graphs


@pytest.mark.parametrize("model", topology.MODELS)
@pytest.mark.parametrize("shuffled", [0.0, 0.3, 1.0])
def test_models_are_graphs_of_the_density_asked_for(model, shuffled):
    found = []
    for seed in range(6):
        graph = topology.model_graph(model, 96, 0.18, shuffled, seed)
        assert graph.dtype == bool and (graph == graph.T).all() and not np.diag(graph).any()
        found.append(density(graph))
    expected = 18 / 95 if model == "ring" else 0.18
    assert np.mean(found) == pytest.approx(expected, rel=0.03)


def test_models_have_the_structure_they_are_named_for():
    place = np.arange(96)
    ring = topology.model_graph("ring", 96, 0.18, 0)
    gap = np.abs(place[:, None] - place)
    assert (ring == (np.minimum(gap, 96 - gap) <= 9) & (gap > 0)).all()
    four = topology.model_graph("communities", 96, 0.18, 0)
    assert not four[place[:, None] // 24 != place // 24].any()
    two = topology.model_graph("unequal", 96, 0.18, 0)
    assert not two[:48, 48:].any() and two[:48, :48].sum() / two.sum() == pytest.approx(0.8, abs=0.04)
    whole = [topology.modularity(topology.model_graph(m, 96, 0.18, 1.0)) for m in topology.MODELS]
    assert max(whole) < 0.2, "fully shuffled, nothing is left"


def test_graphs_dealt_anew_keep_what_lies_within_and_between_groups():
    graph = topology.model_graph("unequal", 96, 0.18, 0.2)
    groups = [np.arange(48), np.arange(48, 96)]
    drawn = topology.dealt_anew(graph, groups, 100)
    assert drawn.shape == (100, 96, 96) and (drawn == drawn.swapaxes(1, 2)).all()
    assert not drawn[:, np.arange(96), np.arange(96)].any()
    for a in groups:
        for b in groups:
            assert drawn[:, a[:, None], b].sum() / 100 == pytest.approx(graph[np.ix_(a, b)].sum(), rel=0.05)


def test_communities_are_a_partition_whose_modularity_is_the_librarys():
    graph = topology.random_graphs(60, 0.1, 1)[0]
    found = topology.communities(graph)
    assert sorted(np.concatenate(found)) == list(range(60))
    assert [len(c) for c in found] == sorted((len(c) for c in found), reverse=True)
    m = graph.sum() / 2
    q = sum(graph[np.ix_(c, c)].sum() / 2 / m - (graph[c].sum() / (2 * m)) ** 2 for c in found)
    assert q == pytest.approx(topology.modularity(graph))
