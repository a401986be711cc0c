"""Sources of fields: the embedded field, released folders, saved files, and the paper's data release.

Notebook 01 works through this module.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .errors import FieldError, FieldWarning, InputError
from .field import IDS, MICRONS_VOXEL_UM, CorticalField, PartError
from .plumbing.arrays import LARGEST_FIELD, as_numbers, check_file, check_neurons, first_line, read_npy, room
from .plumbing.files import data_folder, written_atomically

if TYPE_CHECKING:  # imported only where needed, so that reading a field starts fast
    import pandas as pd

EMBEDDED = "synthetic_column"
"""Name of the synthetic field that comes with the library."""


def cache_folder() -> Path:
    """Return the folder of released fields: the environment variable ``BIORNN_DATA`` or the platform's cache.

    Raises
    ------
    FieldError
        If there is no such folder for this user.
    """
    folder = os.environ.get("BIORNN_DATA")
    try:
        if folder:
            found = Path(folder)
        else:
            import pooch

            found = pooch.os_cache("biornn_lite")
        found = found.expanduser()
    except RuntimeError:
        found = None
    if folder and found is None:
        raise FieldError(f"BIORNN_DATA is {folder}, but there is no such user's folder")
    if found is None or not (folder or found.is_absolute()):  # for example ~/.cache, if the home folder is unknown
        raise FieldError("this user has no home folder; set BIORNN_DATA to a folder, to keep released fields in")
    return found


class _File(NamedTuple):
    """A released file with known contents: its path, such as ``6_6_2/corr_matrix.npy``, its checksum and size."""

    path: str
    sha256: str
    bytes: int


@cache
def _known_files() -> dict[str, _File]:
    with (data_folder() / "registry.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if all(row.values())]
    return {row["path"]: _File(row["path"], row["sha256"], int(float(row["bytes"]))) for row in rows}


@cache
def _lattices() -> dict[str, tuple[int, int, int]]:
    """Return the lattice sides of each released field, by name."""
    with (data_folder() / "fields.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: tuple(map(int, row["lattice"].split("x"))) for row in csv.DictReader(file)}


def _neurons_of(name: str) -> int:
    """Return the number of neurons of a released field, from the file size of its correlation matrix."""
    return math.isqrt((_known_files()[f"{name}/corr_matrix.npy"].bytes - 128) // 8)  # without a header


@cache
def released_fields() -> pd.DataFrame:
    """List the 56 released fields.

    Returns
    -------
    DataFrame
        Index ``name`` (session_scan_field). Columns ``neurons``, from the size of the released correlation matrix,
        and ``lattice``, the (x, y, z) sides of the grid control.
    """
    import pandas as pd

    names = pd.Index(_lattices(), name="name")
    return pd.DataFrame({"neurons": [*map(_neurons_of, names)], "lattice": [*_lattices().values()]}, names)


@cache
def registry() -> pd.DataFrame:
    """List the released files with known contents, with their checksums and sizes.

    Returns
    -------
    DataFrame
        Index ``path``, such as ``6_6_2/corr_matrix.npy``. Columns ``sha256``, ``bytes`` and ``field``. The event
        times of 40 large fields are missing: their checksums are unknown, and files that cannot be verified are not
        fetched.
    """
    import pandas as pd

    table = pd.DataFrame(_known_files().values(), columns=_File._fields).set_index("path")
    table["field"] = [path.split("/")[0] for path in table.index]
    return table


def known_fields() -> list[tuple[str, int, str, bool]]:
    """List all known fields: name, neurons, kind, and whether the field is on this machine."""
    embedded = load_field(EMBEDDED)
    rows = [(EMBEDDED, embedded.neurons, "synthetic, embedded", True)]
    return rows + [
        (name, _neurons_of(name), "released", not _missing_files(name, cache_folder())) for name in _lattices()
    ]


def list_fields() -> pd.DataFrame:
    """List all known fields and whether they are on this machine.

    Returns
    -------
    DataFrame
        Columns ``field, neurons, kind, here``.
    """
    import pandas as pd

    return pd.DataFrame(known_fields(), columns=["field", "neurons", "kind", "here"])


def load_field(source: str | Path) -> CorticalField:
    """Load a field from this machine, without downloads.

    Parameters
    ----------
    source : str or Path
        ``"synthetic_column"``, the embedded field; a folder in the released layout; a file written by
        :meth:`biornn_lite.field.CorticalField.save`; or the name of a released field that :func:`fetch_field` has
        downloaded.

    Raises
    ------
    FieldError
        If this machine does not have the field, or the field is malformed.
    """
    if str(source) == EMBEDDED:
        return CorticalField.load(data_folder() / f"{EMBEDDED}.npz")
    try:
        path = Path(source).expanduser()
        folder, file = path.is_dir(), path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # for example an unknown user, or a name that is too long
        raise FieldError(f"{first_line(source)}: no path ({first_line(error)})") from None
    if folder:
        return read_released(path)
    if file:
        return CorticalField.load(path)
    name = str(source)
    if name not in _lattices():
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
"""Address of the released fields: the code release of arXiv:2606.14975, at one commit."""


def fetch_field(name: str, progress: bool = True) -> CorticalField:
    """Load a field, and download files that this machine does not have.

    Each file is checked against its SHA-256 checksum and gets its name only when it is complete and correct. An
    interrupted download of several files continues with the missing files.

    Parameters
    ----------
    name : str
        A name in :func:`released_fields`, or any source for :func:`load_field`.
    progress : bool
        Show a progress bar.

    Raises
    ------
    FieldError
        If the field cannot be fetched. The message explains what to do without a network.
    """
    if name in _lattices() and not Path(name).exists():
        _download([name], progress)
    return load_field(name)


def download_all(names: Sequence[str] | None = None, progress: bool = True) -> Path:
    """Download fields for a workshop, for copying to machines without a network.

    Parameters
    ----------
    names : sequence of str, optional
        Default: all 56 fields, about 250 MB.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Path
        The folder with the fields. On another machine, set ``BIORNN_DATA`` to a copy of this folder. Alternatively,
        serve it (``python -m http.server``) and set ``BIORNN_MIRROR`` to the server's address.
    """
    names = list(_lattices() if names is None else names)
    unknown = [name for name in names if name not in _lattices()]
    if unknown:
        raise FieldError(f"{unknown[0]} is not a released field; `python -m biornn_lite fields` lists them")
    _download(names, progress)
    return cache_folder()


def _files_of(name: str) -> list[_File]:
    return [file for file in _known_files().values() if file.path.startswith(f"{name}/")]


def _missing_files(name: str, folder: Path, thorough: bool = False) -> list[str]:
    """List the missing or incomplete files of a field, judged by size or, if `thorough`, by contents."""

    def whole(path: Path, known: _File) -> bool:
        try:
            if not path.is_file() or path.stat().st_size != known.bytes:
                return False
            if not thorough:
                return True
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == known.sha256
        except OSError:  # for example a file of another user
            return False

    return [file.path for file in _files_of(name) if not whole(folder / file.path, file)]


def _download(names: Sequence[str], progress: bool) -> None:
    from tqdm.auto import tqdm

    from .plumbing import downloads

    folder = cache_folder()
    missing = [path for name in names for path in _missing_files(name, folder, thorough=True)]
    if not missing:
        return
    url = (os.environ.get("BIORNN_MIRROR") or SOURCE_URL).rstrip("/") + "/"
    files = [_known_files()[path] for path in missing]
    total = sum(file.bytes for file in files)
    bar = tqdm(total=total, unit="B", unit_scale=True, desc="download", disable=not progress)
    with bar, downloads.Session() as session:
        for file in files:
            try:
                content = downloads.fetched(session, url + file.path, file.bytes)
                if hashlib.sha256(content).hexdigest() != file.sha256:
                    raise downloads.NotFetched("what arrives is not the released file")
            except downloads.NotFetched as error:
                raise FieldError(
                    f"{file.path} cannot be fetched from {_without_password(url)}: {error}. What is whole stays in "
                    f"{folder}; try again later, copy fields there, or go on with {EMBEDDED}, which needs no network"
                ) from None
            _keep(folder / file.path, content)
            bar.update(file.bytes)


def _keep(path: Path, content: bytes) -> None:
    """Save a downloaded file in the folder of released fields."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)  # two processes may fetch at once
        with written_atomically(path) as temporary:
            temporary.write_bytes(content)
        path.chmod(0o644)  # readable by all users of a shared folder
        return
    except OSError as error:
        failed = f"{path}: cannot be kept ({error.strerror or first_line(error)})"
    except InputError as error:
        failed = str(error)
    raise FieldError(
        f"{failed}; BIORNN_DATA may name another folder, in which released fields are kept and looked for"
    )


