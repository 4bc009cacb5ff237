"""Every rule behaves as its examples say, wrong rules are found out by real data, planted errors are found."""

import numpy as np
import polars as pl
import pytest

from tests.unit.knowledge import survey
from tests.unit.knowledge.patients import PLANTED, columns_of, one_row, patients
from understudy.core.errors import RuleError, UnknownNameError
from understudy.core.rules import sql
from understudy.core.schema import Column, Kind
from understudy.core.seeds import Seed
from understudy.knowledge.columns import read_columns
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.facts import facts
from understudy.knowledge.observations import observations
from understudy.knowledge.rules import (
    Applicable,
    PlausibilityRule,
    Severity,
    Template,
    applicable,
    broken,
    check,
    rule,
    rules,
)
from understudy.knowledge.sources import sources

needs_survey = pytest.mark.skipif(not survey.is_at_hand(), reason="the shared survey files are not there")

# Rules that nobody should believe: HbA1c in inches, so to say.
FAULTY = (
    "hba1c > 4",
    "hba1c < 20",
    "height < 200",
    "weight > 60",
    "bmi > 22",
    "systolic_bp > diastolic_bp",
    "diastolic_bp > 60",
    "fasting_glucose > 11",
    "ldl < 130",
    "hdl < 60",
    "total_cholesterol > 5",
    "triglycerides > 1.7",
    "creatinine < 50",
    "egfr < 100",
    "hemoglobin < 100",
    "hematocrit > 0.6",
    "mcv < 95",
    "age > 40",
    "sex = 'female' AND age >= 50",
    "smoking_status = 'never' AND age > 30",
)


@pytest.fixture(scope="module")
def crowd() -> pl.DataFrame:
    return patients(20_000, Seed(20).child("crowd"))


def test_there_are_at_least_150_rules_and_most_forms() -> None:
    assert len(rules()) >= 150
    assert {entry.template for entry in rules().values()} == set(Template)


@pytest.mark.parametrize("name", sorted(rules()))
def test_every_rule_resolves_and_behaves_on_its_examples(name: str) -> None:
    entry = rule(name)
    assert set(entry.inputs) <= set(observations()) | set(facts())
    assert set(entry.sources) <= set(sources()) - {"pending"}
    assert entry.licence
    assert set(entry.holds) == set(entry.breaks) == set(entry.inputs)
    assert one_row(entry.holds).select(sql(entry.statement)).item() is False
    assert one_row(entry.breaks).select(sql(entry.statement)).item() is True


@pytest.mark.parametrize("name", sorted(n for n, r in rules().items() if r.derived))
def test_a_derived_rule_agrees_with_the_equation_of_the_same_observation(name: str) -> None:
    entry = rule(name)
    row = one_row(entry.holds)
    same = [
        equation
        for equation in EQUATIONS.values()
        if equation.output == entry.derived and set(equation.inputs) <= set(row.columns)
    ]
    formula = row.select(sql(str(entry.formula))).item()
    for equation in same:
        value = float(equation.function(*(row[column].to_numpy() for column in equation.inputs))[0])
        assert abs(value - formula) <= entry.tolerance + entry.relative * abs(formula), equation.id


def test_most_derived_rules_have_an_equation_behind_them() -> None:
    outputs = {equation.output for equation in EQUATIONS.values()}
    derived = [entry.derived for entry in rules().values() if entry.derived]
    assert sum(name in outputs for name in derived) >= 15


def test_a_rule_of_two_forms_is_refused() -> None:
    both = rule("diastolic_below_systolic").model_dump() | {"violation": "age < 0"}
    with pytest.raises(ValueError, match="exactly one"):
        PlausibilityRule.model_validate(both)


def test_an_unknown_rule_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="diastolic_below_systolic"):
        rule("diastolic_below_systole")


def test_the_range_rules_follow_the_observations() -> None:
    entry = observations()["potassium"]
    assert entry.plausible is not None
    assert rule("range_potassium").violation == (
        f"potassium < {entry.plausible.low:g} OR potassium > {entry.plausible.high:g}"
    )


