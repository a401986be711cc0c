"""Figures and panel of neurons' positions, true and as used by a penalty, for notebook 04."""

from __future__ import annotations

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from .. import space
from ..field import CorticalField
from ..space import PLACES, believed_places, correlation_with_true, of_pairs
from .panels import dropdown, figure_panel, slider
from .style import COLOURS, CORNERS, LONGEST_TITLE, MIDDLE, as_text


def sheet_colours(positions: np.ndarray) -> np.ndarray:
    """Colour neurons by their positions in the plane of the sheet, so that neighbours have similar colours.

    Parameters
    ----------
    positions : ndarray, shape (N, 3)
        Columns x, y, z. Colours change from blue over pink to orange along x, and from dark to light along z.

    Returns
    -------
    ndarray, shape (N, 3)
        Red, green and blue values from 0 to 1.
    """
    extent = np.ptp(positions, axis=0)
    x, _, z = ((positions - positions.min(axis=0)) / np.where(extent > 0, extent, 1.0)).T[:, :, None]  # (N, 1) each
    left, middle, right = (
        (1 - z) * np.array(to_rgb(dark)) + z * np.array(to_rgb(light))
        for dark, light in (CORNERS["left"], MIDDLE, CORNERS["right"])
    )
    return np.maximum(1 - 2 * x, 0) * left + (1 - np.abs(2 * x - 1)) * middle + np.maximum(2 * x - 1, 0) * right


def against_true(field: CorticalField, matrix: np.ndarray, ax: Axes, title: str = "") -> Axes:
    """Draw the distances in a penalty against the true distances, a dot per pair, with their correlation.

    Parameters
    ----------
    field : CorticalField
    matrix : ndarray, shape (N, N)
        Distances in the penalty.
    ax : Axes
    title : str
    """
    true = of_pairs(space.distances(field.positions))
    ax.plot(true, of_pairs(matrix), ".", color=COLOURS["functional"], markersize=1.5, alpha=0.4, rasterized=True)
    ax.set(xlabel="true distance (µm)", ylabel="distance in the penalty", xlim=(0, None), ylim=(0, None))
    ax.set_title(
        f"{as_text(title, LONGEST_TITLE)}\ncorrelation {correlation_with_true(field, matrix):.3f}".strip(),
        fontsize=10,
    )
    sns.despine(ax=ax)
    return ax


def sheet(field: CorticalField, ax: Axes) -> Axes:
    """Draw the true positions of the somata in the plane of the sheet, in the colours of :func:`sheet_colours`."""
    ax.scatter(field.positions[:, 0], field.positions[:, 2], s=22, c=sheet_colours(field.positions))
    ax.set(xlabel="x (µm)", ylabel="z (µm)", aspect="equal")
    ax.set_title("where the neurons are", fontsize=10)
    sns.despine(ax=ax)
    return ax


AXES_OF_PLACES = {"reshaped": ("row 1", "row 2", "row 3"), "lattice": ("side 1", "side 2", "side 3")}
"""Names of the three coordinates in a penalty; those of all other places are x, y and z."""


def believed(
    field: CorticalField, points: np.ndarray, ax: Axes, places: str, azimuth: float = -60, title: str = ""
) -> Axes:
    """Draw the positions of neurons in a penalty, in the colours of :func:`sheet_colours`.

    Parameters
    ----------
    field : CorticalField
    points : ndarray, shape (N, 3)
        Positions in the penalty, as from :func:`biornn_lite.space.believed_places`.
    ax : Axes
        With ``projection="3d"``.
    places : str
        A key of :data:`biornn_lite.space.PLACES`; it names the axes.
    azimuth : float
        Viewing direction in degrees.
    title : str
    """
    ax.scatter(*points.T, s=20, c=sheet_colours(field.positions), depthshade=False)
    extent = np.ptp(points, axis=0)
    ax.set_box_aspect(np.maximum(extent, 0.05 * extent.max() or 1.0), zoom=0.85)
    names = AXES_OF_PLACES.get(places, ("x", "y (depth)", "z"))
    ax.set(xlabel=names[0], ylabel=names[1], zlabel=names[2])
    thin = extent < 0.3 * extent.max()
    for axis, length, short in zip((ax.xaxis, ax.yaxis, ax.zaxis), extent, thin, strict=True):
        axis.labelpad = 10  # seen along an axis, its name would lie on its numbers
        if short:
            axis.set_ticks([float(f"{length:.1g}")])  # more would overlap
        else:
            axis.get_major_locator().set_params(nbins=4, steps=[1, 2, 5, 10])  # short numbers
    if thin.any():
        ax.xaxis.labelpad = 14  # in a flat box, the name would lie on a number
    ax.view_init(elev=20, azim=azimuth)
    ax.set_title(title, fontsize=10)
    return ax


FOLLOWED = 12
"""Number of neurons at the beginning of the list that are joined by a line on the lattice."""

BEHIND = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5}
"""Box behind a text among dots."""


