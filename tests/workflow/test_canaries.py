"""Twenty canaries in a private table: none of them may be found in anything that a run leaves or says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from tests.unit.cli.calling import call
from tests.workflow.simulated import patients, written

TOKENS = [f"ZQXCANARY{k:02d}" for k in range(20)]
EXTREMES = ["987654", "54321.7", "76543.2", "919191", "1873-02"]
ROWS = 300


def _planted(cells: list, start: int, tokens: list) -> list:
    return [*cells[:start], *tokens, *cells[start + len(tokens) :]]


def private_table() -> pl.DataFrame:
    """Return a table whose text, levels, codes, names, keys, mail addresses and extremes hold canaries."""
    rng = np.random.default_rng(3)
    base = patients(ROWS, seed=3)
    words = rng.choice(["cough", "fever", "pain"], ROWS)
    notes = [f"Seen, stable. Visit {k % 7} for {words[k]}" for k in range(ROWS)]
    sites = rng.choice(["North", "South", "West"], ROWS).tolist()
    codes = rng.choice(["I10", "E11.9", "J45"], ROWS).tolist()
    first, last = rng.choice(["Anna", "Carla", "Dan"], ROWS), rng.choice(["Khan", "Lee", "Smith"], ROWS)
    names = [f"{a} {b}" for a, b in zip(first, last, strict=True)]
    columns = {
        "age": _planted(base["age"].to_list(), 73, [919191]),
        "sbp": _planted(base["sbp"].to_list(), 70, [987654]),
        "chol": _planted(rng.normal(200, 30, ROWS).round(1).tolist(), 71, [54321.7, -76543.2]),
        "admitted": _planted(
            [f"2021-{1 + k % 12:02d}-{1 + k % 28:02d}" for k in range(ROWS)], 74, ["1873-02-17"]
        ),
        "note": _planted(notes, 10, [f"word {t} in text" for t in TOKENS[:4]]),
        "site": _planted(sites, 20, TOKENS[4:8]),
        "icd": _planted(codes, 30, TOKENS[8:10]),
        "patient_name": _planted(names, 40, [f"{t} Smith" for t in TOKENS[10:12]]),
        "mrn": _planted([f"MRN{100_000 + 7 * k}" for k in range(ROWS)], 50, TOKENS[12:14]),
        "email": _planted(
            [f"user{k}@example.org" for k in range(ROWS)], 60, [f"{t}@example.org" for t in TOKENS[14:16]]
        ),
        "lab": _planted([f"{x:.1f}" for x in rng.normal(5, 1, ROWS)], 80, TOKENS[16:]),
        "outcome": base["outcome"].to_list(),
    }
    return pl.DataFrame(columns)


def _text_of(path: Path) -> str:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return " ".join(np.array2string(arrays[name], threshold=10**9) for name in arrays.files)
    return pl.read_parquet(path).write_csv() if path.suffix == ".parquet" else path.read_text()


def found_in(text: str, needles: list[str]) -> list[str]:
    """Return the needles that stand in a text, numbers as whole numbers only."""
    return [
        needle
        for needle in needles
        if re.search(
            rf"(?<![\d.]){re.escape(needle)}(?!\d)" if needle[0].isdigit() else needle, text, re.IGNORECASE
        )
    ]


@pytest.mark.parametrize("synthesizer", ["gaussian_copula", "marginals", "sequential_trees"])
def test_no_canary_is_found_in_a_release_the_stored_steps_or_the_output(
    synthesizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = private_table()
    table, plan, out = written(frame, tmp_path / "t.csv"), tmp_path / "plan.yaml", tmp_path / "release"
    planned = call(
        monkeypatch, "plan", str(table), "-s", synthesizer, "--target", "outcome", "--out", str(plan)
    )
    profiled = call(monkeypatch, "profile", str(table))
    plan.write_text(yaml.safe_dump(yaml.safe_load(plan.read_text()) | {"splits": 1}, sort_keys=False))
    ran = call(monkeypatch, "run", str(plan), "--out", str(out))
    assert ran.code in (0, 3), ran.err
    said = [text for part in (planned, profiled, ran) for text in (part.out, part.err)]
    files = [
        path for folder in (out, tmp_path / "release.work") for path in folder.rglob("*") if path.is_file()
    ]
    assert {path.suffix for path in files} >= {".csv", ".html", ".json", ".md", ".npz", ".parquet", ".yaml"}
    keys = frame["mrn"].to_list()[:10] + frame["email"].to_list()[:10]
    for text in (*said, *map(_text_of, files), plan.read_text()):
        assert found_in(text, TOKENS + EXTREMES + keys) == []


def test_the_search_finds_what_is_there() -> None:
    text = private_table().write_csv()
    assert set(found_in(text, TOKENS + EXTREMES)) == {*TOKENS, *EXTREMES}
