"""``bench vetting``: one order through the venue that meets many makers, half of which may not fill.

The unfit half was short when the price rose: above maintenance margin, below initial. A refused order changes nothing,
so it is sent again and again; a taken one cancels the unfit orders and fills with the others, each time on a new venue.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any

from app.benches.venue import processor
from app.benches.venue_flow import FIRST, MIDDLES, Driven
from app.commands.bench import result
from engine.sequencer.events import AnyEvent, Fill, OrderClosed, Rejected
from engine.sequencer.inputs import ClockStep, OrderType, PlaceOrder, Side
from engine.units import QUANTUM, SECOND, AccountId, Lots, MarketId, Nanoseconds, Ticks

FIT = UNFIT = 400
REFUSED, QUICK_REFUSED = 50, 3
TAKEN, QUICK_TAKEN = 5, 1
WHALE, RICH_TAKER, POOR_TAKER, MAKERS = FIRST, FIRST + 1, FIRST + 2, FIRST + 3
SHORT = 20  # lots that an unfit maker is short
ENOUGH = 66 * QUANTUM  # for them and one lot more, until the price rises


def measure(*, quick: bool) -> dict[str, Any]:
    """Microseconds of a refused order, at the median; those of a taken one beside it."""
    refused = [seconds for seconds, _ in send_refused(crowded(UNFIT, FIT), QUICK_REFUSED if quick else REFUSED)]
    taken = [send(crowded(UNFIT, FIT), RICH_TAKER)[0] for _ in range(QUICK_TAKEN if quick else TAKEN)]
    details = {
        "refused_microseconds": median(refused) * 1e6,
        "taken_microseconds": median(taken) * 1e6,
        "processor": processor(),
    }
    return result("vetting", median(refused) * 1e6, "microseconds", {"unfit": UNFIT, "fit": FIT}, details)


def crowded(unfit: int, fit: int) -> Driven:
    """A venue where so many makers sell a lot each at one price, the unfit ones first."""
    driven = Driven([10**6 * QUANTUM, 10**6 * QUANTUM, 100 * QUANTUM, *[ENOUGH] * unfit, *[10**4 * QUANTUM] * fit])

    def order(account: int, side: Side, lots: int, price: int = 0) -> None:
        kind: OrderType = "limit" if price else "market"
        driven.apply(
            PlaceOrder(
                account=AccountId(account),
                market=MarketId(1),
                side=side,
                type=kind,
                lots=Lots(lots),
                price=Ticks(price),
            )
        )

    for maker in range(MAKERS, MAKERS + unfit):
        order(WHALE, "buy", SHORT, MIDDLES[1])
        order(maker, "sell", SHORT)
    for maker in range(MAKERS, MAKERS + unfit + fit):
        order(maker, "sell", 1, MIDDLES[1] + 10)
    driven.prices.ticks[1] = MIDDLES[1] * 101 // 100
    driven.apply(ClockStep(Nanoseconds(driven.venue.time + SECOND)))
    driven.post()
    return driven


def send(driven: Driven, account: int) -> tuple[float, list[AnyEvent]]:
    """Seconds and events of a market order over every fit maker's lot."""
    order = PlaceOrder(account=AccountId(account), market=MarketId(1), side="buy", type="market", lots=Lots(FIT))
    started = perf_counter()
    events = driven.apply(order)
    return perf_counter() - started, events


def send_refused(driven: Driven, times: int) -> Iterator[tuple[float, list[AnyEvent]]]:
    """The same order by an account that cannot pay for it."""
    for _ in range(times):
        seconds, events = send(driven, POOR_TAKER)
        if [type(event) for event in events] != [Rejected]:
            raise AssertionError(f"a refused order told {events}")
        yield seconds, events


def counted(events: list[AnyEvent]) -> tuple[int, int]:
    """Fills, and makers' orders cancelled for want of margin."""
    unfit = sum(isinstance(event, OrderClosed) and event.reason == "margin" for event in events)
    return sum(isinstance(event, Fill) for event in events), unfit
