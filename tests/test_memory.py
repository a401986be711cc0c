"""Cuts, groups, decoding and tuning, beside plain scikit-learn, plain loops and networks with a known memory."""

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import kstest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from biornn_lite.discriminant import predictions
from biornn_lite.dynamics import cued_trials
from biornn_lite.errors import InputError
from biornn_lite.memory import (
    CUTS,
    GROUPS,
    communities_of,
    cut_networks,
    decoding,
    decoding_of_groups,
    kept_tuning,
    likeness,
    mantel,
    tuning,
    unit_groups,
)
from biornn_lite.network import RecurrentNetworks
from biornn_lite.robustness import accuracies
from biornn_lite.tasks import TASKS
from biornn_lite.topology import strongest_graph
from biornn_lite.training import held_out_trials

GO = TASKS["go_nogo"]


def networks_with(w, w_in=None, w_out=None):
    w = np.asarray(w, dtype=float)
    w = w[None] if w.ndim == 2 else w
    runs, neurons, _ = w.shape
    w_in = np.zeros((3, neurons)) if w_in is None else w_in
    w_out = np.zeros((neurons, 2)) if w_out is None else w_out
    return RecurrentNetworks(w, np.stack([w_in] * runs), np.stack([w_out] * runs))


def blocks(sizes, seed=0):
    """Weights that are strong within blocks of units, in a mixed order, and the block of each unit."""
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    w = rng.normal(0, 0.01, (len(label),) * 2)
    w[label[:, None] == label] += 1
    return w, label


# Cuts


def test_communities_are_those_of_networkx_and_of_the_blocks():
    w, _ = blocks((12, 9, 6))
    w *= np.random.default_rng(1).random(w.shape) < 0.5
    found = communities_of(w)
    parts = nx.community.greedy_modularity_communities(nx.from_numpy_array(strongest_graph(w)))
    assert {frozenset(np.flatnonzero(found == k).tolist()) for k in range(found.max() + 1)} == set(parts)
    counts = np.bincount(found)
    assert (np.diff(counts) <= 0).all(), "the largest first"
    dense = np.random.default_rng(0).random((40, 40)) * 0.1
    dense[:3, :3] = dense[20:23, 20:23] = 1  # two cliques among the strongest
    dense[dense < 1] *= dense[dense < 1] < 0  # nothing else
    found = communities_of(dense)
    assert len(set(found[:3])) == len(set(found[20:23])) == 1 and found[0] != found[20]
    assert len(set(found)) == 2 + 34, "the others are alone"


def test_without_strong_connections_each_unit_is_alone():
    for w in (0.95 * np.eye(8), np.zeros((5, 5)), np.diag(np.arange(7.0))):
        assert sorted(communities_of(w)) == list(range(len(w)))
    for bad in (np.full((4, 4), np.nan), np.ones((3, 4)), np.ones(3)):
        with pytest.raises(InputError, match="recurrent weights"):
            communities_of(bad)


def test_each_cut_leaves_what_it_must():
    rng = np.random.default_rng(0)
    w, labels = rng.normal(size=(2, 9, 9)), np.array([[0, 0, 0, 1, 1, 1, 2, 2, 2], [2, 1, 0, 2, 1, 0, 2, 1, 0]])
    networks = networks_with(w)
    for what in CUTS:
        cut = cut_networks(networks, what, labels).w.detach().numpy()
        for r in range(2):
            for i in range(9):
                for j in range(9):
                    same, own = labels[r, i] == labels[r, j], i == j
                    stays = {
                        "as trained": True, "diagonal": not own, "others": own,
                        "within communities": own or not same, "between communities": same,
                    }[what]  # fmt: skip
                    assert cut[r, i, j] == (np.float32(w[r, i, j]) if stays else 0), (what, i, j)
    assert torch.equal(networks.w, networks_with(w).w), "the given networks stay"


def test_cuts_find_the_communities_themselves():
    w = np.stack([blocks((12, 9, 6), seed)[0] for seed in (0, 1)])
    networks, labels = networks_with(w), np.stack([communities_of(np.float32(each)) for each in w])
    for what in ("within communities", "between communities"):
        assert torch.equal(cut_networks(networks, what).w, cut_networks(networks, what, labels).w)
    with pytest.raises(InputError, match="no cut 'all'"):
        cut_networks(networks, "all")
    with pytest.raises(InputError, match="communities have shape"):
        cut_networks(networks, "within communities", labels[0])


