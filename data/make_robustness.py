"""Make the rows in ``data/robustness`` again: ``python data/make_robustness.py [STUDY ...]``.

Trains the studies of :data:`biornn_lite.robustness_studies.STUDIES` into ``--out``, measures the networks of each
part as soon as they are trained, goes on where it was stopped, and packs what is there. ``--first-run`` leaves out
the runs before it and keeps their packed rows. ``--networks`` instead trains the networks of the embedded field that
come with the library. The field is fetched where it is not in ``--fields`` or
``BIORNN_DATA``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pandas as pd
from make_audit import finder
from rows_of_studies import (
    PLAN_FILE,
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

from biornn_lite import trained_networks
from biornn_lite.audit import Part
from biornn_lite.datasets import EMBEDDED, load_field
from biornn_lite.errors import InputError
from biornn_lite.field import CorticalField
from biornn_lite.network import networks_of
from biornn_lite.priors import Priors
from biornn_lite.pruning import RETRAINING
from biornn_lite.results import KEY, read_results
from biornn_lite.robustness_studies import FIELD, SIZES, STUDIES, measured, name_of, parts
from biornn_lite.robustness_verdict import TABLES
from biornn_lite.seeds import run_seed
from biornn_lite.space import distances
from biornn_lite.study import Study, run_study
from biornn_lite.study_folder import read_network
from biornn_lite.training import Settings

HERE = Path(__file__).parent / "robustness"
PLAN = Path(__file__).parents[1] / "docs" / "robustness_plan.md"

SIDE_BY_SIDE = 7
"""Networks measured at once."""

ROWS = [*KEY, "measure", "severity", "value"]


@dataclass(frozen=True)
class LaterRuns(Study):
    """The runs of a study from `first_run` on."""

    first_run: int = 0

    @property
    def networks(self) -> list[tuple[str, str, int]]:
        """Networks as (variant, task, run), without the runs before the first one."""
        return [network for network in super().networks if network[2] >= self.first_run]


def measures_of(folder: Path) -> pd.DataFrame:
    """Read all measures of a part."""
    return read_groups(folder, ROWS)


def _measure(
    study: Study, folder: str, networks: Sequence[tuple[str, str, int]], whole: bool, retraining: Settings
) -> pd.DataFrame:
    """Measure networks of one task that a study has kept."""
    seeds = [run_seed(study.seed, run) for _, _, run in networks]
    kept = networks_of([read_network(folder, *network).state_of_run(0) for network in networks])
    starts = Priors(study.field, study.protocol, study.sign).starts([study.variant(v) for v, _, _ in networks], seeds)
    apart = distances(study.field.positions)
    table = measured(kept, starts, networks[0][1], seeds, apart, whole, retraining)
    return with_key(table, networks)


def make(
    part: Part,
    field: CorticalField,
    out: Path,
    jobs: int | None = None,
    progress: bool = True,
    forget: bool = False,
    retraining: Settings = RETRAINING,
    first_run: int = 0,
) -> None:
    """Train and measure what a part lacks; with `forget`, remove its networks when all are measured."""
    folder, whole = folder_of(part, out), part.on(field)
    begin(folder, part, plan_digest(PLAN))
    same = {each.name: getattr(whole, each.name) for each in fields(Study) if each.init}
    study = LaterRuns(**same, first_run=first_run)
    if not complete(study, folder):
        run_study(study, folder, jobs=jobs, progress=progress, keep_networks=True)
        measure_all(study, folder, part.name == name_of(max(SIZES)), jobs, progress, retraining)
    if forget:
        shutil.rmtree(folder / "networks", ignore_errors=True)


def measure_all(
    study: Study, folder: Path, whole: bool, jobs: int | None, progress: bool, retraining: Settings
) -> None:
    """Measure the networks of a part that lack measures, in groups; each group is one file, written atomically."""
    these = groups(to_measure(study, folder), SIDE_BY_SIDE)
    calls = [(study, str(folder), group, whole, retraining) for group in these]
    for table in side_by_side(_measure, calls, jobs, progress):
        write_group(folder, table, ROWS)


def pack(out: Path, add: bool = False) -> None:
    """Put what is trained and measured into three tables: networks, learning curves and measures.

    Networks that still lack measures are left out, except those that diverged and never get any. With `add`, the
    packed rows of all other networks stay, if they follow the same plan.
    """
    networks, curves, measures = [], [], []
    for folder, names in parts_in(out):
        results, of_part = read_results(folder), measures_of(folder)
        of_networks, of_curves = measured_or_lost(results, of_part)
        networks.append(of_networks.assign(**names, plan=(folder / PLAN_FILE).read_text()))
        if names["part"] == name_of(max(SIZES)):
            curves.append(of_curves.assign(**names))
        measures.append(of_part.assign(**names))
    if not networks:
        raise InputError(f"{out}: no rows here to pack")
    HERE.mkdir(exist_ok=True)
    if add:
        new = pd.concat(networks)
        for tables, packed in zip((networks, curves, measures), others(new), strict=True):
            tables.append(packed)
    for name, tables, digits in zip(TABLES, (networks, curves, measures), (6, 3, 6), strict=True):
        if there := [table for table in tables if len(table)] or tables[:1]:
            write_table(HERE / name, pd.concat(there, ignore_index=True), digits)


def others(new: pd.DataFrame) -> list[pd.DataFrame]:
    """Read the packed rows of networks that are not among the new ones.

    Raises
    ------
    InputError
        If packed rows follow another plan than the new ones.
    """
    texts = {"variant": str, "plan": str, "own_objects": str}
    tables = [pd.read_csv(HERE / name, dtype=texts) for name in TABLES]
    if set(tables[0]["plan"]) != set(new["plan"]):
        raise InputError(f"{HERE / TABLES[0]}: these rows follow another plan; pack all runs anew")
    names = ["study", "part", *KEY]
    theirs = pd.MultiIndex.from_frame(new[names])
    return [table[~pd.MultiIndex.from_frame(table[names]).isin(theirs)] for table in tables]


def make_networks(field: CorticalField, out: Path, jobs: int | None = None, progress: bool = True, **more) -> None:
    """Train the networks of the embedded field that are shipped, and write their file."""
    states, accuracies = {}, {}
    for task, runs in trained_networks.RUNS.items():
        folder = out / "trained_networks" / task
        study = Study(
            field, trained_networks.variants(), task, runs, trained_networks.SEED, trained_networks.PROTOCOL, **more
        )
        rows = run_study(study, folder, jobs=jobs, progress=progress, keep_networks=True).networks.set_index(KEY)
        for key in study.networks:
            name = (key[0].split(" | ")[0], *key[1:])
            states[name], accuracies[name] = read_network(folder, *key).state_of_run(0), rows["test_accuracy"][key]
    HERE.mkdir(exist_ok=True)
    path = HERE / Path(trained_networks.FILE).name
    trained_networks.write_trained_networks(path, states, accuracies)
    trained_networks.load_trained_networks(path)


def main(arguments: argparse.Namespace, find: Callable[[str], CorticalField]) -> None:
    """Do what the command line asks for."""
    if arguments.networks:
        make_networks(load_field(EMBEDDED), arguments.out, arguments.jobs)
        return
    first = arguments.first_run
    if not arguments.pack:
        for size in arguments.sizes or SIZES:
            for study in arguments.studies or STUDIES:
                (part,) = parts(study, (size,))
                print(f"{part.study}: {part.name}", file=sys.stderr)
                part = replace(part, runs=min(part.runs, arguments.runs))
                make(part, find(FIELD), arguments.out, arguments.jobs, True, arguments.forget, first_run=first)
    pack(arguments.out, add=first > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", help=f"which; both when left out: {', '.join(STUDIES)}")
    parser.add_argument("--out", type=Path, default=Path("results/robustness"), help="where they are trained")
    parser.add_argument("--fields", type=Path, help="folder of fields in plain files, NAME.npz")
    parser.add_argument("--sizes", type=int, nargs="*", help=f"numbers of training trials; all: {SIZES}")
    parser.add_argument("--runs", type=int, default=20, help="train no more runs than these, for now")
    parser.add_argument("--first-run", type=int, default=0, help="train from this run on, add to the packed rows")
    parser.add_argument("--jobs", type=int, help="processes; as many as processors when left out")
    parser.add_argument("--forget", action="store_true", help="remove the weights of a part when it is measured")
    parser.add_argument("--networks", action="store_true", help="train the shipped networks of the embedded field")
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
