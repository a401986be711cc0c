"""The same method as one would first write it: one network at a time, autograd for every gradient, graphs in loops.

It is the yardstick of ``against_plain.py`` and the oracle of ``tests/test_plain.py``; the library does not use it.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch
from scipy.stats import gaussian_kde
from torch import nn
from torch.nn import functional

from biornn_lite.network import glorot_uniform
from biornn_lite.priors import Start
from biornn_lite.seeds import generator
from biornn_lite.tasks import Task
from biornn_lite.training import Settings


class Network(nn.Module):
    """PyTorch's own recurrent network with a linear readout of its last state."""

    def __init__(self, w: np.ndarray, w_in: np.ndarray, w_out: np.ndarray) -> None:
        super().__init__()
        inputs, neurons = w_in.shape
        self.rnn = nn.RNN(inputs, neurons, nonlinearity="relu", batch_first=True)
        self.readout = nn.Linear(neurons, w_out.shape[1])
        with torch.no_grad():
            self.rnn.weight_hh_l0.copy_(torch.as_tensor(w).T)
            self.rnn.weight_ih_l0.copy_(torch.as_tensor(w_in).T)
            self.readout.weight.copy_(torch.as_tensor(w_out).T)
            for bias in (self.rnn.bias_hh_l0, self.rnn.bias_ih_l0, self.readout.bias):
                bias.zero_()
        self.rnn.bias_hh_l0.requires_grad_(False)  # the method has one bias, PyTorch two

    @property
    def w(self) -> torch.Tensor:
        """Recurrent weights, ``[i, j]`` from neuron i to neuron j."""
        return self.rnn.weight_hh_l0.T

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (batch, classes) of inputs (batch, steps, inputs)."""
        states, _ = self.rnn(x)
        return self.readout(states[:, -1])


def communicability(w: torch.Tensor) -> torch.Tensor:
    strengths = w.abs()
    root = strengths.sum(1).rsqrt()
    return torch.matrix_exp(root[:, None] * strengths * root[None]) * (1 - torch.eye(len(w), dtype=w.dtype))


def penalty(w: torch.Tensor, start: Start) -> torch.Tensor:
    costs = w.abs() * torch.as_tensor(start.cost, dtype=w.dtype)
    if start.communicability == "none":
        return costs.sum()
    reach = communicability(w)
    if start.communicability == "weights":
        return (costs * reach).sum()
    target = torch.as_tensor(start.sorted_target, dtype=w.dtype)
    return costs.sum() + start.emd_weight * (reach.flatten().sort().values - target).abs().mean()


@dataclass(frozen=True)
class Result:
    """What comes out of :func:`train`: accuracies are of the last epoch."""

    weights: np.ndarray
    train_accuracy: float
    test_accuracy: float


def train(start: Start, task: Task, seed: int, settings: Settings) -> Result:
    """Train one network on the trials, noise and first weights that the library would give it."""
    neurons = len(start.weights)
    ends = generator(seed, "input and readout weights", task.name)
    network = Network(
        start.weights, glorot_uniform(task.inputs, neurons, ends), glorot_uniform(neurons, task.classes, ends)
    )
    count = settings.batches * settings.batch_size
    x, y = (torch.from_numpy(a) for a in task.trials(count, generator(seed, "training trials", task.name)))
    test = task.trials(settings.test_trials, generator(seed, "test trials", task.name))
    test_x, test_y = (torch.from_numpy(a) for a in test)
    noise = torch.Generator().manual_seed(int(generator(seed, "noise", task.name).integers(2**63)))
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], settings.learning_rate)
    for _ in range(settings.epochs):
        right = 0
        for first in range(0, count, settings.batch_size):
            # Keras's ε, see biornn_lite.training.Adam.
            step = 1 + optimiser.state[network.readout.bias].get("step", torch.tensor(0.0)).item()
            optimiser.param_groups[0]["eps"] = settings.epsilon / (1 - 0.999**step) ** 0.5
            batch = x[first : first + settings.batch_size]
            labels = y[first : first + settings.batch_size]
            drawn = torch.randn((task.steps, len(batch), task.inputs), generator=noise).transpose(0, 1)
            logits = network(batch + settings.input_noise * drawn)
            optimiser.zero_grad()
            (functional.cross_entropy(logits, labels) + penalty(network.w, start)).backward()
            optimiser.step()
            right += int((logits.argmax(1) == labels).sum())
        with torch.no_grad():
            tested = float((network(test_x).argmax(1) == test_y).float().mean())
    return Result(network.w.detach().numpy(), right / count, tested)


def graph_of(weights: np.ndarray) -> nx.Graph:
    """Undirected graph of the strongest tenth of |W|."""
    strengths = np.abs(weights)
    strong = strengths > np.quantile(strengths, 0.9)
    np.fill_diagonal(strong, False)
    return nx.from_numpy_array(strong | strong.T)


def null_graph(neurons: int, rng: np.random.Generator) -> tuple[float, float]:
    """Clustering and efficiency of one random graph ``(U + Uᵀ)/2 > 0.7``."""
    u = rng.random((neurons, neurons))
    graph = nx.from_numpy_array((u + u.T) / 2 > 0.7)
    return nx.average_clustering(graph), nx.global_efficiency(graph)


def measure(weights: np.ndarray) -> dict[str, float]:
    """Everything of the topology but the null graphs, which :func:`null_graph` draws one by one."""
    graph = graph_of(weights)
    values = weights.ravel().astype(np.float64)
    density = gaussian_kde(values)(np.linspace(values.min(), values.max(), 100))
    share = density / density.sum()
    share = share[share > 0]
    return {
        "entropy": float(-(share * np.log2(share)).sum()),
        "modularity": nx.community.modularity(graph, nx.community.greedy_modularity_communities(graph)),
        "assortativity": nx.degree_assortativity_coefficient(graph),
        "clustering": nx.average_clustering(graph),
        "efficiency": nx.global_efficiency(graph),
    }
