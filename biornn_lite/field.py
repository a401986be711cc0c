"""A cortical field: the neurons of one imaging plane with their positions, wiring and activity."""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .errors import FieldError, InputError
from .plumbing.arrays import as_numbers, first_line, read_npz, write_npz
from .plumbing.files import written_atomically
from .released_order import released_rows

MICRONS_VOXEL_UM = (0.004, 0.004, 0.040)
"""Edge lengths of a MICrONS voxel, in µm: the released positions count voxels of 4 × 4 × 40 nm."""

MATRICES = ("connectome", "correlation", "sttc", "precision")
"""The parts of a field that describe pairs of neurons; a missing part is None."""

IDS = ("nucleus_ids", "unit_ids", "root_ids")
"""The identifiers that a field may have."""

LONGEST_NAME = 200
"""Maximum number of letters in a field's name, because the name is in every row of a table."""

CONNECTOME_ORDERS = ("neurons", "as read", "as released")
"""What is known about the order of rows and columns in a connectome; see :class:`CorticalField`."""


class PartError(FieldError):
    """One part of a field is malformed; `part` is the parameter's name."""

    def __init__(self, message: str, part: str = "") -> None:
        super().__init__(message)
        self.part = part


@dataclass(frozen=True, eq=False)
class CorticalField:
    """One field of N neurons. It is checked when it is created, and its arrays are read-only.

    Parameters
    ----------
    name : str
        Name of the field; ``session_scan_field`` for released fields.
    positions : ndarray, shape (N, 3)
        Positions of the somata in µm: columns x, y, z.
    connectome : ndarray, shape (N, N), optional
        Synapse counts; ``connectome[i, j]`` from neuron i to neuron j.
    correlation : ndarray, shape (N, N), optional
        Pearson correlation of event counts; symmetric.
    sttc : ndarray, shape (N, N), optional
        Spike time tiling coefficient (Cutts & Eglen 2014); symmetric.
    precision : ndarray, shape (N, N), optional
        Sparse inverse covariance of the event counts; symmetric.
    spike_times : sequence of N ndarrays, optional
        Event times of each neuron in seconds, in increasing order.
    lattice : (int, int, int), optional
        Sides of the regular grid for the spatial control; their product is N.
    voxel_size : (float, float, float)
        Edge lengths of a voxel in µm, used to convert positions back to the released unit.
    synthetic : bool
        True for a field that was generated, not measured.
    nucleus_ids, unit_ids, root_ids : ndarray of int64, shape (N,), optional
        Identifiers in other data: the nucleus in the electron-microscopic volume, which is permanent; the unit in
        the functional scan; the segment, which changes with every proofreading of the segmentation.
    labels : sequence of N texts, optional
        Unique names of the neurons, such as ``AVAL``.
    released_rows : ndarray of int, shape (N,), optional
        Present if the connectome was released in a different order and has been reordered: ``released_rows[r]`` is
        the neuron of row and column r in the released connectome. :meth:`as_released` restores that order.
    connectome_order : {"neurons", "as read", "as released"}
        Whether row and column i of the connectome belong to neuron i. ``neurons``: yes. ``as read``: this is not
        checked, and :func:`biornn_lite.alignment.check_alignment` can check it. ``as released``: no.

    Raises
    ------
    FieldError
        If a shape, a value or the order of events does not match this description.
    """

    name: str
    positions: np.ndarray
    connectome: np.ndarray | None = None
    correlation: np.ndarray | None = None
    sttc: np.ndarray | None = None
    precision: np.ndarray | None = None
    spike_times: Sequence[np.ndarray] | None = None
    lattice: tuple[int, int, int] | None = None
    voxel_size: tuple[float, float, float] = MICRONS_VOXEL_UM
    synthetic: bool = False
    nucleus_ids: np.ndarray | None = None
    unit_ids: np.ndarray | None = None
    root_ids: np.ndarray | None = None
    labels: Sequence[str] | None = None
    released_rows: np.ndarray | None = None
    connectome_order: str = "neurons"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or not self.name.isprintable():
            raise FieldError(f"the name of a field is {_shown(self.name)}; expected a text of one line")
        if len(self.name) > LONGEST_NAME:
            raise FieldError(f"the name of a field has {len(self.name):,} letters; at most {LONGEST_NAME} are kept")
        self._keep("name", str(self.name))
        positions = self._numbers("positions")
        if positions.ndim != 2 or positions.shape[1] != 3:
            raise self._fault("positions", f"positions have shape {positions.shape}; expected (neurons, 3)")
        n = len(positions)
        if n < 2:
            raise self._fault("positions", f"{n} neuron{'s' * (n != 1)}; a field needs at least 2")
        self._keep("positions", positions)
        for key in MATRICES:
            if getattr(self, key) is not None:
                self._keep(key, self._checked_matrix(key, n))
        self._keep("voxel_size", self._checked_voxel_size())
        if self.spike_times is not None:
            self._keep("spike_times", self._checked_spikes(n))
        if self.lattice is not None:
            self._keep("lattice", self._checked_lattice(n))
        for key in IDS:
            if getattr(self, key) is not None:
                self._keep(key, self._checked_ids(key, n))
        if self.labels is not None:
            self._keep("labels", self._checked_labels(n))
        if self.connectome_order not in CONNECTOME_ORDERS:
            allowed = ", ".join(CONNECTOME_ORDERS)
            raise self._fault(
                "connectome_order", f"connectome_order is {_shown(self.connectome_order)}; it allows {allowed}"
            )
        self._keep("connectome_order", str(self.connectome_order))
        if self.released_rows is not None:
            self._keep("released_rows", self._checked_rows(n))
        if not isinstance(self.synthetic, (bool, np.bool_)):
            raise self._fault("synthetic", f"synthetic is {_shown(self.synthetic)}; expected True or False")
        self._keep("synthetic", bool(self.synthetic))

    def _fault(self, part: str, message: str) -> PartError:
        return PartError(f"{self.name}: {message}", part)

    def _keep(self, part: str, value: object) -> None:
        """Replace a given value by its checked value; arrays become read-only."""
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
        object.__setattr__(self, part, value)

    def _numbers(self, part: str) -> np.ndarray:
        """Return a float64 copy of a part after checking that it holds finite numbers."""
        try:
            array = as_numbers(getattr(self, part))
        except (TypeError, ValueError, OverflowError) as error:
            raise self._fault(part, f"{part} does not hold numbers ({first_line(error)})") from None
        if not np.isfinite(array).all():
            where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
            raise self._fault(part, f"{part} holds {array[where]} at {list(where)}; expected finite numbers")
        return array

    def _checked_matrix(self, key: str, n: int) -> np.ndarray:
        matrix = self._numbers(key)
        if matrix.shape != (n, n):
            raise self._fault(key, f"{key} has shape {matrix.shape}, but the positions give {n} neurons")
        if key == "connectome":
            if (matrix < 0).any():
                i, j = np.argwhere(matrix < 0)[0]
                raise self._fault(key, f"connectome has a negative synapse count at [{i}, {j}]")
            return matrix
        with np.errstate(over="ignore"):  # overflow in differences
            if not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-8):
                i, j = np.unravel_index(np.abs(matrix - matrix.T).argmax(), matrix.shape)
                raise self._fault(key, f"{key} is not symmetric: [{i}, {j}] differs from [{j}, {i}]")
        if key != "precision" and np.abs(matrix).max() > 1 + 1e-6:
            raise self._fault(key, f"{key} leaves the range -1 to 1")
        return matrix

    def _checked_voxel_size(self) -> tuple[float, ...]:
        voxel = self._numbers("voxel_size")
        if voxel.shape != (3,) or (voxel <= 0).any():
            raise self._fault("voxel_size", f"voxel_size is {_shown(self.voxel_size)}; expected three lengths in µm")
        return tuple(voxel.tolist())

    def _checked_lattice(self, n: int) -> tuple[int, ...]:
        try:
            lattice = tuple(operator.index(side) for side in self.lattice)
        except TypeError:
            raise self._fault("lattice", f"lattice is {_shown(self.lattice)}; expected three sides") from None
        if len(lattice) != 3 or min(lattice) < 1 or math.prod(lattice) != n:
            raise self._fault("lattice", f"lattice {_shown(lattice)} does not hold {n} neurons")
        return lattice

    def _checked_ids(self, key: str, n: int) -> np.ndarray:
        try:
            ids = np.array(getattr(self, key))
        except ValueError as error:
            raise self._fault(key, f"{key} are not a list ({first_line(error)})") from None
        if ids.shape != (n,) or ids.dtype.kind not in "iu":
            # Segment ids have 18 digits; a float keeps only 16.
            raise self._fault(key, f"{key} are {ids.dtype} of shape {ids.shape}; expected ({n},) integers")
        if ids.max() > np.iinfo(np.int64).max:
            raise self._fault(key, f"{key} hold {ids.max()}, which is no int64")
        values, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            raise self._fault(key, f"{key} name {values[counts > 1][0]} more than once")
        return ids.astype(np.int64)

    def _checked_labels(self, n: int) -> np.ndarray:
        try:
            labels = np.array([str(label) for label in self.labels])
        except TypeError:
            raise self._fault("labels", f"labels are {_shown(self.labels)}; expected one text per neuron") from None
        if labels.shape != (n,):
            raise self._fault("labels", f"there are {len(labels)} labels; expected one text for each of {n} neurons")
        wrong = [label for label in labels.tolist() if not label.isprintable() or not 0 < len(label) <= LONGEST_NAME]
        if wrong:
            raise self._fault("labels", f"labels have {_shown(wrong[0])}; expected texts of one line")
        values, counts = np.unique(labels, return_counts=True)
        if (counts > 1).any():
            raise self._fault("labels", f"labels name {_shown(str(values[counts > 1][0]))} more than once")
        return labels

    def _checked_rows(self, n: int) -> np.ndarray:
        rows = np.array(self.released_rows)
        if rows.dtype.kind not in "iu" or not np.array_equal(np.sort(rows, axis=None), np.arange(n)):
            raise self._fault("released_rows", f"released_rows do not name each of {n} neurons once")
        if self.connectome_order != "neurons":
            order = _shown(self.connectome_order)
            raise self._fault("released_rows", f"released_rows go with the connectome_order neurons, not {order}")
        return rows.astype(np.int64)

    def _checked_spikes(self, n: int) -> tuple[np.ndarray, ...]:
        try:
            found, trains = len(self.spike_times), []
        except TypeError:
            shown = _shown(self.spike_times)
            raise self._fault("spike_times", f"spike times are {shown}; expected one list per neuron") from None
        if found != n:
            raise self._fault("spike_times", f"spike times of {found} neurons, positions of {n}")
        for i, train in enumerate(self.spike_times):
            where = f"spike times of neuron {i}"
            try:
                train = as_numbers(train)
            except (TypeError, ValueError, OverflowError) as error:
                raise self._fault("spike_times", f"{where} are not numbers ({first_line(error)})") from None
            if train.ndim != 1 or not np.isfinite(train).all():
                raise self._fault("spike_times", f"{where} are not a list of finite numbers")
            if len(train) and train[0] < 0:
                raise self._fault("spike_times", f"{where} begin at {train[0]:g} s, before 0")
            if (train[1:] < train[:-1]).any():
                raise self._fault("spike_times", f"{where} are not in increasing order")
            train.flags.writeable = False
            trains.append(train)
        return tuple(trains)

    def part(self, name: str, needed_for: str) -> np.ndarray:
        """Return a part that a field may lack.

        Parameters
        ----------
        name : {"connectome", "correlation", "sttc", "precision"}
        needed_for : str
            Purpose of the part, for the error message.

        Raises
        ------
        InputError
            If the field lacks this part.
        """
        value = getattr(self, name)
        if value is None:
            what = "wiring (connectome)" if name == "connectome" else f"function ({name})"
            there = [p for p in MATRICES if getattr(self, p) is not None]
            raise InputError(
                f"{needed_for} needs {what}; {self.name} has none, only positions"
                + (f" and {', '.join(there)}" if there else "")
            )
        return value

    def in_neurons_order(self) -> CorticalField:
        """Return the field with its connectome in the neurons' order, if the connectome is in released order."""
        rows = None if self.connectome is None else released_rows(self.root_ids, self.connectome)
        if rows is None:
            return self
        row_of = np.argsort(rows)  # row of each neuron
        connectome = self.connectome[np.ix_(row_of, row_of)]
        return replace(self, connectome=connectome, released_rows=rows, connectome_order="neurons")

    @property
    def neurons(self) -> int:
        """Number of neurons, N."""
        return len(self.positions)

    @property
    def label(self) -> str:
        """Name for figures and tables, marked if the field is synthetic or its connectome has another order."""
        kinds = ["synthetic"] * self.synthetic
        kinds += ["connectome as released"] * (self.connectome_order == "as released")
        return f"{self.name} ({', '.join(kinds)})" if kinds else self.name

    def as_released(self) -> CorticalField:
        """Return the field with its connectome in the order of the data release; the neurons have another order.

        The paper's code reads the connectome in this order. Use it only to study the effects of this error.

        Raises
        ------
        FieldError
            If the connectome was not reordered when it was read.
        """
        if self.released_rows is None:
            raise FieldError(f"{self.name}: its connectome was not put in order when it was read; there is no other")
        connectome = self.connectome[np.ix_(self.released_rows, self.released_rows)]
        return replace(self, connectome=connectome, released_rows=None, connectome_order="as released")

    def subset(self, neurons: int, rng: np.random.Generator) -> CorticalField:
        """Return the field of a random subset of its neurons, in their original order.

        Parameters
        ----------
        neurons : int
            Number of neurons to keep, from 2 to N.
        rng : numpy.random.Generator
            Draws the neurons.
        """
        if not 2 <= neurons <= self.neurons:
            raise FieldError(f"{self.name}: cannot keep {neurons} of {self.neurons} neurons")
        return self.select(np.sort(rng.choice(self.neurons, neurons, replace=False)))

    def select(self, keep: Sequence[int]) -> CorticalField:
        """Return the field of some of its neurons, in the order given.

        Parameters
        ----------
        keep : sequence of int
            Unique indices of at least 2 neurons.
        """
        keep = np.asarray(keep)
        if keep.size and keep.dtype.kind in "iu" and (keep.min() < 0 or keep.max() >= self.neurons):
            wrong = keep.min() if keep.min() < 0 else keep.max()
            raise FieldError(f"{self.name}: neurons are numbered 0 to {self.neurons - 1}, not {wrong}")
        if keep.dtype.kind not in "iu" or keep.ndim != 1 or len(np.unique(keep)) != len(keep):
            raise FieldError(f"{self.name}: neurons are selected by indices, each once")
        square = np.ix_(keep, keep)
        return replace(
            self,
            name=f"{self.name}[{len(keep)}]",
            positions=self.positions[keep],
            **{key: getattr(self, key)[square] for key in MATRICES[:3] if getattr(self, key) is not None},
            # A submatrix of a precision matrix is not the precision matrix of the subset.
            precision=None,
            spike_times=None if self.spike_times is None else [self.spike_times[i] for i in keep],
            lattice=None,
            released_rows=None,  # a subset has no released order
            **{key: getattr(self, key)[keep] for key in (*IDS, "labels") if getattr(self, key) is not None},
        )

    def save(self, path: str | Path) -> None:
        """Write the field to one ``.npz`` file without pickles; :meth:`load` reads it.

        Raises
        ------
        FieldError
            If the folder to write to does not exist.
        InputError
            If the file cannot be written, for example on a full disk.
        """
        if not Path(path).parent.is_dir():
            raise FieldError(f"{path}: there is no folder {Path(path).parent} to write to")
        arrays = {"positions": self.positions}
        arrays |= {key: getattr(self, key) for key in MATRICES[:3] if getattr(self, key) is not None}
        if len(arrays) < 4:  # so that a part that is lost is told from one that never was
            arrays["parts"] = np.array(list(arrays))
        arrays |= {"name": self.name, "voxel_size": self.voxel_size, "synthetic": self.synthetic}
        arrays["connectome_order"] = self.connectome_order
        for key in ("precision", "lattice", "released_rows", *IDS, "labels"):
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

        Files of earlier versions do not record the order of the connectome. If such a file holds a released
        connectome, the connectome is put in the neurons' order.

        Raises
        ------
        FieldError
            If the file is missing, is not a saved field, or holds a malformed field.
        """
        path = Path(path)
        arrays = read_npz(path)
        parts = arrays.pop("parts", np.array(MATRICES[:3]))
        missing = {"name", "positions", *map(str, np.ravel(parts).tolist())} - arrays.keys()
        if missing:
            raise FieldError(f"{path}: lacks {', '.join(sorted(missing))}")
        try:
            if "spike_counts" in arrays or "spike_times" in arrays:
                arrays["spike_times"] = _split(arrays.get("spike_times"), arrays.pop("spike_counts", None))
            for key in {"name", "lattice", "voxel_size", "synthetic", "connectome_order"} & arrays.keys():
                arrays[key] = arrays[key].tolist()
            field = cls(**arrays)
            return field if "connectome_order" in arrays else field.in_neurons_order()
        except FieldError as error:
            raise FieldError(f"{path}: {error}") from None
        except (TypeError, ValueError, IndexError, SystemError) as error:  # SystemError: for an invalid text array
            raise FieldError(f"{path}: holds something that a field has not ({first_line(error)})") from None


def _split(times: np.ndarray | None, counts: np.ndarray | None) -> list[np.ndarray]:
    """Split concatenated event times, as stored in a file, into one array per neuron."""
    if times is None or counts is None:
        raise FieldError("of spike_times and spike_counts it lacks one")
    if times.ndim != 1 or counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise FieldError(f"spike_counts are {counts.dtype} of shape {counts.shape}; expected one integer per neuron")
    total = sum(counts.tolist())
    if (counts < 0).any() or total != len(times):
        raise FieldError(f"spike_counts announce {total} spikes, but spike_times has {len(times)}")
    return np.split(times, np.cumsum(counts)[:-1])


def _shown(value: object) -> str:
    """Show a value in one short line."""
    try:
        return first_line(reprlib.repr(value))
    except ValueError:  # for example an integer with too many digits for Python to print
        return "too long to show"
