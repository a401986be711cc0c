"""From the audit's rows to its answers: every contrast of the plan with its interval, and one word for each claim.

Notebook 11 and ``docs/audit.md`` are made from these tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from .audit import (
    CURVE_CHOICES,
    CURVE_STARTS,
    FACTORS,
    HARDER_TASKS,
    MORE_CONTROLS,
    ONE_RADIUS,
    STRONG_FUNCTION,
    STRONG_FUNCTION_AGAIN,
    STUDIES,
    SWEPT_STARTS,
    TWELVE_FIELDS,
    WIRING_STARTS,
    specification,
    with_names,
)
from .contrasts import (
    LEARNS_ABOVE,
    SMALLEST_THAT_MATTERS,
    Comparison,
    compare,
    corrected,
    differences,
    gain,
    p_rare,
    paired_difference,
)
from .errors import InputError
from .plumbing.files import data_folder
from .replication import load_replication, read_shipped
from .results import Results
from .tasks import TASKS
from .wiring import Pooled, pool_effects

TABLES = ("networks.csv.gz", "curves.csv.xz")
"""Files of the shipped rows: networks, and their learning curves."""


@cache
def _tables() -> Results:
    folder = data_folder() / "audit"
    try:
        networks, curves = (read_shipped(folder / name) for name in TABLES)
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file; in a clone, data/make_audit.py makes it") from None
    return Results(with_gain(with_names(networks)), curves)


def with_gain(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the columns ``gain`` and ``learns`` to rows of the audit."""
    gains = gain(rows, HARDER_TASKS)
    return rows.assign(gain=gains, learns=gains > LEARNS_ABOVE)


def load_audit(study: str | None = None) -> Results:
    """Load the shipped rows of the audit.

    Parameters
    ----------
    study : str, optional
        One of :data:`biornn_lite.audit.STUDIES`. Default: all of them.

    Returns
    -------
    Results
        Networks, with the columns ``study``, ``part``, ``plan`` (digest of the plan that they follow), ``start``,
        ``space``, ``target``, ``gain`` and ``learns`` besides the usual ones; and their learning curves.
    """
    if study is None:
        return Results(*(table.copy() for table in _tables()))
    if study not in STUDIES:
        raise InputError(f"no study {study!r}; there are {', '.join(STUDIES)}")
    return Results(*(table[table["study"] == study].copy() for table in _tables()))


@dataclass(frozen=True)
class Answer:
    """One contrast of the plan in one context.

    Attributes
    ----------
    question : int
        Number in the plan.
    claim : str
        What the contrast tests.
    first, second : str
        What is compared.
    context : str
        Study, and what else holds for both sides.
    found : Comparison
    learns_first, learns_second : float
        Share of networks that learn.
    median_first, median_second : float
        Median gain of the networks.
    by_task : dict of str to float
        Mean paired difference in gain of each task, or of each condition of the harder tasks.
    networks : int
        Networks on both sides.
    """

    question: int
    claim: str
    first: str
    second: str
    context: str
    found: Comparison
    learns_first: float = np.nan
    learns_second: float = np.nan
    median_first: float = np.nan
    median_second: float = np.nan
    by_task: dict[str, float] = field(default_factory=dict)
    networks: int = 0

    def row(self) -> dict[str, object]:
        """Return this answer as a row of a table."""
        row = asdict(self)
        return {key: value for key, value in row.items() if key != "found"} | row["found"]


def _shared_seeds(first: pd.DataFrame | None, second: pd.DataFrame | None) -> set[int]:
    """Return the seeds that two groups of rows share; none if one of them is missing."""
    return set() if first is None or second is None else set(first["seed"]) & set(second["seed"])


def _answer(
    question: int, claim: str, first: pd.DataFrame, second: pd.DataFrame, names: Sequence[str], context: str,
    on: Sequence[str] = ("task",),
) -> Answer:  # fmt: skip
    shared = _shared_seeds(first, second)
    first, second = (rows[rows["seed"].isin(shared)] for rows in (first, second))
    return Answer(
        question,
        claim,
        *names,
        context,
        compare(first, second, on),
        *(rows["learns"].mean() for rows in (first, second)),
        *(rows["gain"].median() for rows in (first, second)),
        _by_task(first, second, on),
        len(first) + len(second),
    )


