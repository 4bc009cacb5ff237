"""What columns are for: protected attributes, quasi-identifiers, visit times, and the likely target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from understudy.core.schema import Column, Kind, Role
from understudy.sources.profile.quantities import is_age_name
from understudy.sources.profile.words import is_called, says

_SEX = (
    "(?:patient_?|subject_?)?(?:sex|gender)(?:_?at_?birth)?(?:_?code|_?concept_?id|_?id)?", "geschlecht",
    "sexe", "sexo", "(?:is_?)?(?:fe)?male", "geslacht",
)  # fmt: skip

_RACE = (
    "(?:patient_?|subject_?)?(?:race|ethnic(?:ity|_?group|_?origin)?)(?:_?(?:race|ethnicity|code|desc|cat))*",
    "race_?ethnicity\\w*", "racial_?group", "ethnie", "etnia", "raza",
)  # fmt: skip
_QUASI = (
    "zip\\w*", "post_?code", "postal\\w*", "city", "county", "state", "region", "country",
    "birth_?place", "town", "district", "province", "municipality", "village", "neighbou?rhood", "tract",
    "place_of_birth", "nationality", "citizenship", "occupation", "job", "profession", "employment",
    "work_?type", "employer", "marital\\w*", "married", "ever_?married", "religion", "language",
    "insurance", "payer\\w*", "payor\\w*", "birth_?year", "year_of_birth", "yob", "born_\\w+",
    "household\\w*",
)  # fmt: skip
_VISIT = (
    "visit\\w*", "exam\\w*", "encounter\\w*", "chart_?time", "timestamp", "date", "datetime", "time",
    "start\\w*", "admit\\w*", "admission\\w*", "observation_?date", "collected\\w*", "recorded\\w*",
    "event_?(?:date|time)", "day",
)  # fmt: skip
_FOLLOW_UP = (
    "year", "years", "time", "visit", "visit_?(?:no|num|number|time)", "day", "week", "month",
    "obs_?time", "follow_?up\\w*", "wave", "minute", "hour", "t", "pan_?day", "tstart",
)  # fmt: skip

_TARGETS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.75, ("outcome", "target", "label", "y", "class", "diagnosis", "ground_?truth", "response")),
    (
        0.6,
        (
            "death_?event", "event", "readmit\\w*", "readmission\\w*", "mortality\\w*",
            "hosp(?:ital)?_?(?:dead|death)", "in_?hospital_?(?:death|mortality)",
            "(?:hospital_)?expire(?:d)?(?:_?flag)?", "vital_?status", "survived",
        ),
    ),
    (
        0.5,
        (
            "death", "died", "dead", "deceased", "status", "result", "relapse", "recurrence", "disease",
            "\\w+_?event", "diagnosed", "\\w+_diagnosed", "progression", "complication", "cured",
            "remission", "category", "survival", "malignant", "malignancy", "alive", "outcome_\\w+",
            "\\w+_outcome",
        ),
    ),
)  # fmt: skip
_ILLNESS = (
    "stroke", "diabet\\w*", "cancer", "tumou?r", "cardio\\w*", "sepsis", "covid\\w*", "n?obes\\w*",
    "ckd", "copd", "chd", "cvd", "heart_?failure", "hypertension", "dementia", "depression", "asthma",
    "heart_?disease",
)  # fmt: skip
_EVENTS = (
    "event", "death", "dead", "died", "deceased", "hospdead", "mortality", "status\\d*", "survived", "alive",
    "death_?event", "relapse\\w*", "recurrence", "progression", "expired?", "vital_?status", "fstat", "censor\\w*",
)  # fmt: skip
_TIME_TO_EVENT = (
    "time", "years?", "months?", "days?", "d_?time", "follow_?up(?:_?(?:time|days|months|years))?",
    "fu_?time", "lenfol", "surv(?:ival)?_?(?:time|days|months|years)", "time_?to_?\\w+",
    "(?:os|pfs|dfs)(?:_?(?:time|months|days))?",
)  # fmt: skip
_PARTS = frozenset(
    {"train", "training", "test", "testing", "valid", "validation", "val", "dev", "holdout", "eval"}
)
_NEVER = (
    "smok\\w*", "marital\\w*", "employment", "work", "insurance", "history", "family", "told", "split",
    "version", "seq", "fold", "set", "dataset", "type", "code", "desc\\w*", "reason",
)  # fmt: skip
_MOST_CLASSES = 20
_MANY = 8


def times_to(target: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the columns that are named like the time until the event that is the target."""
    if not says(target, *_EVENTS):
        return ()
    return tuple(
        c.name
        for c in columns
        if c.kind is Kind.NUMBER and not c.has(Role.TIME) and is_called(c.name, *_TIME_TO_EVENT)
    )


