"""A small population for tests: simulated adults under observation ids, drawn by plain rejection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from understudy.core.conditions import Conditions, Feasibility
from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.core.seeds import Seed
from understudy.knowledge.derivations import derive
from understudy.knowledge.observations import observations
from understudy.modalities.wishes import matching, resolve
from understudy.sampling.proportions import parts_of, whole

NAMES = (
    "age",
    "sex",
    "race_ethnicity",
    "weight",
    "height",
    "bmi",
    "waist",
    "systolic_bp",
    "diastolic_bp",
    "heart_rate",
    "hba1c",
    "fasting_glucose",
    "total_cholesterol",
    "hdl",
    "triglycerides",
    "ldl",
    "creatinine",
    "egfr",
    "ckd_stage",
    "uacr",
    "smoking_status",
    "diabetes_diagnosed",
    "age_at_diabetes_diagnosis",
    "diabetes_duration",
    "insulin",
    "metformin",
    "antihypertensive",
    "history_heart_failure",
    "history_stroke",
    "dialysis",
)


def _column(name: str) -> Column:
    about = observations()[name]
    limits = (about.plausible.low, about.plausible.high) if about.plausible else (None, None)
    return Column(
        name=name,
        kind=about.kind,
        unit=about.unit,
        decimals=about.decimals,
        values=about.values,
        ordered=about.ordered,
        low=limits[0],
        high=limits[1],
    )


SCHEMA = Schema(tables=(Table(name="people", columns=tuple(_column(name) for name in NAMES)),))


def simulate(rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Draw adults: weight raises pressure and glucose, age lowers kidney function, drugs follow diagnoses."""
    age = rng.integers(20, 81, rows).astype(float)
    female = rng.random(rows) < 0.52
    height = np.round(np.where(female, rng.normal(162, 7, rows), rng.normal(176, 7.5, rows)), 1)
    weight = np.round(np.exp(rng.normal(np.log(26 + female), 0.22, rows)) * (height / 100) ** 2 * 1.06, 1)
    bmi = np.round(weight / (height / 100) ** 2, 1)
    risk = (age - 50) / 17 + (bmi - 29) / 7 + rng.normal(0, 1, rows)
    diabetic = risk > 1.9
    hba1c = np.round(np.where(diabetic, rng.gamma(6, 0.25, rows) + 5.9, rng.normal(5.45, 0.3, rows)), 1)
    glucose = np.round(np.clip(28.7 * hba1c - 46.7 - 10 + rng.normal(0, 12, rows), 65, 400))
    systolic = np.round(np.clip(rng.normal(112, 14, rows) + 0.35 * (age - 40) + 0.5 * (bmi - 28), 85, 220))
    diastolic = np.round(np.clip(0.42 * systolic + 22 + rng.normal(0, 7, rows), 45, systolic - 15))
    cholesterol, hdl = (
        np.round(rng.normal(188, 38, rows).clip(100, 330)),
        rng.normal(53, 14, rows).clip(22, 100),
    )
    hdl = np.round(np.where(female, hdl + 4, hdl - 4).clip(20, 100))
    triglycerides = np.round(np.exp(rng.normal(4.55, 0.45, rows) + 0.02 * (bmi - 28)).clip(35, 700))
    cholesterol = np.round(np.maximum(cholesterol, hdl + triglycerides / 4 + 40))
    creatinine = np.round(
        np.exp(rng.normal(np.where(female, -0.33, -0.06), 0.19, rows)) * (1 + 0.25 * (age > 70)), 2
    )
    sex = np.where(female, "female", "male")
    started = np.round(np.clip(age - rng.gamma(1.5, 8, rows), 5, age))
    uacr = np.round(np.exp(rng.normal(2.1 + 0.7 * diabetic, 0.9, rows)).clip(1, 5000), 1)
    races = observations()["race_ethnicity"].values or ()
    columns = {"total_cholesterol": cholesterol, "hdl": hdl, "triglycerides": triglycerides}
    egfr = np.round(derive("egfr_ckd_epi_2021", {"creatinine": creatinine, "age": age, "sex": sex}))
    return pl.DataFrame(
        {
            "age": age,
            "sex": sex,
            "race_ethnicity": rng.choice(races, rows, p=[0.09, 0.08, 0.62, 0.11, 0.06, 0.04]),
            "weight": weight,
            "height": height,
            "bmi": bmi,
            "waist": np.round(2.1 * bmi + 38 + rng.normal(0, 6, rows) - 4 * female, 1),
            "systolic_bp": systolic,
            "diastolic_bp": diastolic,
            "heart_rate": np.round(rng.normal(71, 10, rows).clip(42, 120)),
            "hba1c": hba1c,
            "fasting_glucose": glucose,
            **columns,
            "ldl": np.round(derive("ldl_nih", columns)),
            "creatinine": creatinine,
            "egfr": egfr,
            "ckd_stage": derive("ckd_stage", {"egfr": egfr}).astype(str),
            "uacr": uacr,
            "smoking_status": rng.choice(["never", "former", "current"], rows, p=[0.57, 0.26, 0.17]),
            "diabetes_diagnosed": diabetic,
            "age_at_diabetes_diagnosis": np.where(diabetic, started, np.nan),
            "diabetes_duration": np.where(diabetic, age - started, np.nan),
            "insulin": diabetic & (rng.random(rows) < 0.25),
            "metformin": diabetic & (rng.random(rows) < 0.6),
            "antihypertensive": (systolic > 135) & (rng.random(rows) < 0.6),
            "history_heart_failure": (age > 55) & (rng.random(rows) < 0.06),
            "history_stroke": (age > 50) & (rng.random(rows) < 0.05),
            "dialysis": rng.random(rows) < 0.002,
        },
        nan_to_null=True,
    ).select(NAMES)