def _by_task(first: pd.DataFrame, second: pd.DataFrame, on: Sequence[str]) -> dict[str, float]:
    keys = [*dict.fromkeys(["task", *on, "seed"])]
    pairs = first[[*keys, "gain"]].merge(second[[*keys, "gain"]], on=keys, suffixes=("_first", "_second"))
    by = pairs["condition" if "condition" in on else "task"]
    return (pairs["gain_first"] - pairs["gain_second"]).groupby(by, sort=False).mean().to_dict()


def _pairs(
    question: int, claim: str, rows: pd.DataFrame, column: str, pairs: Sequence[tuple[str, str]], context: str,
    on: Sequence[str] = ("task",),
) -> Iterator[Answer]:  # fmt: skip
    """Compare groups of rows that differ in one column."""
    groups = dict(list(rows.groupby(column)))
    for first, second in pairs:
        if len(_shared_seeds(groups.get(first), groups.get(second))) > 1:
            yield _answer(question, claim, groups[first], groups[second], (first, second), context, on)


INCOMPLETE = " (incomplete)"
"""Ending of a context in which conditions or fields of the plan have no rows."""

HARDER_CONDITIONS = len(HARDER_TASKS) + 1 + len(TASKS)
"""Conditions of the study ``harder``: its tasks, one with input noise, three with a tenth of the trials."""

FUNCTION_CONTROLS = ("diagonal alone", "off-diagonal shuffled", "same spectrum")


def function_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 1: does it matter that ``W*`` is made of measured correlations."""
    contexts = {
        ("starts", ""): "5_3_4, published penalty",
        ("tuned", "λ = 0"): "5_3_4, λ = 0",
        ("same λ", "λ = 3"): "5_3_4, λ = 3",
        ("6_6_2", ""): "6_6_2, published penalty",
    }
    pairs = [("functional", control) for control in FUNCTION_CONTROLS]
    found = []
    for (study, part), context in contexts.items():
        rows = networks[networks["study"] == study]
        found += _pairs(1, "function", rows[rows["part"] == part] if part else rows, "start", pairs, context)
    strong = networks[networks["study"] == "strong function"]
    pairs = [(STRONG_FUNCTION[0], other) for other in STRONG_FUNCTION[1:]]
    return [*found, *_pairs(1, "strong function", strong, "start", pairs, "5_3_4, λ = 0")]


def function_again_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 1, asked again of new runs in two fields: does it matter which neurons correlate strongly."""
    return _asked_again(networks, 1, "strong function again", "strong function, again", STRONG_FUNCTION_AGAIN)


def _asked_again(
    networks: pd.DataFrame, question: int, study: str, claim: str, starts: Sequence[str]
) -> list[Answer]:
    """Compare the first start with each of the others, in each field of a study that asks again."""
    rows = networks[networks["study"] == study]
    pairs = [(starts[0], other) for other in starts[1:]]
    return [
        answer
        for field, group in rows.groupby("field", sort=False)
        for answer in _pairs(question, claim, group, "start", pairs, f"{field}, λ = 0, new runs")
    ]


def position_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 2: does it matter where the neurons are."""
    rows = networks[networks["study"] == "positions"]
    pairs = [("cortical", other) for other in ("permuted", "lattice", "equal")]
    found, together = [], []
    for part, of_part in rows.groupby(rows["part"].str.removesuffix(", others"), sort=False):
        of_start = dict(list(of_part.groupby("start")))
        weight = part.removesuffix(", orthogonal")
        for start in {"functional", "orthogonal"} & set(of_start):
            found += _pairs(2, "position", of_start[start], "space", pairs, f"5_3_4, {start} start, {weight}")
        if {"functional", "relabelled"} <= set(of_start):
            effects = [
                differences(*(of_start[start][of_start[start]["space"] == space] for space in pairs[0]))
                for start in ("functional", "relabelled")
            ]
            apart = paired_difference((effects[0] - effects[1]).dropna(), len(TASKS))
            names = ("cortical − permuted, functional", "the same, relabelled")
            together.append(Answer(2, "function and position belong together", *names, f"5_3_4, {part}", apart))
    return [*found, *together]


def wiring_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 3: does it matter how the connectome is wired."""
    targets = networks[networks["study"] == "targets"]
    pairs = [("C*", "random C*"), ("C*", "degree-matched C*")]
    found = [
        answer
        for start, rows in targets.groupby("start", sort=False)
        for answer in _pairs(3, "wiring as target", rows, "target", pairs, f"7_3_8, {start} start")
    ]
    starts = networks[networks["study"] == "connectome"]
    pairs = [(WIRING_STARTS[0], other) for other in WIRING_STARTS[1:]]
    return [*found, *_pairs(3, "wiring as start", starts, "start", pairs, "7_3_8, λ = 0")]


