"""Checks of the exercises in notebook 03."""

from __future__ import annotations

import numpy as np

from ..field import CorticalField
from ..weights import SPECTRAL_RADIUS, functional, min_max, spectral_radius, with_spectral_radius
from .saying import array, array_from, graded, near, number_from, say


def check_bad_pair(answer: float | None, field: CorticalField, draws: np.ndarray) -> bool:
    """Check how many times larger the diagonal of W* is if neurons 0 and 1 had a correlation of −1.

    Parameters
    ----------
    answer : float or None
        Mean of the diagonal divided by the mean of all other entries.
    field : CorticalField
    draws : ndarray, shape (N, N)
        The lognormal draws.
    """

    def ratio(correlation: np.ndarray, sttc: np.ndarray = field.sttc) -> float:
        made = functional(draws, correlation, sttc)
        own = np.eye(len(made), dtype=bool)
        return float(made[own].mean() / made[~own].mean())

    def spoiled(measure: np.ndarray, value: float = -1.0) -> np.ndarray:
        changed = measure.copy()
        changed[0, 1] = changed[1, 0] = value
        return changed

    bad = spoiled(field.correlation)
    right, before = ratio(bad), ratio(field.correlation)
    made = functional(draws, bad, field.sttc)
    middle = np.median(min_max(bad)[~np.eye(field.neurons, dtype=bool)])
    told = (
        f"{right:.0f} in place of {before:.0f}: the bad pair becomes 0, so half of all other pairs lie above "
        f"{middle:.2f} in m(Corr), whatever they were. Their weights grow, and the correlation hardly tells them "
        "apart any more; the STTC still does."
    )
    own = np.eye(field.neurons, dtype=bool)
    mistakes = {
        before: "That is the number without the bad pair; make the weights anew from the changed correlations.",
        1 / right: "Upside down: the diagonal over the others.",
        ratio(spoiled(field.correlation), spoiled(field.sttc)): "You changed the STTC too; it is not bad.",
        ratio(field.correlation, spoiled(field.sttc)): "You changed the STTC; the correlation is the bad one.",
        float(bad[own].mean() / bad[~own].mean()): "That is about the ratio of the correlations; "
        "compare the *weights* made of them, with the same `draws`.",
        float(min_max(bad)[own].mean() / min_max(bad)[~own].mean()): "That is m(Corr) alone; compare the weights.",
        float(np.median(made[own]) / np.median(made[~own])): "That is a ratio of medians; compare the means.",
        float(made[own].mean() / made.mean()): "That is the diagonal over the mean of all weights; divide by the "
        "mean of those off it.",
    }  # fmt: skip
    hint = "{value:g} is too {way}: change both entries of the pair in a copy, and make the weights as in section 1."
    return graded(answer, right, told, mistakes, hint, tolerance=0.02)


def check_scaling(function: object) -> bool:
    """Check a function that scales a matrix to a spectral radius.

    It is tried on matrices whose largest eigenvalue is negative, comes as a complex pair, or is neither the first
    nor the last of the list that NumPy gives.
    """
    rng = np.random.default_rng(0)
    first = rng.normal(size=(7, 7)) + 3 * np.diag([0, -1.5, 0, 1, 0, 0, 0])
    pair = np.triu(rng.normal(size=(7, 7)), 2) / 4 + np.diag([0.2, 1.3, 0.4, -0.6, 0.1, 1.2, 1.2])
    pair[5, 6], pair[6, 5] = 0.8, -3.2  # eigenvalues 1.2 ± 1.6i, of absolute value 2
    middle = np.triu(rng.normal(size=(7, 7)), 1) / 4 + np.diag([0.3, -0.4, 0.6, 2.5, 0.5, -0.2, 1.0])
    for weights, radius in ((first, 0.9), (pair, 1.2), (middle, 0.5)):
        given = array_from(function, "weights and radius", weights, radius)
        if given is None:
            return False
        if given.shape != weights.shape:
            return say(False, f"For a matrix of shape {weights.shape} it returns shape {given.shape}.")
        if not np.isfinite(given).all():
            return say(False, "Some of what it returns is not finite; was something divided by 0?")
        if not np.allclose(given, with_spectral_radius(weights, radius)):
            hint = f"The result has spectral radius {spectral_radius(given):.2f}, expected {radius:.2f}."
            mistakes = _mistaken_scalings(weights, radius)
            return say(False, next((why for wrong, why in mistakes if np.allclose(given, wrong)), hint))
    told = f"From {spectral_radius(first):.2f} to 0.90; all eigenvalues shrink by the same factor."
    return say(True, told)


