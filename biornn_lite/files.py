"""Where the embedded data are, and writing a file wholly or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def data_folder() -> Path:
    """Return the folder of the embedded data: inside an installed package, beside it in a clone."""
    package = Path(__file__).parent
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


@contextmanager
def written_atomically(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put what was written there in its place at the end.

    A reader sees the old file or the new one, never a part; after an error the old one stays.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
