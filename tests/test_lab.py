"""The course as a person meets it: a real JupyterLab in a real browser, panels used with the mouse."""

import os
import re
import shutil
import subprocess
import sys
import time

import nbformat
import numpy as np
import pytest
from barriers import faults, known, out_of_reach
from conftest import CHROMIUM, ROOT
from playwright.sync_api import expect

from biornn_lite.field import CorticalField

MINUTE = 60_000  # milliseconds
IN_LAB, PANEL = "JupyterLab and ipywidgets", ".jp-NotebookPanel:not(.lm-mod-hidden)"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the path"),
]


SCRIPT = "<img src=x onerror=window.__hacked=1>"

SCRIPT_PANELS = """
from biornn_lite.datasets import load_field
from biornn_lite.exercises import Prediction
from biornn_lite.figures.field import inference_panel
from biornn_lite.figures.panels import dropdown

evil = load_field("evil.npz")
display(inference_panel(evil), Prediction(evil.label, {evil.label: ''}, at='').ask())
display(dropdown("field", [evil.label], evil.label))
"""


def write_script(folder):
    """Put a notebook into a folder whose panels show a field, without events, that is called :data:`SCRIPT`."""
    likeness = np.eye(3)
    positions = np.arange(9.0).reshape(3, 3)
    CorticalField(SCRIPT, positions, np.zeros((3, 3)), likeness, likeness, synthetic=True).save(folder / "evil.npz")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SCRIPT_PANELS)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, folder / "script.ipynb")


ASKED = (
    """
from biornn_lite.exercises import Prediction, sum_up_predictions

asked = Prediction("Which one?", {"this": "One is enough.", "that": "It takes another."}, at="99, section 1")
asked.ask()
""",
    """
asked.reveal("it was that.", asked.where([False, True]))
sum_up_predictions("99")
""",
)


def write_question(folder):
    """Put a notebook into a folder that asks one question."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in ASKED])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, folder / "question.ipynb")


MOVED = """
from biornn_lite.figures.tasks import trial_panel

trial_panel()
"""


def write_panel(folder):
    """Put a notebook into a folder that holds one panel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(MOVED)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(notebook, folder / "panel.ipynb")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A JupyterLab that serves a copy of the notebooks, and of the pages that they link to, as `make lab` does."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    for page in [*ROOT.glob("docs/*.md"), *ROOT.glob("data/*/README.md")]:
        (home / page.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, home / page.relative_to(ROOT))
    write_script(home / "notebooks")
    write_question(home / "notebooks")
    write_panel(home / "notebooks")
    log = home / "lab.log"
    opened = re.search(r"^OPENED := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1].split()
    folders = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", "--ip=127.0.0.1",
             *opened],
            stdout=output, stderr=subprocess.STDOUT, env=os.environ | folders, cwd=home,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 90
        while not (found := re.search(r"(http://127\.0\.0\.1:\d+)/lab\?token=(\w+)", log.read_text())):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield f"{found[1]}/lab/tree/notebooks/{{}}?token={found[2]}&reset"
    finally:
        server.terminate()
        server.wait(timeout=30)


def open_as_committed(page, address, name):
    """Open a notebook, and see that it keeps nobody out before it has run."""
    page.goto(address.format(name), timeout=MINUTE)
    notebook = page.locator(".jp-NotebookPanel:visible")
    expect(notebook.locator(".jp-Cell").first).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=MINUTE)
    if (ROOT / "notebooks" / name).exists():
        cells = nbformat.read(ROOT / "notebooks" / name, as_version=4).cells
        # Cells out of sight come later.
        expect(notebook.locator(".jp-Cell")).to_have_count(len(cells), timeout=MINUTE)
    expect(notebook.locator(".jp-MarkdownCell:not(:has(.jp-RenderedMarkdown > *))")).to_have_count(0, timeout=MINUTE)
    assert not faults(page, IN_LAB, PANEL)
    return notebook


def run_all(page, address, name):
    """Open a notebook and run every cell of it in the kernel that starts with it."""
    notebook = open_as_committed(page, address, name)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return notebook


