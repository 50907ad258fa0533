"""Checkpoints: everything later behaviour depends on, versioned, with a digest, validated when read.

Layout: 8 bytes magic, 32 bytes SHA-256 of the rest, then one msgpack object (:class:`State`). Loading rebuilds the
accounts tree and compares its root, the books and the open orders, so a checkpoint that loads is consistent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from engine.book.book import OrderBook
from engine.errors import UNDECODABLE, CorruptData, ProtocolError
from engine.exchange.accounts import Account
from engine.exchange.config import VenueConfig, config_digest
from engine.exchange.state import AccountState, PositionState
from engine.exchange.tree import AccountTree
from engine.sequencer.batch import Batch, Digest
from engine.sequencer.batches import BatchBook, BatchRecord, OpenBatch
from engine.sequencer.candles import CandlesDump, MarketCandles
from engine.sequencer.client_ids import EndedOrder
from engine.sequencer.core import Counters, VenueCore
from engine.sequencer.events import DeferralReason
from engine.sequencer.history import HistoryDump
from engine.sequencer.invariants import invariants
from engine.sequencer.orders import OpenOrder, OrderRegistry
from engine.sequencer.participant import Participant
from engine.sequencer.prices import MarketPrices
from engine.sequencer.withdrawals import WithdrawalRecord
from engine.units import AccountId

MAGIC = b"PLVENUE1"


class AccountDump(msgspec.Struct):
    """An open account: its current leaf without positions, and its positions' numbers in market order."""

    account_id: AccountId
    leaf: Account
    positions: list[tuple[int, ...]]


class BatchesDump(msgspec.Struct, kw_only=True):
    """The accounts tree by its committed leaves, and all batches."""

    leaves: dict[AccountId, Account]
    root: Digest
    open: OpenBatch
    records: list[BatchRecord]
    unposted: list[Batch]
    last_posted: int
    queue_posted: int


class WithdrawalsDump(msgspec.Struct, kw_only=True):
    """All withdrawals."""

    live: list[WithdrawalRecord]
    claimed: list[WithdrawalRecord]
    credit: dict[bytes, int]
    next_id: int


class State(msgspec.Struct, kw_only=True):
    """The venue in a checkpoint."""

    config: str
    time: int
    sequence: int
    counters: Counters
    accounts: list[AccountDump]
    books: list[bytes]
    orders: list[OpenOrder]
    ended_orders: dict[AccountId, list[EndedOrder]] = {}
    prices: list[MarketPrices]
    batches: BatchesDump
    withdrawals: WithdrawalsDump
    deferred: dict[AccountId, DeferralReason]
    deleveraging: dict[AccountId, int]
    exposed: list[AccountId]
    l1_contradiction: str
    candles: list[CandlesDump]
    history: HistoryDump
    participants: list[bytes]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def dump(core: VenueCore) -> bytes:
    """Checkpoint bytes; equal venues have equal dumps."""
    body = _encoder.encode(
        State(
            config=config_digest(core.config),
            time=core.time,
            sequence=core.sequence,
            counters=core.counters,
            accounts=[
                AccountDump(i, _bare(core.accounts[i]), [position.numbers() for position in core.accounts[i].positions])
                for i in sorted(core.accounts)
            ],
            books=[book.dump() for book in core.books],
            orders=sorted(core.orders, key=lambda order: order.order_id),
            ended_orders=core.client_ids.dump(),
            prices=core.prices,
            batches=_dump_batches(core.batches),
            withdrawals=WithdrawalsDump(
                live=list(core.withdrawals.live.values()),
                claimed=list(core.withdrawals.claimed),
                credit=dict(sorted(core.withdrawals.credit.items())),
                next_id=core.withdrawals.next_id,
            ),
            deferred=dict(sorted(core.deferred.items())),
            deleveraging=dict(sorted(core.deleveraging.items())),
            exposed=sorted(core.exposed),
            l1_contradiction=core.l1_contradiction,
            candles=[candles.dump() for candles in core.candles],
            history=core.history.dump(),
            participants=[participant.dump() for participant in core.participants],
        )
    )
    return MAGIC + hashlib.sha256(body).digest() + body


def _bare(state: AccountState) -> Account:
    return Account(
        version=state.version,
        key_digest=state.key_digest,
        l1_address=state.l1_address,
        next_signature_index=state.next_signature_index,
        collateral=state.collateral,
    )


