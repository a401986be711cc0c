"""Checks of the exercises in notebook 10."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from ..seeds import generator
from ..untrained import positive_weights
from .saying import array_from, graded, near, number, say, unanswered


def check_lost_step(answer: float | None, radius: float, first: float, largest: float) -> bool:
    """Check in which step an activity that starts at `first` and grows `radius`-fold exceeds `largest`."""
    value = number(answer)
    if value is None:
        return False
    growths = np.log(largest / first) / np.log(radius)
    right = int(np.floor(growths)) + 2  # step 1 is `first` itself
    if growths - 0.1 <= value <= right and not value.is_integer():
        return say(
            False, f"{value:g}: a step is a whole number. In step n activity is first · radiusⁿ⁻¹; try some n."
        )
    if value == right - 1:
        return say(False, f"{value:g}: one too few. Step 1 is {first:g} itself, so step n has n − 1 multiplications.")
    if value == right + 1:
        return say(False, f"{value:g}: one too many. Activity is already larger in step {right}.")
    told = f"Step {right}: {growths:.1f} times {radius:g}-fold from {first:g} makes {largest:.1e}."
    mistakes = {
        np.log10(largest / first): "That is the number of powers of ten; how many does one step add?",
        largest / (first * radius): "Activity is multiplied at each step, not added to.",
        np.log(largest / first): "That is ln(largest / first); divide by ln(radius).",
    }
    hint = "{value:g} is too {way}: solve first · radiusⁿ⁻¹ = largest for n."
    return graded(value, right, told, mistakes, hint, tolerance=0, mistaken=0.03, ways=("early", "late"))


ORIGINS = ("diverged", "guesses", "always the most frequent answer")
"""What the accuracy of a variant that has learned nothing may come from."""


def check_origins(answer: Mapping[str, str] | None, ends: Mapping[str, float], shares: Sequence[float]) -> bool:
    """Check which of three variants diverged, which one guesses, and which one always gives one answer.

    Parameters
    ----------
    answer : mapping of str to str or None
        One of :data:`biornn_lite.exercises.positive_only.ORIGINS` for each variant.
    ends : mapping of str to float
        The accuracy at which each variant ends.
    shares : sequence of float
        Of trials in which each answer is the right one.
    """
    reached = dict(zip(ORIGINS, (shares[0], 1 / len(shares), max(shares)), strict=True))
    right = {name: min(ORIGINS, key=lambda origin: abs(reached[origin] - end)) for name, end in ends.items()}
    if answer is None:
        return unanswered()
    if not isinstance(answer, Mapping) or set(answer) != set(right):
        return say(False, f"Expected a dictionary with an origin for each of {', '.join(right)}.")
    if strange := [origin for origin in answer.values() if origin not in ORIGINS]:
        return say(False, f"{strange[0]!r} is none of the three origins: {', '.join(ORIGINS)}.")
    wrong = next((name for name in right if answer[name] != right[name]), None)
    if wrong is None:
        first, most = (next(name for name in right if right[name] == origin) for origin in (ORIGINS[0], ORIGINS[2]))
        told = f"{first} is the share of the first answer, {most} that of the most frequent one"
        return say(True, f"{told}. A share of trials that is the same in all runs is no result of training.")
    why = {
        "diverged": "a network of NaN gives the same answer in every trial: the first one.",
        "guesses": "a guess is right in one of four trials on average, and guesses differ from run to run.",
        "always the most frequent answer": "that network is right as often as this answer is, in every run.",
    }
    return say(False, f"{wrong}: {why[answer[wrong]]}")


TAKING_TURNS = np.array([[0.0, 4.0], [1.0, 0.0]])
"""Weights of two neurons that excite each other only: growth alternates for ever, and its spectral radius is 2."""


def check_growth(function: object) -> bool:
    """Check a function that measures the spectral radius of matrices without negative entries by taking steps."""
    rng = generator(0, "growth")
    sparse = rng.random((30, 30)) * (rng.random((30, 30)) < 0.3)
    halves = np.kron(np.eye(2), np.full((4, 4), 0.25)) * np.repeat([1, 0.9], 4)  # radii 1 and 0.9
    triangle = np.triu(np.ones((5, 5)), 1)
    for w in (sparse, positive_weights(40, 0), 1000 * sparse, sparse / 50, halves, triangle, TAKING_TURNS):
        with _watched_for_eigenvalues() as asked:
            value = array_from(function, "a matrix", w)
        if value is None:
            return False
        if asked:
            return say(False, f"It computes eigenvalues (numpy.linalg.{asked[0]}). Take steps instead.")
        if value.ndim:
            return say(False, f"It returns something of shape {value.shape}; expected one number.")
        if not _right_growth(float(value), w):
            return False
    return say(True, "Growth in the long run is the spectral radius, and no step needed a number beyond the largest.")


@contextmanager
def _watched_for_eigenvalues() -> Iterator[list[str]]:
    """Note which of NumPy's functions of eigenvalues are called meanwhile."""
    kept = {name: getattr(np.linalg, name) for name in ("eig", "eigh", "eigvals", "eigvalsh")}
    asked: list[str] = []

    def noting(name: str) -> Callable:
        def noted(*given: object, **named: object) -> object:
            asked.append(name)
            return kept[name](*given, **named)

        return noted

    for name in kept:
        setattr(np.linalg, name, noting(name))
    try:
        yield asked
    finally:
        for name, function in kept.items():
            setattr(np.linalg, name, function)


