"""Training many networks at once: the loop, and what is recorded.

Notebook 07 works through this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from .adam import Adam
from .errors import InputError
from .network import Networks, RecurrentNetworks, glorot_uniform
from .penalty import OwnPenalty, Penalty
from .plumbing.arrays import first_line
from .plumbing.threads import small_numbers_as_zero, start_threads, threads, threads_for
from .priors import Start
from .seeds import generator
from .tasks import Task, draw_trials, get_task


@dataclass(frozen=True)
class Settings:
    """How a network is trained; the defaults are the published ones.

    Attributes
    ----------
    epochs, batches, batch_size : int
        Each epoch shows the same ``batches * batch_size`` trials in the same order.
    test_trials : int
        Trials seen without noise after each epoch.
    learning_rate, epsilon : float
        Of Adam, as Keras writes it: ``step = rate · √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)``.
    input_noise : float
        SD of the Gaussian noise on every input while training.

    Raises
    ------
    InputError
        If a value is not a number, or too small to mean anything.
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
    """What is recorded of some networks while they are trained, each of shape (runs, epochs) or, of one, (epochs,).

    All are NaN for epochs to come, and from the epoch in which a run diverged.

    Attributes
    ----------
    train_accuracy, train_loss : ndarray
        Share of right answers and cross-entropy (nats) over an epoch's batches as they are trained, noise included.
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
        """Return what is recorded of one run."""
        return History(*(values[run] for values in self))


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained network and how it got there.

    Attributes
    ----------
    weights : ndarray, shape (N, N)
        Recurrent weights after training.
    train_accuracy, train_loss, test_accuracy, test_loss, penalty : ndarray, shape (epochs,)
        As in :class:`History`.
    diverged_step : int or None
        The training step, from 1, in which the loss or Adam's mean of a squared gradient stopped being a finite
        number. Where both stayed finite and a weight, the penalty or the test loss did not, it is the last step of
        that epoch. None if all stayed finite.
    state : mapping of str to ndarray
        All weights and biases by name, as :attr:`biornn_lite.network.Networks.state_of_run` gives them.
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
        """Whether the loss, the penalty, a weight or a mean squared gradient stopped being a finite number."""
        return self.diverged_step is not None


def _trials(task: Task, count: int, seeds: Sequence[int], purpose: str, device: torch.device | str):
    """Draw the trials of each seed: inputs (steps, seeds, count, inputs) and labels (seeds, count)."""
    drawn = [draw_trials(task, count, generator(seed, purpose, task.name)) for seed in seeds]
    inputs = torch.from_numpy(np.stack([x for x, _ in drawn], axis=1))  # (count, seeds, steps, inputs)
    labels = torch.from_numpy(np.stack([y for _, y in drawn]))
    return inputs.permute(2, 1, 0, 3).contiguous().to(device), labels.to(device)


def training_trials(
    task: Task, seeds: Sequence[int], settings: Settings, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the trials on which the runs of these seeds are trained, without the noise of training.

    Returns
    -------
    inputs : Tensor, shape (steps, seeds, trials, inputs)
    labels : Tensor of int, shape (seeds, trials)
    """
    return _trials(task, settings.batches * settings.batch_size, seeds, "training trials", device)


def check_device(device: torch.device | str) -> None:
    """Refuse a device that PyTorch does not find here."""
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
    """Make the networks that :func:`train` trains, with the input and readout weights of their seeds."""
    neurons = len(starts[0].weights)
    streams = [generator(seed, "input and readout weights", task.name) for seed in seeds]
    ends = [
        (glorot_uniform(task.inputs, neurons, rng), glorot_uniform(neurons, task.classes, rng)) for rng in streams
    ]
    w_in, w_out = (np.array(matrices) for matrices in zip(*ends, strict=True))
    return architecture([start.weights for start in starts], w_in, w_out, sign)


class Epoch(NamedTuple):
    """Where a training stands after an epoch.

    Attributes
    ----------
    number : int
        From 1.
    networks : Networks
        As they are now; training goes on with them.
    history : History
        Of all runs, each of shape (runs, epochs).
    diverged_step : ndarray of int, shape (runs,)
        As in :class:`Trained`, 0 for none.
    """

    number: int
    networks: Networks
    history: History
    diverged_step: np.ndarray


