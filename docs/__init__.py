"""The documentation, and what writes and runs its pages."""
