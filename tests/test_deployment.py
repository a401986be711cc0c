"""The table of deployment: its counts and accuracies are those of the shipped networks, and its script makes it."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from biornn_lite.errors import InputError
from biornn_lite.export import cost
from biornn_lite.robustness import accuracies, pruned
from biornn_lite.tasks import TASKS
from biornn_lite.trained_networks import SHIPPED, load_trained_networks
from biornn_lite.training import held_out_trials

NETWORK = ["start", "task", "run"]
FORMS = [
    ("PyTorch", 1.0), ("NumPy", 1.0), ("ONNX float32", 1.0), ("ONNX int8", 1.0), ("NumPy", 0.1), ("SciPy sparse", 0.1)
]  # fmt: skip
COLUMNS = [
    *NETWORK, "runtime", "kept", "accuracy", "agreement", "bytes", "weight_bytes", "multiply_adds", "trial_seconds",
    "trial_ratio", "step_seconds", "step_ratio", "repeats", "version",
]  # fmt: skip
ONE_TRIAL = 1 / 2560


@pytest.fixture(scope="module")
def make():
    with pytest.MonkeyPatch.context() as m:
        m.syspath_prepend(ROOT / "data")
        return import_module("make_deployment")


@pytest.fixture(scope="module")
def shipped():
    return pd.read_csv(ROOT / "data" / "robustness" / "deployment.csv")


@pytest.fixture(scope="module")
def networks():
    return {(network.start, network.task, network.run): network for network in load_trained_networks()}


def trials_of(network):
    """Inputs (steps, 1, trials, inputs) and labels (1, trials) of the held-out test trials."""
    return held_out_trials(TASKS[network.task], [network.seed])


def test_the_table_has_a_row_for_each_network_and_form(shipped):
    assert list(shipped) == COLUMNS and shipped.notna().all(axis=None)
    expected = [(*network, *form) for network in SHIPPED for form in FORMS]
    assert list(shipped[[*NETWORK, "runtime", "kept"]].itertuples(index=False, name=None)) == expected
    packages = {"PyTorch": "PyTorch", "NumPy": "NumPy", "SciPy sparse": "SciPy"}
    for runtime, version in shipped[["runtime", "version"]].drop_duplicates().itertuples(index=False):
        assert version.startswith(packages.get(runtime, "onnxruntime") + " ")


def test_ratios_are_those_of_medians_in_one_run(shipped):
    for what in ("trial", "step"):
        seconds = shipped[f"{what}_seconds"].to_numpy().reshape(-1, len(FORMS))  # (networks, forms)
        ratios = shipped[f"{what}_ratio"].to_numpy().reshape(-1, len(FORMS))
        np.testing.assert_allclose(ratios, seconds / seconds[:, :1], rtol=1e-4)
        assert (seconds > 0).all()


def test_counts_are_those_of_the_networks(shipped, networks):
    for name, rows in shipped.groupby(NETWORK):
        whole = networks[name].networks
        full, small = cost(whole), cost(pruned(whole, 0.1))
        found = rows.set_index(["runtime", "kept"])
        for form, counts in {
            ("PyTorch", 1.0): (full.step, full.size),
            ("NumPy", 1.0): (full.step, full.size),
            ("NumPy", 0.1): (full.step, full.size),
            ("SciPy sparse", 0.1): (small.sparse_step, small.sparse_size),
        }.items():
            assert tuple(found.loc[form, ["multiply_adds", "weight_bytes"]]) == counts, (name, form)
        onnx = found.loc[[("ONNX float32", 1.0), ("ONNX int8", 1.0)], "weight_bytes"].to_numpy()
        assert full.size <= onnx[0] < full.size + 100, "all weights, and a few constants"
        assert full.size / 4 < onnx[1] < full.size / 3, "a byte for a weight; scales and biases besides"


@pytest.mark.parametrize("name", SHIPPED[::7])
def test_accuracies_are_those_of_the_networks(shipped, networks, name):
    rows = shipped[(shipped[NETWORK] == list(name)).all(axis=1)].set_index(["runtime", "kept"])
    network = networks[name]
    for kept in (1.0, 0.1):
        (right,) = accuracies(pruned(network.networks, kept), *trials_of(network))
        for runtime in ("PyTorch", "NumPy", "ONNX float32") if kept == 1 else ("NumPy", "SciPy sparse"):
            assert rows["accuracy"][runtime, kept] == pytest.approx(right, abs=1.01 * ONE_TRIAL), runtime
    assert rows["agreement"]["PyTorch", 1.0] == 1
    # Two forms that give other answers to some trials differ in accuracy by no more than that.
    assert (abs(rows["accuracy"] - rows["accuracy"]["PyTorch", 1.0]) <= 1 - rows["agreement"] + 1e-5).all()


def test_the_script_makes_these_rows(make, shipped, networks, tmp_path):
    for package in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(package, reason="needs the extra export")
    out, name = tmp_path / "deployment.csv", SHIPPED[0]
    made = make.main([networks[name]], out, repeats=2, progress=False)
    rows = pd.read_csv(out)
    pd.testing.assert_frame_equal(rows, made, rtol=1e-4)
    old = shipped[(shipped[NETWORK] == list(name)).all(axis=1)].reset_index(drop=True)
    assert list(rows) == COLUMNS and set(rows["repeats"]) == {2}
    exact = [*NETWORK, "runtime", "kept", "weight_bytes", "multiply_adds"]
    pd.testing.assert_frame_equal(rows[exact], old[exact])
    np.testing.assert_allclose(rows["accuracy"], old["accuracy"], rtol=0, atol=0.01)
    np.testing.assert_allclose(rows["bytes"], old["bytes"], rtol=0.1)  # other versions pack and write otherwise
    shown = make.summary(rows)
    assert all(runtime in shown for runtime, _ in FORMS) and rows["version"][3] in shown


def test_the_script_writes_nothing_when_it_cannot_finish(make, networks, tmp_path, monkeypatch):
    out = tmp_path / "deployment.csv"
    out.write_text("old")
    with pytest.raises(InputError, match="--repeats is 0; it must be at least 1"):
        make.main(list(networks.values()), out, repeats=0)

    def stop(network, repeats):
        if network.run:
            raise KeyboardInterrupt
        return [{"start": network.start}]

    monkeypatch.setattr(make, "rows_of", stop)
    with pytest.raises(KeyboardInterrupt):
        make.main(list(networks.values()), out, repeats=1, progress=False)
    assert out.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_latencies_are_medians_of_each_form_by_itself(make, monkeypatch):
    """With a clock that only the forms move, by what each takes."""
    now = [0.0]

    def takes(*seconds):
        left = list(seconds)

        def call(inputs):
            assert inputs.shape == (1, 4, 3)
            now[0] += left[0] if len(left) == 1 else left.pop(0)

        return call

    monkeypatch.setattr(make.time, "perf_counter", lambda: now[0])
    forms = [
        make.Form("a", "", 1.0, 0, 0, 0, takes(99, 99, 1, 50, 2, 3), takes(8)),
        make.Form("b", "", 1.0, 0, 0, 0, takes(10), takes(4)),
    ]
    found = make.latencies(forms, np.zeros((5, 4, 3), dtype=np.float32), repeats=3)
    np.testing.assert_allclose(found, [[2, 2], [10, 1]])
