# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Opening of a proof, and the register of proved facts
@notice `open` takes all of a proof but its queries: it replays the transcript, checks that the buses balance and that
        every table's constraint identity holds at the out-of-domain point, and notes the *context*, the words that the
        query contract works from (see `queries.vy`). `register` makes the fact behind a context valid once all its
        queries are verified. Facts of different proofs have different contexts, so they never complete one another.
@dev Order of checks and names of stages as in engine/stark/protocol/verifier.py. The head is the proof file's STARK proof up to
     the query records, byte for byte.
"""

import field

interface Evaluator:
    def evaluate(inputs: uint256[1408], count: uint256) -> DynArray[uint256, 32]: view

interface Queries:
    def complete(context: bytes32) -> bool: view

event Opened:
    context: indexed(bytes32)
    fact: indexed(bytes32)

event FactRegistered:
    fact: indexed(bytes32)

MAX_TABLES: constant(uint256) = 8
MAX_EVALUATORS: constant(uint256) = 6
MAX_HEAD: constant(uint256) = 14336
MAX_VALUES: constant(uint256) = 640
MAX_INPUTS: constant(uint256) = 1408
MAX_CONTEXT: constant(uint256) = 96
MAX_ENTRIES: constant(uint256) = 512
MAX_DEPTH: constant(uint256) = 24
MAX_LAYERS: constant(uint256) = 12
ENTRY_BYTES: constant(uint256) = 37
TERM_BYTES: constant(uint256) = 76
WORD64: constant(uint256) = 2**64 - 1
PUBLIC_READ: constant(uint256) = 16
# 1/2, and the inverse of the generator of order 2^24 that the others are powers of.
HALF: constant(uint256) = 1065353217
INVERSE: constant(uint256) = 1796240327
# Bus, multiplicity p - 1 and length of a public term, little-endian words.
TERM_HEAD: constant(uint256) = 5 * 2**88 + 127 * 2**32 + 16 * 2**24
MAGIC: constant(bytes8) = 0x504c535441524b31

STATEMENT_ID: public(immutable(bytes32))
PARAMETERS: immutable(Bytes[40])
VERIFIER_PARAMETER_DIGEST: public(immutable(bytes32))
EXCHANGE: public(immutable(address))
QUERIES: public(immutable(address))
EVALUATORS: immutable(DynArray[address, MAX_EVALUATORS])
ACCOUNT_LIMIT: immutable(uint256)
BETAS: immutable(uint256)
ZETAS: immutable(uint256)
# Main and auxiliary columns of each table, main columns opened on the next row, least and greatest log height.
WIDTHS: immutable(DynArray[uint256, MAX_TABLES])
AUXILIARIES: immutable(DynArray[uint256, MAX_TABLES])
NEXT_COUNTS: immutable(DynArray[uint256, MAX_TABLES])
LEAST: immutable(DynArray[uint256, MAX_TABLES])
GREATEST: immutable(DynArray[uint256, MAX_TABLES])

# Context -> the fact that it proves once its queries are verified.
opened: public(HashMap[bytes32, bytes32])
is_valid: public(HashMap[bytes32, bool])

struct Claim:
    number: uint64
    old_root: bytes32
    new_root: bytes32
    config_hash: bytes32


@deploy
def __init__(
    statement_id: bytes32,
    parameters: Bytes[40],
    parameter_digest: bytes32,
    exchange: address,
    queries: address,
    evaluators: DynArray[address, MAX_EVALUATORS],
    numbers: uint256[3],
    widths: DynArray[uint256, MAX_TABLES],
    auxiliaries: DynArray[uint256, MAX_TABLES],
    next_counts: DynArray[uint256, MAX_TABLES],
    least: DynArray[uint256, MAX_TABLES],
    greatest: DynArray[uint256, MAX_TABLES],
):
    assert len(parameters) == 40 and numbers[0] <= 65536
    assert convert(slice(parameters, 0, 4), bytes4) != empty(bytes4), "no queries"
    STATEMENT_ID = statement_id
    PARAMETERS = parameters
    VERIFIER_PARAMETER_DIGEST = parameter_digest
    EXCHANGE = exchange
    QUERIES = queries
    EVALUATORS = evaluators
    ACCOUNT_LIMIT = numbers[0]
    BETAS = numbers[1]
    ZETAS = numbers[2]
    WIDTHS = widths
    AUXILIARIES = auxiliaries
    NEXT_COUNTS = next_counts
    LEAST = least
    GREATEST = greatest


@external
def register(context: bytes32):
    """
    @notice Makes the fact of an opened context valid; refuses while any of its queries is missing.
    """
    fact: bytes32 = self.opened[context]
    assert fact != empty(bytes32), "not opened"
    assert staticcall Queries(QUERIES).complete(context), "queries missing"
    self.is_valid[fact] = True
    log FactRegistered(fact=fact)


@external
def open(head: Bytes[MAX_HEAD], claim: Claim, outputs: Bytes[ENTRY_BYTES * MAX_ENTRIES], terms: Bytes[TERM_BYTES * MAX_ENTRIES]) -> bytes32:
    """
    @notice Checks everything of a proof but its queries and returns the digest of its context.
    @param outputs The deposits and withdrawals as the exchange contract takes them.
    @param terms The same as the proof system's public terms, which have to agree with `outputs`.
    """
    tables: uint256 = len(WIDTHS)
    parameters: uint256 = field.swapped(extract32(PARAMETERS, 8, output_type=uint256))
    assert len(head) > 300 and convert(slice(head, 0, 8), bytes8) == MAGIC, "encoding"
    heights: uint256 = 0
    values: uint256 = 0
    sums: uint256 = 0
    for table: uint256 in range(tables, bound=MAX_TABLES):
        own: uint256 = convert(slice(head, 72 + table, 1), uint256)
        assert own >= LEAST[table] and own <= GREATEST[table], "encoding"
        heights |= own << (8 * table)
        values += WIDTHS[table] + AUXILIARIES[table] + 2 + NEXT_COUNTS[table]
        if AUXILIARIES[table] != 0:
            values += 1
            sums += 1
    layers: uint256 = 0
    final: uint256 = 0
    height: uint256[3] = [0, 0, 0]
    groups: uint256 = 0
    layers, final, height, groups = self._shape(heights, parameters)
    # Where things lie: after the heights main root, nonce, auxiliary root, sums, quotient root, nonce, openings, nonce,
    # FRI roots with nonces, last polynomial, nonce.
    at: uint256 = 72 + tables
    openings_at: uint256 = at + 112 + 20 * sums
    layers_at: uint256 = openings_at + 20 * values + 8
    final_at: uint256 = layers_at + 40 * layers
    nonce_at: uint256 = final_at + (20 << final)
    assert len(head) == nonce_at + 8, "encoding"
    # What the constraints work on, see codegen.py. Opened values come last, table by table, each after C / N.
    inputs: uint256[MAX_INPUTS] = empty(uint256[MAX_INPUTS])
    bases: uint256[MAX_TABLES] = empty(uint256[MAX_TABLES])
    filled: uint256 = 2 + BETAS + ZETAS + PUBLIC_READ
    value_at: uint256 = openings_at
    invalid: uint256 = 0
    for table: uint256 in range(tables, bound=MAX_TABLES):
        bases[table] = filled
        filled += 1
        count: uint256 = WIDTHS[table] + AUXILIARIES[table] + 2 + NEXT_COUNTS[table] + min(AUXILIARIES[table], 1)
        for _: uint256 in range(count >> 3, bound=MAX_VALUES // 8):
            eight: uint256[8] = field.unpacked(
                extract32(head, value_at, output_type=uint256),
                extract32(head, unsafe_add(value_at, 32), output_type=uint256),
                extract32(head, unsafe_add(value_at, 64), output_type=uint256),
                extract32(head, unsafe_add(value_at, 96), output_type=uint256),
                extract32(head, unsafe_add(value_at, 128), output_type=uint256),
            )
            value_at = unsafe_add(value_at, 160)
            invalid |= (
                unsafe_add(eight[0], field.SPARE) | unsafe_add(eight[1], field.SPARE)
                | unsafe_add(eight[2], field.SPARE) | unsafe_add(eight[3], field.SPARE)
                | unsafe_add(eight[4], field.SPARE) | unsafe_add(eight[5], field.SPARE)
                | unsafe_add(eight[6], field.SPARE) | unsafe_add(eight[7], field.SPARE)
            )
            inputs[filled] = eight[0]
            inputs[unsafe_add(filled, 1)] = eight[1]
            inputs[unsafe_add(filled, 2)] = eight[2]
            inputs[unsafe_add(filled, 3)] = eight[3]
            inputs[unsafe_add(filled, 4)] = eight[4]
            inputs[unsafe_add(filled, 5)] = eight[5]
            inputs[unsafe_add(filled, 6)] = eight[6]
            inputs[unsafe_add(filled, 7)] = eight[7]
            filled = unsafe_add(filled, 8)
        for _: uint256 in range(count & 7, bound=7):
            inputs[filled] = field.element(extract32(head, value_at - 12, output_type=uint256) << 96)
            filled = unsafe_add(filled, 1)
            value_at = unsafe_add(value_at, 20)
    assert invalid & field.NOT_CANONICAL == 0, "encoding"
    totals: uint256[MAX_TABLES] = empty(uint256[MAX_TABLES])
    sums_at: uint256 = at + 72
    balance: uint256 = 0
    for table: uint256 in range(tables, bound=MAX_TABLES):
        if AUXILIARIES[table] != 0:
            totals[table] = field.element(extract32(head, sums_at - 12, output_type=uint256) << 96)
            balance += totals[table]
            sums_at += 20
    last: uint256[64] = empty(uint256[64])
    for i: uint256 in range(1 << final, bound=64):
        last[i] = field.element(extract32(head, final_at + 20 * i - 12, output_type=uint256) << 96)

    assert extract32(head, 8) == keccak256(concat(STATEMENT_ID, PARAMETERS)), "transcript"

    self._check_root(claim.old_root)
    self._check_root(claim.new_root)
    publics: bytes32 = self._public_digest(claim, convert(keccak256(outputs), uint256), terms)
    assert extract32(head, 40) == publics, "public input"
    state: bytes32 = keccak256("proofline-transcript-1")
    state = self._absorbed_bytes(
        state,
        0,
        concat(
            STATEMENT_ID, PARAMETERS, convert(convert(tables, uint8), bytes1), slice(slice(head, 72, 8), 0, tables), publics
        ),
    )
    state = self._absorbed(state, 1, extract32(head, at))
    state = self._ground(state, convert(slice(head, at + 32, 8), bytes8), (parameters >> 160) & 255)
    alpha: uint256 = 0
    beta: uint256 = 0
    alpha, beta = self._drawn(state)
    state = self._absorbed(state, 3, extract32(head, at + 40))
    state = self._absorbed_bytes(state, 4, slice(head, at + 72, 20 * sums))
    # The powers of beta; the public terms against the tables' sums.
    inputs[0] = 1
    inputs[1] = alpha
    place: uint256 = 2
    power: uint256 = 1
    betas: uint256[16] = empty(uint256[16])
    for i: uint256 in range(BETAS, bound=64):
        power = field.mul(power, beta)
        if i < 16:
            betas[i] = power
        inputs[place] = power
        place = unsafe_add(place, 1)
    numerator: uint256 = 0
    denominator: uint256 = 0
    numerator, denominator = self._public_sum(outputs, terms, alpha, betas)
    assert field.mul(denominator, field.reduced(balance)) == numerator, "lookup"

    zeta: uint256 = 0
    unused: uint256 = 0
    zeta, unused = self._drawn(state)
    state = self._absorbed(state, 5, extract32(head, at + 72 + 20 * sums))
    state = self._ground(state, convert(slice(head, openings_at - 8, 8), bytes8), (parameters >> 128) & 255)
    z: uint256 = 0
    z, unused = self._drawn(state)
    assert z >> 51 != 0, "transcript"
    # Every table's constraint identity.
    power = 1
    for _: uint256 in range(ZETAS, bound=512):
        inputs[place] = power
        place = unsafe_add(place, 1)
        power = field.mul(power, zeta)
    for i: uint256 in range(PUBLIC_READ // 2):
        inputs[place] = (convert(claim.old_root, uint256) >> (224 - 32 * i)) & (2**32 - 1)
        inputs[place + PUBLIC_READ // 2] = (convert(claim.new_root, uint256) >> (224 - 32 * i)) & (2**32 - 1)
        place = unsafe_add(place, 1)
    for table: uint256 in range(tables, bound=MAX_TABLES):
        inputs[bases[table]] = field.scale(totals[table], self._inverse_of_size((heights >> (8 * table)) & 255), 0)
    results: uint256[4 * MAX_TABLES] = empty(uint256[4 * MAX_TABLES])
    for evaluator: address in EVALUATORS:
        part: DynArray[uint256, 32] = staticcall Evaluator(evaluator).evaluate(inputs, filled)
        for i: uint256 in range(4 * tables, bound=4 * MAX_TABLES):
            results[i] += part[i]
    for table: uint256 in range(tables, bound=MAX_TABLES):
        log_height: uint256 = (heights >> (8 * table)) & 255
        quotient_at: uint256 = bases[table] + 1 + WIDTHS[table] + AUXILIARIES[table]
        assert self._identity_holds(
            z, log_height, inputs[quotient_at], inputs[quotient_at + 1],
            [results[4 * table], results[4 * table + 1], results[4 * table + 2], results[4 * table + 3]],
        ), "constraint"

    state = self._absorbed_bytes(state, 6, slice(head, openings_at, 20 * values))
    state = self._ground(state, convert(slice(head, layers_at - 8, 8), bytes8), (parameters >> 96) & 255)
    gamma: uint256 = 0
    gamma, unused = self._drawn(state)

    words: DynArray[uint256, MAX_CONTEXT] = [
        0,
        heights,
        convert(extract32(head, at), uint256),
        convert(extract32(head, at + 40), uint256),
        convert(extract32(head, at + 72 + 20 * sums), uint256),
        z,
        gamma,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        layers,
    ]
    for layer: uint256 in range(layers, bound=MAX_LAYERS):
        root: bytes32 = extract32(head, layers_at + 40 * layer)
        state = self._absorbed(state, 7, root)
        state = self._ground(
            state, convert(slice(head, layers_at + 40 * layer + 32, 8), bytes8), (parameters >> 64) & 255
        )
        challenge: uint256 = 0
        mixing: uint256 = 0
        challenge, mixing = self._drawn(state)
        words.append(convert(root, uint256))
        words.append(challenge)
        words.append(mixing)
    state = self._absorbed_bytes(state, 8, slice(head, final_at, 20 << final))
    state = self._ground(state, convert(slice(head, nonce_at, 8), bytes8), (parameters >> 32) & 255)
    words[0] = convert(state, uint256)
    for i: uint256 in range(1 << final, bound=64):
        words.append(last[i])

    # What the DEEP combinations of each group are claimed to be, from the last table back, eight values at a time. Powers
    # of gamma enter in pieces of 11, 10 and 10 bits, so that lanes of eight products stay below 2^48.
    powers: uint256[8] = empty(uint256[8])
    power = 1
    for i: uint256 in range(8):
        power = field.mul(power, gamma)
        powers[7 - i] = power
    for back: uint256 in range(tables, bound=MAX_TABLES):
        table: uint256 = tables - 1 - back
        group: uint256 = 0
        for i: uint256 in range(1, 3):
            if i < groups and height[i] == (heights >> (8 * table)) & 255:
                group = i
        nexts: uint256 = NEXT_COUNTS[table] + min(AUXILIARIES[table], 1)
        heres: uint256 = WIDTHS[table] + AUXILIARIES[table] + 2
        following: uint256 = 0
        here: uint256 = 0
        for part: uint256 in range(2):
            first: uint256 = bases[table] + 1
            count: uint256 = heres
            if part == 0:
                first += heres
                count = nexts
            sum: uint256 = 0
            at_value: uint256 = first + count
            for _: uint256 in range(count & 7, bound=7):
                at_value -= 1
                sum = field.muladd(sum, gamma, inputs[at_value])
            for _: uint256 in range(count >> 3, bound=MAX_VALUES // 8):
                factor: uint256 = sum
                x0: uint256 = field.LIFT
                x1: uint256 = field.LIFT
                x2: uint256 = field.LIFT
                for g: uint256 in powers:
                    x0 = uint256_addmod(x0, uint256_mulmod(factor, g & field.LOW11, field.N), field.N)
                    x1 = uint256_addmod(x1, uint256_mulmod(factor, (g >> 11) & field.LOW10, field.N), field.N)
                    x2 = uint256_addmod(x2, uint256_mulmod(factor, (g >> 21) & field.LOW10, field.N), field.N)
                    at_value = unsafe_sub(at_value, 1)
                    factor = inputs[at_value]
                sum = field.join(unsafe_add(x0, factor), x1, x2)
            if part == 0:
                following = sum
            else:
                here = sum
        past: uint256 = self._power(gamma, heres)
        all: uint256 = self._power(gamma, heres + nexts)
        words[7 + 2 * group] = field.muladd(words[7 + 2 * group], all, here)
        words[8 + 2 * group] = field.muladd(words[8 + 2 * group], all, field.mul(following, past))
    fact: bytes32 = keccak256(
        abi_encode(
            STATEMENT_ID,
            VERIFIER_PARAMETER_DIGEST,
            claim.config_hash,
            chain.id,
            EXCHANGE,
            claim.number,
            claim.old_root,
            claim.new_root,
            keccak256(outputs),
        )
    )
    words[13] = convert(fact, uint256)
    context: bytes32 = keccak256(abi_encode(words))
    self.opened[context] = fact
    log Opened(context=context, fact=fact)
    return context


@internal
@pure
def _absorbed(state: bytes32, kind: uint256, data: bytes32) -> bytes32:
    """
    @dev The transcript after a 32-byte message of this kind.
    """
    start: bytes6 = convert(convert(2**40 | (kind << 32) | 2**29, uint48), bytes6)
    return keccak256(concat(state, start, data))


@internal
@pure
def _ground(state: bytes32, nonce: bytes8, bits: uint256) -> bytes32:
    """
    @dev Checks the nonce's work and absorbs it.
    """
    if bits == 0:
        assert nonce == empty(bytes8), "grinding"
    else:
        words: uint256 = field.swapped(convert(keccak256(concat(state, nonce)), uint256))
        assert ((words >> 224) | ((words >> 160) & (WORD64 - 2**32 + 1))) & ((1 << bits) - 1) == 0, "grinding"
    return keccak256(concat(state, 0x010208000000, nonce))


@internal
@pure
def _drawn(state: bytes32) -> (uint256, uint256):
    """
    @dev The first two extension challenges after `state`.
    """
    first: uint256 = 0
    second: uint256 = 0
    count: uint256 = 0
    for i: uint256 in range(16):
        start: bytes5 = convert(convert(2**33 | (i << 24), uint40), bytes5)
        words: uint256 = field.swapped(convert(keccak256(concat(state, start)), uint256))
        for j: uint256 in range(8):
            value: uint256 = (words >> unsafe_sub(224, unsafe_mul(32, j))) & (2**31 - 1)
            if value < field.P and count < 10:
                if count < 5:
                    first |= value << unsafe_mul(51, count)
                else:
                    second |= value << unsafe_mul(51, unsafe_sub(count, 5))
                count = unsafe_add(count, 1)
        if count == 10:
            break
    assert count == 10, "transcript"
    return first, second


@internal
@pure
def _spread(x: uint256) -> uint256:
    """
    @dev Eight 16-bit limbs (128 bits) as eight 32-bit words.
    """
    y: uint256 = (x & (WORD64 << 64)) << 64 | (x & WORD64)
    y = (y & ((2**32 - 1) * (2**32 + 2**160))) << 32 | (y & ((2**32 - 1) * (1 + 2**128)))
    return (
        (y & ((2**16 - 1) * (2**16 + 2**80 + 2**144 + 2**208))) << 16
        | (y & ((2**16 - 1) * (1 + 2**64 + 2**128 + 2**192)))
    )


@internal
@view
def _public_digest(
    claim: Claim, outputs_hash: uint256, terms: Bytes[TERM_BYTES * MAX_ENTRIES]
) -> bytes32:
    number: uint256 = convert(claim.number, uint256)
    config: uint256 = convert(claim.config_hash, uint256)
    limbs: uint256 = (
        (number & 65535) << 96 | ((number >> 16) & 65535) << 64 | ((number >> 32) & 65535) << 32 | number >> 48
    )
    # 36 limbs of 16 bits: 4 of the number, 16 of the configuration's hash, 16 of the outputs' hash.
    return keccak256(
        concat(
            0x34000000,
            convert(field.swapped(convert(claim.old_root, uint256)), bytes32),
            convert(field.swapped(convert(claim.new_root, uint256)), bytes32),
            convert(field.swapped(limbs << 128 | self._spread(config >> 192)), bytes32),
            convert(field.swapped(self._spread((config >> 64) & (2**128 - 1))), bytes32),
            convert(field.swapped(self._spread((config & WORD64) << 64 | outputs_hash >> 192)), bytes32),
            convert(field.swapped(self._spread((outputs_hash >> 64) & (2**128 - 1))), bytes32),
            convert(convert(field.swapped(self._spread((outputs_hash & WORD64) << 64)) >> 128, uint128), bytes16),
            convert(convert(field.swapped(len(terms) // TERM_BYTES) , uint32), bytes4),
            terms,
        )
    )


@internal
@pure
def _check_root(root: bytes32):
    rest: uint256 = convert(root, uint256)
    for _: uint256 in range(8):
        assert rest & (2**32 - 1) < field.P, "public input"
        rest = rest >> 32


@internal
@pure
def _reversed(x: uint256, top: uint256) -> uint256:
    """
    @dev The low six 16-bit limbs of `x`, the lowest first: a 32-bit word each, the first at bit `top`. Those that
         fall below bit 0 are dropped.
    """
    below: uint256 = unsafe_sub(256, top)
    return (
        (x & 65535) << top
        | ((((x >> 16) & 65535) << 224) >> below)
        | ((((x >> 32) & 65535) << 192) >> below)
        | ((((x >> 48) & 65535) << 160) >> below)
        | ((((x >> 64) & 65535) << 128) >> below)
        | ((((x >> 80) & 65535) << 96) >> below)
    )


@internal
@view
def _public_sum(
    outputs: Bytes[ENTRY_BYTES * MAX_ENTRIES],
    terms: Bytes[TERM_BYTES * MAX_ENTRIES],
    alpha: uint256,
    betas: uint256[16],
) -> (uint256, uint256):
    """
    @dev Numerator and denominator of the sum of 1 / fingerprint; checks that `terms` say what `outputs` say.
    """
    entries: uint256 = len(outputs) // ENTRY_BYTES
    assert len(outputs) == entries * ENTRY_BYTES and len(terms) == entries * TERM_BYTES, "public input"
    numerator: uint256 = 0
    denominator: uint256 = 1
    lowest: uint256 = 0
    kind_before: uint256 = 0
    for index: uint256 in range(entries, bound=MAX_ENTRIES):
        start: uint256 = unsafe_mul(index, ENTRY_BYTES)
        front: uint256 = extract32(outputs, start, output_type=uint256)
        back: uint256 = extract32(outputs, unsafe_add(start, 5), output_type=uint256)
        kind: uint256 = front >> 248
        account: uint256 = (front >> 184) & WORD64
        owner: uint256 = (back >> 64) & (2**160 - 1)
        amount: uint256 = back & WORD64
        if kind != kind_before:
            lowest = 0
        assert (
            kind <= 1
            and kind >= kind_before
            and account >= lowest
            and account < ACCOUNT_LIMIT
            and amount != 0
            and amount < 2**63
        ), "public input"
        kind_before = kind
        lowest = unsafe_add(account, 1)
        first: uint256 = kind << 224 | account << 192 | self._reversed(owner, 160)
        second: uint256 = self._reversed(owner >> 96, 224) & (2**128 - 1) * 2**128 | self._reversed(amount, 96)
        total: uint256 = unsafe_add(
            alpha + 5,
            unsafe_add(
                unsafe_add(
                    unsafe_add(
                        unsafe_add(
                            unsafe_mul((first >> 224) & 65535, betas[0]),
                            unsafe_mul((second >> 224) & 65535, betas[8]),
                        ),
                        unsafe_add(
                            unsafe_mul((first >> 192) & 65535, betas[1]),
                            unsafe_mul((second >> 192) & 65535, betas[9]),
                        ),
                    ),
                    unsafe_add(
                        unsafe_add(
                            unsafe_mul((first >> 160) & 65535, betas[2]),
                            unsafe_mul((second >> 160) & 65535, betas[10]),
                        ),
                        unsafe_add(
                            unsafe_mul((first >> 128) & 65535, betas[3]),
                            unsafe_mul((second >> 128) & 65535, betas[11]),
                        ),
                    ),
                ),
                unsafe_add(
                    unsafe_add(
                        unsafe_add(
                            unsafe_mul((first >> 96) & 65535, betas[4]),
                            unsafe_mul((second >> 96) & 65535, betas[12]),
                        ),
                        unsafe_add(
                            unsafe_mul((first >> 64) & 65535, betas[5]),
                            unsafe_mul((second >> 64) & 65535, betas[13]),
                        ),
                    ),
                    unsafe_add(
                        unsafe_add(
                            unsafe_mul((first >> 32) & 65535, betas[6]),
                            unsafe_mul((second >> 32) & 65535, betas[14]),
                        ),
                        unsafe_add(
                            unsafe_mul(first & 65535, betas[7]),
                            unsafe_mul(second & 65535, betas[15]),
                        ),
                    ),
                ),
            ),
        )
        at: uint256 = unsafe_mul(index, TERM_BYTES)
        assert (
            extract32(terms, at, output_type=uint256) >> 160 == TERM_HEAD
            and extract32(terms, unsafe_add(at, 12), output_type=uint256) == field.swapped(first)
            and extract32(terms, unsafe_add(at, 44), output_type=uint256) == field.swapped(second)
        ), "public input"
        total = field.reduced(total)
        numerator = field.muladd(numerator, total, denominator)
        denominator = field.mul(denominator, total)
    assert denominator != 0, "constraint"
    return numerator, denominator


@internal
@pure
def _absorbed_bytes(state: bytes32, kind: uint256, data: Bytes[MAX_HEAD]) -> bytes32:
    size: uint256 = len(data)
    start: uint256 = 2**40 | (kind << 32) | ((size & 255) << 24) | ((size >> 8) << 16)
    return keccak256(concat(state, convert(convert(start, uint48), bytes6), data))


@internal
@pure
def _power(base: uint256, exponent: uint256) -> uint256:
    result: uint256 = 1
    square: uint256 = base
    rest: uint256 = exponent
    for _: uint256 in range(16):
        if rest & 1 == 1:
            result = field.mul(result, square)
        rest = rest >> 1
        if rest == 0:
            break
        square = field.mul(square, square)
    return result


@internal
@view
def _shape(heights: uint256, parameters: uint256) -> (uint256, uint256, uint256[3], uint256):
    """
    @dev Number of FRI layers, log2 of the last polynomial's length, the groups' heights, their number.
    """
    groups: uint256 = 0
    height: uint256[3] = [0, 0, 0]
    bound: uint256 = 256
    for _: uint256 in range(4):
        tallest: uint256 = 0
        for table: uint256 in range(len(WIDTHS), bound=MAX_TABLES):
            own: uint256 = (heights >> (8 * table)) & 255
            if own < bound and own > tallest:
                tallest = own
        if tallest == 0:
            break
        assert groups < 3, "encoding"
        height[groups] = tallest
        groups += 1
        bound = tallest
    arity: uint256 = parameters >> 224
    final: uint256 = min((parameters >> 192) & 255, height[groups - 1])
    layers: uint256 = 0
    level: uint256 = height[0]
    joined: uint256 = 1
    for _: uint256 in range(MAX_DEPTH):
        if level == final:
            break
        stop: uint256 = final
        if joined < groups and height[joined] > final:
            stop = height[joined]
        level -= min(arity, level - stop)
        layers += 1
        if level == stop:
            joined += 1
    assert layers <= MAX_LAYERS, "encoding"
    return layers, final, height, groups


@internal
@pure
def _inverse_of_size(log_height: uint256) -> uint256:
    """
    @dev 1 / 2^log_height.
    """
    result: uint256 = 1
    for _: uint256 in range(log_height, bound=MAX_DEPTH):
        result = unsafe_mul(result, HALF) % field.P
    return result


@internal
@pure
def _last_row(log_height: uint256) -> uint256:
    """
    @dev The inverse of the generator of order 2^log_height, which is the point of the last row.
    """
    result: uint256 = INVERSE
    for _: uint256 in range(MAX_DEPTH - log_height, bound=MAX_DEPTH):
        result = unsafe_mul(result, result) % field.P
    return result


@internal
@view
def _identity_holds(
    z: uint256, log_height: uint256, low: uint256, high: uint256, sums: uint256[4]
) -> bool:
    """
    @dev every + (z - last) transition = V (Q - first / (z - 1) - last / (z - last)), cleared of denominators.
    """
    to_the_n: uint256 = z
    for _: uint256 in range(log_height, bound=MAX_DEPTH):
        to_the_n = field.mul(to_the_n, to_the_n)
    vanishing: uint256 = field.reduced(to_the_n + field.MODULUS - 1)
    from_first: uint256 = field.reduced(z + field.MODULUS - 1)
    from_last: uint256 = field.reduced(z + field.MODULUS - self._last_row(log_height))
    both: uint256 = field.mul(from_first, from_last)
    inner: uint256 = field.muladd(field.reduced(sums[1]), from_last, field.reduced(sums[0]))
    boundary: uint256 = field.muladd(
        field.reduced(sums[2]), from_last, field.mul(field.reduced(sums[3]), from_first)
    )
    left: uint256 = field.muladd(boundary, vanishing, field.mul(inner, both))
    return left == field.mul(field.mul(field.muladd(high, to_the_n, low), vanishing), both)
