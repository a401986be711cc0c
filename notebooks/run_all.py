"""Make every notebook from its source, run it from a clean kernel and save it: ``run_all.py [NAME.ipynb ...]``."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from editions import HERE, build, sources, student
from nbclient import NotebookClient
from tqdm import tqdm


def run(path: Path) -> None:
    """Execute the learners' notebook of one source; an error in a cell ends here and leaves the file as it was."""
    notebook = build(path, student)
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        coalesce_streams=True,  # of a progress bar, the last state
        resources={"metadata": {"path": HERE}},
    ).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the time of day, which differs at each run
    # Of the kernel, only what every machine has in common.
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, HERE / path.name)


if __name__ == "__main__":
    paths = [HERE / "source" / Path(name).name for name in sys.argv[1:]] or sources()
    for path in tqdm(paths, unit="notebook"):
        run(path)
