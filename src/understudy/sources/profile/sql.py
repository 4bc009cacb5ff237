"""SQL text for rules: quoted names and conditions on levels."""

from __future__ import annotations

import re
from collections.abc import Sequence

from understudy.core.schema import Column, Kind
from understudy.sources.profile.roles import is_sex_name
from understudy.sources.profile.words import says


def quoted(name: str) -> str:
    """Return a column name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


_FEMALE = re.compile(
    r"f|female|woman|women|girl|w|weiblich|femme|féminin|mujer|femenino|donna|vrouw|femmina", re.I
)
_MALE = re.compile(r"m|male|man|men|boy|männlich|homme|masculin|hombre|masculino|uomo|maschio", re.I)


def sex_is(columns: Sequence[Column], female: bool) -> str | None:
    """Return the condition that a patient is female (or male), or None where the table does not say."""
    pattern = _FEMALE if female else _MALE
    for column in columns:
        if column.kind is Kind.CATEGORY and column.values and is_sex_name(column.name):
            level = next((v for v in column.values if pattern.fullmatch(v)), None)
            if level is not None:
                return f"{quoted(column.name)} = {text(level)}"
        if column.kind is Kind.BOOLEAN and says(column.name, "female" if female else "male"):
            return f"{quoted(column.name)} = true"
    return None
