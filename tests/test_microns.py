"""Fields from the archives, against stand-ins of the same layout: tables in memory, NWB files, a local web server."""

import functools
import inspect
import json
import re
import sys
import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from biornn_lite import activity, microns
from biornn_lite.deconvolution import fluorescence_from_events
from biornn_lite.errors import FieldError, FieldWarning, InputError
from biornn_lite.field import CorticalField
from biornn_lite.microns import coregistered_neurons, field_from_source, find_nwb, read_fluorescence, synapse_counts

caveclient, h5py, pynwb, _ = map(pytest.importorskip, ("caveclient", "h5py", "pynwb", "remfile"))
MaterializationClient = caveclient.materializationengine.MaterializationClient

N, FRAME, VOXEL = 12, 0.1587, np.array([0.004, 0.004, 0.040])
POSITION = ["pt_position_x", "pt_position_y", "pt_position_z"]
ROOTS = 864691135464074909 + 3 * np.arange(N)  # as floats, they are no longer twelve
assert len(set(ROOTS.astype(float))) < N


# CAVE


def called_as(real):
    """Give a method the call signature of the real client's; what it does not deal with must be left alone."""
    signature = inspect.signature(real)

    def decorate(method):
        known = inspect.signature(method).parameters

        @functools.wraps(real)
        def call(self, *args, **kwargs):
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            for name, value in bound.arguments.items():
                assert name in known or value is signature.parameters[name].default, f"{name} is not dealt with"
            given = {name: bound.arguments[name] for name in known if name != "self"}
            assert given["materialization_version"] == self.version
            json.dumps(given, cls=caveclient.base.BaseEncoder)  # as it is sent
            self.asked.append(given)
            return method(self, **given)

        return call

    return decorate


class Tables:
    """Answers like ``client.materialize``: rows in no order, and silently no more than `most` of them."""

    version = 1300
    offers, refusal = None, ConnectionError("the line is dead")

    def __init__(self, matches=(), nuclei=(), synapses=(), most=500_000, fails_at=None):
        self.tables = {
            microns.COREGISTRATION: rows("target_id unit_id residual session scan_idx field", matches),
            microns.NUCLEI: rows(["id", "pt_root_id", *POSITION], nuclei),
        }
        self.synapses = rows("pre_pt_root_id post_pt_root_id", synapses)
        self.most, self.fails_at, self.asked = most, fails_at, []

    @called_as(MaterializationClient.query_table)
    def query_table(
        self,
        table,
        filter_equal_dict,
        filter_in_dict,
        split_positions,
        desired_resolution,
        merge_reference,
        materialization_version,
    ):
        found = self.tables[table]
        for column, value in (filter_equal_dict or {}).items():
            found = found[found[column] == value]
        for column, values in (filter_in_dict or {}).items():
            found = found[found[column].isin(values)]
        if table == microns.COREGISTRATION:
            assert not merge_reference, "columns of nuclei would be merged in, and clash"
        else:
            points = found[POSITION] * [4, 4, 40] / (desired_resolution or [4, 4, 40])
            found = found.drop(columns=POSITION)
            found = found.join(points) if split_positions else found.assign(pt_position=points.to_numpy().tolist())
        return found.sample(frac=1, random_state=1).head(self.most)

    @called_as(MaterializationClient.synapse_query)
    def synapse_query(self, pre_ids, post_ids, remove_autapses, materialization_version):
        if len(self.asked) == self.fails_at:
            raise self.refusal
        found = self.synapses
        found = found[found["pre_pt_root_id"].isin(pre_ids) & found["post_pt_root_id"].isin(post_ids)]
        found = found.sample(frac=1, random_state=1).head(self.most)
        if remove_autapses:
            found = found.query("pre_pt_root_id != post_pt_root_id")
        return found if len(found) else found.astype(object)

    def get_versions(self):
        if self.offers is None:
            raise ConnectionError("the line is dead")
        return self.offers


def rows(columns, values):
    """Make a table as CAVE gives it, with the columns that all its tables have."""
    table = pd.DataFrame(list(values), columns=columns.split() if isinstance(columns, str) else columns)
    first = {} if "id" in table else {"id": np.arange(len(table)) + 7000}
    return table.assign(**first, created=pd.Timestamp("2023-01-01", tz="UTC"), valid="t", size=100)


def client(**tables):
    return SimpleNamespace(materialize=Tables(**tables))


def test_the_stand_in_is_called_as_the_real_client():
    assert (
        inspect.signature(caveclient.frameworkclient.CAVEclientFull.materialize.fget).return_annotation
        is MaterializationClient
    )
    for name in ("query_table", "synapse_query"):
        ours, real = getattr(Tables, name), getattr(MaterializationClient, name)
        assert inspect.signature(ours) == inspect.signature(real)
    tables = Tables()
    with pytest.raises(TypeError, match="unexpected keyword argument 'version'"):
        tables.query_table("synapses", version=1300)
    with pytest.raises(AssertionError, match="limit is not dealt with"):
        tables.synapse_query(limit=10, materialization_version=1300)
    with pytest.raises(AssertionError, match="None == 1300"):
        tables.synapse_query()


def test_the_client_is_of_one_version_of_the_public_data(monkeypatch):
    signature = inspect.signature(caveclient.CAVEclient.__new__)
    monkeypatch.setattr(caveclient, "CAVEclient", lambda *a, **k: signature.bind(None, *a, **k).arguments)
    assert microns.connect() == {"cls": None, "datastack_name": "minnie65_public", "version": 1300}
    assert microns.connect(1412)["version"] == 1412


OTHERS = r"it offers 943, 1412; pass another, as in field_from_source\(\.\.\., version=1412\)$"
UNKNOWN = r"it does not tell which it offers; pass another, as in field_from_source\(\.\.\., version=N\)$"


