"""Learning a population from a weighted survey: margins and dependence as aggregates of at least 11 people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from pydantic import Field
from scipy.special import ndtri

from understudy.core.schema import Column, Kind
from understudy.core.values import Value
from understudy.knowledge.derivations import derive
from understudy.knowledge.observations import observations
from understudy.populations.columns import column_of
from understudy.populations.nhanes import EXAMINATION, FASTING, is_fasting
from understudy.populations.strata import GROUPS, Places, groups, pooled, stacked
from understudy.populations.structure import ALWAYS_SEEN, ASKED, DRAWN, LIFE_SHARES
from understudy.sampling.dependence import Split, Tree, VariableModel
from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.margins import Margin
from understudy.sampling.trees import TreeSettings, fit_variable
from understudy.sampling.variables import ColumnModel, Values, Variable, Variables

FEWEST = 11
"""Fewest people behind any number that is kept (the minimum cell of official statistics)."""

AGE_EDGES = (60, 40, 80, 50, 30, 70)
"""Ages in years at which age groups begin, in the order in which trees split by them."""

LAST = ("random_glucose", "fasting_glucose", "fasting_insulin", "triglycerides")
"""What is drawn last, from more earlier observations than others: what the fasting subsample tells."""

PARTLY_FASTING = ("random_glucose",)
"""Depends on others mostly as in those who fasted: everyone's fasting glucose is drawn from this value as theirs is."""
_FASTING_PART = 4.0

FIRST_SPLIT = {"history_mi": "history_chd", "cholesterol_medicine": "high_cholesterol_diagnosed"}
"""What is split by before the groups: a soft rule is broken by as many of each as in the survey."""

POOLS = {"cigarettes_per_day": 250}
"""Fewest people of a margin where it needs more: few smokers of a group smoke two packs."""

_DECIMALS = {"egfr": 1, "bmi": 2, "systolic_bp": 0, "diastolic_bp": 0, "heart_rate": 0}
_SHARE_DECIMALS = 3
_MOST_HALF = 0.75


class FittingSettings(Value):
    """How closely a population follows its survey."""

    leaf: int = Field(default=25, ge=FEWEST, description="Fewest people in a leaf.")
    trees: int = Field(default=2, ge=1, le=20, description="Trees per observation.")
    parents: int = Field(default=20, ge=4, description="Most earlier observations that one depends on.")
    last_parents: int = Field(
        default=32, ge=4, description="The same of the observations that are drawn last."
    )
    pool: int = Field(
        default=50, ge=FEWEST, description="Fewest people of a group in which a quantity has its own margin."
    )
    bins: int = Field(default=60, ge=20, description="About the most bins of a margin.")
    pruning: float = Field(
        default=1.5, ge=0, description="Splits that gain less, in units of noise, are not made."
    )
    kernel: float = Field(
        default=0.35, ge=0, le=2, description="Smoothing of draws, as a share of a leaf's spread."
    )
    back: float = Field(
        default=1.0, ge=0, description="Weight, in people, of a leaf's parent against the leaf."
    )
    ridge: float = Field(default=5.0, ge=0, description="Penalty of the linear trend.")

    def of_trees(self, rows: int) -> TreeSettings:
        """Return these settings as those of the trees that learn from so many rows."""
        # The trees' own settings fall with the rows as suits private tables; here they are meant as they stand.
        one = TreeSettings(kernel=1.0, back=1.0, pruning=1.0)
        return TreeSettings(
            leaf=self.leaf,
            leaf_power=0.0,
            kernel=self.kernel / one.smoothing(rows),
            back=self.back / one.parent_weight(rows),
            trees=self.trees,
            tree_cells=10**9,
            pruning=self.pruning / one.pruned(rows),
            ridge=self.ridge,
        )


