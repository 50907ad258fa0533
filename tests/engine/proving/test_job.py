"""Jobs as bytes: one encoding each, bounded and checked; answers must be about the job."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import msgspec
import pytest

from engine.errors import CorruptData, OutOfRange, UnknownName
from engine.exchange.accounts import EMPTY_ACCOUNT
from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.field.koalabear import P
from engine.proving import job as jobs
from engine.proving.job import MAGIC, MAX_JOB, ProofJob, decode_job, encode_job, prove_job, verify_answer
from engine.sequencer.batch import Batch
from engine.stark.errors import ProvingCancelled, VerificationError
from engine.stark.runtime.memory import SHARED
from tests.support.proving_batches import close_batch, trader


def batch_of(number: int = 1) -> Batch:
    """Two accounts with positions, deposits of what they hold."""
    tree = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets))
    return close_batch(tree, {20: trader(1, 5, (1, 2, -3)), 21: trader(2, 7)}, deposits={20: 5, 21: 7}, number=number)


JOB = ProofJob(batch_of(), DEFAULT_CONFIG, "quick")
ENCODED = encode_job(JOB)


def test_a_job_has_one_encoding_that_gives_it_back() -> None:
    job = decode_job(ENCODED)
    assert (job, job.batch.updates[0].old) == (JOB, EMPTY_ACCOUNT)
    assert encode_job(job) == ENCODED


def test_everything_but_a_canonical_job_is_refused_by_name() -> None:
    body = ENCODED[len(MAGIC) :]
    fields = msgspec.msgpack.decode(body)
    unsorted = MAGIC + msgspec.msgpack.encode(dict(reversed(fields.items())))
    unknown = MAGIC + msgspec.msgpack.encode({**fields, "threads": 9}, order="sorted")
    hidden = MAGIC + msgspec.msgpack.encode({**fields, "batch": {**fields["batch"], "aa": 1}}, order="sorted")
    wrong = MAGIC + msgspec.msgpack.encode({**fields, "profile": 3}, order="sorted")
    cases = {
        "version 1": [b"", b"PLJOB002" + body, ENCODED[1:]],
        "does not decode": [ENCODED[:-1], ENCODED + b"\0", MAGIC, wrong, unknown],
        "canonical": [unsorted, hidden],
        "bytes": [MAGIC + bytes(MAX_JOB)],
    }
    for words, damaged in cases.items():
        for data in damaged:
            with pytest.raises(CorruptData, match=words):
                decode_job(data)


def test_digests_of_wrong_size_or_range_are_refused() -> None:
    update = JOB.batch.updates[0]
    short = replace(update, siblings=(update.siblings[0][:7], *update.siblings[1:]))
    large = replace(update, siblings=((P, *update.siblings[0][1:]), *update.siblings[1:]))
    for batch in (
        replace(JOB.batch, updates=(short,)),
        replace(JOB.batch, updates=(large,)),
        replace(JOB.batch, old_root=(*JOB.batch.old_root[:7], -1)),
        replace(JOB.batch, new_root=()),
    ):
        with pytest.raises(OutOfRange, match="digest"):
            decode_job(encode_job(ProofJob(batch, DEFAULT_CONFIG)))


def test_an_unknown_profile_is_refused_before_any_work() -> None:
    with pytest.raises(UnknownName, match="quick"):
        prove_job(encode_job(ProofJob(JOB.batch, DEFAULT_CONFIG, "slow")))


def test_the_answer_to_a_job_must_be_about_that_job(monkeypatch: pytest.MonkeyPatch) -> None:
    proved = prove_job(ENCODED, threads=2)
    assert proved.file == prove_job(ENCODED).file, "a function of the job alone"
    accepted = verify_answer(proved.file, JOB)
    assert accepted.claim.number == 1
    other = ProofJob(batch_of(number=2), DEFAULT_CONFIG, "quick")
    with pytest.raises(VerificationError, match="something else"):
        verify_answer(proved.file, other)
    elsewhere = ProofJob(JOB.batch, msgspec.structs.replace(DEFAULT_CONFIG, seed=2), "quick")
    with pytest.raises(VerificationError, match="something else"):
        verify_answer(proved.file, elsewhere)
    monkeypatch.setattr(jobs, "verify_file", lambda file: accepted)
    with pytest.raises(VerificationError, match="another profile"):
        verify_answer(proved.file, ProofJob(JOB.batch, DEFAULT_CONFIG, "frugal"))


def test_every_stage_asks_whether_to_go_on_and_memory_is_given_back() -> None:
    stage, asked = "start", Counter[str]()

    def ended(name: str, fraction: float) -> None:
        nonlocal stage
        stage = name

    def count() -> bool:
        asked[stage] += 1
        return False

    prove_job(ENCODED, progress=ended, cancelled=count, threads=2)
    assert {"witness", "trace", "extension", "commitment", "lookup", "quotient", "deep", "fri"} <= set(asked)
    total = asked.total()
    kept = SHARED.kept
    for stop in (1, 2, total // 3, total // 2, total - 1):
        polls = itertools.count(1)
        with pytest.raises(ProvingCancelled):
            prove_job(ENCODED, cancelled=lambda polls=polls, stop=stop: next(polls) >= stop, threads=2)
        assert SHARED.kept == kept, "buffers of a cancelled proof are used again"
