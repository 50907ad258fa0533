"""Headless journeys, by name. Each module has ``play(options) -> Report``."""
