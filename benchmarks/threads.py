"""Time trainings with one of PyTorch's threads and with all, idle and busy: ``python benchmarks/threads.py``.

On the busy machine one process per core only counts, as other learners' kernels would on a shared server.
"""

from __future__ import annotations

import multiprocessing
import time

import joblib
import torch

from biornn_lite.plumbing import threads as plumbing_threads
from biornn_lite.priors import Priors
from biornn_lite.synthetic import synthetic_field
from biornn_lite.tasks import get_task
from biornn_lite.training import Settings, train
from biornn_lite.variants import Protocol, get_variant

RUNS = (1, 4, 12)


def count_for_ever() -> None:
    """Keep one core busy."""
    while True:
        pass


def measure(neurons: int, runs: int, threads: int) -> float:
    """Seconds of ten batches of networks side by side."""
    plumbing_threads.ALL_THREADS_FROM = 0  # so that small networks take as many threads as they are given here
    torch.set_num_threads(threads)
    priors = Priors(synthetic_field(neurons), Protocol())
    starts = [priors.start(get_variant("W*D*C"), seed) for seed in range(runs)]
    task, settings = get_task("one_choice_inference"), Settings(epochs=1, batches=10)
    train(starts, task, range(runs), Settings(epochs=1, batches=1))
    began = time.perf_counter()
    train(starts, task, range(runs), settings)
    return time.perf_counter() - began


def main() -> None:
    """Print a line per size and number of networks."""
    cores = joblib.cpu_count()
    print(f"seconds of ten batches                  idle                      {cores} other processes")
    print(f"neurons networks       1 thread  {cores} threads  ratio     1 thread  {cores} threads  ratio")
    for neurons in (42, 96, 130, 200, 312, 632):
        for runs in RUNS if neurons < 200 else RUNS[:1]:
            idle = [measure(neurons, runs, threads) for threads in (1, cores)]
            others = [multiprocessing.Process(target=count_for_ever, daemon=True) for _ in range(cores)]
            for other in others:
                other.start()
            busy = [measure(neurons, runs, threads) for threads in (1, cores)]
            for other in others:
                other.kill()
                other.join()
            pairs = "  ".join(f"{one:11.2f} {more:10.2f} {more / one:6.1f}" for one, more in (idle, busy))
            print(f"{neurons:7} {runs:8} {pairs}", flush=True)


if __name__ == "__main__":
    main()
