"""Questions that are asked before a result, and compared with it afterwards."""

from __future__ import annotations

import math
import textwrap
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import ipywidgets as ipw
from IPython.display import HTML, display

from ..errors import InputError
from ..figures.panels import keep_figures_of_cells, plain, said
from .kept import Kept, file_of_predictions, read_predictions, write_predictions

WIDTH = 88
"""Number of letters in a printed line."""

_WRAPPED = (
    "<style>.biornn-options .jupyter-button "
    "{height: auto; max-width: calc(100% - 4px); white-space: normal; text-align: left}</style>"
)
"""Lets the text of a long option go on in a second line where a window is narrow or a page is enlarged."""


class Prediction:
    """A question asked before a result. The answer is kept in the learner's own file, and shown beside the result.

    Parameters
    ----------
    question : str
    options : mapping of str to str
        What can be chosen, and what each option would mean. Both are written so that they do not tell which one
        comes true. An option without a meaning has an empty text.
    at : str
        Where it is asked, such as ``"03, section 2"``.
    """

    def __init__(self, question: str, options: Mapping[str, str], at: str) -> None:
        self.question, self.options, self.at = question, dict(options), at
        self._problem = ""  # with the file
        self._kept: Kept | None = None  # for as long as the file cannot be read or written
        try:
            kept = read_predictions().predictions.get(question)
        except InputError as error:
            kept, self._problem = None, said(error)
        # Buttons: in JupyterLab, arrow keys leave radio buttons for the next cell.
        self._choice = ipw.ToggleButtons(
            options=[*self.options],
            value=kept.chosen if kept and kept.chosen in self.options else None,
            style={"button_width": "auto"},
            layout={"width": "auto"},
        )
        self._choice.add_class("biornn-options")
        self._choice.observe(lambda _: self._chosen(), "value")
        self._status = ipw.HTML(self._told())

    @property
    def answer(self) -> str | None:
        """What was chosen, or None."""
        return self._choice.value

    def ask(self) -> ipw.Widget:
        """Return the panel in which to choose."""
        keep_figures_of_cells()
        question = f"<b>Predict.</b> {plain(self.question)}{_WRAPPED}"
        return ipw.VBox([ipw.HTML(question), self._choice, self._status])

    def by_size(self, value: float, limits: Sequence[float]) -> tuple[str, ...]:
        """Return the option that holds a number; none holds NaN.

        Parameters
        ----------
        value : float
        limits : sequence of float
            The numbers between the options, which stand in increasing order; one fewer than the options.
        """
        if len(limits) != len(self.options) - 1 or sorted(limits) != list(limits):
            raise InputError(f"limits are {list(limits)}; expected {len(self.options) - 1}, in increasing order")
        return () if math.isnan(value) else ([*self.options][bisect(limits, value)],)

    def where(self, conditions: Iterable[bool]) -> tuple[str, ...]:
        """Return the options whose condition holds; there is one condition for each option, in their order."""
        conditions = [*conditions]
        if len(conditions) != len(self.options):
            raise InputError(f"`where` was given {len(conditions)} values for {len(self.options)} options")
        return tuple(option for option, holds in zip(self.options, conditions, strict=True) if holds)

    def reveal(self, outcome: str, came_true: Collection[str]) -> None:
        """Print the prediction beside the outcome, and what each option would have meant.

        Without a prediction, all of this is folded away, so that whoever runs on does not see it by accident.

        Parameters
        ----------
        outcome : str
            What happened, with its numbers.
        came_true : collection of str
            The options that came true, found from the result by :meth:`by_size` or :meth:`where`. It may be empty.
        """
        came_true = (came_true,) if isinstance(came_true, str) else tuple(came_true)
        if strange := set(came_true) - set(self.options):
            raise InputError(f"{sorted(strange)} came true; expected some of {[*self.options]}")
        kept = self._keep(came_true)
        self._status.value = self._told()
        lines = [_filled("What happened: ", outcome)]
        none = "" if came_true else "; none came true"
        lines.append(f"What each answer would have meant (✓ marks the answer, not its reason{none}):")
        for option, meaning in self.options.items():
            mark = "  ✓ " if option in came_true else "  ✗ "
            lines.append(_filled(mark, f"{option}: {meaning}" if meaning else option))
        if kept is None:
            print("You predicted nothing yet. Choose an answer above, and run this cell again.")
            folded = "<summary>What happened (without a prediction)</summary>"
            display(HTML(f"<details>{folded}<pre>{plain(chr(10).join(lines))}</pre></details>"))
            return
        mark = "✓ It came true." if kept.predicted in came_true else "✗ It did not come true."
        first = _filled("You predicted: ", f"{kept.predicted} {mark}")
        if set(kept.came_true or ()) != set(came_true):
            earlier = " and ".join(kept.came_true or ()) or "none of the options"
            lines.insert(0, _filled("               ", f"(At first came true: {earlier}. The first outcome counts.)"))
        if kept.predicted != self.answer:
            lines.insert(0, _filled("               ", f"(Later you chose: {self.answer}. The first choice counts.)"))
        print("\n".join([first, *lines]))

    def _told(self) -> str:
        """Say what is chosen, which the buttons tell by colour only, and what went wrong with the file."""
        chosen = "" if self.answer is None else f'<span role="status">You chose: {plain(self.answer)}</span>'
        return "<br>".join(filter(None, (chosen, self._problem)))

    def _chosen(self) -> None:
        """Keep what was chosen, and say it."""
        self._keep()
        self._status.value = self._told()

    def _keep(self, came_true: tuple[str, ...] | None = None) -> Kept | None:
        """Keep the answer, with what came true if that is known; return None if there is no answer."""
        if self.answer is None:
            return None
        now = Kept(self.at, self.question, (*self.options,), self.answer)
        learner, self._problem = None, ""
        try:
            learner = read_predictions()
        except InputError as error:
            self._problem = said(error)
        before = (learner and learner.predictions.get(self.question)) or self._kept or now
        if before.options == now.options:
            now = replace(now, counted=before.counted, came_true=before.came_true)
        if came_true is not None:
            first = came_true if now.came_true is None else now.came_true
            now = replace(now, counted=now.counted or self.answer, came_true=first)
        if learner:
            try:
                write_predictions(learner.with_prediction(now))
            except InputError as error:
                self._problem = said(error)
        self._kept = now
        return now


