"""Building blocks of the figures of robustness: starts beside their controls, gains, and an axis of logarithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..errors import InputError
from ..robustness_verdict import shown
from ..tasks import title_of
from .audit_parts import drawable, handle
from .style import START_LINES, as_text

CEILINGS = ((0.0, ":", "without memory"), (1.0, "--", "best possible"))
"""Gains of the two ceilings, with the line styles of :func:`biornn_lite.figures.study.draw_ceilings`."""

_CEILING = {"color": "0.35", "linewidth": 1.2, "zorder": 1}


# Starts


def rows_of(table: pd.DataFrame, what: str, study: str, *columns: str) -> pd.DataFrame:
    """Return the rows of a study that have a value in all columns, or raise an error."""
    table = drawable(table, what, "study", *columns)
    mine = table[table["study"] == study]
    if mine.empty:
        raise InputError(f"no rows of a study {study!r}; there are {', '.join(dict.fromkeys(table['study']))}")
    return mine


def each_start(table: pd.DataFrame, study: str, variants: Sequence[str] = ()) -> list[tuple[str, pd.DataFrame]]:
    """Return each start that is shown and the rows of its variant, as far as there are any."""
    chosen = shown(study, variants)
    found = [(start, table[table["variant"] == variant]) for start, variant in chosen.items()]
    if all(mine.empty for _, mine in found):
        raise InputError(f"no rows of {', '.join(chosen.values())}")
    return [(start, mine) for start, mine in found if len(mine)]


def label_of(start: str, variant: str) -> str:
    """Name a start, with the published name of its variant if it has one."""
    return start if " | " in variant else f"{start}, {variant}"


def start_handles(table: pd.DataFrame, study: str, variants: Sequence[str] = (), **more) -> list[plt.Line2D]:
    """Return the legend's entries of the starts in a table, and say of which there is nothing to draw."""
    found = []
    for start, mine in each_start(table, study, variants):
        note = ": too few learned" if "networks" in mine and not mine["networks"].any() else ""
        label = as_text(label_of(start, mine["variant"].iloc[0]) + note)
        found.append(handle(label, markersize=5, linewidth=1.8, **START_LINES[start] | more))
    return found


def interval_handle() -> Patch:
    """Return the legend's entry of the bands."""
    return Patch(color="0.85", linewidth=0, label="95 % interval over runs")


def ceiling_handles() -> list[plt.Line2D]:
    """Return the legend's entries of the ceilings."""
    return [handle(label, linestyle=style, **_CEILING) for _, style, label in CEILINGS]


def legend(figure: Figure, handles: Sequence, columns: int = 5) -> None:
    """Draw the legend of a figure beneath its Axes."""
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def entitle(figure: Figure, what: str, study: str, table: pd.DataFrame) -> None:
    """Say in the title what is drawn, of which study and of how many networks.

    Parameters
    ----------
    figure : Figure
    what, study : str
    table : DataFrame
        Its column ``networks`` has the number of networks behind each value; values of none are not drawn.
    """
    counts = sorted(set(table.loc[table["networks"] > 0, "networks"])) or [0]
    number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    figure.suptitle(f"{what}; {study}, {number} {'run' if counts == [1] else 'runs'} of each", fontsize=11)


# Gains


def mean_line(ax: Axes, start: str, x: Sequence[float], low, mean, high) -> None:
    """Draw means as a line and their intervals as a band."""
    style = START_LINES[start]
    ax.fill_between(x, np.asarray(low, float), np.asarray(high, float), color=style["color"], alpha=0.15, linewidth=0)
    ax.plot(x, mean, markersize=4.5, linewidth=1.7, markeredgewidth=0, label=start, **style)


def gain_axis(ax: Axes, label: str = "mean gain") -> None:
    """Draw the ceilings of the gain, and leave room for all that is drawn in Axes that share y."""
    for gain, style, _ in CEILINGS:
        ax.axhline(gain, linestyle=style, **_CEILING)
    limits = [each.dataLim.intervaly for each in ax.get_shared_y_axes().get_siblings(ax)]
    ax.set_ylim(min(-0.08, *(low - 0.05 for low, _ in limits)), max(1.08, *(high + 0.05 for _, high in limits)))
    ax.set_ylabel(label)
    sns.despine(ax=ax)


def task_axes(tasks: Sequence[str], rows: int = 1, height: float = 3.9, **more) -> tuple[Figure, np.ndarray]:
    """Make Axes of shape (rows, tasks); the upper ones have the titles."""
    size = (9.5 if len(tasks) == 1 else 11.0, height)
    figure, axes = plt.subplots(rows, len(tasks), figsize=size, squeeze=False, layout="constrained", **more)
    for ax, task in zip(axes[0], tasks, strict=True):
        ax.set_title(as_text(title_of(task)), fontsize=10)
    return figure, axes


def outer_labels(axes: np.ndarray) -> None:
    """Keep the y labels of the first column only."""
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")


# An axis of logarithms with a place for 0


def log_places(values: Sequence[float]) -> dict[float, float]:
    """Place values by their decimal logarithm, and 0 left of the smallest other value.

    Returns
    -------
    dict of float to float
        Place of each value, in rising order.
    """
    values = sorted({float(value) for value in values})
    if values and not (values[0] >= 0 and np.isfinite(values[-1])):
        raise InputError("values on a logarithmic axis must be finite and at least 0")
    positive = [value for value in values if value > 0]
    left = np.log10(positive[0]) if positive else 0.0
    gap = 0.12 * (np.log10(positive[-1]) - left) + 0.15 if positive else 0.0
    return {value: float(np.log10(value)) if value > 0 else float(left - gap) for value in values}


def log_axis(ax: Axes, places: Mapping[float, float], ticks: Sequence[float], labels: Sequence[str]) -> None:
    """Label an axis of logarithms, with a broken line between 0 and the other values."""
    ax.set_xticks([places[t] if t in places else float(np.log10(t)) for t in ticks], labels)
    ends = list(places.values())
    pad = 0.04 * (ends[-1] - ends[0]) + 0.03
    ax.set_xlim(ends[0] - pad, ends[-1] + pad)
    if 0.0 in places and len(ends) > 1:
        ax.plot(
            [(ends[0] + ends[1]) / 2] * 2, [-0.014, 0.014], transform=ax.get_xaxis_transform(), clip_on=False,
            color="white", linewidth=7, zorder=5, label="_break",
        )  # fmt: skip
        for side in (-0.01, 0.01):
            ax.annotate(
                "/", ((ends[0] + ends[1]) / 2, 0), (200 * side, -0.5), xycoords=ax.get_xaxis_transform(),
                textcoords="offset points", ha="center", va="center", fontsize=9, annotation_clip=False, zorder=6,
            )  # fmt: skip
