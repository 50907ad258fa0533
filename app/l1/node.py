"""The venue's L1 on the node that ``--l1`` names. Imported only when one is named: it loads web3.py."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ProtocolError
from engine.exchange.config import VenueConfig
from engine.settlement.chain.chain import BlockStore
from engine.settlement.chain.transactions import address_of
from engine.settlement.errors import OtherLedger
from engine.settlement.genesis import ACCOUNT_ETHER, ETHER, OPERATOR_ETHER, ROLE_ETHER
from engine.settlement.keys.keys import role_key
from engine.settlement.node.anchor import Anchor
from engine.settlement.node.chain import NodeChain, anchor_of
from engine.settlement.node.connection import NodeConnection
from engine.settlement.node.mining import miner_of
from engine.settlement.node.reads import NodeReads
from engine.settlement.relay.client import deployed_addresses

GENESIS_GAS = 100_000_000
"""Gas that a deployer must be able to pay for: contracts and grants by their limits, with room to spare."""


class NeedsEther(ProtocolError):
    """An address must hold ether that this node does not give away."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that answered: its connection and its chain id. Nothing is changed on it yet."""

    connection: NodeConnection
    chain_id: int

    @property
    def url(self) -> str:
        """Where it was reached, without what may be secret in it."""
        return self.connection.url

    def fresh_anchor(self, config: VenueConfig) -> Anchor:
        """A new venue's beginning; the node must not have the contracts of another one with the same keys."""
        deployer = address_of(role_key(config.seed, "deployer"))
        if NodeReads(self.connection).nonce(deployer):
            raise OtherLedger(
                f"the node at {self.url} has the contracts of another folder's venue with seed {config.seed}; open "
                "that folder with --data, take another seed, or start the node anew",
                field="--l1",
                value=self.url,
            )
        return anchor_of(self.connection)


def connect(url: str) -> Node:
    """Reach the node. Raises :class:`BadNodeUrl`, :class:`NodeUnreachable` and :class:`NodeRefused`."""
    connection = NodeConnection(url)
    try:
        return Node(connection, NodeReads(connection).chain_id())
    except BaseException:
        connection.close()
        raise


def open_node_chain(
    node: Node, anchor: Anchor, store: BlockStore, *, seed: int, genesis_time: int, funded_accounts: int
) -> NodeChain:
    """The chain, caught up with the node, and its deployer able to pay. Raises :class:`NeedsEther` and NodeErrors.

    ``seed``: of the venue's keys. ``genesis_time``: nanoseconds. ``funded_accounts``: how many get ether.
    """
    deployer = address_of(role_key(seed, "deployer"))
    _, exchange = deployed_addresses(deployer)
    chain = NodeChain(node.connection, miner_of(node.connection), anchor, store, exchange)
    if not chain.code(exchange):
        _fund_roles(chain, seed, funded_accounts)
    known = chain.blocks_since(0)
    chain.include([], known[-1].time if known else genesis_time)  # on demand: what a failure left in the pool
    return chain


def _fund_roles(chain: NodeChain, seed: int, funded_accounts: int) -> None:
    """Ether for deployer and operator, where the node gives it away; otherwise the deployer must hold enough."""
    deployer, operator = (address_of(role_key(seed, role)) for role in ("deployer", "operator"))
    if chain.miner.give_ether(deployer, ROLE_ETHER * ETHER):
        chain.miner.give_ether(operator, ROLE_ETHER * ETHER)
        return
    granted = OPERATOR_ETHER + ACCOUNT_ETHER * (funded_accounts + 1)
    needed = GENESIS_GAS * chain.gas_price + granted * ETHER
    held = chain.balance(deployer)
    if held < needed:
        raise NeedsEther(
            f"the venue's deployer 0x{deployer.hex()} holds {held / ETHER:.4f} ether on this node and needs "
            f"{needed / ETHER:.4f}: send it the rest (its key is a test key: nothing of value belongs there)",
            field="--l1",
            value=held,
            limit=needed,
        )
