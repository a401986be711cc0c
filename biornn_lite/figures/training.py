"""Figures and panels of networks during training, for notebooks 07 and 08."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure

from ..field import CorticalField
from ..priors import Priors
from ..snapshots import Snapshot, histories, watch
from ..tasks import title_of
from ..training import Settings, Trained, trained_by, training_by_batch
from ..variants import PUBLISHED_VARIANTS, Protocol
from .matrices import matrix as draw_matrix
from .panels import AT_ONCE, TASK_OPTIONS, Picture, dropdown, figure_panel, plain, row_of, stoppable
from .study import draw_ceilings
from .style import BLUE, LINES, LONGEST_TITLE, ORANGE, as_text


def _lines(histories: Sequence[Sequence[Snapshot]], ax: Axes, measure: str) -> None:
    for history, line in zip(histories, LINES, strict=False):
        epochs = [snapshot.epoch for snapshot in history]
        values = [getattr(snapshot, measure) for snapshot in history]
        ax.plot(epochs, values, markersize=4, label=as_text(history[0].variant), **line)
    ax.set_xlabel("epoch")
    sns.despine(ax=ax)


def watched_figure(histories: Mapping[str, Sequence[Snapshot]], title: str = "", epochs: int | None = None) -> Figure:
    """Draw the accuracy, loss and penalty of networks during training, and the ratio of the norms of both gradients.

    The pull of ``C*`` is taken off the penalty: as published it is a large number that hardly changes. The title says
    how large.

    Parameters
    ----------
    histories : mapping of str to sequence of Snapshot
        Snapshots of each variant so far; see :func:`biornn_lite.snapshots.histories`.
    title : str
    epochs : int, optional
        Where the axes of epochs end. By default, at the last epoch so far.
    """
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.8), layout="constrained")
    histories = list(histories.values())
    task = histories[0][0].task
    _lines(histories, axes[0], "test_accuracy")
    draw_ceilings(axes[0], task, "test")
    last = epochs or max(snapshot.epoch for history in histories for snapshot in history)
    axes[0].set(ylabel="test accuracy", ylim=(0, 1.04), title=task.title)
    axes[0].legend(fontsize=8, loc="lower right")
    _lines(histories, axes[1], "loss")
    axes[1].set(ylabel="cross-entropy (nats)", title="what the task asks", ylim=(0, None))
    for history, line in zip(histories, LINES, strict=False):
        costs = np.array([snapshot.penalty - snapshot.pull for snapshot in history])
        costs[costs <= 0] = np.nan
        label = as_text(history[0].variant)  # alternative texts name the lines by it
        axes[2].plot([s.epoch for s in history], costs, markersize=4, label=label, **line)
    axes[2].set(xlabel="epoch", ylabel="penalty", yscale="log", title="what the penalty asks" + _taken_off(histories))
    sns.despine(ax=axes[2])
    for history, line in zip(histories, LINES, strict=False):
        ratio = [s.penalty_gradient / s.loss_gradient if s.loss_gradient else np.nan for s in history]
        axes[3].plot([s.epoch for s in history], ratio, markersize=4, label=as_text(history[0].variant), **line)
    axes[3].axhline(1, color="0.4", linewidth=1)
    axes[3].set(xlabel="epoch", ylabel="penalty's gradient / task's", yscale="log")
    axes[3].set_title("who pulls harder (1: both alike)")
    sns.despine(ax=axes[3])
    for ax in axes:
        ax.set_title(ax.get_title(), fontsize=10)
        ax.set_xlim(-0.5, last + 0.5)
        ax.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(as_text(title, LONGEST_TITLE), fontsize=11)
    return figure


def _taken_off(histories: Sequence[Sequence[Snapshot]]) -> str:
    """Say how large the pull of ``C*`` is, for the title of penalties; empty if no network has it."""
    pulls = [snapshot.pull for history in histories for snapshot in history if snapshot.pull]
    if not pulls:
        return ""
    ends = list(dict.fromkeys(f"{end:.3g}" for end in (min(pulls), max(pulls))))
    return f",\nwithout the pull of C* (its value is {' to '.join(ends)})"


def _text(accuracy: float) -> str:
    """Return an accuracy as text; before the first epoch, and after a divergence, there is none."""
    return "no accuracy" if np.isnan(accuracy) else f"{accuracy:.3f}"


def watch_panel(field: CorticalField, settings: Settings | None = None) -> ipw.Widget:
    """Return a panel that trains two variants side by side, redraws after every epoch, and can be stopped.

    See :func:`watched_figure`.
    """
    settings = settings or Settings()

    def steps(variants: tuple[str, str], task: str, seed: int) -> Iterator[Step]:
        yield Step(0, "Preparing two networks …")
        shown: list[dict[str, Snapshot]] = []
        for snapshots in watch(field, variants, task, seed, settings=settings):
            shown.append(snapshots)
            epoch = len(shown) - 1
            told = "; ".join(
                f"<b>{plain(s.variant)}</b> {_text(s.test_accuracy)}, {s.on_the_diagonal:.0%} of Σ|W| on the diagonal"
                for s in snapshots.values()
            )
            title = f"{field.label}, one run of each, seed {seed}"
            figure = watched_figure(histories(shown), title, settings.epochs)
            yield Step(epoch, f"epoch {epoch}: {told}", figure)

    return training_panel(steps, "WD*C", settings.epochs, "Train and watch")


DRAWN = 60
"""Number of connections in the picture of a network's wiring; more hide each other."""

