"""The three decision tasks: their trials, and the best accuracy in each with and without memory.

A trial is a sequence of inputs with one label. The answer is read from the network's last state.
Notebook 06 works through this module.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
import pandas as pd
from scipy.stats import norm

from .errors import InputError
from .seeds import generator


@dataclass(frozen=True)
class Task:
    """Base class of all tasks.

    Attributes
    ----------
    name, title : str
        The name in tables and the title in figures.
    inputs, steps, classes : int
        Number of input channels, time steps and answers.
    phases : tuple of (str, int), optional
        The phases of a trial in order, each with its number of steps.
    channels, answers : tuple of str, optional
        The meaning of each input channel and of each label.
    tested_as : Task, optional
        Another task whose trials are the test trials, with the same inputs and answers. Default: this task. A task
        that is tested as another one asks whether what was learned generalises.

    Notes
    -----
    Write your own task as a frozen dataclass that inherits from this class and defines :meth:`trials`. Ceilings
    are optional: figures and tables omit a ceiling of NaN.
    """

    name: str
    title: str
    inputs: int
    steps: int
    classes: int
    phases: tuple[tuple[str, int], ...] = ()
    channels: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    tested_as: Task | None = None

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw trials.

        Returns
        -------
        inputs : ndarray of float32, shape (count, steps, inputs)
        labels : ndarray of int64, shape (count,)
        """
        raise NotImplementedError

    def memoryless_ceiling(self) -> float:
        """Highest expected accuracy of a network that sees only the last phase of each trial; NaN if not known."""
        return math.nan

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """Highest expected accuracy with perfect use of all inputs, each with noise of this SD; NaN if not known."""
        return math.nan


def accuracy_of_best_guess(trial_types: Iterable[tuple[Hashable, int]]) -> float:
    """Expected accuracy of the best answer to each observation, over equally likely trial types.

    Parameters
    ----------
    trial_types : iterable of (observation, label)
        What the network can observe in each trial type, and the right answer.
    """
    labels: dict[Hashable, Counter[int]] = defaultdict(Counter)
    for observation, label in trial_types:
        labels[observation][label] += 1
    return sum(max(c.values()) for c in labels.values()) / sum(c.total() for c in labels.values())


def _set_phases(task: Task, phases: tuple[tuple[str, int], ...]) -> None:
    """Set the phases of a task with a delay, and its number of steps to their sum."""
    if isinstance(task.delay, bool) or not isinstance(task.delay, Integral) or task.delay < 0:
        raise InputError(f"delay of task {task.name} is {task.delay!r}; it must be a whole number of steps")
    object.__setattr__(task, "phases", phases)
    object.__setattr__(task, "steps", sum(steps for _, steps in phases))


LEFT, UP, RIGHT, DOWN = range(4)


