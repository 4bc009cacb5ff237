"""Language models by real weights and real sockets: their answers keep the form, and every failure is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.talking import Listener
from tests.unit.language import tiny
from understudy.agent.conversation import Conversation
from understudy.agent.fields import PlanFields
from understudy.core.catalog import Choice
from understudy.core.errors import LanguageModelError, SettingsError
from understudy.core.language import Message, Prompt
from understudy.language.catalog import CATALOG
from understudy.language.local_weights import LocalWeights
from understudy.language.openai_compatible import OpenAICompatible

WORDS = "200 type 2 diabetes patients with 12 observations"
SCHEMA = {
    "type": "object",
    "properties": {
        "origin": {"type": "string", "enum": ["population", "table"]},
        "rows": {"type": "integer", "minimum": 1, "maximum": 99_999},
        "conditions": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 12}},
    },
    "required": ["origin", "rows", "conditions"],
    "additionalProperties": False,
}
PROMPT = Prompt(messages=(Message(role="user", text=WORDS),), schema=SCHEMA)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.decoder(tmp_path_factory.mktemp("weights") / "decoder")


def test_random_weights_still_write_what_the_schema_allows(weights: Path) -> None:
    answer = json.loads(LocalWeights(folder=weights).write(PROMPT) or "")
    assert answer["origin"] in ("population", "table")
    assert 1 <= answer["rows"] <= 99_999
    PlanFields.model_validate(answer)


def test_a_model_of_the_t5_family_is_asked_field_by_field(tmp_path: Path) -> None:
    model = LocalWeights(folder=tiny.encoder_decoder(tmp_path / "t5"))
    answer = json.loads(model.write(PROMPT) or "")
    assert set(answer) <= {"origin", "rows", "conditions"}
    assert isinstance(answer.get("rows", 0), int)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="no language model can be read"):
        LocalWeights(folder=tmp_path).write(PROMPT)


def test_an_answer_that_is_cut_off_is_refused(weights: Path) -> None:
    with pytest.raises(LanguageModelError, match="no complete answer"):
        LocalWeights(folder=weights).write(PROMPT.model_copy(update={"most_tokens": 3}))


def test_a_server_with_real_weights_answers_and_the_plan_is_valid(weights: Path) -> None:
    listener = Listener()
    with tiny.server(LocalWeights(folder=weights)) as address:
        conversation = Conversation(model=OpenAICompatible(base_url=address, model="tiny"), notify=listener)
        conversation.say(WORDS)
    plan = conversation.desk.state.plan
    assert plan is not None
    assert (plan.rows, plan.cohort.conditions) == (200, ("type_2_diabetes",))
    assert conversation.waits_for == "start_run"


@pytest.mark.parametrize(
    ("misbehaves", "said"),
    [
        (tiny.falls_silent, "no answer within"),
        (tiny.drips, "no answer within"),
        (tiny.closes, "could not be asked"),
        (tiny.closes_half, "could not be asked"),
        (tiny.redirects, "HTTP 307"),
    ],
)
def test_a_server_that_misbehaves_is_told_in_time(misbehaves: Callable[..., None], said: str) -> None:
    with tiny.peer(misbehaves) as address:
        began = time.monotonic()
        with pytest.raises(LanguageModelError, match=said):
            OpenAICompatible(base_url=address, timeout_s=0.6).write(PROMPT)
        assert time.monotonic() - began < 5


def test_without_its_server_the_interpreter_answers_and_says_so() -> None:
    listener = Listener()
    model = OpenAICompatible(base_url="http://127.0.0.1:9/v1", timeout_s=2)
    conversation = Conversation(model=model, notify=listener)
    conversation.say(WORDS)
    assert conversation.desk.state.plan is not None
    assert "built-in interpreter answers instead" in listener.text


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.1/v1", "https://example.org/v1", "http://127.0.0.1.nip.io/v1", "file:///etc", "x"],
)
def test_only_this_machine_is_asked_by_default(address: str) -> None:
    with pytest.raises(SettingsError):
        CATALOG.create(Choice(name="openai_compatible", settings={"base_url": address}))


def test_another_machine_is_asked_where_that_is_meant() -> None:
    settings = {"base_url": "https://example.org/v1", "allow_remote": True}
    assert CATALOG.create(Choice(name="openai_compatible", settings=settings))
