"""Are synthetic rows closer to the training rows than to people whom the generator never saw?"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.core.schema import Column
from understudy.metrics.anchors import Anchored, Question, ask
from understudy.metrics.content import is_above, tables
from understudy.metrics.measures import spoken
from understudy.metrics.neighbours import nearest
from understudy.metrics.proportions import wilson
from understudy.modalities.encoding import DistanceEncoding

SHARE = "share closer to training rows"
_TIES = 8
_SAME = 1e-6
_LEAST_ROWS = 10
QUESTION = Question(
    metric="closest_record",
    title="Distance to the closest record (copy check only)",
    text="Are synthetic rows closer to the training rows than to people whom the generator never saw?",
    axis=Axis.PRIVACY,
    best=0.5,
    worst=1.0,
    advice="Look at the membership attacks and the near copies; raise the leaf size or the smoothing.",
)


class ClosestRecord(Metric):
    """Measures the share of synthetic rows whose nearest real row is a training row; a copy check only.

    All training and holdout rows are searched together and the share is converted to tables of equal size
    (its odds times holdout rows over training rows), so 0.5 is expected of a generator that copies
    nobody, and 1 of one that copies everybody. Real rows at the same distance share the hit. It says
    nothing of membership risk: a table may pass here and still betray its people.

    Reference:
        Yao et al., The DCR delusion, ESORICS 2025, arXiv 2505.01524, for why it is no privacy verdict.
    """

    most_rows: int = Field(
        default=4000, ge=100, description="Largest number of synthetic rows whose neighbours are searched."
    )

    def measure(self, comparison: Comparison) -> MetricResult:
        """Compare the synthetic rows' distances to training and to holdout rows."""
        return ask(QUESTION, comparison, self._answer)

    def explain(self, result: MetricResult) -> MetricResult:
        """Return the result with its reading, drawn from its numbers alone (also pooled ones)."""
        if result.estimate is None:
            return result
        reading = (
            f"Copy check, says nothing of membership risk: {spoken(result.estimate, '.0%')} of the synthetic rows "
            f"lie closer to a training row than to an equally large holdout, "
            f"{'more than' if is_above(result.estimate, 0.5) else 'in line with'} the 50% of a table that "
            "copies nobody."
        )
        return result.model_copy(update={"reading": reading})

    def _answer(self, comparison: Comparison) -> MetricResult:
        holdout, columns = tables(comparison, least=2)
        if min(comparison.real.rows, holdout.rows, comparison.synthetic.rows) < _LEAST_ROWS:
            return QUESTION.inconclusive(f"fewer than {_LEAST_ROWS} rows in one of the tables")
        estimate = self._share(comparison, holdout, columns)
        rest, released = holdout.split(0.5, comparison.seed.child("ceiling"))
        found = Anchored(
            estimate,
            self._share(comparison.instead(released, "ceiling"), rest, columns),
            self._share(comparison.instead(comparison.independent, "floor"), holdout, columns),
            (
                Detail(
                    scope="table",
                    name="all rows",
                    measure=SHARE,
                    estimate=estimate,
                    rows=min(comparison.synthetic.rows, self.most_rows),
                ),
            ),
        )
        return self.explain(QUESTION.answer(found, ""))

    def _share(self, comparison: Comparison, holdout: Dataset, columns: tuple[Column, ...]) -> Estimate:
        """Return the share at equal sizes; its interval allows for which real people are on which side.

        Under the null the sides of the real rows are exchangeable. With w the part of all hits that goes to
        one patient, the share then varies like that of 1 / sum(w^2) independent rows.
        """
        real = comparison.real
        both = real.with_frame(real.frame.vstack(holdout.frame))
        encoding = DistanceEncoding.fit(both, columns)
        rows = comparison.seed.child("rows").rng().permutation(comparison.synthetic.rows)[: self.most_rows]
        queries = encoding.transform(comparison.synthetic.take(rows))
        near = nearest(queries, encoding.transform(both), _TIES)
        hit = (near.distances <= near.distances[:, :1] + _SAME).astype(np.float64)
        hit /= hit.sum(axis=1, keepdims=True)
        share = float((hit * (near.positions < real.rows)).sum() / len(hit))
        people = np.concatenate([real.patients, holdout.patients + real.patients.max() + 1])
        weights = np.bincount(people[near.positions].ravel(), hit.ravel()) / len(hit)
        found = wilson(share, 1 / float((weights**2).sum()))
        ratio = holdout.rows / real.rows
        return Estimate(
            value=_at_equal_sizes(share, ratio),
            low=_at_equal_sizes(found.low or 0.0, ratio),
            high=_at_equal_sizes(1.0 if found.high is None else found.high, ratio),
        )


def _at_equal_sizes(share: float, ratio: float) -> float:
    return share * ratio / (share * ratio + 1 - share)
