"""Reading patient tables: files and tables in memory, as they stand, with notes on what was met on the way."""
