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
from pathlib import Path

import pandas as pd

from biornn_lite.datasets import fetch_field
from biornn_lite.errors import InputError
from biornn_lite.files import written_atomically
from biornn_lite.replication import SHIPPED, ShippedStudy
from biornn_lite.results import Results, read_results
from biornn_lite.study import run_study
from biornn_lite.tasks import TASKS

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
    tables: dict[str, list[pd.DataFrame]] = {"networks": [], "curves": []}
    for name, study in SHIPPED.items():
        results = finished(study, out)
        for kind, parts in tables.items():
            if results is not None:
                table = getattr(results, kind)
                table.insert(0, "study", name)
                parts.append(table)
            elif (path := HERE / f"{kind}.csv.gz").exists():
                old = pd.read_csv(path, low_memory=False)
                parts.append(old[old["study"] == name])
    for kind, parts in tables.items():
        text = pd.concat(parts).to_csv(index=False, float_format="%.6g")
        with written_atomically(HERE / f"{kind}.csv.gz") as temporary:
            temporary.write_bytes(gzip.compress(text.encode(), mtime=0))
    card = (HERE / "README.md").read_text(encoding="utf-8")
    rows = describe(pd.read_csv(HERE / "networks.csv.gz", low_memory=False))
    card = re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: rows, card)
    with written_atomically(HERE / "README.md") as temporary:
        temporary.write_text(card, encoding="utf-8", newline="\n")


def describe(networks: pd.DataFrame) -> str:
    """List the studies as a Markdown table."""
    lines = ["| study | field | signs | function | variants | networks | diverged | hours |", "|---" * 8 + "|"]
    for name, study in SHIPPED.items():
        rows = networks[networks["study"] == name]
        if len(rows):
            lines.append(
                f"| `{name}` | {study.field} | {study.sign} | {study.function} | {len(study.variants)} | {len(rows)} "
                f"| {(rows['status'] == 'diverged').sum()} | {rows['seconds'].sum() / 3600:.1f} |"
            )
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