def test_columns_are_found_by_abbreviation_unit_and_lay_word() -> None:
    names = ["SBP (mmHg)", "dbp_mmhg", "HbA1c %", "gender", "height_cm", "Weight [kg]", "htn_told", "DOB"]
    kinds = [Kind.NUMBER] * 3 + [Kind.CATEGORY] + [Kind.NUMBER] * 2 + [Kind.BOOLEAN, Kind.DATETIME]
    found = read_columns([Column(name=n, kind=k) for n, k in zip(names, kinds, strict=True)])
    assert {key: reading.column for key, reading in found.items()} == {
        "systolic_bp": "SBP (mmHg)",
        "diastolic_bp": "dbp_mmhg",
        "hba1c": "HbA1c %",
        "sex": "gender",
        "height": "height_cm",
        "weight": "Weight [kg]",
        "hypertension_diagnosed": "htn_told",
        "date_of_birth": "DOB",
    }


def test_a_column_in_another_unit_is_converted_and_says_so() -> None:
    columns = [Column(name="creatinine", kind=Kind.NUMBER, unit="umol/L")]
    reading = read_columns(columns)["creatinine"]
    assert (reading.unit, reading.is_assumed) == ("umol/L", False)
    values = pl.DataFrame({"creatinine": [88.42]}).select(reading.values()).item()
    assert values == pytest.approx(1.0, rel=0.01)


def test_a_column_whose_unit_does_not_fit_is_not_read() -> None:
    assert read_columns([Column(name="creatinine", kind=Kind.NUMBER, unit="cm")]) == {}


def test_a_column_without_unit_says_that_the_unit_is_assumed() -> None:
    assert read_columns([Column(name="creatinine", kind=Kind.NUMBER)])["creatinine"].is_assumed


def test_sex_and_yes_no_are_read_in_their_many_spellings() -> None:
    columns = [Column(name="Gender", kind=Kind.CATEGORY), Column(name="pregnant", kind=Kind.CATEGORY)]
    frame = pl.DataFrame(
        {"Gender": ["M", "Female", "woman", "Male"], "pregnant": ["yes", "No", "1", "unknown"]}
    )
    counts = {c.rule.id: (c.checked, c.broken) for c in check(frame, applicable(columns))}
    assert counts["pregnant_is_female"] == (3, 1)


def test_missing_values_break_nothing_and_are_not_counted_as_checked() -> None:
    frame = pl.DataFrame({"systolic_bp": [120.0, None, 70.0], "diastolic_bp": [80.0, 130.0, None]})
    counts = {c.rule.id: c for c in check(frame, applicable(columns_of(frame)))}
    assert (counts["diastolic_below_systolic"].checked, counts["diastolic_below_systolic"].broken) == (1, 0)


@pytest.mark.parametrize("name", sorted(n for n, r in rules().items() if r.derived))
def test_a_derived_rule_is_not_decided_where_an_input_is_missing(name: str) -> None:
    entry = rule(name)
    for gap in entry.inputs:
        frame = one_row(entry.breaks).with_columns(
            pl.lit(None).cast(one_row(entry.breaks).schema[gap]).alias(gap)
        )
        (count,) = check(frame, applicable(columns_of(frame), {name: entry}))
        assert (count.checked, count.broken) == (0, 0), gap


def test_only_rules_whose_columns_are_all_there_apply() -> None:
    found = applicable([Column(name="diastolic_bp", kind=Kind.NUMBER)])
    assert {entry.rule.id for entry in found} >= {"range_diastolic_bp"}
    assert all(entry.columns == ("diastolic_bp",) for entry in found)


def test_a_table_of_nothing_known_has_no_rules_and_no_counts() -> None:
    frame = pl.DataFrame({"colour": ["red"]})
    found = applicable([Column(name="colour", kind=Kind.CATEGORY)])
    assert found == ()
    assert check(frame, found) == ()


def test_an_empty_table_breaks_nothing() -> None:
    frame = patients(5, Seed(1)).clear()
    assert all(
        (count.checked, count.broken, count.rate) == (0, 0, 0.0)
        for count in check(frame, applicable(columns_of(frame)))
    )


def test_dates_out_of_order_are_found() -> None:
    frame = one_row({"admission_date": "2020-05-01", "discharge_date": "2020-04-01"})
    (count,) = check(frame, applicable(columns_of(frame)))
    assert (count.rule.id, count.broken) == ("admission_before_discharge", 1)


