"""Which synthesizers `auto` tries on a table: by its size, its columns, its time and the policy, each with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from understudy.core.catalog import Choice
from understudy.core.contracts import Synthesizer
from understudy.core.schema import Column, Kind
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS

AUTO = "auto"
DEFAULT_SYNTHESIZER = "sequential_trees"
TUNE_SHARE = 0.25
MOST_CANDIDATES = 3
SMALL_ROWS, SMALL_SPLITS = 2_000, 3
_MOSTLY = 0.7
_FEWEST_FOR_NETWORK, _MOST_FOR_FOREST = 5_000, 20_000
# Where nobody says how long learning may take, a candidate may take this long, or this many times the default.
_PATIENCE_S, _PATIENCE = 60.0, 10.0


def candidates(
    rows: int, columns: Sequence[Column], policy: str = "internal", time_limit_s: float | None = None
) -> tuple[Choice, ...]:
    """Return two or three synthesizers to try, the default first; only the default where time is short.

    Args:
        rows: rows to learn from.
        columns: columns of the table.
        policy: name of the release policy.
        time_limit_s: seconds that all learning should stay within, None for no limit.
    """
    learned = [column for column in columns if column.is_learned]
    offered = _offered(rows, learned, policy)
    default = expected_seconds(DEFAULT_SYNTHESIZER, rows, len(learned))
    if time_limit_s is None:
        most = max(_PATIENCE_S, _PATIENCE * default)
        kept = [choice for choice in offered if expected_seconds(choice.name, rows, len(learned)) <= most]
        return tuple(kept[:MOST_CANDIDATES])
    kept, spent = [], 0.0
    for choice in offered:
        # Once for each split, and once more for the one that is chosen.
        spent += expected_seconds(choice.name, rows, len(learned)) * (tune_splits(rows) + 1)
        if kept and spent > time_limit_s:
            break
        kept.append(choice)
    return tuple(kept[:MOST_CANDIDATES])


def _offered(rows: int, learned: Sequence[Column], policy: str) -> list[Choice]:
    numbers = sum(column.kind in (Kind.NUMBER, Kind.DATETIME) for column in learned)
    mostly_numbers = numbers >= _MOSTLY * max(len(learned), 1)
    found = [Choice(name=DEFAULT_SYNTHESIZER, reason="the most faithful on most tables")]
    if mostly_numbers or policy == "external":
        why = "most columns are numbers" if mostly_numbers else "few parameters tell least of anybody"
        found.append(Choice(name="gaussian_copula", reason=why))
    if not mostly_numbers or policy == "external":
        found.append(Choice(name="bayes_net", reason="few parameters, and columns of levels suit it"))
    if rows >= _FEWEST_FOR_NETWORK and find_spec("torch") is not None:
        found.insert(1, Choice(name="autoregressive", reason=f"{rows:,} rows are enough for a network"))
    elif rows <= _MOST_FOR_FOREST:
        found.append(Choice(name="adversarial_forest", reason="a table of this size is quick for it"))
    return found


def tune_splits(rows: int) -> int:
    """Return over how many splits candidates are tried: several on small tables, where one says little."""
    return SMALL_SPLITS if rows < SMALL_ROWS else 1


def expected_seconds(name: str, rows: int, columns: int) -> float:
    """Return the seconds that a fit of a synthesizer at its defaults is expected to take."""
    recipe: Synthesizer = SYNTHESIZERS.create(name)
    return recipe.expected_seconds(rows, max(columns, 1))
