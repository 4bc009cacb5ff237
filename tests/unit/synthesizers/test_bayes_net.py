"""The Bayesian network: which parents it finds, and what each setting does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.synthesizers.clinic import clinic
from understudy.core.catalog import Choice
from understudy.core.contracts import Fitting, Generator
from understudy.core.seeds import Seed
from understudy.synthesizers.bayes_net import find_parents
from understudy.synthesizers.catalog import CATALOG


def planted(rows: int) -> np.ndarray:
    """Codes of: a cause, its effect, the effect's effect, a fair coin, and the parity of cause and coin."""
    rng = np.random.default_rng(1)
    cause = rng.integers(0, 3, rows)
    effect = np.where(rng.random(rows) < 0.8, cause, rng.integers(0, 3, rows))
    further = np.where(rng.random(rows) < 0.8, effect, rng.integers(0, 3, rows))
    coin = rng.integers(0, 2, rows)
    parity = np.where(rng.random(rows) < 0.9, (cause + coin) % 2, rng.integers(0, 2, rows))
    return np.stack([cause, effect, further, coin, parity], axis=1)


def test_the_planted_parents_are_found_and_no_others():
    found = find_parents(planted(3_000), range(5), most=4, penalty=1.0)
    assert found[0] == ()
    assert found[1] == (0,)
    assert found[2] == (1,)
    assert found[3] == ()
    assert set(found[4]) == {0, 3}


def test_parents_are_bounded_in_number_and_dear_in_small_tables():
    assert all(len(p) <= 1 for p in find_parents(planted(3_000), range(5), most=1, penalty=0.0).values())
    assert all(not p for p in find_parents(planted(30), range(5), most=4, penalty=10.0).values())


def fitted(**settings: Any) -> Generator:
    choice = Choice(name="bayes_net", settings=settings)
    return CATALOG.create(choice).fit(clinic(400, seed=1), Fitting(seed=Seed(1)))


@pytest.mark.parametrize("changed", [{"parents": 0}, {"bins": 2}, {"penalty": 20.0}, {"leaf": 30.0}], ids=str)
def test_every_setting_changes_what_is_drawn(changed):
    assert fitted(**changed).sample(50, Seed(1)).digest() != fitted().sample(50, Seed(1)).digest()


def test_without_parents_columns_are_independent():
    def link(generator: Generator) -> float:
        drawn = generator.sample(2_000, Seed(1)).frame.drop_nulls(["age", "grade"])
        place = drawn["grade"].replace_strict(["I", "II", "III", "IV"], [0, 1, 2, 3]).to_numpy()
        return float(np.corrcoef(drawn["age"].to_numpy(), place)[0, 1])

    assert link(fitted()) > 0.5
    assert abs(link(fitted(parents=0))) < 0.1
