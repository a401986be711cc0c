"""Panels of notebook 12 in which trained networks are damaged, rounded and pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..network import Networks, networks_of
from ..plumbing.threads import small_numbers_as_zero, threads, threads_for
from ..pruning import recurrent_bytes
from ..robustness import accuracies, chosen_synapses, chosen_units, cut, pruned, quantised, silenced
from ..seeds import generator
from ..tasks import Task, get_task
from ..training import held_out_trials
from .panels import dropdown, figure_panel, slider
from .study import draw_ceilings
from .style import LINES, START_LINES, as_text


@dataclass(frozen=True, eq=False)
class Examined:
    """Trained networks of one task and seed side by side, with test trials.

    Attributes
    ----------
    names : tuple of str
        One per network.
    networks : Networks
        With the networks along the axis ``runs``.
    task : Task
    seed : int
    inputs : Tensor, shape (steps, runs, trials, inputs)
    labels : Tensor of int, shape (runs, trials)
    """

    names: tuple[str, ...]
    networks: Networks
    task: Task
    seed: int
    inputs: torch.Tensor
    labels: torch.Tensor

    def accuracies(self, networks: Networks | None = None) -> pd.Series:
        """Return the accuracy of each network, or of changed copies of them, by name."""
        networks = self.networks if networks is None else networks
        with small_numbers_as_zero(), threads(threads_for(networks.w.shape[-1])):
            found = accuracies(networks, self.inputs, self.labels)
        return pd.Series(found, index=pd.Index(self.names, name="start"), name="accuracy")


def examine(
    names: Sequence[str], states: Sequence[Mapping[str, np.ndarray]], task: Task | str, seed: int, trials: int = 640
) -> Examined:
    """Put trained networks side by side, with the test trials of their seed.

    Parameters
    ----------
    names : sequence of str
        What to call them.
    states : sequence of mapping
        Weights and biases of networks of one size, such as ``trained.state`` of
        :class:`biornn_lite.training.Trained` and of :class:`biornn_lite.trained_networks.TrainedNetwork`.
    task : Task or str
    seed : int
        With which all of them were trained.
    trials : int
        Number of test trials.
    """
    names, task = tuple(map(str, names)), get_task(task)
    if not names or len(names) != len(states) or len(set(names)) < len(names):
        raise InputError(f"{len(states)} networks and the names {', '.join(names)}; each needs one of its own")
    networks = networks_of(states)
    for name, w in zip(names, networks.w, strict=True):
        if not w.isfinite().all():
            raise InputError(f"{name} has infinite weights or NaN: it diverged, and there is nothing to examine")
    inputs, labels = held_out_trials(task, [seed] * len(names), trials)
    return Examined(names, networks, task, seed, inputs, labels)


# Damage

LESIONS = (
    "units, at random", "units, strongest first", "synapses, at random", "synapses, strongest first",
    "self-connections, strongest first",
)  # fmt: skip
"""What the panel of lesions offers."""


def lesion(examined: Examined, kind: str, share: float) -> tuple[Networks, np.ndarray]:
    """Silence units, or cut recurrent weights, of all networks.

    Parameters
    ----------
    examined : Examined
    kind : str
        One of :data:`LESIONS`. At random, a larger share takes all that a smaller one takes.
    share : float
        From 0 to 1, of the units, of the recurrent weights that are not 0, or of the self-connections.

    Returns
    -------
    networks : Networks
        Changed copies.
    gone : ndarray of bool, shape (runs, N, N)
        Recurrent weights that were taken.
    """
    if kind not in LESIONS:
        raise InputError(f"no lesion {kind!r}; there are {', '.join(LESIONS)}")
    networks, what = examined.networks, kind.split(",")[0]
    rngs = [generator(examined.seed, "lesion", what) for _ in examined.names] if "random" in kind else None
    if what == "units":
        units = chosen_units(networks, share, rngs)
        return silenced(networks, units), units[:, :, None] | units[:, None, :]
    if what == "synapses":
        gone = chosen_synapses(networks, share, rngs)
    else:
        diagonal = np.eye(networks.w.shape[-1], dtype=bool)
        gone = chosen_synapses(cut(networks, np.broadcast_to(~diagonal, networks.w.shape)), share)
    return cut(networks, gone), gone


SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
"""Shares at which the curves of the panel of lesions are computed."""


def lesion_curves(examined: Examined, kind: str) -> pd.DataFrame:
    """Compute the accuracy of each network at each of :data:`SHARES`; index the share, a column per network."""
    return pd.DataFrame([examined.accuracies(lesion(examined, kind, share)[0]) for share in SHARES], index=SHARES)


def _style(name: str, place: int) -> dict:
    """Style of a start of the figures of robustness, or of the network at a place."""
    return START_LINES.get(name) or LINES[place % len(LINES)]


def _legend_below(figure: Figure, ax: Axes) -> None:
    """Put the legend of axes below the figure, where it covers nothing."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False, fontsize=8)


