"""Checks of the exercises: each prints what is right or wrong and where to look, and returns whether all is right."""

from __future__ import annotations

from .errors import InputError
from .tasks import get_task
from .variants import get_variant


def _say(right: bool, message: str) -> bool:
    print(("✓ " if right else "✗ ") + message)
    return right


def _unanswered() -> bool:
    print("… not answered yet: replace None above and run the cell again. You can also go on without.")
    return False


def check_memoryless_ceiling(answer: float | None, task: str) -> bool:
    """Check the highest accuracy that a task allows without memory."""
    if answer is None:
        return _unanswered()
    task = get_task(task)
    right = task.memoryless_ceiling()
    try:
        answer = float(answer)
    except (TypeError, ValueError):
        return _say(False, f"{answer!r} is not a number; expected a share between 0 and 1.")
    if abs(answer - right) < 1e-3:
        return _say(
            True,
            f"{right:.3f}. A network that scores this on {task.title} may have learned no memory at all.",
        )
    if not 0 <= answer <= 1:
        return _say(False, f"{answer:g} is not a share between 0 and 1.")
    if abs(answer - 1 / task.classes) < 1e-3:
        return _say(
            False,
            f"{answer:.3f} is blind guessing among {task.classes} answers; what does the last phase show?",
        )
    if abs(answer - task.best_ceiling()) < 1e-3:
        return _say(False, f"{answer:.3f} is what perfect use of the whole trial allows; here the past is gone.")
    return _say(
        False,
        f"{answer:g} is too {'high' if answer > right else 'low'}: "
        "count, type by type, how often the best guess is right.",
    )


def check_one_difference(pairs: list[tuple[str, str]] | None, choice: str, available: tuple[str, ...]) -> bool:
    """Check that pairs of variants differ in one choice and in nothing else, and that none is missing.

    Parameters
    ----------
    pairs : list of (str, str), or None
        Names of variants, in any order.
    choice : {"weights", "space", "communicability"}
    available : tuple of str
        The variants that may be paired.
    """
    if not pairs:
        return _unanswered()
    choices = ("weights", "space", "communicability")

    def differences(a: str, b: str) -> list[str]:
        return [c for c in choices if getattr(get_variant(a), c) != getattr(get_variant(b), c)]

    wanted = {frozenset((a, b)) for a in available for b in available if a < b and differences(a, b) == [choice]}
    given = set()
    for pair in pairs:
        try:
            a, b = pair
            found = differences(a, b)
        except (TypeError, ValueError) as error:
            why = str(error) if isinstance(error, InputError) else "expected two names"
            return _say(False, f"{pair!r}: {why}.")
        if found != [choice]:
            what = " and ".join(found) or "nothing"
            return _say(
                False,
                f"{a} and {b} differ in {what}; a difference between them would not be due to {choice} alone.",
            )
        if not {a, b} <= set(available):
            return _say(False, f"{a} and {b} are not both among {', '.join(available)}.")
        given.add(frozenset((a, b)))
    if given != wanted:
        return _say(False, f"All given pairs are fair, but {len(wanted - given)} more can be found.")
    return _say(True, f"These are all {len(wanted)} pairs that isolate {choice}.")
