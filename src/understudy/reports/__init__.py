"""Reports: sections turn evidence into blocks, renderers turn blocks into documents."""
