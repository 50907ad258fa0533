"""The proof inspector: one batch and its proof file in full."""
