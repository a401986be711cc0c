"""Write ``replication.md`` and its figures from the shipped rows: ``python docs/make_replication.py``.

The page's words stand in ``replication.template.md``, the figures in it are filled in here.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from scipy import stats

from biornn_lite.errors import InputError
from biornn_lite.files import written_atomically
from biornn_lite.plots import MEASURE_LABELS
from biornn_lite.replication import (
    FUNCTIONAL_VARIANTS,
    SHIPPED,
    compare_with_published,
    label_shares,
    load_replication,
    published_medians,
    published_table,
)
from biornn_lite.results import Results
from biornn_lite.statistics import epochs_to_learn, estimates
from biornn_lite.study_plots import forest_figure
from biornn_lite.summary import MEASURES, ceilings, learned
from biornn_lite.tasks import TASKS
from biornn_lite.variants import PUBLISHED_VARIANTS

HERE = Path(__file__).parent
TOPOLOGY = MEASURES[1:]


def number(value: float, digits: int = 3) -> str:
    """Set a number with a true minus, or a dash for none."""
    return "–" if pd.isna(value) else f"{value:.{digits}f}".replace("-", "−")


def span(low: float, mean: float, high: float) -> str:
    """A mean with its interval; alone where there is no other."""
    if pd.isna(mean):
        return "–"
    return number(mean) if pd.isna(low) or low == high else f"{number(mean)} [{number(low)}, {number(high)}]"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Set a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def accuracy_tables(cells: pd.DataFrame) -> str:
    """One table per task: ours beside the published."""
    blocks = []
    for task in TASKS:
        memoryless, best = ceilings(task, "train")
        rows = [
            [
                f"`{variant}`",
                span(c["low"], c["mean"], c["high"]),
                span(c["published_low"], c["published_mean"], c["published_high"]),
                "mean" if c["within"] else "intervals" if c["agree"] else "**no**",
                f"{c['diverged']:.0f}",
            ]
            for variant, c in cells.loc[task].iterrows()
        ]
        head = ["variant", "ours, mean and 95 % interval", "published", "agree by", "diverged"]
        title = f"**{TASKS[task].title}.** Without memory {memoryless:.3f}, best possible {best:.3f}.\n\n"
        blocks.append(title + table(head, rows))
    return "\n".join(blocks)


def topology_tables(networks: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """One table per measure, and all its cells."""
    blocks, found = [], []
    for measure in TOPOLOGY:
        cells = compare_with_published(networks, measure)
        cells = cells[cells["published_mean"].notna()]
        found.append(cells.assign(measure=measure))
        rows = []
        for variant in [v for v in PUBLISHED_VARIANTS if v in set(cells.index.get_level_values("variant"))]:
            row = [f"`{variant}`"]
            for task in TASKS:
                c = cells.loc[(task, variant)]
                mark = "" if c["agree"] else " **no**"
                row += [
                    span(c["low"], c["mean"], c["high"])
                    + (f" ({c['counted']:.0f})" if c["counted"] < c["runs"] else ""),
                    span(c["published_low"], c["published_mean"], c["published_high"]) + mark,
                ]
            rows.append(row)
        head = ["variant", *(f"{TASKS[task].title}, {who}" for task in TASKS for who in ("ours", "published"))]
        label = MEASURE_LABELS[measure]
        blocks.append(f"**{label[0].upper()}{label[1:]}**\n\n" + table(head, rows))
    return "\n".join(blocks), pd.concat(found)


def count(cells: pd.DataFrame) -> str:
    """Say how many cells agree."""
    return f"{cells['agree'].sum()} of {len(cells)}"


def disagreements(cells: pd.DataFrame) -> list[str]:
    """List the cells that do not agree."""
    return [
        f"`{variant}` on {TASKS[task].title}: {span(c['low'], c['mean'], c['high'])} against "
        f"{span(c['published_low'], c['published_mean'], c['published_high'])}"
        for (task, variant), c in cells[~cells["agree"]].iterrows()
    ]


def chance_rows(networks: pd.DataFrame) -> str:
    """Show that at chance the accuracy of a run follows the answers of its own training trials."""
    rows = []
    go = networks[(networks["task"] == "go_nogo") & (networks["status"] == "ok")]
    go = go.assign(share=label_shares(go))
    for variant in ("WDC", "WD*", "WD", "W", "WD*C*"):
        mine = go[(go["variant"] == variant) & (go["train_accuracy"] < 0.6)]
        uneven = mine[mine["share"] > 0.511]
        rows.append(
            [
                f"`{variant}`",
                f"{len(mine)}",
                number(mine["train_accuracy"].mean(), 4),
                number(np.corrcoef(mine["share"], mine["train_accuracy"])[0, 1], 2),
                ", ".join(
                    f"{s:.4f} → {a:.4f}" for s, a in zip(uneven["share"], uneven["train_accuracy"], strict=True)
                ),
            ]
        )
    return table(
        ["variant", "runs at chance", "mean accuracy", "correlation with the share", "share → accuracy"], rows
    )


def speed_table(results: Results) -> str:
    """Epochs to 90 % of the ceiling on test trials."""
    found = epochs_to_learn(*results)
    rows = []
    for variant in PUBLISHED_VARIANTS:
        row = [f"`{variant}`"]
        for task in TASKS:
            mine = found[(found["variant"] == variant) & (found["task"] == task)]
            learned = mine["learned"].sum()
            half = np.sort(mine["epochs"].astype(float).where(mine["learned"], np.inf))[(len(mine) - 1) // 2]
            row.append(
                f"{learned} of {len(mine)}" + (f", half of all by epoch {half:.0f}" if np.isfinite(half) else "")
            )
        rows.append(row)
    return table(["variant", *(task.title for task in TASKS.values())], rows)


def divergence_table(networks: pd.DataFrame) -> str:
    """How many runs diverged, and in which training step."""
    lost = networks[networks["status"] == "diverged"]
    rows = []
    for variant in [v for v in PUBLISHED_VARIANTS if v in set(lost["variant"])]:
        row = [f"`{variant}`"]
        for task in TASKS:
            mine = lost[(lost["variant"] == variant) & (lost["task"] == task)]
            steps = sorted(set(mine["diverged_step"]))
            total = ((networks["variant"] == variant) & (networks["task"] == task)).sum()
            row.append(f"{len(mine)} of {total}" + (f", step {', '.join(map(str, steps))}" if steps else ""))
        rows.append(row)
    return table(["variant", *(task.title for task in TASKS.values())], rows)


def other_studies() -> str:
    """Accuracy in the other shipped studies, as means with intervals."""
    blocks = []
    for name, study in SHIPPED.items():
        if study.field == "6_6_2" and not study.changes:
            continue
        try:
            networks = load_replication(name).networks
        except InputError:
            continue
        cells = estimates(networks, "train_accuracy")
        rows = [
            [f"`{variant}`", *(span(*cells.loc[(task, variant), ["low", "mean", "high"]]) for task in TASKS)]
            for variant in study.variants
        ]
        what = f"field {study.field}" + (f", {study.changes}" if study.changes else "")
        blocks.append(
            f"**{what[0].upper()}{what[1:]}**\n\n" + table(["variant", *(t.title for t in TASKS.values())], rows)
        )
    return "\n".join(blocks)


def medians_apart(networks: pd.DataFrame) -> dict[str, str]:
    """Set the medians of the variants that learn the perceptual decision beside the published ones."""
    rows = networks[networks["task"] == "perceptual_decision_making"]
    ours = rows.groupby("variant", sort=False)["train_accuracy"].median()
    theirs = published_medians().loc["perceptual_decision_making"]
    learn = ours[ours > 0.8]
    above = learn - theirs[learn.index]
    return {
        "medians": ", ".join(f"`{v}` {number(m)} against {number(theirs[v])}" for v, m in learn.items()),
        "learning": {5: "five", 6: "six", 7: "seven"}[len(learn)],
        "medians_least": number(above.min()),
        "medians_most": number(above.max()),
    }


def small_penalty() -> str:
    """Count the networks that learn with the published penalties and with a thousandth of them."""
    small, full = (load_replication(name).networks for name in ("6_6_2 small penalty", "6_6_2"))
    counts = {
        name: rows.assign(learned=learned(rows)).groupby(["variant", "task"])["learned"].sum()
        for name, rows in (("full", full), ("small", small))
    }
    rows = [
        [f"`{variant}`", *(f"{counts['full'][variant, task]} → {counts['small'][variant, task]}" for task in TASKS)]
        for variant in SHIPPED["6_6_2 small penalty"].variants
    ]
    return table(["variant", *(task.title for task in TASKS.values())], rows)


def what_others_learn() -> dict[str, str]:
    """Count the runs that learned with precision and with correlation, and those that learned on other fields."""
    precision, published = (load_replication(name).networks for name in ("6_6_2 precision", "6_6_2"))
    same = published[published["variant"].isin(FUNCTIONAL_VARIANTS)]
    go = estimates(precision, "assortativity").loc["go_nogo"]["mean"]
    told = []
    for name, study in SHIPPED.items():
        if study.field != "6_6_2":
            networks = load_replication(name).networks
            share = learned(networks).groupby(networks["variant"].isin(FUNCTIONAL_VARIANTS)).agg(["sum", "size"])
            told.append(
                f"on {name}, {share.loc[True, 'sum']} of {share.loc[True, 'size']} networks that start from function "
                f"learn, and {share.loc[False, 'sum']} of {share.loc[False, 'size']} of the others"
            )
    return {
        "precision_learned": f"{learned(precision).sum()} of {len(precision)}",
        "correlation_learned": f"{learned(same).sum()} of {len(same)}",
        "precision_assortativity": " and ".join(number(go[variant], 2) for variant in ("W*D*C*", "W!D*C*")),
        "fields_learn": "; ".join(told),
    }


def learned_level(mean: float, low: float, high: float, chance: float, runs: int = 20) -> tuple[int, float] | None:
    """Find how many runs stayed at chance, and where the others ended, from a published mean and interval.

    For each number of such runs the mean says where the others are, if they all end alike, and the two together say
    how wide the interval is. None if no number up to half of the runs gives the published width, within 0.003.
    """
    best = None
    for failed in range(runs // 2 + 1):
        share = failed / runs
        level = (mean - share * chance) / (1 - share)
        spread = (level - chance) * np.sqrt(share * (1 - share) * runs / (runs - 1))
        apart = abs(stats.t.ppf(0.975, runs - 1) * spread / np.sqrt(runs) - (high - low) / 2)
        if level <= 1 and apart < 0.003 and (best is None or apart < best[0]):
            best = apart, failed, level
    return best and best[1:]


def published_levels(sign: str) -> dict[str, tuple[int, float] | None]:
    """Apply :func:`learned_level` to the perceptual decision in one of the published tables."""
    cells = published_table(sign).loc[("accuracy", "perceptual_decision_making")]
    chance = cells.loc["W", "mean"]
    return {v: learned_level(*cells.loc[v, ["mean", "low", "high"]], chance) for v in FUNCTIONAL_VARIANTS}


def recovered() -> float:
    """How far these levels are at most from the published medians of Table 2, where there are any."""
    medians = published_medians().loc["perceptual_decision_making"]
    return max(abs(found[1] - medians[v]) for v, found in published_levels("free").items() if found)


def levels_table(tables: dict[str, pd.DataFrame]) -> str:
    """Where runs that learn the perceptual decision end, by the published tables and in ours."""
    names = {"free": "Table 2", "positive": "Table 3"}
    rows = {variant: [f"`{variant}`"] for variant in FUNCTIONAL_VARIANTS}
    for sign, networks in tables.items():
        published = published_levels(sign)
        mine = networks[(networks["task"] == "perceptual_decision_making") & (networks["train_accuracy"] > 0.8)]
        ours = mine.groupby("variant")["train_accuracy"].median()
        for variant, row in rows.items():
            found = published[variant]
            row += [f"{number(found[1])} ({found[0]})" if found else "–", number(ours[variant])]
    head = [f"{name}, {what}" for name in names.values() for what in ("paper", "ours")]
    return table(["variant", *head], list(rows.values()))


def chance_range(networks: pd.DataFrame) -> dict[str, str]:
    """Count the draws of Go/NoGo trials as uneven as the paper's, and say where chance ends on the others."""
    go = networks[(networks["task"] == "go_nogo") & (networks["train_accuracy"] < 0.6)]
    even = go[label_shares(go) <= 0.511]["train_accuracy"]
    uneven = go[label_shares(go) > 0.511]["run"].nunique()
    return {"uneven_draws": f"{uneven}", "even_low": number(even.min()), "even_high": number(even.max())}


