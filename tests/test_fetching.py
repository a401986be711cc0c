"""Fetching released fields, against local web servers: of whole files, of damaged ones, and of other intentions."""

import gzip
import os
import shutil
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from test_hostile import little_memory

from biornn_lite import datasets
from biornn_lite.__main__ import main
from biornn_lite.datasets import download_all, fetch_field, list_fields, load_field, read_released, registry
from biornn_lite.errors import FieldError
from biornn_lite.plumbing import downloads

FIELD = "5_3_8"


class Server(ThreadingHTTPServer):
    """Serves a folder and, of the files named in `faults`, something else."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.faults, self.asked, self.users = {}, [], set()


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rsplit("/", 1)[1]
        self.server.asked.append(name)
        self.server.users.add(self.headers.get("Authorization"))
        fault = self.server.faults.get(name)
        if fault is None:
            super().do_GET()
        elif fault == "missing":
            self.send_error(404)
        elif fault == "busy once":
            del self.server.faults[name]
            self.send_error(503)
        elif fault == "elsewhere":
            del self.server.faults[name]
            self.send_response(302)
            self.send_header("Location", f"../{FIELD}/{name}")
            self.end_headers()
            self.wfile.write(b"there")
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


# Servers that mean no good


HEAD = b"HTTP/1.1 200 OK\r\n"


def drip(send, content):
    for byte in content:
        send(bytes([byte]))
        time.sleep(0.05)


def endless(send, start, block=bytes(2**16)):
    send(start)
    while True:
        send(block)


PACKED = gzip.compress(bytes(2**28), 1)
ELSEWHERE = b"HTTP/1.1 302 Found\r\nLocation: /more\r\n"
SLOW = r"too slow, [\d,]+ of [\d,]+ bytes came in 1 s"
SERVERS = {
    "a byte at a time": (lambda send: drip(send, HEAD + b"\r\n" + bytes(10**4)), SLOW),
    "headers a byte at a time": (lambda send: drip(send, HEAD + b"A: " + b"a" * 10**4), SLOW),
    "nothing": (lambda send: time.sleep(8), SLOW),
    "the first half, and then nothing": (lambda send: (send(HEAD + b"\r\n" + bytes(3000)), time.sleep(8)), SLOW),
    "further headers for ever": (lambda send: endless(send, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), SLOW),
    "without end": (lambda send: endless(send, HEAD + b"\r\n"), "not the released file"),
    "chunks without end": (
        lambda send: endless(
            send, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + bytes(2**14) + b"\r\n"
        ),
        "not the released file",
    ),
    "a length that is none": (
        lambda send: endless(send, HEAD + b"Content-Length: 99999999999\r\n\r\n"),
        "not the released",
    ),
    "a small file that unpacks to a large one": (
        lambda send: send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED),
        "the server packs what it sends",
    ),
    "a pointer with much below it": (lambda send: endless(send, ELSEWHERE + b"\r\n"), "from address to address"),
    "a pointer with a packed text": (
        lambda send: send(ELSEWHERE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED),
        "from address to address",
    ),
    "a pointer to a file here": (
        lambda send: send(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
        "that is no address",
    ),
    "an error without end": (lambda send: endless(send, b"HTTP/1.1 404 No\r\n\r\n"), "the server answers 404"),
    "no HTTP": (lambda send: send(b"220 mail.example.org ESMTP\r\n"), "no connection"),
}


@contextmanager
def serving(answer):
    """Answer each connection at this port by what `answer` sends."""

    class Connection(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                self.request.recv(2**16)
                answer(self.request.sendall)
            except OSError:
                return  # the other side has seen enough

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close = True, False

    with Listener(("127.0.0.1", 0), Connection) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listener.server_address[1]}"
        listener.shutdown()


@pytest.mark.parametrize("kind", SERVERS)
def test_no_server_keeps_us_waiting_or_fills_memory_or_disk(tmp_path, monkeypatch, kind):
    answer, says = SERVERS[kind]
    monkeypatch.setattr(downloads, "PATIENCE", 1)
    monkeypatch.setenv("BIORNN_DATA", str(tmp_path))
    with serving(answer) as address, little_memory():
        monkeypatch.setenv("BIORNN_MIRROR", address)
        start = time.monotonic()
        with pytest.raises(FieldError, match=f"/.* cannot be fetched from {address}/: .*{says}") as told:
            fetch_field(FIELD, progress=False)
        assert time.monotonic() - start < 5 and "\n" not in str(told.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "nothing is left"


@pytest.mark.parametrize("fault", ["busy once", "elsewhere"])
def test_what_is_no_fault_of_the_file_does_not_keep_it_away(server, fault):
    server.faults["sttc_matrix.npy"] = fault
    start = time.monotonic()
    assert fetch_field(FIELD, progress=False).neurons == 42 and time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("before", "after"),
    [("http://", ":9"), ("", ":9"), ("http://x@y/", ":9"), ("ftp://", ":9"), ("https://", ":9/?token=secret")],
)
@pytest.mark.parametrize(
    "password", ["secret", "sec/secret", "sec@secret", "sec?secret", "sécret-secret", "sec%20secret"]
)
def test_a_password_is_never_shown(monkeypatch, tmp_path, capsys, before, after, password):
    monkeypatch.setattr(downloads, "TRIES", 1)
    monkeypatch.setenv("BIORNN_DATA", str(tmp_path))
    monkeypatch.setenv("BIORNN_MIRROR", f"{before}user:{password}@127.0.0.1{after}")
    assert main(["fetch", FIELD]) == 2
    told = capsys.readouterr()
    assert "cannot be fetched from" in told.err and "***@127.0.0.1:9" in told.err
    assert "sec" not in told.err.replace("connection", "") + told.out and "user" not in told.err


def test_a_password_is_used(server, monkeypatch):
    monkeypatch.setenv("BIORNN_MIRROR", f"http://user:secret@127.0.0.1:{server.server_port}")
    assert fetch_field(FIELD, progress=False).neurons == 42 and server.users == {"Basic dXNlcjpzZWNyZXQ="}


# Where fields are kept


def test_without_a_home_the_message_says_what_to_do(monkeypatch, tmp_path, capsys):
    for name in ("BIORNN_DATA", "HOME", "USERPROFILE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user whom this machine does not know
    monkeypatch.chdir(tmp_path)
    for name in (FIELD, "6_6_2"):
        assert main(["fetch", name]) == 2
        error = capsys.readouterr().err
        assert "no home folder; set BIORNN_DATA to a folder" in error and error.count("\n") == 1
        with pytest.raises(FieldError, match="set BIORNN_DATA"):
            load_field(name)
    assert load_field(datasets.EMBEDDED).neurons == 96 and not list(tmp_path.iterdir())


def test_a_home_that_cannot_be_written_to(server, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.delenv("BIORNN_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "file" / "cache" / name)
    says = r"^.*5_3_8/.*: cannot be kept \(Not a directory\); BIORNN_DATA may name another folder, in which"
    with pytest.raises(FieldError, match=says) as told:
        fetch_field(FIELD, progress=False)
    assert "\n" not in str(told.value)


@pytest.mark.skipif(os.name != "posix", reason="this system has no such files")
def test_a_pipe_in_place_of_a_file_is_not_waited_for(server, tmp_path):
    fetch_field(FIELD, progress=False)
    path = tmp_path / "cache" / FIELD / "corr_matrix.npy"
    path.unlink()
    os.mkfifo(path)
    says = r"corr_matrix.npy: cannot be written \(it is not a file\); .*; BIORNN_DATA may"
    with pytest.raises(FieldError, match=says):
        fetch_field(FIELD, progress=False)
    with pytest.raises(FieldError, match="1 of its 9 files are missing"):
        load_field(FIELD)
    with pytest.raises(FieldError, match=r"corr_matrix\.npy: is not a file"):
        load_field(path)
