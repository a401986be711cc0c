"""The eleven variants and their choices, as data.

A variant says *what* a network starts from. A protocol says *how* the experiment is carried out. Each published
quirk is one choice of the protocol, with a published value and a sound value. Notebook 09 compares the variants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import combinations, product
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:  # commands that do not train start faster without these imports
    import numpy as np

    from .field import CorticalField

SIGNS = ("free", "positive")
"""Whether recurrent weights may be negative."""

CHOICES = ("weights", "space", "communicability")
"""The three choices that define a variant."""

Weights = Callable[["CorticalField", "np.random.Generator"], "np.ndarray"]
"""A start of your own: takes a field and a random stream, returns recurrent weights (N, N), from row to column.

``W*`` of the same run draws its lognormal factors from the same stream, so runs with the same seed are paired.
"""

Space = Callable[["CorticalField"], "np.ndarray"]
"""A space of your own: takes a field and returns the distances (N, N) that the penalty multiplies with weights."""

Target = Callable[["CorticalField", "np.random.Generator"], "np.ndarray"]
"""A target of your own: takes a field and a random stream, returns a graph (N, N) that replaces the connectome.

The penalty pulls the communicability of the network's weights towards that of this graph. A start uses a different
random stream.
"""


@dataclass(frozen=True)
class Variant:
    """Three independent choices, each a name or a function of your own.

    A study may compute in several processes. For this, define your functions at the top level of a module or
    notebook. A function with parameters is a frozen dataclass with ``__call__`` or a :func:`functools.partial`.

    Attributes
    ----------
    name : str
        Published names list weights, then space, then communicability. Your own variant may have any other name.
    weights : {"orthogonal", "functional", "relabelled"} or callable
        Initial recurrent weights: ``W``, ``W*``, ``W!``, or :data:`Weights`.
    space : {"none", "lattice", "cortical"} or callable
        Distances in the penalty: none, ``D``, ``D*``, or :data:`Space`.
    communicability : {"none", "weights", "empirical"} or callable
        Communicability in the penalty: none; ``C``, the network's own as a factor; ``C*``, a pull towards that of
        the connectome; :data:`Target`, a pull towards that of another graph.

    Raises
    ------
    InputError
        If a choice is not one of these values, or if the name belongs to a published variant with other choices.
    """

    name: str
    weights: str | Weights = "orthogonal"
    space: str | Space = "none"
    communicability: str | Target = "none"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError(f"the name of a variant is {self.name!r}; it must be a text")
        for choice, allowed in _ALLOWED.items():
            value = getattr(self, choice)
            if not callable(value) and (not isinstance(value, str) or value not in allowed):
                raise InputError(
                    f"{choice} of variant {self.name!r} is {value!r}; it allows {', '.join(allowed)}, or a function"
                )
        if self.name in VARIANTS and VARIANTS[self.name] != self:
            raise InputError(f"{self.name} is the name of a published variant with other choices; take another name")

    @property
    def own(self) -> dict[str, Callable]:
        """The user's own functions among the choices, by choice."""
        return {choice: getattr(self, choice) for choice in CHOICES if callable(getattr(self, choice))}


_WEIGHTS = {"W": "orthogonal", "W*": "functional", "W!": "relabelled"}
_SPACE = {"": "none", "D": "lattice", "D*": "cortical"}
_COMMUNICABILITY = {"": "none", "C": "weights", "C*": "empirical"}

_ALLOWED = {
    "weights": tuple(_WEIGHTS.values()),
    "space": tuple(_SPACE.values()),
    "communicability": tuple(_COMMUNICABILITY.values()),
}

VARIANTS: dict[str, Variant] = {}
"""All 27 combinations by name."""

VARIANTS |= {
    w + d + c: Variant(w + d + c, _WEIGHTS[w], _SPACE[d], _COMMUNICABILITY[c])
    for w, d, c in product(_WEIGHTS, _SPACE, _COMMUNICABILITY)
}

