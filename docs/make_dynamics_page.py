"""Write ``dynamics.md`` and its figures from the rows: ``python docs/make_dynamics_page.py``.

The page's words stand in ``dynamics.template.md``, the figures and the words of the answer are filled in here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from dynamics_predictions import Evidence, counted, of, predicted
from matplotlib.figure import Figure
from pictures import write_page
from tables import NOT_YET, folded, number, over_runs, p_value, span, table, told

from biornn_lite.dynamics import FATES, LENGTHS, TIMES, memory_phases
from biornn_lite.dynamics_studies import COMPARED_STARTS, OTHER_STARTS, RUNS, STUDIES, WHEN
from biornn_lite.dynamics_verdict import (
    ADVANTAGE,
    CONTEXT,
    EIGENVALUE,
    LOSSES,
    MIXED,
    NETWORK,
    OPEN,
    PENDING,
    TESTED,
    TOO_FEW,
    Rows,
    before_and_after,
    class_counts,
    class_of,
    decoded,
    decoding_table,
    load_dynamics,
    losses_table,
    of_learners,
    values_of,
)
from biornn_lite.figures import dynamics as drawn
from biornn_lite.memory import GROUPS
from biornn_lite.tasks import TASKS, get_task, title_of

HERE = Path(__file__).parent

ANSWERED = "go_nogo"
"""The task of the answer."""

GROUPS_SHOWN = (*GROUPS[:-1], "communities (mean)", "communities (best)")

FREE, PENALTY = TESTED


# Cells and lines


def label(study: str, start: str) -> str:
    """Name a start, with the published name of its variant if it has one."""
    published = {"functional": "`W*D*C*`", "relabelled": "`W!D*C*`", "orthogonal": "`WD*C*`"}
    return f"{start}, {published[start]}" if study == PENALTY and start in published else start


def finite_mean_text(values: pd.Series, digits: int = 2) -> str:
    """Set the mean over runs of finite values with its interval."""
    return over_runs(values[np.isfinite(values)], digits)


RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_words(value: float, digits: int = 2) -> str:
    """Set a number that may be infinite or very large."""
    if np.isinf(value):
        return "infinite"
    if abs(value) >= 1e6:
        factor, power = f"{value:.0e}".split("e")
        return f"{factor} · 10{f'{int(power)}'.translate(RAISED)}"
    return f"{value:,.0f}" if abs(value) >= 1000 else number(value, digits)


def median_text(values: pd.Series, digits: int = 2) -> str:
    """Set the median and the quartiles; infinite values are above all others."""
    values = values.dropna()
    if values.empty:
        return "–"
    low, middle, high = (in_words(v, digits) for v in np.quantile(values, (0.25, 0.5, 0.75), method="inverted_cdf"))
    return middle if low == high else f"{middle} ({low} to {high})"


def share_text(values: pd.Series) -> str:
    """Set how many of some truth values hold."""
    return f"{int(values.sum())} of {len(values)}" if len(values) else "–"


Cell = Callable[[pd.Series], str]


def lines(
    found: Evidence,
    columns: Mapping[str, pd.Series],
    cell: Cell | Mapping[str, Cell] = finite_mean_text,
    studies: Sequence[str] = TESTED,
    starts: Sequence[str] = COMPARED_STARTS,
) -> str:
    """Set a table with a line for each context and start that has rows, and a column for each number of networks."""
    there = set(found.rows.networks[["study", "start"]].itertuples(index=False, name=None))
    rows = []
    for study, start in ((study, start) for study in studies for start in starts if (study, start) in there):
        cells = [
            (cell[name] if isinstance(cell, Mapping) else cell)(of(values, study, start))
            for name, values in columns.items()
        ]
        rows.append([study, label(study, start), *cells])
    return table(["context", "start", *columns], rows) if rows else NOT_YET


def by_task(found: Evidence, columns: Mapping[str, pd.Series], cell: Cell = finite_mean_text) -> str:
    """Set the same numbers task by task."""
    there = found.classes.index
    rows = [
        [study, label(study, start), title_of(task)]
        + [
            cell(of(v, study, start)[lambda s, t=task: s.index.get_level_values("task") == t])
            for v in columns.values()
        ]
        for study in TESTED
        for start in COMPARED_STARTS
        for task in TASKS
        if (study, start, task) in there
    ]
    return table(["context", "start", "task", *columns], rows) if rows else NOT_YET


# The answer


def class_text(row: pd.Series, what: str) -> str:
    """Set a class with the number of networks that share it."""
    word, learned = row[what], row["learned"]
    if word == TOO_FEW:
        return f"*too few* ({learned} of {row['networks']} learned)"
    if word == MIXED:
        return f"*mixed* (at most {row[f'{what}_share']} of {learned} alike)"
    return f"*{word}* ({row[f'{what}_share']} of {learned})"


def of_task(values: pd.Series, study: str, start: str) -> pd.Series:
    """Return the values of one start in the task of the answer."""
    mine = of(values, study, start)
    return mine[mine.index.get_level_values("task") == ANSWERED]


def in_short(found: Evidence) -> str:
    """Say how many of the networks that learned hold their cue in which way, and what that means."""
    learned = found.scores[found.scores["learns"]]
    counts = learned["how"].value_counts().reindex(FATES, fill_value=0)
    others = found.scores.loc[~found.scores["learns"], "how"]
    left = of_learners(found.rows, values_of(found.rows, "difference left", str(LENGTHS[0]))).dropna()
    told = [of_learners(found.rows, decoded(found.rows, "all", time)) for time in (TIMES[0], TIMES[2])]
    less = (left > 1) & (told[0] - told[1] > 0.01).reindex(left.index, fill_value=False)
    return (
        f"**In short**: of {len(learned)} networks that learned, {counts['unbounded']} are *unbounded*: within 2,000 "
        "more steps of the memory input a state exceeds 1,000 times its largest value in the trials, and nothing in "
        f"such a network limits it. {counts['slow or moving']} are *slow or moving*, {counts['decay']} *decay*, and "
        f"{counts['attractors']} hold their cues in *attractors*. (Of the {len(others)} that did not learn, "
        f"{(others == 'unbounded').sum()} is unbounded.) When the memory ends, the difference between the cues is "
        f"larger than it was at the cue end in {(left > 1).sum()} of {len(left)}: most networks do not keep it "
        f"constant, they let it grow. Distance is not certainty: in {less.sum()} of these the cue can be told less "
        "well at the memory end."
    )


def solution(found: Evidence, study: str, start: str, name: str) -> list[str]:
    """Say in four lines how a start solves the task of the answer."""
    key = (study, start, ANSWERED)
    if key not in found.classes.index:
        return [f"{name}: pending, there are no rows yet.", *[f"{name}: pending."] * 3]
    row, title = found.classes.loc[key], title_of(ANSWERED)
    steps = memory_phases(get_task(ANSWERED)).steps

    def numbers(values: pd.Series) -> pd.Series:
        return of_task(of_learners(found.rows, values), study, start)

    lost = [finite_mean_text(numbers(found.scores[LOSSES[what]])) for what in ("diagonal", "others")]
    left = [median_text(numbers(values_of(found.rows, "difference left", str(length)))) for length in LENGTHS]
    eigenvalue = [finite_mean_text(numbers(values_of(found.rows, EIGENVALUE, "", when)), 3) for when in WHEN]
    constant = median_text(numbers(values_of(found.rows, "time constant")), 0)
    told_by = [
        finite_mean_text(numbers(decoded(found.rows, group, "memory end")))
        for group in ("all", "largest self-connections", "at random")
    ]
    return [
        f"{name} learns {title} in {row['learned']} of {row['networks']} runs. Where: {class_text(row, 'where')}. "
        f"Without its self-connections it loses {lost[0]} of gain, without all others {lost[1]}.",
        f"{name}, left alone with the memory input: {class_text(row, 'how')}. Of the difference between the cues, "
        f"{left[0]} is left after {LENGTHS[0]}, {left[1]} after {LENGTHS[1]} and {left[2]} after {LENGTHS[2]} "
        "lengths of the memory (median and quartiles).",
        f"{name}: the memory eigenvalue is {eigenvalue[0]} before training and {eigenvalue[1]} after it; "
        + (
            "above 1 in most, so that some deviation grows there, and no time constant exists"
            if constant.startswith("infinite")
            else f"a time constant of {constant} steps (median and quartiles)"
        )
        + f"; the memory lasts {steps} steps.",
        f"{name}: at the memory end, all units tell the cue with accuracy {told_by[0]}, the ten with the largest "
        f"self-connections with {told_by[1]}, ten at random with {told_by[2]}.",
    ]


def compared(found: Evidence, study: str, first: str, second: str) -> str:
    """Say whether two starts have the same mechanism in the task of the answer."""
    word, why = found.says(study, ANSWERED, first, second)
    reasons = {
        TOO_FEW: "too few networks of one start learned",
        MIXED: "one has no class",
        "unlike": "representations differ more",
    }
    if word == PENDING:
        return f"{study}: *pending*"
    row = pair(found, study, ANSWERED, first, second)
    said = f"*{word}*" + (f", {reasons[why]}" if word == OPEN else "")
    if np.isnan(row["similarity"]):
        return f"{study}: {said}"
    return (
        f"{study}: {said} (similarity {span(row['low'], row['similarity'], row['high'], 2)} in {row['runs']} runs, "
        f"lower noise ceiling {number(row['lower'], 2)})"
    )


def pair(found: Evidence, study: str, task: str, first: str, second: str) -> pd.Series:
    """Return the row of two starts."""
    names = ["study", "task", "first", "second"]
    return found.mechanisms[found.mechanisms[names].eq([study, task, first, second]).all(axis=1)].iloc[0]


def answer(found: Evidence) -> list[str]:
    """Answer the three questions in ten lines."""
    words = {
        study: [found.says(study, task, "functional", "diagonal alone")[0] for task in TASKS] for study in TESTED
    }
    return [
        *solution(found, PENALTY, "functional", "`W*D*C*`"),
        *solution(found, FREE, "orthogonal", "An orthogonal start without a penalty"),
        f"Are they the same mechanism? Functional and orthogonal, {title_of(ANSWERED)}: "
        + "; ".join(compared(found, study, "functional", "orthogonal") for study in TESTED)
        + ".",
        "And the diagonal of the functional weights alone? Beside functional, the three tasks: "
        + "; ".join(f"{study}: {counted(f'*{word}* in' for word in mine)}" for study, mine in words.items())
        + ".",
    ]


# Classes and mechanisms


def classes_table(found: Evidence) -> str:
    """A line for each context and start: where and how in each task."""
    rows = []
    for study in TESTED:
        for start in COMPARED_STARTS:
            keys = [(study, start, task) for task in TASKS]
            if not any(key in found.classes.index for key in keys):
                continue
            cells = [
                "; ".join(class_text(found.classes.loc[key], what) for what in ("where", "how"))
                if key in found.classes.index
                else PENDING
                for key in keys
            ]
            rows.append([study, label(study, start), *cells])
    return table(["context", "start", *map(title_of, TASKS)], rows) if rows else NOT_YET


def counts_table(found: Evidence) -> str:
    """Networks that learned by class."""
    counts = class_counts(found.rows)
    counts = counts[counts["study"].isin(TESTED) & (counts["networks"] > 0)]
    rows = []
    for (study, start, task), group in counts.groupby(NETWORK[:3], sort=False):
        cells = [
            ", ".join(f"{row.kind} {row.networks}" for row in group[group["what"] == what].itertuples())
            for what in ("where", "how")
        ]
        rows.append([study, label(study, start), title_of(task), *cells])
    return table(["context", "start", "task", "where", "how"], rows) if rows else NOT_YET


def mechanisms_table(found: Evidence, first: str | None = None) -> str:
    """All pairs of starts, or those of one first start, task by task."""
    rows = []
    for _, row in found.mechanisms.iterrows():
        if row["says"] == PENDING or first not in (None, row["first"]):
            continue
        alike = span(row["low"], row["similarity"], row["high"], 2)
        ceiling = f"{number(row['lower'], 2)} to {number(row['upper'], 2)}"
        said = f"**{row['says']}**" + (f" ({row['why']})" if row["why"] else "")
        cells = [row["study"], title_of(row["task"]), f"{row['first']} and {row['second']}", said]
        rows.append([*cells, f"{row['runs']}", alike, ceiling, number(row["across"], 2), number(row["within"], 2)])
    head = ["context", "task", "starts", "mechanism", "runs", "similarity", "noise ceiling"]
    return table([*head, "of different runs", "two runs of the first"], rows) if rows else NOT_YET


# Contrasts

SAYS = {"first": "functional higher", "second": "functional lower"}


def contrasts_table(found: Evidence) -> str:
    """The twelve contrasts."""
    rows = []
    for _, row in found.answers.iterrows():
        ps = ["–" if pd.isna(row[p]) else p_value(row[p]) for p in ("p_holm", "p_equivalence")]
        cells = [row["number"], f"functional − {row['against']}", f"{row['runs']}", f"{row['pairs']}", told(row), *ps]
        rows.append([*cells, f"±{row['bound']:.2f}", f"**{SAYS.get(row['says'], row['says'])}**"])
    head = ["number", "first − second", "runs", "networks", "difference", "p (Holm)", "p (equivalence)", "bound"]
    return table([*head, "says"], rows)


# Measures


def losses_columns(found: Evidence) -> dict[str, pd.Series]:
    """Losses of the networks that learned, by what is cut."""
    heads = ("without the diagonal", "without the others", "without those within", "without those between")
    return {head: found.learned(name) for head, name in zip(heads, LOSSES.values(), strict=True)}


def losses_tables(found: Evidence) -> str:
    """Loss of gain by what is cut, and the number of communities."""
    learn = found.rows.networks.set_index(NETWORK)["learns"].rename("learn")
    columns = {"learn": learn, **losses_columns(found)}
    columns["communities"] = of_learners(found.rows, values_of(found.rows, "communities"))
    cells = dict.fromkeys(columns, finite_mean_text) | {"learn": share_text}
    return f"{lines(found, columns, cells)}\n{folded('Losses by task', by_task(found, losses_columns(found)))}"


def decoding_tables(found: Evidence) -> str:
    """Decoding at the memory end, and at all times before and after training."""
    end = {group: of_learners(found.rows, decoded(found.rows, group, "memory end")) for group in GROUPS_SHOWN}
    blocks = [lines(found, end | {ADVANTAGE: found.learned(ADVANTAGE)})]
    for when in WHEN:
        for time in TIMES:
            columns = {g: of_learners(found.rows, decoded(found.rows, g, time, when)) for g in GROUPS_SHOWN}
            blocks.append(folded(f"Decoding, {when}, {time}", lines(found, columns)))
    return "\n".join([*blocks, folded("Decoding by task, trained, memory end", by_task(found, end))])


def when_columns(found: Evidence, measure: str, at: str = "") -> dict[str, pd.Series]:
    """A measure with the first weights and after training, of the networks that learned."""
    return {f"{measure}, {when}": of_learners(found.rows, values_of(found.rows, measure, at, when)) for when in WHEN}


def eigenvalue_tables(found: Evidence) -> str:
    """Memory eigenvalues and time constants."""
    eigenvalues, constants = when_columns(found, EIGENVALUE), when_columns(found, "time constant")
    cells = {name: (lambda v: finite_mean_text(v, 3)) for name in eigenvalues} | dict.fromkeys(constants, in_steps)
    return f"{lines(found, eigenvalues | constants, cells)}\n{folded('By task', by_task(found, eigenvalues))}"


def in_steps(values: pd.Series) -> str:
    """Set the median of time constants."""
    return median_text(values, 0)


def fates_table(found: Evidence) -> str:
    """Share of the difference between cues that is left, and fixed points."""
    columns = {
        f"left after {length}": of_learners(found.rows, values_of(found.rows, "difference left", str(length)))
        for length in LENGTHS
    }
    fixed = {
        f"fixed points: {at}": of_learners(found.rows, values_of(found.rows, "fixed points", at))
        for at in ("found", "stable", "share of starts that ended")
    }
    return lines(found, columns | fixed, median_text)


def space_table(found: Evidence) -> str:
    """Mantel's correlation before and after training, how often p is small, and kept tuning."""
    r = when_columns(found, "mantel r", "memory end")
    small = {
        f"p < 0.05, {when}": of_learners(found.rows, values_of(found.rows, "mantel p", "memory end", when)).dropna()
        < 0.05
        for when in WHEN
    }
    kept = {"kept tuning": of_learners(found.rows, values_of(found.rows, "kept tuning", "memory end"))}
    cells = dict.fromkeys(r | kept, finite_mean_text) | dict.fromkeys(small, share_text)
    return lines(found, r | small | kept, cells)


