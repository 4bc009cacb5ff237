"""The training loop: updates, early stopping at the best weights, limits of time, and going on after a kill."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.synthesizers.clinic import clinic
from understudy.core.contracts import Fitting
from understudy.core.seeds import Seed
from understudy.synthesizers.training import TrainingSettings, circumstances, set_aside

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from understudy.synthesizers.networks import loop  # noqa: E402 - needs torch

ROWS = 64


class Line:
    """Learns the slope of a line through noise; overfits on purpose where `drift` pulls it away."""

    def __init__(self, noise: Any, *, drift: float = 0.0, has_rows_aside: bool = True) -> None:
        self.kept = torch.nn.Linear(1, 1)
        self.modules: Mapping[str, Any] = {"line": self.kept}
        self.optimizers: Mapping[str, Any] = {"line": torch.optim.Adam(self.kept.parameters(), lr=0.05)}
        self.noise, self.drift, self.has_rows_aside = noise, drift, has_rows_aside
        self.x = torch.linspace(-1, 1, ROWS)[:, None]
        self.updated = 0

    def update(self, rows: Any) -> dict[str, Any]:
        self.updated += 1
        x = self.x[rows]
        goal = (2 + self.drift * self.updated) * x + 0.1 * torch.randn(x.shape, generator=self.noise)
        loss = ((self.kept(x) - goal) ** 2).mean()
        self.optimizers["line"].zero_grad()
        loss.backward()
        self.optimizers["line"].step()
        return {"loss": loss.detach()}

    def validate(self) -> np.ndarray | None:
        if not self.has_rows_aside:
            return None
        with torch.no_grad():
            return ((self.kept(self.x) - 2 * self.x) ** 2)[:, 0].numpy()


def trained(settings: TrainingSettings, fitting: Fitting, **line: Any) -> tuple[Line, dict[str, np.ndarray]]:
    told = circumstances(fitting)
    with loop.seeded(told) as (_, noise):
        trainee = Line(noise, **line)
        return trainee, loop.train(trainee, ROWS, settings, told)


def slope(weights: dict[str, np.ndarray]) -> float:
    return float(weights["weight"][0, 0])


def test_as_many_updates_are_made_as_are_asked_for():
    settings = TrainingSettings(updates=37, batch_size=16)
    assert trained(settings, Fitting(), has_rows_aside=False)[0].updated == 37
    epochs = TrainingSettings(epochs=3, batch_size=16)
    assert trained(epochs, Fitting(), has_rows_aside=False)[0].updated == 3 * ROWS // 16
    assert TrainingSettings().most_updates(200) < TrainingSettings().most_updates(20_000)


def test_training_stops_early_and_returns_the_weights_that_were_best():
    settings = TrainingSettings(updates=5_000, check_every=20, slack=0, averaging=0)
    trainee, weights = trained(settings, Fitting(), drift=0.01)
    assert trainee.updated < 2_000
    assert abs(slope(weights) - 2) < 0.3
    assert slope({"weight": trainee.kept.weight.detach().numpy()}) > slope(weights)


def test_slack_trains_on_until_harm_is_beyond_chance():
    strict = TrainingSettings(updates=5_000, check_every=20, slack=0, averaging=0)
    loose = strict.model_copy(update={"slack": 50.0})
    assert (
        trained(loose, Fitting(), drift=0.01)[0].updated > trained(strict, Fitting(), drift=0.01)[0].updated
    )


def test_each_epoch_sees_every_row_once():
    seen: list[int] = []

    class Watching(Line):
        def update(self, rows: Any) -> dict[str, Any]:
            seen.extend(rows.tolist())
            return super().update(rows)

    told = circumstances(Fitting(seed=Seed(4)))
    with loop.seeded(told) as (_, noise):
        loop.train(Watching(noise), ROWS, TrainingSettings(updates=8, batch_size=24), told)
    assert sorted(seen[:ROWS]) == sorted(seen[ROWS : 2 * ROWS]) == list(range(ROWS))
    assert seen[:ROWS] != seen[ROWS : 2 * ROWS]


def test_a_limit_of_time_ends_training_with_what_was_learned():
    began = time.monotonic()
    settings = TrainingSettings(updates=10_000_000)
    trainee, weights = trained(settings, Fitting(time_budget_s=0.5), has_rows_aside=False)
    assert time.monotonic() - began < 5
    assert 0 < trainee.updated < 10_000_000
    assert np.isfinite(slope(weights))


def test_losses_and_progress_are_told():
    told: list[Any] = []
    trained(TrainingSettings(updates=100, check_every=25), Fitting(notify=told.append))
    assert [event.fraction for event in told] == [0.25, 0.5, 0.75, 1.0]
    assert all("loss" in event.detail and "best validation" in event.detail for event in told)


class KilledError(Exception):
    pass


def test_a_killed_training_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path):
    settings = TrainingSettings(updates=200, check_every=20)
    _, whole = trained(settings, Fitting(seed=Seed(3)))

    def kill(event: Any) -> None:
        if event.fraction >= 0.6:
            raise KilledError

    with pytest.raises(KilledError):
        trained(settings, Fitting(seed=Seed(3), checkpoint=tmp_path, notify=kill))
    trainee, weights = trained(settings, Fitting(seed=Seed(3), checkpoint=tmp_path))
    assert trainee.updated < 200
    assert all(np.array_equal(weights[name], whole[name]) for name in whole)


@pytest.mark.parametrize("damage", ["another seed", "another setting", "half a file"])
def test_a_checkpoint_of_other_training_is_not_taken_up(tmp_path, damage):
    settings = TrainingSettings(updates=100, check_every=10)
    trained(settings, Fitting(seed=Seed(3), checkpoint=tmp_path))
    path: Path = tmp_path / "training.safetensors"
    assert path.is_file()
    seed = Seed(4) if damage == "another seed" else Seed(3)
    if damage == "another setting":
        settings = settings.model_copy(update={"averaging": 0.5})
    if damage == "half a file":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert trained(settings, Fitting(seed=seed, checkpoint=tmp_path))[0].updated == 100


def test_numbers_that_run_away_end_training_at_the_best_weights_before():
    class Exploding(Line):
        def update(self, rows: Any) -> dict[str, Any]:
            losses = super().update(rows)
            return {"loss": losses["loss"] * float("inf")} if self.updated >= 50 else losses

    told = circumstances(Fitting())
    with loop.seeded(told) as (_, noise):
        trainee = Exploding(noise)
        weights = loop.train(trainee, ROWS, TrainingSettings(updates=1_000, check_every=25), told)
    assert trainee.updated == 50
    assert np.isfinite(slope(weights))


def test_rows_of_one_patient_are_set_aside_together_and_few_patients_not_at_all():
    train = clinic(1_500, seed=1)
    learned, aside = set_aside(train, None, Fitting())
    assert len(aside) == 225
    assert sorted([*learned, *aside]) == list(range(1_500))
    assert len(set_aside(clinic(400, seed=1), None, Fitting())[1]) == 0
    assert len(set_aside(clinic(400, seed=1), 0.25, Fitting())[1]) == 100