def trained_by(epoch: Epoch) -> list[Trained]:
    """Return the networks of a training as they are after an epoch."""
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
    """Train as :func:`train` does, and stop after each epoch to be looked at. Takes the same parameters."""
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
    streams = list(zip(trial_seeds or seeds, seeds, strict=True))  # whose trials, whose noise
    distinct = sorted(set(streams))
    of_run = torch.tensor([distinct.index(stream) for stream in streams], device=device)  # (runs,)
    size = settings.batch_size
    of_trials, of_noise = zip(*distinct, strict=True)
    x, y = training_trials(task, of_trials, settings, device)
    test_x, test_y = _trials(task, settings.test_trials, of_trials, "test trials", device)
    noises = [
        torch.Generator().manual_seed(int(generator(seed, "noise", task.name).integers(2**63))) for seed in of_noise
    ]
    noise_shape = (task.steps, size, task.inputs)

    history = np.full((len(History._fields), runs, settings.epochs), np.nan)
    diverged_step = torch.zeros(runs, dtype=torch.int64, device=device)  # 0: not yet
    step = 0
    for epoch in range(settings.epochs):
        with small_numbers_as_zero(), threads(threads_for(neurons)):
            right = torch.zeros(runs, device=device)
            loss_sum = torch.zeros(runs, dtype=torch.float64, device=device)
            for first in range(0, settings.batches * size, size):
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
            test_right, test_loss = _evaluate(networks, test_x, test_y, of_run)
            # One network at a time: a sum over one is then added up the same way whoever trained beside it.
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
) -> list[Trained]:
    """Train one network per start, all at once and independently of one another.

    The losses are summed over runs, and the gradient of a sum with respect to one run's weights is that of its
    own loss; Adam works on each weight alone. So a run comes out the same alone and among others.

    Parameters
    ----------
    starts : sequence of Start
        One per run, all of one size; :meth:`biornn_lite.priors.Priors.starts` makes them of names of variants.
    task : Task or str
    seeds : sequence of int, or int
        One per run: trials, noise, input and readout weights. Runs of one seed share them; one number is that of all.
    settings : Settings, optional
    sign : {"free", "positive"}
        Whether recurrent weights may be negative; if not, they are clipped at 0 after each step.
    device : torch.device or str
    on_epoch : callable, optional
        Called with the number of finished epochs after each.
    trial_seeds : sequence of int, optional
        One per run, for the trials alone; `seeds` when left out.
    penalty : callable, optional
        Takes the place of the published penalties, see :data:`biornn_lite.penalty.OwnPenalty`.
    architecture : callable
        Makes the networks; a class that inherits from :class:`biornn_lite.network.Networks`.

    Returns
    -------
    list of Trained
        In the order of `starts`. Training ends early once every run has diverged: a NaN never becomes a number again.
    """
    epoch = None
    for epoch in training(starts, task, seeds, settings, sign, device, trial_seeds, penalty, architecture):
        if on_epoch is not None:
            on_epoch(epoch.number)
    return trained_by(epoch)


def _check_logits(logits: torch.Tensor, wanted: tuple[int, int, int]) -> None:
    """Refuse the output of an architecture of the user's that is not one number per class."""
    if tuple(logits.shape) != wanted:
        raise InputError(
            f"networks give logits of shape {tuple(logits.shape)}; {wanted} is needed: runs, trials, classes"
        )


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of each run, shape (runs,), from logits (runs, batch, classes)."""
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels).mean(1)


def _evaluate(networks, x, y, of_run, chunk: int = 512):
    """Count right answers and sum cross-entropies over the test trials, each of shape (runs,)."""
    right, loss = 0, 0
    for first in range(0, y.shape[1], chunk):
        labels = y[of_run, first : first + chunk]
        logits = networks.evaluate(x[:, of_run, first : first + chunk])
        right = right + (logits.argmax(-1) == labels).sum(1)
        loss = loss + _cross_entropy(logits, labels).double() * labels.shape[1]
    return right, loss
