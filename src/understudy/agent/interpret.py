"""From a sentence to a plan or a question, by grammar alone: no language model, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from understudy.agent.reading.cohort_planning import plan_cohort
from understudy.agent.reading.judging import answered_for, read_judging
from understudy.agent.reading.languages import detect, in_english, readable
from understudy.agent.reading.planning import Planned
from understudy.agent.reading.questions import read_question
from understudy.agent.reading.reader import read
from understudy.agent.reading.revisions import revision_of
from understudy.agent.reading.scope import Scope, population_scope, table_scope
from understudy.agent.reading.sheet import Finding, Sheet
from understudy.agent.reading.table_planning import Subject, plan_table
from understudy.agent.values import Ask, Clause, Comparing, Interpretation, KnownTable, Question, Topic
from understudy.core.catalog import Choice
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.reports.wording import listing
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.cohort_request import DEFAULT_POPULATION, DEFAULT_ROWS
from understudy.workflow.plan import Plan

__all__ = ["Ask", "Clause", "Interpretation", "KnownTable", "Question", "Topic", "interpret"]

# Findings whose lack changes how the patients are written, not who they are: the plan stands without them.
_BESIDE = frozenset(("export", "companion", "settings", "time_s", "train_rows", "compared", "add"))
_OF_TABLES = frozenset(
    ("synthesizer", "holdout", "splits", "device", "with_generator", "complete", "augment", "violations")
)


def interpret(
    text: str,
    *,
    table: KnownTable | None = None,
    previous: Sequence[Plan] = (),
    tables: Sequence[KnownTable] = (),
) -> Interpretation:
    """Read a request in plain words: cohorts, work on a person's own table, follow-ups and questions.

    Args:
        text: what the person wrote.
        table: what is known of their table, where they brought one.
        previous: the plans of the conversation so far, the current one last; a follow-up revises it.
        tables: all tables that they brought, where a synthetic one may be among them.
    """
    language = detect(text)
    if language not in readable():
        return _not_read(text, language)
    english = in_english(text, language)
    before = previous[-1] if previous else None
    scope = _scope(table, before)
    question = read_question(Sheet(english, scope), has_table=table is not None)
    if question is not None and question.topic == "evaluate":
        return _to_judge(
            text, language, read(english, scope, before), question, tables or ([table] if table else [])
        )
    if question is not None:
        return _asked(text, language, question, previous)
    sheet = read(english, scope, before)
    notes = (f"read as: {' '.join(english.split())}",) if language != "en" else ()
    return _planned(text, language, sheet, table, before, notes)


def _scope(table: KnownTable | None, before: Plan | None) -> Scope:
    if table is not None:
        return table_scope(table.schema_, table.rows)
    if before is not None and before.population is None:
        return table_scope(before.schema_, None)
    return population_scope(DEFAULT_POPULATION)


def _not_read(text: str, language: str) -> Interpretation:
    says = (
        "requests are read in English, and their usual forms in German, French, Spanish and Chinese; this one seems to "
        f"be in another language ({language}). Please write it in one of these."
    )
    return Interpretation(
        text=text,
        language=language,
        question=Question(topic="language", subject=language),
        confidence=1.0,
        clauses=(Clause(words=text, field="question", became=says, is_kept=False),),
        notes=(says,),
    )


def _asked(text: str, language: str, question: Question, previous: Sequence[Plan]) -> Interpretation:
    plan = previous[-2] if question.topic == "undo" and len(previous) > 1 else None
    notes = ("there is no earlier plan to go back to",) if question.topic == "undo" and plan is None else ()
    about = f": {question.subject}" if question.subject else ""
    clause = Clause(words=text, field="question", became=f"a question ({question.topic}{about})")
    return Interpretation(
        text=text,
        language=language,
        plan=plan,
        question=question,
        confidence=0.9,
        clauses=(clause,),
        notes=notes,
    )


def _to_judge(
    text: str, language: str, sheet: Sheet, question: Question, tables: Sequence[KnownTable]
) -> Interpretation:
    answered_for(sheet)
    judging, lacking = read_judging(sheet, tables)
    clauses = _clauses(sheet, Planned(None))
    unread = tuple(sheet.text[i.start : i.end] for i in sheet.left_over())
    return Interpretation(
        text=text,
        language=language,
        judging=judging,
        question=question,
        confidence=_confidence(
            sheet, len(unread), [c for c in clauses if not c.is_kept], is_empty=judging is None
        ),
        unread=unread,
        clauses=(*clauses, *_unread_clauses(unread)),
        notes=(*([lacking] if lacking else []), *(c.became for c in clauses if not c.is_kept)),
    )


def _unread_clauses(unread: Sequence[str]) -> Iterator[Clause]:
    return (Clause(words=w, field="unread", became="not understood", is_kept=False) for w in unread)


def _planned(
    text: str,
    language: str,
    sheet: Sheet,
    table: KnownTable | None,
    before: Plan | None,
    notes: Sequence[str],
) -> Interpretation:
    revision = None if before is None else revision_of(sheet, before)
    if table is not None:
        made = plan_table(text, Subject(table.path, table.schema_, table.rows), sheet.findings, revision)
    elif before is not None and before.population is None:
        made = plan_table(text, Subject(before.table, before.schema_), sheet.findings, revision)
    else:
        made = plan_cohort(text, sheet.findings, revision)
    clauses = _clauses(sheet, made)
    missed = [c for c in clauses if not c.is_kept]
    unread = tuple(sheet.text[i.start : i.end] for i in sheet.left_over())
    plan = None if made.plan is None else _with_exports(made.plan, sheet.findings)
    compared = _compared(plan, sheet.findings)
    beside = _BESIDE if plan is not None and plan.table else _BESIDE | _OF_TABLES
    is_whole = all(c.field in beside for c in missed)
    is_empty = not sheet.findings and revision is None and table is None and not _asks_for_anybody(sheet)
    says = "nothing was read that could be planned; say which patients, such as '500 adults with asthma'"
    return Interpretation(
        text=text,
        language=language,
        plan=plan if is_whole and not is_empty else None,
        nearest=plan if not is_whole and not is_empty else None,
        compared=compared,
        confidence=_confidence(sheet, len(unread), missed, is_empty=is_empty),
        unread=unread,
        clauses=(*clauses, *_unread_clauses(unread)),
        is_revision=revision is not None,
        notes=(
            *notes,
            *([says] if is_empty else []),
            *_doubts(sheet),
            *(c.became for c in missed),
            *made.notes,
            *_beside(plan, compared),
        ),
        asks=_asks(sheet, table, before),
    )


def _doubts(sheet: Sheet) -> list[str]:
    """Return what was not understood right beside a condition: it may make another disease of it."""
    named = [f for f in sheet.findings if f.field in ("conditions", "staged")]
    found = []
    for item in (i for i in sheet.left_over() if i.tag == "word"):
        for finding in named:
            end = finding.start + len(finding.words)
            gaps = (sheet.text[item.end : finding.start], sheet.text[end : item.start])
            if any(gap and not gap.strip() for gap in gaps):
                words = sheet.verbatim(item)
                found.append(
                    f"{words!r} beside {finding.words!r} was not understood: {finding.says} was taken"
                )
    return found


def _asks_for_anybody(sheet: Sheet) -> bool:
    """Say whether patients are asked for without a word on who they are: "generate patients"."""
    return "make" in sheet.tags and bool(sheet.tags & {"people", "dataset", "rows"})


def _clauses(sheet: Sheet, made: Planned) -> list[Clause]:
    failed = {id(finding): reason for finding, reason in made.failed}
    return [
        Clause(
            words=f.words,
            field=f.field,
            became=failed.get(id(f), f.says),
            is_kept=f.is_kept and id(f) not in failed,
        )
        for f in sorted(sheet.findings, key=lambda f: f.start)
    ]


def _with_exports(plan: Plan, findings: Sequence[Finding]) -> Plan:
    names = dict.fromkeys(f.value for f in findings if f.field == "export" and f.value in EXPORTS.names)
    if len(names) < 2:
        return plan
    return plan.model_copy(update={"exports": tuple(Choice(name=name) for name in names)})


def _compared(plan: Plan | None, findings: Sequence[Finding]) -> tuple[Plan, ...]:
    if plan is None or not plan.table:
        return ()
    names = [n for f in findings if f.field == "compared" for n in f.value if n in SYNTHESIZERS.names]
    others = [n for n in names if n != plan.synthesizer.name]
    return tuple(plan.model_copy(update={"synthesizer": Choice(name=n, reason="asked for")}) for n in others)


def _beside(plan: Plan | None, compared: Sequence[Plan]) -> list[str]:
    """Say what a comparison does, and the command that does the same."""
    if plan is None or not compared:
        return []
    comparing = Comparing(plan=plan, names=tuple(p.synthesizer.name for p in (plan, *compared)))
    return [
        f"{listing(comparing.names)} are compared on the same splits, and one is advised; no synthetic rows are "
        f"written; the same by command: {comparing.command()} --out DIR"
    ]


def _confidence(sheet: Sheet, unread: int, missed: Sequence[Clause], *, is_empty: bool) -> float:
    """Return the share of the request's parts that were read, less a little for corrected spellings."""
    if is_empty:
        return 0.0
    parts = len(sheet.findings) + unread
    mended = sum("(read as " in f.says for f in sheet.findings)
    sure = max(parts - unread - 0.2 * mended - len(missed), 0.0) / parts if parts else 0.5
    return round(min(max(sure, 0.0), 1.0), 3)


def _asks(sheet: Sheet, table: KnownTable | None, before: Plan | None) -> tuple[Ask, ...]:
    """Return what would change the plan and was not said: one question, in parts, each with its default."""
    if before is not None or table is not None or not sheet.findings:
        return ()
    if any(sheet.has(field) for field in ("rows", "counts", "times")):
        return ()
    return (Ask(about="rows", question="How many patients?", default=f"{DEFAULT_ROWS:,}"),)