@pytest.mark.parametrize(
    ("says", "offers", "told"),
    [
        ("404", [1412, 943], rf"^CAVE does not offer version 1300 of its tables \(OSError, 404\); {OTHERS}"),
        ("version 1300 expired", [1300, 943, 1412], f"for version 1300 of its tables, .*: OSError, .*; {OTHERS}"),
        ("the materialization has expired", None, f"for version 1300 of its tables, .*: OSError, .*; {UNKNOWN}"),
        ("no table at /version/1300/table", [943, 1300], "^CAVE does not answer: OSError, no table at [^;]*$"),
        ("no table at /version/1300/table", None, "^CAVE does not answer: OSError, no table at [^;]*$"),
    ],
)
def test_a_version_that_is_gone_is_told_with_those_there_are(tmp_path, says, offers, told):
    cave = client()
    cave.materialize.fails_at, cave.materialize.offers = 1, offers
    cave.materialize.refusal = OSError(f"{says}\nmore")
    with pytest.raises(FieldError, match=told) as error:
        synapse_counts(cave, ROOTS, tmp_path, progress=False)
    assert str(error.value).isprintable()


def test_a_client_of_a_version_that_is_gone_is_told_with_those_there_are(monkeypatch):
    def made(datastack, version=None):
        if version is not None:
            raise ValueError(f"Version {version} is not available for this datastack.")
        return SimpleNamespace(materialize=SimpleNamespace(get_versions=lambda: [1412, 943]))

    monkeypatch.setattr(caveclient, "CAVEclient", made)
    with pytest.raises(
        FieldError, match=rf"^CAVE does not offer version 117 of its tables \(ValueError, .*\); {OTHERS}"
    ):
        microns.connect(117)


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("caveclient", microns.connect),
        ("remfile", lambda: read_fluorescence("a.nwb", 2, None)),
        ("pynwb", lambda: read_fluorescence("a.nwb", 2, None)),
    ],
)
def test_packages_that_are_missing_are_named_with_the_remedy(monkeypatch, package, use):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r'^reading .* needs more packages: pip install "biornn_lite\[source\]"$'):
        use()


# Neurons


HERE = (6, 6, 2)
MATCHES = [
    (101, 1, 2.0, *HERE),  # one nucleus, two units: the nearer one stays
    (101, 2, 1.0, *HERE),
    (102, 3, 1.0, *HERE),  # one unit, two nuclei
    (103, 3, 3.0, *HERE),
    (104, 4, 1.0, *HERE),  # a nucleus without a segment
    (105, 5, 1.0, *HERE),  # two nuclei in one segment
    (106, 6, 1.0, *HERE),
    (107, 7, 1.0, *HERE),
    (108, 8, 1.0, *HERE),  # a nucleus that the other table lacks
    (102, 9, 0.1, 6, 6, 1),  # elsewhere
    (107, 3, 0.1, 6, 7, 2),
    (109, 7, 0.1, 7, 6, 2),
]
NUCLEI = [
    (nucleus, root, 1000 * nucleus, 2000, 300)
    for nucleus, root in zip(
        [101, 102, 103, 104, 105, 106, 107, 109], [*ROOTS[:3], 0, *ROOTS[[4, 4]], *ROOTS[6:8]], strict=True
    )
]


def test_neurons_are_those_matched_once_and_wholly():
    for matches in (MATCHES, MATCHES[::-1]):
        neurons = coregistered_neurons(client(matches=matches, nuclei=NUCLEI), *HERE)
        assert neurons.index.tolist() == [101, 102, 107] and neurons.index.name == "nucleus_id"
        assert neurons["unit_id"].tolist() == [2, 3, 7] and neurons["root_id"].tolist() == ROOTS[[0, 1, 6]].tolist()
        np.testing.assert_allclose(neurons[["x", "y", "z"]], [[x, 8, 12] for x in (404, 408, 428)])
        assert neurons.attrs["left_out"] == 6


def test_many_neurons_are_asked_for_in_parts():
    ids = range(1, 1202)
    cave = client(matches=[(i, i, 1.0, *HERE) for i in ids], nuclei=[(i, ROOTS[0] + i, i, 0, 0) for i in ids])
    neurons = coregistered_neurons(cave, *HERE)
    assert (neurons["root_id"] == ROOTS[0] + neurons.index).all() and neurons.index.tolist() == list(ids)
    assert [len(asked["filter_in_dict"]["id"]) for asked in cave.materialize.asked[1:]] == [500, 500, 201]


def test_a_field_without_neurons_is_said():
    with pytest.raises(FieldError, match="manual_v4 has no neuron in session 6, scan 6, field 3"):
        coregistered_neurons(client(matches=MATCHES, nuclei=NUCLEI), 6, 6, 3)
    for match in (MATCHES[4], MATCHES[8]):
        assert coregistered_neurons(client(matches=[match], nuclei=NUCLEI), *HERE).empty


@pytest.mark.parametrize(
    ("table", "column", "factor"),
    [
        (microns.COREGISTRATION, "target_id", 1.0),
        (microns.COREGISTRATION, "target_id", np.nan),
        (microns.COREGISTRATION, "unit_id", 1.0),
        (microns.NUCLEI, "id", 1.0),
        (microns.NUCLEI, "pt_root_id", 1.0),
    ],
)
def test_ids_that_came_as_floats_are_refused(table, column, factor):
    cave = client(matches=MATCHES, nuclei=NUCLEI)
    cave.materialize.tables[table][column] *= factor
    with pytest.raises(FieldError, match=f"CAVE gave {column} as float64, which loses digits of ids"):
        coregistered_neurons(cave, *HERE)


# Synapses


def made_synapses(seed=0):
    """Make 150 synapses among our neurons, autapses included, and 50 with others."""
    ends = np.random.default_rng(seed).choice(N - 4, (150, 2))  # the last four have none at all
    others = [(ROOTS[0], ROOTS[-1] + 3), (ROOTS[-1] + 3, ROOTS[0])] * 25
    return [*map(tuple, ROOTS[ends]), *others]


