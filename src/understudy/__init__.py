"""Synthetic patients that stand in for real ones."""

__version__ = "0.1.0"
