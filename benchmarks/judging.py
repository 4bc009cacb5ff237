"""The independent judge: its score of a synthetic table, in its own environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, call
from understudy.core.errors import RequestError

JUDGE_PYTHON = ROOT / "build" / "judge-env" / "bin" / "python"


def judge(
    files: dict[str, Path], target: str, seed: int, shared: Path, *, with_quality: bool = True
) -> dict[str, Any]:
    """Return the judge's figures, by the names of our table of results.

    Args:
        files: the CSV tables `train`, `test` and `syn`.
        target: the column that is predicted.
        seed: of the judge.
        shared: folder of the shared tables and the judge.
        with_quality: whether SDMetrics' QualityReport is computed too.

    Raises:
        RequestError: if the judge's environment does not exist.
    """
    if not JUDGE_PYTHON.is_file():
        raise RequestError(
            f"the judge's environment is not in {str(JUDGE_PYTHON)!r}; run `make bench` to create it"
        )
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    score = str(shared / "judge" / "score.py")
    command = [str(JUDGE_PYTHON), score, *options, "--target", target, "--seed", str(seed)]
    return figures(json.loads(call(command if with_quality else [*command, "--no-sdm"])))


def figures(score: dict[str, Any]) -> dict[str, Any]:
    """Return what we report of the judge's JSON; None where the judge has no figure."""
    real, synthetic = (best_auroc(score, tag) for tag in ("real", "syn"))
    return {
        "association": score.get("assoc_mad"),
        "detection": score.get("c2st_test"),
        "detection_train": score.get("c2st_train"),
        "auroc_real": real,
        "auroc_synthetic": synthetic,
        "utility": None if real is None or synthetic is None else real - synthetic,
        "membership": score.get("mia_auc"),
        "copies": score.get("exact_copy"),
        "copies_holdout": score.get("exact_copy_holdout"),
        "closer_to_train": score.get("dcr_share_train"),
        "quality": score.get("sdm_overall"),
        "judge_errors": "; ".join(f"{k}: {v}" for k, v in score.items() if k.startswith("error_")),
    }


def best_auroc(score: dict[str, Any], tag: str) -> float | None:
    """Return the better AUROC of the judge's two models that were trained on `real` or `syn` rows."""
    found = [v for k, v in score.items() if k.startswith(f"{tag}_") and k.endswith("_auroc")]
    return max(found, default=None)
