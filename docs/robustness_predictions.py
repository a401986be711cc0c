"""The predictions of the plan of robustness, judged from the rows, for ``make_robustness_page.py``.

Where a prediction names a size or a direction, the estimate decides; where it says *better* or *no better*, the
contrast of the plan does. Reasons that a prediction gives are not judged. Where a prediction names no context, both
count; a number of fewer than ten runs is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from outcomes import Predictions, all_known, every, listed, outcome
from tables import number

from biornn_lite.psychometric import ideal_threshold
from biornn_lite.robustness import area, retained
from biornn_lite.robustness_studies import SIZES
from biornn_lite.robustness_verdict import (
    COMPARED,
    FEWEST,
    NETWORK,
    SIDES,
    Rows,
    answers,
    curve_of,
    fronts,
    gains_of,
    median_needed,
    scores,
    trials_needed,
)
from biornn_lite.tasks import TASKS, title_of

STARTS = ("functional", *COMPARED)
"""The starts of the contrasts, in the order of :data:`biornn_lite.robustness_verdict.SIDES`."""

IDENTITY_LIKE = ("functional", "diagonal alone", "0.95 I")

PUBLISHED, FREE = "published penalty", "no penalty"

predicted = Predictions()


@dataclass(frozen=True)
class Evidence:
    """What the rows say.

    Attributes
    ----------
    rows : Rows
    gains, scores, answers : DataFrame
        Of :func:`biornn_lite.robustness_verdict.gains_of`, ``scores`` and ``answers``.
    """

    rows: Rows
    gains: pd.DataFrame
    scores: pd.DataFrame
    answers: pd.DataFrame

    @classmethod
    def of(cls, rows: Rows) -> Evidence:
        """Compute it from the rows."""
        return cls(rows, gains_of(rows), scores(rows), answers(rows))

    def says(self, score: str, context: str) -> dict[str, str]:
        """What the contrasts of a score say in one context: ``better``, ``no better`` or ``unclear``; or nothing."""
        mine = self.answers[(self.answers["score"] == score) & (self.answers["context"] == context)]
        return dict(zip(mine["against"], mine["says"], strict=True))

    def contrast(self, score: str, context: str, against: str) -> pd.Series | None:
        """Return the contrast of a score in one context; None where it has no rows yet."""
        mine = (self.answers[["score", "context", "against"]] == [score, context, against]).all(axis=1)
        return self.answers[mine].iloc[0] if mine.any() else None

    def kept(self, context: str, start: str, value: Callable[[pd.DataFrame], np.ndarray]) -> pd.Series:
        """Return a retained number of the networks of one start that learned, index ``task, run``."""
        gains = self.gains[mine_of(self.gains, context, SIDES[context][STARTS.index(start)])]
        return pd.Series(value(gains), gains.index.droplevel(["study", "variant"]), dtype=float).dropna()


def mine_of(table: pd.DataFrame | pd.Series, study: str, variant: str) -> np.ndarray:
    """Mark the networks of one study and variant, which are levels of the index."""
    levels = table.index
    return (levels.get_level_values("study") == study) & (levels.get_level_values("variant") == variant)


def at(measure: str, *severities: float) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return a function that takes gains to the retained gain at a severity, or the mean of several."""

    def value(gains: pd.DataFrame) -> np.ndarray:
        points = [("undisturbed", 0.0), *((measure, severity) for severity in severities)]
        return retained(gains[points].to_numpy().T)[1:].mean(0)

    return value


