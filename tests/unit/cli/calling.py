"""Calls the command line as a person does, and returns what it said."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass

import pytest

from understudy.cli.app import main


@dataclass(frozen=True)
class Said:
    """The exit code, and what was written to standard output and to the error stream."""

    code: int
    out: str
    err: str


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> Said:
    """Run `understudy` with these words."""
    monkeypatch.setattr(sys, "argv", ["understudy", *words])
    monkeypatch.setenv("COLUMNS", "200")
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
    return Said(code, out.getvalue(), err.getvalue())
