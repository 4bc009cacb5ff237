"""The any-order network: what each setting does, how well it learns, and that numpy draws what torch trained."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.unit.synthesizers.clinic import clinic
from understudy.core.catalog import Choice
from understudy.core.conditions import Conditions, parse_where
from understudy.core.contracts import Fitting, Generator
from understudy.core.dataset import Dataset
from understudy.core.errors import RequestError
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.core.seeds import Seed
from understudy.sampling.variables import Values
from understudy.synthesizers.catalog import CATALOG
from understudy.synthesizers.conditionals import Layout, Network, Part, Rows, Tilted

torch = pytest.importorskip("torch", reason="the extra `deep` is not installed")

from understudy.synthesizers.networks import any_order  # noqa: E402 - needs torch

QUICK = {"updates": 60, "width": 16, "depth": 1}


def fitted(train: Dataset, fitting: Fitting | None = None, **settings: Any) -> Generator:
    choice = Choice(name="autoregressive", settings=QUICK | settings)
    return CATALOG.create(choice).fit(train, fitting or Fitting(seed=Seed(1)))


def bent(rows: int, seed: int) -> Dataset:
    """A number that is the square of another, and a level that goes with their difference."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    y = x**2 + 0.2 * rng.normal(size=rows)
    frame = pl.DataFrame({"x": x, "y": y, "side": np.where(y > 1, "far", "near")})
    columns = (
        Column(name="x", kind=Kind.NUMBER, decimals=3),
        Column(name="y", kind=Kind.NUMBER, decimals=3),
        Column(name="side", kind=Kind.CATEGORY),
    )
    return Dataset.of(Schema(tables=(Table(columns=columns),)), frame)


@pytest.fixture(scope="module")
def squares() -> Generator:
    return fitted(bent(2_000, 1), updates=600, width=64, depth=2)


def test_what_no_correlation_shows_is_learned(squares):
    drawn = squares.sample(2_000, Seed(2)).frame
    assert np.corrcoef(drawn["x"] ** 2, drawn["y"])[0, 1] > 0.8
    agrees = (drawn["side"] == "far") == (drawn["y"] > 1)
    assert agrees.mean() > 0.9


def test_a_condition_on_any_column_is_known_while_the_others_are_drawn(squares):
    given = Conditions(where=(parse_where("y >= 3"),))
    drawn = squares.sample(500, Seed(2), given).frame
    assert drawn["y"].min() >= 3
    assert drawn["x"].abs().median() > 1.4
    assert (drawn["side"] == "far").mean() > 0.95
    # Rows that are drawn with the condition in view are all kept: nothing is rejected.
    assert squares.feasibility(given, Seed(2)).acceptance > 0.5


def test_gaps_are_filled_from_what_is_known_of_a_row(squares):
    known = pl.DataFrame({"y": [4.0, 0.1] * 50})
    made = squares.sample(100, Seed(3), Conditions(partial=known)).frame
    assert made.filter(pl.col("y") == 4.0)["x"].abs().median() > 1.5
    assert made.filter(pl.col("y") == 0.1)["x"].abs().median() < 0.8


