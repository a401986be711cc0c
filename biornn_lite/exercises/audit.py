"""Checks of the exercises in notebook 11."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ..contrasts import SMALLEST_THAT_MATTERS
from ..errors import InputError
from ..field import CorticalField
from ..seeds import generator
from ..weights import Functional
from .saying import array_from, graded, say, unanswered


def check_equivalence(answer: object, apart: Sequence[float]) -> bool:
    """Check the larger p of two one-sided t tests of differences at ± the smallest difference that matters."""
    apart = np.asarray(apart, dtype=float)
    error = max(apart.std(ddof=1), 1e-12) / np.sqrt(len(apart))
    t_value = (SMALLEST_THAT_MATTERS - abs(apart.mean())) / error
    smaller = float(stats.t.sf((SMALLEST_THAT_MATTERS + abs(apart.mean())) / error, len(apart) - 1))
    two_sided = float(2 * stats.t.sf(abs(apart.mean()) / error, len(apart) - 1))
    normal = float(stats.norm.sf(t_value))
    right = float(stats.t.sf(t_value, len(apart) - 1))
    doubled = 2 * right
    return graded(
        answer,
        right,
        f"p = {right:.3g}: " + ("within the bounds" if right < 0.05 else "not shown to be within the bounds"),
        {
            smaller: "That is the smaller of the two; both ends must be excluded, so the larger one counts.",
            two_sided: "That tests whether the difference is 0; here each bound is tested.",
            normal: "That takes a normal distribution; with few runs take Student's t with n − 1 degrees of freedom.",
            doubled: "Each test is one-sided and both must succeed; nothing is doubled.",
        },
        "{value:g} is too {way}. Two tests: is the mean above −0.10, and is it below +0.10? Take the larger p.",
        tolerance=0.02,
    )


def check_row_shuffle(answer: Callable | None, field: CorticalField) -> bool:
    """Check a start that shuffles the off-diagonal entries of ``W*`` within each row."""
    if answer is None:
        return unanswered()
    if not callable(answer):
        return say(False, f"That is a {type(answer).__name__}; a function of a field and a random stream is needed.")

    def stream() -> np.random.Generator:
        return generator(3, "a control of your own")

    first = array_from(lambda: answer(field, stream()), "nothing")
    if first is None:
        return False
    n = field.neurons
    if first.shape != (n, n):
        return say(False, f"Your start has shape {first.shape}; weights of {n} neurons have {(n, n)}.")
    whole = Functional()(field, stream())
    if not np.allclose(np.diag(first), np.diag(whole)):
        return say(False, "The diagonal is not that of W*: draw W* first, from the same rng, and leave its diagonal.")
    off = ~np.eye(n, dtype=bool)
    rows, right = (matrix[off].reshape(n, n - 1) for matrix in (first, whole))
    if np.allclose(rows, right):
        return say(False, "Nothing was shuffled.")
    if not np.allclose(np.sort(rows, axis=1), np.sort(right, axis=1)):
        if np.allclose(np.sort(rows.ravel()), np.sort(right.ravel())):
            return say(False, "Entries moved between rows; shuffle within each row, so that each keeps its outputs.")
        return say(False, "These are not the entries of W*; shuffle, and change nothing else.")
    if not np.array_equal(first, answer(field, stream())):
        return say(False, "The same stream gave two different starts: take all random numbers from rng.")
    return say(True, "Each neuron keeps its outputs and loses to whom they go: Variant('mine', my_start).")


def check_isolating_contrast(answer: object, networks: pd.DataFrame, choice: str) -> bool:
    """Check a pair of variants of a study that differ in one of start, space and target, and share their runs."""
    if answer is None:
        return unanswered()
    try:
        first, second = answer
    except (TypeError, ValueError):
        return say(False, "Give a pair of names of variants: (first, second).")
    names = networks.drop_duplicates("variant").set_index("variant")[["start", "space", "target"]]
    if missing := [str(name) for name in (first, second) if name not in names.index]:
        return say(False, f"There is no variant {', '.join(missing)} here; see networks['variant'].unique().")
    differ = [column for column in names if names.loc[first, column] != names.loc[second, column]]
    if differ != [choice]:
        return say(False, f"They differ in {' and '.join(differ) or 'nothing'}; {choice} alone is needed.")
    seeds = [set(networks.loc[networks["variant"] == name, "seed"]) for name in (first, second)]
    if not seeds[0] & seeds[1]:
        raise InputError(f"{first} and {second} share no run")
    return say(True, f"They differ in {choice} alone, and share {len(seeds[0] & seeds[1])} runs.")


def check_share_within(answer: object, differences: Sequence[float]) -> bool:
    """Check the share of differences that do not matter."""
    differences = np.asarray(differences, dtype=float)
    right = float((np.abs(differences) <= SMALLEST_THAT_MATTERS).mean())
    return graded(
        answer,
        right,
        f"{100 * right:.0f} % of the combinations: there it makes no difference which start one takes.",
        {
            float((differences <= SMALLEST_THAT_MATTERS).mean()): "That counts large negative differences, too.",
            float((np.abs(differences) > SMALLEST_THAT_MATTERS).mean()): "That is the share that matters.",
            float((np.abs(differences) <= SMALLEST_THAT_MATTERS).sum()): "That is their number; divide by all.",
        },
        "{value:g} is too {way}. Count differences from −0.10 to +0.10, and divide by their number.",
        tolerance=0.005,
    )