def _without_password(url: str) -> str:
    """Return an address for messages, without user name, password, and the part after ``?``."""
    return first_line(re.sub(r"^(\w+://)?.*@", r"\1***@", url, flags=re.DOTALL).partition("?")[0])


def read_released(folder: str | Path) -> CorticalField:
    """Read a field from a folder in the layout of the paper's data release.

    Positions and spike times are pickled there. Only NumPy arrays are unpickled, so no code can run. The connectome
    of a released field is put in the order of its neurons (see :mod:`biornn_lite.released_order`). An unknown
    connectome is read unchanged, with a :class:`biornn_lite.errors.FieldWarning`.

    Parameters
    ----------
    folder : path
        It contains ``positions_NAME.npy``, ``connectome_NAME.csv``, ``corr_matrix.npy``, ``sttc_matrix.npy``.
        Optional files are ``precision_matrix.npy``, ``spikes_NAME.npy`` and the ids ``target_ids_NAME.npy``
        (nuclei), ``unit_ids_NAME.npy`` and ``root_ids_NAME.npy``.

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

    voxels = _numbers(found[0], 400 * LARGEST_FIELD)  # a pickle needs about 80 bytes per neuron
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
        sttc = sttc + np.tril(sttc, -1).T  # the release has only the lower triangle and the diagonal
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
    """Return the lattice of a released field by name, if it has this number of neurons."""
    if name not in _lattices():
        return None
    listed = _lattices()[name]
    if math.prod(listed) == neurons:
        return listed
    sides = " × ".join(map(str, listed))
    _warn(f"{folder}: the list of fields gives {name} a lattice of {sides} points, its files hold {neurons} neurons")
    return None


def _warn(message: str) -> None:
    warnings.warn(message, FieldWarning, stacklevel=3)


def _connectome(path: Path, neurons: int) -> np.ndarray:
    """Read a square table of synapse counts whose first row and column are labels."""
    import pandas as pd

    check_file(path, room(neurons))
    try:
        content = path.read_bytes()
        if b"\0" in content:
            raise ValueError("it holds NUL bytes")  # pandas ends a cell there
        columns = content.partition(b"\n")[0].count(b",")
        if columns > neurons + 10_000:
            raise ValueError(f"it has {columns:,} columns for {neurons} neurons")
        table = pd.read_csv(io.BytesIO(content), index_col=0, low_memory=False)
    except Exception as error:
        # A malformed file can raise any exception.
        raise FieldError(f"{path}: not a table ({first_line(error)})") from None
    for column, dtype in table.dtypes.items():
        if dtype.kind not in "iuf":
            raise FieldError(f"{path}: holds something other than numbers in column {first_line(column)}")
    if table.shape[0] == table.shape[1] and [str(label) for label in table.index] != list(table.columns):
        raise FieldError(f"{path}: its rows and columns are not labelled alike, in the same order")
    return table.to_numpy(dtype=np.float64)


def _numbers(path: Path, most: int) -> np.ndarray:
    """Read an array of numbers from a file of at most `most` bytes; it may be stored as an object array of rows."""
    array = read_npy(path, most)
    try:
        return np.stack([as_numbers(row) for row in array]) if array.dtype == object else as_numbers(array)
    except (TypeError, ValueError, OverflowError) as error:
        raise FieldError(f"{path}: does not hold a table of numbers ({first_line(error)})") from None
