"""Conditional sampling: exactly as many rows as wanted, each as wished, drawn from any model of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from understudy.core.conditions import Conditions, Feasibility, Where
from understudy.core.errors import ConditionError
from understudy.core.seeds import Seed
from understudy.modalities.wishes import holds, resolve
from understudy.sampling.completing import complete_rows, partial_cells
from understudy.sampling.drawing import Restriction, RowModel
from understudy.sampling.nearest import refusal
from understudy.sampling.proportions import parts_of, strata_of
from understudy.sampling.rates import Rates
from understudy.sampling.rules import RowRules

CHUNK = 50_000
PILOT = 4_000
_FIRST = 512
_LEAST_KEPT = 0.02
_LEAST_SUPPORT = 1e-9
_FEWEST_FOUND = 5e-4
_PATIENCE = 5
_LEAST_VALID = 0.05
_MOST_WITHOUT = 20_000
_FEW_PATIENTS = 30


@dataclass(frozen=True)
class Sampler:
    """Draws rows of the learned and the computed columns under conditions.

    Rows are drawn by sequential importance sampling inside the model, then kept or dropped by rejection
    control, so that kept rows are draws of the model given the conditions and none is used twice.

    Attributes:
        model: draws candidates.
        rules: hold in every row.
        levels: by discrete column, the levels that can be drawn (stand-ins for protected levels left out).
        learned_rows: number of real rows behind the model, 0 for a model without.

    Reference:
        Liu, Chen and Wong, Rejection control and sequential importance sampling, JASA 93 (1998).
    """

    model: RowModel
    rules: RowRules
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    learned_rows: int = 0

    def sample(self, n: int, seed: Seed, given: Conditions | None = None) -> pl.DataFrame:
        """Draw exactly `n` canonical rows that satisfy `given`.

        Raises:
            ConditionError: if the conditions cannot be met; names the nearest feasible ones.
        """
        if n < 1:
            raise ConditionError(f"cannot sample {n} rows; ask for at least 1")
        given = resolve(given or Conditions(), self.model.schema)
        if given.partial is not None:
            return self._completed(n, seed, given)
        if not given.shares:
            return self._drawn(n, seed, given.where)
        parts = parts_of(given.shares, self.levels)
        strata = strata_of(parts, n, lambda cells: self._joint(cells, given.where, seed.child("joint")))
        frames = [
            self._drawn(stratum.rows, seed.child(f"stratum-{i}"), (*given.where, *stratum.where))
            for i, stratum in enumerate(strata)
        ]
        return pl.concat(frames)[seed.child("order").rng().permutation(n)]

    def feasibility(self, given: Conditions, seed: Seed) -> Feasibility:
        """Say how hard the conditions are, from a pilot of a few thousand candidates.

        Raises:
            ConditionError: if they contradict each other or the schema.
        """
        given = resolve(given, self.model.schema)
        support, notes = self.support(given.where, seed.child("support")), []
        if support < _LEAST_SUPPORT:
            return Feasibility(support=0, acceptance=0, effective_rows=0, notes=("no patient is like this",))
        if self.learned_rows and support * self.learned_rows < _FEW_PATIENTS:
            notes.append(
                f"about {support * self.learned_rows:.1f} of the {self.learned_rows} real patients are like this: "
                "the rows are largely extrapolated"
            )
        strata: Sequence[tuple[Where, ...]] = [given.where]
        parts = parts_of(given.shares, self.levels)
        if given.shares:
            strata = [(*given.where, part.where) for column in parts.values() for part in column]
            notes += self._rare_strata(strata, len(given.where), seed)
        kept = drawn = effective = 0.0
        for number, where in enumerate(strata):
            log_weight = self._candidates(
                PILOT // len(strata) + 100, seed.child(f"pilot-{number}").rng(), where
            )[1]
            share, own = _yield(log_weight)
            kept, drawn, effective = kept + share * len(log_weight), drawn + len(log_weight), effective + own
        acceptance = min(kept / drawn, 1.0)
        return Feasibility(
            support=support, acceptance=acceptance, effective_rows=effective, notes=tuple(notes)
        )

    def support(self, where: Sequence[Where], seed: Seed, rows: int = PILOT) -> float:
        """Estimate the probability that a patient satisfies all resolved conditions."""
        if not where:
            return 1.0
        bare = self._candidates(rows, seed.rng(), ())[1] if not self.rules.is_empty else np.zeros(1)
        log_weight = self._candidates(rows, seed.child("given").rng(), where)[1]
        return float(min(np.exp(log_weight).mean() / max(np.isfinite(bare).mean(), 1e-12), 1.0))

    def _rare_strata(self, strata: Sequence[tuple[Where, ...]], skipped: int, seed: Seed) -> list[str]:
        found = []
        for number, where in enumerate(strata):
            share = self.support(where, seed.child(f"rare-{number}"), PILOT // 4)
            if share * self.learned_rows < _FEW_PATIENTS and self.learned_rows:
                names = "; ".join(w.says() for w in where[skipped:])
                found.append(f"{names}: rests on about {share * self.learned_rows:.1f} real patients")
        return found

    def _joint(self, cells: Sequence[tuple[Where, ...]], where: Sequence[Where], seed: Seed) -> np.ndarray:
        """Return the probability of each combination of strata, estimated on a pilot; never quite 0 if possible."""
        frame, log_weight = self._candidates(5 * PILOT, seed.rng(), where)
        weight = (
            np.exp(log_weight - log_weight.max()) if np.isfinite(log_weight).any() else np.zeros(frame.height)
        )
        shares = []
        for number, cell in enumerate(cells):
            inside = frame.select(pl.all_horizontal(self._holding(cell))).to_series().to_numpy()
            share = float(weight[inside].sum() / max(weight.sum(), 1e-300))
            if share == 0:
                share = self.support((*where, *cell), seed.child(f"cell-{number}"), 400)
            shares.append(share)
        return np.array(shares)

    def _completed(self, n: int, seed: Seed, given: Conditions) -> pl.DataFrame:
        if given.shares:
            raise ConditionError(
                "rows to complete cannot be given proportions as well; fill that column in the partial rows"
            )
        cells = partial_cells(given.partial, given.where, self.model.schema, n)
        return complete_rows(self.model, self.rules, cells, given.where, seed)

    def _candidates(
        self, rows: int, rng: np.random.Generator, where: Sequence[Where]
    ) -> tuple[pl.DataFrame, np.ndarray]:
        """Return candidates with computed columns and their log weights, -inf where a rule or wish fails."""
        drawn = self.model.draw(rows, rng, Restriction(where=tuple(where)))
        frame, log_weight = self.rules.complete(drawn.frame), np.array(drawn.log_weight, dtype=np.float64)
        if self.rules.lenient:
            frame = self._rates.computed(frame, rng)
            log_weight[self._rates.rejected(frame, rng)] = -np.inf
        log_weight[~self.rules.valid(frame)] = -np.inf
        if where:
            log_weight[
                ~frame.select(pl.all_horizontal(self._holding(where))).to_series().to_numpy()
            ] = -np.inf
        return frame, log_weight

    @cached_property
    def _rates(self) -> Rates:
        drawn = self.model.draw(PILOT, Seed(0).child("rates").rng(), Restriction())
        frame = self.rules.complete(drawn.frame)
        return Rates.fit(self.rules, frame.filter(pl.Series(self.rules.valid(frame))))

    def _holding(self, where: Sequence[Where]) -> list[pl.Expr]:
        return [holds(w, self.model.schema) for w in where]

    def _drawn(self, n: int, seed: Seed, where: Sequence[Where]) -> pl.DataFrame:
        """Return `n` rows that satisfy the conditions, drawn in chunks until they are enough."""
        rng, found, tried, mass, level = seed.rng(), _Kept(), 0, 0.0, -np.inf
        while found.rows < n:
            size = self._next(n, found.rows, tried, where)
            frame, log_weight = self._candidates(size, rng, where)
            tried, mass = tried + size, mass + float(np.exp(log_weight).sum())
            if where:
                level = max(level, _threshold(log_weight))
            elif tried > _PATIENCE * n and found.rows < _LEAST_VALID * tried:
                frame, log_weight = self.rules.repair(frame), np.zeros(frame.height)
            # u < w / c for a c that may still rise: keep log w - log u and compare it with log c later.
            found = found.joined(frame, log_weight + rng.standard_exponential(size), level)
            is_hopeless = tried >= _MOST_WITHOUT and found.rows < _FEWEST_FOUND * tried
            if where and tried >= PILOT and (is_hopeless or mass < _LEAST_SUPPORT * tried):
                raise refusal(where, self.model.schema, *self._lookers(seed.child("refusal")))
        return found.frame.head(n)

    def _next(self, n: int, found: int, tried: int, where: Sequence[Where]) -> int:
        """Return how many candidates to draw next."""
        if not tried:
            return min(max(4 * n, _FIRST), CHUNK) if where else min(n, CHUNK)
        share = max(found / tried, 1e-3)
        return int(np.clip(1.1 * (n - found) / share if found < tried else n - found, 64, CHUNK))

    def _lookers(
        self, seed: Seed
    ) -> tuple[Callable[[Sequence[Where]], float], Callable[[Sequence[Where]], pl.DataFrame]]:
        def look(where: Sequence[Where]) -> pl.DataFrame:
            frame, log_weight = self._candidates(PILOT, seed.child("look").rng(), where)
            return frame.filter(pl.Series(np.isfinite(log_weight)))

        return (lambda where: self.support(where, seed)), look


@dataclass(frozen=True)
class _Kept:
    """Rows kept so far with the key of each; rows whose key is below the level are dropped."""

    frame: pl.DataFrame = field(default_factory=pl.DataFrame)
    keys: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def rows(self) -> int:
        return len(self.keys)

    def joined(self, frame: pl.DataFrame, keys: np.ndarray, level: float) -> _Kept:
        old, new = self.keys >= level, (keys >= level) & (keys > -np.inf)
        if old.all() and new.all() and not self.rows:
            return _Kept(frame, keys)
        kept = self.frame if old.all() else self.frame.filter(pl.Series(old))
        frames = [kept] if self.rows else []
        return _Kept(
            pl.concat([*frames, frame.filter(pl.Series(new))]), np.concatenate([self.keys[old], keys[new]])
        )


def _threshold(log_weight: np.ndarray) -> float:
    """Return log c: rows are kept with probability min(1, w / c).

    c is the largest weight, unless too few rows would be kept; then it is lowered so that they are enough.
    """
    finite = np.sort(log_weight[np.isfinite(log_weight)])[::-1]
    if not len(finite):
        return -np.inf
    finite = np.maximum(finite, finite[0] - 600)
    wanted = _LEAST_KEPT * len(finite)
    below = np.cumsum(np.exp(finite - finite[0])[::-1])[::-1]
    # With c at place k, the k rows above count one each, the rest w / c.
    kept = np.arange(len(finite)) + below / np.exp(finite - finite[0])
    enough = np.flatnonzero(kept >= min(wanted, kept[-1]))
    return float(finite[enough[0]])


def _yield(log_weight: np.ndarray) -> tuple[float, float]:
    """Return the expected share of kept candidates and the effective number of kept rows (Kish)."""
    level = _threshold(log_weight)
    if not np.isfinite(level):
        return 0.0, 0.0
    ratio = np.exp(log_weight - level)
    kept, residual = np.minimum(ratio, 1), np.maximum(ratio, 1)
    rows = kept.sum()
    return float(kept.mean()), float(
        (kept * residual).sum() ** 2 / (kept * residual**2).sum()
    ) if rows else 0.0
