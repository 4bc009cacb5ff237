"""How each modality is read into canonical form, written back, turned into features, and previewed."""
