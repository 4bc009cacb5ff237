"""What a report can hold, and what it can be rendered to."""

from __future__ import annotations

from understudy.core.catalog import Catalog, Entry
from understudy.core.contracts import Renderer, Section

CATALOG: Catalog[Section] = Catalog(
    "section",
    [
        Entry("card", "understudy.reports.card:Card", "the dataset card: what it is, may be used for, shows"),
        Entry("data", "understudy.reports.data:Data", "first synthetic rows and what each column means"),
        Entry("fairness", "understudy.reports.fairness:Fairness", "results by protected group"),
        Entry("fidelity", "understudy.reports.fidelity:Fidelity", "distributions and dependence, compared"),
        Entry("glossary", "understudy.reports.glossary:Glossary", "how to read the report"),
        Entry(
            "plausibility", "understudy.reports.plausibility:Plausibility", "rules and bounds, broken or kept"
        ),
        Entry("privacy", "understudy.reports.privacy:Privacy", "what attacks gain, and the copy check"),
        Entry("provenance", "understudy.reports.provenance:Provenance", "how it was made, and the limits"),
        Entry("sources", "understudy.reports.sources:Sources", "where the numbers of every column come from"),
        Entry("summary", "understudy.reports.summary:Summary", "the verdict on one screen"),
        Entry("tradeoff", "understudy.reports.tradeoff:Tradeoff", "fidelity against what an attack gains"),
        Entry("utility", "understudy.reports.utility:Utility", "whether analyses come out the same"),
    ],
)

RENDERERS: Catalog[Renderer] = Catalog(
    "renderer",
    [
        Entry("html", "understudy.reports.html:Html", "one self-contained page, no script, no request"),
        Entry(
            "markdown", "understudy.reports.markdown:Markdown", "plain text with Markdown marks, for cards"
        ),
    ],
)