def plain_counts(synapses, ids):
    pairs = Counter((int(pre), int(post)) for pre, post in synapses)
    return np.array([[0 if i == j else pairs[int(i), int(j)] for j in ids] for i in ids])


@pytest.mark.parametrize("chunk", [1, 5, 50])
def test_synapses_are_counted_from_row_to_column(tmp_path, chunk):
    ids = np.random.default_rng(1).permutation(ROOTS)
    counts = synapse_counts(client(synapses=made_synapses()), ids, tmp_path, chunk, progress=False)
    wanted = plain_counts(made_synapses(), ids)
    assert (wanted != wanted.T).any() and wanted.max() > 1 and wanted.sum() > 100
    np.testing.assert_array_equal(counts, wanted)
    assert counts.dtype.kind == "i"


def test_a_count_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("BIORNN_DATA", str(tmp_path))
    cave = client(synapses=made_synapses())
    asked = cave.materialize.asked

    def counted(ids, chunk=3):
        asked.clear()
        ours = synapse_counts(cave, ids, chunk=chunk, progress=False)
        np.testing.assert_array_equal(ours, plain_counts(made_synapses(), ids))
        return [query["pre_ids"].tolist() for query in asked]

    cave.materialize.fails_at = 3
    with pytest.raises(FieldError, match="CAVE does not answer: ConnectionError, the line is dead"):
        counted(ROOTS)
    cave.materialize.fails_at = None
    assert counted(ROOTS) == [ROOTS[6:9].tolist(), ROOTS[9:].tolist()], "the first two answers were kept"
    assert counted(ROOTS) == [], "nothing is asked twice"
    # Other neurons, the same in another order, and other chunks have answers of their own.
    assert len(counted(ROOTS[:6])) == 2 and len(counted(ROOTS[::-1])) == 4 and counted(ROOTS) == []
    assert len(counted(ROOTS, 4)) == 3
    assert len([*tmp_path.rglob("cave/*/*")]) == len([*tmp_path.rglob("cave/*/*.csv")]) == 13


def test_answers_that_were_cut_off_are_not_taken_for_whole(tmp_path, monkeypatch):
    wanted = plain_counts(made_synapses(), ROOTS)
    most = int(wanted.sum(axis=1).max())
    monkeypatch.setattr(microns, "MOST_ROWS", most)
    cave = client(synapses=made_synapses(), most=2 * most)
    np.testing.assert_array_equal(synapse_counts(cave, ROOTS, tmp_path, progress=False), wanted)
    assert len(cave.materialize.asked) > 7


def test_ids_that_do_not_name_segments_are_refused(tmp_path):
    for ids in (np.array([1.0, 2.0]), ROOTS[[0, 1, 0]]):
        with pytest.raises(InputError, match=f"root_ids are {ids.dtype}, or name a segment twice"):
            synapse_counts(client(), ids, tmp_path, progress=False)
    cave = client(synapses=[(1, 2)])
    cave.materialize.synapses["post_pt_root_id"] *= 1.0
    with pytest.raises(FieldError, match="CAVE gave post_pt_root_id as float64"):
        synapse_counts(cave, [1, 2], tmp_path, progress=False)


# Fluorescence


PLACE = ["pt_x_position", "pt_y_position", "pt_z_position"]


@dataclass
class Scan:
    """What a file holds of one field, and the neurons that :func:`coregistered_neurons` would give with it."""

    neurons: pd.DataFrame
    plane: pd.DataFrame  # of regions: index their ids, columns what is stored of each
    region: np.ndarray  # the row of `plane` that each column of `data` is of
    data: np.ndarray
    columns: np.ndarray  # of `data`, one for each neuron
    times: np.ndarray

    @property
    def traces(self):
        return self.data[:, self.columns].T

    def without(self, *columns):
        return replace(self, plane=self.plane.drop(columns=list(columns)))


def made_scan(frames=400, rois=30, seed=0):
    """Make neurons and a plane with them and others in it; all rows but one are recorded, in another order."""
    r = np.random.default_rng(seed)
    points = np.round(r.uniform(0, 400, (N, 3)) / VOXEL)
    nuclei = pd.Index(250_000 + r.permutation(N), name="nucleus_id")
    neurons = pd.DataFrame({"unit_id": 50 + np.arange(N), "root_id": ROOTS}, index=nuclei)
    neurons[["x", "y", "z"]] = points * VOXEL

    order = r.permutation(rois)
    home = order[: N + 3]  # of our neurons, and of three that were matched elsewhere
    ids, column_of = 1000 + np.arange(rois), np.empty(rois, int)
    ids[home] = 50 + np.arange(N + 3)
    plane = pd.DataFrame(np.nan, index=ids, columns=["pt_root_id", "nucleus_id", *PLACE])
    plane.iloc[home, 0] = r.permutation(ROOTS[0] + np.arange(N + 3))  # of no use
    plane.iloc[home, 1] = [*nuclei, 1, 2, 3]
    # The two records of a soma are 1 µm apart here, and three strangers 3 µm away.
    plane.iloc[home, 2:] = np.vstack([points + np.array([100, -100, 20]), points[:3] + np.array([800, 0, 0])])
    region = r.permutation(order[:-1])
    column_of[region] = np.arange(rois - 1)
    data = r.normal(10, 1, (frames, rois - 1)).astype(np.float32)
    return Scan(neurons, plane, region, data, column_of[home[:N]], 5 + FRAME * np.arange(frames))


