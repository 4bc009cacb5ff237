"""Rules that drawn rows obey: derived columns are computed, all other rules are checked while a row is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from understudy.core.conditions import Where
from understudy.core.errors import RuleError
from understudy.core.rules import Derived, FixedCombinations, Implies, Ordered, Rule
from understudy.core.schema import Column, Kind, Schema
from understudy.core.values import Value
from understudy.modalities.wishes import holds

FEWEST = 5
_REPAIRS = 3


@dataclass(frozen=True)
class Check:
    """One thing that must hold in each row.

    Attributes:
        says: the check in words.
        needs: the columns that must be drawn before it can be checked; derived columns are computed.
        broken: expression that is true for rows that break it.
    """

    says: str
    needs: frozenset[str]
    broken: pl.Expr


class RowRules(Value):
    """The rules of a table that its synthetic rows obey without exception.

    Rules about columns that are made anew are not enforced, nor those whose real violations are kept
    (`keep_rate`); the latter are broken at their rate (see `sampling.rates`). Null breaks no rule that compares values.

    Attributes:
        columns: the columns that the rules speak of.
        computed: rules whose column is computed from others, in order of computation.
        checked: all other rules; the combinations of the real data are filled in.
        wishes: conditions on computed columns, checked like rules.
        lenient: rules that a share of the rows breaks.
    """

    columns: tuple[Column, ...] = ()
    computed: tuple[Derived, ...] = ()
    checked: tuple[Rule, ...] = ()
    wishes: tuple[Where, ...] = ()
    lenient: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, schema: Schema, real: pl.DataFrame | None) -> RowRules:
        """Return the rules of the only table.

        Args:
            schema: the schema of the rows.
            real: real rows in canonical form, for combinations that the schema leaves open; only those held
                by at least `FEWEST` rows are allowed. None leaves such rules out.
        """
        table = schema.table
        known = {column.name for column in table.columns if column.is_learned}
        speaking = [rule for rule in schema.rules if set(rule.columns) <= known]
        lenient = tuple(rule for rule in speaking if rule.is_lenient and _closed(rule, None) is not None)
        rules = [rule for rule in speaking if rule.on_violation != "keep_rate" or rule.rate == 0]
        computed = _computable([r for r in rules if isinstance(r, Derived)], schema)
        checked = [_closed(rule, real) for rule in rules if rule not in computed]
        kept = tuple(rule for rule in checked if rule is not None)
        spoken = {name for rule in (*computed, *kept, *lenient) for name in rule.columns}
        columns = tuple(column for column in table.columns if column.name in spoken)
        return cls(columns=columns, computed=computed, checked=kept, lenient=lenient)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be computed or checked."""
        return not self.computed and not self.checked and not self.wishes

    @property
    def derived(self) -> tuple[str, ...]:
        """The names of the columns that are computed, in order of computation."""
        return tuple(rule.column for rule in self.computed)

    def learned(self, columns: Iterable[Column]) -> tuple[Column, ...]:
        """Return the columns that are drawn: neither made anew nor computed from others."""
        return tuple(c for c in columns if c.is_learned and c.name not in self.derived)

    def wishing(self, where: Iterable[Where]) -> RowRules:
        """Return these rules with the conditions on computed columns as further checks."""
        wishes = tuple(w for w in where if w.column in self.derived)
        return self.model_copy(update={"wishes": wishes})

    def needs(self, names: Iterable[str]) -> frozenset[str]:
        """Return the drawn columns that the named columns rest on (themselves, where they are drawn)."""
        inputs = {rule.column: rule.inputs for rule in self.computed}
        open_, found = list(names), set()
        while open_:
            name = open_.pop()
            if name in inputs:
                open_.extend(inputs[name])
            else:
                found.add(name)
        return frozenset(found)

    def checks(self) -> tuple[Check, ...]:
        """Return everything that must hold: rules, bounds of computed columns, conditions on them."""
        found = [Check(rule.says(), self.needs(rule.columns), rule.broken()) for rule in self.checked]
        for column in self.columns:
            if column.name in self.derived and (column.low is not None or column.high is not None):
                low = -np.inf if column.low is None else column.low
                high = np.inf if column.high is None else column.high
                outside = ~pl.col(column.name).is_between(low, high)
                says = f"{column.name} lies in {low:g} to {high:g}"
                found.append(Check(says, self.needs([column.name]), outside.fill_null(value=False)))
        for wish in self.wishes:
            found.append(Check(wish.says(), self.needs([wish.column]), ~holds(wish, self._schema())))
        return tuple(found)

    def checks_after(self, drawn: Collection[str], column: str) -> tuple[Check, ...]:
        """Return the checks that become possible when `column` is drawn after the columns `drawn`."""
        have = {*drawn, column}
        return tuple(check for check in self.checks() if column in check.needs and check.needs <= have)

    def valid(self, frame: pl.DataFrame, checks: Sequence[Check] | None = None) -> np.ndarray:
        """Return which rows pass, bool of shape (rows,).

        Args:
            frame: canonical rows that hold at least the columns that the checks need; computed columns are
                computed here where they are absent.
            checks: by default all.
        """
        checks = self.checks() if checks is None else checks
        if not checks or not frame.height:
            return np.ones(frame.height, dtype=bool)
        needed = frozenset[str]().union(*(check.needs for check in checks))
        broken = self.complete(frame, needed).select(
            pl.any_horizontal([check.broken.alias(str(i)) for i, check in enumerate(checks)])
        )
        return ~broken.to_series().fill_null(value=False).to_numpy()

    def complete(self, frame: pl.DataFrame, drawn: Collection[str] | None = None) -> pl.DataFrame:
        """Return the rows with the computed columns that are absent.

        A computed value is rounded to its column's decimals as far as the rule's tolerance allows, and null
        where an input is null or the formula has no finite value.

        Args:
            frame: canonical rows.
            drawn: compute only what rests on these columns; by default everything.
        """
        decimals = {column.name: column.decimals for column in self.columns}
        for rule in self.computed:
            if rule.column in frame.columns or (
                drawn is not None and not self.needs([rule.column]) <= {*drawn}
            ):
                continue
            exact = rule.value().cast(pl.Float64)
            digits = decimals[rule.column]
            if digits is not None:
                rounded = exact.round(digits)
                exact = (
                    pl.when((rounded - exact).abs() <= rule.tolerance + 1e-9).then(rounded).otherwise(exact)
                )
            frame = frame.with_columns(pl.when(exact.is_finite()).then(exact).alias(rule.column))
        return frame

    def repair(self, frame: pl.DataFrame, kept: Collection[str] = ()) -> pl.DataFrame:
        """Return the rows changed so that none breaks a check: the last resort, after redrawing.

        Pairs out of order are swapped, combinations become the nearest allowed one, columns that demand
        something impossible become missing; what still fails is replaced by a row that passes.

        Args:
            frame: canonical rows of all columns that the rules speak of.
            kept: columns that must not be changed one by one (whole rows are still replaced).

        Raises:
            RuleError: if no row passes, which shows that the rules contradict each other.
        """
        for _ in range(_REPAIRS):
            bad = ~self.valid(frame)
            if not bad.any():
                return frame
            mended = frame.filter(pl.Series(bad))
            for rule in self.checked:
                mended = _mended(mended, rule, {*kept, *self.derived}, {c.name: c for c in self.columns})
            mended = self.complete(mended.drop([n for n in self.derived if n in mended.columns]))
            frame = _replaced(frame, bad, mended.select(frame.columns))
        passes = self.valid(frame)
        if passes.all():
            return frame
        if not passes.any():
            raise RuleError(f"no drawn row obeys all rules together: {self.says()}. Relax or remove one.")
        good, bad = np.flatnonzero(passes), np.flatnonzero(~passes)
        donors = np.arange(frame.height)
        donors[bad] = good[np.arange(len(bad)) % len(good)]
        return frame[donors]

    def says(self) -> str:
        """Return the rules in words."""
        return "; ".join(
            [*(r.says() for r in (*self.computed, *self.checked)), *(w.says() for w in self.wishes)]
        )

    def to_document(self) -> dict[str, Any]:
        """Return the rules as a JSON document."""
        return self.model_dump(mode="json")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> RowRules:
        """Read the rules from a JSON document."""
        return cls.model_validate(document)

    def _schema(self) -> Schema:
        return Schema.model_validate({"tables": [{"columns": self.columns}]})


