"""Write ``replication.md`` and its figures from the shipped rows: ``python docs/make_replication_page.py``.

The page's words stand in ``replication.template.md``, the figures in it are filled in here.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pictures import write_page
from scipy import stats
from tables import number, share, span, table

from biornn_lite.errors import InputError
from biornn_lite.figures.study import forest_figure
from biornn_lite.figures.style import MEASURE_LABELS
from biornn_lite.replication import (
    EQUIVALENCE_BOUND,
    FUNCTIONAL_VARIANTS,
    PUBLISHED_RUNS,
    SHIPPED,
    compare_pooled,
    compare_with_published,
    label_shares,
    load_replication,
    published_failures,
    published_medians,
)
from biornn_lite.results import MEASURES, Results, ceilings, learned
from biornn_lite.statistics import epochs_to_learn, estimates, holm, share_interval
from biornn_lite.tasks import TASKS
from biornn_lite.variants import PUBLISHED_VARIANTS, get_variant

HERE = Path(__file__).parent
DRAWS = HERE.parent / "data" / "draws"
TOPOLOGY = MEASURES[1:]


def verdict(cell: pd.Series) -> str:
    """Say what can be said of a cell."""
    if cell["p_holm"] < 0.05:
        return f"**differs**, within ±{EQUIVALENCE_BOUND}" if cell["equivalent"] else "**differs**"
    return "equivalent" if cell["equivalent"] else "not told apart"


def accuracy_tables(cells: pd.DataFrame, networks: pd.DataFrame, failures: pd.DataFrame) -> str:
    """One table per task: ours beside the published."""
    blocks = []
    right = learned(networks).groupby([networks["task"], networks["variant"]]).sum()
    for task in TASKS:
        memoryless, best = ceilings(task, "train")
        rows = [
            [
                f"`{variant}`",
                span(c["low"], c["mean"], c["high"]),
                span(c["published_low"], c["published_mean"], c["published_high"]),
                span(c["difference_low"], c["difference"], c["difference_high"]),
                verdict(c),
                share(right[task, variant], int(c["runs"])),
                f"{PUBLISHED_RUNS - failures['failed'][task, variant]}" if variant in FUNCTIONAL_VARIANTS else "",
                f"{c['diverged']:.0f}",
            ]
            for variant, c in cells.loc[task].iterrows()
        ]
        head = [
            "variant",
            "ours, mean and 95 % interval",
            "published",
            "difference",
            "",
            "learned",
            "published learned",
        ]
        title = f"**{TASKS[task].title}.** Without memory {memoryless:.3f}, best possible {best:.3f}.\n\n"
        blocks.append(title + table([*head, "diverged"], rows))
    return "\n".join(blocks)


def shapes(networks: pd.DataFrame, sign: str) -> pd.DataFrame:
    """All cells of topology that were published."""
    found = [compare_with_published(networks, measure).assign(measure=measure, sign=sign) for measure in TOPOLOGY]
    found = pd.concat(found)
    return found[found["published_mean"].notna()]


def topology_tables(all_cells: pd.DataFrame) -> str:
    """One table per measure."""
    blocks = []
    for measure in TOPOLOGY:
        cells = all_cells[all_cells["measure"] == measure]
        rows = []
        for variant in [v for v in PUBLISHED_VARIANTS if v in set(cells.index.get_level_values("variant"))]:
            row = [f"`{variant}`"]
            for task in TASKS:
                c = cells.loc[(task, variant)]
                mark = " **differs**" if c["p_holm"] < 0.05 else "" if c["agree"] else " *apart*"
                row += [
                    span(c["low"], c["mean"], c["high"])
                    + (f" ({c['counted']:.0f})" if c["counted"] < c["runs"] else ""),
                    span(c["published_low"], c["published_mean"], c["published_high"]) + mark,
                ]
            rows.append(row)
        head = ["variant", *(f"{TASKS[task].title}, {who}" for task in TASKS for who in ("ours", "published"))]
        label = MEASURE_LABELS[measure]
        blocks.append(f"**{label[0].upper()}{label[1:]}**\n\n" + table(head, rows))
    return "\n".join(blocks)


def counts(cells: pd.DataFrame) -> str:
    """Count the cells that differ, that are equivalent, and whose intervals overlap."""
    equivalent = "–" if cells["equivalent"].isna().all() else f"{cells['equivalent'].sum()}"
    return f"{len(cells)} | {(cells['p_holm'] < 0.05).sum()} | {equivalent} | {cells['agree'].sum()} of {len(cells)}"


def corrected_together(*tables: pd.DataFrame) -> list[pd.DataFrame]:
    """Correct the p values of several tables for all of them."""
    together = holm(np.concatenate([cells["p"] for cells in tables]))
    parts = np.split(together, np.cumsum([len(cells) for cells in tables])[:-1])
    return [cells.assign(p_holm=p) for cells, p in zip(tables, parts, strict=True)]


def differences(cells: pd.DataFrame) -> str:
    """List the cells that differ."""
    return "; ".join(
        f"`{variant}` on {TASKS[task].title}, {span(c['low'], c['mean'], c['high'])} against "
        f"{span(c['published_low'], c['published_mean'], c['published_high'])}"
        for (task, variant), c in cells[cells["p_holm"] < 0.05].iterrows()
    )


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


def recovered() -> float:
    """How far the reckoned levels are at most from the published medians of Table 2."""
    found = published_failures("free")
    found = found[found["apart"] < 0.003].loc["perceptual_decision_making"]
    return (found["level"] - published_medians().loc["perceptual_decision_making"]).abs().max()


def levels_table(tables: dict[str, pd.DataFrame]) -> str:
    """Where runs that learn the perceptual decision end, by the published tables and in ours."""
    names = {"free": "Table 2", "positive": "Table 3"}
    rows = {variant: [f"`{variant}`"] for variant in FUNCTIONAL_VARIANTS}
    for sign, networks in tables.items():
        published = published_failures(sign).loc["perceptual_decision_making"]
        mine = networks[(networks["task"] == "perceptual_decision_making") & (networks["train_accuracy"] > 0.8)]
        ours = mine.groupby("variant")["train_accuracy"].median()
        for variant, row in rows.items():
            found = published.loc[variant]
            known = found["apart"] < 0.003
            row += [f"{number(found['level'])} ({found['failed']:.0f})" if known else "–", number(ours[variant])]
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
    """List the cells of topology that differ, and those whose intervals do not overlap."""

    def listed(those: pd.Series) -> str:
        return "; ".join(
            f"{cell['measure'].replace('_', '-')} of `{variant}` on {TASKS[task].title}"
            for (task, variant), cell in cells[those].iterrows()
        )

    differ = cells["p_holm"] < 0.05
    return f"Differ: {listed(differ)}. Apart: {listed(~cells['agree'] & ~differ)}"


def failing(free: pd.DataFrame, positive: pd.DataFrame) -> dict[str, str]:
    """Count the networks that start from function and did not learn, in the paper and here."""
    theirs = {"free": published_failures("free"), "positive": published_failures("positive")}
    ours = pd.concat([free, positive])
    ours = ours[ours["variant"].isin(FUNCTIONAL_VARIANTS)]
    ours = ours.assign(failed=~learned(ours))
    rows = []
    for sign, name in (("free", "Table 2"), ("positive", "Table 3")):
        mine = ours[ours["sign"] == sign].groupby("task")["failed"].sum()
        cells = [f"{theirs[sign]['failed'].loc[task].sum()} in the paper, {mine[task]} here" for task in TASKS]
        rows.append("| " + " | ".join([f"{name}, of 100 each", *cells]) + " |")
    both = pd.concat(theirs)
    total, mine, networks = both["failed"].sum(), ours["failed"].sum(), len(ours)
    by_run = ours.groupby("run")["failed"].sum().to_numpy()
    drawn = np.random.default_rng(0).choice(by_run, (9999, len(by_run))).sum(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "functional_runs": f"{networks}",
        "their_failures": f"{total}",
        "their_least": f"{both['least'].sum()}",
        "their_most": f"{both['most'].sum()}",
        "our_failures": f"{mine}",
        "failures": "\n".join(rows),
        "fisher": f"{stats.fisher_exact([[total, networks - total], [mine, networks - mine]]).pvalue:.2f}",
        "cluster_low": f"{low:.0f}",
        "cluster_high": f"{high:.0f}",
        "more_failures": f"{total - mine}",
        # The variance of a number of failures grows with the number.
        "cluster_error": f"{drawn.std() * np.sqrt(1 + total / mine):.0f}",
    }


def pooled() -> dict[str, str]:
    """Count the pooled means of other measures and fields that differ from ours."""
    cells = compare_pooled()
    new = cells[cells.index.get_level_values("study") != "6_6_2"]
    p = holm(2 * stats.norm.sf(new["z"].abs()))
    named = [
        f"{measure.replace('_', ' ')} on {TASKS[task].title} in {study}: {number(row['mean'])} here, "
        f"{number(row['published'])} there"
        for (study, _, task, measure), row in new[p < 0.05].iterrows()
    ]
    networks = load_replication("6_6_2").networks
    networks = networks[networks["task"] == "perceptual_decision_making"]
    medians = {
        start: networks["test_accuracy"][[get_variant(v).weights == start for v in networks["variant"]]].median()
        for start in ("functional", "relabelled")
    }
    return {
        "pooled_cells": f"{len(new)}",
        "pooled_differ": f"{(p < 0.05).sum()}",
        "pooled_which": f" ({'; '.join(named)})" if named else "",
        "pooled_next": f"{new['z'].abs()[p >= 0.05].max():.1f}",
        "pooled_functional": number(medians["functional"]),
        "pooled_relabelled": number(medians["relabelled"]),
    }


def draws(networks: pd.DataFrame) -> dict[str, str]:
    """Say what other draws of trials did, and how the best possible differs between draws."""
    rows = pd.read_csv(DRAWS / "networks.csv")
    best = pd.read_csv(DRAWS / "best.csv")["best"]
    hard = rows[rows["trials"].str.startswith("1165/")]
    own = networks[(networks["variant"] == "W*D*C*") & (networks["task"] == "perceptual_decision_making")]
    own = own[own["run"].isin(hard["run"])]
    right = learned(hard)
    swapped = rows.drop(hard.index)
    swapped = swapped.assign(of=swapped["trials"].str.removeprefix("0/").astype(int), failed=~learned(swapped))
    told, halves = [], []
    for (variant, task), group in swapped.groupby(["variant", "task"], sort=False):
        run = group.loc[group["run"] == group["of"], "run"].item()
        seeds = group[(group["run"] == run) & (group["of"] != run)]
        trials = group[(group["run"] != run) & (group["of"] == run)]
        halves.append((seeds["failed"].sum(), len(seeds), trials["failed"].sum(), len(trials)))
        told.append(
            f"`{variant}` on {TASKS[task].title}, run {run}: with trials of other runs {seeds['failed'].sum()} of "
            f"{len(seeds)} fail, and of other runs with its trials {trials['failed'].sum()} of {len(trials)}"
        )
    return {
        "ideal_mean": number(best.mean(), 4),
        "ideal_sd": number(best.std(), 4),
        "ideal_hard": number(best.min(), 4),
        "hard_share": f"{(best <= 0.8865).sum()}",
        "hard_train": number(hard["train_accuracy"][right].mean()),
        "hard_runs": f"{len(hard)}",
        "hard_learned": f"{right.sum()}",
        "own_train": number(own["train_accuracy"].mean()),
        "swaps": "; ".join(told),
        **dict(
            zip(
                ("seed_failed", "seed_of", "trials_failed", "trials_of"),
                map(sum, zip(*halves, strict=True)),
                strict=True,
            )
        ),
    }


def compose() -> str:
    """Fill the page's template with what the rows say."""
    free, positive = load_replication("6_6_2"), load_replication("6_6_2 positive")
    cells, positive_cells = corrected_together(
        compare_with_published(free.networks), compare_with_published(positive.networks)
    )
    free_shapes, positive_shapes = corrected_together(
        shapes(free.networks, "free"), shapes(positive.networks, "positive")
    )
    all_cells = pd.concat([cells, positive_cells])
    equivalent = all_cells["equivalent"].astype(bool)
    differ = all_cells["p_holm"] < 0.05
    wilson = share_interval(19, 20)
    apart = cells.loc[("perceptual_decision_making", "W*D*C*")]
    pulled = [(task, variant) for task in TASKS for variant in ("W*D*C*", "W!D*C*")]
    assortativity = gap(free_shapes, "assortativity", [*pulled, ("one_choice_inference", "W*DC*")])
    lattice = [(task, "W*DC*") for task in ("go_nogo", "perceptual_decision_making")]
    return (
        (HERE / "replication.template.md")
        .read_text(encoding="utf-8")
        .format(
            bound=EQUIVALENCE_BOUND,
            accuracy_cells=len(all_cells),
            shape_cells=len(free_shapes) + len(positive_shapes),
            free_counts=counts(cells),
            positive_counts=counts(positive_cells),
            free_shape_counts=counts(free_shapes),
            positive_shape_counts=counts(positive_shapes),
            differ=differ.sum(),
            equivalent=equivalent.sum(),
            chance_equivalent=(equivalent & (all_cells["mean"] < 0.7)).sum(),
            not_told=(~equivalent & ~differ).sum(),
            wilson_low=number(wilson.low, 2),
            wilson_high=number(wilson.high, 2),
            free_accuracy=accuracy_tables(cells, free.networks, published_failures("free")),
            free_apart=differences(cells),
            largest_share=label_shares(free.networks[free.networks["task"] == "go_nogo"]).max(),
            chance=chance_rows(free.networks),
            **chance_range(free.networks),
            **medians_apart(free.networks),
            perceptual_ours=number(apart["mean"]),
            perceptual_theirs=number(apart["published_mean"]),
            recovered=number(recovered()),
            levels=levels_table({"free": free.networks, "positive": positive.networks}),
            perceptual_best=number(ceilings("perceptual_decision_making", "train")[1]),
            **failing(free.networks, positive.networks),
            **pooled(),
            **draws(free.networks),
            free_topology=topology_tables(free_shapes),
            assortativity_least=assortativity[0],
            assortativity_most=assortativity[1],
            modularity_gap=" to ".join(dict.fromkeys(gap(free_shapes, "modularity", lattice))),
            small_world_gap=" to ".join(dict.fromkeys(gap(free_shapes, "small_worldness", lattice))),
            free_shapes_apart=shapes_apart(free_shapes),
            positive_accuracy=accuracy_tables(positive_cells, positive.networks, published_failures("positive")),
            positive_apart=differences(positive_cells),
            lost=(positive.networks["status"] == "diverged").sum(),
            of=len(positive.networks),
            divergence=divergence_table(positive.networks),
            deviations=(0.25 - 0.238) / np.sqrt(0.25 * 0.75 / 5120),
            first_share=number(positive_cells.loc[("one_choice_inference", "WD"), "mean"]),
            positive_topology=topology_tables(positive_shapes),
            positive_shapes_apart=shapes_apart(positive_shapes),
            free_speed=speed_table(free),
            positive_speed=speed_table(positive),
            others=other_studies(),
            small_penalty=small_penalty(),
            **what_others_learn(),
        )
    )


def figures() -> dict[str, Figure]:
    """Draw the figures of the page, by the stems of their files."""
    shown = {
        "replication": ("6_6_2", "Field 6_6_2, signs free"),
        "replication_positive": ("6_6_2 positive", "Field 6_6_2, positive only"),
    }
    return {
        stem: forest_figure(study, title=f"{title}: 20 runs here, 20 in the paper")
        for stem, (study, title) in shown.items()
    }


if __name__ == "__main__":
    mpl.use("Agg")
    write_page("replication.md", compose(), figures(), dpi=110)
