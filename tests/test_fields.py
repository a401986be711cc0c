"""Fields: what is checked, saved and read; test_hostile.py goes through all that may be wrong with them."""

import pickle

import numpy as np
import pandas as pd
import pytest

from biornn_lite import activity
from biornn_lite.datasets import EMBEDDED, list_fields, load_field, read_released, released_fields
from biornn_lite.errors import FieldError
from biornn_lite.field import IDS, CorticalField
from biornn_lite.synthetic import synthetic_field


def parts(n=5, **changes):
    r = np.random.default_rng(0)
    symmetric = r.uniform(-0.1, 0.1, (n, n))
    symmetric = (symmetric + symmetric.T) / 2 + np.eye(n) * 0.5
    good = {
        "name": "made",
        "positions": r.random((n, 3)) * 100,
        "connectome": r.integers(0, 2, (n, n)),
        "correlation": symmetric,
        "sttc": symmetric,
        "spike_times": [np.sort(r.random(4)) for _ in range(n)],
    }
    return good | changes


def some_ids(n=5):
    """Ids of 18 digits that a float would not tell apart."""
    return {key: [864_691_135_000_000_001 + 1000 * k + i for i in range(n)] for k, key in enumerate(IDS)}


# Checks


def test_a_good_field_is_taken_and_frozen():
    field = CorticalField(**parts(lattice=(5, 1, 1)))
    assert field.neurons == 5 and field.label == "made"
    with pytest.raises(ValueError, match="read-only"):
        field.positions[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        field.spike_times[0][0] = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros((5, 2))}, r"positions have shape \(5, 2\)"),
        ({"positions": np.full((5, 3), np.nan)}, r"positions holds nan at \[0, 0\]"),
        ({"positions": [["a", "b", "c"]] * 5}, "positions does not hold numbers"),
        ({"connectome": np.zeros((4, 4))}, r"connectome has shape \(4, 4\), but the positions give 5 neurons"),
        ({"connectome": -np.ones((5, 5))}, r"negative synapse count at \[0, 0\]"),
        ({"correlation": np.arange(25.0).reshape(5, 5) / 100}, r"correlation is not symmetric: \["),
        ({"correlation": 2 * np.ones((5, 5))}, "leaves the range"),
        ({"sttc": np.full((5, 5), np.inf)}, "sttc holds inf"),
        ({"precision": np.zeros((5, 4))}, "precision has shape"),
        ({"spike_times": [np.arange(3.0)] * 4}, "spike times of 4 neurons, positions of 5"),
        ({"spike_times": [np.arange(3.0)[::-1]] * 5}, "spike times of neuron 0 are not in increasing order"),
        ({"spike_times": [np.array([np.nan])] * 5}, "spike times of neuron 0 are not a list of finite numbers"),
        ({"spike_times": [[-0.5, 1.0]] * 5}, r"spike times of neuron 0 begin at -0.5 s, before 0"),
        ({"spike_times": [[1.0]] * 4 + [[[1.0]]]}, "spike times of neuron 4 are not a list of finite numbers"),
        ({"spike_times": [[1.0]] * 4 + [["1.0"]]}, "spike times of neuron 4 are not numbers"),
        ({"spike_times": [[1.0]] * 4 + [[1j]]}, "spike times of neuron 4 are not numbers"),
        ({"spike_times": 3}, "spike times are 3; expected one list per neuron"),
        ({"lattice": (2, 2, 1)}, r"lattice \(2, 2, 1\) does not hold 5 neurons"),
        ({"lattice": (5, 1)}, r"lattice \(5, 1\) does not hold 5 neurons"),
        ({"lattice": (-5, -1, 1)}, r"lattice \(-5, -1, 1\) does not hold 5 neurons"),
        # A product that is 5 in the 64 bits of a machine's integer.
        ({"lattice": (5, 3, 0xAAAAAAAAAAAAAAAB)}, "does not hold 5 neurons"),
        ({"lattice": (5.0, 1, 1)}, r"lattice is \(5.0, 1, 1\); expected three sides"),
        ({"lattice": (10**5000, 1, 1)}, "lattice too long to show does not hold 5 neurons"),
        ({"lattice": "511"}, "lattice is '511'; expected three sides"),
        ({"lattice": 5}, "lattice is 5; expected three sides"),
        ({"voxel_size": (1, 2)}, r"voxel_size is \(1, 2\); expected three lengths in µm"),
        ({"voxel_size": (1, 2, 0)}, r"voxel_size is \(1, 2, 0\); expected three lengths in µm"),
        ({"voxel_size": (1, 2, np.nan)}, r"voxel_size holds nan at \[2\]"),
        ({"voxel_size": "123"}, "voxel_size does not hold numbers"),
        ({"voxel_size": np.ones((3, 3))}, "voxel_size is array"),
        ({"name": ""}, "the name of a field is ''; expected a text of one line"),
        ({"name": "two\nlines"}, r"the name of a field is 'two\\nlines'; expected a text of one line"),
        ({"name": 662}, "the name of a field is 662; expected a text of one line"),
        ({"synthetic": "no"}, "synthetic is 'no'; expected True or False"),
    ],
)
def test_a_malformed_field_says_what_is_wrong(changes, message):
    with pytest.raises(FieldError, match=message):
        CorticalField(**parts(**changes))


