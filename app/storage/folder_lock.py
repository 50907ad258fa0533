"""One process per data folder: an advisory lock that the operating system drops when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.paths import BadDataFolder
from engine.errors import ProtocolError


class FolderInUse(ProtocolError):
    """Another process runs the venue in this data folder."""


class FolderLock:
    """Held from construction to :meth:`release`; raises :class:`FolderInUse`, naming the holder when it is known."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise BadDataFolder(
                f"{path} cannot be opened: {error.strerror}", field="--data", value=str(path.parent)
            ) from error
        try:
            _lock(self._file.fileno())
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read(20).decode(errors="replace").strip()
            self._file.close()
            raise FolderInUse(
                f"the venue in {path.parent} is already open (process {holder or 'unknown'}); "
                "close it or choose another folder with --data",
                field="--data",
                value=str(path.parent),
            ) from error
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode())
        self._file.flush()

    @property
    def held(self) -> bool:
        """False after :meth:`release`."""
        return not self._file.closed

    def release(self) -> None:
        """Let another process have the folder. A second call does nothing."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
