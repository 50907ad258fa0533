"""The prover panel: stages, times, workers, failures, security."""
