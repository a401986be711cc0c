"""Checks of the exercises in notebook 07."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch

from ..field import CorticalField
from ..network import Networks
from ..seeds import generator
from ..snapshots import Snapshot, watch
from ..training import Settings
from ..variants import Protocol
from .saying import array_from, graded, graded_array, say, unanswered


def check_chance_loss(answer: float | None, answers: int) -> bool:
    """Check the cross-entropy (nats) of a network that gives each of some answers the same probability."""
    right = math.log(answers)
    told = f"ln {answers} = {right:.4f}. Where a loss starts near this, nothing has been learned yet."
    mistakes = {
        -right: "The sign is wrong: it is *minus* the mean logarithm, of a number below 1.",
        math.log2(answers): "That is in bits; PyTorch takes the natural logarithm, and gives nats.",
        math.log10(answers): "That is the logarithm to base 10; the natural one is meant.",
        1 / answers: "That is the probability of each answer; take minus its natural logarithm.",
        0.0: "A loss of 0 belongs to a network that is sure, and right.",
    }
    hint = f"{{value:g}} is not it: the right answer has probability 1/{answers}; take minus its logarithm."
    return graded(answer, right, told, mistakes, hint, tolerance=5e-3, mistaken=5e-3)


def check_last_state(function: object) -> bool:
    """Check a function of ``x, w_in, w, b`` that returns last states, shape (runs, trials, N)."""
    draw = torch.Generator().manual_seed(0)
    x, w_in = torch.rand(5, 2, 4, 3, generator=draw), torch.randn(2, 3, 6, generator=draw)
    w, b = torch.randn(2, 6, 6, generator=draw) / 3, torch.rand(2, 1, 6, generator=draw) / 2
    otherwise = "It returns a {type} that is not one array of numbers."
    given = array_from(_with_tensors(function), "x, w_in, w and b", x, w_in, w, b, otherwise=otherwise)
    if given is None:
        return False

    def last(recurrent=w, bias=b, inputs=x, relu=torch.relu, outside=0) -> torch.Tensor:
        h = torch.zeros(2, 4, 6)
        for x_t in inputs:
            h = relu(x_t @ w_in + h @ recurrent + bias) + outside
        return h

    right = last()
    if given.shape == (5, 2, 4, 6):
        return say(False, "It returns the states of all steps; only the last is asked for.")
    if given.shape == (4, 6):
        return say(False, "It returns the states of one network, shape (4, 6); expected those of both, (2, 4, 6).")
    if given.shape != right.shape:
        shape = given.shape
        return say(False, f"For 2 networks, 4 trials and 6 neurons it returns shape {shape}, expected (2, 4, 6).")
    told = "That is the whole of it; all else is how the weights are found."
    mistakes = [
        (last(w.mT), "Your weights act the wrong way round: h @ w, as W[i, j] goes from i to j."),
        (last(bias=0 * b), "Where is the bias b?"),
        (last(bias=0 * b, outside=b), "The bias b belongs inside relu."),
        (last(inputs=x[:-1]), "It stops a step too early."),
        (last(relu=lambda h: h), "Where is relu? States may not be negative."),
        (last(relu=torch.tanh), "That is tanh; this network has relu."),
        (last(recurrent=0 * w), "The last state does not enter the next: add h @ w."),
        (last(inputs=x.flip(0)), "It goes through the steps backwards."),
    ]
    hint = f"Its mean is {given.mean():.3f}, expected {right.mean():.3f} for the tested networks."
    return graded_array(given, right, told, mistakes, hint, partial(np.allclose, atol=1e-5))


def _with_tensors(function: object) -> object:
    """Let a function say, where it mixes NumPy with tensors, that it was given tensors."""
    if not callable(function):
        return function

    def called(*given):
        try:
            return function(*given)
        except TypeError as error:
            if "numpy" not in str(error):
                raise
            raise TypeError(f"{error}. x, w_in, w and b are torch tensors: use torch.zeros and torch.relu") from error

    return called


def _adam(
    w, gradient, steps, beta=(0.9, 0.999), correct=(True, True), first=None, root=True, stale=False, divided=None,
    inside=0.0,
):  # fmt: skip
    """Adam, with a mistake for each argument after `steps`.

    `first` stands in the place of the mean gradient, and `divided` in that of `beta` where both means are divided.
    `inside` is added to the mean square before its root is taken.
    """
    m, v, once = np.zeros_like(w), np.zeros_like(w), gradient(w)
    for t in range(1, steps + 1):
        g = once if stale else gradient(w)
        m, v = beta[0] * m + (1 - beta[0]) * g, beta[1] * v + (1 - beta[1]) * g**2
        mean, square = (x / (1 - b**t) if c else x for x, b, c in zip((m, v), divided or beta, correct, strict=True))
        below = (np.sqrt(square + inside) if root else square) + (0 if inside else 1e-7)
        w = w - 1e-3 * (g if first == "gradient" else mean) / below
    return w


def _by_torch(w: np.ndarray, gradient: Callable, steps: int) -> np.ndarray:
    """PyTorch's Adam."""
    weights = torch.tensor(w, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=1e-3, eps=1e-7)
    for _ in range(steps):
        weights.grad = torch.as_tensor(gradient(weights.detach().numpy().copy()))
        optimiser.step()
    return weights.detach().numpy()