def _mistaken_scalings(weights: np.ndarray, radius: float) -> list[tuple[np.ndarray, str]]:
    """Return what each mistake makes of a matrix, and what there is to say of it."""
    values = np.linalg.eigvals(weights)
    sizes, current = np.abs(values), spectral_radius(weights)
    pair = "Its largest eigenvalues are a complex pair: take the absolute value of the complex number, not of its"
    largest = "You took the largest eigenvalue; one of larger absolute value is negative or complex."
    scales = [
        (np.abs(weights).max(), "You divided by the largest entry; an eigenvalue is meant."),
        (np.linalg.norm(weights, 2), "You divided by the largest singular value; it is no eigenvalue unless W = Wᵀ."),
        (np.linalg.norm(weights), "You divided by the Frobenius norm, the root of all squares."),
        (
            np.abs(np.linalg.eigvalsh(weights)).max(),
            "np.linalg.eigvalsh is for symmetric matrices and reads one half of them; use np.linalg.eigvals.",
        ),
        (np.abs(values.real).max(), f"{pair} real part."),
        (values.real.max(), largest),
        (np.abs(values.max()), largest),
        ((-values.real).max(), "You took the most negative eigenvalue; the largest *absolute* value counts."),
        (np.abs(values.imag).max(), f"{pair} imaginary part."),
        (max(np.abs(values.real).max(), np.abs(values.imag).max()), f"{pair} parts."),
        (sizes[0], "You took the first eigenvalue of the list; they are in no order."),
        (sizes[-1], "You took the last eigenvalue of the list; they are in no order."),
        (sizes.min(), "You took the smallest absolute eigenvalue; the largest counts."),
        (sizes.mean(), "You took the mean of the absolute eigenvalues; the largest counts."),
        (radius**2 / current, "You took the factor upside down: radius / current."),
        (radius, "You returned the matrix as it was."),
    ]  # fmt: skip
    return [
        *((weights * radius / scale, why) for scale, why in scales if scale),
        (
            weights * -radius / current,
            "You divided by a negative eigenvalue, which turns all signs; take np.abs of it.",
        ),
        (weights / current, "It scales to 1, whatever radius was asked for."),
        (weights * 0.9 / current, "It scales to 0.9, whatever radius was asked for."),
        (with_spectral_radius(weights, radius).T, "Right size, but transposed: rows are senders."),
    ]


def check_without_diagonal(answer: object, weights: np.ndarray) -> bool:
    """Check functional weights without self-connections, scaled to spectral radius 0.95 again."""
    given = array(answer)
    if given is None:
        return False
    if given.shape != weights.shape:
        return say(False, f"Its shape is {given.shape}; expected {weights.shape}.")
    off = weights - np.diag(np.diag(weights))
    right = off * (SPECTRAL_RADIUS / spectral_radius(off))
    if np.allclose(given, right):
        factor = SPECTRAL_RADIUS / spectral_radius(off)
        return say(True, f"Without its diagonal, the rest had to be raised {factor:.1f}-fold to reach 0.95 again.")
    if np.diag(given).any():
        return say(False, f"Its diagonal is not 0 everywhere; its mean is {np.diag(given).mean():.4f}.")
    if np.allclose(given, right.T):
        return say(False, "Right values, but transposed: W[i, j] goes from neuron i to neuron j.")
    if np.allclose(given, off):
        return say(False, f"The diagonal is gone, but so is the scale: its radius is {spectral_radius(off):.3f}.")
    if np.allclose(given, off * (SPECTRAL_RADIUS / np.linalg.norm(off, 2))):
        return say(False, "You divided by the largest singular value; take the largest absolute *eigenvalue*.")
    radius = spectral_radius(given) if np.isfinite(given).all() else np.nan
    if near(radius, SPECTRAL_RADIUS, 1e-6):
        return say(False, "Its spectral radius is 0.95, but its other entries are not those of W* times one factor.")
    return say(False, f"Its spectral radius is {radius:.3f}, expected 0.95; scale *after* taking out the diagonal.")


