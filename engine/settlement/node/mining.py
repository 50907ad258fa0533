"""How blocks come about: on demand where the node lets its client mine (Anvil, Hardhat), else in the network's time."""

from __future__ import annotations

from typing import Protocol

from engine.settlement.errors import NodeRefused
from engine.settlement.node.connection import NodeConnection


class Miner(Protocol):
    """Brings the next block about."""

    on_demand: bool

    def mine(self, seconds: int) -> None:
        """Make a block now whose timestamp is ``seconds`` (since the epoch), if blocks are made on demand."""

    def give_ether(self, address: bytes, wei: int) -> bool:
        """Make the address hold ``wei``; False where the node does not give ether away."""


class MiningOnDemand:
    """A development node whose blocks are made when the venue's clock says so, and not before."""

    on_demand = True

    def __init__(self, connection: NodeConnection) -> None:
        self._connection = connection

    def mine(self, seconds: int) -> None:
        """One block. A node's clock that is ahead (a fresh Anvil starts at today) is set back to the venue's first."""
        ask = self._connection.request
        try:
            ask("evm_setNextBlockTimestamp", seconds)
        except NodeRefused:
            ask("evm_setTime", seconds)
            ask("evm_setNextBlockTimestamp", seconds)
        ask("evm_mine")

    def give_ether(self, address: bytes, wei: int) -> bool:
        """By Anvil's own method, where the node has it."""
        return self._connection.offered("anvil_setBalance", "0x" + address.hex(), hex(wei))


class MiningElsewhere:
    """A node of a network: blocks come when they come, with the network's time."""

    on_demand = False

    def mine(self, seconds: int) -> None:
        """Nothing: the network mines."""

    def give_ether(self, address: bytes, wei: int) -> bool:
        """Never."""
        return False


def miner_of(connection: NodeConnection) -> Miner:
    """Take the mining over where the node offers it: blocks no longer come by themselves there."""
    if not connection.offered("evm_setAutomine", False):
        return MiningElsewhere()
    connection.request("evm_setIntervalMining", 0)
    return MiningOnDemand(connection)
