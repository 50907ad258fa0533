"""Is there a display that answers? Qt ends the whole process when a display that is named cannot be reached."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

PATIENCE_SECONDS = 2.0
X_SOCKETS, X_PORT = "/tmp/.X11-unix/X", 6000


def missing_display(environment: Mapping[str, str] = os.environ) -> str:
    """Why no window can be opened here, in words; "" when one can."""
    if not sys.platform.startswith("linux") or environment.get("QT_QPA_PLATFORM"):
        return ""
    wayland, display = environment.get("WAYLAND_DISPLAY", ""), environment.get("DISPLAY", "")
    if not wayland and not display:
        return "No display"
    if wayland and _answers_at(str(Path(environment.get("XDG_RUNTIME_DIR", "/run")) / wayland)):
        return ""
    if display and _x_answers(display):
        return ""
    return f"The display {display or wayland} does not answer"


def _x_answers(display: str) -> bool:
    """``[host]:number[.screen]``; without a host (or as "unix") a local socket, else TCP."""
    found = re.fullmatch(r"(?P<host>.*):(?P<number>\d{1,5})(\.\d+)?", display)
    if found is None:
        return Path(display.split(".")[0]).exists()  # a path, as on macOS
    host, number = found["host"], int(found["number"])
    if host in ("", "unix"):
        return any(_answers_at(start + X_SOCKETS + str(number)) for start in ("\0", ""))
    try:
        with socket.create_connection((host.strip("[]"), X_PORT + number), PATIENCE_SECONDS):
            return True
    except (OSError, OverflowError):
        return False


def _answers_at(path: str) -> bool:
    """Whether somebody listens on a local socket; a path that begins with a zero byte has no file."""
    with socket.socket(socket.AF_UNIX) as tried:
        tried.settimeout(PATIENCE_SECONDS)
        try:
            tried.connect(path)
        except OSError:
            return False
    return True
