"""Tables that are empty, damaged, poor or odd: a clear error, or a clear handling; never a traceback."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.cli.calling import Said, call
from tests.workflow.simulated import QUICK, patients, tables, written


@pytest.fixture
def synthesize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Synthesize a table; gives what was said and where the release would lie."""

    def start(table: Path | pl.DataFrame, *options: str) -> tuple[Said, Path]:
        path = written(table, tmp_path / "table.csv") if isinstance(table, pl.DataFrame) else table
        out = tmp_path / "release"
        said = call(monkeypatch, "synthesize", str(path), "--out", str(out), *QUICK, *options)
        assert "Traceback" not in said.err
        if said.code == 2:
            assert said.err.count("error: ") == 1
            assert not out.exists()
            assert not list(tmp_path.rglob("*.partial-*"))
        return said, out

    return start


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")


def _truncated(path: Path) -> None:
    patients().write_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "is empty (0 bytes)"),
        ("blank.csv", b"\n\n\n", "error: "),
        ("header.csv", b"a,b,c\n", "no row"),
        ("one-row.csv", b"age,sex\n40,F\n", "at least 2 are needed"),
        ("twice.csv", b"age,age,sex\n" + b"30,31,F\n40,41,M\n" * 20, "several columns are called 'age'"),
        ("nul.csv", b"age,sex\n" + b"30,F\x00\n" * 50, "NUL"),
        ("binary.csv", bytes(range(256)) * 40, "error: "),
        ("archive.csv", _zip, "is a ZIP archive"),
        ("cut.parquet", _truncated, "damaged or truncated Parquet"),
        ("text.parquet", b"age,sex\n30,F\n" * 30, ""),
        ("cut.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03garbage", "error: "),
    ],
)
def test_a_file_that_holds_no_table_is_refused(
    synthesize, tmp_path: Path, name: str, content, said: str
) -> None:
    path = tmp_path / name
    content(path) if callable(content) else path.write_bytes(content)
    told, _ = synthesize(path)
    if said:
        assert told.code == 2
        assert said in told.err
        assert name in told.err
    else:  # a name may lie; the content counts
        assert told.code == 0


def test_a_file_that_is_not_there_and_a_folder_are_refused(synthesize, tmp_path: Path) -> None:
    assert "no file" in synthesize(tmp_path / "none.csv")[0].err
    assert "is a folder" in synthesize(tmp_path)[0].err


def test_a_parquet_bomb_is_refused_before_it_is_unpacked(synthesize, tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"age": np.full(10**7, 61.5)}), path)
    content, once = path.read_bytes(), pq.read_metadata(path)
    footer = pq.read_metadata(path)
    for _ in range(99):  # the footer names the same row group a hundred times: 10^9 rows in some kilobytes
        footer.append_row_groups(once)
    footer.write_metadata_file(tmp_path / "footer")
    end = int.from_bytes(content[-8:-4], "little") + 8
    path.write_bytes(content[:-end] + (tmp_path / "footer").read_bytes()[4:])
    told, _ = synthesize(path)
    assert told.code == 2
    assert "decompression bomb" in told.err


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(patients(2), id="two rows"),
        pytest.param(patients().select("sbp"), id="one column"),
        pytest.param(patients().with_columns(gone=pl.lit(None, pl.String)), id="an all-missing column"),
        pytest.param(patients().with_columns(c=pl.lit("x"), k=pl.lit(3)), id="constant columns"),
        pytest.param(pl.DataFrame({"c": ["x"] * 160, "k": [3] * 160}), id="only constants"),
        pytest.param(patients().with_columns(pl.lit(1).alias("outcome")), id="a target of one class"),
    ],
)
def test_a_poor_table_is_carried_through(synthesize, frame: pl.DataFrame) -> None:
    told, out = synthesize(frame)
    assert told.code in (0, 3)
    made = tables(out)
    assert made.columns == frame.columns
    assert made.height == frame.height
    for name in frame.columns:
        if frame[name].n_unique() == 1 and frame.height > 5:
            assert set(made[name].to_list()) == set(frame[name].to_list())


def test_a_target_of_one_class_is_a_warning_that_the_report_repeats(synthesize) -> None:
    told, out = synthesize(patients().with_columns(pl.lit(1).alias("outcome")), "--target", "outcome")
    assert told.code == 0
    results = json.loads((out / "evaluation.json").read_text())["evaluation"]["results"]
    (prediction,) = [r for r in results if r["metric"] == "prediction"]
    assert prediction["outcome"] == "not_applicable"


def test_mixed_types_are_one_column_of_texts_or_numbers_with_gaps(synthesize) -> None:
    rng = np.random.default_rng(0)
    cells = [f"{x:.1f}" if k % 8 else "n/a" for k, x in enumerate(rng.normal(5, 1, 160))]
    told, out = synthesize(patients().with_columns(pl.Series("lab", cells)))
    assert told.code == 0
    lab = tables(out)["lab"]
    assert lab.dtype.is_float()
    assert 0 < lab.null_count() < 60


def test_infinities_are_read_as_missing_and_told(synthesize) -> None:
    cells = [float("inf") if k % 20 == 0 else float(k % 37) for k in range(160)]
    told, out = synthesize(patients().with_columns(pl.Series("lab", cells)))
    assert told.code == 0
    assert "infinite values" in told.err
    assert tables(out)["lab"].drop_nulls().is_finite().all()


def test_an_unusual_encoding_is_read_and_told(synthesize, tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    rows = "".join(f"{('mâle', 'féminin')[k % 2]};{20 + k % 60}\n" for k in range(150))
    path.write_bytes(f"sexe;âge\n{rows}".encode("cp1252"))
    told, out = synthesize(path)
    assert told.code == 0
    assert "cp1252" in told.err
    assert set(tables(out)["sexe"]) == {"mâle", "féminin"}


def test_an_impossible_age_does_not_come_back_and_its_bound_stays(synthesize) -> None:
    frame = patients().with_columns(
        pl.when(pl.int_range(pl.len()) == 7).then(10**9).otherwise("age").alias("age")
    )
    told, out = synthesize(frame, "--rows", "1000")
    assert told.code == 0
    assert re.search(r"1 value of \d+ to learn from lies outside its bounds 0 to 120", told.out)
    assert tables(out).filter(pl.col("age") > 120).is_empty()
    assert "1000000000" not in (out / "evaluation.json").read_text()


def test_ten_thousand_levels_are_survived_and_not_listed(synthesize) -> None:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "code": [f"L{k}" for k in rng.integers(0, 10_000, 12_000)],
            "age": rng.integers(20, 80, 12_000),
        }
    )
    told, out = synthesize(frame)
    assert told.code in (0, 3)
    assert tables(out).height == 12_000
    assert (out / "schema.yaml").stat().st_size < 20_000


@pytest.mark.slow
def test_five_hundred_columns_take_less_than_two_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    numbers = {f"x{k}": (10 * rng.normal(size=300) + k).round(1) for k in range(440)}
    levels = {f"c{k}": rng.choice(["a", "b", "c"], 300) for k in range(59)}
    frame = pl.DataFrame(numbers | levels | {"outcome": rng.integers(0, 2, 300)})
    table, out = written(frame, tmp_path / "wide.csv"), tmp_path / "release"
    said = call(monkeypatch, "synthesize", str(table), "--out", str(out), "--target", "outcome", "--json")
    assert said.code in (0, 3)
    assert sum(json.loads(said.out)["seconds"].values()) < 120
