"""Figures of matrices over pairs of neurons and of their eigenvalues."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from .drawn import LEFT_OUT
from .style import BLUE, LONGEST_TITLE, ORANGE, as_text


def matrix(
    values: np.ndarray, ax: Axes, title: str, label: str, limit: float | None = None, directed: bool = True
) -> Axes:
    """Draw a matrix over pairs of neurons.

    Parameters
    ----------
    values : ndarray, shape (N, N)
    ax : Axes
    title, label : str
        Title of the Axes and label of the colour bar.
    limit : float, optional
        Limit of the colour scale, symmetric around 0. Default: the largest absolute value.
    directed : bool
        Whether entry [i, j] goes from neuron i to neuron j, as for weights; otherwise the matrix is symmetric.
    """
    limit = np.abs(values).max() if limit is None else limit
    image = ax.imshow(values, cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.8, extend="max" if values.max() > limit else "neither")
    ax.set_xlabel("to neuron" if directed else "neuron")
    ax.set_ylabel("from neuron" if directed else "neuron")
    ax.set_title(as_text(title, LONGEST_TITLE), fontsize=10)
    return ax


def spectrum(weights: np.ndarray, ax: Axes, title: str) -> Axes:
    """Draw the eigenvalues of a matrix in the complex plane, with the unit circle.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    ax : Axes
    title : str
    """
    values = np.linalg.eigvals(weights)
    largest = values[np.abs(values).argmax()]
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(angle), np.sin(angle), color="0.5", linewidth=1, label="unit circle")
    ax.plot(values.real, values.imag, ".", color=BLUE, markersize=4)
    if (np.abs(values) > 0.999 * np.abs(largest)).sum() <= 2:  # one eigenvalue or a pair, not a whole circle
        place = (largest.real, largest.imag)
        ax.plot(*place, "o", markersize=9, markerfacecolor="none", color=ORANGE, label=LEFT_OUT)
        ax.annotate(f"{np.abs(largest):.2f}", place, textcoords="offset points", xytext=(-9, 6), ha="right")
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("real part")
    ax.set_ylabel("imaginary part")
    ax.set_title(as_text(title, LONGEST_TITLE), fontsize=10)
    sns.despine(ax=ax)
    return ax
