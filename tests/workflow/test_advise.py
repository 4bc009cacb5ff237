"""A run of a network leaves the curve that advice is read from; settings without effect are said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow.simulated import patients, plan_of
from understudy.core.catalog import Choice
from understudy.workflow.inputs import read_inputs
from understudy.workflow.plan import MEMORY
from understudy.workflow.review import review
from understudy.workflow.run import run
from understudy.workflow.training_advice import training_advice


def test_a_network_that_learned_too_briefly_is_told_to_go_on(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training a network needs the extra `deep`")
    frame = patients(400)
    settings = {"updates": 40, "check_every": 2, "validation": 0.2}
    plan = plan_of(frame).model_copy(update={"synthesizer": Choice(name="autoregressive", settings=settings)})
    release = run(plan, tmp_path / "release", frames={MEMORY: frame})
    assert "under_trained" in [advice.finding for advice in training_advice(release.evidence)]
    again = run(plan, tmp_path / "again", work=tmp_path / "release.work", frames={MEMORY: frame})
    assert again.evidence.provenance["training"] == release.evidence.provenance["training"]


def test_a_device_or_a_limit_that_changes_nothing_is_said_before_the_run() -> None:
    frame = patients()
    plan = plan_of(frame, device="cuda", time_limit_s=60.0)
    train = read_inputs(plan, {MEMORY: frame}).train
    warned = {v.where: v.message for v in review(plan, train) if v.severity == "warning"}
    assert "no effect" in warned["device"]
    assert "no effect" in warned["time_limit_s"]
    network = plan.model_copy(update={"synthesizer": Choice(name="autoregressive")})
    assert not [v for v in review(network, train) if "no effect" in v.message]
