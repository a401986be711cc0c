"""Train the networks of ``draws/README.md``: ``python data/make_draws.py``; it goes on where it was stopped."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from make_modules import plan
from scipy.stats import norm
from tqdm import tqdm

from biornn_lite.datasets import fetch_field
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.priors import Priors
from biornn_lite.replication import load_replication
from biornn_lite.results import learned
from biornn_lite.seeds import run_seed
from biornn_lite.tasks import get_task
from biornn_lite.training import Settings, train, training_trials
from biornn_lite.variants import Protocol, get_variant

HERE = Path(__file__).parent / "draws"
FAILED = (
    ("W!D*C*", "go_nogo", 9),
    ("W*DC*", "go_nogo", 10),
    ("W!D*C*", "perceptual_decision_making", 10),
)
OTHERS = 10
DRAWS = 1200
HARD = [("W*D*C*", "perceptual_decision_making", run, "1165/0") for run in range(6)]
COLUMNS = ["variant", "task", "run", "trials", "status", "train_accuracy", "test_accuracy", "plan"]


def networks(shipped: pd.DataFrame) -> list[tuple[str, str, int, str]]:
    """List all networks as (variant, task, run, study and run of the trials), the shipped ones first."""
    again, swapped = [], []
    for variant, task, failed in FAILED:
        mine = shipped[(shipped["variant"] == variant) & (shipped["task"] == task)]
        again.append((variant, task, failed, f"0/{failed}"))
        for other in mine["run"][learned(mine)].head(OTHERS):
            swapped += [(variant, task, failed, f"0/{other}"), (variant, task, int(other), f"0/{failed}")]
    return again + HARD + swapped


def best_on_draw(seed: int) -> float:
    """Best possible training accuracy in the perceptual decision on the trials that a seed draws.

    With evidence S towards the right answer, summed over the steps, and noise of SD σ on both channels at each, the
    sum points the right way with probability Φ(S / (σ √(2 · steps))).
    """
    task, settings = get_task("perceptual_decision_making"), Settings()
    inputs, labels = training_trials(task, [seed], settings)
    evidence = (inputs[..., 1] - inputs[..., 2]).double().sum(0)[0].numpy()  # (trials,), towards label 0
    towards = np.where(labels[0].numpy() == 0, evidence, -evidence)
    return norm.cdf(towards / (settings.input_noise * np.sqrt(2 * task.evidence_steps))).mean()


def write_best(path: Path) -> None:
    """Write the best possible accuracy on the draw of run 0 of each of many studies."""
    best = [best_on_draw(run_seed(study, 0)) for study in tqdm(range(DRAWS), unit="draw")]
    with written_atomically(path) as temporary:
        pd.DataFrame({"study": range(DRAWS), "best": best}).to_csv(temporary, index=False, float_format="%.6f")


def main() -> None:
    """Compute what is missing, a row at a time."""
    if not (HERE / "best.csv").exists():
        write_best(HERE / "best.csv")
    field, digest, out = fetch_field("6_6_2"), plan(HERE), HERE / "networks.csv"
    begun = out.exists()
    done = pd.read_csv(out) if begun else pd.DataFrame(columns=COLUMNS)
    if set(done["plan"]) - {digest}:
        sys.exit(f"{out}: its rows follow another plan")
    have = set(done[COLUMNS[:4]].itertuples(index=False, name=None))
    missing = [network for network in networks(load_replication("6_6_2").networks) if network not in have]
    priors = Priors(field, Protocol())
    with out.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not begun:
            writer.writerow(COLUMNS)
        for variant, task, run, trials in tqdm(missing, unit="network"):
            seed, trial_seed = run_seed(0, run), run_seed(*map(int, trials.split("/")))
            start = priors.start(get_variant(variant), seed)
            (result,) = train([start], get_task(task), [seed], trial_seeds=[trial_seed])
            accuracies = f"{result.train_accuracy[-1]:.6g}", f"{result.test_accuracy[-1]:.6g}"
            status = "diverged" if result.diverged else "ok"
            writer.writerow([variant, task, run, trials, status, *accuracies, digest])
            file.flush()


if __name__ == "__main__":
    main()
