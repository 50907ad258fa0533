"""The verifier's compiled contracts, as committed in resources/contracts/verifier/artifacts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from engine.files import FileRefused, read_known
from engine.settlement.contracts.artifacts import CONTRACTS_FOLDER, MAX_ARTIFACT_BYTES, MAX_RUNTIME_BYTES, Artifact
from engine.settlement.errors import ArtifactError

FOLDER = CONTRACTS_FOLDER / "verifier"
MODULES = ("field",)
CONTRACTS = ("constraints", "queries", "opening")


def source_path(name: str) -> Path:
    """The Vyper source of a contract or module."""
    return FOLDER / "src" / f"{name}.vy"


def artifact_path(name: str) -> Path:
    """The committed compilation of a contract."""
    return FOLDER / "artifacts" / f"{name}.json"


def source_digest(name: str) -> str:
    """SHA-256 over the contract's source and the modules that contracts import, hex."""
    parts = [source_path(part).read_bytes() for part in (name, *MODULES)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def load(name: str) -> Artifact:
    """Read an artifact; raises :class:`ArtifactError` when it is missing, changed, too long or of another source."""
    path = artifact_path(name)
    try:
        artifact = msgspec.json.decode(read_known(path, MAX_ARTIFACT_BYTES), type=Artifact)
        size = len(bytes.fromhex(artifact.runtime))
    except FileRefused as error:
        raise ArtifactError(f"contract artifact {error.message}", field=path.name) from error
    except ValueError as error:  # msgspec's errors are ValueErrors
        raise ArtifactError(f"contract artifact {path.name} cannot be read: {error}", field=path.name) from error
    if size > MAX_RUNTIME_BYTES:
        reason = f"contract {name} has {size} bytes of code; a chain takes {MAX_RUNTIME_BYTES}"
        raise ArtifactError(reason, field="runtime", value=size, limit=MAX_RUNTIME_BYTES)
    found = source_digest(name)
    if found != artifact.source_sha256:
        reason = f"contract artifact {path.name} was compiled from another source"
        raise ArtifactError(reason, field="source_sha256", value=artifact.source_sha256, limit=found)
    return artifact
