"""Figures and panels of whole studies, for notebooks 09 and 10."""

from __future__ import annotations

import math
from collections.abc import Sequence

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..replication import SHIPPED, compare_with_published, load_replication
from ..results import Results, ceilings, in_order, input_noise_of, reported_accuracy
from ..statistics import epochs_to_learn, estimates, not_yet_learned, pairwise
from ..tasks import Task, title_of
from ..training import Settings
from ..variants import PUBLISHED_VARIANTS, isolating_pairs
from .panels import TASK_OPTIONS, dropdown, figure_panel
from .style import COLOURS, LONGEST_TITLE, MARKERS, MEASURE_LABELS, SMOOTH_LINES, WEIGHT_LABELS, as_text, kind_of


def tasks_of(results: pd.DataFrame) -> list[str]:
    """Return the names of the tasks in a table: the published ones in their order, then others."""
    return in_order(results["task"])


def draw_ceilings(
    ax: Axes, task: str | Task, reported: str, upright: bool = False, input_noise: float = Settings.input_noise
) -> None:
    """Draw the ceilings of a task, without memory and at best, as horizontal or (`upright`) vertical lines.

    An unknown ceiling is left out.
    """
    line = ax.axvline if upright else ax.axhline
    for ceiling, style, label in zip(
        ceilings(task, reported, input_noise), (":", "--"), ("without memory", "best possible"), strict=True
    ):
        if math.isnan(ceiling):
            continue
        line(ceiling, color="0.35", linestyle=style, linewidth=1.2, label=f"{label}, {ceiling:.3f}")


def by_variant(results: pd.DataFrame, task: str, ax: Axes, measure: str = "accuracy") -> Axes:
    """Draw one measure by variant for all runs of one task: a point per run, a bar at the median.

    Parameters
    ----------
    results : DataFrame
        A results table. Diverged runs are listed below the figure, not drawn.
    task : str
    ax : Axes
    measure : str
        A key of :data:`biornn_lite.figures.style.MEASURE_LABELS`. For ``accuracy``, ceilings are also drawn.
    """
    rows = results[results["task"] == task].assign(accuracy=reported_accuracy(results))
    variants = in_order(rows["variant"])
    for place, variant in enumerate(variants):
        mine = rows[rows["variant"] == variant]
        values = mine.loc[mine["status"] == "ok", measure].dropna().to_numpy()
        kind = kind_of(variant)
        spread = np.linspace(-0.22, 0.22, len(values)) if len(values) > 1 else np.zeros(len(values))
        ax.plot(place + spread, values, MARKERS[kind], color=COLOURS[kind], markersize=5, alpha=0.8)
        if len(values):
            ax.plot([place - 0.35, place + 0.35], [np.median(values)] * 2, color=COLOURS[kind], linewidth=2.5)
        diverged = (mine["status"] == "diverged").sum()
        if diverged:
            ax.text(
                place, 0.03, f"{diverged} diverged", rotation=90, ha="center", va="bottom", fontsize=8,
                transform=ax.get_xaxis_transform(),
            )  # fmt: skip
    label = MEASURE_LABELS[measure]
    if measure == "accuracy":
        reported = rows["reported_accuracy"].iloc[0]
        draw_ceilings(ax, task, reported, input_noise=input_noise_of(rows))
        ax.set_ylim(0, 1.04)
        label = ("training" if reported == "train" else "test") + " accuracy"
    ax.set_xticks(range(len(variants)), variants, rotation=60, ha="right")
    ax.set_xlim(-0.6, len(variants) - 0.4)
    ax.set_ylabel(label)
    ax.set_title(title_of(task))
    sns.despine(ax=ax)
    return ax


def weights_handles(results: pd.DataFrame) -> list[plt.Line2D]:
    """Return legend entries for the kinds of initial weights in a results table."""
    kinds = dict.fromkeys(kind_of(v) for v in results["variant"])
    return [plt.Line2D([], [], marker=MARKERS[k], color=COLOURS[k], label=WEIGHT_LABELS[k]) for k in kinds]