@dataclass(frozen=True)
class OneChoiceInference(Task):
    """A goal cue, a delay, then two choices. The network answers which choice matches the goal.

    Each goal accepts two directions. A trial shows one that it accepts and one that it does not.

    Attributes
    ----------
    delay : int
        Number of steps without input between the goal and the choices. The number of steps of a trial follows.
    types : tuple of (int, (int, int), int)
        Trial types as goal channel, the two choices, and the answer; equally frequent.
    """

    name: str = "one_choice_inference"
    title: str = "One-choice inference"
    inputs: int = 8
    steps: int = 50
    classes: int = 4
    channels: tuple[str, ...] = ("goal 0", "goal 1", "goal 2", "goal 3", "left", "up", "right", "down")
    answers: tuple[str, ...] = ("left", "up", "right", "down")
    delay: int = 10
    types: tuple[tuple[int, tuple[int, int], int], ...] = (
        (1, (UP, LEFT), UP),
        (1, (RIGHT, DOWN), RIGHT),
        (3, (LEFT, DOWN), DOWN),
        (2, (RIGHT, DOWN), DOWN),
        (2, (UP, LEFT), LEFT),
        (0, (UP, RIGHT), UP),
        (3, (LEFT, RIGHT), RIGHT),
        (0, (LEFT, RIGHT), LEFT),
    )

    def __post_init__(self) -> None:
        if not self.types:
            raise InputError(f"task {self.name} has no trial types")
        _set_phases(self, (("goal", 20), ("nothing", self.delay), ("choices", 20)))

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Task.trials`. Channels 0–3 carry the goal for 20 steps, 4–7 the choices for the last 20."""
        pattern = np.zeros((len(self.types), self.steps, self.inputs), dtype=np.float32)
        for kind, (goal, choices, _) in enumerate(self.types):
            pattern[kind, :20, goal] = 1
            pattern[kind, -20:, [4 + choice for choice in choices]] = 1
        answers = np.array([answer for _, _, answer in self.types])
        kinds = rng.integers(len(self.types), size=count)
        return pattern[kinds], answers[kinds]

    def memoryless_ceiling(self) -> float:
        """A network that sees the choices, not the goal."""
        return accuracy_of_best_guess((frozenset(choices), answer) for _, choices, answer in self.types)

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """A network that sees goal and choices; an SD of a few hundredths on 20 steps of size 1 costs nothing."""
        return accuracy_of_best_guess(((goal, frozenset(choices)), answer) for goal, choices, answer in self.types)


@dataclass(frozen=True)
class GoNoGo(Task):
    """Fixation, a stimulus on one of two channels, fixation, silence. The network answers which channel it was.

    Attributes
    ----------
    delay : int
        Number of steps of fixation between the stimulus and the silence. The number of steps of a trial follows.
    """

    name: str = "go_nogo"
    title: str = "Go/NoGo"
    inputs: int = 3
    steps: int = 40
    classes: int = 2
    channels: tuple[str, ...] = ("fixation", "NoGo", "Go")
    answers: tuple[str, ...] = ("NoGo", "Go")
    delay: int = 10

    def __post_init__(self) -> None:
        _set_phases(self, (("fixation", 5), ("stimulus", 20), ("fixation", self.delay), ("silence", 5)))

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Task.trials`. Channel 0 is fixation, 1 NoGo (label 0), 2 Go (label 1)."""
        pattern = np.zeros((2, self.steps, self.inputs), dtype=np.float32)
        pattern[:, :5, 0] = pattern[:, 25:-5, 0] = 1
        pattern[0, 5:25, 1] = pattern[1, 5:25, 2] = 1
        labels = rng.integers(2, size=count)
        return pattern[labels], labels

    def memoryless_ceiling(self) -> float:
        """A network that sees only the silence at the end, which is the same for both stimuli."""
        return accuracy_of_best_guess((("silence",), label) for label in (0, 1))

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """A network that sees the stimulus; an SD of a few hundredths on 20 steps of size 1 costs nothing."""
        return accuracy_of_best_guess((("stimulus", label), label) for label in (0, 1))


@dataclass(frozen=True)
class PerceptualDecision(Task):
    """Two noisy channels for 30 steps. The network answers which channel was stronger on average.

    ``dataclasses.replace(task, coherences=(12.8,))`` returns a changed task; its trials and ceilings change too.

    Attributes
    ----------
    coherences : tuple of float
        In per cent, from 0 to 100; equally frequent.
    noise : float
        SD of each evidence channel at each step.
    evidence_steps : int
        From 1 to ``steps - 1``. The first step and the steps after the evidence are fixation.

    Raises
    ------
    InputError
        If a number is outside its range.
    """

    name: str = "perceptual_decision_making"
    title: str = "Perceptual decision"
    inputs: int = 3
    steps: int = 41
    classes: int = 2

    channels: tuple[str, ...] = ("fixation", "channel 1", "channel 2")
    answers: tuple[str, ...] = ("channel 1", "channel 2")
    coherences: tuple[float, ...] = (0.0, 6.4, 12.8, 25.6, 51.2)
    noise: float = 0.1
    evidence_steps: int = 30

    def __post_init__(self) -> None:
        object.__setattr__(self, "coherences", tuple(self.coherences))
        if not self.coherences or not all(0 <= c <= 100 for c in self.coherences):
            raise InputError(f"coherences are {self.coherences}; expected one or more from 0 to 100 per cent")
        if not self.noise > 0:
            raise InputError(f"noise is {self.noise}; expected an SD above 0")
        if not 1 <= self.evidence_steps < self.steps:
            raise InputError(f"{self.evidence_steps} steps of evidence; expected 1 to {self.steps - 1}")
        last = self.steps - 1 - self.evidence_steps
        phases = (("fixation", 1), ("evidence", self.evidence_steps), ("fixation", last))
        object.__setattr__(self, "phases", phases if last else phases[:2])

    @property
    def evidence(self) -> slice:
        """The steps of evidence, counted from 0."""
        return slice(1, 1 + self.evidence_steps)

    def trials(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`Task.trials`. Channel 0 is fixation; label 0 means that channel 1 is the stronger."""
        labels = rng.integers(2, size=count)
        half = rng.choice(self.coherences, size=count) / 200  # (count,)
        inputs = np.zeros((count, self.steps, self.inputs), dtype=np.float32)
        inputs[:, :, 0] = 1
        towards = np.where(labels == 0, half, -half)
        mean = 0.5 + np.stack([towards, -towards], axis=1)  # (count, 2)
        shape = (count, self.evidence_steps, 2)
        inputs[:, self.evidence, 1:] = mean[:, None] + rng.normal(0, self.noise, shape)
        return inputs, labels

    def memoryless_ceiling(self) -> float:
        """A network that sees only the last ten steps, which carry no evidence."""
        return accuracy_of_best_guess((("no evidence",), label) for label in (0, 1))

    def best_ceiling(self, input_noise: float = 0.0) -> float:
        """A network that sums all evidence and takes the sign: one normal integral per coherence."""
        signal = self.evidence_steps * np.array(self.coherences) / 100
        sd = np.sqrt(self.evidence_steps * 2 * (self.noise**2 + input_noise**2))
        return float(norm.cdf(signal / sd).mean())


