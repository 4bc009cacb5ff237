"""Write a table of made patients of a diabetes clinic, for trying things out; nobody real is in it.

Values are drawn from simple formulas; HbA1c is missing more often for people who look healthy.

Usage: python examples/make_patients.py patients.csv [ROWS] [SEED]
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl


def made_patients(rows: int, seed: int = 0) -> pl.DataFrame:
    """Return made patients: key, age, sex, body measures, HbA1c, smoking, pregnancy and readmission."""
    rng = np.random.default_rng(seed)
    age = np.clip(rng.normal(58, 15, rows), 18, 92).round()
    is_female = rng.random(rows) < 0.48
    height = rng.normal(np.where(is_female, 1.64, 1.77), 0.07).round(2)
    bmi = np.clip(rng.gamma(28, 1.05, rows), 16, 55)
    weight = (bmi * height**2).round(1)
    systolic = (95 + 0.45 * age + 0.5 * bmi + rng.normal(0, 12, rows)).round()
    diastolic = (systolic * rng.normal(0.6, 0.05, rows)).round()
    hba1c = np.clip(4.2 + 0.012 * age + 0.045 * bmi + rng.gamma(2, 0.45, rows), 4, 14).round(1)
    smoker = rng.choice(["never", "former", "current"], rows, p=[0.5, 0.3, 0.2])
    is_pregnant = is_female & (age < 45) & (rng.random(rows) < 0.15)
    risk = 0.05 * (age - 58) + 0.5 * (hba1c - 7) + 0.8 * (smoker == "current") - 0.7
    is_readmitted = rng.random(rows) < 1 / (1 + np.exp(-risk))
    is_measured = rng.random(rows) < np.where(hba1c > 7, 0.95, 0.7)
    made = {
        "patient_id": [f"P{number:06d}" for number in rng.permutation(10**6)[:rows]],
        "age": age.astype(int),
        "sex": np.where(is_female, "female", "male"),
        "height_m": height,
        "weight_kg": weight,
        "bmi": (weight / height**2).round(1),
        "systolic": systolic.astype(int),
        "diastolic": diastolic.astype(int),
        "hba1c": [value if known else None for value, known in zip(hba1c.tolist(), is_measured, strict=True)],
        "smoker": smoker,
        "pregnant": np.where(is_pregnant, "yes", "no"),
        "readmitted": np.where(is_readmitted, "yes", "no"),
    }
    return pl.DataFrame(made)


def main(path: str, rows: str = "2500", seed: str = "0") -> None:
    """Write the table that the command line asks for."""
    made_patients(int(rows), int(seed)).write_csv(Path(path))


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