def test_where_a_known_memory_is():
    """Two units hold the stimulus: by themselves, by handing it to two others and back, or not at all."""
    w_in, w_out = np.zeros((3, 4)), np.zeros((4, 2))
    w_in[1, 0] = w_in[2, 1] = 1
    w_out[[0, 2], 0] = w_out[[1, 3], 1] = 1
    alone, swap, nothing = np.eye(4), np.eye(4)[[2, 3, 0, 1]], np.zeros((4, 4))
    networks = networks_with(np.stack([alone, swap, nothing]), w_in, w_out)
    x, labels = held_out_trials(GO, [1, 1, 1], 400)
    pairs = np.stack([[0, 1, 0, 1]] * 3)  # a unit and the one that it hands to
    no = accuracies(networks, x, labels)[2]
    assert no == pytest.approx(0.5, abs=0.06)
    expected = {
        "as trained": [1, 1, no], "diagonal": [no, 1, no], "others": [1, no, no],
        "within communities": [1, no, no], "between communities": [1, 1, no],
    }  # fmt: skip
    for what in CUTS:
        assert accuracies(cut_networks(networks, what, pairs), x, labels).tolist() == expected[what], what
    across = np.stack([[0, 1, 1, 0]] * 3)
    assert accuracies(cut_networks(networks, "between communities", across), x, labels).tolist() == [1, no, no]
    assert accuracies(cut_networks(networks, "within communities", across), x, labels).tolist() == [1, 1, no]


# Groups


def test_groups_of_ten():
    rng = np.random.default_rng(0)
    w = rng.normal(size=(40, 40))
    found = unit_groups(w, 3)
    assert tuple(found) == GROUPS
    assert found["all"][0].tolist() == list(range(40)) and len(found["at random"]) == 4
    own = sorted(range(40), key=lambda i: w[i, i])
    assert set(found["largest self-connections"][0]) == set(own[-10:]), "with its sign"
    assert set(found["smallest self-connections"][0]) == set(own[:10])
    for units in found["at random"]:
        assert len(set(units)) == 10 and set(units) <= set(range(40))
    assert len({tuple(units) for units in found["at random"]}) == 4
    labels = communities_of(w)
    assert [set(units) for units in found["communities"]] == [
        set(np.flatnonzero(labels == k)) for k in range(labels.max() + 1)
    ]
    again, other = unit_groups(w, 3, labels), unit_groups(w, 4)
    for name in GROUPS:
        assert [u.tolist() for u in again[name]] == [u.tolist() for u in found[name]]
    assert [u.tolist() for u in other["at random"]] != [u.tolist() for u in found["at random"]]


def test_equal_self_connections_are_chosen_at_random():
    groups = [unit_groups(0.95 * np.eye(40), seed) for seed in range(60)]
    for name in GROUPS[1:3]:
        counts = np.bincount(np.concatenate([each[name][0] for each in groups]), minlength=40)
        assert counts.min() > 3 and counts.max() < 32, "each unit is expected 15 times"
    assert not any(set(each[GROUPS[1]][0]) & set(each[GROUPS[2]][0]) for each in groups)
    assert [len(units) for units in groups[0]["communities"]] == [1] * 40
    assert {len(units) for name in GROUPS[:4] for units in unit_groups(np.eye(6), 0)[name]} == {6}


# Decoding


def plain():
    """Return scikit-learn's own."""
    return make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    cues=st.integers(2, 4),
    units=st.integers(1, 60),
    signal=st.sampled_from([0.0, 0.3, 1.0]),
    scale=st.sampled_from([1e-12, 1.0, 1e6]),
    silent=st.floats(0, 0.9),
)
def test_predictions_are_those_of_scikit_learn(seed, cues, units, signal, scale, silent):
    """On states like those of relu networks: silent and rare units, more units than trials per cue, any size."""
    rng = np.random.default_rng(seed)
    labels = 2 * rng.permutation(np.arange(90) % cues) + 1  # not counted from 0
    states = rng.normal(size=(90, units)) @ rng.normal(size=(units, units)) / np.sqrt(units)
    means = signal * rng.normal(size=(2 * cues, units))
    states = scale * np.maximum(states + means[labels] - rng.uniform(-1, 2, units), 0)
    states *= rng.random(units) >= silent
    states = states[:, np.ptp(states[:70], axis=0) > 0]
    if not states.shape[1]:
        return
    groups = [np.arange(states.shape[1]), rng.permutation(states.shape[1])[:7]]
    for group, told in zip(groups, predictions(states[:70], labels[:70], states[70:], groups), strict=True):
        decoder = plain().fit(states[:70, group], labels[:70])
        np.testing.assert_array_equal(told, decoder.predict(states[70:, group]))


