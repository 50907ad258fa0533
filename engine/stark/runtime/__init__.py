"""What runs the prover's arithmetic: compiled evaluator, memory, threads."""
