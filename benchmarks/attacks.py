"""Measure what our own attacks gain, over many splits: `python -m benchmarks.attacks`.

One split of a small table says little about an attack: its area is off by 0.03 or more. The mean over many splits
shows what a synthesizer truly gives away.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from statistics import mean, stdev

import polars as pl

from benchmarks.processes import OUT
from benchmarks.results import PROMISED
from benchmarks.tables import SMALL, BenchTable, named, read, shared_folder, split
from understudy.core.catalog import Choice
from understudy.core.contracts import Comparison, Fitting
from understudy.core.errors import UnderstudyError
from understudy.core.seeds import Seed
from understudy.metrics.attacks.catalog import ATTACKS
from understudy.metrics.attacks.trial import hold
from understudy.metrics.content import tables
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.advise import Wishes, draft
from understudy.workflow.inputs import as_schema_says, read_inputs
from understudy.workflow.plan import Holdout


def areas(
    train: pl.DataFrame, test: pl.DataFrame, target: str, choice: Choice, seed: int
) -> dict[str, float]:
    """Return the area under the ROC of each attack, members in `train` against people in `test`.

    Args:
        train: raw rows to learn from; as many are drawn.
        test: raw rows that are never learned from.
        target: the column that is predicted.
        choice: the synthesizer and its settings.
        seed: of fit, sample and attacks.
    """
    wishes = Wishes(target=target, synthesizer=choice.name, holdout=Holdout(), seed=seed)
    learned = read_inputs(draft("<train>", wishes, {"<train>": train}).plan, {"<train>": train}).train
    fitted = SYNTHESIZERS.create(choice).fit(learned, Fitting(seed=Seed(seed).child("fit")))
    drawn = fitted.sample(learned.rows, Seed(seed).child("sample"))
    held_out, _ = as_schema_says(test, learned.schema, "the test rows")
    comparison = Comparison(learned, drawn, held_out, Seed(seed).child("evaluate"))
    trial = hold(comparison, *tables(comparison), ATTACKS)
    return dict(zip((attack.name for attack in ATTACKS), trial.contest.auc.tolist(), strict=True))


def row(table: BenchTable, choice: Choice, splits: Sequence[int]) -> str:
    """Return one line of the table of results: mean area of each attack and its standard error."""
    frame = read(table, shared_folder())
    found = [areas(*split(frame, table.target, seed), table.target, choice, seed) for seed in splits]
    cells = []
    for attack in ATTACKS:
        values = [one[attack.name] for one in found]
        cells.append(f"{mean(values):.3f} ± {stdev(values) / len(values) ** 0.5:.3f}")
    settings = " ".join(f"{name}={value}" for name, value in choice.settings.items())
    return f"| {table.name} | {choice.name} {settings}".rstrip() + " | " + " | ".join(cells) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--tables", nargs="*", default=[t.name for t in SMALL], help="names; the small ones by default"
    )
    parser.add_argument("--synthesizers", nargs="*", default=[PROMISED, "gaussian_copula", "marginals"])
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=NUMBER", help="settings of the synthesizers"
    )
    parser.add_argument("--splits", type=int, default=20, help="random 70/30 splits; 20 by default")
    given = parser.parse_args(arguments)
    settings = {name: float(value) for name, _, value in (text.partition("=") for text in given.set)}
    lines = [
        "| table | synthesizer | " + " | ".join(attack.name for attack in ATTACKS) + " |",
        "|---|---" + "|---" * len(ATTACKS) + "|",
    ]
    try:
        for table in named(given.tables):
            for name in given.synthesizers:
                lines.append(row(table, Choice(name=name, settings=settings), range(100, 100 + given.splits)))
                print(f"{table.name} {name}: measured", file=sys.stderr, flush=True)
    except UnderstudyError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    text = "\n".join(lines) + "\n"
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "attacks.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
