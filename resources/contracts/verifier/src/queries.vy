# Written by compile_verifier.py from templates/queries.vy.in, which is to be read and changed.
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
     `rows` holds per query, group by group, the main, auxiliary and quotient row, then FRI's leaves, groups and leaves
     each padded with zeros to whole words; in the end as many zeros as the last record lacks to ROW_WORDS, since so
     much is read at once. `nodes` holds per query the paths of the three trees, level by level, then FRI's, path by
     path. Queries come in rising order of their indices. The first one's paths go up to the roots, a later one's up to
     where they meet the paths before: if d - 1 is the highest bit in which the indices differ, the node that d - 1
     levels lead to is the sibling that the path before had there. Of the paths before, siblings are kept by level.
     Those kept are right wherever the index before has a zero bit, and a larger index meets it nowhere else. Rows and
     leaves that join above the meeting point are those of the query before.
     Checks bear the numbers and names of the native verifier's (engine/stark/protocol/verifier.py); a refusal names
     its check. Much is written out, with unchecked arithmetic, because it runs some thousand times a proof:
     docs/verifier.md.
"""

import field

event QueriesVerified:
    context: indexed(bytes32)
    queries: uint256

MAX_CONTEXT: constant(uint256) = 96
MAX_QUERIES: constant(uint256) = 256
BATCH: constant(uint256) = 20
ROW_WORDS: constant(uint256) = 117
MAX_NODES: constant(uint256) = 1920
MAX_DEPTH: constant(uint256) = 24
MAX_TABLES: constant(uint256) = 8
MAX_GROUPS: constant(uint256) = 3
MAX_LAYERS: constant(uint256) = 12
MAX_FINAL: constant(uint256) = 64
MAX_NEXT: constant(uint256) = 80
# Words of a record that hold trace rows, and those of them with columns opened on the next row: how many there may be
# and, four at a time, in how many passes of the DEEP sums they go.
TRACE_WORDS: constant(uint256) = 88
NEXT_WORDS: constant(uint256) = 24
MAX_PASSES: constant(uint256) = 32

# Sixty-four bits apart, 32 bits wide.
WIDE: constant(uint256) = (2**32 - 1) * (1 + 2**64 + 2**128 + 2**192)
NOT_CANONICAL: constant(uint256) = 2**32 * (1 + 2**64 + 2**128 + 2**192)
CANONICAL: constant(uint256) = 2164260863 * (1 + 2**64 + 2**128 + 2**192)
LIMB: constant(uint256) = 2**51 - 1
# Every lane but the middle one.
REST: constant(uint256) = (2**51 - 1) * (1 + 2**51 + 2**153 + 2**204)
# A generator of the subgroup of order 2^24; inverses of those of order 2, 4, 8 and 16 that its squares lead to.
GENERATOR: constant(uint256) = 1791270792
INVERSES: constant(uint256[4]) = [2130706432, 16711679, 1739704753, 1461727711]
# Multiplies 32-bit lanes that are 64 bits apart so that they stand twice side by side.
TWICE: constant(uint256) = 2**32 + 1

# Four coefficients of the last polynomial, five coordinates each.
struct Quad:
    limbs: uint256[5]

LOG_BLOWUP: immutable(uint256)
LOG_ARITY: immutable(uint256)
LOG_FINAL: immutable(uint256)
QUERIES: immutable(uint256)
# Main and auxiliary columns of each table, and the main columns opened on the next row too, table by table, sixteen to
# a word from the low bits on.
WIDTHS: immutable(DynArray[uint256, MAX_TABLES])
AUXILIARIES: immutable(DynArray[uint256, MAX_TABLES])
NEXT_COUNTS: immutable(DynArray[uint256, MAX_TABLES])
NEXT_COLUMNS: immutable(uint256[MAX_NEXT // 16])

# Bit i: query i holds for the context with this digest.
verified: public(HashMap[bytes32, uint256])


@deploy
def __init__(
    parameters: uint256[4],
    widths: DynArray[uint256, MAX_TABLES],
    auxiliaries: DynArray[uint256, MAX_TABLES],
    next_counts: DynArray[uint256, MAX_TABLES],
    next_columns: uint256[MAX_NEXT // 16],
):
    assert parameters[0] >= 1 and parameters[0] <= MAX_QUERIES and parameters[2] <= 4 and parameters[3] >= 2
    QUERIES = parameters[0]
    LOG_BLOWUP = parameters[1]
    LOG_ARITY = parameters[2]
    LOG_FINAL = parameters[3]
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
def _index(state: uint256, number: uint256) -> uint256:
    """
    @dev The 32 bits that the transcript yields for the query with this number.
    """
    start: bytes5 = convert(convert(2**33 | ((number >> 3) << 24), uint40), bytes5)
    drawn: uint256 = field.swapped(convert(keccak256(concat(convert(state, bytes32), start)), uint256))
    return (drawn >> (224 - 32 * (number & 7))) & field.WORD32


@internal
@pure
def _pair(left: uint256, right: uint256, c: uint256, x: uint256) -> uint256:
    """
    @dev x (left + right) + c (left - right) for canonical elements and x below p. As `field.muladd`, with a product
         of at most 2^48 added to either piece: lanes reach 2^51 (1 - 2^-7).
    """
    sum: uint256 = unsafe_add(left, right)
    difference: uint256 = unsafe_sub(unsafe_add(left, field.MODULUS), right)
    t: uint256 = unsafe_add(uint256_addmod(uint256_mulmod(difference & field.LOW16, c, field.N), field.LIFT, field.N), unsafe_mul(x & 65535, sum))
    u: uint256 = unsafe_add(uint256_addmod(uint256_mulmod((difference >> 16) & field.LOW16, c, field.N), field.LIFT, field.N), unsafe_mul(x >> 16, sum))
    # even_odd(t, u)
    e: uint256 = unsafe_add(t & field.EVEN, (u & field.EVEN) << 16)
    o: uint256 = unsafe_add((t >> 51) & field.EVEN, ((u >> 51) & field.EVEN) << 16)
    return (
        (e & field.LANE) % field.P
        | ((o & field.LANE) % field.P) << 51
        | ((e >> 102) % field.P) << 102
        | ((o >> 102) % field.P) << 153
        | (unsafe_add(t >> 204, (u >> 204) << 16) % field.P) << 204
    )


@external
def check(
    context: DynArray[uint256, MAX_CONTEXT],
    numbers: DynArray[uint256, BATCH],
    rows: Bytes[32 * ROW_WORDS * BATCH],
    nodes: DynArray[bytes32, MAX_NODES],
) -> uint256:
    """
    @notice Checks the queries with these numbers, in rising order of their indices, and records them.
    """
    digest: bytes32 = keccak256(abi_encode(context))
    # Once a transaction: what all queries are checked with.
    # -- read_statement: The statement's tables, and generators of the subgroups of order 2, 4, 8, ...
    widths: DynArray[uint256, MAX_TABLES] = WIDTHS
    auxiliaries: DynArray[uint256, MAX_TABLES] = AUXILIARIES
    next_counts: DynArray[uint256, MAX_TABLES] = NEXT_COUNTS
    next_columns: uint256[MAX_NEXT // 16] = NEXT_COLUMNS
    generators: uint256[MAX_DEPTH] = empty(uint256[MAX_DEPTH])
    generators[MAX_DEPTH - 1] = GENERATOR
    for i: uint256 in range(1, MAX_DEPTH):
        generators[MAX_DEPTH - 1 - i] = unsafe_mul(generators[MAX_DEPTH - i], generators[MAX_DEPTH - i]) % field.P
    # -- read_statement ends
    # -- layout_groups: Groups are the tables of one height, tallest first. For each: where its rows lie in a record,
    #    what its DEEP quotient needs, and what multiplies each opened element: powers of gamma over main columns,
    #    auxiliary columns and quotient chunks at z, then over those opened at z w, table by table. The coordinates of
    #    extension columns are opened one by one, so theirs are the power times 1, X, ... X^4.
    # -- group_memory: Where the groups are noted, and gamma in pieces.
    groups: uint256 = 0
    height: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    # Bytes of the main, auxiliary and quotient row of each group, and where they start in a record.
    row_bytes: uint256[9] = empty(uint256[9])
    row_at: uint256[9] = empty(uint256[9])
    correction: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    next_point: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    # (x - z) (x - z w) = x^2 + linear x + constant.
    linear: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    constant_term: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
    # What multiplies each opened element, and behind it what multiplies those opened on the next row too; their words.
    terms: uint256[8][TRACE_WORDS + NEXT_WORDS] = empty(uint256[8][TRACE_WORDS + NEXT_WORDS])
    next_at: uint256[NEXT_WORDS] = empty(uint256[NEXT_WORDS])
    # Where the terms of a group end, at z and at z w.
    stops: uint256[2 * MAX_GROUPS] = empty(uint256[2 * MAX_GROUPS])
    nexts: uint256 = 0
    used: uint256 = 0
    bound: uint256 = 256
    gamma: uint256 = context[6]
    gamma_low: uint256 = gamma & field.LOW16
    gamma_high: uint256 = (gamma >> 16) & field.LOW16
    # -- group_memory ends
    for _: uint256 in range(MAX_GROUPS):
        # -- next_height: The greatest height below the group before's.
        tallest: uint256 = 0
        for table: uint256 in range(len(widths), bound=MAX_TABLES):
            own: uint256 = (context[1] >> (8 * table)) & 255
            if own < bound and own > tallest:
                tallest = own
        if tallest == 0:
            break
        bound = tallest
        # -- next_height ends
        # -- group_points: The group's z w, and (x - z) (x - z w) = x^2 + linear x + constant_term; w: the generator of
        #    its height.
        height[groups] = tallest
        next_point[groups] = field.scale(context[5], generators[tallest - 1], 0)
        linear[groups] = field.reduced(
            unsafe_sub(unsafe_sub(unsafe_mul(2, field.MODULUS), context[5]), next_point[groups])
        )
        constant_term[groups] = field.mul(context[5], next_point[groups])
        # -- group_points ends
        # -- group_rows: Where the group's rows lie: in a record by bytes, and by elements, of which a word has eight. A
        #    group starts a word.
        main_place: uint256 = 0
        auxiliary_place: uint256 = 0
        quotient_place: uint256 = 0
        for table: uint256 in range(len(widths), bound=MAX_TABLES):
            if (context[1] >> (8 * table)) & 255 == tallest:
                main_place += widths[table]
                auxiliary_place += 5 * auxiliaries[table]
                quotient_place += 10
        base: uint256 = 3 * groups
        row_bytes[base] = 4 * main_place
        row_bytes[base + 1] = 4 * auxiliary_place
        row_bytes[base + 2] = 4 * quotient_place
        row_at[base] = used << 5
        row_at[base + 1] = row_at[base] + row_bytes[base]
        row_at[base + 2] = row_at[base + 1] + row_bytes[base + 1]
        # Places of elements counted over the whole record, eight to a word.
        quotient_place = 8 * used + main_place + auxiliary_place
        auxiliary_place = 8 * used + main_place
        main_place = 8 * used
        used = (row_at[base + 2] + row_bytes[base + 2] + 31) >> 5
        # -- group_rows ends
        column_at: uint256 = 0
        power: uint256 = 1
        for table: uint256 in range(len(widths), bound=MAX_TABLES):
            if (context[1] >> (8 * table)) & 255 == tallest:
                first_column: uint256 = main_place
                # -- main_terms: A power of gamma to each main column of the table.
                for place: uint256 in range(main_place, main_place + widths[table], bound=4096):
                    terms[place >> 3][place & 7] = power
                    # field_mul_pieces(power, power, gamma_low, gamma_high)
                    t: uint256 = uint256_addmod(uint256_mulmod(power, gamma_low, field.N), field.LIFT, field.N)
                    u: uint256 = uint256_addmod(uint256_mulmod(power, gamma_high, field.N), field.LIFT, field.N)
                    # even_odd(t, u)
                    e: uint256 = unsafe_add(t & field.EVEN, (u & field.EVEN) << 16)
                    o: uint256 = unsafe_add((t >> 51) & field.EVEN, ((u >> 51) & field.EVEN) << 16)
                    power = (
                        (e & field.LANE) % field.P
                        | ((o & field.LANE) % field.P) << 51
                        | ((e >> 102) % field.P) << 102
                        | ((o >> 102) % field.P) << 153
                        | (unsafe_add(t >> 204, (u >> 204) << 16) % field.P) << 204
                    )
                main_place += widths[table]
                # -- main_terms ends
                # -- extension_terms: A power of gamma to each auxiliary column and the two quotient chunks: times X^j
                #    for coordinate j.
                for i: uint256 in range(auxiliaries[table] + 2, bound=4096):
                    first: uint256 = quotient_place
                    if i < auxiliaries[table]:
                        first = auxiliary_place
                        auxiliary_place = unsafe_add(auxiliary_place, 5)
                    else:
                        quotient_place = unsafe_add(quotient_place, 5)
                    spread: uint256 = power
                    terms[first >> 3][first & 7] = spread
                    for j: uint256 in range(1, 5):
                        # times_x(spread)
                        top: uint256 = spread >> 204
                        spread = unsafe_add(
                            unsafe_add((spread << 51) & (2**255 - 1), unsafe_sub(field.P, top) << 102), top
                        )
                        spread = spread & REST | (((spread >> 102) & LIMB) % field.P) << 102
                        place: uint256 = unsafe_add(first, j)
                        terms[place >> 3][place & 7] = spread
                    power = field.mul(power, gamma)
                # -- extension_terms ends
                # -- next_terms: A power of gamma to each main column of the table that is opened at z w too. Of a
                #    record's words only those with such columns are summed again: `next_at` lists them, and their
                #    factors stand behind those at z.
                last: uint256 = max_value(uint256)
                for i: uint256 in range(next_counts[table], bound=MAX_NEXT):
                    column: uint256 = unsafe_add(column_at, i)
                    place: uint256 = first_column + ((next_columns[column >> 4] >> ((column & 15) << 4)) & 65535)
                    if place >> 3 != last:
                        last = place >> 3
                        next_at[nexts] = last
                        nexts += 1
                    terms[unsafe_add(TRACE_WORDS - 1, nexts)][place & 7] = power
                    power = field.mul(power, gamma)
                # -- next_terms ends
                if auxiliaries[table] != 0:
                    # -- next_sum_terms: Likewise to the last auxiliary column, the running sum.
                    spread: uint256 = power
                    last = max_value(uint256)
                    for j: uint256 in range(5):
                        place: uint256 = auxiliary_place - 5 + j
                        if place >> 3 != last:
                            last = place >> 3
                            next_at[nexts] = last
                            nexts += 1
                        terms[unsafe_add(TRACE_WORDS - 1, nexts)][place & 7] = spread
                        spread = field.times_x(spread)
                    power = field.mul(power, gamma)
                    # -- next_sum_terms ends
            column_at += next_counts[table]
        correction[groups] = power
        stops[2 * groups] = used
        stops[2 * groups + 1] = TRACE_WORDS + nexts
        groups += 1
    # -- layout_groups ends
    # -- deep_weights: The DEEP sums in passes of four words: where the words are in the row record, eight bits each,
    #    and what multiplies them. Group by group those at z, then those at z w.
    weights: uint256[10][4][MAX_PASSES] = empty(uint256[10][4][MAX_PASSES])
    places: uint256[MAX_PASSES] = empty(uint256[MAX_PASSES])
    pass_stop: uint256[2 * MAX_GROUPS] = empty(uint256[2 * MAX_GROUPS])
    passes: uint256 = 0
    for section: uint256 in range(2 * groups, bound=2 * MAX_GROUPS):
        first: uint256 = TRACE_WORDS * (section & 1)
        if section >= 2:
            first = stops[section - 2]
        slot: uint256 = 0
        for k: uint256 in range(first, stops[section], bound=TRACE_WORDS):
            where: uint256 = k
            if section & 1 == 1:
                where = next_at[unsafe_sub(k, TRACE_WORDS)]
            places[passes] |= where << (slot << 3)
            t: uint256[8] = terms[k]
            weights[passes][slot] = [
                ((t[1] & LIMB) | (t[3] & LIMB) << 64 | (t[5] & LIMB) << 128 | (t[7] & LIMB) << 192),
                (((t[1] >> 51) & LIMB) | ((t[3] >> 51) & LIMB) << 64 | ((t[5] >> 51) & LIMB) << 128 | ((t[7] >> 51) & LIMB) << 192),
                (((t[1] >> 102) & LIMB) | ((t[3] >> 102) & LIMB) << 64 | ((t[5] >> 102) & LIMB) << 128 | ((t[7] >> 102) & LIMB) << 192),
                (((t[1] >> 153) & LIMB) | ((t[3] >> 153) & LIMB) << 64 | ((t[5] >> 153) & LIMB) << 128 | ((t[7] >> 153) & LIMB) << 192),
                ((t[1] >> 204) | (t[3] >> 204) << 64 | (t[5] >> 204) << 128 | (t[7] >> 204) << 192),
                ((t[0] & LIMB) | (t[2] & LIMB) << 64 | (t[4] & LIMB) << 128 | (t[6] & LIMB) << 192),
                (((t[0] >> 51) & LIMB) | ((t[2] >> 51) & LIMB) << 64 | ((t[4] >> 51) & LIMB) << 128 | ((t[6] >> 51) & LIMB) << 192),
                (((t[0] >> 102) & LIMB) | ((t[2] >> 102) & LIMB) << 64 | ((t[4] >> 102) & LIMB) << 128 | ((t[6] >> 102) & LIMB) << 192),
                (((t[0] >> 153) & LIMB) | ((t[2] >> 153) & LIMB) << 64 | ((t[4] >> 153) & LIMB) << 128 | ((t[6] >> 153) & LIMB) << 192),
                ((t[0] >> 204) | (t[2] >> 204) << 64 | (t[4] >> 204) << 128 | (t[6] >> 204) << 192),
            ]
            slot = unsafe_add(slot, 1)
            if slot == 4:
                slot = 0
                passes = unsafe_add(passes, 1)
        if slot != 0:
            passes += 1
        pass_stop[section] = passes
    # -- deep_weights ends
    # -- final_polynomial: How far FRI goes, and the last polynomial: four coefficients to a word, the lowest in the
    #    highest lane.
    log_domain: uint256 = height[0] + LOG_BLOWUP
    log_arity: uint256 = LOG_ARITY
    final: uint256 = min(LOG_FINAL, height[groups - 1])
    layers: uint256 = context[14]
    quads: Quad[MAX_FINAL // 4] = empty(Quad[MAX_FINAL // 4])
    for k: uint256 in range(1 << (final - 2), bound=MAX_FINAL // 4):
        coefficient_at: uint256 = 15 + 3 * layers + 4 * k
        c0: uint256 = context[coefficient_at]
        c1: uint256 = context[coefficient_at + 1]
        c2: uint256 = context[coefficient_at + 2]
        c3: uint256 = context[coefficient_at + 3]
        quads[k] = Quad(
            limbs=[
                ((c3 & LIMB) | (c2 & LIMB) << 64 | (c1 & LIMB) << 128 | (c0 & LIMB) << 192),
                (((c3 >> 51) & LIMB) | ((c2 >> 51) & LIMB) << 64 | ((c1 >> 51) & LIMB) << 128 | ((c0 >> 51) & LIMB) << 192),
                (((c3 >> 102) & LIMB) | ((c2 >> 102) & LIMB) << 64 | ((c1 >> 102) & LIMB) << 128 | ((c0 >> 102) & LIMB) << 192),
                (((c3 >> 153) & LIMB) | ((c2 >> 153) & LIMB) << 64 | ((c1 >> 153) & LIMB) << 128 | ((c0 >> 153) & LIMB) << 192),
                ((c3 >> 204) | (c2 >> 204) << 64 | (c1 >> 204) << 128 | (c0 >> 204) << 192),
            ]
        )
    # -- final_polynomial ends
    # -- fold_multipliers: What multiplies differences when a leaf is folded: the folding challenge c over the four
    #    pairs' roots of unity, c^2 over two pairs', c^4; for the leaf's second half likewise, and c^8.
    multipliers: uint256[8][2 * MAX_LAYERS] = empty(uint256[8][2 * MAX_LAYERS])
    for layer: uint256 in range(layers, bound=MAX_LAYERS):
        c: uint256 = context[16 + 3 * layer]
        square: uint256 = field.mul(c, c)
        fourth: uint256 = field.mul(square, square)
        eighth: uint256 = 0
        for half: uint256 in range(2):
            other: uint256 = field.scale(c, INVERSES[2], 0)
            multipliers[2 * layer + half] = [
                c,
                field.scale(c, INVERSES[1], 0),
                other,
                field.scale(other, INVERSES[1], 0),
                square,
                field.scale(square, INVERSES[1], 0),
                fourth,
                eighth,
            ]
            if log_arity < 4:
                break
            eighth = field.mul(fourth, fourth)
            c = field.scale(c, INVERSES[3], 0)
            square = field.scale(square, INVERSES[2], 0)
            fourth = field.scale(fourth, INVERSES[1], 0)
    # -- fold_multipliers ends
    # -- point_tables: What the query's points are made of. `powers`: the generators' products by four bits of an index
    #    at a time, from the low ones on. `to_first`: by slot in a leaf, what leads from that point to the leaf's first
    #    one.
    powers: uint256[16][MAX_DEPTH // 4] = empty(uint256[16][MAX_DEPTH // 4])
    for part: uint256 in range(MAX_DEPTH // 4):
        products: uint256[16] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
        filled: uint256 = 1
        for bit: uint256 in range(4):
            generator: uint256 = generators[unsafe_add(part << 2, bit)]
            for i: uint256 in range(filled, bound=8):
                products[unsafe_add(filled, i)] = unsafe_mul(products[i], generator) % field.P
            filled = filled << 1
        powers[part] = products
    to_first: uint256[16] = [1, INVERSES[0], INVERSES[1], 0, INVERSES[2], 0, 0, 0, INVERSES[3], 0, 0, 0, 0, 0, 0, 0]
    for slot: uint256 in range(16):
        if to_first[slot] == 0:
            low: uint256 = slot & 3
            if low == 0:
                low = 4
            elif slot == 3:
                low = 1
            to_first[slot] = unsafe_mul(to_first[low], to_first[slot ^ low]) % field.P
    # -- point_tables ends
    # -- path_memory: Of the query before: siblings of the trees by level, those of FRI's paths, digests of rows and
    #    leaves. `at`: the next node; `row_start`: where the next record starts; `joins_at`: the level where the group
    #    below joins the trees, or the roots; `bits`: the queries of this transaction.
    joins_at: uint256[MAX_GROUPS] = [log_domain, log_domain, log_domain]
    for group: uint256 in range(1, groups, bound=MAX_GROUPS - 1):
        joins_at[group - 1] = height[0] - height[group]
    siblings: bytes32[3][MAX_DEPTH] = empty(bytes32[3][MAX_DEPTH])
    fri_siblings: bytes32[MAX_DEPTH * MAX_LAYERS] = empty(bytes32[MAX_DEPTH * MAX_LAYERS])
    digests: bytes32[3][MAX_GROUPS] = empty(bytes32[3][MAX_GROUPS])
    leaf_digests: bytes32[MAX_LAYERS] = empty(bytes32[MAX_LAYERS])
    before: uint256 = 0
    bits: uint256 = 0
    at: uint256 = 0
    query: uint256 = 0
    row_start: uint256 = 0
    # -- path_memory ends
    # Query by query: checks 8 and 9 of the native verifier, and 1 for what they read.
    for number: uint256 in numbers:
        # -- draw_query: Check 1, encoding: a query of this proof, in rising order, at the index that the transcript
        #    yields.
        #
        #    Without the first, the bit of a number that no proof has would keep a context from ever being complete.
        #    Without the second, a path could end at a sibling that was kept for another place of the tree.
        data: Bytes[32 * ROW_WORDS] = slice(rows, row_start, 32 * ROW_WORDS)
        row: uint256[ROW_WORDS] = abi_decode(data, uint256[ROW_WORDS])
        self._encoding(number < QUERIES)
        index: uint256 = self._index(context[0], number) & ((1 << log_domain) - 1)
        self._encoding(index >= before)
        bits |= 1 << number
        # -- draw_query ends
        # -- shared_levels: Levels up to and with the one where this query's paths meet those before, which is one more
        #    than the highest bit in which the indices differ; beyond the root for the first query.
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
        reach: uint256 = unsafe_sub(shared, 1)
        before = index
        query = unsafe_add(query, 1)
        # -- shared_levels ends
        # -- check_paths: Check 8, trace opening: the query's rows are those that the main, auxiliary and quotient tree
        #    were made of.
        #
        #    Without it a prover would choose rows after seeing where it is asked. The three trees share positions and
        #    are climbed together. A shorter group's rows join where its leaves are.
        main: bytes32 = empty(bytes32)
        auxiliary: bytes32 = empty(bytes32)
        quotient: bytes32 = empty(bytes32)
        below: uint256 = 0
        for group: uint256 in range(groups, bound=MAX_GROUPS):
            # -- hash_rows: The leaves: digests of the group's three rows.
            place: uint256 = unsafe_mul(3, group)
            main_row: bytes32 = keccak256(slice(data, row_at[place], row_bytes[place]))
            auxiliary_row: bytes32 = keccak256(slice(data, row_at[unsafe_add(place, 1)], row_bytes[unsafe_add(place, 1)]))
            quotient_row: bytes32 = keccak256(slice(data, row_at[unsafe_add(place, 2)], row_bytes[unsafe_add(place, 2)]))
            # -- hash_rows ends
            if shared <= below:
                # -- same_rows: Check 8, trace opening: a row above the meeting point is the row of the query before.
                #
                #    Without it such rows would be held against nothing, for no path is sent for them.
                known: bytes32[3] = digests[group]
                assert main_row == known[0] and auxiliary_row == known[1] and quotient_row == known[2], "trace opening"
                # -- same_rows ends
                below = joins_at[group]
                continue
            # -- join_rows: The group's leaves are the start of the paths, or go into the nodes that they have led to.
            digests[group] = [main_row, auxiliary_row, quotient_row]
            if group == 0:
                main = main_row
                auxiliary = auxiliary_row
                quotient = quotient_row
            else:
                main = keccak256(abi_encode(main, main_row))
                auxiliary = keccak256(abi_encode(auxiliary, auxiliary_row))
                quotient = keccak256(abi_encode(quotient, quotient_row))
            # -- join_rows ends
            target: uint256 = joins_at[group]
            for level: uint256 in range(below, min(target, reach), bound=MAX_DEPTH):
                # -- climb: One level up in the three trees; siblings are kept for the query after this one.
                first: bytes32 = nodes[at]
                second: bytes32 = nodes[unsafe_add(at, 1)]
                third: bytes32 = nodes[unsafe_add(at, 2)]
                at = unsafe_add(at, 3)
                if (index >> level) & 1 == 1:
                    main = keccak256(abi_encode(first, main))
                    auxiliary = keccak256(abi_encode(second, auxiliary))
                    quotient = keccak256(abi_encode(third, quotient))
                else:
                    siblings[level] = [first, second, third]
                    main = keccak256(abi_encode(main, first))
                    auxiliary = keccak256(abi_encode(auxiliary, second))
                    quotient = keccak256(abi_encode(quotient, third))
                # -- climb ends
            below = target
        # -- meet: Check 8, trace opening: the paths end in the roots, or in the siblings that the paths before had at
        #    the meeting point.
        #
        #    Without it the rows would be of any tree.
        if shared > log_domain:
            assert (
                convert(main, uint256) == context[2]
                and convert(auxiliary, uint256) == context[3]
                and convert(quotient, uint256) == context[4]
            ), "trace opening"
        elif shared != 0:
            known: bytes32[3] = siblings[reach]
            assert main == known[0] and auxiliary == known[1] and quotient == known[2], "trace opening"
        # -- meet ends
        # -- check_paths ends
        # -- query_point: The query's point in the tallest domain, 3 g^index.
        x: uint256 = 3
        for part: uint256 in range(MAX_DEPTH // 4):
            x = unsafe_mul(x, powers[part][(index >> (part << 2)) & 15]) % field.P
        # -- query_point ends
        # -- deep_quotients: Check 9, fri: what the rows say about the committed polynomials' values at z and z w. Group
        #    g's quotient G is the one with G quadratic = numerator, where quadratic = (x - z) (x - z w). It is asked
        #    for where a leaf should hold it, in `check_folds`.
        #
        #    Without it the openings at z, that the constraints were checked on, would have nothing to do with the
        #    trees.
        invalid: uint256 = 0
        numerator: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
        quadratic: uint256[MAX_GROUPS] = empty(uint256[MAX_GROUPS])
        point: uint256 = x
        here: uint256 = 0
        at_pass: uint256 = 0
        for section: uint256 in range(2 * groups, bound=2 * MAX_GROUPS):
            group: uint256 = section >> 1
            # -- minus_claim: The sum starts at minus what it is claimed to be at z or z w, coordinate by coordinate.
            claim: uint256 = unsafe_sub(field.MODULUS, context[unsafe_add(7, section)])
            s0: uint256 = claim & LIMB
            s1: uint256 = (claim >> 51) & LIMB
            s2: uint256 = (claim >> 102) & LIMB
            s3: uint256 = (claim >> 153) & LIMB
            s4: uint256 = claim >> 204
            # -- minus_claim ends
            for k: uint256 in range(at_pass, pass_stop[section], bound=MAX_PASSES):
                # -- deep_pass: Four words of rows, 32 elements, go into the sums, and into `invalid` if they are not
                #    canonical.
                w: uint256[10][4] = weights[k]
                o3: uint256 = places[k]
                o0: uint256 = row[o3 & 255]
                o1: uint256 = row[(o3 >> 8) & 255]
                o2: uint256 = row[(o3 >> 16) & 255]
                o3 = row[o3 >> 24]
                # -- four_words: Little-endian elements of four words made numbers, 64 bits apart: the even ones in e0
                #    to e3, the odd ones in o0 to o3. Bytes change places in pairs, then the pairs of an element do.
                o0 = (o0 >> 8) & field.BYTES | (o0 & field.BYTES) << 8
                o1 = (o1 >> 8) & field.BYTES | (o1 & field.BYTES) << 8
                o2 = (o2 >> 8) & field.BYTES | (o2 & field.BYTES) << 8
                o3 = (o3 >> 8) & field.BYTES | (o3 & field.BYTES) << 8
                e0: uint256 = (unsafe_mul((o0 >> 32) & WIDE, TWICE) >> 16) & WIDE
                e1: uint256 = (unsafe_mul((o1 >> 32) & WIDE, TWICE) >> 16) & WIDE
                e2: uint256 = (unsafe_mul((o2 >> 32) & WIDE, TWICE) >> 16) & WIDE
                e3: uint256 = (unsafe_mul((o3 >> 32) & WIDE, TWICE) >> 16) & WIDE
                o0 = (unsafe_mul(o0 & WIDE, TWICE) >> 16) & WIDE
                o1 = (unsafe_mul(o1 & WIDE, TWICE) >> 16) & WIDE
                o2 = (unsafe_mul(o2 & WIDE, TWICE) >> 16) & WIDE
                o3 = (unsafe_mul(o3 & WIDE, TWICE) >> 16) & WIDE
                # -- four_words ends
                invalid |= (
                    unsafe_add(e0, CANONICAL) | unsafe_add(e1, CANONICAL)
                    | unsafe_add(e2, CANONICAL) | unsafe_add(e3, CANONICAL)
                    | unsafe_add(o0, CANONICAL) | unsafe_add(o1, CANONICAL)
                    | unsafe_add(o2, CANONICAL) | unsafe_add(o3, CANONICAL)
                )
                s0 = unsafe_add(s0, unsafe_add(
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][0], o0) >> 192, unsafe_mul(w[1][0], o1) >> 192),
                        unsafe_add(unsafe_mul(w[2][0], o2) >> 192, unsafe_mul(w[3][0], o3) >> 192),
                    ),
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][5], e0) >> 192, unsafe_mul(w[1][5], e1) >> 192),
                        unsafe_add(unsafe_mul(w[2][5], e2) >> 192, unsafe_mul(w[3][5], e3) >> 192),
                    ),
                ))
                s1 = unsafe_add(s1, unsafe_add(
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][1], o0) >> 192, unsafe_mul(w[1][1], o1) >> 192),
                        unsafe_add(unsafe_mul(w[2][1], o2) >> 192, unsafe_mul(w[3][1], o3) >> 192),
                    ),
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][6], e0) >> 192, unsafe_mul(w[1][6], e1) >> 192),
                        unsafe_add(unsafe_mul(w[2][6], e2) >> 192, unsafe_mul(w[3][6], e3) >> 192),
                    ),
                ))
                s2 = unsafe_add(s2, unsafe_add(
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][2], o0) >> 192, unsafe_mul(w[1][2], o1) >> 192),
                        unsafe_add(unsafe_mul(w[2][2], o2) >> 192, unsafe_mul(w[3][2], o3) >> 192),
                    ),
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][7], e0) >> 192, unsafe_mul(w[1][7], e1) >> 192),
                        unsafe_add(unsafe_mul(w[2][7], e2) >> 192, unsafe_mul(w[3][7], e3) >> 192),
                    ),
                ))
                s3 = unsafe_add(s3, unsafe_add(
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][3], o0) >> 192, unsafe_mul(w[1][3], o1) >> 192),
                        unsafe_add(unsafe_mul(w[2][3], o2) >> 192, unsafe_mul(w[3][3], o3) >> 192),
                    ),
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][8], e0) >> 192, unsafe_mul(w[1][8], e1) >> 192),
                        unsafe_add(unsafe_mul(w[2][8], e2) >> 192, unsafe_mul(w[3][8], e3) >> 192),
                    ),
                ))
                s4 = unsafe_add(s4, unsafe_add(
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][4], o0) >> 192, unsafe_mul(w[1][4], o1) >> 192),
                        unsafe_add(unsafe_mul(w[2][4], o2) >> 192, unsafe_mul(w[3][4], o3) >> 192),
                    ),
                    unsafe_add(
                        unsafe_add(unsafe_mul(w[0][9], e0) >> 192, unsafe_mul(w[1][9], e1) >> 192),
                        unsafe_add(unsafe_mul(w[2][9], e2) >> 192, unsafe_mul(w[3][9], e3) >> 192),
                    ),
                ))
                # -- deep_pass ends
            at_pass = pass_stop[section]
            sum: uint256 = (
                (s0 % field.P)
                | (s1 % field.P) << 51
                | (s2 % field.P) << 102
                | (s3 % field.P) << 153
                | (s4 % field.P) << 204
            )
            if section & 1 == 0:
                here = sum
                continue
            # -- quotient_equation: The group's quotient G = (1 + gamma^K x) (here / (x - z) + sum / (x - z w)) cleared
            #    of denominators; K: the group's number of terms, `here` and `sum`: the sums at z and z w less their
            #    claims. `point` is x for the group's height.
            if group != 0:
                for _: uint256 in range(unsafe_sub(height[unsafe_sub(group, 1)], height[group]), bound=MAX_DEPTH):
                    point = unsafe_mul(point, point) % field.P
            from_z: uint256 = unsafe_sub(unsafe_add(field.MODULUS, point), context[5])
            from_next: uint256 = unsafe_sub(unsafe_add(field.MODULUS, point), next_point[group])
            quadratic[group] = field.scale(
                linear[group], point, unsafe_add(unsafe_mul(point, point) % field.P, constant_term[group])
            )
            numerator[group] = field.mul(
                field.muladd(from_next, here, field.mul(from_z, sum)), field.scale(correction[group], point, 1)
            )
            # -- quotient_equation ends
        # -- deep_quotients ends
        # -- check_folds: Check 9, fri: each layer's leaf goes on from the layer before, is a leaf of its tree, and
        #    folds to what the next one holds.
        #
        #    Without it the trees' columns would be no polynomials of low degree. The layer before says what the leaf
        #    holds at the query's own slot, as `value` = factor v; where a group joins, quadratic (factor v - value) =
        #    right.
        value: uint256 = 0
        factor: uint256 = 1
        joins: bool = True
        left: uint256 = quadratic[0]
        right: uint256 = numerator[0]
        joined: uint256 = 1
        level: uint256 = height[0]
        start: uint256 = 0
        leaf_at: uint256 = used
        position: uint256 = index
        invalid_leaf: uint256 = 0
        for layer: uint256 in range(layers, bound=MAX_LAYERS):
            # -- layer_size: How many values the leaf has: folds by the full arity unless that leads beyond a group that
            #    joins, or the end.
            stop: uint256 = final
            if joined < groups and height[joined] > final:
                stop = height[joined]
            arity: uint256 = min(log_arity, unsafe_sub(level, stop))
            size: uint256 = 1 << arity
            slot: uint256 = position & unsafe_sub(size, 1)
            node: bytes32 = keccak256(slice(data, leaf_at << 5, unsafe_mul(20, size)))
            layer_at: uint256 = unsafe_add(15, unsafe_mul(3, layer))
            # -- layer_size ends
            # -- layer_points: The point of the leaf's first value, its square and the square of that.
            x1: uint256 = unsafe_mul(x, to_first[slot]) % field.P
            x2: uint256 = unsafe_mul(x1, x1) % field.P
            x4: uint256 = unsafe_mul(x2, x2) % field.P
            # -- layer_points ends
            # -- fold_leaf: The leaf's values in pairs, fours, eights; a leaf of sixteen is read in two halves. `own`:
            #    the one at the query's slot.
            own: uint256 = 0
            folded: uint256 = 0
            for half: uint256 in range(unsafe_add(size, 7) >> 3, bound=2):
                m: uint256[8] = multipliers[unsafe_add(unsafe_add(layer, layer), half)]
                # -- read_leaf: Up to eight values of the leaf; zeros fill it to whole words.
                leaf: uint256[8] = empty(uint256[8])
                if arity >= 3:
                    leaf = field.unpacked(
                        row[leaf_at],
                        row[unsafe_add(leaf_at, 1)],
                        row[unsafe_add(leaf_at, 2)],
                        row[unsafe_add(leaf_at, 3)],
                        row[unsafe_add(leaf_at, 4)],
                    )
                    leaf_at = unsafe_add(leaf_at, 5)
                else:
                    leaf = field.unpacked(row[leaf_at], row[leaf_at + 1], row[leaf_at + arity], 0, 0)
                    leaf_at += 1 + arity
                # -- read_leaf ends
                if slot >> 3 == half:
                    own = leaf[slot & 7]
                # -- fold_eight: Two, four or eight values folded to one, but for the factor that `next_value` makes up
                #    for.
                invalid_leaf |= unsafe_add(leaf[0], field.SPARE) | unsafe_add(leaf[1], field.SPARE)
                part: uint256 = self._pair(leaf[0], leaf[1], m[0], x1)
                if arity >= 2:
                    invalid_leaf |= unsafe_add(leaf[2], field.SPARE) | unsafe_add(leaf[3], field.SPARE)
                    part = self._pair(part, self._pair(leaf[2], leaf[3], m[1], x1), m[4], x2)
                if arity >= 3:
                    invalid_leaf |= (
                        unsafe_add(leaf[4], field.SPARE) | unsafe_add(leaf[5], field.SPARE)
                        | unsafe_add(leaf[6], field.SPARE) | unsafe_add(leaf[7], field.SPARE)
                    )
                    other: uint256 = self._pair(leaf[6], leaf[7], m[3], x1)
                    other = self._pair(self._pair(leaf[4], leaf[5], m[2], x1), other, m[5], x2)
                    part = self._pair(part, other, m[6], x4)
                # -- fold_eight ends
                if half == 0:
                    folded = part
                else:
                    folded = self._pair(folded, part, m[7], unsafe_mul(x4, x4) % field.P)
            # -- fold_leaf ends
            own = field.scale(own, factor, unsafe_sub(field.MODULUS, value))
            # continues(own)
            if joins:
                assert field.mul(left, own) == right, "fri"
            else:
                assert own == 0, "fri"
            # -- next_value: What the next layer's leaf has to hold. Folds leave out 1/2 each and the points that they
            #    are divided by: `factor`.
            value = folded
            x = x2
            factor = unsafe_mul(2, x1) % field.P
            if arity >= 2:
                x = x4
                factor = unsafe_mul(unsafe_mul(2, factor), x2) % field.P
            if arity >= 3:
                x = unsafe_mul(x4, x4) % field.P
                factor = unsafe_mul(unsafe_mul(2, factor), x4) % field.P
            if arity == 4:
                factor = unsafe_mul(unsafe_mul(2, factor), x) % field.P
                x = unsafe_mul(x, x) % field.P
            position = position >> arity
            level = unsafe_sub(level, arity)
            start = unsafe_add(start, arity)
            # -- next_value ends
            # -- leaf_path: Check 9, fri: the leaf is one of the layer's tree: of the query before, or its path leads to
            #    the root or to that path.
            #
            #    Without it the layer would be made up when its leaf is asked for.
            if shared <= start:
                assert node == leaf_digests[layer], "fri"
            else:
                leaf_digests[layer] = node
                kept: uint256 = unsafe_mul(MAX_DEPTH, layer)
                for depth: uint256 in range(start, min(log_domain, reach), bound=MAX_DEPTH):
                    sibling: bytes32 = nodes[at]
                    at = unsafe_add(at, 1)
                    if (index >> depth) & 1 == 1:
                        node = keccak256(abi_encode(sibling, node))
                    else:
                        fri_siblings[unsafe_add(kept, depth)] = sibling
                        node = keccak256(abi_encode(node, sibling))
                if shared > log_domain:
                    assert convert(node, uint256) == context[layer_at], "fri"
                else:
                    assert node == fri_siblings[unsafe_add(kept, reach)], "fri"
            # -- leaf_path ends
            # -- next_group: Whether a group joins before the next layer, and with what: its quotient times the layer's
            #    mixing challenge.
            joins = joined < groups and level == height[joined]
            if joins:
                left = quadratic[joined]
                right = field.scale(field.mul(numerator[joined], context[unsafe_add(layer_at, 2)]), factor, 0)
                joined += 1
            # -- next_group ends
        # -- check_folds ends
        # -- canonical_record: Check 1, encoding: every element of the record is below p. Without it one opening could
        #    be told in many ways, and lanes of sums could overflow.
        self._encoding(invalid & NOT_CANONICAL | invalid_leaf & field.NOT_CANONICAL == 0)
        row_start = unsafe_add(row_start, leaf_at << 5)
        # -- canonical_record ends
        # -- check_final: Check 9, fri: the last polynomial has at the query's point the value that the folds led to.
        #
        #    Without it the last layer could be of any degree.
        power: uint256 = 1
        t0: uint256 = 0
        t1: uint256 = 0
        t2: uint256 = 0
        t3: uint256 = 0
        t4: uint256 = 0
        for k: uint256 in range(1 << (final - 2), bound=MAX_FINAL // 4):
            q: Quad = quads[k]
            lanes: uint256 = power
            power = unsafe_mul(power, x) % field.P
            lanes |= power << 64
            power = unsafe_mul(power, x) % field.P
            lanes |= power << 128
            power = unsafe_mul(power, x) % field.P
            lanes |= power << 192
            power = unsafe_mul(power, x) % field.P
            t0 = unsafe_add(t0, unsafe_mul(q.limbs[0], lanes) >> 192)
            t1 = unsafe_add(t1, unsafe_mul(q.limbs[1], lanes) >> 192)
            t2 = unsafe_add(t2, unsafe_mul(q.limbs[2], lanes) >> 192)
            t3 = unsafe_add(t3, unsafe_mul(q.limbs[3], lanes) >> 192)
            t4 = unsafe_add(t4, unsafe_mul(q.limbs[4], lanes) >> 192)
        last_value: uint256 = (
            (t0 % field.P)
            | (t1 % field.P) << 51
            | (t2 % field.P) << 102
            | (t3 % field.P) << 153
            | (t4 % field.P) << 204
        )
        last_value = field.scale(last_value, factor, unsafe_sub(field.MODULUS, value))
        # continues(last_value)
        if joins:
            assert field.mul(left, last_value) == right, "fri"
        else:
            assert last_value == 0, "fri"
        # -- check_final ends
    # -- no_spare_nodes: Check 1, encoding: the transaction's nodes are those of its queries' paths, and no more.
    #
    #    Without it one opening could be told in many ways.
    self._encoding(at == len(nodes))
    # -- no_spare_nodes ends
    self.verified[digest] |= bits
    log QueriesVerified(context=digest, queries=bits)
    return self.verified[digest]
