"""Make ``data/robustness/deployment.csv`` again: ``python data/make_deployment.py [--repeats N]``.

Each shipped network is run by PyTorch, by NumPy and, exported, by onnxruntime in float32 and int8; and pruned, by
NumPy with all its weights and by SciPy without those of 0. All of these compute with one thread, in turn, so other
work of the machine delays all of them alike. Ratios of latencies can be compared across machines; seconds cannot.
Takes about two minutes on an idle machine.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import scipy
import torch
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from biornn_lite.errors import InputError
from biornn_lite.export import cost, export_npz, export_onnx, export_step_onnx, quantized, read_npz, run
from biornn_lite.network import Networks
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.plumbing.threads import threads
from biornn_lite.robustness import pruned
from biornn_lite.tasks import TASKS
from biornn_lite.trained_networks import TrainedNetwork, load_trained_networks
from biornn_lite.training import held_out_trials

OUT = Path(__file__).parent / "robustness" / "deployment.csv"

KEPT = 0.1
"""Share of recurrent weights that pruned networks keep; they are not trained further."""


@dataclass(frozen=True)
class Form:
    """A network in the form that one runtime runs.

    Attributes
    ----------
    runtime, version : str
    kept : float
        Share of recurrent weights that are not pruned.
    bytes : int
        Of the file. NumPy's files are packed.
    weight_bytes : int
        Of its weights, unpacked.
    multiply_adds : int
        Of one step of one trial.
    answer : callable
        Takes inputs (batch, steps, inputs) and returns logits (batch, classes).
    stream : callable
        Takes the inputs of one trial (1, steps, inputs) and answers after each step; the caller keeps the state.
        Returns the last logits (1, classes).
    """

    runtime: str
    version: str
    kept: float
    bytes: int
    weight_bytes: int
    multiply_adds: int
    answer: Callable[[np.ndarray], np.ndarray]
    stream: Callable[[np.ndarray], np.ndarray]


def in_pytorch(networks: Networks) -> Form:
    """Return the library's network, as a user evaluates it."""
    one, spent, file = networks.single(), cost(networks), io.BytesIO()
    torch.save(one.state_dict(), file)

    @torch.no_grad()
    def answer(inputs: np.ndarray) -> np.ndarray:
        return one(torch.from_numpy(inputs)).numpy()

    @torch.no_grad()
    def stream(inputs: np.ndarray) -> np.ndarray:
        own = one.networks
        h = torch.zeros(1, 1, own.w.shape[-1])  # (runs, batch, N)
        for x in torch.from_numpy(inputs).transpose(0, 1).unsqueeze(1):
            h = own.step(h, x)
            logits = torch.baddbmm(own.b_out, h, own.w_out)
        return logits[0].numpy()

    version = f"PyTorch {torch.__version__}"
    return Form("PyTorch", version, 1.0, file.tell(), spent.size, spent.step, answer, stream)


def in_numpy(networks: Networks, folder: Path, kept: float = 1.0, sparse: bool = False) -> Form:
    """Return a network in an ``.npz`` file, run by NumPy, or by NumPy and SciPy without weights of 0."""
    spent, path = cost(networks), folder / "network.npz"
    export_npz(networks, path, sparse)
    arrays = read_npz(path)
    if sparse:
        csr = tuple(arrays[name] for name in ("w_data", "w_indices", "w_indptr"))
        arrays["w"] = csr_array(csr, shape=(len(arrays["b"]),) * 2)
    w_in, w, b, w_out, b_out = (arrays[name] for name in ("w_in", "w", "b", "w_out", "b_out"))

    def stream(inputs: np.ndarray) -> np.ndarray:
        h = np.zeros((1, len(b)), dtype=b.dtype)  # (batch, N)
        for t in range(inputs.shape[1]):
            h = np.maximum(inputs[:, t] @ w_in + h @ w + b, 0)
            logits = h @ w_out + b_out
        return logits

    runtime, version, weights, work = (
        ("SciPy sparse", f"SciPy {scipy.__version__}", spent.sparse_size, spent.sparse_step)
        if sparse
        else ("NumPy", f"NumPy {np.__version__}", spent.size, spent.step)
    )
    return Form(
        runtime, version, kept, path.stat().st_size, weights, work, lambda inputs: run(arrays, inputs)[0], stream
    )


def in_onnxruntime(networks: Networks, folder: Path) -> tuple[Form, Form]:
    """Return a network in ONNX files, in float32 and in 8 bits; export takes about a second."""
    files = {name: folder / f"{name}.onnx" for name in ("whole", "step", "whole int8", "step int8")}
    export_onnx(networks, files["whole"])
    export_step_onnx(networks, files["step"])
    for name in ("whole", "step"):
        quantized(files[name], files[f"{name} int8"])
    return (
        _in_onnxruntime("ONNX float32", networks, files["whole"], files["step"]),
        _in_onnxruntime("ONNX int8", networks, files["whole int8"], files["step int8"]),
    )


