"""Units of measurement in headers and cells: `weight (kg)`, `Glucose [mmol/L]`, `hba1c_pct`, `5.4 mg/dL`."""

from __future__ import annotations

import re

from understudy.sources.profile.cells import Cells
from understudy.sources.profile.words import words

# Spellings without case, blanks and separators, to UCUM codes (ucum.org).
_UCUM = {
    "mg/dl": "mg/dL", "mgdl": "mg/dL", "mmol/l": "mmol/L", "mmoll": "mmol/L", "umol/l": "umol/L",
    "µmol/l": "umol/L", "umoll": "umol/L", "g/dl": "g/dL", "gdl": "g/dL", "g/l": "g/L", "gl": "g/L",
    "mg/l": "mg/L", "mgl": "mg/L", "ng/ml": "ng/mL", "ngml": "ng/mL", "pg/ml": "pg/mL", "pgml": "pg/mL",
    "ug/l": "ug/L", "ugl": "ug/L", "u/l": "U/L", "ul": "U/L", "iu/l": "[IU]/L", "meq/l": "meq/L",
    "meql": "meq/L",
    "uu/ml": "u[IU]/mL", "uuml": "u[IU]/mL", "µu/ml": "u[IU]/mL", "uiu/ml": "u[IU]/mL", "mu/l": "m[IU]/L",
    "miu/l": "m[IU]/L", "mg/g": "mg/g", "mgg": "mg/g", "mg/mmol": "mg/mmol", "mmol/mol": "mmol/mol",
    "k/ul": "10*3/uL", "kul": "10*3/uL", "m/ul": "10*6/uL", "mul": "10*6/uL", "10^3/ul": "10*3/uL",
    "10^9/l": "10*9/L", "10^6/ul": "10*6/uL", "fl": "fL", "pg": "pg", "%": "%", "pct": "%", "percent": "%",
    "mmhg": "mm[Hg]", "bpm": "/min", "beats/min": "/min", "/min": "/min", "ml/min": "mL/min", "kg": "kg",
    "g": "g",
    "mg": "mg", "ug": "ug", "lb": "[lb_av]", "lbs": "[lb_av]", "pounds": "[lb_av]", "oz": "[oz_av]",
    "cm": "cm",
    "mm": "mm", "m": "m", "inch": "[in_i]", "inches": "[in_i]", "in": "[in_i]", "ft": "[ft_i]",
    "kg/m2": "kg/m2",
    "kgm2": "kg/m2", "kg/m^2": "kg/m2", "ml": "mL", "l": "L", "years": "a", "year": "a", "yrs": "a",
    "yr": "a",
    "y": "a", "months": "mo", "month": "mo", "mo": "mo", "weeks": "wk", "days": "d", "day": "d", "d": "d",
    "hours": "h", "hrs": "h", "hr": "h", "h": "h", "minutes": "min", "mins": "min", "min": "min", "sec": "s",
    "seconds": "s", "s": "s", "ms": "ms", "celsius": "Cel", "degc": "Cel", "°c": "Cel", "c": "Cel",
    "°f": "[degF]",
    "fahrenheit": "[degF]", "degf": "[degF]", "f": "[degF]", "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "mmho": "mmho",
    "kpa": "kPa", "usd": "[USD]", "$": "[USD]", "hz": "Hz", "mv": "mV",
}  # fmt: skip

# As a bare last word these are more often something else: `value_min`, `vitamin_c`, `group_g`, `check_in`.
_TOO_SHORT = {"c", "d", "day", "f", "g", "gl", "h", "in", "l", "m", "min", "mo", "month", "pg", "s", "sec", "year",
              "years", "y", "$", "fl", "ms", "/min", "oz", "mins"}  # fmt: skip
# Unless the first word says what is measured: `age_years`, `height_m`, `temp_c`.
_SPANS, _LENGTHS = {"age", "duration", "dm", "time"}, {"height", "length", "stature", "distance"}
_WARMTHS = {"temp", "temperature"}
_NAMED_BY = {
    "years": _SPANS,
    "y": _SPANS,
    "days": _SPANS,
    "m": _LENGTHS,
    "in": _LENGTHS,
    "c": _WARMTHS,
    "f": _WARMTHS,
}
_RATE = {"max", "min", "mean", "avg", "peak", "rest", "resting", "heart", "base", "baseline", "target"}
_BRACKET = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$")
_CELL_UNIT = r"^[^A-Za-zµ°%]*?[\d.]\s*([A-Za-zµ°%][A-Za-z0-9µ°%/^.*]*)$"


def ucum(text: str) -> str | None:
    """Return the UCUM code of a unit as people write it, or None."""
    return _UCUM.get(re.sub(r"[\s_]+", "", text.lower()))


def unit_in_header(name: str) -> str | None:
    """Return the UCUM code of the unit that a column name ends with, or None.

    >>> unit_in_header("Glucose [mmol/L]"), unit_in_header("hba1c_pct"), unit_in_header("platelets_k_ul")
    ('mmol/L', '%', '10*3/uL')
    """
    if found := _BRACKET.search(name):
        return ucum(found[1])
    parts = words(name)
    if "per" in parts:
        return None
    if parts[-1:] == ("hr",) and _RATE & set(parts):
        return None
    for count in (3, 2, 1):
        tail = "".join(parts[-count:])
        if len(parts) > count and tail not in _TOO_SHORT and tail in _UCUM:
            return _UCUM[tail]
    if len(parts) > 1 and parts[0] in _NAMED_BY.get(parts[-1], ()):
        return _UCUM[parts[-1]]
    return None


def units_in_cells(cells: Cells) -> tuple[str, ...]:
    """Return the different unit spellings behind the numbers of a text column, most frequent first."""
    some = cells.some
    found = some.select("count", unit=some["text"].str.extract(_CELL_UNIT)).drop_nulls("unit")
    totals = found.group_by("unit").sum().sort(["count", "unit"], descending=[True, False])
    return tuple(totals["unit"])
