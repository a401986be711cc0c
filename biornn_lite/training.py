"""Training many networks at once: the penalties, the loop, and what is recorded.

Notebook 07 works through this module.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from .arrays import first_line
from .communicability import communicability, distribution_distance
from .errors import InputError
from .network import RecurrentNetworks, glorot_uniform
from .priors import Start
from .seeds import generator
from .tasks import Task


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
        If a number is none, or too small to mean anything.
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


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained network and how it got there.

    Attributes
    ----------
    weights : ndarray, shape (N, N)
        Recurrent weights after training.
    train_accuracy, train_loss, test_accuracy, test_loss : ndarray, shape (epochs,)
        Share of right answers and cross-entropy (nats): over an epoch's batches as they are trained, noise
        included, and over the test trials after each epoch. NaN from the epoch in which the run diverged.
    penalty : ndarray, shape (epochs,)
        Value of the penalty after each epoch, NaN likewise.
    diverged_step : int or None
        The training step, from 1, in which the loss or Adam's mean of a squared gradient first was no finite
        number; the last of its epoch where only a weight, the penalty or the test loss was none. None if all
        stayed finite.
    """

    weights: np.ndarray
    train_accuracy: np.ndarray
    train_loss: np.ndarray
    test_accuracy: np.ndarray
    test_loss: np.ndarray
    penalty: np.ndarray
    diverged_step: int | None = None

    @property
    def diverged(self) -> bool:
        """Whether the loss, the penalty, a weight or a mean squared gradient stopped being a finite number."""
        return self.diverged_step is not None


