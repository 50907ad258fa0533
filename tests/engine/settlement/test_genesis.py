"""Deployment and first funding: one block, known addresses, safe to repeat."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.settlement.chain.chain import MemoryBlockStore
from engine.settlement.chain.transactions import GAS_PRICE, address_of, contract_address
from engine.settlement.errors import Reverted, RootDivergence
from engine.settlement.genesis import (
    ACCOUNT_ETHER,
    ETHER,
    GenesisAccount,
    check_codes,
    fund,
    genesis,
    venue_client,
)
from engine.settlement.keys.keys import role_key
from engine.settlement.relay.watcher import inputs_since
from engine.settlement.stand_in import yes_verifiers
from tests.support.settlement_venue import (
    DIGESTS,
    MAKER_ACCOUNT,
    START,
    TAKER_ACCOUNT,
    TAKER_DEPOSIT,
    WALLET,
    Venue,
    deployment,
    new_chain,
    open_venue,
    told_verifiers,
)


def test_addresses_follow_from_the_seed(venue: Venue) -> None:
    deployer = address_of(role_key(DEFAULT_CONFIG.seed, "deployer"))
    assert venue.client.token == contract_address(deployer, 0)
    assert venue.client.exchange == contract_address(deployer, 1)
    other = venue_client(venue.chain, msgspec.structs.replace(DEFAULT_CONFIG, seed=2))
    assert other.exchange != venue.client.exchange


def test_genesis_is_one_block_and_repeating_it_does_nothing(venue: Venue) -> None:
    assert venue.chain.head.number == 2
    client = genesis(venue.chain, DEFAULT_CONFIG, deployment(), told_verifiers(), (), START + 5)
    assert venue.chain.head.number == 2
    assert client.exchange == venue.client.exchange


def test_every_account_gets_ether_tokens_and_its_deposit(venue: Venue) -> None:
    for owner in (venue.maker, venue.taker):
        spent = 300_000 * GAS_PRICE
        assert ACCOUNT_ETHER * ETHER - spent < venue.chain.balance(owner) < ACCOUNT_ETHER * ETHER
        assert venue.client.token_balance(owner) == WALLET
    block, _ = inputs_since(venue.client, 0, 0)
    assert [deposit.account for deposit in block.deposits] == [MAKER_ACCOUNT, TAKER_ACCOUNT]


def test_another_statement_or_configuration_is_noticed(venue: Venue) -> None:
    changes = {
        "operator": b"\x77" * 20,
        "statement_id": b"\x77" * 32,
        "config_hash": b"\x77" * 32,
        "parameter_digests": (DIGESTS[0], b"\x77" * 32),
        "verifiers": (b"\x77" * 20, deployment().verifiers[1]),
    }
    for name, value in changes.items():
        other = replace(deployment(), **{name: value})
        with pytest.raises(RootDivergence, match=name) as refused:
            genesis(venue.chain, DEFAULT_CONFIG, other, told_verifiers(), (), START)
        assert refused.value.field == name


def test_contracts_of_others_are_noticed_by_their_code(venue: Venue) -> None:
    """A verifier that says yes to everything may name any statement and digest: only its code tells."""
    check_codes(venue.client, DEFAULT_CONFIG, deployment(), told_verifiers())
    deployer = address_of(role_key(DEFAULT_CONFIG.seed, "deployer"))
    with pytest.raises(RootDivergence, match="not the one") as refused:
        check_codes(venue.client, DEFAULT_CONFIG, deployment(), yes_verifiers(DEFAULT_CONFIG))
    assert refused.value.value == contract_address(deployer, 2).hex()
    with pytest.raises(RootDivergence, match="not the one") as refused:
        check_codes(venue.client, DEFAULT_CONFIG, replace(deployment(), operator=b"\x77" * 20), told_verifiers())
    assert refused.value.value == venue.client.exchange.hex()


def test_a_failing_genesis_is_reported() -> None:
    beyond = GenesisAccount(2**DEFAULT_CONFIG.tree_height, b"\x09" * 32, 5)
    with pytest.raises(Reverted, match="reserved account"):
        genesis(new_chain(MemoryBlockStore()), DEFAULT_CONFIG, deployment(), told_verifiers(), (beyond,), START)


def test_a_later_account_is_funded_in_one_block(venue: Venue) -> None:
    later = GenesisAccount(TAKER_ACCOUNT, b"\x09" * 32, 700, 30)
    receipts = venue.send(*fund(venue.client, DEFAULT_CONFIG, later))
    assert [receipt.status for receipt in receipts] == [1, 1, 1, 1]
    owner = address_of(later.key)
    assert venue.client.pending(TAKER_ACCOUNT) == TAKER_DEPOSIT + 700
    assert venue.client.token_balance(owner) == 30
    again = venue.send(*fund(venue.client, DEFAULT_CONFIG, replace(later, deposit=1, wallet=0)))
    assert [receipt.status for receipt in again] == [1, 1, 1, 1]
    assert venue.client.pending(TAKER_ACCOUNT) == TAKER_DEPOSIT + 701
    assert open_venue(venue.store.records).client.pending(TAKER_ACCOUNT) == TAKER_DEPOSIT + 701


def test_an_account_without_deposit_only_gets_a_wallet(venue: Venue) -> None:
    raws = fund(venue.client, DEFAULT_CONFIG, GenesisAccount(20, b"\x0a" * 32, 0, 30))
    assert len(raws) == 2
    venue.send(*raws)
    assert venue.client.token_balance(address_of(b"\x0a" * 32)) == 30