def most_frequent(values: pd.Series) -> str:
    """Set the most frequent class and how many networks have it."""
    if not len(values):
        return "–"
    word = values.value_counts().index[0] if values.notna().any() else "–"
    return f"{word} {class_of(values)[1]} of {len(values)}"


def others_table(found: Evidence) -> str:
    """The other starts, without a test."""
    study = STUDIES[2]
    columns = {"learn": found.rows.networks.set_index(NETWORK)["learns"]}
    columns |= {"where": found.learned("where"), "how": found.learned("how")}
    columns |= {
        name: found.learned(LOSSES[what])
        for name, what in (("loss: diagonal", "diagonal"), ("loss: others", "others"))
    }
    columns |= {ADVANTAGE: found.learned(ADVANTAGE), EIGENVALUE: found.learned(EIGENVALUE)}
    columns["mantel r"] = of_learners(found.rows, values_of(found.rows, "mantel r", "memory end"))
    cells = dict.fromkeys(columns, finite_mean_text) | {
        "learn": share_text,
        "where": most_frequent,
        "how": most_frequent,
    }
    return lines(found, columns, cells, [study], OTHER_STARTS)


# What is there


def planned(study: str) -> int:
    """Count the networks of one study of the plan."""
    return RUNS[study] * len(TASKS) * len(OTHER_STARTS if study == STUDIES[2] else COMPARED_STARTS)


