"""What a person wants of the sampled patients: values, ranges, sets, proportions, and rows to complete."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import ConfigDict, Field, ValidationError, model_validator

from understudy.core.errors import ConditionError
from understudy.core.values import Value


class OneOf(Value):
    """The column's value is one of `values` (or none of them, when `exclude`); None stands for missing."""

    want: Literal["one_of"] = "one_of"
    column: str
    values: tuple[str | None, ...] = Field(min_length=1)
    exclude: bool = False

    def says(self) -> str:
        """Return the condition in words."""
        if self.values == (None,):
            return f"{self.column} is {'not ' if self.exclude else ''}missing"
        names = ", ".join("missing" if v is None else v for v in self.values)
        if len(self.values) == 1:
            return f"{self.column} {'!=' if self.exclude else '='} {names}"
        return f"{self.column} {'not ' if self.exclude else ''}in {names}"


class Between(Value):
    """The column's value lies between `low` and `high`; an open end excludes the limit itself."""

    want: Literal["between"] = "between"
    column: str
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Between:
        if self.low is None and self.high is None:
            raise ValueError(f"the range of {self.column!r} has no limit")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the range of {self.column!r} is empty: {self.low:g} to {self.high:g}")
        return self

    def says(self) -> str:
        """Return the condition in words."""
        parts = []
        if self.low is not None:
            parts.append(f"{'>' if self.low_open else '>='} {self.low:g}")
        if self.high is not None:
            parts.append(f"{'<' if self.high_open else '<='} {self.high:g}")
        return f"{self.column} {' and '.join(parts)}"


class Share(Value):
    """The proportion of rows whose column has `value`; the requested proportions of a column are exact."""

    want: Literal["share"] = "share"
    column: str
    value: str
    proportion: float = Field(ge=0, le=1)

    def says(self) -> str:
        """Return the condition in words."""
        return f"{100 * self.proportion:g} % {self.column} = {self.value}"


class Balanced(Value):
    """All levels of the column that are learned are equally frequent."""

    want: Literal["balanced"] = "balanced"
    column: str

    def says(self) -> str:
        """Return the condition in words."""
        return f"{self.column} balanced"


Where = Annotated[OneOf | Between, Field(discriminator="want")]
Proportion = Annotated[Share | Balanced, Field(discriminator="want")]


class Conditions(Value):
    """Everything that is asked of a sample; exactly honoured, or refused with the reason.

    Attributes:
        where: each row satisfies all of these.
        shares: proportions over the rows.
        partial: rows to complete; a null cell is to be filled, any other is kept. Not part of the JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    where: tuple[Where, ...] = ()
    shares: tuple[Proportion, ...] = ()
    partial: Any = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="after")
    def _is_consistent(self) -> Conditions:
        if self.partial is not None and not isinstance(self.partial, pl.DataFrame):
            raise ValueError("partial rows must be a polars DataFrame in the schema's canonical form")
        totals: dict[str, float] = {}
        for share in self.shares:
            if isinstance(share, Share):
                totals[share.column] = totals.get(share.column, 0.0) + share.proportion
        for column, total in totals.items():
            if total > 1 + 1e-9:
                raise ValueError(f"the shares of {column!r} add up to {100 * total:g} %, more than 100 %")
        return self

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return not self.where and not self.shares and self.partial is None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are spoken of."""
        return tuple(dict.fromkeys([*(w.column for w in self.where), *(s.column for s in self.shares)]))

    def says(self) -> str:
        """Return the conditions in words."""
        said = [*(w.says() for w in self.where), *(s.says() for s in self.shares)]
        said += [] if self.partial is None else [f"{self.partial.height} partial rows completed"]
        return "; ".join(said) or "none"


