"""A field from the public archives of MICrONS: positions and synapses from CAVE, activity from DANDI 000402.

Needs ``pip install "biornn_lite[source]"`` and, for CAVE, a token (``CAVEclient.auth``). The archives could not be
reached where this was written: reading was tested on files and a client of the same layout, never on the archives.

Neurons are told by the id of their **nucleus**. A segment's id (``pt_root_id``) changes whenever its segmentation is
proofread, and the NWB files store it as a 64-bit float, which keeps 16 of its 18 digits: nothing is joined on it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from tqdm.auto import tqdm

from .activity import field_from_events
from .datasets import cache_folder
from .deconvolution import events_from_fluorescence
from .errors import FieldError, FieldWarning, InputError
from .field import MICRONS_VOXEL_UM, CorticalField
from .plumbing.arrays import first_line
from .plumbing.files import written_atomically

if TYPE_CHECKING:
    from caveclient import CAVEclient
    from pynwb.ophys import RoiResponseSeries

DATASTACK = "minnie65_public"
MATERIALIZATION = 1300
"""The version of CAVE's tables that is read unless another is asked for; the server keeps each for some time only."""

COREGISTRATION = "coregistration_manual_v4"
NUCLEI = "nucleus_detection_v0"

DANDI = "https://api.dandiarchive.org/api"
DANDISET, DANDISET_VERSION = "000402", "0.230307.2132"

MOST_ROWS = 50_000
"""A query for synapses that gives more rows is halved and asked again: the server cuts long answers off silently."""


def connect(version: int = MATERIALIZATION) -> CAVEclient:
    """Return a client of CAVE for the public MICrONS data, pinned to a version of its tables."""
    try:
        from caveclient import CAVEclient
    except ImportError:
        raise InputError('reading CAVE needs more packages: pip install "biornn_lite[source]"') from None
    try:
        return CAVEclient(DATASTACK, version=version)
    except Exception as error:
        # Only a client without a version can then tell which versions there are.
        offered = _offered(lambda: CAVEclient(DATASTACK)) if isinstance(error, ValueError) else []
        raise FieldError(_unanswered(error, version, offered)) from error


def _ask(client: CAVEclient, query: str, *table: str, version: int, **arguments: object) -> pd.DataFrame:
    """Ask CAVE, and say in one line what stands in the way: the network, a token, a table or version that is gone."""
    try:
        return getattr(client.materialize, query)(*table, materialization_version=version, **arguments)
    except Exception as error:
        raise FieldError(_unanswered(error, version, _offered(lambda: client))) from error


def _offered(client: Callable[[], CAVEclient]) -> list[int]:
    """List the versions that a client offers, increasing; none if it cannot tell."""
    try:
        return sorted(int(version) for version in client().materialize.get_versions())
    except Exception:
        return []  # what went wrong before is what is reported


def _unanswered(error: Exception, version: int, offered: list[int]) -> str:
    """Say why CAVE does not answer and, where the version may be the reason, how to ask for another."""
    says = f"{type(error).__name__}, {first_line(error)}"
    gone = offered and version not in offered
    if not gone and not re.search(r"version(?!s?/)|expired", says, re.IGNORECASE):  # addresses hold "version/1300"
        return f"CAVE does not answer: {says}"
    others = [other for other in offered if other != version]
    offers = f"it offers {', '.join(map(str, others))}" if others else "it does not tell which it offers"
    remedy = f"{offers}; pass another, as in field_from_source(..., version={others[-1] if others else 'N'})"
    if gone:
        return f"CAVE does not offer version {version} of its tables ({says}); {remedy}"
    return f"CAVE does not answer for version {version} of its tables, which may have expired: {says}; {remedy}"


