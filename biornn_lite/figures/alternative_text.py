"""Alternative texts of figures, made from what is drawn: kind of chart, axes, series, and what stands out.

They are what a screen reader reads in the place of a picture, so they are short, and the most telling comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import takewhile
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from .drawn import HIGH, LOW, Axis, Band, Chart, Reference, Series, rounded, said_of
from .reading import read_charts, title_of_figure

LONGEST = 400
"""Maximum number of letters of an alternative text; what is longer is no summary any more."""


class Detail(NamedTuple):
    """How much a text says of a chart.

    Attributes
    ----------
    series : int
        Number of series that are described; with 0, a chart says the ends of its lines or of its values only.
    letters : int
        Maximum number of letters of a title, and of twice the letters of a label.
    axes : bool
        Whether it says its axes.
    more : bool
        Whether it also says lines across, bands, intervals and texts.
    across : bool
        Whether it says lines across and bands that have a name, if it says no more than that.
    ends : bool
        Whether series that are not described are named, each with its last value.
    """

    series: int
    letters: int
    axes: bool = True
    more: bool = True
    across: bool = True
    ends: bool = True


DETAILS = (
    *(Detail(series, 100) for series in (6, 5, 4)), Detail(4, 60), Detail(3, 60),
    *(Detail(series, letters, more=False) for series in (3, 2) for letters in (60, 40)),
    *(Detail(2, 60, False, False, across, ends) for across in (True, False) for ends in (True, False)),
    Detail(1, 60, False, False, False), Detail(1, 60, False, False, False, False),
    *(Detail(0, letters, False, False, False) for letters in (60, 40, 24, 14)),
)  # fmt: skip
"""From much to little. Two series are described both as long as possible, and titles tell pictures apart."""

SHORT_TITLE = 80
"""Maximum number of letters of the title of a figure whose charts lack details; it may tell two pictures apart."""

ALIKE = 0.8
"""Charts lose details together if the shorter one's text is at least this share of the longest."""


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
        Plain text on one line, never empty; it must be escaped where HTML is meant. What the figure or one of its
        charts says itself, by :func:`biornn_lite.figures.drawn.say`, takes the place of what is read from it.
    """
    if said := said_of(figure):
        return shortened(said, longest)
    charts, title = read_charts(figure), title_of_figure(figure)
    text = _Text(charts, title)
    levels = [0] * len(charts)
    while len(text.of(levels)) > longest:
        able = [k for k, level in enumerate(levels) if level < len(DETAILS) - 1 and not charts[k].spoken]
        most = max((len(text.part(k, levels[k])) for k in able), default=0)
        if not able:
            return shortened(text.of(levels), longest)
        levels = [level + (k in able and len(text.part(k, level)) >= ALIKE * most) for k, level in enumerate(levels)]
    able = {*range(len(levels))}
    while able:  # what room is left goes to the charts with the fewest details; charts of one kind share it
        least = max(levels[k] for k in able)
        some = {k for k in able if levels[k] == least}
        some = some if text.same else {min(some)}
        more = [level - (k in some) for k, level in enumerate(levels)]
        if least and len(text.of(more)) <= longest:
            levels = more
        else:
            able -= some
    return text.of(levels)


class _Text:
    """The text of a figure at each level of detail of each chart."""

    def __init__(self, charts: Sequence[Chart], title: str):
        self.charts, self.title = charts, title
        kinds = list(dict.fromkeys(kind(chart) for chart in charts))
        self.same = len(kinds) == 1
        self.kinds = f"{len(charts)} {_plural(kinds[0]) if self.same else 'charts'}"
        read = [chart for chart in charts if not chart.spoken]
        both = {which: _common([getattr(chart, which) for chart in read]) for which in "xy" if len(read) > 1}
        self.shared = {which: axis for which, axis in both.items() if axis}
        self.part = cache(self._part)

    def of(self, levels: Sequence[int]) -> str:
        """Write the whole text, with these levels of the charts."""
        if not self.charts:
            return _sentences(["An empty figure", self.title])
        if len(self.charts) == 1:
            return self.part(0, levels[0])
        least = DETAILS[max(levels)]
        short = DETAILS[-1].letters < least.letters < DETAILS[0].letters
        head = [self.kinds, shortened(self.title, SHORT_TITLE if short else 2 * least.letters)]
        head += [f"Each {_axis(axis, which, least)}" for which, axis in self.shared.items() if not axis.blank]
        return _sentences([*head, *(self.part(k, level) for k, level in enumerate(levels))])

    def _part(self, number: int, level: int) -> str:
        """Write what is said of one chart."""
        chart, detail = self.charts[number], DETAILS[level]
        if len(self.charts) == 1:
            whole = ". ".join(filter(None, (self.title, chart.title)))
            return _sentences(_chart(replace(chart, title=whole), detail, True))
        told = "; ".join(_chart(chart, detail, not self.same, self.shared))
        return f"{number + 1}: {told or 'nothing drawn'}"


def shortened(text: str, longest: int) -> str:
    """Cut a text at the end of a word, with dots if something is missing."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 2]
    return (kept[: kept.rfind(" ")] if " " in kept[longest // 2 :] else kept).rstrip(" ,;:.(") + " …"


def _common(axes: Sequence[Axis]) -> Axis | None:
    """Return one axis for several that differ in their ends at most, or None."""
    first = axes[0]
    if len({(axis.label, axis.log, axis.categories, axis.blank) for axis in axes}) > 1:
        return None
    return replace(first, low=min(axis.low for axis in axes), high=max(axis.high for axis in axes))


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(f"{part}" if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts if part)


def _plural(name: str) -> str:
    return name[0].lower() + name[1:] + ("s" if not name.endswith("s") else "")


def kind(chart: Chart) -> str:
    """Name the kind of a chart."""
    kinds = {one.kind for one in chart.series}
    places = bool(chart.x.categories or chart.y.categories or chart.x.blank or chart.y.blank)
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
    if chart.spoken:
        return [chart.spoken]
    chart = replace(chart, series=_told_apart(chart.series, detail))
    title = shortened(chart.title, detail.letters)
    first = ": ".join(filter(None, (kind(chart) if with_kind else "", title)))
    if not detail.series:
        return [", ".join(filter(None, (first, _ends(chart, detail))))]
    parts = [first]
    if detail.axes and (chart.series or chart.segments):
        own = [which for which in "xy" if which not in shared and not getattr(chart, which).blank]
        parts += [_axis(getattr(chart, which), which, detail) for which in own]
        parts.append(f"z: {chart.deep}" if chart.deep else "")
        parts.append(_axis(chart.colours, "Colour", detail) if chart.colours else "")
    parts += _series(chart, detail)
    if detail.more or detail.across:
        parts += _more(chart, detail)
    return [part for part in parts if part]


FEW = 4
"""Number of lines, or of numbers at places with names, that even a short text says."""


def _ends(chart: Chart, detail: Detail) -> str:
    """Say the ends of a few lines, or a few numbers at places, or else the smallest and the largest value."""
    lines = [one for one in chart.series if one.kind == "line" and not _closed(one)]
    names = {_name(one.name, detail) for one in lines}
    told_apart = len(lines) == 1 or (len(names) == len(lines) and all(names))
    few = 0 < len(lines) == len(chart.series) <= FEW and detail.letters >= DETAILS[-3].letters
    if few and told_apart:
        return _from_to(lines, detail)
    axis = chart.x if chart.x.categories else chart.y
    points = [one for one in chart.series if one.kind in ("points", "marks", "bars")]
    if axis.categories and points and sum(len(one.x) for one in points) <= FEW:
        return "; ".join(_by_place(points, axis, chart.x.categories != (), detail._replace(series=FEW)))
    if chart.square and points and len(points) == sum(not _closed(one) for one in chart.series):
        return _counted(sum(len(one.x) for one in points), "point")
    lying = bool(chart.y.categories or chart.y.blank)
    found = [
        one.cells if one.cells is not None else one.x if lying and not one.flat else one.y
        for one in chart.series
        if not _closed(one)
    ]
    values = np.concatenate([np.ravel(each) for each in found]) if found else np.empty(0)
    values = values[np.isfinite(values)]
    return _range(values) if len(values) else ""


def _from_to(lines: Sequence[Series], detail: Detail) -> str:
    """Say where lines begin and end, or only where they end if all begin alike."""
    ends = [[rounded(one.y[at]) for at in (one.x.argmin(), one.x.argmax())] for one in lines]
    alike = len(lines) > 1 and len({first for first, _ in ends}) == 1
    told = [f"to {last}" if alike else f"from {first} to {last}" for first, last in ends]
    return ", ".join(_named(one, text, detail, " ") for one, text in zip(lines, told, strict=True))


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
        said = f"{number}{', '.join(told)}".replace(", …", " …").replace("… …", "…")
    else:
        low = 0.0 if abs(axis.low) < 1e-9 * abs(axis.high) and not axis.log else axis.low
        said = f"{rounded(low)} to {rounded(axis.high)}{', log scale' if axis.log else ''}"
    return f"{which}: {label}, {said}" if label else f"{which}: {said}"


def _more(chart: Chart, detail: Detail) -> Iterator[str]:
    if chart.intervals and detail.more:
        yield _counted(chart.intervals, "interval")
    if chart.segments and detail.more and not chart.deep and (chart.square or not chart.series):
        yield _counted(chart.segments, "joining line")
    for band in chart.bands:
        yield f"Band: {shortened(band.name, detail.letters // 2)}, {_span(band)}"
    if references := [one for one in chart.references if detail.more or one.name]:
        yield "Across: " + ", ".join(_reference(one, detail) for one in references[: detail.series])
    if detail.more and chart.texts and len(chart.texts) <= detail.series:
        yield "Texts: " + ", ".join(shortened(one, detail.letters // 2) for one in chart.texts)


def _span(band: Band) -> str:
    return f"{band.along} {rounded(band.low)} to {rounded(band.high)}"


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
        length = f", median length {rounded(chart.length)}" if chart.segments > 1 and chart.length > 0 else ""
        return [_counted(sum(len(one.x) for one in chart.series), "point") + lines + length]
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
    told += _plain(plain, chart, detail)
    return told + [_named(one, _area(one), detail) for one in chart.series if one.kind == "band" and detail.more]


def _named(one: Series, text: str, detail: Detail, colon: str = ": ") -> str:
    name = _name(one.name, detail)
    return f"{name}{colon}{text}" if name else text


def _told_apart(series: Sequence[Series], detail: Detail) -> tuple[Series, ...]:
    """Cut names that are too long, and begin as others do, at their common beginning in place of their ends."""
    names, found = dict.fromkeys(one.name for one in series), {}
    for name in names:
        begin = _name(name, detail).removesuffix(" …")
        alike = [other.split() for other in names if other.startswith(begin)]
        if begin != name and len(alike) > 1:
            shared = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*alike, strict=False)))
            found[name] = " ".join(["…", *name.split()[shared:]])
    if len({_name(name, detail) for name in found.values()}) < len(found):
        return tuple(series)  # they still look alike
    return tuple(replace(one, name=found.get(one.name, one.name)) for one in series)


def _area(one: Series) -> str:
    """Say where a band lies at its left and at its right."""
    ends = [_range(np.array([one.more[LOW][at], one.more[HIGH][at]])) for at in (0, -1)]
    return f"band, {ends[0]} at the left, {ends[1]} at the right"


def _closed(one: Series) -> bool:
    """Whether a line ends where it began, such as a circle."""
    return len(one.x) > 3 and bool(np.allclose([one.x[0], one.y[0]], [one.x[-1], one.y[-1]]))


def _name(name: str, detail: Detail) -> str:
    return shortened(name, max(detail.letters // 2, 20))  # shorter ones look alike


def _plain(series: Sequence[Series], chart: Chart, detail: Detail) -> list[str]:
    """Describe lines and points: named ones first, long ones before short ones; and count the others."""
    ordered = sorted(series, key=lambda one: (_closed(one), not one.name, one.kind != "line", -len(one.x)))
    groups: dict[object, list[Series]] = {}
    for one in ordered:
        groups.setdefault((one.kind, one.name) if one.name else id(one), []).append(one)
    chosen = [*groups.values()][: detail.series]
    others = [one for group in [*groups.values()][detail.series :] for one in group if not _closed(one)]
    told = [_named(group[0], _group(group, chart), detail) for group in chosen]
    names = {one.name for one in series}
    unlike = len({_name(name, detail) for name in names}) == len(names)
    lines = all(one.name and one.kind == "line" for one in others)
    if others and detail.ends and lines and unlike:
        told += _last_values(others, detail)
    elif others:
        y = np.concatenate([one.y for one in others])
        told.append(f"{len(others)} more series, y {_range(y)}")
    return told


def _last_values(lines: Sequence[Series], detail: Detail) -> Iterator[str]:
    """Say where lines end at the right, together where they have one name."""
    names: dict[str, list[float]] = {}
    for one in lines:
        names.setdefault(_name(one.name, detail), []).append(one.y[one.x.argmax()])
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
    if chart.y.blank:
        return rounded(one.x[0]) if len(one.x) == 1 else f"{len(one.x)} points, {_range(one.x)}"
    if len(one.x) == 1:
        return f"{rounded(one.y[0])} at x = {rounded(one.x[0])}"
    level = np.ptp(one.y) == 0
    told = f"{len(one.x)} points, {'x' if level else 'y'} {_range(one.x if level else one.y)}"
    if chart.square and not level:
        told = f"{len(one.x)} points, x {_range(one.x)}, y {_range(one.y)}"
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
    if len(found) <= max(detail.series, FEW):
        if not several:
            return ["; ".join(f"{name}: {rounded(value)}" for value, name in found)]
        names = dict.fromkeys(one.name for one in levels)
        same = all(len(there) == len(names) for there in by_place.values())  # places need be named only once
        return [f"{name}: {_at_places(name, by_place, k == 0 or not same)}" for k, name in enumerate(names)]
    top, bottom = max(found, key=lambda item: item[0]), min(found, key=lambda item: item[0])
    if top[0] == bottom[0]:
        return [f"all {len(found)} values are {rounded(top[0])}"]
    what = "bars" if levels[0].kind == "bars" else "points" if levels is series else "values"
    return [f"{len(found)} {what}; highest {rounded(top[0])} ({top[1]}); lowest {rounded(bottom[0])} ({bottom[1]})"]


def _at_places(name: str, by_place: Mapping[str, Mapping[str, Sequence[float]]], places: bool) -> str:
    """Say the values of a series at all places, with or without the names of the places."""
    found = [(place, value) for place, names in by_place.items() for value in names.get(name, ())]
    return ", ".join(f"{place}: {rounded(value)}" if places else rounded(value) for place, value in found)


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
    ends = f"{size}, {rounded(good.min())} to {rounded(good.max())}"
    if cells.shape[0] == cells.shape[1] > 4 and np.isfinite(cells).all():
        diagonal = np.eye(len(cells), dtype=bool)
        on, off = np.abs(cells[diagonal]).mean(), np.abs(cells[~diagonal]).mean()
        if on > 2 * off:
            means = rounded(cells[diagonal].mean()), rounded(cells[~diagonal].mean())
            return f"{ends}, strongest on the diagonal, mean {means[0]} on it, {means[1]} off it"
    return f"{ends}, mean {rounded(good.mean())}"
