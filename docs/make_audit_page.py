"""Write ``audit.md`` and its figure from the audit's rows: ``python docs/make_audit_page.py``.

The page's words stand in ``audit.template.md``, the figures in it are filled in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from audit_predictions import prediction
from matplotlib.figure import Figure
from pictures import write_page
from tables import NOT_YET, folded, interval, number, p_value, share, table

from biornn_lite import verdict
from biornn_lite.audit import STARTS, STUDIES, chosen_weights, parts
from biornn_lite.contrasts import (
    LEARNS_ABOVE,
    compare,
    leave_one_group_out,
    power,
    power_of_equivalence,
    variance_explained,
)
from biornn_lite.figures.audit import choices_figure, differences_forest_figure
from biornn_lite.figures.specification_curve import curve_figure
from biornn_lite.replication import load_replication
from biornn_lite.tasks import TASKS, title_of
from biornn_lite.wiring import Pooled

HERE = Path(__file__).parent


def says(row: pd.Series) -> str:
    """What a contrast says, in words."""
    words = {"first": "**first is better**", "second": "**second is better**"}
    return words.get(row["says"], row["says"])


def contrasts_table(answers: pd.DataFrame, question: int) -> str:
    """All contrasts of one question; medians and differences by task are folded away."""
    rows = answers[answers["question"] == question]
    if rows.empty:
        return NOT_YET
    head = [
        "first − second",
        "where",
        "runs",
        "difference in gain",
        "p (Holm)",
        "chance to be better",
        "learn",
        "says",
    ]
    lines, more = [], []
    for _, row in rows.iterrows():
        better = "–" if pd.isna(row["improvement"]) else f"{100 * row['improvement']:.0f} %"
        names = [f"{row['first']} − {row['second']}", row["context"]]
        if row["networks"]:
            learn = " / ".join(f"{100 * row[f'learns_{side}']:.0f} %" for side in ("first", "second"))
            medians = " / ".join(number(row[f"median_{side}"], 2) for side in ("first", "second"))
            by_task = "; ".join(f"{title_of(task)} {number(apart, 2)}" for task, apart in row["by_task"].items())
            more.append([*names, medians, by_task])
        else:
            learn = "–"
        cells = [*names, row["runs"], interval(row), p_value(row["p_holm"]), better, learn, says(row)]
        lines.append([str(cell) for cell in cells])
    by_task = table(["first − second", "where", "median gain of networks", "difference in gain by task"], more)
    return f"{table(head, lines)}\n{folded('Medians, and differences by task', by_task)}"


def shares_table(rows: pd.DataFrame, by: str = "start") -> str:
    """How many runs learn each task, and the mean gain."""
    if rows.empty:
        return NOT_YET
    lines = []
    for name, group in rows.groupby(by, sort=False):
        per_task = [group[group["task"] == task]["learns"] for task in TASKS]
        counts = [share(int(learns.sum()), len(learns)) if len(learns) else "–" for learns in per_task]
        lines.append([f"{name}", *counts, number(group["gain"].mean(), 2)])
    return table([by, *(task.title for task in TASKS.values()), "mean gain"], lines)


def sweep_table(rows: pd.DataFrame) -> str:
    """Mean gain for each start and λ, and the λ that is chosen."""
    if rows.empty:
        return NOT_YET
    chosen = chosen_weights(rows)
    means = rows.pivot_table("gain", index="start", columns="penalty_weight")
    lines = [
        [start, *(f"**{number(v, 2)}**" if weight == chosen[start] else number(v, 2) for weight, v in row.items())]
        for start, row in means.reindex([start for start in STARTS if start in chosen]).iterrows()
    ]
    return table(["start", *(f"λ = {weight:g}" for weight in means.columns)], lines)


def factorial_tables(networks: pd.DataFrame) -> str:
    """Shares of variance, main effects, and folded away the interactions."""
    if not (networks["study"] == "factorial").any():
        return NOT_YET
    shares = verdict.factorial_shares(networks)
    effects = verdict.factorial_effects(networks).rename(columns={"effect": "difference"})
    lines = [[row["factors"], row["level"], interval(row)] for _, row in effects.iterrows()]
    first = table(["explains", "share of variance"], [[name, f"{100 * v:.1f} %"] for name, v in shares.items()])
    second = table(["factor", "level", "gain minus the mean of all"], [line for line in lines if "×" not in line[0]])
    third = table(["factors", "levels", "gain minus what both add up to"], [line for line in lines if "×" in line[0]])
    return f"{first}\n{second}\n{folded('Interactions of two factors', third)}"


def harder_table(networks: pd.DataFrame) -> str:
    """Mean gain by condition and start."""
    rows = verdict.harder_rows(networks)
    if rows.empty:
        return NOT_YET
    means = rows.pivot_table("gain", index="condition", columns="start", sort=False)
    return table(["condition", *means], [[name, *(number(v, 2) for v in row)] for name, row in means.iterrows()])


def fields_tables(networks: pd.DataFrame) -> str:
    """Each contrast pooled over fields."""
    if not (networks["study"] == "fields").any():
        return NOT_YET
    lines = []
    for contrast in verdict.FIELD_CONTRASTS:
        over: Pooled = verdict.pooled_fields(networks, contrast)
        ends = [f"[{number(low, 2)}, {number(high, 2)}]" for low, high in (over.interval, over.prediction)]
        cells = [contrast, f"{over.fields}", f"{number(over.mean, 3)} {ends[0]}", ends[1]]
        lines.append([*cells, f"{100 * over.i_squared:.0f} %"])
    return table(["contrast", "fields", "mean [95 %]", "one more field [95 %]", "I²"], lines)


def curve_table(curve: pd.DataFrame) -> str:
    """Summarise the curve by self-connections and signs."""
    groups = [
        (f"{selves}, {'free signs' if sign == 'free' else 'positive only'}", group)
        for (selves, sign), group in curve.groupby(["self_connections", "sign"])
    ]
    lines = []
    for name, group in [*groups, ("all", curve)]:
        apart = group["difference"]
        learn = group[["with", "without"]] > LEARNS_ABOVE
        kinds = apart > 0.1, apart.abs() <= 0.1, apart < -0.1, learn.all(axis=1), ~learn.any(axis=1)
        shares = [f"{100 * kind.mean():.0f} %" for kind in kinds]
        lines.append([name, f"{len(apart)}", number(apart.median(), 2), number(apart.mean(), 2), *shares])
    head = ["self-connections", "combinations", "median", "mean", "above 0.1", "within ±0.1", "below −0.1"]
    return table([*head, "both learn", "neither learns"], lines)


def explained_table(curve: pd.DataFrame) -> str:
    """Say what explains the curve, over all combinations and over those with free signs."""
    factors = verdict.curve_factors(curve)
    free = factors[factors["sign"] == "free"]
    without_sign = [name for name in verdict.CURVE_FACTORS if name not in ("sign", "positive_start")]
    whole = variance_explained(factors, "difference", verdict.CURVE_FACTORS)
    part = variance_explained(free, "difference", without_sign)

    def cell(found: pd.DataFrame, name: str) -> str:
        if name not in found.index:
            return "–"
        share, low, high = 100 * found.loc[name, ["share", "low", "high"]]
        return f"{share:.1f} % [{low:.1f}, {high:.1f}]"

    order = whole["share"].sort_values(ascending=False).index
    lines = [[name.replace("_", " "), cell(whole, name), cell(part, name)] for name in order]
    lines.append(["R² of all", *(f"{100 * found.attrs['r2']:.0f} %" for found in (whole, part))])
    head = ["choice", f"drop in R² without it [95 %], all {len(factors)}", f"the {len(free)} with free signs"]
    return table(head, lines)


def curve_tables(networks: pd.DataFrame) -> str:
    """Summarise the curve, and say what explains it."""
    curve = verdict.curve(networks) if (networks["study"] == "curve").any() else pd.DataFrame()
    return NOT_YET if curve.empty else f"{curve_table(curve)}\n{explained_table(curve)}"


def before_table(networks: pd.DataFrame) -> str:
    """How well the numbers before training predict who learns."""
    joined = verdict.before(networks)
    if joined.empty:
        return NOT_YET
    lines = []
    for names in (verdict.BEFORE, *([name] for name in verdict.BEFORE)):
        area, low, high = leave_one_group_out(joined, names, "learns", "start")
        label = ", ".join(names).replace("_", " ")
        lines.append([label, f"{number(area, 2)} [{number(low, 2)}, {number(high, 2)}]"])
    return table(["numbers", "area under the ROC curve [95 %]"], lines)


def verdict_table(answers: pd.DataFrame) -> str:
    """One line for each contrast of the plan."""
    lines = []
    for _, row in verdict.verdicts(answers).iterrows():
        ends = dict.fromkeys(number(row[end], 2) for end in ("least", "most"))
        cells = [f"{row['question']}", row["claim"], f"{row['first']} − {row['second']}", row["takes_away"]]
        lines.append([*cells, " to ".join(ends), f"**{row['word']}**"])
    return table(["question", "claim", "contrast", "the second lacks", "difference in gain", "verdict"], lines)


def runs_table(networks: pd.DataFrame) -> str:
    """Studies with fewer networks than planned: both numbers, and runs."""
    chosen = chosen_weights(verdict.load_audit("sweep").networks)
    lines = []
    for study in STUDIES:
        planned = sum(len(part.variants) * len(part.tasks) * part.runs for part in parts(study, chosen))
        mine = networks[networks["study"] == study]
        if len(mine) < planned:
            runs = mine.groupby(["part", "variant"])["seed"].nunique()
            there = " to ".join(f"{count}" for count in dict.fromkeys((runs.min(), runs.max())))
            lines.append([f"`{study}`", f"{planned:,}", f"{len(mine):,}", there if len(mine) else "0"])
    if not lines:
        return "All networks of the plan are there.\n"
    return table(["study", "networks planned", "trained", "runs of each kind of network"], lines)


def calibration_table(networks: pd.DataFrame) -> str:
    """Compare networks that differ by the labels of their neurons alone, or nearly so."""
    lines = []
    equal = networks[(networks["study"] == "positions") & (networks["space"] == "equal")]
    for weight, rows in equal[equal["start"] != "orthogonal"].groupby("penalty_weight"):
        sides = (rows[rows["start"] == start] for start in ("functional", "relabelled"))
        lines.append(["functional − relabelled", f"`positions`, equal, λ = {weight:g}", compare(*sides)])
    for field in ("5_3_4", "6_6_2"):
        rows = verdict.with_gain(load_replication(field).networks)
        for end in ("D*C", "D*C*"):
            sides = (rows[rows["variant"] == name + end] for name in ("W*", "W!"))
            lines.append([f"W*{end} − W!{end}", f"the replication, {field}", compare(*sides)])
    return table(
        ["first − second", "where", "runs", "difference in gain", "p"],
        [[*names, f"{c.runs}", interval(pd.Series(asdict(c))), p_value(c.p)] for *names, c in lines],
    )


def one_choice_learners(rows: pd.DataFrame, starts: Sequence[str]) -> str:
    """How many networks learn one-choice inference from each of these starts."""
    rows = rows[rows["task"] == "one_choice_inference"]
    of = {start: rows.loc[rows["start"] == start, "learns"] for start in starts}
    return ", ".join(
        f"{learns.sum()} of {len(learns)} ({start.removeprefix('0.5 I + ')})"
        for start, learns in of.items()
        if len(learns)
    )


def sentences(networks: pd.DataFrame, answers: pd.DataFrame, exploratory: pd.DataFrame) -> dict[str, str]:
    """Numbers in the page's text."""
    told = answers.set_index(["claim", "second", "context"])

    def of(claim: str, second: str, where: str = "", what: str = "{runs} runs, {interval}") -> str:
        names = told.index
        chosen = (names.get_level_values(0) == claim) & (names.get_level_values(1) == second)
        rows = told[chosen & names.get_level_values(2).str.contains(where, regex=False)]
        if rows.empty:
            return "not there yet"
        row = rows.iloc[0]
        return what.format(runs=row["runs"], interval=interval(row))

    published = networks[networks["study"].isin(["starts", "6_6_2"])]
    without = published[published["start"] == "functional without diagonal"]["learns"]
    strong = published[published["start"].isin(["0.75 I", "0.95 I", "1 I"])]["learns"]
    free = networks[(networks["study"] == "tuned") & (networks["start"] == "orthogonal")]
    paid = networks[(networks["study"] == "starts") & (networks["start"] == "orthogonal")]["learns"]
    wired = ("0.5 I + connectome shuffled", "0.5 I + connectome, degrees kept")
    positions = networks[(networks["study"] == "positions") & (networks["start"] == "functional")]
    positions = positions[positions["run"] < 10]  # those that the control with a price has

    def learners(space: str, weight: float) -> str:
        mine = positions[(positions["space"] == space) & (positions["penalty_weight"] == weight)]
        return f"{mine['learns'].sum()} of {len(mine)}"

    def learners_of(study: str, start: str) -> str:
        learns = networks.loc[(networks["study"] == study) & (networks["start"] == start), "learns"]
        return f"{learns.sum()} of {len(learns)}"

    def pooled(sets: str) -> str:
        rows = exploratory[exploratory["context"].str.contains(sets)]
        return " and ".join(f"{interval(row)} (p {p_value(row['p'])}, uncorrected)" for _, row in rows.iterrows())

    thrice = exploratory[exploratory["context"].str.contains("all three sets")]
    fast = networks[networks["study"] == "6_6_2 no penalty"]
    fast = fast[fast["learning_rate"] == 0.001]
    again = networks[networks["study"] == "connectome again"]
    halves = networks[(networks["study"] == "starts") & (networks["start"] == "functional")]
    halves = halves.groupby(halves["run"] < 10)["gain"].mean()
    return {
        "first_ten": number(halves[True], 2),
        "last_ten": number(halves[False], 2),
        "wired_one_choice": one_choice_learners(again[again["part"] == "7_3_8"], verdict.WIRING_STARTS),
        "strong_function": of("strong function", "0.5 I + function shuffled", what="{interval}, {runs} runs"),
        "strong_identity": of("strong function", "0.5 I", what="{interval}"),
        "priced": learners("cortical, self priced", 0.3),
        "unpriced": learners("cortical", 0.3),
        "ten_times": learners("cortical", 3.0),
        "paper_alone": of("function", "diagonal alone", "6_6_2"),
        "paper_shuffled": of("function", "off-diagonal shuffled", "6_6_2"),
        "without": f"{without.sum()} of {len(without)}",
        "strong": f"{strong.sum()} of {len(strong)}",
        "free": f"{free['learns'].sum()} of {len(free)}",
        "paid": f"{paid.sum()} of {len(paid)}",
        "harder_identity": of("harder tasks", "0.95 I", what="{interval}"),
        "harder_orthogonal": next(
            (interval(pd.Series(asdict(answer.found))) for answer in verdict.harder_exploratory(networks)),
            "not there yet",
        ),
        "fields_alone": of("generality", "diagonal alone", what="{interval}"),
        "fields_shuffled": of("generality", "off-diagonal shuffled", what="{interval}"),
        "free_shuffled": of("function", "off-diagonal shuffled", "λ = 0", what="{interval}"),
        "without_tuned": learners_of("tuned", "functional without diagonal"),
        "lognormal_tuned": learners_of("tuned", "lognormal"),
        "priced_ten": learners("cortical, self priced", 3.0),
        "slow": one_choice_learners(fast, ("functional", "diagonal alone", "orthogonal")),
        "strong_all": pooled("both sets"),
        "fields_permuted": of("generality", "permuted", what="{interval}"),
        "one_radius": " and ".join(
            of("wiring at one radius", f"{second}, its radius", what="{interval}") for second in wired
        ),
        "wired_all": pooled("all three sets"),
        "wired_third": number(thrice["difference"].mean() / len(TASKS), 2),
        "wired_most": number(thrice["high"].max() / len(TASKS), 2),
        "not_scaled": one_choice_learners(
            networks[networks["study"].isin(["one radius", "one radius, not scaled"])], verdict.WIRING_STARTS
        ),
        "strong_again": "; ".join(
            f"{field}: "
            + " and ".join(
                of("strong function, again", f"0.5 I + function{what}", field, "{interval}")
                for what in (" shuffled", ", strengths kept")
            )
            for field in ("5_3_4", "5_3_2")
        ),
        "wired_once": " and ".join(of("wiring as start", second, what="{interval}") for second in wired),
        "wired_again": "; ".join(
            f"{field}: " + " and ".join(of("wiring as start, again", second, field, "{interval}") for second in wired)
            for field in ("7_3_8", "8_5_8")
        ),
        "wired_runs": " and ".join(
            of("wiring as start, again", wired[0], field, "{runs}") for field in ("7_3_8", "8_5_8")
        ),
    }


