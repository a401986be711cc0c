"""How alike two networks represent their cues, whatever their units are (representational similarity analysis).

``docs/dynamics_plan.md`` defines every measure. A *condition* is a cue at one of the four times of a trial. The
distances between conditions do not depend on the order of units, so networks can be compared by them (Kriegeskorte,
Mur & Bandettini 2008, *Frontiers in Systems Neuroscience* 2, 4).
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from .dynamics import cue_means
from .errors import InputError


def representation(states: np.ndarray, cues: np.ndarray) -> np.ndarray:
    """Average states over the trials of each cue, at each time.

    Parameters
    ----------
    states : ndarray, shape (times, trials, N)
        At the four times, as from :func:`biornn_lite.dynamics.memory_states` for one run.
    cues : ndarray of int, shape (trials,)

    Returns
    -------
    ndarray, shape (cues * times, N)
        All times of the first cue, then all times of the next: row ``times * cue + time``.
    """
    means = cue_means(states, cues)  # (times, cues, N)
    if means.ndim != 3:
        raise InputError(f"states of shape {np.shape(states)}; (times, trials, units) is needed")
    return means.swapaxes(0, 1).reshape(-1, means.shape[-1])


def dissimilarity(representation: np.ndarray) -> np.ndarray:
    """Correlation distances between conditions, after the mean over conditions is subtracted from each.

    Parameters
    ----------
    representation : ndarray, shape (conditions, N)

    Returns
    -------
    ndarray, shape (pairs,)
        1 minus Pearson's correlation over units, in SciPy's condensed order. NaN where one of the two conditions
        has no variance over units, or is not finite.
    """
    rows = np.asarray(representation, dtype=float)
    if rows.ndim != 2 or min(rows.shape) < 2:
        raise InputError(f"a representation of shape {rows.shape}; at least 2 conditions and 2 units are needed")
    with np.errstate(all="ignore"):
        centred = rows - rows.mean(axis=0)
        # Rounding leaves differences of about 10⁻¹⁶ between numbers that are equal.
        flat = ~(np.ptp(centred, axis=1) > 1e-12 * np.abs(rows).max())
        centred[flat] = np.nan
        return pdist(centred, "correlation")


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of the distances of two networks, over pairs that are finite in both.

    Parameters
    ----------
    one, other : ndarray, shape (pairs,)
        As from :func:`dissimilarity`, of the same conditions in the same order.

    Returns
    -------
    float
        NaN for fewer than three such pairs, or if all distances of one are equal.
    """
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if one.shape != other.shape or one.ndim != 1:
        raise InputError(f"distances of shapes {one.shape} and {other.shape}; the same pairs of both are needed")
    both = np.isfinite(one) & np.isfinite(other)
    one, other = one[both], other[both]
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(one, other).statistic)


def noise_ceiling(runs: np.ndarray) -> tuple[float, float]:
    """Bounds on how similar another network can be to the runs of a start (Nili et al. 2014).

    Parameters
    ----------
    runs : ndarray, shape (runs, pairs)
        Distances of each run, as from :func:`dissimilarity`.

    Returns
    -------
    lower, upper : float
        Mean over runs of the similarity with the mean distances of the other runs, and with those of all runs. A
        distance that is NaN in a run does not enter the means, and a similarity of NaN neither. NaN for fewer than
        two runs.

    Notes
    -----
    Nili et al., *PLOS Computational Biology* 10, e1003553. They rank distances before the mean; here the mean is of
    the distances themselves, so `upper` is not a strict bound.
    """
    runs = np.asarray(runs, dtype=float)
    if runs.ndim != 2:
        raise InputError(f"distances of shape {runs.shape}; (runs, pairs) is needed")
    if len(runs) < 2:
        return float("nan"), float("nan")
    lower = [similarity(run, _mean(np.delete(runs, k, axis=0))) for k, run in enumerate(runs)]
    upper = [similarity(run, _mean(runs)) for run in runs]
    return float(_mean(lower)), float(_mean(upper))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is not NaN; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        return np.nanmean(values, axis=0)
