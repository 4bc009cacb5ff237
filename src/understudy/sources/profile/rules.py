"""From candidates to proposed rules: each is counted on all rows, and its breaks decide what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from understudy.core.rules import Derived, FixedCombinations, Implies, Ordered, Rule
from understudy.core.schema import Column, Schema, Table
from understudy.modalities.tabular import canonical
from understudy.sources.profile.cells import percent
from understudy.sources.profile.copies import Copies
from understudy.sources.profile.derived import HOLDS, agreement, find_derived
from understudy.sources.profile.orders import named_implications, named_orders
from understudy.sources.profile.sql import quoted

MOST_BROKEN = 0.05
_FEWEST_COMPLETE = 10


@dataclass(frozen=True)
class Settled:
    """The rules that the data bear out, and what a person should know about them and about the others.

    Attributes:
        rules: to be proposed.
        notes: remarks, with counts of rows that break a rule.
    """

    rules: tuple[Rule, ...]
    notes: tuple[str, ...]


def propose_rules(
    frame: pl.DataFrame, sample: pl.DataFrame, columns: Sequence[Column], copies: Copies
) -> Settled:
    """Find rules that rows obey.

    Args:
        frame: all raw rows.
        sample: some rows in canonical form.
        columns: the meaning of the columns.
        copies: which columns repeat others.
    """
    fresh = [c for c in columns if c.name not in copies.same]
    candidates: list[Rule] = [
        Derived(column=new, formula=quoted(copies.same[new]), source="a copy") for new in sorted(copies.equal)
    ]
    candidates += find_derived(sample, fresh)
    computed = {rule.column for rule in candidates if isinstance(rule, Derived)}
    candidates += named_orders(fresh)
    candidates += named_implications(columns)
    rules: list[Rule] = []
    notes: list[str] = []
    whole = _canonical(frame, columns, {name for rule in candidates for name in rule.columns})
    for rule in candidates:
        proposed, note = _settle(rule, whole.select(rule.columns))
        rules += [proposed] if proposed is not None else []
        notes += [note] if note else []
    for one, other in copies.follows:
        if other not in computed:
            rules.append(FixedCombinations(of=(one, other), source=f"{other} follows from {one} in all rows"))
    return Settled(tuple(rules), tuple(notes))


def _canonical(frame: pl.DataFrame, columns: Sequence[Column], names: Collection[str]) -> pl.DataFrame:
    kept = tuple(c for c in columns if c.name in names)
    return canonical(frame, Schema(tables=(Table(columns=kept),)))[0].frame


def _settle(rule: Rule, frame: pl.DataFrame) -> tuple[Rule | None, str]:
    if isinstance(rule, Derived):
        complete, agreeing = agreement(frame, rule)
        broken, wanted = complete - agreeing, 1 - HOLDS
    else:
        complete = frame.drop_nulls().height if isinstance(rule, Ordered) else _applies(rule, frame)
        broken, wanted = int(frame.select(rule.broken().sum()).item() or 0), MOST_BROKEN
    if complete < _FEWEST_COMPLETE:
        return None, ""
    share = broken / complete
    if share == 0:
        return rule.model_copy(update={"on_violation": "drop"}), ""
    rows = f"{broken} of {complete} complete rows ({percent(share)}) break"
    if share > wanted:
        # By name only: where most rows disagree the names misled, and there is nothing to tell.
        return None, (f"{rows} {rule.says()}, so it is not proposed as a rule" if share < 0.5 else "")
    note = f"{rows} {rule.says()}: they are kept as they are; choose `on_violation: drop` or `repair` to enforce it"
    return rule.model_copy(update={"on_violation": "keep_rate"}), note


def _applies(rule: Rule, frame: pl.DataFrame) -> int:
    if not isinstance(rule, Implies):
        return frame.height
    unconditional = Implies(when=rule.when, then=f"not ({rule.when})")
    return int(frame.select(unconditional.broken().sum()).item() or 0)
