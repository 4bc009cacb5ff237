"""Membership attacks: one attack = one file, listed in one line of `catalog.py`."""
