"""Independent pieces of work, handed to joblib: to processes, or to the threads or the Dask cluster of its user.

Each piece may say how far it is; a bar follows.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import joblib
import torch
from joblib.parallel import get_active_backend
from tqdm import tqdm

from .errors import InputError


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
        self._folder = tempfile.TemporaryDirectory(prefix="biornn_lite-", ignore_cleanup_errors=True)
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
        self._folder.cleanup()


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
