"""Proof files beside the journal, named by digest, and what was measured when each was made; reading and exporting.

The facts file is a note for people (stage seconds, security bits): nothing is decided by it, a missing or damaged one
only leaves its figures blank.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from app.snapshot.views import SecurityTerm
from engine.errors import ProtocolError

MAX_PROOF_FILE = 64 << 20
"""Bytes. Far above any proof of this statement: a bound before anything is read."""


class ProofFileError(ProtocolError):
    """A proof file that cannot be read or written; ``value`` is its path."""


class ProofFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the window shows of a proof beside its outcome. Seconds are wall time on the machine that proved."""

    stage_seconds: dict[str, float] = {}
    prove_seconds: float = 0.0
    verify_seconds: float = 0.0
    bits_proven: float = 0.0
    bits_conjectured: float = 0.0
    statement: str = ""
    terms: tuple[SecurityTerm, ...] = ()
    profile: str = ""
    worker: str = ""


NO_FACTS = ProofFacts()


def proof_path(folder: Path, digest: str) -> Path:
    """Where the proof with this digest lies."""
    return folder / f"{digest}.proof"


def store_proof(folder: Path, digest: str, data: bytes, facts: ProofFacts) -> Path:
    """Write a proof file under its digest, whole or not at all, and its facts beside it."""
    target = proof_path(folder, digest)
    _write(target, data)
    _write(target.with_suffix(".facts.json"), msgspec.json.encode(facts))
    return target


def read_facts(folder: Path, digest: str) -> ProofFacts:
    """The facts of a proof, blank when there are none that can be read."""
    try:
        return msgspec.json.decode(proof_path(folder, digest).with_suffix(".facts.json").read_bytes(), type=ProofFacts)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return NO_FACTS


def read_proof_file(path: Path) -> bytes:
    """The bytes of a proof file; :class:`ProofFileError` with the reason when they cannot be had."""
    try:
        size = path.stat().st_size
        if size > MAX_PROOF_FILE:
            limit = f"{MAX_PROOF_FILE} bytes"
            raise ProofFileError(f"{path.name} is larger than a proof can be", field="FILE", value=size, limit=limit)
        return path.read_bytes()
    except OSError as error:
        raise ProofFileError(f"{path} cannot be read: {error.strerror}", field="FILE", value=str(path)) from error


def read_stored(folder: Path, digest: str) -> bytes:
    """The bytes of the proof file with this digest; :class:`ProofFileError` when they are missing or damaged."""
    path = proof_path(folder, digest)
    data = read_proof_file(path)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ProofFileError(f"{path.name} is damaged: its bytes have another digest", field="FILE", value=str(path))
    return data


def export_proof(data: bytes, target: Path) -> None:
    """Write proof bytes where a user asked, whole or not at all; :class:`ProofFileError` when that place refuses."""
    try:
        _write(target, data)
    except OSError as error:
        raise ProofFileError(
            f"{target} cannot be written: {error.strerror}", field="FILE", value=str(target)
        ) from error


def _write(target: Path, data: bytes) -> None:
    temporary = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
