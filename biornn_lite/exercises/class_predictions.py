"""Predictions of a class, pooled from the files that learners hand in, for the screen before the outcome is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

import ipywidgets as ipw
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..figures.panels import dropdown, figure_panel, plain
from ..figures.style import BLUE, SHADES, as_text
from .kept import read_predictions

COLUMNS = ("learner", "at", "question", "options", "predicted", "came_true")
"""Columns of pooled predictions; ``options`` and ``came_true`` hold tuples of texts."""


def pool_predictions(files: str | Path | Iterable[str | Path]) -> tuple[pd.DataFrame, list[str]]:
    """Pool the predictions of many learners.

    Parameters
    ----------
    files : str, Path or iterable of these
        Files of predictions, or folders in which all files that end in ``.json`` are such files, at any depth. Their
        names do not matter. Of two copies of one learner's file, the one that was changed last counts.

    Returns
    -------
    predictions : DataFrame
        A row per learner and question, with :data:`biornn_lite.exercises.class_predictions.COLUMNS`.
    unread : list of str
        A message for each file that could not be read, while the others are pooled, and for each that changes answers
        of an older file of the same learner.

    Raises
    ------
    InputError
        If a file or folder does not exist, or no file is found.
    """
    given = [files] if isinstance(files, str | Path) else files
    found, unread, learners = [], [], {}
    for path in map(Path, given):
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        found += sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not found:
        raise InputError(f"{', '.join(map(str, given))}: no file that ends in .json; learners hand in theirs")
    for path in sorted(found, key=_changed):
        try:
            learner = read_predictions(path)
        except InputError as error:
            unread.append(str(error))
            continue
        before = learners.get(learner.code, learner).predictions
        if any(
            kept.predicted != learner.predictions.get(question, kept).predicted for question, kept in before.items()
        ):
            unread.append(f"{path}: an older file of the same learner has other answers; this one counts")
        learners[learner.code] = learner
    rows = [
        (learner.code, kept.at, kept.question, kept.options, kept.predicted, kept.came_true)
        for learner in learners.values()
        for kept in learner.predictions.values()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)), unread


def _changed(path: Path) -> float:
    """Return when a file was changed, in seconds since 1970; a link that leads nowhere is the oldest."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def class_histogram(predictions: pd.DataFrame, question: str, ax: Axes, reveal: bool = False) -> Axes:
    """Draw how many learners chose each option of a question.

    Parameters
    ----------
    predictions : DataFrame
        As from :func:`pool_predictions`.
    question : str
    ax : Axes
    reveal : bool
        Whether to mark what came true, in the runs of most of those who have seen the outcome.

    Raises
    ------
    InputError
        If nobody answered this question.
    """
    mine = predictions[predictions["question"] == question]
    if mine.empty:
        raise InputError(f"{question!r}: nobody has answered it")
    options = mine["options"].mode()[0]  # of most, if the course has changed in between
    chosen = mine["predicted"].value_counts().reindex(options, fill_value=0)
    seen = mine["came_true"].dropna()
    true = seen.mode()[0] if reveal and not seen.empty else ()
    bars = ax.barh(
        [as_text("\n".join(textwrap.wrap(("✓ " if option in true else "") + option, 44))) for option in options],
        chosen,
        color=[BLUE if option in true else SHADES[1] for option in options],
        edgecolor="0.3",
    )
    ax.bar_label(bars, padding=3)
    ax.invert_yaxis()
    told = "" if not reveal else "; ✓ came true" if true else "; none came true" if len(seen) else "; no outcome yet"
    ax.set(xlabel=f"learners, of {chosen.sum()}{told}", xlim=(0, max(chosen.max() * 1.15, 1)))
    ax.set_title(as_text("\n".join(textwrap.wrap(f"{mine['at'].iloc[0]}: {question}", 58)), 300), loc="left")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def class_predictions_panel(files: str | Path | Iterable[str | Path]) -> ipw.Widget:
    """Return a panel that shows what a class predicted, question by question, and on demand what came true.

    Parameters
    ----------
    files : str, Path or iterable of these
        As :func:`pool_predictions` takes them. Run the cell again when more files have come in.
    """
    predictions, unread = pool_predictions(files)
    if predictions.empty:
        raise InputError("the files hold no prediction yet")
    asked = predictions.drop_duplicates("question").sort_values("at", kind="stable")
    listed = [
        (textwrap.shorten(f"{at}: {question}", 90, placeholder=" …"), question)
        for at, question in zip(asked["at"], asked["question"], strict=True)
    ]

    def draw(question: str, reveal: bool) -> Figure:
        figure, ax = plt.subplots(figsize=(9, 3.6), layout="constrained")
        class_histogram(predictions, question, ax, reveal)
        return figure

    controls = {
        "question": dropdown("question", listed, listed[0][1]),
        "reveal": ipw.Checkbox(value=False, description="show what came true", indent=False),
    }
    told = f"{predictions['learner'].nunique()} learners." + "".join(f"<br>⚠ {plain(message)}" for message in unread)
    return ipw.VBox([ipw.HTML(told), figure_panel(draw, controls)])
