"""Training many networks at once: the training loop and its records.

Notebook 07 works through this module.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from .adam import Adam
from .errors import InputError, Stopped
from .network import Networks, RecurrentNetworks, glorot_uniform
from .penalty import OwnPenalty, Penalty
from .plumbing.arrays import first_line
from .plumbing.threads import small_numbers_as_zero, start_threads, threads, threads_for
from .priors import Start
from .seeds import generator
from .tasks import Task, draw_trials, get_task


@dataclass(frozen=True)
class Settings:
    """How a network is trained. The defaults are the published values.

    Attributes
    ----------
    epochs, batches, batch_size : int
        Each epoch shows the same ``batches * batch_size`` trials in the same order.
    test_trials : int
        Number of test trials after each epoch; they have no input noise.
    learning_rate, epsilon : float
        Learning rate and ε of Adam in Keras's form: ``step = rate · √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)``.
    input_noise : float
        SD of the Gaussian noise on every input during training.

    Raises
    ------
    InputError
        If a value is not a number or is too small.
    """

    epochs: int = 10
    batches: int = 40
    batch_size: int = 128
    test_trials: int = 2560
    learning_rate: float = 1e-3
    epsilon: float = 1e-7
    input_noise: float = 0.05

    def __post_init__(self) -> None:
        for what in ("epochs", "batches", "batch_size", "test_trials"):
            value = getattr(self, what)
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise InputError(f"{what} is {value!r}; it must be a whole number")
            if value < 1:
                raise InputError(f"{what} is {value}; it must be at least 1")
        for what, least in (("learning_rate", "at least 0"), ("epsilon", "above 0"), ("input_noise", "at least 0")):
            value = getattr(self, what)
            number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
            if not number or value < 0 or (value == 0 and least == "above 0"):
                raise InputError(f"{what} is {value!r}; it must be a number {least}")


class History(NamedTuple):
    """Records of networks during training, each of shape (runs, epochs), or (epochs,) for one network.

    Values are NaN for future epochs and from the epoch in which a run diverged.

    Attributes
    ----------
    train_accuracy, train_loss : ndarray
        Share of right answers and cross-entropy (nats) over the batches of an epoch, during training and with noise.
    test_accuracy, test_loss : ndarray
        The same over the test trials after each epoch.
    penalty : ndarray
        Value of the penalty after each epoch.
    """

    train_accuracy: np.ndarray
    train_loss: np.ndarray
    test_accuracy: np.ndarray
    test_loss: np.ndarray
    penalty: np.ndarray

    def of_run(self, run: int) -> History:
        """Return the records of one run."""
        return History(*(values[run] for values in self))


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained network and its training history.

    Attributes
    ----------
    weights : ndarray, shape (N, N)
        Recurrent weights after training.
    train_accuracy, train_loss, test_accuracy, test_loss, penalty : ndarray, shape (epochs,)
        As in :class:`History`.
    diverged_step : int or None
        The first training step, counted from 1, in which the loss or Adam's mean of a squared gradient was infinite
        or NaN. If instead a weight, the penalty or the test loss was infinite or NaN, the last step of that epoch.
        None if the network did not diverge.
    state : mapping of str to ndarray
        All weights and biases by name, as returned by :attr:`biornn_lite.network.Networks.state_of_run`.
    """

    weights: np.ndarray
    train_accuracy: np.ndarray
    train_loss: np.ndarray
    test_accuracy: np.ndarray
    test_loss: np.ndarray
    penalty: np.ndarray
    diverged_step: int | None = None
    state: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def diverged(self) -> bool:
        """Whether the loss, the penalty, a weight or a mean squared gradient became infinite or NaN."""
        return self.diverged_step is not None


def _trials(task: Task, count: int, seeds: Sequence[int], purpose: str, device: torch.device | str):
    """Draw the trials of each seed: inputs (steps, seeds, count, inputs) and labels (seeds, count)."""
    drawn = [draw_trials(task, count, generator(seed, purpose, task.name)) for seed in seeds]
    inputs = torch.from_numpy(np.stack([x for x, _ in drawn], axis=1))  # (count, seeds, steps, inputs)
    labels = torch.from_numpy(np.stack([y for _, y in drawn]))
    return inputs.permute(2, 1, 0, 3).contiguous().to(device), labels.to(device)


