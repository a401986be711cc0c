"""The predictions of the plan of the look inside, judged from the rows, for ``make_dynamics_page.py``.

Where a prediction names a size or a direction, the estimate decides: the mean over runs, each the mean over tasks.
Numbers are of networks that learned, of at least eight runs, but for prediction 6, which is about first weights. A
class *too few*, and a number of too few runs, is left out; *mixed* is not the class that was predicted; *open*
decides nothing. Where a prediction names no context, both count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd
from outcomes import Predictions, all_known, every, listed, outcome
from tables import number

from biornn_lite.dynamics_studies import COMPARED_STARTS, WHEN
from biornn_lite.dynamics_verdict import (
    ADVANTAGE,
    CONTEXT,
    EIGENVALUE,
    FEWEST,
    LOSSES,
    MIXED,
    OPEN,
    PENDING,
    TESTED,
    TOO_FEW,
    TRAINED,
    Rows,
    answers,
    classes,
    decoded,
    mechanisms,
    of_learners,
    scores,
    values_of,
)
from biornn_lite.tasks import TASKS, title_of

FIRST = WHEN[0]

predicted = Predictions()


@dataclass(frozen=True)
class Evidence:
    """What the rows say; each table is computed when it is first asked for.

    Attributes
    ----------
    rows : Rows
    """

    rows: Rows

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Numbers of each network."""
        return scores(self.rows)

    @cached_property
    def classes(self) -> pd.DataFrame:
        """Class of each start in each task."""
        return classes(self.rows)

    @cached_property
    def mechanisms(self) -> pd.DataFrame:
        """Pairs of starts, task by task."""
        return mechanisms(self.rows)

    @cached_property
    def answers(self) -> pd.DataFrame:
        """The twelve contrasts."""
        return answers(self.rows)

    def learned(self, name: str) -> pd.Series:
        """Return a column of the scores, of the networks that learned."""
        return of_learners(self.rows, self.scores[name])

    def class_of(self, study: str, start: str, task: str, what: str) -> str:
        """Return a start's class, ``too few`` or ``pending``."""
        key = (study, start, task)
        return str(self.classes.loc[key, what]) if key in self.classes.index else PENDING

    def says(self, study: str, task: str, first: str, second: str) -> tuple[str, str]:
        """Say whether two starts have the same mechanism, and why it is open."""
        names = ["study", "task", "first", "second"]
        mine = self.mechanisms[self.mechanisms[names].eq([study, task, first, second]).all(axis=1)]
        return tuple(mine[["says", "why"]].iloc[0]) if len(mine) else (PENDING, PENDING)


def of(values: pd.Series, study: str, start: str) -> pd.Series:
    """Return the values of one start in one study, index ``task, run``."""
    levels = values.index
    mine = (levels.get_level_values("study") == study) & (levels.get_level_values("start") == start)
    return values[mine].droplevel(["study", "start"])


def mean(values: pd.Series) -> float:
    """Mean over runs of the mean over tasks, of finite values; NaN with too few runs."""
    by_run = values[np.isfinite(values)].groupby("run").mean()
    return float(by_run.mean()) if len(by_run) >= FEWEST else np.nan


def means(values: pd.Series, starts: Sequence[str], studies: Sequence[str] = TESTED) -> dict[tuple[str, str], float]:
    """Return the mean of each context and start; NaN with too few runs."""
    return {(study, start): mean(of(values, study, start)) for study in studies for start in starts}


def counted(words: Iterable[str]) -> str:
    """Count words, the most frequent first."""
    return ", ".join(f"{word} {many}" for word, many in Counter(words).most_common())


def as_class(words: Iterable[str], wanted: str) -> bool | None:
    """Say whether all classes are the one that was predicted; *too few* and *pending* are left out."""
    return every(word == wanted for word in words if word not in (TOO_FEW, PENDING))


@predicted(
    "Functional, diagonal alone and 0.95 I keep their memory in *self-connections* in all tasks, with and without a "
    "penalty."
)
def _1(found):
    starts = ("functional", "diagonal alone", "0.95 I")
    words = {s: [found.class_of(s, start, task, "where") for start in starts for task in TASKS] for s in TESTED}
    text = "; ".join(f"{study}, starts and tasks: {counted(mine)}" for study, mine in words.items())
    return text, outcome(*(as_class(mine, "self-connections") for mine in words.values()))


@predicted("Orthogonal starts keep it in the *others*; without their diagonal they lose less than 0.1 of gain.")
def _2(found):
    words = {study: [found.class_of(study, "orthogonal", task, "where") for task in TASKS] for study in TESTED}
    lost = means(found.learned(LOSSES["diagonal"]), ["orthogonal"])
    text = "; ".join(f"{study}, tasks: {counted(mine)}" for study, mine in words.items())
    text += f"; lost without the diagonal: {listed(lost)}"
    return text, outcome(as_class(chain(*words.values()), "others"), all_known(lost, lambda loss: loss < 0.1))


@predicted("*Attractors* are no start's class in any task: with 400 batches, memory is *slow or moving*, or *decay*.")
def _3(found):
    words = {
        study: [found.class_of(study, start, task, "how") for start in COMPARED_STARTS for task in TASKS]
        for study in TESTED
    }
    known = [word for mine in words.values() for word in mine if word not in (TOO_FEW, PENDING)]
    text = "; ".join(f"{study}, starts and tasks: {counted(mine)}" for study, mine in words.items())
    return text, outcome(
        every(word != "attractors" for word in known),
        every(word in ("slow or moving", "decay") for word in known if word != MIXED),
    )


