"""What tables can be read from."""

from __future__ import annotations

from understudy.core.catalog import Catalog, Entry
from understudy.core.contracts import Source

CATALOG: Catalog[Source] = Catalog(
    "source",
    [
        Entry(
            "arrow", "understudy.sources.arrow:Arrow", "Arrow IPC and Feather files", frozenset({"tabular"})
        ),
        Entry(
            "csv",
            "understudy.sources.delimited:Csv",
            "Delimited text: any delimiter, encoding and compression",
            frozenset({"tabular"}),
        ),
        Entry(
            "excel", "understudy.sources.excel:Excel", "One sheet of an .xlsx file", frozenset({"tabular"})
        ),
        Entry("parquet", "understudy.sources.parquet:Parquet", "Parquet files", frozenset({"tabular"})),
    ],
)
