"""Train the networks of ``modules/README.md`` and keep how their communities go with the list of neurons.

``python data/make_modules.py [--jobs N]`` writes each network's row to ``--out`` as it finishes and goes on from
there when it is started again; ``--pack`` puts what is there into ``modules/networks.csv.gz``, and what follows
from it into ``modules/README.md``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import os
import re
import sys
import time
from itertools import product
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import adjusted_mutual_info_score
from tqdm import tqdm

from biornn_lite import space, topology
from biornn_lite.datasets import fetch_field
from biornn_lite.errors import InputError
from biornn_lite.field import CorticalField
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.plumbing.workers import start_worker
from biornn_lite.priors import Priors
from biornn_lite.replication import load_modules
from biornn_lite.results import learned
from biornn_lite.seeds import run_seed
from biornn_lite.statistics import holm, mean_interval
from biornn_lite.tasks import TASKS, get_task
from biornn_lite.topology import communities
from biornn_lite.training import train
from biornn_lite.variants import Protocol, get_variant

HERE = Path(__file__).parent / "modules"
KEY = ["coordinates", "variant", "task", "run"]
COLUMNS = [
    *KEY, "seed", "penalty_weight", "status", "train_accuracy", "test_accuracy", "modularity", "edges",
    "with_edges", "communities", "largest", "mutual_information", "plan",
]  # fmt: skip
RUNS = 20
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def plan(folder: Path = HERE) -> str:
    """Return the digest of the plan in a folder's README."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    section = re.search(r"(?s)^## Plan\n(.*?)^## ", text, re.M)
    return hashlib.sha256(section[1].strip().encode()).hexdigest()[:16]


def networks() -> list[tuple[str, str, str, int]]:
    """List all networks as (coordinates, variant, task, run)."""
    cells = [*product(("reshaped", "transposed"), ("W*D*C", "WD*C", "W!D*C")), ("reshaped", "WDC")]
    return [(*cell, task, run) for run in range(RUNS) for cell in cells for task in TASKS]


def protocol(field: CorticalField, coordinates: str) -> Protocol:
    """Return the published protocol with coordinates of one kind, at the published price of a mean wire."""
    mean = {how: space.mean_distance(Priors(field, Protocol(coordinates=how)).cortical_distances)
            for how in ("reshaped", "transposed")}  # fmt: skip
    weight = Protocol().penalty_weight * mean["reshaped"] / mean[coordinates]
    return Protocol(coordinates=coordinates, penalty_weight=weight)


