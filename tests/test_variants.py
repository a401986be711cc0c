"""Variants, starts and settings: strings and numbers that mean nothing are refused, not taken for something else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from biornn_lite.errors import InputError
from biornn_lite.priors import Priors, Start
from biornn_lite.replication import load_replication
from biornn_lite.results import ceilings, format_table, learned
from biornn_lite.statistics import epochs_to_learn, pairwise
from biornn_lite.training import Settings
from biornn_lite.variants import PUBLISHED_VARIANTS, Protocol, Variant, get_variant


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (
            ("identity", "none", "none"),
            "weights of variant 'I' is 'identity'; it allows orthogonal, functional, relab",
        ),
        (
            ("functional", "scrambled", "none"),
            "space of variant 'I' is 'scrambled'; it allows none, lattice, cortical",
        ),
        (("functional", "none", "C"), "communicability of variant 'I' is 'C'; it allows none, weights, empirical"),
        ((None, "none", "none"), "weights of variant 'I' is None"),
        ((["functional"], "none", "none"), "weights of variant 'I' is"),
    ],
)
def test_a_name_that_means_nothing_is_refused(choices, told):
    with pytest.raises(InputError, match=told):
        Variant("I", *choices)


def test_variants_are_looked_up_by_names_only():
    for wrong in ("I", "", None, ["W"], 3):
        with pytest.raises(InputError, match="no variant"):
            get_variant(wrong)
    assert [get_variant(name).name for name in PUBLISHED_VARIANTS] == list(PUBLISHED_VARIANTS)


def test_a_start_says_what_communicability_it_has():
    with pytest.raises(InputError, match="communicability of a start is 'C'"):
        Start(np.eye(3), np.eye(3), communicability="C")
    for wrong in ({"communicability": "empirical"}, {"sorted_target": np.zeros(9)}):
        with pytest.raises(InputError, match="a start has a sorted_target if"):
            Start(np.eye(3), np.eye(3), **wrong)


def test_a_field_without_activity_has_no_functional_weights(small):
    silent = replace(small, correlation=np.eye(24), sttc=np.eye(24))
    for protocol in (Protocol(), Protocol(function="sttc"), Protocol(self_connections="removed")):
        with pytest.raises(InputError, match=r"W\* and W! need function; all pairs of .* are equally alike"):
            Priors(silent, protocol).functional_weights(0)
    only = Priors(silent, Protocol(self_connections="only")).functional_weights(0)
    assert (only == np.diag(np.diag(only))).all(), "which is what was asked for"
    assert Priors(silent, Protocol()).start(get_variant("WD*C"), 0).weights.any(), "others need none"


def test_a_connectome_without_connections_is_no_target(small):
    bare = replace(small, connectome=np.diag(np.ones(24)), released_rows=None)
    with pytest.raises(InputError, match=r"C\* needs wiring; .* has no connection between two neurons"):
        Priors(bare, Protocol()).start(get_variant("WD*C*"), 0)
    assert Priors(bare, Protocol()).start(get_variant("WD*C"), 0).communicability == "weights"


@pytest.mark.parametrize("what", ["epochs", "batches", "batch_size", "test_trials"])
def test_settings_count_in_whole_numbers_from_1(what):
    for wrong, told in (
        (0, "it must be at least 1"),
        (-3, "at least 1"),
        (2.5, "whole"),
        ("9", "whole"),
        (True, "whole"),
    ):
        with pytest.raises(InputError, match=f"{what} is {wrong!r}; it must be .*{told.split('must be ')[-1]}"):
            Settings(**{what: wrong})
    assert getattr(Settings(**{what: np.int64(7)}), what) == 7


@pytest.mark.parametrize(
    ("what", "wrong"),
    [("learning_rate", "0"), ("learning_rate", -1.0), ("epsilon", 0.0), ("input_noise", -0.1),
     ("input_noise", np.nan), ("learning_rate", np.inf), ("epsilon", "1"), ("input_noise", None)],
)  # fmt: skip
def test_settings_of_no_sense_are_refused(what, wrong):
    with pytest.raises(InputError, match=f"{what} is .*; it must be a number"):
        Settings(**{what: wrong})


# Tables that mix what does not belong together


@pytest.fixture(scope="module")
def full():
    return load_replication("6_6_2")


def test_a_summary_is_of_one_field_protocol_and_sign(full):
    for what in ("field", "protocol", "sign"):
        mixed = pd.concat([full.networks, full.networks.assign(**{what: "other"})])
        with pytest.raises(InputError, match=f"rows of several {what}s, .*, other; choose those of one"):
            format_table(mixed, "6_6_2")


def test_pairs_are_compared_within_a_task(full):
    with pytest.raises(InputError, match=r"rows of one_choice_inference, go_nogo, .*; choose those of one task"):
        pairwise(full.networks, "test_accuracy")
    assert len(pairwise(full.networks.query("task == 'go_nogo'"), "test_accuracy")) == 55


def test_a_study_of_more_epochs_is_not_censored_at_ten(full):
    networks = full.networks.query("task == 'go_nogo' and variant == 'W'")
    curves = full.curves.query("task == 'go_nogo' and variant == 'W'")
    longer = pd.concat([curves, curves.assign(epoch=curves["epoch"] + 40)])
    assert set(epochs_to_learn(networks, longer).query("not learned")["epochs"]) == {50}
    assert set(epochs_to_learn(networks, curves).query("not learned")["epochs"]) == {10}
    assert set(epochs_to_learn(networks, curves, epochs=30).query("not learned")["epochs"]) == {30}


def test_ceilings_know_the_noise_of_the_study(full):
    task = "perceptual_decision_making"
    quiet, loud = (ceilings(task, "train", noise)[1] for noise in (0.0, 1.0))
    assert ceilings(task, "test")[1] == quiet > ceilings(task, "train")[1] > loud
    one = full.networks.query(f"task == '{task}'")
    noisy = one.assign(input_noise=1.0)
    assert learned(noisy).sum() >= learned(one).sum()
    assert f"best possible {loud:.3f}" in format_table(noisy, "6_6_2")
