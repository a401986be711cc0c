"""Checks of the exercises in notebook 11."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ..contrasts import SMALLEST_THAT_MATTERS
from ..errors import InputError
from ..field import CorticalField
from ..seeds import generator
from ..weights import Functional
from .saying import array_from, graded, result_of, say, unanswered

WORDS = ("matters", "equivalent", "open")

# Mean, standard deviation and number of differences; and what a wrong word in each case says of the function.
_CASES = (
    (0.0, 0.05, 20, {
        "open": "Twenty differences around 0 that hardly scatter: both bounds are excluded, so they are equivalent.",
    }),
    (0.2, 0.1, 20, {
        "open": "0.2 on average, and far from chance, is no open case.",
        "equivalent": "0.2 on average was called equivalent: both bounds must be excluded, so the larger p counts.",
    }),
    (0.0, 0.5, 8, {
        "equivalent": "Eight differences that scatter by 0.5 were called equivalent. A test that finds no difference "
        "has not shown that there is none: test both bounds.",
    }),
    (-0.3, 0.1, 20, {
        "equivalent": "−0.3 on average was called equivalent: both bounds must be excluded, so the larger p counts.",
        "open": "−0.3 on average matters, too: take the mean in size.",
    }),
    (0.05, 0.03, 20, {
        "matters": "0.05 was called a difference that matters: it is told apart from 0, and too small.",
        "open": "0.05 is told apart from 0, and shown to be within ±0.10: that makes it equivalent.",
    }),
    (0.15, 0.4, 8, {
        "matters": "0.15 on average of eight that scatter by 0.4: it is large, and not told apart from 0.",
    }),
    (0.09, 0.06, 20, {
        "equivalent": "0.09 on average is below 0.10, but the test does not show it.",
        "matters": "0.09 is told apart from 0, and below 0.10.",
    }),
    (0.05, 0.1165, 20, {
        "open": "Both bounds are excluded with a p between 0.025 and 0.05. Each is a one-sided test at 5 %.",
    }),
    (0.15, 0.31, 20, {
        "open": "0.15 on average, with a two-sided p between 0.025 and 0.05, is told apart from 0 at 5 %.",
    }),
    (0.15, 0.35, 20, {
        "matters": "0.15 on average, with a two-sided p above 0.05: a one-sided test is not enough here.",
    }),
)  # fmt: skip


def _spread(mean: float, deviation: float, count: int) -> np.ndarray:
    """Return values with exactly this mean and standard deviation."""
    values = stats.norm.ppf((np.arange(count) + 0.5) / count)
    return mean + deviation * (values - values.mean()) / values.std(ddof=1)


def _word_of(apart: np.ndarray) -> str:
    """Return the word of some differences, from t intervals in place of tests."""
    error = apart.std(ddof=1) / np.sqrt(len(apart))
    reach = {share: stats.t.ppf(share, len(apart) - 1) * error for share in (0.95, 0.975)}
    if abs(apart.mean()) + reach[0.95] < SMALLEST_THAT_MATTERS:
        return "equivalent"
    told_apart = abs(apart.mean()) > reach[0.975]
    return "matters" if told_apart and abs(apart.mean()) >= SMALLEST_THAT_MATTERS else "open"


def check_word(answer: object, asked: np.ndarray) -> bool:
    """Check a function of paired differences that returns "matters", "equivalent" or "open".

    Parameters
    ----------
    answer : object
    asked : ndarray, shape (runs,)
        The differences of the exercise. Their word is told once the function is right.
    """
    for mean, deviation, count, mistakes in _CASES:
        apart = _spread(mean, deviation, count)
        found = result_of(answer, "an array of differences", apart)
        if found is None:
            return False
        if not isinstance(found, str) or found not in WORDS:
            return say(False, f"It returns {str(found)[:60]!r}; expected one of {', '.join(WORDS)}.")
        right = _word_of(apart)
        if found != right:
            hint = f"Mean {mean:g}, SD {deviation:g}, {count} runs: it says {found}; by the rule it is {right}."
            return say(False, mistakes.get(found, hint))
    return say(True, f"Three words, and only the open one may hide a difference. `apart` gets {_word_of(asked)!r}.")


def check_row_shuffle(answer: Callable | None, field: CorticalField) -> bool:
    """Check a start that shuffles the off-diagonal entries of ``W*`` within each row."""
    if answer is None:
        return unanswered()
    if not callable(answer):
        return say(False, f"That is a {type(answer).__name__}; a function of a field and a random stream is needed.")

    def stream() -> np.random.Generator:
        return generator(3, "a control of your own")

    def other() -> np.random.Generator:
        return generator(4, "a control of your own")

    first = array_from(lambda: answer(field, stream()), "nothing")
    if first is None:
        return False
    n = field.neurons
    if first.shape != (n, n):
        return say(False, f"Your start has shape {first.shape}; weights of {n} neurons have {(n, n)}.")
    whole = Functional()(field, stream())
    off = ~np.eye(n, dtype=bool)
    rows, right = (matrix[off].reshape(n, n - 1) for matrix in (first, whole))
    if any(_one_more_was_shuffled(rows, right, more) for more in (np.diag(whole), np.zeros(n))):
        told = "The diagonal took part in the shuffle, as a value or as a 0"
        return say(False, f"{told}: shuffle the {n - 1} other entries of each row only.")
    if not np.allclose(np.diag(first), np.diag(whole)):
        return say(False, "The diagonal is not that of W*: draw W* first, from the same rng, and leave its diagonal.")
    if np.allclose(rows, right):
        return say(False, "Nothing was shuffled.")
    if not np.allclose(np.sort(rows, axis=1), np.sort(right, axis=1)):
        if np.allclose(np.sort(rows.ravel()), np.sort(right.ravel())):
            return say(False, "Entries moved between rows; shuffle within each row, so that each keeps its outputs.")
        return say(False, "These are not the entries of W*; shuffle, and change nothing else.")
    if sorted(map(tuple, rows.T)) == sorted(map(tuple, right.T)):
        told = "All rows were shuffled in one order, so neurons that shared a target still share one"
        return say(False, f"{told}; `rng.permuted(…, axis=1)` draws an order for each row.")
    if not np.array_equal(first, answer(field, stream())):
        return say(False, "The same stream gave two different starts: take all random numbers from rng.")
    orders = [_sources(np.asarray(answer(field, draw())), Functional()(field, draw())) for draw in (stream, other)]
    both = orders[0].keys() & orders[1].keys()
    if len(both) > 2 and all(orders[0][place] == orders[1][place] for place in both):
        return say(False, "Another stream gave the same order: take it from rng, too.")
    return say(True, "Each neuron keeps its outputs and loses to whom they go: Variant('mine', my_start).")


def _sources(shuffled: np.ndarray, weights: np.ndarray) -> dict[tuple[int, int], int]:
    """Return by place from which column each entry comes, where its row has its value once."""
    sources = {}
    for i, row in enumerate(shuffled):
        for j, value in enumerate(row):
            there = np.flatnonzero(weights[i] == value)
            if i != j and len(there) == 1:
                sources[i, j] = int(there[0])
    return sources


def _one_more_was_shuffled(rows: np.ndarray, right: np.ndarray, more: np.ndarray) -> bool:
    """Whether each row holds entries of the right one with one more among them, and so lacks one in some row."""
    whole = np.column_stack([right, more])
    within = all(not Counter(mine) - Counter(all_of_it) for mine, all_of_it in zip(rows, whole, strict=True))
    return within and not np.array_equal(np.sort(rows, axis=1), np.sort(right, axis=1))


_NOT_DEALT_OUT = {
    "lattice": "a lattice changes the spread of distances, too, not only who is near whom",
    "equal": "where all distances are equal, their spread is gone, too, not only who is near whom",
    "reshaped": "reshaped positions are other points, made of several neurons' coordinates; the spread differs, too",
    "cortical, self priced": "that leaves the positions as they are and puts a price on self-connections",
}
"""What else differs, or does not, between the true positions and each other space of the study ``positions``."""

_NOT_THEIRS = {
    "relabelled": "A relabelled start has the correlations of other neurons; they do not belong to these positions.",
    "orthogonal": "An orthogonal start has no correlations that could belong to positions.",
}
"""What is wrong with each other start of that study."""


def check_isolating_contrast(answer: object, networks: pd.DataFrame) -> bool:
    """Check a pair of variants of the study ``positions`` that isolates where in cortex a neuron is.

    They differ in space alone, the true positions and the same dealt out, and start from correlations that belong to
    these neurons.
    """
    if answer is None:
        return unanswered()
    try:
        first, second = answer
    except (TypeError, ValueError):
        return say(False, "Give a pair of names of variants: (first, second).")
    names = networks.drop_duplicates("variant").set_index("variant")[["start", "space", "target"]]
    if missing := [str(name) for name in (first, second) if name not in names.index]:
        example = f'copy two whole lines of those printed above, such as "{names.index[0]}"'
        return say(False, f"There is no variant {', '.join(missing)} here; {example}.")
    differ = [column for column in names if names.loc[first, column] != names.loc[second, column]]
    if differ != ["space"]:
        return say(False, f"They differ in {' and '.join(differ) or 'nothing'}; space alone is needed.")
    alone = "They differ in space alone, but"
    spaces = {names.loc[name, "space"] for name in (first, second)}
    if "cortical" not in spaces:
        return say(False, f"{alone} neither has the true positions (cortical).")
    (other,) = spaces - {"cortical"}
    if other != "permuted":
        return say(False, f"{alone} {_NOT_DEALT_OUT[other]}. Take the true positions dealt out (permuted).")
    if (start := names.loc[first, "start"]) != "functional":
        return say(False, f"{_NOT_THEIRS[start]} Take the functional start.")
    seeds = [set(networks.loc[networks["variant"] == name, "seed"]) for name in (first, second)]
    if not seeds[0] & seeds[1]:
        raise InputError(f"{first} and {second} share no run")
    return say(True, f"They differ in who is near whom alone, and share {len(seeds[0] & seeds[1])} runs.")


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
            100 * right: "That is per cent: a share is between 0 and 1.",
        },
        "{value:g} is too {way}. Count differences from −0.10 to +0.10, and divide by their number.",
        tolerance=0.005,
    )