def taken_weights(weights: np.ndarray, gone: np.ndarray, ax: Axes) -> Axes:
    """Draw the sizes of recurrent weights as an image, and cover those that were taken.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    gone : ndarray of bool, shape (N, N)
    ax : Axes
    """
    size = np.abs(weights)
    bright = max(float(np.quantile(size, 0.995)), 1e-12)
    ax.imshow(size, cmap="Greys", vmin=0, vmax=bright, interpolation="nearest")
    ax.imshow(np.where(gone, 1.0, np.nan), cmap="Oranges", vmin=0, vmax=1.6, interpolation="nearest")
    ax.set(xlabel="to unit", ylabel="from unit")
    ax.set_title(f"recurrent weights, |W| up to {bright:.2g}\norange: taken", fontsize=10)
    return ax


def lesion_figure(
    examined: Examined, name: str, kind: str, share: float, curves: pd.DataFrame | None = None
) -> Figure:
    """Draw what a lesion takes from one network, and the accuracy of all networks by the share that is taken.

    Parameters
    ----------
    examined : Examined
    name : str
        Of the network whose weights are drawn.
    kind : str
    share : float
        As in :func:`lesion`.
    curves : DataFrame, optional
        From :func:`lesion_curves`. Default: computed.
    """
    if name not in examined.names:
        raise InputError(f"no network {name!r}; there are {', '.join(examined.names)}")
    curves = lesion_curves(examined, kind) if curves is None else curves
    networks, gone = lesion(examined, kind, share)
    now, chosen = examined.accuracies(networks), examined.names.index(name)
    figure = plt.figure(figsize=(10.2, 4.4))  # fixed positions are faster than an automatic layout
    left, right = figure.add_axes((0.04, 0.2, 0.34, 0.69)), figure.add_axes((0.47, 0.24, 0.52, 0.65))
    taken_weights(examined.networks.w[chosen].detach().numpy(), gone[chosen], left)
    for place, each in enumerate(examined.names):
        look = _style(each, place)
        wide = {"linewidth": 2.4 if each == name else 1.3, "markersize": 4}
        right.plot(100 * curves.index, curves[each], label=as_text(each), **look | wide)
        right.plot(100 * share, now[each], zorder=4, **look | {"markersize": 11 if each == name else 7})
    right.axvline(100 * share, color="0.6", linewidth=1, zorder=0)
    draw_ceilings(right, examined.task, "test")
    right.set(xlabel=f"share of {kind.split(',')[0]} that is taken (%)", ylabel="accuracy", ylim=(0, 1.04))
    taken = f"{100 * share:.0f} % of the {kind.split(',')[0]}"
    right.set_title(f"{as_text(name)}: {now[name]:.3f} without {taken}", fontsize=10)
    _legend_below(figure, right)
    sns.despine(ax=right)
    return figure


def lesion_panel(examined: Examined) -> ipw.Widget:
    """Return a panel in which units are silenced, or recurrent weights cut; see :func:`lesion_figure`."""

    @cache
    def curves(kind: str) -> pd.DataFrame:
        return lesion_curves(examined, kind)

    def draw(name: str, kind: str, percent: float) -> Figure:
        return lesion_figure(examined, name, kind, percent / 100, curves(kind))

    controls = {
        "name": dropdown("network", examined.names, examined.names[0]),
        "kind": dropdown("take", LESIONS, LESIONS[0]),
        "percent": slider("share", 10, 0, 100, 1, "%"),
    }
    return figure_panel(draw, controls)


# Few bits and few weights

BITS = (32, 8, 6, 5, 4, 3, 2, 1)
"""Bits per recurrent weight that the panel offers; 32 leaves weights as they are."""

KEPT = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
"""Shares of recurrent weights that the panel keeps."""


