"""What every source promises, for each line of the catalog."""

from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from understudy.core.catalog import Choice
from understudy.core.contracts import Source
from understudy.core.errors import SettingsError, SourceError
from understudy.sources.catalog import CATALOG
from understudy.sources.reading import choose, read_choice, read_table

FRAME = pl.DataFrame({"id": [1, 2, 3], "hba1c": [5.5, None, 9.25], "sex": ["f", "m", None]})
WRITERS = {
    "arrow": lambda path: FRAME.write_ipc(path),
    "csv": lambda path: FRAME.write_csv(path),
    "excel": lambda path: FRAME.write_excel(path),
    "parquet": lambda path: FRAME.write_parquet(path),
}
SUFFIXES = {"excel": ".xlsx"}


@pytest.fixture(params=CATALOG.names)
def name(request):
    return request.param


@pytest.fixture
def path(name, tmp_path):
    place = tmp_path / f"table{SUFFIXES.get(name, '.' + name)}"
    WRITERS[name](place)
    return place


def create(name, path, **settings):
    return CATALOG.create(Choice(name=name, settings={"path": str(path), **settings}))


def test_it_reads_the_table_as_it_stands(name, path):
    assert create(name, path).read().equals(FRAME)


def test_the_front_door_finds_it_by_content(name, path):
    assert choose(path).name == name
    reading = read_table(path)
    assert reading.source == name
    assert reading.rows_total == 3
    assert reading.frame.equals(read_choice(choose(path)).frame)


def test_it_leaves_the_file_as_it_was(name, path):
    before = path.read_bytes()
    create(name, path).read()
    assert path.read_bytes() == before


def test_it_reads_at_most_the_rows_asked_for(name, path):
    reading = read_table(path, max_rows=2)
    assert reading.frame.height == 2
    assert reading.rows_total == 3
    assert "Read 2 of 3 rows" in reading.notes[0]
    assert reading.frame.join(FRAME, on="id", how="semi").height == 2


def test_making_it_touches_nothing_and_reading_what_is_missing_says_so(name, tmp_path):
    source = create(name, tmp_path / "missing")
    assert isinstance(source, Source)
    with pytest.raises(SourceError, match="no file"):
        source.read()


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"<html>"])
def test_what_is_no_table_is_refused(name, content, tmp_path):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(SourceError):
        create(name, tmp_path / "t").read()


def test_a_truncated_file_is_refused_or_read_in_part(name, path):
    path.write_bytes(path.read_bytes()[:-9])
    if name == "csv":
        return_value = create(name, path).read()
        assert return_value.height < 3 or return_value["sex"][-1] is None
    else:
        with pytest.raises(SourceError, match="damaged"):
            create(name, path).read()


def test_settings_are_described_and_wrong_ones_refused(name, path):
    recipe = CATALOG.recipe(name)
    assert all(field["description"] for field in recipe.model_json_schema()["properties"].values())
    with pytest.raises(SettingsError, match="Did you mean 'max_rows'"):
        create(name, path, max_row=3)
    with pytest.raises(SettingsError, match="greater than or equal to 1"):
        create(name, path, max_rows=0)


def test_it_is_an_immutable_value_with_a_digest(name, path):
    source = create(name, path)
    assert source.digest() == create(name, path).digest() != create(name, path, seed=1).digest()
    with pytest.raises(ValidationError):
        source.seed = 3
    assert type(source).model_validate_json(source.model_dump_json()) == source
    assert isinstance(source.path, Path)
