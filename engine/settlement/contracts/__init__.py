"""Contracts as artifacts: ABI, compiled code, the compile script."""
