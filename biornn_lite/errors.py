"""The errors that a user can cause, each with a message that says what, where and what to do."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text with ``?`` for what a terminal would obey and not show, such as the end of a line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line and complete by itself.

    Names go into messages as they are given, so letters that are none are replaced here, whatever the name is of.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(printable(str(message)))


class FieldError(InputError):
    """A cortical field is malformed or cannot be read."""


class FieldWarning(UserWarning):
    """A cortical field was read, but something about it is worth knowing; the message is one line."""