def wiring_again_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 3, asked again of new runs in two fields: does the order of the connectome's synapses matter."""
    starts = (WIRING_STARTS[0], *WIRING_STARTS[2:])
    return _asked_again(networks, 3, "connectome again", "wiring as start, again", starts)


def radius_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 3, with the random versions at the connectome's spectral radius: does its order matter then."""
    return _asked_again(networks, 3, "one radius", "wiring at one radius", ONE_RADIUS)


def penalty_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 4: is it the start or λ."""
    rows = networks[networks["study"] == "tuned"]
    pairs = [("functional", other) for other in SWEPT_STARTS if other != "functional"]
    found = list(_pairs(4, "start, each with its own λ", rows, "start", pairs, "5_3_4, λ tuned for each start"))
    pair = [("functional", "orthogonal")]
    for study, claim, context in (
        ("learning rate", "start, at any learning rate", "5_3_4, λ = 0, "),
        ("longer", "start, trained for longer", "5_3_4, published penalty, "),
    ):
        for part, group in networks[networks["study"] == study].groupby("part", sort=False):
            found += _pairs(4, claim, group, "start", pair, context + part)
    return found


def choice_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 5: which choice makes the table? Sound minus published, mean over the variants that it reaches."""
    rows = networks[networks["study"] == "choices"]
    published = with_gain(load_replication("5_3_4").networks)
    found = []
    paper = with_gain(load_replication("6_6_2").networks)
    for measure in ("sttc", "precision"):
        turned = with_gain(load_replication(f"6_6_2 {measure}").networks)
        base = paper[paper["variant"].isin(turned["variant"])]
        names = (f"function={measure}", "published")
        found.append(_answer(5, "choice", turned, base, names, "6_6_2, 5 variants", ("variant", "task")))
    for part, turned in rows.groupby("part", sort=False):
        if part == "positive, published":
            continue
        positive = part.startswith("positive, ")
        base = rows[rows["part"] == "positive, published"] if positive else published
        base = base[base["variant"].isin(turned["variant"]) & base["seed"].isin(turned["seed"])]
        if len(base):
            count = turned["variant"].nunique()
            context = f"5_3_4, {count} variant{'s' * (count > 1)}" + (", positive only" if positive else "")
            names = (part.removeprefix("positive, "), "published")
            found.append(_answer(5, "choice", turned, base, names, context, ("variant", "task")))
    return found


