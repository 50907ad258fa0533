"""Where compiled kernels are cached, and how the first launch compiles them with progress.

numba's cache looks only at the file of the compiled function: an edit in an imported kernel library would go on using
old machine code. The cache folder is therefore named by a digest of every source file that holds kernels, and by the
width of the vectors that they are compiled for.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.paths import ROOT, cache_folder
from engine.field import width

ARITHMETIC = ("field", "hashing")
"""Rooms whose every file counts: their emitters and constants end up inside compiled kernels elsewhere."""
Progress = Callable[[str, float], None]
_homeless: list[tempfile.TemporaryDirectory[str]] = []
"""The cache folder of a process whose home cannot be written; removed with the process."""


def kernel_sources() -> list[Path]:
    """The engine's files that hold numba kernels, or the emitters and constants that those inline."""
    paths = (ROOT / "engine").rglob("*.py")
    return sorted(path for path in paths if path.parent.name in ARITHMETIC or b"njit" in path.read_bytes())


def cache_name() -> str:
    """Digest of the kernel sources and the Python version; the vectors' width and the processor."""
    digest = hashlib.sha256(sys.version.encode())
    for path in kernel_sources():
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return f"kernels-{digest.hexdigest()[:16]}-{width.cache_label()}"


def prepare() -> Path:
    """Point numba at this build's cache folder. Must run before numba is imported; returns the folder.

    Where it cannot be made (a home that cannot be written), a private temporary folder serves this process alone.
    """
    if "NUMBA_CACHE_DIR" not in os.environ:
        folder = (cache_folder() / cache_name()).absolute()  # children may run in another folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            _homeless.append(tempfile.TemporaryDirectory(prefix="proofline-kernels-"))
            folder = Path(_homeless[-1].name)
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return Path(os.environ["NUMBA_CACHE_DIR"])


def has_kernels() -> bool:
    """Whether anything was compiled into the folder in use before."""
    return any(Path(os.environ["NUMBA_CACHE_DIR"]).iterdir())


def is_warm() -> bool:
    """True when an earlier launch compiled everything into the folder in use."""
    return _marker().exists()


def mark_warm() -> None:
    """Remember that the warm-up went through."""
    _marker().write_text("warm-up completed\n")


def _marker() -> Path:
    """The sign of a completed warm-up. numba knows a kernel by its file's place and time of change, so they are in the
    name: a second copy of the same sources has to compile again, and then says so."""
    digest = hashlib.sha256()
    for path in kernel_sources():
        digest.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
    return Path(os.environ["NUMBA_CACHE_DIR"]) / f"complete-{digest.hexdigest()[:16]}"