def test_a_refusal_passes_between_processes():
    with pytest.raises(FieldError) as told:
        CorticalField(**parts(lattice=5))
    again = pickle.loads(pickle.dumps(told.value))
    assert (type(again), str(again), again.part) == (type(told.value), str(told.value), "lattice")


def test_what_is_as_good_is_taken_too():
    trains = [[], [0, 0, 1], np.array([1, 2], dtype="f4"), np.array([0.5, 1], dtype=object), (1, 2)]
    field = CorticalField(**parts(spike_times=trains, lattice=np.array([1, 5, 1]), voxel_size=[1, 2, np.float32(3)]))
    assert [train.tolist() for train in field.spike_times] == [[], [0, 0, 1], [1, 2], [0.5, 1], [1, 2]]
    assert field.lattice == (1, 5, 1) and field.voxel_size == (1.0, 2.0, 3.0)
    assert {type(value) for value in field.lattice + field.voxel_size} == {int, float}


@pytest.mark.parametrize("key", IDS)
@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([7, 8, 7, 9, 10], "name 7 more than once"),
        ([7.0, 8.0, 9.0, 10.0, 11.0], r"are float64 of shape \(5,\); expected \(5,\) integers"),
        ([7, 8, 9, 10], r"are int64 of shape \(4,\); expected \(5,\) integers"),
        ([[7, 8, 9, 10, 11]], r"are int64 of shape \(1, 5\); expected \(5,\) integers"),
        (["7", "8", "9", "10", "11"], "are <U2 of shape"),
        ([True, False] * 2 + [True], "are bool of shape"),
        ([[1, 2], [3], 4, 5, 6], "are not a list"),
        (np.arange(5, dtype="u8") + 2**63, "hold 9223372036854775812, which is no int64"),
    ],
)
def test_ids_that_do_not_tell_neurons_apart_are_refused(key, ids, message):
    with pytest.raises(FieldError, match=f"made: {key} {message}"):
        CorticalField(**parts(**{key: ids}))


def test_a_name_has_an_end():
    assert CorticalField(**parts(name="a" * 200)).label == "a" * 200
    with pytest.raises(FieldError, match="the name of a field has 3,000,000 letters; at most 200 are kept"):
        CorticalField(**parts(name="a" * 3_000_000))


def test_one_neuron_is_not_a_field():
    with pytest.raises(FieldError, match="at least 2"):
        CorticalField("one", np.zeros((1, 3)), np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)))


def test_subset(column):
    part = column.subset(10, np.random.default_rng(1))
    same = [np.flatnonzero((column.positions == p).all(1))[0] for p in part.positions]
    assert part.neurons == 10 and same == sorted(same)
    np.testing.assert_array_equal(part.correlation, column.correlation[np.ix_(same, same)])
    assert part.synthetic and part.label == "synthetic_column[10] (synthetic)"
    with pytest.raises(FieldError, match="cannot keep 97 of 96"):
        column.subset(97, np.random.default_rng(1))


# Saving and loading


