"""Check whether this machine meets the requirements of the course. Notebook 00 uses it first."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time

import numpy as np
import pandas as pd

from .datasets import EMBEDDED, load_field
from .errors import FieldError


def matrix_product_rate(size: int = 512, repeats: int = 20) -> float:
    """Measure the speed of float32 matrix products on this machine, in 10⁹ operations per second."""
    a = np.random.default_rng(0).random((size, size), dtype=np.float32)
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e9


def check_environment() -> pd.DataFrame:
    """Check the requirements of the notebooks.

    Returns
    -------
    DataFrame
        Columns ``what``, ``found`` and ``verdict``; the verdict is ``ok`` or a remedy.
    """
    rows = [("checked", time.strftime("%Y-%m-%d %H:%M"), "ok"), ("Python", platform.python_version(), "ok")]
    optional = {
        "jupyterlab": "ok if notebooks open without it; else ",
        "onnxruntime": "ok for all notebooks but 12; for that, ",
        "onnxscript": "ok for all notebooks but 12; for that, ",
    }
    for package in ("torch", "numpy", "scipy", "networkx", "pandas", "matplotlib", "ipywidgets", *optional):
        try:
            rows.append((package, importlib.metadata.version(package), "ok"))
        except importlib.metadata.PackageNotFoundError:
            remedy = optional.get(package, "") + "run `make lab`, or pip install 'biornn_lite[lab]'"
            rows.append((package, "missing", remedy))
    try:
        field = load_field(EMBEDDED)
        rows.append(("embedded field", f"{field.label}, {field.neurons} neurons", "ok"))
    except FieldError as error:
        rows.append(("embedded field", str(error), "get the project again; its folder data/ is incomplete"))
    rows.append(("processors", str(os.cpu_count()), "ok"))
    rate = matrix_product_rate()
    rows.append(
        (
            "matrix products",
            f"{rate:.0f} × 10⁹ operations per second",
            "ok" if rate > 20 else "slow: the times stated in the notebooks will be exceeded",
        )
    )
    return pd.DataFrame(rows, columns=["what", "found", "verdict"])
