"""Colours, line styles and labels of all figures."""

from __future__ import annotations

from ..variants import VARIANTS

BLUE, ORANGE, GREEN, PURPLE, DARK = "#0173b2", "#de8f05", "#029e73", "#cc78bc", "#444444"
"""Colours for every kind of colour vision; colours that appear side by side also differ in lightness."""

SHADES, DARK_BLUE = ("#6baed6", "#9ecae1"), "#08306b"
"""Blues for many bars of one kind, and a dark blue for one bar among them."""

CORNERS = {"left": (DARK_BLUE, SHADES[0]), "right": ("#7f2704", "#fdbe85")}
"""The four corners of the sheet: left and right along x, dark and light along z."""

MIDDLE = ("#8c0a4b", "#f768a1")
"""The sheet's colours in the middle of x, dark and light along z; a mixture of the corners would be grey."""

COLOURS = {"orthogonal": DARK, "functional": BLUE, "relabelled": ORANGE, "own": GREEN}
"""Colour of each kind of initial weights; the colours also differ in lightness."""

MARKERS = {"orthogonal": "s", "functional": "o", "relabelled": "^", "own": "D"}
"""Marker of each kind of initial weights."""

WEIGHT_LABELS = {
    "orthogonal": "W, orthogonal",
    "functional": "W*, functional",
    "relabelled": "W!, relabelled",
    "own": "starts of your own",
}

LINES = (
    {"linestyle": "-", "marker": "o", "color": BLUE},
    {"linestyle": "--", "marker": "s", "color": ORANGE},
    {"linestyle": ":", "marker": "^", "color": DARK},
    {"linestyle": "-.", "marker": "D", "color": GREEN},
    {"linestyle": "-", "marker": "v", "color": PURPLE},
)
"""Styles for up to five curves in one figure; they also differ in line style and marker."""

SMOOTH_LINES = tuple(line | {"marker": ""} for line in LINES)
"""The same styles without markers, for curves with many points."""

START_LINES = {
    "functional": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "relabelled": {"color": ORANGE, "marker": "^", "linestyle": (0, (5, 1.5))},
    "orthogonal": {"color": DARK, "marker": "s", "linestyle": "-"},
    "diagonal alone": {"color": PURPLE, "marker": "v", "linestyle": (0, (4, 1, 1, 1))},
    "0.95 I": {"color": GREEN, "marker": "D", "linestyle": (0, (2, 1))},
    "functional without diagonal": {"color": SHADES[0], "marker": "X", "linestyle": (0, (1, 1))},
}
"""Style of each start in the figures of robustness: the published kinds of initial weights, and the controls."""


def kind_of(variant: str) -> str:
    """Return the kind of initial weights of a variant by its name; ``own`` if the name is unknown."""
    return VARIANTS[variant].weights if variant in VARIANTS else "own"


LONGEST_NAME, LONGEST_TITLE = 80, 160
"""Maximum number of letters of a name and of a title in a figure."""


def as_text(text: str, longest: int = LONGEST_NAME) -> str:
    """Prepare an external text for a figure, so that it is shown literally and is not too long.

    Matplotlib reads text between two dollar signs as a formula, and hides labels that begin with ``_``.

    Parameters
    ----------
    text : str
        For example, the name of a field.
    longest : int
        Maximum number of letters; the middle of a longer text is left out.
    """
    if len(text) > longest:
        text = f"{text[: longest - longest // 2 - 2]} … {text[1 - longest // 2 :]}"
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


MEASURE_LABELS = {
    "accuracy": "accuracy",
    "entropy": "entropy of the weights (bits)",
    "modularity": "modularity Q",
    "small_worldness": "small-worldness (ratio to null)",
    "assortativity": "degree assortativity (correlation)",
}
"""Axis label of each measure."""