@dataclass(frozen=True)
class People:
    """Draws simulated adults; a `Generator` that honours conditions by rejection."""

    most: int = 400_000

    @property
    def schema(self) -> Schema:
        """The schema of every sample."""
        return SCHEMA

    def sample(self, n: int, seed: Seed, given: Conditions | None = None) -> Dataset:
        """Draw exactly `n` rows that satisfy `given`."""
        given = resolve(given or Conditions(), SCHEMA)
        if not given.shares:
            return self._drawn(n, seed, given)
        ((_, parts),) = parts_of(given.shares, {}).items()
        frames = [
            self._drawn(
                int(k), seed.child(str(i)), given.model_copy(update={"where": (*given.where, part.where)})
            )
            for i, (part, k) in enumerate(zip(parts, whole([p.share for p in parts], n), strict=True))
            if k
        ]
        return Dataset.of(SCHEMA, pl.concat([f.frame for f in frames]))

    def _drawn(self, n: int, seed: Seed, given: Conditions) -> Dataset:
        rng, kept, tried = seed.rng(), SCHEMA_ROWS, 0
        while kept.rows < n:
            if tried >= self.most and kept.rows < 1e-4 * tried:
                raise ConditionError(f"nobody of {tried} satisfies {given.says()}")
            size = 20_000 if given.where else n
            found = matching(Dataset.of(SCHEMA, simulate(size, rng)), given)
            kept, tried = kept.with_frame(pl.concat([kept.frame, found.frame])), tried + size
        return kept.with_frame(kept.frame.head(n))

    @property
    def facts(self) -> dict[str, object]:
        return {}

    def feasibility(self, given: Conditions, seed: Seed) -> Feasibility:
        """Say which share of the people satisfies `given`."""
        everyone = Dataset.of(SCHEMA, simulate(20_000, seed.rng()))
        share = matching(everyone, resolve(given, SCHEMA)).rows / everyone.rows
        return Feasibility(support=share, acceptance=share, effective_rows=20_000 * share)

    def save(self, folder: Path) -> None:
        """Write nothing: there is nothing to keep."""


SCHEMA_ROWS = Dataset.of(SCHEMA, simulate(1, np.random.default_rng(0)).head(0))
KINDS = {column.name: column.kind for column in SCHEMA.table.columns}
QUANTITIES = tuple(name for name, kind in KINDS.items() if kind is Kind.NUMBER)