@pytest.mark.parametrize(("cues", "units"), [(2, 2), (2, 70), (4, 10)])
def test_decoding_is_that_of_scikit_learn(cues, units):
    rng = np.random.default_rng(units)
    labels = rng.integers(cues, size=150)
    states = rng.normal(size=(150, units)) + 0.6 * rng.normal(size=(cues, units))[labels]
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    expected = cross_val_score(plain(), states, labels, cv=folds, scoring="accuracy").mean()
    assert 1.2 / cues < expected < 1 and decoding(states, labels, seed=3) == pytest.approx(expected)


def test_noise_is_decoded_at_chance_and_separable_states_at_one():
    rng = np.random.default_rng(0)
    cues = rng.permutation(np.arange(256) % 4)
    noise = [decoding(rng.normal(size=(256, 70)), cues, seed=k) for k in range(5)]
    assert np.mean(noise) == pytest.approx(0.25, abs=0.04)
    states = rng.normal(size=(256, 70))
    states[:, 5] += 30 * cues
    assert decoding(states, cues) == 1
    assert decoding(states, cues, np.arange(10)) == 1
    assert decoding(states, cues, np.arange(10, 20)) == pytest.approx(0.25, abs=0.1)
    assert decoding(1e-20 * states, cues) == 1, "sizes do not matter"


def test_groups_are_decoded_as_if_alone():
    rng = np.random.default_rng(0)
    cues = rng.integers(3, size=150)
    states = np.maximum(rng.normal(size=(150, 40)) + 0.6 * rng.normal(size=(3, 40))[cues], 0)
    states[:, :12] = 0
    groups = unit_groups(rng.normal(size=(40, 40)), 1) | {"silent": [np.arange(12), np.arange(4)]}
    found = decoding_of_groups(states, cues, groups, seed=6)
    assert found["silent"] == [1 / 3, 1 / 3]
    for name, each in groups.items():
        assert found[name] == [decoding(states, cues, units, seed=6) for units in each]


def test_constant_columns_do_no_harm():
    rng = np.random.default_rng(0)
    cues = rng.integers(2, size=100)
    states = rng.normal(size=(100, 6)) + cues[:, None]
    constant = np.column_stack([states, np.zeros(100), np.full(100, 0.1), np.full(100, 1e6)])
    assert decoding(constant, cues) == decoding(states, cues)
    assert decoding(constant, cues, np.array([6, 7, 8])) == decoding(np.zeros((100, 0)), cues) == 0.5
    rare = np.zeros((100, 2))
    rare[3, 0] = 1  # constant in four of five folds
    assert 0.3 < decoding(rare, cues) < 0.7


def test_without_noise_the_nearest_mean_tells_the_cue():
    cues = np.random.default_rng(0).integers(3, size=100)
    assert decoding(0.1 * np.array([[0, 1], [2, 2], [2, 3]])[cues], cues) == 1
    assert 0.4 < decoding(0.1 * np.array([[0, 1], [2, 2], [2, 2]])[cues], cues) < 0.9, "two look alike"


def test_overflow_is_not_decoded():
    rng = np.random.default_rng(0)
    cues, states = rng.integers(2, size=60), rng.normal(size=(60, 8))
    for bad in (np.nan, np.inf):
        states[7, 2] = bad
        found = decoding_of_groups(states, cues, {"bad": [np.arange(4)], "good": [np.arange(4, 8)]})
        assert np.isnan(found["bad"][0]) and found["good"][0] == decoding(states[:, 4:], cues)


def test_what_cannot_be_decoded_is_refused():
    states, cues = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    for call in (
        lambda: decoding(states, np.zeros(20, dtype=int)),
        lambda: decoding(states, np.array([1] * 4 + [0] * 16)),
        lambda: decoding(states, cues[:-1]),
        lambda: decoding(states[0], cues),
        lambda: decoding(states, cues, folds=1),
    ):
        with pytest.raises(InputError):
            call()


def test_memory_can_be_decoded_where_it_is():
    w_in = np.zeros((3, 12))
    w_in[1, 0] = w_in[2, 1] = 1
    trials = cued_trials(GO, [1], 128)
    for w, expected in ((np.eye(12), 1.0), (np.zeros((12, 12)), 0.5)):
        states = networks_with(w, w_in).activity(trials.x)[34, 0].numpy()  # the memory end
        assert decoding(states, trials.cues[0].numpy()) == pytest.approx(expected, abs=0.15 * (expected < 1))


# Selectivity


