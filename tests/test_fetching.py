"""Fetching released fields, against a local web server that serves real ones: whole, cut off, corrupted, missing."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from biornn_lite import datasets
from biornn_lite.__main__ import main
from biornn_lite.datasets import download_all, fetch_field, list_fields, load_field, read_released, registry
from biornn_lite.errors import FieldError

FIELD = "5_3_8"


class Server(ThreadingHTTPServer):
    """Serves a folder and, of the files named in `faults`, something else."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.faults, self.asked = {}, []


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rsplit("/", 1)[1]
        self.server.asked.append(name)
        fault = self.server.faults.get(name)
        if fault is None:
            super().do_GET()
        elif fault == "missing":
            self.send_error(404)
        else:
            content = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content) if fault != "shorter" else len(content) // 2))
            self.end_headers()
            half = len(content) // 2
            self.wfile.write(
                content[:half] + (bytes([content[half] ^ 1]) + content[half + 1 :]) * (fault == "corrupt")
            )

    def log_message(self, *_):
        pass


@pytest.fixture
def server(microns, tmp_path, monkeypatch):
    with Server(microns) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("BIORNN_MIRROR", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("BIORNN_DATA", str(tmp_path / "cache"))
        yield server
        server.shutdown()


def here():
    table = list_fields().set_index("field")["here"]
    return set(table[table].index) - {datasets.EMBEDDED}


def test_our_registry_is_the_given_one(microns):
    lines = [line.split() for line in (microns / "registry.txt").read_text().splitlines()]
    known = {path: (digest, int(size)) for path, digest, size in lines if digest != "unknown"}
    ours = {row.Index: (row.sha256, row.bytes) for row in registry().itertuples()}
    assert ours == known and len(lines) == 504 and len(known) == 464
    assert registry()["field"].nunique() == 56


def test_a_field_is_fetched_once_and_then_read_without_a_network(server, microns, tmp_path):
    with pytest.raises(FieldError, match=r"9 of its 9 files are missing or damaged in .*fetch_field"):
        load_field(FIELD)
    field = fetch_field(FIELD, progress=False)
    np.testing.assert_array_equal(field.sttc, read_released(microns / FIELD).sttc)
    assert len(server.asked) == 9 and here() == {FIELD}
    server.asked.clear()
    fetch_field(FIELD)
    assert load_field(FIELD).neurons == 42 and not server.asked
    assert not list((tmp_path / "cache").rglob("*tmp*")), "nothing temporary is left"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("broken off", "the connection broke off"),
        ("shorter", "what arrives is not the released file"),
        ("corrupt", "what arrives is not the released file"),
        ("missing", "the server answers 404"),
    ],
)
def test_a_bad_download_is_never_taken_for_a_good_one(server, tmp_path, fault, says):
    server.faults["sttc_matrix.npy"] = fault
    with pytest.raises(
        FieldError, match=rf"5_3_8/sttc_matrix\.npy cannot be fetched from http.*: {says}\. What"
    ) as told:
        fetch_field(FIELD, progress=False)
    assert "synthetic_column" in str(told.value) and "\n" not in str(told.value)
    assert not (tmp_path / "cache" / FIELD / "sttc_matrix.npy").exists() and not here()
    with pytest.raises(FieldError, match=r"files are missing or damaged"):
        load_field(FIELD)
    kept = set(server.asked) - {"sttc_matrix.npy"}
    server.faults.clear()
    server.asked.clear()
    assert fetch_field(FIELD, progress=False).neurons == 42
    assert not kept & set(server.asked), "what was whole is not fetched again"


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content[:-1] + b"?", lambda _: b""])
def test_a_file_damaged_on_disk_is_noticed_and_mended(server, tmp_path, damage):
    fetch_field(FIELD, progress=False)
    path = tmp_path / "cache" / FIELD / f"spikes_{FIELD}.npy"
    size = path.stat().st_size
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FieldError, match=r"1 of its 9 files are missing or damaged in .* \(such as 5_3_8/spikes_"):
        load_field(FIELD)
    assert here() == ({FIELD} if path.stat().st_size == size else set()), "a list looks at sizes only"
    server.asked.clear()
    assert fetch_field(FIELD, progress=False).neurons == 42 and server.asked == [path.name]


def test_fetched_files_can_be_read_by_all(server, tmp_path):
    fetch_field(FIELD, progress=False)
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in (tmp_path / "cache" / FIELD).iterdir())


def test_two_processes_may_fetch_at_once(server):
    with ThreadPoolExecutor(4) as pool:
        fields = list(pool.map(lambda _: fetch_field(FIELD, progress=False), range(4)))
    assert [field.neurons for field in fields] == [42] * 4


@pytest.mark.parametrize(
    ("mirror", "says"), [("http://127.0.0.1:9", "no connection"), ("not/an/address", "that is no address")]
)
def test_a_wrong_mirror_is_told_from_no_network(monkeypatch, tmp_path, mirror, says):
    monkeypatch.setenv("BIORNN_DATA", str(tmp_path))
    monkeypatch.setenv("BIORNN_MIRROR", mirror)
    with pytest.raises(FieldError, match=says):
        fetch_field(FIELD, progress=False)


@pytest.mark.parametrize("source", ["~nobody_of_this_name/x", "x" * 400, "a\0b"])
def test_what_is_no_path_is_refused_in_one_line(source, capsys):
    assert main(["replicate", "--field", source]) == 2
    error = capsys.readouterr().err
    assert error.startswith("biornn_lite: ") and error.count("\n") == 1


def test_events_without_a_known_checksum_are_not_fetched(server):
    field = fetch_field("6_6_2", progress=False)
    assert field.spike_times is None and field.nucleus_ids is not None
    assert not any(name.startswith("spikes") for name in server.asked)


def test_without_a_network_the_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("BIORNN_MIRROR", "http://127.0.0.1:9")
    monkeypatch.setenv("BIORNN_DATA", str(tmp_path))
    with pytest.raises(FieldError, match=r"no connection\. What is whole stays in .*copy fields there.*no network"):
        fetch_field("4_7_2", progress=False)


def test_fields_for_a_workshop(server, tmp_path, capsys):
    assert main(["fetch", FIELD, "5_3_4"]) == 0
    told = capsys.readouterr()
    assert told.out.split() == [str(tmp_path / "cache" / name) for name in (FIELD, "5_3_4")]
    assert "download: 100%" in told.err and here() == {FIELD, "5_3_4"}
    # A copy of the folder works on a machine without a network.
    shutil.copytree(tmp_path / "cache", tmp_path / "stick")
    server.shutdown()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIORNN_DATA", str(tmp_path / "stick"))
        assert fetch_field("5_3_4").neurons == 70
    with pytest.raises(FieldError, match="9_9_9 is not a released field"):
        download_all(["9_9_9"])
    assert main(["fetch"]) == 2 and main(["fetch", "--all", FIELD]) == 2


def test_downloading_all_asks_for_all(server, monkeypatch):
    wanted = []
    monkeypatch.setattr(datasets, "_download", lambda names, progress: wanted.extend(names))
    download_all()
    assert len(set(wanted)) == 56
