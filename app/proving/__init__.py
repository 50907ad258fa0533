"""From closed batches to proofs: queue, choice of workers, checks of what they hand in."""
