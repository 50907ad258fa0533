"""``doctor``: is this installation fit, and is the data folder whole? Changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator

from app.commands.registry import Command, Options
from app.paths import CACHE_VARIABLE, Paths, open_paths
from app.runtime import crash_points, jit_cache
from app.settings import unread_variables
from app.storage import settings_file
from engine.errors import ProtocolError
from engine.field import width

PINNED = {"PySide6-Essentials": "6.11.2", "PySide6-QtAds": "5.1.1", "pyqtgraph": "0.14."}
MIN_FREE_BYTES = 500 << 20
Finding = tuple[bool, str]


def run(options: Options) -> int:
    """Print one line per check; 1 when any failed."""
    paths = open_paths(options.data)
    healthy = True
    checks: tuple[Callable[[Paths], Iterator[Finding]], ...] = (
        _python, _packages, _cache, _disk, _settings, _log, _journal, _keys,
    )  # fmt: skip
    for check in checks:
        try:
            findings = list(check(paths))
        except ProtocolError as error:
            findings = [(False, error.message)]
        for good, text in findings:
            healthy = healthy and good
            print(f"{'ok  ' if good else 'BAD '} {text}")
    return 0 if healthy else 1


def _python(_: Paths) -> Iterator[Finding]:
    yield sys.version_info[:2] in ((3, 11), (3, 12)), f"Python {platform.python_version()} (3.11 or 3.12 wanted)"
    yield True, f"{os.cpu_count()} processors, {platform.machine()}"


def _packages(_: Paths) -> Iterator[Finding]:
    import importlib.metadata

    for name, wanted in PINNED.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield False, f"{name} is not installed"
            continue
        yield found.startswith(wanted), f"{name} {found} (pinned {wanted})"


def _cache(_: Paths) -> Iterator[Finding]:
    state = "complete" if jit_cache.is_warm() else "not yet compiled: the first launch does it, with progress"
    yield True, f"compiled kernels: {state}; vectors of {64 * width.words()} bits for {width.processor()[0]}"


def _disk(paths: Paths) -> Iterator[Finding]:
    free = shutil.disk_usage(paths.data).free
    yield free >= MIN_FREE_BYTES, f"{free >> 20:,} MiB free in {paths.data}"


def _settings(paths: Paths) -> Iterator[Finding]:
    held = len(settings_file.read(paths.settings))
    yield True, f"settings: {held} in {paths.settings}" if held else "settings: all at their defaults"
    for name in unread_variables(os.environ, (CACHE_VARIABLE, crash_points.VARIABLE)):
        yield False, f"{name} is set in the environment, and nothing reads it"


def _log(paths: Paths) -> Iterator[Finding]:
    if not paths.log.exists():
        yield True, f"no log yet; it will be {paths.log}"
        return
    mode = stat.S_IMODE(paths.log.stat().st_mode)
    yield mode & 0o077 == 0, f"log: {paths.log} (mode {mode:04o}, {paths.log.stat().st_size:,} bytes)"


def _journal(paths: Paths) -> Iterator[Finding]:
    found = (paths.data.glob(f"{paths.journal.stem}*"), paths.proofs.glob("*.proof"), paths.keys.glob("*.json"))
    if not any(True for files in found for _ in files):
        yield True, "no journal yet"  # nothing to check, and what checks it loads the engine
        return
    from app.storage.folder_checks import check_folder, check_journal
    from app.venue.replay import stored_config

    if check_folder(paths):
        yield True, "no journal yet"
        return
    tip = check_journal(paths)
    stored_config(paths)
    yield True, f"journal whole: {tip.sequence:,} inputs, L1 up to block {tip.block:,}, all that was acknowledged"


def _keys(paths: Paths) -> Iterator[Finding]:
    for path in sorted(paths.keys.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        yield mode & 0o077 == 0, f"{path.name} is readable by its owner only (mode {mode:04o})"


COMMAND = Command(name="doctor", help="check this installation and the data folder", run=run)
