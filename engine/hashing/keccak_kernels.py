"""Keccak-256 of many inputs at once: eight states side by side in vectors of eight 64-bit words.

A batch of eight states is a flat uint64[200], word (x, y) of state s at 8 (x + 5 y) + s. LLVM turns the emitted xors
into three-input operations and rotations where the machine has them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from engine.field import lanes
from engine.field.kernels import m_mul
from engine.hashing.keccak_reference import LANE_PATH, ROUND_CONSTANTS

I64 = ir.IntType(64)
V8 = ir.VectorType(I64, 8)
AHEAD = np.uint64(12)
"""Columns between a read and the prefetch of a later one: the way from memory, but within a cache's associativity."""
RATE_LANES = np.uint64(17)
LAST_BIT = np.uint64(1 << 63)
NOT_FOUND = np.uint64((1 << 64) - 1)


def _xor(builder: Any, *values: Any) -> Any:
    result = values[0]
    for value in values[1:]:
        result = builder.xor(result, value)
    return result


def _rotate(builder: Any, value: Any, by: int) -> Any:
    """Rotation left; by 0 is the value itself."""
    if by == 0:
        return value
    left = builder.shl(value, lanes.constant(V8, by))
    return builder.or_(left, builder.lshr(value, lanes.constant(V8, 64 - by)))


def _emit_round(builder: Any, a: list[Any], constant: Any) -> list[Any]:
    """One round of Keccak-f on 25 vectors (FIPS 202, section 3.2)."""
    c = [_xor(builder, *(a[x + 5 * y] for y in range(5))) for x in range(5)]
    turned = [_rotate(builder, c[x], 1) for x in range(5)]
    a = [_xor(builder, a[i], c[(i + 4) % 5], turned[(i + 1) % 5]) for i in range(25)]
    moved, source = [a[0]] * 25, 1
    for target, rotation in LANE_PATH:
        moved[target] = _rotate(builder, a[source], rotation)
        source = target
    ones = lanes.constant(V8, (1 << 64) - 1)
    result = []
    for i in range(25):
        right, beyond = moved[i - i % 5 + (i + 1) % 5], moved[i - i % 5 + (i + 2) % 5]
        result.append(_xor(builder, moved[i], builder.and_(builder.xor(right, ones), beyond)))
    result[0] = builder.xor(result[0], constant)
    return result