class Feasibility(Value):
    """How hard conditions are for a generator.

    Attributes:
        support: estimated share of unconditioned patients that satisfy all `where` conditions.
        acceptance: share of the drawn candidates that were kept.
        effective_rows: effective sample size behind the delivered rows (Kish), at most their number.
        notes: what a person should know, e.g. that a stratum rests on few real patients.
    """

    support: float = Field(ge=0, le=1)
    acceptance: float = Field(ge=0, le=1)
    effective_rows: float = Field(ge=0)
    notes: tuple[str, ...] = ()


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_COMPARISON = re.compile(r"^\s*(?P<column>.+?)\s*(?P<sign><=|>=|!=|==|=|<|>|≤|≥)\s*(?P<value>.*?)\s*$")
_RANGE = re.compile(
    rf"^\s*(?P<column>.+?)\s+(?:between\s+)?(?P<low>{_NUMBER})\s*(?:-|–|to|and|\.\.)\s*(?P<high>{_NUMBER})\s*$",
    re.IGNORECASE,
)
_MEMBERS = re.compile(
    r"^\s*(?P<column>.+?)\s+(?P<no>not\s+)?in\s+[\[({](?P<values>.*)[\])}]\s*$", re.IGNORECASE
)
_MISSING = re.compile(r"^\s*(?P<column>.+?)\s+is\s+(?P<no>not\s+)?(?:missing|null)\s*$", re.IGNORECASE)


def parse_where(text: str) -> OneOf | Between:
    """Read one condition such as `age>=65`, `age 65-80`, `sex=female`, `site in (A, B)` or `bmi is missing`.

    Raises:
        ConditionError: if the text is none of these forms.
    """
    if found := _MISSING.match(text):
        return OneOf(column=found["column"], values=(None,), exclude=found["no"] is not None)
    if found := _MEMBERS.match(text):
        values = tuple(_plain(v) for v in found["values"].split(",") if v.strip())
        if values:
            return OneOf(column=found["column"], values=values, exclude=found["no"] is not None)
    if found := _COMPARISON.match(text):
        return _comparison(text, found["column"], found["sign"], found["value"])
    if found := _RANGE.match(text):
        low, high = float(found["low"]), float(found["high"])
        if low > high:
            raise ConditionError(
                f"the range in {text!r} is empty: {low:g} is above {high:g}; swap the limits"
            )
        return Between(column=found["column"], low=low, high=high)
    raise ConditionError(
        f"cannot read the condition {text!r}; write it like 'age>=65', 'age 65-80', 'sex=female', "
        "'site in (A, B)' or 'bmi is missing'"
    )


def _comparison(text: str, column: str, sign: str, value: str) -> OneOf | Between:
    if not value:
        raise ConditionError(f"the condition {text!r} compares with nothing")
    if sign in ("=", "==", "!="):
        return OneOf(column=column, values=(_plain(value),), exclude=sign == "!=")
    try:
        limit = float(value)
    except ValueError as error:
        raise ConditionError(
            f"the condition {text!r} compares with {value!r}, which is not a number"
        ) from error
    is_open = sign in ("<", ">")
    if sign in (">", ">=", "≥"):
        return Between(column=column, low=limit, low_open=is_open)
    return Between(column=column, high=limit, high_open=is_open)


def parse_share(text: str) -> tuple[Share | Balanced, ...]:
    """Read proportions such as `sex=female:0.6`, `sex=female:60%`, or `outcome:balanced`.

    Raises:
        ConditionError: if the text has another form or the proportion is outside 0 to 1.
    """
    if found := re.match(r"^\s*(?P<column>.+?)\s*[:=]\s*balanced\s*$", text, re.IGNORECASE):
        return (Balanced(column=found["column"]),)
    found = re.match(
        rf"^\s*(?P<column>.+?)\s*=\s*(?P<value>.+)\s*:\s*(?P<share>{_NUMBER})\s*(?P<cent>%?)\s*$", text
    )
    if not found:
        raise ConditionError(
            f"cannot read the share {text!r}; write it like 'sex=female:0.6' or 'outcome:balanced'"
        )
    proportion = float(found["share"]) / (100 if found["cent"] else 1)
    if not 0 <= proportion <= 1:
        raise ConditionError(f"the share in {text!r} is {proportion:g}; it must lie between 0 and 1")
    return (Share(column=found["column"], value=_plain(found["value"]), proportion=proportion),)


def conditions(where: Sequence[str] = (), shares: Sequence[str] = ()) -> Conditions:
    """Read conditions from their command-line spellings.

    Raises:
        ConditionError: if one cannot be read or they contradict each other.
    """
    proportions = [share for text in shares for share in parse_share(text)]
    try:
        return Conditions(where=tuple(parse_where(text) for text in where), shares=tuple(proportions))
    except ValidationError as error:
        said = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
        raise ConditionError(said) from error


def _plain(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
