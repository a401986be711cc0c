"""Pictures of pages written from rows: their files, and their alternative texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from biornn_lite.figures.alternative_text import alternative_text
from biornn_lite.plumbing.files import written_atomically

HERE = Path(__file__).parent


def described(page: str, figures: Mapping[str, Figure]) -> str:
    """Give each picture of a page an alternative text from what is drawn, after the words that the page has for it.

    Parameters
    ----------
    page : str
        Markdown.
    figures : mapping of str to Figure
        By the stem of the picture's file.
    """

    def with_text(picture: re.Match) -> str:
        text = re.sub(r"([\\\[\]`*_<>])", r"\\\1", alternative_text(figures[picture["stem"]]))
        return f"![{picture['words']}. {text}]({picture['file']})"

    return re.sub(r"!\[(?P<words>[^]]*)\]\((?P<file>(?:docs/)?(?P<stem>\w+)\.png)\)", with_text, page)


def save(figures: Mapping[str, Figure], dpi: int = 100) -> None:
    """Write pictures into the folder of pages; an error leaves each file as it was."""
    for stem, figure in figures.items():
        with written_atomically(HERE / f"{stem}.png") as temporary:
            figure.savefig(temporary, dpi=dpi, format="png")


def write_page(name: str, page: str, figures: Mapping[str, Figure], dpi: int = 100) -> None:
    """Write a page and its pictures into the folder of pages."""
    text = described(page, figures)
    with written_atomically(HERE / name) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    save(figures, dpi)
