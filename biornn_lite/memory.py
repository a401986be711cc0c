"""Where a network keeps its memory: what cuts cost, from which units the cue can be decoded, and how units are tuned.

``docs/dynamics_plan.md`` defines every measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.model_selection import StratifiedKFold

from .discriminant import predictions
from .dynamics import cue_means
from .errors import InputError
from .network import Networks
from .robustness import cut, others_cut, self_connections_cut
from .seeds import generator
from .topology import communities, strongest_graph

CUTS = ("as trained", "diagonal", "others", "within communities", "between communities")
"""What is cut: nothing, self-connections, all other connections, those within and those between communities."""

GROUPS = ("all", "largest self-connections", "smallest self-connections", "at random", "communities")
"""Groups of units from which the cue is decoded."""

GROUP_SIZE, DRAWS = 10, 4
"""Units of a group, and number of groups at random."""


# Cuts


def communities_of(w: np.ndarray) -> np.ndarray:
    """Number the communities of a network, largest first.

    They are those of Clauset, Newman & Moore (2004) in the graph of the strongest 10 % of ``|W|``. A unit without a
    strong connection is a community by itself.

    Parameters
    ----------
    w : ndarray, shape (N, N)

    Returns
    -------
    ndarray of int, shape (N,)
        The community of each unit, from 0.
    """
    w = np.asarray(w)
    if w.ndim != 2 or w.shape[0] != w.shape[1] or not np.isfinite(w).all():
        raise InputError(f"recurrent weights of shape {w.shape}; finite ones of shape (N, N) are needed")
    graph = strongest_graph(w)
    if not graph.any():
        return np.arange(len(w))
    found = np.empty(len(w), dtype=int)
    for number, units in enumerate(communities(graph)):
        found[units] = number
    return found


def cut_networks(networks: Networks, what: str, communities: np.ndarray | None = None) -> Networks:
    """Set some recurrent weights of networks to 0.

    Self-connections are not connections within a community, so they stay in both cuts of communities.

    Parameters
    ----------
    networks : Networks
    what : str
        One of :data:`CUTS`.
    communities : ndarray of int, shape (runs, N), optional
        Default: :func:`communities_of` each network.

    Returns
    -------
    Networks
        A changed copy, or the same networks for ``as trained``.
    """
    if what == "as trained":
        return networks
    if what == "diagonal":
        return self_connections_cut(networks)
    if what == "others":
        return others_cut(networks)
    if what not in CUTS:
        raise InputError(f"no cut {what!r}; there are {', '.join(CUTS)}")
    w = networks.w.detach().cpu().numpy()  # (runs, N, N)
    if communities is None:
        communities = np.stack([communities_of(each) for each in w])
    communities = np.asarray(communities)
    if communities.shape != w.shape[:2]:
        raise InputError(f"communities have shape {communities.shape}; {w.shape[:2]} is needed, one of each unit")
    same = communities[:, :, None] == communities[:, None, :]  # (runs, N, N)
    return cut(networks, same & ~np.eye(w.shape[-1], dtype=bool) if what == "within communities" else ~same)


# Decoding


def unit_groups(w: np.ndarray, seed: int, communities: np.ndarray | None = None) -> dict[str, list[np.ndarray]]:
    """List the groups of units from which the cue is decoded.

    Parameters
    ----------
    w : ndarray, shape (N, N)
        Recurrent weights.
    seed : int
        Seed of the run, for the groups at random. It also decides between equal self-connections.
    communities : ndarray of int, shape (N,), optional
        Default: :func:`communities_of` the weights.

    Returns
    -------
    dict of str to list of ndarray of int
        By the names in :data:`GROUPS`. The groups of self-connections have :data:`GROUP_SIZE` units, of the largest
        and of the smallest values with their signs; there are :data:`DRAWS` at random, and one per community.
    """
    labels, neurons = communities_of(w) if communities is None else np.asarray(communities), len(w)
    rng = generator(seed, "dynamics", "units")
    size = min(GROUP_SIZE, neurons)
    rising = np.lexsort((rng.random(neurons), np.diag(w)))  # by self-connection, equal ones in random order
    random = [np.sort(rng.choice(neurons, size, replace=False)) for _ in range(DRAWS)]
    alike = [np.flatnonzero(labels == number) for number in np.unique(labels)]
    return dict(
        zip(GROUPS, ([np.arange(neurons)], [rising[::-1][:size]], [rising[:size]], random, alike), strict=True)
    )


def decoding(
    states: np.ndarray, cues: np.ndarray, units: np.ndarray | None = None, folds: int = 5, seed: int = 0
) -> float:
    """Decode the cue from states by linear discriminant analysis with shrinkage (Ledoit & Wolf 2004).

    Parameters
    ----------
    states : ndarray, shape (trials, N)
        At one time.
    cues : ndarray of int, shape (trials,)
    units : ndarray of int, optional
        The units to decode from. Default: all.
    folds : int
        Number of stratified parts; each is decoded by what is learned from the others.
    seed : int
        Decides which trials are in which part.

    Returns
    -------
    float
        Share of right answers, mean over folds; 1 / cues if no state differs from another. NaN if a state is not
        finite.

    Notes
    -----
    Units are standardised first, since states shrink by orders of magnitude while a network forgets.
    ``make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))`` of scikit-learn
    gives the same answers, and takes much longer for many groups; see :mod:`biornn_lite.discriminant`.
    """
    states = np.asarray(states, dtype=float)
    if states.ndim != 2:
        raise InputError(f"states of shape {states.shape}; (trials, units) is needed")
    units = np.arange(states.shape[1]) if units is None else np.asarray(units)
    return decoding_of_groups(states, cues, {"all": [units]}, folds, seed)["all"][0]


def decoding_of_groups(
    states: np.ndarray,
    cues: np.ndarray,
    groups: Mapping[str, Sequence[np.ndarray]],
    folds: int = 5,
    seed: int = 0,
) -> dict[str, list[float]]:
    """Decode the cue from each group of units as :func:`decoding` does, with shared work.

    Parameters
    ----------
    states, cues, folds, seed
        As in :func:`decoding`.
    groups : mapping of str to sequence of ndarray of int
        As from :func:`unit_groups`.

    Returns
    -------
    dict of str to list of float
        Share of right answers from each group.
    """
    states, cues = np.asarray(states, dtype=float), np.asarray(cues)
    if states.ndim != 2 or cues.shape != states.shape[:1]:
        raise InputError(f"states of shape {states.shape} and cues of shape {cues.shape}; each trial needs one cue")
    _, counts = np.unique(cues, return_counts=True)
    if folds < 2 or len(counts) < 2 or counts.min() < folds:
        raise InputError(f"cues occur {counts.tolist()} times; two or more must occur in each of 2 or more folds, "
                         f"and there are {folds}")  # fmt: skip
    finite, varies = np.isfinite(states).all(axis=0), np.zeros(states.shape[1], dtype=bool)
    varies[finite] = np.ptp(states[:, finite], axis=0) > 0
    flat = [units for each in groups.values() for units in each]
    known = [k for k, units in enumerate(flat) if finite[units].all() and varies[units].any()]
    right = np.array([1 / len(counts) if finite[units].all() else np.nan for units in flat])
    right[known] = 0
    place = np.cumsum(varies) - 1  # of each unit among those that vary
    vary, states = [place[units[varies[units]]] for units in (flat[k] for k in known)], states[:, varies]
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(cues)), cues):
        told = predictions(states[train], cues[train], states[test], vary) if known else []
        right[known] += [(each == cues[test]).mean() / folds for each in told]
    found = iter(right.tolist())
    return {name: [next(found) for _ in each] for name, each in groups.items()}


# Selectivity in space


def tuning(states: np.ndarray, cues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure how units are tuned to cues: their mean state for each, in pooled SDs within cues.

    Parameters
    ----------
    states : ndarray, shape (trials, N)
        At one time.
    cues : ndarray of int, shape (trials,)

    Returns
    -------
    tunings : ndarray, shape (units, cues)
        Of the units that fire in some trial and vary within some cue; others have no tuning.
    index : ndarray of int, shape (units,)
        Which units these are.
    """
    states, cues = np.asarray(states, dtype=float), np.asarray(cues)
    means = cue_means(states, cues)  # (cues, N)
    kinds, which = np.unique(cues, return_inverse=True)
    varies = np.any([np.ptp(states[which == k], axis=0) > 0 for k in range(len(kinds))], axis=0)
    index = np.flatnonzero(varies & (states > 0).any(axis=0))
    squares = ((states - means[which]) ** 2)[:, index].sum(axis=0)
    sd = np.sqrt(squares / (len(cues) - len(kinds)))  # (units,)
    return (means[:, index] / sd).T, index