def check_steps_kept(answer: float | None, weight: float, share: float) -> bool:
    """Check after how many steps a neuron that excites itself alone has fallen below a share of its activity."""
    exact = np.log(share) / np.log(weight)
    right = int(np.floor(exact)) + 1
    told = f"{right} steps: {weight:g}^{right} = {weight**right:.3f}, the first below {share:g}."
    mistakes = {
        (1 - share) / (1 - weight): "Activity is multiplied at each step; it does not fall by a fixed amount.",
        -np.log(share): "That is −ln(share); divide by −ln(weight).",
        -np.log10(share): "That is −log10(share); divide by −log10(weight).",
        exact: f"Steps are whole: after which is {weight:g}ⁿ first below {share:g}?",
        right - 1.0: f"{weight:g}^{right - 1} = {weight ** (right - 1):.3f} is not yet below {share:g}.",
    }  # fmt: skip
    hint = "{value:g} are too {way}: solve weightⁿ = share for n."
    return graded(answer, right, told, mistakes, hint, tolerance=0, mistaken=3e-3, ways=("few", "many"))


GIVEN = "first, second, weights and steps"


def check_angle(function: object) -> bool:
    """Check a function of two states, weights and a number of steps, which gives the angle between them afterwards.

    It is tried on a matrix that is not symmetric and has negative entries, for none, one and several steps.
    """
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, 6)) / 2
    a, b = rng.random(6), rng.random(6)
    for steps in (4, 1, 0):
        value = number_from(function, GIVEN, a, b, weights, steps)
        if value is None:
            return False
        right = _angle(a, b, weights, steps)
        if not near(value, right, 1e-6, 1e-4):
            mistakes = (
                (np.radians(right), "That is in radians; np.degrees turns them into degrees."),
                (np.cos(np.radians(right)), "That is the cosine; np.arccos gives its angle."),
                (_angle(a, b, weights.T, steps), "You multiplied W h; rows send, so it is h W: `h @ weights`."),
                (_angle(a, b, weights, steps, relu=False), "relu is missing: negative activities become 0."),
                (
                    _angle(a, b, np.linalg.matrix_power(weights, steps), 1),
                    "relu acts at every step, not once at the end.",
                ),
                (_angle(a, b, weights, steps + 1), "That is one step too many."),
                (_angle(a, b, weights, steps - 1), "That is one step too few."),
                (_angle(a, b, weights, 1), "That is after one step: the new state is what the next step takes."),
                (_angle(a, b, weights, 0), "That is the angle before any step."),
            )  # fmt: skip
            why = next((why for wrong, why in mistakes if near(value, float(wrong), 1e-6, 1e-6)), "")
            told = f"After {steps} steps it gives {value:.3f}; expected {right:.3f} degrees."
            return say(False, f"{told} {why}".strip())
    value = number_from(function, GIVEN, a, a * 3, weights, 2)
    if value is None:
        return False
    if not abs(value) < 1e-3:
        hint = " Rounding can bring a cosine above 1; np.clip keeps it at 1." if np.isnan(value) else ""
        return say(False, f"Of a state and three times this state it gives {value:.3f}; expected 0 degrees.{hint}")
    return say(
        True, f"{_angle(a, b, weights, 0):.0f} degrees at first, {_angle(a, b, weights, 4):.0f} after 4 steps."
    )


def _angle(a: np.ndarray, b: np.ndarray, weights: np.ndarray, steps: int, relu: bool = True) -> float:
    """Angle in degrees between two states after some steps, from their cosine; 0 if one of them is zero."""
    h = np.stack([a, b])  # (2, N)
    for _ in range(steps):
        h = h @ weights
        h = np.maximum(h, 0) if relu else h
    lengths = np.linalg.norm(h, axis=1)
    return float(np.degrees(np.arccos(np.clip(h[0] @ h[1] / lengths.prod(), -1, 1)))) if lengths.all() else 0.0
