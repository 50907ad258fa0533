"""Compiled contracts as committed in resources/contracts/artifacts: reading and checking them needs no compiler."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from engine.files import FileRefused, read_known
from engine.settlement.errors import ArtifactError

CONTRACTS_FOLDER = Path(__file__).resolve().parents[3] / "resources" / "contracts"
MAX_RUNTIME_BYTES = 24_576  # EIP-170
MAX_ARTIFACT_BYTES = 1 << 20
CONTRACT_NAMES = ("token", "exchange")


class Artifact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One compiled contract; byte strings as hex. ``runtime`` is without the values of immutables."""

    name: str
    compiler: str
    source_sha256: str
    abi: list[dict[str, Any]]
    bytecode: str
    runtime: str


def source_path(name: str) -> Path:
    """The Vyper source of a contract."""
    return CONTRACTS_FOLDER / "src" / f"{name}.vy"


def artifact_path(name: str) -> Path:
    """The committed compilation of a contract."""
    return CONTRACTS_FOLDER / "artifacts" / f"{name}.json"


def load_artifact(name: str) -> Artifact:
    """Read an artifact; raises :class:`ArtifactError` when it is missing, changed, too long or of another source."""
    path = artifact_path(name)
    try:
        artifact = msgspec.json.decode(read_known(path, MAX_ARTIFACT_BYTES), type=Artifact)
        size = len(bytes.fromhex(artifact.runtime))
        bytes.fromhex(artifact.bytecode)
    except FileRefused as error:
        raise ArtifactError(f"contract artifact {error.message}", field=path.name) from error
    except ValueError as error:  # msgspec's errors are ValueErrors
        raise ArtifactError(f"contract artifact {path.name} cannot be read: {error}", field=path.name) from error
    if size > MAX_RUNTIME_BYTES:
        raise ArtifactError(
            f"contract {name} has {size} bytes of code; a chain takes {MAX_RUNTIME_BYTES}",
            field="runtime",
            value=size,
            limit=MAX_RUNTIME_BYTES,
        )
    found = hashlib.sha256(source_path(name).read_bytes()).hexdigest()
    if found != artifact.source_sha256:
        raise ArtifactError(
            f"contract artifact {path.name} was compiled from another source",
            field="source_sha256",
            value=artifact.source_sha256,
            limit=found,
        )
    return artifact
