# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Proofline exchange
@notice Holds the collateral of the layer 2, hands out its account ids, keeps its state root and accepts a new root per batch.
        A batch needs a fact that a verifier contract registered after checking a whole proof on this chain. Nobody's
        word replaces it, and there is no owner and no way to change a verifier. The operator has to send the batch as
        well: today's statement proves no signatures, so that a stranger's true proof could hand him what others hold.
@dev Outputs are passed as the packed bytes that the fact commits to, so there is one encoding of a batch's effects:
     entries of 37 bytes, deposits first, then withdrawals, each
         kind (1 byte: 0 deposit, 1 withdrawal) | account (8, big-endian) | owner (20) | amount (8, big-endian).
     A batch holds at most 512 entries. Roots are eight field elements, 4 bytes big-endian each, element 0 first.

     Openings and deposits stand in one queue with numbers 0, 1, 2, ... and a rolling hash. A batch takes the next
     `queue_count` of them, in order: what they hold, summed by account, must be exactly the deposits of its outputs.
     A depositor may ask for a deposit back. `RECLAIM_DELAY` seconds later his entry, if no batch took it before, counts
     as zero and the money is his alone. Which of the two it is depends on the time of the block, never on the order of
     transactions in it.
"""

from ethereum.ercs import IERC20

interface Verifier:
    def is_valid(fact: bytes32) -> bool: view

event Queued:
    entry: indexed(uint64)
    account: indexed(uint64)
    owner: indexed(address)
    depositor: address
    amount: uint64
    key_digest: bytes32
    queue_hash: bytes32

event ReclaimRequested:
    entry: indexed(uint64)
    reclaim_at: uint64

event Reclaimed:
    entry: indexed(uint64)
    depositor: indexed(address)
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
    queue_consumed: uint64

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
# All tokens held; keeps every sum of leaves inside 64 bits, so that each entry of the queue can be credited.
MAX_HELD: constant(uint256) = 2**62
# Entries of the queue that one batch may take, and that one block may add: nobody fills queue or ids in one go.
MAX_QUEUE_COUNT: constant(uint256) = 512
ENTRIES_PER_BLOCK: constant(uint256) = 64
# Accounts that have an owner from the beginning.
MAX_RESERVED: constant(uint256) = 64

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
# Ids at or above it do not exist in the accounts tree.
ACCOUNT_LIMIT: public(immutable(uint64))
# What opening an account takes at least, in quanta: ids are not free.
MIN_OPENING: public(immutable(uint64))
# Seconds from asking for a deposit back to having it.
RECLAIM_DELAY: public(immutable(uint64))
# The first id that was handed out; those below it with an owner got him at deployment.
FIRST_ACCOUNT: public(immutable(uint64))

state_root: public(bytes32)
last_batch: public(uint64)
# The next id to be handed out; who owns an account, from its opening on and for good.
next_account: public(uint64)
account_owner: public(HashMap[uint64, address])
# The queue: how many entries there are, how many of them batches took, the rolling hash over all of them.
queue_length: public(uint64)
queue_consumed: public(uint64)
queue_hash: public(bytes32)
# Entry i in two words, depositor | account << 160 and amount | reclaim_at << 64. The amount is zero once it was
# credited or paid back; `reclaim_at` (seconds) is zero until it is asked for.
queue_places: HashMap[uint64, uint256]
queue_amounts: HashMap[uint64, uint256]
# Number of the last block with an entry << 64 | how many it has.
queue_block: uint256
withdrawable: public(HashMap[address, uint256])
# Sums, so that "tokens held = pending + withdrawable + collateral on layer 2" is one read each.
total_pending: public(uint256)
total_withdrawable: public(uint256)
# What the queue's entries bring each account in the batch at hand; all zero between transactions.
due: transient(HashMap[uint64, uint256])


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
    min_opening: uint64,
    reclaim_delay: uint64,
    first_account: uint64,
    reserved_accounts: DynArray[uint64, MAX_RESERVED],
    reserved_owners: DynArray[address, MAX_RESERVED],
):
    """
    @param first_account The first id that is handed out.
    @param reserved_accounts Accounts below it that get an owner here, ascending.
    """
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
    MIN_OPENING = min_opening
    RECLAIM_DELAY = reclaim_delay
    self.state_root = genesis_root
    FIRST_ACCOUNT = first_account
    self.next_account = first_account
    self._reserve(first_account, reserved_accounts, reserved_owners)


@external
@nonreentrant
def open_account(key_digest: bytes32, amount: uint64) -> uint64:
    """
    @notice Opens an account of the caller's and deposits `amount` token quanta into it.
    @param key_digest Digest of the key that will sign on the layer 2, eight field elements like a root.
    @return The account's id.
    """
    assert amount >= MIN_OPENING, "opening deposit too small"
    self._check_root(key_digest)
    account: uint64 = self.next_account
    assert account < ACCOUNT_LIMIT, "no account left"
    self.next_account = account + 1
    self.account_owner[account] = msg.sender
    received: uint64 = self._pull(amount)
    assert received >= MIN_OPENING, "opening deposit too small"
    self._enqueue(account, msg.sender, received, key_digest)
    return account


@external
@nonreentrant
def deposit(account: uint64, amount: uint64):
    """
    @notice Pulls `amount` token quanta from the caller; they wait in the queue until a batch credits `account` with them.
    """
    owner: address = self.account_owner[account]
    assert owner != empty(address), "account not open"
    self._enqueue(account, owner, self._pull(amount), empty(bytes32))


@external
def request_reclaim(entry: uint64):
    """
    @notice Asks for a deposit back that no batch has taken yet: its depositor may, once.
    """
    word: uint256 = self.queue_amounts[entry]
    assert word != 0, "nothing waits there"
    assert word >> 64 == 0, "asked for already"
    assert convert(self.queue_places[entry] & ADDRESS_MASK, address) == msg.sender, "not the depositor"
    reclaim_at: uint256 = block.timestamp + convert(RECLAIM_DELAY, uint256)
    self.queue_amounts[entry] = word | (reclaim_at << 64)
    log ReclaimRequested(entry=entry, reclaim_at=convert(reclaim_at, uint64))


@external
@nonreentrant
def reclaim(entry: uint64):
    """
    @notice Pays a deposit back whose delay is over. Anyone may call it; the money goes to the depositor only.
    """
    word: uint256 = self.queue_amounts[entry]
    assert word != 0, "nothing waits there"
    assert word >> 64 != 0 and block.timestamp >= word >> 64, "not reclaimable yet"
    amount: uint256 = word & WORD64_MASK
    depositor: address = convert(self.queue_places[entry] & ADDRESS_MASK, address)
    self.queue_amounts[entry] = 0
    self.total_pending -= amount
    log Reclaimed(entry=entry, depositor=depositor, amount=convert(amount, uint64))
    assert extcall TOKEN.transfer(depositor, amount, default_return_value=True), "token transfer failed"


@external
@nonreentrant
def update_state(
    profile: uint256,
    batch_number: uint64,
    old_root: bytes32,
    new_root: bytes32,
    queue_count: uint256,
    outputs: Bytes[MAX_OUTPUT_BYTES],
):
    """
    @notice Moves the layer 2 from `old_root` to `new_root`: called by the operator, for a fact of exactly these arguments
            that the verifier of `profile` registered.
    @param profile Which verifier vouches for the batch, by its place in the list.
    @param queue_count How many entries of the queue the batch takes.
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
    due: uint256 = self._consume(queue_count)
    entries: uint256 = self._apply(batch_number, outputs, due)
    # A proof of collateral below zero somewhere would show here: what is owed on L1 is covered, or nothing moves.
    assert staticcall TOKEN.balanceOf(self) >= self.total_pending + self.total_withdrawable, "claims exceed tokens held"
    log StateUpdate(
        batch_number=batch_number,
        fact=fact,
        old_root=old_root,
        new_root=new_root,
        entries=entries,
        queue_consumed=self.queue_consumed,
    )


