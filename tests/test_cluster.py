"""A study on a real Dask cluster of worker processes, one of which is killed while it trains."""

import os
import signal
import threading
import time

import joblib
import pandas as pd
import pytest

from biornn_lite.results import read_results
from biornn_lite.study import Study, run_study
from biornn_lite.training import Settings

distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")

SETTINGS = Settings(epochs=3, batches=20, batch_size=64, test_trials=200)


@pytest.fixture
def cluster():
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster, distributed.Client(cluster):  # fmt: skip
        yield cluster


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_study_survives_the_death_of_a_worker(tmp_path, column, cluster):
    study = Study(column, ("W*D*C*", "WD*C", "W"), ("go_nogo",), runs=6, settings=SETTINGS)
    killed, ended = [], threading.Event()

    def kill() -> None:
        """Kill a worker that computes, as if its machine had died, once a first row is there."""
        while not (tmp_path / "results.csv").exists() and not ended.is_set():
            time.sleep(0.02)
        while not killed and not ended.is_set():
            time.sleep(0.01)
            for worker in list(cluster.scheduler.workers.values()):
                if worker.processing and worker.nanny:
                    os.kill(cluster.workers[worker.name].pid, signal.SIGKILL)
                    killed.append((worker.name, len(read_results(tmp_path).networks)))
                    break

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        with joblib.parallel_config("dask"):
            found = run_study(study, tmp_path, progress=False)
    finally:
        ended.set()
        killer.join()

    assert len(killed) == 1 and 0 < killed[0][1] < len(study.networks), "the kill was to come in mid-study"
    table = found.networks
    assert [*zip(table["variant"], table["task"], table["run"], strict=True)] == study.networks
    for read, mine in zip(read_results(tmp_path), found, strict=True):
        pd.testing.assert_frame_equal(read, mine)
    here = run_study(study, progress=False)
    pd.testing.assert_frame_equal(table.drop(columns="seconds"), here.networks.drop(columns="seconds"), rtol=1e-4)
    pd.testing.assert_frame_equal(found.curves, here.curves, rtol=1e-4)
