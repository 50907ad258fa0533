"""Reading files that somebody else may have put there: bounded, regular files only, and known by digest where they are
part of the program."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from engine.errors import ProtocolError

SUMS_NAME = "SHA256SUMS"
MAX_SUMS = 1 << 16
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class FileRefused(ProtocolError):
    """A file that is not read; ``value`` is its path."""


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes.

    Nothing is waited for: a named pipe is refused before it is read, and a file that grows meanwhile is read no further
    than the limit. Raises :class:`FileRefused`; its ``__cause__`` is the OSError where there is one.
    """
    try:
        descriptor = os.open(path, _FLAGS)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise FileRefused(f"{path} cannot be read: it is no regular file", field="file", value=str(path))
            if found.st_size > limit:
                raise _too_large(path, limit)
            data = _read(file.fileno(), limit + 1)
    except OSError as error:
        raise FileRefused(f"{path} cannot be read: {error.strerror}", field="file", value=str(path)) from error
    if len(data) > limit:
        raise _too_large(path, limit)
    return data


def _read(descriptor: int, most: int) -> bytes:
    parts = []
    while most and (part := os.read(descriptor, min(most, 1 << 20))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _too_large(path: Path, limit: int) -> FileRefused:
    return FileRefused(f"{path} is larger than {limit:,} bytes", field="file", value=str(path), limit=limit)


def read_known(path: Path, limit: int) -> bytes:
    """The bytes of a file that came with the program: its digest must be in ``SHA256SUMS`` beside it.

    Raises :class:`FileRefused`.
    """
    data, listed = read_bounded(path, limit), read_sums(path.parent / SUMS_NAME).get(path.name)
    found = hashlib.sha256(data).hexdigest()
    if found != listed:
        what = "is not listed" if listed is None else "is damaged or was changed: it has another digest than"
        raise FileRefused(f"{path.name} {what} in {SUMS_NAME}", field=path.name, value=found, limit=listed)
    return data


def read_sums(path: Path) -> dict[str, str]:
    """Hex SHA-256 by file name, from a file as ``sha256sum`` writes it. Raises :class:`FileRefused`."""
    lines = [line.split() for line in read_bounded(path, MAX_SUMS).decode(errors="replace").splitlines()]
    if any(len(parts) != 2 for parts in lines):
        raise FileRefused(f"{path} is no list of digests", field="file", value=str(path))
    return {name: digest for digest, name in lines}


def write_sums(folder: Path, pattern: str) -> None:
    """List the files of a folder that match: for the tools that make them."""
    found = sorted(folder.glob(pattern))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in found]
    (folder / SUMS_NAME).write_text("".join(lines))
