"""Every metric: what can be asked about a synthetic dataset."""

from __future__ import annotations

from understudy.core.catalog import Catalog, Entry
from understudy.core.contracts import Metric

CATALOG: Catalog[Metric] = Catalog(
    "metric",
    [
        Entry(
            "augmentation",
            "understudy.metrics.augmentation:Augmentation",
            "Does a model get better when synthetic rows are added to the real ones?",
            frozenset({"utility", "holdout", "target", "everyone"}),
        ),
        Entry(
            "clinical",
            "understudy.metrics.clinical:Clinical",
            "Could these patients exist, by what medicine knows?",
            frozenset({"plausibility", "knowledge"}),
        ),
        Entry(
            "closest_record",
            "understudy.metrics.closest_record:ClosestRecord",
            "Are synthetic patients nearer to the patients learned from than to others?",
            frozenset({"privacy", "holdout"}),
        ),
        Entry(
            "copies",
            "understudy.metrics.copies:Copies",
            "Are synthetic rows copies, or near copies, of real patients?",
            frozenset({"privacy", "holdout"}),
        ),
        Entry(
            "coverage",
            "understudy.metrics.coverage:Coverage",
            "Is every kind of real patient represented, and no patient outlandish?",
            frozenset({"fidelity"}),
        ),
        Entry(
            "detection",
            "understudy.metrics.detection:Detection",
            "Can a classifier tell synthetic patients from real ones?",
            frozenset({"fidelity"}),
        ),
        Entry(
            "diversity",
            "understudy.metrics.diversity:Diversity",
            "Do synthetic patients vary as much as real ones?",
            frozenset({"diversity"}),
        ),
        Entry(
            "fairness",
            "understudy.metrics.fairness:Fairness",
            "Would a model learned from the synthetic data treat groups less equally?",
            frozenset({"fairness", "holdout", "target", "protected"}),
        ),
        Entry(
            "group_marginals",
            "understudy.metrics.group_marginals:GroupMarginals",
            "Is every protected group portrayed as faithfully as the others?",
            frozenset({"fairness", "protected"}),
        ),
        Entry(
            "group_prediction",
            "understudy.metrics.group_prediction:GroupPrediction",
            "Do models learned from the synthetic data serve every group of real patients?",
            frozenset({"fairness", "holdout", "target", "protected"}),
        ),
        Entry(
            "importance",
            "understudy.metrics.importance:Importance",
            "Do models learned from the synthetic data rely on the same columns?",
            frozenset({"utility", "holdout", "target"}),
        ),
        Entry(
            "marginals",
            "understudy.metrics.marginals:Marginals",
            "Does each column on its own look like the real one?",
            frozenset({"fidelity", "missing"}),
        ),
        Entry(
            "membership",
            "understudy.metrics.membership:Membership",
            "Can an attacker tell who was among the patients learned from?",
            frozenset({"privacy", "holdout"}),
        ),
        Entry(
            "missingness",
            "understudy.metrics.missingness:Missingness",
            "Are values missing as often, together, and for the same kinds of patients?",
            frozenset({"fidelity", "missing"}),
        ),
        Entry(
            "pairs",
            "understudy.metrics.pairs:Pairs",
            "Are columns related to each other as in the real data?",
            frozenset({"fidelity"}),
        ),
        Entry(
            "plausibility",
            "understudy.metrics.plausibility:Plausibility",
            "Could these patients exist, as far as the schema's bounds and rules can say?",
            frozenset({"plausibility", "rules"}),
        ),
        Entry(
            "prediction",
            "understudy.metrics.prediction:Prediction",
            "Does a model learned from the synthetic data work on real patients?",
            frozenset({"utility", "holdout", "target"}),
        ),
        Entry(
            "single_values",
            "understudy.metrics.single_values:SingleValues",
            "Do numbers that one real person alone has come back?",
            frozenset({"privacy", "holdout"}),
        ),
    ],
)
