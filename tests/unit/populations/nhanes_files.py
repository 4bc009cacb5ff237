"""Where the public-use survey files lie, for tests that need them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[4] / "shared"))
RAW = SHARED / "data" / "nhanes" / "raw"
TABLE = SHARED / "data" / "nhanes" / "nhanes_2017_2020.parquet"

needs_survey = pytest.mark.skipif(
    not RAW.is_dir(), reason="the public-use files of NHANES 2017-March 2020 are not beside the checkout"
)
