# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Query phase
@notice Checks queries of a proof: opened rows against the trace commitments, DEEP quotients, FRI folds, the last
        polynomial. What is checked is said by a *context*, the words that the opening contract derives from a proof's
        transcript; a fact here is "these queries hold for the context with this digest". It says nothing of whether
        the context belongs to any proof: that is the opening contract's fact, and the registry wants both.
@dev Context words:
        0 transcript state before the query indices    1 log heights, table i in bits 8 i
        2, 3, 4 roots of the main, auxiliary and quotient tree    5 z    6 gamma
        7 + 2 g, 8 + 2 g what group g's combinations are claimed to be at z and z w    13 the fact to be registered
        14 number of FRI layers, then per layer root, folding and mixing challenge, then the last polynomial
     A group is the tables of one height, tallest first. Field elements are packed as in `field.vy`.
     Per query, `rows[i]` holds group by group the main, auxiliary and quotient row, then FRI's leaves, each padded with
     zeros to whole words, and zeros to its fixed length. `nodes` holds per query: each group's DEEP value, the three
     paths, FRI's paths. Queries come in rising order of their indices. The first one's paths go up to the roots, a
     later one's up to where they meet the paths before: if d - 1 is the highest bit in which the indices differ, the
     node that d - 1 levels lead to is the sibling that the path before had there. Of the paths before, siblings are
     kept by level. Those kept are right wherever the index before has a zero bit, and a larger index meets it nowhere
     else. Rows and leaves that join above the meeting point are those of the query before.