def _emit_permutation(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Loads the eight states at an offset, runs 24 rounds in registers, stores them."""
    table = cgutils.global_constant(
        builder, "keccak_round_constants", ir.Constant(ir.ArrayType(I64, 24), list(ROUND_CONSTANTS))
    )
    pointers = []
    for i in range(25):
        offset = builder.add(args[1], ir.Constant(I64, 8 * i))
        pointers.append(lanes.emit_pointer(context, builder, signature.args[0], args[0], offset, V8))
    words = [cgutils.alloca_once_value(builder, builder.load(pointer, align=8)) for pointer in pointers]
    with cgutils.for_range(builder, ir.Constant(I64, 24)) as loop:
        word = builder.load(builder.gep(table, [ir.Constant(I64, 0), loop.index]))
        single = builder.insert_element(ir.Constant(V8, ir.Undefined), word, ir.Constant(lanes.I32, 0))
        order = ir.Constant(ir.VectorType(lanes.I32, 8), [0] * 8)
        constant = builder.shuffle_vector(single, ir.Constant(V8, ir.Undefined), order)
        for slot, value in zip(words, _emit_round(builder, [builder.load(w) for w in words], constant), strict=True):
            builder.store(value, slot)
    for pointer, slot in zip(pointers, words, strict=True):
        builder.store(builder.load(slot), pointer, align=8)
    return context.get_dummy_value()


def _permute_eight(typingctx: Any, state: Any, offset: Any) -> Any:
    return types.void(state, types.uint64), _emit_permutation


def _absorb(typingctx: Any, state: Any, offset: Any, low: Any, high: Any) -> Any:
    """Words of 16 states ^= low + 2^32 high: eight at ``offset``, the other eight 200 further on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for half in range(2):
            at = builder.add(args[1], ir.Constant(I64, 200 * half))
            pointer = lanes.emit_pointer(context, builder, signature.args[0], args[0], at, V8)
            order = ir.Constant(lanes.V32, [8 * half + i // 2 + 16 * (i % 2) for i in range(16)])
            words = builder.bitcast(builder.shuffle_vector(args[2], args[3], order), V8)
            builder.store(builder.xor(builder.load(pointer, align=8), words), pointer, align=8)
        return context.get_dummy_value()

    return types.void(state, types.uint64, lanes.lanes_type, lanes.lanes_type), codegen


permute_eight, absorb = lanes.intrinsic_of(2, _permute_eight), lanes.intrinsic_of(4, _absorb)


@njit("void(uint64[::1])", nogil=True, cache=True)
def permute_all(state):  # type: ignore[no-untyped-def]
    """Keccak-f on every batch of eight states."""
    for offset in range(np.uint64(0), np.uint64(state.size), np.uint64(200)):
        permute_eight(state, offset)


@njit("void(uint64[::1], uint64, uint64, uint64[::1])", nogil=True, cache=True)
def _squeeze(state, row, count, out):  # type: ignore[no-untyped-def]
    """The first four words of states 0..count - 1 to out[4 row:]."""
    for i in range(count):
        base = (i >> np.uint64(3)) * np.uint64(200) + (i & np.uint64(7))
        for k in range(np.uint64(4)):
            out[np.uint64(4) * (row + i) + k] = state[base + np.uint64(8) * k]


@njit("void(uint32[::1], uint64, uint64, uint64, uint64, uint32, uint64[::1], uint64[::1])", nogil=True, cache=True)
def hash_rows_kernel(columns, n_cols, n_rows, start, stop, factor, state, out):  # type: ignore[no-untyped-def]
    """Digests of rows start..stop, state.size / 25 rows at a time; each word is multiplied by factor / 2^32 first.

    Several groups of 16 rows go together, so that neighbouring cache lines of a column are read one after the other.
    """
    size = np.uint64(state.size)
    groups = size // np.uint64(400)
    factors = lanes.splat(factor)
    ones, zeros = lanes.splat(np.uint32(1)), lanes.splat(np.uint32(0))
    for row in range(start, stop, np.uint64(16) * groups):
        state[:] = np.uint64(0)
        lane = np.uint64(0)
        for column in range(np.uint64(0), n_cols + np.uint64(1), np.uint64(2)):
            for group in range(groups):
                low, high = ones, zeros
                place = column * n_rows + row + np.uint64(16) * group
                if column < n_cols:
                    low, high = m_mul(lanes.load(columns, place), factors), ones
                    lanes.prefetch(columns, place + AHEAD * n_rows)
                if column + np.uint64(1) < n_cols:
                    high = m_mul(lanes.load(columns, place + n_rows), factors)
                    lanes.prefetch(columns, place + (AHEAD + np.uint64(1)) * n_rows)
                absorb(state, np.uint64(400) * group + np.uint64(8) * lane, low, high)
            lane += np.uint64(1)
            if lane == RATE_LANES and column + np.uint64(1) < n_cols:
                permute_all(state)
                lane = np.uint64(0)
        for i in range(np.uint64(128), size, np.uint64(200)):
            for k in range(np.uint64(8)):
                state[i + k] ^= LAST_BIT
        permute_all(state)
        _squeeze(state, row, np.uint64(16) * groups, out)


@njit("void(uint64[::1], uint64, uint64, uint64[::1], uint64[::1])", nogil=True, cache=True)
def hash_pairs_kernel(digests, start, stop, state, out):  # type: ignore[no-untyped-def]
    """Parents start..stop (a multiple of 16) of neighbouring digests."""
    for pair in range(start, stop, np.uint64(16)):
        state[:] = np.uint64(0)
        for i in range(np.uint64(16)):
            base = (i >> np.uint64(3)) * np.uint64(200) + (i & np.uint64(7))
            for k in range(np.uint64(8)):
                state[base + np.uint64(8) * k] = digests[np.uint64(8) * (pair + i) + k]
            state[base + np.uint64(64)] = np.uint64(1)
            state[base + np.uint64(128)] = LAST_BIT
        permute_all(state)
        _squeeze(state, pair, np.uint64(16), out)


@njit("uint64(uint64[::1], uint64, uint64, uint64, uint64[::1])", nogil=True, cache=True)
def grind_kernel(prefix, start, count, mask, state):  # type: ignore[no-untyped-def]
    """First of ``count`` (a multiple of 16) nonces whose digest has zero bits under ``mask``, or NOT_FOUND."""
    for nonce in range(start, start + count, np.uint64(16)):
        state[:] = np.uint64(0)
        for i in range(np.uint64(16)):
            base = (i >> np.uint64(3)) * np.uint64(200) + (i & np.uint64(7))
            for k in range(np.uint64(4)):
                state[base + np.uint64(8) * k] = prefix[k]
            state[base + np.uint64(32)] = nonce + i
            state[base + np.uint64(40)] = np.uint64(1)
            state[base + np.uint64(128)] = LAST_BIT
        permute_all(state)
        for i in range(np.uint64(16)):
            if not state[(i >> np.uint64(3)) * np.uint64(200) + (i & np.uint64(7))] & mask:
                return nonce + i
    return NOT_FOUND
