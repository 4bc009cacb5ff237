"""Options that several verbs share, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from understudy.core.schema import Schema
    from understudy.workflow.plan import Holdout

Table = Annotated[str, typer.Argument(help="The table: CSV (any delimiter, .gz), Parquet, Excel or Arrow.")]
Out = Annotated[
    Path, typer.Option("--out", "-o", help="Folder to write; an earlier release there is replaced.")
]
Rows = Annotated[
    int | None, typer.Option("--rows", "-n", help="Synthetic rows; default: as many as learned from.")
]
Synthesizer = Annotated[
    str | None,
    typer.Option(
        "--synthesizer",
        "-s",
        help="See `understudy list synthesizers`, or auto: the best of two or three on rows set aside. "
        "Default: sequential_trees.",
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the synthesizer, NAME=VALUE.")
]
Read = Annotated[
    list[str] | None,
    typer.Option(
        "--read",
        help="How the table is read, NAME=VALUE: sheet, delimiter, encoding, missing (found out if not said).",
    ),
]
SchemaFile = Annotated[
    Path | None, typer.Option("--schema", help="The edited output of `understudy profile`.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", help="A condition that every row satisfies: 'age>=65', 'age 65-80', 'sex=female'."
    ),
]
Share = Annotated[
    list[str] | None, typer.Option("--share", help="A proportion: 'sex=female:0.6', or 'outcome:balanced'.")
]
Augment = Annotated[
    int | None,
    typer.Option(
        "--augment",
        help="Draw so many rows to be added to the real ones, and measure whether that helps a model.",
    ),
]
Balance = Annotated[
    str | None,
    typer.Option(
        "--balance",
        help="Draw rows of the rarer levels of this column, so that real and synthetic rows together are balanced.",
    ),
]
Target = Annotated[
    str | None, typer.Option("--target", help="The column that is predicted to measure usefulness.")
]
Protected = Annotated[
    str | None, typer.Option("--protected", help="Columns whose groups are compared, separated by commas.")
]
TrainRows = Annotated[int | None, typer.Option("--train-rows", help="Learn from at most this many rows.")]
HoldoutText = Annotated[
    str, typer.Option("--holdout", help="Real rows kept for the judgement: a share, a TABLE, or 'none'.")
]
Complete = Annotated[
    str,
    typer.Option(
        "--complete", help="A table of partial rows: their cells are kept, open ones drawn to go with them."
    ),
]
TimeLimit = Annotated[
    float | None, typer.Option("--time-limit", help="Seconds that learning should stay within.")
]
Device = Annotated[
    str, typer.Option("--device", help="Where neural synthesizers learn: cpu, cuda, cuda:N or mps.")
]
WithGenerator = Annotated[
    bool,
    typer.Option(
        "--with-generator",
        help="Keep the trained generator in the release, for `understudy sample`: as sensitive as the real data.",
    ),
]
SeedValue = Annotated[int, typer.Option("--seed", help="The same seed gives the same data.")]
Format = Annotated[str, typer.Option("--format", help="csv or parquet.")]
Violations = Annotated[
    str | None,
    typer.Option("--violations", help="Real rows that break a rule or bound: drop, repair or keep_rate."),
]
PolicyName = Annotated[str, typer.Option("--policy", help="Release policy: internal or external.")]
Goal = Annotated[
    str, typer.Option("--goal", help="What the data are for, in your words; kept with the release.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; progress goes to stderr.")]
Work = Annotated[
    Path | None,
    typer.Option(
        "--work", help="Folder of finished steps, as sensitive as the real data; default: OUT.work."
    ),
]


def show(text: str, out: Path | None) -> bool:
    """Write a document to `out`, or print it where none is named; returns whether it was written.

    Raises:
        OutputError: if the file cannot be written.
    """
    from understudy.store.artifacts import unwritable

    if out is None:
        print(text)
        return False
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(out, error) from error
    return True


def settings_of(texts: list[str] | None) -> dict[str, Any]:
    """Read `name=value` settings; values are JSON where they can be, else text.

    Raises:
        SettingsError: if one has no name or no value.
    """
    import json

    settings: dict[str, Any] = {}
    for name, value in _pairs(texts, "--set leaf=20"):
        try:
            settings[name] = json.loads(value)
        except json.JSONDecodeError:
            settings[name] = value
    return settings


def reading_of(texts: list[str] | None) -> dict[str, Any]:
    """Read how a table is read: text, as a sheet may be called 2; lists are JSON.

    Raises:
        SettingsError: if one has no name or no value.
    """
    pairs = _pairs(texts, "--read encoding=cp1252")
    return {name: settings_of([f"v={v}"])["v"] if v.startswith("[") else v for name, v in pairs}


def _pairs(texts: list[str] | None, example: str) -> list[tuple[str, str]]:
    from understudy.core.errors import SettingsError

    pairs = []
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise SettingsError(f"cannot read the setting {text!r}; write it like {example}")
        pairs.append((name.strip(), value))
    return pairs


def holdout_of(text: str) -> Holdout:
    """Read `--holdout`: a share between 0 and 1, a table, or `none`.

    Raises:
        RequestError: if it is none of these.
    """
    from understudy.core.errors import RequestError
    from understudy.workflow.plan import Holdout

    if text.strip().lower() == "none":
        return Holdout()
    try:
        fraction = float(text)
    except ValueError:
        return Holdout(table=text)
    if not 0 < fraction < 1:
        raise RequestError(f"--holdout {text}: expected a share between 0 and 1, a table, or 'none'")
    return Holdout(fraction=fraction)


def schema_of(path: Path | None) -> Schema | None:
    """Read a schema file, or return None if none is named.

    Raises:
        SchemaError: if it cannot be read.
    """
    from understudy.core.errors import SchemaError
    from understudy.core.schema import Schema

    if path is None:
        return None
    try:
        return Schema.from_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"cannot read the schema {str(path)!r}: {error}") from error


def names_of(text: str | None) -> list[str] | None:
    """Split names at commas; None stays None."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def one_of(text: str | None, option: str, allowed: tuple[str, ...]) -> Any:
    """Return `text` if it is one of the allowed words, or None if it is None.

    Raises:
        UnknownNameError: otherwise; suggests the nearest.
    """
    from understudy.core.errors import UnknownNameError

    if text is not None and text not in allowed:
        raise UnknownNameError(f"value of {option}", text, allowed)
    return text
