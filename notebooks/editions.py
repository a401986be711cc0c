"""Make learners' notebooks and solved ones from ``source``: ``python notebooks/editions.py student|solutions [OUT]``.

A source holds the answer to each exercise between ``### BEGIN SOLUTION`` and ``### END SOLUTION``, and what grades it
between ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS``, as nbgrader has it. Learners' notebooks have neither;
solved ones have the answers.
"""

from __future__ import annotations

import argparse
import re
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


def sources() -> list[Path]:
    """List the sources in the order of the course."""
    return sorted((HERE / "source").glob("[0-9][0-9]_*.ipynb"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["student", "solutions"])
    parser.add_argument("out", nargs="?", type=Path, help="folder; student or solutions when left out")
    arguments = parser.parse_args()
    out = arguments.out or HERE.parent / arguments.what
    out.mkdir(parents=True, exist_ok=True)
    for path in sources():
        nbformat.write(build(path, student if arguments.what == "student" else solved), out / path.name)
    print(f"{len(sources())} notebooks in {out}")
