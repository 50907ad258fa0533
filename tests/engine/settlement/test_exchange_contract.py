"""The exchange contract's rules, one revert at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from settlement_venue import (
    DEPLOYER,
    MAKER,
    MAKER_ACCOUNT,
    MAKER_DEPOSIT,
    OPERATOR,
    R0,
    R1,
    R2,
    ROOTS,
    START,
    TAKER,
    TAKER_ACCOUNT,
    TAKER_DEPOSIT,
    WALLET,
    Venue,
    deployment,
    entry,
    flow,
    update,
)

from engine.errors import OutOfRange
from engine.exchange.config import DEFAULT_CONFIG, config_hash
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.proving.statement import FactParts, fact, outputs_bytes
from engine.sequencer.batch import root_bytes
from engine.settlement.abi import decode_words, encode_arguments, encode_call
from engine.settlement.artifacts import load_artifact
from engine.settlement.client import (
    DEPLOY_GAS,
    DepositEvent,
    FactEvent,
    StateUpdateEvent,
    WithdrawalAllowedEvent,
    WithdrawnEvent,
)
from engine.settlement.transactions import address_of, sign_transaction


def test_the_contracts_fact_is_the_provers_fact(venue: Venue) -> None:
    batch = venue.batch(1, (flow(MAKER_ACCOUNT, venue.maker, 5),), (flow(TAKER_ACCOUNT, venue.taker, 6),))
    outputs = outputs_bytes(batch)
    assert outputs == entry(0, MAKER_ACCOUNT, venue.maker, 5) + entry(1, TAKER_ACCOUNT, venue.taker, 6)
    expected = venue.client.fact_of(1, R0, R1, keccak256(outputs))
    assert venue.proved(1, batch.deposits, batch.withdrawals).fact == expected
    words = [
        b"\x11" * 32,
        b"\x22" * 32,
        config_hash(DEFAULT_CONFIG),
        DEFAULT_CONFIG.chain_id.to_bytes(32, "big"),
        venue.client.exchange.rjust(32, b"\0"),
        (1).to_bytes(32, "big"),
        R0,
        R1,
        keccak256(outputs),
    ]
    assert expected == keccak256(b"".join(words))


def test_constants_and_first_state(venue: Venue) -> None:
    assert venue.client.deployment() == deployment()
    assert (venue.client.state_root(), venue.client.last_batch()) == (R0, 0)
    assert venue.client.fact_source() == "operator attests after native verification"
    assert venue.client.pending(MAKER_ACCOUNT, venue.maker) == MAKER_DEPOSIT
    assert venue.client.pending(TAKER_ACCOUNT, venue.maker) == 0
    assert venue.client.total_pending() == MAKER_DEPOSIT + TAKER_DEPOSIT
    assert venue.client.token_balance(venue.client.exchange) == MAKER_DEPOSIT + TAKER_DEPOSIT


def test_an_update_without_its_fact_is_refused(venue: Venue) -> None:
    assert update(venue, 1, R0, R1, b"", attested=False) == (0, "fact not registered")
    assert update(venue, 1, R0, R1, b"") == (1, "")


@pytest.mark.parametrize("number", [0, 2, 2**64 - 1])
def test_batch_numbers_have_no_gaps(venue: Venue, number: int) -> None:
    assert update(venue, number, R0, R1, b"") == (0, "wrong batch number")


def test_an_accepted_batch_is_not_accepted_again(venue: Venue) -> None:
    assert update(venue, 1, R0, R1, b"") == (1, "")
    assert update(venue, 1, R0, R1, b"", attested=False) == (0, "wrong batch number")
    assert update(venue, 1, R1, R2, b"") == (0, "wrong batch number")
    assert venue.client.state_root() == R1


def test_the_old_root_must_be_the_stored_one(venue: Venue) -> None:
    assert update(venue, 1, R2, R1, b"") == (0, "wrong old root")
    assert update(venue, 1, R0, R1, b"") == (1, "")
    assert update(venue, 2, R0, R2, b"") == (0, "wrong old root")


@pytest.mark.parametrize("limb", range(8))
def test_a_non_canonical_limb_is_refused(venue: Venue, limb: int) -> None:
    root = [P - 1] * 8
    for bad in (P, P + 1, 2**32 - 1):
        root[limb] = bad
        assert update(venue, 1, R0, root_bytes(tuple(root)), b"") == (0, "root limb out of range")
    root[limb] = P - 1
    assert update(venue, 1, R0, root_bytes(tuple(root)), b"") == (1, "")


def test_a_non_canonical_genesis_root_or_no_operator_is_refused(venue: Venue) -> None:
    types = ("address", "address", "bytes32", "bytes32", "bytes32", "bytes32", "uint64")
    good = deployment()
    code = bytes.fromhex(load_artifact("exchange").bytecode)
    bad_root = root_bytes((P, 0, 0, 0, 0, 0, 0, 0))
    for operator, root, reason in (
        (good.operator, bad_root, "root limb out of range"),
        (bytes(20), R0, "zero operator"),
    ):
        arguments = encode_arguments(types, venue.client.token, operator, *[bytes(32)] * 3, root, 2**16)
        nonce = venue.nonce(DEPLOYER)
        raw = sign_transaction(
            DEPLOYER,
            chain_id=venue.chain.chain_id,
            nonce=nonce,
            to=b"",
            data=code + arguments,
            gas_limit=DEPLOY_GAS,
        )
        (receipt,) = venue.send(raw)
        assert (receipt.status, receipt.reason) == (0, reason)


def test_outputs_other_than_the_attested_ones_are_refused(venue: Venue) -> None:
    good = entry(1, TAKER_ACCOUNT, venue.taker, 5)
    venue.send(
        venue.client.register_fact(OPERATOR, venue.client.fact_of(1, R0, R1, keccak256(good)), venue.nonce(OPERATOR))
    )
    for outputs in (
        b"",
        good + good,
        entry(1, TAKER_ACCOUNT, venue.taker, 6),
        entry(1, TAKER_ACCOUNT, venue.maker, 5),
        entry(1, MAKER_ACCOUNT, venue.taker, 5),
        entry(0, TAKER_ACCOUNT, venue.taker, 5),
    ):
        assert update(venue, 1, R0, R1, outputs, attested=False) == (0, "fact not registered")
    assert update(venue, 1, R0, R2, good, attested=False) == (0, "fact not registered")
    assert venue.client.withdrawable(venue.taker) == 0
    assert update(venue, 1, R0, R1, good, attested=False) == (1, "")
    assert venue.client.withdrawable(venue.taker) == 5


def test_a_fact_is_for_one_configuration_chain_and_contract(venue: Venue) -> None:
    """Facts over other constants are registered, and none of them opens this contract."""
    d = deployment()
    parts = FactParts(
        d.statement_id,
        d.verifier_parameter_digest,
        d.config_hash,
        venue.chain.chain_id,
        venue.client.exchange,
        1,
        ROOTS[0],
        ROOTS[1],
        b"",
    )
    others = [
        replace(parts, statement_id=b"\x12" * 32),
        replace(parts, parameter_digest=b"\x12" * 32),
        replace(parts, config_hash=b"\x12" * 32),
        replace(parts, chain_id=1),
        replace(parts, exchange=venue.client.token),
        replace(parts, number=2),
        replace(parts, old_root=ROOTS[2]),
        replace(parts, new_root=ROOTS[2]),
        replace(parts, outputs=entry(1, 1, venue.taker, 1)),
    ]
    nonce = venue.nonce(OPERATOR)
    venue.send(*[venue.client.register_fact(OPERATOR, fact(other), nonce + i) for i, other in enumerate(others)])
    assert update(venue, 1, R0, R1, b"", attested=False) == (0, "fact not registered")
    venue.send(venue.client.register_fact(OPERATOR, fact(parts), venue.nonce(OPERATOR)))
    assert update(venue, 1, R0, R1, b"", attested=False) == (1, "")


def test_only_the_operator_attests(venue: Venue) -> None:
    (receipt,) = venue.send(venue.client.register_fact(MAKER, b"\x01" * 32, venue.nonce(MAKER)))
    assert (receipt.status, receipt.reason) == (0, "only the operator attests facts")
    assert not venue.client.fact_registered(b"\x01" * 32)


def test_anyone_may_post_an_attested_batch(venue: Venue) -> None:
    batch = venue.proved(1)
    venue.send(venue.client.register_fact(OPERATOR, batch.fact, venue.nonce(OPERATOR)))
    (receipt,) = venue.send(venue.client.update_state(TAKER, 1, R0, R1, b"", venue.nonce(TAKER)))
    assert receipt.status == 1


def test_pending_deposits_are_debited_and_never_short(venue: Venue) -> None:
    whole, one_more = (entry(0, MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT + extra) for extra in (0, 1))
    assert update(venue, 1, R0, R1, one_more) == (0, "pending deposit too small")
    wrong_owner = entry(0, MAKER_ACCOUNT, venue.taker, 1)
    assert update(venue, 1, R0, R1, wrong_owner) == (0, "pending deposit too small")
    wrong_account = entry(0, TAKER_ACCOUNT, venue.maker, 1)
    assert update(venue, 1, R0, R1, wrong_account) == (0, "pending deposit too small")
    assert update(venue, 1, R0, R1, whole + entry(0, MAKER_ACCOUNT, venue.maker, 1)) == (
        0,
        "pending deposit too small",
    )
    assert venue.client.total_pending() == MAKER_DEPOSIT + TAKER_DEPOSIT
    assert update(venue, 1, R0, R1, whole) == (1, "")
    assert venue.client.pending(MAKER_ACCOUNT, venue.maker) == 0
    assert venue.client.total_pending() == TAKER_DEPOSIT


def test_a_claim_is_paid_once_and_to_its_owner(venue: Venue) -> None:
    client = venue.client
    outputs = entry(1, TAKER_ACCOUNT, venue.taker, 500) + entry(1, 20, venue.taker, 33)
    assert update(venue, 1, R0, R1, outputs) == (1, "")
    assert client.withdrawable(venue.taker) == 533
    nonce = venue.nonce(MAKER)
    first, second = venue.send(
        client.withdraw(MAKER, venue.taker, nonce), client.withdraw(MAKER, venue.taker, nonce + 1)
    )
    assert (first.status, second.status, second.reason) == (1, 0, "nothing to withdraw")
    assert client.token_balance(venue.taker) == WALLET + 533
    assert client.token_balance(venue.maker) == WALLET
    assert client.events(first.logs) == [WithdrawnEvent(venue.taker, 533)]


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        (entry(1, 5, b"\x01" * 20, 1)[:-1], "outputs are not whole entries"),
        (entry(1, 5, b"\x01" * 20, 1) + b"\0", "outputs are not whole entries"),
        (entry(2, 5, b"\x01" * 20, 1), "unknown kind of entry"),
        (entry(255, 5, b"\x01" * 20, 1), "unknown kind of entry"),
        (entry(1, 5, b"\x01" * 20, 0), "amount out of range"),
        (entry(1, 5, b"\x01" * 20, 2**63), "amount out of range"),
        (entry(0, 5, b"\x01" * 20, 0), "amount out of range"),
        (entry(1, 5, bytes(20), 1), "withdrawal to the zero address"),
        (entry(0, 5, bytes(20), 1), "pending deposit too small"),
    ],
)
def test_hostile_outputs_are_refused_even_when_attested(venue: Venue, outputs: bytes, reason: str) -> None:
    assert update(venue, 1, R0, R1, outputs) == (0, reason)
    assert (venue.client.last_batch(), venue.client.state_root()) == (0, R0)
    assert venue.client.total_withdrawable() == 0


def test_deposits_come_before_withdrawals(venue: Venue) -> None:
    deposit, withdrawal = entry(0, MAKER_ACCOUNT, venue.maker, 1), entry(1, MAKER_ACCOUNT, venue.maker, 1)
    assert update(venue, 1, R0, R1, withdrawal + deposit) == (0, "deposit after a withdrawal")
    assert update(venue, 1, R0, R1, deposit + withdrawal) == (1, "")


def test_513_entries_are_too_many(venue: Venue) -> None:
    outputs = b"".join(entry(1, i, i.to_bytes(20, "big"), 1) for i in range(1, 514))
    data = encode_call("update_state(uint64,bytes32,bytes32,bytes)", 1, R0, R1, outputs)
    execution = venue.chain.simulate(venue.client.exchange, data, caller=address_of(OPERATOR))
    assert not execution.success
    with pytest.raises(OutOfRange) as refused:
        venue.client.update_state(OPERATOR, 1, R0, R1, outputs, venue.nonce(OPERATOR))
    assert (refused.value.value, refused.value.limit) == (513, (0, 512))


@pytest.mark.parametrize(
    ("account", "amount", "reason"),
    [
        (2**DEFAULT_CONFIG.tree_height, 1, "account out of range"),
        (2**64 - 1, 1, "account out of range"),
        (5, 0, "amount out of range"),
        (5, 2**63, "amount out of range"),
        (5, WALLET + 1, "erc20: transfer amount exceeds balance"),
    ],
)
def test_deposits_out_of_range_are_refused(venue: Venue, account: int, amount: int, reason: str) -> None:
    (receipt,) = venue.send(venue.client.deposit(MAKER, account, amount, venue.nonce(MAKER)))
    assert (receipt.status, receipt.reason) == (0, reason)
    assert venue.client.total_pending() == MAKER_DEPOSIT + TAKER_DEPOSIT


def test_a_deposit_needs_an_allowance(venue: Venue) -> None:
    nonce = venue.nonce(MAKER)
    _, receipt = venue.send(venue.client.approve(MAKER, 4, nonce), venue.client.deposit(MAKER, 5, 5, nonce + 1))
    assert (receipt.status, receipt.reason) == (0, "erc20: insufficient allowance")
    (receipt,) = venue.send(venue.client.deposit(MAKER, 2**DEFAULT_CONFIG.tree_height - 1, 4, venue.nonce(MAKER)))
    assert receipt.status == 1
    assert venue.client.allowance(venue.maker) == 0


def test_only_the_deployer_mints(venue: Venue) -> None:
    (receipt,) = venue.send(venue.client.mint(MAKER, venue.maker, 1, venue.nonce(MAKER)))
    assert (receipt.status, receipt.reason) == (0, "erc20: access is denied")


def test_token_is_labelled_as_a_test_token(venue: Venue) -> None:
    def view(signature: str, result: str) -> object:
        return decode_words((result,), venue.chain.call(venue.client.token, encode_call(signature)))[0]

    assert view("symbol()", "string") == "pUSD" == DEFAULT_CONFIG.collateral_symbol
    assert view("name()", "string") == "Proofline test dollar"
    assert view("decimals()", "uint8") == 6


def test_events_of_an_update(venue: Venue) -> None:
    deposits = (flow(MAKER_ACCOUNT, venue.maker, 9),)
    posted = venue.relayer().post(venue.proved(1, deposits, (flow(TAKER_ACCOUNT, venue.taker, 4),)), START + 1)
    attested, state_update = (venue.client.events(receipt.logs) for receipt in posted.receipts)
    assert attested == [FactEvent(venue.proved(1, deposits, (flow(TAKER_ACCOUNT, venue.taker, 4),)).fact)]
    assert state_update == [
        WithdrawalAllowedEvent(venue.taker, TAKER_ACCOUNT, 4, 1),
        StateUpdateEvent(1, R0, R1, 2),
    ]
    genesis = [event for receipt in venue.chain.block(1).receipts for event in venue.client.events(receipt.logs)]
    assert genesis[0] == DepositEvent(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT)
