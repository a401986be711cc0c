"""Figures and panels of fields and their activity, for notebooks 01, 02 and 13."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D
from scipy.stats import binomtest

from ..activity import (
    TILE_SECONDS,
    correlation,
    event_counts,
    frame_length,
    recording_end,
    shifted,
    spike_time_tiling_coefficient,
    spike_time_tiling_curve,
    trains_of,
)
from ..datasets import list_fields
from ..deconvolution import events_from_fluorescence, fluorescence_from_events, frames_of
from ..errors import InputError
from ..field import CorticalField
from ..field_statistics import pool
from ..seeds import generator
from ..synthetic import ColumnRecipe
from .panels import dropdown, figure_panel, slider
from .style import BLUE, COLOURS, DARK_BLUE, LINES, ORANGE, SHADES, as_text


def field_figure(
    field: CorticalField,
    colour: str = "depth",
    azimuth: float = -60,
    elevation: float = 20,
    wiring: bool = True,
) -> Figure:
    """Draw a field in space; see :func:`biornn_lite.figures.field.field_3d`."""
    figure = plt.figure(figsize=(9, 4.6), layout="constrained")
    field_3d(field, figure.add_subplot(projection="3d"), colour, azimuth, elevation, wiring)
    return figure


def field_panel(field: CorticalField, wiring: bool = True) -> ipw.Widget:
    """Return a panel to rotate a field and to colour its neurons; see :func:`field_figure`.

    Without ``wiring`` it shows nothing of the connectome: no lines, and no colours by numbers of partners.
    """
    lacking = [*([] if wiring else WIRING_COLOURS), *(["rate"] if field.spike_times is None else [])]
    colours = [colour for colour in NEURON_COLOURS if colour not in lacking]
    controls = {
        "colour": dropdown("colour", colours, "depth"),
        "azimuth": slider("turn", -60, -180, 180, 5, "degrees"),
        "elevation": slider("tilt", 20, -90, 90, 5, "degrees"),
    }
    return figure_panel(lambda **values: field_figure(field, **values, wiring=wiring), controls)


def pair_figure(
    field: CorticalField, first: int, second: int, tile: float = TILE_SECONDS, start: float = 0.0
) -> Figure:
    """Draw two neurons' events with tiles of ±Δt, and their spike time tiling coefficient against Δt."""
    figure, axes = plt.subplots(1, 2, figsize=(13, 3.6), layout="constrained", gridspec_kw={"width_ratios": [1.7, 1]})
    tiles(field, (first, second), tile, axes[0], start)
    sttc_by_tile(field, (first, second), axes[1], tile)
    return figure


WINDOW = 20.0
"""Length of the window of time in the figure of a pair, in seconds."""


def window_of_both(field: CorticalField, first: int, second: int) -> float:
    """Return the start of a window of :data:`WINDOW` seconds in which two neurons have events.

    Of all windows, it is the first in which the less active neuron has most events. It is 0 if no window has events
    of both.
    """
    trains = trains_of(field)
    edges = np.arange(0, recording_end(trains) + WINDOW, WINDOW)
    counts = [np.histogram(trains[neuron], edges)[0] for neuron in (first, second)]
    return float(edges[np.minimum(*counts).argmax()])


