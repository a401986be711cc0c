"""Figures and panel of initial weights, for notebook 03."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..field import CorticalField
from ..priors import Priors
from ..untrained import fading
from ..variants import Protocol
from ..weights import SPECTRAL_RADIUS, with_spectral_radius
from .matrices import matrix as draw_matrix
from .matrices import spectrum
from .panels import dropdown, figure_panel, slider
from .style import BLUE, ORANGE, SMOOTH_LINES, as_text


def stages(matrices: Mapping[str, np.ndarray], ax: Axes) -> Axes:
    """Draw the entries of a matrix in each step of its construction, on and off the diagonal.

    Parameters
    ----------
    matrices : mapping of str to ndarray, shape (N, N)
        The keys are names of the steps. A dot is the mean of all entries, and a line extends from the 5th to the 95th
        percentile of those above 0. Zeros cannot be drawn on the logarithmic axis.
    ax : Axes
    """
    for place, values in enumerate(matrices.values()):
        diagonal = np.eye(len(values), dtype=bool)
        for entries, shift, marker, colour, label in (
            (values[diagonal], 0.14, "D", ORANGE, "diagonal: a neuron onto itself"),
            (values[~diagonal], -0.14, "o", BLUE, "all others"),
        ):
            low, high = np.percentile(entries[entries > 0], (5, 95))
            ax.plot([low, high], [place + shift] * 2, color=colour, linewidth=2)
            ax.plot(
                entries.mean(), place + shift, marker, color=colour, markersize=7, label=label if place == 0 else None
            )
    ax.set_xscale("log")
    ax.set_yticks(range(len(matrices)), [as_text(label) for label in matrices])
    ax.invert_yaxis()
    ax.set_xlabel("entry (dot: mean, line: 5 % to 95 %), logarithmic scale")
    ax.legend(fontsize=8, loc="upper left")
    sns.despine(ax=ax)
    return ax


SIZES = (1e-3, 2.0)
"""Range of the axis of sizes; it is the same for all figures unless a curve leaves it."""


def fading_curves(matrices: Mapping[str, np.ndarray], axes: tuple[Axes, Axes], steps: int = 20) -> None:
    """Draw how the states after two stimuli fade: the angle between them and the size of the first.

    Parameters
    ----------
    matrices : mapping of str to ndarray, shape (N, N)
        The keys are names for the legend.
    axes : (Axes, Axes)
        For the angle and for the size.
    steps : int
        Number of steps after the stimulus.
    """
    for (label, weights), line in zip(matrices.items(), SMOOTH_LINES, strict=False):
        angle, size = fading(weights, steps)
        drawn = {"linewidth": 2, "label": as_text(label), **line}
        axes[0].plot(angle, **drawn)
        axes[1].plot(np.where(size > 0, size, np.nan), **drawn)
    axes[0].set(ylabel="angle between\ntwo stimuli (degrees)", ylim=(0, 95), yticks=(0, 30, 60, 90))
    axes[1].set(ylabel="size of the state, share\nof that at step 0 (log scale)", yscale="log")
    low, high = axes[1].get_ylim()
    axes[1].set_ylim(min(low, SIZES[0]), max(high, SIZES[1]))
    for ax in axes:
        ax.set_xlabel("steps after the stimulus")
        ax.set_xlim(0, steps)
        ax.xaxis.get_major_locator().set_params(integer=True)
        sns.despine(ax=ax)
    if len(matrices) > 1:
        axes[0].legend(fontsize=8)


def weights_figure(
    field: CorticalField,
    function: str = "correlation",
    self_connections: str = "kept",
    radius: float = SPECTRAL_RADIUS,
    seed: int = 0,
) -> Figure:
    """Draw functional weights, their eigenvalues, and the memory of an untrained network with these weights.

    Parameters
    ----------
    field : CorticalField
    function, self_connections : str
        As in :class:`biornn_lite.variants.Protocol`.
    radius : float
        Spectral radius to scale the weights to.
    seed : int
        Seed of the lognormal draws.
    """
    protocol = Protocol(function=function, self_connections=self_connections)
    weights = with_spectral_radius(Priors(field, protocol).functional_weights(seed), radius)
    figure = plt.figure(figsize=(13, 4.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[2, 1])
    matrix, circle = left.subplots(1, 2)
    draw_matrix(weights, matrix, f"functional weights, diagonal {self_connections}", "weight", limit=0.05)
    sizes = np.sort(np.abs(np.linalg.eigvals(weights)))[::-1]
    told = f"largest {sizes[0]:.2f}, next {sizes[1]:.2f}"
    spectrum(weights, circle, f"eigenvalues, {(sizes > 0.5).sum()} beyond 0.5: {told}")
    fading_curves({"": weights}, tuple(right.subplots(2, 1, sharex=True)))
    right.axes[0].set_xlabel("")
    figure.suptitle(f"{as_text(field.label)}, before any training", fontsize=11)
    return figure


def weights_panel(field: CorticalField) -> ipw.Widget:
    """Return a panel to change how functional weights are made; see :func:`weights_figure`."""
    functions = [("correlation ⊙ STTC", "correlation"), ("STTC alone", "sttc")]
    if field.precision is not None:
        functions.append(("precision ⊙ STTC", "precision"))
    controls = {
        "function": dropdown("function", functions, "correlation"),
        "self_connections": dropdown("self_connections", ("kept", "removed", "only"), "kept"),
        "radius": slider("spectral radius", SPECTRAL_RADIUS, 0.5, 1.3, 0.05),
        "seed": ipw.BoundedIntText(0, min=0, max=9999, description="seed", layout={"width": "11em"}),
    }
    return figure_panel(lambda **values: weights_figure(field, **values), controls)
