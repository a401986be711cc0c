"""Figures and panels of one trained network that is damaged or rounded while you look, for notebook 12."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from ..errors import InputError
from ..network import Networks
from ..robustness import (
    ALL,
    DISTURBANCES,
    RECURRENT,
    chosen_synapses,
    chosen_units,
    degradation,
    precision_table,
)
from ..robustness_studies import SOME_TRIALS
from ..robustness_verdict import FAMILIES
from ..seeds import generator
from ..tasks import get_task
from ..training import held_out_trials
from .audit_parts import drawable, percent
from .matrices import matrix
from .panels import dropdown, figure_panel
from .study import draw_ceilings
from .style import BLUE, DARK, ORANGE, SHADES, as_text

LESIONS = FAMILIES["damage"]
"""Ways to damage a network."""


def _one(networks: Networks) -> Networks:
    if len(networks.w) != 1:
        raise InputError(f"{len(networks.w)} networks; the figure is that of one")
    return networks


def _lesion(measure: str) -> str:
    if measure not in LESIONS:
        raise InputError(f"no lesion {measure!r}; there are {', '.join(LESIONS)}")
    return measure


# Lesions


def lesion_mask(networks: Networks, measure: str, share: float, seed: int) -> np.ndarray:
    """Mark the recurrent weights that a lesion sets to 0.

    Parameters
    ----------
    networks : Networks
        With one run.
    measure : str
        One of :data:`LESIONS`.
    share : float
        Of the units, or of the weights that are not 0.
    seed : int
        Of random lesions; the mask is that of the first draw.

    Returns
    -------
    ndarray of bool, shape (N, N)
    """
    units, at_random = _lesion(measure).startswith("units"), measure.endswith("at random")
    rngs = [generator(seed, "disturbance", measure, "0")] if at_random else None
    if not units:
        return chosen_synapses(_one(networks), share, rngs)[0]
    gone = chosen_units(_one(networks), share, rngs)[0]  # (N,)
    return gone[:, None] | gone


def lesion_accuracies(
    networks: Networks, task: str, measure: str, shares: Sequence[float] | None = None, seed: int = 0
) -> pd.Series:
    """Measure the accuracy of one network after lesions, on the first test trials of a seed.

    Parameters
    ----------
    networks : Networks
        With one run.
    task : str
    measure : str
        One of :data:`LESIONS`; random ones are averaged over several draws.
    shares : sequence of float, optional
        Default: 0, and those of the studies of robustness.
    seed : int

    Returns
    -------
    Series
        Accuracy by share.
    """
    disturbance = DISTURBANCES[_lesion(measure)]
    shares = (0.0, *disturbance.severities) if shares is None else tuple(shares)
    x, labels = held_out_trials(get_task(task), [seed], SOME_TRIALS)
    curve = degradation(_one(networks), x, labels, replace(disturbance, severities=shares), [seed])
    return pd.Series(curve[:, 0], index=pd.Index(shares, name="share"))


def lesion_weights(networks: Networks, gone: np.ndarray, ax: Axes) -> Axes:
    """Draw the recurrent weights of one network; those that are gone are grey.

    Parameters
    ----------
    networks : Networks
        With one run.
    gone : ndarray of bool, shape (N, N)
        From :func:`lesion_mask`.
    ax : Axes
        Colours end at the 99 % quantile of ``|W|``, so that small weights are seen beside large ones.
    """
    w = _one(networks).w.detach().cpu().numpy()[0]
    limit = float(np.quantile(np.abs(w), 0.99)) or 1.0
    matrix(w, ax, "recurrent weights; grey: gone", "weight", limit)
    ax.imshow(np.where(gone, 1.0, np.nan), cmap=ListedColormap(["0.62"]), vmin=0, vmax=1, interpolation="nearest")
    return ax


def lesion_curve(accuracies: pd.Series, task: str, measure: str, ax: Axes, at: tuple[float, float]) -> Axes:
    """Draw the accuracy against the share that is gone, and mark the current share.

    Parameters
    ----------
    accuracies : Series
        From :func:`lesion_accuracies`.
    task, measure : str
    ax : Axes
        Shares have equal steps.
    at : tuple of float
        The current share and its accuracy.
    """
    places = np.arange(len(accuracies))
    shares = accuracies.index.to_numpy(dtype=float)
    draw_ceilings(ax, task, "test")
    ax.plot(places, accuracies, "o-", color=BLUE, markersize=5, linewidth=1.8, zorder=2)
    ax.plot(
        [np.interp(at[0], shares, places)], [at[1]], "o", markersize=13, markerfacecolor="none",
        markeredgecolor=ORANGE, markeredgewidth=2.6, zorder=3, label="_now",
    )  # fmt: skip
    ax.set_xticks(places, [f"{100 * share:g}" for share in shares])
    ax.set_xlabel(f"{as_text(measure)} (%)")
    ax.set_ylabel("test accuracy")
    ax.set_ylim(0, 1.04)
    sns.despine(ax=ax)
    return ax


def lesion_figure(
    networks: Networks,
    task: str,
    measure: str = LESIONS[1],
    share: float = 0.1,
    seed: int = 0,
    accuracies: pd.Series | None = None,
) -> Figure:
    """Draw which weights of one network are gone, and what is left of its accuracy.

    Parameters
    ----------
    networks : Networks
        With one run.
    task : str
    measure : str
        One of :data:`LESIONS`.
    share : float
        From 0 to 0.5.
    seed : int
        Of test trials and random lesions. The matrix shows the first draw; accuracies are means over draws.
    accuracies : Series, optional
        From :func:`lesion_accuracies`. Default: measured now.
    """
    gone = lesion_mask(networks, measure, share, seed)
    if accuracies is None:
        accuracies = lesion_accuracies(networks, task, measure, seed=seed)
    known = accuracies[np.isclose(accuracies.index.to_numpy(dtype=float), share)]
    now = (known if len(known) else lesion_accuracies(networks, task, measure, (share,), seed)).iloc[0]
    figure = plt.figure(figsize=(10.6, 4.6))  # fixed positions are faster than an automatic layout
    left, right = figure.add_axes((0.06, 0.12, 0.42, 0.72)), figure.add_axes((0.56, 0.2, 0.42, 0.64))
    lesion_weights(networks, gone, left)
    lesion_curve(accuracies, task, measure, right, (share, now))
    right.set_title(f"{get_task(task).title}: accuracy {now:.3f} at {percent(share)}", fontsize=10)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, fontsize=9, frameon=False)
    figure.suptitle(f"{as_text(measure.capitalize())}: {gone.sum():,} of {gone.size:,} weights gone", fontsize=11)
    return figure


def lesion_panel(networks: Networks, task: str, seed: int = 0) -> ipw.Widget:
    """Return a panel to damage one network more and more; see :func:`lesion_figure`."""

    @cache
    def curve(measure: str) -> pd.Series:
        return lesion_accuracies(networks, task, measure, seed=seed)

    shares = (0.0, *DISTURBANCES[LESIONS[0]].severities)
    controls = {
        "measure": dropdown("lesion", LESIONS, LESIONS[1]),
        "share": ipw.SelectionSlider(
            options=[(percent(share), share) for share in shares], value=0.1, description="share",
            continuous_update=False, layout={"width": "24em"},
        ),
    }  # fmt: skip
    return figure_panel(
        lambda measure, share: lesion_figure(networks, task, measure, share, seed, curve(measure)), controls
    )


# Precision

MATRICES = {"recurrent weights": RECURRENT, "all weights": ALL}
"""The matrices that may be rounded, by their name in the panel."""


def accuracy_by_bits(table: pd.DataFrame, task: str, ax: Axes, bits: int | None = None) -> Axes:
    """Draw the accuracy of one network against the bits of its weights.

    Parameters
    ----------
    table : DataFrame
        From :func:`biornn_lite.robustness.precision_table`.
    task : str
    ax : Axes
    bits : int, optional
        Number of bits to mark.
    """
    table = drawable(table, "accuracies by bits", "bits", "accuracy").reset_index(drop=True)
    draw_ceilings(ax, task, "test")
    ax.plot(table.index, table["accuracy"], "o-", color=BLUE, markersize=5, linewidth=1.8, zorder=2)
    for row in table[table["bits"] == bits].itertuples():
        ax.plot(
            [row.Index], [row.accuracy], "o", markersize=13, markerfacecolor="none", markeredgecolor=ORANGE,
            markeredgewidth=2.6, zorder=3, label="_now",
        )  # fmt: skip
    ax.set_xticks(table.index, [f"{each}" for each in table["bits"]])
    ax.set_xlabel("bits per weight")
    ax.set_ylabel("test accuracy")
    ax.set_ylim(0, 1.04)
    sns.despine(ax=ax)
    return ax


def bytes_by_bits(table: pd.DataFrame, ax: Axes, bits: int | None = None) -> Axes:
    """Draw the bytes of one network against the bits of its weights; parameters as :func:`accuracy_by_bits`."""
    table = drawable(table, "bytes by bits", "bits", "bytes").reset_index(drop=True)
    colours = [ORANGE if each == bits else SHADES[0] for each in table["bits"]]
    ax.bar(table.index, table["bytes"], width=0.7, color=colours)
    for row in table.itertuples():
        ax.annotate(
            f"{row.bytes:,}", (row.Index, row.bytes), (0, 2), textcoords="offset points", ha="center", fontsize=8,
            color=DARK,
        )  # fmt: skip
    ax.set_xticks(table.index, [f"{each}" for each in table["bits"]])
    ax.set_ylim(0, 1.1 * table["bytes"].max())
    ax.yaxis.set_major_formatter(lambda size, _: f"{size:,.0f}")
    ax.set_xlabel("bits per weight")
    ax.set_ylabel("bytes, all weights and biases")
    sns.despine(ax=ax)
    return ax


def bits_figure(
    networks: Networks,
    task: str,
    bits: int = 8,
    per_row: bool = True,
    matrices: Sequence[str] = ALL,
    seed: int = 0,
    table: pd.DataFrame | None = None,
) -> Figure:
    """Draw the accuracy and the bytes of one network with weights of few bits.

    Parameters
    ----------
    networks : Networks
        With one run.
    task : str
    bits : int
        Number of bits to mark; 32 is the network as it is.
    per_row, matrices
        As in :func:`biornn_lite.robustness.quantised`.
    seed : int
        Of the test trials.
    table : DataFrame, optional
        From :func:`biornn_lite.robustness.precision_table`. Default: measured now.
    """
    if table is None:
        trials = held_out_trials(get_task(task), [seed], SOME_TRIALS)
        table = precision_table(_one(networks), *trials, per_row, matrices)
    chosen = table[table["bits"] == bits]
    if chosen.empty:
        raise InputError(f"bits is {bits!r}; there are {', '.join(map(str, table['bits']))}")
    figure = plt.figure(figsize=(10.6, 4.4))
    left, right = figure.add_axes((0.07, 0.21, 0.41, 0.66)), figure.add_axes((0.58, 0.21, 0.41, 0.66))
    accuracy_by_bits(table, task, left, bits)
    bytes_by_bits(table, right, bits)
    row, whole = chosen.iloc[0], table["bytes"].max()
    left.set_title(f"{get_task(task).title}: accuracy {row['accuracy']:.3f} with {bits} bits", fontsize=10)
    right.set_title(f"{row['bytes']:,.0f} bytes, {percent(row['bytes'] / whole)} of float32", fontsize=10)
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize=9, frameon=False)
    return figure


def bits_panel(networks: Networks, task: str, seed: int = 0) -> ipw.Widget:
    """Return a panel to round the weights of one network; see :func:`bits_figure`."""
    trials = held_out_trials(get_task(task), [seed], SOME_TRIALS)

    @cache
    def table(per_row: bool, matrices: Sequence[str]) -> pd.DataFrame:
        return precision_table(_one(networks), *trials, per_row, matrices)

    controls = {
        "bits": ipw.SelectionSlider(
            options=(32, 8, 6, 5, 4, 3, 2, 1), value=8, description="bits", continuous_update=False,
            layout={"width": "24em"},
        ),
        "per_row": dropdown("one scale", [("per row", True), ("per matrix", False)], True),
        "matrices": dropdown("of", list(MATRICES.items()), ALL),
    }  # fmt: skip
    return figure_panel(
        lambda bits, per_row, matrices: bits_figure(
            networks, task, bits, per_row, matrices, seed, table(per_row, matrices)
        ),
        controls,
    )