def _filled(label: str, text: str) -> str:
    return textwrap.fill(label + text, width=WIDTH, subsequent_indent=" " * len(label))


def sum_up_predictions(notebook: str) -> None:
    """Print how many of the learner's predictions came true, in one notebook and in the whole course.

    Of predictions asked in the same section, the first words of the questions tell which is which.

    Parameters
    ----------
    notebook : str
        Its number, such as ``"03"``.
    """
    try:
        course = [kept for kept in read_predictions().predictions.values() if kept.right is not None]
    except InputError as error:
        print(f"✗ {error}")
        return
    here = [kept for kept in course if kept.notebook == notebook]
    asked_at = Counter(kept.at for kept in here)
    for kept in here:
        where = kept.at
        if asked_at[kept.at] > 1:
            where += f', "{textwrap.shorten(kept.question, WIDTH // 2, placeholder=" …")}"'
        print(_filled("✓ " if kept.right else "✗ ", f"{where}: {kept.predicted}"))
    for where, some in ((f"notebook {notebook}", here), ("the course so far", course)):
        luck = sum(kept.luck for kept in some)
        print(f"In {where}, {sum(kept.right for kept in some)} of {len(some)} predictions came true", end="")
        print(f"; chance alone would give {luck:.1f} on average." if some else ".")
    if course:
        kept_in = f"They are kept in {file_of_predictions()}, on this computer only; delete the file to begin anew."
        print(_filled("", kept_in))
