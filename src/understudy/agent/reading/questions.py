"""Questions of the person: about sources, guidelines, terms, choices, safety, weaknesses, and what to do next."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from understudy.agent.reading.sheet import Sheet
from understudy.agent.values import Question, Topic
from understudy.knowledge.columns import told_by
from understudy.knowledge.conditions import conditions
from understudy.metrics.catalog import CATALOG as METRICS

_WANTS = re.compile(
    r"\b(generate|create|make|simulate|synthesi[sz]e|produce|draw|give me|gimme|need|want|build|i'd like)\b"
)
# Rows that are there already, not those of this conversation's release.
_MADE = re.compile(r"\b(synthetic|fake|simulated|artificial) (table|file|data|dataset|copy|csv|rows)\b")
_FILLER = re.compile(
    r"\b(what|whats|what's|which|who|why|how|is|are|was|does|do|did|you|the|a|an|mean|means|meaning|stand|stands|for|"
    r"explain|define|to|me|tell|about|please|of|it|this|that|exactly|actually|term|word|by|in|know|ist|bedeutet|says?|"
    r"said|guidelines?|according|choose|chose|pick|picked|use|used|using|method|score|metric|metrics|measured|where|"
    r"come|comes|from|distribution|defines?|diagnosed|starts?|at|these|can|i|get|would|be|been)\b"
)


def read_question(sheet: Sheet, *, has_table: bool) -> Question | None:
    """Return the question that the person asks; None where they ask for patients instead."""
    text = " ".join(sheet.text.casefold().replace("’", "'").split())
    if has_table and sum(item.tag == "synthesizer" for item in sheet.items) > 1:
        return None  # "the copula or the trees, which is better?" asks for a comparison
    asking, forms = _forms()
    is_asking = bool(asking.search(text)) or text.endswith("?")
    for topic, pattern in forms:
        if not pattern.search(text):
            continue
        is_made = bool(_file(sheet)) or (has_table and bool(_MADE.search(text)))
        if topic in ("quality", "safe_to_share") and is_asking and is_made:
            topic = "evaluate"
        if topic == "undo" or (topic == "evaluate" and (has_table or _file(sheet))):
            return Question(topic=topic, subject=_file(sheet) or _subject(sheet, text, topic))
        if is_asking and not _asks_for_patients(sheet, text, topic):
            return Question(topic=topic, subject=_subject(sheet, text, topic))
    return None


@cache
def _forms() -> tuple[re.Pattern[str], tuple[tuple[Topic, re.Pattern[str]], ...]]:
    """Return how questions begin, and the forms of each topic in their order."""
    document = tomllib.loads(files("understudy.agent.reading").joinpath("questions.toml").read_text("utf-8"))
    asking = rf"^\W*((please|so|and|but|ok|hi|hello|then) )*({'|'.join(document['asking'])})\b"
    topics = {topic: re.compile("|".join(patterns)) for topic, patterns in document["topics"].items()}
    return re.compile(asking), tuple(topics.items())


@cache
def _diagnosed() -> Mapping[str, str]:
    """Return the condition behind each observation that tells of its diagnosis."""
    return {name: condition for condition in conditions() if (name := told_by(condition))}


def _file(sheet: Sheet) -> str:
    """Return the file that the request names."""
    return next((str(item.value) for item in sheet.items if item.tag == "file"), "")


def _asks_for_patients(sheet: Sheet, text: str, topic: Topic) -> bool:
    """Say whether a question asks for patients: "could you generate 200 patients with asthma?"."""
    tags = {item.tag for item in sheet.items}
    has_count = any(tag == "num" for tag in tags) and bool(tags & {"people", "rows", "cond", "level"})
    if topic in ("guideline", "undo", "help", "compare_runs"):
        return False
    if re.match(r"^\W*(how about|what about|what if|can i have|could i have|how do i get)\b", text):
        return True
    return has_count and (
        bool(_WANTS.search(text)) or not text.startswith(("what", "why", "which", "where", "who", "how"))
    )


def _subject(sheet: Sheet, text: str, topic: Topic) -> str:
    """Return what is asked about: a metric, synthesizer, setting, condition, observation or number, else the words."""
    if topic in ("explain_metric", "define"):
        named = next((m for m in METRICS.names if re.search(rf"\b{m.replace('_', '[ _]')}\b", text)), "")
        if named and (topic == "explain_metric"):
            return named
    if topic == "guideline" and (number := re.search(r"\d+(\.\d+)?", re.sub(r"stage \d", "", text))):
        return number[0]
    for tag in ("synthesizer", "setting", "dp", "cond", "obs"):
        for item in sheet.items:
            if item.tag == tag:
                return (
                    "differential privacy" if tag == "dp" else _diagnosed().get(item.value, str(item.value))
                )
    if topic in ("define", "why", "guideline", "explain_metric", "sources"):
        words = _FILLER.sub(" ", re.sub(r"[^\w\s-]", " ", text))
        return " ".join(word for word in words.split() if not word.isdigit())
    if topic == "improve":
        return next(
            (
                w
                for w in ("fidelity", "privacy", "utility", "fairness", "plausibility", "diversity")
                if w in text
            ),
            "",
        )
    return ""
