"""A cortical field: the neurons of one imaging plane, where they sit, how they are wired and what they do."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .errors import FieldError
from .files import written_atomically

MICRONS_VOXEL_UM = (0.004, 0.004, 0.040)
"""Edge lengths of a MICrONS voxel, in µm: the released positions count voxels of 4 × 4 × 40 nm."""


@dataclass(frozen=True, eq=False)
class CorticalField:
    """One field of N neurons, checked when it is made; its arrays are read-only.

    Parameters
    ----------
    name : str
        What the field is called: ``session_scan_field`` for the released ones.
    positions : ndarray, shape (N, 3)
        Somata in µm: columns x, y, z.
    connectome : ndarray, shape (N, N)
        Synapse counts; ``connectome[i, j]`` from neuron i to neuron j.
    correlation : ndarray, shape (N, N)
        Pearson correlation of event counts; symmetric.
    sttc : ndarray, shape (N, N)
        Spike time tiling coefficient (Cutts & Eglen 2014); symmetric.
    precision : ndarray, shape (N, N), optional
        Sparse inverse covariance of the event counts; symmetric.
    spike_times : sequence of N ndarrays, optional
        Event times of each neuron in seconds, in increasing order.
    lattice : (int, int, int), optional
        Shape of the regular grid that serves as spatial control; the product is N.
    voxel_size : (float, float, float)
        Edge lengths of a voxel in µm, with which positions turn back into the released unit.
    synthetic : bool
        True for a field that was made rather than measured.

    Raises
    ------
    FieldError
        If a shape, a value or the order of events is not as stated above.
    """

    name: str
    positions: np.ndarray
    connectome: np.ndarray
    correlation: np.ndarray
    sttc: np.ndarray
    precision: np.ndarray | None = None
    spike_times: Sequence[np.ndarray] | None = None
    lattice: tuple[int, int, int] | None = None
    voxel_size: tuple[float, float, float] = MICRONS_VOXEL_UM
    synthetic: bool = False

    def __post_init__(self) -> None:
        positions = self._frozen("positions", self.positions)
        if positions.ndim != 2 or positions.shape[1] != 3:
            raise FieldError(f"{self.name}: positions have shape {positions.shape}; expected (neurons, 3)")
        n = len(positions)
        if n < 2:
            raise FieldError(f"{self.name}: {n} neuron; a field needs at least 2")
        for key in ("connectome", "correlation", "sttc", "precision"):
            if key == "precision" and self.precision is None:
                continue
            matrix = self._frozen(key, getattr(self, key))
            if matrix.shape != (n, n):
                raise FieldError(f"{self.name}: {key} has shape {matrix.shape}, but the positions give {n} neurons")
            if key == "connectome":
                if (matrix < 0).any():
                    raise FieldError(f"{self.name}: connectome has negative synapse counts")
            elif not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-8):
                i, j = np.unravel_index(np.abs(matrix - matrix.T).argmax(), matrix.shape)
                raise FieldError(f"{self.name}: {key} is not symmetric: [{i}, {j}] differs from [{j}, {i}]")
            if key in ("correlation", "sttc") and np.abs(matrix).max() > 1 + 1e-6:
                raise FieldError(f"{self.name}: {key} leaves the range -1 to 1")
        if self.spike_times is not None:
            object.__setattr__(self, "spike_times", self._checked_spikes(n))
        if self.lattice is not None:
            lattice = tuple(int(side) for side in self.lattice)
            if len(lattice) != 3 or min(lattice) < 1 or np.prod(lattice) != n:
                raise FieldError(f"{self.name}: lattice {lattice} does not hold {n} neurons")
            object.__setattr__(self, "lattice", lattice)

    def _frozen(self, key: str, value: object) -> np.ndarray:
        """Return a read-only float64 copy, stored under `key`, after checking that it holds finite numbers."""
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise FieldError(f"{self.name}: {key} does not hold numbers ({error})") from None
        if not np.isfinite(array).all():
            where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
            raise FieldError(f"{self.name}: {key} holds {array[where]} at {list(where)}; expected finite numbers")
        array.flags.writeable = False
        object.__setattr__(self, key, array)
        return array

    def _checked_spikes(self, n: int) -> tuple[np.ndarray, ...]:
        if len(self.spike_times) != n:
            raise FieldError(f"{self.name}: spike times of {len(self.spike_times)} neurons, positions of {n}")
        trains = []
        for i, train in enumerate(self.spike_times):
            try:
                train = np.array(train, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise FieldError(f"{self.name}: spike times of neuron {i} are not numbers ({error})") from None
            if train.ndim != 1 or not np.isfinite(train).all():
                raise FieldError(f"{self.name}: spike times of neuron {i} are not a list of finite numbers")
            if (np.diff(train) < 0).any():
                raise FieldError(f"{self.name}: spike times of neuron {i} are not in increasing order")
            train.flags.writeable = False
            trains.append(train)
        return tuple(trains)

    @property
    def neurons(self) -> int:
        """Number of neurons, N."""
        return len(self.positions)

    @property
    def label(self) -> str:
        """The name as figures and tables show it: a synthetic field says so."""
        return f"{self.name} (synthetic)" if self.synthetic else self.name

    def subset(self, neurons: int, rng: np.random.Generator) -> CorticalField:
        """Return the field of a random subset of its neurons, in their original order.

        Parameters
        ----------
        neurons : int
            How many to keep, from 2 to N.
        rng : numpy.random.Generator
            Draws them.
        """
        if not 2 <= neurons <= self.neurons:
            raise FieldError(f"{self.name}: cannot keep {neurons} of {self.neurons} neurons")
        keep = np.sort(rng.choice(self.neurons, neurons, replace=False))
        square = np.ix_(keep, keep)
        return replace(
            self,
            name=f"{self.name}[{neurons}]",
            positions=self.positions[keep],
            connectome=self.connectome[square],
            correlation=self.correlation[square],
            sttc=self.sttc[square],
            # A part of a precision matrix is not the precision matrix of the part.
            precision=None,
            spike_times=None if self.spike_times is None else [self.spike_times[i] for i in keep],
            lattice=None,
        )

    def save(self, path: str | Path) -> None:
        """Write the field to one ``.npz`` file without pickles, which :meth:`load` reads again."""
        arrays = {key: getattr(self, key) for key in ("positions", "connectome", "correlation", "sttc")}
        arrays |= {"name": self.name, "voxel_size": self.voxel_size, "synthetic": self.synthetic}
        if self.precision is not None:
            arrays["precision"] = self.precision
        if self.lattice is not None:
            arrays["lattice"] = self.lattice
        if self.spike_times is not None:
            arrays["spike_counts"] = [len(train) for train in self.spike_times]
            arrays["spike_times"] = np.concatenate(self.spike_times)
        with written_atomically(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> CorticalField:
        """Read a field that :meth:`save` wrote.

        Raises
        ------
        FieldError
            If the file is missing, is not such a file, or holds a malformed field.
        """
        path = Path(path)
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        except FileNotFoundError:
            raise FieldError(f"{path}: no such file") from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, MemoryError) as error:
            raise FieldError(f"{path}: not a saved field ({error})") from None
        missing = {"name", "positions", "connectome", "correlation", "sttc"} - arrays.keys()
        if missing:
            raise FieldError(f"{path}: lacks {', '.join(sorted(missing))}")
        if "spike_counts" in arrays:
            ends = np.cumsum(arrays.pop("spike_counts"))
            arrays["spike_times"] = np.split(arrays["spike_times"], ends[:-1])
        if "lattice" in arrays:
            arrays["lattice"] = tuple(arrays["lattice"].tolist())
        arrays["name"] = str(arrays["name"])
        arrays["synthetic"] = bool(arrays.get("synthetic", False))
        arrays["voxel_size"] = tuple(np.asarray(arrays.get("voxel_size", MICRONS_VOXEL_UM)).tolist())
        try:
            return cls(**arrays)
        except TypeError as error:
            raise FieldError(f"{path}: holds something that a field has not ({error})") from None
