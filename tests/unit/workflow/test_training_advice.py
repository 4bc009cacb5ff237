"""What to change after a run: planted curves and figures, and the advice that they ask for."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.unit.cli.calling import call
from understudy import Schema
from understudy.core.contracts import Evidence
from understudy.core.results import Axis, Estimate, Evaluation, MetricResult
from understudy.workflow.training_advice import expected_gain, training_advice

UPDATES = range(50, 2001, 50)


def evidence(
    validation: list[float] | None = None,
    *,
    rows: int = 5_000,
    most: int = 2_000,
    coverage: tuple[float, float] | None = None,
) -> Evidence:
    """Return the evidence of a run whose network validated so, and whose rows cover so much (rows, real rows)."""
    losses = validation if validation is not None else [math.nan] * len(UPDATES)
    curve = [
        {"update": float(update), "most": float(most), "loss": 1.0}
        | ({} if math.isnan(loss) else {"validation": loss})
        for update, loss in zip(UPDATES, losses, strict=False)
    ]
    results = () if coverage is None else (_coverage(*coverage),)
    return Evidence(
        title="run",
        schema=Schema(tables=()),
        plan={"synthesizer": {"name": "autoregressive"}},
        evaluation=Evaluation(results=results, real_rows=rows, synthetic_rows=rows, holdout_rows=0),
        provenance={"training": curve, "learned_rows": rows},
    )


def _coverage(made: float, real: float) -> MetricResult:
    return MetricResult(
        metric="coverage",
        title="Coverage",
        question="?",
        axis=Axis.FIDELITY,
        best=1.0,
        worst=0.0,
        estimate=Estimate(value=made),
        ceiling=Estimate(value=real),
    )


def falling(update: float) -> float:
    return 10 - math.log(update)


def findings(found: Evidence) -> list[str]:
    return [one.finding for one in training_advice(found)]


def test_a_curve_that_still_falls_asks_for_more_updates_and_says_what_they_gain() -> None:
    (found,) = training_advice(evidence([falling(u) for u in UPDATES]))
    assert found.finding == "under_trained"
    assert "updates=4000" in found.change
    assert "its updates were used up" in found.says
    assert "0.693" in found.gain  # a logarithm falls by log 2 with every doubling


def test_a_fit_that_time_ended_asks_for_more_time_too() -> None:
    (found,) = training_advice(evidence([falling(u) for u in UPDATES], most=9_000))
    assert "the time limit ended it" in found.says
    assert "--time-limit" in found.change


def test_a_curve_that_rises_again_says_that_more_updates_did_not_help() -> None:
    (found,) = training_advice(evidence([falling(min(u, 600)) + max(u - 600, 0) / 500 for u in UPDATES]))
    assert found.finding == "over_fitted"
    assert "best after 600 of 2,000" in found.says
    assert "more updates did not help" in found.says
    assert found.gain.startswith("None")


def test_a_level_curve_is_left_as_it_is() -> None:
    noise = np.random.default_rng(0).normal(0, 1e-4, len(UPDATES))
    level = [falling(min(u, 300)) + e for u, e in zip(UPDATES, noise, strict=True)]
    assert findings(evidence(level)) == ["enough"]


def test_rows_without_variety_are_a_collapse_whatever_the_curve() -> None:
    level = [falling(min(u, 300)) for u in UPDATES]
    assert findings(evidence(level, coverage=(0.4, 0.95)))[0] == "collapsed"
    assert "collapsed" not in findings(evidence(level, coverage=(0.93, 0.95)))


def test_a_small_table_is_said_to_be_too_small_for_a_network() -> None:
    rising = [falling(min(u, 200)) + max(u - 200, 0) / 500 for u in UPDATES]
    assert findings(evidence(rising, rows=300)) == ["over_fitted", "too_few_rows"]


def test_nothing_is_concluded_where_nothing_was_set_aside() -> None:
    assert findings(evidence(None)) == ["not_validated"]


def test_the_gain_of_a_doubling_goes_on_at_the_ratio_of_the_last_two() -> None:
    looks = [(float(u), 5.0 + u**-0.5) for u in UPDATES]
    half, whole = 1000**-0.5 - 2000**-0.5, 2000**-0.5 - 4000**-0.5
    assert expected_gain(looks) == pytest.approx(whole, rel=1e-6)
    assert half > whole
    assert expected_gain(looks[:3]) is None


def test_the_command_says_finding_change_and_gain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "evaluation.json"
    file.write_text(evidence([falling(u) for u in UPDATES]).model_dump_json(by_alias=True))
    said = call(monkeypatch, "advise", str(file))
    assert said.code == 0, said.err
    for words in ("Under trained", "Change.", "Gain."):
        assert words in said.out
    (found,) = json.loads(call(monkeypatch, "advise", str(file), "--json").out)
    assert found["finding"] == "under_trained"


def test_what_is_not_trained_step_by_step_says_so() -> None:
    bare = evidence().model_copy(update={"provenance": {"learned_rows": 100}})
    assert findings(bare) == ["no_training"]
