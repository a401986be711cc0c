"""What a design of an experiment lacks. Notebook 13 uses it.

A rule is tried on accuracies that are made up, before any network is trained.
"""

from __future__ import annotations

import inspect
import io
import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from numbers import Integral

import numpy as np
import pandas as pd

from ..errors import InputError
from ..plumbing.objects import digest_of
from ..priors import Priors
from ..seeds import generator
from ..study import variant_digest
from ..variants import CHOICES, Variant
from .design import Design, ceilings_of, judged
from .predictions import Prediction

FEWEST_RUNS = 3
"""Fewer runs show what can happen, not what usually does."""

TABLES = 1000
"""Number of made-up results on which a rule is tried."""

PATIENCE = 10.0
"""Seconds after which the trial of a slow rule ends."""


_FIRST: dict[str, str] = {}
"""Of the networks that this kernel has trained: question, rule and expectation at their first outcome."""


_ASKED: dict[str, tuple[Prediction, str]] = {}
"""Of each question that this kernel has checked: its prediction, and the experiment that it is asked of."""


def remember(design: Design) -> None:
    """Keep question, rule and expectation of a design whose networks are about to be trained."""
    _FIRST.setdefault(_networks_key(design), _plan_of(design))


def _networks_key(design: Design) -> str:
    study = design.study
    return digest_of([study.configuration | {"variants": ""}, variant_digest(study.variants[0])])


def _plan_of(design: Design) -> str:
    return digest_of([design.prediction.question, design.prediction.options, design.expected, design.rule])


def _asked_of_another(design: Design) -> bool:
    """Say whether the question belongs to another field, task or start. If not, note to which it belongs."""
    prediction, study = design.prediction, design.study
    configuration = study.configuration
    experiment = digest_of([configuration["field_digest"], configuration["tasks"], variant_digest(study.variants[0])])
    asked, belongs_to = _ASKED.get(prediction.question, (prediction, experiment))
    if belongs_to != experiment and (asked is prediction or prediction.answer is not None):
        return True
    _ASKED[prediction.question] = prediction, experiment
    return False


