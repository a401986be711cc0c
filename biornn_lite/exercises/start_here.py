"""Checks of the exercises in notebook 00."""

from __future__ import annotations

from ..tasks import get_task
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
