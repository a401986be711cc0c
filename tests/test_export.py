"""Exported networks: they answer as the library does, elsewhere, and what cannot be exported is refused."""

import inspect
import re
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from scipy.sparse import csr_array

from biornn_lite import Priors, Settings, Study, read_network, run_study, train
from biornn_lite import export as exporting
from biornn_lite.__main__ import main
from biornn_lite.errors import InputError
from biornn_lite.export import (
    OUTSIDE,
    Cost,
    cost,
    export_npz,
    export_onnx,
    export_step_onnx,
    quantized,
    read_npz,
    run,
)
from biornn_lite.network import Networks, RecurrentNetworks, networks_of
from biornn_lite.robustness import pruned
from biornn_lite.study_folder import network_file, write_network
from biornn_lite.synthetic import synthetic_field
from biornn_lite.tasks import TASKS

onnx = pytest.importorskip("onnx", reason="needs the extra export")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra export")
pytest.importorskip("onnxscript", reason="needs the extra export")

QUICK = Settings(epochs=1, batches=4, batch_size=16, test_trials=40, learning_rate=0.01)
SIZES = [24, 96, 312]


@pytest.fixture(scope="module")
def trained():
    """A network of this many neurons, hardly trained on this task; each is made once."""
    fields, made = {}, {}

    def network(neurons, task) -> Networks:
        if (neurons, task) not in made:
            field = fields.setdefault(neurons, synthetic_field(neurons))
            (one,) = train(Priors(field).starts(["W*"], 0), task, 0, QUICK)
            made[neurons, task] = networks_of([one.state])
        return made[neurons, task]

    return network


@pytest.fixture(scope="module")
def kept(small, tmp_path_factory):
    """The folder of a study that keeps its one network."""
    out = tmp_path_factory.mktemp("study")
    run_study(Study(small, "W*", "go_nogo", 1, settings=QUICK), out, 1, progress=False, keep_networks=True)
    return out


class Leaky(Networks):
    """Networks that keep half of their state from step to step."""

    def step(self, h, x):
        return 0.5 * h + 0.5 * super().step(h, x)


def several_trials(network, task="go_nogo"):
    """Inputs (batch, steps, inputs): trials of the task, more and longer ones, and one of one step."""
    rng = np.random.default_rng(0)
    shapes = ((7, 63), (1, 1))
    others = [rng.normal(size=(*shape, network.w_in.shape[1])).astype(np.float32) for shape in shapes]
    return [TASKS[task].trials(5, rng)[0], *others]


def answers(network, inputs):
    """Logits and last state by the library."""
    with torch.no_grad():
        one, x = network.single(), torch.from_numpy(inputs)
        return one(x).numpy(), one.activity(x)[:, -1].numpy()


def rounding(network, inputs, share=0.03):
    """The most that 8 bits may change a logit: a share of the sum of absolute values that make it."""
    _, state = answers(network, inputs)
    return share * (np.abs(state) @ np.abs(network.state_of_run(0)["w_out"])).max()


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def operators(path):
    """Names of the operators of all nodes, also of those inside a loop."""
    return [node.op_type for graph in exporting._graphs(onnx.load(path).graph) for node in graph.node]


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("neurons", SIZES)
def test_runtimes_answer_as_the_library(trained, tmp_path, neurons, task):
    network = trained(neurons, task)
    export_onnx(network, tmp_path / "network.onnx")
    export_npz(network, tmp_path / "network.npz")
    runtime, arrays = session(tmp_path / "network.onnx"), read_npz(tmp_path / "network.npz")
    assert [output.name for output in runtime.get_outputs()] == ["logits", "state"]
    for inputs in several_trials(network, task):
        expected = answers(network, inputs)
        assert expected[0].shape == (len(inputs), TASKS[task].classes)
        for found in (runtime.run(None, {"inputs": inputs}), run(arrays, inputs)):
            close(found[0], expected[0])
            close(found[1], expected[1])


