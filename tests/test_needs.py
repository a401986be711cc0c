"""What researchers come with, each through the front door: no test is longer than 25 lines, private or a patch."""

import ast
import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import torch

from biornn_lite import (
    CorticalField,
    Priors,
    Settings,
    Study,
    Task,
    Variant,
    fetch_field,
    field_from_events,
    paired,
    read_network,
    run_study,
    train,
    watch,
)
from biornn_lite.__main__ import main
from biornn_lite.errors import InputError
from biornn_lite.figures.field import field_map
from biornn_lite.figures.study import accuracy_figure, learning_figure
from biornn_lite.network import Networks, RecurrentNetworks, networks_of
from biornn_lite.results import format_table, read_results
from biornn_lite.variants import PROTOCOLS
from biornn_lite.weights import Functional, Identity, SameSpectrum

QUICK = Settings(epochs=2, batches=3, batch_size=16, test_trials=40)


@pytest.fixture(scope="module")
def field(column):
    return column.select(range(24))


def ring(field, rng):
    """A start: each neuron excites the next."""
    return 0.9 * np.roll(np.eye(field.neurons), 1, axis=1) + 0.01 * rng.normal(size=(field.neurons,) * 2)


def depth_only(field):
    """A space: how much deeper one neuron lies than another, in mm."""
    return np.abs(np.subtract.outer(field.positions[:, 1], field.positions[:, 1])) / 1000


def random_graph(field, rng):
    """A target: as many connections as the connectome has, anywhere."""
    return rng.permutation(field.connectome.ravel()).reshape(field.connectome.shape)


@dataclass(frozen=True)
class DelayedCopy(Task):
    """Say after a delay which of two channels was on."""

    name: str = "delayed_copy"
    title: str = "Delayed copy"
    inputs: int = 2
    steps: int = 12
    classes: int = 2
    delay: int = 6

    def trials(self, count, rng):
        labels = rng.integers(2, size=count)
        inputs = np.zeros((count, self.steps, 2))
        inputs[np.arange(count), : self.steps - self.delay, labels] = 1
        return inputs, labels


def quadratic(weights, cost):
    """A penalty: the sum of squares, weighed by distance."""
    return (cost * weights**2).sum((1, 2))


class Leaky(Networks):
    """Networks that keep half of their state from step to step."""

    def step(self, h, x):
        return 0.5 * h + 0.5 * super().step(h, x)


def test_another_field(tmp_path):
    rng = np.random.default_rng(0)
    trains = [np.sort(rng.uniform(0, 600, 300)) for _ in range(12)]
    mine = field_from_events("mine", rng.uniform(0, 300, (12, 3)), rng.random((12, 12)) < 0.2, trains)
    mine.save(tmp_path / "mine.npz")
    again = fetch_field(str(tmp_path / "mine.npz"))
    rows = run_study(Study(again, "W*D*C*", "go_nogo", 2, settings=QUICK), progress=False).networks
    assert list(rows["field"]) == ["mine", "mine"] and (rows["status"] == "ok").all()


def test_kept_weights(field, tmp_path):
    study = Study(field, ["W*D*C*", "W"], "go_nogo", 2, settings=QUICK)
    run_study(study, tmp_path, progress=False)
    kept = run_study(study, tmp_path, progress=False, keep_networks=True)
    for variant, task, run in study.networks:
        from_file, again = read_network(tmp_path, variant, task, run), study.network(variant, task, run)
        for name, values in from_file.named_parameters():
            assert torch.equal(values, dict(again.named_parameters())[name]), name
    one = read_network(tmp_path, "W*D*C*", "go_nogo", 1).single()
    inputs, labels = study.task("go_nogo").trials(200, np.random.default_rng(0))
    right = (one(torch.from_numpy(inputs)).argmax(1).numpy() == labels).mean()
    assert right == pytest.approx(kept.networks["test_accuracy"][1], abs=0.2)
    assert one.activity(torch.from_numpy(inputs)).shape == (200, 40, 24)
    with pytest.raises(InputError, match=r"study\.network"):
        read_network(tmp_path, "W", "go_nogo", 7)