STRENGTHS = LogNorm(1e-4, 1, clip=True)
"""Scale of ``|weight|`` in that picture, the same for all networks and epochs."""

STRENGTH_COLOURS = ListedColormap(plt.get_cmap("Greys")(np.linspace(0.2, 1, 256)))
"""Light to dark; the lightest is still seen on white."""


def wiring(weights: np.ndarray, field: CorticalField, ax: Axes) -> Axes:
    """Draw the strongest connections of a network between the somata of its field, seen face-on.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    field : CorticalField
    ax : Axes
        A line stands for the stronger direction of a pair; there are :data:`DRAWN`, or all pairs if they are fewer.
    """
    strengths = np.abs(weights)
    pairs = np.transpose(np.triu_indices(len(weights), 1))  # (pairs, 2)
    of_pairs = np.maximum(strengths, strengths.T)[tuple(pairs.T)]
    strongest = np.argsort(of_pairs, kind="stable")[-DRAWN:]  # the strongest is drawn last, on top
    shown = of_pairs[strongest]
    places = field.positions[:, [0, 2]]
    widths = 0.4 + 1.2 * STRENGTHS(shown)
    lines = LineCollection(
        places[pairs[strongest]], array=shown, cmap=STRENGTH_COLOURS, norm=STRENGTHS, linewidths=widths, zorder=1
    )
    ax.add_collection(lines)
    ax.scatter(*places.T, s=18, color=BLUE, zorder=2)
    ax.figure.colorbar(lines, ax=ax, label="|weight|, log scale", shrink=0.8)
    ax.set(xlabel="x (µm)", ylabel="z (µm)", aspect="equal")
    ax.set_title(
        f"the {len(shown)} strongest connections: |weight| {shown.min():.1g} to {shown.max():.1g}", fontsize=10
    )
    sns.despine(ax=ax)
    return ax


def weights_histogram(weights: np.ndarray, ax: Axes, limit: float) -> Axes:
    """Draw histograms of the weights on and off the diagonal.

    Parameters
    ----------
    weights : ndarray, shape (N, N)
    ax : Axes
    limit : float
        The axis extends from −limit to limit. Values beyond it are counted in the last bins.
    """
    diagonal = np.eye(len(weights), dtype=bool)
    bins = np.linspace(-limit, limit, 41)
    inside = np.clip(weights, -limit, limit)
    ax.hist(inside[~diagonal], bins, color=BLUE, alpha=0.7, label="off the diagonal")
    ax.hist(inside[diagonal], bins, color=ORANGE, histtype="step", linewidth=2, label="diagonal")
    ax.set(yscale="log", xlabel="weight", ylabel="connections", ylim=(0.7, None))
    strengths = np.abs(weights)
    ax.set_title(
        f"{np.trace(strengths) / strengths.sum():.0%} of Σ|W| = {strengths.sum():.0f} on the diagonal", fontsize=10
    )
    ax.legend(fontsize=8)
    sns.despine(ax=ax)
    return ax