def fit(
    people: pl.DataFrame, settings: FittingSettings, rng: np.random.Generator
) -> tuple[Variables, tuple[VariableModel, ...], Places, tuple[int, ...]]:
    """Learn what is drawn of an adult from the people of a survey.

    Each observation is learned from those it was made of, with the weights of their subsample: the result
    describes complete records.

    Args:
        people: what `nhanes.read_adults` returned.
        settings: how closely to follow the survey.
        rng: breaks ties, chooses the rows of each tree.

    Returns:
        The variables in drawing order, the distribution of each given earlier ones, which of its margins a
        quantity has in each group of people, and the fewest people behind a leaf of each variable.
    """
    frame = _latent(people)
    encoder = _Encoder(frame, settings, rng)
    for name in DRAWN:
        encoder.add(name)
    variables, values = tuple(encoder.variables), encoder.values
    top = _strata(variables, encoder.columns)
    models, fewest = [], []
    for index, weights in enumerate(encoder.weights):
        most = settings.last_parents if variables[index].column in LAST else settings.parents
        earlier = _parents(index, variables, values, weights, most)
        count = int((weights > 0).sum())
        # Of few people the groups would use up all splits, and nothing else could tell them apart.
        first = _first(index, variables, top) if count >= 2 * GROUPS * settings.leaf else ()
        fine = settings.of_trees(count)
        model = _compact(fit_variable(index, earlier, variables, values, fine, rng, weights, first))
        fewest.append(_fewest_in_leaf(index, model, variables, values.take(weights > 0)))
        _fill(index, model, variables, values, weights, rng)
        models.append(model)
    return Variables(variables, tuple(encoder.columns)), tuple(models), encoder.places, tuple(fewest)


def _latent(people: pl.DataFrame) -> pl.DataFrame:
    """Return the people with the columns that are drawn, computed where the survey does not hold them."""
    inputs = {name: people[name].to_numpy() for name in ("creatinine", "age")}
    rate = derive("egfr_ckd_epi_2021", {**inputs, "sex": people["sex"].to_numpy().astype(object)})
    shares = [(pl.col(event) / pl.col("age")).clip(0, 1).alias(share) for share, event in LIFE_SHARES.items()]
    bmi = (pl.col("weight") / (pl.col("height") / 100) ** 2).alias("bmi")
    return people.with_columns(pl.Series("egfr", rate, nan_to_null=True), bmi, *shares)


def _strata(variables: tuple[Variable, ...], columns: list[ColumnModel]) -> tuple[Split, ...]:
    """Return the splits that every tree makes first: age groups, sex, diagnosed diabetes."""
    index = {variable.column: place for place, variable in enumerate(variables)}
    ages = columns[index["age"]].margin
    assert ages is not None
    edges = ndtri(ages.probability(np.array(AGE_EDGES) - 0.5, np.zeros(len(AGE_EDGES))))
    halves = []
    for name in ("sex", "diabetes_diagnosed"):
        score = variables[index[name]].score
        assert score is not None
        halves.append((index[name], float(score.mean())))
    return (halves[0], *((index["age"], float(edge)) for edge in edges), halves[1])


def _first(index: int, variables: tuple[Variable, ...], top: tuple[Split, ...]) -> tuple[Split, ...]:
    """Return the splits that the trees of one variable make first."""
    name = FIRST_SPLIT.get(variables[index].column)
    if name is None:
        return top
    place = next(i for i, variable in enumerate(variables) if variable.column == name)
    score = variables[place].score
    assert score is not None
    return ((place, float(score.mean())), *top)


def _fewest_in_leaf(index: int, model: VariableModel, variables: tuple[Variable, ...], known: Values) -> int:
    """Count the people behind each leaf of the finished trees, once more and independently of how they grew."""
    if model.features is None or model.slope is None or model.intercept is None:
        return known.rows
    fewest = known.rows
    matrix, linear = model.features.matrices(variables, known)
    trend = linear @ model.slope + model.intercept
    matrix = np.column_stack([matrix, trend.astype(np.float32)])
    for tree in model.trees:
        people = np.bincount(tree.leaf(matrix), minlength=len(tree.left))[tree.left < 0]
        fewest = min(fewest, int(people.min()))
    if fewest < FEWEST:
        raise ValueError(
            f"a leaf of {variables[index].column!r} rests on {fewest} people; raise the setting 'leaf'"
        )
    return fewest


