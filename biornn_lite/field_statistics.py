"""Statistics of fields: numbers that describe one field, tables of several fields, and pooled pairs of neurons.

Notebooks 01 and 13 work through this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from tqdm.auto import tqdm

from . import activity, weights
from .datasets import EMBEDDED, list_fields, load_field
from .field import CorticalField
from .plumbing.files import data_folder
from .seeds import generator

NEAR_UM, FAR_UM = 100.0, 500.0
"""Pairs nearer than the first and farther than the second distance show how activity changes with distance."""


@dataclass(frozen=True)
class Statistic:
    """One number that describes a field.

    Attributes
    ----------
    key : str
        Name of the column in a table.
    meaning : str
        Meaning, with unit.
    """

    key: str
    meaning: str


STATISTICS = tuple(
    Statistic(*row)
    for row in (
        ("neurons", "neurons"),
        ("extent_x", "extent along x (µm)"),
        ("extent_y", "extent along y (µm)"),
        ("extent_z", "extent along z (µm)"),
        ("off_plane", "SD of the somata off the best-fitting plane (µm)"),
        ("frame", "length of an imaging frame, on which events lie (s)"),
        ("rate", "median events per second"),
        ("rate_spread", "SD of the logarithm of the rate"),
        ("correlation_mean", "correlation: mean"),
        ("correlation_sd", "correlation: SD"),
        ("correlation_near", "correlation: mean of pairs nearer than 100 µm"),
        ("correlation_far", "correlation: mean of pairs farther than 500 µm"),
        ("correlation_explained", "correlation: share of its variance that a straight line over distance explains"),
        ("correlation_chance", "correlation: mean after shifting each neuron in time by itself"),
        ("sttc_mean", "STTC: mean"),
        ("sttc_sd", "STTC: SD"),
        ("sttc_near", "STTC: mean of pairs nearer than 100 µm"),
        ("sttc_far", "STTC: mean of pairs farther than 500 µm"),
        ("sttc_chance", "STTC: mean after shifting each neuron in time by itself"),
        ("connected", "connected pairs"),
        ("density", "share of ordered pairs that are connected (%)"),
        ("wiring_distance", "mean distance of connected pairs, over that of all pairs"),
        ("wiring_distance_error", "its SD when neurons get random labels"),
        ("like_to_like", "correlation of connected pairs above others at their distance (SD)"),
        ("like_to_like_error", "its SD when neurons get random labels (SD)"),
        ("diagonal_ratio", "functional weights: mean of the diagonal over the mean of the rest"),
    )
)
"""Statistics computed by :func:`describe`, in the order of its table."""


def pairs(field: CorticalField) -> pd.DataFrame:
    """List all ordered pairs of different neurons of a field.

    Returns
    -------
    DataFrame
        N (N - 1) rows. Columns ``field``, ``distance`` (µm), ``correlation``, ``sttc`` and ``synapses`` (from the
        first neuron to the second).
    """
    off = ~np.eye(field.neurons, dtype=bool)
    columns = {
        "distance": cdist(field.positions, field.positions),
        "correlation": field.part("correlation", "this statistic"),
        "sttc": field.part("sttc", "this statistic"),
        "synapses": field.part("connectome", "this statistic"),
    }
    return pd.DataFrame({"field": field.label} | {key: matrix[off] for key, matrix in columns.items()})


def pool(fields: Sequence[CorticalField]) -> pd.DataFrame:
    """List the pairs of neurons of several fields together; see :func:`pairs`."""
    return pd.concat([pairs(field) for field in fields], ignore_index=True)


def excess_correlation(field: CorticalField, bins: int = 20) -> np.ndarray:
    """Correlation of two neurons relative to pairs at the same distance.

    Parameters
    ----------
    field : CorticalField
    bins : int
        Number of distance bins, each with equally many pairs.

    Returns
    -------
    ndarray, shape (N, N)
        Correlation minus its mean over pairs at that distance, in standard deviations of this difference; diagonal 0.
    """
    table = pairs(field)
    apart = table.groupby(pd.qcut(table["distance"], bins, duplicates="drop"), observed=True)["correlation"]
    difference = table["correlation"] - apart.transform("mean")
    excess = np.zeros((field.neurons, field.neurons))
    spread = difference.std(ddof=0)
    excess[~np.eye(field.neurons, dtype=bool)] = difference / spread if spread > 0 else np.nan
    return excess


def over_connections(field: CorticalField, values: np.ndarray, relabellings: int = 500) -> tuple[float, float]:
    """Average a property of pairs over connected pairs, and estimate its spread by chance.

    Parameters
    ----------
    field : CorticalField
    values : ndarray, shape (N, N)
    relabellings : int
        Number of random relabellings of the connectome's neurons, with seed 0. Relabelling keeps the numbers of
        partners, which make connected pairs less independent than their number suggests.

    Returns
    -------
    (float, float)
        The mean over connected pairs, and the standard deviation of this mean over relabelled connectomes; NaN
        without connected pairs.
    """
    sender, receiver = np.nonzero(field.part("connectome", "this statistic"))
    if not len(sender):
        return float("nan"), float("nan")
    rng = generator(0, "relabelled connectomes")
    orders = [rng.permutation(field.neurons) for _ in range(relabellings)]
    chance = [values[order[sender], order[receiver]].mean() for order in orders]
    return float(values[sender, receiver].mean()), float(np.std(chance))


def describe(field: CorticalField) -> pd.Series:
    """Describe a field in numbers.

    Returns
    -------
    Series
        Named after the field, with one entry for each of :data:`STATISTICS`. An entry is NaN if the field lacks the
        necessary data: events (silent neurons have no rate), connections, pairs at these distances, or enough
        neurons. Functional weights are drawn once and events are shifted once, with seed 0.
    """
    table = pairs(field)
    near, far, connected = table["distance"] < NEAR_UM, table["distance"] > FAR_UM, table["synapses"] > 0
    farther, farther_error = over_connections(field, cdist(field.positions, field.positions))
    alike, alike_error = over_connections(field, excess_correlation(field))
    centred = field.positions - field.positions.mean(axis=0)
    start = weights.functional(
        weights.lognormal_draws(field.neurons, generator(0, "lognormal")),
        field.part("correlation", "this statistic"),
        field.part("sttc", "this statistic"),
    )
    values = {
        "neurons": field.neurons,
        **dict(zip(("extent_x", "extent_y", "extent_z"), np.ptp(field.positions, axis=0), strict=True)),
        "off_plane": np.linalg.svd(centred, compute_uv=False)[-1] / np.sqrt(field.neurons),
        **_describe_events(field),
        "connected": int(connected.sum()),
        "density": 100 * connected.mean(),
        "wiring_distance": farther / table["distance"].mean(),
        "wiring_distance_error": farther_error / table["distance"].mean(),
        "like_to_like": alike,
        "like_to_like_error": alike_error,
        "correlation_explained": table["distance"].corr(table["correlation"]) ** 2,
        "diagonal_ratio": np.diag(start).mean() / start[~np.eye(field.neurons, dtype=bool)].mean(),
    }
    for key in ("correlation", "sttc"):
        values[f"{key}_mean"], values[f"{key}_sd"] = table[key].mean(), table[key].std(ddof=0)
        values[f"{key}_near"], values[f"{key}_far"] = table.loc[near, key].mean(), table.loc[far, key].mean()
    return pd.Series(values, name=field.label)[[statistic.key for statistic in STATISTICS]]


def _describe_events(field: CorticalField) -> dict[str, float]:
    """Compute rates and the chance values of correlation and spike time tiling coefficient; NaN without events."""
    if field.spike_times is None or not any(map(len, field.spike_times)):
        return dict.fromkeys(("frame", "rate", "rate_spread", "correlation_chance", "sttc_chance"), np.nan)
    end = activity.recording_end(field.spike_times)
    rates = np.array([len(train) / end for train in field.spike_times if len(train)])
    frame = activity.frame_length(field.spike_times)
    strangers = activity.shifted(field.spike_times, generator(0, "shifts"), frame)
    upper = np.triu_indices(field.neurons, 1)
    return {
        "frame": np.nan if frame is None else round(frame, 3),  # rounded to milliseconds
        "rate": np.median(rates),
        "rate_spread": np.log(rates).std(),
        "correlation_chance": activity.correlation(activity.event_counts(strangers))[upper].mean(),
        "sttc_chance": activity.spike_time_tiling_coefficient(strangers)[upper].mean(),
    }


def compare(fields: Sequence[CorticalField], progress: bool = True) -> pd.DataFrame:
    """Compare fields.

    Parameters
    ----------
    fields : sequence of CorticalField
    progress : bool
        Show a progress bar for more than five fields.

    Returns
    -------
    DataFrame
        One row for each field, one column for each of :data:`STATISTICS`.
    """
    bar = tqdm(fields, unit="field", disable=not progress or len(fields) <= 5)
    table = pd.DataFrame([describe(field) for field in bar], columns=[statistic.key for statistic in STATISTICS])
    return table.astype({"neurons": int, "connected": int})


def known_statistics() -> pd.DataFrame:
    """Return stored statistics from :func:`compare` of the embedded field and of four released fields.

    They are part of the library and available offline. ``data/make_data_card.py`` recomputes them.
    """
    return pd.read_csv(data_folder() / "field_statistics.csv", index_col="field")


def fields_at_hand() -> list[CorticalField]:
    """Load every field on this machine: the embedded field and downloaded released fields."""
    return [load_field(EMBEDDED), *released_fields_at_hand()]


def released_fields_at_hand() -> list[CorticalField]:
    """Load the released fields on this machine."""
    table = list_fields().iloc[1:]
    here = table.loc[table["here"], "field"]
    return [load_field(name) for name in tqdm(here, unit="field", disable=len(here) <= 5)]
