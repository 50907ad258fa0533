"""Does everything in a data folder belong together? What does not is refused before anything is written to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.paths import Paths
from app.storage.folder_question import FolderQuestion, quoted
from app.storage.journal import Journal
from app.storage.journal_file import JournalError, is_unused
from app.storage.tip import Tip, TipDamaged, read_tip, tip_path
from app.storage.verify import AcknowledgedMissing, verify_journal
from app.storage.version import META, Version, build_version, encoded, stored_version
from engine.errors import CorruptData, ProtocolError
from engine.exchange.config import VenueConfig
from engine.sequencer.venue import Venue
from engine.settlement.chain.ledger import Ledger
from engine.settlement.errors import KeyFileError
from engine.settlement.keys.keys import DEMO_KEY_NAME, UserKey, demo_key


class OtherVenue(ProtocolError):
    """The data folder holds a venue with another configuration."""


class OtherVersion(FolderQuestion):
    """The journal was written with other rules, contracts or another statement: it can be read, not gone on with."""

    def __init__(self, paths: Paths, stored: Version) -> None:
        self.stored = stored
        super().__init__(
            paths.data,
            fresh_folder(paths.data),
            f"the venue in {paths.data} was made by another version of this program ({stored.words()}); this one has "
            f"{build_version().words()} and cannot go on with it or replay it",
            f"write its history with: main.py export FOLDER --data {quoted(paths.data)}",
        )


class JournalMissing(FolderQuestion):
    """There was a venue here, and its journal is gone: a new one in its place would be another venue."""

    def __init__(self, paths: Paths, trace: Path) -> None:
        super().__init__(
            paths.data,
            fresh_folder(paths.data),
            f"{paths.journal} is missing or empty, and {trace.relative_to(paths.data)} is of a venue that had one",
            "put the journal back from a copy of the folder",
        )


class JournalIncomplete(FolderQuestion, CorruptData):
    """What was acknowledged is not in the journal, or cannot be told: ``cause`` says which rows."""

    def __init__(self, paths: Paths, cause: AcknowledgedMissing | TipDamaged) -> None:
        self.cause = cause
        super().__init__(
            paths.data,
            fresh_folder(paths.data),
            f"the journal in {paths.data} is not complete: {cause.message}",
            "put the folder back from a copy",
            f"go on without what is missing with: main.py recover --data {quoted(paths.data)}",
        )


def fresh_folder(data: Path) -> Path:
    """The first of NAME-2, NAME-3, ... beside it that does not exist or holds a venue of this build's version."""
    for number in itertools.count(2):
        candidate = data.with_name(f"{data.name}-{number}")
        journal = Paths(candidate).journal
        try:
            if not candidate.exists() or stored_version(journal) == build_version():
                return candidate
        except ProtocolError:
            continue
    raise AssertionError("counting does not end")


def check_version(paths: Paths) -> None:
    """:class:`OtherVersion` for a journal that another version of this program wrote. Changes nothing."""
    stored = stored_version(paths.journal)
    if stored != build_version():
        raise OtherVersion(paths, stored)


def check_folder(paths: Paths, *, new: bool = False) -> bool:
    """Whether the folder is free for a new venue; otherwise its journal is of this version. Changes nothing.

    ``new``: it was made for a new venue, keys in it are no trace of another. Raises :class:`OtherVersion`, and
    :class:`JournalMissing` where there was a venue and its journal is gone.
    """
    if not is_unused(paths.journal):
        check_version(paths)
        return False
    tip = tip_path(paths.journal)
    traces = [tip] if tip.exists() and _acknowledged(tip) else []
    traces += sorted(paths.proofs.glob("*.proof"))[:1]
    if not new:
        traces += sorted(paths.keys.glob("*.json"))[:1]
    if traces:
        raise JournalMissing(paths, traces[0])
    return True


def _acknowledged(path: Path) -> bool:
    """Whether a tip file knows of rows; one that cannot be read may."""
    try:
        return read_tip(path) != Tip()
    except TipDamaged:
        return True


def open_journal(paths: Paths, told: Callable[[int], None] = lambda rows: None) -> Journal:
    """The journal, verified, for adding to it. Raises :class:`JournalIncomplete` and what :class:`Journal` raises."""
    try:
        return Journal(paths.journal, told)
    except (AcknowledgedMissing, TipDamaged) as error:
        raise JournalIncomplete(paths, error) from error


def check_journal(paths: Paths) -> Tip:
    """What opening checks of a journal, without opening it: version, every row, what was acknowledged; its tip."""
    if not paths.journal.exists():
        raise JournalError(f"there is no journal in {paths.data}", field="--data")
    check_version(paths)
    try:
        return verify_journal(paths.journal)
    except (AcknowledgedMissing, TipDamaged) as error:
        raise JournalIncomplete(paths, error) from error


def clear_unused(paths: Paths) -> None:
    """Remove what a start left that ended before there was a configuration: it may be of another version."""
    for suffix in ("", "-wal", "-shm"):
        paths.journal.with_name(paths.journal.name + suffix).unlink(missing_ok=True)


def claim_version(journal: Journal) -> None:
    """Write this build's version into a new journal, before anything that depends on it."""
    journal.set_meta(META, encoded())


def claim_config(journal: Journal, config: VenueConfig) -> None:
    """A new journal is made for this configuration; :class:`OtherVenue` for one that was made for another."""
    if journal.last_sequence and journal.get_meta("config") is None:
        raise CorruptData("the journal has inputs and no configuration", field="config", limit="a configuration")
    try:
        journal.set_meta("config", msgspec.json.encode(config, order="sorted"))
    except JournalError as error:
        raise OtherVenue(
            "the data folder holds a venue with another configuration; choose another folder with --data",
            field="config",
        ) from error


def claim_key(journal: Journal, keys: Path) -> UserKey:
    """The user's key, made on the first launch. Raises :class:`KeyFileError` when it is not the one that the journal's
    account belongs to: a new key in its place could neither trade nor withdraw."""
    known, path = journal.get_meta("user"), keys / DEMO_KEY_NAME
    if known is not None and not path.exists():
        raise _other_key(path, known, "is missing")
    user = demo_key(keys)
    if known is not None and known != user.address:
        raise _other_key(path, known, f"holds the key of 0x{user.address.hex()}")
    journal.set_meta("user", user.address)
    return user


def _other_key(path: Path, address: bytes, what: str) -> KeyFileError:
    return KeyFileError(
        f"key file {path} {what}; this venue's account belongs to 0x{address.hex()}: put its key back, "
        "or choose another folder with --data",
        field="address",
        value=str(path),
        limit=f"0x{address.hex()}",
    )


def check_blocks(venue: Venue, last: int) -> None:
    """Blocks are durable before the venue sees them; :class:`CorruptData` when it saw one after the ``last``."""
    if last < venue.l1_block:
        raise CorruptData(
            f"L1 ends at block {last}, and the venue has seen block {venue.l1_block}: blocks are missing",
            field="l1_blocks",
            value=last,
            limit=venue.l1_block,
        )


def check_l1(venue: Venue, chain: Ledger, last_batch: int) -> None:
    """Blocks are durable before the venue sees them, inputs before their batch is posted; :class:`CorruptData`."""
    check_blocks(venue, chain.head.number)
    closed = venue.core.batches.open.number - 1
    if last_batch > closed:
        raise CorruptData(
            f"L1 has accepted batch {last_batch}, and the journal's inputs make only {closed}: inputs are missing",
            field="inputs",
            value=closed,
            limit=last_batch,
        )
