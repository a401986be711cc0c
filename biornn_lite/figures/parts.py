"""Building blocks of figures that show starts beside each other, a column of Axes for each task."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..errors import InputError
from ..tasks import title_of
from .audit_parts import drawable, handle
from .style import START_LINES, as_text

CEILINGS = ((0.0, ":", "without memory"), (1.0, "--", "best possible"))
"""Gains of the two ceilings, with the line styles of :func:`biornn_lite.figures.study.draw_ceilings`."""

_CEILING = {"color": "0.35", "linewidth": 1.2, "zorder": 1}


# Rows


def rows_of(table: pd.DataFrame, what: str, study: str, *columns: str) -> pd.DataFrame:
    """Return the rows of a study that have a value in all columns, or raise an error."""
    table = drawable(table, what, "study", *columns)
    mine = table[table["study"] == study]
    if mine.empty:
        raise InputError(f"no rows of a study {study!r}; there are {', '.join(dict.fromkeys(table['study']))}")
    return mine


# Legends and titles


def interval_handle() -> Patch:
    """Return the legend's entry of the bands."""
    return Patch(color="0.85", linewidth=0, label="95 % interval over runs")


def ceiling_handles(retained: bool = False) -> list[plt.Line2D]:
    """Return the legend's entries of the ceilings; of the gain that is retained, 1 is that of an unharmed network."""
    names = {"best possible": "unharmed"} if retained else {}
    return [handle(names.get(label, label), linestyle=style, **_CEILING) for _, style, label in CEILINGS]


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


def mean_line(ax: Axes, label: str, x: Sequence[float], low, mean, high, style: dict | None = None) -> None:
    """Draw means as a line and their intervals as a band, in the style of the start `label` unless one is given."""
    style = style or START_LINES[label]
    ax.fill_between(x, np.asarray(low, float), np.asarray(high, float), color=style["color"], alpha=0.15, linewidth=0)
    ax.plot(x, mean, markersize=4.5, linewidth=1.7, markeredgewidth=0, label=label, **style)


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