def at_the_end(found: Evidence, group: str, when: str = TRAINED) -> pd.Series:
    """Decoding from a group of units at the memory end, of all networks."""
    return decoded(found.rows, group, "memory end", when)


@predicted(
    "After training, the ten units with the largest self-connections tell the cue at the memory end in functional "
    "starts as well as all units (within 0.05), and better than ten at random by more than 0.1. In 0.95 I, whose "
    "self-connections began alike, the advantage is below 0.05."
)
def _4(found):
    largest = at_the_end(found, "largest self-connections")
    short = means(of_learners(found.rows, largest - at_the_end(found, "all")), ["functional"])
    more = means(found.learned(ADVANTAGE), ["functional", "0.95 I"])
    mine, other = ({key: value for key, value in more.items() if key[1] == s} for s in ("functional", "0.95 I"))
    text = f"largest self-connections minus all units: {listed(short)}; minus ten at random: {listed(more)}"
    return text, outcome(
        all_known(short, lambda apart: abs(apart) <= 0.05),
        all_known(mine, lambda advantage: advantage > 0.1),
        all_known(other, lambda advantage: advantage < 0.05),
    )


@predicted(
    "The memory eigenvalue of functional starts without a penalty rises above 0.95 by training, and stays below 1.05."
)
def _5(found):
    before, after = (of_learners(found.rows, values_of(found.rows, EIGENVALUE, "", when)) for when in WHEN)
    first, last = (means(each, ["functional"], [CONTEXT])[CONTEXT, "functional"] for each in (before, after))
    by_task = of(after, CONTEXT, "functional").groupby("task").mean()
    text = f"{number(first)} before, {number(last)} after"
    if len(by_task):
        text += f" ({', '.join(f'{title_of(task)} {number(value)}' for task, value in by_task.items())})"
        above = of(after, CONTEXT, "functional").dropna() >= 1.05
        text += f"; {above.sum()} of {len(above)} networks are at 1.05 or above"
    known = not np.isnan([first, last]).any()
    return text, outcome(bool(last > max(first, 0.95)) if known else None, bool(last < 1.05) if known else None)


@predicted(
    "Before training, the cue can be decoded at the memory end as well from functional as from orthogonal starts "
    "(within 0.1): what differs is not that the memory is there, but how it is read."
)
def _6(found):
    values = at_the_end(found, "all", FIRST)
    apart, texts = {}, []
    for name, these in (("all networks", values), ("that learn later", of_learners(found.rows, values))):
        pairs = {
            (study, "functional − orthogonal"): mean(of(these, study, "functional") - of(these, study, "orthogonal"))
            for study in TESTED
        }
        apart[name] = pairs
        texts.append(f"{name}: {listed(pairs)}")
    return "; ".join(texts), outcome(all_known(apart["all networks"], lambda difference: abs(difference) <= 0.1))


@predicted(
    "Likeness and closeness are not correlated: the mean of Mantel's correlation is within ±0.05 before and after "
    "training, for every start without a penalty, and p is below 0.05 in fewer than one in ten."
)
def _7(found):
    r, p = {}, {}
    for when in WHEN:
        for measure, into in (("mantel r", r), ("mantel p", p)):
            values = of_learners(found.rows, values_of(found.rows, measure, "memory end", when)).dropna()
            into |= {(when, start): of(values, CONTEXT, start) for start in COMPARED_STARTS}
    middle = {key: mean(values) for key, values in r.items()}
    small = {key: (v < 0.05).mean() if v.groupby("run").ngroups >= FEWEST else np.nan for key, v in p.items()}
    few = {key: v for key, v in r.items() if len(v) and np.isnan(middle[key])}
    text = f"mean r, {listed(middle)}; share of p below 0.05, {listed(small)}"
    text += "".join(
        f"; not counted for want of runs: {start}, {when}, r {number(values.mean(), 2)} ({len(values)} networks)"
        for (when, start), values in few.items()
    )
    return text, outcome(
        all_known(middle, lambda value: abs(value) <= 0.05), all_known(small, lambda share: share < 0.1)
    )


@predicted(
    "Functional and diagonal alone have the same mechanism in all three tasks; functional and orthogonal have "
    "different ones."
)
def _8(found):
    texts, parts = [], []
    for second, wanted in (("diagonal alone", "same"), ("orthogonal", "different")):
        said = {study: [found.says(study, task, "functional", second) for task in TASKS] for study in TESTED}
        known = [
            None if word == OPEN else word == wanted
            for mine in said.values()
            for word, why in mine
            if why not in (TOO_FEW, PENDING)
        ]
        parts.append(every(known))
        texts += [
            f"{second}, {study}: {counted(f'{word} ({why})' if word == OPEN else word for word, why in mine)}"
            for study, mine in said.items()
        ]
    return f"functional and {'; '.join(texts)}", outcome(*parts)


@predicted(
    "Connections between communities carry less than those within: without the former, functional starts lose less "
    "than 0.1 of gain without a penalty."
)
def _9(found):
    names = ("between communities", "within communities")
    lost = {
        (CONTEXT, name): means(found.learned(LOSSES[name]), ["functional"], [CONTEXT])[CONTEXT, "functional"]
        for name in names
    }
    between, within = (lost[CONTEXT, name] for name in names)
    known = not np.isnan([between, within]).any()
    return f"functional, lost without those {listed(lost)}", outcome(
        bool(between < within) if known else None, bool(between < 0.1) if known else None
    )
