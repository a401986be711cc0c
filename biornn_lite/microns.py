"""Fields from the public MICrONS archives: positions and synapses from CAVE, activity from DANDI 000402.

This needs ``pip install "biornn_lite[source]"`` and a token for CAVE (``CAVEclient.auth``). The code was tested with
files and a client of the same layout. It was never tested with the archives, because they could not be reached.

Neurons are identified by their **nucleus** id. A segment's id (``pt_root_id``) changes with every proofreading, and
the NWB files store it as a 64-bit float, which keeps 16 of its 18 digits. It is therefore never used to join tables.
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
"""Default version of CAVE's tables. The server keeps each version only for a limited time."""

COREGISTRATION = "coregistration_manual_v4"
NUCLEI = "nucleus_detection_v0"

DANDI = "https://api.dandiarchive.org/api"
DANDISET, DANDISET_VERSION = "000402", "0.230307.2132"

MOST_ROWS = 50_000
"""Synapse queries with more rows are split in half and repeated: the server truncates long answers silently."""


def connect(version: int = MATERIALIZATION) -> CAVEclient:
    """Return a CAVE client for the public MICrONS data, pinned to a version of its tables."""
    try:
        from caveclient import CAVEclient
    except ImportError:
        raise InputError('reading CAVE needs more packages: pip install "biornn_lite[source]"') from None
    try:
        return CAVEclient(DATASTACK, version=version)
    except Exception as error:
        # Only a client without a version can list the available versions.
        offered = _offered(lambda: CAVEclient(DATASTACK)) if isinstance(error, ValueError) else []
        raise FieldError(_unanswered(error, version, offered)) from error


def _ask(client: CAVEclient, query: str, *table: str, version: int, **arguments: object) -> pd.DataFrame:
    """Query CAVE. Failures (network, token, removed table or version) raise an error of one line."""
    try:
        return getattr(client.materialize, query)(*table, materialization_version=version, **arguments)
    except Exception as error:
        raise FieldError(_unanswered(error, version, _offered(lambda: client))) from error


def _offered(client: Callable[[], CAVEclient]) -> list[int]:
    """List the versions that a client offers, in increasing order; empty if the list is not available."""
    try:
        return sorted(int(version) for version in client().materialize.get_versions())
    except Exception:
        return []  # the earlier error is reported instead


