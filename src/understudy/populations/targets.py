"""Targets of calibration: means, spreads, quantiles, shares and correlations, read from words and tables."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError
from understudy.core.schema import Kind
from understudy.core.values import Value

Statistic = Literal["mean", "sd", "quantile", "proportion", "correlation"]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_MOMENT = re.compile(
    rf"^\s*(?P<column>[^:~]+?)\s*:\s*(?P<what>[A-Za-z]+)\s*(?P<number>\d*\.?\d*)\s*=\s*"
    rf"(?P<value>{_NUMBER})\s*(?P<unit>\S.*?)?\s*$"
)
_SHARE = re.compile(
    rf"^\s*(?P<column>[^:~=]+?)\s*=\s*(?P<level>[^:]+?)\s*:\s*(?P<value>{_NUMBER})\s*(?P<cent>%?)\s*$"
)
_PAIR = re.compile(
    rf"^\s*(?P<column>[^:~]+?)\s*~\s*(?P<other>[^:~]+?)\s*:\s*(?:corr|correlation|r)\s*=\s*(?P<value>{_NUMBER})\s*$"
)
_WORDS: Mapping[str, Statistic] = {
    "mean": "mean",
    "average": "mean",
    "sd": "sd",
    "std": "sd",
    "median": "quantile",
    "quantile": "quantile",
    "q": "quantile",
    "p": "quantile",
    "percentile": "quantile",
    "proportion": "proportion",
    "share": "proportion",
    "prevalence": "proportion",
}
FORMS = (
    "'bmi:mean=31', 'systolic_bp:median=140', 'bmi:p90=40', 'sex=female:0.6' or 'bmi~systolic_bp:corr=0.5'"
)


class Target(Value):
    """One aggregate that a cohort shall have; values in `unit`, else in the unit of the release."""

    column: str = Field(description="Id of the observation.")
    statistic: Statistic
    value: float
    quantile: float = Field(default=0.5, gt=0, lt=1, description="Which quantile; 0.5 is the median.")
    level: str | None = Field(default=None, description="The level whose share is meant.")
    other: str | None = Field(default=None, description="The second observation of a correlation.")
    unit: str | None = Field(default=None, description="Unit of the value.")

    def at(self, value: float) -> Target:
        """Return this target with another value."""
        return self.model_copy(update={"value": value})


def says(target: Target) -> str:
    """Return a target as a person would write it."""
    if target.statistic == "correlation":
        return f"{target.column}~{target.other}:corr={target.value:.4g}"
    if target.statistic == "proportion":
        return f"{target.column}={target.level}:{target.value:.4g}"
    word: str = "median" if target.statistic == "quantile" and target.quantile == 0.5 else target.statistic
    word = f"p{100 * target.quantile:g}" if word == "quantile" else word
    return f"{target.column}:{word}={target.value:.4g}{f' {target.unit}' if target.unit else ''}"


def column_of(target: Target) -> str:
    """Return the column or pair of columns that a target speaks of."""
    return f"pair {target.column}, {target.other}" if target.other else repr(target.column)


def parse_target(text: str) -> Target:
    """Read a target such as `bmi:mean=31`, `hba1c:median=53 mmol/mol`, `sex=female:0.6`, `bmi~sbp:corr=0.5`.

    Raises:
        ConditionError: if the text has none of these forms, or its value is impossible.
    """
    if found := _PAIR.match(text):
        return _built(text, column=found["column"], statistic="correlation", value=found["value"],
                      other=found["other"])  # fmt: skip
    if found := _MOMENT.match(text):
        return _moment(text, found)
    if found := _SHARE.match(text):
        value = float(found["value"]) / (100 if found["cent"] else 1)
        return _built(text, column=found["column"], statistic="proportion", value=str(value),
                      level=found["level"].strip("'\""))  # fmt: skip
    raise ConditionError(f"cannot read the target {text!r}; write it like {FORMS}")


def _moment(text: str, found: re.Match[str]) -> Target:
    statistic = _WORDS.get(found["what"].casefold())
    if statistic is None:
        raise ConditionError(
            f"the target {text!r} asks for {found['what']!r}; known are mean, sd, median, quantile0.9, p90, "
            "proportion and corr"
        )
    place, value = 0.5, found["value"]
    if found["number"]:
        place = float(found["number"]) / (100 if float(found["number"]) >= 1 else 1)
    unit = found["unit"]
    if statistic == "proportion":
        value, unit = (str(float(value) / 100), None) if unit == "%" else (value, unit)
        return _built(text, column=found["column"], statistic=statistic, value=value, level="true")
    return _built(text, column=found["column"], statistic=statistic, value=value, unit=unit, quantile=place)


def _built(
    text: str,
    *,
    column: str,
    statistic: Statistic,
    value: str,
    quantile: float = 0.5,
    level: str | None = None,
    other: str | None = None,
    unit: str | None = None,
) -> Target:
    number = float(value)
    if statistic == "proportion" and not 0 <= number <= 1:
        raise ConditionError(
            f"the target {text!r} asks for a share of {number:g}; it must lie between 0 and 1"
        )
    if statistic == "correlation" and not -1 < number < 1:
        raise ConditionError(
            f"the target {text!r} asks for a correlation of {number:g}; it lies within -1 and 1"
        )
    if statistic == "sd" and number <= 0:
        raise ConditionError(
            f"the target {text!r} asks for a standard deviation of {number:g}; it is above 0"
        )
    if not 0 < quantile < 1:
        raise ConditionError(f"the target {text!r} asks for a quantile outside 0 to 1")
    return Target(
        column=column,
        statistic=statistic,
        value=number,
        quantile=quantile,
        level=level,
        other=other,
        unit=unit,
    )


def read_targets(text: str, name: str) -> tuple[Target, ...]:
    """Read the targets of a table: a CSV with one row a target, or one row an observation.

    The first form has the columns `observation`, `statistic` and `value`, and where needed `level`, `other`
    and `unit`; the second has `observation` and any of `mean`, `sd`, `median`, `proportion`.

    Args:
        text: the content of the CSV file.
        name: its name, for messages.

    Raises:
        ConditionError: if it has another form; names the line.
    """
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    heads = {str(key).strip().casefold() for key in (rows[0] if rows else ())}
    subject = next((h for h in ("observation", "variable", "column", "name") if h in heads), None)
    if subject is None or not ({"statistic", "mean", "sd", "median", "proportion"} & heads):
        raise ConditionError(
            f"{name!r} is no table of targets: expected the columns observation, statistic and value (and level, "
            f"other, unit), or observation and any of mean, sd, median, proportion; found {', '.join(sorted(heads))}"
        )
    found: list[Target] = []
    for line, row in enumerate(rows, start=2):
        cells = {str(k).strip().casefold(): (v or "").strip() for k, v in row.items()}
        try:
            found += _of_row(cells, subject)
        except (ConditionError, ValueError) as error:
            raise ConditionError(f"{name!r}, line {line}: {error}") from error
    return tuple(found)


def _of_row(cells: Mapping[str, str], subject: str) -> list[Target]:
    column, unit, level = cells[subject], cells.get("unit", ""), cells.get("level", "")
    if "statistic" in cells:
        pairs = [(cells["statistic"], cells.get("value", ""))]
    else:
        offered: tuple[str, ...] = ("mean", "sd", "median", "proportion")
        pairs = [(word, cells[word]) for word in offered if cells.get(word)]
    found = []
    for statistic, value in pairs:
        if statistic.casefold() in ("corr", "correlation"):
            found.append(parse_target(f"{column}~{cells.get('other', '')}:corr={value}"))
        elif level:
            found.append(parse_target(f"{column}={level}:{value}"))
        else:
            found.append(parse_target(f"{column}:{statistic}={value} {unit}".rstrip()))
    return found


def current(rows: Dataset, target: Target) -> float:
    """Return what the rows have of a target's statistic; missing values do not count."""
    column = rows.table.column(target.column)
    values = rows.frame[target.column]
    if target.statistic == "proportion":
        return _float((values.cast(pl.String) == target.level).mean())
    if column.kind is not Kind.NUMBER:
        return float("nan")
    if target.statistic == "mean":
        return _float(values.mean())
    if target.statistic == "sd":
        return _float(values.std(ddof=0))
    if target.statistic == "quantile":
        return _float(values.quantile(target.quantile, "linear"))
    both = rows.frame.select(target.column, str(target.other)).drop_nulls().to_numpy()
    return float(np.corrcoef(both, rowvar=False)[0, 1]) if len(both) > 1 else float("nan")


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def columns_of(targets: Sequence[Target]) -> tuple[str, ...]:
    """Return the columns that targets speak of."""
    return tuple(dict.fromkeys(c for t in targets for c in (t.column, t.other) if c))
