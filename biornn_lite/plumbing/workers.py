"""Independent pieces of work, handed to joblib: to processes, or to the threads or the Dask cluster of its user.

Each piece may say how far it is; a bar follows.
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
"""Bytes that a process takes before it trains: Python and the libraries (measured on Linux)."""

_FOLDER = "biornn_lite-progress-"


def jobs_at_once(jobs: int | None = None) -> int:
    """Say how many pieces run at once: `jobs`, else as joblib's user has set it, else one per processor."""
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs is {jobs}; it must be at least 1")
    backend, configured = get_active_backend()
    if not backend.supports_return_generator:
        raise InputError("joblib's backend gives no results as they come; choose loky, threading or dask")
    if jobs is None:
        jobs = -1 if configured is None else configured
    return max(1, joblib.effective_n_jobs(jobs))


def uses_processes() -> bool:
    """Say whether joblib would compute in processes of this machine, and not in threads or elsewhere."""
    return isinstance(get_active_backend()[0], BACKENDS["loky"])


def memory_left(root: str | Path = "/") -> int | None:
    """Say how many bytes this process and those that it starts may still take, where Linux tells.

    The least of what the machine has left and of what each control group above this process has left, in which
    containers and JupyterHubs set their limits. What the system only keeps of files counts as left.

    Parameters
    ----------
    root : path
        Where ``proc`` and ``sys`` are; another one in tests.
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
        # In a container the path may be that outside, and the container's own group is at the top.
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
    except OSError:  # no such machine
        return ""


def processes_that_fit(each: int) -> int | None:
    """Say how many processes fit into the memory that is left, at least 1; None where that is not known.

    Parameters
    ----------
    each : int
        Bytes that one takes for what it computes.
    """
    left = memory_left()
    return None if left is None else max(1, left // (MEMORY_OF_A_PROCESS + each))


def safe_folder() -> dict:
    """Give options for ``joblib.Parallel`` where its folder for large arrays has letters other than ASCII.

    Such as in the name of a Windows user: joblib fails as it notes the folder, whether it writes there or not. With
    these options it writes nothing, and arrays go to the processes as everything else does.
    """
    folders = os.environ.get("JOBLIB_TEMP_FOLDER", ""), tempfile.gettempdir()
    return {} if "".join(folders).isascii() else {"temp_folder": os.path.abspath(os.sep), "max_nbytes": None}  # noqa: PTH100


class Progress:
    """A bar that follows pieces: each adds a byte to its own file for every epoch, so none can disturb another.

    On a machine that does not share this one's folders nothing is noted, and the bar moves as pieces end.

    Parameters
    ----------
    networks : sequence of int
        Networks in each piece.
    epochs : int
        Of each.
    bar : tqdm
        Counts epochs of networks.
    """

    def __init__(self, networks: Sequence[int], epochs: int, bar: tqdm) -> None:
        self._networks, self._epochs, self._bar = networks, epochs, bar
        self._shown = self._ended = 0
        remove_left_folders()
        self._folder = tempfile.TemporaryDirectory(prefix=_FOLDER, ignore_cleanup_errors=True)
        self._lock = FileLock(Path(self._folder.name) / "lock")
        with suppress(OSError, NotImplementedError):  # then the folder may be removed early, and the bar stands still
            self._lock.acquire(timeout=0)
        self._stop = threading.Event()
        self._follower = threading.Thread(target=self._follow, daemon=True)

    def note(self, piece: int) -> Path:
        """Where piece number `piece` notes its epochs."""
        return Path(self._folder.name) / str(piece)

    def ended(self, epochs: int) -> None:
        """Say that pieces with so many epochs of networks have ended, whether they noted them or not."""
        self._ended += epochs

    def _follow(self) -> None:
        while not self._stop.wait(0.3):
            self._show()

    def _show(self) -> None:
        notes = [self.note(piece) for piece in range(len(self._networks))]
        # A piece that Dask computes again goes on with its note.
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
    """Remove the folders of notes that studies left behind which were killed.

    A folder is in use while its lock is held. Those younger than `older` seconds may be about to be locked.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with suppress(OSError, NotImplementedError, Timeout):  # of another user, or in use
            about = folder.lstat()
            mine = not hasattr(os, "getuid") or about.st_uid == os.getuid()
            if stat.S_ISDIR(about.st_mode) and mine and time.time() - about.st_mtime > older:
                with FileLock(folder / "lock", timeout=0):
                    pass
                shutil.rmtree(folder, ignore_errors=True)


def note_epoch(note: Path) -> None:
    """Add an epoch to a piece's note, where that can be reached."""
    with suppress(OSError), note.open("ab") as file:  # no study ends for want of a bar
        file.write(b".")


def start_worker(parent: int) -> None:
    """Set up a process that computes: one thread, and its end when the process of number `parent` is gone.

    That process has started this one and may have been killed. Windows does not tell; there, joblib ends idle
    processes after some minutes.
    """
    torch.set_num_threads(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
