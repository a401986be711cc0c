"""Damaged and hostile fields: each is read or refused in one line, at once, and nothing that it holds is run.

Fields of three to eight neurons are written as released folders and saved files or handed over directly, thousands of
times with one fault each.
"""

import codecs
import gzip
import io
import os
import pickle
import pickletools
import re
import struct
import time
import tracemalloc
import warnings
import zipfile
from collections import Counter
from contextlib import contextmanager, suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from biornn_lite.datasets import read_released
from biornn_lite.errors import FieldError, FieldWarning
from biornn_lite.field import IDS, MICRONS_VOXEL_UM, CorticalField

MATRICES = ("connectome", "correlation", "sttc", "precision")
FILES = {
    "positions": "positions_made.npy",
    "connectome": "connectome_made.csv",
    "correlation": "corr_matrix.npy",
    "sttc": "sttc_matrix.npy",
    "precision": "precision_matrix.npy",
    "spike_times": "spikes_made.npy",
    "nucleus_ids": "target_ids_made.npy",
    "unit_ids": "unit_ids_made.npy",
    "root_ids": "root_ids_made.npy",
}


# A good field, and how it is written


def parts(r, n=None):
    """What a good field of n neurons is made of."""
    n = n or int(r.integers(3, 9))
    noise = r.uniform(-0.5, 0.5, (n, n))
    symmetric = (noise + noise.T) / 2
    np.fill_diagonal(symmetric, 1)
    return {
        "name": "made",
        "positions": r.integers(1000, 200_000, (n, 3)) * np.array(MICRONS_VOXEL_UM),
        "connectome": r.integers(0, 3, (n, n)),
        "correlation": symmetric,
        "sttc": symmetric / 2,
        "precision": symmetric * 3,
        "spike_times": [np.sort(np.round(r.uniform(0, 60, r.integers(2, 9)), 3)) for _ in range(n)],
        **{key: 864_691_135_000_000_000 + r.permutation(1000)[:n] for key in IDS},
    }


def rows(items):
    """An object array of one array each, as positions and event times were released."""
    array = np.empty(len(items), dtype=object)
    array[:] = [np.asarray(item) for item in items]
    return array


def npy(array):
    """The content of the file that ``numpy.save`` writes, by pickle where the array holds objects."""
    file = io.BytesIO()
    np.save(file, np.asanyarray(array), allow_pickle=True)
    return file.getvalue()


def released(field):
    """Contents of a released folder's files, by the part of the field that they hold."""
    contents = {key: npy(field[key]) for key in ("correlation", "precision", *IDS)}
    contents["positions"] = npy(rows(field["positions"] / MICRONS_VOXEL_UM))
    contents["connectome"] = pd.DataFrame(field["connectome"]).to_csv().encode()
    contents["sttc"] = npy(np.tril(field["sttc"]))
    contents["spike_times"] = npy(rows(field["spike_times"]))
    return contents


