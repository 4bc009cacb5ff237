"""Write the demo table: 569 breast tumours, measured under the microscope (Wisconsin, public).

Usage: python examples/make_demo_table.py build/demo/breast_cancer.csv
"""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer


def write_demo_table(path: Path) -> None:
    """Write one row per tumour: thirty measures such as `mean_radius`, and the `diagnosis`."""
    data = load_breast_cancer()
    columns = [name.replace(" ", "_") for name in data.feature_names]
    diagnoses = [str(data.target_names[index]) for index in data.target]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*columns, "diagnosis"])
        for measures, diagnosis in zip(data.data.tolist(), diagnoses, strict=True):
            rows.writerow([*measures, diagnosis])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_demo_table(Path(sys.argv[1]))
