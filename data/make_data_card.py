"""Write ``field_statistics.csv`` and the table in ``README.md`` again: ``python data/make_data_card.py``.

Needs the four released fields below: ``python -m biornn_lite fetch 6_6_2 5_6_8 5_3_4 5_3_8``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from biornn_lite.comparison import STATISTICS, compare
from biornn_lite.datasets import EMBEDDED, load_field
from biornn_lite.files import written_atomically

HERE = Path(__file__).parent
FIELDS = (EMBEDDED, "6_6_2", "5_6_8", "5_3_4", "5_3_8")
BEGIN, END = "<!-- statistics: begin -->\n", "<!-- statistics: end -->"


def markdown(table: pd.DataFrame) -> str:
    """Set the statistics of fields as a Markdown table: one row a statistic, one column a field."""
    lines = ["| | " + " | ".join(table.index) + " |", "|---" * (len(table) + 1) + "|"]
    for statistic in STATISTICS:
        values = table[statistic.key]
        digits = 0 if values.abs().max() >= 30 else 3 if values.abs().max() < 3 else 2
        shown = ["–" if pd.isna(value) else f"{value:,.{digits}f}".replace("-", "−") for value in values]
        lines.append(f"| {statistic.meaning} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    table = compare([load_field(name) for name in FIELDS])
    with written_atomically(HERE / "field_statistics.csv") as temporary:
        table.to_csv(temporary, index_label="field", float_format="%.6g")
    card = (HERE / "README.md").read_text(encoding="utf-8")
    card = re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: markdown(table), card)
    with written_atomically(HERE / "README.md") as temporary:
        temporary.write_text(card, encoding="utf-8", newline="\n")
