"""Does a model that tells synthetic rows from real ones take this person for synthetic?"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from understudy.metrics.attacks.scene import Scene

MOST_ROWS = 4000


def score(scene: Scene) -> np.ndarray:
    """Return the share of random trees, grown on synthetic against reference rows, that say "synthetic".

    The trees are grown to the last row: remembering single rows is what is wanted here.

    Reference:
        Hayes et al., LOGAN: Membership inference attacks against generative models, PoPETs 2019, in its
        black-box form with auxiliary knowledge.
    """
    parts = [scene.synthetic.columns[:MOST_ROWS], scene.reference.columns[:MOST_ROWS]]
    labels = np.repeat([1, 0], [len(part) for part in parts])
    model = ExtraTreesClassifier(
        n_estimators=60,
        class_weight="balanced",
        n_jobs=1,
        random_state=scene.seed.child("classifier").integer(),
    )
    return np.asarray(model.fit(np.concatenate(parts), labels).predict_proba(scene.queries.columns)[:, 1])
