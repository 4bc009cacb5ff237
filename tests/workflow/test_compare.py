"""`understudy compare`: one report about several synthesizers, that goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.calling import Said, call
from tests.workflow.simulated import patients, written
from understudy import Choice, Dataset, RequestError, compare
from understudy.core.catalog import Entry
from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.errors import ResourceError
from understudy.core.events import Event, Progressed
from understudy.synthesizers.catalog import CATALOG
from understudy.workflow.release import verify

QUICK = ("pairs", "prediction", "fairness")
FOLDERS = ("fit", "sample", "measure", "trial")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return written(patients(400), tmp_path / "patients.csv")


@pytest.fixture
def compared(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def run(*options: str) -> Said:
        out = tmp_path / "compared"
        given = ("--metrics", ",".join(QUICK), "--target", "outcome", "--protected", "sex", "--seeds", "2")
        return call(monkeypatch, "compare", str(table), "--out", str(out), *given, *options)

    return run


def test_dependence_wins_over_right_margins_alone_and_the_report_says_why(compared, tmp_path: Path) -> None:
    said = compared("--synthesizers", "sequential_trees,marginals")
    assert said.code == 0, said.err
    assert "Use sequential_trees" in said.out
    page = (tmp_path / "compared/report.html").read_text()
    for heading in (
        "Recommendation",
        "At a glance",
        "Fidelity",
        "Utility",
        "Fairness",
        "Cost",
        "Gaps between groups",
    ):
        assert heading in page
    assert "Use sequential_trees" in page
    assert verify(tmp_path / "compared") == []


def test_no_synthetic_row_leaves_a_comparison(compared, tmp_path: Path) -> None:
    compared("--synthesizers", "gaussian_copula,marginals")
    names = sorted(path.name for path in (tmp_path / "compared").iterdir())
    assert names == ["contest.json", "manifest.json", "report.html"]


def test_json_prints_one_document_with_every_figure_and_the_advice(compared) -> None:
    said = compared("--synthesizers", "gaussian_copula,marginals", "--json")
    document = json.loads(said.out)
    assert document["advice"]["name"] == "gaussian_copula"
    assert set(document["results"]) == {"gaussian_copula", "marginals"}
    assert set(document["results"]["marginals"]) == set(QUICK)
    assert {d["metric"] for d in document["differences"]} == {"pairs", "prediction", "fairness"}
    assert all(g["change"] for g in document["gaps"])
    assert "Comparing" in said.err


def test_a_third_synthesizer_joins_without_redoing_the_others(compared, tmp_path: Path) -> None:
    compared("--synthesizers", "gaussian_copula,marginals")
    work = tmp_path / "compared.work"
    before = {path: path.stat().st_mtime_ns for folder in FOLDERS for path in (work / folder).iterdir()}
    compared("--synthesizers", "gaussian_copula,marginals,bayes_net")
    after = {path: path.stat().st_mtime_ns for folder in FOLDERS for path in (work / folder).iterdir()}
    assert before.items() <= after.items()
    assert len(list((work / "trial").iterdir())) == 6


def test_settings_go_to_the_synthesizer_that_they_name(compared, tmp_path: Path) -> None:
    said = compared("--synthesizers", "sequential_trees,marginals", "--set", "sequential_trees.leaf=40")
    assert said.code == 0, said.err
    contest = json.loads((tmp_path / "compared/contest.json").read_text())
    assert contest["entrants"][0]["choice"]["settings"] == {"leaf": 40}
    assert compared("--synthesizers", "sequential_trees,marginals", "--set", "leaf=40").code == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--synthesizers", "marginals"), "at least two"),
        (("--synthesizers", "marginals,marginals"), "at least two"),
        (("--synthesizers", "marginals,gausian_copula"), "gaussian_copula"),
        (("--synthesizers", "marginals,gaussian_copula", "--holdout", "none"), "hold out"),
        (("--synthesizers", "marginals,gaussian_copula", "--seeds", "0"), "seeds"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_any_work(
    compared, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    said = compared(*options)
    assert said.code == 2
    assert words in said.err
    assert not (tmp_path / "compared").exists()


def test_from_python_a_contest_comes_back_and_nothing_stays_on_disk() -> None:
    told: list[Event] = []
    found = compare(
        patients(),
        ["gaussian_copula", "marginals"],
        seeds=2,
        metrics=QUICK,
        target="outcome",
        notify=told.append,
    )
    assert found.advice.name == "gaussian_copula"
    assert [len(entrant.trials) for entrant in found.entrants] == [2, 2]
    fractions = [e.fraction for e in told if isinstance(e, Progressed) and e.step == "compare"]
    assert fractions == sorted(fractions)


def test_a_wrong_setting_is_refused_before_any_work() -> None:
    with pytest.raises(RequestError, match="leaf"):
        compare(patients(), [Choice(name="sequential_trees", settings={"leaf": -1}), "marginals"])


class Broken(Synthesizer):
    """Refuses every table."""

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        raise ResourceError("this table does not fit")

    def expected_seconds(self, rows: int, columns: int) -> float:
        return 0.0


def test_a_synthesizer_that_cannot_learn_is_named_and_the_others_are_compared(
    compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry("broken", f"{Broken.__module__}:Broken", "Refuses every table")
    monkeypatch.setitem(CATALOG._by_name, "broken", entry)
    said = compared("--synthesizers", "broken,gaussian_copula,marginals")
    assert said.code == 0, said.err
    assert "Use gaussian_copula" in said.out
    assert "broken: This table does not fit" in said.out
