"""Checkpoints that are damaged, or of another venue, are refused by name."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec
import pytest

from engine.errors import CorruptData
from engine.sequencer import checkpoint
from engine.sequencer.venue import Venue
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, Quoter, SteeredPrices, World, funded


@pytest.fixture(scope="module")
def world() -> World:
    found = funded(Quoter())
    found.order(BOB, "sell", 100, BTC_TICKS + 3)
    found.order(ALICE, "buy", 500)
    found.order(ALICE, "buy", 7, BTC_TICKS - 100, client_id="resting")
    found.step(20)
    found.order(ALICE, "sell", 100)
    return found


def load(data: bytes, **more) -> Venue:
    return Venue.load(data, more.get("config", CONFIG), SteeredPrices(), more.get("participants", [Quoter()]))


def altered(data: bytes, change) -> bytes:
    """The checkpoint with its state changed and a right digest."""
    state = checkpoint._decode(data)
    change(state)
    body = checkpoint._encoder.encode(state)
    return checkpoint.MAGIC + hashlib.sha256(body).digest() + body


def test_a_checkpoint_comes_back_whole(world: World) -> None:
    venue = load(world.venue.dump())
    assert venue.dump() == world.venue.dump()
    assert venue.state_root() == world.venue.state_root()
    assert venue.live_root() == world.venue.live_root()
    assert venue.core.orders.of_account(ALICE)[0].client_id == "resting"
    assert venue.core.history.of(ALICE).fills == world.venue.core.history.of(ALICE).fills
    assert venue.core.candles[0].dump() == world.venue.core.candles[0].dump()
    assert [b.number for b in venue.take_closed_batches()] == [1]
    assert venue.core.participants[0].steps == world.participants[0].steps


@pytest.mark.parametrize("where", [0, 7, 8, 39, 40, 500, -1])
def test_any_changed_byte_is_noticed(world: World, where: int) -> None:
    data = bytearray(world.venue.dump())
    data[where] ^= 1
    with pytest.raises(CorruptData) as error:
        load(bytes(data))
    assert error.value.field == "checkpoint"


def test_a_cut_checkpoint_is_noticed(world: World) -> None:
    for data in (b"", b"PLVENUE1", world.venue.dump()[:-5]):
        with pytest.raises(CorruptData):
            load(data)


def test_another_configuration_is_refused(world: World) -> None:
    with pytest.raises(CorruptData) as error:
        load(world.venue.dump(), config=msgspec.structs.replace(CONFIG, taker_fee_ppm=501))
    assert error.value.field == "config"
    with pytest.raises(CorruptData):
        load(world.venue.dump(), participants=[])


def _steal(state: checkpoint.State) -> None:
    account = state.accounts[0]
    account.leaf = replace(account.leaf, collateral=account.leaf.collateral + 1)


def _steal_committed(state: checkpoint.State) -> None:
    leaf = state.batches.leaves[ALICE]
    state.batches.leaves[ALICE] = replace(leaf, collateral=leaf.collateral + 1)


def _lose_order(state: checkpoint.State) -> None:
    state.orders.pop()


def _break_book(state: checkpoint.State) -> None:
    state.books[0] = state.books[0][:-1]


def _break_position(state: checkpoint.State) -> None:
    numbers = state.accounts[-1].positions[0]
    state.accounts[-1].positions[0] = (numbers[0] + 1, *numbers[1:])


def _other_markets(state: checkpoint.State) -> None:
    state.candles.pop()


def _break_candles(state: checkpoint.State) -> None:
    state.candles[0].series[0].integers += b"x"


def _short_stake(state: checkpoint.State) -> None:
    state.accounts[0].positions.pop()


@pytest.mark.parametrize(
    "change",
    [_lose_order, _break_book, _break_position, _other_markets, _break_candles, _short_stake, _steal, _steal_committed],
)
def test_states_that_contradict_themselves_are_refused(world: World, change) -> None:
    with pytest.raises(CorruptData):
        load(altered(world.venue.dump(), change))


def test_an_unaltered_rewrite_is_the_same_checkpoint(world: World) -> None:
    assert altered(world.venue.dump(), lambda state: None) == world.venue.dump()
