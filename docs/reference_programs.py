"""The reference pages of the two doors: the command line and Python."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

import understudy
from docs.docstrings import Parsed, parsed
from docs.tables import code, table
from understudy.cli.app import app

EXITS = (
    ("0", "Done; where there is a verdict, it is *released*."),
    ("1", "A fault of `understudy`, not of the request. Please report it."),
    ("2", "The request, its data, its settings or its folder are at fault; the message says what to do."),
    ("3", "Done, but the release policy withholds the data."),
    ("4", "A check found something: `verify` a changed byte, `audit` a row that breaks a hard rule."),
    ("130", "Interrupted by Ctrl-C; the same command goes on where it stopped."),
    ("141", "What read the output went away (for example `understudy list metrics | head -1`)."),
)


def command_line() -> str:
    """Return the page of the command line."""
    commands = list(_commands(typer.main.get_command(app), "understudy"))
    links = [f"- [`{name}`](#{_anchor(name)})" for name, _ in commands]
    exits = table(("Exit code", "Means"), [(code(number), words) for number, words in EXITS])
    intro = (
        "Results go to standard output; progress, notes and errors go to standard error, so output can be piped. "
        "Every command answers to `--help`."
    )
    parts = ["# The command line", intro, "\n".join(links), f"## Exit codes\n\n{exits}"]
    return "\n\n".join([*parts, *(_command(name, command) for name, command in commands)])


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if getattr(inner, "commands", None):
            yield from _commands(inner, f"{path} {name}")
        else:
            yield f"{path} {name}", inner


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join(
        [name, *(_placeholder(p) for p in arguments), *(_usage(p) for p in options if p.required)]
    )
    rows = [(code(_placeholder(p)), p.help or "") for p in arguments]
    rows += [
        (_spellings(p), f"{p.help or ''}{' **Required.**' if p.required else ''}{_repeats(p)}")
        for p in options
    ]
    text = inspect.cleandoc(command.help or "")
    return f"## {name}\n\n{text}\n\n```text\n{usage} [OPTIONS]\n```\n\n{table(('Option', 'Meaning'), rows)}"


def _placeholder(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name).upper()


def _usage(parameter: Any) -> str:
    return f"{parameter.opts[0]} {parameter.opts[0].lstrip('-').upper()}"


def _spellings(parameter: Any) -> str:
    return ", ".join(code(spelling) for spelling in parameter.opts)


def _repeats(parameter: Any) -> str:
    return " May be given several times." if parameter.multiple else ""


def python() -> str:
    """Return the page of the Python names."""
    intro = (
        "Everything here is imported from `understudy` itself and is typed. Nothing keeps hidden state: the same "
        "arguments and seed give the same data."
    )
    ordered = ("synthesize", "evaluate", "profile")
    names = [*ordered, *(n for n in sorted(understudy.__all__) if n not in ordered)]
    return "\n\n".join(["# Python", intro, *(_public(name, getattr(understudy, name)) for name in names)])


def _public(name: str, thing: Any) -> str:
    doc = parsed(thing)
    parts = [f"## {name}"]
    if inspect.isfunction(thing):
        parts.append(f"```text\n{_signature(name, thing)}\n```")
    parts.append(doc.paragraphs)
    parts += [_items(doc, section) for section in ("Args", "Attributes", "Raises") if doc.items.get(section)]
    if inspect.isclass(thing):
        parts.append(_members(thing))
    return "\n\n".join(part for part in parts if part)


def _signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    lines = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "    *," not in lines:
            lines.append("    *,")
        default = parameter.default
        if default is parameter.empty:
            shown = ""
        else:
            shown = f" = {default.__name__ if inspect.isfunction(default) else repr(default)}"
        lines.append(f"    {parameter.name}: {parameter.annotation!s}{shown},")
    return "\n".join([f"{name}(", *lines, f") -> {signature.return_annotation}"])


def _items(doc: Parsed, section: str) -> str:
    word = {"Args": "Argument", "Attributes": "Attribute", "Raises": "Error"}[section]
    return table((word, "Meaning"), [(code(name), words) for name, words in doc.items[section].items()])


def _members(thing: type) -> str:
    rows: list[tuple[str, str]] = []
    for name, member in vars(thing).items():
        inner = _function(member)
        if name.startswith("_") or not inspect.isfunction(inner) or not inner.__doc__:
            continue
        is_property = not callable(member) and not isinstance(member, (classmethod, staticmethod))
        shown = name if is_property else f"{name}()"
        rows.append((code(shown), parsed(inner).text.splitlines()[0]))
    return table(("Member", "What it is"), rows) if rows else ""


def _function(member: Any) -> Any:
    wrapped = (getattr(member, name, None) for name in ("__func__", "fget", "func"))
    return next((inner for inner in wrapped if inner is not None), member)
