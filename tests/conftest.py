"""What all tests share. Under ``BIORNN_NO_SKIP`` (the project's own checks) a skipped test is a failure."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_configure(config):
    # Worker processes and kernels must not find another copy of the package first.
    os.environ.pop("PYTHONPATH", None)


def script(path: str):
    """Import a script of the project, and what lies beside it."""
    sys.path.insert(0, str((ROOT / path).parent))
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), ROOT / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for its types
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
        sys.path.remove(str((ROOT / path).parent))
    return module


def fail_a_skip(report):
    if report.skipped and os.environ.get("BIORNN_NO_SKIP") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"skipped where nothing may be: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    fail_a_skip((yield).get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    fail_a_skip((yield).get_result())


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real fields and reference figures."""
    folder = os.environ.get("BIORNN_SHARED")
    if not folder:
        pytest.skip("needs the real fields and reference figures; BIORNN_SHARED says where they are")
    return Path(folder)


@pytest.fixture(scope="session")
def microns(shared) -> Path:
    return shared / "microns"


@pytest.fixture
def page():
    """An empty page of a real browser."""
    from playwright.sync_api import sync_playwright

    quiet = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield browser.new_page(viewport={"width": 1400, "height": 1000})
        browser.close()


@pytest.fixture(scope="session")
def column():
    from biornn_lite.datasets import load_field

    return load_field("synthetic_column")


@pytest.fixture(scope="session")
def small(column):
    """A field of 24 neurons, for tests that train."""
    import numpy as np

    return column.subset(24, np.random.default_rng(0))


@pytest.fixture(autouse=True)
def own_predictions(tmp_path, monkeypatch):
    """Keep the predictions of a test in a file of its own."""
    monkeypatch.setenv("BIORNN_PREDICTIONS", str(tmp_path / "my_predictions.json"))


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    """Close what a test left."""
    yield
    plt.close("all")
