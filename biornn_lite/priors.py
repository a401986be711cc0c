"""What a network starts from: the priors that a field gives under one protocol, put together for each variant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from . import space, weights
from .communicability import communicability, empirical_communicability
from .errors import InputError
from .field import CorticalField
from .seeds import generator
from .variants import Protocol, Variant


@dataclass(frozen=True, eq=False)
class Start:
    """What one network starts from.

    Attributes
    ----------
    weights : ndarray, shape (N, N)
        Initial recurrent weights.
    cost : ndarray, shape (N, N)
        λ times distance (1 without space): what one unit of each ``|weight|`` costs.
    communicability : {"none", "weights", "empirical"}
        As in :class:`biornn_lite.variants.Variant`.
    sorted_target : ndarray, shape (N * N,), or None
        For ``empirical``: the connectome's communicabilities in increasing order.
    emd_weight : float
        For ``empirical``: weight of the distance to `sorted_target`.
    """

    weights: np.ndarray
    cost: np.ndarray
    communicability: str = "none"
    sorted_target: np.ndarray | None = None
    emd_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.communicability not in ("none", "weights", "empirical"):
            raise InputError(
                f"communicability of a start is {self.communicability!r}; it allows none, weights, empirical"
            )
        if (self.sorted_target is None) == (self.communicability == "empirical"):
            raise InputError("a start has a sorted_target if its communicability is empirical, and else none")


class Priors:
    """The priors that one field gives under one protocol; what depends on no seed is computed once.

    Parameters
    ----------
    field : CorticalField
    protocol : Protocol
    positive : bool
        Whether recurrent weights are to be non-negative.
    """

    def __init__(self, field: CorticalField, protocol: Protocol, positive: bool = False) -> None:
        if protocol.function == "precision" and field.precision is None:
            raise InputError(f"{field.name} has no precision matrix; choose function=correlation or sttc")
        self.field, self.protocol, self.positive = field, protocol, positive

    @cached_property
    def cortical_distances(self) -> np.ndarray:
        """Distances ``D*`` between the neurons' coordinates, shape (N, N)."""
        return space.distances(space.coordinates(self.field, self.protocol.coordinates, self.protocol.units))

    @cached_property
    def lattice_distances(self) -> np.ndarray:
        """Distances ``D`` between the points of the field's lattice, shape (N, N)."""
        shape = self.field.lattice or space.lattice_shape(self.field.neurons)
        matrix = space.distances(space.lattice(shape))
        if self.protocol.lattice_scale == "matched":
            matrix *= space.mean_distance(self.cortical_distances) / space.mean_distance(matrix)
        return matrix

    @cached_property
    def empirical_communicability(self) -> np.ndarray:
        """Communicability of the field's connectome, shape (N, N)."""
        off = ~np.eye(self.field.neurons, dtype=bool)
        if not self.field.connectome[off].any():
            raise InputError(f"C* needs wiring; {self.field.name} has no connection between two neurons")
        return empirical_communicability(self.field.connectome, self.protocol.isolated_neurons)

    def functional_weights(self, seed: int) -> np.ndarray:
        """Functional weights ``W*`` of one run, shape (N, N)."""
        similarities = [self.field.sttc]
        if self.protocol.function != "sttc":
            similarities.insert(0, getattr(self.field, self.protocol.function))
        off = ~np.eye(self.field.neurons, dtype=bool)
        if self.protocol.self_connections != "only" and any(np.ptp(each[off]) == 0 for each in similarities):
            raise InputError(
                f"W* and W! need function; all pairs of {self.field.name} are equally alike, as without activity"
            )
        return weights.functional(
            weights.lognormal_draws(self.field.neurons, generator(seed, "lognormal")),
            *similarities,
            self_connections=self.protocol.self_connections,
        )

    def initial_weights(self, kind: str, seed: int) -> np.ndarray:
        """Initial recurrent weights of one run, shape (N, N); `kind` as in :class:`biornn_lite.variants.Variant`."""
        if kind == "orthogonal":
            initial = weights.orthogonal(self.field.neurons, generator(seed, "orthogonal"))
        else:
            initial = self.functional_weights(seed)
            if kind == "relabelled":
                initial = weights.relabelled(initial, generator(seed, "relabelling"), self.protocol.relabelling)
        if self.positive:
            initial = weights.non_negative(initial, self.protocol.positive_start == "rescaled")
        return initial

    def start(self, variant: Variant, seed: int) -> Start:
        """Assemble what one run of a variant starts from."""
        initial = self.initial_weights(variant.weights, seed)
        if variant.space == "none":
            distances = np.ones_like(initial)
        else:
            distances = self.lattice_distances if variant.space == "lattice" else self.cortical_distances
        plain = variant.space == variant.communicability == "none"
        weight = self.protocol.penalty_weight
        if plain and self.protocol.lambda_in_w == "ignored":
            weight = 1.0
        if self.protocol.penalty_start == "matched":
            reference = space.wiring_cost(self.functional_weights(seed), self.cortical_distances)
            own = np.abs(initial) * distances
            if variant.communicability == "weights":
                own = own * communicability(torch.from_numpy(initial)).numpy()
            weight = self.protocol.penalty_weight * reference / own.sum()
        empirical = variant.communicability == "empirical"
        return Start(
            weights=initial,
            cost=weight * distances,
            communicability=variant.communicability,
            sorted_target=np.sort(self.empirical_communicability.ravel()) if empirical else None,
            emd_weight=self.protocol.emd_weight if empirical else 0.0,
        )
