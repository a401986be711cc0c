"""Checks of the exercises in notebook 14."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..wiring import Pooled, pool_effects
from .saying import graded, near, number, say, unanswered


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


def check_deep_fields(answer: object, table: pd.DataFrame, depth: float, effect: str) -> bool:
    """Check a random-effects estimate over the fields whose mean y lies beyond a depth, in µm."""
    if answer is None:
        return unanswered()
    if not isinstance(answer, Pooled):
        return say(False, f"{type(answer).__name__!r} was given; pool_effects returns what is asked for.")
    for rows, why in (
        (table[table["depth"] >= depth], ""),
        (table[table["depth"] < depth], "Those are the shallow fields: larger y is deeper."),
        (table, "Those are all fields; keep the deep ones."),
    ):
        right = pool_effects(rows[effect], rows[f"{effect}_error"])
        if answer.fields == right.fields and near(answer.mean, right.mean):
            return say(not why, why or f"{right}.")
    if answer.fields != (table["depth"] >= depth).sum():
        return say(False, f"It pools {answer.fields} fields; {(table['depth'] >= depth).sum()} are that deep.")
    return say(False, f"It pools another effect, or other errors, than {effect!r}'s.")
