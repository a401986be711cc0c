"""Controls keep what they say, and lose the rest."""

from dataclasses import replace

import numpy as np
import pytest

from biornn_lite import CorticalField, Priors, Settings, Study, Variant, run_study, weights
from biornn_lite.controls import (
    AtOneMean,
    Connectome,
    ConstantDiagonal,
    FewUnits,
    Lognormal,
    OffDiagonal,
    RandomGraph,
    SameDegrees,
    SameSingularValues,
    ShiftedEvents,
    Shuffled,
)
from biornn_lite.errors import InputError
from biornn_lite.seeds import generator
from biornn_lite.space import distances, mean_distance

OFF = ~np.eye(96, dtype=bool)


def drawn(control, field, seed=3):
    return control(field, generator(seed, "lognormal"))


def test_starts_keep_what_they_say(column):
    own = drawn(weights.Functional(), column)
    np.testing.assert_array_equal(own, Priors(column).functional_weights(3))
    mixed = drawn(Shuffled(), column)
    scale = mixed[0, 0] / own[0, 0]
    np.testing.assert_allclose(np.diag(mixed), scale * np.diag(own))
    np.testing.assert_allclose(np.sort(mixed[OFF]), scale * np.sort(own[OFF]))
    assert abs(np.corrcoef(mixed[OFF], own[OFF])[0, 1]) < 0.05
    assert np.diag(drawn(Shuffled("shuffled"), column)).mean() < 0.2 * np.diag(own).mean()
    flat = drawn(ConstantDiagonal(), column)
    np.testing.assert_array_equal(flat[OFF], own[OFF])
    np.testing.assert_allclose(np.diag(flat), np.diag(own).mean())
    turned = drawn(SameSingularValues(), column)
    np.testing.assert_allclose(np.linalg.svd(turned)[1], np.linalg.svd(own)[1])
    assert abs(np.diag(turned).mean()) < 0.1 * np.diag(own).mean()
    draws = drawn(Lognormal(), column)
    np.testing.assert_allclose(
        np.corrcoef(draws.ravel(), weights.lognormal_draws(96, generator(3, "lognormal")).ravel())[0, 1], 1
    )
    assert weights.spectral_radius(draws) == pytest.approx(0.95)


def test_shifted_events_lose_their_coordination_alone(column):
    own, shifted = drawn(weights.Functional(), column), drawn(ShiftedEvents(), column)
    assert np.corrcoef(np.diag(own), np.diag(shifted))[0, 1] > 0.999, "the same draws on the diagonal of 1"
    draws = weights.lognormal_draws(96, generator(3, "lognormal"))
    beyond = [np.corrcoef((each / draws)[OFF], column.correlation[OFF])[0, 1] for each in (own, shifted)]
    assert beyond[0] > 0.4 and abs(beyond[1]) < 0.1
    with pytest.raises(InputError, match="without event times"):
        drawn(ShiftedEvents(), replace(column, spike_times=None))


def test_the_connectome_is_a_start_in_its_own_order(column):
    counts = column.connectome
    for start, diagonal, strength in (
        (drawn(Connectome(), column), 0.5, 0.2),
        (drawn(Connectome(0.3, 0.05), column), 0.3, 0.05),
    ):
        assert (np.diag(start) == diagonal).all(), "not rescaled"
        assert start[OFF][start[OFF] > 0].mean() == pytest.approx(strength)
        np.testing.assert_allclose(start[OFF], counts[OFF] * (strength / counts[OFF][counts[OFF] > 0].mean()))
    selves = replace(column, connectome=counts + 7 * np.eye(96, dtype=counts.dtype), released_rows=None)
    np.testing.assert_array_equal(drawn(Connectome(), selves), drawn(Connectome(), column))
    with pytest.raises(InputError, match="no connection between two neurons"):
        drawn(Connectome(), replace(column, connectome=np.eye(96), released_rows=None))


@pytest.mark.parametrize("graph", [RandomGraph(), SameDegrees()], ids=["random", "same degrees"])
def test_the_connectome_as_a_start_can_be_replaced_by_another_graph(column, graph):
    own, start = drawn(Connectome(), column), drawn(Connectome(graph=graph), column)
    assert (np.diag(start) == 0.5).all()
    np.testing.assert_allclose(np.sort(start[OFF]), np.sort(own[OFF]))
    assert ((start > 0) & (own > 0) & OFF).sum() < 0.5 * ((own > 0) & OFF).sum()
    there = drawn(graph, column)
    np.testing.assert_array_equal((start > 0)[OFF], (there > 0)[OFF])
    for axis in (0, 1):
        same = np.array_equal(((start > 0) & OFF).sum(axis), ((own > 0) & OFF).sum(axis))
        assert same == isinstance(graph, SameDegrees)
    assert not np.array_equal(start, drawn(Connectome(graph=graph), column, seed=4)), "each run draws its own"