def _computable(rules: Sequence[Derived], schema: Schema) -> tuple[Derived, ...]:
    """Return the rules whose column can be computed, in order of computation.

    Of several rules for one column, or of rules that rest on each other in a circle, the first counts; the
    others are checked.
    """
    accepted: dict[str, Derived] = {}
    for rule in rules:
        is_number = schema.table.column(rule.column).kind is Kind.NUMBER
        if is_number and rule.inputs and rule.column not in accepted and not _rests_on(rule, accepted):
            accepted[rule.column] = rule
    ordered: list[Derived] = []
    while len(ordered) < len(accepted):
        done = {rule.column for rule in ordered}
        ordered += [
            rule
            for rule in accepted.values()
            if rule.column not in done and not (set(rule.inputs) & accepted.keys()) - done
        ]
    return tuple(ordered)


def _rests_on(rule: Derived, accepted: Mapping[str, Derived]) -> bool:
    """Say whether an input of the rule is computed, directly or not, from the rule's own column."""
    open_, seen = list(rule.inputs), set()
    while open_:
        name = open_.pop()
        if name == rule.column:
            return True
        if name in accepted and name not in seen:
            seen.add(name)
            open_.extend(accepted[name].inputs)
    return False


def _closed(rule: Rule, real: pl.DataFrame | None) -> Rule | None:
    """Fill in the combinations that the real rows show, those of few people left out."""
    if isinstance(rule, Derived) and not rule.inputs:
        return None
    if not isinstance(rule, FixedCombinations) or rule.allowed is not None:
        return rule
    if real is None or not real.height:
        return None
    text = real.select(pl.col(name).cast(pl.String) for name in rule.of)
    counted = text.group_by(rule.of).len("\x00rows")
    fewest = min(FEWEST, int(counted.select(pl.col("\x00rows").max()).item()))
    allowed = counted.filter(pl.col("\x00rows") >= fewest).drop("\x00rows").sort(rule.of)
    return rule.model_copy(update={"allowed": tuple(allowed.rows())})


