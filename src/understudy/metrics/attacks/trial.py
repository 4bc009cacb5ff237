"""Puts the attacks on trial: members against people whom the generator never saw, under equal conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.schema import Column
from understudy.metrics.attacks.catalog import Attack
from understudy.metrics.attacks.scene import NEIGHBOURS, Rows, Scene, Space
from understudy.metrics.neighbours import nearest
from understudy.metrics.roc import Contest
from understudy.modalities.encoding import DistanceEncoding, OrdinalEncoding

FOLDS = 2
_ENCODE_ROWS = 20_000
_MOST_REFERENCE = 20_000
_DIMENSIONS = 8
# Two halves that serve each other as reference are not independent: neighbours in different halves share
# their chance closeness. In 800 simulated tables without leakage the non-members' part of the variance
# was 0.9 to 1.6 times DeLong's for the attacks that use a reference: the upper end is taken.
_REUSE = 1.6


@dataclass(frozen=True)
class Trial:
    """The scores that the attacks gave to members and non-members, and who these are.

    Attributes:
        contest: scores and the truth, records = members first.
        isolation: distance to the 5th nearest reference person, shape (records,).
        people: the judged rows, in the order of the records.
    """

    contest: Contest
    isolation: np.ndarray
    people: Dataset


@dataclass(frozen=True)
class _Encoder:
    distance: DistanceEncoding
    columns: OrdinalEncoding

    @classmethod
    def fit(cls, real: Dataset, columns: tuple[Column, ...]) -> _Encoder:
        return cls(DistanceEncoding.fit(real, columns), OrdinalEncoding.fit(real, columns))

    def rows(self, dataset: Dataset) -> Rows:
        cuts = range(0, max(dataset.rows, 1), _ENCODE_ROWS)
        parts = [dataset.with_frame(dataset.frame.slice(start, _ENCODE_ROWS)) for start in cuts]
        return Rows(
            np.concatenate([self.distance.transform(part) for part in parts]),
            np.concatenate([self.columns.transform(part) for part in parts]),
        )


def hold(
    comparison: Comparison,
    holdout: Dataset,
    columns: tuple[Column, ...],
    attacks: Sequence[Attack],
    most_rows: int = 4000,
    most_synthetic: int = 100_000,
) -> Trial:
    """Let each attack score members (training rows) and non-members (holdout rows), one row per patient.

    The holdout is halved by patient: while one half is judged, the other is the attacker's reference, and
    the other way round; members are dealt out to the two rounds at random. Given the synthetic table and
    the reference, a member and a non-member differ in nothing but membership, so an attack that knows
    nothing has an expected area of exactly 0.5. Scores of the two rounds are joined by their ranks within
    the round.
    """
    rng = comparison.seed.child("trial").rng()
    real = comparison.real
    # Ranges and levels come from both sides together: from one alone, they would give its rows away.
    encoder = _Encoder.fit(real.with_frame(real.frame.vstack(holdout.frame)), columns)
    inside = _one_per_patient(real, most_rows, rng)
    outside = _one_per_patient(holdout, most_rows, rng)
    side = rng.permutation(int(holdout.patients.max()) + 1)[holdout.patients] % FOLDS
    rounds = np.concatenate([rng.permutation(len(inside)) % FOLDS, side[outside]])
    synthetic = encoder.rows(comparison.synthetic.take(_some(comparison.synthetic.rows, most_synthetic, rng)))
    known = np.sort(_some(holdout.rows, FOLDS * _MOST_REFERENCE, rng))
    reference, reference_side = encoder.rows(holdout.take(known)), side[known]
    people = real.with_frame(real.take(inside).frame.vstack(holdout.take(outside).frame))
    queries = encoder.rows(people)
    is_member = np.arange(len(rounds)) < len(inside)
    scores, isolation = np.empty((len(attacks), len(rounds))), np.empty(len(rounds))
    to_synthetic = nearest(queries.distance, synthetic.distance, NEIGHBOURS)
    for turn in range(FOLDS):
        judged = rounds == turn
        others = reference.take(rng.permutation(np.flatnonzero(reference_side != turn)))
        chosen = queries.take(judged)
        to_reference = nearest(chosen.distance, others.distance, NEIGHBOURS)
        space = Space.of(chosen, synthetic, others, _DIMENSIONS)
        seed = comparison.seed.child(f"round {turn}")
        scene = Scene(chosen, synthetic, others, space, to_synthetic.of(judged), to_reference, seed)
        scores[:, judged] = [_comparable(attack, scene) for attack in attacks]
        isolation[judged] = to_reference.distances[:, -1]
    reuse = np.array([_REUSE if attack.uses_reference else 1.0 for attack in attacks])
    return Trial(Contest(scores, is_member, reuse), isolation, people)


def _comparable(attack: Attack, scene: Scene) -> np.ndarray:
    # Rounded, so that equal rows whose distances differ in the last float32 digits count as ties.
    found = np.round(attack.score(scene), 7)
    return np.asarray(rankdata(found) / len(found)) if attack.uses_reference else found


def _some(rows: int, most: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(rows)[:most]


def _one_per_patient(dataset: Dataset, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return positions of one random row of each of at most `most` random patients."""
    order = rng.permutation(dataset.rows)
    first = np.unique(dataset.patients[order], return_index=True)[1]
    return np.sort(rng.permutation(order[first])[:most])
