"""Figures and panel of the three decision tasks and their ceilings, for notebook 06."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom

from ..results import ceilings, in_order
from ..tasks import (
    PERCEPTUAL,
    PerceptualDecision,
    Task,
    get_task,
    ideal_answers,
    one_trial,
)
from .panels import TASK_OPTIONS, dropdown, figure_panel, slider
from .style import BLUE, COLOURS, MARKERS, ORANGE, WEIGHT_LABELS, as_text, kind_of

COHERENCE_OPTIONS = (0.0, 1.6, 3.2, *PerceptualDecision().coherences[1:], 75.0, 100.0)
"""Coherences in the panel, in per cent: those of the task, and some smaller and larger ones."""

SIDES = (BLUE, ORANGE)
"""Colours of the two answers of the perceptual decision."""


def shade_phases(task: Task, ax: Axes) -> None:
    """Shade and label the phases of a task along an axis of steps, which are counted from 1."""
    begin = 1
    for place, (name, length) in enumerate(task.phases):
        ax.axvspan(begin - 0.5, begin + length - 0.5, color="0.93" if place % 2 else "0.85", linewidth=0, zorder=0)
        ax.annotate(
            name, (begin + (length - 1) / 2, 1), (0, 3), xycoords=ax.get_xaxis_transform(),
            textcoords="offset points", ha="center", va="bottom", fontsize=8, rotation=0 if length > 3 else 90,
        )  # fmt: skip
        begin += length


def trial_traces(task: Task, inputs: np.ndarray, ax: Axes) -> Axes:
    """Draw the inputs of one trial, one line per channel, with shaded and labelled phases of the task.

    Parameters
    ----------
    task : Task
    inputs : ndarray, shape (steps, inputs)
    ax : Axes
        Steps are counted from 1. The baselines of the channels are 1.5 apart.
    """
    steps = np.arange(1, len(inputs) + 1)
    shade_phases(task, ax)
    bases = -1.5 * np.arange(inputs.shape[1])
    for base, channel, name in zip(bases, inputs.T, task.channels, strict=True):
        colour = SIDES[task.answers.index(name)] if task.name == PERCEPTUAL and name != "fixation" else "0.15"
        ax.axhline(base, color="0.6", linewidth=0.6, zorder=1)
        ax.step(steps, base + channel, where="mid", color=colour, linewidth=1.4)
    ax.axvline(len(inputs) + 0.5, color="black", linewidth=3)
    ax.set_yticks(bases, task.channels)
    ax.set(
        xlim=(0.5, len(inputs) + 0.6),
        xlabel="step (the answer is read after the last)",
        ylabel="input (lines: 1.5 apart)",
    )
    ax.set_ylim(min(bases[-1] - 0.5, (bases + inputs.min(axis=0)).min() - 0.1), max(1.3, inputs[:, 0].max() + 0.1))
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return ax


def running_evidence(inputs: np.ndarray, label: int, coherence: float, ax: Axes) -> Axes:
    """Draw the running sum of channel 1 minus channel 2 over the evidence of one perceptual decision.

    Parameters
    ----------
    inputs : ndarray, shape (steps, 3)
    label : int
        The right answer.
    coherence : float
        In per cent.
    ax : Axes
        A dotted line shows the sum without noise; labels mark the sides of the two answers.
    """
    steps = np.arange(1, len(inputs) + 1)
    counted = np.zeros(len(inputs))
    counted[PerceptualDecision().evidence] = 1  # noise in other steps is not counted
    total = np.cumsum(counted * (inputs[:, 1] - inputs[:, 2]))
    expected = (1 if label == 0 else -1) * coherence / 100 * np.cumsum(counted)
    ax.plot(steps, expected, ":", color="0.35", linewidth=1.6, label="without noise")
    ax.plot(steps, total, color="black", linewidth=1.8, label="this trial")
    limit = max(1.0, 1.15 * np.abs([total, expected]).max())
    for sign, colour, name in zip((1, -1), SIDES, PerceptualDecision.answers, strict=True):
        ax.axhspan(0, sign * limit, color=colour, alpha=0.12, linewidth=0)
        ax.text(1, 0.97 * sign * limit, f" answer: {name}", va="top" if sign > 0 else "bottom", fontsize=9)
    ax.set(xlim=(0.5, len(inputs) + 0.6), ylim=(-limit, limit), xlabel="step", ylabel="sum of channel 1 − channel 2")
    ax.legend(fontsize=8, loc="lower right" if total[-1] > 0 else "upper right")
    sns.despine(ax=ax)
    return ax


def trial_figure(
    task: str = PERCEPTUAL, trial: int = 0, coherence: float = 12.8, noise: float = 0.1, input_noise: float = 0.0
) -> Figure:
    """Draw one trial: its inputs and, for the perceptual decision, the running sum of its evidence.

    Parameters
    ----------
    task : str
    trial : int
        Seed of the trial; see :func:`biornn_lite.tasks.one_trial`.
    coherence, noise : float
        Coherence in per cent and SD of the evidence. Only the perceptual decision uses them.
    input_noise : float
        SD of the noise on each channel at each step.
    """
    chosen = get_task(task)
    inputs, label = one_trial(chosen, trial, coherence, noise, input_noise)
    answer = chosen.answers[label]
    if task != PERCEPTUAL:
        figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
        trial_traces(chosen, inputs, ax)
        figure.suptitle(f"{chosen.title}, trial {trial}: the right answer is {answer}", fontsize=11)
        return figure
    figure, axes = plt.subplots(1, 2, figsize=(13, 4), layout="constrained", gridspec_kw={"width_ratios": [1.3, 1]})
    trial_traces(chosen, inputs, axes[0])
    running_evidence(inputs, label, coherence, axes[1])
    given = int(ideal_answers(inputs[None])[0])
    axes[1].set_title(f"its sign says {chosen.answers[given]}: {'right' if given == label else 'wrong'}", fontsize=10)
    lot = ", drawn by lot" if coherence == 0 else ""
    figure.suptitle(
        f"{chosen.title}, trial {trial}, coherence {coherence:g} %: the right answer is {answer}{lot}", fontsize=11
    )
    return figure


def trial_panel() -> ipw.Widget:
    """Return a panel that shows single trials; see :func:`trial_figure`.

    Coherence and evidence noise belong to the perceptual decision and are disabled for other tasks.
    """
    controls = {
        "task": dropdown("task", TASK_OPTIONS, PERCEPTUAL),
        "trial": ipw.BoundedIntText(0, min=0, max=9999, description="trial", layout={"width": "11em"}),
        "coherence": ipw.SelectionSlider(
            options=[(f"{c:g}", c) for c in COHERENCE_OPTIONS], value=12.8,
            description="coherence (%)", style={"description_width": "initial"}, layout={"width": "28em"},
        ),
        "noise": slider("evidence noise", 0.1, 0.02, 1.0, 0.02, "SD"),
        "input_noise": slider("input noise", 0.0, 0.0, 0.5, 0.01, "SD, each channel"),
    }  # fmt: skip

    def enable(_=None) -> None:
        for name in ("coherence", "noise"):
            controls[name].disabled = controls["task"].value != PERCEPTUAL

    controls["task"].observe(enable, "value")
    return figure_panel(trial_figure, controls)


def accuracy_by_coherence(observed: pd.Series, trials: int, ax: Axes) -> Axes:
    """Draw the best possible accuracy at each coherence: the normal integral, and the results of an observer.

    Parameters
    ----------
    observed : Series
        Index coherence in per cent; from :func:`biornn_lite.tasks.ideal_accuracies`.
    trials : int
        Number of trials per coherence, for error bars of ±2 expected standard errors.
    ax : Axes
    """
    grid = np.linspace(0, 60, 121)
    ax.plot(
        grid,
        [PerceptualDecision(coherences=(c,)).best_ceiling() for c in grid],
        color="0.4",
        linewidth=2,
        label="normal integral",
    )
    expected = np.array([PerceptualDecision(coherences=(c,)).best_ceiling() for c in observed.index])
    errors = 2 * np.sqrt(expected * (1 - expected) / trials)
    ax.errorbar(
        observed.index, observed, yerr=errors, fmt="o", color=COLOURS["functional"], markersize=7, capsize=3,
        label=f"observer, {trials:,} trials each",
    )  # fmt: skip
    ax.axhline(observed.mean(), color=COLOURS["functional"], linestyle="--", linewidth=1.2, label="observer, mean")
    ax.set(xlabel="coherence (%)", ylabel="accuracy", ylim=(0.45, 1.03), xlim=(-2, 60))
    ax.legend(fontsize=8, loc="lower right")
    sns.despine(ax=ax)
    return ax


def accuracy_by_steps(ax: Axes) -> Axes:
    """Draw the best accuracy in the perceptual decision against the number of summed steps of evidence."""
    steps = np.arange(1, PerceptualDecision.evidence_steps + 1)
    best = [PerceptualDecision(evidence_steps=int(k)).best_ceiling() for k in steps]
    ax.plot(steps, best, "o-", color=COLOURS["functional"], markersize=4, label="mean over the five coherences")
    ax.axhline(0.5, color="0.35", linestyle=":", linewidth=1.2, label="no step at all (chance)")
    ax.set(xlabel="steps of evidence summed", ylabel="best accuracy", ylim=(0.45, 1.03), xlim=(0, 31))
    ax.legend(fontsize=8, loc="lower right")
    sns.despine(ax=ax)
    return ax


def medians_between_ceilings(
    ours: pd.Series, published: pd.Series, axes: Sequence[Axes], within: float = 0.02
) -> Sequence[Axes]:
    """Draw median accuracies by variant, one task per Axes, with the ceilings of each task.

    Parameters
    ----------
    ours, published : Series
        Index ``task, variant``. Markers are filled for `ours` and open for `published`. Colour and marker show the
        initial weights.
    axes : sequence of Axes
        One per task of `ours`, in the same order.
    within : float
        Half the width of the band around the ceiling without memory.
    """
    variants = in_order(ours.index.unique("variant"))
    for ax, task in zip(axes, ours.index.unique("task"), strict=True):
        low, high = ceilings(task, "train")
        ax.axvspan(low - within, low + within, color="0.85", linewidth=0, label=f"without memory ±{within:g}")
        ax.axvline(low, color="0.35", linestyle=":", linewidth=1.2)
        ax.axvline(high, color="0.35", linestyle="--", linewidth=1.2, label="best possible")
        for place, variant in enumerate(variants):
            kind = kind_of(variant)
            style = {"color": COLOURS[kind], "marker": MARKERS[kind], "markersize": 7, "linestyle": "none"}
            ax.plot(ours[task, variant], place - 0.14, **style)
            ax.plot(published[task, variant], place + 0.16, **style, markerfacecolor="none")
        ax.set_yticks(range(len(variants)), variants)
        ax.set(ylim=(len(variants) - 0.4, -0.6), xlim=(0.45, 1.03), xlabel="median training accuracy")
        ax.set_title(get_task(task).title, fontsize=10)
        sns.despine(ax=ax)
    handles, _ = axes[-1].get_legend_handles_labels()
    kinds = dict.fromkeys(map(kind_of, variants))
    handles += [
        plt.Line2D([], [], color="0.5", marker="o", markerfacecolor=face, linestyle="none", label=label)
        for face, label in (("0.5", "filled: ours"), ("none", "open: the paper's"))
    ]
    handles += [
        plt.Line2D([], [], color=COLOURS[k], marker=MARKERS[k], linestyle="none", label=WEIGHT_LABELS[k])
        for k in kinds
    ]
    axes[-1].legend(handles=handles, fontsize=11, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return axes


def luck_of_the_draw(shares: Mapping[str, np.ndarray], trials: int, marked: Mapping[str, float], ax: Axes) -> Axes:
    """Draw the share of the more frequent of two answers in draws of trials, with its distribution by chance.

    Parameters
    ----------
    shares : mapping of str to ndarray
        The keys are names for the legend; one share per draw.
    trials : int
        Number of trials in each draw.
    marked : mapping of str to float
        Shares to mark with a line, by name.
    ax : Axes
    """
    count = np.arange(trials // 2 + 1, trials + 1)
    chance = 2 * binom.pmf(count, trials, 0.5)  # either answer may be more frequent; a tie is left out
    kept = chance > chance.max() * 1e-4
    ax.fill_between(count[kept] / trials, chance[kept] / chance.max(), color="0.85", label="chance (binomial)")
    for place, (label, values) in enumerate(shares.items()):
        marker, colour = (("o", COLOURS["functional"]), ("s", COLOURS["orthogonal"]))[place % 2]
        ax.plot(
            values, np.full(len(values), -0.12 - 0.12 * place), marker, color=colour, alpha=0.6, label=as_text(label)
        )
    for label, value in marked.items():
        ax.axvline(
            value, color=COLOURS["relabelled"], linestyle="--", linewidth=1.8, label=f"{as_text(label)}, {value:.4f}"
        )
    ax.set(
        xlabel=f"share of the more frequent answer in {trials:,} trials",
        ylabel="probability (share of largest)\nbelow 0: a point per draw",
    )
    ax.set_yticks([0, 0.5, 1])
    ax.legend(fontsize=8, loc="upper right")
    sns.despine(ax=ax)
    return ax
