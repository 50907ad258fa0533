"""The proof system. Knows nothing of trading."""
