"""Figures of robustness and cost, for notebook 12, drawn from tables of :mod:`biornn_lite.robustness_verdict`.

Each figure shows one variant per start, the controls among them; see :func:`biornn_lite.robustness_verdict.shown`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..psychometric import COHERENCES, curve, ideal_by_coherence, ideal_threshold
from ..results import in_order
from ..robustness_studies import SIZES
from ..robustness_verdict import AFTER, CLAIMS, COMPARED, FAMILIES, FEWEST, SEVERITIES, SHOWN, verdicts
from ..tasks import PERCEPTUAL, title_of
from .audit_parts import band_handle, draw_band, draw_interval, drawable, handle, label_rows, percent
from .drawn import LEFT_OUT
from .parts import (
    ceiling_handles,
    entitle,
    gain_axis,
    interval_handle,
    legend,
    mean_line,
    outer_labels,
    rows_of,
    task_axes,
)
from .robustness_parts import each_start, log_axis, log_places, start_handles
from .study import NOT_TOLD_APART, TOLD_APART
from .style import START_LINES, as_text

# Less data


def gain_by_trials(
    table: pd.DataFrame, study: str, task: str, ax: Axes, variants: Sequence[str] = (), learns: bool = False
) -> Axes:
    """Draw the mean gain, or the share of networks that learn, against the number of training trials.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.data_table`.
    study, task : str
    ax : Axes
        The number of trials is on a logarithmic axis.
    variants : sequence of str
        See :func:`biornn_lite.robustness_verdict.shown`.
    learns : bool
        Draw the share that learns, with Wilson's interval.
    """
    mean, low, high = ("learns", "learns_low", "learns_high") if learns else ("gain", "low", "high")
    table = rows_of(table, "gains by number of trials", study, "variant", "task", "trials", mean)
    table = drawable(table[table["task"] == task], f"gains of the task {task}")
    sizes = sorted(set(table["trials"]))
    for start, mine in each_start(table, study, variants):
        mine = mine.sort_values("trials")
        mean_line(ax, start, mine["trials"], mine[low], mine[mean], mine[high])
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize=8, rotation=45)
    ax.set_xticks([], minor=True)
    ax.set_xlabel("training trials")
    if learns:
        ax.set_ylim(-0.04, 1.04)
        ax.set_ylabel("share that learns")
        ax.yaxis.set_major_formatter(lambda share, _: percent(share))
        sns.despine(ax=ax)
    else:
        gain_axis(ax)
    return ax


def less_data_figure(table: pd.DataFrame, study: str, variants: Sequence[str] = ()) -> Figure:
    """Draw :func:`gain_by_trials` for each task, the gain above and the share that learns below."""
    table = rows_of(table, "gains by number of trials", study, "variant", "task", "trials", "gain")
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, rows=2, height=6.4, sharex=True, sharey="row")
    for task, column in zip(tasks, axes.T, strict=True):
        for ax, learns in zip(column, (False, True), strict=True):
            gain_by_trials(table, study, task, ax, variants, learns)
        column[0].set_xlabel("")
    outer_labels(axes)
    legend(figure, [*start_handles(table, study, variants), interval_handle(), *ceiling_handles()])
    entitle(figure, "Less data, 400 batches of 128 throughout", study, table)
    return figure


def fewer_epochs_figure(table: pd.DataFrame, study: str, variants: Sequence[str] = ()) -> Figure:
    """Draw the mean gain after each epoch of training, for each task.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.epochs_table`.
    study : str
    variants : sequence of str
        See :func:`biornn_lite.robustness_verdict.shown`.
    """
    table = rows_of(table, "gains by epoch", study, "variant", "task", "epoch", "gain")
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, sharey=True)
    for task, ax in zip(tasks, axes[0], strict=True):
        for start, mine in each_start(table[table["task"] == task], study, variants):
            mean_line(ax, start, mine["epoch"], mine["low"], mine["gain"], mine["high"])
        ax.set_xticks(sorted(set(table["epoch"])))
        ax.set_xlabel("epochs of 40 batches")
        gain_axis(ax)
    outer_labels(axes)
    legend(figure, [*start_handles(table, study, variants), interval_handle(), *ceiling_handles()])
    entitle(figure, "Fewer epochs, 5,120 training trials", study, table)
    return figure


# Trials needed

ABOVE = 1.75
"""Where "above the largest number" is drawn, as a multiple of that number."""


def _at(trials: float) -> float:
    """Place of a number of trials on the axis; an infinite one is at the right end."""
    return trials if np.isfinite(trials) else ABOVE * max(SIZES)


def _trials_axis(ax: Axes) -> None:
    sizes = sorted(SIZES)
    ax.set_xscale("log")
    labels = [*(f"{size:,}" for size in sizes), f"> {sizes[-1]:,}"]
    ax.set_xticks([*sizes, _at(np.inf)], labels, fontsize=8, rotation=60)
    ax.set_xticks([], minor=True)
    ax.set_xlim(0.85 * sizes[0], 1.2 * _at(np.inf))
    ax.axvline(1.3 * sizes[-1], color="0.7", linestyle=":", linewidth=1, zorder=0)


def still_below(table: pd.DataFrame, study: str, task: str, ax: Axes, variants: Sequence[str] = ()) -> Axes:
    """Draw the Kaplan–Meier share of networks that need more than each number of training trials.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.needed_table`.
    study, task : str
    ax : Axes
        A bar at the end marks networks that are censored: none of the numbers was enough for them.
    variants : sequence of str
    """
    sizes = sorted(SIZES)
    table = rows_of(table, "trials needed", study, "variant", "task", "median", *sizes)
    table = drawable(table[table["task"] == task], f"trials needed of the task {task}")
    for start, mine in each_start(table, study, variants):
        row, style = mine.iloc[0], START_LINES[start]
        share = [1.0, *(float(row[size]) for size in sizes)]
        look = {"color": style["color"], "linewidth": 1.8}
        ax.step([0.85 * sizes[0], *sizes], share, where="post", linestyle=style["linestyle"], label=start, **look)
        if row["censored"]:
            end = share[-1]
            # by this label, tables of numbers and alternative texts leave it out
            ax.vlines(sizes[-1], end - 0.035, end + 0.035, label=LEFT_OUT, **look)
    _trials_axis(ax)
    ax.set_ylim(-0.06, 1.06)
    ax.yaxis.set_major_formatter(lambda share, _: percent(share))
    ax.set_ylabel("share of networks not yet\nat 90 % of the best accuracy")
    sns.despine(ax=ax)
    return ax


def medians_needed(table: pd.DataFrame, study: str, task: str, ax: Axes, variants: Sequence[str] = ()) -> Axes:
    """Draw the median number of training trials needed, with its 95 % interval; parameters as :func:`still_below`."""
    table = rows_of(table, "trials needed", study, "variant", "task", "median")
    table = drawable(table[table["task"] == task], f"trials needed of the task {task}")
    labels = []
    for place, (start, mine) in enumerate(each_start(table, study, variants)):
        row, style = mine.iloc[0], START_LINES[start] | {"linestyle": "none"}
        low, median, high = (_at(row[name]) for name in ("low", "median", "high"))
        look = {"color": style["color"], "marker": style["marker"], "markersize": 6}
        if row["median"] == np.inf:
            look |= {"markerfacecolor": "white"}
        draw_interval(ax, low, median, high, place, **look)
        labels.append(start)
    label_rows(ax, labels)
    _trials_axis(ax)
    ax.set_xlabel("training trials")
    return ax


def trials_needed_figure(table: pd.DataFrame, study: str, variants: Sequence[str] = ()) -> Figure:
    """Draw :func:`still_below` for each task, and :func:`medians_needed` beneath it."""
    table = rows_of(table, "trials needed", study, "variant", "task", "median")
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, rows=2, height=6.2, sharex=True, sharey="row", height_ratios=(1.5, 1))
    for task, column in zip(tasks, axes.T, strict=True):
        still_below(table, study, task, column[0], variants)
        medians_needed(table, study, task, column[1], variants)
    outer_labels(axes)
    handles = [
        *start_handles(table, study, variants, marker=""),
        handle("censored at 5,120 trials", color="0.35", marker="|", markersize=9, markeredgewidth=1.8),
        handle("median and 95 % interval", color="0.35", marker="o", linestyle="-", linewidth=1.8),
    ]
    legend(figure, handles, 4)
    entitle(figure, "Training trials needed for 90 % of the best accuracy", study, table)
    return figure


# Degradation

_PER_CENT, _PLAIN = (lambda x: f"{100 * x:g}"), (lambda x: f"{x:g}")

_AXES = {
    "input noise": ("SD of the noise", _PLAIN, "0"),
    "state noise": ("SD of the noise / RMS of the states", _PLAIN, "0"),
    "weight noise": ("SD of the noise / SD of the weights", _PLAIN, "0"),
    "weight noise, proportional": ("SD of the noise / the weight", _PLAIN, "0"),
    "units": ("units silenced (%)", _PER_CENT, "0"),
    "synapses": ("recurrent weights cut (%)", _PER_CENT, "0"),
    "bits": ("bits per weight", _PLAIN, "32"),
    "pruned": ("recurrent weights kept (%)", _PER_CENT, "all"),
    "after": ("trial lengths after the trial", _PLAIN, "0"),
}
"""Label of the axis, and of its ticks with severities and without a disturbance, by the beginning of a name."""

DIAGONAL = ("self-connections cut", "others cut")
"""Disturbances with one severity."""


def _axis_of(measure: str) -> tuple[str, list[str]]:
    """Label of the axis of severities, and of its ticks."""
    if measure not in SEVERITIES:
        raise InputError(f"no disturbance {measure!r}; there are {', '.join(SEVERITIES)}")
    if measure in DIAGONAL:
        return "", ["none", measure.removesuffix(" cut")]
    label, write, undisturbed = _AXES.get(measure) or next(
        axis for name, axis in _AXES.items() if measure.startswith(name)
    )
    return label, [undisturbed, *map(write, SEVERITIES[measure])]


def degradation(
    table: pd.DataFrame,
    study: str,
    task: str,
    measure: str,
    ax: Axes,
    variants: Sequence[str] = (),
    retained: bool = False,
) -> Axes:
    """Draw the mean gain against the severity of a disturbance.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.curve_table`.
    study, task : str
    measure : str
        One of :data:`biornn_lite.robustness_verdict.SEVERITIES`.
    ax : Axes
        Severities have equal steps, as for the area under the curve. The first place is the undisturbed network.
    variants : sequence of str
    retained : bool
        Draw the gain relative to the undisturbed one, of networks that learned.
    """
    label, ticks = _axis_of(measure)
    mean, low, high = ("retained", "retained_low", "retained_high") if retained else ("all", "low", "high")
    table = rows_of(table, "a degradation curve", study, "variant", "task", "measure", "severity")
    table = drawable(
        table[(table["task"] == task) & (table["measure"] == measure)], f"{measure} and task {task}", mean
    )
    severities = (0.0, *SEVERITIES[measure])
    for start, mine in each_start(table, study, variants):
        mine = mine.set_index("severity")
        places = [place for place, severity in enumerate(severities) if severity in mine.index]
        mine = mine.loc[[severities[place] for place in places]]
        mean_line(ax, start, places, mine[low], mine[mean], mine[high])
    ax.set_xticks(range(len(severities)), ticks, fontsize=8)
    ax.set_xlim(-0.25, len(severities) - 0.75)
    ax.set_xlabel(label)
    gain_axis(ax, "gain retained" if retained else "mean gain")
    return ax


FEWEST_DRAWN = 3
"""Networks that must have learned for what they retain to be drawn."""


def _degraded(table: pd.DataFrame, study: str, retained: bool) -> pd.DataFrame:
    """Return the rows of a study, with the number of networks that a curve is the mean of as ``networks``.

    What so few networks retain says nothing of their start, and is left out.
    """
    table = rows_of(table, "a degradation curve", study, "variant", "task", "measure", "severity", "networks")
    if not retained:
        return table
    few = table["learned"] < FEWEST_DRAWN
    return table.assign(networks=table["learned"].mask(few, 0), retained=table["retained"].mask(few))


def degradation_figure(
    table: pd.DataFrame, study: str, measure: str, variants: Sequence[str] = (), retained: bool = False
) -> Figure:
    """Draw :func:`degradation` for each task."""
    _axis_of(measure)
    table = _degraded(table, study, retained)
    table = drawable(table[table["measure"] == measure], measure)
    tasks = in_order(table["task"])
    figure, axes = task_axes(tasks, sharey=True)
    for task, ax in zip(tasks, axes[0], strict=True):
        degradation(table, study, task, measure, ax, variants, retained)
    outer_labels(axes)
    legend(figure, [*start_handles(table, study, variants), interval_handle(), *ceiling_handles(retained)])
    entitle(figure, measure.capitalize(), study, table)
    return figure


SHEET: dict[str, tuple[str, ...]] = {
    "noise": FAMILIES["noise"],
    "damage": FAMILIES["damage"],
    "precision": tuple(name for name in SEVERITIES if name.startswith("bits")),
    "connections": (*DIAGONAL, "pruned", "pruned and retrained"),
}
"""Disturbances of the sheet, by row."""


def degradation_sheet(
    table: pd.DataFrame, study: str, task: str, variants: Sequence[str] = (), retained: bool = False
) -> Figure:
    """Draw :func:`degradation` for all disturbances of one study and task; rows are families.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.curve_table` with all measures in :data:`SHEET`.
    study, task : str
    variants, retained
        As in :func:`degradation`.
    """
    table = _degraded(table, study, retained)
    table = drawable(table[table["task"] == task], f"the task {task}")
    figure, axes = plt.subplots(
        len(SHEET), max(map(len, SHEET.values())), figsize=(11, 10.4), layout="constrained", sharey=True
    )
    for row, (family, measures) in zip(axes, SHEET.items(), strict=True):
        for ax, measure in zip(row, measures, strict=True):
            degradation(table, study, task, measure, ax, variants, retained)
            ax.tick_params(axis="x", labelsize=7)
            ax.xaxis.label.set_size(8)
            ax.set_title(",\n".join(measure.rsplit(", ", 1)) if len(measure) > 22 else measure, fontsize=8.5)
        row[0].set_ylabel(f"{family}\n{row[0].get_ylabel()}", fontsize=9)
    outer_labels(axes)
    legend(figure, [*start_handles(table, study, variants), interval_handle(), *ceiling_handles(retained)])
    entitle(figure, f"All disturbances, {title_of(task)}", study, table)
    return figure


# Psychometric curves


def psychometric(
    table: pd.DataFrame, thresholds: pd.DataFrame, study: str, ax: Axes, variants: Sequence[str] = ()
) -> Axes:
    """Draw accuracy against coherence: means, the curves fitted to all answers, and the ideal observer.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.psychometric_table`.
    thresholds : DataFrame
        From :func:`biornn_lite.robustness_verdict.threshold_table`.
    study : str
    ax : Axes
        Coherence is on a logarithmic axis, with a place for 0 at the left.
    variants : sequence of str
    """
    table = rows_of(table, "a psychometric curve", study, "variant", "coherence", "accuracy")
    fits = rows_of(thresholds, "a psychometric curve", study, "variant", "scale", "lapses").set_index("variant")
    places = log_places(COHERENCES)
    table = drawable(table[table["coherence"].isin(COHERENCES)], "a psychometric curve")
    fine = np.geomspace(min(filter(None, COHERENCES)), max(COHERENCES), 200)
    ax.plot(np.log10(fine), ideal_by_coherence(fine), color="black", linestyle="--", linewidth=1.6, label="_ideal")
    for start, mine in each_start(table, study, variants):
        mine, style = mine.sort_values("coherence"), START_LINES[start]
        look = {"color": style["color"], "marker": style["marker"], "markersize": 5, "label": f"_{start}"}
        mine = mine.assign(place=[places[float(coherence)] for coherence in mine["coherence"]])
        ax.plot(mine["place"], mine["accuracy"], linestyle="none", zorder=3, **look)
        at_0, others = mine[mine["coherence"] == 0], mine[mine["coherence"] > 0]
        ax.vlines(at_0["place"], at_0["low"], at_0["high"], color=style["color"], linewidth=1.5)
        ax.fill_between(
            others["place"], others["low"], others["high"], color=style["color"], alpha=0.15, linewidth=0
        )  # fmt: skip
        if mine["variant"].iloc[0] in fits.index:
            fitted = fits.loc[mine["variant"].iloc[0]]
            ax.plot(
                np.log10(fine), curve(fine, fitted["scale"], fitted["lapses"]), color=style["color"],
                linestyle=style["linestyle"], linewidth=1.6, label=start,
            )  # fmt: skip
    _coherence_axis(ax)
    ax.set_xlabel("coherence (%)")
    ax.set_ylim(min(0.44, ax.dataLim.y0 - 0.02), 1.02)
    ax.set_ylabel("accuracy")
    sns.despine(ax=ax)
    return ax


_BEYOND = 2.3
"""Where a threshold that is censored is drawn, as a logarithm."""


def _coherence_axis(ax: Axes) -> None:
    """Give Axes the coherences of the studies, and room for thresholds beyond."""
    places = log_places(COHERENCES)
    log_axis(ax, places, list(places), [f"{coherence:g}" for coherence in places])
    ax.set_xlim(ax.get_xlim()[0], _BEYOND + 0.12)
    ax.tick_params(axis="x", labelsize=8)


def thresholds_by_start(thresholds: pd.DataFrame, study: str, ax: Axes, variants: Sequence[str] = ()) -> Axes:
    """Draw the median threshold of each start's networks with its 95 % interval; parameters as :func:`psychometric`.

    Thresholds that are censored, above 100 % or no better than guessing, lie at the right end.
    """
    mine = rows_of(thresholds, "thresholds", study, "variant", "median", "low", "high", "networks", "censored")
    labels, counts = [], []
    for place, (start, rows) in enumerate(each_start(mine, study, variants)):
        row = rows.iloc[0]
        low, median, high = (
            np.log10(row[name]) if np.isfinite(row[name]) else _BEYOND for name in ("low", "median", "high")
        )
        look = {"color": START_LINES[start]["color"], "marker": START_LINES[start]["marker"], "markersize": 6}
        look |= {} if median < _BEYOND else {"markerfacecolor": "white"}
        draw_interval(ax, low, median, high, place, **look)
        labels.append(start)
        counts.append(f"{row['censored']} of {row['networks']} censored")
    label_rows(ax, labels, counts)
    _coherence_axis(ax)
    ax.set_xticks([*ax.get_xticks(), _BEYOND], [*(text.get_text() for text in ax.get_xticklabels()), "none"])
    ax.axvline((_BEYOND + np.log10(max(COHERENCES))) / 2, color="0.7", linestyle=":", linewidth=1, zorder=0)
    ax.axvline(np.log10(ideal_threshold()), color="black", linestyle="--", linewidth=1.6, zorder=1)
    ax.set_xlabel("threshold, coherence in %: median of runs and 95 % interval")
    return ax


def psychometric_figure(
    table: pd.DataFrame, thresholds: pd.DataFrame, study: str, variants: Sequence[str] = ()
) -> Figure:
    """Draw :func:`psychometric`, and :func:`thresholds_by_start` beneath it."""
    mine = rows_of(table, "a psychometric curve", study, "variant", "coherence", "accuracy", "networks")
    figure, axes = plt.subplots(
        2, 1, figsize=(9.5, 7.4), layout="constrained", gridspec_kw={"height_ratios": (1.6, 1)}
    )  # fmt: skip
    psychometric(mine, thresholds, study, axes[0], variants)
    thresholds_by_start(thresholds, study, axes[1], variants)
    handles = [
        *start_handles(mine, study, variants),
        handle("ideal observer", color="black", linestyle="--", linewidth=1.6),
    ]
    legend(figure, handles, 4)
    entitle(figure, f"{title_of(PERCEPTUAL)}: fits to all answers, and median thresholds", study, mine)
    return figure


# Stability

BOUNDED = ("bounded, silence", "bounded, noise")
"""Shares of trials whose states stay bounded after the trial."""


def by_start(table: pd.DataFrame, study: str, measure: str, ax: Axes, variants: Sequence[str] = ()) -> Axes:
    """Draw the mean of a measure with its 95 % interval, for each start and task.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.measure_table`.
    study, measure : str
    ax : Axes
        Tasks differ in their markers, starts in their colours.
    variants : sequence of str
    """
    table = rows_of(table, measure, study, "variant", "task", "measure", "mean")
    table = drawable(table[table["measure"] == measure], measure)
    tasks = in_order(table["task"])
    labels = []
    for place, (start, mine) in enumerate(each_start(table, study, variants)):
        for task, offset in zip(tasks, np.linspace(-0.24, 0.24, len(tasks)) if len(tasks) > 1 else [0], strict=True):
            for row in mine[mine["task"] == task].itertuples():
                look = {"color": START_LINES[start]["color"], "marker": _task_marker(tasks, task), "markersize": 5}
                ends = (round(value, 9) for value in (row.low, row.mean, row.high))  # 1e-29 bits are 0
                draw_interval(ax, *ends, place + offset, label=title_of(task), **look)
        labels.append(start)
    label_rows(ax, labels)
    return ax


def _task_marker(tasks: Sequence[str], task: str) -> str:
    return "os^Dv"[tasks.index(task) % 5]


def _task_handles(tasks: Sequence[str]) -> list[plt.Line2D]:
    return [handle(as_text(title_of(t)), color="0.35", marker=_task_marker(tasks, t), markersize=5) for t in tasks]


def stability_figure(
    table: pd.DataFrame, bounded: pd.DataFrame, study: str, variants: Sequence[str] = (), retained: bool = False
) -> Figure:
    """Draw what is left of the answer some trial lengths after the trial, and the share of trials that stay bounded.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.curve_table` with the measures
        :data:`biornn_lite.robustness_verdict.AFTER`.
    bounded : DataFrame
        From :func:`biornn_lite.robustness_verdict.measure_table` with the measures :data:`BOUNDED`.
    study : str
    variants, retained
        As in :func:`degradation`.
    """
    table = _degraded(table, study, retained)
    tasks = in_order(table["task"])
    figure, axes = plt.subplots(2, len(tasks) + 1, figsize=(11, 6.6), layout="constrained", squeeze=False)
    for row, measure, beside in zip(axes, AFTER, BOUNDED, strict=True):
        for ax, task in zip(row[:-1], tasks, strict=True):
            ax.sharey(axes[0, 0])
            degradation(table, study, task, measure, ax, variants, retained)
        row[0].set_ylabel(f"{measure.rpartition(', ')[2]}\n{row[0].get_ylabel()}")
        by_start(bounded, study, beside, row[-1], variants)
        row[-1].set_xlim(-0.05, 1.05)
        row[-1].yaxis.tick_right()
        row[-1].tick_params(axis="y", length=0)
        row[-1].set_xticks([0, 0.5, 1], ["0", "50", "100"])
    for ax in axes[:, 1:-1].flat:
        ax.set_ylabel("")
        ax.tick_params(axis="y", labelleft=False)
    for ax, title in zip(axes[0], [*map(title_of, tasks), "bounded trials"], strict=True):
        ax.set_title(as_text(title), fontsize=10)
        ax.set_xlabel("")
    axes[1, -1].set_xlabel("% of trials")
    ceilings = ceiling_handles(retained)
    handles = [*start_handles(table, study, variants), interval_handle(), *ceilings, *_task_handles(tasks)]
    legend(figure, handles, 4)
    entitle(figure, "The readout after the trial, without and with noise", study, table)
    return figure


STATE_MEASURES = {
    "consistency": "same answer when shown again",
    "noise share": "noise share of the variance",
    "dimension entropy": "entropy of dimensions (bits)",
    "state entropy": "entropy of states (bits)",
}
"""Measures of repeated trials and of states, and their axis labels."""


def states_figure(table: pd.DataFrame, study: str, variants: Sequence[str] = ()) -> Figure:
    """Draw :func:`by_start` for the measures in :data:`STATE_MEASURES`."""
    mine = rows_of(table, "states", study, "variant", "task", "measure", "mean", "networks")
    mine = drawable(mine[mine["measure"].isin(STATE_MEASURES)], "states")
    figure, axes = plt.subplots(1, len(STATE_MEASURES), figsize=(11, 4), layout="constrained", sharey=True)
    for ax, (measure, label) in zip(axes, STATE_MEASURES.items(), strict=True):
        by_start(mine, study, measure, ax, variants)
        ax.set_xlabel(label, fontsize=9)
    legend(figure, _task_handles(in_order(mine["task"])), 3)
    entitle(figure, "Repeated trials and states", study, mine)
    return figure


# Claims

CLAIM_NAMES = {"edge": "small devices"}
"""Names of claims that differ from those of the rows."""

SAYS = {"better": TOLD_APART, "no better": {"color": "0.55", "marker": "s"}, "unclear": NOT_TOLD_APART}
"""Style of a contrast, by what its tests say."""


def claims(answers: pd.DataFrame, context: str, ax: Axes) -> Axes:
    """Draw functional minus each of what it is compared with, claim by claim, in one context.

    Parameters
    ----------
    answers : DataFrame
        From :func:`biornn_lite.robustness_verdict.answers`.
    context : str
        A study.
    ax : Axes
        At the right of a claim is its word in this context. A contrast of too few runs has no marker.
    """
    columns = ("claim", "context", "against", "says", "runs")
    answers = drawable(answers, "claims", *columns)
    mine = drawable(answers[(answers["context"] == context) & answers["claim"].isin(CLAIMS)], f"claims, {context}")
    words = verdicts(mine)[context]
    labels, ends, heads = [], [-0.2, 0.2], []
    for claim in CLAIMS:
        rows = mine[mine["claim"] == claim].set_index("against")
        if rows.empty:
            continue
        heads.append(len(labels))
        word = "\n".join(textwrap.wrap(as_text(words[claim]), 18))
        ax.text(1.02, len(labels), word, transform=ax.get_yaxis_transform(), va="top", fontsize=9, fontweight="bold")
        labels.append(CLAIM_NAMES.get(claim, claim))
        for against in (name for name in COMPARED if name in rows.index):
            row, place = rows.loc[against], len(labels)
            labels.append(f"− {against}")
            if np.isnan(row["difference"]):
                told = f"too few: {row['runs']:.0f} runs"
                ax.annotate(
                    told, (0, place), (5, 0), textcoords="offset points", va="center", fontsize=8, color="0.3"
                )
                continue
            look = {"markersize": 6.5, "label": f"{labels[heads[-1]]}: {row['says']}"} | SAYS[row["says"]]
            draw_interval(ax, row["low"], row["difference"], row["high"], place, **look)
            ends += [each for each in row[["low", "difference", "high"]].astype(float) if np.isfinite(each)]
    draw_band(ax)
    label_rows(ax, labels)
    for text, place in zip(ax.get_yticklabels(), range(len(labels)), strict=True):
        text.set_fontweight("bold" if place in heads else "normal")
    for place in heads[1:]:
        ax.axhline(place - 0.5, color="0.85", linewidth=0.8)
    pad = 0.05 * (max(ends) - min(ends))
    ax.set_xlim(min(ends) - pad, max(ends) + pad)
    ax.set_xlabel("functional − other (95 % interval)")
    ax.set_title(as_text(context), fontsize=10)
    return ax


def claims_figure(answers: pd.DataFrame) -> Figure:
    """Draw :func:`claims` for each context, with the legend of what the tests say."""
    answers = drawable(answers, "claims", "claim", "context", "against", "says", "runs")
    contexts = [name for name in SHOWN if name in set(answers["context"])]
    if not contexts:
        raise InputError(f"no rows of a context {', '.join(SHOWN)}")
    figure, axes = plt.subplots(1, len(contexts), figsize=(11, 6.2), layout="constrained", squeeze=False)
    for context, ax in zip(contexts, axes[0], strict=True):
        claims(answers, context, ax)
    ends = np.array([ax.get_xlim() for ax in axes[0]])
    for ax in axes[0]:
        ax.set_xlim(ends.min(), ends.max())
    for ax in axes[0, 1:]:
        ax.tick_params(axis="y", labelleft=False)
    handles = [handle(label, markersize=6.5, **style) for label, style in SAYS.items()]
    legend(figure, [*handles, band_handle()], 4)
    units = "less data: difference in mean gain; the others: in the share of the gain that is kept"
    figure.suptitle(f"Functional starts against controls ({units}; at least {FEWEST} runs)", fontsize=10)
    return figure
