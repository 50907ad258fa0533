"""From the venue to the frozen snapshot that the window polls. Runs on the sequencer's thread."""

from __future__ import annotations

import time

import msgspec
import numpy as np

from app.l1.layer_one import LayerOne
from app.proving.queue import ProverQueue
from app.snapshot.views import (
    AccountView,
    BatchView,
    FillView,
    L1StepView,
    L1View,
    MarketView,
    OrderView,
    PositionView,
    SequencerView,
    TradePrint,
    WithdrawalView,
)
from app.venue.loop import VenueLoop
from engine.exchange.margin import Margin, liquidation_price
from engine.exchange.state import AccountState
from engine.sequencer.batch import root_bytes
from engine.sequencer.batches import BatchRecord
from engine.sequencer.prices import predicted_rate
from engine.sequencer.venue import Venue
from engine.units import AccountId, MarketId

DEPTH = 200
BATCHES_SHOWN = 100
GATE = (
    "The exchange contract accepts a state update only after the verifier contracts on the same chain have checked the "
    "whole proof; no key can replace it."
)


def market_views(venue: Venue) -> dict[MarketId, MarketView]:
    """One view per market, with private copies of the book's depth."""
    core = venue.core
    deleveraging = core.deleveraging_markets
    views = {}
    for index, market_id in enumerate(core.market_ids):
        prices, book = core.prices[index], core.books[index]
        bids, asks = book.depth(DEPTH)
        day = core.candles[index].day(venue.time)
        views[market_id] = MarketView(
            market_id=market_id,
            bids=bids,
            asks=asks,
            last_price=prices.last_price,
            last_side=prices.last_side,
            mark_fixed=prices.mark_fixed,
            index_fixed=prices.index_fixed,
            funding_index=prices.funding_index,
            funding_rate=predicted_rate(prices, venue.config),
            next_funding=prices.next_funding,
            open_interest=prices.open_interest,
            high_24h=day.high,
            low_24h=day.low,
            open_24h=day.open,
            volume_24h=day.volume,
            book_changes=prices.book_changes,
            unconfirmed_fixed=core.guards[index].unconfirmed,
            halted=core.guards[index].halted,
            band=(core.guards[index].low, core.guards[index].high),
            deleveraging=index in deleveraging,
        )
    return views


def trade_prints(venue: Venue) -> tuple[TradePrint, ...]:
    """The tape of all markets, newest first."""
    lines = [line for tape in venue.core.history.tapes.values() for line in tape]
    lines.sort(key=lambda line: line.fill_id, reverse=True)
    return tuple(TradePrint(**msgspec.structs.asdict(line)) for line in lines[:200])


def account_view(venue: Venue, chain: LayerOne) -> AccountView | None:
    """The user's account; None until its first deposit is credited."""
    account_id = chain.user_account
    state = venue.core.accounts.get(account_id)
    if state is None:
        return None
    margin, kept_back = venue.margin(account_id), venue.kept_back(account_id)
    return AccountView(
        account_id=account_id,
        account=venue.account(account_id),
        equity=margin.equity,
        initial_margin=margin.initial_margin + margin.reserved_margin,
        maintenance_margin=margin.maintenance_margin,
        free_collateral=margin.free_collateral,
        withdrawable=venue.withdrawable(account_id),
        health_ppm=margin.health_ppm,
        leverage_ppm=margin.leverage_ppm,
        l1_address=chain.user.address,
        l1_token_balance=chain.funds.wallet,
        l1_pending_deposit=chain.funds.pending_deposit,
        l1_claimable=chain.funds.claimable,
        positions=_positions(venue, state, margin),
        orders=order_views(venue, account_id),
        demo_key=True,
        kept_back=kept_back,
        in_deleveraging=account_id in venue.core.deleveraging,
    )


def _positions(venue: Venue, state: AccountState, margin: Margin) -> tuple[PositionView, ...]:
    core = venue.core
    views = []
    for index, market_id in enumerate(core.market_ids):
        position, terms = state.positions[index], core.terms[index]
        if not position.size:
            continue
        notional = abs(position.size) * terms.mark
        accrued = -((terms.funding_index - position.funding_index) * position.size) >> 32
        views.append(
            PositionView(
                market=market_id,
                size=position.size,
                entry_fixed=position.entry_fixed,
                mark_fixed=terms.mark,
                notional=notional >> 32,
                unrealised=(position.size * terms.mark >> 32) - position.cost,
                realised=position.realised,
                funding_paid=position.funding_paid,
                accrued_funding=accrued,
                initial_margin=-(-notional * terms.initial >> 64),
                maintenance_margin=-(-notional * terms.maintenance >> 64),
                liquidation_price=liquidation_price(margin, position, terms),
            )
        )
    return tuple(views)


def order_views(venue: Venue, account_id: AccountId) -> tuple[OrderView, ...]:
    """The account's resting orders, oldest first."""
    core = venue.core
    return tuple(
        OrderView(
            order_id=order.order_id,
            client_id=order.client_id,
            market=order.market,
            side=order.side,
            price=order.price,
            lots=order.lots + order.filled,
            filled=order.filled,
            placed_at=order.placed_at,
            lots_ahead=core.books[core.market_index(order.market)].lots_ahead(order.order_id) or 0,
            reduce_only=order.reduce_only,
            cut=order.cut,
        )
        for order in core.orders.of_account(account_id)
    )


def fill_views(venue: Venue, account_id: AccountId) -> tuple[FillView, ...]:
    """The user's fills, newest first."""
    return tuple(FillView(**msgspec.structs.asdict(line)) for line in reversed(venue.core.history.of(account_id).fills))


