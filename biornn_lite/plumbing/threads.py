"""Number of computing threads, and their treatment of the smallest numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch


@contextmanager
def small_numbers_as_zero() -> Iterator[None]:
    """Let the processor treat numbers below 1.2 · 10⁻³⁸ as 0; the earlier setting is restored at the end.

    Networks that forget have such small states and gradients, and processors are at least ten times slower with these
    numbers. They do not affect any weight: Adam adds ε = 10⁻⁷ to its denominator.
    """
    before = float(torch.full((), 1e-38) * 0.1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


@cache
def start_threads() -> None:
    """Let PyTorch start its threads once, so that they treat the smallest numbers as 0.

    Each thread has its own setting of :func:`small_numbers_as_zero`, copied from the thread that starts it.
    """
    with small_numbers_as_zero():
        torch.ones(512, 512) @ torch.ones(512, 512)


# A forked process does not have these threads and would wait for them forever, so it computes with one thread.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


ALL_THREADS_FROM = 256
"""From this number of neurons on, PyTorch uses several threads for a training; smaller networks use one thread.

On an idle machine with two cores, a second thread makes training up to 1.6 times faster for 42 to 130 neurons, and
twice as fast for 312. On a busy machine, threads wait for each other at every product. Training small networks with
two threads then takes 2 to 60 times as long as with one (``benchmarks/threads.py``).
"""


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let PyTorch compute with this number of threads; the earlier number is restored at the end."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(neurons: int) -> int:
    """Return the number of PyTorch threads for training networks of this size in the current process."""
    return torch.get_num_threads() if neurons >= ALL_THREADS_FROM else 1
