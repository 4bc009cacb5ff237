"""The front door: evidence becomes blocks, blocks become a document."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.blocks import Block
from understudy.core.catalog import Choice
from understudy.core.contracts import Evidence
from understudy.reports.catalog import CATALOG, RENDERERS

DEFAULT_SECTIONS: tuple[Choice, ...] = tuple(
    Choice(name=name)
    for name in (
        "summary",
        "fidelity",
        "utility",
        "privacy",
        "fairness",
        "plausibility",
        "tradeoff",
        "data",
        "provenance",
        "glossary",
    )
)


def compose(evidence: Evidence, sections: Sequence[Choice] | None = None) -> list[Block]:
    """Return the blocks of the chosen sections in their order; without a choice, of the planned or the default ones.

    Raises:
        UnknownNameError: if a section is not in the catalog.
        SettingsError: if a section's settings are unknown or out of bounds.
    """
    chosen = _planned(evidence) if sections is None else sections
    return [block for choice in chosen for block in CATALOG.create(choice).compose(evidence)]


def _planned(evidence: Evidence) -> Sequence[Choice]:
    planned = evidence.plan.get("sections")
    return [Choice.model_validate(choice) for choice in planned] if planned else DEFAULT_SECTIONS


def render(title: str, blocks: Sequence[Block], renderer: Choice | str = "html") -> bytes:
    """Return the blocks as a document; the same blocks give the same bytes.

    Raises:
        UnknownNameError: if the renderer is not in the catalog.
    """
    return RENDERERS.create(renderer).render(title, list(blocks))
