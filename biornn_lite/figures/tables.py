"""The numbers of a figure as a table, read back from what is drawn."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .drawn import DEEP, HIGH, LOW, SHADE, Chart, Series, rounded
from .reading import read_charts

MOST_ROWS = 200
"""Maximum number of rows that are shown of a figure."""

FEW_ROWS = 40
"""Number of rows to which a longer table is thinned; bins with something in them are all kept, as far as possible."""

OF_EACH = 3
"""Number of rows that each of many series keeps, as far as there is room."""

MOST_CELLS = 120
"""Maximum number of cells of an image that are all in the table."""

_MORE = [DEEP, LOW, HIGH, SHADE]
_COLUMNS = ["chart", "series", "x", "y", *_MORE]


def numbers(figure: Figure) -> pd.DataFrame:
    """Return all numbers that are drawn in a figure.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    DataFrame
        Columns ``chart`` (its number, from 1), ``series``, ``x`` and ``y``; a row per drawn number. Of an axis of
        names, the name; of an image of many cells, its smallest, mean and largest value. Columns ``z``, ``from`` and
        ``to`` (the ends of an interval) and ``colour`` (the number that it stands for) are NaN where there is none.
    """
    return _numbers(read_charts(figure)).drop(columns="bin")


def _numbers(charts: Sequence[Chart]) -> pd.DataFrame:
    """Return all numbers, with a column ``bin``: whether a row is a bin of a histogram."""
    rows = []
    for number, chart in enumerate(charts, 1):
        found = [row for one, name in _named(chart) for row in _rows(chart, one, name)]
        rows += [{"chart": number, "bin": False} | row for row in (*found, *_bands(chart))]
    return pd.DataFrame(rows, columns=["bin", *_COLUMNS])


def _named(chart: Chart) -> Iterator[tuple[Series, str]]:
    """Give each series with a name: its own, or for a row of events the row's, or its kind and a number."""
    unnamed = 0
    for one in chart.series:
        unnamed += not one.name
        row = f"{chart.y.label or 'row'} {rounded(one.y[0])}" if one.kind == "events" else ""
        yield one, one.name or row or f"{one.kind} {unnamed}"


def _rows(chart: Chart, one: Series, name: str) -> Iterator[dict[str, object]]:
    if one.cells is not None:
        yield from _cells(chart, one, name)
        return
    x, y = (one.y, one.x) if one.flat and one.kind in ("bars", "histogram") else (one.x, one.y)
    for number, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        row = {"series": name, "x": chart.x.name_of(a) or a, "y": (not one.lane and chart.y.name_of(b)) or b}
        row["bin"] = one.kind == "histogram" and one.y[number] != 0
        yield row | {key: float(values[number]) for key, values in one.more.items()}


def _cells(chart: Chart, one: Series, name: str) -> Iterator[dict[str, object]]:
    cells = one.cells
    if cells.size <= MOST_CELLS and len(one.x) == cells.shape[1]:
        for b, row in zip(one.y.tolist(), cells.tolist(), strict=True):
            for a, value in zip(one.x.tolist(), row, strict=True):
                yield {"series": name, "x": chart.x.name_of(a) or a, "y": chart.y.name_of(b) or b, SHADE: value}
        return
    said = f"{name}, {cells.shape[0]} × {cells.shape[1]} cells"
    good = cells[np.isfinite(cells)]
    found = {what: value(good) if good.size else np.nan for what, value in
             (("smallest", np.min), ("mean", np.mean), ("largest", np.max))}  # fmt: skip
    if good.size == cells.size and cells.shape[0] == cells.shape[1]:
        diagonal = np.eye(len(cells), dtype=bool)
        found |= {"mean on the diagonal": cells[diagonal].mean(), "mean off it": cells[~diagonal].mean()}
    for what, value in found.items():
        yield {"series": said, "x": what, "y": float(value)}


