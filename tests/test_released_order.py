"""The order of the released connectomes: CPython's own sets, the shipped orders, and fields that share neurons."""

import itertools
import json
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn_lite import released_order
from biornn_lite.__main__ import main
from biornn_lite.communicability import empirical_communicability
from biornn_lite.datasets import load_field, read_released, registry, released_fields
from biornn_lite.errors import FieldError, FieldWarning
from biornn_lite.field import CorticalField
from biornn_lite.released_order import file_of_connectome, file_of_ids, released_orders, released_rows, set_order
from biornn_lite.study import Study
from biornn_lite.wiring import agreement, agreements, known_agreements

assert sys.implementation.name == "cpython", "its sets are what these tests compare with"


@pytest.fixture(scope="module")
def all_fields(microns):
    """The 46 fields at hand, in the order of the release."""
    return [load_field(path) for path in sorted((microns / "all").glob("*.npz"))]


def raw(microns, name):
    with np.load(microns / "all" / f"{name}.npz") as arrays:
        return dict(arrays)


# The rule


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 2**63 - 1), unique=True, max_size=700))
def test_a_set_goes_through_any_ids_in_this_order(ids):
    assert [ids[place] for place in set_order(np.array(ids, dtype=np.int64))] == list(set(ids))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 400), unique=True, max_size=400), st.integers(0, 54))
def test_also_through_ids_that_fall_into_the_same_slots(numbers, shift):
    ids = [number << shift for number in numbers]
    assert [ids[place] for place in set_order(np.array(ids, dtype=np.int64))] == list(set(ids))


# The shipped orders


def test_the_shipped_orders_are_those_of_pythons_sets(all_fields):
    assert len(all_fields) == 46
    for field in all_fields:
        ids = field.root_ids.tolist()
        assert [ids[place] for place in field.released_rows] == list(set(ids)), field.name


def test_the_table_names_all_56_fields_by_the_checksums_of_their_files():
    table, sha = released_orders(), registry()["sha256"]
    assert sorted(table["field"]) == sorted(released_fields().index)
    for row in table.itertuples():
        assert row.Index == sha[f"{row.field}/root_ids_{row.field}.npy"]
        assert row.connectome_sha256 == sha[f"{row.field}/connectome_{row.field}.csv"]
    there = table.dropna()
    assert len(there) == 46
    for row in there.itertuples():
        neurons = released_fields().loc[row.field, "neurons"]
        assert sorted(map(int, row.rows.split())) == list(range(neurons))


@pytest.mark.parametrize("name", ["6_6_2", "5_6_8", "5_3_4", "5_3_8"])
def test_arrays_are_told_by_the_bytes_of_the_released_files(microns, name):
    arrays = raw(microns, name)
    for content, file in (
        (file_of_ids(arrays["root_ids"]), f"root_ids_{name}.npy"),
        (file_of_connectome(arrays["connectome"]), f"connectome_{name}.csv"),
    ):
        assert content == (microns / name / file).read_bytes()


def test_fields_that_share_neurons_agree_in_the_neurons_order_and_only_there(all_fields):
    """The proof: a synapse is there or not, whichever field one asks."""
    table = agreements(all_fields)
    assert table["farthest"].max() == 0 and len(table) == 92
    assert table["both"].sum() == 992 and table["one"].sum() == 2
    assert table["both_released"].sum() == 2 and table["one_released"].sum() == 1513
    pd.testing.assert_frame_equal(table, known_agreements(), rtol=1e-4, check_dtype=False)


def test_two_swapped_neurons_are_noticed(all_fields, monkeypatch):
    """By the sets for any two; by fields that share neurons for those that have connections."""
    fields = {field.name: field for field in all_fields}
    field, other = fields["6_6_4"], fields["6_7_4"]
    shared, here, there = np.intersect1d(field.nucleus_ids, other.nucleus_ids, return_indices=True)
    busy = here[np.argsort(other.connectome[np.ix_(there, there)].sum(axis=1))[-1]]
    idle = np.flatnonzero(~np.isin(field.nucleus_ids, shared))[0]
    rows = field.released_rows.copy()
    rows[[np.flatnonzero(rows == busy)[0], np.flatnonzero(rows == idle)[0]]] = idle, busy
    table = released_orders().copy()
    table.loc[table["field"] == "6_6_4", "rows"] = " ".join(map(str, rows))
    monkeypatch.setattr(released_order, "released_orders", lambda: table)
    swapped = field.as_released().in_neurons_order()
    assert agreement(field, other).one == 0 < agreement(swapped, other).one
    with pytest.raises(AssertionError, match="6_6_4"):
        test_the_shipped_orders_are_those_of_pythons_sets([swapped] + [f for f in all_fields if f.name != "6_6_4"])