def accuracy_figure(results: pd.DataFrame, field: str) -> Figure:
    """Draw the accuracy by variant for all tasks side by side; `field` is the field's label for the title."""
    tasks = tasks_of(results)
    size = (1.5 + 4.2 * len(tasks), 4.6)
    figure, axes = plt.subplots(1, len(tasks), figsize=size, squeeze=False, layout="constrained")
    for ax, task in zip(axes[0], tasks, strict=True):
        by_variant(results, task, ax)
        if ax.get_legend_handles_labels()[0]:  # known ceilings
            ax.legend(loc="lower right", fontsize=8, framealpha=0.9)
    figure.legend(handles=weights_handles(results), frameon=False, loc="outside lower center", ncols=3)
    runs = results.groupby(["task", "variant"]).size().max()
    figure.suptitle(
        f"{as_text(field)}, protocol {as_text(results['protocol'].iloc[0])}: {runs} runs each, bars are medians",
        fontsize=11,
    )
    return figure


def title_of_study(study: str) -> str:
    """Name a shipped study for the title of a figure."""
    label = next(label for label, name in STUDY_OPTIONS if name == study)
    return f"{label}, {'else ' if SHIPPED[study].changes else ''}as published, 20 runs"


PUBLISHED_FIELD = "6_6_2"
"""The field of the paper's tables."""

PUBLISHED_STYLE = {"color": "0.55", "marker": "D", "markerfacecolor": "white", "markersize": 5, "linewidth": 1.2}
CHOICE_LABELS = {
    "weights": "weights (W, W*, W!)",
    "space": "space (none, D, D*)",
    "communicability": "communicability (none, C, C*)",
}


def _interval(ax: Axes, low: float, mean: float, high: float, height: float, **style) -> None:
    """Draw a mean as a point and its interval as a line through it."""
    line = {key: style[key] for key in ("color", "linewidth") if key in style}
    ax.plot([low, high], [height, height], zorder=2, solid_capstyle="butt", **line)
    ax.plot([mean], [height], linestyle="none", zorder=3, **style)


def _as_published(networks: pd.DataFrame) -> bool:
    """Whether all rows have the field and the protocol of the paper's tables."""
    return bool((networks["field"] == PUBLISHED_FIELD).all() and (networks["protocol"] == "published").all())


def forest(networks: pd.DataFrame, task: str, ax: Axes, measure: str = "accuracy", published: bool = True) -> Axes:
    """Draw the mean of each variant with its 95 % t interval, and the published mean and interval if available.

    Parameters
    ----------
    networks : DataFrame
        A table of networks of one study.
    task : str
    ax : Axes
    measure : str
        A key of :data:`biornn_lite.figures.style.MEASURE_LABELS`. Accuracy is that of the last training epoch, as
        published, and the task's ceilings are also drawn.
    published : bool
        Draw the published numbers. They exist only for field 6_6_2 with the published protocol. Diverged runs then
        have the accuracy that the published code gives them; otherwise they are left out. Their number is shown next
        to the variant.
    """
    rows = networks[networks["task"] == task]
    published = published and _as_published(rows)
    if published:
        cells = compare_with_published(rows, measure).loc[task]
    else:
        column = "train_accuracy" if measure == "accuracy" else measure
        cells = estimates(rows, column).loc[task]
    diverged = (rows["status"] == "diverged").groupby(rows["variant"]).sum()
    for place, (variant, cell) in enumerate(cells.iterrows()):
        kind = kind_of(variant)
        if published and np.isfinite(cell["published_mean"]):
            ends = cell["published_low"], cell["published_mean"], cell["published_high"]
            _interval(ax, *ends, place + 0.17, **PUBLISHED_STYLE)
        ours = {"color": COLOURS[kind], "marker": MARKERS[kind], "markersize": 6, "linewidth": 2.2}
        if np.isfinite(cell["mean"]):
            low, high = (cell[end] if np.isfinite(cell[end]) else cell["mean"] for end in ("low", "high"))
            _interval(ax, low, cell["mean"], high, place - 0.17, **ours)
    names = [f"{v} ({diverged[v]} diverged)" if diverged[v] else v for v in cells.index]
    ax.set_yticks(range(len(cells)), names)
    ax.set_ylim(len(cells) - 0.5, -0.5)
    ax.grid(axis="y", color="0.93")
    ax.set_axisbelow(True)
    label = MEASURE_LABELS[measure]
    if measure == "accuracy":
        draw_ceilings(ax, task, "train", upright=True, input_noise=input_noise_of(rows))
        label = "training accuracy, last epoch"
    ax.set_xlabel(f"{label}\n(mean, 95 % interval)", fontsize=9)
    ax.set_title(title_of(task))
    sns.despine(ax=ax, left=True)
    return ax


