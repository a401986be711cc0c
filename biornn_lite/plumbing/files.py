"""The folder of the embedded data, and atomic writing of files."""

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
"""Age in seconds after which the unfinished files of killed runs are removed."""

# Remedies for errors in writing.
_ROOM = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room on the disk or choose another folder")
_RIGHT = dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "choose a folder that you may write to")
_REMEDIES = _ROOM | _RIGHT
_HELD = "close the program that may have it open, or choose another name"

_PAUSES = (0.05, 0.1, 0.2, 0.3, 0.4)  # seconds between attempts to replace a file that another program uses


def data_folder() -> Path:
    """Return the folder of the embedded data: inside an installed package, or next to the package in a clone."""
    package = Path(__file__).parent.parent
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


@contextmanager
def written_atomically(path: str | Path) -> Iterator[Path]:
    """Give a temporary path next to `path`; at the end, its file replaces `path`.

    A reader sees the complete old file or the complete new file. After an error the old file stays. A new file has
    the default mode; a replaced file keeps its mode.

    Raises
    ------
    InputError
        If the file cannot be written, for example on a full disk. Other errors inside the block are passed on.
    """
    path = Path(path)
    stem = f".{path.name[:50]}."  # a name has at most 255 bytes, and a letter up to 4 bytes
    # The name is unpredictable, so nobody can place a link to another file there.
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
        with suppress(OSError):  # for example on Windows, if it is still open; a later run removes it
            temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int | None:
    """Return the permissions of a file; None if it does not exist."""
    if not path.exists():
        return None
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a file")
    return stat.S_IMODE(mode)


def read_text(path: Path, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Return the contents of a text file. Other objects, such as a pipe, are not opened, because they may never end.

    Raises
    ------
    OSError
        If it does not exist, cannot be read, or is not a file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a file")
    return path.read_text(encoding=encoding, errors=errors)


def _clear_away(temporary: Path, stem: str) -> None:
    """Remove unfinished files of killed runs for the same path."""
    left = re.compile(re.escape(stem) + r"[0-9a-f]+\.part")
    with suppress(OSError):  # for example, another process has just removed it
        for path in temporary.parent.iterdir():
            if left.fullmatch(path.name):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime > STALE:
                    path.unlink()


def _replace(temporary: Path, path: Path) -> None:
    """Replace a file by another. On Windows, wait for programs that have it open."""
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
