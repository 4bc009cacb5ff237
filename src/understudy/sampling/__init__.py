"""How rows are drawn: margins, sequential chains and conditional sampling, shared by what learns and what is built."""
