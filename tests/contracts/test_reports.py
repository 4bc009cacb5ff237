"""Every section composes and every renderer renders, whatever an evaluation holds."""

import json
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from pydantic import TypeAdapter

from tests.unit.reports.simulated import ended, full, hostile, without_answers
from understudy.core.blocks import Block, Chart
from understudy.core.contracts import Evidence
from understudy.core.results import Outcome
from understudy.reports.card import card
from understudy.reports.catalog import CATALOG, RENDERERS
from understudy.reports.compose import compose, render
from understudy.reports.drawing import draw
from understudy.reports.summary import verdict_callout

BLOCKS: TypeAdapter[list[Block]] = TypeAdapter(list[Block])
EVALUATIONS: dict[str, Callable[[], Evidence]] = {
    "full": full,
    "empty": without_answers,
    "failed": lambda: ended(Outcome.FAILED),
    "inconclusive": lambda: ended(Outcome.INCONCLUSIVE),
    "not applicable": lambda: ended(Outcome.NOT_APPLICABLE),
    "hostile": hostile,
}


@pytest.fixture(params=EVALUATIONS)
def evidence(request: pytest.FixtureRequest) -> Evidence:
    return EVALUATIONS[request.param]()


@pytest.mark.parametrize("section", CATALOG.names)
def test_a_section_composes_blocks_that_survive_json(section: str, evidence: Evidence) -> None:
    blocks = CATALOG.create(section).compose(evidence)
    assert BLOCKS.validate_json(BLOCKS.dump_json(blocks)) == blocks


@pytest.mark.parametrize("section", CATALOG.names)
def test_a_section_says_the_same_from_stored_evidence(section: str) -> None:
    stored = Evidence.model_validate_json(full().model_dump_json(by_alias=True))
    assert CATALOG.create(section).compose(stored) == CATALOG.create(section).compose(full())


@pytest.mark.parametrize("section", [name for name in CATALOG.names if name != "card"])
def test_every_default_section_has_something_to_say_about_a_full_evaluation(section: str) -> None:
    assert len(CATALOG.create(section).compose(full())) > 1


@pytest.mark.parametrize("renderer", RENDERERS.names)
def test_a_renderer_renders_any_report(renderer: str, evidence: Evidence) -> None:
    document = render(evidence.title, compose(evidence), renderer).decode()
    assert "Verdict" in document
    assert "How to read this report" in document


@pytest.mark.parametrize("renderer", RENDERERS.names)
def test_the_same_blocks_give_the_same_bytes(renderer: str) -> None:
    blocks = [b for b in compose(full()) if not isinstance(b, Chart)][:40] + compose(full())[3:6]
    assert render("Report", blocks, renderer) == render("Report", blocks, renderer)


def test_every_chart_can_be_drawn_and_says_in_words_what_it_shows() -> None:
    charts = [block for block in compose(full()) if isinstance(block, Chart)]
    assert len(charts) > 30
    assert all(len(chart.alt) > 20 for chart in charts)
    assert all(draw(chart.spec, i).startswith("<svg") for i, chart in enumerate(charts[:6]))


class Page(HTMLParser):
    """Collects the elements, the attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(hostile().title, compose(hostile())).decode())


def test_no_name_value_or_text_of_the_evidence_becomes_an_element(page: Page) -> None:
    assert not page.elements & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "b"}
    assert "<script>alert(1)</script>" in page.text


def test_the_page_runs_nothing_and_asks_for_nothing(page: Page) -> None:
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not names & {"src", "srcset", "action", "xlink:href", "data", "poster"}
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    assert all("url(" not in value or "url(#" in value for _, value in page.attributes)


def test_anchors_of_the_page_are_unique_and_all_links_lead_somewhere(page: Page) -> None:
    anchors = [value for name, value in page.attributes if name == "id"]
    assert len(anchors) == len(set(anchors))
    assert {v[1:] for n, v in page.attributes if n == "href"} <= set(anchors)


@pytest.mark.parametrize("composed", [compose, card])
def test_in_markdown_no_name_value_or_text_becomes_html_link_or_picture(composed) -> None:
    document = render(hostile().title, composed(hostile()), "markdown").decode()
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = [t for token in reader.parse(document) for t in (token, *(token.children or ()))]
    kinds = {token.type for token in tokens}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "fence", "code_block"}
    tables = [token for token in tokens if token.type == "tr_open"]
    assert len(tables) > 10


def test_a_table_of_the_card_keeps_its_columns_whatever_the_cells_hold() -> None:
    document = render("Card", card(hostile()), "markdown").decode()
    tokens = MarkdownIt("commonmark").enable("table").parse(document)
    widths: set[int] = set()
    width = 0
    for token in tokens:
        if token.type == "tr_open":
            width = 0
        width += token.type in ("td_open", "th_open")
        if token.type == "table_close":
            assert len(widths) == 1
            widths.clear()
        if token.type == "tr_close":
            widths.add(width)


def test_the_card_says_what_matters() -> None:
    text = render(full().title, card(full()), "markdown").decode()
    for words in (
        "SYNTHETIC DATA",
        "Released",
        "Intended",
        "Not supported",
        "Limits",
        "Telling apart",
        "Plan",
    ):
        assert words in text


def test_specifications_hold_their_data_and_nothing_from_elsewhere() -> None:
    for block in compose(full()):
        if isinstance(block, Chart):
            document = json.dumps({k: v for k, v in block.spec.items() if k != "$schema"})
            assert '"url"' not in document
            assert "http" not in document


@pytest.mark.parametrize(("status", "tone"), [("met", "good"), ("inconclusive", "warning")])
def test_a_verdict_that_leaves_a_requirement_open_does_not_look_like_a_pass(status: str, tone: str) -> None:
    verdict = full().verdict
    assert verdict is not None
    findings = tuple(f.model_copy(update={"status": status}) for f in verdict.findings)
    callout = verdict_callout(verdict.model_copy(update={"is_released": True, "findings": findings}))
    assert callout.tone == tone
    assert callout.title.endswith("open questions") is (status != "met")
