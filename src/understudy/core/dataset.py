"""The data themselves: frozen tables in canonical form with the schema that says what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from understudy.core.errors import SchemaError
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed


@dataclass(frozen=True)
class Violation:
    """A statement of the schema that the data break, or a plan's problem.

    Attributes:
        where: the table and column, rule or field of the plan.
        message: what is broken, what was expected and what to do.
        rows: number of rows concerned, 0 where rows do not apply.
        severity: `error` stops work, `warning` is shown.
        shown: at most a few offending values (never a whole row).
    """

    where: str
    message: str
    rows: int = 0
    severity: str = "error"
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


CANONICAL: Mapping[Kind, pl.DataType | type[pl.DataType]] = {
    Kind.NUMBER: pl.Float64,
    Kind.CATEGORY: pl.String,
    Kind.BOOLEAN: pl.Boolean,
    Kind.DATETIME: pl.Datetime("us"),
    Kind.CODE: pl.String,
    Kind.TEXT: pl.String,
    Kind.KEY: pl.String,
}


@dataclass(frozen=True)
class Dataset:
    """Tables in canonical form, arrays (signals, images), and their schema; never changed in place.

    Canonical form, by kind: number Float64; category, code, text and key String; boolean Boolean;
    datetime Datetime("us") without zone; a missing value is null, never NaN nor a sentinel.

    Attributes:
        schema: the meaning.
        tables: frames by table name; columns exactly as in the schema, in its order.
        arrays: arrays by column name, first axis = rows of the table that holds the column.
    """

    schema: Schema
    tables: Mapping[str, pl.DataFrame]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in self.schema.tables:
            frame = self.tables.get(table.name)
            if frame is None:
                raise SchemaError(f"table {table.name!r} of the schema is not in the dataset")
            if tuple(frame.columns) != table.names:
                odd = sorted(set(frame.columns) ^ set(table.names))[:5]
                raise SchemaError(
                    f"table {table.name!r}: columns differ from the schema's, or their order does: {odd}"
                )
            for column in table.columns:
                expected = CANONICAL.get(column.kind)
                if expected is not None and frame.schema[column.name] != expected:
                    raise SchemaError(
                        f"table {table.name!r}: {column.name!r} is held as {frame.schema[column.name]}, "
                        f"expected {expected} for kind {column.kind.value!r}"
                    )

    @classmethod
    def of(cls, schema: Schema, frame: pl.DataFrame) -> Dataset:
        """Return the dataset of one canonical table."""
        return cls(schema, {schema.table.name: frame})

    @property
    def table(self) -> Table:
        """The schema of the only table."""
        return self.schema.table

    @property
    def frame(self) -> pl.DataFrame:
        """The frame of the only table, rows = patients or their records."""
        return self.tables[self.schema.table.name]

    @property
    def rows(self) -> int:
        """Number of rows of the only table."""
        return self.frame.height

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the only table."""
        return self.schema.table.columns

    def with_frame(self, frame: pl.DataFrame) -> Dataset:
        """Return a dataset of the same schema that holds `frame`."""
        return Dataset.of(self.schema, frame)

    def with_schema(self, schema: Schema) -> Dataset:
        """Return the same data under another schema."""
        return Dataset(schema, self.tables, self.arrays)

    def take(self, indices: np.ndarray) -> Dataset:
        """Return the rows at these positions (integers, shape (k,)) of the only table, in that order."""
        return self.with_frame(self.frame[indices])

    def select(self, names: Sequence[str]) -> Dataset:
        """Return the named columns of the only table, without the rules that speak of others."""
        table = self.table
        kept = Table(name=table.name, columns=tuple(table.column(n) for n in names), notes=table.notes)
        rules = tuple(rule for rule in self.schema.rules if set(rule.columns) <= set(names))
        return Dataset.of(Schema(tables=(kept,), rules=rules), self.frame.select(list(names)))

    def split(self, fraction: float, seed: Seed) -> tuple[Dataset, Dataset]:
        """Split by patient into (rest, part), the part holding about `fraction` of the patients.

        Rows of one patient (same value in the column of role `patient`) stay together. Row order is kept.

        Raises:
            SchemaError: if either side would be empty.
        """
        mask = drawn(self.patients, fraction, seed)
        return self.take(np.flatnonzero(~mask)), self.take(np.flatnonzero(mask))

    @cached_property
    def patients(self) -> np.ndarray:
        """The patient of each row as an integer from 0, shape (rows,); each row its own where no key says."""
        names = self.table.having(Role.PATIENT)
        if not names:
            return np.arange(self.rows)
        key = self.frame[names[0]]
        filled = key.fill_null(pl.Series([f"\x00{i}" for i in range(len(key))])) if key.null_count() else key
        return filled.rank("dense").to_numpy().astype(np.int64) - 1

    def check(self) -> list[Violation]:
        """Return what the rows break: bounds, closed values and rules, with the number of rows for each.

        Rules that some real rows break too, at a rate that is kept, are left out.
        """
        found = [
            v for column in self.columns for v in _column_violations(self.table.name, column, self.frame)
        ]
        for rule in (rule for rule in self.schema.rules if not rule.is_lenient):
            rows = self.frame.select(rule.broken().sum()).item() if self.rows else 0
            if rows:
                found.append(
                    Violation(f"rule {rule.name or rule.says()!r}", f"{rows} rows break {rule.says()}", rows)
                )
        return found

    def digest(self) -> str:
        """Return the SHA-256 (hexadecimal) of schema, cells and arrays; row order counts."""
        hasher = hashlib.sha256(self.schema.digest().encode())
        for name in sorted(self.tables):
            frame = self.tables[name]
            hasher.update(f"{name}:{frame.height}".encode())
            for column in frame.columns:
                hasher.update(frame[column].hash(seed=7).to_numpy().tobytes())
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            hasher.update(f"{name}:{array.shape}:{array.dtype}".encode())
            hasher.update(array.tobytes())
        return hasher.hexdigest()


