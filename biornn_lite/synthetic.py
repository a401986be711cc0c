"""A synthetic cortical field of any size, labelled as synthetic, with the statistics of measured fields."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.signal import lfilter
from scipy.spatial.distance import cdist
from scipy.special import expit

from . import activity
from .errors import InputError
from .field import MICRONS_VOXEL_UM, CorticalField
from .released_order import set_order
from .seeds import generator
from .space import lattice_shape


@dataclass(frozen=True)
class ColumnRecipe:
    """Parameters of a synthetic field. The defaults give the statistics of measured fields.

    Activity follows four measured fields, wiring follows 46. ``data/README.md`` shows both comparisons.

    Parameters
    ----------
    sheet : (float, float)
        Extent of the imaging plane along x and z, in µm.
    crowding : (float, float)
        Concentration of somata in the middle of x and z: both parameters of a Beta distribution.
    tilt : (float, float)
        Change of depth (y) along x and along z, in µm per µm.
    thickness : float
        Standard deviation of depth around the tilted plane, in µm.
    seconds, frame : float
        Length of the recording and of one imaging frame, in seconds.
    rate, rate_spread : float
        Median rate of a neuron in events per second, and standard deviation of the log rate over neurons.
    nearby, alike, private : float
        Shares of the variance of a neuron's drive: a part shared by nearby neurons, a part shared by neurons with
        similar tuning, and a slow private part. The rest is independent noise in each frame.
    reach : float
        Distance in µm over which the drive shared by nearby neurons falls to 1/e.
    drive_time, private_time : float
        Autocorrelation time in seconds of the shared drives and of a neuron's private drive.
    density : float
        Mean probability of a connection from one neuron to another.
    fall : float
        Decrease of the log odds of a connection per 100 µm.
    like_to_like : float
        Increase of the log odds per standard deviation of the correlation between two neurons' events.
    out_spread : float
        Standard deviation over neurons of their individual effect on the log odds of outgoing connections.
    """

    sheet: tuple[float, float] = (1000.0, 500.0)
    crowding: tuple[float, float] = (1.5, 2.0)
    tilt: tuple[float, float] = (-0.09, 0.06)
    thickness: float = 8.0
    seconds: float = 6347.0
    frame: float = 0.1587
    rate: float = 0.29
    rate_spread: float = 0.33
    nearby: float = 0.255
    alike: float = 0.15
    private: float = 0.16
    reach: float = 205.0
    drive_time: float = 0.8
    private_time: float = 30.0
    density: float = 0.0041
    fall: float = 1.51
    like_to_like: float = 0.105
    out_spread: float = 0.92


def synthetic_field(
    neurons: int = 96,
    seed: int = 0,
    name: str = "synthetic_column",
    recipe: ColumnRecipe | None = None,
    with_precision: bool = False,
) -> CorticalField:
    """Make a field with somata on a tilted sheet; near and similar neurons are correlated and more often connected.

    Each neuron has a drive that varies in time and is partly shared. Its events are the highest peaks of drive plus
    private noise. They lie on imaging frames, never on two successive frames, and form clusters. The code for
    measured fields computes correlation, spike time tiling coefficient and precision from the events. Connections
    are drawn independently, given distance and correlation. Like a released field, the field has ids of nuclei and
    segments (invented) and a released order of its connectome.

    Parameters
    ----------
    neurons : int
    seed : int
    name : str
    recipe : ColumnRecipe, optional
        Default: the recipe fitted to measured fields.
    with_precision : bool
        Also compute the precision matrix. This takes 5 seconds for 96 neurons and minutes for several hundred.

    Returns
    -------
    CorticalField
        With ``synthetic=True``.

    Raises
    ------
    InputError
        If the sum of the recipe's shares of activity exceeds 1.
    """
    recipe = recipe or ColumnRecipe()
    rng = generator(seed, "synthetic field")
    voxel = np.array(MICRONS_VOXEL_UM)
    x, z = (rng.beta(recipe.crowding, recipe.crowding, (neurons, 2)) * recipe.sheet).T  # µm
    y = 200 + recipe.tilt[0] * x + recipe.tilt[1] * z + recipe.thickness * rng.normal(size=neurons)
    positions = np.round(np.stack([x, y, z], axis=1) / voxel) * voxel  # µm, rounded to voxels
    distance = cdist(positions, positions)  # µm
    tuning = rng.normal(size=(neurons, 4))
    tuning /= np.linalg.norm(tuning, axis=1, keepdims=True)
    likeness = tuning @ tuning.T

    # The covariance of the common drives is a sum of positive semi-definite parts.
    common = recipe.nearby * np.exp(-distance / recipe.reach) + recipe.alike * likeness
    spike_times = _events(common, recipe, rng)

    bare = activity.field_from_events(
        name, positions, np.zeros((neurons, neurons)), spike_times, with_precision,
        lattice=lattice_shape(neurons), synthetic=True,
    )  # fmt: skip
    return replace(bare, connectome=_synapses(distance, bare.correlation, recipe, rng), **_ids(neurons, seed))


def overlapping_parts(field: CorticalField, share: float = 0.7) -> tuple[CorticalField, CorticalField]:
    """Cut a field into two overlapping parts, like two imaging fields; each part has its own released order.

    Parameters
    ----------
    field : CorticalField
        With ``root_ids``.
    share : float
        Share of all neurons in each part, between 0.5 and 1. The left part has the neurons with the smallest x, the
        right part those with the largest x.

    Returns
    -------
    (CorticalField, CorticalField)
        ``left`` and ``right``.

    Raises
    ------
    InputError
        If the field has no root ids, or the parts would not overlap.
    """
    if field.root_ids is None:
        raise InputError(f"{field.name} has no root_ids, from which a released order would follow")
    if not 0.5 < share <= 1:
        raise InputError(f"share is {share}; parts overlap if it lies between 0.5 and 1")
    from_left = np.argsort(field.positions[:, 0], kind="stable")
    count = round(share * field.neurons)
    parts = []
    for name, inside in (("left", from_left[:count]), ("right", from_left[-count:])):
        part = field.select(np.sort(inside))
        parts.append(replace(part, name=name, released_rows=set_order(part.root_ids)))
    return parts[0], parts[1]


def _synapses(
    distance: np.ndarray, correlation: np.ndarray, recipe: ColumnRecipe, rng: np.random.Generator
) -> np.ndarray:
    """Draw synapse counts, shape (N, N), independently for each ordered pair, given distance (µm) and correlation."""
    neurons = len(distance)
    off = ~np.eye(neurons, dtype=bool)
    likeness = (correlation - correlation[off].mean()) / (correlation[off].std() or 1.0)
    log_odds = -recipe.fall * distance / 100 + recipe.like_to_like * likeness
    log_odds += recipe.out_spread * rng.normal(size=(neurons, 1))
    # Find the constant that gives the density.
    constant = brentq(lambda a: expit(a + log_odds[off]).mean() - recipe.density, -60, 60)
    connected = off & (rng.random((neurons, neurons)) < expit(constant + log_odds))
    return connected * rng.choice([1, 2, 3], (neurons, neurons), p=[0.95, 0.04, 0.01])


def _ids(neurons: int, seed: int) -> dict[str, np.ndarray]:
    """Invent ids of nuclei and segments, with as many digits as measured ids, and a released order."""
    rng = generator(seed, "synthetic ids")
    nuclei = np.sort(rng.choice(600_000, neurons, replace=False))
    root_ids = 864_691_135_000_000_000 + rng.choice(1_000_000_000, neurons, replace=False)
    return {"nucleus_ids": nuclei, "root_ids": root_ids, "released_rows": set_order(root_ids)}


def _events(common: np.ndarray, recipe: ColumnRecipe, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw event times, in seconds, of neurons; `common` is the covariance (N, N) of their common drives."""
    neurons, frames = len(common), int(recipe.seconds / recipe.frame)
    noise = 1 - recipe.nearby - recipe.alike - recipe.private
    if noise < 0:
        raise InputError(f"nearby, alike and private add up to {1 - noise:g}; they are shares of 1")
    root = np.linalg.cholesky(common + 1e-9 * np.eye(neurons))
    drive = np.empty((neurons, frames), dtype=np.float32)
    state = None
    for first in range(0, frames, 4096):  # in blocks, to save memory
        steps = root @ rng.normal(size=(neurons, min(4096, frames - first)))
        drive[:, first : first + steps.shape[1]], state = _forgetting(steps, recipe.drive_time / recipe.frame, state)
    counts = recipe.rate * recipe.seconds * rng.lognormal(0.0, recipe.rate_spread, neurons)
    spike_times = []
    for trace, count in zip(drive, counts, strict=True):
        own, _ = _forgetting(rng.normal(size=(1, frames)), recipe.private_time / recipe.frame)
        trace = trace + np.sqrt(recipe.private) * own[0] + np.sqrt(noise) * rng.normal(size=frames)
        peaks = 1 + np.flatnonzero((trace[1:-1] > trace[:-2]) & (trace[1:-1] > trace[2:]))
        highest = np.sort(peaks[np.argsort(trace[peaks])[max(0, len(peaks) - int(count)) :]])
        spike_times.append((highest + 1) * recipe.frame)
    return spike_times


def _forgetting(steps: np.ndarray, time: float, state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Filter white noise (neurons, frames) to autocorrelation time `time` (frames) with unchanged variance."""
    keep = np.exp(-1 / time)
    state = keep * steps[:, :1] if state is None else state
    return lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], steps, axis=1, zi=state)