def test_a_released_field_without_a_shipped_order_is_put_in_order_by_the_rule(microns, monkeypatch):
    table = released_orders().copy()
    table["rows"] = np.nan
    monkeypatch.setattr(released_order, "released_orders", lambda: table)
    arrays = raw(microns, "5_6_8")
    np.testing.assert_array_equal(
        released_rows(arrays["root_ids"], arrays["connectome"]), set_order(arrays["root_ids"])
    )


# Reading and saving


def test_a_released_field_comes_in_the_neurons_order_from_wherever_it_is_read(microns, tmp_path, monkeypatch):
    monkeypatch.setenv("BIORNN_DATA", str(microns))
    written = pd.read_csv(microns / "6_6_2" / "connectome_6_6_2.csv", index_col=0).to_numpy()
    ids = np.load(microns / "6_6_2" / "root_ids_6_6_2.npy").tolist()
    place = {number: r for r, number in enumerate(set(ids))}  # row of each id
    expected = [[written[place[a], place[b]] for b in ids] for a in ids]
    for field in (
        read_released(microns / "6_6_2"),
        load_field("6_6_2"),
        load_field(microns / "6_6_2"),
        load_field(microns / "all" / "6_6_2.npz"),  # saved before files said which order they hold
    ):
        np.testing.assert_array_equal(field.connectome, expected)
        assert field.connectome_order == "neurons" and field.label == "6_6_2"
        released = field.as_released()
        np.testing.assert_array_equal(released.connectome, written)
        assert released.label == "6_6_2 (connectome as released)" and released.released_rows is None
        np.testing.assert_array_equal(released.in_neurons_order().connectome, expected)


def test_saved_files_say_which_order_they_hold(microns, tmp_path):
    field = read_released(microns / "5_3_8")
    for one in (field, field.as_released(), field.select(range(10)), replace(field, connectome_order="neurons")):
        one.save(tmp_path / "field.npz")
        again = load_field(tmp_path / "field.npz")
        np.testing.assert_array_equal(again.connectome, one.connectome)
        assert again.connectome_order == one.connectome_order
        assert (again.released_rows is None) == (one.released_rows is None)
    np.testing.assert_array_equal(field.released_rows, read_released(microns / "5_3_8").released_rows)


def test_what_is_in_order_already_is_left_so(microns, tmp_path):
    """As of a release that was mended, or a user who did it."""
    field = read_released(microns / "5_3_8")
    arrays = raw(microns, "5_3_8") | {"connectome": field.connectome}
    np.savez(tmp_path / "mended.npz", **arrays)
    again = load_field(tmp_path / "mended.npz")
    np.testing.assert_array_equal(again.connectome, field.connectome)
    assert again.released_rows is None and again.connectome_order == "neurons"
    folder = shutil.copytree(microns / "5_3_8", tmp_path / "5_3_8")
    (folder / "connectome_5_3_8.csv").write_bytes(file_of_connectome(field.connectome))
    with pytest.warns(FieldWarning, match=r"5_3_8: root ids and connectome are not those of a released field"):
        read = read_released(folder)
    np.testing.assert_array_equal(read.connectome, field.connectome)
    assert read.connectome_order == "as read" and read.label == "5_3_8"


