"""A venue in a data folder that is run by child processes, which are killed one after another."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.paths import ROOT, open_paths
from app.runtime.crash_points import MARK
from app.storage.journal_file import read_chain
from engine.sequencer.inputs import AnyInput, ClaimRequested, L1Block, ProofOutcome, decode_input

LIMIT = 180.0
"""Wall seconds after which a child that should have died is a failure."""
RANDOM = "random moment"
deaths: Counter[str] = Counter()
"""Every SIGKILL of this test run, by place; printed at its end."""


@dataclass(frozen=True)
class Kill:
    """How one life ends: at visit ``visit`` of ``point``; or, with no point, after so many lines or seconds."""

    point: str = ""
    visit: int = 0
    lines: int = 0
    seconds: float = 0.0


@dataclass
class Life:
    """What a child told before its end."""

    status: int
    errors: str
    lines: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]


@dataclass
class Disk:
    """The journal as a process finds it that comes after."""

    inputs: dict[int, bytes]
    blocks: list[int]
    proofs: set[str]

    @property
    def tip(self) -> int:
        return max(self.inputs, default=0)

    def newest(self, kind: type) -> tuple[int, AnyInput | None]:
        """Number and value of the newest input of a kind."""
        for sequence in sorted(self.inputs, reverse=True):
            value = decode_input(self.inputs[sequence])
            if isinstance(value, kind):
                return sequence, value
        return 0, None

    def unseen_blocks(self) -> int:
        _, block = self.newest(L1Block)
        return max(self.blocks, default=0) - (block.number if isinstance(block, L1Block) else 0)

    def unnamed_proofs(self) -> set[str]:
        """Proof files that no outcome in the journal names."""
        values = (decode_input(data) for data in self.inputs.values())
        return self.proofs - {value.digest for value in values if isinstance(value, ProofOutcome)}


@dataclass
class Victim:
    """A data folder, the flags of its children, and everything its children acknowledged or told before they died."""

    folder: Path
    flags: tuple[str, ...]
    acknowledged: dict[int, dict[str, Any]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)

    def live(self, kill: Kill | None, *more: str) -> Life:
        """One child from start to death (its own end without ``kill``)."""
        environment = {**os.environ, "PROOFLINE_CRASH_AT": f"{kill.point}:{kill.visit}" if kill and kill.point else ""}
        command = [sys.executable, "-m", "app.faults.crash_child", "--data", str(self.folder), *self.flags, *more]
        with tempfile.TemporaryFile() as errors:
            child = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
            )
            try:
                lines = list(_read(child, kill))
            finally:
                if child.poll() is None:
                    child.kill()
                status = child.wait(30)
                assert child.stdout is not None
                child.stdout.close()
            errors.seek(0)
            life = Life(status, errors.read().decode(errors="replace"), lines)
        for line in life.of("ack"):
            assert line["sequence"] not in self.acknowledged, "a sequence number was acknowledged twice"
            self.acknowledged[line["sequence"]] = line
        self.told.extend(life.of("told"))
        return life

    def disk(self) -> Disk:
        """Read a copy of the journal, so that the next child finds the files exactly as the dead one left them."""
        paths = open_paths(self.folder)
        if not paths.journal.exists():
            return Disk({}, [], set())
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / paths.journal.name
            for suffix in ("", "-wal"):
                source = paths.journal.with_name(paths.journal.name + suffix)
                if source.exists():
                    shutil.copyfile(source, copy.with_name(copy.name + suffix))
            if not _has_tables(copy):
                return Disk({}, [], set())
            inputs = dict(read_chain(copy, "inputs", 0))
            blocks = [number for number, _ in read_chain(copy, "l1_blocks", -1)]
        return Disk(inputs, blocks, {path.stem for path in paths.proofs.glob("*.proof")})


def _read(child: subprocess.Popen[bytes], kill: Kill | None) -> Iterator[dict[str, Any]]:
    """Lines until the pipe ends; SIGKILL when the time or the count of ``kill`` has come. A torn last line is lost."""
    assert child.stdout is not None
    descriptor, rest, count = child.stdout.fileno(), b"", 0
    end = time.monotonic() + LIMIT
    kill_at = end
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, min(end, kill_at) - time.monotonic()))
        if not ready:
            assert time.monotonic() < end, f"the child did not reach its end in {LIMIT:.0f} s"
            child.kill()
            kill_at = end
            continue
        data = os.read(descriptor, 1 << 16)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        for text in whole:
            line = json.loads(text)
            count += line["kind"] in ("ack", "told")
            if kill and kill.seconds and line["kind"] == "started":
                kill_at = time.monotonic() + kill.seconds
            if kill and kill.lines and count == kill.lines:
                child.kill()
            yield line


def _has_tables(path: Path) -> bool:
    """False for a journal whose first writer died before it made them."""
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'l1_blocks'").fetchone()
    finally:
        connection.close()
    return bool(found[0])


def check_death(life: Life, kill: Kill, disk: Disk, victim: Victim) -> None:
    """The child died as planned, at the planned place, and left what it acknowledged on disk."""
    assert life.status == -signal.SIGKILL, f"ended with {life.status}: {life.errors[-2000:]}"
    own = f"{MARK} {kill.point}" in life.errors
    assert own == bool(kill.point), f"{kill}: {life.errors[-2000:]}"
    deaths[kill.point or RANDOM] += 1
    if kill.point == "after_commit_before_ack":
        assert disk.tip > max((line["sequence"] for line in life.of("ack") + life.of("told")), default=0)
    elif kill.point == "proof_done_unposted":
        assert disk.unnamed_proofs()
    elif kill.point == "l1_block_executed_unwritten":
        assert disk.unseen_blocks() == 0
    elif kill.point in ("l1_block_written_unseen", "l1_batch_half_posted"):
        assert disk.unseen_blocks() == 1
    elif kill.point == "claim_sent":
        assert disk.newest(ClaimRequested)[0] > disk.newest(L1Block)[0]
    check_acknowledged(victim, disk)


def check_acknowledged(victim: Victim, disk: Disk) -> None:
    """No acknowledged input is lost or changed."""
    lost = [n for n, line in victim.acknowledged.items() if disk.inputs.get(n, b"").hex() != line["input"]]
    assert not lost, f"acknowledged and not in the journal as they were: {lost}"


def check_opened(life: Life, before: Disk) -> None:
    """The restart found nothing wrong and changed nothing but to let unseen L1 blocks in."""
    for line in life.of("opened"):
        assert line["problems"] == []
        if before.tip:
            assert line["sequence"] == before.tip + before.unseen_blocks()
