"""Training with torch: arrays in, trained arrays out; loaded by `synthesizers.training.trainer` alone."""
