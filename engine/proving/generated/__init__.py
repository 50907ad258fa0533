"""Lowered programs of the venue's tables, written by ``engine.stark.air.codegen`` for the default configuration.

Pass ``matching(MODULES, layout)`` to ``prove``: tables of another shape (another tree height, other markets) are
lowered when they are first proved.
"""

from __future__ import annotations

from types import ModuleType

from engine.proving.generated import path, poseidon, range_, update

MODULES: dict[str, ModuleType] = {"poseidon": poseidon, "path": path, "update": update, "range": range_}
