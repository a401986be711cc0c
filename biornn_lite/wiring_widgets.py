"""The panel of notebook 14. Behind it stands a plain function that draws the same."""

from __future__ import annotations

from itertools import pairwise

import ipywidgets as ipw

from .field import CorticalField
from .widgets import dropdown, figure_panel
from .wiring import EDGES_UM, known_wiring
from .wiring_plots import BINNED, across_figure


def across_panel(more: CorticalField | None = None) -> ipw.Widget:
    """Return a panel in which to pick a field, a bin of distance and a measure.

    :func:`biornn_lite.wiring_plots.across_figure` draws the same.

    Parameters
    ----------
    more : CorticalField, optional
        One more field to pick, such as the embedded one or your own.
    """
    names = [*known_wiring().index, *([] if more is None else [more.label])]
    bins = [(f"{low} to {high} µm", low) for low, high in pairwise(EDGES_UM)]
    controls = {
        "field": dropdown("field", names, "6_6_2"),
        "low": ipw.SelectionSlider(description="distance", options=bins, value=50, layout={"width": "24em"}),
        "measure": dropdown("measure", [(text, key) for key, text in BINNED.items()], "connected"),
    }
    return figure_panel(lambda **values: across_figure(**values, more=more), controls)
