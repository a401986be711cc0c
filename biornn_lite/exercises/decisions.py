"""Checks of the exercises in notebook 06."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from numbers import Integral

import numpy as np
from scipy.stats import norm

from ..seeds import generator
from ..tasks import accuracy_of_best_guess, get_task
from .saying import graded, graded_array, number, say, unanswered


def check_steps_held(answer: float | None, task: str) -> bool:
    """Check how many steps a task goes on after the last input that tells its answers apart."""
    chosen = get_task(task)
    inputs, labels = chosen.trials(64, generator(0, "exercise"))
    telling = np.flatnonzero((inputs[labels == 0][0] != inputs[labels == 1][0]).any(axis=-1))  # steps, from 0
    first, last = int(telling[0]), int(telling[-1])
    right = chosen.steps - 1 - last
    told = f"{right} steps; if each left 0.95 of the difference, {0.95**right:.2f} of it would be left."
    silent = int(np.cumprod(~inputs[0, ::-1].any(axis=-1)).sum())  # steps of silence at the end
    mistakes = {
        right - 1.0: "One too few: the state after the last step is the one that is read.",
        right + 1.0: "One too many: in its last step the stimulus is still there, nothing is multiplied yet.",
        float(right - silent): "That ends with the fixation; the silence after it counts as well.",
        float(silent): "That is the silence alone; the fixation before it says nothing of the stimulus either.",
        float(chosen.steps - first): "That counts from the *start* of the stimulus; count from its last step.",
        float(chosen.steps - 1 - first): "That counts from the *first* step of the stimulus; count from its last.",
        float(last - first + 1): "That is how long the stimulus lasts.",
        float(last + 1): "That is the step in which the stimulus ends; how many come after it?",
        float(chosen.steps): "That is the whole trial.",
    }
    hint = "{value:g} is too {way}: count from the last step of stimulus."
    return graded(answer, right, told, mistakes, hint, ways=("few", "many"))


def check_accuracy_by_hand(
    answer: float | None, steps: int, coherence: float, noise: float, input_noise: float
) -> bool:
    """Check the best accuracy at one coherence.

    Parameters
    ----------
    answer : float or None
    steps : int
        Of evidence.
    coherence : float
        In per cent.
    noise, input_noise : float
        SDs of the evidence and of the inputs, of each channel at each step.
    """
    value = number(answer)
    if value is None:
        return False
    signal = steps * coherence / 100
    variance = noise**2 + input_noise**2  # of one channel in one step
    sd = np.sqrt(2 * steps * variance)
    right = float(norm.cdf(signal / sd))
    told = f"{right:.3f}: a mean of {signal:.2f}, an SD of {sd:.3f}, and Φ({signal / sd:.3f})."
    mistakes = {
        100 * right: "That is in per cent.",
        1 - right: "That is the share of wrong answers.",
        signal / sd: "That is mean over SD; Φ of it is the accuracy.",
        float(norm.cdf(signal / (steps * variance) ** 0.5)): "You forgot that the difference of two channels has "
        "twice the variance of one.",
        float(norm.cdf(signal / sd**2)): "You divided by the variance; divide by its root.",
        float(norm.cdf(coherence / 100 / (2 * variance) ** 0.5)): "That is one step's worth: over n steps the mean "
        "grows with n, the SD with √n only.",
        float(norm.cdf(steps * coherence / sd)): "Coherence is in per cent: divide it by 100.",
        float(norm.cdf(signal / 2 / sd)): "Each channel is off ½ by coherence/200; their *difference* by twice that.",
        float(norm.cdf(signal / ((noise + input_noise) * (2 * steps) ** 0.5))): "You added the two SDs; independent "
        "noises add their variances.",
        float(norm.cdf(signal / (noise * (2 * steps) ** 0.5))): "You left out the input noise.",
        float(norm.cdf(signal / (input_noise * (2 * steps) ** 0.5))): "You left out the noise of the evidence.",
    }
    hint = "{value:g} is too {way}. First the mean of the summed difference, then its SD, then Φ."
    if not 0 <= value <= 1:
        hint = "{value:g} is not a share between 0 and 1."
    return graded(value, right, told, mistakes, hint, tolerance=6e-3, mistaken=2e-3)  # two decimals will do


def _answers_of(function: object, inputs: np.ndarray) -> np.ndarray | str:
    """Return the answers of a function, or what keeps them from being any."""
    given = inputs.copy()
    try:
        answers = function(given)
    except Exception as error:  # whatever a learner's code may raise
        return f"It raises {type(error).__name__}: {error}"
    if not np.array_equal(given, inputs):
        return "It changes the inputs that it was given; make a new array."
    if answers is None:
        return "It returns None. Is there a return?"
    try:
        answers = np.asarray(answers)
    except (TypeError, ValueError, RuntimeError):
        return f"It returns a {type(answers).__name__} that is not one array of answers."
    if answers.shape != (len(inputs),):
        return f"For {len(inputs)} trials it returns shape {answers.shape}; expected {(len(inputs),)}."
    if answers.dtype.kind not in "biuf":
        return f"It returns values of type {answers.dtype}; expected 0 or 1."
    return answers.astype(float)


def check_observer(function: object) -> bool:
    """Check an ideal observer of the perceptual decision: a function of inputs (trials, steps, 3) to answers."""
    if function is None:
        return unanswered()
    if not callable(function):
        return say(False, f"{type(function).__name__!r} was given; expected a function of inputs.")
    inputs, labels = get_task("perceptual_decision_making").trials(2000, generator(0, "exercise"))
    answers = _answers_of(function, inputs)
    if isinstance(answers, str):
        return say(False, answers)
    silenced = inputs.copy()
    silenced[:, :, 0] = 0
    without = _answers_of(function, silenced)
    if isinstance(without, str) or not np.array_equal(answers, without):
        return say(
            False, "Its answers change with channel 0, the fixation, which tells nothing: use channels 1 and 2."
        )
    if np.isin(answers, (1, 2)).all() and (answers == 2).any():
        return say(False, "It names the channel, 1 or 2; the labels are 0 (channel 1) and 1 (channel 2).")
    if not np.isin(answers, (0, 1)).all():
        return say(False, f"It returns {answers[0]:g} for the first trial; expected the label, 0 or 1.")
    if answers.min() == answers.max():
        return say(
            False, f"It says {answers[0]:g} in every trial. Where in the trial is the evidence? Not at its end."
        )
    one, other = (inputs[:, :, channel].astype(float) for channel in (1, 2))  # (trials, steps)
    right = other.sum(axis=1) > one.sum(axis=1)
    share = f"Right in {(answers == labels).mean():.3f} of 2,000 trials"
    told = f"{share}, and no other rule can expect more."
    mistakes = [
        (~right, "The labels are swapped: 0 means that channel 1 is the stronger."),
        (one.sum(axis=1) < 15, "That is channel 1 alone; compare it with channel 2, which has as much to say."),
        (other.sum(axis=1) > 15, "That is channel 2 alone; compare it with channel 1, which has as much to say."),
        ((other > one).sum(axis=1) > (one > other).sum(axis=1), "You counted steps; how *much* larger matters too."),
        (other.max(axis=1) > one.max(axis=1), "You compared the largest values; sum over all steps."),
        (other.std(axis=1) > one.std(axis=1), "You compared the spreads; compare the sums."),
        *((other[:, t] > one[:, t], f"That is one step of evidence alone; sum over all {30}.") for t in range(1, 31)),
    ]
    mistakes = [(wrong, f"{share}. {why}") for wrong, why in mistakes]
    hint = f"{share}, where {(right == labels).mean():.3f} is possible: use all steps, alike."
    return graded_array(answers, right, told, mistakes, hint, lambda a, b: (a == b).mean() > 0.999)


def check_task_of_a_third(pairs: object) -> bool:
    """Check a task of the answers 0, 1 and 2 and at least two last observations that allows 1/3 without memory.

    Parameters
    ----------
    pairs : list of (observation, label), or None
        One per trial type, all equally frequent.
    """
    if pairs is None:
        return unanswered()
    try:
        types = [(observation, label) for observation, label in pairs]
        labels: dict[object, Counter] = defaultdict(Counter)
        for observation, label in types:
            labels[observation][label] += 1
    except (TypeError, ValueError):
        return say(False, "Expected a list of pairs (observation, label), where both could be keys of a dict.")
    if not types:
        return say(False, "The list is empty.")
    answers = dict.fromkeys(label for _, label in types)
    if not all(isinstance(label, Integral) for label in answers):
        return say(
            False, f"A label is a whole number; {next(a for a in answers if not isinstance(a, Integral))!r} is none."
        )
    if len(answers) != 3:
        return say(False, f"It has {len(answers)} different answers; expected three.")
    if set(answers) != {0, 1, 2}:
        first, second, third = sorted(map(int, answers))
        return say(False, f"Its answers are {first}, {second} and {third}; call them 0, 1 and 2.")
    if len(labels) == 1:
        return say(False, "All its trials end alike; expected at least two different last observations.")
    ceiling = Fraction(sum(max(c.values()) for c in labels.values()), len(types))
    if ceiling == Fraction(1, 3):
        again = accuracy_of_best_guess(types)
        return say(True, f"{again:.3f}: after each of {len(labels)} observations, all three answers are as frequent.")
    seen, counts = max(labels.items(), key=lambda item: max(item[1].values()) / item[1].total())
    guess, often = counts.most_common(1)[0]
    return say(
        False,
        f"Without memory it allows {ceiling}. Whoever sees {seen!r} says {guess} and is right "
        f"in {often} of {counts.total()} types.",
    )
