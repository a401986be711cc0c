"""Building blocks of panels: controls, a figure that follows them, and work that can be stopped."""

from __future__ import annotations

import asyncio
import gc
import html
import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import IPython
import ipywidgets as ipw
import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import flush_figures
from traitlets import Bunch, validate

from ..errors import InputError
from ..tasks import TASKS
from .alternative_text import LONGEST, alternative_text
from .showing import picture_html


def png(figure: Figure) -> bytes:
    """Draw a figure as a PNG image and close it."""
    buffer = io.BytesIO()
    figure.set_dpi(110)
    FigureCanvasAgg(figure).print_png(buffer)  # savefig would draw twice, once only for the layout
    plt.close(figure)
    return buffer.getvalue()


class Picture(ipw.HTML):
    """The picture of a panel, with an alternative text.

    An image among the widgets would have none in the browser. Its value is HTML, empty until something is shown.
    """

    def show(self, figure: Figure) -> None:
        """Show a figure, and close it."""
        data = png(figure)
        text = f"{PANEL}{alternative_text(figure, LONGEST - len(PANEL))}"
        self.value = picture_html(data, text, steady=True)


OLD_FIGURE = "(The figure below is still that of the choices before.)"
"""What a panel says besides why there is no new figure."""

PANEL = "Panel: "
"""How the alternative text of a panel's picture begins, which tells it from that of the same figure outside."""


@contextmanager
def collected_afterwards() -> Iterator[None]:
    """Delay garbage collection until the end.

    A closed figure is garbage. If no collection ran while the figure was drawn, the next collection frees it fast.
    Otherwise it must wait for a full collection, which visits all objects of all libraries and takes longer than
    drawing.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def plain(text: object) -> str:
    """Return a text as safe HTML: a name may look like a tag, and a tag can run code."""
    return html.escape(str(text), quote=False)


def said(error: InputError) -> str:
    """Return the message of an error as HTML for a panel."""
    return f"⚠ {plain(error)}"


_WHOLE = "calc(100% - 4px)"
"""Width of a panel, less a control's margins."""


def dropdown(description: str, options: Sequence, value: str) -> ipw.Dropdown:
    """Return a dropdown list that is wide enough for its description and its longest option."""
    longest = max(len(str(option[0] if isinstance(option, tuple) else option)) for option in options)
    width = max(14, len(description) + longest + 6)  # the list's arrow needs space, too
    return ipw.Dropdown(
        description=description, options=options, value=value, style={"description_width": "initial"},
        layout={"width": f"{width}ch", "max_width": _WHOLE},
    )  # fmt: skip


def row_of(controls: Sequence[ipw.Widget]) -> ipw.HBox:
    """Return controls side by side, as many in a line as have space.

    A control is never wider than the panel. Otherwise its right end could not be reached in a narrow window, or where
    the page is enlarged. A slider whose description is too long for that has its description above it.
    """
    for control in controls:
        control.layout.max_width = _WHOLE
        if isinstance(control, (ipw.IntSlider, ipw.FloatSlider)):
            control.layout.flex_flow, control.layout.height = "row wrap", "auto"
        elif isinstance(control, ipw.Button):
            control.layout.flex = "0 0 auto"  # a button that shrinks hides its text
    return ipw.HBox(list(controls), layout={"flex_flow": "row wrap", "grid_gap": "0 0.8em"})


AT_ONCE = 0.3
"""Work that takes longer than this number of seconds is announced."""

TASK_OPTIONS = [(task.title, task.name) for task in TASKS.values()]


def _in_kernels_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _flush_in_kernels_thread() -> None:
    if _in_kernels_thread():
        flush_figures()


def keep_figures_of_cells() -> None:
    """See that a click or a move of a slider does not show and close the figures that the kernel is drawing.

    After every message of a widget, Matplotlib's inline backend shows and closes all figures of pyplot, as after a
    cell. JupyterLab lets another thread handle these messages, also while a cell runs.
    """
    shell = IPython.get_ipython()
    if shell is not None and flush_figures in shell.events.callbacks["post_execute"]:
        shell.events.unregister("post_execute", flush_figures)
        shell.events.register("post_execute", _flush_in_kernels_thread)


