"""What every export promises, for each line of the catalog."""

import polars as pl
import pytest

from understudy.core.catalog import Choice
from understudy.core.contracts import Export
from understudy.core.dataset import Dataset
from understudy.core.errors import SettingsError
from understudy.core.schema import Column, Kind, Schema, Storage, Table
from understudy.exports.catalog import CATALOG
from understudy.modalities.tabular import canonical
from understudy.sources.reading import read_table

SCHEMA = Schema(
    tables=(
        Table(
            columns=(
                Column(name="age", kind=Kind.NUMBER, decimals=0, storage=Storage.INTEGER),
                Column(name="sex", kind=Kind.CATEGORY, values=("f", "m")),
            )
        ),
    )
)
DATASET = Dataset.of(SCHEMA, pl.DataFrame({"age": [61.0, None, 47.0], "sex": ["f", "m", None]}))


@pytest.fixture(params=CATALOG.names)
def export(request):
    return CATALOG.create(request.param)


def test_it_writes_files_that_its_sibling_reads_back(export, tmp_path):
    assert isinstance(export, Export)
    files = export.write(DATASET, tmp_path / "data")
    assert sorted((tmp_path / "data").iterdir()) == sorted(files)
    again, problems = canonical(read_table(files[0]).frame, SCHEMA)
    assert not problems
    assert again.digest() == DATASET.digest()


def test_the_same_dataset_gives_the_same_bytes(export, tmp_path):
    (first,) = export.write(DATASET, tmp_path / "a")
    (second,) = export.write(DATASET, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_it_replaces_what_it_wrote_before_and_leaves_the_dataset_unchanged(export, tmp_path):
    before = DATASET.digest()
    export.write(DATASET.with_frame(DATASET.frame.head(1)), tmp_path)
    (path,) = export.write(DATASET, tmp_path)
    assert read_table(path).frame.height == 3
    assert DATASET.digest() == before


def test_a_table_without_rows_keeps_its_header(export, tmp_path):
    (path,) = export.write(DATASET.with_frame(DATASET.frame.clear()), tmp_path)
    frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    assert frame.columns == ["age", "sex"]
    assert frame.height == 0


def test_settings_are_described_and_unknown_ones_refused(export):
    assert all(field["description"] for field in export.model_json_schema()["properties"].values())
    name = next(n for n in CATALOG.names if isinstance(export, CATALOG.recipe(n)))
    with pytest.raises(SettingsError, match="no setting of"):
        CATALOG.create(Choice(name=name, settings={"unknown": 1}))
