"""How notebooks show figures: a picture with its alternative text, and its numbers below, folded.

JupyterLab reads no alternative text of an output of the type ``image/png``, so figures are shown as HTML.
"""

from __future__ import annotations

import base64
import html
import struct
import sys

import IPython
from IPython.core.pylabtools import print_figure
from IPython.display import display
from matplotlib.figure import Figure

from .alternative_text import alternative_text
from .tables import numbers_html


def picture_html(png: bytes, text: str, steady: bool = False) -> str:
    """Write a picture as HTML.

    Parameters
    ----------
    png : bytes
    text : str
        Its alternative text, not yet escaped.
    steady : bool
        Whether to keep its place free until it is drawn, so that a page does not jump where a picture is replaced.
    """
    look = ""
    if steady:
        width, height = struct.unpack(">II", png[16:24])
        look = f' width="{width}" height="{height}" decoding="sync" style="max-width: 100%; height: auto"'
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{html.escape(text)}"{look} src="data:image/png;base64,{data}">'


def figure_html(figure: Figure, **options) -> str:
    """Write a figure as HTML: its picture with its alternative text, and below it the numbers, folded.

    Parameters
    ----------
    figure : Figure
    **options
        For ``print_figure`` of IPython, such as ``dpi``.
    """
    png = print_figure(figure, **options)
    return f"<div>{picture_html(png, alternative_text(figure))}{numbers_html(figure)}</div>"


def _show(figure: Figure) -> None:
    if not figure.axes and not figure.lines:
        raise NotImplementedError  # IPython then shows it in its own way
    backend = sys.modules.get("matplotlib_inline.config")
    options = backend.InlineBackend.instance().print_figure_kwargs if backend else {}
    display({"text/html": figure_html(figure, **options), "text/plain": alternative_text(figure)}, raw=True)


def show_alternative_texts() -> bool:
    """Let this kernel show every figure by :func:`figure_html`; return whether there is a kernel.

    Importing :mod:`biornn_lite.figures` does this.
    """
    shell = IPython.get_ipython()
    if shell is None:
        return False
    shell.display_formatter.ipython_display_formatter.for_type(Figure, _show)
    return True
