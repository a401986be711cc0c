"""Make the rows in ``data/dynamics`` again: ``python data/make_dynamics.py [STUDY ...]``.

Trains the studies of :data:`biornn_lite.dynamics_studies.STUDIES` into ``--out``, measures the networks with their
first weights and after training, goes on where it was stopped, and packs what is there. It takes a few runs of all
studies before the next ones, so that when time runs out, the last runs are missing and no start. The field is fetched
where it is not in ``--fields`` or ``BIORNN_DATA``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from make_audit import finder
from rows_of_studies import (
    PLAN_FILE,
    Network,
    begin,
    complete,
    folder_of,
    groups,
    measured_or_lost,
    parts_in,
    plan_digest,
    read_groups,
    side_by_side,
    to_measure,
    with_key,
    write_group,
    write_table,
)

from biornn_lite.audit import Part
from biornn_lite.dynamics_studies import FIELD, RUNS, STUDIES, Measured, measured, part_of
from biornn_lite.dynamics_verdict import TABLES
from biornn_lite.errors import InputError
from biornn_lite.field import CorticalField
from biornn_lite.network import networks_of
from biornn_lite.priors import Priors
from biornn_lite.results import KEY, read_results
from biornn_lite.seeds import run_seed
from biornn_lite.study import Study, run_study
from biornn_lite.study_folder import read_network
from biornn_lite.training import initial_networks

HERE = Path(__file__).parent / "dynamics"
PLAN = Path(__file__).parents[1] / "docs" / "dynamics_plan.md"

DISTANCES = "distances"
"""The folder of distances of a part, a file per group of networks."""

SIDE_BY_SIDE, AT_A_TIME = 6, 4
"""Networks measured in one call, and runs of all studies that are made before the next ones."""

ROWS = [*KEY, "when", "measure", "at", "value"]
DISTANCE_ROWS = [*KEY, "when", "pair", "distance"]


def _measure(study: Study, folder: str, networks: Sequence[Network]) -> Measured:
    """Measure networks of one task that a study has kept, with their names in place of their numbers."""
    task = study.task(networks[0][1])
    seeds = [run_seed(study.seed, run) for _, _, run in networks]
    trained = networks_of([read_network(folder, *network).state_of_run(0) for network in networks])
    starts = Priors(study.field, study.protocol, study.sign).starts([study.variant(v) for v, _, _ in networks], seeds)
    first = initial_networks(starts, task, seeds, study.sign)
    found = measured(trained, first, task, seeds, study.field.positions)
    return Measured(*(with_key(table, networks) for table in found))


def make(part: Part, field: CorticalField, out: Path, jobs: int | None = None, progress: bool = True) -> None:
    """Train and measure what a part lacks."""
    folder, study = folder_of(part, out), part.on(field)
    begin(folder, part, plan_digest(PLAN))
    if complete(study, folder):
        return
    run_study(study, folder, jobs=jobs, progress=progress, keep_networks=True)
    calls = [(study, str(folder), group) for group in groups(to_measure(study, folder), SIDE_BY_SIDE)]
    for found in side_by_side(_measure, calls, jobs, progress):
        if len(found.distances):
            write_group(folder, found.distances, DISTANCE_ROWS, DISTANCES)
        write_group(folder, found.measures, ROWS)  # last: networks with measures count as done


def pack(out: Path) -> None:
    """Put what is trained and measured into three tables: networks, measures and distances.

    Networks that still lack measures are left out, except those that diverged and never get any.
    """
    found = []
    for folder, names in parts_in(out):
        results, measures = read_results(folder), read_groups(folder, ROWS)
        distances = read_groups(folder, DISTANCE_ROWS, DISTANCES)
        tables = measured_or_lost([results.networks, measures, distances], measures)
        found.append([table.assign(**names, plan=(folder / PLAN_FILE).read_text()) for table in tables])
    if not found:
        raise InputError(f"{out}: no rows here to pack")
    HERE.mkdir(exist_ok=True)
    for name, tables, digits in zip(TABLES, zip(*found, strict=True), (6, 6, 4), strict=True):
        there = [table for table in tables if len(table)] or [*tables[:1]]
        write_table(HERE / name, pd.concat(there, ignore_index=True), digits)


def main(arguments: argparse.Namespace, find: Callable[[str], CorticalField]) -> None:
    """Do what the command line asks for."""
    most = max(RUNS.values()) if arguments.runs is None else arguments.runs
    rounds = [] if arguments.pack else [*range(AT_A_TIME, most, AT_A_TIME), most]
    for runs in rounds:
        for study in arguments.studies or STUDIES:
            part = part_of(study)
            print(f"{study}: the first {min(part.runs, runs)} runs", file=sys.stderr)
            make(replace(part, runs=min(part.runs, runs)), find(FIELD), arguments.out, arguments.jobs)
        pack(arguments.out)
    if arguments.pack:
        pack(arguments.out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", help=f"which; all when left out: {', '.join(STUDIES)}")
    parser.add_argument("--out", type=Path, default=Path("results/dynamics"), help="where they are trained")
    parser.add_argument("--fields", type=Path, help="folder of fields in plain files, NAME.npz")
    parser.add_argument("--runs", type=int, help="train no more runs than these, for now")
    parser.add_argument("--jobs", type=int, help="processes; as many as processors when left out")
    parser.add_argument("--pack", action="store_true", help="train nothing, pack what is there")
    arguments = parser.parse_args()
    if unknown := set(arguments.studies) - set(STUDIES):
        sys.exit(f"no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    try:
        main(arguments, finder(arguments.fields))
    except InputError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")
