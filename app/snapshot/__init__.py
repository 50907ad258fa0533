"""Frozen views of the venue for the window and for bots, and their builder."""
