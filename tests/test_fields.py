"""Fields: what is checked, what is read, and that nothing in a file is ever run."""

import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biornn_lite import activity
from biornn_lite.datasets import EMBEDDED, list_fields, load_field, read_released, released_fields
from biornn_lite.errors import FieldError
from biornn_lite.field import CorticalField
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
        ({"connectome": -np.ones((5, 5))}, "negative synapse counts"),
        ({"correlation": np.arange(25.0).reshape(5, 5) / 100}, r"correlation is not symmetric: \["),
        ({"correlation": 2 * np.ones((5, 5))}, "leaves the range"),
        ({"sttc": np.full((5, 5), np.inf)}, "sttc holds inf"),
        ({"precision": np.zeros((5, 4))}, "precision has shape"),
        ({"spike_times": [np.arange(3.0)] * 4}, "spike times of 4 neurons, positions of 5"),
        ({"spike_times": [np.arange(3.0)[::-1]] * 5}, "spike times of neuron 0 are not in increasing order"),
        ({"spike_times": [np.array([np.nan])] * 5}, "spike times of neuron 0 are not a list of finite numbers"),
        ({"lattice": (2, 2, 1)}, "does not hold 5 neurons"),
    ],
)
def test_a_malformed_field_says_what_is_wrong(changes, message):
    with pytest.raises(FieldError, match=message):
        CorticalField(**parts(**changes))


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


def test_what_is_no_saved_field_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("not a field")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    whole = tmp_path / "whole.npz"
    CorticalField(**parts()).save(whole)
    (tmp_path / "cut.npz").write_bytes(whole.read_bytes()[:-300])
    for name, message in [
        ("text", "not a saved field"),
        ("other", "lacks connectome"),
        ("cut", "not a saved field"),
        ("absent", "no such"),
    ]:
        with pytest.raises(FieldError, match=message):
            CorticalField.load(tmp_path / f"{name}.npz")


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


def test_a_released_field_that_is_not_here_says_what_to_do(monkeypatch):
    monkeypatch.delenv("BIORNN_DATA", raising=False)
    with pytest.raises(FieldError, match="6_6_2 is a released field, but it is not here"):
        load_field("6_6_2")
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


@pytest.fixture
def folder(microns, tmp_path):
    """A writable copy of the smallest real field."""
    copy = tmp_path / "5_3_8"
    shutil.copytree(microns / "5_3_8", copy)
    copy.chmod(0o755)
    for file in copy.iterdir():
        file.chmod(0o644)
    return copy


class Call:
    """Pickles as a call, of what the test says."""

    def __init__(self, function, *arguments):
        self.how = function, arguments

    def __reduce__(self):
        return self.how


def test_nothing_in_a_pickle_is_run(folder, tmp_path):
    import os
    import subprocess

    witness = tmp_path / "it_ran"
    calls = [
        Call(os.system, f"touch {witness}"),
        Call(eval, f"open({str(witness)!r}, 'w')"),
        Call(exec, f"open({str(witness)!r}, 'w')"),
        Call(subprocess.call, ["touch", str(witness)]),
        Call(getattr, "text", "upper"),
        Call(np.save, str(witness), np.zeros(1)),
        Call(__import__, "os"),
    ]
    path = folder / "positions_5_3_8.npy"
    for call in calls:
        for payload in (np.array([call] * 42, dtype=object), call):
            with path.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": (42,)})
                pickle.dump(payload, file)
            with pytest.raises(FieldError, match=r"positions_5_3_8\.npy: cannot be read safely \(it asks for "):
                read_released(folder)
    assert not witness.exists()


