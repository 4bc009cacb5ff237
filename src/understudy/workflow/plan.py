"""The plan: one document that says everything about a run, with the reason for each choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from understudy.core.catalog import Choice
from understudy.core.conditions import Conditions
from understudy.core.errors import PlanError
from understudy.core.rules import Handling
from understudy.core.schema import Schema, explain
from understudy.core.values import Value, read_document, sparse
from understudy.populations.targets import Target
from understudy.reports.compose import DEFAULT_SECTIONS

PLAN_VERSION = 1
MEMORY = "<memory>"

DEFAULT_METRICS = (
    "marginals",
    "pairs",
    "missingness",
    "detection",
    "coverage",
    "diversity",
    "prediction",
    "importance",
    "copies",
    "single_values",
    "closest_record",
    "membership",
    "group_marginals",
    "group_prediction",
    "fairness",
    "plausibility",
    "clinical",
)
COHORT_SECTIONS = (
    "summary",
    "sources",
    "fidelity",
    "plausibility",
    "data",
    "provenance",
    "glossary",
)


class Holdout(Value):
    """Real rows that neither fitting nor model choice ever sees: a share of the table, or a table of its own.

    Without either there is no holdout, and what needs one is not measured.
    """

    fraction: float | None = Field(default=None, gt=0, lt=1)
    table: str | None = None


class Cohort(Value):
    """Which people of a population are asked for; ids are those of the knowledge base."""

    conditions: tuple[str, ...] = Field(default=(), description="Conditions that everyone has.")
    exclude: tuple[str, ...] = Field(default=(), description="Conditions that nobody is known to have.")
    targets: tuple[Target, ...] = Field(default=(), description="Aggregates, in the units of the schema.")
    missing: Literal["none", "realistic"] = Field(
        default="none", description="Whether values are missing as often as in the survey."
    )


class Plan(Value):
    """Everything about a run; frozen, so that what was approved is what runs.

    Patients come from a private table that a synthesizer learns from, or from a population that is built from
    knowledge; never from both. The schema of a cohort says which observations are shown, and in which units.

    Attributes:
        goal: the request in the requester's words.
        table: path of the private table to learn from; empty where a population is asked.
        synthesizer: what learns from the table; without a name where a population is asked.
        population: the population that patients are drawn from.
        cohort: which of its people are asked for.
        given: conditions on the sampled rows.
        rows: synthetic rows; None for as many as were learned from.
        train_rows: at most this many real rows are learned from; None for all.
        splits: train/holdout splits that the evaluation is pooled over; None lets the table's size decide.
        reasons: why a field is as it is, by field name.
    """

    version: int = PLAN_VERSION
    goal: str = ""
    table: str = ""
    read: Mapping[str, Any] = Field(
        default_factory=dict,
        description="How the table is read, such as its sheet, delimiter or encoding; found out if left out.",
    )
    schema_: Schema = Field(alias="schema")
    synthesizer: Choice = Choice(name="")
    population: Choice | None = None
    cohort: Cohort = Cohort()
    given: Conditions = Conditions()
    complete: str = Field(
        default="",
        description="Path of a table of partial rows: given cells are kept as they are, open ones are drawn.",
    )
    rows: int | None = Field(
        default=None, description="Synthetic rows; as many as learned from, or as are completed, if left out."
    )
    train_rows: int | None = None
    time_limit_s: float | None = Field(
        default=None, gt=0, description="Seconds that learning should stay within; no limit if left out."
    )
    device: str = Field(
        default="cpu", pattern=r"^(cpu|mps|cuda(:\d+)?)$", description="Where neural synthesizers learn."
    )
    holdout: Holdout = Holdout(fraction=0.2)
    splits: int | None = Field(default=None, ge=1, le=20)
    metrics: tuple[Choice, ...] = tuple(Choice(name=name) for name in DEFAULT_METRICS)
    sections: tuple[Choice, ...] = DEFAULT_SECTIONS
    exports: tuple[Choice, ...] = (Choice(name="csv"),)
    violations: Handling | None = Field(
        default=None,
        description="What to do with real rows that break rule or bound; None: as each rule says.",
    )
    policy: Literal["internal", "external"] = "internal"
    with_generator: bool = Field(
        default=False,
        description="Keep the trained generator in the release: as sensitive as the real data, never for others.",
    )
    seed: int = 0
    reasons: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_origin(self) -> Plan:
        if (self.population is None) == (not self.table):
            raise ValueError("patients come from a private table or from a population; name exactly one")
        if self.table and not self.synthesizer.name:
            raise ValueError("a private table needs a synthesizer that learns from it")
        if self.population is not None and (self.complete or self.with_generator):
            raise ValueError("a population completes no rows and is no private generator to keep")
        return self

    def to_yaml(self) -> str:
        """Return the plan as YAML that a person can read, edit and run."""
        document = sparse(self)
        shown = {
            name: getattr(self, name)
            for name in ("metrics", "sections", "exports", "policy", "seed", "holdout")
        }
        compact = {
            n: [_compact(c) for c in v] if isinstance(v, tuple) else sparse(v) for n, v in shown.items()
        }
        if self.population is not None:
            compact = {n: v for n, v in compact.items() if n not in ("holdout", "metrics")}
        schema = document.pop("schema")
        ordered = {"version": self.version} | document | compact | {"schema": schema}
        return yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=110)

    @classmethod
    def from_yaml(cls, text: str) -> Plan:
        """Read a plan.

        Raises:
            PlanError: if the text is no valid plan; says where and what was expected.
        """
        document = read_document(text, "plan", PLAN_VERSION, "understudy plan TABLE", PlanError)
        for name in ("metrics", "sections", "exports"):
            if isinstance(document.get(name), list):
                document[name] = [{"name": c} if isinstance(c, str) else c for c in document[name]]
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise PlanError(f"the plan is invalid: {explain(error)}") from error


def _compact(choice: Choice) -> object:
    return sparse(choice) if choice.settings or choice.reason else choice.name
