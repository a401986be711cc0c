"""The trained networks that come with the library."""

import numpy as np
import pytest

from biornn_lite.datasets import load_field
from biornn_lite.priors import Priors
from biornn_lite.results import ceilings
from biornn_lite.robustness import accuracies
from biornn_lite.trained_networks import PROTOCOL, RUNS, SEED, SHIPPED, load_trained_networks, variants
from biornn_lite.training import held_out_trials

NETWORKS = load_trained_networks()


def test_twenty_networks_of_each_start_and_task():
    assert len(NETWORKS) == 20
    assert [(each.start, each.task, each.run) for each in NETWORKS] == list(SHIPPED)
    assert sum(RUNS.values()) * len(variants()) == 20 and SEED not in {each.seed for each in NETWORKS}


@pytest.mark.parametrize("network", NETWORKS, ids=lambda each: f"{each.start}-{each.task}-{each.run}")
def test_each_has_the_accuracy_that_it_was_shipped_with(network):
    x, labels = held_out_trials(network.task, [network.seed], 2560)
    # Processors round differently, so that single close decisions differ.
    assert accuracies(network.networks, x, labels)[0] == pytest.approx(network.test_accuracy, abs=2.1 / 2560)


def test_what_learns_and_what_does_not():
    """With self-connections, or orthogonal, they learn; functional weights without a diagonal do not."""
    for network in NETWORKS:
        without, best = ceilings(network.task, "test")
        gain = (network.test_accuracy - without) / (best - without)
        assert (gain > 0.9) == (network.start != "functional without diagonal"), network


@pytest.mark.parametrize("start", ["functional", "orthogonal"])
def test_they_have_moved_from_the_start_that_they_name(start):
    """A second route to what they are: nearer to their own start than to any other's."""
    priors = Priors(load_field("synthetic_column"), PROTOCOL)
    starts = {each.name.split(" | ")[0]: each for each in variants()}
    network = next(each for each in NETWORKS if each.start == start)
    apart = {
        name: np.linalg.norm(network.state["w"] - priors.start(each, network.seed).weights)
        for name, each in starts.items()
        if name != "diagonal alone"  # all but the same as functional
    }
    assert min(apart, key=apart.get) == start
