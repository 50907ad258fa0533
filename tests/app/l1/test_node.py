"""A venue whose L1 is a node: opened, played, restarted, replayed without it, and what goes wrong with one."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from app.l1 import node as l1_node
from app.l1.layer_one import ChainRequest
from app.l1.node import NeedsEther
from app.paths import open_paths
from app.venue.invariants import all_invariants
from app.venue.replay import replay
from app.venue.session import USER_DEPOSIT, Session
from engine.errors import ProtocolError
from engine.sequencer.batch import root_bytes
from engine.sequencer.inputs import PlaceOrder, RequestWithdrawal
from engine.settlement.chain.transactions import address_of
from engine.settlement.errors import NodeDiverged, NodeUnreachable, OtherLedger, WrongChain
from engine.settlement.genesis import ETHER
from engine.settlement.keys.keys import role_key
from engine.settlement.node import chain as node_chain
from engine.settlement.node.connection import NodeConnection
from engine.settlement.node.mining import MiningElsewhere, MiningOnDemand
from engine.units import QUANTUM, SECOND
from tests.support.anvil_node import Anvil, anvil, connected
from tests.support.app_world import SMALL, opened, run


@pytest.fixture
def node() -> Iterator[Anvil]:
    with anvil() as process:
        yield process


@pytest.fixture(scope="module")
def used() -> Iterator[Anvil]:
    """A node that several tests share, each with a seed of its own."""
    with anvil() as process:
        yield process


def play(session: Session) -> None:
    """A trade, a withdrawal, and its claim once it is claimable."""
    account = session.chain.user_account
    session.prover.start()
    run(session, 14, parts=28)
    session.loop.apply([PlaceOrder(account=account, market=1, side="buy", type="market", lots=7, client_id="trade")])
    session.loop.apply([RequestWithdrawal(account=account, amount=3 * QUANTUM + 1, client_id="out")])
    wait_for(session, lambda: session.chain.funds.claimable > 0)
    session.loop.ingress.deliver(ChainRequest("claim"))
    wait_for(session, lambda: session.chain.funds.claimable == 0)


def wait_for(session: Session, condition: Callable[[], bool]) -> None:
    end = session.loop.venue.time + 300 * SECOND
    while not condition():
        assert session.loop.venue.time < end, session.chain.errors
        session.loop.serve()
        run(session, 2)


def test_a_venue_on_a_node_is_played_restarted_and_replayed_without_it(tmp_path: Path) -> None:
    folder = tmp_path / "venue"
    with anvil() as node:
        with opened(folder, l1=node.url) as session:
            wallet = session.chain.funds.wallet
            play(session)
            assert session.chain.funds.wallet == wallet + 3 * QUANTUM + 1
            assert session.chain.errors == []
            assert {name: value for name, value in all_invariants(session).items() if value is not True} == {}
        with opened(folder, l1=node.url) as session:
            assert session.chain.funds.wallet == wallet + 3 * QUANTUM + 1, "nothing is deployed or granted again"
            session.prover.start()
            run(session, 14, parts=7)
            assert session.loop.venue.core.batches.last_posted == session.chain.last_batch > 1
            live = root_bytes(session.loop.venue.state_root()).hex()
            blocks = [block.number for block in session.chain.chain.blocks_since(0)]
            assert blocks[-1] == session.loop.venue.l1_block
        taken = pytest.raises(OtherLedger, match="contracts of another folder's venue with seed 1")
        with taken, opened(tmp_path / "second", l1=node.url):
            pass
    outcome = replay(open_paths(folder))  # the node has ended
    assert (outcome["root"], outcome["l1_block"]) == (live, blocks[-1])
    with pytest.raises(OtherLedger, match=f"made with --l1 {node.url}"), opened(folder):
        pass
    with pytest.raises(NodeUnreachable, match="connection refused"), opened(folder, l1=node.url):
        pass
    with anvil() as fresh, pytest.raises(NodeDiverged, match="started anew"), opened(folder, l1=fresh.url):
        pass
    with anvil("--chain-id", 5) as other, pytest.raises(WrongChain, match="chain id 5"), opened(folder, l1=other.url):
        pass
    assert replay(open_paths(folder)) == outcome, "nothing of it has touched the folder"


def test_a_folder_with_an_embedded_chain_is_not_opened_on_a_node(folder: Path, used: Anvil) -> None:
    with pytest.raises(OtherLedger, match="leave --l1 out"), opened(folder, l1=used.url):
        pass
    with opened(folder) as session:
        assert session.chain.errors == []


def test_a_deployment_that_is_cut_off_again_and_again_is_finished(
    tmp_path: Path, used: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First after the contracts and before the participants' deposits, then in the user's first deposit."""
    config = msgspec.structs.replace(SMALL, seed=31)
    mine, left = MiningOnDemand.mine, [0]

    def cut_off(self: MiningOnDemand, seconds: int) -> None:
        if not left[0]:
            raise NodeUnreachable("pulled the plug")
        left[0] -= 1
        mine(self, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(MiningOnDemand, "mine", cut_off)
        for blocks in (2, 2):
            left[0] = blocks
            with pytest.raises(ProtocolError, match="pulled the plug"), opened(tmp_path / "v", config, l1=used.url):
                pass
    with opened(tmp_path / "v", config, l1=used.url) as session:
        run(session, 13)
        assert session.loop.venue.account(session.chain.user_account).collateral == USER_DEPOSIT
        assert {name: value for name, value in all_invariants(session).items() if value is not True} == {}


def test_a_silent_node_stops_neither_the_clock_nor_the_way_out(
    tmp_path: Path, node: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(l1_node, "NodeConnection", partial(NodeConnection, answer=0.3))
    with opened(tmp_path / "venue", l1=node.url) as session:
        loop = session.loop
        session.prover.start()
        loop.set_hold(False)
        node.process.send_signal(signal.SIGSTOP)
        before = loop.venue.time
        while not session.chain.errors:  # slots pass meanwhile
            loop.serve()
            assert loop.advance(loop.venue.time + SECOND, quotes_only=True)
        assert "does not answer within 0.3 s" in session.chain.errors[0]
        assert loop.venue.time >= before + 12 * SECOND
        node.process.send_signal(signal.SIGCONT)
        loop.set_hold(True)
        seen = loop.venue.l1_block
        wait_for(session, lambda: loop.venue.l1_block > seen)
        node.process.send_signal(signal.SIGSTOP)  # and the folder closes though the node keeps silent
    node.process.send_signal(signal.SIGCONT)


def test_a_network_wants_ether_and_then_mines_by_itself(
    tmp_path: Path, used: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anvil as a network: blocks that come when transactions do, no ether given away, no time taken from us."""
    config = msgspec.structs.replace(SMALL, seed=41)
    deployer = address_of(role_key(config.seed, "deployer"))
    monkeypatch.setattr(l1_node, "miner_of", lambda connection: MiningElsewhere())
    monkeypatch.setattr(node_chain, "POLL_SECONDS", 0.01)
    with connected(used.url) as rich:
        rich.request("evm_setAutomine", True)
        try:
            with (
                pytest.raises(NeedsEther, match=f"0x{deployer.hex()} holds 0.0000 ether") as refused,
                opened(tmp_path / "venue", config, l1=used.url),
            ):
                pass
            assert isinstance(refused.value.limit, int)
            assert 10 * ETHER < refused.value.limit < 50 * ETHER
            rich.request("anvil_setBalance", "0x" + deployer.hex(), hex(refused.value.limit))
            with opened(tmp_path / "venue", config, l1=used.url) as session:
                play(session)
                assert session.chain.errors == []
                assert session.chain.chain.head.time != session.loop.venue.time
        finally:
            rich.request("evm_setAutomine", False)


def test_wrong_addresses_are_one_line_each(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url, words in (
        ("ftp://127.0.0.1", "is not the address of a node"),
        (f"http://127.0.0.1:{port}", "cannot be reached: connection refused"),
    ):
        with pytest.raises(Exception, match=words) as refused, opened(tmp_path / "venue", l1=url):
            pass
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "venue" / "journal.sqlite").exists()
