"""Checks of the exercises in notebook 03."""

from __future__ import annotations

import numpy as np

from ..weights import SPECTRAL_RADIUS, spectral_radius
from .saying import array, array_from, graded, graded_array, near, say


def check_min_max(answer: float | None, value: float, low: float, high: float) -> bool:
    """Check what min–max scaling makes of one value."""
    right = (value - low) / (high - low)
    told = f"{right:g}: the smallest entry becomes 0, the largest 1, and all between keep their order."
    mistakes = {
        value: "That is the value itself; shift it by the smallest and divide by the range.",
        value - low: "You shifted it, but did not divide by the range.",
        value / (high - low): "You divided by the range, but did not take off the smallest first.",
        1 - right: "That counts from the largest down.",
    }
    hint = "{value:g} is not it: (value − smallest) / (largest − smallest)."
    return graded(answer, right, told, mistakes, hint)


def check_scaling(function: object) -> bool:
    """Check a function that scales a matrix to a spectral radius."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(7, 7)) + 3 * np.diag([0, -1.5, 0, 1, 0, 0, 0])
    given = array_from(function, "weights and radius", weights, 0.9)
    if given is None:
        return False
    if given.shape != weights.shape:
        return say(False, f"For a matrix of shape {weights.shape} it returns shape {given.shape}.")
    if not np.isfinite(given).all():
        return say(False, "Some of what it returns is not finite; was something divided by 0?")
    values = np.linalg.eigvals(weights)
    radius = np.abs(values).max()
    right = weights * 0.9 / radius
    told = f"From {radius:.2f} to 0.90; all eigenvalues shrink by the same factor."
    scales = [
        (np.abs(weights).max(), "You divided by the largest entry; an eigenvalue is meant."),
        (np.linalg.norm(weights, 2), "You divided by the largest singular value; it is no eigenvalue unless W = Wᵀ."),
        (np.linalg.norm(weights), "You divided by the Frobenius norm, the root of all squares."),
        (values.real.max(), "You took the largest eigenvalue; one of larger absolute value is negative or complex."),
        (0.9**2 / radius, "You took the factor upside down: radius / current."),
        (0.9, "You returned the matrix as it was."),
    ]  # fmt: skip
    mistakes = [
        *((weights * 0.9 / scale, why) for scale, why in scales),
        (weights / radius, "It scales to 1, whatever radius was asked for."),
        (right.T, "Right size, but transposed: rows are senders."),
    ]
    hint = f"The result has spectral radius {np.abs(np.linalg.eigvals(given)).max():.2f}, expected 0.90."
    return graded_array(given, right, told, mistakes, hint)


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
