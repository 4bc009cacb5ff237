"""What datasets can be written as."""

from __future__ import annotations

from understudy.core.catalog import Catalog, Entry
from understudy.core.contracts import Export

CATALOG: Catalog[Export] = Catalog(
    "export",
    [
        Entry(
            "csv",
            "understudy.exports.delimited:Csv",
            "CSV (UTF-8) that no spreadsheet takes for formulas",
            frozenset({"tabular"}),
        ),
        Entry(
            "parquet",
            "understudy.exports.parquet:Parquet",
            "Parquet, exact, labelled as synthetic",
            frozenset({"tabular"}),
        ),
    ],
)