def written(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for key, content in contents.items():
        (folder / FILES[key]).write_bytes(content)
    return folder


def saved(field):
    """Arrays of a saved file, as ``CorticalField.save`` names them."""
    trains = field["spike_times"]
    return field | {
        "spike_counts": np.array([len(train) for train in trains]),
        "spike_times": np.concatenate(trains),
        "lattice": np.array([len(trains), 1, 1]),
        "voxel_size": np.array(MICRONS_VOXEL_UM),
        "synthetic": np.array(False),
    }


def archive(arrays, method=zipfile.ZIP_DEFLATED):
    """The content of an ``.npz`` file; values that are bytes become members as they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as members, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that stand twice, which is one of the faults
        for key, value in arrays.items() if isinstance(arrays, dict) else arrays:
            name = key if "." in key else f"{key}.npy"
            members.writestr(name, value if isinstance(value, bytes) else npy(value))
    return file.getvalue()


# What holds for each, whatever its fault

TALLY = Counter()


def sane(field):
    n = field.neurons
    assert n >= 2 and isinstance(field.name, str) and field.name.isprintable()
    assert field.positions.shape == (n, 3)
    for key in MATRICES:
        matrix = getattr(field, key)
        assert key == "precision" if matrix is None else matrix.shape == (n, n)
    for array in (field.positions, *(getattr(field, key) for key in MATRICES)):
        assert array is None or (array.dtype == np.float64 and np.isfinite(array).all() and not array.flags.writeable)
    for matrix in (field.correlation, field.sttc, field.precision):
        assert matrix is None or np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-8)
    assert (field.connectome >= 0).all()
    assert np.abs(field.correlation).max() <= 1 + 1e-6 and np.abs(field.sttc).max() <= 1 + 1e-6
    if field.spike_times is not None:
        assert len(field.spike_times) == n
        for train in field.spike_times:
            assert train.ndim == 1 and train.dtype == np.float64 and np.isfinite(train).all()
            assert (train >= 0).all() and (np.diff(train) >= 0).all() and not train.flags.writeable
    if field.lattice is not None:
        assert [type(side) for side in field.lattice] == [int] * 3 and min(field.lattice) > 0
        assert field.lattice[0] * field.lattice[1] * field.lattice[2] == n
    assert [type(edge) for edge in field.voxel_size] == [float] * 3 and min(field.voxel_size) > 0
    assert type(field.synthetic) is bool
    for key in IDS:
        ids = getattr(field, key)
        assert ids is None or (ids.shape == (n,) and ids.dtype == np.int64 and len(set(ids.tolist())) == n)


def seconds(work):
    """Processor time of something, refused or not."""
    start = time.process_time()
    with suppress(FieldError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work()
    return time.process_time() - start


def yardstick():
    """Seconds that plain Python takes here and now for 50,000 opcodes, with memory traced where it is traced."""
    return seconds(lambda: sum(1 for _ in pickletools.genops(b"N0" * 25_000 + b".")))


def check(read, named):
    """Read a field with a fault: it is sane, or refused by a message that begins with what it is named."""
    TALLY["written"] += 1
    start = time.process_time()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            field, message = read(), None
        except FieldError as error:
            message = str(error)
    warned = [told for told in warned if not issubclass(told.category, FieldWarning)]
    assert not warned, f"warns: {warned[0].message}"
    took = time.process_time() - start
    # Another try and a yardstick are only taken by what was slow here, as all is on a busy machine.
    if took > 0.5:
        took = min(took, seconds(read)) / yardstick()
        assert took < 100, f"takes {took:.0f} times as long as the yardstick"
    if message is None:
        TALLY["loaded"] += 1
        sane(field)
        return None
    TALLY["refused"] += 1
    assert message.isprintable(), f"more than a line: {message!r}"
    assert len(message) < len(named) + 600, f"too long: {message[:2000]}"
    # Positions of fewer neurons may be right, and the other files wrong.
    begin = named if "but the positions give" not in message else str(Path(named).parent).removeprefix(".")
    assert message.startswith(begin), f"does not begin with {named}: {message}"
    assert re.search(r"\w+ \w+", message.removeprefix(named)), f"says nothing: {message}"
    assert not re.search("Unable to allocate|MemoryError", message), f"tried to take the memory: {message}"
    return message


@contextmanager
def little_memory(most=48 * 2**20):
    """Hold what is done inside to a peak of 48 MiB, whatever this machine has."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most, f"took {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MiB"
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("seed", range(5))
def test_the_field_without_a_fault_is_read_in_each_form(tmp_path, seed):
    field = parts(np.random.default_rng(seed))
    direct = CorticalField(**field)
    (tmp_path / "made.npz").write_bytes(archive(saved(field)))
    for other in (
        read_released(written(tmp_path / "made", released(field))),
        CorticalField.load(tmp_path / "made.npz"),
    ):
        sane(other)
        for key in ("positions", *MATRICES, *IDS):
            np.testing.assert_allclose(getattr(other, key), getattr(direct, key), rtol=1e-12)
        for mine, theirs in zip(other.spike_times, direct.spike_times, strict=True):
            np.testing.assert_array_equal(mine, theirs)


# Faults


SQUARE = "{'descr': '%s', 'fortran_order': False, 'shape': %s}"


def wrong_arrays(array, r):
    """Arrays that are not what `array` should be: by shape, by type, by value."""
    array = np.asarray(array)
    number = array.astype(np.float64)
    last = tuple(side - 1 for side in array.shape)
    yield "0-d", array.flat[0]
    yield "flat and one short", array.ravel()[:-1]
    yield "empty", array[:0]
    yield "empty rows", array.reshape(len(array), -1)[:, :0]
    yield "none of many", np.zeros((0, 10**12))
    yield "one axis more", array[None]
    yield "one axis more, last", array[..., None]
    yield "one neuron", array[:1]
    yield "one neuron less", array[:-1]
    yield "one column less", array[..., :-1]
    yield "one neuron more", np.concatenate([array, array[:1]])
    yield "one column more", np.concatenate([array, array[..., :1]], axis=-1)
    yield "transposed", array.T[::-1]
    for kind in ("c16", "U", "S", "?", "M8[D]", "m8[s]", "f2", ">f8", ">i4", "u8", "f4", "g"):
        with np.errstate(all="ignore"):
            changed = array.astype("i8").astype(kind) if kind in ("M8[D]", "m8[s]") else array.astype(kind)
        yield f"as {kind}", changed
    yield "imaginary", array + 1j
    yield "void", np.zeros(array.shape, "V8")
    yield "structured", np.zeros(array.shape, [("a", "f8"), ("b", "i4")])
    yield "texts", np.full(array.shape, "1.5")
    yield "no texts", np.full(array.shape, "")
    for value in (np.nan, np.inf, -np.inf, 1e308, -1e308, -1.0, 2.0, 0.5):
        for place in (tuple(r.integers(0, side) for side in array.shape), last):
            changed = number.copy()
            changed[place] = value
            yield f"{value} at {place}", changed
        yield f"all {value}", np.full(array.shape, value)
    yield "a signalling nan", np.full(array.shape, 0x7FA00001, "u4").view("f4")
    yield "beyond float64", np.full(array.shape, np.longdouble("1e400"))
    yield "1e308 against -1e308", 1e308 * np.sign(r.standard_normal(array.shape))
    yield "noise", r.standard_normal(array.shape)
    yield "unsigned and huge", np.uint64(2**64 - 1) - np.arange(array.size, dtype="u8").reshape(array.shape)
    yield "all the same", np.full(array.shape, array.flat[0])
    yield "the first twice", np.concatenate([array[:1], array[:1], array[2:]])
    yield "backwards", array[::-1]


def odd_objects(n):
    """Lists and the like where an array of n rows should be."""
    good = [[0.1, 0.2, 0.3]] * n
    loop: list = []
    loop.append(loop)
    odd = (None, "text", b"bytes", {}, {1, 2}, 1j, "1.5", 10**400, (), [[[]]], Decimal("NaN"), [None] * 3, ["a"])
    for value in odd:
        yield f"{value!r:.20} for a row", [*good[1:], value]
        yield f"{value!r:.20} in a row", [*good[1:], [0.1, 0.2, value]]
    yield "ragged", [*good[1:], [0.1, 0.2]]
    yield "all ragged", [[0.1] * k for k in range(n)]
    yield "nested", [[good] * n] * n
    yield "nothing", []
    yield "a loop", loop
    yield "a deep list", deep(200)
    yield "a mapping", dict(enumerate(good))


def deep(levels):
    nested: list = [1.0]
    for _ in range(levels):
        nested = [nested]
    return nested


def damaged(content, r, flips=12):
    """A file cut short at each kind of place, with bytes changed, or replaced by something else."""
    middle = len(content) // 2
    for cut in sorted({0, 1, 5, 6, 8, 9, 10, 40, 127, 128, 129, 140, middle, len(content) - 9, len(content) - 1}):
        if cut < len(content):
            yield f"cut after {cut} of {len(content)} bytes", content[:cut]
    for _ in range(flips):
        changed = bytearray(content)
        for place in r.integers(0, len(content), r.integers(1, 9)):
            changed[place] ^= int(r.integers(1, 256))
        yield "flipped bytes", bytes(changed)
    start = int(r.integers(0, middle))
    yield "a hole", content[:start] + content[start + int(r.integers(1, 30)) :]
    yield "zeros in it", content[:start] + bytes(40) + content[start + 40 :]
    yield "more after it", content + b"more"
    yield "twice", content * 2
    yield "zeros", bytes(len(content))
    yield "text", b"<html>404: not found</html>"
    yield "compressed", gzip.compress(content)


def header(text, content=b"", version=(1, 0), length=None):
    """The content of a ``.npy`` file with any header."""
    text = text if isinstance(text, bytes) else text.encode()
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes(version) + size + text + content


def wrong_headers(n):
    """Contents whose header announces what does not follow, or is none."""
    plain = "{'descr': %s, 'fortran_order': %s, 'shape': %s}"
    content = bytes(8 * n * n)
    for shape in (
        f"({n}, {n + 1})",
        *("(10**12,)", "(1000000000000,)", "(1000000000000, 3)", f"({2**27},)", f"({2**31},)", f"({2**62},)"),
        *(f"({2**63},)", f"({2**64 + n},)", "(1000000, 1000000)", "(0, 1000000000000)", "(-1,)", f"(-{n}, -{n})"),
        *(f"({n}.0, {n})", "(True, 3)", "()", "5", "[5, 5]", "'ab'", "None", "((5,), 5)", f"({n}L, {n}L)"),
        "(" + "1, " * 100 + ")",
    ):
        yield f"shape {shape:.30}", header(plain % ("'<f8'", False, shape), content)
        yield f"objects of shape {shape:.30}", header(plain % ("'|O'", False, shape), pickle.dumps([1.0] * n))
    for order in ("'no'", "1", "None", "[]", "True"):
        yield f"order {order}", header(plain % ("'<f8'", order, f"({n}, {n})"), content)
    for kind in (
        *("'<f9'", "'xyz'", "''", "5", "None", "[]", "{}", "'<c16'", "'<M8[D]'", "'<m8'", "'|b1'", "'a8'"),
        "'<f8,<i4'",
        *("[('a', '<f8')]", "('<f8', (3,))", "'O,O'", "[('a', 'O')]", "'|V8'", "'<g'"),
        "[('a', '<f8'), ('a', '<f8')]",
    ):
        yield f"type {kind}", header(plain % (kind, False, f"({n}, {n})"), content)
    for kind in ("'|V0'", "'<U0'", "'|S0'", "[]", "('<f8', (0,))", "[('a', '|V0')]"):
        yield f"a trillion of {kind}", header(plain % (kind, False, "(1000000000000,)"))
        yield f"many of {kind}", header(plain % (kind, False, f"({2**27},)"))
    yield "none of a wide type", header(plain % ("('<f8', (1000000000,))", False, "(0,)"))
    for text in (
        *("", "{}", "[]", "None", "{", "\\", "\0", "(" * 300, "-" * 5000 + "1", "{" * 200, "'a' * 10**9"),
        "9**9**9**9",
        *("__import__('os').system('true')", "{[]: 1}", "'\\d'", "1_0_", "0x1for x in 1", "{'descr': '<f8'}", "\n\n"),
        *(plain % ("'<f8'", False, "(3,)") + " " * 11_000, plain % ("'<f8'", False, "(3,), 'more': 1")),
    ):
        yield f"header {text[:30]!r}", header(text, content)
    good = plain % ("'<f8'", False, f"({n}, {n})")
    for version, length in (
        *(((1, 0), 0), ((1, 0), 1), ((1, 0), 65_535), ((2, 0), None), ((2, 0), 2**32 - 1), ((2, 0), 2**28)),
        *(((3, 0), None), ((3, 0), 2**32 - 1), ((9, 9), None), ((0, 0), None)),
    ):
        yield f"version {version}, length {length}", header(good, content, version, length)
    yield "bytes that are no text", header(b"\xff\xfe{}", content)
    yield "another magic", b"\x93NUMPX" + header(good, content)[6:]


def wrong_tables(counts):
    """Contents that are not the table of these synapse counts."""
    n = len(counts)
    table = pd.DataFrame(counts)
    text = table.to_csv()
    lines = text.splitlines()
    for cell in (
        *("one", "", " ", "-", "nan", "inf", "-inf", "1e400", "1" * 400, str(2**64), str(-(2**63) - 1), "0x10"),
        "1+2j",
        *("1_000", "1,5", '"1"', '"', "'", "NA", "None", "True", "2024-01-01", "5%", "-1", "0.5", "1e308", "\0"),
        "1\0",
        *("٣", "=1+1", "1;2", "\r", "\\", "#", "1 2", "[1]"),
    ):
        for row, place in ((1, 1), (n, n)):
            cells = lines[row].split(",")
            cells[place] = cell
            changed = [*lines[:row], ",".join(cells), *lines[row + 1 :]]
            yield f"{cell[:20]!r} in row {row}", "\n".join(changed).encode()
    for label, other in {
        "no row": lines[:1],
        "no header": lines[1:],
        "a row less": lines[:-1],
        "a row twice": [*lines, lines[-1]],
        "a row more": [*lines, f"{n}," + ",".join("0" * n)],
        "a short row": [*lines[:-1], lines[-1][:-2]],
        "a short first row": [lines[0], lines[1][:-2], *lines[2:]],
        "a long row": [*lines[:-1], lines[-1] + ",1,1"],
        "longer rows": [lines[0], *(line + ",1" for line in lines[1:])],
        "rows that end in a comma": [line + "," for line in lines],
        "a column less": [line.rsplit(",", 1)[0] for line in lines],
        "no labels of rows": [line.split(",", 1)[1] for line in lines],
        "blank lines": [lines[0], "", "", *lines[1:]],
        "only commas": ["," * n] * n,
        "names that stand twice": [",".join(["", *"0" * n]), *lines[1:]],
        "rows named alike": [lines[0], *("0" + line[1:] for line in lines[1:])],
        "no names": ["," * n, *lines[1:]],
        "a remark before it": ["# synapses", *lines],
        "a remark after it": [*lines, "# end"],
        "one line": [",".join(lines)],
        "a wide line": ["," + ",".join(map(str, range(5000))), "0" + ",0" * 5000],
        "a long line": ["," + "a" * 200_000],
        "quoted and never closed": ['"' + line for line in lines],
        "quoted": [",".join(f'"{cell}"' for cell in line.split(",")) for line in lines],
    }.items():
        yield label, ("\n".join(other) + "\n").encode()
    for separator in (";", "\t", " ", "|", ",,"):
        yield f"separated by {separator!r}", text.replace(",", separator).encode()
    for encoding in ("utf-16", "utf-32", "utf-8-sig", "cp037"):
        yield f"in {encoding}", text.encode(encoding)
    yield "in latin-1, with a letter", text.replace("0,", "é,", 1).encode("latin-1")
    yield "ends of lines are \\r", text.replace("\n", "\r").encode()
    yield "ends of lines are \\r\\n", text.replace("\n", "\r\n").encode()
    yield "only ends of lines", b"\n" * 30
    yield "NUL between", b"\0".join(bytes([byte]) for byte in text.encode())
    yield "JSON", table.to_json().encode()
    yield "HTML", table.to_html().encode()
    yield "an array", npy(counts)
    yield "an array's pickle", pickle.dumps(counts)
    yield "an archive", archive({"a": counts})
    yield "negative", (-table - 1).to_csv().encode()
    yield "of dates", table.astype("M8[ns]").to_csv().encode()
    yield "of another size", pd.DataFrame(np.zeros((n, 2 * n))).to_csv().encode()


def patched(content, place, form, value):
    """An archive with one entry changed in what it says of its first member, at its end and before the member."""
    changed = bytearray(content)
    central = content.index(b"PK\x01\x02")
    struct.pack_into(form, changed, central + place, value)
    if place < 28:
        struct.pack_into(form, changed, content.index(b"PK\x03\x04") + place - 2, value)
    return bytes(changed)


def bomb(method, size, announced):
    """An archive of `size` zeros whose member's header announces `announced` bytes."""
    file = io.BytesIO()
    start = header(SQUARE % ("<f8", f"({announced // 8},)"))
    with zipfile.ZipFile(file, "w", method) as members, members.open("positions.npy", "w") as member:
        member.write(start)
        for _ in range(size // 2**22):
            member.write(bytes(2**22))
    return file.getvalue(), len(start) + announced


def wrong_archives(field):
    """Contents of ``.npz`` files that are none, or not of a field."""
    arrays = saved(field)
    good = archive(arrays)
    n, counts, times = len(arrays["positions"]), arrays["spike_counts"], arrays["spike_times"]
    for key in arrays:
        yield f"without {key}", archive({k: v for k, v in arrays.items() if k != key})
        yield f"{key} twice", archive([*arrays.items(), (key, arrays[key])])
        yield f"{key} empty", archive(arrays | {key: b""})
        yield f"{key} of objects", archive(arrays | {key: np.array([None] * n, dtype=object)})
        yield f"{key} by another name", archive({k + "x" * (k == key): v for k, v in arrays.items()})
        yield f"{key} an archive", archive(arrays | {key: good})
        yield f"{key} in a folder", archive({("folder/" if k == key else "") + k: v for k, v in arrays.items()})
        yield f"{key} without .npy", archive([*arrays.items(), (f"{key}.", npy(arrays[key]))])
    for key in ("self", "cls", "__class__", "neurons", "a" * 5000, "é\n\x1b[2J", "../positions", "/positions", " "):
        yield f"{key[:20]!r} more", archive(arrays | {key: np.zeros(3)})
    yield "a folder more", archive(arrays | {"folder/.": b""})
    yield "a thousand more", archive(arrays | {f"a{k}": b"" for k in range(1000)})
    for value in (
        *(counts - 1, counts + 1, -counts, counts.astype(float), counts.astype(str), counts[:-1], counts[:0]),
        counts[0],
        *(counts[None], counts[:, None], counts > 0, np.array([2**62] * 4 + [len(times)]), counts * 1j, counts + 0.5),
        *([len(times)], [len(times)] + [0] * (n - 1), [-1, len(times) + 1] + [0] * (n - 2), np.append(counts, 0)),
        *(np.array([2**63, 2**63] + [0] * (n - 3) + [len(times)], "u8"), counts.astype("M8[s]")),
        counts.astype("m8[s]"),
    ):
        yield f"spike_counts {value}", archive(arrays | {"spike_counts": value})
    for value in (times[0], times[:-1], times[None], times[:, None], times[::-1], -times, times * np.nan, times + 1j):
        yield "other spike_times", archive(arrays | {"spike_times": value})
    names = (3.5, b"text", "", "a\nb", "\x1b[31mred", "\ud800", ["a", "b"], [["a"]], np.datetime64("2024"), True)
    for value in names:
        yield f"name {value!r}", archive(arrays | {"name": np.array(value)})
    for value in (0, 1.0, "False", [False], [True] * n, np.nan, b"", 1j):
        yield f"synthetic {value!r}", archive(arrays | {"synthetic": np.array(value)})
    for key in ("lattice", "voxel_size"):
        for value in (
            *(n, 1.5, [n, 1], [n, 1, 1, 1], [[n, 1, 1]], [1.5, 1, n], [0, 1, n], [-1, -1, n], [n + 1, 1, 1], []),
            *([np.nan] * 3, [np.inf] * 3, ["1", "1", str(n)], "abc", [1j] * 3, [True] * 3, [2**62, 4, n]),
            [2**63] * 3,
            np.array([n, 3, 0xAAAAAAAAAAAAAAAB], "u8"),
        ):
            yield f"{key} {value}", archive(arrays | {key: np.array(value)})
    yield "a name of no letters", archive(arrays | {"name": header(SQUARE % ("<U1", "()"), b"\xff" * 4)})
    yield "encrypted", patched(good, 8, "<H", 1)
    yield "strongly encrypted", patched(good, 8, "<H", 0x41)
    yield "patched data", patched(good, 8, "<H", 0x20)
    for method in (1, 6, 9, 12, 14, 93, 95, 97, 98, 99, 65_535):
        yield f"said to be packed by method {method}", patched(good, 10, "<H", method)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"packed by method {method}", archive(arrays, method)
    for size in (0, 1, 127, 2**20, 2**31, 2**32 - 1):
        yield f"first member of {size} bytes", patched(good, 24, "<I", size)
        yield f"first member packed into {size} bytes", patched(good, 20, "<I", size)
    yield "another checksum", patched(good, 16, "<I", 0)
    for offset in (0, 1, len(good), 2**31, 2**32 - 1):
        yield f"first member at {offset}", patched(good, 42, "<I", offset)
    yield "another place of the list", good[:-6] + struct.pack("<I", 2**31) + good[-2:]
    yield "a list of 4 GiB", good[:-10] + struct.pack("<I", 2**32 - 2) + good[-6:]
    yield "10,000 members announced", good[:-14] + struct.pack("<HH", 10_000, 10_000) + good[-10:]
    yield "no members", archive({})
    yield "something before it", b"#!/bin/sh\n" + good
    yield "a remark", good[:-2] + struct.pack("<H", 6) + b"remark"
    yield "archive in archive", archive({"field.npz": good})
    yield "an array", npy(field["positions"])
    yield "a pickle", pickle.dumps(field)
    yield "compressed", gzip.compress(good)


NEITHER = object()


def wrong_values(field):
    """Arguments of ``CorticalField`` that are odd in themselves."""
    n = len(field["positions"])

    class Raises:
        def __array__(self, *_, **__):
            raise ValueError("no\narray\nat all")

        def __repr__(self):
            return "more\nthan\na line"

    for key in field:
        for value in (
            *("text", "1" * n, b"bytes", 5, 1.5, [], [[]], (), {}, set(), object, NEITHER, len, True, Raises()),
            10**400,
            *([None] * n, ["a"] * n, [[1, 2], [3]], [[None] * n] * n, np.array(3), np.array(None), range(n)),
            iter([1.0]),
            *([[10**400] * n] * n, [[1j] * n] * n, [["1"] * n] * n, [[Fraction(1, 2)] * n] * n, [np.nan] * n),
            *([np.array(["1.5", "2.5"])] * n, [np.array([1 + 1j])] * n, [{}] * n, [object()] * n, deep(100)),
            Path("a"),
            *(np.array([[np.complex128(1j)] * n] * n, dtype=object), np.array([["2"] * n] * n, dtype=object)),
            *(np.array([np.datetime64("2024-01-01")] * n), pd.Series([1.0] * n), pd.DataFrame([[None] * n] * n)),
            *([[10**400]] * n, [[Raises()]] * n, np.zeros((n, 3), dtype=object)),
            np.full((n, n), np.longdouble("1e400")),
        ):
            yield f"{key} is {type(value).__name__} {value!r:.30}", {key: value}
    for value in ("", " \n", "a\nb", "\x1b[31mred", "\u2028", "\ud800", 3, None, ["a"], np.array("a")):
        yield f"name is {value!r}", {"name": value}
    for key in ("lattice", "voxel_size"):
        for value in (
            *((n,), (n, 1, 1, 1), (n, 1, 1.0), (n, 1, 1.5), ("1", "1", str(n)), "1" * 2 + str(n), n, (0, 1, n)),
            (-n, -1, 1),
            *((np.nan,) * 3, (np.inf,) * 3, (None,) * 3, ((1,), 1, n), np.ones((3, 3)), np.ones(3) * 1j),
            [[1, 2], [3], 4],
            *((2**62, 4, n), (n, 3, 0xAAAAAAAAAAAAAAAB), (10**400,) * 3, np.array(["1"] * 3), {1: 1}, b"abc"),
            (1e-320,) * 3,
        ):
            yield f"{key} is {value!r:.30}", {key: value}
    for value in (0, 1, "False", None, [], np.array([True, False]), 1.0):
        yield f"synthetic is {value!r}", {"synthetic": value}
    for key in IDS:
        ids = field[key]
        for value in (
            *(ids[:-1], np.append(ids, 1), ids.astype(float), ids * 0, ids.astype(str), ids[:, None]),
            ids.astype(object),
            *(ids > 0, ids.astype("u8") + 2**63, [2**64] * n, [*ids[:-1].tolist(), 0.5], ids.astype("M8[s]")),
            ids + 1j,
        ):
            yield f"{key} are {value!r:.30}", {key: value}
    trains = field["spike_times"]
    for value in (
        *(trains[:-1], [*trains, trains[0]], trains[1], [train[::-1] for train in trains]),
        [-train for train in trains],
        *([train[:, None] for train in trains], [train[0] for train in trains]),
        [np.append(t, np.nan) for t in trains],
        *([np.append(t, t[0]) for t in trains], [np.append(t, -1e308) for t in trains], [t + 0j for t in trains]),
        *([t.astype(str) for t in trains], [t > 0 for t in trains], [t.astype("M8[s]") for t in trains]),
        np.ones((n, 2, 2)),
        *([[] for _ in trains], [t.astype("f2") for t in trains], [[1.0, [2.0]]] * n),
        [np.append(t, np.inf) for t in trains],
        *([[1e308, 1e308]] * n, [["a"]] * n, [None] * n, [[None]] * n, np.zeros((n, 0))),
        np.array([1, 2], dtype=object),
    ):
        yield f"spike_times are {value!r:.30}", {"spike_times": value}


# Each form with each of its faults. A family yields, for each fault, what it is, how to read the field that has it,
# and how the message begins that refuses it.


class Folder:
    """A good released folder in which one file at a time is replaced."""

    def __init__(self, folder, field):
        self.contents = released(field)
        self.path = written(folder / "made", self.contents)

    @contextmanager
    def replaced(self, key, content):
        path = self.path / FILES[key]
        path.write_bytes(content)
        try:
            yield path
        finally:
            path.write_bytes(self.contents[key])

    def with_file(self, key, content):
        def read():
            with self.replaced(key, content):
                return read_released(self.path)

        return read, str(self.path / FILES[key])


def released_arrays(r, folder):
    field = parts(r)
    made = Folder(folder, field)
    for key in FILES:
        if key not in ("connectome", "spike_times"):
            for fault, array in wrong_arrays(field[key], r):
                yield f"{key} {fault}", *made.with_file(key, npy(array))
    for fault, train in wrong_arrays(field["spike_times"][0], r):
        yield f"a train {fault}", *made.with_file("spike_times", npy(rows([*field["spike_times"][1:], train])))
    for fault, array in wrong_arrays(field["correlation"], r):
        yield f"trains {fault}", *made.with_file("spike_times", npy(array))


def released_objects(r, folder):
    field = parts(r)
    made = Folder(folder, field)
    for key in ("positions", "spike_times", "correlation", "unit_ids"):
        for fault, value in odd_objects(len(field["positions"])):
            array = np.empty(len(value), dtype=object)
            array[:] = list(value.values()) if isinstance(value, dict) else value
            yield f"{key} {fault}", *made.with_file(key, npy(array))
        yield f"{key} alone", *made.with_file(key, npy(np.array(5.0, dtype=object)))
    for key in FILES:
        if key != "connectome":
            yield f"{key} a square of objects", *made.with_file(key, npy(field["correlation"].astype(object)))


def released_headers(r, folder):
    field = parts(r)
    made = Folder(folder, field)
    for key in ("positions", "correlation", "spike_times", "unit_ids"):
        for fault, content in wrong_headers(len(field["positions"])):
            yield f"{key} {fault}", *made.with_file(key, content)


def released_bytes(r, folder):
    made = Folder(folder, parts(r))
    for key in FILES:
        for fault, content in damaged(made.contents[key], r):
            yield f"{key} {fault}", *made.with_file(key, content)


def released_tables(r, folder):
    field = parts(r)
    made = Folder(folder, field)
    for fault, content in wrong_tables(field["connectome"]):
        yield fault, *made.with_file("connectome", content)


def saved_file(path):
    def with_content(content):
        def read():
            path.write_bytes(content)
            return CorticalField.load(path)

        return read, str(path)

    return with_content


def saved_arrays(r, folder):
    arrays, with_content = saved(parts(r)), saved_file(folder / "made.npz")
    for key in arrays:
        if key not in ("name", "synthetic"):
            for fault, array in wrong_arrays(arrays[key], r):
                yield f"{key} {fault}", *with_content(archive(arrays | {key: array}))


def saved_headers(r, folder):
    arrays, with_content = saved(parts(r)), saved_file(folder / "made.npz")
    for key in ("name", "correlation", "spike_times"):
        for fault, content in wrong_headers(len(arrays["positions"])):
            yield f"{key} {fault}", *with_content(archive(arrays | {key: content}))


def saved_bytes(r, folder):
    arrays, with_content = saved(parts(r)), saved_file(folder / "made.npz")
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        for fault, content in damaged(archive(arrays, method), r, flips=30):
            yield f"method {method} {fault}", *with_content(content)


def saved_archives(r, folder):
    with_content = saved_file(folder / "made.npz")
    for fault, content in wrong_archives(parts(r)):
        yield fault, *with_content(content)


def given_arrays(r, folder):
    field = parts(r)
    for key in field:
        if key not in ("name", "spike_times"):
            for fault, array in wrong_arrays(field[key], r):
                yield f"{key} {fault}", lambda changes={key: array}: CorticalField(**field | changes), "made: "


def given_values(r, folder):
    field = parts(r)
    for fault, changes in wrong_values(field):
        named = "made: " if "name" not in changes else "the name of a field "
        yield fault, lambda changes=changes: CorticalField(**field | changes), named


FAMILIES = [
    *(released_arrays, released_objects, released_headers, released_bytes, released_tables),
    *(saved_arrays, saved_headers, saved_bytes, saved_archives, given_arrays, given_values),
]
DONE = set()


def check_all(family, folder):
    problems = []
    for fault, read, named in family(np.random.default_rng(FAMILIES.index(family)), folder):
        try:
            with little_memory():
                check(read, named)
        except Exception as error:
            problems.append(f"{fault}: {type(error).__name__}: {error}"[:500])
    DONE.add(family)
    assert not problems, f"{len(problems)} faults do not end as they should:\n" + "\n".join(problems)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_field_with_any_fault_is_sane_or_refused(family, tmp_path):
    check_all(family, tmp_path)


def test_there_were_at_least_2000_such_fields(tmp_path, record_property):
    for family in FAMILIES:
        if family not in DONE:  # as when this test runs alone
            check_all(family, tmp_path / family.__name__)
    for key, count in TALLY.items():
        record_property(key, count)
    print("malformed fields:", dict(TALLY))
    assert TALLY["written"] == TALLY["loaded"] + TALLY["refused"]
    assert TALLY["refused"] >= 2000


# Single faults, whose message must name the very file and the fault


def put(array, place, value):
    changed = np.array(array, dtype=np.result_type(array, type(value)))
    changed[place] = value
    return changed


def voxels(field):
    return field["positions"] / MICRONS_VOXEL_UM


def trains(field, place, value):
    return npy(rows([*field["spike_times"][:place], value, *field["spike_times"][place + 1 :]]))


def cells(field, place, value):
    table = pd.DataFrame(field["connectome"]).astype(object)
    table.iloc[place] = value
    return table.to_csv().encode()


FOLDER = "a folder in its place"
RELEASED_FAULTS = [
    ("positions", None, "expected one file positions_NAME.npy, found 0"),
    ("positions", FOLDER, "is not a file"),
    ("positions", lambda f: npy(voxels(f)[:, :2]), r"positions have shape \(5, 2\); expected \(neurons, 3\)"),
    ("positions", lambda f: npy(voxels(f)[0]), r"positions have shape \(3,\)"),
    ("positions", lambda f: npy(put(voxels(f), (3, 1), np.nan)), r"positions holds nan at \[3, 1\]"),
    ("positions", lambda f: npy(voxels(f)[:1]), "1 neuron; a field needs at least 2"),
    ("positions", lambda f: npy(voxels(f)[:0]), "0 neurons; a field needs at least 2"),
    ("positions", lambda f: npy(voxels(f).astype(str)), "does not hold a table of numbers .they are <U"),
    (
        "positions",
        lambda f: npy(rows([*voxels(f)[1:], ["a", "b", "c"]])),
        "an array holds <U1, which is not a plain number",
    ),
    ("positions", lambda f: npy(rows([*voxels(f)[1:], [1.0, 2.0]])), "does not hold a table of numbers .*same shape"),
    ("positions", lambda f: npy(np.array([[10**400] * 3] * 5)), "does not hold a table of numbers .*too large"),
    ("positions", lambda f: npy(np.array([[None] * 3] * 5)), "holds NoneType where numbers belong"),
    (
        "positions",
        lambda f: npy(rows(voxels(f))).replace(b"(5,)", b"(4,)"),
        "not the array that its header announces",
    ),
    ("connectome", None, "no such file"),
    ("connectome", FOLDER, "is not a file"),
    ("connectome", lambda f: b"", "not a table .No columns"),
    ("connectome", lambda f: cells(f, (1, 2), -3), r"connectome has a negative synapse count at \[1, 2\]"),
    ("connectome", lambda f: cells(f, (1, 2), ""), r"connectome holds nan at \[1, 2\]"),
    ("connectome", lambda f: cells(f, (1, 2), "inf"), r"connectome holds inf at \[1, 2\]"),
    ("connectome", lambda f: cells(f, (1, 2), "two"), "holds something other than numbers in column 2"),
    ("connectome", lambda f: cells(f, (1, 2), "1_000"), "holds something other than numbers in column 2"),
    ("connectome", lambda f: cells(f, (1, 2), "1\0"), "not a table .it holds NUL bytes"),
    ("connectome", lambda f: released(f)["connectome"].replace(b",", b";"), r"connectome has shape \(5, 0\)"),
    (
        "connectome",
        lambda f: released(f)["connectome"] + b"5,1,1,1,1,1,1\n",
        "not a table .*Expected 6 fields.* saw 7",
    ),
    ("connectome", lambda f: released(f)["connectome"].decode().encode("utf-16"), "not a table"),
    (
        "connectome",
        lambda f: pd.DataFrame(f["connectome"][:4, :4]).to_csv().encode(),
        r"has shape \(4, 4\), but .* 5 n",
    ),
    (
        "connectome",
        lambda f: pd.DataFrame(f["connectome"])[::-1].to_csv().encode(),
        "rows and columns are not labelled",
    ),
    ("correlation", None, "no such file"),
    ("correlation", FOLDER, "is not a file"),
    ("correlation", lambda f: b"", "cannot be read safely .*EOF"),
    ("correlation", lambda f: b"\x93NUMPX" + npy(f["correlation"])[6:], "magic string"),
    ("correlation", lambda f: npy(f["correlation"])[:-10], "header announces 200 bytes and 190 follow"),
    ("correlation", lambda f: npy(f["correlation"]) + b"1", "header announces 200 bytes and 201 follow"),
    ("correlation", lambda f: header(SQUARE % ("<f8", "(10**12,)")), "cannot be read safely .malformed"),
    (
        "correlation",
        lambda f: header(SQUARE % ("<f8", "(1000000000000,)")),
        "announces 8000000000000 bytes and 0 follow",
    ),
    ("correlation", lambda f: header(SQUARE % ("<f8", "(5L, 5L)"), bytes(200)), "Python 2"),
    (
        "correlation",
        lambda f: header(SQUARE.replace("False", "'no'") % ("<f8", "(5, 5)"), bytes(200)),
        "fortran_order",
    ),
    ("correlation", lambda f: header("{}", bytes(200)), "correct keys"),
    ("correlation", lambda f: npy(f["correlation"] + 1j), "holds complex128, which is not a real number"),
    ("correlation", lambda f: npy(np.zeros((5, 5), "M8[D]")), r"holds datetime64\[D\], which is not a real number"),
    ("correlation", lambda f: npy(np.zeros((5, 5), "f8,i4")), "which is not a real number"),
    ("correlation", lambda f: npy(f["correlation"][:, :4]), r"correlation has shape \(5, 4\), but .* 5 neurons"),
    ("correlation", lambda f: npy(put(f["correlation"], (1, 2), 0.9)), r"correlation is not symmetric: \[1, 2\]"),
    ("correlation", lambda f: npy(put(f["correlation"], (4, 4), 1.1)), "correlation leaves the range -1 to 1"),
    ("correlation", lambda f: npy(put(f["correlation"], (4, 4), np.inf)), r"correlation holds inf at \[4, 4\]"),
    ("sttc", None, "no such file"),
    ("sttc", lambda f: npy(put(f["sttc"], (1, 2), 0.9)), r"sttc is not symmetric: \[1, 2\]"),
    ("sttc", lambda f: npy(np.tril(f["sttc"]) * 4), "sttc leaves the range"),
    ("sttc", lambda f: npy(f["sttc"][None]), r"sttc has shape \(1, 5, 5\)"),
    ("precision", lambda f: npy(put(f["precision"], (0, 3), 9.0)), r"precision is not symmetric: \[0, 3\]"),
    ("precision", lambda f: npy(f["precision"][:4, :4]), r"precision has shape \(4, 4\)"),
    ("precision", FOLDER, "is not a file"),
    ("spike_times", lambda f: npy(rows(f["spike_times"][1:])), "spike times of 4 neurons, positions of 5"),
    ("spike_times", lambda f: npy(rows(f["spike_times"] * 2)), "spike times of 10 neurons, positions of 5"),
    ("spike_times", lambda f: trains(f, 3, [2.0, 1.0]), "spike times of neuron 3 are not in increasing order"),
    ("spike_times", lambda f: trains(f, 3, [-1.0, 1.0]), "spike times of neuron 3 begin at -1 s, before 0"),
    (
        "spike_times",
        lambda f: trains(f, 3, [1.0, np.nan]),
        "spike times of neuron 3 are not a list of finite numbers",
    ),
    (
        "spike_times",
        lambda f: trains(f, 3, [[1.0], [2.0]]),
        "spike times of neuron 3 are not a list of finite numbers",
    ),
    ("spike_times", lambda f: trains(f, 3, ["1"]), "an array holds <U1, which is not a plain number"),
    ("spike_times", lambda f: trains(f, 3, [10**400]), "spike times of neuron 3 are not numbers .*too large"),
    ("spike_times", lambda f: npy(5.0), r"spike times are array\(5.\); expected one list per neuron"),
    ("nucleus_ids", lambda f: npy(f["nucleus_ids"][[0, 1, 2, 3, 3]]), r"nucleus_ids name \d{18} more than once"),
    (
        "unit_ids",
        lambda f: npy(f["unit_ids"] * 1.0),
        r"unit_ids are float64 of shape \(5,\); expected \(5,\) integers",
    ),
    ("unit_ids", lambda f: npy(f["unit_ids"][:4]), r"unit_ids are int64 of shape \(4,\); expected \(5,\) integers"),
    ("root_ids", lambda f: npy(np.arange(5, dtype="u8") + 2**63), r"root_ids hold \d{19}, which is no int64"),
    ("root_ids", FOLDER, "is not a file"),
]


@pytest.mark.parametrize(("key", "fault", "message"), RELEASED_FAULTS)
def test_a_fault_in_a_released_file_is_named(tmp_path, key, fault, message):
    field = parts(np.random.default_rng(1), 5)
    folder = written(tmp_path / "made", released(field))
    path = folder / FILES[key]
    path.unlink()
    if fault == FOLDER:
        path.mkdir()
    elif fault:
        path.write_bytes(fault(field))
    named = path if "positions_NAME" not in message else folder
    with pytest.raises(FieldError, match=f"^{re.escape(str(named))}: .*{message}"):
        read_released(folder)


SAVED_FAULTS = [
    ({"sttc": None, "correlation": None}, "lacks correlation, sttc"),
    ({"more": np.zeros(3)}, "holds something that a field has not .*'more'"),
    ({"sttc": b""}, r"not a saved field \(sttc.npy: EOF"),
    ({"sttc": np.array([None] * 5)}, r"sttc.npy: it holds objects, which could run code"),
    (
        {"sttc": header(SQUARE % ("<f8", "(1000000000000,)"))},
        "sttc.npy: its header announces 8000000000000 bytes and 0",
    ),
    ({"sttc.npy": b""}, "it holds sttc twice"),
    ({"sttc": np.full((5, 5), 2.0)}, "made: sttc leaves the range"),
    ({"spike_counts": None}, "of spike_times and spike_counts it lacks one"),
    ({"spike_times": None}, "of spike_times and spike_counts it lacks one"),
    ({"spike_counts": np.ones(5)}, r"spike_counts are float64 of shape \(5,\); expected one integer per neuron"),
    ({"spike_counts": np.ones((5, 1), int)}, r"spike_counts are int64 of shape \(5, 1\)"),
    ({"spike_counts": np.array([-1, 1, 0, 0, 0])}, "spike_counts announce 0 spikes, but spike_times has"),
    ({"spike_counts": np.array([2**62] * 4 + [3])}, f"spike_counts announce {2**64 + 3} spikes"),
    ({"name": np.array(3.5)}, "the name of a field is 3.5; expected a text"),
    ({"name": np.array(["a", "b"])}, r"the name of a field is \['a', 'b'\]"),
    ({"name": np.array("a\nb")}, r"the name of a field is 'a\\nb'"),
    ({"synthetic": np.array("False")}, "made: synthetic is 'False'; expected True or False"),
    ({"lattice": np.array([5.0, 1.0, 1.0])}, r"made: lattice is \[5.0, 1.0, 1.0\]; expected three sides"),
    ({"lattice": np.array([5, 1])}, r"made: lattice \(5, 1\) does not hold 5 neurons"),
    ({"voxel_size": np.zeros(3)}, r"made: voxel_size is \[0.0, 0.0, 0.0\]; expected three lengths"),
    ({"unit_ids": np.zeros(5, int)}, "made: unit_ids name 0 more than once"),
]


@pytest.mark.parametrize(("changes", "message"), SAVED_FAULTS)
def test_a_fault_in_a_saved_file_is_named(tmp_path, changes, message):
    path = tmp_path / "made.npz"
    arrays = saved(parts(np.random.default_rng(1), 5)) | changes
    path.write_bytes(archive({key: value for key, value in arrays.items() if value is not None}))
    with pytest.raises(FieldError, match=f"^{re.escape(str(path))}: .*{message}"):
        CorticalField.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda good: good[:-300], "File is not a zip file"),
        (lambda good: patched(good, 8, "<H", 1), "name.npy.* is encrypted"),
        (lambda good: patched(good, 10, "<H", 99), "name.npy: it is packed in a way that NumPy does not use"),
        (lambda good: patched(good, 16, "<I", 0), "name.npy: Bad CRC-32"),
        (lambda good: archive({"field.npz": good}), "field.npz: the magic string is not correct"),
        (lambda good: b"a text", "File is not a zip file"),
    ],
)
def test_what_is_no_saved_file_says_so(tmp_path, content, message):
    path = tmp_path / "made.npz"
    path.write_bytes(content(archive(saved(parts(np.random.default_rng(1), 5)))))
    with pytest.raises(FieldError, match=f"^{re.escape(str(path))}: not a saved field .*{message}"):
        CorticalField.load(path)
    path.unlink()
    with pytest.raises(FieldError, match=f"^{re.escape(str(path))}: no such file"):
        CorticalField.load(path)
    path.mkdir()
    with pytest.raises(FieldError, match=f"^{re.escape(str(path))}: is not a file"):
        CorticalField.load(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_unpacks_to_no_more_than_it_announces(tmp_path, method):
    """128 MiB of zeros in some 100 KB, of which the array's header says that they are 256 KiB."""
    path = tmp_path / "made.npz"
    content, announced = bomb(method, 2**27, 2**18)
    assert len(content) < 2**18
    for lie in (content, patched(content, 24, "<I", announced)):  # the second: as the archive says, too
        path.write_bytes(lie)
        with little_memory(96 * 2**20):
            assert check(lambda: CorticalField.load(path), str(path))


POSIX = pytest.mark.skipif(os.name != "posix", reason="this system has no such files")


@POSIX
@pytest.mark.parametrize("key", FILES)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path, key):
    folder = written(tmp_path / "made", released(parts(np.random.default_rng(1))))
    (folder / FILES[key]).unlink()
    os.mkfifo(folder / FILES[key])
    with pytest.raises(FieldError, match=f"{FILES[key]}: is not a file"):
        read_released(folder)
    with pytest.raises(FieldError, match=f"{FILES[key]}: is not a file"):
        CorticalField.load(folder / FILES[key])


