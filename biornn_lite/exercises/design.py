"""An experiment of the learner's own: its design, how it is carried out, and the report. Notebook 13 uses it."""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError
from ..field import CorticalField
from ..plumbing.files import written_atomically
from ..plumbing.objects import digest_of
from ..results import ceilings
from ..seeds import generator
from ..study import Study, run_study, variant_digest
from ..tasks import Task
from ..training import Settings
from ..variants import CHOICES, Protocol, Variant
from .predictions import Prediction

Rule = Callable[[Prediction, pd.DataFrame], Collection[str]]
"""Takes the prediction and test accuracies, runs × variants; returns the options that came true."""

SHORT = Settings(epochs=6, batches=40, batch_size=64, test_trials=400)
"""A training of some seconds for a dozen networks of 48 neurons."""

FEWEST_RUNS = 3
"""Fewer runs show what can happen, not what usually does."""


@dataclass(frozen=True, eq=False)
class Design:
    """All that is decided before the first network is trained.

    Attributes
    ----------
    field : CorticalField
    task : Task or str
    start : Variant or str
        What the question is about.
    controls : sequence of (Variant or str)
        What it is compared with.
    prediction : Prediction
    rule : callable
        See :data:`Rule`.
    expected : str
        The option that is expected.
    runs, seed : int
        Run k of all variants has the same seed, so runs are pairs.
    settings : Settings
    """

    field: CorticalField
    task: Task | str
    start: Variant | str
    controls: Sequence[Variant | str]
    prediction: Prediction
    rule: Rule
    expected: str
    runs: int = 5
    seed: int = 0
    settings: Settings = SHORT

    @cached_property
    def study(self) -> Study:
        """The networks that it trains."""
        variants = (self.start, *self.controls)
        protocol = Protocol(reported_accuracy="test")
        return Study(
            self.field, variants, self.task, self.runs, seed=self.seed, protocol=protocol, settings=self.settings
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came out.

    Attributes
    ----------
    design : Design
    accuracies : DataFrame
        Accuracy on test trials after training: a row for each run, a column for each variant, the start first. NaN
        where a network diverged.
    came_true : tuple of str
        The options that came true by the rule.
    lacking : tuple of str
        What the design lacked when it was carried out.
    """

    design: Design
    accuracies: pd.DataFrame
    came_true: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Accuracies of each variant beside the ceilings of its task. A run that learned is above their middle."""
        shown = self.accuracies.agg(["mean", "min", "max"]).T
        low, high = ceilings_of(self.design)
        shown["runs that learned"] = (self.accuracies > (low + high) / 2).sum()
        shown["start minus this"] = -self.accuracies.sub(self.accuracies.iloc[:, 0], axis=0).mean()
        shown["without memory"], shown["best possible"] = low, high
        return shown.rename_axis("variant")

    @property
    def told(self) -> str:
        """The mean accuracies and the ceilings as text."""
        low, high = ceilings_of(self.design)
        means = ", ".join(f"{name} {value:.3f}" for name, value in self.accuracies.mean().items())
        runs = f"mean of {len(self.accuracies)} runs" if len(self.accuracies) > 1 else "one run"
        return f"test accuracy, {runs}: {means}; without memory {low:.3f} is possible, at best {high:.3f}."


def ceilings_of(design: Design) -> tuple[float, float]:
    """Return the accuracies that the task allows without memory and at best; NaN if it does not say."""
    return ceilings(design.study.tasks[0], "test")


_FIRST: dict[str, str] = {}
"""Of the networks that this kernel has trained: question, rule and expectation at their first outcome."""


def _networks_key(design: Design) -> str:
    study = design.study
    return digest_of([study.configuration | {"variants": ""}, variant_digest(study.variants[0])])


def _plan_of(design: Design) -> str:
    return digest_of([design.prediction.question, design.prediction.options, design.expected, design.rule])


def carry_out(design: Design, progress: bool = True) -> Outcome:
    """Train all networks of a design, and let its rule say what came true.

    Raises
    ------
    InputError
        If the networks cannot be trained, or if the rule returns what is no option.
    """
    study, lacking = design.study, tuple(what_is_missing(design))
    _FIRST.setdefault(_networks_key(design), _plan_of(design))
    rows = run_study(study, jobs=1, progress=progress).networks
    names = [variant.name for variant in study.variants]
    accuracies = rows.pivot_table("test_accuracy", "run", "variant", dropna=False)[names]
    return Outcome(design, accuracies, _judged(design, accuracies), lacking)


def _judged(design: Design, accuracies: pd.DataFrame) -> tuple[str, ...]:
    """Return the options that came true by the rule."""
    said = design.rule(design.prediction, accuracies.copy())
    said = (said,) if isinstance(said, str) else tuple(said)
    if strange := [option for option in said if option not in design.prediction.options]:
        raise InputError(f"the rule returns {strange[0]!r}; expected some of {[*design.prediction.options]}")
    return said


def _made_up(design: Design) -> Iterator[pd.DataFrame]:
    """Yield accuracies that could come out: all alike, all different, and learned in some runs only."""
    rng = generator(13, "made-up accuracies")
    low, high = ceilings_of(design)
    if not low < high:  # also where one is not known
        low, high = 1 / design.study.tasks[0].classes, 1.0
    low = max(0.0, low - 0.1)  # of few test trials, a guess can be right in fewer
    names = [variant.name for variant in design.study.variants]
    shape = (max(design.runs, 1), len(names))
    for _ in range(200):
        level = rng.random(shape[1])
        yield from (
            pd.DataFrame(low + (high - low) * share, columns=names)
            for share in (
                np.full(shape, level[0]),  # all the same
                np.clip(level[0] + 0.02 * rng.normal(size=shape), 0, 1),  # nearly the same
                np.broadcast_to(level, shape).copy(),
                np.broadcast_to(level.round(), shape).copy(),  # all or nothing
                (rng.random(shape) < level).astype(float),  # each network learns, or does not
            )
        )


def _faults_of_rule(design: Design) -> Iterator[str]:
    """Say what a rule lacks, from accuracies that are made up."""
    if not callable(design.rule):
        yield "The rule is no function: the outcome would be judged by eye, after it is known."
        return
    seen: set[str] = set()
    try:
        for accuracies in _made_up(design):
            seen.update(_judged(design, accuracies))
    except Exception as error:  # whatever a learner's code may raise
        yield f"The rule fails on accuracies that could come out ({type(error).__name__}: {first_line_of(error)})."
        return
    if never := [option for option in design.prediction.options if option not in seen]:
        yield (
            f"By the rule, {' and '.join(map(repr, never))} cannot come true: of 1,000 made-up results none gave it."
        )


def first_line_of(error: Exception) -> str:
    """Return the first line of what an error says."""
    return (str(error).splitlines() or [""])[0]


def what_is_missing(design: Design) -> list[str]:
    """Say what a good design would have and this one lacks. What comes out plays no part.

    Raises
    ------
    InputError
        If its networks cannot be trained.
    """
    study = design.study
    start, *controls = study.variants
    found = []
    if not controls:
        found.append("There is no control: a start alone is compared with nothing.")
    else:
        apart = [sum(getattr(start, what) != getattr(control, what) for what in CHOICES) for control in controls]
        if 1 not in apart:
            found.append(
                f"No control differs from {start.name} in one thing alone (weights, space or communicability): a "
                "difference would have two causes."
            )
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
    if len(options) < 2:
        found.append("The prediction has no second option, so it cannot fail.")
    if without := [option for option, meaning in options.items() if not meaning.strip()]:
        found.append(f"It is not said what {' and '.join(map(repr, without))} would mean.")
    if design.expected not in options:
        found.append(f"What is expected, {design.expected!r}, is none of the options.")
    found += _faults_of_rule(design)
    if not found and _FIRST.get(_networks_key(design), _plan_of(design)) != _plan_of(design):
        found.append(
            "The rule was not fixed beforehand: networks of these seeds were trained before, with another question, "
            "rule or expectation. Take new seeds: seed=1."
        )
    return found


def write_report(outcome: Outcome, path: str | Path) -> Path:
    """Write a report in Markdown, and return its path.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    with written_atomically(path) as temporary:
        temporary.write_text(report_of(outcome), encoding="utf-8")
    return Path(path)


def report_of(outcome: Outcome) -> str:
    """Return field, task, prediction, rule, runs and outcome as Markdown."""
    design, study = outcome.design, outcome.design.study
    task, options, settings = study.tasks[0], design.prediction.options, design.settings
    low, high = ceilings_of(design)
    true = " and ".join(outcome.came_true) or "none of the options"
    trials = settings.batches * settings.batch_size
    parts = [
        f"# {design.prediction.question}",
        f"**Field.** {study.field.label}, {study.field.neurons} neurons "
        f"(digest {study.configuration['field_digest']}).",
        f"**Task.** {task.title}: {task.steps} steps, {task.classes} answers. Accuracy without memory at most "
        f"{low:.3f}, at best {high:.3f}.",
        f"**Start.** {study.variants[0].name}. **Controls.** "
        + (", ".join(variant.name for variant in study.variants[1:]) or "none")
        + ".",
        "**Options,** and what each would mean:",
        "\n".join(f"- {option}: {meaning}" for option, meaning in options.items()),
        f"**Expected.** {design.expected}.",
        f"**Rule.**\n\n```python\n{_source(design.rule)}\n```",
        f"**Runs.** {design.runs} of each, in pairs, from seed {design.seed}; {settings.epochs} epochs of {trials:,} "
        "trials.",
        f"**Outcome.** {outcome.told}",
        f"```text\n{outcome.accuracies.round(3).to_string()}\n```",
        "Runs that learned: "
        + ", ".join(f"{name} {count}" for name, count in outcome.table["runs that learned"].items())
        + ".",
        f"By the rule: {true}. The expectation "
        + ("came true." if design.expected in outcome.came_true else "did not come true."),
        "**What the design lacks.** " + (" ".join(outcome.lacking) or "Nothing that a program could find."),
    ]
    return "\n\n".join(parts) + "\n"


def _source(rule: object) -> str:
    try:
        return textwrap.dedent(inspect.getsource(rule)).strip()
    except (OSError, TypeError):
        return str(rule)
