"""Poseidon on as many states as there are lanes, word j of all states in one vector, emitted as LLVM IR.

The matrix entries are at most 101, so its product runs on 16-bit halves: x = low + 2^16 high, two words a vector lane,
multiplied and added pairwise (``pmaddwd`` on x86). With L and H the two sums and p = 1 mod 2^16, the reduction is
(L + 2^16 H) / 2^16 = H + (L + t) / 2^16 + 32512 t mod p for t = -L mod 2^16, because (p - 1) / 2^16 = 32512. Each round
thus divides by a known power of two; the scale of the state is followed round by round and folded into the constants.

Ranges: a matrix output lies in (0, 2p + 2^24), so one conditional subtraction leaves less than p + 2^24 < 2^31, whose
cube still fits Montgomery's reduction twice before it is brought below p.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from engine.field import lanes
from engine.field.butterflies import Memory, at
from engine.field.koalabear import P, R
from engine.field.lanes import I64, constant, order, vector32
from engine.hashing.poseidon_constants import (
    HALF_FULL_ROUNDS,
    MDS_FIRST_ROW,
    PARTIAL_ROUNDS,
    ROUND_CONSTANTS,
    ROUNDS,
    WIDTH,
)

_ROW_SUM = sum(MDS_FIRST_ROW)
_ROUNDING = (1 << 15) - 1
LAST_PARTIAL = HALF_FULL_ROUNDS + PARTIAL_ROUNDS

# Layout of the table of 32-bit words that the kernels read.
# Every round has its own copy of the matrix: hoisted out of the loop the pairs would be widened for good and spilled.
MATRIX_WORDS = WIDTH + 1
MATRIX_AT = 0  # 28 * 17: matrix entry pairs by (2 q - i) mod 16, then (p - 1) / 2^16 paired with zero
ADDED_AT = MATRIX_WORDS * ROUNDS  # 29 * 16: what enters a round: constants of rounds 0..27, then zeros
RESCALE_AT = ADDED_AT + WIDTH * (ROUNDS + 1)  # 28: brings the cube of a partial round back to the state's scale
UNSCALE_AT = RESCALE_AT + ROUNDS  # 28: brings a state after round r to the scale of the result
CUBE_UNSCALE_AT = UNSCALE_AT + ROUNDS  # 28: the same for the cube of round r
OFFSET_AT = CUBE_UNSCALE_AT + ROUNDS  # 28 * 16: the next round's constants in the scale of the result
TABLE_WORDS = OFFSET_AT + WIDTH * ROUNDS


def scales() -> list[int]:
    """Factor between the stored and the true state before each round and at the end, from canonical input."""
    result = [1]
    for index in range(ROUNDS):
        before = result[-1]
        partial = HALF_FULL_ROUNDS <= index < LAST_PARTIAL
        cubed = before if partial else pow(before, 3, P) * pow(R, -2, P) % P
        result.append(cubed * pow(1 << 16, -1, P) % P)
    return result


def table(montgomery: bool) -> np.ndarray:
    """uint32[TABLE_WORDS] for canonical input and canonical or Montgomery output."""
    scale, target = scales(), R if montgomery else 1
    pairs = [MDS_FIRST_ROW[d] | MDS_FIRST_ROW[(d + 1) % WIDTH] << 16 for d in range(WIDTH)]
    words = [*pairs, (P - 1) >> 16] * ROUNDS
    for index, line in enumerate((*ROUND_CONSTANTS, (0,) * WIDTH)):
        for value in line:
            scaled = value * scale[index] % P
            centred = scaled - P if scaled > P // 2 else scaled
            words.append(scaled if index == 0 else centred + P)
    words += [pow(s, -2, P) * pow(R, 3, P) % P for s in scale[:ROUNDS]]
    words += [target * R * pow(s, -1, P) % P for s in scale[1:]]
    words += [target * pow(R, 3, P) * pow(s, -3, P) % P for s in scale[:ROUNDS]]
    for line in (*ROUND_CONSTANTS[1:], (0,) * WIDTH):
        words += [value * target % P for value in line]
    return np.array(words, dtype=np.uint32)


def _multiply_add_pairs(builder: Any, total: Any, values: Any, factors: Any) -> Any:
    """total + low16(v) * low16(f) + high16(v) * high16(f), signed, lane by lane: LLVM's pattern for pmaddwd."""
    count = 2 * values.type.count
    pairs, wide = ir.VectorType(ir.IntType(16), count), vector32(count)
    product = builder.mul(*(builder.sext(builder.bitcast(v, pairs), wide) for v in (values, factors)))
    undefined = ir.Constant(wide, ir.Undefined)
    even, odd = (builder.shuffle_vector(product, undefined, order(range(at, count, 2))) for at in (0, 1))
    return builder.add(total, builder.add(even, odd))


