"""Controls beside the brain: starts, spaces and targets that keep one property of the data and lose another.

Each is an object for a place of :class:`biornn_lite.variants.Variant`. More starts without brain data are in
:mod:`biornn_lite.weights`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import activity, weights
from .errors import InputError
from .field import CorticalField
from .seeds import generator
from .space import coordinates, distances, lattice, lattice_shape, mean_distance

PUBLISHED_START = weights.Functional()
"""``W*`` of the published protocol, which controls of a start take unless told otherwise."""

# Starts


@dataclass(frozen=True)
class Lognormal:
    """The lognormal draws of ``W*`` alone, scaled as ``W*`` is: its distribution of draws without any similarity."""

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        return weights.functional(weights.lognormal_draws(field.neurons, rng))


@dataclass(frozen=True)
class Shuffled:
    """Entries of another start in other places; `how` as in :func:`biornn_lite.weights.relabelled`."""

    how: str = "shuffled_off_diagonal"
    start: Callable = PUBLISHED_START

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        return weights.relabelled(self.start(field, rng), rng, self.how)


@dataclass(frozen=True)
class ConstantDiagonal:
    """Another start whose self-connections all have one value, the mean of its own, or `value`."""

    value: float | None = None
    start: Callable = PUBLISHED_START

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        matrix = self.start(field, rng).copy()
        np.fill_diagonal(matrix, np.diag(matrix).mean() if self.value is None else self.value)
        return matrix


@dataclass(frozen=True)
class SameSingularValues:
    """``U S Vᵀ`` with the singular values S of another start and random orthogonal U, V: the same effective rank."""

    start: Callable = PUBLISHED_START

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        values = np.linalg.svd(self.start(field, rng), compute_uv=False)
        u, v = (weights.orthogonal(field.neurons, rng) for _ in range(2))
        return (u * values) @ v.T


@dataclass(frozen=True)
class ShiftedEvents:
    """``W*`` of events that are shifted in time by neuron: rates and rhythms stay, coordination is chance."""

    self_connections: str = "kept"

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N).

        Raises
        ------
        InputError
            If the field comes without event times.
        """
        draws = weights.lognormal_draws(field.neurons, rng)  # those of W* of the same run
        trains = activity.shifted(activity.trains_of(field), rng, activity.frame_length(activity.trains_of(field)))
        similarities = (
            activity.correlation(activity.event_counts(trains, start=0.0)),
            activity.spike_time_tiling_coefficient(trains, start=0.0),
        )
        return weights.functional(draws, *similarities, self_connections=self.self_connections)


@dataclass(frozen=True)
class Connectome:
    """The field's own connectome on a constant diagonal: αI plus synapse counts scaled to a mean weight.

    Attributes
    ----------
    diagonal : float
        α, the weight of each self-connection.
    strength : float
        Mean weight of the connections between different neurons.
    graph : callable, optional
        A target such as :class:`RandomGraph` or :class:`SameDegrees`, whose graph replaces the connectome.
    at_its_radius : bool
        Scale the synapses of `graph` once more, to the spectral radius that the connectome's own have.
    """

    diagonal: float = 0.5
    strength: float = 0.2
    graph: Callable | None = None
    at_its_radius: bool = False

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        connectome = self._synapses(field.part("connectome", "this start"), field)
        synapses = connectome if self.graph is None else self._synapses(self.graph(field, rng), field)
        if self.graph is not None and self.at_its_radius:
            synapses = weights.with_spectral_radius(synapses, weights.spectral_radius(connectome))
        return synapses + self.diagonal * np.eye(field.neurons)

    def _synapses(self, graph: np.ndarray, field: CorticalField) -> np.ndarray:
        """Scale the synapse counts between different neurons to their mean weight."""
        counts = graph.astype(float)  # a copy
        np.fill_diagonal(counts, 0.0)
        if not counts.any():
            raise InputError(f"this start needs wiring; {field.name} has no connection between two neurons")
        return counts * (self.strength / counts[counts > 0].mean())


@dataclass(frozen=True)
class OffDiagonal:
    """αI plus the off-diagonal part of another start, which is scaled to a spectral radius of its own.

    Attributes
    ----------
    diagonal : float
        α, the weight of each self-connection.
    radius : float
        Spectral radius of the off-diagonal part.
    shuffled : bool
        Shuffle the off-diagonal entries.
    start : callable
    """

    diagonal: float = 0.5
    radius: float = 0.45
    shuffled: bool = False
    start: Callable = PUBLISHED_START

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        matrix = self.start(field, rng).copy()
        np.fill_diagonal(matrix, 0.0)
        if self.shuffled:
            off = ~np.eye(field.neurons, dtype=bool)
            matrix[off] = rng.permutation(matrix[off])
        return weights.with_spectral_radius(matrix, self.radius) + self.diagonal * np.eye(field.neurons)


