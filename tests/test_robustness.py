"""Disturbed networks lose what they must lose by construction, and the measures agree with counts made by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from biornn_lite import psychometric, robustness, robustness_studies, stability
from biornn_lite.errors import InputError
from biornn_lite.network import Networks, RecurrentNetworks, networks_of
from biornn_lite.priors import Priors
from biornn_lite.pruning import SparseNetworks, front, retrained, synapses, wiring_length
from biornn_lite.robustness import (
    DISTURBANCES,
    Disturbance,
    NoisyStates,
    accuracies,
    area,
    chosen_synapses,
    chosen_units,
    cut,
    degradation,
    noisy_inputs,
    noisy_states,
    noisy_weights,
    others_cut,
    pruned,
    quantise,
    quantised,
    retained,
    root_mean_square,
    self_connections_cut,
    silenced,
)
from biornn_lite.robustness_studies import BATCHES, SIZES, STUDIES, measured, parts, settings_of, variants_of
from biornn_lite.seeds import generator, run_seed
from biornn_lite.space import distances
from biornn_lite.stability import after_trial, dimension_entropy, last_states, repeated_trials
from biornn_lite.tasks import TASKS, PerceptualDecision, draw_trials, ideal_accuracies
from biornn_lite.training import Settings, held_out_trials, train
from biornn_lite.variants import PUBLISHED_VARIANTS

GO = TASKS["go_nogo"]


def rngs(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def remembering(factor: float = 1.0, runs: int = 1, neurons: int = 4) -> RecurrentNetworks:
    """Units 0 and 1 sum the channels of NoGo and Go and keep them by their self-connections; the others rest."""
    w_in, w_out = np.zeros((runs, 3, neurons)), np.zeros((runs, neurons, 2))
    w_in[:, 1, 0] = w_in[:, 2, 1] = w_out[:, 0, 0] = w_out[:, 1, 1] = 1
    return RecurrentNetworks(np.stack([factor * np.eye(neurons)] * runs), w_in, w_out)


def drawn(neurons: int = 7, runs: int = 2, seed: int = 0) -> RecurrentNetworks:
    rng = np.random.default_rng(seed)
    networks = RecurrentNetworks(
        *(rng.normal(0, 0.4, shape) for shape in ((runs, neurons, neurons), (runs, 3, neurons), (runs, neurons, 2)))
    )
    with torch.no_grad():
        networks.b.copy_(torch.from_numpy(rng.normal(0, 0.3, networks.b.shape)))
    return networks


@pytest.fixture(scope="module")
def trials():
    return held_out_trials(GO, [1, 2], 200)


@pytest.fixture(scope="module")
def one(trials):
    return trials[0][:, :1], trials[1][:1]


# Accuracy


def test_the_accuracy_is_that_of_the_training_to_the_digit(small):
    seeds, settings = [3, 4], Settings(epochs=2, batches=4, batch_size=16, test_trials=96)
    done = train(Priors(small).starts(["W*", "W"], seeds), GO, seeds, settings)
    networks = networks_of([each.state for each in done])
    found = accuracies(networks, *held_out_trials(GO, seeds, 96), chunk=50)
    assert found.tolist() == [each.test_accuracy[-1] for each in done]


def test_overflow_counts_as_guessed(trials):
    networks = drawn()
    with torch.no_grad():
        networks.w[1] = 1e20
    x, labels = trials
    found = accuracies(networks, x, labels)
    assert found[1] == 0.5 and found[0] == accuracies(networks.single(0).networks, x[:, :1], labels[:1])[0]


# Noise


def test_no_noise_changes_nothing_to_the_bit(trials):
    networks, (x, _) = drawn(), trials
    assert torch.equal(noisy_inputs(x, 0, rngs(1, 2)), x)
    for proportional in (False, True):
        assert torch.equal(noisy_weights(networks, 0, rngs(1, 2), proportional).w, networks.w)
    quiet = NoisyStates(networks, torch.zeros(2), rngs(1, 2)).evaluate(x)
    assert torch.equal(quiet, Networks.forward(networks, x))
    assert torch.equal(noisy_states(networks, x, 0, rngs(1, 2)).evaluate(x), quiet)
    noisy = noisy_states(networks, x, 0.5, rngs(1, 2)).evaluate(x)
    assert not torch.isclose(noisy, quiet).all(-1).any(), "every trial is disturbed"


def test_noise_has_the_size_that_is_asked_for():
    networks = drawn(neurons=60)
    with torch.no_grad():
        networks.w[0] *= 10
        networks.w[:, :30] = 0
    before = networks.w.detach().clone()
    change = (noisy_weights(networks, 0.5, rngs(1, 2)).w - before).detach()
    assert not change[:, :30].any() and torch.equal(networks.w, before), "the given networks stay"
    for run in range(2):
        assert change[run, 30:].std() / before[run, 30:].std() == pytest.approx(0.5, rel=0.06)
    relative = (noisy_weights(networks, 0.5, rngs(1, 2), proportional=True).w - before)[:, 30:] / before[:, 30:]
    assert relative.std().item() == pytest.approx(0.5, rel=0.06) and not torch.isclose(*relative[:, 0, :1]).any()
    x = torch.zeros(50, 2, 40, 3)
    assert noisy_inputs(x, 0.2, rngs(1, 2)).std().item() == pytest.approx(0.2, rel=0.05)


def test_state_noise_is_relative_to_the_states(one):
    x, _ = one
    networks = remembering()
    states = networks.activity(x)
    assert root_mean_square(networks, x).item() == pytest.approx(states.square().mean().sqrt().item(), rel=1e-5)
    added = []
    for scale in (1.0, 100.0):
        clean = NoisyStates(networks, torch.zeros(1), rngs(1)).evaluate(scale * x)
        added.append((noisy_states(networks, scale * x, 0.1, rngs(1)).evaluate(scale * x) - clean) / scale)
    torch.testing.assert_close(*added, rtol=1e-2, atol=1e-2)


def test_the_last_state_is_disturbed_too(one):
    """Without recurrent weights, only the noise of the last step reaches the readout."""
    x, _ = one
    logits = NoisyStates(remembering(0.0), torch.tensor([0.3]), rngs(1)).evaluate(x)  # silence at the end
    assert logits.std().item() == pytest.approx(0.3, rel=0.15)


def test_a_run_has_the_same_noise_alone_and_among_others(trials):
    networks, (x, labels) = drawn(), trials
    for disturbance in DISTURBANCES.values():
        both = degradation(networks, x, labels, disturbance, [5, 6])
        alone = degradation(networks.single(1).networks, x[:, 1:], labels[1:], disturbance, [6])
        np.testing.assert_allclose(both[:, 1], alone[:, 0], atol=0.011, err_msg=disturbance.name)


# Damage


def test_memory_on_the_diagonal_goes_with_the_diagonal(one):
    x, labels = one
    networks = remembering()
    assert accuracies(networks, x, labels) == 1 == accuracies(others_cut(networks), x, labels)
    first_answer = (labels == 0).double().mean().item()
    assert accuracies(self_connections_cut(networks), x, labels) == first_answer != 1
    only = cut(networks, np.arange(16).reshape(1, 4, 4) == 0)  # of NoGo: what is left of Go still tells them apart
    assert accuracies(only, x, labels) == 1
    assert accuracies(silenced(networks, np.array([[False, False, True, True]])), x, labels) == 1
    assert accuracies(silenced(networks, np.array([[False, True, False, False]])), x, labels) == first_answer


def test_silencing_a_unit_deletes_it(trials):
    networks, (x, _) = drawn(), trials
    gone = np.zeros((2, 7), dtype=bool)
    gone[0, 2] = gone[1, 5] = True
    found = silenced(networks, gone).evaluate(x)
    states = last_states(silenced(networks, gone), x)
    assert not states[0, :, 2].any() and not states[1, :, 5].any()
    for run, unit in enumerate((2, 5)):
        state = networks.state_of_run(run)
        w = np.delete(np.delete(state["w"], unit, 0), unit, 1)
        small = networks_of(
            [
                {"w": w, "w_in": np.delete(state["w_in"], unit, 1), "b": np.delete(state["b"], unit, 1),
                 "w_out": np.delete(state["w_out"], unit, 0), "b_out": state["b_out"]}
            ]
        )  # fmt: skip
        torch.testing.assert_close(found[run : run + 1], small.evaluate(x[:, run : run + 1]), rtol=1e-5, atol=1e-5)


def test_units_are_chosen_by_their_strength():
    w = np.zeros((1, 4, 4))
    w[0, 0, 0], w[0, 1, 2], w[0, 3, 1] = -5, 3, 3  # strengths 5, 6, 3, 3
    networks = RecurrentNetworks(w, np.zeros((1, 3, 4)), np.zeros((1, 4, 2)))
    chosen = [np.flatnonzero(chosen_units(networks, share)[0]).tolist() for share in (0, 0.01, 0.5, 0.75, 1)]
    assert chosen == [[], [1], [0, 1], [0, 1, 2], [0, 1, 2, 3]]


@pytest.mark.parametrize("choose", [chosen_units, chosen_synapses])
def test_a_larger_share_holds_the_smaller(choose):
    networks = drawn(neurons=20)
    with torch.no_grad():
        networks.w[0, :10] = 0
    for random in (True, False):
        before = None
        for share in (0.05, 0.1, 0.3, 0.5, 1):
            now = choose(networks, share, rngs(1, 2) if random else None)
            assert before is None or (now[before].all() and now.sum() > before.sum())
            before = now
        first, second = (choose(networks, 0.3, rngs(*seeds)) for seeds in ((1, 2), (3, 2)))
        assert (first[1] == second[1]).all() and not (first[0] == second[0]).all(), "of each run its own"
        if not random:
            break
    if choose is chosen_synapses:
        assert before.reshape(2, -1).sum(1).tolist() == [200, 400], "zeros are no synapses"
        assert networks.w.detach().numpy()[choose(networks, 0.5, rngs(1, 2))].all()


def test_the_strongest_synapses_are_cut_first():
    networks = drawn()
    w = networks.w.detach().abs()
    chosen = torch.from_numpy(chosen_synapses(networks, 0.2))
    assert chosen.sum((1, 2)).tolist() == [10, 10] and (w[0][chosen[0]].min() > w[0][~chosen[0]].max()).item()
    left = cut(networks, chosen.numpy()).w
    assert not left[chosen].any() and torch.equal(left[~chosen], networks.w[~chosen])


# Precision


def test_quantised_weights_are_those_by_hand():
    w = torch.tensor([[[1.0, -0.4, 0.1], [0.03, 0.012, -0.004]]])
    third = 1 / 3
    by_hand = {
        (3, False): [[1, -third, 0], [0, 0, 0]],
        (3, True): [[1, -third, 0], [0.03, 0.01, 0]],
        (2, False): [[1, 0, 0], [0, 0, 0]],
        (2, True): [[1, 0, 0], [0.03, 0, 0]],
        (1, False): np.array([[1, -1, 1], [1, 1, -1]]) * 1.546 / 6,
        (1, True): [[0.5, -0.5, 0.5], [0.046 / 3, 0.046 / 3, -0.046 / 3]],
    }
    for (bits, per_row), wanted in by_hand.items():
        np.testing.assert_allclose(quantise(w, bits, per_row)[0], wanted, rtol=1e-6, err_msg=f"{bits} {per_row}")
    assert quantise(torch.tensor([[[0.0, -2.0]]]), 1).tolist() == [[[1, -1]]]
    assert not quantise(torch.zeros(1, 2, 2), 4).any() and not quantise(torch.zeros(1, 2, 2), 1).any()


@settings(deadline=None)
@given(st.integers(2, 8), st.booleans(), st.integers(0, 10**6))
def test_quantisation_is_near_and_has_few_values(bits, per_row, seed):
    w = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 5, 6)).astype(np.float32))
    w[1] *= 100
    found = quantise(w, bits, per_row)
    for before, after in zip(w, found, strict=True):
        for rows, rounded in zip(before, after, strict=True) if per_row else [(before, after)]:
            step = rows.abs().max() / (2 ** (bits - 1) - 1)
            assert (rows - rounded).abs().max() <= step * 0.5001
            assert len(rounded.unique()) <= 2**bits - 1
            assert rounded.abs().max().item() == pytest.approx(rows.abs().max().item(), rel=1e-6)


def test_only_the_named_matrices_are_quantised():
    networks = drawn()
    recurrent, everything = quantised(networks, 2), quantised(networks, 2, matrices=robustness.ALL)
    for name, values in networks.named_parameters():
        changed = [not torch.equal(getattr(other, name), values) for other in (recurrent, everything)]
        assert changed == [name == "w", name in ("w", "w_in", "w_out")], name


# Pruning


def test_pruning_keeps_the_largest_and_retraining_keeps_the_zeros(small):
    seeds, settings = [3, 4], Settings(epochs=1, batches=3, batch_size=16, test_trials=8)
    starts = Priors(small).starts(["W*D*C", "WD*C*"], seeds)
    networks = networks_of([each.state for each in train(starts, GO, seeds, settings)])
    few = pruned(networks, 0.05)
    w, kept = networks.w.detach().abs(), few.w != 0
    assert kept.sum((1, 2)).tolist() == [29, 29] and torch.equal(few.w[kept], networks.w[kept])
    assert all(w[r][kept[r]].min() >= w[r][~kept[r]].max() for r in range(2))

    still = retrained(few, starts, GO, seeds, replace(settings, learning_rate=0))
    for name, values in few.named_parameters():
        assert torch.equal(getattr(still, name), values), f"{name} goes on from its trained values"
    more = retrained(few, starts, GO, seeds, settings)
    assert not more.w[~kept].any() and all(
        not torch.equal(getattr(more, name), values) for name, values in few.named_parameters()
    )
    assert (more.w[kept] != few.w[kept]).float().mean() > 0.5


def test_retraining_pays_the_penalty_of_the_starts(small):
    seeds, settings = [3], Settings(epochs=1, batches=20, batch_size=8, test_trials=8)
    starts = Priors(small).starts(["W*D*"], seeds)
    few = pruned(networks_of([each.state for each in train(starts, GO, seeds, settings)]), 0.5)
    free = [replace(start, cost=np.zeros_like(start.cost)) for start in starts]
    sums = [
        (retrained(few, s, GO, seeds, settings).w.detach()[0].numpy() * ~np.eye(24, dtype=bool))
        for s in (starts, free)
    ]
    assert np.abs(sums[0]).sum() < np.abs(sums[1]).sum()


def test_cost_counts_synapses_and_their_length():
    w = np.zeros((2, 3, 3))
    w[0, 0, 1], w[0, 1, 0], w[0, 2, 2], w[1, 0, 2] = 0.1, -2, 3, 1
    networks = RecurrentNetworks(w, np.zeros((2, 3, 3)), np.zeros((2, 3, 2)))
    lengths = distances(np.array([[0.0, 0, 0], [3, 4, 0], [0, 0, 12]]))
    assert synapses(networks).tolist() == [2, 1] and wiring_length(networks, lengths).tolist() == [10, 12]
    assert SparseNetworks(w, np.zeros((2, 3, 3)), np.zeros((2, 3, 2))).absent.sum() == 14


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=0, max_size=12))
def test_the_front_is_what_no_other_point_beats(points):
    def beaten(a):
        return any(b[0] <= a[0] and b[1] >= a[1] and b != a for b in points)

    found = front([cost for cost, _ in points], [value for _, value in points])
    assert found.tolist() == [not beaten(point) for point in points]


# Degradation


def test_areas_are_means_of_curves_in_equal_steps():
    assert (
        area([1.0, 0.5, 0.0]) == 0.5 and area([1.0, 0.0, 0.0]) == 0.25 and area([[1, 1], [1, 0]]).tolist() == [1, 0.5]
    )
    kept = retained([[1.0, 0.8, 0.5], [0.5, 0.8, 0.4], [-1.0, 0.4, 0.0]])
    np.testing.assert_allclose(kept, [[1, 1, np.nan], [0.5, 1, np.nan], [0, 0.5, np.nan]])


def test_draws_are_averaged_and_alike_for_all_severities(trials):
    seen = []

    def disturb(networks, x, severity, generators):
        seen.append((severity, [rng.random() for rng in generators]))
        return networks, x if len(seen) % 2 else torch.zeros_like(x)

    curve = degradation(remembering(runs=2), *trials, Disturbance("d", (1.0, 2.0, 3.0), disturb, draws=2), [8, 9])
    assert [severity for severity, _ in seen] == [1, 2, 3, 1, 2, 3]
    assert seen[0][1] == seen[1][1] == seen[2][1] != seen[3][1] and seen[0][1][0] != seen[0][1][1]
    half = (1 + (trials[1] == 0).double().mean(1)) / 2
    np.testing.assert_allclose(curve, np.stack([half] * 3))


# Stability


def test_states_that_grow_are_not_bounded(one):
    x, labels = one
    turning = RecurrentNetworks(np.roll(np.eye(4), 1, axis=1)[None], remembering().w_in.detach(), np.zeros((1, 4, 2)))
    rising = remembering()
    with torch.no_grad():
        rising.b[:] = 1
    filling = remembering(0.98)  # to 50, with a time constant of 50 steps
    with torch.no_grad():
        filling.b[:] = 1
    cases = [
        (filling, 1),
        (remembering(), 1),
        (remembering(0.5), 1),
        (turning, 1),
        (rising, 0),
        (remembering(1.1), 0),
    ]
    assert [after_trial(networks, x, labels).bounded[0] for networks, _ in cases] == [wanted for _, wanted in cases]


def test_answers_are_kept_as_long_as_the_memory_lasts(one):
    x, labels = one
    first_answer = (labels == 0).double().mean().item()
    assert after_trial(remembering(), x, labels).accuracies[:, 0].tolist() == [1, 1, 1, 1]
    fading = after_trial(remembering(0.5), x, labels, lengths=(1, 2, 5)).accuracies[:, 0]
    assert fading[[0, -1]].tolist() == [1, first_answer], "half of the half, until it is 0"
    shuffled = after_trial(remembering(0.5), x, labels, (1, 2, 5), 0.5, rngs(1)).accuracies[:, 0]
    assert (abs(shuffled - 0.5) < 0.15).all(), "noise overwrites a short memory"
    strong = after_trial(remembering(), x, labels, (1,), 0.01, rngs(1)).accuracies
    assert strong == 1


def test_the_clock_after_the_trial_counts_trial_lengths(one):
    """A ring of four units, of which one answers Go: the answer depends on the number of steps."""
    x, labels = one
    w_in, w_out = np.zeros((1, 3, 4)), np.zeros((1, 4, 2))
    w_in[0, :, 0], w_out[0, 0, 1], w_out[0, 1:, 0] = 1, 1, 0.5
    ring = RecurrentNetworks(np.roll(np.eye(4), 1, axis=1)[None], w_in, w_out)
    once = x.clone()
    once[:-1] = 0
    once[-1, ..., 0] = 1  # one input in the last step
    found = after_trial(ring, once[:37], labels, (1, 2, 4)).accuracies[:, 0]
    assert found.tolist()[:2] == [(labels == 0).double().mean().item()] * 2, "nothing was shown"
    short = once[-5:]  # five steps: after 5, 10, 20 steps the unit is 1, 2, 0
    found = after_trial(ring, short, labels, (1, 2, 4)).accuracies[:, 0]
    go, no_go = ((labels == k).double().mean().item() for k in (1, 0))
    assert found.tolist() == [no_go, no_go, go]


def test_repeated_trials_are_alike_where_there_is_no_noise(one):
    x, labels = one
    quiet = repeated_trials(remembering(), x, labels, rngs(1), input_noise=0)
    assert [each.item() for each in quiet] == [1, 0, 1]
    coin = repeated_trials(remembering(0.0), x, labels, rngs(1), input_noise=0.1, times=20)
    # With relu, one of four pairs is (0, 0), which answers NoGo: the chances are 5/8 and 3/8.
    assert coin.consistency[0] == pytest.approx((5 / 8) ** 2 + (3 / 8) ** 2, abs=0.02)
    assert coin.noise_share[0] == pytest.approx(19 / 20, abs=0.02) and abs(coin.accuracy[0] - 0.5) < 0.1
    steady = repeated_trials(remembering(), x, labels, rngs(1), input_noise=0.05)
    assert steady.consistency[0] == 1 and 0 < steady.noise_share[0] < 0.01


def test_last_states_are_those_of_the_activity(trials):
    networks, (x, _) = drawn(), trials
    torch.testing.assert_close(last_states(networks, x), networks.activity(x)[-1])


def test_dimensions_are_counted_in_bits():
    line = np.outer(np.arange(5.0), [1, 2, 3])
    cross = np.vstack([np.eye(4), -np.eye(4)])
    assert dimension_entropy(line) == pytest.approx(0, abs=1e-9) and dimension_entropy(cross) == pytest.approx(2)
    assert np.isnan(dimension_entropy(np.ones((3, 2)))) and np.isnan(dimension_entropy([[np.inf, 1], [0, 1]]))


# Psychometric curves


def summing() -> RecurrentNetworks:
    """Two units sum the two channels, and the larger sum answers: the ideal observer."""
    w_in, w_out = np.zeros((1, 3, 2)), np.eye(2)[None]
    w_in[0, 1, 0] = w_in[0, 2, 1] = 1
    networks = RecurrentNetworks(np.eye(2)[None], w_in, w_out)
    with torch.no_grad():
        networks.b[:] = 1.0  # far from the threshold at 0; both sums grow alike
    return networks


def test_the_ideal_observer_is_that_of_simulated_trials():
    coherences = (0.0, 1.6, 3.2, 6.4, 12.8)
    ideal = psychometric.ideal_by_coherence(coherences)
    np.testing.assert_allclose(ideal_accuracies(coherences, 20_000).to_numpy(), ideal, atol=0.012)
    network = psychometric.accuracy_by_coherence(summing(), [4], coherences, trials=8000)[:, 0]
    np.testing.assert_allclose(network, ideal, atol=0.02)
    harder = PerceptualDecision(noise=0.2)
    assert psychometric.ideal_threshold(harder) == pytest.approx(2 * psychometric.ideal_threshold())
    threshold = psychometric.ideal_threshold()
    assert psychometric.ideal_by_coherence([threshold])[0] == pytest.approx(0.75) and round(threshold, 2) == 1.74


def test_each_coherence_has_trials_of_its_own_and_of_the_seed():
    found = [psychometric.accuracy_by_coherence(summing(), [seed], (1.6, 3.2), trials=64)[:, 0] for seed in (1, 1, 2)]
    assert (found[0] == found[1]).all() and not (found[0] == found[2]).all()


@pytest.mark.parametrize(("scale", "lapses"), [(2.6, 0.0), (10.0, 0.1), (30.0, 0.3)])
def test_a_fit_finds_the_curve_that_made_the_answers(scale, lapses):
    chances = psychometric.curve(psychometric.COHERENCES, scale, lapses)
    np.testing.assert_allclose(
        chances, lapses / 2 + (1 - lapses) * norm.cdf(np.array(psychometric.COHERENCES) / scale)
    )
    right = np.random.default_rng(1).binomial(50_000, chances)
    found = psychometric.fit(psychometric.COHERENCES, right, 50_000)
    assert found.scale == pytest.approx(scale, rel=0.03) and found.lapses == pytest.approx(lapses, abs=0.01)
    assert found.threshold == pytest.approx(0.6745 * scale, rel=0.03)


def test_guessing_has_no_threshold():
    coherences = psychometric.COHERENCES
    assert np.isinf(psychometric.fit(coherences, [256] * 9, 512).threshold)
    flat = [np.random.default_rng(seed).binomial(512, 0.5, 9) for seed in range(20)]
    assert np.mean([np.isinf(psychometric.fit(coherences, right, 512).threshold) for right in flat]) > 0.9
    slight = psychometric.fit(coherences, [256, *[264] * 8], 512)
    assert np.isinf(slight.threshold) and slight.scale < 5, "a curve fits, and no better than guessing"
    perfect = psychometric.fit(coherences, [256, *[512] * 8], 512)
    assert perfect.threshold < 0.5 and perfect.lapses < 0.01
    blunt = psychometric.curve(coherences, 400.0)
    assert np.isinf(psychometric.fit(coherences, np.rint(5000 * blunt), 5000).threshold), "above 100 %"


# Wrong inputs


HOSTILE = {
    "labels of shape": lambda n, x, y: accuracies(n, x, y[:1]),
    "expected": lambda n, x, y: accuracies(n, x[:, :, :0], y[:, :0]),
    "SD of input noise is -1": lambda n, x, y: noisy_inputs(x, -1, rngs(1, 2)),
    "level of weight noise is nan": lambda n, x, y: noisy_weights(n, float("nan"), rngs(1, 2)),
    "level of state noise is -0.1": lambda n, x, y: noisy_states(n, x, -0.1, rngs(1, 2)),
    "1 generators of random numbers for 2": lambda n, x, y: noisy_weights(n, 0.1, rngs(1)),
    "3 generators of random numbers": lambda n, x, y: chosen_units(n, 0.1, rngs(1, 2, 3)),
    "share of units is 1.5": lambda n, x, y: chosen_units(n, 1.5),
    "share of synapses is -1": lambda n, x, y: chosen_synapses(n, -1),
    "weights to keep is 50": lambda n, x, y: pruned(n, 50),
    "units are int64": lambda n, x, y: silenced(n, np.ones((2, 7), dtype=np.int64)),
    "synapses are bool of shape": lambda n, x, y: cut(n, np.ones((7, 7), dtype=bool)),
    "bits is 0": lambda n, x, y: quantised(n, 0),
    "bits is 2.5": lambda n, x, y: quantised(n, 2.5),
    "bits is True": lambda n, x, y: quantised(n, True),
    "a curve of 1 severities": lambda n, x, y: area([1.0]),
    "finite pairs": lambda n, x, y: front([1, 2], [1]),
    "finite pairs are": lambda n, x, y: front([1, np.nan], [1, 2]),
    "rising numbers": lambda n, x, y: after_trial(n, x, y, (2, 1)),
    "rising numbers from 1": lambda n, x, y: after_trial(n, x, y, ()),
    "noise for 2 networks needs": lambda n, x, y: after_trial(n, x, y, input_noise=0.1),
    "input noise is -1": lambda n, x, y: repeated_trials(n, x, y, rngs(1, 2), -1),
    "trials shown 1 times": lambda n, x, y: repeated_trials(n, x, y, rngs(1, 2), times=1),
    "one at each of 3": lambda n, x, y: psychometric.fit([1, 2], [3, 4], 5),
    "right answers must": lambda n, x, y: psychometric.fit([1, 2, 3], [3, 4, 6], 5),
    "200 training trials": lambda n, x, y: settings_of(200),
    "no study 'fate'": lambda n, x, y: parts("fate"),
    "2 networks, 1 seeds": lambda n, x, y: measured(n, [None, None], GO, [1], np.zeros((7, 7))),
}  # fmt: skip


@pytest.mark.parametrize("message", HOSTILE)
def test_wrong_inputs_are_said_in_one_line(message, trials):
    with pytest.raises(InputError, match=re.escape(message)) as error:
        HOSTILE[message](drawn(), *trials)
    assert "\n" not in str(error.value)


def test_networks_with_another_step_are_not_retrained(trials):
    class Leaky(Networks):
        def step(self, h, x):
            return 0.5 * h + 0.5 * super().step(h, x)

    networks = Leaky(*(getattr(drawn(), name).detach() for name in ("w", "w_in", "w_out")))
    with pytest.raises(InputError, match="has its own step; only networks of the published kind are retrained"):
        retrained(networks, [], GO, [1, 2])
    x, labels = trials[0][:, :, :20], trials[1][:, :20]
    for name, disturbance in DISTURBANCES.items():
        assert np.isfinite(degradation(networks, x, labels, disturbance, [1, 2])).all(), name


# The plan


@pytest.fixture(scope="module")
def plan() -> str:
    return (ROOT / "docs" / "robustness_plan.md").read_text(encoding="utf-8")


def test_the_studies_are_those_of_the_plan(plan):
    assert SIZES == (5120, 2560, 1280, 640, 256, 128)
    assert "128, 256, 640, 1,280, 2,560 and 5,120" in plan
    networks = 0
    for study in STUDIES:
        assert f"`{study}`" in plan
        found = parts(study)
        assert [part.name for part in found] == [f"{size} trials" for size in SIZES]
        for part, size, batches in zip(found, SIZES, BATCHES, strict=True):
            s = part.settings
            assert (s.epochs * s.batches, s.batches, s.batch_size) == (400, batches, 128) and 128 * batches == size
            assert (part.field, part.runs, part.seed, part.tasks) == ("5_3_4", 20, 23, tuple(TASKS))
            assert (part.protocol.coordinates, part.protocol.units) == ("transposed", "micrometres")
            assert part.protocol.penalty_weight == (0 if study == "no penalty" else 0.3)
            networks += len(part.variants) * part.runs * len(part.tasks)
        assert found[0].settings == Settings()
    assert networks == 7200 and "7,200 in all" in plan
    names = [v if isinstance(v, str) else v.name for v in variants_of("published penalty")]
    assert names[:11] == list(PUBLISHED_VARIANTS) and len(names) == 14 and names[-1].endswith("| D* | C*")
    assert [v.name.split(" | ")[0] for v in variants_of("no penalty")] == [
        "functional", "relabelled", "orthogonal", "diagonal alone", "0.95 I", "functional without diagonal",
    ]  # fmt: skip


def test_severities_are_those_of_the_plan(plan):
    def written(values, scale=1):
        return ", ".join(f"{value * scale:g}" for value in values)

    for name, scale in {
        "input noise": 1,
        "state noise": 1,
        "weight noise": 1,
        "units silenced, at random": 100,
    }.items():
        assert written(DISTURBANCES[name].severities, scale) in plan, name
    assert written(robustness.KEPT, 100) in plan and written(robustness_studies.KEPT_RETRAINED, 100) in plan
    assert written(psychometric.COHERENCES) in plan and written(stability.LENGTHS) in plan
    assert DISTURBANCES["bits, all, per row"].severities == (8, 6, 5, 4, 3, 2, 1)
    assert "8, 6, 5, 4, 3, 2 bits and binary" in plan
    draws = {name: d.draws for name, d in DISTURBANCES.items() if d.draws > 1}
    assert draws == {
        "weight noise": 2, "weight noise, proportional": 2,
        "units silenced, at random": 4, "synapses cut, at random": 4,
    }  # fmt: skip
    kinds = {"weight noise", "units silenced", "synapses cut", "bits"}
    for kind in kinds:
        assert len({d.severities for name, d in DISTURBANCES.items() if name.startswith(kind)}) == 1, kind


def test_all_measures_of_the_plan_are_taken(small, monkeypatch):
    for what, few in {"ALL_TRIALS": 64, "SOME_TRIALS": 32, "FEW_TRIALS": 16, "TRIALS_PER_COHERENCE": 24}.items():
        monkeypatch.setattr(robustness_studies, what, few)
    seeds, task = [run_seed(1, k) for k in range(2)], TASKS["perceptual_decision_making"]
    tiny = Settings(epochs=1, batches=2, batch_size=8, test_trials=64)
    starts = Priors(small).starts(["W*D*", "WD*"], seeds)
    done = train(starts, task, seeds, tiny)
    networks = networks_of([each.state for each in done])
    table = measured(networks, starts, task, seeds, distances(small.positions), retraining=tiny)
    assert not table.duplicated(["network", "measure", "severity"]).any() and set(table["network"]) == {0, 1}
    ends = table[table["measure"] == "accuracy"]["value"].tolist()
    assert ends == [each.test_accuracy[-1] for each in done]
    of = table.groupby("measure")["severity"].unique().map(tuple).to_dict()
    assert all(of[name] == d.severities for name, d in DISTURBANCES.items())
    assert of["pruned and retrained"] == robustness_studies.KEPT_RETRAINED and of["psychometric"][-1] == 100
    assert of["after the trial, silence"] == of["after the trial, noise"] == (1, 2, 5, 10)
    assert {"consistency", "noise share", "threshold", "lapses", "dimension entropy", "state entropy"} <= set(of)
    kept = table[(table["measure"] == "pruned: synapses") & (table["severity"] == 0.01)]["value"]
    assert (kept <= round(0.01 * 24**2)).all()
    few = measured(networks, starts, task, seeds, distances(small.positions), whole=False)
    assert set(few["measure"]) == {"accuracy"} and few["value"].tolist() == ends
    other = measured(networks_of([each.state for each in train(starts, GO, seeds, tiny)]), starts, GO, seeds,
                     distances(small.positions), retraining=tiny)  # fmt: skip
    assert set(of) - set(other["measure"]) == {"psychometric", "threshold", "lapses"}


def test_held_out_trials_are_those_of_a_training():
    x, labels = held_out_trials(GO, [7], 30)
    inputs, answers = draw_trials(GO, 30, generator(7, "test trials", "go_nogo"))
    np.testing.assert_array_equal(x[:, 0].transpose(0, 1), inputs)
    np.testing.assert_array_equal(labels[0], answers)
