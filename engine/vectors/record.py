"""A venue whose every input is recorded. The scenarios write what it says to files; replay compares it with them."""

from __future__ import annotations

from collections.abc import Mapping

from engine.exchange.accounts import EMPTY_ACCOUNT, Account
from engine.exchange.config import VenueConfig
from engine.sequencer.events import AnyEvent
from engine.sequencer.inputs import ClockStep, Input
from engine.sequencer.venue import Venue
from engine.units import MarketId
from engine.vectors.encoding import Plain, batch_json, digest_json, event_json, leaf_json, plain, struct_json


class ListedPrices:
    """Index prices, 32.32 quanta per lot by market id, as the story or the file sets them; no reading where none is."""

    def __init__(self, prices: Mapping[MarketId, int]) -> None:
        self.prices = dict(prices)

    def index_fixed(self, market_id: MarketId, time: int) -> int | None:
        """The price set last, whatever the time; None where there is none."""
        return self.prices.get(market_id)


class Recorder:
    """A fresh venue without participants: every order is an input. ``prices``: index prices by market id, 32.32."""

    def __init__(self, config: VenueConfig, prices: Mapping[MarketId, int], genesis_time: int) -> None:
        self.source = ListedPrices(prices)
        self.venue = Venue(config, self.source, (), genesis_time)
        self._leaves: dict[int, Account] = {}
        self._sequence = 0

    def apply(self, value: Input) -> tuple[list[AnyEvent], Plain]:
        """Apply the next input; its events, and the step as a vector holds it."""
        self._sequence += 1
        events = self.venue.apply(self._sequence, value)
        step: Plain = {"sequence": str(self._sequence), "input": struct_json(value)}
        if isinstance(value, ClockStep):
            step["index_prices"] = plain(self.source.prices)
            step["mark_prices"] = {str(p.market_id): str(p.mark_fixed) for p in self.venue.core.prices}
        step["events"] = [event_json(event) for event in events]
        step["leaves"] = self._changed_leaves()
        step["batches"] = [batch_json(batch) for batch in self.venue.take_closed_batches()]
        step["live_root"] = digest_json(self.venue.live_root())
        return events, step

    def end(self) -> Plain:
        """What holds after the last input."""
        venue = self.venue
        return {
            "state_root": digest_json(venue.state_root()),
            "live_root": digest_json(venue.live_root()),
            "fills_digest": "0x" + venue.fills_digest(),
            "collateral": str(venue.core.counters.collateral),
            "orders": [
                {
                    "order_id": str(order.order_id),
                    "account": str(order.account),
                    "market": str(order.market),
                    "side": order.side,
                    "price": str(order.price),
                    "lots": str(order.lots),
                    "reduce_only": order.reduce_only,
                }
                for order in sorted(venue.core.orders, key=lambda order: order.order_id)
            ],
            "invariants": {name: found is True for name, found in venue.invariants().items()},
        }

    def _changed_leaves(self) -> Plain:
        """Leaves that differ from those after the input before, by account."""
        changed: Plain = {}
        for account in self.venue.account_ids():
            leaf = self.venue.account(account)
            if leaf != self._leaves.get(account, EMPTY_ACCOUNT):
                self._leaves[account] = leaf
                changed[str(account)] = leaf_json(leaf)
        return changed
