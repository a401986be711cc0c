"""Figures and panel of wiring across fields, for notebooks 01 and 14."""

from __future__ import annotations

from itertools import pairwise

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..field import CorticalField
from ..wiring import EDGES_UM, Pooled, by_distance, known_by_distance, known_wiring, pool_effects
from .drawn import LEFT_OUT, say
from .panels import dropdown, figure_panel
from .style import BLUE, ORANGE, as_text


def across_panel(more: CorticalField | None = None) -> ipw.Widget:
    """Return a panel to select a field, a distance bin and a measure.

    :func:`biornn_lite.figures.wiring.across_figure` draws the same.

    Parameters
    ----------
    more : CorticalField, optional
        An additional field to select, such as the embedded one or your own.
    """
    names = [*known_wiring().index, *([] if more is None else [more.label])]
    bins = [(f"{low} to {high} µm", low) for low, high in pairwise(EDGES_UM)]
    controls = {
        "field": dropdown("field", names, "6_6_2"),
        "low": ipw.SelectionSlider(description="distance", options=bins, value=50, layout={"width": "34em"}),
        "measure": dropdown("measure", [(text, key) for key, text in BINNED.items()], "connected"),
    }
    return figure_panel(lambda **values: across_figure(**values, more=more), controls)


ONE, OTHER = BLUE, ORANGE
"""Two colours that also differ in lightness."""

EFFECTS = {
    "fall": "log odds of a connection per 100 µm",
    "like_to_like": "log odds of a connection per SD of correlation",
    "like_to_like_curved": "log odds per SD of correlation, fall along a curve",
    "like_to_like_within": "log chance per SD of correlation, within sender and receiver",
    "fall_released": "log odds per 100 µm, as released",
    "like_to_like_released": "log odds per SD of correlation, as released",
}
"""The effects of :func:`biornn_lite.wiring.known_wiring`, with their axis labels."""

BINNED = {
    "connected": "ordered pairs connected (%)",
    "correlation": "mean correlation",
    "sttc": "mean STTC",
    "communicability": "mean communicability (silent: 0)",
}
"""Measures in distance bins, with their axis labels."""


def connections(field: CorticalField, ax: Axes) -> Axes:
    """Draw a connectome as a matrix: a dot per connected pair, coloured by its number of synapses."""
    sender, receiver = np.nonzero(field.part("connectome", "this figure"))
    synapses = field.part("connectome", "this figure")[sender, receiver]
    dots = ax.scatter(receiver, sender, c=synapses, cmap="viridis", s=18, clip_on=False, zorder=3)
    ax.figure.colorbar(dots, ax=ax, label="synapses of a pair", ticks=np.unique(synapses), shrink=0.6)
    ends = (-0.5, field.neurons - 0.5)
    ax.set(xlabel="to neuron", ylabel="from neuron", aspect="equal", xlim=ends, ylim=ends[::-1])
    ax.set_title(as_text(field.label), fontsize=10)
    return ax