def likeness(tunings: np.ndarray) -> np.ndarray:
    """Minus the distance between the tunings of each pair of units, shape (pairs,) in SciPy's condensed order."""
    return -pdist(np.asarray(tunings, dtype=float)) if len(tunings) > 1 else np.empty(0)


def kept_tuning(before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]) -> float:
    """Correlate the likeness of pairs of units before and after training.

    Parameters
    ----------
    before, after : (tunings, index)
        As from :func:`tuning`. Pairs of units that have a tuning in both are compared.

    Returns
    -------
    float
        NaN for fewer than three such units, or if all pairs are equally alike.
    """
    _, first, second = np.intersect1d(before[1], after[1], return_indices=True)
    if len(first) < 3:
        return float("nan")
    return _correlation(likeness(before[0][first]), likeness(after[0][second]))


def mantel(
    likeness: np.ndarray, positions: np.ndarray, rng: np.random.Generator, permutations: int = 999
) -> tuple[float, float]:
    """Correlate likeness with closeness over pairs of units, and permute the units (Mantel 1967).

    Parameters
    ----------
    likeness : ndarray, shape (pairs,)
        As from :func:`likeness`.
    positions : ndarray, shape (units, 3)
        Of the same units, in µm. Closeness is minus the distance.
    rng : numpy.random.Generator
    permutations : int

    Returns
    -------
    r : float
        Pearson's correlation; NaN for fewer than three units, or if all pairs are equally alike or equally close.
    p : float
        Share of permutations whose correlation is at least as far from 0, the true order among them.
    """
    positions = np.asarray(positions, dtype=float)
    units = len(positions)
    if positions.ndim != 2 or np.shape(likeness) != (units * (units - 1) // 2,):
        raise InputError(
            f"likeness of {np.size(likeness)} pairs and positions of shape {positions.shape}; a value for each pair "
            "of units is needed"
        )
    if units < 3:
        return float("nan"), float("nan")
    close = -pdist(positions)
    r = _correlation(likeness, close)
    if np.isnan(r):
        return r, r
    # A permutation changes neither means nor SDs, so the correlations are sums of products.
    alike, close = (squareform((each - each.mean()) / each.std()) for each in (np.asarray(likeness), close))
    pairs = units * (units - 1)
    orders = (rng.permutation(units) for _ in range(permutations))
    found = [np.vdot(alike[np.ix_(order, order)], close) / pairs for order in orders]
    return r, float((1 + (np.abs(found) >= abs(r) - 1e-12).sum()) / (1 + permutations))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation; NaN without variance."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])
