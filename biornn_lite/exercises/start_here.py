"""Checks of the exercises in notebook 00."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from ..errors import InputError
from ..tasks import OneChoiceInference, get_task
from ..variants import CHOICES, PUBLISHED_VARIANTS, VARIANTS, get_variant
from .saying import graded, near, number, result_of, say, unanswered


def check_memoryless_ceiling(answer: float | None, task: str, types: int | None = None) -> bool:
    """Check the highest accuracy that a task allows without memory, for all trial types or the first `types` only."""
    if answer is None:
        return unanswered()
    whole = get_task(task)
    task = whole if types is None else replace(whole, types=whole.types[:types])
    right = task.memoryless_ceiling()
    try:
        answer = float(answer)
    except (TypeError, ValueError):
        return say(False, f"{answer!r} is not a number; expected a share between 0 and 1.")
    if not 0 <= answer <= 1:
        return say(False, f"{answer:g} is not a share between 0 and 1.")
    mistakes = {
        1 / task.classes: f"{answer:.3f} is blind guessing among {task.classes} answers; what does the last phase "
        "show?",
        task.best_ceiling(): f"{answer:.3f} is what perfect use of the whole trial allows; here the past is gone.",
    }
    if isinstance(task, OneChoiceInference):
        answers: dict[frozenset, list[int]] = {}  # by pair of choices
        for _, choices, correct in task.types:
            answers.setdefault(frozenset(choices), []).append(correct)
        of_each = [max(map(given.count, given)) / len(given) for given in answers.values()]
        mistakes |= {
            0.5: "0.5 is a guess between the two choices that are shown. Does each pair of choices come with two "
            "different right answers?",
            sum(of_each) / len(of_each): f"{answer:.3f} is the mean over the pairs of choices. Some pairs come twice "
            "as often as others.",
            whole.memoryless_ceiling(): f"{answer:.3f} is right for all {len(whole.types)} types; only the first "
            f"{types} come.",
        }
    if abs(answer - right) < 0.01:  # two digits are enough
        return say(
            True,
            f"{right:.3f}. A network that scores this on {task.title} may have learned no memory at all.",
        )
    if why := next((why for wrong, why in mistakes.items() if abs(answer - wrong) < 6e-3), None):
        return say(False, why)
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


def check_three_variants(answer: tuple[str, str, str] | None, choices: tuple[str, str]) -> bool:
    """Check that of three published variants, for each of two choices, two differ in this choice alone."""
    if answer is None:
        return unanswered()
    if isinstance(answer, str) or not isinstance(answer, Sequence) or len(answer) != 3:
        return say(False, f"{answer!r}: expected three names, such as ('W', 'WDC', 'W*D*C').")
    if absent := [v for v in answer if v not in PUBLISHED_VARIANTS]:
        return say(False, f"{absent[0]!r} is not among the eleven: {', '.join(PUBLISHED_VARIANTS)}.")
    differences = {pair: _differences(*pair) for pair in combinations(answer, 2)}
    if [] in differences.values():
        return say(False, "One name stands there twice; a network does not differ from itself.")
    told = []
    for choice in choices:
        clean = [" and ".join(pair) for pair, found in differences.items() if found == [choice]]
        if not clean:
            return say(False, f"No two of them differ in {choice} alone. {_told(differences, choice)}")
        told.append(f"{clean[0]} differ in {choice} alone")
    return say(True, "; ".join(told) + ". In many runs, each difference would be due to that choice.")


def _told(differences: Mapping[tuple[str, str], list[str]], choice: str) -> str:
    """Say in what the pair differs that comes nearest to a difference in one choice."""
    near = {pair: found for pair, found in differences.items() if choice in found} or differences
    pair, found = min(near.items(), key=lambda each: len(each[1]))
    return f"{pair[0]} and {pair[1]} differ in {' and '.join(found)}."


def check_ceiling(function: object) -> bool:
    """Check a function of trial types, pairs of what is seen and the right answer, that returns the best share."""
    for name, types in _TYPES.items():
        returned = result_of(function, "types", types)
        if returned is None:
            return False
        answers = {seen: [label for other, label in types if other == seen] for seen, _ in types}
        most = [max(map(given.count, given)) for given in answers.values()]
        labels = [label for _, label in types]
        right = sum(most) / len(types)
        blind = "That observer looks at nothing: it guesses, or gives one answer to all trials."
        of_each = [share / len(given) for share, given in zip(most, answers.values(), strict=True)]
        guessed = sum(len(given) / len(set(given)) for given in answers.values())
        first_met = sum(given.count(given[0]) for given in answers.values())
        mistakes = {
            1.0: "That observer is always right: it knows what it cannot see.",
            float(sum(most)): "That is how many types are answered rightly; divide by how many there are.",
            100 * right: "That is in per cent; give a share between 0 and 1.",
            1 / len(set(labels)): blind,
            max(map(labels.count, labels)) / len(types): blind,
            len(answers) / len(types): "That gets one type right for each thing seen. The best guess is right in all "
            "types that look alike and have the most frequent answer.",
            sum(of_each) / len(of_each): "That is the mean over what can be seen. Some things are seen more often.",
            guessed / len(types): "That observer guesses among the answers that it has met. The best one takes the "
            "most frequent.",
            first_met / len(types): "That observer takes the first answer that it met. The best one takes the most "
            "frequent.",
        }
        once = {seen: len({label for other, label in types if other == seen}) for seen in answers}
        repeated = "The same pair may stand in the list more than once, and each time counts: a set drops repeats."
        mistakes.setdefault(len(once) / sum(once.values()), repeated)
        value = number(returned)
        if value is None:
            return False
        if not near(value, right):
            hint = f"For {name} it gives {{value:g}}, which is too {{way}}; expected {right:.3f}."
            return graded(value, right, "", mistakes, hint, mistaken=1e-6)
    return say(True, f"Right for {len(_TYPES)} sets of trial types, with and without memory.")


_TYPES: dict[str, list[tuple[str, str]]] = {
    "one-choice inference": [
        (" + ".join(get_task("one_choice_inference").answers[choice] for choice in choices), str(answer))
        for _, choices, answer in get_task("one_choice_inference").types
    ],
    "Go/NoGo": [("silence", "Go"), ("silence", "NoGo")],
    "Go/NoGo with memory": [("Go", "Go"), ("NoGo", "NoGo")],
    "eleven types that look in two ways": [
        *(("dark", label) for label in ("down", "right", "right", "up", "right", "down")),
        *(("light", label) for label in ("up", "left", "up", "left", "left")),
    ],
}
"""Trial types on which a learner's function is tried: what is seen, and the right answer."""