@POSIX
def test_a_name_that_would_break_the_line(tmp_path):
    folder = written(tmp_path / "made", released(parts(np.random.default_rng(1))))
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.replace("made", "a\nb")))
    with pytest.raises(
        FieldError, match=f"^{re.escape(str(folder))}: the name of a field is .*; expected a t"
    ) as told:
        read_released(folder)
    assert str(told.value).isprintable()


# Whatever Hypothesis thinks of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = Folder(tmp_path_factory.mktemp("hostile"), parts(np.random.default_rng(2), 4))
    read_released(made.path)  # with the list of fields, which is read once
    codecs.lookup("raw_unicode_escape")  # as pickletools does
    return made


FREELY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
SHAPES = st.one_of(
    st.sampled_from([(4, 4), (4, 3), (4,), (3,), ()]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)
KINDS = st.one_of(hnp.scalar_dtypes(), hnp.unicode_string_dtypes(), st.just(np.dtype("f8")), st.just(np.dtype("i8")))


@given(st.sampled_from(list(FILES)), hnp.arrays(KINDS, SHAPES))
@FREELY
def test_any_array_in_any_place(made, key, array):
    field = parts(np.random.default_rng(2), 4)
    check(lambda: CorticalField(**field | {key: array}), "made: ")
    if key != "connectome":
        check(*made.with_file(key, npy(array)))
    path = made.path / "made.npz"
    path.write_bytes(archive(saved(field) | {key: array}))
    check(lambda: CorticalField.load(path), str(path))


@given(st.sampled_from(list(FILES)), st.data())
@FREELY
def test_any_bytes_changed(made, key, data):
    content = bytearray(made.contents[key])
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    check(*made.with_file(key, bytes(content[: data.draw(st.integers(0, len(content)))])))
