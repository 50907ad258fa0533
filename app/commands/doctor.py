"""``doctor``: is this installation fit, and is the data folder whole? Changes nothing."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator

from app.commands.replay import stored_config
from app.paths import Paths, open_paths
from app.runtime import jit_cache
from app.storage.folder_checks import check_journal_end
from app.storage.journal import check_format, newest_checkpoint, read_chain
from engine.errors import ProtocolError

PINNED = {"PySide6-Essentials": "6.11.2", "PySide6-QtAds": "5.1.1", "pyqtgraph": "0.14."}
MIN_FREE_BYTES = 500 << 20
Finding = tuple[bool, str]


def run(options: argparse.Namespace) -> int:
    """Print one line per check; 1 when any failed."""
    paths = open_paths(options.data)
    healthy = True
    checks: tuple[Callable[[Paths], Iterator[Finding]], ...] = (_python, _packages, _cache, _disk, _journal, _keys)
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
    for name, wanted in PINNED.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield False, f"{name} is not installed"
            continue
        yield found.startswith(wanted), f"{name} {found} (pinned {wanted})"


def _cache(_: Paths) -> Iterator[Finding]:
    state = "complete" if jit_cache.is_warm() else "not yet compiled: the first launch does it, with progress"
    yield True, f"compiled kernels: {state}"


def _disk(paths: Paths) -> Iterator[Finding]:
    free = shutil.disk_usage(paths.data).free
    yield free >= MIN_FREE_BYTES, f"{free >> 20:,} MiB free in {paths.data}"


def _journal(paths: Paths) -> Iterator[Finding]:
    if not paths.journal.exists():
        yield True, "no journal yet"
        return
    check_format(paths.journal)
    stored_config(paths)
    inputs = sum(1 for _ in read_chain(paths.journal, "inputs", "sequence", 0))
    blocks = sum(1 for _ in read_chain(paths.journal, "l1_blocks", "number", -1))
    check_journal_end(newest_checkpoint(paths.journal), inputs)
    yield True, f"journal whole: {inputs:,} inputs, {blocks:,} L1 blocks, every row continues its chain"


def _keys(paths: Paths) -> Iterator[Finding]:
    for path in sorted(paths.keys.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        yield mode & 0o077 == 0, f"{path.name} is readable by its owner only (mode {mode:04o})"
