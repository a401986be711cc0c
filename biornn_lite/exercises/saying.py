"""What all checks of exercises share: how they speak, and how they take numbers."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable

import numpy as np
import torch


def say(right: bool, message: str) -> bool:
    """Print whether an answer is right, and why; return it."""
    print(("✓ " if right else "✗ ") + message)
    return right


def unanswered() -> bool:
    """Say that there is no answer yet."""
    print("… not answered yet: replace None in the cell above, run that cell, then this one. Or go on without.")
    return False


def number(answer: object) -> float | None:
    """Turn an answer into a number, or say what it lacks to be one."""
    if answer is None:
        unanswered()
        return None
    try:
        value = float(answer)
    except (TypeError, ValueError):
        value = float("nan")
    if np.isnan(value):
        say(False, f"{textwrap.shorten(repr(answer), 60)} is not a number.")
        return None
    return value


def array(answer: object, otherwise: str = "That is not an array of numbers.") -> np.ndarray | None:
    """Turn an answer into an array of numbers, or say what keeps it from being one."""
    if answer is None:
        unanswered()
        return None
    if isinstance(answer, torch.Tensor):
        answer = answer.detach()
    try:
        return np.asarray(answer, dtype=float)
    except (TypeError, ValueError, RuntimeError):  # the last from a list of tensors
        say(False, otherwise)
        return None


def known_mistake(value: float, mistakes: dict[float, str], tolerance: float = 0.01) -> bool:
    """Say which mistake gives this value, if one does."""
    why = next((why for wrong, why in mistakes.items() if near(value, wrong, tolerance)), None)
    return why is not None and not say(False, f"{value:g}. {why}")


def near(value: float, right: float, tolerance: float = 1e-3) -> bool:
    """Say whether a number is right up to a relative tolerance."""
    return abs(value - right) <= tolerance * max(abs(right), 1e-12)


def result_of(function: object, takes: str, *arrays: object) -> object | None:
    """Call a learner's function with arrays, or say what keeps it from giving anything.

    Parameters
    ----------
    function : object
        The answer.
    takes : str
        What a function was to take, in words.
    *arrays : ndarray or Tensor
    """
    if function is None:
        unanswered()
    elif not callable(function):
        say(False, f"{type(function).__name__!r} was given; expected a function of {takes}.")
    else:
        return _returned_by(function, copy.deepcopy(arrays), arrays)
    return None


def _returned_by(function: Callable, given: tuple, kept: tuple) -> object | None:
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            returned = function(*given)
    except Exception as error:  # whatever a learner's code may raise
        say(False, f"It raises {type(error).__name__}: {error}".splitlines()[0])
        return None
    if not all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True)):
        say(False, "It changes what it was given; make a new array.")
        return None
    if returned is None:
        say(False, "It returns None. Is there a return?")
    return returned
