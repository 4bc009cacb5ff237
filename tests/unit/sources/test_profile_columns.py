"""What the profile takes single columns for, on simulated cells with known meaning."""

from datetime import date, time, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import SchemaError
from understudy.core.schema import Column, Kind, Role, Schema, Storage
from understudy.modalities.tabular import DECIMAL_COMMA, canonical, present
from understudy.sources.profile import propose

ROWS = 200


def proposed(name: str, cells: list) -> Column:
    return propose(pl.DataFrame({name: cells}, strict=False)).schema.table.column(name)


def drawn(levels: list, rows: int = ROWS, seed: int = 1) -> list:
    return [levels[i] for i in np.random.default_rng(seed).integers(0, len(levels), rows)]


@pytest.mark.parametrize(
    ("levels", "spelling"),
    [
        (["yes", "no"], ("no", "yes")),
        (["Y", "N"], ("N", "Y")),
        (["TRUE", "FALSE"], ("FALSE", "TRUE")),
        (["Ja", "Nein"], ("Nein", "Ja")),
        (["oui", "non"], ("non", "oui")),
        (["sí", "no"], ("no", "sí")),
        ([1, 0], ("0", "1")),
        ([1.0, 0.0], ("0", "1")),
        (["1", "0"], ("0", "1")),
        (["Positive", "Negative"], ("Negative", "Positive")),
    ],
)
def test_yes_and_no_are_boolean_in_any_spelling_and_written_back_so(levels, spelling):
    cells = drawn(levels)
    frame = pl.DataFrame({"smoker": cells})
    schema = propose(frame).schema
    assert schema.table.column("smoker").kind is Kind.BOOLEAN
    assert schema.table.column("smoker").spelling == spelling
    assert present(canonical(frame, schema)[0])["smoker"].to_list() == cells


@pytest.mark.parametrize(
    ("name", "levels"), [("sex", ["M", "F"]), ("gender", [0, 1]), ("rx", ["placebo", "drug"])]
)
def test_two_levels_that_are_not_yes_and_no_are_a_category(name, levels):
    assert proposed(name, drawn(levels)).kind is Kind.CATEGORY


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("%Y-%m-%d", "%Y-%m-%d"),
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%m/%d/%Y", "%m/%d/%Y"),
        ("%d.%m.%Y", "%d.%m.%Y"),
        ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M"),
        ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ"),
        ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
        ("%d-%b-%Y", "%d-%b-%Y"),
        ("%d %B %Y", "%d %B %Y"),
        ("%B %d, %Y", "%B %d, %Y"),
        ("%Y%m%d", "%Y%m%d"),
        ("%d/%m/%y", "%d/%m/%y"),
        ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"),
    ],
)
def test_dates_in_common_formats_are_read_and_written_back(form, written):
    days = pl.date_range(date(2019, 1, 1), date(2019, 12, 31), "2d", eager=True).cast(pl.Datetime("us"))
    frame = days.dt.strftime(written).alias("admission_date").to_frame()
    schema = propose(frame).schema
    column = schema.table.columns[0]
    assert (column.kind, column.format) == (Kind.DATETIME, form)
    assert column.confidence is not None
    assert column.confidence >= 0.9
    assert present(canonical(frame, schema)[0]).equals(frame)


def test_whole_numbers_such_as_20200131_are_dates_where_the_name_says_so():
    frame = pl.DataFrame({"visit_date": [20200101 + day for day in range(28)] * 3})
    schema = propose(frame).schema
    assert schema.table.columns[0].kind is Kind.DATETIME
    dataset, problems = canonical(frame, schema)
    assert not problems
    assert dataset.frame["visit_date"][27].day == 28
    assert present(dataset).equals(frame)


def test_times_with_an_offset_become_utc():
    frame = pl.DataFrame({"charttime": [f"2020-03-{d:02d}T01:30:00+02:00" for d in range(1, 29)]})
    schema = propose(frame).schema
    dataset, problems = canonical(frame, schema)
    assert not problems
    assert str(dataset.frame["charttime"][1]) == "2020-03-01 23:30:00"