PUBLISHED_VARIANTS: tuple[str, ...] = (
    "W*D*C", "WD*C", "WDC", "WD*", "WD", "W", "W*D*C*", "WD*C*", "W*DC*", "W!D*C", "W!D*C*",
)  # fmt: skip
"""The eleven variants of the paper, in its order."""


def check_sign(sign: str) -> None:
    """Raise an error for a sign that is not in :data:`SIGNS`."""
    if sign not in SIGNS:
        raise InputError(f"sign is {sign!r}; it allows {', '.join(SIGNS)}")


def get_variant(name: str | Variant) -> Variant:
    """Look up a variant by name. A variant object is returned unchanged.

    Raises
    ------
    InputError
        If no variant has that name.
    """
    if isinstance(name, Variant):
        return name
    try:
        return VARIANTS[name]
    except (KeyError, TypeError):
        raise InputError(
            f"no variant {name!r}; the published ones are {', '.join(PUBLISHED_VARIANTS)}, "
            "and W, W* or W! go with any of D, D* and C, C*"
        ) from None


def isolating_pairs(choice: str, available: Iterable[str | Variant] = PUBLISHED_VARIANTS) -> list[tuple[str, str]]:
    """List the pairs of variants that differ in this choice only.

    Parameters
    ----------
    choice : {"weights", "space", "communicability"}
    available : iterable of str or Variant
        The variants that may be paired; each pair keeps this order. Unknown names are left out.
    """
    if choice not in CHOICES:
        raise InputError(f"no choice {choice!r}; there are {', '.join(CHOICES)}")
    variants = [get_variant(name) for name in available if isinstance(name, Variant) or name in VARIANTS]
    return [
        (a.name, b.name)
        for a, b in combinations(variants, 2)
        if [c for c in CHOICES if getattr(a, c) != getattr(b, c)] == [choice]
    ]


def _choice(published: str, sound: str, *others: str, doc: str):
    """Describe a choice: the published value is the default."""
    allowed = tuple(dict.fromkeys((published, sound, *others)))
    return field(default=published, metadata={"allowed": allowed, "sound": sound, "doc": doc})


