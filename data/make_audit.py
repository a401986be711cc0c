"""Make the rows in ``data/audit`` again: ``python data/make_audit.py [STUDY ...]``.

Trains the studies that are named, or all of :data:`biornn_lite.audit.STUDIES`, into ``--out``, from where they go on
when stopped, and packs what is there. Rows of a study that is not there stay as they are. With ``--go-on``, shipped
rows are not trained again. The data card says how many hours each study took. The fields are fetched where they are
not in ``--fields`` or ``BIORNN_DATA``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import lzma
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import joblib
import pandas as pd
from tqdm import tqdm

from biornn_lite.audit import COMBINATIONS, STARTS, STUDIES, Part, chosen_weights, parts
from biornn_lite.datasets import fetch_field, list_fields, load_field
from biornn_lite.errors import InputError
from biornn_lite.field import CorticalField
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.plumbing.workers import safe_folder
from biornn_lite.priors import Priors
from biornn_lite.replication import read_shipped
from biornn_lite.results import (
    COLUMNS,
    CURVE_COLUMNS,
    KEY,
    NETWORKS_FILE,
    RECORDED,
    as_results,
    read_results,
    write_results,
)
from biornn_lite.study import Study, run_study
from biornn_lite.study_folder import check_configuration, origin_of
from biornn_lite.tasks import TASKS
from biornn_lite.untrained import before_training
from biornn_lite.verdict import TABLES

HERE = Path(__file__).parent / "audit"
PLAN = Path(__file__).parents[1] / "docs" / "audit_plan.md"
EARLIER_PLANS = ("08cd6428e8c8", "97e79da70155", "945b01c7a8cd")
"""Digests of the plan before its first, second and third amendment."""

PLAN_FILE, PLANS_FILE, PART_FILE = "plan", "plans.csv", "part"
"""The plan that a folder follows now; the plan of each network of an earlier one; the part's name."""

BEGIN, END = "<!-- studies: begin -->\n", "<!-- studies: end -->"


def plan_digest() -> str:
    """Return the digest of the plan that new rows carry."""
    return hashlib.sha256(PLAN.read_text(encoding="utf-8").encode()).hexdigest()[:12]


def folder_of(part: Part, out: Path) -> Path:
    """Where a part is trained."""
    return out / part.study / re.sub(r"[^A-Za-z0-9.=-]+", "_", part.name)


def rows_of(study: str, out: Path) -> pd.DataFrame:
    """Read the rows of a study that were trained here, or else those that are shipped."""
    there = sorted((out / study).glob(f"*/{NETWORKS_FILE}"))
    if there:
        return pd.concat([read_results(path.parent).networks for path in there])
    shipped = read_shipped(HERE / TABLES[0])
    return shipped[shipped["study"] == study]


def listed(study: str, out: Path, combinations: int) -> list[Part]:
    """List the parts of a study, with λ as the sweep chose it where a study needs it."""
    chosen = chosen_weights(rows_of("sweep", out)) if study == "tuned" else None
    return parts(study, chosen, combinations)


def finder(folder: Path | None):
    """Return a function that finds a field by its name: a released one that is here, or else in `folder`."""
    known = list_fields().set_index("field")

    @cache
    def find(name: str) -> CorticalField:
        path = None if folder is None else folder / f"{name}.npz"
        if path is None or not path.exists() or known.loc[name, "here"]:
            return fetch_field(name)
        return load_field(path)

    return find


def restore(part: Part, study: Study, folder: Path) -> None:
    """Put the shipped rows of a part into its folder, if nothing is there, so that only the others are trained."""
    tables = [read_shipped(HERE / name) for name in TABLES]
    networks, curves = (table[(table["study"] == part.study) & (table["part"] == part.name)] for table in tables)
    if (folder / NETWORKS_FILE).exists() or networks.empty:
        return
    exact = {name: getattr(part.protocol, name) for name in ("penalty_weight", "emd_weight")}
    networks = networks.assign(**exact)  # pandas may read the last digit otherwise
    origin = origin_of(study, *check_configuration(study, folder, "cpu"))
    curves = ending_as(networks, curves)
    write_results(as_results(networks[[*COLUMNS]], curves[[*CURVE_COLUMNS]]), folder, origin)
    (folder / PLAN_FILE).write_text(plan_digest())
    earlier = networks[networks["plan"] != plan_digest()]
    earlier[[*KEY, "plan"]].to_csv(folder / PLANS_FILE, index=False)


