"""Reading and writing arrays in files: nothing in them is run, and no header takes memory that it does not fill."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from .errors import FieldError

LARGEST_ARCHIVE = 8 * 2**30
"""Bytes that the arrays of one ``.npz`` file may take together: enough for a field of 12,000 neurons."""


def read_npy(path: Path) -> np.ndarray:
    """Read one ``.npy`` file, also one that holds a pickled array of arrays.

    Raises
    ------
    FieldError
        If the file is missing, is damaged, or holds anything but arrays of numbers.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            shape, dtype = _read_header(file)
            if not dtype.hasobject:
                _check_size(shape, dtype, size - file.tell())
                file.seek(0)
                return np.lib.format.read_array(file, allow_pickle=False)
            array = _unpickle(file.read())
            if not isinstance(array, np.ndarray) or array.shape != shape:
                raise ValueError("what it holds is not the array that its header announces")
            return array
    except FileNotFoundError:
        raise FieldError(f"{path}: no such file") from None
    except Exception as error:
        # A malformed file can raise anything, and all of it means that it cannot be read.
        raise FieldError(f"{path}: cannot be read safely ({first_line(error)})") from None


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of one ``.npz`` file, none of them pickled.

    Raises
    ------
    FieldError
        If the file is missing, is damaged, holds objects, or would take more than :data:`LARGEST_ARCHIVE`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(member.file_size for member in archive.infolist())
            if total > LARGEST_ARCHIVE:
                raise ValueError(f"its arrays would take {total / 2**30:.0f} GiB of memory")
            arrays = {}
            for member in archive.infolist():
                with archive.open(member) as file:
                    shape, dtype = _read_header(file)
                    if dtype.hasobject:
                        raise ValueError(f"{member.filename} holds objects, which could run code")
                    _check_size(shape, dtype, member.file_size - file.tell())
                with archive.open(member) as file:
                    arrays[member.filename.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
            return arrays
    except FileNotFoundError:
        raise FieldError(f"{path}: no such file") from None
    except Exception as error:
        raise FieldError(f"{path}: not a saved field ({first_line(error)})") from None


def write_npz(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write arrays to one ``.npz`` file that :func:`numpy.load` reads, compressed by LZMA.

    Event times repeat across neurons far apart in the file, which NumPy's own choice of compression misses.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for key, array in arrays.items():
            # A fixed time stamp: the same field gives the same file.
            member = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_LZMA
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"version {version} of the format")
    return shape, dtype


def _check_size(shape: tuple[int, ...], dtype: np.dtype, found: int) -> None:
    announced = math.prod(shape) * dtype.itemsize
    if announced != found:
        raise ValueError(f"its header announces {announced} bytes and {found} follow")


# What a pickle of arrays of numbers is made of. Everything else, such as making objects of other classes
# (INST, OBJ, NEWOBJ), registered extensions (EXT1 …) and references to the outside (PERSID …), is refused.
_OPCODES = frozenset(
    "PROTO FRAME STOP MARK POP NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 BINFLOAT "
    "SHORT_BINBYTES BINBYTES BINBYTES8 SHORT_BINUNICODE BINUNICODE "
    "EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD".split()
)

_NUMBER_TYPES = {f"{kind}{size}" for kind, sizes in {"f": "248", "i": "1248", "u": "1248"}.items() for size in sizes}


def _unpickle(data: bytes) -> np.ndarray:
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name not in _OPCODES:
            raise ValueError(f"the pickle uses {opcode.name}, which arrays of numbers do not need")
        if opcode.name.endswith("PUT") and int(argument) > len(data):
            raise ValueError(f"the pickle asks for {argument} places in memory")
    return _built(_ArrayUnpickler(data).load())


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickle arrays into plain notes of what they hold; not even NumPy is called with what a file says."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))

    def find_class(self, module: str, name: str):
        if (module, name) in (("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")):
            return _ArrayNote
        if (module, name) == ("numpy", "dtype"):
            return _TypeNote
        if (module, name) == ("numpy", "ndarray"):
            return None  # only ever an argument
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not an array")


class _TypeNote:
    """What a pickle says of the type of an array's entries."""

    def __init__(self, code: str, *_) -> None:
        self.code, self.order = code, "|"

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]


class _ArrayNote:
    """What a pickle says of an array."""

    def __init__(self, *_) -> None:
        self.state = None

    def __setstate__(self, state: tuple) -> None:
        self.state = state


def _built(note: object) -> object:
    """Build the array that a note describes; lists, numbers and None stay what they are."""
    if isinstance(note, list):
        return [_built(item) for item in note]
    if not isinstance(note, _ArrayNote):
        return note
    _, shape, kind, fortran, content = note.state
    order = "F" if fortran else "C"
    if kind.code in ("O", "O8"):
        if math.prod(shape) != len(content):
            raise ValueError(f"an array of shape {shape} holds {len(content)} items")
        array = np.empty(len(content), dtype=object)
        for place, item in enumerate(content):
            array[place] = _built(item)
        return array.reshape(shape, order=order)
    if kind.code not in _NUMBER_TYPES or kind.order not in ("<", ">", "|", "="):
        raise ValueError(f"an array holds {kind.order}{kind.code}, which is not a number")
    return np.frombuffer(content, kind.order + kind.code).reshape(shape, order=order).copy()
