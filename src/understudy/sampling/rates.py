"""Rules that some real rows break: synthetic rows break them as often, no more and no less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.rules import Derived, Rule
from understudy.sampling.rules import RowRules

# Rarer than this, or nearly always, what the model draws is no ground to choose from.
_MOST_REJECTED = 0.95


@dataclass(frozen=True)
class Rates:
    """Chooses among drawn rows so that each lenient rule is broken at the rate of the real rows.

    A column that others determine is computed, but for the share of rows that keep what was drawn. Of any other
    rule, rows that break it and rows that obey it stay with probabilities that bring the model's rate to the real
    one (rejection sampling).

    Attributes:
        derived: rules whose column is computed in most rows.
        stays: for each other rule, the probabilities with which rows that break it and rows that obey it stay.
        rules: all lenient rules, with their columns.
    """

    derived: tuple[Derived, ...]
    stays: tuple[tuple[Rule, float, float], ...]
    rules: RowRules

    @classmethod
    def fit(cls, rules: RowRules, drawn: pl.DataFrame) -> Rates:
        """Find out how often rows drawn from the model break each rule.

        Args:
            rules: the rules of the model.
            drawn: valid rows of the model, computed columns included.
        """
        derived = tuple(r for r in rules.lenient if isinstance(r, Derived) and r.column in drawn.columns)
        others = [r for r in rules.lenient if not isinstance(r, Derived)]
        stays = tuple((rule, *_stay(rule, drawn)) for rule in others)
        return cls(derived, stays, rules)

    def computed(self, frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        """Return the rows with determined columns computed, but for the share of rows that break the rule."""
        for rule in self.derived:
            exact = self.rules.model_copy(update={"computed": (rule,)}).complete(frame.drop(rule.column))
            as_drawn = pl.Series(rng.random(frame.height) < (rule.rate or 0.0)) | frame[rule.column].is_null()
            value = pl.when(pl.lit(as_drawn)).then(frame[rule.column]).otherwise(exact[rule.column])
            frame = frame.with_columns(value.alias(rule.column))
        return frame

    def rejected(self, frame: pl.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Return which rows are one too many of their kind, bool of shape (rows,)."""
        found = np.zeros(frame.height, dtype=bool)
        for rule, breaking, obeying in self.stays:
            broken = _broken(rule, frame)
            found |= rng.random(frame.height) >= np.where(broken, breaking, obeying)
        return found


def _stay(rule: Rule, drawn: pl.DataFrame) -> tuple[float, float]:
    share, rate = float(_broken(rule, drawn).mean()) if drawn.height else 0.0, rule.rate or 0.0
    if not 0 < share < 1:
        return 1.0, 1.0
    weights = np.array([rate / share, (1 - rate) / (1 - share)])
    breaking, obeying = np.maximum(weights / weights.max(), [0.0, 1 - _MOST_REJECTED]).tolist()
    return breaking, obeying


def _broken(rule: Rule, frame: pl.DataFrame) -> np.ndarray:
    return frame.select(rule.broken().fill_null(value=False).alias("broken"))["broken"].to_numpy()