@external
@nonreentrant
def withdraw(owner: address, amount: uint256 = 0):
    """
    @notice Pays `owner` his whole withdrawable balance (`amount` 0), which anyone may ask for, or a part of it, which
            only he may. The money goes to `owner` only.
    """
    balance: uint256 = self.withdrawable[owner]
    assert balance != 0, "nothing to withdraw"
    paid: uint256 = balance
    if amount != 0:
        assert msg.sender == owner, "only the owner takes a part"
        assert amount <= balance, "more than withdrawable"
        paid = amount
    self.withdrawable[owner] = balance - paid
    self.total_withdrawable -= paid
    log Withdrawn(owner=owner, amount=paid)
    assert extcall TOKEN.transfer(owner, paid, default_return_value=True), "token transfer failed"


@external
@view
def queue_entry(entry: uint64) -> (uint64, address, uint64, uint64):
    """
    @notice Account, depositor, amount (zero: credited, paid back, or not there) and `reclaim_at` of an entry.
    """
    place: uint256 = self.queue_places[entry]
    word: uint256 = self.queue_amounts[entry]
    return (
        convert(place >> 160, uint64),
        convert(place & ADDRESS_MASK, address),
        convert(word & WORD64_MASK, uint64),
        convert(word >> 64, uint64),
    )


@external
@view
def earliest_reclaim(first: uint64, count: uint256) -> uint64:
    """
    @notice When the first of `count` entries from `first` on whose depositors asked for them back turns to zero; 0 for none.
    """
    earliest: uint256 = 0
    for index: uint256 in range(count, bound=MAX_QUEUE_COUNT):
        reclaim_at: uint256 = self.queue_amounts[first + convert(index, uint64)] >> 64
        if reclaim_at > block.timestamp and (earliest == 0 or reclaim_at < earliest):
            earliest = reclaim_at
    return convert(earliest, uint64)


