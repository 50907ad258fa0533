"""The exchange contract's rules, one revert at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import OutOfRange
from engine.exchange.config import DEFAULT_CONFIG, config_hash
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.proving.statement import FactParts, fact, outputs_bytes
from engine.sequencer.batch import root_bytes
from engine.settlement.chain.chain import MemoryBlockStore
from engine.settlement.chain.transactions import address_of, sign_transaction
from engine.settlement.contracts.abi import decode_words, encode_call
from engine.settlement.contracts.artifacts import load_artifact
from engine.settlement.genesis import venue_client
from engine.settlement.relay.client import (
    DEPLOY_GAS,
    UPDATE,
    QueuedEvent,
    StateUpdate,
    StateUpdateEvent,
    WithdrawalAllowedEvent,
    WithdrawnEvent,
    creation_codes,
)
from tests.support.settlement_venue import (
    DEPLOYER,
    DIGESTS,
    LAYER_2,
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
    new_chain,
    update,
)

NOT_OPERATOR = "only the operator posts batches"


def test_the_contracts_fact_is_the_provers_fact(venue: Venue) -> None:
    batch = venue.batch(1, (flow(MAKER_ACCOUNT, venue.maker, 5),), (flow(TAKER_ACCOUNT, venue.taker, 6),))
    outputs = outputs_bytes(batch)
    assert outputs == entry(0, MAKER_ACCOUNT, venue.maker, 5) + entry(1, TAKER_ACCOUNT, venue.taker, 6)
    facts = tuple(venue.client.fact_of(StateUpdate(profile, 1, R0, R1, outputs)) for profile in range(len(DIGESTS)))
    assert venue.proved(1, batch.deposits, batch.withdrawals).facts == facts
    assert len(set(facts)) == len(DIGESTS)
    words = [
        b"\x11" * 32,
        DIGESTS[1],
        config_hash(DEFAULT_CONFIG),
        DEFAULT_CONFIG.chain_id.to_bytes(32, "big"),
        venue.client.exchange.rjust(32, b"\0"),
        (1).to_bytes(32, "big"),
        R0,
        R1,
        keccak256(outputs),
    ]
    assert facts[1] == keccak256(b"".join(words))


def test_constants_and_first_state(venue: Venue) -> None:
    assert venue.client.deployment() == deployment()
    assert (venue.client.state_root(), venue.client.last_batch()) == (R0, 0)
    assert venue.client.pending(MAKER_ACCOUNT) == MAKER_DEPOSIT
    assert venue.client.account_owner(MAKER_ACCOUNT) == venue.maker
    assert venue.client.account_owner(5) == bytes(20)
    assert venue.client.total_pending() == MAKER_DEPOSIT + TAKER_DEPOSIT
    assert venue.client.token_balance(venue.client.exchange) == MAKER_DEPOSIT + TAKER_DEPOSIT + LAYER_2


def test_an_update_without_its_fact_is_refused(venue: Venue) -> None:
    assert update(venue, 1, R0, R1, b"", told=False) == (0, "fact not registered")
    assert update(venue, 1, R0, R1, b"") == (1, "")


@pytest.mark.parametrize("number", [0, 2, 2**64 - 1])
def test_batch_numbers_have_no_gaps(venue: Venue, number: int) -> None:
    assert update(venue, number, R0, R1, b"") == (0, "wrong batch number")


def test_an_accepted_batch_is_not_accepted_again(venue: Venue) -> None:
    assert update(venue, 1, R0, R1, b"") == (1, "")
    assert update(venue, 1, R0, R1, b"", told=False) == (0, "wrong batch number")
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


def test_a_non_canonical_genesis_root_or_missing_verifiers_are_refused(venue: Venue) -> None:
    good = deployment()
    for change, reason in (
        ({"genesis_root": root_bytes((P, 0, 0, 0, 0, 0, 0, 0))}, "root limb out of range"),
        ({"verifiers": (good.verifiers[0], bytes(20))}, "zero verifier"),
        ({"verifiers": good.verifiers[:1]}, "profiles"),
        ({"verifiers": (), "parameter_digests": ()}, "profiles"),
    ):
        _, code = creation_codes(venue.client.token, replace(good, **change))
        nonce = venue.nonce(DEPLOYER)
        raw = sign_transaction(
            DEPLOYER,
            chain_id=venue.chain.chain_id,
            nonce=nonce,
            to=b"",
            data=code,
            gas_limit=DEPLOY_GAS,
        )
        (receipt,) = venue.send(raw)
        assert (receipt.status, receipt.reason) == (0, reason)


def test_outputs_other_than_the_proved_ones_are_refused(venue: Venue) -> None:
    good = entry(1, TAKER_ACCOUNT, venue.taker, 5)
    venue.tell(venue.client.fact_of(StateUpdate(0, 1, R0, R1, good)))
    for outputs in (
        b"",
        good + good,
        entry(1, TAKER_ACCOUNT, venue.taker, 6),
        entry(1, TAKER_ACCOUNT, venue.maker, 5),
        entry(1, MAKER_ACCOUNT, venue.taker, 5),
        entry(0, TAKER_ACCOUNT, venue.taker, 5),
    ):
        assert update(venue, 1, R0, R1, outputs, told=False) == (0, "fact not registered")
    assert update(venue, 1, R0, R2, good, told=False) == (0, "fact not registered")
    assert venue.client.withdrawable(venue.taker) == 0
    assert update(venue, 1, R0, R1, good, told=False) == (1, "")
    assert venue.client.withdrawable(venue.taker) == 5


def test_a_fact_is_for_one_configuration_chain_and_contract(venue: Venue) -> None:
    """Facts over other constants are registered, and none of them opens this contract."""
    d = deployment()
    parts = FactParts(
        statement_id=d.statement_id,
        parameter_digest=d.parameter_digests[0],
        config_hash=d.config_hash,
        chain_id=venue.chain.chain_id,
        exchange=venue.client.exchange,
        number=1,
        old_root=ROOTS[0],
        new_root=ROOTS[1],
        outputs=b"",
    )
    others = [
        replace(parts, statement_id=b"\x12" * 32),
        replace(parts, parameter_digest=b"\x12" * 32),
        replace(parts, parameter_digest=d.parameter_digests[1]),
        replace(parts, config_hash=b"\x12" * 32),
        replace(parts, chain_id=1),
        replace(parts, exchange=venue.client.token),
        replace(parts, number=2),
        replace(parts, old_root=ROOTS[2]),
        replace(parts, new_root=ROOTS[2]),
        replace(parts, outputs=entry(1, 1, venue.taker, 1)),
    ]
    for other in others:
        venue.tell(fact(other))
    assert update(venue, 1, R0, R1, b"", told=False) == (0, "fact not registered")
    venue.tell(fact(parts))
    assert update(venue, 1, R0, R1, b"", told=False) == (1, "")


def test_each_profile_has_a_verifier_of_its_own(venue: Venue) -> None:
    """A fact counts only where the profile's own verifier registered it, and under the profile's own digest."""
    first, second = (venue.client.fact_of(StateUpdate(profile, 1, R0, R1, b"")) for profile in (0, 1))
    venue.tell(first, profile=1)
    venue.tell(second, profile=0)
    for profile in (0, 1):
        assert update(venue, 1, R0, R1, b"", told=False, profile=profile) == (0, "fact not registered")
    venue.tell(second, profile=1)
    assert update(venue, 1, R0, R1, b"", told=False, profile=0) == (0, "fact not registered")
    assert update(venue, 1, R0, R1, b"", told=False, profile=1) == (1, "")
    assert update(venue, 2, R1, R2, b"", profile=0) == (1, "")


@pytest.mark.parametrize("profile", [2, 4, 2**256 - 1])
def test_a_profile_that_does_not_exist_is_refused(venue: Venue, profile: int) -> None:
    assert update(venue, 1, R0, R1, b"", told=False, profile=profile) == (0, "unknown profile")


def test_nothing_is_accepted_while_a_verifier_is_missing() -> None:
    """Between the exchange's creation and its verifiers' there is nobody to say yes."""
    chain = new_chain(MemoryBlockStore())
    client = venue_client(chain, DEFAULT_CONFIG)
    for nonce, code in enumerate(creation_codes(client.token, deployment())):
        raw = sign_transaction(DEPLOYER, chain_id=chain.chain_id, nonce=nonce, to=b"", data=code, gas_limit=DEPLOY_GAS)
        assert chain.build_block([raw], START).receipts[0].status == 1
    values = StateUpdate(0, 1, R0, R1, b"")
    (receipt,) = chain.build_block([client.update_state(OPERATOR, values, 0)], START).receipts
    assert (receipt.status, client.state_root()) == (0, R0)


def test_no_key_moves_the_root_alone(venue: Venue) -> None:
    """The operator without a fact cannot, nor deployer or maker. The old gate is gone."""
    reasons = {OPERATOR: "fact not registered", DEPLOYER: NOT_OPERATOR, MAKER: NOT_OPERATOR}
    for key, reason in reasons.items():
        (receipt,) = venue.send(venue.client.update_state(key, StateUpdate(0, 1, R0, R1, b""), venue.nonce(key)))
        assert (receipt.status, receipt.reason) == (0, reason)
        old_gate = encode_call("register_fact(bytes32)", venue.client.fact_of(StateUpdate(0, 1, R0, R1, b"")))
        assert not venue.chain.simulate(venue.client.exchange, old_gate, caller=address_of(key)).success
    names = {entry.get("name") for entry in load_artifact("exchange").abi}
    assert not names & {"register_fact", "facts", "FACT_SOURCE"}
    assert venue.client.state_root() == R0


@pytest.mark.parametrize("key", [DEPLOYER, MAKER, TAKER])
def test_a_stranger_with_a_true_proof_is_refused(venue: Venue, key: bytes) -> None:
    """Signatures are not proved: a proof that gives a stranger everybody's collateral is a true one."""
    venue.told(1)
    (receipt,) = venue.send(venue.client.update_state(key, StateUpdate(0, 1, R0, R1, b""), venue.nonce(key)))
    assert (receipt.status, receipt.reason) == (0, NOT_OPERATOR)
    assert venue.client.state_root() == R0


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
        (entry(0, 5, bytes(20), 1), "not what the queue holds"),
    ],
)
def test_hostile_outputs_are_refused_even_with_a_fact(venue: Venue, outputs: bytes, reason: str) -> None:
    assert update(venue, 1, R0, R1, outputs) == (0, reason)
    assert (venue.client.last_batch(), venue.client.state_root()) == (0, R0)
    assert venue.client.total_withdrawable() == 0