@pytest.mark.parametrize(
    "changed",
    [
        {"updates": 20},
        {"epochs": 2.0},
        {"batch_size": 16},
        {"learning_rate": 5e-3},
        {"weight_decay": 1.0},
        {"averaging": 0.0},
        {"validation": 0.3},
        {"bins": 3},
        {"width": 8},
        {"depth": 2},
        {"embedding": 2},
        {"dropout": 0.4},
        {"penalty": 0.0},
        {"any_order": 1.0},
        {"floor": 0.3},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_setting_changes_what_is_drawn(changed, usual):
    assert fitted(clinic(200, seed=1), **changed).sample(50, Seed(1)).digest() != usual


@pytest.fixture(scope="module")
def usual() -> str:
    return fitted(clinic(200, seed=1)).sample(50, Seed(1)).digest()


@pytest.mark.parametrize("changed", [{"check_every": 7}, {"patience": 1}, {"slack": 9.0}])
def test_settings_of_early_stopping_change_what_is_drawn_where_rows_are_set_aside(changed):
    base: dict[str, Any] = {
        "validation": 0.3,
        "updates": 300,
        "learning_rate": 1e-2,
        "penalty": 0,
        "check_every": 5,
        "slack": 0.0,
        "patience": 40,
    }
    train = bent(200, 1)
    drawn = [fitted(train, **settings).sample(50, Seed(1)).digest() for settings in (base, base | changed)]
    assert drawn[0] != drawn[1]


def test_a_strong_penalty_leaves_the_columns_independent():
    train = bent(600, 3)
    drawn = fitted(train, penalty=1e7, updates=200).sample(1_000, Seed(1)).frame
    assert abs(np.corrcoef(drawn["x"] ** 2, drawn["y"])[0, 1]) < 0.2


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(RequestError, match=r"no device 'mps' .*use `cpu`"):
        fitted(clinic(60, seed=1), Fitting(device="mps"))


def test_training_leaves_the_global_stream_and_the_threads_of_torch_alone():
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    fitted(clinic(60, seed=1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_settings_are_read_and_rows_drawn_without_torch(tmp_path):
    fitted(clinic(60, seed=1)).save(tmp_path)
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'torch':\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from pathlib import Path\n"
        "from understudy.core.seeds import Seed\n"
        "from understudy.synthesizers.saved import load\n"
        "made = load(Path(sys.argv[1])).sample(5, Seed(1))\n"
        "from understudy.synthesizers.catalog import CATALOG\n"
        "from understudy.core.contracts import Fitting\n"
        "from understudy.core.errors import RequestError\n"
        "try:\n    CATALOG.create('autoregressive').fit(made, Fitting())\n"
        "except RequestError as error:\n    print(made.rows, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("5 training a network needs torch")
    assert "understudy[deep]" in done.stdout


def test_numpy_tells_what_torch_tells():
    layout = Layout((Part(3, 2), Part(4), Part(2, 2), Part(4)), width=8, depth=2, floor=0.02)
    network = any_order.AnyOrder(layout)
    noise = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for part in network.parameters():
            part.copy_(torch.randn(part.shape, generator=noise))
    rng = np.random.default_rng(1)
    rows = Rows(
        rng.integers(0, 2, (20, 4)), rng.normal(size=(20, 4)).astype(np.float32), rng.random((20, 4)) < 0.7
    )
    known = torch.tensor([[True, True, False, False]]).expand(20, 4)
    with torch.no_grad():
        told = network(any_order.Tensors.of(rows, torch.device("cpu")), known, 1.0, noise).numpy()
    weights = {name: part.numpy() for name, part in network.state_dict().items()}
    drawn = {0: rows.codes[:, 0], 1: rows.scores[:, 1]}
    values = Values(20, drawn, {0: rows.active[:, 0], 1: rows.active[:, 1]})
    for index in (2, 3):
        found = Network(layout, weights).parameters(index, values)
        assert np.allclose(found, told[:, layout.told[index]], rtol=1e-3, atol=1e-3)


def test_scores_follow_their_density_and_weigh_stretches_by_it():
    part, rows = Part(10), 200_000
    parameters = np.tile([0.7, np.log(0.4), *np.linspace(-1, 1, 10)], (rows, 1))
    tilted = Tilted(parameters, part.edges, floor=0.1)
    rng = np.random.default_rng(1)
    free, _ = tilted.draw(rng)
    low, high = np.full((rows, 1), 0.2), np.full((rows, 1), 1.1)
    inside, mass = tilted.draw(rng, (low, high))
    assert mass is not None
    is_in = (free > 0.2) & (free < 1.1)
    assert abs(is_in.mean() - mass[0]) < 0.005
    assert inside.min() >= 0.2
    assert inside.max() <= 1.1
    assert np.allclose(
        np.quantile(inside, [0.1, 0.5, 0.9]), np.quantile(free[is_in], [0.1, 0.5, 0.9]), atol=0.01
    )


def test_the_loss_is_the_density_that_is_drawn_from():
    part = Part(6)
    grid = np.linspace(-6, 6, 4_001)
    parameters = torch.tensor([-0.4, -0.5, 0.3, -0.2, 0.0, 0.9, -1.0, 0.2]).repeat(len(grid), 1, 1)
    edges = torch.from_numpy(np.clip(part.edges, -12, 12).astype(np.float32))
    scores = torch.from_numpy(grid.astype(np.float32))[:, None]
    losses = any_order.score_losses(parameters, scores, edges, 0.05)[:, 0].numpy()
    density = np.exp(-losses - grid**2 / 2) / np.sqrt(2 * np.pi)
    assert abs(np.trapezoid(density, grid) - 1) < 1e-2
