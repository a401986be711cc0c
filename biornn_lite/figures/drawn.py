"""What a figure shows, as data: charts, their axes, and their series of numbers.

:mod:`biornn_lite.figures.reading` reads them back from a figure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Attributes
    ----------
    label : str
    low, high : float
        Ends, in the numbers that the ticks say.
    log : bool
        Whether the scale is logarithmic.
    categories : tuple of (float, str)
        Place and name of each category; empty for an axis of numbers.
    said : tuple of (float, float)
        Place and number of each tick, if ticks say other numbers than their places.
    words : tuple of (float, str)
        Of an axis of numbers, number and text of each tick that says words, such as "none".
    blank : bool
        Whether it has neither ticks nor a label, so that places along it mean nothing.
    """

    label: str
    low: float
    high: float
    log: bool = False
    categories: tuple[tuple[float, str], ...] = ()
    said: tuple[tuple[float, float], ...] = ()
    words: tuple[tuple[float, str], ...] = ()
    blank: bool = False

    def name_of(self, place: float) -> str:
        """Name the category at a place, or say the words of a tick there, or return an empty text."""
        near = [(abs(at - place), name) for at, name in self.categories]
        apart, name = min(near, default=(np.inf, ""))
        if apart <= 0.5:
            return name
        return next((text for number, text in self.words if np.isclose(number, place, rtol=1e-6, atol=0)), "")

    def numbers(self, places: np.ndarray) -> np.ndarray:
        """Return the numbers that the ticks say for places along the axis."""
        if not self.said:
            return places
        at, number = np.array(self.said).T
        powers = number > 0
        if powers.any() and np.allclose(np.log10(number[powers]), at[powers], atol=0.01):
            found = 10.0**places
        else:
            found = np.interp(places, at, number)
        nearest = np.abs(places[..., None] - at).argmin(axis=-1)
        return np.where(np.abs(places - at[nearest]) < 1e-6, number[nearest], found)


LOW, HIGH, DEEP, SHADE = "from", "to", "z", "colour"
"""Columns that only some series have: the ends of each number's interval, its depth in space, and its colour."""


@dataclass(frozen=True, eq=False)
class Series:
    """One set of drawn numbers.

    Attributes
    ----------
    kind : {"line", "points", "bars", "histogram", "events", "image", "marks", "band"}
        ``marks`` are short lines, each at one value of a category. A ``band`` has intervals, but no values, in y.
    name : str
        From its label or from the legend's entry of the same colour; may be empty.
    x, y : ndarray, shape (n,)
        Finite numbers, as the axes say them. Of events, the times and the row; of bars, the place and the height,
        also if they lie.
    flat : bool
        Whether values lie along x and places along y, as those of lying bars.
    cells : ndarray, shape (rows, columns), optional
        Of an image.
    lane : bool
        Whether y is counted from the line's own place, where each of several lines has one.
    colour : str
        As ``#rrggbb``; may be empty.
    more : mapping of str to ndarray, shape (n,)
        Further columns: :data:`LOW` and :data:`HIGH`, :data:`DEEP`, :data:`SHADE`. NaN where there is nothing.
    """

    kind: str
    name: str
    x: np.ndarray
    y: np.ndarray
    flat: bool = False
    cells: np.ndarray | None = None
    lane: bool = False
    colour: str = ""
    more: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """A line across a whole chart.

    Attributes
    ----------
    name : str
        May be empty.
    along : {"x", "y"}
        Which number it marks.
    value : float
    """

    name: str
    along: str
    value: float


@dataclass(frozen=True)
class Band:
    """A shaded range across a whole chart.

    Attributes
    ----------
    name : str
    along : {"x", "y"}
        Which numbers it marks.
    low, high : float
    """

    name: str
    along: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Chart:
    """One Axes of a figure.

    Attributes
    ----------
    title : str
    x, y : Axis
    series : tuple of Series
    references : tuple of Reference
    colours : Axis or None
        The colour bar.
    intervals, segments : int
        Numbers of intervals, and of lines that join places.
    texts : tuple of str
        Texts within the chart.
    deep : str
        Label of the third axis in space.
    square : bool
        Whether a length means the same along both axes, as on a map.
    bands : tuple of Band
    length : float
        Median length of lines between two points in space.
    spoken : str
        What the figure itself says of the chart, by :func:`say`; it takes the place of all other text.
    """

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    references: tuple[Reference, ...] = ()
    colours: Axis | None = None
    intervals: int = 0
    segments: int = 0
    texts: tuple[str, ...] = ()
    deep: str = ""
    square: bool = False
    bands: tuple[Band, ...] = ()
    length: float = np.nan
    spoken: str = ""


LEFT_OUT = "_left out"
"""Label of what is drawn, but says no number of its own, such as an arrow at the end of an axis."""


def say(drawn: Axes | Figure, text: str) -> None:
    """Hand over a text that describes Axes or a whole figure better than what can be read back from them."""
    drawn.biornn_lite_says = text


def said_of(drawn: Axes | Figure) -> str:
    """Return what :func:`say` handed over, or an empty text."""
    return getattr(drawn, "biornn_lite_says", "")


def clean(text: str) -> str:
    """Return a drawn text on one line, without the marks that only matplotlib needs."""
    text = re.sub(r"(?<!\\)\$([A-Za-z]+)_(\w)\$", r"\1 \2", text)  # a symbol such as $h_t$
    text = text.replace(r"\$", "$").replace(r"\mathdefault", "")
    return " ".join(text.split())


def number_in(text: str) -> float | None:
    """Return the number that a tick's label says, or None; a field's name, such as 6_7_2, is no number."""
    if "_" in text:
        return None
    text = clean(text).replace("−", "-").replace(",", "").removesuffix("%").strip()
    power = re.fullmatch(r"\$\{?(-?)10\^\{(-?\d+)\}\}?\$", text)
    if power:
        return float(f"{power[1]}1e{power[2]}")
    try:
        return float(text)
    except ValueError:
        return None


def rounded(value: float) -> str:
    """Write a number with three digits that count, as it is best read aloud."""
    value = float(value)
    if not np.isfinite(value):
        return "no value" if np.isnan(value) else ("−" if value < 0 else "") + "infinity"
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        digits, power = f"{size:.2e}".split("e")
        text = f"{float(digits):g}e{int(power)}".replace("e-", "e−")
    else:
        text = f"{size:,.0f}" if size >= 999.5 else f"{float(f'{size:.3g}'):g}"
    return ("−" if value < 0 else "") + text
