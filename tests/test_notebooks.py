"""Notebooks: their grammar, their committed outputs, and what their kernels left behind after a run."""

import ast
import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
from conftest import ROOT, script

sys.path.insert(0, str(ROOT / "notebooks"))
from editions import NUMBERED, build, number, sources, student

from biornn_lite.figures.alternative_text import LONGEST
from biornn_lite.figures.tables import MOST_ROWS

NOTEBOOKS = sorted((ROOT / "notebooks").glob(NUMBERED))
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
names = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


def text_of(notebook, kind="markdown"):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == kind)


@names
def test_grammar(path):
    notebook = nbformat.read(path, as_version=4)
    prose, code = text_of(notebook), text_of(notebook, "code")
    assert re.match(rf"# {number(path)} · \w", prose)
    for part in (
        "**You will be able to**", "**Time**", "minutes", "**Needs**", "**In the library**",
        "**1.", "**2.", "**3.", "## Summary", "**Further reading.**",
    ):  # fmt: skip
        assert part in prose, part
    assert "_panel(" in code and len(re.findall(r"^right = check_", code, re.M)) >= 3
    place = NOTEBOOKS.index(path)
    for way, other in (("Previous", place - 1), ("Next", place + 1)):
        if 0 <= other < len(NOTEBOOKS):
            assert re.search(rf"\*\*{way}:\*\* \[.*?\]\({NOTEBOOKS[other].name}\)", prose), way
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", prose):
        assert (path.parent / link).exists(), link
    for cell in notebook.cells:
        longest = 17 if cell.cell_type == "code" else 30
        assert len(cell.source.splitlines()) <= longest, f"a long cell: {cell.source[:60]}"


@names
def test_predictions_are_asked_fairly_and_summed_up(path):
    """Each option has a meaning, what came true is found from the result, and the sum stands at the end."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    calls = [(place, node) for place, cell in enumerate(cells) for node in calls_in(cell)]
    asked = {}
    for place, call in calls:
        if called(call) == "Prediction":
            question, options = call.args
            at = next(word.value.value for word in call.keywords if word.arg == "at")
            assert re.fullmatch(rf"{number(path)}, section \d+", at), at
            section = re.findall(r"^## (\d+) · ", before(notebook, cells[place]), re.M)[-1]
            assert at.endswith(f"section {section}"), f"{at} is asked in section {section}"
            if isinstance(options, ast.Name):  # of the capstone, where the learner's own stand in their place
                options = next(
                    node.value
                    for cell in cells
                    for node in ast.walk(ast.parse(plain_python(cell)))
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == options.id
                )
            assert isinstance(options, ast.Dict), f"{at}: options with their meanings"
            texts = [ast.literal_eval(part) for part in (*options.keys, *options.values)]
            assert all(texts) and len(set(texts)) == len(texts), f"{at}: {texts}"
            asked[ast.unparse(question)] = place
    assert asked
    names = {
        node.targets[0].id: place
        for place, cell in enumerate(cells)
        for node in ast.walk(ast.parse(plain_python(cell)))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and called(node.value) == "Prediction"
    }
    assert len(names) == len(asked)
    for name, place in names.items():
        where = [(at, call) for at, call in calls if called(call) == "reveal" and call.func.value.id == name]
        assert where and min(at for at, _ in where) > place, name
        for _, call in where:
            assert len(call.args) == 2, f"{name}: what came true is the second argument"
            literal = [node for node in ast.walk(call.args[1]) if isinstance(node, ast.Constant)]
            assert not any(isinstance(node.value, str) and node.value in cells[place] and len(node.value) > 30
                           for node in literal), f"{name}: the cell that reveals holds an option"  # fmt: skip
            given = call.args[1]
            found = called(given) in ("by_size", "where") or isinstance(given, ast.Name | ast.Attribute)
            assert found and not typed(given, cells), f"{name}: what came true is typed"
    folded = [cell.source for cell in notebook.cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    asking = [cells[place] for name, place in sorted(names.items(), key=lambda one: one[1])
              if f"{name}.ask()" in cells[place]]  # all but the capstone's, which the learner copies  # fmt: skip
    assert folded == asking, "the code of a question is folded away"
    assert re.search(rf'^sum_up_predictions\("{number(path)}"\)$', cells[-1], re.M), "the sum at the end"


DIFFERENTIATES = re.compile(r"\bautograd\.grad\(|\.backward\(\)")


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_a_cell_that_differentiates_can_be_run_again(path, capsys):
    """Autograd forgets the steps of a computation that an earlier cell made, unless it is told to keep them.

    An outcome waits for a choice and asks to run its cell again, so none may differentiate.
    """
    cells = [cell.source for cell in build(path, student).cells if cell.cell_type == "code"]
    places = [place for place, cell in enumerate(cells) if DIFFERENTIATES.search(cell)]
    assert not [cells[place] for place in places if ".reveal(" in cells[place]]
    known = {}
    for place, cell in enumerate(cells[: places[-1] + 1] if places else []):
        for _ in range(1 + (place in places)):
            exec(cell, known)
    plt.close("all")


def typed(given: ast.AST, cells: list[str]) -> bool:
    """Whether a name stands for what somebody wrote down, in place of what was found."""
    values = [
        node.value
        for cell in cells
        for node in ast.walk(ast.parse(plain_python(cell)))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(given)
    ]
    return any(not any(isinstance(part, ast.Call) for part in ast.walk(value)) for value in values)


def plain_python(cell: str) -> str:
    return "\n".join(line for line in cell.splitlines() if not line.startswith(("%", "!")))


def calls_in(cell: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(plain_python(cell))) if isinstance(node, ast.Call)]


def called(call: ast.AST) -> str:
    function = getattr(call, "func", None)
    return getattr(function, "attr", getattr(function, "id", ""))


def before(notebook, source: str) -> str:
    """All texts before a cell."""
    texts = []
    for cell in notebook.cells:
        if cell.source == source:
            break
        texts.append(cell.source if cell.cell_type == "markdown" else "")
    return "\n".join(texts)


def test_the_library_has_what_notebooks_import():
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                for node in ast.walk(ast.parse(plain_python(cell.source))):
                    if isinstance(node, ast.ImportFrom) and node.module.startswith("biornn_lite"):
                        exec(ast.unparse(node), {})


def test_no_notebook_needs_what_another_defines():
    """Each runs from a clean kernel; and none defines a function that the library should have."""
    defined = {}
    for path in NOTEBOOKS:
        for name in re.findall(r"^def (\w+)", text_of(nbformat.read(path, as_version=4), "code"), re.M):
            assert name not in defined, f"{name}: in {defined[name]} and {path.stem}, so it belongs in the library"
            defined[name] = path.stem


@names
def test_committed_as_run_from_a_clean_kernel(path):
    assert path.stat().st_size < 1_000_000
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    errors_of(nbformat.read(path, as_version=4))


def errors_of(notebook) -> None:
    """Fail on an error in a cell's output or in what its widgets show."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
            assert output.get("name") != "stderr", f"a warning in the output: {output.get('text')}"
    widgets = (
        notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    )
    for model in widgets.values():
        for output in model["state"].get("outputs", []):
            assert output.get("output_type") != "error", output
        shown = json.dumps(model["state"].get("value", "")) if isinstance(model["state"].get("value"), str) else ""
        assert "Traceback" not in shown and "⚠" not in shown


