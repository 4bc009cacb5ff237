"""Published formulas that connect columns of patient tables, by the names of their inputs."""

from __future__ import annotations

from dataclasses import dataclass

_WEIGHT = ("weight", "wt", "body_?weight", "weight_?kg", "wtkg")
_HEIGHT = ("height", "ht", "body_?height", "height_?cm", "stature", "htcm")
_SYSTOLIC = ("sbp", "systolic\\w*", "sys_?bp", "ap_?hi", "bp_?sys\\w*", "bpsys\\w*")
_DIASTOLIC = ("dbp", "diastolic\\w*", "dia_?bp", "ap_?lo", "bp_?dia\\w*", "bpdia\\w*")
_TOTAL = ("chol", "cholesterol", "tc", "total_?chol\\w*", "chol_?total")
_HDL = ("hdl\\w*",)
_TRIGLYCERIDES = ("tg", "trig\\w*", "triglycerides?")
_CREATININE = ("creatinine", "scr", "crea", "serum_?creatinine")
_AGE = ("age",)
_GLUCOSE = ("glucose", "fpg", "fasting_?glucose", "glu")
_INSULIN = ("insulin",)


@dataclass(frozen=True)
class Formula:
    """A formula with its variants for different units.

    Attributes:
        name: what it computes.
        result: phrases of the names of computed columns.
        inputs: placeholder -> phrases of the names of input columns.
        variants: SQL with placeholders in braces; `{female}` is the condition that the patient is female.
        source: where the formula comes from.
    """

    name: str
    result: tuple[str, ...]
    inputs: dict[str, tuple[str, ...]]
    variants: tuple[str, ...]
    source: str


_KAPPA = "(case when {female} then 0.7 else 0.9 end)"
_CKD_EPI = (
    f"142 * power(least({{scr}} / {_KAPPA}, 1), case when {{female}} then -0.241 else -0.302 end)"
    f" * power(greatest({{scr}} / {_KAPPA}, 1), -1.2) * power(0.9938, {{age}})"
    " * (case when {female} then 1.012 else 1 end)"
)

FORMULAS = (
    Formula(
        "body mass index", ("bmi", "body_?mass_?index"), {"weight": _WEIGHT, "height": _HEIGHT},
        ("{weight} / power({height} / 100, 2)", "{weight} / power({height}, 2)",
         "703 * {weight} / power({height}, 2)",
         "({weight} * 0.45359237) / power({height} * 0.0254, 2)",
         "({weight} * 0.45359237) / power({height} / 100, 2)"),
        "weight over height squared (Quetelet)",
    ),
    Formula(
        "pulse pressure", ("pulse_?pressure", "pp"), {"systolic": _SYSTOLIC, "diastolic": _DIASTOLIC},
        ("{systolic} - {diastolic}",), "systolic minus diastolic pressure",
    ),
    Formula(
        "mean arterial pressure", ("map", "mean_?arterial\\w*", "mean_?bp", "mbp"),
        {"systolic": _SYSTOLIC, "diastolic": _DIASTOLIC},
        ("{diastolic} + ({systolic} - {diastolic}) / 3", "0.6 * {diastolic} + 0.4 * {systolic}"),
        "diastolic plus a third of the pulse pressure",
    ),
    Formula(
        "non-HDL cholesterol", ("non_?hdl\\w*",), {"total": _TOTAL, "hdl": _HDL}, ("{total} - {hdl}",),
        "total minus HDL cholesterol",
    ),
    Formula(
        "LDL cholesterol", ("ldl\\w*",), {"total": _TOTAL, "hdl": _HDL, "triglycerides": _TRIGLYCERIDES},
        ("{total} - {hdl} - {triglycerides} / 5", "{total} - {hdl} - {triglycerides} / 2.2"),
        "Friedewald, Clinical Chemistry 18 (1972)",
    ),
    Formula(
        "HOMA-IR", ("homa\\w*",), {"glucose": _GLUCOSE, "insulin": _INSULIN},
        ("{glucose} * {insulin} / 405", "{glucose} * {insulin} / 22.5"), "Matthews, Diabetologia 28 (1985)",
    ),
    Formula(
        "eGFR", ("e_?gfr\\w*", "gfr\\w*", "ckd_?epi\\w*"), {"scr": _CREATININE, "age": _AGE},
        (_CKD_EPI, _CKD_EPI.replace("{scr}", "({scr} / 88.42)")), "CKD-EPI 2021, NEJM 385:1737",
    ),
    Formula(
        "waist-to-hip ratio", ("waist_?(?:to_?)?hip\\w*", "whr"), {"waist": ("waist\\w*",),
        "hip": ("hip\\w*",)},
        ("{waist} / {hip}",), "waist over hip circumference",
    ),
    Formula(
        "estimated average glucose", ("eag", "estimated_?average\\w*"), {"a1c": ("hba1c\\w*", "a1c")},
        ("28.7 * {a1c} - 46.7", "1.59 * {a1c} - 2.59"), "Nathan, Diabetes Care 31 (2008)",
    ),
)  # fmt: skip
