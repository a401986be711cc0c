"""A cortical field: the neurons of one imaging plane, where they sit, how they are wired and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .arrays import first_line, read_npz, write_npz
from .errors import FieldError
from .files import written_atomically

MICRONS_VOXEL_UM = (0.004, 0.004, 0.040)
"""Edge lengths of a MICrONS voxel, in µm: the released positions count voxels of 4 × 4 × 40 nm."""

IDS = ("nucleus_ids", "unit_ids", "root_ids")
"""The identifiers that a field may carry."""


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
    nucleus_ids, unit_ids, root_ids : ndarray of int64, shape (N,), optional
        What the neurons are called elsewhere: the nucleus in the electron-microscopic volume, which stays; the
        unit in the functional scan; the segment, which changes whenever the segmentation is proofread.

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
    nucleus_ids: np.ndarray | None = None
    unit_ids: np.ndarray | None = None
    root_ids: np.ndarray | None = None

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
                    i, j = np.argwhere(matrix < 0)[0]
                    raise FieldError(f"{self.name}: connectome has a negative synapse count at [{i}, {j}]")
            elif not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-8):
                i, j = np.unravel_index(np.abs(matrix - matrix.T).argmax(), matrix.shape)
                raise FieldError(f"{self.name}: {key} is not symmetric: [{i}, {j}] differs from [{j}, {i}]")
            if key in ("correlation", "sttc") and np.abs(matrix).max() > 1 + 1e-6:
                raise FieldError(f"{self.name}: {key} leaves the range -1 to 1")
        voxel = np.asarray(self.voxel_size)
        if voxel.shape != (3,) or voxel.dtype.kind not in "iuf" or not (np.isfinite(voxel) & (voxel > 0)).all():
            raise FieldError(f"{self.name}: voxel_size is {self.voxel_size!r}; expected three lengths in µm")
        if self.spike_times is not None:
            object.__setattr__(self, "spike_times", self._checked_spikes(n))
        if self.lattice is not None:
            try:
                lattice = tuple(int(side) for side in self.lattice)
            except (TypeError, ValueError, OverflowError):
                raise FieldError(f"{self.name}: lattice is {self.lattice!r}; expected three sides") from None
            if len(lattice) != 3 or min(lattice) < 1 or np.prod(lattice) != n:
                raise FieldError(f"{self.name}: lattice {lattice} does not hold {n} neurons")
            object.__setattr__(self, "lattice", lattice)
        for key in IDS:
            if getattr(self, key) is not None:
                object.__setattr__(self, key, self._checked_ids(key, n))

    def _checked_ids(self, key: str, n: int) -> np.ndarray:
        ids = np.array(getattr(self, key))
        if ids.shape != (n,) or ids.dtype.kind not in "iu":
            # Segment ids have 18 digits, of which a float keeps 16.
            raise FieldError(f"{self.name}: {key} are {ids.dtype} of shape {ids.shape}; expected ({n},) integers")
        values, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            raise FieldError(f"{self.name}: {key} name {values[counts > 1][0]} more than once")
        ids = ids.astype(np.int64)
        ids.flags.writeable = False
        return ids

    def _frozen(self, key: str, value: object) -> np.ndarray:
        """Return a read-only float64 copy, stored under `key`, after checking that it holds finite numbers."""
        try:
            if np.asarray(value).dtype.kind not in "biufO":  # not complex numbers, texts or dates
                raise TypeError(f"they are {np.asarray(value).dtype}")
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise FieldError(f"{self.name}: {key} does not hold numbers ({error})") from None
        if not np.isfinite(array).all():
            where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
            raise FieldError(f"{self.name}: {key} holds {array[where]} at {list(where)}; expected finite numbers")
        array.flags.writeable = False
        object.__setattr__(self, key, array)
        return array

    def _checked_spikes(self, n: int) -> tuple[np.ndarray, ...]:
        if not hasattr(self.spike_times, "__len__"):
            raise FieldError(f"{self.name}: spike times are {self.spike_times!r}; expected one list per neuron")
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
            if len(train) and train[0] < 0:
                raise FieldError(f"{self.name}: spike times of neuron {i} begin at {train[0]:g} s, before 0")
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
            **{key: getattr(self, key)[keep] for key in IDS if getattr(self, key) is not None},
        )

    def save(self, path: str | Path) -> None:
        """Write the field to one ``.npz`` file without pickles, which :meth:`load` reads again."""
        arrays = {key: getattr(self, key) for key in ("positions", "connectome", "correlation", "sttc")}
        arrays |= {"name": self.name, "voxel_size": self.voxel_size, "synthetic": self.synthetic}
        for key in ("precision", "lattice", *IDS):
            if getattr(self, key) is not None:
                arrays[key] = getattr(self, key)
        if self.spike_times is not None:
            arrays["spike_counts"] = [len(train) for train in self.spike_times]
            arrays["spike_times"] = np.concatenate(self.spike_times)
        with written_atomically(path) as temporary:
            write_npz(temporary, arrays)

    @classmethod
    def load(cls, path: str | Path) -> CorticalField:
        """Read a field that :meth:`save` wrote.

        Raises
        ------
        FieldError
            If the file is missing, is not such a file, or holds a malformed field.
        """
        path = Path(path)
        arrays = read_npz(path)
        missing = {"name", "positions", "connectome", "correlation", "sttc"} - arrays.keys()
        if missing:
            raise FieldError(f"{path}: lacks {', '.join(sorted(missing))}")
        try:
            if "spike_counts" in arrays:
                counts, times = arrays.pop("spike_counts"), arrays["spike_times"]
                if (counts < 0).any() or counts.sum() != len(times):
                    raise FieldError(f"spike_counts announce {counts.sum()} spikes, but spike_times has {len(times)}")
                arrays["spike_times"] = np.split(times, np.cumsum(counts)[:-1])
            if "lattice" in arrays:
                arrays["lattice"] = tuple(arrays["lattice"].tolist())
            arrays["name"] = str(arrays["name"])
            arrays["synthetic"] = bool(arrays.get("synthetic", False))
            arrays["voxel_size"] = tuple(np.asarray(arrays.get("voxel_size", MICRONS_VOXEL_UM)).tolist())
            return cls(**arrays)
        except FieldError as error:
            raise FieldError(f"{path}: {error}") from None
        except (TypeError, ValueError, IndexError) as error:
            raise FieldError(f"{path}: holds something that a field has not ({first_line(error)})") from None
