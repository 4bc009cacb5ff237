"""Words that nobody knows: names of diseases outside the knowledge base are said so; the rest is reported as unread."""

from __future__ import annotations

import re

from understudy.agent.reading.sheet import DONE, Match, Sheet
from understudy.knowledge.lexicon import suggest
from understudy.workflow.cohort_request import DEFAULT_POPULATION

# Endings by which medicine names diseases; none of them proves one, all of them ask for an answer.
_DISEASE = re.compile(
    r"(itis|osis|oses|oma|omas|emia|aemia|emias|pathy|pathies|algia|plegia|trophy|rrhea|rrhoea|tension|glycemia|"
    r"thyroidism|megaly|penia|virus|viral|fibrosis|sclerosis|lepsy|carcinoma|cancer|palsy|embolism|thrombosis|"
    r"insufficiency|syndrome|ectomy|malaria|lupus|infection|fever|autism|allergy|allergies|injury|fracture|fractures|"
    r"melanoma|hiv|aids|influenza|measles|rabies|polio|addiction|dependence|abuse|disorder|eczema|flu)$"
)
_NAME = "(word|otherdisease)"
# Fields that say who the patients are, or what is done.
_TELLING = (
    "conditions", "condition", "exclude", "exclude_group", "where", "limits", "staged", "target", "synthesizer",
    "export", "companion", "shares", "unknown",
)  # fmt: skip
_DISEASES = "(with|conditioncue|except|not|colon)* unknowndisease"


def read_other_diseases(sheet: Sheet) -> None:
    """Refuse a disease whose name only contains a known one: diabetes insipidus, pulmonary hypertension."""
    for match in list(sheet.matches("otherdisease+ (cond|obs)|cond otherdisease+")):
        _outside(sheet, match)
    for match in list(sheet.matches(_DISEASES)):
        _outside(sheet, match)


def read_unknown_limits(sheet: Sheet) -> None:
    """Refuse limits on what nobody knows: a troponin above 40."""
    for match in list(
        sheet.matches(
            f"{_NAME}+ (colon|with|between)* (cmp (num|part)|(num|part) (to|and) (num|part)|eq (num|part)) unit?"
        )
    ):
        words = " ".join(sheet.verbatim(i) for i in match.tagged("word", "otherdisease"))
        held = "the table has no column" if sheet.scope.is_table else "no observation is known"
        sheet.claim(match, "where", None, f"{held} that is called {words!r}", is_kept=False)


def read_unheld(sheet: Sheet) -> None:
    """Say of traits that people are told apart by, but that are not held here, that nothing can be asked of them."""
    held_by = "your table" if sheet.scope.is_table else DEFAULT_POPULATION
    for match in list(
        sheet.matches("(based|with|only|who|onlypeople)* t=unheld ((and|comma|or)* unheld)* people?")
    ):
        traits = ", ".join(dict.fromkeys(str(item.value) for item in match.tagged("unheld")))
        words = " ".join(sheet.verbatim(item) for item in match.tagged("unheld"))
        says = f"{words!r}: {traits}: not held by {held_by}, so nothing can be asked of it"
        sheet.claim(match, "unheld", None, says, is_kept=False)


def read_unknown(sheet: Sheet) -> None:
    """Answer for what stands where a condition would stand, but is not known."""
    for match in list(sheet.matches("signoff (comma|stop|semi|word|signoff)*")):
        if match.last == len(sheet.items):
            sheet.claim(match, "background", None, "a signature")
    for match in list(sheet.matches(f"{_NAME}+ conditioncue")):
        _outside(sheet, match)
    for pattern in (
        f"(with|conditioncue|except|not) (colon|comma)* {_NAME}+",
        f"(and|or)? {_NAME}+ (people|and|or|comma|semi|stop)*",
    ):
        for match in list(sheet.matches(pattern)):
            names = [i for i in match.items if i.tag in ("word", "otherdisease")]
            if (
                match.last < len(sheet.items)
                and sheet.items[match.last].tag == DONE
                and match.items[-1] in names
            ):
                continue  # an adjective of something that was read
            is_with = bool(match.tagged("with", "conditioncue", "except", "not"))
            is_disease = any(_DISEASE.search(str(i.value)) for i in names)
            if is_with or is_disease or _stands_alone(sheet, match) or _listed_with_conditions(sheet, match):
                _outside(sheet, match)


def _stands_alone(sheet: Sheet, match: Match) -> bool:
    """Say whether unknown words are the only thing that says who the patients are: 500 unicorns."""
    if sheet.scope.is_table or any(sheet.has(field) for field in _TELLING):
        return False
    last = match.items[-1].tag
    before = sheet.items[match.first - 1].start if match.first else -1
    after = sheet.items[match.last] if match.last < len(sheet.items) else None
    sizes = [f for f in sheet.findings if f.field == "rows"]
    follows = any(f.start <= before < f.start + len(f.words) for f in sizes)
    is_title = after is not None and after.tag == "colon"
    return bool(match.tagged("people")) or follows or is_title or (last == "comma" and match.first == 0)


def _listed_with_conditions(sheet: Sheet, match: Match) -> bool:
    """Say whether unknown words are joined by "and" to a condition: COPD and zorblaxia."""
    tags = [item.tag for item in match.items]
    before = match.first - 1 if tags[0] in ("and", "or") else None
    after = match.last if tags[-1] in ("and", "or") else None
    near = [sheet.items[i].start for i in (before, after) if i is not None and 0 <= i < len(sheet.items)]
    named = [
        f for f in sheet.findings if f.field in ("conditions", "condition", "staged", "exclude", "unknown")
    ]
    return any(f.start <= start < f.start + len(f.words) for f in named for start in near)


def _outside(sheet: Sheet, match: Match) -> None:
    places = [
        i
        for i in range(match.first, match.last)
        if sheet.items[i].tag in ("word", "otherdisease", "cond", "conditioncue", "obs", "unknowndisease")
    ]
    places = [i for i in places if sheet.items[i].tag != DONE]
    if not places:
        return
    first, last = places[0], places[-1] + 1
    name = sheet.text[sheet.items[first].start : sheet.items[last - 1].end]
    near = suggest(name, 2)
    hint = f"; the nearest known are {', '.join(near)}" if near else ""
    says = f"{name!r} is outside the knowledge base, and nothing is put in its place{hint}"
    sheet.take(first, last, "unknown", name, says, is_kept=False)
