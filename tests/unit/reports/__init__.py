"""Reports, from evidence to documents."""