def no_errors(notebook):
    """See that no cell raised anything, and that no widget lacks its model."""
    expect(notebook.locator(".jp-RenderedText[data-mime-type*='err']")).to_have_count(0)
    expect(notebook.get_by_text(re.compile("model not found", re.IGNORECASE))).to_have_count(0)


def no_barriers(page, notebook):
    """See that a notebook that has run keeps nobody out, also at 200 %, where the page has half of its width."""
    assert not faults(page, IN_LAB, PANEL)
    page.set_viewport_size({"width": 700, "height": 500})
    page.wait_for_timeout(500)
    assert not out_of_reach(notebook.locator(".jp-WindowedPanel-outer"))
    page.set_viewport_size({"width": 1400, "height": 1000})


def keep(page, name):
    """Keep a picture of the page for people to look at."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")


def test_the_first_notebook_runs_and_its_panel_trains_two_variants(address, page):
    notebook = run_all(page, address, "00_start_here.ipynb")
    button = notebook.get_by_role("button", name="Train both")
    expect(button).to_be_visible(timeout=3 * MINUTE)
    keep(page, "00_opened")

    option = notebook.get_by_role("button", name="both about the same")
    option.scroll_into_view_if_needed()
    option.focus()
    page.keyboard.press("Space")
    expect(option).to_have_class(re.compile("mod-active"))
    option.click()  # makes its cell the one that is run next, as anybody's click does
    option.evaluate("button => { button.dataset.before = 'yes' }")
    page.keyboard.press("Shift+Enter")
    again = notebook.get_by_role("button", name="both about the same")
    expect(again).not_to_have_attribute("data-before", "yes")  # its cell has run once more
    expect(again).to_have_class(re.compile("mod-active"))
    keep(page, "00_prediction")

    button.scroll_into_view_if_needed()
    notebook.get_by_label("first").select_option("W!D*C")
    notebook.get_by_label("second").select_option("W")
    notebook.get_by_label("task").select_option("One-choice inference")
    notebook.get_by_label("diagonal").select_option("only")
    notebook.get_by_label("field", exact=True).select_option("random_field (synthetic)")
    panel = notebook.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Train both"))
    began = time.monotonic()
    button.click()
    expect(panel.get_by_text("test accuracy on One-choice inference, in one run")).to_be_visible(timeout=MINUTE)
    expect(panel.get_by_text("diagonal of W* and W!: only")).to_be_visible()
    took = time.monotonic() - began
    image = panel.locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("i => i.naturalWidth") > 1000
    image.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    keep(page, "00_panel")
    expect(button).to_be_enabled()
    no_errors(notebook)
    no_barriers(page, notebook)
    print(f"the panel trained two networks in {took:.1f} s")


def test_a_prediction_outlives_its_kernel_and_is_summed_up(address, page):
    notebook = run_all(page, address, "question.ipynb")
    expect(notebook.get_by_text("In the course so far, 0 of 0")).to_be_visible(timeout=MINUTE)
    for chosen, told in (("that", "1 of 1 predictions came true"), ("this", "Later you chose: this.")):
        option = notebook.get_by_role("button", name=chosen, exact=True)
        option.click()
        expect(option).to_have_class(re.compile("mod-active"))
        page.get_by_role("menuitem", name="Kernel", exact=True).click()
        page.get_by_role("menuitem", name="Restart Kernel and Run All Cells", exact=False).click()
        page.get_by_role("button", name="Confirm Kernel Restart").or_(
            page.get_by_role("button", name="Restart", exact=True)
        ).first.click()
        expect(notebook.get_by_text(told).first).to_be_visible(timeout=MINUTE)
        expect(notebook.get_by_role("button", name=chosen, exact=True)).to_have_class(re.compile("mod-active"))
    expect(notebook.get_by_text("You predicted: that ✓ It came true.")).to_be_visible()
    keep(page, "prediction")
    no_errors(notebook)


def test_a_new_word_opens_its_entry_in_the_glossary(address, page):
    """As a page that is read, not as a text to edit."""
    page.goto(address.format("00b_what_is_a_recurrent_network.ipynb"), timeout=MINUTE)
    word = page.locator(".jp-NotebookPanel:visible").get_by_role("link", name="softmax", exact=True)
    word.click(timeout=MINUTE)
    entry = page.locator(".jp-MarkdownViewer").get_by_role("heading", name="softmax")
    expect(entry).to_be_in_viewport(timeout=MINUTE)
    keep(page, "00b_glossary")


def test_a_link_to_a_page_of_the_project_opens_it(address, page):
    page.goto(address.format("08_topology.ipynb"), timeout=MINUTE)
    link = page.locator(".jp-NotebookPanel:visible").get_by_role("link", name="before the first row")
    link.scroll_into_view_if_needed(timeout=MINUTE)
    link.click()
    expect(page.locator(".jp-MarkdownViewer").get_by_role("heading").first).to_be_in_viewport(timeout=MINUTE)


def test_a_name_that_is_a_script_is_shown_and_not_run(address, page):
    notebook = run_all(page, address, "script.ipynb")
    expect(notebook.get_by_text("⚠")).to_be_visible(timeout=MINUTE)
    expect(notebook.get_by_label("field")).to_be_visible()
    page.wait_for_timeout(1000)  # time for a picture to fail to load
    assert page.evaluate("typeof window.__hacked") == "undefined"
    expect(notebook.get_by_text(f"⚠ {SCRIPT}")).to_be_visible()
    expect(notebook.get_by_text(f"Predict. {SCRIPT}")).to_be_visible()
    expect(notebook.get_by_label("field").locator("option")).to_have_text(f"{SCRIPT} (synthetic)")
    keep(page, "script")
    no_barriers(page, notebook)


def test_a_slider_that_is_moved_fast_leaves_the_picture_of_its_last_value(address, page):
    notebook = run_all(page, address, "panel.ipynb")
    picture, handle = notebook.get_by_role("img", name=re.compile("^Panel: ")), notebook.get_by_role("slider").first
    expect(picture).to_be_visible(timeout=MINUTE)
    drawn = []
    for keys, pause in ((["ArrowRight"] * 12, 90), (["ArrowLeft", "ArrowRight"], 4000)):
        for key in keys:
            handle.press(key)
            page.wait_for_timeout(pause)
        page.wait_for_timeout(4000)
        drawn.append((picture.get_attribute("src"), handle.get_attribute("aria-valuetext")))
    assert drawn[0] == drawn[1]


def choose_theme(page, name):
    """Choose Light or Dark in the menu."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item", has_text=re.compile("^Theme$")).hover()
    page.locator(".lm-Menu-item", has_text=re.compile(f"^JupyterLab {name}$")).click()
    light = str(name == "Light").lower()
    expect(page.locator(f"body[data-jp-theme-light={light}]")).to_be_attached(timeout=MINUTE)


