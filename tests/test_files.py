"""Writing files wholly or not at all, and reading none that is larger than a field can be."""

import errno
import io
import os
import re
import resource
import stat
import struct
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from test_hostile import (
    FILES,
    IDS,
    POSIX,
    SQUARE,
    archive,
    check,
    header,
    little_memory,
    npy,
    parts,
    patched,
    saved,
    written,
)
from test_hostile import released as contents_of

from biornn_lite.datasets import read_released
from biornn_lite.errors import FieldError, InputError
from biornn_lite.field import CorticalField
from biornn_lite.plumbing.arrays import LARGEST_EVENTS, LARGEST_FIELD, read_npy, room, write_npz
from biornn_lite.plumbing.files import written_atomically

# Writing


def put(path, text="new"):
    with written_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return temporary


def refused(path, write=put):
    """Check that writing fails in a line about this file, which stays, and that nothing is left; return the line."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(InputError) as told:
        write(path)
    assert str(told.value).startswith(f"{path}: cannot be written (") and str(told.value).isprintable()
    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before
    return str(told.value)


@contextmanager
def little_disk(size):
    """Let no file grow beyond this size, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@POSIX
def test_a_temporary_name_cannot_be_foretold(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "results.csv"
    victim.write_text("precious")
    for number in range(os.getpid() - 2, os.getpid() + 3):
        path.with_name(f".results.csv.{number}.part").symlink_to(victim)
    names = {put(path).name for _ in range(5)}
    assert len(names) == 5 and victim.read_text() == "precious" and path.read_text() == "new"


@POSIX
def test_what_has_the_temporary_name_already_is_not_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda *_: "known")
    victim, path = tmp_path / "victim", tmp_path / "results.csv"
    victim.write_text("precious")
    (tmp_path / ".results.csv.known.part").symlink_to(victim)
    with pytest.raises(InputError, match="File exists"):
        put(path)
    assert victim.read_text() == "precious" and (tmp_path / ".results.csv.known.part").is_symlink()


