"""How long panels take to answer: ``python benchmarks/panels.py [FIELD]``, the embedded field when left out.

Each control is moved to other values of its range and back, and every redraw is timed, from the change to the
finished picture. The aim is 0.3 s; panels that train show their progress instead and are left out.
"""

from __future__ import annotations

import sys
import time

import ipywidgets as ipw
import numpy as np

from biornn_lite.datasets import load_field
from biornn_lite.errors import InputError
from biornn_lite.figures.communicability import walk_panel
from biornn_lite.figures.field import field_panel, inference_panel, pair_panel
from biornn_lite.figures.space import space_panel
from biornn_lite.figures.study import effects_panel, forest_panel, learning_panel
from biornn_lite.figures.tasks import trial_panel
from biornn_lite.figures.topology import graph_panel, trained_panel
from biornn_lite.figures.training import network_panel
from biornn_lite.figures.untrained import growth_panel
from biornn_lite.figures.weights import weights_panel
from biornn_lite.figures.wiring import across_panel
from biornn_lite.snapshots import histories, watch
from biornn_lite.training import Settings

MOVES = 5


def other_values(control: ipw.ValueWidget) -> list:
    """Values to move a control to, across its range, and in the end its own."""
    if isinstance(control, ipw.Checkbox):
        values = [not control.value]
    elif hasattr(control, "options"):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options][:MOVES]
    else:
        steps = np.linspace(control.min, control.max, MOVES)
        values = [
            type(control.value)(control.min + round((v - control.min) / control.step) * control.step) for v in steps
        ]
    return [*values, control.value]


def controls_of(widget: ipw.Widget) -> list[ipw.ValueWidget]:
    if isinstance(widget, ipw.Box):
        return [control for child in widget.children for control in controls_of(child)]
    shows = (ipw.HTML, ipw.Button, ipw.Label, ipw.IntProgress)
    return [] if isinstance(widget, shows) else [widget]


def main(source: str) -> None:
    field = load_field(source)
    pair = ("W*D*C*", "WD*C")
    watched = histories(watch(field, pair, "go_nogo", 0, settings=Settings(epochs=2)))
    panels = {
        "01 field": lambda: field_panel(field),
        "02 pair of neurons": lambda: pair_panel(field),
        "03 weights": lambda: weights_panel(field),
        "04 space": lambda: space_panel(field),
        "05 walk": lambda: walk_panel(field),
        "06 trial": trial_panel,
        "07 network": lambda: network_panel(watched, field),
        "08 graph": graph_panel,
        "08 trained": lambda: trained_panel(watched),
        "09 forest": forest_panel,
        "09 effects": effects_panel,
        "09 learning": learning_panel,
        "10 growth": growth_panel,
        "13 inference": lambda: inference_panel(field),
        "14 across": lambda: across_panel(field),
    }
    print(f"{'panel':22} {'moves':>5} {'median s':>9} {'slowest s':>9}  slowest control")
    for name, make in panels.items():
        try:
            panel = make()
        except InputError as error:
            print(f"{name:22} {error}")
            continue
        times = []
        for control in controls_of(panel):
            for value in other_values(control):
                if value != control.value and not control.disabled:
                    began = time.perf_counter()
                    control.value = value
                    times.append((time.perf_counter() - began, control.description))
        slowest, where = max(times)
        print(f"{name:22} {len(times):5} {np.median([t for t, _ in times]):9.2f} {slowest:9.2f}  {where}")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["synthetic_column"])
