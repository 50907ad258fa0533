"""``verify FILE``: is this proof file true? Given nothing but the file; no data folder is opened or made.

Exit status: 0 accepted, 1 refused, 2 when the file cannot be read.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

from app.commands.registry import Command, Options, Parser
from app.runtime import jit_cache
from engine.errors import ProtocolError
from engine.proving.coverage import COVERED, NOT_COVERED
from engine.stark.errors import STAGE_MEANINGS, VerificationError


def add_arguments(parser: Parser, *_: object) -> None:
    """The file, and how much to say of it."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--details", action="store_true", help="also print commitments, nonces, parameters, sizes")


def run(options: Options) -> int:
    """Print the verdict, the public inputs, the statement and the security terms."""
    from app.storage.proof_files import read_proof_file

    path = Path(options.file)
    try:
        data = read_proof_file(path)
    except ProtocolError as error:
        print(f"proofline: {error.message}", file=sys.stderr)
        return 2
    if not jit_cache.has_kernels():
        print("first use on this machine: the verifier is compiled now, this takes a while", file=sys.stderr)
    from engine.proving.prover import verify_file  # compiles on import when there is no cache: after the note

    started = time.perf_counter()
    try:
        verified = verify_file(data)
    except VerificationError as error:
        _print_refusal(error, data)
        if options.details:
            _print_claimed(data)
        return 1
    print(f"accepted in {time.perf_counter() - started:.2f} s")
    for line in (*_file_lines(data), *verified.lines()):
        print(line)
    if options.details:
        print("\nWhat the file holds:")
        _print_summary(data)
    print("\nThis proof covers:")
    for text in COVERED:
        print(f"  + {text}")
    print("It does not cover:")
    for text in NOT_COVERED:
        print(f"  - {text}")
    return 0


def _file_lines(data: bytes) -> list[str]:
    return [f"file                 {len(data):,} bytes", f"SHA-256              {hashlib.sha256(data).hexdigest()}"]


def _print_refusal(error: VerificationError, data: bytes) -> None:
    print(f"refused: {error.located}")
    print(f"stage                {error.stage}, which checks that {STAGE_MEANINGS[error.stage]}")
    for line in _file_lines(data):
        print(line)
    print("Nothing that this file says is proved by it.")


def _print_claimed(data: bytes) -> None:
    """What a refused file says of itself, if it decodes at all."""
    print("\nWhat the file claims, none of it verified:")
    try:
        _print_summary(data)
    except VerificationError as error:
        print(f"  it does not decode: {error.located}")


def _print_summary(data: bytes) -> None:
    from engine.proving.summary import summarise

    for line in summarise(data).lines():
        print(line)


COMMAND = Command(
    name="verify",
    help="verify a proof file, given nothing else",
    add_arguments=add_arguments,
    run=run,
    epilog="Exit status: 0 accepted, 1 refused, 2 the file cannot be read. No data folder is needed or made.",
)
