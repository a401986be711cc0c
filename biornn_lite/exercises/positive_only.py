"""Checks of the exercises in notebook 10."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .saying import graded, number, say


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
    hint = "{value:g} is too {way}: solve first · radiusⁿ = largest for n."
    return graded(value, right, told, mistakes, hint, tolerance=0, mistaken=0.03, ways=("early", "late"))


def check_nan_accuracy(answer: float | None, shares: Sequence[float]) -> bool:
    """Check the accuracy that is written down for a network whose answers are all NaN.

    Parameters
    ----------
    answer : float or None
    shares : sequence of float
        Of trials in which each answer is the right one.
    """
    right = shares[0]
    told = f"{right:g}: the share of trials whose answer is the first, and nothing of it was learned."
    mistakes = {
        0.0: "The computer does give an answer: the first of several that are all NaN counts as the largest.",
        1 / len(shares): "So much a network gets that guesses blindly; this one always answers the same.",
        max(shares): "That always gives the most frequent answer; to the computer, the largest NaN is the *first*.",
        float(np.square(shares).sum()): "That guesses each answer as often as it occurs; this one never varies.",
        shares[-1]: "That is the last answer's; among equals the computer names the first.",
        1.0: "It is right only where the first answer happens to be the right one.",
    }
    hint = "{value:g}: the network always gives one and the same answer. How often is that one right?"
    return graded(answer, right, told, mistakes, hint)


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
