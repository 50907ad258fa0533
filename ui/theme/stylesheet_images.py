"""Pictures that a style sheet can only name by file: tinted icons, written once into a temporary folder."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from ui.theme.icons import tinted_pixmap


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="proofline-images-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def image_path(name: str, color: str, size: int = 12) -> str:
    """Path (with forward slashes, as QSS wants) of an icon in one colour."""
    path = _folder() / f"{name}-{color[1:]}-{size}.png"
    pixmap = tinted_pixmap(name, color, size, ratio=1.0)
    if not pixmap.save(str(path)):
        raise OSError(f"the tinted icon {path} could not be written")
    return path.as_posix()
