"""Are synthetic rows denser around this person than real people are?"""

from __future__ import annotations

import math

import numpy as np

from understudy.metrics.attacks.density import Density
from understudy.metrics.attacks.scene import Scene

MOST_ROWS = 4000
_TINY = math.log(1e-20)


def score(scene: Scene) -> np.ndarray:
    """Return the log of p_synthetic / (p_reference + 1e-20), both kernel densities.

    Reference:
        van Breugel et al., Membership inference attacks against synthetic data through overfitting
        detection (DOMIAS), AISTATS 2023, eq. 2.
    """
    space = scene.space
    synthetic = Density.fit(space.synthetic[:MOST_ROWS]).log(space.queries)
    reference = Density.fit(space.reference[:MOST_ROWS]).log(space.queries)
    return np.asarray(synthetic - np.logaddexp(reference, _TINY))