def _made_up(design: Design) -> Iterator[pd.DataFrame]:
    """Yield accuracies that could come out: all alike, all different, in order, and learned in some runs only."""
    rng = generator(13, "made-up accuracies")
    low, high = ceilings_of(design)
    if not low < high:  # also where one is not known
        low, high = 1 / design.study.tasks[0].classes, 1.0
    low = max(0.0, low - 0.1)  # of few test trials, a guess can be right in fewer
    names = [variant.name for variant in design.study.variants]
    shape = (max(design.runs, 1), len(names))
    for _ in range(TABLES // 8):
        level = rng.random(shape[1])
        yield from (
            pd.DataFrame(low + (high - low) * np.broadcast_to(share, shape), columns=names)
            for share in (
                level[0],  # all the same
                np.clip(level[0] + 0.02 * rng.normal(size=shape), 0, 1),  # nearly the same
                level,
                np.clip(level + 0.1 * rng.normal(size=shape), 0, 1),  # different, and runs scatter
                np.sort(level),
                np.sort(level)[::-1],
                level.round(),  # all or nothing
                (rng.random(shape) < level).astype(float),  # each network learns, or does not
            )
        )


@dataclass
class _Trial:
    """What a rule said of made-up results."""

    tables: int = 0
    said: Counter[tuple[str, ...]] = dataclass_field(default_factory=Counter)
    unsteady: bool = False  # two answers for one table
    hangs_on_order: int = 0  # tables for which the answer changed when runs changed places
    sees_start: bool = False
    sees_control: bool = False
    gap_if_alike: bool = False


def _tried(design: Design) -> _Trial:
    """Try a rule on made-up results, until it has been slow for too long."""
    trial, until, before = _Trial(), time.monotonic() + PATIENCE, None
    first = next(_made_up(design))
    trial.gap_if_alike = not judged(design, first)
    for column in (slice(0, 1), slice(None)):  # of the start alone, and of all
        diverged = first.copy()
        diverged.iloc[:, column] = np.nan
        judged(design, diverged)  # it must not fail after the training
    for table in _made_up(design):
        said = judged(design, table)
        trial.tables += 1
        trial.said[said] += 1
        trial.unsteady |= said != judged(design, table)
        turned = pd.DataFrame(np.roll(table.to_numpy(), 1, axis=0), columns=table.columns)
        trial.hangs_on_order += said != judged(design, turned)
        if before is not None and not (trial.sees_start and trial.sees_control):
            for column, name in enumerate(table):
                changed = table.assign(**{name: before[name]})
                if column == 0 and not trial.sees_start:
                    trial.sees_start = said != judged(design, changed)
                elif column and not trial.sees_control:
                    trial.sees_control = said != judged(design, changed)
        before = table
        if time.monotonic() > until:
            break
    return trial


def _faults_of_rule(design: Design) -> Iterator[str]:
    """Say what a rule lacks, from accuracies that are made up."""
    if not callable(design.rule):
        yield "The rule is no function: the outcome would be judged by eye, after it is known."
        return
    when = "On accuracies that could come out, "
    if outside := _read_outside(design.rule):
        names = " and ".join(f"`{name}`" for name in outside)
        yield f"The rule uses {names} from outside of it, which may change later: write it into the rule."
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            judged(design, next(_made_up(design)))
            when = "On accuracies that could come out (NaN where a network diverged), "
            trial = _tried(design)
    except InputError as error:
        yield f"{when}{error}."
        return
    of_all = f"of {trial.tables:,} made-up results"
    if trial.tables < TABLES // 20:
        yield f"The rule is slow: after {PATIENCE:g} s it had judged {trial.tables} made-up results. Make it faster."
        return
    if trial.unsteady:
        yield (
            "The rule gives two answers for the same accuracies. If it draws random numbers, make their generator "
            "inside of it, from a fixed seed; and let it keep nothing from one call to the next."
        )
        return
    options = design.prediction.options
    if never := [option for option in options if not any(option in said for said in trial.said)]:
        many = (
            " If it expects an order, list start and controls in that order."
            if len(design.study.variants) > 4
            else ""
        )
        yield f"By the rule, {' and '.join(map(repr, never))} came true in none {of_all}.{many}"
    if several := {said: count for said, count in trial.said.items() if len(said) > 1}:
        yield (
            f"In {sum(several.values())} {of_all} two options come true, such as "
            f"{' and '.join(map(repr, max(several, key=several.get)[:2]))}: they overlap."
        )
    if trial.said[()]:
        alike = " for example if all are equal," if trial.gap_if_alike else ""
        yield f"In {trial.said[()]} {of_all},{alike} no option comes true: they leave a gap."
    if len(options) < 2 or never:
        return
    if not trial.sees_start:
        yield "The rule does not look at the start: its answer never changed when the start's accuracies did."
    if design.study.variants[1:] and not trial.sees_control:
        yield "The rule looks at no control: its answer never changed when a control's accuracies did."
    if trial.hangs_on_order > trial.tables / 20:
        yield "The rule hangs on the order of the runs: does it look at one run alone?"


def _read_outside(rule: Callable) -> list[str]:
    """Return the names of values and functions of the learner's own that a rule takes from where it is defined."""
    if not inspect.isfunction(rule):
        return []

    def own(thing: object) -> bool:
        named = inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing)
        return not named or getattr(thing, "__module__", None) == rule.__module__

    return [name for name, thing in inspect.getclosurevars(rule).globals.items() if own(thing)]


def _check_kinds(design: Design) -> None:
    """Raise an InputError that says what to write, where a part of a design is of another kind."""
    if isinstance(design.controls, (str, Variant)):
        raise InputError(f"controls is one {type(design.controls).__name__}; a list is needed: controls=[…]")
    if isinstance(design.task, type):
        raise InputError(f"task is a class; make a task of it: {design.task.__name__}()")
    if not isinstance(design.prediction, Prediction):
        kind = type(design.prediction).__name__
        raise InputError(f"prediction is a {kind}; write Prediction(question, {{option: meaning, …}}, at=…)")
    if not isinstance(design.controls, Sequence):
        raise InputError("controls is no list; write controls=[…], which may be empty")
    texts = (design.expected, design.prediction.question, *design.prediction.options.values())
    if not all(isinstance(text, str) for text in texts):
        raise InputError("question, meanings and what is expected are texts")
    if not isinstance(design.runs, Integral) or isinstance(design.runs, bool) or design.runs < 1:
        raise InputError(f"runs is {design.runs!r}; a whole number from 1 on is needed")


