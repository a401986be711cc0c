"""Downloads with limits: a server can neither block the caller nor fill the memory."""

from __future__ import annotations

import threading
import time
from urllib.parse import urljoin

import requests

from .arrays import first_line

PATIENCE = 30
"""Maximum time in seconds until a server starts to send."""

SLOWEST = 20_000
"""Minimum rate in bytes per second after the start."""

TRIES = 3
"""Maximum number of attempts if a connection breaks or a server is too busy."""


class NotFetched(Exception):
    """Raised if a download failed; the message gives the reason in a few words."""


class Session(requests.Session):
    """A session without redirects: requests would read the whole answer first. ``_receive`` follows redirects."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that requests follows no redirect."""
        return None


def fetched(session: requests.Session, address: str, size: int) -> bytes:
    """Return the file at an address, limited to little more than `size` bytes, or raise :class:`NotFetched`."""
    for left in reversed(range(TRIES)):
        try:
            return _in_time(session, address, size)
        except (OSError, ValueError) as error:
            reason, again = _reason(error)
            if not (again and left):
                raise NotFetched(reason) from None
        time.sleep(1)


def _reason(error: Exception) -> tuple[str, bool]:
    """Return in a few words why a download failed, and whether another attempt may help."""
    if isinstance(error, requests.HTTPError):
        code = error.response.status_code
        return f"the server answers {code}", code >= 500 or code == 429
    if isinstance(error, ValueError):
        return "that is no address", False
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off", True
    if isinstance(error, requests.RequestException):
        return "no connection", True
    return first_line(error), False  # for example missing certificates


def _in_time(session: requests.Session, address: str, size: int) -> bytes:
    """Receive a file, and give up if the server sends nothing or sends too slowly.

    The time-out of a connection is not enough, because each received byte restarts it. Therefore another thread
    receives the file. It is abandoned if it takes too long.
    """
    got, failures, over = bytearray(), [], threading.Event()

    def receive() -> None:
        try:
            _receive(session, address, size, got, over)
        except Exception as error:
            failures.append(error)

    receiver = threading.Thread(target=receive, daemon=True)
    start = time.monotonic()
    receiver.start()
    try:
        while receiver.is_alive():
            receiver.join(0.1)
            waited = time.monotonic() - start
            if receiver.is_alive() and waited > PATIENCE + len(got) / SLOWEST:
                raise NotFetched(f"too slow, {len(got):,} of {size:,} bytes came in {waited:.0f} s")
    finally:
        over.set()
    if failures:
        raise failures[0]
    return bytes(got)


def _receive(session: requests.Session, address: str, size: int, got: bytearray, over: threading.Event) -> None:
    """Receive a file into `got`, until it has `size` bytes or slightly more, or `over` is set."""
    for _ in range(5):
        asked = session.get(address, stream=True, timeout=2 * PATIENCE, headers={"Accept-Encoding": "identity"})
        with asked as answer:
            if answer.is_redirect:
                address = urljoin(address, answer.headers["location"])
                continue
            answer.raise_for_status()
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise NotFetched("the server packs what it sends, which it was not asked to")
            for block in answer.iter_content(4096):
                got += block
                if len(got) >= size or over.is_set():
                    break
            return
    raise NotFetched("the server points from address to address")
