"""The proof file: everything a stranger needs, in one byte string.

========  ==================================================================================================
bytes     content
========  ==================================================================================================
8         magic ``PLBATCH2`` (the digit is the format's version)
4         length of the header, big-endian
...       header: canonical msgpack (keys sorted, shortest forms) of :class:`Header`
the rest  the STARK proof (``engine.stark.protocol.proof``)
========  ==================================================================================================

The header carries the venue's whole configuration, because the statement's tables follow from it (tree height, markets)
and its hash is a public input. Statement, public inputs and public terms are recomputed from the header. Verifier
parameters are never read from a file: the header names one of the sets of ``engine.proving.parameters``. Version 1 had
no such name.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.errors import UNDECODABLE, ProtocolError
from engine.exchange.config import VenueConfig, config_hash
from engine.proving.parameters import PROFILES, Profile
from engine.proving.shape import StatementShape, venue_shape
from engine.proving.statement import Claim, check_claim, statement_id
from engine.sequencer.batch import Batch, Digest, ExternalFlow, root_bytes
from engine.stark.errors import VerificationError
from engine.units import AccountId

MAGIC = b"PLBATCH2"
LENGTH_BYTES = 4
MAX_HEADER = 1 << 20
ROOT_BYTES = 32


class Flow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deposit or withdrawal: account id, 20-byte owner, amount in quanta."""

    account: int
    owner: bytes
    amount: int


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the proof is about. Roots are 32 bytes as the contract stores them; ``statement`` is the statement's id.

    ``profile``: name of the parameter set that the proof was made with.
    """

    profile: str
    statement: bytes
    number: int
    old_root: bytes
    new_root: bytes
    deposits: tuple[Flow, ...]
    withdrawals: tuple[Flow, ...]
    config: VenueConfig


def _flows(flows: tuple[ExternalFlow, ...]) -> tuple[Flow, ...]:
    return tuple(Flow(flow.account, flow.owner, flow.amount) for flow in flows)


def _external(flows: tuple[Flow, ...]) -> tuple[ExternalFlow, ...]:
    return tuple(ExternalFlow(AccountId(flow.account), flow.owner, flow.amount) for flow in flows)


def _root(data: bytes, name: str) -> Digest:
    if len(data) != ROOT_BYTES:
        raise VerificationError("encoding", f"{name} has {len(data)} bytes", value=len(data), limit=ROOT_BYTES)
    return tuple(int.from_bytes(data[i : i + 4], "big") for i in range(0, ROOT_BYTES, 4))


def encode_file(batch: Batch, config: VenueConfig, profile: Profile, proof: bytes) -> bytes:
    """The file for a batch and its STARK proof, which was made with the parameters of ``profile``."""
    header = Header(
        profile=profile.name,
        statement=statement_id(venue_shape(config)),
        number=batch.number,
        old_root=root_bytes(batch.old_root),
        new_root=root_bytes(batch.new_root),
        deposits=_flows(batch.deposits),
        withdrawals=_flows(batch.withdrawals),
        config=config,
    )
    encoded = msgspec.msgpack.encode(header, order="sorted")
    return MAGIC + len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded + proof


def decode_file(data: bytes) -> tuple[Header, bytes]:
    """Header and STARK proof; :class:`VerificationError` at stage "encoding" for anything but a canonical file."""
    start = len(MAGIC) + LENGTH_BYTES
    if data[: len(MAGIC)] != MAGIC:
        raise VerificationError("encoding", "this is not a proof file of version 2", value=data[:8], limit=MAGIC)
    length = int.from_bytes(data[len(MAGIC) : start], "big")
    if length > min(MAX_HEADER, len(data) - start):
        raise VerificationError("encoding", "the header's length is wrong", value=length, limit=len(data) - start)
    encoded = data[start : start + length]
    try:
        header = msgspec.msgpack.decode(encoded, type=Header)
    except UNDECODABLE as error:
        raise VerificationError("encoding", f"the header does not decode: {error}") from error
    if msgspec.msgpack.encode(header, order="sorted") != encoded:
        raise VerificationError("encoding", "the header is not in canonical form")
    _check_texts(header.config)
    return header, data[start + length :]


def _check_texts(config: VenueConfig) -> None:
    """Names are shown to whoever verifies a stranger's file: no control characters that could paint over a verdict."""
    parts = (config, *config.markets)
    for name, text in ((name, getattr(part, name)) for part in parts for name in part.__struct_fields__):
        if isinstance(text, str) and not text.isprintable():
            raise VerificationError("encoding", f"the configuration's {name} is not printable", value=ascii(text))


def header_profile(header: Header) -> Profile:
    """The parameter set that the header names; :class:`VerificationError` at "transcript" for an unknown name."""
    if header.profile not in PROFILES:
        name = ascii(header.profile)
        raise VerificationError("transcript", "made with an unknown profile", value=name, limit=sorted(PROFILES))
    return PROFILES[header.profile]


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A proof file read as far as it goes without verifying: what it claims, of which statement, by which profile."""

    config: VenueConfig
    claim: Claim
    shape: StatementShape
    statement_id: bytes
    profile: Profile
    proof: bytes


def open_file(data: bytes) -> OpenedFile:
    """Decode a file and check that its claim can be one of this program's statement.

    Raises :class:`VerificationError` at stage "encoding", "public input" or "transcript".
    """
    header, proof = decode_file(bytes(data))
    try:
        claim, shape = header_claim(header)
        check_claim(claim, shape)
    except VerificationError:
        raise
    except ProtocolError as error:
        raise VerificationError("public input", error.message, value=error.value, limit=error.limit) from error
    profile, identity = header_profile(header), statement_id(shape)
    if header.statement != identity:
        raise VerificationError("transcript", "made for another statement", value=header.statement, limit=identity)
    return OpenedFile(header.config, claim, shape, identity, profile, proof)


def header_claim(header: Header) -> tuple[Claim, StatementShape]:
    """The claim and the shape that the header stands for; ranges are checked by ``check_claim``."""
    claim = Claim(
        header.number,
        _root(header.old_root, "old root"),
        _root(header.new_root, "new root"),
        _external(header.deposits),
        _external(header.withdrawals),
        config_hash(header.config),
    )
    return claim, venue_shape(header.config)
