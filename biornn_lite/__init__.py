"""Replicate and audit recurrent networks that start from cortical function, position and wiring.

This module offers the main names; each is imported when it is first used. The README lists the modules in reading
order. ``figures`` draws for the notebooks, ``exercises`` checks their answers, and ``plumbing`` is shared code that
no lesson is about.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .activity import field_from_events
    from .datasets import fetch_field, load_field
    from .field import CorticalField
    from .priors import Priors
    from .replication import load_replication
    from .snapshots import watch
    from .statistics import paired
    from .study import Study, run_study
    from .study_folder import read_network
    from .tasks import Task
    from .training import Settings, train
    from .variants import Protocol, Variant

__version__ = "0.3.0"

_DOORS = {
    "CorticalField": "field",
    "Priors": "priors",
    "Protocol": "variants",
    "Settings": "training",
    "Study": "study",
    "Task": "tasks",
    "Variant": "variants",
    "fetch_field": "datasets",
    "field_from_events": "activity",
    "load_field": "datasets",
    "load_replication": "replication",
    "paired": "statistics",
    "read_network": "study_folder",
    "run_study": "study",
    "train": "training",
    "watch": "snapshots",
}

__all__ = [
    "CorticalField",
    "Priors",
    "Protocol",
    "Settings",
    "Study",
    "Task",
    "Variant",
    "fetch_field",
    "field_from_events",
    "load_field",
    "load_replication",
    "paired",
    "read_network",
    "run_study",
    "train",
    "watch",
]


def __getattr__(name: str):
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_DOORS[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
