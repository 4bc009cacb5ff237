"""Synthetic patients that stand in for real ones.

    from understudy import synthesize
    synthetic = synthesize(df, target="diagnosis").data

Everything is loaded on first use, so that `import understudy` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.api import Synthesis, cohort, compare, evaluate, profile, sample, synthesize
    from understudy.core.catalog import Choice
    from understudy.core.conditions import Conditions
    from understudy.core.dataset import Dataset
    from understudy.core.errors import RequestError, UnderstudyError
    from understudy.core.schema import Column, Schema, Table
    from understudy.core.seeds import Seed
    from understudy.workflow.plan import Plan

__version__ = "0.1.0"

_HOMES = {
    "Choice": "understudy.core.catalog",
    "Column": "understudy.core.schema",
    "Conditions": "understudy.core.conditions",
    "Dataset": "understudy.core.dataset",
    "Plan": "understudy.workflow.plan",
    "RequestError": "understudy.core.errors",
    "Schema": "understudy.core.schema",
    "Seed": "understudy.core.seeds",
    "Synthesis": "understudy.api",
    "Table": "understudy.core.schema",
    "UnderstudyError": "understudy.core.errors",
    "cohort": "understudy.api",
    "compare": "understudy.api",
    "evaluate": "understudy.api",
    "profile": "understudy.api",
    "sample": "understudy.api",
    "synthesize": "understudy.api",
}

__all__ = [
    "Choice",
    "Column",
    "Conditions",
    "Dataset",
    "Plan",
    "RequestError",
    "Schema",
    "Seed",
    "Synthesis",
    "Table",
    "UnderstudyError",
    "cohort",
    "compare",
    "evaluate",
    "profile",
    "sample",
    "synthesize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
