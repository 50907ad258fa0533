"""``replay``: everything again from genesis, and what came out."""

from __future__ import annotations

import json

from app.commands.registry import Command, Options, Parser
from app.paths import open_paths


def add_arguments(parser: Parser, *_: object) -> None:
    """How to print."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: Options) -> int:
    """Print the root and the digest of fills; non-zero when an invariant fails."""
    from app.venue.replay import replay

    outcome = replay(open_paths(options.data))
    if options.json:
        print(json.dumps(outcome))
    else:
        for key, value in outcome.items():
            print(f"{key:12} {value}")
    return 0 if all(value is True for value in outcome["invariants"].values()) else 1


COMMAND = Command(
    name="replay",
    help="replay the journal from genesis, print root and fills",
    add_arguments=add_arguments,
    run=run,
    kernels="trading",
)
