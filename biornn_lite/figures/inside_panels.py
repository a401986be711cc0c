"""Panels of notebook 15: a trial of two networks step by step, and units that are switched off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..memory import CUTS, cut_networks
from ..network import Networks
from ..plumbing.threads import small_numbers_as_zero, threads, threads_for
from ..robustness import accuracies, silenced
from ..seeds import generator
from ..training import held_out_trials
from .inside import readout, trial_figure
from .inside_parts import Inside
from .panels import dropdown, figure_panel
from .study import draw_ceilings
from .style import BLUE, ORANGE, as_text

ORDERS = ("largest self-connection first", "smallest self-connection first", "at random")
"""Orders in which units are switched off."""

_WIDE = {"style": {"description_width": "initial"}, "layout": {"width": "28em"}}


def _told(cut: str) -> str:
    """Say in a panel what is cut."""
    return {CUTS[0]: "nothing", "diagonal": "self-connections", "others": "all others"}.get(cut, cut)


def _by_task(insides: Sequence[Inside]) -> dict[str, dict[str, Inside]]:
    """Sort networks by the name of their task and their own name."""
    found: dict[str, dict[str, Inside]] = {}
    for inside in insides:
        mine = found.setdefault(inside.task.name, {})
        if inside.name in mine:
            raise InputError(f"two networks of {inside.task.title} are called {inside.name}; each needs its own name")
        mine[inside.name] = inside
    if len({tuple(mine) for mine in found.values()}) != 1:
        raise InputError("a panel needs the same networks of every task")
    return found


def _tasks(found: dict[str, dict[str, Inside]], task: str | None) -> ipw.Dropdown:
    options = [(next(iter(mine.values())).task.title, name) for name, mine in found.items()]
    return dropdown("task", options, options[0][1] if task is None else task)


# Step by step


def trial_panel(insides: Sequence[Inside], left: str, right: str, task: str | None = None) -> ipw.Widget:
    """Return a panel in which a trial of two networks goes on step by step.

    Each step draws :func:`biornn_lite.figures.inside.trial_figure`.

    Parameters
    ----------
    insides : sequence of Inside
        The same networks of one task or more, by name.
    left, right : str
        The networks that are shown first.
    task : str, optional
        The task that is shown first.
    """
    found = _by_task(insides)
    names = [*next(iter(found.values()))]
    tasks = _tasks(found, task)

    def last() -> int:
        return next(iter(found[tasks.value].values())).task.steps

    step = ipw.IntSlider(last(), min=1, max=last(), description="step", **_WIDE)

    def fit(_) -> None:
        at_end = step.value == step.max
        step.max = last()
        if at_end:
            step.value = last()

    tasks.observe(fit, "value")

    def draw(task: str, left: str, right: str, step: int) -> Figure:
        mine = found[task]
        return trial_figure(mine[left], mine[right], min(step, mine[left].task.steps))

    controls = {
        "step": step, "task": tasks, "left": dropdown("left", names, left), "right": dropdown("right", names, right)
    }  # fmt: skip
    return figure_panel(draw, controls)


# Units switched off


def switched(inside: Inside, cut: str, order: str, count: int) -> tuple[Networks, np.ndarray]:
    """Cut connections of a network and switch units off.

    Parameters
    ----------
    inside : Inside
    cut : str
        One of :data:`biornn_lite.memory.CUTS`.
    order : str
        One of :data:`ORDERS`. A larger number of units takes all that a smaller one takes.
    count : int
        Number of units.

    Returns
    -------
    networks : Networks
        A changed copy.
    off : ndarray of int
        The units that are off.
    """
    neurons = inside.networks.w.shape[-1]
    if order not in ORDERS:
        raise InputError(f"no order {order!r}; there are {', '.join(ORDERS)}")
    if not 0 <= count <= neurons:
        raise InputError(f"{count} units of {neurons} cannot be switched off")
    rising = np.diag(inside.weights).argsort(kind="stable")
    random = generator(inside.seed, "inside", "units").permutation(neurons)
    off = dict(zip(ORDERS, (rising[::-1], rising, random), strict=True))[order][:count].copy()
    mask = np.isin(np.arange(neurons), off)[None]  # (1, N)
    return silenced(cut_networks(inside.networks, cut), mask), off


@cache
def _trials(task, seed: int, trials: int = 320) -> tuple:
    return held_out_trials(task, [seed], trials)


def accuracy_of(inside: Inside, networks: Networks) -> float:
    """Return the accuracy of a changed copy of a network in its first 320 test trials, without noise."""
    with small_numbers_as_zero(), threads(threads_for(networks.w.shape[-1])):
        return float(accuracies(networks, *_trials(inside.task, inside.seed))[0])


def switch_curve(inside: Inside, cut: str, order: str) -> dict[int, float]:
    """Measure the accuracy after a cut by the number of units that are off, more closely where few are."""
    neurons = inside.networks.w.shape[-1]
    counts = sorted(
        {0, 1, 2, 4, *np.linspace(0, neurons, 13).round().astype(int).tolist()} - {*range(neurons + 1, 5)}
    )
    return {count: accuracy_of(inside, switched(inside, cut, order, count)[0]) for count in counts}


def self_connections(inside: Inside, cut: str, off: np.ndarray, ax: Axes) -> Axes:
    """Draw the self-connections of a network by their rank, and mark those that are gone."""
    own = np.diag(inside.weights)
    order = own.argsort(kind="stable")[::-1]
    gone = np.isin(order, off) | (cut == "diagonal")
    ranks = np.arange(1, len(own) + 1)
    ax.bar(ranks, own[order], width=0.9, color=np.where(gone, "white", BLUE), edgecolor=np.where(gone, ORANGE, BLUE))
    ax.axhline(0, color="0.35", linewidth=0.8)
    ax.set(xlabel="unit, by rank", ylabel="self-connection", xlim=(0, len(own) + 1))
    ax.set_title("self-connections (open: gone)", fontsize=10)
    sns.despine(ax=ax)
    return ax


def switch_figure(inside: Inside, cut: str, order: str, count: int, curve: dict[int, float] | None = None) -> Figure:
    """Draw what is left of a decision when connections are cut and units are off.

    The curve of accuracies ends at the number of units that are off: whoever switches off more sees more of it.

    Parameters
    ----------
    inside : Inside
    cut, order, count
        As in :func:`switched`.
    curve : dict of int to float, optional
        From :func:`switch_curve`. Default: computed.
    """
    curve = switch_curve(inside, cut, order) if curve is None else curve
    networks, off = switched(inside, cut, order, count)
    now = accuracy_of(inside, networks)
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(11, 3.9), width_ratios=[1, 1.1, 1.5], layout="constrained"
    )
    self_connections(inside, cut, off, left)
    draw_ceilings(middle, inside.task, "test")
    seen = {many: accuracy for many, accuracy in curve.items() if many < count} | {count: now}
    middle.plot(seen.keys(), seen.values(), "o-", color=BLUE, markersize=4)
    middle.plot(count, now, "o", color=ORANGE, markersize=11, zorder=4)
    everyone = inside.networks.w.shape[-1]
    middle.set(xlabel="units that are off", ylabel="accuracy", xlim=(-0.04 * everyone, 1.04 * everyone))
    middle.set_ylim(0, 1.04)
    middle.set_title(f"accuracy {now:.3f}, {count} {'unit' if count == 1 else 'units'} off", fontsize=10)
    middle.legend(fontsize=7, loc="lower left", framealpha=0.9)
    sns.despine(ax=middle)
    readout(inside, right, networks)
    right.set_title(f"{as_text(inside.name)}, cut: {_told(cut)}", fontsize=10, pad=16)
    right.legend(fontsize=7, loc="upper left", title="dashed: as trained", title_fontsize=7, framealpha=0.9)
    return figure


def switch_panel(insides: Sequence[Inside], name: str, task: str | None = None) -> ipw.Widget:
    """Return a panel in which units are switched off and connections cut; see :func:`switch_figure`.

    Parameters
    ----------
    insides : sequence of Inside
        The same networks of one task or more, by name.
    name : str
        The network that is shown first.
    task : str, optional
        The task that is shown first.
    """
    found = _by_task(insides)
    mine = next(iter(found.values()))
    neurons = mine[name].networks.w.shape[-1]

    @cache
    def curve(task: str, name: str, cut: str, order: str) -> dict[int, float]:
        return switch_curve(found[task][name], cut, order)

    def draw(task: str, name: str, cut: str, order: str, count: int) -> Figure:
        return switch_figure(found[task][name], cut, order, count, curve(task, name, cut, order))

    cuts = [(_told(cut), cut) for cut in CUTS]
    controls = {
        "count": ipw.IntSlider(0, min=0, max=neurons, description="units off", **_WIDE),
        "task": _tasks(found, task),
        "name": dropdown("network", [*mine], name),
        "cut": dropdown("cut", cuts, CUTS[0]),
        "order": dropdown("order", ORDERS, ORDERS[0]),
    }
    return figure_panel(draw, controls)
