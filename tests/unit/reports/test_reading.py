"""What reports say about results: judgements, charts, tables and words."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.unit.reports.simulated import full, without_answers
from understudy.core.blocks import Callout, Chart, Heading, Image, Numbers, TableBlock, Text
from understudy.core.catalog import Choice
from understudy.core.contracts import Evidence
from understudy.core.errors import RequestError, SettingsError, UnknownNameError
from understudy.core.results import (
    Axis,
    Curve,
    Detail,
    Estimate,
    Evaluation,
    Finding,
    Histogram,
    Matrix,
    MetricResult,
    Outcome,
    Verdict,
)
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.values import Value
from understudy.reports.charts.curves import area, curve_chart, is_roc
from understudy.reports.charts.gauges import GaugeScale, gauge_chart
from understudy.reports.charts.heatmaps import difference, heatmap_charts
from understudy.reports.charts.histograms import histogram_chart
from understudy.reports.compose import DEFAULT_SECTIONS, compose, render
from understudy.reports.drawing import draw
from understudy.reports.figures import figure_blocks
from understudy.reports.judgement import judge
from understudy.reports.markdown import escape
from understudy.reports.parts import part_tables
from understudy.reports.wording import bounds, interval

GOLDEN = Path(__file__).parents[2] / "golden" / "report_blocks.json"


Reading = float | tuple[float, float, float] | None


def result(
    axis: Axis = Axis.FIDELITY,
    best: float = 1.0,
    worst: float = 0.0,
    estimate: Reading = None,
    ceiling: Reading = None,
    floor: Reading = None,
) -> MetricResult:
    """A result with `estimate`, `ceiling` and `floor` as numbers or (value, low, high)."""

    def read(number: Reading) -> Estimate | None:
        if number is None:
            return None
        value, low, high = number if isinstance(number, tuple) else (number, None, None)
        return Estimate(value=value, low=low, high=high)

    return MetricResult(
        metric="m",
        title="Title",
        question="why",
        axis=axis,
        best=best,
        worst=worst,
        advice="do this",
        estimate=read(estimate),
        ceiling=read(ceiling),
        floor=read(floor),
    )


@pytest.mark.parametrize(
    ("given_result", "tone"),
    [
        (result(estimate=0.95, ceiling=0.96, floor=0.2), "good"),
        (result(estimate=0.99, ceiling=0.96, floor=0.2), "good"),
        (result(estimate=0.7, ceiling=0.96, floor=0.2), "fair"),
        (result(estimate=0.25, ceiling=0.96, floor=0.2), "bad"),
        (result(best=0, worst=1, estimate=0.02, ceiling=0.015, floor=0.2), "good"),
        (result(best=0, worst=1, estimate=0.18, ceiling=0.015, floor=0.2), "bad"),
        (result(Axis.PRIVACY, 0.5, 1, estimate=(0.52, 0.49, 0.55)), "good"),
        (result(Axis.PRIVACY, 0.5, 1, estimate=(0.515, 0.51, 0.52)), "fair"),
        (result(Axis.PRIVACY, 0.5, 1, estimate=(0.6, 0.55, 0.65)), "bad"),
        (result(Axis.PRIVACY, 0.5, 1, estimate=(0.6, 0.55, 0.65), ceiling=0.45), "bad"),
        (result(best=0.5, worst=1, estimate=0.54, ceiling=0.4, floor=0.95), "good"),
        (result(estimate=float("nan")), "neutral"),
        (result(best=float("inf"), worst=0, estimate=3.0, ceiling=2.0), "good"),
    ],
)
def test_a_result_is_judged_by_its_anchors(given_result: MetricResult, tone: str) -> None:
    assert judge(given_result).tone == tone


def test_a_wide_interval_does_not_turn_a_bad_result_into_a_good_one() -> None:
    assert judge(result(estimate=(0.3, 0.0, 1.0), ceiling=0.96, floor=0.2)).tone == "bad"


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.FAILED, Outcome.NOT_APPLICABLE])
def test_without_an_answer_there_is_no_judgement(outcome: Outcome) -> None:
    assert judge(result(estimate=1.0).model_copy(update={"outcome": outcome})).tone == "neutral"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_on_a_gauge_better_is_never_left_of_worse(a: float, b: float, c: float, is_rising: bool) -> None:
    best, worst = (1.0, 0.0) if is_rising else (0.0, 1.0)
    place = GaugeScale(result(best=best, worst=worst, estimate=a, ceiling=b, floor=c))
    ordered = sorted((a, b, c), reverse=not is_rising)
    places = [place(value) for value in ordered]
    assert places == sorted(places)
    assert all(0 <= p <= 1 for p in places)


def test_a_gauge_without_any_value_is_not_drawn() -> None:
    assert gauge_chart("Fidelity", [result(), result(estimate=float("nan"))]) is None


@given(st.floats(0.001, 0.999), st.floats(1e-6, 0.4))
def test_an_interval_is_written_around_its_value(value: float, half: float) -> None:
    written = bounds(Estimate(value=value, low=value - half, high=value + half))
    middle, low, high = (float(part) for part in written)
    assert low <= middle <= high


def test_an_estimate_without_an_interval_stands_alone() -> None:
    assert interval(Estimate(value=0.51284)) == "0.513"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), max_size=40))
def test_escaped_text_reads_the_same_in_markdown(text: str) -> None:
    plain = " ".join(text.split())
    tokens = MarkdownIt("commonmark").parse("x " + escape("x " + text)[2:])
    children = [child for token in tokens for child in (token.children or ())]
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == f"x {plain}".rstrip()


# --- charts --------------------------------------------------------------------------------------


def values_of(chart: Chart, layer: int) -> list[dict]:
    return chart.spec["layer"][layer]["data"]["values"]


def test_bins_of_few_people_are_left_empty_and_open_ends_are_closed() -> None:
    figure = Histogram(
        column="age",
        edges=(float("-inf"), 40, 60, float("inf")),
        real=(0.5, None, 0.5),
        synthetic=(0.3, 0.4, 0.3),
    )
    chart = histogram_chart(figure)
    bars = values_of(chart, 0)
    assert [(bar["a"], bar["b"]) for bar in bars] == [(20, 40), (60, 80)]
    assert "20 % of the synthetic rows" in chart.alt
    assert "<svg" in draw(chart.spec, 0)


def test_bins_of_unequal_width_keep_their_area() -> None:
    figure = Histogram(column="x", edges=(0, 1, 4), real=(0.25, 0.75), synthetic=(0.25, 0.75))
    first, second = values_of(histogram_chart(figure), 0)
    assert first["h"] == pytest.approx(second["h"])


def test_dates_are_drawn_as_dates() -> None:
    figure = Histogram(
        column="visit", kind="datetime", edges=(0, 86_400, 172_800), real=(0.5, 0.5), synthetic=(0.4, 0.6)
    )
    chart = histogram_chart(figure)
    assert "from 1970-01-01 to 1970-01-03" in chart.alt
    assert chart.spec["layer"][0]["encoding"]["x"]["type"] == "temporal"


def test_many_levels_are_folded_without_losing_a_share() -> None:
    levels = tuple(f"level {i}" for i in range(40))
    figure = Histogram(
        column="code", kind="levels", levels=levels, real=(1 / 40,) * 40, synthetic=(1 / 40,) * 40
    )
    rows = histogram_chart(figure).spec["data"]["values"]
    assert len(rows) == 12
    assert rows[-1]["level"] == "29 more"
    assert sum(row["real"] for row in rows) == pytest.approx(1)


def test_the_difference_of_two_maps_is_added() -> None:
    real = Matrix(name="real", labels=("a", "b"), values=((1, 0.5), (0.5, 1)))
    synthetic = Matrix(name="synthetic", labels=("b", "a"), values=((1, 0.2), (0.2, 1)))
    assert difference(real, synthetic).values[0][1] == pytest.approx(-0.3)
    assert [c.spec["title"]["text"] for c in heatmap_charts([real, synthetic])] == [
        "Real",
        "Synthetic",
        "Difference",
    ]


def test_a_large_map_shows_its_strongest_columns() -> None:
    size = 60
    values = tuple(tuple(1.0 if i >= 20 and j >= 20 else 0.0 for j in range(size)) for i in range(size))
    chart = heatmap_charts([Matrix(name="real", labels=tuple(f"c{i}" for i in range(size)), values=values)])[
        0
    ]
    shown = [row["t"] for row in values_of(chart, 1)]
    assert shown == [f"c{i}" for i in range(20, 60)]


def test_only_a_roc_gets_the_diagonal_of_chance() -> None:
    roc = Curve(name="attack", x=(0, 0.5, 1), y=(0, 0.8, 1), x_title="wrongly accused", y_title="found")
    other = Curve(name="loss", x=(1, 2), y=(3, 1))
    assert is_roc(roc)
    assert not is_roc(other)
    assert len(curve_chart([roc]).spec["layer"]) == 2
    assert len(curve_chart([other]).spec["layer"]) == 1
    assert area(roc) == pytest.approx(0.65)
    assert "area 0.65" in curve_chart([roc]).alt


def test_a_chart_that_asks_for_data_from_elsewhere_is_refused() -> None:
    spec = {"data": {"url": "https://example.org/x.csv"}, "mark": "point", "encoding": {}}
    with pytest.raises(RequestError, match="from elsewhere"):
        draw(spec, 0)


def test_a_specification_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError, match="cannot be drawn"):
        draw({"mark": 3}, 0)


class Sculpture(Value):
    """A figure that nobody has heard of."""

    figure: str = "sculpture"


def test_a_figure_of_an_unknown_kind_is_named() -> None:
    strange = result(estimate=0.5).model_copy(update={"figures": (Sculpture(),)})
    assert [b.text for b in figure_blocks(strange) if isinstance(b, Text)] == [
        "A figure of the kind `sculpture` cannot be drawn here; its numbers are in the evaluation."
    ]


def test_columns_beyond_the_limit_are_counted() -> None:
    figures = tuple(Histogram(column=f"c{i}", edges=(0, 1), real=(1.0,), synthetic=(1.0,)) for i in range(5))
    blocks = figure_blocks(result(estimate=0.5).model_copy(update={"figures": figures}), most=3)
    assert sum(isinstance(b, Chart) for b in blocks) == 3
    assert isinstance(blocks[-1], Text)
    assert blocks[-1].text.startswith("2 columns")


# --- tables --------------------------------------------------------------------------------------


def details(count: int, scope: str = "column", measures: tuple[str, ...] = ("agreement",)) -> list[Detail]:
    return [
        Detail.model_validate(
            {"scope": scope, "name": f"c{i}", "measure": m, "estimate": {"value": i / count}}
        )
        for i in range(count)
        for m in measures
    ]


def with_ceilings(parts: list[Detail]) -> list[Detail]:
    return [p.model_copy(update={"ceiling": Estimate(value=0.9)}) for p in parts]


def test_without_anything_to_compare_with_the_order_of_the_metric_is_kept() -> None:
    shown, _ = part_tables("pair", details(20, "pair")[::-1], most=3)
    assert [row[0] for row in shown.rows] == ["c19", "c18", "c17"]
    assert shown.caption == "The pairs that stand out most"


def test_of_several_measures_the_leading_one_is_shown_and_all_are_folded() -> None:
    shown, everything = part_tables("column", details(20, measures=("agreement", "shift")), most=4)
    assert len(shown.rows) == 4
    assert len(everything.rows) == 40


def test_the_worst_columns_come_first_and_the_rest_is_folded() -> None:
    worst, everything = part_tables("column", with_ceilings(details(20)), most=4)
    assert [row[0] for row in worst.rows] == ["c0", "c1", "c2", "c3"]
    assert everything.collapsed
    assert len(everything.rows) == 20


def test_attacks_are_rows_and_their_measures_columns() -> None:
    (table,) = part_tables("attack", details(3, "attack", ("AUC", "TPR@10%FPR")))
    assert table.columns == ("Attack", "AUC", "TPR@10%FPR")
    assert len(table.rows) == 3


def test_a_long_table_says_that_it_was_cut() -> None:
    _, everything = part_tables("pair", details(250, "pair"))
    assert len(everything.rows) == 200
    assert "the evaluation holds them all" in everything.note


# --- sections ------------------------------------------------------------------------------------


def words(evidence: Evidence, section: str) -> str:
    said = []
    for block in compose(evidence, [Choice(name=section)]):
        if isinstance(block, Heading | Text):
            said.append(block.text)
        elif isinstance(block, Callout):
            said += [block.title, block.text, *block.points]
    return "\n".join(said)


def test_a_withheld_table_says_why_first() -> None:
    finding = Finding(requirement="attacks gain little", status="not_met", evidence="AUC 0.61 (0.58 to 0.64)")
    verdict = Verdict(
        policy="external", is_released=False, findings=(finding,), summary="one requirement fails"
    )
    evidence = full().model_copy(update={"verdict": verdict})
    callout = next(b for b in compose(evidence) if isinstance(b, Callout))
    assert (callout.tone, callout.title) == ("bad", "Withheld")
    assert callout.points == ("Attacks gain little: **not met**. AUC 0.61 (0.58 to 0.64).",)


def test_an_evaluation_without_a_policy_claims_no_release() -> None:
    callout = next(b for b in compose(without_answers()) if isinstance(b, Callout))
    assert callout.title == "Evaluated, no release decision"


def test_a_metric_that_nobody_has_heard_of_gets_its_tile_gauge_and_answer() -> None:
    new = result(Axis.UTILITY, estimate=(0.7, 0.6, 0.8), ceiling=0.9, floor=0.1)
    new = new.model_copy(update={"metric": "unheard_of", "title": "Survival curves"})
    evaluation = Evaluation(results=(new,), real_rows=10, synthetic_rows=10, holdout_rows=10)
    blocks = compose(full().model_copy(update={"evaluation": evaluation}), DEFAULT_SECTIONS[:3])
    tiles = [(n.label, n.note) for b in blocks if isinstance(b, Numbers) for n in b.numbers]
    assert (
        "Utility",
        "Survival curves: some way from real rows (real rows 0.900, shuffled columns 0.100)",
    ) in tiles
    assert any("Survival curves 0.70" in b.alt for b in blocks if isinstance(b, Chart))
    assert Heading(text="Survival curves", level=3) in blocks


def test_advice_is_given_when_a_result_is_bad_and_only_then() -> None:
    def advised(estimate: float) -> bool:
        evaluation = Evaluation(
            results=(result(estimate=estimate, ceiling=0.9, floor=0.1),),
            real_rows=9,
            synthetic_rows=9,
            holdout_rows=9,
        )
        return "Do this." in words(full().model_copy(update={"evaluation": evaluation}), "fidelity")

    assert advised(0.2)
    assert not advised(0.9)


def test_distances_are_labelled_as_a_copy_check_below_the_attacks() -> None:
    said = words(full(), "privacy")
    assert (
        said.index("Membership inference") < said.index("Copy check") < said.index("Copies of training rows")
    )
    assert "absence proves no privacy" in said


def test_inconclusive_is_explained_with_the_size_of_the_holdout() -> None:
    assert "Why “inconclusive”: 171 real rows held out" in words(full(), "privacy")


def test_violations_of_the_real_data_come_before_the_synthetic_result() -> None:
    said = words(full(), "plausibility")
    assert said.index("The real data break 1 statement") < said.index("Rules and bounds")


def test_the_trade_off_is_left_out_without_an_attack() -> None:
    results = tuple(r for r in full().evaluation.results if r.axis is not Axis.PRIVACY)
    evaluation = full().evaluation.model_copy(update={"results": results})
    evidence = full().model_copy(update={"evaluation": evaluation})
    assert compose(evidence, [Choice(name="tradeoff")]) == []


def test_the_preview_is_labelled_synthetic() -> None:
    table = next(b for b in compose(full(), [Choice(name="data")]) if isinstance(b, TableBlock))
    assert table.caption == "SYNTHETIC: the first 8 rows of 398"


def test_identifiers_and_what_was_done_to_them_are_named() -> None:
    assert "Never learned, and made anew or left out: `mrn` (medical record number)" in words(
        full(), "provenance"
    )


def test_the_path_of_the_private_table_is_not_told() -> None:
    report = render(full().title, compose(full(), [Choice(name="provenance")]), "markdown").decode()
    assert "breast_cancer.csv" in report
    assert "some/where" not in report


@pytest.mark.parametrize("section", [c.name for c in DEFAULT_SECTIONS if c.name != "glossary"])
def test_prose_holds_no_number_of_its_own(section: str) -> None:
    assert not re.findall(r"[1-9]", words(without_answers(), section))


def test_an_unknown_section_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="privacy"):
        compose(full(), [Choice(name="privac")])


def test_settings_out_of_bounds_are_refused() -> None:
    with pytest.raises(SettingsError, match="figures"):
        compose(full(), [Choice(name="fidelity", settings={"figures": -1})])


# --- renderers -----------------------------------------------------------------------------------


def test_charts_of_one_row_share_one_legend() -> None:
    page = render("Report", compose(full(), [Choice(name="fidelity")])).decode()
    assert page.count('class="legend"') == 1


def test_colours_of_charts_follow_the_page() -> None:
    page = render("Report", compose(full(), [Choice(name="tradeoff")])).decode()
    assert '.chart svg [fill="#d55e00"] { fill: var(--synthetic) }' in page
    assert 'fill="#d55e00"' in page


def test_headings_with_the_same_words_get_different_anchors() -> None:
    page = render(
        "Report", [Heading(text="Same"), Text(text="a"), Heading(text="Same"), Text(text="b")]
    ).decode()
    assert 'id="same"' in page
    assert 'id="same-2"' in page


def test_a_picture_is_embedded() -> None:
    page = render("Report", [Image(png_base64="aGVsbG8=", alt="a <scan>")]).decode()
    assert '<img src="data:image/png;base64,aGVsbG8=" alt="a &lt;scan&gt;">' in page


def test_in_markdown_a_chart_becomes_its_words() -> None:
    chart = next(b for b in compose(full()) if isinstance(b, Chart))
    assert "*Figure:* Fidelity: do the rows look real?" in render("Report", [chart], "markdown").decode()


# --- golden --------------------------------------------------------------------------------------


def small() -> Evidence:
    """Evidence written by hand: small, and the same on every machine."""
    fidelity = result(
        best=0, worst=1, estimate=(0.04, 0.03, 0.05), ceiling=(0.02, 0.01, 0.03), floor=(0.2, 0.18, 0.22)
    )
    figure = Histogram(column="age", unit="a", edges=(20, 50, 80), real=(0.4, 0.6), synthetic=(0.45, 0.55))
    columns = (
        Column(name="age", kind=Kind.NUMBER, unit="a", low=18, high=90, decimals=0),
        Column(name="sex", kind=Kind.CATEGORY, values=("female", "male"), roles=(Role.PROTECTED,)),
    )
    return Evidence(
        title="Small",
        schema=Schema(tables=(Table(columns=columns),)),
        evaluation=Evaluation(
            results=(
                fidelity.model_copy(update={"metric": "pairs", "details": tuple(details(2)), "figures": (figure,)}),
                result(Axis.PRIVACY, 0.5, 1, estimate=(0.51, 0.47, 0.55)).model_copy(update={"metric": "membership"}),
                result(Axis.UTILITY).model_copy(update={"outcome": Outcome.NOT_APPLICABLE, "reason": "no target"}),
            ),
            real_rows=300,
            synthetic_rows=300,
            holdout_rows=100,
        ),
    )  # fmt: skip


def test_the_blocks_of_a_small_report_are_those_agreed_on() -> None:
    found = [block.model_dump(mode="json") for block in compose(small(), DEFAULT_SECTIONS[:-1])]
    for block in found:
        block.get("spec", {}).pop("config", None)
    written = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("UNDERSTUDY_WRITE_GOLDEN"):
        GOLDEN.write_text(written, encoding="utf-8")
    assert written == GOLDEN.read_text(encoding="utf-8")
