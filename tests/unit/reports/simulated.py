"""A simulated evaluation: breast tumours from scikit-learn, synthetic rows by a Gaussian copula with noise.

Everything is computed from the rows, simply: what reports must bear is the shape of an evaluation.
"""

from functools import cache
from itertools import combinations

import numpy as np
from scipy.stats import ks_2samp, norm, rankdata, spearmanr
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from understudy.core.contracts import Evidence
from understudy.core.results import (
    Axis,
    Curve,
    Detail,
    Estimate,
    Evaluation,
    Figure,
    Finding,
    Histogram,
    Matrix,
    MetricResult,
    Outcome,
    Verdict,
)
from understudy.core.rules import Ordered
from understudy.core.schema import Column, Kind, Role, Schema, Storage, Table

Rows = np.ndarray  # shape (rows, columns), the last column is the diagnosis


@cache
def names() -> tuple[str, ...]:
    return (*(str(n).replace(" ", "_") for n in load_breast_cancer().feature_names), "diagnosis")


def shuffled(rows: Rows, rng: np.random.Generator) -> Rows:
    return np.column_stack([rng.permutation(column) for column in rows.T])


def copula(rows: Rows, n: int, rng: np.random.Generator) -> Rows:
    """Draw rows with the margins of `rows` and the correlations of their normal scores."""
    scores = norm.ppf((np.apply_along_axis(rankdata, 0, rows) - 0.5) / len(rows))
    drawn = rng.multivariate_normal(
        np.zeros(rows.shape[1]), np.corrcoef(scores.T), n, check_valid="ignore", method="eigh"
    )
    made = [np.quantile(column, norm.cdf(z)) for column, z in zip(rows.T, drawn.T, strict=True)]
    made[-1] = np.round(made[-1])
    return np.column_stack(made)


@cache
def tables() -> dict[str, Rows]:
    data = load_breast_cancer()
    rows = np.column_stack([data.data, data.target])
    rng = np.random.default_rng(5)
    rows = rows[rng.permutation(len(rows))]
    real, holdout = rows[:398], rows[398:]
    return {
        "real": real,
        "holdout": holdout,
        "synthetic": copula(real, len(real), rng),
        "floor": shuffled(real, rng),
    }


def around(value: float, rows: int, low: float = 0.0, high: float = 1.0) -> Estimate:
    half = 1.96 * np.sqrt(max(value * (1 - value), 0.01) / rows)
    return Estimate(value=value, low=max(low, value - half), high=min(high, value + half))


def answer(metric: str, title: str, axis: Axis, scale: tuple[float, float], values: dict[str, float],
           details: list[Detail], figures: list[Figure], texts: tuple[str, str, str]) -> MetricResult:  # fmt: skip
    rows = len(tables()["holdout"])
    found = {name: around(values[name], rows) for name in ("estimate", "ceiling", "floor") if name in values}
    return MetricResult(
        metric=metric,
        title=title,
        question=texts[0],
        axis=axis,
        best=scale[0],
        worst=scale[1],
        estimate=found.get("estimate"),
        ceiling=found.get("ceiling"),
        floor=found.get("floor"),
        details=tuple(details),
        figures=tuple(figures),
        reading=texts[1],
        advice=texts[2],
        seconds=0.3,
    )


def marginals() -> MetricResult:
    t = tables()
    details, figures = [], list[Figure]()
    for j, name in enumerate(names()):
        gaps = {k: float(ks_2samp(t["real"][:, j], t[k][:, j]).statistic) for k in ("synthetic", "holdout")}
        details.append(
            Detail(
                scope="column",
                name=name,
                measure="agreement",
                estimate=around(1 - gaps["synthetic"], 171),
                ceiling=around(1 - gaps["holdout"], 171),
            )
        )
        figures.append(histogram(name, t["real"][:, j], t["synthetic"][:, j]))
    values = {
        "estimate": float(np.mean([d.estimate.value for d in details if d.estimate])),
        "ceiling": float(np.mean([d.ceiling.value for d in details if d.ceiling])),
        "floor": 1.0,
    }
    texts = (
        "Does each column on its own look like the real one?",
        "The columns agree well",
        "Check the units",
    )
    return answer("marginals", "Single columns", Axis.FIDELITY, (1, 0), values, details, figures, texts)


