"""Panels used as their code allows, exercises answered rightly and wrongly, figures and the environment's check."""

import gc
import weakref
from collections import Counter
from dataclasses import replace
from itertools import product

import ipywidgets as ipw
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from conftest import ROOT
from matplotlib.colors import to_rgb
from nbclient import NotebookClient

from biornn_lite import exercises
from biornn_lite.environment import check_environment
from biornn_lite.errors import InputError
from biornn_lite.figures import panels
from biornn_lite.figures.field import field_map
from biornn_lite.figures.matrices import matrix
from biornn_lite.figures.panels import collected_afterwards, dropdown, figure_panel, slider
from biornn_lite.figures.style import COLOURS, MARKERS
from biornn_lite.figures.training import two_variants_figure, two_variants_panel
from biornn_lite.priors import Priors
from biornn_lite.training import Settings, train
from biornn_lite.variants import Variant
from biornn_lite.weights import Functional

QUICK = Settings(epochs=2, batches=2, batch_size=16, test_trials=40)


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    yield
    plt.close("all")


def parts_of(panel):
    """All widgets of a panel by what they are called."""
    found = {}
    stack = [panel]
    while stack:
        widget = stack.pop()
        stack.extend(getattr(widget, "children", ()))
        found[getattr(widget, "description", "") or type(widget).__name__] = widget
    return found


def texts_of(widget) -> list[ipw.HTML]:
    """All texts of a panel, in their order."""
    if type(widget) is ipw.HTML:
        return [widget]
    return [text for child in getattr(widget, "children", ()) for text in texts_of(child)]


def check_that_every_control_redraws(panel, changes) -> None:
    """Set these controls one after the other, by what they are called, and see the image change."""
    parts = parts_of(panel)
    image = parts["Picture"]
    for name, value in changes.items():
        before = image.value
        assert before.startswith('<img alt="Panel: ')
        parts[name].value = value
        assert image.value != before, name
        assert "⚠" not in "".join(text.value for text in texts_of(panel))


def check_said(capsys, right: bool, told: str) -> None:
    """See that a check of an exercise, just called, found the answer right or wrong, and said so in one line."""
    said = capsys.readouterr().out
    assert right is told.startswith("✓") and told in said and said.count("\n") == 1, said


def check_takes_numbers(capsys, check, answers) -> None:
    """See what a check of an exercise says of no answer, of a text, and of these numbers."""
    assert not check(None) and "not answered yet" in capsys.readouterr().out
    assert not check("x") and "not a number" in capsys.readouterr().out
    for answer, told in answers.items():
        check_said(capsys, check(answer), told)


def test_the_panel_of_two_variants(small):
    parts = parts_of(two_variants_panel(small, QUICK))
    parts["first"].value, parts["second"].value = "W", "W!D*C*"
    parts["task"].value = "one_choice_inference"
    parts["Train both"].click()
    assert parts["epochs"].value == 2 and not parts["Train both"].disabled
    assert parts["Picture"].value.startswith('<img alt="Panel: ')
    assert "W!D*C*" in parts["HTML"].value and "in one run with seed 1" in parts["HTML"].value


def test_the_panel_of_two_variants_takes_a_diagonal_and_another_field(small, monkeypatch):
    """The networks that it trains are those of the same choices without a panel."""
    drawn = []

    def noted(trained, variants, task, field):
        drawn.append((trained, field))
        return plt.figure()

    monkeypatch.setattr("biornn_lite.figures.training.two_variants_figure", noted)
    other = replace(small, name="other", correlation=small.sttc)
    parts = parts_of(two_variants_panel(small, QUICK, [other]))
    for diagonal, field in (("kept", small), ("removed", small), ("only", other)):
        parts["diagonal"].value, parts["field"].value = diagonal, field.label
        parts["Train both"].click()
        assert parts["HTML"].value.endswith(f"diagonal of W* and W!: {diagonal}.")
        start = Functional(self_connections=diagonal)
        starts = Priors(field).starts([Variant("mine", start, "cortical", "empirical"), "WD*C*"], 1)
        for ours, theirs in zip(drawn[-1][0], train(starts, "go_nogo", 1, QUICK), strict=True):
            np.testing.assert_array_equal(ours.weights, theirs.weights)
        assert drawn[-1][1] is field