def coregistered_neurons(
    client: CAVEclient, session: int, scan: int, field: int, version: int = MATERIALIZATION
) -> pd.DataFrame:
    """List the neurons of an imaging field that were found again in the electron-microscopic volume.

    Where one nucleus was matched to several units, or one unit to several nuclei, the match with the smallest
    residual stays. Nuclei without a segment of their own are left out.

    Parameters
    ----------
    client : CAVEclient
    session, scan, field : int
    version : int
        Of CAVE's tables.

    Returns
    -------
    DataFrame
        Index ``nucleus_id``, increasing; columns ``unit_id`` and ``root_id`` (int64) and ``x, y, z`` of the nucleus
        in µm. ``attrs["left_out"]`` counts the matches left out.
    """
    matches = _ask(
        client,
        "query_table",
        COREGISTRATION,
        filter_equal_dict={"session": session, "scan_idx": scan, "field": field},
        merge_reference=False,
        version=version,
    )
    if matches.empty:
        raise FieldError(f"{COREGISTRATION} has no neuron in session {session}, scan {scan}, field {field}")
    _check_ids(matches, "target_id", "unit_id")
    best = matches.sort_values("residual").drop_duplicates("target_id").drop_duplicates("unit_id")
    wanted = sorted(int(nucleus) for nucleus in best["target_id"])
    parts = [
        _ask(
            client,
            "query_table",
            NUCLEI,
            filter_in_dict={"id": wanted[first : first + 500]},
            split_positions=True,
            desired_resolution=[1000 * edge for edge in MICRONS_VOXEL_UM],  # nm: positions come in voxels
            version=version,
        )
        for first in range(0, len(wanted), 500)
    ]
    nuclei = pd.concat(parts, ignore_index=True)
    _check_ids(nuclei, "id", "pt_root_id")
    table = best.merge(nuclei, left_on="target_id", right_on="id", suffixes=("_match", ""))
    table = table[table["pt_root_id"] > 0].drop_duplicates("pt_root_id", keep=False).sort_values("target_id")
    voxels = table[["pt_position_x", "pt_position_y", "pt_position_z"]].to_numpy(dtype=np.float64)
    neurons = pd.DataFrame(
        {"unit_id": table["unit_id"].to_numpy(np.int64), "root_id": table["pt_root_id"].to_numpy(np.int64)},
        index=pd.Index(table["target_id"].to_numpy(np.int64), name="nucleus_id"),
    )
    neurons[["x", "y", "z"]] = voxels * np.array(MICRONS_VOXEL_UM)
    neurons.attrs["left_out"] = len(matches) - len(neurons)
    return neurons


def _check_ids(table: pd.DataFrame, *keys: str) -> None:
    for key in keys:
        if table[key].dtype.kind not in "iu":
            raise FieldError(f"CAVE gave {key} as {table[key].dtype}, which loses digits of ids; expected integers")


def synapse_counts(
    client: CAVEclient,
    root_ids: np.ndarray,
    folder: str | Path | None = None,
    chunk: int = 50,
    progress: bool = True,
    version: int = MATERIALIZATION,
) -> np.ndarray:
    """Count the synapses among some neurons.

    Asked in chunks of presynaptic neurons. Each answer is kept in a file, so that a count which was interrupted goes
    on where it stopped.

    Parameters
    ----------
    client : CAVEclient
    root_ids : ndarray of int64, shape (N,)
        Segments at `version`, each once.
    folder : path, optional
        Where answers are kept; within the cache folder when left out.
    chunk : int
        Presynaptic neurons per query.
    progress : bool
        Show a bar.
    version : int
        Of CAVE's tables.

    Returns
    -------
    ndarray of int, shape (N, N)
        From row to column; no synapses of a neuron onto itself.

    Raises
    ------
    InputError
        If an id is not an integer, or there twice.
    """
    root_ids = np.asarray(root_ids)
    if root_ids.dtype.kind not in "iu" or len(np.unique(root_ids)) < len(root_ids):
        raise InputError(f"root_ids are {root_ids.dtype}, or name a segment twice; expected integers, each once")
    root_ids = root_ids.astype(np.int64)
    key = hashlib.sha256(root_ids.tobytes()).hexdigest()[:12]
    home = Path(folder) if folder else cache_folder() / "cave"
    home = home / f"synapses_{version}_{key}"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{home}: cannot be made ({first_line(error)}); give another folder") from None
    counts = np.zeros((len(root_ids), len(root_ids)), dtype=int)
    place = pd.Series(np.arange(len(root_ids)), index=root_ids)
    with tqdm(total=len(root_ids), desc="synapses", unit="neuron", disable=not progress) as bar:
        for first in range(0, len(root_ids), chunk):
            part = root_ids[first : first + chunk]
            path = home / f"{first}_{first + len(part)}.csv"
            if not path.exists():
                ends = _synapses(client, part, root_ids, version)
                with written_atomically(path) as temporary:
                    ends.to_csv(temporary, index=False)
            ends = pd.read_csv(path, dtype=np.int64)
            pre, post = (place[ends[f"{end}_pt_root_id"]].to_numpy() for end in ("pre", "post"))
            np.add.at(counts, (pre, post), 1)
            bar.update(len(part))
    return counts