def test_tuning_is_the_mean_in_pooled_deviations():
    rng = np.random.default_rng(0)
    cues = rng.choice([1, 4, 6], 90)
    states = np.maximum(rng.normal(size=(90, 8)) + cues[:, None] * rng.normal(size=8), 0)
    states[:, 2], states[:, 5], states[:, 6] = 0, 0.1, -np.abs(rng.normal(size=90))
    found, index = tuning(states.astype(np.float32), cues)
    assert set(index) == {i for i in range(8) if (states[:, i] > 0).any()} - {5}
    for row, unit in zip(found, index, strict=True):
        parts = [states[cues == cue, unit] for cue in (1, 4, 6)]
        pooled = np.sqrt(sum(((p - p.mean()) ** 2).sum() for p in parts) / (90 - 3))
        np.testing.assert_allclose(row, [p.mean() / pooled for p in parts], rtol=1e-5)
    alike = likeness(found)
    order = np.triu_indices(len(found), 1)
    np.testing.assert_allclose(alike, -cdist(found, found)[order])
    none, index = tuning(np.zeros((90, 4)), cues)
    assert none.shape == (0, 3) and len(index) == 0 and len(likeness(none)) == 0


def test_kept_tuning_compares_the_same_units():
    rng = np.random.default_rng(0)
    tunings = rng.normal(size=(10, 2))
    before = tunings[:8], np.arange(8)
    assert kept_tuning(before, before) == pytest.approx(1)
    after = (2 * tunings[[9, 1, 2, 5, 7]], np.array([9, 1, 2, 5, 7]))
    order = np.argsort(after[1])
    assert kept_tuning(before, (after[0][order], after[1][order])) == pytest.approx(1)
    other = rng.normal(size=(8, 2))
    pairs = np.triu_indices(8, 1)
    expected = np.corrcoef(cdist(before[0], before[0])[pairs], cdist(other, other)[pairs])[0, 1]
    assert kept_tuning(before, (other, np.arange(8))) == pytest.approx(expected)
    assert np.isnan(kept_tuning(before, (tunings[:2], np.arange(2))))
    assert np.isnan(kept_tuning(before, (np.ones((8, 2)), np.arange(8))))


def test_mantel_is_a_correlation_and_a_permutation():
    rng = np.random.default_rng(3)
    positions = rng.normal(0, 100, (25, 3))
    tunings = rng.normal(size=(25, 2)) + positions[:, :2] / 120
    r, p = mantel(likeness(tunings), positions, np.random.default_rng(0), 1999)
    pairs = np.triu_indices(25, 1)
    alike, close = -cdist(tunings, tunings), -cdist(positions, positions)
    assert r == pytest.approx(np.corrcoef(alike[pairs], close[pairs])[0, 1])
    others = []
    for _ in range(1999):
        order = rng.permutation(25)
        others.append(np.corrcoef(alike[pairs], close[order][:, order][pairs])[0, 1])
    plain = np.mean(np.abs(others) >= abs(r))
    assert 0.001 < plain < 0.5 and p == pytest.approx(plain, abs=0.03)
    opposite = mantel(-likeness(tunings), positions, np.random.default_rng(0), 1999)
    assert opposite[0] == pytest.approx(-r) and opposite[1] == pytest.approx(p), "both directions count"


def test_planted_likeness_is_found():
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 300, (70, 3))
    planted = positions / 50 + rng.normal(size=(70, 3))
    r, p = mantel(likeness(planted), positions, rng)
    assert r > 0.5 and p == 1 / 1000
    assert mantel(likeness(positions), positions, rng)[0] == pytest.approx(1)


def test_without_likeness_p_is_uniform():
    rng = np.random.default_rng(0)
    found = np.array(
        [mantel(likeness(rng.normal(size=(15, 2))), rng.normal(size=(15, 3)), rng, 99) for _ in range(200)]
    )
    assert kstest(found[:, 1], "uniform").pvalue > 0.01 and abs(found[:, 0].mean()) < 0.03
    assert (found[:, 1] >= 0.01).all() and (found[:, 1] <= 1).all()


def test_where_there_is_nothing_to_correlate():
    rng = np.random.default_rng(0)
    for tunings, positions in (
        (np.ones((6, 2)), rng.normal(size=(6, 3))),
        (rng.normal(size=(6, 2)), np.ones((6, 3))),
        (rng.normal(size=(2, 2)), rng.normal(size=(2, 3))),
        (np.zeros((0, 2)), np.zeros((0, 3))),
    ):
        assert np.isnan(mantel(likeness(tunings), positions, rng)).all()
    with pytest.raises(InputError, match="a value for each pair"):
        mantel(np.ones(4), np.ones((6, 3)), rng)