@POSIX
def test_a_new_file_has_the_usual_mode_and_a_replaced_one_keeps_its_own(tmp_path):
    path = tmp_path / "a.csv"
    mask = os.umask(0o027)
    try:
        put(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        for mode in (0o600, 0o664, 0o444):
            path.chmod(mode)
            put(path, f"{mode}")
            assert stat.S_IMODE(path.stat().st_mode) == mode and path.read_text() == f"{mode}"
    finally:
        os.umask(mask)


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.csv"
    put(path, "old")
    for error in (
        KeyError("why"),
        KeyboardInterrupt(),
        OSError("of something else"),
        ConnectionResetError(104, "by"),
    ):
        with pytest.raises(type(error)) as told, written_atomically(path) as temporary:
            temporary.write_text("half")
            raise error
        assert told.value is error and path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.csv", "é" * 120, "*?[a]"])
def test_what_killed_runs_left_is_cleared_away_after_a_day(tmp_path, name):
    path = tmp_path / name
    day = 24 * 3600
    stem = put(path).name.rsplit(".", 2)[0]
    kept = [f"{stem}.0a1b.part", ".b.csv.0a1b.part", f"{stem}.b.0a1b.part", f"{stem}.mine.txt", f"x{stem}.0a1b.part"]
    for file in (*kept, f"{stem}.4711.part", f"{stem}.0f0f0f0f.part"):
        (tmp_path / file).touch()
        os.utime(tmp_path / file, (time.time() - 2 * day,) * 2)
    os.utime(tmp_path / kept[0], (time.time() - day / 2,) * 2)
    (tmp_path / f"{stem}.aa.part").mkdir()
    put(path, "newer")
    assert {file.name for file in tmp_path.iterdir()} == {name, f"{stem}.aa.part", *kept}
    assert path.read_text() == "newer"


@POSIX
@pytest.mark.parametrize("room", [0, 5000])
def test_a_full_disk_is_told_in_one_line(tmp_path, column, room):
    path = tmp_path / "a.npz"
    put(path, "old")
    with little_disk(room):
        told = refused(path, column.save)
        refused(path, lambda path: put(path, "x" * 10**6))
    assert "File too large" in told and "make room" in told and "the old file is kept" in told
    column.save(path)
    assert CorticalField.load(path).neurons == 96


@pytest.mark.parametrize(
    ("code", "says"),
    [(errno.ENOSPC, "make room"), (errno.EROFS, "choose a folder"), (errno.EACCES, "choose a folder")],
)
def test_errors_of_writing_say_what_to_do(tmp_path, code, says):
    def write(path):
        with written_atomically(path) as temporary:
            raise OSError(code, os.strerror(code), str(temporary))

    told = refused(tmp_path / "a.csv", write)
    assert os.strerror(code) in told and says in told and "old file" not in told


def test_a_file_that_another_program_holds_is_tried_again(tmp_path, monkeypatch):
    path, replace, held = tmp_path / "a.csv", Path.replace, [True] * 3
    put(path, "old")

    def held_for_a_while(self, target):
        if held and held.pop():
            raise PermissionError(errno.EACCES, "Access is denied", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", held_for_a_while)
    put(path)
    assert path.read_text() == "new" and not held
    held.extend([True] * 1000)
    start = time.monotonic()
    told = refused(path)
    assert 0.5 < time.monotonic() - start < 5
    assert "Access is denied" in told and "close the program" in told and "the old file is kept" in told


@POSIX
def test_what_cannot_be_written_to_is_told(tmp_path):
    assert "No such file or directory" in (told := str(told_by(tmp_path / "no" / "a.csv"))) and "\n" not in told
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(os.devnull)
    for name in ("folder", "pipe", "link"):
        assert "not a file" in refused(tmp_path / name)
    assert len(list(tmp_path.iterdir())) == 3


def told_by(path):
    with pytest.raises(InputError) as told:
        put(path)
    return told.value


def test_each_array_is_packed_as_suits_it(tmp_path, column):
    """Large matrices by a method that is some ten times as fast, small fields as small as can be."""
    r = np.random.default_rng(0)
    many = np.sort(np.round(r.uniform(0, 3600, 40_000), 2))
    made = {"large": r.random((400, 400)), "small": r.random((300, 300)), "times": many, "name": "made"}
    path = tmp_path / "a.npz"
    write_npz(path, made)
    with zipfile.ZipFile(path) as members:
        methods = {member.filename: member.compress_type for member in members.infolist()}
    lzma, deflate = zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED
    assert methods == {"large.npy": deflate, "small.npy": lzma, "times.npy": lzma, "name.npy": lzma}
    with np.load(path) as again:
        for key, array in made.items():
            np.testing.assert_array_equal(again[key], array)
    first = path.read_bytes()
    write_npz(path, made)
    assert path.read_bytes() == first, "the same field gives the same file"
    column.save(path)
    assert path.stat().st_size < 500_000


# Reading: sizes before contents


def zeros(text, size):
    """The content of an ``.npy`` file of this many zeros, packed: as ``.npz`` member it takes a thousandth."""
    return header(text), size


def packed(members, path):
    """Write an ``.npz`` file; of a pair, the second is how many zeros follow the first."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for key, value in members.items():
            start, more = value if isinstance(value, tuple) else (npy(value), 0)
            with file.open(f"{key}.npy", "w", force_zip64=True) as member:
                member.write(start)
                for first in range(0, more, 2**20):
                    member.write(bytes(min(2**20, more - first)))


BYTES = 208_000_000  # of what is unpacked, at least
BOMBS = {
    "positions": (SQUARE % ("<f8", "(9000000, 3)"), 216_000_000, "9,000,000 neurons; a field has at most 20,000"),
    "positions in a row": (
        SQUARE % ("<f8", "(26000000,)"),
        BYTES,
        r"have shape \(26000000,\); expected \(neurons, 3\)",
    ),
    "a few positions more": (SQUARE % ("<f8", "(20001, 3)"), 480_024, "20,001 neurons; a field has at most 20,000"),
    "correlation": (
        SQUARE % ("<f8", "(5100, 5100)"),
        208_080_000,
        r"shape \(5100, 5100\) .* is too large for .* has 5 neurons",
    ),
    "precision": (SQUARE % ("|b1", "(14422, 14422)"), 207_994_084, "too large for .* has 5 neurons"),
    "spike_times": (SQUARE % ("|b1", f"({BYTES},)"), BYTES, "too large for .* has 5 neurons"),
    "spike_counts": (SQUARE % ("<i8", "(26000000,)"), BYTES, "too large for .* has 5 neurons"),
    "unit_ids": (SQUARE % ("<i8", "(26000000,)"), BYTES, "too large for .* has 5 neurons"),
    "name": (SQUARE % ("<U52000000", "()"), BYTES, "too large for .* has 5 neurons"),
    "anything": (SQUARE % ("|i1", f"(2, {BYTES // 2})"), BYTES, "too large for .* has 5 neurons"),
}


@pytest.mark.parametrize("key", BOMBS)
def test_a_member_that_no_field_has_is_not_unpacked(tmp_path, key):
    text, size, says = BOMBS[key]
    path = tmp_path / "made.npz"
    key = "positions" if "positions" in key else key
    arrays = saved(parts(np.random.default_rng(1), 5))
    packed(arrays | {key: zeros(text, size)}, path)
    assert path.stat().st_size < 2 * 10**6
    with little_memory():
        assert re.search(f"not a saved field .*{key}.*{says}", check(lambda: CorticalField.load(path), str(path)))
    # Nor where it is alone.
    packed({key: zeros(text, size)}, path)
    with little_memory():
        assert check(lambda: CorticalField.load(path), str(path))


def test_positions_of_billions_are_refused_for_what_they_announce(tmp_path):
    path = tmp_path / "made.npz"
    start = header(SQUARE % ("|b1", "(1333333333, 3)"))
    content = archive({"positions": start} | saved(parts(np.random.default_rng(1), 5)) | {"positions": start})
    path.write_bytes(patched(content, 24, "<I", len(start) + 3_999_999_999))
    with little_memory():
        told = check(lambda: CorticalField.load(path), str(path))
    assert "1,333,333,333 neurons" in told


def sparse(path, start, size, end=b""):
    """Write a file that takes no room on the disk but for its start and its end."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)
        file.seek(0, io.SEEK_END)
        file.write(end)


GIB = 2**30


@pytest.mark.parametrize("size", [GIB, 12 * GIB])
@pytest.mark.parametrize("claims", ["nothing", "a list of contents"])
def test_a_large_saved_file_is_not_read_whole(tmp_path, size, claims):
    path = tmp_path / "made.npz"
    listed = min(size, GIB)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, listed, size - listed & (GIB - 1), 0)
    sparse(path, b"PK\3\4", size, end if claims != "nothing" else b"")
    with little_memory():
        assert check(lambda: CorticalField.load(path), str(path))


@pytest.mark.parametrize("key", FILES)
@pytest.mark.parametrize("size", [GIB // 2, 12 * GIB])
def test_a_large_released_file_is_not_read_whole(tmp_path, key, size):
    folder = written(tmp_path / "made", contents_of(parts(np.random.default_rng(1), 5)))
    path = folder / FILES[key]
    starts = [path.read_bytes()]
    if key != "connectome":
        starts += [header(SQUARE % ("<f8", f"({size // 8 - 16},)")), header(SQUARE % ("|O", "(5,)")), b""]
    for start in starts:
        sparse(path, start, size)
        with little_memory():
            told = check(lambda: read_released(folder), str(path))
        assert "bytes" in told and "field" in told
        with pytest.raises(FieldError, match="bytes"):
            read_npy(path, 10**6)


def test_a_table_of_far_too_many_columns_is_not_parsed(tmp_path):
    folder = written(tmp_path / "made", contents_of(parts(np.random.default_rng(1), 5)))
    path = folder / FILES["connectome"]
    path.write_bytes(b"," * 10**6 + b"\n")
    with little_memory():
        assert "1,000,000 columns" in check(lambda: read_released(folder), str(path))


def test_released_positions_of_too_many_neurons_are_refused(tmp_path):
    folder = written(tmp_path / "made", contents_of(parts(np.random.default_rng(1), 5)))
    path = folder / FILES["positions"]
    path.write_bytes(npy(np.ones((LARGEST_FIELD + 1, 3))))
    told = check(lambda: read_released(folder), str(path))
    assert "20,001 neurons; a field has at most 20,000" in told


def large(n):
    """A field of many neurons, as it is handed over."""
    r = np.random.default_rng(0)
    noise = r.uniform(-0.5, 0.5, (n, n))
    symmetric = (noise + noise.T) / 2
    return {
        "name": "made",
        "positions": r.uniform(0, 1000, (n, 3)),
        "connectome": r.poisson(0.02, (n, n)).astype(float),
        "correlation": symmetric,
        "sttc": symmetric,
        "precision": symmetric * 3,
        "spike_times": [np.sort(r.uniform(0, 5000, 400)) for _ in range(n)],
        **{key: 864_691_135_000_000_000 + r.permutation(n) for key in IDS},
    }


def test_a_large_field_that_is_one_is_read(tmp_path):
    n = 700
    field = CorticalField(**large(n))
    field.save(tmp_path / "made.npz")
    folder = written(tmp_path / "made", contents_of(large(n)))
    for again in (CorticalField.load(tmp_path / "made.npz"), read_released(folder)):
        assert again.neurons == n and sum(map(len, again.spike_times)) == 400 * n
        np.testing.assert_allclose(again.precision, field.precision)


def test_what_fits_grows_with_the_field():
    for neurons in (2, 96, 632, 3000, LARGEST_FIELD):
        matrix, times = 8 * neurons**2, 8 * min(LARGEST_EVENTS, neurons * 100_000)
        assert matrix < room(neurons) < 5 * matrix + 2**21 and times < room(neurons, events=True) < 2 * 10**9
