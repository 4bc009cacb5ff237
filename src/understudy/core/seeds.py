"""Randomness by name: a stream depends only on the seed and on the path of names that leads to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Seed:
    """A reproducible source of random streams; no global state is ever touched.

    Attributes:
        value: the seed that a person states, any integer.
        path: names of the steps that lead to this stream.
    """

    value: int = 0
    path: tuple[str, ...] = ()

    def child(self, name: str) -> Seed:
        """Return the seed of a named part of the work, independent of its siblings."""
        return Seed(self.value, (*self.path, name))

    def integer(self) -> int:
        """Return this stream's own 32-bit integer, for libraries that take a `random_state`."""
        return int.from_bytes(self._bytes()[:4], "little")

    def rng(self) -> np.random.Generator:
        """Return a fresh generator at the start of this stream."""
        return np.random.default_rng(int.from_bytes(self._bytes(), "little"))

    def _bytes(self) -> bytes:
        return hashlib.sha256("\x1f".join([str(self.value), *self.path]).encode()).digest()
