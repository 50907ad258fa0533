"""A hostile token calls back into the exchange while it is being paid or pulled from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.batch import Batch
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import address_of, contract_address, sign_transaction
from engine.settlement.contracts.abi import encode_call
from engine.settlement.genesis import ETHER
from engine.settlement.relay.client import UPDATE, Client, creation_codes
from engine.settlement.relay.relayer import ProvedBatch, proved_batch
from engine.settlement.relay.verifiers import verifier_addresses
from tests.support.settlement_venue import (
    MAKER,
    MAKER_ACCOUNT,
    OPERATOR,
    REGISTER,
    ROOTS,
    START,
    TAKER,
    deployment,
    flow,
    told_verifiers,
)

TRANSFER = encode_call("transfer(address,uint256)", b"\x01" * 20, 0)
# Answers every transfer by calling its target with what it was armed with, and says whether that call succeeded.
HOSTILE_TOKEN = """
# pragma version 0.4.3
balances: HashMap[address, uint256]
target: address
payload: Bytes[512]
swallow: bool
calls: public(uint256)
successes: public(uint256)

@external
def arm(target: address, payload: Bytes[512], swallow: bool):
    self.target = target
    self.payload = payload
    self.swallow = swallow

@internal
def _strike():
    if self.target == empty(address):
        return
    target: address = self.target
    self.target = empty(address)
    self.calls += 1
    success: bool = raw_call(target, self.payload, revert_on_failure=False)
    if success:
        self.successes += 1
    assert success or self.swallow, "struck in vain"

@external
@view
def balanceOf(owner: address) -> uint256:
    return self.balances[owner] + 1000

@external
def transfer(to: address, amount: uint256) -> bool:
    self.balances[msg.sender] -= amount
    self.balances[to] += amount
    self._strike()
    return True

@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.balances[to] += amount
    self._strike()
    return True