def _right_growth(value: float, w: np.ndarray) -> bool:
    """Whether this is the spectral radius of a matrix; if not, say why."""
    right = float(np.abs(np.linalg.eigvals(w)).max())
    if near(value, right, absolute=1e-9):
        return True
    of = f"For {len(w)} neurons with a spectral radius of {right:.3g} it returns {value:.4g}"
    if right < 1e-6:  # activity dies within N steps
        return say(False, f"{of}: their activity dies, and 0 / 0 is no number. Return 0 there.")
    if not np.isfinite(value):
        way = "beyond the largest number" if right > 1 else "down to 0"
        return say(False, f"{of}: activity goes {way}. Divide the state by its size after each step.")
    if w is TAKING_TURNS and not _right_turns(value, of):
        return False
    for wrong, why in (
        (1.0, "compare the state before it is divided with the one a step earlier."),
        (float(w.sum() / len(w)), "that is the growth in the first step alone."),
        (float(np.log(right)), "that is the logarithm of the growth."),
        (float(np.linalg.norm(w, 2)), "that is the largest singular value, the most that a single step can do."),
        (float(np.linalg.norm(w)), "that is the size of the matrix."),
        (float(np.trace(w)), "that is the sum of the diagonal."),
    ):
        if near(value, wrong, absolute=1e-6):
            return say(False, f"{of}: {why}")
    if near(value, right, 0.05):
        return say(False, f"{of}: near it. Take more steps, an even number of them, and leave the first ones out.")
    return say(False, f"{of}. By what factor does the state grow in each of many late steps?")


def _right_turns(value: float, of: str) -> bool:
    """Whether this is not what one step of :data:`TAKING_TURNS` gives, nor the mean of two; if it is, say so."""
    states = np.array([[1.0, 1.0], [1.0, 4.0], [4.0, 4.0]])  # from a state of ones
    for order in (1, 2, np.inf):
        sizes = np.linalg.norm(states, order, axis=1)
        growths = sizes[1:] / sizes[:-1]
        if any(near(value, growth) for growth in growths):
            told = f"growth alternates between {growths[0]:.3g} and {growths[1]:.3g}"
            return say(False, f"{of}: {told}. Average its logarithm over many late steps.")
        if near(value, growths.mean()):
            return say(False, f"{of}: halfway between two growths. Growths multiply, so average their logarithms.")
    return True


def check_largest_network(answer: float | None, steps: int, first: float, largest: float) -> bool:
    """Check how many neurons a clipped orthogonal network may have so that `steps` steps stay below `largest`."""
    radius = (largest / first) ** (1 / (steps - 1))
    right = 2 * np.pi * radius**2
    told = f"About {right:.0f}: their spectral radius is {radius:.2f}, and {steps} steps just fit."
    mistakes = {
        2 * np.pi * (largest / first) ** (2 / steps): f"You multiplied {steps} times; step 1 is {first:g} itself, so "
        f"it is {steps - 1} times.",
        radius: "That is the spectral radius that just fits; how many neurons have it, with ρ = √(N / 2π)?",
        radius**2: "You took ρ = √N; it is √(N / 2π).",
        2 * np.pi * radius: "ρ grows with the *root* of N: square it.",
    }
    hint = f"{{value:g}} is too {{way}}. First find ρ from first · ρ^{steps - 1} = largest, then N from ρ."
    return graded(answer, right, told, mistakes, hint, tolerance=0.025, ways=("few", "many"))  # two digits will do