def _in_onnxruntime(runtime: str, networks: Networks, whole: Path, step: Path) -> Form:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    trials, one_step = (
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]) for path in (whole, step)
    )

    def stream(inputs: np.ndarray) -> np.ndarray:
        state = np.zeros((1, networks.w.shape[-1]), dtype=np.float32)  # (batch, N)
        for t in range(inputs.shape[1]):
            logits, state = one_step.run(None, {"inputs": inputs[:, t], "state": state})
        return logits

    return Form(
        runtime, f"onnxruntime {onnxruntime.__version__}", 1.0, whole.stat().st_size, _weight_bytes(whole),
        cost(networks).step, lambda inputs: trials.run(["logits"], {"inputs": inputs})[0], stream,
    )  # fmt: skip


def _weight_bytes(path: Path) -> int:
    """Sum the bytes of all constants of an ONNX file; they belong to its outermost graph."""
    import onnx

    return sum(onnx.numpy_helper.to_array(tensor).nbytes for tensor in onnx.load(path).graph.initializer)


def forms_of(networks: Networks, folder: Path) -> list[Form]:
    """Return a network in all forms; PyTorch comes first."""
    small = pruned(networks, KEPT)
    return [
        in_pytorch(networks),
        in_numpy(networks, folder),
        *in_onnxruntime(networks, folder),
        in_numpy(small, folder, KEPT),
        in_numpy(small, folder, KEPT, sparse=True),
    ]


def answers(form: Form, inputs: np.ndarray) -> np.ndarray:
    """Return the class that a network answers to each trial; in 8 bits, each by itself, since the batch matters."""
    size = 1 if form.runtime == "ONNX int8" else len(inputs)
    logits = [form.answer(inputs[k : k + size]) for k in range(0, len(inputs), size)]  # each (size, classes)
    return np.concatenate(logits).argmax(axis=1)


def latencies(forms: Sequence[Form], inputs: np.ndarray, repeats: int) -> np.ndarray:
    """Measure all forms, in a new order each time.

    Parameters
    ----------
    forms : sequence of Form
    inputs : ndarray, shape (trials, steps, inputs)
        Trials that are answered one at a time, in turn.
    repeats : int

    Returns
    -------
    ndarray, shape (forms, 2)
        Median seconds of a trial and of a step of a stream.
    """
    rng, taken = np.random.default_rng(0), np.zeros((repeats, len(forms), 2))
    for repeat in range(-2, repeats):  # two to warm up
        trial = inputs[repeat % len(inputs)][None]  # (1, steps, inputs)
        for k in rng.permutation(len(forms)):
            for way, call in enumerate((forms[k].answer, forms[k].stream)):
                began = time.perf_counter()
                call(trial)
                seconds = time.perf_counter() - began
                if repeat >= 0:
                    taken[repeat, k, way] = seconds
    return np.median(taken, axis=0) / [1, inputs.shape[1]]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch and the libraries of NumPy compute with one thread."""
    with threads(1), threadpool_limits(1):
        yield


def rows_of(network: TrainedNetwork, repeats: int) -> list[dict]:
    """Measure one network in all forms: a row for each."""
    inputs, labels = held_out_trials(TASKS[network.task], [network.seed])
    inputs, labels = inputs[:, 0].transpose(0, 1).contiguous().numpy(), labels[0].numpy()  # (trials, steps, inputs)
    with TemporaryDirectory() as folder, one_thread():
        forms = forms_of(network.networks, Path(folder))
        said = [answers(form, inputs) for form in forms]
        seconds = latencies(forms, inputs, repeats)
    ratios = seconds / seconds[0]
    return [
        {
            "start": network.start, "task": network.task, "run": network.run, "runtime": form.runtime,
            "kept": form.kept, "accuracy": (said[k] == labels).mean(), "agreement": (said[k] == said[0]).mean(),
            "bytes": form.bytes, "weight_bytes": form.weight_bytes, "multiply_adds": form.multiply_adds,
            "trial_seconds": seconds[k, 0], "trial_ratio": ratios[k, 0],
            "step_seconds": seconds[k, 1], "step_ratio": ratios[k, 1],
            "repeats": repeats, "version": form.version,
        }
        for k, form in enumerate(forms)
    ]  # fmt: skip


def summary(table: pd.DataFrame) -> str:
    """Say in a few lines what the rows show: medians over networks."""
    columns = ["accuracy", "agreement", "bytes", "weight_bytes", "multiply_adds", "trial_ratio", "step_ratio"]
    medians = table.groupby(["runtime", "kept", "version"], sort=False)[columns].median()
    return medians.to_string(float_format="{:.3g}".format)


def main(networks: Sequence[TrainedNetwork], out: Path, repeats: int, progress: bool = True) -> pd.DataFrame:
    """Measure networks and write their rows, all of them or none."""
    if repeats < 1:
        raise InputError(f"--repeats is {repeats}; it must be at least 1")
    shown = tqdm(networks, unit="network", disable=not progress)
    table = pd.DataFrame([row for network in shown for row in rows_of(network, repeats)])
    with written_atomically(out) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=100, help="measurements of each latency (default 100)")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write")
    arguments = parser.parse_args()
    try:
        print(summary(main(load_trained_networks(), arguments.out, arguments.repeats)))
    except InputError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; nothing was written")
