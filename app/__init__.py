"""Composition and running: settings, clock, threads, journal, scenarios, commands. No Qt."""
