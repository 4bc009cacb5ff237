"""Bayesian network: each column hangs on the few columns that tell most of it, chosen by the evidence for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field
from scipy.special import ndtri, xlogy

from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.events import Progressed
from understudy.sampling.chain import Chain
from understudy.sampling.order import drawing_order
from understudy.sampling.rules import RowRules
from understudy.sampling.trees import TreeSettings, fit_variable
from understudy.sampling.variables import Values, Variable, Variables
from understudy.synthesizers.generator import learned_generator
from understudy.synthesizers.saved import load_row_model

_MOST_ROWS = 20_000
_CANDIDATES = 12


class BayesNet(Synthesizer):
    """Columns in an order, each drawn given at most a few earlier ones; what a column hangs on can be read off.

    Parents are added one by one while they explain more than chance would (mutual information against a
    penalty on parameters); a small tree over the parents holds the distribution of the column.

    Reference:
        Cooper and Herskovits, A Bayesian method for the induction of probabilistic networks from data, Machine
        Learning 9 (1992), algorithm K2; Friedman and Goldszmidt, Learning Bayesian networks with local
        structure, UAI 1996.
    """

    parents: int = Field(default=4, ge=0, le=20, description="Most columns that one column hangs on.")
    bins: int = Field(
        default=6, ge=2, le=20, description="Coarse levels of a column while parents are chosen, at most."
    )
    penalty: float = Field(
        default=0.5,
        ge=0,
        description="Price of a further parent, in shares of the Bayesian information criterion.",
    )
    leaf: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="Smallest leaf of a tree is leaf x rows^0.2 people, at most a fifth of the rows, at least 5.",
    )

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Learn the structure, then each column given its parents; see `Synthesizer.fit`."""
        rules = RowRules.of(train.schema, train.frame)
        rng = fitting.seed.child("chain").rng()
        variables, values = Variables.fit(train, rules.learned(train.columns), rng)
        order = drawing_order(variables.variables, values)
        codes = _coarse(variables.variables, values, self.bins)
        parents = find_parents(codes, order, self.parents, self.penalty)
        settings, models = TreeSettings(leaf=self.leaf), {}
        for number, index in enumerate(order):
            models[index] = fit_variable(index, parents[index], variables.variables, values, settings, rng)
            fitting.notify(Progressed(step="fit", fraction=(number + 1) / len(order)))
        fitting.notify(Progressed(step="fit", fraction=1.0))
        chain = Chain(train.schema, variables, tuple(order), models, rules)
        seed = fitting.seed.child("identifiers")
        return learned_generator("bayes_net", train, chain, seed, rules, self.model_dump())

    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the expected seconds of a fit on one core."""
        seen = min(rows, _MOST_ROWS)
        search = 4e-8 * seen * columns * (self.parents * _CANDIDATES + 0.02 * columns * self.bins**2)
        return 0.2 + search + 2e-6 * rows * columns * max(self.parents, 1)


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return load_row_model(folder)


def find_parents(
    codes: np.ndarray, order: Sequence[int], most: int, penalty: float
) -> dict[int, tuple[int, ...]]:
    """Return the parents of each variable among those before it.

    Args:
        codes: coarse codes of all variables, shape (rows, variables).
        order: indices of the variables, parents before children.
        most: parents of one variable at most.
        penalty: price of a parameter, in shares of log(rows) / 2.
    """
    price = penalty * np.log(max(len(codes), 2)) / 2
    shared = _mutual_information(codes)
    found: dict[int, tuple[int, ...]] = {}
    for place, index in enumerate(order):
        earlier = sorted(order[:place], key=lambda other: -shared[index, other])[:_CANDIDATES]
        chosen: list[int] = []
        known = np.zeros(len(codes), dtype=np.int64)
        while earlier and len(chosen) < most:
            gains = [_gain(codes[:, index], codes[:, other], known, price) for other in earlier]
            best = int(np.argmax(gains))
            if gains[best] <= 0:
                break
            chosen.append(earlier.pop(best))
            known = _joined(known, codes[:, chosen[-1]])
        found[index] = tuple(chosen)
    return found


def _gain(target: np.ndarray, parent: np.ndarray, known: np.ndarray, price: float) -> float:
    """Return the log-likelihood that a further parent brings, less the price of its parameters."""
    both = _joined(known, parent)
    gain = _log_likelihood(target, both) - _log_likelihood(target, known)
    parameters = (int(both.max(initial=0)) - int(known.max(initial=0))) * int(target.max(initial=0))
    return float(gain - price * parameters)


def _log_likelihood(target: np.ndarray, known: np.ndarray) -> float:
    size = int(target.max(initial=0)) + 1
    joint = np.bincount(known * size + target).astype(np.float64)
    return float(xlogy(joint, joint).sum() - _entropy_of_counts(known))


def _entropy_of_counts(known: np.ndarray) -> float:
    count = np.bincount(known).astype(np.float64)
    return float(xlogy(count, count).sum())


def _joined(known: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return one code for each combination that occurs, counted from 0."""
    _, joined = np.unique(known * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
    return np.asarray(joined)


def _mutual_information(codes: np.ndarray) -> np.ndarray:
    """Return what each pair of variables shares, in nats, shape (variables, variables)."""
    rows, count = codes.shape
    sizes = codes.max(axis=0, initial=0) + 1
    start = np.cumsum(sizes) - sizes
    seen = np.zeros((rows, int(sizes.sum())), dtype=np.float32)
    seen[np.arange(rows)[:, None], codes + start] = 1
    joint = (seen.T @ seen).astype(np.float64) / max(rows, 1)
    own = np.diag(joint)
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = xlogy(joint, joint / np.outer(own, own))
    nats = np.nan_to_num(nats)
    owner = np.repeat(np.arange(count), sizes)
    by_row = np.zeros((count, nats.shape[1]))
    np.add.at(by_row, owner, nats)
    shared = np.zeros((count, count))
    np.add.at(shared.T, owner, by_row.T)
    return shared


def _coarse(variables: tuple[Variable, ...], values: Values, bins: int) -> np.ndarray:
    """Return every variable as at most `bins` codes and one for being absent, shape (rows seen, variables).

    Scores and ordered levels are cut at even quantiles; of other levels the most frequent stay, the rest is one.
    """
    rows = np.linspace(0, values.rows - 1, min(values.rows, _MOST_ROWS)).astype(np.int64)
    codes = np.zeros((len(rows), len(variables)), dtype=np.int64)
    cuts = ndtri(np.arange(1, bins) / bins)
    for index, variable in enumerate(variables):
        drawn, active = values.drawn[index][rows], values.active[index][rows]
        if variable.is_continuous:
            found = np.searchsorted(cuts, drawn)
        elif variable.size <= bins:
            found = drawn
        elif variable.score is not None:
            found = np.searchsorted(cuts, np.append(variable.score, 0.0)[drawn])
        else:
            count = np.bincount(drawn[active], minlength=variable.size)
            place = np.full(variable.size + 1, bins - 1)
            place[np.argsort(-count, kind="stable")[: bins - 1]] = np.arange(bins - 1)
            found = place[drawn]
        _, codes[:, index] = np.unique(np.where(active, found, bins + 1), return_inverse=True)
    return codes
