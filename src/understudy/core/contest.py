"""Synthesizers side by side: what each reached with every seed, what differs beyond chance, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from understudy.core.catalog import Choice
from understudy.core.results import Estimate, Evaluation, MetricResult, Verdict
from understudy.core.values import Value

Standing = Literal["better", "worse", "level", "unknown"]
Change = Literal["keeps", "shrinks", "grows", "turns", "unknown"]


class Trial(Value):
    """One synthesizer on one train/holdout split, fitted and judged.

    Attributes:
        seed: decides split, fit and rows.
        evaluation: the results, without figures.
        verdict: what the release policy would decide.
        fit_seconds: wall-clock time of learning.
        fit_cpu_seconds: processor time of learning, which other work on the machine disturbs less.
        sample_seconds: wall-clock time of drawing.
        generator_bytes: size of the generator on disk.
    """

    seed: int
    evaluation: Evaluation
    verdict: Verdict
    fit_seconds: float
    fit_cpu_seconds: float
    sample_seconds: float
    generator_bytes: int


class Entrant(Value):
    """A synthesizer that takes part.

    Attributes:
        choice: name and settings.
        trials: one per seed; empty where it failed.
        pooled: the results over all seeds, None where it failed.
        failure: why it has none.
    """

    choice: Choice
    trials: tuple[Trial, ...] = ()
    pooled: Evaluation | None = None
    failure: str = ""

    @property
    def name(self) -> str:
        """The name in the catalog."""
        return self.choice.name

    def result(self, metric: str) -> MetricResult | None:
        """Return the pooled result of a metric, or None."""
        return None if self.pooled is None else self.pooled.result(metric)

    @property
    def refusals(self) -> int:
        """How many of its releases the policy would refuse because something speaks against them."""
        return sum(any(f.status == "not_met" for f in t.verdict.findings) for t in self.trials)


class Difference(Value):
    """How far an entrant is from the leader on one metric.

    Attributes:
        entrant: who is compared.
        leader: with whom.
        metric: catalog name.
        estimate: entrant less leader, with the 95 % interval over seeds.
        chance: how often chance alone gives such a difference, adjusted for the number of entrants; None
            where seeds are too few to say.
        standing: better or worse than the leader beyond chance; level within the noise; unknown.
    """

    entrant: str
    leader: str
    metric: str
    estimate: Estimate
    chance: float | None
    standing: Standing


class GapChange(Value):
    """What becomes of a gap between groups when a model learns from synthetic instead of real rows.

    Attributes:
        entrant: the synthesizer.
        group: the column, the crossed columns, or the two groups of a ratio.
        measure: which gap.
        real: the gap of a model learned from real rows, pooled over seeds.
        synthetic: that of a model learned from synthetic rows.
        change: keeps (within the noise of the seeds), shrinks (towards equality), grows, or turns round.
    """

    entrant: str
    group: str
    measure: str
    real: Estimate
    synthetic: Estimate
    change: Change


class Advice(Value):
    """What follows from a contest.

    Attributes:
        name: the synthesizer to use; empty where none can be recommended.
        summary: one sentence.
        reasons: why, in words whose numbers are those of the contest.
        level: who is comparable with it within noise.
    """

    name: str
    summary: str
    reasons: tuple[str, ...]
    level: tuple[str, ...] = ()


class Contest(Value):
    """A comparison of synthesizers on one table.

    Attributes:
        title: title of the report.
        table: name of the table.
        goal: what the data are for, in the requester's words.
        rows: real rows learned from and held out, at the first seed.
        is_one_holdout: whether all seeds were judged on the same holdout rows.
        entrants: the synthesizers, in the order in which they were named.
        differences: entrants against the leader, metric by metric.
        gaps: what becomes of gaps between groups.
        advice: what follows.
        provenance: versions, seeds, digests.
    """

    version: int = 1
    title: str
    table: str
    goal: str = ""
    rows: tuple[int, int]
    is_one_holdout: bool = False
    seeds: tuple[int, ...]
    policy: str
    targets: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    entrants: tuple[Entrant, ...]
    differences: tuple[Difference, ...] = ()
    gaps: tuple[GapChange, ...] = ()
    advice: Advice
    provenance: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def finished(self) -> tuple[Entrant, ...]:
        """The entrants that have results."""
        return tuple(e for e in self.entrants if e.pooled is not None)

    def difference(self, entrant: str, metric: str) -> Difference | None:
        """Return how far an entrant is from the leader on a metric, or None."""
        return next((d for d in self.differences if d.entrant == entrant and d.metric == metric), None)