@pytest.mark.parametrize("name", ["connectome_5_3_8.csv", "corr_matrix.npy", "sttc_matrix.npy"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FieldError, match=f"{name}: no such file"):
        read_released(folder)


def test_wrong_contents_are_named(folder):
    corr = np.load(folder / "corr_matrix.npy")
    broken = corr.copy()
    broken[1, 2] = np.nan
    np.save(folder / "corr_matrix.npy", broken)
    with pytest.raises(FieldError, match=r"5_3_8: correlation holds nan at \[1, 2\]"):
        read_released(folder)
    np.save(folder / "corr_matrix.npy", corr)
    pd.DataFrame(np.zeros((41, 41), int)).to_csv(folder / "connectome_5_3_8.csv")
    with pytest.raises(FieldError, match=r"connectome has shape \(41, 41\), but the positions give 42 neurons"):
        read_released(folder)
    (folder / "connectome_5_3_8.csv").write_text(",0,1\n0,zero,one\n1,two,three\n")
    with pytest.raises(FieldError, match=r"connectome_5_3_8\.csv: holds something other than numbers"):
        read_released(folder)
    (folder / "connectome_5_3_8.csv").write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(FieldError, match=r"connectome_5_3_8\.csv"):
        read_released(folder)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_never_escape_as_another_error(folder, microns, data):
    name = data.draw(
        st.sampled_from(["positions_5_3_8.npy", "spikes_5_3_8.npy", "corr_matrix.npy", "connectome_5_3_8.csv"])
    )
    content = bytearray((microns / "5_3_8" / name).read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 20))):
            content[data.draw(st.integers(0, min(len(content), 2000) - 1))] = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(content)
    try:
        read_released(folder)
    except FieldError as error:
        assert str(folder) in str(error) and "\n" not in str(error)
    finally:
        (folder / name).write_bytes((microns / "5_3_8" / name).read_bytes())


# Activity


def plain_sttc(a, b, tile, start, stop):
    """The coefficient of two neurons, word by word from its definition."""

    def tiled(train):
        total, reached = 0.0, start
        for t in train:
            low, high = max(t - tile, start, reached), min(t + tile, stop)
            if high > low:
                total += high - low
                reached = high
        return total / (stop - start)

    def near(one, other):
        return np.mean([any(abs(s - t) <= tile for t in other) for s in one])

    p_a, p_b, t_a, t_b = near(a, b), near(b, a), tiled(a), tiled(b)
    halves = [(p - t) / (1 - p * t) if p * t < 1 else 1.0 for p, t in ((p_a, t_b), (p_b, t_a))]
    return sum(halves) / 2


@given(st.lists(st.lists(st.floats(0, 20), min_size=1, max_size=12), min_size=2, max_size=4), st.floats(0.01, 3))
@settings(max_examples=80, deadline=None)
def test_sttc_is_its_definition(trains, tile):
    trains = [np.sort(np.round(train, 3)) for train in trains]
    stop = max(train[-1] for train in trains) + 0.1
    ours = activity.spike_time_tiling_coefficient(trains, tile)
    # A distance that equals the tile may fall on either side of it by rounding.
    gaps = np.abs(np.subtract.outer(np.concatenate(trains), np.concatenate(trains)))
    if (np.abs(gaps - tile) < 1e-9).any():
        return
    for i, a in enumerate(trains):
        for j, b in enumerate(trains):
            wanted = 1.0 if i == j else plain_sttc(a, b, tile, 0.0, stop)
            assert ours[i, j] == pytest.approx(wanted, abs=1e-9)


def test_released_matrices_follow_from_released_events(microns):
    for name in ("5_3_4", "5_6_8", "5_3_8"):
        field = read_released(microns / name)
        ours = activity.correlation(activity.event_counts(field.spike_times))
        np.testing.assert_allclose(ours, field.correlation, atol=1e-12)
        np.testing.assert_allclose(activity.spike_time_tiling_coefficient(field.spike_times), field.sttc, atol=1e-12)


def test_silent_neurons_have_no_correlation_and_give_no_nan():
    trains = [np.array([0.1, 0.5]), np.array([]), np.array([0.1, 0.9])]
    for matrix in (
        activity.correlation(activity.event_counts(trains)),
        activity.spike_time_tiling_coefficient(trains),
    ):
        assert np.isfinite(matrix).all() and not matrix[1, [0, 2]].any() and matrix[1, 1] == 1
