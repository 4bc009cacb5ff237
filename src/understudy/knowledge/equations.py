"""Equations of medicine as vectorised functions: units, valid range and reference of each, and a table of all.

Every function takes numbers or arrays of one shape, in the conventional units of the observations, and
returns an array of float64; where an input is missing or outside the valid range the result is NaN.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

# Kidney International Supplements 3:19-62, table of GFR and albuminuria categories.
_GFR_LIMITS = (15.0, 30.0, 45.0, 60.0, 90.0)
_GFR_STAGES = ("G5", "G4", "G3b", "G3a", "G2", "G1")


def bmi(weight: npt.ArrayLike, height: npt.ArrayLike) -> Floats:
    """Return the body mass index in kg/m2 from weight in kg and height in cm.

    Reference:
        Quetelet index; NHANES 2017-March 2020, BMXBMI.
    """
    return _ratio(weight, (_floats(height) / 100) ** 2)


def bsa_mosteller(weight: npt.ArrayLike, height: npt.ArrayLike) -> Floats:
    """Return the body surface area in m2 from weight in kg and height in cm.

    Reference:
        Mosteller 1987, N Engl J Med 317:1098.
    """
    return np.sqrt(_positive(weight) * _positive(height) / 3600)


def bsa_dubois(weight: npt.ArrayLike, height: npt.ArrayLike) -> Floats:
    """Return the body surface area in m2 from weight in kg and height in cm.

    Reference:
        DuBois and DuBois 1916, Arch Intern Med 17:863.
    """
    return 0.007184 * _positive(height) ** 0.725 * _positive(weight) ** 0.425


def waist_hip_ratio(waist: npt.ArrayLike, hip: npt.ArrayLike) -> Floats:
    """Return waist divided by hip circumference, both in one unit."""
    return _ratio(waist, hip)


def waist_height_ratio(waist: npt.ArrayLike, height: npt.ArrayLike) -> Floats:
    """Return waist circumference divided by height, both in one unit."""
    return _ratio(waist, height)


def mean_arterial_pressure(systolic_bp: npt.ArrayLike, diastolic_bp: npt.ArrayLike) -> Floats:
    """Return the mean arterial pressure in mm[Hg], an approximation for cuff measurements.

    Reference:
        (2 DBP + SBP) / 3, as in the R package admiral.
    """
    return (2 * _floats(diastolic_bp) + _floats(systolic_bp)) / 3


def pulse_pressure(systolic_bp: npt.ArrayLike, diastolic_bp: npt.ArrayLike) -> Floats:
    """Return systolic minus diastolic pressure in mm[Hg]."""
    return _floats(systolic_bp) - _floats(diastolic_bp)


def estimated_average_glucose(hba1c: npt.ArrayLike) -> Floats:
    """Return the average glucose in mg/dL that an HbA1c in % implies.

    A relation of populations: an individual's mean glucose scatters around it by about 15 mg/dL.

    Reference:
        Nathan and others 2008 (ADAG), Diabetes Care 31:1473.
    """
    return 28.7 * _floats(hba1c) - 46.7


def gmi(cgm_mean_glucose: npt.ArrayLike) -> Floats:
    """Return the glucose management indicator in % from the mean sensor glucose in mg/dL.

    Reference:
        Bergenstal and others 2018, Diabetes Care 41:2275.
    """
    return 3.31 + 0.02392 * _floats(cgm_mean_glucose)


def homa_ir(fasting_glucose: npt.ArrayLike, fasting_insulin: npt.ArrayLike) -> Floats:
    """Return insulin resistance from fasting glucose in mg/dL and insulin in u[IU]/mL.

    Reference:
        Matthews and others 1985, Diabetologia 28:412; the linear approximation HOMA1.
    """
    return _floats(fasting_glucose) * _floats(fasting_insulin) / 405


def ldl_friedewald(
    total_cholesterol: npt.ArrayLike, hdl: npt.ArrayLike, triglycerides: npt.ArrayLike
) -> Floats:
    """Return LDL cholesterol in mg/dL; all inputs in mg/dL, triglycerides fasting and at most 400.

    Reference:
        Friedewald, Levy and Fredrickson 1972, Clin Chem 18:499.
    """
    fat = _floats(triglycerides)
    return _where(fat <= 400, _floats(total_cholesterol) - _floats(hdl) - fat / 5)


def ldl_nih(total_cholesterol: npt.ArrayLike, hdl: npt.ArrayLike, triglycerides: npt.ArrayLike) -> Floats:
    """Return LDL cholesterol in mg/dL; all inputs in mg/dL, triglycerides at most 800.

    Reference:
        Sampson and others 2020 (NIH equation 2), JAMA Cardiol 5:540.
    """
    total, high, fat = _floats(total_cholesterol), _floats(hdl), _floats(triglycerides)
    very_low = fat / 8.56 + fat * (total - high) / 2140 - fat**2 / 16100
    return _where(fat <= 800, total / 0.948 - high / 0.971 - very_low - 9.44)


def non_hdl(total_cholesterol: npt.ArrayLike, hdl: npt.ArrayLike) -> Floats:
    """Return total minus HDL cholesterol, in the unit of the inputs."""
    return _floats(total_cholesterol) - _floats(hdl)


def total_hdl_ratio(total_cholesterol: npt.ArrayLike, hdl: npt.ArrayLike) -> Floats:
    """Return total divided by HDL cholesterol."""
    return _ratio(total_cholesterol, hdl)


def egfr_ckd_epi_2021(creatinine: npt.ArrayLike, age: npt.ArrayLike, sex: npt.ArrayLike) -> Floats:
    """Return the filtration rate in mL/min/{1.73_m2} from creatinine in mg/dL, age in years and sex.

    Meant for adults from 18 years on and creatinine traceable to IDMS. Sex is `female` or `male`.

    Reference:
        Inker and others 2021, N Engl J Med 385:1737.
    """
    is_female, years = female(sex), _floats(age)
    low = np.where(is_female == 1, 0.7, 0.9)
    relative = _positive(creatinine) / low
    slope = np.where(is_female == 1, -0.241, -0.302)
    rate = 142 * np.minimum(relative, 1) ** slope * np.maximum(relative, 1) ** -1.200 * 0.9938**years
    return _where((years >= 18) & ~np.isnan(is_female), rate * np.where(is_female == 1, 1.012, 1.0))


def bun_creatinine_ratio(bun: npt.ArrayLike, creatinine: npt.ArrayLike) -> Floats:
    """Return urea nitrogen divided by creatinine, both in mg/dL."""
    return _ratio(bun, creatinine)


def uacr(urine_albumin: npt.ArrayLike, urine_creatinine: npt.ArrayLike) -> Floats:
    """Return the albumin-creatinine ratio in mg/g from albumin in mg/L and creatinine in mg/dL."""
    return _ratio(100 * _floats(urine_albumin), urine_creatinine)


def ckd_stage(egfr: npt.ArrayLike) -> Texts:
    """Return the GFR category G1 to G5 of a filtration rate; None where it is missing.

    A category alone is no diagnosis: kidney disease needs three months, and G1 and G2 further damage.

    Reference:
        KDIGO 2012, Kidney Int Suppl 3:19.
    """
    rate = _floats(egfr)
    found = np.array(_GFR_STAGES, dtype=object)[np.digitize(np.nan_to_num(rate), _GFR_LIMITS)]
    return _texts(found, np.isnan(rate))


def albuminuria_category(uacr: npt.ArrayLike) -> Texts:
    """Return A1 (below 30 mg/g), A2 (30 to 300) or A3 (above 300); None where it is missing.

    Reference:
        KDIGO 2012, Kidney Int Suppl 3:19.
    """
    ratio = _floats(uacr)
    return _texts(np.where(ratio < 30, "A1", np.where(ratio <= 300, "A2", "A3")), np.isnan(ratio))


def fib4(age: npt.ArrayLike, ast: npt.ArrayLike, alt: npt.ArrayLike, platelets: npt.ArrayLike) -> Floats:
    """Return the FIB-4 index from age in years, AST and ALT in U/L and platelets in 10*3/uL.

    Reference:
        Sterling and others 2006, Hepatology 43:1317.
    """
    return _ratio(_floats(age) * _floats(ast), _floats(platelets) * np.sqrt(_positive(alt)))


def calcium_corrected(calcium: npt.ArrayLike, albumin: npt.ArrayLike) -> Floats:
    """Return calcium in mg/dL at an albumin of 4 g/dL, from calcium in mg/dL and albumin in g/dL.

    Reference:
        GPnotebook, calculation of calcium concentration (0.02 mmol/L for each g/L of albumin).
    """
    return _floats(calcium) + 0.8 * (4.0 - _floats(albumin))


def anion_gap(sodium: npt.ArrayLike, chloride: npt.ArrayLike, bicarbonate: npt.ArrayLike) -> Floats:
    """Return sodium minus chloride and bicarbonate in mmol/L, the gap without potassium."""
    return _floats(sodium) - _floats(chloride) - _floats(bicarbonate)


def transferrin_saturation(iron: npt.ArrayLike, tibc: npt.ArrayLike) -> Floats:
    """Return iron as a share of the iron binding capacity in %, both in one unit."""
    return 100 * _ratio(iron, tibc)


def fev1_fvc_ratio(fev1: npt.ArrayLike, fvc: npt.ArrayLike) -> Floats:
    """Return the share of a forced breath that leaves in the first second, both volumes in L."""
    return _ratio(fev1, fvc)


def phq9_total(*items: npt.ArrayLike) -> Floats:
    """Return the sum of the nine items, each 0 to 3; NaN where an item is missing.

    Raises:
        ValueError: if there are not nine items.
    """
    if len(items) != 9:
        raise ValueError(f"the PHQ-9 has nine items, {len(items)} were given")
    total: Floats = np.sum([_floats(item) for item in items], axis=0)
    return total


def diabetes_duration(age: npt.ArrayLike, age_at_diabetes_diagnosis: npt.ArrayLike) -> Floats:
    """Return the years since diagnosis; NaN where the diagnosis would lie in the future."""
    years = _floats(age) - _floats(age_at_diabetes_diagnosis)
    return _where(years >= 0, years)


def pack_years(
    cigarettes_per_day: npt.ArrayLike, age: npt.ArrayLike, age_started_smoking: npt.ArrayLike
) -> Floats:
    """Return packs of 20 cigarettes a day times years smoked, for a person who still smokes."""
    years = _floats(age) - _floats(age_started_smoking)
    return _where(years >= 0, _floats(cigarettes_per_day) / 20 * years)


def female(sex: npt.ArrayLike) -> Floats:
    """Return 1 for `female`, 0 for `male`, NaN for anything else."""
    words = np.asarray(sex, dtype=object)
    return np.where(words == "female", 1.0, np.where(words == "male", 0.0, np.nan))


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _positive(values: npt.ArrayLike) -> Floats:
    numbers = _floats(values)
    return _where(numbers > 0, numbers)


def _ratio(upper: npt.ArrayLike, lower: npt.ArrayLike) -> Floats:
    return _floats(upper) / _positive(lower)


def _where(is_valid: npt.NDArray[np.bool_], values: Floats) -> Floats:
    return np.where(is_valid, values, np.nan)


def _texts(values: npt.ArrayLike, is_missing: npt.NDArray[np.bool_]) -> Texts:
    texts: Texts = np.array(values, dtype=np.object_)
    texts[is_missing] = None
    return texts
