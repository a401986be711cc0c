"""How Sphinx makes the course and the library's reference one site; ``make book`` builds it.

The source folder is the repository itself (``sphinx-build -c docs . build/book``), so that a link from one file to
another holds here as it does in a clone. Notebooks are shown as they were run.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import biornn_lite

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "biornn_lite"
BENEATH = ("environment", "errors", "seeds")
"""Modules at the top that the others share."""
NOT_LIVE = "A panel, as it was left; in JupyterLab it can be used."

project = "BioRNN Lite"
author = "BioRNN Lite developers"
project_copyright = author
version = release = biornn_lite.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_math_renderer = "mathml"  # see formula
root_doc = "docs/index"
# Learners' notebooks only: their sources, which hold the solutions, are no page.
include_patterns = [
    "CONTRIBUTING.md",
    "data/README.md",
    "data/*/README.md",
    "docs/*.md",
    "docs/api/*.md",
    "notebooks/[0-9][0-9]*_*.ipynb",
    "notebooks/GLOSSARY.md",
    "notebooks/INSTRUCTOR.md",
]
# Sphinx goes through every folder that this does not name.
exclude_patterns = [
    ".*",
    "biornn_lite",
    "build",
    "notebooks/source",
    "online",
    "results",
    "solutions",
    "student",
    "tests",
]
exclude_patterns += ["docs/*.template.md"]

nitpicky = True
# What other packages document; no inventory of theirs is fetched. What widgets call t is typing.
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(builtins|caveclient|collections|functools|ipywidgets|matplotlib|mpl_toolkits|networkx|numpy|np|pandas|pathlib|pd|"
        r"requests|scipy|t|torch|tqdm|typing)\..*|CAVEclient|Figure|Path",
    )
]

nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # see without_widgets
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]  # read as numpydoc has it, without links

html_theme = "sphinx_book_theme"
html_title = "BioRNN Lite"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_theme_options = {"use_download_button": True, "use_fullscreen_button": False, "navbar_persistent": []}


def modules(which: str) -> list[str]:
    """Name the modules of one page of the reference, without the package.

    Parameters
    ----------
    which : {"library", "more", "notebooks", "beneath"}
        Those that the README lists, in its order; the other modules at the top; those that serve the notebooks; and
        those that the others share.
    """
    listed = re.findall(r"\]\(biornn_lite/(\w+)\.py\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    top = [path.stem for path in sorted(PACKAGE.glob("[!_]*.py"))]

    def inside(folder: str) -> list[str]:
        return [folder, *(f"{folder}.{path.stem}" for path in sorted((PACKAGE / folder).glob("[!_]*.py")))]

    return {
        "library": listed,
        "more": [name for name in top if name not in (*listed, *BENEATH)],
        "notebooks": inside("figures") + inside("exercises"),
        "beneath": [*BENEATH, *inside("plumbing")],
    }[which]


def doors() -> str:
    """List the names that the package itself has, each linked to its place in the reference."""
    things = {name: getattr(biornn_lite, name) for name in biornn_lite.__all__}
    return ", ".join(f"{{py:obj}}`{name} <{thing.__module__}.{name}>`" for name, thing in things.items())


def with_modules(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put a section for each module in the place of ``<!-- modules: ... -->``, and names for ``<!-- doors -->``."""

    def sections(found: re.Match) -> str:
        return "\n".join(
            f"## {name}\n\n```{{eval-rst}}\n.. automodule:: biornn_lite.{name}\n```\n" for name in modules(found[1])
        )

    source[0] = re.sub(r"<!-- modules: (\w+) -->", sections, source[0])
    if "<!-- doors -->" in source[0]:
        source[0] = source[0].replace("<!-- doors -->", doors())


def still(models: dict, name: str) -> str:
    """Write what a widget shows, and what is in its boxes, as plain HTML."""
    model = models.get(name.removeprefix("IPY_MODEL_"), {"model_name": "", "state": {}})
    state, label = model["state"], model["state"].get("description")
    if "children" in state:
        return "".join(still(models, child) for child in state["children"])
    if model["model_name"] == "HTMLModel":
        return f"<p>{state['value']}</p>" if state["value"] else ""
    if "_options_labels" in state and state["index"] is None:
        options = "".join(f"<li>{html.escape(option)}</li>" for option in state["_options_labels"])
        return f"<ul>{options}</ul>"
    value, options = state.get("value"), state.get("_options_labels")
    if options:
        index = state["index"]  # a range has two
        value = " to ".join(options[i] for i in index) if isinstance(index, list) else options[index]
    if not label or value is None or "bar_style" in state:  # a button, or a bar of progress
        return ""
    return f"<code>{html.escape(f'{label}: {value}')}</code> "


def without_widgets(app: Sphinx, docname: str, source: list[str]) -> None:
    """Show a notebook's panels as they were left: live ones need a kernel, and scripts from elsewhere."""
    if Path(app.env.doc2path(docname)).suffix != ".ipynb":
        return
    notebook = json.loads(source[0])
    saved = notebook["metadata"].pop("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get("application/vnd.jupyter.widget-view+json")
            if view:
                shown = still(saved.get("state", {}), view["model_id"])
                output["data"] = {"text/html": f'<div class="panel">{shown}<p><em>{NOT_LIVE}</em></p></div>'}
    source[0] = json.dumps(notebook)


def way_in(app: Sphinx, exception: Exception | None) -> None:
    """Lead from the top of the site to its first page."""
    if exception is None:
        page = f'<!doctype html>\n<meta http-equiv="refresh" content="0; url={root_doc}.html">\n'
        page += f'<title>{html_title}</title>\n<a href="{root_doc}.html">{html_title}</a>\n'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def untyped(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Keep napoleon from taking a constant's text up to the first colon for its type."""
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]  # an empty comment


def readable(app: Sphinx, what: str, name: str, thing: object, options: object, arguments: str, returned: str):
    """Write a default that a dataclass makes anew as ``...``, since Sphinx cannot read ``<factory>``."""
    return arguments and arguments.replace("<factory>", "..."), returned


def without_folders(app: Sphinx, docname: str, source: list[str]) -> None:
    """Leave of a link to a folder its text: folders are in the repository, and no page."""
    if Path(app.env.doc2path(docname)).suffix == ".md":
        here = Path(app.env.doc2path(docname)).parent
        source[0] = re.sub(
            r"(?<!!)\[([^][]*)\]\(([^()\s:#]+)\)",
            lambda link: link[1] if (here / link[2]).is_dir() else link[0],
            source[0],
        )


def formula(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line as MathML, which browsers draw without a script from elsewhere."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def displayed(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own as MathML."""
    translator.body.append(f'<div style="margin: 1em 0">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Tell Sphinx about the above."""
    app.add_html_math_renderer("mathml", (formula, None), (displayed, None))
    app.connect("source-read", with_modules)
    app.connect("source-read", without_widgets)
    app.connect("source-read", without_folders)
    app.connect("autodoc-process-signature", readable)
    app.connect("autodoc-process-docstring", untyped, priority=400)  # napoleon's is 500
    app.connect("build-finished", way_in)
