"""Checks of the exercises in notebook 07."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch

from ..field import CorticalField
from ..network import Networks
from ..seeds import generator
from ..snapshots import watch
from ..variants import Protocol
from .saying import array_from, graded, graded_array, number, say, unanswered


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
    given = array_from(function, "x, w_in, w and b", x, w_in, w, b, otherwise=otherwise)
    if given is None:
        return False

    def last(recurrent=w, bias=b, inputs=x, relu=torch.relu) -> torch.Tensor:
        h = torch.zeros(2, 4, 6)
        for x_t in inputs:
            h = relu(x_t @ w_in + h @ recurrent + bias)
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
        (last(inputs=x[:-1]), "It stops a step too early."),
        (last(relu=lambda h: h), "Where is relu? States may not be negative."),
        (last(relu=torch.tanh), "That is tanh; this network has relu."),
        (last(recurrent=0 * w), "The last state does not enter the next: add h @ w."),
        (last(inputs=x.flip(0)), "It goes through the steps backwards."),
    ]
    hint = f"Its mean is {given.mean():.3f}, expected {right.mean():.3f} for the tested networks."
    return graded_array(given, right, told, mistakes, hint, partial(np.allclose, atol=1e-5))


def check_epochs_to_zero(answer: float | None, weight: float, rate: float = 1e-3, steps: int = 40) -> bool:
    """Check in which epoch a weight that moves by `rate` at each of an epoch's `steps` reaches 0."""
    exact = weight / (rate * steps)
    right = math.ceil(exact - 1e-9)
    told = f"After {weight / rate:.0f} steps, in epoch {right} of ten. Most weights are smaller still."
    mistakes = {
        exact: f"So many epochs it takes; but epochs are whole. In which one is {exact:.3g}?",
        weight / rate: "That counts steps; an epoch has 40.",
        weight / rate / 128: "128 is the size of a batch; a batch is one step, whatever its size.",
        weight * steps / rate: "Divide by the steps of an epoch.",
        right - 1.0: "By the end of that epoch it is not yet 0.",
    }
    hint = f"{{value:g}} is not it: how many steps of {rate:g} make {weight:g}, in how many epochs?"
    return graded(answer, right, told, mistakes, hint, tolerance=0)


def check_small_penalty(answer: float | None, field: CorticalField) -> bool:
    """Check the test accuracy of ``WD*C*`` on Go/NoGo, seed 0, with a thousandth of both penalties.

    The network is trained here again.
    """
    value = number(answer)
    if value is None:
        return False
    if not 0 <= value <= 1:
        return say(False, f"{value:g} is not a share between 0 and 1.")

    def reached(protocol: Protocol) -> float:
        *_, last = watch(field, ["WD*C*"], "go_nogo", 0, protocol)
        return last["WD*C*"].test_accuracy

    right = reached(Protocol(penalty_weight=0.0003, emd_weight=0.0001))
    if abs(value - right) < 0.01:
        told = (
            "the same prior, trials and seed; only the penalties were smaller" if right > 0.9 else "so λ is not all"
        )
        return say(True, f"{right:.3f} in this run: {told}.")
    if abs(value - reached(Protocol())) < 0.01:
        return say(False, f"{value:.3f} is what it reaches as published; was the protocol passed on?")
    return say(False, f"{value:.3f}; this training reaches {right:.3f}. Seed 0, ten epochs, test accuracy?")


def check_leaky(answer: type | None, keeps: float = 0.5) -> bool:
    """Check a class of networks that keep a share of their state from step to step, on random weights and trials."""
    if answer is None:
        return unanswered()
    if not (isinstance(answer, type) and issubclass(answer, Networks)):
        return say(False, "That is not a class that inherits from biornn_lite.network.Networks.")
    rng = generator(0, "a leaky network")
    w, w_in, w_out = (rng.normal(size=shape) for shape in ((2, 6, 6), (2, 3, 6), (2, 6, 2)))
    networks = answer(0.3 * w, w_in, w_out)
    h, x = (torch.from_numpy(rng.random(shape)).float() for shape in ((2, 4, 6), (2, 4, 3)))
    plain = Networks.step(networks, h, x)

    def step(kept: float, new: float) -> torch.Tensor:
        return (kept * h + new * plain).detach()

    given = array_from(networks.step, "a state and inputs", h, x)
    if given is None:
        return False
    if given.shape != tuple(h.shape):
        return say(False, f"A step gives shape {given.shape}; the state has {tuple(h.shape)}.")
    told = "Half is kept, half is new: a time constant of 1.4 steps. Study(…, architecture=MyLeaky) trains it."
    mistakes = [
        (step(0, 1), "That is the plain step: nothing of the last state is kept."),
        (step(1, 0), "The state stays as it is; nothing new comes in."),
        (step(1, 1), "All of the last state is kept, and all of the new one added: it grows."),
        (step(keeps, 1), "The new part counts whole; it should be the other half."),
    ]
    hint = "Expected half of h plus half of super().step(h, x)."
    return graded_array(given, step(keeps, 1 - keeps), told, mistakes, hint, partial(np.allclose, atol=1e-5))
