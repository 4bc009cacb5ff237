"""Words that nobody knows: names of diseases outside the knowledge base are said so; the rest is reported as unread."""

from __future__ import annotations

import re

from understudy.agent.reading.sheet import DONE, Match, Sheet
from understudy.knowledge.lexicon import suggest

# Endings by which medicine names diseases; none of them proves one, all of them ask for an answer.
_DISEASE = re.compile(
    r"(itis|osis|oses|oma|omas|emia|aemia|emias|pathy|pathies|algia|plegia|trophy|rrhea|rrhoea|tension|glycemia|"
    r"thyroidism|megaly|penia|virus|viral|fibrosis|sclerosis|lepsy|carcinoma|cancer|palsy|embolism|thrombosis|"
    r"insufficiency|syndrome|ectomy|malaria|lupus|infection|fever|autism|allergy|allergies|injury|fracture|fractures|"
    r"melanoma|hiv|aids|influenza|measles|rabies|polio|addiction|dependence|abuse|disorder|eczema|flu)$"
)
_NAME = "(word|otherdisease)"


def read_other_diseases(sheet: Sheet) -> None:
    """Refuse a disease whose name only contains a known one: diabetes insipidus, pulmonary hypertension."""
    for match in list(sheet.matches("otherdisease+ (cond|obs)|cond otherdisease+")):
        _outside(sheet, match)


def read_unknown(sheet: Sheet) -> None:
    """Answer for what stands where a condition would stand, but is not known."""
    for match in list(sheet.matches("signoff (comma|stop|semi|word|signoff)*")):
        if match.last == len(sheet.items):
            sheet.claim(match, "background", None, "a signature")
    for match in list(
        sheet.matches(
            f"{_NAME}+ (colon|with|between)* (cmp (num|part)|(num|part) (to|and) (num|part)|eq (num|part)) unit?"
        )
    ):
        words = " ".join(sheet.verbatim(i) for i in match.tagged("word", "otherdisease"))
        held = "the table has no column" if sheet.scope.is_table else "no observation is known"
        sheet.claim(match, "where", None, f"{held} that is called {words!r}", is_kept=False)
    for match in list(sheet.matches(f"{_NAME}+ conditioncue")):
        _outside(sheet, match)
    for pattern in (
        f"(with|conditioncue|except|not) (colon|comma)* {_NAME}+",
        f"{_NAME}+ (people|and|comma|done|semi|stop)*",
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
            if is_with or any(_DISEASE.search(str(i.value)) for i in names) or _stands_alone(sheet, match):
                _outside(sheet, match)


def _stands_alone(sheet: Sheet, match: Match) -> bool:
    """Say whether unknown words before "patients" are the only thing that says who they are."""
    told = (
        "conditions",
        "condition",
        "exclude",
        "where",
        "limits",
        "staged",
        "target",
        "synthesizer",
        "export",
        "companion",
    )
    return (
        bool(match.tagged("people"))
        and not any(sheet.has(field) for field in told)
        and not sheet.scope.is_table
    )


def _outside(sheet: Sheet, match: Match) -> None:
    places = [
        i
        for i in range(match.first, match.last)
        if sheet.items[i].tag in ("word", "otherdisease", "cond", "conditioncue", "obs")
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
