"""How to read the report: the words that it uses, and the questions that it asks."""

from __future__ import annotations

from understudy.core.blocks import Block, Heading, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.reports.wording import exact, sentence

_WORDS = (
    ("Synthetic rows", "Rows drawn from a generator. They resemble the real ones together; none stands for a person."),
    ("Real rows", "The rows that the generator learned from."),
    ("Holdout", "Real rows that neither learning nor tuning ever saw. They show what new, unseen people look like."),
    (
        "Result for “real rows”",
        "The same measurement with unseen real rows in the place of the synthetic ones (for prediction: models "
        "trained on real rows). Nobody should expect to do better, apart from chance.",
    ),
    (
        "Result for “shuffled columns”",
        "The same measurement with every column shuffled on its own: each column is perfect, all relations are "
        "lost. Fidelity near this is worth little.",
    ),
    (
        "Interval",
        "In “0.51 (0.47 to 0.55)” the bracket is the range in which the true value lies with 95 % confidence. "
        "A wide bracket means: too little data to be precise.",
    ),
    ("Inconclusive", "Too few rows to tell success from failure. Never counted as a pass."),
    (
        "AUC",
        "How well two groups can be told apart: 0.5 is a coin toss, 1 is always right. For prediction models high "
        "is good; for attacks and for detection 0.5 is good.",
    ),
    (
        "TPR at 10 % FPR",
        "Share of the people in the data whom an attack finds while it wrongly accuses one outsider in ten. "
        "Chance finds one in ten as well; at 1 % FPR, one in a hundred.",
    ),
    ("Membership attack", "An attempt to find out whether a given person's row was among those learned from."),
    ("Protected column", "A column, such as sex or ethnicity, whose groups must be served alike."),
    ("✓  ~  ✕  ·", "Good, fair, bad, and no judgement; a reading aid. The release policy alone decides on release."),
)  # fmt: skip


class Glossary(Section):
    """Words, colours, and every question of this report with its scale."""

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the words, then the questions."""
        blocks: list[Block] = [
            Heading(text="How to read this report"),
            Text(
                text="In every chart blue is real and orange is synthetic; filled is real and a line is synthetic."
            ),
            TableBlock(columns=("Word", "Meaning"), rows=_WORDS, caption="Words"),
        ]
        rows = tuple(
            (r.title, r.axis.value, sentence(r.question), f"{exact(r.best)} (worst {exact(r.worst)})")
            for r in evidence.evaluation.results
        )
        if rows:
            columns = ("Measure", "Asks about", "Question", "Best value")
            blocks.append(
                TableBlock(columns=columns, rows=rows, caption="Questions of this report", collapsed=True)
            )
        return blocks
