"""The schema: what a person may write down, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import SchemaError, UnknownNameError
from understudy.core.rules import Derived, FixedCombinations, Implies, Ordered
from understudy.core.schema import Column, Kind, Role, Schema, Storage, Table

COLUMNS = st.builds(
    Column,
    name=st.text(min_size=1, max_size=12),
    kind=st.sampled_from(Kind),
    roles=st.lists(st.sampled_from(Role), unique=True).map(tuple),
    storage=st.sampled_from(Storage),
    unit=st.none() | st.text(max_size=5),
    decimals=st.none() | st.integers(0, 6),
    values=st.none() | st.lists(st.text(max_size=5), unique=True).map(tuple),
    spelling=st.none() | st.just(("no", "yes")),
    confidence=st.none() | st.floats(0, 1),
)
RULES = st.sampled_from(
    [
        Ordered(lower="a", upper="b"),
        Derived(column="c", formula="a + b", tolerance=0.1),
        Implies(when="a > 1", then="b > 1", on_violation="repair"),
        FixedCombinations(of=("a", "b"), allowed=(("1", None), ("2", "3"))),
    ]
)


@given(st.lists(COLUMNS, unique_by=lambda c: c.name, max_size=4), st.lists(RULES, max_size=3))
def test_a_schema_survives_being_written_and_read(columns: list[Column], rules: list[object]) -> None:
    schema = Schema(tables=(Table(columns=tuple(columns)),), rules=tuple(rules))  # type: ignore[arg-type]
    assert Schema.from_yaml(schema.to_yaml()) == schema


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("a: [", "not valid YAML"),
        ("version: 99\ntables: []", "version 99"),
        ("tables:\n- columns:\n  - {name: x, kind: nubmer}", "tables.0.columns.0.kind"),
        ("tables:\n- columns:\n  - {name: x, kind: number, low: 3, high: 1}", "low 3 is above high 1"),
        (
            "tables:\n- columns:\n  - {name: x, kind: number}\n  - {name: x, kind: number}",
            "names columns twice: 'x'",
        ),
        ("tables:\n- columns:\n  - {name: x, kind: number, colour: red}", "colour"),
    ],
)
def test_a_faulty_schema_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        Schema.from_yaml(text)


def test_an_unknown_column_suggests_the_nearest() -> None:
    table = Table(columns=(Column(name="glucose", kind=Kind.NUMBER),))
    with pytest.raises(UnknownNameError, match="Did you mean 'glucose'"):
        table.column("glucos")


def test_a_role_moves_to_the_named_columns_and_others_stay() -> None:
    columns = (
        Column(name="sex", kind=Kind.CATEGORY, roles=(Role.TARGET, Role.PROTECTED)),
        Column(name="died", kind=Kind.BOOLEAN),
    )
    schema = Schema(tables=(Table(columns=columns),)).with_roles(Role.TARGET, ["died"])
    assert schema.table.column("sex").roles == (Role.PROTECTED,)
    assert schema.table.having(Role.TARGET) == ("died",)
