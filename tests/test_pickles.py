"""Malicious pickles, written opcode by opcode: none is run, takes long or takes much memory; all are refused."""

import copyreg
import os
import pickle
import pickletools
import re
import struct
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import test_hostile
from hypothesis import given
from hypothesis import strategies as st
from test_hostile import FREELY, SQUARE, check, header, little_memory

from biornn_lite.datasets import read_released
from biornn_lite.field import MICRONS_VOXEL_UM

made = test_hostile.made  # the fixture


def number(form, value):
    return struct.pack(form, value)


def text(value):
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + number("<I", len(data)) + data


def name(module, attribute):
    return text(module) + text(attribute) + b"\x93"


def call(function, *arguments):
    return function + b"(" + b"".join(arguments) + b"tR"


def kind(code, order="<", more=b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00"):
    return call(name("numpy", "dtype"), code, b"\x89", b"\x88") + b"(K\x03" + text(order) + more + b"tb"


MULTIARRAY = np.zeros(0).__reduce__()[0].__module__  # as this NumPy calls it


def array(shape, entries, content, cls=None):
    """What pickle says of an array; `shape` holds pickled numbers."""
    cls = name("numpy", "ndarray") if cls is None else cls
    made = call(name(MULTIARRAY, "_reconstruct"), cls, b"K\x00\x85", b"C\x01b")
    return made + b"(K\x01(" + shape + b"t" + entries + b"\x89" + content + b"tb"


FLOAT = kind(text("f8"))
OBJECTS = b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3f"
OBJECT = kind(text("O8"), "|", OBJECTS)
NUMBERS = b"C\x18" + struct.pack("<3d", 1, 2, 3)
ROW = array(b"K\x03", FLOAT, NUMBERS)


def objects(*items):
    return array(b"K" + bytes([len(items)]), OBJECT, b"](" + b"".join(items) + b"e")


def pickled(content, protocol=4):
    return b"\x80" + bytes([protocol]) + content + b"."


def object_file(content):
    return header(SQUARE % ("|O", "(4,)"), content)


def doubled(first, twice):
    """Something that stands twice in something that stands twice in something …, sixty times."""
    return first + b"\x94" + b"".join(b"0" + twice(b"h" + bytes([k])) + b"\x94" for k in range(60))


EXTENSIONS = {
    ("os", "system"): 0xF0,
    ("subprocess", "getoutput"): 0xF0F0,
    ("subprocess", "getstatusoutput"): 0x70F0F0F0,
}


def armed(witness):
    """Pickles that make a file when pickle reads them, by what they do it with."""
    path, shell, python = (
        text(str(witness)),
        text(f'echo 1 > "{witness}"'),
        text(f"open({str(witness)!r}, 'w').close()"),
    )
    system, imported = name("os", "system"), call(name("builtins", "__import__"), text("os"))
    code = call(name("builtins", "compile"), python, text("a"), text("exec"))
    memmap = name("numpy", "memmap")
    mapped = call(memmap, path, text("u1"), text("w+"), b"K\x00K\x01")
    inner = pickled(call(system, shell))
    return {
        "GLOBAL": call(b"cos\nsystem\n", shell),
        "STACK_GLOBAL": call(system, shell),
        "INST": b"(" + shell + b"ios\nsystem\n",
        "OBJ": b"(cos\nsystem\n" + shell + b"o",
        "NEWOBJ": memmap + b"(" + path + text("u1") + text("w+") + b"K\x00K\x01t\x81",
        "NEWOBJ_EX": memmap + path + b"\x85}(" + text("mode") + text("w+") + text("shape") + b"K\x01u\x92",
        "BUILD": call(name("functools", "partial"), system) + b"(" + system + shell + b"\x85}}tb" + b")R",
        "EXT1": call(b"\x82\xf0", shell),
        "EXT2": call(b"\x83\xf0\xf0", shell),
        "EXT4": call(b"\x84\xf0\xf0\xf0\x70", shell),
        "eval": call(name("builtins", "eval"), python),
        "exec": call(name("builtins", "exec"), python),
        "compile": call(call(name("types", "FunctionType"), code, b"}")),
        "getattr": call(call(name("builtins", "getattr"), imported, text("system")), shell),
        "__import__": call(call(name("operator", "attrgetter"), text("system")), imported) + shell + b"\x85R",
        "open": call(name("builtins", "open"), path, text("w")),
        "a dotted name": call(name("pathlib", "Path.touch"), call(name("pathlib", "Path"), path)),
        "methodcaller": call(call(name("operator", "methodcaller"), text("system"), shell), imported),
        "subprocess": call(name("subprocess", "getoutput"), shell),
        "a pickle in a pickle": call(name("pickle", "loads"), b"B" + number("<I", len(inner)) + inner),
        "numpy.save": call(name("numpy", "save"), path, b"K\x01"),
        "numpy.memmap": mapped,
        "numpy.testing.runstring": call(name("numpy.testing", "runstring"), python, b"}"),
        "an array of another class": array(b"K\x03", FLOAT, NUMBERS, mapped),
    }


TYPES = ("f8,O", "O,O", "(3,)O", "c8", "f16", "V8", "S8", "U2", "M8[s]", "b1", "f8x", "", "|O", "=O8")


def crafted():
    """Pickles that do other harm, by what they do it with."""
    numpy_arrays = "numpy.core.multiarray"
    reconstruct = name(numpy_arrays, "_reconstruct")
    plenty = 100_000
    row = array(b"K\x19", FLOAT, b"C" + bytes([200]) + bytes(200))
    deep_array = ROW
    for _ in range(1500):
        deep_array = objects(deep_array)
    return {
        "PERSID": b"Pname\n",
        "BINPERSID": text("name") + b"Q",
        "NEXT_BUFFER": b"\x97",
        "READONLY_BUFFER": b"C\x01a\x98",
        "BYTEARRAY8": b"\x96" + number("<Q", 8) + bytes(8),
        "BYTEARRAY8 of 2**62 bytes": b"\x96" + number("<Q", 2**62),
        "DUP": b"K\x012\x86",
        "POP_MARK": b"(K\x011N",
        "FROZENSET": b"(K\x01\x91",
        "EMPTY_SET": b"\x8f",
        "ADDITEMS": b"\x8f(K\x01\x90",
        "EMPTY_DICT": b"}",
        "DICT": b"(K\x01K\x02d",
        "SETITEM": b"}K\x01K\x02s",
        "SETITEMS": b"}(K\x01K\x02u",
        "LIST": b"(K\x01l",
        "STRING": b"S'a'\n",
        "BINSTRING": b"T\x01\0\0\0a",
        "SHORT_BINSTRING": b"U\x01a",
        "UNICODE": b"Va\n",
        "FLOAT": b"F1.5\n",
        # Names
        "numpy.fromfile": call(name("numpy", "fromfile"), text(__file__), text("u1")),
        "numpy.load": call(name("numpy", "load"), text("a.npy"), b"N", b"\x88"),
        "numpy.ctypeslib": call(name("numpy.ctypeslib", "load_library"), text("libc.so.6"), text("/lib")),
        "a scalar of objects": call(name(numpy_arrays, "scalar"), OBJECT, bytes([67, 8]) + b"pointers"),
        "an array on a buffer": call(name("numpy._core.numeric", "_frombuffer"), NUMBERS, FLOAT, b"K\x03\x85C\x01C"),
        "an array of a subclass": array(b"K\x03", FLOAT, NUMBERS, name("numpy", "matrix")),
        "a module not imported": call(name("this", "print"), text("a")),
        "a module of ours": call(name("biornn_lite.arrays", "read_npy"), text("a")),
        "what is behind a name": name(numpy_arrays, "_reconstruct.__globals__"),
        "more behind a name": name("numpy", "core.multiarray._reconstruct.__init__"),
        "a name of two lines": name("os\n\x1b[2J\x1b[31m", "system"),
        "a name of other letters": name("num\u0440y", "dtype"),
        "a name of a million letters": name("a" * 10**6, "b"),
        "a surrogate for a name": name("\ud800", "b"),
        # What is done with admitted names
        "BUILD of attributes": name("numpy", "dtype") + b"N" + text("__init__") + b"N\x86b",
        "BUILD of a class": reconstruct + b"(K\x01tb",
        "BUILD of a state that is none": call(reconstruct) + b"Nb",
        "BUILD of a short state": call(reconstruct) + b"K\x01\x85b",
        "REDUCE of nothing": call(name("numpy", "ndarray")),
        "REDUCE of a text": call(text("a")),
        "REDUCE without arguments": call(name("numpy", "dtype")),
        "a class for an array": name(numpy_arrays, "_reconstruct"),
        "a type for an array": FLOAT,
        "bytes for pointers": array(b"K\x18", OBJECT, b"C\x18" + bytes(range(24))),
        "three bytes for pointers": array(b"K\x03", OBJECT, b"C\x03\x01\x02\x03"),
        "text for objects": array(b"K\x03", OBJECT, text("123")),
        "an array for objects": array(b"K\x03", OBJECT, ROW),
        "flags of objects": array(b"K\x03", kind(text("f8"), "<", OBJECTS), NUMBERS),
        "another size": array(b"K\x03", kind(text("f8"), "<", b"NNNK\x08K\x08K\x00"), NUMBERS),
        "parts of objects": array(b"K\x03", kind(text("f8"), "<", OBJECT + b"N\x86NNK\x08K\x08K\x1b"), NUMBERS),
        "named parts": array(b"K\x03", kind(text("V8"), "|", b"N" + text("a") + b"\x85NK\x08K\x01K\x1b"), NUMBERS),
        **{f"the type {code}": array(b"K\x03", kind(text(code)), NUMBERS) for code in TYPES},
        "an unknown order": array(b"K\x03", kind(text("f8"), "!"), NUMBERS),
        "a list for a type": array(b"K\x03", kind(b"]" + text("f8") + b"a"), NUMBERS),
        "no type": array(b"K\x03", b"N", NUMBERS),
        "too many numbers": array(b"K\x03", FLOAT, b"C\x20" + bytes(32)),
        "too few numbers": array(b"K\x03K\xff", FLOAT, NUMBERS),
        "a negative side": array(b"J" + number("<i", -3) + b"J" + number("<i", -1), FLOAT, NUMBERS),
        "2**64 sides": array(b"\x8a\x09" + bytes(8) + b"\x01" + b"K\x00", FLOAT, b"C\x00"),
        "a text for a side": array(text("3"), FLOAT, NUMBERS),
        "texts for numbers": b"](" + text("1.5") * 3 + b"e",
        "bytes for numbers": b"](" + b"C\x011" * 3 + b"e",
        "None for numbers": b"](NNNe",
        "types for numbers": b"](" + FLOAT * 3 + b"e",
        "numbers of 600 digits": b"](" + b"\x8a\xff" + b"\x7f" * 255 + b"K\x01K\x02e",
        # Memory and time
        "LONG_BINPUT 2**31": b"K\x01r" + number("<I", 2**31),
        "PUT 10**12": b"K\x01p1000000000000\n",
        "PUT -1": b"K\x01p-1\n",
        "BINGET of nothing": b"h\xff",
        "LONG_BINGET of nothing": b"j" + number("<I", 2**32 - 1),
        "GET of nothing": b"g1000000000000\n",
        "INT of a million digits": b"I" + b"1" * 10**6 + b"\n",
        "LONG of a million digits": b"L" + b"1" * 10**6 + b"L\n",
        "LONG1 of less than it says": b"\x8a\xff",
        "LONG4 of 2 GiB": b"\x8b" + number("<i", 2**31 - 1),
        "LONG4 of less than nothing": b"\x8b" + number("<i", -1),
        "BINBYTES of 4 GiB": b"B" + number("<I", 2**32 - 1),
        "BINBYTES8 of 2**62": b"\x8e" + number("<Q", 2**62),
        "BINBYTES8 of 2**64": b"\x8e" + number("<Q", 2**64 - 1),
        "BINUNICODE of 4 GiB": b"X" + number("<I", 2**32 - 1),
        "BINUNICODE8 of 2**62": b"\x8d" + number("<Q", 2**62),
        "FRAME of 2**62": b"\x95" + number("<Q", 2**62) + b"N",
        "FRAME of 2**64": b"\x95" + number("<Q", 2**64 - 1) + b"N",
        "deep tuples": b")" + b"\x85" * plenty,
        "deep lists": b"]" * plenty + b"a" * (plenty - 1),
        "deep arrays": deep_array,
        "many marks": b"(" * plenty,
        "lists that double": doubled(b"]K\x01a", lambda get: b"](" + get + get + b"e"),
        "lists that double, by APPEND": doubled(b"]K\x01a", lambda get: b"]" + get + b"a" + get + b"a"),
        "tuples that double": doubled(b"K\x01\x85", lambda get: get + get + b"\x86"),
        "arrays that double": doubled(ROW, lambda get: objects(get, get)),
        "a long row a hundred thousand times": b"](" + row + b"\x94" + b"h\x00" * plenty + b"e",
        "a million steps": b"N0" * 10**6 + b"N",
        "a list in itself": b"]\x94h\x00a",
        "a list in its tuple": b"]\x94h\x00\x85a",
        "an array in itself": call(reconstruct) + b"\x94(K\x01K\x01\x85" + OBJECT + b"\x89]h\x00atb",
        # The stack
        "nothing": b"",
        "POP of nothing": b"0",
        "TUPLE without MARK": b"K\x01t",
        "APPENDS without MARK": b"]e",
        "REDUCE of too little": b")R",
        "BUILD of too little": b")b",
        "STACK_GLOBAL of numbers": b"K\x01K\x02\x93",
        "an unknown opcode": b"\xff",
    }


ARMED, CRAFTED = list(armed(Path())), crafted()


@pytest.fixture
def extensions():
    """Make EXT1, EXT2 and EXT4 stand for functions, as a program may for classes of its own."""
    for (module, attribute), code in EXTENSIONS.items():
        copyreg.add_extension(module, attribute, code)
    yield
    for (module, attribute), code in EXTENSIONS.items():
        copyreg.remove_extension(module, attribute, code)


EVENTS: list | None = None


def listen(event, arguments):
    if EVENTS is not None and threading.current_thread() is threading.main_thread():
        EVENTS.append((event, arguments))


sys.addaudithook(listen)


@contextmanager
def nothing_happens(folder):
    """See by Python's own audit that only files of this folder are read, and nothing is imported, found or run."""
    global EVENTS
    modules, EVENTS = set(sys.modules), []
    try:
        yield
    finally:
        events, EVENTS = EVENTS, None
    for event, arguments in events:
        if event == "open":
            path, _, flags = arguments
            assert str(path).startswith(str(folder)) and not flags & (os.O_WRONLY | os.O_RDWR), arguments
        else:
            # Headers are compiled to literals; the rest looks for files.
            usual = ("compile", "os.listdir", "os.scandir", "pathlib.Path.glob", "glob.glob")
            assert event in usual, (event, arguments)
    assert set(sys.modules) == modules


def check_pickle(made, key, content):
    """Check that a pickle in place of a file is refused, at once and without more; return the message."""
    with made.replaced(key, object_file(content)) as path:
        with nothing_happens(made.path):
            message = check(lambda: read_released(made.path), str(path))
        with little_memory():
            check(lambda: read_released(made.path), str(path))
    assert message, "is read"
    return message


@pytest.mark.parametrize("key", ["positions", "spike_times"])
def test_pickles_of_this_make_are_read(made, key):
    """What follows is refused for what it says, not for how it is written."""
    for content in (objects(ROW, ROW, ROW, ROW), objects(ROW + b"\x94", b"h\x00", b"h\x00", b"h\x00")):
        with made.replaced(key, object_file(pickled(content))), nothing_happens(made.path):
            field = read_released(made.path)
        read = field.positions / MICRONS_VOXEL_UM if key == "positions" else np.array(field.spike_times)
        np.testing.assert_allclose(read, [[1, 2, 3]] * 4)


@pytest.mark.parametrize("key", ["positions", "spike_times"])
@pytest.mark.parametrize("mechanism", ARMED)
def test_no_pickle_runs_anything(made, tmp_path, extensions, mechanism, key):
    witness = tmp_path / "witness.npy"
    payload = armed(witness)[mechanism]
    for content in (payload, objects(payload, ROW, ROW, ROW)):
        message = check_pickle(made, key, pickled(content))
        assert not witness.exists()
        assert re.search(r"it asks for [\w.]+, which|the pickle uses [A-Z_0-9]+, which", message)
        # It does what it says where pickle itself reads it.
        with suppress(Exception):
            pickle.loads(pickled(content))
        assert witness.exists()
        witness.unlink()


@pytest.mark.parametrize("key", ["positions", "spike_times"])
@pytest.mark.parametrize("mechanism", CRAFTED)
def test_no_pickle_does_other_harm(made, mechanism, key):
    for content in (CRAFTED[mechanism], objects(CRAFTED[mechanism], ROW, ROW, ROW)):
        message = check_pickle(made, key, pickled(content))
        assert "the type" not in mechanism or "which is not a plain number" in message


def test_pickles_of_another_protocol_or_cut_short_are_refused(made):
    good = pickled(objects(ROW, ROW, ROW, ROW))
    for content in (pickled(b"", 0)[:2], pickled(objects(ROW), 6), pickled(objects(ROW), 255), b"", b".", b"\x80"):
        check_pickle(made, "positions", content)
    for cut in range(0, len(good), 7):
        check_pickle(made, "positions", good[:cut])


def test_the_pickles_cover_what_pickle_can_do(tmp_path):
    assert len(ARMED) >= 20 and len(CRAFTED) >= 60
    seen = set()
    for payload in (*armed(tmp_path).values(), *CRAFTED.values()):
        with suppress(ValueError):
            seen.update(opcode.name for opcode, _, _ in pickletools.genops(pickled(payload)))
    # The rest holds plain data, or a length at which this reading of it ends.
    rest = "BINBYTES8 BINFLOAT BININT2 BINPUT BINUNICODE8 INT LONG LONG4 SHORT_BINUNICODE TUPLE3".split()
    assert {opcode.name for opcode in pickletools.opcodes} - seen == set(rest)


FRAGMENTS = (
    *(bytes([code]) for code in b"()]aeNtRb0\x85\x86\x87\x88\x89\x94\x93"),
    *(b"h\x00", b"h\x01", b"q\x01", b"K\x00", b"K\x04", b"G" + bytes(8), b"C\x08" + bytes(8), text("f8"), text("O")),
    text("<"),
    *(name("numpy", "ndarray"), name("numpy", "dtype"), name(MULTIARRAY, "_reconstruct")),
    name("os", "system"),
    *(FLOAT, OBJECT, NUMBERS, ROW, objects(ROW, ROW), b"](" + ROW * 4 + b"e", b"(K\x01K\x04\x85" + OBJECT + b"\x89"),
)


@given(st.sampled_from(["positions", "spike_times"]), st.lists(st.sampled_from(FRAGMENTS), max_size=25))
@FREELY
def test_any_pickle_of_such_pieces(made, key, pieces):
    with made.replaced(key, object_file(pickled(b"".join(pieces)))) as path, nothing_happens(made.path):
        check(lambda: read_released(made.path), str(path))
