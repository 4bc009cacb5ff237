"""Is this person closer to the synthetic table than to other real people?"""

from __future__ import annotations

import numpy as np

from understudy.metrics.attacks.scene import Scene


def score(scene: Scene) -> np.ndarray:
    """Return the distance to the nearest reference row minus that to the nearest synthetic row.

    The first term calibrates: isolated people are far from everything.

    Reference:
        "DCR-Diff" of Ward et al., Synth-MIA, arXiv 2509.18014.
    """
    return np.asarray(scene.to_reference.distances[:, 0] - scene.to_synthetic.distances[:, 0])
