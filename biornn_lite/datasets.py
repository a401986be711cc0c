"""Where fields come from: the embedded one, released folders, saved files, and the list of all.

Notebook 01 works through this module.
"""

from __future__ import annotations

import os
import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from .errors import FieldError
from .field import MICRONS_VOXEL_UM, CorticalField

EMBEDDED = "synthetic_column"
"""Name of the synthetic field that comes with the library."""


def data_folder() -> Path:
    """Return the folder of the embedded data: inside an installed package, beside it in a clone."""
    package = Path(__file__).parent
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


def cache_folder() -> Path | None:
    """Return the folder that holds released fields, from the environment variable ``BIORNN_DATA``, or None."""
    folder = os.environ.get("BIORNN_DATA")
    return Path(folder).expanduser() if folder else None


@cache
def released_fields() -> pd.DataFrame:
    """List the 56 released fields.

    Returns
    -------
    DataFrame
        Index ``name`` (session_scan_field); columns ``neurons`` and ``lattice``, the (x, y, z) sides of the grid
        control.
    """
    table = pd.read_csv(data_folder() / "fields.csv", index_col="name")
    table["lattice"] = [tuple(int(side) for side in text.split("x")) for text in table["lattice"]]
    return table


def list_fields() -> pd.DataFrame:
    """List all known fields and whether they are on this machine.

    Returns
    -------
    DataFrame
        Columns ``field, neurons, kind, here``.
    """
    embedded = load_field(EMBEDDED)
    folder = cache_folder()
    rows = [(EMBEDDED, embedded.neurons, "synthetic, embedded", True)]
    for name, neurons in released_fields()["neurons"].items():
        rows.append((name, neurons, "released", folder is not None and (folder / name).is_dir()))
    return pd.DataFrame(rows, columns=["field", "neurons", "kind", "here"])


def load_field(source: str | Path) -> CorticalField:
    """Get a field.

    Parameters
    ----------
    source : str or Path
        ``"synthetic_column"``, the embedded field; a folder in the released layout; a file written by
        :meth:`CorticalField.save`; or the name of a released field that lies in the folder ``BIORNN_DATA``.

    Raises
    ------
    FieldError
        If there is no such field here, or it is malformed.
    """
    if str(source) == EMBEDDED:
        return CorticalField.load(data_folder() / f"{EMBEDDED}.npz")
    path = Path(source).expanduser()
    if path.is_dir():
        return read_released(path)
    if path.is_file():
        return CorticalField.load(path)
    folder = cache_folder()
    if folder is not None and (folder / str(source)).is_dir():
        return read_released(folder / str(source))
    if str(source) in released_fields().index:
        raise FieldError(
            f"{source} is a released field, but it is not here: give its folder, or set BIORNN_DATA to the "
            f"folder that holds {source}/ ({EMBEDDED} works without either)"
        )
    raise FieldError(f"{source}: no such folder, file or field; try {EMBEDDED}, which needs no data")


def read_released(folder: str | Path) -> CorticalField:
    """Read a field from a folder in the layout in which the paper's data were released.

    Positions and spike times there are pickled; only NumPy arrays are unpickled, nothing that could run code.

    Parameters
    ----------
    folder : path
        Holds ``positions_NAME.npy``, ``connectome_NAME.csv``, ``corr_matrix.npy``, ``sttc_matrix.npy``, and may
        hold ``precision_matrix.npy`` and ``spikes_NAME.npy``.

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
    sttc = _numbers(folder / "sttc_matrix.npy")
    if sttc.ndim == 2 and sttc.shape[0] == sttc.shape[1] and not np.triu(sttc, 1).any():
        sttc = sttc + np.tril(sttc, -1).T  # released as its lower triangle and diagonal
    spikes, precision = folder / f"spikes_{name}.npy", folder / "precision_matrix.npy"
    lattice = None
    if name in released_fields().index and released_fields().loc[name, "neurons"] == len(voxels):
        lattice = released_fields().loc[name, "lattice"]
    arrays = {
        "positions": voxels * np.array(MICRONS_VOXEL_UM),
        "connectome": _connectome(folder / f"connectome_{name}.csv"),
        "correlation": _numbers(folder / "corr_matrix.npy"),
        "sttc": sttc,
        "precision": _numbers(precision) if precision.exists() else None,
        "spike_times": list(_array(spikes)) if spikes.exists() else None,
    }
    try:
        return CorticalField(name=name, lattice=lattice, **arrays)
    except FieldError as error:
        raise FieldError(f"{folder}: {error}") from None


def _connectome(path: Path) -> np.ndarray:
    """Read a square table of synapse counts whose first row and column are labels."""
    try:
        table = pd.read_csv(path, index_col=0)
    except FileNotFoundError:
        raise FieldError(f"{path}: no such file") from None
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise FieldError(f"{path}: not a table ({_first_line(error)})") from None
    try:
        return table.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FieldError(f"{path}: holds something other than numbers ({_first_line(error)})") from None


def _numbers(path: Path) -> np.ndarray:
    """Read an array of numbers, also one stored as an object array of rows."""
    array = _array(path)
    try:
        if array.dtype == object:
            array = np.stack([np.asarray(row, dtype=np.float64) for row in array])
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise FieldError(f"{path}: does not hold a table of numbers ({_first_line(error)})") from None


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickle NumPy arrays and nothing else."""

    ADMITTED = frozenset(
        {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        }
    )

    def find_class(self, module: str, name: str):
        if (module, name) not in self.ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not an array")
        return getattr(np, name) if module == "numpy" else np._core.multiarray._reconstruct

    def persistent_load(self, pid):
        raise pickle.UnpicklingError("it refers to an object outside the file")


def _array(path: Path) -> np.ndarray:
    """Read one ``.npy`` file; an object array through :class:`_ArrayUnpickler`."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }.get(version)
            if read_header is None:
                raise ValueError(f"version {version} of the format")
            shape, _, dtype = read_header(file)
            if not dtype.hasobject:
                file.seek(0)
                return np.lib.format.read_array(file, allow_pickle=False)
            array = _ArrayUnpickler(file).load()
            if not isinstance(array, np.ndarray) or array.shape != shape:
                raise ValueError("what it holds is not the array that its header announces")
            return array
    except FileNotFoundError:
        raise FieldError(f"{path}: no such file") from None
    except Exception as error:
        # A malformed pickle can raise anything, and all of it means that the file cannot be read.
        raise FieldError(f"{path}: cannot be read safely ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