def shared_connections(first: CorticalField, second: CorticalField, ax: Axes) -> Axes:
    """Draw the connections among the shared neurons of two fields: circles for the first, crosses for the second."""
    if first.nucleus_ids is None or second.nucleus_ids is None:
        raise InputError("fields without nucleus_ids cannot be compared neuron by neuron")
    _, here, there = np.intersect1d(first.nucleus_ids, second.nucleus_ids, return_indices=True)
    for field, places, marker, colour, size in ((first, here, "o", ONE, 70), (second, there, "x", OTHER, 40)):
        sender, receiver = np.nonzero(field.part("connectome", "this figure")[np.ix_(places, places)])
        face = {"facecolor": "none"} if marker == "o" else {}
        colours = {"edgecolor": colour} if marker == "o" else {"color": colour}
        ax.scatter(
            receiver, sender, marker=marker, s=size, linewidth=1.6, label=as_text(field.name), **face, **colours
        )
    ends = (-0.5, len(here) - 0.5)
    order = ", ".join(sorted({"as released" if f.connectome_order == "as released" else "in the neurons' order"
                              for f in (first, second)}))  # fmt: skip
    ax.set_title(f"connections among {len(here)} shared neurons, {order}", fontsize=10)
    ax.set(xlabel="to shared neuron", ylabel="from shared neuron", aspect="equal", xlim=ends, ylim=ends[::-1])
    ax.legend(fontsize=8, title="connected in", title_fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def relative_distances(table: pd.DataFrame, ax: Axes, restored: bool = True) -> Axes:
    """Draw a histogram over measured fields of the mean distance of connected pairs, relative to all pairs.

    Parameters
    ----------
    table : DataFrame
        As returned by :func:`biornn_lite.wiring.known_wiring`.
    ax : Axes
    restored : bool
        Also draw the neurons' order, next to the released order.
    """
    bins = np.arange(0, 1.3, 0.05)
    ax.hist(table["wiring_distance_released"], bins, color=ONE, label="as released", hatch="//", edgecolor="white")
    if restored:
        ax.hist(table["wiring_distance"], bins, color=OTHER, label="in the neurons' order", edgecolor="white")
    ax.axvline(1, color="0.3", linewidth=1)
    ax.set(xlabel="mean distance of connected pairs, over that of all pairs", ylabel="fields", xlim=(0, 1.25))
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_title(f"{len(table)} measured fields", fontsize=10)
    ax.legend(fontsize=8, loc="upper center")
    sns.despine(ax=ax)
    return ax


MEAN, NEXT = -0.4, -1.7
"""Heights of the rows of the mean and of one more field, below those of the fields."""


def forest(table: pd.DataFrame, effect: str, ax: Axes, order: str = "depth", line: float | None = None) -> Axes:
    """Draw an effect in each field with its 95 % interval, and below the mean over fields and prediction interval.

    Parameters
    ----------
    table : DataFrame
        As returned by :func:`biornn_lite.wiring.known_wiring`.
    effect : str
        A key of :data:`EFFECTS`.
    ax : Axes
    order : str
        Column by which fields are sorted, smallest on top.
    line : float, optional
        Draw a line between the fields whose `order` is below this value and the others.
    """
    rows = table.sort_values(order).dropna(subset=[effect])
    height = np.arange(len(rows), 0, -1)
    reach = 1.96 * rows[f"{effect}_error"]
    low, high = rows[effect] - reach, rows[effect] + reach
    pooled = pool_effects(rows[effect], rows[f"{effect}_error"])
    span = min(0, low.quantile(0.05), pooled.prediction.low), max(0, high.quantile(0.95), pooled.prediction.high)
    margin = 0.08 * (span[1] - span[0])
    left, right = span[0] - margin, span[1] + margin
    ax.hlines(height, low, high, color="0.55", linewidth=1.2)
    ax.scatter(rows[effect], height, s=14, color=ONE, zorder=3, label="field")
    for beyond, end, marker in ((low < left, left, "<"), (high > right, right, ">")):
        look = {"marker": marker, "s": 22, "color": "0.55", "clip_on": False, "label": LEFT_OUT}
        ax.scatter(np.full(beyond.sum(), end), height[beyond], **look)
    ends = np.transpose([pooled.interval, pooled.prediction])
    ax.hlines([MEAN, NEXT], *ends, color=[ONE, OTHER], linewidth=[0.5, 3])
    for place, colour in ((MEAN, ONE), (NEXT, OTHER)):  # within the diamond and within the line, for tables
        ax.scatter(pooled.mean, place, s=4, color=colour)
    ax.fill(
        [pooled.interval.low, pooled.mean, pooled.interval.high, pooled.mean],
        [MEAN, MEAN + 0.5, MEAN, MEAN - 0.5],
        color=ONE,
    )
    if line is not None:
        above = int((rows[order] < line).sum())
        ax.axhline(len(rows) - above + 0.5, color="0.4", linewidth=0.8, linestyle="--", label=f"{order} {line:g}")
    ax.axvline(0, color="0.3", linewidth=0.9)
    ax.axvline(pooled.mean, color=ONE, linewidth=0.8, linestyle=":")
    ax.set_yticks([*height, MEAN, NEXT], [*map(as_text, rows.index), "mean", "one more field"], fontsize=7)
    ax.set(xlabel=EFFECTS[effect], ylim=(-2.4, len(rows) + 1), xlim=(left, right))
    told = f"mean {pooled.mean:+.2f} [{pooled.interval.low:+.2f}, {pooled.interval.high:+.2f}]"
    ax.set_title(told.replace("-", "−"), fontsize=10)
    sns.despine(ax=ax, left=True)
    say(ax, _of_forest(rows.assign(low=low, high=high), effect, pooled, order, line))
    return ax


def _of_forest(rows: pd.DataFrame, effect: str, pooled: Pooled, order: str, line: float | None) -> str:
    """Say what :func:`forest` shows; `rows` are in its order, with columns ``low`` and ``high``."""

    def interval(row: pd.Series) -> str:
        return f"{row.name} {row[effect]:.2f} [{row['low']:.2f}, {row['high']:.2f}]"

    def dots(values: pd.Series) -> str:
        return f"{len(values)} fields {values.min():.2f} to {values.max():.2f}"

    below, above = (rows["high"] < 0).sum(), (rows["low"] > 0).sum()
    if line is None:
        groups = dots(rows[effect])
    else:
        first = rows[order] < line
        sides = {f"{order} below {line:g}": rows.loc[first, effect], "others": rows.loc[~first, effect]}
        groups = "; ".join(f"{name}: {dots(values)}" for name, values in sides.items() if len(values))
    told = [
        f"Forest plot: {EFFECTS[effect]}; {len(rows)} fields by {order}",
        f"From {interval(rows.iloc[0])} to {interval(rows.iloc[-1])}",
        groups,
        f"Intervals: {below} wholly below 0, {above} above",
        f"Mean {pooled.mean:.2f} [{pooled.interval.low:.2f}, {pooled.interval.high:.2f}]",
        f"One more field: {pooled.prediction.low:.2f} to {pooled.prediction.high:.2f}",
    ]
    return ". ".join(told).replace("-", "−") + "."


def with_share(table: pd.DataFrame) -> pd.DataFrame:
    """Convert the numbers of connected pairs in distance bins into shares, in per cent."""
    return table.assign(connected=100 * table["connected"] / table["pairs"])


def distance_curves(table: pd.DataFrame, field: str, measure: str, low: float, ax: Axes) -> Axes:
    """Draw a measure against distance in every field, with one field in front and one distance bin marked.

    Parameters
    ----------
    table : DataFrame
        Results of :func:`biornn_lite.wiring.by_distance` for one or more fields.
    field : str
        The field in front.
    measure : str
        A key of :data:`BINNED`. On a logarithmic axis, bins with value 0 are left out.
    low : float
        Lower edge of the bin to mark, in µm.
    ax : Axes
    """
    table = with_share(table)
    middle = (table["low"] + table["high"]) / 2
    logarithmic = measure in ("connected", "communicability")
    values = table[measure].where(table[measure] > 0) if logarithmic else table[measure]
    for name, rows in table.groupby("field", sort=False):
        if name != field:
            ax.plot(middle[rows.index], values[rows.index], color="0.8", linewidth=0.8)
    ax.plot([], [], color="0.8", linewidth=0.8, label="the others" + (" (zeros left out)" if logarithmic else ""))
    front = table.index[table["field"] == field]
    ax.plot(middle[front], values[front], "o-", color=ONE, label=as_text(field))
    marked = table[table["low"] == low]
    if len(marked):
        ax.axvspan(low, marked["high"].iloc[0], color=OTHER, alpha=0.2, linewidth=0)
    ax.set(xlabel="distance between somata (µm)", ylabel=BINNED[measure], yscale="log" if logarithmic else "linear")
    if measure == "communicability":
        ax.set_ylim(bottom=1e-7)
    ax.legend(fontsize=8)
    sns.despine(ax=ax)
    return ax


def within_bin(table: pd.DataFrame, depths: pd.Series, field: str, measure: str, low: float, ax: Axes) -> Axes:
    """Draw a measure of the pairs in one distance bin against the depth of each field.

    Parameters
    ----------
    table : DataFrame
        As in :func:`distance_curves`.
    depths : Series
        Mean position along y of each field, in µm. A field without a depth is drawn as a line.
    field : str
        The field in front.
    measure : str
        A key of :data:`BINNED`.
    low : float
        Lower edge of the bin, in µm.
    ax : Axes
    """
    rows = with_share(table[table["low"] == low])
    places = rows["field"].map(depths)
    ax.scatter(places, rows[measure], s=22, color="0.6")
    front = rows["field"] == field
    if places[front].isna().all():
        for value in rows.loc[front, measure]:
            ax.axhline(value, color=ONE, linestyle="--", label=f"{as_text(field)}, at another depth")
            ax.legend(fontsize=8)
    ax.scatter(places[front], rows.loc[front, measure], s=60, color=ONE, edgecolor="black", zorder=3)
    high = rows["high"].iloc[0] if len(rows) else low
    ax.set(xlabel="depth: mean y of the field (µm)", ylabel=BINNED[measure])
    ax.set_title(f"pairs {low:g} to {high:g} µm apart, {places.notna().sum()} measured fields", fontsize=10)
    sns.despine(ax=ax)
    return ax


def across_figure(
    field: str = "6_6_2", low: float = 50, measure: str = "connected", more: CorticalField | None = None
) -> Figure:
    """Draw one measured field among all: a measure against distance, and against depth in one bin.

    Parameters
    ----------
    field : str
        A name in :func:`biornn_lite.wiring.known_wiring`, or the label of `more`.
    low : float
        Lower edge of a bin of :data:`biornn_lite.wiring.EDGES_UM`, in µm.
    measure : str
        A key of :data:`BINNED`.
    more : CorticalField, optional
        An additional field to draw, such as the embedded one or your own.
    """
    table, depths = known_by_distance(), known_wiring()["depth"]
    if more is not None:
        table = pd.concat([table, by_distance(more)], ignore_index=True)
    if field not in set(table["field"]):
        raise InputError(f"no field {field!r} in the table of wiring; known_wiring() lists them")
    figure, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
    distance_curves(table, field, measure, low, axes[0])
    within_bin(table, depths, field, measure, low, axes[1])
    return figure
