# Written by compile_verifier.py from templates/opening.vy.in, which is to be read and changed.
# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Opening of a proof, and the register of proved facts
@notice `open` takes all of a proof but its queries: it replays the transcript, checks that the buses balance and that
        every table's constraint identity holds at the out-of-domain point, and notes the *context*, the words that the
        query contract works from (see `queries.vy`). `register` makes the fact behind a context valid once all its
        queries are verified. Facts of different proofs have different contexts, so they never complete one another.
@dev Checks bear the numbers and names of the native verifier's (engine/stark/protocol/verifier.py); a refusal names
     its check. The head is the proof file's STARK proof up to the query records, byte for byte.
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
def open(
    head: Bytes[MAX_HEAD],
    claim: Claim,
    outputs: Bytes[ENTRY_BYTES * MAX_ENTRIES],
    terms: Bytes[TERM_BYTES * MAX_ENTRIES],
) -> bytes32:
    """
    @notice Checks everything of a proof but its queries and returns the digest of its context.
    @param outputs The deposits and withdrawals as the exchange contract takes them.
    @param terms The same as the proof system's public terms, which have to agree with `outputs`.
    """
    tables: uint256 = len(WIDTHS)
    parameters: uint256 = field.swapped(extract32(PARAMETERS, 8, output_type=uint256))
    # -- check_heights: Check 1, encoding: magic, and every table's height between its least and greatest.
    #
    #    Without the heights' bounds the parameters might not reach their security, and buses could have p fractions.
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
    # -- check_heights ends
    # -- check_length: Check 1, encoding: the head ends where its parts do.
    #
    #    Without it one proof could be told in many ways. After the heights come main root, nonce, auxiliary root, sums,
    #    quotient root, nonce, openings, nonce, FRI roots with nonces, last polynomial, nonce.
    layers: uint256 = 0
    final: uint256 = 0
    height: uint256[3] = [0, 0, 0]
    groups: uint256 = 0
    layers, final, height, groups = self._shape(heights, parameters)
    at: uint256 = 72 + tables
    openings_at: uint256 = at + 112 + 20 * sums
    layers_at: uint256 = openings_at + 20 * values + 8
    final_at: uint256 = layers_at + 40 * layers
    nonce_at: uint256 = final_at + (20 << final)
    assert len(head) == nonce_at + 8, "encoding"
    # -- check_length ends
    # -- read_openings: Check 1, encoding: the opened values, canonical, to where the constraints want them.
    #
    #    Without it one proof could be told in many ways, and lanes of sums could overflow. codegen.py says what the
    #    constraints work on: opened values come last, table by table, each after C / N, which is filled in later.
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
            # -- eight_openings: Eight opened values from five words.
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
            # -- eight_openings ends
        for _: uint256 in range(count & 7, bound=7):
            inputs[filled] = field.element(extract32(head, value_at - 12, output_type=uint256) << 96)
            filled = unsafe_add(filled, 1)
            value_at = unsafe_add(value_at, 20)
    assert invalid & field.NOT_CANONICAL == 0, "encoding"
    # -- read_openings ends
    # -- read_sums: Check 1, encoding (by `field.element`): each table's total of fractions, canonical; their sum.
    totals: uint256[MAX_TABLES] = empty(uint256[MAX_TABLES])
    sums_at: uint256 = at + 72
    balance: uint256 = 0
    for table: uint256 in range(tables, bound=MAX_TABLES):
        if AUXILIARIES[table] != 0:
            totals[table] = field.element(extract32(head, sums_at - 12, output_type=uint256) << 96)
            balance += totals[table]
            sums_at += 20
    # -- read_sums ends
    # -- read_final: Check 1, encoding (by `field.element`): the last polynomial's coefficients, canonical.
    last: uint256[64] = empty(uint256[64])
    for i: uint256 in range(1 << final, bound=64):
        last[i] = field.element(extract32(head, final_at + 20 * i - 12, output_type=uint256) << 96)
    # -- read_final ends
    # -- check_statement: Check 2, transcript: the proof was made for this statement and these parameters. That these
    #    reach the target security was seen to at deployment.
    #
    #    For the reader of a refusal: the transcript starts from both, so that such a proof would fail later too, but as
    #    another thing.
    assert extract32(head, 8) == keccak256(concat(STATEMENT_ID, PARAMETERS)), "transcript"
    # -- check_statement ends
    # -- check_publics: Check 3, public input: roots, outputs and terms are well formed and those that the proof was
    #    made for.
    #
    #    Without the roots' and terms' form one claim could be told in several ways. The digest is for the reader of a
    #    refusal: the transcript starts from the same one, so that a proof of another claim would fail later too, but as
    #    another thing.
    self._check_root(claim.old_root)
    self._check_root(claim.new_root)
    publics: bytes32 = self._public_digest(claim, convert(keccak256(outputs), uint256), terms)
    assert extract32(head, 40) == publics, "public input"
    # -- check_publics ends
    # -- start_transcript: The transcript up to the main root: statement, parameters, heights, public inputs.
    state: bytes32 = keccak256("proofline-transcript-1")
    state = self._absorbed_bytes(
        state,
        0,
        concat(
            STATEMENT_ID,
            PARAMETERS,
            convert(convert(tables, uint8), bytes1),
            slice(slice(head, 72, 8), 0, tables),
            publics,
        ),
    )
    state = self._absorbed(state, 1, extract32(head, at))
    # -- start_transcript ends
    # -- draw_lookup: Check 5, grinding (by `_ground`), then alpha and beta, which fingerprints are made with; the
    #    auxiliary root and the totals.
    state = self._ground(state, convert(slice(head, at + 32, 8), bytes8), (parameters >> 160) & 255)
    alpha: uint256 = 0
    beta: uint256 = 0
    alpha, beta = self._drawn(state)
    state = self._absorbed(state, 3, extract32(head, at + 40))
    state = self._absorbed_bytes(state, 4, slice(head, at + 72, 20 * sums))
    # -- draw_lookup ends
    # -- check_balance: Check 6, lookup: the tables' totals and the public terms cancel. Check 3, public input (by
    #    `_public_sum`): the terms are the outputs.
    #
    #    Without it a table could use rows that no other table has, and deposits and withdrawals would not be those
    #    proved. The powers of beta stay as inputs of the constraints.
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
    # -- check_balance ends
    # -- draw_point: Check 5, grinding (by `_ground`): zeta, which combines constraints, the quotient root and the point
    #    z out of the domain.
    #
    #    Check 2, transcript: z is no base field element; its chance is 2^-124, and the native verifier draws again.
    zeta: uint256 = 0
    unused: uint256 = 0
    zeta, unused = self._drawn(state)
    state = self._absorbed(state, 5, extract32(head, at + 72 + 20 * sums))
    state = self._ground(state, convert(slice(head, openings_at - 8, 8), bytes8), (parameters >> 128) & 255)
    z: uint256 = 0
    z, unused = self._drawn(state)
    assert z >> 51 != 0, "transcript"
    # -- draw_point ends
    # -- constraint_inputs: What the constraints work on beside the opened values: powers of zeta, both roots' elements,
    #    each table's C / N.
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
    # -- constraint_inputs ends
    # -- check_constraints: Check 7, constraint: every table's constraint identity holds at z.
    #
    #    Without it the columns could hold anything. The constraints are evaluated by contracts of their own, each a
    #    part of them: their sums by kind of rows are added up.
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
    # -- check_constraints ends
    # -- draw_gamma: Check 5, grinding (by `_ground`): the openings go into the transcript, then gamma, which combines
    #    them.
    state = self._absorbed_bytes(state, 6, slice(head, openings_at, 20 * values))
    state = self._ground(state, convert(slice(head, layers_at - 8, 8), bytes8), (parameters >> 96) & 255)
    gamma: uint256 = 0
    gamma, unused = self._drawn(state)
    # -- draw_gamma ends
    # -- draw_folds: Check 5, grinding (by `_ground`): the challenges of each FRI layer, the last polynomial, the state
    #    that query indices come from. `words`: the context, see queries.vy.in; its claims and the fact are filled in
    #    later.
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
    # -- draw_folds ends
    # -- deep_claims: What the DEEP combinations of each group are claimed to be, from the last table back: the queries'
    #    check 9 starts from these.
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
            # -- combine: Values from the last one back times rising powers of gamma, eight at a time: powers enter in
            #    pieces of 11, 10 and 10 bits, so that lanes of eight products stay below 2^48 and are reduced once.
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
            # -- combine ends
            if part == 0:
                following = sum
            else:
                here = sum
        past: uint256 = self._power(gamma, heres)
        all: uint256 = self._power(gamma, heres + nexts)
        words[7 + 2 * group] = field.muladd(words[7 + 2 * group], all, here)
        words[8 + 2 * group] = field.muladd(words[8 + 2 * group], all, field.mul(following, past))
    # -- deep_claims ends
    # -- note_context: The fact, nine words as the exchange contract has them, and that it holds once the context's
    #    queries do.
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
    # -- note_context ends
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
    @dev Check 5, grinding: the nonce has done its work, or is zero where none is asked for; then it is absorbed.
         Without it a prover tries challenge after challenge at no cost.
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
         Check 2, transcript: 128 draws yield ten elements below p; the chance that they do not is below 2^-700.
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
    """
    @dev The digest of public inputs and terms: 52 little-endian words of inputs after their number, the number of
         terms, and the terms. The inputs are the roots and 36 limbs of 16 bits: 4 of the number, 16 of the
         configuration's hash, 16 of the outputs' hash.
    """
    number: uint256 = convert(claim.number, uint256)
    config: uint256 = convert(claim.config_hash, uint256)
    limbs: uint256 = (
        (number & 65535) << 96 | ((number >> 16) & 65535) << 64 | ((number >> 32) & 65535) << 32 | number >> 48
    )
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
    """
    @dev Check 3, public input: each of the root's eight elements is below p. Without it one root of accounts could be
         told in several ways.
    """
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
    @dev Numerator and denominator of the sum of 1 / fingerprint over the public terms.
         Check 3, public input: they say what `outputs` say. Without it the exchange would pay what was not proved.
         Check 7, constraint: no fingerprint is zero, for it would have no inverse.
    """
    entries: uint256 = len(outputs) // ENTRY_BYTES
    assert len(outputs) == entries * ENTRY_BYTES and len(terms) == entries * TERM_BYTES, "public input"
    numerator: uint256 = 0
    denominator: uint256 = 1
    lowest: uint256 = 0
    kind_before: uint256 = 0
    for index: uint256 in range(entries, bound=MAX_ENTRIES):
        # -- read_entry: A deposit or withdrawal as the exchange has it: kind, account, owner and amount in 37 bytes.
        start: uint256 = unsafe_mul(index, ENTRY_BYTES)
        front: uint256 = extract32(outputs, start, output_type=uint256)
        back: uint256 = extract32(outputs, unsafe_add(start, 5), output_type=uint256)
        kind: uint256 = front >> 248
        account: uint256 = (front >> 184) & WORD64
        owner: uint256 = (back >> 64) & (2**160 - 1)
        amount: uint256 = back & WORD64
        if kind != kind_before:
            lowest = 0
        # -- check_entry: Check 3, public input: a deposit or withdrawal that a batch may have: deposits first, rising
        #    accounts, a positive amount.
        #
        #    Without it one account could be told twice, or an amount could wrap around.
        assert (
            kind <= 1
            and kind >= kind_before
            and account >= lowest
            and account < ACCOUNT_LIMIT
            and amount != 0
            and amount < 2**63
        ), "public input"
        # -- check_entry ends
        kind_before = kind
        lowest = unsafe_add(account, 1)
        # -- read_entry ends
        # -- entry_limbs: The same as the public term has it, 16 limbs of 16 bits: kind, account and the owner's first
        #    six in `first`, the owner's last four and the amount in `second`, each a 32-bit word, the first in the
        #    highest bits.
        first: uint256 = kind << 224 | account << 192 | self._reversed(owner, 160)
        second: uint256 = self._reversed(owner >> 96, 224) & (2**128 - 1) * 2**128 | self._reversed(amount, 96)
        # -- entry_limbs ends
        total: uint256 = unsafe_add(
            alpha + 5,
            unsafe_add(
                unsafe_add(
                    unsafe_add(unsafe_add(
                        unsafe_mul((first >> 224) & 65535, betas[0]),
                        unsafe_mul((second >> 224) & 65535, betas[0 + 8]),
                    ), unsafe_add(
                        unsafe_mul((first >> 192) & 65535, betas[1]),
                        unsafe_mul((second >> 192) & 65535, betas[1 + 8]),
                    )),
                    unsafe_add(unsafe_add(
                        unsafe_mul((first >> 160) & 65535, betas[2]),
                        unsafe_mul((second >> 160) & 65535, betas[2 + 8]),
                    ), unsafe_add(
                        unsafe_mul((first >> 128) & 65535, betas[3]),
                        unsafe_mul((second >> 128) & 65535, betas[3 + 8]),
                    )),
                ),
                unsafe_add(
                    unsafe_add(unsafe_add(
                        unsafe_mul((first >> 96) & 65535, betas[4]),
                        unsafe_mul((second >> 96) & 65535, betas[4 + 8]),
                    ), unsafe_add(
                        unsafe_mul((first >> 64) & 65535, betas[5]),
                        unsafe_mul((second >> 64) & 65535, betas[5 + 8]),
                    )),
                    unsafe_add(unsafe_add(
                        unsafe_mul((first >> 32) & 65535, betas[6]),
                        unsafe_mul((second >> 32) & 65535, betas[6 + 8]),
                    ), unsafe_add(
                        unsafe_mul((first >> 0) & 65535, betas[7]),
                        unsafe_mul((second >> 0) & 65535, betas[7 + 8]),
                    )),
                ),
            ),
        )
        at: uint256 = unsafe_mul(index, TERM_BYTES)
        # -- check_term: Check 3, public input: the term says what the entry says.
        #
        #    Without it the proof would be of other deposits and withdrawals than the exchange books.
        assert (
            extract32(terms, at, output_type=uint256) >> 160 == TERM_HEAD
            and extract32(terms, unsafe_add(at, 12), output_type=uint256) == field.swapped(first)
            and extract32(terms, unsafe_add(at, 44), output_type=uint256) == field.swapped(second)
        ), "public input"
        # -- check_term ends
        total = field.reduced(total)
        numerator = field.muladd(numerator, total, denominator)
        denominator = field.mul(denominator, total)
    assert denominator != 0, "constraint"
    return numerator, denominator


@internal
@pure
def _absorbed_bytes(state: bytes32, kind: uint256, data: Bytes[MAX_HEAD]) -> bytes32:
    """
    @dev The transcript after a message of any length.
    """
    size: uint256 = len(data)
    start: uint256 = 2**40 | (kind << 32) | ((size & 255) << 24) | ((size >> 8) << 16)
    return keccak256(concat(state, convert(convert(start, uint48), bytes6), data))


@internal
@pure
def _power(base: uint256, exponent: uint256) -> uint256:
    """
    @dev base^exponent for an exponent below 2^16.
    """
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
         Check 1, encoding: no more groups and layers than there is room for.
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
    @dev Check 7, constraint, for one table:
         every + (z - last) transition = V (Q - first / (z - 1) - last / (z - last)), cleared of denominators.
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
