"""Polynomial commitment scheme: domains, transforms, Merkle trees, DEEP quotients, FRI, openings."""
