"""The test token is an ERC-20 (EIP-20): every call does what a dictionary of balances and allowances says."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hashing.keccak import keccak256
from engine.settlement.chain.blocks import Receipt
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import address_of, contract_address, sign_transaction
from engine.settlement.contracts.abi import decode_words, encode_call
from engine.settlement.contracts.artifacts import load_artifact

KEYS = tuple(bytes([number]) * 32 for number in (1, 2, 3))
PEOPLE = tuple(address_of(key) for key in KEYS)
MINTER, ALICE, BOB = range(3)
NOBODY = bytes(20)
ENDLESS = 2**256 - 1
MOVE = "transferFrom(address,address,uint256)"
TRANSFER, APPROVAL = (
    keccak256(text) for text in (b"Transfer(address,address,uint256)", b"Approval(address,address,uint256)")
)


@dataclass
class Token:
    """The deployed token, and beside it what its balances must be."""

    chain: Chain = field(
        default_factory=lambda: Chain(31337, dict.fromkeys(PEOPLE, 10**20), 10**18, MemoryBlockStore())
    )
    balances: dict[bytes, int] = field(default_factory=lambda: dict.fromkeys(PEOPLE, 0))
    allowances: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    address: bytes = contract_address(PEOPLE[MINTER], 0)

    def __post_init__(self) -> None:
        code = bytes.fromhex(load_artifact("token").bytecode)
        assert self._mine(MINTER, b"", code, 2_000_000).status == 1

    def send(self, who: int, signature: str, *arguments: object) -> Receipt:
        return self._mine(who, self.address, encode_call(signature, *arguments), 200_000)

    def view(self, signature: str, *arguments: object, result: str = "uint256") -> object:
        return decode_words((result,), self.chain.call(self.address, encode_call(signature, *arguments)))[0]

    def _mine(self, who: int, to: bytes, data: bytes, gas: int) -> Receipt:
        nonce = self.chain.nonce(PEOPLE[who])
        raw = sign_transaction(KEYS[who], chain_id=31337, nonce=nonce, to=to, data=data, gas_limit=gas)
        return self.chain.build_block([raw], self.chain.head.time).receipts[0]

    def check(self) -> None:
        for person, held in self.balances.items():
            assert self.view("balanceOf(address)", person) == held
        assert self.view("totalSupply()") == sum(self.balances.values())
        for (owner, spender), allowed in self.allowances.items():
            assert self.view("allowance(address,address)", owner, spender) == allowed


def words(*values: bytes) -> tuple[bytes, ...]:
    return tuple(value.rjust(32, b"\0") for value in values)


def test_it_says_what_it_is() -> None:
    token = Token()
    assert token.view("name()", result="string") == "Proofline test dollar"
    assert token.view("symbol()", result="string") == "pUSD"
    assert token.view("decimals()", result="uint8") == 6
    assert bytes.fromhex(str(token.view("MINTER()", result="address"))[2:]) == PEOPLE[MINTER]
    token.check()


@pytest.mark.parametrize(
    ("who", "signature", "arguments", "reason"),
    [
        (ALICE, "mint(address,uint256)", (PEOPLE[ALICE], 1), "token: only the minter"),
        (MINTER, "mint(address,uint256)", (NOBODY, 1), "token: no receiver"),
        (ALICE, "transfer(address,uint256)", (PEOPLE[BOB], 101), "token: insufficient balance"),
        (ALICE, "transfer(address,uint256)", (NOBODY, 1), "token: no receiver"),
        (BOB, MOVE, (PEOPLE[ALICE], PEOPLE[BOB], 8), "token: insufficient allowance"),
        (MINTER, MOVE, (PEOPLE[ALICE], PEOPLE[BOB], 101), "token: insufficient balance"),
    ],
)
def test_what_may_not_be_is_refused_in_words_and_changes_nothing(
    who: int, signature: str, arguments: tuple[object, ...], reason: str
) -> None:
    token = Token()
    assert token.send(MINTER, "mint(address,uint256)", PEOPLE[ALICE], 100).status == 1
    assert token.send(ALICE, "approve(address,uint256)", PEOPLE[BOB], 7).status == 1
    assert token.send(ALICE, "approve(address,uint256)", PEOPLE[MINTER], ENDLESS).status == 1
    receipt = token.send(who, signature, *arguments)
    assert (receipt.status, receipt.reason, receipt.logs) == (0, reason, ())
    token.balances[PEOPLE[ALICE]] = 100
    token.allowances = {(PEOPLE[ALICE], PEOPLE[BOB]): 7, (PEOPLE[ALICE], PEOPLE[MINTER]): ENDLESS}
    token.check()


def test_minting_beyond_256_bits_is_refused() -> None:
    token = Token()
    assert token.send(MINTER, "mint(address,uint256)", PEOPLE[ALICE], ENDLESS).status == 1
    assert token.send(MINTER, "mint(address,uint256)", PEOPLE[BOB], 1).status == 0
    token.balances[PEOPLE[ALICE]] = ENDLESS
    token.check()
    assert token.send(ALICE, "transfer(address,uint256)", PEOPLE[ALICE], ENDLESS).status == 1
    token.check()


def test_events_are_those_of_the_standard() -> None:
    token = Token()
    amount = (5).to_bytes(32, "big")
    (minted,) = token.send(MINTER, "mint(address,uint256)", PEOPLE[ALICE], 5).logs
    (approved,) = token.send(ALICE, "approve(address,uint256)", PEOPLE[BOB], 5).logs
    (moved,) = token.send(BOB, MOVE, PEOPLE[ALICE], PEOPLE[BOB], 5).logs
    assert (minted.topics, minted.data) == ((TRANSFER, *words(NOBODY, PEOPLE[ALICE])), amount)
    assert (approved.topics, approved.data) == ((APPROVAL, *words(PEOPLE[ALICE], PEOPLE[BOB])), amount)
    assert (moved.topics, moved.data) == ((TRANSFER, *words(PEOPLE[ALICE], PEOPLE[BOB])), amount)


WHO = st.integers(0, 2)
AMOUNT = st.one_of(st.integers(0, 12), st.sampled_from([ENDLESS, ENDLESS - 1]))
ACTS = st.one_of(
    st.tuples(st.just("mint"), WHO, WHO, WHO, st.integers(0, 12)),
    st.tuples(st.sampled_from(["transfer", "approve", "transferFrom"]), WHO, WHO, WHO, AMOUNT),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ACTS, max_size=12))
def test_any_calls_in_any_order_keep_the_books(acts: list[tuple[str, int, int, int, int]]) -> None:
    """The model: refused when the balance or the allowance is too small, else exactly the transfer, nothing more."""
    token = Token()
    token.send(MINTER, "mint(address,uint256)", PEOPLE[ALICE], 20)
    token.balances[PEOPLE[ALICE]] = 20
    for act, who, one, other, amount in acts:
        sender, owner, receiver = PEOPLE[who], PEOPLE[one], PEOPLE[other]
        if act == "mint":
            done = token.send(who, "mint(address,uint256)", receiver, amount).status
            assert done == (who == MINTER)
            token.balances[receiver] += amount * done
        elif act == "approve":
            assert token.send(who, "approve(address,uint256)", receiver, amount).status == 1
            token.allowances[sender, receiver] = amount
        else:
            allowed = token.allowances.get((owner, sender), 0)
            if act == "transfer":
                owner, allowed = sender, ENDLESS
                done = token.send(who, "transfer(address,uint256)", receiver, amount).status
            else:
                done = token.send(who, MOVE, owner, receiver, amount).status
                if done and allowed != ENDLESS:
                    token.allowances[owner, sender] = allowed - amount
            assert done == (token.balances[owner] >= amount and allowed >= amount)
            token.balances[owner] -= amount * done
            token.balances[receiver] += amount * done
    token.check()
