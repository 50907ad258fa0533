"""Keccak-f on several states at once, word i of all states in one vector, emitted as LLVM IR.

A batch of n states is a flat uint64[25 n], word i = x + 5 y of state s at n i + s. LLVM turns the emitted xors into
three-input operations and rotations where the machine has them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from engine.field import lanes
from engine.field.lanes import I64, constant, order, vector64
from engine.hashing.keccak_reference import LANE_PATH, ROUND_CONSTANTS

WORDS = 25


def _sources() -> list[tuple[int, int]]:
    """For each word after rho and pi: the word that moves there, and its rotation."""
    moves, source = {0: (0, 0)}, 1
    for target, rotation in LANE_PATH:
        moves[target] = source, rotation
        source = target
    return [moves[i] for i in range(WORDS)]


_SOURCES = _sources()


def _xor(builder: Any, *values: Any) -> Any:
    result = values[0]
    for value in values[1:]:
        result = builder.xor(result, value)
    return result


def _rotate(builder: Any, value: Any, by: int) -> Any:
    """Rotation left; by 0 is the value itself."""
    if by == 0:
        return value
    left = builder.shl(value, constant(value.type, by))
    return builder.or_(left, builder.lshr(value, constant(value.type, 64 - by)))


def emit_round(builder: Any, a: list[Any], round_constant: Any) -> list[Any]:
    """One round of Keccak-f on 25 vectors (FIPS 202, section 3.2), row by row of the result.

    The five sums of theta are made once: added to each word in two parts they would keep ten registers, and AVX2 has
    sixteen in all.
    """
    c = [_xor(builder, *(a[x + 5 * y] for y in range(5))) for x in range(5)]
    d = [builder.xor(c[(x + 4) % 5], _rotate(builder, c[(x + 1) % 5], 1)) for x in range(5)]
    ones, result = constant(a[0].type, (1 << 64) - 1), []
    for y in range(5):
        row = []
        for source, rotation in _SOURCES[5 * y : 5 * y + 5]:
            row.append(_rotate(builder, builder.xor(a[source], d[source % 5]), rotation))
        for x in range(5):
            others = builder.and_(builder.xor(row[(x + 1) % 5], ones), row[(x + 2) % 5])
            result.append(builder.xor(row[x], others))
    result[0] = builder.xor(result[0], round_constant)
    return result


def permutation(count: int) -> Any:
    """Intrinsic (state, offset): Keccak-f on the batch of ``count`` states at an offset, 24 rounds in registers."""
    kind = vector64(count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        content = ir.Constant(ir.ArrayType(I64, len(ROUND_CONSTANTS)), list(ROUND_CONSTANTS))
        table = cgutils.global_constant(builder, "keccak_round_constants", content)
        pointers = []
        for i in range(WORDS):
            offset = builder.add(args[1], ir.Constant(I64, count * i))
            pointers.append(lanes.emit_pointer(context, builder, signature.args[0], args[0], offset, kind))
        words = [cgutils.alloca_once_value(builder, builder.load(pointer, align=8)) for pointer in pointers]
        with cgutils.for_range(builder, ir.Constant(I64, len(ROUND_CONSTANTS))) as loop:
            word = builder.load(builder.gep(table, [ir.Constant(I64, 0), loop.index]))
            state = [builder.load(slot) for slot in words]
            for slot, value in zip(
                words, emit_round(builder, state, lanes.emit_splat(builder, word, count)), strict=True
            ):
                builder.store(value, slot)
        for pointer, slot in zip(pointers, words, strict=True):
            builder.store(builder.load(slot), pointer, align=8)
        return context.get_dummy_value()

    def typer(typingctx: Any, state: Any, offset: Any) -> Any:
        return types.void(state, types.uint64), codegen

    return lanes.intrinsic_of(2, typer)


def absorption(count: int) -> Any:
    """Intrinsic (state, offset, low, high): one word of 2 ``count`` states ^= low + 2^32 high.

    The even ones of the states are the batch at ``offset``, the odd ones the next batch: no element has to change
    its place among the 64-bit words.
    """
    kind, both = vector64(count), 2 * count
    even = [i if i % 2 == 0 else both + i - 1 for i in range(both)]
    odd = [i + 1 if i % 2 == 0 else both + i for i in range(both)]

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for batch, places in enumerate((even, odd)):
            at = builder.add(args[1], ir.Constant(I64, WORDS * count * batch))
            pointer = lanes.emit_pointer(context, builder, signature.args[0], args[0], at, kind)
            words = builder.bitcast(builder.shuffle_vector(args[2], args[3], order(places)), kind)
            builder.store(builder.xor(builder.load(pointer, align=8), words), pointer, align=8)
        return context.get_dummy_value()

    def typer(typingctx: Any, state: Any, offset: Any, low: Any, high: Any) -> Any:
        return types.void(state, types.uint64, low, high), codegen

    return lanes.intrinsic_of(4, typer)
