"""Representations, their distances and their ceilings, beside SciPy and sums made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import correlation
from scipy.stats import rankdata, spearmanr

from biornn_lite.errors import InputError
from biornn_lite.representations import dissimilarity, noise_ceiling, representation, similarity


def test_conditions_are_ordered_by_cue_and_then_by_time():
    rng = np.random.default_rng(0)
    states, cues = rng.normal(size=(4, 60, 5)).astype(np.float32), rng.integers(3, size=60)
    found = representation(states, cues)
    assert found.shape == (12, 5)
    for cue in range(3):
        for time in range(4):
            expected = states[time, cues == cue].astype(float).mean(axis=0)
            np.testing.assert_allclose(found[4 * cue + time], expected)
    with pytest.raises(InputError):
        representation(states[0], cues)


def test_distances_are_those_of_scipy():
    rows = np.random.default_rng(0).normal(size=(8, 20)) + 5
    rows[3] *= 100
    found, centred, k = dissimilarity(rows), rows - rows.mean(axis=0), 0
    for i in range(8):
        for j in range(i + 1, 8):
            assert found[k] == pytest.approx(correlation(centred[i], centred[j]))
            k += 1
    assert len(found) == k


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([1e-15, 1e-3, 1e4]))
def test_order_of_units_size_and_common_activity_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(6, 9))
    changed = scale * (rows[:, rng.permutation(9)] + rng.normal())
    np.testing.assert_allclose(dissimilarity(changed), dissimilarity(rows), atol=1e-8)


def test_conditions_without_variance_have_no_distance():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5, 7))
    rows[2] = rows[[0, 1, 3, 4]].mean(axis=0)  # the mean of all, so nothing is left
    found = dissimilarity(rows)
    pairs = np.array([[i, j] for i in range(5) for j in range(i + 1, 5)])
    assert np.isnan(found).tolist() == (pairs == 2).any(axis=1).tolist()
    assert np.isnan(dissimilarity(np.ones((4, 6)) * 0.1)).all(), "a network that does nothing"
    rows[0, 0] = np.inf
    assert np.isnan(dissimilarity(rows)).all()
    for bad in (np.ones((1, 5)), np.ones((5, 1)), np.ones(5)):
        with pytest.raises(InputError, match="at least 2"):
            dissimilarity(bad)


def test_similarity_is_the_correlation_of_ranks():
    rng = np.random.default_rng(0)
    one, other = rng.random(40), rng.random(40)
    assert similarity(one, other) == pytest.approx(np.corrcoef(rankdata(one), rankdata(other))[0, 1])
    assert similarity(one, np.exp(5 * one)) == pytest.approx(1) and similarity(one, -one) == pytest.approx(-1)
    one[3], other[7] = np.nan, np.nan
    keep = np.delete(np.arange(40), [3, 7])
    assert similarity(one, other) == pytest.approx(spearmanr(one[keep], other[keep]).statistic)
    assert np.isnan(similarity(np.ones(5), np.arange(5.0)))
    assert np.isnan(similarity(np.full(5, np.nan), np.arange(5.0)))
    assert np.isnan(similarity(np.arange(2.0), np.arange(2.0)))
    with pytest.raises(InputError, match="the same pairs"):
        similarity(np.arange(5.0), np.arange(6.0))


def test_a_noise_ceiling_by_hand():
    runs = np.array([[1.0, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4]])
    # Spearman's: 1 - 6 Σd² / (n (n² - 1)), n = 4: 1 - Σd² / 10.
    # Means of the others: (1.5, 1.5, 3.5, 3.5), (1.5, 1.5, 3, 4), (1, 2, 3.5, 3.5); of all: (4, 5, 10, 11) / 3.
    # The first with ties: correlation of ranks (1..4) with (1.5, 1.5, 3.5, 3.5) is 4 / √(5 · 4).
    first = 4 / np.sqrt(20)
    second = np.corrcoef([1, 2, 4, 3], [1.5, 1.5, 3, 4])[0, 1]
    third = np.corrcoef([2, 1, 3, 4], [1, 2, 3.5, 3.5])[0, 1]
    lower, upper = noise_ceiling(runs)
    assert lower == pytest.approx((first + second + third) / 3)
    assert upper == pytest.approx((1 + 0.8 + 0.8) / 3)
    assert noise_ceiling(runs[[0, 0, 0]]) == pytest.approx((1, 1))


def test_ceilings_hold_the_similarity_of_noisy_runs():
    rng = np.random.default_rng(0)
    truth = rng.random(60)
    runs = truth + rng.normal(0, 0.2, (10, 60))
    lower, upper = noise_ceiling(runs)
    best = np.mean([similarity(run, truth) for run in runs])
    assert lower < best < upper


def test_missing_distances_do_not_enter_a_ceiling():
    rng = np.random.default_rng(0)
    runs = rng.random((4, 30))
    runs[0, :3] = np.nan
    runs[:, 9] = np.nan
    expected = []
    for k in range(4):
        there = [pair for pair in range(30) if pair != 9 and not (k == 0 and pair < 3)]
        others = [[runs[j, pair] for j in range(4) if j != k and not np.isnan(runs[j, pair])] for pair in there]
        expected.append(spearmanr(runs[k, there], [np.mean(values) for values in others]).statistic)
    assert noise_ceiling(runs)[0] == pytest.approx(np.mean(expected))
    dead = np.vstack([runs, np.full((1, 30), np.nan)])
    assert noise_ceiling(dead) == pytest.approx(noise_ceiling(runs)), "a network that does nothing counts nowhere"
    assert np.isnan(noise_ceiling(runs[:1])).all() and np.isnan(noise_ceiling(np.full((3, 6), np.nan))).all()
    with pytest.raises(InputError):
        noise_ceiling(runs[0])
