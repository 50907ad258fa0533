"""The batches panel: one lane per batch."""
