"""What a node may do under a running venue: the venue trades on and says what it cannot do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from app.l1.layer_one import LayerOne, Slot
from app.paths import open_paths
from app.venue.session import Session
from engine.errors import CorruptData
from engine.sequencer.events import Accepted
from engine.sequencer.inputs import PlaceOrder
from engine.settlement.node.connection import NodeConnection
from engine.units import SECOND
from tests.support.anvil_node import Anvil, anvil, connected
from tests.support.app_world import SMALL, opened, run


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil() as process:
        yield process


def slots(session: Session, count: int) -> None:
    """So many L1 slots pass; what they bring is taken."""
    for _ in range(count):
        run(session, 12, parts=2)
        for _ in range(1000):  # a slot answers within its own bounds; the loop waits 20 s at most
            session.loop.serve()
            if not session.chain.busy:
                break
            session.loop.ingress.wait(0.02)
        assert not session.chain.busy


def with_a_proved_batch(session: Session) -> None:
    """One more batch is proved and waits for its slot."""
    session.prover.start()
    slots(session, 2)
    assert session.chain.errors == []
    run(session, 4, parts=4)


def trades(session: Session, name: str) -> None:
    order = PlaceOrder(account=session.chain.user_account, market=1, side="buy", type="market", lots=1, client_id=name)
    before = session.loop.event_count
    session.loop.apply([order])
    assert any(
        isinstance(event, Accepted) and event.client_id == name for event in session.loop.events_since(before)[1]
    )


def emptied(rpc: NodeConnection) -> None:
    rpc.request("anvil_reset")


def reorganised(rpc: NodeConnection) -> None:
    rpc.request("anvil_reorg", 2, [])


def another_chain(rpc: NodeConnection) -> None:
    rpc.request("anvil_reset")
    rpc.request("anvil_setChainId", 77)


@pytest.mark.parametrize("weather", [emptied, reorganised, another_chain])
@pytest.mark.timeout(240)
def test_a_venue_survives_a_node_that_forgets(tmp_path: Path, weather: Callable[[NodeConnection], None]) -> None:
    with anvil() as own, opened(tmp_path / "venue", l1=own.url) as session, connected(own.url) as rpc:
        with_a_proved_batch(session)
        weather(rpc)
        time, posted = session.loop.venue.time, session.loop.venue.core.batches.last_posted
        slots(session, 3)
        assert session.loop.venue.time >= time + 36 * SECOND
        assert session.chain.errors, "the venue says what it cannot do"
        assert session.loop.venue.core.batches.last_posted == posted
        trades(session, "after")


@pytest.mark.timeout(240)
def test_a_node_that_went_back_and_came_forward_is_posted_to_again(tmp_path: Path) -> None:
    """The operator reverts his node to before the last posting: a message, and nothing is lost when it returns."""
    with anvil() as own, opened(tmp_path / "venue", l1=own.url) as session, connected(own.url) as rpc:
        with_a_proved_batch(session)
        state = rpc.request("anvil_dumpState")
        snapshot = rpc.request("evm_snapshot")
        slots(session, 1)
        rpc.request("evm_revert", snapshot)
        slots(session, 2)
        assert session.chain.errors
        assert isinstance(state, str)
        trades(session, "meanwhile")


class Broken(RuntimeError):
    """A defect of this program."""


@pytest.mark.parametrize("part", ["_plan", "_see"])
def test_a_defect_in_a_slot_is_a_message_and_the_venue_trades_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    with opened(tmp_path / "venue", SMALL) as session:
        session.prover.start()
        run(session, 14, parts=7)

        def fails(*_: object) -> None:
            raise Broken("of our own making")

        with monkeypatch.context() as patch:
            patch.setattr(session.chain, part, fails)
            run(session, 24, parts=12)
            assert "unexpectedly (Broken)" in " ".join(session.chain.errors)
            trades(session, "after")
        posted = session.loop.venue.core.batches.last_posted
        run(session, 36, parts=18)
        assert session.loop.venue.core.batches.last_posted > posted


def test_blocks_are_handed_on_though_sending_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that was there already is not lost to the venue because the slot's own work failed."""
    with opened(tmp_path / "venue", SMALL) as session:
        chain: LayerOne = session.chain
        given = session.loop.venue.l1_block
        chain.chain.include([], session.loop.venue.time)

        def fails(*_: object) -> None:
            raise Broken("of our own making")

        monkeypatch.setattr(chain, "_plan", fails)
        result = chain._work(Slot(session.loop.venue.time, True, given, (), {}))
        assert [block.number for block in result.blocks] == [given + 1]
        assert result.errors


@pytest.mark.timeout(240)
def test_an_older_folder_is_refused_on_a_node_that_is_ahead(tmp_path: Path, node: Anvil) -> None:
    config = msgspec.structs.replace(SMALL, seed=77)
    with opened(tmp_path / "venue", config, l1=node.url):
        pass
    shutil.copytree(tmp_path / "venue", tmp_path / "older")
    with opened(tmp_path / "venue", config, l1=node.url) as session:
        with_a_proved_batch(session)
        slots(session, 2)
        assert session.chain.last_batch > 0
    refused = pytest.raises(CorruptData, match="inputs are missing")
    with refused, opened(tmp_path / "older", config, l1=node.url):
        pass
    assert open_paths(tmp_path / "older").journal.exists()
