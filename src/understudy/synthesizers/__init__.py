"""What learns from a private table: `fit -> Generator`; one module a synthesizer, listed in `catalog`."""
