"""Words to plans, and results to words."""
