"""Benches of the window. Each module has ``measure(quick) -> result``."""
