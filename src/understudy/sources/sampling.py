"""A uniform random sample of a stream of rows, within a limit of rows and of memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from understudy.core.seeds import Seed
from understudy.sources.limits import in_words


class Reservoir:
    """Keeps the rows with the smallest random keys; all rows, in order, where they stay within the limits.

    Each row draws a key; those below a falling threshold are held. Keys do not depend on the rows, so what is
    held is a uniform sample without replacement at any moment, and the threshold may fall when memory does.

    Reference:
        Vitter, Random sampling with a reservoir, ACM TOMS 11 (1985); the variant with random keys.
    """

    def __init__(self, most_rows: int | None, most_bytes: int, seed: Seed) -> None:
        self.seen = 0
        self.is_full = False
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._rng = seed.rng()
        self._threshold = 1.0
        self._batches: list[pa.Table] = []
        self._keys: list[np.ndarray] = []
        self._held_bytes = 0
        self._held_rows = 0

    def add(self, batch: pa.Table) -> None:
        """Take in the next rows."""
        keys = self._rng.random(batch.num_rows)
        self.seen += batch.num_rows
        if self._threshold < 1:
            kept = np.flatnonzero(keys < self._threshold)
            batch, keys = batch.take(pa.array(kept)), keys[kept]
        self._batches.append(batch)
        self._keys.append(keys)
        self._held_bytes += batch.nbytes
        self._held_rows += batch.num_rows
        while self._held_bytes > self._most_bytes and self._held_rows > 1:
            self.is_full = True
            self._keep(self._held_rows // 2)
        if self._most_rows is not None and self._held_rows > 2 * self._most_rows:
            self._keep(self._most_rows)

    def result(self) -> pa.Table:
        """Return the held rows in their order in the stream; at least one batch must have been added."""
        if self._most_rows is not None and self._held_rows > self._most_rows:
            self._keep(self._most_rows)
        return pa.concat_tables(self._batches)

    def note(self, seed: int) -> tuple[str, ...]:
        """Say which rows were read and why, where not all were."""
        if self._held_rows == self.seen:
            return ()
        if self.is_full and (self._most_rows is None or self._held_rows < self._most_rows):
            reason = f"all of them would need more than the {in_words(self._most_bytes)} set aside for rows"
        else:
            reason = f"at most {self._most_rows:,} were asked for"
        return (
            f"Read {self._held_rows:,} of {self.seen:,} rows, a uniform random sample (seed {seed}), "
            f"because {reason}.",
        )

    def _keep(self, count: int) -> None:
        keys = np.concatenate(self._keys)
        self._threshold = float(np.partition(keys, count)[count])
        kept = np.flatnonzero(keys < self._threshold)
        # Taking copies, so the memory of the rows that go is given back.
        table = pa.concat_tables(self._batches).take(pa.array(kept))
        self._batches, self._keys = [table], [keys[kept]]
        self._held_bytes, self._held_rows = table.nbytes, table.num_rows
