"""``export FOLDER``: the history of a data folder as JSON and CSV, whatever version of this program it is of."""

from __future__ import annotations

from pathlib import Path

from app.commands.registry import Command, Options, Parser
from app.paths import open_paths


def add_arguments(parser: Parser, *_: object) -> None:
    """Where to."""
    parser.add_argument("folder", metavar="FOLDER", help="a new or empty folder")


def run(options: Options) -> int:
    """Write the files and say what is in them; 1 when the digest chain is broken."""
    from app.storage.export import export, lines_of
    from app.storage.journal_file import JournalError
    from app.storage.version import stored_version

    paths = open_paths(options.data)
    if not paths.journal.exists():
        raise JournalError(f"there is no journal in {paths.data}", field="--data")
    target = Path(options.folder)
    about = export(paths.journal, target)
    print(stored_version(paths.journal).words())
    for line in lines_of(about):
        print(line)
    print(f"written to {target}")
    return 0 if about["first_broken_row"] is None else 1


COMMAND = Command(
    name="export",
    help="write the folder's history as JSON and CSV, whatever version made it",
    add_arguments=add_arguments,
    run=run,
)