@pytest.mark.parametrize(("neurons", "task"), list(zip(SIZES, TASKS, strict=True)))
def test_step_by_step_is_the_same_as_a_whole_trial(trained, tmp_path, neurons, task):
    network = trained(neurons, task)
    export_step_onnx(network.single(), tmp_path / "step.onnx")
    step = session(tmp_path / "step.onnx")
    for inputs in several_trials(network, task):
        state = np.zeros((len(inputs), neurons), dtype=np.float32)
        for t in range(inputs.shape[1]):
            logits, state = step.run(["logits", "next_state"], {"inputs": inputs[:, t], "state": state})
        for found, expected in zip((logits, state), answers(network, inputs), strict=True):
            close(found, expected)


def test_the_recurrence_is_one_loop_whatever_the_length(trained, tmp_path, monkeypatch):
    found = {}
    for steps in (10, 40):
        monkeypatch.setattr(exporting, "_STEPS", steps)
        path = tmp_path / f"{steps}.onnx"
        export_onnx(trained(24, "go_nogo"), path)
        found[steps] = operators(path), path.stat().st_size
    assert found[10] == found[40]
    assert found[10][0].count("Scan") == 1 and "Loop" not in found[10][0] and len(found[10][0]) < 20


def test_a_file_holds_all_weights_and_nothing_of_where_it_was_made(trained, tmp_path):
    network = trained(24, "go_nogo")
    export_onnx(network, tmp_path / "network.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
    content = (tmp_path / "network.onnx").read_bytes()
    assert not [word for word in (str(ROOT), str(Path.home()), ".py", "aten") if word.encode() in content]
    model = onnx.load_model_from_string(content)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, values in network.state_of_run(0).items():
        np.testing.assert_array_equal(stored[f"network.{name}"].reshape(values.shape), values)
    assert stored["network.w"].shape == (24, 24)
    shapes = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.input]
    assert shapes == [["batch", "steps", 3]] and "input noise of training is not in" in model.doc_string


def test_exporting_does_not_change_the_network(trained, tmp_path):
    network = trained(24, "go_nogo")
    before = network.state_of_run(0)
    export_onnx(network, tmp_path / "network.onnx")
    assert all(values.requires_grad for values in network.parameters())
    for name, values in network.state_of_run(0).items():
        np.testing.assert_array_equal(values, before[name])


# Networks of one's own


def test_own_networks_are_exported_with_their_step(trained, tmp_path):
    network = networks_of([trained(24, "go_nogo").state_of_run(0)], Leaky)
    export_onnx(network, tmp_path / "network.onnx")
    export_step_onnx(network, tmp_path / "step.onnx")
    assert operators(tmp_path / "network.onnx").count("Scan") == 1
    runtime, step = session(tmp_path / "network.onnx"), session(tmp_path / "step.onnx")
    for inputs in several_trials(network):
        expected, state = answers(network, inputs)
        close(runtime.run(["logits"], {"inputs": inputs})[0], expected)
        before = answers(network, inputs[:, :-1])[1] if inputs.shape[1] > 1 else np.zeros_like(state)
        close(step.run(["next_state"], {"inputs": inputs[:, -1], "state": before})[0], state)
    for refuse in (cost, lambda one: export_npz(one, tmp_path / "network.npz")):
        with pytest.raises(InputError, match="Leaky has its own step; only export_onnx"):
            refuse(network)