def between_cells(work: Callable[[], None]) -> None:
    """Do work at once or, if another thread than the kernel's asks for it, when the kernel is free.

    It is free after a cell, and while a cell awaits something. Matplotlib may not draw in two threads, and pyplot has
    one list of figures: a cell would show a figure that is drawn beside it.
    """
    keep_figures_of_cells()
    kernel = getattr(IPython.get_ipython(), "kernel", None)
    if kernel is None or _in_kernels_thread():
        work()
    else:
        kernel.io_loop.add_callback(work)


def figure_panel(draw: Callable[..., Figure], controls: Mapping[str, ipw.ValueWidget]) -> ipw.Widget:
    """Return a panel that redraws a figure whenever one of its controls changes.

    Parameters
    ----------
    draw : callable
        Takes the controls' values by name and returns a figure. If it raises an
        :class:`biornn_lite.errors.InputError`, the message is shown above the old figure,
        and says that this is of the choices before.
    controls : mapping of str to widget
    """
    picture = Picture()
    status = ipw.HTML(layout={"min_height": "28px"})  # the height of a line, so that the figure stays in its place
    took = 0.0  # seconds for the last figure
    waiting = False  # whether a figure is still to be drawn; it will follow all changes until then

    def redraw() -> None:
        nonlocal took, waiting
        waiting = False
        began = time.perf_counter()
        if took > AT_ONCE:
            status.value = "drawing …"
        try:
            with collected_afterwards():
                picture.show(draw(**{name: control.value for name, control in controls.items()}))
            status.value = ""
        except InputError as error:
            plt.close("all")  # what was begun
            status.value = said(error) + (f" {OLD_FIGURE}" if picture.value else "")
        took = time.perf_counter() - began

    def follow(_) -> None:
        nonlocal waiting
        if not waiting:
            waiting = True
            between_cells(redraw)

    for control in controls.values():
        control.observe(follow, "value")
    keep_figures_of_cells()
    redraw()
    return ipw.VBox([row_of(list(controls.values())), status, picture])


_running: set[asyncio.Task] = set()  # the event loop itself holds only weak references to its tasks


def stoppable(
    work: Callable[[], Iterator[None]], status: ipw.HTML, description: str
) -> tuple[ipw.Button, ipw.Button]:
    """Return a button that starts a piece of work, and a button that stops it.

    Between two steps of the work, the kernel handles other clicks.

    Parameters
    ----------
    work : callable
        Returns an iterator that does one step of the work per iteration. The message of an
        :class:`biornn_lite.errors.InputError` is shown in `status`.
    status : HTML
    description : str
        Text on the first button.
    """
    start = ipw.Button(description=description, button_style="primary", icon="play", layout={"width": "auto"})
    stop = ipw.Button(description="Stop", icon="stop", disabled=True, layout={"width": "auto"})

    async def go() -> None:
        try:
            if stop.disabled:  # pressed while the work was waiting for a cell
                status.value = "Stopped before it began."
                return
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

    def launch() -> None:
        try:
            task = asyncio.get_running_loop().create_task(go())
        except RuntimeError:  # outside a kernel, nothing else is waiting
            asyncio.run(go())
        else:
            _running.add(task)
            task.add_done_callback(_running.discard)

    def begin(_=None) -> None:
        start.disabled, stop.disabled = True, False
        between_cells(launch)

    def end(_=None) -> None:
        stop.disabled = True

    keep_figures_of_cells()
    start.on_click(begin)
    stop.on_click(end)
    return start, stop


class _RoundedSlider(ipw.FloatSlider):
    """A slider whose value has no more decimals than its step: browsers send 0.30000000000000004 for 0.3."""

    @validate("value")
    def _validate_value(self, proposal: Bunch) -> float:
        return round(super()._validate_value(proposal), _decimals(self.step))


def _decimals(step: float) -> int:
    return len(f"{step:f}".rstrip("0").partition(".")[2])


def slider(
    description: str, value: float, low: float, high: float, step: float, unit: str = ""
) -> ipw.IntSlider | ipw.FloatSlider:
    """Return a slider that is wide enough for its description; its value is an int if all its numbers are whole."""
    if whole := all(float(number).is_integer() for number in (value, low, high, step)):
        value, low, high, step = map(int, (value, low, high, step))
    description = f"{description} ({unit})" if unit else description
    return (ipw.IntSlider if whole else _RoundedSlider)(
        value, min=low, max=high, step=step, description=description,
        readout_format="d" if whole else f".{_decimals(step)}f", style={"description_width": "initial"},
        # Description, slider and number stand in one line where the page has space for them.
        layout={"width": f"calc(24em + {len(description)}ch)"},
    )  # fmt: skip