def lattice_figure(field: CorticalField) -> Figure:
    """Draw the neurons of a field where they are, and on the lattice, in the same colours.

    A line on the lattice follows the list over its first :data:`FOLLOWED` neurons.
    """
    points = believed_places(field, "lattice")
    figure = plt.figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1.2, 1])
    sheet(field, left.subplots())
    ax = right.add_subplot(projection="3d")
    ax.plot(*points[:FOLLOWED].T, color="black", linewidth=1.2)
    for neuron in {0, min(FOLLOWED, len(points)) - 1}:
        side = {"ha": "left" if neuron else "right", "zorder": 20}
        ax.text(*points[neuron], f" neuron {neuron} ", fontsize=9, bbox=BEHIND, **side)
    sides = " × ".join(f"{len(np.unique(side))}" for side in points.T)
    believed(field, points, ax, "lattice", title=f"on the lattice of {sides} points, in the order of the list")
    figure.suptitle(as_text(field.label), fontsize=11)
    return figure


LARGEST = 1.75
"""End of the axis of distances in a penalty, a little more than √3, unless they go beyond it."""


def space_figure(
    field: CorticalField,
    places: str = "transposed",
    units: str = "min_max",
    lattice_scale: str = "raw",
    seed: int = 0,
    azimuth: float = -60,
) -> Figure:
    """Draw the true positions of neurons, their positions in a penalty, and the resulting distances.

    Parameters
    ----------
    field : CorticalField
    places, units, lattice_scale, seed
        As in :func:`biornn_lite.space.believed_places`.
    azimuth : float
        Viewing direction for the positions in the penalty, in degrees.
    """
    points = believed_places(field, places, units, lattice_scale, seed)
    matrix = space.distances(points)
    figure = plt.figure(figsize=(13, 4.2), layout="constrained")
    left, middle, right = figure.subfigures(1, 3, width_ratios=[1, 1.25, 1.45])
    sheet(field, left.subplots())
    ax = middle.add_subplot(projection="3d")
    believed(field, points, ax, places, azimuth, "where the penalty believes them")
    scatter, histogram = right.subplots(1, 2, sharey=True, width_ratios=[2.2, 1])
    against_true(field, matrix, scatter)
    mean = space.mean_distance(matrix)
    histogram.hist(of_pairs(matrix), bins=40, orientation="horizontal", color=COLOURS["functional"])
    histogram.axhline(mean, color=COLOURS["relabelled"], linewidth=2)
    histogram.set(xlabel="pairs", ylim=(0, max(LARGEST, 1.05 * matrix.max())))
    histogram.set_title(f"mean {mean:.2f}", fontsize=10)
    sns.despine(ax=histogram)
    switch = f"lattice_scale {lattice_scale}" if places == "lattice" else f"units {units}"
    if places == "lattice" and lattice_scale == "matched":
        switch += f" (to the mean of transposed, {units})"
    figure.suptitle(f"{as_text(field.label)}: {PLACES[places]}, {switch}", fontsize=11)
    return figure


def space_panel(field: CorticalField) -> ipw.Widget:
    """Return a panel to choose the positions of neurons in a penalty; see :func:`space_figure`."""
    controls = {
        "places": dropdown("places", [(text, key) for key, text in PLACES.items()], "transposed"),
        "units": dropdown("units", ("min_max", "micrometres"), "min_max"),
        "lattice_scale": dropdown("lattice_scale", ("raw", "matched"), "raw"),
        "seed": ipw.BoundedIntText(
            0, min=0, max=9999, description="seed (scrambled)", style={"description_width": "initial"},
            layout={"width": "14em"},
        ),
        "azimuth": slider("turn", -60, -180, 180, 5, "degrees"),
    }  # fmt: skip

    def follow(_=None) -> None:
        """Disable what changes nothing for these places."""
        on_lattice = controls["places"].value == "lattice"
        controls["units"].disabled = on_lattice and controls["lattice_scale"].value == "raw"
        controls["lattice_scale"].disabled = not on_lattice
        controls["seed"].disabled = controls["places"].value != "scrambled"

    for name in ("places", "lattice_scale"):
        controls[name].observe(follow, "value")
    follow()
    return figure_panel(lambda **values: space_figure(field, **values), controls)


BIN = 0.5
"""Width of the bins of costs, in per cent of their mean; costs that differ more have wider bins."""


def cost_histogram(own: float, others: np.ndarray, ax: Axes, title: str, unit: str = "") -> Axes:
    """Draw the wiring cost of weights as a line in the histogram of the costs of relabelled weights.

    Costs are drawn in per cent above or below the mean of the relabelled ones, so that costs with different units
    can share an axis.

    Parameters
    ----------
    own : float
        Cost of ``W*``.
    others : ndarray, shape (draws,)
        Costs of ``W!``, from :func:`biornn_lite.space.relabelled_costs`.
    ax : Axes
    title : str
    unit : str
        Unit of the costs.
    """
    mean = others.mean()
    excess, own_excess = 100 * (others / mean - 1), 100 * (own / mean - 1)
    width = max(BIN, np.ptp(excess) / 40)
    edges = np.arange(np.floor(excess.min()), excess.max() + width, width)
    ax.hist(excess, edges, color=COLOURS["relabelled"], label=f"W!, {len(others)} relabellings")
    ax.axvline(own_excess, ymax=1 / 1.35, color=COLOURS["functional"], linewidth=3, label=f"W*, {own_excess:+.1f} %")
    ax.set(xlabel="wiring cost Σ|W| ⊙ D, % above the mean of W!", ylabel="relabellings")
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.35 * np.histogram(excess, edges)[0].max()))  # space for the legend
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.legend(fontsize=8, loc="upper center", ncols=2)
    ax.set_title(f"{as_text(title, LONGEST_TITLE)}: mean of W! {mean:,.4g} {unit}".strip(), fontsize=10)
    sns.despine(ax=ax)
    return ax