def ending_as(networks: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Let curves, whose numbers are shipped with fewer digits, end with those of the rows."""
    last = curves["epoch"] == curves.groupby(KEY)["epoch"].transform("max")
    rows = networks[networks["status"] == "ok"].set_index(KEY)[RECORDED]
    ends = rows.reindex(pd.MultiIndex.from_frame(curves.loc[last, KEY])).set_axis(curves.index[last])
    return curves.assign(**{what: ends[what].combine_first(curves[what]) for what in RECORDED})


def earlier_plans(folder: Path) -> dict[tuple, str]:
    """Return the plan of each network of an earlier one, by its values of the key."""
    if not (folder / PLANS_FILE).exists():
        return {}
    table = read_shipped(folder / PLANS_FILE)
    return dict(zip(table[KEY].itertuples(index=False, name=None), table["plan"], strict=True))


def follow_the_plan(folder: Path) -> None:
    """Let a folder follow the present plan; the networks that it has keep theirs."""
    plan = folder / PLAN_FILE
    began = plan.read_text() if plan.exists() else plan_digest()
    if began not in (plan_digest(), *EARLIER_PLANS):
        raise InputError(f"{plan}: these rows follow another plan; choose another folder")
    if began != plan_digest() and (folder / NETWORKS_FILE).exists():
        networks = read_results(folder).networks
        table = networks[KEY].assign(plan=plans_of(networks, folder))
        with written_atomically(folder / PLANS_FILE) as temporary:
            table.to_csv(temporary, index=False)
    plan.write_text(plan_digest())


def train(
    part: Part,
    field: CorticalField,
    out: Path,
    jobs: int | None = None,
    progress: bool = True,
    go_on: bool = False,
) -> None:
    """Train what a part lacks; each network keeps the digest of the plan under which it was trained."""
    folder, study = folder_of(part, out), part.on(field)
    folder.mkdir(parents=True, exist_ok=True)
    if go_on:
        restore(part, study, folder)
    follow_the_plan(folder)
    (folder / PART_FILE).write_text(part.name, encoding="utf-8")
    run_study(study, folder, jobs=jobs, progress=progress)


def train_all(these: list[Part], find: Callable[[str], CorticalField], out: Path, go_on: bool) -> None:
    """Train parts one after the other, or many small ones side by side."""
    if len(these) < 100:
        for part in these:
            print(f"{part.study}: {part.name}", file=sys.stderr)
            train(part, find(part.field), out, go_on=go_on)
        return
    parallel = joblib.Parallel(n_jobs=joblib.cpu_count(), return_as="generator_unordered", **safe_folder())
    calls = (joblib.delayed(train)(part, find(part.field), out, 1, False, go_on) for part in these)
    for _ in tqdm(parallel(calls), these[0].study, len(these), unit="part"):
        pass


def pack(out: Path, find: Callable[[str], CorticalField]) -> None:
    """Put what is trained into the two tables, describe the starts before training, and list it in the data card."""
    networks, curves = [], []
    for study in STUDIES:
        trained = sorted((out / study).glob(f"*/{NETWORKS_FILE}"))
        for path in trained:
            results = read_results(path.parent)
            names = {"study": study, "part": (path.parent / PART_FILE).read_text(encoding="utf-8")}
            networks.append(results.networks.assign(**names, plan=plans_of(results.networks, path.parent)))
            curves.append(results.curves.assign(**names))
        if not trained and (HERE / TABLES[0]).exists():
            for tables, name in zip((networks, curves), TABLES, strict=True):
                shipped = read_shipped(HERE / name)
                tables += [mine] if len(mine := shipped[shipped["study"] == study]) else []
    HERE.mkdir(exist_ok=True)
    rows = pd.concat(networks, ignore_index=True)
    write_table(TABLES[0], rows)
    write_table(TABLES[1], pd.concat(curves, ignore_index=True), digits=3)
    if (rows["study"] == "starts").any():
        write_table("before.csv.gz", before(rows[rows["study"] == "starts"], find))
    card = (HERE / "README.md").read_text(encoding="utf-8")
    card = re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: described(rows), card)
    with written_atomically(HERE / "README.md") as temporary:
        temporary.write_text(card, encoding="utf-8", newline="\n")


def plans_of(networks: pd.DataFrame, folder: Path) -> list[str]:
    """Return the digest of the plan that each network follows."""
    now, earlier = (folder / PLAN_FILE).read_text(), earlier_plans(folder)
    return [earlier.get(key, now) for key in networks[KEY].itertuples(index=False, name=None)]


def write_table(name: str, table: pd.DataFrame, digits: int = 6) -> None:
    """Write a table with ``study`` and ``part`` in front, numbers to some digits, and chosen ones exactly.

    The ending of the name says how it is compressed.
    """
    chosen = [column for column in ("penalty_weight", "emd_weight") if column in table]
    table = table.assign(**{column: table[column].map(lambda value: repr(float(value))) for column in chosen})
    front = [column for column in ("study", "part") if column in table]
    text = table[[*front, *table.columns.drop(front)]].to_csv(index=False, float_format=f"%.{digits}g")
    packed = lzma.compress(text.encode()) if name.endswith(".xz") else gzip.compress(text.encode(), mtime=0)
    with written_atomically(HERE / name) as temporary:
        temporary.write_bytes(packed)


def before(rows: pd.DataFrame, find: Callable[[str], CorticalField]) -> pd.DataFrame:
    """Describe the starts of networks before their training."""
    priors = Priors(find("5_3_4"))
    found = []
    names = rows[["variant", "seed"]].drop_duplicates().itertuples(index=False)
    for name, seed in tqdm(list(names), "before training", unit="start"):
        start = name.split(" | ")[0]
        weights = priors.initial_weights(STARTS[start], int(seed))
        for task in TASKS.values():
            numbers = before_training(weights, task, int(seed))._asdict()
            found.append({"start": start, "seed": seed, "task": task.name, **numbers})
    return pd.DataFrame(found)


def described(networks: pd.DataFrame) -> str:
    """List the studies as a Markdown table."""
    lines = ["| study | field | parts | variants | networks | diverged | hours | plan |", "|---" * 8 + "|"]
    for study, rows in networks.groupby("study", sort=False):
        fields = rows["field"].unique()
        field = fields[0] if len(fields) == 1 else f"{len(fields)} fields"
        counts = [rows["part"].nunique(), rows["variant"].nunique(), len(rows), (rows["status"] == "diverged").sum()]
        cells = [
            f"`{study}`",
            field,
            *counts,
            f"{rows['seconds'].sum() / 3600:.1f}",
            ", ".join(rows["plan"].unique()),
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", help=f"which; all when left out: {', '.join(STUDIES)}")
    parser.add_argument("--out", type=Path, default=Path("results/audit"), help="where they are trained")
    parser.add_argument("--fields", type=Path, help="folder of fields in plain files, NAME.npz")
    parser.add_argument("--combinations", type=int, default=COMBINATIONS, help="length of the curve")
    parser.add_argument("--runs", type=int, default=20, help="train no more runs of each part than these, for now")
    parser.add_argument("--go-on", action="store_true", help="keep the shipped rows, and train those that they lack")
    parser.add_argument("--pack", action="store_true", help="train nothing, pack what is trained")
    arguments = parser.parse_args()
    if unknown := set(arguments.studies) - set(STUDIES):
        sys.exit(f"no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    find = finder(arguments.fields)
    try:
        for study in [] if arguments.pack else arguments.studies or STUDIES:
            these = listed(study, arguments.out, arguments.combinations)
            these = [replace(part, runs=min(part.runs, arguments.runs)) for part in these]
            train_all(these, find, arguments.out, arguments.go_on)
        pack(arguments.out, find)
    except InputError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")
