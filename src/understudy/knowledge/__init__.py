"""What medicine knows, as data with sources: observations, conditions, equations, units, words, rules."""
