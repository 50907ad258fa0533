"""Gas of every action on the contracts, measured on a throw-away chain: ``python -m engine.settlement.gas_report``."""

from __future__ import annotations

import sys

import msgspec

from engine.errors import UnknownName
from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.batch import Batch, ExternalFlow
from engine.sequencer.meter import MAX_ENTRIES
from engine.settlement.chain.blocks import Receipt
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import address_of
from engine.settlement.genesis import FIRST_HANDED_OUT, GenesisAccount, allocation, genesis, venue_deployment
from engine.settlement.keys.keys import role_key
from engine.settlement.relay.relayer import Relayer, proved_batch
from engine.settlement.stand_in import yes_verifiers
from engine.units import SECOND, AccountId

DEPOSIT = 10**9
REPORT_TIME = 1_700_000_000 * SECOND


def gas_figures() -> dict[str, int]:
    """Gas used per action, calldata floor included. Updates are those of the exchange contract alone: a stand-in says
    yes for the verifiers, whose gas ``engine.settlement.verifier.gas_model`` has."""
    return measured_chain()[1]


def measured_chain() -> tuple[Chain, dict[str, int]]:
    """A chain on which every action of the contracts happened, and the gas of each."""
    maker, operator = (role_key(DEFAULT_CONFIG.seed, role) for role in ("maker", "operator"))
    owner = address_of(maker)
    chain = Chain(DEFAULT_CONFIG.chain_id, allocation(DEFAULT_CONFIG), REPORT_TIME, MemoryBlockStore())
    verifiers = yes_verifiers(DEFAULT_CONFIG)
    deployment = venue_deployment(DEFAULT_CONFIG, bytes(32), verifiers.digests, bytes(32))
    config, account = DEFAULT_CONFIG, GenesisAccount(16, maker, DEPOSIT, 10**9)
    client = genesis(chain, DEFAULT_CONFIG, deployment, verifiers, (account,), REPORT_TIME)
    names = ("deploy token", "deploy exchange", "send ether", "mint", "approve", "deposit, first")
    receipts = chain.head.receipts
    figures = {name: receipt.gas_used for name, receipt in zip(names, (*receipts[:2], *receipts[-4:]), strict=True)}
    relayer, number = Relayer(client, deployment, verifiers, operator, _no_proof), 0

    def send(name: str, raw: bytes) -> None:
        figures[name] = _gas(chain.build_block([raw], REPORT_TIME).receipts)

    def post(name: str, deposits: dict[int, int], owners: list[bytes], queue_count: int = 0) -> None:
        nonlocal number
        number += 1
        incoming = tuple(ExternalFlow(AccountId(index), owner, amount) for index, amount in deposits.items())
        outgoing = tuple(ExternalFlow(AccountId(index), to, 1) for index, to in enumerate(owners))
        batch = Batch(
            number=number,
            old_root=(number - 1,) + (0,) * 7,
            new_root=(number,) + (0,) * 7,
            updates=(),
            deposits=incoming,
            withdrawals=outgoing,
            queue_count=queue_count,
            transactions=0,
            first_sequence=0,
            last_sequence=0,
            opened_at=0,
            closed_at=0,
        )
        figures[name] = relayer.post(proved_batch(client, deployment, batch, ""), REPORT_TIME).gas_used

    send("deposit, further", client.deposit(maker, 16, 5, chain.nonce(owner)))
    send("open account", client.open_account(maker, bytes(32), config.min_opening_deposit, chain.nonce(owner)))
    send("request reclaim", client.request_reclaim(maker, 2, chain.nonce(owner)))
    post("update, first", {}, [])
    post("update, empty", {}, [])
    post("update, 1 deposit", {16: DEPOSIT}, [], queue_count=1)
    post("update, 1 withdrawal", {}, [owner])
    send("withdraw", client.withdraw(maker, owner, chain.nonce(owner)))
    post("update, a deposit and an opening", {16: 5, FIRST_HANDED_OUT: config.min_opening_deposit}, [], queue_count=2)
    for _ in range(64):
        chain.build_block([client.deposit(maker, 16, 5, chain.nonce(owner))], REPORT_TIME)
    post("update, 64 deposits to one account", {16: 5 * 64}, [], queue_count=64)
    opening = config.min_opening_deposit
    for _ in range(64):
        chain.build_block([client.open_account(maker, bytes(32), opening, chain.nonce(owner))], REPORT_TIME)
    opened = {FIRST_HANDED_OUT + 1 + place: opening for place in range(64)}
    post("update, 64 openings", opened, [], queue_count=64)
    strangers = [index.to_bytes(20, "big") for index in range(1, MAX_ENTRIES + 1)]
    post("update, 64 withdrawals to new owners", {}, strangers[:64])
    post(f"update, {MAX_ENTRIES} withdrawals, the worst case", {}, [owner[::-1] for owner in strangers])
    return chain, figures


def _no_proof(digest: str) -> bytes:
    raise UnknownName("proof", digest, [])


def _gas(receipts: tuple[Receipt, ...]) -> int:
    return sum(receipt.gas_used for receipt in receipts)


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(gas_figures())).decode() + "\n")
