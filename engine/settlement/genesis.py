"""First blocks of a venue's chain: contracts deployed, test tokens minted and deposited, all in one block.

One block means that a crash leaves either nothing or everything; doing it again after a restart is a no-op.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.exchange.config import VenueConfig, config_hash
from engine.settlement.blocks import Block
from engine.settlement.chain import Chain
from engine.settlement.client import UNLIMITED, Client, Deployment, deployed_addresses, deployment_transactions
from engine.settlement.errors import Reverted, RootDivergence
from engine.settlement.keys import role_key
from engine.settlement.transactions import BASE_GAS, address_of, sign_transaction

ETHER = 10**18
ROLE_ETHER = 1_000_000
ACCOUNT_ETHER = 100


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """A funded account: ``key`` (32 bytes) owns it on L1, ``deposit`` quanta go to it, ``wallet`` stay on L1."""

    account: int
    key: bytes
    deposit: int
    wallet: int = 0


def allocation(config: VenueConfig) -> dict[bytes, int]:
    """Test ether of the genesis block: deployer and operator. Everyone else is funded by the deployer."""
    return {
        address_of(role_key(config.seed, "deployer")): ROLE_ETHER * ETHER,
        address_of(role_key(config.seed, "operator")): ROLE_ETHER * ETHER,
    }


def venue_client(chain: Chain, config: VenueConfig) -> Client:
    """The client of a venue's contracts; their addresses follow from the configuration's seed."""
    return Client(chain, *deployed_addresses(address_of(role_key(config.seed, "deployer"))))


def venue_deployment(
    config: VenueConfig, statement_id: bytes, verifier_parameter_digest: bytes, genesis_root: bytes
) -> Deployment:
    """What the venue's exchange contract is deployed with; three 32-byte values."""
    return Deployment(
        operator=address_of(role_key(config.seed, "operator")),
        statement_id=statement_id,
        verifier_parameter_digest=verifier_parameter_digest,
        config_hash=config_hash(config),
        genesis_root=genesis_root,
        account_limit=2**config.tree_height,
    )


def genesis(
    chain: Chain, config: VenueConfig, deployment: Deployment, accounts: Sequence[GenesisAccount], time: int
) -> Client:
    """Deploy and fund everything in block 1, unless the chain has it already; returns the client.

    Raises :class:`RootDivergence` when the chain's contract was deployed with other constants (another statement,
    another configuration), and :class:`Reverted` when a transaction of the block fails.
    """
    client = venue_client(chain, config)
    if chain.head.number == 0:
        _check(chain.build_block(_transactions(client, config, deployment, accounts), time))
    found = client.deployment()
    for name in ("operator", "statement_id", "verifier_parameter_digest", "config_hash", "account_limit"):
        if getattr(found, name) != getattr(deployment, name):
            raise RootDivergence(
                f"the chain's exchange contract was deployed with another {name}",
                field=name,
                value=getattr(found, name),
                limit=getattr(deployment, name),
            )
    return client


def fund(client: Client, config: VenueConfig, account: GenesisAccount) -> list[bytes]:
    """Transactions that give a further account ether and tokens, and deposit: for one block."""
    return _fund(client, role_key(config.seed, "deployer"), account, None)


def _transactions(
    client: Client, config: VenueConfig, deployment: Deployment, accounts: Sequence[GenesisAccount]
) -> list[bytes]:
    deployer = role_key(config.seed, "deployer")
    raws = deployment_transactions(client.chain.chain_id, deployer, client.token, deployment)
    nonce = len(raws)
    for account in accounts:
        raws += _fund(client, deployer, account, nonce)
        nonce += 2
    return raws


def _fund(client: Client, deployer: bytes, account: GenesisAccount, nonce: int | None) -> list[bytes]:
    chain, owner = client.chain, address_of(account.key)
    if nonce is None:
        nonce = chain.nonce(address_of(deployer))
    own_nonce = chain.nonce(owner)
    ether = sign_transaction(
        deployer,
        chain_id=chain.chain_id,
        nonce=nonce,
        to=owner,
        value=ACCOUNT_ETHER * ETHER,
        gas_limit=BASE_GAS,
    )
    raws = [ether, client.mint(deployer, owner, account.deposit + account.wallet, nonce + 1)]
    if account.deposit:
        raws.append(client.approve(account.key, UNLIMITED, own_nonce))
        raws.append(client.deposit(account.key, account.account, account.deposit, own_nonce + 1))
    return raws


def _check(block: Block) -> None:
    for receipt in block.receipts:
        if not receipt.status:
            raise Reverted(f"genesis transaction {receipt.index}", receipt.reason)
