"""Checks of the exercises in notebook 14."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..seeds import generator
from ..wiring import Pooled, pool_effects
from .saying import graded, number, number_from, say


def check_odds_ratio(answer: float | None, fall: float, near_um: float, far_um: float) -> bool:
    """Check by what factor the odds of a connection change from one distance to another."""
    steps = (far_um - near_um) / 100
    right = float(np.exp(fall * steps))
    told = f"{right:.3f}: the odds at {far_um:g} µm are {100 * right:.1f} % of those at {near_um:g}."
    mistakes = {
        fall * steps: "That is the change of the log odds; the odds change by its exponential.",
        100 * right: "That is in per cent; give a share between 0 and 1.",
        float(np.exp(fall)): "That is for 100 µm; how many are there between the two?",
        1 / right: "That is how many times larger the odds are at the *nearer* distance.",
        float(np.exp(fall * far_um / 100)): "That is from 0 µm on; start at the nearer distance.",
        float(np.exp(fall * (far_um - near_um))): "The fall is per 100 µm, not per µm.",
    }
    hint = "{value:g} is not it: log odds add up over 100 µm, 200 µm, …; odds are their exponential."
    return graded(answer, right, told, mistakes, hint, tolerance=0.03)


def check_fixed_effect(answer: float | None, table: pd.DataFrame, effect: str) -> bool:
    """Check the mean of an effect over fields, weighted by one over its squared error."""
    values, errors = table[effect], table[f"{effect}_error"]
    right = float(np.average(values, weights=1 / errors**2))
    random = pool_effects(values, errors).mean
    told = f"{right:.3f}; the random-effects mean, {random:.3f}, lets small fields count for more."
    mistakes = {
        float(values.mean()): "That is the plain mean: a field with 4 connections counts as much as one with 1,142.",
        float(np.average(values, weights=1 / errors)): "You weighted by one over the error; square it.",
        float(np.average(values, weights=errors**2)): "You gave the most weight to the least certain fields.",
        float((values / errors**2).sum()): "Divide by the sum of the weights.",
        random: "That is the random-effects mean; its weights take τ too.",
    }
    hint = "{value:g} is not it: the sum of effect / error², over the sum of 1 / error²."
    return graded(answer, right, told, mistakes, hint, tolerance=0.002, mistaken=0.002)


def check_share_below_zero(answer: float | None, pooled: Pooled) -> bool:
    """Check the share of fields whose true effect lies below 0, if true effects are normally distributed."""
    value = number(answer)
    if value is None:
        return False
    right = float(norm.cdf(0, pooled.mean, pooled.tau))
    blurred = float(norm.cdf(0, pooled.mean, np.hypot(pooled.tau, pooled.error)))
    if abs(value - blurred) <= 0.001:
        return say(False, f"{value:g}. You added the error of the mean to the spread; the question is of the spread.")
    told = f"{100 * right:.0f} %. More *estimates* lie below 0: each has an error of its own."
    mistakes = {
        100 * right: "That is in per cent; give a share between 0 and 1.",
        1 - right: "That is the share above 0.",
        float(norm.cdf(0, pooled.mean, pooled.error)): "You used the error of the mean. How far do *fields* spread?",
    }
    hint = "{value:g} is not it: the area below 0 of a normal distribution with this mean and SD τ."
    if abs(value - 8 / 46) < 0.005:
        hint = "{value:g} is the share of *estimates* below 0, which chance moves too."
    return graded(value, right, told, mistakes, hint, tolerance=0, absolute=0.003, mistaken=0.02)


_SETS, _FIELDS = 16, 7


def _made_up_fields() -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw effects and errors of few fields, so that all three sources of spread matter."""
    rng = generator(14, "exercise", "interval")
    errors = rng.uniform(0.1, 1.5, size=(_SETS, _FIELDS))
    return [*zip(rng.normal(0.5, 1.5, size=(_SETS, _FIELDS)), errors, strict=True)]


