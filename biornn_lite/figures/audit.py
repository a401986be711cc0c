"""Figures and panels of the audit, for notebook 11.

Functions take their rows as an argument. The panels and :func:`choice_figure` load the shipped rows if they get none,
when they first draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..audit import CURVE_CHOICES, FACTORS, STARTS, TURNED, reached
from ..contrasts import SMALLEST_THAT_MATTERS
from ..datasets import EMBEDDED, load_field, released_fields
from ..errors import InputError
from ..field import CorticalField
from ..priors import Priors
from ..replication import load_replication
from ..results import in_order
from ..statistics import bootstrap_interval, share_interval
from ..tasks import title_of
from ..training import Settings, training
from ..variants import PROTOCOLS, Protocol, describe_choices
from ..verdict import FIELD_CONTRASTS, cursors, curve, field_differences, load_audit, with_gain
from ..wiring import Pooled, pool_effects
from .panels import TASK_OPTIONS, dropdown, figure_panel, plain, stoppable
from .study import NOT_TOLD_APART, TOLD_APART, draw_ceilings
from .style import BLUE, COLOURS, DARK, LINES, MARKERS, ORANGE, SHADES, as_text, kind_of

BAND = {"color": "0.9", "linewidth": 0}
BAND_LABEL = f"differences that do not matter, within ±{SMALLEST_THAT_MATTERS:.2f}"

SAYS = {
    "told apart": TOLD_APART,
    "not told apart": NOT_TOLD_APART | {"color": "0.4"},
    "equivalent": {"color": "0.55", "marker": "s"},
}
"""Style of a difference, by what its tests say."""


# Parts of figures


def _interval(ax: Axes, low: float, value: float, high: float, height: float, upright: bool = False, **style) -> None:
    """Draw a value as a marker, and its interval as a line through it unless an end is NaN."""
    place = (lambda x, y: (y, x)) if upright else (lambda x, y: (x, y))
    line = {"color": style["color"], "linewidth": style.pop("linewidth", 1.8)}
    ax.plot(*place([low, high], [height] * 2), solid_capstyle="butt", zorder=2, label="_interval", **line)
    ax.plot(*place([value], [height]), linestyle="none", zorder=3, **style)


def _band(ax: Axes, upright: bool = False) -> None:
    """Shade the differences that do not matter, along y if `upright`, and draw a line at 0."""
    span, line = (ax.axhspan, ax.axhline) if upright else (ax.axvspan, ax.axvline)
    span(-SMALLEST_THAT_MATTERS, SMALLEST_THAT_MATTERS, zorder=0, label=BAND_LABEL, **BAND)
    line(0, color="0.35", linewidth=1, zorder=1)


def _band_handle() -> Patch:
    return Patch(label=BAND_LABEL, **BAND)


def _handle(label: str, **style) -> plt.Line2D:
    return plt.Line2D([], [], label=label, **{"linestyle": "none"} | style)


def _rows_down(ax: Axes, labels: Sequence[str], beneath: Sequence[str] = ()) -> None:
    """Label rows from top to bottom, with a second, smaller and grey line beneath each label."""
    places = np.arange(len(labels))
    ax.set_yticks(places - (0.17 if len(beneath) else 0), [as_text(label) for label in labels], fontsize=9)
    if len(beneath):
        ax.set_yticks(places + 0.23, [as_text(text, 60) for text in beneath], minor=True, fontsize=8, color="0.4")
    ax.tick_params(axis="y", which="both", length=0)
    ax.locator_params(axis="x", nbins=6)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_axisbelow(True)
    sns.despine(ax=ax, left=True)


def _dotted(ax: Axes, rows: int) -> None:
    """Draw a dotted line along each row."""
    ax.hlines(
        range(rows), 0, 1, transform=ax.get_yaxis_transform(), color="0.8", linestyle=":", linewidth=1, zorder=0
    )


def _some(rows: pd.DataFrame, what: str, *columns: str) -> pd.DataFrame:
    """Return rows that have a value in all columns; raise an error if there are none."""
    if missing := [name for name in columns if name not in rows]:
        raise InputError(f"to draw {what} takes a column {missing[0]!r}; there is {', '.join(map(str, rows))}")
    there = rows.dropna(subset=list(columns))
    if there.empty:
        raise InputError(f"no rows to draw {what} of")
    return there


def _wilson(learns: pd.Series) -> tuple[float, float, float]:
    """Lower end, share and upper end of a column of truth values."""
    low, high = share_interval(int(learns.sum()), len(learns))
    return low, float(learns.mean()), high


def _mean(values: pd.Series) -> tuple[float, float, float]:
    """Lower end, mean and upper end, by bootstrap; from fewer than three values, there is no interval."""
    ends = bootstrap_interval(values, resamples=999) if len(values) > 2 else (np.nan, np.nan)
    return ends[0], float(values.mean()), ends[1]


def _of_study(networks: pd.DataFrame | None, study: str) -> pd.DataFrame:
    """Rows of one study: of `networks`, or else of the shipped audit."""
    return load_audit(study).networks if networks is None else networks[networks["study"] == study]


_WORDS = {
    "target": "communicability", "self_connections": "self-connections", "lambda_in_w": "λ in W",
    "penalty_weight": "λ", "log_weight": "λ, its size", "has_penalty": "λ, 0 or not",
    "min_max": "min–max", "shuffled_off_diagonal": "shuffled off the diagonal", "micrometres": "µm", "sttc": "STTC",
}  # fmt: skip


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


def _words(name: object) -> str:
    """Write the name of a choice or of a value for a figure."""
    if isinstance(name, float):
        return f"{name:g}"
    return _WORDS.get(str(name)) or title_of(str(name)).replace("_", " ")


def _published_value(setting: str) -> tuple[str, str, str]:
    """Split ``choice=value`` into the choice, its published value and the value."""
    choice, _, value = setting.partition("=")
    return choice, getattr(PROTOCOLS["published"], choice, "published"), value


def setting_label(setting: str) -> str:
    """Write a turned choice, such as ``coordinates=transposed``, as ``coordinates: reshaped → transposed``."""
    if "=" not in setting:
        return setting
    choice, published, value = _published_value(setting)
    return f"{_words(choice)}: {_words(published)} → {_words(value)}"


# Shares that learn


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
    rows = _some(rows, "shares", by, "task", "seed", "learns")
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
                _interval(ax, *_wilson(learns), place + offset, **style)
        number = f"{counts[0]}" if len(set(counts)) == 1 else f"{min(counts)}–{max(counts)}"
        ax.text(1.02, place, number, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color="0.4")
    ax.text(1.02, -0.6, unit, transform=ax.get_yaxis_transform(), va="bottom", fontsize=8, color="0.4")
    _rows_down(ax, [str(value) for value in values])
    _dotted(ax, len(values))
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel(f"share of {unit} that learn (95 % interval)")
    return ax


def shares_figure(rows: pd.DataFrame, by: str = "start") -> Figure:
    """Draw :func:`shares` with a legend of the tasks."""
    tasks = in_order(_some(rows, "shares", by, "task", "seed", "learns")["task"])
    figure, ax = plt.subplots(figsize=(9, 1.5 + 0.34 * rows[by].nunique()), layout="constrained")
    shares(rows, by, ax)
    handles = [
        _handle(as_text(title_of(task)), color=line["color"], marker=line["marker"], markersize=5, linestyle="-")
        for task, line in zip(tasks, LINES, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(tasks), frameon=False, fontsize=9)
    return figure


# Differences


def _differences(answers: pd.DataFrame, labels: Sequence[str], ax: Axes) -> Axes:
    """Draw differences of answers as a forest; each label has the context beneath it."""
    for place, row in enumerate(answers.itertuples()):
        style = SAYS.get(row.says, SAYS["told apart"])
        _interval(ax, row.low, row.difference, row.high, place, markersize=6.5, **style)
    _band(ax)
    _rows_down(ax, labels, answers["context"].tolist())
    drawn = np.concatenate([[-0.15, 0.15], answers[["low", "difference", "high"]].to_numpy(dtype=float).ravel()])
    low, high = np.nanmin(drawn), np.nanmax(drawn)
    ax.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    return ax


def differences_forest(answers: pd.DataFrame, ax: Axes) -> Axes:
    """Draw each contrast in each context: the difference in gain with its 95 % interval.

    Parameters
    ----------
    answers : DataFrame
        Rows of :func:`biornn_lite.verdict.answers`.
    ax : Axes
        Markers say what the tests say; see :data:`SAYS`.
    """
    answers = _some(answers, "differences", "difference", "says")
    sides = [
        [f"({side})" if "−" in side else side for side in pair]
        for pair in answers[["first", "second"]].itertuples(index=False)
    ]
    _differences(answers, [" − ".join(pair) for pair in sides], ax)
    ax.set_xlabel("difference in gain, first − second (95 % interval)")
    return ax


def _differences_figure(answers: pd.DataFrame, draw) -> Figure:
    answers = _some(answers, "differences", "difference", "says")
    figure, ax = plt.subplots(figsize=(10, 1.5 + 0.46 * len(answers)), layout="constrained")
    draw(answers, ax)
    handles = [_handle(label, markersize=6.5, **style) for label, style in SAYS.items()]
    figure.legend(
        handles=[*handles, _band_handle()], loc="outside lower center", ncols=4, frameon=False, fontsize=9
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
    answers = _some(answers, "choices", "difference", "says")
    answers = _some(answers[answers["question"] == 5], "choices (question 5)")
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
    rows = _some(rows, "a sweep", "start", "penalty_weight", "gain")
    places = _places(rows["penalty_weight"])
    rows = _some(rows[rows["start"] == start], f"the sweep of {start}")
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
    rows = _some(rows, "a sweep", "start", "penalty_weight", "gain")
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
        _handle(as_text(title_of(task)), **line | {"marker": ""})
        for task, line in zip(in_order(rows["task"]), LINES, strict=False)
    ]
    handles.append(_handle("mean", color="black", linewidth=2.4, linestyle="-"))
    if chosen:
        handles.append(_handle("chosen λ", color="black", marker="v", markersize=7))
    handles.append(_handle("published λ", color="0.5", linestyle=(0, (4, 3)), linewidth=1.2))
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
        text = "< 0.1 %" if 0 < share < 0.0005 else _percent(share, 1)
        ax.annotate(text, (max(share, 0), place), (3, 0), textcoords="offset points", va="center", fontsize=8)
    _rows_down(ax, [" × ".join(map(_words, name.split(" × "))) for name in shares.index])
    ax.set_xlim(0, max(1.18 * shares.max(), 0.01))
    ax.xaxis.set_major_formatter(lambda share, _: _percent(share))
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
    effects = _some(effects, "effects", "factors", "effect")
    effects = _some(effects[~effects["factors"].str.contains("×", regex=False)], "main effects")
    labels: list[str] = []
    heads = []
    for name, group in effects.groupby("factors", sort=False):
        heads.append(len(labels))
        labels.append(_words(name))
        for row in group.itertuples():
            style = {"color": DARK, "marker": "o", "markersize": 5}
            _interval(ax, row.low, row.effect, row.high, len(labels), **style)
            labels.append(_words(row.level))
    _band(ax)
    _rows_down(ax, labels)
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
        _band_handle(),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


# Harder tasks


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
    rows = _some(rows, "harder conditions", "condition", "start", measure)
    starts, conditions = _starts(rows), list(dict.fromkeys(rows["condition"]))
    if len(starts) > len(LINES):
        raise InputError(f"{len(starts)} starts; at most {len(LINES)} can be told apart in one figure")
    offsets = np.linspace(-0.28, 0.28, len(starts)) if len(starts) > 1 else [0.0]
    for start, offset, line in zip(starts, offsets, LINES, strict=False):
        style = {"color": line["color"], "marker": line["marker"], "markersize": 5, "linewidth": 1.3}
        for place, condition in enumerate(conditions):
            values = rows.loc[(rows["start"] == start) & (rows["condition"] == condition), measure]
            if len(values):
                found = _mean(values) if measure == "gain" else _wilson(values)
                _interval(ax, *found, place + offset, **style)
    for end in (0, 1):
        ax.axvline(end, color="0.6", linewidth=1, zorder=0)
    for place in range(1, len(conditions), 2):
        ax.axhspan(place - 0.5, place + 0.5, color="0.96", linewidth=0, zorder=-1)
    _rows_down(ax, [title_of(condition) for condition in conditions])
    ax.set_ylim(len(conditions) - 0.5, -0.5)
    what = {"gain": "mean gain: 0 without memory, 1 best possible", "learns": "share of runs that learn"}
    ax.set_xlabel(f"{what[measure]} (95 % interval)")
    return ax


def harder_figure(rows: pd.DataFrame, measure: str = "gain") -> Figure:
    """Draw :func:`harder` with a legend of the starts."""
    there = _some(rows, "harder conditions", "condition", "start", measure)
    height = 1.4 + 0.46 * there["condition"].nunique()
    figure, ax = plt.subplots(figsize=(10, height), layout="constrained")
    harder(rows, ax, measure)
    handles = [
        _handle(as_text(start), color=line["color"], marker=line["marker"], markersize=5, linestyle="-")
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
    table = _some(table, "fields", "difference")
    known = released_fields()["neurons"]
    neurons = known.reindex(table.index)
    table = table.iloc[np.argsort(neurons.fillna(np.inf).to_numpy(), kind="stable")]
    labels = []
    for place, row in enumerate(table.itertuples()):
        reach = 1.96 * row.standard_error
        style = {"color": "0.35", "marker": "o", "markersize": 5}
        _interval(ax, row.difference - reach, row.difference, row.difference + reach, place, **style)
        labels.append(f"{row.Index} ({known[row.Index]} neurons)" if row.Index in known.index else str(row.Index))
    if pooled is not None:
        place = len(labels)
        ax.axhline(place - 0.5, color="0.7", linewidth=0.8)
        _interval(
            ax, pooled.prediction.low, pooled.mean, pooled.prediction.high, place, color="black", marker="D",
            markersize=7, linewidth=0.9,
        )  # fmt: skip
        ax.plot(pooled.interval, [place] * 2, color="black", linewidth=3.2, solid_capstyle="butt")
        labels.append(f"{pooled.fields} fields together")
    _band(ax)
    _rows_down(ax, labels)
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
        _handle("field, ±1.96 SE", color="0.35", marker="o", markersize=5, linestyle="-", linewidth=1.8),
        _handle("mean, 95 % interval", color="black", marker="D", markersize=7, linestyle="-", linewidth=3.2),
        _handle("95 % prediction interval", color="black", linestyle="-", linewidth=0.9),
        _band_handle(),
    ]
    columns = 4 if len(contrasts) > 1 else 2
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    return figure


# The specification curve

KINDS = {
    "kept": {"color": BLUE, "marker": "o"},
    "only": {"color": DARK, "marker": "s"},
    "removed": {"color": ORANGE, "marker": "^"},
}
"""Style of a combination, by what it does with self-connections."""

_STEPS = (0.0, 0.003, 0.03, 0.3)
"""Bounds between the groups of λ in the dashboard."""


def _chosen(table: pd.DataFrame, highlight: Mapping[str, object] | None) -> np.ndarray:
    """Say which combinations have all these values; two numbers are the ends of a range."""
    chosen = np.ones(len(table), dtype=bool)
    for choice, value in (highlight or {}).items():
        if choice not in table:
            raise InputError(f"no choice {choice!r}; there are {', '.join(map(str, table.columns))}")
        if isinstance(value, (tuple, list)):
            numbers = table[choice].astype(float)
            chosen &= ((numbers >= value[0]) & (numbers <= value[1])).to_numpy()
        else:
            chosen &= (table[choice] == value).to_numpy()
    return chosen


def _told(differences: pd.Series, of: int) -> str:
    """Say how many combinations there are, and what they give."""
    count = f"{len(differences):,}" if len(differences) == of else f"{len(differences):,} of {of:,}"
    if differences.empty:
        return f"{count} combinations"
    above = _percent((differences > 0).mean())
    return f"{count} combinations: {above} above 0, median {differences.median():+.2f}".replace("-", "−")


def sorted_differences(
    table: pd.DataFrame, ax: Axes, strip: Axes, cursors: pd.DataFrame | None = None, chosen: np.ndarray | None = None
) -> Axes:
    """Draw the differences of all combinations from the smallest to the largest.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.verdict.curve`.
    ax : Axes
    strip : Axes
        One row per treatment of self-connections, with a mark where each of its combinations lies.
    cursors : DataFrame, optional
        From :func:`biornn_lite.verdict.cursors`; a line at the mean of each column.
    chosen : ndarray of bool, shape (combinations,), optional
        The others are grey. Default: all.
    """
    chosen = np.ones(len(table), dtype=bool) if chosen is None else chosen
    order = np.argsort(table["difference"].to_numpy(), kind="stable")
    y, chosen, kinds = (
        np.asarray(values)[order] for values in (table["difference"], chosen, table["self_connections"])
    )
    rank = np.arange(1, len(y) + 1)
    _band(ax, upright=True)
    ax.plot(rank[~chosen], y[~chosen], "o", color="0.82", markersize=3, zorder=2)
    for row, (kind, style) in enumerate(KINDS.items()):
        mine = kinds == kind
        ax.plot(
            rank[mine & chosen], y[mine & chosen], linestyle="none", markersize=4, zorder=3, alpha=0.8,
            markeredgewidth=0, label=f"self-connections {kind}", **style,
        )  # fmt: skip
        for here, colour in ((mine & ~chosen, "0.85"), (mine & chosen, style["color"])):
            strip.plot(rank[here], np.full(here.sum(), row), "|", color=colour, markersize=7, markeredgewidth=0.7)
    means = {} if cursors is None else cursors.mean().dropna().sort_values().to_dict()
    for place, (name, mean) in enumerate(means.items()):
        ax.axhline(mean, color="black", linestyle=("--", "-.")[place % 2], linewidth=1.2, zorder=1)
        ax.annotate(
            as_text(name), (1, mean), (4, -1 if place % 2 == 0 else 1), xycoords=ax.get_yaxis_transform(),
            textcoords="offset points", va="top" if place % 2 == 0 and len(means) > 1 else "bottom", fontsize=8,
            annotation_clip=False,
        )  # fmt: skip
    ax.set_xlim(0, len(y) + 1)
    ax.tick_params(axis="x", labelbottom=False, length=0)
    ax.set_ylabel("difference in gain\n(W* − W)")
    ax.legend(loc="lower right", fontsize=8, frameon=False, markerscale=1.3, handletextpad=0.2)
    sns.despine(ax=ax, bottom=True)
    strip.set_xlim(0, len(y) + 1)
    strip.set_ylim(len(KINDS) - 0.4, -0.6)
    strip.set_yticks(range(len(KINDS)), list(KINDS), fontsize=8)
    strip.tick_params(axis="y", length=0)
    strip.tick_params(axis="x", labelsize=8, pad=2)
    strip.set_xlabel("combinations, from the smallest difference to the largest", fontsize=9, labelpad=2)
    sns.despine(ax=strip, left=True)
    return ax


def _groups(table: pd.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Group the combinations by each value of each choice: masks by label of the value, by choice."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for choice, values in CURVE_CHOICES.items():
        if choice in table:
            masks = {_words(value): (table[choice] == value).to_numpy() for value in values}
            found[choice] = {label: mask for label, mask in masks.items() if mask.any()}
    weight = table["penalty_weight"].to_numpy(dtype=float)
    ends = (*_STEPS, np.inf)
    labels = (
        f"below {_STEPS[1]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(_STEPS[1:])),
        f"above {_STEPS[-1]:g}",
    )  # fmt: skip
    bins = {"0": weight == 0} | {
        label: (weight > low) & (weight <= high) for label, low, high in zip(labels, ends[:-1], ends[1:], strict=True)
    }
    return found | {"penalty_weight": {label: mask for label, mask in bins.items() if mask.any()}}


def _in_columns(groups: Mapping[str, Mapping], number: int) -> list[list[str]]:
    """Spread groups over columns of similar heights, in their order."""
    heights = {name: len(values) + 0.6 for name, values in groups.items()}
    columns: list[list[str]] = [[] for _ in range(number)]
    above = 0.0
    for name, height in heights.items():
        middle = (above + height / 2) / sum(heights.values())
        columns[min(int(middle * number), number - 1)].append(name)
        above += height
    return columns


def _mean_of(values: np.ndarray) -> tuple[float, float, float]:
    """Lower end, mean and upper end, by the standard error."""
    reach = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return values.mean() - reach, values.mean(), values.mean() + reach


def dashboard(table: pd.DataFrame, axes: Sequence[Axes], chosen: np.ndarray | None = None) -> None:
    """Draw the mean difference of the combinations with each value of each choice, ±1.96 standard errors.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.verdict.curve`.
    axes : sequence of Axes
        The choices are spread over them.
    chosen : ndarray of bool, shape (combinations,), optional
        Means of these are black; those of all combinations are drawn in grey behind them. Default: all.
    """
    y, groups = table["difference"].to_numpy(dtype=float), _groups(table)
    some = chosen is not None and not chosen.all()
    ends = [0.0]
    for ax, names in zip(axes, _in_columns(groups, len(axes)), strict=True):
        labels, places, height = [], [], 0.0
        for name in names:
            for number, (label, mask) in enumerate(groups[name].items()):
                sides = ((mask, {"color": "0.7", "markerfacecolor": "white"} if some else {"color": "black"}),)
                if some:
                    sides += ((mask & chosen, {"color": "black"}),)
                for which, style in sides:
                    if which.any():
                        found = _mean_of(y[which])
                        ends += found if len(y[which]) > 4 else found[1:2]
                        _interval(ax, *found, height, marker="o", markersize=4, linewidth=1.4, **style)
                labels.append(label if number else f"{_words(name)}:  {label}")
                places.append(height)
                height += 1
            height += 0.6
        _band(ax)
        ax.set_yticks(places, labels, fontsize=8)
        ax.tick_params(axis="both", labelsize=8)
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(max(height - 0.6, 1) - 0.4, -0.6)
        ax.set_xlabel("mean difference in gain", fontsize=9)
        sns.despine(ax=ax, left=True)
    low, high = min(ends), max(ends)
    pad = 0.06 * max(high - low, 0.1)
    for ax in axes:
        ax.set_xlim(low - pad, high + pad)


def curve_figure(
    table: pd.DataFrame, cursors: pd.DataFrame | None = None, highlight: Mapping[str, object] | None = None
) -> Figure:
    """Draw the specification curve: all differences in order, and what each choice does on average.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.verdict.curve`. Combinations that lack one of their two networks are left out.
    cursors : DataFrame, optional
        From :func:`biornn_lite.verdict.cursors`.
    highlight : mapping of str to object, optional
        Values of some choices, such as ``{"space": "D*", "penalty_weight": (0.0, 0.3)}``. Other combinations are
        grey. A pair of numbers is a range with both ends.
    """
    table = _some(table, "a curve", "difference", "self_connections", "penalty_weight")
    chosen = _chosen(table, highlight)
    figure = plt.figure(figsize=(10.6, 7))  # fixed positions are faster than an automatic layout
    top, strip = figure.add_axes((0.085, 0.62, 0.84, 0.345)), figure.add_axes((0.085, 0.545, 0.84, 0.065))
    sorted_differences(table, top, strip, cursors, chosen)
    top.set_title(_told(table.loc[chosen, "difference"], len(table)), fontsize=10, loc="right", pad=3)
    columns = [figure.add_axes((left, 0.065, 0.155, 0.4)) for left in (0.185, 0.5, 0.835)]
    dashboard(table, columns, chosen)
    if not chosen.all():
        handles = [
            _handle("these combinations", color="black", marker="o", markersize=4),
            _handle("all", color="0.7", marker="o", markersize=4, markerfacecolor="white"),
        ]
        place = {"loc": "upper right", "bbox_to_anchor": (0.99, 0.512), "borderaxespad": 0}
        figure.legend(handles=handles, ncols=2, frameon=False, fontsize=8, handletextpad=0.2, **place)
    return figure


_ANY = "any"
_WEIGHTS = (0.0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.2)
"""Ends of the range of λ that the panel offers; the drawn values lie between the first and the last."""


def curve_panel(networks: pd.DataFrame | None = None) -> ipw.Widget:
    """Return a panel to pick combinations of the specification curve; see :func:`curve_figure`.

    Parameters
    ----------
    networks : DataFrame, optional
        Rows of the audit. Default: the shipped ones.
    """

    @cache
    def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
        rows = _of_study(networks, "curve")
        return curve(_some(rows, "a curve")), cursors(rows)

    def draw(weights: tuple[float, float], **choices: object) -> Figure:
        table, fixed = tables()
        highlight = {choice: value for choice, value in choices.items() if value != _ANY}
        if weights != (_WEIGHTS[0], _WEIGHTS[-1]):
            highlight["penalty_weight"] = weights
        return curve_figure(table, fixed, highlight)

    controls: dict[str, ipw.ValueWidget] = {
        name: dropdown(
            _words(name), [(_ANY, _ANY), *((_words(value), value) for value in CURVE_CHOICES[name])], _ANY
        )
        for name in ("self_connections", "space", "target", "sign", "task")
    }  # fmt: skip
    controls["weights"] = ipw.SelectionRangeSlider(
        options=[(f"{weight:g}", weight) for weight in _WEIGHTS], index=(0, len(_WEIGHTS) - 1), description="λ",
        continuous_update=False, layout={"width": "24em"}, style={"description_width": "initial"},
    )  # fmt: skip
    return figure_panel(draw, controls)


def explained(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw how much of an outcome each factor explains, the most first.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.contrasts.variance_explained`.
    ax : Axes
    """
    table = _some(table, "shares of variance", "share").sort_values("share", ascending=False, kind="stable")
    places = np.arange(len(table))
    ax.barh(places, table["share"], height=0.65, color=SHADES[0], zorder=1)
    ax.hlines(places, table["low"], table["high"], color="black", linewidth=1.6, zorder=2)
    ax.axvline(0, color="0.35", linewidth=1, zorder=1)
    _rows_down(ax, [_words(name) for name in table.index])
    ax.xaxis.set_major_formatter(lambda share, _: _percent(share))
    whole = f"; all factors together: {_percent(table.attrs['r2'])}" if "r2" in table.attrs else ""
    ax.set_xlabel(f"drop in R² without this factor, 95 % interval{whole}")
    return ax


def explained_figure(table: pd.DataFrame) -> Figure:
    """Draw :func:`explained`."""
    figure, ax = plt.subplots(figsize=(8, 1.1 + 0.29 * len(table)), layout="constrained")
    explained(table, ax)
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
    table = _some(table, "starts before training", "start", *BEFORE, "learns")
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


# One choice at a time

LIVE_EPOCHS = 4
"""Epochs of the live run."""

_SIDES = ("published", "turned")


@cache
def _published() -> pd.DataFrame:
    """Rows of the shipped study that turned choices are compared with."""
    return with_gain(load_replication("5_3_4").networks)


def live_variant(setting: str) -> str:
    """Return the variant of the live run: ``W*D*C*``, or the first one that the choice reaches."""
    variants = reached(setting)
    return "W*D*C*" if "W*D*C*" in variants else variants[0]


def live_run(
    setting: str, task: str, seed: int = 0, settings: Settings | None = None, field: CorticalField | None = None
) -> Iterator[dict[str, list[float]]]:
    """Train one variant as published and with one choice turned, side by side on the same trials.

    Parameters
    ----------
    setting : str
        One of :data:`biornn_lite.audit.TURNED`.
    task : str
    seed : int
    settings : Settings, optional
        Default: four epochs.
    field : CorticalField, optional
        Default: the synthetic embedded field.

    Yields
    ------
    dict of str to list of float
        Test accuracy after each epoch so far, for ``published`` and ``turned``; NaN from the epoch in which a
        network diverged. Training stops when the iterator is no longer used.
    """
    settings = settings or Settings(epochs=LIVE_EPOCHS)
    field = load_field(EMBEDDED) if field is None else field
    protocols = PROTOCOLS["published"], PROTOCOLS["published"].choose([setting])
    starts = [Priors(field, protocol).start(live_variant(setting), seed) for protocol in protocols]
    for epoch in training(starts, task, seed, settings):
        accuracies = epoch.history.test_accuracy[:, : epoch.number]
        yield {side: list(map(float, row)) for side, row in zip(_SIDES, accuracies, strict=True)}


def turned_shares(setting: str, task: str, ax: Axes, networks: pd.DataFrame | None = None) -> Axes:
    """Draw the share of runs that learn for each variant that a choice reaches, as published and with it turned.

    Parameters
    ----------
    setting : str
        One of :data:`biornn_lite.audit.TURNED`.
    task : str
    ax : Axes
    networks : DataFrame, optional
        Rows of the audit. Default: the shipped ones. The published side are the same runs of the shipped
        replication of 5_3_4.
    """
    rows = _of_study(networks, "choices")
    turned = rows[(rows["part"] == setting) & (rows["task"] == task)]
    if turned.empty:
        raise InputError(f"no rows of the study choices with {setting} and task {task}")
    published = _published()
    published = published[(published["task"] == task) & published["seed"].isin(turned["seed"])]
    variants = in_order(turned["variant"])
    for place, variant in enumerate(variants):
        look = {"color": COLOURS[kind_of(variant)], "marker": MARKERS[kind_of(variant)], "markersize": 8}
        for side, offset, filled in ((published, -0.13, False), (turned, 0.13, True)):
            learns = side.loc[side["variant"] == variant, "learns"]
            if len(learns):
                style = look | ({} if filled else {"markerfacecolor": "white"})
                _interval(ax, *_wilson(learns), place + offset, upright=True, linewidth=1.5, **style)
    runs = turned["seed"].nunique()
    middle, half = (len(variants) - 1) / 2, max(len(variants), 4) / 2
    ax.set_xticks(range(len(variants)), list(map(as_text, variants)), rotation=45 if len(variants) > 5 else 0)
    ax.set_xlim(middle - half - 0.1, middle + half + 0.1)
    ax.set_ylim(-0.04, 1.04)
    ax.set_ylabel("share of runs that learn (95 % interval)")
    ax.set_title(f"{title_of(task)}\nfield 5_3_4, {runs} {'run' if runs == 1 else 'runs'} of each", fontsize=10)
    sns.despine(ax=ax)
    return ax


def live_accuracy(
    setting: str, task: str, ax: Axes, live: Mapping[str, Sequence[float]] | None = None, epochs: int = LIVE_EPOCHS
) -> Axes:
    """Draw the test accuracy of a live run over its epochs so far, with the task's ceilings.

    Parameters
    ----------
    setting, task : str
        As in :func:`live_run`.
    ax : Axes
    live : mapping of str to sequence of float, optional
        What :func:`live_run` yields. Default: nothing yet.
    epochs : int
    """
    variant = live_variant(setting)
    look = {"color": COLOURS[kind_of(variant)], "marker": MARKERS[kind_of(variant)], "markersize": 8}
    ring = {"linestyle": "--", "markerfacecolor": "none", "markersize": 12}  # seen around a marker at the same place
    for side, style in zip(_SIDES, (ring, {"linestyle": "-"}), strict=True):
        accuracy = (live or {}).get(side, [])
        note = " (diverged)" if np.isnan(accuracy).any() else ""
        ax.plot(range(1, len(accuracy) + 1), accuracy, label=side + note, linewidth=2, **look | style)
    draw_ceilings(ax, task, "test")
    ax.set(xlim=(0.5, epochs + 0.5), ylim=(0, 1.04), xlabel="epoch", ylabel="test accuracy")
    ax.set_xticks(range(1, epochs + 1))
    ax.set_title(f"{title_of(task)}, {variant}\nlive on {EMBEDDED}, one run of each", fontsize=10)
    if not live:
        ax.text(0.5, 0.62, "not run yet", transform=ax.transAxes, ha="center", color="0.4", fontsize=9)
    ax.legend(loc="lower right", fontsize=8)
    sns.despine(ax=ax)
    return ax


def choice_figure(
    setting: str,
    task: str,
    networks: pd.DataFrame | None = None,
    live: Mapping[str, Sequence[float]] | None = None,
    epochs: int = LIVE_EPOCHS,
) -> Figure:
    """Draw what one choice changes: :func:`turned_shares` at the left, :func:`live_accuracy` at the right.

    Parameters
    ----------
    setting : str
        One of :data:`biornn_lite.audit.TURNED`.
    task : str
    networks : DataFrame, optional
    live : mapping of str to sequence of float, optional
    epochs : int
    """
    if setting not in TURNED:
        raise InputError(f"no turned choice {setting!r}; there are {', '.join(TURNED)}")
    figure = plt.figure(figsize=(10.6, 4.1))  # fixed positions are faster than an automatic layout
    left, right = figure.add_axes((0.07, 0.22, 0.5, 0.66)), figure.add_axes((0.66, 0.22, 0.33, 0.66))
    turned_shares(setting, task, left, networks)
    live_accuracy(setting, task, right, live, epochs)
    _, published, value = _published_value(setting)
    handles = [
        _handle(f"published: {_words(published)}", color=DARK, marker="o", markersize=8, markerfacecolor="white"),
        _handle(f"turned: {_words(value)}", color=DARK, marker="o", markersize=8),
    ]
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.06, 0), ncols=2, frameon=False, fontsize=9)
    return figure


def _choice_option(setting: str) -> str:
    """Label of a turned choice in the panel, which says whether the new value is the sound one."""
    choice, published, value = _published_value(setting)
    sound = "sound " if value == getattr(PROTOCOLS["sound"], choice) else ""
    return f"{_words(choice)}: published {_words(published)} → {sound}{_words(value)}"


def choice_panel(networks: pd.DataFrame | None = None, settings: Settings | None = None) -> ipw.Widget:
    """Return a panel to turn one choice at a time, and to train one network of each side; see :func:`choice_figure`.

    Parameters
    ----------
    networks : DataFrame, optional
        Rows of the audit. Default: the shipped ones.
    settings : Settings, optional
        Of the live run. Default: four epochs.
    """
    settings = settings or Settings(epochs=LIVE_EPOCHS)
    meanings = {row["choice"]: row["meaning"] for row in describe_choices()}
    live: dict[tuple[str, str], dict[str, list[float]]] = {}  # the latest run alone
    controls = {
        "setting": dropdown("choice", [(_choice_option(setting), setting) for setting in TURNED], TURNED[0]),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "epoch": ipw.IntProgress(min=0, max=settings.epochs, description="epochs"),
    }
    setting, task, bar = controls.values()
    meaning, status = ipw.Label(), ipw.HTML()

    @cache
    def rows() -> pd.DataFrame:
        return _of_study(networks, "choices")

    def draw(setting: str, task: str, epoch: int) -> Figure:
        return choice_figure(setting, task, rows(), live.get((setting, task)), settings.epochs)

    def work() -> Iterator[None]:
        chosen = setting.value, task.value
        live.clear()
        bar.value = 0
        status.value = f"Training {plain(live_variant(chosen[0]))} as published and turned …"
        yield
        for accuracies in live_run(*chosen, settings=settings):
            live[chosen] = accuracies
            bar.value = len(accuracies["published"])  # redraws
            yield
        last = {side: accuracy[-1] for side, accuracy in accuracies.items()}
        told = ", ".join(
            f"{side} {'diverged' if np.isnan(value) else f'{value:.3f}'}" for side, value in last.items()
        )
        status.value = f"After {bar.value} {'epoch' if bar.value == 1 else 'epochs'}: {told}."

    start, stop = stoppable(work, status, "Train both")

    def turn(_=None) -> None:
        meaning.value = meanings[setting.value.partition("=")[0]]
        if not stop.disabled:
            stop.click()
        elif live and (setting.value, task.value) not in live:
            status.value = ""

    for control in (setting, task):
        control.observe(turn, "value")
    turn()
    panel = figure_panel(draw, controls)
    row, message, image = panel.children
    return ipw.VBox([row, meaning, ipw.HBox([start, stop]), message, status, image])
