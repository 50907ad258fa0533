"""The ladder panel: the book as fixed price rows."""
