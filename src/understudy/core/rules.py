"""Rules that rows obey, as data: order, derived columns, fixed combinations and implications."""

from __future__ import annotations

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from understudy.core.errors import RuleError
from understudy.core.values import Value

Handling = Literal["keep_rate", "drop", "repair"]


class _RuleValue(Value):
    """What all rules share: a name, the reason for the rule and what to do with real rows that break it."""

    name: str = Field(default="", description="Short name, shown in reports.")
    source: str = Field(default="", description="Where the rule comes from.")
    on_violation: Handling = Field(
        default="drop",
        description="Real rows that break the rule: `drop` them from learning, `repair` them (the broken "
        "cells become missing), or `keep_rate` (learn them as they are: synthetic rows break it as often).",
    )
    rate: float | None = Field(
        default=None, ge=0, le=1, description="Share of the real rows that break a rule whose rate is kept."
    )

    @property
    def is_lenient(self) -> bool:
        """Whether some rows break it because some real rows do."""
        return self.on_violation == "keep_rate" and bool(self.rate)


class Ordered(_RuleValue):
    """`lower` is below `upper` (or equal to it, unless strict), where both are present."""

    rule: Literal["ordered"] = "ordered"
    lower: str
    upper: str
    strict: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule speaks of."""
        return (self.lower, self.upper)

    def broken(self) -> pl.Expr:
        """Return the expression that is true for rows that break the rule."""
        low, high = pl.col(self.lower), pl.col(self.upper)
        return ((low >= high) if self.strict else (low > high)).fill_null(value=False)

    def says(self) -> str:
        """Return the rule in words."""
        return f"{self.lower} {'<' if self.strict else '<='} {self.upper}"


class Derived(_RuleValue):
    """`column` equals `formula` (SQL over other columns) within `tolerance`, where all are present."""

    rule: Literal["derived"] = "derived"
    column: str
    formula: str = Field(
        description='SQL expression, e.g. weight_kg / power(height_m, 2); quote "odd names".'
    )
    tolerance: float = Field(default=0.0, ge=0, description="Largest absolute difference that still agrees.")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule speaks of."""
        return (self.column, *self.inputs)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that the formula reads."""
        return tuple(dict.fromkeys(self.value().meta.root_names()))

    def value(self) -> pl.Expr:
        """Return the formula as an expression."""
        return sql(self.formula)

    def broken(self) -> pl.Expr:
        """Return the expression that is true for rows that break the rule."""
        return ((pl.col(self.column) - self.value()).abs() > self.tolerance + 1e-9).fill_null(value=False)

    def says(self) -> str:
        """Return the rule in words."""
        return f"{self.column} = {self.formula}" + (f" within {self.tolerance:g}" if self.tolerance else "")


class Implies(_RuleValue):
    """Where `when` holds, `then` holds: both SQL conditions over the columns of a row."""

    rule: Literal["implies"] = "implies"
    when: str = Field(description="SQL condition, e.g. pregnant = 'yes'.")
    then: str = Field(description="SQL condition that must follow, e.g. sex = 'female'.")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule speaks of."""
        names = [*sql(self.when).meta.root_names(), *sql(self.then).meta.root_names()]
        return tuple(dict.fromkeys(names))

    def broken(self) -> pl.Expr:
        """Return the expression that is true for rows that break the rule."""
        return (sql(self.when) & ~sql(self.then)).fill_null(value=False)

    def says(self) -> str:
        """Return the rule in words."""
        return f"if {self.when} then {self.then}"


class FixedCombinations(_RuleValue):
    """Only those combinations of the columns' values occur that are listed, or that the real data show."""

    rule: Literal["fixed_combinations"] = "fixed_combinations"
    of: tuple[str, ...] = Field(min_length=2)
    allowed: tuple[tuple[str | None, ...], ...] | None = Field(
        default=None, description="The combinations; left out, those of the real data count."
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule speaks of."""
        return self.of

    def broken(self) -> pl.Expr:
        """Return the expression that is true for rows that break the rule (none, while `allowed` is open)."""
        if self.allowed is None:
            return pl.lit(value=False)
        joined = pl.concat_str(
            [pl.col(c).cast(pl.String).fill_null("\x00") for c in self.of], separator="\x1f"
        )
        spelled = ["\x1f".join("\x00" if v is None else v for v in row) for row in self.allowed]
        return ~joined.is_in(spelled)

    def says(self) -> str:
        """Return the rule in words."""
        return f"only known combinations of {', '.join(self.of)}"


Rule = Annotated[Ordered | Derived | Implies | FixedCombinations, Field(discriminator="rule")]


def sql(text: str) -> pl.Expr:
    """Parse a SQL expression over columns; it computes, and can do nothing else.

    Raises:
        RuleError: if the text cannot be parsed.
    """
    try:
        return pl.sql_expr(text)
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise RuleError(f"cannot read the expression {text!r}: {error}") from error
