"""Generators that are built from knowledge alone, and the cohorts that are cut from them."""
