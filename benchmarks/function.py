"""Time and peak memory of correlation and STTC, by number of neurons: ``python benchmarks/function.py``.

Each size runs in a process of its own. Events lie on imaging frames, as in measured fields, or anywhere in time,
which is harder: no two neurons share a moment. The last column divides the time by pairs × events per neuron: where
it does not grow, the cost grows no faster than that product.
"""

from __future__ import annotations

import subprocess
import sys
import time

EVENTS, SECONDS, FRAME = 1500, 6347.0, 0.1587


def measure(neurons: int, on_frames: bool) -> None:
    import resource

    import numpy as np

    from biornn_lite import activity

    rng = np.random.default_rng(0)
    if on_frames:
        frames = int(SECONDS / FRAME)
        trains = [np.sort(rng.choice(frames, EVENTS, replace=False)) * FRAME for _ in range(neurons)]
    else:
        trains = [np.sort(rng.random(EVENTS) * SECONDS) for _ in range(neurons)]
    began = time.perf_counter()
    activity.correlation(activity.event_counts(trains))
    counted = time.perf_counter()
    activity.spike_time_tiling_coefficient(trains)
    tiled = time.perf_counter()
    each = (tiled - began) / (neurons**2 * EVENTS) * 1e9
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{neurons:7} {'frames' if on_frames else 'anywhere':>9} {counted - began:13.2f} {tiled - counted:9.2f} "
        f"{peak:8.2f} {each:22.2f}"
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(int(sys.argv[1]), sys.argv[2] == "frames")
    else:
        print("neurons    events correlation s    STTC s  peak GB  ns per pair and event")
        for neurons in (312, 632, 1000, 2000):
            for kind in ("frames", "anywhere"):
                subprocess.run([sys.executable, __file__, str(neurons), kind], check=True)
