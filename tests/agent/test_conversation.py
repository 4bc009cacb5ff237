"""A conversation: from words to a card, a click, a release, and answers that cite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agent.talking import HEADLINE, Listener, Obedient, is_asked_for, talked
from tests.workflow.simulated import patients
from understudy.agent.approval import approve
from understudy.agent.conversation import Conversation
from understudy.agent.facts import checked, facts_of
from understudy.agent.interpret import interpret
from understudy.agent.state import bring
from understudy.core.errors import LanguageModelError
from understudy.core.events import silent
from understudy.language.scripted import Scripted
from understudy.store.transcripts import Transcript

WORDS = "200 type 2 diabetes patients with 12 observations"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Conversation, Listener]:
    """A conversation whose plan was approved and run."""
    conversation, listener = talked(WORDS)
    approve(conversation, tmp_path_factory.mktemp("talk") / "release", silent)
    return conversation, listener


def test_the_headline_request_becomes_one_card_and_waits_for_a_click() -> None:
    conversation, listener = talked(HEADLINE)
    assert conversation.waits_for == "start_run"
    assert "2,000: Type 2 diabetes" in listener.text
    assert conversation.desk.state.plan is not None
    assert conversation.desk.state.plan.rows == 2000


def test_nothing_is_run_before_the_click(tmp_path: Path) -> None:
    conversation, listener = talked(WORDS)
    assert {event.event for event in listener.events} == {"said", "asked"}
    conversation.decline()
    with pytest.raises(LanguageModelError, match="nothing waits"):
        approve(conversation, tmp_path / "release", silent)
    assert not (tmp_path / "release").exists()


def test_an_approved_plan_becomes_a_release(released: tuple[Conversation, Listener]) -> None:
    conversation, _ = released
    folder = Path(conversation.desk.state.releases[-1])
    assert (folder / "report.html").is_file()
    assert conversation.waits_for == ""


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("which sources did you use?", "National Health and Nutrition Examination Survey"),
        ("where does egfr come from?", "CKD-EPI 2021"),
        ("which guideline says 6.5 %?", "American Diabetes Association"),
        ("what is epsilon?", "10.1561/0400000042"),
        ("what is C2ST?", "1610.06545"),
        ("is it safe to share?", "No private record was used"),
        ("what is wrong with it?", "outside the survey"),
        ("how do I make it better?", "state targets"),
        ("how good is it?", "Published figures"),
        ("help", "heart failure"),
    ],
)
def test_questions_are_answered_from_evidence(
    released: tuple[Conversation, Listener], question: str, expected: str
) -> None:
    conversation, listener = released
    listener.events.clear()
    conversation.say(question)
    assert expected in listener.text
    assert conversation.waits_for == ""


def test_a_follow_up_revises_the_plan_and_undo_takes_it_back() -> None:
    conversation, _ = talked(WORDS, "same but 70 % women")
    plans = conversation.desk.state.plans
    assert [share.says() for share in plans[-1].given.shares] == ["70 % sex = female"]
    conversation.say("undo that")
    assert conversation.desk.state.plan == plans[0]
    assert conversation.waits_for == "start_run"


def test_words_that_were_not_understood_are_shown() -> None:
    _, listener = talked("100 patients with type 2 diabetes and blorgitis")
    assert "blorgitis" in listener.text


def test_why_names_the_reason_of_the_choice() -> None:
    _, listener = talked(WORDS, "why these observations?")
    assert "ranking of the knowledge base" in listener.text


def test_every_turn_is_kept_in_the_transcript(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path / "t.jsonl")
    conversation = Conversation(transcript=transcript)
    conversation.say(WORDS)
    turns = transcript.turns()
    assert turns[0] == {"said": WORDS}
    assert turns[1]["tool"] == "propose_plan"
    assert (tmp_path / "t.jsonl").stat().st_mode & 0o077 == 0


def test_a_model_that_agrees_changes_nothing() -> None:
    fields = {"conditions": ["type 2 diabetes"], "rows": 200, "observations": 12}
    conversation, listener = talked(WORDS, model=Scripted(answers=(json.dumps(fields),)))
    alone, _ = talked(WORDS)
    assert conversation.desk.state.plan == alone.desk.state.plan
    assert "Two readings" not in listener.text


def test_a_model_that_invents_is_shown_and_not_followed() -> None:
    fields = {"conditions": ["type 2 diabetes", "heart failure"], "rows": 5000}
    conversation, listener = talked(WORDS, model=Scripted(answers=(json.dumps(fields),)))
    plan = conversation.desk.state.plan
    assert plan is not None
    assert (plan.rows, plan.cohort.conditions) == (200, ("type_2_diabetes",))
    assert "Two readings" in listener.text
    assert "heart_failure" in listener.text


def test_a_model_may_read_words_that_the_interpreter_did_not() -> None:
    words = "200 type 2 diabetes patients, florgly"
    fields = {"conditions": ["type 2 diabetes"], "rows": 200, "where": ["age>=70"]}
    answers = (json.dumps({"tool": "propose_plan"}), json.dumps(fields))
    conversation, listener = talked(words, model=Scripted(answers=answers))
    plan = conversation.desk.state.plan
    assert plan is not None
    assert [where.says() for where in plan.given.where] == ["age >= 70"]
    assert "language model" in listener.text


@pytest.mark.parametrize(
    "answer", ["", "{", "[]", '{"tool": "rm"}', '{"rows": -5}', '{"rows": 5, "evil": 1}', '{"conditions": 7}']
)
def test_a_useless_answer_falls_back_to_the_interpreter_and_says_so(answer: str) -> None:
    conversation, listener = talked(WORDS, model=Scripted(answers=(answer,)))
    alone, _ = talked(WORDS)
    assert conversation.desk.state.plan == alone.desk.state.plan
    if answer != '{"tool": "rm"}':
        assert "built-in interpreter answers instead" in listener.text


def test_sentences_of_a_model_whose_numbers_no_tool_computed_are_left_out() -> None:
    def obeys(prompt):
        if is_asked_for(prompt, "tool"):
            tools = prompt.schema_["properties"]["tool"]["enum"]
            return {"tool": "answer" if "answer" in tools else "list_data"}
        return {"text": "The population is us_adults. 97 % of them are happy. See https://evil.example now."}

    _, listener = talked("florgly wibble quux?", model=Obedient.to(obeys))
    assert "97" not in listener.text
    assert "evil" not in listener.text
    assert "The population is us_adults." in listener.text


def test_numbers_are_compared_as_numbers() -> None:
    facts = facts_of(["2,000 rows, AUC 0.50"])
    kept, refused = checked("There are 2000 rows. AUC is 0.5. It is 0.51. About half are women.", facts)
    assert kept == "There are 2000 rows. AUC is 0.5."
    assert refused == ("It is 0.51.", "About half are women.")


def test_an_own_table_is_planned_and_described(tmp_path: Path) -> None:

    path = tmp_path / "clinic.csv"
    patients(300, seed=1).write_csv(path)
    listener = Listener()
    conversation = Conversation(tables=[bring(str(path))], notify=listener)
    conversation.say("make 100 synthetic rows of my table, predict outcome")
    plan = conversation.desk.state.plan
    assert plan is not None
    assert (plan.table, plan.rows) == (str(path), 100)
    assert "sequential_trees" in listener.text
    conversation.say("describe my data")
    assert "sbp" in listener.text


def test_a_synthetic_table_that_is_there_is_judged_after_a_click(tmp_path: Path) -> None:
    for name, seed in (("real.csv", 1), ("synthetic.csv", 2), ("unseen.csv", 3)):
        patients(200, seed=seed).write_csv(tmp_path / name)
    real, synthetic, unseen = (str(tmp_path / n) for n in ("real.csv", "synthetic.csv", "unseen.csv"))
    listener = Listener()
    conversation = Conversation(tables=[bring(real)], notify=listener)
    conversation.say(f"evaluate {synthetic} against {real}, holdout {unseen}, target outcome, seed 4")
    judging = conversation.desk.state.judging
    assert judging is not None
    assert judging.command() == (
        f"understudy evaluate --real {real} --synthetic {synthetic} --holdout {unseen} --target outcome --seed 4"
    )
    assert conversation.waits_for == "start_run"
    release = approve(conversation, tmp_path / "judged", silent)
    assert release is not None
    assert (release.evidence.evaluation.synthetic_rows, release.evidence.evaluation.holdout_rows) == (
        200,
        200,
    )
    assert not (tmp_path / "judged" / "data").exists()
    conversation.say("how good is it?")
    assert "Telling apart" in listener.text


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("evaluate synthetic.csv against real.csv", ("synthetic.csv", "real.csv", "")),
        ("how good is a.csv compared with the original b.csv?", ("a.csv", "b.csv", "")),
        ("the real table is b.csv and the synthetic one a.csv; assess it", ("a.csv", "b.csv", "")),
        ("judge a.csv vs b.csv, never seen rows in c.csv", ("a.csv", "b.csv", "c.csv")),
        ("is fake.csv safe to share? real rows: b.csv", ("fake.csv", "b.csv", "")),
        ("validate a.csv; b.csv is the original", ("a.csv", "b.csv", "")),
    ],
)
def test_words_say_which_table_is_which(words: str, files: tuple[str, str, str]) -> None:
    judging = interpret(words).judging
    assert judging is not None
    assert (judging.synthetic, judging.real, judging.holdout) == files


def test_a_judgement_without_its_tables_asks_for_them_and_changes_no_rows() -> None:
    conversation, listener = talked("evaluate synthetic.csv")
    assert conversation.waits_for == ""
    assert "which table is the real one" in listener.text.casefold()
    found = interpret("evaluate a.csv against b.csv, make 500 rows")
    assert [clause.words for clause in found.clauses if not clause.is_kept] == ["make 500 rows"]


def test_a_change_says_what_changes() -> None:
    _, listener = talked(WORDS, "make it 500")
    tables = [
        block for block in listener.blocks if block.block == "table" and "What changes" in block.columns
    ]
    assert len(tables) == 1
    assert [row[0] for row in tables[0].rows] == ["Patients"]


def test_a_comparison_names_the_command_that_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "clinic.csv"
    patients(60, seed=1).write_csv(path)
    reading = interpret("compare trees and copula, predict outcome", table=bring(str(path)).known)
    command = f"understudy compare {path} --synthesizers sequential_trees,gaussian_copula --target outcome"
    assert any(command in note for note in reading.notes)


def test_synthesizers_are_compared_after_a_click(tmp_path: Path) -> None:
    path = tmp_path / "clinic.csv"
    patients(80, seed=1).write_csv(path)
    listener = Listener()
    conversation = Conversation(tables=[bring(str(path))], notify=listener)
    conversation.say("compare marginals and copula, predict outcome")
    assert "no synthetic rows are written" in listener.text
    assert approve(conversation, tmp_path / "compared", silent) is None
    assert (tmp_path / "compared" / "contest.json").is_file()
    assert str(tmp_path / "compared" / "report.html") in listener.text
    assert conversation.desk.state.releases == ()
    conversation.say("100 rows by marginals")
    assert conversation.desk.state.comparing is None