def _fill(
    index: int,
    model: VariableModel,
    variables: tuple[Variable, ...],
    values: Values,
    weights: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Draw what is not known of people whom an observation exists for, so that later ones see whole records."""
    unknown = np.flatnonzero(values.active[index] & (weights == 0))
    if len(unknown):
        drawn, _ = model.draw(variables, variables[index], values.take(unknown), rng)
        values.drawn[index][unknown] = drawn


class _Encoder:
    """Makes a variable of each column, with normal scores or codes, where it exists, and its weights."""

    def __init__(self, people: pl.DataFrame, settings: FittingSettings, rng: np.random.Generator) -> None:
        self.people, self.settings, self.rng = people, settings, rng
        self.variables: list[Variable] = []
        self.columns: list[ColumnModel] = []
        self.weights: list[np.ndarray] = []
        self.values = Values(people.height)
        self.places: dict[str, tuple[int, ...]] = {}
        self._group = groups(
            people["age"].to_numpy(),
            (people["sex"] == "male").to_numpy(),
            people["diabetes_diagnosed"].fill_null(value=False).to_numpy(),
        )
        self._examined = people[EXAMINATION].to_numpy()
        self._fasted = people[FASTING].fill_null(0.0).to_numpy()

    def add(self, name: str) -> None:
        """Add the variable of one drawn column."""
        cells, index = self.people[name], len(self.variables)
        asked = self._asked(name)
        known = cells.is_not_null().to_numpy() & asked
        weights = self._weights_of(name)
        known &= weights > 0
        column = column_of(name)
        if column.kind is Kind.NUMBER:
            variable, model, drawn = self._quantity(column, index, cells, known, weights)
        else:
            variable, model, drawn = self._levels(column, index, cells, known, weights)
        if name in PARTLY_FASTING:
            weights = weights / weights.sum() + _FASTING_PART * self._fasted / self._fasted.sum()
        weights = np.where(known, weights / weights[known].mean(), 0.0)
        self.variables.append(variable)
        self.columns.append(model)
        self.weights.append(weights)
        if name in ASKED and ASKED[name].otherwise is not None:
            drawn = np.where(asked, drawn, 0)  # those who were not asked have a plain no
        self.values.drawn[index], self.values.active[index] = drawn, asked

    def _weights_of(self, name: str) -> np.ndarray:
        entry = observations().get(name)
        if entry is not None and is_fasting(entry):
            return self._fasted
        return self._examined

    def _asked(self, name: str) -> np.ndarray:
        asked = np.ones(self.people.height, dtype=bool)
        for where in ASKED[name].where if name in ASKED else ():
            cells = self.people[where.column]
            if where.want == "between":
                asked &= (cells <= where.high).fill_null(value=False).to_numpy()
            else:
                asked &= cells.cast(pl.String).is_in(list(where.values)).fill_null(value=False).to_numpy()
        return asked

    def _quantity(
        self, column: Column, index: int, cells: pl.Series, known: np.ndarray, weights: np.ndarray
    ) -> tuple[Variable, ColumnModel, np.ndarray]:
        numbers = cells.cast(pl.Float64).fill_null(0.0).to_numpy()
        digits = (
            _SHARE_DECIMALS
            if column.name in LIFE_SHARES
            else _DECIMALS.get(column.name, column.decimals or 0)
        )
        rounded = np.round(numbers, digits)
        # Age makes the groups, so it has one margin.
        fewest = POOLS.get(column.name, self.settings.pool)
        parts = (0,) if column.name == "age" else pooled(self._group[known], fewest)
        pool = np.array(parts)[self._group] if len(parts) > 1 else np.zeros(len(numbers), dtype=np.int64)
        drawn, margins = np.zeros(len(numbers)), []
        for number in range(max(parts) + 1):
            mine = known & (pool == number)
            margins.append(self._margin(rounded[mine], digits, weights[mine]))
            drawn[mine] = _scores(numbers[mine], weights[mine], self.rng)
        if len(parts) > 1:
            self.places[column.name] = parts
        margin = stacked(margins)
        return Variable(column.name, "continuous"), ColumnModel(column, None, index, margin=margin), drawn

    def _margin(self, numbers: np.ndarray, digits: int, weights: np.ndarray) -> Margin:
        margin = Margin.fit(numbers, digits, weights, fewest=FEWEST, atom=FEWEST, bins=self.settings.bins)
        if numbers.min() <= 0:
            return margin
        # The tail of a positive quantity stays positive, by its centre alone: the smallest value is one person's.
        centre = np.maximum(margin.centre, 10.0**-digits)
        return replace(margin, centre=centre, half=np.minimum(margin.half, _MOST_HALF * centre))

    def _levels(
        self, column: Column, index: int, cells: pl.Series, known: np.ndarray, weights: np.ndarray
    ) -> tuple[Variable, ColumnModel, np.ndarray]:
        levels = ("false", "true") if column.kind is Kind.BOOLEAN else column.values or ()
        codes = {level: code for code, level in enumerate(levels)}
        drawn = cells.cast(pl.String).replace_strict(codes, default=len(levels), return_dtype=pl.Int64)
        coded = np.where(known, drawn.to_numpy(), len(levels))
        people = np.bincount(coded[known], minlength=len(levels))
        if people.min() < FEWEST:
            raise ValueError(f"{column.name!r} has a level of {people.min()} people; pool it with another")
        score = None
        if column.ordered or len(levels) == 2:
            share = np.bincount(coded[known], weights[known], len(levels)) / weights.sum()
            score = ndtri(np.clip(np.cumsum(share) - share / 2, 1e-6, 1 - 1e-6))
            score = np.asarray(score - (score * share).sum())
        variable = Variable(column.name, "levels", len(levels), score)
        return variable, ColumnModel(column, None, index, levels=levels), coded


def _scores(numbers: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return normal scores of weighted ranks, equal numbers in random order, shape (rows,)."""
    order = np.lexsort((rng.random(len(numbers)), numbers))
    ends = np.cumsum(weights[order])
    rank = np.empty(len(numbers))
    rank[order] = (ends - weights[order] * rng.random(len(numbers))) / ends[-1]
    return np.asarray(ndtri(np.clip(rank, 1e-6, 1 - 1e-6)))


def _parents(
    index: int, variables: tuple[Variable, ...], values: Values, weights: np.ndarray, most: int
) -> tuple[int, ...]:
    """Return the earlier variables that explain most of one, chosen one after the other by what they add.

    Reference:
        Pati, Rezaiifar and Krishnaprasad, Orthogonal matching pursuit, Asilomar Conference (1993).
    """
    forced = [i for i in range(index) if variables[i].column in ALWAYS_SEEN]
    if index <= most:
        return tuple(range(index))
    rows = np.flatnonzero(weights > 0)
    root = np.sqrt(weights[rows])
    views = {i: _views(i, variables, values, rows) * root[:, None] for i in range(index)}
    target = _views(index, variables, values, rows) * root[:, None]
    chosen = list(forced)
    while len(chosen) < most:
        basis = np.linalg.qr(np.column_stack([root[:, None], *(views[i] for i in chosen)]))[0]
        rest = target - basis @ (basis.T @ target)
        gains = {i: _gain(views[i] - basis @ (basis.T @ views[i]), rest) for i in views if i not in chosen}
        chosen.append(max(gains, key=lambda i: (gains[i], -i)))
    return tuple(sorted(chosen))


def _gain(view: np.ndarray, rest: np.ndarray) -> float:
    size = np.maximum((view**2).sum(axis=0), 1e-9)
    return float((((view.T @ rest) ** 2) / size[:, None]).sum(axis=1).max())


def _views(index: int, variables: tuple[Variable, ...], values: Values, rows: np.ndarray) -> np.ndarray:
    """Return a variable as columns of numbers: its score, or indicators of its levels, 0 where unknown."""
    variable, drawn = variables[index], values.drawn[index][rows]
    if variable.is_continuous:
        return np.asarray(drawn[:, None])
    if variable.score is not None:
        return np.asarray(np.append(variable.score, 0.0)[drawn][:, None])
    return np.asarray(np.eye(variable.size + 1)[drawn][:, :-1])


def _compact(model: VariableModel) -> VariableModel:
    """Return the model with numbers no finer than they are worth: a thousandth of a spread or of a share."""
    return replace(model, trees=tuple(_compact_tree(tree) for tree in model.trees))


def _compact_tree(tree: Tree) -> Tree:
    leaves = tree.leaves
    if isinstance(leaves, NormalLeaves):
        leaves = replace(
            leaves,
            centres=np.round(leaves.centres, 3).astype(np.float16),
            spread=np.round(leaves.spread, 3).astype(np.float16),
            fall_back=np.round(leaves.fall_back, 3),
        )
    else:
        leaves = replace(leaves, count=_rounded(leaves), fall_back=np.round(leaves.fall_back, 3))
    return replace(tree, leaves=leaves, threshold=np.round(tree.threshold, 4))


def _rounded(leaves: LevelLeaves) -> np.ndarray:
    """Return shares of each node in thousandths instead of the people that were counted."""
    node = leaves.key // leaves.size
    total = np.bincount(node, leaves.count, minlength=len(leaves.parent))
    return np.asarray(np.maximum(np.round(1_000 * leaves.count / total[node]), 1).astype(np.int64))
