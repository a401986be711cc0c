"""Make the tables of wiring again: ``python data/make_wiring.py [FIELD ...]``.

A FIELD is a folder in the released layout, a saved field, or a released name that is here; without any, all released
fields in ``BIORNN_DATA`` are taken. Writes ``wiring.csv``, ``wiring_by_distance.csv`` and ``shared_nuclei.csv``. What
the tables have of released fields that are not among these stays, so a machine with more fields completes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from biornn_lite.datasets import load_field, released_fields
from biornn_lite.errors import InputError
from biornn_lite.field import CorticalField
from biornn_lite.field_statistics import released_fields_at_hand
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.wiring import MEASURES, agreements, by_distance, describe_wiring

HERE = Path(__file__).parent
COUNTS = ["neurons", "pairs", "connected", "reciprocal"]


def tables(fields: list[CorticalField]) -> dict[str, pd.DataFrame]:
    """Make the three tables of these fields, each a name with its rows."""
    rows = [describe_wiring(field) for field in tqdm(fields, unit="field")]
    wiring = pd.DataFrame(rows, columns=[measure.key for measure in MEASURES]).astype(dict.fromkeys(COUNTS, int))
    return {
        "wiring": wiring.rename_axis("field").reset_index(),
        "wiring_by_distance": pd.concat([by_distance(field) for field in fields], ignore_index=True),
        "shared_nuclei": agreements(fields),
    }


def completed(name: str, new: pd.DataFrame, here: set[str]) -> pd.DataFrame:
    """Add to a table what the one on the disk has of fields that are not here, in the order of the release."""
    keys = ["first", "second"] if "first" in new else ["field"]
    if (HERE / f"{name}.csv").exists():
        old = pd.read_csv(HERE / f"{name}.csv")
        old = old[~old[keys].isin(here).all(axis=1)]
        new = pd.concat([table for table in (new, old) if len(table)] or [old])
    place = {field: k for k, field in enumerate(released_fields().index)}
    return new.sort_values(keys, key=lambda column: column.map(place), kind="stable")


if __name__ == "__main__":
    try:
        fields = [load_field(name) for name in sys.argv[1:]] or released_fields_at_hand()
        if unknown := [field.name for field in fields if field.released_rows is None]:
            sys.exit(f"{unknown[0]}: not a released field as it was released")
        for name, table in tables(fields).items():
            table = completed(name, table, {field.name for field in fields})
            with written_atomically(HERE / f"{name}.csv") as temporary:
                table.to_csv(temporary, index=False, float_format="%.5g", lineterminator="\n")
            print(f"{name}.csv: {len(table)} rows")
    except InputError as error:
        sys.exit(str(error))
