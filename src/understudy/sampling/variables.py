"""Columns as variables to draw: is a value there, and which; so that missingness is part of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from understudy.core.dataset import CANONICAL, Dataset
from understudy.core.schema import Column, Kind, Role
from understudy.modalities.encoding import is_quantity, numeric, plain_numbers
from understudy.sampling.margins import ATOM, FEWEST, Margin, decimals_of

MISSING, PRESENT = 0, 1
MOST_NUMERIC_LEVELS = 20
MOST_SPIKES = 8
_KEY_FEWEST = 20
_KEY_BINS = 200
LEAST_FREQUENT = 0.8
WITHHELD_TEXT = "[text withheld]"
RARE_LEVEL = "[rare level]"
_RESOLUTIONS = (86_400.0, 3_600.0, 60.0, 1.0)


@dataclass(frozen=True)
class Variable:
    """One thing to draw for each row.

    Attributes:
        column: the column that it was made for (a state may serve several columns).
        kind: `state` (0 missing, 1 present, 2.. a spike), `levels` (codes) or `continuous` (normal score).
        size: number of codes; 0 for a continuous variable.
        score: position of each code on a normal scale, where the codes have an order, shape (size,).
        gate: index of the state variable that must be `PRESENT` for this one to exist, or None.
        leads: whether it is drawn before all but the states.
    """

    column: str
    kind: str
    size: int = 0
    score: np.ndarray | None = None
    gate: int | None = None
    leads: bool = False

    @property
    def is_continuous(self) -> bool:
        """Whether the variable is a normal score."""
        return self.kind == "continuous"


@dataclass(frozen=True)
class ColumnModel:
    """How one column is put together from variables.

    Attributes:
        column: the column.
        state, value: indices of its variables, or None.
        spikes: numbers so frequent that they are states of their own.
        levels: the levels that codes stand for, as text or numbers.
        margin: quantile function of a continuous column, in units of `resolution`.
        constant: the only value of a column that never varies (numbers as in the canonical column).
        resolution: what datetimes are multiples of, in seconds; 1 for numbers.
    """

    column: Column
    state: int | None = None
    value: int | None = None
    spikes: tuple[float, ...] = ()
    levels: tuple[str | float, ...] = ()
    margin: Margin | None = None
    constant: str | float | None = None
    resolution: float = 1.0


@dataclass(frozen=True)
class Values:
    """Values of all variables for some rows: per variable an array of shape (rows,) and where it exists.

    Continuous variables hold normal scores (0 where absent), discrete ones codes (`size` where absent).
    """

    rows: int
    drawn: dict[int, np.ndarray] = field(default_factory=dict)
    active: dict[int, np.ndarray] = field(default_factory=dict)

    def take(self, rows: np.ndarray) -> Values:
        """Return the values of some rows (positions or mask)."""
        drawn = {k: v[rows] for k, v in self.drawn.items()}
        active = {k: v[rows] for k, v in self.active.items()}
        count = int(rows.sum()) if rows.dtype == bool else len(rows)
        return Values(count, drawn, active)


@dataclass(frozen=True)
class Variables:
    """The variables of a table and how columns are made of them."""

    variables: tuple[Variable, ...]
    columns: tuple[ColumnModel, ...]

    @classmethod
    def fit(
        cls, dataset: Dataset, columns: Sequence[Column], rng: np.random.Generator
    ) -> tuple[Variables, Values]:
        """Make variables of the named columns and encode the rows that they were made from.

        Args:
            dataset: real rows.
            columns: the columns to learn, none of them a key or identifier.
            rng: breaks ties between equal numbers, so that normal scores are exactly normal.
        """
        builder = _Builder(dataset, rng)
        for column in columns:
            builder.add(column)
        return cls(tuple(builder.variables), tuple(builder.columns)), builder.values

    def decode(self, values: Values) -> pl.DataFrame:
        """Return canonical columns from the values of all variables."""
        return pl.DataFrame([self.decode_column(model, values) for model in self.columns])

    def decode_column(self, model: ColumnModel, values: Values) -> pl.Series:
        """Return one canonical column; all its variables must have been drawn."""
        column, rows = model.column, values.rows
        state = np.ones(rows, dtype=np.int64) if model.state is None else values.drawn[model.state]
        if is_quantity(column):
            return _quantity(self._numbers(model, values, state), column)
        levels = [*model.levels] if model.levels else [model.constant]
        codes = np.zeros(rows, dtype=np.int64) if model.value is None else values.drawn[model.value]
        shown = np.where((state == PRESENT) & (codes < len(levels)), codes, len(levels))
        table = pl.Series([None if v is None else str(v) for v in (*levels, None)], dtype=pl.String)
        text = table[shown].alias(column.name)
        return text == "true" if column.kind is Kind.BOOLEAN else text

    def _numbers(self, model: ColumnModel, values: Values, state: np.ndarray) -> np.ndarray:
        numbers = np.full(values.rows, np.nan)
        present = state == PRESENT
        if model.value is None:
            if model.constant is not None:
                numbers[present] = float(model.constant)
        elif model.margin is not None:
            numbers[present] = (
                model.margin.quantile(ndtr(values.drawn[model.value][present])) * model.resolution
            )
        else:
            # One place more than there are levels: a row for which no level was possible has that code.
            levels = np.array([*(float(v) for v in model.levels), np.nan])
            numbers[present] = levels[values.drawn[model.value][present]] * model.resolution
        for code, spike in enumerate(model.spikes, start=PRESENT + 1):
            numbers[state == code] = spike * model.resolution
        if model.column.kind is Kind.NUMBER:
            low = -np.inf if model.column.low is None else model.column.low
            high = np.inf if model.column.high is None else model.column.high
            numbers = np.clip(numbers, low, high)
        return numbers

    def encode(self, frame: pl.DataFrame, columns: Sequence[str], rng: np.random.Generator) -> Values:
        """Encode given cells of some columns; a level that was never learned becomes the nearest or rare one.

        Args:
            frame: canonical rows.
            columns: names of the columns to encode.
            rng: places a number inside its atom or rounding.
        """
        values = Values(frame.height)
        for model in self.columns:
            if model.column.name in columns:
                self._encode_column(model, frame, values, rng)
        return values

    def _encode_column(
        self, model: ColumnModel, frame: pl.DataFrame, values: Values, rng: np.random.Generator
    ) -> None:
        cells = frame[model.column.name]
        state = np.where(cells.is_null().to_numpy(), MISSING, PRESENT)
        numbers = np.empty(0)
        if is_quantity(model.column):
            numbers = plain_numbers(cells, model.column) / model.resolution
            for code, spike in enumerate(model.spikes, start=PRESENT + 1):
                state[numbers == spike] = code
        if model.state is not None:
            # Columns that share a state: what one of them holds counts, and a null in another is to be drawn.
            shared = values.drawn.get(model.state, state)
            values.drawn[model.state] = np.where(state == MISSING, shared, state)
            values.active[model.state] = np.ones(frame.height, dtype=bool)
        if model.value is None:
            return
        variable, present = self.variables[model.value], state == PRESENT
        values.active[model.value] = present
        if model.margin is not None:
            z = np.zeros(frame.height)
            u = model.margin.probability(numbers[present], rng.random(int(present.sum())))
            z[present] = ndtri(np.clip(u, 1e-6, 1 - 1e-6))
            values.drawn[model.value] = z
            return
        codes = np.full(frame.height, variable.size, dtype=np.int64)
        if is_quantity(model.column):
            levels = np.array([float(v) for v in model.levels])
            codes[present] = np.abs(numbers[present][:, None] - levels).argmin(axis=1)
        else:
            known = {str(v): i for i, v in enumerate(model.levels)}
            fallback = known.get(RARE_LEVEL, known.get(WITHHELD_TEXT, 0))
            text = cells.cast(pl.String).to_list()
            codes[present] = [known.get(str(t), fallback) for t, p in zip(text, present, strict=True) if p]
        values.drawn[model.value] = codes


class _Builder:
    """Collects variables, column models and encoded values, one column after the other."""

    def __init__(self, dataset: Dataset, rng: np.random.Generator) -> None:
        self.dataset, self.rng, self.rows = dataset, rng, dataset.rows
        self.variables: list[Variable] = []
        self.columns: list[ColumnModel] = []
        self.values = Values(dataset.rows)
        self._states: dict[bytes, int] = {}

    def add(self, column: Column) -> None:
        """Add the variables of one column."""
        if is_quantity(column):
            self._add_quantity(column)
        else:
            self._add_levels(column)

    def _add_quantity(self, column: Column) -> None:
        numbers = numeric(self.dataset, column)
        present = ~np.isnan(numbers)
        resolution = _resolution(numbers[present]) if column.kind is Kind.DATETIME else 1.0
        numbers = numbers / resolution
        distinct, counts = np.unique(numbers[present], return_counts=True)
        if len(distinct) <= 1:
            constant = float(distinct[0] * resolution) if len(distinct) else None
            state = None if present.all() else self._state(column, np.where(present, PRESENT, MISSING), 0)
            if constant is not None and counts[0] < FEWEST:
                constant = _coarse(constant, column)
            self.columns.append(ColumnModel(column, state, None, constant=constant))
            return
        spikes = () if column.has(Role.KEY) else _spikes(distinct, counts)
        codes = np.where(present, PRESENT, MISSING)
        for code, spike in enumerate(spikes, start=PRESENT + 1):
            codes[numbers == spike] = code
        state = None if (codes == PRESENT).all() else self._state(column, codes, len(spikes))
        active = codes == PRESENT
        if not _has_levels(numbers[active]):
            decimals = decimals_of(numbers[active]) if column.decimals is None else column.decimals
            decimals = 0 if column.kind is Kind.DATETIME else decimals
            is_key = column.has(Role.KEY)
            margin = _key_margin(numbers[active]) if is_key else Margin.fit(numbers[active], decimals)
            z = np.zeros(self.rows)
            z[active] = ndtri(_ranks(numbers[active], self.rng))
            value = self._append(
                Variable(column.name, "continuous", gate=state, leads=_leads(column)), z, active
            )
            self.columns.append(ColumnModel(column, state, value, spikes, (), margin, resolution=resolution))
            return
        levels, coded = _numeric_levels(numbers[active])
        value = self._append_levels(column, state, len(levels), coded, active, _scores(coded, len(levels)))
        self.columns.append(
            ColumnModel(column, state, value, spikes, tuple(levels.tolist()), resolution=resolution)
        )

    def _add_levels(self, column: Column) -> None:
        text = self.dataset.frame[column.name].cast(pl.String)
        active = text.is_not_null().to_numpy()
        state = None if active.all() else self._state(column, np.where(active, PRESENT, MISSING), 0)
        if not active.any():
            self.columns.append(ColumnModel(column, state, None, constant=None))
            return
        levels, coded = _text_levels(text.filter(pl.Series(active)), column, self.rng)
        if len(levels) == 1:
            self.columns.append(ColumnModel(column, state, None, levels=tuple(levels), constant=levels[0]))
            return
        has_order = column.ordered or len(levels) == 2
        scores = _scores(coded, len(levels)) if has_order else None
        value = self._append_levels(column, state, len(levels), coded, active, scores)
        self.columns.append(ColumnModel(column, state, value, levels=tuple(levels)))

    def _append_levels(
        self,
        column: Column,
        state: int | None,
        size: int,
        coded: np.ndarray,
        active: np.ndarray,
        score: np.ndarray | None,
    ) -> int:
        codes = np.full(self.rows, size, dtype=np.int64)
        codes[active] = coded
        return self._append(
            Variable(column.name, "levels", size, score, state, _leads(column)), codes, active
        )

    def _state(self, column: Column, codes: np.ndarray, spikes: int) -> int:
        key = codes.astype(np.int8).tobytes()
        if key not in self._states:
            everywhere = np.ones(self.rows, dtype=bool)
            variable = Variable(column.name, "state", PRESENT + 1 + spikes)
            self._states[key] = self._append(variable, codes.astype(np.int64), everywhere)
        return self._states[key]

    def _append(self, variable: Variable, drawn: np.ndarray, active: np.ndarray) -> int:
        index = len(self.variables)
        self.variables.append(variable)
        self.values.drawn[index], self.values.active[index] = drawn, active
        return index


def _leads(column: Column) -> bool:
    """Say whether a column comes early: an order of rows in time, and the target that others hang on."""
    return column.has(Role.KEY) or column.has(Role.TARGET)


def _key_margin(numbers: np.ndarray) -> Margin:
    """Return the margin of a key's order: no value exact, and never fewer than 20 people together."""
    return Margin.fit(numbers, 0, fewest=_KEY_FEWEST, atom=len(numbers) + 1, bins=_KEY_BINS)