def withdrawal_views(venue: Venue, account_id: AccountId) -> tuple[WithdrawalView, ...]:
    """The user's withdrawals, newest first."""
    return tuple(
        WithdrawalView(
            withdrawal_id=r.withdrawal_id, path=r.path, amount=r.amount, batch=r.batch, stages=dict(r.stages)
        )
        for r in venue.core.withdrawals.of_account(account_id)
    )


class BatchViews:
    """Batch views, with those of final batches kept from one snapshot to the next."""

    def __init__(self, prover: ProverQueue, proofs_folder: str) -> None:
        self._prover = prover
        self._folder = proofs_folder
        self._final: dict[int, BatchView] = {}

    def build(self, venue: Venue) -> tuple[BatchView, ...]:
        """Newest first; the open batch leads when it has transactions."""
        views = []
        numbers = sorted(venue.core.batches.records, reverse=True)[:BATCHES_SHOWN]
        if venue.core.batches.open.transactions:
            views.append(self._open(venue))
        for number in numbers:
            views.append(self._final.get(number) or self._closed(venue.core.batches.records[number]))
        for number in [n for n in self._final if n < (numbers[-1] if numbers else 0)]:
            del self._final[number]
        return tuple(views)

    def _open(self, venue: Venue) -> BatchView:
        batch = venue.core.batches.open
        root = root_bytes(venue.state_root()).hex()
        return _batch_view(
            number=batch.number,
            transactions=batch.transactions,
            accounts=len(batch.touched),
            stages={"opened": batch.opened_at},
            status="open",
            old_root=root,
        )

    def _closed(self, record: BatchRecord) -> BatchView:
        facts = self._prover.facts(record.digest)
        proving = self._prover.proving(record.number)
        view = _batch_view(
            number=record.number,
            transactions=record.transactions,
            accounts=record.accounts,
            stages=dict(record.stages),
            status="proving" if proving and record.status in ("sequenced", "failed") else record.status,
            proving_stage=proving.stage if proving else "",
            progress=proving.fraction if proving else 0.0,
            prove_seconds=record.prove_milliseconds / 1000,
            verify_seconds=record.verify_milliseconds / 1000,
            proof_bytes=record.proof_bytes,
            proof_file=f"{self._folder}/{record.digest}.proof" if record.digest else "",
            attempts=record.attempts,
            failure=record.failure,
            gas=record.gas,
            l1_transaction=record.l1_transaction.hex(),
            l1_steps=tuple(
                L1StepView(kind=s.kind, transaction=s.transaction.hex(), gas=s.gas, calldata=s.calldata)
                for s in record.l1_steps
            ),
            l1_block=record.l1_block,
            old_root=root_bytes(record.old_root).hex(),
            new_root=root_bytes(record.new_root).hex(),
            bits_proven=facts.bits_proven,
            bits_conjectured=facts.bits_conjectured,
            stage_seconds=proving.stage_seconds if proving else facts.stage_seconds,
            security_terms=facts.terms,
            profile=facts.profile,
            worker=facts.worker,
            running_seconds=time.monotonic() - proving.started if proving else 0.0,
        )
        if record.status == "final" and "proved" in record.stages:
            self._final[record.number] = view
        return view


def _batch_view(**known: object) -> BatchView:
    blank: dict[str, object] = {
        "proving_stage": "",
        "progress": 0.0,
        "prove_seconds": 0.0,
        "verify_seconds": 0.0,
        "proof_bytes": 0,
        "proof_file": "",
        "attempts": 0,
        "failure": "",
        "gas": 0,
        "l1_transaction": "",
        "l1_block": 0,
        "new_root": "",
        "bits_proven": 0.0,
        "bits_conjectured": 0.0,
        "stage_seconds": {},
    }
    return BatchView(**(blank | known))  # type: ignore[arg-type]  # one place lists every field's blank


def sequencer_view(loop: VenueLoop, halted: str) -> SequencerView:
    """Rates over the last five seconds of wall time, percentiles over the last 4,096 acknowledgements."""
    venue, now = loop.venue, time.monotonic()
    recent = sum(count for at, count in tuple(loop.applied) if now - at <= 5.0)
    acks = np.array(loop.acknowledgements, np.float64) * 1e6
    batch = venue.core.batches.open
    return SequencerView(
        sequence=loop.sequence,
        inputs_per_second=recent / 5.0,
        queue_depth=loop.ingress.depth(),
        queue_limit=loop.ingress.limit,
        ack_p50_us=float(np.percentile(acks, 50)) if len(acks) else 0.0,
        ack_p99_us=float(np.percentile(acks, 99)) if len(acks) else 0.0,
        journal_lag=loop.journal.pending,
        journal_bytes=loop.journal_bytes,
        open_batch=batch.number,
        open_batch_transactions=batch.transactions,
        open_batch_accounts=len(batch.touched),
        open_batch_age=venue.time - batch.opened_at if batch.transactions else 0,
        root=root_bytes(venue.state_root()).hex(),
        halted=halted,
    )


def l1_view(chain: LayerOne) -> L1View:
    """The head block and the contract's answers at it."""
    head = chain.chain.head
    return L1View(
        block=head.number,
        timestamp=head.time // 1_000_000_000,
        exchange="0x" + chain.client.exchange.hex(),
        token="0x" + chain.client.token.hex(),
        contract_root=chain.contract_root.hex(),
        last_batch=chain.last_batch,
        gate=GATE,
        where=chain.chain.where,
    )
