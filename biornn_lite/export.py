"""One trained network as a file that runs without this library: ONNX for runtimes, ``.npz`` for NumPy alone.

The files hold the network as it is evaluated, without the input noise of training; whoever wants noise adds it to the
inputs. ``pip install "biornn_lite[export]"`` installs what writing ONNX needs.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import nn

from .errors import InputError
from .network import Networks, RecurrentNetworks, SingleNetwork
from .plumbing import arrays as files
from .plumbing.arrays import first_line
from .plumbing.files import written_atomically
from .plumbing.objects import name_of

if TYPE_CHECKING:
    import onnx

LONGEST = 50
"""Steps of constant input in which the activity of a network must stay finite: the longest published trial."""

OUTSIDE = '''\
"""Answer trials with an exported network: python outside.py network.onnx trials.npz"""

import sys

import numpy as np
import onnxruntime

network, trials = onnxruntime.InferenceSession(sys.argv[1]), np.load(sys.argv[2])
(logits,) = network.run(["logits"], {"inputs": trials["inputs"]})  # (trials, classes)
right = logits.argmax(axis=1) == trials["labels"]
assert "torch" not in sys.modules and "biornn_lite" not in sys.modules
print(f"{right.sum()} of {len(right)} answers are right: {right.mean():.4f}")
'''
"""A script that runs a file of :func:`export_onnx` and needs onnxruntime and NumPy alone. The trials are an ``.npz``
file with ``inputs`` (trials, steps, inputs), float32, and ``labels`` (trials,)."""

_BATCH, _STEPS = 2, 10  # of the trials with which PyTorch traces a network; the file is the same for any


def export_onnx(network: Networks | SingleNetwork, path: str | Path) -> None:
    """Write a network to an ONNX file that answers whole trials. Batch size and trial length stay free.

    The recurrence is one ``Scan`` node, a loop over the steps. Networks of your own class are exported with their own
    ``step``.

    Parameters
    ----------
    network : Networks or SingleNetwork
        Networks with one run, as from ``read_network`` or ``study.network``, or one run, as from ``networks.single``.
    path : path
        Ends in ``.onnx``. The model has the input ``inputs`` (batch, steps, inputs) and the outputs ``logits``
        (batch, classes) and ``state`` (batch, N), the state after the last step; all are float32.

    Raises
    ------
    InputError
        If the network has diverged, has its own ``forward``, or cannot be traced; if a package is missing or the file
        cannot be written.
    """
    path, network = _target(path, ".onnx"), _checked(network)
    trials = torch.zeros(_BATCH, _STEPS, network.w_in.shape[1])  # (batch, steps, inputs)
    _write(_model(_Trials(network), {"inputs": (trials, ("batch", "steps"))}, ["logits", "state"]), path)


def export_step_onnx(network: Networks | SingleNetwork, path: str | Path) -> None:
    """Write a network to an ONNX file that computes one step; the caller keeps the state.

    Parameters
    ----------
    network : Networks or SingleNetwork
        As in :func:`export_onnx`.
    path : path
        Ends in ``.onnx``. The model has the inputs ``inputs`` (batch, inputs) and ``state`` (batch, N), which is 0
        before the first step, and the outputs ``logits`` (batch, classes) and ``next_state`` (batch, N); all are
        float32.

    Raises
    ------
    InputError
        As in :func:`export_onnx`.
    """
    path, network = _target(path, ".onnx"), _checked(network)
    inputs, neurons = network.w_in.shape[1:]
    step = {
        "inputs": (torch.zeros(_BATCH, inputs), ("batch",)),
        "state": (torch.zeros(_BATCH, neurons), ("batch",)),
    }
    _write(_model(_OneStep(network), step, ["logits", "next_state"]), path)


def quantized(path: str | Path, out: str | Path) -> None:
    """Write a copy of an exported ONNX file that stores its matrices in 8 bits and multiplies whole numbers.

    Each column of a matrix has its own scale. Inputs and states are rounded to 8 bits before each product, with one
    scale for the batch, so the answer to a trial depends a little on the other trials of its batch. Errors may add up
    over the steps: compare the accuracies before you use the file. With fewer than about 40 neurons, the added nodes
    take more room than the smaller weights save.

    Parameters
    ----------
    path : path
        From :func:`export_onnx` or :func:`export_step_onnx`.
    out : path
        Ends in ``.onnx``. Inputs and outputs are those of `path`.

    Raises
    ------
    InputError
        If `path` is not an ONNX file, a package is missing, or `out` cannot be written.
    """
    path, out = Path(path), _target(out, ".onnx")
    _need("onnx", "onnxruntime")
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    try:
        model = onnx.load_model_from_string(path.read_bytes())
        onnx.checker.check_model(model)
    except Exception as error:  # a malformed file can raise any exception
        raise InputError(f"{first_line(path)}: not an ONNX file that can be read ({first_line(error)})") from None
    with written_atomically(out) as temporary, _quiet():
        # Without EnableSubgraph, the loop stays as it was. Signed weights may saturate on processors without VNNI.
        quantize_dynamic(
            model,
            temporary,
            per_channel=True,
            weight_type=QuantType.QUInt8,
            extra_options={"EnableSubgraph": True},
        )
        onnx.checker.check_model(temporary, full_check=True)


def export_npz(network: Networks | SingleNetwork, path: str | Path, sparse: bool = False) -> None:
    """Write the weights of a network of the published kind to an ``.npz`` file; :func:`run` runs it.

    Parameters
    ----------
    network : Networks or SingleNetwork
        As in :func:`export_onnx`.
    path : path
        Ends in ``.npz``. ``numpy.load`` reads it: ``w_in`` (inputs, N), ``w`` (N, N) from neuron i to neuron j,
        ``b`` (N,), ``w_out`` (N, classes), ``b_out`` (classes,), all float32.
    sparse : bool
        Leave out recurrent weights of 0, as in a pruned network. In place of ``w``, the file then has the parts of
        ``scipy.sparse.csr_array``: ``w_data`` (weights,), float32, row by row; ``w_indices`` (weights,), the column
        of each; ``w_indptr`` (N + 1,), where each row begins, and the number of weights. The last two are int16 if
        the largest number allows it, otherwise int32.

    Raises
    ------
    InputError
        If the network has diverged or has its own ``step``, or the file cannot be written.
    """
    path, state = _target(path, ".npz"), _published(network).state_of_run(0)
    biases = {name: state[name][0] for name in ("b", "b_out")}
    arrays = {name: state[name] for name in ("w_in", "w", "w_out")} | biases
    if sparse:
        w = csr_array(arrays.pop("w"))
        arrays |= {
            "w_data": w.data,
            "w_indices": w.indices.astype(_index_type(w.shape[1] - 1)),
            "w_indptr": w.indptr.astype(_index_type(w.nnz)),
        }
    with written_atomically(path) as temporary:
        files.write_npz(temporary, arrays)


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Read a file of :func:`export_npz`: the same as ``dict(numpy.load(path))``, with checks.

    Raises
    ------
    InputError
        If it is not such a file, or has weights that are not finite.
    """
    found = files.read_npz(Path(path), "network")
    shapes = {name: array.shape for name, array in found.items()}
    match shapes:
        case {"w_in": (_, n), "w": (n1, n2), "b": (n3,), "w_out": (n4, k), "b_out": (k1,)} if (
            len(shapes) == 5 and n == n1 == n2 == n3 == n4 and k == k1
        ):
            pass
        case {
            "w_in": (_, n), "w_data": (m,), "w_indices": (m1,), "w_indptr": (p,), "b": (n1,), "w_out": (n2, k),
            "b_out": (k1,),
        } if len(shapes) == 7 and m == m1 and n == n1 == n2 == p - 1 and k == k1:  # fmt: skip
            if not _is_csr(found["w_indices"], found["w_indptr"]):
                raise InputError(f"{first_line(path)}: w_indices and w_indptr are not those of a sparse matrix")
        case _:
            shown = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise InputError(f"{first_line(path)}: its arrays are not those of export_npz ({shown})")
    for name, array in found.items():
        if name not in ("w_indices", "w_indptr") and not (array.dtype == np.float32 and np.isfinite(array).all()):
            raise InputError(f"{first_line(path)}: {name} has infinite values or NaN, or is not float32")
    return found


