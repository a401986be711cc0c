"""Errors that a user can cause. Each message gives the problem, its place and a remedy."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace characters that control a terminal, such as line breaks, by ``?``."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class InputError(ValueError):
    """An input from the user is invalid. The message is one complete line.

    Messages contain names as given by the user, so control characters are replaced here.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(printable(str(message)))


class Stopped(KeyboardInterrupt):
    """A person interrupted a computation. The message is one line; a notebook shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class FieldError(InputError):
    """A cortical field is malformed or cannot be read."""


class FieldWarning(UserWarning):
    """A cortical field was read, and the user should know something about it. The message is one line."""
