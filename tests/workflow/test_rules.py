"""Rules and bounds of the schema: what real rows break is counted and treated as chosen; synthetic rows obey."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from tests.unit.cli.calling import call
from tests.workflow.simulated import plan_of, tables, written
from understudy import Schema
from understudy.core.catalog import Choice
from understudy.core.contracts import Fitting
from understudy.core.rules import Derived, Handling, Implies, Ordered
from understudy.core.schema import Column, Kind, Role, Storage, Table
from understudy.core.seeds import Seed
from understudy.synthesizers.catalog import CATALOG
from understudy.workflow.cleaning import clean
from understudy.workflow.inputs import read_inputs
from understudy.workflow.plan import MEMORY
from understudy.workflow.run import run

SYNTHESIZERS = ("gaussian_copula", "marginals", "sequential_trees")
ROWS = 400
PREGNANT = Implies(when="pregnant", then="sex = 'female'")
ORDERED = Ordered(lower="dbp", upper="sbp", strict=True)
BMI = Derived(column="bmi", formula="weight / power(height, 2)", tolerance=0.05)


def clinic(dirty: int = 0) -> pl.DataFrame:
    """Return pressures, a body-mass index, pregnancies of women, names and numbers; the first rows may be dirty."""
    rng = np.random.default_rng(7)
    sex = rng.choice(["female", "male"], ROWS)
    sbp = rng.normal(125, 15, ROWS).round()
    dbp = np.maximum(sbp - rng.gamma(6, 7, ROWS) - 1, 30).round()
    height, weight = rng.normal(1.7, 0.1, ROWS).round(2), rng.normal(75, 12, ROWS).round(1)
    pregnant = (sex == "female") & (rng.random(ROWS) < 0.3)
    pregnant[:dirty], sex[:dirty] = True, "male"
    dbp[:dirty] = sbp[:dirty] + 20
    return pl.DataFrame(
        {
            "name": [
                f"{a} {b}"
                for a, b in zip(rng.choice(["Ann", "Bo"], ROWS), rng.choice(["Li", "Ek"], ROWS), strict=True)
            ],
            "mrn": [f"MRN{100_000 + 7 * k}" for k in range(ROWS)],
            "sex": sex,
            "pregnant": pregnant,
            "sbp": sbp,
            "dbp": dbp,
            "height": height,
            "weight": weight,
            "bmi": (weight / height**2).round(1),
        }
    )


def schema(*rules: Ordered | Derived | Implies, high: float | None = None) -> Schema:
    """Return the meaning of that table, with these rules."""

    def number(name: str, decimals: int, high: float | None = None) -> Column:
        return Column(name=name, kind=Kind.NUMBER, storage=Storage.FLOAT, decimals=decimals, low=0, high=high)

    columns = (
        Column(name="name", kind=Kind.TEXT, roles=(Role.IDENTIFIER,), identifier="name"),
        Column(name="mrn", kind=Kind.KEY, roles=(Role.KEY, Role.IDENTIFIER), identifier="mrn"),
        Column(name="sex", kind=Kind.CATEGORY, values=("female", "male")),
        Column(name="pregnant", kind=Kind.BOOLEAN, storage=Storage.BOOLEAN),
        number("sbp", 0, high),
        number("dbp", 0),
        number("height", 2),
        number("weight", 1),
        number("bmi", 1),
    )
    return Schema(tables=(Table(columns=columns),), rules=rules)


def made(tmp_path: Path, frame: pl.DataFrame, meaning: Schema, **wishes: object):
    """Synthesize; gives the rows as written and the release."""
    release = run(plan_of(frame, schema=meaning, **wishes), tmp_path / "release", frames={MEMORY: frame})
    return tables(tmp_path / "release"), release


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
def test_every_synthetic_row_obeys_every_rule_and_no_real_identifier_returns(
    synthesizer: str, tmp_path: Path
) -> None:
    frame = clinic()
    rows, release = made(tmp_path, frame, schema(PREGNANT, ORDERED, BMI), synthesizer=synthesizer, rows=1500)
    assert rows.filter(pl.col("dbp") >= pl.col("sbp")).is_empty()
    assert rows.filter(pl.col("pregnant") & (pl.col("sex") != "female")).is_empty()
    error = (rows["bmi"] - rows["weight"] / rows["height"] ** 2).abs().max()
    assert error <= 0.05 + 1e-6
    assert set(rows["mrn"]) & set(frame["mrn"]) == set()
    assert rows["mrn"].n_unique() == 1500
    assert set(rows["name"]) & set(frame["name"]) == set()
    assert release.verdict.findings[0].status == "met"


@pytest.mark.parametrize(
    ("handling", "left", "emptied", "lenient"),
    [("drop", 340, 0, 0), ("repair", 400, 60, 0), ("keep_rate", 400, 0, 2)],
)
def test_rows_that_break_rules_are_counted_and_treated_as_chosen(
    handling: Handling, left: int, emptied: int, lenient: int
) -> None:
    frame = clinic(dirty=60)
    plan = plan_of(frame, schema=schema(PREGNANT, ORDERED), violations=handling)
    inputs = read_inputs(plan, {MEMORY: frame})
    assert inputs.train.rows == left
    assert inputs.train.frame["dbp"].null_count() == emptied
    assert inputs.train.frame["pregnant"].null_count() == emptied
    assert [rule.is_lenient for rule in inputs.train.schema.rules].count(True) == lenient
    assert {rule.rate for rule in inputs.train.schema.rules} == {0.15 if lenient else None}
    assert inputs.found[0].rows == 60
    assert "60 of 400 rows to learn from break if pregnant then sex = 'female'" in str(inputs.found[0])


def test_a_rule_says_itself_what_is_done_unless_the_person_chooses() -> None:
    frame = clinic(dirty=60)
    own = schema(ORDERED.model_copy(update={"on_violation": "repair"}))
    inputs = read_inputs(plan_of(frame, schema=own), {MEMORY: frame})
    assert inputs.train.rows == ROWS
    assert inputs.train.frame["dbp"].null_count() == 60
    assert read_inputs(plan_of(frame, schema=own, violations="drop"), {MEMORY: frame}).train.rows == 340


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS)
@pytest.mark.parametrize(("rule", "dirty"), [(ORDERED, 8), (ORDERED, 120), (PREGNANT, 12), (BMI, 20)])
def test_a_rate_that_is_kept_is_that_of_the_real_rows(
    rule: Ordered | Derived | Implies, dirty: int, synthesizer: str, tmp_path: Path
) -> None:
    frame = clinic(dirty=dirty)
    if rule is BMI:
        frame = frame.with_columns(
            bmi=pl.col("bmi") + pl.when(pl.int_range(pl.len()) < dirty).then(4).otherwise(0)
        )
    given = schema(rule)
    learned = read_inputs(plan_of(frame, schema=given, violations="keep_rate"), {MEMORY: frame}).train
    recipe = CATALOG.create(Choice(name=synthesizer))
    drawn = recipe.fit(learned, Fitting(seed=Seed(3))).sample(4000, Seed(4))
    broken = float(drawn.frame.select(rule.broken().fill_null(value=False).mean()).item())
    rate = dirty / ROWS
    # The interval of 4,000 draws, and what the model's own share is known to within, from 4,000 draws too.
    assert abs(broken - rate) < 4 * (2 * rate * (1 - rate) / 4000) ** 0.5 + 0.25 * rate
    assert not drawn.check()


def test_rows_that_break_a_rule_at_its_rate_count_for_the_rule_and_not_for_the_verdict(
    tmp_path: Path,
) -> None:
    frame = clinic(dirty=20)
    plan = plan_of(frame, "plausibility", schema=schema(ORDERED), violations="keep_rate", rows=400)
    release = run(plan, tmp_path / "release", frames={MEMORY: frame})
    found = release.evidence.evaluation.result("plausibility")
    assert found is not None
    shares = [
        found.detail(ORDERED.says(), measure).estimate
        for measure in ("rows that break it", "excess over real")
    ]
    assert found.estimate is not None
    assert found.estimate.value == 0
    assert shares[0] is not None
    assert 0.02 < shares[0].value < 0.09
    assert shares[1] is not None
    assert shares[1].low is not None
    assert shares[1].low <= 0


@pytest.mark.parametrize(("handling", "highest"), [("drop", 140), ("repair", 140), ("keep_rate", 200)])
def test_values_outside_bounds_are_treated_as_chosen(
    handling: Handling, highest: float, tmp_path: Path
) -> None:
    rows, release = made(tmp_path, clinic(), schema(high=140), violations=handling, rows=1000)
    found = int((clinic()["sbp"] > 140).sum())
    assert (
        f"{found} values of 400 to learn from lie outside its bounds 0 to 140"
        in release.evidence.violations[0]
    )
    top = rows["sbp"].drop_nulls().sort()[-1]
    assert top <= highest
    assert (top > 140) == (handling == "keep_rate")
    assert (rows["sbp"].null_count() > 0) == (handling == "repair")


def test_few_values_outside_bounds_leave_the_bound_in_force() -> None:
    frame = clinic().with_columns(
        pl.when(pl.int_range(pl.len()) < 4).then(900.0).otherwise("sbp").alias("sbp")
    )
    inputs = read_inputs(plan_of(frame, schema=schema(high=300)), {MEMORY: frame})
    assert inputs.train.table.column("sbp").high == 300
    assert inputs.train.frame["sbp"].null_count() == 4
    said = "4 values of 400 to learn from lie outside its bounds 0 to 300, held by too few patients"
    assert said in str(inputs.found[0])


def test_clean_data_are_left_alone() -> None:
    inputs = read_inputs(plan_of(clinic(), schema=schema(PREGNANT, ORDERED, BMI)), {MEMORY: clinic()})
    assert inputs.found == ()
    again = clean(inputs.train)
    assert again.dataset.frame.equals(inputs.train.frame)
    assert len(again.dataset.schema.rules) == 3


def test_violations_of_the_real_data_come_first_on_the_command_line_and_in_the_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, file = written(clinic(dirty=60), tmp_path / "t.csv"), tmp_path / "schema.yaml"
    file.write_text(schema(ORDERED).to_yaml())
    planned = call(monkeypatch, "plan", str(table), "--schema", str(file))
    assert "rows to learn from break dbp < sbp" in planned.err
    options = ("--schema", str(file), "-s", "marginals", "--holdout", "none", "--violations", "drop")
    out = tmp_path / "release"
    said = call(monkeypatch, "synthesize", str(table), "--out", str(out), *options)
    assert said.code == 0, said.err
    assert "60 of 400 rows to learn from break dbp < sbp; 60 rows are left out of learning" in said.out
    evidence = json.loads((out / "evaluation.json").read_text())
    assert "60 of 400 rows to learn from break" in evidence["violations"][0]
    assert "60 of 400 rows to learn from break" in (out / "report.html").read_text()
    assert yaml.safe_load((out / "plan.yaml").read_text())["violations"] == "drop"
    assert evidence["provenance"]["learned_rows"] == 340