def test_texts_and_panels_can_be_read_in_both_themes(address, page):
    notebook = run_all(page, address, "06_three_decisions.ipynb")
    expect(notebook.get_by_text("not answered yet").nth(2)).to_be_attached(timeout=3 * MINUTE)
    met = set()
    assert not faults(page, IN_LAB, PANEL, contrast=True, met=met)
    page.set_viewport_size({"width": 700, "height": 500})  # where lines of code are too long
    assert not faults(page, IN_LAB, PANEL, met=met)
    page.set_viewport_size({"width": 1400, "height": 1000})
    try:
        choose_theme(page, "Dark")
        assert not faults(page, IN_LAB, PANEL, contrast=True, met=met)
        assert met == set(known(IN_LAB))  # the list has no fault that is gone
        notebook.get_by_role("img", name=re.compile("^Panel: ")).scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        keep(page, "06_dark")
    finally:
        choose_theme(page, "Light")


def test_pictures_have_alternative_texts_that_follow_the_panel(address, page):
    """As the browser tells them to a screen reader: as committed, where cells out of sight wait, and after a run."""
    page.goto(address.format("06_three_decisions.ipynb"), timeout=MINUTE)
    notebook = page.locator(".jp-NotebookPanel:visible")
    trials = notebook.get_by_role("img", name=re.compile(r"^3 line charts\..*x: step"))
    expect(trials).to_be_attached(timeout=MINUTE)
    assert trials.evaluate("i => i.naturalWidth") > 1000

    notebook = run_all(page, address, "06_three_decisions.ipynb")
    expect(notebook.get_by_text("not answered yet").nth(2)).to_be_attached(timeout=3 * MINUTE)
    medians = page.get_by_role("img", name=re.compile(r"^3 dot plots\..*median training accuracy"))
    table = notebook.locator(".jp-OutputArea-output", has=medians).locator("details")
    expect(table).to_be_attached(timeout=MINUTE)
    expect(table.get_by_role("table").first).to_be_hidden()
    table.get_by_text("Numbers", exact=True).click()
    expect(table.get_by_role("table").first).to_be_visible()
    keep(page, "06_numbers")

    picture = notebook.get_by_role("img", name=re.compile("^Panel: "))
    expect(picture).to_have_count(1)
    before = picture.get_attribute("alt")
    assert "Perceptual decision, trial 0" in before and len(before) <= 400
    row = notebook.locator(".widget-slider", has=page.get_by_text("input noise (SD, each channel)", exact=True))
    row.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("alt", before, timeout=MINUTE)
    expect(picture).to_have_accessible_name(re.compile("^Panel: 2 line charts"))
    picture.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    keep(page, "06_alternative_text")
    without = notebook.locator(".jp-OutputArea img:not([alt])")
    expect(without).to_have_count(0)
    no_errors(notebook)
    no_barriers(page, notebook)