def runs_table(rows: Rows) -> str:
    """Networks planned and there, by study."""
    table_rows = []
    for study in STUDIES:
        mine = rows.networks[rows.networks["study"] == study]
        runs = mine.groupby(["variant", "task"])["seed"].nunique()
        there = " to ".join(dict.fromkeys((f"{runs.min()}", f"{runs.max()}"))) if len(mine) else "0"
        which = f"{mine['run'].min()}–{mine['run'].max()} of 0–{RUNS[study] - 1}" if len(mine) else "–"
        diverged = int((mine["status"] == "diverged").sum())
        table_rows.append([study, f"{planned(study):,}", f"{len(mine):,}", there, which, f"{diverged}"])
    return table(["context", "networks planned", "there", "runs of each kind", "which", "diverged"], table_rows)


def state(rows: Rows) -> str:
    """Say how much of the plan is there."""
    there, wanted = len(rows.networks), sum(map(planned, STUDIES))
    if there == wanted:
        return f"All {wanted:,} networks of the plan are there."
    return (
        f"**{there:,} of the {wanted:,} networks of the plan are there**; what the others change is not known. "
        "*Pending* stands where a start has no rows."
    )


def sentences(found: Evidence) -> dict[str, str]:
    """Numbers in the page's text."""
    return {
        "networks": f"{len(found.rows.networks):,}",
        "plan": ", ".join(f"`{digest}`" for digest in found.rows.networks["plan"].unique()) or "–",
        "state": state(found.rows),
        **predicted.counts(found),
    }


