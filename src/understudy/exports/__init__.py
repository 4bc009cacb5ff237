"""Writing synthetic datasets as files that other programs read."""
