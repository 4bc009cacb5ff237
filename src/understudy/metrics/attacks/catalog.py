"""The membership attacks, one a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from understudy.metrics.attacks import (
    classifier,
    density_ratio,
    distance_difference,
    likelihood_ratio,
    nearest_distance,
    neighbour_ratio,
)
from understudy.metrics.attacks.scene import Scene


@dataclass(frozen=True)
class Attack:
    """One line of the list.

    Attributes:
        name: the name by which it is chosen and shown.
        score: gives each query of a scene a number, higher for likelier members.
        uses_reference: whether scores depend on the reference rows, and so compare only within one scene.
    """

    name: str
    score: Callable[[Scene], np.ndarray]
    uses_reference: bool = True


ATTACKS = (
    Attack("classifier", classifier.score),
    Attack("density ratio", density_ratio.score),
    Attack("distance difference", distance_difference.score),
    Attack("likelihood ratio", likelihood_ratio.score),
    Attack("nearest distance", nearest_distance.score, uses_reference=False),
    Attack("neighbour ratio", neighbour_ratio.score),
)
NAMES = tuple(attack.name for attack in ATTACKS)
