"""``verify FILE``: is this proof file true? Given nothing but the file."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import ProtocolError
from engine.proving.coverage import COVERED, NOT_COVERED
from engine.proving.prover import verify_file

MAX_FILE = 64 << 20


def run(options: argparse.Namespace) -> int:
    """Print the public inputs, the statement and the security terms; non-zero with a reason when refused."""
    path = Path(options.file)
    try:
        if path.stat().st_size > MAX_FILE:
            raise ProtocolError(f"{path.name} is larger than a proof can be", field="FILE", limit=f"{MAX_FILE} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise ProtocolError(f"{options.file} cannot be read: {error.strerror}", field="FILE") from error
    try:
        verified = verify_file(data)
    except ProtocolError as error:
        print(f"refused: {error.message}")
        return 1
    print("accepted")
    for line in verified.lines():
        print(line)
    print("\nThis proof covers:")
    for text in COVERED:
        print(f"  + {text}")
    print("It does not cover:")
    for text in NOT_COVERED:
        print(f"  - {text}")
    return 0
