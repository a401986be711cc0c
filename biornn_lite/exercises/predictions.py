"""Questions that are asked before a result, and shown beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar

import ipywidgets as ipw

from ..figures.panels import plain

_WRAPPED = (
    "<style>.biornn-options .jupyter-button "
    "{height: auto; max-width: calc(100% - 4px); white-space: normal; text-align: left}</style>"
)
"""Lets the text of a long option go on in a second line where a window is narrow or a page is enlarged."""


class Prediction:
    """A question asked before a result, whose answer is kept and shown beside it.

    To ask the same question again, as when its cell is run once more, keeps the answer; a restart forgets it.

    Parameters
    ----------
    question : str
    options : sequence of str
    """

    _answers: ClassVar[dict[str, str]] = {}  # by question

    def __init__(self, question: str, options: Sequence[str]) -> None:
        self.question = question
        kept = self._answers.get(question)
        # Buttons: in JupyterLab, arrow keys leave radio buttons for the next cell.
        self._choice = ipw.ToggleButtons(
            options=options,
            value=kept if kept in options else None,
            style={"button_width": "auto"},
            layout={"width": "auto"},
        )
        self._choice.add_class("biornn-options")
        self._choice.observe(lambda change: self._answers.update({question: change["new"]}), "value")

    @property
    def answer(self) -> str | None:
        """What was chosen, or None."""
        return self._choice.value

    def ask(self) -> ipw.Widget:
        """Return the panel in which to choose."""
        return ipw.VBox([ipw.HTML(f"<b>Predict.</b> {plain(self.question)}{_WRAPPED}"), self._choice])

    def reveal(self, outcome: str) -> None:
        """Print the prediction and the outcome side by side."""
        for label, text in (("You predicted: ", self.answer or "(nothing)"), ("What happened: ", outcome)):
            print(textwrap.fill(label + text, width=80, subsequent_indent=" " * len(label)))
