"""Checks of the exercises in notebook 06."""

from __future__ import annotations

import contextlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral

import numpy as np
from scipy.stats import norm

from ..seeds import generator
from ..tasks import Task, accuracy_of_best_guess, get_task
from .saying import graded, graded_array, number, result_of, say, unanswered

CUE, NOTHING, END = 10, 10, 10
"""Steps of a task that is made from pairs."""

Pairs = Sequence[tuple[Hashable, int]]
"""What is seen in the end and the right answer, for each type of trial; all types are equally frequent."""

A_TASK_OF_OURS: Pairs = (("light", 0), ("light", 1), ("tone", 2))
"""What is trained in the place of an exercise that is not solved."""


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


@dataclass(frozen=True)
class TaskOfPairs(Task):
    """A cue that tells the answer, nothing for a while, then something that need not tell it.

    Attributes
    ----------
    pairs : sequence of (observation, label)
        What is seen in the end and the right answer, for each type of trial. The number of channels follows: one for
        each answer, then one for each observation.
    draw : callable, optional
        Takes pairs, the number of trials and a random stream, and returns their inputs and labels. Default: ours.
    """

    name: str = "pairs"
    title: str = "A task made from pairs"
    inputs: int = 0
    steps: int = CUE + NOTHING + END
    classes: int = 0
    phases: tuple[tuple[str, int], ...] = (("cue", CUE), ("nothing", NOTHING), ("end", END))
    pairs: Pairs = A_TASK_OF_OURS
    draw: Callable | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", 1 + max(answer for _, answer in self.pairs))
        object.__setattr__(self, "inputs", self.classes + len({seen for seen, _ in self.pairs}))

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`biornn_lite.tasks.Task.trials`."""
        if self.draw is not None:
            return self.draw(list(self.pairs), count, rng)
        kinds = rng.integers(len(self.pairs), size=count)
        return _types_of(self.pairs)[kinds], np.array([answer for _, answer in self.pairs])[kinds]

    def memoryless_ceiling(self) -> float:
        """A network that sees the end alone."""
        return accuracy_of_best_guess(self.pairs)

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """A network that keeps the cue; an SD of a few hundredths on 10 steps of size 1 costs nothing."""
        return 1.0


def _types_of(pairs: Pairs) -> np.ndarray:
    """Return the inputs of each type of trial, shape (types, steps, channels)."""
    answers = 1 + max(answer for _, answer in pairs)
    ends = {seen: answers + k for k, seen in enumerate(dict.fromkeys(seen for seen, _ in pairs))}
    types = np.zeros((len(pairs), CUE + NOTHING + END, answers + len(ends)), dtype=np.float32)
    for inputs, (seen, answer) in zip(types, pairs, strict=True):
        inputs[:CUE, answer] = inputs[-END:, ends[seen]] = 1
    return types


def check_trials_of_pairs(function: object) -> bool:
    """Check a function of pairs, a number of trials and a random stream that draws the trials of such a task."""
    if function is None:
        return unanswered()
    for pairs in ([("light", 0), ("light", 1), ("tone", 2)], [("b", 1), ("a", 0), ("b", 2), ("c", 0)]):
        drawn = []
        for seed in (0, 0, 1):
            given = _drawn(function, pairs, 3000, np.random.default_rng(seed))
            if given is None:
                return False
            drawn.append(given)
        (inputs, labels), (again, _), (other, _) = drawn
        if not np.array_equal(inputs, again):
            return say(False, "The same random stream gave two different sets of trials: draw all numbers from rng.")
        if np.array_equal(inputs, other):
            return say(False, "Another random stream gave the same trials: draw their types from rng.")
        if (wrong := _wrong_in(inputs, labels, pairs)) is not None:
            return say(False, wrong)
    return say(True, "Every trial is of a type in the list, and all types are equally frequent.")


def _drawn(function: object, pairs: list, count: int, rng: np.random.Generator) -> tuple[np.ndarray, ...] | None:
    """Return inputs and labels that a learner's function draws, or say what is wrong with their form."""
    takes = "pairs, a count and a random stream"
    returned = result_of(function, takes, pairs, count, rng=rng)
    if returned is None:
        return None
    try:
        inputs, labels = (np.asarray(part, dtype=float) for part in returned)
    except (TypeError, ValueError, RuntimeError):
        say(False, "Expected two arrays of numbers: return inputs, labels.")
        return None
    _, steps, channels = wanted = (count, *_types_of(pairs).shape[1:])
    if inputs.shape == (count, channels, steps):
        say(False, f"Its inputs have shape {inputs.shape}: steps are the second axis, channels the third.")
    elif inputs.shape != wanted or labels.shape != (count,):
        say(
            False,
            f"For {count} trials of {pairs} its inputs have shape {inputs.shape} and its labels {labels.shape}; "
            f"expected {wanted} and {(count,)}.",
        )
    else:
        return inputs, labels
    return None


