"""Tests of understudy. A package, so that tests can share what is theirs: `from tests.x import y`."""