def test_an_own_start(field, tmp_path):
    variants = [Variant("ring", ring), Variant("ring of λ", ring, "cortical"), Variant("I", Identity(0.9)), "W"]
    rows = run_study(Study(field, variants, "go_nogo", 2, settings=QUICK), tmp_path, 2, progress=False).networks
    assert list(rows["variant"].unique()) == ["ring", "ring of λ", "I", "W"]
    said = rows.drop_duplicates("variant")["own_objects"].tolist()
    assert said[0].startswith("weights test_needs.ring ") and "weights.Identity" in said[2] and said[3] == "none"
    assert "ring of λ" in format_table(rows, "mine") and len(accuracy_figure(rows, "mine").axes) == 1
    with pytest.raises(InputError, match="the variant ring is another one there than here"):
        run_study(Study(field, Variant("ring", Identity(0.8)), "go_nogo", settings=QUICK), tmp_path, progress=False)
    anonymous = Study(field, Variant("λ", lambda field, rng: np.eye(24)), "go_nogo", 2, settings=QUICK)
    told = [run_study(anonymous, jobs=jobs, progress=False).networks["own_objects"] for jobs in (1, 2)]
    assert told[0].equals(told[1]) and len(set(told[0])) == 1
    *_, last = watch(field, [Variant("same spectrum", SameSpectrum()), "W*"], "go_nogo", settings=QUICK)
    assert list(last) == ["same spectrum", "W*"]


def test_an_own_task(field, tmp_path):
    tasks = [DelayedCopy(), replace(DelayedCopy(), name="longer", delay=9), "go_nogo"]
    study = Study(field, ["W", "WD"], tasks, 2, settings=QUICK)
    here = run_study(study, tmp_path / "one", 1, progress=False)
    there = run_study(study, tmp_path / "two", 2, progress=False)
    assert list(here.networks["task"].unique()) == ["delayed_copy", "longer", "go_nogo"]
    pd.testing.assert_frame_equal(here.curves, there.curves, check_exact=False, rtol=1e-4)
    assert "Delayed" not in format_table(here.networks, "mine"), "its ceilings are not known"
    assert learning_figure(here, "delayed_copy", ["W"], "mine").axes[0].get_title() == "delayed_copy"
    with pytest.raises(InputError, match="the task delayed_copy is another one there than here"):
        run_study(replace(study, tasks=replace(DelayedCopy(), delay=2)), tmp_path / "one", progress=False)
    same = read_results(tmp_path / "two")
    pd.testing.assert_frame_equal(same.networks, there.networks)


@pytest.mark.slow
def test_an_own_task_on_a_dask_cluster(field):
    distributed = pytest.importorskip("distributed")
    study = Study(field, [Variant("ring", ring), "W"], DelayedCopy(), 1, settings=QUICK, penalty=quadratic)
    here = run_study(study, jobs=1, progress=False).networks
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        there = run_study(study, progress=False).networks
    pd.testing.assert_series_equal(here["test_loss"], there["test_loss"], rtol=1e-4)


def test_an_own_penalty_and_distance(field, tmp_path):
    deep = Variant("by depth", "functional", depth_only, random_graph)
    start = Priors(field).start(deep, 3)
    np.testing.assert_array_equal(start.cost, 0.3 * depth_only(field))
    study = Study(field, [deep, "W*D*"], "go_nogo", 1, settings=QUICK, penalty=quadratic)
    rows = run_study(study, tmp_path, progress=False).networks
    network = study.network("W*D*", "go_nogo", 0)
    cost = torch.tensor(Priors(field).start("W*D*", rows["seed"][1]).cost, dtype=torch.float32)
    assert rows["penalty"][1] == pytest.approx(float((cost * network.w.detach()[0] ** 2).sum()), rel=1e-5)
    with pytest.raises(InputError, match="penalty is"):
        run_study(replace(study, penalty=None), tmp_path, progress=False)
    with pytest.raises(InputError, match="one number per run is needed"):
        run_study(replace(study, penalty=lambda w, cost: w.sum()), progress=False)


def test_fields_without_activity_and_without_wiring(column, tmp_path):
    positions, labels = column.positions[:12], [f"AVA{k}" for k in range(12)]
    worm = CorticalField("worm", positions, connectome=column.connectome[:12, :12], labels=labels)
    blind = CorticalField("blind", positions, correlation=column.correlation[:12, :12], sttc=column.sttc[:12, :12])
    for field, possible, impossible, says in (
        (worm, "WD*C*", "W*", r"W\* needs function .correlation.; worm has none"),
        (blind, "W*D*C", "W*D*C*", r"C\* needs wiring .connectome.; blind has none, only positions and correlation"),
    ):
        rows = run_study(Study(field, possible, "go_nogo", 1, settings=QUICK), progress=False).networks
        assert (rows["status"] == "ok").all()
        with pytest.raises(InputError, match=says):
            Study(field, impossible, "go_nogo")
        field.save(tmp_path / "field.npz")
        again = CorticalField.load(tmp_path / "field.npz")
        assert (again.connectome is None, again.sttc is None) == (field.connectome is None, field.sttc is None)
        assert field.name in field_map(again, accuracy_figure(rows, "").axes[0]).get_title()
    assert list(CorticalField.load(tmp_path / "field.npz").select([2, 1]).positions[0]) == list(positions[2])
    assert list(worm.select([2, 1]).labels) == ["AVA2", "AVA1"]