def test_undecidable_day_and_month_have_low_confidence_and_a_note():
    frame = pl.DataFrame({"seen": [f"{d:02d}/{m:02d}/2020" for d in range(1, 13) for m in range(1, 13)]})
    proposal = propose(frame)
    column = proposal.schema.table.columns[0]
    assert column.kind is Kind.DATETIME
    assert column.confidence is not None
    assert column.confidence <= 0.5
    assert any("day and month" in note for note in proposal.notes)


def test_times_of_day_and_versions_are_not_dates():
    assert proposed("wake_time", drawn(["07:30", "06:15", "08:00", "07:45"])).kind is Kind.CATEGORY
    assert proposed("dose", drawn(["1.2.3", "1.2.4", "1.3.0"])).kind is Kind.CATEGORY


@pytest.mark.parametrize(
    ("cells", "first", "form", "unit"),
    [
        ([f"{1000 + 37 * i:,}" for i in range(50)], 1000.0, None, None),
        ([f"{i},{i % 10}5" for i in range(10, 60)], 10.05, DECIMAL_COMMA, None),
        ([f"{i}.234,{i % 10}" for i in range(10, 60)], 10234.0, DECIMAL_COMMA, None),
        ([f"{4 + i / 10:.1f} mg/dL" for i in range(50)], 4.0, None, "mg/dL"),
        (["<0.1", *[f"{0.1 + i / 10:.1f}" for i in range(50)]], 0.1, None, None),
        ([f"{20 + i}%" for i in range(50)], 20.0, None, "%"),
        (["1.5", "unknown", "?", *[f"{1.5 + i / 10:.1f}" for i in range(50)]], 1.5, None, None),
    ],
)
def test_numbers_written_as_text_are_numbers(cells, first, form, unit):
    frame = pl.DataFrame({"crp": cells})
    schema = propose(frame).schema
    column = schema.table.columns[0]
    assert (column.kind, column.format, column.unit) == (Kind.NUMBER, form, unit)
    dataset, problems = canonical(frame, schema)
    assert not problems
    assert dataset.frame["crp"][0] == pytest.approx(first)


def test_mixed_units_in_a_column_are_noted():
    cells = [f"{90 + i} mg/dL" for i in range(30)] + [f"{5 + i / 10} mmol/L" for i in range(30)]
    assert any("mixes units" in note for note in propose(pl.DataFrame({"glucose": cells})).notes)


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("weight (kg)", "kg"), ("Glucose [mmol/L]", "mmol/L"), ("hba1c_pct", "%"), ("glucose_mgdl", "mg/dL"),
        ("sbp_mmhg", "mm[Hg]"), ("platelets_k_ul", "10*3/uL"), ("age_years", "a"), ("value_min", None),
        ("group_g", None), ("height_m", "m"), ("group_m", None), ("temp_c", "Cel"), ("vitamin_c", None),
    ],
)  # fmt: skip
def test_units_are_read_from_headers_only_where_they_are_units(header, unit):
    cells = [20.5 + i / 10 for i in range(60)]
    assert proposed(header, cells).unit == unit


def test_counts_are_numbers_and_small_codes_are_categories():
    counts = np.random.default_rng(0).poisson(3, ROWS).tolist()
    assert (proposed("pregnancies", counts).kind, proposed("pregnancies", counts).decimals) == (
        Kind.NUMBER,
        0,
    )
    assert proposed("chest_pain_type", drawn([1, 2, 3, 4])).kind is Kind.CATEGORY
    assert proposed("admission_type_id", drawn([1, 2, 3, 6, 8])).kind is Kind.CATEGORY
    assert proposed("num_procedures", drawn([0, 1, 2, 3])).kind is Kind.NUMBER


