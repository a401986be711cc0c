"""Panels about fields, for notebooks 01, 02 and 13. Behind each stands a plain function that draws the same."""

from __future__ import annotations

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from . import field_plots
from .activity import TILE_SECONDS, correlation, event_counts, frame_length, recording_end, trains_of
from .deconvolution import events_from_fluorescence, fluorescence_from_events, frames_of
from .field import CorticalField
from .synthetic import ColumnRecipe
from .widgets import dropdown, figure_panel, slider


def field_figure(field: CorticalField, colour: str = "depth", azimuth: float = -60, elevation: float = 20) -> Figure:
    """Draw a field in space; see :func:`biornn_lite.field_plots.field_3d`."""
    figure = plt.figure(figsize=(9, 4.6), layout="constrained")
    field_plots.field_3d(field, figure.add_subplot(projection="3d"), colour, azimuth, elevation)
    return figure


def field_panel(field: CorticalField) -> ipw.Widget:
    """Return a panel in which to turn a field and to colour its neurons; see :func:`field_figure`."""
    colours = [key for key in field_plots.NEURON_COLOURS if key != "rate" or field.spike_times is not None]
    controls = {
        "colour": dropdown("colour", colours, "depth"),
        "azimuth": slider("turn", -60, -180, 180, 5, "degrees"),
        "elevation": slider("tilt", 20, -90, 90, 5, "degrees"),
    }
    return figure_panel(lambda **values: field_figure(field, **values), controls)


def pair_figure(
    field: CorticalField, first: int, second: int, tile: float = TILE_SECONDS, start: float = 0.0
) -> Figure:
    """Draw two neurons' events with tiles of ±Δt, and their STTC against Δt."""
    figure, axes = plt.subplots(1, 2, figsize=(13, 3.6), layout="constrained", gridspec_kw={"width_ratios": [1.7, 1]})
    field_plots.tiles(field, (first, second), tile, axes[0], start)
    field_plots.sttc_by_tile(field, (first, second), axes[1], tile)
    return figure


def pair_panel(field: CorticalField, first: int = 0, second: int = 1) -> ipw.Widget:
    """Return a panel in which to pick two neurons and to move Δt; see :func:`pair_figure`."""
    last = field.neurons - 1
    end = recording_end(trains_of(field))
    width = {"width": "11em"}
    controls = {
        "first": ipw.BoundedIntText(first, min=0, max=last, description="neuron", layout=width),
        "second": ipw.BoundedIntText(second, min=0, max=last, description="and", layout=width),
        "tile": slider("Δt", TILE_SECONDS, 0.02, 1.0, 0.02, "s"),
        "start": slider("from", 0, 0, max(0.0, 20 * np.floor(end / 20)), 20, "s"),
    }
    return figure_panel(lambda **values: pair_figure(field, **values), controls)


def inference_figure(
    field: CorticalField, noise: float = 0.2, threshold: float = 2.0, neurons: int = 12, seconds: float = 1200.0
) -> Figure:
    """Draw what is left of known events after fluorescence, noise and inference.

    The first neurons' events are turned into fluorescence, events are inferred from that, and both are compared: in
    one trace, and in the correlations between all pairs.

    Parameters
    ----------
    field : CorticalField
        With events.
    noise : float
        Standard deviation of the noise; one event adds 1.
    threshold : float
        Of the inference, in standard deviations of the noise.
    neurons, seconds : int, float
        How much of the field is used.
    """
    trains = [train[train < seconds] for train in trains_of(field)[:neurons]]
    neurons = len(trains)
    frame = frame_length(trains_of(field)) or ColumnRecipe.frame
    times = np.arange(1, int(seconds / frame)) * frame
    traces = fluorescence_from_events(trains, times, noise=noise)
    found = events_from_fluorescence(traces, times, threshold=threshold, progress=False)
    figure, axes = plt.subplots(1, 2, figsize=(13, 4), layout="constrained", gridspec_kw={"width_ratios": [2, 1]})
    field_plots.found_events(traces[0], times, trains[0], found[0], axes[0])
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
    """Return a panel in which to change noise and threshold of an inference; see :func:`inference_figure`."""
    controls = {
        "noise": slider("noise", 0.2, 0.05, 0.6, 0.05, "SD; an event adds 1"),
        "threshold": slider("threshold", 2.0, 0.5, 5.0, 0.25, "SD of the noise"),
    }
    return figure_panel(lambda **values: inference_figure(field, **values), controls)
