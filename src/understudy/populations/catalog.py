"""What patients can be made of without any private data."""

from __future__ import annotations

from understudy.core.catalog import Catalog, Entry
from understudy.core.contracts import Population

CATALOG: Catalog[Population] = Catalog(
    "population",
    [
        Entry(
            "us_adults",
            "understudy.populations.us_adults:UsAdults",
            "US residents aged 20 and over, 2017-March 2020: 132 observations from a public-use survey",
            frozenset({"tabular", "conditions"}),
        ),
    ],
)