@names
def test_executed_notebooks_left_no_errors(path):
    """nbmake passes a widget whose callback failed; the state of the executed notebook tells."""
    executed = os.environ.get("BIORNN_EXECUTED")
    if not executed:
        pytest.skip("needs executed notebooks; `make test` runs them first")
    notebook = nbformat.read(Path(executed) / path.name, as_version=4)
    errors_of(notebook)
    assert notebook.metadata["widgets"][WIDGET_STATE]["state"]


def test_the_scan_finds_an_error_in_a_widget():
    state = {"m": {"state": {"outputs": [{"output_type": "error", "ename": "ValueError"}]}}}
    metadata = {"widgets": {WIDGET_STATE: {"state": state}}}
    notebook = nbformat.v4.new_notebook(metadata=metadata)
    with pytest.raises(AssertionError, match="ValueError"):
        errors_of(notebook)


@names
def test_pictures_carry_no_alpha_channel_that_nobody_sees(path):
    """``run_all.py`` takes it away, so that a notebook stays below its size."""
    run_all = script("notebooks/run_all.py")
    found = list(run_all.with_pictures(nbformat.read(path, as_version=4)))
    assert found
    assert all(run_all.smaller(data) == data for held, key in found for data in run_all.PICTURE.findall(held[key]))


class Pictures(HTMLParser):
    """The attributes of all pictures in some HTML."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.found.append(dict(attributes))


def alternative_texts(notebook) -> list[str]:
    """The alternative texts of all pictures in outputs and panels; a picture that cannot have one is an error."""
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    models = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {}).values()
    assert not [kind for data in shown for kind in data if kind.startswith("image/")], "a picture that is no HTML"
    assert not [model for model in models if model["model_name"] == "ImageModel"], "a picture that is no HTML"
    texts = ["".join(data.get("text/html", "")) for data in shown]
    texts += [str(model["state"].get("value", "")) for model in models if model["model_name"] == "HTMLModel"]
    return [picture.get("alt") or "" for text in texts for picture in Pictures(text).found]


AFTER_A_CLICK = ("00_start_here",)
"""Notebooks whose only panel has no picture before its button is clicked."""


@names
def test_every_picture_has_an_alternative_text_of_its_own(path):
    notebook = nbformat.read(path, as_version=4)
    texts = alternative_texts(notebook)
    assert len(texts) > 1
    assert any(text.startswith("Panel: ") for text in texts) == (path.stem not in AFTER_A_CLICK)
    assert all(20 < len(text) <= LONGEST for text in texts)
    assert len(set(texts)) == len(texts), [text for text in texts if texts.count(text) > 1]


@names
def test_every_figure_has_its_numbers_beside_it(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            html = "".join(output.get("data", {}).get("text/html", ""))
            if "<img" in html and 'alt="Drawing' not in html:  # a drawing has no numbers
                assert "<details><summary>Numbers</summary><table>" in html
                assert html.count("<tr><td>") <= MOST_ROWS


def test_the_search_for_pictures_finds_them_all():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()])
    html = '<img src="a"><p><img alt="b &amp; c" src="d"></p>'
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    state = {"m": {"model_name": "HTMLModel", "state": {"value": '<img alt="Panel: e">'}}}
    notebook.metadata["widgets"] = {WIDGET_STATE: {"state": state}}
    assert alternative_texts(notebook) == ["", "b & c", "Panel: e"]
    model = notebook.metadata["widgets"][WIDGET_STATE]["state"]["m"]
    model["model_name"] = "ImageModel"
    with pytest.raises(AssertionError, match="no HTML"):
        alternative_texts(notebook)
    model["model_name"] = "HTMLModel"
    notebook.cells[0].outputs[0].data["image/png"] = "x"
    with pytest.raises(AssertionError, match="no HTML"):
        alternative_texts(notebook)
