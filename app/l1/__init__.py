"""The L1 of a venue: embedded or a node, where it lies, and the thread of its slots."""