def _synapses(client: CAVEclient, pre: np.ndarray, post: np.ndarray, version: int) -> pd.DataFrame:
    """Ask for the synapses from some neurons to some others: one row each, with the ids of both."""
    table = _ask(client, "synapse_query", pre_ids=pre, post_ids=post, remove_autapses=True, version=version)
    if len(table) > MOST_ROWS and len(pre) > 1:
        half = len(pre) // 2
        return pd.concat([_synapses(client, part, post, version) for part in (pre[:half], pre[half:])])
    ends = table[["pre_pt_root_id", "post_pt_root_id"]]
    if len(ends):  # nothing tells types where there are no rows
        _check_ids(ends, *ends)
    return ends


def find_nwb(session: int, scan: int, api: str = DANDI) -> str:
    """Return the address of a scan's NWB file in the archive."""
    name = f"ses-{session}-scan-{scan}_"
    query = f"{api}/dandisets/{DANDISET}/versions/{DANDISET_VERSION}/assets/?{urlencode({'glob': f'*{name}*.nwb'})}"
    try:
        with urlopen(query, timeout=30) as answer:
            found = [asset["asset_id"] for asset in json.load(answer)["results"] if name in asset["path"]]
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise FieldError(f"{query}: no list of files ({first_line(error)}); give a downloaded NWB file") from None
    if len(found) != 1:
        raise FieldError(f"dandiset {DANDISET} has {len(found)} files of session {session}, scan {scan}, not one")
    return f"{api}/assets/{found[0]}/download/"


@contextmanager
def _open_nwb(source: str | Path) -> Iterator:
    """Open an NWB file for reading, from a path or, without downloading it whole, from an address."""
    try:
        import h5py
        import remfile
        from pynwb import NWBHDF5IO
    except ImportError:
        raise InputError('reading NWB needs more packages: pip install "biornn_lite[source]"') from None
    try:
        remote = str(source).startswith(("http://", "https://"))
        with (
            h5py.File(remfile.File(str(source)) if remote else source, "r") as file,
            NWBHDF5IO(file=file, mode="r", load_namespaces=True) as reader,
        ):
            yield reader.read()
    except FieldError:
        raise
    except Exception as error:
        # Damaged HDF5 and damaged NWB raise errors of many kinds; all mean that the file cannot be read.
        raise FieldError(f"{source}: cannot be read as NWB ({first_line(error)})") from None


