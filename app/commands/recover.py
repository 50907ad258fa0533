"""``recover``: go on with a journal whose newest acknowledged rows are gone. Says what is lost; asks nothing more."""

from __future__ import annotations

from app.commands.registry import Command, Options
from app.paths import open_paths


def run(options: Options) -> int:
    """Accept what is whole and print what is lost."""
    from app.storage.recover import recover

    recovery = recover(open_paths(options.data))
    said, found = recovery.said, recovery.found
    if not recovery.needed:
        print(f"nothing is missing: {found.sequence:,} inputs, L1 up to block {found.block:,}")
        return 0
    if said is None:
        print("what had been acknowledged is not known: the tip file was missing or damaged")
    elif said.sequence > found.sequence:
        print(f"lost: acknowledged inputs {found.sequence + 1} to {said.sequence}")
    if said is not None and said.block > found.block:
        print(f"lost: L1 blocks after {found.block}, up to {said.block}")
    print(f"the venue goes on after input {found.sequence} and L1 block {found.block}")
    return 0


COMMAND = Command(name="recover", help="go on with a journal whose newest inputs are gone; says which", run=run)