def drawn(groups: np.ndarray, fraction: float, seed: Seed) -> np.ndarray:
    """Draw about `fraction` of the groups; returns which rows belong to them, bool of shape (rows,).

    Args:
        groups: the group of each row as an integer from 0, shape (rows,).
        fraction: share of the groups, between 0 and 1.
        seed: source of randomness.

    Raises:
        SchemaError: if all or no group would be drawn.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    size = min(max(round(fraction * count), 1), count - 1) if 0 < fraction < 1 else 0
    if size < 1:
        raise SchemaError(f"cannot split {count} patients into two parts with a fraction of {fraction:g}")
    chosen = np.zeros(count, dtype=bool)
    chosen[seed.rng().permutation(count)[:size]] = True
    return np.asarray(chosen[groups])


def _column_violations(table: str, column: Column, frame: pl.DataFrame) -> list[Violation]:
    where = f"table {table!r}: column {column.name!r}"
    values = frame[column.name]
    unit = f" {column.unit}" if column.unit else ""
    found = []
    if column.kind is Kind.NUMBER:
        numbers = values.to_numpy()[values.is_not_null().to_numpy()]
        for limit, side, beyond in (
            (column.low, "below", values < column.low if column.low is not None else None),
            (column.high, "above", values > column.high if column.high is not None else None),
        ):
            rows = int(beyond.sum()) if beyond is not None else 0
            if rows and limit is not None:
                extreme = numbers.min() if side == "below" else numbers.max()
                found.append(
                    Violation(
                        where,
                        f"holds {rows} values {side} its bound {limit:g}{unit} (most extreme {extreme:g}). "
                        "Widen the bound, change the unit, or drop the rows.",
                        rows,
                    )
                )
    elif column.values is not None and values.dtype == pl.String:
        odd = values.drop_nulls().filter(~values.drop_nulls().is_in(list(column.values)))
        if len(odd):
            shown = tuple(str(v) for v in odd.unique().sort().head(3))
            message = (
                f"holds {len(odd)} values outside its closed set, such as {', '.join(map(repr, shown))}."
            )
            found.append(
                Violation(
                    where, message + " Add them to 'values' or drop the rows.", len(odd), "error", shown
                )
            )
    return found