def test_own_settings(field, tmp_path):
    study = Study(field, "W", "perceptual_decision_making", 1, settings=replace(QUICK, input_noise=0.5))
    rows = run_study(study, tmp_path, progress=False).networks
    assert rows["input_noise"][0] == 0.5 and rows["batches"][0] == 3
    assert "best possible 0.799" in format_table(rows, "mine"), "the ceiling knows the noise"
    with pytest.raises(InputError, match=r"input_noise is 0\.5 there and 0\.05 here"):
        run_study(replace(study, settings=QUICK), tmp_path, progress=False)
    with pytest.raises(InputError, match="batches is 0; it must be at least 1"):
        Settings(batches=0)


def test_an_own_network(field, tmp_path):
    study = Study(field, ["W", "W*"], "go_nogo", 2, settings=QUICK, architecture=Leaky)
    rows = run_study(study, tmp_path, 2, progress=False, keep_networks=True).networks
    assert rows["own_objects"].str.startswith("architecture test_needs.Leaky").all()
    kept, again = read_network(tmp_path, "W*", "go_nogo", 0, Leaky), study.network("W*", "go_nogo", 0)
    assert torch.equal(kept.w, again.w) and isinstance(kept, Leaky)
    x = torch.rand(3, 40, 3)
    h = torch.zeros(3, 24)
    for t in range(40):
        h = 0.5 * h + 0.5 * torch.relu(x[:, t] @ kept.w_in[0] + h @ kept.w[0] + kept.b[0])
    torch.testing.assert_close(kept.single()(x), h @ kept.w_out[0] + kept.b_out[0])


def test_what_a_network_was_is_told(field, tmp_path):
    class Loud(Networks):
        def forward(self, x):
            return 2 * super().forward(x)

    with pytest.raises(InputError, match="inherit from Networks"):
        type("Wrong", (RecurrentNetworks,), {"step": Leaky.step})
    study = Study(field, "W", "go_nogo", 1, sign="positive", settings=QUICK, architecture=Loud)
    run_study(study, tmp_path, progress=False, keep_networks=True)
    network = read_network(tmp_path, "W", "go_nogo", 0, Loud)
    assert network.sign == "positive" and (network.w >= 0).all()
    x = torch.rand(4, 40, 3)
    torch.testing.assert_close(network.single()(x), network(x.transpose(0, 1)[:, None])[0])
    with pytest.raises(InputError, match=r"its networks are .*Loud, not .*RecurrentNetworks"):
        read_network(tmp_path, "W", "go_nogo", 0)
    with pytest.raises(InputError, match="extra differs"):
        networks_of([study.network("W", "go_nogo", 0).state_of_run(0) | {"extra": np.zeros(2)}], Loud)


def test_weights_are_kept_later_and_no_row_is_lost(field, tmp_path):
    before = run_study(Study(field, ["W", "WD"], "go_nogo", 2, settings=QUICK), tmp_path, progress=False)
    after = run_study(Study(field, "W", "go_nogo", 3, settings=QUICK), tmp_path, progress=False, keep_networks=True)
    assert len(after.networks) == 5 and len(read_results(tmp_path).curves) == 10
    same = after.networks.merge(before.networks, on=["variant", "run"])
    assert len(same) == 4 and (same["seconds_x"] == same["seconds_y"]).all(), "rows stay"
    assert len(list((tmp_path / "networks").iterdir())) == 3


def test_a_penalty_that_cannot_be_matched_is_refused(field):
    for variant, protocol in (
        (Variant("I", Identity(), "cortical"), "sound"),
        ("W*D*", replace(PROTOCOLS["sound"], self_connections="only")),
    ):
        with pytest.raises(InputError, match="penalty_start=matched cannot scale the penalty"):
            Study(field, variant, "go_nogo", protocol=protocol)
    kept = Priors(field, replace(PROTOCOLS["published"], positive_start="rescaled"), "positive")
    np.testing.assert_array_equal(kept.start(Variant("half", Identity(0.5)), 0).weights, 0.5 * np.eye(24))


