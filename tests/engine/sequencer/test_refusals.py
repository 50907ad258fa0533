"""Codes of refusals and reasons: fixed, unique, written down, and independent of the program's class names."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

import engine.book
import engine.exchange
import engine.sequencer
from engine.errors import ProtocolError
from engine.exchange import refusals
from engine.exchange.guards import HaltReason
from engine.sequencer import events, inputs
from engine.sequencer.events import CloseReason, DeferralReason, DeleveragingReason, Event, Rejected
from engine.sequencer.inputs import Input, RequestWithdrawal
from tests.support.refusal_table import documented
from tests.support.venue_world import ALICE, BTC_TICKS, MAKER, World, funded, only

ROOMS = ("engine.errors", "engine.units", "engine.exchange", "engine.book", "engine.sequencer")


def subclasses(base: type) -> set[type]:
    return {base}.union(*map(subclasses, base.__subclasses__()))


def refusal_classes() -> list[type[ProtocolError]]:
    """All refusals that the rooms of the venue define."""
    for package in (engine.exchange, engine.book, engine.sequencer):
        for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            importlib.import_module(found.name)
    inside = [c for c in subclasses(ProtocolError) if c is not ProtocolError and c.__module__.startswith(ROOMS)]
    return sorted(inside, key=lambda c: c.__name__)


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [vars(found).get("code", f"none for {found.__name__}") for found in refusal_classes()]
    assert len(codes) > 20
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", code) for code in codes)
    assert ProtocolError.code not in codes


def test_every_code_and_reason_is_documented() -> None:
    codes = {found.code for found in refusal_classes()}
    reasons = [*get_args(CloseReason), *get_args(DeferralReason)]
    reasons += [*get_args(DeleveragingReason), *filter(None, get_args(HaltReason))]
    first = documented(0)
    assert {name for name in first if name not in vars(events)} == codes
    assert len(first) == len(set(first))
    assert sorted(documented(1)) == sorted(reasons)


def answers() -> list[bytes]:
    """Four refusals of one small world, encoded."""
    world = funded()
    world.order(MAKER, "sell", 5000, BTC_TICKS)
    told = [
        *world.order(ALICE, "buy", 5000),
        *world.order(ALICE, "buy", 0),
        *world.apply(RequestWithdrawal(account=ALICE, amount=1 << 60)),
        *world.order(99, "buy", 1),
    ]
    assert [type(event) for event in told] == [Rejected] * 4
    return [msgspec.msgpack.encode(event) for event in told]


def test_a_renamed_class_changes_no_event() -> None:
    before = answers()
    names = {found: found.__name__ for found in refusal_classes()}
    try:
        for number, found in enumerate(names):
            found.__name__ = f"Renamed{number}"
        assert refusals.InsufficientMargin.__name__.startswith("Renamed")
        assert answers() == before
    finally:
        for found, name in names.items():
            found.__name__ = name


@pytest.fixture
def world() -> World:
    return funded()


def test_a_refusal_carries_its_numbers_as_digits(world: World) -> None:
    event = only(world.order(ALICE, "buy", 0), Rejected)
    assert (event.code, event.field, event.value, event.limit) == ("out_of_range", "lots", "0", "[1, 1000000]")
    event = only(world.order(ALICE, "buy", 1, 1, market=9), Rejected)
    assert (event.code, event.value, event.limit) == ("unknown_market", "9", "[1, 2]")
    event = only(world.order(ALICE, "buy", 1, post_only=True), Rejected)
    assert (event.code, event.field, event.value, event.limit) == ("bad_order", "post_only", "true", "limit orders")
    event = only(world.order(99, "buy", 1), Rejected)
    assert (event.code, event.value, event.limit) == ("unknown_account", "99", "opened")


INPUT_KINDS = {
    "CancelAll",
    "CancelOrder",
    "ClaimRequested",
    "ClockStep",
    "L1Block",
    "PlaceOrder",
    "ProofOutcome",
    "RequestWithdrawal",
}
EVENT_KINDS = {
    "Accepted",
    "BatchStage",
    "Deleveraged",
    "DepositCredited",
    "DepositReclaimed",
    "Fill",
    "FundingApplied",
    "FundingPaid",
    "Liquidated",
    "LiquidationDeferred",
    "OrderClosed",
    "OrderCut",
    "OrderRested",
    "Rejected",
    "TradingHalted",
    "TradingResumed",
    "WithdrawalStage",
}


@pytest.mark.parametrize(("base", "kinds"), [(Input, INPUT_KINDS), (Event, EVENT_KINDS)])
def test_kinds_are_fixed_names(base: type[msgspec.Struct], kinds: set[str]) -> None:
    module = inputs if base is Input else events
    found = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, base) and c is not base]
    assert {c.__struct_config__.tag for c in found} == kinds
    assert len(found) == len(kinds)
    source = Path(module.__file__ or "").read_text()
    assert set(re.findall(r'tag="(\w+)"', source)) == kinds  # written out: not taken from the class
