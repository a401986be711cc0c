"""The numbers of a figure as a table, read back from what is drawn."""

from __future__ import annotations

import html
from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .drawn import Axis, Chart, rounded
from .reading import read_charts

MOST_ROWS = 40
"""Maximum number of rows that are shown of a figure."""

_COLUMNS = ["chart", "series", "x", "y"]


def numbers(figure: Figure) -> pd.DataFrame:
    """Return all numbers that are drawn in a figure.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    DataFrame
        Columns ``chart`` (its number, from 1), ``series``, ``x`` and ``y``; a row per drawn number. Of an axis of
        names, the name; of an image, its smallest, mean and largest value; of what is drawn in space, nothing.
    """
    rows = [(number, *row) for number, chart in enumerate(read_charts(figure), 1) for row in _rows(chart)]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _rows(chart: Chart) -> Iterator[tuple[str, object, object]]:
    unnamed = 0
    for one in chart.series:
        if not one.name:
            unnamed += 1
        name = one.name or f"{one.kind} {unnamed}"
        if one.cells is not None:
            yield from _cells(one.cells, name)
            continue
        x, y = (one.y, one.x) if one.flat and one.kind in ("bars", "histogram") else (one.x, one.y)
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            yield name, chart.x.name_of(a) or a, (not one.lane and chart.y.name_of(b)) or b


def _cells(cells: np.ndarray, name: str) -> Iterator[tuple[str, object, object]]:
    good = cells[np.isfinite(cells)]
    size = f"{cells.shape[0]} × {cells.shape[1]} cells"
    for what, value in (("smallest", np.min), ("mean", np.mean), ("largest", np.max)):
        yield f"{name}, {size}", what, float(value(good)) if good.size else np.nan


def thinned(table: pd.DataFrame, most: int = MOST_ROWS) -> pd.DataFrame:
    """Leave at most so many rows of a table of numbers: of each series its first, its last and evenly between.

    Parameters
    ----------
    table : DataFrame
        From :func:`numbers`.
    most : int
    """
    if len(table) <= most:
        return table
    groups = [rows for _, rows in table.groupby(["chart", "series"], sort=False)]
    kept, left = [], most
    for number, rows in sorted(enumerate(groups), key=lambda item: len(item[1])):  # short ones leave room
        share = min(len(rows), left // (len(groups) - len(kept)))
        places = np.linspace(0, len(rows) - 1, share).round().astype(int)
        kept.append((number, rows.iloc[np.unique(places)]))
        left -= share
    return pd.concat([rows for _, rows in sorted(kept, key=lambda item: item[0])])


def _cell(value: object) -> str:
    return html.escape(rounded(value) if isinstance(value, float) else str(value))


def _head(axis: Axis, name: str) -> str:
    return html.escape(f"{name}: {axis.label}" if axis.label else name)


def numbers_html(figure: Figure, most: int = MOST_ROWS) -> str:
    """Write the numbers of a figure as HTML that is folded until it is clicked; empty if there are none.

    Parameters
    ----------
    figure : Figure
    most : int
        Maximum number of rows; the text says how many are left out.
    """
    charts, table = read_charts(figure), numbers(figure)
    if table.empty:
        return ""
    shown = thinned(table, most)
    parts = []
    for number, rows in shown.groupby("chart", sort=False):
        chart = charts[number - 1]
        caption = ". ".join(filter(None, (f"Chart {number}" if len(charts) > 1 else "", chart.title)))
        heads = ("series", _head(chart.x, "x"), _head(chart.y, "y"))
        parts.append(_table(caption, heads, rows))
    missing = len(table) - len(shown)
    told = f"<p>{missing:,} of {len(table):,} numbers are left out.</p>" if missing else ""
    return f"<details><summary>Numbers</summary>{''.join(parts)}{told}</details>"


def _table(caption: str, heads: tuple[str, ...], rows: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>"
        for row in rows[_COLUMNS[1:]].itertuples(index=False, name=None)
    )
    caption = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{caption}<tr>{head}</tr>{body}</table>"