def _faults_of_controls(design: Design) -> Iterator[str]:
    """Say which controls are the start itself: one penalty, and the same weights, maybe with units renamed."""
    study = design.study
    priors = Priors(study.field, study.protocol)
    start, *controls = study.variants

    def weights(variant: Variant) -> np.ndarray:
        return priors.start(variant, study.seed).weights

    for control in controls:
        if (start.space, start.communicability) != (control.space, control.communicability):
            continue
        first, second = weights(start), weights(control)
        if np.allclose(first, second):
            yield f"{control.name} is {start.name} under another name: both begin with the same weights."
        elif start.space == "none" and start.communicability in ("none", "weights") and _renamed(first, second):
            yield (
                f"{control.name} is {start.name} with its units in another order: without distances and without a "
                "target, that changes their names alone."
            )


def _renamed(first: np.ndarray, second: np.ndarray) -> bool:
    """Say whether units of one matrix have the same self-connections and the same sums as those of another."""

    def units(weights: np.ndarray) -> np.ndarray:
        squares = weights**2
        each = (squares.sum(axis=1), squares.sum(axis=0), weights.sum(axis=1), weights.sum(axis=0), np.diag(weights))
        values = np.array(each).T
        return values[np.argsort(values[:, 0])]

    return np.allclose(units(first), units(second))


def choices_that_differ(design: Design, control: Variant) -> list[str]:
    """Return the names of the choices, such as "space", in which a control differs from the start."""
    start = design.study.variants[0]
    return [what for what in CHOICES if getattr(start, what) != getattr(control, what)]


def what_is_missing(design: Design) -> list[str]:
    """Say what a good design would have and this one lacks. What comes out plays no part.

    Raises
    ------
    InputError
        If its networks cannot be trained.
    """
    _check_kinds(design)
    study = design.study
    start, *controls = study.variants
    found = []
    if not controls:
        found.append("There is no control: a start alone is compared with nothing.")
    else:
        if 1 not in (len(choices_that_differ(design, control)) for control in controls):
            found.append(
                f"No control differs from {start.name} in one thing alone (weights, space or communicability): a "
                "difference would have two causes."
            )
        found += _faults_of_controls(design)
    low, high = ceilings_of(design)
    if math.isnan(low) or math.isnan(high):
        found.append(
            "The task does not say its ceilings: define memoryless_ceiling and best_ceiling, or an accuracy means "
            "nothing."
        )
    elif low >= high:
        found.append(f"The task needs no memory: without it, {low:.3f} is possible, and {high:.3f} at best.")
    if design.runs < FEWEST_RUNS:
        runs = "One run shows" if design.runs == 1 else "Two runs show"
        found.append(f"{runs} what can happen, not what usually does: take at least {FEWEST_RUNS}.")
    options = design.prediction.options
    if not design.prediction.question.strip(" ?."):
        found.append("The prediction has no question.")
    if len(options) < 2:
        found.append("The prediction has no second option, so it cannot fail.")
    if without := [option for option, meaning in options.items() if not meaning.strip()]:
        found.append(f"It is not said what {' and '.join(map(repr, without))} would mean.")
    meanings = [meaning.strip() for meaning in options.values() if meaning.strip()]
    if len(set(meanings)) < len(meanings):
        found.append("Two options have the same meaning: what would the one tell that the other does not?")
    if design.expected not in options:
        found.append(f"What is expected, {design.expected!r}, is none of the options.")
    found += _faults_of_rule(design)
    if not found and _FIRST.get(_networks_key(design), _plan_of(design)) != _plan_of(design):
        found.append(
            "The rule was not fixed beforehand: networks of these seeds were trained in this session, for the same "
            "field, task and settings, with another question, rule or expectation. Take new seeds: "
            f"seed={design.seed + 1}. (Its runs share nothing with those of seed={design.seed}.)"
        )
    if not found and _asked_of_another(design):
        found.append(
            "The question was asked of another field, task or start, and one answer cannot count for both. Ask anew: "
            f"prediction=Prediction('…', options, at={design.prediction.at!r}), with a question of its own."
        )
    return found
