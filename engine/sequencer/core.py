"""The venue's state in one place, and the few things that everything which changes it needs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.book.book import OrderBook
from engine.exchange.accounts import Account
from engine.exchange.admission import FeeRates, measure_cautiously
from engine.exchange.config import VenueConfig
from engine.exchange.margin import Margin, measure
from engine.exchange.refusals import L1Disagrees, UnknownAccount, UnknownMarket
from engine.exchange.state import NO_OWNER, AccountState, market_terms
from engine.exchange.tree import AccountTree
from engine.sequencer.batches import BatchBook
from engine.sequencer.candles import MarketCandles
from engine.sequencer.client_ids import ClientIds
from engine.sequencer.events import BatchStage, DeferralReason, Event, WithdrawalStage
from engine.sequencer.history import History
from engine.sequencer.index_readings import guard_of
from engine.sequencer.order_rules import is_system
from engine.sequencer.orders import OpenOrder, OrderRegistry
from engine.sequencer.participant import Participant
from engine.sequencer.prices import MarketPrices
from engine.sequencer.withdrawals import WithdrawalBook, WithdrawalRecord
from engine.units import AccountId, MarketId, MarketIndex, OrderId

GENESIS_DIGEST = bytes(32)


class Counters(msgspec.Struct, kw_only=True):
    """Running numbers. ``collateral``: what all leaves must add up to; ``queue_length``: entries of L1's queue
    taken; ``fills_digest``: chained SHA-256 of fills."""

    next_order_id: OrderId = OrderId(1)
    next_fill_id: int = 1
    collateral: int = 0
    l1_block: int = 0
    queue_length: int = 0
    fills_digest: bytes = GENESIS_DIGEST
    volume: int = 0
    participant_refusals: int = 0


class Insolvent(RuntimeError):
    """More was withdrawn than deposited: a defect of this program, and the batch must not be closed."""


class VenueCore:
    """All state. Markets are addressed by index: ascending market id.

    ``deleveraging``: accounts with less than nothing that could not be closed, and since when (venue ns). ``exposed``:
    accounts that held a position or traded since the first of them came in (:mod:`engine.sequencer.solvency`).
    """

    def __init__(
        self,
        config: VenueConfig,
        participants: Sequence[Participant],
        prices: list[MarketPrices],
        time: int,
        tree: AccountTree | None = None,
    ) -> None:
        self.config = config
        self.markets = sorted(config.markets, key=lambda market: market.market_id)
        self.market_ids = tuple(market.market_id for market in self.markets)
        self._index = {market_id: MarketIndex(index) for index, market_id in enumerate(self.market_ids)}
        self.participants = list(participants)
        self.silent_accounts = frozenset(participant.account for participant in participants)
        self.prices = prices
        self.fees = FeeRates(config.maker_fee_ppm, config.taker_fee_ppm)
        self.accounts: dict[AccountId, AccountState] = {}
        self.books = [OrderBook() for _ in self.markets]
        self.orders = OrderRegistry()
        self.client_ids = ClientIds()
        self.batches = BatchBook(config, tree or AccountTree(config.tree_height, len(self.markets)))
        self.withdrawals = WithdrawalBook()
        self.history = History(self.market_ids, self.silent_accounts)
        self.candles = [MarketCandles() for _ in self.markets]
        for candles, price in zip(self.candles, prices, strict=True):
            candles.step(time, price.mark_ticks(), price.index_ticks())
        self.counters = Counters()
        self.deferred: dict[AccountId, DeferralReason] = {}
        self.deleveraging: dict[AccountId, int] = {}
        self.exposed: set[AccountId] = set()
        self.l1_contradiction = ""
        """What L1 says that cannot be, in words; then nobody orders or withdraws."""
        self.time = time
        self.sequence = 0
        self.events: list[Event] = []
        self.refresh_terms()

    def refresh_terms(self) -> None:
        """After marks or funding indices moved."""
        self.terms = market_terms(
            self.config, [p.mark_fixed for p in self.prices], [p.funding_index for p in self.prices]
        )
        self.guards = tuple(guard_of(p, m, self.time) for p, m in zip(self.prices, self.markets, strict=True))

    # -- looking up

    def market_index(self, market_id: MarketId) -> MarketIndex:
        """Index of a market; :class:`UnknownMarket`."""
        index = self._index.get(market_id)
        if index is None:
            raise UnknownMarket(market_id, list(self.market_ids))
        return index

    def account(self, account_id: AccountId) -> AccountState:
        """An open account; :class:`UnknownAccount`."""
        state = self.accounts.get(account_id)
        if state is None:
            raise UnknownAccount(account_id)
        return state

    def system(self, account_id: AccountId) -> AccountState:
        """One of the venue's own accounts; when it is first needed its leaf is opened without an owner, for good.

        So the insurance account can only be funded from L1 by the owner whose deposit opened it.
        """
        state = self.accounts.get(account_id)
        return state if state is not None else self.open_account(account_id, NO_OWNER)

    def balance(self, account_id: AccountId) -> int:
        """Collateral of an account, 0 when it is not open."""
        state = self.accounts.get(account_id)
        return state.collateral if state else 0

    def open_account(self, account_id: AccountId, owner: bytes) -> AccountState:
        """A new leaf."""
        state = AccountState(account_id, len(self.markets))
        state.open(owner)
        self.accounts[account_id] = state
        return state

    def check_l1_agrees(self) -> None:
        """Raise :class:`L1Disagrees` once L1 contradicted the venue."""
        if self.l1_contradiction:
            raise L1Disagrees(self.l1_contradiction)

    def is_system(self, account_id: AccountId) -> bool:
        """Whether the account is the venue's own."""
        return is_system(self.config, account_id)

    @property
    def deleveraging_markets(self) -> frozenset[int]:
        """Indices of markets in which an account in deleveraging holds a position."""
        if not self.deleveraging:
            return frozenset()
        waiting = [self.accounts[account] for account in self.deleveraging]
        return frozenset(i for i in range(len(self.markets)) if any(state.positions[i].size for state in waiting))

    def margin(self, state: AccountState) -> Margin:
        """Margin at the current marks."""
        return measure(state.collateral, state.positions, self.terms, self.fees.maker_ppm)

    def cautious_margin(self, state: AccountState) -> Margin:
        """Margin where mark and unconfirmed index readings leave the least free, market by market."""
        return measure_cautiously(state, self.terms, self.guards, self.fees)

    def waits_for_index(self, state: AccountState) -> bool:
        """Whether the account holds a position in a market whose index nobody may be liquidated at."""
        return any(s.size and not guard.index_usable for s, guard in zip(state.positions, self.guards, strict=True))

    def leaf(self, account_id: AccountId) -> Account:
        """The account as its leaf says it now."""
        return self.accounts[account_id].leaf(self.market_ids)

    def count_resting(self, order: OpenOrder, lots: int) -> None:
        """Count lots of an order in (or out, when negative) of its account's totals, which margin reserves for.

        Reduce-only orders are in no total: they open nothing.
        """
        if not order.reduce_only:
            index = self.market_index(order.market)
            notional = lots * order.price * self.terms[index].tick_value
            self.accounts[order.account].positions[index].add_resting(order.buy, lots, notional)

    # -- events and batches

    def emit(self, event: Event) -> None:
        """Tell what happened."""
        self.events.append(event)

    def record_transaction(self, *accounts: AccountId, count: int = 1, dust: bool = False) -> None:
        """One transaction, or ``count`` of them, changed these leaves; ``dust``: a proof of it can wait."""
        self.batches.record_transaction(self.sequence, self.time, accounts, count, dust=dust)

    def make_room(self, accounts: set[AccountId]) -> None:
        """Before a transaction over these accounts: close the open batch when they do not fit beside what it holds."""
        if not self.batches.room_for(accounts):
            self.close_batch()

    def enter_flow(self, account: AccountId, amount: int, *, deposit: bool, dust: bool = False) -> None:
        """Make room for a deposit or withdrawal, which is about to change the account, and enter it."""
        self.make_room({account})
        batch = self.batches.open
        if not self.batches.room_for_flow(account, amount, batch.deposits if deposit else batch.withdrawals):
            self.close_batch()
            batch = self.batches.open
        flows = batch.deposits if deposit else batch.withdrawals
        flows[account] = flows.get(account, 0) + amount
        self.record_transaction(account, dust=dust)

    def close_batch_if_due(self) -> None:
        """Close the open batch when it is full or old."""
        if self.batches.is_due(self.time):
            self.close_batch()

    def close_batch(self) -> None:
        """Close the open batch now, if it has anything in it.

        The contract refuses a batch after which it would owe more than it holds: what is left on the layer 2 is what it
        holds beyond pending deposits and withdrawable balances. :class:`Insolvent` when that is below zero.
        """
        if self.counters.collateral < 0:
            raise Insolvent(f"withdrawals exceed deposits by {-self.counters.collateral} quanta")
        closed = self.batches.close(self.sequence, self.time, self.leaf)
        if closed is None:
            return
        detail = f"{closed.transactions} transactions, {len(closed.updates)} accounts"
        self.emit(
            BatchStage(sequence=self.sequence, time=self.time, batch=closed.number, stage="sequenced", detail=detail)
        )
        for record in self.withdrawals.of_batch(closed.number, "in_batch", self.time):
            self.emit_withdrawal(record)

    def emit_withdrawal(self, record: WithdrawalRecord) -> None:
        """Tell that a withdrawal moved."""
        self.emit(
            WithdrawalStage(
                sequence=self.sequence,
                time=self.time,
                withdrawal_id=record.withdrawal_id,
                account=record.account,
                amount=record.amount,
                stage=record.stage,
                batch=record.batch,
            )
        )