def _resolution(seconds: np.ndarray) -> float:
    return next((r for r in _RESOLUTIONS if len(seconds) and not np.mod(seconds, r).any()), 1e-6)


def _ranks(numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return randomised ranks in (0, 1): exactly uniform, equal numbers in random order."""
    order = np.lexsort((rng.random(len(numbers)), numbers))
    ranks = np.empty(len(numbers))
    ranks[order] = (np.arange(len(numbers)) + rng.random(len(numbers))) / len(numbers)
    return np.clip(ranks, 1e-6, 1 - 1e-6)


def _coarse(constant: float, column: Column) -> float:
    """Return the only value of few people without its detail: one digit of a number, the year of a date."""
    if column.kind is Kind.NUMBER:
        return float(f"{constant:.1g}")
    year = pl.Series([int(constant * 1e6)]).cast(pl.Datetime("us")).dt.truncate("1y")
    return float(year.dt.epoch("us").item()) / 1e6


def _has_levels(numbers: np.ndarray) -> bool:
    """Say whether numbers are few enough, and each of enough people, to be drawn as levels."""
    counts = np.unique(numbers, return_counts=True)[1]
    frequent = counts[counts >= FEWEST].sum()
    return len(counts) <= MOST_NUMERIC_LEVELS and bool(frequent >= LEAST_FREQUENT * len(numbers))


def _spikes(distinct: np.ndarray, counts: np.ndarray) -> tuple[float, ...]:
    """Return values far more frequent than their neighbours: sentinels, detection limits, top codes."""
    if len(distinct) <= MOST_NUMERIC_LEVELS:
        return ()
    total, found = counts.sum(), []
    for i in np.argsort(-counts, kind="stable")[:MOST_SPIKES]:
        near = np.concatenate([counts[max(0, i - 2) : i], counts[i + 1 : i + 3]])
        if counts[i] >= max(ATOM, 0.02 * total, 5 * np.median(near), 3 * near.max()):
            found.append(float(distinct[i]))
    return tuple(found)


def _numeric_levels(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the levels of a column of few numbers and each row's code; rare levels join the nearest."""
    distinct, codes, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    kept = np.flatnonzero(counts >= FEWEST)
    nearest = np.abs(distinct[:, None] - distinct[kept]).argmin(axis=1)
    return distinct[kept], nearest[codes]


def _text_levels(text: pl.Series, column: Column, rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Return the levels that may be drawn, and each row's code.

    Levels outside a closed set, and rare levels where there is none, are protected: their rows take a level
    drawn from the others, or a common stand-in where rare levels make up most of an open column.
    """
    counted = text.value_counts(sort=False)
    name = counted.columns[0]
    distinct, counts = counted[name].to_list(), counted["count"].to_numpy()
    is_closed = False
    if column.kind is Kind.TEXT:
        is_kept = counts >= ATOM
    elif column.kind is Kind.BOOLEAN:
        is_kept = counts > 0
    else:
        fewest = FEWEST if len(distinct) > len(text) / 2 else min(FEWEST, int(counts.max()))
        is_kept = np.array([level in set(column.values or ()) for level in distinct], dtype=bool)
        is_closed = bool(is_kept.any())
        is_kept = is_kept if is_closed else counts >= fewest
    position = {level: i for i, level in enumerate(column.values or ())}
    kept = [level for level, keep in zip(distinct, is_kept, strict=True) if keep]
    levels = sorted(kept, key=lambda level: (position.get(level, len(position)), level))
    stand_in = WITHHELD_TEXT if column.kind is Kind.TEXT else RARE_LEVEL
    is_mostly_hidden = not is_closed and counts[~is_kept].sum() > len(text) / 2
    if stand_in not in levels and (is_mostly_hidden or (column.kind is Kind.TEXT and not is_kept.all())):
        levels.append(stand_in)
    code = {level: i for i, level in enumerate(levels)}
    fallback = code.get(stand_in, -1)
    table = text.replace_strict(list(code), list(code.values()), default=fallback, return_dtype=pl.Int64)
    codes = table.to_numpy().copy()
    hidden = codes < 0
    if hidden.any():
        shares = np.bincount(codes[~hidden], minlength=len(levels)) / (~hidden).sum()
        codes[hidden] = rng.choice(len(levels), int(hidden.sum()), p=shares)
    return levels, codes


def _scores(codes: np.ndarray, size: int) -> np.ndarray:
    """Return the normal score of each code at the middle of its share, centred on the data, shape (size,)."""
    counts = np.bincount(codes, minlength=size)
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    score = ndtri(np.clip(middle, 1e-6, 1 - 1e-6))
    return np.asarray(score - (score * counts).sum() / counts.sum())


def _quantity(numbers: np.ndarray, column: Column) -> pl.Series:
    series = pl.Series(column.name, numbers, nan_to_null=True)
    if column.kind is Kind.DATETIME:
        return (series * 1e6).round().cast(pl.Int64).cast(CANONICAL[Kind.DATETIME])
    return series