def _mended(rows: pl.DataFrame, rule: Rule, kept: set[str], columns: Mapping[str, Column]) -> pl.DataFrame:
    """Return the rows with those that break the rule changed, as far as `kept` columns allow."""
    broken = rows.select(rule.broken().fill_null(value=False)).to_series()
    if not broken.any() or (isinstance(rule, Ordered) and kept & set(rule.columns)):
        return rows
    if isinstance(rule, Ordered):
        low, high = pl.col(rule.lower), pl.col(rule.upper)
        lower = pl.when(low == high).then(None).otherwise(high) if rule.strict else high
        return rows.with_columns(
            _fitting(pl.when(pl.lit(broken)).then(value).otherwise(pl.col(name)), columns[name])
            for name, value in ((rule.lower, lower), (rule.upper, low))
        )
    if isinstance(rule, FixedCombinations):
        return _replaced(rows, broken.to_numpy(), _nearest(rows.filter(broken), rule, kept))
    demanding = _demanding(rule, kept)
    return rows.with_columns(
        pl.when(pl.lit(broken)).then(None).otherwise(pl.col(name)).alias(name) for name in demanding
    )


def _fitting(value: pl.Expr, column: Column) -> pl.Expr:
    """Return a value rounded as its column's are, and null where it is outside the column's bounds."""
    if column.kind is not Kind.NUMBER:
        return value.alias(column.name)
    rounded = value if column.decimals is None else value.round(column.decimals)
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    return pl.when(rounded.is_between(low, high)).then(rounded).alias(column.name)


def _demanding(rule: Implies | Derived, kept: set[str]) -> list[str]:
    """Return the columns to empty, so that the rule demands nothing any more."""
    names = RowRules.model_construct().needs(rule.columns) if isinstance(rule, Derived) else _when(rule)
    return sorted(names - kept)[:1] if isinstance(rule, Derived) else sorted(names - kept)


def _when(rule: Implies) -> set[str]:
    return set(Implies(when=rule.when, then="true").columns)


def _nearest(rows: pl.DataFrame, rule: FixedCombinations, kept: set[str]) -> pl.DataFrame:
    """Return the rows with the allowed combination that agrees with most of their cells, kept ones first."""
    allowed = rule.allowed or ()
    cells = [rows[name].cast(pl.String).to_list() for name in rule.of]
    weight = [len(rule.of) + 1 if name in kept else 1 for name in rule.of]
    chosen = []
    for row in zip(*cells, strict=True):
        chosen.append(
            max(
                allowed,
                key=lambda combo: sum(w for w, a, b in zip(weight, combo, row, strict=True) if a == b),
            )
        )
    columns = []
    for position, name in enumerate(rule.of):
        text = pl.Series(name, [combo[position] for combo in chosen], dtype=pl.String)
        columns.append(
            text == "true" if rows.schema[name] == pl.Boolean else text.cast(rows.schema[name], strict=False)
        )
    return rows.with_columns(columns)


def _replaced(frame: pl.DataFrame, mask: np.ndarray, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the masked rows replaced by `rows`, in order."""
    places = np.arange(frame.height)
    places[mask] = frame.height + np.arange(rows.height)
    return pl.concat([frame, rows])[places]