@external
@view
def queue_sum(first: uint64, count: uint256) -> uint256:
    """
    @notice What `count` entries of the queue from `first` on would bring a batch in this block.
    """
    total: uint256 = 0
    for index: uint256 in range(count, bound=MAX_QUEUE_COUNT):
        total += self._live_amount(first + convert(index, uint64))
    return total


@external
@view
def pending_deposit(account: uint64) -> uint256:
    """
    @notice What waits for `account` among the first 512 entries that no batch has taken yet.
    """
    first: uint64 = self.queue_consumed
    total: uint256 = 0
    for index: uint64 in range(512):
        if first + index >= self.queue_length:
            break
        if self.queue_places[first + index] >> 160 == convert(account, uint256):
            total += self._live_amount(first + index)
    return total


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
def _reserve(
    first_account: uint64, accounts: DynArray[uint64, MAX_RESERVED], owners: DynArray[address, MAX_RESERVED]
):
    assert len(accounts) == len(owners), "reserved accounts"
    lowest: uint64 = 0
    for index: uint256 in range(MAX_RESERVED):
        if index >= len(accounts):
            break
        assert accounts[index] >= lowest and accounts[index] < first_account, "reserved account out of order"
        assert owners[index] != empty(address), "reserved account without owner"
        self.account_owner[accounts[index]] = owners[index]
        lowest = accounts[index] + 1


@internal
def _pull(amount: uint64) -> uint64:
    """
    @dev Takes tokens from the caller; what came is measured, not believed.
    """
    assert amount != 0 and amount <= MAX_AMOUNT, "amount out of range"
    before: uint256 = staticcall TOKEN.balanceOf(self)
    assert extcall TOKEN.transferFrom(
        msg.sender, self, convert(amount, uint256), default_return_value=True
    ), "token transfer failed"
    held: uint256 = staticcall TOKEN.balanceOf(self)
    assert held <= MAX_HELD, "exchange full"
    assert held > before and held - before <= convert(amount, uint256), "token transfer of another amount"
    return convert(held - before, uint64)


@internal
def _enqueue(account: uint64, owner: address, amount: uint64, key_digest: bytes32):
    room: uint256 = self.queue_block
    count: uint256 = 1
    if room >> 64 == block.number:
        count = (room & WORD64_MASK) + 1
        assert count <= ENTRIES_PER_BLOCK, "queue full for this block"
    self.queue_block = (block.number << 64) | count

    entry: uint64 = self.queue_length
    self.queue_length = entry + 1
    self.queue_places[entry] = convert(msg.sender, uint256) | (convert(account, uint256) << 160)
    self.queue_amounts[entry] = convert(amount, uint256)
    self.total_pending += convert(amount, uint256)
    queue_hash: bytes32 = keccak256(
        abi_encode(self.queue_hash, entry, account, owner, msg.sender, amount, key_digest)
    )
    self.queue_hash = queue_hash
    log Queued(
        entry=entry,
        account=account,
        owner=owner,
        depositor=msg.sender,
        amount=amount,
        key_digest=key_digest,
        queue_hash=queue_hash,
    )


@internal
@view
def _live_amount(entry: uint64) -> uint256:
    """
    @dev What the entry brings a batch in this block: nothing once its reclaim time has come.
    """
    word: uint256 = self.queue_amounts[entry]
    reclaim_at: uint256 = word >> 64
    if reclaim_at != 0 and block.timestamp >= reclaim_at:
        return 0
    return word & WORD64_MASK


@internal
def _consume(count: uint256) -> uint256:
    """
    @dev Takes the next `count` entries: notes in `due` what each account is to be credited with; returns the sum.
    """
    assert count <= MAX_QUEUE_COUNT, "too many queue entries"
    first: uint64 = self.queue_consumed
    assert convert(first, uint256) + count <= convert(self.queue_length, uint256), "queue too short"
    total: uint256 = 0
    for index: uint256 in range(count, bound=MAX_QUEUE_COUNT):
        entry: uint64 = first + convert(index, uint64)
        amount: uint256 = self._live_amount(entry)
        if amount != 0:
            account: uint64 = convert(self.queue_places[entry] >> 160, uint64)
            self.due[account] += amount
            self.queue_amounts[entry] = 0
            total += amount
    if count != 0:
        self.queue_consumed = first + convert(count, uint64)
    return total


@internal
def _apply(batch_number: uint64, outputs: Bytes[MAX_OUTPUT_BYTES], due: uint256) -> uint256:
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
            assert owner == self.account_owner[account], "deposit for another owner"
            assert self.due[account] == amount, "not what the queue holds"
            self.due[account] = 0
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
    # No entry is left out: with equal sums, every account that was due something was credited.
    assert debited == due, "not what the queue holds"
    if debited != 0:
        self.total_pending -= debited
    if credited != 0:
        self.total_withdrawable += credited
    return entries
