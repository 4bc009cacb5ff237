"""Measure `us_adults` against the survey that it was built from, published figures and the clock.

Needs the public-use files of NHANES 2017-March 2020 in `$UNDERSTUDY_SHARED/data/nhanes/raw` (or in the folder
`shared` beside the checkout). Prints one line per bar: what was asked, what was measured.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.survey import Bar, deviation_error, estimate, survey, weight_of
from benchmarks.waiting import commanded
from benchmarks.weighted_reference import against_reference
from understudy.core.conditions import Between, Conditions, OneOf
from understudy.core.seeds import Seed
from understudy.knowledge.observations import observations
from understudy.knowledge.rules import applicable, broken, check
from understudy.populations.generator import PopulationGenerator
from understudy.populations.nhanes import EXAMINATION, FASTING
from understudy.populations.structure import SEEN_IN_SURVEY
from understudy.populations.us_adults import UsAdults

CORE = (
    "age", "sex", "race_ethnicity", "bmi", "height", "waist", "systolic_bp", "diastolic_bp", "hba1c",
    "random_glucose", "total_cholesterol", "hdl", "creatinine", "alt", "uric_acid", "hemoglobin", "wbc",
    "diabetes_diagnosed", "hypertension_diagnosed", "smoking_status",
)  # fmt: skip
ANCHORS = {
    "obesity": 41.9,
    "diabetes, diagnosed": 11.3,
    "diabetes, undiagnosed": 4.5,
    "diabetes, total": 15.8,
}


def cells() -> Iterator[tuple[str, pl.Expr]]:
    """Yield everyone and diagnosed diabetes, by sex and age group."""
    ages = {"20-39": (20, 39), "40-59": (40, 59), "60-79": (60, 79), "80+": (80, 200)}
    for group, chosen in (("adults", pl.lit(value=True)), ("diabetes", pl.col("diabetes_diagnosed"))):
        yield group, chosen
        for sex in ("female", "male"):
            yield f"{group}, {sex}", chosen & (pl.col("sex") == sex)
            for label, (low, high) in ages.items():
                yield (
                    f"{group}, {sex}, {label}",
                    chosen & (pl.col("sex") == sex) & pl.col("age").is_between(low, high),
                )


def moments(
    people: pl.DataFrame, drawn: pl.DataFrame, diabetes: pl.DataFrame
) -> tuple[list[Bar], pl.DataFrame]:
    """Compare means, SDs and prevalences of all cells."""
    names = [n for n in people.columns if n in drawn.columns and not isinstance(people[n].dtype, pl.String)]
    rows = []
    for label, inside in cells():
        mine = (diabetes if label.startswith("diabetes") else drawn).filter(inside)
        for name in names:
            found = estimate(people, name, inside)
            if found is None or people[name].dtype == pl.String:
                continue
            mean, error, deviation, count, _ = found
            values = mine[name].cast(pl.Float64).drop_nulls()
            if values.len() < 50:
                continue
            got, spread = float(np.mean(values.to_numpy())), float(np.std(values.to_numpy()))
            is_share = people[name].dtype == pl.Boolean
            close = (
                abs(got - mean) <= (0.01 if is_share else 0.03 * abs(mean)) or abs(got - mean) <= 1.96 * error
            )
            near = is_share or abs(spread / deviation - 1) <= 0.10
            wide = near or abs(spread - deviation) <= 1.96 * deviation_error(
                people, name, inside, mean, deviation
            )
            rows.append(
                (label, name, is_share, count, mean, error, got, deviation, spread, close, near, wide)
            )
    columns = [
        "cell",
        "name",
        "is_share",
        "people",
        "mean",
        "error",
        "got",
        "sd",
        "got_sd",
        "mean_ok",
        "sd_ok",
        "sd_in",
    ]
    table = pl.DataFrame(rows, schema=columns, orient="row")
    bars = []
    for what, part in (
        ("prevalences", table.filter("is_share")),
        ("means", table.filter(~pl.col("is_share"))),
    ):
        for group in ("adults", "diabetes"):
            some = part.filter(pl.col("cell").str.starts_with(group))
            ok = _share(some["mean_ok"])
            asked = "within 1 pp or 95 % interval" if what == "prevalences" else "within 3 % or 95 % interval"
            bars.append(
                Bar(f"{what}, {group} ({some.height} cells)", asked, f"{100 * ok:.1f} % of cells", ok == 1)
            )
            if what == "means":
                ok = _share(some["sd_ok"])
                bars.append(
                    Bar(
                        f"SDs, {group} ({some.height} cells)",
                        "within 10 %",
                        f"{100 * ok:.1f} % of cells",
                        ok == 1,
                    )
                )
                ok = _share(some["sd_in"])
                bars.append(
                    Bar(
                        f"SDs, {group}", "within 10 % or 95 % interval", f"{100 * ok:.1f} % of cells", ok == 1
                    )
                )
    return bars, table


def _share(flags: pl.Series) -> float:
    return float(np.mean(flags.to_numpy()))


def correlations(people: pl.DataFrame, drawn: pl.DataFrame) -> tuple[list[Bar], pl.DataFrame]:
    """Compare weighted rank correlations of all pairs of numbers."""
    names = [n for n in people.columns if n in drawn.columns and people[n].dtype.is_float()]
    names = [n for n in names if people[n].null_count() < 0.7 * people.height]
    rows = []
    for a, b in combinations(names, 2):
        weight = FASTING if FASTING in (weight_of(a), weight_of(b)) else EXAMINATION
        real = people.select(a, b, weight).drop_nulls()
        made = drawn.select(a, b).drop_nulls().head(30_000)
        w = real[weight].to_numpy()
        wanted = _correlation(_ranks(real[a].to_numpy(), w), _ranks(real[b].to_numpy(), w), w)
        one = np.ones(made.height)
        got = _correlation(rankdata(made[a].to_numpy()), rankdata(made[b].to_numpy()), one)
        rows.append((a, b, wanted, got, abs(got - wanted)))
    table = pl.DataFrame(rows, schema=["a", "b", "real", "got", "off"], orient="row")
    off = table["off"].to_numpy()
    middle, most = float(np.median(off)), float(off.max())
    return [
        Bar(f"rank correlations, median of {table.height} pairs", "<= 0.05", f"{middle:.3f}", middle <= 0.05),
        Bar("rank correlations, largest difference", "<= 0.12", f"{most:.3f}", most <= 0.12),
    ], table


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    distinct, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weights, minlength=len(distinct))
    return np.asarray((np.cumsum(mass) - mass / 2)[place])


def _correlation(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    x, y = x - np.average(x, weights=w), y - np.average(y, weights=w)
    return float((w * x * y).sum() / np.sqrt((w * x * x).sum() * (w * y * y).sum()))


def detection(people: pl.DataFrame, drawn: pl.DataFrame, seeds: int = 3) -> Bar:
    """Return how well a cross-fitted classifier tells drawn from surveyed adults on the core columns."""
    levels = {n: i for i, n in enumerate(CORE) if drawn[n].dtype in (pl.String, pl.Boolean)}
    complete = people.drop_nulls(
        ["creatinine", "hba1c", "systolic_bp", "bmi", "waist", "wbc", "hemoglobin", "hdl"]
    )
    both = pl.concat([_core(complete), _core(drawn.head(complete.height))])
    matrix = both.select(
        pl.col(n).cast(pl.String).cast(pl.Categorical).to_physical().cast(pl.Float64)
        if n in levels
        else pl.col(n)
        for n in CORE
    ).to_numpy()
    label = np.repeat([1, 0], [complete.height, complete.height])
    weight = complete[EXAMINATION].to_numpy()
    weights = np.concatenate([weight / weight.mean(), np.ones(complete.height)])
    found = []
    for seed in range(seeds):
        score = np.empty(len(label))
        for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(matrix, label):
            learner = HistGradientBoostingClassifier(
                learning_rate=0.06, max_iter=150, max_leaf_nodes=15, min_samples_leaf=40, random_state=seed,
                categorical_features=[CORE.index(n) for n in levels],
            )  # fmt: skip
            learner.fit(matrix[train], label[train], sample_weight=weights[train])
            score[test] = learner.predict_proba(matrix[test])[:, 1]
        found.append(roc_auc_score(label, score, sample_weight=weights))
    auc = float(np.mean(found))
    return Bar("classifier on 20 core columns, AUC", "<= 0.58", f"{auc:.3f}", auc <= 0.58)


def _core(frame: pl.DataFrame) -> pl.DataFrame:
    # Blood pressures of the survey are means of three readings; the population writes whole numbers.
    numbers = [n for n in CORE if frame[n].dtype.is_numeric()]
    digits = {n: observations()[n].decimals or 0 for n in numbers}
    return frame.select(
        pl.col(n).cast(pl.Float64).round(digits[n]) if n in numbers else pl.col(n) for n in CORE
    )


def anchors(drawn: pl.DataFrame) -> list[Bar]:
    """Compare with published prevalences; diabetes is of August 2021-August 2023, obesity of 2017-March 2020."""
    told = pl.col("diabetes_diagnosed")
    high = ~told & ((pl.col("hba1c") >= 6.5) | (pl.col("fasting_glucose") >= 126))
    asked = {"obesity": pl.col("bmi") >= 30, "diabetes, diagnosed": told, "diabetes, undiagnosed": high,
             "diabetes, total": told | high}  # fmt: skip
    bars = []
    for name, condition in asked.items():
        got = 100 * float(drawn.select(condition.mean()).item())
        bars.append(Bar(name, f"{ANCHORS[name]} % published", f"{got:.1f} %", abs(got - ANCHORS[name]) <= 1))
    return bars


def plausibility(generator: PopulationGenerator, people: pl.DataFrame, drawn: pl.DataFrame) -> list[Bar]:
    """Count broken rules of plausibility; two soft ones may be broken as often as in the survey."""
    found = applicable(generator.schema.table.columns)
    counts = [c for c in check(drawn, found) if c.rule.id not in SEEN_IN_SURVEY]
    bars = []
    for severity in ("hard", "soft"):
        some = [c for c in counts if c.rule.severity.value == severity]
        named = ", ".join(f"{c.rule.id} {c.broken}" for c in some if c.broken)
        total = sum(c.broken for c in some)
        what = f"{len(some)} {severity} rules, {drawn.height:,} people"
        bars.append(Bar(what, "0", f"{total} {named}", total == 0))
    weight = people[EXAMINATION].to_numpy()
    for entry in found:
        if entry.rule.id in SEEN_IN_SURVEY:
            real, made = (
                100 * broken(rows, [entry]).to_series().fill_null(value=False).to_numpy()
                for rows in (people, drawn)
            )
            usual, got = float(np.average(real, weights=weight)), float(made.mean())
            asked = f"the survey's {usual:.2f} %, within 0.5"
            bars.append(Bar(f"soft rule {entry.rule.id}", asked, f"{got:.2f} %", got <= usual + 0.5))
    return bars


def clock(rows: int) -> list[Bar]:
    """Measure what people wait for: whole commands, from a cold start to a release in files."""
    names = (*CORE, "egfr", "ldl", "triglycerides", "uacr", "fasting_glucose", "fasting_insulin", "phq9_total",
             "history_mi", "antihypertensive", "prevent_cvd_10y")  # fmt: skip
    some = commanded("--condition", "type 2 diabetes", "--rows", "2000", "--observations", "20")
    many = commanded(
        "--rows", str(rows), "--observations", "0", "--add", ",".join(names), "--format", "parquet"
    )
    return [
        Bar("command: 2,000 people with diabetes x 20 observations", "<= 5 s", some.says(), some.wall <= 5),
        Bar(
            f"command: {rows:,} people x {len(names)} columns",
            "<= 90 s for 1,000,000 on two cores",
            many.says(),
            many.wall * 1e6 / rows <= 90,
        ),
    ]


def rare(generator: PopulationGenerator) -> list[Bar]:
    """Draw rare conjunctions and time them."""
    asked = {
        "heart failure, over 65, eGFR 30-60": (
            OneOf(column="history_heart_failure", values=("true",)), Between(column="age", low=65),
            Between(column="egfr", low=30, high=60)),
        "LDL >= 190 and BMI < 22": (Between(column="ldl", low=190), Between(column="bmi", high=22, high_open=True)),
        "FIB-4 >= 2.67 under 50": (Between(column="fib4", low=2.67), Between(column="age", high=49)),
        "women under 40, eGFR < 45": (
            OneOf(column="sex", values=("female",)), Between(column="age", high=39), Between(column="egfr", high=45)),
    }  # fmt: skip
    bars = []
    for name, where in asked.items():
        given = Conditions(where=where)
        start = time.perf_counter()
        support = generator.feasibility(given, Seed(1)).support
        drawn = generator.sample(2_000, Seed(2), given).frame
        took = time.perf_counter() - start
        again = drawn.height - drawn.unique().height
        bars.append(
            Bar(
                f"2,000 of: {name}",
                "no repeats",
                f"support {support:.5f}, {took:.1f} s, {again} repeats",
                again == 0,
            )
        )
    return bars


def show(table: pl.DataFrame, most: int) -> None:
    """Print the cells that are furthest off."""
    if table.is_empty():
        return
    shown = ["cell", "name", "people", "mean", "error", "got", "sd", "got_sd"]
    pl.Config.set_tbl_rows(200).set_tbl_cols(20).set_fmt_str_lengths(40).set_tbl_width_chars(160)
    off = ((pl.col("got") - pl.col("mean")) / pl.col("error")).abs()
    print(table.filter(~pl.col("mean_ok")).sort(off, descending=True).head(most).select(shown))
    wide = (pl.col("got_sd") / pl.col("sd")).log().abs()
    print(table.filter(~pl.col("sd_in")).sort(wide, descending=True).head(most).select(shown))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="people to compare with")
    parser.add_argument("--timed", type=int, default=1_000_000, help="people to time")
    parser.add_argument("--show", type=int, default=0, help="worst cells to show")
    parser.add_argument("--only", default="", help="parts: moments, correlations, detection, clock, rare")
    wanted = parser.parse_args()
    generator = UsAdults().build()
    bars: list[Bar] = []

    def has(part: str) -> bool:
        return not wanted.only or part in wanted.only

    people, drawn = survey(), generator.sample(wanted.rows, Seed(11)).frame
    if has("moments"):
        given = Conditions(where=(OneOf(column="diabetes_diagnosed", values=("true",)),))
        diabetes = generator.sample(wanted.rows // 3, Seed(12), given).frame
        found, table = moments(people, drawn, diabetes)
        bars += found
        found, beside = against_reference(people, drawn)
        bars += found
        if wanted.show:
            show(table, wanted.show)
            show(beside, wanted.show)
    if has("correlations"):
        found, table = correlations(people, drawn)
        bars += found
        if wanted.show:
            print(table.sort("off", descending=True).head(wanted.show))
    bars += [detection(people, drawn)] if has("detection") else []
    bars += [*anchors(drawn), *plausibility(generator, people, drawn)]
    bars += rare(generator) if has("rare") else []
    bars += clock(wanted.timed) if has("clock") else []
    for bar in bars:
        print(f"{'met ' if bar.is_met else 'MISS'}  {bar.what}: {bar.measured} (asked: {bar.asked})")


if __name__ == "__main__":
    main()