def _descent(w: np.ndarray, gradient: Callable, steps: int) -> np.ndarray:
    for _ in range(steps):
        w = w - 1e-3 * gradient(w)
    return w


KEPT_AND_NEW = (
    ((0.1, 0.999), "m moves a *tenth* of the way to the new gradient: 0.9 m + 0.1 g. Your shares are swapped."),
    ((0.9, 0.001), "v moves a *thousandth* of the way: 0.999 v + 0.001 g². Your shares are swapped."),
    ((0.1, 0.001), "m and v move a tenth and a thousandth of the way: 0.9 m + 0.1 g. Your shares are swapped."),
)
"""Shares that are kept of both means if what is kept and what is new are swapped, and what to say of it."""


def _mistaken(w: np.ndarray, gradient: Callable, steps: int) -> list[tuple[np.ndarray, str]]:
    """Return what each known mistake gives, and what to say of it."""
    return [
        (w, "The weights did not move."),
        (_adam(w, gradient, steps, correct=(False, False)), "Divide m by 1 − 0.9ᵗ and v by 1 − 0.999ᵗ."),
        (_adam(w, gradient, steps, correct=(True, False)), "Only m is divided; v needs 1 − 0.999ᵗ, too."),
        (_adam(w, gradient, steps, correct=(False, True)), "Only v is divided; m needs 1 − 0.9ᵗ, too."),
        (_adam(w, gradient, steps, root=False), "Divide by √v: it has the unit of the gradient."),
        (_adam(w, gradient, steps, inside=1e-7), "10⁻⁷ is added after the root: √v + 10⁻⁷, not √(v + 10⁻⁷)."),
        (_adam(w, gradient, steps, first="gradient"), "The weight follows m, not the last gradient."),
        (_adam(w, gradient, steps, beta=(0.999, 0.9)), "m moves by a tenth, v by a thousandth; yours are swapped."),
        *((_adam(w, gradient, steps, beta=beta, divided=(0.9, 0.999)), why) for beta, why in KEPT_AND_NEW),
        (_adam(w, gradient, steps, stale=True), "The gradient changes with the weights: ask for it at each step."),
        (_adam(w, gradient, steps - 1), "It takes one step too few."),
        (_adam(w, gradient, steps + 1), "It takes one step too many."),
        (_adam(w, lambda weights: -gradient(weights), steps), "It moves along the gradient; move against it."),
        (_descent(w, gradient, steps), "That is plain gradient descent, without m and v."),
    ]


def check_adam(function: object) -> bool:
    """Check a function of weights, a function that returns their gradient, and a number of steps of Adam."""
    takes = "weights, a function for their gradient and a number of steps"
    target = np.array([[0.3, -0.2], [0.05, 0.0]])
    tried = [
        (np.array([[0.1, 0.0], [-0.3, 0.2]]), lambda w: 2 * (w - target), 60),
        (np.array([0.2, -0.1, 0.4]), lambda w: np.sin(40 * w) + 0.2, 25),
        (np.array([0.1, 0.1]), lambda w: np.array([3.0, 0.003]), 100),
    ]
    same = partial(np.allclose, atol=1e-6)
    for w, gradient, steps in tried:
        given = array_from(function, takes, w, gradient, steps)
        if given is None:
            return False
        if given.shape != w.shape:
            return say(False, f"For weights of shape {w.shape} it returns shape {given.shape}.")
        if not np.isfinite(given).all():
            first = array_from(function, takes, np.ones(1), lambda w: w, 1)  # one step with a positive gradient
            if first is None:
                return False
            from_0 = not np.isfinite(first).all()
            why = "1 − 0.9ᵗ is 0 for t = 0; count the steps from 1" if from_0 else "v is a mean of g², never negative"
            return say(False, f"It holds nan or inf: {why}.")
        right = _by_torch(w, gradient, steps)
        if not same(given, right):
            place = np.unravel_index(np.abs(given - right).argmax(), right.shape)
            where = ", ".join(map(str, place))
            hint = f"After {steps} steps w[{where}] is {given[place]:.7f}, expected {right[place]:.7f}."
            return graded_array(given, right, "", _mistaken(w, gradient, steps), hint, same)
    told = "As PyTorch's. With a constant gradient, of 3 or of 0.003, a weight goes from 0.1 to 0 in 100 steps"
    return say(True, f"{told}: in epoch 3 of ten.")


