"""Make notebooks from ``source``: ``python notebooks/editions.py student|solutions|handout|online [OUT]``.

A source holds the answer to each exercise between ``### BEGIN SOLUTION`` and ``### END SOLUTION``, and what grades it
between ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS``, as nbgrader has it. Learners' notebooks (``student``)
have neither; solved ones (``solutions``) have the answers. A ``handout`` is a zip file of the project for learners.
Those for Colab (``online``) are learners' notebooks that install the library from ``--repository`` in their first
cell; the README then gets links to them, and to Binder.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat

HERE = Path(__file__).parent
BLOCK = r"(?ms)^ *### BEGIN {0}\n(.*?)^ *### END {0}(?:\n|\Z)"
SOLUTION, HIDDEN = (re.compile(BLOCK.format(what)) for what in ("SOLUTION", "HIDDEN TESTS"))


def student(source: str) -> str:
    """Take solutions and hidden tests out of a cell."""
    return HIDDEN.sub("", SOLUTION.sub("", source)).rstrip("\n")


def solved(source: str) -> str:
    """Leave the solutions of a cell, without their marks, and take out hidden tests."""
    return HIDDEN.sub("", SOLUTION.sub(r"\1", source)).rstrip("\n")


def build(path: Path, change) -> nbformat.NotebookNode:
    """Read a source and change the code of its cells by `change`; without outputs."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source, cell.outputs, cell.execution_count = change(cell.source), [], None
    return notebook


KEPT_BACK = (
    "notebooks/source/",
    "notebooks/INSTRUCTOR.md",
    "notebooks/editions.py",
    "notebooks/run_all.py",
    "tests/",
    ".",
)


def handout(out: Path) -> None:
    """Pack this clone for learners: their notebooks without outputs; no answers, no notes for instructors."""
    project = HERE.parent
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project, capture_output=True, check=True).stdout
    copies = {f"notebooks/{path.name}": build(path, student) for path in sources()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in listed.decode().split("\0"):
            if name in copies:
                packed.writestr(f"biornn_lite/{name}", nbformat.writes(copies[name]))
            elif name and not name.startswith(KEPT_BACK):
                packed.write(project / name, f"biornn_lite/{name}")


GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
COLAB = "https://colab.research.google.com/github/{project}/blob/{branch}/online/{name}"
BINDER = "https://mybinder.org/v2/gh/{project}/{branch}?urlpath=lab/tree/notebooks/{name}"
LINKS = r"(?s)(?<=<!-- online: begin -->\n).*?(?=<!-- online: end -->)"


def online(path: Path, project: str, branch: str) -> nbformat.NotebookNode:
    """Make a learners' notebook that runs on Colab; `project` is owner/name on GitHub."""
    notebook = build(path, student)
    install = f'%pip install --quiet "biornn_lite @ git+https://github.com/{project}@{branch}"'
    notebook.cells.insert(0, nbformat.v4.new_code_cell(install, id="install"))
    pages = f"https://github.com/{project}/blob/{branch}/"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # links within the clone lead nowhere from Colab
            cell.source = re.sub(
                r"\]\((\d\d_\w+\.ipynb)\)",
                lambda link: f"]({COLAB.format(project=project, branch=branch, name=link[1])})",
                cell.source,
            )
            cell.source = cell.source.replace("](../", f"]({pages}")
    return notebook


def links(project: str, branch: str) -> str:
    """Write the README's lines that open the course on Binder and each notebook on Colab."""
    colab = [
        f"[{path.name[:2]}]({COLAB.format(project=project, branch=branch, name=path.name)})" for path in sources()
    ]
    binder = BINDER.format(project=project, branch=branch, name=sources()[0].name)
    return f"**Online.** [The course on Binder]({binder}) · on Colab: {' · '.join(colab)}.\n"


def sources() -> list[Path]:
    """List the sources in the order of the course."""
    return sorted((HERE / "source").glob("[0-9][0-9]_*.ipynb"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["student", "solutions", "handout", "online"])
    parser.add_argument("out", nargs="?", type=Path, help="folder; what is made gives its name when left out")
    parser.add_argument(
        "--repository", default="", help="online: where the project is, https://github.com/owner/name"
    )
    parser.add_argument("--branch", default="main", help="online: which branch of it")
    arguments = parser.parse_args()
    if arguments.what == "handout":
        out = arguments.out or HERE.parent / "handout.zip"
        handout(out)
        print(f"the project with {len(sources())} learners' notebooks in {out}")
        sys.exit()
    change, found = (
        {"student": student, "solutions": solved}.get(arguments.what),
        GITHUB.fullmatch(arguments.repository),
    )
    if change is None and not found:
        parser.error(f"--repository is {arguments.repository!r}; expected https://github.com/owner/name")
    out = arguments.out or HERE.parent / arguments.what
    out.mkdir(parents=True, exist_ok=True)
    for path in sources():
        notebook = build(path, change) if change else online(path, found[1], arguments.branch)
        nbformat.write(notebook, out / path.name)
    print(f"{len(sources())} notebooks in {out}")
    if change is None:
        readme = HERE.parent / "README.md"
        text = re.sub(LINKS, lambda _: links(found[1], arguments.branch), readme.read_text(encoding="utf-8"))
        readme.write_text(text, encoding="utf-8", newline="\n")
        print(f"links to them in {readme}")
