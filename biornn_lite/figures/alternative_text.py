"""Alternative texts of figures, made from what is drawn: kind of chart, axes, series, and what stands out.

They are what a screen reader reads in the place of a picture, so they are short, and the most telling comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from .drawn import Axis, Chart, Reference, Series, rounded
from .reading import read_charts, title_of_figure

LONGEST = 400
"""Maximum number of letters of an alternative text; what is longer is no summary any more."""


class Detail(NamedTuple):
    """How much a text says.

    Attributes
    ----------
    series : int
        Number of series of a chart that are described; with 0, a chart says the ends of its values only.
    letters : int
        Maximum number of letters of a title, and of twice the letters of a label.
    axes : bool
        Whether each chart says its axes.
    more : bool
        Whether it also says lines across, intervals and texts.
    across : bool
        Whether it says lines across that have a name, if it says no more than that.
    ends : bool
        Whether series that are not described are named, each with its last value.
    """

    series: int
    letters: int
    axes: bool = True
    more: bool = True
    across: bool = False
    ends: bool = True


DETAILS = (
    *(Detail(series, 100) for series in (6, 5, 4)),
    Detail(4, 60), Detail(3, 60), *(Detail(3, letters, more=False, across=True) for letters in (60, 40, 28)),
    Detail(3, 60, more=False), Detail(2, 60, more=False), Detail(2, 40, more=False),
    Detail(1, 60, more=False), Detail(1, 40, more=False), Detail(1, 28, more=False),
    Detail(2, 40, False, False), Detail(1, 60, False, False), Detail(1, 40, False, False),
    Detail(1, 28, False, False), Detail(0, 40, False, False), Detail(0, 24, False, False),
    Detail(0, 14, False, False),
)  # fmt: skip
"""From much to little; the first that makes a text of the right length is taken."""


def alternative_text(figure: Figure, longest: int = LONGEST) -> str:
    """Describe a figure in words, from what is drawn in it.

    Parameters
    ----------
    figure : Figure
    longest : int
        Maximum number of letters.

    Returns
    -------
    str
        Plain text on one line, never empty; it must be escaped where HTML is meant.
    """
    charts, title = read_charts(figure), title_of_figure(figure)
    lines_across = any(one.name for chart in charts for one in chart.references)
    for detail in _from_much_to_little():
        if detail.across and not lines_across:
            continue
        text = _composed(charts, title, detail)
        if len(text) <= longest:
            return text
    return shortened(text, longest)


def _from_much_to_little() -> Iterator[Detail]:
    """Give all details, those that differ in their letters only once with and once without last values."""
    for _, alike in groupby(DETAILS, key=lambda detail: detail._replace(letters=0)):
        details = [*alike]
        yield from details
        yield from (detail._replace(ends=False) for detail in details if detail.series)


def shortened(text: str, longest: int) -> str:
    """Cut a text at the end of a word, with dots if something is missing."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 2]
    return (kept[: kept.rfind(" ")] if " " in kept[longest // 2 :] else kept).rstrip(" ,;:.(") + " …"


def _composed(charts: Sequence[Chart], title: str, detail: Detail) -> str:
    if not charts:
        return _sentences(["An empty figure", title])
    if len(charts) == 1:
        whole = ". ".join(filter(None, (title, charts[0].title)))
        return _sentences(_chart(replace(charts[0], title=whole), detail, True))
    kinds = list(dict.fromkeys(kind(chart) for chart in charts))
    same = len(kinds) == 1
    head = [f"{len(charts)} {_plural(kinds[0]) if same else 'charts'}", shortened(title, 2 * detail.letters)]
    shared = {which: axis for which in "xy" if (axis := _common([getattr(chart, which) for chart in charts]))}
    head += [f"Each {_axis(axis, which, detail)}" for which, axis in shared.items()]
    parts = []
    for number, chart in enumerate(charts, 1):
        told = "; ".join(_chart(chart, detail, not same, shared))
        parts.append(f"{number}: {told or 'nothing drawn'}")
    return _sentences([*head, *parts])


def _common(axes: Sequence[Axis]) -> Axis | None:
    """Return one axis for several that differ in their ends at most, or None."""
    first = axes[0]
    if len({(axis.label, axis.log, axis.categories) for axis in axes}) > 1:
        return None
    return replace(first, low=min(axis.low for axis in axes), high=max(axis.high for axis in axes))


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(f"{part}" if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts if part)


def _plural(name: str) -> str:
    return name[0].lower() + name[1:] + ("s" if not name.endswith("s") else "")


def kind(chart: Chart) -> str:
    """Name the kind of a chart."""
    kinds = {one.kind for one in chart.series}
    places = bool(chart.x.categories or chart.y.categories)
    if chart.deep:
        return "Scatter plot in space"
    if "image" in kinds:
        return "Heat map"
    if kinds & {"bars", "histogram"}:
        return "Bar chart" if "bars" in kinds else "Histogram"
    if "events" in kinds:
        return "Raster of events"
    if kinds and kinds <= {"points", "marks"}:
        return "Dot plot" if places else ("Map of points" if chart.square else "Scatter plot")
    if "line" in kinds:
        return "Line chart"
    return "Drawing of lines" if chart.segments or chart.intervals else ("Text" if chart.texts else "Empty chart")


def _chart(chart: Chart, detail: Detail, with_kind: bool, shared: Collection[str] = ()) -> list[str]:
    title = shortened(chart.title, detail.letters)
    first = ": ".join(filter(None, (kind(chart) if with_kind else "", title)))
    if not detail.series:
        return [", ".join(filter(None, (first, _ends(chart))))]
    parts = [first]
    if detail.axes and (chart.series or chart.segments):
        parts += [_axis(getattr(chart, which), which, detail) for which in "xy" if which not in shared]
        parts.append(f"z: {chart.deep}" if chart.deep else "")
        parts.append(_axis(chart.colours, "Colour", detail) if chart.colours else "")
    parts += _series(chart, detail)
    if detail.more or detail.across:
        parts += _more(chart, detail)
    return [part for part in parts if part]


def _ends(chart: Chart) -> str:
    """Say the smallest and the largest value of a chart."""
    lying = bool(chart.y.categories)
    found = [
        one.cells if one.cells is not None else one.x if lying and not one.flat else one.y for one in chart.series
    ]
    values = np.concatenate([np.ravel(each) for each in found]) if found else np.empty(0)
    values = values[np.isfinite(values)]
    return _range(values) if len(values) else ""


def _range(values: np.ndarray) -> str:
    low, high = rounded(values.min()), rounded(values.max())
    return low if low == high else f"{low} to {high}"


def _axis(axis: Axis, which: str, detail: Detail) -> str:
    label = shortened(axis.label, detail.letters // 2 + 8)
    if axis.categories:
        names = [name for _, name in axis.categories]
        told = names if len(names) <= 4 and detail.more else [names[0], f"… {names[-1]}"] if len(names) > 1 else names
        told = [shortened(name, max(detail.letters // 2, 12)) for name in told]
        number = f"{len(names)} places, " if len(names) > 4 or not detail.more else ""
        said = f"{number}{', '.join(told)}".replace(", …", " …")
    else:
        low = 0.0 if abs(axis.low) < 1e-9 * abs(axis.high) and not axis.log else axis.low
        said = f"{rounded(low)} to {rounded(axis.high)}{', log scale' if axis.log else ''}"
    return f"{which}: {label}, {said}" if label else f"{which}: {said}"


def _more(chart: Chart, detail: Detail) -> Iterator[str]:
    if chart.intervals and detail.more:
        yield _counted(chart.intervals, "interval")
    if chart.segments and detail.more and not chart.deep and (chart.square or not chart.series):
        yield _counted(chart.segments, "joining line")
    if references := [one for one in chart.references if detail.more or one.name]:
        yield "Across: " + ", ".join(_reference(one, detail) for one in references[: detail.series])
    if detail.more and chart.texts and len(chart.texts) <= detail.series:
        yield "Texts: " + ", ".join(shortened(one, detail.letters // 2) for one in chart.texts)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _reference(one: Reference, detail: Detail) -> str:
    name, value = shortened(one.name, detail.letters // 2), rounded(one.value)
    return name if value in name.replace("-", "−") else f"{name or 'a line'} at {one.along} = {value}"


# Series


def _series(chart: Chart, detail: Detail) -> list[str]:
    if not detail.series:
        return []
    if chart.deep:
        lines = f", {_counted(chart.segments, 'line')}" if chart.segments else ""
        return [_counted(len(chart.series[0].x), "point") + lines]
    told = []
    for one in chart.series:
        if one.kind == "image":
            told.append(_image(one))
    events = [one for one in chart.series if one.kind == "events"]
    if events:
        told.append(_events(events))
    placed = [one for one in chart.series if one.kind in ("points", "marks", "line", "bars")]
    axis = chart.x if chart.x.categories else chart.y
    if axis.categories and {one.kind for one in placed} & {"points", "marks", "bars"}:
        told += _by_place(placed, axis, chart.x.categories != (), detail)
        placed = []
    elif len(placed) > 3 and all(len(one.x) == 1 for one in placed):
        both = [np.concatenate([getattr(one, way) for one in placed]) for way in "xy"]
        placed = [Series("points", "", *both)]
    for one in sorted(chart.series, key=lambda one: one.kind == "histogram"):
        if one.kind in ("histogram", "bars") and (one.kind == "histogram" or one in placed):
            told.append(_named(one, _bars(one), detail))
    plain = [one for one in placed if one.kind in ("line", "points")]
    return told + _plain(plain, chart, detail)


def _named(one: Series, text: str, detail: Detail) -> str:
    name = _name(one, detail)
    return f"{name}: {text}" if name else text


def _name(one: Series, detail: Detail) -> str:
    return shortened(one.name, max(detail.letters // 2, 20))  # shorter ones look alike


def _plain(series: Sequence[Series], chart: Chart, detail: Detail) -> list[str]:
    """Describe lines and points: named ones first, long ones before short ones; and count the others."""
    ordered = sorted(series, key=lambda one: (not one.name, one.kind != "line", -len(one.x)))
    groups: dict[object, list[Series]] = {}
    for one in ordered:
        groups.setdefault((one.kind, one.name) if one.name else id(one), []).append(one)
    chosen = [*groups.values()][: detail.series]
    others = [one for group in [*groups.values()][detail.series :] for one in group]
    told = [_named(group[0], _group(group, chart), detail) for group in chosen]
    shown = [len({name(one) for one in series}) for name in (lambda one: one.name, lambda one: _name(one, detail))]
    lines = all(one.name and one.kind == "line" for one in others)
    if others and detail.ends and lines and shown[0] == shown[1]:
        told += _last_values(others, detail)
    elif others:
        y = np.concatenate([one.y for one in others])
        told.append(f"{len(others)} more series, y {_range(y)}")
    return told


def _last_values(lines: Sequence[Series], detail: Detail) -> Iterator[str]:
    """Say where lines end at the right, together where they have one name."""
    names: dict[str, list[float]] = {}
    for one in lines:
        names.setdefault(_name(one, detail), []).append(one.y[one.x.argmax()])
    for number, (name, values) in enumerate(names.items()):
        yield f"{name}{'' if number else ' ends at'} {_range(np.array(values))}"


def _group(group: Sequence[Series], chart: Chart) -> str:
    """Describe lines or points of one name."""
    one = group[0]
    if one.kind == "points":
        return _points(
            Series("points", one.name, *(np.concatenate([getattr(g, w) for g in group]) for w in "xy")), chart
        )
    if len(group) == 1:
        return _line(one, chart)
    first, last = (np.array([each.y[end] for each in group]) for end in (0, -1))
    return f"{len(group)} lines, from {_range(first)} at the left, to {_range(last)} at the right"


def _line(one: Series, chart: Chart) -> str:
    """Say where a line begins and ends, and how it gets there."""
    x, y = one.x, one.y
    if len(y) == 1:
        return f"{rounded(y[0])} at x = {rounded(x[0])}"
    if (np.diff(x) < 0).all():
        x, y = x[::-1], y[::-1]
    if (np.diff(x) < 0).any():
        return f"a curve of {len(y)} points, y {_range(y)}"
    if chart.y.log and (y > 0).all():
        height, whole = np.log(y), np.log(max(chart.y.high, 1e-300) / max(chart.y.low, 1e-300))
    else:
        height, whole = y, chart.y.high - chart.y.low
    near = 0.05 * max(abs(whole), np.ptp(height) * 0.2)
    first, last, top, bottom = height[0], height[-1], height.argmax(), height.argmin()
    ends = rounded(y[0]), rounded(y[-1])
    if np.ptp(height) <= near:
        return f"stays near {rounded(np.median(y))}"
    over = height[top] > max(first, last) + near
    under = height[bottom] < min(first, last) - near
    if over and under:
        return f"from {ends[0]} to {ends[1]}, between {rounded(y[bottom])} and {rounded(y[top])}"
    if over or under:
        turn = top if over else bottom
        way = "up to" if over else "down to"
        return f"from {ends[0]} {way} {rounded(y[turn])} at x = {rounded(x[turn])}, ends at {ends[1]}"
    if abs(last - first) <= near:
        return f"near {ends[0]} at both ends, {_range(y)}"
    return f"{'rises' if last > first else 'falls'} from {ends[0]} to {ends[1]}"


def _points(one: Series, chart: Chart) -> str:
    if len(one.x) == 1:
        return f"{rounded(one.y[0])} at x = {rounded(one.x[0])}"
    level = np.ptp(one.y) == 0
    told = f"{len(one.x)} points, {'x' if level else 'y'} {_range(one.x if level else one.y)}"
    if len(one.x) >= 10 and not chart.square and np.ptp(one.x) > 0 and np.ptp(one.y) > 0:
        told += f", correlation {rounded(round(float(np.corrcoef(one.x, one.y)[0, 1]), 2))}"
    return told


def _bars(one: Series) -> str:
    top = one.y.argmax()
    if one.kind == "histogram":
        return f"{rounded(one.y.sum())} in {len(one.y)} bins, most ({rounded(one.y[top])}) at {rounded(one.x[top])}"
    low = one.y.argmin()
    ends = f"highest {rounded(one.y[top])} at {rounded(one.x[top])}"
    return f"{len(one.y)} bars, {ends}, lowest {rounded(one.y[low])} at {rounded(one.x[low])}"


def _by_place(series: Sequence[Series], axis: Axis, upright: bool, detail: Detail) -> list[str]:
    """Say the highest and the lowest value over places with names, or all values if they are few."""
    levels = [one for one in series if one.kind == "marks"] or series
    by_place: dict[str, dict[str, list[float]]] = {}
    for one in levels:
        places, values = (one.x, one.y) if upright or one.kind == "bars" else (one.y, one.x)
        for place, value in zip(places, values, strict=True):
            if name := axis.name_of(place):
                by_place.setdefault(name, {}).setdefault(one.name, []).append(float(value))
    several = any(len(names) > 1 for names in by_place.values())
    found = [
        (value, shortened(", ".join(filter(None, (place, name if several else ""))), detail.letters))
        for place, names in by_place.items()
        for name, values in names.items()
        for value in values
    ]
    if not found:
        return []
    if len(found) <= detail.series:
        return ["; ".join(f"{name}: {rounded(value)}" for value, name in found)]
    top, bottom = max(found, key=lambda item: item[0]), min(found, key=lambda item: item[0])
    if top[0] == bottom[0]:
        return [f"all {len(found)} values are {rounded(top[0])}"]
    what = "bars" if levels[0].kind == "bars" else "points" if levels is series else "values"
    return [f"{len(found)} {what}; highest {rounded(top[0])} ({top[1]}); lowest {rounded(bottom[0])} ({bottom[1]})"]


def _events(series: Sequence[Series]) -> str:
    counts = [len(one.x) for one in series]
    most = int(np.argmax(counts))
    return f"{sum(counts):,} events in {len(counts)} rows, most ({counts[most]}) in row {rounded(series[most].y[0])}"


def _image(one: Series) -> str:
    cells = one.cells
    size = f"{cells.shape[0]} × {cells.shape[1]} cells"
    good = cells[np.isfinite(cells)]
    if not good.size:
        return f"{size} without values"
    values = set(np.unique(good).tolist()) if good.size < 1e6 else {np.nan}
    if values <= {0.0, 1.0}:
        return f"{size}, {rounded(100 * good.mean())} % filled"
    told = f"{size}, {rounded(good.min())} to {rounded(good.max())}, mean {rounded(good.mean())}"
    if cells.shape[0] == cells.shape[1] > 4 and np.isfinite(cells).all():
        diagonal = np.eye(len(cells), dtype=bool)
        on, off = np.abs(cells[diagonal]).mean(), np.abs(cells[~diagonal]).mean()
        if on > 2 * off:
            told += f", strongest on the diagonal, {rounded(cells[diagonal].mean())} on average"
    return told