def test_fields_that_differ_in_anything_do_not_share_a_folder(field, tmp_path):
    study = Study(field, "W", "go_nogo", 1, settings=QUICK)
    run_study(study, tmp_path, progress=False)
    other = np.random.default_rng(0).permutation(24)
    shuffled = replace(field, connectome=field.connectome[np.ix_(other, other)])
    for changed in (shuffled, replace(field, voxel_size=(1, 1, 1)), replace(field, spike_times=None)):
        with pytest.raises(InputError, match="field_digest is"):
            run_study(replace(study, field=changed), tmp_path, progress=False)


def test_export(field):
    (trained,) = train(Priors(field).starts(["W*"], 0), "go_nogo", 0, QUICK)
    assert set(trained.state) == {"w", "w_in", "w_out", "b", "b_out"}
    network = Study(field, "W*", "go_nogo", 1, settings=QUICK).network("W*", "go_nogo", 0).single()
    x = torch.rand(5, 7, 3, requires_grad=True)
    network(x).sum().backward()
    assert x.grad.abs().sum() > 0, "trials of any length, and gradients with respect to them"
    exported = torch.export.export(network, (torch.rand(2, 40, 3),))
    torch.testing.assert_close(exported.module()(torch.ones(2, 40, 3)), network(torch.ones(2, 40, 3)))


def test_two_studies_paired(field):
    first = Study(field, ["W*", "W"], "go_nogo", 3, settings=QUICK)
    rows = [run_study(study, progress=False).networks for study in (first, replace(first, penalty=quadratic))]
    table = pd.concat([rows[0].assign(study="published"), rows[1].assign(study="quadratic")])
    of_start = table[table["variant"] == "W*"]
    found = paired(of_start, "test_loss", [("quadratic", "published")], by="study").iloc[0]
    losses = [of_start[of_start["study"] == name]["test_loss"].to_numpy() for name in ("quadratic", "published")]
    assert found["n"] == 3 and found["difference"] == pytest.approx((losses[0] - losses[1]).mean())
    own = Study(field, ["W*", Variant("F", Functional())], "go_nogo", 2, settings=QUICK)
    same = run_study(own, progress=False).networks
    assert paired(same, "test_loss", [("F", "W*")])["difference"][0] == 0, "the same start from the same stream"


def test_the_command_takes_objects_and_settings(tmp_path, capsys):
    source = (
        "import biornn_lite as b\nfrom biornn_lite.weights import Identity\neye = b.Variant('I', Identity(0.9))\n"
    )
    (tmp_path / "mine.py").write_text(source)
    call = ["replicate", "--neurons", "12", "--runs", "1", "--tasks", "go_nogo", "--out", "out", "--keep-networks"]
    own = ["--variants", "mine:eye", "W", "--set", "batches=2", "--set", "epochs=1", "--set", "units=micrometres"]
    for more, code, says in (
        (own, 0, ""),
        (["--variants", "mine:none"], 2, "module 'mine' has no attribute 'none'; MODULE:OBJECT names a Variant"),
        (["--variants", "mine:Identity"], 2, "mine:Identity: it is a type; a biornn_lite.Variant is needed"),
        (["--set", "batches=x"], 2, "batches is 'x'; it must be a whole number"),
        (["--set", "bathces=2"], 2, "no choice 'bathces'; there are coordinates"),
        (["--set", "batches"], 2, "setting 'batches' is not of the form choice=value"),
    ):
        with contextlib.chdir(tmp_path):
            assert main([*call, *more]) == code
        assert says in capsys.readouterr().err
    rows = read_results(tmp_path / "out").networks
    assert list(rows["variant"]) == ["I", "W"] and list(rows["batches"]) == [2, 2] and len(rows["units"]) == 2
    assert read_network(tmp_path / "out", "I", "go_nogo", 0).w.shape == (1, 12, 12)


def test_each_need_is_met_in_few_lines_and_in_public():
    for node in ast.parse(Path(__file__).read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert node.end_lineno - node.lineno < 25, node.name
            names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
            assert not [name for name in names if name.startswith("_")] and "monkeypatch" not in ast.dump(node.args)