def test_a_folder_without_ids_is_read_as_it_is_and_says_so(microns, tmp_path, capsys):
    folder = shutil.copytree(microns / "5_3_8", tmp_path / "5_3_8")
    (folder / "root_ids_5_3_8.npy").unlink()
    with pytest.warns(FieldWarning) as told:
        read_released(folder)
    assert len(told) == 1 and "\n" not in str(told[0].message)
    call = ["replicate", "--field", str(folder), "--variants", "nothing", "--out", str(tmp_path / "out")]
    assert main(call) == 2
    first, _ = capsys.readouterr().err.splitlines()
    assert first.startswith(f"biornn_lite: {folder}: root ids and connectome are not")


def test_a_list_that_does_not_fit_the_files_is_one_line(microns, tmp_path):
    """A field under the name of another: its sizes are those of its files, and no lattice is made up."""
    folder = tmp_path / "renamed"
    shutil.copytree(microns / "5_3_8", folder)
    for path in folder.iterdir():
        path.rename(folder / path.name.replace("5_3_8", "5_7_6"))
    with pytest.warns(FieldWarning, match="gives 5_7_6 a lattice of 11 × 5 × 5 points, its files hold 42 neurons"):
        field = read_released(folder)
    assert field.neurons == 42 and field.lattice is None
    assert field.connectome_order == "neurons", "it is 5_3_8 all the same"


def test_sizes_are_those_of_the_files(microns, all_fields):
    table = released_fields()
    for field in all_fields:
        assert table.loc[field.name, "neurons"] == field.neurons and table.loc[field.name, "lattice"] == field.lattice
    assert (table["neurons"] == table["lattice"].map(np.prod)).all()
    assert table.loc["5_7_6", "neurons"] == 275 and table.loc["5_7_8", "lattice"] == (139, 1, 1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"connectome_order": "sorted"}, "connectome_order is 'sorted'; it allows neurons, as read, as released"),
        ({"connectome_order": 3}, "connectome_order is 3"),
        ({"released_rows": [0, 1, 1]}, "released_rows do not name each of 24 neurons once"),
        ({"released_rows": np.zeros(24)}, "released_rows do not name each of 24 neurons once"),
        ({"released_rows": None, "connectome_order": ["neurons"]}, "connectome_order is"),
        ({"connectome_order": "as read"}, "released_rows go with the connectome_order neurons, not 'as read'"),
    ],
)
def test_an_order_that_cannot_be_is_refused(small, changes, told):
    with pytest.raises(FieldError, match=re.escape(told)):
        replace(small, **({"released_rows": np.arange(24)} | changes))


def test_what_was_never_out_of_order_has_no_released_one(small):
    with pytest.raises(FieldError, match="was not put in order when it was read"):
        small.as_released()


# What the order changes, and what not


def test_the_target_of_the_penalty_is_the_same_in_both_orders(all_fields):
    for field in all_fields:
        for isolated in ("epsilon", "zero"):
            ours, theirs = (
                np.sort(empirical_communicability(one.connectome, isolated), axis=None)
                for one in (field, field.as_released())
            )
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15, err_msg=field.name)


def test_a_study_in_the_released_order_is_another_study(microns):
    """An own start or target may look at the order: rows of both orders do not stand in one table."""
    field = read_released(microns / "5_3_8")
    theirs, ours = (Study(each).configuration["field_digest"] for each in (field.as_released(), field))
    assert theirs != ours == Study(read_released(microns / "5_3_8")).configuration["field_digest"]


# What is said of it


def texts():
    pages = ("README.md", "data/**/*.md", "docs/*.md", "notebooks/*.md")
    for path in itertools.chain.from_iterable(map(ROOT.glob, pages)):
        yield path, path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield path, "\n".join("".join(cell["source"]) for cell in cells)
    for path in sorted((ROOT / "biornn_lite").rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")


def test_no_sentence_says_that_wiring_cannot_be_told_from_chance():
    wrong = r"neither a fall|like-to-like[^.]*told from (chance|none)|fall with distance[^.]*told from"
    for path, text in texts():
        assert not re.search(wrong, text), f"{path}: {re.search(wrong, text)[0]}"


def test_the_embedded_field_has_an_order_as_if_released(column):
    assert isinstance(column, CorticalField) and column.synthetic
    np.testing.assert_array_equal(column.released_rows, set_order(column.root_ids))
    assert (column.as_released().connectome != column.connectome).any()