def marks_parts(column: Column) -> bool:
    """Say whether the levels say which rows a study trained and tested on."""
    levels = {level.lower() for level in column.values or ()}
    return len(levels) > 1 and levels <= _PARTS


def is_sex_name(name: str) -> bool:
    """Say whether the name is of a patient's sex or gender."""
    return is_called(name, *_SEX)


def with_attributes(column: Column, distinct: int) -> Column:
    """Return the column with the roles of protected attribute and quasi-identifier, where it has them.

    Args:
        column: the proposal so far; keys and direct identifiers are left alone.
        distinct: number of different values.
    """
    if not column.is_learned or distinct < 2:
        return column
    name, few = column.name, column.kind in (Kind.CATEGORY, Kind.BOOLEAN)
    is_age = is_age_name(name) and column.kind in (Kind.NUMBER, Kind.CATEGORY)
    protected = (few and is_called(name, *_SEX, *_RACE)) or is_age
    quasi = (
        protected or column.kind is Kind.DATETIME or (says(name, *_QUASI) and column.kind is not Kind.TEXT)
    )
    added = ((Role.PROTECTED,) if protected else ()) + ((Role.QUASI_IDENTIFIER,) if quasi else ())
    roles = tuple(dict.fromkeys((*column.roles, *added)))
    return column.model_copy(update={"roles": roles}) if roles != column.roles else column


def target_scores(columns: Sequence[Column], distinct: Mapping[str, int]) -> dict[str, float]:
    """Return how much each column looks like what a study predicts, 0 to 1; columns that cannot be are left out."""
    scores: dict[str, float] = {}
    learned = [c for c in columns if c.is_learned]
    for place, column in enumerate(learned):
        classes = distinct[column.name]
        if column.kind not in (Kind.BOOLEAN, Kind.CATEGORY) or not 2 <= classes <= _MOST_CLASSES:
            continue
        if column.has(Role.PROTECTED) or says(column.name, *_NEVER):
            continue
        is_last = place == len(learned) - 1
        score = next((s for s, phrases in _TARGETS if is_called(column.name, *phrases)), 0.0)
        if score == 0.0 and any(says(column.name, *phrases) for s, phrases in _TARGETS if s > 0.5):
            score = 0.35
        illness = 0.3 if score == 0.0 and says(column.name, *_ILLNESS) else 0.0
        # The last of a few columns is no sign; of many, and with levels, it often is what was studied.
        is_last = is_last and (classes == 2 or len(learned) >= _MANY)
        score += (0.25 if is_last else 0.0) + (0.05 if classes == 2 else 0.0) + illness
        scores[column.name] = min(score, 0.95)
    return scores


def likely_target(
    columns: Sequence[Column], distinct: Mapping[str, int], copies: Mapping[str, str]
) -> tuple[str, float] | None:
    """Return the column that is likely the target with the confidence of that guess, or None.

    Args:
        columns: the proposals.
        distinct: number of different values by column.
        copies: columns that repeat an earlier one, by name; they are never the target.
    """
    scores = {n: s for n, s in target_scores(columns, distinct).items() if n not in copies}
    if not scores:
        return None
    place = {column.name: position for position, column in enumerate(columns)}
    best = min(scores, key=lambda n: (-scores[n], -place[n]))
    return (best, scores[best]) if scores[best] >= 0.25 else None


def visit_time(frame: pl.DataFrame, columns: Sequence[Column], patient: str | None) -> str | None:
    """Return the column that orders a patient's rows in time, or None.

    Args:
        frame: rows in canonical form (a sample of whole patients suffices).
        columns: the proposals.
        patient: the key of patients, if it repeats.
    """
    dates = [
        c
        for c in columns
        if c.kind is Kind.DATETIME and not says(c.name, "birth\\w*", "dob", "death\\w*", "dod")
    ]
    named = [c.name for c in dates if says(c.name, *_VISIT)]
    if patient is None:
        return named[0] if named else None
    if named or dates:
        return (named or [c.name for c in dates])[0]
    numbers = [c.name for c in columns if c.kind is Kind.NUMBER and is_called(c.name, *_FOLLOW_UP)]
    for name in numbers:
        pairs = frame.select(patient, name).drop_nulls()
        same = pairs[patient].to_numpy()[1:] == pairs[patient].to_numpy()[:-1]
        steps = np.diff(pairs[name].to_numpy())[same]
        if len(steps) >= 10 and (steps > 0).mean() > 0.95:
            return name
    return None