def test_patients_that_agree_with_themselves_break_no_rule(crowd: pl.DataFrame) -> None:
    counts = check(crowd, applicable(columns_of(crowd)))
    assert len(counts) >= 60
    assert [c.rule.id for c in counts if c.broken and c.rule.severity is Severity.HARD] == []
    assert [c.rule.id for c in counts if c.rate > 0.001] == []


def faulty(number: int, statement: str, crowd: pl.DataFrame) -> Applicable:
    """A wrong rule that says that what it names is an error."""
    names = tuple(sql(statement).meta.root_names())
    entry = PlausibilityRule(
        id=f"faulty_{number}",
        template=Template.RANGE,
        says=statement,
        violation=statement,
        severity=Severity.HARD,
        holds=dict.fromkeys(names),
        breaks=dict.fromkeys(names),
        sources=("by_definition",),
    )
    (found,) = applicable(columns_of(crowd), {entry.id: entry})
    return found


def test_twenty_faulty_rules_are_caught_by_the_real_rate(crowd: pl.DataFrame) -> None:
    wrong = [faulty(number, statement, crowd) for number, statement in enumerate(FAULTY)]
    counts = check(crowd, wrong)
    assert len(counts) == 20
    assert [c.rule.says for c in counts if c.is_enforceable] == []


@needs_survey
def test_twenty_faulty_rules_are_caught_by_the_survey() -> None:
    people = survey.people().filter(pl.col("age") >= 18)
    frame = people.select([name for name in people.columns if name in observations()])
    counts = check(frame, [faulty(n, statement, frame) for n, statement in enumerate(FAULTY)])
    assert [c.rule.says for c in counts if c.is_enforceable] == []


@needs_survey
def test_real_people_break_hard_rules_almost_never_and_no_rule_is_switched_off() -> None:
    people = survey.people()
    frame = people.select([name for name in people.columns if name in observations()])
    counts = check(frame, applicable(columns_of(frame)))
    assert len(counts) >= 110
    assert [c.rule.id for c in counts if not c.is_enforceable] == []
    assert {c.rule.id: c.rate for c in counts if c.rule.severity is Severity.HARD and c.rate > 0.001} == {}


@needs_survey
def test_the_limits_of_adults_hold_for_all_adults_of_the_survey() -> None:
    adults = survey.people().filter(pl.col("age") >= 18)
    frame = adults.select([name for name in adults.columns if name in observations()])
    bounds = {name: entry for name, entry in rules().items() if name.startswith("adult_")}
    assert [c.rule.id for c in check(frame, applicable(columns_of(frame), bounds)) if c.broken] == []


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_error_is_found_and_nothing_else(kind: str, crowd: pl.DataFrame) -> None:
    column, change, where = PLANTED[kind]
    candidates = np.flatnonzero(crowd.select(sql(where).fill_null(value=False)).to_series().to_numpy())
    rng = Seed(7).child(kind).rng()
    hit = np.zeros(crowd.height, dtype=bool)
    hit[rng.choice(candidates, size=crowd.height // 100, replace=False)] = True
    planted = crowd.with_columns(
        pl.when(pl.Series(hit)).then(change(pl.col(column))).otherwise(pl.col(column)).alias(column)
    )
    hard = [a for a in applicable(columns_of(planted)) if a.rule.severity is Severity.HARD]
    marked = broken(planted, hard).select(pl.any_horizontal(pl.all())).to_series().to_numpy()
    found = int((marked & hit).sum())
    assert found / hit.sum() >= 0.95, "recall"
    assert found / max(marked.sum(), 1) >= 0.95, "precision"


def test_a_rule_whose_expression_cannot_be_read_is_refused() -> None:
    entry = rule("range_potassium").model_copy(update={"violation": "potassium >"})
    with pytest.raises(RuleError, match="cannot read the expression"):
        _ = entry.inputs


def test_more_than_two_hundred_rules_are_written_rather_than_implied() -> None:
    written = {name for name in rules() if not name.startswith(("range_", "levels_"))}
    assert len(written) >= 200
