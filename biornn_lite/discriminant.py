"""Linear discriminant analysis of many groups of units at once, equal to scikit-learn's for each of them.

That is ``StandardScaler()``, then ``LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")``. The analysis
standardises the units within each class, shrinks their covariance by the formula of Ledoit & Wolf (2004, *Journal of
Multivariate Analysis* 88, 365–411), scales it back, and averages it over classes. The formula needs only two sums of
products over trials. They are computed once for all units; those of a group are their parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import lstsq
from sklearn.preprocessing import StandardScaler

_TINY = 1e-6  # variance within classes, relative to the whole, that stands for none


class _Class(NamedTuple):
    """What is known of the trials of one class, for all units."""

    share: float  # of the trials
    trials: int
    mean: np.ndarray  # (N,)
    scale: np.ndarray  # (N,)
    products: np.ndarray  # of standardised states, summed over trials, (N, N)
    squares: np.ndarray  # of their squares, (N, N)


def _class_of(states: np.ndarray, trials: int) -> _Class:
    """Sum up the states (trials of the class, N)."""
    scaler = StandardScaler().fit(states)
    z = np.where(np.ptp(states, axis=0) > 0, scaler.transform(states), 0.0)  # without rounding where nothing varies
    return _Class(len(states) / trials, len(states), scaler.mean_, scaler.scale_, z.T @ z, (z**2).T @ z**2)


def _covariance(found: _Class, units: np.ndarray) -> np.ndarray:
    """Return the shrunk covariance of some units within a class."""
    pairs, n, count = np.ix_(units, units), found.trials, len(units)
    covariance = found.products[pairs] / n
    mean = np.trace(covariance) / count
    total = (covariance**2).sum()
    spread = (found.squares[pairs].sum() / n - total) / (count * n)
    distance = (total - count * mean**2) / count  # from the mean variance times the identity
    spread = min(spread, distance)
    shrinkage = 0.0 if spread == 0 else spread / distance
    covariance = (1 - shrinkage) * covariance + shrinkage * mean * np.eye(count)
    return covariance * np.outer(found.scale[units], found.scale[units])


def predictions(
    states: np.ndarray, classes: np.ndarray, others: np.ndarray, groups: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Learn to tell classes from the states of each group of units, and tell those of other trials.

    Parameters
    ----------
    states : ndarray, shape (trials, N)
    classes : ndarray, shape (trials,)
    others : ndarray, shape (others, N)
    groups : sequence of ndarray of int
        Units of each group, at least one.

    Returns
    -------
    list of ndarray, each of shape (others,)
        The predicted class of each other trial, per group. If no unit varies within a class, it is the class with
        the nearest mean, where scikit-learn would guess.
    """
    scaler, kinds = StandardScaler().fit(states), np.unique(classes)
    states, others = scaler.transform(states), scaler.transform(others)
    found = [_class_of(states[classes == kind], len(states)) for kind in kinds]
    priors = np.log([each.share for each in found])
    told = []
    for units in groups:
        means = np.stack([each.mean[units] for each in found])  # (classes, units)
        covariance = sum(each.share * _covariance(each, units) for each in found)
        if not covariance.any():
            covariance = _TINY * np.eye(len(units))
        weights = lstsq(covariance, means.T)[0]  # (units, classes)
        scores = others[:, units] @ weights - 0.5 * (means.T * weights).sum(axis=0) + priors  # (others, classes)
        told.append(kinds[scores.argmax(axis=1)])
    return told
