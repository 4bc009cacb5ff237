"""What the profile sees in whole tables: links, copies, computed columns, rules, roles; on simulated patients."""

import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from understudy.core.dataset import Dataset
from understudy.core.rules import Derived, FixedCombinations, Implies, Ordered
from understudy.core.schema import Kind, Role
from understudy.core.seeds import Seed
from understudy.modalities.tabular import canonical
from understudy.sources.profile import Proposal, propose

ROWS = 400


def patients(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    height = rng.normal(170, 10, rows).round(1)
    weight = rng.normal(80, 15, rows).round(1)
    diastolic = rng.integers(55, 95, rows)
    sex = rng.choice(["female", "male"], rows)
    return pl.DataFrame(
        {
            "patient_id": np.arange(rows) + 1,
            "sex": sex,
            "age": rng.integers(18, 90, rows),
            "height_cm": height,
            "weight_kg": weight,
            "bmi": (weight / (height / 100) ** 2).round(1),
            "diastolic_bp": diastolic,
            "systolic_bp": diastolic + rng.integers(15, 70, rows),
            "pregnant": np.where(sex == "female", rng.choice(["yes", "no"], rows), "no"),
            "outcome": rng.integers(0, 2, rows),
        }
    )


def rules(proposal: Proposal, kind: type) -> list:
    return [rule for rule in proposal.schema.rules if isinstance(rule, kind)]


def test_body_mass_index_is_found_from_weight_and_height():
    [rule] = rules(propose(patients()), Derived)
    assert rule.column == "bmi"
    assert set(rule.inputs) == {"weight_kg", "height_cm"}
    assert rule.on_violation == "drop"


@pytest.mark.parametrize("units", ["m", "lb"])
def test_body_mass_index_is_found_in_other_units(units):
    frame = patients()
    if units == "m":
        frame = frame.with_columns((pl.col("height_cm") / 100).round(3).alias("height_cm"))
        bmi = (pl.col("weight_kg") / pl.col("height_cm") ** 2).round(1)
    else:
        frame = frame.with_columns(
            (pl.col("height_cm") / 2.54).round(1), (pl.col("weight_kg") * 2.2046).round(0)
        )
        bmi = (703 * pl.col("weight_kg") / pl.col("height_cm") ** 2).round(1)
    frame = frame.with_columns(bmi.alias("bmi")).rename({"height_cm": "height", "weight_kg": "weight"})
    assert [rule.column for rule in rules(propose(frame), Derived)] == ["bmi"]


def test_a_computed_column_that_disagrees_too_often_is_no_rule():
    broken = np.arange(ROWS) % 10 == 0
    frame = patients().with_columns(pl.when(pl.lit(broken)).then(30.3).otherwise(pl.col("bmi")).alias("bmi"))
    assert rules(propose(frame), Derived) == []


def test_kidney_function_and_lipids_are_found_from_their_published_equations():
    rng = np.random.default_rng(2)
    rows = 300
    sex, age = rng.choice(["F", "M"], rows), rng.integers(20, 85, rows)
    scr = rng.gamma(9, 0.11, rows).round(2)
    k, a = np.where(sex == "F", 0.7, 0.9), np.where(sex == "F", -0.241, -0.302)
    egfr = (
        142
        * np.minimum(scr / k, 1) ** a
        * np.maximum(scr / k, 1) ** -1.2
        * 0.9938**age
        * np.where(sex == "F", 1.012, 1)
    )
    chol, hdl, tg = rng.integers(140, 280, rows), rng.integers(30, 80, rows), rng.integers(50, 300, rows)
    frame = pl.DataFrame(
        {
            "sex": sex, "age": age, "creatinine_mgdl": scr, "egfr": egfr.round(0), "chol_total": chol, "hdl": hdl,
            "triglycerides": tg, "ldl": (chol - hdl - tg / 5).round(0), "non_hdl": chol - hdl,
        }
    )  # fmt: skip
    found = {rule.column: rule.source for rule in rules(propose(frame), Derived)}
    assert set(found) == {"egfr", "ldl", "non_hdl"}
    assert "CKD-EPI 2021" in found["egfr"]


def test_sums_differences_products_and_ratios_are_found_once_and_without_circles():
    rng = np.random.default_rng(4)
    a, b, c = (rng.uniform(10, 90, ROWS).round(2) for _ in range(3))
    frame = pl.DataFrame(
        {
            "a": a,
            "b": b,
            "c": c,
            "total": (a + b).round(2),
            "ratio": (a / c).round(3),
            "area": (b * c).round(2),
        }
    )
    found = {rule.column: set(rule.inputs) for rule in rules(propose(frame), Derived)}
    assert found == {"total": {"a", "b"}, "ratio": {"a", "c"}, "area": {"b", "c"}}


def test_independent_numbers_yield_no_formula():
    rng = np.random.default_rng(6)
    frame = pl.DataFrame({f"x{i}": rng.integers(0, 12, ROWS) for i in range(30)})
    assert rules(propose(frame), Derived) == []


def test_the_same_quantity_in_another_unit_is_computed():
    glucose = np.random.default_rng(7).integers(70, 250, ROWS)
    frame = pl.DataFrame({"glucose_mgdl": glucose, "glucose_mmoll": (glucose / 18.016).round(1)})
    [rule] = rules(propose(frame), Derived)
    assert (rule.column, rule.inputs) == ("glucose_mmoll", ("glucose_mgdl",))


def test_ages_and_stays_are_found_from_dates():
    rng = np.random.default_rng(8)
    birth = [date(1930, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 25000, 200)]
    admitted = [date(2020, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 300, 200)]
    stay = rng.integers(1, 40, 200)
    discharged = [day + timedelta(days=int(s)) for day, s in zip(admitted, stay, strict=True)]
    age = [
        (a.year - b.year) - ((a.month, a.day) < (b.month, b.day))
        for a, b in zip(admitted, birth, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "birth_date": birth,
            "admission_date": admitted,
            "discharge_date": discharged,
            "age": age,
            "length_of_stay": stay,
        }
    )
    proposal = propose(frame)
    assert {rule.column for rule in rules(proposal, Derived)} == {"age", "length_of_stay"}
    orders = {(rule.lower, rule.upper) for rule in rules(proposal, Ordered)}
    assert {("admission_date", "discharge_date"), ("birth_date", "admission_date")} <= orders
    assert Dataset.of(proposal.schema, canonical(frame, proposal.schema)[0].frame).check() == []


def test_diastolic_below_systolic_is_proposed_and_counted():
    [clean] = rules(propose(patients()), Ordered)
    assert (clean.lower, clean.upper, clean.on_violation) == ("diastolic_bp", "systolic_bp", "drop")


@pytest.mark.parametrize(("every", "handling"), [(50, "keep_rate"), (8, None)])
def test_a_rule_that_real_rows_break_is_left_to_the_person_or_only_noted(every, handling):
    rows = pl.int_range(ROWS, eager=True)
    swapped = patients().with_columns(
        pl.when(rows % every == 0).then(20).otherwise(pl.col("systolic_bp")).alias("systolic_bp")
    )
    proposal = propose(swapped)
    assert [rule.on_violation for rule in rules(proposal, Ordered)] == ([handling] if handling else [])
    assert any(f"{ROWS // every} of {ROWS} complete rows" in note for note in proposal.notes)


def test_pregnancy_implies_female():
    [rule] = rules(propose(patients()), Implies)
    assert set(rule.columns) == {"pregnant", "sex"}


def test_a_label_follows_from_its_code_and_a_chance_agreement_does_not():
    rng = np.random.default_rng(9)
    code = rng.choice(["A", "B", "C", "D"], ROWS)
    rare = np.zeros(ROWS, dtype=int)
    rare[:6] = 1
    names = {"A": "asthma", "B": "bronchitis", "C": "asthma", "D": "croup"}
    frame = pl.DataFrame(
        {"code": code, "label": [names[c] for c in code], "rare": rare, "other": rng.integers(0, 2, ROWS)}
    )
    assert [rule.of for rule in rules(propose(frame), FixedCombinations)] == [("code", "label")]


def test_a_recoded_copy_is_noted_and_never_the_target():
    rng = np.random.default_rng(10)
    diagnosis = rng.integers(0, 2, ROWS)
    frame = pl.DataFrame(
        {
            "x": rng.normal(size=ROWS),
            "diagnosis": diagnosis,
            "outcome": np.where(diagnosis == 1, "ill", "well"),
        }
    )
    proposal = propose(frame)
    assert proposal.schema.table.having(Role.TARGET) == ("diagnosis",)
    assert any("'outcome' holds the same levels" in note for note in proposal.notes)
    assert any("given away by 'outcome'" in note for note in proposal.notes)


def test_near_copies_and_constants_are_noted():
    rng = np.random.default_rng(11)
    one = rng.choice(["a", "b", "c"], ROWS)
    near = one.copy()
    near[0] = "b" if one[0] != "b" else "a"
    proposal = propose(pl.DataFrame({"one": one, "near": near, "centre": ["X"] * ROWS}))
    assert any("'near' agrees with 'one'" in note for note in proposal.notes)
    assert any("always the same value: 'centre'" in note for note in proposal.notes)


def test_numbers_that_nearly_repeat_others_are_named_and_other_units_become_a_rule():
    rng = np.random.default_rng(2)
    kilograms, assay = rng.normal(80, 12, ROWS), rng.normal(0, 10, ROWS)
    frame = pl.DataFrame(
        {
            "weight_kg": kilograms.round(1),
            "weight_lb": (kilograms * 2.20462).round(1),
            "assay": assay.round(2),
            "assay_again": [None, *(assay + rng.normal(0, 0.1, ROWS)).round(2)[1:]],
            "assay_alike": (assay + rng.normal(0, 1, ROWS)).round(2),
        }
    )
    proposal = propose(frame)
    (rule,) = proposal.schema.rules
    assert isinstance(rule, Derived)
    assert set(rule.columns) == {"weight_kg", "weight_lb"}
    (note,) = (note for note in proposal.notes if "nearly repeats" in note)
    assert note.startswith("column 'assay_again' nearly repeats 'assay' (correlation 0.999")


def test_rare_flags_that_agree_nearly_always_are_not_called_copies():
    flags = {f"drug{i}": ["Yes" if row == i else "No" for row in range(ROWS)] for i in range(6)}
    proposal = propose(pl.DataFrame(flags))
    assert not any("agrees with" in note or "holds the same" in note for note in proposal.notes)
    assert proposal.schema.rules == ()


def test_attributes_of_people_get_their_roles():
    frame = patients().with_columns(
        pl.Series("race", ["white", "black", "asian", "other"] * (ROWS // 4)),
        pl.Series("zip", [f"{10000 + i % 50}" for i in range(ROWS)]),
        pl.Series("stroke_age", [40 + i % 30 for i in range(ROWS)]),
    )
    table = propose(frame).schema.table
    assert set(table.having(Role.PROTECTED)) == {"sex", "age", "race"}
    assert set(table.having(Role.QUASI_IDENTIFIER)) == {"sex", "age", "race", "zip"}
    assert table.having(Role.TARGET) == ("outcome",)
    assert table.column("zip").kind is Kind.CATEGORY


def test_a_repeated_patient_key_links_rows_and_the_visit_time_is_found():
    rows = [(who, visit * 0.5 + who % 3 / 10, who * visit) for who in range(1, 61) for visit in range(5)]
    frame = pl.DataFrame(rows, schema=["id", "year", "value"], orient="row").with_row_index("sno", offset=1)
    proposal = propose(frame)
    table = proposal.schema.table
    assert table.having(Role.PATIENT) == ("id",)
    assert table.column("sno").kind is Kind.KEY
    assert not table.column("sno").has(Role.PATIENT)
    assert table.having(Role.TIME) == ("year",)
    assert any("60 patients with 5 rows each" in note for note in proposal.notes)


def test_levels_of_few_patients_are_not_listed_and_not_named():
    cells = ["Female"] * 60 + ["Male"] * 60 + ["Other"] * 2
    proposal = propose(pl.DataFrame({"gender": cells}))
    assert set(proposal.schema.table.columns[0].values or ()) == {"Female", "Male"}
    assert "Other" not in proposal.schema.to_yaml()


def test_a_level_that_one_patient_repeats_is_rare():
    frame = pl.DataFrame(
        {"patient_id": [i // 4 for i in range(200)], "site": ["A"] * 100 + ["B"] * 92 + ["C"] * 8}
    )
    assert set(propose(frame).schema.table.column("site").values or ()) == {"A", "B"}


def test_long_lists_of_levels_stay_out_of_the_schema():
    cells = [f"town {i % 130}" for i in range(1300)]
    assert propose(pl.DataFrame({"city": cells})).schema.table.columns[0].values is None


def test_the_same_seed_proposes_the_same_and_the_table_is_unchanged():
    frame = patients(6000)
    before = frame.clone()
    assert propose(frame, seed=Seed(3)).schema.digest() == propose(frame, seed=Seed(3)).schema.digest()
    assert frame.equals(before)


def test_names_with_quotes_and_words_of_sql_can_take_part_in_rules():
    frame = patients().rename(
        {"weight_kg": 'weight "x" (kg)', "height_cm": "height [cm]", "bmi": "select bmi"}
    )
    assert [rule.column for rule in rules(propose(frame), Derived)] == ["select bmi"]


def test_a_table_of_100_000_rows_and_50_columns_takes_seconds():
    rng = np.random.default_rng(0)
    rows = 100_000
    numbers = {f"lab_{i}": rng.gamma(2, 10, rows).round(1) for i in range(20)}
    levels = {f"flag_{i}": rng.choice(["No", "Steady", "Up"], rows) for i in range(28)}
    frame = pl.DataFrame(
        {"record_id": np.arange(rows), "date": rng.integers(20200101, 20200129, rows), **numbers, **levels}
    )
    began = time.perf_counter()
    assert len(propose(frame).schema.table.columns) == 50
    assert time.perf_counter() - began < 15  # 2 s on an idle core


def test_five_hundred_columns_are_fine():
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {f"c{i}": rng.normal(size=300).round(3) if i % 2 else rng.integers(0, 3, 300) for i in range(500)}
    )
    began = time.perf_counter()
    assert len(propose(frame).schema.table.columns) == 500
    assert time.perf_counter() - began < 20  # 3 s on an idle core
