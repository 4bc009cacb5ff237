"""One fit and sample of SDV's CTGAN, run in its own environment: imports nothing of this repository."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pandas as pd
import torch
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer


def main() -> None:
    """Fit at the defaults (300 epochs unless said otherwise), sample as many rows, print the seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="CSV table to learn from")
    parser.add_argument("--synthetic", type=Path, required=True, help="CSV to write")
    parser.add_argument("--epochs", type=int, default=300)
    given = parser.parse_args()
    torch.set_num_threads(1)
    train = pd.read_csv(given.train)
    metadata = Metadata.detect_from_dataframe(train)
    synthesizer = CTGANSynthesizer(metadata, epochs=given.epochs)
    began = time.perf_counter()
    synthesizer.fit(train)
    fitted = time.perf_counter()
    drawn = synthesizer.sample(len(train))
    done = time.perf_counter()
    drawn.to_csv(given.synthetic, index=False)
    print(json.dumps({"fit_s": fitted - began, "sample_s": done - fitted, "epochs": given.epochs}))


if __name__ == "__main__":
    main()
