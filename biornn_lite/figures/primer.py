"""Figures of a network of two units, and the panel that steps it, for notebook 00b."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as ipw
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

from ..network import Networks
from .drawn import LEFT_OUT, say
from .panels import figure_panel, slider
from .style import BLUE, DARK, LINES, ORANGE, as_text

CHANNELS = ("A", "B")
"""Names of the two input channels; channel A reaches unit 0 and channel B reaches unit 1."""

LAST = 12
"""Last step of a trial in the panel."""

_PLACES = ((0.0, 0.0), (2.6, 0.0))  # of the two units
_RADIUS = 0.5


def states_after_flash(weights: np.ndarray, channel: int, steps: int = LAST, bias: float = 0.0) -> np.ndarray:
    """States of two units that see a flash of size 1 in step 1 and nothing afterwards.

    Parameters
    ----------
    weights : array, shape (2, 2)
        ``weights[i, j]`` from unit i to unit j.
    channel : int
        0 for A, which reaches unit 0; 1 for B, which reaches unit 1.
    steps : int
    bias : float
        Of both units.

    Returns
    -------
    ndarray, shape (steps + 1, 2)
        The first row is the state before the first step, which is 0.
    """
    networks = Networks([weights], [np.eye(2)], [np.eye(2)])  # one network
    with torch.no_grad():
        networks.b.fill_(bias)
    flash = torch.zeros(1, steps, 2)  # (trials, steps, channels)
    flash[0, 0, channel] = 1
    states = networks.single().activity(flash)[0].numpy()  # (steps, 2)
    return np.concatenate([np.zeros((1, 2)), states])


def diagram(weights: np.ndarray, states: np.ndarray, ax: Axes) -> Axes:
    """Draw two units as circles, filled by their states, and their four weights as arrows.

    Positive weights have a solid line with an arrowhead, negative ones a dashed line with a bar, and 0 a dotted line.

    Parameters
    ----------
    weights : ndarray, shape (2, 2)
    states : ndarray, shape (2,)
    ax : Axes
    """
    fill = plt.get_cmap("Greys")
    for unit, (x, y) in enumerate(_PLACES):
        shade = min(1.0, states[unit])
        ax.add_patch(Circle((x, y), _RADIUS, facecolor=fill(0.7 * shade), edgecolor="0.3", linewidth=1.5, zorder=2))
        colour = "white" if shade > 0.7 else "black"
        ax.text(x, y, f"unit {unit}\n{states[unit]:.2f}", ha="center", va="center", color=colour, zorder=3)
    (x0, _), (x1, _) = _PLACES
    beside = _RADIUS + 0.08
    arrows = {  # from where, to where, how curved, and where the number stands
        (0, 0): ((x0 - 0.3, 0.45), (x0 + 0.3, 0.45), -1.7, (x0, 1.22)),
        (1, 1): ((x1 - 0.3, 0.45), (x1 + 0.3, 0.45), -1.7, (x1, 1.22)),
        (0, 1): ((x0 + beside, 0.15), (x1 - beside, 0.15), -0.25, ((x0 + x1) / 2, 0.62)),
        (1, 0): ((x1 - beside, -0.15), (x0 + beside, -0.15), -0.25, ((x0 + x1) / 2, -0.62)),
    }
    for (sender, receiver), (start, end, rad, place) in arrows.items():
        weight = weights[sender, receiver]
        colour, line, head = _look(weight)
        arrow = FancyArrowPatch(
            start, end, connectionstyle=f"arc3,rad={rad}", arrowstyle=head, linestyle=line, color=colour,
            linewidth=1 + 1.5 * min(1.5, abs(weight)), mutation_scale=14, zorder=1,
        )  # fmt: skip
        ax.add_patch(arrow)
        ax.text(*place, f"{weight:.2g}", ha="center", va="center", color=colour, fontweight="bold")
    ax.set(xlim=(-0.9, 3.5), ylim=(-1.0, 1.6), aspect="equal")
    ax.set_axis_off()
    told = [f"{i} to {j} {weights[i, j]:.2g}" for i, j in np.ndindex(2, 2)]
    say(ax, f"states: unit 0 {states[0]:.2f}, unit 1 {states[1]:.2f}; weights: {', '.join(told)}".replace("-", "−"))
    return ax


def _look(weight: float) -> tuple[str, str, str]:
    """Colour, line and head of the arrow of a weight."""
    if weight == 0:
        return "0.6", ":", "-"
    return (BLUE, "-", "-|>") if weight > 0 else (ORANGE, "--", "-[,widthB=0.35,lengthB=0.0")


def state_curves(states: np.ndarray, ax: Axes, step: int | None = None) -> Axes:
    """Draw the states of two units over steps; those after `step` are pale.

    Parameters
    ----------
    states : ndarray, shape (steps + 1, 2)
        As returned by :func:`states_after_flash`.
    ax : Axes
    step : int, optional
        Default: the last step.
    """
    step = len(states) - 1 if step is None else step
    for unit, line in zip(range(2), LINES, strict=False):
        if step < len(states) - 1:
            later = np.arange(step, len(states))
            ax.plot(later, states[later, unit], markersize=5, alpha=0.2, label=LEFT_OUT, **line)
        ax.plot(states[: step + 1, unit], markersize=5, label=f"unit {unit}", **line)
    ax.set(xlabel="step t", ylabel="state $h_t$", ylim=(-0.05, max(1.2, 1.2 * states.max())))
    ax.xaxis.get_major_locator().set_params(integer=True)
    sns.despine(ax=ax)
    return ax


def arithmetic(weights: np.ndarray, states: np.ndarray, step: int, channel: int, bias: float = 0.0) -> str:
    """Write out how both states of a step come from those of the step before, line by line.

    Parameters
    ----------
    weights : ndarray, shape (2, 2)
    states : ndarray, shape (steps + 1, 2)
        As returned by :func:`states_after_flash`.
    step : int
        From 1.
    channel : int
        The channel of the flash in step 1.
    bias : float
    """
    before, lines = states[step - 1], []
    for unit in range(2):
        shown = float(step == 1 and channel == unit)
        parts = before * weights[:, unit]  # (2,)
        total = shown + parts.sum() + bias
        terms = [("  input", shown)]
        terms += [(f"+ unit {i}: {_short(before[i]):>6} × {weights[i, unit]:5.2f}", parts[i]) for i in range(2)]
        terms += [("+ bias", bias), ("= sum", total), ("  relu(sum)", max(total, 0.0))]
        lines += [f"unit {unit} in step {step}", *(f"{term:26}{_short(value):>8}" for term, value in terms), ""]
    return "\n".join(lines[:-1]).replace("-", "−")


def _short(value: float) -> str:
    """Write a number in at most seven characters: a state that doubles for twelve steps is large."""
    text = f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return "0.00" if text == "-0.00" else text


def _in_a_line(weights: np.ndarray, states: np.ndarray, step: int, channel: int, bias: float) -> str:
    """Say what :func:`arithmetic` writes."""
    before, told = states[step - 1], []
    for unit in range(2):
        shown = float(step == 1 and channel == unit)
        total = shown + before @ weights[:, unit] + bias
        terms = [f"{shown:.3g} (input)", *(f"{before[i]:.2f} × {weights[i, unit]:.2g}" for i in range(2))]
        terms += [f"{bias:.2g}"] if bias else []
        told.append(f"unit {unit}: {' + '.join(terms)} = {total + 0.0:.2f}, relu {max(total, 0.0):.2f}")
    return f"sums in step {step}; {'; '.join(told)}".replace("-", "−")


def two_units_figure(weights: np.ndarray, channel: int = 0, step: int = 3, bias: float = 0.0) -> Figure:
    """Draw a network of two units in one step of a trial: units and weights, states so far, and the arithmetic.

    Parameters
    ----------
    weights : array, shape (2, 2)
        ``weights[i, j]`` from unit i to unit j.
    channel : int
        The channel of the flash in step 1: 0 for A, 1 for B.
    step : int
        From 1 to :data:`LAST`.
    bias : float
        Of both units.
    """
    weights = np.asarray(weights, dtype=float)
    states = states_after_flash(weights, channel, LAST, bias)
    figure, axes = plt.subplots(
        1, 3, figsize=(13, 4.1), layout="constrained", gridspec_kw={"width_ratios": [1.15, 1.2, 1]}
    )
    diagram(weights, states[step], axes[0])
    axes[0].set_title(f"states after step {step}", fontsize=10)
    state_curves(states, axes[1], step)
    axes[1].axvline(step, color="0.7", linewidth=1, zorder=0)
    axes[1].set_title(f"flash on channel {CHANNELS[channel]} in step 1", fontsize=10)
    axes[1].legend(fontsize=9, loc="upper right", ncols=2)
    axes[2].set_axis_off()
    told = arithmetic(weights, states, step, channel, bias)
    say(axes[2], _in_a_line(weights, states, step, channel, bias))
    axes[2].text(0.04, 0.97, told, family="monospace", fontsize=9.5, va="top", transform=axes[2].transAxes)
    return figure


def two_units_panel(weights: np.ndarray) -> ipw.Widget:
    """Return a panel to step a network of two units and to change its weights; see :func:`two_units_figure`.

    Parameters
    ----------
    weights : array, shape (2, 2)
        At first.
    """
    weights = np.asarray(weights, dtype=float)
    flash = ipw.Dropdown(options=[(f"on channel {name}", k) for k, name in enumerate(CHANNELS)], description="flash")
    controls = {
        "step": ipw.IntSlider(1, min=1, max=LAST, description="step", layout={"width": "26em"}),
        "channel": flash,
        "bias": slider("bias", 0.0, -0.5, 0.5, 0.1),
    }
    for i, j in np.ndindex(2, 2):
        controls[f"w{i}{j}"] = slider(f"from {i} to {j}", weights[i, j], -1.5, 1.5, 0.1)

    def draw(step: int, channel: int, bias: float, w00: float, w01: float, w10: float, w11: float) -> Figure:
        return two_units_figure([[w00, w01], [w10, w11]], channel, step, bias)

    return figure_panel(draw, controls)


def two_flashes_figure(networks: Mapping[str, np.ndarray], steps: int = 10) -> Figure:
    """Draw the states of networks of two units after a flash on channel A (top) and on channel B (bottom).

    Parameters
    ----------
    networks : mapping of str to array, shape (2, 2)
        Weights by name.
    steps : int
    """
    figure, axes = plt.subplots(
        2,
        len(networks),
        figsize=(4.2 * len(networks), 4.6),
        layout="constrained",
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for column, (name, weights) in zip(axes.T, networks.items(), strict=True):
        for ax, (channel, flash) in zip(column, enumerate(CHANNELS), strict=True):
            state_curves(states_after_flash(weights, channel, steps), ax)
            ax.set_title(f"{as_text(name)}: flash on {flash}", fontsize=10)
            ax.label_outer()
    axes[0, 0].legend(fontsize=9, loc="upper right", ncols=2)
    return figure


def descent_figure(paths: Mapping[str, np.ndarray]) -> Figure:
    """Draw the four weights of networks of two units over the epochs of their training.

    Parameters
    ----------
    paths : mapping of str to array, shape (epochs + 1, 2, 2)
        Weights before training and after each epoch, by what to call the training.
    """
    figure, axes = plt.subplots(
        1, len(paths), figsize=(5.6 * len(paths), 3.6), layout="constrained", sharey=True, squeeze=False
    )
    looks = {(0, 0): (BLUE, "-"), (1, 1): (BLUE, "--"), (0, 1): (ORANGE, "-"), (1, 0): (ORANGE, "--")}
    for ax, (name, path) in zip(axes[0], paths.items(), strict=True):
        for (i, j), (colour, line) in looks.items():
            ax.plot(path[:, i, j], color=colour, linestyle=line, linewidth=2, label=f"from {i} to {j}")
        ax.axhline(0, color=DARK, linewidth=0.8)
        ax.set(xlabel="epoch", title=as_text(name))
        sns.despine(ax=ax)
    axes[0, 0].set_ylabel("weight")
    axes[0, -1].legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
