"""Pages as things to run: their code blocks in order, in one folder, with what each prints.

A `sh` block is a script for bash, a `python` block goes on where the page's earlier ones ended. Remarks that
readers do not see say the rest: `<!-- exit 3 -->` the exit codes to expect, `<!-- not run: why -->` that a block
is only to be read, `<!-- file: plan.yaml -->` that a block is the content of a file. A `text` block right behind a
block that runs shows its output; `python -m docs.pages PAGE` runs a page and writes these blocks anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.make_patients import made_patients

ROOT = Path(__file__).resolve().parents[1]
RUNS = ("sh", "python")
_WIDTH = "100"
_ROWS = 2_500
_FENCE = re.compile(
    r"(?P<remarks>(?:^<!-- [^\n]* -->\n)*)^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_REMARK = re.compile(r"<!-- (?P<word>exit|not run|file):? ?(?P<value>.*?) -->")


@dataclass(frozen=True)
class Code:
    """One code block of a page.

    Attributes:
        language: the word behind the fence.
        body: the lines between the fences.
        remarks: what the comments right before it say, by their first words.
        span: where the body begins and ends in the page.
        line: its first line in the page.
    """

    language: str
    body: str
    remarks: dict[str, str]
    span: tuple[int, int]
    line: int

    @property
    def is_run(self) -> bool:
        """Whether the block is carried out."""
        return self.language in RUNS and "not run" not in self.remarks

    @property
    def exits(self) -> tuple[int, ...]:
        """The exit codes that are expected."""
        return tuple(int(code) for code in re.findall(r"\d+", self.remarks.get("exit", "0")))


def blocks(text: str) -> list[Code]:
    """Return the code blocks of a page in order."""
    return [
        Code(
            language=found["language"],
            body=found["body"],
            remarks={r["word"]: r["value"] for r in _REMARK.finditer(found["remarks"])},
            span=found.span("body"),
            line=text.count("\n", 0, found.start("body")) + 1,
        )
        for found in _FENCE.finditer(text)
    ]


class PageError(Exception):
    """A block of a page did not do what the page says."""


def run_page(
    page: Path, folder: Path, store: Path | None = None, rows: int = _ROWS
) -> Iterator[tuple[Code, str]]:
    """Carry out the blocks of a page in `folder`, giving each one that runs with its output.

    Args:
        page: the page.
        folder: an empty folder.
        store: where runs into `release` keep finished steps, so that pages which do the same do it once.
        rows: rows of `patients.csv`.

    Raises:
        PageError: if a block ends otherwise than the page says.
    """
    names: dict[str, Any] = {"__name__": "__page__"}
    made_patients(rows).write_csv(folder / "patients.csv")
    if store is not None:
        (folder / "release.work").symlink_to(store, target_is_directory=True)
    for code in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.name}, line {code.line}"
        if "file" in code.remarks:
            (folder / code.remarks["file"]).write_text(code.body, encoding="utf-8")
        elif code.is_run and code.language == "sh":
            yield code, _shell(code, folder, where)
        elif code.is_run:
            yield code, _python(code, folder, names, where)


def _shell(code: Code, folder: Path, where: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    quiet = {
        "COLUMNS": _WIDTH,
        "TERM": "dumb",
        "NO_COLOR": "1",
        "PATH": path,
        "EXAMPLES": str(ROOT / "examples"),
    }
    script = "set -eo pipefail\n" + code.body.replace("python examples/", 'python "$EXAMPLES"/')
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in code.exits:
        raise PageError(f"{where}: exit code {done.returncode}\n{code.body}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _python(code: Code, folder: Path, names: dict[str, Any], where: str) -> str:
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        # Line numbers of the page, so that a traceback points into it.
        exec(compile("\n" * (code.line - 1) + code.body, where, "exec"), names)  # noqa: S102 - the page is ours
    return printed.getvalue()


def refreshed(page: Path, folder: Path) -> str:
    """Run a page and return its text with each shown output as it is now."""
    text = page.read_text(encoding="utf-8")
    outputs = {code.span: output for code, output in run_page(page, folder)}
    pieces, end, last = [], 0, ""
    for code in blocks(text):
        if (
            code.language == "text"
            and last
            and not text[end : code.span[0]].replace("```text", "").strip("`\n")
        ):
            pieces += [text[end : code.span[0]], last.strip("\n").rstrip() + "\n"]
            end = code.span[1]
        else:
            pieces.append(text[end : code.span[1]])
            end = code.span[1]
        last = outputs.get(code.span, "")
    return "".join([*pieces, text[end:]])


def main(arguments: list[str]) -> None:
    """Write the shown outputs of the named pages anew."""
    for name in arguments:
        page = Path(name)
        with tempfile.TemporaryDirectory(prefix="understudy-page-") as folder:
            page.write_text(_without_blanks(refreshed(page, Path(folder))), encoding="utf-8", newline="\n")
        print(page)


def _without_blanks(text: str) -> str:
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    main(sys.argv[1:])
