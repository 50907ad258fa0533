"""A batch of the venue, proved to a file; the file verified, and refused after any change."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange, ProtocolError
from engine.exchange.config import DEFAULT_CONFIG, config_hash
from engine.exchange.tree import AccountTree
from engine.proving.checks import BadBatch
from engine.proving.parameters import DEFAULT_PROFILE, FRUGAL, QUICK
from engine.proving.proof_file import LENGTH_BYTES, MAGIC, MAX_HEADER, Header, decode_file, encode_file
from engine.proving.prover import ProvedBatch, prove_batch, verify_file
from engine.sequencer.batch import Batch
from engine.stark.errors import ProvingCancelled, VerificationError
from tests.support.proving_batches import close_batch, trader


def venue_batches() -> tuple[Batch, Batch]:
    """The opening of three accounts, then a trade and a withdrawal."""
    tree = AccountTree(DEFAULT_CONFIG.tree_height, 2)
    venues_own = replace(trader(0, 0), l1_address=bytes(20))
    opening = close_batch(tree, {16: trader(1, 900), 17: trader(2, 50), 3: venues_own}, deposits={16: 900, 17: 50})
    changes = {
        16: replace(tree.get(16), collateral=300).with_position(1, 5, 1),
        17: replace(tree.get(17), collateral=440).with_position(1, -5, 1),
        3: replace(tree.get(3), collateral=10),
    }
    return opening, close_batch(tree, changes, withdrawals={16: 200}, number=2)


@pytest.fixture(scope="module")
def batch() -> Batch:
    return venue_batches()[1]


@pytest.fixture(scope="module")
def proved(batch: Batch) -> ProvedBatch:
    return prove_batch(batch, DEFAULT_CONFIG)


def reheaded(file: bytes, **change: object) -> bytes:
    """The file with another header and the same STARK proof."""
    header, proof = decode_file(file)
    encoded = msgspec.msgpack.encode(msgspec.structs.replace(header, **change), order="sorted")
    return MAGIC + len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded + proof


def test_the_file_alone_verifies(batch: Batch, proved: ProvedBatch):
    verified = verify_file(proved.file)
    claim = verified.claim
    assert (claim.number, claim.old_root, claim.new_root) == (2, batch.old_root, batch.new_root)
    assert (claim.deposits, claim.withdrawals) == (batch.deposits, batch.withdrawals)
    assert claim.config_hash == config_hash(DEFAULT_CONFIG)
    assert verified.bits_proven >= 100
    assert verified.bits_conjectured >= verified.bits_proven
    text = "\n".join(verified.lines())
    assert "proofline/account-updates/1" in text
    assert "0.000200 pUSD, account 16, 0x" + "a1" * 20 in text
    assert "bits proven" in text
    assert verified.profile is DEFAULT_PROFILE
    assert f"{DEFAULT_PROFILE.name}: {DEFAULT_PROFILE.terms}" in text


def test_the_result_names_digest_stages_and_seconds(proved: ProvedBatch):
    assert proved.digest == hashlib.sha256(proved.file).hexdigest()
    assert next(iter(proved.stage_seconds)) == "witness"
    assert len(proved.stage_seconds) > 5
    assert proved.seconds >= max(proved.stage_seconds.values()) >= 0


def test_proofs_are_deterministic_and_chain(batch: Batch, proved: ProvedBatch):
    opening, _ = venue_batches()
    assert prove_batch(batch, DEFAULT_CONFIG).file == proved.file
    assert verify_file(prove_batch(opening, DEFAULT_CONFIG).file).claim.new_root == batch.old_root


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_flipped_byte_is_refused(proved: ProvedBatch, data: st.DataObject):
    head = 12 + int.from_bytes(proved.file[8:12], "big")
    index = data.draw(st.integers(0, head + 200) | st.integers(0, len(proved.file) - 1))
    flipped = bytearray(proved.file)
    flipped[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VerificationError):
        verify_file(bytes(flipped))


@pytest.mark.parametrize("keep", [0, 7, 11, 12, 500, -1])
def test_cut_and_padded_files_are_refused(proved: ProvedBatch, keep: int):
    with pytest.raises(VerificationError):
        verify_file(proved.file[:keep])
    with pytest.raises(VerificationError):
        verify_file(proved.file + b"\x00")


def other_config() -> object:
    return msgspec.structs.replace(DEFAULT_CONFIG, taker_fee_ppm=501)


def shorter_tree() -> object:
    return msgspec.structs.replace(DEFAULT_CONFIG, tree_height=15)


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        ({"number": 3}, "public input"),
        ({"number": 1 << 64}, "encoding"),
        ({"number": -1}, "public input"),
        ({"old_root": bytes(32)}, "public input"),
        ({"new_root": bytes(32)}, "public input"),
        ({"new_root": bytes(31)}, "encoding"),
        ({"new_root": b"\xff" * 32}, "public input"),
        ({"withdrawals": ()}, "public input"),
        ({"statement": bytes(32)}, "transcript"),
        ({"profile": "thrifty"}, "transcript"),
        ({"profile": "frugal"}, "encoding"),
        ({"profile": "Quick\x1b[2J"}, "transcript"),
        ({"config": other_config()}, "public input"),
        ({"config": shorter_tree()}, "transcript"),
        ({"config": msgspec.structs.replace(DEFAULT_CONFIG, tree_height=17)}, "public input"),
        ({"config": msgspec.structs.replace(DEFAULT_CONFIG, markets=())}, "transcript"),
    ],
    ids=str,
)
def test_the_proof_serves_no_other_claim(proved: ProvedBatch, change: dict, stage: str):
    try:
        file = reheaded(proved.file, **change)
    except OverflowError:  # msgpack has no such integer, so no file does
        assert stage == "encoding"
        return
    with pytest.raises(VerificationError) as caught:
        verify_file(file)
    assert caught.value.stage == stage


def test_flows_cannot_be_redirected(batch: Batch, proved: ProvedBatch):
    header, _ = decode_file(proved.file)
    flow = header.withdrawals[0]
    for change in ({"owner": bytes(20)}, {"amount": flow.amount + 1}, {"account": 17}, {"owner": bytes(19)}):
        with pytest.raises(VerificationError) as caught:
            verify_file(reheaded(proved.file, withdrawals=(msgspec.structs.replace(flow, **change),)))
        assert caught.value.stage == "public input"
    with pytest.raises(VerificationError):
        verify_file(reheaded(proved.file, deposits=header.withdrawals, withdrawals=()))


def test_names_that_paint_over_a_terminal_are_refused(proved: ProvedBatch):
    """A stranger's file must not print its own verdict."""
    market = msgspec.structs.replace(DEFAULT_CONFIG.markets[0], symbol="BTC\x1b[2J")
    for change in ({"name": "Venue\nsecurity 256 bits"}, {"markets": (market, *DEFAULT_CONFIG.markets[1:])}):
        with pytest.raises(VerificationError) as caught:
            verify_file(reheaded(proved.file, config=msgspec.structs.replace(DEFAULT_CONFIG, **change)))
        assert caught.value.stage == "encoding"
        assert "not printable" in caught.value.reason


