"""What a network starts from: the priors of a field under one protocol, combined for each variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
import torch

from . import space, weights
from .communicability import communicability, empirical_communicability
from .errors import InputError
from .field import CorticalField
from .plumbing.arrays import as_numbers, first_line
from .plumbing.objects import name_of
from .seeds import generator
from .variants import Protocol, Space, Target, Variant, Weights, check_sign, get_protocol, get_variant


@dataclass(frozen=True, eq=False)
class Start:
    """What one network starts from.

    Attributes
    ----------
    weights : ndarray, shape (N, N)
        Initial recurrent weights.
    cost : ndarray, shape (N, N)
        Cost of one unit of each ``|weight|``: λ times the distance. The distance is 1 without space.
    communicability : {"none", "weights", "empirical"}
        Communicability in the penalty: none, the network's own as a factor, or a pull towards a target.
    sorted_target : ndarray, shape (N * N,), or None
        For ``empirical``: the target's communicabilities in increasing order.
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
    """The priors of one field under one protocol. Parts that do not depend on a seed are computed once.

    Parameters
    ----------
    field : CorticalField
    protocol : Protocol or str
        Default: the published protocol.
    sign : {"free", "positive"}
        Whether recurrent weights may be negative.
    """

    def __init__(self, field: CorticalField, protocol: Protocol | str = "published", sign: str = "free") -> None:
        protocol = get_protocol(protocol)
        if protocol.function == "precision" and field.precision is None:
            raise InputError(f"{field.name} has no precision matrix; choose function=correlation or sttc")
        check_sign(sign)
        self.field, self.protocol, self.sign = field, protocol, sign

    def check(self, variant: Variant | str) -> None:
        """Raise a one-line error if the field lacks data that the variant needs."""
        variant = get_variant(variant)
        if variant.weights in ("functional", "relabelled") or self.protocol.penalty_start == "matched":
            self._similarities()
        if variant.communicability == "empirical":
            self._wiring()

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
        return empirical_communicability(self._wiring(), self.protocol.isolated_neurons)

    def _wiring(self) -> np.ndarray:
        connectome = self.field.part("connectome", "C*")
        if not connectome[~np.eye(self.field.neurons, dtype=bool)].any():
            raise InputError(f"C* needs wiring; {self.field.name} has no connection between two neurons")
        return connectome

    def _similarities(self) -> list[np.ndarray]:
        """Return the measures of function in ``W*``, each of shape (N, N)."""
        names = ["sttc"] if self.protocol.function == "sttc" else [self.protocol.function, "sttc"]
        similarities = [self.field.part(name, "W*") for name in names]
        off = ~np.eye(len(similarities[0]), dtype=bool)
        if self.protocol.self_connections != "only" and any(np.ptp(each[off]) == 0 for each in similarities):
            raise InputError(
                f"W* and W! need function; all pairs of {self.field.name} are equally alike, as without activity"
            )
        return similarities

    def functional_weights(self, seed: int) -> np.ndarray:
        """Functional weights ``W*`` of one run, shape (N, N)."""
        similarities = self._similarities()
        return weights.functional(
            weights.lognormal_draws(self.field.neurons, generator(seed, "lognormal")),
            *similarities,
            self_connections=self.protocol.self_connections,
        )

    def initial_weights(self, kind: str | Weights, seed: int) -> np.ndarray:
        """Initial recurrent weights of one run, shape (N, N); `kind` as in :class:`biornn_lite.variants.Variant`."""
        if callable(kind):
            initial = self._checked(kind(self.field, generator(seed, "lognormal")), f"the start {name_of(kind)}")
        elif kind == "orthogonal":
            initial = weights.orthogonal(self.field.neurons, generator(seed, "orthogonal"))
        else:
            initial = self.functional_weights(seed)
            if kind == "relabelled":
                initial = weights.relabelled(initial, generator(seed, "relabelling"), self.protocol.relabelling)
        if self.sign == "positive":
            # A start of the user's keeps its own scale.
            rescaled = self.protocol.positive_start == "rescaled" and not callable(kind)
            initial = weights.positive(initial, rescaled)
        return initial

    def distances(self, kind: str | Space) -> np.ndarray:
        """Distances in the penalty, shape (N, N); `kind` as in :class:`biornn_lite.variants.Variant`."""
        if callable(kind):
            matrix = self._checked(kind(self.field), f"the space {name_of(kind)}")
            if matrix.min() < 0:
                raise InputError(f"the space {name_of(kind)} gives negative distances, down to {matrix.min():g}")
            return matrix
        if kind == "none":
            return np.ones((self.field.neurons,) * 2)
        return self.lattice_distances if kind == "lattice" else self.cortical_distances

    def target(self, kind: str | Target, seed: int) -> np.ndarray:
        """Target for the communicability of a network, shape (N, N); `kind` as in ``Variant``."""
        if not callable(kind):
            return self.empirical_communicability
        graph = self._checked(kind(self.field, generator(seed, "target")), f"the target {name_of(kind)}")
        return empirical_communicability(graph, self.protocol.isolated_neurons)

    def _checked(self, matrix: np.ndarray, what: str) -> np.ndarray:
        """Raise an error if the user's function returns a matrix that cannot be used."""
        try:
            matrix = as_numbers(matrix)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{what} does not give numbers ({first_line(error)})") from None
        wanted = (self.field.neurons,) * 2
        if matrix.shape != wanted:
            raise InputError(f"{what} gives an array of shape {matrix.shape}; {wanted} is needed")
        if not np.isfinite(matrix).all():
            raise InputError(f"{what} gives numbers that are not finite")
        return matrix

    def starts(self, variants: Sequence[str | Variant], seeds: Sequence[int] | int) -> list[Start]:
        """Assemble the starts of several networks.

        Parameters
        ----------
        variants : sequence of str or Variant
            One per network.
        seeds : sequence of int, or int
            One per network, or the same for all.
        """
        seeds = [seeds] * len(variants) if isinstance(seeds, Integral) else seeds
        return [self.start(variant, seed) for variant, seed in zip(variants, seeds, strict=True)]

    def start(self, variant: Variant | str, seed: int) -> Start:
        """Assemble the start of one run of a variant."""
        variant = get_variant(variant)
        initial = self.initial_weights(variant.weights, seed)
        distances = self.distances(variant.space)
        plain = variant.space == variant.communicability == "none"
        weight = self.protocol.penalty_weight
        if plain and self.protocol.lambda_in_w == "ignored":
            weight = 1.0
        if self.protocol.penalty_start == "matched":
            reference = space.wiring_cost(self.functional_weights(seed), self.cortical_distances)
            own = np.abs(initial) * distances
            if variant.communicability == "weights":
                own = own * communicability(torch.from_numpy(initial)).numpy()
            if not (0 < reference < np.inf and 0 < own.sum() < np.inf):
                raise InputError(
                    f"penalty_start=matched cannot scale the penalty of {variant.name}: it starts at {own.sum():g}, "
                    f"that of W*D* at {reference:g}; choose penalty_start=fixed"
                )
            weight = self.protocol.penalty_weight * reference / own.sum()
        empirical = variant.communicability == "empirical" or callable(variant.communicability)
        return Start(
            weights=initial,
            cost=weight * distances,
            communicability="empirical" if empirical else variant.communicability,
            sorted_target=np.sort(self.target(variant.communicability, seed).ravel()) if empirical else None,
            emd_weight=self.protocol.emd_weight if empirical else 0.0,
        )
