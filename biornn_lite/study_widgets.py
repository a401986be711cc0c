"""Panels about whole studies, for notebooks 09 and 10. Behind each stands a plain function that draws the same."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as ipw
from matplotlib.figure import Figure

from . import study_plots
from .plots import MEASURE_LABELS
from .replication import SHIPPED, load_replication
from .variants import PUBLISHED_VARIANTS
from .widgets import TASK_OPTIONS, dropdown, figure_panel

MEASURE_OPTIONS = [(label, measure) for measure, label in MEASURE_LABELS.items()]
STUDY_OPTIONS = [
    (f"field {s.field}, signs {s.sign}" + (f", {s.changes}" if s.changes else ""), name)
    for name, s in SHIPPED.items()
]


def title_of(study: str) -> str:
    """Name a shipped study for the title of a figure."""
    label = next(label for label, name in STUDY_OPTIONS if name == study)
    return f"{label}, {'else ' if SHIPPED[study].changes else ''}as published, 20 runs"


def forest_figure(study: str = "6_6_2", task: str = "go_nogo", measure: str = "accuracy") -> Figure:
    """Draw a shipped study's means by variant, beside the published ones if it is one of the paper's two tables."""
    return study_plots.forest_figure(load_replication(study).networks, title_of(study), measure, tasks=[task])


def forest_panel() -> ipw.Widget:
    """Return a panel in which to pick study, task and measure; see :func:`forest_figure`."""
    controls = {
        "study": dropdown("study", STUDY_OPTIONS, "6_6_2"),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "measure": dropdown("measure", MEASURE_OPTIONS, "accuracy"),
    }
    return figure_panel(forest_figure, controls)


def effects_figure(
    study: str = "6_6_2", task: str = "go_nogo", measure: str = "accuracy", choice: str = "weights"
) -> Figure:
    """Draw what one choice does in a shipped study: all pairs of variants that differ in nothing else."""
    networks = load_replication(study).networks
    return study_plots.effects_figure(networks, task, measure, choice, title_of(study))


def effects_panel() -> ipw.Widget:
    """Return a panel in which to pick study, task, measure and choice; see :func:`effects_figure`."""
    choices = [(label, choice) for choice, label in study_plots.CHOICE_LABELS.items()]
    controls = {
        "choice": dropdown("choice", choices, "weights"),
        "study": dropdown("study", STUDY_OPTIONS, "6_6_2"),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "measure": dropdown("measure", MEASURE_OPTIONS, "accuracy"),
    }
    return figure_panel(effects_figure, controls)


def learning_figure(
    study: str = "6_6_2", task: str = "go_nogo", variants: Sequence[str] = ("W*D*C*", "WD*C")
) -> Figure:
    """Draw how the runs of some variants of a shipped study learned.

    See :func:`biornn_lite.study_plots.learning_figure`.
    """
    return study_plots.learning_figure(load_replication(study), task, variants, title_of(study))


def learning_panel() -> ipw.Widget:
    """Return a panel in which to pick study, task and two variants; see :func:`learning_figure`."""
    controls = {
        "first": dropdown("variant", PUBLISHED_VARIANTS, "W*D*C*"),
        "second": dropdown("and", PUBLISHED_VARIANTS, "WD*C"),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "study": dropdown("study", STUDY_OPTIONS, "6_6_2"),
    }
    return figure_panel(
        lambda first, second, task, study: learning_figure(study, task, tuple(dict.fromkeys((first, second)))),
        controls,
    )