def test_the_panel_says_what_went_wrong_and_goes_on(column):
    broken = replace(column.subset(10, np.random.default_rng(0)), correlation=np.ones((10, 10)))
    parts = parts_of(two_variants_panel(broken, QUICK))
    parts["Train both"].click()
    assert "equally alike" in parts["HTML"].value and not parts["Train both"].disabled


@pytest.mark.parametrize(("limit", "said"), [(0.0, ["drawing …", ""]), (1e9, [])])
def test_a_panel_that_is_slow_says_that_it_draws(monkeypatch, limit, said):
    monkeypatch.setattr(panels, "AT_ONCE", limit)
    number = ipw.IntSlider(1)
    panel = figure_panel(lambda number: plt.figure(), {"number": number})
    told = []
    parts_of(panel)["HTML"].observe(lambda change: told.append(change["new"]), "value")
    number.value = 2
    assert told == said


BESIDE_A_CELL = (
    """
import asyncio, threading, time
import ipywidgets as ipw, matplotlib.pyplot as plt
from biornn_lite.figures.panels import figure_panel, stoppable

drawn = []

def draw(number):
    figure = plt.figure()
    time.sleep(0.2)
    drawn.append(number)
    return figure

def work():
    yield plt.close(draw("trained"))

number = ipw.IntSlider(1)
start, stop = stoppable(work, ipw.HTML(), "Train")
figure_panel(draw, {"number": number})
""",
    """
def beside():
    number.value = 2
    number.value = 3
    start.click()

thread = threading.Thread(target=beside)  # as JupyterLab lets a kernel handle what is moved and clicked
thread.start()
open_figures = []
for _ in range(60):
    open_figures += plt.get_fignums()
    time.sleep(0.01)
thread.join()
assert not open_figures and drawn == [1], (open_figures, drawn)
assert start.disabled and not stop.disabled
""",
    """
await asyncio.sleep(0.1)
assert drawn == [1, 3, "trained"] and stop.disabled, drawn
""",
    """
def clicked():  # after each message of a widget, the kernel calls what it calls after a cell
    while not drawn_up:
        get_ipython().events.trigger("post_execute")
        time.sleep(0.01)

drawn_up = False
thread = threading.Thread(target=clicked)
thread.start()
figure, ax = plt.subplots()
ax.plot([1, 2])
time.sleep(0.3)
open_figures, drawn_up = plt.get_fignums(), True
thread.join()
assert open_figures == [1], "a click closes no figure that a cell draws"
""",
)
"""Cells during which a slider is moved and a button is clicked."""


def test_a_panel_does_not_draw_into_a_running_cell():
    cells = [nbformat.v4.new_code_cell(cell) for cell in BESIDE_A_CELL]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": ROOT}}).execute()
    kinds = [output.output_type for cell in cells for output in cell.outputs]
    assert kinds == ["execute_result", "display_data"], "the panel itself, and the last cell's figure"


def test_a_panel_leaves_no_figure_to_a_full_garbage_collection():
    drawn = []

    def draw(number):
        figure, axes = plt.subplots(2, 2, layout="constrained")
        axes[0, 0].plot([0, number])
        drawn.append(weakref.ref(figure))
        return figure

    number = ipw.IntSlider(1)
    figure_panel(draw, {"number": number})
    for number.value in (2, 3):
        gc.collect(0)  # the youngest objects alone
        assert drawn[-1]() is None
    assert gc.isenabled() and len(drawn) == 3


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_left_as_it_was(enabled):
    try:
        gc.enable() if enabled else gc.disable()
        with pytest.raises(InputError), collected_afterwards():
            assert not gc.isenabled()
            raise InputError("as any figure may")
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_a_slider_has_no_more_decimals_than_its_step():
    """Browsers send sums of steps, such as −180 + 24 × 5 or 0.02 + 14 × 0.02, as floating numbers."""
    whole = slider("turn", -60, -180.0, np.float64(180), 5)
    assert isinstance(whole, ipw.IntSlider) and whole.value == -60 and type(whole.value) is int
    for step, sent, value, readout in ((0.02, 0.30000000000000004, 0.3, ".2f"), (0.25, 2.25, 2.25, ".2f")):
        control = slider("Δt", 0.5, 0, 5, step, "s")
        control.set_state({"value": sent})
        assert repr(control.value) == repr(value) and control.readout_format == readout
        control.value = 9
        assert control.value == 5, "it still ends where it ends"
    assert slider("radius", 0.95, 0.5, 1.3, 0.05).value == 0.95


