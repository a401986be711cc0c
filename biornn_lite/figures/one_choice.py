"""Figures and panel of one choice turned at a time, in the audit's rows and in a live run, for notebook 11.

The panel and :func:`choice_figure` load the shipped rows if they get none, when they first draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..audit import TURNED, reached
from ..datasets import EMBEDDED, load_field
from ..errors import InputError
from ..field import CorticalField
from ..priors import Priors
from ..replication import load_replication
from ..results import in_order
from ..tasks import title_of
from ..training import Settings, training
from ..variants import PROTOCOLS, describe_choices
from ..verdict import with_gain
from .audit_parts import draw_interval, handle, in_words, rows_of_study, split_setting, wilson
from .panels import TASK_OPTIONS, dropdown, figure_panel, plain, row_of, stoppable
from .study import draw_ceilings
from .style import COLOURS, DARK, MARKERS, as_text, kind_of

LIVE_EPOCHS = 4
"""Epochs of the live run."""

_SIDES = ("published", "turned")


@cache
def _published() -> pd.DataFrame:
    """Rows of the shipped study that turned choices are compared with."""
    return with_gain(load_replication("5_3_4").networks)


def live_variant(setting: str) -> str:
    """Return the variant of the live run: ``W*D*C*``, or the first one that the choice reaches."""
    variants = reached(setting)
    return "W*D*C*" if "W*D*C*" in variants else variants[0]


def live_run(
    setting: str, task: str, seed: int = 0, settings: Settings | None = None, field: CorticalField | None = None
) -> Iterator[dict[str, list[float]]]:
    """Train one variant as published and with one choice turned, side by side on the same trials.

    Parameters
    ----------
    setting : str
        One of :data:`biornn_lite.audit.TURNED`.
    task : str
    seed : int
    settings : Settings, optional
        Default: four epochs.
    field : CorticalField, optional
        Default: the synthetic embedded field.

    Yields
    ------
    dict of str to list of float
        Test accuracy after each epoch so far, for ``published`` and ``turned``; NaN from the epoch in which a
        network diverged. Training stops when the iterator is no longer used.
    """
    settings = settings or Settings(epochs=LIVE_EPOCHS)
    field = load_field(EMBEDDED) if field is None else field
    protocols = PROTOCOLS["published"], PROTOCOLS["published"].choose([setting])
    starts = [Priors(field, protocol).start(live_variant(setting), seed) for protocol in protocols]
    for epoch in training(starts, task, seed, settings):
        accuracies = epoch.history.test_accuracy[:, : epoch.number]
        yield {side: list(map(float, row)) for side, row in zip(_SIDES, accuracies, strict=True)}


def turned_shares(setting: str, task: str, ax: Axes, networks: pd.DataFrame | None = None) -> Axes:
    """Draw the share of runs that learn for each variant that a choice reaches, as published and with it turned.

    Parameters
    ----------
    setting : str
        One of :data:`biornn_lite.audit.TURNED`.
    task : str
    ax : Axes
    networks : DataFrame, optional
        Rows of the audit. Default: the shipped ones. The published side are the same runs of the shipped
        replication of 5_3_4.
    """
    rows = rows_of_study(networks, "choices")
    turned = rows[(rows["part"] == setting) & (rows["task"] == task)]
    if turned.empty:
        raise InputError(f"no rows of the study choices with {setting} and task {task}")
    published = _published()
    published = published[(published["task"] == task) & published["seed"].isin(turned["seed"])]
    variants = in_order(turned["variant"])
    for place, variant in enumerate(variants):
        look = {"color": COLOURS[kind_of(variant)], "marker": MARKERS[kind_of(variant)], "markersize": 8}
        for side, offset, filled in ((published, -0.13, False), (turned, 0.13, True)):
            learns = side.loc[side["variant"] == variant, "learns"]
            if len(learns):
                style = look | ({} if filled else {"markerfacecolor": "white"})
                draw_interval(ax, *wilson(learns), place + offset, upright=True, linewidth=1.5, **style)
    runs = turned["seed"].nunique()
    middle, half = (len(variants) - 1) / 2, max(len(variants), 4) / 2
    ax.set_xticks(range(len(variants)), list(map(as_text, variants)), rotation=45 if len(variants) > 5 else 0)
    ax.set_xlim(middle - half - 0.1, middle + half + 0.1)
    ax.set_ylim(-0.04, 1.04)
    ax.set_ylabel("share of runs that learn (95 % interval)")
    ax.set_title(f"{title_of(task)}\nfield 5_3_4, {runs} {'run' if runs == 1 else 'runs'} of each", fontsize=10)
    sns.despine(ax=ax)
    return ax


def live_accuracy(
    setting: str, task: str, ax: Axes, live: Mapping[str, Sequence[float]] | None = None, epochs: int = LIVE_EPOCHS
) -> Axes:
    """Draw the test accuracy of a live run over its epochs so far, with the task's ceilings.

    Parameters
    ----------
    setting, task : str
        As in :func:`live_run`.
    ax : Axes
    live : mapping of str to sequence of float, optional
        What :func:`live_run` yields. Default: nothing yet.
    epochs : int
    """
    variant = live_variant(setting)
    look = {"color": COLOURS[kind_of(variant)], "marker": MARKERS[kind_of(variant)], "markersize": 8}
    ring = {"linestyle": "--", "markerfacecolor": "none", "markersize": 12}  # seen around a marker at the same place
    for side, style in zip(_SIDES, (ring, {"linestyle": "-"}), strict=True):
        accuracy = (live or {}).get(side, [])
        note = " (diverged)" if np.isnan(accuracy).any() else ""
        ax.plot(range(1, len(accuracy) + 1), accuracy, label=side + note, linewidth=2, **look | style)
    draw_ceilings(ax, task, "test")
    ax.set(xlim=(0.5, epochs + 0.5), ylim=(0, 1.04), xlabel="epoch", ylabel="test accuracy")
    ax.set_xticks(range(1, epochs + 1))
    ax.set_title(f"{title_of(task)}, {variant}\nlive on {EMBEDDED}, one run of each", fontsize=10)
    if not live:
        ax.text(0.5, 0.62, "not run yet", transform=ax.transAxes, ha="center", color="0.4", fontsize=9)
    ax.legend(loc="lower right", fontsize=8)
    sns.despine(ax=ax)
    return ax


def choice_figure(
    setting: str,
    task: str,
    networks: pd.DataFrame | None = None,
    live: Mapping[str, Sequence[float]] | None = None,
    epochs: int = LIVE_EPOCHS,
) -> Figure:
    """Draw what one choice changes: :func:`turned_shares` at the left, :func:`live_accuracy` at the right.

    Parameters
    ----------
    setting : str
        One of :data:`biornn_lite.audit.TURNED`.
    task : str
    networks : DataFrame, optional
    live : mapping of str to sequence of float, optional
    epochs : int
    """
    if setting not in TURNED:
        raise InputError(f"no turned choice {setting!r}; there are {', '.join(TURNED)}")
    figure = plt.figure(figsize=(10.6, 4.1))  # fixed positions are faster than an automatic layout
    left, right = figure.add_axes((0.07, 0.22, 0.5, 0.66)), figure.add_axes((0.66, 0.22, 0.33, 0.66))
    turned_shares(setting, task, left, networks)
    live_accuracy(setting, task, right, live, epochs)
    _, published, value = split_setting(setting)
    handles = [
        handle(f"published: {in_words(published)}", color=DARK, marker="o", markersize=8, markerfacecolor="white"),
        handle(f"turned: {in_words(value)}", color=DARK, marker="o", markersize=8),
    ]
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.06, 0), ncols=2, frameon=False, fontsize=9)
    return figure


def _choice_option(setting: str) -> str:
    """Label of a turned choice in the panel, which says whether the new value is the sound one."""
    choice, published, value = split_setting(setting)
    sound = "sound " if value == getattr(PROTOCOLS["sound"], choice) else ""
    return f"{in_words(choice)}: published {in_words(published)} → {sound}{in_words(value)}"


def choice_panel(networks: pd.DataFrame | None = None, settings: Settings | None = None) -> ipw.Widget:
    """Return a panel to turn one choice at a time, and to train one network of each side; see :func:`choice_figure`.

    Parameters
    ----------
    networks : DataFrame, optional
        Rows of the audit. Default: the shipped ones.
    settings : Settings, optional
        Of the live run. Default: four epochs.
    """
    settings = settings or Settings(epochs=LIVE_EPOCHS)
    meanings = {row["choice"]: row["meaning"] for row in describe_choices()}
    live: dict[tuple[str, str], dict[str, list[float]]] = {}  # the latest run alone
    controls = {
        "setting": dropdown("choice", [(_choice_option(setting), setting) for setting in TURNED], TURNED[0]),
        "task": dropdown("task", TASK_OPTIONS, "go_nogo"),
        "epoch": ipw.IntProgress(min=0, max=settings.epochs, description="epochs"),
    }
    setting, task, bar = controls.values()
    meaning, status = ipw.HTML(), ipw.HTML()

    @cache
    def rows() -> pd.DataFrame:
        return rows_of_study(networks, "choices")

    def draw(setting: str, task: str, epoch: int) -> Figure:
        return choice_figure(setting, task, rows(), live.get((setting, task)), settings.epochs)

    def work() -> Iterator[None]:
        chosen = setting.value, task.value
        live.clear()
        bar.value = 0
        status.value = f"Training {plain(live_variant(chosen[0]))} as published and turned …"
        yield
        for accuracies in live_run(*chosen, settings=settings):
            live[chosen] = accuracies
            bar.value = len(accuracies["published"])  # redraws
            yield
        last = {side: accuracy[-1] for side, accuracy in accuracies.items()}
        told = ", ".join(
            f"{side} {'diverged' if np.isnan(value) else f'{value:.3f}'}" for side, value in last.items()
        )
        status.value = f"After {bar.value} {'epoch' if bar.value == 1 else 'epochs'}: {told}."

    start, stop = stoppable(work, status, "Train both")

    def turn(_=None) -> None:
        meaning.value = plain(meanings[setting.value.partition("=")[0]])
        if not stop.disabled:
            stop.click()
        elif live and (setting.value, task.value) not in live:
            status.value = ""

    for control in (setting, task):
        control.observe(turn, "value")
    turn()
    panel = figure_panel(draw, controls)
    row, message, image = panel.children
    return ipw.VBox([row, meaning, row_of([start, stop]), message, status, image])
