"""Make every notebook from its source, run it from a clean kernel and save it: ``run_all.py [NAME.ipynb ...]``."""

from __future__ import annotations

import base64
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from editions import HERE, build, sources, student
from nbclient import NotebookClient
from PIL import Image, ImageChops, ImageStat
from tqdm import tqdm

UNSEEN = 0.4
"""Mean difference per pixel and colour, of 255, that a palette may make."""


def smaller(data: str) -> str:
    """Return a PNG in base64 without its alpha channel and with a palette, if nobody sees the difference."""
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    if picture.mode != "RGBA" or picture.getextrema()[3] != (255, 255):
        return data
    picture = picture.convert("RGB")
    with_palette = picture.quantize(256, dither=Image.Dither.NONE)
    apart = ImageStat.Stat(ImageChops.difference(picture, with_palette.convert("RGB")))
    buffer = io.BytesIO()
    (with_palette if max(apart.mean) < UNSEEN else picture).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


PICTURE = re.compile(r'(?<=src="data:image/png;base64,)[^"]+')


def with_pictures(notebook: nbformat.NotebookNode) -> Iterator[tuple[dict, str]]:
    """Find all HTML of a notebook that has pictures: what holds it, and under which key."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if PICTURE.search(output.get("data", {}).get("text/html", "")):
                yield output["data"], "text/html"
    for kind in notebook.metadata.get("widgets", {}).values():
        for model in kind["state"].values():
            if model["model_name"] == "HTMLModel" and PICTURE.search(model["state"]["value"]):
                yield model["state"], "value"


def drop_defaults(notebook: nbformat.NotebookNode) -> None:
    """Remove settings without a value from the layouts and styles of widgets; most have none."""
    for kind in notebook.metadata.get("widgets", {}).values():
        for model in kind["state"].values():
            if model["model_name"].endswith(("LayoutModel", "StyleModel")):
                model["state"] = {name: value for name, value in model["state"].items() if value is not None}


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
    for held, key in with_pictures(notebook):
        held[key] = PICTURE.sub(lambda found: smaller(found[0]), held[key])
    drop_defaults(notebook)
    # Of the kernel, only what every machine has in common.
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, HERE / path.name)


if __name__ == "__main__":
    paths = [HERE / "source" / Path(name).name for name in sys.argv[1:]] or sources()
    with TemporaryDirectory() as folder:
        os.environ["BIORNN_PREDICTIONS"] = f"{folder}/none.json"  # notebooks are committed without predictions
        for path in tqdm(paths, unit="notebook"):
            run(path)
