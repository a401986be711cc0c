"""Panels for the notebooks. Behind each stands a plain function that draws the same without widgets."""

from __future__ import annotations

import asyncio
import gc
import html
import io
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

import ipywidgets as ipw
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from . import plots
from .errors import InputError
from .field import CorticalField
from .priors import Priors, Start
from .tasks import TASKS, get_task
from .training import Settings, Trained, train, trained_by, training
from .variants import PUBLISHED_VARIANTS, Protocol, get_variant


def png(figure: Figure) -> bytes:
    """Draw a figure as a picture, and close it."""
    buffer = io.BytesIO()
    figure.set_dpi(110)
    FigureCanvasAgg(figure).print_png(buffer)  # savefig would draw twice, once for the layout alone
    plt.close(figure)
    return buffer.getvalue()


@contextmanager
def collected_afterwards() -> Iterator[None]:
    """Put garbage collection off to the end.

    A figure that is closed is garbage. If it is young then, the next collection frees it at once; if collections
    have met it while it was drawn, it waits for a full one, which goes through all objects of all libraries and
    takes longer than to draw a figure.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def plain(text: object) -> str:
    """Return a text as HTML that shows it, whatever it holds: a name may look like a tag, and a tag can run code."""
    return html.escape(str(text), quote=False)


def said(error: InputError) -> str:
    """Return what a panel shows of an error, as HTML."""
    return f"⚠ {plain(error)}"


def dropdown(description: str, options: Sequence, value: str) -> ipw.Dropdown:
    """Return a list to choose from that is wide enough for its description."""
    return ipw.Dropdown(description=description, options=options, value=value, style={"description_width": "initial"})


AT_ONCE = 0.3
"""What takes longer than this many seconds is announced."""

TASK_OPTIONS = [(task.title, task.name) for task in TASKS.values()]


def figure_panel(draw: Callable[..., Figure], controls: Mapping[str, ipw.ValueWidget]) -> ipw.Widget:
    """Return a panel that draws a figure again whenever one of its controls changes.

    Parameters
    ----------
    draw : callable
        Takes the controls' values by their names and returns a figure. What it raises as
        :class:`biornn_lite.errors.InputError` is shown above the figure, which then stays as it was.
    controls : mapping of str to widget
    """
    image = ipw.Image(format="png", layout={"max_width": "100%"})
    status = ipw.HTML()
    took = 0.0  # seconds, last time

    def redraw(_=None) -> None:
        nonlocal took
        began = time.perf_counter()
        if took > AT_ONCE:
            status.value = "drawing …"
        try:
            with collected_afterwards():
                image.value = png(draw(**{name: control.value for name, control in controls.items()}))
            status.value = ""
        except InputError as error:
            plt.close("all")  # what was begun
            status.value = said(error)
        took = time.perf_counter() - began

    for control in controls.values():
        control.observe(redraw, "value")
    redraw()
    row = ipw.HBox(list(controls.values()), layout={"flex_flow": "row wrap"})
    return ipw.VBox([row, status, image])


_running: set[asyncio.Task] = set()  # the event loop itself holds only weak references to its tasks


def stoppable(
    work: Callable[[], Iterator[None]], status: ipw.HTML, description: str
) -> tuple[ipw.Button, ipw.Button]:
    """Return a button that begins a piece of work, and one that stops it.

    Between two steps of the work the kernel sees to whatever else was clicked.

    Parameters
    ----------
    work : callable
        Returns an iterator that does a step of the work each time it is asked. What it raises as
        :class:`biornn_lite.errors.InputError` is shown in `status`.
    status : HTML
    description : str
        What the first button says.
    """
    start = ipw.Button(description=description, button_style="primary", icon="play", layout={"width": "auto"})
    stop = ipw.Button(description="Stop", icon="stop", disabled=True, layout={"width": "auto"})

    async def go() -> None:
        start.disabled, stop.disabled = True, False
        try:
            for _ in work():
                await asyncio.sleep(0.01)
                if stop.disabled:
                    status.value += " (stopped)"
                    break
        except InputError as error:
            plt.close("all")  # what was begun
            status.value = said(error)
        finally:
            start.disabled, stop.disabled = False, True

    def begin(_=None) -> None:
        try:
            task = asyncio.get_running_loop().create_task(go())
        except RuntimeError:  # outside of a kernel nothing else waits
            asyncio.run(go())
        else:
            _running.add(task)
            task.add_done_callback(_running.discard)

    def end(_=None) -> None:
        stop.disabled = True

    start.on_click(begin)
    stop.on_click(end)
    return start, stop


def slider(description: str, value: float, low: float, high: float, step: float, unit: str = "") -> ipw.FloatSlider:
    """Return a slider that is wide enough for its description."""
    return ipw.FloatSlider(
        value, min=low, max=high, step=step, description=f"{description} ({unit})" if unit else description,
        style={"description_width": "initial"}, layout={"width": "28em"},
    )  # fmt: skip


class Prediction:
    """A question asked before a result, whose answer is kept and shown beside it.

    To ask the same question again, as when its cell is run once more, keeps the answer; a restart forgets it.

    Parameters
    ----------
    question : str
    options : sequence of str
    """

    _answers: ClassVar[dict[str, str]] = {}  # by question

    def __init__(self, question: str, options: Sequence[str]) -> None:
        self.question = question
        kept = self._answers.get(question)
        # Buttons: in JupyterLab, arrow keys leave radio buttons for the next cell.
        self._choice = ipw.ToggleButtons(
            options=options,
            value=kept if kept in options else None,
            style={"button_width": "auto"},
            layout={"width": "auto"},
        )
        self._choice.observe(lambda change: self._answers.update({question: change["new"]}), "value")

    @property
    def answer(self) -> str | None:
        """What was chosen, or None."""
        return self._choice.value

    def ask(self) -> ipw.Widget:
        """Return the panel in which to choose."""
        return ipw.VBox([ipw.HTML(f"<b>Predict.</b> {plain(self.question)}"), self._choice])

    def reveal(self, outcome: str) -> None:
        """Print the prediction and the outcome side by side."""
        for label, text in (("You predicted: ", self.answer or "(nothing)"), ("What happened: ", outcome)):
            print(textwrap.fill(label + text, width=80, subsequent_indent=" " * len(label)))


def train_two(
    field: CorticalField,
    variants: tuple[str, str],
    task: str,
    seed: int = 0,
    protocol: Protocol | None = None,
    settings: Settings | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> list[Trained]:
    """Train two variants side by side on the same trials.

    Parameters
    ----------
    field : CorticalField
    variants : (str, str)
    task : str
    seed : int
    protocol : Protocol, optional
        The published one when left out.
    settings : Settings, optional
    on_epoch : callable, optional
        Called with the number of finished epochs after each.

    Returns
    -------
    list of Trained
    """
    starts = _starts(field, variants, seed, protocol)
    return train(starts, get_task(task), [seed, seed], settings, on_epoch=on_epoch)


def _starts(
    field: CorticalField, variants: Sequence[str], seed: int, protocol: Protocol | None = None
) -> list[Start]:
    priors = Priors(field, protocol or Protocol())
    return [priors.start(get_variant(variant), seed) for variant in variants]


def two_variants_figure(
    trained: Sequence[Trained], variants: tuple[str, str], task: str, field: CorticalField
) -> Figure:
    """Draw how two variants learned, and the recurrent weights that each ended with."""
    figure, axes = plt.subplots(
        1, 3, figsize=(13, 4), layout="constrained", gridspec_kw={"width_ratios": [1.25, 1, 1]}
    )
    plots.learning(trained, variants, task, axes[0])
    for ax, network, variant in zip(axes[1:], trained, variants, strict=True):
        if network.diverged:
            ax.set_axis_off()
            ax.text(0.5, 0.5, f"{variant} diverged", ha="center", va="center")
        else:
            plots.matrix(network.weights, ax, f"{variant}: weights after training", "weight", limit=0.2)
    figure.suptitle(f"{plots.as_text(field.label)}, one run of each", fontsize=11)
    return figure


class Step(NamedTuple):
    """What a panel shows while it trains.

    Attributes
    ----------
    epoch : int
        The last one that is finished.
    status : str
        HTML; what is not ours goes through :func:`plain`.
    figure : Figure or None
        None leaves the figure that is there.
    """

    epoch: int
    status: str
    figure: Figure | None = None


def training_panel(
    steps: Callable[[tuple[str, str], str, int], Iterator[Step]], second: str, epochs: int, button: str
) -> ipw.Widget:
    """Return a panel in which to pick two variants, a task and a seed, and to begin and stop a training of both.

    Parameters
    ----------
    steps : callable
        Takes the variants, the task and the seed, and goes on with the training each time it is asked.
    second : str
        The second variant; the first is W*D*C*. Both can be changed.
    epochs : int
        How many there are at most.
    button : str
        What the button says that begins.
    """
    variants = [dropdown("first", PUBLISHED_VARIANTS, "W*D*C*"), dropdown("second", PUBLISHED_VARIANTS, second)]
    task = dropdown("task", TASK_OPTIONS, "go_nogo")
    seed = ipw.BoundedIntText(description="seed", value=1, min=0, max=9999, layout={"width": "12em"})
    bar = ipw.IntProgress(min=0, max=epochs, description="epochs")
    status = ipw.HTML("Pick two variants and a task.")
    image = ipw.Image(format="png", layout={"max_width": "100%", "display": "none"})

    def work() -> Iterator[None]:
        for step in steps((variants[0].value, variants[1].value), task.value, seed.value):
            bar.value, status.value = step.epoch, step.status
            if step.figure is not None:
                image.value, image.layout.display = png(step.figure), "block"
            yield

    buttons = stoppable(work, status, button)
    return ipw.VBox([ipw.HBox([*variants, task, seed]), ipw.HBox([*buttons, bar]), status, image])


def two_variants_panel(field: CorticalField, settings: Settings | None = None) -> ipw.Widget:
    """Return a panel in which to pick two variants and a task, and to train both; see :func:`train_two`."""
    settings = settings or Settings()

    def steps(variants: tuple[str, str], task: str, seed: int) -> Iterator[Step]:
        told = f"Training {plain(' and '.join(variants))} …"
        yield Step(0, told)
        epoch = None
        for epoch in training(_starts(field, variants, seed), get_task(task), [seed] * 2, settings):
            yield Step(epoch.number, told)
        trained = trained_by(epoch)
        reached = "; ".join(
            f"<b>{plain(variant)}</b> " + ("diverged" if t.diverged else f"{t.test_accuracy[-1]:.3f}")
            for variant, t in zip(variants, trained, strict=True)
        )
        told = f"{reached} test accuracy on {plain(TASKS[task].title)}, in one run with seed {seed}."
        yield Step(epoch.number, told, two_variants_figure(trained, variants, task, field))

    return training_panel(steps, "WD*C*", settings.epochs, "Train both")


def measure_figure(results: pd.DataFrame, task: str, measure: str, field: str) -> Figure:
    """Draw one measure of one task by variant; `field` is the field's label for the title."""
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    plots.by_variant(results, task, ax, measure)
    if measure == "accuracy":
        ax.add_artist(ax.legend(loc="lower left", fontsize=8, framealpha=0.9))
    figure.legend(handles=plots.weights_handles(results), frameon=False, loc="outside right upper", fontsize=9)
    ax.set_title(f"{TASKS[task].title} · {plots.as_text(field)}", fontsize=11)
    return figure


def results_panel(results: pd.DataFrame, field: str) -> ipw.Widget:
    """Return a panel in which to pick a task and a measure of a results table; see :func:`measure_figure`."""
    present = set(results["task"])
    options = [option for option in TASK_OPTIONS if option[1] in present]
    task = dropdown("task", options, options[0][1])
    measure = dropdown("measure", [(text, key) for key, text in plots.MEASURE_LABELS.items()], "accuracy")
    return figure_panel(
        lambda task, measure: measure_figure(results, task, measure, field), {"task": task, "measure": measure}
    )
