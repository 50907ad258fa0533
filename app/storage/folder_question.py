"""A folder that only its user can decide about. Imports nothing heavy: the start window names this class."""

from __future__ import annotations

import shlex
from pathlib import Path

from engine.errors import ProtocolError


class FolderQuestion(ProtocolError):
    """A venue in this folder cannot be gone on with, and a fresh one must not be made without being asked for.

    Parameters
    ----------
    data : the folder; nothing in it was changed
    fresh : a folder beside it for a fresh venue
    found : what was found, a clause
    ways : commands for the folder as it is, each a clause
    """

    def __init__(self, data: Path, fresh: Path, found: str, *ways: str) -> None:
        self.fresh = fresh
        choices = "; ".join((*ways, f"begin a fresh venue with: main.py --data {quoted(fresh)}"))
        super().__init__(f"{found}. {choices[0].upper()}{choices[1:]}", field="--data", value=str(data))


def quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))
