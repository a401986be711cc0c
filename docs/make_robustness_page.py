"""Write ``robustness.md`` and its figures from the rows: ``python docs/make_robustness_page.py``.

The page's words stand in ``robustness.template.md``, the figures in it are filled in here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pictures import write_page
from robustness_predictions import Evidence, mine_of, predicted, trials_text
from tables import NOT_YET, folded, number, over_runs, p_value, share, table, told

from biornn_lite.figures import robustness as drawn
from biornn_lite.figures.pareto import front_figure
from biornn_lite.pruning import KEPT_RETRAINED
from biornn_lite.psychometric import COHERENCES, ideal_by_coherence, ideal_threshold
from biornn_lite.results import ceilings
from biornn_lite.robustness import DISTURBANCES, area, retained
from biornn_lite.robustness_studies import SIZES, STUDIES, parts, variants_of
from biornn_lite.robustness_verdict import (
    CLAIMS,
    COMPARED,
    EDGE,
    FAMILIES,
    MAIN,
    NETWORK,
    SEVERITIES,
    SIDES,
    Rows,
    answers,
    contrast,
    curve_of,
    curve_table,
    data_table,
    fronts,
    gains_by_epoch,
    load_robustness,
    measure_table,
    median_needed,
    needed_table,
    of_all_sizes,
    psychometric_table,
    share_that_needs_more,
    shown_rows,
    threshold_table,
    trials_needed,
    verdicts,
)
from biornn_lite.stability import LENGTHS
from biornn_lite.tasks import PERCEPTUAL, TASKS, title_of

HERE = Path(__file__).parent

EPOCHS = (1, 2, 5, 10)
"""Epochs of the learning curves that are shown."""

WITHOUT_A_TEST = ("W*D*C", "WD*C")
"""A contrast that the plan shows without a test."""

ALL_WEIGHTS = [name for name in DISTURBANCES if name.startswith("bits, all")]
"""Disturbances that have curves and that no family counts."""

Lines = dict[tuple[str, str], list[str]]
"""The cells of a table by study and variant."""


# Cells and lines


def every_variant() -> list[tuple[str, str]]:
    """List study and variant of all networks of the plan."""
    return [(study, v if isinstance(v, str) else v.name) for study in STUDIES for v in variants_of(study)]


def decisive(study: str, variant: str) -> bool:
    """Say whether a variant is one of the contrasts, or functional without its diagonal."""
    return variant in SIDES[study] or variant.startswith("functional without diagonal")


def label(variant: str) -> str:
    """Name a variant: a published one by its letters, another by its start."""
    start, *rest = variant.split(" | ")
    return start if rest else f"`{start}`"


def lines_of(values: pd.DataFrame | pd.Series, cells: Callable[[pd.DataFrame], list[str]]) -> Lines:
    """Make the cells of each variant that has rows."""
    groups = {names: values[mine_of(values, *names)] for names in every_variant()}
    return {names: cells(group) for names, group in groups.items() if len(group)}


def in_columns(values: pd.DataFrame, digits: int = 2) -> Lines:
    """Make lines whose cells are means over runs of columns; lines without any value are left out."""
    return lines_of(values.dropna(how="all"), lambda group: [over_runs(group[name], digits) for name in group])


def short(head: Sequence[str], lines: Lines) -> str:
    """Set the lines of the decisive starts."""
    return whole(head, {names: cells for names, cells in lines.items() if decisive(*names)})


def whole(head: Sequence[str], lines: Lines) -> str:
    """Set all lines."""
    if not lines:
        return NOT_YET
    return table(["context", "start", *head], [[study, label(v), *cells] for (study, v), cells in lines.items()])


def both(head: Sequence[str], lines: Lines, summary: str = "All starts") -> str:
    """Set the decisive lines, and all of them folded away."""
    return f"{short(head, lines)}\n{folded(summary, whole(head, lines))}" if lines else NOT_YET


# Verdict and contrasts


def in_figures(answers: pd.DataFrame, claim: str) -> str:
    """One sentence of figures: functional minus what it is compared with."""
    mine = answers[answers["claim"] == claim]
    of_contexts = [
        f"{context}: " + ", ".join(f"− {row['against']} {told(row)}" for _, row in group.iterrows())
        for context, group in mine.groupby("context", sort=False)
    ]
    return f"functional, {'; '.join(of_contexts)}" if of_contexts else "–"


def verdict_table(answers: pd.DataFrame) -> str:
    """One line for each claim."""
    lines = [
        [f"*{claim}*", *(row[context] for context in SIDES), f"**{row['word']}**", in_figures(answers, claim)]
        for claim, row in verdicts(answers).iterrows()
    ]
    return table(["claim", *SIDES, "verdict", "in figures"], lines)


def contrasts_table(found: Evidence, names: Sequence[str]) -> str:
    """All contrasts of some scores."""
    lines = []
    for score in names:
        for _, row in found.answers[found.answers["score"] == score].iterrows():
            ps = ["–" if pd.isna(row[p]) else p_value(row[p]) for p in ("p_holm", "p_equivalence")]
            cells = [score, f"functional − {row['against']}", row["context"], row["runs"], row["pairs"]]
            lines.append([*map(str, cells), told(row), *ps, f"**{row['says']}**"])
        lines += untested(found, score)
    head = ["number", "first − second", "context", "runs", "networks", "difference", "p (Holm)", "p (equivalence)"]
    return table([*head, "says"], lines) if lines else NOT_YET


def untested(found: Evidence, score: str) -> list[list[str]]:
    """Set the contrast that the plan shows without a test, if it has rows."""
    mine = found.scores[found.scores["study"] == "published penalty"]
    measured = mine[mine[f"{score.removesuffix(' (all)')} (all)"].notna()]
    if not set(WITHOUT_A_TEST) <= set(measured["variant"]):
        return []
    row = pd.Series({"difference": np.nan} | contrast(measured, *WITHOUT_A_TEST, score))
    names = " − ".join(f"`{name}`" for name in WITHOUT_A_TEST)
    return [
        [score, names, "published penalty", f"{row['runs']}", f"{row['pairs']}", told(row), "–", "–", "not tested"]
    ]


def by_task_table(found: Evidence) -> str:
    """The contrasts of the retained scores, task by task."""
    lines = []
    for score, (context, (functional, *others)) in product(("robust", "stable", "edge"), SIDES.items()):
        mine = found.scores[found.scores["study"] == context]
        for against, variant in zip(COMPARED, others, strict=True):
            both_learn = [contrast(mine[mine["task"] == task], functional, variant, score) for task in TASKS]
            cells = [told(pd.Series({"difference": np.nan} | each)) for each in both_learn]
            lines.append([score, f"functional − {against}", context, *cells])
    return table(["number", "first − second", "context", *map(title_of, TASKS)], lines)


# Less data


def sizes_table(rows: Rows) -> str:
    """Mean gain by number of training trials, of the runs that have all of them."""
    gains = of_all_sizes(rows.networks).pivot_table("gain", NETWORK, "part")
    sizes = sorted(SIZES)
    gains = gains.reindex(columns=[f"{size} trials" for size in sizes])
    return both([f"{size:,}" for size in sizes], in_columns(gains))


def learners_table(rows: Rows) -> str:
    """How many learn each task with each number of trials, and their median gain."""
    found = data_table(rows).set_index(["study", "variant", "task", "trials"])
    lines = []
    for (study, variant), task in ((names, task) for names in every_variant() for task in TASKS):
        keys = [(study, variant, task, size) for size in sorted(SIZES)]
        if any(key in found.index for key in keys):
            cells = [learners(found.loc[key]) if key in found.index else "–" for key in keys]
            lines.append([study, label(variant), title_of(task), *cells])
    return table(["context", "start", "task", *(f"{size:,}" for size in sorted(SIZES))], lines)


def learners(row: pd.Series) -> str:
    """Networks that learn, and the median gain."""
    return f"{share(int(row['learned']), int(row['networks']))}; {number(row['median'], 2)}"


def trials_span(trials: Sequence[float]) -> str:
    """Median number of trials needed, with its interval."""
    if not len(trials):
        return "–"
    middle, low, high = map(trials_text, median_needed(trials))
    return middle if low == high else f"{middle} [{low}, {high}]"


def needed_tables(rows: Rows) -> str:
    """Medians of the trials needed, and folded away the shares that need more."""
    needed = trials_needed(rows).set_index(NETWORK)["trials"]
    titles = [title_of(task) for task in TASKS]
    medians = lines_of(
        needed, lambda group: [trials_span(group[group.index.get_level_values("task") == task]) for task in TASKS]
    )
    if not medians:
        return NOT_YET
    lines = []
    for (study, variant), task in ((names, task) for names in medians for task in TASKS):
        mine = needed[mine_of(needed, study, variant)]
        mine = mine[mine.index.get_level_values("task") == task]
        if len(mine):
            cells = [number(left, 2) for left in share_that_needs_more(mine)]
            lines.append([study, label(variant), title_of(task), *cells])
    shares = table(["context", "start", "task", *(f"> {size:,}" for size in sorted(SIZES))], lines)
    return f"{both(titles, medians)}\n{folded('Share of networks that need more (Kaplan–Meier)', shares)}"


def epochs_table(rows: Rows) -> str:
    """Gain after some epochs, of the networks with the most training trials."""
    gains = gains_by_epoch(rows)
    if gains.empty:
        return NOT_YET
    names = [f"{epoch} epoch{'s' * (epoch > 1)}" for epoch in EPOCHS]
    return both(names, in_columns(gains[list(EPOCHS)]))


# Disturbances


def families_tables(found: Evidence) -> str:
    """Areas of the four families: retained by those that learned, and of all networks."""
    scores = found.scores.set_index(NETWORK)
    names = [*FAMILIES, "robust"]
    kept, plain = (in_columns(scores[[name + end for name in names]]) for end in ("", " (all)"))
    counts = lines_of(scores["learns"], lambda group: [f"{int(group.sum())} of {len(group)}"])
    kept = {key: [*cells, *kept.get(key, ["–"] * len(names))] for key, cells in counts.items()}
    first = both(["learn", *names], kept, "All starts, retained area")
    return f"{first}\n{folded('Area of the gain itself, all networks', whole(names, plain))}"


def areas_table(found: Evidence, measures: Sequence[str]) -> str:
    """Areas of single disturbances: retained, and of all networks."""
    curves = {name: curve_of(found.gains, name) for name in measures}
    kept, plain = (
        in_columns(pd.DataFrame({name: area(of(curve)) for name, curve in curves.items()}, found.gains.index))
        for of in (retained, np.asarray)
    )
    first = both(list(measures), kept, "All starts, retained area")
    return f"{first}\n{folded('Area of the gain itself, all networks', whole(list(measures), plain))}"


def severity_text(measure: str, severity: float) -> str:
    """Set a severity in its unit."""
    if measure.startswith("bits"):
        return f"{severity:g} bit{'s' * (severity > 1)}"
    return f"{100 * severity:g} %" if measure.startswith(("units", "synapses", "pruned")) else f"{severity:g}"


def curves_tables(found: Evidence, measures: Sequence[str]) -> str:
    """Gain of all networks by severity, folded away, a table for each disturbance."""
    blocks = []
    for name in measures:
        levels = DISTURBANCES[name].severities
        points = [("undisturbed", 0.0), *((name, float(level)) for level in levels)]
        head = ["undisturbed", *(severity_text(name, level) for level in levels)]
        blocks.append(folded(f"Gain by severity: {name}", whole(head, in_columns(found.gains[points]))))
    return "\n".join(blocks)


def retained_table(found: Evidence, points: Sequence[tuple[str, float]], head: Sequence[str]) -> str:
    """Retained gain at points, of the networks that learned."""
    values = retained(found.gains[[("undisturbed", 0.0), *points]].to_numpy().T)[1:].T
    return both(list(head), in_columns(pd.DataFrame(values, found.gains.index, list(head))))


def cut_table(found: Evidence) -> str:
    """What is left without self-connections, and without the others."""
    points = [("self-connections cut", 1.0), ("others cut", 1.0)]
    return retained_table(found, points, ["without self-connections", "without the others"])


def pruned_table(found: Evidence) -> str:
    """What pruned networks keep, without and with retraining."""
    points = [("pruned", float(level)) for level in DISTURBANCES["pruned"].severities]
    points += [("pruned and retrained", level) for level in KEPT_RETRAINED]
    head = [f"{100 * level:g} %{', retrained' * name.endswith('retrained')}" for name, level in points]
    return retained_table(found, points, head)


def edge_table(found: Evidence) -> str:
    """The points of the claim *edge*."""
    head = [f"{level:g} bits" if level > 1 else f"{100 * level:g} %, retrained" for _, level in EDGE]
    return retained_table(found, EDGE, head)


def front_table(rows: Rows, cost: str) -> str:
    """The points that no other beats, per context and task."""
    costs = {what: fronts(rows, what) for what in ("wiring", "synapses")}
    points = costs[cost].assign(**{what: of["cost"] for what, of in costs.items()})
    best = points[points["front"]].sort_values(["study", "task", "cost"])
    lines = []
    for _, row in best.iterrows():
        low, high = ceilings(row["task"], "test")
        kept = f"{100 * row['kept']:g} %{', retrained' * bool(row['retrained'])}"
        cells = [f"{row['synapses']:,.0f}", f"{row['wiring'] / 1000:,.1f}", number(row["accuracy"])]
        ends = f"{number(low)} to {number(high)}"
        lines.append([row["study"], title_of(row["task"]), label(row["variant"]), kept, *cells, ends])
    head = [
        "context",
        "task",
        "start",
        "kept",
        "synapses",
        "wiring (mm)",
        "accuracy",
        "without memory to best possible",
    ]
    return table(head, lines) if lines else NOT_YET


# Stability


def measured(rows: Rows, names: Sequence[str]) -> pd.DataFrame:
    """Return single measures of the networks with the most training trials, a column each."""
    mine = rows.measures[(rows.measures["part"] == MAIN) & rows.measures["measure"].isin(names)]
    return mine.pivot_table("value", NETWORK, "measure").reindex(columns=list(names))


def after_table(found: Evidence, how: str) -> str:
    """Retained gain of the readout after the trial."""
    points = [(f"after the trial, {how}", float(length)) for length in LENGTHS]
    return retained_table(found, points, [f"{length} trial length{'s' * (length > 1)}" for length in LENGTHS])


def stability_tables(found: Evidence) -> str:
    """Boundedness, consistency and noise share: of those that learned, and of all."""
    head = {
        "bounded, silence": "bounded, silence",
        "bounded, noise": "bounded, noise",
        "consistency": "same answer again",
        "accuracy, repeated": "accuracy",
        "noise share": "noise share",
    }
    values = measured(found.rows, list(head))
    learned = values[found.scores.set_index(NETWORK)["learns"].reindex(values.index)]
    first = both(list(head.values()), in_columns(learned), "All starts, networks that learned")
    return f"{first}\n{folded('All networks', whole(list(head.values()), in_columns(values)))}"


def entropy_table(rows: Rows) -> str:
    """Entropies of states beside that of weights, in bits."""
    values = measured(rows, ["dimension entropy", "state entropy"])
    weights = rows.networks[rows.networks["part"] == MAIN].set_index(NETWORK)["entropy"]
    head = ["states: shares of variance", "states: the paper's formula", "weights: the paper's formula"]
    return both(head, in_columns(values.assign(weights=weights.reindex(values.index))))


# Psychometric curves


def median_text(values: Sequence[float]) -> str:
    """Median with a bootstrap interval over runs; infinite values are above all others."""
    found = [f"above {max(COHERENCES):g}" if np.isinf(v) else number(v, 2) for v in median_needed(values)]
    return found[0] if found[1] == found[2] else f"{found[0]} [{found[1]}, {found[2]}]"


def thresholds_table(rows: Rows) -> str:
    """Thresholds with intervals, how many are censored, and lapses."""
    values = measured(rows, ["threshold", "lapses"])

    def cells(group: pd.DataFrame) -> list[str]:
        thresholds = group["threshold"].to_numpy()
        censored = f"{np.isinf(thresholds).sum()} of {len(thresholds)}"
        return [median_text(thresholds), censored, number(group["lapses"].median(), 2)]

    return both(["median threshold (% coherence)", "censored", "median lapses"], lines_of(values, cells))


def accuracies_by_coherence(rows: Rows) -> str:
    """Accuracy by coherence, with the ideal observer in the last line."""
    mine = rows.measures[rows.measures["measure"] == "psychometric"]
    values = mine.assign(severity=mine["severity"].round(6)).pivot_table("value", NETWORK, "severity")
    lines = in_columns(values.reindex(columns=COHERENCES))
    ideal = table(["coherence (%)", "accuracy"], [
        [f"{coherence:g}", number(best)] for coherence, best in zip(COHERENCES, ideal_by_coherence(), strict=True)
    ])  # fmt: skip
    curves = folded("Accuracy by coherence", whole([f"{coherence:g} %" for coherence in COHERENCES], lines))
    return f"{curves}\n{folded('The ideal observer', ideal)}"


# What is there


def runs_table(rows: Rows) -> str:
    """Networks planned and there, by study and number of training trials."""
    lines = []
    for study in STUDIES:
        for part in parts(study):
            planned = len(part.variants) * len(part.tasks) * part.runs
            mine = rows.networks[(rows.networks["study"] == study) & (rows.networks["part"] == part.name)]
            runs = mine.groupby(["variant", "task"])["seed"].nunique()
            there = " to ".join(dict.fromkeys((f"{runs.min()}", f"{runs.max()}"))) if len(mine) else "0"
            which = f"{mine['run'].min()}–{mine['run'].max()} of 0–{part.runs - 1}" if len(mine) else "–"
            diverged = int((mine["status"] == "diverged").sum())
            lines.append([study, f"{part.name}", f"{planned:,}", f"{len(mine):,}", there, which, f"{diverged}"])
    return table(
        ["context", "training", "networks planned", "there", "runs of each kind", "which", "diverged"], lines
    )


def planned() -> int:
    """Count the networks of the plan."""
    return sum(len(part.variants) * len(part.tasks) * part.runs for study in STUDIES for part in parts(study))


def state(rows: Rows) -> str:
    """Say how much of the plan is there."""
    there, wanted = len(rows.networks), planned()
    if there == wanted:
        return f"All {wanted:,} networks of the plan are there."
    return (
        f"**{there:,} of the {wanted:,} networks of the plan are there**; what the others change is not known. "
        "*Pending* stands where a start of the contrasts has no rows."
    )


def sentences(found: Evidence) -> dict[str, str]:
    """Numbers in the page's text."""
    return {
        "networks": f"{len(found.rows.networks):,}",
        "plan": ", ".join(f"`{digest}`" for digest in found.rows.networks["plan"].unique()),
        "state": state(found.rows),
        "ideal": number(ideal_threshold(), 2),
        **predicted.counts(found),
    }


