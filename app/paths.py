"""Where things lie: the data folder and its parts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.errors import ProtocolError

ROOT = Path(__file__).resolve().parent.parent
RESOURCES = ROOT / "resources"
APP_NAME = "proofline"
CACHE_VARIABLE = "PROOFLINE_CACHE"


class BadDataFolder(ProtocolError):
    """The data folder cannot be used."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The parts of one data folder. Everything a venue needs to restart lies in it."""

    data: Path

    @property
    def journal(self) -> Path:
        """SQLite file: inputs, L1 blocks, checkpoints."""
        return self.data / "journal.sqlite"

    @property
    def proofs(self) -> Path:
        """Proof files, named by their SHA-256 digest."""
        return self.data / "proofs"

    @property
    def keys(self) -> Path:
        """Encrypted key files."""
        return self.data / "keys"

    @property
    def layouts(self) -> Path:
        """Saved workspaces."""
        return self.data / "layouts"

    @property
    def settings(self) -> Path:
        """What the user has set: TOML."""
        return self.data / "settings.toml"

    @property
    def log(self) -> Path:
        """What happened, and why it went wrong; older parts beside it."""
        return self.data / "logs" / "proofline.log"

    @property
    def lock(self) -> Path:
        """Held by the process that runs this venue."""
        return self.data / "lock"


def cache_folder() -> Path:
    """Compiled kernels and decoded market data: may be deleted at any time."""
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir(APP_NAME))


def locate(data: str | Path | None = None) -> Paths:
    """The parts of a data folder (the platform's by default), none of which has to exist."""
    folder = Path(data) if data else Path(platformdirs.user_data_dir(APP_NAME))
    return Paths(folder.expanduser().absolute())


def open_paths(data: str | Path | None = None) -> Paths:
    """Make the data folder (the platform's by default) and return its parts; :class:`BadDataFolder` if it cannot be."""
    paths = locate(data)
    try:
        for part in (paths.data, paths.proofs, paths.keys, paths.layouts):
            part.mkdir(parents=True, exist_ok=True)
        probe = paths.data / ".write-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise BadDataFolder(
            f"the data folder {paths.data} cannot be used: {error.strerror or error}",
            field="--data",
            value=str(paths.data),
        ) from error
    return paths