"""


@pytest.fixture(scope="module")
def hostile_code() -> bytes:
    from vyper.compiler import compile_code

    return bytes.fromhex(compile_code(HOSTILE_TOKEN, output_formats=["bytecode"])["bytecode"][2:])


class Trap:
    """An exchange whose collateral is the hostile token; the maker has 9 pending and the taker 7 claimable.

    The token is the operator too, so that an update which it strikes with would pass on its own.
    """

    def __init__(self, code: bytes) -> None:
        self.time = START
        self.chain = Chain(
            31337, {address_of(key): ETHER for key in (OPERATOR, MAKER, TAKER)}, START, MemoryBlockStore()
        )
        self.operator, self.maker, self.taker = (address_of(key) for key in (OPERATOR, MAKER, TAKER))
        token = contract_address(self.operator, 0)
        verifiers, self.verifiers = verifier_addresses(self.operator, 2), told_verifiers()
        openings = tuple(place.opening for place in verifiers)
        self.deployment = replace(deployment(), operator=token, verifiers=openings)
        self.client = Client(self.chain, token, contract_address(self.operator, 1), verifiers)
        reserved = ((5, self.taker), (MAKER_ACCOUNT, self.maker))
        _, exchange = creation_codes(token, self.deployment, reserved)
        codes = [code, exchange, *self.verifiers.creation_codes(self.operator, self.client.exchange)]
        self.chain.build_block(
            [
                sign_transaction(OPERATOR, chain_id=31337, nonce=nonce, to=b"", data=data, gas_limit=3_000_000)
                for nonce, data in enumerate(codes)
            ],
            START,
        )
        for key, account, amount in ((MAKER, MAKER_ACCOUNT, 9), (TAKER, 5, 7), (TAKER, 5, 8)):
            receipt = self.send(key, lambda nonce: self.client.deposit(key, account, amount, nonce))  # noqa: B023
            assert receipt.status == 1
        assert self.send(TAKER, lambda nonce: self.client.request_reclaim(TAKER, 1, nonce)).status == 1
        self.time += DEFAULT_CONFIG.reclaim_delay
        flows = (flow(17, self.taker, 7),)
        batch = Batch(
            number=1,
            old_root=ROOTS[0],
            new_root=ROOTS[1],
            updates=(),
            deposits=(),
            withdrawals=flows,
            transactions=1,
            first_sequence=1,
            last_sequence=1,
            opened_at=START,
            closed_at=START,
        )
        self.post(batch)

    def post(self, batch: Batch) -> None:
        proved = self.told(batch)
        update = encode_call(UPDATE, 0, proved.number, proved.old_root, proved.new_root, 0, proved.outputs)
        self.arm(update, swallow=False)
        receipt = self.send(
            TAKER,
            lambda nonce: sign_transaction(
                TAKER, chain_id=31337, nonce=nonce, to=self.client.token, data=TRANSFER, gas_limit=1_000_000
            ),
        )
        assert receipt.status == 1

    def told(self, batch: Batch) -> ProvedBatch:
        """The batch with its fact registered."""
        proved = proved_batch(self.client, self.deployment, batch, "")
        receipt = self.send(
            MAKER,
            lambda nonce: sign_transaction(
                MAKER,
                chain_id=31337,
                nonce=nonce,
                to=self.deployment.verifiers[0],
                data=encode_call(REGISTER, proved.facts[0]),
                gas_limit=100_000,
            ),
        )
        assert receipt.status == 1
        return proved

    def send(self, key: bytes, build):  # type: ignore[no-untyped-def]
        (receipt,) = self.chain.build_block([build(self.chain.nonce(address_of(key)))], self.time).receipts
        return receipt

    def arm(self, payload: bytes, swallow: bool) -> None:
        data = encode_call("arm(address,bytes,bool)", self.client.exchange, payload, swallow)
        receipt = self.send(
            TAKER,
            lambda nonce: sign_transaction(
                TAKER, chain_id=31337, nonce=nonce, to=self.client.token, data=data, gas_limit=1_000_000
            ),
        )
        assert receipt.status == 1

    def count(self, name: str) -> int:
        return int.from_bytes(self.chain.call(self.client.token, encode_call(f"{name}()")), "big")

    def state(self) -> tuple[int, ...]:
        client = self.client
        return (
            client.pending(MAKER_ACCOUNT),
            client.withdrawable(self.taker),
            client.total_pending(),
            client.total_withdrawable(),
            client.last_batch(),
        )


def payloads(trap: Trap) -> list[bytes]:
    """Every entry of the contract that takes the lock, with arguments that would succeed on their own."""
    from engine.sequencer.batch import root_bytes

    batch = Batch(
        number=2,
        old_root=ROOTS[1],
        new_root=ROOTS[2],
        updates=(),
        deposits=(),
        withdrawals=(),
        transactions=1,
        first_sequence=1,
        last_sequence=1,
        opened_at=START,
        closed_at=START,
    )
    trap.told(batch)
    update = encode_call(UPDATE, 0, 2, root_bytes(ROOTS[1]), root_bytes(ROOTS[2]), 0, b"")
    return [
        encode_call("withdraw(address)", trap.taker),
        encode_call("withdraw(address,uint256)", trap.taker, 0),
        encode_call("deposit(uint64,uint64)", 5, 6),
        encode_call("open_account(bytes32,uint64)", bytes(32), 10**7),
        encode_call("reclaim(uint64)", 1),
        update,
    ]


@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("outer", ["withdraw", "deposit"])
def test_no_entry_can_be_re_entered(hostile_code: bytes, which: int, outer: str) -> None:
    trap = Trap(hostile_code)
    payload = payloads(trap)[which]
    trap.arm(payload, swallow=False)
    assert trap.chain.simulate(trap.client.token, TRANSFER, caller=trap.maker).success  # armed with a live round

    def attack(nonce: int) -> bytes:
        if outer == "withdraw":
            return trap.client.withdraw(MAKER, trap.taker, nonce)
        return trap.client.deposit(MAKER, MAKER_ACCOUNT, 4, nonce)

    before, struck = trap.state(), (trap.count("calls"), trap.count("successes"))
    trap.arm(payload, swallow=False)
    receipt = trap.send(MAKER, attack)
    assert (receipt.status, receipt.reason) == (0, "struck in vain")
    assert trap.state() == before

    trap.arm(payload, swallow=True)
    assert trap.send(MAKER, attack).status == 1
    assert (trap.count("calls"), trap.count("successes")) == (struck[0] + 1, struck[1])
    pending, claimable, total_pending, total_claimable, last = before
    if outer == "withdraw":
        assert trap.state() == (pending, 0, total_pending, total_claimable - claimable, last)
    else:
        assert trap.state() == (pending + 4, claimable, total_pending + 4, total_claimable, last)
