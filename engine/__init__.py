"""The layer 2: book, margin, sequencer, prover, settlement. Imports neither app, ui nor Qt."""
