"""What happens in the venue before the pictures are taken: flow, a trade, resting orders, a withdrawal on its way."""

from __future__ import annotations

from app.l1.layer_one import ChainRequest
from app.venue.session import Session
from engine.sequencer.inputs import PlaceOrder, RequestWithdrawal, Side
from engine.units import FIXED_ONE, QUANTUM, SECOND, Lots, MarketId, Ticks

STEP = SECOND // 10
MARKET, OTHER_MARKET = 1, 2
LEVERAGE = 4
RESTING: tuple[tuple[Side, int], ...] = (("buy", -20), ("buy", -35), ("sell", 30))
"""Side and ticks from the best bid of the resting orders."""


def play_for_pictures(session: Session, duration: int) -> None:
    """Play ``duration`` ns of recorded flow with the user's acts at fixed moments of it."""
    loop, account = session.loop, session.chain.user_account
    loop.set_hold(True)
    start = loop.venue.time

    def at(part: float) -> None:
        loop.run_to(start + int(part * duration), step=STEP)

    at(0.1)
    loop.apply(
        [
            PlaceOrder(
                account=account,
                market=MarketId(MARKET),
                side="buy",
                type="market",
                lots=Lots(_lots(session, MARKET, LEVERAGE)),
                client_id="p1",
            )
        ]
    )
    at(0.2)
    loop.apply(
        [
            PlaceOrder(
                account=account,
                market=MarketId(OTHER_MARKET),
                side="sell",
                type="market",
                lots=Lots(_lots(session, OTHER_MARKET, 1)),
                client_id="p2",
            )
        ]
    )
    at(0.3)
    loop.apply([RequestWithdrawal(account=account, amount=250 * QUANTUM, client_id="w1")])
    at(0.75)
    if session.chain.funds.claimable:
        loop.ingress.deliver(ChainRequest("claim"))
    at(0.9)
    loop.apply([RequestWithdrawal(account=account, amount=125 * QUANTUM + 500_000, client_id="w2")])
    at(0.995)  # late and not at the touch, so that they still rest at the end
    for place, (side, distance) in enumerate(RESTING):
        book = loop.venue.core.books[loop.venue.core.market_index(MarketId(MARKET))]
        price = (book.best_bid or 1) + distance
        loop.apply(
            [
                PlaceOrder(
                    account=account,
                    market=MarketId(MARKET),
                    side=side,
                    type="limit",
                    lots=Lots(40 + 10 * place),
                    price=Ticks(price),
                    client_id=f"r{place}",
                )
            ]
        )
    at(1.0)


def _lots(session: Session, market: int, leverage: int) -> int:
    venue = session.loop.venue
    mark = venue.core.terms[venue.core.market_index(MarketId(market))].mark
    return leverage * venue.margin(session.chain.user_account).equity * FIXED_ONE // mark // 2
