"""What all checks of exercises share: how they speak, and how they take numbers."""

from __future__ import annotations

import copy
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence

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


OF_EIGENVALUES = " (Eigenvalues may be complex: take np.abs first.)"


def array(answer: object, otherwise: str = "That is not an array of numbers.") -> np.ndarray | None:
    """Turn an answer into an array of numbers, or say what keeps it from being one."""
    if answer is None:
        unanswered()
        return None
    if isinstance(answer, torch.Tensor):
        answer = answer.detach()
    try:
        if not np.iscomplexobj(answer):
            return np.asarray(answer, dtype=float)
        values = np.asarray(answer)
    except (TypeError, ValueError, RuntimeError):  # the last from a list of tensors
        say(False, otherwise)
        return None
    if (np.abs(values.imag) <= 1e-9 * np.abs(values)).all():  # real but for rounding
        return values.real
    say(False, f"Those are complex numbers; expected real ones.{OF_EIGENVALUES}")
    return None


def near(value: float, right: float, tolerance: float = 1e-3, absolute: float = 0.0) -> bool:
    """Say whether a number is right up to a tolerance relative to the right one, or up to an absolute one."""
    return abs(value - right) <= max(tolerance * max(abs(right), 1e-12), absolute)


def known_mistake(value: float, mistakes: Mapping[float, str], tolerance: float = 0.01) -> bool:
    """Say which mistake gives this value, if one does."""
    why = next((why for wrong, why in mistakes.items() if near(value, wrong, tolerance)), None)
    return why is not None and not say(False, f"{value:g}. {why}")


def graded(
    answer: object,
    right: float,
    told: str,
    mistakes: Mapping[float, str],
    hint: str,
    *,
    tolerance: float = 1e-3,
    absolute: float = 0.0,
    mistaken: float = 0.01,
    ways: tuple[str, str] = ("low", "high"),
) -> bool:
    """Say whether a number is right, comes from a known mistake, or is neither; return whether it is right.

    Parameters
    ----------
    answer : object
    right : float
    told : str
        What to say of the right number.
    mistakes : mapping of float to str
        What to say of the number that each mistake gives.
    hint : str
        What to say of any other number. It may hold ``{value:g}``, the number, and ``{way}``, such as "low".
    tolerance, absolute : float
        How far the answer may be off: as a share of the right number, or in its unit. The larger one counts.
    mistaken : float
        How far the answer may be off the number of a mistake, as a share of that number.
    ways : tuple of str
        The ``{way}`` of a number that is too small, and of one that is too large.
    """
    value = number(answer)
    if value is None:
        return False
    if near(value, right, tolerance, absolute):
        return say(True, told)
    if known_mistake(value, mistakes, mistaken):
        return False
    return say(False, hint.format(value=value, way=ways[1] if value > right else ways[0]))


def graded_array(
    value: np.ndarray,
    right: object,
    told: str,
    mistakes: Sequence[tuple[object, str]],
    hint: str,
    same: Callable[[np.ndarray, object], bool] = np.allclose,
) -> bool:
    """Say of an array what :func:`graded` says of a number; its shape is right already.

    Each mistake is a pair: the array that it gives, and what to say of it. ``same`` compares two arrays.
    """
    if same(value, right):
        return say(True, told)
    return say(False, next((why for wrong, why in mistakes if same(value, wrong)), hint))


def result_of(function: object, takes: str, *arrays: object, rng: np.random.Generator | None = None) -> object | None:
    """Call a learner's function with arrays, or say what keeps it from giving anything.

    Parameters
    ----------
    function : object
        The answer.
    takes : str
        What a function was to take, in words.
    *arrays : ndarray or Tensor
    rng : Generator, optional
        The random stream that the function takes after the arrays.
    """
    if function is None:
        unanswered()
    elif not callable(function):
        say(False, f"{type(function).__name__!r} was given; expected a function of {takes}.")
    else:
        return _returned_by(function, copy.deepcopy(arrays), arrays, () if rng is None else (rng,))
    return None


def array_from(
    function: object,
    takes: str,
    *arrays: object,
    otherwise: str = "It does not return an array of numbers.",
    rng: np.random.Generator | None = None,
) -> np.ndarray | None:
    """Call a learner's function as :func:`result_of` does, and turn what it returns into an array of numbers.

    If that fails, ``otherwise`` is said, which may name the ``{type}`` of what was returned.
    """
    returned = result_of(function, takes, *arrays, rng=rng)
    return None if returned is None else array(returned, otherwise.format(type=type(returned).__name__))


def one_number(returned: object) -> float | None:
    """Take what a learner's function returned as one number, which may be NaN, or say what it is instead."""
    if isinstance(returned, torch.Tensor):
        returned = returned.detach()
    try:
        value = np.asarray(returned, dtype=float)
    except (TypeError, ValueError, RuntimeError):
        say(False, f"It returns a {type(returned).__name__}; expected one number.")
        return None
    if value.size != 1:
        say(False, f"It returns shape {value.shape}; expected one number.")
        return None
    return float(value.reshape(()))


def number_from(
    function: object, takes: str, *arrays: object, rng: np.random.Generator | None = None, nan: bool = True
) -> float | None:
    """Call a learner's function as :func:`result_of` does, and take what it returns as one number.

    With ``nan=False``, NaN is refused.
    """
    returned = result_of(function, takes, *arrays, rng=rng)
    value = None if returned is None else one_number(returned)
    if value is not None and np.isnan(value) and not nan:
        say(False, "It returns NaN, which is not a number.")
        return None
    return value


def _returned_by(function: Callable, given: tuple, kept: tuple, drawn_from: tuple) -> object | None:
    try:
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # such as NumPy's of the mean of nothing
            returned = function(*given, *drawn_from)
    except Exception as error:  # whatever a learner's code may raise
        told = f"It raises {type(error).__name__}: {error}".splitlines()[0]
        say(False, told + (OF_EIGENVALUES if "complex" in told else ""))
        return None
    if not all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True)):
        say(False, "It changes what it was given; make a new array.")
        return None
    if returned is None:
        say(False, "It returns None. Is there a return?")
    return returned
