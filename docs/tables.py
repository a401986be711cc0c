"""Numbers and tables in Markdown, as the pages written from rows set them."""

from __future__ import annotations

import pandas as pd

from biornn_lite.statistics import share_interval


def number(value: float, digits: int = 3) -> str:
    """Set a number with a true minus, or a dash for none."""
    return "–" if pd.isna(value) else f"{value:.{digits}f}".replace("-", "−")


def span(low: float, mean: float, high: float) -> str:
    """A mean with its interval; alone where there is no other."""
    if pd.isna(mean):
        return "–"
    return number(mean) if pd.isna(low) or low == high else f"{number(mean)} [{number(low)}, {number(high)}]"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Set a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def share(successes: int, runs: int) -> str:
    """Set a share of runs with Wilson's interval."""
    low, high = share_interval(successes, runs)
    return f"{successes} of {runs} [{low:.2f}, {high:.2f}]"