def histogram(name: str, real: np.ndarray, synthetic: np.ndarray) -> Histogram:
    if name == "diagnosis":
        levels = ("malignant", "benign")
        shares = [tuple(float(np.mean(rows == k)) for k in (0, 1)) for rows in (real, synthetic)]
        return Histogram(column=name, kind="levels", levels=levels, real=shares[0], synthetic=shares[1])
    edges = np.linspace(float(np.quantile(real, 0.01)), float(np.quantile(real, 0.99)), 16)
    counts = [np.histogram(np.clip(rows, edges[0], edges[-1]), edges)[0] for rows in (real, synthetic)]
    shown = [None if 0 < c < 11 else float(c / len(real)) for c in counts[0]]
    return Histogram(
        column=name,
        unit="mm" if "radius" in name else None,
        edges=tuple(edges.tolist()),
        real=tuple(shown),
        synthetic=tuple((counts[1] / len(synthetic)).tolist()),
    )


def pairs() -> MetricResult:
    t = tables()
    maps = {k: np.asarray(spearmanr(t[k]).statistic) for k in t}
    upper = np.triu_indices(len(names()), 1)
    gaps = {k: np.abs(maps[k] - maps["real"])[upper] for k in ("synthetic", "holdout", "floor")}
    details = [
        Detail(
            scope="pair",
            name=f"{names()[i]} × {names()[j]}",
            measure="difference",
            estimate=around(float(abs(maps["synthetic"] - maps["real"])[i, j]), 171),
        )
        for i, j in combinations(range(len(names())), 2)
    ]
    details.sort(key=lambda d: -d.estimate.value if d.estimate else 0.0)
    figures: list[Figure] = [
        Matrix(name=k, labels=names(), values=tuple(tuple(map(float, row)) for row in m))
        for k, m in (
            ("real", maps["real"]),
            ("synthetic", maps["synthetic"]),
            ("difference", maps["synthetic"] - maps["real"]),
        )
    ]
    values = {
        "estimate": float(gaps["synthetic"].mean()),
        "ceiling": float(gaps["holdout"].mean()),
        "floor": float(gaps["floor"].mean()),
    }
    texts = ("Are columns related to each other as in the real data?", "Most relations are kept", "Use trees")
    return answer("pairs", "Pairs of columns", Axis.FIDELITY, (0, 1), values, details, figures, texts)


def separation(one: Rows, other: Rows) -> float:
    rows, who = np.vstack([one, other]), np.repeat([0, 1], [len(one), len(other)])
    half = np.random.default_rng(1).permutation(len(rows)) % 2 == 0
    model = RandomForestClassifier(40, min_samples_leaf=3, random_state=0).fit(rows[half], who[half])
    return max(0.5, float(roc_auc_score(who[~half], model.predict_proba(rows[~half])[:, 1])))


def detection() -> MetricResult:
    t = tables()
    values = {
        "estimate": separation(t["real"], t["synthetic"]),
        "ceiling": separation(t["real"], t["holdout"]),
        "floor": separation(t["real"], t["floor"]),
    }
    texts = (
        "Can a classifier tell synthetic patients from real ones?",
        "A classifier finds differences",
        "Look at the pairs that differ most, and learn from more rows",
    )
    return answer("detection", "Telling apart", Axis.FIDELITY, (0.5, 1), values, [], [], texts)


def learned(train: Rows) -> float:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(train[:, :-1], train[:, -1])
    test = tables()["holdout"]
    return float(roc_auc_score(test[:, -1], model.decision_function(test[:, :-1])))


