"""Independent pieces of work, handed to joblib: here to processes, or to whatever backend its user has chosen.

Each piece may say how far it is; a bar follows. Processes end when the one that started them does.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import joblib
from joblib.parallel import get_active_backend
from tqdm import tqdm


def jobs_at_once(jobs: int | None = None) -> int:
    """Say how many pieces run at once: `jobs`, else as joblib's user has set it, else one per processor."""
    if jobs is None:
        _, jobs = get_active_backend()
    return joblib.effective_n_jobs(-1 if jobs is None else jobs)


class Progress:
    """A bar that follows pieces: each adds a byte to its own file for every epoch, so none can disturb another.

    On a machine that does not share this one's folders nothing is noted, and the bar moves as pieces end.

    Parameters
    ----------
    networks : sequence of int
        Networks in each piece.
    bar : tqdm
        Counts epochs of networks.
    """

    def __init__(self, networks: Sequence[int], bar: tqdm) -> None:
        self._networks, self._bar = networks, bar
        self._shown = self._ended = 0
        self._folder = tempfile.TemporaryDirectory(prefix="biornn_lite-")
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
        sizes = [note.stat().st_size if note.exists() else 0 for note in notes]
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
    if note.parent.is_dir():
        with note.open("ab") as file:
            file.write(b".")


def end_with(parent: int) -> None:
    """Have this process end when the process of number `parent`, which started it, is gone, even if killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