def gap(shapes: pd.DataFrame, measure: str, cells: list[tuple[str, str]]) -> tuple[str, str]:
    """The least and the most by which our means of a measure lie below the published ones."""
    of = shapes[shapes["measure"] == measure].loc[cells]
    below = of["published_mean"] - of["mean"]
    return number(below.min(), 2), number(below.max(), 2)


def shapes_apart(cells: pd.DataFrame) -> str:
    """List the cells of topology that do not agree."""
    apart = [
        f"{cell['measure'].replace('_', '-')} of `{variant}` on {TASKS[task].title}"
        for (task, variant), cell in cells[~cells["agree"]].iterrows()
    ]
    return "; ".join(apart) or "none"


def compose() -> str:
    """Fill the page's template with what the rows say."""
    free, positive = load_replication("6_6_2"), load_replication("6_6_2 positive")
    cells = compare_with_published(free.networks)
    positive_cells = compare_with_published(positive.networks)
    perceptual = free.networks[free.networks["task"] == "perceptual_decision_making"]
    topology, shapes = topology_tables(free.networks)
    apart = cells.loc[("perceptual_decision_making", "W*D*C*")]
    pulled = [(task, variant) for task in TASKS for variant in ("W*D*C*", "W!D*C*")]
    assortativity = gap(shapes, "assortativity", [*pulled, ("one_choice_inference", "W*DC*")])
    lattice = [(task, "W*DC*") for task in ("go_nogo", "perceptual_decision_making")]
    positive_topology, positive_shapes = topology_tables(positive.networks)
    return (
        (HERE / "replication.template.md")
        .read_text(encoding="utf-8")
        .format(
            free_agree=count(cells),
            free_within=cells["within"].sum(),
            free_accuracy=accuracy_tables(cells),
            free_apart="; ".join(disagreements(cells)) or "nothing",
            largest_share=label_shares(free.networks[free.networks["task"] == "go_nogo"]).max(),
            chance=chance_rows(free.networks),
            **chance_range(free.networks),
            **medians_apart(free.networks),
            perceptual_ours=number(apart["mean"]),
            perceptual_theirs=number(apart["published_mean"]),
            recovered=number(recovered()),
            levels=levels_table({"free": free.networks, "positive": positive.networks}),
            perceptual_best=number(ceilings("perceptual_decision_making", "train")[1]),
            perceptual_sd=perceptual.loc[perceptual["variant"] == "W*D*C*", "train_accuracy"].std(),
            free_topology=topology,
            free_shapes_agree=count(shapes),
            free_shapes_within=shapes["within"].sum(),
            assortativity_least=assortativity[0],
            assortativity_most=assortativity[1],
            modularity_gap=" to ".join(dict.fromkeys(gap(shapes, "modularity", lattice))),
            small_world_gap=" to ".join(dict.fromkeys(gap(shapes, "small_worldness", lattice))),
            free_shapes_apart=shapes_apart(shapes),
            positive_agree=count(positive_cells),
            positive_within=positive_cells["within"].sum(),
            positive_accuracy=accuracy_tables(positive_cells),
            positive_apart="; ".join(disagreements(positive_cells)) or "nothing",
            lost=(positive.networks["status"] == "diverged").sum(),
            of=len(positive.networks),
            divergence=divergence_table(positive.networks),
            deviations=(0.25 - 0.238) / np.sqrt(0.25 * 0.75 / 5120),
            first_share=number(positive_cells.loc[("one_choice_inference", "WD"), "mean"]),
            positive_topology=positive_topology,
            positive_shapes_agree=count(positive_shapes),
            positive_shapes_within=positive_shapes["within"].sum(),
            positive_shapes_apart=shapes_apart(positive_shapes),
            free_speed=speed_table(free),
            positive_speed=speed_table(positive),
            others=other_studies(),
            small_penalty=small_penalty(),
            **what_others_learn(),
        )
    )


def draw() -> None:
    """Draw the two figures."""
    for name, study, title in (
        ("replication", "6_6_2", "Field 6_6_2, signs free"),
        ("replication_positive", "6_6_2 positive", "Field 6_6_2, positive only"),
    ):
        figure = forest_figure(load_replication(study).networks, f"{title}: 20 runs here, 20 in the paper")
        with written_atomically(HERE / f"{name}.png") as temporary:
            figure.savefig(temporary, dpi=110, format="png")


if __name__ == "__main__":
    mpl.use("Agg")
    with written_atomically(HERE / "replication.md") as temporary:
        temporary.write_text(compose(), encoding="utf-8", newline="\n")
    draw()