def harder_rows(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of harder tasks with a column ``condition``; the task is part of it."""
    rows = networks[networks["study"] == "harder"]
    how = rows["part"]
    short = dict(zip(TASKS, ("one-choice", "Go/NoGo", "perceptual"), strict=True))
    named = rows["task"].map(short).fillna("") + ", " + how
    return rows.assign(condition=np.where(how == "harder tasks", rows["task"], named))


def harder_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 7: does a prior help where tasks are harder."""
    pairs = [("functional", other) for other in ("diagonal alone", "off-diagonal shuffled", "0.95 I")]
    rows = harder_rows(networks)
    count = rows["condition"].nunique()
    context = f"5_3_4, {count} harder conditions, λ = 0" + INCOMPLETE * (count < HARDER_CONDITIONS)
    return list(_pairs(7, "harder tasks", rows, "start", pairs, context, ("condition",)))


def harder_exploratory(networks: pd.DataFrame) -> list[Answer]:
    """Compare functional and orthogonal starts on harder tasks, which the plan does not."""
    pair = ("functional", "orthogonal at 0.95")
    return list(_pairs(7, "harder tasks", harder_rows(networks), "start", [pair], "5_3_4, λ = 0", ("condition",)))


FIELD_CONTRASTS = {
    "functional − diagonal alone": ("functional | cortical | C*", "diagonal alone | cortical | C*"),
    "functional − off-diagonal shuffled": ("functional | cortical | C*", "off-diagonal shuffled | cortical | C*"),
    "cortical − permuted": ("functional | cortical | C*", "functional | permuted | C*"),
}
"""Contrasts of the study ``fields`` by name: the variants that are compared."""


def field_differences(networks: pd.DataFrame, contrast: str) -> pd.DataFrame:
    """Compute one contrast of :data:`FIELD_CONTRASTS` in each field.

    Returns
    -------
    DataFrame
        Index ``field``; columns ``difference``, ``standard_error`` and ``runs``. Few runs give a field no error of
        its own, so the variance between runs is pooled over fields.
    """
    rows = networks[networks["study"] == "fields"]
    first, second = FIELD_CONTRASTS[contrast]
    found = {}
    for name, group in rows.groupby("field", sort=False):
        apart = differences(group[group["variant"] == first], group[group["variant"] == second])
        if len(apart) > 1:
            found[name] = {"difference": apart.mean(), "variance": apart.var(), "runs": len(apart)}
    table = pd.DataFrame.from_dict(found, orient="index", columns=["difference", "variance", "runs"])
    spread = max((table["variance"] * (table["runs"] - 1)).sum() / max((table["runs"] - 1).sum(), 1), 1e-8)
    table["standard_error"] = np.sqrt(spread / table["runs"].astype(float))
    return table[["difference", "standard_error", "runs"]]


def pooled_fields(networks: pd.DataFrame, contrast: str) -> Pooled:
    """Pool one contrast of :data:`FIELD_CONTRASTS` over fields by a random-effects model."""
    table = field_differences(networks, contrast)
    return pool_effects(table["difference"], table["standard_error"])


def _of_all_fields(rows: pd.DataFrame, first: str, second: str) -> np.ndarray:
    """Paired differences of the runs of all fields, one after the other."""
    found = [
        differences(*(group[group["variant"] == name] for name in (first, second)))
        for _, group in rows.groupby("field", sort=False)
    ]
    return np.concatenate(found)


def general_answers(networks: pd.DataFrame) -> list[Answer]:
    """Question 8: does it hold in other fields."""
    found = []
    for contrast, (first, second) in FIELD_CONTRASTS.items():
        if len(field_differences(networks, contrast)) < 3:
            continue
        over = pooled_fields(networks, contrast)
        rows = networks[networks["study"] == "fields"]
        sides = [rows[rows["variant"] == name] for name in (first, second)]

        def tail(shift: float, over: Pooled = over) -> float:
            return float(stats.t.sf(shift / max(over.error, 1e-12), over.fields - 1))

        p = 2 * tail(abs(over.mean))
        apart = _of_all_fields(rows, first, second)
        equivalence = max(
            tail(over.mean + SMALLEST_THAT_MATTERS),
            tail(SMALLEST_THAT_MATTERS - over.mean),
            *(p_rare(sign * apart, len(TASKS)) for sign in (1, -1)),
        )
        together = Comparison(over.fields, over.mean, *over.interval, p, equivalence)
        names = contrast.split(" − ")
        context = f"{over.fields} fields, pooled" + INCOMPLETE * (over.fields < len(TWELVE_FIELDS))
        shares = [side["learns"].mean() for side in sides]
        medians = [side["gain"].median() for side in sides]
        told = _by_task(*sides, ("field",))
        found.append(
            Answer(8, "generality", *names, context, together, *shares, *medians, told, sum(map(len, sides)))
        )
    return found


def answers(networks: pd.DataFrame | None = None) -> pd.DataFrame:
    """Answer all questions of the plan that have contrasts.

    Parameters
    ----------
    networks : DataFrame, optional
        Rows of the audit. Default: the shipped ones.

    Returns
    -------
    DataFrame
        A row per contrast and context, with the attributes of :class:`Answer` and its comparison, ``p_holm`` within
        each question (what is asked again is corrected apart), and ``says``: which side is better, ``equivalent`` or
        ``not told apart``.
    """
    networks = _tables().networks if networks is None else networks
    blocks = []
    for ask in (
        function_answers, function_again_answers, position_answers, wiring_answers, wiring_again_answers,
        radius_answers, penalty_answers, choice_answers, harder_answers, general_answers,
    ):  # fmt: skip
        if found := ask(networks):
            blocks.append(corrected(pd.DataFrame([answer.row() for answer in found])))
    return pd.concat(blocks, ignore_index=True)


def exploratory_answers(networks: pd.DataFrame | None = None) -> pd.DataFrame:
    """Compare what was not planned.

    6_6_2 without penalty; more controls and all seeds of strong function; the connectome and its random versions,
    with and without one spectral radius; and the contrasts that the first rule for λ gave.

    Returns
    -------
    DataFrame
        As from :func:`answers`; Holm's correction over these rows.
    """
    networks = _tables().networks if networks is None else networks
    found = []
    rows = networks[networks["study"] == "6_6_2 no penalty"]
    pairs = [("functional", other) for other in ("diagonal alone", "orthogonal")]
    for part, group in rows.groupby("part", sort=False):
        found += _pairs(1, "exploratory", group, "start", pairs, f"6_6_2, one-choice inference, λ = 0, {part}")
    rows = networks[networks["study"].isin(["strong function", "strong function, more controls"])]
    pairs = [(STRONG_FUNCTION[0], other) for other in MORE_CONTROLS]
    found += _pairs(1, "exploratory", rows, "start", pairs, "5_3_4, λ = 0")
    rows = networks[networks["study"].isin(["strong function", "strong function again"])]
    rows = rows[rows["field"] == "5_3_4"]
    found += _pairs(1, "exploratory", rows, "start", [STRONG_FUNCTION[:2]], "5_3_4, λ = 0, both sets of seeds")
    wired = networks[(networks["field"] == "7_3_8") & (networks["task"] == "one_choice_inference")]
    rows = wired[wired["study"].isin(["one radius", "one radius, not scaled"])]
    own = [(WIRING_STARTS[0], other) for other in WIRING_STARTS[2:]]
    pairs = [*zip(ONE_RADIUS[1:], WIRING_STARTS[2:], strict=True), *own]
    found += _pairs(3, "exploratory", rows, "start", pairs, "7_3_8, one-choice inference, λ = 0, new runs")
    rows = wired[wired["study"].isin(["connectome", "connectome again", "one radius", "one radius, not scaled"])]
    found += _pairs(
        3, "exploratory", rows, "start", own, "7_3_8, one-choice inference, λ = 0, all three sets of seeds"
    )
    rows = networks[networks["study"] == "tuned by the first rule"]
    pairs = [("functional", other) for other in ("diagonal alone", "off-diagonal shuffled")]
    found += _pairs(1, "exploratory", rows, "start", pairs, "5_3_4, λ = 0.1 against λ = 3")
    if not found:
        raise InputError("there are no rows of the exploratory studies here")
    return corrected(pd.DataFrame([answer.row() for answer in found]))


def word(contexts: pd.DataFrame) -> str:
    """Give a claim its word, from its contrast in all of its contexts.

    Parameters
    ----------
    contexts : DataFrame
        Rows of :func:`answers` for one contrast.

    Returns
    -------
    str
        ``holds``, ``holds only under`` with the contexts, ``not supported`` or ``open``, as the plan defines them.
    """
    holds = (contexts["p_holm"] < 0.05) & (contexts["difference"] >= SMALLEST_THAT_MATTERS)
    if holds.all():
        return "holds"
    if holds.any():
        return "holds only under " + "; ".join(contexts.loc[holds, "context"])
    against = (contexts["p_equivalence"] < 0.05) | ((contexts["p_holm"] < 0.05) & (contexts["difference"] < 0))
    return "not supported" if against.all() else "open"


CONTEXTS = {
    "function": 4,
    "strong function": 1,
    "strong function, again": 2,
    "position": 3,
    "function and position belong together": 2,
    "wiring as target": 2,
    "wiring as start": 1,
    "wiring as start, again": 2,
    "wiring at one radius": 1,
    "start, each with its own λ": 1,
    "start, at any learning rate": 3,
    "start, trained for longer": 1,
    "harder tasks": 1,
    "generality": 1,
}
"""Number of contexts in which the plan asks each claim; ``same spectrum`` has no rows at λ = 3."""


TAKES_AWAY = {
    "diagonal alone": "all correlations between neurons",
    "off-diagonal shuffled": "who correlates with whom",
    "same spectrum": "all but the eigenvalues: correlations and the strong diagonal",
    "functional without diagonal": "the diagonal",
    "lognormal": "all correlations and the strong diagonal",
    "0.95 I": "all of the brain; a strong diagonal stays",
    "orthogonal": "all of the brain and the strong diagonal",
    "orthogonal at 0.95": "all of the brain and the strong diagonal",
    "Gaussian at 0.95": "all of the brain and the strong diagonal",
    "0.5 I + function shuffled": "who correlates with whom",
    "0.5 I + function, strengths kept": "who correlates with whom; each neuron's strengths stay",
    "0.5 I": "all connections between neurons",
    "permuted": "which neuron sits where",
    "lattice": "true positions; the spread of distances changes",
    "equal": "all distances",
    "the same, relabelled": "that function belongs to these positions",
    "random C*": "who is connected to whom",
    "degree-matched C*": "who is connected to whom; degrees stay",
    "0.5 I + connectome shuffled": "who is connected to whom",
    "0.5 I + connectome, degrees kept": "who is connected to whom; degrees stay",
    "0.5 I + connectome shuffled, its radius": "who is connected to whom; the spectral radius stays",
    "0.5 I + connectome, degrees kept, its radius": "who is connected to whom; degrees and spectral radius stay",
}
"""What each control takes away from what it is compared with."""


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Give each contrast of a table of :func:`answers` its word, over its contexts.

    Returns
    -------
    DataFrame
        A row per contrast: ``question``, ``claim``, ``first``, ``second``, ``takes_away`` (what the second lacks),
        ``contexts`` (their number), ``least`` and ``most`` (of the differences), and ``word``, which is ``pending``
        while a context lacks rows. Question 5 claims no direction and is left out.
    """
    rows = []
    for (question, claim, first, second), group in table[table["question"] != 5].groupby(
        ["question", "claim", "first", "second"], sort=False
    ):
        ends = {"least": group["difference"].min(), "most": group["difference"].max()}
        row = {"question": question, "claim": claim, "first": first, "second": second}
        row |= {"takes_away": TAKES_AWAY.get(second, ""), "contexts": len(group)}
        asked = CONTEXTS[claim] - (claim == "function" and second == "same spectrum")
        pending = len(group) < asked or group["context"].str.endswith(INCOMPLETE).any()
        rows.append(row | ends | {"word": "pending" if pending else word(group)})
    return pd.DataFrame(rows)


# Before training

BEFORE = ("scale", "effective_rank", "memory")
"""The numbers that describe a start, as in :class:`biornn_lite.untrained.BeforeTraining`."""


def before(networks: pd.DataFrame) -> pd.DataFrame:
    """Join the numbers of each start before training with its networks' ``gain`` and ``learns``.

    Starts whose activity overflows are left out; the table is empty without rows of the study ``starts``.

    Parameters
    ----------
    networks : DataFrame
        Rows of the audit.

    Returns
    -------
    DataFrame
        A row per network of the study ``starts``: ``start``, ``seed``, ``task``, ``gain``, ``learns`` and
        :data:`BEFORE`.
    """
    rows = networks.loc[networks["study"] == "starts", ["start", "seed", "task", "gain", "learns"]]
    path = data_folder() / "audit" / "before.csv.gz"
    if rows.empty or not path.exists():
        return pd.DataFrame(columns=[*rows, *BEFORE])
    joined = rows.merge(read_shipped(path), on=["start", "seed", "task"])
    return joined[np.isfinite(joined[list(BEFORE)]).all(axis=1)]


# The factorial


def factorial_effects(networks: pd.DataFrame, resamples: int = 999, seed: int = 0) -> pd.DataFrame:
    """Return each level's difference from the mean, and two-way interactions, with intervals over runs.

    Parameters
    ----------
    networks : DataFrame
        Rows of the audit.
    resamples : int
        Bootstrap samples of whole runs.
    seed : int

    Returns
    -------
    DataFrame
        Columns ``factors`` (such as ``start`` or ``start × space``), ``level``, ``effect``, ``low``, ``high``.
    """
    rows = networks[networks["study"] == "factorial"]
    names = [*FACTORS, "task"]
    cells = rows.pivot_table("gain", index="seed", columns=names, sort=False)
    values = cells.to_numpy()
    effects = {}
    for k, a in enumerate(names):
        effects |= {(a, level): mask for level, mask in _masks(cells, a).items()}
        for b in names[k + 1 :]:
            if "task" not in (a, b):
                effects |= _interactions(cells, a, b)
    design = np.stack(list(effects.values()))  # (effects, cells)
    estimate = design @ values.mean(0)
    rng = np.random.default_rng(seed)
    drawn = np.stack([design @ values[rng.integers(len(values), size=len(values))].mean(0) for _ in range(resamples)])
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    factors, levels = zip(*effects, strict=True)
    return pd.DataFrame({"factors": factors, "level": levels, "effect": estimate, "low": low, "high": high})


def _masks(cells: pd.DataFrame, factor: str) -> dict[str, np.ndarray]:
    """Weights over cells that give each level's mean minus the mean of all cells."""
    levels = cells.columns.get_level_values(factor)
    return {level: (levels == level) / (levels == level).sum() - 1 / len(levels) for level in levels.unique()}


def _interactions(cells: pd.DataFrame, a: str, b: str) -> dict[tuple[str, str], np.ndarray]:
    """Weights over cells that give each pair's mean minus what the two levels would add up to."""
    first, second = _masks(cells, a), _masks(cells, b)
    of_a, of_b = (cells.columns.get_level_values(factor) for factor in (a, b))
    found = {}
    for x, mask_x in first.items():
        for y, mask_y in second.items():
            both = (of_a == x) & (of_b == y)
            found[f"{a} × {b}", f"{x}, {y}"] = both / both.sum() - 1 / len(both) - mask_x - mask_y
    return found


def factorial_shares(networks: pd.DataFrame) -> pd.Series:
    """Return η²: the share of the variance of all networks' gains that each factor and interaction explains.

    The design is balanced, so the shares of factors and interactions add up; the rest is among runs.
    """
    rows = networks[networks["study"] == "factorial"]
    names = [*FACTORS, "task"]
    total = ((rows["gain"] - rows["gain"].mean()) ** 2).sum()
    shares: dict[str, float] = {}

    def between(columns: list[str]) -> float:
        means = rows.groupby(columns)["gain"].transform("mean")
        return float(((means - rows["gain"].mean()) ** 2).sum() / total)

    for k, a in enumerate(names):
        shares[a] = between([a])
        for b in names[:k]:
            shares[f"{b} × {a}"] = between([b, a]) - shares[a] - shares[b]
    shares["higher interactions"] = between(names) - sum(shares.values())
    shares["runs"] = 1 - between(names)
    return pd.Series(shares, name="share")


# The specification curve


def curve(networks: pd.DataFrame) -> pd.DataFrame:
    """Return one row per combination of the specification curve, with all its choices.

    Returns
    -------
    DataFrame
        Index ``part`` (number of the combination). Columns of :data:`biornn_lite.audit.CURVE_CHOICES`,
        ``penalty_weight``, ``with`` and ``without`` (gain of the start with function, and without) and
        ``difference``.
    """
    rows = networks[(networks["study"] == "curve") & networks["part"].str.fullmatch(r"\d+")]
    gains = (
        rows.pivot_table("gain", index="part", columns="start").reindex(columns=list(CURVE_STARTS.values())).dropna()
    )
    drawn = pd.DataFrame({part: specification(int(part)) for part in gains.index}).T
    sides = {side: gains[start] for side, start in CURVE_STARTS.items()}
    table = drawn.infer_objects().assign(**sides, difference=sides["with"] - sides["without"])
    return table.rename_axis("part")


def cursors(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the differences of the two fixed specifications: columns ``published`` and ``sound``, index ``seed``."""
    rows = networks[networks["study"] == "curve"]
    found = {}
    for name in ("published", "sound"):
        mine = rows[rows["part"] == name]
        sides = [mine[mine["start"] == start] for start in CURVE_STARTS.values()]
        if all(map(len, sides)):
            found[name] = differences(*sides)
    return pd.DataFrame(found)


CURVE_FACTORS = (*CURVE_CHOICES, "log_weight", "has_penalty")
"""What may explain a difference of the specification curve."""


def curve_factors(table: pd.DataFrame) -> pd.DataFrame:
    """Prepare a table of :func:`curve` for regression: λ becomes its logarithm and whether there is a penalty."""
    plain = (table["space"] == "no space") & (table["target"] == "no C") & (table["lambda_in_w"] == "ignored")
    weight = table["penalty_weight"].astype(float).mask(plain, 1.0)
    log = np.log10(weight.where(weight > 0, np.nan))
    return table.assign(
        log_weight=log.fillna(log.mean()),
        has_penalty=np.where(weight > 0, "yes", "no"),
        **{name: table[name].astype(str) for name in CURVE_CHOICES},
    )
