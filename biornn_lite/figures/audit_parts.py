"""Building blocks of the audit's figures: intervals, the band of differences that do not matter, and names."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ..contrasts import SMALLEST_THAT_MATTERS
from ..errors import InputError
from ..statistics import share_interval
from ..tasks import title_of
from ..variants import PROTOCOLS
from ..verdict import load_audit
from .style import as_text

BAND = {"color": "0.9", "linewidth": 0}
BAND_LABEL = f"differences that do not matter, within ±{SMALLEST_THAT_MATTERS:.2f}"


def draw_interval(
    ax: Axes, low: float, value: float, high: float, height: float, upright: bool = False, **style
) -> None:
    """Draw a value as a marker, and its interval as a line through it unless an end is NaN."""
    place = (lambda x, y: (y, x)) if upright else (lambda x, y: (x, y))
    line = {"color": style["color"], "linewidth": style.pop("linewidth", 1.8)}
    ax.plot(*place([low, high], [height] * 2), solid_capstyle="butt", zorder=2, label="_interval", **line)
    ax.plot(*place([value], [height]), linestyle="none", zorder=3, **style)


def draw_band(ax: Axes, upright: bool = False) -> None:
    """Shade the differences that do not matter, along y if `upright`, and draw a line at 0."""
    span, line = (ax.axhspan, ax.axhline) if upright else (ax.axvspan, ax.axvline)
    span(-SMALLEST_THAT_MATTERS, SMALLEST_THAT_MATTERS, zorder=0, label=BAND_LABEL, **BAND)
    line(0, color="0.35", linewidth=1, zorder=1)


def band_handle() -> Patch:
    """Return the legend's entry of :func:`draw_band`."""
    return Patch(label=BAND_LABEL, **BAND)


def handle(label: str, **style) -> plt.Line2D:
    """Return a legend's entry: a marker, without a line unless `style` has one."""
    return plt.Line2D([], [], label=label, **{"linestyle": "none"} | style)


def label_rows(ax: Axes, labels: Sequence[str], beneath: Sequence[str] = ()) -> None:
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


def drawable(rows: pd.DataFrame, what: str, *columns: str) -> pd.DataFrame:
    """Return rows that have a value in all columns; raise an error if there are none."""
    if missing := [name for name in columns if name not in rows]:
        raise InputError(f"to draw {what} takes a column {missing[0]!r}; there is {', '.join(map(str, rows))}")
    there = rows.dropna(subset=list(columns))
    if there.empty:
        raise InputError(f"no rows to draw {what} of")
    return there


def wilson(learns: pd.Series) -> tuple[float, float, float]:
    """Return the lower end of Wilson's interval, the share and the upper end, for a column of truth values."""
    low, high = share_interval(int(learns.sum()), len(learns))
    return low, float(learns.mean()), high


def rows_of_study(networks: pd.DataFrame | None, study: str) -> pd.DataFrame:
    """Return the rows of one study: of `networks`, or else of the shipped audit."""
    return load_audit(study).networks if networks is None else networks[networks["study"] == study]


_WORDS = {
    "target": "communicability", "self_connections": "self-connections", "lambda_in_w": "λ in W",
    "penalty_weight": "λ", "log_weight": "λ, its size", "has_penalty": "λ, 0 or not",
    "min_max": "min–max", "shuffled_off_diagonal": "shuffled off the diagonal", "micrometres": "µm", "sttc": "STTC",
}  # fmt: skip


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage."""
    return f"{100 * share:.{digits}f} %"


def in_words(name: object) -> str:
    """Write the name of a choice or of a value for a figure."""
    if isinstance(name, float):
        return f"{name:g}"
    return _WORDS.get(str(name)) or title_of(str(name)).replace("_", " ")


def split_setting(setting: str) -> tuple[str, str, str]:
    """Split a turned choice, ``choice=value``, into the choice, its published value and the value."""
    choice, _, value = setting.partition("=")
    return choice, getattr(PROTOCOLS["published"], choice, "published"), value


def setting_label(setting: str) -> str:
    """Write a turned choice, such as ``coordinates=transposed``, as ``coordinates: reshaped → transposed``."""
    if "=" not in setting:
        return setting
    choice, published, value = split_setting(setting)
    return f"{in_words(choice)}: {in_words(published)} → {in_words(value)}"
