"""First blocks of a venue's chain: contracts deployed, test tokens minted and deposited.

Senders and nonces are fixed, and the deployer's transactions come in order, those of funded accounts last. So what an
interrupted genesis left to do is told by the senders' nonces, and doing it again after a restart is a no-op. On the
embedded chain all of it fits one block; a node, or a chain with smaller blocks, may need several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.exchange.config import VenueConfig, config_hash
from engine.proving.parameters import PROFILES
from engine.settlement.chain.blocks import Block
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.ledger import Ledger
from engine.settlement.chain.transactions import (
    BASE_GAS,
    Transaction,
    address_of,
    contract_address,
    decode_transaction,
    sign_transaction,
)
from engine.settlement.chain.world import BLOCK_GAS_LIMIT
from engine.settlement.errors import Reverted, RootDivergence
from engine.settlement.keys.keys import role_key
from engine.settlement.relay.client import (
    DEPLOY_GAS,
    UNLIMITED,
    Client,
    Deployment,
    Reserved,
    creation_codes,
    deployed_addresses,
)
from engine.settlement.relay.verifiers import VenueVerifiers, verifier_addresses
from engine.units import SECOND

ETHER = 10**18
ROLE_ETHER = 1_000_000
ACCOUNT_ETHER = 1
VERIFIER_GAS = 6_200_000
"""Gas limit of a verifier contract's creation: the largest code that a chain takes costs 4.9 M to store alone."""
FIRST_HANDED_OUT = 32
"""The first id that the contract hands out; those below it get their owners, where they have one, at deployment."""
OPERATOR_ETHER = 10
"""What the operator gets of the deployer where it holds less."""


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """A funded account: ``key`` (32 bytes) owns it on L1, ``deposit`` quanta go to it, ``wallet`` stay on L1."""

    account: int
    key: bytes
    deposit: int
    wallet: int = 0


_CONSTANTS = (
    "operator",
    "statement_id",
    "verifiers",
    "parameter_digests",
    "config_hash",
    "account_limit",
    "min_opening",
    "reclaim_delay",
    "first_account",
)


def allocation(config: VenueConfig) -> dict[bytes, int]:
    """Test ether of the genesis block: deployer and operator. Everyone else is funded by the deployer."""
    return {
        address_of(role_key(config.seed, "deployer")): ROLE_ETHER * ETHER,
        address_of(role_key(config.seed, "operator")): ROLE_ETHER * ETHER,
    }


def venue_client(chain: Ledger, config: VenueConfig) -> Client:
    """The client of a venue's contracts; their addresses follow from the configuration's seed."""
    deployer = address_of(role_key(config.seed, "deployer"))
    return Client(chain, *deployed_addresses(deployer), verifier_addresses(deployer, len(PROFILES)))


def reserved_accounts(accounts: Sequence[GenesisAccount], owners: Reserved = ()) -> Reserved:
    """Accounts that have an owner from the deployment on, ascending: the funded ones and ``owners``."""
    return tuple(sorted([*((account.account, address_of(account.key)) for account in accounts), *owners]))


def venue_deployment(
    config: VenueConfig, statement_id: bytes, parameter_digests: Sequence[bytes], genesis_root: bytes
) -> Deployment:
    """What the venue's exchange contract is deployed with; 32-byte values, one digest per profile."""
    deployer = address_of(role_key(config.seed, "deployer"))
    return Deployment(
        operator=address_of(role_key(config.seed, "operator")),
        statement_id=statement_id,
        verifiers=tuple(place.opening for place in verifier_addresses(deployer, len(parameter_digests))),
        parameter_digests=tuple(parameter_digests),
        config_hash=config_hash(config),
        genesis_root=genesis_root,
        account_limit=2**config.tree_height,
        min_opening=config.min_opening_deposit,
        reclaim_delay=config.reclaim_delay // SECOND,
        first_account=FIRST_HANDED_OUT,
    )


def genesis(
    chain: Ledger,
    config: VenueConfig,
    deployment: Deployment,
    verifiers: VenueVerifiers,
    accounts: Sequence[GenesisAccount],
    time: int,
    owners: Reserved = (),
) -> Client:
    """Deploy and fund everything that the chain does not have already; returns the client.

    ``owners``: further accounts that have an owner from the beginning, unfunded.

    Raises :class:`RootDivergence` when the chain's contracts were deployed with other constants (another statement,
    another configuration), and :class:`Reverted` when a transaction of the block fails.
    """
    client = venue_client(chain, config)
    if not is_complete(client, accounts):
        for group in _groups(_missing(chain, _transactions(client, config, deployment, verifiers, accounts, owners))):
            for block in chain.include(group, time):
                _check(block)
    found = client.deployment()
    for name in _CONSTANTS:
        if getattr(found, name) != getattr(deployment, name):
            raise RootDivergence(
                f"the chain's exchange contract was deployed with another {name}",
                field=name,
                value=getattr(found, name),
                limit=getattr(deployment, name),
            )
    for account, owner in reserved_accounts(accounts, owners):
        if client.account_owner(account) != owner:
            raise RootDivergence(
                f"account {account} belongs to somebody else on the chain's exchange contract",
                field=f"owner of account {account}",
                value=client.account_owner(account),
                limit=owner,
            )
    verifiers.check(client, deployment)
    return client


