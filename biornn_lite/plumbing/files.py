"""Where the embedded data are, and writing a file wholly or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputError

STALE = 24 * 3600
"""Seconds after which what a killed run left half-written is cleared away."""

# What helps against an error of writing.
_ROOM = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room on the disk or choose another folder")
_RIGHT = dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "choose a folder that you may write to")
_REMEDIES = _ROOM | _RIGHT
_HELD = "close the program that may have it open, or choose another name"

_PAUSES = (0.05, 0.1, 0.2, 0.3, 0.4)  # seconds between tries to replace a file that another program holds


def data_folder() -> Path:
    """Return the folder of the embedded data: inside an installed package, beside it in a clone."""
    package = Path(__file__).parent.parent
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


@contextmanager
def written_atomically(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put what was written there in its place at the end.

    A reader sees the old file or the new one, never a part; after an error the old one stays. A new file has the
    usual mode, one that replaces another has the mode of that.

    Raises
    ------
    InputError
        If the file cannot be written, such as on a full disk. Other errors of what is done inside pass.
    """
    path = Path(path)
    stem = f".{path.name[:50]}."  # a name may take 255 bytes, and a letter 4
    # A name that nobody can foretell, and so put a link to another file there.
    temporary = path.with_name(f"{stem}{secrets.token_hex(8)}.part")
    try:
        mode = _mode(path)
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise _refusal(path, error) from None
    try:
        yield temporary
        _clear_away(temporary, stem)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if mode is not None and mode != _mode(temporary):
            temporary.chmod(mode)
        _replace(temporary, path)
    except OSError as error:
        if error.errno in _REMEDIES and error.filename in (None, str(temporary)):
            raise _refusal(path, error) from None
        raise
    finally:
        with suppress(OSError):  # such as on Windows, if it is open still; a later run clears it away
            temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int | None:
    """Return who may read and write a file; None if there is none."""
    if not path.exists():
        return None
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a file")
    return stat.S_IMODE(mode)


def read_text(path: Path, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Return what a text file holds. Another kind of thing, such as a pipe, which might never end, is not opened.

    Raises
    ------
    OSError
        If there is none, it cannot be read, or it is not a file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a file")
    return path.read_text(encoding=encoding, errors=errors)


def _clear_away(temporary: Path, stem: str) -> None:
    """Remove what runs that were killed left of the same file."""
    left = re.compile(re.escape(stem) + r"[0-9a-f]+\.part")
    with suppress(OSError):  # such as of one that another process has just removed
        for path in temporary.parent.iterdir():
            if left.fullmatch(path.name):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime > STALE:
                    path.unlink()


def _replace(temporary: Path, path: Path) -> None:
    """Put a file in the place of another, which on Windows waits for programs that have it open."""
    for pause in (*_PAUSES, None):
        try:
            temporary.replace(path)
            return
        except PermissionError as error:
            if pause is None:
                raise _refusal(path, error, _HELD) from None
            time.sleep(pause)
        except OSError as error:
            raise _refusal(path, error) from None


def _refusal(path: Path, error: OSError, remedy: str | None = None) -> InputError:
    remedy = remedy or _REMEDIES.get(error.errno, "choose another path")
    kept = "; the old file is kept" if path.is_file() else ""
    return InputError(f"{path}: cannot be written ({error.strerror or error}); {remedy}{kept}")