def measure(field: CorticalField, coordinates: str, variant: str, task: str, run: int, digest: str) -> dict:
    """Train one network of the shipped study's seeds, and describe its communities."""
    how, seed = protocol(field, coordinates), run_seed(0, run)
    start = Priors(field, how).start(get_variant(variant), seed)
    (result,) = train([start], get_task(task), [seed])
    row = {"coordinates": coordinates, "variant": variant, "task": task, "run": run, "seed": seed, "plan": digest}
    row |= {"penalty_weight": how.penalty_weight, "status": "diverged" if result.diverged else "ok"}
    if result.diverged:
        return row
    graph = topology.strongest_graph(result.weights)
    found = communities(graph)
    label = np.empty(field.neurons, dtype=int)
    for number, members in enumerate(found):
        label[members] = number
    there = graph.any(axis=0)
    return row | {
        "train_accuracy": result.train_accuracy[-1],
        "test_accuracy": result.test_accuracy[-1],
        "modularity": topology.modularity(graph),
        "edges": int(graph.sum() // 2),
        "with_edges": int(there.sum()),
        "communities": len(set(label[there])),
        "largest": " ".join(str(len(members)) for members in found[:4]),
        "mutual_information": adjusted_mutual_info_score(np.arange(field.neurons)[there] % 3, label[there]),
    }


def median_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % bootstrap interval (percentiles) of a median over runs."""
    drawn = np.random.default_rng(0).choice(values, (9999, len(values)))
    return tuple(np.percentile(np.median(drawn, axis=1), [2.5, 97.5]))


def results(table: pd.DataFrame) -> pd.DataFrame:
    """Apply the plan: a row per variant and task, both coordinates side by side and paired by run.

    Returns
    -------
    DataFrame
        Index ``variant, task``; for each kind of coordinates the median AMI with its interval, mean Q and how many
        learned; ``fall`` of Q with its t interval, and McNemar's exact p with Holm's correction.
    """
    table = table.assign(learned=learned(table))
    rows = {}
    for key, group in table[table["variant"] != "WDC"].groupby(["variant", "task"], sort=False):
        row, halves = {}, {}
        for how, part in group.groupby("coordinates"):
            halves[how] = part.set_index("run").sort_index()
            ami = part["mutual_information"].to_numpy()
            low, high = median_interval(ami)
            row |= {f"ami_{how}": np.median(ami), f"ami_low_{how}": low, f"ami_high_{how}": high}
            row |= {f"q_{how}": part["modularity"].mean(), f"learned_{how}": int(part["learned"].sum())}
        fall = (halves["reshaped"]["modularity"] - halves["transposed"]["modularity"]).dropna()
        row["runs"], row["fall"] = len(fall), fall.mean()
        row["fall_low"], row["fall_high"] = mean_interval(fall)
        before, after = halves["reshaped"]["learned"], halves["transposed"]["learned"]
        lost, won = int((before & ~after).sum()), int((~before & after).sum())
        row["p"] = binomtest(lost, lost + won).pvalue if lost + won else 1.0
        rows[key] = row
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(rows, names=["variant", "task"])
    found["p_holm"] = holm(found["p"])
    return found


def report(table: pd.DataFrame) -> str:
    """Set the results as a Markdown table."""

    def signed(value: float, digits: int = 2) -> str:
        return f"{value:.{digits}f}".replace("-", "−")

    head = ["variant", "task", "AMI, reshaped", "AMI, transposed", "Q, reshaped", "Q, transposed", "fall of Q",
            "learned, reshaped", "learned, transposed", "p (McNemar, Holm)"]  # fmt: skip
    lines = [head, ["---"] * len(head)]
    for (variant, task), r in results(table).iterrows():
        ami = [
            f"{signed(r[f'ami_{how}'])} [{signed(r[f'ami_low_{how}'])}, {signed(r[f'ami_high_{how}'])}]"
            for how in ("reshaped", "transposed")
        ]
        q = [f"{r[f'q_{how}']:.2f}" for how in ("reshaped", "transposed")]
        fall = f"{signed(r['fall'])} [{signed(r['fall_low'])}, {signed(r['fall_high'])}]"
        right = [f"{r[f'learned_{how}']:.0f} of {r['runs']:.0f}" for how in ("reshaped", "transposed")]
        p = "< 0.001" if r["p_holm"] < 0.001 else f"{r['p_holm']:.3f}"
        lines.append([f"`{variant}`", TASKS[task].title, *ami, *q, fall, *right, p])
    control = table[table["variant"] == "WDC"]
    low, high = median_interval(control["mutual_information"].to_numpy())
    ami, q = control["mutual_information"].median(), control["modularity"].mean()
    ending = (
        f"`WDC`, {len(control)} networks: median AMI {signed(ami)} [{signed(low)}, {signed(high)}], mean Q {q:.2f}, "
        f"{learned(control).sum()} learned."
    )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{ending}\n"


def pack(path: Path) -> None:
    """Put the rows that are there into the shipped table."""
    place = {key: k for k, key in enumerate(networks())}
    table = pd.read_csv(path)
    table = table.iloc[sorted(range(len(table)), key=lambda k: place[tuple(table.loc[k, KEY])])]
    content = gzip.compress(table.to_csv(index=False, float_format="%.6g").encode(), mtime=0)
    with written_atomically(HERE / "networks.csv.gz") as temporary:
        temporary.write_bytes(content)
    card = (HERE / "README.md").read_text(encoding="utf-8")
    card = re.sub(f"(?s)(?<={BEGIN}).*?(?={END})", lambda _: f"\n{report(load_modules())}", card)
    with written_atomically(HERE / "README.md") as temporary:
        temporary.write_text(card, encoding="utf-8", newline="\n")
    print(f"{len(table)} of {len(place)} networks")


def main(out: Path, jobs: int) -> None:
    """Compute what is missing, a row at a time."""
    field, digest = fetch_field("6_6_2"), plan()
    out.parent.mkdir(parents=True, exist_ok=True)
    begun = out.exists() and out.stat().st_size > 0
    done = pd.read_csv(out) if begun else pd.DataFrame(columns=COLUMNS)
    if set(done["plan"]) - {digest}:
        sys.exit(f"{out}: its rows follow another plan")
    have = set(done[KEY].itertuples(index=False, name=None))
    missing = [network for network in networks() if network not in have]
    began = time.perf_counter()
    parallel = joblib.Parallel(
        n_jobs=jobs, batch_size=1, return_as="generator_unordered", initializer=start_worker,
        initargs=(os.getpid(),),
    )  # fmt: skip
    rows = parallel(joblib.delayed(measure)(field, *network, digest) for network in missing)
    with out.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if not begun:
            writer.writeheader()
            file.flush()
        for row in tqdm(rows, total=len(missing), unit="network"):
            writer.writerow(row)
            file.flush()
    print(f"{len(missing)} networks in {(time.perf_counter() - began) / 60:.0f} minutes", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/modules.csv"), help="where rows are written")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--pack", action="store_true", help="train nothing, pack what is there")
    arguments = parser.parse_args()
    try:
        pack(arguments.out) if arguments.pack else main(arguments.out, arguments.jobs)
    except InputError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")
