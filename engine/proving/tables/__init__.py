"""The tables of the statement: one module each."""
