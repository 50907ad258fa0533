"""Inputs: everything that can change the venue. Each is journaled, then applied, in sequence order.

The venue is a pure function of the list of these. Their canonical encoding (msgpack, tagged) is what the journal
stores.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.errors import UNDECODABLE, CorruptData
from engine.units import AccountId, Lots, MarketId, Nanoseconds, OrderId, Quanta, Ticks

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market"]
TimeInForce = Literal["gtc", "ioc"]


class Input(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """Base of all inputs."""


class ClockStep(Input, frozen=True, tag="ClockStep"):
    """Venue time moves to ``time`` (ns, never backwards). Steps prices, participants, funding, liquidations, batches.

    ``quotes_only``: the clock runs faster than recorded flow can be played; participants refresh quotes, no takers.
    """

    time: Nanoseconds
    quotes_only: bool = False


class PlaceOrder(Input, frozen=True, tag="PlaceOrder", kw_only=True):
    """A new order. ``price`` in ticks (0 for market orders), ``lots`` > 0, ``client_id`` echoed in every event.

    A market order is IOC, and no lot of it fills beyond ``worst_price`` ticks; 0 stands for the edge of the price band.
    """

    account: AccountId
    market: MarketId
    side: Side
    type: OrderType
    lots: Lots
    price: Ticks = Ticks(0)
    tif: TimeInForce = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    client_id: str = ""
    worst_price: int = 0


class CancelOrder(Input, frozen=True, tag="CancelOrder", kw_only=True):
    """Cancel one resting order by its venue order id."""

    account: AccountId
    order_id: OrderId
    client_id: str = ""


class CancelAll(Input, frozen=True, tag="CancelAll", kw_only=True):
    """Cancel all resting orders of an account; ``market`` 0 means every market."""

    account: AccountId
    market: MarketId = MarketId(0)
    client_id: str = ""


class RequestWithdrawal(Input, frozen=True, tag="RequestWithdrawal", kw_only=True):
    """Take ``amount`` quanta off the account towards its L1 address (normal path, in the next batch)."""

    account: AccountId
    amount: Quanta
    client_id: str = ""


class L1Deposit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Entry ``entry`` of the exchange contract's queue: ``amount`` quanta for ``account``, owned by ``owner``.

    ``owner``, ``depositor``: addresses, 20 bytes. ``amount`` is what the entry brings a batch, as L1 has it when the
    block is read: 0 where the depositor takes it back, which ``reclaim_at`` (seconds) says the time of; the batch that
    takes such an entry is for L1 not before that time. ``key_digest``: of the account's key, 32 bytes, zero for none.
    """

    entry: int
    account: AccountId
    owner: bytes
    depositor: bytes
    amount: Quanta
    transaction: bytes
    key_digest: bytes = bytes(32)
    reclaim_at: int = 0


class L1Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An L1 transaction that helped to bring a batch to L1. ``calldata``: its length in bytes.

    ``kind``: open (a proof, up to its queries), check (some queries), register (the proved fact), update (the root).
    """

    kind: str
    transaction: bytes
    gas: int
    calldata: int


class L1StateUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A state-update event: batch ``batch_number`` was accepted; the contract's root is now ``new_root`` (32 bytes).

    ``transaction``, ``gas_used``: the update's own. ``steps``: everything that brought the batch to L1, itself last.
    ``entries``: deposits and withdrawals of the batch; ``queue_consumed``: entries of the queue taken so far.
    """

    batch_number: int
    new_root: bytes
    transaction: bytes
    gas_used: int
    entries: int
    queue_consumed: int
    steps: tuple[L1Step, ...] = ()


class L1Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A claim: ``owner`` (20 bytes) was paid ``amount`` quanta of withdrawable balance."""

    owner: bytes
    amount: Quanta
    transaction: bytes


class L1Block(Input, frozen=True, tag="L1Block", kw_only=True):
    """An L1 block as the watcher saw it, with the exchange contract's events in order.

    ``previous``: number of the block that the venue sees before it (0 for none), where blocks that do not concern the
    venue are left out; None for the number before its own.
    """

    number: int
    timestamp: int
    block_hash: bytes
    deposits: tuple[L1Deposit, ...] = ()
    state_updates: tuple[L1StateUpdate, ...] = ()
    withdrawals: tuple[L1Withdrawal, ...] = ()
    previous: int | None = None


class ProofOutcome(Input, frozen=True, tag="ProofOutcome", kw_only=True):
    """What became of a proving attempt. ``digest``: hex SHA-256 of the proof file, "" when there is none.

    ``reason``: why the attempt failed; of an accepted one, why those before it did that were made good without asking.
    """

    batch: int
    accepted: bool
    digest: str
    reason: str
    attempt: int
    prove_milliseconds: int
    verify_milliseconds: int
    proof_bytes: int


class ClaimRequested(Input, frozen=True, tag="ClaimRequested", kw_only=True):
    """The user asked to claim: a withdraw transaction for ``owner`` was sent to L1 (shown in the stepper)."""

    account: AccountId
    owner: bytes
    transaction: bytes


AnyInput = (
    ClockStep | PlaceOrder | CancelOrder | CancelAll | RequestWithdrawal | L1Block | ProofOutcome | ClaimRequested
)
USER_COMMANDS = (PlaceOrder, CancelOrder, CancelAll, RequestWithdrawal, ClaimRequested)

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(AnyInput)


def encode_input(value: Input) -> bytes:
    """Canonical bytes of an input."""
    return _encoder.encode(value)


def decode_input(data: bytes) -> AnyInput:
    """Inverse of :func:`encode_input`; raises :class:`CorruptData` with the decoder's reason."""
    try:
        return _decoder.decode(data)
    except UNDECODABLE as error:
        raise CorruptData(f"journal input does not decode: {error}", field="input") from error
