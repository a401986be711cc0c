"""How an experiment of the learner's own is carried out, what came out, and the report. Notebook 13 uses it."""

from __future__ import annotations

import ast
import inspect
import linecache
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from ..plumbing.files import written_atomically
from ..study import run_study
from ..variants import CHOICES
from .design import Design, ceilings_of, judged
from .design_faults import remember, what_is_missing

NONE_LEARNED = "No network learned: the design does not show that the task can be learned in this time."


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
        learned = (self.accuracies > (low + high) / 2).sum()
        shown["runs that learned"] = learned if low < high else math.nan
        shown["start minus this"] = -self.accuracies.sub(self.accuracies.iloc[:, 0], axis=0).mean() + 0.0  # no −0
        shown["without memory"], shown["best possible"] = low, high
        return shown.rename_axis("variant")

    @property
    def told(self) -> str:
        """The mean accuracies and the ceilings as text."""
        low, high = ceilings_of(self.design)
        means = ", ".join(f"{name} {value:.3f}" for name, value in self.accuracies.mean().items())
        runs = f"mean of {len(self.accuracies)} runs" if len(self.accuracies) > 1 else "one run"
        if not low < high:  # also where one is not known
            return f"test accuracy, {runs}: {means}; the task has no ceilings to compare this with."
        learned = "" if self.table["runs that learned"].any() else f" {NONE_LEARNED}"
        return f"test accuracy, {runs}: {means}; without memory {low:.3f} is possible, at best {high:.3f}.{learned}"


def carry_out(design: Design, progress: bool = True) -> Outcome:
    """Train all networks of a design, and let its rule say what came true.

    Raises
    ------
    InputError
        If the networks cannot be trained, or if the rule returns what is no option.
    """
    study, lacking = design.study, tuple(what_is_missing(design))
    remember(design)
    rows = run_study(study, jobs=1, progress=progress).networks
    names = [variant.name for variant in study.variants]
    accuracies = rows.pivot_table("test_accuracy", "run", "variant", dropna=False)[names]
    return Outcome(design, accuracies, judged(design, accuracies), lacking)


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
        f"(digest {study.configuration['field_digest']}). This report does not hold it: keep its file, or the code "
        "that made it.",
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
        f"**To do it again,** with biornn_lite {study.configuration['biornn_lite']}:\n\n{_recipe(design)}",
        f"**Outcome.** {outcome.told}",
        f"```text\n{outcome.accuracies.round(3).to_string()}\n```",
        "Runs that learned: "
        + ", ".join(f"{name} {count:g}" for name, count in outcome.table["runs that learned"].items())
        + ".",
        f"By the rule: {true}. The expectation "
        + ("came true." if design.expected in outcome.came_true else "did not come true."),
        "**What the design lacks.** " + (" ".join(outcome.lacking) or "Nothing that a program could find."),
    ]
    return "\n\n".join(parts) + "\n"


def _recipe(design: Design) -> str:
    """Return task, variants and settings as they are written, and the source of what is not in this library."""
    study = design.study
    task = study.tasks[0]
    own = [each for variant in study.variants for each in variant.own.values()]
    lines = [f"task: {task!r}"]
    for variant in study.variants:
        choices = (f"{name}={_written(getattr(variant, name))}" for name in CHOICES)
        lines.append(f"{variant.name}: {', '.join(choices)}")
    lines.append(f"settings: {design.settings!r}")
    library = __package__.partition(".")[0]
    things = dict.fromkeys(map(_defined, (task, *own)))
    mine = [_source(each) for each in things if each.__module__.partition(".")[0] != library]
    parts = ["```text\n" + "\n".join(lines) + "\n```", *(f"```python\n{source}\n```" for source in mine)]
    return "\n\n".join(parts)


def _defined(thing: object) -> Callable:
    """Return the function or class whose source defines a thing."""
    if isinstance(thing, partial):
        return _defined(thing.func)
    return thing if inspect.isroutine(thing) or inspect.isclass(thing) else type(thing)


def _written(choice: object) -> str:
    """Write a choice of a variant as in code; a function by its name."""
    return choice.__qualname__ if inspect.isroutine(choice) else repr(choice)


def _source(thing: object) -> str:
    """Return the code that defines a function or class; of what has none, its name."""
    try:
        return textwrap.dedent(inspect.getsource(thing)).strip()
    except (OSError, TypeError):
        return _class_in_a_cell(thing) or str(thing)


def _class_in_a_cell(thing: object) -> str:
    """Return the code of a class of a notebook, which :mod:`inspect` does not find, by way of its methods."""
    for method in vars(thing).values() if inspect.isclass(thing) else ():
        lines = linecache.getlines(method.__code__.co_filename) if inspect.isfunction(method) else []
        for node in ast.walk(ast.parse("".join(lines))):
            if isinstance(node, ast.ClassDef) and node.name == thing.__name__:
                first = min(part.lineno for part in (node, *node.decorator_list))
                return textwrap.dedent("".join(lines[first - 1 : node.end_lineno])).strip()
    return ""
