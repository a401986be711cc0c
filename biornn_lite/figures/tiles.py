"""Drawings of tiles and imaging frames, for notebook 02."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from ..activity import TILE_SECONDS
from .style import BLUE, ORANGE

EVENTS = {"A": (0.45, 1.15, 1.85, 2.6), "B": (0.5, 1.9, 2.2)}
"""Times of made-up events of two neurons, in seconds."""

SECONDS = 3.0
"""Length of the drawn recording."""


def tile_counts(ax: Axes, tile: float = TILE_SECONDS) -> Axes:
    """Draw how the spike time tiling coefficient counts: made-up events of A, and the tiles of events of B.

    Parameters
    ----------
    ax : Axes
    tile : float
        Δt in seconds.
    """
    a, b = np.array(EVENTS["A"]), np.array(EVENTS["B"])
    inside = (np.abs(a[:, None] - b) <= tile).any(axis=1)
    for begin, end in _united(b - tile, b + tile):
        ax.axvspan(begin, end, ymin=0.05, ymax=0.95, color=ORANGE, alpha=0.25, linewidth=0)
    ax.vlines(b, -0.3, 0.3, color=ORANGE, linewidth=2.4)
    ax.vlines(a[inside], 0.7, 1.3, color=BLUE, linewidth=4)
    ax.vlines(a[~inside], 0.7, 1.3, color=BLUE, linewidth=1.2)
    ax.annotate(
        "", (b[0] - tile, 0.5), (b[0] + tile, 0.5), arrowprops={"arrowstyle": "<->", "shrinkA": 0, "shrinkB": 0}
    )
    ax.text(b[0] + tile, 0.5, f" a tile: 2 Δt = {2 * tile:.2f} s", va="center", fontsize=9)
    covered = sum(end - begin for begin, end in _united(b - tile, b + tile))
    ax.set_title(
        f"$P_A$: {inside.sum()} of {len(a)} events of A lie in a tile of B (thick).   "
        f"$T_B$: tiles cover {covered:.1f} of {SECONDS:.1f} s",
        fontsize=10,
    )
    ax.set_yticks([0, 1], ["events and tiles of B", "events of A"])
    ax.set(xlim=(0, SECONDS), ylim=(-0.45, 1.45), xlabel="time (s)")
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return ax


def _united(begins: np.ndarray, ends: np.ndarray) -> list[tuple[float, float]]:
    """Unite intervals that overlap; both arrays are sorted."""
    united: list[tuple[float, float]] = []
    for begin, end in zip(begins, ends, strict=True):
        if united and begin <= united[-1][1]:
            united[-1] = united[-1][0], end
        else:
            united.append((begin, end))
    return united


def frames_in_reach(ax: Axes, frame: float, tiles: Sequence[float] = (TILE_SECONDS, 0.16)) -> Axes:
    """Draw the tile of one event among imaging frames, and the frames that it reaches, one row for each Δt.

    A tile reaches a frame if it covers the frame's middle, which is the time of the frame's events.

    Parameters
    ----------
    ax : Axes
    frame : float
        Length of a frame in seconds.
    tiles : sequence of float
        Values of Δt in seconds.
    """
    most = int(max(tiles) // frame) + 2
    middles = frame * np.arange(-most, most + 1)
    for row, tile in enumerate(tiles):
        reached = np.abs(middles) <= tile
        for middle, full in zip(middles, reached, strict=True):
            box = [(middle - frame / 2, frame)], (row - 0.34, 0.3)
            ax.broken_barh(*box, facecolor=BLUE if full else "white", edgecolor="0.4", alpha=0.5 if full else 1)
        ax.plot(middles, np.full(len(middles), row - 0.19), ".", color="black", markersize=5)
        ax.broken_barh([(-tile, 2 * tile)], (row + 0.04, 0.26), color=ORANGE, alpha=0.35, linewidth=0)
        ax.vlines(0, row - 0.34, row + 0.34, color="black", linewidth=2.4)
        count = int(reached.sum())
        told = f"tile of {2 * tile:.2f} s\nreaches {count} frame{'s' * (count != 1)}: {count * frame:.2f} s"
        ax.text(middles[-1] + 0.6 * frame, row, told, va="center", fontsize=9)
    ax.set_yticks(range(len(tiles)), [f"Δt = {tile:.2f} s" for tile in tiles])
    ax.set(xlim=(middles[0] - 0.6 * frame, middles[-1] + 3.6 * frame), ylim=(len(tiles) - 0.5, -0.5))
    ax.set_xticks(middles, [f"{middle:.2f}".replace("-", "−") for middle in middles])
    ax.set_xlabel("time from an event of B (s)", x=0.36)
    ax.set_title("boxes: frames, with dots at the times of their events; blue: within the tile (orange)", fontsize=10)
    sns.despine(ax=ax, left=True)
    ax.spines["bottom"].set_bounds(middles[0] - frame / 2, middles[-1] + frame / 2)
    ax.tick_params(axis="y", length=0)
    return ax
