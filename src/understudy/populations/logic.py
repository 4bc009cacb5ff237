"""SQL conditions taken apart: what a generator can honour as it draws, and what must be checked afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.core.conditions import Between, OneOf, Where
from understudy.core.errors import RuleError
from understudy.core.rules import sql
from understudy.core.schema import Column, Kind

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[A-Za-z_]\w*|\d+\.?\d*|<=|>=|<>|!=|[()<>=+\-*/,])")
_FLIPPED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "=", "!=": "="}


@dataclass(frozen=True)
class Leaf:
    """A condition that is not taken apart any further, as tokens."""

    tokens: tuple[str, ...]

    def sql(self) -> str:
        """Return it as SQL."""
        return " ".join(self.tokens)


@dataclass(frozen=True)
class Not:
    """The contrary, unknown where the inner condition is unknown."""

    of: Node

    def sql(self) -> str:
        """Return it as SQL."""
        return f"NOT ({self.of.sql()})"


@dataclass(frozen=True)
class Joined:
    """Several conditions joined by AND or OR."""

    word: Literal["AND", "OR"]
    parts: tuple[Node, ...]

    def sql(self) -> str:
        """Return it as SQL."""
        return f" {self.word} ".join(p.sql() if isinstance(p, Leaf) else f"({p.sql()})" for p in self.parts)


Node = Leaf | Not | Joined


def parse(text: str) -> Node:
    """Take a SQL condition apart at its AND, OR and NOT.

    `CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE c END` is read as a and b known, and c.

    Raises:
        RuleError: if the text is empty or holds a character that no condition has.
    """
    tokens, place = [], 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None:
            raise RuleError(f"cannot read the condition {text!r} at {text[place : place + 12]!r}")
        tokens.append(found[1])
        place = found.end()
    if not tokens:
        raise RuleError("a condition is empty")
    return _parsed(tuple(tokens))


def _parsed(tokens: tuple[str, ...]) -> Node:
    while tokens[0] == "(" and _closes(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    words: tuple[Literal["OR", "AND"], ...] = ("OR", "AND")
    for word in words:
        parts = _split(tokens, word)
        if len(parts) > 1:
            return Joined(word, tuple(_parsed(part) for part in parts))
    if tokens[0].upper() == "NOT":
        return Not(_parsed(tokens[1:]))
    return _known(tokens) or Leaf(tokens)


def _known(tokens: tuple[str, ...]) -> Node | None:
    """Read the CASE that makes a condition unknown where its inputs are; None for anything else."""
    upper = [token.upper() for token in tokens]
    if upper[:2] != ["CASE", "WHEN"] or upper[-1] != "END":
        return None
    then = upper.index("THEN")
    if upper[then : then + 3] != ["THEN", "NULL", "ELSE"]:
        return None
    return Joined("AND", (Not(_parsed(tokens[2:then])), _parsed(tokens[then + 3 : -1])))


def _closes(tokens: Sequence[str]) -> int:
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        if depth == 0:
            return place
    return -1


def _split(tokens: tuple[str, ...], word: str) -> list[tuple[str, ...]]:
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        upper = token.upper()
        depth += (token == "(") + (upper == "CASE") - (token == ")") - (upper == "END")
        if depth == 0 and upper == word:
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts]


def names(node: Node) -> tuple[str, ...]:
    """Return the columns that a condition reads."""
    if isinstance(node, Joined):
        return tuple(dict.fromkeys(name for part in node.parts for name in names(part)))
    if isinstance(node, Not):
        return names(node.of)
    return tuple(dict.fromkeys(sql(node.sql()).meta.root_names()))


def without(node: Node, is_held: Callable[[str], bool]) -> Node | None:
    """Return the condition without those alternatives that read columns that are not held.

    None where nothing is left: a condition that cannot be decided without them.
    """
    if isinstance(node, Joined) and node.word == "OR":
        kept = [part for part in (without(p, is_held) for p in node.parts) if part is not None]
        return None if not kept else kept[0] if len(kept) == 1 else Joined("OR", tuple(kept))
    if isinstance(node, Joined):
        parts = [without(p, is_held) for p in node.parts]
        whole = tuple(part for part in parts if part is not None)
        return Joined("AND", whole) if len(whole) == len(parts) else None
    return node if all(is_held(name) for name in names(node)) else None


def conjuncts(node: Node, *, is_denied: bool = False) -> list[Node]:
    """Return conditions that hold together exactly where the node holds (or, denied, its contrary)."""
    if isinstance(node, Not):
        return conjuncts(node.of, is_denied=not is_denied)
    if isinstance(node, Joined) and (node.word == "AND") != is_denied:
        return [found for part in node.parts for found in conjuncts(part, is_denied=is_denied)]
    return [Not(node) if is_denied else node]


def as_where(node: Node, columns: Mapping[str, Column]) -> Where | None:
    """Return a plain condition as one that a generator honours as it draws; None for any other."""
    is_denied = isinstance(node, Not)
    inner = node.of if isinstance(node, Not) else node
    if not isinstance(inner, Leaf) or inner.tokens[0] not in columns:
        return None
    column, rest = columns[inner.tokens[0]], [token.upper() for token in inner.tokens[1:]]
    if not rest:
        if column.kind is not Kind.BOOLEAN:
            return None
        return OneOf(column=column.name, values=("false" if is_denied else "true",))
    if rest in (["IS", "NULL"], ["IS", "NOT", "NULL"]):
        return OneOf(column=column.name, values=(None,), exclude=(len(rest) == 3) != is_denied)
    if len(rest) == 2 and rest[0] in _FLIPPED:
        sign = _FLIPPED[rest[0]] if is_denied else rest[0]
        return _compared(column, sign, inner.tokens[2])
    return None


def _compared(column: Column, sign: str, value: str) -> Where | None:
    if column.kind is Kind.NUMBER and re.fullmatch(r"\d+\.?\d*", value):
        limit = float(value)
        if sign in ("<", "<="):
            return Between(column=column.name, high=limit, high_open=sign == "<")
        if sign in (">", ">="):
            return Between(column=column.name, low=limit, low_open=sign == ">")
        return Between(column=column.name, low=limit, high=limit) if sign == "=" else None
    if column.kind is Kind.CATEGORY and value.startswith("'") and sign == "=":
        return OneOf(column=column.name, values=(value[1:-1].replace("''", "'"),))
    if column.kind is Kind.CATEGORY and value.startswith("'") and column.values is not None and sign == "<>":
        others = tuple(v for v in column.values if v != value[1:-1])
        return OneOf(column=column.name, values=others) if others else None
    return None
