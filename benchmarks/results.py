"""Figures as a table: medians over the seeds beside what is promised, each marked as passed or missed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.tables import BenchTable

FOREST_RATIO = 3.0
PEAK_MB = 3 * 1024.0
PROMISED = "sequential_trees"


@dataclass(frozen=True)
class Figure:
    """One measured number beside what is promised of it.

    Attributes:
        value: the median over the seeds, None where it was not measured.
        floor: it passes when it is no larger; None where nothing is promised.
        digits: digits shown after the point.
    """

    value: float | None
    floor: float | None = None
    digits: int = 3

    @property
    def is_passed(self) -> bool | None:
        """Whether the promise is kept, None where there is none or no figure."""
        return None if self.value is None or self.floor is None else self.value <= self.floor

    def __str__(self) -> str:
        if self.value is None:
            return "not measured"
        shown = f"{self.value:.{self.digits}f}"
        if self.floor is None:
            return shown
        return f"{shown} (<= {self.floor:g}) {'pass' if self.is_passed else '**miss**'}"


def middle(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Return the median of a figure over rows, None where it was never measured."""
    values = [float(row[name]) for row in rows if row.get(name) is not None]
    return median(values) if values else None


def summarise(table: BenchTable, synthesizer: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """Return the figures of one table and synthesizer, by column heading.

    Args:
        table: what is promised on it holds for the default synthesizer only.
        synthesizer: its catalog name.
        rows: one mapping per seed.
    """
    floors = table.floors if synthesizer == PROMISED else None
    promised = {} if floors is None else vars(floors)
    found = {
        heading: Figure(middle(rows, name), promised.get(name))
        for heading, name in (
            ("dAssoc", "association"),
            ("C2ST test", "detection"),
            ("TSTR loss", "utility"),
            ("MIA", "membership"),
        )
    }
    found["copies"] = Figure(middle(rows, "copies"), middle(rows, "copies_holdout") if promised else None, 4)
    found["QR"] = Figure(middle(rows, "quality"))
    found["fit s"] = Figure(middle(rows, "fit_s"), digits=2)
    found["sample s"] = Figure(middle(rows, "sample_s"), digits=2)
    limit = PEAK_MB if promised and table.is_large else None
    found["peak MB"] = Figure(middle(rows, "peak_mb"), limit, 0)
    if table.is_large:
        limit = FOREST_RATIO if promised else None
        found["forest ratio"] = Figure(middle(rows, "forest_ratio"), limit, 2)
    return found


def markdown(summaries: Mapping[tuple[str, str], Mapping[str, Figure]], seeds: int) -> str:
    """Return the table that people read: a row per table and synthesizer."""
    headings = list(dict.fromkeys(h for figures in summaries.values() for h in figures))
    lines = [
        f"Median of {seeds} seed{'s' if seeds > 1 else ''}. In brackets the floor; QR is for comparison only.",
        "",
        "| table | synthesizer | " + " | ".join(headings) + " |",
        "|---" * (len(headings) + 2) + "|",
    ]
    for (table, synthesizer), figures in summaries.items():
        cells = [str(figures[h]) if h in figures else "" for h in headings]
        lines.append(f"| {table} | {synthesizer} | " + " | ".join(cells) + " |")
    missed = [f for figures in summaries.values() for f in figures.values() if f.is_passed is False]
    passed = [f for figures in summaries.values() for f in figures.values() if f.is_passed]
    return "\n".join([*lines, "", f"{len(passed)} floors passed, {len(missed)} missed."]) + "\n"


def write_csv(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write one line per measurement; columns are those that any row has."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