def check_small_penalty(answer: object, field: CorticalField) -> bool:
    """Check the snapshots of ``WD*C*`` on Go/NoGo, seed 0, trained with a thousandth of both penalties.

    Parameters
    ----------
    answer : sequence of Snapshot, or None
        From before training to the tenth epoch.
    field : CorticalField
    """
    if answer is None:
        return unanswered()
    if isinstance(answer, Mapping):
        return say(False, f"That is a dictionary with {[*answer]}; take what it holds for WD*C*.")
    history = answer if isinstance(answer, Sequence) else [answer]
    if not history or not all(isinstance(each, Snapshot) for each in history):
        return say(False, 'Expected the snapshots of all epochs: histories(watch(…))["WD*C*"].')
    first, last = history[0], history[-1]
    if (last.variant, last.task.name) != ("WD*C*", "go_nogo"):
        return say(False, f"Those are snapshots of {last.variant} on {last.task.title}.")
    if [each.epoch for each in history] != list(range(Settings().epochs + 1)):
        return say(False, f"Expected snapshots of epochs 0 to {Settings().epochs}, from before training to the end.")

    def begins(**changed) -> bool:
        """Say whether training began so; a protocol's penalties are seen before the first step."""
        before = next(iter(watch(field, ["WD*C*"], "go_nogo", 0, Protocol(**changed))))["WD*C*"]
        return np.allclose(
            [first.loss, first.penalty, first.pull], [before.loss, before.penalty, before.pull], rtol=1e-4, atol=0
        )

    small = {"penalty_weight": 0.0003, "emd_weight": 0.0001}
    if not begins(**small):
        mistakes = (
            ({}, "Both penalties are as published; was the protocol passed on?"),
            ({"penalty_weight": 0.0003}, "The cost of wiring is small, but the pull is as published: emd_weight."),
            ({"emd_weight": 0.0001}, "The pull is small, but the cost of wiring is as published: penalty_weight."),
        )
        otherwise = "Seed 0, and a thousandth of both weights?"
        return say(False, next((why for changed, why in mistakes if begins(**changed)), otherwise))
    told = f"Its test accuracy is {last.test_accuracy:.3f} after ten epochs, with the same start and trials."
    if last.test_accuracy < 0.9:
        return say(True, f"{told} So the size of the penalties is not all (one run).")
    blame = "So neither the orthogonal start nor the idea of C* is at fault; the size of the penalties is (one run)."
    return say(True, f"{told} {blame}")


def check_leaky(answer: type | None, half_life: float = 2.0) -> bool:
    """Check a class of networks whose state is a mean of the last one and of the plain step, on random weights.

    Parameters
    ----------
    answer : type or None
    half_life : float
        Steps after which half of a state is left, if the plain step adds nothing.
    """
    if answer is None:
        return unanswered()
    if not (isinstance(answer, type) and issubclass(answer, Networks)):
        return say(False, "That is not a class that inherits from biornn_lite.network.Networks.")
    rng = generator(0, "a leaky network")
    w, w_in, w_out = (rng.normal(size=shape) for shape in ((2, 6, 6), (2, 3, 6), (2, 6, 2)))
    networks = answer(0.3 * w, w_in, w_out)
    h, x = (torch.from_numpy(rng.random(shape)).float() for shape in ((2, 4, 6), (2, 4, 3)))
    plain = Networks.step(networks, h, x)

    def step(kept: float, new: float | None = None) -> torch.Tensor:
        return (kept * h + (1 - kept if new is None else new) * plain).detach()

    given = array_from(networks.step, "a state and inputs", h, x)
    if given is None:
        return False
    if given.shape != tuple(h.shape):
        return say(False, f"A step gives shape {given.shape}; the state has {tuple(h.shape)}.")
    keeps = 0.5 ** (1 / half_life)
    told = f"{keeps:.3f} is kept in each step, {keeps:.3f}² = {keeps**2:.2f} in two. Study(…, architecture=MyLeaky)"
    mistakes = [
        (step(0), "That is the plain step: nothing of the last state is kept."),
        (step(1), "The state stays as it is; nothing new comes in."),
        (step(1, 1), "All of the last state is kept, and all of the new one added: it grows."),
        (step(keeps, 1), "The new part counts whole; in a mean, the two shares add up to 1."),
        (step(0.5), "Half is left after *one* step. Which share, taken twice, leaves a half?"),
        (step(0.25), "A quarter is left after one step. Which share, taken twice, leaves a half?"),
        (step(1 - keeps), "The shares are swapped: it keeps what should be new."),
        (step(math.exp(-1 / half_life)), f"After {half_life:g} steps 1/e is left; a half is asked for."),
        (step(0.75), "A quarter is lost in each step, so 0.75² = 0.56 is left after two."),
    ]
    hint = "Expected a share of h plus the rest of super().step(h, x). Which share, taken twice, leaves a half?"
    return graded_array(given, step(keeps), told, mistakes, hint, partial(np.allclose, atol=1e-5))