def compose(rows: Rows | None = None) -> str:
    """Fill the page in from the rows; those that are shipped if no others are given."""
    found = Evidence.of(load_robustness() if rows is None else rows)
    rows = found.rows
    template = (HERE / "robustness.template.md").read_text(encoding="utf-8")
    exploratory = [*FAMILIES, *(f"{claim} (all)" for claim in CLAIMS[1:])]
    return (
        "<!-- Written by make_robustness_page.py from robustness.template.md and the rows; edit the template. -->\n"
        + template.format(
            verdicts=verdict_table(found.answers),
            **{f"contrasts_{claim.replace(' ', '_')}": contrasts_table(found, [claim]) for claim in CLAIMS},
            contrasts_exploratory=contrasts_table(found, exploratory),
            by_task=folded("The contrasts by task", by_task_table(found)),
            common=of_all_sizes(rows.networks)["run"].nunique(),
            sizes=sizes_table(rows),
            learners=folded("Networks that learn, and median gain, by task", learners_table(rows)),
            needed=needed_tables(rows),
            epochs=epochs_table(rows),
            families=families_tables(found),
            **{
                f"areas_{family}": areas_table(found, FAMILIES[family]) for family in ("noise", "damage", "precision")
            },
            **{f"curves_{family}": curves_tables(found, measures) for family, measures in FAMILIES.items()},
            curves_all_weights=curves_tables(found, ALL_WEIGHTS),
            cut=cut_table(found),
            pruned=pruned_table(found),
            front_wiring=folded("Front: accuracy against wiring", front_table(rows, "wiring")),
            front_synapses=folded("Front: accuracy against synapses", front_table(rows, "synapses")),
            after=after_table(found, "noise"),
            after_silence=folded("The same without input", after_table(found, "silence")),
            stability=stability_tables(found),
            entropy=entropy_table(rows),
            edge=edge_table(found),
            thresholds=thresholds_table(rows),
            psychometric=accuracies_by_coherence(rows),
            predictions=table(["", "prediction", "found", "outcome"], predicted.rows(found)),
            runs=runs_table(rows),
            **sentences(found),
        )
    )


def figures() -> dict[str, Figure]:
    """Draw the figures of the page, by the stems of their files."""
    rows = shown_rows(load_robustness())
    curves = curve_table(rows, tuple(SEVERITIES))
    bounded = measure_table(rows, list(drawn.BOUNDED))
    return {
        "robustness_claims": drawn.claims_figure(answers(rows)),
        "robustness_less_data": drawn.less_data_figure(data_table(rows), "no penalty"),
        "robustness_trials_needed": drawn.trials_needed_figure(needed_table(trials_needed(rows)), "no penalty"),
        "robustness_disturbances": drawn.degradation_sheet(curves, "no penalty", PERCEPTUAL, retained=True),
        "robustness_front": front_figure(fronts(load_robustness()), "published penalty"),
        "robustness_stability": drawn.stability_figure(curves, bounded, "no penalty", retained=True),
        "robustness_psychometric": drawn.psychometric_figure(
            psychometric_table(rows), threshold_table(rows), "no penalty"
        ),
    }


if __name__ == "__main__":
    mpl.use("Agg")
    write_page("robustness.md", compose(), figures())