class Penalty:
    """The penalties of many networks at once.

    With D the distances and λ in ``Start.cost``: ``Σ λ|W|⊙D``; with communicability ``C`` of the weights,
    ``Σ λ|W|⊙D⊙C``; with an empirical one, ``Σ λ|W|⊙D + λ_EMD · mean |sort(C(W)) − sort(C_emp)|``.
    Self-connections count wherever D has no zeros on its diagonal; C is 0 there.

    Parameters
    ----------
    starts : sequence of Start
        One per run.
    device : torch.device or str
    dtype : torch.dtype
        That of the weights to come.
    """

    def __init__(
        self, starts: Sequence[Start], device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        def tensor(arrays) -> torch.Tensor:
            return torch.as_tensor(np.array(arrays), dtype=dtype, device=device)

        def runs_with(kind: str) -> list[int]:
            return [r for r, start in enumerate(starts) if start.communicability == kind]

        self.cost = tensor([start.cost for start in starts])  # (runs, N, N)
        pulled = runs_with("empirical")
        self.factor = torch.tensor(runs_with("weights"), dtype=torch.int64, device=device)
        self.pulled = torch.tensor(pulled, dtype=torch.int64, device=device)
        if pulled:
            self.targets = tensor([starts[r].sorted_target for r in pulled])  # (pulled, N * N)
            self.emd_weights = tensor([starts[r].emd_weight for r in pulled])  # (pulled,)

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return the penalty of each network, shape (runs,), for weights of shape (runs, N, N)."""
        costs = w.abs() * self.cost  # (runs, N, N)
        total = costs.sum((1, 2))  # (runs,)
        if len(self.factor):
            reached = costs[self.factor] * communicability(w[self.factor])  # (factor, N, N)
            total = total.index_copy(0, self.factor, reached.sum((1, 2)))
        if len(self.pulled):
            distance = distribution_distance(communicability(w[self.pulled]), self.targets)  # (pulled,)
            total = total.index_add(0, self.pulled, self.emd_weights * distance)
        return total


def _trials(task: Task, count: int, seeds: Sequence[int], purpose: str, device: torch.device | str):
    """Draw the trials of each seed: inputs (steps, seeds, count, inputs) and labels (seeds, count)."""
    drawn = [_checked(task, count, task.trials(count, generator(seed, purpose, task.name))) for seed in seeds]
    inputs = torch.from_numpy(np.stack([x for x, _ in drawn], axis=1))  # (count, seeds, steps, inputs)
    labels = torch.from_numpy(np.stack([y for _, y in drawn]))
    return inputs.permute(2, 1, 0, 3).contiguous().to(device), labels.to(device)


def _checked(task: Task, count: int, trials: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Refuse trials that are not what the task says of itself."""
    inputs, labels = (np.asarray(part) for part in trials)
    wanted = (count, task.steps, task.inputs)
    if inputs.shape != wanted or labels.shape != (count,):
        raise InputError(
            f"task {task.name}: trials have inputs of shape {inputs.shape} and labels of shape {labels.shape}; "
            f"expected {wanted} and {(count,)}"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= task.classes:
        raise InputError(
            f"task {task.name}: labels are {labels.dtype} from {labels.min()} to {labels.max()}; expected whole "
            f"numbers from 0 to {task.classes - 1}"
        )
    return inputs.astype(np.float32, copy=False), labels.astype(np.int64, copy=False)


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


class Adam(torch.optim.Adam):
    """Adam with Keras's ε, on all networks at once.

    Keras adds ε to √v, PyTorch to √(v / (1−β₂ᵗ)): the two agree if PyTorch's ε is divided by √(1−β₂ᵗ). At the
    first steps that makes ε thirty times larger, which is felt where gradients are near 1e-6.

    The fused kernels are not used: they round differently at the end of an array, and a network would come out
    differently among others than alone.
    """

    def __init__(self, parameters, learning_rate: float, epsilon: float) -> None:
        super().__init__(parameters, lr=learning_rate, foreach=True)
        self._epsilon, self._steps = epsilon, 0

    def step(self) -> None:
        """Take one step along the gradients."""
        self._steps += 1
        for group in self.param_groups:
            group["eps"] = self._epsilon / (1 - group["betas"][1] ** self._steps) ** 0.5
        super().step()

    def overflowed(self) -> torch.Tensor:
        """Say for each network, shape (runs,), whether some v, the mean of squared gradients, is no finite number.

        Such a network is lost. Here v stays infinite and the weight stands still; Keras updates v by
        ``v += (1−β₂)(g² − v)``, in which ∞ − ∞ makes the weight NaN in the next step, and then the network.
        """
        moments = [self.state[p]["exp_avg_sq"] for group in self.param_groups for p in group["params"]]
        return torch.stack([~v.flatten(1).amax(1).isfinite() for v in moments]).any(0)


def check_device(device: torch.device | str) -> None:
    """Refuse a device that PyTorch does not find here."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device is {device}, which PyTorch does not find ({first_line(error)}); use cpu") from None


def initial_networks(
    starts: Sequence[Start], task: Task, seeds: Sequence[int], positive: bool = False
) -> RecurrentNetworks:
    """Make the networks that :func:`train` trains, with the input and readout weights of their seeds."""
    neurons = len(starts[0].weights)
    streams = [generator(seed, "input and readout weights", task.name) for seed in seeds]
    ends = [
        (glorot_uniform(task.inputs, neurons, rng), glorot_uniform(neurons, task.classes, rng)) for rng in streams
    ]
    w_in, w_out = (np.array(matrices) for matrices in zip(*ends, strict=True))
    return RecurrentNetworks([start.weights for start in starts], w_in, w_out, positive)


def memory_per_network(neurons: int, task: Task, settings: Settings) -> int:
    """Estimate the memory in bytes that :func:`train` takes for each network: its trials, states and matrices."""
    trials = settings.batches * settings.batch_size + settings.test_trials
    inputs = task.steps * task.inputs * (trials + 2 * settings.batch_size)
    states = (task.steps + 1) * settings.batch_size * (neurons + task.inputs + 1)
    matrices = 40 * neurons**2  # weights, gradients and moments, and what communicability and its gradient keep
    return 4 * (inputs + states + matrices)


@contextmanager
def small_numbers_as_zero() -> Iterator[None]:
    """Have the processor take numbers below 1.2 · 10⁻³⁸ for 0, and do what it did before again at the end.

    Networks that forget have states and gradients that small, and processors compute with them ten and more times
    slower than with others. No weight feels them: Adam adds ε = 10⁻⁷ to what it divides by.
    """
    before = float(torch.full((), 1e-38) * 0.1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


# The setting is each thread's own, taken over from the one that starts it: have PyTorch start its threads with it.
with small_numbers_as_zero():
    torch.ones(512, 512) @ torch.ones(512, 512)

# A forked process has none of these threads, and would wait for them for ever: it computes with its own one.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


ALL_THREADS_FROM = 256
"""Neurons from which PyTorch's threads share the products of a training; below, each network is trained by one.

On an idle machine of two cores the second thread makes a training of 42 to 130 neurons up to 1.6 times as quick, and
one of 312 twice. Where others compute as well, threads wait for one another at every product: trainings of small
networks then take 2 to 60 times as long with two threads as with one (``benchmarks/threads.py``).
"""


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Have PyTorch compute with so many threads, and as before at the end."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(neurons: int) -> int:
    """Return how many of PyTorch's threads train networks of this size, here and now."""
    return torch.get_num_threads() if neurons >= ALL_THREADS_FROM else 1


class Epoch(NamedTuple):
    """Where a training stands after an epoch.

    Attributes
    ----------
    number : int
        From 1.
    networks : RecurrentNetworks
        As they are now; training goes on with them.
    history : ndarray, shape (5, runs, epochs)
        Training accuracy and loss, test accuracy and loss, and penalty of all epochs so far; NaN for those to come,
        and from the one in which a run diverged.
    diverged_step : ndarray of int, shape (runs,)
        As in :class:`Trained`, 0 for none.
    """

    number: int
    networks: RecurrentNetworks
    history: np.ndarray
    diverged_step: np.ndarray


def trained_by(epoch: Epoch) -> list[Trained]:
    """Return the networks of a training as they are after an epoch."""
    final = epoch.networks.w.detach().cpu().numpy().copy()
    return [Trained(final[r], *epoch.history[:, r], int(step) or None) for r, step in enumerate(epoch.diverged_step)]


def training(
    starts: Sequence[Start],
    task: Task,
    seeds: Sequence[int],
    settings: Settings | None = None,
    positive: bool = False,
    device: torch.device | str = "cpu",
    trial_seeds: Sequence[int] | None = None,
) -> Iterator[Epoch]:
    """Train as :func:`train` does, and stop after each epoch to be looked at. Takes the same parameters."""
    settings = settings or Settings()
    if settings.epochs < 1:
        raise InputError(f"epochs is {settings.epochs}; it must be at least 1")
    if len(sizes := sorted({len(start.weights) for start in starts})) != 1:
        raise InputError(f"starts have {sizes or 'no'} neurons; runs that are trained side by side have one size")
    check_device(device)
    runs, (neurons,) = len(starts), sizes
    networks = initial_networks(starts, task, seeds, positive).to(device)
    penalty = Penalty(starts, device)
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

    history = np.full((5, runs, settings.epochs), np.nan)
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
                loss = _cross_entropy(logits, batch_y)  # (runs,)
                optimiser.zero_grad()
                (loss + penalty(networks.w)).sum().backward()
                optimiser.step()
                networks.constrain()
                right += (logits.detach().argmax(-1) == batch_y).sum(1)
                loss_sum += loss.detach()
                step += 1
                failed = ~loss.detach().isfinite() | optimiser.overflowed()
                diverged_step[(diverged_step == 0) & failed] = step
            test_right, test_loss = _evaluate(networks, test_x, test_y, of_run)
            # One network at a time: a sum over one is then added up the same way whoever trained beside it.
            penalties = torch.cat(
                [Penalty([start], device)(networks.w[r : r + 1].detach()) for r, start in enumerate(starts)]
            )
            finite = torch.isfinite(networks.w).flatten(1).all(1) & torch.isfinite(loss_sum + test_loss + penalties)
            diverged_step[(diverged_step == 0) & ~finite] = step
            recorded = torch.stack(
                [
                    right.double() / (settings.batches * size),
                    loss_sum / settings.batches,
                    test_right.double() / settings.test_trials,
                    test_loss / settings.test_trials,
                    penalties,
                ]
            )
            going = (diverged_step == 0).cpu().numpy()
            history[:, going, epoch] = recorded.cpu().numpy()[:, going]
        yield Epoch(epoch + 1, networks, history.copy(), diverged_step.cpu().numpy())
        if not going.any():
            break


def train(
    starts: Sequence[Start],
    task: Task,
    seeds: Sequence[int],
    settings: Settings | None = None,
    positive: bool = False,
    device: torch.device | str = "cpu",
    on_epoch: Callable[[int], None] | None = None,
    trial_seeds: Sequence[int] | None = None,
) -> list[Trained]:
    """Train one network per start, all at once and independently of one another.

    The losses are summed over runs, and the gradient of a sum with respect to one run's weights is that of its
    own loss; Adam works on each weight alone. So a run comes out the same alone and among others.

    Parameters
    ----------
    starts : sequence of Start
        One per run, all of one size.
    task : Task
    seeds : sequence of int
        One per run: trials, noise, input and readout weights. Runs of one seed share them.
    settings : Settings, optional
    positive : bool
        Keep the recurrent weights non-negative: they are clipped at 0 after each step.
    device : torch.device or str
    on_epoch : callable, optional
        Called with the number of finished epochs after each.
    trial_seeds : sequence of int, optional
        One per run, for the trials alone; `seeds` when left out.

    Returns
    -------
    list of Trained
        In the order of `starts`. Training ends early once every run has diverged, for a NaN stays one.
    """
    epoch = None
    for epoch in training(starts, task, seeds, settings, positive, device, trial_seeds):
        if on_epoch is not None:
            on_epoch(epoch.number)
    return trained_by(epoch)


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
