"""Benches without a window. Each module has ``measure(quick) -> result``."""