def _opened(study: str | Results | pd.DataFrame, title: str | None) -> tuple[Results | pd.DataFrame, str]:
    """Load a shipped study if a name is given, and return its name for the title of a figure."""
    if isinstance(study, str):
        return load_replication(study), title or title_of_study(study)
    return study, title or ""


def _networks(study: Results | pd.DataFrame) -> pd.DataFrame:
    return study if isinstance(study, pd.DataFrame) else study.networks


def forest_figure(
    study: str | Results | pd.DataFrame = "6_6_2",
    task: str | Sequence[str] = (),
    measure: str = "accuracy",
    title: str | None = None,
    published: bool = True,
) -> Figure:
    """Draw :func:`forest` for one task, or for several side by side.

    Parameters
    ----------
    study : str, Results or DataFrame
        Name of a shipped study, see :data:`biornn_lite.replication.SHIPPED`, or results of your own.
    task : str or sequence of str
        Several tasks are drawn side by side, on one scale. Default: all tasks of the study.
    measure, published
        As in :func:`forest`.
    title : str, optional
        Default for a shipped study: its own title.
    """
    study, title = _opened(study, title)
    networks = _networks(study)
    tasks = [task] if isinstance(task, str) else list(task) or tasks_of(networks)
    size = (max(9, 2.4 + 3.2 * len(tasks)), 4.9)
    figure, axes = plt.subplots(1, len(tasks), figsize=size, squeeze=False, layout="constrained", sharex=True)
    for ax, task in zip(axes[0], tasks, strict=True):
        forest(networks, task, ax, measure, published)
        if measure == "accuracy" and ax.get_legend_handles_labels()[0]:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.19), fontsize=8, frameon=False)
    handles = weights_handles(networks)
    if published and _as_published(networks):
        handles.append(plt.Line2D([], [], label="published", **PUBLISHED_STYLE))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


TOLD_APART = {"color": "black", "marker": "D"}
NOT_TOLD_APART = {"color": "0.6", "marker": "D", "markerfacecolor": "white"}
"""Style of differences; it uses no colour that represents weights."""


_KINDS = ("functional", "relabelled", "orthogonal", "own")


