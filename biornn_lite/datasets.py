"""Where fields come from: the embedded one, released folders, saved files, and the paper's data release.

Notebook 01 works through this module.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import threading
import time
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pandas as pd
import pooch
import requests
from tqdm.auto import tqdm

from .errors import FieldError, FieldWarning, InputError
from .field import IDS, MICRONS_VOXEL_UM, CorticalField, PartError
from .plumbing.arrays import LARGEST_FIELD, as_numbers, check_file, check_neurons, first_line, read_npy, room
from .plumbing.files import data_folder, written_atomically

EMBEDDED = "synthetic_column"
"""Name of the synthetic field that comes with the library."""


def cache_folder() -> Path:
    """Return the folder of released fields: the environment variable ``BIORNN_DATA``, or the platform's cache.

    Raises
    ------
    FieldError
        If there is no such folder for this user.
    """
    folder = os.environ.get("BIORNN_DATA")
    try:
        found = Path(folder) if folder else pooch.os_cache("biornn_lite")
        found = found.expanduser()
    except RuntimeError:
        found = None
    if folder and found is None:
        raise FieldError(f"BIORNN_DATA is {folder}, but there is no such user's folder")
    if found is None or not (folder or found.is_absolute()):  # such as ~/.cache, where nothing says what ~ is
        raise FieldError("this user has no home folder; set BIORNN_DATA to a folder, to keep released fields in")
    return found


@cache
def released_fields() -> pd.DataFrame:
    """List the 56 released fields.

    Returns
    -------
    DataFrame
        Index ``name`` (session_scan_field); columns ``neurons``, which the size of the released correlation matrix
        tells, and ``lattice``, the (x, y, z) sides of the grid control.
    """
    table = pd.read_csv(data_folder() / "fields.csv", index_col="name")
    lattices = [tuple(int(side) for side in text.split("x")) for text in table["lattice"]]
    contents = registry().loc[[f"{name}/corr_matrix.npy" for name in table.index], "bytes"] - 128  # without a header
    return pd.DataFrame({"neurons": np.sqrt(contents / 8).astype(int).to_numpy(), "lattice": lattices}, table.index)


@cache
def registry() -> pd.DataFrame:
    """List the released files whose contents are known, with what tells them from others.

    Returns
    -------
    DataFrame
        Index ``path``, as ``6_6_2/corr_matrix.npy``; columns ``field``, ``sha256`` and ``bytes``. The event times of
        40 large fields are missing: no checksum of them is known, and what cannot be verified is not fetched.
    """
    table = pd.read_csv(data_folder() / "registry.csv", index_col="path").dropna()
    table["field"] = [path.split("/")[0] for path in table.index]
    return table.astype({"bytes": int})


def list_fields() -> pd.DataFrame:
    """List all known fields and whether they are on this machine.

    Returns
    -------
    DataFrame
        Columns ``field, neurons, kind, here``.
    """
    embedded = load_field(EMBEDDED)
    rows = [(EMBEDDED, embedded.neurons, "synthetic, embedded", True)]
    for name, neurons in released_fields()["neurons"].items():
        rows.append((name, neurons, "released", not _missing_files(name, cache_folder())))
    return pd.DataFrame(rows, columns=["field", "neurons", "kind", "here"])


def load_field(source: str | Path) -> CorticalField:
    """Get a field that is on this machine; nothing is downloaded.

    Parameters
    ----------
    source : str or Path
        ``"synthetic_column"``, the embedded field; a folder in the released layout; a file written by
        :meth:`biornn_lite.field.CorticalField.save`; or the name of a released field that :func:`fetch_field` has
        fetched.

    Raises
    ------
    FieldError
        If there is no such field here, or it is malformed.
    """
    if str(source) == EMBEDDED:
        return CorticalField.load(data_folder() / f"{EMBEDDED}.npz")
    try:
        path = Path(source).expanduser()
        folder, file = path.is_dir(), path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # such as of an unknown user or a name too long
        raise FieldError(f"{first_line(source)}: no path ({first_line(error)})") from None
    if folder:
        return read_released(path)
    if file:
        return CorticalField.load(path)
    name = str(source)
    if name not in released_fields().index:
        raise FieldError(f"{source}: no such folder, file or field; try {EMBEDDED}, which needs no data")
    missing = _missing_files(name, cache_folder(), thorough=True)
    if missing:
        raise FieldError(
            f"{name} is a released field, but {len(missing)} of its {len(_files_of(name))} files are missing or "
            f"damaged in {cache_folder()} (such as {missing[0]}): fetch_field({name!r}) or "
            f"`python -m biornn_lite fetch {name}` downloads them ({EMBEDDED} works without)"
        )
    return read_released(cache_folder() / name)


# Fetching


SOURCE_URL = (
    "https://github.com/neurovium/CorticalBlueprintRNN/raw/8d5e241b444803ba552923d32a5fcef39439425b/Model/DATA/info/"
)
"""Where the released fields are: the code release of arXiv:2606.14975, at one commit."""


def fetch_field(name: str, progress: bool = True) -> CorticalField:
    """Get a field, downloading what is not on this machine.

    Each file is checked against its SHA-256 and appears under its name only when it is whole and right, so a
    download that was cut off goes on where it stopped.

    Parameters
    ----------
    name : str
        One of :func:`released_fields`, or anything that :func:`load_field` takes.
    progress : bool
        Show a bar.

    Raises
    ------
    FieldError
        If the field cannot be fetched: the message says what to do without a network.
    """
    if name in released_fields().index and not Path(name).exists():
        _download([name], progress)
    return load_field(name)


def download_all(names: Sequence[str] | None = None, progress: bool = True) -> Path:
    """Download fields for a workshop, to be copied to machines without a network.

    Parameters
    ----------
    names : sequence of str, optional
        All 56 when left out, about 250 MB.
    progress : bool
        Show a bar.

    Returns
    -------
    Path
        The folder that now holds them. On another machine, set ``BIORNN_DATA`` to a copy of it, or serve it
        (``python -m http.server``) and set ``BIORNN_MIRROR`` to the server's address.
    """
    names = list(released_fields().index if names is None else names)
    unknown = [name for name in names if name not in released_fields().index]
    if unknown:
        raise FieldError(f"{unknown[0]} is not a released field; `python -m biornn_lite fields` lists them")
    _download(names, progress)
    return cache_folder()


def _files_of(name: str) -> pd.DataFrame:
    table = registry()
    return table[table["field"] == name]


def _missing_files(name: str, folder: Path, thorough: bool = False) -> list[str]:
    """Files of a field that are not there whole: told by their size or, if `thorough`, by their contents."""

    def whole(path: Path, row) -> bool:
        try:
            if not path.is_file() or path.stat().st_size != row.bytes:
                return False
            return not thorough or pooch.file_hash(str(path), alg="sha256") == row.sha256
        except OSError:  # such as a file of another user
            return False

    return [row.Index for row in _files_of(name).itertuples() if not whole(folder / row.Index, row)]


def _download(names: Sequence[str], progress: bool) -> None:
    folder = cache_folder()
    missing = [path for name in names for path in _missing_files(name, folder, thorough=True)]
    if not missing:
        return
    url = (os.environ.get("BIORNN_MIRROR") or SOURCE_URL).rstrip("/") + "/"
    files = registry().loc[missing]
    total = int(files["bytes"].sum())
    bar = tqdm(total=total, unit="B", unit_scale=True, desc="download", disable=not progress)
    with bar, _Session() as session:
        for row in files.itertuples():
            try:
                content = _fetched(session, url + row.Index, row.bytes)
                if hashlib.sha256(content).hexdigest() != row.sha256:
                    raise _NotFetched("what arrives is not the released file")
            except _NotFetched as error:
                raise FieldError(
                    f"{row.Index} cannot be fetched from {_without_password(url)}: {error}. What is whole stays in "
                    f"{folder}; try again later, copy fields there, or go on with {EMBEDDED}, which needs no network"
                ) from None
            _keep(folder / row.Index, content)
            bar.update(row.bytes)


def _keep(path: Path, content: bytes) -> None:
    """Put what was fetched in its place in the folder of released fields."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)  # two processes may fetch at once
        with written_atomically(path) as temporary:
            temporary.write_bytes(content)
        path.chmod(0o644)  # for all users of a shared folder
        return
    except OSError as error:
        failed = f"{path}: cannot be kept ({error.strerror or first_line(error)})"
    except InputError as error:
        failed = str(error)
    raise FieldError(
        f"{failed}; BIORNN_DATA may name another folder, in which released fields are kept and looked for"
    )