def _wrong_in(inputs: np.ndarray, labels: np.ndarray, pairs: list) -> str | None:
    """Say what is wrong in trials, or return None."""
    types, answers = _types_of(pairs), np.array([answer for _, answer in pairs])
    if not np.isin(labels, answers).all():
        return f"A label is {labels[~np.isin(labels, answers)][0]:g}; the answers of {pairs} are its labels."
    of_type = (inputs[:, None] == types).all((2, 3)) & (labels[:, None] == answers)  # (trials, types)
    if not of_type.any(axis=1).all():
        trial = int(np.argmin(of_type.any(axis=1)))
        shown, label = inputs[trial], int(labels[trial])
        classes = 1 + answers.max()
        cue = np.eye(types.shape[2])[label]
        where = f"In a trial with answer {label} of {pairs}, "
        if not shown[:CUE].any():
            return f"{where}no cue is shown in the first {CUE} steps."
        if (shown[:CUE, classes:] != 0).any():
            return f"{where}what is seen in the end is shown from the start on."
        if (shown[:CUE] != cue).any():
            return f"{where}the cue is not on channel {label} alone, at 1 for {CUE} steps."
        if shown[CUE:-END].any():
            return f"{where}something is shown in steps {CUE + 1} to {CUE + NOTHING}; they are empty."
        if shown[-END:, :classes].any():
            return f"{where}the cue is there in the end, too; then nothing must be remembered."
        if not (shown[-END:] == shown[-1]).all() or shown[-1].sum() != 1:
            return f"{where}the end is not one channel at 1 for {END} steps."
        return f"{where}the end is on another channel: ends stand in the order in which the list first names them."
    shares = of_type.mean(axis=0)
    if (abs(shares - 1 / len(pairs)) > 0.05).any():
        told = ", ".join(f"{share:.2f}" for share in shares)
        return f"The types of {pairs} have the shares {told}; all should be equally likely."
    return None


def task_to_train(pairs: object, trials: object) -> TaskOfPairs:
    """Make a task of a learner's pairs and trials where they are right, and of ours where they are not; say which.

    Parameters
    ----------
    pairs : list of (observation, label), or None
        As in :func:`check_task_of_a_third`.
    trials : callable or None
        As in :func:`check_trials_of_pairs`.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        designed, drawn = check_task_of_a_third(pairs), check_trials_of_pairs(trials)
    ours = f"Exercise 4 has no right answer yet. This is a task of ours, {[*A_TASK_OF_OURS]}"
    whose = "Your task" if designed else ours
    print(f"{whose}. Its trials are drawn by {'your function' if drawn else 'ours'}.")
    return TaskOfPairs(
        title="Your task" if designed else "A task of ours",
        pairs=tuple((seen, int(answer)) for seen, answer in pairs) if designed else A_TASK_OF_OURS,
        draw=trials if drawn else None,
    )
