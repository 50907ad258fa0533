# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Proofline exchange
@notice Holds the collateral of the layer 2, keeps its state root and accepts a new root per batch.
        A batch needs a fact that a verifier contract registered after checking a whole proof on this chain. Nobody's
        word replaces it, and there is no owner and no way to change a verifier. The operator has to send the batch as
        well: today's statement proves no signatures, so that a stranger's true proof could hand him what others hold.
@dev Outputs are passed as the packed bytes that the fact commits to, so there is one encoding of a batch's effects:
     entries of 37 bytes, deposits first, then withdrawals, each
         kind (1 byte: 0 deposit, 1 withdrawal) | account (8, big-endian) | owner (20) | amount (8, big-endian).
     A batch holds at most 512 entries. Roots are eight field elements, 4 bytes big-endian each, element 0 first.
"""

from ethereum.ercs import IERC20

interface Verifier:
    def is_valid(fact: bytes32) -> bool: view

event Deposit:
    account: indexed(uint64)
    owner: indexed(address)
    amount: uint64

event WithdrawalAllowed:
    owner: indexed(address)
    account: indexed(uint64)
    amount: uint64
    batch_number: uint64

event StateUpdate:
    batch_number: indexed(uint64)
    fact: indexed(bytes32)
    old_root: bytes32
    new_root: bytes32
    entries: uint256

event Withdrawn:
    owner: indexed(address)
    amount: uint256

# KoalaBear's modulus, 2^31 - 2^24 + 1: every limb of a root lies below it.
FIELD_MODULUS: constant(uint256) = 2130706433
LIMB_MASK: constant(uint256) = 2**32 - 1
WORD64_MASK: constant(uint256) = 2**64 - 1
ADDRESS_MASK: constant(uint256) = 2**160 - 1
ENTRY_BYTES: constant(uint256) = 37
MAX_ENTRIES: constant(uint256) = 512
MAX_OUTPUT_BYTES: constant(uint256) = ENTRY_BYTES * MAX_ENTRIES
# A leaf's collateral is a signed 64-bit integer.
MAX_AMOUNT: constant(uint64) = 2**63 - 1

# Named parameter sets that proofs may be made with; each has a verifier contract of its own.
MAX_PROFILES: constant(uint256) = 4

TOKEN: public(immutable(IERC20))
# Sends the batches: needed beside the fact, never instead of it.
OPERATOR: public(immutable(address))
STATEMENT_ID: public(immutable(bytes32))
# Profile i: the contract that registers its facts, and the digest of its parameters that these facts bind.
VERIFIERS: immutable(DynArray[address, MAX_PROFILES])
PARAMETER_DIGESTS: immutable(DynArray[bytes32, MAX_PROFILES])
CONFIG_HASH: public(immutable(bytes32))
# Ids at or above it do not exist in the accounts tree; a deposit to one could never be included.
ACCOUNT_LIMIT: public(immutable(uint64))

state_root: public(bytes32)
last_batch: public(uint64)
pending_deposits: public(HashMap[uint64, HashMap[address, uint256]])
withdrawable: public(HashMap[address, uint256])
# Sums of the two maps above, so that "tokens held = pending + withdrawable + collateral on layer 2" is one read each.
total_pending: public(uint256)
total_withdrawable: public(uint256)


@deploy
def __init__(
    token: IERC20,
    operator: address,
    statement_id: bytes32,
    verifiers: DynArray[address, MAX_PROFILES],
    parameter_digests: DynArray[bytes32, MAX_PROFILES],
    config_hash: bytes32,
    genesis_root: bytes32,
    account_limit: uint64,
):
    assert operator != empty(address), "zero operator"
    assert len(verifiers) != 0 and len(verifiers) == len(parameter_digests), "profiles"
    for verifier: address in verifiers:
        assert verifier != empty(address), "zero verifier"
    self._check_root(genesis_root)
    TOKEN = token
    OPERATOR = operator
    STATEMENT_ID = statement_id
    VERIFIERS = verifiers
    PARAMETER_DIGESTS = parameter_digests
    CONFIG_HASH = config_hash
    ACCOUNT_LIMIT = account_limit
    self.state_root = genesis_root


@external
@nonreentrant
def deposit(account: uint64, amount: uint64):
    """
    @notice Pulls `amount` token quanta from the caller; they stay pending until a batch credits `account` with them.
    """
    assert account < ACCOUNT_LIMIT, "account out of range"
    assert amount != 0 and amount <= MAX_AMOUNT, "amount out of range"
    self.pending_deposits[account][msg.sender] += convert(amount, uint256)
    self.total_pending += convert(amount, uint256)
    log Deposit(account=account, owner=msg.sender, amount=amount)
    assert extcall TOKEN.transferFrom(
        msg.sender, self, convert(amount, uint256), default_return_value=True
    ), "token transfer failed"


@external
@nonreentrant
def update_state(
    profile: uint256, batch_number: uint64, old_root: bytes32, new_root: bytes32, outputs: Bytes[MAX_OUTPUT_BYTES]
):
    """
    @notice Moves the layer 2 from `old_root` to `new_root`: called by the operator, for a fact of exactly these arguments
            that the verifier of `profile` registered.
    @param profile Which verifier vouches for the batch, by its place in the list.
    """
    assert msg.sender == OPERATOR, "only the operator posts batches"
    assert batch_number == self.last_batch + 1, "wrong batch number"
    # The stored root is canonical by induction, so only the new one needs the check of its limbs.
    assert old_root == self.state_root, "wrong old root"
    self._check_root(new_root)
    assert profile < len(VERIFIERS), "unknown profile"
    fact: bytes32 = self._fact(PARAMETER_DIGESTS[profile], batch_number, old_root, new_root, keccak256(outputs))
    assert staticcall Verifier(VERIFIERS[profile]).is_valid(fact), "fact not registered"

    self.last_batch = batch_number
    self.state_root = new_root
    entries: uint256 = self._apply(batch_number, outputs)
    log StateUpdate(batch_number=batch_number, fact=fact, old_root=old_root, new_root=new_root, entries=entries)


@external
@nonreentrant
def withdraw(owner: address):
    """
    @notice Pays `owner` its whole withdrawable balance. Anyone may call it; the money goes to `owner` only.
    """
    amount: uint256 = self.withdrawable[owner]
    assert amount != 0, "nothing to withdraw"
    self.withdrawable[owner] = 0
    self.total_withdrawable -= amount
    log Withdrawn(owner=owner, amount=amount)
    assert extcall TOKEN.transfer(owner, amount, default_return_value=True), "token transfer failed"


@external
@view
def profiles() -> (DynArray[address, MAX_PROFILES], DynArray[bytes32, MAX_PROFILES]):
    """
    @notice Every profile's verifier contract and parameter digest.
    """
    return VERIFIERS, PARAMETER_DIGESTS


@external
@view
def fact_of(
    profile: uint256, batch_number: uint64, old_root: bytes32, new_root: bytes32, outputs_hash: bytes32
) -> bytes32:
    """
    @notice The fact that an update with these values needs of the profile's verifier on this chain.
    """
    return self._fact(PARAMETER_DIGESTS[profile], batch_number, old_root, new_root, outputs_hash)


@internal
@view
def _fact(
    parameter_digest: bytes32, batch_number: uint64, old_root: bytes32, new_root: bytes32, outputs_hash: bytes32
) -> bytes32:
    # Nine words of 32 bytes. They bind a proof to its statement, parameters, configuration, chain, contract and place.
    return keccak256(
        abi_encode(
            STATEMENT_ID,
            parameter_digest,
            CONFIG_HASH,
            chain.id,
            self,
            batch_number,
            old_root,
            new_root,
            outputs_hash,
        )
    )


@internal
@pure
def _check_root(root: bytes32):
    rest: uint256 = convert(root, uint256)
    for _: uint256 in range(8):
        assert rest & LIMB_MASK < FIELD_MODULUS, "root limb out of range"
        rest = rest >> 32


@internal
def _apply(batch_number: uint64, outputs: Bytes[MAX_OUTPUT_BYTES]) -> uint256:
    """
    @dev Debits and credits every entry; returns their number. An entry is read as two overlapping words:
         `head` is bytes 0 to 31 (kind, account, owner, ...), `tail` is bytes 5 to 36 (..., owner, amount).
    """
    size: uint256 = len(outputs)
    assert size % ENTRY_BYTES == 0, "outputs are not whole entries"
    entries: uint256 = size // ENTRY_BYTES
    debited: uint256 = 0
    credited: uint256 = 0
    withdrawals_began: bool = False
    for index: uint256 in range(entries, bound=MAX_ENTRIES):
        offset: uint256 = index * ENTRY_BYTES
        head: uint256 = convert(extract32(outputs, offset), uint256)
        tail: uint256 = convert(extract32(outputs, offset + 5), uint256)
        kind: uint256 = head >> 248
        account: uint64 = convert((head >> 184) & WORD64_MASK, uint64)
        owner: address = convert(convert((tail >> 64) & ADDRESS_MASK, uint160), address)
        amount: uint256 = tail & WORD64_MASK
        assert amount != 0 and amount <= convert(MAX_AMOUNT, uint256), "amount out of range"
        if kind == 0:
            assert not withdrawals_began, "deposit after a withdrawal"
            pending: uint256 = self.pending_deposits[account][owner]
            assert pending >= amount, "pending deposit too small"
            self.pending_deposits[account][owner] = pending - amount
            debited += amount
        else:
            assert kind == 1, "unknown kind of entry"
            # Such a balance could never be paid: the token refuses transfers to the zero address.
            assert owner != empty(address), "withdrawal to the zero address"
            withdrawals_began = True
            self.withdrawable[owner] += amount
            credited += amount
            log WithdrawalAllowed(
                owner=owner, account=account, amount=convert(amount, uint64), batch_number=batch_number
            )
    if debited != 0:
        self.total_pending -= debited
    if credited != 0:
        self.total_withdrawable += credited
    return entries
