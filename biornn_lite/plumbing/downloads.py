"""Downloads that end: no server keeps its caller waiting, or fills memory, whatever it sends."""

from __future__ import annotations

import threading
import time
from urllib.parse import urljoin

import requests

from .arrays import first_line

PATIENCE = 30
"""Seconds that a server may take to begin."""

SLOWEST = 20_000
"""Bytes a second that must arrive from then on."""

TRIES = 3
"""How often a file is asked for whose connection breaks, or whose server is too busy."""


class NotFetched(Exception):
    """Says in a few words why a download failed."""


class Session(requests.Session):
    """Leaves it to ``_receive`` to go where an answer points: requests would first read all of that answer."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""
        return None


def fetched(session: requests.Session, address: str, size: int) -> bytes:
    """Return what is at an address, not much more than `size` bytes of it, or raise :class:`NotFetched`."""
    for left in reversed(range(TRIES)):
        try:
            return _in_time(session, address, size)
        except (OSError, ValueError) as error:
            reason, again = _reason(error)
            if not (again and left):
                raise NotFetched(reason) from None
        time.sleep(1)


def _reason(error: Exception) -> tuple[str, bool]:
    """Say in a few words why a download failed, and whether another try may help."""
    if isinstance(error, requests.HTTPError):
        code = error.response.status_code
        return f"the server answers {code}", code >= 500 or code == 429
    if isinstance(error, ValueError):
        return "that is no address", False
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off", True
    if isinstance(error, requests.RequestException):
        return "no connection", True
    return first_line(error), False  # such as of certificates that are not here


def _in_time(session: requests.Session, address: str, size: int) -> bytes:
    """Receive a file, but wait for no server that sends nothing, or too slowly.

    No time-out of a connection sees to that: each byte that arrives starts it anew. So another thread receives, which
    is left to itself if it takes too long.
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
    """Put into `got` what is at an address, until it is `size` bytes, or somewhat more, or `over` is set."""
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
