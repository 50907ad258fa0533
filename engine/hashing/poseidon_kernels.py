"""Poseidon on many states: permutation, compression and the witness rows of the Poseidon table.

States are rows: uint32[16 n], canonical, word j of state i at 16 i + j. See engine.hashing.poseidon for the reference.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types

from engine.errors import ProtocolError
from engine.field import lanes
from engine.field.butterflies import Memory, at, memories, transpose
from engine.field.kernels import check_out, check_words
from engine.field.koalabear import P
from engine.field.lanes import BLOCK
from engine.hashing import poseidon_emit as emit
from engine.hashing.poseidon import CUBES_COLUMN, DIGEST_WORDS, WITNESS_COLUMNS
from engine.hashing.poseidon_constants import HALF_FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH

_CALL = 1 << 14
"""Permutations in one kernel call: a few milliseconds."""
_LANES = np.uint64(lanes.LANES)
_I64 = ir.IntType(64)


def _places(builder: Any, offset: Any, count: int) -> list[Any]:
    """Where the vectors of ``count`` states lie: for each group of ``count`` words, one vector per state."""
    one = ir.Constant(_I64, 1)
    return [at(builder, offset, (one, WIDTH * i + first)) for first in range(0, WIDTH, count) for i in range(count)]


def _transpose(builder: Any, values: list[Any], count: int) -> list[Any]:
    """Vectors as :func:`_places` lists them to one vector per word, and back."""
    blocks = [values[first : first + count] for first in range(0, WIDTH, count)]
    for block in blocks:
        transpose(builder, block)
    return [value for block in blocks for value in block]


def _rows(builder: Any, memory: Memory, offset: Any) -> list[Any]:
    """As many states as lanes, from ``offset`` on, one vector per word."""
    values = [memory.load(place) for place in _places(builder, offset, memory.count)]
    return _transpose(builder, values, memory.count)


def permute_block(count: int) -> Any:
    """Intrinsic (states, offset, out, table, feed): ``count`` states from ``offset`` to the same place of ``out``;
    ``feed`` (0 or 1) adds the input to the output."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target, tables = memories(context, builder, signature.args, args, (0, 2, 3), count)
        words = emit.emit_rounds(builder, _rows(builder, source, args[1]), tables)
        words = _transpose(builder, emit.emit_unscaled(builder, words, tables), count)
        keep = builder.trunc(builder.sub(ir.Constant(_I64, 0), args[4]), lanes.I32)
        mask = lanes.emit_splat(builder, keep, count)
        for place, word in zip(_places(builder, args[1], count), words, strict=True):
            fed = builder.and_(source.load(place), mask)
            target.store(place, lanes.emit_add(builder, word, fed))
        return context.get_dummy_value()

    def typer(typingctx: Any, states: Any, offset: Any, out: Any, table: Any, feed: Any) -> Any:
        return types.void(states, types.uint64, out, table, types.uint64), codegen

    return lanes.intrinsic_of(5, typer)


def witness_block(count: int) -> Any:
    """Intrinsic (states, row, out, n_rows, table, factor): ``count`` rows of the table, from ``row`` on, made from the
    states of the same numbers; ``factor`` brings the input to scale."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target, tables = memories(context, builder, signature.args, args, (0, 2, 4), count)
        words = _rows(builder, source, builder.mul(args[1], ir.Constant(_I64, WIDTH)))
        scale = lanes.emit_splat(builder, args[5], count)
        for j, word in enumerate(words):
            target.store(at(builder, args[1], (args[3], j)), lanes.emit_mul(builder, word, scale))

        def after(index: Any, partial: Any, cube: Any, leaving: list[Any]) -> None:
            with builder.if_else(partial) as (then, otherwise):
                with then:
                    _store_cube(builder, target, tables, args, index, cube)
                with otherwise:
                    _store_state(builder, target, tables, args, index, leaving)

        emit.emit_rounds(builder, words, tables, after)
        return context.get_dummy_value()

    def typer(typingctx: Any, states: Any, row: Any, out: Any, n_rows: Any, table: Any, factor: Any) -> Any:
        return types.void(states, types.uint64, out, types.uint64, table, types.uint32), codegen

    return lanes.intrinsic_of(6, typer)


def _store_cube(builder: Any, target: Memory, tables: Memory, args: Any, index: Any, cube: Any) -> None:
    """The cube of partial round ``index``, at the scale of the result."""
    column = builder.add(index, ir.Constant(_I64, CUBES_COLUMN - HALF_FULL_ROUNDS))
    place = builder.add(args[1], builder.mul(column, args[3]))
    unscale = tables.broadcast(at(builder, ir.Constant(_I64, emit.CUBE_UNSCALE_AT), (index, 1)))
    target.store(place, lanes.emit_mul(builder, cube, unscale))


def _store_state(builder: Any, target: Memory, tables: Memory, args: Any, index: Any, leaving: list[Any]) -> None:
    """The state after full round ``index``: without the next round's constants, at the scale of the result."""
    early = builder.icmp_unsigned("<", index, ir.Constant(_I64, HALF_FULL_ROUNDS))
    late_column = CUBES_COLUMN + PARTIAL_ROUNDS - WIDTH * emit.LAST_PARTIAL
    base = builder.select(early, ir.Constant(_I64, WIDTH), ir.Constant(_I64, late_column % (1 << 64)))
    column = builder.add(base, builder.mul(index, ir.Constant(_I64, WIDTH)))
    start = builder.add(args[1], builder.mul(column, args[3]))
    unscale = tables.broadcast(at(builder, ir.Constant(_I64, emit.UNSCALE_AT), (index, 1)))
    for j, word in enumerate(leaving):
        offset = tables.broadcast(at(builder, ir.Constant(_I64, emit.OFFSET_AT + j), (index, WIDTH)))
        value = lanes.emit_sub(builder, lanes.emit_mul(builder, word, unscale), offset)
        target.store(at(builder, start, (args[3], j)), value)


