"""Going on with a journal that has lost rows at its end, because its user says so.

What is lost stays lost: the venue goes back to its last whole input. If L1 has accepted a batch with inputs that are
gone, opening refuses the folder all the same: no venue can go on from there.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from app.paths import Paths
from app.storage.folder_checks import check_version
from app.storage.folder_lock import FolderLock
from app.storage.journal_file import JournalError, is_unused
from app.storage.tip import Tip, TipDamaged, TipFile, read_tip, tip_path
from app.storage.verify import read_journal

KEPT = ".before-recovery"


@dataclass(frozen=True, slots=True)
class Recovery:
    """``said``: what had been acknowledged, None when the tip file could not tell. ``found``: what is there."""

    said: Tip | None
    found: Tip

    @property
    def needed(self) -> bool:
        """Whether anything was wrong."""
        return self.said is None or self.said.sequence > self.found.sequence or self.said.block > self.found.block


def recover(paths: Paths) -> Recovery:
    """Accept the journal as it is, when every row in it is whole. The log and the tip as they were are kept beside it.

    Raises :class:`engine.errors.CorruptData` for a damaged row, and what :func:`check_version` raises.
    """
    if is_unused(paths.journal):
        raise JournalError(f"there is no journal in {paths.data} to go on with", field="--data")
    lock = FolderLock(paths.lock)
    try:
        check_version(paths)
        tip = tip_path(paths.journal)
        try:
            said: Tip | None = read_tip(tip)
        except TipDamaged:
            said = None
        recovery = Recovery(said, read_journal(paths.journal, said or Tip())[0])
        if recovery.needed:
            for path in (paths.journal.with_name(paths.journal.name + "-wal"), tip):
                if path.exists():
                    shutil.copyfile(path, path.with_name(path.name + KEPT))
            tip.unlink(missing_ok=True)
            TipFile(tip, recovery.found).close()
        return recovery
    finally:
        lock.release()
