"""The seam between models of rows and conditional sampling: drawing candidates with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from understudy.core.conditions import Where
from understudy.core.schema import Schema


@dataclass(frozen=True)
class Restriction:
    """What every candidate row must satisfy.

    Attributes:
        where: resolved conditions (see `modalities.wishes.resolve`); all hold in each candidate.
        known: cells that are given, one row per candidate: a null cell is to be drawn, any other is kept.
            None where nothing is given. Columns that are absent are drawn.
    """

    where: Sequence[Where] = ()
    known: pl.DataFrame | None = None


@dataclass(frozen=True)
class Candidates:
    """Candidate rows and how to weigh them.

    Attributes:
        frame: canonical rows of the learned columns; each satisfies the restriction it was drawn under.
        log_weight: logarithm of importance weights, shape (rows,); -inf for a row that failed. Resampling
            rows in proportion to exp(log_weight) gives draws of the model conditioned on the restriction;
            the mean of exp(log_weight) estimates the probability of the restriction.
    """

    frame: pl.DataFrame
    log_weight: np.ndarray = field(default_factory=lambda: np.empty(0))


class RowModel(Protocol):
    """Draws rows one column after the other, so that conditions act while a row is drawn, not after."""

    @property
    def schema(self) -> Schema:
        """The schema of the rows, keys and identifiers included (they are added by the caller)."""

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        """Draw `n` candidates under a restriction; without one, all log weights are zero.

        Args:
            n: number of candidates; equals the height of `restriction.known` where that is given.
            rng: source of randomness.
            restriction: what the rows must satisfy.
        """
