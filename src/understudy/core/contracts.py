"""The contracts of everything that can be chosen: a recipe is settings plus one verb."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import polars as pl
from pydantic import Field

from understudy.core.blocks import Block
from understudy.core.conditions import Conditions, Feasibility
from understudy.core.dataset import Dataset
from understudy.core.events import Notify, silent
from understudy.core.results import Evaluation, MetricResult, Verdict
from understudy.core.schema import Role, Schema
from understudy.core.seeds import Seed
from understudy.core.values import Value


class Recipe(Value):
    """Settings of something choosable; making one touches nothing, its verb does the work.

    Subclasses declare settings as fields with bounds and a description, and add one verb.
    """


@dataclass(frozen=True)
class Fitting:
    """The circumstances of a fit.

    Attributes:
        seed: source of all randomness of the fit.
        time_budget_s: wall-clock seconds that the fit should stay within, None for no limit.
        device: `cpu`, or an accelerator that the synthesizer understands.
        notify: told about progress.
        checkpoint: folder in which a long fit may keep its state, so that it goes on after it was killed.
    """

    seed: Seed = field(default_factory=Seed)
    time_budget_s: float | None = None
    device: str = "cpu"
    notify: Notify = silent
    checkpoint: Path | None = None


@runtime_checkable
class Generator(Protocol):
    """What makes synthetic patients; it exists only when trained or built.

    Each module that defines one has a module-level `load(folder) -> Generator`.
    """

    @property
    def schema(self) -> Schema:
        """The schema that every sample obeys."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What should be known of how it came to be, as JSON: rows behind it, settings that it chose itself."""

    def sample(self, n: int, seed: Seed, given: Conditions | None = None) -> Dataset:
        """Draw exactly `n` rows that satisfy `given`.

        Raises:
            ConditionError: if the conditions cannot be met; names the nearest feasible ones.
        """

    def feasibility(self, given: Conditions, seed: Seed) -> Feasibility:
        """Say how hard the conditions are, before sampling."""

    def save(self, folder: Path) -> None:
        """Write the generator into an empty folder as JSON and npz (or safetensors); never a pickle."""


class Synthesizer(Recipe):
    """Learns from a private dataset."""

    @abstractmethod
    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Learn a generator from `train`, which is left unchanged."""

    @abstractmethod
    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the seconds that a fit of this size is expected to take on one core of a laptop."""


class Population(Recipe):
    """Makes patients from knowledge alone: no private record is read."""

    @abstractmethod
    def build(self) -> Generator:
        """Return the generator; its columns are named by the ids of observations and in their units."""


@dataclass(frozen=True)
class Comparison:
    """What a metric sees; it never sees the generator.

    Attributes:
        real: the rows that the generator learned from.
        synthetic: the rows that it made.
        holdout: real rows that it never saw, or None.
        seed: source of the metric's randomness.
    """

    real: Dataset
    synthetic: Dataset
    holdout: Dataset | None = None
    seed: Seed = field(default_factory=Seed)

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        return self.real.table.having(Role.TARGET)

    @property
    def protected(self) -> tuple[str, ...]:
        """The columns whose groups must be treated alike."""
        return self.real.table.having(Role.PROTECTED)

    @cached_property
    def independent(self) -> Dataset:
        """The real rows with each column shuffled on its own: right margins, no dependence. The floor."""
        rng = self.seed.child("floor").rng()
        columns = [self.real.frame[c.name][rng.permutation(self.real.rows)] for c in self.real.columns]
        return self.real.with_frame(pl.DataFrame(columns))

    def instead(self, synthetic: Dataset, name: str) -> Comparison:
        """Return this comparison with other rows in the place of the synthetic ones."""
        return Comparison(self.real, synthetic, self.holdout, self.seed.child(name))


class Metric(Recipe):
    """Asks one question about a synthetic dataset.

    Attributes:
        is_of_release: whether the question is about the released rows themselves and not about the method
            that made them; then it is not pooled over further splits of a small table.
    """

    is_of_release: ClassVar[bool] = False

    @abstractmethod
    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question, or say why it does not apply."""

    def explain(self, result: MetricResult) -> MetricResult:
        """Return a result with outcome and words as its figures say; asked again of figures pooled over splits.

        A metric that does not say it better gets a sentence of its pooled figures alone.
        """
        if result.splits == 1 or result.estimate is None:
            return result
        parts = [
            f"{name} {estimate.value:.3f}"
            for name, estimate in (
                ("real rows in their place", result.ceiling),
                ("shuffled columns", result.floor),
            )
            if estimate is not None
        ]
        found, beside = f"{result.estimate.value:.3f}", f" ({'; '.join(parts)})" if parts else ""
        reading = f"On average over {result.splits} splits of the table: {found}{beside}."
        return result.model_copy(update={"reading": reading})


class Evidence(Value):
    """All that a report may speak of; JSON throughout, so that a stored release can be reported anew.

    Attributes:
        title: the title of the report.
        goal: the request in the requester's words.
        schema_: the schema of the synthetic data.
        plan: the plan document as JSON (see `workflow.plan`).
        evaluation: the results.
        verdict: the policy's decision, or None for a bare evaluation.
        preview: first synthetic rows, formatted, by column.
        violations: what the real data break, in words.
        provenance: versions, seeds, digests, timings.
    """

    title: str
    goal: str = ""
    schema_: Schema = Field(alias="schema")
    plan: Mapping[str, Any] = Field(default_factory=dict)
    evaluation: Evaluation
    verdict: Verdict | None = None
    preview: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    violations: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = Field(default_factory=dict)


class Section(Recipe):
    """A part of a report."""

    @abstractmethod
    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the section as blocks; an empty list leaves it out."""


class Renderer(Recipe):
    """Turns blocks into a document."""

    suffix: ClassVar[str]

    @abstractmethod
    def render(self, title: str, blocks: list[Block]) -> bytes:
        """Return the document."""


class Source(Recipe):
    """Reads a table from somewhere, as it stands; `sources.profile` proposes what it means."""

    @abstractmethod
    def read(self) -> pl.DataFrame:
        """Return the raw table.

        Raises:
            SourceError: if it cannot be read; says what, where, what was expected and what to do.
        """


class Export(Recipe):
    """Writes a dataset as files."""

    @abstractmethod
    def write(self, dataset: Dataset, folder: Path) -> list[Path]:
        """Write the dataset into `folder` and return the files."""


Array = np.ndarray