def _functional_first(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put the two of each pair, and then the pairs, in the order of :data:`_KINDS`."""

    def place(variant: str) -> int:
        return _KINDS.index(kind_of(variant))

    turned = [tuple(sorted(pair, key=place)) for pair in pairs]
    return sorted(turned, key=lambda pair: [place(variant) for variant in pair])


def effects(table: pd.DataFrame, measure: str, choice: str, ax: Axes) -> Axes:
    """Draw Cliff's delta for every pair of variants that differ in one choice only.

    Parameters
    ----------
    table : DataFrame
        Rows of one task.
    measure : str
        A column of the table.
    choice : {"weights", "space", "communicability"}
        Of weights, a pair begins with the variant that starts from function.
    ax : Axes
    """
    there = [v for v, group in table.groupby("variant", sort=False) if group[measure].notna().any()]
    pairs = _functional_first(isolating_pairs(choice, there))
    if not pairs:
        raise InputError(f"no two variants here differ in {choice} alone and have a value of {measure}")
    found = pairwise(table, measure, pairs)
    for place, row in found.iterrows():
        style = TOLD_APART if row["p_holm"] < 0.05 else NOT_TOLD_APART
        _interval(ax, row["low"], row["delta"], row["high"], place, linewidth=2.2, markersize=6, **style)
    ax.axvline(0, color="0.35", linewidth=1)
    ax.set_yticks(range(len(found)), [f"{a} over {b}" for a, b in pairs])
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.set_xlim(-1.08, 1.08)
    ax.set_xlabel("Cliff's delta and 95 % interval")
    ax.set_title(CHOICE_LABELS[choice], fontsize=10)
    sns.despine(ax=ax, left=True)
    return ax


def effects_figure(
    study: str | Results | pd.DataFrame = "6_6_2",
    task: str = "go_nogo",
    measure: str = "accuracy",
    choice: str = "weights",
    title: str | None = None,
) -> Figure:
    """Draw :func:`effects` of one choice, and next to it the individual runs.

    Parameters
    ----------
    study : str, Results or DataFrame
        As in :func:`forest_figure`. Accuracy is the one that the protocol reports.
    task, measure, choice : str
    title : str, optional
    """
    study, title = _opened(study, title)
    networks = _networks(study)
    table = networks[networks["task"] == task].assign(accuracy=reported_accuracy)
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.4), layout="constrained", gridspec_kw={"width_ratios": [1, 1.4]})
    effects(table, measure, choice, axes[0])
    by_variant(table, task, axes[1], measure)
    if measure == "accuracy":  # below what is possible without memory there is little to see
        axes[1].set_ylim(bottom=min(0.4, 0.95 * table["accuracy"].min()))
    handles = [
        plt.Line2D([], [], label=label, **style)
        for style, label in (
            (TOLD_APART, "told apart: p < 0.05 after Holm's correction over these pairs"),
            (NOT_TOLD_APART, "not told apart"),
        )
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


def curves(results: Results, task: str, variants: Sequence[str], ax: Axes, accuracy: str = "test_accuracy") -> Axes:
    """Draw the accuracy over epochs: thin lines for runs, thick lines for the mean of each variant.

    Parameters
    ----------
    results : Results
        Results of one study. Diverged runs have no curve; the legend counts them.
    task : str
    variants : sequence of str
        At most four; they also differ in line style.
    ax : Axes
    accuracy : {"test_accuracy", "train_accuracy"}
    """
    rows = results.curves[results.curves["task"] == task]
    networks = results.networks[results.networks["task"] == task]
    single = []
    for variant, line in zip(variants, SMOOTH_LINES, strict=False):
        mine = rows[rows["variant"] == variant].pivot_table(accuracy, "epoch", "run")
        status = networks.loc[networks["variant"] == variant, "status"]
        lost = (status == "diverged").sum()
        label = f"{as_text(variant)}, mean of {len(status) - lost} runs" + (f", {lost} diverged" if lost else "")
        ax.plot(mine.index, mine.mean(axis=1), linewidth=2.6, label=label, **line)
        single.append((mine, line | {"label": f"{as_text(variant)}, single runs"}))
    draw_ceilings(ax, task, accuracy.removesuffix("_accuracy"), input_noise=input_noise_of(networks))
    ax.legend(loc="lower right", fontsize=8)
    for mine, line in single:  # after the legend, which leaves them out, and below the means
        ax.plot(mine.index, mine, linewidth=0.7, alpha=0.35, zorder=1.5, **line)
    ax.set_xlabel("epoch (40 batches of 128 trials)")
    ax.set_ylabel(accuracy.replace("train_", "training ").replace("_", " "))
    ax.set_ylim(0, 1.04)
    ax.set_title(title_of(task))
    sns.despine(ax=ax)
    return ax


def waiting(found: pd.DataFrame, variants: Sequence[str], ax: Axes) -> Axes:
    """Draw the Kaplan–Meier estimate of the share of networks that have not learned by each epoch.

    Parameters
    ----------
    found : DataFrame
        Rows of :func:`biornn_lite.statistics.epochs_to_learn`, all of one task.
    variants : sequence of str
        At most four.
    ax : Axes
    """
    for variant, line in zip(variants, SMOOTH_LINES, strict=False):
        mine = found[found["variant"] == variant]
        share = not_yet_learned(mine)
        ax.step(
            share.index, share, where="post", linewidth=2.2, **line,
            label=f"{as_text(variant)}: {mine['learned'].sum()} of {len(mine)} learned",
        )  # fmt: skip
    ax.set_xlabel("epoch")
    ax.set_ylabel("share of runs not yet there")
    ax.set_ylim(-0.03, 1.03)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize=8, frameon=False)
    sns.despine(ax=ax)
    return ax


def learning_figure(
    study: str | Results = "6_6_2",
    task: str = "go_nogo",
    variants: Sequence[str] = ("W*D*C*", "WD*C"),
    title: str | None = None,
) -> Figure:
    """Draw the learning curves of some variants, and next to them how long their runs took to learn.

    Parameters
    ----------
    study : str or Results
        As in :func:`forest_figure`.
    task : str
    variants : sequence of str
        At most four.
    title : str, optional
    """
    results, title = _opened(study, title)
    there = results.networks["variant"].unique()
    if missing := set(variants) - set(there):
        raise InputError(f"this study has no {', '.join(sorted(missing))}; it has {', '.join(there)}")
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.2), layout="constrained")
    curves(results, task, variants, axes[0])
    waiting(epochs_to_learn(*results).query("task == @task"), variants, axes[1])
    axes[1].set_title("90 % of the best possible test accuracy", fontsize=10)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


MEASURE_OPTIONS = [(label, measure) for measure, label in MEASURE_LABELS.items()]
STUDY_OPTIONS = [
    (f"field {s.field}, signs {s.sign}" + (f", {s.changes}" if s.changes else ""), name)
    for name, s in SHIPPED.items()
]


def _of(studies: Sequence[str]) -> ipw.Dropdown:
    """Return a list of shipped studies, of which the first is chosen."""
    labels = {name: label for label, name in STUDY_OPTIONS}
    if unknown := [name for name in studies if name not in labels]:
        raise InputError(f"no shipped study {unknown[0]!r}; there are {', '.join(labels)}")
    return dropdown("study", [(labels[name], name) for name in studies], studies[0])


def forest_panel(studies: Sequence[str] = tuple(SHIPPED)) -> ipw.Widget:
    """Return a panel to select study, task and measure; see :func:`forest_figure`.

    Parameters
    ----------
    studies : sequence of str
        Names of shipped studies; the first is shown at first.
    """
    controls = {
        "study": _of(studies),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "measure": dropdown("measure", MEASURE_OPTIONS, "accuracy"),
    }
    return figure_panel(forest_figure, controls)


def effects_panel(studies: Sequence[str] = tuple(SHIPPED)) -> ipw.Widget:
    """Return a panel to select study, task, measure and choice; see :func:`effects_figure`.

    Parameters
    ----------
    studies : sequence of str
        As in :func:`forest_panel`.
    """
    choices = [(label, choice) for choice, label in CHOICE_LABELS.items()]
    controls = {
        "choice": dropdown("choice", choices, "weights"),
        "study": _of(studies),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "measure": dropdown("measure", MEASURE_OPTIONS, "accuracy"),
    }
    return figure_panel(effects_figure, controls)


def learning_panel(studies: Sequence[str] = tuple(SHIPPED)) -> ipw.Widget:
    """Return a panel to select study, task and two variants; see :func:`learning_figure`.

    Parameters
    ----------
    studies : sequence of str
        As in :func:`forest_panel`.
    """
    controls = {
        "first": dropdown("variant", PUBLISHED_VARIANTS, "W*D*C*"),
        "second": dropdown("and", PUBLISHED_VARIANTS, "WD*C"),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "study": _of(studies),
    }
    return figure_panel(
        lambda first, second, task, study: learning_figure(study, task, tuple(dict.fromkeys((first, second)))),
        controls,
    )
