"""The three decision tasks: their trials, and the accuracy that each allows with and without memory.

A trial is a sequence of inputs with one label, read from the network's last state.
Notebook 06 works through this module.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from .errors import InputError


@dataclass(frozen=True)
class Task:
    """What all tasks share.

    Attributes
    ----------
    name, title : str
        As in tables, and as in figures.
    inputs, steps, classes : int
        Number of input channels, time steps and answers.
    """

    name: str
    title: str
    inputs: int
    steps: int
    classes: int

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw trials.

        Returns
        -------
        inputs : ndarray of float32, shape (count, steps, inputs)
        labels : ndarray of int64, shape (count,)
        """
        raise NotImplementedError

    def memoryless_ceiling(self) -> float:
        """Highest expected accuracy of a network that sees only the last phase of each trial."""
        raise NotImplementedError

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """Highest expected accuracy with perfect use of all inputs, given noise of this SD on each."""
        raise NotImplementedError


def accuracy_of_best_guess(trial_types: Iterable[tuple[Hashable, int]]) -> float:
    """Expected accuracy of the best answer to each observation, over equally likely trial types.

    Parameters
    ----------
    trial_types : iterable of (observation, label)
        What the network can see of each trial type, and its right answer.
    """
    labels: dict[Hashable, Counter[int]] = defaultdict(Counter)
    for observation, label in trial_types:
        labels[observation][label] += 1
    return sum(max(c.values()) for c in labels.values()) / sum(c.total() for c in labels.values())


LEFT, UP, RIGHT, DOWN = range(4)


@dataclass(frozen=True)
class OneChoiceInference(Task):
    """A goal cue, a delay, then two choices: say which of them goes with the goal."""

    name: str = "one_choice_inference"
    title: str = "One-choice inference"
    inputs: int = 8
    steps: int = 50
    classes: int = 4

    # (goal channel, the two choices, answer)
    TYPES = (
        (1, (UP, LEFT), UP),
        (1, (RIGHT, DOWN), RIGHT),
        (3, (LEFT, DOWN), DOWN),
        (2, (RIGHT, DOWN), DOWN),
        (2, (UP, LEFT), LEFT),
        (0, (UP, RIGHT), UP),
        (3, (LEFT, RIGHT), RIGHT),
        (0, (LEFT, RIGHT), LEFT),
    )

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Task.trials`. Channels 0–3 carry the goal for 20 steps, 4–7 the choices for the last 20."""
        pattern = np.zeros((len(self.TYPES), self.steps, self.inputs), dtype=np.float32)
        for kind, (goal, choices, _) in enumerate(self.TYPES):
            pattern[kind, :20, goal] = 1
            pattern[kind, 30:, [4 + choice for choice in choices]] = 1
        answers = np.array([answer for _, _, answer in self.TYPES])
        kinds = rng.integers(len(self.TYPES), size=count)
        return pattern[kinds], answers[kinds]

    def memoryless_ceiling(self) -> float:
        """Seeing the choices and not the goal."""
        return accuracy_of_best_guess((choices, answer) for _, choices, answer in self.TYPES)

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """Seeing both; noise of a few hundredths on 20 steps of amplitude 1 costs nothing."""
        return accuracy_of_best_guess(((goal, choices), answer) for goal, choices, answer in self.TYPES)


@dataclass(frozen=True)
class GoNoGo(Task):
    """Fixation, a stimulus on one of two channels, fixation, silence: say which channel it was."""

    name: str = "go_nogo"
    title: str = "Go/NoGo"
    inputs: int = 3
    steps: int = 40
    classes: int = 2

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Task.trials`. Channel 0 is fixation, 1 NoGo (label 0), 2 Go (label 1)."""
        pattern = np.zeros((2, self.steps, self.inputs), dtype=np.float32)
        pattern[:, :5, 0] = pattern[:, 25:35, 0] = 1
        pattern[0, 5:25, 1] = pattern[1, 5:25, 2] = 1
        labels = rng.integers(2, size=count)
        return pattern[labels], labels

    def memoryless_ceiling(self) -> float:
        """Seeing the silence at the end, which is the same for both."""
        return accuracy_of_best_guess((("silence",), label) for label in (0, 1))

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """Seeing the stimulus; noise of a few hundredths on 20 steps of amplitude 1 costs nothing."""
        return accuracy_of_best_guess((("stimulus", label), label) for label in (0, 1))


@dataclass(frozen=True)
class PerceptualDecision(Task):
    """Two noisy channels for 30 steps: say which was stronger on average."""

    name: str = "perceptual_decision_making"
    title: str = "Perceptual decision"
    inputs: int = 3
    steps: int = 41
    classes: int = 2

    COHERENCES = (0.0, 6.4, 12.8, 25.6, 51.2)  # per cent
    EVIDENCE_STEPS = 30
    NOISE = 0.1  # SD of each evidence channel at each step

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Task.trials`. Channel 0 is fixation; label 0 means that channel 1 is the stronger."""
        labels = rng.integers(2, size=count)
        half = rng.choice(self.COHERENCES, size=count) / 200  # (count,)
        inputs = np.zeros((count, self.steps, self.inputs), dtype=np.float32)
        inputs[:, :, 0] = 1
        towards = np.where(labels == 0, half, -half)
        mean = 0.5 + np.stack([towards, -towards], axis=1)  # (count, 2)
        shape = (count, self.EVIDENCE_STEPS, 2)
        inputs[:, 1 : 1 + self.EVIDENCE_STEPS, 1:] = mean[:, None] + rng.normal(0, self.NOISE, shape)
        return inputs, labels

    def memoryless_ceiling(self) -> float:
        """Seeing the last ten steps, which carry no evidence."""
        return accuracy_of_best_guess((("no evidence",), label) for label in (0, 1))

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """Sum all evidence and take its sign: a normal integral for each coherence."""
        signal = self.EVIDENCE_STEPS * np.array(self.COHERENCES) / 100
        sd = np.sqrt(self.EVIDENCE_STEPS * 2 * (self.NOISE**2 + input_noise**2))
        return float(norm.cdf(signal / sd).mean())


TASKS: dict[str, Task] = {task.name: task for task in (OneChoiceInference(), GoNoGo(), PerceptualDecision())}
"""The tasks by name, in the paper's order."""


def get_task(name: str) -> Task:
    """Look a task up by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    try:
        return TASKS[name]
    except KeyError:
        raise InputError(f"no task {name!r}; there are {', '.join(TASKS)}") from None
