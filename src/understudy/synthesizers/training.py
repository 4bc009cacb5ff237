"""How networks are trained: the settings that all share, what training is told, and where torch comes in.

Settings can be read, and trained generators loaded and drawn from, without torch; only `trainer` needs it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np
from pydantic import Field

from understudy.core.contracts import Fitting
from understudy.core.dataset import Dataset
from understudy.core.errors import RequestError
from understudy.core.events import Progressed
from understudy.core.seeds import Seed
from understudy.core.values import Value

_LIBRARIES = ("torch", "safetensors")
_FEWEST_VALIDATED = 1_000
_VALIDATED = 0.15
_TRAINING_SHARE = 0.9
_MOST_VALIDATED = 2_000

Weights = dict[str, np.ndarray]
"""Trained numbers by name: float32 arrays."""


class TrainingSettings(Value):
    """When training stops and how fast it learns; counted in updates, so that small tables get enough."""

    updates: int | None = Field(
        default=None,
        ge=0,
        le=10_000_000,
        description="Most updates of the weights; by default 30 times the root of the rows, 400 to 6000.",
    )
    epochs: float | None = Field(
        default=None, gt=0, description="Passes over the training rows, in the place of `updates`."
    )
    batch_size: int | None = Field(
        default=None, ge=2, le=65_536, description="Rows per update; by default by the size of the table."
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="Step size of the first updates.")
    weight_decay: float = Field(default=1e-2, ge=0, le=10, description="Pull of the weights towards zero.")
    averaging: float = Field(
        default=0.98, ge=0, lt=1, description="Share of the old in the running mean of weights that is kept."
    )
    validation: float | None = Field(
        default=None,
        ge=0,
        le=0.5,
        description="Share of patients set aside to stop early; by default 0.15 of 1000 patients or more, else 0.",
    )
    check_every: int = Field(default=50, ge=1, description="Updates between two looks at the rows set aside.")
    patience: int = Field(
        default=8, ge=1, description="Looks without improvement until training stops at the best weights."
    )
    slack: float = Field(
        default=1.0,
        ge=0,
        description="Standard errors by which the loss on the rows set aside may exceed its best.",
    )

    def batch(self, rows: int) -> int:
        """Return the rows per update for a table of `rows` rows."""
        wanted = self.batch_size or int(np.clip(2 ** round(np.log2(max(rows, 2) / 12)), 128, 512))
        return min(wanted, rows)

    def most_updates(self, rows: int) -> int:
        """Return the most updates for a table of `rows` rows."""
        if self.epochs is not None:
            return max(1, round(self.epochs * rows / self.batch(rows)))
        return int(np.clip(30 * np.sqrt(rows), 400, 6_000)) if self.updates is None else self.updates


class Tell(Protocol):
    """Is told the fraction that is done, the losses in words, and the same as figures by name."""

    def __call__(self, fraction: float, detail: str, values: Mapping[str, float] | None = None) -> None:
        """Take it in."""


def _told_nobody(fraction: float, detail: str, values: Mapping[str, float] | None = None) -> None:
    """Ignore it."""


@dataclass(frozen=True)
class Circumstances:
    """What training is told beyond its settings.

    Attributes:
        seed: source of all randomness.
        device: where to train.
        deadline_s: reading of `time.monotonic` after which no update begins, or None.
        tell: told how training goes.
        checkpoint: file in which the state of training is kept, so that a killed fit goes on, or None.
    """

    seed: Seed
    device: str = "cpu"
    deadline_s: float | None = None
    tell: Tell = _told_nobody
    checkpoint: Path | None = None


def circumstances(fitting: Fitting) -> Circumstances:
    """Return what training is told for one fit; its clock starts now."""
    furthest, budget_s = [0.0], fitting.time_budget_s

    def tell(fraction: float, detail: str, values: Mapping[str, float] | None = None) -> None:
        furthest[0] = max(furthest[0], min(fraction, 1.0))
        fitting.notify(Progressed(step="fit", fraction=furthest[0], detail=detail, values=values or {}))

    return Circumstances(
        seed=fitting.seed.child("training"),
        device=fitting.device,
        deadline_s=None if budget_s is None else time.monotonic() + _TRAINING_SHARE * budget_s,
        tell=tell,
        checkpoint=None if fitting.checkpoint is None else fitting.checkpoint / "training.safetensors",
    )


def set_aside(train: Dataset, share: float | None, fitting: Fitting) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows to learn from and which to validate on, as positions; patients stay together.

    Of few patients none are set aside by default: they are missed more than what they tell is worth.
    """
    every = np.arange(train.rows)
    people = int(train.patients.max()) + 1 if train.rows else 0
    if share is None:
        share = 0.0 if people < _FEWEST_VALIDATED else _VALIDATED
    if not share or people < 2:
        return every, every[:0]
    order = fitting.seed.child("validation").rng().permutation(people)
    count = min(max(round(share * people), 1), people - 1, _MOST_VALIDATED)
    is_aside = np.isin(train.patients, order[:count])
    return np.flatnonzero(~is_aside), np.flatnonzero(is_aside)


def trainer(name: str) -> ModuleType:
    """Return a module of `synthesizers.networks`, loading torch.

    Raises:
        RequestError: if torch is not installed; says how to install it.
    """
    try:
        return import_module(f"understudy.synthesizers.networks.{name}")
    except ModuleNotFoundError as error:
        if error.name not in _LIBRARIES:
            raise
        raise RequestError(_needed(str(error.name))) from error


def lacking() -> str:
    """Return what training a network lacks on this machine and how to get it; empty where nothing is lacking."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    return _needed(missing[0]) if missing else ""


def _needed(library: str) -> str:
    return (
        f"training a network needs {library}, which is not installed. Install the extra: "
        "pip install 'understudy[deep]'; or choose a synthesizer without a network."
    )
