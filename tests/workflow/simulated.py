"""Small simulated tables, and plans that judge them quickly, for tests through the front doors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import yaml

from understudy import Schema
from understudy.core.catalog import Choice
from understudy.workflow.advise import Wishes, draft
from understudy.workflow.plan import MEMORY, Holdout, Plan

FILES = ["card.md", "data", "evaluation.json", "manifest.json", "plan.yaml", "report.html", "schema.yaml"]
QUICK = ("--synthesizer", "marginals", "--holdout", "none")


def patients(rows: int = 160, seed: int = 0) -> pl.DataFrame:
    """Return patients of four columns: age, sex, systolic pressure, and an outcome that depends on age."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    chance = 1 / (1 + np.exp(-(age - 60) / 8))
    return pl.DataFrame(
        {
            "age": age,
            "sex": rng.choice(["female", "male"], rows),
            "sbp": (90 + 0.5 * age + rng.normal(0, 10, rows)).round().astype(int),
            "outcome": (rng.random(rows) < chance).astype(int),
        }
    )


def written(frame: pl.DataFrame, path: Path) -> Path:
    """Write a frame as CSV and return where."""
    frame.write_csv(path)
    return path


def plan_of(frame: pl.DataFrame, *metrics: str, schema: Schema | None = None, **wishes: object) -> Plan:
    """Return the plan for a table in memory that asks only these metrics (margins if none), on one split."""
    wished = Wishes(schema=schema, holdout=Holdout(), splits=1)
    wished = Wishes(**{**vars(wished), **wishes})
    plan = draft(MEMORY, wished, {MEMORY: frame}).plan
    return plan.model_copy(update={"metrics": tuple(Choice(name=m) for m in metrics or ("marginals",))})


def quicker(plan_file: Path, *metrics: str) -> None:
    """Edit a plan file, as a person would, to ask only these metrics on one split."""
    document = yaml.safe_load(plan_file.read_text())
    document |= {"metrics": list(metrics or ("marginals",)), "splits": 1}
    plan_file.write_text(yaml.safe_dump(document, sort_keys=False))


def tables(release: Path) -> pl.DataFrame:
    """Return the synthetic rows of a release folder, as they were written."""
    folder = release / "data" if (release / "data").is_dir() else release / "withheld"
    (file,) = folder.iterdir()
    return pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file)