def test_a_stage_in_whole_numbers_is_ordered_and_a_type_is_not():
    assert proposed("nyha_class", drawn([3, 1, 2, 4])).ordered
    assert proposed("nyha_class", drawn([3, 1, 2, 4])).values == ("1", "2", "3", "4")
    assert not proposed("cp", drawn([3, 1, 2, 4])).ordered


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["[70-80)", "[0-10)", "[10-20)"], ("[0-10)", "[10-20)", "[70-80)")),
        (["65+", "18-34", "35-64", "<18"], ("<18", "18-34", "35-64", "65+")),
        ([">$50k", "under $11k", "$25-$50k", "$11-$25k"], ("under $11k", "$11-$25k", "$25-$50k", ">$50k")),
        (["Stage IV", "Stage II", "Stage I", "Stage III"], ("Stage I", "Stage II", "Stage III", "Stage IV")),
        (["high", "low", "medium"], ("low", "medium", "high")),
        (["severe", "none", "mild", "moderate"], ("none", "mild", "moderate", "severe")),
        (["Always", "no", "Sometimes", "Frequently"], ("no", "Sometimes", "Frequently", "Always")),
        ([">8", "Norm", ">7"], ("Norm", ">7", ">8")),
    ],
)
def test_bands_stages_and_scales_are_ordered_as_they_mean(cells, values):
    column = proposed("level_of_it", drawn(cells))
    assert column.ordered
    assert column.values == values


@pytest.mark.parametrize(
    "cells", [["never", "former", "current"], ["S", "M"], ["NO", ">30", "<30"], ["red", "blue"]]
)
def test_levels_without_an_order_get_none(cells):
    assert not proposed("thing", drawn(cells)).ordered


@pytest.mark.parametrize(
    ("name", "cells", "vocabulary"),
    [
        (
            "diag_1",
            ["250.83", "V71", "428", "410.9", "786", "E885", "491", "599", "414", "715", "996"],
            "ICD-9-CM",
        ),
        ("dx", ["E11.9", "I10", "J45.909", "N18.3", "F32.9"], "ICD-10-CM"),
        ("whatever", ["E11.9", "I10", "J45.909", "N18.3", "F32.9"], "ICD-10-CM"),
        ("loinc_code", ["4548-4", "2345-7", "718-7", "2160-0"], "LOINC"),
        ("atc", ["A10BA02", "C09AA05", "N02BE01"], "ATC"),
        ("ndc", ["0002-8215-01", "0071-0155-23", "0186-0705-31"], "NDC"),
        ("code", [44054006, 38341003, 195967001, 73211009], "SNOMED CT"),
    ],
)
def test_codes_are_told_by_pattern_check_digit_and_name(name, cells, vocabulary):
    column = proposed(name, drawn(cells))
    assert (column.kind, column.vocabulary) == (Kind.CODE, vocabulary)


def test_what_only_looks_like_a_code_is_none():
    assert proposed("age_at_dx", list(range(20, 90)) * 4).kind is Kind.NUMBER
    assert proposed("year of diagnosis", drawn(list(range(1990, 2020)))).kind is Kind.NUMBER
    assert proposed("score", drawn(["1234-1", "1234-2", "1234-3"])).kind is not Kind.CODE
    assert proposed("diagnosis", drawn([0, 1, 2])).kind is Kind.CATEGORY


def test_text_tokens_among_numbers_are_sentinels_and_unknown_among_levels_is_only_suspected():
    numbers = proposed("chol", [*drawn(list(range(150, 300))), "?", "?"])
    assert (numbers.kind, numbers.sentinels) == (Kind.NUMBER, ("?",))
    frame = pl.DataFrame({"smoking": drawn(["never", "former", "current", "Unknown"])})
    proposal = propose(frame)
    assert proposal.schema.table.columns[0].sentinels == ()
    assert "Unknown" in (proposal.schema.table.columns[0].values or ())
    assert any("sentinels: ['Unknown']" in note for note in proposal.notes)


@pytest.mark.parametrize("code", [-9, -99, 999, 9999])
def test_codes_far_outside_are_sentinels_and_the_note_says_what_is_written_back(code):
    frame = pl.DataFrame({"weight": [*drawn(list(range(45, 130))), code, code, code]})
    proposal = propose(frame)
    assert proposal.schema.table.columns[0].sentinels == (str(code),)
    assert any("written as missing" in note for note in proposal.notes)


