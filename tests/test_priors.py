"""Variants, choices, and what networks start from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from biornn_lite.datasets import read_released
from biornn_lite.errors import InputError
from biornn_lite.priors import Priors
from biornn_lite.variants import PROTOCOLS, PUBLISHED_VARIANTS, VARIANTS, Protocol, describe_choices, get_variant


def test_names_say_what_variants_are():
    assert len(PUBLISHED_VARIANTS) == 11 and len(VARIANTS) == 27
    v = get_variant("W!DC*")
    assert (v.weights, v.space, v.communicability) == ("relabelled", "lattice", "empirical")
    v = get_variant("W")
    assert (v.weights, v.space, v.communicability) == ("orthogonal", "none", "none")
    with pytest.raises(InputError, match="no variant 'DW'"):
        get_variant("DW")


def test_ready_protocols_differ_in_every_quirk_of_the_published_code():
    choices = {c["choice"]: c for c in describe_choices()}
    same = {name for name, c in choices.items() if c["published"] == c["sound"]}
    assert same == {"function", "trials", "penalty_weight", "emd_weight"}
    assert PROTOCOLS["published"] == Protocol() and PROTOCOLS["published"].name == "published"
    assert PROTOCOLS["sound"].name == "sound"


def test_single_choices():
    protocol = Protocol().choose(["units=micrometres", "penalty_weight=0.1"])
    assert (protocol.units, protocol.penalty_weight) == ("micrometres", 0.1)
    assert protocol.name == "published+units=micrometres+penalty_weight=0.1"
    for bad, message in [
        ("units", "form choice=value"),
        ("unit=micrometres", "no choice 'unit'"),
        ("units=inches", "it allows min_max, micrometres"),
        ("penalty_weight=-1", "a number"),
        ("penalty_weight=nan", "a number"),
        ("penalty_weight=much", "a number"),
    ]:
        with pytest.raises(InputError, match=message):
            Protocol().choose([bad])


def test_the_plain_penalty_ignores_lambda_as_published(column):
    published, sound = Priors(column, Protocol()), Priors(column, Protocol(lambda_in_w="applied"))
    assert (published.start(get_variant("W"), 0).cost == 1.0).all()
    assert (sound.start(get_variant("W"), 0).cost == 0.3).all()
    d = published.start(get_variant("WD"), 0).cost
    np.testing.assert_allclose(d, 0.3 * published.lattice_distances)


def test_matched_penalties_start_at_one_value(column):
    from biornn_lite.penalty import Penalty

    priors = Priors(column, Protocol(penalty_start="matched", emd_weight=0))
    starts = [priors.start(get_variant(v), 0) for v in PUBLISHED_VARIANTS]
    values = Penalty(starts)(torch.tensor(np.array([s.weights for s in starts]), dtype=torch.float32))
    published = Priors(column, Protocol()).start(get_variant("W*D*"), 0)
    np.testing.assert_allclose(values, (published.weights * published.cost).sum(), rtol=1e-5)


def test_function_choices_and_their_absence(column, microns):
    real = read_released(microns / "5_3_4")
    ours = {f: Priors(real, Protocol(function=f)).functional_weights(0) for f in ("correlation", "sttc", "precision")}
    assert len({w.tobytes() for w in ours.values()}) == 3
    with pytest.raises(InputError, match="no precision matrix"):
        Priors(replace(column, precision=None), Protocol(function="precision"))
