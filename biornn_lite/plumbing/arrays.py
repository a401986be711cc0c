"""Reading and writing arrays in files. Code in a file is never run, and sizes are checked before contents."""

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
"""Maximum total size in bytes of the arrays in one ``.npz`` file: enough for a field of 12,000 neurons."""

LARGEST_FIELD = 20_000
"""Maximum number of neurons in a field."""

LARGEST_EVENTS = 200_000_000
"""Maximum number of event times in a field; small fields may have a million per neuron."""


def room(neurons: int, events: bool = False) -> int:
    """Return the maximum size in bytes of a part of a field, with a margin.

    Parameters
    ----------
    neurons : int
        Number of neurons in the field.
    events : bool
        Whether the part is the event times; otherwise the largest part is a matrix.
    """
    numbers = min(LARGEST_EVENTS, 10**6 * neurons) if events else 4 * neurons**2
    return 8 * numbers + 2**20


def read_npy(path: Path, most: int = LARGEST_ARCHIVE) -> np.ndarray:
    """Read one ``.npy`` file; it may hold a pickled array of arrays.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Maximum size in bytes; larger files are not read.

    Raises
    ------
    FieldError
        If the file is missing, too large or damaged, or holds data other than arrays of real numbers.
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
        # A malformed file can raise any exception; each means that the file cannot be read.
        raise FieldError(f"{path}: cannot be read safely ({first_line(error)})") from None


def read_npz(path: Path, what: str = "field") -> dict[str, np.ndarray]:
    """Read all arrays of a saved field or network from its ``.npz`` file, without unpickling.

    The headers of all members are read first. A member that is too large for this number of neurons is not unpacked.

    Parameters
    ----------
    path : Path
    what : {"field", "network"}
        The number of neurons is the number of rows of ``positions`` or of ``w``, which may be stored sparse.

    Raises
    ------
    FieldError
        If the file is missing, damaged, holds objects, or is larger than :data:`LARGEST_ARCHIVE`.
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
            _check_headers(headers, what)
            return {key: _of_member(_member_array, archive, member) for key, member in members.items()}
    except Exception as error:
        raise FieldError(f"{path}: not a saved {what} ({first_line(error)})") from None


def write_npz(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write arrays to one ``.npz`` file that :func:`numpy.load` can read; equal arrays give equal files.

    Event times repeat across neurons far apart in the file. LZMA finds these repetitions; NumPy's default compression
    does not. For large matrices and very many event times, LZMA would take minutes, so NumPy's compression is used.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for key, array in arrays.items():
            array = np.asanyarray(array)
            member = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))  # a fixed time
            large = array.nbytes > (2**20 if array.ndim == 2 else 2**23)
            member.compress_type = zipfile.ZIP_DEFLATED if large else zipfile.ZIP_LZMA
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def check_file(path: Path, most: int | None = None) -> None:
    """Raise an error if a path is not a file, or the file is larger than `most` bytes.

    Reading a folder gives unclear errors, and reading a pipe can wait forever.
    """
    if not path.is_file():
        raise FieldError(f"{path}: {'is not a file' if path.exists() else 'no such file'}")
    size = path.stat().st_size
    if most is not None and size > most:
        raise FieldError(f"{path}: has {size:,} bytes, too large for its part of the field; at most {most:,} fit")


def check_neurons(neurons: int) -> None:
    """Raise an error for a field with more than :data:`LARGEST_FIELD` neurons.

    Raises
    ------
    ValueError
        If there are too many; the message gives both numbers.
    """
    if neurons > LARGEST_FIELD:
        raise ValueError(f"positions of {neurons:,} neurons; a field has at most {LARGEST_FIELD:,}")


def first_line(error: object) -> str:
    """Return an error or another text as one line that a terminal can show."""
    return printable((str(error).strip() or type(error).__name__).splitlines()[0][:300])


def as_numbers(value: ArrayLike) -> np.ndarray:
    """Return a float64 copy of real numbers.

    Raises
    ------
    TypeError, ValueError, OverflowError
        If the values are not real numbers, for example complex numbers, dates or texts of digits. NumPy alone would
        convert these to numbers.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biufO":
        raise TypeError(f"they are {array.dtype}")
    if array.dtype == object:
        other = next((item for item in array.flat if not isinstance(item, Real)), 0)
        if not isinstance(other, Real):
            raise TypeError(f"one is {type(other).__name__}")
    with np.errstate(all="ignore"):  # values too large for float64 become infinite
        return np.array(array, dtype=np.float64)


# Packed files are read in small steps, because the unpacked size of a step is known only after it is unpacked.
_STEP = 4096


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], str, np.dtype, BinaryIO]:
    """Return shape, order and type from a header, and the bytes read so far, positioned after the header."""
    # NumPy accepts headers of up to 10,000 bytes, but first reads as many bytes as the header claims.
    start = io.BytesIO(b"".join(file.read(_STEP) for _ in range(3)))
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(start)
    if version not in readers:
        raise ValueError(f"version {version} of the format")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # for example for headers from Python 2
        shape, fortran, dtype = readers[version](start)
    if dtype.kind not in "biufUO":
        raise ValueError(f"it holds {dtype}, which is not a real number")
    return shape, "F" if fortran else "C", dtype, start


def _check_size(shape: tuple[int, ...], dtype: np.dtype, found: int) -> None:
    announced = math.prod(shape) * dtype.itemsize
    if announced != found:
        raise ValueError(f"its header announces {announced} bytes and {found} follow")


def _check_room(shape: tuple[int, ...], dtype: np.dtype, most: int) -> None:
    """Raise an error if an array needs more than `most` bytes, unchanged or after conversion to float64."""
    if math.prod(shape) * max(dtype.itemsize, 8) > most:
        raise ValueError(f"an array of shape {shape} and type {dtype} is too large for its part of the field")


def _check_headers(headers: Mapping[str, tuple[tuple[int, ...], np.dtype]], what: str) -> None:
    """Raise an error if the shapes and types in the headers cannot belong to one field or network."""
    if what == "network" and "w_indptr" in headers:  # a row pointer for each neuron, and one more
        shape, _ = headers["w_indptr"]
        if len(shape) != 1:
            raise ValueError(f"w_indptr has shape {shape}; expected (neurons + 1,)")
        shape = (shape[0] - 1,)
    elif what == "network":
        shape, _ = headers.get("w", ((0, 0), None))
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"w has shape {shape}; expected (neurons, neurons)")
    else:
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
    """A file that is read in small steps, because an archive itself claims the length of its list of contents."""

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
    """Return shape and type of the array in a member of an archive; `size` is the member's size in the archive."""
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
