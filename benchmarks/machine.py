"""What the benchmarks share: the machine's name, its rate of matrix products, and the memory of a process."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import torch

from biornn_lite.plumbing.matmul import product, uses_onednn


def name() -> str:
    """Processor, cores and versions, in a line."""
    processor = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = models[0] if models else processor
    return (
        f"{processor}, {joblib.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}, {platform.system()}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, NumPy {np.__version__}"
    )


def best_time(call: Callable[[], object], repeats: int) -> float:
    """Shortest time of a call, in seconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def product_rates(neurons: int, batch: int, runs: int) -> tuple[float, float]:
    """Rates of the three products of a training step, alone and on warm data, in 10⁹ operations per second.

    Returns
    -------
    blas : float
        Of PyTorch's own product.
    best : float
        Of the quicker library, see :mod:`biornn_lite.plumbing.matmul`.
    """
    h, w = torch.rand(runs, batch, neurons), torch.rand(runs, neurons, neurons)
    pairs = [(h, w), (h, w.mT), (h.mT, h)]
    repeats = max(5, min(200, int(2e9 / (2 * runs * batch * neurons**2))))
    work = 3 * 2 * runs * batch * neurons**2
    rates = [
        work / sum(best_time(lambda f=f, a=a, b=b: f(a, b), repeats) for a, b in pairs) / 1e9
        for f in (torch.bmm, product)
    ]
    return rates[0], max(rates) if uses_onednn(h, w) else rates[0]


def reset_peak_memory() -> None:
    """Begin to watch the memory of this process anew, where the system can (Linux)."""
    refs = Path("/proc/self/clear_refs")
    if refs.exists():
        refs.write_text("5")


def peak_memory() -> float:
    """Largest memory of this process in GB (10⁹ bytes), since :func:`reset_peak_memory` where the system can."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9
    import resource

    scale = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e9
