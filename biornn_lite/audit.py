"""The audit of the claim: its starts, spaces, targets, tasks and studies, as ``docs/audit_plan.md`` lists them.

Each study has parts, one per protocol and settings. Notebook 11 works through its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import pandas as pd

from . import controls, weights
from .contrasts import gain
from .errors import InputError
from .field import CorticalField
from .seeds import generator
from .study import Study
from .tasks import DOWN, LEFT, RIGHT, TASKS, UP, GoNoGo, OneChoiceInference, PerceptualDecision, Task
from .training import Settings
from .variants import PROTOCOLS, PUBLISHED_VARIANTS, VARIANTS, Protocol, Variant, Weights

PUBLISHED = PROTOCOLS["published"]

SEED, NEW_SEED, NEWEST_SEED, TUNING_SEED, REPLICATION_SEED = 18, 19, 20, 180, 0
"""Seeds of the reported studies, of two that ask again, of the sweep that chooses λ, and of the replication."""

MEAN_DISTANCE = 0.55
"""Mean distance of all spaces that are compared at one mean."""

STARTS: dict[str, Weights | str] = {
    "functional": weights.Functional(),
    "diagonal alone": weights.Functional(self_connections="only"),
    "off-diagonal shuffled": controls.Shuffled(),
    "same spectrum": weights.SameSpectrum(),
    "functional without diagonal": weights.Functional(self_connections="removed"),
    "functional on a constant diagonal": controls.ConstantDiagonal(),
    "all shuffled": controls.Shuffled("shuffled"),
    "relabelled": controls.Shuffled("permuted"),
    "strengths kept": weights.SameStrengths(),
    "same singular values": controls.SameSingularValues(),
    "lognormal": controls.Lognormal(),
    "events shifted in time": controls.ShiftedEvents(),
    "orthogonal": "orthogonal",
    "orthogonal at 0.95": weights.Orthogonal(0.95),
    "Gaussian at 0.95": weights.Gaussian(0.95),
    "0.25 I": weights.Identity(0.25),
    "0.5 I": weights.Identity(0.5),
    "0.75 I": weights.Identity(0.75),
    "0.95 I": weights.Identity(0.95),
    "1 I": weights.Identity(1.0),
    "0.95 I + 0.1 Q": weights.IdentityPlusOrthogonal(0.95, 0.1),
    "0.5 I + 0.45 Q": weights.IdentityPlusOrthogonal(0.5, 0.45),
    "0.5 I + function": controls.OffDiagonal(),
    "0.5 I + function shuffled": controls.OffDiagonal(shuffled=True),
    **{f"{units} units": controls.FewUnits(units) for units in (1, 2, 4, 8, 16)},
    "0.5 I + connectome": controls.Connectome(),
    "0.5 I + connectome shuffled": controls.Connectome(graph=controls.RandomGraph()),
    "0.5 I + connectome, degrees kept": controls.Connectome(graph=controls.SameDegrees()),
    "0.5 I + connectome shuffled, its radius": controls.Connectome(graph=controls.RandomGraph(), at_its_radius=True),
    "0.5 I + connectome, degrees kept, its radius": controls.Connectome(
        graph=controls.SameDegrees(), at_its_radius=True
    ),
    "0.5 I + function, strengths kept": weights.SameStrengths(controls.OffDiagonal()),
    "0.5 I + lognormal": controls.OffDiagonal(start=controls.Lognormal()),
}
"""Starts by name: the functional weights ``W*``, and controls."""

PLANNED_STARTS = tuple(STARTS)[: tuple(STARTS).index("0.5 I + 0.45 Q") + 1]
"""Starts of the study ``starts``."""

FEW_UNITS = tuple(name for name in STARTS if name.endswith(" units"))

STRONG_FUNCTION = ("0.5 I + function", "0.5 I + function shuffled", "0.5 I")

MORE_CONTROLS = ("0.5 I + function, strengths kept", "0.5 I + lognormal")
"""Controls of strong function that the plan does not name."""

WIRING_STARTS = ("0.5 I + connectome", "0.5 I", "0.5 I + connectome shuffled", "0.5 I + connectome, degrees kept")
"""Starts of the studies ``connectome`` and ``connectome again``."""

ONE_RADIUS = (
    "0.5 I + connectome", "0.5 I + connectome shuffled, its radius", "0.5 I + connectome, degrees kept, its radius",
)  # fmt: skip
"""Starts of the study ``one radius``."""

STRONG_FUNCTION_AGAIN = ("0.5 I + function", "0.5 I + function shuffled", "0.5 I + function, strengths kept")
"""Starts of the study ``strong function again``."""

SPACES = {
    "no space": "none",
    "D": "lattice",
    "D*": "cortical",
    **{name: controls.AtOneMean(name, MEAN_DISTANCE) for name in ("lattice", "cortical", "permuted", "reshaped")},
    "equal": controls.AtOneMean("none", MEAN_DISTANCE),
    "cortical, self priced": controls.AtOneMean("cortical", MEAN_DISTANCE, own=MEAN_DISTANCE),
}
"""Spaces by name: the published ones, as the protocol makes them, and others at one mean distance."""

TARGETS = {
    "no C": "none",
    "C": "weights",
    "C*": "empirical",
    "random C*": controls.RandomGraph(),
    "degree-matched C*": controls.SameDegrees(),
}
"""Communicability in the penalty by name: the published choices, and targets made of other graphs."""

# Tasks

_ACCEPTED = {0: (LEFT, UP), 1: (UP, RIGHT), 2: (LEFT, DOWN), 3: (RIGHT, DOWN)}
"""The two directions that each goal of one-choice inference accepts."""


def unseen_types() -> tuple[tuple[int, tuple[int, int], int], ...]:
    """List the trial types of one-choice inference that follow its rule and that the published eight leave out."""
    known = {(goal, frozenset(choices)) for goal, choices, _ in OneChoiceInference().types}
    return tuple(
        (goal, (right, wrong), right)
        for goal, accepted in _ACCEPTED.items()
        for right, wrong in product(accepted, (LEFT, UP, RIGHT, DOWN))
        if wrong not in accepted and (goal, frozenset((right, wrong))) not in known
    )


_HARDER: tuple[Task, ...] = (
    *(OneChoiceInference(name=f"one-choice, delay {d}", title=f"Delay {d}", delay=d) for d in (20, 40)),
    *(GoNoGo(name=f"Go/NoGo, delay {d}", title=f"Delay {d}", delay=d) for d in (20, 40)),
    *(PerceptualDecision(name=f"perceptual, delay {d}", title=f"Delay {d}", steps=31 + d) for d in (20, 40)),
    PerceptualDecision(name="perceptual, noise 0.2", title="Noise 0.2", noise=0.2),
    PerceptualDecision(
        name="perceptual, easy to hard",
        title="Easy to hard",
        coherences=(25.6, 51.2),
        tested_as=PerceptualDecision(coherences=(6.4, 12.8)),
    ),
    OneChoiceInference(
        name="one-choice, unseen pairs", title="Unseen pairs", tested_as=OneChoiceInference(types=unseen_types())
    ),
)

HARDER_TASKS: dict[str, Task] = {task.name: task for task in _HARDER}
"""Harder versions of the three tasks by name."""

# Studies


@dataclass(frozen=True)
class Part:
    """Networks of a study that share field, protocol and settings.

    Attributes
    ----------
    study, name : str
        Name of the study, and of this part within it.
    field : str
    variants : tuple of Variant or str
    tasks : tuple of Task or str
    runs, seed : int
    protocol : Protocol
    settings : Settings
    sign : {"free", "positive"}
    """

    study: str
    name: str
    field: str
    variants: tuple[Variant | str, ...]
    tasks: tuple[Task | str, ...] = tuple(TASKS)
    runs: int = 20
    seed: int = SEED
    protocol: Protocol = PUBLISHED
    settings: Settings = field(default_factory=Settings)
    sign: str = "free"

    def on(self, cortical_field: CorticalField) -> Study:
        """Return this part as a :class:`biornn_lite.study.Study` on its field."""
        return Study(
            cortical_field, self.variants, self.tasks, self.runs, self.seed, self.protocol, self.sign, self.settings
        )


def variant(start: str, space: str, target: str) -> Variant:
    """Return the variant with these names of :data:`STARTS`, :data:`SPACES` and :data:`TARGETS`."""
    return Variant(f"{start} | {space} | {target}", STARTS[start], SPACES[space], TARGETS[target])


def with_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the names of start, space and target as columns; a published variant has a published start."""
    spaces, targets = (
        {value: name for name, value in named.items() if isinstance(value, str)} for named in (SPACES, TARGETS)
    )
    published = {name: (v.weights, spaces[v.space], targets[v.communicability]) for name, v in VARIANTS.items()}
    names = [published.get(name) or tuple(name.split(" | ")) for name in rows["variant"]]
    return rows.assign(**pd.DataFrame(names, index=rows.index, columns=["start", "space", "target"]))


