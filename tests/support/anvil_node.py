"""Anvil, the node of the tests, as a child process on a free port."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.settlement.node.connection import NodeConnection
from resources.setup.fetch_anvil import binary, why_not

LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")
GAS_LIMIT = 60_000_000


class Anvil(NamedTuple):
    """A running node."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def anvil(*options: object, allocation: Mapping[bytes, int] | None = None) -> Iterator[Anvil]:
    """A fresh Anvil; ``allocation`` gives wei to addresses. Skips the test where Anvil was not fetched."""
    program = binary()
    if program is None:
        pytest.skip(f"no Anvil: {why_not()}")
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), "--port", "0", *map(str, options)]
        if allocation is not None:
            command += ["--init", str(_genesis(Path(folder), allocation))]
        environment = {**os.environ, "HOME": folder}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder)
        assert process.stdout is not None
        drain = threading.Thread(target=process.stdout.read, name="anvil's words")  # it stops when nobody listens
        try:
            port = next((found[1] for line in process.stdout if (found := LISTENING.search(line))), "")
            assert port, f"Anvil ended with status {process.wait()} and did not listen"
            drain.start()
            yield Anvil(f"http://127.0.0.1:{port}", process)
        finally:
            process.kill()
            process.wait()
            if drain.ident is not None:
                drain.join()
            process.stdout.close()


@contextmanager
def connected(url: str) -> Iterator[NodeConnection]:
    """A connection that is closed at the end."""
    connection = NodeConnection(url)
    try:
        yield connection
    finally:
        connection.close()


def _genesis(folder: Path, allocation: Mapping[bytes, int]) -> Path:
    alloc = {"0x" + address.hex(): {"balance": hex(wei)} for address, wei in allocation.items()}
    content = {"config": {"chainId": 31337}, "alloc": alloc, "difficulty": "0x0", "gasLimit": hex(GAS_LIMIT)}
    path = folder / "genesis.json"
    path.write_text(json.dumps(content))
    return path
