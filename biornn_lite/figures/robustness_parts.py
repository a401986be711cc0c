"""Building blocks of the figures of robustness: starts beside their controls, and an axis of logarithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ..errors import InputError
from ..robustness_verdict import shown
from .audit_parts import handle
from .style import START_LINES, as_text

# Starts


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
