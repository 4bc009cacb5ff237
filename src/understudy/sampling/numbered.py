"""A chain whose variables share something hidden of each row: each finds it by the row's number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.sampling.chain import Chain
from understudy.sampling.dependence import VariableModel
from understudy.sampling.drawing import Candidates, Restriction
from understudy.sampling.variables import Values, Variable, Variables


def draw_numbered(
    chain: Chain,
    n: int,
    rng: np.random.Generator,
    restriction: Restriction,
) -> Candidates:
    """Draw candidates of a chain whose models find the numbers of their rows with `row_numbers`.

    Args:
        chain: its models are asked about rows 0 to n - 1, some or all of them, in any order.
        n: number of candidates.
        rng: source of randomness.
        restriction: what the rows must satisfy.
    """
    count = len(chain.variables.variables)
    # A variable that numbers the rows comes first, so that each later one finds what is hidden of its rows.
    variables = Variables((*chain.variables.variables, Variable("", "levels", n)), chain.variables.columns)
    models: dict[int, VariableModel] = {count: _RowNumbers(None, None, None, ()), **chain.models}
    numbered = Chain(chain.schema, variables, (count, *chain.order), models, chain.rules)
    return numbered.draw(n, rng, restriction)


def row_numbers(variables: Sequence[Variable], values: Values) -> np.ndarray:
    """Return the numbers of the rows that a model of `draw_numbered` is asked about, shape (rows,)."""
    return values.drawn[len(variables) - 1]


class _RowNumbers(VariableModel):
    """Numbers the rows."""

    def draw(
        self,
        variables: tuple[Variable, ...],
        variable: Variable,
        values: Values,
        rng: np.random.Generator,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return 0, 1, 2 ...; see `VariableModel.draw`."""
        return np.arange(values.rows), None
