"""Charts: what results look like, as Vega-Lite specifications with their words."""
