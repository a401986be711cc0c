"""How many threads compute, and how they treat the smallest numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch


@contextmanager
def small_numbers_as_zero() -> Iterator[None]:
    """Have the processor take numbers below 1.2 · 10⁻³⁸ for 0, and do what it did before again at the end.

    Networks that forget have states and gradients that small, and processors compute with them ten and more times
    slower than with others. No weight feels them: Adam adds ε = 10⁻⁷ to what it divides by.
    """
    before = float(torch.full((), 1e-38) * 0.1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


@cache
def start_threads() -> None:
    """Have PyTorch start its threads, once, so that they take the smallest numbers for 0.

    The setting of :func:`small_numbers_as_zero` is each thread's own, taken over from the one that starts it.
    """
    with small_numbers_as_zero():
        torch.ones(512, 512) @ torch.ones(512, 512)


# A forked process has none of these threads, and would wait for them for ever: it computes with its own one.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


ALL_THREADS_FROM = 256
"""Neurons from which PyTorch's threads share the products of a training; below, each network is trained by one.

On an idle machine of two cores the second thread makes a training of 42 to 130 neurons up to 1.6 times as quick, and
one of 312 twice. Where others compute as well, threads wait for one another at every product: trainings of small
networks then take 2 to 60 times as long with two threads as with one (``benchmarks/threads.py``).
"""


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Have PyTorch compute with so many threads, and as before at the end."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(neurons: int) -> int:
    """Return how many of PyTorch's threads train networks of this size, here and now."""
    return torch.get_num_threads() if neurons >= ALL_THREADS_FROM else 1