def check_codes(client: Client, config: VenueConfig, deployment: Deployment, verifiers: VenueVerifiers) -> None:
    """Raise :class:`RootDivergence` unless every contract on the chain is byte for byte the one deployed here.

    For a chain that others write to: a contract there may answer for itself whatever it likes. The creations are
    executed on a scratch chain and the codes compared; half a second of work.
    """
    deployer = role_key(config.seed, "deployer")
    creator = address_of(deployer)
    scratch = Chain(client.chain.chain_id, {creator: ROLE_ETHER * ETHER}, 0, MemoryBlockStore())
    raws = _creations(scratch, client, config, deployment, verifiers)
    for group in _groups([decode_transaction(raw, scratch.chain_id) for raw in raws]):
        for block in scratch.include(group, 0):
            _check(block)
    for nonce in range(len(raws)):
        place = contract_address(creator, nonce)
        if client.chain.code(place) != scratch.code(place):
            raise RootDivergence(
                f"the contract at 0x{place.hex()} on L1 is not the one that this program deploys there",
                field="contract",
                value=place.hex(),
            )


def is_complete(client: Client, accounts: Sequence[GenesisAccount]) -> bool:
    """Whether the contracts are there and every account has made its deposit."""
    chain = client.chain
    depositors = [address_of(account.key) for account in accounts if account.deposit]
    contracts = (client.exchange, *client.verifier_contracts)
    return all(map(chain.code, contracts)) and all(chain.nonce(owner) >= 2 for owner in depositors)


def fund(client: Client, config: VenueConfig, account: GenesisAccount) -> list[bytes]:
    """Transactions that give a further account ether and tokens, and deposit: for one block."""
    deployer = role_key(config.seed, "deployer")
    given, own = _fund(client, deployer, account, client.chain.nonce(address_of(deployer)))
    return [*given, *own]


def _transactions(
    client: Client,
    config: VenueConfig,
    deployment: Deployment,
    verifiers: VenueVerifiers,
    accounts: Sequence[GenesisAccount],
    owners: Reserved,
) -> list[bytes]:
    """All of genesis, the deployer's first: what an account sends needs the ether that it was given before."""
    deployer = role_key(config.seed, "deployer")
    chain, owned = client.chain, []
    raws = _creations(chain, client, config, deployment, verifiers, reserved_accounts(accounts, owners))
    for account in accounts:
        given, own = _fund(client, deployer, account, len(raws), own_nonce=0)
        raws += given
        owned += own
    operator = address_of(role_key(config.seed, "operator"))
    if chain.balance(operator) < OPERATOR_ETHER * ETHER:
        raws.append(_ether(chain, deployer, operator, OPERATOR_ETHER, len(raws)))
    return raws + owned


def _creations(
    chain: Ledger,
    client: Client,
    config: VenueConfig,
    deployment: Deployment,
    verifiers: VenueVerifiers,
    reserved: Reserved = (),
) -> list[bytes]:
    """The deployer's first transactions, signed for ``chain``: token, exchange, verifiers."""
    deployer = role_key(config.seed, "deployer")
    codes = [(code, DEPLOY_GAS) for code in creation_codes(client.token, deployment, reserved)]
    codes += [(code, VERIFIER_GAS) for code in verifiers.creation_codes(address_of(deployer), client.exchange)]
    return [_creation(chain, deployer, code, gas, nonce) for nonce, (code, gas) in enumerate(codes)]


def _missing(chain: Ledger, raws: Sequence[bytes]) -> list[Transaction]:
    """Those whose nonce their sender has not used yet."""
    missing: list[Transaction] = []
    used: dict[bytes, int] = {}
    for raw in raws:
        transaction = decode_transaction(raw, chain.chain_id)
        if transaction.sender not in used:
            used[transaction.sender] = chain.nonce(transaction.sender)
        if transaction.nonce >= used[transaction.sender]:
            missing.append(transaction)
    return missing


def _groups(transactions: Sequence[Transaction]) -> Iterator[list[bytes]]:
    """As many as blocks have gas for, by their gas limits."""
    group: list[bytes] = []
    gas = 0
    for transaction in transactions:
        if group and gas + transaction.gas_limit > BLOCK_GAS_LIMIT:
            yield group
            group, gas = [], 0
        group.append(transaction.raw)
        gas += transaction.gas_limit
    if group:
        yield group


def _fund(
    client: Client, deployer: bytes, account: GenesisAccount, nonce: int, own_nonce: int | None = None
) -> tuple[list[bytes], list[bytes]]:
    """What the deployer sends from its ``nonce`` on (ether and tokens), and what the account sends (its deposit)."""
    chain, owner = client.chain, address_of(account.key)
    amount = account.deposit + account.wallet
    given = [
        _ether(chain, deployer, owner, ACCOUNT_ETHER, nonce),
        client.mint(deployer, owner, amount, nonce + 1),
    ]
    if not account.deposit:
        return given, []
    if own_nonce is None:
        own_nonce = chain.nonce(owner)
    return given, [
        client.approve(account.key, UNLIMITED, own_nonce),
        client.deposit(account.key, account.account, account.deposit, own_nonce + 1),
    ]


def _creation(chain: Ledger, key: bytes, code: bytes, gas: int, nonce: int) -> bytes:
    return sign_transaction(
        key, chain_id=chain.chain_id, nonce=nonce, to=b"", data=code, gas_limit=gas, gas_price=chain.gas_price
    )


def _ether(chain: Ledger, key: bytes, to: bytes, ether: int, nonce: int) -> bytes:
    return sign_transaction(
        key,
        chain_id=chain.chain_id,
        nonce=nonce,
        to=to,
        value=ether * ETHER,
        gas_limit=BASE_GAS,
        gas_price=chain.gas_price,
    )


def _check(block: Block) -> None:
    for receipt in block.receipts:
        if not receipt.status:
            raise Reverted(f"genesis transaction {receipt.index}", receipt.reason)