_permute_block, _witness_block = permute_block(lanes.LANES), witness_block(lanes.LANES)


@njit("void(uint32[::1], uint64, uint64, uint32[::1], uint32[::1], uint64)", nogil=True, cache=True)
def permute_kernel(states, start, stop, out, table, feed):  # type: ignore[no-untyped-def]
    """States start..stop, a multiple of 16 of them."""
    for i in range(start, stop, _LANES):
        _permute_block(states, np.uint64(16) * i, out, table, feed)


@njit("void(uint32[::1], uint64, uint64, uint32[::1], uint64, uint32[::1], uint32)", nogil=True, cache=True)
def witness_kernel(states, start, stop, out, n_rows, table, factor):  # type: ignore[no-untyped-def]
    """Rows start..stop, a multiple of 16 of them."""
    for row in range(start, stop, _LANES):
        _witness_block(states, row, out, n_rows, table, factor)


@lru_cache(maxsize=2)
def _table(montgomery: bool) -> np.ndarray:
    return emit.table(montgomery)


def permute_many(states: np.ndarray, *, out: np.ndarray | None = None) -> np.ndarray:
    """uint32[16 n]: the permutation of each of n canonical states; ``out`` may be ``states``."""
    return _run(states, out, feed=0)


def compress_pairs(digests: np.ndarray, *, out: np.ndarray | None = None) -> np.ndarray:
    """uint32[8 n]: poseidon.compress of neighbouring digests, uint32[16 n] = left 0, right 0, left 1, ..."""
    full = _run(digests, None, feed=1).reshape(-1, WIDTH)
    result = check_out("out", out, full.shape[0] * DIGEST_WORDS)
    result.reshape(-1, DIGEST_WORDS)[:] = full[:, :DIGEST_WORDS]
    return result


def compress_bytes(pairs: bytes) -> bytes:
    """poseidon.compress of pairs of digests: 64 bytes a pair, 32 a result, words little-endian.

    For few at a time: one buffer, none of the checks of :func:`compress_pairs`.
    """
    count = len(pairs) // (4 * WIDTH)
    states = np.zeros((count + 15 & ~15, WIDTH), np.uint32)
    states[:count] = np.frombuffer(pairs, "<u4").reshape(count, WIDTH)
    flat = states.reshape(-1)
    for start in range(0, len(states), _CALL):
        permute_kernel(flat, start, min(start + _CALL, len(states)), flat, _table(False), 1)
    return states[:count, :DIGEST_WORDS].astype("<u4", copy=False).tobytes()


def compress_many(lefts: np.ndarray, rights: np.ndarray) -> np.ndarray:
    """uint32[8 n]: poseidon.compress of n left and n right digests, uint32[8 n] each, canonical."""
    check_out("rights", rights, check_words("lefts", lefts).size)
    pairs = np.concatenate((lefts.reshape(-1, DIGEST_WORDS), rights.reshape(-1, DIGEST_WORDS)), axis=1)
    return compress_pairs(pairs.reshape(-1))


def witness_rows(states: np.ndarray, *, montgomery: bool = True, out: np.ndarray | None = None) -> np.ndarray:
    """uint32[164 n], column-major: the Poseidon table of n canonical input states uint32[16 n].

    Row i, column c is at c * n + i; the columns are those of poseidon.witness_row, in Montgomery form or canonical.
    """
    count = _count(states)
    result = check_out("out", out, WITNESS_COLUMNS * count)
    factor = (1 << 64) % P if montgomery else (1 << 32) % P
    padded, room = states, result
    if count % BLOCK:
        padded, room = _padded(states), lanes.aligned_empty(WITNESS_COLUMNS * (count + BLOCK - 1 & -BLOCK))
    rows = padded.size // WIDTH
    for start in range(0, rows, _CALL):
        witness_kernel(padded, start, min(start + _CALL, rows), room, rows, _table(montgomery), factor)
    if count % BLOCK:
        result.reshape(WITNESS_COLUMNS, count)[:] = room.reshape(WITNESS_COLUMNS, rows)[:, :count]
    return result


def _run(states: np.ndarray, out: np.ndarray | None, *, feed: int) -> np.ndarray:
    count = _count(states)
    result = check_out("out", out, states.size)
    bulk = count & -BLOCK
    for start in range(0, bulk, _CALL):
        permute_kernel(states, start, min(start + _CALL, bulk), result, _table(False), feed)
    if bulk < count:
        rest = _padded(states[WIDTH * bulk :])
        permute_kernel(rest, 0, BLOCK, rest, _table(False), feed)
        result[WIDTH * bulk :] = rest[: WIDTH * (count - bulk)]
    return result


def _count(states: np.ndarray) -> int:
    if check_words("states", states).size % WIDTH:
        raise ProtocolError("states have 16 words each", field="states", value=states.size, limit="a multiple of 16")
    return states.size // WIDTH


def _padded(states: np.ndarray) -> np.ndarray:
    """The states and zero states up to a multiple of 16."""
    padded = np.zeros((states.size // WIDTH + BLOCK - 1 & -BLOCK) * WIDTH, dtype=np.uint32)
    padded[: states.size] = states
    return padded