def _bands(chart: Chart) -> Iterator[dict[str, object]]:
    for band in chart.bands:
        other = "x" if band.along == "y" else "y"
        yield {"series": band.name, band.along: "shaded", other: "all", LOW: band.low, HIGH: band.high}


def thinned(table: pd.DataFrame, most: int = MOST_ROWS, few: int = FEW_ROWS) -> pd.DataFrame:
    """Leave out rows of a table of numbers that has more than `most`.

    Each series keeps its last and first row and rows at even steps between; all series together keep at most `few`
    rows, or :data:`OF_EACH` of each where there is room. All bins of histograms that are not empty are kept, unless
    there are too many.

    Parameters
    ----------
    table : DataFrame
        With a column ``bin``: whether a row is a bin with something in it.
    most, few : int
    """
    if len(table) <= most:
        return table
    bins = table["bin"].astype(bool)
    whole = table[bins & (bins.sum() <= most - few)]
    series = pd.MultiIndex.from_frame(table[["chart", "series"]])
    table = table[~series.isin(series[bins]) if len(whole) else slice(None)]
    if len(table) + len(whole) <= most:
        return pd.concat([whole, table]).sort_index()
    groups = [rows for _, rows in table.groupby(["chart", "series"], sort=False)]
    few = max(few, min(most - len(whole), OF_EACH * len(groups)))
    kept, left = [whole], few
    for done, rows in enumerate(sorted(groups, key=len)):  # short ones leave room
        share = min(len(rows), left // (len(groups) - done))
        places = np.linspace(len(rows) - 1, 0, share).round().astype(int)  # the last tells more than the first
        kept.append(rows.iloc[np.unique(places)])
        left -= share
    return pd.concat(kept).sort_index()


def _cell(value: object) -> str:
    return html.escape(rounded(value) if isinstance(value, float) else str(value))


def _heads(chart: Chart, rows: pd.DataFrame) -> dict[str, str]:
    """Say which columns a chart's table has, and their heads; an axis without ticks means nothing."""
    labels = {"x": chart.x.label, "y": chart.y.label, DEEP: chart.deep.partition(",")[0]}
    labels[SHADE] = chart.colours.label if chart.colours else ""
    labels |= {LOW: "interval from", HIGH: "interval to"}
    blank = [which for which in "xy" if getattr(chart, which).blank]
    names = ["x", "y", *(key for key in _MORE if rows[key].notna().any())]
    heads = {key: f"{key}: {labels[key]}" if labels[key] else key for key in names if key not in blank}
    heads |= {key: labels[key] for key in (LOW, HIGH) if key in heads}
    return {"series": "series"} | heads


def numbers_html(figure: Figure, most: int = MOST_ROWS) -> str:
    """Write the numbers of a figure as HTML that is folded until it is clicked; empty if there are none.

    Parameters
    ----------
    figure : Figure
    most : int
        Maximum number of rows; the text says how many are left out.
    """
    charts = read_charts(figure)
    table = _numbers(charts)
    if table.empty:
        return ""
    shown = thinned(table, most)
    parts = []
    for number, rows in shown.groupby("chart", sort=False):
        chart = charts[number - 1]
        caption = ". ".join(filter(None, (f"Chart {number}" if len(charts) > 1 else "", chart.title)))
        parts.append(_table(caption, _heads(chart, rows), rows))
    missing = len(table) - len(shown)
    told = f"<p>{missing:,} of {len(table):,} numbers are left out.</p>" if missing else ""
    return f"<details><summary>Numbers</summary>{''.join(parts)}{told}</details>"


def _table(caption: str, heads: Mapping[str, str], rows: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads.values())
    rows = rows[[*heads]].astype(object)
    empty = rows.isna() & rows.columns.isin(_MORE)
    rows = rows.where(~empty, "")
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>"
        for row in rows.itertuples(index=False, name=None)
    )
    caption = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{caption}<tr>{head}</tr>{body}</table>"
