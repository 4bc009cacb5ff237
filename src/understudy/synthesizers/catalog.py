"""What can learn from a private table."""

from __future__ import annotations

from understudy.core.catalog import Catalog, Entry
from understudy.core.contracts import Synthesizer

DEEP = "extra deep"

_TABULAR = frozenset({"tabular", "missing", "conditions", "rules", "codes"})
_NETWORK = _TABULAR | {DEEP}

CATALOG: Catalog[Synthesizer] = Catalog(
    "synthesizer",
    [
        Entry(
            "adversarial_forest",
            "understudy.synthesizers.adversarial_forest:AdversarialForest",
            "Leaves of a forest in which columns are independent; light, and quick to condition",
            _TABULAR,
        ),
        Entry(
            "autoregressive",
            "understudy.synthesizers.autoregressive:Autoregressive",
            "One network for every column given any others; strong from about 500 rows, and for filling gaps",
            _NETWORK,
        ),
        Entry(
            "bayes_net",
            "understudy.synthesizers.bayes_net:BayesNet",
            "Each column given the few columns that tell most of it; a structure that can be read",
            _TABULAR,
        ),
        Entry(
            "copula_gan",
            "understudy.synthesizers.copula_gan:CopulaGan",
            "A conditional GAN that learns ranks: columns of any shape, their dependence by a network",
            _NETWORK,
        ),
        Entry(
            "ctgan",
            "understudy.synthesizers.ctgan:Ctgan",
            "A conditional GAN: whole rows made of noise, against a critic; from some thousand rows",
            _NETWORK,
        ),
        Entry(
            "gaussian_copula",
            "understudy.synthesizers.gaussian_copula:GaussianCopula",
            "Right margins and one correlation for each pair of columns; fast and simple",
            _TABULAR,
        ),
        Entry(
            "marginals",
            "understudy.synthesizers.marginals:Marginals",
            "Right margins, no dependence between columns; the floor of every comparison",
            _TABULAR,
        ),
        Entry(
            "sequential_trees",
            "understudy.synthesizers.sequential_trees:SequentialTrees",
            "Column after column from smoothed trees, leaf size chosen for privacy; the default for tables",
            _TABULAR,
        ),
        Entry(
            "tvae",
            "understudy.synthesizers.tvae:Tvae",
            "A variational autoencoder: whole rows decoded from normal noise; quick to train",
            _NETWORK,
        ),
    ],
)