def _dump_batches(batches: BatchBook) -> BatchesDump:
    opened = batches.open
    ordered = msgspec.structs.replace(  # in one order, whatever the order of insertion was
        opened,
        touched={*sorted(opened.touched)},
        deposits=dict(sorted(opened.deposits.items())),
        withdrawals=dict(sorted(opened.withdrawals.items())),
    )
    return BatchesDump(
        leaves=dict(batches.tree.accounts()),
        root=batches.tree.root,
        open=ordered,
        records=list(batches.records.values()),
        unposted=list(batches.unposted.values()),
        last_posted=batches.last_posted,
        queue_posted=batches.queue_posted,
    )


def _decode(data: bytes) -> State:
    if data[: len(MAGIC)] != MAGIC:
        raise CorruptData("not a venue checkpoint of this version", field="checkpoint", limit=MAGIC.decode())
    digest, body = data[len(MAGIC) : len(MAGIC) + 32], data[len(MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != digest:
        raise CorruptData("checkpoint bytes do not match their digest", field="checkpoint", limit="SHA-256")
    try:
        return _decoder.decode(body)
    except UNDECODABLE as error:
        raise CorruptData(f"checkpoint does not decode: {error}", field="checkpoint") from error


def load(data: bytes, config: VenueConfig, participants: Sequence[Participant]) -> VenueCore:
    """The state of a checkpoint; participants are loaded with what they dumped. Raises :class:`CorruptData`."""
    state = _decode(data)
    if state.config != config_digest(config):
        raise CorruptData("checkpoint belongs to another configuration", field="config", limit=config_digest(config))
    lengths = {len(state.books), len(state.prices), len(state.candles), len(config.markets)}
    if len(lengths) != 1 or len(state.participants) != len(participants):
        raise CorruptData("checkpoint has other markets or participants", field="checkpoint", limit="configuration")
    try:
        core = _restore(state, config, participants)
    except (ProtocolError, ValueError, KeyError) as error:
        raise CorruptData(f"checkpoint is inconsistent: {error}", field="checkpoint") from error
    broken = {name: found for name, found in invariants(core).items() if found is not True and name != "l1_agrees"}
    if broken:
        raise CorruptData(f"checkpoint breaks {', '.join(broken)}: {next(iter(broken.values()))}", field="checkpoint")
    return core


def _restore(state: State, config: VenueConfig, participants: Sequence[Participant]) -> VenueCore:
    tree = AccountTree(config.tree_height, len(config.markets))
    if tree.apply_batch(state.batches.leaves)[1] != state.batches.root:
        raise CorruptData("accounts do not rebuild the checkpoint's root", field="root", value=tree.root)
    core = VenueCore(config, participants, state.prices, state.time, tree)
    core.sequence, core.counters = state.sequence, state.counters
    for stored in state.accounts:
        core.accounts[stored.account_id] = _account(stored, len(core.markets))
    core.books = [OrderBook.load(data) for data in state.books]
    core.orders = OrderRegistry(state.orders)
    core.client_ids.restore(state.orders, state.ended_orders)
    _restore_batches(core.batches, state.batches)
    core.withdrawals.live = {record.withdrawal_id: record for record in state.withdrawals.live}
    core.withdrawals.claimed.extend(state.withdrawals.claimed)
    core.withdrawals.credit, core.withdrawals.next_id = state.withdrawals.credit, state.withdrawals.next_id
    core.deferred, core.l1_contradiction = state.deferred, state.l1_contradiction
    core.deleveraging, core.exposed = state.deleveraging, set(state.exposed)
    core.candles = [MarketCandles.load(candles) for candles in state.candles]
    core.history.restore(state.history)
    for participant, stored_bytes in zip(participants, state.participants, strict=True):
        participant.load(stored_bytes)
    return core


def _account(stored: AccountDump, markets: int) -> AccountState:
    state, leaf = AccountState(stored.account_id, markets), stored.leaf
    state.version, state.key_digest, state.l1_address = leaf.version, leaf.key_digest, leaf.l1_address
    state.next_signature_index, state.collateral = leaf.next_signature_index, leaf.collateral
    if len(stored.positions) != markets:
        raise CorruptData("an account has positions of other markets", field="positions", limit=markets)
    state.positions = [PositionState(numbers) for numbers in stored.positions]
    return state


def _restore_batches(batches: BatchBook, stored: BatchesDump) -> None:
    batches.open, batches.last_posted, batches.queue_posted = stored.open, stored.last_posted, stored.queue_posted
    batches.records = {record.number: record for record in stored.records}
    for batch in stored.unposted:
        batches.restore_unposted(batch)