def powers() -> dict[str, str]:
    """What 20 and 10 runs can find and show; `strict` is with the first of Holm's corrections over 13 contrasts."""
    strict = {f"strict_{runs}": f"{100 * power(0.14, runs, 0.10, 0.05 / 13):.0f} %" for runs in (10, 20)}
    return strict | {
        f"{name}_{runs}": f"{100 * of:.0f} %"
        for runs in (10, 20)
        for name, of in (("found", power(0.14, runs, 0.10)), ("equal", power_of_equivalence(0.14, runs)))
    }


def compose() -> str:
    """Fill the page in from the rows."""
    networks = verdict.load_audit().networks
    answers, exploratory = verdict.answers(networks), verdict.exploratory_answers(networks)
    of = {study: networks[networks["study"] == study] for study in networks["study"].unique()}
    nothing = networks.iloc[:0]
    template = (HERE / "audit.template.md").read_text(encoding="utf-8")
    return (
        "<!-- Written by make_audit_page.py from audit.template.md and the rows; edit the template. -->\n"
        + template.format(
            networks=f"{len(networks):,}",
            verdicts=verdict_table(answers),
            **{f"contrasts_{question}": contrasts_table(answers, question) for question in (1, 2, 3, 4, 5, 7, 8)},
            exploratory=contrasts_table(exploratory, 1),
            exploratory_wiring=contrasts_table(exploratory, 3),
            starts=shares_table(of.get("starts", nothing)),
            paper_field=shares_table(of.get("6_6_2", nothing)),
            sweep=sweep_table(of.get("sweep", nothing)),
            tuned=shares_table(of.get("tuned", nothing)),
            factorial=factorial_tables(networks),
            harder=harder_table(networks),
            fields=fields_tables(networks),
            curve=curve_tables(networks),
            before=before_table(networks),
            predictions=table(["", "prediction", "found", "outcome"], prediction.rows(networks, answers)),
            runs=runs_table(networks),
            calibration=calibration_table(networks),
            **sentences(networks, answers, exploratory),
            **powers(),
        )
    )


def figures() -> dict[str, Figure]:
    """Draw the figures of the page, by the stems of their files."""
    networks = verdict.load_audit().networks
    answers = verdict.answers(networks)
    questions = {"audit_function": [1], "audit_position_and_wiring": [2, 3], "audit_penalty": [4]}
    forests = {name: answers[answers["question"].isin(of)] for name, of in questions.items()}
    return {name: differences_forest_figure(rows) for name, rows in forests.items()} | {
        "audit_choices": choices_figure(answers),
        "audit_curve": curve_figure(verdict.curve(networks), verdict.cursors(networks), {"sign": "free"}),
    }


if __name__ == "__main__":
    mpl.use("Agg")
    write_page("audit.md", compose(), figures(), dpi=110)
