"""How much of this machine's matrix-product rate training reaches: ``python benchmarks/throughput.py``.

Both rates are measured here, one after the other, on one thread; quote their ratio, not the seconds.
"""

from __future__ import annotations

import time

import torch

from biornn_lite.environment import matrix_product_rate
from biornn_lite.priors import Priors
from biornn_lite.synthetic import synthetic_field
from biornn_lite.tasks import get_task
from biornn_lite.training import Settings, train
from biornn_lite.variants import Protocol, get_variant


def main() -> None:
    torch.set_num_threads(1)
    task, settings = get_task("one_choice_inference"), Settings(epochs=1)
    trials = 3 * settings.batches * settings.batch_size + settings.test_trials  # forward once, backward twice
    print(f"{'neurons':>8}{'runs':>6}{'variant':>10}{'10⁹/s':>8}{'of the products’ rate':>24}")
    for neurons, runs in ((70, 8), (96, 4), (312, 1)):
        priors = Priors(synthetic_field(neurons), Protocol())
        for name in ("W*D*", "W*D*C", "W*D*C*"):
            starts = [priors.start(get_variant(name), seed) for seed in range(runs)]
            rate = matrix_product_rate()
            began = time.perf_counter()
            train(starts, task, range(runs), settings)
            took = time.perf_counter() - began
            mine = 2 * neurons**2 * task.steps * trials * runs / took / 1e9
            print(f"{neurons:>8}{runs:>6}{name:>10}{mine:>8.1f}{mine / rate:>23.0%}")


if __name__ == "__main__":
    main()
