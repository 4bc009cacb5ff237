"""Names, units and codings of a stranger's table: read as they are meant, and said aloud where that is a guess."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from understudy.core.schema import Column, Kind
from understudy.core.seeds import Seed
from understudy.knowledge.columns import read_columns
from understudy.knowledge.observations import Group, Observation, observations
from understudy.knowledge.recognition import recognise
from understudy.knowledge.rules import applicable, check
from understudy.knowledge.units import convert, units, written

NOT_LABS = {Group.ANTHROPOMETRY, Group.VITALS, Group.QUESTIONNAIRE, Group.LIFESTYLE, Group.DEMOGRAPHICS}
LABS = [
    entry
    for entry in observations().values()
    if entry.conversions and entry.plausible and entry.group not in NOT_LABS
]
HEADERS = ("{name} ({unit})", "{id}_{bare}", "{name} [{unit}]", "{synonym} {unit}")


def header(style: str, lab: Observation, code: str) -> str:
    spelled = next((s for u in units().values() if u.code == code for s in (u.code, *u.spellings)), code)
    bare = "".join(c for c in spelled.lower() if c.isalnum() or c == "%").replace("%", "pct")
    synonym = lab.synonyms[0] if lab.synonyms else lab.name
    return style.format(name=lab.name, id=lab.id, unit=spelled, bare=bare, synonym=synonym)


def test_laboratory_columns_are_recognised_in_both_systems_and_under_other_headers():
    asked = [(lab, code) for lab in LABS for code in (lab.unit, lab.conversions[0].unit)]
    assert len(LABS) >= 30
    missed = []
    for lab, code in asked:
        for style in HEADERS:
            name = header(style, lab, str(code))
            found = read_columns([Column(name=name, kind=Kind.NUMBER)]).get(lab.id)
            if found is None or units_of(found.unit) != units_of(code) or found.is_assumed:
                missed.append(name)
    assert len(missed) <= 0.05 * len(asked) * len(HEADERS), missed


def units_of(code: str | None) -> tuple[str, float] | None:
    entry = next((u for u in units().values() if u.code == code), None)
    return (entry.dimension, entry.factor) if entry else None


@pytest.mark.parametrize(
    ("name", "values", "read_in"),
    [
        ("albumin", (38, 41, 44, 46), "g/L"),
        ("creatinine", (60, 75, 90, 110), "umol/L"),
        ("total_cholesterol", (3.9, 4.8, 5.6, 6.2), "mmol/L"),
        ("hba1c", (33, 41, 48, 66), "mmol/mol"),
        ("fasting_glucose", (4.9, 5.4, 6.1, 8.3), "mmol/L"),
        ("platelets", (150_000, 230_000, 310_000), "/uL"),
        ("height", (1.55, 1.68, 1.81), "m"),
        ("temperature", (97.9, 98.6, 99.5, 101.2), "[degF]"),
    ],
)
def test_a_column_without_unit_is_read_in_the_one_that_its_values_are_possible_in(name, values, read_in):
    frame = pl.DataFrame({name: [float(value) for value in values]})
    found = recognise(frame, [Column(name=name, kind=Kind.NUMBER)])
    assert [column.unit for column in found.columns] == [read_in]
    (note,) = found.notes
    assert repr(name) in note
    assert written(read_in) in note
    assert [c.rule.id for c in check(frame, applicable(found.columns)) if c.broken] == []


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_usual_values_in_the_usual_unit_are_never_taken_for_another(lab):
    low, high = lab.plausible.low, lab.plausible.high
    usual = lab.reference[0] if lab.reference else None
    low = usual.low if usual and usual.low is not None else low + (high - low) / 20
    high = usual.high if usual and usual.high is not None else min(high, 2 * low + (high - low) / 10)
    values = np.linspace(low, high, 50)
    found = recognise(pl.DataFrame({lab.id: values}), [Column(name=lab.id, kind=Kind.NUMBER)])
    assert found.notes == ()


def test_a_few_impossible_values_are_errors_and_no_other_unit():
    values = Seed(3).rng().normal(4.2, 0.3, 400)
    values[:40] *= 10
    found = recognise(pl.DataFrame({"albumin": values}), [Column(name="albumin", kind=Kind.NUMBER)])
    assert found.notes == ()


def test_a_stated_unit_is_believed_even_where_the_values_contradict():
    frame = pl.DataFrame({"albumin": [38.0, 41.0, 44.0]})
    found = recognise(frame, [Column(name="albumin", kind=Kind.NUMBER, unit="g/dL")])
    assert (found.columns[0].unit, found.notes) == ("g/dL", ())


def test_values_that_no_unit_makes_possible_are_left_in_the_usual_one():
    frame = pl.DataFrame({"systolic_bp": [-5000.0, -4000.0, 90000.0]})
    found = recognise(frame, [Column(name="systolic_bp", kind=Kind.NUMBER)])
    assert (found.columns[0].unit, found.notes) == (None, ())


def test_a_column_in_another_coding_is_left_aside_and_named():
    frame = pl.DataFrame(
        {"gender": ["1", "2", "1"], "race": ["white", "black", "white"], "age": [50, 60, 70]}
    )
    columns = [Column(name=n, kind=Kind.CATEGORY) for n in ("gender", "race")]
    found = recognise(frame, [*columns, Column(name="age", kind=Kind.NUMBER)])
    assert [column.name for column in found.columns] == ["age"]
    assert ["female, male" in note for note in found.notes] == [True, False]


def test_the_next_column_of_the_same_meaning_is_looked_at_in_turn():
    frame = pl.DataFrame({"RACE": ["white", "black"], "ETHNICITY": ["hispanic", "nonhispanic"]})
    found = recognise(frame, [Column(name=name, kind=Kind.CATEGORY) for name in frame.columns])
    assert found.columns == ()
    assert len(found.notes) == 2


def test_a_score_on_another_scale_is_left_aside():
    frame = pl.DataFrame({"Appetite": [12.0, 15.0, 18.0, 2.0], "phq9": [3.0, 11.0, 20.0, 0.0]})
    found = recognise(frame, [Column(name=name, kind=Kind.NUMBER) for name in frame.columns])
    assert [column.name for column in found.columns] == ["phq9"]
    assert "outside 0 to 3" in found.notes[0]


def test_a_single_drug_is_not_taken_for_its_class():
    columns = [Column(name=name, kind=Kind.BOOLEAN) for name in ("glimepiride", "sulfonylurea", "metformin")]
    assert {key: reading.column for key, reading in read_columns(columns).items()} == {
        "sulfonylurea": "sulfonylurea",
        "metformin": "metformin",
    }


@pytest.mark.parametrize(
    ("header_", "name"),
    [("glucose_fasting", "fasting_glucose"), ("serum_sodium", "sodium"), ("ap_hi", "systolic_bp")],
)
def test_headers_in_another_order_or_with_the_specimen_are_read(header_, name):
    assert set(read_columns([Column(name=header_, kind=Kind.NUMBER)])) == {name}


def test_every_unit_is_written_as_people_write_it():
    assert [written(code) for code in ("mm[Hg]", "a", "10*3/uL", "1", "%", "furlong", None)] == [
        "mmHg",
        "years",
        "10³/µL",
        "",
        "%",
        "furlong",
        "",
    ]
    for entry in units().values():
        assert not set(written(entry.code)) & set("{}[]*"), entry.code


def test_converting_there_and_back_changes_nothing():
    for lab in LABS:
        for conversion in lab.conversions:
            there = convert([2.5, 7.0], str(lab.unit), conversion.unit, of=lab.id)
            assert convert(there, conversion.unit, str(lab.unit), of=lab.id) == pytest.approx([2.5, 7.0])