# Of each panel of notebook 09: a list that only it has, and what to choose in the panel's lists.
STUDY_PANELS = [
    ("study", {"measure": "modularity Q", "task": "Perceptual decision", "study": "field 5_3_4, signs free"}),
    ("choice", {"choice": "space (none, D, D*)", "task": "One-choice inference"}),
    ("variant", {"variant": "WD*", "task": "One-choice inference"}),
]


def test_the_ablation_runs_and_its_panels_redraw(address, page):
    notebook = run_all(page, address, "09_ablation.ipynb")
    expect(notebook.get_by_text("not answered yet").nth(2)).to_be_attached(timeout=5 * MINUTE)
    for own, choices in STUDY_PANELS:
        # The first panel that has the list: "study" is in all three, the others in one each.
        panel = notebook.locator(".jp-OutputArea-output", has=page.get_by_label(own, exact=True)).first
        image = panel.locator("img")
        image.scroll_into_view_if_needed()
        for label, value in choices.items():
            before = image.get_attribute("src")
            panel.get_by_label(label, exact=True).select_option(value)
            expect(image).not_to_have_attribute("src", before, timeout=MINUTE)
        image.scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        keep(page, f"09_panel_{own}")
    no_errors(notebook)
    no_barriers(page, notebook)


def test_the_audit_runs_and_its_panels_redraw(address, page):
    notebook = run_all(page, address, "11_audit.ipynb")
    expect(notebook.get_by_text("not answered yet").nth(2)).to_be_attached(timeout=5 * MINUTE)
    for own, value in (
        ("choice", "self-connections: published kept → sound removed"),
        ("self-connections", "removed"),
    ):
        panel = notebook.locator(".jp-OutputArea-output", has=page.get_by_label(own, exact=True)).first
        image = panel.locator("img")
        image.scroll_into_view_if_needed()
        before = image.get_attribute("src")
        panel.get_by_label(own, exact=True).select_option(value)
        expect(image).not_to_have_attribute("src", before, timeout=MINUTE)
        if own == "choice":
            before = image.get_attribute("src")
            panel.get_by_role("button", name="Train both").click()
            expect(image).not_to_have_attribute("src", before, timeout=MINUTE)
            panel.get_by_role("button", name="Stop").click()
            expect(panel.get_by_role("button", name="Train both")).to_be_enabled(timeout=MINUTE)
        image.scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        keep(page, f"11_panel_{own}")
    no_errors(notebook)
    no_barriers(page, notebook)


