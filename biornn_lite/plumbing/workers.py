"""Independent pieces of work, computed by joblib with processes, or with the user's threads or Dask cluster.

Each piece can report its progress, which a bar shows.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import joblib
import torch
from filelock import FileLock, Timeout
from joblib.parallel import BACKENDS, get_active_backend
from tqdm import tqdm

from ..errors import InputError

MEMORY_OF_A_PROCESS = 360_000_000
"""Memory in bytes of a process before training: Python and the libraries (measured on Linux)."""

_FOLDER = "biornn_lite-progress-"


def jobs_at_once(jobs: int | None = None) -> int:
    """Return the number of pieces at once: `jobs`, or the number configured with joblib, or one per processor."""
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs is {jobs}; it must be at least 1")
    backend, configured = get_active_backend()
    if not backend.supports_return_generator:
        raise InputError("joblib's backend gives no results as they come; choose loky, threading or dask")
    if jobs is None:
        jobs = -1 if configured is None else configured
    return max(1, joblib.effective_n_jobs(jobs))


def uses_processes() -> bool:
    """Say whether joblib would use processes on this machine, not threads or other machines."""
    return isinstance(get_active_backend()[0], BACKENDS["loky"])


def memory_left(root: str | Path = "/") -> int | None:
    """Return the available memory in bytes for this process and its children; None if it is not known.

    It is the minimum of the machine's free memory and the free memory of each control group above this process.
    Containers and JupyterHubs set their limits in control groups. The system's file cache counts as free.

    Parameters
    ----------
    root : path
        Folder that contains ``proc`` and ``sys``; tests use another one.
    """
    root = Path(root)
    found = []
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:") and line.split()[1].isdecimal():
            found.append(int(line.split()[1]) * 1024)
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, kinds, path = [*line.split(":", 2), "", ""][:3]
        if kinds and "memory" not in kinds.split(","):
            continue
        top = root / "sys/fs/cgroup" / kinds
        names = ("memory.max", "memory.current", "inactive_file") if kinds == "" else (
            "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
        )  # fmt: skip
        # In a container the path may be the one outside the container, and the container's own group is at the top.
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            limit, used = (_text(folder / name).strip() for name in names[:2])
            if limit.isdecimal() and used.isdecimal() and int(limit) < 2**60:
                kept = dict(row.split() for row in _text(folder / "memory.stat").splitlines() if row.count(" ") == 1)
                found.append(int(limit) - int(used) + int(kept.get(names[2], 0)))
            if folder == top:
                break
    return max(0, min(found)) if found else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not available on this machine
        return ""


def processes_that_fit(each: int) -> int | None:
    """Return how many processes fit into the available memory, at least 1; None if it is not known.

    Parameters
    ----------
    each : int
        Bytes that one process needs for its computation.
    """
    left = memory_left()
    return None if left is None else max(1, left // (MEMORY_OF_A_PROCESS + each))


def safe_folder() -> dict:
    """Return options for ``joblib.Parallel`` if its folder for large arrays has non-ASCII letters.

    An example is the name of a Windows user. joblib then fails when it registers the folder, even if it writes
    nothing there. With these options it does not use the folder, and arrays are passed to the processes like other
    data.
    """
    folders = os.environ.get("JOBLIB_TEMP_FOLDER", ""), tempfile.gettempdir()
    return {} if "".join(folders).isascii() else {"temp_folder": os.path.abspath(os.sep), "max_nbytes": None}  # noqa: PTH100


class Progress:
    """A progress bar for pieces. Each piece adds a byte to its own file for every epoch, so pieces do not interfere.

    A machine that does not share this machine's folders writes no notes. The bar then moves when pieces end.

    Parameters
    ----------
    networks : sequence of int
        Number of networks in each piece.
    epochs : int
        Number of epochs of each network.
    bar : tqdm
        Counts epochs of networks.
    """

    def __init__(self, networks: Sequence[int], epochs: int, bar: tqdm) -> None:
        self._networks, self._epochs, self._bar = networks, epochs, bar
        self._shown = self._ended = 0
        remove_left_folders()
        self._folder = tempfile.TemporaryDirectory(prefix=_FOLDER, ignore_cleanup_errors=True)
        self._lock = FileLock(Path(self._folder.name) / "lock")
        with suppress(OSError, NotImplementedError):  # without a lock, the bar may stop
            self._lock.acquire(timeout=0)
        self._stop = threading.Event()
        self._follower = threading.Thread(target=self._follow, daemon=True)

    def note(self, piece: int) -> Path:
        """Return the file in which piece number `piece` notes its epochs."""
        return Path(self._folder.name) / str(piece)

    def ended(self, epochs: int) -> None:
        """Count epochs of networks in finished pieces, with or without notes."""
        self._ended += epochs

    def _follow(self) -> None:
        while not self._stop.wait(0.3):
            self._show()

    def _show(self) -> None:
        notes = [self.note(piece) for piece in range(len(self._networks))]
        # If Dask repeats a piece, the piece continues its note.
        sizes = [min(note.stat().st_size, self._epochs) if note.exists() else 0 for note in notes]
        done = max(self._ended, sum(n * size for n, size in zip(self._networks, sizes, strict=True)))
        self._bar.update(max(0, done - self._shown))
        self._shown = max(done, self._shown)

    def __enter__(self) -> Progress:
        self._follower.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._follower.join()
        self._show()
        self._lock.release(force=True)
        self._folder.cleanup()


def remove_left_folders(older: float = 3600) -> None:
    """Remove the folders of notes left by killed studies.

    A folder is in use while its lock is held. Folders younger than `older` seconds are kept, because they may soon be
    locked.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with suppress(OSError, NotImplementedError, Timeout):  # a folder of another user, or in use
            about = folder.lstat()
            mine = not hasattr(os, "getuid") or about.st_uid == os.getuid()
            if stat.S_ISDIR(about.st_mode) and mine and time.time() - about.st_mtime > older:
                with FileLock(folder / "lock", timeout=0):
                    pass
                shutil.rmtree(folder, ignore_errors=True)


def note_epoch(note: Path) -> None:
    """Add an epoch to a piece's note, if the file is reachable."""
    with suppress(OSError), note.open("ab") as file:  # a study must not stop because of a progress bar
        file.write(b".")


def start_worker(parent: int) -> None:
    """Set up a worker process: it uses one thread, and ends when the process with id `parent` no longer exists.

    The parent may have been killed. On Windows this cannot be detected; there, joblib ends idle processes after some
    minutes.
    """
    torch.set_num_threads(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
