"""Read back what is drawn in a figure: charts, their axes, and their series of numbers.

Alternative texts and tables of numbers are made from this, so that they cannot differ from the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as DrawnAxis
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, EventCollection, LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import FixedLocator

from .drawn import Axis, Chart, Reference, Series, clean, number_in, rounded


def _read_axis(axis: DrawnAxis, limits: tuple[float, float], data: tuple[float, float]) -> Axis:
    """Read an axis; its ends are the outer ticks, or beyond them the ends of the data, or else its limits."""
    low, high = sorted(map(float, limits))
    label, log = clean(axis.get_label().get_text()), axis.get_scale() != "linear"
    places = [float(place) for place in axis.get_majorticklocs() if low <= place <= high]
    formatter = axis.get_major_formatter()
    texts = list(map(clean, formatter.format_ticks(places)))
    if log or formatter.get_offset():
        return Axis(label, low, high, log)
    numbers = [number_in(text) for text in texts]
    ticks = [(place, text) for place, text in zip(places, texts, strict=True) if text]
    if len(ticks) and sum(number_in(text) is None for _, text in ticks) > len(ticks) / 2:
        return Axis(label, low, high, log, tuple(ticks))
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


def _finite(kind: str, name: str, x: object, y: object, flat: bool = False) -> Series:
    x, y = (np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel() for values in (x, y))
    good = np.isfinite(x) & np.isfinite(y)
    return Series(kind, name, x[good], y[good], flat)


def _along(ax: Axes, line: Line2D) -> tuple[bool, bool]:
    """Whether x, and y, of a line are data, not parts of the Axes."""
    transform = line.get_transform()
    split = getattr(transform, "contains_branch_separately", None) or transform.contains_branch_seperately
    return split(ax.transData)  # older releases of matplotlib spell it so


MOST_OF_A_CHART = 0.5
"""How long a line along an axis must be, as a share of the chart, to mark a number there."""


def _lines(ax: Axes, key: _Key, x: Axis, y: Axis) -> tuple[list[Series], list[Reference], int]:
    """Read lines and markers: series, lines across the chart, and the number of intervals."""
    series, references, intervals = [], [], 0
    errorbars = {part for container in ax.containers if not isinstance(container, BarContainer)
                 for part in (container[1] if len(container) > 2 else ())}  # fmt: skip
    names = {container[0]: container.get_label() for container in ax.containers
             if not isinstance(container, BarContainer) and len(container) > 2}  # fmt: skip
    for line in ax.lines:
        if line in errorbars or not line.get_visible():
            continue
        label = names.get(line) or line.get_label()
        name = key.name(label, _hex(line.get_color()), line.get_marker())
        (in_x, in_y), (xs, ys) = _along(ax, line), (np.asarray(d, dtype=float) for d in line.get_data(orig=False))
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
                intervals += 1
                continue
        if not bare and not name and len(ys) > 2 and (lane := _lane(y, ys)):
            series.append(replace(_finite("line", lane[1], x.numbers(xs), ys - lane[0]), lane=True))
            continue
        series.append(_finite("points" if bare else "line", name, x.numbers(xs), y.numbers(ys)))
    return series, references, intervals + sum(len(line.get_xdata()) for line in names)


def _lane(y: Axis, values: np.ndarray) -> tuple[float, str] | None:
    """Return the place and the name next below a line, where each of several lines has a place of its own."""
    below = [(place, name) for place, name in y.categories if place <= np.nanmin(values, initial=np.inf) + 0.5]
    return max(below, default=None)


def _bars(ax: Axes, key: _Key) -> Iterator[Series]:
    for container in ax.containers:
        if not isinstance(container, BarContainer) or not container.patches:
            continue
        flat = container.orientation == "horizontal"
        boxes = np.array([(b.get_x(), b.get_y(), b.get_width(), b.get_height()) for b in container.patches])
        start, size, value = (1, 3, 2) if flat else (0, 2, 3)
        places = boxes[:, start] + boxes[:, size] / 2
        gaps = np.diff(places)
        touching = len(places) > 4 and np.allclose(gaps, np.abs(boxes[1:, size]), rtol=0.05)
        if np.ptp(places - places.round()) < 1e-6:  # beside their place, for another set of bars
            places = places.round()
        first = container.patches[0]
        label = first.get_label() if str(container.get_label()).startswith("_") else container.get_label()
        name = key.name(label, _hex(first.get_facecolor()))
        yield _finite("histogram" if touching else "bars", name, places, boxes[:, value], flat)
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
        places = np.ma.filled(np.ma.asarray(drawn.get_offsets(), dtype=float), np.nan)
        colours = drawn.get_facecolor()
        name = key.name(drawn.get_label(), _hex(colours[0]) if len(colours) == 1 else "")
        yield _finite("points", name, x.numbers(places[:, 0]), y.numbers(places[:, 1]))
    elif isinstance(drawn, QuadMesh) and drawn.get_array() is not None:
        values = np.ma.filled(np.ma.asarray(drawn.get_array(), dtype=float), np.nan)
        cells = values if values.ndim == 2 else values.reshape(1, -1)
        yield Series("image", "", np.empty(0), np.empty(0), cells=cells)


def _images(ax: Axes) -> Iterator[Series]:
    for image in ax.images:
        values = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
        if values.ndim == 2:  # a picture in three colours says no numbers
            yield Series("image", "", np.empty(0), np.empty(0), cells=values)


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
    if hasattr(ax, "get_zlim"):  # in space; what is drawn there has no places of its own on the page
        points = sum(len(c.get_offsets()) for c in ax.collections if isinstance(c, PathCollection))
        there = Series("points", "", np.full(points, np.nan), np.full(points, np.nan))
        low, high = sorted(ax.get_zlim())
        label = f"{clean(ax.get_zlabel())}, {rounded(low)} to {rounded(high)}"
        label += f", turned to {rounded(ax.azim)}°, seen from {rounded(ax.elev)}° above"
        return Chart(title, x, y, (there,), (), colours, segments=len(ax.lines), texts=texts, deep=label)
    lines, references, intervals = _lines(ax, key, x, y)
    series = [*_images(ax), *_bars(ax, key), *lines]
    held = {id(part) for container in ax.containers for part in _flat(container)}
    segments = 0
    for drawn in ax.collections:
        if id(drawn) in held or not drawn.get_visible():
            continue
        series += _collection(ax, drawn, key, x, y)
        if isinstance(drawn, LineCollection) and not isinstance(drawn, EventCollection):
            segments += len(drawn.get_segments())
    series = tuple(one for one in series if len(one.x) or one.cells is not None)
    square = ax.get_aspect() != "auto"
    return Chart(title, x, y, series, tuple(references), colours, intervals, segments, texts, square=square)


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