def prediction() -> MetricResult:
    t = tables()
    values = {
        "estimate": learned(t["synthetic"]),
        "ceiling": learned(t["real"]),
        "floor": learned(t["floor"]),
    }
    details = [
        Detail(
            scope="model",
            name=name,
            measure="AUROC",
            estimate=around(values["estimate"] - loss, 171),
            ceiling=around(values["ceiling"] - loss, 171),
            floor=around(max(values["floor"] - loss, 0.3), 171),
        )
        for name, loss in (("linear model", 0.0), ("boosted trees", 0.01))
    ]
    texts = ("Does a model learned from the synthetic data work on real patients?", "It does", "More rows")
    return answer("prediction", "Prediction", Axis.UTILITY, (1, 0.5), values, details, [], texts)


def membership() -> MetricResult:
    t = tables()
    spread = t["real"].std(axis=0)

    def nearest(rows: Rows, others: Rows, rank: int) -> np.ndarray:
        gaps = ((rows[:, None, :] - others[None, :, :]) / spread) ** 2
        return np.sqrt(np.sort(gaps.sum(axis=2), axis=1)[:, rank])

    people = np.vstack([t["real"][:171], t["holdout"]])
    who = np.repeat([1, 0], [171, len(t["holdout"])])
    details, figures = [], list[Figure]()
    for name, rank in (("distance difference", 0), ("density ratio", 4), ("classifier", 9)):
        score = -nearest(people, t["synthetic"], rank)
        fpr, tpr, _ = roc_curve(who, score, drop_intermediate=False)
        details.append(
            Detail(scope="attack", name=name, measure="AUC", estimate=around(roc_auc_score(who, score), 171))
        )
        for rate in (0.1, 0.01):
            caught = float(tpr[fpr <= rate].max(initial=0.0))
            details.append(
                Detail(scope="attack", name=name, measure=f"TPR@{rate:.0%}FPR", estimate=around(caught, 171))
            )
        figures.append(
            Curve(
                name=name,
                x=tuple(fpr.tolist()),
                y=tuple(tpr.tolist()),
                x_title="non-members wrongly accused",
                y_title="members found",
            )
        )
    values = {
        "estimate": max(d.estimate.value for d in details if d.measure == "AUC" and d.estimate),
        "ceiling": 0.5,
        "floor": 0.5,
    }
    texts = (
        "Can somebody who holds the synthetic table find out who was among the real patients?",
        "No attack does clearly better than chance",
        "Hold out more rows",
    )
    found = answer(
        "membership", "Membership inference", Axis.PRIVACY, (0.5, 1), values, details, figures, texts
    )
    reason = "Only 171 patients outside the training data, 250 are needed"
    return found.model_copy(update={"outcome": Outcome.INCONCLUSIVE, "reason": reason})


def copies() -> MetricResult:
    share = float(np.mean([(tables()["real"] == row).all(axis=1).any() for row in tables()["synthetic"]]))
    texts = ("Does the synthetic table contain real patients' rows?", "It contains none", "Remove them")
    values = {"estimate": share, "ceiling": 0.0}
    details = [Detail(scope="table", name="verbatim copies", measure="share", estimate=around(share, 398))]
    return answer("copies", "Copies of training rows", Axis.PRIVACY, (0, 1), values, details, [], texts)


def fairness() -> MetricResult:
    t = tables()
    details = []
    for k, group in enumerate(("small", "medium", "large")):
        cuts = np.quantile(t["real"][:, 3], [0, 1 / 3, 2 / 3, 1])
        chosen = [r for r in t["holdout"] if cuts[k] <= r[3] <= cuts[k + 1]]
        accuracy = float(np.mean([(r[0] < 15) == (r[-1] == 1) for r in chosen]))
        details.append(
            Detail(
                scope="group",
                name=f"mean_area = {group}",
                measure="AUROC",
                estimate=around(accuracy, len(chosen)),
                ceiling=around(min(accuracy + 0.02, 1), len(chosen)),
                rows=len(chosen),
            )
        )
    texts = (
        "Would a model learned from the synthetic data treat groups less equally?",
        "No",
        "Balance groups",
    )
    values = {"estimate": 0.06, "ceiling": 0.05}
    return answer("fairness", "Gap between groups", Axis.FAIRNESS, (0, 1), values, details, [], texts)


