"""Read back what is drawn in a figure: charts, their axes, and their series of numbers.

Alternative texts and tables of numbers are made from this, so that they cannot differ from the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as DrawnAxis
from matplotlib.cm import ScalarMappable
from matplotlib.collections import (
    Collection,
    EventCollection,
    LineCollection,
    PathCollection,
    PolyCollection,
    QuadMesh,
)
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Transform

from .drawn import (
    DEEP,
    HIGH,
    LEFT_OUT,
    LOW,
    SHADE,
    Axis,
    Band,
    Chart,
    Reference,
    Series,
    clean,
    number_in,
    rounded,
    said_of,
)


def _read_axis(axis: DrawnAxis, limits: tuple[float, float], data: tuple[float, float]) -> Axis:
    """Read an axis; its ends are the outer ticks, or beyond them the ends of the data, or else its limits."""
    low, high = sorted(map(float, limits))
    label, log = clean(axis.get_label().get_text()), axis.get_scale() != "linear"
    places = [float(place) for place in axis.get_majorticklocs() if low <= place <= high]
    if not label and not len(axis.get_majorticklocs()) and not len(axis.get_minorticklocs()):
        return Axis(label, low, high, log, blank=True)
    formatter = axis.get_major_formatter()
    texts = list(map(clean, formatter.format_ticks(places)))
    if log or formatter.get_offset():
        return Axis(label, low, high, log)
    numbers = [number_in(text) for text in texts]
    ticks = [(place, text) for place, text in zip(places, texts, strict=True) if text]
    names = getattr(axis.get_units(), "_mapping", {})  # of all places, where only some have a tick
    if len(names) > len(ticks) > 0:
        return Axis(label, low, high, log, tuple((float(place), clean(name)) for name, place in names.items()))
    if len(ticks) and sum(number_in(text) is None for _, text in ticks) > len(ticks) / 2:
        beneath = axis.get_minorticklocs()
        small = [*zip(beneath, map(clean, axis.get_minor_formatter().format_ticks(beneath)), strict=True)]
        return Axis(label, low, high, log, tuple((place, _with_second(place, name, small)) for place, name in ticks))
    known = [(place, number) for place, number in zip(places, numbers, strict=True) if number is not None]
    if len(known) < 2:
        return Axis(label, low, high)
    places, said = np.array(known).T
    ends = float(said.min()), float(said.max())
    if not np.allclose(places, said, rtol=0.02, atol=0.02 * np.ptp(places)):
        return Axis(label, *ends, said=tuple(known))
    if np.ptp(places) < 0.5 * (high - low):
        return Axis(label, low, high)
    ends += tuple(float(end) for end in data if np.isfinite(end))
    return Axis(label, max(low, min(ends)), min(high, max(ends)))


def _with_second(place: float, name: str, small: Sequence[tuple[float, str]]) -> str:
    """Append the small second line of a label, which is drawn as the label of a minor tick beside it."""
    return ", ".join([name, *(text for other, text in small if text and abs(other - place) < 0.5)])


# Names


@dataclass(frozen=True)
class _Key:
    """Entries of all legends that an Axes may use: what each looks like, and its name."""

    entries: list[tuple[str, object, str]] = field(default_factory=list)  # colour, marker, name

    def name(self, label: object, colour: object, marker: object = None) -> str:
        """Return a label, or if it is hidden, the entry of the same colour, and of the same marker if several are."""
        label = str(label)
        if label and not label.startswith("_"):
            return clean(label)
        alike = [entry for entry in self.entries if entry[0] == colour]
        exact = [name for _, other, name in alike if other == marker]
        names = dict.fromkeys(exact or [name for _, _, name in alike])
        return next(iter(names)) if len(names) == 1 else ""


def _hex(colour: object) -> str:
    try:
        return to_hex(colour)
    except (TypeError, ValueError):
        return ""


def _key(legends: Sequence[Legend]) -> _Key:
    key = _Key()
    for legend in legends:
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=False):
            colour = handle.get_color() if isinstance(handle, Line2D) else handle.get_facecolor()
            marker = handle.get_marker() if isinstance(handle, Line2D) else None
            key.entries.append((_hex(colour), marker, clean(text.get_text())))
    return key


# Series


def _numbers(values: object) -> np.ndarray:
    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)


def _finite(kind: str, name: str, x: object, y: object, flat: bool = False, colour: str = "", more=None) -> Series:
    x, y = _numbers(x).ravel(), _numbers(y).ravel()
    good = np.isfinite(x) & np.isfinite(y)
    columns = {key: values[good] for key, values in (more or {}).items() if len(values) == len(good)}
    return Series(kind, name, x[good], y[good], flat, colour=colour, more=columns)


def _along(ax: Axes, transform: Transform) -> tuple[bool, bool]:
    """Whether x, and y, of what is drawn are data, not parts of the Axes."""
    split = getattr(transform, "contains_branch_separately", None) or transform.contains_branch_seperately
    return split(ax.transData)  # older releases of matplotlib spell it so


MOST_OF_A_CHART = 0.5
"""How long a line along an axis must be, as a share of the chart, to mark a number there."""


def _lines(ax: Axes, key: _Key, x: Axis, y: Axis) -> tuple[list[Series], list[Reference], list[_Interval]]:
    """Read lines and markers: series, lines across the chart, and intervals."""
    series, references, intervals = [], [], []
    errorbars = {part for container in ax.containers if not isinstance(container, BarContainer)
                 for part in (container[1] if len(container) > 2 else ())}  # fmt: skip
    names = {container[0]: container.get_label() for container in ax.containers
             if not isinstance(container, BarContainer) and len(container) > 2}  # fmt: skip
    for line in ax.lines:
        if line in errorbars or not line.get_visible() or line.get_label() == LEFT_OUT:
            continue
        label, colour = names.get(line) or line.get_label(), _hex(line.get_color())
        name = key.name(label, colour, line.get_marker())
        in_x, in_y = _along(ax, line.get_transform())
        xs, ys = (np.asarray(d, dtype=float) for d in line.get_data(orig=False))
        if not (in_x and in_y):
            across = (in_y and not in_x and len(ys) == 2 and ys[0] == ys[1], in_x and not in_y and len(xs) == 2)
            begin, end = sorted(xs if across[0] else ys)
            if any(across) and end - begin >= MOST_OF_A_CHART:
                at = (y.numbers(ys[:1]) if across[0] else x.numbers(xs[:1]))[0]
                references.append(Reference(name, "y" if across[0] else "x", float(at)))
            continue
        bare = line.get_linestyle() in ("None", "none", " ", "")
        if bare and line.get_marker() in ("None", "none", " ", "", None):
            continue
        if not bare and len(xs) == 2 and str(label).startswith("_") and (x.categories or y.categories):
            along, across = (xs, ys) if x.categories else (ys, xs)
            if (
                across[0] == across[1]
                and along[0] != along[1]
                and (x if x.categories else y).name_of((xs if x.categories else ys).mean())
            ):
                series.append(_finite("marks", name, [xs.mean()], [ys.mean()], not x.categories))
                continue
            if xs[0] == xs[1] or ys[0] == ys[1]:
                intervals.append(_interval(x.numbers(xs), y.numbers(ys), colour))
                continue
        if not bare and not name and len(ys) > 2 and (lane := _lane(y, ys)):
            series.append(replace(_finite("line", lane[1], x.numbers(xs), ys - lane[0]), lane=True))
            continue
        series.append(_finite("points" if bare else "line", name, x.numbers(xs), y.numbers(ys), colour=colour))
    for container in ax.containers:
        if not isinstance(container, BarContainer) and len(container) > 2 and container[0] is not None:
            for bars in container[2]:
                intervals += _segments(bars, _hex(container[0].get_color()), x, y)[0]
    return series, references, intervals


# Intervals


class _Interval(NamedTuple):
    """A line from one number to another, along x or y, at one place of the other axis."""

    along: str
    place: float
    low: float
    high: float
    colour: str


def _interval(xs: np.ndarray, ys: np.ndarray, colour: str) -> _Interval:
    along, place, ends = ("y", xs[0], ys) if xs[0] == xs[1] else ("x", ys[0], xs)
    return _Interval(along, float(place), float(min(ends)), float(max(ends)), colour)


def _segments(lines: LineCollection, colour: str, x: Axis, y: Axis) -> tuple[list[_Interval], int]:
    """Read the intervals among some lines, and count the others."""
    drawn = [np.asarray(segment, dtype=float) for segment in lines.get_segments()]
    drawn = [segment for segment in drawn if len(segment) == 2 and np.isfinite(segment).all()]
    straight = [segment for segment in drawn if (segment[0] == segment[1]).any()]
    found = [_interval(x.numbers(segment[:, 0]), y.numbers(segment[:, 1]), colour) for segment in straight]
    return found, len(lines.get_segments()) - len(found)


MOST_INTERVALS = 1000
"""Maximum number of intervals of a chart that are sought at its numbers."""


def _with_intervals(series: Sequence[Series], intervals: Sequence[_Interval]) -> list[Series]:
    """Give series the intervals at their places that hold their values, of the same colour if there are any.

    An interval in the colour of one series belongs to no other.
    """
    colours = {one.colour for one in series if one.colour}
    found = []
    for one in series:
        lying = one.flat and one.kind == "bars"
        whole = one.kind in ("points", "line", "marks", "bars") and not one.lane and len(one.x)
        for along in ("x" if lying else "yx") if whole and len(intervals) <= MOST_INTERVALS else "":
            mine = [i for i in intervals if i.along == along and (i.colour == one.colour or i.colour not in colours)]
            places, values = (one.x, one.y) if along == "y" or lying else (one.y, one.x)
            if mine and LOW not in one.more:
                one = _held(one, places, values, mine)
        found.append(one)
    return found


def _held(one: Series, places: np.ndarray, values: np.ndarray, intervals: Sequence[_Interval]) -> Series:
    place, low, high = np.array([interval[1:4] for interval in intervals]).T
    near = 1e-9 * max(np.abs(place).max(), np.abs(values).max(), 1e-300)
    inside = np.abs(places[:, None] - place) <= near
    inside &= (values[:, None] >= low - near) & (values[:, None] <= high + near)
    if not inside.any():
        return one
    which, there = inside.argmax(axis=1), inside.any(axis=1)
    ends = {LOW: np.where(there, low[which], np.nan), HIGH: np.where(there, high[which], np.nan)}
    return replace(one, more={**one.more, **ends})


def _filled(drawn: PolyCollection, key: _Key, x: Axis, y: Axis) -> Iterator[Series]:
    """Read an area between two curves as a band; other areas say no numbers."""
    for path in drawn.get_paths():
        corners = path.vertices
        count = (len(corners) - 3) // 2  # as fill_between draws it: a curve, and the other one back
        there, back = corners[1 : count + 1], corners[count + 2 : 2 * count + 2][::-1]
        if count < 1 or len(corners) != 2 * count + 3 or not np.array_equal(there[:, 0], back[:, 0]):
            continue
        colours = drawn.get_facecolor()
        colour = _hex(colours[0]) if len(colours) else ""
        label = str(drawn.get_label())
        name = key.name(label, "") if not label.startswith("_") else ""
        ends = np.sort([y.numbers(there[:, 1]), y.numbers(back[:, 1])], axis=0)
        more = {LOW: ends[0], HIGH: ends[1]}
        yield Series("band", name, x.numbers(there[:, 0]), np.full(count, np.nan), colour=colour, more=more)


def _of_lines(series: Sequence[Series]) -> list[Series]:
    """Let bands around lines of their colour be the intervals of these; other bands stay."""
    bands = [one for one in series if one.kind == "band"]
    found = []
    for one in (one for one in series if one.kind != "band"):
        ends = {LOW: np.full(len(one.x), np.nan), HIGH: np.full(len(one.x), np.nan)}
        for band in [*bands] if one.kind == "line" and not one.more else ():
            shared, at, there = np.intersect1d(one.x, band.x, return_indices=True)
            low, high = band.more[LOW][there], band.more[HIGH][there]
            if band.colour == one.colour and len(shared) and ((low <= one.y[at]) & (one.y[at] <= high)).all():
                ends[LOW][at], ends[HIGH][at] = low, high
                bands.remove(band)
        found.append(replace(one, more=ends) if np.isfinite(ends[LOW]).any() else one)
    return found + bands


def _bands(ax: Axes, key: _Key, x: Axis, y: Axis) -> Iterator[Band]:
    """Read shaded ranges across the whole chart that have a name."""
    for patch in ax.patches:
        in_x, in_y = _along(ax, patch.get_data_transform())
        if in_x == in_y or not patch.get_visible():
            continue
        corners = patch.get_patch_transform().transform(patch.get_path().vertices)
        name = key.name(patch.get_label(), _hex(patch.get_facecolor()))
        if name and np.ptp(corners[:, int(in_x)]) >= MOST_OF_A_CHART:
            ends = (x if in_x else y).numbers(corners[:, int(in_y)])
            yield Band(name, "x" if in_x else "y", float(ends.min()), float(ends.max()))


def _lane(y: Axis, values: np.ndarray) -> tuple[float, str] | None:
    """Return the place and the name next below a line, where each of several lines has a place of its own."""
    below = [(place, name) for place, name in y.categories if place <= np.nanmin(values, initial=np.inf) + 0.5]
    return max(below, default=None)


def _bars(ax: Axes, key: _Key, x: Axis, y: Axis) -> Iterator[Series]:
    for container in ax.containers:
        if not isinstance(container, BarContainer) or not container.patches:
            continue
        flat = container.orientation == "horizontal"
        boxes = np.array([(b.get_x(), b.get_y(), b.get_width(), b.get_height()) for b in container.patches])
        start, size, value = (1, 3, 2) if flat else (0, 2, 3)
        places = boxes[:, start] + boxes[:, size] / 2
        gaps = np.diff(places)
        touching = len(places) > 4 and np.allclose(gaps, np.abs(boxes[1:, size]), rtol=0.05)
        if (y if flat else x).categories and np.ptp(places - places.round()) < 1e-6:  # beside their place
            places = places.round()
        first = container.patches[0]
        label = first.get_label() if str(container.get_label()).startswith("_") else container.get_label()
        name = key.name(label, _hex(first.get_facecolor()))
        colour = _hex(first.get_facecolor())
        yield _finite("histogram" if touching else "bars", name, places, boxes[:, value], flat, colour)
    for patch in ax.patches:  # an outline of a histogram
        if isinstance(patch, Polygon) and not patch.get_fill():
            corners = patch.get_xy()
            edges, heights = corners[::2, 0], corners[1:-1:2, 1]
            if len(heights) == len(edges) - 1 > 3:
                name = key.name(patch.get_label(), _hex(patch.get_edgecolor()))
                yield _finite("histogram", name, (edges[:-1] + edges[1:]) / 2, heights)


def _collection(ax: Axes, drawn: Collection, key: _Key, x: Axis, y: Axis) -> Iterator[Series]:
    if isinstance(drawn, EventCollection):
        places = np.asarray(drawn.get_positions(), dtype=float)
        yield _finite("events", key.name(drawn.get_label(), ""), places, np.full(len(places), drawn.get_lineoffset()))
    elif isinstance(drawn, PathCollection):
        places, colours = _numbers(drawn.get_offsets()), drawn.get_facecolor()
        colour = _hex(colours[0]) if len(colours) == 1 else ""
        shades = _shades(drawn)
        name = key.name(drawn.get_label(), colour)
        yield _finite("points", name, x.numbers(places[:, 0]), y.numbers(places[:, 1]), colour=colour, more=shades)
    elif isinstance(drawn, PolyCollection) and not isinstance(drawn, QuadMesh):
        yield from _filled(drawn, key, x, y)
    elif isinstance(drawn, QuadMesh) and drawn.get_array() is not None:
        values = np.ma.filled(np.ma.asarray(drawn.get_array(), dtype=float), np.nan)
        cells = values if values.ndim == 2 else values.reshape(1, -1)
        yield Series("image", "", np.empty(0), np.empty(0), cells=cells)


def _shades(points: PathCollection) -> dict[str, np.ndarray]:
    """Return the numbers that colours of points stand for, if a colour bar explains them."""
    explained = getattr(points, "colorbar", None) is not None and points.get_array() is not None
    return {SHADE: _numbers(points.get_array()).ravel()} if explained else {}


def _images(ax: Axes) -> Iterator[Series]:
    for image in ax.images:
        values = _numbers(image.get_array())
        if values.ndim == 2:  # a picture in three colours says no numbers
            left, right, bottom, top = image.get_extent()
            (rows, columns), lower = values.shape, image.origin == "lower"
            x = left + (np.arange(columns) + 0.5) * (right - left) / columns
            y = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
            yield Series("image", "", x, y if lower else y[::-1], cells=values)


def _in_space(ax: Axes, title: str, x: Axis, y: Axis, texts: tuple[str, ...], key: _Key) -> Chart:
    """Read points in space, and count the lines."""
    series = []
    for drawn in ax.collections:
        if isinstance(drawn, PathCollection):
            xs, ys, zs = map(_numbers, drawn._offsets3d)  # matplotlib has no other way to read them back
            colours = drawn.get_facecolor()
            name = key.name(drawn.get_label(), _hex(colours[0]) if len(colours) == 1 else "")
            series.append(_finite("points", name, xs, ys, more={DEEP: zs.ravel(), **_shades(drawn)}))
    lines = [np.array(line.get_data_3d(), dtype=float) for line in ax.lines]
    lengths = [float(np.linalg.norm(ends[:, 1] - ends[:, 0])) for ends in lines if ends.shape[1] == 2]
    low, high = sorted(ax.get_zlim())
    above = "below" if ax.elev < 0 else "above"
    label = f"{clean(ax.get_zlabel())}, {rounded(low)} to {rounded(high)}"
    label += f", turned to {rounded(ax.azim)}°, seen from {rounded(abs(ax.elev))}° {above}"
    length = float(np.median(lengths)) if lengths and len(lengths) == len(lines) else np.nan
    return Chart(
        title, x, y, tuple(series), (), _colours(ax), segments=len(lines), texts=texts, deep=label, length=length,
        spoken=said_of(ax),
    )  # fmt: skip


# Charts


def _mappables(ax: Axes) -> list[ScalarMappable]:
    return [m for m in (*ax.images, *ax.collections) if getattr(m, "colorbar", None) is not None]


def _colours(ax: Axes) -> Axis | None:
    for mappable in _mappables(ax):
        bar = mappable.colorbar
        lying = bar.orientation == "horizontal"
        axis = bar.ax.xaxis if lying else bar.ax.yaxis
        return Axis(clean(axis.get_label().get_text()), *map(float, (bar.vmin, bar.vmax)))
    return None


def _of_cells(axis: Axis, limits: tuple[float, float]) -> Axis:
    """Let an axis along the cells of an image end at the numbers of the outer cells."""
    low, high = sorted(map(float, limits))
    whole = not axis.categories and low % 1 == high % 1 == 0.5
    return replace(axis, low=low + 0.5, high=high - 0.5) if whole else axis


def _span(ax: Axes, which: str) -> range | None:
    """Return the columns that Axes stand in, or for y the rows."""
    place = ax.get_subplotspec()
    return place and (place.colspan if which == "x" else place.rowspan)


def _sibling(ax: Axes, axis: Axis, which: str) -> Axis:
    """Take an empty label from an Axes that shares the axis, if possible from one of the same column or row."""
    others = getattr(ax, f"get_shared_{which}_axes")().get_siblings(ax)
    others = sorted(others, key=lambda other: _span(other, which) != _span(ax, which))
    labels = [clean(getattr(other, f"get_{which}label")()) for other in others]
    return axis if axis.label else replace(axis, label=next(filter(None, labels), ""))


def _with_words(axis: Axis, drawn: DrawnAxis) -> Axis:
    """Keep what ticks say in words along an axis of numbers."""
    if axis.categories or not isinstance(drawn.get_major_locator(), FixedLocator):
        return axis
    places = np.asarray(drawn.get_majorticklocs(), dtype=float)
    texts = map(clean, drawn.get_major_formatter().format_ticks(places))
    ticks = zip(axis.numbers(places).tolist(), texts, strict=True)
    return replace(axis, words=tuple((number, text) for number, text in ticks if text and number_in(text) is None))


def _title(ax: Axes) -> str:
    """Return the title of Axes, or of those of the same column that share x and have the only one."""
    column = [each for each in ax.get_shared_x_axes().get_siblings(ax) if _span(each, "x") == _span(ax, "x")]
    for each in (ax, *column) if _span(ax, "x") else (ax,):
        titles = [clean(each.get_title(loc=where)) for where in ("left", "center", "right")]
        if any(titles):
            return " ".join(filter(None, titles))
    return ""


def _read_axes(ax: Axes, legends: Sequence[Legend]) -> Chart:
    own = [legend for legend in (ax.get_legend(), *legends) if legend is not None]
    own += [child for child in ax.get_children() if isinstance(child, Legend) and child not in own]
    key = _key(own)
    x = _sibling(ax, _read_axis(ax.xaxis, ax.get_xlim(), ax.dataLim.intervalx), "x")
    y = _sibling(ax, _read_axis(ax.yaxis, ax.get_ylim(), ax.dataLim.intervaly), "y")
    x, y = _with_words(x, ax.xaxis), _with_words(y, ax.yaxis)
    texts = tuple(clean(text.get_text()) for text in ax.texts if text.get_visible() and clean(text.get_text()))
    title, colours = _title(ax), _colours(ax)
    if ax.images:
        x, y = (_of_cells(axis, limits) for axis, limits in ((x, ax.get_xlim()), (y, ax.get_ylim())))
    if hasattr(ax, "get_zlim"):
        return _in_space(ax, title, x, y, texts, key)
    lines, references, intervals = _lines(ax, key, x, y)
    series = [*_images(ax), *_bars(ax, key, x, y), *lines]
    held = {id(part) for container in ax.containers for part in _flat(container)}
    segments, straight = 0, []
    for drawn in ax.collections:
        if id(drawn) in held or not drawn.get_visible() or drawn.get_label() == LEFT_OUT:
            continue
        series += _collection(ax, drawn, key, x, y)
        if isinstance(drawn, LineCollection) and not isinstance(drawn, EventCollection):
            segments += len(drawn.get_segments())
            colour = drawn.get_color()
            straight += _segments(drawn, _hex(colour[0]) if len(colour) == 1 else "", x, y)[0]
    series = [one for one in series if len(one.x) or one.cells is not None]
    series = _of_lines(_with_intervals(_with_intervals(series, intervals), straight))
    return Chart(
        title, x, y, tuple(series), tuple(references), colours, len(intervals), segments, texts,
        square=ax.get_aspect() != "auto", bands=tuple(_bands(ax, key, x, y)), spoken=said_of(ax),
    )  # fmt: skip


def _flat(parts: object) -> Iterator[object]:
    for part in parts:
        if isinstance(part, (tuple, list)):
            yield from _flat(part)
        else:
            yield part


def read_charts(figure: Figure) -> list[Chart]:
    """Read all charts of a figure, in the order in which they were made; colour bars belong to their charts.

    Parameters
    ----------
    figure : Figure
        Subfigures are read too.
    """
    legends = [legend for part in (figure, *figure.subfigs) for legend in part.legends]
    bars = {id(mappable.colorbar.ax) for ax in figure.axes for mappable in _mappables(ax)}
    shown = [ax for ax in figure.axes if id(ax) not in bars and ax.get_visible()]
    charts = [_read_axes(ax, legends) for ax in shown]
    return [chart for chart, ax in zip(charts, shown, strict=True) if ax.axison or chart.series or chart.texts]


def title_of_figure(figure: Figure) -> str:
    """Return the titles of a figure and of its subfigures."""
    titles = [part.get_suptitle() for part in (figure, *figure.subfigs)]
    return ". ".join(filter(None, map(clean, titles)))
