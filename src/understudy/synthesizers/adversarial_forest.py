"""Adversarial random forest: trees that tell real rows from shuffled ones, until nothing is left to tell."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import logsumexp
from sklearn.ensemble import RandomForestClassifier

from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.events import Progressed
from understudy.core.schema import Schema
from understudy.sampling.chain import Chain
from understudy.sampling.dependence import VariableModel
from understudy.sampling.drawing import Candidates, Restriction
from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.limits import Limit, limits_of
from understudy.sampling.order import drawing_order
from understudy.sampling.rules import RowRules
from understudy.sampling.variables import PRESENT, Values, Variable, Variables
from understudy.synthesizers.generator import learned_generator
from understudy.synthesizers.saved import load_row_model

_ABSENT = -6.0
_FEWEST_ROWS = 20
_TOLD = 0.5
_LOOKED_AT, _MOST_LOOKED_AT = 256, 4_096
_PAIRS = 400_000
_KNOWN_WIDTH = 0.02
_LEAST_MASS = 1e-12

Leaves = NormalLeaves | LevelLeaves


class AdversarialForest(Synthesizer):
    """A forest cuts the table into leaves in which columns are independent; rows are drawn leaf by leaf.

    A forest learns to tell real rows from rows whose columns were shuffled, then from rows drawn of its own
    leaves, and so on until it can no longer. Conditions choose among leaves by Bayes' rule.

    Reference:
        Watson, Blesch, Kapar and Wright, Adversarial random forests for density estimation and generative
        modeling, AISTATS 2023, algorithms 1 to 3.
    """

    trees: int = Field(default=30, ge=5, le=1_000, description="Trees of the forest.")
    leaf: int = Field(default=5, ge=5, le=10_000, description="Fewest real people in a leaf.")
    rounds: int = Field(
        default=10, ge=1, le=100, description="Most forests, each against the last one's rows."
    )
    tolerance: float = Field(
        default=0.0, ge=0, le=0.5, description="Accuracy above one half at which rows count as alike."
    )
    kernel: float = Field(
        default=0.5, ge=0, le=2, description="Smoothing of numbers, as a share of a leaf's spread."
    )
    back: float = Field(
        default=0.1, ge=0, le=100, description="Weight, in people, of the whole table against a leaf."
    )

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Grow forests until real and drawn rows look alike, then describe the leaves; see `Synthesizer.fit`."""
        rules = RowRules.of(train.schema, train.frame)
        variables, values = Variables.fit(
            train, rules.learned(train.columns), fitting.seed.child("scores").rng()
        )
        order = tuple(drawing_order(variables.variables, values))
        nodes, parent = self._grown(variables.variables, values, fitting)
        weight, leaf, rows = _components(nodes, parent, self.leaf)
        leaves: dict[int, Leaves] = {}
        homes: dict[int, np.ndarray] = {}
        for index, variable in enumerate(variables.variables):
            leaves[index], homes[index] = self._described(variable, index, values, leaf, rows, len(weight))
        fitting.notify(Progressed(step="fit", fraction=1.0))
        model = LeafRows(train.schema, variables, order, rules, weight, leaves, homes)
        seed = fitting.seed.child("identifiers")
        return learned_generator("adversarial_forest", train, model, seed, rules, self.model_dump())

    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the expected seconds of a fit on one core."""
        return 0.5 + self.trees * rows * (9e-6 * math.sqrt(columns) + 4e-7 * columns)

    def _grown(
        self, variables: tuple[Variable, ...], values: Values, fitting: Fitting
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the leaf of each real row in each tree, shape (rows, trees), and each tree's parents of nodes."""
        real, rng = _matrix(variables, values), fitting.seed.child("rows").rng()
        if len(real) < max(_FEWEST_ROWS, 4 * self.leaf) or not real.shape[1]:
            return np.zeros((len(real), 1), dtype=np.int64), [np.zeros(1, dtype=np.int64)]
        together = _together(variables)
        drawn = _shuffled(real, np.zeros(len(real), dtype=np.int64), together, rng)
        for number in range(self.rounds):
            forest = RandomForestClassifier(
                self.trees,
                min_samples_leaf=self.leaf,
                oob_score=True,
                random_state=fitting.seed.child(f"forest-{number}").integer(),
                n_jobs=1,
            )
            with warnings.catch_warnings():
                # The few rows that every tree saw count as mistaken for drawn ones: too few to matter.
                warnings.filterwarnings("ignore", "Some inputs do not have OOB scores")
                forest.fit(np.concatenate([real, drawn]), np.repeat([1, 0], len(real)))
            nodes = forest.apply(real)
            fitting.notify(Progressed(step="fit", fraction=0.8 * (number + 1) / self.rounds))
            if forest.oob_score_ <= _TOLD + self.tolerance:
                break
            tree = rng.integers(self.trees, size=len(real))
            leaf = nodes[np.arange(len(real)), tree] + tree * (int(nodes.max()) + 1)
            drawn = _of_leaves(real, nodes, leaf, tree, together, rng)
        return nodes, [_parents(grown.tree_) for grown in forest.estimators_]

    def _described(
        self, variable: Variable, index: int, values: Values, leaf: np.ndarray, rows: np.ndarray, count: int
    ) -> tuple[Leaves, np.ndarray]:
        """Return one variable's distribution in each component, and the component to draw of for each."""
        is_there = values.active[index][rows]
        own, drawn = leaf[is_there], values.drawn[index][rows[is_there]]
        if not len(own):
            # Nobody has it: any distribution will do, none is drawn of.
            own, drawn = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        whole = np.zeros(count, dtype=np.int64)
        home = np.where(np.bincount(own, minlength=count) > 0, np.arange(count), 0)
        if variable.is_continuous:
            return NormalLeaves.fit(own, whole, drawn, self.kernel, self.back), home
        return LevelLeaves.fit(own, whole, drawn, variable.size, self.back), home


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return load_row_model(folder, LeafRows)


