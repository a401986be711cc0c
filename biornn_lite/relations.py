"""How what is measured on networks goes with their accuracy, over all variants and within each.

Notebook 08 uses it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from .seeds import generator


class Relation(NamedTuple):
    """How a measure goes with accuracy.

    Attributes
    ----------
    overall : float
        Correlation over all networks.
    within : float
        Correlation of their deviations from the means of their variants.
    p : float
        Chance of a correlation within variants as far from 0, were accuracies dealt out anew within each variant.
    """

    overall: float
    within: float
    p: float


def relation(
    networks: pd.DataFrame, measure: str, accuracy: str = "test_accuracy", deals: int = 4999, seed: int = 0
) -> Relation:
    """Relate a measure to accuracy, over all networks of a task and among those of one variant.

    Parameters
    ----------
    networks : DataFrame
        Rows of one task; those without a value are left out.
    measure, accuracy : str
        Columns.
    deals : int
        How often accuracies are dealt out anew.
    seed : int
    """
    table = networks.dropna(subset=[measure, accuracy]).reset_index(drop=True)
    deviation = beyond_variants(table, [measure, accuracy]).to_numpy()
    overall, within = (float(np.corrcoef(values.T)[0, 1]) for values in (table[[measure, accuracy]], deviation))
    rng = generator(seed, "dealing")
    dealt = np.empty((deals, len(table)))
    for rows in table.groupby("variant").indices.values():
        dealt[:, rows] = rng.permuted(np.tile(deviation[rows, 1], (deals, 1)), axis=1)
    by_luck = dealt @ deviation[:, 0] / np.prod(np.linalg.norm(deviation, axis=0))
    far = (np.abs(by_luck) >= abs(within) - 1e-12).sum()
    return Relation(overall, within, (far + 1) / (deals + 1))


def beyond_variants(networks: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return by how much networks deviate from the mean of their task and variant."""
    return networks[columns] - networks.groupby(["task", "variant"], sort=False)[columns].transform("mean")


def relations(networks: pd.DataFrame, accuracy: str = "test_accuracy") -> pd.DataFrame:
    """Relate all four measures to accuracy, task by task.

    Returns
    -------
    DataFrame
        Index ``task, measure``; columns as the attributes of :class:`Relation`.
    """
    rows = {
        (task, measure): relation(table, measure, accuracy)._asdict()
        for task, table in networks.groupby("task", sort=False)
        for measure in ("modularity", "small_worldness", "assortativity", "entropy")
    }
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(rows, names=["task", "measure"])
    return found


def far_off(networks: pd.DataFrame, accuracy: str = "test_accuracy", by: float = 0.1) -> pd.Series:
    """Say of each network whether its accuracy is more than `by` off the mean of its task and variant."""
    return beyond_variants(networks, [accuracy])[accuracy].abs() > by


def spread_of_runs(networks: pd.DataFrame, accuracy: str = "test_accuracy") -> pd.DataFrame:
    """Say, task by task, how much there is to explain among runs of one variant.

    Returns
    -------
    DataFrame
        Index ``task``; how many variants end alike (standard deviation over runs below 0.02), and how many networks
        end more than 0.1 off their variant's mean.
    """
    groups = networks.groupby(["task", "variant"], sort=False)[accuracy]
    off = far_off(networks, accuracy)
    return pd.DataFrame(
        {
            "variants that end alike": (groups.std() < 0.02).groupby("task", sort=False).sum(),
            "networks more than 0.1 off": off.groupby(networks["task"], sort=False).sum(),
        }
    )
