"""Calibration of a cohort to aggregates: weights that meet the targets, then rows chosen without repetition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError
from understudy.core.schema import Kind
from understudy.core.seeds import Seed
from understudy.populations.targets import Target, column_of, current, says

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_STEPS = 200
_CLOSE = 1e-3
_BISECTIONS = 12
_SWAPS = 600
_CANDIDATES = 512
_MOST_SHOWN = 10
_SHIFT = 0.1


@dataclass(frozen=True)
class Reached:
    """One target, and what the cohort has.

    Attributes:
        target: what was asked.
        before: the value among those drawn without the target.
        reached: the value in the cohort.
        unit: unit of the values, empty for shares and correlations.
    """

    target: Target
    before: float
    reached: float
    unit: str


@dataclass(frozen=True)
class Shift:
    """How far calibration moved the mean of a column that no target speaks of, in standard deviations."""

    column: str
    before: float
    after: float
    shift_sd: float


@dataclass(frozen=True)
class Calibrated:
    """A calibrated cohort.

    Attributes:
        dataset: the chosen rows.
        reached: each target beside what was reached.
        pool_rows: rows drawn to choose from.
        effective_rows: effective sample size of the weights over the pool (Kish).
        shifts: the largest shifts of other columns, the largest first.
        notes: what a person should know.
    """

    dataset: Dataset
    reached: tuple[Reached, ...]
    pool_rows: int
    effective_rows: float
    shifts: tuple[Shift, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Strata:
    """Parts of a pool of which a given number of rows is to be chosen.

    Attributes:
        of: the part of each row of the pool, shape (rows,).
        wanted: rows to choose of each part, shape (parts,).
    """

    of: Ints
    wanted: Ints


def calibrate(
    pool: Dataset, targets: Sequence[Target], n: int, seed: Seed, strata: Strata | None = None
) -> Calibrated:
    """Choose `n` rows of a pool, none twice, whose aggregates meet the targets.

    Each row is chosen with probability 1 / (1 + exp(-a - b h)), where h are the deviations that the targets
    constrain to zero: exponential tilting of the odds, which is the choice of largest entropy under the
    targets and never wants a row more than once. Rows are then drawn by systematic sampling, and a few are
    exchanged until the deviations of the chosen rows vanish.

    Args:
        pool: rows drawn without the targets, more than `n`.
        targets: what the chosen rows shall have; values in the columns' own units.
        n: rows to choose.
        seed: source of randomness of the choice.
        strata: how many of them to choose of which part of the pool; exact to one row.

    Raises:
        ConditionError: if no choice of rows meets a target; says what can be reached.

    Reference:
        Deville and Sarndal, Calibration estimators in survey sampling, JASA 87 (1992), case of bounded
        weights; Kish, Survey Sampling (1965), for the effective sample size.
    """
    strata = strata or Strata(np.zeros(pool.rows, dtype=np.int64), np.array([n]))
    deviations = _deviations(pool, targets)
    chance = _solve(deviations, strata)
    if chance is None:
        raise _refusal(pool, targets, strata)
    chosen = _chosen(chance, deviations, strata, seed)
    rows = pool.take(np.sort(chosen))
    reached = tuple(Reached(t, current(pool, t), current(rows, t), _unit(pool, t)) for t in targets)
    effective = float(chance.sum() ** 2 / (chance**2).sum())
    shifts = _shifts(pool, chance, {t.column for t in targets} | {t.other for t in targets if t.other})
    return Calibrated(rows, reached, pool.rows, effective, shifts, _notes(effective, pool.rows, shifts))


def _notes(effective: float, pool_rows: int, shifts: Sequence[Shift]) -> tuple[str, ...]:
    notes = []
    if effective < pool_rows / 3:
        notes.append(
            f"the targets are far from the population: the weights use {pool_rows} drawn patients like "
            f"{effective:.0f} unweighted ones"
        )
    moved = [s for s in shifts if abs(s.shift_sd) >= _SHIFT]
    if moved:
        said = ", ".join(f"{s.column} {s.shift_sd:+.2f} SD" for s in moved[:5])
        notes.append(f"with the targets other columns moved too: {said}")
    return tuple(notes)


def _deviations(pool: Dataset, targets: Sequence[Target]) -> Floats:
    """Return what each row adds to each constraint, in standard deviations, shape (rows, constraints)."""
    columns: list[Floats] = []
    held: set[tuple[str, str]] = {(t.statistic, t.column) for t in targets}
    for target in targets:
        columns += _constraints(pool, target, targets, held)
    matrix = np.column_stack(columns)
    scales = np.maximum(matrix.std(axis=0), 1e-12)
    return np.asarray(matrix / scales)


def _constraints(
    pool: Dataset, target: Target, targets: Sequence[Target], held: set[tuple[str, str]]
) -> list[Floats]:
    """Return the functions whose sum over the chosen rows is zero where the target is met.

    A standard deviation is about a mean and a correlation about two means and deviations: those that no
    target states are held at what the pool has.
    """
    values = _values(pool, target.column, target.level)
    if target.statistic == "mean":
        return [_known(values - target.value)]
    if target.statistic == "proportion":
        return [_known(values - target.value)]
    if target.statistic == "quantile":
        below = (values < target.value) + 0.5 * (values == target.value)
        return [np.where(np.isnan(values), 0.0, below - target.quantile)]
    if target.statistic == "sd":
        centre = _asked(targets, "mean", target.column)
        found = (
            []
            if centre is not None or not _first(held, "mean", target.column)
            else [_known(values - np.nanmean(values))]
        )
        middle = float(np.nanmean(values)) if centre is None else centre
        return [*found, _known((values - middle) ** 2 - target.value**2)]
    return _correlated(pool, target, targets, held)


def _correlated(
    pool: Dataset, target: Target, targets: Sequence[Target], held: set[tuple[str, str]]
) -> list[Floats]:
    assert target.other is not None
    found: list[Floats] = []
    centred = []
    names = (target.column, target.other)
    known = np.all([np.isfinite(_values(pool, name, None)) for name in names], axis=0)
    for name in names:
        values = np.where(known, _values(pool, name, None), np.nan)
        asked_mean, asked_sd = _asked(targets, "mean", name), _asked(targets, "sd", name)
        middle = float(np.nanmean(values)) if asked_mean is None else asked_mean
        spread = float(np.nanstd(values)) if asked_sd is None else asked_sd
        if asked_mean is None and _first(held, "mean", name):
            found.append(_known(values - middle))
        if asked_sd is None and _first(held, "sd", name):
            found.append(_known((values - middle) ** 2 - spread**2))
        centred.append((values - middle) / spread)
    return [*found, _known(centred[0] * centred[1] - target.value)]


def _first(held: set[tuple[str, str]], statistic: str, column: str) -> bool:
    """Say whether a moment is to be held for the first time, and remember it."""
    if (statistic, column) in held:
        return False
    held.add((statistic, column))
    return True


def _asked(targets: Sequence[Target], statistic: str, column: str) -> float | None:
    return next((t.value for t in targets if (t.statistic, t.column) == (statistic, column)), None)


def _known(values: Floats) -> Floats:
    """Return the values with those of rows where nothing is known at zero, so that they do not count."""
    return np.where(np.isfinite(values), values, 0.0)


def _values(pool: Dataset, column: str, level: str | None) -> Floats:
    series = pool.frame[column]
    if pool.table.column(column).kind is Kind.NUMBER:
        return series.to_numpy().astype(np.float64)
    told = series if series.dtype == pl.Boolean else series == level
    if series.dtype == pl.Boolean and level == "false":
        told = ~told
    return told.cast(pl.Float64).to_numpy().astype(np.float64)


def _solve(deviations: Floats, strata: Strata) -> Floats | None:
    """Return the probability of each row to be chosen, summing to what is wanted; None if no choice meets the targets.

    Newton's method on the dual of entropy maximisation, which is convex: sum of log(1 + exp(a + b h)) - n a.
    """
    n = int(strata.wanted.sum())
    if (strata.wanted >= np.bincount(strata.of, minlength=len(strata.wanted))).any():
        return None
    parts = [(strata.of == part) - rows / n for part, rows in enumerate(strata.wanted)]
    deviations = np.column_stack([deviations, *parts[1:]])
    rows, width = deviations.shape
    design = np.column_stack([np.ones(rows), deviations])
    wanted = np.concatenate([[float(n)], np.zeros(width)])
    beta = np.zeros(width + 1)
    beta[0] = np.log(n / (rows - n))
    for _ in range(_STEPS):
        chance = _logistic(design @ beta)
        gradient = design.T @ chance - wanted
        if np.abs(gradient).max() <= _CLOSE * n * 0.1:
            return chance
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.lstsq(curvature + 1e-10 * rows * np.eye(width + 1), gradient, rcond=None)[0]
        beta = _descend(design, wanted, beta, step)
        if np.abs(beta[1:]).max() > 60:
            return None
    return None


def _descend(design: Floats, wanted: Floats, beta: Floats, step: Floats) -> Floats:
    value = _dual(design, wanted, beta)
    size = min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
    for _ in range(30):
        moved = beta - size * step
        if _dual(design, wanted, moved) <= value:
            return np.asarray(moved)
        size /= 2
    return np.asarray(beta - size * step)


def _dual(design: Floats, wanted: Floats, beta: Floats) -> float:
    return float(np.logaddexp(0, design @ beta).sum() - wanted @ beta)


def _logistic(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -500, 500))))


def _chosen(chance: Floats, deviations: Floats, strata: Strata, seed: Seed) -> Ints:
    """Return row positions: systematic sampling by the probabilities, then exchanges towards the targets."""
    rng = seed.rng()
    inside = np.zeros(len(chance), dtype=bool)
    for part, n in enumerate(strata.wanted):
        order = rng.permutation(np.flatnonzero(strata.of == part))
        ends = np.cumsum(chance[order] * (n / chance[order].sum()))
        ends[-1] = n
        picks = np.searchsorted(ends, np.arange(n) + rng.random(), side="right")
        inside[order[np.minimum(picks, len(order) - 1)]] = True
        # A probability that rounds up to one may be met twice; fill up with the likeliest others.
        short = n - int(inside[order].sum())
        if short:
            inside[order[np.argsort(np.where(inside[order], -1.0, chance[order]))[::-1][:short]]] = True
    return _exchanged(inside, chance, deviations, strata, rng)


def _exchanged(
    inside: npt.NDArray[np.bool_],
    chance: Floats,
    deviations: Floats,
    strata: Strata,
    rng: np.random.Generator,
) -> Ints:
    """Exchange a few chosen rows for others of their part so that the deviations of the chosen rows vanish.

    Candidates to leave and to enter are drawn by their probabilities, so that the exchanges follow them.
    """
    residual = deviations[inside].sum(axis=0)
    turns, failed = rng.permutation(np.arange(_SWAPS) % len(strata.wanted)), 0
    parts = [(np.flatnonzero(inside & (strata.of == p)), np.flatnonzero(~inside & (strata.of == p)))
             for p in range(len(strata.wanted))]  # fmt: skip
    for part in turns:
        chosen, left = parts[part]
        outs = rng.choice(len(chosen), _CANDIDATES, p=_shares(1 - chance[chosen] + 1e-9))
        ins = rng.choice(len(left), _CANDIDATES, p=_shares(chance[left] + 1e-12))
        after = residual - deviations[chosen[outs]] + deviations[left[ins]]
        size = (after**2).sum(axis=1)
        best = int(size.argmin())
        failed += 1
        if size[best] < (residual**2).sum() - 1e-9:
            residual, failed = after[best], 0
            out, new = outs[best], ins[best]
            chosen[out], left[new] = left[new], chosen[out]
        if failed > len(parts):
            break
    return np.concatenate([chosen for chosen, _ in parts])


def _shares(chance: Floats) -> Floats:
    return np.asarray(chance / chance.sum())


def pooled(parts: Sequence[Calibrated], rows: Sequence[int]) -> Calibrated:
    """Return the calibration of several blocks of so many rows, each of which met the targets, as one."""
    reached = tuple(
        replace(
            each[0],
            before=float(np.average([r.before for r in each], weights=rows)),
            reached=float(np.average([r.reached for r in each], weights=rows)),
        )
        for each in zip(*(part.reached for part in parts), strict=True)
    )
    pool, effective = sum(p.pool_rows for p in parts), sum(p.effective_rows for p in parts)
    return replace(parts[0], reached=reached, pool_rows=pool, effective_rows=effective)


def _shifts(pool: Dataset, chance: Floats, targeted: set[str]) -> tuple[Shift, ...]:
    """Return the largest shifts of means under the weights, free of the noise of the choice."""
    found = []
    for column in pool.columns:
        if column.name in targeted or column.kind not in (Kind.NUMBER, Kind.BOOLEAN):
            continue
        values = _values(pool, column.name, None)
        known = np.isfinite(values)
        spread = float(values[known].std()) if known.any() else 0.0
        if spread > 0:
            before = float(values[known].mean())
            after = float(np.average(values[known], weights=chance[known]))
            found.append(Shift(column.name, before, after, (after - before) / spread))
    return tuple(sorted(found, key=lambda s: -abs(s.shift_sd))[:_MOST_SHOWN])


def _unit(pool: Dataset, target: Target) -> str:
    if target.statistic in ("proportion", "correlation"):
        return ""
    return pool.table.column(target.column).unit or ""


def _refusal(pool: Dataset, targets: Sequence[Target], strata: Strata) -> ConditionError:
    """Return the error that names the first target that cannot be met beside those before it, and its range."""
    met: list[Target] = []
    for target in targets:
        if _solve(_deviations(pool, [*met, target]), strata) is not None:
            met.append(target)
            continue
        now, near = current(pool, target), _nearest(pool, met, target, strata)
        beside = f" beside {'; '.join(says(t) for t in met)}" if met else ""
        ends = sorted((now, near))
        return ConditionError(
            f"the target {says(target)!r} cannot be met{beside} by {strata.wanted.sum()} of these patients, whose "
            f"{column_of(target)} has {target.statistic} {now:.4g}: from {ends[0]:.4g} to {ends[1]:.4g} can be "
            f"reached in this direction. Nearest feasible: {says(target.at(near))}. Check the unit, or state "
            "conditions (--where) that bring such patients in."
        )
    return ConditionError("the targets cannot be met together; ask for fewer of them")


def _nearest(pool: Dataset, met: Sequence[Target], target: Target, strata: Strata) -> float:
    """Return the value nearest to the target that can be reached, by bisection from what the pool has."""
    low, high = current(pool, target), target.value
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _solve(_deviations(pool, [*met, target.at(middle)]), strata) is None:
            high = middle
        else:
            low = middle
    return low
