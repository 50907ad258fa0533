"""``fill DIR``: the test vectors of the venue's rules, one JSON file a story (``docs/vectors.md``)."""

from __future__ import annotations

from pathlib import Path

from app.commands.registry import Command, Options, Parser
from engine.errors import ProtocolError


def add_arguments(parser: Parser, *_: object) -> None:
    """Where to."""
    parser.add_argument("folder", metavar="DIR", help="a folder; vectors in it are replaced, nothing else is")


def check(options: Options) -> None:
    """A file is no folder; whatever else is wrong shows when it is written."""
    folder = Path(options.folder)
    if folder.exists() and not folder.is_dir():
        raise ProtocolError(f"{folder} is no folder", field="DIR", value=str(folder), limit="a folder")


def run(options: Options) -> int:
    """Write the files and say how many."""
    from engine.vectors.fill import fill

    written, others = fill(Path(options.folder))
    size = sum(path.stat().st_size for path in written)
    print(f"{len(written)} vectors, {size:,} bytes, in {options.folder}")
    for path in others:
        print(f"{path} is a vector that no story tells (any more); it was left as it is")
    return 0


COMMAND = Command(
    name="fill",
    help="write the test vectors of the venue's rules as JSON",
    add_arguments=add_arguments,
    check=check,
    run=run,
    kernels="trading",
)
