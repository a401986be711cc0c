"""Write ``field_statistics.csv`` and the table in ``README.md`` again: ``python data/make_data_card.py``.

Needs the four released fields below: ``python -m biornn_lite fetch 6_6_2 5_6_8 5_3_4 5_3_8``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from biornn_lite.datasets import EMBEDDED, load_field
from biornn_lite.field_statistics import STATISTICS, compare
from biornn_lite.plumbing.files import written_atomically
from biornn_lite.wiring import known_wiring, pool_effects

HERE = Path(__file__).parent
FIELDS = (EMBEDDED, "6_6_2", "5_6_8", "5_3_4", "5_3_8")
EFFECTS = {
    "fall": "per 100 µm of distance",
    "like_to_like": "per SD of correlation, at equal distance",
    "like_to_like_curved": "the same, where the fall with distance may be a curve",
    "like_to_like_within": "the same, within each sender and each receiver (log chance)",
}


def markdown(table: pd.DataFrame) -> str:
    """Set the statistics of fields as a Markdown table: one row a statistic, one column a field."""
    lines = ["| | " + " | ".join(table.index) + " |", "|---" * (len(table) + 1) + "|"]
    for statistic in STATISTICS:
        values = table[statistic.key]
        digits = 0 if values.abs().max() >= 30 else 3 if values.abs().max() < 3 else 2
        shown = ["–" if pd.isna(value) else f"{value:,.{digits}f}".replace("-", "−") for value in values]
        lines.append(f"| {statistic.meaning} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def wiring(table: pd.DataFrame) -> str:
    """Set what the wiring of many fields has in common as a Markdown table."""
    lines = ["| | mean [95 % interval] | τ | I² | one more field | above 0 |", "|---" * 6 + "|"]
    for key, meaning in EFFECTS.items():
        told = pool_effects(table[key], table[f"{key}_error"])
        cells = (
            f"{told.mean:+.3f} [{told.interval.low:+.3f}, {told.interval.high:+.3f}]",
            f"{told.tau:.3f}",
            f"{100 * told.i_squared:.0f} %",
            f"{told.prediction.low:+.2f} to {told.prediction.high:+.2f}",
            f"{(table[key] > 0).sum()} of {told.fields}",
        )
        lines.append(f"| {meaning} | " + " | ".join(cells).replace("-", "−") + " |")
    return "\n".join(lines) + "\n"


def put(card: str, name: str, text: str) -> str:
    """Put a table between the marks that bear its name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    return re.sub(f"(?s)(?<={re.escape(begin)}).*?(?={re.escape(end)})", lambda _: text, card)


if __name__ == "__main__":
    table = compare([load_field(name) for name in FIELDS])
    with written_atomically(HERE / "field_statistics.csv") as temporary:
        table.to_csv(temporary, index_label="field", float_format="%.6g")
    card = (HERE / "README.md").read_text(encoding="utf-8")
    card = put(put(card, "statistics", markdown(table)), "wiring", wiring(known_wiring()))
    with written_atomically(HERE / "README.md") as temporary:
        temporary.write_text(card, encoding="utf-8", newline="\n")
