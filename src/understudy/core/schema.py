"""What the data mean: kinds, roles, units, bounds and rules of columns, tables and the links between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import yaml
from pydantic import Field, ValidationError, model_validator

from understudy.core.errors import SchemaError, UnknownNameError
from understudy.core.rules import Rule
from understudy.core.values import Value, read_document, sparse

SCHEMA_VERSION = 1


class Kind(StrEnum):
    """What a column's values are."""

    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    CODE = "code"
    TEXT = "text"
    KEY = "key"
    SIGNAL = "signal"
    IMAGE = "image"


class Role(StrEnum):
    """What a column is for; a column may have several (sex is protected and a quasi-identifier)."""

    KEY = "key"
    PATIENT = "patient"
    TIME = "time"
    TARGET = "target"
    PROTECTED = "protected"
    QUASI_IDENTIFIER = "quasi_identifier"
    IDENTIFIER = "identifier"
    FEATURE = "feature"


class Storage(StrEnum):
    """How a column's values were written, and shall be written again."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


class Column(Value):
    """One column: its meaning, and how sure the proposal of that meaning is."""

    name: str
    kind: Kind
    roles: tuple[Role, ...] = ()
    storage: Storage = Storage.TEXT
    unit: str | None = Field(default=None, description="Unit of measurement, UCUM spelling where known.")
    low: float | None = Field(default=None, description="Smallest allowed value, in `unit`.")
    high: float | None = Field(default=None, description="Largest allowed value, in `unit`.")
    decimals: int | None = Field(default=None, ge=0, description="Digits after the point; 0 means integers.")
    values: tuple[str, ...] | None = Field(default=None, description="The closed set of levels, in order.")
    ordered: bool = Field(default=False, description="Whether the order of `values` has a meaning.")
    vocabulary: str | None = Field(default=None, description="Code system, such as ICD-9-CM or LOINC.")
    spelling: tuple[str, str] | None = Field(default=None, description="How false and true are written.")
    format: str | None = Field(default=None, description="strptime format of dates; pattern of keys.")
    sentinels: tuple[str, ...] = Field(default=(), description="Spellings that stand for a missing value.")
    identifier: str | None = Field(
        default=None, description="Class of direct identifier: name, phone, mrn ..."
    )
    confidence: float | None = Field(default=None, ge=0, le=1, description="How sure the proposal is.")
    reason: str = Field(default="", description="Why the proposal says so.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Column:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"column {self.name!r}: low {self.low:g} is above high {self.high:g}")
        if self.values is not None and len(set(self.values)) != len(self.values):
            raise ValueError(f"column {self.name!r}: 'values' lists a level twice")
        return self

    def has(self, role: Role) -> bool:
        """Say whether the column plays this role."""
        return role in self.roles

    @property
    def is_integer(self) -> bool:
        """Whether the column holds whole numbers."""
        return self.kind is Kind.NUMBER and self.decimals == 0

    @property
    def is_learned(self) -> bool:
        """Whether a synthesizer may learn from the values; keys and direct identifiers are made anew."""
        return self.kind is not Kind.KEY and Role.IDENTIFIER not in self.roles

    @property
    def is_discrete(self) -> bool:
        """Whether the values are levels rather than quantities."""
        return self.kind in (Kind.CATEGORY, Kind.BOOLEAN, Kind.CODE)


class Table(Value):
    """One table: its columns in order, and what the profile noticed about it as a whole."""

    name: str = "patients"
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    completed: bool = Field(
        default=False,
        description="Rows complete rows that were handed in: their given cells are not synthetic.",
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Table:
        names = [column.name for column in self.columns]
        twice = (
            sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        )
        if twice:
            raise ValueError(f"table {self.name!r} names columns twice: {', '.join(map(repr, twice[:5]))}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column of this name.

        Raises:
            UnknownNameError: if there is none; suggests the nearest.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownNameError(f"column of table {self.name!r}", name, self.names)

    def having(self, role: Role) -> tuple[str, ...]:
        """Return the names of the columns that play this role."""
        return tuple(column.name for column in self.columns if column.has(role))

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the names of the columns of these kinds."""
        return tuple(column.name for column in self.columns if column.kind in kinds)

    def replacing(self, columns: Iterable[Column]) -> Table:
        """Return this table with the given columns in the place of their namesakes."""
        new = {column.name: column for column in columns}
        return self.model_copy(update={"columns": tuple(new.get(c.name, c) for c in self.columns)})


class Link(Value):
    """A foreign key: `column` of `table` points to `parent_column` of `parent`."""

    table: str
    column: str
    parent: str
    parent_column: str


class Schema(Value):
    """The meaning of a dataset: tables, links between them, and rules that rows obey."""

    version: int = SCHEMA_VERSION
    tables: tuple[Table, ...]
    links: tuple[Link, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def table(self) -> Table:
        """The only table.

        Raises:
            SchemaError: if there are several.
        """
        if len(self.tables) != 1:
            raise SchemaError(f"expected one table, found {len(self.tables)}: name the one that is meant")
        return self.tables[0]

    def with_table(self, table: Table) -> Schema:
        """Return this schema with `table` in the place of its namesake."""
        return self.model_copy(
            update={"tables": tuple(table if t.name == table.name else t for t in self.tables)}
        )

    def with_completed(self) -> Schema:
        """Return this schema for rows whose given cells are not synthetic."""
        return self.with_table(self.table.model_copy(update={"completed": True}))

    def with_roles(self, role: Role, names: Sequence[str]) -> Schema:
        """Return this schema with `role` held by exactly the named columns of the only table.

        Raises:
            UnknownNameError: if a name is no column.
        """
        for name in names:
            self.table.column(name)
        columns = []
        for column in self.table.columns:
            others = tuple(r for r in column.roles if r is not role)
            roles = (*others, role) if column.name in names else others
            columns.append(column.model_copy(update={"roles": roles}))
        return self.with_table(self.table.replacing(columns))

    def to_yaml(self) -> str:
        """Return the schema as YAML that a person can edit; fields at their default are left out."""
        document = sparse(self)
        return yaml.safe_dump(
            {"version": self.version} | document, sort_keys=False, allow_unicode=True, width=110
        )

    @classmethod
    def from_yaml(cls, text: str) -> Schema:
        """Read a schema from YAML.

        Raises:
            SchemaError: if the text is no valid schema; says where and what was expected.
        """
        document = read_document(text, "schema", SCHEMA_VERSION, "understudy profile TABLE", SchemaError)
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise SchemaError(f"the schema is invalid: {explain(error)}") from error


def explain(error: ValidationError, most: int = 5) -> str:
    """Say in one line where a document is invalid and why, naming at most `most` places."""
    parts = []
    for item in error.errors()[:most]:
        place = ".".join(str(step) for step in item["loc"])
        parts.append(f"{place}: {item['msg']}" if place else item["msg"])
    more = error.error_count() - most
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
