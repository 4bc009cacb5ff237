"""The order in which the readers look at a request: the more specific wording first."""

from __future__ import annotations

from understudy.agent.reading.columns import read_columns, read_counts, read_units
from understudy.agent.reading.delivery import read_delivery
from understudy.agent.reading.figures import read_figures
from understudy.agent.reading.learning import (
    read_bare_levels,
    read_learning,
    read_levels_of,
    read_synthesizers,
)
from understudy.agent.reading.limits import read_limits
from understudy.agent.reading.origin import read_population
from understudy.agent.reading.people import read_people, spread_levels
from understudy.agent.reading.revisions import read_withdrawals
from understudy.agent.reading.scope import Scope
from understudy.agent.reading.settings import read_settings
from understudy.agent.reading.shares import read_shares
from understudy.agent.reading.sheet import Sheet
from understudy.agent.reading.size import read_lone_size, read_size, read_times
from understudy.agent.reading.stages import read_stages
from understudy.agent.reading.unknown import (
    read_other_diseases,
    read_unheld,
    read_unknown,
    read_unknown_limits,
)
from understudy.agent.reading.vague import read_unneeded, read_vague
from understudy.workflow.plan import Plan


def read(text: str, scope: Scope, previous: Plan | None) -> Sheet:
    """Return a request with all that its readers found."""
    sheet = Sheet(text, scope)
    spread_levels(sheet)
    read_levels_of(sheet)
    read_settings(sheet)
    read_unneeded(sheet)
    read_other_diseases(sheet)
    if scope.is_table:
        read_learning(sheet)
    read_synthesizers(sheet)
    read_delivery(sheet)
    read_stages(sheet)
    read_figures(sheet)
    read_counts(sheet)
    read_limits(sheet)
    if previous is not None:
        read_withdrawals(sheet, previous)
    read_size(sheet)
    read_shares(sheet)
    read_population(sheet)
    read_unheld(sheet)
    read_units(sheet)
    read_times(sheet)
    read_vague(sheet)
    read_bare_levels(sheet)
    read_people(sheet)
    read_columns(sheet)
    read_unknown_limits(sheet)
    read_lone_size(sheet)
    read_unknown(sheet)
    return sheet