def write_nwb(path, scans, mask=4, width=4, rate=None):
    """Write a file in the layout of dandiset 000402: one plane and one series per field."""
    start = datetime(2018, 3, 11, tzinfo=UTC)
    nwb = pynwb.NWBFile(session_description="calcium imaging", identifier="made up", session_start_time=start)
    microscope = nwb.create_device(name="Microscope", description="two-photon random access mesoscope")
    ophys = nwb.create_processing_module(name="ophys", description="processed 2p data")
    segmentation, fluorescence = pynwb.ophys.ImageSegmentation(), pynwb.ophys.Fluorescence(name="Fluorescence")
    ophys.add(segmentation)
    ophys.add(fluorescence)
    for field, scan in scans.items():
        channel = pynwb.ophys.OpticalChannel(name="OpticalChannel", description="a channel", emission_lambda=500.0)
        imaging = nwb.create_imaging_plane(
            name=f"ImagingPlane{field}",
            optical_channel=channel,
            imaging_rate=np.nan,
            description=f"The imaging plane for field {field}",
            device=microscope,
            excitation_lambda=920.0,
            indicator="GCaMP6",
            location="VISp,VISrl,VISlm,VISal",
        )
        masks = np.random.default_rng(field).random((len(scan.plane), mask, mask), np.float32)
        masks = pynwb.H5DataIO(masks, compression=True)
        table = segmentation.create_plane_segmentation(
            name=f"PlaneSegmentation{field}",
            description=f"field {field}",
            imaging_plane=imaging,
            id=scan.plane.index.tolist(),
            columns=[pynwb.core.VectorData(name="image_mask", description="masks", data=masks)],
            colnames=["image_mask"],
        )
        kinds = np.where(np.arange(len(scan.plane)) % 5, "soma", "artifact")
        table.add_column(name="mask_type", description="soma or artifact", data=kinds.tolist())
        if len(scan.plane.columns):
            ids = [[float(row)] if place > 0 else [np.nan] for row, place in enumerate(scan.plane[PLACE[0]])]
            table.add_column(name="cave_ids", description="identifiers in CAVE", data=ids, index=True)
            voxels = (scan.plane["pt_root_id"] / 10).tolist()
            table.add_column(name="pt_supervoxel_id", description="under the point", data=voxels)
        for column in scan.plane:
            table.add_column(name=column, description=column, data=scan.plane[column].tolist())
        clock = {"timestamps": pynwb.H5DataIO(scan.times, compression=True)}
        series = pynwb.ophys.RoiResponseSeries(
            name=f"RoiResponseSeries{field}",
            description=f"The fluorescence traces for field {field}",
            data=pynwb.H5DataIO(scan.data, compression=True, chunks=(100, width)) if width else scan.data,
            rois=table.create_roi_table_region(region=scan.region.tolist(), description="all rois"),
            unit="n.a.",
            **clock if rate is None else {"rate": rate, "starting_time": scan.times[0]},
        )
        fluorescence.add_roi_response_series(series)
    with pynwb.NWBHDF5IO(path, "w") as file:
        file.write(nwb)
    return path


# In the published revision neurons are told by position alone, in a later one by nucleus too.
REVISIONS = {"published": ["nucleus_id"], "later": []}


@pytest.fixture(scope="module", params=REVISIONS)
def scan_and_file(request, tmp_path_factory):
    scan, other = (made_scan(seed=seed).without(*REVISIONS[request.param]) for seed in (0, 1))
    return scan, write_nwb(tmp_path_factory.mktemp("nwb") / "a.nwb", {1: other, 2: scan, 8: other})


def test_each_neuron_gets_its_own_trace(scan_and_file):
    scan, path = scan_and_file
    order = np.random.default_rng(0).permutation(N)
    nuclei, traces, times = read_fluorescence(path, 2, scan.neurons.iloc[order], progress=False)
    np.testing.assert_array_equal(nuclei, scan.neurons.index[order])
    np.testing.assert_array_equal(traces, scan.traces[order])
    np.testing.assert_array_equal(times, scan.times)
    assert nuclei.dtype == np.int64 and traces.dtype == times.dtype == np.float64


def test_neurons_without_a_region_are_left_out(scan_and_file):
    scan, path = scan_and_file
    neurons = scan.neurons.rename(index={scan.neurons.index[3]: 999_999})
    neurons.iloc[3, 2:] += 5.0
    nuclei, traces, _ = read_fluorescence(path, 2, neurons, progress=False)
    assert nuclei.tolist() == np.delete(scan.neurons.index, 3).tolist()
    np.testing.assert_array_equal(traces, np.delete(scan.traces, 3, axis=0))
    for none in (neurons.iloc[:0], neurons.iloc[[3]]):
        nuclei, traces, times = read_fluorescence(path, 2, none, progress=False)
        assert nuclei.shape == (0,) and traces.shape == (0, 400) and len(times) == 400


@pytest.mark.parametrize("revision", REVISIONS)
def test_segments_are_not_what_neurons_are_told_by(tmp_path, revision):
    scan = made_scan().without(*REVISIONS[revision])
    scan.plane["pt_root_id"] = np.random.default_rng(0).permutation(scan.plane["pt_root_id"])
    path = write_nwb(tmp_path / "a.nwb", {2: scan})
    np.testing.assert_array_equal(read_fluorescence(path, 2, scan.neurons, progress=False)[1], scan.traces)


def test_somata_are_matched_once_and_within_the_tolerance(tmp_path):
    scan = made_scan().without("nucleus_id")
    path = write_nwb(tmp_path / "a.nwb", {2: scan})
    read = functools.partial(read_fluorescence, path, 2, progress=False)
    assert len(read(scan.neurons, tolerance=0.9)[0]) == 0 and len(read(scan.neurons, tolerance=1.1)[0]) == N
    # The region lies at larger x, so the second of these is nearer to it, and gets it.
    twins = scan.neurons.iloc[[4, 4, 5]].set_axis([7, 8, 9])
    twins["x"] += [0.0, 0.3, 0.0]
    nuclei, traces, _ = read(twins)
    assert nuclei.tolist() == [8, 9]
    np.testing.assert_array_equal(traces, scan.traces[4:6])


