"""Where fields come from: the embedded one, released folders, saved files, and the paper's data release.

Notebook 01 works through this module.
"""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import requests
from tqdm.auto import tqdm

from .arrays import as_numbers, check_file, first_line, read_npy
from .errors import FieldError, FieldWarning
from .field import IDS, MICRONS_VOXEL_UM, CorticalField, PartError
from .files import data_folder

EMBEDDED = "synthetic_column"
"""Name of the synthetic field that comes with the library."""


def cache_folder() -> Path:
    """Return the folder of released fields: the environment variable ``BIORNN_DATA``, or the platform's cache."""
    folder = os.environ.get("BIORNN_DATA")
    try:
        return Path(folder).expanduser() if folder else pooch.os_cache("biornn_lite")
    except RuntimeError:
        raise FieldError(f"BIORNN_DATA is {folder}, but there is no such user's folder") from None


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
        folder, file = path.is_dir(), path.is_file()
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
    wanted = [path for name in names for path in _files_of(name).index]
    missing = [path for name in names for path in _missing_files(name, folder, thorough=True)]
    if not missing:
        return
    url = (os.environ.get("BIORNN_MIRROR") or SOURCE_URL).rstrip("/") + "/"
    pooch.get_logger().setLevel("WARNING")
    store = pooch.create(
        path=folder,
        base_url=url,
        registry={path: f"sha256:{registry().loc[path, 'sha256']}" for path in wanted},
        retry_if_failed=2,
    )
    total = int(registry().loc[missing, "bytes"].sum())
    with tqdm(total=total, unit="B", unit_scale=True, desc="download", disable=not progress) as bar:
        for path in missing:
            try:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)  # two processes may fetch at once
                store.fetch(path, downloader=pooch.HTTPDownloader(timeout=30))
                (folder / path).chmod(0o644)  # for all users of a shared folder
            except (OSError, ValueError) as error:
                raise FieldError(
                    f"{path} cannot be fetched from {url}: {_reason(error)}. What is whole stays in {folder}; "
                    f"try again later, copy fields there, or go on with {EMBEDDED}, which needs no network"
                ) from None
            bar.update(int(registry().loc[path, "bytes"]))


def _reason(error: Exception) -> str:
    """Say in a few words why a download failed."""
    if isinstance(error, requests.HTTPError):
        return f"the server answers {error.response.status_code}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.RequestException):
        return "that is no address" if isinstance(error, ValueError) else "no connection"
    if isinstance(error, ValueError):  # so pooch says that the checksum is another
        return "what arrives is not the released file"
    return first_line(error)


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

    voxels = _numbers(found[0])
    if voxels.ndim != 2 or voxels.shape[1] != 3:
        raise FieldError(f"{found[0]}: positions have shape {voxels.shape}; expected (neurons, 3)")
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
    sttc = _numbers(files["sttc"])
    if sttc.ndim == 2 and sttc.shape[0] == sttc.shape[1] and not np.triu(sttc, 1).any():
        sttc = sttc + np.tril(sttc, -1).T  # released as its lower triangle and diagonal
    arrays = {
        "positions": voxels * np.array(MICRONS_VOXEL_UM),
        "connectome": _connectome(files["connectome"]),
        "correlation": _numbers(files["correlation"]),
        "sttc": sttc,
        "precision": _numbers(files["precision"]) if files["precision"].exists() else None,
        **{key: read_npy(files[key]) for key in ("spike_times", *IDS) if files[key].exists()},
    }
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


def _connectome(path: Path) -> np.ndarray:
    """Read a square table of synapse counts whose first row and column are labels."""
    check_file(path)
    try:
        content = path.read_bytes()
        if b"\0" in content:
            raise ValueError("it holds NUL bytes")  # at which pandas ends a cell
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


def _numbers(path: Path) -> np.ndarray:
    """Read an array of numbers, also one stored as an object array of rows."""
    array = read_npy(path)
    try:
        return np.stack([as_numbers(row) for row in array]) if array.dtype == object else as_numbers(array)
    except (TypeError, ValueError, OverflowError) as error:
        raise FieldError(f"{path}: does not hold a table of numbers ({first_line(error)})") from None
