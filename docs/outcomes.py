"""How predictions came out: right, wrong, in part or not decided. Pages written from rows share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from tables import number

RIGHT, WRONG, PARTLY, OPEN = "right", "**wrong**", "**in part**", "not decided"


def outcome(*parts: bool | None) -> str:
    """Say whether all parts of a prediction came true; None is a part that the rows do not decide."""
    if None in parts:
        return PARTLY if True in parts else OPEN
    return RIGHT if all(parts) else PARTLY if any(parts) else WRONG


def every(parts: Iterable[bool | None]) -> bool | None:
    """Say whether all are true; None is not known. One that is false decides; without any, nothing is known."""
    parts = list(parts)
    if False in parts:
        return False
    return None if None in parts or not parts else True


def all_known(values: Mapping[object, float], test: Callable[[float], bool]) -> bool | None:
    """Say whether a test holds for all numbers; those that are not known are left out."""
    return every(bool(test(value)) for value in values.values() if not np.isnan(value))


def listed(values: Mapping[tuple[str, str], float], digits: int = 2) -> str:
    """Set numbers by context and start."""
    contexts = dict.fromkeys(context for context, _ in values)
    return "; ".join(
        f"{context}: " + ", ".join(f"{name} {number(v, digits)}" for (c, name), v in values.items() if c == context)
        for context in contexts
    )


class Predictions:
    """The predictions of a plan. Use an instance as a decorator: it takes a prediction, and a function judges it.

    The function takes what was found and returns the figures in words and the outcome.
    """

    def __init__(self) -> None:
        self._judged: list[tuple[str, Callable[..., tuple[str, str]]]] = []

    def __call__(self, text: str) -> Callable[[Callable], Callable]:
        """Add the function below a prediction."""

        def add(function: Callable) -> Callable:
            self._judged.append((text, function))
            return function

        return add

    def rows(self, *evidence) -> list[list[str]]:
        """List number, prediction, finding and outcome of each prediction."""
        found = [(text, *function(*evidence)) for text, function in self._judged]
        return [[f"{place}", text, what, word] for place, (text, what, word) in enumerate(found, 1)]

    def counts(self, *evidence) -> dict[str, str]:
        """Count the predictions by outcome, as a page's template names them."""
        words = [word for *_, word in self.rows(*evidence)]
        names = {"right": RIGHT, "wrong": WRONG, "partly": PARTLY, "undecided": OPEN}
        return {name: f"{words.count(word)}" for name, word in names.items()}
