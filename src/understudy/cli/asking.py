"""`understudy ask` and `understudy chat`: patients, and answers about them, for plain words."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from understudy.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from understudy.agent.conversation import Conversation
    from understudy.agent.state import Table
    from understudy.cli.showing import Voice
    from understudy.core.language import LanguageModel
    from understudy.workflow.release import Release

YES = ("", "y", "yes", "run", "run it", "go", "ok", "okay", "do it", "start")
NO = ("n", "no", "stop", "cancel")
LEAVE = ("quit", "exit", "bye", ":q")

Data = Annotated[
    list[Path] | None,
    typer.Option("--data", "-d", help="A private table of yours; no row of it is shown to a language model."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model", help="A language model from `understudy list language-models`; default: none is needed."
    ),
]
ModelSettings = Annotated[
    list[str] | None, typer.Option("--model-set", help="A setting of the language model, NAME=VALUE.")
]


class Spoken(TyperCommand):
    """A command whose argument is plain words: "-5 patients" is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put a blank before words that begin with a negative number."""
        return super().parse_args(ctx, [f" {arg}" if re.match(r"-\d", arg) else arg for arg in args])


def ask(
    words: Annotated[str, typer.Argument(help="What you want, or want to know, in your own words.")],
    data: Data = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the release, to write or to be asked about.")
    ] = Path("release"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve the plan beforehand.")] = False,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Print the plan, for `understudy run`, and stop.")
    ] = False,
    model: Model = "embedded",
    model_set: ModelSettings = None,
    json_: options.Json = False,
) -> None:
    """Make patients, or answer a question, from plain words: one card with the whole plan, one approval.

    Example: understudy ask "500 women over 65 with heart failure, 30 % smokers" --out release
    """
    from understudy.cli.presenting import conclude
    from understudy.cli.showing import Voice

    voice = Voice(is_quiet=json_ or plan_only)
    conversation = _begun(voice, data, model, model_set, out)
    _bring_named(conversation, words)
    conversation.say(words)
    if plan_only:
        _print_plan(conversation, as_json=json_)
    elif conversation.waits_for:
        _ensure_approved(conversation, is_approved=yes)
        release = _carried_out(conversation, voice, out)
        if release is not None:
            raise typer.Exit(conclude(release, as_json=json_))
        if json_:
            print(json.dumps(_document(conversation, voice), indent=1, ensure_ascii=False))
    elif json_:
        print(json.dumps(_document(conversation, voice), indent=1, ensure_ascii=False))
    if _is_lost(conversation):
        raise typer.Exit(2)


def chat(
    data: Data = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the releases and the transcript of this conversation."),
    ] = Path("conversation"),
    model: Model = "embedded",
    model_set: ModelSettings = None,
) -> None:
    """Talk: ask for patients, change the plan, go back, run it, ask about the result. `quit` ends.

    Example: understudy chat --data patients.csv
    """
    from rich.console import Console

    from understudy.cli.showing import Voice

    console, voice = Console(), Voice()
    conversation = _begun(voice, data, model, model_set, out, keeps_transcript=True)
    console.print("[bold]understudy[/]  synthetic patients that stand in for real ones")
    console.print("[dim]Say what you need, or “help”. Nothing runs before you approve it. “quit” ends.[/]")
    while (words := _line(console, conversation)) is not None:
        _turn(console, conversation, voice, out, words)
    console.print(f"[dim]The transcript lies in {out / 'transcript.jsonl'}[/]")


def _begun(
    voice: Voice, data: list[Path] | None, model: str, settings: list[str] | None, out: Path, *,
    keeps_transcript: bool = False,
) -> Conversation:  # fmt: skip
    from understudy.agent.conversation import Conversation
    from understudy.agent.state import bring
    from understudy.store.transcripts import Transcript
    from understudy.workflow.release import MANIFEST

    chosen = _model(model, settings)
    tables: list[Table] = [bring(str(path)) for path in data or []]
    folders = [out] if (out / MANIFEST).is_file() else []
    transcript = Transcript(out / "transcript.jsonl") if keeps_transcript else None
    releases = [str(folder) for folder in folders]
    return Conversation(model=chosen, tables=tables, releases=releases, notify=voice, transcript=transcript)


def _bring_named(conversation: Conversation, words: str) -> None:
    """Bring the real table that the person names for a judgement, so that its columns can be spoken of."""
    from understudy.agent.interpret import interpret
    from understudy.agent.state import bring

    tables = [table.known for table in conversation.desk.tables]
    asked = interpret(words, tables=tables, previous=conversation.desk.state.plans).judging
    if asked is not None and asked.real not in [table.path for table in tables]:
        conversation.bring(bring(asked.real))


def _model(name: str, settings: list[str] | None) -> LanguageModel:
    from understudy.core.catalog import Choice
    from understudy.core.errors import RequestError
    from understudy.language.catalog import CATALOG

    choice = Choice(name=name.replace("-", "_"), settings=options.settings_of(settings))
    try:
        return CATALOG.create(choice)
    except ImportError as error:
        raise RequestError(
            f"the language model {name!r} needs {error.name!r}; install understudy with its extra: "
            f"{CATALOG.entry(choice.name).summary}"
        ) from error


def _ensure_approved(conversation: Conversation, *, is_approved: bool) -> None:
    from understudy.core.errors import RequestError

    reading, plan = conversation.desk.reading, conversation.desk.state.plan
    is_nearest = reading is not None and reading.plan is None and plan == reading.nearest
    # A language model may have read what the interpreter did not: then the plan is another one.
    judging = conversation.desk.state.judging
    unread = reading.unread if reading is not None and (judging or plan == reading.plan) else ()
    is_nearest = is_nearest and judging is None
    if is_approved and not is_nearest and not unread:
        return
    if sys.stdin.isatty() and not is_approved:
        print("\nCarry out this plan? [Y/n] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().casefold() in YES:
            return
        raise RequestError("not run: the plan was not approved")
    if is_nearest:
        raise RequestError(
            "not run: this plan is only the nearest to what was asked, as the card says. Ask for it in words that "
            "hold, or approve it by hand."
        )
    if is_approved:
        raise RequestError(
            f"not run: {', '.join(map(repr, unread))} was not understood, and --yes approves only what was read "
            "whole. Say it in other words or leave it out, or approve the plan by hand."
        )
    raise RequestError("not run: nobody approved the plan. Add --yes, or see it with --plan-only.")


def _carried_out(conversation: Conversation, voice: Voice, out: Path) -> Release | None:
    from understudy.agent.approval import approve
    from understudy.workflow.release import ensure_free

    ensure_free(out)
    with voice.working():
        return approve(conversation, out, voice)


def _print_plan(conversation: Conversation, *, as_json: bool) -> None:
    state, reading = conversation.desk.state, conversation.desk.reading
    beside = state.judging or state.comparing
    if as_json:
        document = None if reading is None else reading.model_dump(mode="json", by_alias=True)
        print(json.dumps(document, indent=1, ensure_ascii=False))
    elif beside is not None:
        print(f"{beside.command()} --out DIR")
    elif state.plan is not None:
        print(state.plan.to_yaml())


def _document(conversation: Conversation, voice: Voice) -> dict[str, Any]:
    reading = conversation.desk.reading
    question = None if reading is None or reading.question is None else reading.question.model_dump()
    return {"question": question, "blocks": [block.model_dump(mode="json") for block in voice.blocks]}


def _is_lost(conversation: Conversation) -> bool:
    """Say whether the words were neither a question nor a request that could be planned."""
    reading = conversation.desk.reading
    state = conversation.desk.state
    if reading is None or state.plan is not None or state.judging is not None:
        return False
    return reading.question is None or reading.question.topic == "evaluate"


def _line(console: Console, conversation: Conversation) -> str | None:
    waiting = "[dim]run it? Enter for yes, or say what to change[/] " if conversation.waits_for else ""
    try:
        words = console.input(f"\n{waiting}[bold green]›[/] ")
    except (EOFError, KeyboardInterrupt):
        console.print()
        return None
    return None if words.strip().casefold() in LEAVE else words


def _turn(console: Console, conversation: Conversation, voice: Voice, out: Path, words: str) -> None:
    from rich.markup import escape

    from understudy.cli.presenting import conclude
    from understudy.core.errors import UnderstudyError

    said = words.strip().casefold()
    try:
        if conversation.waits_for and said in YES:
            number = sum(path.is_dir() for path in out.glob("release-*[0-9]")) + 1
            release = _carried_out(conversation, voice, out / f"release-{number:02d}")
            if release is not None:
                conclude(release, as_json=False)
        elif conversation.waits_for and said in NO:
            conversation.decline()
            console.print("[dim]Not run. Say what to change, or ask.[/]")
        elif said:
            _bring_named(conversation, words)
            conversation.say(words)
    except UnderstudyError as error:
        console.print(f"[red]✕[/] {escape(str(error))}")
    except KeyboardInterrupt:
        console.print("\n[dim]Stopped.[/]")


def mcp(
    data: Data = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for plans and releases.")] = Path(
        "assistant"
    ),
) -> None:
    """Serve the tools of the conversation to another assistant, by the Model Context Protocol (extra `mcp`).

    The assistant plans and asks; it sees no row of a private table, and a run is a command that you give.

    Example: understudy mcp --data patients.csv
    """
    from understudy.agent.guests import Guest
    from understudy.agent.state import bring
    from understudy.core.errors import RequestError

    try:
        from understudy.agent.mcp import serve
    except ImportError as error:
        raise RequestError("`understudy mcp` needs the extra: pip install 'understudy[mcp]'") from error
    serve(Guest(out, [bring(str(path)) for path in data or []]))