def test_a_field_survives_saving(tmp_path, column):
    column.save(tmp_path / "field.npz")
    again = CorticalField.load(tmp_path / "field.npz")
    for key in ("positions", "connectome", "correlation", "sttc"):
        np.testing.assert_array_equal(getattr(again, key), getattr(column, key))
    assert (again.name, again.lattice, again.synthetic) == (column.name, column.lattice, True)
    for mine, theirs in zip(again.spike_times, column.spike_times, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert [p.name for p in tmp_path.iterdir()] == ["field.npz"], "nothing temporary is left"


def test_a_saved_field_is_a_plain_file_and_always_the_same(tmp_path):
    field = CorticalField(**parts(precision=np.eye(5), lattice=(5, 1, 1), **some_ids()))
    field.save(tmp_path / "field.npz")
    with np.load(tmp_path / "field.npz", allow_pickle=False) as arrays:
        more = {"precision", "lattice", "voxel_size", "synthetic", "spike_counts", "connectome_order"}
        assert set(arrays) == {*parts(), *more, *IDS}
        assert arrays["name"] == "made" and not arrays["synthetic"]
        for key in ("positions", "connectome", "correlation", "sttc", "precision", *IDS):
            np.testing.assert_array_equal(arrays[key], getattr(field, key), strict=True)
        np.testing.assert_array_equal(arrays["spike_times"], np.concatenate(field.spike_times))
        np.testing.assert_array_equal(arrays["spike_counts"], [4] * 5)
    content = (tmp_path / "field.npz").read_bytes()
    for other in (field, CorticalField.load(tmp_path / "field.npz")):
        other.save(tmp_path / "again.npz")
        assert (tmp_path / "again.npz").read_bytes() == content


def test_ids_are_kept_exactly(tmp_path):
    ids = some_ids()
    field = CorticalField(**parts(**ids))
    field.save(tmp_path / "field.npz")
    again = CorticalField.load(tmp_path / "field.npz")
    part = again.subset(3, np.random.default_rng(1))
    same = [np.flatnonzero((field.positions == p).all(1))[0] for p in part.positions]
    for key in IDS:
        np.testing.assert_array_equal(getattr(again, key), np.array(ids[key]), strict=True)
        np.testing.assert_array_equal(getattr(part, key), np.array(ids[key])[same], strict=True)
        with pytest.raises(ValueError, match="read-only"):
            getattr(again, key)[0] = 1
    CorticalField(**parts()).save(tmp_path / "field.npz")
    assert all(getattr(CorticalField.load(tmp_path / "field.npz"), key) is None for key in IDS)


# The embedded field and the list


def test_the_embedded_field_is_what_its_script_makes(column):
    made = synthetic_field(96, 0)
    np.testing.assert_array_equal(made.positions, column.positions)
    np.testing.assert_array_equal(made.connectome, column.connectome)
    np.testing.assert_allclose(made.correlation, column.correlation, atol=1e-12)


def test_the_embedded_field_is_sane(column):
    assert column.neurons == 96 and column.synthetic and "synthetic" in column.label
    extent = np.ptp(column.positions, axis=0)
    assert (extent <= (1000, 130, 500)).all() and (extent > (800, 100, 400)).all()
    np.testing.assert_allclose(
        activity.correlation(activity.event_counts(column.spike_times)), column.correlation, atol=1e-12
    )
    np.testing.assert_allclose(activity.spike_time_tiling_coefficient(column.spike_times), column.sttc, atol=1e-12)
    distance = np.linalg.norm(column.positions[:, None] - column.positions[None], axis=-1)
    pairs = np.triu_indices(96, 1)
    near, far = distance[pairs] < 150, distance[pairs] > 500
    assert column.correlation[pairs][near].mean() > 2 * column.correlation[pairs][far].mean()
    assert 0.001 < (column.connectome > 0).mean() < 0.01 and not np.diag(column.connectome).any()


def test_the_list_of_fields(microns):
    table = released_fields()
    theirs = pd.read_csv(microns / "fields.csv")
    assert len(table) == 56
    for row in theirs.itertuples():
        mine = table.loc[f"{row.session}_{row.scan}_{row.field}"]
        assert mine["neurons"] == row.neurons and mine["lattice"] == tuple(map(int, row.grid.split("x")))


def test_fields_that_are_here_are_found(microns, monkeypatch):
    monkeypatch.setenv("BIORNN_DATA", str(microns))
    here = list_fields().set_index("field")["here"]
    assert set(here[here].index) == {EMBEDDED, "6_6_2", "5_6_8", "5_3_4", "5_3_8"}
    assert load_field("5_3_8").neurons == 42


def test_a_released_field_that_is_not_here_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("BIORNN_DATA", str(tmp_path))
    with pytest.raises(
        FieldError, match=r"6_6_2 is a released field, .* of its 8 files .* fetch_field\('6_6_2'\)"
    ) as told:
        load_field("6_6_2")
    assert f"8 of its 8 files are missing or damaged in {tmp_path} (such as 6_6_2/" in str(told.value)
    with pytest.raises(FieldError, match="no such folder, file or field"):
        load_field("nowhere")


# Released folders


@pytest.mark.parametrize(
    ("name", "neurons", "spikes"), [("6_6_2", 312, False), ("5_6_8", 160, True), ("5_3_8", 42, True)]
)
def test_real_fields_are_read(microns, name, neurons, spikes):
    field = read_released(microns / name)
    assert field.name == name and field.neurons == neurons and not field.synthetic
    assert (field.spike_times is not None) == spikes and field.precision is not None
    assert (np.ptp(field.positions, axis=0) < (1010, 140, 510)).all()
    assert np.prod(field.lattice) == neurons
    raw = np.load(microns / name / f"positions_{name}.npy", allow_pickle=True)
    np.testing.assert_allclose(field.positions[3], raw[3] * (0.004, 0.004, 0.04))
    np.testing.assert_array_equal(np.diag(field.sttc), 1)
    assert field.connectome.sum() >= (field.connectome > 0).sum() > 0


def test_the_canonical_field_is_the_stated_one(microns):
    field = read_released(microns / "6_6_2")
    assert (field.connectome > 0).sum() == 316 and field.connectome.max() == 4
    np.testing.assert_allclose(np.ptp(field.positions, axis=0), (998, 134, 500), atol=1)


def test_ids_of_real_fields_are_read_exactly(microns):
    field = read_released(microns / "5_3_8")
    for key, file in (("nucleus_ids", "target_ids"), ("unit_ids", "unit_ids"), ("root_ids", "root_ids")):
        raw = np.load(microns / "5_3_8" / f"{file}_5_3_8.npy")
        np.testing.assert_array_equal(getattr(field, key), raw, strict=True)
    assert field.root_ids.max() > 2**53


def rows(items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


@pytest.fixture
def folder(tmp_path):
    """A made-up field in the released layout, without what may be missing."""
    field = parts()
    np.save(tmp_path / "positions_made.npy", rows(list(field["positions"])), allow_pickle=True)
    pd.DataFrame(field["connectome"]).to_csv(tmp_path / "connectome_made.csv")
    np.save(tmp_path / "corr_matrix.npy", field["correlation"])
    np.save(tmp_path / "sttc_matrix.npy", np.tril(field["sttc"]))
    return tmp_path


def test_a_folder_may_lack_events_precision_and_ids(folder):
    field, made = read_released(folder), parts()
    np.testing.assert_allclose(field.positions, made["positions"] * (0.004, 0.004, 0.04))
    for key in ("connectome", "correlation", "sttc"):
        np.testing.assert_array_equal(getattr(field, key), made[key])
    assert field.name == "made" and not field.synthetic and field.lattice is None
    assert all(getattr(field, key) is None for key in ("spike_times", "precision", *IDS))
    for path in list(folder.iterdir()):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(FieldError, match=f"{path.name}: no such file|positions_NAME.npy, found 0"):
            read_released(folder)
        path.write_bytes(content)


def test_ids_are_read_exactly(folder):
    ids = some_ids()
    for key, file in (("nucleus_ids", "target_ids"), ("unit_ids", "unit_ids"), ("root_ids", "root_ids")):
        np.save(folder / f"{file}_made.npy", np.array(ids[key], dtype=">i8" if key == "unit_ids" else "i8"))
    field = read_released(folder)
    for key in IDS:
        np.testing.assert_array_equal(getattr(field, key), np.array(ids[key]), strict=True)
    np.save(folder / "root_ids_made.npy", np.array(ids["root_ids"], dtype=float))
    with pytest.raises(FieldError, match=r"root_ids_made\.npy: made: root_ids are float64 of shape \(5,\)"):
        read_released(folder)


TIMES = np.arange(15.0).reshape(5, 3)


@pytest.mark.parametrize(
    "trains",
    [
        rows(list(TIMES)),
        rows(TIMES.tolist()),
        rows([tuple(train) for train in TIMES.tolist()]),
        rows([train.astype(object) for train in TIMES]),
        rows([train.astype(">f4") for train in TIMES]),
        TIMES,
        TIMES.astype("u1"),
        TIMES.astype(object),
        np.asfortranarray(TIMES),
        np.asfortranarray(TIMES.astype(object)),
    ],
    ids="arrays lists tuples objects floats square integers square_of_objects columns columns_of_objects".split(),
)
def test_events_are_read_however_they_are_held(folder, trains):
    np.save(folder / "spikes_made.npy", trains, allow_pickle=True)
    np.testing.assert_array_equal(read_released(folder).spike_times, TIMES)


def test_neurons_may_share_events_in_a_file(folder):
    silent, busy = np.array([]), np.arange(2000.0)
    np.save(folder / "spikes_made.npy", rows([silent, busy, busy, silent, busy]), allow_pickle=True)
    assert [len(train) for train in read_released(folder).spike_times] == [0, 2000, 2000, 0, 2000]
