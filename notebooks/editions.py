"""Make notebooks from ``source``: ``python notebooks/editions.py student|solutions|handout|online [OUT]``.

A source holds the answer to each exercise between ``### BEGIN SOLUTION`` and ``### END SOLUTION``, and what grades it
between ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS``, as nbgrader has it. Learners' notebooks (``student``)
have neither; solved ones (``solutions``) have the answers. A ``handout`` is a zip file of the project for learners.
Those for Colab (``online``) are learners' notebooks that install the library from ``--repository`` in their first
cell; the README then gets links to them, and to Binder.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from fnmatch import fnmatch
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


CLONE = re.compile(r"(?s)\s*<!-- clone: begin -->.*?<!-- clone: end -->")
"""What the README says of files that are kept back."""


def files(project: Path) -> list[str]:
    """Name the project's files as git does, or without git, as in a ZIP download, by what ``.gitignore`` leaves.

    The latter knows no notebooks but the learners', since others lying about may hold answers.
    """
    with suppress(OSError):  # no git on this machine
        command = ["git", "ls-files", "-z"]
        listed = subprocess.run(command, cwd=project, capture_output=True, check=False).stdout
        if listed:
            return listed.decode().split("\0")[:-1]
    if not (project / ".gitignore").is_file():
        sys.exit(f"handout: {project} is no clone and has no .gitignore, so nothing tells which files to pack")
    lines = (project / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [".*", *(line.rstrip("/") for line in lines)]

    def ours(path: Path) -> bool:
        ignored = any(fnmatch(path.name, pattern) for pattern in patterns)
        return not ignored and not (path / "pyvenv.cfg").exists()  # of a virtual environment by any name

    found = []
    for at, folders, names in os.walk(project):
        folders[:] = [name for name in folders if ours(Path(at, name))]
        found += [Path(at, name).relative_to(project).as_posix() for name in names if ours(Path(at, name))]
    learners = {f"notebooks/{path.name}" for path in sources()}
    return sorted(name for name in found if name in learners or not name.endswith(".ipynb"))


def handout(out: Path) -> None:
    """Pack this project for learners: their notebooks without outputs; no answers, no notes for instructors."""
    project = HERE.parent
    changed = {f"notebooks/{path.name}": nbformat.writes(build(path, student)) for path in sources()}
    changed["README.md"] = CLONE.sub("", (project / "README.md").read_text(encoding="utf-8"))
    names = [n for n in files(project) if not n.startswith(KEPT_BACK) and (project / n).resolve() != out.resolve()]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            if name in changed:
                packed.writestr(f"biornn_lite/{name}", changed[name])
            else:
                packed.write(project / name, f"biornn_lite/{name}")


NUMBERED = "[0-9][0-9]*_*.ipynb"
"""Notebooks of the course: two digits, and a letter after them for one that stands between two others, as 00b."""


def number(path: Path) -> str:
    """Return the number of a notebook, such as 00 or 00b."""
    return path.stem.partition("_")[0]


GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
COLAB = "https://colab.research.google.com/github/{project}/blob/{branch}/online/{name}"
BINDER = "https://mybinder.org/v2/gh/{project}/{branch}?urlpath=lab/tree/notebooks/{name}"
LINKS = r"(?s)(?<=<!-- online: begin -->\n).*?(?=<!-- online: end -->)"


def online(path: Path, project: str, branch: str) -> nbformat.NotebookNode:
    """Make a learners' notebook that runs on Colab; `project` is owner/name on GitHub."""
    notebook = build(path, student)
    install = f'%pip install --quiet "biornn_lite[export] @ git+https://github.com/{project}@{branch}"'
    notebook.cells.insert(0, nbformat.v4.new_code_cell(install, id="install"))
    pages = f"https://github.com/{project}/blob/{branch}/"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # links within the clone lead nowhere from Colab
            cell.source = re.sub(
                r"\]\((\d\d\w+\.ipynb)\)",
                lambda link: f"]({COLAB.format(project=project, branch=branch, name=link[1])})",
                cell.source,
            )
            cell.source = cell.source.replace("](../", f"]({pages}")
            cell.source = cell.source.replace("](GLOSSARY.md", f"]({pages}notebooks/GLOSSARY.md")
    return notebook


def links(project: str, branch: str) -> str:
    """Write the README's lines that open the course on Binder and each notebook on Colab."""
    colab = [
        f"[{number(path)}]({COLAB.format(project=project, branch=branch, name=path.name)})" for path in sources()
    ]
    binder = BINDER.format(project=project, branch=branch, name=sources()[0].name)
    return f"**Online.** [The course on Binder]({binder}) · on Colab: {' · '.join(colab)}.\n"


def sources() -> list[Path]:
    """List the sources in the order of the course."""
    return sorted((HERE / "source").glob(NUMBERED))


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
