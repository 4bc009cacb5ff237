"""Measurements on public tables and against other people's synthesizers; never imported by the product."""