PATIENCE = 30
"""Seconds that a server may take to begin."""

SLOWEST = 20_000
"""Bytes a second that must arrive from then on."""

TRIES = 3
"""How often a file is asked for whose connection breaks, or whose server is too busy."""


class _NotFetched(Exception):
    """Says in a few words why a download failed."""


class _Session(requests.Session):
    """Leaves it to :func:`_receive` to go where an answer points: requests would first read all of that answer."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _fetched(session: requests.Session, address: str, size: int) -> bytes:
    """Return what is at an address, not much more than `size` bytes of it, or raise :class:`_NotFetched`."""
    for left in reversed(range(TRIES)):
        try:
            return _in_time(session, address, size)
        except (OSError, ValueError) as error:
            reason, again = _reason(error)
            if not (again and left):
                raise _NotFetched(reason) from None
        time.sleep(1)


def _reason(error: Exception) -> tuple[str, bool]:
    """Say in a few words why a download failed, and whether another try may help."""
    if isinstance(error, requests.HTTPError):
        code = error.response.status_code
        return f"the server answers {code}", code >= 500 or code == 429
    if isinstance(error, ValueError):
        return "that is no address", False
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off", True
    if isinstance(error, requests.RequestException):
        return "no connection", True
    return first_line(error), False  # such as of certificates that are not here


def _in_time(session: requests.Session, address: str, size: int) -> bytes:
    """Receive a file, but wait for no server that sends nothing, or too slowly.

    No time-out of a connection sees to that: each byte that arrives starts it anew. So another thread receives, which
    is left to itself if it takes too long.
    """
    got, failures, over = bytearray(), [], threading.Event()

    def receive() -> None:
        try:
            _receive(session, address, size, got, over)
        except Exception as error:
            failures.append(error)

    receiver = threading.Thread(target=receive, daemon=True)
    start = time.monotonic()
    receiver.start()
    try:
        while receiver.is_alive():
            receiver.join(0.1)
            waited = time.monotonic() - start
            if receiver.is_alive() and waited > PATIENCE + len(got) / SLOWEST:
                raise _NotFetched(f"too slow, {len(got):,} of {size:,} bytes came in {waited:.0f} s")
    finally:
        over.set()
    if failures:
        raise failures[0]
    return bytes(got)


def _receive(session: requests.Session, address: str, size: int, got: bytearray, over: threading.Event) -> None:
    """Put into `got` what is at an address, until it is `size` bytes, or somewhat more, or `over` is set."""
    for _ in range(5):
        asked = session.get(address, stream=True, timeout=2 * PATIENCE, headers={"Accept-Encoding": "identity"})
        with asked as answer:
            if answer.is_redirect:
                address = urljoin(address, answer.headers["location"])
                continue
            answer.raise_for_status()
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise _NotFetched("the server packs what it sends, which it was not asked to")
            for block in answer.iter_content(4096):
                got += block
                if len(got) >= size or over.is_set():
                    break
            return
    raise _NotFetched("the server points from address to address")


def _without_password(url: str) -> str:
    """Return an address as messages show it: a user's name and password are left out, and what follows a ``?``."""
    return first_line(re.sub(r"^(\w+://)?.*@", r"\1***@", url, flags=re.DOTALL).partition("?")[0])


