"""An experiment of the learner's own: what is decided before the first network is trained. Notebook 13 uses it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..errors import InputError
from ..field import CorticalField
from ..plumbing.arrays import first_line
from ..results import ceilings
from ..study import Study
from ..tasks import Task
from ..training import Settings
from ..variants import Protocol, Variant
from .predictions import Prediction

Rule = Callable[[Prediction, pd.DataFrame], Collection[str]]
"""Takes the prediction and test accuracies, runs × variants; returns the options that came true."""

SHORT = Settings(epochs=6, batches=40, batch_size=64, test_trials=400)
"""A training of some seconds for a dozen networks of 48 neurons."""


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


def ceilings_of(design: Design) -> tuple[float, float]:
    """Return the accuracies that the task allows without memory and at best; NaN if it does not say."""
    return ceilings(design.study.tasks[0], "test")


def judged(design: Design, accuracies: pd.DataFrame) -> tuple[str, ...]:
    """Return the options that came true by the rule."""
    try:
        said = design.rule(design.prediction, accuracies.copy())
        said = (said,) if isinstance(said, str) else tuple(said)
    except InputError as error:
        raise InputError(f"the rule fails: {error}") from error
    except KeyError as error:
        columns = ", ".join(accuracies)
        raise InputError(f"the rule fails: KeyError: {first_line(error)} is none of the columns {columns}") from error
    except Exception as error:  # whatever a learner's code may raise
        raise InputError(f"the rule fails: {type(error).__name__}: {first_line(error)}") from error
    if said and all(isinstance(one, (bool, np.bool_)) for one in said):
        raise InputError(
            "the rule returns truth values; return prediction.where([…]), with one truth value for each option"
        )
    if strange := [option for option in said if option not in design.prediction.options]:
        raise InputError(f"the rule returns {strange[0]!r}; expected some of {[*design.prediction.options]}")
    return said