TASKS: dict[str, Task] = {task.name: task for task in (OneChoiceInference(), GoNoGo(), PerceptualDecision())}
"""The tasks by name, in the paper's order."""

PERCEPTUAL = PerceptualDecision.name
"""Name of the task with adjustable difficulty."""


def get_task(name: str | Task) -> Task:
    """Look up a task by name. A task object is returned unchanged.

    Raises
    ------
    InputError
        If no task has that name.
    """
    if isinstance(name, Task):
        return name
    try:
        return TASKS[name]
    except (KeyError, TypeError):
        raise InputError(
            f"no task {name!r}; there are {', '.join(TASKS)}, and any object of a class that inherits from Task"
        ) from None


def title_of(task: str | Task) -> str:
    """Return the title of a task. For an unknown task, such as one in a user's table, return its name."""
    if isinstance(task, str):
        return TASKS[task].title if task in TASKS else task
    return task.title


def draw_trials(task: Task, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw trials of a task and check that they agree with the task's own description.

    Returns
    -------
    inputs : ndarray of float32, shape (count, steps, inputs)
    labels : ndarray of int64, shape (count,)
    """
    inputs, labels = (np.asarray(part) for part in task.trials(count, rng))
    wanted = (count, task.steps, task.inputs)
    if inputs.shape != wanted or labels.shape != (count,):
        raise InputError(
            f"task {task.name}: trials have inputs of shape {inputs.shape} and labels of shape {labels.shape}; "
            f"expected {wanted} and {(count,)}"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= task.classes:
        how = ", as .astype(int) makes them" if labels.dtype == bool else ""
        raise InputError(
            f"task {task.name}: labels are {labels.dtype} from {labels.min()} to {labels.max()}; expected whole "
            f"numbers from 0 to {task.classes - 1}{how}"
        )
    return inputs.astype(np.float32, copy=False), labels.astype(np.int64, copy=False)


def ideal_answers(inputs: np.ndarray, task: PerceptualDecision | None = None) -> np.ndarray:
    """Answer trials of the perceptual decision optimally.

    Parameters
    ----------
    inputs : ndarray, shape (trials, steps, 3)
        From :meth:`biornn_lite.tasks.PerceptualDecision.trials`, with or without noise on the inputs.
    task : PerceptualDecision, optional
        Default: the published task.

    Returns
    -------
    ndarray of int, shape (trials,)
        0 where channel 1 has more evidence, 1 where channel 2 has more.
    """
    task = task or PerceptualDecision()
    sums = inputs[:, task.evidence, 1:].sum(axis=1, dtype=float)  # (trials, 2)
    return (sums[:, 1] > sums[:, 0]).astype(int)


def ideal_accuracies(coherences: Sequence[float], trials: int, seed: int = 0) -> pd.Series:
    """Draw trials at each coherence and return the share that :func:`ideal_answers` gets right.

    Parameters
    ----------
    coherences : sequence of float
        In per cent.
    trials : int
        Number of trials at each coherence.
    seed : int

    Returns
    -------
    Series
        Index ``coherence``.
    """
    shares = {}
    for coherence in coherences:
        task = PerceptualDecision(coherences=(coherence,))
        inputs, labels = task.trials(trials, generator(seed, "ideal", str(coherence)))
        shares[coherence] = float((ideal_answers(inputs) == labels).mean())
    return pd.Series(shares, name="accuracy").rename_axis("coherence")


def one_trial(
    task: Task, trial: int = 0, coherence: float = 12.8, noise: float = 0.1, input_noise: float = 0.0
) -> tuple[np.ndarray, int]:
    """Draw one trial of a task.

    Parameters
    ----------
    task : Task
    trial : int
        Seed of the draws. The same trial keeps its label and its noise pattern; the two SDs only scale the noise.
    coherence, noise : float
        Coherence in per cent and SD of the evidence. Only the perceptual decision uses them.
    input_noise : float
        SD of the Gaussian noise added to each channel at each step, as in training.

    Returns
    -------
    inputs : ndarray, shape (steps, inputs)
    label : int
    """
    if isinstance(task, PerceptualDecision):
        task = replace(task, coherences=(coherence,), noise=noise)
    inputs, labels = task.trials(1, generator(trial, "one trial", task.name))
    added = generator(trial, "input noise", task.name).normal(size=inputs[0].shape)
    return inputs[0] + input_noise * added, int(labels[0])