def compose(rows: Rows | None = None) -> str:
    """Fill the page in from the rows; those that are shipped if no others are given."""
    found = Evidence(load_dynamics() if rows is None else rows)
    template = (HERE / "dynamics.template.md").read_text(encoding="utf-8")
    return (
        "<!-- Written by make_dynamics_page.py from dynamics.template.md and the rows; edit the template. -->\n"
        + template.format(
            short=in_short(found),
            answer="\n".join(f"{place}. {line}" for place, line in enumerate(answer(found), 1)),
            classes=classes_table(found),
            counts=folded("Networks by class", counts_table(found)),
            mechanisms=mechanisms_table(found, "functional"),
            all_mechanisms=folded("All pairs of starts", mechanisms_table(found)),
            contrasts=contrasts_table(found),
            losses=losses_tables(found),
            decoding=decoding_tables(found),
            eigenvalues=eigenvalue_tables(found),
            fates=fates_table(found),
            space=space_table(found),
            predictions=table(["", "prediction", "found", "outcome"], predicted.rows(found)),
            others=others_table(found),
            runs=runs_table(found.rows),
            **sentences(found),
        )
    )


def figures() -> dict[str, Figure]:
    """Draw the figures of the page, by the stems of their files."""
    found = Evidence(load_dynamics())
    rows = found.rows
    return {
        "dynamics_classes": drawn.classes_figure(class_counts(rows), CONTEXT),
        "dynamics_losses": drawn.losses_figure(losses_table(rows), CONTEXT),
        "dynamics_decoding": drawn.decoding_figure(decoding_table(rows), CONTEXT),
        "dynamics_eigenvalue": drawn.eigenvalue_figure(before_and_after(rows, EIGENVALUE), CONTEXT),
        "dynamics_similarity": drawn.similarity_figure(found.mechanisms, CONTEXT),
        "dynamics_space": drawn.mantel_figure(before_and_after(rows, "mantel r", "memory end"), CONTEXT),
    }


if __name__ == "__main__":
    mpl.use("Agg")
    write_page("dynamics.md", compose(), figures())