def area_of(measure: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return a function that takes gains to the retained area of a disturbance."""
    return lambda gains: area(retained(curve_of(gains, measure)))


def mean(values: pd.Series) -> float:
    """Mean over runs of the mean over tasks; NaN with too few runs."""
    by_run = values.groupby("run").mean()
    return float(by_run.mean()) if len(by_run) >= FEWEST else np.nan


def apart(found: Evidence, context: str, first: str, second: str, value: Callable) -> float:
    """Mean paired difference of a retained number, of networks of which both learned; NaN with too few runs."""
    return mean((found.kept(context, first, value) - found.kept(context, second, value)).dropna())


def left(found: Evidence, starts: Sequence[str], value: Callable, contexts: Sequence[str] = tuple(SIDES)) -> dict:
    """Return the mean retained number of each context and start; NaN with too few runs."""
    return {(context, start): mean(found.kept(context, start, value)) for context in contexts for start in starts}


def as_expected(says: dict[str, str], expected: dict[str, str]) -> bool | None:
    """Compare what contrasts say with what was expected; *unclear* decides nothing."""
    return every({"unclear": None}.get(said := says.get(k, "unclear"), said == word) for k, word in expected.items())


NOT_SUPPORTED = {"orthogonal": "no better"}
ANY_IDENTITY_LIKE = {"orthogonal": "better", "diagonal alone": "no better", "0.95 I": "no better"}


def told(found: Evidence, score: str, context: str) -> str:
    """What the contrasts of a claim say in one context."""
    says = found.says(score, context)
    return f"{context}: " + (", ".join(f"{said} (− {name})" for name, said in says.items()) or "pending")


def too_few(found: Evidence, score: str) -> tuple[str, bool | None]:
    """Say whether too few orthogonal networks learn at the published penalty."""
    row = found.contrast(score, PUBLISHED, "orthogonal")
    if row is None:
        return "pending", None
    return f"{row['runs']} runs in which both learn", bool(row["runs"] < FEWEST)


@predicted(
    "*Less data*: holds for any identity-like start at the published penalty, where orthogonal starts do not learn; "
    "not supported without a penalty."
)
def _1(found):
    text = "; ".join(told(found, "less data", context) for context in (PUBLISHED, FREE))
    return text, outcome(
        as_expected(found.says("less data", PUBLISHED), ANY_IDENTITY_LIKE),
        as_expected(found.says("less data", FREE), NOT_SUPPORTED),
    )


@predicted("Trials needed differ between functional and diagonal alone by less than one step in every task.")
def _2(found):
    needed, texts, parts = trials_needed(found.rows), [], []
    sides = {context: [SIDES[context][STARTS.index(name)] for name in IDENTITY_LIKE[:2]] for context in SIDES}
    for context, task in ((context, task) for context in SIDES for task in TASKS):
        of = needed[(needed["study"] == context) & (needed["task"] == task)]
        trials = [of.loc[of["variant"] == name, "trials"] for name in sides[context]]
        if min(map(len, trials)) == 0:
            parts.append(None)
            continue
        medians = [median_needed(each)[0] for each in trials]
        parts.append(medians[0] == medians[1] if np.isfinite(medians).all() else None)
        texts.append(f"{context}, {title_of(task)} " + " and ".join(map(trials_text, medians)))
    floor = f"; {min(SIZES)} are the fewest that were tried, a floor" if any("128" in text for text in texts) else ""
    return f"medians: {'; '.join(texts)}{floor}" if texts else "pending", outcome(every(parts))


def trials_text(trials: float) -> str:
    """Set a number of trials; infinite is above the largest."""
    return f"above {max(SIZES):,}" if np.isinf(trials) else f"{trials:,.0f}"


@predicted(
    "*Robust*: too few orthogonal networks learn at the published penalty, so open there; not supported without a "
    "penalty. Functional is no better than diagonal alone."
)
def _3(found):
    few, open_there = too_few(found, "robust")
    diagonal = [found.says("robust", context).get("diagonal alone", "unclear") for context in SIDES]
    text = f"functional − orthogonal, {PUBLISHED}: {few}; {told(found, 'robust', FREE)}; "
    text += f"− diagonal alone: {' and '.join(diagonal)}"
    return text, outcome(
        open_there,
        as_expected(found.says("robust", FREE), NOT_SUPPORTED),
        every({"unclear": None}.get(said, said == "no better") for said in diagonal),
    )


@predicted(
    "Cutting self-connections takes more than half of the gain of functional starts and of 0.95 I; cutting all "
    "others takes less at the published penalty. Orthogonal starts hardly notice the first."
)
def _4(found):
    selves = left(found, ("functional", "0.95 I"), at("self-connections cut", 1.0))
    others = left(found, ("functional", "0.95 I"), at("others cut", 1.0), [PUBLISHED])
    orthogonal = left(found, ["orthogonal"], at("self-connections cut", 1.0))
    text = f"left without self-connections: {listed(selves)}; without the others (judged against half): "
    text += f"{listed(others)}; orthogonal without self-connections: {listed(orthogonal)}"
    return text, outcome(
        all_known(selves, lambda share: share < 0.5),
        all_known(others, lambda share: share > 0.5),
        all_known(orthogonal, lambda share: share > 0.9),
    )


@predicted("Strongest first hurts identity-like starts more than orthogonal ones, in units and in synapses.")
def _5(found):
    texts, parts = [], []
    for what in ("units silenced", "synapses cut"):
        value = area_of(f"{what}, strongest first")
        differences = {
            (context, f"{start} − orthogonal"): apart(found, context, start, "orthogonal", value)
            for context in SIDES
            for start in IDENTITY_LIKE
        }
        texts.append(f"{what}, difference in retained area: {listed(differences)}")
        parts.append(all_known(differences, lambda difference: difference < 0))
    texts.append("an area of 0.07 is left where all is lost at the first severity")
    return "; ".join(texts), outcome(*parts)


@predicted(
    "4 bits per row cost less than 0.05 of gain everywhere. Per matrix at 3 bits and less, functional starts lose "
    "more than 0.95 I."
)
def _6(found):
    undisturbed = found.gains[("undisturbed", 0.0)]
    lost = {
        f"{matrices} weights, {context}, {variant.split(' | ')[0]}": values.mean()
        for matrices in ("recurrent", "all")
        for (context, variant), values in (undisturbed - found.gains[(f"bits, {matrices}, per row", 4.0)])
        .dropna()
        .groupby(["study", "variant"])
    }
    most = max(lost, key=lost.get, default=None)
    value = at("bits, recurrent, per matrix", 3.0, 2.0, 1.0)
    differences = {
        (context, "functional − 0.95 I"): apart(found, context, "functional", "0.95 I", value) for context in SIDES
    }
    text = f"4 bits cost at most {number(lost[most], 2)} (`{most}`); " if lost else ""
    text += f"retained at 3 to 1 bits, difference: {listed(differences)}"
    return text, outcome(
        lost[most] < 0.05 if lost else None, all_known(differences, lambda difference: difference < 0)
    )


@predicted(
    "At the published penalty, identity-like starts keep more than 90 % of their gain with 5 % of the weights; "
    "without it, none does without retraining."
)
def _7(found):
    paid, free = (left(found, IDENTITY_LIKE, at("pruned", 0.05), [context]) for context in (PUBLISHED, FREE))
    text = f"left without retraining: {listed(paid | free)}; points on the fronts, all tasks: {front_text(found)}"
    return text, outcome(all_known(paid, lambda share: share > 0.9), all_known(free, lambda share: share <= 0.9))


def front_text(found: Evidence) -> str:
    """Count the points on the fronts of wiring, and those of functional starts, by context."""
    table = fronts(found.rows)
    best = table[table["front"]]
    functional = best["variant"].str.startswith(("W*", "functional |")).groupby(best["study"]).agg(["sum", "size"])
    return "; ".join(f"{study}: {row['sum']} of {row['size']} are functional" for study, row in functional.iterrows())


@predicted("*Stable*: 0.95 I keeps its answer longer than functional starts; not supported.")
def _8(found):
    rows = {(context, "functional − 0.95 I"): found.contrast("stable", context, "0.95 I") for context in SIDES}
    differences = {key: np.nan if row is None else row["difference"] for key, row in rows.items()}
    text = f"{listed(differences)}; " + "; ".join(told(found, "stable", context) for context in SIDES)
    return text, outcome(
        all_known(differences, lambda difference: difference < 0),
        every(as_expected(found.says("stable", context), NOT_SUPPORTED) for context in SIDES),
    )


@predicted(
    "*Edge*: open at the published penalty for want of orthogonal networks that learn; not supported without a "
    "penalty."
)
def _9(found):
    few, open_there = too_few(found, "edge")
    text = f"functional − orthogonal, {PUBLISHED}: {few}; {told(found, 'edge', FREE)}"
    return text, outcome(open_there, as_expected(found.says("edge", FREE), NOT_SUPPORTED))


@predicted(
    "No threshold is below the ideal observer's. Those of functional starts and 0.95 I are within a factor of 1.5 of "
    "each other."
)
def _10(found):
    measures = found.rows.measures
    thresholds = measures[measures["measure"] == "threshold"].set_index(NETWORK)["value"]
    if thresholds.empty:
        return "pending", outcome(None, None)
    ideal = ideal_threshold()
    below = int((thresholds < ideal).sum())
    ratios = {}
    for context in SIDES:
        names = [SIDES[context][STARTS.index(name)] for name in ("functional", "0.95 I")]
        of = [thresholds[mine_of(thresholds, context, name)] for name in names]
        medians = [np.median(each) if len(each) >= FEWEST else np.nan for each in of]
        ratios[context, "functional / 0.95 I"] = medians[0] / medians[1] if np.isfinite(medians).all() else np.nan
    text = (
        f"{below} of {len(thresholds)} are below {number(ideal, 2)} %, the lowest is {number(thresholds.min(), 2)} %"
    )
    text += f"; medians: {listed(ratios)}"
    return text, outcome(below == 0, all_known(ratios, lambda ratio: 1 / 1.5 < ratio < 1.5))