@dataclass(frozen=True)
class Protocol:
    """Every choice behind the results. The defaults follow the published code.

    ``PROTOCOLS["published"]`` and ``PROTOCOLS["sound"]`` are ready to use. :meth:`choose` changes single choices.
    :func:`describe_choices` explains each value.

    Raises
    ------
    InputError
        If a choice has a value that is not allowed.
    """

    coordinates: str = _choice(
        "reshaped", "transposed",
        doc="reshaped reads the (N, 3) positions as (3, N), which mixes axes and neurons; transposed keeps them",
    )  # fmt: skip
    units: str = _choice(
        "min_max", "micrometres",
        doc="min_max scales each axis to 0…1 by itself; micrometres scales all by the longest axis",
    )  # fmt: skip
    lattice_scale: str = _choice(
        "raw", "matched",
        doc="raw leaves the lattice D in steps of 1; matched gives D the mean distance of D*",
    )  # fmt: skip
    lambda_in_w: str = _choice(
        "ignored", "applied",
        doc="ignored penalises the variant W with 1 in place of λ; applied uses λ",
    )  # fmt: skip
    penalty_start: str = _choice(
        "fixed", "matched",
        doc="fixed uses λ as it is; matched scales it so that Σ|W|⊙… starts where that of W*D* does",
    )  # fmt: skip
    self_connections: str = _choice(
        "kept", "removed", "only",
        doc="the diagonal of the starting W* and W!: kept, removed, or only it (no brain data at all)",
    )  # fmt: skip
    relabelling: str = _choice(
        "permuted", "shuffled_off_diagonal", "shuffled",
        doc="permuted gives W! the graph of W* under new labels; the others mix its entries",
    )  # fmt: skip
    isolated_neurons: str = _choice(
        "epsilon", "zero",
        doc="neurons without outgoing synapses in C*: a row sum of 1e-10, or communicability 0",
    )  # fmt: skip
    reported_accuracy: str = _choice(
        "train", "test",
        doc="the accuracy that the table shows: of the last training epoch, or on held-out trials",
    )  # fmt: skip
    positive_start: str = _choice(
        "clipped", "rescaled",
        doc="weights clipped at 0 for positive-only networks, and then scaled to spectral radius 0.95 or not",
    )  # fmt: skip
    trials: str = _choice(
        "own", "own", "shared",
        doc="own draws trials for every run; shared gives all runs of a task those of the first",
    )  # fmt: skip
    small_world_null: str = _choice(
        "fixed", "matched",
        doc="random graphs behind small-worldness: density 0.18 and self-connections, or the graph's own density",
    )  # fmt: skip
    function: str = _choice(
        "correlation", "correlation", "sttc", "precision",
        doc="what W* is made of: correlation and STTC, STTC alone, or precision and STTC",
    )  # fmt: skip
    penalty_weight: float = field(default=0.3, metadata={"allowed": "a number ≥ 0", "doc": "λ, the weight of Σ|W|⊙…"})
    emd_weight: float = field(
        default=0.1,
        metadata={"allowed": "a number ≥ 0", "doc": "λ_EMD, the weight of the distance to C*"},
    )

    def __post_init__(self) -> None:
        for choice in fields(self):
            value, allowed = getattr(self, choice.name), choice.metadata["allowed"]
            if isinstance(allowed, tuple):
                if value not in allowed:
                    raise InputError(f"choice {choice.name} is {value!r}; it allows {', '.join(allowed)}")
            else:
                try:
                    number = float(value)
                except ValueError:
                    number = -1.0
                if not 0 <= number < float("inf"):
                    raise InputError(f"choice {choice.name} is {value!r}; it allows {allowed}")
                object.__setattr__(self, choice.name, number)

    @property
    def name(self) -> str:
        """Name of the nearest ready-made protocol, followed by any changes: ``published+units=micrometres``."""
        mine = asdict(self)

        def changes(other: Protocol) -> list[str]:
            return [f"{k}={mine[k]}" for k, v in asdict(other).items() if v != mine[k]]

        nearest = min(PROTOCOLS, key=lambda known: len(changes(PROTOCOLS[known])))
        return "+".join([nearest, *changes(PROTOCOLS[nearest])])

    def choose(self, settings: Iterable[str]) -> Protocol:
        """Change single choices.

        Parameters
        ----------
        settings : iterable of str
            Each ``choice=value``.

        Raises
        ------
        InputError
            If a setting has another form, its choice does not exist, or its value is not allowed.
        """
        changed: dict[str, str] = {}
        for setting in settings:
            name, equals, value = setting.partition("=")
            if not equals:
                raise InputError(f"setting {setting!r} is not of the form choice=value")
            if name not in asdict(self):
                raise InputError(f"no choice {name!r}; there are {', '.join(asdict(self))}")
            changed[name] = value
        return replace(self, **changed)


PROTOCOLS: dict[str, Protocol] = {
    "published": Protocol(),
    "sound": Protocol(**{c.name: c.metadata["sound"] for c in fields(Protocol) if "sound" in c.metadata}),
}
"""The two ready-made protocols by name."""


def get_protocol(name: str | Protocol) -> Protocol:
    """Look up a protocol by name. A protocol object is returned unchanged.

    Raises
    ------
    InputError
        If no protocol has that name.
    """
    if isinstance(name, Protocol):
        return name
    try:
        return PROTOCOLS[name]
    except (KeyError, TypeError):
        raise InputError(f"no protocol {name!r}; there are {', '.join(PROTOCOLS)}") from None


def describe_choices() -> list[dict[str, str]]:
    """List the choices: name, published value, sound value, all allowed values and their meaning."""
    return [
        {
            "choice": c.name,
            "published": c.default,
            "sound": c.metadata.get("sound", c.default),
            "allowed": ", ".join(a) if isinstance(a := c.metadata["allowed"], tuple) else a,
            "meaning": c.metadata["doc"],
        }
        for c in fields(Protocol)
    ]
