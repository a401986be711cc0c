"""Colours, line styles and labels of all figures."""

from __future__ import annotations

from ..variants import VARIANTS

BLUE, ORANGE, GREEN, PURPLE, DARK = "#0173b2", "#de8f05", "#029e73", "#cc78bc", "#444444"
"""Told apart with every kind of colour vision, and by lightness where two of them stand side by side."""

SHADES, DARK_BLUE = ("#6baed6", "#9ecae1"), "#08306b"
"""Blues of many bars of one kind, and of one bar among them."""

CORNERS = {"left": (DARK_BLUE, SHADES[1]), "right": ("#7f2704", "#fdbe85")}
"""The four corners of the sheet: left and right along x, dark and light along z."""

COLOURS = {"orthogonal": DARK, "functional": BLUE, "relabelled": ORANGE, "own": GREEN}
"""One colour per kind of initial weights, which differ in lightness too."""

MARKERS = {"orthogonal": "s", "functional": "o", "relabelled": "^", "own": "D"}
"""And one marker."""

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
"""Up to five curves in one figure, which differ in line style and marker too."""

SMOOTH_LINES = tuple(line | {"marker": ""} for line in LINES)
"""The same without markers, for curves of many points."""


def kind_of(variant: str) -> str:
    """Return the kind of initial weights of a variant by its name; ``own`` if the name is not known here."""
    return VARIANTS[variant].weights if variant in VARIANTS else "own"


LONGEST_NAME, LONGEST_TITLE = 80, 160
"""Letters of a name and of a title that a figure shows."""


def as_text(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text of others for a figure, which shows it as it is: not as a formula, and not too long.

    Matplotlib takes what stands between two dollar signs for a formula, and hides labels that begin with ``_``.

    Parameters
    ----------
    text : str
        Such as the name of a field.
    longest : int
        Letters that are shown; of a longer text, the middle is left out.
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
"""What the axis of each measure says."""
