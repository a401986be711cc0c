"""Numbers and tables in Markdown, as the pages written from rows set them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from biornn_lite.statistics import bootstrap_interval, share_interval

NOT_YET = "*These rows are not there yet.*\n"


def number(value: float, digits: int = 3) -> str:
    """Set a number with a true minus, or a dash for none."""
    return "–" if pd.isna(value) else f"{value:.{digits}f}".replace("-", "−")


def span(low: float, mean: float, high: float, digits: int = 3) -> str:
    """A mean with its interval; alone where there is no other."""
    if pd.isna(mean):
        return "–"
    if pd.isna(low) or low == high:
        return number(mean, digits)
    return f"{number(mean, digits)} [{number(low, digits)}, {number(high, digits)}]"


def interval(row: pd.Series, digits: int = 2) -> str:
    """A difference with its interval."""
    if pd.isna(row["low"]):
        return number(row["difference"], digits)
    ends = f"[{number(row['low'], digits)}, {number(row['high'], digits)}]"
    return f"{number(row['difference'], digits)} {ends}"


def told(row: pd.Series) -> str:
    """A difference with its interval, or that there are too few runs."""
    return "too few runs" if pd.isna(row["difference"]) else interval(row)


def over_runs(values: pd.Series, digits: int = 2) -> str:
    """Set the mean over runs, each the mean over its tasks, with its BCa interval."""
    by_run = values.dropna().groupby("run").mean()
    if by_run.empty:
        return "–"
    low, high = bootstrap_interval(by_run) if len(by_run) > 1 else (np.nan, np.nan)
    return span(low, by_run.mean(), high, digits)


def p_value(p: float) -> str:
    """A p value to three digits."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Set a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def share(successes: int, runs: int) -> str:
    """Set a share of runs with Wilson's interval."""
    low, high = share_interval(successes, runs)
    return f"{successes} of {runs} [{low:.2f}, {high:.2f}]"


def folded(summary: str, text: str) -> str:
    """Fold a text away behind a summary."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n</details>\n"
