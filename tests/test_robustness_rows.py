"""The script of robustness trains, measures and packs, and goes on; the shipped networks are what they say."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, script

from biornn_lite import robustness_studies, trained_networks
from biornn_lite.audit import Part, variant
from biornn_lite.errors import InputError
from biornn_lite.results import KEY, read_results
from biornn_lite.robustness import accuracies
from biornn_lite.robustness_verdict import TABLES
from biornn_lite.seeds import run_seed
from biornn_lite.tasks import TASKS
from biornn_lite.trained_networks import SHIPPED, load_trained_networks, write_trained_networks
from biornn_lite.training import Settings, held_out_trials

TINY = Settings(epochs=1, batches=2, batch_size=8, test_trials=32)


@pytest.fixture(scope="module")
def make():
    return script("data/make_robustness.py")


@pytest.fixture
def here(make, tmp_path, monkeypatch):
    """A folder for the packed tables, and few trials for each measure."""
    for what, few in {"ALL_TRIALS": 32, "SOME_TRIALS": 16, "FEW_TRIALS": 8, "TRIALS_PER_COHERENCE": 8}.items():
        monkeypatch.setattr(robustness_studies, what, few)
    monkeypatch.setattr(make, "HERE", tmp_path / "data")
    return tmp_path / "data"


def tiny(name: str = "5120 trials", tasks=("go_nogo",), runs: int = 1) -> Part:
    variants = ("W*D*", *(variant(start, "D*", "no C") for start in ("0.95 I", "orthogonal")))
    return Part("no penalty", name, "5_3_4", variants, tasks, runs, 21, settings=TINY)


def train(make, part, field, out, **more):
    make.make(part, field, out, jobs=1, progress=False, retraining=TINY, **more)


def test_a_part_is_trained_measured_and_packed_with_its_plan(make, small, here, tmp_path):
    out = tmp_path / "out"
    whole, few = tiny(tasks=("go_nogo", "perceptual_decision_making")), tiny("640 trials", runs=2)
    for part in (whole, few):
        train(make, part, small, out)
    make.pack(out)
    networks, curves, measures = (pd.read_csv(here / name) for name in TABLES)
    plan = (ROOT / "docs" / "robustness_plan.md").read_bytes()
    assert set(networks["plan"]) == {hashlib.sha256(plan).hexdigest()[:12]} and len(networks) == 12
    assert set(networks["seed"]) == {run_seed(21, run) for run in range(2)}
    assert set(curves["part"]) == {"5120 trials"} and len(curves) == 6
    ends = measures[measures["measure"] == "accuracy"].merge(networks, on=["study", "part", *KEY])
    assert len(ends) == 12 and np.allclose(ends["value"], ends["test_accuracy"], atol=1e-5)
    of = measures.groupby("part")["measure"].nunique()
    assert of["640 trials"] == 1 and of["5120 trials"] > 30
    keys = ["study", "part", *KEY, "measure", "severity"]
    assert list(measures) == [*keys, "value"] and not measures.duplicated(keys).any()
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    make.pack(out)
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_it_goes_on_where_it_was_stopped(make, small, here, tmp_path, monkeypatch):
    part, out, measured = tiny(runs=2), tmp_path / "out", []
    folder, own = make.folder_of(part, out), make.measured

    def measure(networks, *rest):
        if len(measured) == 1:
            raise KeyboardInterrupt
        measured.append(len(networks.w))
        return own(networks, *rest)

    with monkeypatch.context() as m:
        m.setattr(make, "measured", measure)
        with pytest.raises(KeyboardInterrupt):
            train(make, part, small, out)
    rows, first = (folder / "results.csv").read_bytes(), make.measures_of(folder)
    assert first[KEY].drop_duplicates().shape == (3, 3), "a group is the variants of one task and run"
    with monkeypatch.context() as m:
        m.setattr("biornn_lite.study.train", lambda *_: pytest.fail("trained again"))
        train(make, part, small, out)
        assert (folder / "results.csv").read_bytes() == rows
        after = make.measures_of(folder)
        assert len(after) == 2 * len(first) and after.merge(first).equals(first)
        m.setattr(make, "measured", lambda *_: pytest.fail("measured again"))
        train(make, part, small, out, forget=True)
        assert not (folder / "networks").exists()
        train(make, part, small, out)
    more = replace(part, runs=3)
    train(make, more, small, out, forget=True)
    assert len(make.measures_of(folder)) == 3 * len(first) and len(read_results(folder).networks) == 9


def test_measures_do_not_depend_on_the_group(make, small, here, tmp_path, monkeypatch):
    part, found = tiny(), []
    for name, size in (("together", 7), ("alone", 1)):
        monkeypatch.setattr(make, "SIDE_BY_SIDE", size)
        train(make, part, small, tmp_path / name)
        found.append(make.measures_of(make.folder_of(part, tmp_path / name)))
    keys = [*KEY, "measure", "severity"]
    both = found[0].merge(found[1], on=keys, suffixes=("", "_alone"))
    assert len(both) == len(found[0]) == len(found[1])
    np.testing.assert_allclose(both["value"], both["value_alone"], rtol=1e-3, atol=0.13)  # a trial or two of 16
    assert np.isclose(both["value"], both["value_alone"], rtol=1e-4, equal_nan=True).mean() > 0.97


def test_a_diverged_network_has_a_row_and_no_measures(make, small, here, tmp_path):
    part = replace(tiny(), settings=replace(TINY, learning_rate=1e30))
    train(make, part, small, tmp_path)
    folder = make.folder_of(part, tmp_path)
    assert set(read_results(folder).networks["status"]) == {"diverged"}
    assert make.measures_of(folder).empty and make.complete(part.on(small), folder)
    make.pack(tmp_path)
    assert len(pd.read_csv(here / TABLES[0])) == 3


def test_rows_of_another_plan_are_not_continued(make, small, here, tmp_path, monkeypatch):
    (tmp_path / "plan.md").write_text("Another plan.", encoding="utf-8")
    train(make, tiny("640 trials"), small, tmp_path / "out")
    monkeypatch.setattr(make, "PLAN", tmp_path / "plan.md")
    with pytest.raises(InputError, match="follow another plan"):
        train(make, tiny("640 trials", runs=2), small, tmp_path / "out")
    with pytest.raises(InputError, match="no rows here to pack"):
        make.pack(tmp_path / "empty")


# Shipped networks


@pytest.fixture(scope="module")
def shipped(make, small, tmp_path_factory):
    """A file of networks as the script writes it, of a smaller field and trained for a moment."""
    out = tmp_path_factory.mktemp("shipped")
    with pytest.MonkeyPatch.context() as m:
        m.setattr(make, "HERE", out)
        make.make_networks(small, out, jobs=1, progress=False, settings=TINY)
    return out / "trained_networks.npz"


def test_there_are_twenty_networks_with_controls():
    assert len(SHIPPED) == len(set(SHIPPED)) == 20 and {task for _, task, _ in SHIPPED} == set(TASKS)
    assert {"functional", "diagonal alone", "0.95 I", "orthogonal"} < {start for start, _, _ in SHIPPED}


def test_loaded_networks_are_those_that_were_trained(shipped):
    found = load_trained_networks(shipped)
    assert [(n.start, n.task, n.run) for n in found] == list(SHIPPED)
    for network in found:
        assert network.seed == run_seed(21, network.run)
        trials = held_out_trials(TASKS[network.task], [network.seed], 32)
        assert accuracies(network.networks, *trials) == network.test_accuracy
    assert len({network.state["w"].tobytes() for network in found}) == 20


def rewritten(path, out, change):
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(out, **arrays)
    return out


def nudge(arrays):
    arrays["3.w"] = arrays["3.w"] + np.float32(1e-6)


def of_another_task(arrays):
    for part in ("w", "w_in", "b", "w_out", "b_out"):
        arrays[f"0.{part}"] = arrays[f"1.{part}"]


DAMAGE = {
    "its weights are not those of its digest": nudge,
    "7.w_out is missing": lambda arrays: arrays.pop("7.w_out"),
    "extra is not a part of it": lambda arrays: arrays.update(extra=np.ones(2)),
    "has infinite values or NaN": lambda arrays: arrays.update({"2.b": arrays["2.b"] * np.nan}),
    "w of .* is float64": lambda arrays: arrays.update({"0.w": arrays["0.w"].astype(float)}),
    r"w_in of .* is float32 of shape \(3, 24\)": of_another_task,
    "test accuracies": lambda arrays: arrays.update(test_accuracy=np.full(20, 1.1)),
    "Object arrays cannot be loaded": lambda arrays: arrays.update({"0.w": np.array([{}], dtype=object)}),
}


@pytest.mark.parametrize("message", DAMAGE)
def test_a_changed_file_is_refused_in_one_line(message, shipped, tmp_path):
    path = rewritten(shipped, tmp_path / "changed.npz", DAMAGE[message])
    with pytest.raises(InputError, match=f"not the networks of synthetic_column .*{message}") as error:
        load_trained_networks(path)
    assert "\n" not in str(error.value)


def test_other_files_are_refused(shipped, tmp_path):
    path = tmp_path / "text.npz"
    path.write_text("not an archive")
    with pytest.raises(InputError, match="not the networks"):
        load_trained_networks(path)
    path.write_bytes(shipped.read_bytes()[:-200])
    with pytest.raises(InputError, match="not the networks"):
        load_trained_networks(path)
    with path.open("wb") as file:
        file.truncate(trained_networks.LARGEST + 1)
    with pytest.raises(InputError, match="too large"):
        load_trained_networks(path)
    with pytest.raises(InputError, match="no such file"):
        load_trained_networks(tmp_path / "none.npz")
    with pytest.raises(InputError, match="20 of the 20 networks are missing"):
        write_trained_networks(tmp_path / "out.npz", {}, {})