def plausibility() -> MetricResult:
    t = tables()
    broken = {k: float(np.mean(t[k][:, 0] > t[k][:, 20])) for k in ("real", "synthetic", "holdout", "floor")}
    details = [
        Detail(
            scope="rule",
            name="mean_radius <= worst_radius",
            estimate=around(1 - broken["synthetic"], 398),
            ceiling=around(1 - broken["holdout"], 171),
            rows=398,
        )
    ]
    values = {
        n: 1 - broken[k] for n, k in zip(("estimate", "ceiling", "floor"), list(broken)[1:], strict=True)
    }
    texts = ("Could these patients exist, as far as bounds and rules can say?", "Nearly all", "Add rules")
    return answer("plausibility", "Rules and bounds", Axis.PLAUSIBILITY, (1, 0), values, details, [], texts)


def schema() -> Schema:
    columns = [
        Column(
            name=name,
            kind=Kind.NUMBER,
            storage=Storage.FLOAT,
            low=0.0,
            unit="mm" if "radius" in name else None,
        )
        for name in names()[:-1]
    ]
    columns[3] = columns[3].model_copy(update={"roles": (Role.PROTECTED,)})
    target = Column(
        name="diagnosis", kind=Kind.CATEGORY, roles=(Role.TARGET,), values=("malignant", "benign")
    )
    key = Column(
        name="mrn", kind=Kind.KEY, roles=(Role.KEY, Role.IDENTIFIER), identifier="medical record number"
    )
    rule = Ordered(name="worst is worst", lower="mean_radius", upper="worst_radius", source="by definition")
    return Schema(tables=(Table(columns=(key, *columns, target)),), rules=(rule,))


@cache
def full() -> Evidence:
    """A whole evaluation with a verdict."""
    results = (
        marginals(), pairs(), detection(), prediction(), membership(), copies(), fairness(), plausibility(),
    )  # fmt: skip
    t = tables()
    verdict = Verdict(
        policy="internal",
        is_released=True,
        summary="Every requirement of the internal policy that could be checked is met",
        findings=(
            Finding(requirement="no copies beyond the holdout's", status="met", evidence="0 verbatim copies"),
            Finding(
                requirement="attacks gain little",
                status="inconclusive",
                evidence="171 patients held out, 250 are needed",
            ),
            Finding(requirement="rules hold", status="met", evidence="see plausibility"),
        ),
    )
    return Evidence(
        title="Breast tumours, measured under the microscope",
        goal="A table to teach students with",
        schema=schema(),
        plan={
            "table": "some/where/breast_cancer.csv",
            "synthesizer": {"name": "gaussian_copula", "settings": {"ridge": 0.01}, "reason": ""},
            "rows": 398,
            "seed": 5,
            "policy": "internal",
            "reasons": {"rows": "as many as were learned from"},
        },
        evaluation=Evaluation(results=results, real_rows=398, synthetic_rows=398, holdout_rows=171),
        verdict=verdict,
        preview={n: tuple(f"{v:.4g}" for v in t["synthetic"][:10, j]) for j, n in enumerate(names())},
        violations=("rule 'worst is worst': 2 rows have mean_radius above worst_radius",),
        provenance={
            "versions": {"understudy": "0.1.0", "numpy": np.__version__},
            "seed": 5,
            "digests": {"data/patients.csv": "9f" * 32},
            "timings": {"fit_s": 0.41, "sample_s": 0.02},
        },
    )