@dataclass(frozen=True)
class FewUnits:
    """A self-connection for some randomly chosen neurons, and no other weights.

    Attributes
    ----------
    units : int
    value : float
    """

    units: int
    value: float = 0.95

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return weights of shape (N, N)."""
        if not 1 <= self.units <= field.neurons:
            raise InputError(f"{self.units} units of {field.neurons} neurons")
        diagonal = np.zeros(field.neurons)
        diagonal[rng.choice(field.neurons, self.units, replace=False)] = self.value
        return np.diag(diagonal)


# Spaces


@dataclass(frozen=True)
class AtOneMean:
    """Distances of one arrangement, scaled to a mean over pairs of different neurons.

    Attributes
    ----------
    arrangement : {"none", "lattice", "cortical", "permuted", "reshaped"}
        ``none`` gives all pairs the same distance. ``cortical`` is the true distance in µm. ``permuted`` hands the
        true positions to the neurons in a random order. ``reshaped`` is the published arrangement.
    mean : float
        Mean distance.
    own : float
        Distance of a neuron to itself, which prices self-connections; 0 as published.
    seed : int
        Of ``permuted``.
    """

    arrangement: str
    mean: float = 1.0
    own: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        allowed = ("none", "lattice", "cortical", "permuted", "reshaped")
        if self.arrangement not in allowed:
            raise InputError(f"arrangement is {self.arrangement!r}; it allows {', '.join(allowed)}")

    def __call__(self, field: CorticalField) -> np.ndarray:
        """Return distances of shape (N, N)."""
        n = field.neurons
        if self.arrangement == "none":
            matrix = np.ones((n, n)) - np.eye(n)
        elif self.arrangement == "lattice":
            matrix = distances(lattice(field.lattice or lattice_shape(n)))
        elif self.arrangement == "reshaped":
            matrix = distances(coordinates(field, "reshaped", "min_max"))
        else:
            matrix = distances(field.positions)
            if self.arrangement == "permuted":
                order = generator(self.seed, "permuted positions").permutation(n)
                matrix = matrix[np.ix_(order, order)]
        matrix = matrix * (self.mean / mean_distance(matrix))
        np.fill_diagonal(matrix, self.own)
        return matrix


# Targets


@dataclass(frozen=True)
class RandomGraph:
    """The connectome's synapse counts between randomly chosen pairs: the same density and strengths, no structure."""

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return a graph of shape (N, N)."""
        counts = field.part("connectome", "this target")
        off = ~np.eye(field.neurons, dtype=bool)
        graph = np.diag(np.diag(counts)).astype(float)
        graph[off] = rng.permutation(counts[off])
        return graph


@dataclass(frozen=True)
class SameDegrees:
    """A random graph in which each neuron keeps its numbers of partners, out and in; synapse counts are shuffled.

    Two connections a → b and c → d become a → d and c → b, again and again, unless one of these exists or would be a
    self-connection (Maslov & Sneppen 2002).

    Attributes
    ----------
    swaps : int
        Swaps tried per connection.
    """

    swaps: int = 20

    def __call__(self, field: CorticalField, rng: np.random.Generator) -> np.ndarray:
        """Return a graph of shape (N, N).

        Raises
        ------
        InputError
            If no two connections of the field can be swapped.
        """
        counts = field.part("connectome", "this target")
        pairs = counts * ~np.eye(field.neurons, dtype=bool)
        ends = np.argwhere(pairs > 0)  # (connections, 2), from and to
        there, swapped = set(map(tuple, ends.tolist())), 0
        for first, second in rng.integers(len(ends), size=(self.swaps * len(ends), 2)) if len(ends) else ():
            (a, b), (c, d) = ends[first].tolist(), ends[second].tolist()
            if a == d or c == b or (a, d) in there or (c, b) in there:
                continue
            there -= {(a, b), (c, d)}
            there |= {(a, d), (c, b)}
            ends[first], ends[second], swapped = (a, d), (c, b), swapped + 1
        if not swapped:
            raise InputError(f"no two connections of {field.name} can be swapped; SameDegrees needs more of them")
        mixed = np.diag(np.diag(counts)).astype(float)
        mixed[tuple(ends.T)] = rng.permutation(pairs[pairs > 0])
        return mixed
