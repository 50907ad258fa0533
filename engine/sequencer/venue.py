"""The venue: a pure function of its inputs.

``apply`` takes one input with its sequence number and returns what happened. Nothing else changes the venue, it reads
no clock and no random numbers, so the same inputs give the same fills, batches and roots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.errors import OutOfRange, ProtocolError, check_range
from engine.exchange.accounts import Account
from engine.exchange.config import VenueConfig
from engine.exchange.margin import PRICE_LIMIT, Margin, liquidation_price
from engine.exchange.refusals import UnknownBatch
from engine.exchange.state import AccountState
from engine.exchange.tree import AccountTree
from engine.sequencer import cancelling, checkpoint, clock, execution, l1_inputs
from engine.sequencer.batch import Batch, Digest
from engine.sequencer.batches import BatchRecord
from engine.sequencer.core import VenueCore
from engine.sequencer.events import AnyEvent, Event
from engine.sequencer.inputs import (
    CancelAll,
    CancelOrder,
    ClaimRequested,
    ClockStep,
    Input,
    L1Block,
    PlaceOrder,
    ProofOutcome,
    RequestWithdrawal,
)
from engine.sequencer.invariants import invariants
from engine.sequencer.participant import Participant, PriceSource
from engine.sequencer.preview import LEVELS, PreviewBasis, basis_of
from engine.sequencer.prices import MarketPrices, next_multiple
from engine.sequencer.solvency import kept_back, withdrawable
from engine.units import AccountId, MarketId

_HANDLERS: dict[type[Input], Callable[[VenueCore, Any], None]] = {
    PlaceOrder: execution.place_order,
    CancelOrder: cancelling.cancel_order,
    CancelAll: cancelling.cancel_all,
    RequestWithdrawal: l1_inputs.request_withdrawal,
    ClaimRequested: l1_inputs.request_claim,
    ProofOutcome: l1_inputs.take_proof,
    L1Block: l1_inputs.take_block,
}


class Venue:
    """One venue. Not thread safe: the sequencer's thread owns it, others get snapshots.

    Parameters
    ----------
    config : markets, margins, fees, limits
    price_source : index prices by venue time
    participants : stepped by clock inputs, in this order; their accounts trade without events and history of their own
    genesis_time : venue time of the first state, ns since the Unix epoch
    """

    def __init__(
        self,
        config: VenueConfig,
        price_source: PriceSource,
        participants: Sequence[Participant],
        genesis_time: int,
    ) -> None:
        prices = []
        for market in sorted(config.markets, key=lambda m: m.market_id):
            index = price_source.index_fixed(market.market_id, genesis_time)
            if index is None:
                raise OutOfRange("index price", index, 1, PRICE_LIMIT - 1)
            check_range("index price", index, 1, PRICE_LIMIT - 1)
            prices.append(
                MarketPrices(
                    market_id=market.market_id,
                    tick_value=market.tick_value,
                    impact_notional=market.impact_notional,
                    index_fixed=index,
                    index_time=genesis_time,
                    mark_fixed=index,
                    next_sample=next_multiple(genesis_time, config.funding_sample_interval),
                    next_funding=next_multiple(genesis_time, config.funding_interval),
                )
            )
        self._source = price_source
        self.core = VenueCore(config, participants, prices, genesis_time)

    # -- inputs

    def apply(self, sequence: int, value: Input) -> list[AnyEvent]:
        """Apply input number ``sequence`` (greater than the last one); returns its events.

        A refusal by a rule is a Rejected event. Raises ``ValueError`` for a sequence number that does not grow and
        ``TypeError`` for an unknown input: programming errors.
        """
        core = self.core
        if sequence <= core.sequence:
            raise ValueError(f"input {sequence} after input {core.sequence}")
        core.sequence, core.events = sequence, []
        try:
            handler = _HANDLERS.get(type(value))
            if handler is not None:
                handler(core, value)
                core.close_batch_if_due()
            elif isinstance(value, ClockStep):
                clock.step(core, self._source, value)
            else:
                raise TypeError(f"unknown input {type(value).__name__}")
        except ProtocolError as error:
            account, client_id = getattr(value, "account", AccountId(0)), getattr(value, "client_id", "")
            l1_inputs.reject(core, account, client_id, error)
        events: list[Event] = core.events
        core.events = []
        return events  # type: ignore[return-value]  # every event emitted is one of AnyEvent

    # -- batches

    def take_closed_batches(self) -> list[Batch]:
        """Batches closed since the last call; after a restart also every batch that L1 does not have."""
        return self.core.batches.take_closed()

    def batch(self, number: int) -> Batch:
        """A closed batch that L1 does not have yet; :class:`UnknownBatch`."""
        batch = self.core.batches.unposted.get(number)
        if batch is None:
            raise UnknownBatch(number, self.core.batches.open.number - 1)
        return batch

    def unproved_batches(self) -> list[Batch]:
        """Closed batches without an accepted proof, oldest first."""
        return [b for b in self.core.batches.unposted.values() if "proved" not in self.batch_record(b.number).stages]

    def unposted_batches(self) -> list[Batch]:
        """Proved batches that L1 does not have, oldest first."""
        return [b for b in self.core.batches.unposted.values() if "proved" in self.batch_record(b.number).stages]

    def batch_record(self, number: int) -> BatchRecord:
        """The life of a closed batch; :class:`UnknownBatch`."""
        return self.core.batches.record(number)

    # -- looking

    @property
    def config(self) -> VenueConfig:
        """What the venue was set up with."""
        return self.core.config

    @property
    def time(self) -> int:
        """Venue time, ns."""
        return self.core.time

    @property
    def sequence(self) -> int:
        """Number of the last input applied."""
        return self.core.sequence

    @property
    def l1_block(self) -> int:
        """Number of the last L1 block applied, 0 before the first."""
        return self.core.counters.l1_block

    def account_ids(self) -> list[AccountId]:
        """Open accounts, ascending."""
        return sorted(self.core.accounts)

    def account(self, account_id: AccountId) -> Account:
        """The account as its leaf says it now; empty when it is not open."""
        state = self.core.accounts.get(account_id)
        return state.leaf(self.core.market_ids) if state else Account()

    def state_of(self, account_id: AccountId) -> AccountState:
        """A copy of the working state with history numbers; :class:`UnknownAccount`."""
        return self.core.account(account_id).copy()

    def margin(self, account_id: AccountId) -> Margin:
        """Margin at the current marks; :class:`UnknownAccount`."""
        return self.core.margin(self.core.account(account_id))

    def withdrawable(self, account_id: AccountId) -> int:
        """Quanta that the account may withdraw now, 0 also when an index reading leaves the formats of margin."""
        try:
            return withdrawable(self.core, self.core.account(account_id))
        except OutOfRange:
            return 0  # a request is refused with the range

    def kept_back(self, account_id: AccountId) -> int:
        """Quanta that the account may not withdraw while another is in deleveraging; :class:`UnknownAccount`."""
        return sum(kept_back(self.core, self.core.account(account_id)))

    def liquidation_price(self, account_id: AccountId, market_id: MarketId) -> int | None:
        """First price in ticks at which the account is liquidatable (other markets held); None for never."""
        state, index = self.core.account(account_id), self.core.market_index(market_id)
        return liquidation_price(self.core.margin(state), state.positions[index], self.core.terms[index])

    def preview_basis(self, account_id: AccountId, levels: int = LEVELS) -> PreviewBasis:
        """Private copies of all that :func:`engine.sequencer.preview.preview_order` needs, for any thread."""
        return basis_of(self.core, account_id, levels)

    def state_root(self) -> Digest:
        """Root of the accounts tree after the last closed batch: what the contract will hold."""
        return self.core.batches.tree.root

    def live_root(self) -> Digest:
        """Root over the accounts as they are now, the open batch included."""
        tree = AccountTree(self.config.tree_height, len(self.core.markets))
        return tree.apply_batch({i: self.core.leaf(i) for i in self.account_ids()})[1]

    def fills_digest(self) -> str:
        """Hex SHA-256 chained over all fills."""
        return self.core.counters.fills_digest.hex()

    def invariants(self) -> dict[str, bool | str]:
        """Each invariant's name: True, or the discrepancy in words."""
        return invariants(self.core)

    # -- checkpoints

    def dump(self) -> bytes:
        """A versioned checkpoint of everything later behaviour depends on."""
        return checkpoint.dump(self.core)

    @classmethod
    def load(
        cls,
        data: bytes,
        config: VenueConfig,
        price_source: PriceSource,
        participants: Sequence[Participant],
    ) -> Venue:
        """The venue of a checkpoint; :class:`CorruptData` when it is damaged or of another configuration."""
        venue = cls.__new__(cls)
        venue._source = price_source
        venue.core = checkpoint.load(data, config, participants)
        return venue
