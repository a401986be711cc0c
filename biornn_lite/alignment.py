"""Do the parts of a field list its neurons in the same order? Positions, activity and wiring, two at a time.

In cortex, activity and wiring both fall with distance, so all three know of each other. If those of a field do not,
the first thing to doubt is not cortex but the order of the files. Notebooks 01 and 13 use this module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from .field import CorticalField
from .seeds import generator


@dataclass(frozen=True)
class Comparison:
    """One number that joins two parts of a field, beside what it is when the neurons of one get random labels.

    Attributes
    ----------
    parts : str
        Which two.
    compared : str
        What the number is.
    value : float
        NaN where the field has nothing to compare.
    low, high : float
        The middle 99 % of its values with random labels.
    """

    parts: str
    compared: str
    value: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether the value lies outside of what random labels give."""
        return self.value < self.low or self.value > self.high

    def __str__(self) -> str:
        start = f"{self.parts + ':':24} {self.compared}"
        if np.isnan(self.value):
            return f"{start}: nothing to compare"
        verdict = "they fit" if self.told_apart else "NOT told apart from random labels"
        return f"{start} {self.value:.2f}; by chance {self.low:.2f} to {self.high:.2f}: {verdict}"


@dataclass(frozen=True)
class Alignment:
    """What :func:`check_alignment` found; printed, it is a line for each comparison."""

    positions_activity: Comparison
    positions_wiring: Comparison
    activity_wiring: Comparison

    @property
    def doubtful(self) -> bool:
        """Whether there are connections that know nothing of positions."""
        return not np.isnan(self.positions_wiring.value) and not self.positions_wiring.told_apart

    def __str__(self) -> str:
        lines = [str(comparison) for comparison in vars(self).values()]
        if self.doubtful:
            lines.append(
                "In cortex, connections fall with distance. Before you believe that these do not: do positions and\n"
                "connectome list the neurons in the same order? Or are there too few connections to tell?"
            )
        return "\n".join(lines)


def check_alignment(field: CorticalField, relabellings: int = 499) -> Alignment:
    """Compare each two of a field's positions, activity and wiring with random pairings of their neurons.

    Parameters
    ----------
    field : CorticalField
    relabellings : int
        How often the neurons of one part get random labels, from seed 0: a permutation test that keeps what each
        part is by itself, such as who has how many partners.

    Returns
    -------
    Alignment
        *Positions and activity*: how the correlation of two neurons' events goes with their distance, as a
        correlation coefficient. *Positions and wiring*: the mean distance of connected pairs, over that of all.
        *Activity and wiring*: how far the mean correlation of connected pairs lies above that of all, in standard
        deviations.
    """
    n = field.neurons
    off = ~np.eye(n, dtype=bool)
    rng = generator(0, "alignment")
    orders = [rng.permutation(n) for _ in range(relabellings)]
    sender, receiver = np.nonzero((field.part("connectome", "check_alignment") > 0) & off)
    distance = cdist(field.positions, field.positions)
    near, alike = standardised(distance), standardised(field.part("correlation", "check_alignment"))

    first, second = np.triu_indices(n, 1)

    def over_pairs(order: np.ndarray) -> float:
        return float((alike[first, second] * near[order[first], order[second]]).mean())

    def over_connections(values: np.ndarray) -> Callable[[np.ndarray], float]:
        return lambda order: float(values[order[sender], order[receiver]].mean()) if len(sender) else float("nan")

    def compared(parts: str, what: str, statistic: Callable[[np.ndarray], float]) -> Comparison:
        value = statistic(np.arange(n))
        if np.isnan(value):
            return Comparison(parts, what, value, value, value)
        low, high = np.quantile([statistic(order) for order in orders], [0.005, 0.995])
        return Comparison(parts, what, value, float(low), float(high))

    mean = distance[off].mean() or 1.0
    return Alignment(
        compared("positions and activity", "correlation with distance", over_pairs),
        compared("positions and wiring", "distance of connected pairs over all", over_connections(distance / mean)),
        compared("activity and wiring", "correlation of connected pairs above all, in SD,", over_connections(alike)),
    )


def standardised(matrix: np.ndarray) -> np.ndarray:
    """Scale a matrix, shape (N, N), to mean 0 and SD 1 off its diagonal; NaN if all values there are equal."""
    values = matrix[~np.eye(len(matrix), dtype=bool)]
    return (matrix - values.mean()) / values.std() if np.ptp(values) > 0 else np.full_like(matrix, np.nan)