def _is_csr(columns: np.ndarray, pointers: np.ndarray) -> bool:
    """Say whether columns and row pointers are those of a square matrix that has each weight once, in order."""
    if not {columns.dtype, pointers.dtype} <= {np.dtype(np.int16), np.dtype(np.int32)}:
        return False
    n, columns, pointers = len(pointers) - 1, columns.astype(int), pointers.astype(int)
    counts = np.diff(pointers)  # weights in each row
    if pointers[0] != 0 or pointers[-1] != len(columns) or (counts < 0).any():
        return False
    places = np.repeat(np.arange(n), counts) * n + columns
    return bool(((columns >= 0) & (columns < n)).all() and (np.diff(places) > 0).all())


def run(arrays: Mapping[str, np.ndarray], inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Run an exported network with NumPy alone; copy these lines to where this library is not installed.

    NumPy has no product with a sparse matrix, so the zeros of a sparse file are filled in. SciPy has one:
    ``w = scipy.sparse.csr_array((arrays["w_data"], arrays["w_indices"], arrays["w_indptr"]), shape=(N, N))`` skips
    weights of 0, and the loop below is the same.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        From :func:`read_npz` or ``numpy.load``. ``w`` may also be a ``scipy.sparse.csr_array``.
    inputs : ndarray, shape (batch, steps, inputs)

    Returns
    -------
    logits : ndarray, shape (batch, classes)
    state : ndarray, shape (batch, N)
        After the last step.
    """
    w_in, b = arrays["w_in"], arrays["b"]
    if "w" in arrays:
        w = arrays["w"]
    else:  # from neuron (row) to neuron (column)
        rows = np.repeat(np.arange(len(b)), np.diff(arrays["w_indptr"]))
        w = np.zeros((len(b), len(b)), dtype=b.dtype)
        w[rows, arrays["w_indices"]] = arrays["w_data"]
    h = np.zeros((len(inputs), len(b)), dtype=b.dtype)  # (batch, N)
    for t in range(inputs.shape[1]):
        h = np.maximum(inputs[:, t] @ w_in + h @ w + b, 0)
    return h @ arrays["w_out"] + arrays["b_out"], h


@dataclass(frozen=True)
class Cost:
    """What a network costs to run and to store, with all weights (dense) and without recurrent weights of 0 (sparse).

    Adding biases and rectifying are not counted. Weights and biases take 4 bytes each.

    Attributes
    ----------
    step, sparse_step : int
        Multiply-adds of one step of one trial: ``inputs · N`` and one for each recurrent weight.
    readout : int
        Multiply-adds of the answer, once per trial: ``N · classes``.
    size, sparse_size : int
        Bytes of all weights and biases. Sparse recurrent weights are in CSR: per weight its value and its column, and
        ``N + 1`` row pointers. Columns, and pointers, are int16 if the largest one allows it, otherwise int32.
    """

    step: int
    sparse_step: int
    readout: int
    size: int
    sparse_size: int


def cost(network: Networks | SingleNetwork) -> Cost:
    """Count what a network of the published kind costs.

    Parameters
    ----------
    network : Networks or SingleNetwork
        As in :func:`export_onnx`.

    Raises
    ------
    InputError
        If the network has diverged or has its own ``step``, whose operations are not known.
    """
    network = _published(network)
    _, inputs, neurons = network.w_in.shape
    classes, present = network.w_out.shape[-1], int(torch.count_nonzero(network.w))
    others = inputs * neurons + neurons + neurons * classes + classes
    column, pointer = (np.dtype(_index_type(largest)).itemsize for largest in (neurons - 1, present))  # bytes
    return Cost(
        step=inputs * neurons + neurons**2,
        sparse_step=inputs * neurons + present,
        readout=neurons * classes,
        size=4 * (others + neurons**2),
        sparse_size=4 * others + present * (4 + column) + (neurons + 1) * pointer,
    )


def _index_type(largest: int) -> type[np.integer]:
    """Return the smallest type of a column or row pointer up to this one; SciPy has no unsigned ones."""
    return np.int16 if largest <= np.iinfo(np.int16).max else np.int32


class _Trials(nn.Module):
    """One network over whole trials, with a loop that the exporter keeps as a loop."""

    def __init__(self, network: Networks) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # Not yet a public name of PyTorch; the exporter would unroll a loop of Python.
        from torch._higher_order_ops.scan import scan

        x = inputs.transpose(0, 1).unsqueeze(1)  # (steps, 1, batch, inputs)
        h = x.new_zeros(*x.shape[1:3], self.network.w.shape[-1])  # (1, batch, N)
        last, _ = scan(lambda h, x_t: (self.network.step(h, x_t), []), h, x)
        return _readout(self.network, last), last.squeeze(0)


class _OneStep(nn.Module):
    """One step of one network."""

    def __init__(self, network: Networks) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = self.network.step(state.unsqueeze(0), inputs.unsqueeze(0))  # (1, batch, N)
        return _readout(self.network, h), h.squeeze(0)


def _readout(network: Networks, h: torch.Tensor) -> torch.Tensor:
    """Return the logits (batch, classes) of a state (1, batch, N)."""
    return torch.baddbmm(network.b_out, h, network.w_out).squeeze(0)


def _checked(network: Networks | SingleNetwork) -> Networks:
    """Return a copy of one network on the processor, in float32 and without gradients, that is known to work."""
    network = network.networks if isinstance(network, SingleNetwork) else network
    if not isinstance(network, Networks):
        raise InputError(
            f"network is a {type(network).__name__}; one of read_network, study.network or networks.single is needed"
        )
    if (runs := len(network.w)) != 1:
        raise InputError(f"these are {runs} networks side by side; networks.single(run) gives one of them")
    kind = type(network)
    if kind.forward not in (Networks.forward, RecurrentNetworks.forward) or kind._states is not Networks._states:
        raise InputError(
            f"{name_of(kind)} has its own forward; a network is exported by its step, so put all into step"
        )
    network = copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
    for name, values in network.named_parameters():
        if not values.isfinite().all():
            raise InputError(f"{name} of this network has infinite values or NaN: it diverged; take another run")
    ones = torch.ones(LONGEST, 1, 1, network.w_in.shape[1])  # (steps, runs, batch, inputs)
    if not network.evaluate(ones).isfinite().all():
        raise InputError(
            f"the activity of this network overflows within {LONGEST} steps of constant input: it diverged; take "
            "another run"
        )
    return network


def _published(network: Networks | SingleNetwork) -> Networks:
    """Return :func:`_checked` networks of the published step."""
    network = _checked(network)
    if type(network).step is not Networks.step:
        raise InputError(f"{name_of(type(network))} has its own step; only export_onnx and export_step_onnx take it")
    return network


def _target(path: str | Path, suffix: str) -> Path:
    path = Path(path)
    if path.suffix != suffix:
        raise InputError(f"{first_line(path)}: the name of this file must end in {suffix}")
    return path


def _need(*modules: str) -> None:
    """Raise an error if an optional package is missing."""
    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            raise InputError(
                f'{module} cannot be imported ({first_line(error)}); pip install "biornn_lite[export]"'
            ) from None


def _model(
    module: nn.Module, inputs: Mapping[str, tuple[torch.Tensor, tuple[str, ...]]], outputs: list[str]
) -> onnx.ModelProto:
    """Trace a module; `inputs` are examples with the names of their first axes, whose lengths stay free."""
    _need("onnx", "onnxscript")
    kind = name_of(type(module.network))
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                tuple(example for example, _ in inputs.values()),
                dynamo=True,
                dynamic_shapes=tuple(dict(enumerate(axes)) for _, axes in inputs.values()),
                input_names=list(inputs),
                output_names=outputs,
                verbose=False,
            )
    except (ImportError, torch.onnx.errors.OnnxExporterError) as error:
        why = first_line(error.__cause__ or error)
        raise InputError(
            f"PyTorch {torch.__version__} cannot export {kind} ({why}); its step must consist of PyTorch operations"
        ) from None
    model = program.model_proto
    _tidy(model)
    model.doc_string = f"{kind} of biornn_lite. Weights as trained; the input noise of training is not in this model."
    return model


def _tidy(model: onnx.ModelProto) -> None:
    """Remove the axis ``runs`` of matrices, and notes of the exporter about its work, such as paths of sources."""
    graphs = list(_graphs(model.graph))
    nodes = [node for graph in graphs for node in graph.node]
    uses = {(name, node.op_type, place) for node in nodes for place, name in enumerate(node.input)}
    elsewhere = {name for name, operator, place in uses if (operator, place) != ("MatMul", 1)}
    for weights in model.graph.initializer:
        # A product with one matrix is the same; a scale for each column, as in quantized, needs it so.
        if len(weights.dims) == 3 and weights.dims[0] == 1 and weights.name not in elsewhere:
            del weights.dims[0]
    for graph in graphs:
        del graph.value_info[:]  # shapes, which can be inferred
        for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
            del part.metadata_props[:]
    for node in nodes:
        for attribute in [a for a in node.attribute if a.type == a.INTS and not a.ints]:
            node.attribute.remove(attribute)  # the default; onnxruntime's quantiser cannot copy an empty list
    del model.metadata_props[:]


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield a graph and those inside its nodes, such as the body of a loop."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def _write(model: onnx.ModelProto, path: Path) -> None:
    """Write a model to one file, with all its weights, and check what was written."""
    import onnx

    with written_atomically(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
        onnx.checker.check_model(temporary, full_check=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide remarks of PyTorch and onnxruntime about themselves, for example that torchvision is not installed."""
    before, nowhere = logging.root.manager.disable, logging.NullHandler()
    logging.root.addHandler(nowhere)  # without any, the quantiser's first message would set up logging for all
    logging.disable(max(before, logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(nowhere)
