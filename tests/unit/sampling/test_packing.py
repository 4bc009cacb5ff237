"""What is packed comes back equal, and nothing else can be made from a file."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import ArtifactError
from understudy.core.schema import Column, Kind
from understudy.sampling.margins import Margin
from understudy.sampling.packing import pack, unpack

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TREES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


def through_json(value, *known):
    document, arrays = pack(value)
    return unpack(json.loads(json.dumps(document, allow_nan=False)), arrays, {k.__name__: k for k in known})


@given(TREES)
def test_nested_plain_values_come_back_equal_and_of_the_same_types(value):
    assert repr(through_json(value)) == repr(value)


@dataclass(frozen=True)
class Holder:
    margins: tuple[Margin, ...]
    columns: dict[int, Column]
    share: float = 0.5


def test_dataclasses_values_and_arrays_come_back():
    margin = Margin.fit(np.arange(100.0), 0)
    holder = Holder((margin,), {3: Column(name="age", kind=Kind.NUMBER)}, np.float64(float("inf")))
    again = through_json(holder, Holder, Margin, Column)
    assert again.columns == holder.columns
    assert again.share == float("inf")
    np.testing.assert_array_equal(again.margins[0].cumulative, margin.cumulative)


def test_a_class_that_is_not_expected_is_never_made():
    document, arrays = pack(Column(name="age", kind=Kind.NUMBER))
    with pytest.raises(ArtifactError, match="'Column', which is not stored"):
        unpack(document, arrays, {"Margin": Margin})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"root": {"is": "array", "name": "a7"}},
        {"root": {"is": "object", "of": "Margin", "fields": {"wrong": 1}}},
        {"root": {"is": "value", "of": "Column", "json": {"name": 3}}},
        {"root": {"of": "Margin"}},
    ],
)
def test_a_damaged_document_is_refused(document):
    with pytest.raises(ArtifactError, match="damaged"):
        unpack(document, {}, {"Margin": Margin, "Column": Column})


def test_what_cannot_be_stored_is_named_with_its_place():
    with pytest.raises(TypeError, match=r"root\[1\]\['x'\]: arrays of object"):
        pack((1, {"x": np.array([object()])}))
    with pytest.raises(TypeError, match="neither text nor an integer"):
        pack({1.5: 2})