def pair_panel(field: CorticalField, first: int = 0, second: int = 1) -> ipw.Widget:
    """Return a panel to select two neurons and to change Δt; see :func:`pair_figure`.

    It opens at a time at which both neurons have events.
    """
    last = field.neurons - 1
    end = recording_end(trains_of(field))
    width = {"width": "11em"}
    controls = {
        "first": ipw.BoundedIntText(first, min=0, max=last, description="neuron", layout=width),
        "second": ipw.BoundedIntText(second, min=0, max=last, description="and", layout=width),
        "tile": slider("Δt", TILE_SECONDS, 0.02, 1.0, 0.02, "s"),
        "start": slider("from", window_of_both(field, first, second), 0, WINDOW * (end // WINDOW), WINDOW, "s"),
    }
    return figure_panel(lambda **values: pair_figure(field, **values), controls)


def inference_figure(
    field: CorticalField, noise: float = 0.2, threshold: float = 2.0, neurons: int = 12, seconds: float = 1200.0
) -> Figure:
    """Draw how well known events are recovered from noisy fluorescence.

    The first neurons' events are turned into fluorescence, and events are inferred from it. True and inferred events
    are compared in one trace and in the correlations of all pairs.

    Parameters
    ----------
    field : CorticalField
        A field with event times.
    noise : float
        Standard deviation of the noise; one event adds 1.
    threshold : float
        Threshold of the inference, in standard deviations of the noise.
    neurons, seconds : int, float
        Number of neurons and length of the recording in use.
    """
    trains = [train[train < seconds] for train in trains_of(field)[:neurons]]
    neurons = len(trains)
    frame = frame_length(trains_of(field)) or ColumnRecipe.frame
    times = np.arange(1, int(seconds / frame)) * frame
    traces = fluorescence_from_events(trains, times, noise=noise)
    found = events_from_fluorescence(traces, times, threshold=threshold, progress=False)
    figure, axes = plt.subplots(1, 2, figsize=(13, 4), layout="constrained", gridspec_kw={"width_ratios": [2, 1]})
    found_events(traces[0], times, trains[0], found[0], axes[0])
    true_frames = [frames_of(train, times) for train in trains]
    found_frames = [frames_of(train, times) for train in found]
    hits = sum(np.isin(f, t).sum() for f, t in zip(found_frames, true_frames, strict=True))
    inferred, true = sum(map(len, found)), sum(map(len, trains))
    axes[0].set_title(
        f"{inferred} inferred for {true} events of {neurons} neurons in {seconds:,.0f} s: "
        f"{hits / max(true, 1):.0%} of the events found, {1 - hits / max(inferred, 1):.0%} of the inferred false",
        fontsize=10,
    )
    pairs = np.triu_indices(neurons, 1)
    known, guessed = (correlation(event_counts(each, stop=seconds))[pairs] for each in (trains, found))
    axes[1].scatter(known, guessed, s=18, color="0.2")
    span = [min(known.min(), guessed.min()), max(known.max(), guessed.max())]
    axes[1].plot(span, span, color="0.6", linewidth=0.8)
    axes[1].set(xlabel="correlation of the events", ylabel="correlation of the inferred events")
    axes[1].set_title(f"{len(known)} pairs, on the line if nothing were lost", fontsize=10)
    return figure


def inference_panel(field: CorticalField) -> ipw.Widget:
    """Return a panel to change noise and threshold of an inference; see :func:`inference_figure`."""
    controls = {
        "noise": slider("noise", 0.2, 0.05, 0.6, 0.05, "SD; an event adds 1"),
        "threshold": slider("threshold", 2.0, 0.5, 5.0, 0.25, "SD of the noise"),
    }
    return figure_panel(lambda **values: inference_figure(field, **values), controls)


def _connected_pairs(field: CorticalField) -> np.ndarray:
    """Return the connected pairs, from and to, shape (pairs, 2); empty for a field without wiring."""
    return np.empty((0, 2), dtype=int) if field.connectome is None else np.argwhere(field.connectome)


def field_map(field: CorticalField, ax: Axes, wiring: bool = True) -> Axes:
    """Draw the somata of a field face-on, as the microscope sees its plane.

    Parameters
    ----------
    field : CorticalField
    ax : Axes
    wiring : bool
        Whether to draw a line for each connected pair, and to count the pairs in the title.
    """
    x, z = field.positions[:, 0], field.positions[:, 2]
    told = f"{as_text(field.label)}: {field.neurons} neurons"
    if wiring:
        ends = _connected_pairs(field)  # (pairs, 2), from and to
        lines = np.stack([field.positions[ends[:, side]][:, [0, 2]] for side in (0, 1)], axis=1)
        ax.add_collection(LineCollection(lines, colors="0.6", linewidths=0.8, zorder=1))
        told += ", wiring not known" if field.connectome is None else f", {len(ends)} connected pairs"
    ax.scatter(x, z, s=22, color=COLOURS["functional"], zorder=2)
    ax.set_xlabel("x (µm)")
    ax.set_ylabel("z (µm)")
    ax.set_aspect("equal")
    ax.set_title(told, fontsize=10)
    sns.despine(ax=ax)
    return ax


PAIR_COLOURS = (BLUE, ORANGE)
"""Colours of the two neurons in a pair; they also differ in lightness."""


def _rates(field: CorticalField) -> np.ndarray:
    trains = trains_of(field)
    return np.array([len(train) for train in trains]) / recording_end(trains)


NEURON_COLOURS = {
    "depth": ("depth y (µm)", lambda field: field.positions[:, 1]),
    "rate": ("events per second", _rates),
    "synapses out": (
        "neurons it synapses onto",
        lambda field: (field.part("connectome", "this figure") > 0).sum(axis=1),
    ),
    "synapses in": (
        "neurons that synapse onto it",
        lambda field: (field.part("connectome", "this figure") > 0).sum(axis=0),
    ),
}
"""Quantities that can colour neurons: label of the colour bar, and values for a field, shape (N,)."""

WIRING_COLOURS = ("synapses out", "synapses in")
"""The keys of :data:`NEURON_COLOURS` that need a connectome."""


def field_3d(
    field: CorticalField,
    ax: Axes,
    colour: str = "depth",
    azimuth: float = -60,
    elevation: float = 20,
    wiring: bool = True,
) -> Axes:
    """Draw the somata of a field in space.

    Parameters
    ----------
    field : CorticalField
    ax : Axes
        With ``projection="3d"``.
    colour : str
        A key of :data:`NEURON_COLOURS`.
    azimuth, elevation : float
        Viewing direction in degrees.
    wiring : bool
        Whether to draw a line for each connected pair.
    """
    label, values = NEURON_COLOURS[colour]
    for i, j in _connected_pairs(field) if wiring else ():
        ax.plot(*field.positions[[i, j]].T, color="0.6", linewidth=0.8, zorder=1)
    shades = values(field)
    dots = ax.scatter(*field.positions.T, c=shades, cmap="viridis", s=26, edgecolor="0.3", linewidth=0.3)
    bar = ax.figure.colorbar(dots, ax=ax, label=label, shrink=0.6, pad=0.1)
    if shades.dtype.kind == "i":
        bar.locator = MaxNLocator(integer=True)
    extent = np.ptp(field.positions, axis=0)
    ax.set_box_aspect(np.maximum(extent, 0.05 * extent.max() or 1.0), zoom=0.95)  # also for a flat field
    ax.set(xlabel="x (µm)", ylabel="y (µm)", zlabel="z (µm)")
    ax.view_init(elev=elevation, azim=azimuth)
    along, up = np.deg2rad(azimuth), np.deg2rad(elevation)
    view = np.array([np.cos(up) * np.cos(along), np.cos(up) * np.sin(along), np.sin(up)])
    for axis, bins, pad, part in zip((ax.xaxis, ax.yaxis, ax.zaxis), (5, 2, 3), (8, 1, 8), np.abs(view), strict=True):
        axis.get_major_locator().set_params(nbins=bins)
        axis.labelpad = pad
        if part > np.cos(np.deg2rad(25)):  # seen almost end-on, where numbers would lie on each other
            axis.set_ticklabels([])
            axis.label.set_visible(False)
    ax.set_title(f"{as_text(field.label)}: {field.neurons} neurons", fontsize=10)
    return ax


def degrees(field: CorticalField, ax: Axes) -> Axes:
    """Draw histograms of the neurons' numbers of partners, out and in."""
    connected = field.part("connectome", "this figure") > 0
    out, into = connected.sum(axis=1), connected.sum(axis=0)
    edges = np.arange(max(out.max(), into.max()) + 2) - 0.5
    looks = ({"color": PAIR_COLOURS[0]}, {"color": PAIR_COLOURS[1], "hatch": "////", "edgecolor": "white"})
    for values, name, look, side in ((out, "out", looks[0], -0.2), (into, "in", looks[1], 0.2)):
        count, _ = np.histogram(values, edges)
        ax.bar(edges[:-1] + 0.5 + side, count, 0.4, label=f"partners {name}, mean {values.mean():.2f}", **look)
    ax.set(xlabel="partners", ylabel="neurons")
    ax.set_title(as_text(field.label), fontsize=10)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(fontsize=8)
    sns.despine(ax=ax)
    return ax


def raster(field: CorticalField, ax: Axes, start: float = 0.0, seconds: float = 60.0) -> Axes:
    """Draw the events of all neurons in a window of time."""
    windows = [train[(train >= start) & (train < start + seconds)] for train in trains_of(field)]
    ax.eventplot(windows, colors="0.15", linelengths=0.9, linewidths=0.8)
    ax.set(xlabel="time (s)", ylabel="neuron", xlim=(start, start + seconds), ylim=(-0.5, field.neurons - 0.5))
    ax.set_title(f"{as_text(field.label)}: events", fontsize=10)
    sns.despine(ax=ax)
    return ax


FEWEST_PAIRS = 200
"""Minimum number of ordered pairs in a distance bin of the figure."""


def by_distance(
    fields: Sequence[CorticalField], ax: Axes, key: str = "correlation", edges: Sequence[float] | None = None
) -> Axes:
    """Draw the mean of a property of pairs in distance bins, one line per field.

    Parameters
    ----------
    fields : sequence of CorticalField
        At most five fields with different names.
    ax : Axes
    key : {"correlation", "sttc", "synapses"}
        ``synapses`` draws the share of connected ordered pairs with a 95 % interval (Wilson), which assumes
        independent pairs.
    edges : sequence of float, optional
        Edges of the bins in µm. Bins with fewer than :data:`FEWEST_PAIRS` pairs are left out.
    """
    if not 1 <= len({field.label for field in fields}) == len(fields) <= 5:
        raise InputError(f"{len(fields)} fields to draw; expected one to five, each with a name of its own")
    edges = np.arange(0, 1001, 100) if edges is None else np.asarray(edges)
    table = pool(fields)
    table["bin"] = pd.cut(table["distance"], edges, labels=(edges[:-1] + edges[1:]) / 2).astype(float)
    if key == "synapses":
        table[key] = table[key] > 0
    shift = 0.0
    for (name, rows), line in zip(table.groupby("field", sort=False), LINES, strict=False):
        beside = Affine2D().translate(shift, 0) + ax.transData  # next to each other, without overlap
        shift += 8.0 if key == "synapses" else 0.0
        group = rows[rows.groupby("bin")[key].transform("size") >= FEWEST_PAIRS].groupby("bin")[key]
        mean = group.mean()
        ax.plot(mean.index, mean, label=as_text(name), transform=beside, **line)
        if key == "synapses":
            counts = group.agg(["sum", "size"]).to_numpy(dtype=int)
            intervals = [binomtest(k, n).proportion_ci(method="wilson") for k, n in counts]
            ends = [i.low for i in intervals], [i.high for i in intervals]
            ax.vlines(mean.index, *ends, color=line["color"], transform=beside)
    labels = {"correlation": "mean correlation", "sttc": "mean STTC", "synapses": "share connected (95 % interval)"}
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    ax.set(xlabel="distance between somata (µm)", ylabel=labels[key])
    if key == "synapses":
        ax.set_ylim(0, 1.3 * ax.get_ylim()[1])  # room for the legend above the intervals
    ax.legend(fontsize=8)
    sns.despine(ax=ax)
    return ax


TILES = np.linspace(0.02, 1.0, 50)
"""Values of Δt for the curves of the spike time tiling coefficient, in seconds."""

SHIFTS = 10
"""Number of random shifts for the chance value of the spike time tiling coefficient."""


def tiles(
    field: CorticalField, pair: tuple[int, int], tile: float, ax: Axes, start: float = 0.0, seconds: float = WINDOW
) -> Axes:
    """Draw two neurons' events with tiles of ±Δt; the spike time tiling coefficient counts events inside tiles.

    Parameters
    ----------
    field : CorticalField
    pair : (int, int)
    tile : float
        Δt in seconds.
    ax : Axes
    start, seconds : float
        The window of time that is shown.
    """
    trains = [trains_of(field)[neuron] for neuron in pair]
    shown = [train[(train >= start) & (train < start + seconds)] for train in trains]
    for row, (train, colour) in enumerate(zip(shown, PAIR_COLOURS, strict=True)):
        ax.broken_barh([(t - tile, 2 * tile) for t in train], (row - 0.32, 0.64), color=colour, alpha=0.3)
        other = trains[1 - row]
        near = np.array([np.abs(other - t).min() <= tile if len(other) else False for t in train], dtype=bool)
        ax.vlines(train[near], row - 0.32, row + 0.32, color=colour, linewidth=2.4)
        ax.vlines(train[~near], row - 0.32, row + 0.32, color=colour, linewidth=0.9)
    value = spike_time_tiling_coefficient(trains, tile, stop=recording_end(field.spike_times))[0, 1]
    ax.set(xlim=(start, start + seconds), ylim=(-0.6, 1.6), xlabel="time (s)")
    ax.set_yticks([0, 1], [f"neuron {neuron}" for neuron in pair])
    ax.set_title(f"Δt = {tile:.2f} s: STTC {value:.3f}; thick: within ±Δt of one of the other's events", fontsize=10)
    sns.despine(ax=ax, left=True)
    return ax


def sttc_by_tile(field: CorticalField, pair: tuple[int, int], ax: Axes, now: float = TILE_SECONDS) -> Axes:
    """Draw the spike time tiling coefficient against Δt, with its chance value from :data:`SHIFTS` random shifts.

    Parameters
    ----------
    field : CorticalField
    pair : (int, int)
    ax : Axes
    now : float
        The marked Δt in seconds. If events lie on imaging frames, the frame length is also marked.
    """
    trains, rng = trains_of(field), generator(0, "shifts")
    frame, stop = frame_length(trains), recording_end(trains)
    recorded = [trains[neuron] for neuron in pair]
    strangers = [shifted(recorded, rng, frame) for _ in range(SHIFTS)]
    chance = np.mean([spike_time_tiling_curve(*each, TILES, stop) for each in strangers], axis=0)
    ax.plot(TILES, spike_time_tiling_curve(*recorded, TILES, stop), "-", color="0.1", label="as recorded")
    ax.plot(TILES, chance, ":", color="0.1", label=f"mean of {SHIFTS} random shifts")
    if frame is not None:
        ax.axvline(frame, color="0.4", linewidth=0.8, linestyle="--", label=f"one frame, {frame:.3g} s")
    ax.axvline(now, color=PAIR_COLOURS[0], linewidth=1.5, label=f"Δt = {now:.2f} s")
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    ax.set(xlabel="Δt (s)", ylabel="STTC")
    ax.legend(fontsize=8)
    sns.despine(ax=ax)
    return ax


def whole_data_set(fields: Sequence[CorticalField], figure: Figure | None = None) -> Figure:
    """Draw the whole data set: the sizes of all 56 released fields, and the activity of the given fields.

    Parameters
    ----------
    fields : sequence of CorticalField
        Available fields; at most five are drawn.
    figure : Figure, optional
    """
    figure = figure or plt.figure(figsize=(13, 6.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.1])
    table = list_fields().iloc[1:]
    scans = table["field"].str.rsplit("_", n=1).str[0]
    ax = top.subplots()
    shades = [SHADES[number % 2] for number in pd.factorize(scans)[0]]
    bars = ax.bar(table["field"], table["neurons"], color=shades)
    for bar, here in zip(bars, table["here"], strict=True):
        if here:
            bar.set(facecolor=DARK_BLUE, hatch="//", edgecolor="white")
    ax.set_xticks(range(0, len(table), 4), table["field"].iloc[::4])  # all 56 names would be too small to read
    ax.tick_params(axis="x", labelsize=9)
    ax.set(ylabel="neurons", xlim=(-0.7, 55.7))
    ax.set_title(
        f"56 released fields (session_scan_field; every fourth is named), {table['neurons'].sum():,} neurons; "
        f"shades alternate by scan; hatched: on this machine ({table['here'].sum()})",
        fontsize=10,
    )
    sns.despine(ax=ax)
    for ax, key in zip(bottom.subplots(1, 3), ("correlation", "sttc", "synapses"), strict=True):
        by_distance(fields[:5], ax, key)
        if key != "correlation":
            ax.get_legend().remove()
    return figure


def found_events(
    trace: np.ndarray,
    times: np.ndarray,
    true: np.ndarray,
    found: np.ndarray,
    ax: Axes,
    start: float = 0.0,
    seconds: float = 60.0,
) -> Axes:
    """Draw a fluorescence trace with its true events and the inferred events.

    Parameters
    ----------
    trace, times : ndarray, shape (T,)
        Fluorescence and times in seconds.
    true, found : ndarray
        Event times in seconds.
    ax : Axes
    start, seconds : float
        The window of time that is shown.
    """
    inside = (times >= start) & (times < start + seconds)
    ax.plot(times[inside], trace[inside], color="0.4", linewidth=0.8)
    low, high = trace[inside].min(), trace[inside].max()
    for events, place, colour, label in (
        (true, 0.10, PAIR_COLOURS[0], "events (upper row)"),
        (found, 0.22, PAIR_COLOURS[1], "inferred (lower row)"),
    ):
        shown = events[(events >= start) & (events < start + seconds)]
        height = np.full(len(shown), low - place * (high - low))
        ax.plot(shown, height, "|", color=colour, markersize=9, markeredgewidth=1.6, label=label)
    ax.set(xlabel="time (s)", ylabel="fluorescence (baseline 1)", xlim=(start, start + seconds))
    ax.set_ylim(top=high + 0.2 * (high - low))  # room for the legend above the peaks
    ax.legend(fontsize=8, loc="upper right", ncols=2)
    sns.despine(ax=ax)
    return ax
