"""Every metric on every split: measured once, pooled, and a failure of one never the end of the rest."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from understudy.core.catalog import Choice
from understudy.core.contracts import Comparison, Metric
from understudy.core.events import Notify, Progressed
from understudy.core.results import Axis, Evaluation, MetricResult, Outcome, pool
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.store.artifacts import ArtifactStore

RESULT_FILE = "result.json"
# What other libraries quote in their errors may be a real cell, and a result travels with a release.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def evaluate(
    comparisons: Sequence[Callable[[], Comparison]],
    choices: Sequence[Choice],
    store: ArtifactStore,
    notify: Notify,
    everyone: Comparison | None = None,
) -> Evaluation:
    """Measure every chosen metric on every comparison and pool the answers.

    Args:
        comparisons: makers of the comparisons, the released data first, then further splits of a small
            table; each is made when its turn comes.
        choices: the metrics.
        store: keeps each answer, so that an interrupted evaluation goes on where it stopped.
        notify: told the fraction done after each answer.
        everyone: what privacy metrics, and those about all real rows, are asked of in the place of the first
            comparison, where that one holds only some of the real rows: nobody who was learned from is left out of
            a search for copies.
    """
    answers: dict[int, list[MetricResult]] = {i: [] for i in range(len(choices))}
    total, done = len(comparisons) * max(len(choices), 1), 0
    shares: list[float] = []
    first: Comparison | None = None
    for number, make in enumerate(comparisons):
        comparison = make()
        whole = everyone if everyone is not None and number == 0 else comparison
        asked = comparison, _identity(comparison)
        private = asked if whole is comparison else (whole, _identity(whole))
        first = first or whole
        if comparison.holdout is not None:
            shares.append(comparison.holdout.rows / max(comparison.real.rows, 1))
        for index, choice in enumerate(choices):
            of_everyone = METRICS.entry(choice.name).handles & {"privacy", "everyone"}
            result = _measured(*(private if of_everyone else asked), choice, store)
            answers[index].append(result)
            done += 1
            notify(Progressed(step="evaluate", fraction=done / total, detail=result.title))
    if first is None:
        raise ValueError("an evaluation needs at least one comparison")
    share = sum(shares) / len(shares) if shares else 0.25
    return Evaluation(
        results=tuple(_pooled(choice, answers[index], share) for index, choice in enumerate(choices)),
        real_rows=first.real.rows,
        synthetic_rows=first.synthetic.rows,
        holdout_rows=0 if first.holdout is None else first.holdout.rows,
        splits=len(comparisons),
    )


def _pooled(choice: Choice, answers: Sequence[MetricResult], share: float) -> MetricResult:
    if len(answers) == 1:
        return answers[0]
    metric: Metric = METRICS.create(choice)
    return answers[0] if metric.is_of_release else metric.explain(pool(answers, share))


def _identity(comparison: Comparison) -> dict[str, Any]:
    """Return what an answer depends on beside its metric, as JSON."""
    return {
        "real": comparison.real.digest(),
        "synthetic": comparison.synthetic.digest(),
        "holdout": None if comparison.holdout is None else comparison.holdout.digest(),
        "seed": [comparison.seed.value, *comparison.seed.path],
    }


def _measured(
    comparison: Comparison, identity: dict[str, Any], choice: Choice, store: ArtifactStore
) -> MetricResult:
    def make(folder: Path) -> None:
        (folder / RESULT_FILE).write_text(measure(choice, comparison).model_dump_json(), encoding="utf-8")

    key = {"metric": choice.model_dump(mode="json", exclude={"reason"}), **identity}
    artifact = store.once("measure", key, make)
    return MetricResult.model_validate_json((artifact.folder / RESULT_FILE).read_text(encoding="utf-8"))


def measure(choice: Choice, comparison: Comparison) -> MetricResult:
    """Ask one metric; a metric that breaks gives a result that says so."""
    metric: Metric = METRICS.create(choice)
    began = time.perf_counter()
    try:
        with threadpool_limits(1):  # the environment may not say so, and OpenMP on busy cores crawls
            result = metric.measure(comparison)
    except Exception as error:  # noqa: BLE001 - a metric of any maker may break; the others still count
        result = MetricResult(
            metric=choice.name,
            title=choice.name.replace("_", " ").capitalize(),
            question=METRICS.entry(choice.name).summary,
            axis=Axis.FIDELITY,
            best=0.0,
            worst=1.0,
            outcome=Outcome.FAILED,
            reason=f"{type(error).__name__}: {_QUOTED.sub('...', str(error))}"[:300],
        )
    return result.model_copy(update={"seconds": time.perf_counter() - began})
