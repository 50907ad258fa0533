"""The journal's encoding of inputs: what is on disk must decode as it did."""

from __future__ import annotations

import hashlib

import pytest

from engine.errors import CorruptData
from engine.sequencer.inputs import (
    CancelAll,
    CancelOrder,
    ClaimRequested,
    ClockStep,
    Input,
    L1Block,
    L1Deposit,
    L1StateUpdate,
    L1Step,
    L1Withdrawal,
    PlaceOrder,
    ProofOutcome,
    RequestWithdrawal,
    decode_input,
    encode_input,
)

BLOCK = L1Block(
    number=2,
    timestamp=3,
    block_hash=bytes(range(32)),
    deposits=(L1Deposit(entry=7, account=16, owner=bytes(20), depositor=bytes(20), amount=5, transaction=bytes(32)),),
    state_updates=(
        L1StateUpdate(
            batch_number=1,
            new_root=bytes(32),
            transaction=bytes(32),
            gas_used=9,
            entries=1,
            queue_consumed=8,
            steps=(L1Step(kind="open", transaction=bytes(32), gas=1, calldata=2),),
        ),
    ),
    withdrawals=(L1Withdrawal(owner=bytes(20), amount=4, transaction=bytes(32)),),
    previous=1,
)
OUTCOME = ProofOutcome(
    batch=1,
    accepted=True,
    digest="ab",
    reason="",
    attempt=1,
    prove_milliseconds=2,
    verify_milliseconds=3,
    proof_bytes=4,
)
ORDER = PlaceOrder(
    account=16, market=1, side="buy", type="limit", lots=3, price=9, tif="ioc", reduce_only=True, client_id="c"
)
ENCODED: list[tuple[Input, str]] = [  # the first eight bytes of SHA-256
    (ClockStep(7, quotes_only=True), "2fa0e7029e919fc9"),
    (ORDER, "4d1e40a263ece279"),
    (CancelOrder(account=16, order_id=5, client_id="c"), "c12f57c82844ce0d"),
    (CancelAll(account=16, market=1, client_id="c"), "f32be32d3e7a1271"),
    (RequestWithdrawal(account=16, amount=5, client_id="w"), "13779ea3090c033c"),
    (BLOCK, "b6ddc044b3d2a2ba"),
    (OUTCOME, "980db8796516e896"),
    (ClaimRequested(account=16, owner=bytes(20), transaction=bytes(32)), "e8b8a9fac64abbfe"),
]


@pytest.mark.parametrize(("value", "digest"), ENCODED, ids=[type(value).__name__ for value, _ in ENCODED])
def test_an_input_is_encoded_as_ever(value: Input, digest: str) -> None:
    data = encode_input(value)
    assert hashlib.sha256(data).hexdigest()[:16] == digest
    assert decode_input(data) == value


def test_fields_are_written_by_name() -> None:
    assert encode_input(CancelOrder(account=16, order_id=5)) == (
        b"\x84\xa4kind\xabCancelOrder\xa7account\x10\xa8order_id\x05\xa9client_id\xa0"
    )


def test_a_record_takes_no_positions() -> None:
    with pytest.raises(TypeError):
        CancelOrder(16, 5)  # type: ignore[misc]


@pytest.mark.parametrize("data", [b"", b"\xc1", encode_input(ORDER)[:-1], encode_input(ORDER) + b"\0"])
def test_damaged_bytes_are_corrupt_data(data: bytes) -> None:
    with pytest.raises(CorruptData):
        decode_input(data)
