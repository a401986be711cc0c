"""Reading and writing arrays in files: nothing in them is run, and no header takes memory that it does not fill."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Mapping
from functools import partial
from numbers import Real
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from .errors import FieldError
from .unpickling import unpickle

LARGEST_ARCHIVE = 8 * 2**30
"""Bytes that the arrays of one ``.npz`` file may take together: enough for a field of 12,000 neurons."""


def read_npy(path: Path) -> np.ndarray:
    """Read one ``.npy`` file, also one that holds a pickled array of arrays.

    Raises
    ------
    FieldError
        If the file is missing, is damaged, or holds anything but arrays of real numbers.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            shape, order, dtype, start = _read_header(file)
            content = start.read() + file.read()
        if not dtype.hasobject:
            return _array(content, shape, order, dtype)
        array = unpickle(content)
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise ValueError("what it holds is not the array that its header announces")
        return array
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
    check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(member.file_size for member in archive.infolist())
            if total > LARGEST_ARCHIVE:
                raise ValueError(f"its arrays would take {total / 2**30:.0f} GiB of memory")
            arrays = {}
            for member in archive.infolist():
                key = member.filename.removesuffix(".npy")
                if key in arrays:
                    raise ValueError(f"it holds {key} twice")
                try:
                    arrays[key] = _read_member(archive, member)
                except Exception as error:
                    raise ValueError(f"{member.filename}: {first_line(error)}") from None
            return arrays
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


def check_file(path: Path) -> None:
    """Refuse a path at which no file is: reading a folder fails oddly, and reading a pipe waits for ever."""
    if not path.is_file():
        raise FieldError(f"{path}: {'is not a file' if path.exists() else 'no such file'}")


def first_line(error: object) -> str:
    """What an error or another text says, in one line that a terminal can show."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def as_numbers(value: ArrayLike) -> np.ndarray:
    """Return a float64 copy of real numbers.

    Raises
    ------
    TypeError, ValueError, OverflowError
        If they are something else, such as complex numbers, dates or texts of digits, which NumPy would turn into
        numbers as well.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biufO":
        raise TypeError(f"they are {array.dtype}")
    if array.dtype == object:
        other = next((item for item in array.flat if not isinstance(item, Real)), 0)
        if not isinstance(other, Real):
            raise TypeError(f"one is {type(other).__name__}")
    with np.errstate(all="ignore"):  # what is too large for float64 becomes infinite
        return np.array(array, dtype=np.float64)


# Packed files are read in small steps: what one step reads is unpacked whole, and its size is known only then.
_STEP = 4096


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], str, np.dtype, BinaryIO]:
    """Return shape, order and type that a header announces, and what was read of the file, at the header's end."""
    # NumPy takes headers of up to 10,000 bytes, but would first read as many as the header says it has.
    start = io.BytesIO(b"".join(file.read(_STEP) for _ in range(3)))
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(start)
    if version not in readers:
        raise ValueError(f"version {version} of the format")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as of headers from Python 2
        shape, fortran, dtype = readers[version](start)
    if dtype.kind not in "biufUO":
        raise ValueError(f"it holds {dtype}, which is not a real number")
    return shape, "F" if fortran else "C", dtype, start


def _check_size(shape: tuple[int, ...], dtype: np.dtype, found: int) -> None:
    announced = math.prod(shape) * dtype.itemsize
    if announced != found:
        raise ValueError(f"its header announces {announced} bytes and {found} follow")


def _array(content: bytes | bytearray, shape: tuple[int, ...], order: str, dtype: np.dtype) -> np.ndarray:
    _check_size(shape, dtype, len(content))
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        raise ValueError("it is packed in a way that NumPy does not use")
    with archive.open(member) as file:
        shape, order, dtype, start = _read_header(file)
        if dtype.hasobject:
            raise ValueError("it holds objects, which could run code")
        _check_size(shape, dtype, member.file_size - start.tell())
        content = bytearray(start.read())
        for block in iter(partial(file.read, _STEP), b""):
            content += block
    return _array(content, shape, order, dtype)
