"""Checks of the exercises in notebook 00b."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..seeds import generator
from .saying import array, array_from, graded, graded_array, say, unanswered


def _relu(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0.0)


def check_next_state(
    answer: Sequence[float] | None, state: Sequence, inputs: Sequence, weights: Sequence, bias: Sequence
) -> bool:
    """Check the next state of two units by hand; channel k reaches unit k with weight 1.

    Parameters
    ----------
    answer : sequence of two numbers, or None
    state, inputs, bias : sequence of two numbers
        The last state, the input of this step, and the bias.
    weights : sequence, shape (2, 2)
        ``weights[i][j]`` from unit i to unit j.
    """
    given = array(answer, "That is not a list of two numbers, such as [0.3, 0.7].")
    if given is None:
        return False
    if given.shape != (2,):
        return say(False, f"Its shape is {given.shape}; expected two numbers, one per unit.")
    h, x, w, b = (np.array(values, dtype=float) for values in (state, inputs, weights, bias))
    total = x + h @ w + b  # (2,)
    silent = [f"unit {unit}" for unit in range(2) if total[unit] < 0]
    told = (
        f"The sum of {' and '.join(silent)} is below 0, so relu makes it 0." if silent else "Both units are active."
    )
    mistakes = [
        (total, "Those are the sums. A state may not be negative: relu comes last."),
        (_relu(total - x), "Where is the input of this step?"),
        (_relu(total - b), "Where is the bias?"),
        (_relu(x + b), "Where is the last state?"),
        (_relu(x + w @ h + b), "You took rows for columns: W[i, j] goes from unit i to unit j."),
        (_relu(total)[::-1], "Right, but in the other order: unit 0 comes first."),
    ]
    hint = "Each unit: its input, plus the state of each unit times the weight from there, plus its bias; then relu."
    return graded_array(given, _relu(total), told, mistakes, hint)


def _drawn(steps: int, channels: int, units: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw a trial (steps, channels) and a network: w_in (channels, units), w (units, units), b (units,)."""
    rng = generator(0, f"a trial of {steps} steps, {channels} channels and {units} units")
    x, w_in = rng.normal(size=(steps, channels)), rng.normal(size=(channels, units))
    return x, w_in, rng.normal(size=(units, units)) / 2, rng.uniform(0.2, 1, size=units)


def _states(x, w_in, w, b, relu=_relu, first: float = 0.0) -> np.ndarray:
    """Return the states after all steps, shape (steps, units)."""
    h, found = np.full(len(w), first), []
    for x_t in x:
        h = relu(x_t @ w_in + h @ w + b)
        found.append(h)
    return np.array(found)


def _with_a_word_on_shapes(function: Callable) -> Callable:
    """Let a learner's function say what to do if a product of its arrays fails, as it does from the state 0."""

    def calls(*arrays):
        try:
            return function(*arrays)
        except ValueError as error:
            if "matmul" not in str(error) and "not aligned" not in str(error):
                raise
            start = "Start from one zero per unit, np.zeros(len(b)), and write row @ matrix"
            raise ValueError(f"the shapes of a product do not fit. {start}.") from error

    return calls


