"""A proving job as bytes, and the pure function from it to a proof file: what a prover elsewhere is given and runs.

========  ==================================================================================================
bytes     content
========  ==================================================================================================
8         magic ``PLJOB001`` (the digits are the format's version)
the rest  canonical msgpack (keys sorted, shortest forms) of :class:`ProofJob`
========  ==================================================================================================

A job is data from outside like any other: its size is bounded before anything is decoded, and digests are checked here
because nothing after it looks at their lengths. Everything else about a batch is checked by ``engine.proving.checks``.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from engine.errors import UNDECODABLE, CorruptData, check_range
from engine.exchange.accounts import Digest
from engine.exchange.config import VenueConfig, config_hash
from engine.exchange.leaf import BLOCK
from engine.field.koalabear import P
from engine.proving.parameters import DEFAULT_PROFILE, profile_named
from engine.proving.prover import Cancelled, Progress, ProvedBatch, VerifiedProof, prove_batch, verify_file
from engine.proving.statement import claim_of
from engine.sequencer.batch import Batch
from engine.stark.errors import VerificationError

MAGIC = b"PLJOB001"
MAX_JOB = 1 << 25
"""Bytes; the largest batch, 4,096 updates with every position filled, takes less than a quarter of it."""


class ProofJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be proved: a closed batch of the venue with this configuration, by the profile of this name."""

    batch: Batch
    config: VenueConfig
    profile: str = DEFAULT_PROFILE.name


def encode_job(job: ProofJob) -> bytes:
    """The one encoding of a job."""
    return MAGIC + msgspec.msgpack.encode(job, order="sorted")


def decode_job(data: bytes) -> ProofJob:
    """Inverse of :func:`encode_job`; :class:`CorruptData` for anything but a canonical job of at most ``MAX_JOB``."""
    if len(data) > MAX_JOB:
        raise CorruptData(f"the job has {len(data)} bytes", field="job", value=len(data), limit=MAX_JOB)
    if data[: len(MAGIC)] != MAGIC:
        raise CorruptData("this is not a proving job of version 1", field="job", value=bytes(data[:8]), limit=MAGIC)
    encoded = data[len(MAGIC) :]
    try:
        job = msgspec.msgpack.decode(encoded, type=ProofJob)
    except UNDECODABLE as error:
        raise CorruptData(f"the job does not decode: {error}", field="job") from error
    if msgspec.msgpack.encode(job, order="sorted") != encoded:
        raise CorruptData("the job is not in canonical form", field="job", limit="one encoding per job")
    for digest in _digests(job.batch):
        check_range("length of a digest", len(digest), BLOCK, BLOCK)
        check_range("least element of a digest", min(digest), 0, P - 1)
        check_range("greatest element of a digest", max(digest), 0, P - 1)
    return job


def _digests(batch: Batch) -> Iterable[Digest]:
    yield batch.old_root
    yield batch.new_root
    for update in batch.updates:
        yield from update.siblings


def prove_job(
    data: bytes, *, progress: Progress | None = None, cancelled: Cancelled | None = None, threads: int = 1
) -> ProvedBatch:
    """Prove an encoded job; the file depends on the job alone. Hooks and errors as in ``prove_batch``, and CorruptData.

    Raises :class:`engine.errors.UnknownName` for a profile that does not exist here.
    """
    job = decode_job(data)
    profile = profile_named(job.profile)
    return prove_batch(job.batch, job.config, profile=profile, progress=progress, cancelled=cancelled, threads=threads)


def verify_answer(file: bytes, job: ProofJob) -> VerifiedProof:
    """Accept a file as the proof of this job, whoever made it; :class:`VerificationError` with stage and reason.

    A true proof of another batch, venue or profile is refused as well.
    """
    verified = verify_file(file)
    claim = claim_of(job.batch, config_hash(job.config))
    if verified.claim != claim:
        found = verified.claim.number
        raise VerificationError("public input", "a proof of something else", value=found, limit=claim.number)
    if verified.profile.name != job.profile:
        found_name = verified.profile.name
        raise VerificationError("transcript", "made with another profile", value=found_name, limit=job.profile)
    return verified