def network_figure(history: Sequence[Snapshot], epoch: int, field: CorticalField) -> Figure:
    """Draw a network after an epoch as a matrix, a graph in its field, and a histogram of weights.

    Parameters
    ----------
    history : sequence of Snapshot
        Snapshots of one network, from epoch 0.
    epoch : int
    field : CorticalField
    """
    snapshot = history[epoch]
    limit = max(0.05, max(np.abs(s.weights).max() for s in history))
    figure = plt.figure(figsize=(14, 3.9))  # fixed positions are faster than an automatic layout
    matrix, graph, histogram = (
        figure.add_axes((left, 0.13, width, 0.73)) for left, width in ((0.04, 0.26), (0.375, 0.37), (0.79, 0.2))
    )
    draw_matrix(snapshot.weights, matrix, "weights", "weight", limit=min(limit, 0.2))
    wiring(snapshot.weights, field, graph)
    weights_histogram(snapshot.weights, histogram, limit)
    reached = "" if np.isnan(snapshot.test_accuracy) else f", test accuracy {snapshot.test_accuracy:.3f}"
    figure.suptitle(f"{snapshot.variant} on {snapshot.task.title}, epoch {epoch}{reached}", fontsize=11)
    return figure


def network_panel(histories: Mapping[str, Sequence[Snapshot]], field: CorticalField) -> ipw.Widget:
    """Return a panel that shows the epochs of trained networks; see :func:`network_figure`.

    Parameters
    ----------
    histories : mapping of str to sequences of Snapshot
        The keys are names for the list of networks. All have the same number of epochs.
    field : CorticalField
    """
    last = min(map(len, histories.values())) - 1
    controls = {
        "network": dropdown("network", list(histories), next(iter(histories))),
        "epoch": ipw.IntSlider(0, min=0, max=last, description="epoch", layout={"width": "26em"}),
    }
    return figure_panel(lambda network, epoch: network_figure(histories[network], epoch, field), controls)


def learning(trained: Sequence[Trained], labels: Sequence[str], task: str, ax: Axes) -> Axes:
    """Draw the test accuracy of some networks over epochs, with the task's ceilings.

    Parameters
    ----------
    trained : sequence of Trained
    labels : sequence of str
    task : str
    ax : Axes
    """
    for network, label, line in zip(trained, labels, LINES, strict=False):
        epochs = np.arange(1, len(network.test_accuracy) + 1)
        note = " (diverged)" if network.diverged else ""
        ax.plot(epochs, network.test_accuracy, label=as_text(label) + note, markersize=5, **line)
    draw_ceilings(ax, task, "test")
    ax.set_xlabel("epoch (40 batches of 128 trials)")
    ax.set_ylabel("test accuracy")
    ax.set_ylim(0, 1.04)
    ax.set_title(title_of(task))
    ax.legend(loc="lower right", fontsize=8)
    sns.despine(ax=ax)
    return ax


def two_variants_figure(
    trained: Sequence[Trained], variants: tuple[str, str], task: str, field: CorticalField
) -> Figure:
    """Draw the learning curves of two variants, and their trained recurrent weights."""
    figure, axes = plt.subplots(
        1, 3, figsize=(13, 4), layout="constrained", gridspec_kw={"width_ratios": [1.25, 1, 1]}
    )
    learning(trained, variants, task, axes[0])
    for ax, network, variant in zip(axes[1:], trained, variants, strict=True):
        if network.diverged:
            ax.set_axis_off()
            ax.text(0.5, 0.5, f"{variant} diverged", ha="center", va="center")
        else:
            draw_matrix(network.weights, ax, f"{variant}: weights after training", "weight", limit=0.2)
    figure.suptitle(f"{as_text(field.label)}, one run of each", fontsize=11)
    return figure