"""

import field

event QueriesVerified:
    context: indexed(bytes32)
    queries: uint256

MAX_CONTEXT: constant(uint256) = 96
MAX_QUERIES: constant(uint256) = 256
BATCH: constant(uint256) = 24
ROW_BYTES: constant(uint256) = 32 * ROW_WORDS
MAX_NODES: constant(uint256) = 2304
MAX_DEPTH: constant(uint256) = 24
MAX_TABLES: constant(uint256) = 8
MAX_GROUPS: constant(uint256) = 3
MAX_LAYERS: constant(uint256) = 12
MAX_FINAL: constant(uint256) = 64
MAX_NEXT: constant(uint256) = 72
ROW_WORDS: constant(uint256) = 112
# Words of a record that hold trace rows, and those of them with columns opened on the next row.
TRACE_WORDS: constant(uint256) = 96
NEXT_WORDS: constant(uint256) = 40

# Sixty-four bits apart, 32 bits wide.
WIDE: constant(uint256) = (2**32 - 1) * (1 + 2**64 + 2**128 + 2**192)
NOT_CANONICAL: constant(uint256) = 2**32 * (1 + 2**64 + 2**128 + 2**192)
CANONICAL: constant(uint256) = 2164260863 * (1 + 2**64 + 2**128 + 2**192)
LIMB: constant(uint256) = 2**51 - 1
# Every second byte, every second pair of bytes.
BYTES: constant(uint256) = 450552876409790643671482431940419874915447411150352389258589821042463539455
PAIRS: constant(uint256) = 1766820105243087041267848467410591083712559083657179364930612997358944255
WORD32: constant(uint256) = 2**32 - 1

# What multiplies eight opened elements: those at odd and at even places, five coordinates each.
struct Weights:
    odd: uint256[5]
    even: uint256[5]

# Four coefficients of the last polynomial, five coordinates each.
struct Quad:
    limbs: uint256[5]

LOG_BLOWUP: immutable(uint256)
LOG_ARITY: immutable(uint256)
LOG_FINAL: immutable(uint256)
QUERIES: immutable(uint256)
# Generator of the subgroup of order 2^k and its inverse, k = 1, 2, ...
GENERATORS: immutable(uint256[MAX_DEPTH])
INVERSES: immutable(uint256[MAX_DEPTH])
# Main and auxiliary columns of each table, and the main columns opened on the next row too, table by table.
WIDTHS: immutable(DynArray[uint256, MAX_TABLES])
AUXILIARIES: immutable(DynArray[uint256, MAX_TABLES])
NEXT_COUNTS: immutable(DynArray[uint256, MAX_TABLES])
NEXT_COLUMNS: immutable(DynArray[uint256, MAX_NEXT])

# Bit i: query i holds for the context with this digest.
verified: public(HashMap[bytes32, uint256])


@deploy
def __init__(
    parameters: uint256[4],
    generators: uint256[MAX_DEPTH],
    inverses: uint256[MAX_DEPTH],
    widths: DynArray[uint256, MAX_TABLES],
    auxiliaries: DynArray[uint256, MAX_TABLES],
    next_counts: DynArray[uint256, MAX_TABLES],
    next_columns: DynArray[uint256, MAX_NEXT],
):
    assert parameters[0] <= MAX_QUERIES and parameters[2] <= 3 and parameters[3] >= 2
    QUERIES = parameters[0]
    LOG_BLOWUP = parameters[1]
    LOG_ARITY = parameters[2]
    LOG_FINAL = parameters[3]
    GENERATORS = generators
    INVERSES = inverses
    WIDTHS = widths
    AUXILIARIES = auxiliaries
    NEXT_COUNTS = next_counts
    NEXT_COLUMNS = next_columns


@external
@view
def complete(context: bytes32) -> bool:
    """
    @notice Whether every query holds for the context with this digest.
    """
    return self.verified[context] == (1 << QUERIES) - 1


@internal
@pure
def _encoding(good: bool):
    assert good, "encoding"


@internal
@pure
def _unpacked(w: uint256[5]) -> uint256[8]:
    """
    @dev Eight extension elements from five words of little-endian coordinates. Whether they are canonical is not
         checked here.
    """
    a: uint256 = field.swapped(w[0])
    b: uint256 = field.swapped(w[1])
    c: uint256 = field.swapped(w[2])
    d: uint256 = field.swapped(w[3])
    e: uint256 = field.swapped(w[4])
    return [
        a >> 224
        | ((a >> 192) & WORD32) << 51
        | ((a >> 160) & WORD32) << 102
        | ((a >> 128) & WORD32) << 153
        | ((a >> 96) & WORD32) << 204,
        ((a >> 64) & WORD32)
        | ((a >> 32) & WORD32) << 51
        | (a & WORD32) << 102
        | (b >> 224) << 153
        | ((b >> 192) & WORD32) << 204,
        ((b >> 160) & WORD32)
        | ((b >> 128) & WORD32) << 51
        | ((b >> 96) & WORD32) << 102
        | ((b >> 64) & WORD32) << 153
        | ((b >> 32) & WORD32) << 204,
        (b & WORD32)
        | (c >> 224) << 51
        | ((c >> 192) & WORD32) << 102
        | ((c >> 160) & WORD32) << 153
        | ((c >> 128) & WORD32) << 204,
        ((c >> 96) & WORD32)
        | ((c >> 64) & WORD32) << 51
        | ((c >> 32) & WORD32) << 102
        | (c & WORD32) << 153
        | (d >> 224) << 204,
        ((d >> 192) & WORD32)
        | ((d >> 160) & WORD32) << 51
        | ((d >> 128) & WORD32) << 102
        | ((d >> 96) & WORD32) << 153
        | ((d >> 64) & WORD32) << 204,
        ((d >> 32) & WORD32)
        | (d & WORD32) << 51
        | (e >> 224) << 102
        | ((e >> 192) & WORD32) << 153
        | ((e >> 160) & WORD32) << 204,
        ((e >> 128) & WORD32)
        | ((e >> 96) & WORD32) << 51
        | ((e >> 64) & WORD32) << 102
        | ((e >> 32) & WORD32) << 153
        | (e & WORD32) << 204,
    ]


@internal
@pure
def _folded(leaf: uint256[8], arity: uint256, c: uint256, fourth: uint256, eighth: uint256) -> uint256:
    """
    @dev A leaf of 2^arity values folded to one, without the factors 1/2. `c` is the folding challenge over the leaf's
         first point; `fourth` and `eighth` are inverses of roots of unity of these orders.
    """
    a: uint256 = self._pair(leaf[0], leaf[1], c)
    if arity == 1:
        return a
    square: uint256 = field.mul(c, c)
    a = self._pair(a, self._pair(leaf[2], leaf[3], field.scale(c, fourth, 0)), square)
    if arity == 2:
        return a
    other: uint256 = field.scale(c, eighth, 0)
    b: uint256 = self._pair(leaf[6], leaf[7], field.scale(other, fourth, 0))
    b = self._pair(self._pair(leaf[4], leaf[5], other), b, field.scale(square, fourth, 0))
    return self._pair(a, b, field.mul(square, square))


@internal
@pure
def _pair(left: uint256, right: uint256, c: uint256) -> uint256:
    """
    @dev (left + right) + c (left - right).
    """
    return field.muladd(unsafe_sub(unsafe_add(left, field.MODULUS), right), c, unsafe_add(left, right))


@external
def check(
    context: DynArray[uint256, MAX_CONTEXT],
    numbers: DynArray[uint256, BATCH],
    rows: DynArray[Bytes[ROW_BYTES], BATCH],
    nodes: DynArray[bytes32, MAX_NODES],
) -> uint256:
    """
    @notice Checks the queries with these numbers, in rising order of their indices, and records them.
    """
    words: DynArray[uint256, MAX_CONTEXT] = context
    digest: bytes32 = keccak256(abi_encode(words))
    widths: DynArray[uint256, MAX_TABLES] = WIDTHS
    auxiliaries: DynArray[uint256, MAX_TABLES] = AUXILIARIES
    next_counts: DynArray[uint256, MAX_TABLES] = NEXT_COUNTS
    next_columns: DynArray[uint256, MAX_NEXT] = NEXT_COLUMNS
    generators: uint256[MAX_DEPTH] = GENERATORS
    inverses: uint256[MAX_DEPTH] = INVERSES

    # Groups: heights in falling order, the tables of each; sizes of their rows, which lie in whole words.
    groups: uint256 = 0
    height: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    row_bytes: uint256[9] = empty(uint256[9])
    row_at: uint256[9] = empty(uint256[9])
    correction: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    next_point: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    # What multiplies each opened element; words with columns opened on the next row too, and what multiplies those.
    # The latter stand behind the former.
    terms: uint256[8][TRACE_WORDS + NEXT_WORDS] = empty(uint256[8][TRACE_WORDS + NEXT_WORDS])
    next_at: uint256[NEXT_WORDS] = empty(uint256[NEXT_WORDS])
    next_stop: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    nexts: uint256 = 0
    used: uint256 = 0
    bound: uint256 = 256
    gamma: uint256 = words[6]
    for _: uint256 in range(MAX_GROUPS):
        tallest: uint256 = 0
        for table: uint256 in range(len(widths), bound=MAX_TABLES):
            own: uint256 = (words[1] >> (8 * table)) & 255
            if own < bound and own > tallest:
                tallest = own
        if tallest == 0:
            break
        bound = tallest
        height[groups] = tallest
        next_point[groups] = field.scale(words[5], generators[tallest - 1], 0)
        main_place: uint256 = 0
        auxiliary_place: uint256 = 0
        quotient_place: uint256 = 0
        for table: uint256 in range(len(widths), bound=MAX_TABLES):
            if (words[1] >> (8 * table)) & 255 == tallest:
                main_place += widths[table]
                auxiliary_place += 5 * auxiliaries[table]
                quotient_place += 10
        base: uint256 = 3 * groups
        row_bytes[base] = 4 * main_place
        row_bytes[base + 1] = 4 * auxiliary_place
        row_bytes[base + 2] = 4 * quotient_place
        row_at[base] = used
        row_at[base + 1] = row_at[base] + ((main_place + 7) >> 3)
        row_at[base + 2] = row_at[base + 1] + ((auxiliary_place + 7) >> 3)
        used = row_at[base + 2] + ((quotient_place + 7) >> 3)
        # Places of elements counted over the whole row record, eight to a word.
        main_place = row_at[base] << 3
        auxiliary_place = row_at[base + 1] << 3
        quotient_place = row_at[base + 2] << 3
        column_at: uint256 = 0
        power: uint256 = 1
        for table: uint256 in range(len(widths), bound=MAX_TABLES):
            if (words[1] >> (8 * table)) & 255 == tallest:
                first_column: uint256 = main_place
                for _i: uint256 in range(widths[table], bound=4096):
                    terms[main_place >> 3][main_place & 7] = power
                    main_place = unsafe_add(main_place, 1)
                    power = field.mul(power, gamma)
                for _i: uint256 in range(auxiliaries[table], bound=4096):
                    spread: uint256 = power
                    for _j: uint256 in range(5):
                        terms[auxiliary_place >> 3][auxiliary_place & 7] = spread
                        auxiliary_place = unsafe_add(auxiliary_place, 1)
                        spread = field.times_x(spread)
                    power = field.mul(power, gamma)
                for _i: uint256 in range(2):
                    spread: uint256 = power
                    for _j: uint256 in range(5):
                        terms[quotient_place >> 3][quotient_place & 7] = spread
                        quotient_place = unsafe_add(quotient_place, 1)
                        spread = field.times_x(spread)
                    power = field.mul(power, gamma)
                last: uint256 = max_value(uint256)
                for i: uint256 in range(next_counts[table], bound=MAX_NEXT):
                    place: uint256 = first_column + next_columns[column_at + i]
                    if place >> 3 != last:
                        last = place >> 3
                        next_at[nexts] = last
                        nexts += 1
                    terms[TRACE_WORDS + nexts - 1][place & 7] = power
                    power = field.mul(power, gamma)
                if auxiliaries[table] != 0:
                    spread: uint256 = power
                    last = max_value(uint256)
                    for j: uint256 in range(5):
                        place: uint256 = auxiliary_place - 5 + j
                        if place >> 3 != last:
                            last = place >> 3
                            next_at[nexts] = last
                            nexts += 1
                        terms[TRACE_WORDS + nexts - 1][place & 7] = spread
                        spread = field.times_x(spread)
                    power = field.mul(power, gamma)
            column_at += next_counts[table]
        correction[groups] = power
        next_stop[groups] = nexts
        groups += 1
    weights: Weights[TRACE_WORDS + NEXT_WORDS] = empty(Weights[TRACE_WORDS + NEXT_WORDS])
    packed: uint256 = 0
    for t: uint256[8] in terms:
        if packed >= used and packed < TRACE_WORDS or packed >= TRACE_WORDS + nexts:
            packed = unsafe_add(packed, 1)
            continue
        weights[packed] = Weights(
            odd=[
                t[1] & LIMB | (t[3] & LIMB) << 64 | (t[5] & LIMB) << 128 | (t[7] & LIMB) << 192,
                (t[1] >> 51) & LIMB | ((t[3] >> 51) & LIMB) << 64 | ((t[5] >> 51) & LIMB) << 128 | ((t[7] >> 51) & LIMB) << 192,
                (t[1] >> 102) & LIMB | ((t[3] >> 102) & LIMB) << 64 | ((t[5] >> 102) & LIMB) << 128 | ((t[7] >> 102) & LIMB) << 192,
                (t[1] >> 153) & LIMB | ((t[3] >> 153) & LIMB) << 64 | ((t[5] >> 153) & LIMB) << 128 | ((t[7] >> 153) & LIMB) << 192,
                t[1] >> 204 | (t[3] >> 204) << 64 | (t[5] >> 204) << 128 | (t[7] >> 204) << 192,
            ],
            even=[
                t[0] & LIMB | (t[2] & LIMB) << 64 | (t[4] & LIMB) << 128 | (t[6] & LIMB) << 192,
                (t[0] >> 51) & LIMB | ((t[2] >> 51) & LIMB) << 64 | ((t[4] >> 51) & LIMB) << 128 | ((t[6] >> 51) & LIMB) << 192,
                (t[0] >> 102) & LIMB | ((t[2] >> 102) & LIMB) << 64 | ((t[4] >> 102) & LIMB) << 128 | ((t[6] >> 102) & LIMB) << 192,
                (t[0] >> 153) & LIMB | ((t[2] >> 153) & LIMB) << 64 | ((t[4] >> 153) & LIMB) << 128 | ((t[6] >> 153) & LIMB) << 192,
                t[0] >> 204 | (t[2] >> 204) << 64 | (t[4] >> 204) << 128 | (t[6] >> 204) << 192,
            ],
        )
        packed = unsafe_add(packed, 1)
    log_domain: uint256 = height[0] + LOG_BLOWUP
    log_arity: uint256 = LOG_ARITY
    final: uint256 = min(LOG_FINAL, height[groups - 1])
    layers: uint256 = words[14]
    # The last polynomial, four coefficients to a word, the lowest in the highest lane.
    quads: Quad[MAX_FINAL // 4] = empty(Quad[MAX_FINAL // 4])
    for k: uint256 in range(1 << (final - 2), bound=MAX_FINAL // 4):
        coefficient_at: uint256 = 15 + 3 * layers + 4 * k
        c0: uint256 = words[coefficient_at]
        c1: uint256 = words[coefficient_at + 1]
        c2: uint256 = words[coefficient_at + 2]
        c3: uint256 = words[coefficient_at + 3]
        quads[k] = Quad(
            limbs=[
                c3 & LIMB | (c2 & LIMB) << 64 | (c1 & LIMB) << 128 | (c0 & LIMB) << 192,
                (c3 >> 51) & LIMB | ((c2 >> 51) & LIMB) << 64 | ((c1 >> 51) & LIMB) << 128 | ((c0 >> 51) & LIMB) << 192,
                (c3 >> 102) & LIMB | ((c2 >> 102) & LIMB) << 64 | ((c1 >> 102) & LIMB) << 128 | ((c0 >> 102) & LIMB) << 192,
                (c3 >> 153) & LIMB | ((c2 >> 153) & LIMB) << 64 | ((c1 >> 153) & LIMB) << 128 | ((c0 >> 153) & LIMB) << 192,
                c3 >> 204 | (c2 >> 204) << 64 | (c1 >> 204) << 128 | (c0 >> 204) << 192,
            ]
        )
    indices: uint256[MAX_QUERIES] = empty(uint256[MAX_QUERIES])
    for drawing: uint256 in range(MAX_QUERIES // 8):
        if 8 * drawing >= QUERIES:
            break
        drawn: uint256 = field.swapped(
            convert(
                keccak256(
                    concat(convert(words[0], bytes32), convert(convert(2**33 | (drawing << 24), uint40), bytes5))
                ),
                uint256,
            )
        )
        for i: uint256 in range(8):
            indices[8 * drawing + i] = (drawn >> (224 - 32 * i)) & ((1 << log_domain) - 1)

    # Of the query before, tree by tree and layer by layer: siblings by level, digests of rows and leaves.
    siblings: bytes32[MAX_DEPTH * (3 + MAX_LAYERS)] = empty(bytes32[MAX_DEPTH * (3 + MAX_LAYERS)])
    digests: bytes32[3 * MAX_GROUPS + MAX_LAYERS] = empty(bytes32[3 * MAX_GROUPS + MAX_LAYERS])
    before: uint256 = 0
    bits: uint256 = 0
    at: uint256 = 0
    query: uint256 = 0
    self._encoding(len(rows) == len(numbers))
    for given_row: Bytes[ROW_BYTES] in rows:
        row: Bytes[ROW_BYTES] = given_row
        self._encoding(len(row) == ROW_BYTES)
        values: uint256[ROW_WORDS] = abi_decode(row, uint256[ROW_WORDS])
        self._encoding(numbers[query] < QUERIES)
        index: uint256 = indices[numbers[query]]
        self._encoding(index >= before)
        bits |= 1 << numbers[query]
        # Levels up to and with the one where the paths join; beyond the root for the first query.
        shared: uint256 = log_domain + 1
        if query != 0:
            shared = 0
            difference: uint256 = index ^ before
            if difference >> 16 != 0:
                shared = 16
            if difference >> (shared + 8) != 0:
                shared += 8
            if difference >> (shared + 4) != 0:
                shared += 4
            if difference >> (shared + 2) != 0:
                shared += 2
            if difference >> (shared + 1) != 0:
                shared += 1
            if difference != 0:
                shared += 1
        before = index
        query = unsafe_add(query, 1)

        # Rows against the three trees.
        hints: uint256 = at
        at += groups
        for tree: uint256 in range(3):
            node: bytes32 = empty(bytes32)
            position: uint256 = index
            level: uint256 = 0
            kept: uint256 = MAX_DEPTH * tree
            for group: uint256 in range(groups, bound=MAX_GROUPS):
                place: uint256 = 3 * group + tree
                row_digest: bytes32 = keccak256(slice(row, 32 * row_at[place], row_bytes[place]))
                if shared <= height[0] - height[group]:
                    assert row_digest == digests[place], "trace opening"
                    continue
                digests[place] = row_digest
                if group == 0:
                    node = row_digest
                else:
                    node = keccak256(abi_encode(node, row_digest))
                target: uint256 = log_domain
                if group + 1 < groups:
                    target = height[0] - height[group + 1]
                for _: uint256 in range(min(target, shared - 1) - level, bound=MAX_DEPTH):
                    sibling: bytes32 = nodes[at]
                    if position & 1 == 1:
                        node = keccak256(abi_encode(sibling, node))
                    else:
                        siblings[kept] = sibling
                        node = keccak256(abi_encode(node, sibling))
                    at = unsafe_add(at, 1)
                    kept = unsafe_add(kept, 1)
                    position = position >> 1
                level = target
            if shared > log_domain:
                assert convert(node, uint256) == words[2 + tree], "trace opening"
            elif shared != 0:
                assert node == siblings[kept], "trace opening"

        # The point of the query and its inverse.
        x: uint256 = 3
        inverse: uint256 = 710235478
        rest: uint256 = index
        for bit: uint256 in range(log_domain, bound=MAX_DEPTH):
            if rest & 1 == 1:
                x = unsafe_mul(x, generators[bit]) % field.P
                inverse = unsafe_mul(inverse, inverses[bit]) % field.P
            rest = rest >> 1

        # DEEP: the group's value G is given and checked without a division.
        invalid: uint256 = 0
        deep: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
        word_at: uint256 = 0
        next_word: uint256 = 0
        for group: uint256 in range(groups, bound=MAX_GROUPS):
            stop: uint256 = used
            if group + 1 < groups:
                stop = row_at[3 * group + 3]
            s0: uint256 = 0
            s1: uint256 = 0
            s2: uint256 = 0
            s3: uint256 = 0
            s4: uint256 = 0
            for k: uint256 in range(word_at, stop, bound=ROW_WORDS):
                w: Weights = weights[k]
                odd: uint256 = values[k]
                odd = (odd >> 8) & BYTES | (odd & BYTES) << 8
                odd = (odd >> 16) & PAIRS | (odd & PAIRS) << 16
                even: uint256 = (odd >> 32) & WIDE
                odd = odd & WIDE
                invalid |= unsafe_add(odd, CANONICAL) | unsafe_add(even, CANONICAL)
                s0 = unsafe_add(s0, unsafe_add(unsafe_mul(w.odd[0], odd) >> 192, unsafe_mul(w.even[0], even) >> 192))
                s1 = unsafe_add(s1, unsafe_add(unsafe_mul(w.odd[1], odd) >> 192, unsafe_mul(w.even[1], even) >> 192))
                s2 = unsafe_add(s2, unsafe_add(unsafe_mul(w.odd[2], odd) >> 192, unsafe_mul(w.even[2], even) >> 192))
                s3 = unsafe_add(s3, unsafe_add(unsafe_mul(w.odd[3], odd) >> 192, unsafe_mul(w.even[3], even) >> 192))
                s4 = unsafe_add(s4, unsafe_add(unsafe_mul(w.odd[4], odd) >> 192, unsafe_mul(w.even[4], even) >> 192))
            word_at = stop
            here: uint256 = (
                s0 % field.P | (s1 % field.P) << 51 | (s2 % field.P) << 102 | (s3 % field.P) << 153 | (s4 % field.P) << 204
            )
            s0 = 0
            s1 = 0
            s2 = 0
            s3 = 0
            s4 = 0
            for k: uint256 in range(next_word, next_stop[group], bound=NEXT_WORDS):
                w: Weights = weights[TRACE_WORDS + k]
                odd: uint256 = field.swapped(values[next_at[k]])
                even: uint256 = (odd >> 32) & WIDE
                odd = odd & WIDE
                s0 = unsafe_add(s0, unsafe_add(unsafe_mul(w.odd[0], odd) >> 192, unsafe_mul(w.even[0], even) >> 192))
                s1 = unsafe_add(s1, unsafe_add(unsafe_mul(w.odd[1], odd) >> 192, unsafe_mul(w.even[1], even) >> 192))
                s2 = unsafe_add(s2, unsafe_add(unsafe_mul(w.odd[2], odd) >> 192, unsafe_mul(w.even[2], even) >> 192))
                s3 = unsafe_add(s3, unsafe_add(unsafe_mul(w.odd[3], odd) >> 192, unsafe_mul(w.even[3], even) >> 192))
                s4 = unsafe_add(s4, unsafe_add(unsafe_mul(w.odd[4], odd) >> 192, unsafe_mul(w.even[4], even) >> 192))
            next_word = next_stop[group]
            there: uint256 = (
                s0 % field.P | (s1 % field.P) << 51 | (s2 % field.P) << 102 | (s3 % field.P) << 153 | (s4 % field.P) << 204
            )
            point: uint256 = x
            for _: uint256 in range(height[0] - height[group], bound=MAX_DEPTH):
                point = unsafe_mul(point, point) % field.P
            from_z: uint256 = field.reduced(unsafe_sub(unsafe_add(field.MODULUS, point), words[5]))
            from_next: uint256 = field.reduced(unsafe_sub(unsafe_add(field.MODULUS, point), next_point[group]))
            here = unsafe_sub(unsafe_add(here, field.MODULUS), words[7 + 2 * group])
            there = unsafe_sub(unsafe_add(there, field.MODULUS), words[8 + 2 * group])
            given: uint256 = convert(nodes[hints + group], uint256)
            # Canonical lanes: nothing above bit 30, and below p.
            self._encoding(given & ((2**20 - 1) * 2**31 * field.LANES + 2**255) == 0)
            self._encoding(unsafe_add(given, (2**31 - field.P) * field.LANES) & (2**31 * field.LANES) == 0)
            self._encoding(
                field.mul(field.mul(from_z, from_next), given) == field.mul(
                    field.muladd(here, from_next, field.mul(there, from_z)), field.scale(correction[group], point, 1)
                )
            )
            deep[group] = given
        self._encoding(invalid & NOT_CANONICAL == 0)

        # FRI: each leaf holds the value so far, its path leads to the layer's root, and it folds to the next value.
        value: uint256 = deep[0]
        joined: uint256 = 1
        level: uint256 = height[0]
        leaf_at: uint256 = used
        position: uint256 = index
        invalid = 0
        for layer: uint256 in range(layers, bound=MAX_LAYERS):
            stop: uint256 = final
            if joined < groups and height[joined] > final:
                stop = height[joined]
            arity: uint256 = min(log_arity, level - stop)
            size: uint256 = 1 << arity
            slot: uint256 = position & (size - 1)
            node: bytes32 = keccak256(slice(row, 32 * leaf_at, 20 * size))
            leaf: uint256[8] = self._unpacked(
                [
                    values[leaf_at], values[leaf_at + 1], values[leaf_at + 2], values[leaf_at + 3], values[leaf_at + 4]
                ]
            )
            unpacked: uint256 = 0
            for e: uint256 in leaf:
                if unpacked == size:
                    break
                invalid |= unsafe_add(e, 2164260863 * field.LANES)
                unpacked = unsafe_add(unpacked, 1)
            assert leaf[slot] == value, "fri"
            leaf_at += (20 * size + 31) >> 5
            position = position >> arity
            level -= arity
            folded: uint256 = height[0] - level
            if shared <= folded:
                assert node == digests[3 * MAX_GROUPS + layer], "fri"
            else:
                digests[3 * MAX_GROUPS + layer] = node
                path: uint256 = position
                kept: uint256 = MAX_DEPTH * (3 + layer)
                for _: uint256 in range(min(log_domain, shared - 1) - folded, bound=MAX_DEPTH):
                    sibling: bytes32 = nodes[at]
                    if path & 1 == 1:
                        node = keccak256(abi_encode(sibling, node))
                    else:
                        siblings[kept] = sibling
                        node = keccak256(abi_encode(node, sibling))
                    at = unsafe_add(at, 1)
                    kept = unsafe_add(kept, 1)
                    path = path >> 1
                if shared > log_domain:
                    assert convert(node, uint256) == words[15 + 3 * layer], "fri"
                else:
                    assert node == siblings[kept], "fri"
            # 1/x of the leaf's first point, from that of the query's own.
            for bit: uint256 in range(3):
                if (slot >> bit) & 1 == 1:
                    inverse = unsafe_mul(inverse, generators[bit]) % field.P
            value = self._folded(leaf, arity, field.scale(words[16 + 3 * layer], inverse, 0), inverses[1], inverses[2])
            for _: uint256 in range(arity, bound=3):
                inverse = unsafe_mul(inverse, inverse) % field.P
            # Each step was made without its factor 1/2.
            halves: uint256 = pow_mod256(1065353217, arity) % field.P
            if joined < groups and level == height[joined]:
                value = field.scale(value, halves, field.mul(deep[joined], words[17 + 3 * layer]))
                joined += 1
            else:
                value = field.scale(value, halves, 0)
        self._encoding(invalid & (2**32 * field.LANES) == 0)
        point: uint256 = x
        for _: uint256 in range(height[0] - level, bound=MAX_DEPTH):
            point = unsafe_mul(point, point) % field.P
        power: uint256 = 1
        t0: uint256 = 0
        t1: uint256 = 0
        t2: uint256 = 0
        t3: uint256 = 0
        t4: uint256 = 0
        for k: uint256 in range(1 << (final - 2), bound=MAX_FINAL // 4):
            q: Quad = quads[k]
            powers: uint256 = power
            power = unsafe_mul(power, point) % field.P
            powers |= power << 64
            power = unsafe_mul(power, point) % field.P
            powers |= power << 128
            power = unsafe_mul(power, point) % field.P
            powers |= power << 192
            power = unsafe_mul(power, point) % field.P
            t0 = unsafe_add(t0, unsafe_mul(q.limbs[0], powers) >> 192)
            t1 = unsafe_add(t1, unsafe_mul(q.limbs[1], powers) >> 192)
            t2 = unsafe_add(t2, unsafe_mul(q.limbs[2], powers) >> 192)
            t3 = unsafe_add(t3, unsafe_mul(q.limbs[3], powers) >> 192)
            t4 = unsafe_add(t4, unsafe_mul(q.limbs[4], powers) >> 192)
        assert value == (
            t0 % field.P | (t1 % field.P) << 51 | (t2 % field.P) << 102 | (t3 % field.P) << 153 | (t4 % field.P) << 204
        ), "fri"
    self._encoding(at == len(nodes))
    self.verified[digest] |= bits
    log QueriesVerified(context=digest, queries=bits)
    return self.verified[digest]
