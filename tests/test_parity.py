"""The published method: figures that its code gave, carried over into ``tests/reference``, against ours.

Last, each constant of the method is broken in a copy of the library, and the figures must notice.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT
from torch.nn import functional

from biornn_lite import space, topology, weights
from biornn_lite.adam import Adam
from biornn_lite.communicability import empirical_communicability
from biornn_lite.network import RecurrentNetworks
from biornn_lite.penalty import Penalty
from biornn_lite.priors import Start
from biornn_lite.training import Settings
from biornn_lite.variants import Protocol

PUBLISHED = Protocol()
REFERENCE = ROOT / "tests" / "reference"


@pytest.fixture(scope="module")
def parity():
    with np.load(REFERENCE / "parity.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def topologies():
    return json.loads((REFERENCE / "topology.json").read_text())


def test_the_figures_are_those_that_were_handed_over(shared):
    copies = {REFERENCE / "parity.npz", REFERENCE / "topology.json", ROOT / "data" / "published.json"}
    for copy in copies:
        digests = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (copy, shared / "reference" / copy.name)]
        assert digests[0] == digests[1], copy.name


# What a network starts from


def test_lattice_and_distances_are_the_published_ones(parity):
    np.testing.assert_allclose(
        space.distances(space.lattice(tuple(parity["grid"]))), parity["distance_grid"], atol=1e-6
    )
    np.testing.assert_allclose(space.distances(parity["positions"]), parity["distance_pos"], atol=1e-6)


def test_functional_weights_are_the_published_ones(parity):
    lower = parity["sttc_lower"]
    sttc = lower + np.tril(lower, -1).T
    ours = weights.functional(parity["lognormal"], parity["corr"], sttc)
    np.testing.assert_allclose(ours, parity["W_bio"], rtol=1e-12)


def test_empirical_communicability_is_the_published_one(parity):
    for key, connectome in (("C_emp", "connectome"), ("C_emp_dense", "connectome_dense")):
        ours = empirical_communicability(parity[connectome], "epsilon")
        np.testing.assert_allclose(ours, parity[key], rtol=1e-6, atol=2e-7 * parity[key].max())


# Penalties and training


def published_start(parity, initial: str, penalty: str) -> Start:
    """The start that a key of the reference names, such as ``bio`` and ``EMDdense_pos``."""
    weights = parity["W_bio" if initial == "bio" else "W_orthogonal"]
    if penalty == "none":
        return Start(weights, np.zeros((24, 24)))
    if penalty == "W":
        return Start(weights, np.ones((24, 24)))
    kind, _, where = penalty.partition("_")
    cost = PUBLISHED.penalty_weight * parity[f"distance_{where}"]
    if kind == "WD":
        return Start(weights, cost)
    if kind == "WDC":
        return Start(weights, cost, "weights")
    target = parity["C_emp_dense" if kind == "EMDdense" else "C_emp"]
    return Start(weights, cost, "empirical", np.sort(target.ravel()), PUBLISHED.emd_weight)


@pytest.mark.parametrize("initial", ["bio", "orth"])
def test_penalties_and_gradients_are_the_published_ones(parity, initial):
    names = [key.split("/")[2] for key in parity if key.startswith(f"penalty/{initial}/")]
    assert len(names) == 8
    starts = [published_start(parity, initial, name) for name in names]
    w = torch.tensor(np.array([s.weights for s in starts]), dtype=torch.float32, requires_grad=True)
    values = Penalty(starts)(w)
    values.sum().backward()
    for k, name in enumerate(names):
        gradient = parity[f"grad/{initial}/{name}"]
        assert float(values[k].detach()) == pytest.approx(float(parity[f"penalty/{initial}/{name}"]), rel=1e-5), name
        np.testing.assert_allclose(w.grad[k], gradient, rtol=1e-4, atol=2e-6 * np.abs(gradient).max(), err_msg=name)


@pytest.mark.parametrize("signs", ["free", "nonneg"])
def test_thirty_steps_come_out_as_published(parity, signs):
    keys = sorted({key.rsplit("/", 1)[0] for key in parity if key.startswith("train/") and f"/{signs}/" in key})
    assert len(keys) == {"free": 10, "nonneg": 5}[signs]
    starts = [published_start(parity, *key.split("/")[1:3]) for key in keys]
    runs = len(keys)
    networks = RecurrentNetworks(
        [s.weights for s in starts],
        [parity["W_in"]] * runs,
        [parity["W_out"]] * runs,
        "free" if signs == "free" else "positive",
    )
    penalty = Penalty(starts)
    optimiser = Adam(networks.parameters(), Settings().learning_rate, Settings().epsilon)
    losses = []
    for x, y in zip(parity["X"], parity["Y"], strict=True):
        batch = torch.tensor(x).permute(1, 0, 2)[:, None].expand(-1, runs, -1, -1)
        labels = torch.tensor(y).expand(runs, -1)
        logits = networks(batch)
        entropy = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
        entropy = entropy.view_as(labels).mean(1)
        total = entropy + penalty(networks.w)
        optimiser.zero_grad()
        total.sum().backward()
        optimiser.step()
        networks.constrain()
        losses.append(torch.stack([entropy, total], -1).detach().numpy())
    for k, key in enumerate(keys):
        np.testing.assert_allclose(np.array(losses)[:, k], parity[f"{key}/loss"], rtol=1e-5, atol=1e-6, err_msg=key)
        for name, value in (
            ("W", networks.w[k]), ("Win", networks.w_in[k]), ("b", networks.b[k, 0]), ("Wout", networks.w_out[k]),
        ):  # fmt: skip
            published = parity[f"{key}/{name}"]
            np.testing.assert_allclose(value.detach(), published, atol=1e-6, err_msg=f"{key} {name}")


# Topology


def reference_matrices(n):
    """The matrices that the reference describes, drawn in its order."""
    r = np.random.default_rng(7)
    block = np.repeat(np.arange(4), n // 4)
    gaussian = r.normal(size=(n, n))
    modular = r.normal(size=(n, n)) * np.where(block[:, None] == block[None], 3, 1)
    h = np.exp(r.normal(size=n))
    hubs = r.lognormal(0, 0.5, (n, n)) * h[None] * h[:, None]
    p = r.random((n, 3))
    d = np.linalg.norm(p[:, None] - p[None], axis=-1)
    return {"gaussian": gaussian, "modular": modular, "hubs": hubs, "spatial": np.exp(-d / 0.15) * r.random((n, n))}


@pytest.mark.parametrize("n", [24, 60, 120])
def test_measures_are_the_published_ones(topologies, n):
    wanted = topologies
    for kind, w in reference_matrices(n).items():
        target, graph = wanted[f"{kind}/{n}"], topology.strongest_graph(w)
        assert graph.sum() // 2 == target["edges"]
        assert topology.clustering(graph) == pytest.approx(target["clustering"], rel=1e-6)
        assert topology.efficiency(graph) == pytest.approx(target["efficiency"])
        measured = topology.measure(w)
        assert measured.modularity == pytest.approx(target["modularity"], rel=1e-6)
        assert measured.assortativity == pytest.approx(target["assortativity"], rel=1e-6)
        assert measured.entropy == pytest.approx(target["entropy"], rel=1e-6)
        # Both divide by the mean of 1,000 random graphs, drawn from other streams.
        tolerance = 3 * wanted[f"null/{n}"]["clustering_sem"] / wanted[f"null/{n}"]["clustering_mean"]
        assert measured.small_worldness == pytest.approx(target["small_worldness"], rel=tolerance)


@pytest.mark.parametrize("n", [24, 60, 120, 312])
def test_nulls_are_the_published_ones(topologies, n):
    wanted = topologies[f"null/{n}"]
    null = topology.null(n, graphs=1000 if n < 300 else 200)
    for key in ("clustering", "efficiency"):
        assert abs(getattr(null, key) - wanted[f"{key}_mean"]) < 4 * wanted[f"{key}_sem"]


# Constants broken on purpose


BREAKS = {
    "spectral radius": ("weights.py", "SPECTRAL_RADIUS = 0.95", "SPECTRAL_RADIUS = 0.951", "functional_weights"),
    "mean of functional weights": ("weights.py", "MEAN = 0.1", "MEAN = 0.11", "functional_weights"),
    "least functional weight": ("weights.py", "LEAST = 0.01", "LEAST = 0.011", "functional_weights"),
    "order of the lattice": ("space.py", "in shape))", "in shape), indexing='ij')", "lattice"),
    "sum of a row without synapses": ("communicability.py", "== 0, 1e-10", "== 0, 1e-9", "empirical"),
    "weight of the penalty": ("variants.py", "penalty_weight: float = field(default=0.3", None, "penalties"),
    "weight of the distance to C_emp": ("variants.py", "default=0.1,", "default=0.1001,", "penalties"),
    "degree of the exponential": ("communicability.py", "torch.float32: 3", "torch.float32: 2", "penalties"),
    "learning rate": ("training.py", "learning_rate: float = 1e-3", "learning_rate: float = 1.01e-3", "thirty"),
    "epsilon of Adam": ("training.py", "epsilon: float = 1e-7", "epsilon: float = 1e-8", "thirty"),
    "where epsilon is added": (
        "adam.py",
        '["betas"][1] ** self._steps) ** 0.5',
        '["betas"][1] ** 1e9)',
        "thirty",
    ),
    "clipping": ("network.py", "self.w.clamp_(min=0)", "self.w.clamp_(min=-1)", "thirty"),
    "share of strongest weights": ("topology.py", "STRONGEST = 0.1", "STRONGEST = 0.11", "measures"),
    "points of the entropy": (
        "topology.py",
        "def entropy(values: np.ndarray, points: int = 100)",
        "def entropy(values: np.ndarray, points: int = 101)",
        "measures",
    ),
    "density of the nulls": ("topology.py", "NULL_DENSITY = 0.18", "NULL_DENSITY = 0.181", "nulls"),
}


@pytest.mark.slow
@pytest.mark.parametrize("constant", BREAKS)
def test_a_broken_constant_is_noticed(tmp_path, constant):
    name, right, wrong, tests = BREAKS[constant]
    wrong = right.replace("0.3", "0.3001") if wrong is None else wrong
    for folder in ("biornn_lite", "data", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "biornn_lite" / name
    source = path.read_text()
    assert source.count(right) == 1, "the constant has moved"
    path.write_text(source.replace(right, wrong))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("BIORNN", "PYTEST"))}
    run = [sys.executable, "-m", "pytest", "-q", "-x", "tests/test_parity.py", "-k", f"{tests} and not broken"]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert re.search(r"^1 failed", done.stdout, re.M) and "AssertionError" in done.stdout, done.stdout