@pytest.mark.parametrize("cells", [list(range(-50, 50)), list(range(1, 101)), list(range(900, 1100))])
def test_values_in_the_run_of_the_others_are_no_sentinels(cells):
    assert proposed("result_value", cells * 2).sentinels == ()


def test_impossible_zeros_are_named_but_kept_and_possible_ones_are_not_named():
    rng = np.random.default_rng(3)
    frame = pl.DataFrame(
        {
            "Glucose": [*rng.integers(70, 180, 190).tolist(), *[0] * 10],
            "Pregnancies": rng.poisson(2, 200).tolist(),
        }
    )
    proposal = propose(frame)
    assert proposal.schema.table.column("Glucose").sentinels == ()
    zeros = [note for note in proposal.notes if "sentinels: ['0']" in note]
    assert len(zeros) == 1
    assert "'Glucose': 10 cells" in zeros[0]


def test_no_observed_extreme_is_published_as_a_bound_or_in_words():
    rng = np.random.default_rng(5)
    age = [*rng.integers(20, 80, 300).tolist(), 107]
    frame = pl.DataFrame(
        {
            "age": age,
            "crp": [*rng.gamma(2, 3, 300).round(1).tolist(), 987.6],
            "delta": [*rng.normal(0, 1, 300).tolist(), -77.25],
        }
    )
    text = propose(frame).schema.to_yaml()
    assert all(extreme not in text for extreme in ("107", "987.6", "77.25"))
    table = Schema.from_yaml(text).table
    assert (table.column("age").low, table.column("age").high) == (0, 120)
    assert (table.column("crp").low, table.column("crp").high) == (0, None)
    assert (table.column("delta").low, table.column("delta").high) == (None, None)


def test_decimals_are_those_of_the_data():
    assert proposed("a", [1.25, 3.5, 7.0] * 20).decimals == 2
    assert proposed("b", [0.1 + 0.2, 0.7, 1.1] * 20).decimals == 1
    assert proposed("c", np.random.default_rng(0).normal(size=100).tolist()).decimals is None


@pytest.mark.parametrize(
    ("name", "cells", "identifier"),
    [
        ("patient_name", [f"Person {a}{b}" for a in "ABCDEFGHIJ" for b in "abcdefghij"], "name"),
        ("surname", [f"Smith{i}" for i in range(100)], "name"),
        ("contact", [f"p{i}@example.org" for i in range(100)], "email"),
        ("x17", [f"({200 + i}) 555-{1000 + i}" for i in range(100)], "phone"),
        ("ident", [f"{100 + i}-45-{6000 + i}" for i in range(100)], "ssn"),
        ("MRN", [f"M{i:07d}" for i in range(100)], "mrn"),
        ("passport", [f"X{i:08d}" for i in range(100)], "passport"),
        ("home_address", [f"{i} Elm Street" for i in range(1, 101)], "address"),
        ("where", [f"{i} Elm Street, Apt {i}" for i in range(1, 101)], "address"),
        ("page", [f"https://example.org/{i}" for i in range(100)], "url"),
        ("host", [f"10.0.{i}.7" for i in range(100)], "ip"),
        ("phone", [2005550000 + i for i in range(100)], "phone"),
        ("latitude", [42.0 + i * 0.00137 for i in range(100)], "coordinates"),
        ("name", ["John Smith", "Mary Jones"] * 60, "name"),
        ("Name", ["Erik Ek", "Ann Li", "Bo Wu"] * 60, "name"),
        ("patient_name", ["A Li", "B Wu"] * 60, "name"),
        ("seen by", ["Dr. Wu", "Dr Hall"] * 60, "name"),
        ("x", ["SMITH, JOHN", "JONES, MARY", "WU, LI"] * 40, "name"),
        ("kid", ["Emma", "Liam", "Noah", "Olivia", "Ava", "Mia"] * 20, "name"),
        ("x", [f"{i} Farrell Path Unit {i}" for i in range(1, 101)], "address"),
        ("key", ["MRN123456", "MRN654321"] * 30, "mrn"),
    ],
)
def test_direct_identifiers_are_found_by_name_or_content_and_never_learned(name, cells, identifier):
    column = proposed(name, cells)
    assert column.identifier == identifier
    assert column.has(Role.IDENTIFIER)
    assert not column.is_learned
    assert column.values is None


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("drug_name", ["Aspirin Protect", "Metformin Hcl", "Lisinopril Tab"]),
        ("department", ["Internal Medicine", "General Surgery", "Cardiac Care"]),
        ("family_history", ["yes", "no"]),
        ("residence_type", ["Urban", "Rural"]),
        ("cell_count", ["low", "high"]),
        ("clinic_name", ["North Wing", "South Wing"]),
        ("name", ["aspirin", "ibuprofen", "metformin"]),
        ("ward", ["Mary Ward", "Hope Ward"]),
        ("month", ["January", "March", "April", "May", "June", "July", "August"]),
        ("finding", ["Down Syndrome", "Heart Failure", "Type Two"]),
        ("stain", ["Amber", "Rose", "Violet"]),
    ],
)
def test_look_alikes_of_identifiers_are_learned(name, cells):
    assert proposed(name, drawn(cells)).is_learned


