"""What the scripts share that train the parts of a plan, measure their networks in groups, and pack the rows.

A part is trained into a folder of its own, which also names the plan and the part, and holds a file of measures for
each group of networks. Networks have measures or diverged; all others are still to be measured.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import joblib
import pandas as pd
from tqdm import tqdm

from biornn_lite.audit import Part
from biornn_lite.errors import InputError
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.plumbing.workers import safe_folder
from biornn_lite.results import KEY, NETWORKS_FILE, read_results
from biornn_lite.study import Study

PLAN_FILE, PART_FILE, MEASURES = "plan", "part", "measures"
"""The plan that a folder follows; its study and part; the folder of measures, a file per group of networks."""

Network = tuple[str, str, int]
"""Variant, task and run."""


def plan_digest(plan: Path) -> str:
    """Return the digest of a plan that rows carry."""
    return hashlib.sha256(plan.read_text(encoding="utf-8").encode()).hexdigest()[:12]


def folder_of(part: Part, out: Path) -> Path:
    """Where a part is trained and measured."""
    return out / part.study.replace(" ", "_") / part.name.replace(" ", "_")


def begin(folder: Path, part: Part, plan: str) -> None:
    """Make the folder of a part and note in it what it is and the digest of its plan.

    Raises
    ------
    InputError
        If its rows follow another plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    noted = folder / PLAN_FILE
    if noted.exists() and noted.read_text() != plan:
        raise InputError(f"{noted}: these rows follow another plan; choose another folder")
    with written_atomically(noted) as temporary:
        temporary.write_text(plan)
    (folder / PART_FILE).write_text(json.dumps([part.study, part.name]), encoding="utf-8")


def parts_in(out: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Find the folders in which networks were trained, each with its study and part."""
    for folder in sorted(path.parent for path in out.glob(f"*/*/{PART_FILE}")):
        if (folder / NETWORKS_FILE).exists():
            study, part = json.loads((folder / PART_FILE).read_text(encoding="utf-8"))
            yield folder, {"study": study, "part": part}


# Measures


def read_groups(folder: Path, columns: Sequence[str] = KEY, name: str = MEASURES) -> pd.DataFrame:
    """Read the measures of all groups of a part; a table with these columns if there are none."""
    files = sorted((folder / name).glob("*.csv"))
    tables = [pd.read_csv(path, dtype={"variant": str}) for path in files]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*columns])


def write_group(folder: Path, table: pd.DataFrame, columns: Sequence[str], name: str = MEASURES) -> None:
    """Write the measures of a group of networks to a file of their own, atomically."""
    (folder / name).mkdir(exist_ok=True)
    names = table[KEY].drop_duplicates().to_csv(index=False)
    path = folder / name / f"{hashlib.sha256(names.encode()).hexdigest()[:16]}.csv"
    with written_atomically(path) as temporary:
        table[[*columns]].to_csv(temporary, index=False)


def with_key(table: pd.DataFrame, networks: Sequence[Network]) -> pd.DataFrame:
    """Put variant, task and run in the place of ``network``, which counts along the axis ``runs``."""
    names = pd.DataFrame(networks, columns=KEY).loc[table["network"]].reset_index(drop=True)
    return pd.concat([names, table.drop(columns="network")], axis=1)


def groups(networks: Sequence[Network], size: int) -> Iterator[list[Network]]:
    """Split networks into groups of one task and run."""
    together: dict[tuple[str, int], list] = {}
    for network in networks:
        together.setdefault(network[1:], []).append(network)
    for same in together.values():
        yield from (same[k : k + size] for k in range(0, len(same), size))


def side_by_side(measure: Callable, calls: Sequence[tuple], jobs: int | None, progress: bool) -> Iterator:
    """Call `measure` with each group's arguments, several at once, and yield what it returns, as it comes."""
    parallel = joblib.Parallel(n_jobs=jobs or joblib.cpu_count(), return_as="generator_unordered", **safe_folder())
    found = parallel(joblib.delayed(measure)(*call) for call in calls)
    yield from tqdm(found, "measured", len(calls), unit="group", disable=not progress)


def to_measure(study: Study, folder: Path) -> list[Network]:
    """List the networks of a study that are trained, have not diverged and have no measures yet."""
    rows = read_results(folder).networks
    diverged = set(rows.loc[rows["status"] == "diverged", KEY].itertuples(index=False, name=None))
    done = set(read_groups(folder)[KEY].drop_duplicates().itertuples(index=False, name=None))
    return [network for network in study.networks if network not in diverged | done]


def complete(study: Study, folder: Path) -> bool:
    """Say whether all networks of a study are trained and measured."""
    if not (folder / NETWORKS_FILE).exists():
        return False
    trained = set(read_results(folder).networks[KEY].itertuples(index=False, name=None))
    return trained >= set(study.networks) and not to_measure(study, folder)


# Packing


def names_in(table: pd.DataFrame) -> pd.MultiIndex:
    """Return variant, task and run of each row."""
    return pd.MultiIndex.from_frame(table[KEY])


def measured_or_lost(tables: Iterable[pd.DataFrame], measures: pd.DataFrame) -> list[pd.DataFrame]:
    """Leave out of tables, of which the first has the networks, those that still lack measures.

    Networks that diverged never get any, and stay.
    """
    tables = [*tables]
    lost = tables[0][tables[0]["status"] == "diverged"]
    there = names_in(measures).append(names_in(lost))
    return [table[names_in(table).isin(there)] for table in tables]


def write_table(path: Path, table: pd.DataFrame, digits: int) -> None:
    """Write a packed table, sorted, with ``study`` and ``part`` in front and numbers to some digits.

    The ending of the name says how it is compressed.
    """
    order = [c for c in ("study", "part", *KEY, "epoch", "when", "measure", "severity", "at", "pair") if c in table]
    table = table.sort_values(order, kind="stable")
    front = ["study", "part"]
    text = table[[*front, *table.columns.drop(front)]].to_csv(index=False, float_format=f"%.{digits}g")
    packed = lzma.compress(text.encode()) if path.suffix == ".xz" else gzip.compress(text.encode(), mtime=0)
    with written_atomically(path) as temporary:
        temporary.write_bytes(packed)