def test_a_training_is_watched_and_stopped(address, page):
    notebook = run_all(page, address, "07_training.ipynb")
    expect(notebook.get_by_text("not answered yet").nth(4)).to_be_attached(timeout=3 * MINUTE)
    start = notebook.get_by_role("button", name="Train and watch")
    panel = notebook.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Train and watch"))
    start.scroll_into_view_if_needed()
    panel.get_by_label("task").select_option("One-choice inference")
    start.click()
    expect(panel.get_by_text("epoch 1:")).to_be_visible(timeout=MINUTE)
    image = panel.locator("img")
    first = image.get_attribute("src")
    expect(image).not_to_have_attribute("src", first, timeout=MINUTE)
    panel.get_by_role("button", name="Stop").click()
    expect(panel.get_by_text("(stopped)")).to_be_visible(timeout=MINUTE)
    expect(start).to_be_enabled()
    image.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    keep(page, "07_watched")
    no_errors(notebook)
    no_barriers(page, notebook)


# Of each other notebook: a slider of its panel, and a list or number; all are worked with the keyboard.
PANELS = {
    "00b_what_is_a_recurrent_network": ("step", "flash", "on channel B"),
    "01_load_a_connectome": ("turn (degrees)", "colour", "rate"),
    "02_from_activity_to_function": ("Δt (s)", "neuron", "12"),
    "03_functional_weights": ("spectral radius", "self_connections", "removed"),
    "04_cortical_space": ("turn (degrees)", "places", "cortical, neurons scrambled"),
    "05_communicability": ("steps", "network", "synapses of the connectome"),
    "06_three_decisions": ("input noise (SD, each channel)", "task", "Go/NoGo"),
    "07_training": ("epoch", "network", "WD*C"),
    "08_topology": ("shuffled (share of edges)", "graph", "four communities of equal size"),
    "08b_small_worlds_and_nulls": ("shuffled (share of edges)", "graph", "two groups, one with 4/5 of the edges"),
    "10_positive_only": ("scaled to radius", "task", "One-choice inference"),
    "12_robustness_and_cost": ("share (%)", "network", "orthogonal"),
    "13_your_own_field": ("threshold (SD of the noise)", None, None),
    "15_inside_a_network": ("units off", "cut", "all others"),
    "16_your_own_experiment": ("cue (steps)", None, None),
    "14_across_cortex": ("distance", "measure", "mean correlation"),
}


@pytest.mark.parametrize("name", PANELS)
def test_a_notebook_runs_and_its_panel_redraws(address, page, name):
    slider, other, value = PANELS[name]
    notebook = run_all(page, address, f"{name}.ipynb")
    # The last cell has run when it has summed up the predictions; before, a panel may have to wait for the kernel.
    expect(notebook.get_by_text("In the course so far, ")).to_be_attached(timeout=3 * MINUTE)
    named = page.locator(".widget-label", has_text=re.compile(f"^{re.escape(slider)}$"))
    panel = notebook.locator(".jp-OutputArea-output", has=named)
    panel.scroll_into_view_if_needed()
    image = panel.locator("img")
    expect(image).to_be_visible(timeout=MINUTE)
    before = image.get_attribute("src")
    row = panel.locator(".widget-slider", has=named)
    row.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(image).not_to_have_attribute("src", before, timeout=MINUTE)
    if other:
        before = image.get_attribute("src")
        control = panel.get_by_label(other, exact=True)
        if value.isdigit():
            control.fill(value)
            control.press("Enter")
        else:
            labels = [text.replace("\xa0", " ") for text in control.locator("option").all_text_contents()]
            down = labels.index(value) - control.evaluate("list => list.selectedIndex")
            control.focus()
            for key in ("Space", *["ArrowDown" if down > 0 else "ArrowUp"] * abs(down), "Enter"):
                page.keyboard.press(key)
            assert control.evaluate("list => list.selectedIndex") == labels.index(value)
        expect(image).not_to_have_attribute("src", before, timeout=MINUTE)
    image.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    keep(page, f"{name.partition('_')[0]}_panel")
    no_errors(notebook)
    no_barriers(page, notebook)