def check_trial(function: object) -> bool:
    """Check a function of ``x, w_in, w, b`` that returns the states of all steps of a trial, shape (steps, units)."""
    x, w_in, w, b = _drawn(6, 3, 4)
    function = _with_a_word_on_shapes(function) if callable(function) else function
    given = array_from(function, "x, w_in, w and b", x, w_in, w, b)
    if given is None:
        return False

    def states(w_in=w_in, w=w, b=b, relu=_relu, first=0.0) -> np.ndarray:
        return _states(x, w_in, w, b, relu, first)

    right = states()
    if given.shape == (4,):
        last = "the last state" if np.allclose(given, right[-1]) else "one state"
        return say(False, f"It returns {last}; expected those of all 6 steps, shape (6, 4).")
    if given.shape == (7, 4):
        return say(False, "It returns 7 states for 6 steps: leave out the one before the first step.")
    if given.shape != right.shape:
        return say(False, f"For 6 steps and 4 units it returns shape {given.shape}; expected (6, 4).")
    told = "That is a recurrent network: one line, again and again."
    mistakes = [
        (states(w=w.T), "Your weights act the wrong way round: h @ w, as w[i, j] goes from i to j."),
        (states(b=0 * b), "Where is the bias b?"),
        (states(relu=lambda h: h), "Where is relu? A state may not be negative."),
        (states(w=0 * w), "The last state does not enter the next one. Do you keep it from step to step?"),
        (states(w_in=0 * w_in), "The input does not enter: add x_t @ w_in."),
        (states(first=1.0), "It starts from a state of ones; expected zeros."),
        (np.repeat(right[-1:], 6, axis=0), "All its rows are the last state. Do you keep a new array in each step?"),
    ]
    if np.allclose(given, right):
        for steps, channels, units in ((1, 2, 3), (9, 5, 1)):
            arrays = _drawn(steps, channels, units)
            found = array_from(function, "x, w_in, w and b", *arrays)
            if found is None:
                return False
            if found.shape != (steps, units) or not np.allclose(found, _states(*arrays)):
                return say(
                    False,
                    f"Right for 6 steps, 3 channels and 4 units, but not for {steps}, {channels} and {units}.",
                )
    hint = f"Its first state has the sum {given[0].sum():.3f}, expected {right[0].sum():.3f}; compare them by hand."
    return graded_array(given, right, told, mistakes, hint)


def check_updates(answer: float | None, trials: int, batch: int, epochs: int) -> bool:
    """Check how often the weights move in a training of some epochs, once after each batch."""
    right = trials // batch * epochs
    told = f"{trials // batch} batches in an epoch, {epochs} epochs. This is the length of a training in the paper."
    mistakes = {
        trials / batch: "So often in one epoch. How many epochs are there?",
        float(epochs): "Weights move after every batch, not after every epoch.",
        float(trials * epochs): "Weights move once for a whole batch, not for every trial.",
        float(trials): "That counts trials.",
        batch * epochs: f"{batch} is the number of trials in a batch. How many batches make an epoch?",
    }
    hint = "{value:g} is too {way}: how many batches make an epoch, and how many epochs are there?"
    return graded(answer, float(right), told, mistakes, hint, tolerance=0)


def check_slope(answer: float | None, at: float = 5.0) -> bool:
    """Check the gradient of 3 (w − 2)² at some w."""
    right = 6 * (at - 2)
    told = f"If w grows by 0.001, this loss grows by about {right / 1000:g}; so a step against the gradient lowers w."
    mistakes = {
        3 * (at - 2) ** 2: "That is the loss itself; the gradient says how fast it changes with w.",
        -right: "The sign is wrong. The loss grows with w here; it is the *step* that goes the other way.",
        2 * (at - 2): "Where is the factor 3?",
        3 * (at - 2): "Where is the 2 of the square?",
    }
    hint = "{value:g} is too {way}. Use the three lines of section 4, or change w by 0.001 and see."
    return graded(answer, right, told, mistakes, hint)


def check_orthogonal(answer: Sequence[str] | None, matrices: Mapping[str, Sequence]) -> bool:
    """Check which of some matrices are orthogonal, by their names."""
    if answer is None:
        return unanswered()
    if isinstance(answer, str):
        answer = [answer]
    try:
        chosen = set(answer)
    except TypeError:
        return say(False, f"{answer!r} is no list of names, such as ['turn'].")
    if unknown := sorted(map(str, chosen - set(matrices))):
        return say(False, f"There is no {unknown[0]!r} among {', '.join(matrices)}.")
    gap = {
        name: np.abs(np.array(w, float) @ np.array(w, float).T - np.eye(len(w))).max() for name, w in matrices.items()
    }
    right = {name for name, found in gap.items() if found < 1e-6}
    if chosen == right:
        return say(True, "These keep the length of every state; negative weights do not matter.")
    for name in matrices:
        w = np.array(matrices[name], float)
        if name in chosen - right:
            lengths = ", ".join(f"{length:.2f}" for length in np.linalg.norm(w, axis=1))
            return say(False, f"{name} is not: it makes the lengths {lengths} of the states (1, 0) and (0, 1).")
    missing = len(right - chosen)
    told = "One is missing" if missing == 1 else f"{missing} are missing"
    return say(False, f"{told}. Have you tried those with a negative number, and those with zeros on the diagonal?")
