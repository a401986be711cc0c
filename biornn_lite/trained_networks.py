"""Twenty trained networks of the embedded field, shipped in one file, so that they can be used without training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .audit import TRUE_POSITIONS, variant
from .datasets import EMBEDDED
from .errors import InputError
from .network import Networks, networks_of
from .plumbing.arrays import check_file, first_line, write_npz
from .plumbing.files import data_folder, written_atomically
from .seeds import run_seed
from .tasks import TASKS

FILE = "robustness/trained_networks.npz"
"""Where the file is in the folder of the embedded data."""

SEED = 21
"""Seed of the study in which they were trained."""

STARTS = ("functional", "diagonal alone", "0.95 I", "orthogonal", "functional without diagonal")
"""Starts of the shipped networks, which have no penalty."""

RUNS = dict(zip(TASKS, (1, 1, 2), strict=True))
"""Runs of each task: two of the perceptual decision."""

SHIPPED: tuple[tuple[str, str, int], ...] = tuple(
    (start, task, run) for start in STARTS for task, runs in RUNS.items() for run in range(runs)
)
"""Start, task and run of each shipped network."""

PROTOCOL = TRUE_POSITIONS.choose(["penalty_weight=0"])

LARGEST = 2_000_000
"""Maximum size of the file in bytes."""

_NAMES = ("w", "w_in", "b", "w_out", "b_out")


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """One shipped network.

    Attributes
    ----------
    start, task : str
    run, seed : int
    test_accuracy : float
        On the 2,560 test trials of its seed, after training.
    state : mapping of str to ndarray
        All weights and biases by name, as from :meth:`biornn_lite.network.Networks.state_of_run`.
    """

    start: str
    task: str
    run: int
    seed: int
    test_accuracy: float
    state: Mapping[str, np.ndarray] = field(repr=False)

    @property
    def networks(self) -> Networks:
        """The network, with an axis ``runs`` of length 1."""
        return networks_of([self.state])


def variants() -> tuple:
    """Return the variants of the shipped networks."""
    return tuple(variant(start, "D*", "no C") for start in STARTS)


def digest(states: Sequence[Mapping[str, np.ndarray]]) -> str:
    """Return a SHA-256 digest of the weights and biases of networks."""
    found = hashlib.sha256()
    for state in states:
        for name in _NAMES:
            found.update(np.ascontiguousarray(state[name], dtype="<f4").tobytes())
    return found.hexdigest()


def write_trained_networks(
    path: str | Path, states: Mapping[tuple[str, str, int], Mapping[str, np.ndarray]], accuracies: Mapping
) -> None:
    """Write networks, given by start, task and run, into one file without pickled objects.

    Parameters
    ----------
    path : path
    states : mapping
        Weights and biases of each of :data:`SHIPPED`.
    accuracies : mapping
        Test accuracy of each.
    """
    if missing := [name for name in SHIPPED if name not in states or name not in accuracies]:
        raise InputError(f"{len(missing)} of the {len(SHIPPED)} networks are missing, such as {missing[0]}")
    arrays = {"test_accuracy": np.array([accuracies[name] for name in SHIPPED])}
    for k, name in enumerate(SHIPPED):
        arrays |= {f"{k}.{part}": np.asarray(states[name][part], dtype=np.float32) for part in _NAMES}
    arrays["digest"] = np.frombuffer(bytes.fromhex(digest([states[name] for name in SHIPPED])), dtype=np.uint8)
    with written_atomically(path) as temporary:
        write_npz(temporary, arrays)


def load_trained_networks(path: str | Path | None = None) -> list[TrainedNetwork]:
    """Load the shipped networks.

    Parameters
    ----------
    path : path, optional
        A file of :func:`write_trained_networks`. Default: the one that comes with the library.

    Returns
    -------
    list of TrainedNetwork
        In the order of :data:`SHIPPED`.

    Raises
    ------
    InputError
        If the file is missing, damaged or changed, or holds other things than these networks.
    """
    path = data_folder() / FILE if path is None else Path(path)
    check_file(path, LARGEST)
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = {"test_accuracy", "digest", *(f"{k}.{part}" for k in range(len(SHIPPED)) for part in _NAMES)}
            if differ := sorted(wanted ^ set(file.files)):
                raise ValueError(f"{differ[0]} is {'missing' if differ[0] in wanted else 'not a part of it'}")
            arrays = {name: file[name] for name in file.files}
        states = [{part: arrays[f"{k}.{part}"] for part in _NAMES} for k in range(len(SHIPPED))]
        for name, state in zip(SHIPPED, states, strict=True):
            _check(name, state)
        accuracies = arrays["test_accuracy"]
        if accuracies.shape != (len(SHIPPED),) or not ((accuracies >= 0) & (accuracies <= 1)).all():
            raise ValueError("its test accuracies are not one share for each network")
        if arrays["digest"].tobytes().hex() != digest(states):
            raise ValueError("its weights are not those of its digest")
    except Exception as error:
        # A malformed file can raise any exception; each means that the file cannot be read.
        raise InputError(f"{first_line(path)}: not the networks of {EMBEDDED} ({first_line(error)})") from None
    return [
        TrainedNetwork(start, task, run, run_seed(SEED, run), float(accuracy), state)
        for (start, task, run), accuracy, state in zip(SHIPPED, accuracies, states, strict=True)
    ]


def _check(name: tuple[str, str, int], state: Mapping[str, np.ndarray]) -> None:
    """Raise an error if weights and biases cannot be those of a network of this task."""
    task, neurons = TASKS[name[1]], len(state["w"])
    shapes = {
        "w": (neurons, neurons), "w_in": (task.inputs, neurons), "b": (1, neurons),
        "w_out": (neurons, task.classes), "b_out": (1, task.classes),
    }  # fmt: skip
    for part, shape in shapes.items():
        if state[part].shape != shape or state[part].dtype != np.float32:
            raise ValueError(f"{part} of {name} is {state[part].dtype} of shape {state[part].shape}")
        if not np.isfinite(state[part]).all():
            raise ValueError(f"{part} of {name} has infinite values or NaN")
