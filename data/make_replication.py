"""Make the rows in ``data/replication`` again: ``python data/make_replication.py [STUDY ...]``.

Trains the studies that are named, or all of :data:`biornn_lite.replication.SHIPPED`, into ``--out``, from where they
go on when stopped, and packs what is finished there. The rows of a study that is neither stay as they are. A study of
field 6_6_2 takes about an hour on two cores; the fields are fetched where they are not in ``BIORNN_DATA``.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from biornn_lite.datasets import fetch_field
from biornn_lite.errors import InputError
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.replication import SHIPPED, ShippedStudy, read_shipped
from biornn_lite.results import Results, as_results, read_results
from biornn_lite.study import run_study
from biornn_lite.tasks import TASKS
from biornn_lite.training import Settings

HERE = Path(__file__).parent / "replication"
BEGIN, END = "<!-- studies: begin -->\n", "<!-- studies: end -->"


def folder_of(study: ShippedStudy, out: Path) -> Path:
    """Where a study is trained."""
    return out / study.name.replace(" ", "_")


def finished(study: ShippedStudy, out: Path) -> Results | None:
    """Read a study that was trained to its end."""
    if not (folder_of(study, out) / "results.csv").exists():
        return None
    results = read_results(folder_of(study, out))
    return results if len(results.networks) == len(study.variants) * len(TASKS) * 20 else None


def pack(out: Path) -> None:
    """Put what is finished into the two tables and the list in the data card."""
    packed = {kind: HERE / f"{kind}.csv.gz" for kind in Results._fields}
    old = {kind: read_shipped(path) for kind, path in packed.items() if path.exists()}
    parts = []
    for name, study in SHIPPED.items():
        results = finished(study, out)
        if results is None and old:
            results = as_results(*(table[table["study"] == name].drop(columns="study") for table in old.values()))
        if results is not None and len(results.networks):
            # Those of all shipped studies are the published ones.
            networks = results.networks.drop(columns=[*asdict(Settings()), "own_objects"], errors="ignore")
            parts.append([table.assign(study=name) for table in (networks, results.curves)])
    for path, tables in zip(packed.values(), zip(*parts, strict=True), strict=True):
        table = pd.concat(tables)
        table = table[["study", *table.columns.drop("study")]]
        with written_atomically(path) as temporary:
            temporary.write_bytes(gzip.compress(table.to_csv(index=False, float_format="%.6g").encode(), mtime=0))
    card = (HERE / "README.md").read_text(encoding="utf-8")
    rows = describe(read_shipped(HERE / "networks.csv.gz"))
    card = re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: rows, card)
    with written_atomically(HERE / "README.md") as temporary:
        temporary.write_text(card, encoding="utf-8", newline="\n")


def describe(networks: pd.DataFrame) -> str:
    """List the studies as a Markdown table."""
    lines = ["| study | field | signs | choices | variants | networks | diverged | hours |", "|---" * 8 + "|"]
    for name, study in SHIPPED.items():
        rows = networks[networks["study"] == name]
        if len(rows):
            how = f"| `{name}` | {study.field} | {study.sign} | {study.changes or 'as published'} | "
            lost, hours = (rows["status"] == "diverged").sum(), rows["seconds"].sum() / 3600
            lines.append(how + f"{len(study.variants)} | {len(rows)} | {lost} | {hours:.1f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", help=f"which; all when left out: {', '.join(SHIPPED)}")
    parser.add_argument("--out", type=Path, default=Path("results/replication"), help="where they are trained")
    parser.add_argument("--pack", action="store_true", help="train nothing, pack what is finished")
    arguments = parser.parse_args()
    if unknown := set(arguments.studies) - set(SHIPPED):
        sys.exit(f"no study {', '.join(sorted(unknown))}; there are {', '.join(SHIPPED)}")
    try:
        for name in [] if arguments.pack else arguments.studies or SHIPPED:
            print(name, file=sys.stderr)
            study = SHIPPED[name]
            run_study(study.on(fetch_field(study.field)), folder_of(study, arguments.out))
        pack(arguments.out)
    except InputError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")