def without_answers() -> Evidence:
    """An evaluation of nothing."""
    return full().model_copy(
        update={
            "evaluation": Evaluation(results=(), real_rows=0, synthetic_rows=0, holdout_rows=0),
            "verdict": None,
            "plan": {},
            "preview": {},
            "violations": (),
            "provenance": {},
            "goal": "",
        }
    )


def ended(outcome: Outcome) -> Evidence:
    """An evaluation whose every metric ended without an answer."""
    results = tuple(
        MetricResult(
            metric=r.metric,
            title=r.title,
            question=r.question,
            axis=r.axis,
            best=r.best,
            worst=r.worst,
            outcome=outcome,
            reason="the reason for it",
        )
        for r in full().evaluation.results
    )
    evaluation = full().evaluation.model_copy(update={"results": results})
    return full().model_copy(update={"evaluation": evaluation})


HOSTILE = (
    "<script>alert(1)</script> | `x` **y** [z](javascript:alert(2)) ![p](http://a.b/c.png) \"'><b onclick=q>"
)


def hostile() -> Evidence:
    """An evaluation in which every word that a table or a person can bring along is an attack."""
    scale = Estimate(value=0.4, low=0.3, high=0.5)
    figures: tuple[Figure, ...] = (
        Histogram(
            column=HOSTILE,
            unit=HOSTILE,
            levels=(HOSTILE, "a"),
            kind="levels",
            real=(0.4, 0.6),
            synthetic=(1, 0),
        ),
        Histogram(column="x", edges=(0, 1, float("inf")), real=(0.4, None), synthetic=(0.5, 0.5)),
        Matrix(name=HOSTILE, labels=(HOSTILE, "b"), values=((1, 0.5), (0.5, None))),
        Curve(name=HOSTILE, x=(0, 1), y=(0, 1), x_title=HOSTILE, y_title=HOSTILE),
    )
    result = MetricResult(
        metric="unheard_of",
        title=HOSTILE,
        question=HOSTILE,
        axis=Axis.FIDELITY,
        best=1,
        worst=0,
        estimate=scale,
        floor=scale,
        details=tuple(
            Detail(scope=scope, name=HOSTILE + end, measure=measure, estimate=scale, note=HOSTILE)
            for scope in ("column", "group", "attack")
            for measure in (HOSTILE, "AUC")
            for end in ("", "2")
        ),
        figures=figures,
        reading=HOSTILE,
        advice=HOSTILE,
    )
    on_each_axis = tuple(result.model_copy(update={"axis": axis}) for axis in Axis)
    failed = result.model_copy(update={"outcome": Outcome.FAILED, "reason": HOSTILE, "estimate": None})
    column = Column(
        name=HOSTILE, kind=Kind.CATEGORY, values=(HOSTILE, "|"), unit=HOSTILE, roles=(Role.PROTECTED,)
    )
    finding = Finding(requirement=HOSTILE, status="not_met", evidence=HOSTILE)
    return Evidence(
        title=HOSTILE,
        goal=HOSTILE,
        schema=Schema(
            tables=(Table(name=HOSTILE, columns=(column,)),),
            rules=(Ordered(name=HOSTILE, lower=HOSTILE, upper="b", source=HOSTILE),),
        ),
        plan={"synthesizer": {"name": HOSTILE, "settings": {HOSTILE: HOSTILE}}, HOSTILE: HOSTILE},
        evaluation=Evaluation(results=(*on_each_axis, failed), real_rows=9, synthetic_rows=9, holdout_rows=9),
        verdict=Verdict(policy=HOSTILE, is_released=False, findings=(finding,), summary=HOSTILE),
        preview={HOSTILE: (HOSTILE, HOSTILE)},
        violations=(HOSTILE,),
        provenance={HOSTILE: {HOSTILE: HOSTILE}},
    )
