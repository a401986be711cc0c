"""Reading and writing arrays in files: nothing in them is run, and sizes are looked at before contents."""

from __future__ import annotations

import io
import math
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from numbers import Real
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from ..errors import FieldError, printable
from .unpickling import unpickle

LARGEST_ARCHIVE = 8 * 2**30
"""Bytes that the arrays of one ``.npz`` file may take together: enough for a field of 12,000 neurons."""

LARGEST_FIELD = 20_000
"""Neurons of the largest field that is read."""

LARGEST_EVENTS = 200_000_000
"""Event times of the largest field that is read; a million of each neuron in smaller ones."""


def room(neurons: int, events: bool = False) -> int:
    """Return how many bytes a part of a field may take, with some to spare.

    Parameters
    ----------
    neurons : int
        How many the field has.
    events : bool
        Whether the part is the event times; the largest of the others are matrices.
    """
    numbers = min(LARGEST_EVENTS, 10**6 * neurons) if events else 4 * neurons**2
    return 8 * numbers + 2**20


def read_npy(path: Path, most: int = LARGEST_ARCHIVE) -> np.ndarray:
    """Read one ``.npy`` file, also one that holds a pickled array of arrays.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Bytes that it may take; one that takes more is not read.

    Raises
    ------
    FieldError
        If the file is missing, is too large, is damaged, or holds anything but arrays of real numbers.
    """
    check_file(path, most)
    try:
        with path.open("rb") as file:
            shape, order, dtype, start = _read_header(file)
            follow = os.fstat(file.fileno()).st_size - start.tell()
            if not dtype.hasobject:
                _check_size(shape, dtype, follow)
                _check_room(shape, dtype, most)
            content = start.read()
            content += file.read(follow - len(content))
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
    """Read all arrays of a saved field from its ``.npz`` file, none of them pickled.

    What each member announces is read first; one that a field of so many neurons cannot hold is not unpacked.

    Raises
    ------
    FieldError
        If the file is missing, is damaged, holds objects, or would take more than :data:`LARGEST_ARCHIVE`.
    """
    check_file(path, LARGEST_ARCHIVE)
    try:
        with _Steps(path.open("rb", buffering=0)) as file, zipfile.ZipFile(file) as archive:
            total = sum(member.file_size for member in archive.infolist())
            if total > LARGEST_ARCHIVE:
                raise ValueError(f"its arrays would take {total / 2**30:.0f} GiB of memory")
            members = {}
            for member in archive.infolist():
                key = member.filename.removesuffix(".npy")
                if key in members:
                    raise ValueError(f"it holds {key} twice")
                members[key] = member
            headers = {key: _of_member(_member_header, archive, member) for key, member in members.items()}
            _check_headers(headers)
            return {key: _of_member(_member_array, archive, member) for key, member in members.items()}
    except Exception as error:
        raise FieldError(f"{path}: not a saved field ({first_line(error)})") from None


def write_npz(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write arrays to one ``.npz`` file that :func:`numpy.load` reads; the same arrays give the same file.

    Event times repeat across neurons far apart in the file, which LZMA finds and NumPy's own choice of compression
    misses. Large matrices, and very many event times, would take LZMA minutes, so they get NumPy's.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for key, array in arrays.items():
            array = np.asanyarray(array)
            member = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))  # whatever the time is
            large = array.nbytes > (2**20 if array.ndim == 2 else 2**23)
            member.compress_type = zipfile.ZIP_DEFLATED if large else zipfile.ZIP_LZMA
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def check_file(path: Path, most: int | None = None) -> None:
    """Refuse a path at which no file is, or one of more than `most` bytes.

    Reading a folder fails oddly, and reading a pipe waits for ever.
    """
    if not path.is_file():
        raise FieldError(f"{path}: {'is not a file' if path.exists() else 'no such file'}")
    size = path.stat().st_size
    if most is not None and size > most:
        raise FieldError(f"{path}: has {size:,} bytes, too large for its part of the field; at most {most:,} fit")


def check_neurons(neurons: int) -> None:
    """Refuse a field of more than :data:`LARGEST_FIELD` neurons.

    Raises
    ------
    ValueError
        Says how many there are and how many there may be.
    """
    if neurons > LARGEST_FIELD:
        raise ValueError(f"positions of {neurons:,} neurons; a field has at most {LARGEST_FIELD:,}")


def first_line(error: object) -> str:
    """What an error or another text says, in one line that a terminal can show."""
    return printable((str(error).strip() or type(error).__name__).splitlines()[0][:300])


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


def _check_room(shape: tuple[int, ...], dtype: np.dtype, most: int) -> None:
    """Refuse an array that takes more than `most` bytes, as it is or as float64, which all parts become."""
    if math.prod(shape) * max(dtype.itemsize, 8) > most:
        raise ValueError(f"an array of shape {shape} and type {dtype} is too large for its part of the field")


def _check_headers(headers: Mapping[str, tuple[tuple[int, ...], np.dtype]]) -> None:
    """Refuse members that cannot belong to one field, by the shapes and types that they announce."""
    shape, _ = headers.get("positions", ((0, 3), None))
    if len(shape) != 2 or shape[1] != 3:
        raise ValueError(f"positions have shape {shape}; expected (neurons, 3)")
    neurons = shape[0]
    check_neurons(neurons)
    for key, header in headers.items():
        try:
            _check_room(*header, room(neurons, key == "spike_times"))
        except ValueError as error:
            raise ValueError(f"{key}.npy: {error}, which has {neurons} neurons") from None


def _array(content: bytes | bytearray, shape: tuple[int, ...], order: str, dtype: np.dtype) -> np.ndarray:
    _check_size(shape, dtype, len(content))
    return np.frombuffer(content, dtype).reshape(shape, order=order)


class _Steps(io.BufferedReader):
    """A file of which little is read at once: an archive says itself how long its list of contents is."""

    def read(self, size: int = -1) -> bytes:
        if size > 2**20:
            raise ValueError("its list of contents is too long")
        return super().read(size)


def _of_member(read: Callable, archive: zipfile.ZipFile, member: zipfile.ZipInfo):
    try:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
            raise ValueError("it is packed in a way that NumPy does not use")
        with archive.open(member) as file:
            return read(file, member.file_size)
    except Exception as error:
        raise ValueError(f"{member.filename}: {first_line(error)}") from None


def _member_header(file: BinaryIO, size: int) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and type of the array in a member of an archive, which says how many bytes that has."""
    shape, _, dtype, start = _read_header(file)
    if dtype.hasobject:
        raise ValueError("it holds objects, which could run code")
    _check_size(shape, dtype, size - start.tell())
    return shape, dtype


def _member_array(file: BinaryIO, size: int) -> np.ndarray:
    shape, order, dtype, start = _read_header(file)
    content = bytearray(start.read())
    for block in iter(partial(file.read, _STEP), b""):
        content += block
    return _array(content, shape, order, dtype)
