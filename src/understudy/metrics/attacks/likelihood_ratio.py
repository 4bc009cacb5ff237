"""Would the synthetic rows around this person be likelier if the person had been among the training rows?"""

from __future__ import annotations

import numpy as np

from understudy.metrics.attacks.density import Density
from understudy.metrics.attacks.scene import Scene

MOST_ROWS = 2000


def score(scene: Scene) -> np.ndarray:
    """Return the log likelihood ratio of the nearest synthetic rows under the reference with and without x.

    With n reference rows and kernel K, p_with(s) = (n p(s) + K(s - x)) / (n + 1).

    Reference:
        Ward, Yang and Cheng, Privacy auditing synthetic data release through local likelihood attacks
        (Gen-LRA), arXiv 2508.21146.
    """
    reference = Density.fit(scene.space.reference[:MOST_ROWS])
    near = scene.to_synthetic.positions
    used, place = np.unique(near, return_inverse=True)
    rows = scene.space.synthetic[used]
    without = reference.log(rows)[place.reshape(near.shape)]
    gaps = reference.place(rows)[place.reshape(near.shape)] - reference.place(scene.space.queries)[:, None, :]
    kernel = reference.log_scale - 0.5 * (gaps.astype(np.float64) ** 2).sum(axis=2)
    gained = np.logaddexp(0.0, kernel - without - np.log(len(reference.points)))
    return np.asarray(gained.sum(axis=1))
