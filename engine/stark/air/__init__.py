"""Algebraic intermediate representation: expressions, constraints, lookups, tables, their lowering to programs."""