def test_a_dropdown_is_wide_enough_for_its_longest_option():
    options = [("short", 1), ("the nearer the stronger, exp(−distance / 50 µm)", 2)]
    assert int(dropdown("network", options, 1).layout.width.removesuffix("ch")) > len("network") + len(options[1][0])
    assert "100%" in dropdown("network", ["a", "b"], "a").layout.max_width, "a long name does not leave the page"


def test_a_diverged_network_is_drawn_as_such(small):
    trained = train(Priors(small).starts(("W*D*", "W"), 0), "go_nogo", 0, QUICK)
    gone = np.full(2, np.nan)
    lost = replace(trained[0], diverged_step=1, test_accuracy=gone)
    figure = two_variants_figure([lost, trained[1]], ("W*D*", "W"), "go_nogo", small)
    texts = [t.get_text() for ax in figure.axes for t in ax.texts]
    legend = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert "W*D* diverged" in texts and "W*D* (diverged)" in legend


def test_figures_say_what_they_show(column):
    ax = field_map(column, plt.figure().add_subplot())
    assert "synthetic" in ax.get_title() and "µm" in ax.get_xlabel()
    ax = matrix(column.sttc, plt.figure().add_subplot(), "title", "label", limit=0.1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("to neuron", "from neuron")


def test_kinds_of_weights_can_be_told_apart_without_colour():
    lightness = sorted(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in COLOURS.values())
    assert len(set(MARKERS.values())) == 4 and min(np.diff(lightness)) > 0.08


def test_the_environment_is_checked():
    table = check_environment()
    assert list(table.columns) == ["what", "found", "verdict"]
    assert (table["verdict"].str.startswith(("ok", "slow"))).all(), table


# Exercises


@pytest.mark.parametrize(
    ("answer", "right", "says"),
    [
        (None, False, "not answered yet"),
        (0.667, True, "may have learned no memory"),
        (4 / 6, True, "0.667"),
        (0.25, False, "blind guessing"),
        (0.62, False, "right for all 8 types; only the first 6 come"),
        (1.0, False, "perfect use"),
        (0.7, False, "too high"),
        (0.67, True, "0.667"),
        (0.6, False, "too low"),
        (0.5, False, "two different right answers"),
        (0.75, False, "mean over the pairs"),
        (0.625, False, "right for all 8 types; only the first 6 come"),
        (62.5, False, "not a share"),
        ("most", False, "not a number"),
    ],
)
def test_the_check_of_the_ceiling(capsys, answer, right, says):
    assert exercises.check_memoryless_ceiling(answer, "one_choice_inference", 6) is right
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("task", "answers"), [("one_choice_inference", [5 / 8, 0.5, 0.7, 0.25]), ("go_nogo", [0.5, 0.7, 1])]
)
def test_the_check_of_the_ceiling_of_a_whole_task(task, answers):
    assert [exercises.check_memoryless_ceiling(answer, task) for answer in answers] == [True] + [False] * (
        len(answers) - 1
    )


def test_the_checks_of_names(capsys):
    for check, answers in (
        (
            lambda a: exercises.check_variant_name(a, "orthogonal", "cortical", "empirical"),
            [
                ("WD*C*", "✓"), (None, "not answered yet"), (3, "not a name"), ("D*C*W", "The order is"),
                ("W*D*C*", "in weights"), ("W*DC*", "in weights and space"),
            ],
        ),
        (
            lambda a: exercises.check_three_variants(a, ("weights", "space")),
            [
                (("W*DC*", "W*D*C*", "WD*C*"), "✓ W*D*C* and WD*C* differ in weights alone"),
                (["WDC", "W*D*C", "WD*C"], "✓"), (None, "not answered yet"), (3, "expected three names"),
                (("W", "WD"), "expected three names"), ("WDC", "expected three names"),
                (("W", "WD", "V"), "'V' is not among the eleven"), (("W", "WD", "W*D"), "'W*D' is not among"),
                (("W", ["WD"], "WDC"), "is not among"), (("W", "WD", "WD"), "twice"),
                (("W", "WD", "WDC"), "No two of them differ in weights alone. W and WD differ in space."),
                (("W*D*C", "WD*C", "W"), "No two of them differ in space alone. WD*C and W differ in space and comm"),
            ],
        ),
    ):  # fmt: skip
        for answer, told in answers:
            check_said(capsys, check(answer), told)