def test_deposits_come_before_withdrawals(venue: Venue) -> None:
    deposit = entry(0, MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT)
    withdrawal = entry(1, MAKER_ACCOUNT, venue.maker, 1)
    assert update(venue, 1, R0, R1, withdrawal + deposit, queue_count=1) == (0, "deposit after a withdrawal")
    assert update(venue, 1, R0, R1, deposit + withdrawal, queue_count=1) == (1, "")


def test_513_entries_are_too_many(venue: Venue) -> None:
    outputs = b"".join(entry(1, i, i.to_bytes(20, "big"), 1) for i in range(1, 514))
    data = encode_call(UPDATE, 0, 1, R0, R1, 0, outputs)
    execution = venue.chain.simulate(venue.client.exchange, data, caller=address_of(OPERATOR))
    assert not execution.success
    with pytest.raises(OutOfRange) as refused:
        venue.client.update_state(OPERATOR, StateUpdate(0, 1, R0, R1, outputs), venue.nonce(OPERATOR))
    assert (refused.value.value, refused.value.limit) == (513, (0, 512))


@pytest.mark.parametrize(
    ("account", "amount", "reason"),
    [
        (5, 1, "account not open"),
        (DEFAULT_CONFIG.fee_account, 1, "account not open"),
        (2**DEFAULT_CONFIG.tree_height, 1, "account not open"),
        (2**64 - 1, 1, "account not open"),
        (TAKER_ACCOUNT, 0, "amount out of range"),
        (TAKER_ACCOUNT, 2**63, "amount out of range"),
        (TAKER_ACCOUNT, WALLET + 1, "token: insufficient balance"),
    ],
)
def test_deposits_out_of_range_are_refused(venue: Venue, account: int, amount: int, reason: str) -> None:
    (receipt,) = venue.send(venue.client.deposit(MAKER, account, amount, venue.nonce(MAKER)))
    assert (receipt.status, receipt.reason) == (0, reason)
    assert venue.client.total_pending() == MAKER_DEPOSIT + TAKER_DEPOSIT


