"""The UKPDS risk engine for coronary heart disease in people with type 2 diabetes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.knowledge.equations import female

Floats = npt.NDArray[np.float64]

_PER_YEAR = 1.078  # risk ratio of each year since the diagnosis


def ukpds_chd_risk(
    age: npt.ArrayLike,
    age_at_diabetes_diagnosis: npt.ArrayLike,
    sex: npt.ArrayLike,
    smoking_status: npt.ArrayLike,
    hba1c: npt.ArrayLike,
    systolic_bp: npt.ArrayLike,
    total_hdl_ratio: npt.ArrayLike,
    years: int = 10,
) -> Floats:
    """Return the risk in % of a first coronary event within `years`, for people with type 2 diabetes.

    HbA1c in %, systolic pressure in mmHg, ages in years; sex is `female` or `male`, smoking status `current`
    for those who smoke. The term for people of Afro-Caribbean descent is left out, which overstates their risk.
    A diagnosis in the future gives NaN.

    Reference:
        Stevens and others 2001 (UKPDS 56), Clin Sci 101:671.
    """
    onset = np.asarray(age_at_diabetes_diagnosis, dtype=np.float64)
    duration = np.asarray(age, dtype=np.float64) - onset
    smokes = np.asarray(smoking_status, dtype=object) == "current"
    ratio = np.asarray(total_hdl_ratio, dtype=np.float64)
    yearly = (
        0.0112
        * 1.059 ** (onset - 55)
        * 0.525 ** female(sex)
        * np.where(smokes, 1.350, 1.0)
        * 1.183 ** (np.asarray(hba1c, dtype=np.float64) - 6.72)
        * 1.088 ** ((np.asarray(systolic_bp, dtype=np.float64) - 135.7) / 10)
        * 3.845 ** (np.log(np.where(ratio > 0, ratio, np.nan)) - 1.59)
    )
    hazard = yearly * _PER_YEAR**duration * (1 - _PER_YEAR**years) / (1 - _PER_YEAR)
    risk: Floats = np.where(duration >= 0, 100 * (1 - np.exp(-hazard)), np.nan)
    return risk