def small(examined: Examined, bits: int, kept: float, per_row: bool) -> Networks:
    """Prune recurrent weights of all networks to a share, and round those that are left.

    Parameters
    ----------
    examined : Examined
    bits : int
        One of :data:`BITS`.
    kept : float
        Share of the N² recurrent weights.
    per_row : bool
        See :func:`biornn_lite.robustness.quantise`. Binary weights have no value for 0, so the pruned ones are
        set to 0 again.
    """
    few = pruned(examined.networks, kept)
    if bits == BITS[0]:
        return few
    gone = (few.w == 0).numpy()
    return cut(quantised(few, bits, per_row), gone) if kept < 1 else quantised(few, bits, per_row)


def cost_figure(
    examined: Examined, name: str, bits: int, kept: float, per_row: bool, table: pd.DataFrame | None = None
) -> Figure:
    """Draw the accuracy of pruned networks by bits per weight, and the bytes of one network's recurrent weights.

    Parameters
    ----------
    examined : Examined
    name : str
        Of the network whose bytes are drawn.
    bits, kept, per_row
        As in :func:`small`.
    table : DataFrame, optional
        Accuracies, index :data:`BITS`, a column per network. Default: computed.
    """
    if name not in examined.names:
        raise InputError(f"no network {name!r}; there are {', '.join(examined.names)}")
    table = cost_table(examined, kept, per_row) if table is None else table
    chosen = examined.names.index(name)
    figure = plt.figure(figsize=(10.2, 4.2))
    left, right = figure.add_axes((0.07, 0.25, 0.5, 0.66)), figure.add_axes((0.73, 0.3, 0.25, 0.55))
    places = np.arange(len(BITS))
    for place, each in enumerate(examined.names):
        wide = {"linewidth": 2.4 if each == name else 1.3, "markersize": 5}
        left.plot(places, table[each], label=as_text(each), **_style(each, place) | wide)
    left.axvline(BITS.index(bits), color="0.6", linewidth=1, zorder=0)
    draw_ceilings(left, examined.task, "test")
    left.set_xticks(places, map(str, BITS))
    left.set(xlabel="bits per recurrent weight", ylabel="accuracy", ylim=(0, 1.04))
    left.set_title(f"{as_text(name)}, {bits} bits, {100 * kept:g} % kept: {table.loc[bits, name]:.3f}", fontsize=10)
    _legend_below(figure, left)
    sns.despine(ax=left)
    few = small(examined, bits, kept, per_row)
    dense, sparse = (int(each[chosen]) for each in recurrent_bytes(few, bits, scales="row" if per_row else "matrix"))
    whole = int(recurrent_bytes(examined.networks, 32)[0][chosen])
    bars = {"32 bits, all weights": whole, f"{bits} bits, dense": dense, f"{bits} bits, sparse": sparse}
    right.barh(list(bars), list(bars.values()), color=["0.75", "0.55", "0.35"])
    right.invert_yaxis()
    for row, value in enumerate(bars.values()):
        right.annotate(f"{value:,}", (value, row), (3, 0), textcoords="offset points", va="center", fontsize=9)
    right.set_xlim(0, 1.3 * max(bars.values()))
    right.set_xlabel("bytes of the recurrent weights")
    right.locator_params(axis="x", nbins=3)
    sns.despine(ax=right)
    return figure


def cost_table(examined: Examined, kept: float, per_row: bool) -> pd.DataFrame:
    """Compute the accuracy of each network pruned and rounded to each of :data:`BITS`."""
    return pd.DataFrame([examined.accuracies(small(examined, bits, kept, per_row)) for bits in BITS], index=BITS)


def cost_panel(examined: Examined) -> ipw.Widget:
    """Return a panel in which networks are pruned and rounded; see :func:`cost_figure`."""

    @cache
    def table(kept: float, per_row: bool) -> pd.DataFrame:
        return cost_table(examined, kept, per_row)

    def draw(name: str, bits: int, kept: float, per_row: bool) -> Figure:
        return cost_figure(examined, name, bits, kept, per_row, table(kept, per_row))

    wide = {"style": {"description_width": "initial"}, "continuous_update": True}
    controls = {
        "name": dropdown("network", examined.names, examined.names[0]),
        "bits": ipw.SelectionSlider(description="bits", options=BITS, value=8, **wide),
        "kept": ipw.SelectionSlider(
            description="kept", options=[(f"{100 * share:g} %", share) for share in KEPT], value=1.0, **wide
        ),
        "per_row": dropdown("scale", [("one per row", True), ("one per matrix", False)], True),
    }
    return figure_panel(draw, controls)
