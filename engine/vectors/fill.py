"""Writes all vectors into a folder: one file a story."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from engine.errors import ProtocolError
from engine.vectors.catalogue import SCENARIOS
from engine.vectors.encoding import FORMAT, vector_text

SUFFIX = ".json"
HEAD = b'{\n"format":"' + FORMAT.rstrip("0123456789").encode()


class FillRefused(ProtocolError):
    """The folder for the vectors cannot be used; ``value`` is the path at fault."""


def vector_texts() -> dict[str, str]:
    """Every vector by its file's name. Raises :class:`engine.vectors.story.NotShown`."""
    return {scenario.name + SUFFIX: vector_text(scenario.tell()) for scenario in SCENARIOS}


def fill(folder: Path) -> tuple[list[Path], list[Path]]:
    """Write every vector; the files written, and the vectors in the folder that no story tells (they stay).

    All are told and written beside their places before the first old one is replaced; each is replaced whole. Only
    vectors are replaced: raises :class:`FillRefused` where something else has the name of one, and for a folder that
    cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = {folder / name: text for name, text in vector_texts().items()}
        for path in paths:
            if os.path.lexists(path) and not _is_vector(path):
                raise FillRefused(f"{path} is no vector and is not overwritten", field="DIR", value=str(path))
        _replace(folder, paths)
        others = [path for path in sorted(folder.glob("*" + SUFFIX)) if path not in paths and _is_vector(path)]
    except OSError as error:
        reason = f"{folder} cannot be written: {error.strerror}"
        raise FillRefused(reason, field="DIR", value=str(folder), limit="a folder") from error
    return list(paths), others


def _is_vector(path: Path) -> bool:
    """Whether a regular file begins as a vector does, of any version, be it damaged or in conflict further down."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(HEAD)) == HEAD


def _replace(folder: Path, texts: dict[Path, str]) -> None:
    with tempfile.TemporaryDirectory(prefix=".vectors.", dir=folder) as beside:
        for path, text in texts.items():
            Path(beside, path.name).write_bytes(text.encode())
        for path in texts:
            os.replace(Path(beside, path.name), path)