def seen(types):
    """The answers of all types that look alike, by what is seen."""
    return {look: [answer for other, answer in types if other == look] for look, _ in types}


def best(types):
    """By all observers: each is one answer to each look."""
    labels, looks = sorted({answer for _, answer in types}), [*seen(types)]
    observers = [dict(zip(looks, each, strict=True)) for each in product(labels, repeat=len(looks))]
    return max(sum(observer[look] == answer for look, answer in types) for observer in observers) / len(types)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (best, "✓ Right for 4 sets"),
        (None, "not answered yet"),
        (5 / 8, "expected a function of types"),
        (lambda types: None, "Is there a return?"),
        (lambda types: "most", "is not a number"),
        (lambda types: types.pop(), "It changes what it was given"),
        (lambda types: best(types) * len(types), "how many types are answered rightly"),
        (lambda types: 100 * best(types), "in per cent"),
        (lambda types: 1.0, "knows what it cannot see"),
        (lambda types: len(seen(types)) / len(types), "one type right for each thing seen"),
        (
            lambda types: np.mean([max(map(a.count, a)) / len(a) for a in seen(types).values()]),
            "Some things are seen",
        ),
        (lambda types: sum(len(a) / len(set(a)) for a in seen(types).values()) / len(types), "guesses among the"),
        (lambda types: sum(a.count(a[0]) for a in seen(types).values()) / len(types), "takes the first"),
        (lambda types: max(Counter(a for _, a in types).values()) / len(types), "looks at nothing"),
        (lambda types: best(list(set(types))), "more than once"),
        (lambda types: 0.1, "For one-choice inference it gives 0.1, which is too low; expected 0.625"),
    ],
)
def test_the_check_of_the_best_observer(capsys, answer, told):
    check_said(capsys, exercises.check_ceiling(answer), told)


@pytest.mark.parametrize(
    ("answer", "right", "says"),
    [
        (None, False, "not answered yet"),
        ("WDC*", True, "WDC* adds 4 pairs to the 17"),
        ("W*DC", False, "W*DC adds 3; another adds more"),
        ("W", False, "among the eleven already"),
        ("V", False, "'V' is no variant"),
        (["WC"], False, "expected one name"),
    ],
)
def test_the_check_of_the_twelfth_variant(capsys, answer, right, says):
    assert exercises.check_twelfth_variant(answer) is right
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "answers"),
    [
        (
            lambda answer: exercises.check_cliffs_delta(answer, np.array([1, 2, 3, 3]), np.array([2, 0])),
            {
                0.625: "✓ +0.625", 0.62: None, "five eighths": "not a number", 62.5: "outside −1 … 1",
                -0.625: "The sign is wrong", 0.75: "take off those", 0.8125: "ties halved", 0.25: "of 8 pairs, count",
            },
        ),
        (
            lambda answer: exercises.check_lost_step(answer, 7.05, 0.05, 3.4e38),
            {
                48: "✓", 46.96: "a step is a whole number", 39.8: "powers of ten",
                9.6e38: "multiplied at each step", 91.7: "ln(largest",
                30: "too early", 60: "too late",
            },
        ),
        (
            lambda answer: exercises.check_largest_network(answer, 50, 0.05, 3.4e38),
            {
                265: "✓ About 265", 6.5: "radius that just fits", 42.2: "You took", 312: "too many", 96: "too few",
            },
        ),
    ],
)  # fmt: skip
def test_exercises_about_studies_say_what_is_wrong(capsys, check, answers):
    assert not check(None) and "not answered yet" in capsys.readouterr().out
    for answer, told in answers.items():
        right = check(answer)
        said = capsys.readouterr().out
        assert said.count("\n") == 1
        if told is not None:
            assert told in said, (answer, said)
            assert right is told.startswith("✓"), (answer, said)
