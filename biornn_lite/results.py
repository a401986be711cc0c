"""What a study found, as two tidy tables: a row per network, and a row per network and epoch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .errors import InputError
from .files import written_atomically
from .variants import Protocol

NETWORKS_FILE, CURVES_FILE = "results.csv", "curves.csv"

KEY = ["variant", "task", "run"]

RECORDED = ["train_accuracy", "train_loss", "test_accuracy", "test_loss", "penalty"]
"""What is recorded after each epoch; a network's row holds the last."""

COLUMNS = [
    "field", "protocol", "sign", "variant", "task", "run", "seed", "status", "diverged_step",
    *RECORDED, "entropy", "modularity", "small_worldness", "assortativity", "seconds",
    *asdict(Protocol()),
]  # fmt: skip
"""Columns of a table of networks."""

CURVE_COLUMNS = [*KEY, "epoch", *RECORDED]
"""Columns of a table of learning curves."""


class Results(NamedTuple):
    """What a study found.

    Attributes
    ----------
    networks : DataFrame
        Columns :data:`COLUMNS`, a row per network. ``diverged_step`` is empty unless ``status`` is ``diverged``,
        and then every measurement is.
    curves : DataFrame
        Columns :data:`CURVE_COLUMNS`, a row per network and epoch, from 1; those of a network that diverged end
        before the epoch in which it did.
    """

    networks: pd.DataFrame
    curves: pd.DataFrame


def as_results(networks: pd.DataFrame, curves: pd.DataFrame) -> Results:
    """Put two tables together as results, every column of its kind whether or not a value is there."""
    numbers = [*RECORDED, "entropy", "modularity", "small_worldness", "assortativity", "seconds"]
    kinds = dict.fromkeys(numbers, "float64") | {"run": "int64", "diverged_step": "Int64"}
    whole = {"run": "int64", "epoch": "int64"} | dict.fromkeys(RECORDED, "float64")
    return Results(networks.astype(kinds), curves.astype(whole))


def no_results() -> Results:
    """Return the two tables without rows."""
    return as_results(pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=CURVE_COLUMNS))


def joined(first: Results, second: Results) -> Results:
    """Put the rows of two results below one another."""
    if first.networks.empty:
        return second
    return Results(*(pd.concat(pair, ignore_index=True) for pair in zip(first, second, strict=True)))


def write_results(results: Results, folder: str | Path) -> None:
    """Write both tables, each wholly or not at all.

    A network counts as done when it has its row, so its curve is written before.
    """
    for name, table in ((CURVES_FILE, results.curves), (NETWORKS_FILE, results.networks)):
        with written_atomically(Path(folder) / name) as temporary:
            table.to_csv(temporary, index=False)


def read_results(folder: str | Path) -> Results:
    """Read the results of a study from its folder.

    Raises
    ------
    InputError
        If there are none, or a file is no such table, or the curves lack a network.
    """
    folder = Path(folder)
    networks = _read_table(folder / NETWORKS_FILE, COLUMNS)
    curves = _read_table(folder / CURVES_FILE, CURVE_COLUMNS)

    def refuse(name: str, why: str) -> InputError:
        return InputError(f"{folder / name}: not what a study wrote ({why})")

    try:
        networks, curves = as_results(networks, curves)
    except (TypeError, ValueError):
        raise refuse(NETWORKS_FILE, f"a number here or in {CURVES_FILE} is none") from None
    for name, table, keys in ((NETWORKS_FILE, networks, [*KEY, "status"]), (CURVES_FILE, curves, CURVE_COLUMNS)):
        if table[keys].isna().any(axis=None) or table.duplicated([k for k in keys if k in (*KEY, "epoch")]).any():
            raise refuse(name, "rows are incomplete or repeated")
    if not networks["status"].isin(["ok", "diverged"]).all():
        raise refuse(NETWORKS_FILE, "a row has no valid status")
    ok = networks[networks["status"] == "ok"].set_index(KEY)
    if ok[RECORDED].isna().any(axis=None):
        raise refuse(NETWORKS_FILE, "a measurement is missing")
    # Curves are written first, so those of the last piece may be there before its rows are.
    curves = curves[pd.MultiIndex.from_frame(curves[KEY]).isin(pd.MultiIndex.from_frame(networks[KEY]))]
    last = curves.sort_values("epoch").groupby(KEY)[RECORDED].last().reindex(ok.index)
    # Other programs that wrote a file again may have dropped a last digit.
    if not np.allclose(last, ok[RECORDED], rtol=1e-9, atol=0):
        raise refuse(CURVES_FILE, f"it does not end where {NETWORKS_FILE} does")
    return Results(networks, curves.reset_index(drop=True))


def _read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        # "round_trip" reads the very numbers that were written; the usual parser may miss a last digit.
        table = pd.read_csv(path, float_precision="round_trip", low_memory=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a table ({error})") from None
    if list(table.columns) != columns:
        raise InputError(f"{path}: not a table that this version writes (its columns differ)")
    return table
