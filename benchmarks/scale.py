"""How time and memory grow with the number of neurons: ``python benchmarks/scale.py``.

Each size runs in a process of its own, on all processors; memory is the peak of the process during each step, with
what earlier steps left. 632 neurons are the largest released field, 12,000 about the whole coregistered population.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager

import machine
import numpy as np
import torch

from biornn_lite import activity, space, weights
from biornn_lite.adam import Adam
from biornn_lite.communicability import empirical_communicability
from biornn_lite.network import RecurrentNetworks, glorot_uniform
from biornn_lite.penalty import Penalty
from biornn_lite.priors import Start

SIZES = (312, 632, 2000, 12_000)
EVENTS, FRAMES, FRAME_SECONDS, SYNAPSES = 1500, 40_000, 0.1587, 6  # per neuron, but for the frames


@contextmanager
def step(name: str):
    machine.reset_peak_memory()
    began = time.perf_counter()
    yield
    print(f"    {name:46} {time.perf_counter() - began:9.3f} s {machine.peak_memory():7.2f} GB", flush=True)


def measure(neurons: int) -> None:
    """Go from events to a training step, with made-up events, positions and synapses of the usual numbers."""
    rng = np.random.default_rng(0)
    print(f"{neurons} neurons", flush=True)
    trains = [np.sort(rng.choice(FRAMES, EVENTS, replace=False)) * FRAME_SECONDS for _ in range(neurons)]
    with step("correlation of counts in 0.2 s bins"):
        correlation = activity.correlation(activity.event_counts(trains))
    with step("spike time tiling coefficient"):
        sttc = activity.spike_time_tiling_coefficient(trains)
    del trains
    with step("functional weights W*"):
        functional = weights.functional(weights.lognormal_draws(neurons, rng), correlation, sttc)
    del correlation, sttc
    with step("orthogonal weights W"):
        weights.orthogonal(neurons, rng)
    with step("distances D*"):
        cost = 0.3 * space.distances(rng.random((neurons, 3)))
    ends = rng.integers(neurons, size=(2, SYNAPSES * neurons))
    connectome = np.zeros((neurons, neurons))
    np.add.at(connectome, tuple(ends), 1)
    with step("communicability of the connectome"):
        target = np.sort(empirical_communicability(connectome, "zero"), axis=None)
    del connectome
    start = Start(functional, cost, "empirical", target, 0.1)
    networks = RecurrentNetworks([functional], [glorot_uniform(8, neurons, rng)], [glorot_uniform(neurons, 4, rng)])
    penalty, optimiser = Penalty([start]), Adam(networks.parameters(), 1e-3, 1e-7)
    del start, functional, cost, target
    with step("penalty of W*D*C* and its gradient, first"):
        penalty(networks.w).sum().backward()
    x = torch.rand(50, 1, 128, 8)
    if neurons < 5000:
        with step("the same, again"):
            penalty(networks.w).sum().backward()
    optimiser.zero_grad()
    with step("a training step, 128 trials of 50 steps"):
        (networks(x).logsumexp(-1).sum() + penalty(networks.w).sum()).backward()
        optimiser.step()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        measure(int(sys.argv[1]))
    else:
        print(machine.name())
        for size in SIZES:
            subprocess.run([sys.executable, __file__, str(size)], check=True)