def test_of_two_regions_of_a_nucleus_that_of_the_matched_unit_counts(tmp_path):
    scan = made_scan()
    scan.plane.loc[scan.plane.index >= 1000, "nucleus_id"] = scan.neurons.index[0]
    path = write_nwb(tmp_path / "a.nwb", {2: scan})
    np.testing.assert_array_equal(read_fluorescence(path, 2, scan.neurons, progress=False)[1], scan.traces)


def test_times_may_be_told_by_a_rate_and_data_be_in_one_piece(tmp_path):
    scan = made_scan()
    path = write_nwb(tmp_path / "a.nwb", {2: scan}, rate=1 / FRAME, width=None)
    _, traces, times = read_fluorescence(path, 2, scan.neurons, progress=False)
    np.testing.assert_array_equal(traces, scan.traces)
    np.testing.assert_allclose(times, scan.times)


@pytest.mark.parametrize("rate", [np.nan, np.inf, 0.0, -6.3])
@pytest.mark.filterwarnings("ignore:Timeseries has a rate of 0.0", "ignore:.*Rate must not be a negative value")
def test_a_rate_that_gives_no_times_is_said(tmp_path, rate):
    scan = made_scan()
    path = write_nwb(tmp_path / "a.nwb", {2: scan}, rate=1 / FRAME)
    with h5py.File(path, "a") as file:
        file["processing/ophys/Fluorescence/RoiResponseSeries2/starting_time"].attrs["rate"] = rate
    message = f"^{path}: RoiResponseSeries2 has an imaging rate of {rate:g} Hz from 5 s on, .*; correct starting_time"
    with pytest.raises(FieldError, match=message) as told:
        read_fluorescence(path, 2, scan.neurons, progress=False)
    assert str(told.value).isprintable()


