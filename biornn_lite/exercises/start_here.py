"""Checks of the exercises in notebook 00."""

from __future__ import annotations

from ..errors import InputError
from ..tasks import get_task
from ..variants import CHOICES, PUBLISHED_VARIANTS, VARIANTS, get_variant
from .saying import say, unanswered


def check_memoryless_ceiling(answer: float | None, task: str) -> bool:
    """Check the highest accuracy that a task allows without memory."""
    if answer is None:
        return unanswered()
    task = get_task(task)
    right = task.memoryless_ceiling()
    try:
        answer = float(answer)
    except (TypeError, ValueError):
        return say(False, f"{answer!r} is not a number; expected a share between 0 and 1.")
    if abs(answer - right) < 1e-3:
        return say(
            True,
            f"{right:.3f}. A network that scores this on {task.title} may have learned no memory at all.",
        )
    if not 0 <= answer <= 1:
        return say(False, f"{answer:g} is not a share between 0 and 1.")
    if abs(answer - 1 / task.classes) < 1e-3:
        return say(
            False,
            f"{answer:.3f} is blind guessing among {task.classes} answers; what does the last phase show?",
        )
    if abs(answer - task.best_ceiling()) < 1e-3:
        return say(False, f"{answer:.3f} is what perfect use of the whole trial allows; here the past is gone.")
    return say(
        False,
        f"{answer:g} is too {'high' if answer > right else 'low'}: "
        "count, type by type, how often the best guess is right.",
    )


def _differences(first: str, second: str) -> list[str]:
    a, b = get_variant(first), get_variant(second)
    return [choice for choice in CHOICES if getattr(a, choice) != getattr(b, choice)]


def check_variant_name(answer: str | None, weights: str, space: str, communicability: str) -> bool:
    """Check the name of a variant that was described; its choices are those of a ``Variant``."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, str):
        return say(False, f"{answer!r} is not a name; expected one in quotes, such as 'W*D*'.")
    described = [weights, space, communicability]
    (right,) = (name for name, v in VARIANTS.items() if [getattr(v, choice) for choice in CHOICES] == described)
    try:
        wrong = _differences(answer, right)
    except InputError as error:
        return say(False, f"{error}. The order is weights, space, communicability.")
    if not wrong:
        return say(True, f"{right}: the name says it all.")
    return say(False, f"{answer} differs from the network described in {' and '.join(wrong)}.")


def check_pair(answer: tuple[str, str] | None, choice: str) -> bool:
    """Check that two published variants differ in one choice and in nothing else."""
    if answer is None:
        return unanswered()
    try:
        first, second = answer
        found = _differences(first, second)
    except (TypeError, ValueError, AttributeError) as error:
        why = str(error) if isinstance(error, InputError) else "expected two names, such as ('W', 'W*D*C')"
        return say(False, f"{answer!r}: {why}.")
    if absent := [v for v in (first, second) if v not in PUBLISHED_VARIANTS]:
        return say(False, f"{absent[0]} is not among the eleven: {', '.join(PUBLISHED_VARIANTS)}.")
    if found != [choice]:
        what = " and ".join(found) or "nothing"
        return say(False, f"{first} and {second} differ in {what}; you would not know what a difference is due to.")
    return say(
        True, f"{first} and {second} differ in {choice} alone, so a difference in many runs would be due to it."
    )
