"""Set what every test relies on, before numpy and its relatives load."""

import os

# One thread per process: several OpenMP pools on few cores slow each other down a hundredfold.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from hypothesis import settings  # noqa: E402

# Shared machines are slow at random, and a red build must be repeatable.
settings.register_profile("build", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "build"))
