"""The pure parts of the benchmark: splits, floors, marks, and what is said when the tables are not there."""

from __future__ import annotations

import csv

import polars as pl
import pytest

from benchmarks import judging, peers, results, speed
from benchmarks.big_sample import simulated
from benchmarks.forest import encoded
from benchmarks.processes import MeasurementError, call, last_json
from benchmarks.run import main
from benchmarks.tables import SMALL, TABLES, Floors, named, read, shared_folder, split
from understudy.core.errors import RequestError

PIMA = named(["pima"])[0]
SCORE = {
    "assoc_mad": 0.03,
    "c2st_test": 0.61,
    "c2st_train": 0.55,
    "real_hgb_auroc": 0.82,
    "real_lr_auroc": 0.84,
    "syn_hgb_auroc": 0.83,
    "syn_lr_auroc": 0.80,
    "mia_auc": 0.55,
    "exact_copy": 0.0,
    "exact_copy_holdout": 0.0,
}


def row(**changed):
    return judging.figures(SCORE | changed) | {"fit_s": 1.5, "sample_s": 0.1, "peak_mb": 200.0}


def test_a_split_takes_seven_tenths_of_each_level_at_random_and_loses_no_row():
    frame = pl.DataFrame({"x": range(100), "died": [0] * 80 + [1] * 20})
    train, test = split(frame, "died", 0)
    assert (train.height, test.height) == (70, 30)
    assert sorted([*train["x"], *test["x"]]) == list(range(100))
    assert (train["died"].sum(), test["died"].sum()) == (14, 6)
    assert split(frame, "died", 0)[0].equals(train)
    assert not split(frame, "died", 1)[0].equals(train)


def test_floors_are_stated_for_six_tables_of_which_one_is_large():
    assert len(TABLES) == 6
    assert len(SMALL) == 5
    assert named(["pima", "wdbc"]) == (TABLES[1], TABLES[2])
    assert named([]) == TABLES


def test_a_table_that_is_not_measured_is_refused_by_name():
    with pytest.raises(RequestError, match=r"'iris'.*heart_failure299"):
        named(["iris"])


def test_absent_tables_are_said_with_the_place_and_the_way_out(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("UNDERSTUDY_SHARED", str(tmp_path))
    with pytest.raises(RequestError, match="UNDERSTUDY_SHARED"):
        shared_folder()
    assert main(["--tables", "pima", "--seeds", "0"]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_dropped_columns_are_not_read(monkeypatch, tmp_path):
    folder = tmp_path / "data" / "tabular"
    folder.mkdir(parents=True)
    pl.DataFrame({"id": [1], "stroke": [0]}).write_parquet(folder / "stroke5110.parquet")
    assert read(named(["stroke5110"])[0], tmp_path).columns == ["stroke"]
    with pytest.raises(RequestError, match="'pima'"):
        read(PIMA, tmp_path)


def test_utility_is_what_the_better_model_loses():
    assert row()["utility"] == pytest.approx(0.84 - 0.83)
    assert judging.figures({"error_utility_syn": "ValueError: x"})["utility"] is None
    assert "ValueError" in judging.figures({"error_utility_syn": "ValueError: x"})["judge_errors"]


def test_a_summary_takes_the_median_of_the_seeds_and_marks_it():
    rows = [row(mia_auc=0.50), row(mia_auc=0.53), row(mia_auc=0.60)]
    found = results.summarise(PIMA, "sequential_trees", rows)
    assert str(found["MIA"]) == "0.530 (<= 0.54) pass"
    missed = results.summarise(PIMA, "sequential_trees", [row(mia_auc=0.55)])
    assert str(missed["MIA"]) == "0.550 (<= 0.54) **miss**"
    assert missed["MIA"].is_passed is False


def test_copies_may_be_as_frequent_as_the_holdout_shows():
    fine = results.summarise(PIMA, "sequential_trees", [row(exact_copy=0.01, exact_copy_holdout=0.02)])
    assert fine["copies"].is_passed
    bad = results.summarise(PIMA, "sequential_trees", [row(exact_copy=0.03, exact_copy_holdout=0.02)])
    assert bad["copies"].is_passed is False


def test_only_the_default_synthesizer_has_floors():
    found = results.summarise(PIMA, "marginals", [row(mia_auc=0.9)])
    assert all(figure.is_passed is None for figure in found.values())


def test_time_and_memory_have_floors_on_the_large_table():
    large = TABLES[-1]
    found = results.summarise(large, "sequential_trees", [row() | {"forest_ratio": 3.5, "peak_mb": 4_000.0}])
    assert found["forest ratio"].is_passed is False
    assert found["peak MB"].is_passed is False


def test_what_was_not_measured_is_neither_passed_nor_missed():
    figure = results.Figure(None, 0.5)
    assert str(figure) == "not measured"
    assert figure.is_passed is None


def test_the_table_shows_every_figure_and_counts_the_marks():
    text = results.markdown(
        {("pima", "sequential_trees"): results.summarise(PIMA, "sequential_trees", [row()])}, 1
    )
    assert "Median of 1 seed." in text
    lines = text.splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert lines[-1] == "4 floors passed, 1 missed."


def test_results_are_written_with_all_columns_of_all_rows(tmp_path):
    results.write_csv([{"a": 1}, {"a": 2, "b": 3}], tmp_path / "deep" / "results.csv")
    with (tmp_path / "deep" / "results.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"a": "1", "b": ""}, {"a": "2", "b": "3"}]


def test_a_forest_gets_numbers_only():
    frame = pl.DataFrame({"x": [1, None, 3], "s": ["b", "a", None], "y": ["no", "yes", "no"]})
    features, target = encoded(frame, "y")
    assert features.tolist() == [[1, 2], [-1, 1], [3, -1]]
    assert target.tolist() == [1, 2, 1]


def test_the_ratio_counts_fit_and_sample():
    assert peers.ratio({"fit_s": 1.0, "sample_s": 1.0}, {"fit_s": 39.0, "sample_s": 1.0}) == 0.05


def test_peers_are_shown_beside_ours():
    ours = {"table": "pima", "tool": "sequential_trees", "ratio": 0.04} | row()
    theirs = {"table": "pima", "tool": "SDV CTGAN", "ratio": None} | row()
    text = peers.markdown([theirs, ours])
    assert "0.040 (<= 0.05) pass" in text
    assert len({line.count("|") for line in text.splitlines()}) == 1


def test_waiting_times_are_marked():
    rows = [{"what": "import understudy", "value": 0.41, "unit": "s", "floor": 0.3}]
    assert "0.41 (<= 0.3) **miss** s" in speed.markdown(rows)


def test_a_failing_process_is_said_with_its_words():
    with pytest.raises(MeasurementError, match="no such luck"):
        call(["sh", "-c", "echo no such luck >&2; exit 3"])
    with pytest.raises(MeasurementError, match="nothing"):
        last_json("\n")
    assert last_json('progress\n{"fit_s": 1}\n') == {"fit_s": 1}


def test_simulated_patients_have_ten_columns():
    frame = simulated(50)
    assert frame.shape == (50, 10)
    assert frame.equals(simulated(50))


def test_floors_are_those_of_the_promise():
    assert PIMA.floors == Floors(association=0.045, detection=0.62, utility=0.03, membership=0.54)
