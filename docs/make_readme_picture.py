"""Draw the README's first picture, and print its line: a field of neurons, and how alike their activities are."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from pictures import HERE, described, save

from biornn_lite import load_field
from biornn_lite.figures.field import field_map
from biornn_lite.figures.matrices import matrix

LINE = "![A field of neurons, and the likeness of their activities](docs/field.png)"


def figures() -> dict[str, Figure]:
    """Draw the picture, by the stem of its file."""
    field = load_field("synthetic_column")
    figure, axes = plt.subplots(1, 2, figsize=(12, 3.8), layout="constrained", gridspec_kw={"width_ratios": [1.6, 1]})
    field_map(field, axes[0], wiring=False)
    matrix(field.correlation, axes[1], "correlation of activity", "correlation", 0.1, directed=False)
    return {"field": figure}


if __name__ == "__main__":
    mpl.use("Agg")
    drawn = figures()
    print(described(LINE, drawn))
    save(drawn)
    print(f"written: {HERE / 'field.png'}")