def test_function_can_be_strong_beside_the_diagonal(column):
    own = drawn(weights.Functional(), column)
    start, mixed = drawn(OffDiagonal(), column), drawn(OffDiagonal(shuffled=True), column)
    for matrix in (start, mixed):
        assert (np.diag(matrix) == 0.5).all()
        assert weights.spectral_radius(matrix - 0.5 * np.eye(96)) == pytest.approx(0.45)
    for one, other in ((start[OFF], own[OFF]), (np.sort(mixed[OFF]), np.sort(own[OFF]))):
        np.testing.assert_allclose(one, other * (one.sum() / other.sum()))
    assert start[OFF].mean() / 0.5 > 2 * own[OFF].mean() / np.diag(own).mean(), "stronger beside the diagonal than W*"
    assert abs(np.corrcoef(mixed[OFF], start[OFF])[0, 1]) < 0.05
    other = drawn(OffDiagonal(0.2, 0.3, start=Lognormal()), column)
    assert (np.diag(other) == 0.2).all() and weights.spectral_radius(other - 0.2 * np.eye(96)) == pytest.approx(0.3)
    lognormal = drawn(Lognormal(), column)
    assert np.corrcoef(other[OFF], lognormal[OFF])[0, 1] == pytest.approx(1)
    with pytest.raises(InputError, match="spectral radius 0"):
        drawn(OffDiagonal(start=weights.Identity(0.5)), column)


def test_a_few_units_have_a_self_connection_and_nothing_else_is_there(column):
    for units in (1, 2, 4, 8, 16, 96):
        start = drawn(FewUnits(units), column)
        assert (start[OFF] == 0).all() and sorted(np.diag(start)) == [0] * (96 - units) + [0.95] * units
    chosen = [tuple(np.flatnonzero(np.diag(drawn(FewUnits(8, 0.5), column, seed)) == 0.5)) for seed in range(5)]
    assert set(map(len, chosen)) == {8} and len(set(chosen)) == 5, "each run has units of its own"
    for units in (97, 0, -1):
        with pytest.raises(InputError, match=f"{units} units of 96 neurons"):
            drawn(FewUnits(units), column)


def test_spaces_have_one_mean_and_their_own_shape(column):
    true = distances(column.positions)
    for arrangement in ("none", "lattice", "cortical", "permuted", "reshaped"):
        matrix = AtOneMean(arrangement, 0.7, own=0.2)(column)
        assert mean_distance(matrix - 0.2 * np.eye(96)) == pytest.approx(0.7) and (np.diag(matrix) == 0.2).all()
        r = np.corrcoef(matrix[OFF], true[OFF])[0, 1] if arrangement != "none" else 0.0
        assert (r > 0.999) == (arrangement == "cortical") and (abs(r) < 0.5 or arrangement in ("cortical", "lattice"))
    first, other = (AtOneMean("permuted", seed=seed)(column) for seed in (0, 1))
    np.testing.assert_allclose(np.sort(first.ravel()), np.sort(other.ravel()))
    assert not np.array_equal(first, other)
    with pytest.raises(InputError, match="it allows none, lattice, cortical"):
        AtOneMean("cubic")


def test_targets_keep_density_or_degrees(column):
    counts = column.connectome
    random, swapped = drawn(RandomGraph(), column), drawn(SameDegrees(), column)
    for graph in (random, swapped):
        np.testing.assert_array_equal(np.sort(graph.ravel()), np.sort(counts.ravel()))
        np.testing.assert_array_equal(np.diag(graph), np.diag(counts))
        assert ((graph > 0) & (counts > 0) & OFF).sum() < 0.5 * (counts[OFF] > 0).sum()
    for axis in (0, 1):
        np.testing.assert_array_equal((swapped > 0).sum(axis), (counts > 0).sum(axis))
        assert not np.array_equal((random > 0).sum(axis), (counts > 0).sum(axis))
    few = CorticalField("few", column.positions[:3], np.diag([1, 1], 1))
    with pytest.raises(InputError, match="can be swapped"):
        drawn(SameDegrees(), few)


def test_controls_go_through_a_study(column):
    quick = Settings(epochs=1, batches=2, batch_size=16, test_trials=20)
    variants = [
        Variant("shuffled", Shuffled(), AtOneMean("cortical"), SameDegrees()),
        Variant("shifted", ShiftedEvents(), AtOneMean("permuted", own=1.0), RandomGraph()),
        Variant("wired", Connectome(), AtOneMean("none"), "weights"),
    ]
    rows = run_study(Study(column, variants, "go_nogo", 2, settings=quick), jobs=1, progress=False).networks
    assert (rows["status"] == "ok").all() and len(set(rows["own_objects"])) == 3
