"""The ticket's receipt: the plan of an order (:mod:`engine.sequencer.planning`), which the sequencer would carry out.

Works on private copies (:class:`PreviewBasis`), so any thread may call it. The copies hold the best levels of each
book and the accounts of all makers in them, so what the receipt says is what happens if nothing comes between.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ProtocolError
from engine.exchange.admission import FeeRates
from engine.exchange.config import MarketConfig, VenueConfig
from engine.exchange.guards import MarketGuard
from engine.exchange.margin import Margin, liquidation_price, measure
from engine.exchange.state import AccountState, MarketTerms
from engine.exchange.trade import apply_fill, fee_of
from engine.sequencer.book_copy import BookCopy, copy_book
from engine.sequencer.core import VenueCore
from engine.sequencer.inputs import PlaceOrder
from engine.sequencer.order_rules import market_index
from engine.sequencer.orders import OrderRegistry
from engine.sequencer.planning import Plan, plan_order
from engine.units import FIXED_ONE, AccountId, MarketId, MarketIndex

LEVELS = 200
"""Price levels per side that a basis holds by default, or as many as have 500 orders; there may be more behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewBasis:
    """What a preview of one account's orders stands on. ``markets``, ``terms``, ``books`` run in ascending market id.

    ``accounts``: copies of this one, when it is open, and of all makers in ``books``. ``orders``: copies of this
    account's.
    """

    account_id: AccountId
    config: VenueConfig
    markets: tuple[MarketConfig, ...]
    terms: tuple[MarketTerms, ...]
    fees: FeeRates
    books: tuple[BookCopy, ...]
    orders: OrderRegistry
    accounts: dict[AccountId, AccountState]
    guards: tuple[MarketGuard, ...]
    deleveraging_markets: frozenset[int] = frozenset()

    def market_index(self, market_id: MarketId) -> MarketIndex:
        """Index of a market; :class:`engine.exchange.refusals.UnknownMarket`."""
        return market_index(self.config, market_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an order would do now.

    ``lots`` as cut by reduce-only; ``filled`` + ``resting`` + ``cancelled`` = ``lots``. ``notional`` quanta of the
    filled part; ``average_fixed`` 32.32, rounded down; ``worst_price`` ticks; all 0 when nothing fills.
    ``fee_taker`` quanta now, ``fee_maker`` quanta if the resting part fills. ``impact_bps``: distance of the average
    from the best price, rounded up. ``closed``: why lots are cancelled ("", ioc, post_only). ``beyond_depth``: the
    order reaches past the depth that the basis holds. ``makers_cancelled``: orders in its way that may not fill and
    lose their place if it is taken. ``realised``: quanta of profit or loss on what the order closes, its fee apart.
    ``mark_bps``: distance of the average from the mark, rounded up, negative where it is better. ``refusal``: the typed
    refusal the sequencer would answer with; margins are those of the account that would be left (equal to before when
    there is no such account).
    """

    lots: int
    filled: int
    resting: int
    cancelled: int
    notional: int
    average_fixed: int
    worst_price: int
    fee_taker: int
    fee_maker: int
    impact_bps: int
    margin_before: Margin
    margin_after: Margin
    liquidation_before: int | None
    liquidation_after: int | None
    size_before: int
    size_after: int
    closed: str
    beyond_depth: bool
    refusal: ProtocolError | None
    makers_cancelled: int = 0
    realised: int = 0
    mark_bps: int = 0


NO_MARGIN = Margin(total_value=0, notional=0, initial=0, maintenance=0, reserved=0)


def basis_of(core: VenueCore, account_id: AccountId, levels: int = LEVELS) -> PreviewBasis:
    """Copy what a preview needs out of the venue."""
    books = tuple(copy_book(book, levels) for book in core.books)
    known = {account_id, *(account for book in books for account in book.accounts())}
    return PreviewBasis(
        account_id=account_id,
        config=core.config,
        markets=tuple(core.markets),
        terms=core.terms,
        fees=core.fees,
        books=books,
        orders=core.orders.copy_for(account_id),
        accounts={account: core.accounts[account].copy() for account in known if account in core.accounts},
        deleveraging_markets=core.deleveraging_markets,
        guards=core.guards,
    )


def preview_order(basis: PreviewBasis, order: PlaceOrder) -> Receipt:
    """The receipt of an order of the basis's account; refusals are in it, not raised."""
    if order.account != basis.account_id:
        raise ValueError(f"an order of account {order.account} on the basis of account {basis.account_id}")
    try:
        return _receipt(basis, plan_order(basis, order))
    except ProtocolError as error:
        return _refused(basis, order, error)


def _receipt(basis: PreviewBasis, plan: Plan) -> Receipt:
    order, meeting, outcome = plan.order, plan.meeting, plan.outcome
    index, filled = order.market_index, meeting.filled
    term, before, after = basis.terms[index], order.account.positions[index], outcome.account.positions[index]
    margin_before = measure(order.account.collateral, order.account.positions, basis.terms, basis.fees.maker_ppm)
    distance = abs(meeting.cost - plan.best * filled)
    wants_more = filled < order.lots and plan.closed != "post_only"
    return Receipt(
        lots=order.lots,
        filled=filled,
        resting=plan.resting,
        cancelled=plan.cancelled,
        notional=plan.notional,
        average_fixed=plan.notional * FIXED_ONE // filled if filled else 0,
        worst_price=meeting.makers.prices[-1] if filled else 0,
        fee_taker=outcome.fee,
        fee_maker=fee_of(plan.resting * (order.price or 0) * term.tick_value, basis.fees.maker_ppm),
        impact_bps=-(-distance * 10_000 // (plan.best * filled)) if filled else 0,
        margin_before=margin_before,
        margin_after=outcome.after,
        liquidation_before=liquidation_price(margin_before, before, term),
        liquidation_after=liquidation_price(outcome.after, after, term),
        size_before=before.size,
        size_after=after.size,
        closed=plan.closed,
        beyond_depth=wants_more and basis.books[index].ends_before(order.side, order.limit),
        refusal=plan.refusal,
        makers_cancelled=0 if plan.refusal else len(meeting.unfit),
        realised=_realised(plan, term),
        mark_bps=_mark_bps(plan, term.mark),
    )


def _realised(plan: Plan, term: MarketTerms) -> int:
    """Quanta realised fill by fill, as the venue books them: their average would hide what a flip opens, and round."""
    index, makers = plan.order.market_index, plan.meeting.makers
    account = plan.order.account.copy()
    before = account.positions[index].realised
    for price, lots in zip(makers.prices, makers.lots, strict=True):
        signed = lots if plan.order.buy else -lots
        apply_fill(account, index, signed, price * lots * term.tick_value, 0, term.funding_index)
    return account.positions[index].realised - before


def _mark_bps(plan: Plan, mark: int) -> int:
    """Distance of the average price from the mark (32.32 per lot) against the order, in bps, rounded up; 0 unfilled."""
    worth = plan.meeting.filled * mark
    if not worth:
        return 0
    lost = (plan.notional << 32) - worth
    return -(-(lost if plan.order.buy else -lost) * 10_000 // worth)


def _refused(basis: PreviewBasis, order: PlaceOrder, error: ProtocolError) -> Receipt:
    """A receipt of an order that never gets as far as the book."""
    margin, liquidation, size = NO_MARGIN, None, 0
    account = basis.accounts.get(basis.account_id)
    if account is not None:
        margin = measure(account.collateral, account.positions, basis.terms, basis.fees.maker_ppm)
        for position, term in zip(account.positions, basis.terms, strict=True):
            if term.market_id == order.market:
                liquidation, size = liquidation_price(margin, position, term), position.size
    return Receipt(
        lots=order.lots,
        filled=0,
        resting=0,
        cancelled=0,
        notional=0,
        average_fixed=0,
        worst_price=0,
        fee_taker=0,
        fee_maker=0,
        impact_bps=0,
        margin_before=margin,
        margin_after=margin,
        liquidation_before=liquidation,
        liquidation_after=liquidation,
        size_before=size,
        size_after=size,
        closed="",
        beyond_depth=False,
        refusal=error,
    )
