"""Training and topology against the method as one would first write it: ``python benchmarks/against_plain.py``.

The plain pipeline (``plain.py``: PyTorch's recurrent network and matrix exponential, NetworkX, 1,000 null graphs in
a loop) trains one network at a time with as many threads as there are processors, as PyTorch does by itself; a second
column gives each processor a plain network of its own. Ours trains a network on each processor, as a study does.
All times are wall clock per network. Accuracies are those of the test trials: both sides get the same trials, noise
and first weights, but rounding grows while a network learns, so that single networks may end in different places.
"""

from __future__ import annotations

import argparse
import time

import joblib
import machine
import numpy as np
import plain
import torch

from biornn_lite import topology
from biornn_lite.priors import Priors, Start
from biornn_lite.synthetic import synthetic_field
from biornn_lite.tasks import Task, get_task
from biornn_lite.training import Settings, Trained, train
from biornn_lite.variants import Protocol, get_variant


def ours(start: Start, task: Task, settings: Settings) -> tuple[float, float, Trained]:
    """Train a network by the library and measure it, in this process; the null graphs are drawn beforehand."""
    topology.null(len(start.weights))
    return timed(lambda settings: train([start], task, [0], settings)[0], topology.measure, settings)


def plainly(start: Start, task: Task, settings: Settings) -> tuple[float, float, plain.Result]:
    """Train a plain network and measure it but for the null graphs, in this process."""
    return timed(lambda settings: plain.train(start, task, 0, settings), plain.measure, settings)


def timed(trained, measure, settings: Settings) -> tuple[float, float, object]:
    """Seconds to train, after a few batches to warm up, and to measure, with the network."""
    trained(Settings(epochs=1, batches=3))
    began = time.perf_counter()
    network = trained(settings)
    after = time.perf_counter()
    measure(network.weights)
    return after - began, time.perf_counter() - after, network


def on_every_processor(call, *arguments):
    """Call in as many processes as there are processors; the times are the means, divided by their number."""
    cores = joblib.cpu_count()
    results = joblib.Parallel(n_jobs=cores)(joblib.delayed(call)(*arguments) for _ in range(cores))
    training, measuring = (np.mean([r[k] for r in results]) / cores for k in (0, 1))
    return training, measuring, results[0][2]


def null_seconds(neurons: int, graphs: int) -> float:
    """Seconds for each of some null graphs of NetworkX, in a loop in this process."""
    rng, began = np.random.default_rng(0), time.perf_counter()
    for _ in range(graphs):
        plain.null_graph(neurons, rng)
    return (time.perf_counter() - began) / graphs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, default=312)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--nulls", type=int, default=50, help="null graphs to time, of 1,000")
    arguments = parser.parse_args()
    neurons, settings, task = arguments.neurons, Settings(epochs=arguments.epochs), get_task("go_nogo")
    print(machine.name())
    print(f"{neurons} neurons, {task.title}, {settings.epochs} epochs")
    cores = joblib.cpu_count()
    null = null_seconds(neurons, arguments.nulls)
    began = time.perf_counter()
    topology.null.__wrapped__(neurons)
    drawn = time.perf_counter() - began
    print(
        f"1,000 null graphs: plain {1000 * null:.1f} s per network (from {arguments.nulls}), ours {drawn:.1f} s once"
    )
    print("         training, s per network          ratio        with topology, s         ratio           accuracy")
    print("variant  threads processes   ours  threads processes  threads   ours  threads processes    ours  plain")
    priors = Priors(synthetic_field(neurons), Protocol())
    for variant in ("W", "WD*", "W*D*C", "WD*C", "W*D*C*", "WD*C*"):
        start = priors.start(get_variant(variant), 0)
        torch.set_num_threads(cores)
        threads, measured, their_network = plainly(start, task, settings)
        processes, their_measured, _ = on_every_processor(plainly, start, task, settings)
        own, own_measured, network = on_every_processor(ours, start, task, settings)
        whole, own_whole = threads + measured + 1000 * null, own + own_measured + drawn / 660
        on_each = processes + their_measured + 1000 * null / cores
        print(
            f"{variant:8} {threads:7.2f} {processes:9.2f} {own:6.2f} {threads / own:8.1f} {processes / own:9.1f} "
            f"{whole:8.1f} {own_whole:6.2f} {whole / own_whole:8.1f} {on_each / own_whole:9.1f} "
            f"{network.test_accuracy[-1]:7.3f} {their_network.test_accuracy:6.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