def test_sodium_is_no_missing_value():
    assert proposed("parameter", drawn(["Na", "K", "Cl"])).sentinels == ()
    assert proposed("parameter", drawn(["NA", "K", "Cl"])).sentinels == ("NA",)


def test_repeated_keys_and_codes_in_whole_numbers_are_no_quantities():
    rng = np.random.default_rng(12)
    assert proposed("hadm_id", rng.integers(20_000_000, 20_000_040, 4000).tolist()).kind is Kind.KEY
    assert proposed("itemid", rng.integers(50_000, 50_300, 4000).tolist()).kind is Kind.CODE
    assert proposed("record_count", rng.integers(9_000, 11_000, 300).tolist()).kind is Kind.NUMBER


def test_what_is_no_cell_is_refused_with_its_column():
    with pytest.raises(SchemaError, match="'scans' holds List"):
        propose(pl.DataFrame({"scans": [[1, 2], [3]]}))


def test_times_of_day_durations_and_bytes_stored_as_such_are_read_with_a_note():
    frame = pl.DataFrame(
        {"wake": [time(7, 30), time(8, 0)] * 20, "slept": [timedelta(hours=7)] * 40, "raw": [b"a"] * 40}
    )
    proposal = propose(frame)
    assert [c.kind for c in proposal.schema.table.columns] == [Kind.TEXT, Kind.NUMBER, Kind.TEXT]
    assert canonical(frame, proposal.schema)[0].rows == 40
    assert all(any(repr(name) in note for note in proposal.notes) for name in frame.columns)


def test_two_numbers_in_a_cell_and_named_staff_in_repeated_remarks_are_noted():
    pressures = [f"{110 + i % 60}/{60 + i % 30}" for i in range(ROWS)]
    remarks = drawn([f"seen by Dr. Weber, control in {i} weeks" for i in range(2, 9)])
    proposal = propose(pl.DataFrame({"bp": pressures, "remark": remarks}))
    assert any("'bp': holds two numbers in a cell" in note for note in proposal.notes)
    assert proposal.schema.table.column("remark").identifier == "text"


def test_free_text_is_text_and_free_text_with_names_is_an_identifier():
    plain = [
        f"patient reports pain in the left knee since week {i}, no fever, walking slowly" for i in range(80)
    ]
    named = [
        f"Mr. Miller was seen on day {i} and sent home with advice about his blood pressure"
        for i in range(80)
    ]
    assert proposed("note", plain).kind is Kind.TEXT
    assert not proposed("note", plain).has(Role.IDENTIFIER)
    assert proposed("note", named).identifier == "text"


