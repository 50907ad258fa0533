"""The window's own file: layout, size, theme, density, market. Each part falls back alone; a bad file is kept aside."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

LOG = logging.getLogger("layout")
FILE_NAME = "desk.json"
FILE_VERSION = 1


def read(folder: Path) -> dict[str, Any]:
    """What was saved, or nothing. A file that does not decode is renamed ``desk.json.bad`` and reported in the log."""
    path = folder / FILE_NAME
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        LOG.warning("the saved window cannot be read (%s); the default is shown", error)
        return {}
    except (ValueError, RecursionError) as error:  # no JSON, no text
        LOG.warning("the saved window does not decode (%s); it is kept as %s.bad", error, FILE_NAME)
        with suppress(OSError):  # where nothing can be written the file stays as it is
            path.replace(path.with_suffix(".json.bad"))
        return {}
    if not isinstance(saved, dict) or saved.get("version") != FILE_VERSION:
        LOG.warning("the saved window is of another version; the default is shown")
        return {}
    return saved


def write(folder: Path, values: dict[str, Any]) -> None:
    """Replace the file at once: a crash leaves the old one or the new one. A full disk costs the layout, no more."""
    path = folder / FILE_NAME
    temporary = path.with_suffix(".json.new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({"version": FILE_VERSION, **values}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        LOG.warning("the window is not remembered: %s", error)
