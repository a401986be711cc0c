"""Worker processes that report each epoch, stop when told to, and never outlive the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import torch

# How a worker reports to the process that started it: (queue of finished epochs, whether to stop).
_reports = None


def report(networks: int) -> None:
    """Say in a worker that an epoch of some networks is done; stop here if the study was interrupted."""
    if _reports is not None:
        ticks, stop = _reports
        if stop.is_set():
            raise CancelledError
        ticks.put(networks)


def _start_worker(ticks, stop, own_process: bool) -> None:
    global _reports
    _reports = ticks, stop
    if own_process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it decides
        torch.set_num_threads(1)
        threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """End this worker when the process that started it is gone, even if that was killed."""
    multiprocessing.parent_process().join()
    os._exit(1)


@contextmanager
def workers(count: int, device: str, executor: Executor | None):
    """Give an executor and a queue of finished epochs; after an error, stop what is under way."""
    if executor is not None:
        yield executor, queue.SimpleQueue()  # a borrowed executor reports whole groups only
        return
    if device == "cpu":
        context = multiprocessing.get_context("spawn")
        ticks, stop = context.SimpleQueue(), context.Event()
        pool = ProcessPoolExecutor(count, context, _start_worker, (ticks, stop, True))
    else:
        ticks, stop = queue.SimpleQueue(), threading.Event()
        pool = ThreadPoolExecutor(1, initializer=_start_worker, initargs=(ticks, stop, False))
    with pool:
        try:
            yield pool, ticks
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def available_processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
