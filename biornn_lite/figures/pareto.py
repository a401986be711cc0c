"""Figures and panel of accuracy against what remains of pruned networks, for notebook 12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import ipywidgets as ipw
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..results import in_order
from ..robustness import KEPT
from ..robustness_verdict import SHOWN, Rows, fronts, load_robustness, shown
from ..tasks import title_of
from .audit_parts import drawable, handle, percent
from .panels import TASK_OPTIONS, dropdown, figure_panel
from .parts import ceiling_handles, legend, outer_labels, rows_of, task_axes
from .robustness_parts import label_of, log_axis, log_places, start_handles
from .study import draw_ceilings
from .style import START_LINES

COSTS = {"wiring": "remaining wiring (µm)", "synapses": "remaining synapses, self-connections apart"}
"""Axis label of each cost."""

RETRAINED = {False: "o", True: "^"}
"""Marker of a pruned network, without and with retraining."""


def _start_of(variant: str, study: str) -> str:
    """Return the start of a variant of a study."""
    return next(start for start, name in shown(study, [variant]).items() if name == variant)


def pareto(table: pd.DataFrame, study: str, task: str, ax: Axes, cost: str = "wiring") -> Axes:
    """Draw accuracy against what remains of pruned networks, and the front that no other point beats.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.fronts` with the same `cost`; all variants of the study are drawn.
    study, task : str
    ax : Axes
        The variants of :data:`biornn_lite.robustness_verdict.SHOWN` are filled, and the others pale. The cost is on
        a logarithmic axis, with a place for 0 at the left.
    cost : {"wiring", "synapses"}
    """
    if cost not in COSTS:
        raise InputError(f"no cost {cost!r}; there are {', '.join(COSTS)}")
    table = rows_of(table, "a front", study, "variant", "task", "retrained", "kept", "cost", "accuracy", "front")
    table = drawable(table[table["task"] == task], f"a front of the task {task}")
    places = log_places(table["cost"])
    chosen = shown(study).values()
    for (variant, again), mine in table.groupby(["variant", "retrained"], sort=False):
        mine = mine.sort_values("kept")
        line = START_LINES[_start_of(variant, study)]
        look = {"markersize": 6.5, "markeredgecolor": "white", "markeredgewidth": 0.6, "zorder": 3}
        look |= {"linestyle": line["linestyle"], "linewidth": 1.0}
        if variant not in chosen:
            look = {"markersize": 4, "markeredgewidth": 0, "alpha": 0.3, "zorder": 2, "linestyle": "none"}
        x = [places[float(value)] for value in mine["cost"]]
        style = {"color": line["color"], "marker": RETRAINED[bool(again)], "label": variant}
        ax.plot(x, mine["accuracy"], **style | look)
    best = table[table["front"]].sort_values("cost").drop_duplicates("cost")
    x = [places[float(value)] for value in best["cost"]]
    ax.step(x, best["accuracy"], where="post", color="black", linewidth=1.4, zorder=2.5, label="_front")
    for again, marker in RETRAINED.items():
        mine = table[table["front"] & (table["retrained"] == again)]
        ax.plot(
            [places[float(value)] for value in mine["cost"]], mine["accuracy"], marker, markersize=8.5,
            markerfacecolor="none", markeredgecolor="black", markeredgewidth=1.3, zorder=4, label="_on the front",
        )  # fmt: skip
    draw_ceilings(ax, task, "test")
    log_axis(ax, places, *_ticks(places))
    ax.tick_params(axis="x", labelsize=8)
    ax.set_xlabel(COSTS[cost])
    ax.set_ylabel("test accuracy")
    sns.despine(ax=ax)
    return ax


def _ticks(places: Mapping[float, float]) -> tuple[list[float], list[str]]:
    """Choose ticks at 0, and at powers of ten and three times them within the range of values, and their labels."""
    positive = [value for value in places if value > 0]
    candidates = [factor * 10.0**power for power in range(-2, 9) for factor in (1, 3)] if positive else []
    ticks = [each for each in candidates if positive[0] <= each <= positive[-1]]
    if len(ticks) > 5:
        ticks = [each for each in ticks if np.log10(each) % 1 == 0]
    ticks = [0.0] * (0.0 in places) + (ticks or positive[-1:])
    return ticks, [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in ticks]


_CURSOR = "cursor"


def front_cursor(
    table: pd.DataFrame, study: str, task: str, ax: Axes, variant: str, kept: float, retrained: bool = False
) -> pd.Series:
    """Mark one point of :func:`pareto`, in place of the point that was marked before.

    Parameters
    ----------
    table, study, task, ax
        As given to :func:`pareto`.
    variant : str
    kept : float
        Share of recurrent weights that is kept.
    retrained : bool

    Returns
    -------
    Series
        The row of this point: ``kept``, ``cost``, ``accuracy``, ``front`` and others.
    """
    here = table[(table["study"] == study) & (table["task"] == task)]
    row = here[(here["variant"] == variant) & (here["retrained"] == retrained) & np.isclose(here["kept"], kept)]
    if row.empty:
        there = here.loc[(here["variant"] == variant) & (here["retrained"] == retrained), "kept"]
        shares = ", ".join(percent(share) for share in sorted(there)) or "none"
        raise InputError(f"{variant} has no point with {percent(kept)} kept; there are {shares}")
    point = row.iloc[0]
    for artist in [*ax.lines]:
        if artist.get_gid() == _CURSOR:
            artist.remove()
    x = log_places(here["cost"])[float(point["cost"])]
    line = {"color": "0.2", "linewidth": 0.8, "linestyle": (0, (2, 2)), "zorder": 1.5, "gid": _CURSOR}
    ax.axvline(x, **line)
    ax.axhline(point["accuracy"], **line)
    ax.plot(
        [x], [point["accuracy"]], RETRAINED[bool(retrained)], markersize=14, markerfacecolor="none",
        markeredgecolor="black", markeredgewidth=2, zorder=6, gid=_CURSOR,
    )  # fmt: skip
    return point


def front_figure(
    table: pd.DataFrame,
    study: str,
    task: str | Sequence[str] = (),
    cost: str = "wiring",
    at: tuple[str, float, bool] | None = None,
) -> Figure:
    """Draw :func:`pareto` for one task or for several side by side.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness_verdict.fronts` with the same `cost`.
    study : str
    task : str or sequence of str
        Default: all tasks of the study.
    cost : {"wiring", "synapses"}
    at : tuple of str, float and bool, optional
        Variant, share kept, and retrained or not, of a point to mark in each task; see :func:`front_cursor`.
    """
    mine = rows_of(table, "a front", study, "variant", "task", "retrained", "kept", "cost", "accuracy", "front")
    tasks = [task] if isinstance(task, str) else list(task) or in_order(mine["task"])
    figure, axes = task_axes(tasks, height=4.6)
    for name, ax in zip(tasks, axes[0], strict=True):
        pareto(mine, study, name, ax, cost)
        if at is not None:
            point = front_cursor(mine, study, name, ax, *at)
            left = f"{point['cost']:,.0f} {'µm' if cost == 'wiring' else 'synapses'}"
            ax.set_title(f"{title_of(name)}\naccuracy {point['accuracy']:.3f}, {left}", fontsize=10)
    outer_labels(axes)
    black = {"color": "0.35", "markersize": 6}
    handles = [
        *start_handles(mine, study, marker="o"),
        handle("pruned", marker=RETRAINED[False], **black),
        handle("pruned and retrained", marker=RETRAINED[True], **black),
        handle("front", color="black", linestyle="-", linewidth=1.4, marker="o", markerfacecolor="none"),
        *ceiling_handles(),
    ]
    if set(mine["variant"]) - set(SHOWN[study].values()):
        handles.append(handle("other variants, in the colour of their start", marker="o", color="0.6", alpha=0.5))
    legend(figure, handles, 4)
    what = "Accuracy and cost of pruned networks"
    if at is not None:
        what += f": {label_of(_start_of(at[0], study), at[0])}, {percent(at[1])} kept" + ", retrained" * at[2]
    figure.suptitle(f"{what}; {study}, means over runs", fontsize=11)
    return figure


def front_panel(rows: Rows | None = None) -> ipw.Widget:
    """Return a panel to move along the front; see :func:`front_figure`.

    Parameters
    ----------
    rows : Rows, optional
        Default: the shipped ones, loaded when the panel first draws.
    """

    @cache
    def table(cost: str) -> pd.DataFrame:
        return fronts(load_robustness() if rows is None else rows, cost)

    def draw(study: str, task: str, start: str, kept: float, retrained: bool, cost: str) -> Figure:
        return front_figure(table(cost), study, task, cost, (SHOWN[study][start], kept, retrained))

    controls = {
        "study": dropdown("study", list(SHOWN), "published penalty"),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "start": dropdown("start", list(START_LINES), "functional"),
        "kept": ipw.SelectionSlider(
            options=[(percent(share), share) for share in (1.0, *KEPT)], value=0.1, description="kept",
            continuous_update=False, layout={"width": "22em"},
        ),
        "retrained": ipw.Checkbox(False, description="retrained", indent=False, layout={"width": "8em"}),
        "cost": dropdown("cost", [("wiring", "wiring"), ("synapses", "synapses")], "wiring"),
    }  # fmt: skip
    return figure_panel(draw, controls)