def check_interval_held(answer: object, table: pd.DataFrame, effect: str) -> bool:
    """Check a function of (effects, errors): the share of fields near the mean of all others, as their spread allows.

    A field counts if its estimate is within 2 · √(τ² + error² of the mean + error² of the field) of the mean, where
    mean and τ are those of the other fields.
    """
    sets = _made_up_fields()
    shares = []
    for effects, errors in sets:
        value = number_from(answer, "effects and errors", effects, errors, nan=False)
        if value is None:
            return False
        shares.append(value)
    without = [_others(*one) for one in sets]
    within = [[pool_effects(*one)] * len(one[0]) for one in sets]  # each field among those that judge it

    def judged(
        spread: Callable[[Pooled, float], float],
        pooled: list[list[Pooled]] = without,
        distance: Callable[[float], float] = abs,
    ) -> np.ndarray:
        return np.array([_share_held(*one, some, spread, distance) for one, some in zip(sets, pooled, strict=True)])

    right = judged(_expected_spread)
    mistakes = [
        (judged(_expected_spread, within), "Each field helped to make the mean that judges it; leave it out first."),
        (judged(lambda all_, own: np.hypot(all_.tau, all_.error)), "That is for the *true* effect of one more field. "
         "What is compared is an estimate, which has an error of its own."),
        (judged(lambda all_, own: (all_.prediction.high - all_.prediction.low) / 4), "A prediction interval is for "
         "the *true* effect of one more field. What is compared is an estimate, which has an error of its own."),
        (judged(lambda all_, own: np.hypot(all_.tau, own)), "The mean of the others is not known exactly; its error "
         "is missing."),
        (judged(lambda all_, own: np.hypot(all_.error, own)), "Fields truly differ: τ is missing."),
        (judged(lambda all_, own: all_.error), "That is the interval of the *mean*. Where may one more field lie?"),
        (judged(lambda all_, own: all_.tau), "τ alone is how true effects differ. Two errors come on top."),
        (judged(lambda all_, own: all_.tau + all_.error + own),
         "Independent errors add as squares, √(a² + b² + c²)."),
        (judged(lambda all_, own: _expected_spread(all_, own) / 2),
         "Twice the spread was asked for, on either side."),
        (judged(lambda all_, own: 0.98 * _expected_spread(all_, own)), "Two standard deviations were asked for, not "
         "1.96."),
        (judged(lambda all_, own: _expected_spread(all_, own) ** 2),
         "The sum of squares is a variance; take its root."),
        *((judged(_expected_spread, distance=one_sided), "On either side: compare the absolute deviation.")
          for one_sided in (np.positive, np.negative)),
        (100 * right, "As a share of 1, not in per cent."),
        (_FIELDS * right, "That is how many; divide by the number of fields."),
        (1 - right, "That is the share outside."),
    ]  # fmt: skip
    if not np.allclose(shares, right):
        k = int(np.argmin(np.isclose(shares, right)))  # the first made-up fields on which it is wrong
        hint = f"On made-up fields it gives {shares[k]:.3g}, and {right[k]:.3f} is right. Pool all fields but one."
        return say(False, next((why for wrong, why in mistakes if np.allclose(shares, wrong)), hint))
    effects, errors = (table[key].to_numpy() for key in (effect, f"{effect}_error"))
    held = _share_held(effects, errors, _others(effects, errors), _expected_spread)
    return say(
        True, f"For {effect!r}, {held * len(effects):.0f} of {len(effects)} fields are where the others put them."
    )


def _others(effects: np.ndarray, errors: np.ndarray) -> list[Pooled]:
    """Pool, for each field, all others."""
    return [pool_effects(np.delete(effects, k), np.delete(errors, k)) for k in range(len(effects))]


def _expected_spread(pooled: Pooled, own: float) -> float:
    """Return how far the estimate of one more field is from the mean, as a standard deviation."""
    return float(np.sqrt(pooled.tau**2 + pooled.error**2 + own**2))


def _share_held(
    effects: np.ndarray,
    errors: np.ndarray,
    pooled: list[Pooled],
    spread: Callable[[Pooled, float], float],
    distance: Callable[[float], float] = abs,
) -> float:
    """Return the share of fields that are within two spreads of a mean."""
    fields = zip(effects, errors, pooled, strict=True)
    return float(np.mean([distance(effect - one.mean) <= 2 * spread(one, own) for effect, own, one in fields]))
