"""Gain of networks, and contrasts of gains between variants, run by run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .results import ceilings
from .tasks import TASKS, Task


def gain(rows: pd.DataFrame, tasks: dict[str, Task] | None = None) -> pd.Series:
    """Return the gain of each network: 0 at the ceiling without memory, 1 at the best one, on test trials.

    A diverged network has the gain of guessing.

    Parameters
    ----------
    rows : DataFrame
        A row per network, with columns ``task``, ``status`` and ``test_accuracy``.
    tasks : dict of str to Task, optional
        Tasks of your own by name, besides the published ones.
    """
    known = TASKS | (tasks or {})
    of = {name: (*ceilings(known[name], "test"), known[name].classes) for name in rows["task"].unique()}
    low, best, classes = (rows["task"].map({name: values[k] for name, values in of.items()}) for k in range(3))
    accuracy = rows["test_accuracy"].where(rows["status"] == "ok", 1 / classes)
    return ((accuracy - low) / (best - low)).astype(np.float64)
