"""Is there a synthetic row very close to this person?"""

from __future__ import annotations

import numpy as np

from understudy.metrics.attacks.scene import Scene


def score(scene: Scene) -> np.ndarray:
    """Return minus the distance to the nearest synthetic row, shape (queries,)."""
    return -scene.to_synthetic.distances[:, 0]