def training_trials(
    task: Task | str, seeds: Sequence[int], settings: Settings, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the training trials of these seeds, without the input noise of training.

    Returns
    -------
    inputs : Tensor, shape (steps, seeds, trials, inputs)
    labels : Tensor of int, shape (seeds, trials)
    """
    return _trials(get_task(task), settings.batches * settings.batch_size, seeds, "training trials", device)


def held_out_trials(
    task: Task | str, seeds: Sequence[int], count: int = Settings.test_trials, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the test trials of these seeds, as a training with so many of them does.

    Returns
    -------
    inputs : Tensor, shape (steps, seeds, count, inputs)
    labels : Tensor of int, shape (seeds, count)
    """
    task = get_task(task)
    return _trials(task.tested_as or task, count, seeds, "test trials", device)


def check_device(device: torch.device | str) -> None:
    """Raise an error for a device that PyTorch cannot find on this machine."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device is {device}, which PyTorch does not find ({first_line(error)}); use cpu") from None


def initial_networks(
    starts: Sequence[Start],
    task: Task,
    seeds: Sequence[int],
    sign: str = "free",
    architecture: Callable[..., Networks] = RecurrentNetworks,
) -> Networks:
    """Make the networks for :func:`train`, with the input and readout weights of their seeds."""
    neurons = len(starts[0].weights)
    streams = [generator(seed, "input and readout weights", task.name) for seed in seeds]
    ends = [
        (glorot_uniform(task.inputs, neurons, rng), glorot_uniform(neurons, task.classes, rng)) for rng in streams
    ]
    w_in, w_out = (np.array(matrices) for matrices in zip(*ends, strict=True))
    return architecture([start.weights for start in starts], w_in, w_out, sign)


class Epoch(NamedTuple):
    """State of a training after an epoch.

    Attributes
    ----------
    number : int
        From 1.
    networks : Networks
        The networks after this epoch. Training continues with the same objects.
    history : History
        Records of all runs, each of shape (runs, epochs).
    diverged_step : ndarray of int, shape (runs,)
        As in :class:`Trained`; 0 if the run has not diverged.
    """

    number: int
    networks: Networks
    history: History
    diverged_step: np.ndarray


def trained_by(epoch: Epoch) -> list[Trained]:
    """Return the trained networks after an epoch."""
    states = [epoch.networks.state_of_run(r) for r in range(len(epoch.diverged_step))]
    return [
        Trained(state["w"], *epoch.history.of_run(r), int(step) or None, state)
        for r, (state, step) in enumerate(zip(states, epoch.diverged_step, strict=True))
    ]


def training(
    starts: Sequence[Start],
    task: Task | str,
    seeds: Sequence[int] | int,
    settings: Settings | None = None,
    sign: str = "free",
    device: torch.device | str = "cpu",
    trial_seeds: Sequence[int] | None = None,
    penalty: OwnPenalty | None = None,
    architecture: Callable[..., Networks] = RecurrentNetworks,
) -> Iterator[Epoch]:
    """Train as :func:`train` does, with the same parameters, and yield the state after each epoch."""
    given = starts, task, seeds, settings, sign, device, trial_seeds, penalty, architecture
    return (state for state in training_by_batch(*given) if state is not None)


def training_by_batch(
    starts: Sequence[Start],
    task: Task | str,
    seeds: Sequence[int] | int,
    settings: Settings | None = None,
    sign: str = "free",
    device: torch.device | str = "cpu",
    trial_seeds: Sequence[int] | None = None,
    penalty: OwnPenalty | None = None,
    architecture: Callable[..., Networks] = RecurrentNetworks,
) -> Iterator[Epoch | None]:
    """Train as :func:`training` does, and also yield None after each batch, where a person can stop it."""
    settings, task = settings or Settings(), get_task(task)
    seeds = [seeds] * len(starts) if isinstance(seeds, Integral) else seeds
    if len(sizes := sorted({len(start.weights) for start in starts})) != 1:
        raise InputError(f"starts have {sizes or 'no'} neurons; runs that are trained side by side have one size")
    check_device(device)
    start_threads()
    runs, (neurons,) = len(starts), sizes
    networks = initial_networks(starts, task, seeds, sign, architecture).to(device)
    penalties = Penalty(starts, device, own=penalty)
    optimiser = Adam(networks.parameters(), settings.learning_rate, settings.epsilon)
    streams = list(zip(trial_seeds or seeds, seeds, strict=True))  # seeds of the trials and of the noise
    distinct = sorted(set(streams))
    of_run = torch.tensor([distinct.index(stream) for stream in streams], device=device)  # (runs,)
    size = settings.batch_size
    of_trials, of_noise = zip(*distinct, strict=True)
    x, y = training_trials(task, of_trials, settings, device)
    test_x, test_y = held_out_trials(task, of_trials, settings.test_trials, device)
    noises = [
        torch.Generator().manual_seed(int(generator(seed, "noise", task.name).integers(2**63))) for seed in of_noise
    ]
    noise_shape = (task.steps, size, task.inputs)

    history = np.full((len(History._fields), runs, settings.epochs), np.nan)
    diverged_step = torch.zeros(runs, dtype=torch.int64, device=device)  # 0: not yet
    step = 0
    for epoch in range(settings.epochs):
        right = torch.zeros(runs, device=device)
        loss_sum = torch.zeros(runs, dtype=torch.float64, device=device)
        for first in range(0, settings.batches * size, size):
            with small_numbers_as_zero(), threads(threads_for(neurons)):
                noise = torch.stack([torch.randn(noise_shape, generator=g) for g in noises], 1).to(device)
                batch_x = x[:, :, first : first + size] + settings.input_noise * noise
                batch_y = y[of_run, first : first + size]  # (runs, batch)
                logits = networks(batch_x[:, of_run])  # (runs, batch, classes)
                _check_logits(logits, (runs, size, task.classes))
                loss = _cross_entropy(logits, batch_y)  # (runs,)
                optimiser.zero_grad()
                (loss + penalties(networks.w)).sum().backward()
                optimiser.step()
                networks.constrain()
                right += (logits.detach().argmax(-1) == batch_y).sum(1)
                loss_sum += loss.detach()
                step += 1
                failed = ~loss.detach().isfinite() | optimiser.overflowed()
                diverged_step[(diverged_step == 0) & failed] = step
            yield None
        with small_numbers_as_zero(), threads(threads_for(neurons)):
            test_right, test_loss = _evaluate(networks, test_x, test_y, of_run)
            # One network at a time: the order of summation then does not depend on the other networks.
            paid = torch.cat(
                [Penalty([s], device, own=penalty)(networks.w[r : r + 1].detach()) for r, s in enumerate(starts)]
            )
            finite = torch.isfinite(networks.w).flatten(1).all(1) & torch.isfinite(loss_sum + test_loss + paid)
            diverged_step[(diverged_step == 0) & ~finite] = step
            recorded = torch.stack(
                [
                    right.double() / (settings.batches * size),
                    loss_sum / settings.batches,
                    test_right.double() / settings.test_trials,
                    test_loss / settings.test_trials,
                    paid,
                ]
            )
            going = (diverged_step == 0).cpu().numpy()
            history[:, going, epoch] = recorded.cpu().numpy()[:, going]
        yield Epoch(epoch + 1, networks, History(*history.copy()), diverged_step.cpu().numpy())
        if not going.any():
            break


def train(
    starts: Sequence[Start],
    task: Task | str,
    seeds: Sequence[int] | int,
    settings: Settings | None = None,
    sign: str = "free",
    device: torch.device | str = "cpu",
    on_epoch: Callable[[int], None] | None = None,
    trial_seeds: Sequence[int] | None = None,
    penalty: OwnPenalty | None = None,
    architecture: Callable[..., Networks] = RecurrentNetworks,
    progress: bool = False,
) -> list[Trained]:
    """Train one network per start, all at once and independently of each other.

    The total loss is the sum over runs. Its gradient with respect to one run's weights is the gradient of that run's
    own loss, and Adam updates each weight separately. A run therefore gives the same result alone or with others.

    Parameters
    ----------
    starts : sequence of Start
        One per run, all of the same size. :meth:`biornn_lite.priors.Priors.starts` makes them from names of variants.
    task : Task or str
    seeds : sequence of int, or int
        One per run, or one for all runs. Runs with the same seed share trials, noise, input and readout weights.
    settings : Settings, optional
    sign : {"free", "positive"}
        Whether recurrent weights may be negative. With ``positive``, they are clipped at 0 after each step.
    device : torch.device or str
    on_epoch : callable, optional
        Called after each epoch with the number of finished epochs.
    trial_seeds : sequence of int, optional
        One per run, used for the trials only. Default: `seeds`.
    penalty : callable, optional
        Replaces the published penalties; see :data:`biornn_lite.penalty.OwnPenalty`.
    architecture : callable
        Makes the networks; a class that inherits from :class:`biornn_lite.network.Networks`.
    progress : bool
        Whether to print a bar that counts batches.

    Returns
    -------
    list of Trained
        In the order of `starts`. Training ends early when every run has diverged: a diverged run cannot recover.

    Raises
    ------
    Stopped
        If a person interrupts a training that shows its progress.
    """
    settings, done = settings or Settings(), 0
    bar = tqdm(
        total=settings.epochs * settings.batches, disable=not progress, unit="batch", desc="training", file=sys.stdout
    )
    with bar:
        try:
            given = starts, task, seeds, settings, sign, device, trial_seeds, penalty, architecture
            for state in training_by_batch(*given):
                if state is None:
                    bar.update()
                    continue
                epoch, done = state, state.number
                if on_epoch is not None:
                    on_epoch(done)
        except KeyboardInterrupt:
            if not progress:
                raise
            raise Stopped(
                f"Stopped after {done} of {settings.epochs} epochs. Nothing was kept of this training; "
                "run the cell again to train from the start."
            ) from None
    return trained_by(epoch)


def _check_logits(logits: torch.Tensor, wanted: tuple[int, int, int]) -> None:
    """Raise an error if the user's architecture does not return one number per class."""
    if tuple(logits.shape) != wanted:
        raise InputError(
            f"networks give logits of shape {tuple(logits.shape)}; {wanted} is needed: runs, trials, classes"
        )


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of each run, shape (runs,), from logits (runs, batch, classes)."""
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels).mean(1)


def _evaluate(networks, x, y, of_run, chunk: int = 512):
    """Return right answers and cross-entropy over the test trials, each of shape (runs,)."""
    right, loss = 0, 0
    for first in range(0, y.shape[1], chunk):
        labels = y[of_run, first : first + chunk]
        logits = networks.evaluate(x[:, of_run, first : first + chunk])
        right = right + (logits.argmax(-1) == labels).sum(1)
        loss = loss + _cross_entropy(logits, labels).double() * labels.shape[1]
    return right, loss