class Step(NamedTuple):
    """State of a panel during training.

    Attributes
    ----------
    epoch : float
        Number of finished epochs, with the finished part of the current one.
    status : str
        Status as HTML; external text must pass through :func:`biornn_lite.figures.panels.plain`.
    figure : Figure or None
        None keeps the current figure.
    """

    epoch: float
    status: str
    figure: Figure | None = None


def training_panel(
    steps: Callable[..., Iterator[Step]],
    second: str,
    epochs: int,
    button: str,
    more: Mapping[str, ipw.ValueWidget] | None = None,
) -> ipw.Widget:
    """Return a panel to select two variants, a task and a seed, and to start and stop the training of both.

    Parameters
    ----------
    steps : callable
        Takes the variants, the task and the seed, and the values of `more` by name; each iteration continues the
        training.
    second : str
        Initial choice of the second variant; that of the first is W*D*C*.
    epochs : int
        Maximum number of epochs.
    button : str
        Text on the start button.
    more : mapping of str to widget, optional
        Further controls.
    """
    more = more or {}
    variants = [dropdown("first", PUBLISHED_VARIANTS, "W*D*C*"), dropdown("second", PUBLISHED_VARIANTS, second)]
    task = dropdown("task", TASK_OPTIONS, "go_nogo")
    seed = ipw.BoundedIntText(description="seed", value=1, min=0, max=9999, layout={"width": "12em"})
    bar = ipw.FloatProgress(min=0, max=epochs, description="epochs")
    status = ipw.HTML("Pick two variants and a task.")
    picture = Picture()

    def work() -> Iterator[None]:
        values, before = {name: control.value for name, control in more.items()}, picture.value
        for step in steps((variants[0].value, variants[1].value), task.value, seed.value, **values):
            bar.value, status.value = step.epoch, step.status
            if step.figure is not None:
                picture.show(step.figure)
            elif before and picture.value == before:
                status.value += " (The figure below is still that of the run before.)"
            yield

    buttons = stoppable(work, status, button)
    row = row_of([*variants, task, *more.values(), seed])
    return ipw.VBox([row, row_of([*buttons, bar]), status, picture])


def two_variants_panel(
    field: CorticalField, settings: Settings | None = None, beside: Sequence[CorticalField] = ()
) -> ipw.Widget:
    """Return a panel to select two variants and a task, and to train both; see :func:`two_variants_figure`.

    The diagonal of the starts ``W*`` and ``W!`` can be kept, removed, or be all that is left of them, as with
    :class:`biornn_lite.weights.Functional`. An orthogonal start ``W`` is not changed.

    Parameters
    ----------
    field : CorticalField
    settings : Settings, optional
    beside : sequence of CorticalField
        Other fields to choose from.
    """
    settings = settings or Settings()
    fields = {each.label: each for each in (field, *beside)}
    more = {"diagonal": dropdown("diagonal", ("kept", "removed", "only"), "kept")}
    if beside:
        more["label"] = dropdown("field", list(fields), field.label)

    def steps(
        variants: tuple[str, str], task: str, seed: int, diagonal: str, label: str = field.label
    ) -> Iterator[Step]:
        told = f"Training {plain(' and '.join(variants))} …"
        yield Step(0, told)
        epoch = None
        starts = Priors(fields[label], Protocol(self_connections=diagonal)).starts(variants, seed)
        batches, shown = 0, time.monotonic()
        for state in training_by_batch(starts, task, seed, settings):
            batches += state is None
            epoch = state or epoch
            if state or time.monotonic() - shown > AT_ONCE:  # each step gives some time to other clicks
                yield Step(batches / settings.batches, told)
                shown = time.monotonic()
        trained = trained_by(epoch)
        reached = "; ".join(
            f"<b>{plain(variant)}</b> " + ("diverged" if t.diverged else f"{t.test_accuracy[-1]:.3f}")
            for variant, t in zip(variants, trained, strict=True)
        )
        told = f"{reached} test accuracy on {plain(title_of(task))}, in one run with seed {seed}"
        told += f"; field {plain(label)}; diagonal of W* and W!: {diagonal}."
        yield Step(epoch.number, told, two_variants_figure(trained, variants, task, fields[label]))

    return training_panel(steps, "WD*C*", settings.epochs, "Train both", more)
