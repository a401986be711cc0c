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
from .style import COLOURS, CORNERS, LONGEST_TITLE, as_text


def sheet_colours(positions: np.ndarray) -> np.ndarray:
    """Colour neurons by their positions in the plane of the sheet, so that neighbours have similar colours.

    Parameters
    ----------
    positions : ndarray, shape (N, 3)
        Columns x, y, z. Colours change from blue to orange along x and from dark to light along z.

    Returns
    -------
    ndarray, shape (N, 3)
        Red, green and blue values from 0 to 1.
    """
    extent = np.ptp(positions, axis=0)
    x, _, z = ((positions - positions.min(axis=0)) / np.where(extent > 0, extent, 1.0)).T[:, :, None]  # (N, 1) each
    left, right = ((1 - z) * np.array(to_rgb(dark)) + z * np.array(to_rgb(light)) for dark, light in CORNERS.values())
    return (1 - x) * left + x * right


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
    ax.scatter(*points.T, s=20, c=sheet_colours(field.positions), depthshade=False)
    extent = np.ptp(points, axis=0)
    ax.set_box_aspect(np.maximum(extent, 0.05 * extent.max() or 1.0), zoom=0.85)
    rows = {"reshaped": ("row 1", "row 2", "row 3"), "lattice": ("side 1", "side 2", "side 3")}
    names = rows.get(places, ("x", "y (depth)", "z"))
    ax.set(xlabel=names[0], ylabel=names[1], zlabel=names[2])
    for axis, length in zip("xyz", extent, strict=True):
        ax.locator_params(axis=axis, nbins=2 if length < 0.3 * extent.max() else 4)
    ax.view_init(elev=20, azim=azimuth)
    ax.set_title("where the penalty believes them", fontsize=10)
    scatter, histogram = right.subplots(1, 2, sharey=True, width_ratios=[2.2, 1])
    against_true(field, matrix, scatter)
    mean = space.mean_distance(matrix)
    histogram.hist(of_pairs(matrix), bins=40, orientation="horizontal", color=COLOURS["functional"])
    histogram.axhline(mean, color=COLOURS["relabelled"], linewidth=2)
    histogram.set(xlabel="pairs", ylim=(0, None))
    histogram.set_title(f"mean {mean:.2f}", fontsize=10)
    sns.despine(ax=histogram)
    switch = f"lattice_scale {lattice_scale}" if places == "lattice" else f"units {units}"
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
    return figure_panel(lambda **values: space_figure(field, **values), controls)


def cost_histogram(own: float, others: np.ndarray, ax: Axes, title: str, unit: str = "") -> Axes:
    """Draw the wiring cost of weights as a line in the histogram of the costs of relabelled weights.

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
    ax.hist(others, bins=16, color=COLOURS["relabelled"], label=f"W!, {len(others)} relabellings")
    ax.axvline(
        own, ymax=1 / 1.35, color=COLOURS["functional"], linewidth=3, label=f"W*, {own / others.mean() - 1:+.1%}"
    )
    ax.set(xlabel="wiring cost Σ|W| ⊙ D" + (f" ({unit})" if unit else ""), ylabel="relabellings")
    ax.set_ylim(0, 1.35 * ax.get_ylim()[1])  # space for the legend
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.legend(fontsize=8, loc="upper center", ncols=2)
    ax.set_title(as_text(title, LONGEST_TITLE), fontsize=10)
    sns.despine(ax=ax)
    return ax