TRUE_POSITIONS = PUBLISHED.choose(["coordinates=transposed", "units=micrometres"])
"""The published protocol with the neurons at their places."""

SWEPT = (0.0, 0.0003, 0.003, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Values of λ in the sweep."""

SWEPT_STARTS = (
    "functional", "diagonal alone", "functional without diagonal", "off-diagonal shuffled", "same spectrum",
    "lognormal", "0.95 I", "orthogonal", "orthogonal at 0.95", "Gaussian at 0.95",
)  # fmt: skip

DECISIVE_STARTS = ("functional", "diagonal alone", "off-diagonal shuffled", "same spectrum")
"""Starts whose contrasts decide the question of function."""

TWELVE_FIELDS = (
    "5_3_8", "5_3_4", "5_3_2", "6_6_8", "6_4_8", "7_3_6", "7_3_8", "5_6_8", "6_7_8", "5_3_6", "8_5_8", "6_7_2",
)  # fmt: skip


def _decisive_and_others(part: Part, other_runs: int = 20) -> list[Part]:
    """Split a part by its starts: 20 runs of the decisive ones, `other_runs` of the others."""
    decisive = tuple(v for v in part.variants if v.name.split(" | ")[0] in DECISIVE_STARTS)
    others = tuple(v for v in part.variants if v not in decisive)
    split = (decisive, part.name, 20), (others, f"{part.name}, others", other_runs)
    return [replace(part, variants=variants, name=name, runs=runs) for variants, name, runs in split if variants]


def _starts() -> list[Part]:
    return _decisive_and_others(
        Part("starts", "published", "5_3_4", tuple(variant(name, "D*", "C*") for name in PLANNED_STARTS))
    )


def _paper_field() -> list[Part]:
    names = (*DECISIVE_STARTS, "functional without diagonal", "0.95 I", "orthogonal at 0.95")
    return _decisive_and_others(
        Part("6_6_2", "published", "6_6_2", tuple(variant(name, "D*", "C*") for name in names)), other_runs=10
    )


def _same_weight() -> list[Part]:
    names = ("functional", "diagonal alone", "off-diagonal shuffled")
    variants = _plain(*names)
    return [Part("same λ", f"λ = {v:g}", "5_3_4", variants, protocol=_with_weight(v)) for v in (3.0,)]


def _no_penalty() -> list[Part]:
    variants = tuple(variant(name, "D*", "no C") for name in ("functional", "diagonal alone", "orthogonal"))
    return [
        Part(
            "6_6_2 no penalty",
            f"learning rate {rate:g}",
            "6_6_2",
            variants,
            ("one_choice_inference",),
            runs=5,
            protocol=_with_weight(0.0),
            settings=Settings(learning_rate=rate),
        )
        for rate in (0.001, 0.0003, 0.0001)
    ]


def _with_weight(weight: float, protocol: Protocol = TRUE_POSITIONS) -> Protocol:
    return replace(protocol, penalty_weight=weight)


def _sweep() -> list[Part]:
    variants = tuple(variant(name, "D*", "no C") for name in SWEPT_STARTS)
    return [
        Part("sweep", f"λ = {v:g}", "5_3_4", variants, runs=3, seed=TUNING_SEED, protocol=_with_weight(v))
        for v in SWEPT
    ]


def chosen_weights(sweep: pd.DataFrame) -> dict[str, float]:
    """Choose λ for each start by mean gain: of the values within 0.01 of the best, the smallest.

    Parameters
    ----------
    sweep : DataFrame
        Rows of the study ``sweep``.

    Returns
    -------
    dict of str to float
        By name of the start.
    """
    rows = with_names(sweep).assign(gain=gain(sweep))
    means = rows.pivot_table("gain", index="start", columns="penalty_weight")
    return {
        start: float(min(weight for weight, mean in row.items() if mean >= row.max() - 0.01))
        for start, row in means.iterrows()
    }


def _tuned(chosen: Mapping[str, float]) -> list[Part]:
    return [
        Part("tuned", f"λ = {weight:g}", "5_3_4", _plain(*names), protocol=_with_weight(weight))
        for weight in sorted(set(chosen.values()))
        if (names := [name for name in SWEPT_STARTS if chosen[name] == weight])
    ]


def _tuned_first() -> list[Part]:
    chosen = {"functional": 0.1, "diagonal alone": 3.0, "off-diagonal shuffled": 3.0}
    return [
        Part("tuned by the first rule", f"λ = {weight:g}", "5_3_4", _plain(*names), protocol=_with_weight(weight))
        for weight in (0.1, 3.0)
        if (names := [name for name in chosen if chosen[name] == weight])
    ]


def _plain(*names: str) -> tuple[Variant, ...]:
    """Return the variants with these starts, the protocol's cortical distances and no communicability."""
    return tuple(variant(name, "D*", "no C") for name in names)


def _strong_function() -> list[Part]:
    protocol = _with_weight(0.0)
    return [Part("strong function", "λ = 0", "5_3_4", _plain(*STRONG_FUNCTION), protocol=protocol)]


def _more_controls() -> list[Part]:
    protocol = _with_weight(0.0)
    return [Part("strong function, more controls", "λ = 0", "5_3_4", _plain(*MORE_CONTROLS), protocol=protocol)]


def _few_units() -> list[Part]:
    return [Part("few units", "published penalty", "5_3_4", _plain(*FEW_UNITS), runs=10)]


def _learning_rate() -> list[Part]:
    names = ("functional", "diagonal alone", "0.95 I", "orthogonal")
    return [
        Part(
            "learning rate",
            f"learning rate {rate:g}",
            "5_3_4",
            _plain(*names),
            runs=10,
            protocol=_with_weight(0.0),
            settings=Settings(learning_rate=rate),
        )
        for rate in (0.0001, 0.0003, 0.003)
    ]


def _longer() -> list[Part]:
    settings = Settings(epochs=40)
    return [Part("longer", "40 epochs", "5_3_4", _plain("functional", "orthogonal"), runs=10, settings=settings)]


COMPARED_SPACES, OTHER_SPACES = (
    ("cortical", "permuted", "lattice", "equal"),
    ("reshaped", "cortical, self priced"),
)  # fmt: skip
"""Spaces of the study ``positions``: those that its contrasts compare, and others."""


def _positions() -> list[Part]:
    compared = tuple(variant("functional", space, "no C") for space in COMPARED_SPACES)
    others = (
        *(variant("functional", space, "no C") for space in OTHER_SPACES),
        *(variant("relabelled", space, "no C") for space in (*COMPARED_SPACES, *OTHER_SPACES)),
    )
    return [
        Part("positions", f"λ = {v:g}{more}", "5_3_4", variants, runs=runs, protocol=_with_weight(v, PUBLISHED))
        for v in (0.3, 3.0)
        for variants, more, runs in ((compared, "", 20), (others, ", others", 10))
    ] + [
        Part(
            "positions",
            "λ = 0.003, orthogonal",
            "5_3_4",
            tuple(variant("orthogonal", space, "no C") for space in COMPARED_SPACES),
            runs=10,
            protocol=_with_weight(0.003, PUBLISHED),
        )
    ]


def _targets() -> list[Part]:
    variants = tuple(
        variant(start, "D*", target)
        for start in ("functional", "orthogonal")
        for target in ("C*", "random C*", "degree-matched C*", "no C")
    )
    protocol = replace(_with_weight(0.0), emd_weight=100.0, isolated_neurons="zero")
    return [Part("targets", "λ_EMD = 100", "7_3_8", variants, runs=10, protocol=protocol)]


def _connectome() -> list[Part]:
    protocol = _with_weight(0.0)
    return [Part("connectome", "λ = 0", "7_3_8", _plain(*WIRING_STARTS), runs=10, protocol=protocol)]


def _connectome_again() -> list[Part]:
    protocol = _with_weight(0.0)
    return [
        Part("connectome again", name, name, _plain(*WIRING_STARTS), seed=NEW_SEED, protocol=protocol)
        for name in ("7_3_8", "8_5_8")
    ]


def _strong_function_again() -> list[Part]:
    protocol = _with_weight(0.0)
    return [
        Part("strong function again", name, name, _plain(*STRONG_FUNCTION_AGAIN), seed=NEW_SEED, protocol=protocol)
        for name in ("5_3_4", "5_3_2")
    ]


def _one_radius() -> list[Part]:
    protocol = _with_weight(0.0)
    return [Part("one radius", "λ = 0", "7_3_8", _plain(*ONE_RADIUS), seed=NEWEST_SEED, protocol=protocol)]


def _not_scaled() -> list[Part]:
    variants, tasks = _plain(*WIRING_STARTS[2:]), ("one_choice_inference",)
    protocol = _with_weight(0.0)
    return [Part("one radius, not scaled", "λ = 0", "7_3_8", variants, tasks, seed=NEWEST_SEED, protocol=protocol)]


TURNED = (
    "coordinates=transposed", "units=micrometres", "lattice_scale=matched", "lambda_in_w=applied",
    "penalty_start=matched", "self_connections=removed", "self_connections=only",
    "relabelling=shuffled_off_diagonal", "relabelling=shuffled", "isolated_neurons=zero",
)  # fmt: skip
"""The choices that the study ``choices`` turns, one at a time."""


def reached(setting: str) -> tuple[str, ...]:
    """List the published variants that a choice of :data:`TURNED` reaches."""
    kinds = {name: VARIANTS[name] for name in PUBLISHED_VARIANTS}
    reaches = {
        "coordinates": lambda v: v.space == "cortical",
        "units": lambda v: v.space == "cortical",
        "lattice_scale": lambda v: v.space == "lattice",
        "lambda_in_w": lambda v: v.space == v.communicability == "none",
        "self_connections": lambda v: v.weights != "orthogonal",
        "relabelling": lambda v: v.weights == "relabelled",
        "isolated_neurons": lambda v: v.communicability == "empirical",
        "positive_start": lambda v: v.weights == "orthogonal",
    }.get(setting.split("=")[0], lambda v: True)
    return tuple(name for name, v in kinds.items() if reaches(v))


def _choices() -> list[Part]:
    common = {"study": "choices", "field": "5_3_4", "runs": 10, "seed": REPLICATION_SEED}
    one_turned = [
        Part(name=setting, variants=reached(setting), protocol=PUBLISHED.choose([setting]), **common)
        for setting in TURNED
    ]
    all_sound = Part(name="all sound", variants=PUBLISHED_VARIANTS, protocol=PROTOCOLS["sound"], **common)
    orthogonal = reached("positive_start=rescaled")
    positive = [
        Part(name="positive, published", variants=orthogonal, sign="positive", **common),
        Part(
            name="positive, positive_start=rescaled",
            variants=orthogonal,
            protocol=PUBLISHED.choose(["positive_start=rescaled"]),
            sign="positive",
            **common,
        ),
    ]
    return [*one_turned, all_sound, *positive]


FACTORS = {
    "start": ("functional", "off-diagonal shuffled", "same spectrum", "orthogonal"),
    "space": ("equal", "lattice", "cortical", "permuted"),
    "target": ("no C", "C", "C*"),
}
"""The levels of the factorial."""


def _factorial() -> list[Part]:
    variants = tuple(variant(*levels) for levels in product(*FACTORS.values()))
    protocol = replace(_with_weight(0.003), emd_weight=0.001, isolated_neurons="zero")
    return [Part("factorial", "λ = 0.003", "5_3_4", variants, runs=8, protocol=protocol)]


HARDER_STARTS = ("functional", "diagonal alone", "off-diagonal shuffled", "0.95 I", "orthogonal at 0.95")
"""Starts of the study ``harder``."""


def _harder() -> list[Part]:
    conditions = {
        "harder tasks": (tuple(HARDER_TASKS.values()), Settings()),
        "input noise 0.2": (("one_choice_inference",), Settings(input_noise=0.2)),
        "a tenth of the trials": (tuple(TASKS), Settings(epochs=100, batches=4, test_trials=512)),
    }
    return [
        Part(
            "harder", name, "5_3_4", _plain(*HARDER_STARTS), tasks, 10, SEED, _with_weight(0.0), settings
        )
        for name, (tasks, settings) in conditions.items()
    ]  # fmt: skip


def _fields() -> list[Part]:
    variants = (
        *(variant(name, "cortical", "C*") for name in ("functional", "diagonal alone", "off-diagonal shuffled")),
        variant("functional", "permuted", "C*"),
    )
    return [Part("fields", name, name, variants, runs=5) for name in TWELVE_FIELDS]


CURVE_CHOICES: dict[str, tuple] = {
    "task": tuple(TASKS),
    "space": ("no space", "D", "D*"),
    "target": ("no C", "C", "C*"),
    "sign": ("free", "positive"),
    "coordinates": ("reshaped", "transposed"),
    "units": ("min_max", "micrometres"),
    "lattice_scale": ("raw", "matched"),
    "lambda_in_w": ("ignored", "applied"),
    "isolated_neurons": ("epsilon", "zero"),
    "self_connections": ("kept", "removed", "only"),
    "function": ("correlation", "sttc", "precision"),
    "positive_start": ("clipped", "rescaled"),
    "trials": ("own", "shared"),
    "input_noise": (0.05, 0.1),
    "learning_rate": (0.0003, 0.001, 0.003),
}
"""The choices that the specification curve draws, besides λ."""

CURVE_LOG_WEIGHTS = (-3.5, 0.5)
"""Range of the decimal logarithm of λ in the specification curve; one in eight combinations has λ = 0."""

CURVE_STARTS = {"with": "functional", "without": "orthogonal"}
"""The two starts that each combination of the specification curve compares."""


def specification(number: int) -> dict[str, object]:
    """Draw one combination of the specification curve; the same number gives the same combination."""
    rng = generator(SEED, "specification", str(number))
    drawn = {name: values[rng.integers(len(values))] for name, values in CURVE_CHOICES.items()}
    zero, log_weight = rng.random() < 1 / 8, rng.uniform(*CURVE_LOG_WEIGHTS)
    return drawn | {"penalty_weight": 0.0 if zero else round(float(10**log_weight), 6)}


def _curve_part(name: str, of: Mapping[str, object], **more) -> Part:
    variants = tuple(
        Variant(f"{start} | {of['space']} | {of['target']}", start, SPACES[of["space"]], TARGETS[of["target"]])
        for start in CURVE_STARTS.values()
    )
    weight = float(of["penalty_weight"])
    choices = {name: of[name] for name in CURVE_CHOICES if hasattr(Protocol(), name)}
    return Part(
        "curve",
        name,
        "5_3_4",
        variants,
        protocol=Protocol(**choices, penalty_weight=weight, emd_weight=weight / 3),
        settings=Settings(input_noise=of["input_noise"], learning_rate=of["learning_rate"]),
        sign=of["sign"],
        **more,
    )


def _curve(combinations: int) -> list[Part]:
    cursors = [
        Part(
            "curve",
            name,
            "5_3_4",
            tuple(Variant(f"{start} | D* | C*", start, "cortical", "empirical") for start in CURVE_STARTS.values()),
            runs=10,
            protocol=protocol,
        )
        for name, protocol in PROTOCOLS.items()
    ]
    drawn = []
    for number in range(combinations):
        of = specification(number)
        drawn.append(_curve_part(f"{number:04}", of, tasks=(of["task"],), runs=1, seed=1000 + number))
    return [*cursors, *drawn]


STUDIES = (
    "starts", "same λ", "strong function", "strong function again", "few units", "6_6_2", "positions", "connectome",
    "connectome again", "one radius", "targets", "sweep",
    "tuned", "tuned by the first rule", "learning rate", "longer", "6_6_2 no penalty", "choices", "factorial",
    "harder", "fields", "curve", "strong function, more controls", "one radius, not scaled",
)  # fmt: skip
"""Names of the studies, in the order in which they are run."""

EXPLORATORY = ("same λ", "6_6_2 no penalty", "strong function, more controls", "one radius, not scaled")
"""Studies that were thought of when other rows had been seen, and that no plan named before they were run."""

COMBINATIONS = 1000
"""Combinations of the specification curve."""


def parts(study: str, chosen: Mapping[str, float] | None = None, combinations: int = COMBINATIONS) -> list[Part]:
    """List the parts of one study of :data:`STUDIES`.

    Parameters
    ----------
    study : str
    chosen : mapping of str to float, optional
        λ of each start, from :func:`chosen_weights`; the study ``tuned`` needs it.
    combinations : int
        Number of combinations of the study ``curve``.
    """
    if study == "tuned":
        if chosen is None:
            raise InputError(f"{study} needs the λ that the study sweep chooses")
        return _tuned(chosen)
    if study == "curve":
        return _curve(combinations)
    made = {
        "starts": _starts, "sweep": _sweep, "positions": _positions, "connectome": _connectome,
        "connectome again": _connectome_again, "targets": _targets,
        "choices": _choices, "factorial": _factorial, "6_6_2": _paper_field, "fields": _fields,
        "same λ": _same_weight, "6_6_2 no penalty": _no_penalty, "tuned by the first rule": _tuned_first,
        "strong function": _strong_function, "strong function again": _strong_function_again,
        "one radius": _one_radius, "few units": _few_units, "learning rate": _learning_rate,
        "longer": _longer, "harder": _harder, "strong function, more controls": _more_controls,
        "one radius, not scaled": _not_scaled,
    }.get(study)  # fmt: skip
    if made is None:
        raise InputError(f"no study {study!r}; there are {', '.join(STUDIES)}")
    return made()