def read_fluorescence(
    source: str | Path, field: int, neurons: pd.DataFrame, tolerance: float = 2.0, progress: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the fluorescence of the neurons of a field from an NWB file of dandiset 000402.

    A neuron's region of interest is the one that bears its nucleus id or, in files that have none, the soma's
    position in the volume. Only the columns of these neurons are kept, read a few at a time.

    Parameters
    ----------
    source : path or address
        An NWB file, see :func:`find_nwb`.
    field : int
        Its series ``RoiResponseSeries{field}`` is read.
    neurons : DataFrame
        As :func:`coregistered_neurons` gives it.
    tolerance : float
        How far apart, in µm, the two records of one soma's position may be.
    progress : bool
        Show a bar.

    Returns
    -------
    nucleus_ids : ndarray of int64, shape (N,)
        The neurons found, in the order of `neurons`.
    traces : ndarray, shape (N, T)
        Fluorescence, not events, in the file's unit.
    times : ndarray, shape (T,)
        Seconds, as the file has them: they need be neither evenly spaced nor known.

    Raises
    ------
    FieldError
        If the file cannot be read, lacks the field, or has a rate that gives no times.
    """
    with _open_nwb(source) as nwb:
        try:
            series = nwb.processing["ophys"]["Fluorescence"].roi_response_series[f"RoiResponseSeries{field}"]
        except KeyError as error:
            raise FieldError(f"{source}: has no fluorescence of field {field} (it lacks {error})") from None
        rois = series.rois.table.to_dataframe(exclude={"image_mask"}).iloc[series.rois.data[:]].reset_index()
        column_of = _regions(rois, neurons, tolerance, f"{source}: PlaneSegmentation{field}")
        nucleus_ids = np.array([nucleus for nucleus in neurons.index if nucleus in column_of], dtype=np.int64)
        columns = np.array([column_of[nucleus] for nucleus in nucleus_ids])
        times = _frame_times(series, f"{source}: RoiResponseSeries{field}")
        traces = np.empty((len(columns), series.data.shape[0]))
        width = (series.data.chunks or (0, 64))[1]  # stored together, so read together
        for first in tqdm(
            np.unique(columns // width) * width, desc="fluorescence", unit="part", disable=not progress
        ):
            block = series.data[:, first : first + width]
            here = np.flatnonzero(columns // width == first // width)
            traces[here] = block[:, columns[here] - first].T
    return nucleus_ids, traces, times


def _frame_times(series: RoiResponseSeries, where: str) -> np.ndarray:
    """Return the time of each frame in seconds, from a series' timestamps or else from its rate."""
    if series.timestamps is not None:
        return np.asarray(series.timestamps[:], dtype=np.float64)
    if not (0 < series.rate < np.inf and np.isfinite(series.starting_time)):
        raise FieldError(
            f"{where} has an imaging rate of {series.rate:g} Hz from {series.starting_time:g} s on, which gives its "
            "frames no times; correct starting_time and its attribute rate in a copy of the file, and give it as nwb"
        )
    return series.starting_time + np.arange(series.data.shape[0]) / series.rate


def _regions(rois: pd.DataFrame, neurons: pd.DataFrame, tolerance: float, where: str) -> dict[int, int]:
    """Find each neuron's region of interest: nucleus id to row of `rois`."""
    if "nucleus_id" in rois:
        # Stored as a float, which is exact for numbers of six digits.
        known = rois[["nucleus_id", "id"]].dropna().astype(np.int64)
        # Such files number regions by unit: of two regions of one nucleus, that of the matched unit stays.
        known["matched"] = known["id"] == known["nucleus_id"].map(neurons["unit_id"])
        known = known.sort_values("matched", ascending=False, kind="stable").drop_duplicates("nucleus_id")
        return {int(nucleus): int(row) for row, nucleus in known["nucleus_id"].items() if nucleus in neurons.index}
    axes = ["pt_x_position", "pt_y_position", "pt_z_position"]
    if not set(axes) <= set(rois):
        raise FieldError(f"{where} has neither nucleus ids nor positions in the volume to find neurons by")
    somata = (rois[axes] * np.array(MICRONS_VOXEL_UM)).dropna()
    if somata.empty:
        return {}
    distance, nearest = cKDTree(somata.to_numpy()).query(neurons[["x", "y", "z"]].to_numpy())
    order = np.argsort(distance, kind="stable")
    taken: dict[int, int] = {}
    for neuron in order[distance[order] <= tolerance]:
        row = int(somata.index[nearest[neuron]])
        if row not in taken.values():
            taken[int(neurons.index[neuron])] = row
    return taken


def _on_even_clock(
    traces: np.ndarray, times: np.ndarray, where: str, interpolate: bool, longest_gap: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put traces on an evenly spaced clock, or say which frame keeps them from it.

    Parameters
    ----------
    traces : ndarray, shape (N, T)
        Fluorescence in any unit.
    times : ndarray, shape (T,)
        Seconds.
    where : str
        The file and series, for messages.
    interpolate, longest_gap
        See :func:`field_from_source`.

    Returns
    -------
    traces : ndarray, shape (N, T')
        Those of which a gap was not filled hold values that are not finite.
    times : ndarray, shape (T',)
        Seconds.
    """
    timed = np.flatnonzero(np.isfinite(times))
    if len(times) != traces.shape[1] or len(timed) < 3:
        raise FieldError(
            f"{where} has {len(timed)} finite timestamps for {traces.shape[1]} frames; expected one for each, of at "
            "least 3 frames: give another file as nwb"
        )
    _check_clock(times, timed, where, interpolate, longest_gap)
    if not interpolate:
        return traces, times
    traces, times = traces[:, timed], times[timed]
    usual, uneven = _spacing(times)
    frames = 1 + int(np.rint(np.diff(times) / usual).sum())
    even = np.linspace(times[0], times[-1], frames) if len(uneven) else times
    filled = np.full((len(traces), len(even)), np.nan)
    for row, trace in zip(filled, traces, strict=True):
        known = np.isfinite(trace)
        gap = np.diff(times[known], prepend=times[0], append=times[-1]).max()
        if known.all() or (known.any() and gap <= longest_gap):
            row[:] = np.interp(even, times[known], trace[known])
    return filled, even


def _spacing(times: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the usual step between times and which steps are off it by more than a tenth."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    return usual, np.flatnonzero(np.abs(steps - usual) > 0.1 * usual)


def _check_clock(times: np.ndarray, timed: np.ndarray, where: str, interpolate: bool, longest_gap: float) -> None:
    """Refuse times that decrease or repeat; and missing or uneven ones, or with `interpolate` only long gaps."""
    steps = np.diff(times[timed])

    def ends(step: int) -> tuple[str, str]:
        return tuple(f"frame {frame} (at {times[frame]:.10g} s)" for frame in timed[step : step + 2])

    back = np.flatnonzero(steps <= 0)
    if len(back):
        before, after = ends(back[0])
        raise FieldError(
            f"{where} has {'decreasing' if steps[back[0]] else 'repeated'} timestamps: {after} follows {before}; "
            "correct them in a copy of the file and give that as nwb (which of them is right cannot be told here)"
        )
    remedy = f"interpolate=True fills gaps of at most {longest_gap:g} s"
    if len(timed) < len(times) and not interpolate:
        first = np.flatnonzero(~np.isfinite(times))[0]
        near, _ = ends(min(max(np.searchsorted(timed, first) - 1, 0), len(steps) - 1))
        raise FieldError(
            f"{where} has missing timestamps (NaN or infinite), {len(times) - len(timed)} of {len(times)}, the first "
            f"that of frame {first}, near {near}; {remedy}"
        )
    usual, uneven = _spacing(times[timed])
    if len(uneven) and not interpolate:
        before, after = ends(uneven[0])
        raise FieldError(
            f"{where} has unevenly spaced timestamps: {steps[uneven[0]]:.4g} s from {before} to {after}, where "
            f"{usual:.4g} s is usual, and {len(uneven)} such steps in all; {remedy}"
        )
    long = uneven[steps[uneven] > longest_gap]
    if len(long):
        before, after = ends(long[0])
        raise FieldError(
            f"{where} has a gap of {steps[long[0]]:.4g} s from {before} to {after}, longer than "
            f"longest_gap={longest_gap:g} s; pass a larger longest_gap, or a file that is cut there"
        )


def _faults(
    measured: np.ndarray, broken: np.ndarray, constant: np.ndarray, nucleus_ids: np.ndarray, remedy: str
) -> str:
    """Say which neurons have no usable trace: the measured one holds NaN or infinite values, or is constant."""

    def names(chosen: np.ndarray) -> str:
        ids = nucleus_ids[chosen]
        return f"nuclei {', '.join(map(str, ids[:5]))}{' and more' if len(ids) > 5 else ''}"

    says = ""
    if broken.any():
        frames = np.flatnonzero(~np.isfinite(measured[broken]).all(axis=0))
        says += (
            f"; {broken.sum()} of them hold NaN or infinite values ({names(broken)}), in {len(frames)} of "
            f"{measured.shape[1]} frames, the first frame {frames[0]}: {remedy}"
        )
    if constant.any():
        says += f"; {constant.sum()} of them are constant ({names(constant)})"
    return says


def field_from_source(
    session: int,
    scan: int,
    field: int,
    client: CAVEclient | None = None,
    nwb: str | Path | None = None,
    folder: str | Path | None = None,
    decay: float = 1.0,
    threshold: float = 2.0,
    progress: bool = True,
    version: int = MATERIALIZATION,
    interpolate: bool = False,
    longest_gap: float = 2.0,
) -> CorticalField:
    """Make a field from the public archives.

    A neuron whose trace is constant, or holds NaN or infinite values, is left out with a
    :class:`biornn_lite.errors.FieldWarning` that names it.

    Parameters
    ----------
    session, scan, field : int
        As in the field's name: 6, 6, 2 for 6_6_2.
    client : CAVEclient, optional
        :func:`connect` makes one when left out.
    nwb : path or address, optional
        The scan's NWB file; streamed from DANDI when left out, which downloads the columns needed.
    folder : path, optional
        Where answers of CAVE are kept, see :func:`synapse_counts`.
    decay, threshold : float
        See :func:`biornn_lite.deconvolution.events_from_fluorescence`.
    progress : bool
        Show bars.
    version : int
        Of CAVE's tables. CAVE removes old versions; ``client.materialize.get_versions()`` lists those it offers.
    interpolate : bool
        Interpolate traces linearly where a neuron's values or a frame's time is NaN or infinite, and where frames are
        missing or unevenly spaced, then onto an even clock. A gap at either end of the recording takes the nearest
        value. Filled frames hold no noise and no events of their own, so fill few. Timestamps that repeat or decrease
        stay errors: which of them are right cannot be told.
    longest_gap : float
        How long, in seconds, a gap between two measured values may be to be interpolated. A longer gap of a neuron
        leaves it out, and one of the clock is an error. The default is short against the 60 s of a baseline.

    Returns
    -------
    CorticalField
        Named ``session_scan_field_source``: its events are inferred here and differ from the released ones, and its
        synapses are those of a later segmentation.

    Raises
    ------
    InputError
        If `version` or `longest_gap` is not a number above 0.
    FieldError
        If the archives lack the field or the version, what they give does not fit together, frames have no even
        clock, or fewer than 2 neurons are left.
    """
    if isinstance(version, bool) or not isinstance(version, (int, np.integer)) or version < 1:
        raise InputError(
            f"version is {first_line(repr(version))}; expected an integer above 0, such as {MATERIALIZATION}"
        )
    if not longest_gap > 0:
        raise InputError(f"longest_gap is {longest_gap:g} s; expected more than 0")
    client = client or connect(int(version))
    neurons = coregistered_neurons(client, session, scan, field, int(version))
    nwb = nwb or find_nwb(session, scan)
    nucleus_ids, measured, times = read_fluorescence(nwb, field, neurons, progress=progress)
    where = f"{nwb}: RoiResponseSeries{field}"
    traces, times = _on_even_clock(measured, times, where, interpolate, longest_gap)
    broken = ~np.isfinite(traces).all(axis=1)
    constant = (traces == traces[:, :1]).all(axis=1) & ~broken
    remedy = f"{'a larger longest_gap' if interpolate else 'interpolate=True'} fills gaps of "
    remedy += f"{'more than' if interpolate else 'at most'} {longest_gap:g} s"
    faults = _faults(measured, broken, constant, nucleus_ids, remedy)
    tally = f"{where}: {len(nucleus_ids)} of {len(neurons)} coregistered neurons have a trace{faults}"
    alive = ~(broken | constant)
    nucleus_ids, traces = nucleus_ids[alive], traces[alive]
    if len(nucleus_ids) < 2:
        raise FieldError(f"{tally}; 2 are needed, {len(nucleus_ids)} can be used")
    if faults:
        warnings.warn(f"{tally}; {len(nucleus_ids)} are used", FieldWarning, stacklevel=2)
    if progress:
        print(
            f"{len(nucleus_ids)} of {len(neurons)} coregistered neurons are used; "
            f"{neurons.attrs['left_out']} doubtful matches were left out before",
            file=sys.stderr,
        )
    neurons = neurons.loc[nucleus_ids]
    times = times - times[0]  # the recording begins at 0
    return field_from_events(
        f"{session}_{scan}_{field}_source",
        neurons[["x", "y", "z"]].to_numpy(),
        synapse_counts(client, neurons["root_id"].to_numpy(), folder, progress=progress, version=int(version)),
        events_from_fluorescence(traces, times, decay, threshold, progress),
        nucleus_ids=nucleus_ids,
        unit_ids=neurons["unit_id"].to_numpy(),
        root_ids=neurons["root_id"].to_numpy(),
    )