def test_a_deposit_needs_an_allowance(venue: Venue) -> None:
    nonce = venue.nonce(MAKER)
    deposit = venue.client.deposit(MAKER, MAKER_ACCOUNT, 5, nonce + 1)
    _, receipt = venue.send(venue.client.approve(MAKER, 4, nonce), deposit)
    assert (receipt.status, receipt.reason) == (0, "token: insufficient allowance")
    (receipt,) = venue.send(venue.client.deposit(MAKER, TAKER_ACCOUNT, 4, venue.nonce(MAKER)))
    assert receipt.status == 1
    assert venue.client.allowance(venue.maker) == 0


def test_only_the_deployer_mints(venue: Venue) -> None:
    (receipt,) = venue.send(venue.client.mint(MAKER, venue.maker, 1, venue.nonce(MAKER)))
    assert (receipt.status, receipt.reason) == (0, "token: only the minter")


def test_token_is_labelled_as_a_test_token(venue: Venue) -> None:
    def view(signature: str, result: str) -> object:
        return decode_words((result,), venue.chain.call(venue.client.token, encode_call(signature)))[0]

    assert view("symbol()", "string") == "pUSD" == DEFAULT_CONFIG.collateral_symbol
    assert view("name()", "string") == "Proofline test dollar"
    assert view("decimals()", "uint8") == 6


def test_events_of_an_update(venue: Venue) -> None:
    deposits = (flow(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT),)
    batch = venue.told(1, deposits, (flow(TAKER_ACCOUNT, venue.taker, 4),), queue_count=1)
    (receipt,) = venue.relayer().post(batch, START + 1).receipts
    state_update = venue.client.events(receipt.logs)
    assert state_update == [
        WithdrawalAllowedEvent(venue.taker, TAKER_ACCOUNT, 4, 1),
        StateUpdateEvent(1, batch.facts[0], R0, R1, entries=2, queue_consumed=1),
    ]
    genesis = [event for receipt in venue.chain.block(1).receipts for event in venue.client.events(receipt.logs)]
    assert [type(event) for event in genesis] == [QueuedEvent, QueuedEvent]
    assert (genesis[0].entry, genesis[0].account, genesis[0].owner) == (0, MAKER_ACCOUNT, venue.maker)
    assert (genesis[0].depositor, genesis[0].amount, genesis[0].key_digest) == (venue.maker, MAKER_DEPOSIT, bytes(32))
    assert genesis[1].queue_hash == venue.client.queue_hash()
