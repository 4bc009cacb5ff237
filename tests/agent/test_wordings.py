"""One meaning in many wordings: parts of requests, put together at random, are read as each part alone."""

from __future__ import annotations

import random

import pytest

from understudy.agent.interpret import interpret
from understudy.core.conditions import Between, OneOf, Share

CONDITIONS = {
    "type_2_diabetes": ("type 2 diabetes", "T2DM", "adult-onset diabetes", "type II diabetes"),
    "hypertension": ("hypertension", "HTN", "high blood pressure"),
    "asthma": ("asthma",),
    "copd": ("COPD", "chronic bronchitis", "emphysema"),
    "ckd": ("CKD", "chronic kidney disease", "chronic renal failure"),
    "stroke": ("stroke", "CVA"),
    "depression": ("depression", "MDD"),
    "myocardial_infarction": ("myocardial infarction", "MI", "heart attack"),
}
SIZES = {250: ("250", "two hundred and fifty"), 2000: ("2,000", "2k", "two thousand", "2000")}
AGES = {
    (40.0, False, 65.0, False): ("aged 40-65", "between 40 and 65 years old", "age: 40 to 65", "40-65y"),
    (50.0, True, None, False): ("over 50", "older than 50", "age > 50"),
    (50.0, False, None, False): ("50+", "50 and older", "at least 50 years old", "minimum age 50"),
    (None, False, 45.0, True): ("under 45", "younger than 45 years"),
}
WOMEN = {
    0.6: ("60% women", "60 percent female", "women 60%", "60:40 women to men"),
    0.5: ("half women", "50/50 men and women"),
}
LIMITS = {
    (30.0, True): ("BMI > 30", "BMI over 30", "whose BMI is above 30"),
    (30.0, False): ("BMI of at least 30", "BMI 30 or more", "minimum BMI 30", "BMI ≥ 30"),
}
NOT = ("no {}", "without {}", "excluding {}", "free of {}", "who do not have {}")
FRAMES = ("{} patients with {}", "{1}: {0} people", "{} subjects having {}", "n = {}, {}")
SEPARATORS = (", ", "; ", ". ", "\n- ")


@pytest.mark.parametrize("seed", range(60))
def test_parts_of_a_request_are_read_alike_in_any_order_and_wording(seed: int) -> None:
    pick = random.Random(seed)
    first, second, third = pick.sample(sorted(CONDITIONS), 3)
    size, age = pick.choice(sorted(SIZES)), pick.choice(list(AGES))
    part, limit = pick.choice(sorted(WOMEN)), pick.choice(list(LIMITS))
    named = " and ".join(pick.choice(CONDITIONS[name]) for name in (first, second))
    head = pick.choice(FRAMES).format(pick.choice(SIZES[size]), named)
    rest = [
        pick.choice(AGES[age]),
        pick.choice(WOMEN[part]),
        pick.choice(LIMITS[limit]),
        pick.choice(NOT).format(pick.choice(CONDITIONS[third])),
        "15 observations",
    ]
    pick.shuffle(rest)
    text = pick.choice(SEPARATORS).join([head, *rest])

    plan = interpret(text).plan

    assert plan is not None, text
    assert plan.rows == size, text
    assert set(plan.cohort.conditions) == {first, second}, text
    assert plan.cohort.exclude == (third,), text
    ranges: dict[str, list[float | bool | None]] = {n: [None, False, None, False] for n in ("age", "bmi")}
    for where in plan.given.where:
        assert isinstance(where, Between), text
        ends = ranges[where.column]
        if where.low is not None:
            ends[:2] = [where.low, where.low_open]
        if where.high is not None:
            ends[2:] = [where.high, where.high_open]
    assert tuple(ranges["age"]) == age, text
    assert tuple(ranges["bmi"]) == (*limit, None, False), text
    shares = {
        s.value if isinstance(s, Share) else "female": s.proportion if isinstance(s, Share) else 0.5
        for s in plan.given.shares
    }
    assert shares.get("female", 1 - shares.get("male", 0)) == pytest.approx(part), text
    assert "the 15 highest" in plan.reasons["schema"], text


@pytest.mark.parametrize(
    "text",
    [
        "200 patients with hypotension",
        "200 patients with hypoglycemia",
        "100 patients with diabetic nephropathy",
        "100 patients with pulmonary hypertension",
        "50 patients with diabetes insipidus",
        "300 patients with hepatitis B",
        "500 patients with asthma and zorblaxia",
        "generate 500 unicorns",
    ],
)
def test_an_unknown_disease_is_never_replaced_by_a_known_one(text: str) -> None:
    found = interpret(text)
    assert found.plan is None
    assert any("outside the knowledge base" in note for note in found.notes)


@pytest.mark.parametrize(
    ("wrong", "condition"),
    [
        ("hypertnesion", "hypertension"),
        ("diabtes tpye 2", "type_2_diabetes"),
        ("chornic kidny diseaes", "ckd"),
        ("astma", "asthma"),
    ],
)
def test_a_misspelled_condition_is_read_and_said(wrong: str, condition: str) -> None:
    found = interpret(f"300 patients with {wrong}")
    assert found.plan is not None
    assert found.plan.cohort.conditions == (condition,)
    assert any("read as" in clause.became for clause in found.clauses)


def test_what_one_person_excludes_is_not_asked_for() -> None:
    for text in (
        "smoker: no, 100 adults",
        "100 adults. Smokers excluded.",
        "100 adults, none of them smokes",
    ):
        plan = interpret(text).plan
        assert plan is not None, text
        assert plan.given.where == (OneOf(column="smoking_status", values=("current",), exclude=True),), text


def test_either_or_is_refused_rather_than_read_as_both() -> None:
    found = interpret("500 people who have either asthma or COPD")
    assert found.plan is None
    assert any("all of its conditions" in note for note in found.notes)


def test_one_question_with_its_default_is_put_where_the_size_is_left_open() -> None:
    found = interpret("patients with hypertension")
    assert [ask.about for ask in found.asks] == ["rows"]
    assert found.plan is not None
    assert found.plan.rows == 1000
