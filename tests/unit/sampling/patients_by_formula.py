"""A model of rows whose probabilities are known: the oracle of conditional sampling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.rules import Derived, Ordered
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.modalities.wishes import holds
from understudy.sampling.drawing import Candidates, Restriction

AGES = np.arange(20.0, 100.0)
COLUMNS = (
    Column(name="id", kind=Kind.KEY, roles=(Role.KEY, Role.PATIENT)),
    Column(name="age", kind=Kind.NUMBER, decimals=0, low=20, high=99),
    Column(name="sex", kind=Kind.CATEGORY, values=("female", "male"), roles=(Role.PROTECTED,)),
    Column(name="sick", kind=Kind.BOOLEAN, roles=(Role.TARGET,)),
    Column(name="site", kind=Kind.CODE),
    Column(name="dose", kind=Kind.NUMBER, decimals=1),
    Column(name="load", kind=Kind.NUMBER, decimals=1),
)
LOAD = Derived(column="load", formula="dose * 10", tolerance=0.05)
DOSE_BELOW_AGE = Ordered(lower="dose", upper="age")
SCHEMA = Schema(tables=(Table(columns=COLUMNS),))
RULED = SCHEMA.model_copy(update={"rules": (LOAD, DOSE_BELOW_AGE)})


@dataclass(frozen=True)
class Formula:
    """Age uniform 20..99; sick with probability age / 100; sex and site alone; dose uniform 0..49.9 or missing."""

    schema: Schema = SCHEMA

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        log_weight, frame = np.zeros(n), pl.DataFrame({"row": np.arange(n)})
        for name, levels, chances in self._columns():
            cells = pl.DataFrame({name: levels})
            wishes = [holds(w, self.schema) for w in restriction.where if w.column == name]
            allowed = np.ones(len(levels), dtype=bool)
            if wishes:
                allowed = cells.select(pl.all_horizontal(wishes)).to_series().to_numpy()
            share = chances(frame) * allowed
            mass = share.sum(axis=1)
            ends = np.cumsum(share, axis=1) / np.where(mass > 0, mass, 1)[:, None]
            picked = np.minimum((ends < rng.random(n)[:, None]).sum(axis=1), len(levels) - 1)
            if restriction.known is not None and name in restriction.known.columns:
                given = restriction.known[name]
                place = {v: i for i, v in enumerate(levels.to_list())}
                where = np.array([place.get(v, -1) if v is not None else -1 for v in given.to_list()])
                mass = np.where(where >= 0, share[np.arange(n), where], mass)
                picked = np.where(where >= 0, where, picked)
            with np.errstate(divide="ignore"):
                log_weight += np.log(mass)
            frame = frame.with_columns(levels[picked].alias(name))
        return Candidates(frame.drop("row"), log_weight)

    def _columns(self) -> list[tuple[str, pl.Series, Callable[[pl.DataFrame], np.ndarray]]]:
        def alone(chances: list[float]) -> Callable[[pl.DataFrame], np.ndarray]:
            return lambda frame: np.tile(np.array(chances) / sum(chances), (frame.height, 1))

        def sick(frame: pl.DataFrame) -> np.ndarray:
            chance = frame["age"].to_numpy() / 100
            return np.column_stack([1 - chance, chance])

        doses = pl.Series([*np.round(np.arange(0, 50, 0.1), 1).tolist(), None], dtype=pl.Float64)
        return [
            ("age", pl.Series(AGES), alone([1.0] * len(AGES))),
            ("sex", pl.Series(["female", "male", None]), alone([0.5, 0.4, 0.1])),
            ("sick", pl.Series([False, True]), sick),
            ("site", pl.Series(["A", "B", "C"]), alone([0.6, 0.3, 0.1])),
            ("dose", doses, alone([0.9 / 500] * 500 + [0.1])),
        ]


LEVELS = {"sex": ("female", "male"), "sick": ("false", "true"), "site": ("A", "B", "C")}
