"""The reading of a request: tokens, the words that are known, and one small reader for each thing that can be asked."""
