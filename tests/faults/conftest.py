"""The crash tests' count at the end of the run."""

from __future__ import annotations

import pytest

from tests.support.victim import RANDOM, deaths


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not deaths:
        return
    named = {point: count for point, count in deaths.items() if point != RANDOM}
    terminalreporter.section("crash tests")
    places = ", ".join(f"{point} {count}" for point, count in sorted(named.items()))
    terminalreporter.write_line(
        f"{deaths.total()} SIGKILLs survived: {sum(named.values())} at named points ({places}), "
        f"{deaths[RANDOM]} at random moments"
    )