def test_what_no_loop_over_steps_can_say_is_refused(trained, tmp_path):
    class Loud(Networks):
        def forward(self, x):
            return 2 * super().forward(x)

    class Doubting(Networks):
        def step(self, h, x):
            return h if float(h.sum()) > 1 else super().step(h, x)

    state = trained(24, "go_nogo").state_of_run(0)
    for kind, says in (
        (Loud, "Loud has its own forward"),
        (Doubting, r"cannot export .*Doubting .*PyTorch operations"),
    ):
        with pytest.raises(InputError, match=says):
            export_onnx(networks_of([state], kind), tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


# Refusals


@pytest.mark.parametrize("write", [export_onnx, export_step_onnx, export_npz])
def test_a_network_that_diverged_is_refused(trained, tmp_path, write):
    state = trained(24, "go_nogo").state_of_run(0)
    for name, value in (("w", np.nan), ("b_out", np.inf)):
        broken = {key: values.copy() for key, values in state.items()}
        broken[name].flat[0] = value
        with pytest.raises(InputError, match=f"^{name} of this network has infinite values or NaN: it diverged"):
            write(networks_of([broken]), tmp_path / f"network.{'npz' if write is export_npz else 'onnx'}")
    explosive = state | {"w": np.full((24, 24), 5, dtype=np.float32), "w_in": np.abs(state["w_in"])}
    with pytest.raises(InputError, match="overflows within 50 steps"):
        write(networks_of([explosive]), tmp_path / f"network.{'npz' if write is export_npz else 'onnx'}")
    assert not list(tmp_path.iterdir())


def test_what_is_not_one_network_is_refused(trained, tmp_path):
    state = trained(24, "go_nogo").state_of_run(0)
    with pytest.raises(InputError, match=r"these are 2 networks side by side; networks\.single\(run\)"):
        export_onnx(networks_of([state, state]), tmp_path / "network.onnx")
    with pytest.raises(InputError, match=r"network is a dict; one of read_network"):
        export_onnx(state, tmp_path / "network.onnx")


def test_where_no_file_can_be_is_said(trained, tmp_path):
    network = trained(24, "go_nogo")
    for write, name, says in (
        (export_onnx, "network.pt", r"network\.pt: the name of this file must end in \.onnx"),
        (export_step_onnx, "network", r"must end in \.onnx"),
        (export_npz, "network.onnx", r"must end in \.npz"),
        (export_npz, "nowhere/network.npz", r"nowhere/network\.npz: cannot be written"),
        (export_onnx, "nowhere/network.onnx", r"nowhere/network\.onnx: cannot be written"),
    ):
        with pytest.raises(InputError, match=says):
            write(network, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named(trained, tmp_path, monkeypatch, missing):
    path = tmp_path / "network.onnx"
    path.write_bytes(b"old")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=rf'^{missing} cannot be imported .*pip install "biornn_lite\[export\]"$'):
        quantized(path, path) if missing == "onnxruntime" else export_onnx(trained(24, "go_nogo"), path)
    assert path.read_bytes() == b"old"


def test_a_file_that_export_npz_did_not_write_is_refused(trained, tmp_path):
    path = tmp_path / "network.npz"
    with pytest.raises(InputError, match="no such file"):
        read_npz(path)
    path.write_bytes(b"PK nonsense")
    with pytest.raises(InputError, match="not a saved network"):
        read_npz(path)
    export_npz(trained(24, "go_nogo"), path)
    with np.load(path, allow_pickle=False) as file:
        good = dict(file)
    assert {name: array.shape for name, array in good.items()} == {
        "w_in": (3, 24), "w": (24, 24), "w_out": (24, 2), "b": (24,), "b_out": (2,)
    }  # fmt: skip
    for other in (good | {"b": good["b"][None]}, good | {"more": good["b"]}, {"w": good["w"]}, {"w": np.array([{}])}):
        np.savez(path, **other)
        with pytest.raises(InputError, match=r"its arrays are not those of export_npz|not a saved network"):
            read_npz(path)
    for name, values in (("w", good["w"].astype(float)), ("b", good["b"] * np.nan), ("w_in", good["w_in"] + np.inf)):
        np.savez(path, **good | {name: values})
        with pytest.raises(InputError, match=f"{name} has infinite values or NaN, or is not float32"):
            read_npz(path)


# Sparse


@pytest.mark.parametrize("share", [1, 0.1, 0])
@pytest.mark.parametrize("neurons", SIZES)
def test_a_sparse_file_has_the_bytes_that_are_counted_and_gives_the_same_answers(trained, tmp_path, neurons, share):
    network, path = pruned(trained(neurons, "go_nogo"), share), tmp_path / "network.npz"
    export_npz(network, path, sparse=True)
    arrays = read_npz(path)
    assert "w" not in arrays and len(arrays["w_data"]) == int(torch.count_nonzero(network.w))
    assert sum(array.nbytes for array in arrays.values()) == cost(network).sparse_size
    w = csr_array(tuple(arrays[name] for name in ("w_data", "w_indices", "w_indptr")), shape=(neurons, neurons))
    np.testing.assert_array_equal(w.toarray(), network.state_of_run(0)["w"])
    with np.load(path) as plain:
        for inputs in several_trials(network):
            expected = answers(network, inputs)
            for form in (arrays, arrays | {"w": w}, plain):
                for found, right in zip(run(form, inputs), expected, strict=True):
                    assert type(found) is np.ndarray
                    close(found, right)


def test_pointers_are_as_small_as_the_number_of_weights_allows(trained, tmp_path):
    """In 312 neurons a tenth of the weights fits int16, and all of them do not."""
    for share, kind in ((0.1, np.int16), (1, np.int32)):
        export_npz(pruned(trained(312, "go_nogo"), share), tmp_path / "network.npz", sparse=True)
        arrays = read_npz(tmp_path / "network.npz")
        assert (arrays["w_indices"].dtype, arrays["w_indptr"].dtype) == (np.int16, kind)


def replaced(name, **at):
    """Change single values of an array, by their places such as ``_0`` or ``last``."""

    def change(arrays):
        for place, value in at.items():
            arrays[name][-1 if place == "last" else int(place[1:])] = value

    return change


def twice(arrays):
    """Name the first column of a row again in place of its second."""
    row = np.flatnonzero(np.diff(arrays["w_indptr"]) > 1)[0]
    first = arrays["w_indptr"][row]
    arrays["w_indices"][first + 1] = arrays["w_indices"][first]


NO_MATRIX = "w_indices and w_indptr are not those of a sparse matrix"
HOSTILE = {
    "begins late": (replaced("w_indptr", _0=1), NO_MATRIX),
    "begins before": (replaced("w_indptr", _0=-1), NO_MATRIX),
    "ends early": (replaced("w_indptr", last=5), NO_MATRIX),
    "ends beyond": (replaced("w_indptr", last=32767), NO_MATRIX),
    "goes back": (replaced("w_indptr", _3=50, _4=2), NO_MATRIX),
    "wraps around": (replaced("w_indptr", _3=32767, _4=-32768), NO_MATRIX),
    "column beyond": (replaced("w_indices", _0=24), NO_MATRIX),
    "column before": (replaced("w_indices", _0=-1), NO_MATRIX),
    "the same weight twice": (twice, NO_MATRIX),
    "pointers that are no integers": (lambda a: a.update(w_indptr=a["w_indptr"].astype(float)), NO_MATRIX),
    "columns that are texts": (lambda a: a.update(w_indices=a["w_indices"].astype(str)), NO_MATRIX),
    "NaN": (replaced("w_data", _0=np.nan), "w_data has infinite values or NaN"),
    "infinite": (replaced("w_data", last=-np.inf), "w_data has infinite values or NaN"),
    "a bias that is NaN": (replaced("b", _0=np.nan), "b has infinite values or NaN"),
    "too few columns": (lambda a: a.update(w_indices=a["w_indices"][1:]), "not those of export_npz"),
    "too few pointers": (lambda a: a.update(w_indptr=a["w_indptr"][1:]), "not those of export_npz"),
    "a matrix of pointers": (lambda a: a.update(w_indptr=a["w_indptr"][None]), "w_indptr has shape"),
    "no pointers at all": (lambda a: a.update(w_indptr=a["w_indptr"][:0]), "not those of export_npz"),
    "pointers without end": (lambda a: a.update(w_indptr=np.zeros(30_000, np.int16)), "at most 20,000"),
    "dense besides": (lambda a: a.update(w=np.zeros((24, 24), np.float32)), "not those of export_npz"),
    "weights missing": (lambda a: a.pop("w_data"), "not those of export_npz"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_sparse_file_that_is_wrong_is_refused_in_one_line(trained, tmp_path, what):
    path, (change, says) = tmp_path / "network.npz", HOSTILE[what]
    export_npz(pruned(trained(24, "go_nogo"), 0.2), path, sparse=True)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=says) as error:
        read_npz(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


# Eight bits


@pytest.mark.parametrize("write", [export_onnx, export_step_onnx])
def test_eight_bits_multiply_whole_numbers_inside_the_loop_too(trained, tmp_path, write):
    network = trained(96, "go_nogo")
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    write(network, whole)
    quantized(whole, small)
    assert operators(whole).count("MatMul") == 3
    assert operators(small).count("MatMulInteger") == 3 and "MatMul" not in operators(small)
    assert small.stat().st_size < 0.45 * whole.stat().st_size
    if write is export_onnx:
        for inputs in several_trials(network):
            expected, _ = answers(network, inputs)
            found = session(small).run(["logits"], {"inputs": inputs})[0]
            assert 0 < np.abs(found - expected).max() < rounding(network, inputs)


def test_eight_bits_of_what_is_no_onnx_file_are_refused(tmp_path):
    for content, says in ((None, "No such file"), (b"nonsense", "not an ONNX file"), (b"", "not an ONNX file")):
        path = tmp_path / "network.onnx"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=says):
            quantized(path, tmp_path / "small.onnx")
    with pytest.raises(InputError, match=r"must end in \.onnx"):
        quantized(path, tmp_path / "small.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]


# Costs


def test_costs_are_those_counted_by_hand():
    w = np.array([[0.5, 0, 0], [0, 0, -0.25], [0, 0, 0]])  # 2 of 9 are not 0
    network = RecurrentNetworks(w[None], np.ones((1, 2, 3)), np.ones((1, 3, 4)))
    # Dense: 2·3 + 3·3 a step. 6 + 9 + 12 weights and 3 + 4 biases of 4 bytes.
    # Sparse: 2·3 + 2 a step. 25 other numbers of 4 bytes; 2 weights of 4 bytes and 2 columns, 4 pointers of 2 bytes.
    assert cost(network) == Cost(step=15, sparse_step=8, readout=12, size=136, sparse_size=100 + 8 + 4 + 8)
    assert cost(network.single()) == cost(network)


def test_more_weights_than_int16_counts_take_wider_pointers():
    w = np.zeros((1, 200, 200), dtype=np.float32)
    network = RecurrentNetworks(w, np.ones((1, 1, 200)), np.ones((1, 200, 1)))
    network.w.data.view(-1)[:32767] = 1e-4
    fixed = 4 * (200 + 200 + 200 + 1)
    assert cost(network).sparse_size == fixed + 32767 * 6 + 201 * 2
    network.w.data.view(-1)[32767] = 1e-4
    assert cost(network).sparse_size == fixed + 32768 * 6 + 201 * 4


# The command


def test_the_command_writes_each_kind_of_file(kept, tmp_path, capsys):
    path, network = network_file(kept, "W*", "go_nogo", 0), read_network(kept, "W*", "go_nogo", 0)
    (inputs, *_) = several_trials(network)
    expected, _ = answers(network, inputs)
    for options, name, tolerance in (
        ([], "network.onnx", 1e-5), (["--int8"], "int8.onnx", rounding(network, inputs, 0.1)),
        (["--step"], "step.onnx", 1e-5), ([], "network.npz", 1e-5),
    ):  # fmt: skip
        out = tmp_path / name
        assert main(["export", str(path), str(out), *options]) == 0
        told = capsys.readouterr()
        assert told.err == "" and told.out.startswith(f"{out}: 3 inputs, 24 neurons, 2 answers; ")
        assert told.out.endswith(f"{out.stat().st_size:,} bytes, 648 multiply-adds a step\n")
        if name == "network.npz":
            found = run(read_npz(out), inputs)[0]
        elif options == ["--step"]:
            before = {"inputs": inputs[:, -1], "state": answers(network, inputs[:, :-1])[1]}
            found = session(out).run(["logits"], before)[0]
        else:
            found = session(out).run(["logits"], {"inputs": inputs})[0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_command_leaves_out_weights_of_0(kept, tmp_path, capsys):
    name = ("W*", "go_nogo", 0)
    state = pruned(read_network(kept, *name), 0.1).state_of_run(0)
    folder, out = tmp_path / "study", tmp_path / "network.npz"
    shutil.copytree(kept, folder)
    write_network(folder, name, state)
    assert main(["export", str(network_file(folder, *name)), str(out), "--sparse"]) == 0
    # 24 neurons with 3 inputs each; a tenth of 576 weights are left.
    assert capsys.readouterr().out.endswith(f"{out.stat().st_size:,} bytes, {72 + 58} multiply-adds a step\n")
    arrays = read_npz(out)
    assert len(arrays["w_data"]) == 58 and (arrays["w_data"] == state["w"][state["w"] != 0]).all()


def test_the_command_says_nothing_of_the_packages_that_it_uses(kept, tmp_path):
    """In a process of its own: neither warnings nor messages, and no message of others is shown from then on."""
    call = ["export", str(network_file(kept, "W*", "go_nogo", 0)), str(tmp_path / "network.onnx"), "--int8"]
    code = f"import logging; from biornn_lite.__main__ import main; main({call}); assert not logging.root.handlers"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)


@pytest.mark.parametrize(
    ("network", "call", "says"),
    [
        ("", ["network.txt"], "network.txt: its name must end in .onnx or .npz"),
        ("", ["network.npz", "--int8", "--step"], "network.npz: with --step and --int8, its name must end in .onnx"),
        ("", ["network.onnx", "--sparse"], "network.onnx: with --sparse, its name must end in .npz"),
        ("elsewhere.npz", ["network.onnx"], "elsewhere.npz: no such file; run_study"),
        ("", ["nowhere/network.onnx"], "nowhere/network.onnx: cannot be written"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(kept, tmp_path, capsys, network, call, says):
    path = kept / "networks" / network if network else network_file(kept, "W*", "go_nogo", 0)
    with chdir(tmp_path):
        assert main(["export", str(path), *call]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and says in told.err
    assert not list(tmp_path.iterdir())


def test_the_command_refuses_networks_that_it_cannot_vouch_for(small, tmp_path, capsys):
    """One that diverged, although its file is sound by now; one without a row; and those of another class."""
    study = Study(small, "W*", "go_nogo", 1, settings=Settings(1, 2, 16, 40, learning_rate=1e30))
    run_study(study, tmp_path / "a", 1, progress=False, keep_networks=True)
    healthy = train(Priors(small).starts(["W*"], 0), "go_nogo", 0, QUICK)[0].state
    write_network(tmp_path / "a", ("W*", "go_nogo", 0), healthy)
    write_network(tmp_path / "a", ("W*", "go_nogo", 1), healthy)
    own = Study(small, "W*", "go_nogo", 1, settings=QUICK, architecture=Leaky)
    run_study(own, tmp_path / "b", 1, progress=False, keep_networks=True)
    for folder, number, says in (
        ("a", 0, "this network diverged; take another run"),
        ("a", 1, "has no row of a network of this name"),
        ("b", 0, "Leaky, not biornn_lite.network.RecurrentNetworks; give the class to read_network"),
    ):
        path = network_file(tmp_path / folder, "W*", "go_nogo", number)
        with chdir(path.parent):
            assert main(["export", path.name, str(tmp_path / "network.onnx")]) == 2
        assert says in capsys.readouterr().err
    assert not (tmp_path / "network.onnx").exists()


# Elsewhere


def write_trials(folder, network, task):
    """Write the files that the script takes; return the number of right answers by the library."""
    inputs, labels = TASKS[task].trials(200, np.random.default_rng(0))
    np.savez(folder / "trials.npz", inputs=inputs.astype(np.float32), labels=labels)
    export_onnx(network, folder / "whole.onnx")
    (folder / "outside.py").write_text(OUTSIDE, encoding="utf-8")
    return int((answers(network, inputs.astype(np.float32))[0].argmax(1) == labels).sum())


def run_outside(python, folder, name):
    """Run the script on a file in a process of its own; return how many answers it says are right."""
    command = [python, "-I", "outside.py", name, "trials.npz"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    right, count, share = re.fullmatch(r"(\d+) of (\d+) answers are right: (\S+)\n", done.stdout).groups()
    assert count == "200" and float(share) == int(right) / 200
    return int(right)


def test_the_script_for_elsewhere_answers_as_the_library(trained, tmp_path):
    network = trained(96, "one_choice_inference")
    right = write_trials(tmp_path, network, "one_choice_inference")
    assert 0 < right < 200, "a network that learned nothing would hide mistakes of the script"
    assert run_outside(sys.executable, tmp_path, "whole.onnx") == right
    assert len(OUTSIDE.splitlines()) < 15 and compile(OUTSIDE, "outside.py", "exec")


ELSEWHERE = """
import importlib.util
import numpy as np
import onnxruntime

assert not [name for name in ("torch", "biornn_lite", "onnx", "scipy") if importlib.util.find_spec(name)]
inputs = np.load("trials.npz")["inputs"]
for name in ("whole", "small"):
    found = onnxruntime.InferenceSession(f"{name}.onnx").run(["logits"], {"inputs": inputs})[0]
    np.save(f"{name}.npy", found)
step, state = onnxruntime.InferenceSession("step.onnx"), np.zeros((len(inputs), 96), dtype=np.float32)
for t in range(inputs.shape[1]):
    logits, state = step.run(None, {"inputs": inputs[:, t], "state": state})
np.save("step.npy", logits)
for name in ("weights", "sparse"):
    np.save(f"{name}.npy", run(np.load(f"{name}.npz"), inputs)[0])
"""


@pytest.mark.slow
def test_the_files_run_where_only_a_runtime_and_numpy_are(trained, tmp_path):
    task = "one_choice_inference"
    network = trained(96, task)
    right = write_trials(tmp_path, network, task)
    export_step_onnx(network, tmp_path / "step.onnx")
    export_npz(network, tmp_path / "weights.npz")
    export_npz(network, tmp_path / "sparse.npz", sparse=True)
    quantized(tmp_path / "whole.onnx", tmp_path / "small.onnx")
    # The source of run alone, as one would copy it.
    source = f"from __future__ import annotations\n{inspect.getsource(run)}\n{ELSEWHERE}"
    (tmp_path / "elsewhere.py").write_text(source, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "numpy", "onnxruntime"], check=True, cwd=tmp_path)
    assert run_outside(python, tmp_path, "whole.onnx") == right
    assert abs(run_outside(python, tmp_path, "small.onnx") - right) <= 10
    done = subprocess.run([python, "-I", "elsewhere.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    inputs = np.load(tmp_path / "trials.npz")["inputs"]
    expected, _ = answers(network, inputs)
    for name in ("whole", "step", "weights", "sparse"):
        close(np.load(tmp_path / f"{name}.npy"), expected)
    assert np.abs(np.load(tmp_path / "small.npy") - expected).max() < rounding(network, inputs)
