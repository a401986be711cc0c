"""From a results table to what one reads: a summary of each variant on each task, beside the task's ceilings."""

from __future__ import annotations

import pandas as pd

from .errors import InputError
from .tasks import TASKS
from .training import Settings
from .variants import PUBLISHED_VARIANTS

MEASURES = ("accuracy", "entropy", "modularity", "small_worldness", "assortativity")


def reported_accuracy(results: pd.DataFrame) -> pd.Series:
    """Accuracy of each network as its protocol reports it: of the last training epoch, or on test trials."""
    return results["train_accuracy"].where(results["reported_accuracy"] == "train", results["test_accuracy"])


def ceilings(task: str, reported: str, input_noise: float = Settings.input_noise) -> tuple[float, float]:
    """Accuracy without memory and with perfect use of the input, in the trials of that accuracy.

    Parameters
    ----------
    task : str
    reported : {"train", "test"}
        Training trials carry input noise, test trials do not.
    input_noise : float
        SD of that noise, as in the study's :class:`biornn_lite.training.Settings`.
    """
    noise = input_noise if reported == "train" else 0.0
    return TASKS[task].memoryless_ceiling(), TASKS[task].best_ceiling(noise)


def learned(results: pd.DataFrame, input_noise: float = Settings.input_noise) -> pd.Series:
    """Say of each network whether its last training accuracy lies above the middle of its task's two ceilings."""
    tasks = results["task"].unique()
    middle = results["task"].map({task: sum(ceilings(task, "train", input_noise)) / 2 for task in tasks})
    return results["train_accuracy"] > middle


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Summarise a results table by task and variant, over the runs that did not diverge.

    Parameters
    ----------
    results : DataFrame
        Columns :data:`biornn_lite.results.COLUMNS`, of one field, protocol and sign.

    Raises
    ------
    InputError
        If there are rows of several: their runs do not belong together.

    Returns
    -------
    DataFrame
        Index ``task, variant``; columns ``runs``, ``diverged``, ``accuracy_min``, ``accuracy_max``, and for each
        measure its median over the runs in which it is defined (column ``defined_…`` counts them), NaN if none.
    """
    for what in ("field", "protocol", "sign"):
        several = results[what].unique() if what in results else []
        if len(several) > 1:
            raise InputError(f"the table has rows of several {what}s, {', '.join(several)}; choose those of one")
    table = results.assign(accuracy=reported_accuracy(results))
    rows = {}
    for (task, variant), group in table.groupby(["task", "variant"], sort=False):
        ok = group[group["status"] == "ok"]
        row = {"runs": len(group), "diverged": len(group) - len(ok)}
        for measure in MEASURES:
            values = ok[measure].dropna()
            row[measure], row[f"defined_{measure}"] = values.median(), len(values)
        row["accuracy_min"], row["accuracy_max"] = ok["accuracy"].min(), ok["accuracy"].max()
        rows[task, variant] = row
    known = {name: k for k, name in enumerate((*TASKS, *PUBLISHED_VARIANTS))}
    order = sorted(rows, key=lambda key: (known[key[0]], known.get(key[1], len(known))))
    summary = pd.DataFrame.from_dict({key: rows[key] for key in order}, orient="index")
    summary.index = pd.MultiIndex.from_tuples(order, names=["task", "variant"])
    return summary


def format_table(results: pd.DataFrame, field: str, input_noise: float = Settings.input_noise) -> str:
    """Write the summary as text: a block per task, with its ceilings above the variants; `field` is its label."""
    summary = summarise(results)
    reported = results["reported_accuracy"].iloc[0]
    first = results.iloc[0]
    lines = [
        f"Field {field}, protocol {first['protocol']}, signs {first['sign']}. "
        f"Medians over the runs that did not diverge; accuracy of "
        + ("the last training epoch." if reported == "train" else "held-out test trials.")
    ]
    for task, block in summary.groupby(level="task", sort=False):
        memoryless, best = ceilings(task, reported, input_noise)
        lines += [
            "",
            f"{TASKS[task].title}: without memory {memoryless:.3f}, best possible {best:.3f}",
            f"{'variant':<9}{'runs':>6}{'diverged':>10}{'accuracy':>10}{'min':>8}{'max':>8}"
            f"{'entropy':>10}{'modularity':>12}{'small-world':>13}{'assortativity':>15}",
        ]
        for (_, variant), row in block.iterrows():
            cells = {measure: _cell(row, measure) for measure in MEASURES}
            lines.append(
                f"{variant:<9}{row['runs']:>6.0f}{row['diverged']:>10.0f}{cells['accuracy']:>10}"
                f"{_number(row['accuracy_min']):>8}{_number(row['accuracy_max']):>8}{cells['entropy']:>10}"
                f"{cells['modularity']:>12}{cells['small_worldness']:>13}{cells['assortativity']:>15}"
            )
    return "\n".join(lines)


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"


def _cell(row: pd.Series, measure: str) -> str:
    """Show a median; where a measure is undefined in some runs, also in how many it is defined."""
    ok, defined = row["runs"] - row["diverged"], row[f"defined_{measure}"]
    return _number(row[measure]) + (f" ({defined:.0f})" if 0 < defined < ok else "")
