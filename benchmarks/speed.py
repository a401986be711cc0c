"""How near to the machine's limit training is, and how long the paper takes: ``python benchmarks/speed.py``.

Each line is measured in as many processes at once as there are processors, so that they share what they share in a
study. A rate counts the network's own products: 2 N² operations per step and trial forwards, twice that backwards.
"""

from __future__ import annotations

import argparse
import tempfile
import time

import joblib
import machine
import numpy as np
import torch

from biornn_lite import topology
from biornn_lite.priors import Priors
from biornn_lite.study import Study, _side_by_side, run_study
from biornn_lite.synthetic import synthetic_field
from biornn_lite.tasks import get_task
from biornn_lite.training import Settings, train
from biornn_lite.variants import PUBLISHED_VARIANTS, Protocol, get_variant

TASK = get_task("one_choice_inference")


def work(neurons: int, settings: Settings) -> float:
    """Operations in the products of one network's epoch, in 10⁹: trained trials count three times."""
    trials = 3 * settings.batches * settings.batch_size + settings.test_trials
    return 2 * neurons**2 * TASK.steps * trials / 1e9


def measure(neurons: int, variant: str, epochs: int) -> dict[str, float]:
    """Train networks side by side and measure one's topology, in this process."""
    settings = Settings(epochs=epochs)
    runs = _side_by_side(neurons, TASK, settings, "cpu")
    priors = Priors(synthetic_field(neurons), Protocol())
    starts = [priors.start(get_variant(variant), seed) for seed in range(runs)]
    train(starts, TASK, range(runs), Settings(epochs=1, batches=3))
    machine.reset_peak_memory()
    moments = [time.perf_counter()]
    trained = train(starts, TASK, range(runs), settings, on_epoch=lambda _: moments.append(time.perf_counter()))
    memory = machine.peak_memory()
    epoch = min(np.diff(moments[1:])) / runs  # the first holds the drawing of trials
    began = time.perf_counter()
    topology.null(neurons)
    drawn = time.perf_counter()
    topology.measure(trained[0].weights)
    measured = time.perf_counter()
    blas, best = machine.product_rates(neurons, settings.batch_size, runs)
    rate = work(neurons, settings) / epoch
    return {
        "runs": runs, "rate": rate, "of blas": rate / blas, "of best": rate / best, "epoch": epoch,
        "topology": measured - drawn, "null": drawn - began, "memory": memory,
    }  # fmt: skip


def table(sizes: list[int], epochs: int) -> None:
    """Print a line per size and variant, and per size what follows for the whole paper."""
    cores = joblib.cpu_count()
    print("            side by          10⁹/s    share of the rate of products    s per network     peak")
    print("neurons variant  side   per process    PyTorch’s    quickest      training  topology   GB")
    for neurons in sizes:
        total = null = 0.0
        for variant in PUBLISHED_VARIANTS:
            rows = joblib.Parallel(n_jobs=cores)(
                joblib.delayed(measure)(neurons, variant, epochs) for _ in range(cores)
            )
            row = {key: np.mean([r[key] for r in rows]) for key in rows[0]}
            training = row["epoch"] * Settings().epochs
            total += (training + row["topology"]) * 3 * 20
            null = max(null, row["null"])
            print(
                f"{neurons:7} {variant:8} {row['runs']:4.0f} {row['rate']:13.0f} {row['of blas']:12.0%} "
                f"{row['of best']:11.0%} {training:13.2f} {row['topology']:9.3f} {row['memory']:5.2f}",
                flush=True,
            )
        hours = (total / cores + null) / 3600
        print(
            f"{neurons:7} the paper, 660 networks, at 50 steps per trial: {hours:.2f} h; null {null:.1f} s",
            flush=True,
        )


def threads_and_processes(neurons: int) -> None:
    """Compare ways of using all processors, on the same networks."""
    cores = joblib.cpu_count()
    field = synthetic_field(neurons)
    study = Study(field, ("W*D*C",), (TASK.name,), cores * _side_by_side(neurons, TASK, Settings(), "cpu"))
    each = []
    for name, backend, jobs, threads in (
        (f"{cores} processes of 1 thread", "loky", cores, 1),
        (f"1 process of {cores} threads", "threading", 1, cores),
        (f"{cores} Python threads of 1 thread", "threading", cores, 1),
    ):
        torch.set_num_threads(threads)
        with joblib.parallel_config(backend, n_jobs=jobs):
            run_study(Study(field, ("W",), (TASK.name,), cores, settings=Settings(epochs=1)), progress=False)  # warm
            began = time.perf_counter()
            run_study(study, progress=False)
            each.append(f"{name} {(time.perf_counter() - began) / len(study.networks):.2f} s")
    print(
        f"{neurons:7} W*D*C, a network of 10 epochs and its topology, by wall clock: " + "; ".join(each), flush=True
    )


def whole(neurons: int, runs: int) -> None:
    """Train a part of the paper as the command would, and say what all of it would take."""
    study = Study(synthetic_field(neurons), runs=runs)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run_study(study, folder)
        took = time.perf_counter() - began
    networks = len(study.networks)
    print(
        f"{neurons:7} {networks} networks, all variants and tasks: {took:.0f} s, "
        f"so 660: {took / networks * 660 / 3600:.2f} h"
    )


def twenty_runs(neurons: int) -> None:
    """Time one variant and task from nothing, processes and all, and the memory of 20 runs in one batch."""
    began = time.perf_counter()
    run_study(Study(synthetic_field(neurons), ("W*D*C",), (TASK.name,), 20), progress=False)
    print(
        f"{neurons:7} W*D*C, 20 runs of 10 epochs with topology, processes started for it: "
        f"{time.perf_counter() - began:.1f} s"
    )


def memory_of_twenty(neurons: int) -> float:
    """Peak memory in GB of training 20 runs in one batch, imports and all."""
    priors = Priors(synthetic_field(neurons), Protocol())
    starts = [priors.start(get_variant("W*D*C*"), seed) for seed in range(20)]
    machine.reset_peak_memory()
    train(starts, TASK, range(20), Settings(epochs=1))
    return machine.peak_memory()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", nargs="+", type=int, default=[42, 96, 312, 632])
    parser.add_argument("--epochs", type=int, default=3, help="of which the quickest counts")
    parser.add_argument("--whole", type=int, default=2, metavar="RUNS", help="of all variants and tasks; 0 for none")
    arguments = parser.parse_args()
    print(machine.name())
    twenty_runs(42)
    table(arguments.neurons, arguments.epochs)
    for neurons in arguments.neurons[:3]:
        threads_and_processes(neurons)
    largest = min(312, max(arguments.neurons))
    (memory,) = joblib.Parallel(n_jobs=2)([joblib.delayed(memory_of_twenty)(largest)])
    print(f"{largest:7} W*D*C*, 20 runs in one batch: peak memory {memory:.2f} GB")
    if arguments.whole:
        whole(largest, arguments.whole)


if __name__ == "__main__":
    main()
