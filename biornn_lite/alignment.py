"""Check whether positions, activity and wiring of a field list its neurons in the same order.

In cortex, activity and wiring both fall with distance, so all three are related. If they are unrelated in a field,
the most likely cause is a wrong order in the files. Notebooks 01 and 13 use this module.
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
    """A statistic that relates two parts of a field, with its range under random labels of the neurons of one part.

    Attributes
    ----------
    parts : str
        Names of the two parts.
    compared : str
        Meaning of the statistic.
    value : float
        Value of the statistic; NaN if the field lacks the data.
    low, high : float
        Range of the middle 99 % of its values with random labels.
    """

    parts: str
    compared: str
    value: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether the value lies outside the range with random labels."""
        return self.value < self.low or self.value > self.high

    def __str__(self) -> str:
        start = f"{self.parts + ':':24} {self.compared}"
        if np.isnan(self.value):
            return f"{start}: nothing to compare"
        verdict = "they fit" if self.told_apart else "NOT told apart"
        return f"{start} {self.value:.2f}; by chance {self.low:.2f} to {self.high:.2f}: {verdict}"


@dataclass(frozen=True)
class Alignment:
    """Result of :func:`check_alignment`. Its printed form has one line per comparison."""

    positions_activity: Comparison
    positions_wiring: Comparison
    activity_wiring: Comparison

    @property
    def doubtful(self) -> bool:
        """Whether there are connections that are unrelated to positions."""
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
    """Test the relation between each two of a field's positions, activity and wiring.

    Parameters
    ----------
    field : CorticalField
    relabellings : int
        Number of times that the neurons of one part get random labels, with seed 0. This permutation test keeps the
        properties of each part, such as numbers of partners.

    Returns
    -------
    Alignment
        *Positions and activity*: correlation coefficient between the distance of two neurons and the correlation
        of their events. *Positions and wiring*: mean distance of connected pairs, divided by that of all pairs.
        *Activity and wiring*: mean correlation of connected pairs minus that of all pairs, in standard deviations.
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
        compared("activity and wiring", "correlation, connected minus all pairs, in SDs,", over_connections(alike)),
    )


def standardised(matrix: np.ndarray) -> np.ndarray:
    """Scale a matrix, shape (N, N), to mean 0 and SD 1 off its diagonal; NaN if all these values are equal."""
    values = matrix[~np.eye(len(matrix), dtype=bool)]
    return (matrix - values.mean()) / values.std() if np.ptp(values) > 0 else np.full_like(matrix, np.nan)