def test_only_the_columns_needed_are_read(scan_and_file, monkeypatch):
    scan, path = scan_and_file
    read, real = Counter(), h5py.Dataset.__getitem__

    def spied(dataset, *where):
        value = real(dataset, *where)
        read[dataset.name.removeprefix("/processing/ophys/")] += getattr(value, "nbytes", 0)
        return value

    monkeypatch.setattr(h5py.Dataset, "__getitem__", spied)
    read_fluorescence(path, 2, scan.neurons.iloc[[0, 5]], progress=False)
    blocks = len(set(scan.columns[[0, 5]] // 4))
    assert read["Fluorescence/RoiResponseSeries2/data"] == blocks * 4 * 400 * 4 < scan.data.nbytes / 3
    assert read["ImageSegmentation/PlaneSegmentation2/pt_x_position"] > 0
    assert not [name for name in read if re.search(r"image_mask|Series[18]/data", name)]


def damaged(folder):
    scan = made_scan()
    whole = write_nwb(folder / "whole.nwb", {2: scan}).read_bytes()
    contents = {f"cut{share}": whole[: int(len(whole) * share)] for share in (0.01, 0.2, 0.5, 0.9, 0.999)}
    for name, content in (contents | {"empty": b"", "text": b"no NWB file\n" * 999}).items():
        (folder / f"{name}.nwb").write_bytes(content)
    with h5py.File(folder / "other.nwb", "w") as file:
        file["data"] = np.zeros(3)
    with h5py.File(write_nwb(folder / "no_series.nwb", {2: scan}), "a") as file:
        del file["processing/ophys/Fluorescence"]
    with h5py.File(write_nwb(folder / "no_ophys.nwb", {2: scan}), "a") as file:
        del file["processing/ophys"]
    with h5py.File(write_nwb(folder / "no_rois.nwb", {2: scan}), "a") as file:
        del file["processing/ophys/Fluorescence/RoiResponseSeries2/rois"]
    write_nwb(folder / "bare.nwb", {2: scan.without(*scan.plane)})
    (folder / "folder.nwb").mkdir()
    return [*folder.iterdir(), folder / "absent.nwb"]


def test_what_cannot_be_read_is_said_in_one_line_that_names_the_file(tmp_path):
    neurons = made_scan().neurons
    says = {"whole": None, "bare": "neither nucleus ids nor positions", "no_series": "no fluorescence of field 2"}
    says["no_ophys"] = says["no_series"]
    for path in damaged(tmp_path):
        message = says.get(path.stem, "cannot be read as NWB")
        if message is None:
            assert len(read_fluorescence(path, 2, neurons, progress=False)[0]) == N
            continue
        with pytest.raises(FieldError, match=f"{re.escape(str(path))}: .*{message}") as told:
            read_fluorescence(path, 2, neurons, progress=False)
        assert "\n" not in str(told.value)
    with pytest.raises(FieldError, match=r"whole\.nwb: has no fluorescence of field 3 "):
        read_fluorescence(tmp_path / "whole.nwb", 3, neurons, progress=False)


def test_an_error_without_a_message_is_told_by_its_name(tmp_path, monkeypatch):
    def fails(reader):
        raise AssertionError

    path = write_nwb(tmp_path / "a.nwb", {2: made_scan()})
    monkeypatch.setattr(pynwb.NWBHDF5IO, "read", fails)
    with pytest.raises(FieldError, match=r"a\.nwb: cannot be read as NWB \(AssertionError\)"):
        read_fluorescence(path, 2, made_scan().neurons, progress=False)


# Streaming


class Archive(ThreadingHTTPServer):
    """Lists files as DANDI does and serves their parts, after sending the asker somewhere else first."""

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Asked)
        self.files, self.sent = files, 0
        self.instead = None  # of its list: another answer, and the length to announce
        self.address = f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        where = urlsplit(self.path)
        if where.path == "/api/dandisets/000402/versions/0.230307.2132/assets/":
            (glob,) = parse_qs(where.query)["glob"]
            found = [{"asset_id": f"id-{n}", "path": p} for n, p in enumerate(self.server.files) if fnmatch(p, glob)]
            answer = json.dumps({"count": len(found), "next": None, "previous": None, "results": found}).encode()
            answer, length = self.server.instead or (answer, len(answer))
            self.close_connection = True
            self.answer(200, answer, Content_Length=length)
        elif match := re.fullmatch(r"/api/assets/id-(\d+)/download/", where.path):
            self.answer(302, Location=f"/blobs/{match[1]}?signature=abc")
        elif match := re.fullmatch(r"/blobs/(\d+)", where.path):
            content = list(self.server.files.values())[int(match[1])]
            part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if part is None:
                self.answer(200, content)
            else:
                first, last = int(part[1]), min(int(part[2]), len(content) - 1)
                self.answer(206, content[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(content)}")
        else:
            self.answer(404)

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in ({"Content_Length": len(content)} | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        try:
            self.wfile.write(content)
            self.server.sent += len(content)
        except OSError:  # whoever asks for the length alone hangs up
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    scan, other = made_scan(frames=2000), made_scan(seed=1)
    path = write_nwb(tmp_path_factory.mktemp("nwb") / "a.nwb", {1: other, 2: scan, 3: other}, mask=256)
    scans = {"16-scan-6": b"", "6-scan-6": path.read_bytes(), "6-scan-66": b"no NWB" * 99}
    files = {f"sub-17797/sub-17797_ses-{name}_behavior+image+ophys.nwb": held for name, held in scans.items()}
    with Archive(files | {"sub-17797/sub-17797_ses-6-scan-66_ophys.nwb": b""}) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield scan, server
        server.shutdown()


def test_a_file_in_the_archive_is_read_without_downloading_it_whole(archive, monkeypatch):
    scan, server = archive
    address = find_nwb(6, 6, f"{server.address}/api")
    assert address == f"{server.address}/api/assets/id-1/download/"
    # The same if the archive lists more than it was asked for.
    more = json.dumps({"results": [{"asset_id": f"id-{n}", "path": p} for n, p in enumerate(server.files)]}).encode()
    with monkeypatch.context() as patch:
        patch.setattr(server, "instead", (more, len(more)))
        assert find_nwb(6, 6, f"{server.address}/api") == address
    server.sent = 0
    nuclei, traces, times = read_fluorescence(address, 2, scan.neurons, progress=False)
    np.testing.assert_array_equal(nuclei, scan.neurons.index)
    np.testing.assert_array_equal(traces, scan.traces)
    np.testing.assert_array_equal(times, scan.times)
    whole = len(server.files[list(server.files)[1]])
    assert whole > 15e6 and 0 < server.sent < whole / 10


def test_what_the_archive_lacks_is_said(archive):
    _, server = archive
    for session, scan, number in ((4, 7, 0), (6, 66, 2)):
        message = f"dandiset 000402 has {number} files of session {session}, scan {scan}, not one"
        with pytest.raises(FieldError, match=message):
            find_nwb(session, scan, f"{server.address}/api")
    neurons = made_scan().neurons
    for path in ("/api/assets/id-2/download/", "/api/assets/nothing/download/"):
        with pytest.raises(FieldError, match=f"^{server.address}{path}: cannot be read as NWB") as told:
            read_fluorescence(server.address + path, 2, neurons, progress=False)
        assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("api", "instead"),
    [
        ("http://127.0.0.1:9/api", None),  # no connection
        ("/nothing", None),
        ("/api", (b'{"count": 1, "resu', 18)),
        ("/api", (b'{"count": 1, "resu', 99)),  # the connection breaks off
        ("/api", (b"[]", 2)),
        ("/api", (b'{"results": [{}]}', 17)),
    ],
)
def test_an_archive_that_does_not_answer_is_said(archive, monkeypatch, api, instead):
    monkeypatch.setattr(archive[1], "instead", instead)
    api = api if api.startswith("http") else archive[1].address + api
    with pytest.raises(FieldError, match=rf"^{api}/dandi.*: no list of files \(.+\); give a downloaded NWB") as told:
        find_nwb(6, 6, api)
    assert "\n" not in str(told.value)


# All together


@pytest.fixture(scope="module")
def known(column, tmp_path_factory):
    """A field whose wiring and events are known, as both archives would give it, and what it holds."""
    scan = made_scan(frames=6000, seed=2)
    trains = [train[train < 6000 * FRAME] for train in column.spike_times[:N]]
    traces = fluorescence_from_events(trains, FRAME * np.arange(6000), noise=0.2)
    scan.data[:, scan.columns] = 300 * traces.T
    path = write_nwb(tmp_path_factory.mktemp("nwb") / "a.nwb", {2: scan})
    neurons = scan.neurons
    places = np.round(neurons[["x", "y", "z"]].to_numpy() / VOXEL).astype(int)
    tables = {  # where there is one more neuron, which has no fluorescence
        "matches": [(5, 5, 1.0, *HERE), *((n, unit, 1.0, *HERE) for n, unit in neurons["unit_id"].items())],
        "nuclei": [(5, ROOTS[-1] + 3, 0, 0, 0), *zip(neurons.index, ROOTS, *places.T, strict=True)],
        "synapses": made_synapses(),
    }
    return SimpleNamespace(neurons=neurons, trains=trains, tables=tables, path=path)


def test_a_field_from_the_archives_is_the_known_one(known, tmp_path):
    field = field_from_source(6, 6, 2, client(**known.tables), known.path, tmp_path, progress=False)
    order = np.argsort(known.neurons.index)
    neurons = known.neurons.iloc[order]
    assert field.name == "6_6_2_source" and not field.synthetic
    np.testing.assert_array_equal(field.nucleus_ids, neurons.index)
    np.testing.assert_array_equal(field.unit_ids, neurons["unit_id"])
    np.testing.assert_array_equal(field.root_ids, neurons["root_id"])
    np.testing.assert_allclose(field.positions, neurons[["x", "y", "z"]])
    np.testing.assert_array_equal(field.connectome, plain_counts(made_synapses(), neurons["root_id"]))
    trains = [known.trains[i] for i in order]
    pairs = np.triu_indices(N, 1)
    for ours, true in (
        (field.correlation, activity.correlation(activity.event_counts(trains))),
        (field.sttc, activity.spike_time_tiling_coefficient(trains)),
    ):
        assert np.corrcoef(ours[pairs], true[pairs])[0, 1] > 0.95  # 0.99 when measured
    for ours, true in zip(field.spike_times, trains, strict=True):
        assert np.isin(np.rint(true / FRAME), np.rint(ours / FRAME)).mean() > 0.9
    field.save(tmp_path / "field.npz")
    again = CorticalField.load(tmp_path / "field.npz")
    for key in ("positions", "connectome", "correlation", "sttc", "nucleus_ids", "unit_ids", "root_ids"):
        np.testing.assert_array_equal(getattr(again, key), getattr(field, key))
    for mine, theirs in zip(again.spike_times, field.spike_times, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Write a scan, make a field of it, and return the field with the traces and times that its events come from."""

    def make(scan, **options):
        path = write_nwb(tmp_path / "a.nwb", {2: scan})
        used = []
        monkeypatch.setattr(
            microns, "events_from_fluorescence", lambda traces, times, *_: used.extend((traces, times)) or [[1.0]] * N
        )
        monkeypatch.setattr(microns, "field_from_events", lambda *_, **ids: ids["nucleus_ids"])
        matches = [(n, unit, 1.0, *HERE) for n, unit in scan.neurons["unit_id"].items()]
        nuclei = [(n, root, 0, 0, 0) for n, root in scan.neurons["root_id"].items()]
        cave = client(matches=matches, nuclei=nuclei)
        return field_from_source(6, 6, 2, cave, path, tmp_path, progress=False, **options), *used

    return make


def ramps(scan):
    """Fill a scan with straight lines through time, each of its own slope: their values are known at any time."""
    scan.data = (scan.times[:, None] * np.arange(1, scan.data.shape[1] + 1)).astype(np.float32)
    return scan


def test_neurons_without_a_usable_trace_are_named_and_left_out(known, tmp_path, monkeypatch, capsys):
    def read(*arguments, **options):
        nucleus_ids, traces, times = read_fluorescence(*arguments, **options)
        traces[2], traces[5, 7:9], traces[6, 8:10] = 1.0, np.nan, np.inf
        return nucleus_ids, traces, times

    monkeypatch.setattr(microns, "read_fluorescence", read)
    with pytest.warns(FieldWarning) as told:
        field = field_from_source(6, 6, 2, client(**known.tables), known.path, tmp_path)
    nuclei = np.sort(known.neurons.index)
    np.testing.assert_array_equal(field.nucleus_ids, np.delete(nuclei, [2, 5, 6]))
    # One more was found in the volume and has no region in the film.
    assert [str(warning.message) for warning in told] == [
        f"{known.path}: RoiResponseSeries2: {N} of {N + 1} coregistered neurons have a trace; 2 of them hold NaN or "
        f"infinite values (nuclei {nuclei[5]}, {nuclei[6]}), in 3 of 6000 frames, the first frame 7: "
        f"interpolate=True fills gaps of at most 2 s; 1 of them are constant (nuclei {nuclei[2]}); {N - 3} are used"
    ]
    assert f"{N - 3} of {N + 1} coregistered neurons are used" in capsys.readouterr().err


def test_frames_that_are_nan_in_all_neurons_are_said_or_filled(made, tmp_path):
    scan = ramps(made_scan())
    whole = scan.traces[np.argsort(scan.neurons.index)]
    scan.data[[7, 8, 40]] = np.nan
    message = (
        f"^{tmp_path}/a.nwb: RoiResponseSeries2: 12 of 12 coregistered neurons have a trace; 12 of them hold NaN or "
        r"infinite values \(nuclei 250000, 250001, 250002, 250003, 250004 and more\), in 3 of 400 frames, the first "
        "frame 7: interpolate=True fills gaps of at most 2 s; 2 are needed, 0 can be used$"
    )
    with pytest.raises(FieldError, match=message):
        made(scan)
    nuclei, traces, times = made(scan, interpolate=True)
    assert len(nuclei) == N and len(times) == 400
    np.testing.assert_allclose(traces, whole, rtol=1e-6)


def test_gaps_of_a_neuron_are_filled_only_where_they_are_short(made):
    scan = ramps(made_scan())
    order = np.argsort(scan.neurons.index)
    scan.data[50:70, scan.columns[order[3]]] = np.nan  # 21 steps of 0.1587 s between the values around
    scan.data[:, scan.columns[order[4]]] = np.nan
    scan.data[:2, scan.columns[order[5]]] = np.nan
    for longest, left_out in ((3.2, [3, 4]), (3.4, [4])):
        with pytest.warns(FieldWarning, match=f"frames, the first frame 0: a larger longest_gap .* {longest:g} s"):
            nuclei, traces, _ = made(scan, interpolate=True, longest_gap=longest)
        assert nuclei.tolist() == np.delete(scan.neurons.index[order], left_out).tolist()
    assert traces[4, 0] == traces[4, 1] == traces[4, 2] < traces[4, 3], "the nearest value is held at the ends"


CLOCKS = {
    "repeated": ({30: 5 + 29 * FRAME}, r"repeated timestamps: frame 30 \(at 9.6023 s\) follows frame 29 \(at 9.6023"),
    "decreasing": (
        {30: 5 + 28.5 * FRAME},
        r"decreasing timestamps: frame 30 \(at 9.52295 s\) follows frame 29 \(at 9",
    ),
    "missing": (
        {30: np.nan, 31: np.nan, 60: np.nan},
        r"missing timestamps \(NaN or infinite\), 3 of 400, the first that of frame 30, near frame 29 \(at 9.6023",
    ),
    "missing first": ({0: np.nan}, r"1 of 400, the first that of frame 0, near frame 1 \(at 5.1587 s\)"),
    "missing last": ({399: np.inf}, r"1 of 400, the first that of frame 399, near frame 397 \(at 68"),
    "uneven": (
        {30: 5 + 30.3 * FRAME},
        r"unevenly spaced timestamps: 0.2063 s from frame 29 \(at 9.6023 s\) to frame 30 \(at 9.80861 s\), where "
        r"0.1587 s is usual, and 2 such steps in all; interpolate=True fills gaps of at most 2 s",
    ),
}


@pytest.mark.parametrize("kind", CLOCKS)
def test_a_clock_that_is_not_even_is_told_by_its_kind_and_frame(made, tmp_path, kind):
    scan = made_scan()
    wrong, message = CLOCKS[kind]
    scan.times[list(wrong)] = list(wrong.values())
    for interpolate in (False, True) if kind in ("repeated", "decreasing") else (False,):
        with pytest.raises(FieldError, match=f"^{tmp_path}/a.nwb: RoiResponseSeries2 has .*{message}") as told:
            made(scan, interpolate=interpolate)
        assert str(told.value).isprintable()


@pytest.mark.parametrize(
    "kind", ["whole", "missing", "missing first", "missing last", "uneven", "left out", "jitter"]
)
def test_traces_are_interpolated_onto_an_even_clock(made, kind):
    scan = made_scan()
    if kind == "jitter":
        scan.times += np.random.default_rng(0).uniform(-0.2, 0.2, 400) * FRAME
        scan.times[[0, -1]] = 5, 5 + 399 * FRAME
    ramps(scan)
    if kind == "left out":
        keep = np.delete(np.arange(400), [50, 51, 52, 200])
        scan.times, scan.data = scan.times[keep], scan.data[keep]
    elif kind in CLOCKS:
        wrong = CLOCKS[kind][0]
        if kind == "uneven":
            scan.times[list(wrong)] = list(wrong.values())
            ramps(scan)
        else:
            scan.data[list(wrong)] = -99  # when these were measured is not known
            scan.times[list(wrong)] = np.nan
    nuclei, traces, times = made(scan, interpolate=True)
    start, frames = (1, 399) if kind == "missing first" else (0, 399 if kind == "missing last" else 400)
    np.testing.assert_allclose(times, FRAME * np.arange(frames), atol=1e-9)
    slopes = scan.columns[np.argsort(scan.neurons.index)] + 1
    np.testing.assert_allclose(traces, slopes[:, None] * (times + 5 + FRAME * start), rtol=1e-6)
    assert len(nuclei) == N


def test_a_clock_with_a_long_gap_is_refused_with_the_place(made):
    scan = made_scan()
    scan.times[100:] += 10
    message = (
        r"has a gap of 10.16 s from frame 99 \(at 20.7113 s\) to frame 100 .* than longest_gap=2 s; pass a larger"
    )
    with pytest.raises(FieldError, match=message):
        made(scan, interpolate=True)
    _, traces, times = made(scan, interpolate=True, longest_gap=11)
    assert traces.shape == (N, 463) and times[-1] == pytest.approx(399 * FRAME + 10)


@pytest.mark.parametrize("frames", [0, 2])
def test_a_film_of_too_few_frames_with_a_time_is_refused(made, frames):
    scan = made_scan()
    scan.times[frames:] = np.nan
    with pytest.raises(
        FieldError, match=f"Series2 has {frames} finite timestamps for 400 frames; expected one for each"
    ):
        made(scan, interpolate=True)


def test_events_survive_frames_that_are_missing(known, tmp_path, monkeypatch):
    lost = np.arange(100, 5900, 100)

    def read(*arguments, **options):
        nucleus_ids, traces, times = read_fluorescence(*arguments, **options)
        return nucleus_ids, np.delete(traces, lost, axis=1), np.delete(times, lost)

    args = (6, 6, 2, client(**known.tables), known.path, tmp_path)
    whole = field_from_source(*args, progress=False)
    monkeypatch.setattr(microns, "read_fluorescence", read)
    field = field_from_source(*args, progress=False, interpolate=True)
    for ours, true in zip(field.spike_times, whole.spike_times, strict=True):
        assert np.isin(np.rint(true / FRAME), np.rint(ours / FRAME)).mean() > 0.9


def test_the_version_asked_for_is_that_of_every_query(known, tmp_path, monkeypatch):
    cave = client(**known.tables)
    cave.materialize.version = 1412  # the stand-in refuses any other
    monkeypatch.setattr(microns, "connect", {1412: cave}.get)
    assert field_from_source(6, 6, 2, None, known.path, tmp_path, progress=False, version=1412).neurons == N
    assert len(cave.materialize.asked) == 3 and [*tmp_path.glob("synapses_1412_*")]


@pytest.mark.parametrize(
    "wrong", [{"version": v} for v in (0, True, "1300", None, 1300.0)] + [{"longest_gap": np.nan}]
)
def test_arguments_that_mean_nothing_are_refused(wrong):
    with pytest.raises(InputError, match=rf"^{next(iter(wrong))} is .*; expected "):
        field_from_source(6, 6, 2, client(), "a.nwb", progress=False, **wrong)


def test_what_is_left_out_is_asked_of_the_archives(known, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(microns, "connect", lambda version: asked.append(version) or client(**known.tables))
    monkeypatch.setattr(microns, "find_nwb", lambda *scan: asked.append(scan) or known.path)
    assert field_from_source(6, 6, 2, folder=tmp_path, progress=False).neurons == N
    assert asked == [1300, (6, 6)]


@pytest.mark.parametrize("keep", [0, 1])
def test_neurons_without_fluorescence_make_no_field(known, tmp_path, keep):
    cave = client(**known.tables | {"matches": known.tables["matches"][: keep + 1]})
    with pytest.raises(FieldError, match=f"{keep} of {keep + 1} coregistered neurons have a trace; 2 are needed"):
        field_from_source(6, 6, 2, cave, known.path, tmp_path, progress=False)
