"""Figures and panels of networks while they learn, for notebooks 07 and 08."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from . import plots
from .field import CorticalField
from .tasks import TASKS
from .topology import STRONGEST, strongest_graph
from .training import Settings
from .watching import Snapshot, watch
from .widgets import Step, dropdown, figure_panel, plain, training_panel

STYLES = (("o-", "#0173b2"), ("s--", "#cc78bc"), ("^:", "#444444"), ("D-.", "#029e73"))


def _lines(histories: Sequence[Sequence[Snapshot]], ax: Axes, measure: str) -> None:
    for history, (style, colour) in zip(histories, STYLES, strict=False):
        epochs = [snapshot.epoch for snapshot in history]
        values = [getattr(snapshot, measure) for snapshot in history]
        ax.plot(epochs, values, style, color=colour, markersize=4, label=history[0].variant)
    ax.set_xlabel("epoch")
    sns.despine(ax=ax)


def watched_figure(histories: Sequence[Sequence[Snapshot]], title: str = "") -> Figure:
    """Draw how networks learn, what their loss and penalty are, and how hard each of these pulls.

    Parameters
    ----------
    histories : sequence of sequences of Snapshot
        Per network, its snapshots so far.
    title : str
    """
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.8), layout="constrained")
    task = histories[0][0].task
    _lines(histories, axes[0], "test_accuracy")
    plots.draw_ceilings(axes[0], task, "test")
    last = max(snapshot.epoch for history in histories for snapshot in history)
    axes[0].set(ylabel="test accuracy", ylim=(0, 1.04), xlim=(-0.5, last + 0.5), title=TASKS[task].title)
    axes[0].legend(fontsize=8, loc="lower right")
    _lines(histories, axes[1], "loss")
    axes[1].set(ylabel="cross-entropy (nats)", title="what the task asks", ylim=(0, None))
    _lines(histories, axes[2], "penalty")
    axes[2].set(ylabel="penalty", yscale="log", title="what the penalty asks")
    for history, (style, colour) in zip(histories, STYLES, strict=False):
        ratio = [s.penalty_gradient / s.loss_gradient if s.loss_gradient else np.nan for s in history]
        axes[3].plot([s.epoch for s in history], ratio, style, color=colour, markersize=4)
    axes[3].axhline(1, color="0.4", linewidth=1)
    axes[3].set(xlabel="epoch", ylabel="penalty's gradient / task's", yscale="log")
    axes[3].set_title("who pulls harder (1: both alike)")
    sns.despine(ax=axes[3])
    for ax in axes:
        ax.set_title(ax.get_title(), fontsize=10)
        ax.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(plots.as_text(title, plots.LONGEST_TITLE), fontsize=11)
    return figure


def watch_panel(field: CorticalField, settings: Settings | None = None) -> ipw.Widget:
    """Return a panel that trains two variants side by side, draws after every epoch, and can be stopped.

    See :func:`watched_figure`.
    """
    settings = settings or Settings()

    def steps(variants: tuple[str, str], task: str, seed: int) -> Iterator[Step]:
        histories: list[list[Snapshot]] = [[], []]
        for snapshots in watch(field, variants, task, seed, settings=settings):
            for history, snapshot in zip(histories, snapshots, strict=True):
                history.append(snapshot)
            epoch = snapshots[0].epoch
            told = "; ".join(
                f"<b>{plain(s.variant)}</b> {s.test_accuracy:.3f}, {s.on_the_diagonal:.0%} of Σ|W| on the diagonal"
                for s in snapshots
            )
            figure = watched_figure(histories, f"{field.label}, one run of each, seed {seed}")
            yield Step(epoch, f"epoch {epoch}: {told}", figure)

    return training_panel(steps, "WD*C", settings.epochs, "Train and watch")


def wiring(weights: np.ndarray, field: CorticalField, ax: Axes) -> Axes:
    """Draw the strongest connections of a network between the somata of its field, seen face-on.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    field : CorticalField
    ax : Axes
    """
    graph = strongest_graph(weights)
    ends = np.argwhere(np.triu(graph))  # (edges, 2)
    places = field.positions[:, [0, 2]]
    ax.add_collection(LineCollection(places[ends], colors="0.6", linewidths=0.6, zorder=1))
    dots = ax.scatter(
        *places.T, c=graph.sum(axis=1), cmap="cividis_r", s=22, zorder=2, edgecolors="0.5", linewidths=0.4
    )
    ax.figure.colorbar(dots, ax=ax, label="degree", shrink=0.8)
    ax.set(xlabel="x (µm)", ylabel="z (µm)", aspect="equal")
    ax.set_title(f"strongest {STRONGEST:.0%} of |W|: {len(ends)} edges", fontsize=10)
    sns.despine(ax=ax)
    return ax


def weights_histogram(weights: np.ndarray, ax: Axes, limit: float) -> Axes:
    """Draw how the weights are distributed: on the diagonal, and off it.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    ax : Axes
    limit : float
        The axis reaches from −limit to limit; what lies beyond is counted in the last bins.
    """
    diagonal = np.eye(len(weights), dtype=bool)
    bins = np.linspace(-limit, limit, 41)
    inside = np.clip(weights, -limit, limit)
    ax.hist(inside[~diagonal], bins, color="#0173b2", alpha=0.7, label="off the diagonal")
    ax.hist(inside[diagonal], bins, color="#de8f05", histtype="step", linewidth=2, label="diagonal")
    ax.set(yscale="log", xlabel="weight", ylabel="connections", ylim=(0.7, None))
    strengths = np.abs(weights)
    ax.set_title(
        f"{np.trace(strengths) / strengths.sum():.0%} of Σ|W| = {strengths.sum():.0f} on the diagonal", fontsize=10
    )
    ax.legend(fontsize=8)
    sns.despine(ax=ax)
    return ax


def network_figure(history: Sequence[Snapshot], epoch: int, field: CorticalField) -> Figure:
    """Draw a network after an epoch as a matrix, as a graph in its field, and as a histogram of weights.

    Parameters
    ----------
    history : sequence of Snapshot
        Of one network, from epoch 0.
    epoch : int
    field : CorticalField
    """
    snapshot = history[epoch]
    limit = max(0.05, max(np.abs(s.weights).max() for s in history))
    figure = plt.figure(figsize=(14, 3.9))  # placed by hand, which is faster than a layout that is worked out
    matrix, graph, histogram = (
        figure.add_axes((left, 0.13, width, 0.73)) for left, width in ((0.04, 0.26), (0.375, 0.37), (0.79, 0.2))
    )
    plots.matrix(snapshot.weights, matrix, "weights", "weight", limit=min(limit, 0.2))
    wiring(snapshot.weights, field, graph)
    weights_histogram(snapshot.weights, histogram, limit)
    reached = "" if np.isnan(snapshot.test_accuracy) else f", test accuracy {snapshot.test_accuracy:.3f}"
    figure.suptitle(f"{snapshot.variant} on {TASKS[snapshot.task].title}, epoch {epoch}{reached}", fontsize=11)
    return figure


def network_panel(histories: Mapping[str, Sequence[Snapshot]], field: CorticalField) -> ipw.Widget:
    """Return a panel in which to go through the epochs of trained networks; see :func:`network_figure`.

    Parameters
    ----------
    histories : mapping of str to sequences of Snapshot
        By what the list of networks calls them; all of as many epochs.
    field : CorticalField
    """
    last = min(map(len, histories.values())) - 1
    controls = {
        "network": dropdown("network", list(histories), next(iter(histories))),
        "epoch": ipw.IntSlider(0, min=0, max=last, description="epoch", layout={"width": "26em"}),
    }
    return figure_panel(lambda network, epoch: network_figure(histories[network], epoch, field), controls)
