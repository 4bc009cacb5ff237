"""Gaussian copula: empirical margins joined by one correlation matrix of normal scores, missingness included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field
from scipy.special import ndtri

from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.events import Progressed
from understudy.core.schema import Schema
from understudy.sampling.chain import Chain
from understudy.sampling.drawing import Candidates, Restriction
from understudy.sampling.leaves import NormalLeaves
from understudy.sampling.numbered import draw_numbered, row_numbers
from understudy.sampling.order import drawing_order
from understudy.sampling.rules import RowRules
from understudy.sampling.trees import VariableModel
from understudy.sampling.variables import Values, Variable, Variables
from understudy.synthesizers.generator import learned_generator
from understudy.synthesizers.saved import load_row_model

_CHUNK = 20_000
_STRONGEST = 0.995
_LEAST_EIGENVALUE = 1e-3
_LEAST_SPREAD = 1e-6


class GaussianCopula(Synthesizer):
    """Every column becomes a normal score; pairs of scores are correlated, nothing beyond pairs is learned.

    Reference:
        Nelsen, An Introduction to Copulas, 2006; Olsson, Drasgow and Dorans, The polyserial correlation
        coefficient, Psychometrika 47 (1982).
    """

    shrinkage: float = Field(
        default=5.0, ge=0, description="Weight, in people, of no correlation against the observed ones."
    )

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Learn margins and correlations; see `Synthesizer.fit`."""
        rules = RowRules.of(train.schema, train.frame)
        rng = fitting.seed.child("scores").rng()
        variables, values = Variables.fit(train, rules.learned(train.columns), rng)
        fitting.notify(Progressed(step="fit", fraction=0.5))
        order = tuple(drawing_order(variables.variables, values))
        latent = [_Latent.of(variables.variables, index, values) for index in order]
        factor = _factor(latent, values.rows, self.shrinkage)
        cuts = {index: part.cuts for index, part in zip(order, latent, strict=True)}
        places = {index: part.place for index, part in zip(order, latent, strict=True)}
        model = LatentNormal(train.schema, variables, order, rules, factor, cuts, places)
        fitting.notify(Progressed(step="fit", fraction=1.0))
        seed = fitting.seed.child("identifiers")
        return learned_generator("gaussian_copula", train, model, seed, settings=self.model_dump())

    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the expected seconds of a fit on one core."""
        return 0.05 + 6e-7 * rows * columns + 1e-9 * rows * columns**2


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return load_row_model(folder, LatentNormal)


@dataclass(frozen=True)
class LatentNormal:
    """Variables as stretches of correlated normal scores. Implements `sampling.drawing.RowModel`.

    Scores are drawn one after the other given those before, truncated where a condition or a given cell says
    so and weighted by the probability of what is left.

    Attributes:
        schema, variables, rules: as in `sampling.chain.Chain`.
        order: indices of the variables in drawing order.
        factor: lower Cholesky factor of the correlation matrix, in drawing order, shape (k, k).
        cuts: by discrete variable, the ends of its codes' stretches from -inf to inf, shape (size + 1,).
        places: by discrete variable, the place of each code on the scale, shape (size,).

    Reference:
        Geweke (1991), Hajivassiliou and McFadden (1998), Keane (1994): the GHK simulator.
    """

    schema: Schema
    variables: Variables
    order: tuple[int, ...]
    rules: RowRules
    factor: np.ndarray
    cuts: dict[int, np.ndarray]
    places: dict[int, np.ndarray]

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        """Draw `n` candidate rows; see `RowModel.draw`."""
        count = len(self.variables.variables)
        noise = rng.standard_normal((n, count))
        models: dict[int, VariableModel] = {
            index: _Score(None, None, None, (), self, place, noise) for place, index in enumerate(self.order)
        }
        chain = Chain(self.schema, self.variables, self.order, models, self.rules)
        return draw_numbered(chain, n, rng, restriction)


@dataclass(frozen=True)
class _Score(VariableModel):
    """One normal score given those before it; notes in `noise` what it drew, shape (rows, variables)."""

    model: LatentNormal
    place: int
    noise: np.ndarray

    def draw(
        self,
        variables: tuple[Variable, ...],
        variable: Variable,
        values: Values,
        rng: np.random.Generator,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw the score inside `within` and return it, or the code that it stands for."""
        rows = row_numbers(variables, values)
        loading = self.model.factor[self.place]
        mean, spread = self.noise[rows, : self.place] @ loading[: self.place], loading[self.place]
        index = self.model.order[self.place]
        stretches = self._stretches(index, within, len(rows))
        if stretches is None:
            own, mass = rng.standard_normal(len(rows)), None
        else:
            low, high = ((end - mean[:, None]) / spread for end in stretches)
            own, mass = NormalLeaves.standard().draw_within(
                np.zeros(len(rows), dtype=np.int64), low, high, rng
            )
        self.noise[rows, self.place] = own
        score = mean + spread * own
        if variable.is_continuous:
            return score, mass
        if within is not None and isinstance(within, np.ndarray) and within.dtype != bool:
            return within, mass
        cuts, places = self.model.cuts[index], self.model.places[index]
        at = np.clip(np.searchsorted(cuts, score, side="right") - 1, 0, variable.size - 1)
        codes = np.argsort(places)[at]
        if within is not None and isinstance(within, np.ndarray):
            codes = np.where(within[codes], codes, int(np.argmax(within)))  # at the very end of a stretch
        return codes, mass

    def _stretches(
        self, index: int, within: tuple[np.ndarray, np.ndarray] | np.ndarray | None, rows: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the ends of the allowed stretches of the score, each of shape (rows, stretches)."""
        if within is None or isinstance(within, tuple):
            return within
        cuts, places = self.model.cuts[index], self.model.places[index]
        if within.dtype != bool:
            return cuts[places[within]][:, None], cuts[places[within] + 1][:, None]
        allowed = np.concatenate([[False], within[np.argsort(places)], [False]])
        edges = np.flatnonzero(np.diff(allowed))
        shape = (rows, len(edges) // 2)
        return np.broadcast_to(cuts[edges[::2]], shape), np.broadcast_to(cuts[edges[1::2]], shape)


@dataclass(frozen=True)
class _Latent:
    """One variable as seen by the correlations: expected scores, where it exists, and its scale."""

    score: np.ndarray
    active: np.ndarray
    cuts: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, variables: tuple[Variable, ...], index: int, values: Values) -> _Latent:
        variable, active, drawn = variables[index], values.active[index], values.drawn[index]
        if variable.is_continuous:
            return cls(np.where(active, drawn, 0.0), active, np.empty(0), np.empty(0, dtype=np.int64))
        codes = drawn[active]
        place = np.arange(variable.size)
        if variable.score is None and variable.size > 2:
            place = _placed(variables, index, values)
        share = np.bincount(place[codes], minlength=variable.size) / max(len(codes), 1)
        ends = np.clip(np.concatenate([[0.0], np.cumsum(share)]), 0, 1)
        cuts = ndtri(ends)
        cuts[0], cuts[-1] = -np.inf, np.inf
        # Mean of a normal score inside each stretch: (phi(low) - phi(high)) / share.
        density = np.exp(-(np.clip(cuts, -40, 40) ** 2) / 2) / np.sqrt(2 * np.pi)
        middle = (density[:-1] - density[1:]) / np.maximum(share, 1e-12)
        score = np.zeros(values.rows)
        score[active] = middle[place[codes]]
        return cls(score, active, cuts, place)


def _placed(variables: tuple[Variable, ...], index: int, values: Values) -> np.ndarray:
    """Return places of codes without an order: by where their people lie along what the others share most."""
    views = []
    for other, variable in enumerate(variables):
        if other == index:
            continue
        if variable.is_continuous:
            views.append(np.where(values.active[other], values.drawn[other], 0.0))
        elif variable.score is not None:
            views.append(np.append(variable.score, 0.0)[values.drawn[other]])
    codes, active = values.drawn[index], values.active[index]
    size = variables[index].size
    count = np.bincount(codes[active], minlength=size)
    if not views:
        return np.asarray(np.argsort(np.argsort(-count, kind="stable")))
    sums = np.column_stack([np.bincount(codes[active], view[active], size) for view in views])
    means = sums / (count + 5.0)[:, None]
    left, strength, _ = np.linalg.svd(means * np.sqrt(count)[:, None], full_matrices=False)
    along = left[:, 0] * strength[0] / np.sqrt(np.maximum(count, 1))
    return np.asarray(np.argsort(np.argsort(along, kind="stable")))


def _factor(latent: list[_Latent], rows: int, shrinkage: float) -> np.ndarray:
    """Return the Cholesky factor of the shrunken, positive definite correlation matrix of the scores."""
    count = len(latent)
    if not count:
        return np.zeros((0, 0))
    products, squares, people = np.zeros((count, count)), np.zeros((count, count)), np.zeros((count, count))
    for start in range(0, rows, _CHUNK):
        part = slice(start, start + _CHUNK)
        active = np.array([v.active[part] for v in latent], dtype=np.float64)
        score = np.array([v.score[part] for v in latent]) * active
        products += score @ score.T
        squares += score**2 @ active.T
        people += active @ active.T
    # Expected scores of codes vary less than the scores: dividing by their own spread undoes it to first order.
    scale = np.sqrt(np.maximum(squares * squares.T, _LEAST_SPREAD))
    correlation = (
        np.clip(products / scale, -_STRONGEST, _STRONGEST) * people / (people + max(shrinkage, 1e-9))
    )
    np.fill_diagonal(correlation, 1.0)
    eigenvalues, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    mended = (vectors * np.maximum(eigenvalues, _LEAST_EIGENVALUE)) @ vectors.T
    spread = np.sqrt(np.diag(mended))
    return np.linalg.cholesky(mended / np.outer(spread, spread))
