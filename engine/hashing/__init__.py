"""Keccak-256 and Poseidon: readable references and vector kernels."""