def _unanswered(error: Exception, version: int, offered: list[int]) -> str:
    """Explain why CAVE does not answer. If the version may be the reason, explain how to choose another."""
    says = f"{type(error).__name__}, {first_line(error)}"
    gone = offered and version not in offered
    if not gone and not re.search(r"version(?!s?/)|expired", says, re.IGNORECASE):  # addresses contain "version/1300"
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
    """List the neurons of an imaging field that were matched to the electron-microscopic volume.

    If a nucleus has several matched units, or a unit several nuclei, only the match with the smallest residual is
    kept. Nuclei without a unique segment are left out.

    Parameters
    ----------
    client : CAVEclient
    session, scan, field : int
    version : int
        Version of CAVE's tables.

    Returns
    -------
    DataFrame
        Index ``nucleus_id``, increasing. Columns ``unit_id`` and ``root_id`` (int64), and ``x, y, z`` of the nucleus
        in µm. ``attrs["left_out"]`` counts the omitted matches.
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
            desired_resolution=[1000 * edge for edge in MICRONS_VOXEL_UM],  # in nm; positions are returned in voxels
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

    Queries use chunks of presynaptic neurons. Each answer is saved in a file, so an interrupted count can be resumed.

    Parameters
    ----------
    client : CAVEclient
    root_ids : ndarray of int64, shape (N,)
        Unique segment ids at `version`.
    folder : path, optional
        Folder for saved answers. Default: in the cache folder.
    chunk : int
        Presynaptic neurons per query.
    progress : bool
        Show a progress bar.
    version : int
        Version of CAVE's tables.

    Returns
    -------
    ndarray of int, shape (N, N)
        From row to column; synapses of a neuron onto itself are not counted.

    Raises
    ------
    InputError
        If an id is not an integer or occurs twice.
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
    """Query the synapses from some neurons to others: one row per synapse, with both ids."""
    table = _ask(client, "synapse_query", pre_ids=pre, post_ids=post, remove_autapses=True, version=version)
    if len(table) > MOST_ROWS and len(pre) > 1:
        half = len(pre) // 2
        return pd.concat([_synapses(client, part, post, version) for part in (pre[:half], pre[half:])])
    ends = table[["pre_pt_root_id", "post_pt_root_id"]]
    if len(ends):  # without rows, the types are unknown
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
    """Open an NWB file for reading, from a path or, without a complete download, from an address."""
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
        # Damaged HDF5 and NWB files raise many kinds of errors; all mean that the file cannot be read.
        raise FieldError(f"{source}: cannot be read as NWB ({first_line(error)})") from None


def read_fluorescence(
    source: str | Path, field: int, neurons: pd.DataFrame, tolerance: float = 2.0, progress: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the fluorescence of a field's neurons from an NWB file of dandiset 000402.

    A neuron's region of interest is found by nucleus id or, in files without nucleus ids, by the soma's position in
    the volume. Only the columns of these neurons are kept; a few are read at a time.

    Parameters
    ----------
    source : path or address
        An NWB file; see :func:`find_nwb`.
    field : int
        Number of the field; the series ``RoiResponseSeries{field}`` is read.
    neurons : DataFrame
        As returned by :func:`coregistered_neurons`.
    tolerance : float
        Maximum distance in µm between the two recorded positions of a soma.
    progress : bool
        Show a progress bar.

    Returns
    -------
    nucleus_ids : ndarray of int64, shape (N,)
        The neurons found, in the order of `neurons`.
    traces : ndarray, shape (N, T)
        Fluorescence (not events) in the file's unit.
    times : ndarray, shape (T,)
        Times in seconds as in the file. They may be unevenly spaced or NaN.

    Raises
    ------
    FieldError
        If the file cannot be read, lacks the field, or has an invalid rate.
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
        width = (series.data.chunks or (0, 64))[1]  # number of columns that the file stores together
        for first in tqdm(
            np.unique(columns // width) * width, desc="fluorescence", unit="part", disable=not progress
        ):
            block = series.data[:, first : first + width]
            here = np.flatnonzero(columns // width == first // width)
            traces[here] = block[:, columns[here] - first].T
    return nucleus_ids, traces, times


def _frame_times(series: RoiResponseSeries, where: str) -> np.ndarray:
    """Return the time of each frame in seconds, from the timestamps of a series or, without them, from its rate."""
    if series.timestamps is not None:
        return np.asarray(series.timestamps[:], dtype=np.float64)
    if not (0 < series.rate < np.inf and np.isfinite(series.starting_time)):
        raise FieldError(
            f"{where} has an imaging rate of {series.rate:g} Hz from {series.starting_time:g} s on, which gives its "
            "frames no times; correct starting_time and its attribute rate in a copy of the file, and give it as nwb"
        )
    return series.starting_time + np.arange(series.data.shape[0]) / series.rate


def _regions(rois: pd.DataFrame, neurons: pd.DataFrame, tolerance: float, where: str) -> dict[int, int]:
    """Return each neuron's region of interest, as a mapping from nucleus id to row of `rois`."""
    if "nucleus_id" in rois:
        # Stored as a float, which is exact for six digits.
        known = rois[["nucleus_id", "id"]].dropna().astype(np.int64)
        # Such files number regions by unit. If a nucleus has two regions, that of the matched unit is kept.
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
    """Resample traces to evenly spaced times, or raise an error that names the frame that prevents this.

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
        Traces with unfilled gaps still contain NaN or infinite values.
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
    """Return the typical step between times, and which steps differ from it by more than a tenth."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    return usual, np.flatnonzero(np.abs(steps - usual) > 0.1 * usual)


def _check_clock(times: np.ndarray, timed: np.ndarray, where: str, interpolate: bool, longest_gap: float) -> None:
    """Raise an error for repeated, decreasing, missing or uneven times; `interpolate` allows short gaps."""
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
    """Describe the neurons without a usable trace: it holds NaN or infinite values, or is constant."""

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
    """Make a field from the public MICrONS archives.

    A neuron is left out if its trace is constant or contains NaN or infinite values. A
    :class:`biornn_lite.errors.FieldWarning` names such neurons.

    Parameters
    ----------
    session, scan, field : int
        Numbers in the field's name: 6, 6, 2 for 6_6_2.
    client : CAVEclient, optional
        Default: a client from :func:`connect`.
    nwb : path or address, optional
        The scan's NWB file. Default: streamed from DANDI, which downloads only the necessary columns.
    folder : path, optional
        Folder for saved answers of CAVE; see :func:`synapse_counts`.
    decay, threshold : float
        See :func:`biornn_lite.deconvolution.events_from_fluorescence`.
    progress : bool
        Show progress bars.
    version : int
        Version of CAVE's tables. CAVE removes old versions; ``client.materialize.get_versions()`` lists the current
        ones.
    interpolate : bool
        Interpolate traces linearly to evenly spaced times. This fills values or frame times that are NaN or infinite,
        and missing or unevenly spaced frames. A gap at either end of the recording takes the nearest value. Filled
        frames have no noise or events of their own, so only a few frames should be filled. Repeated or decreasing
        timestamps remain errors, because it is unknown which of them are right.
    longest_gap : float
        Longest gap between two measured values to interpolate, in seconds. A neuron with a longer gap is left out. A
        longer gap in the frame times is an error. The default is short relative to the 60 s of a baseline window.

    Returns
    -------
    CorticalField
        Named ``session_scan_field_source``, because it differs from the released field: its events are inferred here,
        and its synapses come from a later segmentation.

    Raises
    ------
    InputError
        If `version` or `longest_gap` is not a positive number.
    FieldError
        If the archives lack the field or the version, their data are inconsistent, frame times are uneven, or fewer
        than 2 neurons remain.
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
