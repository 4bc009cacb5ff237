"""`understudy list`: what can be chosen, with settings."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

FAMILIES = (
    "synthesizers", "populations", "metrics", "sections", "renderers", "sources", "exports", "policies",
    "language-models",
)  # fmt: skip


def list_catalog(
    family: Annotated[str, typer.Argument(help=f"One of: {', '.join(FAMILIES)}.")],
    name: Annotated[str | None, typer.Argument(help="An entry, to see its settings.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what can be chosen in a family, or the settings of one entry."""
    from understudy.core.errors import UnknownNameError

    if family not in FAMILIES:
        raise UnknownNameError("family", family, FAMILIES)
    if family == "policies":
        from understudy.workflow.policy import POLICIES

        lines = {p.name: p.summary for p in POLICIES}
        print(json.dumps(lines, indent=1) if json_ else _table(lines))
        return
    catalog = _catalog(family)
    if name is not None:
        schema = catalog.recipe(name).model_json_schema()
        print(json.dumps(schema, indent=1) if json_ else _settings(catalog.entry(name).summary, schema))
        return
    lines = {entry.name: entry.summary for entry in catalog.entries}
    print(json.dumps(lines, indent=1) if json_ else _table(lines))


def _catalog(family: str) -> Any:
    from importlib import import_module

    homes = {
        "language-models": ("understudy.language.catalog", "CATALOG"),
        "sections": ("understudy.reports.catalog", "CATALOG"),
        "renderers": ("understudy.reports.catalog", "RENDERERS"),
    }
    module, attribute = homes.get(family, (f"understudy.{family}.catalog", "CATALOG"))
    return getattr(import_module(module), attribute)


def _table(lines: dict[str, str]) -> str:
    width = max(map(len, lines), default=0)
    return "\n".join(f"{name:<{width}}  {summary}" for name, summary in lines.items())


def _settings(summary: str, schema: dict[str, Any]) -> str:
    lines = [summary, ""]
    for name, field in schema.get("properties", {}).items():
        limits = ", ".join(
            f"{k} {field[k]}" for k in ("minimum", "maximum", "exclusiveMinimum") if k in field
        )
        default = f"default {field['default']!r}" if "default" in field else "required"
        lines.append(
            f"--set {name}=...  ({default}{'; ' + limits if limits else ''})  {field.get('description', '')}"
        )
    if len(lines) == 2:
        lines.append("no settings")
    return "\n".join(lines)
