"""Networks that make whole rows: what each setting does, that levels can be asked for, and what the maths says."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.unit.synthesizers.clinic import clinic
from understudy.core.catalog import Choice
from understudy.core.conditions import Conditions, parse_where
from understudy.core.contracts import Fitting, Generator
from understudy.core.dataset import Dataset
from understudy.core.events import Progressed
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.core.seeds import Seed
from understudy.sampling.mixtures import Mixture
from understudy.synthesizers.catalog import CATALOG
from understudy.synthesizers.latent import Decoder
from understudy.synthesizers.spans import Layout, Span

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from understudy.synthesizers.networks import adversarial  # noqa: E402 - needs torch
from understudy.synthesizers.networks.rows import plain  # noqa: E402 - needs torch

NAMES = ("ctgan", "copula_gan", "tvae")
QUICK = {"updates": 30, "width": 16, "depth": 1, "embedding": 8}


def fitted(name: str, train: Dataset, fitting: Fitting | None = None, **settings: Any) -> Generator:
    choice = Choice(name=name, settings=QUICK | settings)
    return CATALOG.create(choice).fit(train, fitting or Fitting(seed=Seed(1)))


def sides(rows: int, seed: int) -> Dataset:
    """A level that three in ten rows have, a number that lies apart by it, and a level that goes with it."""
    rng = np.random.default_rng(seed)
    is_far = rng.random(rows) < 0.3
    x = np.where(is_far, 5.0, 0.0) + rng.normal(size=rows)
    frame = pl.DataFrame(
        {
            "side": np.where(is_far, "far", "near"),
            "x": x,
            "mark": np.where(is_far ^ (rng.random(rows) < 0.05), "yes", "no"),
        }
    )
    columns = (
        Column(name="side", kind=Kind.CATEGORY),
        Column(name="x", kind=Kind.NUMBER, decimals=3),
        Column(name="mark", kind=Kind.CATEGORY),
    )
    return Dataset.of(Schema(tables=(Table(columns=columns),)), frame)


@pytest.fixture(scope="module", params=NAMES)
def apart(request) -> Generator:
    return fitted(request.param, sides(1_000, 1), updates=400, width=32, learning_rate=5e-3)


def test_what_goes_together_is_learned(apart):
    drawn = apart.sample(2_000, Seed(2)).frame
    is_far = drawn["side"] == "far"
    assert drawn.filter(is_far)["x"].median() > 3.5
    assert drawn.filter(~is_far)["x"].median() < 1.5
    assert ((drawn["mark"] == "yes") == is_far).mean() > 0.8


def test_each_column_has_its_own_distribution(apart):
    real, drawn = sides(1_000, 1).frame, apart.sample(4_000, Seed(2)).frame
    assert abs((drawn["side"] == "far").mean() - (real["side"] == "far").mean()) < 0.03
    for share in (0.05, 0.5, 0.95):
        assert abs(drawn["x"].quantile(share) - real["x"].quantile(share)) < 0.4


def test_a_level_that_is_wished_for_brings_what_goes_with_it(apart):
    given = Conditions(where=(parse_where("side=far"),))
    drawn = apart.sample(300, Seed(3), given).frame
    assert drawn.height == 300
    assert (drawn["side"] == "far").all()
    assert drawn["x"].median() > 3.5


def test_a_range_of_a_number_is_kept_and_tells_of_the_levels(apart):
    given = Conditions(where=(parse_where("x>=4.5"),))
    drawn = apart.sample(300, Seed(3), given).frame
    assert drawn["x"].min() >= 4.5
    assert (drawn["side"] == "far").mean() > 0.8


def test_gaps_of_a_row_are_filled_by_what_is_known_of_it(apart):
    known = pl.DataFrame({"side": ["far", "near"] * 100})
    made = apart.sample(200, Seed(3), Conditions(partial=known)).frame
    assert made["side"].to_list() == known["side"].to_list()
    assert made.filter(pl.col("side") == "far")["x"].median() > 3.5
    assert made.filter(pl.col("side") == "near")["x"].median() < 1.5


SHARED = (
    {"updates": 10},
    {"epochs": 2.0},
    {"batch_size": 16},
    {"learning_rate": 5e-3},
    {"weight_decay": 1.0},
    {"averaging": 0.0},
    {"validation": 0.3},
    {"embedding": 4},
    {"width": 8},
    {"depth": 2},
    {"modes": 1},
    {"most_levels": 2},
    {"calibrated": False},
)
OWN = {"ctgan": ({"pac": 3}, {"critic_steps": 2}, {"penalty": 0.0}), "tvae": ({"reconstruction": 1.0},)}


@pytest.fixture(scope="module")
def usual() -> dict[str, str]:
    return {name: fitted(name, clinic(150, seed=1)).sample(50, Seed(1)).digest() for name in NAMES}


@pytest.mark.parametrize(
    ("name", "changed"),
    [(name, changed) for name, own in OWN.items() for changed in (*SHARED, *own)],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_every_setting_changes_what_is_drawn(name, changed, usual):
    assert fitted(name, clinic(150, seed=1), **changed).sample(50, Seed(1)).digest() != usual[name]


@pytest.mark.parametrize("changed", [{"check_every": 7}, {"patience": 1}, {"slack": 9.0}])
@pytest.mark.parametrize("name", OWN)
def test_settings_of_early_stopping_change_what_is_drawn(name, changed):
    base: dict[str, Any] = {
        "validation": 0.3,
        "updates": 250,
        "learning_rate": 3e-2,
        "check_every": 5,
        "slack": 0.0,
        "patience": 40,
    }
    train = sides(150, 1)
    drawn = [
        fitted(name, train, **settings).sample(50, Seed(1)).digest() for settings in (base, base | changed)
    ]
    assert drawn[0] != drawn[1]


def test_ranks_are_learned_otherwise_than_numbers(usual):
    assert usual["ctgan"] != usual["copula_gan"]


class KilledError(Exception):
    """Ends a fit from outside."""


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_that_was_killed_goes_on_to_the_same_generator(name, tmp_path):
    train = clinic(150, seed=1)

    def kill(event: object) -> None:
        if isinstance(event, Progressed) and (tmp_path / "training.safetensors").exists():
            raise KilledError

    whole = fitted(name, train, check_every=5)
    with pytest.raises(KilledError):
        fitted(name, train, Fitting(seed=Seed(1), checkpoint=tmp_path, notify=kill), check_every=5)
    resumed = fitted(name, train, Fitting(seed=Seed(1), checkpoint=tmp_path), check_every=5)
    assert resumed.sample(50, Seed(1)).digest() == whole.sample(50, Seed(1)).digest()


def test_the_critics_slopes_are_its_gradient():
    habits = adversarial.Habits(noise=4, width=8, depth=3, pac=1, critic_steps=1, penalty=10.0)
    critic = adversarial._Critic(5, habits)
    packs = torch.randn((7, 5), generator=torch.Generator().manual_seed(1), requires_grad=True)
    judged = critic(packs, torch.Generator().manual_seed(2))
    expected = torch.autograd.grad(judged.sum(), packs)[0]
    assert torch.allclose(critic.slopes(packs, torch.Generator().manual_seed(2)), expected, atol=1e-6)


def test_numpy_decodes_what_torch_decodes():
    layout = Layout((Span("levels", np.full(3, 1 / 3)),))
    habits = adversarial.Habits(noise=4, width=6, depth=2, pac=1, critic_steps=1, penalty=10.0)
    network = adversarial._Generator(4 + 3, layout, habits)
    inputs = torch.randn((50, 7), generator=torch.Generator().manual_seed(1))
    network.train()(inputs)  # moves the running means
    with torch.no_grad():
        expected = network.eval()(inputs).numpy()
    found = Decoder(plain(network.layers()), 4, is_residual=True).outputs(inputs.numpy())
    assert np.allclose(found, expected, atol=1e-5)


def test_a_mixture_finds_as_many_modes_as_there_are():
    rng = np.random.default_rng(1)
    numbers = np.concatenate([rng.normal(0, 1, 3_000), rng.normal(20, 0.5, 1_000)])
    found = Mixture.fit(numbers, 10)
    near = np.abs(found.centres - 20) < 3
    assert abs(found.shares[near].sum() - 0.25) < 0.02
    assert len(found.shares) < 10
    assert ((numbers > 10) == near[found.pick(numbers, rng)]).mean() > 0.99


def test_a_mixture_of_one_number_is_that_number():
    found = Mixture.fit(np.full(9, 3.5), 10)
    assert found.centres.tolist() == [3.5]