@dataclass(frozen=True)
class LeafRows:
    """A mixture of leaves in which variables are independent. Implements `sampling.drawing.RowModel`.

    Attributes:
        schema, variables, rules: as in `sampling.chain.Chain`.
        order: indices of the variables in drawing order.
        weight: probability of each component, shape (components,); the first is the whole table.
        leaves: by variable, its distribution in each component.
        homes: by variable, the component that stands in for each, itself where somebody has a value.
    """

    schema: Schema
    variables: Variables
    order: tuple[int, ...]
    rules: RowRules
    weight: np.ndarray
    leaves: dict[int, Leaves]
    homes: dict[int, np.ndarray]

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        """Draw `n` candidate rows; see `RowModel.draw`.

        The component of a row is drawn first, in proportion to how well it agrees with what is demanded.
        """
        chosen, mass = self._chosen(n, rng, restriction)
        count = len(self.variables.variables)
        component = Variable("", "levels", len(self.weight))
        models: dict[int, VariableModel] = {count: _Chosen(None, None, None, (), chosen, mass)}
        models |= self._leaves
        variables = Variables((*self.variables.variables, component), self.variables.columns)
        chain = Chain(self.schema, variables, (count, *self.order), models, self.rules)
        return chain.draw(n, rng, restriction)

    @cached_property
    def _leaves(self) -> dict[int, VariableModel]:
        return {
            index: _InLeaf(None, None, None, (), self.leaves[index], self.homes[index])
            for index in self.order
        }

    def _chosen(
        self, n: int, rng: np.random.Generator, restriction: Restriction
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the component of each row, and what its weight must be multiplied with (None for 1)."""
        limits = limits_of(restriction.where, self.schema, self.variables.columns, self.variables.variables)
        with np.errstate(divide="ignore"):
            prior = np.log(self.weight)
        agreement = np.zeros(len(prior)) if not limits else self._agreement(limits)
        fits = prior + agreement
        if not np.isfinite(fits).any():
            fits, agreement = prior, np.zeros(len(prior))
        total = logsumexp(fits)
        among = rng.choice(len(fits), n, p=np.exp(fits - total))
        if restriction.known is None or not restriction.known.width:
            return among, None if not limits else np.exp(total - agreement[among])
        return self._fitting(among, rng, restriction, np.exp(total - agreement))

    def _agreement(self, limits: dict[int, Limit]) -> np.ndarray:
        """Return the log probability of the limits in each component, shape (components,)."""
        every, found = np.arange(len(self.weight)), np.zeros(len(self.weight))
        rng = np.random.default_rng(0)
        for index, limit in limits.items():
            variable = self.variables.variables[index]
            mass = self._mass(index, every, limit, rng)
            if variable.gate is not None:
                continue
            gated = [o for o in limits if self.variables.variables[o].gate == index]
            if gated and limit.codes is not None and limit.codes[PRESENT]:
                there = self._leaves[index]
                assert isinstance(there, _InLeaf)
                inside = np.prod([self._mass(o, every, limits[o], rng) for o in gated], axis=0)
                mass = mass - there.share(every, PRESENT) * (1 - inside)
            with np.errstate(divide="ignore"):
                found += np.log(np.maximum(mass, 0.0))
        return found

    def _mass(self, index: int, every: np.ndarray, limit: Limit, rng: np.random.Generator) -> np.ndarray:
        model = self._leaves[index]
        assert isinstance(model, _InLeaf)
        if limit.codes is not None:
            return model.drawn(every, limit.codes, rng)[1] if limit.codes.any() else np.zeros(len(every))
        assert limit.low is not None
        assert limit.high is not None
        shape = (len(every), len(limit.low))
        ends = np.broadcast_to(limit.low, shape), np.broadcast_to(limit.high, shape)
        return model.drawn(every, ends, rng)[1]

    def _fitting(
        self, among: np.ndarray, rng: np.random.Generator, restriction: Restriction, factor: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return for each row one of some components, in proportion to how likely each makes its known cells."""
        known = restriction.known
        assert known is not None
        _, first, row = np.unique(known.hash_rows(seed=1).to_numpy(), return_index=True, return_inverse=True)
        count = int(np.clip(_PAIRS // len(first), _LOOKED_AT, _MOST_LOOKED_AT))
        looked_at = rng.choice(among, count)
        cells = known[first]
        encoded = self.variables.encode(cells, cells.columns, rng)
        likely = np.zeros((len(first), count))
        component, place = np.tile(looked_at, len(first)), np.repeat(np.arange(len(first)), count)
        for model in self.variables.columns:
            if model.column.name not in cells.columns:
                continue
            is_given = cells[model.column.name].is_not_null().to_numpy()
            for index in (model.state, model.value):
                if index is None:
                    continue
                counted = (is_given & encoded.active[index])[place]
                mass = self._likelihood(index, component[counted], encoded.drawn[index][place[counted]], rng)
                likely.ravel()[counted] += np.log(np.maximum(mass, _LEAST_MASS))
        total = logsumexp(likely, axis=1)
        ends = np.cumsum(np.exp(likely - total[:, None]), axis=1).astype(np.float32)
        pick = np.minimum((ends[row] <= rng.random(len(row))[:, None]).sum(axis=1), count - 1)
        mean = total - np.log(count)
        chosen = looked_at[pick]
        return chosen, np.exp(mean[row] - likely[row, pick]) * factor[chosen]

    def _likelihood(
        self, index: int, component: np.ndarray, drawn: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        model = self._leaves[index]
        assert isinstance(model, _InLeaf)
        if self.variables.variables[index].is_continuous:
            return model.drawn(
                component, ((drawn - _KNOWN_WIDTH)[:, None], (drawn + _KNOWN_WIDTH)[:, None]), rng
            )[1]
        return model.drawn(component, drawn, rng)[1]


@dataclass(frozen=True)
class _Chosen(VariableModel):
    """Hands out the components that were chosen beforehand."""

    chosen: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    mass: np.ndarray | None = None

    def draw(
        self,
        variables: tuple[Variable, ...],
        variable: Variable,
        values: Values,
        rng: np.random.Generator,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the chosen components; see `VariableModel.draw`."""
        return self.chosen, self.mass


@dataclass(frozen=True)
class _InLeaf(VariableModel):
    """The distribution of one variable in each component."""

    leaves: Leaves = field(default_factory=NormalLeaves.standard)
    home: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    def draw(
        self,
        variables: tuple[Variable, ...],
        variable: Variable,
        values: Values,
        rng: np.random.Generator,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw one value for each row of its component; see `VariableModel.draw`."""
        component = values.drawn[len(variables) - 1]
        if within is None:
            return self.leaves.draw(self.home[component], rng), None
        return self.drawn(component, within, rng)

    def drawn(
        self,
        component: np.ndarray,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a value inside `within` for each component, and the probability of `within`."""
        leaf = self.home[component]
        if isinstance(self.leaves, NormalLeaves):
            assert isinstance(within, tuple)
            return self.leaves.draw_within(leaf, within[0], within[1], rng)
        assert isinstance(within, np.ndarray)
        if within.dtype == bool:
            return self.leaves.draw_among(leaf, within, rng)
        return within, self.leaves.probability(leaf, within)

    def share(self, component: np.ndarray, code: int) -> np.ndarray:
        """Return the probability of one code in each component."""
        assert isinstance(self.leaves, LevelLeaves)
        return self.leaves.probability(self.home[component], np.full(len(component), code))


def _matrix(variables: tuple[Variable, ...], values: Values) -> np.ndarray:
    """Return the variables as trees see them, shape (rows, variables); absent ones lie below all others."""
    columns = []
    for index, variable in enumerate(variables):
        drawn = values.drawn[index]
        if variable.is_continuous:
            columns.append(np.where(values.active[index], drawn, _ABSENT))
        elif variable.score is not None:
            columns.append(np.append(variable.score, _ABSENT)[drawn])
        else:
            columns.append(np.where(values.active[index], drawn, -1.0))
    return np.column_stack(columns).astype(np.float32) if columns else np.zeros((values.rows, 0), np.float32)


def _together(variables: tuple[Variable, ...]) -> list[np.ndarray]:
    """Return variables in groups that are shuffled as one: what is gated by a state stays with it."""
    groups: dict[int, list[int]] = {}
    for index, variable in enumerate(variables):
        groups.setdefault(index if variable.gate is None else variable.gate, []).append(index)
    return [np.array(group) for group in groups.values()]


def _shuffled(
    real: np.ndarray, leaf: np.ndarray, together: list[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Return the rows with each group of columns shuffled inside each leaf."""
    drawn = np.empty_like(real)
    order = np.argsort(leaf, kind="stable")
    for group in together:
        mixed = np.lexsort((rng.random(len(leaf)), leaf))
        drawn[np.ix_(order, group)] = real[np.ix_(mixed, group)]
    return drawn


def _of_leaves(
    real: np.ndarray,
    nodes: np.ndarray,
    leaf: np.ndarray,
    tree: np.ndarray,
    together: list[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return rows drawn of leaves: each column group of some real row in the leaf, independently."""
    drawn = np.empty_like(real)
    for number in np.unique(tree):
        mine = np.flatnonzero(tree == number)
        order = np.argsort(nodes[:, number], kind="stable")
        ordered = nodes[order, number]
        wanted = nodes[mine, number]
        start, stop = np.searchsorted(ordered, wanted), np.searchsorted(ordered, wanted, side="right")
        for group in together:
            donor = order[start + (rng.random(len(mine)) * (stop - start)).astype(np.int64)]
            drawn[np.ix_(mine, group)] = real[np.ix_(donor, group)]
    return drawn


def _parents(tree: Any) -> np.ndarray:
    """Return the parent of each node of a grown tree of scikit-learn, the root its own."""
    left, right = tree.children_left, tree.children_right
    parent = np.zeros(len(left), dtype=np.int64)
    for children in (left, right):
        inner = np.flatnonzero(children >= 0)
        parent[children[inner]] = inner
    return parent


def _components(
    nodes: np.ndarray, parent: list[np.ndarray], fewest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the components of the mixture: leaves, or the nodes above those that hold too few real people.

    Returns:
        The weight of each component, shape (components,), that of the first, the whole table, 0; and pairs of
        component and real row that belongs to it, each of shape (pairs,).
    """
    weights, leaves, rows, start = [np.zeros(1)], [], [], 1
    for number, above in enumerate(parent):
        node = nodes[:, number]
        under = np.zeros((len(above),), dtype=np.int64)
        at = node.copy()
        chains = [at]
        while (at != 0).any():
            at = above[at]
            chains.append(at)
        for step, chain in enumerate(chains):
            is_new = np.ones(len(chain), dtype=bool) if step == 0 else chain != chains[step - 1]
            under += np.bincount(chain[is_new], minlength=len(above))
        goal = node.copy()
        while (is_small := (under[goal] < fewest) & (goal != 0)).any():
            goal = np.where(is_small, above[goal], goal)
        used, own = np.unique(goal, return_inverse=True)
        weights.append(np.bincount(own) / (len(node) * len(parent)))
        place = np.full(len(above), -1)
        place[used] = np.arange(len(used))
        for step, chain in enumerate(chains):
            is_new = np.ones(len(chain), dtype=bool) if step == 0 else chain != chains[step - 1]
            belongs = np.flatnonzero(is_new & (place[chain] >= 0))
            leaves.append(start + place[chain[belongs]])
            rows.append(belongs)
        start += len(used)
    return np.concatenate(weights), np.concatenate(leaves), np.concatenate(rows)
