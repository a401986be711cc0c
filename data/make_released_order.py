"""Make ``released_order.csv`` again: ``python data/make_released_order.py [FIELD ...]``.

A FIELD is a folder in the released layout, a saved field, or a released name that is here; without any, all released
fields in ``BIORNN_DATA`` are taken. For those the neurons of the connectome's rows are written; for released fields
that are not among them, the row that the table has stays. The checksums are those of ``registry.csv``.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pandas as pd

from biornn_lite.datasets import load_field, registry, released_fields
from biornn_lite.field_statistics import released_fields_at_hand
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.released_order import file_of_ids, set_order

TABLE = Path(__file__).parent / "released_order.csv"


def digests() -> pd.DataFrame:
    """List the checksums of each released field's root ids and connectome."""
    sha = registry()["sha256"]
    return pd.DataFrame(
        {
            "root_ids_sha256": {name: sha[f"{name}/root_ids_{name}.npy"] for name in released_fields().index},
            "connectome_sha256": {name: sha[f"{name}/connectome_{name}.csv"] for name in released_fields().index},
        }
    )


def write(table: pd.DataFrame) -> None:
    """Put the table in the place of the old one."""
    with written_atomically(TABLE) as temporary:
        table.to_csv(temporary, index_label="field", lineterminator="\n")


if __name__ == "__main__":
    table = digests()
    table["rows"] = pd.read_csv(TABLE, index_col="field")["rows"] if TABLE.exists() else None
    write(table)  # reading a field takes the checksums
    for field in map(load_field, sys.argv[1:]) if sys.argv[1:] else released_fields_at_hand():
        if hashlib.sha256(file_of_ids(field.root_ids)).hexdigest() != table.loc[field.name, "root_ids_sha256"]:
            sys.exit(f"{field.name}: its root ids are not the released ones")
        table.loc[field.name, "rows"] = " ".join(map(str, set_order(field.root_ids)))
    write(table)
    print(f"{TABLE.name}: {table['rows'].notna().sum()} of {len(table)} fields")
