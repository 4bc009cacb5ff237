"""What privacy metrics call their measures, and estimates in words: for release policies, which load no metric."""

from __future__ import annotations

from understudy.core.results import Estimate

# Membership: of each attack, of the strongest one, and among the people who stand most apart.
AUC, TPR_10, TPR_1 = "AUC", "TPR@10%FPR", "TPR@1%FPR"
STRONGEST, MOST_ISOLATED = "strongest", "most isolated"
# A verdict on membership rests on all of them; the catalog of attacks loads scikit-learn, these names nothing.
ATTACKS = (
    "classifier",
    "density ratio",
    "distance difference",
    "likelihood ratio",
    "nearest distance",
    "neighbour ratio",
)
# Numbers that one person alone has.
EXCESS, TRAINING, HOLDOUT = "excess share", "share of training values", "share of holdout values"
ALL = "all numbers"


def spoken(estimate: Estimate, form: str) -> str:
    """Return an estimate in words, e.g. `0.51 (0.47 to 0.55)`; `form` formats each number."""
    if estimate.low is None or estimate.high is None:
        return format(estimate.value, form)
    return f"{estimate.value:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"