def emit_cube(builder: Any, x: Any) -> Any:
    """x^3 / 2^64 mod p, reduced, for x < p + 2^24."""
    square = _product(builder, x, x)
    cube = _product(builder, square, x)
    return lanes.emit_minimum(builder, cube, builder.sub(cube, constant(cube.type, P)))


def _product(builder: Any, a: Any, b: Any) -> Any:
    """Montgomery's product without the final subtraction."""
    return lanes.emit_montgomery(builder, lanes.emit_products(builder, a, b), builder.mul(a, b))


def emit_matrix(builder: Any, words: list[Any], tables: Memory, index: Any) -> list[Any]:
    """The matrix product over 2^16 plus the constants of the next round; inputs below 2^31, outputs below p + 2^24."""
    matrix = at(builder, ir.Constant(I64, MATRIX_AT), (index, MATRIX_WORDS))
    added = at(builder, ir.Constant(I64, ADDED_AT + WIDTH), (index, WIDTH))
    kind = words[0].type
    low, high = [], []
    for a, b in zip(words[::2], words[1::2], strict=True):
        mask = constant(kind, 0xFFFF)
        packed = builder.or_(builder.and_(a, mask), builder.shl(b, constant(kind, 16)))
        low.append(builder.xor(packed, constant(kind, 0x80008000)))
        high.append(builder.or_(builder.lshr(a, constant(kind, 16)), builder.and_(b, constant(kind, 0xFFFF0000))))
    reduce, result = tables.broadcast(builder.add(matrix, ir.Constant(I64, WIDTH))), []
    for i in range(WIDTH):
        # The xor made the low halves signed, 2^15 too small each.
        total_low = constant(kind, (_ROW_SUM << 15) + _ROUNDING)
        total_high = tables.broadcast(at(builder, added, (ir.Constant(I64, 1), i)))
        for q in range(WIDTH // 2):
            factors = tables.broadcast(builder.add(matrix, ir.Constant(I64, (2 * q - i) % WIDTH)))
            total_low = _multiply_add_pairs(builder, total_low, low[q], factors)
            total_high = _multiply_add_pairs(builder, total_high, high[q], factors)
        t = builder.sub(constant(kind, _ROUNDING), total_low)
        total = builder.add(total_high, builder.lshr(total_low, constant(kind, 16)))
        total = _multiply_add_pairs(builder, total, t, reduce)
        result.append(lanes.emit_minimum(builder, total, builder.sub(total, constant(kind, P))))
    return result


def emit_rounds(builder: Any, words: list[Any], tables: Memory, after: Any = None) -> list[Any]:
    """All 28 rounds on 16 canonical vectors, one per word; ``after(round, partial, cube, words)`` may emit stores.

    Returns the words at the scale of the last round.
    """
    slots = []
    for i, word in enumerate(words):
        start = lanes.emit_add(builder, word, tables.broadcast(ir.Constant(I64, ADDED_AT + i)))
        slots.append(cgutils.alloca_once_value(builder, start))
    with cgutils.for_range(builder, ir.Constant(I64, ROUNDS)) as loop:
        index = loop.index
        first, last = ir.Constant(I64, HALF_FULL_ROUNDS), ir.Constant(I64, LAST_PARTIAL)
        partial = builder.icmp_unsigned("<", builder.sub(index, first), builder.sub(last, first))
        cube = emit_cube(builder, builder.load(slots[0]))
        with builder.if_else(partial) as (then, otherwise):
            with then:
                factor = tables.broadcast(at(builder, ir.Constant(I64, RESCALE_AT), (index, 1)))
                builder.store(lanes.emit_mul(builder, cube, factor), slots[0])
            with otherwise:
                builder.store(cube, slots[0])
                for slot in slots[1:]:
                    builder.store(emit_cube(builder, builder.load(slot)), slot)
        leaving = emit_matrix(builder, [builder.load(slot) for slot in slots], tables, index)
        for slot, word in zip(slots, leaving, strict=True):
            builder.store(word, slot)
        if after is not None:
            after(index, partial, cube, leaving)
    return [builder.load(slot) for slot in slots]


def emit_unscaled(builder: Any, words: list[Any], tables: Memory) -> list[Any]:
    """The result of :func:`emit_rounds`, reduced, at the scale the table was made for."""
    factor = tables.broadcast(ir.Constant(I64, UNSCALE_AT + ROUNDS - 1))
    return [lanes.emit_mul(builder, word, factor) for word in words]