def test_keys_are_told_from_quantities():
    assert proposed("encounter_id", list(range(1000, 1200))).kind is Kind.KEY
    assert proposed("guid", [f"{i:08x}-0000-4000-8000-{i:012x}" for i in range(50)]).kind is Kind.KEY
    assert proposed("specimen", [f"AB-{i:05d}" for i in range(100)]).format == "AB-#####"
    assert proposed("charges", [1017 + 31 * i * i for i in range(200)]).kind is Kind.NUMBER
    assert proposed("test_id", drawn(["covid", "flu"])).kind is Kind.CATEGORY


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": [], "b": []}, schema={"a": pl.String, "b": pl.Int64}),
        pl.DataFrame({"a": ["x"], "b": [1], "c": [None], "d": ["2020-01-01"]}),
        pl.DataFrame({"a": [None] * 50, "b": [float("nan")] * 50, "c": ["  "] * 50}),
        pl.DataFrame({"a": ["?"] * 50, "b": [float("inf")] * 50}),
        pl.DataFrame({"only": [1.5] * 50}),
        pl.DataFrame(),
    ],
)  # fmt: skip
def test_empty_tiny_and_missing_tables_get_a_schema(frame):
    schema = propose(frame).schema
    assert schema.table.names == tuple(frame.columns)
    canonical(frame, schema)


def test_an_all_missing_column_is_noted_with_little_confidence():
    proposal = propose(
        pl.DataFrame({"icu": [None] * 30, "x": list(range(30))}, schema={"icu": pl.String, "x": pl.Int64})
    )
    column = proposal.schema.table.column("icu")
    assert column.confidence is not None
    assert column.confidence <= 0.2
    assert any("'icu': all cells are missing" in note for note in proposal.notes)


def test_types_are_kept_as_they_were_stored():
    frame = pl.DataFrame({"d": [date(2020, 1, day) for day in range(1, 29)], "flag": [True, False] * 14})
    schema = propose(frame).schema
    assert [c.storage for c in schema.table.columns] == [Storage.DATE, Storage.BOOLEAN]
    assert present(canonical(frame, schema)[0]).equals(frame)


CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["?", "yes", "no", "1/2/2020", "12,5", "NA", "999", "-9", "A10.1"]),
)


@given(st.lists(CELLS, max_size=40), st.text(min_size=1, max_size=8))
def test_any_text_column_gets_a_schema_that_reads_it_and_survives_yaml(cells, name):
    frame = pl.DataFrame({name: cells}, schema={name: pl.String})
    schema = propose(frame).schema
    dataset, _ = canonical(frame, schema)
    assert dataset.rows == frame.height
    assert Schema.from_yaml(schema.to_yaml()) == schema


def test_a_heart_rate_is_not_in_hours():
    assert proposed("MaxHR", [150, 160, 171] * 30).unit is None
    assert proposed("sleep_hr", [6.5, 7.0, 8.25] * 30).unit == "h"


def test_the_time_to_an_event_and_marks_of_train_and_test_rows_are_told():
    frame = pl.DataFrame(
        {
            "time": drawn(list(range(1, 400))),
            "age": drawn(list(range(40, 90)), seed=2),
            "death_event": drawn([0, 1], seed=3),
            "split": drawn(["train", "test"], seed=4),
        }
    )
    notes = " ".join(propose(frame).notes)
    assert "'time' may be the time until 'death_event'" in notes
    assert "no trait of patients: 'split'" in notes
    assert "time until" not in " ".join(propose(frame.drop("death_event")).notes)


def test_a_target_that_is_asked_for_is_not_guessed_and_told_what_gives_it_away():
    label = drawn(["a", "b", "c"])
    frame = pl.DataFrame(
        {"grade": label, "other": [x.upper() for x in label], "outcome": drawn([0, 1], seed=5)}
    )
    assert propose(frame).schema.table.having(Role.TARGET) == ("outcome",)
    asked = propose(frame, target="grade")
    assert asked.schema.table.having(Role.TARGET) == ("grade",)
    assert "the target 'grade' is given away by 'other': leave out of predictions" in asked.notes
    assert not any("is taken for the target" in note for note in asked.notes)
