"""Damage to a data folder, one byte, one cut or one missing file at a time, and what opening makes of it.

Either nothing of what was acknowledged is lost or changed, or the folder is refused in words. ``python -m
tests.support.damage COUNT SEED`` does it at length on a venue of its own.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.runtime import jit_cache

jit_cache.prepare()  # before anything imports numba

from app.paths import open_paths  # noqa: E402
from app.storage.journal_file import read_chain  # noqa: E402
from app.venue.replay import replay  # noqa: E402
from engine.errors import ProtocolError  # noqa: E402
from engine.sequencer.inputs import PlaceOrder  # noqa: E402
from engine.units import SECOND  # noqa: E402
from tests.support.app_world import opened, run  # noqa: E402

DATABASE, LOG, TIP = "journal.sqlite", "journal.sqlite-wal", "journal.tip"


@dataclass(frozen=True)
class Venue:
    """A folder as it was left, every input in it, and what a replay gives."""

    folder: Path
    inputs: dict[int, bytes]
    outcome: dict[str, object]


def make(folder: Path, *, killed: bool) -> Venue:
    """A short venue with trades, checkpoints and L1 blocks; ``killed``: as a killed process leaves it, log and all."""
    with opened(folder / "open") as session:
        session.prover.start()
        session.loop.checkpoint_batches = 2
        for number in range(8):
            run(session, 3, parts=6)
            account, name = session.chain.user_account, str(number)
            order = PlaceOrder(
                account=account, market=1, side="buy", type="limit", lots=1 + number, price=1000, client_id=name
            )
            session.loop.apply([order])
        if killed:
            shutil.copytree(folder / "open", folder / "left")
    if not killed:
        shutil.copytree(folder / "open", folder / "left")
    left = folder / "left"
    paths = open_paths(left)
    return Venue(left, dict(read_chain(paths.journal, "inputs", 0)), replay(paths))


def flip(name: str, dice: random.Random) -> Callable[[Path], str]:
    """Another value in one byte of a file."""

    def damage(folder: Path) -> str:
        path = folder / name
        data = bytearray(path.read_bytes())
        place = dice.randrange(len(data))
        data[place] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        return f"flip {name} {place}"

    return damage


def cut(name: str, dice: random.Random) -> Callable[[Path], str]:
    """The file ends early."""

    def damage(folder: Path) -> str:
        path = folder / name
        length = dice.randrange(path.stat().st_size)
        with path.open("r+b") as file:
            file.truncate(length)
        return f"cut {name} {length}"

    return damage


def kinds(venue: Venue, dice: random.Random) -> list[Callable[[Path], str]]:
    """One of each kind that the folder has the files for."""
    files = [name for name in (DATABASE, LOG, TIP) if (venue.folder / name).stat().st_size] if _has_log(venue) else []
    files = files or [DATABASE, TIP]
    return [flip(name, dice) for name in files] + [cut(name, dice) for name in files]


def _has_log(venue: Venue) -> bool:
    return (venue.folder / LOG).exists() and (venue.folder / LOG).stat().st_size > 0


def verdict(venue: Venue, damage: Callable[[Path], str], scratch: Path, *, trade: bool) -> tuple[str, str]:
    """``refused`` or ``same``, and what was done; anything else is an AssertionError.

    ``trade``: open it and go on for a second, as a user would; then replay must give what the venue is.
    """
    folder = scratch / "try"
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(venue.folder, folder)
    (folder / (DATABASE + "-shm")).unlink(missing_ok=True)
    what = damage(folder)
    paths = open_paths(folder)
    try:
        outcome = replay(paths)
    except ProtocolError as error:
        replayed: str = error.message
    else:
        replayed = ""
        assert outcome == venue.outcome, f"{what}: replay gives something else"
        inputs = dict(read_chain(paths.journal, "inputs", 0))
        assert inputs == venue.inputs, f"{what}: other inputs, no word"
    if not trade and replayed:
        return "refused", what
    try:
        with opened(folder) as session:
            assert not replayed, f"{what}: opened, and replay refuses it: {replayed}"
            known = dict(session.journal.read_inputs())
            assert {n: known.get(n) for n in venue.inputs} == venue.inputs, f"{what}: opened with other inputs"
            session.loop.run_to(session.loop.venue.time + SECOND, step=SECOND, quotes_only=True)
            live = session.loop.venue.live_root()
    except ProtocolError:
        return "refused", what
    again = replay(paths)
    assert again["live_root"] == b"".join(limb.to_bytes(4, "big") for limb in live).hex(), f"{what}: replay differs"
    return "same", what


def main(count: int, seed: int) -> None:
    """Damage both kinds of folder ``count`` times each."""
    dice, tally = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="proofline-damage-") as scratch:
        for killed in (False, True):
            venue = make(Path(scratch) / str(killed), killed=killed)
            for number in range(count):
                choices = kinds(venue, dice)
                found, what = verdict(venue, choices[number % len(choices)], Path(scratch), trade=number % 4 == 0)
                tally[f"{'killed' if killed else 'closed'}, {' '.join(what.split()[:2])}: {found}"] += 1
    for line, times in sorted(tally.items()):
        print(f"{times:6} {line}")
    print(f"{2 * count} damaged folders (seed {seed}): none opened with anything lost or changed")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
