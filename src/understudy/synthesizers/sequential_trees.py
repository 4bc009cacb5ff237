"""Sequential trees: column after column, each drawn from smoothed leaves given the columns before it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import Field
from scipy.stats import rankdata

from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.events import Progressed
from understudy.core.schema import Column, Kind, Role
from understudy.sampling.chain import Chain
from understudy.sampling.drawing import Restriction
from understudy.sampling.rules import RowRules
from understudy.sampling.trees import TreeSettings
from understudy.sampling.variables import Variables
from understudy.synthesizers.generator import learned_generator
from understudy.synthesizers.saved import load_row_model

CANDIDATES = (16.0, 10.0, 6.0)
LEAF_OF_MANY_ROWS = 7.0
MANY_ROWS = 20_000
_MOST_TUNING_ROWS = 3_000
_FEWEST_TUNING_ROWS = 40
_MOST_TUNED_COLUMNS = 120
_TUNING_SHARE = 0.3
_TUNING_FRACTION = 0.3
_FEWEST_ORDERED = 1_000
_LARGEST_KEY = 2.0**53


class SequentialTrees(TreeSettings, Synthesizer):
    """Each column is drawn from a tree over the columns before it; the default for tables.

    The size of the leaves is chosen on rows set aside: the likelihood that they get, against how much better
    the model knows the rows that it was grown on.

    Reference:
        Reiter (2005), see `sampling.chain.Chain`; Nowok, Raab and Dibben, synthpop, J. Stat. Softw. 74 (2016).
    """

    tune: bool = Field(default=True, description="Choose `leaf` on rows set aside, unless it is set.")
    privacy: float = Field(
        default=0.25, ge=0, le=10, description="Weight of what membership guessing gains against likelihood."
    )

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Learn the chain of trees; see `Synthesizer.fit`."""
        columns, readable = _columns(train)
        settings = TreeSettings.model_validate(
            {name: getattr(self, name) for name in TreeSettings.model_fields}
        )
        done = 0.0
        is_open = self.tune and "leaf" not in self.model_fields_set
        if is_open and train.rows > MANY_ROWS:
            settings = settings.model_copy(update={"leaf": LEAF_OF_MANY_ROWS})
        elif is_open and train.rows >= _FEWEST_TUNING_ROWS and 0 < len(columns) <= _MOST_TUNED_COLUMNS:
            settings = self._tuned(settings, train, fitting)
            done = _TUNING_FRACTION

        def tell(fraction: float) -> None:
            fitting.notify(Progressed(step="fit", fraction=done + (1 - done) * fraction))

        rng = fitting.seed.child("chain").rng()
        rules = RowRules.of(train.schema, train.frame)
        variables, values = Variables.fit(readable, rules.learned(columns), rng)
        chain = Chain.of(train.schema, variables, values, rules, settings, rng, tell)
        tell(1.0)
        seed = fitting.seed.child("identifiers")
        return learned_generator("sequential_trees", train, chain, seed, settings=settings.model_dump())

    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the expected seconds of a fit on one core."""
        tuning = 4e-6 * min(rows, _MOST_TUNING_ROWS) * columns**1.5 if self.tune else 0.0
        return 0.2 + tuning + 1.2e-7 * rows * columns**2

    def _tuned(self, settings: TreeSettings, train: Dataset, fitting: Fitting) -> TreeSettings:
        """Return the settings with the most private leaf size that is not clearly worse than the best."""
        seed = fitting.seed.child("tune")
        known, aside = _set_aside(train, fitting)
        columns = [c for c in train.columns if c.is_learned]
        names = [c.name for c in columns]
        costs = []
        rng = seed.child("candidate").rng()
        rules = RowRules.of(known.schema, known.frame)
        variables, values = Variables.fit(known, rules.learned(columns), rng)
        for number, leaf in enumerate(CANDIDATES):
            candidate = settings.model_copy(update={"leaf": leaf, "trees": 1})
            # All candidates meet the same chance, so that leaves alone make the difference.
            chain = Chain.of(known.schema, variables, values, rules, candidate, deepcopy(rng))
            on_known, on_aside = (_log_likelihood(chain, part, names, seed.rng()) for part in (known, aside))
            gain = max(0.0, _auc(on_known, on_aside) - 0.5)
            costs.append((-on_aside / len(names), self.privacy * gain))
            fitting.notify(Progressed(step="fit", fraction=_TUNING_FRACTION * (number + 1) / len(CANDIDATES)))
        total = [loss.mean() + price for loss, price in costs]
        best = int(np.argmin(total))
        for number in range(best):
            difference = costs[number][0] - costs[best][0]
            if total[number] - total[best] <= difference.std() / np.sqrt(len(difference)):
                return settings.model_copy(update={"leaf": CANDIDATES[number]})
        return settings.model_copy(update={"leaf": CANDIDATES[best]})


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return load_row_model(folder)


def _columns(train: Dataset) -> tuple[list[Column], Dataset]:
    """Return the columns to learn, and the rows with keys that tell an order as numbers.

    Integer keys often grow with time, and practice changes with time: of such keys in a large table the order
    is learned, coarsely (see `sampling.variables`), and the keys themselves are made anew near it.
    """
    columns, cells = [], []
    for column in train.columns:
        if column.is_learned:
            columns.append(column)
            cells.append(train.frame[column.name])
        elif _tells_order(train, column):
            number = train.frame[column.name].cast(pl.Float64)
            columns.append(Column(name=column.name, kind=Kind.NUMBER, roles=(Role.KEY,), decimals=0))
            cells.append(number)
    table = train.table.model_copy(update={"columns": tuple(columns)})
    schema = train.schema.model_copy(update={"tables": (table,), "links": (), "rules": ()})
    return columns, Dataset.of(schema, pl.DataFrame(cells))


def _tells_order(train: Dataset, column: Column) -> bool:
    if column.kind is not Kind.KEY or column.has(Role.IDENTIFIER) or train.rows < _FEWEST_ORDERED:
        return False
    numbers = train.frame[column.name].cast(pl.Float64, strict=False)
    return numbers.null_count() == 0 and bool(
        (numbers.abs() < _LARGEST_KEY).all() and (numbers == numbers.round()).all()
    )


def _set_aside(train: Dataset, fitting: Fitting) -> tuple[Dataset, Dataset]:
    seed = fitting.seed.child("tune")
    if train.rows > _MOST_TUNING_ROWS:
        train = train.take(np.sort(seed.child("rows").rng().permutation(train.rows)[:_MOST_TUNING_ROWS]))
    return train.split(_TUNING_SHARE, seed.child("split"))


def _log_likelihood(chain: Chain, rows: Dataset, names: list[str], rng: np.random.Generator) -> np.ndarray:
    """Return the log-likelihood of each row under the chain, shape (rows,), up to a constant."""
    return chain.draw(rows.rows, rng, Restriction(known=rows.frame.select(names))).log_weight


def _auc(members: np.ndarray, others: np.ndarray) -> float:
    ranks = rankdata(np.concatenate([members, others]))
    most = len(members) * (len(members) + 1) / 2
    return float((ranks[: len(members)].sum() - most) / (len(members) * len(others)))