def test_the_header_has_one_encoding(batch: Batch, proved: ProvedBatch):
    header, proof = decode_file(proved.file)
    assert encode_file(batch, DEFAULT_CONFIG, DEFAULT_PROFILE, proof) == proved.file
    loose = msgspec.msgpack.encode({**msgspec.structs.asdict(header)}, order=None)
    shuffled = msgspec.msgpack.encode(dict(reversed(msgspec.msgpack.decode(loose).items())))
    for encoded in (shuffled, b"\xc1", b"", b"\x80"):
        data = MAGIC + len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded + proof
        with pytest.raises(VerificationError) as caught:
            verify_file(data)
        assert caught.value.stage == "encoding"
    huge = MAGIC + (MAX_HEADER + 1).to_bytes(LENGTH_BYTES, "big") + bytes(MAX_HEADER + 2)
    with pytest.raises(VerificationError, match="length"):
        verify_file(huge)
    assert isinstance(header, Header)


def test_a_proof_of_another_profile_verifies_by_its_name(batch: Batch):
    """Nothing but the name in the header tells the verifier which parameters to insist on."""
    proved = prove_batch(batch, DEFAULT_CONFIG, profile=FRUGAL)
    verified = verify_file(proved.file)
    assert verified.profile is FRUGAL
    assert verified.bits_proven >= 100
    with pytest.raises(VerificationError):
        verify_file(reheaded(proved.file, profile=QUICK.name))


def test_progress_names_stages_and_cancelling_stops(batch: Batch):
    seen: list[tuple[str, float]] = []
    prove_batch(batch, DEFAULT_CONFIG, progress=lambda stage, fraction: seen.append((stage, fraction)))
    assert seen[0] == ("witness", 0.0)
    assert [fraction for _, fraction in seen] == sorted(fraction for _, fraction in seen)
    assert seen[-1][1] == 1.0
    for after in (0, 2):
        calls = iter(range(100))
        with pytest.raises(ProvingCancelled):
            prove_batch(batch, DEFAULT_CONFIG, cancelled=lambda calls=calls, after=after: next(calls) >= after)


def broken(batch: Batch, row: int, **change: object) -> Batch:
    updates = list(batch.updates)
    updates[row] = replace(updates[row], **change)
    return replace(batch, updates=tuple(updates))


def test_batches_that_cannot_be_true_are_named(batch: Batch):
    opening, _ = venue_batches()
    first = batch.updates[0]
    wrong = [
        (broken(batch, 0, new=replace(first.new, collateral=11)), "collateral"),
        (broken(batch, 0, siblings=first.siblings[:-1]), "siblings"),
        (broken(batch, 0, siblings=(first.siblings[1], *first.siblings[1:])), "siblings"),
        (broken(batch, 1, new=replace(batch.updates[1].new, l1_address=bytes(20))), "l1_address"),
        (replace(batch, updates=batch.updates[::-1]), "account of an update (they ascend)"),
        (replace(batch, updates=batch.updates[:1]), "account"),
        (replace(batch, new_root=batch.old_root), "new_root"),
        (replace(batch, withdrawals=(replace(batch.withdrawals[0], owner=bytes(20)),)), "owner"),
        (replace(batch, withdrawals=(replace(batch.withdrawals[0], amount=0),)), "amount of a withdrawal"),
        (replace(batch, deposits=batch.withdrawals), "collateral"),
        (replace(opening, deposits=opening.deposits[:1]), "l1_address"),
    ]
    for bad, field in wrong:
        with pytest.raises((BadBatch, OutOfRange)) as caught:
            prove_batch(bad, DEFAULT_CONFIG)
        assert caught.value.field == field
        assert isinstance(caught.value, ProtocolError)


def test_a_batch_without_updates_proves():
    tree = AccountTree(DEFAULT_CONFIG.tree_height, 2)
    proved = prove_batch(close_batch(tree, {}), DEFAULT_CONFIG)
    claim = verify_file(proved.file).claim
    assert claim.old_root == claim.new_root == tree.root