def read_released(folder: str | Path) -> CorticalField:
    """Read a field from a folder in the layout in which the paper's data were released.

    Positions and spike times there are pickled; only NumPy arrays are unpickled, nothing that could run code. The
    connectome of a released field comes out in the order of its neurons (see :mod:`biornn_lite.released_order`); one
    that is not known is read as it is, with a :class:`biornn_lite.errors.FieldWarning`.

    Parameters
    ----------
    folder : path
        Holds ``positions_NAME.npy``, ``connectome_NAME.csv``, ``corr_matrix.npy``, ``sttc_matrix.npy``, and may
        hold ``precision_matrix.npy``, ``spikes_NAME.npy`` and the ids ``target_ids_NAME.npy`` (nuclei),
        ``unit_ids_NAME.npy`` and ``root_ids_NAME.npy``.

    Raises
    ------
    FieldError
        If a file is missing, cannot be read safely, or does not fit the others.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FieldError(f"{folder}: no such folder")
    found = sorted(folder.glob("positions_*.npy"))
    if len(found) != 1:
        raise FieldError(f"{folder}: expected one file positions_NAME.npy, found {len(found)}")
    name = found[0].stem.removeprefix("positions_")

    voxels = _numbers(found[0], 400 * LARGEST_FIELD)  # of a neuron, a pickle takes some 80 bytes
    if voxels.ndim != 2 or voxels.shape[1] != 3:
        raise FieldError(f"{found[0]}: positions have shape {voxels.shape}; expected (neurons, 3)")
    try:
        check_neurons(len(voxels))
    except ValueError as error:
        raise FieldError(f"{found[0]}: {error}") from None
    most = room(len(voxels))
    files = {
        "positions": found[0],
        "connectome": folder / f"connectome_{name}.csv",
        "correlation": folder / "corr_matrix.npy",
        "sttc": folder / "sttc_matrix.npy",
        "precision": folder / "precision_matrix.npy",
        "spike_times": folder / f"spikes_{name}.npy",
        "nucleus_ids": folder / f"target_ids_{name}.npy",
        "unit_ids": folder / f"unit_ids_{name}.npy",
        "root_ids": folder / f"root_ids_{name}.npy",
    }
    sttc = _numbers(files["sttc"], most)
    if sttc.ndim == 2 and sttc.shape[0] == sttc.shape[1] and not np.triu(sttc, 1).any():
        sttc = sttc + np.tril(sttc, -1).T  # released as its lower triangle and diagonal
    arrays = {
        "positions": voxels * np.array(MICRONS_VOXEL_UM),
        "connectome": _connectome(files["connectome"], len(voxels)),
        "correlation": _numbers(files["correlation"], most),
        "sttc": sttc,
        "precision": _numbers(files["precision"], most) if files["precision"].exists() else None,
        **{key: read_npy(files[key], most) for key in IDS if files[key].exists()},
    }
    if files["spike_times"].exists():
        arrays["spike_times"] = read_npy(files["spike_times"], room(len(voxels), events=True))
    try:
        field = CorticalField(
            name=name, lattice=_lattice(name, len(voxels), folder), connectome_order="as read", **arrays
        ).in_neurons_order()
    except PartError as error:
        raise FieldError(f"{files.get(error.part, folder)}: {error}") from None
    except FieldError as error:
        raise FieldError(f"{folder}: {error}") from None
    if field.released_rows is None:
        _warn(
            f"{folder}: root ids and connectome are not those of a released field, so the connectome is read as it "
            "is; check_alignment(field) tells whether it fits the positions"
        )
    return field


def _lattice(name: str, neurons: int, folder: Path) -> tuple[int, int, int] | None:
    """Return the lattice that the list of released fields gives for a name, if it holds this many neurons."""
    if name not in released_fields().index:
        return None
    listed = released_fields().loc[name, "lattice"]
    if math.prod(listed) == neurons:
        return listed
    sides = " × ".join(map(str, listed))
    _warn(f"{folder}: the list of fields gives {name} a lattice of {sides} points, its files hold {neurons} neurons")
    return None


def _warn(message: str) -> None:
    warnings.warn(message, FieldWarning, stacklevel=3)


def _connectome(path: Path, neurons: int) -> np.ndarray:
    """Read a square table of synapse counts whose first row and column are labels."""
    check_file(path, room(neurons))
    try:
        content = path.read_bytes()
        if b"\0" in content:
            raise ValueError("it holds NUL bytes")  # at which pandas ends a cell
        columns = content.partition(b"\n")[0].count(b",")
        if columns > neurons + 10_000:
            raise ValueError(f"it has {columns:,} columns for {neurons} neurons")
        table = pd.read_csv(io.BytesIO(content), index_col=0, low_memory=False)
    except Exception as error:
        # As of arrays: a malformed file can raise anything.
        raise FieldError(f"{path}: not a table ({first_line(error)})") from None
    for column, dtype in table.dtypes.items():
        if dtype.kind not in "iuf":
            raise FieldError(f"{path}: holds something other than numbers in column {first_line(column)}")
    if table.shape[0] == table.shape[1] and [str(label) for label in table.index] != list(table.columns):
        raise FieldError(f"{path}: its rows and columns are not labelled alike, in the same order")
    return table.to_numpy(dtype=np.float64)


def _numbers(path: Path, most: int) -> np.ndarray:
    """Read an array of numbers, also one stored as an object array of rows, from a file of at most `most` bytes."""
    array = read_npy(path, most)
    try:
        return np.stack([as_numbers(row) for row in array]) if array.dtype == object else as_numbers(array)
    except (TypeError, ValueError, OverflowError) as error:
        raise FieldError(f"{path}: does not hold a table of numbers ({first_line(error)})") from None
