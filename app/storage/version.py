"""What a journal was written with: rules, contracts, statement. A build goes on only with a journal of its own version.

Another build's inputs can be read. Applying them would give other fills and roots than were signed, proved and posted.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import msgspec

from app.storage.journal_file import FORMAT, read_meta
from engine.errors import UNDECODABLE, CorruptData
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.shape import venue_shape
from engine.proving.statement import statement_id
from engine.sequencer.version import RULES_VERSION
from engine.settlement.contracts.artifacts import CONTRACT_NAMES, load_artifact
from engine.settlement.verifier import artifacts as verifier

META = "version"
SHOWN = 8
"""Hex digits of a digest in words."""


class Version(msgspec.Struct, frozen=True):
    """``format``: tables of the journal's file. ``rules``: :data:`RULES_VERSION`. ``contracts``: hex SHA-256 over the
    contracts' names and creation codes. ``statement``: hex identity of the proved statement in the default shape."""

    format: int = 1
    rules: int = 1
    contracts: str = ""
    statement: str = ""

    def words(self) -> str:
        """In words, digests shortened."""
        contracts, statement = self.contracts[:SHOWN] or "not recorded", self.statement[:SHOWN] or "not recorded"
        return f"journal format {self.format}, rules {self.rules}, contracts {contracts}, statement {statement}"


@lru_cache(maxsize=1)
def build_version() -> Version:
    """This build's."""
    return Version(FORMAT, RULES_VERSION, contracts_digest(), statement_id(venue_shape(DEFAULT_CONFIG)).hex())


def contracts_digest() -> str:
    """Hex SHA-256 over what is deployed. Raises :class:`engine.settlement.errors.ArtifactError`."""
    loaded = [load_artifact(name) for name in CONTRACT_NAMES] + [verifier.load(name) for name in verifier.CONTRACTS]
    codes = [f"{artifact.name} {artifact.bytecode}" for artifact in loaded]
    return hashlib.sha256("\n".join(codes).encode()).hexdigest()


def encoded() -> bytes:
    """This build's version as the journal keeps it."""
    return msgspec.json.encode(build_version(), order="sorted")


def stored_version(journal: Path) -> Version:
    """A journal's; the defaults stand for those that were written before there was a version. :class:`CorruptData`."""
    stored_format = read_meta(journal, "format") or b""
    number = int(stored_format) if stored_format.isdigit() and len(stored_format) < 10 else 0
    data = read_meta(journal, META)
    if data is None:
        return Version(format=number)
    try:
        return msgspec.structs.replace(msgspec.json.decode(data, type=Version), format=number)
    except UNDECODABLE as error:
        raise CorruptData(f"the journal's version does not decode: {error}", field=META) from error
