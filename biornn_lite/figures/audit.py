"""Figures of the audit, for notebook 11, but for those of the specification curve and of one choice at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..audit import FACTORS, STARTS
from ..datasets import released_fields
from ..errors import InputError
from ..results import in_order
from ..statistics import bootstrap_interval
from ..tasks import title_of
from ..variants import Protocol
from ..verdict import FIELD_CONTRASTS, field_differences
from ..wiring import Pooled, pool_effects
from .audit_parts import (
    band_handle,
    draw_band,
    draw_interval,
    drawable,
    handle,
    in_words,
    label_rows,
    percent,
    setting_label,
    wilson,
)
from .study import NOT_TOLD_APART, TOLD_APART
from .style import BLUE, DARK, LINES, SHADES, as_text

SAYS = {
    "told apart": TOLD_APART,
    "not told apart": NOT_TOLD_APART | {"color": "0.4"},
    "equivalent": {"color": "0.55", "marker": "s"},
}
"""Style of a difference, by what its tests say."""

NO_INTERVAL = {"color": "0.4", "marker": "x"}
"""Style of a difference of two runs."""


# Shares that learn


def _dotted(ax: Axes, rows: int) -> None:
    """Draw a dotted line along each row."""
    ax.hlines(
        range(rows), 0, 1, transform=ax.get_yaxis_transform(), color="0.8", linestyle=":", linewidth=1, zorder=0
    )


def shares(rows: pd.DataFrame, by: str, ax: Axes) -> Axes:
    """Draw the share of networks that learn, with Wilson's interval, for each value of a column and each task.

    Parameters
    ----------
    rows : DataFrame
        Rows of the audit, of at most five tasks. A diverged network has not learned.
    by : str
        A column, such as ``start``. Its values are drawn from top to bottom in the order of the rows.
    ax : Axes
        At the right, the number of runs per task. If a value has several networks per run and task, the unit is the
        network.
    """
    rows = drawable(rows, "shares", by, "task", "seed", "learns")
    unit = "networks" if rows.duplicated([by, "task", "seed"]).any() else "runs"
    tasks = in_order(rows["task"])
    if len(tasks) > len(LINES):
        raise InputError(f"shares of {len(tasks)} tasks; at most {len(LINES)} can be told apart in one figure")
    values = list(dict.fromkeys(rows[by]))
    offsets = np.linspace(-0.25, 0.25, len(tasks)) if len(tasks) > 1 else [0.0]
    for place, value in enumerate(values):
        counts = []
        for task, offset, line in zip(tasks, offsets, LINES, strict=False):
            learns = rows.loc[(rows[by] == value) & (rows["task"] == task), "learns"]
            if len(learns):
                counts.append(len(learns))
                style = {"color": line["color"], "marker": line["marker"], "markersize": 5, "linewidth": 1.5}
                draw_interval(ax, *wilson(learns), place + offset, **style)
        number = f"{counts[0]}" if len(set(counts)) == 1 else f"{min(counts)}–{max(counts)}"
        ax.text(1.02, place, number, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color="0.4")
    ax.text(1.02, -0.6, unit, transform=ax.get_yaxis_transform(), va="bottom", fontsize=8, color="0.4")
    label_rows(ax, ["1 unit" if value == "1 units" else str(value) for value in values])
    _dotted(ax, len(values))
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel(f"share of {unit} that learn (95 % interval)")
    return ax


def shares_figure(rows: pd.DataFrame, by: str = "start") -> Figure:
    """Draw :func:`shares` with a legend of the tasks."""
    tasks = in_order(drawable(rows, "shares", by, "task", "seed", "learns")["task"])
    figure, ax = plt.subplots(figsize=(9, 1.5 + 0.34 * rows[by].nunique()), layout="constrained")
    shares(rows, by, ax)
    handles = [
        handle(as_text(title_of(task)), color=line["color"], marker=line["marker"], markersize=5, linestyle="-")
        for task, line in zip(tasks, LINES, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(tasks), frameon=False, fontsize=9)
    return figure


# Differences


def _differences(answers: pd.DataFrame, labels: Sequence[str], ax: Axes) -> Axes:
    """Draw differences of answers as a forest; each label has the context beneath it."""
    for place, row in enumerate(answers.itertuples()):
        style = NO_INTERVAL if np.isnan(row.low) else SAYS.get(row.says, SAYS["told apart"])
        draw_interval(ax, row.low, row.difference, row.high, place, markersize=6.5, **style)
    draw_band(ax)
    label_rows(ax, labels, answers["context"].tolist())
    drawn = np.concatenate([[-0.15, 0.15], answers[["low", "difference", "high"]].to_numpy(dtype=float).ravel()])
    low, high = np.nanmin(drawn), np.nanmax(drawn)
    ax.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    return ax


def _told_short(first: str, second: str, context: str) -> tuple[str, str]:
    """Write a contrast and its context; what both sides add to, such as ``0.5 I``, moves to the context."""
    base, plus, _ = first.partition(" + ")
    if plus and second.startswith(base + plus):
        first, second = (side.removeprefix(base + plus) for side in (first, second))
        context = f"{context}, added to {base}"
    sides = [f"({side})" if "−" in side else side for side in (first, second)]
    return " − ".join(sides), context


def differences_forest(answers: pd.DataFrame, ax: Axes) -> Axes:
    """Draw each contrast in each context: the difference in gain with its 95 % interval.

    Parameters
    ----------
    answers : DataFrame
        Rows of :func:`biornn_lite.verdict.answers`.
    ax : Axes
        Markers say what the tests say; see :data:`SAYS`.
    """
    answers = drawable(answers, "differences", "difference", "says")
    labels, contexts = zip(
        *map(_told_short, *(answers[name] for name in ("first", "second", "context"))), strict=True
    )
    _differences(answers.assign(context=contexts), labels, ax)
    ax.set_xlabel("difference in gain, first − second (95 % interval)")
    return ax


def _differences_figure(answers: pd.DataFrame, draw) -> Figure:
    answers = drawable(answers, "differences", "difference", "says")
    figure, ax = plt.subplots(figsize=(10, 1.5 + 0.46 * len(answers)), layout="constrained")
    draw(answers, ax)
    handles = [handle(label, markersize=6.5, **style) for label, style in SAYS.items()]
    if answers["low"].isna().any():
        handles.append(handle("too few runs for an interval", markersize=6.5, **NO_INTERVAL))
    figure.legend(
        handles=[*handles, band_handle()], loc="outside lower center", ncols=4, frameon=False, fontsize=9
    )  # fmt: skip
    return figure


def differences_forest_figure(answers: pd.DataFrame) -> Figure:
    """Draw :func:`differences_forest` with its legend."""
    return _differences_figure(answers, differences_forest)


def choices(answers: pd.DataFrame, ax: Axes) -> Axes:
    """Draw what each choice of the protocol changes: the difference in gain between both of its values.

    Parameters
    ----------
    answers : DataFrame
        Rows of :func:`biornn_lite.verdict.answers` for question 5; others are left out.
    ax : Axes
    """
    answers = drawable(answers, "choices", "difference", "says")
    answers = drawable(answers[answers["question"] == 5], "choices (question 5)")
    _differences(answers, [setting_label(name) for name in answers["first"]], ax)
    ax.set_xlabel("difference in gain, turned − published (95 % interval)")
    return ax


def choices_figure(answers: pd.DataFrame) -> Figure:
    """Draw :func:`choices` with its legend."""
    return _differences_figure(answers[answers["question"] == 5], choices)


# The sweep


def _places(weights: Sequence[float]) -> dict[float, float]:
    """Place values of λ on a logarithmic axis, and 0 left of the smallest other value."""
    weights = sorted(set(weights))
    positive = [weight for weight in weights if weight > 0]
    left = np.log10(positive[0]) - 0.7 if positive else 0.0
    return {weight: float(np.log10(weight)) if weight > 0 else left for weight in weights}


def sweep(rows: pd.DataFrame, start: str, ax: Axes, chosen: float | None = None) -> Axes:
    """Draw the mean gain of one start against λ: a thin line per task, a thick one for their mean.

    Parameters
    ----------
    rows : DataFrame
        Rows of the study ``sweep``.
    start : str
    ax : Axes
        λ is on a logarithmic axis, with 0 at the left.
    chosen : float, optional
        The λ that the sweep chooses for this start, marked by a triangle. A dashed line marks the published 0.3.
    """
    rows = drawable(rows, "a sweep", "start", "penalty_weight", "gain")
    places = _places(rows["penalty_weight"])
    rows = drawable(rows[rows["start"] == start], f"the sweep of {start}")
    cells = rows.pivot_table("gain", index="penalty_weight", columns="task")
    x = [places[weight] for weight in cells.index]
    published = Protocol().penalty_weight
    if published in places:
        ax.axvline(places[published], color="0.5", linestyle=(0, (4, 3)), linewidth=1.2, zorder=0)
    for task, line in zip(in_order(cells.columns), LINES, strict=False):
        ax.plot(x, cells[task], linewidth=1, zorder=2, **line | {"marker": ""})
    mean = cells.mean(axis=1)
    ax.plot(x, mean, color="black", linewidth=2.4, zorder=3)
    if chosen is not None and chosen in mean.index:
        ax.plot([places[chosen]] * 2, [mean[chosen], 1.17], color="black", linewidth=0.8, zorder=1)
        ax.plot([places[chosen]], [1.17], "v", color="black", markersize=7, zorder=4, clip_on=False)
    ax.set_xticks(list(places.values()), [f"{weight:g}" for weight in places], rotation=90, fontsize=8)
    ax.set_ylim(min(-0.1, float(cells.min().min()) - 0.05), 1.2)
    ax.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.grid(axis="y", color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set_title(as_text(start, 30), fontsize=9)
    sns.despine(ax=ax)
    return ax


def sweep_figure(rows: pd.DataFrame, chosen: Mapping[str, float] | None = None) -> Figure:
    """Draw :func:`sweep` for every start.

    Parameters
    ----------
    rows : DataFrame
        Rows of the study ``sweep``.
    chosen : mapping of str to float, optional
        λ of each start, from :func:`biornn_lite.audit.chosen_weights`.
    """
    rows = drawable(rows, "a sweep", "start", "penalty_weight", "gain")
    starts = list(dict.fromkeys(rows["start"]))
    down = -(-len(starts) // 5)
    across = -(-len(starts) // down)
    figure, axes = plt.subplots(
        down, across, figsize=(max(5, 2.1 * across), 1.3 + 1.9 * down), sharex=True, sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for ax in axes.flat[len(starts) :]:
        ax.set_axis_off()
    for start, ax in zip(starts, axes.flat, strict=False):
        sweep(rows, start, ax, (chosen or {}).get(start))
    axes[0, 0].set_ylim(min(-0.1, *(ax.get_ylim()[0] for ax in axes.flat[: len(starts)])), 1.2)
    for ax in axes[:, 0]:
        ax.set_ylabel("mean gain")
    for number, ax in enumerate(axes.flat[: len(starts)]):
        if number + across >= len(starts):  # no axes below
            ax.set_xlabel("λ")
            ax.tick_params(axis="x", labelbottom=True)
    handles = [
        handle(as_text(title_of(task)), **line | {"marker": ""})
        for task, line in zip(in_order(rows["task"]), LINES, strict=False)
    ]
    handles.append(handle("mean", color="black", linewidth=2.4, linestyle="-"))
    if chosen:
        handles.append(handle("chosen λ", color="black", marker="v", markersize=7))
    handles.append(handle("published λ", color="0.5", linestyle=(0, (4, 3)), linewidth=1.2))
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    return figure


# The factorial


def factorial_shares_bars(shares: pd.Series, ax: Axes) -> Axes:
    """Draw the shares of variance as bars, the largest first, with the percentage at each bar.

    Parameters
    ----------
    shares : Series
        From :func:`biornn_lite.verdict.factorial_shares`.
    ax : Axes
        A factor alone is dark, two together are light, and the rest is hatched.
    """
    if not len(shares := shares.dropna().sort_values(ascending=False, kind="stable")):
        raise InputError("no rows to draw shares of variance of")
    for place, (name, share) in enumerate(shares.items()):
        alone, pair = name in (*FACTORS, "task"), "×" in name
        look = {"color": BLUE} if alone else {"color": SHADES[1]} if pair else {"facecolor": "white", "hatch": "////"}
        ax.barh(place, share, height=0.7, **look | ({} if alone or pair else {"edgecolor": "0.6"}))
        text = "< 0.1 %" if 0 < share < 0.0005 else percent(share, 1)
        ax.annotate(text, (max(share, 0), place), (3, 0), textcoords="offset points", va="center", fontsize=8)
    label_rows(ax, [" × ".join(map(in_words, name.split(" × "))) for name in shares.index])
    ax.set_xlim(0, max(1.18 * shares.max(), 0.01))
    ax.xaxis.set_major_formatter(lambda share, _: percent(share))
    ax.set_xlabel("share of the variance of gain, η²")
    return ax


def main_effects(effects: pd.DataFrame, ax: Axes) -> Axes:
    """Draw how far the mean gain of each level is from the mean of all networks, with 95 % intervals.

    Parameters
    ----------
    effects : DataFrame
        From :func:`biornn_lite.verdict.factorial_effects`. Interactions are left out.
    ax : Axes
    """
    effects = drawable(effects, "effects", "factors", "effect")
    effects = drawable(effects[~effects["factors"].str.contains("×", regex=False)], "main effects")
    labels: list[str] = []
    heads = []
    for name, group in effects.groupby("factors", sort=False):
        heads.append(len(labels))
        labels.append(in_words(name))
        for row in group.itertuples():
            style = {"color": DARK, "marker": "o", "markersize": 5}
            draw_interval(ax, row.low, row.effect, row.high, len(labels), **style)
            labels.append(in_words(row.level))
    draw_band(ax)
    label_rows(ax, labels)
    for place, text in enumerate(ax.get_yticklabels()):
        text.set_fontweight("bold" if place in heads else "normal")
    ax.set_xlabel("mean gain of the level − mean gain of all (95 % interval)")
    return ax


def factorial_figure(effects: pd.DataFrame, shares: pd.Series) -> Figure:
    """Draw the factorial: what explains the variance of gain, and by how much each level differs from the mean.

    Parameters
    ----------
    effects : DataFrame
        From :func:`biornn_lite.verdict.factorial_effects`.
    shares : Series
        From :func:`biornn_lite.verdict.factorial_shares`.
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained", gridspec_kw={"width_ratios": [1, 1.2]})
    factorial_shares_bars(shares, axes[0])
    main_effects(effects, axes[1])
    handles = [
        Patch(color=BLUE, label="one factor"),
        Patch(color=SHADES[1], label="two factors together"),
        Patch(facecolor="white", edgecolor="0.6", hatch="////", label="all else"),
        band_handle(),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


# Harder tasks


def _mean(values: pd.Series) -> tuple[float, float, float]:
    """Lower end, mean and upper end, by bootstrap; from fewer than three values, there is no interval."""
    ends = bootstrap_interval(values, resamples=999) if len(values) > 2 else (np.nan, np.nan)
    return ends[0], float(values.mean()), ends[1]


def _starts(rows: pd.DataFrame) -> list[str]:
    """Names of the starts in some rows: the known ones in the audit's order, then others."""
    there = dict.fromkeys(rows["start"])
    return [name for name in STARTS if name in there] + [name for name in there if name not in STARTS]


def harder(rows: pd.DataFrame, ax: Axes, measure: str = "gain") -> Axes:
    """Draw the mean gain, or the share of runs that learn, of each start in each harder condition.

    Parameters
    ----------
    rows : DataFrame
        Rows of :func:`biornn_lite.verdict.harder_rows`, of at most five starts.
    ax : Axes
    measure : {"gain", "learns"}
        Mean gain with a bootstrap interval, or share that learn with Wilson's.
    """
    if measure not in ("gain", "learns"):
        raise InputError(f"measure is {measure!r}; it allows gain, learns")
    rows = drawable(rows, "harder conditions", "condition", "start", measure)
    starts, conditions = _starts(rows), list(dict.fromkeys(rows["condition"]))
    if len(starts) > len(LINES):
        raise InputError(f"{len(starts)} starts; at most {len(LINES)} can be told apart in one figure")
    offsets = np.linspace(-0.28, 0.28, len(starts)) if len(starts) > 1 else [0.0]
    for start, offset, line in zip(starts, offsets, LINES, strict=False):
        style = {"color": line["color"], "marker": line["marker"], "markersize": 5, "linewidth": 1.3}
        for place, condition in enumerate(conditions):
            values = rows.loc[(rows["start"] == start) & (rows["condition"] == condition), measure]
            if len(values):
                found = _mean(values) if measure == "gain" else wilson(values)
                draw_interval(ax, *found, place + offset, **style)
    for end in (0, 1):
        ax.axvline(end, color="0.6", linewidth=1, zorder=0)
    for place in range(1, len(conditions), 2):
        ax.axhspan(place - 0.5, place + 0.5, color="0.96", linewidth=0, zorder=-1)
    label_rows(ax, [title_of(condition) for condition in conditions])
    ax.set_ylim(len(conditions) - 0.5, -0.5)
    what = {"gain": "mean gain: 0 without memory, 1 best possible", "learns": "share of runs that learn"}
    ax.set_xlabel(f"{what[measure]} (95 % interval)")
    return ax


def harder_figure(rows: pd.DataFrame, measure: str = "gain") -> Figure:
    """Draw :func:`harder` with a legend of the starts."""
    there = drawable(rows, "harder conditions", "condition", "start", measure)
    height = 1.4 + 0.46 * there["condition"].nunique()
    figure, ax = plt.subplots(figsize=(10, height), layout="constrained")
    harder(rows, ax, measure)
    handles = [
        handle(as_text(start), color=line["color"], marker=line["marker"], markersize=5, linestyle="-")
        for start, line in zip(_starts(there), LINES, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure


# Fields


def fields_forest(table: pd.DataFrame, pooled: Pooled | None, ax: Axes) -> Axes:
    """Draw one difference in each field, and what they give together.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.verdict.field_differences`. Intervals are ±1.96 standard errors.
    pooled : Pooled or None
        From :func:`biornn_lite.verdict.pooled_fields`: a thick line for the 95 % interval of the mean, and a thin
        one for the prediction interval.
    ax : Axes
        Fields are sorted by their number of neurons.
    """
    table = drawable(table, "fields", "difference")
    known = released_fields()["neurons"]
    neurons = known.reindex(table.index)
    table = table.iloc[np.argsort(neurons.fillna(np.inf).to_numpy(), kind="stable")]
    labels = []
    for place, row in enumerate(table.itertuples()):
        reach = 1.96 * row.standard_error
        style = {"color": "0.35", "marker": "o", "markersize": 5}
        draw_interval(ax, row.difference - reach, row.difference, row.difference + reach, place, **style)
        labels.append(f"{row.Index} ({known[row.Index]} neurons)" if row.Index in known.index else str(row.Index))
    if pooled is not None:
        place = len(labels)
        ax.axhline(place - 0.5, color="0.7", linewidth=0.8)
        draw_interval(
            ax, pooled.prediction.low, pooled.mean, pooled.prediction.high, place, color="black", marker="D",
            markersize=7, linewidth=0.9,
        )  # fmt: skip
        ax.plot(pooled.interval, [place] * 2, color="black", linewidth=3.2, solid_capstyle="butt")
        labels.append(f"{pooled.fields} fields together")
    draw_band(ax)
    label_rows(ax, labels)
    ax.set_xlabel("difference in gain")
    return ax


def fields_figure(networks: pd.DataFrame, contrast: str | Sequence[str] = tuple(FIELD_CONTRASTS)) -> Figure:
    """Draw :func:`fields_forest` for one contrast, or for several side by side.

    Parameters
    ----------
    networks : DataFrame
        Rows of the audit.
    contrast : str or sequence of str
        Keys of :data:`biornn_lite.verdict.FIELD_CONTRASTS`. Default: all of them.
    """
    contrasts = [contrast] if isinstance(contrast, str) else list(contrast)
    if unknown := [name for name in contrasts if name not in FIELD_CONTRASTS]:
        raise InputError(f"no contrast {unknown[0]!r}; there are {', '.join(FIELD_CONTRASTS)}")
    tables = [field_differences(networks, name) for name in contrasts]
    size = (min(11, 4 + 2.4 * len(contrasts)), 1.9 + 0.29 * max(map(len, tables)))
    figure, axes = plt.subplots(1, len(contrasts), figsize=size, sharex=True, squeeze=False, layout="constrained")
    for name, table, ax in zip(contrasts, tables, axes[0], strict=True):
        together = pool_effects(table["difference"], table["standard_error"]) if len(table) > 2 else None
        fields_forest(table, together, ax)
        ax.set_title(name, fontsize=9)
        if ax is not axes[0, 0] and set(table.index) == set(tables[0].index):
            ax.set_yticklabels([])
    handles = [
        handle("field, ±1.96 SE", color="0.35", marker="o", markersize=5, linestyle="-", linewidth=1.8),
        handle("mean, 95 % interval", color="black", marker="D", markersize=7, linestyle="-", linewidth=3.2),
        handle("95 % prediction interval", color="black", linestyle="-", linewidth=0.9),
        band_handle(),
    ]
    columns = 4 if len(contrasts) > 1 else 2
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    return figure


# Before training

BEFORE = {
    "scale": "activity left at the last step\n(log₁₀ of the share of the largest)",
    "effective_rank": "effective rank / neurons\n",
    "memory": "angle between two stimuli\nafter 20 steps (degrees)",
}
"""The three numbers of a start before training, and their axis labels."""

NAMED = ("functional", "same spectrum", "functional without diagonal", "orthogonal", "0.25 I", "0.95 I")
"""Starts that :func:`before_figure` labels."""


_WAYS = [
    (r * np.cos(np.radians(angle)), r * np.sin(np.radians(angle)))
    for r in (8, 15, 24, 34, 46, 60)
    for angle in (90, -90, 0, 180, 45, 135, -45, -135)
]
"""Where a label may be, from the nearest places to the farthest, in points from what it labels."""


def _away(area: Sequence[float], points: np.ndarray) -> np.ndarray:
    """Distance of points (points, 2) from a rectangle (left, bottom, right, top)."""
    low, high = np.array(area[:2]), np.array(area[2:])
    return np.linalg.norm(np.maximum(0, np.maximum(low - points, points - high)), axis=1)


def _overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _beside(ax: Axes, points: np.ndarray, labels: Mapping[int, str], size: float = 8) -> None:
    """Label some of many points where nothing is in the way, if possible nearest to their own point.

    The axes must have their final limits and position.
    """
    scale = 72 / ax.figure.dpi
    places, box = ax.transData.transform(points) * scale, ax.bbox.extents * scale
    taken: list[tuple[float, ...]] = []
    for number, label in labels.items():
        half = np.array([0.27 * size * len(label) + 1, 0.58 * size])  # of the label's width and height
        free = []
        for way in _WAYS:
            sideways = 0 if abs(way[0]) < 1 else np.sign(way[0])
            middle = places[number] + way + (sideways * half[0], 0)
            area = (*(middle - half), *(middle + half))
            line = places[number] + np.linspace(0.2, 0.8, 4)[:, None] * way
            away = _away(area, places)
            inside = (np.array(area[:2]) > box[:2]).all() and (np.array(area[2:]) < box[2:]).all()
            hit = any(_overlap(area, other) or _away(other, line).min() == 0 for other in taken)
            if inside and not hit and away.min() > 3:
                free.append((away[number] > away.min() + 0.5, len(free), area, way, sideways))
        if not free:
            continue
        foreign, _, area, way, sideways = min(free)
        taken.append(area)
        far = foreign or np.hypot(*way) > 9
        ax.annotate(
            as_text(label), points[number], way, textcoords="offset points", va="center", fontsize=size,
            ha={0: "center", 1: "left", -1: "right"}[sideways],
            arrowprops={"arrowstyle": "-", "color": "0.4", "linewidth": 0.7, "shrinkA": 0} if far else None,
        )  # fmt: skip


def before_figure(table: pd.DataFrame, named: Sequence[str] = NAMED) -> Figure:
    """Draw what a start is before training against the share of its networks that learn.

    Parameters
    ----------
    table : DataFrame
        Columns ``start``, ``scale``, ``effective_rank``, ``memory`` and ``learns``; a row per start, or several,
        whose means are drawn. An infinite number, of activity that overflows, is drawn at the right end.
    named : sequence of str
        Starts to label, as far as there is room. Their points are dark.
    """
    table = drawable(table, "starts before training", "start", *BEFORE, "learns")
    means = table.astype({"learns": float}).groupby("start", sort=False)[[*BEFORE, "learns"]].mean()
    labels = {means.index.get_loc(name): name for name in named if name in means.index}
    dark = np.isin(np.arange(len(means)), list(labels))
    figure = plt.figure(figsize=(10.6, 4.1))  # labels need final positions
    for number, (column, label) in enumerate(BEFORE.items()):
        ax = figure.add_axes((0.07 + 0.313 * number, 0.19, 0.285, 0.78))
        x = means[column].to_numpy(dtype=float, copy=True)
        lost = np.isinf(x)
        low, high = (x[~lost].min(), x[~lost].max()) if not lost.all() else (0.0, 1.0)
        pad = 0.08 * (high - low or 1.0)
        x[lost] = high + pad
        points = np.column_stack([x, means["learns"]])
        for which, colour, order in ((~dark, "0.7", 2), (dark, BLUE, 3)):
            for here, marker in ((which & ~lost, "o"), (which & lost, ">")):
                style = {"color": colour, "markeredgecolor": "white", "markersize": 7, "zorder": order}
                ax.plot(*points[here].T, marker, **style)
        ax.set(xlim=(low - pad, high + 1.6 * pad), ylim=(-0.24, 1.24), xlabel=label)
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        ax.grid(axis="y", color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
        if number == 0:
            ax.set_ylabel("share of runs that learn")
        else:
            ax.tick_params(axis="y", labelleft=False, length=0)
        sns.despine(ax=ax, left=number > 0)
        _beside(ax, points, labels)
    return figure
